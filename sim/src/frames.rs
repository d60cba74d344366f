//! Which frames of a domain have memory behind them.
//!
//! A translated guest (HVM, PVH) has its memory where firmware expects it: from 0 to the hole below
//! 4 GiB, the rest above; its special pages are below 0xFF000. A PV guest's frame N is its N-th page:
//! machine frames are not simulated.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::abi::domctl::DomainInfo;
use crate::domain::State;
use crate::population::NO_FRAME;

/// Where the hole for devices begins, and where it ends.
const HOLE: Range<u64> = 0xF_0000..0x10_0000;
/// Pages that guest and emulators share.
const SPECIAL: Range<u64> = 0xF_EFF0..0xF_F000;

/// Ranges that do not touch, ascending: beginnings and ends.
#[derive(Clone, Debug, Default)]
pub struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// The end of the range that a number is in.
    fn end(&self, number: u64) -> Option<u64> {
        self.0.range(..=number).next_back().map(|(_, &end)| end).filter(|&end| number < end)
    }

    /// Whether a number is in any.
    pub fn has(&self, number: u64) -> bool {
        self.end(number).is_some()
    }

    /// The greatest number.
    pub fn last(&self) -> Option<u64> {
        self.0.last_key_value().map(|(_, &end)| end - 1)
    }

    /// Removes the numbers of a range.
    pub fn remove(&mut self, range: Range<u64>) {
        if let Some((&start, &end)) = self.0.range(..range.start).next_back() {
            if end > range.start {
                self.0.insert(start, range.start);
                if end > range.end {
                    self.0.insert(range.end, end);
                }
            }
        }
        let inside: Vec<(u64, u64)> =
            self.0.range(range.clone()).map(|(&start, &end)| (start, end)).collect();
        for (start, end) in inside {
            self.0.remove(&start);
            if end > range.end {
                self.0.insert(range.end, end);
            }
        }
    }

    /// Adds the numbers of a range.
    pub fn add(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        self.remove(range.clone());
        let mut merged = range.clone();
        if let Some((&start, &end)) = self.0.range(..range.start).next_back() {
            if end == range.start {
                merged.start = start;
            }
        }
        if let Some(end) = self.0.remove(&range.end) {
            merged.end = end;
        }
        self.0.insert(merged.start, merged.end);
    }

    /// How many numbers there are.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(start, end)| end - start).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a guest has whose frames nobody changed.
fn initial(record: &DomainInfo, state: &State) -> Ranges {
    let mut ranges = Ranges::default();
    if state.dying {
        return ranges;
    }
    let pages = record.tot_pages;
    if state.hvm {
        ranges.add(0..pages.min(HOLE.start));
        ranges.add(HOLE.end..HOLE.end + pages.saturating_sub(HOLE.start));
        if pages != 0 {
            ranges.add(SPECIAL);
        }
    } else {
        ranges.add(0..pages);
    }
    if record.shared_info_frame != NO_FRAME {
        ranges.add(record.shared_info_frame..record.shared_info_frame + 1);
    }
    ranges
}

/// The frames of the domains that a program changed.
#[derive(Debug, Default)]
pub struct Table(BTreeMap<u16, Ranges>);

impl Table {
    /// The domain is gone.
    pub fn forget(&mut self, domid: u16) {
        self.0.remove(&domid);
    }

    /// A domain's frames, to be changed; its record and state must be those from before the change.
    pub fn of(&mut self, record: &DomainInfo, state: &State) -> &mut Ranges {
        self.0.entry(record.domain).or_insert_with(|| initial(record, state))
    }

    /// Asks about a domain's frames.
    pub fn ask<T>(
        &self,
        record: &DomainInfo,
        state: &State,
        question: impl FnOnce(&Ranges) -> T,
    ) -> T {
        match self.0.get(&record.domain) {
            Some(ranges) if !state.dying => question(ranges),
            _ => question(&initial(record, state)),
        }
    }

    /// Whether a domain has a frame.
    pub fn has(&self, record: &DomainInfo, state: &State, frame: u64) -> bool {
        self.ask(record, state, |ranges| ranges.has(frame))
    }
}
