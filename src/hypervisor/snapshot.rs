//! All domains at one moment, kept after the hypercall's buffer has gone back.

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

/// All domains at one moment, ascending by domid.
///
/// Any thread may read it while another takes it anew or frees it: that is why its memory is of
/// atomic words, never moves, and is not unmapped before the value is dropped. Address space for
/// every domid is reserved from the start; what is not used costs no memory.
pub struct Snapshot {
    words: NonNull<AtomicU64>,
    length: AtomicU32,
    /// Held while the contents change, for threads that run OCaml code in parallel.
    changing: Mutex<()>,
}

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
                Ok(Snapshot { words, length: AtomicU32::new(0), changing: Mutex::new(()) })
            }
            _ => Err(Errno::last().into()),
        }
    }

    /// Replaces the contents by those of a list.
    ///
    /// Where others know the snapshot, its caller sees to it that no process is forked off
    /// meanwhile: that would inherit half of it, and `changing` locked for ever.
    pub fn replace(&self, list: &DomainList<'_>) -> Result<()> {
        let records = list.records();
        // SAFETY: plain data of this size and alignment.
        let records = unsafe {
            slice::from_raw_parts(records.as_ptr().cast::<[u64; WORDS]>(), records.len())
        };
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.length.load(Ordering::Relaxed) == FREED {
            return Err(Error::Freed);
        }
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
    use crate::abi::domctl::ArchDomainConfig;
    use proptest::{
        collection::{btree_set, vec},
        prelude::*,
    };

    fn snapshot(records: &[DomainInfo]) -> Snapshot {
        let snapshot = Snapshot::empty().unwrap();
        for (i, &record) in records.iter().enumerate() {
            // SAFETY: plain data of this size.
            let words: [u64; WORDS] = unsafe { std::mem::transmute(record) };
            for (j, word) in words.into_iter().enumerate() {
                snapshot.words()[i * WORDS + j].store(word, Ordering::Relaxed);
            }
        }
        snapshot.length.store(records.len() as u32, Ordering::Release);
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
