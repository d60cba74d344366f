//! `domctl`: operations on one domain (public/domctl.h).

use super::DomainHandle;

/// `XEN_DOMCTL_createdomain`.
pub const CREATEDOMAIN: u32 = 1;
/// `XEN_DOMCTL_destroydomain`.
pub const DESTROYDOMAIN: u32 = 2;
/// `XEN_DOMCTL_pausedomain`.
pub const PAUSEDOMAIN: u32 = 3;
/// `XEN_DOMCTL_unpausedomain`.
pub const UNPAUSEDOMAIN: u32 = 4;
/// `XEN_DOMCTL_getdomaininfo`.
pub const GETDOMAININFO: u32 = 5;
/// `XEN_DOMCTL_max_mem`.
pub const MAX_MEM: u32 = 11;
/// `XEN_DOMCTL_max_vcpus`.
pub const MAX_VCPUS: u32 = 15;
/// `XEN_DOMCTL_setdomainhandle`.
pub const SETDOMAINHANDLE: u32 = 17;

/// A command that no release defines: refused with `EACCES` where the interface version is wrong,
/// with another error where it is right.
pub const NO_COMMAND: u32 = 0;

/// `struct xen_domctl`: what every domctl passes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Domctl {
    /// Which operation.
    pub cmd: u32,
    /// `XEN_DOMCTL_INTERFACE_VERSION` of the hypervisor.
    pub interface_version: u32,
    /// The domain operated on; also an answer of `CREATEDOMAIN` and `GETDOMAININFO`.
    pub domain: u16,
    /// Padding, zero.
    pub pad: [u16; 3],
    /// The operation's argument.
    pub u: DomctlUnion,
}

/// The argument of a domctl.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DomctlUnion {
    /// Of `CREATEDOMAIN`.
    pub createdomain: CreateDomain,
    /// Of `CREATEDOMAIN` before 4.19.
    pub createdomain_4_17: CreateDomain417,
    /// Of `GETDOMAININFO`.
    pub getdomaininfo: DomainInfo,
    /// Of `MAX_MEM`, in KiB.
    pub max_memkb: u64,
    /// Of `MAX_VCPUS`.
    pub max_vcpus: u32,
    /// Of `SETDOMAINHANDLE`.
    pub handle: DomainHandle,
    /// The union's size in every release.
    pub pad: [u64; 16],
}

impl DomctlUnion {
    /// Zeroes: the argument of an operation that has none, and where every other begins.
    pub const NONE: DomctlUnion = DomctlUnion { pad: [0; 16] };
}

/// `struct xen_arch_domainconfig` (public/arch-x86/xen.h).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArchDomainConfig {
    /// `XEN_X86_EMU_*`.
    pub emulation_flags: u32,
    /// `XEN_X86_MSR_RELAXED`.
    pub misc_flags: u32,
}

/// Every `XEN_X86_EMU_*` (public/arch-x86/xen.h).
pub const X86_EMU_ALL: u32 = 0x7FF;
/// Every bit of `misc_flags`: `XEN_X86_MSR_RELAXED`.
pub const X86_MISC_ALL: u32 = 0x1;
/// Every `XEN_DOMCTL_IOMMU_*`.
pub const IOMMU_ALL: u32 = 0x1;
/// `XEN_DOMCTL_GRANT_version_mask`: the greatest grant table version that can be written.
pub const GRANT_VERSION_MASK: u32 = 0xF;

/// `struct xen_domctl_createdomain` since 4.19 (domctl 0x17 and 0x18).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreateDomain {
    /// XSM label.
    pub ssidref: u32,
    /// UUID.
    pub handle: DomainHandle,
    /// `XEN_DOMCTL_CDF_*`.
    pub flags: u32,
    /// `XEN_DOMCTL_IOMMU_*`.
    pub iommu_opts: u32,
    /// Number of vCPUs.
    pub max_vcpus: u32,
    /// Greatest event channel port; from 2^31 on: no limit.
    pub max_evtchn_port: u32,
    /// Grant table frames; below 0: the hypervisor's default.
    pub max_grant_frames: i32,
    /// Maptrack frames; below 0: the hypervisor's default.
    pub max_maptrack_frames: i32,
    /// Grant table version in the low 4 bits.
    pub grant_opts: u32,
    /// `XEN_DOMCTL_ALTP2M_*`; since 4.21 in the low 16 bits, the number of altp2ms above them.
    pub altp2m: u32,
    /// Trace buffer per vCPU, in bytes.
    pub vmtrace_size: u32,
    /// CPU pool.
    pub cpupool_id: u32,
    /// Architecture's part.
    pub arch: ArchDomainConfig,
}

