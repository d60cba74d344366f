//! The layouts of this floor held against the headers of the Xen release that is installed where
//! the library is built. A difference does not compile.

#![allow(dead_code, non_camel_case_types, non_upper_case_globals, non_snake_case)]

use crate::abi::{
    self, domctl, event_channel, hvm, memory, release::Release, sched, sysctl, version,
};
use std::mem::{offset_of, size_of};

mod xen {
    #![allow(
        missing_docs,
        clippy::all,
        clippy::pedantic,
        clippy::undocumented_unsafe_blocks,
        unsafe_code,
        unused
    )]
    include!(concat!(env!("OUT_DIR"), "/xen.rs"));
}

/// Asserts that `$ours` has the size of `$theirs` and every named field where it has it.
macro_rules! same_layout {
    ($ours:ty, $theirs:ty { $($field:ident $(= $name:ident)?),* $(,)? }) => {
        const _: () = {
            assert!(size_of::<$ours>() == size_of::<$theirs>());
            $(same_layout!(@field $ours, $theirs, $field $(, $name)?);)*
        };
    };
    (@field $ours:ty, $theirs:ty, $field:ident) => {
        assert!(offset_of!($ours, $field) == offset_of!($theirs, $field));
    };
    (@field $ours:ty, $theirs:ty, $field:ident, $name:ident) => {
        assert!(offset_of!($ours, $field) == offset_of!($theirs, $name));
    };
}

/// Asserts that constants here have the values of the headers' macros.
macro_rules! same_value {
    ($($ours:expr => $theirs:ident),* $(,)?) => {
        const _: () = { $(assert!($ours as u64 == xen::$theirs as u64);)* };
    };
}

/// The known release whose interface versions the headers have, the newest where they are shared
/// (releases that share them share the layouts below).
const INSTALLED: Option<Release> = {
    let mut found = None;
    let mut i = 0;
    while i < Release::ALL.len() {
        let release = Release::ALL[i];
        if release.sysctl_version() == xen::XEN_SYSCTL_INTERFACE_VERSION
            && release.domctl_version() == xen::XEN_DOMCTL_INTERFACE_VERSION
        {
            found = Some(release);
        }
        i += 1;
    }
    found
};
const _: () = assert!(
    INSTALLED.is_some(),
    "the installed Xen headers are of a release that src/abi/release.rs does not know"
);

same_layout!(domctl::Domctl, xen::xen_domctl { cmd, interface_version, domain, u });
same_layout!(
    domctl::DomainInfo,
    xen::xen_domctl_getdomaininfo {
        domain,
        flags,
        tot_pages,
        max_pages,
        outstanding_pages,
        shr_pages,
        paged_pages,
        shared_info_frame,
        cpu_time,
        nr_online_vcpus,
        max_vcpu_id,
        ssidref,
        handle,
        cpupool,
        gpaddr_bits,
        arch_config,
    }
);
same_layout!(domctl::ArchDomainConfig, xen::xen_arch_domainconfig { emulation_flags, misc_flags });
const _: () = assert!(size_of::<u64>() == size_of::<xen::xen_domctl_max_mem>());
const _: () = assert!(size_of::<u32>() == size_of::<xen::xen_domctl_max_vcpus>());

// The headers have one of the two layouts; which one, the size tells, and it must be that of the
// installed release.
const _: () = {
    let theirs = size_of::<xen::xen_domctl_createdomain>();
    match INSTALLED {
        Some(release) if release.has_altp2m_opts() => {
            assert!(theirs == size_of::<domctl::CreateDomain>());
            assert!(
                offset_of!(domctl::CreateDomain, vmtrace_size)
                    == offset_of!(xen::xen_domctl_createdomain, vmtrace_size)
            );
            assert!(
                offset_of!(domctl::CreateDomain, arch)
                    == offset_of!(xen::xen_domctl_createdomain, arch)
            );
        }
        _ => {
            assert!(theirs == size_of::<domctl::CreateDomain417>());
            assert!(
                offset_of!(domctl::CreateDomain417, vmtrace_size)
                    == offset_of!(xen::xen_domctl_createdomain, vmtrace_size)
            );
            assert!(
                offset_of!(domctl::CreateDomain417, arch)
                    == offset_of!(xen::xen_domctl_createdomain, arch)
            );
        }
    }
};
/// Fields before the altp2m word stand alike in both layouts.
macro_rules! create_domain_fields {
    ($($field:ident),*) => {
        const _: () = {$(
            assert!(offset_of!(domctl::CreateDomain, $field)
                == offset_of!(xen::xen_domctl_createdomain, $field));
            assert!(offset_of!(domctl::CreateDomain417, $field)
                == offset_of!(xen::xen_domctl_createdomain, $field));
        )*};
    };
}
create_domain_fields!(
    ssidref,
    handle,
    flags,
    iommu_opts,
    max_vcpus,
    max_evtchn_port,
    max_grant_frames,
    max_maptrack_frames,
    grant_opts
);

