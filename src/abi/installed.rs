//! The layouts of this floor held against the headers of the Xen release that is installed where
//! the library is built. A difference does not compile.

#![allow(dead_code, non_camel_case_types, non_upper_case_globals, non_snake_case)]

use crate::abi::{self, domctl, release::Release, sched, sysctl, version};
use std::mem::{offset_of, size_of};

mod xen {
    #![allow(missing_docs, clippy::all, clippy::undocumented_unsafe_blocks, unsafe_code, unused)]
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
    domctl::DOMINF_DYING => XEN_DOMINF_dying,
    domctl::DOMINF_HVM_GUEST => XEN_DOMINF_hvm_guest,
    domctl::DOMINF_SHUTDOWN => XEN_DOMINF_shutdown,
    domctl::DOMINF_PAUSED => XEN_DOMINF_paused,
    domctl::DOMINF_BLOCKED => XEN_DOMINF_blocked,
    domctl::DOMINF_RUNNING => XEN_DOMINF_running,
    domctl::DOMINF_XS_DOMAIN => XEN_DOMINF_xs_domain,
    domctl::DOMINF_HAP => XEN_DOMINF_hap,
    domctl::DOMINF_SHUTDOWN_MASK => XEN_DOMINF_shutdownmask,
    domctl::DOMINF_SHUTDOWN_SHIFT => XEN_DOMINF_shutdownshift,
    domctl::INVALID_MAX_VCPU_ID as i32 => XEN_INVALID_MAX_VCPU_ID,
    domctl::X86_EMU_ALL => XEN_X86_EMU_ALL,
    domctl::X86_MISC_ALL => XEN_X86_MSR_RELAXED,
    domctl::GRANT_VERSION_MASK => XEN_DOMCTL_GRANT_version_mask,
    domctl::IOMMU_ALL => XEN_DOMCTL_IOMMU_no_sharept,
    sysctl::PHYSINFO => XEN_SYSCTL_physinfo,
    sysctl::GETDOMAININFOLIST => XEN_SYSCTL_getdomaininfolist,
    sched::REMOTE_SHUTDOWN => SCHEDOP_remote_shutdown,
    sched::SHUTDOWN_MAX => SHUTDOWN_MAX,
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