/// `struct xen_domctl_createdomain` of 4.17 and 4.18 (domctl 0x15 and 0x16).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreateDomain417 {
    /// XSM label.
    pub ssidref: u32,
    /// UUID.
    pub handle: DomainHandle,
    /// `XEN_DOMCTL_CDF_*`.
    pub flags: u32,
    /// `XEN_DOMCTL_IOMMU_*`.
    pub iommu_opts: u32,
    /// Number of vCPUs.
    pub max_vcpus: u32,
    /// Greatest event channel port; from 2^31 on: no limit.
    pub max_evtchn_port: u32,
    /// Grant table frames; below 0: the hypervisor's default.
    pub max_grant_frames: i32,
    /// Maptrack frames; below 0: the hypervisor's default.
    pub max_maptrack_frames: i32,
    /// Grant table version in the low 4 bits.
    pub grant_opts: u32,
    /// Trace buffer per vCPU, in bytes.
    pub vmtrace_size: u32,
    /// CPU pool.
    pub cpupool_id: u32,
    /// Architecture's part.
    pub arch: ArchDomainConfig,
}

/// `struct xen_domctl_getdomaininfo`, the same from 4.16 to 4.22.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DomainInfo {
    /// Domid.
    pub domain: u16,
    /// Padding.
    pub pad1: u16,
    /// `DOMINF_*`, and the shutdown code above [`DOMINF_SHUTDOWN_SHIFT`].
    pub flags: u32,
    /// Memory that the domain has, in pages.
    pub tot_pages: u64,
    /// Memory that it may have, in pages.
    pub max_pages: u64,
    /// Memory claimed and not yet allocated, in pages.
    pub outstanding_pages: u64,
    /// Shared pages.
    pub shr_pages: u64,
    /// Paged-out pages.
    pub paged_pages: u64,
    /// Guest frame of the shared info page.
    pub shared_info_frame: u64,
    /// CPU time that all its vCPUs ran, in nanoseconds.
    pub cpu_time: u64,
    /// vCPUs online.
    pub nr_online_vcpus: u32,
    /// Greatest vCPU number; [`INVALID_MAX_VCPU_ID`] without vCPUs.
    pub max_vcpu_id: u32,
    /// XSM label.
    pub ssidref: u32,
    /// UUID.
    pub handle: DomainHandle,
    /// CPU pool.
    pub cpupool: u32,
    /// Width of its physical addresses, in bits.
    pub gpaddr_bits: u8,
    /// Padding.
    pub pad2: [u8; 7],
    /// Architecture's part.
    pub arch_config: ArchDomainConfig,
}

/// `XEN_DOMINF_dying`: destroyed, not yet freed.
pub const DOMINF_DYING: u32 = 1 << 0;
/// `XEN_DOMINF_hvm_guest`.
pub const DOMINF_HVM_GUEST: u32 = 1 << 1;
/// `XEN_DOMINF_shutdown`.
pub const DOMINF_SHUTDOWN: u32 = 1 << 2;
/// `XEN_DOMINF_paused`: by the toolstack.
pub const DOMINF_PAUSED: u32 = 1 << 3;
/// `XEN_DOMINF_blocked`: every online vCPU waits for an event.
pub const DOMINF_BLOCKED: u32 = 1 << 4;
/// `XEN_DOMINF_running`: some vCPU is on a pCPU.
pub const DOMINF_RUNNING: u32 = 1 << 5;
/// `XEN_DOMINF_xs_domain`.
pub const DOMINF_XS_DOMAIN: u32 = 1 << 7;
/// `XEN_DOMINF_hap`.
pub const DOMINF_HAP: u32 = 1 << 8;
/// `XEN_DOMINF_shutdownshift`.
pub const DOMINF_SHUTDOWN_SHIFT: u32 = 16;
/// `XEN_DOMINF_shutdownmask`; also the shutdown code of a domain that has not shut down.
pub const DOMINF_SHUTDOWN_MASK: u32 = 0xFF;
/// `XEN_INVALID_MAX_VCPU_ID`.
pub const INVALID_MAX_VCPU_ID: u32 = u32::MAX;
