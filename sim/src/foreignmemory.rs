//! The C ABI of libxenforeignmemory.
//!
//! Domains' pages can be mapped, as a dom0 does it through privcmd: each frame succeeds or fails by
//! itself. Resources (grant tables, I/O request pages) cannot: `EOPNOTSUPP`.

use std::ffi::{c_int, c_uint, c_ulong, c_void};
use std::ptr::null_mut;

use crate::abi::PAGE_SIZE;
use crate::counters;
use crate::errno::Ret;
use crate::exports::{close, export, open};
use crate::foreign;
use crate::frames::Ranges;
use crate::hypervisor::{self, CALLER, Hypervisor};
use crate::ops::Kind;

/// A handle of libxenforeignmemory.
pub struct ForeignMemoryHandle {
    /// Handles differ in their addresses; they hold nothing yet.
    _nothing: u8,
}

/// Maps a resource, which is not simulated.
fn resource() -> Ret<*mut c_void> {
    counters::count(Kind::MAP);
    hypervisor::enter(&[Kind::MAP])?;
    Err(libc::EOPNOTSUPP)
}

/// What happens to each frame that a program wants to map: which frame of the file it is, or the
/// error.
fn outcomes(hv: &Hypervisor, domid: u16, frames: &[u64]) -> Vec<Ret<u64>> {
    let all = |errno: i32| vec![Err(errno); frames.len()];
    if hv.privileged(Kind::MAP) == Err(libc::EPERM) {
        return all(libc::EPERM);
    }
    // No domain is foreign to itself.
    let Some(place) = hv.domains.find(domid).filter(|_| domid != CALLER) else {
        return all(libc::ESRCH);
    };
    if let Err(errno) = hv.privileged(Kind::MAP) {
        return all(errno);
    }
    let (record, state) = (hv.domains.info(place, 0), hv.domains.state(place));
    let outcome = |known: &Ranges| {
        let outcome = |&frame: &u64| if known.has(frame) { Ok(frame) } else { Err(libc::EINVAL) };
        frames.iter().map(outcome).collect()
    };
    hv.frames.ask(&record, state, outcome)
}

/// Maps pages of a domain. Without an array for errors, one frame that fails fails all.
///
/// # Safety
/// `arr`, and `err` unless it is NULL, have `pages` elements; what is at `addr` with `MAP_FIXED` may
/// be replaced.
unsafe fn map(
    dom: u32,
    place: (*mut c_void, c_int, c_int),
    pages: usize,
    arr: *const u64,
    err: *mut c_int,
) -> Ret<*mut c_void> {
    counters::count(Kind::MAP);
    let mut hv = hypervisor::enter(&[Kind::MAP])?;
    if pages == 0 || pages > isize::MAX as usize / PAGE_SIZE {
        return Err(if pages == 0 { libc::EINVAL } else { libc::ENOMEM });
    }
    if arr.is_null() {
        return Err(libc::EFAULT);
    }
    // The kernel's interface has 16 bits for it.
    let domid = dom as u16;
    // SAFETY: the caller's promise.
    let frames = unsafe { std::slice::from_raw_parts(arr, pages) };
    let outcomes = outcomes(&hv, domid, frames);
    if err.is_null() {
        if let Some(&errno) = outcomes.iter().find_map(|outcome| outcome.as_ref().err()) {
            return Err(errno);
        }
    } else {
        for (i, outcome) in outcomes.iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { err.add(i).write(outcome.err().map_or(0, |errno| -errno)) };
        }
    }
    let frames: Vec<Option<u64>> = outcomes.into_iter().map(Result::ok).collect();
    let base = hv.foreign.map(domid, place, &frames)?;
    counters::FOREIGN_MAPPINGS.add(1);
    counters::FOREIGN_PAGES.add(frames.iter().flatten().count() as u64);
    Ok(base)
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
            close()?;
        }
        Ok(0)
    })
}

/// Maps pages of a domain.
///
/// # Safety
/// As libxenforeignmemory asks: the arrays have `pages` elements; `err` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xenforeignmemory_map(
    _fmem: *mut ForeignMemoryHandle,
    dom: u32,
    prot: c_int,
    pages: usize,
    arr: *const u64,
    err: *mut c_int,
) -> *mut c_void {
    // SAFETY: the caller's promise.
    export(null_mut(), || unsafe { map(dom, (null_mut(), prot, 0), pages, arr, err) })
}

/// Maps pages of a domain, at an address.
///
/// # Safety
/// As libxenforeignmemory asks: the arrays have `pages` elements; `err` may be NULL; what is at the
/// address may be replaced if the flags say so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xenforeignmemory_map2(
    _fmem: *mut ForeignMemoryHandle,
    dom: u32,
    addr: *mut c_void,
    prot: c_int,
    flags: c_int,
    pages: usize,
    arr: *const u64,
    err: *mut c_int,
) -> *mut c_void {
    // SAFETY: the caller's promise.
    export(null_mut(), || unsafe { map(dom, (addr, prot, flags), pages, arr, err) })
}

/// Undoes a mapping.
///
/// # Safety
/// As libxenforeignmemory asks: the pages are not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xenforeignmemory_unmap(
    _fmem: *mut ForeignMemoryHandle,
    addr: *mut c_void,
    pages: usize,
) -> c_int {
    export(-1, || {
        // SAFETY: the caller's promise.
        unsafe { foreign::unmap(addr, pages) }?;
        counters::FOREIGN_UNMAPPINGS.add(1);
        Ok(0)
    })
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
    export(null_mut(), resource)
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
    export(-1, || resource().map(|_| 0))
}
