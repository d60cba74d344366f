//! A domain's memory.

#![allow(unsafe_code)]

use super::{Errno, Result, Xen, buffer::Purpose};
use crate::abi::{
    domctl::{self, DomctlUnion, ShadowOp},
    memory::{self, E820Entry, ForeignMemoryMap, Reservation},
};

impl Xen {
    /// Sets the memory map that an HVM guest is given: RAM from address 0 on, so many bytes.
    /// Hypercall: `XENMEM_set_memory_map`.
    pub fn domain_set_memory_map(&self, domid: u16, bytes: u64) -> Result<()> {
        let map = [E820Entry { addr: 0, size: bytes, kind: memory::E820_RAM }];
        let mut lease = self.lease(Purpose::Argument)?;
        let argument = ForeignMemoryMap {
            domid,
            nr_entries: map.len() as u32,
            buffer: lease.put_data(&map),
            ..ForeignMemoryMap::default()
        };
        self.memory_op(&mut lease, memory::SET_MEMORY_MAP, argument).map(drop)
    }

    /// Gives a domain more memory, in pages; fails with `ENOMEM` where it did not get all of
    /// them. Hypercall: `XENMEM_increase_reservation`.
    pub fn domain_increase_reservation(&self, domid: u16, pages: u64) -> Result<()> {
        let mut lease = self.lease(Purpose::Argument)?;
        let argument = Reservation { nr_extents: pages, domid, ..Reservation::default() };
        let had = self.memory_op(&mut lease, memory::INCREASE_RESERVATION, argument)?;
        if had == pages { Ok(()) } else { Err(Errno::ENOMEM.into()) }
    }

    /// Sets how much memory a domain's shadow or HAP page tables have, in MiB. Hypercall:
    /// `XEN_DOMCTL_shadow_op`.
    pub fn domain_set_shadow_allocation(&self, domid: u16, mib: u32) -> Result<()> {
        self.shadow_op(domid, domctl::SHADOW_OP_SET_ALLOCATION, mib).map(drop)
    }

    /// How much memory a domain's shadow or HAP page tables have, in MiB, rounded up. Hypercall:
    /// `XEN_DOMCTL_shadow_op`.
    pub fn domain_shadow_allocation(&self, domid: u16) -> Result<u32> {
        self.shadow_op(domid, domctl::SHADOW_OP_GET_ALLOCATION, 0)
    }

    fn shadow_op(&self, domid: u16, op: u32, mb: u32) -> Result<u32> {
        let mut u = DomctlUnion::NONE;
        u.shadow_op = ShadowOp { op, mb, ..ShadowOp::default() };
        let answer = self.domctl(domctl::SHADOW_OP, domid, u)?;
        // SAFETY: every member of the union is plain integers.
        Ok(unsafe { answer.u.shadow_op }.mb)
    }
}
