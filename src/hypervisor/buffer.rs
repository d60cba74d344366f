//! Hypercall-safe memory that lives as long as its handle.
//!
//! Making and undoing a mapping costs more than most hypercalls, so a handle keeps the buffers
//! that it once made. As many exist as calls were ever under way at once on that handle, up to
//! [`Pool::KEPT`] and to [`Pool::MOST_PAGES`].

#![allow(unsafe_code)]

use super::Errno;
use crate::abi::{
    DOMID_FIRST_RESERVED, PAGE_SIZE, domctl, event_channel, hvm, memory, sched, sysctl, version,
};
// The model checker's lock stands in for the real one in a build of its own: see buffer_model.rs.
#[cfg(loom)]
use loom::sync::{Mutex, MutexGuard};
#[cfg(not(loom))]
use std::sync::{Mutex, MutexGuard};
use std::{ffi::c_void, ptr::NonNull, slice, sync::PoisonError};
use xen_libraries::{LibXencall, undisturbed, xencall::xencall_handle};

#[cfg(all(test, loom))]
#[path = "buffer_model.rs"]
mod model;

/// What hypercalls pass.
///
/// # Safety
/// Any bytes, zeroes too, must make a value.
pub unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($type:ty),* $(,)?) => {$(
        // SAFETY: integers, and structures, unions and arrays of integers.
        unsafe impl Plain for $type {}
    )*};
}
plain! {
    u8, u32, u64, domctl::Domctl, domctl::DomainInfo, sysctl::Sysctl, sched::RemoteShutdown,
    sched::Watchdog, event_channel::AllocUnbound, event_channel::Status, event_channel::Reset,
    memory::Reservation, memory::ForeignMemoryMap, memory::E820Entry, hvm::Param,
    version::CompileInfo,
}
// SAFETY: as of its elements.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// Memory that the hypervisor may read and write during a hypercall: an argument, then data.
pub struct Buffer {
    start: NonNull<u8>,
    pages: usize,
}

// SAFETY: a buffer is plain memory that belongs to whoever holds the value.
unsafe impl Send for Buffer {}

impl Buffer {
    /// Where the data begins, after room for the greatest argument.
    const DATA: usize = 256;

    /// Bytes of data that it holds.
    pub fn capacity(&self) -> usize {
        self.pages * PAGE_SIZE - Buffer::DATA
    }

    /// Address of the data, for a hypercall.
    pub fn data(&self) -> u64 {
        // SAFETY: every buffer is longer than DATA.
        unsafe { self.start.add(Buffer::DATA) }.as_ptr() as u64
    }

    /// Puts a hypercall's argument in place and returns its address.
    #[inline(always)]
    pub fn put<T: Plain>(&mut self, argument: T) -> u64 {
        const { assert!(size_of::<T>() <= Buffer::DATA && align_of::<T>() <= PAGE_SIZE) };
        // SAFETY: it fits, and the start is aligned to a page.
        unsafe { self.start.cast::<T>().write(argument) };
        self.start.as_ptr() as u64
    }

    /// The argument as the hypercall left it, where one of this type was [`put`](Buffer::put).
    #[inline(always)]
    pub fn get<T: Plain>(&self) -> T {
        const { assert!(size_of::<T>() <= Buffer::DATA && align_of::<T>() <= PAGE_SIZE) };
        // SAFETY: inside the buffer, initialised (libxencall hands out zeroes), aligned as in put.
        unsafe { self.start.cast::<T>().read() }
    }

    /// Makes the first `length` bytes of the data zero and returns their address.
    ///
    /// # Panics
    /// If they are more than fit.
    pub fn clear_data(&mut self, length: usize) -> u64 {
        assert!(length <= self.capacity());
        // SAFETY: inside the buffer, which is this value's alone.
        unsafe { self.start.add(Buffer::DATA).write_bytes(0, length) };
        self.data()
    }

    /// Copies records to where the data begins and returns their address.
    ///
    /// # Panics
    /// If they are more than fit.
    pub fn put_data<T: Plain>(&mut self, records: &[T]) -> u64 {
        const { assert!(Buffer::DATA % align_of::<T>() == 0) };
        assert!(size_of_val(records) <= self.capacity());
        // SAFETY: inside the buffer, which is this value's alone; aligned.
        unsafe {
            let data = self.start.add(Buffer::DATA).cast::<T>();
            data.as_ptr().copy_from_nonoverlapping(records.as_ptr(), records.len());
        }
        self.data()
    }

    /// The first `count` records of the data.
    ///
    /// # Panics
    /// If they are more than fit.
    pub fn records<T: Plain>(&self, count: usize) -> &[T] {
        const { assert!(Buffer::DATA % align_of::<T>() == 0) };
        assert!(count <= self.capacity() / size_of::<T>());
        // SAFETY: inside the buffer, initialised, aligned.
        unsafe { slice::from_raw_parts(self.start.add(Buffer::DATA).cast::<T>().as_ptr(), count) }
    }

    /// A copy of them; `ENOMEM` where there is no memory for it.
    ///
    /// # Panics
    /// If they are more than fit.
    pub fn copy_records<T: Plain>(&self, count: usize) -> Result<Vec<T>, Errno> {
        collected(self.records(count).iter().copied())
    }
}

