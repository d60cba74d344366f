//! Memory that the caller of a hypercall named by address: the only place that touches it.
//!
//! A real hypervisor answers `EFAULT` where an address is not mapped. A process cannot ask that
//! cheaply, so what is checked here is less: addresses near zero, in the kernel's half, or (after a
//! fork) of a buffer that the parent had; and everything, where the configuration says `strict`.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::abi::domctl::{
    AssignDevice, DomainInfo, Domctl, DomctlUnion, IomemPermission, IoportPermission,
    IrqPermission, SchedulerOp, ShadowOp, VcpuAffinity, VcpuContext, VcpuInfo,
};
use crate::abi::event_channel::{AllocUnbound, Status};
use crate::abi::hvm::Param;
use crate::abi::memory::{ForeignMemoryMap, Reservation};
use crate::abi::sched::RemoteShutdown;
use crate::abi::sysctl::{CpuFeatureset, DebugKeys, GetCpuInfo, ReadConsole, Sysctl, SysctlUnion};
use crate::abi_more::MulticallEntry;
use crate::buffer;
use crate::errno::Ret;

/// Whether only live hypercall buffers are accepted.
static STRICT: AtomicBool = AtomicBool::new(false);

/// The lowest address that a process can map by default.
const LOWEST: u64 = 0x1_0000;
/// The first address that is not the process's own.
const KERNEL: u64 = 0x8000_0000_0000;

/// Types that any bytes are a value of, and that consist of nothing but initialised bytes.
///
/// # Safety
/// Exactly that is promised.
pub unsafe trait Plain: Copy {}

// SAFETY: structures and unions of integers, padding spelled out.
unsafe impl Plain for Sysctl {}
// SAFETY: as above.
unsafe impl Plain for Domctl {}
// SAFETY: as above.
unsafe impl Plain for DomainInfo {}
// SAFETY: as above.
unsafe impl Plain for RemoteShutdown {}
// SAFETY: an integer.
unsafe impl Plain for u16 {}
// SAFETY: an integer.
unsafe impl Plain for u32 {}
// SAFETY: an integer.
unsafe impl Plain for u64 {}

macro_rules! plain {
    ($($name:ident)*) => {
        $(
            // SAFETY: structures and unions of integers, padding spelled out.
            unsafe impl Plain for $name {}
        )*
    };
}

plain! {
    DomctlUnion SysctlUnion
    AssignDevice IomemPermission IoportPermission IrqPermission SchedulerOp ShadowOp VcpuAffinity
    VcpuContext VcpuInfo
    CpuFeatureset DebugKeys GetCpuInfo ReadConsole
    AllocUnbound Status Param ForeignMemoryMap Reservation MulticallEntry
}
// SAFETY: integers.
unsafe impl<const N: usize> Plain for [u32; N] {}
// SAFETY: integers.
unsafe impl<const N: usize> Plain for [u64; N] {}
// SAFETY: integers.
unsafe impl<const N: usize> Plain for [u8; N] {}

/// Sets whether only live hypercall buffers are accepted.
pub fn set_strict(strict: bool) {
    buffer::set_strict(strict);
    STRICT.store(strict, Relaxed);
}

/// Checks that `len` bytes at `addr` can be the caller's.
fn check(addr: u64, len: usize) -> Ret<usize> {
    let end = addr.checked_add(len as u64).ok_or(libc::EFAULT)?;
    if addr < LOWEST || end > KERNEL {
        return Err(libc::EFAULT);
    }
    let addr = addr as usize;
    if STRICT.load(Relaxed) && !buffer::is_live(addr, len) || buffer::was_parents(addr, len) {
        return Err(libc::EFAULT);
    }
    Ok(addr)
}

/// Copies a value from the caller.
pub fn read<T: Plain>(addr: u64) -> Ret<T> {
    let addr = check(addr, size_of::<T>())?;
    // SAFETY: the caller of the hypercall says that a T is there; where it lies, the process faults,
    // as the C ABI allows. Plain allows any bytes, and the read needs no alignment.
    Ok(unsafe { (addr as *const T).read_unaligned() })
}

/// Copies a value to the caller.
pub fn write<T: Plain>(addr: u64, value: &T) -> Ret<()> {
    let addr = check(addr, size_of::<T>())?;
    // SAFETY: as in `read`.
    unsafe { (addr as *mut T).write_unaligned(*value) };
    Ok(())
}

/// Copies bytes to the caller.
pub fn write_bytes(addr: u64, bytes: &[u8]) -> Ret<()> {
    let addr = check(addr, bytes.len())?;
    // SAFETY: as in `read`; the hypervisor's own memory is not the caller's, so they do not overlap.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), addr as *mut u8, bytes.len()) };
    Ok(())
}

/// Copies bytes from the caller.
pub fn read_bytes(addr: u64, len: usize) -> Ret<Vec<u8>> {
    let addr = check(addr, len)?;
    let mut bytes = vec![0; len];
    // SAFETY: as in `write_bytes`.
    unsafe { std::ptr::copy_nonoverlapping(addr as *const u8, bytes.as_mut_ptr(), len) };
    Ok(bytes)
}

/// Checks that an array can be the caller's, without touching it.
pub fn check_array(addr: u64, len: u64, size: usize) -> Ret<()> {
    let bytes = len.checked_mul(size as u64).ok_or(libc::EFAULT)?;
    check(addr, bytes as usize).map(|_| ())
}

/// One operation's argument, out of the union of all.
pub fn arg<U: Plain, T: Plain>(union: &U) -> T {
    assert!(size_of::<T>() <= size_of::<U>(), "no argument is larger than the union");
    // SAFETY: the union is that large, and Plain allows any bytes on both sides.
    unsafe { (&raw const *union).cast::<T>().read_unaligned() }
}

/// Puts one operation's answer into the union of all, leaving the rest of it alone.
pub fn set_arg<U: Plain, T: Plain>(union: &mut U, value: &T) {
    assert!(size_of::<T>() <= size_of::<U>(), "no answer is larger than the union");
    // SAFETY: as in `arg`.
    unsafe { (&raw mut *union).cast::<T>().write_unaligned(*value) }
}

/// An array in the caller's memory, checked once as a whole, written element by element.
pub struct Array<T> {
    base: *mut T,
    len: usize,
}

impl<T: Plain> Array<T> {
    /// `len` elements at `addr`.
    pub fn new(addr: u64, len: usize) -> Ret<Array<T>> {
        let bytes = len.checked_mul(size_of::<T>()).ok_or(libc::EFAULT)?;
        Ok(Array { base: check(addr, bytes)? as *mut T, len })
    }

    /// Copies an element to the caller.
    pub fn set(&mut self, index: usize, value: &T) {
        assert!(index < self.len, "beyond the caller's array");
        // SAFETY: as in `read`; the index is inside.
        unsafe { self.base.add(index).write_unaligned(*value) }
    }
}
