//! Hypercall-safe memory that lives as long as its handle.
//!
//! Making and undoing a mapping costs more than most hypercalls, so a handle keeps the buffers
//! that it once made. As many exist as calls were ever under way at once on that handle, up to
//! [`Pool::KEPT`].

#![allow(unsafe_code)]

use super::{
    Errno,
    library::{LibXencall, xencall_handle},
};
use crate::abi::PAGE_SIZE;
use std::{
    ffi::c_void,
    ptr::NonNull,
    slice,
    sync::{Mutex, MutexGuard, PoisonError},
};

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
    ///
    /// `T` is plain data, as every type in src/abi is.
    pub fn put<T: Copy>(&mut self, argument: T) -> u64 {
        const { assert!(size_of::<T>() <= Buffer::DATA && align_of::<T>() <= PAGE_SIZE) };
        // SAFETY: it fits, and the start is aligned to a page.
        unsafe { self.start.cast::<T>().write(argument) };
        self.start.as_ptr() as u64
    }

    /// The argument as the hypercall left it.
    ///
    /// # Safety
    /// `T` must have been [`put`](Buffer::put), and any bytes must make a value of it.
    pub unsafe fn get<T: Copy>(&self) -> T {
        // SAFETY: by the contract; aligned as in put.
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

    /// The first `count` records of the data.
    ///
    /// # Safety
    /// Any bytes must make a value of `T`, whose alignment must divide 256.
    ///
    /// # Panics
    /// If they are more than fit.
    pub unsafe fn records<T: Copy>(&self, count: usize) -> &[T] {
        const { assert!(Buffer::DATA % align_of::<T>() == 0) };
        assert!(count <= self.capacity() / size_of::<T>());
        // SAFETY: inside the buffer, initialised (libxencall hands out zeroes), aligned.
        unsafe { slice::from_raw_parts(self.start.add(Buffer::DATA).cast::<T>().as_ptr(), count) }
    }
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

impl Pool {
    /// How many idle buffers are kept.
    const KEPT: usize = 16;
    /// Pages of a new buffer: 290 domains. More than 4, so that libxencall does not keep it in
    /// its own cache after it is freed.
    const FIRST_PAGES: usize = 8;

    /// Takes an idle buffer, or makes one.
    pub fn take(&self, on: Memory, purpose: Purpose) -> Result<Buffer, Errno> {
        let mut idle = self.lock();
        let candidates = idle.iter().enumerate();
        let chosen = match purpose {
            Purpose::Argument => candidates.min_by_key(|(_, b)| b.pages),
            Purpose::Records => candidates.max_by_key(|(_, b)| b.pages),
        };
        if let Some((index, _)) = chosen {
            return Ok(idle.swap_remove(index));
        }
        drop(idle);
        on.allocate(Pool::FIRST_PAGES)
    }

    /// Returns a buffer.
    pub fn give_back(&self, on: Memory, buffer: Buffer) {
        let mut idle = self.lock();
        if idle.len() < Pool::KEPT {
            idle.push(buffer);
        } else {
            drop(idle);
            on.free(buffer);
        }
    }

    /// Exchanges a buffer for one of twice its size, at most `most` bytes of data (and never less
    /// than it had). What it held is lost.
    pub fn grow(&self, on: Memory, buffer: &mut Buffer, most: usize) -> Result<(), Errno> {
        let enough = (Buffer::DATA + most).div_ceil(PAGE_SIZE);
        let pages = (buffer.pages * 2).min(enough).max(buffer.pages);
        let larger = on.allocate(pages)?;
        on.free(std::mem::replace(buffer, larger));
        Ok(())
    }

    /// Frees what is idle, when the handle is closed.
    pub fn clear(&mut self, on: Memory) {
        for buffer in self.idle.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            on.free(buffer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Buffer>> {
        // Nothing can panic between a change's two ends, so a poisoned pool is a sound pool.
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
        let start = unsafe { self.library.xencall_alloc_buffer_pages(self.handle, pages) };
        match NonNull::new(start.cast::<u8>()) {
            Some(start) => Ok(Buffer { start, pages }),
            // libxencall leaves mmap's errno, in any case an allocation failed.
            None => Err(Errno(libc::ENOMEM)),
        }
    }

    fn free(self, buffer: Buffer) {
        let start: *mut c_void = buffer.start.as_ptr().cast();
        // SAFETY: it came from this handle with this size, and the value is gone after this.
        unsafe { self.library.xencall_free_buffer_pages(self.handle, start, buffer.pages) };
    }
}
