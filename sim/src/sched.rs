//! `sched_op`.

use crate::abi::HYPERVISOR_SCHED_OP;
use crate::abi::sched::{REMOTE_SHUTDOWN, RemoteShutdown};
use crate::counters;
use crate::domain::NO_SHUTDOWN_CODE;
use crate::errno::Ret;
use crate::guest;
use crate::hypervisor::{self, CALLER};
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
            if op.domain_id == CALLER {
                eprintln!("xensim: dom0 shut down (reason {}): a real host would stop", op.reason);
            }
            let now = hv.now();
            hv.domains.update(place, now, |_, state| {
                // The first reason counts. Any is accepted, cut to a byte.
                if state.shutdown_code == NO_SHUTDOWN_CODE {
                    state.shutdown_code = op.reason & 0xFF;
                }
                state.shut_down = true;
            });
        }
        _ => return Err(libc::ENOSYS),
    }
    Ok(0)
}
