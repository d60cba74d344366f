//! `sysctl`: operations on the host (public/sysctl.h).

/// `XEN_SYSCTL_readconsole`.
pub const READCONSOLE: u32 = 1;
/// `XEN_SYSCTL_physinfo`.
pub const PHYSINFO: u32 = 3;
/// `XEN_SYSCTL_sched_id`.
pub const SCHED_ID: u32 = 4;
/// `XEN_SYSCTL_getdomaininfolist`.
pub const GETDOMAININFOLIST: u32 = 6;
/// `XEN_SYSCTL_debug_keys`.
pub const DEBUG_KEYS: u32 = 7;
/// `XEN_SYSCTL_getcpuinfo`.
pub const GETCPUINFO: u32 = 8;
/// `XEN_SYSCTL_get_cpu_featureset`.
pub const GET_CPU_FEATURESET: u32 = 26;

/// A command that no release defines: refused with `EACCES` where the interface version is wrong,
/// with another error where it is right.
pub const NO_COMMAND: u32 = 0;

/// `struct xen_sysctl`: what every sysctl passes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Sysctl {
    /// Which operation.
    pub cmd: u32,
    /// `XEN_SYSCTL_INTERFACE_VERSION` of the hypervisor.
    pub interface_version: u32,
    /// The operation's argument.
    pub u: SysctlUnion,
}

/// The argument of a sysctl.
#[repr(C)]
#[derive(Clone, Copy)]
pub union SysctlUnion {
    /// Of `READCONSOLE`.
    pub readconsole: ReadConsole,
    /// Of `PHYSINFO`.
    pub physinfo: PhysInfo,
    /// Answer of `SCHED_ID`: `XEN_SCHEDULER_*`, the scheduler of the default CPU pool.
    pub sched_id: u32,
    /// Of `GETDOMAININFOLIST`.
    pub getdomaininfolist: GetDomainInfoList,
    /// Of `DEBUG_KEYS`.
    pub debug_keys: DebugKeys,
    /// Of `GETCPUINFO`.
    pub getcpuinfo: GetCpuInfo,
    /// Of `GET_CPU_FEATURESET`.
    pub cpu_featureset: CpuFeatureset,
    /// The union's size in every release.
    pub pad: [u64; 16],
}

impl SysctlUnion {
    /// Zeroes: the argument of an operation that has none, and where every other begins.
    pub const NONE: SysctlUnion = SysctlUnion { pad: [0; 16] };
}

/// `struct xen_sysctl_getdomaininfolist`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetDomainInfoList {
    /// The lowest domid wanted.
    pub first_domain: u16,
    /// Padding.
    pub pad0: u16,
    /// How many records the buffer holds.
    pub max_domains: u32,
    /// Address of the buffer, an array of `domctl::DomainInfo`.
    pub buffer: u64,
    /// Answer: how many records were written, ascending by domid.
    pub num_domains: u32,
    /// Padding.
    pub pad1: u32,
}

/// `struct xen_sysctl_physinfo`, since 4.17.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhysInfo {
    /// Threads in a core.
    pub threads_per_core: u32,
    /// Cores in a socket.
    pub cores_per_socket: u32,
    /// pCPUs online.
    pub nr_cpus: u32,
    /// Greatest pCPU number possible.
    pub max_cpu_id: u32,
    /// NUMA nodes online.
    pub nr_nodes: u32,
    /// Greatest node number possible.
    pub max_node_id: u32,
    /// Frequency in kHz.
    pub cpu_khz: u32,
    /// `XEN_SYSCTL_PHYSCAP_*`.
    pub capabilities: u32,
    /// `XEN_SYSCTL_PHYSCAP_ARM_*`; nothing on x86.
    pub arch_capabilities: u32,
    /// Padding.
    pub pad: u32,
    /// All memory, in pages.
    pub total_pages: u64,
    /// Free memory, in pages.
    pub free_pages: u64,
    /// Free memory still to be scrubbed, in pages.
    pub scrub_pages: u64,
    /// Memory claimed and not yet allocated, in pages.
    pub outstanding_pages: u64,
    /// Greatest machine frame number possible.
    pub max_mfn: u64,
    /// CPUID words.
    pub hw_cap: [u32; 8],
}

/// Every `XEN_SYSCTL_PHYSCAP_*` of 4.17 to 4.22.
pub const PHYSCAP_ALL: u32 = 0x3FF;

// The layouts from here on are the same from 4.17 to 4.22.

/// `struct xen_sysctl_readconsole`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadConsole {
    /// Whether to empty the ring.
    pub clear: u8,
    /// Whether to begin at `index` instead of the oldest character.
    pub incremental: u8,
    /// Padding.
    pub pad0: [u8; 2],
    /// Number of the first character wanted; answer: of the one after the last that was written.
    pub index: u32,
    /// Address of the buffer.
    pub buffer: u64,
    /// Its length in bytes; answer: how many were written.
    pub count: u32,
    /// Padding.
    pub pad1: u32,
}

/// `struct xen_sysctl_debug_keys`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DebugKeys {
    /// Address of the keys, a byte each.
    pub keys: u64,
    /// How many they are.
    pub nr_keys: u32,
    /// Padding.
    pub pad: u32,
}

/// `struct xen_sysctl_getcpuinfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetCpuInfo {
    /// How many records the buffer holds.
    pub max_cpus: u32,
    /// Padding.
    pub pad0: u32,
    /// Address of the buffer, an array of [`CpuInfo`].
    pub info: u64,
    /// Answer: how many records were written, for pCPU 0 on.
    pub nr_cpus: u32,
    /// Padding.
    pub pad1: u32,
}

/// `struct xen_sysctl_cpuinfo`: the time that a pCPU has been idle, in nanoseconds.
pub type CpuInfo = u64;

/// `struct xen_sysctl_cpu_featureset`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuFeatureset {
    /// `XEN_SYSCTL_cpu_featureset_*`, up to [`CPU_FEATURESET_LAST`].
    pub index: u32,
    /// How many words the buffer holds; answer: how many were written, or, without a buffer, how
    /// many there are.
    pub nr_features: u32,
    /// Address of the buffer, an array of `u32`, or zero.
    pub features: u64,
}

/// `XEN_SYSCTL_cpu_featureset_hvm_max`.
pub const CPU_FEATURESET_LAST: u32 = 5;
