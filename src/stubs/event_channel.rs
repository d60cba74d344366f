//! Event channels of any domain. (Those of the calling domain are `Xeneventchn`'s.)

use super::{Domid, Handle};
use crate::hypervisor::{Connection, EventChannel};
use runtime::{Build, Exception, IntoValue, Lock, RawValue, export, ints, unlocked};

ints! {
    /// An event channel's port.
    pub struct Port(u32) = "port";
}

/// `evtchn_status option`.
pub struct Status(Option<Build>);

impl Status {
    fn of(channel: Option<EventChannel>) -> Result<Status, Exception> {
        /// Constructors of `Xeneventchn.virq_t`.
        const VIRQS: u32 = 14;
        let number = |n: u32| Build::Int(n.into());
        let Some(EventChannel { vcpu, connection }) = channel else { return Ok(Status(None)) };
        let stat = match connection {
            Connection::Unbound(domid) => Build::Block(0, vec![number(domid.into())]),
            Connection::Interdomain(domid, port) => {
                Build::Block(1, vec![Build::tuple([number(domid.into()), number(port)])])
            }
            Connection::Pirq(pirq) => Build::Block(2, vec![number(pirq)]),
            Connection::Virq(virq) if virq < VIRQS => Build::Block(3, vec![number(virq)]),
            Connection::Virq(virq) => {
                let message = format!("Unknown evtchn status: virq_t has no virq {virq}");
                return Err(Exception::Failure(message));
            }
            Connection::Ipi => Build::Int(0),
            Connection::Unknown => {
                return Err(Exception::Failure("Unknown evtchn status".to_owned()));
            }
        };
        Ok(Status(Some(Build::tuple([number(vcpu), stat]))))
    }
}

impl IntoValue for Status {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        match self.0 {
            None => Build::Int(0),
            Some(status) => Build::Block(0, vec![status]),
        }
        .into_value(lock)
    }
}

export! {
    /// `evtchn_alloc_unbound : handle -> domid -> domid -> int`
    ///
    /// Makes an event channel of the first domain that the second may bind to, and gives its
    /// port.
    ///
    /// `Error`: `ESRCH` where the first does not exist (the second may come to be later),
    /// `ENOSPC` where it has no port left.
    ///
    /// Hypercall: `EVTCHNOP_alloc_unbound`.
    fn stub_xc_evtchn_alloc_unbound(handle: Handle, local: Domid, remote: Domid) -> u32 {
        Ok(unlocked(|| handle.event_channel_alloc(local.0, remote.0))?)
    }

    /// `evtchn_reset : handle -> domid -> unit`
    ///
    /// Closes every event channel of a domain.
    ///
    /// Hypercall: `EVTCHNOP_reset`.
    fn stub_xc_evtchn_reset(handle: Handle, domid: Domid) -> () {
        Ok(unlocked(|| handle.event_channels_reset(domid.0))?)
    }

    /// `evtchn_status : handle -> domid -> int -> evtchn_status option`
    ///
    /// What an event channel of a domain is connected to; `None` if it is closed.
    ///
    /// `Error`: `EINVAL` for a port greater than any that the domain has had.
    /// `Failure "Unknown evtchn status..."` for a status or a virq that the OCaml type has no
    /// constructor for.
    ///
    /// Hypercall: `EVTCHNOP_status`.
    fn stub_xc_evtchn_status(handle: Handle, domid: Domid, port: Port) -> Status {
        Status::of(unlocked(|| handle.event_channel(domid.0, port.0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::stand_in::{Read, lock, read};

    fn built(channel: Option<EventChannel>) -> Result<Read, Exception> {
        Status::of(channel).map(|status| read(status.into_value(&mut lock())))
    }

    #[test]
    fn every_connection_has_its_constructor() {
        let status = |connection| built(Some(EventChannel { vcpu: 9, connection }));
        let some = |stat| {
            let record = Read::Block(0, vec![Read::Int(9), stat]);
            Ok(Read::Block(0, vec![record]))
        };
        let block = |tag, n| Read::Block(tag, vec![Read::Int(n)]);
        assert_eq!(built(None), Ok(Read::Int(0)));
        assert_eq!(status(Connection::Unbound(0x7FF0)), some(block(0, 0x7FF0)));
        let ends = Read::Block(0, vec![Read::Int(3), Read::Int(4_294_967_295)]);
        let interdomain = Read::Block(1, vec![ends]);
        assert_eq!(status(Connection::Interdomain(3, u32::MAX)), some(interdomain));
        assert_eq!(status(Connection::Pirq(16)), some(block(2, 16)));
        assert_eq!(status(Connection::Virq(13)), some(block(3, 13)));
        assert_eq!(status(Connection::Ipi), some(Read::Int(0)));
        // VIRQ_MCA, which dom0 may have bound.
        assert!(matches!(status(Connection::Virq(16)), Err(Exception::Failure(_))));
        assert!(matches!(status(Connection::Unknown), Err(Exception::Failure(_))));
    }
}
