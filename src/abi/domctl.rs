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
/// `XEN_DOMCTL_setvcpuaffinity`.
pub const SETVCPUAFFINITY: u32 = 9;
/// `XEN_DOMCTL_shadow_op`.
pub const SHADOW_OP: u32 = 10;
/// `XEN_DOMCTL_max_mem`.
pub const MAX_MEM: u32 = 11;
/// `XEN_DOMCTL_setvcpucontext`.
pub const SETVCPUCONTEXT: u32 = 12;
/// `XEN_DOMCTL_getvcpucontext`.
pub const GETVCPUCONTEXT: u32 = 13;
/// `XEN_DOMCTL_getvcpuinfo`.
pub const GETVCPUINFO: u32 = 14;
/// `XEN_DOMCTL_max_vcpus`.
pub const MAX_VCPUS: u32 = 15;
/// `XEN_DOMCTL_scheduler_op`.
pub const SCHEDULER_OP: u32 = 16;
/// `XEN_DOMCTL_setdomainhandle`.
pub const SETDOMAINHANDLE: u32 = 17;
/// `XEN_DOMCTL_irq_permission`.
pub const IRQ_PERMISSION: u32 = 19;
/// `XEN_DOMCTL_iomem_permission`.
pub const IOMEM_PERMISSION: u32 = 20;
/// `XEN_DOMCTL_ioport_permission`.
pub const IOPORT_PERMISSION: u32 = 21;
/// `XEN_DOMCTL_getvcpuaffinity`.
pub const GETVCPUAFFINITY: u32 = 25;
/// `XEN_DOMCTL_resumedomain`.
pub const RESUMEDOMAIN: u32 = 27;
/// `XEN_DOMCTL_get_address_size`.
pub const GET_ADDRESS_SIZE: u32 = 36;
/// `XEN_DOMCTL_assign_device`.
pub const ASSIGN_DEVICE: u32 = 37;
/// `XEN_DOMCTL_test_assign_device`.
pub const TEST_ASSIGN_DEVICE: u32 = 45;
/// `XEN_DOMCTL_deassign_device`.
pub const DEASSIGN_DEVICE: u32 = 47;

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
    /// Of `SETVCPUAFFINITY` and `GETVCPUAFFINITY`.
    pub vcpuaffinity: VcpuAffinity,
    /// Of `SHADOW_OP`.
    pub shadow_op: ShadowOp,
    /// Of `MAX_MEM`, in KiB.
    pub max_memkb: u64,
    /// Of `SETVCPUCONTEXT` and `GETVCPUCONTEXT`.
    pub vcpucontext: VcpuContext,
    /// Of `GETVCPUINFO`.
    pub getvcpuinfo: VcpuInfo,
    /// Of `MAX_VCPUS`.
    pub max_vcpus: u32,
    /// Of `SCHEDULER_OP`.
    pub scheduler_op: SchedulerOp,
    /// Of `SETDOMAINHANDLE`.
    pub handle: DomainHandle,
    /// Of `IRQ_PERMISSION`.
    pub irq_permission: IrqPermission,
    /// Of `IOMEM_PERMISSION`.
    pub iomem_permission: IomemPermission,
    /// Of `IOPORT_PERMISSION`.
    pub ioport_permission: IoportPermission,
    /// Answer of `GET_ADDRESS_SIZE`: the width of a PV guest's words, 32 or 64.
    pub address_size: u32,
    /// Of `ASSIGN_DEVICE`, `TEST_ASSIGN_DEVICE` and `DEASSIGN_DEVICE`.
    pub assign_device: AssignDevice,
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
/// `XEN_DOMINF_debugged`.
pub const DOMINF_DEBUGGED: u32 = 1 << 6;
/// `XEN_DOMINF_xs_domain`.
pub const DOMINF_XS_DOMAIN: u32 = 1 << 7;
/// `XEN_DOMINF_hap`.
pub const DOMINF_HAP: u32 = 1 << 8;
/// `XEN_DOMINF_shutdownshift`.
pub const DOMINF_SHUTDOWN_SHIFT: u32 = 16;
/// `XEN_DOMINF_shutdownmask`; also the shutdown code of a domain that has not shut down.
pub const DOMINF_SHUTDOWN_MASK: u32 = 0xFF;
/// The shutdown code in a domain's flags.
#[inline]
pub const fn shutdown_code(flags: u32) -> u32 {
    flags >> DOMINF_SHUTDOWN_SHIFT & DOMINF_SHUTDOWN_MASK
}

/// `XEN_INVALID_MAX_VCPU_ID`.
pub const INVALID_MAX_VCPU_ID: u32 = u32::MAX;

// The layouts from here on are the same from 4.17 to 4.22.

/// `struct xen_domctl_getvcpuinfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VcpuInfo {
    /// Which vCPU.
    pub vcpu: u32,
    /// Answer: whether it is online.
    pub online: u8,
    /// Answer: whether it waits for an event.
    pub blocked: u8,
    /// Answer: whether it is on its pCPU.
    pub running: u8,
    /// Padding.
    pub pad0: u8,
    /// Answer: the time that it ran, in nanoseconds.
    pub cpu_time: u64,
    /// Answer: the pCPU that it is, or was last, on.
    pub cpu: u32,
    /// Padding.
    pub pad1: u32,
}

/// `struct xenctl_bitmap`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bitmap {
    /// Address of the bits, the lowest in the lowest bit of the first byte. Zero: there is none.
    pub bitmap: u64,
    /// How many bits the caller has.
    pub nr_bits: u32,
    /// Padding.
    pub pad: u32,
}

