//! Event channels.

use super::{addr, simulate};
use crate::abi::HYPERVISOR_EVENT_CHANNEL_OP;
use crate::abi::domctl::{DESTROYDOMAIN, DOMINF_HVM_GUEST, PAUSEDOMAIN};
use crate::abi::event_channel::*;
use crate::abi::release::Release;
use crate::hypervisor::hypercall;

const ALIVE: &str = "novcpus=0,paused=0,shutdown=0,dying=0";

fn op<T>(cmd: u64, arg: &mut T) -> i32 {
    hypercall(HYPERVISOR_EVENT_CHANNEL_OP, [cmd, addr(arg), 0, 0, 0]).err().unwrap_or(0)
}

fn alloc(dom: u16, remote_dom: u16) -> Result<u32, i32> {
    let mut arg = AllocUnbound { dom, remote_dom, port: 0 };
    match op(ALLOC_UNBOUND, &mut arg) {
        0 => Ok(arg.port),
        errno => Err(errno),
    }
}

fn status(dom: u16, port: u32) -> Result<(u32, u32, u32, u32), i32> {
    let mut arg = Status { dom, port, ..Status::default() };
    match op(STATUS, &mut arg) {
        0 => Ok((arg.status, arg.vcpu, arg.end, arg.end_port)),
        errno => Err(errno),
    }
}

fn reset(dom: u16) -> i32 {
    op(RESET, &mut { Reset { dom } })
}

#[test]
fn channels_have_two_ends() {
    for release in Release::ALL {
        let sim = simulate(release, &format!("hvm=0,pvh=0,vcpus=2,{ALIVE}"));
        assert_eq!(status(3, 0), Ok((STATUS_CLOSED, 0, 0, 0)));
        let (kind, _, domid, port) = status(3, 1).unwrap();
        assert_eq!((kind, domid), (STATUS_INTERDOMAIN, 0));
        assert_eq!(status(0, port), Ok((STATUS_INTERDOMAIN, 0, 3, 1)));
        assert_eq!(status(3, 3), Ok((STATUS_VIRQ, 0, 0, 0)));
        assert_eq!(status(3, 4), Ok((STATUS_IPI, 0, 0, 0)));
        assert_eq!(status(0, 3), Ok((STATUS_VIRQ, 0, 3, 0)));
        assert_eq!(status(0x7FF0, 4), Ok((STATUS_PIRQ, 0, 9, 0)));
        assert_eq!(status(3, 63), Ok((STATUS_CLOSED, 0, 0, 0)));
        assert_eq!(status(3, 64), Err(libc::EINVAL));
        assert_eq!(status(3000, 1), Err(libc::ESRCH));
        assert_eq!(sim.act(DESTROYDOMAIN, 3), 0);
        assert_eq!(status(0, port), Ok((STATUS_UNBOUND, 0, 3, 0)), "the other end waits");
    }
}

#[test]
fn ports_are_allocated_in_order() {
    let _sim = simulate(Release::V4_20, &format!("hvm=100,pvh=0,{ALIVE}"));
    assert_eq!([alloc(3, 0), alloc(3, 4), alloc(3, 0x7FF0)], [Ok(3), Ok(4), Ok(5)]);
    assert_eq!(status(3, 4), Ok((STATUS_UNBOUND, 0, 4, 0)));
    assert_eq!(status(3, 5), Ok((STATUS_UNBOUND, 0, 0, 0)));
    assert_eq!(alloc(3, 31000), Ok(6), "nobody has to be there");
    assert_eq!(alloc(3000, 0), Err(libc::ESRCH));
    for port in 7..=1023 {
        assert_eq!(alloc(3, 0), Ok(port));
    }
    assert_eq!(alloc(3, 0), Err(libc::ENOSPC));
    assert_eq!(status(3, 1023), Ok((STATUS_UNBOUND, 0, 0, 0)));
    assert_eq!(hypercall(32, [6, 0, 0, 0, 0]), Err(libc::EFAULT));
    assert_eq!(hypercall(32, [3, 0, 0, 0, 0]), Err(libc::ENOSYS));
}

#[test]
fn a_reset_wants_a_paused_domain() {
    let sim = simulate(Release::V4_20, &format!("{ALIVE},hvm=50,pvh=0,domains=40"));
    let hvm = sim.guest(|d| d.flags & DOMINF_HVM_GUEST != 0);
    let port = status(hvm, 1).unwrap().3;
    assert_eq!(reset(hvm), libc::EINVAL);
    assert_eq!(sim.act(PAUSEDOMAIN, hvm), 0);
    assert_eq!(reset(hvm), 0);
    assert_eq!(status(hvm, 1), Ok((STATUS_CLOSED, 0, 0, 0)));
    assert_eq!(status(0, port), Ok((STATUS_UNBOUND, 0, hvm.into(), 0)));
    assert_eq!(alloc(hvm, 0), Ok(1));
    assert_eq!(reset(3000), libc::ESRCH);
    let other = sim.guest(|d| d.domain != hvm);
    assert_eq!(reset(0), 0, "its own");
    assert_eq!(status(0, 1), Ok((STATUS_CLOSED, 0, 0, 0)));
    assert_eq!(status(other, 1), Ok((STATUS_UNBOUND, 0, 0, 0)));
}

#[test]
fn anybody_has_channels_of_his_own() {
    let sim = simulate(Release::V4_20, "privileged=no");
    assert_eq!(alloc(0x7FF0, 3), Ok(5));
    assert_eq!(alloc(3, 0), Err(libc::EPERM));
    assert_eq!((reset(3), status(3, 1)), (libc::EPERM, Err(libc::EPERM)));
    drop(sim);
    let sim = simulate(Release::V4_20, "flask=deny:event_channel_op.status");
    assert_eq!(status(0, 1), Err(libc::EACCES));
    drop(sim);
    let _sim = simulate(Release::V4_20, "dying=100,running=0,paused=0,shutdown=0,novcpus=0");
    assert_eq!(alloc(3, 0), Err(libc::EINVAL));
}
