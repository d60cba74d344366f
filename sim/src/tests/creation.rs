//! Creating domains.

use super::{Simulation, simulate};
use crate::abi::DOMID_ANY;
use crate::abi::domctl::{
    ArchDomainConfig, CREATEDOMAIN, CreateDomain, CreateDomain417, DESTROYDOMAIN, DOMINF_HAP,
    DOMINF_HVM_GUEST, DOMINF_PAUSED, DOMINF_XS_DOMAIN, INVALID_MAX_VCPU_ID, MAX_VCPUS,
    UNPAUSEDOMAIN,
};
use crate::abi::release::Release;
use crate::errno::Ret;

/// What a toolstack asks for a PV guest.
fn pv() -> CreateDomain {
    CreateDomain {
        handle: [9; 16],
        max_vcpus: 2,
        max_evtchn_port: u32::MAX,
        max_grant_frames: -1,
        max_maptrack_frames: -1,
        grant_opts: 2,
        ..CreateDomain::default()
    }
}

fn translated(emulation_flags: u32) -> CreateDomain {
    let arch = ArchDomainConfig { emulation_flags, misc_flags: 0 };
    CreateDomain { flags: 3, arch, ..pv() }
}

impl Simulation {
    /// Creates a domain, in the release's form; gives its domid and the flags copied back.
    fn create_at(&self, domid: u16, config: CreateDomain) -> Ret<(u16, u32)> {
        let c = config;
        let old = CreateDomain417 {
            ssidref: c.ssidref,
            handle: c.handle,
            flags: c.flags,
            iommu_opts: c.iommu_opts,
            max_vcpus: c.max_vcpus,
            max_evtchn_port: c.max_evtchn_port,
            max_grant_frames: c.max_grant_frames,
            max_maptrack_frames: c.max_maptrack_frames,
            grant_opts: c.grant_opts,
            vmtrace_size: c.vmtrace_size,
            cpupool_id: c.cpupool_id,
            arch: c.arch,
        };
        let op = self.domctl(CREATEDOMAIN, domid, |u| match self.release.has_altp2m_opts() {
            true => u.createdomain = c,
            false => u.createdomain_4_17 = old,
        })?;
        // SAFETY: integers.
        Ok((op.domain, unsafe { op.u.createdomain.flags }))
    }

    fn create(&self, config: CreateDomain) -> Ret<u16> {
        self.create_at(self.release.domid_any(), config).map(|(domid, _)| domid)
    }
}

#[test]
fn a_new_domain_is_paused_and_has_nothing() {
    for release in Release::ALL {
        let sim = simulate(release, "domains=5");
        let free = sim.physinfo().free_pages;
        let any = release.domid_any();
        assert_eq!(sim.create_at(any, pv()), Ok((5, 8)), "oos_off is set for PV");
        let d = sim.info(5).unwrap();
        assert_eq!(d.flags, 0xFFFF_0000 | DOMINF_PAUSED);
        assert_eq!((d.tot_pages, d.max_pages, d.nr_online_vcpus), (0, 0, 0));
        assert_eq!((d.max_vcpu_id, d.handle), (INVALID_MAX_VCPU_ID, [9; 16]));
        assert_eq!(d.arch_config.emulation_flags, 0);

        assert_eq!(sim.create_at(any, translated(0x3FF)), Ok((6, 3)));
        let d = sim.info(6).unwrap();
        assert_eq!(d.flags, 0xFFFF_0000 | DOMINF_PAUSED | DOMINF_HVM_GUEST | DOMINF_HAP);
        assert_eq!((d.arch_config.emulation_flags, d.shared_info_frame), (0x3FF, u64::MAX));
        assert_eq!(sim.create(CreateDomain { flags: 0x13, ..translated(1) }), Ok(7));
        assert_ne!(sim.info(7).unwrap().flags & DOMINF_XS_DOMAIN, 0);
        assert!(sim.physinfo().free_pages < free);
        assert_eq!(sim.list().len(), 8);

        sim.domctl(MAX_VCPUS, 6, |u| u.max_vcpus = 2).unwrap();
        assert_eq!(sim.act(UNPAUSEDOMAIN, 6), 0);
        let d = sim.info(6).unwrap();
        assert_eq!((d.max_vcpu_id, d.nr_online_vcpus), (1, 0));
        assert_eq!(d.flags, 0xFFFF_0000 | DOMINF_HVM_GUEST | DOMINF_HAP);
    }
}