/// `struct xen_domctl_vcpuaffinity`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VcpuAffinity {
    /// Which vCPU.
    pub vcpu: u32,
    /// `VCPUAFFINITY_*`.
    pub flags: u32,
    /// pCPUs that it may run on. `SETVCPUAFFINITY` leaves what came into effect.
    pub cpumap_hard: Bitmap,
    /// pCPUs that it had better run on, likewise.
    pub cpumap_soft: Bitmap,
}

/// `XEN_VCPUAFFINITY_HARD`.
pub const VCPUAFFINITY_HARD: u32 = 1;
/// `XEN_VCPUAFFINITY_SOFT`.
pub const VCPUAFFINITY_SOFT: u32 = 2;
/// `XEN_VCPUAFFINITY_FORCE`.
pub const VCPUAFFINITY_FORCE: u32 = 4;

/// `struct xen_domctl_shadow_op`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShadowOp {
    /// `SHADOW_OP_*`.
    pub op: u32,
    /// Flags of other operations.
    pub mode: u32,
    /// The allocation in MiB, rounded up in answers.
    pub mb: u32,
    /// Padding.
    pub pad: u32,
    /// Of other operations: address of a bitmap of pages.
    pub dirty_bitmap: u64,
    /// Of other operations: its length.
    pub pages: u64,
    /// Of other operations: faults, dirtied pages.
    pub stats: [u32; 2],
}

/// `XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION`.
pub const SHADOW_OP_GET_ALLOCATION: u32 = 30;
/// `XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION`.
pub const SHADOW_OP_SET_ALLOCATION: u32 = 31;

/// `struct xen_domctl_vcpucontext`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VcpuContext {
    /// Which vCPU.
    pub vcpu: u32,
    /// Padding.
    pub pad: u32,
    /// Address of a `vcpu_guest_context_t`, in the guest's width if it is PV, else in the
    /// hypervisor's.
    pub ctxt: u64,
}

/// Size of a `vcpu_guest_context_t` of 64 bits, the larger of the two.
pub const VCPU_CONTEXT_SIZE: usize = 5168;
/// Where the return value of a guest's hypercall is in it: register `rax`, 8 bytes.
pub const VCPU_CONTEXT_RAX: usize = 600;
/// Size of a `vcpu_guest_context_t` of 32 bits.
pub const VCPU_CONTEXT_SIZE_32: usize = 2800;
/// Where the return value is in that one: register `eax`, 4 bytes.
pub const VCPU_CONTEXT_EAX_32: usize = 540;

/// `struct xen_domctl_scheduler_op`, with the parameters that the credit schedulers have.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchedulerOp {
    /// `SCHEDULER_*`: the scheduler of the domain's CPU pool.
    pub sched_id: u32,
    /// `SCHEDOP_*INFO`.
    pub cmd: u32,
    /// `struct xen_domctl_sched_credit`, also `struct xen_domctl_sched_credit2`.
    pub credit: SchedCredit,
    /// The rest of the union.
    pub pad: [u32; 3],
}

/// `struct xen_domctl_sched_credit`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchedCredit {
    /// Share of the CPU time.
    pub weight: u16,
    /// Most CPU time, in percent of one pCPU; 0: no limit.
    pub cap: u16,
}

/// `XEN_DOMCTL_SCHEDOP_putinfo`.
pub const SCHEDOP_PUTINFO: u32 = 0;
/// `XEN_DOMCTL_SCHEDOP_getinfo`.
pub const SCHEDOP_GETINFO: u32 = 1;

/// `XEN_SCHEDULER_CREDIT`.
pub const SCHEDULER_CREDIT: u32 = 5;
/// `XEN_SCHEDULER_CREDIT2`.
pub const SCHEDULER_CREDIT2: u32 = 6;

/// `struct xen_domctl_irq_permission`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IrqPermission {
    /// The caller's interrupt.
    pub pirq: u32,
    /// 1 to allow, 0 to deny.
    pub allow_access: u8,
    /// Zero.
    pub pad: [u8; 3],
}

/// `struct xen_domctl_iomem_permission`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IomemPermission {
    /// First machine frame.
    pub first_mfn: u64,
    /// Frames.
    pub nr_mfns: u64,
    /// 1 to allow, 0 to deny.
    pub allow_access: u8,
    /// Padding.
    pub pad: [u8; 7],
}

/// `struct xen_domctl_ioport_permission`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IoportPermission {
    /// First port.
    pub first_port: u32,
    /// Ports.
    pub nr_ports: u32,
    /// 1 to allow, 0 to deny.
    pub allow_access: u8,
    /// Padding.
    pub pad: [u8; 3],
}

/// `struct xen_domctl_assign_device`, for a PCI device.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssignDevice {
    /// `DEV_PCI`.
    pub dev: u32,
    /// `DEV_RDM_RELAXED`, in `ASSIGN_DEVICE` alone.
    pub flags: u32,
    /// Segment, bus, device and function: 16, 8, 5 and 3 bits.
    pub machine_sbdf: u32,
    /// The rest of the union.
    pub pad: [u32; 3],
}

/// `XEN_DOMCTL_DEV_PCI`.
pub const DEV_PCI: u32 = 0;
/// `XEN_DOMCTL_DEV_RDM_RELAXED`: conflicts of reserved memory regions are warned of only.
pub const DEV_RDM_RELAXED: u32 = 1;
