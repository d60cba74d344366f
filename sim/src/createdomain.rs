//! `XEN_DOMCTL_createdomain`, and everything that it refuses.

use crate::abi::domctl::{
    CreateDomain, DomainInfo, Domctl, GRANT_VERSION_MASK, INVALID_MAX_VCPU_ID, IOMMU_ALL,
    X86_EMU_ALL, X86_MISC_ALL,
};
use crate::abi::release::Release;
use crate::abi::{DOMID_ANY, DOMID_FIRST_RESERVED};
use crate::domain::{NO_SHUTDOWN_CODE, State};
use crate::domctl;
use crate::errno::Ret;
use crate::facilities::Facilities;
use crate::hypervisor::Hypervisor;
use crate::population::{
    EMU_LAPIC, EMU_PIT, EMU_USE_PIRQ, EMU_VPCI, GPADDR_BITS, NO_FRAME, overhead, shared_info_mfn,
};

// XEN_DOMCTL_CDF_* (public/domctl.h).
const CDF_HVM: u32 = 1 << 0;
const CDF_HAP: u32 = 1 << 1;
const CDF_OOS_OFF: u32 = 1 << 3;
const CDF_XS_DOMAIN: u32 = 1 << 4;
const CDF_IOMMU: u32 = 1 << 5;
const CDF_NESTED_VIRT: u32 = 1 << 6;
const CDF_VPMU: u32 = 1 << 7;
const CDF_TRAP_UNMAPPED_ACCESSES: u32 = 1 << 8;

/// `XEN_DOMCTL_ALTP2M_mode_mask`.
const ALTP2M_MODE_MASK: u32 = 3;
/// The most altp2ms that a guest can have.
const MAX_ALTP2M: u32 = 512;
/// The most vCPUs that an HVM or PVH guest can have.
const MAX_HVM_VCPUS: u32 = 128;
/// The most vCPUs that a PV guest can have.
const MAX_PV_VCPUS: u32 = 8192;
/// The hypervisor's limits for grant tables, unless it is booted with others.
const MAX_GRANT_FRAMES: i32 = 64;
const MAX_MAPTRACK_FRAMES: i32 = 1024;
/// The greatest event channel port of a domain that has not chosen the FIFO interface.
const MAX_PORT: u32 = 4095;
/// More frames than this are more than the hypervisor's heap has room to keep track of.
const ABSURD_FRAMES: i32 = 1 << 24;

/// Creates a domain. On success, `op` is what Xen copies back.
pub fn create(hv: &mut Hypervisor, op: &mut Domctl) -> Ret<()> {
    let release = hv.release();
    let (domid, allocated) = allocate(hv, op.domain)?;
    if allocated {
        // It is not given back when the creation fails.
        hv.rover = domid;
    }
    let config = config(release, op);
    if let Err(errno) = sanitise(hv, &config) {
        if release >= Release::V4_21 {
            // These releases reserve a domid first, and release it only with the domain, of which
            // there is none yet.
            hv.leaked.insert(domid);
        }
        return Err(errno);
    }
    construct(hv, &config)?;

    let translated = config.flags & CDF_HVM != 0;
    let own = overhead(translated);
    if hv.free_pages() < own {
        return Err(libc::ENOMEM);
    }
    let record = DomainInfo {
        domain: domid,
        shared_info_frame: if translated { NO_FRAME } else { shared_info_mfn(domid) },
        max_vcpu_id: INVALID_MAX_VCPU_ID,
        handle: config.handle,
        gpaddr_bits: GPADDR_BITS,
        arch_config: crate::abi::domctl::ArchDomainConfig {
            emulation_flags: config.arch.emulation_flags,
            misc_flags: 0,
        },
        ..DomainInfo::default()
    };
    let state = State {
        max_vcpus: config.max_vcpus,
        // Its creator unpauses it when it is complete.
        pauses: 1,
        shutdown_code: NO_SHUTDOWN_CODE,
        hvm: translated,
        hap: config.flags & CDF_HAP != 0,
        xenstore: config.flags & CDF_XS_DOMAIN != 0,
        busy: true,
        overhead: own,
        pool: match (translated, config.flags & CDF_HAP != 0) {
            (true, true) => 256,
            (true, false) => 1024,
            _ => 0,
        },
        max_port: config.max_evtchn_port.min(MAX_PORT),
        iommu: config.flags & CDF_IOMMU != 0,
        ..State::default()
    };
    let now = hv.now();
    hv.domains.insert(record, state, now);
    op.domain = domid;
    if !translated {
        // SAFETY: every byte of the operation was read, and any bytes are a value. The flags are at
        // the same place in every release's form.
        unsafe { op.u.createdomain.flags |= CDF_OOS_OFF };
    }
    Ok(())
}

