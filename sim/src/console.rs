//! The hypervisor's console ring.

use crate::abi::sysctl::{DebugKeys, ReadConsole};
use crate::config::Config;
use crate::errno::Ret;
use crate::guest;

/// The debug keys that write something, and what they write.
const KEYS: [(u8, &str); 14] = [
    (b'0', "dumping Dom0's registers"),
    (b'a', "dumping timer queues"),
    (b'c', "printing ACPI Cx structures"),
    (b'd', "dumping registers"),
    (b'e', "dumping event-channel info"),
    (b'g', "grant table usage"),
    (b'h', "showing installed handlers"),
    (b'i', "dumping interrupt bindings"),
    (b'm', "physical memory information"),
    (b'n', "nmi statistics"),
    (b'q', "dumping domain info"),
    (b'r', "dumping run queues"),
    (b't', "display multi-cpu clock info"),
    (b'u', "dumping numa info"),
];

/// Reads a text in which `\n`, `\c` and `\\` stand for a new line, a comma and a backslash.
pub fn unescape(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                'c' => ',',
                '\\' => '\\',
                _ => return None,
            },
            c => c,
        });
    }
    Some(plain)
}

/// A ring of a power of two of bytes. Positions are counted modulo 2^32 and only ever grow.
#[derive(Debug)]
pub struct Console {
    ring: Vec<u8>,
    /// Where the text begins that is still there.
    consumed: u32,
    /// Where it ends.
    produced: u32,
}

impl Console {
    /// A host's console after its boot.
    pub fn new(config: &Config) -> Console {
        // The hypervisor's own choice.
        let size = (config.cpus << 11).max(16384);
        let size = 1 << size.ilog2();
        let mut console = Console { ring: vec![0; size], consumed: 0, produced: 0 };
        let (major, minor) = (config.version.major, config.version.minor);
        console.print(&format!("(XEN) Xen version {major}.{minor} (xensim@example.org)\n"));
        console.print(&format!("(XEN) Allocated console ring of {} KiB.\n", size >> 10));
        console.print(&format!("(XEN) Brought up {} CPUs\n", config.cpus));
        let line = "(XEN) Lines like this one fill the console ring until it is full enough.\n";
        let fill = line.bytes().cycle().take(config.console_fill as usize);
        fill.for_each(|byte| console.put(byte));
        console.print(&config.console);
        console
    }

    fn put(&mut self, byte: u8) {
        let size = self.ring.len() as u32;
        self.ring[(self.produced & (size - 1)) as usize] = byte;
        self.produced = self.produced.wrapping_add(1);
        if self.produced.wrapping_sub(self.consumed) > size {
            self.consumed = self.produced.wrapping_sub(size);
        }
    }

    /// Adds text.
    pub fn print(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.put(byte));
    }

    /// `XEN_SYSCTL_readconsole`.
    pub fn read(&mut self, op: &mut ReadConsole) -> Ret<()> {
        let (mut c, p, index) = (self.consumed, self.produced, op.index);
        let inside = match c <= p {
            true => c < index && index <= p,
            false => c < index || index <= p,
        };
        if op.incremental != 0 && inside {
            c = index;
        }
        let there = p.wrapping_sub(c).min(op.count);
        let mask = self.ring.len() as u32 - 1;
        let text: Vec<u8> =
            (0..there).map(|i| self.ring[(c.wrapping_add(i) & mask) as usize]).collect();
        if there != 0 {
            guest::write_bytes(op.buffer, &text)?;
        }
        c = c.wrapping_add(there);
        if op.clear != 0 {
            self.consumed = c;
        }
        (op.count, op.index) = (there, c);
        Ok(())
    }

    /// `XEN_SYSCTL_debug_keys`: each key that means something answers on the console.
    pub fn keys(&mut self, op: &DebugKeys) -> Ret<()> {
        for i in 0..op.nr_keys {
            let [key]: [u8; 1] = guest::read(op.keys.wrapping_add(i.into()))?;
            if let Some((_, text)) = KEYS.iter().find(|(known, _)| *known == key) {
                self.print(&format!("(XEN) '{}' pressed -> {text}\n", char::from(key)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{abi::release::Release, tests::simulate};
    use proptest::{collection::vec, prelude::*};

    #[derive(Clone, Debug)]
    enum Step {
        Print(String),
        Read { count: u32, clear: bool, from: Option<i32> },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            "[ -~]{0,40}".prop_map(Step::Print),
            (0..100_u32, any::<bool>(), any::<Option<i8>>()).prop_map(|(count, clear, from)| {
                Step::Read { count, clear, from: from.map(i32::from) }
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Against all that was ever printed, whose positions do not wrap.
        #[test]
        fn the_ring_holds_the_end_of_what_was_printed(
            start in prop_oneof![Just(0), any::<u32>(), u32::MAX - 200..=u32::MAX],
            steps in vec(step(), 0..60),
        ) {
            // One that lets any memory be written, while no other test has another.
            let _sim = simulate(Release::V4_20, "");
            let ring = vec![0; 64];
            let mut console = Console { ring, consumed: start, produced: start };
            let (mut printed, mut consumed) = (Vec::new(), 0);
            for step in steps {
                match step {
                    Step::Print(text) => {
                        console.print(&text);
                        printed.extend(text.bytes());
                        consumed = consumed.max(printed.len().saturating_sub(64));
                    }
                    Step::Read { count, clear, from } => {
                        let mut buffer = vec![0; count as usize];
                        // From a position near what is there, or from what is left.
                        let index = from.map(|from| printed.len() as i64 + i64::from(from));
                        let mut op = ReadConsole {
                            buffer: buffer.as_mut_ptr() as u64,
                            count,
                            clear: clear.into(),
                            incremental: from.is_some().into(),
                            index: start.wrapping_add(index.unwrap_or(0) as u32),
                            ..ReadConsole::default()
                        };
                        prop_assert_eq!(console.read(&mut op), Ok(()));
                        let first = index
                            .and_then(|index| usize::try_from(index).ok())
                            .filter(|&index| consumed < index && index <= printed.len())
                            .unwrap_or(consumed);
                        let expected = &printed[first..];
                        let expected = &expected[..expected.len().min(count as usize)];
                        buffer.truncate(op.count as usize);
                        prop_assert_eq!(&buffer, expected);
                        let end = first + expected.len();
                        prop_assert_eq!(op.index, start.wrapping_add(end as u32));
                        if clear {
                            consumed = end;
                        }
                    }
                }
            }
        }
    }
}
