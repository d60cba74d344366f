//! Weights and caps; dom0's watchdog and its shutdown.

use super::{Simulation, addr, simulate};
use crate::abi::HYPERVISOR_SCHED_OP;
use crate::abi::domctl::*;
use crate::abi::release::Release;
use crate::abi::sched::{WATCHDOG, Watchdog};
use crate::errno::Ret;
use crate::hypervisor::hypercall;

fn adjust(sim: &Simulation, sched_id: u32, cmd: u32, weight: u16, cap: u16) -> (i32, u16, u16) {
    let credit = SchedCredit { weight, cap };
    let mut op = SchedulerOp { sched_id, cmd, credit, pad: [0; 3] };
    let result = sim.apply(SCHEDULER_OP, 3, &mut op);
    (result, op.credit.weight, op.credit.cap)
}

#[test]
fn weights_and_caps() {
    for release in Release::ALL {
        let sim = simulate(release, "vcpus=2,novcpus=0");
        let id = SCHEDULER_CREDIT2;
        let get = || adjust(&sim, id, SCHEDOP_GETINFO, 9, 9);
        assert_eq!(get(), (0, 256, 0));
        assert_eq!(adjust(&sim, id, SCHEDOP_PUTINFO, 512, 200).0, 0);
        assert_eq!(get(), (0, 512, 200));
        assert_eq!(adjust(&sim, id, SCHEDOP_PUTINFO, 300, 201).0, libc::EINVAL);
        assert_eq!(get(), (0, 300, 200), "the weight is set by then");
        assert_eq!(adjust(&sim, id, SCHEDOP_PUTINFO, 0, 0).0, 0);
        assert_eq!(get(), (0, 300, 0));
        assert_eq!(adjust(&sim, SCHEDULER_CREDIT, SCHEDOP_GETINFO, 9, 9), (libc::EINVAL, 9, 9));
        assert_eq!(adjust(&sim, id, 2, 0, 0).0, libc::EINVAL);
        assert_eq!(sim.act(SCHEDULER_OP, 3000), libc::ESRCH);
        drop(sim);
        let sim = simulate(release, "vcpus=2,novcpus=0,scheduler=credit");
        let id = SCHEDULER_CREDIT;
        assert_eq!(adjust(&sim, id, SCHEDOP_PUTINFO, 128, 5000).0, 0);
        assert_eq!(adjust(&sim, id, SCHEDOP_PUTINFO, 0, 0xFFFF).0, 0);
        assert_eq!(adjust(&sim, id, SCHEDOP_GETINFO, 0, 0), (0, 128, 5000));
    }
}

fn watchdog(id: u32, timeout: u32) -> Ret {
    hypercall(HYPERVISOR_SCHED_OP, [WATCHDOG, addr(&mut Watchdog { id, timeout }), 0, 0, 0])
}

#[test]
fn there_are_two_watchdogs() {
    let _sim = simulate(Release::V4_20, "");
    assert_eq!([watchdog(1, 5), watchdog(3, 5)], [Err(libc::EINVAL); 2]);
    assert_eq!([watchdog(0, 5), watchdog(0, 0), watchdog(0, 5)], [Ok(1), Ok(2), Err(libc::ENOSPC)]);
    assert_eq!([watchdog(1, 9), watchdog(1, 0), watchdog(1, 0)], [Ok(0), Ok(0), Err(libc::EINVAL)]);
    assert_eq!(watchdog(0, 1), Ok(1));
    assert_eq!(hypercall(HYPERVISOR_SCHED_OP, [WATCHDOG, 0, 0, 0, 0]), Err(libc::EFAULT));
}

#[test]
fn dom0_can_shut_itself_down() {
    let sim = simulate(Release::V4_20, "");
    let mut reason = 3_u32;
    assert_eq!(hypercall(HYPERVISOR_SCHED_OP, [2, addr(&mut reason), 0, 0, 0]), Ok(0));
    let flags = sim.list()[0].flags;
    assert_eq!((flags & DOMINF_SHUTDOWN, flags >> 16), (DOMINF_SHUTDOWN, 3));
}