/// What an iterator gives, or `ENOMEM`: for what may be of any size.
pub fn collected<T>(items: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>, Errno> {
    let mut vector = Vec::new();
    vector.try_reserve_exact(items.len()).map_err(|_| Errno::ENOMEM)?;
    vector.extend(items);
    Ok(vector)
}

/// The buffers of a handle that no call holds now.
#[derive(Default)]
pub struct Pool {
    idle: Mutex<Vec<Buffer>>,
}

/// What a call wants its buffer for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// An argument and at most the least data.
    Argument,
    /// As many records as may be.
    Records,
}

impl Purpose {
    /// Pages of a new buffer. Lists begin with room for 1167 domains, more than XAPI supports on
    /// a host. More than 4 in any case, so that libxencall does not keep what is freed in a cache
    /// of its own.
    const fn pages(self) -> usize {
        match self {
            Purpose::Argument => 8,
            Purpose::Records => 32,
        }
    }
}

impl Pool {
    /// How many idle buffers are kept.
    const KEPT: usize = 16;

    /// Pages of the largest buffer that is kept: one that the longest list fits into. Only a
    /// console ring and a string of debug keys can be longer.
    const LARGEST: usize = (Buffer::DATA
        + DOMID_FIRST_RESERVED as usize * size_of::<domctl::DomainInfo>())
    .div_ceil(PAGE_SIZE);

    /// Pages of all buffers that are kept: two of the largest, 7 MiB. (Sixteen lists of a thousand
    /// domains at once need 2 MiB.)
    const MOST_PAGES: usize = 2 * Pool::LARGEST;

    /// Takes an idle buffer, or makes one: for records the largest there is, else the smallest.
    pub fn take(&self, on: Memory, purpose: Purpose) -> Result<Buffer, Errno> {
        let mut idle = self.lock();
        let candidates = idle.iter().enumerate();
        let chosen = match purpose {
            Purpose::Argument => candidates.min_by_key(|(_, b)| b.pages),
            Purpose::Records => candidates.max_by_key(|(_, b)| b.pages),
        };
        match chosen {
            Some((index, buffer)) if buffer.pages >= purpose.pages() => {
                return Ok(idle.swap_remove(index));
            }
            _ => drop(idle),
        }
        on.allocate(purpose.pages())
    }

    /// Returns a buffer. What is idle beyond the limits is freed.
    pub fn give_back(&self, on: Memory, buffer: Buffer) {
        if buffer.pages > Pool::LARGEST {
            return on.free(buffer);
        }
        let mut idle = self.lock();
        idle.push(buffer);
        while let Some(index) = Pool::surplus(&idle) {
            let surplus = idle.swap_remove(index);
            drop(idle);
            on.free(surplus);
            idle = self.lock();
        }
    }

    /// Which idle buffer is to go, if one is. Of too many it is the smallest. Of too many pages it
    /// is the second largest: the largest is the next list's, the small ones are other calls'.
    fn surplus(idle: &[Buffer]) -> Option<usize> {
        let pages = |index: &usize| idle[*index].pages;
        if idle.len() > Pool::KEPT {
            return (0..idle.len()).min_by_key(pages);
        }
        if idle.iter().map(|buffer| buffer.pages).sum::<usize>() <= Pool::MOST_PAGES {
            return None;
        }
        let largest = (0..idle.len()).max_by_key(pages)?;
        (0..idle.len()).filter(|&index| index != largest).max_by_key(pages)
    }

    /// Frees what is idle, when the handle is closed.
    pub fn clear(&mut self, on: Memory) {
        for buffer in self.idle.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            on.free(buffer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Buffer>> {
        // Nothing can panic between a change's two ends, so a poisoned pool is a sound pool. A
        // forked process, which could have inherited the lock taken, has a pool of its own.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where buffers come from: an open libxencall handle.
#[derive(Clone, Copy)]
pub struct Memory {
    library: &'static LibXencall,
    handle: *mut xencall_handle,
}

impl Memory {
    /// # Safety
    /// `handle` must be open, and stay so while this value and its buffers are in use.
    pub unsafe fn new(library: &'static LibXencall, handle: *mut xencall_handle) -> Memory {
        Memory { library, handle }
    }

    fn allocate(self, pages: usize) -> Result<Buffer, Errno> {
        // SAFETY: the handle is open.
        let start =
            undisturbed(|| unsafe { self.library.xencall_alloc_buffer_pages(self.handle, pages) });
        match NonNull::new(start.cast::<u8>()) {
            Some(start) => Ok(Buffer { start, pages }),
            // libxencall leaves mmap's errno, in any case an allocation failed.
            None => Err(Errno(libc::ENOMEM)),
        }
    }

    /// Exchanges a buffer for one of twice its size, at most `most` bytes of data (and never less
    /// than it had). What it held is lost.
    pub fn grow(self, buffer: &mut Buffer, most: usize) -> Result<(), Errno> {
        let enough = (Buffer::DATA + most).div_ceil(PAGE_SIZE);
        let pages = (buffer.pages * 2).min(enough).max(buffer.pages);
        let larger = self.allocate(pages)?;
        self.free(std::mem::replace(buffer, larger));
        Ok(())
    }

    fn free(self, buffer: Buffer) {
        let start: *mut c_void = buffer.start.as_ptr().cast();
        // SAFETY: it came from this handle with this size, and the value is gone after this.
        undisturbed(|| unsafe {
            self.library.xencall_free_buffer_pages(self.handle, start, buffer.pages);
        });
    }
}
