//! UUIDs, which Xen calls the handles of domains.

use runtime::{Argument, Exception, Val, export};
use std::borrow::Cow;

/// A UUID as text, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uuid(pub [u8; 16]);

impl Argument for Uuid {
    fn read(value: Val<'_>) -> Result<Uuid, Exception> {
        let text = value.bytes();
        parse_uuid(text).map(Uuid).ok_or_else(|| {
            let text = beginning(text);
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

/// A UUID as 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UuidBytes(pub [u8; 16]);

impl Argument for UuidBytes {
    fn read(value: Val<'_>) -> Result<UuidBytes, Exception> {
        value.array().map(UuidBytes).ok_or_else(|| {
            Exception::Invalid(format!("uuid: {} bytes, not 16", value.bytes().len()))
        })
    }
}

/// The bytes of a UUID that is given as text, for `Xenctrl_domains`.
struct Parsed(UuidBytes);

impl Argument for Parsed {
    fn read(value: Val<'_>) -> Result<Parsed, Exception> {
        let text = value.bytes();
        parse_uuid(text)
            .map(|uuid| Parsed(UuidBytes(uuid)))
            .ok_or_else(|| Exception::Invalid(format!("uuid: {:?} is none", beginning(text))))
    }
}

/// Enough of a text to recognise it by.
fn beginning(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&text[..text.len().min(200)])
}

export! {
    /// `Uuid.of_string : string -> string`, for `Xenctrl_domains`
    ///
    /// The 16 bytes of a UUID that is given as text.
    ///
    /// Hypercalls: none.
    fn stub_xenctrl_uuid_of_string(uuid: Parsed) -> Vec<u8> {
        Ok(uuid.0.0.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::parse_uuid;
    use proptest::{collection::vec, prelude::*};

    /// As text, its letters in upper case where `upper` has a bit.
    fn text(uuid: [u8; 16], upper: u64) -> Vec<u8> {
        let mut digits = uuid.iter().flat_map(|byte| format!("{byte:02x}").into_bytes());
        let character = |at| match at {
            8 | 13 | 18 | 23 => b'-',
            _ => digits.next().unwrap(),
        };
        let text: Vec<u8> = (0..36).map(character).collect();
        let cased = |(at, byte): (usize, &u8)| match upper >> at & 1 {
            1 => byte.to_ascii_uppercase(),
            _ => *byte,
        };
        text.iter().enumerate().map(cased).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read(uuid: [u8; 16], upper: u64) {
            prop_assert_eq!(parse_uuid(&text(uuid, upper)), Some(uuid));
        }

        #[test]
        fn a_byte_that_does_not_belong_there_is_refused(uuid: [u8; 16], at in 0..36_usize, byte: u8) {
            let mut text = text(uuid, 0);
            let belongs = if text[at] == b'-' { byte == b'-' } else { byte.is_ascii_hexdigit() };
            text[at] = byte;
            prop_assert_eq!(parse_uuid(&text).is_some(), belongs);
        }

        #[test]
        fn another_length_is_refused(
            uuid: [u8; 16],
            at in 0..36_usize,
            more in vec(prop_oneof![Just(b'-'), Just(b'0'), any::<u8>()], 1..40),
        ) {
            let text = text(uuid, 0);
            prop_assert_eq!(parse_uuid(&text[..at]), None);
            let longer = [&text[..at], more.as_slice(), &text[at..]].concat();
            prop_assert_eq!(parse_uuid(&longer), None);
        }
    }

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