same_layout!(sysctl::Sysctl, xen::xen_sysctl { cmd, interface_version, u });
same_layout!(
    sysctl::GetDomainInfoList,
    xen::xen_sysctl_getdomaininfolist { first_domain, max_domains, buffer, num_domains }
);
same_layout!(
    sysctl::PhysInfo,
    xen::xen_sysctl_physinfo {
        threads_per_core,
        cores_per_socket,
        nr_cpus,
        max_cpu_id,
        nr_nodes,
        max_node_id,
        cpu_khz,
        capabilities,
        arch_capabilities,
        total_pages,
        free_pages,
        scrub_pages,
        outstanding_pages,
        max_mfn,
        hw_cap,
    }
);
same_layout!(
    domctl::VcpuInfo,
    xen::xen_domctl_getvcpuinfo { vcpu, online, blocked, running, cpu_time, cpu }
);
same_layout!(domctl::Bitmap, xen::xenctl_bitmap { bitmap, nr_bits });
same_layout!(
    domctl::VcpuAffinity,
    xen::xen_domctl_vcpuaffinity { vcpu, flags, cpumap_hard, cpumap_soft }
);
same_layout!(
    domctl::ShadowOp,
    xen::xen_domctl_shadow_op { op, mode, mb, dirty_bitmap, pages, stats }
);
same_layout!(domctl::VcpuContext, xen::xen_domctl_vcpucontext { vcpu, ctxt });
const _: () = assert!(domctl::VCPU_CONTEXT_SIZE == size_of::<xen::vcpu_guest_context>());
same_layout!(domctl::SchedulerOp, xen::xen_domctl_scheduler_op { sched_id, cmd, credit = u });
same_layout!(domctl::SchedCredit, xen::xen_domctl_sched_credit { weight, cap });
same_layout!(domctl::SchedCredit, xen::xen_domctl_sched_credit2 { weight, cap });
same_layout!(domctl::IrqPermission, xen::xen_domctl_irq_permission { pirq, allow_access, pad });
same_layout!(
    domctl::IomemPermission,
    xen::xen_domctl_iomem_permission { first_mfn, nr_mfns, allow_access }
);
same_layout!(
    domctl::IoportPermission,
    xen::xen_domctl_ioport_permission { first_port, nr_ports, allow_access }
);
const _: () = assert!(size_of::<u32>() == size_of::<xen::xen_domctl_address_size>());
same_layout!(domctl::AssignDevice, xen::xen_domctl_assign_device { dev, flags, machine_sbdf = u });

same_layout!(
    sysctl::ReadConsole,
    xen::xen_sysctl_readconsole { clear, incremental, index, buffer, count }
);
const _: () = assert!(size_of::<u32>() == size_of::<xen::xen_sysctl_sched_id>());
same_layout!(sysctl::DebugKeys, xen::xen_sysctl_debug_keys { keys, nr_keys });
same_layout!(sysctl::GetCpuInfo, xen::xen_sysctl_getcpuinfo { max_cpus, info, nr_cpus });
const _: () = assert!(size_of::<sysctl::CpuInfo>() == size_of::<xen::xen_sysctl_cpuinfo>());
same_layout!(
    sysctl::CpuFeatureset,
    xen::xen_sysctl_cpu_featureset { index, nr_features, features }
);

same_layout!(event_channel::AllocUnbound, xen::evtchn_alloc_unbound { dom, remote_dom, port });
same_layout!(event_channel::Status, xen::evtchn_status { dom, port, status, vcpu, end = u });
same_layout!(event_channel::Reset, xen::evtchn_reset { dom });
same_layout!(
    memory::Reservation,
    xen::xen_memory_reservation { extent_start, nr_extents, extent_order, mem_flags, domid }
);
same_layout!(memory::ForeignMemoryMap, xen::xen_foreign_memory_map { domid, nr_entries = map });
const _: () = assert!(
    offset_of!(memory::ForeignMemoryMap, buffer)
        == offset_of!(xen::xen_foreign_memory_map, map) + offset_of!(xen::xen_memory_map, buffer)
);
same_layout!(hvm::Param, xen::xen_hvm_param { domid, index, value });

