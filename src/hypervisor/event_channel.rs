//! Event channels of any domain.

use super::{Result, Xen, buffer::Plain};
use crate::abi::{
    self,
    event_channel::{self, AllocUnbound, Reset},
};

/// What an event channel is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Nothing yet: a domain may bind to it.
    Unbound(u16),
    /// Another domain's port.
    Interdomain(u16, u32),
    /// A physical interrupt.
    Pirq(u32),
    /// A virtual interrupt.
    Virq(u32),
    /// Another vCPU of the domain.
    Ipi,
    /// Something that no supported release has.
    Unknown,
}

/// An event channel that is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventChannel {
    /// The vCPU that it notifies.
    pub vcpu: u32,
    /// What it is connected to.
    pub connection: Connection,
}

impl Xen {
    /// Makes an event channel of domain `domid` that domain `remote` may bind to; gives its port.
    /// Hypercall: `EVTCHNOP_alloc_unbound`.
    pub fn event_channel_alloc(&self, domid: u16, remote: u16) -> Result<u32> {
        let argument = AllocUnbound { dom: domid, remote_dom: remote, port: 0 };
        let (_, answer) = self.event_channel_op(event_channel::ALLOC_UNBOUND, argument)?;
        Ok(answer.port)
    }

    /// Closes every event channel of a domain. Hypercall: `EVTCHNOP_reset`.
    pub fn event_channels_reset(&self, domid: u16) -> Result<()> {
        self.event_channel_op(event_channel::RESET, Reset { dom: domid }).map(drop)
    }

    /// An event channel, or `None` if the port is not in use. Hypercall: `EVTCHNOP_status`.
    pub fn event_channel(&self, domid: u16, port: u32) -> Result<Option<EventChannel>> {
        let argument =
            event_channel::Status { dom: domid, port, ..event_channel::Status::default() };
        let (_, answer) = self.event_channel_op(event_channel::STATUS, argument)?;
        let end_domid = answer.end as u16;
        let connection = match answer.status {
            event_channel::STATUS_CLOSED => return Ok(None),
            event_channel::STATUS_UNBOUND => Connection::Unbound(end_domid),
            event_channel::STATUS_INTERDOMAIN => {
                Connection::Interdomain(end_domid, answer.end_port)
            }
            event_channel::STATUS_PIRQ => Connection::Pirq(answer.end),
            event_channel::STATUS_VIRQ => Connection::Virq(answer.end),
            event_channel::STATUS_IPI => Connection::Ipi,
            _ => Connection::Unknown,
        };
        Ok(Some(EventChannel { vcpu: answer.vcpu, connection }))
    }

    fn event_channel_op<T: Plain>(&self, op: u64, argument: T) -> Result<(u32, T)> {
        self.operation(abi::HYPERVISOR_EVENT_CHANNEL_OP, op, argument)
    }
}
