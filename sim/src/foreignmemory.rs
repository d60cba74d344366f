//! The C ABI of libxenforeignmemory.
//!
//! Handles open and close. There is no guest memory yet: mapping fails with `EOPNOTSUPP`. What will
//! simulate it belongs into `map`, which all ways of mapping come to.

use std::ffi::{c_int, c_uint, c_ulong, c_void};
use std::ptr::null_mut;

use crate::counters;
use crate::errno::Ret;
use crate::exports::{export, open};
use crate::hypervisor;
use crate::ops::Kind;

/// A handle of libxenforeignmemory.
pub struct ForeignMemoryHandle {
    /// Handles differ in their addresses; they hold nothing yet.
    _nothing: u8,
}

/// Maps pages of a domain.
fn map() -> Ret<*mut c_void> {
    counters::count(Kind::MAP);
    hypervisor::enter(&[Kind::MAP])?;
    Err(libc::EOPNOTSUPP)
}

/// Opens a handle.
#[unsafe(no_mangle)]
pub extern "C" fn xenforeignmemory_open(
    _logger: *mut c_void,
    _flags: c_uint,
) -> *mut ForeignMemoryHandle {
    export(null_mut(), || {
        open()?;
        counters::HANDLES.add(1);
        Ok(Box::into_raw(Box::new(ForeignMemoryHandle { _nothing: 0 })))
    })
}

/// Closes a handle; NULL is none.
///
/// # Safety
/// As libxenforeignmemory asks: the handle is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xenforeignmemory_close(fmem: *mut ForeignMemoryHandle) -> c_int {
    export(-1, || {
        if !fmem.is_null() {
            // SAFETY: it came from `xenforeignmemory_open`'s Box, and the caller gives it up.
            drop(unsafe { Box::from_raw(fmem) });
            counters::HANDLES.sub(1);
        }
        Ok(0)
    })
}

/// Maps pages of a domain.
#[unsafe(no_mangle)]
pub extern "C" fn xenforeignmemory_map(
    _fmem: *mut ForeignMemoryHandle,
    _dom: u32,
    _prot: c_int,
    _pages: usize,
    _arr: *const u64,
    _err: *mut c_int,
) -> *mut c_void {
    export(null_mut(), map)
}

/// Maps pages of a domain, at an address.
#[unsafe(no_mangle)]
pub extern "C" fn xenforeignmemory_map2(
    _fmem: *mut ForeignMemoryHandle,
    _dom: u32,
    _addr: *mut c_void,
    _prot: c_int,
    _flags: c_int,
    _pages: usize,
    _arr: *const u64,
    _err: *mut c_int,
) -> *mut c_void {
    export(null_mut(), map)
}

/// Undoes a mapping, of which there is none.
#[unsafe(no_mangle)]
pub extern "C" fn xenforeignmemory_unmap(
    _fmem: *mut ForeignMemoryHandle,
    _addr: *mut c_void,
    _pages: usize,
) -> c_int {
    export(-1, || Err(libc::EINVAL))
}

/// Restricts a handle to a domain.
#[unsafe(no_mangle)]
pub extern "C" fn xenforeignmemory_restrict(_fmem: *mut ForeignMemoryHandle, _domid: u16) -> c_int {
    export(-1, || Err(libc::EOPNOTSUPP))
}

/// Maps a resource of a domain.
#[unsafe(no_mangle)]
pub extern "C" fn xenforeignmemory_map_resource(
    _fmem: *mut ForeignMemoryHandle,
    _domid: u16,
    _type: c_uint,
    _id: c_uint,
    _frame: c_ulong,
    _nr_frames: c_ulong,
    _paddr: *mut *mut c_void,
    _prot: c_int,
    _flags: c_int,
) -> *mut c_void {
    export(null_mut(), map)
}

/// Undoes the mapping of a resource, of which there is none.
#[unsafe(no_mangle)]
pub extern "C" fn xenforeignmemory_unmap_resource(
    _fmem: *mut ForeignMemoryHandle,
    _fres: *mut c_void,
) -> c_int {
    export(-1, || Err(libc::EINVAL))
}

/// The size of a resource.
#[unsafe(no_mangle)]
pub extern "C" fn xenforeignmemory_resource_size(
    _fmem: *mut ForeignMemoryHandle,
    _domid: u16,
    _type: c_uint,
    _id: c_uint,
    _size: *mut usize,
) -> c_int {
    export(-1, || map().map(|_| 0))
}