#[test]
fn domids_are_taken_as_each_release_does() {
    for release in Release::ALL {
        let sim = simulate(release, "domains=5");
        let at = |domid| sim.create_at(domid, pv()).map(|(domid, _)| domid);
        assert_eq!(at(3), Err(libc::EEXIST));
        assert_eq!(at(100), Ok(100));
        if release >= Release::V4_22 {
            assert_eq!(at(0), Err(libc::EEXIST));
            assert_eq!(at(0x7FF0), Err(libc::EEXIST));
            assert_eq!(at(0xFFFF), Err(libc::EEXIST));
            assert_eq!(at(DOMID_ANY), Ok(5));
        } else {
            assert_eq!(at(0), Ok(5));
            assert_eq!(at(0x7FF0), Ok(6));
            assert_eq!(at(0xFFFF), Ok(7));
        }
        // One just freed is not the next one.
        let last = sim.create(pv()).unwrap();
        assert_eq!(sim.act(DESTROYDOMAIN, last), 0);
        assert_eq!(sim.create(pv()), Ok(last + 1));
    }
}

#[test]
fn domids_run_out() {
    for release in Release::ALL {
        let none = if release >= Release::V4_21 { libc::EEXIST } else { libc::ENOMEM };
        let sim = simulate(release, "domains=32752");
        assert_eq!(sim.create(pv()), Err(none));
        assert_eq!(sim.act(DESTROYDOMAIN, 77), 0);
        assert_eq!(sim.create(pv()), Ok(77));
        assert_eq!(sim.create(pv()), Err(none));
    }
}

