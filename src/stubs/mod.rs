//! The externals of `Xenctrl`, one file per family.
//!
//! A stub reads as: arguments, one operation of the hypervisor floor with the runtime lock
//! released, result. The types of its arguments check their range, the type of its result builds
//! it, and an error of the operation becomes an OCaml exception by the conversion below.
//!
//! Every stub can raise, besides what it says itself:
//! - `Xenctrl.Error "errno: message"`: the hypercall failed, the handle is closed, or it was
//!   opened by the parent process;
//! - `Invalid_argument`: an argument is out of range; no hypercall was made.

pub mod console;
pub mod device;
pub mod domain;
pub mod domain_create;
pub mod domain_info;
pub mod event_channel;
pub mod host;
pub mod hvm_param;
pub mod interface;
pub mod memory;
pub mod permissions;
pub mod scheduler;
pub mod units;
pub mod vcpu;

use crate::hypervisor::{Error, Xen};
use runtime::{Argument, Exception, Val, int};
use std::sync::Arc;

/// The type `Xenctrl.handle`.
pub type Handle = Arc<Xen>;

/// A domain's number. Upstream cuts greater numbers down to 16 bits, and acts on another domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domid(pub u16);

impl Argument for Domid {
    fn read(value: Val<'_>) -> Result<Domid, Exception> {
        int(value, "domid").map(Domid)
    }
}

/// A domain's handle: a UUID as text, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uuid(pub [u8; 16]);

impl Argument for Uuid {
    fn read(value: Val<'_>) -> Result<Uuid, Exception> {
        let text = value.bytes();
        parse_uuid(&text).map(Uuid).ok_or_else(|| {
            let text = String::from_utf8_lossy(&text);
            // Upstream's words, which name a function of long ago.
            Exception::Invalid(format!("Xc.int_array_of_uuid_string: {text}"))
        })
    }
}

fn parse_uuid(text: &[u8]) -> Option<[u8; 16]> {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    if text.len() != 36 || DASHES.iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let mut digits = (0..36)
        .filter(|at| !DASHES.contains(at))
        .map(|at| char::from(text[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
    let mut uuid = [0; 16];
    for byte in &mut uuid {
        *byte = digits.next()?? << 4 | digits.next()??;
    }
    Some(uuid)
}

impl From<Error> for Exception {
    fn from(error: Error) -> Exception {
        match error {
            Error::Inexpressible { .. } | Error::TooManyCpus { .. } => {
                Exception::Invalid(error.to_string())
            }
            Error::Mapping(_) => Exception::Failure(error.to_string()),
            _ => Exception::Registered(c"xc.error", error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse_uuid;

    #[test]
    fn a_uuid_is_read_strictly() {
        let uuid = parse_uuid(b"00112233-4455-6677-8899-aAbBcCdDeEfF").unwrap();
        assert_eq!(uuid[..4], [0, 0x11, 0x22, 0x33]);
        assert_eq!(uuid[12..], [0xCC, 0xDD, 0xEE, 0xFF]);
        for wrong in [
            "",
            "00112233-4455-6677-8899-aabbccddeeff ",
            "00112233-4455-6677-8899-aabbccddeef",
            "0011223344556677-8899-aabbccddeeff---",
            "00112233-4455-6677_8899-aabbccddeeff",
            "+0112233-4455-6677-8899-aabbccddeeff",
            "0x112233-4455-6677-8899-aabbccddeeff",
            " 0112233-4455-6677-8899-aabbccddeeff",
            "00112233-4455-6677-8899-aabbccddeefg",
        ] {
            assert_eq!(parse_uuid(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
