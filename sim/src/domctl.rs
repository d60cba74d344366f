//! `domctl`: operations on one domain.

use crate::abi::domctl::{self, Domctl};
use crate::abi::release::Release;
use crate::abi::{DOMID_FIRST_RESERVED, HYPERVISOR_DOMCTL};
use crate::counters;
use crate::createdomain;
use crate::errno::Ret;
use crate::guest;
use crate::hypervisor::{self, CALLER, Hypervisor};
use crate::ops::Kind;

/// `XEN_DOMCTL_get_domain_state`, the one domctl with a stable form (since 4.21). Not simulated.
const GET_DOMAIN_STATE: u32 = 90;
/// `DOMID_INVALID` (public/xen.h).
const DOMID_INVALID: u16 = 0x7FF4;
/// How often the toolstack can pause one domain.
const MAX_PAUSES: u32 = 255;

/// The hypercall.
pub fn call(addr: u64) -> Ret {
    let mut op: Domctl = guest::read(addr)?;
    let kind = Kind::domctl(op.cmd);
    counters::count(kind);
    let kinds = [Kind::HYPERCALLS, Kind::hypercall(HYPERVISOR_DOMCTL), kind];
    let mut hv = hypervisor::enter(&kinds)?;
    let stable = op.cmd == GET_DOMAIN_STATE && hv.release() >= Release::V4_21;
    if op.interface_version != if stable { 0 } else { hv.config.version.domctl } {
        return Err(libc::EACCES);
    }
    let copy_back = match op.cmd {
        domctl::CREATEDOMAIN => {
            hv.privileged(kind)?;
            createdomain::create(&mut hv, &mut op)?;
            true
        }
        domctl::GETDOMAININFO => {
            getdomaininfo(&hv, kind, &mut op)?;
            true
        }
        _ => {
            on_domain(&mut hv, kind, &op, stable)?;
            false
        }
    };
    if copy_back {
        guest::write(addr, &op)?;
    }
    Ok(0)
}

/// The error of a domid that no domain has.
fn no_domain(hv: &Hypervisor) -> i32 {
    // From 4.22 on, only the control domain may learn that.
    if hv.release() >= Release::V4_22 && !hv.config.privileged { libc::EPERM } else { libc::ESRCH }
}

fn getdomaininfo(hv: &Hypervisor, kind: Kind, op: &mut Domctl) -> Ret<()> {
    let mut found = hv.domains.find(op.domain);
    if found.is_none() && hv.release().getdomaininfo_answers_next() {
        if op.domain >= DOMID_FIRST_RESERVED {
            return Err(libc::EINVAL);
        }
        found = Some(hv.domains.place(op.domain)).filter(|&place| place < hv.domains.len());
    }
    let place = found.ok_or_else(|| no_domain(hv))?;
    hv.privileged(kind)?;
    if hv.config.hide.contains(&hv.domains.domid(place)) {
        return Err(libc::EACCES);
    }
    let info = hv.domains.info(place, hv.now());
    op.domain = info.domain;
    op.u.getdomaininfo = info;
    Ok(())
}

/// Operations on a domain that exists, which answer nothing but success.
fn on_domain(hv: &mut Hypervisor, kind: Kind, op: &Domctl, stable: bool) -> Ret<()> {
    if stable && op.domain == DOMID_INVALID {
        hv.privileged(kind)?;
        return Err(libc::ENOSYS);
    }
    let place = hv.domains.find(op.domain).ok_or_else(|| no_domain(hv))?;
    hv.privileged(kind)?;
    let now = hv.now();
    let own = op.domain == CALLER;
    let state = hv.domains.state(place);
    let refuse = |reason: bool| if reason { Err(libc::EINVAL) } else { Ok(()) };
    match op.cmd {
        domctl::PAUSEDOMAIN => {
            refuse(own)?;
            if state.pauses == MAX_PAUSES {
                return Err(libc::EOVERFLOW);
            }
            hv.domains.update(place, now, |_, state| state.pauses += 1);
        }
        domctl::UNPAUSEDOMAIN => {
            refuse(state.pauses == 0)?;
            hv.domains.update(place, now, |_, state| state.pauses -= 1);
        }
        domctl::DESTROYDOMAIN => {
            refuse(own)?;
            // One that is dying already stays: whatever holds it still does.
            if !state.dying {
                hv.domains.remove(place);
            }
        }
        domctl::MAX_VCPUS => {
            // SAFETY: every byte of the operation was read, and any bytes are a value.
            let max = unsafe { op.u.max_vcpus };
            refuse(own || max != state.max_vcpus)?;
            // They are there from now on, and offline until a context is set.
            hv.domains.update(place, now, |record, _| record.max_vcpu_id = max - 1);
        }
        domctl::MAX_MEM => {
            // SAFETY: as above.
            let pages = unsafe { op.u.max_memkb } >> 2;
            let pages = pages.min(u32::MAX.into());
            hv.domains.update(place, now, |record, _| record.max_pages = pages);
        }
        domctl::SETDOMAINHANDLE => {
            // SAFETY: as above.
            let handle = unsafe { op.u.handle };
            hv.domains.update(place, now, |record, _| record.handle = handle);
        }
        _ => return Err(libc::ENOSYS),
    }
    Ok(())
}

/// The next free domid after the one allocated last, never 0.
pub fn next_free(hv: &Hypervisor) -> Option<u16> {
    let is_free = |&domid: &u16| hv.domains.find(domid).is_none() && !hv.leaked.contains(&domid);
    let after = hv.rover + 1..DOMID_FIRST_RESERVED;
    // Until 4.21 the search ends before it comes round to where it began.
    let end = hv.rover + u16::from(hv.release() >= Release::V4_21);
    after.chain(1..end).find(is_free)
}
