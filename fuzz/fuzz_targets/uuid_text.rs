//! UUIDs as text: what is read is what is written there, and nothing else is read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use runtime::{Build, stand_in};
use xenctrl_stubs::stubs::uuid::Uuid;

fuzz_target!(|text: &[u8]| {
    // As much as a small allocation holds.
    let text = &text[..text.len().min(2047)];
    let read = stand_in::given::<Uuid>(Build::String(text.to_vec()));
    // SAFETY: what was read is a copy.
    unsafe { stand_in::collect() };
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