#[test]
fn a_refused_creation_leaks_its_domid_since_4_21() {
    for release in Release::ALL {
        let sim = simulate(release, "domains=5");
        let bad = CreateDomain { max_vcpus: 0, ..pv() };
        assert_eq!(sim.create_at(50, bad), Err(libc::EINVAL));
        let again = sim.create_at(50, pv()).map(|(domid, _)| domid);
        assert_eq!(again, if release >= Release::V4_21 { Err(libc::EEXIST) } else { Ok(50) });
        // One that fails later gives it back.
        assert_eq!(sim.create_at(60, CreateDomain { grant_opts: 0, ..pv() }), Err(libc::EINVAL));
        assert_eq!(sim.create_at(60, pv()).map(|(domid, _)| domid), Ok(60));
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    use Release::*;
    for release in Release::ALL {
        let sim = simulate(release, "domains=1");
        let check = |config: CreateDomain, error: i32, what: &str| {
            let result = sim.create(config);
            assert_eq!(result.err().unwrap_or(0), error, "{release}: {what}");
        };
        let hvm = || translated(0x3FF);
        let inval = libc::EINVAL;
        let if_since =
            |since: Release, e: i32, before: i32| if release >= since { e } else { before };

        check(CreateDomain { flags: 1 << 8, ..pv() }, inval, "unknown or ARM's flag");
        check(CreateDomain { flags: 1 << 9, ..pv() }, inval, "unknown flag");
        check(CreateDomain { grant_opts: 0x12, ..pv() }, inval, "unknown grant option");
        check(CreateDomain { grant_opts: 0, ..pv() }, inval, "grant version 0");
        check(CreateDomain { grant_opts: 3, ..pv() }, inval, "grant version 3");
        check(CreateDomain { max_vcpus: 0, ..pv() }, inval, "no vCPUs");
        check(CreateDomain { max_vcpus: 8192, ..pv() }, 0, "many vCPUs");
        check(CreateDomain { max_vcpus: 8193, ..pv() }, inval, "too many vCPUs");
        check(CreateDomain { max_vcpus: 128, ..hvm() }, 0, "many HVM vCPUs");
        check(CreateDomain { max_vcpus: 129, ..hvm() }, inval, "too many HVM vCPUs");
        check(CreateDomain { flags: 2, ..pv() }, inval, "HAP without HVM");
        check(CreateDomain { flags: 1, ..hvm() }, 0, "shadow");
        check(CreateDomain { flags: 0x23, iommu_opts: 1, ..hvm() }, 0, "IOMMU");
        check(CreateDomain { flags: 0x23, iommu_opts: 2, ..hvm() }, inval, "IOMMU option");
        check(CreateDomain { iommu_opts: 1, ..pv() }, inval, "IOMMU option without IOMMU");
        check(CreateDomain { flags: 0x43, ..hvm() }, 0, "nested");
        check(CreateDomain { flags: 0x41, ..hvm() }, inval, "nested without HAP");
        check(CreateDomain { flags: 0x83, ..hvm() }, inval, "vpmu, which is not there");
        check(CreateDomain { vmtrace_size: 4096, ..hvm() }, inval, "vmtrace, likewise");
        check(CreateDomain { cpupool_id: 1, ..pv() }, libc::ESRCH, "no such pool");
        let arch = ArchDomainConfig { emulation_flags: 0, misc_flags: 1 };
        check(CreateDomain { arch, ..pv() }, 0, "relaxed MSRs");
        let arch = ArchDomainConfig { emulation_flags: 0, misc_flags: 2 };
        check(CreateDomain { arch, ..pv() }, inval, "unknown misc flag");

        let emulators = |config: CreateDomain, emulation_flags| {
            let arch = ArchDomainConfig { emulation_flags, misc_flags: 0 };
            CreateDomain { arch, ..config }
        };
        check(emulators(pv(), 0x100), 0, "PV with PIT");
        check(emulators(pv(), 1), libc::EOPNOTSUPP, "PV with LAPIC");
        check(emulators(hvm(), 1), 0, "PVH");
        check(emulators(hvm(), 0x11), libc::EOPNOTSUPP, "PVH with IOAPIC");
        check(emulators(hvm(), 0x7FF), libc::EOPNOTSUPP, "VPCI");
        check(emulators(hvm(), 0x1FF), if_since(V4_19, 0, libc::EOPNOTSUPP), "no PIRQ");
        check(emulators(hvm(), 0), libc::EOPNOTSUPP, "HVM without any");
        check(emulators(hvm(), 0x800), inval, "unknown emulator");

        let frames = |n| CreateDomain { max_grant_frames: n, ..pv() };
        check(frames(0), inval, "no grant frames");
        check(frames(64), 0, "grant frames");
        check(frames(65), if_since(V4_18, 0, inval), "more grant frames than the host's");
        let maptrack = CreateDomain { max_maptrack_frames: 1025, ..pv() };
        check(maptrack, if_since(V4_18, 0, inval), "more maptrack frames than the host's");

        if !release.has_altp2m_opts() {
            continue;
        }
        let altp2m = |config: CreateDomain, altp2m| CreateDomain { altp2m, ..config };
        check(altp2m(hvm(), 4), inval, "unknown altp2m mode");
        check(altp2m(pv(), 1 | 10 << 16), inval, "altp2m without HAP");
        check(altp2m(hvm(), 1), if_since(V4_21, inval, 0), "altp2m without a number");
        check(altp2m(hvm(), 1 | 10 << 16), if_since(V4_21, 0, inval), "ten altp2ms");
        check(altp2m(hvm(), 1 | 513 << 16), inval, "513 altp2ms");
        check(altp2m(hvm(), 10 << 16), inval, "a number without altp2m");
        check(CreateDomain { altp2m: 1, flags: 0x43, ..hvm() }, inval, "altp2m and nested");
    }
}

#[test]
fn what_the_host_lacks_is_refused() {
    for release in Release::ALL {
        let caps = "-shadow+-directio+-nested_virt+-gnttab_v2+vpmu+vmtrace";
        let sim = simulate(release, &format!("domains=1,caps={caps}"));
        let guest = CreateDomain { grant_opts: 1, ..translated(1) };
        assert_eq!(sim.create(guest), Ok(1));
        let error = |config: CreateDomain| sim.create(config).err().unwrap_or(0);
        assert_eq!(error(CreateDomain { grant_opts: 2, ..guest }), libc::EINVAL);
        let no_hap = CreateDomain { flags: 1, ..guest };
        let late = if release >= Release::V4_22 { libc::EINVAL } else { libc::EOPNOTSUPP };
        assert_eq!(error(no_hap), late);
        assert_eq!(error(CreateDomain { flags: 0x23, ..guest }), libc::EINVAL);
        let nested = if release >= Release::V4_19 { libc::EINVAL } else { 0 };
        assert_eq!(error(CreateDomain { flags: 0x43, ..guest }), nested);
        assert_eq!(error(CreateDomain { flags: 0x83, ..guest }), 0);
        assert_eq!(error(CreateDomain { vmtrace_size: 4096, ..guest }), 0);
        assert_eq!(error(CreateDomain { vmtrace_size: 4097, ..guest }), libc::EINVAL);
        assert_eq!(error(CreateDomain { vmtrace_size: 128 << 20, ..guest }), libc::EINVAL);
        drop(sim);
        let sim = simulate(release, "domains=1,caps=pv+gnttab_v1+gnttab_v2");
        assert_eq!(sim.create(translated(1)), Err(libc::EINVAL));
        assert_eq!(sim.create(pv()), Ok(2));
    }
}

#[test]
fn memory_runs_out() {
    let sim = simulate(Release::V4_20, "domains=1,memory=4097");
    let mut created = 0;
    let error = loop {
        match sim.create(translated(1)) {
            Ok(_) => created += 1,
            Err(errno) => break errno,
        }
    };
    assert_eq!((created, error), (0, libc::ENOMEM));
    assert_eq!(sim.create(pv()), Ok(2), "a PV domain takes less; the refused one used up domid 1");
}
