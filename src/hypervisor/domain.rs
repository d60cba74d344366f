//! Operations on one domain.

#![allow(unsafe_code)]

use super::{Errno, Error, Result, Xen};
use crate::abi::{
    self, DomainHandle,
    domctl::{self, CreateDomain, CreateDomain417, DomainInfo, DomctlUnion},
    release::Release,
    sched,
};

/// What a domain is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateConfig {
    /// In the terms of the newest release, but for the number of altp2ms.
    pub domain: CreateDomain,
    /// How many altp2ms it can have. `None`: asked by an interface of before there was a number.
    pub altp2m_count: Option<u32>,
}

/// How many altp2ms a domain has that may have any, where there is no number (`MAX_ALTP2M` of Xen's
/// asm-x86/domain.h until 4.20).
const ALTP2MS: u32 = 10;

impl Xen {
    /// Creates a domain: paused, without memory and vCPUs. Returns its domid.
    ///
    /// `domid` 0 asks the hypervisor to choose one. Hypercall: `XEN_DOMCTL_createdomain`.
    pub fn domain_create(&self, domid: u16, config: &CreateConfig) -> Result<u16> {
        let domid = if domid == 0 { self.release().domid_any() } else { domid };
        let u = create_argument(self.release(), config)?;
        Ok(self.domctl(domctl::CREATEDOMAIN, domid, u)?.domain)
    }

    /// Destroys a domain. Hypercall: `XEN_DOMCTL_destroydomain`.
    pub fn domain_destroy(&self, domid: u16) -> Result<()> {
        self.domctl(domctl::DESTROYDOMAIN, domid, DomctlUnion::NONE).map(drop)
    }

    /// Pauses a domain once more. Hypercall: `XEN_DOMCTL_pausedomain`.
    pub fn domain_pause(&self, domid: u16) -> Result<()> {
        self.domctl(domctl::PAUSEDOMAIN, domid, DomctlUnion::NONE).map(drop)
    }

    /// Takes one pause back. Hypercall: `XEN_DOMCTL_unpausedomain`.
    pub fn domain_unpause(&self, domid: u16) -> Result<()> {
        self.domctl(domctl::UNPAUSEDOMAIN, domid, DomctlUnion::NONE).map(drop)
    }

    /// Sets a domain's UUID. Hypercall: `XEN_DOMCTL_setdomainhandle`.
    pub fn domain_set_handle(&self, domid: u16, handle: DomainHandle) -> Result<()> {
        let mut u = DomctlUnion::NONE;
        u.handle = handle;
        self.domctl(domctl::SETDOMAINHANDLE, domid, u).map(drop)
    }

    /// Makes a domain's vCPUs, as many as it was created for. Hypercall: `XEN_DOMCTL_max_vcpus`.
    pub fn domain_max_vcpus(&self, domid: u16, max_vcpus: u32) -> Result<()> {
        let mut u = DomctlUnion::NONE;
        u.max_vcpus = max_vcpus;
        self.domctl(domctl::MAX_VCPUS, domid, u).map(drop)
    }

    /// Limits a domain's memory, in KiB; the hypervisor rounds down to pages. Hypercall:
    /// `XEN_DOMCTL_max_mem`.
    pub fn domain_set_max_memory(&self, domid: u16, max_memkb: u64) -> Result<()> {
        let mut u = DomctlUnion::NONE;
        u.max_memkb = max_memkb;
        self.domctl(domctl::MAX_MEM, domid, u).map(drop)
    }

    /// Shuts a domain down as if it had done so itself, with a reason (`SHUTDOWN_*`). Hypercall:
    /// `SCHEDOP_remote_shutdown`.
    pub fn domain_shutdown(&self, domid: u16, reason: u32) -> Result<()> {
        let argument = sched::RemoteShutdown { domain_id: domid, pad: 0, reason };
        self.operation(abi::HYPERVISOR_SCHED_OP, sched::REMOTE_SHUTDOWN, argument).map(drop)
    }

    /// What the hypervisor says of one domain. Hypercall: `XEN_DOMCTL_getdomaininfo`.
    pub fn domain_info(&self, domid: u16) -> Result<DomainInfo> {
        let answer = self.domctl(domctl::GETDOMAININFO, domid, DomctlUnion::NONE)?;
        // SAFETY: every member of the union is plain integers.
        let info = unsafe { answer.u.getdomaininfo };
        // Up to 4.17 the hypervisor answers with the next domain where there is none.
        if info.domain == domid { Ok(info) } else { Err(Errno::ESRCH.into()) }
    }
}

