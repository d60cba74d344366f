//! All domains by one answer of the hypervisor's, kept after the hypercall's buffer has gone back.

#![allow(unsafe_code)]

use super::{DomainList, Errno, Error, Result};
use crate::abi::{DOMID_FIRST_RESERVED, DomainHandle, domctl::DomainInfo};
use std::{
    mem::offset_of,
    ptr::{self, NonNull},
    slice,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

/// Words of a record.
const WORDS: usize = size_of::<DomainInfo>() / size_of::<u64>();
/// Words of the longest list.
const ROOM: usize = DOMID_FIRST_RESERVED as usize * WORDS;
const BYTES: usize = ROOM * size_of::<u64>();
/// What the length is after the memory was given back.
const FREED: u32 = u32::MAX;

/// All domains by one answer of the hypervisor's, ascending by domid.
///
/// Any thread may read it while another takes it anew or frees it: that is why its memory is of
/// atomic words, never moves, and is not unmapped before the value is dropped. Address space for
/// every domid is reserved from the start; what is not used costs no memory.
pub struct Snapshot {
    words: NonNull<AtomicU64>,
    length: AtomicU32,
    /// Held while the contents change, for threads that run OCaml code in parallel. Whose turn it
    /// was when they last did.
    changing: Mutex<Turn>,
    /// The turns that were given.
    turns: AtomicU64,
}

/// Where a list stands among those that a snapshot is to have, by when they were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn(u64);

// SAFETY: the words are atomic, and belong to the value.
unsafe impl Send for Snapshot {}
// SAFETY: as above.
unsafe impl Sync for Snapshot {}

impl Snapshot {
    /// One without domains. `ENOMEM` if there is no address space.
    pub fn empty() -> Result<Snapshot> {
        let (protection, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
        );
        // SAFETY: a new mapping touches no memory that is in use.
        let start = unsafe { libc::mmap(ptr::null_mut(), BYTES, protection, flags, -1, 0) };
        match NonNull::new(start.cast::<AtomicU64>()) {
            Some(words) if start != libc::MAP_FAILED => {
                // Where the system has transparent huge pages everywhere, the first domain would
                // cost 2 MiB. Kernels without them refuse, and need not be asked.
                // SAFETY: the mapping that was just made.
                unsafe { libc::madvise(start, BYTES, libc::MADV_NOHUGEPAGE) };
                Ok(Snapshot {
                    words,
                    length: AtomicU32::new(0),
                    changing: Mutex::new(Turn(0)),
                    turns: AtomicU64::new(0),
                })
            }
            _ => Err(Errno::last().into()),
        }
    }

    /// To be had before the hypercall whose list [`replace`](Snapshot::replace) is given.
    pub fn turn(&self) -> Turn {
        Turn(self.turns.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Replaces the contents by those of a list; not where another thread, which asked for its list
    /// later, was faster.
    ///
    /// Where others know the snapshot, its caller sees to it that no process is forked off
    /// meanwhile: that would inherit half of it, and `changing` locked for ever.
    pub fn replace(&self, turn: Turn, list: &DomainList<'_>) -> Result<()> {
        self.store(turn, list.records())
    }

    fn store(&self, turn: Turn, records: &[DomainInfo]) -> Result<()> {
        // SAFETY: plain data of this size and alignment.
        let records = unsafe {
            slice::from_raw_parts(records.as_ptr().cast::<[u64; WORDS]>(), records.len())
        };
        let mut last = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.length.load(Ordering::Relaxed) == FREED {
            return Err(Error::Freed);
        }
        if turn < *last {
            return Ok(());
        }
        *last = turn;
        for (word, new) in self.words().iter().zip(records.as_flattened()) {
            word.store(*new, Ordering::Relaxed);
        }
        self.length.store(records.len() as u32, Ordering::Release);
        Ok(())
    }

    /// Gives the memory back, by a caller as of [`replace`](Snapshot::replace). `Freed` the second
    /// time.
    pub fn free(&self) -> Result<()> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.length.swap(FREED, Ordering::Relaxed) == FREED {
            return Err(Error::Freed);
        }
        // SAFETY: the mapping stays, its contents become zeroes, which a reader that came before
        // may see.
        unsafe { libc::madvise(self.words.as_ptr().cast(), BYTES, libc::MADV_DONTNEED) };
        Ok(())
    }

    /// How many domains there are. `None` after it was freed.
    #[inline]
    pub fn length(&self) -> Option<usize> {
        match self.length.load(Ordering::Acquire) {
            FREED => None,
            length => Some(length as usize),
        }
    }

    /// The domain of a number, counted from 0 in the order of domids, if there is one.
    #[inline]
    pub fn get(&self, index: i64) -> Option<SnapshotDomain<'_>> {
        let index = usize::try_from(index).ok().filter(|&index| Some(index) < self.length())?;
        let words = self.words().get(index * WORDS..)?.first_chunk()?;
        Some(SnapshotDomain { words })
    }

    /// The number of the domain of a domid, by binary search.
    #[inline]
    pub fn find(&self, domid: i64) -> Option<usize> {
        let (mut low, mut high) = (0, self.length()?);
        while low < high {
            let middle = (low + high) / 2;
            match self.get(middle as i64)?.domain().cmp(&u16::try_from(domid).ok()?) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The greatest number below `limit` of a domain with that handle.
    pub fn last_with_handle(&self, handle: DomainHandle, limit: i64) -> Option<usize> {
        let limit = usize::try_from(limit).ok()?.min(self.length()?);
        let has_it = |domain: SnapshotDomain<'_>| domain.handle() == handle;
        (0..limit).rev().find(|&index| self.get(index as i64).is_some_and(has_it))
    }

    #[inline]
    fn words(&self) -> &[AtomicU64] {
        // SAFETY: mapped as long as self lives, zero or written as such words.
        unsafe { slice::from_raw_parts(self.words.as_ptr(), ROOM) }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // SAFETY: mapped with this size, and nobody has a reference.
        unsafe { libc::munmap(self.words.as_ptr().cast(), BYTES) };
    }
}

/// A domain of a snapshot; its fields are those of [`DomainInfo`].
#[derive(Clone, Copy)]
pub struct SnapshotDomain<'s> {
    words: &'s [AtomicU64; WORDS],
}

/// Each reads one word alone.
macro_rules! fields {
    ($($name:ident: $type:ty),* $(,)?) => {$(
        #[doc = concat!("[`DomainInfo::", stringify!($name), "`]")]
        #[inline]
        pub fn $name(self) -> $type {
            const AT: usize = offset_of!(DomainInfo, $name);
            const { assert!(AT % 8 + size_of::<$type>() <= 8, "in one word") };
            (self.word(AT / 8) >> (AT % 8 * 8)) as $type
        }
    )*};
}

impl SnapshotDomain<'_> {
    fields! {
        domain: u16, flags: u32, tot_pages: u64, max_pages: u64, outstanding_pages: u64,
        shr_pages: u64, paged_pages: u64, shared_info_frame: u64, cpu_time: u64,
        nr_online_vcpus: u32, max_vcpu_id: u32, ssidref: u32, cpupool: u32, gpaddr_bits: u8,
    }

    /// [`ArchDomainConfig::emulation_flags`](crate::abi::domctl::ArchDomainConfig)
    #[inline]
    pub fn emulation_flags(self) -> u32 {
        self.word(offset_of!(DomainInfo, arch_config) / 8) as u32
    }

    /// [`ArchDomainConfig::misc_flags`](crate::abi::domctl::ArchDomainConfig)
    #[inline]
    pub fn misc_flags(self) -> u32 {
        (self.word(offset_of!(DomainInfo, arch_config) / 8) >> 32) as u32
    }

    /// [`DomainInfo::handle`]
    #[inline]
    pub fn handle(self) -> DomainHandle {
        const AT: usize = offset_of!(DomainInfo, handle);
        const { assert!(AT % 8 == 4 && size_of::<DomainHandle>() == 16) };
        let [first, second, third] = [0, 1, 2].map(|i| u128::from(self.word(AT / 8 + i)));
        (first >> 32 | second << 32 | third << 96).to_le_bytes()
    }

    /// All of it.
    pub fn info(self) -> DomainInfo {
        let words: [u64; WORDS] = std::array::from_fn(|i| self.word(i));
        // SAFETY: plain data of this size, of which any bytes make a value.
        unsafe { std::mem::transmute(words) }
    }

    #[inline]
    fn word(self, i: usize) -> u64 {
        self.words[i].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{PAGE_SIZE, domctl::ArchDomainConfig};
    use proptest::{
        collection::{btree_set, vec},
        prelude::*,
    };

    fn snapshot(records: &[DomainInfo]) -> Snapshot {
        let snapshot = Snapshot::empty().unwrap();
        snapshot.store(snapshot.turn(), records).unwrap();
        snapshot
    }

    #[test]
    fn every_field_is_read_from_its_place() {
        let info = DomainInfo {
            domain: 0x7FEF,
            pad1: 0xFFFF,
            flags: 0x8765_4321,
            tot_pages: 1 << 63 | 1,
            max_pages: 2,
            outstanding_pages: 3,
            shr_pages: 4,
            paged_pages: 5,
            shared_info_frame: u64::MAX,
            cpu_time: 7,
            nr_online_vcpus: 8,
            max_vcpu_id: u32::MAX,
            ssidref: 10,
            handle: std::array::from_fn(|i| 240 + i as u8),
            cpupool: 11,
            gpaddr_bits: 12,
            pad2: [0xFF; 7],
            arch_config: ArchDomainConfig { emulation_flags: 13, misc_flags: 14 },
        };
        let snapshot = snapshot(&[DomainInfo::default(), info]);
        let domain = snapshot.get(1).unwrap();
        assert_eq!(domain.info(), info);
        assert_eq!((domain.domain(), domain.flags()), (info.domain, info.flags));
        assert_eq!((domain.tot_pages(), domain.max_pages()), (info.tot_pages, info.max_pages));
        assert_eq!((domain.outstanding_pages(), domain.shr_pages()), (3, 4));
        assert_eq!((domain.paged_pages(), domain.shared_info_frame()), (5, u64::MAX));
        assert_eq!((domain.cpu_time(), domain.nr_online_vcpus()), (7, 8));
        assert_eq!((domain.max_vcpu_id(), domain.ssidref()), (u32::MAX, 10));
        assert_eq!((domain.handle(), domain.cpupool()), (info.handle, 11));
        assert_eq!((domain.gpaddr_bits(), domain.emulation_flags()), (12, 13));
        assert_eq!(domain.misc_flags(), 14);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_written_is_read(records in vec(any::<[u64; WORDS]>(), 0..20)) {
            // SAFETY: plain data of this size, of which any bytes make a value.
            let record = |words: &[u64; WORDS]| unsafe { std::mem::transmute(*words) };
            let records: Vec<DomainInfo> = records.iter().map(record).collect();
            let snapshot = snapshot(&records);
            for (i, record) in records.iter().enumerate() {
                prop_assert_eq!(snapshot.get(i as i64).map(SnapshotDomain::info), Some(*record));
            }
            prop_assert!(snapshot.get(records.len() as i64).is_none());
        }

        #[test]
        fn a_domid_is_found_where_it_is(
            domids in btree_set(0..DOMID_FIRST_RESERVED, 0..200),
            others in vec(-2..0x1_0002_i64, 20),
        ) {
            let record = |&domain| DomainInfo { domain, ..DomainInfo::default() };
            let snapshot = snapshot(&domids.iter().map(record).collect::<Vec<_>>());
            for (i, &domid) in domids.iter().enumerate() {
                prop_assert_eq!(snapshot.find(domid.into()), Some(i));
            }
            for other in others {
                let expected = domids.iter().position(|&domid| i64::from(domid) == other);
                prop_assert_eq!(snapshot.find(other), expected);
            }
        }
    }

    #[test]
    fn the_last_below_a_limit_is_found_by_its_handle() {
        let record = |byte: u8| DomainInfo { handle: [byte; 16], ..DomainInfo::default() };
        let snapshot = snapshot(&[7, 8, 7, 9].map(record));
        let last = |byte, limit| snapshot.last_with_handle([byte; 16], limit);
        for (byte, limit, found) in [
            (7, 4, Some(2)),
            (7, 3, Some(2)),
            (7, 2, Some(0)),
            (7, 0, None),
            (7, -1, None),
            (7, i64::MIN, None),
            (9, 4, Some(3)),
            (9, i64::MAX, Some(3)),
            (9, 3, None),
            (0, 5, None),
        ] {
            assert_eq!(last(byte, limit), found, "{byte} below {limit}");
        }
        snapshot.free().unwrap();
        assert_eq!(last(7, 4), None);
    }

    #[test]
    fn a_list_that_was_asked_for_earlier_does_not_replace_a_later_one() {
        let snapshot = Snapshot::empty().unwrap();
        let [first, second] = [snapshot.turn(), snapshot.turn()];
        assert_eq!(snapshot.store(second, &[DomainInfo::default(); 2]), Ok(()));
        assert_eq!(snapshot.store(first, &[DomainInfo::default()]), Ok(()));
        assert_eq!(snapshot.length(), Some(2));
        assert_eq!(snapshot.store(snapshot.turn(), &[]), Ok(()));
        assert_eq!(snapshot.length(), Some(0));
    }

    #[test]
    fn only_what_is_used_costs_memory() {
        let snapshot = snapshot(&[DomainInfo::default()]);
        let mut resident = vec![0; BYTES.div_ceil(PAGE_SIZE)];
        // SAFETY: the snapshot's mapping, and a byte for each of its pages.
        let result =
            unsafe { libc::mincore(snapshot.words.as_ptr().cast(), BYTES, resident.as_mut_ptr()) };
        assert_eq!((result, resident.iter().filter(|&&page| page != 0).count()), (0, 1));
        // Also where the system has huge pages for everything, if it has any. The kernel may show
        // the mapping as one with its neighbours.
        if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
            return;
        }
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let address = snapshot.words.as_ptr() as usize;
        let holds = |line: &&str| {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let number = |text| usize::from_str_radix(text, 16).ok();
            range
                .and_then(|(start, end)| Some(number(start)?..number(end)?))
                .is_some_and(|range| range.contains(&address))
        };
        let mut of_it = maps.lines().skip_while(|line| !holds(line));
        let flags = of_it.find(|line| line.starts_with("VmFlags:")).unwrap();
        assert!(flags.contains(" nh"), "{flags}");
    }

    #[test]
    fn nothing_is_outside_nor_in_what_was_freed() {
        let snapshot = snapshot(&[DomainInfo::default(); 2]);
        assert!(snapshot.get(1).is_some());
        for outside in [2, -1, i64::MAX, i64::MIN, DOMID_FIRST_RESERVED.into()] {
            assert!(snapshot.get(outside).is_none());
        }
        assert_eq!(snapshot.free(), Ok(()));
        assert_eq!(snapshot.free(), Err(Error::Freed));
        assert!(snapshot.get(0).is_none());
        assert_eq!((snapshot.length(), snapshot.find(0)), (None, None));
    }
}
