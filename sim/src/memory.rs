//! `memory_op`: how much memory domains have.

use crate::abi::HYPERVISOR_MEMORY_OP;
use crate::abi::memory::{ForeignMemoryMap, INCREASE_RESERVATION, Reservation, SET_MEMORY_MAP};
use crate::abi_more::DOMID_SELF;
use crate::abi_more::memory::{
    CURRENT_RESERVATION, DECREASE_RESERVATION, E820_ENTRY, MAXIMUM_GPFN, MAXIMUM_RAM_PAGE,
    MAXIMUM_RESERVATION, POPULATE_PHYSMAP,
};
use crate::counters;
use crate::errno::Ret;
use crate::guest;
use crate::hypervisor::{self, CALLER, Hypervisor};
use crate::ops::Kind;

/// The command's bits; those above them say how many extents a continuation has done.
const CMD: u64 = 0x3F;
/// More extents than this cannot be counted in those.
const MAX_EXTENTS: u64 = (u32::MAX >> 6) as u64;
/// The largest extent that dom0 can ask for.
const MAX_ORDER: u32 = 18;
/// The most entries of a memory map.
const E820_MAX: u32 = 1024;

/// The hypercall.
pub fn call(cmd: u64, addr: u64) -> Ret {
    let (op, start) = (cmd & CMD, cmd >> 6);
    let kind = Kind::memory_op(op);
    counters::count(kind);
    let kinds = [Kind::HYPERCALLS, Kind::hypercall(HYPERVISOR_MEMORY_OP), kind];
    let mut hv = hypervisor::enter(&kinds)?;
    match op {
        INCREASE_RESERVATION | DECREASE_RESERVATION | POPULATE_PHYSMAP => {
            // What goes wrong with these is told by the number of extents alone.
            Ok(reservation(&mut hv, kind, op, start, addr).unwrap_or(start) as i64)
        }
        _ if start != 0 => Err(libc::EINVAL),
        MAXIMUM_RAM_PAGE => Ok(crate::sysctl::max_mfn(&hv) as i64 + 1),
        CURRENT_RESERVATION | MAXIMUM_RESERVATION | MAXIMUM_GPFN => {
            let place = hv.find_any(guest::read(addr)?)?;
            let (record, state) = (hv.domains.info(place, 0), hv.domains.state(place));
            hv.privileged_over(kind, record.domain)?;
            Ok(match op {
                CURRENT_RESERVATION => record.tot_pages as i64,
                MAXIMUM_RESERVATION => record.max_pages as i64,
                _ => hv.frames.ask(&record, state, super::frames::Ranges::last).unwrap_or(0) as i64,
            })
        }
        SET_MEMORY_MAP => {
            let map: ForeignMemoryMap = guest::read(addr)?;
            if map.nr_entries > E820_MAX {
                return Err(libc::EINVAL);
            }
            let place = hv.find_any(map.domid)?;
            hv.privileged_over(kind, hv.domains.domid(place))?;
            if map.nr_entries != 0 {
                guest::read_bytes(map.buffer, map.nr_entries as usize * E820_ENTRY)?;
            }
            Ok(0)
        }
        _ => Err(libc::ENOSYS),
    }
}

/// How many extents are done, the first `start` of them before.
fn reservation(hv: &mut Hypervisor, kind: Kind, op: u64, start: u64, addr: u64) -> Ret<u64> {
    let arg: Reservation = guest::read(addr)?;
    if arg.nr_extents > MAX_EXTENTS || start >= arg.nr_extents {
        return Ok(start);
    }
    let domid = if arg.domid == DOMID_SELF { CALLER } else { arg.domid };
    let place = hv.find_any(domid)?;
    hv.privileged_over(kind, domid)?;
    let listed = arg.extent_start != 0 || op != INCREASE_RESERVATION;
    if listed {
        guest::check_array(arg.extent_start, arg.nr_extents, size_of::<u64>())?;
    }
    if arg.extent_order > MAX_ORDER {
        return Ok(start);
    }
    let size = 1_u64 << arg.extent_order;
    let record = hv.domains.info(place, 0);
    let state = *hv.domains.state(place);
    let room = record.max_pages.saturating_sub(record.tot_pages).min(hv.free_pages());
    let possible = if state.dying { 0 } else { room / size };
    let wanted = arg.nr_extents - start;
    let mut done = 0;
    let frames = hv.frames.of(&record, &state);
    let entry = |i: u64| arg.extent_start + (start + i) * 8;
    match op {
        INCREASE_RESERVATION if state.hvm => done = wanted.min(possible),
        INCREASE_RESERVATION => {
            // Below what it has for its shared info page only.
            let mut next =
                (record.tot_pages..=u64::MAX).find(|&frame| !frames.has(frame)).unwrap_or(0);
            if arg.extent_start == 0 {
                done = wanted.min(possible);
                frames.add(next..next + done * size);
            }
            while done < wanted.min(possible) {
                frames.add(next..next + size);
                if guest::write(entry(done), &next).is_err() {
                    break;
                }
                next += size;
                done += 1;
            }
        }
        POPULATE_PHYSMAP => {
            while done < wanted.min(possible) {
                let Ok(frame) = guest::read::<u64>(entry(done)) else { break };
                let Some(end) = frame.checked_add(size).filter(|&end| end <= 1 << 40) else {
                    break;
                };
                frames.add(frame..end);
                done += 1;
            }
        }
        _ => {
            while done < wanted {
                let Ok(frame) = guest::read::<u64>(entry(done)) else { break };
                let Some(end) = frame.checked_add(size) else { break };
                if !(frame..end).all(|frame| frames.has(frame)) {
                    break;
                }
                frames.remove(frame..end);
                done += 1;
            }
        }
    }
    let now = hv.now();
    hv.domains.update(place, now, |record, _| {
        record.tot_pages = match op {
            DECREASE_RESERVATION => record.tot_pages.saturating_sub(done * size),
            _ => record.tot_pages + done * size,
        };
    });
    Ok(start + done)
}
