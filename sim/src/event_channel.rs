//! `event_channel_op`: as far as a toolstack uses it on domains.

use std::collections::BTreeMap;

use crate::abi::HYPERVISOR_EVENT_CHANNEL_OP;
use crate::abi::event_channel::{
    ALLOC_UNBOUND, AllocUnbound, RESET, STATUS, STATUS_CLOSED, STATUS_INTERDOMAIN, STATUS_IPI,
    STATUS_PIRQ, STATUS_UNBOUND, STATUS_VIRQ, Status,
};
use crate::abi_more::DOMID_SELF;
use crate::counters;
use crate::errno::Ret;
use crate::guest;
use crate::hypervisor::{self, CALLER, Hypervisor};
use crate::ops::Kind;

/// Ports come in buckets of this many.
const BUCKET: u32 = 64;
/// Dom0's first port that leads to a guest; guests have two each, by their domids.
const DOM0_PORTS: u32 = 16;
/// `VIRQ_TIMER` and `VIRQ_DOM_EXC` (public/xen.h).
const VIRQ_TIMER: u32 = 0;
const VIRQ_DOM_EXC: u32 = 3;

/// What a port is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    Unbound { remote: u16 },
    Interdomain { remote: u16, port: u32 },
    Pirq(u32),
    Virq { virq: u32, vcpu: u32 },
    Ipi { vcpu: u32 },
}

/// A domain's ports that are in use, and how many are allocated.
#[derive(Clone, Debug, Default)]
struct Ports {
    used: BTreeMap<u32, Port>,
    valid: u32,
}

impl Ports {
    fn new(used: BTreeMap<u32, Port>) -> Ports {
        let last = used.last_key_value().map_or(0, |(&port, _)| port);
        Ports { used, valid: (last + 1).next_multiple_of(BUCKET) }
    }
}

/// The ports of the domains that a program changed, and of those at their other ends.
#[derive(Debug, Default)]
pub struct Table(BTreeMap<u16, Ports>);

/// Dom0's ports to a guest: to its xenstore and its console ring.
fn dom0_ports(domid: u16) -> [u32; 2] {
    let first = DOM0_PORTS + 2 * u32::from(domid);
    [first, first + 1]
}

impl Hypervisor {
    /// Whether a guest has its channels to dom0: it runs software that speaks Xen's protocols.
    fn has_channels(&self, domid: u16) -> bool {
        self.domains.find(domid).is_some_and(|place| {
            let state = self.domains.state(place);
            let record = self.domains.info(place, 0);
            domid != CALLER && !state.dying && state.built && record.nr_online_vcpus != 0
        })
    }

    fn initial_ports(&self, place: usize) -> Ports {
        let (record, state) = (self.domains.info(place, 0), self.domains.state(place));
        let domid = record.domain;
        let mut used = BTreeMap::new();
        if domid == CALLER {
            used.insert(1, Port::Virq { virq: VIRQ_TIMER, vcpu: 0 });
            used.insert(2, Port::Ipi { vcpu: 0 });
            used.insert(3, Port::Virq { virq: VIRQ_DOM_EXC, vcpu: 0 });
            used.insert(4, Port::Pirq(9));
            for place in 1..self.domains.len() {
                let remote = self.domains.domid(place);
                // One that a program has changed has been asked before.
                if self.has_channels(remote) && !self.ports.0.contains_key(&remote) {
                    for (port, own) in (1..).zip(dom0_ports(remote)) {
                        used.insert(own, Port::Interdomain { remote, port });
                    }
                }
            }
        } else if self.has_channels(domid) {
            for (port, remote) in (1..).zip(dom0_ports(domid)) {
                used.insert(port, Port::Interdomain { remote: CALLER, port: remote });
            }
            if !state.hvm {
                let vcpus = record.nr_online_vcpus;
                for (vcpu, port) in (0..vcpus).zip((3..).step_by(2)) {
                    used.insert(port, Port::Virq { virq: VIRQ_TIMER, vcpu });
                    used.insert(port + 1, Port::Ipi { vcpu });
                }
            }
        }
        Ports::new(used)
    }

    /// A domain's ports, to be changed.
    fn ports_mut(&mut self, place: usize) -> &mut Ports {
        let domid = self.domains.domid(place);
        if !self.ports.0.contains_key(&CALLER) {
            let ports = self.initial_ports(0);
            self.ports.0.insert(CALLER, ports);
        }
        if !self.ports.0.contains_key(&domid) {
            let ports = self.initial_ports(place);
            // Dom0 may be known from before the guest appeared.
            let dom0 = self.ports.0.entry(CALLER).or_default();
            for (&port, to) in &ports.used {
                if let Port::Interdomain { remote: CALLER, port: own } = *to {
                    dom0.used.entry(own).or_insert(Port::Interdomain { remote: domid, port });
                    dom0.valid = dom0.valid.max((own + 1).next_multiple_of(BUCKET));
                }
            }
            self.ports.0.insert(domid, ports);
        }
        self.ports.0.entry(domid).or_default()
    }

