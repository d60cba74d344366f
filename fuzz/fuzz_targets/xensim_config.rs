//! The text that configures xensim: refused or read, never a panic; and what is wrong is named.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xensim::config::{Config, MAX_DOMAINS};

fuzz_target!(|text: &str| {
    match Config::parse(text) {
        Ok(config) => {
            assert!((1..=MAX_DOMAINS).contains(&config.domains));
            assert!(config.hvm <= 100 && config.pvh <= 100 && config.running <= 100);
            assert!(config.vcpus.start() <= config.vcpus.end());
        }
        Err(message) => assert!(!message.is_empty()),
    }
});
