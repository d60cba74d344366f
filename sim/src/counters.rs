//! Counters: what a program did, for tests, benchmarks and the report at exit.
//!
//! They belong to the process, not to the simulated hypervisor: replacing the hypervisor keeps
//! them. Each is one relaxed atomic, so that counting costs next to nothing.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::ops::Kind;

static CALLS: [AtomicU64; Kind::COUNT] = [const { AtomicU64::new(0) }; Kind::COUNT];

/// A counter that is not the number of calls of a [`Kind`].
pub struct Counter {
    name: &'static str,
    /// A state rather than a number of events: a reset leaves it alone.
    gauge: bool,
    value: AtomicU64,
}

impl Counter {
    const fn new(name: &'static str, gauge: bool) -> Counter {
        Counter { name, gauge, value: AtomicU64::new(0) }
    }

    /// Adds, and gives the new value.
    pub fn add(&self, n: u64) -> u64 {
        self.value.fetch_add(n, Relaxed).wrapping_add(n)
    }

    /// Subtracts.
    pub fn sub(&self, n: u64) {
        self.value.fetch_sub(n, Relaxed);
    }

    /// The value.
    pub fn get(&self) -> u64 {
        self.value.load(Relaxed)
    }
}

/// Hypercall buffers handed out, from a handle's cache or freshly mapped.
pub static BUFFER_ALLOCATIONS: Counter = Counter::new("buffer_allocations", false);
/// Hypercall buffers given back.
pub static BUFFER_FREES: Counter = Counter::new("buffer_frees", false);
/// Mappings made for hypercall buffers.
pub static MAPPINGS: Counter = Counter::new("mappings", false);
/// Such mappings undone.
pub static UNMAPPINGS: Counter = Counter::new("unmappings", false);
/// Bytes mapped for hypercall buffers now.
pub static MAPPED_BYTES: Counter = Counter::new("mapped_bytes", true);
/// The most that `mapped_bytes` has been.
pub static MAPPED_BYTES_PEAK: Counter = Counter::new("mapped_bytes_peak", false);
/// Handles open now, of all three libraries.
pub static HANDLES: Counter = Counter::new("handles", true);

/// Foreign mappings made.
pub static FOREIGN_MAPPINGS: Counter = Counter::new("foreign_mappings", false);
/// Foreign mappings undone by libxenforeignmemory.
pub static FOREIGN_UNMAPPINGS: Counter = Counter::new("foreign_unmappings", false);
/// Pages of all foreign mappings made.
pub static FOREIGN_PAGES: Counter = Counter::new("foreign_pages", false);

static OTHERS: [&Counter; 10] = [
    &BUFFER_ALLOCATIONS,
    &BUFFER_FREES,
    &MAPPINGS,
    &UNMAPPINGS,
    &MAPPED_BYTES,
    &MAPPED_BYTES_PEAK,
    &HANDLES,
    &FOREIGN_MAPPINGS,
    &FOREIGN_UNMAPPINGS,
    &FOREIGN_PAGES,
];

/// Counts one call.
pub fn count(kind: Kind) {
    CALLS[kind.index()].fetch_add(1, Relaxed);
}

/// Notes that a mapping was made.
pub fn mapped(bytes: usize) {
    MAPPINGS.add(1);
    let now = MAPPED_BYTES.add(bytes as u64);
    MAPPED_BYTES_PEAK.value.fetch_max(now, Relaxed);
}

/// Notes that a mapping was undone.
pub fn unmapped(bytes: usize) {
    UNMAPPINGS.add(1);
    MAPPED_BYTES.sub(bytes as u64);
}

/// The value of a counter, by its name.
pub fn get(name: &str) -> Option<u64> {
    let other = OTHERS.iter().find(|c| c.name == name).map(|c| c.get());
    other.or_else(|| Kind::from_name(name).map(|kind| CALLS[kind.index()].load(Relaxed)))
}

/// Sets every number of events to zero; `mapped_bytes_peak` to what is mapped now.
pub fn reset() {
    for counter in &CALLS {
        counter.store(0, Relaxed);
    }
    for counter in OTHERS.iter().filter(|c| !c.gauge) {
        counter.value.store(0, Relaxed);
    }
    MAPPED_BYTES_PEAK.value.store(MAPPED_BYTES.get(), Relaxed);
}

/// Every counter that is not zero, as lines "name value".
pub fn text() -> String {
    let mut text = String::new();
    let calls = Kind::all().map(|(kind, name)| (name, CALLS[kind.index()].load(Relaxed)));
    let others = OTHERS.iter().map(|c| (c.name.to_owned(), c.get()));
    for (name, value) in calls.chain(others).filter(|&(_, value)| value != 0) {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{name} {value}");
    }
    text
}
