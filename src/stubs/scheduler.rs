//! The scheduler.

use super::{Domid, Handle};
use crate::abi::domctl::SchedCredit;
use runtime::{Argument, Build, Exception, IntoValue, Lock, RawValue, Val, export, int, unlocked};

/// The record `sched_control`.
impl Argument for SchedCredit {
    fn read(record: Val<'_>) -> Result<SchedCredit, Exception> {
        Ok(SchedCredit {
            weight: int(record.field(0), "weight")?,
            cap: int(record.field(1), "cap")?,
        })
    }
}

/// Likewise.
impl IntoValue for SchedCredit {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        Build::tuple([self.weight, self.cap].map(|n| Build::Int(n.into()))).into_value(lock)
    }
}

export! {
    /// `sched_id : handle -> int`
    ///
    /// Which scheduler the default CPU pool has (`XEN_SCHEDULER_*`, public/domctl.h): 5 credit,
    /// 6 credit2, 7 arinc653, 8 rtds, 9 null.
    ///
    /// Hypercall: `XEN_SYSCTL_sched_id`.
    fn stub_xc_sched_id(handle: Handle) -> u32 {
        Ok(unlocked(|| handle.scheduler())?)
    }

    /// `sched_credit_domain_set : handle -> domid -> sched_control -> unit`
    ///
    /// Sets a domain's weight and cap (in percent of one pCPU, 0: no limit) in the scheduler
    /// credit.
    ///
    /// `Invalid_argument` where either is outside 0..65535. `Error`: `EINVAL` where the domain's
    /// CPU pool has another scheduler.
    ///
    /// Hypercall: `XEN_DOMCTL_scheduler_op`.
    fn stub_sched_credit_domain_set(handle: Handle, domid: Domid, credit: SchedCredit) -> () {
        Ok(unlocked(|| handle.domain_set_credit(domid.0, credit))?)
    }

    /// `sched_credit_domain_get : handle -> domid -> sched_control`
    ///
    /// A domain's weight and cap in the scheduler credit.
    ///
    /// `Error`: `EINVAL` where the domain's CPU pool has another scheduler.
    ///
    /// Hypercall: `XEN_DOMCTL_scheduler_op`.
    fn stub_sched_credit_domain_get(handle: Handle, domid: Domid) -> SchedCredit {
        Ok(unlocked(|| handle.domain_credit(domid.0))?)
    }
}
