//! UUIDs as text: what is read is what is written there, and nothing else is read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use runtime::{Argument, Build, IntoValue, Lock, Val};
use xenctrl_stubs::stubs::uuid::Uuid;

fuzz_target!(|text: &[u8]| {
    // The stand-in for OCaml's runtime never frees.
    let text = &text[..text.len().min(64)];
    // SAFETY: the stand-in has no lock, and the value is a string.
    let read = unsafe {
        let mut lock = Lock::held();
        let value = Build::String(text.to_vec()).into_value(&mut lock);
        Uuid::read(Val::new(&lock, value))
    };
    let is_uuid = text.len() == 36
        && text.iter().enumerate().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => *c == b'-',
            _ => c.is_ascii_hexdigit(),
        });
    match read {
        Ok(Uuid(bytes)) => {
            assert!(is_uuid);
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let lower = String::from_utf8(text.to_ascii_lowercase()).expect("ASCII");
            assert_eq!(digits, lower.replace('-', ""));
        }
        Err(_) => assert!(!is_uuid),
    }
});