same_layout!(sched::Watchdog, xen::sched_watchdog { id, timeout });
same_layout!(sched::RemoteShutdown, xen::sched_remote_shutdown { domain_id, reason });
same_layout!(
    version::CompileInfo,
    xen::xen_compile_info { compiler, compile_by, compile_domain, compile_date }
);
const _: () = {
    assert!(size_of::<version::ExtraVersion>() == size_of::<xen::xen_extraversion_t>());
    assert!(size_of::<version::Capabilities>() == size_of::<xen::xen_capabilities_info_t>());
    assert!(size_of::<version::Changeset>() == size_of::<xen::xen_changeset_info_t>());
};

same_value! {
    abi::HYPERVISOR_MEMORY_OP => __HYPERVISOR_memory_op,
    abi::HYPERVISOR_EVENT_CHANNEL_OP => __HYPERVISOR_event_channel_op,
    abi::HYPERVISOR_HVM_OP => __HYPERVISOR_hvm_op,
    abi::HYPERVISOR_XEN_VERSION => __HYPERVISOR_xen_version,
    abi::HYPERVISOR_SCHED_OP => __HYPERVISOR_sched_op,
    abi::HYPERVISOR_SYSCTL => __HYPERVISOR_sysctl,
    abi::HYPERVISOR_DOMCTL => __HYPERVISOR_domctl,
    domctl::CREATEDOMAIN => XEN_DOMCTL_createdomain,
    domctl::DESTROYDOMAIN => XEN_DOMCTL_destroydomain,
    domctl::PAUSEDOMAIN => XEN_DOMCTL_pausedomain,
    domctl::UNPAUSEDOMAIN => XEN_DOMCTL_unpausedomain,
    domctl::GETDOMAININFO => XEN_DOMCTL_getdomaininfo,
    domctl::MAX_MEM => XEN_DOMCTL_max_mem,
    domctl::MAX_VCPUS => XEN_DOMCTL_max_vcpus,
    domctl::SETDOMAINHANDLE => XEN_DOMCTL_setdomainhandle,
    domctl::SETVCPUAFFINITY => XEN_DOMCTL_setvcpuaffinity,
    domctl::SHADOW_OP => XEN_DOMCTL_shadow_op,
    domctl::SETVCPUCONTEXT => XEN_DOMCTL_setvcpucontext,
    domctl::GETVCPUCONTEXT => XEN_DOMCTL_getvcpucontext,
    domctl::GETVCPUINFO => XEN_DOMCTL_getvcpuinfo,
    domctl::SCHEDULER_OP => XEN_DOMCTL_scheduler_op,
    domctl::IRQ_PERMISSION => XEN_DOMCTL_irq_permission,
    domctl::IOMEM_PERMISSION => XEN_DOMCTL_iomem_permission,
    domctl::IOPORT_PERMISSION => XEN_DOMCTL_ioport_permission,
    domctl::GETVCPUAFFINITY => XEN_DOMCTL_getvcpuaffinity,
    domctl::RESUMEDOMAIN => XEN_DOMCTL_resumedomain,
    domctl::GET_ADDRESS_SIZE => XEN_DOMCTL_get_address_size,
    domctl::ASSIGN_DEVICE => XEN_DOMCTL_assign_device,
    domctl::TEST_ASSIGN_DEVICE => XEN_DOMCTL_test_assign_device,
    domctl::DEASSIGN_DEVICE => XEN_DOMCTL_deassign_device,
    domctl::VCPUAFFINITY_HARD => XEN_VCPUAFFINITY_HARD,
    domctl::VCPUAFFINITY_SOFT => XEN_VCPUAFFINITY_SOFT,
    domctl::VCPUAFFINITY_FORCE => XEN_VCPUAFFINITY_FORCE,
    domctl::SHADOW_OP_GET_ALLOCATION => XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION,
    domctl::SHADOW_OP_SET_ALLOCATION => XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION,
    domctl::SCHEDOP_PUTINFO => XEN_DOMCTL_SCHEDOP_putinfo,
    domctl::SCHEDOP_GETINFO => XEN_DOMCTL_SCHEDOP_getinfo,
    domctl::SCHEDULER_CREDIT => XEN_SCHEDULER_CREDIT,
    domctl::SCHEDULER_CREDIT2 => XEN_SCHEDULER_CREDIT2,
    domctl::DEV_PCI => XEN_DOMCTL_DEV_PCI,
    domctl::DEV_RDM_RELAXED => XEN_DOMCTL_DEV_RDM_RELAXED,
    domctl::DOMINF_DYING => XEN_DOMINF_dying,
    domctl::DOMINF_HVM_GUEST => XEN_DOMINF_hvm_guest,
    domctl::DOMINF_SHUTDOWN => XEN_DOMINF_shutdown,
    domctl::DOMINF_PAUSED => XEN_DOMINF_paused,
    domctl::DOMINF_BLOCKED => XEN_DOMINF_blocked,
    domctl::DOMINF_RUNNING => XEN_DOMINF_running,
    domctl::DOMINF_DEBUGGED => XEN_DOMINF_debugged,
    domctl::DOMINF_XS_DOMAIN => XEN_DOMINF_xs_domain,
    domctl::DOMINF_HAP => XEN_DOMINF_hap,
    domctl::DOMINF_SHUTDOWN_MASK => XEN_DOMINF_shutdownmask,
    domctl::DOMINF_SHUTDOWN_SHIFT => XEN_DOMINF_shutdownshift,
    domctl::INVALID_MAX_VCPU_ID as i32 => XEN_INVALID_MAX_VCPU_ID,
    domctl::X86_EMU_ALL => XEN_X86_EMU_ALL,
    domctl::X86_MISC_ALL => XEN_X86_MSR_RELAXED,
    domctl::GRANT_VERSION_MASK => XEN_DOMCTL_GRANT_version_mask,
    domctl::IOMMU_ALL => XEN_DOMCTL_IOMMU_no_sharept,
    sysctl::READCONSOLE => XEN_SYSCTL_readconsole,
    sysctl::SCHED_ID => XEN_SYSCTL_sched_id,
    sysctl::DEBUG_KEYS => XEN_SYSCTL_debug_keys,
    sysctl::GETCPUINFO => XEN_SYSCTL_getcpuinfo,
    sysctl::GET_CPU_FEATURESET => XEN_SYSCTL_get_cpu_featureset,
    sysctl::CPU_FEATURESET_LAST => XEN_SYSCTL_cpu_featureset_hvm_max,
    sysctl::PHYSINFO => XEN_SYSCTL_physinfo,
    sysctl::GETDOMAININFOLIST => XEN_SYSCTL_getdomaininfolist,
    sched::REMOTE_SHUTDOWN => SCHEDOP_remote_shutdown,
    sched::WATCHDOG => SCHEDOP_watchdog,
    sched::SHUTDOWN_SUSPEND => SHUTDOWN_suspend,
    sched::SHUTDOWN_MAX => SHUTDOWN_MAX,
    event_channel::STATUS => EVTCHNOP_status,
    event_channel::ALLOC_UNBOUND => EVTCHNOP_alloc_unbound,
    event_channel::RESET => EVTCHNOP_reset,
    event_channel::STATUS_CLOSED => EVTCHNSTAT_closed,
    event_channel::STATUS_UNBOUND => EVTCHNSTAT_unbound,
    event_channel::STATUS_INTERDOMAIN => EVTCHNSTAT_interdomain,
    event_channel::STATUS_PIRQ => EVTCHNSTAT_pirq,
    event_channel::STATUS_VIRQ => EVTCHNSTAT_virq,
    event_channel::STATUS_IPI => EVTCHNSTAT_ipi,
    memory::INCREASE_RESERVATION => XENMEM_increase_reservation,
    memory::SET_MEMORY_MAP => XENMEM_set_memory_map,
    hvm::SET_PARAM => HVMOP_set_param,
    hvm::GET_PARAM => HVMOP_get_param,
    hvm::PARAM_CALLBACK_IRQ => HVM_PARAM_CALLBACK_IRQ,
    hvm::PARAMS => HVM_NR_PARAMS,
    version::VERSION => XENVER_version,
    version::EXTRAVERSION => XENVER_extraversion,
    version::COMPILE_INFO => XENVER_compile_info,
    version::CAPABILITIES => XENVER_capabilities,
    version::CHANGESET => XENVER_changeset,
}

// Every flag up to the greatest one that the headers name.
const _: () = {
    assert!(sysctl::PHYSCAP_ALL == 2 * xen::XEN_SYSCTL_PHYSCAP_MAX - 1);
    if let Some(release) = INSTALLED {
        assert!(release.create_flags() == 2 * xen::XEN_DOMCTL_CDF_MAX - 1);
    }
};
