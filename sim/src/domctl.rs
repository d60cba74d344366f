//! `domctl`: operations on one domain.

use crate::abi::domctl::{self, Domctl};
use crate::abi::release::Release;
use crate::abi::{DOMID_FIRST_RESERVED, HYPERVISOR_DOMCTL};
use crate::abi_more::{DOMID_INVALID, DOMID_IO, domctl as more};
use crate::domain::NO_SHUTDOWN_CODE;
use crate::errno::Ret;
use crate::hypervisor::{self, CALLER, Hypervisor};
use crate::ops::Kind;
use crate::{counters, createdomain, guest, paging, pci, permission, scheduler, vcpu};

/// `XEN_DOMCTL_get_domain_state`, the one domctl with a stable form (since 4.21). Not simulated.
const GET_DOMAIN_STATE: u32 = 90;
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
    let (result, copy_back) = match op.cmd {
        domctl::CREATEDOMAIN => {
            hv.privileged(kind)?;
            (createdomain::create(&mut hv, &mut op), Copy::OnSuccess)
        }
        domctl::GETDOMAININFO => (getdomaininfo(&hv, kind, &mut op), Copy::OnSuccess),
        _ => on_domain(&mut hv, kind, &mut op, stable)?,
    };
    if copy_back == Copy::Always || copy_back == Copy::OnSuccess && result.is_ok() {
        guest::write(addr, &op)?;
    }
    result.map(|()| 0)
}

/// When an operation's argument is copied back to the caller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copy {
    Never,
    OnSuccess,
    Always,
}

/// The error of a domid that no domain has.
fn no_domain(hv: &Hypervisor) -> i32 {
    // From 4.22 on, only the control domain may learn that.
    if hv.release() >= Release::V4_22 && !hv.config.privileged { libc::EPERM } else { libc::ESRCH }
}

fn getdomaininfo(hv: &Hypervisor, kind: Kind, op: &mut Domctl) -> Ret<()> {
    let mut found = hv.domains.find(op.domain);
    // Until 4.17 it answers with the next domain.
    if found.is_none() && hv.release() == Release::V4_17 {
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

/// Operations on a domain that exists: their result, and what is copied back. An error of this
/// function's own comes from a gate before them.
fn on_domain(
    hv: &mut Hypervisor,
    kind: Kind,
    op: &mut Domctl,
    stable: bool,
) -> Ret<(Ret<()>, Copy)> {
    if stable && op.domain == DOMID_INVALID {
        hv.privileged(kind)?;
        return Err(libc::ENOSYS);
    }
    let moves_device = [domctl::ASSIGN_DEVICE, domctl::DEASSIGN_DEVICE].contains(&op.cmd);
    if moves_device && op.domain == DOMID_IO
        || op.cmd == domctl::TEST_ASSIGN_DEVICE && op.domain == DOMID_INVALID
    {
        hv.privileged(kind)?;
        return Ok((pci::operate(hv, op.cmd, None, &guest::arg(&op.u)), Copy::Never));
    }
    let no_domain =
        if moves_device && op.domain == DOMID_INVALID { libc::ESRCH } else { no_domain(hv) };
    let place = hv.domains.find(op.domain).ok_or(no_domain)?;
    // These look at their arguments before they ask who is calling.
    match op.cmd {
        domctl::IOPORT_PERMISSION => {
            return Ok((permission::ioport(hv, kind, &guest::arg(&op.u)), Copy::Never));
        }
        domctl::IOMEM_PERMISSION => {
            return Ok((permission::iomem(hv, kind, &guest::arg(&op.u)), Copy::Never));
        }
        domctl::IRQ_PERMISSION => {
            return Ok((permission::irq(hv, kind, &guest::arg(&op.u)), Copy::Never));
        }
        _ => hv.privileged(kind)?,
    }
    Ok(match op.cmd {
        domctl::GETVCPUINFO => {
            let mut arg = guest::arg(&op.u);
            let result = vcpu::info(hv, place, &mut arg);
            guest::set_arg(&mut op.u, &arg);
            (result, Copy::OnSuccess)
        }
        domctl::SETVCPUAFFINITY => (vcpu::set_affinity(hv, place, &guest::arg(&op.u)), Copy::Never),
        domctl::GETVCPUAFFINITY => (vcpu::get_affinity(hv, place, &guest::arg(&op.u)), Copy::Never),
        domctl::SETVCPUCONTEXT => (vcpu::set_context(hv, place, &guest::arg(&op.u)), Copy::Never),
        domctl::GETVCPUCONTEXT => {
            (vcpu::get_context(hv, place, &guest::arg(&op.u)), Copy::OnSuccess)
        }
        domctl::SCHEDULER_OP => {
            let mut arg = guest::arg(&op.u);
            let result = scheduler::adjust(hv, place, &mut arg);
            guest::set_arg(&mut op.u, &arg);
            (result, Copy::Always)
        }
        domctl::SHADOW_OP => {
            let mut arg = guest::arg(&op.u);
            let result = paging::shadow_op(hv, place, &mut arg);
            guest::set_arg(&mut op.u, &arg);
            (result, Copy::Always)
        }
        more::GET_PAGING_MEMPOOL_SIZE => {
            let size = paging::get_pool(hv, place);
            if let Ok(size) = &size {
                guest::set_arg(&mut op.u, size);
            }
            (size.map(|_| ()), Copy::OnSuccess)
        }
        more::SET_PAGING_MEMPOOL_SIZE => {
            (paging::set_pool(hv, place, guest::arg(&op.u)), Copy::Never)
        }
        domctl::GET_ADDRESS_SIZE if hv.domains.state(place).hvm => {
            (Err(libc::EOPNOTSUPP), Copy::Never)
        }
        domctl::GET_ADDRESS_SIZE => {
            guest::set_arg(&mut op.u, &64_u32);
            (Ok(()), Copy::OnSuccess)
        }
        domctl::ASSIGN_DEVICE | domctl::DEASSIGN_DEVICE | domctl::TEST_ASSIGN_DEVICE => {
            (pci::operate(hv, op.cmd, Some(place), &guest::arg(&op.u)), Copy::Never)
        }
        _ => (act(hv, place, op), Copy::Never),
    })
}

/// Operations that answer nothing but success.
fn act(hv: &mut Hypervisor, place: usize, op: &Domctl) -> Ret<()> {
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
        domctl::RESUMEDOMAIN => {
            refuse(own)?;
            hv.domains.update(place, now, |_, state| {
                state.shut_down = false;
                state.shutdown_code = NO_SHUTDOWN_CODE;
            });
        }
        domctl::DESTROYDOMAIN => {
            refuse(own)?;
            // One that is dying already stays: whatever holds it still does.
            if !state.dying {
                hv.destroy(place);
            }
        }
        domctl::MAX_VCPUS => {
            let max: u32 = guest::arg(&op.u);
            refuse(own || max != state.max_vcpus)?;
            // They are there from now on, and offline until a context is set.
            hv.domains.update(place, now, |record, _| record.max_vcpu_id = max - 1);
            vcpu::create(hv, place);
        }
        domctl::MAX_MEM => {
            let pages = guest::arg::<_, u64>(&op.u) >> 2;
            let pages = pages.min(u32::MAX.into());
            hv.domains.update(place, now, |record, _| record.max_pages = pages);
        }
        domctl::SETDOMAINHANDLE => {
            let handle: [u8; 16] = guest::arg(&op.u);
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
