//! Hypercall buffers, in what they do and about what they cost like those of libxencall 4.17 to
//! 4.22 with `/dev/xen/hypercall`, which Linux has since 4.18.
//!
//! Every allocation zeroes all of its pages. Buffers of one page are kept when freed, four per
//! handle; all others are mapped, present from the start, kept out of children, and unmapped again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::abi::PAGE_SIZE;
use crate::counters;
use crate::errno::Ret;

/// Pages that one handle keeps for the next allocation.
const CACHE_SIZE: usize = 4;

/// What stands before the memory that `xencall_alloc_buffer` gives: how many pages it has.
#[repr(C)]
struct Header {
    nr_pages: i32,
    pad: [i32; 3],
}

/// Mapped buffers, by address.
#[derive(Default)]
struct Registry {
    mapped: BTreeMap<usize, Mapped>,
    /// Those that the process's parent had when it forked: addresses and ends.
    parents: BTreeMap<usize, usize>,
    strict: bool,
}

struct Mapped {
    bytes: usize,
    /// Handed out; kept up in strict mode only, where it decides.
    live: bool,
}

static REGISTRY: Mutex<Registry> =
    Mutex::new(Registry { mapped: BTreeMap::new(), parents: BTreeMap::new(), strict: false });

/// Whether this process is a child whose parent had buffers.
static FORKED: AtomicBool = AtomicBool::new(false);

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A handle's freed pages.
#[derive(Default)]
pub struct Cache(Mutex<Vec<usize>>);

impl Cache {
    fn pages(&self) -> MutexGuard<'_, Vec<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unmaps the freed pages. Needs no lock: the handle is going away.
    pub fn release(&mut self) {
        let pages = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        for page in pages.drain(..) {
            unmap(page, 1);
        }
    }
}

/// Tells the registry that a cached page is handed out, or is not any more.
fn set_live(page: usize, live: bool) {
    let mut registry = registry();
    if registry.strict {
        if let Some(mapped) = registry.mapped.get_mut(&page) {
            mapped.live = live;
        }
    }
}

/// Follows the configuration. Buffers that are mapped now count as handed out.
pub fn set_strict(strict: bool) {
    let mut registry = registry();
    registry.strict = strict;
    registry.mapped.values_mut().for_each(|mapped| mapped.live = true);
}

/// Whether these bytes lie in one buffer that is handed out.
pub fn is_live(addr: usize, len: usize) -> bool {
    let registry = registry();
    let before = registry.mapped.range(..=addr).next_back();
    before.is_some_and(|(start, mapped)| mapped.live && addr + len <= start + mapped.bytes)
}

/// Whether these bytes were in a buffer of the parent, which the child does not have.
pub fn was_parents(addr: usize, len: usize) -> bool {
    if !FORKED.load(Relaxed) {
        return false;
    }
    let registry = registry();
    let before = registry.parents.range(..addr + len.max(1)).next_back();
    let overlaps = before.is_some_and(|(_, &end)| end > addr);
    drop(registry);
    overlaps && !is_live(addr, len)
}

/// Allocates whole pages, zeroed.
pub fn alloc_pages(cache: &Cache, nr_pages: usize) -> Ret<NonNull<u8>> {
    let cached = if nr_pages == 1 { cache.pages().pop() } else { None };
    let addr = match cached {
        Some(page) => {
            set_live(page, true);
            page
        }
        None => map(nr_pages)?,
    };
    let buffer = NonNull::new(addr as *mut u8).ok_or(libc::ENOMEM)?;
    // SAFETY: `map` gave that many pages, and nobody else has them.
    unsafe { buffer.write_bytes(0, nr_pages * PAGE_SIZE) };
    counters::BUFFER_ALLOCATIONS.add(1);
    Ok(buffer)
}

/// Frees whole pages.
pub fn free_pages(cache: &Cache, addr: usize, nr_pages: usize) {
    counters::BUFFER_FREES.add(1);
    if nr_pages == 1 {
        let mut pages = cache.pages();
        if pages.len() < CACHE_SIZE {
            pages.push(addr);
            drop(pages);
            set_live(addr, false);
            return;
        }
    }
    unmap(addr, nr_pages);
}