/// The argument, whatever form the release gives it.
fn config(release: Release, op: &Domctl) -> CreateDomain {
    if release.has_altp2m_opts() {
        // SAFETY: every byte of the operation was read, and any bytes are a value.
        return unsafe { op.u.createdomain };
    }
    // SAFETY: as above.
    let old = unsafe { op.u.createdomain_4_17 };
    CreateDomain {
        ssidref: old.ssidref,
        handle: old.handle,
        flags: old.flags,
        iommu_opts: old.iommu_opts,
        max_vcpus: old.max_vcpus,
        max_evtchn_port: old.max_evtchn_port,
        max_grant_frames: old.max_grant_frames,
        max_maptrack_frames: old.max_maptrack_frames,
        grant_opts: old.grant_opts,
        altp2m: 0,
        vmtrace_size: old.vmtrace_size,
        cpupool_id: old.cpupool_id,
        arch: old.arch,
    }
}

/// The domid of the new domain, and whether the hypervisor chose it.
fn allocate(hv: &Hypervisor, wanted: u16) -> Ret<(u16, bool)> {
    let release = hv.release();
    let any = if release >= Release::V4_22 {
        wanted == DOMID_ANY
    } else {
        wanted == 0 || wanted >= DOMID_FIRST_RESERVED
    };
    if any {
        let none = if release >= Release::V4_21 { libc::EEXIST } else { libc::ENOMEM };
        return domctl::next_free(hv).map(|domid| (domid, true)).ok_or(none);
    }
    let taken = wanted >= DOMID_FIRST_RESERVED
        || hv.domains.find(wanted).is_some()
        || hv.leaked.contains(&wanted);
    if taken { Err(libc::EEXIST) } else { Ok((wanted, false)) }
}

/// Refuses arguments that make no sense, or that this host cannot satisfy.
fn sanitise(hv: &Hypervisor, config: &CreateDomain) -> Ret<()> {
    let (release, caps) = (hv.release(), hv.config.caps);
    let flag = |flag: u32| config.flags & flag != 0;
    let (hvm, hap) = (flag(CDF_HVM), flag(CDF_HAP));
    let (iommu, nested) = (flag(CDF_IOMMU), flag(CDF_NESTED_VIRT));
    let lacks = |facility: Facilities| !caps.has(facility);
    let vmtrace = config.vmtrace_size;

    let senseless = config.flags & !release.create_flags() != 0
        || config.grant_opts & !GRANT_VERSION_MASK != 0
        || config.max_vcpus == 0
        || hap && !hvm
        || config.iommu_opts & !(if iommu { IOMMU_ALL } else { 0 }) != 0
        || vmtrace != 0 && (!hvm || !vmtrace.is_power_of_two())
        || vmtrace != 0 && !(4 << 10..=64 << 20).contains(&vmtrace)
        || config.max_vcpus > if hvm { MAX_HVM_VCPUS } else { MAX_PV_VCPUS }
        || nested && !hap
        || config.arch.misc_flags & !X86_MISC_ALL != 0
        // Nothing on x86 knows how to do it.
        || release >= Release::V4_21 && flag(CDF_TRAP_UNMAPPED_ACCESSES);
    let impossible = lacks(if hvm { Facilities::HVM } else { Facilities::PV })
        || iommu && lacks(Facilities::DIRECTIO)
        || vmtrace != 0 && lacks(Facilities::VMTRACE)
        || flag(CDF_VPMU) && lacks(Facilities::VPMU)
        || hap && lacks(Facilities::HAP)
        || release >= Release::V4_22 && hvm && !hap && lacks(Facilities::SHADOW)
        || release >= Release::V4_19 && nested && lacks(Facilities::NESTED_VIRT);
    // All of these have the same error, so that their order does not show.
    if senseless || impossible || !altp2m_ok(release, caps, config, hap, nested) {
        return Err(libc::EINVAL);
    }
    Ok(())
}

