//! `memory_op` (public/memory.h), the same from 4.17 to 4.22.

/// `XENMEM_increase_reservation`.
pub const INCREASE_RESERVATION: u64 = 0;
/// `XENMEM_set_memory_map`.
pub const SET_MEMORY_MAP: u64 = 13;

/// `struct xen_memory_reservation`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reservation {
    /// Address of an array for the frames that were allocated, or zero.
    pub extent_start: u64,
    /// Extents wanted. The hypercall's result is how many were had.
    pub nr_extents: u64,
    /// An extent is 2^`extent_order` pages.
    pub extent_order: u32,
    /// `XENMEMF_*`.
    pub mem_flags: u32,
    /// The domain that is to have them.
    pub domid: u16,
    /// Padding.
    pub pad: [u16; 3],
}

/// `struct xen_foreign_memory_map`, of `SET_MEMORY_MAP`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForeignMemoryMap {
    /// The domain whose map it is to be.
    pub domid: u16,
    /// Padding.
    pub pad0: [u16; 3],
    /// Entries.
    pub nr_entries: u32,
    /// Padding.
    pub pad1: u32,
    /// Address of the entries, an array of [`E820Entry`].
    pub buffer: u64,
}

/// `struct e820entry`, as BIOSes have it (no public header declares it).
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct E820Entry {
    /// First byte.
    pub addr: u64,
    /// Bytes.
    pub size: u64,
    /// `E820_RAM` or another.
    pub kind: u32,
}
const _: () = assert!(size_of::<E820Entry>() == 20);

/// Memory.
pub const E820_RAM: u32 = 1;
