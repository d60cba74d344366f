//! A domain's memory.

use super::{Domid, Handle, domain::Kib, permissions::Frame};
use crate::abi::PAGE_SIZE;
use runtime::{Argument, Exception, Val, export, int, unlocked};
use xenmmap_stubs::Mapped;

/// KiB whose bytes a 64-bit number holds.
pub struct KibOfBytes {
    bytes: u64,
}

impl Argument for KibOfBytes {
    fn read(value: Val<'_>) -> Result<KibOfBytes, Exception> {
        let Kib(kib) = Kib::read(value)?;
        kib.checked_mul(1024)
            .map(|bytes| KibOfBytes { bytes })
            .ok_or_else(|| Exception::Invalid(format!("memory: {kib} KiB is out of range")))
    }
}

/// An allocation for page tables, in MiB. The hypervisor counts its pages in 32 bits.
pub struct Mib(u32);

impl Argument for Mib {
    fn read(value: Val<'_>) -> Result<Mib, Exception> {
        const MOST: u32 = u32::MAX / (1 << 20 >> PAGE_SIZE.trailing_zeros());
        match int(value, "shadow allocation")? {
            mib @ 0..=MOST => Ok(Mib(mib)),
            mib => Err(Exception::Invalid(format!("shadow allocation: {mib} MiB is out of range"))),
        }
    }
}

/// Bytes to map, as many as the `int` that a mapping keeps can say.
pub struct Length(i32);

impl Argument for Length {
    fn read(value: Val<'_>) -> Result<Length, Exception> {
        match int(value, "size")? {
            length @ 1.. => Ok(Length(length)),
            length => Err(Exception::Invalid(format!("size: {length} is out of range"))),
        }
    }
}

export! {
    /// `shadow_allocation_set : handle -> domid -> int -> unit`
    ///
    /// Sets how much memory a domain has for its shadow or HAP page tables, in MiB.
    ///
    /// `Invalid_argument` outside 0..16777215. `Error`: `EINVAL` where the domain has no vCPU yet,
    /// is dying, is the caller's own, or has neither kind; `ENOMEM` where the host has not enough
    /// memory (what was added until then stays) or more is in use than asked for.
    ///
    /// Hypercall: `XEN_DOMCTL_shadow_op` (`SHADOW_OP_SET_ALLOCATION`).
    fn stub_shadow_allocation_set(handle: Handle, domid: Domid, mib: Mib) -> () {
        Ok(unlocked(|| handle.domain_set_shadow_allocation(domid.0, mib.0))?)
    }

    /// `shadow_allocation_get : handle -> domid -> int`
    ///
    /// How much memory a domain has for its shadow or HAP page tables, in MiB, rounded up.
    ///
    /// `Error`: `EINVAL` as of `shadow_allocation_set`.
    ///
    /// Hypercall: `XEN_DOMCTL_shadow_op` (`SHADOW_OP_GET_ALLOCATION`).
    fn stub_shadow_allocation_get(handle: Handle, domid: Domid) -> u32 {
        Ok(unlocked(|| handle.domain_shadow_allocation(domid.0))?)
    }

    /// `domain_set_memmap_limit : handle -> domid -> int64 -> unit`
    ///
    /// Sets the memory map that a guest asks the hypervisor for: RAM from address 0 on, so many
    /// KiB.
    ///
    /// `Invalid_argument` for a negative number, and from 2^54 KiB on.
    ///
    /// Hypercall: `XENMEM_set_memory_map`.
    fn stub_xc_domain_set_memmap_limit(handle: Handle, domid: Domid, limit: KibOfBytes) -> () {
        Ok(unlocked(|| handle.domain_set_memory_map(domid.0, limit.bytes))?)
    }

    /// `domain_memory_increase_reservation : handle -> domid -> int64 -> unit`
    ///
    /// Gives a domain more memory, in KiB, rounded down to pages.
    ///
    /// `Invalid_argument` for a negative number. `Error`: `ENOMEM` where it did not get all of
    /// it, for want of memory or because of its limit; what it got stays.
    ///
    /// Hypercall: `XENMEM_increase_reservation`.
    fn stub_xc_domain_memory_increase_reservation(
        handle: Handle, domid: Domid, memory: Kib,
    ) -> () {
        let pages = memory.0 / (PAGE_SIZE as u64 / 1024);
        Ok(unlocked(|| handle.domain_increase_reservation(domid.0, pages))?)
    }

    /// `map_foreign_range : handle -> domid -> int -> nativeint -> Xenmmap.mmap_interface`
    ///
    /// Maps so many bytes of a domain's memory, to be read and written, from the page frame of
    /// the given number on (of a PV domain a machine frame, of an HVM domain a guest frame). Whole
    /// pages are mapped; the mapping's length is the one asked for. It lasts until
    /// `Xenmmap.unmap`, also when the handle is closed or collected.
    ///
    /// `Invalid_argument` for a size outside 1..2147483647 and for a negative frame.
    /// `Failure "xc_map_foreign_range error: reason"` where it cannot be mapped.
    ///
    /// Hypercalls: none directly; libxenforeignmemory has the kernel make them.
    fn stub_map_foreign_range(
        handle: Handle, domid: Domid, length: Length, first: Frame,
    ) -> Mapped {
        let Length(length) = length;
        let address =
            unlocked(|| handle.map_foreign_range(domid.0, length as usize, first.0))?;
        Ok(Mapped { address, length, read_only: false })
    }
}
