//! `XEN_DOMCTL_scheduler_op`: weights and caps of domains.

use crate::abi::domctl::{
    SCHEDOP_GETINFO, SCHEDOP_PUTINFO, SCHEDULER_CREDIT, SCHEDULER_CREDIT2, SchedulerOp,
};
use crate::errno::Ret;
use crate::hypervisor::Hypervisor;

/// A cap that leaves the cap as it is, to the credit scheduler.
const SAME_CAP: u16 = u16::MAX;

/// The scheduler of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// The older one.
    Credit,
    /// The default.
    Credit2,
}

impl Scheduler {
    /// `XEN_SCHEDULER_*`.
    pub fn id(self) -> u32 {
        match self {
            Scheduler::Credit => SCHEDULER_CREDIT,
            Scheduler::Credit2 => SCHEDULER_CREDIT2,
        }
    }
}

/// The operation.
pub fn adjust(hv: &mut Hypervisor, place: usize, op: &mut SchedulerOp) -> Ret<()> {
    let scheduler = hv.config.scheduler;
    if op.sched_id != scheduler.id() {
        return Err(libc::EINVAL);
    }
    let state = *hv.domains.state(place);
    match op.cmd {
        SCHEDOP_GETINFO => {
            (op.credit.weight, op.credit.cap) = (state.weight, state.cap);
            Ok(())
        }
        SCHEDOP_PUTINFO => {
            let now = hv.now();
            let vcpus = u32::from(hv.domains.info(place, now).max_vcpu_id.wrapping_add(1) as u16);
            let op = op.credit;
            let weight = if op.weight == 0 { state.weight } else { op.weight };
            let (cap, result) = match scheduler {
                Scheduler::Credit if op.cap == SAME_CAP => (state.cap, Ok(())),
                Scheduler::Credit => (op.cap, Ok(())),
                // The weight is set by then.
                Scheduler::Credit2 if u32::from(op.cap) > 100 * vcpus => {
                    (state.cap, Err(libc::EINVAL))
                }
                Scheduler::Credit2 => (op.cap, Ok(())),
            };
            hv.domains.update(place, now, |_, state| (state.weight, state.cap) = (weight, cap));
            result
        }
        // Neither scheduler has parameters for single vCPUs.
        _ => Err(libc::EINVAL),
    }
}
