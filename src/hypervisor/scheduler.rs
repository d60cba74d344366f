//! The scheduler.

#![allow(unsafe_code)]

use super::{Result, Xen, buffer::Purpose};
use crate::abi::{
    domctl::{self, DomctlUnion, SchedCredit, SchedulerOp},
    sysctl::{self, SysctlUnion},
};

impl Xen {
    /// Which scheduler the default CPU pool has (`XEN_SCHEDULER_*`). Hypercall:
    /// `XEN_SYSCTL_sched_id`.
    pub fn scheduler(&self) -> Result<u32> {
        let mut lease = self.lease(Purpose::Argument)?;
        let answer = self.sysctl(&mut lease, sysctl::SCHED_ID, SysctlUnion::NONE)?;
        // SAFETY: every member of the union is plain integers.
        Ok(unsafe { answer.u.sched_id })
    }

    /// Sets a domain's parameters in the scheduler credit. Hypercall: `XEN_DOMCTL_scheduler_op`.
    pub fn domain_set_credit(&self, domid: u16, credit: SchedCredit) -> Result<()> {
        self.credit_op(domid, domctl::SCHEDOP_PUTINFO, credit).map(drop)
    }

    /// A domain's parameters in the scheduler credit. Hypercall: `XEN_DOMCTL_scheduler_op`.
    pub fn domain_credit(&self, domid: u16) -> Result<SchedCredit> {
        self.credit_op(domid, domctl::SCHEDOP_GETINFO, SchedCredit::default())
    }

    fn credit_op(&self, domid: u16, cmd: u32, credit: SchedCredit) -> Result<SchedCredit> {
        let mut u = DomctlUnion::NONE;
        u.scheduler_op =
            SchedulerOp { sched_id: domctl::SCHEDULER_CREDIT, cmd, credit, pad: [0; 3] };
        let answer = self.domctl(domctl::SCHEDULER_OP, domid, u)?;
        // SAFETY: every member of the union is plain integers.
        Ok(unsafe { answer.u.scheduler_op }.credit)
    }
}