/// Allocates bytes, zeroed, behind a header.
pub fn alloc(cache: &Cache, size: usize) -> Ret<NonNull<u8>> {
    let whole = size.checked_add(size_of::<Header>()).ok_or(libc::ENOMEM)?;
    let nr_pages = whole.div_ceil(PAGE_SIZE);
    let header = Header { nr_pages: nr_pages.try_into().map_err(|_| libc::ENOMEM)?, pad: [0; 3] };
    let buffer = alloc_pages(cache, nr_pages)?.cast::<Header>();
    // SAFETY: fresh memory of at least one page, aligned to one.
    unsafe {
        buffer.write(header);
        Ok(buffer.add(1).cast())
    }
}

/// Frees what [`alloc`] gave.
///
/// # Safety
/// It did give it, and it has not been freed.
pub unsafe fn free(cache: &Cache, buffer: NonNull<u8>) {
    // SAFETY: the header stands before the bytes that were given.
    let header = unsafe { buffer.cast::<Header>().sub(1) };
    // SAFETY: as above.
    let nr_pages = unsafe { header.as_ref() }.nr_pages;
    free_pages(cache, header.addr().get(), nr_pages as usize);
}

/// Maps memory that is present and kept out of children. The device does the latter by itself; it
/// is a system call here.
fn map(nr_pages: usize) -> Ret<usize> {
    let bytes = nr_pages.checked_mul(PAGE_SIZE).ok_or(libc::ENOMEM)?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
    let addr = unsafe { libc::mmap(std::ptr::null_mut(), bytes, prot, flags, -1, 0) };
    if addr == libc::MAP_FAILED {
        return Err(last_errno());
    }
    // SAFETY: the mapping just made.
    if unsafe { libc::madvise(addr, bytes, libc::MADV_DONTFORK) } != 0 {
        let errno = last_errno();
        // SAFETY: the mapping just made, which nobody else knows.
        unsafe { libc::munmap(addr, bytes) };
        return Err(errno);
    }
    registry().mapped.insert(addr as usize, Mapped { bytes, live: true });
    counters::mapped(bytes);
    Ok(addr as usize)
}

/// Undoes [`map`]. What the registry does not know is left alone: a buffer of the parent's, or
/// something that never was a buffer.
fn unmap(addr: usize, nr_pages: usize) {
    let mut registry = registry();
    let known = registry.mapped.get(&addr).is_some_and(|m| m.bytes / PAGE_SIZE == nr_pages);
    if !known {
        let strict = registry.strict;
        drop(registry);
        if strict && !was_parents(addr, 1) {
            eprintln!("xensim: freed {addr:#x}, which is no hypercall buffer of {nr_pages} pages");
        }
        return;
    }
    registry.mapped.remove(&addr);
    drop(registry);
    let bytes = nr_pages * PAGE_SIZE;
    let errno = last_errno();
    // SAFETY: a mapping of `map`'s, as the registry said, which no longer knows it.
    unsafe { libc::munmap(addr as *mut _, bytes) };
    // Callers free buffers between a hypercall and looking at its errno.
    set_errno(errno);
    counters::unmapped(bytes);
}

/// The calling thread's errno.
pub fn last_errno() -> i32 {
    // SAFETY: always a valid pointer.
    unsafe { *libc::__errno_location() }
}

/// Sets the calling thread's errno.
pub fn set_errno(errno: i32) {
    // SAFETY: always a valid pointer.
    unsafe { *libc::__errno_location() = errno }
}

thread_local! {
    static HELD: RefCell<Option<MutexGuard<'static, Registry>>> = const { RefCell::new(None) };
}

/// Before a fork: nobody is changing the registry.
pub fn before_fork() {
    let guard = registry();
    HELD.with(|held| held.replace(Some(guard)));
}

/// After a fork, in the parent.
pub fn after_fork_in_parent() {
    HELD.with(std::cell::RefCell::take);
}

/// After a fork, in the child: it has none of the buffers.
pub fn after_fork_in_child() {
    if let Some(mut registry) = HELD.with(std::cell::RefCell::take) {
        let mapped = std::mem::take(&mut registry.mapped);
        FORKED.store(FORKED.load(Relaxed) || !mapped.is_empty(), Relaxed);
        for (start, Mapped { bytes, .. }) in mapped {
            registry.parents.insert(start, start + bytes);
            counters::MAPPED_BYTES.sub(bytes as u64);
        }
    }
}
