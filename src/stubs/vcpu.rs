//! A domain's vCPUs.

use super::{Domid, Handle};
use crate::abi::domctl::VcpuInfo;
use runtime::{Build, IntoValue, Lock, RawValue, copied, export, ints, unlocked};

ints! {
    /// A vCPU's number. Upstream cuts it down to 16 bits in two of these, and acts on another vCPU.
    #[derive(Clone, Copy)]
    pub struct Vcpu(u32) = "vcpu";
}

/// The record `vcpuinfo`. Its `cpumap` is no map: it is the pCPU's number.
impl IntoValue for VcpuInfo {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        let flag = |byte: u8| Build::Int((byte != 0).into());
        Build::tuple([
            flag(self.online),
            flag(self.blocked),
            flag(self.running),
            Build::Int64(self.cpu_time as i64),
            Build::Int32(self.cpu as i32),
        ])
        .into_value(lock)
    }
}

export! {
    /// `domain_get_vcpuinfo : handle -> int -> int -> vcpuinfo`
    ///
    /// What the hypervisor says of a vCPU of a domain: `cputime` is the time that it ran, in
    /// nanoseconds, and `cpumap` the number of the pCPU that it is, or was last, on.
    ///
    /// `Error`: `EINVAL` where the domain has no vCPU of this number, `ESRCH` where it is not
    /// made yet.
    ///
    /// Hypercall: `XEN_DOMCTL_getvcpuinfo`.
    fn stub_xc_vcpu_getinfo(handle: Handle, domid: Domid, vcpu: Vcpu) -> VcpuInfo {
        Ok(unlocked(|| handle.vcpu_info(domid.0, vcpu.0))?)
    }

    /// `vcpu_affinity_set : handle -> domid -> int -> bool array -> unit`
    ///
    /// Sets on which pCPUs a vCPU may run (its hard affinity): element `i` of the array is for
    /// pCPU `i`, and pCPUs past its end are not allowed.
    ///
    /// `Invalid_argument` if the array is longer than the host can have pCPUs. `Error`: `EINVAL`
    /// where no online pCPU of the domain's CPU pool is allowed or the domain has no vCPU of this
    /// number, `ESRCH` where it is not made yet.
    ///
    /// Hypercalls: `XEN_DOMCTL_setvcpuaffinity`; once per handle `XEN_SYSCTL_physinfo`.
    fn stub_xc_vcpu_setaffinity(
        handle: Handle, domid: Domid, vcpu: Vcpu, allowed: Vec<bool>,
    ) -> () {
        Ok(unlocked(|| handle.vcpu_set_affinity(domid.0, vcpu.0, &allowed))?)
    }

    /// `vcpu_affinity_get : handle -> domid -> int -> bool array`
    ///
    /// On which pCPUs a vCPU may run (its hard affinity), as it was set: one element for each
    /// pCPU that the host can have.
    ///
    /// `Error`: `EINVAL` where the domain has no vCPU of this number, `ESRCH` where it is not made
    /// yet.
    ///
    /// Hypercalls: `XEN_DOMCTL_getvcpuaffinity`; once per handle `XEN_SYSCTL_physinfo`.
    fn stub_xc_vcpu_getaffinity(handle: Handle, domid: Domid, vcpu: Vcpu) -> Vec<bool> {
        Ok(unlocked(|| handle.vcpu_affinity(domid.0, vcpu.0))?)
    }

    /// `vcpu_context_get : handle -> domid -> int -> string`
    ///
    /// The registers of a vCPU: the 5168 bytes of a `vcpu_guest_context_t` (public/xen.h), of
    /// which a PV guest of 32 bits fills the first 2800. The vCPU is paused meanwhile.
    ///
    /// `Error`: `EINVAL` where there is no such vCPU or it is the caller's own, `ENODATA` where
    /// it was never given registers.
    ///
    /// Hypercall: `XEN_DOMCTL_getvcpucontext`.
    fn stub_xc_vcpu_context_get(handle: Handle, domid: Domid, vcpu: Vcpu) -> Vec<u8> {
        copied(&unlocked(|| handle.vcpu_context(domid.0, vcpu.0))?)
    }
}
