//! Resuming a domain that has suspended itself.

#![allow(unsafe_code)]

use super::{Errno, Result, Xen};
use crate::abi::{
    domctl::{self, DomainInfo, DomctlUnion, VCPU_CONTEXT_EAX_32, VCPU_CONTEXT_RAX},
    hvm, sched,
};
use std::ops::Range;

impl Xen {
    /// Resumes a domain that has suspended itself, in the environment that it had: its call to
    /// `SCHEDOP_shutdown` returns 1, "the suspension was cancelled".
    ///
    /// The call's return value is a register of vCPU 0, which is written first. An HVM guest
    /// without PV drivers has made no such call: its registers are left alone.
    ///
    /// Fails with `EINVAL` if the domain has not suspended itself. Hypercalls:
    /// `XEN_DOMCTL_getdomaininfo`; `HVMOP_get_param` (HVM) or `XEN_DOMCTL_get_address_size` (PV);
    /// `XEN_DOMCTL_getvcpucontext` and `XEN_DOMCTL_setvcpucontext`, unless it is HVM without PV
    /// drivers; `XEN_DOMCTL_resumedomain`.
    pub fn domain_resume_fast(&self, domid: u16) -> Result<()> {
        let info = self.domain_info(domid)?;
        if !is_suspended(&info) {
            return Err(Errno::EINVAL.into());
        }
        if let Some(register) = self.return_value(domid, &info)? {
            let mut context = self.vcpu_context(domid, 0)?;
            let width = register.len();
            context[register].copy_from_slice(&1u64.to_le_bytes()[..width]);
            self.vcpu_set_context(domid, 0, &context)?;
        }
        self.domctl(domctl::RESUMEDOMAIN, domid, DomctlUnion::NONE).map(drop)
    }

    /// Which bytes of vCPU 0's context are the return value of its hypercall, if it made one.
    fn return_value(&self, domid: u16, info: &DomainInfo) -> Result<Option<Range<usize>>> {
        const RAX: Range<usize> = VCPU_CONTEXT_RAX..VCPU_CONTEXT_RAX + 8;
        const EAX: Range<usize> = VCPU_CONTEXT_EAX_32..VCPU_CONTEXT_EAX_32 + 4;
        if info.flags & domctl::DOMINF_HVM_GUEST != 0 {
            // The context of an HVM guest is of the hypervisor's width.
            let has_pv_drivers = self.hvm_param(domid, hvm::PARAM_CALLBACK_IRQ)? != 0;
            return Ok(has_pv_drivers.then_some(RAX));
        }
        let answer = self.domctl(domctl::GET_ADDRESS_SIZE, domid, DomctlUnion::NONE)?;
        // SAFETY: every member of the union is plain integers.
        let width = unsafe { answer.u.address_size };
        Ok(Some(if width == 32 { EAX } else { RAX }))
    }
}

fn is_suspended(info: &DomainInfo) -> bool {
    info.flags & domctl::DOMINF_SHUTDOWN != 0
        && domctl::shutdown_code(info.flags) == sched::SHUTDOWN_SUSPEND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_domain_that_is_shut_down_for_suspension_is_suspended() {
        let suspended = |flags| is_suspended(&DomainInfo { flags, ..DomainInfo::default() });
        assert!(suspended(domctl::DOMINF_SHUTDOWN | 2 << 16));
        assert!(suspended(domctl::DOMINF_SHUTDOWN | domctl::DOMINF_HVM_GUEST | 2 << 16));
        assert!(!suspended(2 << 16));
        for reason in [0, 1, 3, 4, 5, 255] {
            assert!(!suspended(domctl::DOMINF_SHUTDOWN | reason << 16));
        }
    }
}
