//! Pages of domains that the program maps.
//!
//! Each domain that was ever mapped has a file in memory, in which frame N is page N: two mappings of
//! a frame see the same bytes, and a frame that nobody wrote is zero. What the program has mapped is
//! read from the kernel's list of its mappings, as it may undo them with a plain `munmap`. A domain
//! that is destroyed while pages of it are mapped stays, dying, until none is.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, c_int, c_void};
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::abi::PAGE_SIZE;
use crate::buffer::last_errno;
use crate::errno::Ret;

/// A domain's pages.
#[derive(Debug)]
struct File {
    fd: OwnedFd,
    /// What the kernel calls it in the list of mappings.
    name: String,
    pages: u64,
}

/// The domains' pages.
#[derive(Debug, Default)]
pub struct Table {
    files: BTreeMap<u16, File>,
    /// Domains that were destroyed and that a mapping holds.
    held: BTreeSet<u16>,
}

impl File {
    fn new(domid: u16) -> Ret<File> {
        // No two files of a process have the same name, whatever hypervisor they belong to.
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let name = format!("xensim-{}-d{domid}", SERIAL.fetch_add(1, Relaxed));
        let c_name = CString::new(name.as_str()).map_err(|_| libc::EINVAL)?;
        // SAFETY: a string that ends.
        let fd = unsafe { libc::memfd_create(c_name.as_ptr(), libc::MFD_CLOEXEC) };
        if fd < 0 {
            return Err(last_errno());
        }
        // SAFETY: a descriptor that was just opened and that nobody else knows.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(File { fd, name: format!("/memfd:{name} (deleted)"), pages: 0 })
    }

    /// Sees to it that the file has these pages.
    fn reach(&mut self, pages: u64) -> Ret<()> {
        if pages > self.pages {
            let bytes = i64::try_from(pages * PAGE_SIZE as u64).map_err(|_| libc::ENOMEM)?;
            // SAFETY: changes the length of this file alone.
            if unsafe { libc::ftruncate(self.fd.as_raw_fd(), bytes) } != 0 {
                return Err(last_errno());
            }
            self.pages = pages;
        }
        Ok(())
    }
}

/// Pages of a file that the process has mapped, by the file's name; a page mapped twice counts once.
fn mapped(name: &str) -> u64 {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut ranges = crate::frames::Ranges::default();
    for line in maps.lines().filter(|line| line.ends_with(name)) {
        // Addresses, permissions, offset, device, inode, name.
        let mut fields = line.split_ascii_whitespace();
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        let addresses = fields.next().and_then(|range| range.split_once('-'));
        let size = addresses.and_then(|(start, end)| Some(hex(end)? - hex(start)?));
        let offset = fields.nth(1).and_then(hex);
        if let (Some(size), Some(offset)) = (size, offset) {
            ranges.add((offset >> 12)..((offset + size) >> 12));
        }
    }
    ranges.len()
}

impl Table {
    /// How many pages of a domain are mapped.
    pub fn mapped(&self, domid: u16) -> u64 {
        self.files.get(&domid).map_or(0, |file| mapped(&file.name))
    }

    /// The domain is destroyed, and stays until nothing of it is mapped.
    pub fn hold(&mut self, domid: u16) {
        self.held.insert(domid);
    }

    /// The domain is gone.
    pub fn forget(&mut self, domid: u16) {
        self.files.remove(&domid);
        self.held.remove(&domid);
    }

    /// Domains that nothing holds any more.
    pub fn released(&self) -> Vec<u16> {
        self.held.iter().copied().filter(|&domid| self.mapped(domid) == 0).collect()
    }

    /// Whether any domain is held.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Maps a run of a domain's frames at a reserved address.
    fn map_run(&mut self, domid: u16, addr: *mut c_void, prot: c_int, run: Range<u64>) -> Ret<()> {
        let file = match self.files.entry(domid) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(File::new(domid)?),
        };
        file.reach(run.end)?;
        let bytes = (run.end - run.start) as usize * PAGE_SIZE;
        let offset = (run.start * PAGE_SIZE as u64) as i64;
        let (fd, flags) = (file.fd.as_raw_fd(), libc::MAP_SHARED | libc::MAP_FIXED);
        // SAFETY: the place was reserved for exactly this by `reserve`.
        if unsafe { libc::mmap(addr, bytes, prot, flags, fd, offset) } == libc::MAP_FAILED {
            return Err(last_errno());
        }
        // A child has none of it, as with the real one; if that fails, it has.
        // SAFETY: the mapping just made.
        unsafe { libc::madvise(addr, bytes, libc::MADV_DONTFORK) };
        Ok(())
    }

    /// Maps frames of a domain one behind the other, `None` where there is nothing to map: touching
    /// such a page kills the process.
    pub fn map(
        &mut self,
        domid: u16,
        (addr, prot, flags): (*mut c_void, c_int, c_int),
        frames: &[Option<u64>],
    ) -> Ret<*mut c_void> {
        let base = reserve(addr, flags, frames.len())?;
        let mut i = 0;
        while i < frames.len() {
            let Some(first) = frames[i] else {
                i += 1;
                continue;
            };
            let follow = (first..).zip(&frames[i..]).take_while(|(n, frame)| **frame == Some(*n));
            let count = follow.count();
            let at = base.wrapping_byte_add(i * PAGE_SIZE);
            if let Err(errno) = self.map_run(domid, at, prot, first..first + count as u64) {
                // SAFETY: what `reserve` made, which nobody else knows.
                unsafe { unmap(base, frames.len()) }?;
                return Err(errno);
            }
            i += count;
        }
        Ok(base)
    }
}

/// Reserves addresses.
fn reserve(addr: *mut c_void, flags: c_int, pages: usize) -> Ret<*mut c_void> {
    let bytes = pages.checked_mul(PAGE_SIZE).ok_or(libc::ENOMEM)?;
    let flags = flags & !libc::MAP_SHARED | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: where the caller of the C ABI wants it (with MAP_FIXED), or at an address of the
    // kernel's choice.
    let base = unsafe { libc::mmap(addr, bytes, libc::PROT_NONE, flags, -1, 0) };
    if base == libc::MAP_FAILED { Err(last_errno()) } else { Ok(base) }
}

/// Undoes a mapping.
///
/// # Safety
/// The caller gives up what is there.
pub unsafe fn unmap(addr: *mut c_void, pages: usize) -> Ret<()> {
    let bytes = pages.checked_mul(PAGE_SIZE).ok_or(libc::EINVAL)?;
    // SAFETY: the caller's promise.
    if unsafe { libc::munmap(addr, bytes) } != 0 { Err(last_errno()) } else { Ok(()) }
}
