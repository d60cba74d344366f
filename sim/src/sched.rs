//! `sched_op`.

use crate::abi::HYPERVISOR_SCHED_OP;
use crate::abi::sched::WATCHDOG;
use crate::abi::sched::{REMOTE_SHUTDOWN, RemoteShutdown};
use crate::abi_more::sched::{SHUTDOWN, SHUTDOWN_CODE};
use crate::counters;
use crate::domain::{NO_SHUTDOWN_CODE, State};
use crate::errno::Ret;
use crate::guest;
use crate::hypervisor::{self, CALLER, Hypervisor};
use crate::ops::Kind;

/// `SCHEDOP_yield`.
const YIELD: u64 = 0;

/// The hypercall.
pub fn call(cmd: u64, addr: u64) -> Ret {
    // The command is an int.
    let cmd = u64::from(cmd as u32);
    let kind = Kind::sched_op(cmd);
    counters::count(kind);
    let kinds = [Kind::HYPERCALLS, Kind::hypercall(HYPERVISOR_SCHED_OP), kind];
    let mut hv = hypervisor::enter(&kinds)?;
    match cmd {
        YIELD => {
            drop(hv);
            std::thread::yield_now();
        }
        REMOTE_SHUTDOWN => {
            let op: RemoteShutdown = guest::read(addr)?;
            let place = hv.domains.find(op.domain_id).ok_or(libc::ESRCH)?;
            hv.privileged(kind)?;
            shutdown(&mut hv, place, op.reason);
        }
        SHUTDOWN => {
            let reason = guest::read(addr)?;
            let place = hv.find_any(CALLER)?;
            shutdown(&mut hv, place, reason);
        }
        SHUTDOWN_CODE => {
            let reason: u32 = guest::read(addr)?;
            let (place, now) = (hv.find_any(CALLER)?, hv.now());
            hv.domains.update(place, now, |_, state| first_reason(state, reason));
        }
        WATCHDOG => {
            let [id, timeout] = guest::read(addr)?;
            return watchdog(&mut hv.watchdogs, id, timeout);
        }
        _ => return Err(libc::ENOSYS),
    }
    Ok(0)
}

/// The first reason counts. Any is accepted, cut to a byte.
fn first_reason(state: &mut State, reason: u32) {
    if state.shutdown_code == NO_SHUTDOWN_CODE {
        state.shutdown_code = reason & 0xFF;
    }
}

fn shutdown(hv: &mut Hypervisor, place: usize, reason: u32) {
    if hv.domains.domid(place) == CALLER {
        eprintln!("xensim: dom0 shut down (reason {reason}): a real host would stop");
    }
    let now = hv.now();
    hv.domains.update(place, now, |_, state| {
        first_reason(state, reason);
        state.shut_down = true;
    });
}

/// Dom0's watchdog timers, by their numbers; those in use have a timeout in seconds. Nothing happens
/// when it is over.
pub type Watchdogs = [Option<u32>; 2];

/// Starts, restarts or stops a timer; number 0 is the first that is free, which is the answer.
fn watchdog(timers: &mut Watchdogs, id: u32, timeout: u32) -> Ret {
    if id as usize > timers.len() {
        return Err(libc::EINVAL);
    }
    if id == 0 {
        let free = timers.iter().position(Option::is_none).ok_or(libc::ENOSPC)?;
        timers[free] = Some(timeout);
        return Ok(free as i64 + 1);
    }
    let timer = &mut timers[id as usize - 1];
    if timer.is_none() {
        return Err(libc::EINVAL);
    }
    *timer = Some(timeout).filter(|&timeout| timeout != 0);
    Ok(0)
}
