//! The hypercall ABI: numbers and layouts, per interface version. Pure data.
//!
//! Source: Xen's public headers (`xen/include/public/*.h`), releases 4.17 to 4.22, x86-64. Where a
//! release is installed at build time, `installed.rs` asserts these layouts against it.
//!
//! Nothing here makes a call and nothing here knows OCaml.

#[cfg(not(target_arch = "x86_64"))]
compile_error!("the layouts in src/abi are those of x86-64");

pub mod domctl;
pub mod event_channel;
pub mod hvm;
pub mod memory;
pub mod release;
pub mod sched;
pub mod sysctl;
pub mod version;

/// Number of the hypercall `memory_op` (`__HYPERVISOR_memory_op`, xen.h).
pub const HYPERVISOR_MEMORY_OP: u32 = 12;
/// Number of the hypercall `xen_version` (`__HYPERVISOR_xen_version`, xen.h).
pub const HYPERVISOR_XEN_VERSION: u32 = 17;
/// Number of the hypercall `sched_op` (`__HYPERVISOR_sched_op`, xen.h).
pub const HYPERVISOR_SCHED_OP: u32 = 29;
/// Number of the hypercall `event_channel_op` (`__HYPERVISOR_event_channel_op`, xen.h).
pub const HYPERVISOR_EVENT_CHANNEL_OP: u32 = 32;
/// Number of the hypercall `hvm_op` (`__HYPERVISOR_hvm_op`, xen.h).
pub const HYPERVISOR_HVM_OP: u32 = 34;
/// Number of the hypercall `sysctl` (`__HYPERVISOR_sysctl`, xen.h).
pub const HYPERVISOR_SYSCTL: u32 = 35;
/// Number of the hypercall `domctl` (`__HYPERVISOR_domctl`, xen.h).
pub const HYPERVISOR_DOMCTL: u32 = 36;

/// The first domid that no ordinary domain has (`DOMID_FIRST_RESERVED`, xen.h), hence also the
/// greatest number of domains that one host can hold.
pub const DOMID_FIRST_RESERVED: u16 = 0x7FF0;
/// "Allocate one" in `XEN_DOMCTL_createdomain` from 4.22 on (`DOMID_ANY`, xen.h). Earlier releases
/// allocate for any value that is 0 or not below [`DOMID_FIRST_RESERVED`].
pub const DOMID_ANY: u16 = 0x7FF5;

/// Size in bytes of a page, the unit of `tot_pages` and its like.
pub const PAGE_SIZE: usize = 4096;

/// A domain handle, by convention the UUID of its VM (`xen_domain_handle_t`, xen.h).
pub type DomainHandle = [u8; 16];