/// The argument of `XEN_DOMCTL_createdomain` in the layout of a release.
fn create_argument(release: Release, config: &CreateConfig) -> Result<DomctlUnion> {
    let CreateConfig { domain, altp2m_count } = *config;
    let inexpressible = |field| Err(Error::Inexpressible { field, release });
    if !release.has_altp2m_opts() && domain.altp2m != 0 {
        return inexpressible("altp2m_opts");
    }
    let altp2m_count = match altp2m_count {
        Some(count) if count != 0 && !release.has_altp2m_count() => {
            return inexpressible("altp2m_count");
        }
        Some(count) => count,
        None if domain.altp2m != 0 && release.has_altp2m_count() => ALTP2MS,
        None => 0,
    };
    if domain.flags & !release.create_flags() != 0 {
        return inexpressible("flags");
    }
    let mut u = DomctlUnion::NONE;
    if release.has_altp2m_opts() {
        u.createdomain = CreateDomain { altp2m: altp2m_count << 16 | domain.altp2m, ..domain };
        return Ok(u);
    }
    let CreateDomain {
        ssidref,
        handle,
        flags,
        iommu_opts,
        max_vcpus,
        max_evtchn_port,
        max_grant_frames,
        max_maptrack_frames,
        grant_opts,
        altp2m: _,
        vmtrace_size,
        cpupool_id,
        arch,
    } = domain;
    u.createdomain_4_17 = CreateDomain417 {
        ssidref,
        handle,
        flags,
        iommu_opts,
        max_vcpus,
        max_evtchn_port,
        max_grant_frames,
        max_maptrack_frames,
        grant_opts,
        vmtrace_size,
        cpupool_id,
        arch,
    };
    Ok(u)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain() -> CreateDomain {
        CreateDomain { ssidref: 1, handle: [7; 16], vmtrace_size: 4096, ..CreateDomain::default() }
    }

    fn config(domain: CreateDomain, altp2m_count: Option<u32>) -> CreateConfig {
        CreateConfig { domain, altp2m_count }
    }

    #[test]
    fn old_releases_have_no_altp2m_word() {
        let argument = create_argument(Release::V4_18, &config(domain(), None)).unwrap();
        // SAFETY: plain integers.
        let written = unsafe { argument.createdomain_4_17 };
        assert_eq!((written.ssidref, written.handle, written.vmtrace_size), (1, [7; 16], 4096));
    }

    #[test]
    fn a_field_that_the_release_lacks_is_refused_by_name() {
        let refusal = |release, config: &CreateConfig| match create_argument(release, config) {
            Err(e) => e.to_string(),
            Ok(_) => "accepted".to_owned(),
        };
        let altp2m = |altp2m, count| config(CreateDomain { altp2m, ..domain() }, count);
        assert_eq!(
            refusal(Release::V4_17, &altp2m(1, None)),
            "altp2m_opts: Xen 4.17 has no such field, it must be zero"
        );
        assert_eq!(
            refusal(Release::V4_20, &altp2m(0, Some(1))),
            "altp2m_count: Xen 4.20 has no such field, it must be zero"
        );
        assert_eq!(refusal(Release::V4_19, &altp2m(1, Some(0))), "accepted");
        assert_eq!(refusal(Release::V4_21, &altp2m(1, Some(1))), "accepted");
        let flags = config(CreateDomain { flags: 0x100, ..domain() }, None);
        assert!(refusal(Release::V4_20, &flags).starts_with("flags: Xen 4.20"));
        assert_eq!(refusal(Release::V4_22, &flags), "accepted");
    }

    #[test]
    fn altp2m_without_a_number_is_what_it_was_before_there_was_one() {
        let word = |release, altp2m, count| {
            let domain = CreateDomain { altp2m, ..domain() };
            let argument = create_argument(release, &config(domain, count)).unwrap();
            // SAFETY: plain integers.
            unsafe { argument.createdomain }.altp2m
        };
        assert_eq!(word(Release::V4_20, 1, None), 1);
        assert_eq!(word(Release::V4_21, 1, None), 10 << 16 | 1);
        assert_eq!(word(Release::V4_22, 0, None), 0);
        // The hypervisor's to refuse.
        assert_eq!(word(Release::V4_21, 1, Some(0)), 1);
        assert_eq!(word(Release::V4_21, 0, Some(3)), 3 << 16);
    }
}
