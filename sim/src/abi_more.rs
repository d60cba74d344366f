//! Numbers and layouts of hypercalls that the simulator knows beyond those of [`crate::abi`]
//! (Xen's public headers; alike in 4.17 to 4.22).

/// `domctl` (public/domctl.h).
pub mod domctl {
    /// `XEN_DOMCTL_get_paging_mempool_size`: a u64, in bytes.
    pub const GET_PAGING_MEMPOOL_SIZE: u32 = 85;
    /// `XEN_DOMCTL_set_paging_mempool_size`: a u64, in bytes.
    pub const SET_PAGING_MEMPOOL_SIZE: u32 = 86;
    /// `XEN_DOMCTL_SHADOW_OP_OFF`.
    pub const SHADOW_OP_OFF: u32 = 0;
}

/// `sched_op` (public/sched.h).
pub mod sched {
    /// `SCHEDOP_shutdown`: takes a u32, the reason.
    pub const SHUTDOWN: u64 = 2;
    /// `SCHEDOP_shutdown_code`: takes the same.
    pub const SHUTDOWN_CODE: u64 = 5;
}

/// `memory_op` (public/memory.h).
pub mod memory {
    /// `XENMEM_decrease_reservation`.
    pub const DECREASE_RESERVATION: u64 = 1;
    /// `XENMEM_maximum_ram_page`.
    pub const MAXIMUM_RAM_PAGE: u64 = 2;
    /// `XENMEM_current_reservation`: takes a domid.
    pub const CURRENT_RESERVATION: u64 = 3;
    /// `XENMEM_maximum_reservation`: takes a domid.
    pub const MAXIMUM_RESERVATION: u64 = 4;
    /// `XENMEM_populate_physmap`.
    pub const POPULATE_PHYSMAP: u64 = 6;
    /// `XENMEM_maximum_gpfn`: takes a domid.
    pub const MAXIMUM_GPFN: u64 = 14;
    /// Size of an `e820entry`, which is packed.
    pub const E820_ENTRY: usize = 20;
}

/// `__HYPERVISOR_multicall` (public/xen.h).
pub const HYPERVISOR_MULTICALL: u32 = 13;

/// `struct multicall_entry` (public/xen.h).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MulticallEntry {
    /// Number of the hypercall.
    pub op: u64,
    /// Its answer, or an errno below zero.
    pub result: u64,
    /// Its arguments.
    pub args: [u64; 6],
}

/// `DOMID_SELF` (public/xen.h).
pub const DOMID_SELF: u16 = 0x7FF0;
/// `DOMID_IO` (public/xen.h).
pub const DOMID_IO: u16 = 0x7FF1;
/// `DOMID_INVALID` (public/xen.h).
pub const DOMID_INVALID: u16 = 0x7FF4;
