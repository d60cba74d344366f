//! Names of everything that is counted, failed or delayed to order.
//!
//! A [`Kind`] is a hypercall, an operation of one (`sysctl.physinfo`), or one of the library's own
//! acts. Operations that are not simulated have names too: a counter then says what a program asked
//! for.

/// Fills a table that is indexed by number from a list of numbers and names.
const fn table<const N: usize>(names: &[(usize, &'static str)]) -> [&'static str; N] {
    let mut table = [""; N];
    let mut i = 0;
    while i < names.len() {
        table[names[i].0] = names[i].1;
        i += 1;
    }
    table
}

/// Acts of the library, and all hypercalls together.
const LIBRARY: [&str; 5] = ["open", "buffer", "map", "hypercalls", "close"];

/// `__HYPERVISOR_*` (public/xen.h).
const HYPERCALLS: [&str; 64] = table(&[
    (1, "mmu_update"),
    (7, "platform_op"),
    (12, "memory_op"),
    (13, "multicall"),
    (17, "xen_version"),
    (18, "console_io"),
    (20, "grant_table_op"),
    (24, "vcpu_op"),
    (26, "mmuext_op"),
    (27, "xsm_op"),
    (29, "sched_op"),
    (32, "event_channel_op"),
    (33, "physdev_op"),
    (34, "hvm_op"),
    (35, "sysctl"),
    (36, "domctl"),
    (37, "kexec_op"),
    (38, "tmem_op"),
    (39, "argo_op"),
    (40, "xenpmu_op"),
    (41, "dm_op"),
    (42, "hypfs_op"),
    (63, "other"),
]);

/// `XEN_SYSCTL_*` (public/sysctl.h).
const SYSCTLS: [&str; 32] = table(&[
    (1, "readconsole"),
    (2, "tbuf_op"),
    (3, "physinfo"),
    (4, "sched_id"),
    (5, "perfc_op"),
    (6, "getdomaininfolist"),
    (7, "debug_keys"),
    (8, "getcpuinfo"),
    (9, "availheap"),
    (10, "get_pmstat"),
    (11, "cpu_hotplug"),
    (12, "pm_op"),
    (14, "page_offline_op"),
    (15, "lockprof_op"),
    (16, "cputopoinfo"),
    (17, "numainfo"),
    (18, "cpupool_op"),
    (19, "scheduler_op"),
    (20, "coverage_op"),
    (21, "psr_cmt_op"),
    (22, "pcitopoinfo"),
    (23, "psr_alloc"),
    (25, "get_cpu_levelling_caps"),
    (26, "get_cpu_featureset"),
    (27, "livepatch_op"),
    (29, "get_cpu_policy"),
    (30, "dt_overlay"),
    (31, "other"),
]);

/// `XEN_DOMCTL_*` (public/domctl.h).
const DOMCTLS: [&str; 96] = table(&[
    (1, "createdomain"),
    (2, "destroydomain"),
    (3, "pausedomain"),
    (4, "unpausedomain"),
    (5, "getdomaininfo"),
    (9, "setvcpuaffinity"),
    (10, "shadow_op"),
    (11, "max_mem"),
    (12, "setvcpucontext"),
    (13, "getvcpucontext"),
    (14, "getvcpuinfo"),
    (15, "max_vcpus"),
    (16, "scheduler_op"),
    (17, "setdomainhandle"),
    (18, "setdebugging"),
    (19, "irq_permission"),
    (20, "iomem_permission"),
    (21, "ioport_permission"),
    (22, "hypercall_init"),
    (24, "settimeoffset"),
    (25, "getvcpuaffinity"),
    (27, "resumedomain"),
    (28, "sendtrigger"),
    (29, "subscribe"),
    (33, "gethvmcontext"),
    (34, "sethvmcontext"),
    (35, "set_address_size"),
    (36, "get_address_size"),
    (37, "assign_device"),
    (38, "bind_pt_irq"),
    (39, "memory_mapping"),
    (40, "ioport_mapping"),
    (42, "set_ext_vcpucontext"),
    (43, "get_ext_vcpucontext"),
    (45, "test_assign_device"),
    (46, "set_target"),
    (47, "deassign_device"),
    (48, "unbind_pt_irq"),
    (50, "get_device_group"),
    (55, "gethvmcontext_partial"),
    (56, "vm_event_op"),
    (57, "mem_sharing_op"),
    (59, "gettscinfo"),
    (60, "settscinfo"),
    (61, "getpageframeinfo3"),
    (62, "setvcpuextstate"),
    (63, "getvcpuextstate"),
    (64, "set_access_required"),
    (66, "set_virq_handler"),
    (68, "setnodeaffinity"),
    (69, "getnodeaffinity"),
    (71, "cacheflush"),
    (72, "get_vcpu_msrs"),
    (73, "set_vcpu_msrs"),
    (74, "setvnumainfo"),
    (75, "psr_cmt_op"),
    (77, "monitor_op"),
    (78, "psr_alloc"),
    (79, "soft_reset"),
    (82, "get_cpu_policy"),
    (83, "set_cpu_policy"),
    (84, "vmtrace_op"),
    (85, "get_paging_mempool_size"),
    (86, "set_paging_mempool_size"),
    (88, "gsi_permission"),
    (89, "set_llc_colors"),
    (90, "get_domain_state"),
    (95, "other"),
]);

/// `XENVER_*` (public/version.h).
const VERSIONS: [&str; 16] = table(&[
    (0, "version"),
    (1, "extraversion"),
    (2, "compile_info"),
    (3, "capabilities"),
    (4, "changeset"),
    (5, "platform_parameters"),
    (6, "get_features"),
    (7, "pagesize"),
    (8, "guest_handle"),
    (9, "commandline"),
    (10, "build_id"),
    (11, "extraversion2"),
    (12, "capabilities2"),
    (13, "changeset2"),
    (14, "commandline2"),
    (15, "other"),
]);

/// `SCHEDOP_*` (public/sched.h).
const SCHED_OPS: [&str; 9] = table(&[
    (0, "yield"),
    (1, "block"),
    (2, "shutdown"),
    (3, "poll"),
    (4, "remote_shutdown"),
    (5, "shutdown_code"),
    (6, "watchdog"),
    (7, "pin_override"),
    (8, "other"),
]);

/// `XENMEM_*` (public/memory.h).
const MEMORY_OPS: [&str; 30] = table(&[
    (0, "increase_reservation"),
    (1, "decrease_reservation"),
    (2, "maximum_ram_page"),
    (3, "current_reservation"),
    (4, "maximum_reservation"),
    (5, "machphys_mfn_list"),
    (6, "populate_physmap"),
    (7, "add_to_physmap"),
    (9, "memory_map"),
    (10, "machine_memory_map"),
    (11, "exchange"),
    (12, "machphys_mapping"),
    (13, "set_memory_map"),
    (14, "maximum_gpfn"),
    (15, "remove_from_physmap"),
    (16, "set_pod_target"),
    (17, "get_pod_target"),
    (18, "get_sharing_freed_pages"),
    (19, "get_sharing_shared_pages"),
    (20, "paging_op"),
    (21, "access_op"),
    (22, "sharing_op"),
    (23, "add_to_physmap_batch"),
    (24, "claim_pages"),
    (25, "machphys_compat_mfn_list"),
    (26, "get_vnumainfo"),
    (27, "reserved_device_memory_map"),
    (28, "acquire_resource"),
    (29, "other"),
]);

/// `EVTCHNOP_*` (public/event_channel.h).
const EVENT_CHANNEL_OPS: [&str; 15] = table(&[
    (0, "bind_interdomain"),
    (1, "bind_virq"),
    (2, "bind_pirq"),
    (3, "close"),
    (4, "send"),
    (5, "status"),
    (6, "alloc_unbound"),
    (7, "bind_ipi"),
    (8, "bind_vcpu"),
    (9, "unmask"),
    (10, "reset"),
    (11, "init_control"),
    (12, "expand_array"),
    (13, "set_priority"),
    (14, "other"),
]);

/// `HVMOP_*` (public/hvm/hvm_op.h).
const HVM_OPS: [&str; 3] = table(&[(0, "set_param"), (1, "get_param"), (2, "other")]);

/// Groups of kinds: prefix of their names, and their names.
const GROUPS: [(&str, &[&str]); 9] = [
    ("", &LIBRARY),
    ("", &HYPERCALLS),
    ("sysctl.", &SYSCTLS),
    ("domctl.", &DOMCTLS),
    ("xen_version.", &VERSIONS),
    ("sched_op.", &SCHED_OPS),
    ("memory_op.", &MEMORY_OPS),
    ("event_channel_op.", &EVENT_CHANNEL_OPS),
    ("hvm_op.", &HVM_OPS),
];

/// Where each group's kinds begin.
const BASES: [usize; 10] = {
    let mut bases = [0; 10];
    let mut i = 0;
    while i < 9 {
        bases[i + 1] = bases[i] + GROUPS[i].1.len();
        i += 1;
    }
    bases
};

/// Something that is counted and that can be made to fail or to take long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(u16);

impl Kind {
    /// How many kinds there are, named or not.
    pub const COUNT: usize = BASES[9];
    /// Opening a handle of any of the libraries.
    pub const OPEN: Kind = Kind(0);
    /// Allocating a hypercall buffer.
    pub const BUFFER: Kind = Kind(1);
    /// Mapping foreign memory.
    pub const MAP: Kind = Kind(2);
    /// Any hypercall.
    pub const HYPERCALLS: Kind = Kind(3);
    /// Closing a handle of any of the libraries.
    pub const CLOSE: Kind = Kind(4);

    /// The `number`th of a group, or the group's last, "other".
    fn of(group: usize, number: u64) -> Kind {
        let names = GROUPS[group].1;
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        let named = names.get(index).is_some_and(|name| !name.is_empty());
        Kind((BASES[group] + if named { index } else { names.len() - 1 }) as u16)
    }

    /// A hypercall.
    pub fn hypercall(number: u32) -> Kind {
        Kind::of(1, number.into())
    }

    /// A sysctl.
    pub fn sysctl(cmd: u32) -> Kind {
        Kind::of(2, cmd.into())
    }

    /// A domctl.
    pub fn domctl(cmd: u32) -> Kind {
        Kind::of(3, cmd.into())
    }

    /// An operation of `xen_version`.
    pub fn xen_version(cmd: u64) -> Kind {
        Kind::of(4, cmd)
    }

    /// An operation of `sched_op`.
    pub fn sched_op(cmd: u64) -> Kind {
        Kind::of(5, cmd)
    }

    /// An operation of `memory_op`.
    pub fn memory_op(cmd: u64) -> Kind {
        Kind::of(6, cmd)
    }

    /// An operation of `event_channel_op`.
    pub fn event_channel_op(cmd: u64) -> Kind {
        Kind::of(7, cmd)
    }

    /// An operation of `hvm_op`.
    pub fn hvm_op(cmd: u64) -> Kind {
        Kind::of(8, cmd)
    }

    /// Its place among all kinds.
    pub fn index(self) -> usize {
        self.0.into()
    }

    /// All kinds that have a name, with it.
    pub fn all() -> impl Iterator<Item = (Kind, String)> {
        GROUPS.iter().zip(BASES).flat_map(|((prefix, names), base)| {
            names
                .iter()
                .enumerate()
                .filter(|(_, name)| !name.is_empty())
                .map(move |(i, name)| (Kind((base + i) as u16), format!("{prefix}{name}")))
        })
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::all().find(|(_, n)| n == name).map(|(kind, _)| kind)
    }
}