fn altp2m_ok(
    release: Release,
    caps: Facilities,
    config: &CreateDomain,
    hap: bool,
    nested: bool,
) -> bool {
    let (options, count) = match release.has_altp2m_count() {
        true => (config.altp2m & 0xFFFF, config.altp2m >> 16),
        false => (config.altp2m, 0),
    };
    if options & !ALTP2M_MODE_MASK != 0 {
        return false;
    }
    if options == 0 {
        return count == 0;
    }
    let countable = !release.has_altp2m_count()
        || caps.has(Facilities::ALTP2M) && (1..=MAX_ALTP2M).contains(&count);
    hap && !nested && countable
}

/// What fails later, with errors of its own.
fn construct(hv: &Hypervisor, config: &CreateDomain) -> Ret<()> {
    let (release, caps) = (hv.release(), hv.config.caps);
    let (hvm, hap) = (config.flags & CDF_HVM != 0, config.flags & CDF_HAP != 0);
    let emulators = config.arch.emulation_flags;
    if emulators & !X86_EMU_ALL != 0 {
        return Err(libc::EINVAL);
    }
    if !emulators_ok(release, hvm, emulators) {
        return Err(libc::EOPNOTSUPP);
    }
    if hvm && !hap && !caps.has(Facilities::SHADOW) {
        return Err(libc::EOPNOTSUPP);
    }

    let greatest = match (caps.has(Facilities::GNTTAB_V1), caps.has(Facilities::GNTTAB_V2)) {
        (_, true) => 2,
        (true, false) => 1,
        (false, false) => 0,
    };
    if !(1..=greatest).contains(&(config.grant_opts & GRANT_VERSION_MASK)) {
        return Err(libc::EINVAL);
    }
    let or = |frames: i32, default: i32| if frames < 0 { default } else { frames };
    let grant = or(config.max_grant_frames, MAX_GRANT_FRAMES);
    let maptrack = or(config.max_maptrack_frames, MAX_MAPTRACK_FRAMES);
    // 4.17 holds a guest to the host's limits; later releases take them as defaults.
    let beyond = grant > MAX_GRANT_FRAMES || maptrack > MAX_MAPTRACK_FRAMES;
    if grant < 1 || release == Release::V4_17 && beyond {
        return Err(libc::EINVAL);
    }
    if grant > ABSURD_FRAMES || maptrack > ABSURD_FRAMES {
        return Err(libc::ENOMEM);
    }
    // There is one CPU pool.
    if config.cpupool_id != 0 {
        return Err(libc::ESRCH);
    }
    Ok(())
}

/// The sets of emulators that a guest can have.
fn emulators_ok(release: Release, hvm: bool, emulators: u32) -> bool {
    let all = X86_EMU_ALL & !EMU_VPCI;
    match hvm {
        false => emulators == 0 || emulators == EMU_PIT,
        true if emulators == EMU_LAPIC || emulators == all => true,
        // Since 4.19 an HVM guest can do without routing interrupts over event channels.
        true => release >= Release::V4_19 && emulators == all & !EMU_USE_PIRQ,
    }
}