    /// Closes every port of a domain; the other ends wait for it again.
    fn close_ports(&mut self, place: usize) {
        let domid = self.domains.domid(place);
        let ports = std::mem::take(&mut self.ports_mut(place).used);
        for port in ports.into_values() {
            let Port::Interdomain { remote, port } = port else { continue };
            let Ok(place) = self.find_any(remote) else { continue };
            let others = self.ports_mut(place);
            if let Some(other) = others.used.get_mut(&port) {
                *other = Port::Unbound { remote: domid };
            }
        }
    }

    /// The domain is gone, and with it its ports.
    pub fn forget_ports(&mut self, place: usize) {
        // Dom0's ends need not be changed before anybody has looked at them.
        if self.ports.0.contains_key(&CALLER) {
            self.close_ports(place);
        }
        self.ports.0.remove(&self.domains.domid(place));
    }
}

/// The hypercall.
pub fn call(cmd: u64, addr: u64) -> Ret {
    // The command is an int.
    let cmd = u64::from(cmd as u32);
    let kind = Kind::event_channel_op(cmd);
    counters::count(kind);
    let kinds = [Kind::HYPERCALLS, Kind::hypercall(HYPERVISOR_EVENT_CHANNEL_OP), kind];
    let mut hv = hypervisor::enter(&kinds)?;
    match cmd {
        ALLOC_UNBOUND => {
            let mut op: AllocUnbound = guest::read(addr)?;
            alloc_unbound(&mut hv, kind, &mut op)?;
            guest::write(addr, &op)?;
        }
        STATUS => {
            let mut op: Status = guest::read(addr)?;
            status(&mut hv, kind, &mut op)?;
            guest::write(addr, &op)?;
        }
        RESET => {
            let domid: u16 = guest::read(addr)?;
            let place = hv.find_any(domid)?;
            let domid = hv.domains.domid(place);
            hv.privileged_over(kind, domid)?;
            if domid != CALLER && hv.domains.state(place).pauses == 0 {
                return Err(libc::EINVAL);
            }
            hv.close_ports(place);
        }
        _ => return Err(libc::ENOSYS),
    }
    Ok(0)
}

fn alloc_unbound(hv: &mut Hypervisor, kind: Kind, op: &mut AllocUnbound) -> Ret<()> {
    let place = hv.find_any(op.dom)?;
    let state = *hv.domains.state(place);
    if state.dying {
        return Err(libc::EINVAL);
    }
    let ports = hv.ports_mut(place);
    let free = (1..=state.max_port).find(|port| !ports.used.contains_key(port));
    let port = free.ok_or(libc::ENOSPC)?;
    ports.valid = ports.valid.max((port + 1).next_multiple_of(BUCKET));
    let domid = hv.domains.domid(place);
    hv.privileged_over(kind, domid)?;
    let remote = if op.remote_dom == DOMID_SELF { CALLER } else { op.remote_dom };
    hv.ports_mut(place).used.insert(port, Port::Unbound { remote });
    op.port = port;
    Ok(())
}

fn status(hv: &mut Hypervisor, kind: Kind, op: &mut Status) -> Ret<()> {
    let place = hv.find_any(op.dom)?;
    let domid = hv.domains.domid(place);
    let ports = hv.ports_mut(place);
    if op.port >= ports.valid {
        return Err(libc::EINVAL);
    }
    let port = ports.used.get(&op.port).copied();
    hv.privileged_over(kind, domid)?;
    op.vcpu = 0;
    op.status = match port {
        None => STATUS_CLOSED,
        Some(Port::Unbound { remote }) => {
            op.end = op.end & !0xFFFF | u32::from(remote);
            STATUS_UNBOUND
        }
        Some(Port::Interdomain { remote, port }) => {
            op.end = op.end & !0xFFFF | u32::from(remote);
            op.end_port = port;
            STATUS_INTERDOMAIN
        }
        Some(Port::Pirq(pirq)) => {
            op.end = pirq;
            STATUS_PIRQ
        }
        Some(Port::Virq { virq, vcpu }) => {
            (op.end, op.vcpu) = (virq, vcpu);
            STATUS_VIRQ
        }
        Some(Port::Ipi { vcpu }) => {
            op.vcpu = vcpu;
            STATUS_IPI
        }
    };
    Ok(())
}
