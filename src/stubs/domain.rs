//! What is done to one domain.

use super::{Domid, Handle, uuid::Uuid};
use crate::abi::sched;
use runtime::{Argument, Exception, Val, constructor, export, ints, unlocked};

/// The type `shutdown_reason`, whose constructors are in the order of `SHUTDOWN_*` (sched.h).
pub struct ShutdownReason(u32);

impl Argument for ShutdownReason {
    fn read(value: Val<'_>) -> Result<ShutdownReason, Exception> {
        constructor(value, sched::SHUTDOWN_MAX + 1, "shutdown_reason").map(ShutdownReason)
    }
}

ints! {
    /// A number of vCPUs.
    pub struct VcpuCount(u32) = "max_vcpus";
}

/// An amount of memory in KiB.
pub struct Kib(pub u64);

impl Argument for Kib {
    fn read(value: Val<'_>) -> Result<Kib, Exception> {
        let kib = value.int64();
        u64::try_from(kib)
            .map(Kib)
            .map_err(|_| Exception::Invalid(format!("memory: {kib} KiB is out of range")))
    }
}

export! {
    /// `domain_sethandle : handle -> domid -> string -> unit`
    ///
    /// Sets the UUID of a domain, given as text.
    ///
    /// Hypercall: `XEN_DOMCTL_setdomainhandle`.
    fn stub_xc_domain_sethandle(handle: Handle, domid: Domid, uuid: Uuid) -> () {
        Ok(unlocked(|| handle.domain_set_handle(domid.0, uuid.0))?)
    }

    /// `domain_max_vcpus : handle -> domid -> int -> unit`
    ///
    /// Makes the vCPUs of a domain; their number must be the one that it was created for.
    ///
    /// Hypercall: `XEN_DOMCTL_max_vcpus`.
    fn stub_xc_domain_max_vcpus(handle: Handle, domid: Domid, count: VcpuCount) -> () {
        Ok(unlocked(|| handle.domain_max_vcpus(domid.0, count.0))?)
    }

    /// `domain_pause : handle -> domid -> unit`
    ///
    /// Pauses a domain. Pauses are counted.
    ///
    /// Hypercall: `XEN_DOMCTL_pausedomain`.
    fn stub_xc_domain_pause(handle: Handle, domid: Domid) -> () {
        Ok(unlocked(|| handle.domain_pause(domid.0))?)
    }

    /// `domain_unpause : handle -> domid -> unit`
    ///
    /// Takes one pause back; the domain runs when none is left. A new domain has one.
    ///
    /// Hypercall: `XEN_DOMCTL_unpausedomain`.
    fn stub_xc_domain_unpause(handle: Handle, domid: Domid) -> () {
        Ok(unlocked(|| handle.domain_unpause(domid.0))?)
    }

    /// `domain_resume_fast : handle -> domid -> unit`
    ///
    /// Resumes a domain that has suspended itself, in the environment that it had: its call to
    /// `SCHEDOP_shutdown` returns 1. An HVM guest without PV drivers just goes on.
    ///
    /// `Error`: `EINVAL` where the domain is not shut down for suspension.
    ///
    /// Hypercalls: `XEN_DOMCTL_getdomaininfo`; `HVMOP_get_param` for an HVM guest,
    /// `XEN_DOMCTL_get_address_size` for a PV guest; `XEN_DOMCTL_getvcpucontext` and
    /// `XEN_DOMCTL_setvcpucontext` but for an HVM guest without PV drivers;
    /// `XEN_DOMCTL_resumedomain`.
    fn stub_xc_domain_resume_fast(handle: Handle, domid: Domid) -> () {
        Ok(unlocked(|| handle.domain_resume_fast(domid.0))?)
    }

    /// `domain_destroy : handle -> domid -> unit`
    ///
    /// Destroys a domain and frees its memory.
    ///
    /// Hypercall: `XEN_DOMCTL_destroydomain`.
    fn stub_xc_domain_destroy(handle: Handle, domid: Domid) -> () {
        Ok(unlocked(|| handle.domain_destroy(domid.0))?)
    }

    /// `domain_shutdown : handle -> domid -> shutdown_reason -> unit`
    ///
    /// Shuts a domain down for a reason, as if it had done so itself.
    ///
    /// Hypercall: `SCHEDOP_remote_shutdown`.
    fn stub_xc_domain_shutdown(handle: Handle, domid: Domid, reason: ShutdownReason) -> () {
        Ok(unlocked(|| handle.domain_shutdown(domid.0, reason.0))?)
    }

    /// `domain_setmaxmem : handle -> domid -> int64 -> unit`
    ///
    /// Limits the memory of a domain, in KiB, rounded down to pages. The hypervisor keeps at most
    /// 2^32 - 1 pages: a greater limit is that one.
    ///
    /// Hypercall: `XEN_DOMCTL_max_mem`.
    fn stub_xc_domain_setmaxmem(handle: Handle, domid: Domid, limit: Kib) -> () {
        Ok(unlocked(|| handle.domain_set_max_memory(domid.0, limit.0))?)
    }
}
