//! `event_channel_op` (public/event_channel.h), the same from 4.17 to 4.22.

/// `EVTCHNOP_status`.
pub const STATUS: u64 = 5;
/// `EVTCHNOP_alloc_unbound`.
pub const ALLOC_UNBOUND: u64 = 6;
/// `EVTCHNOP_reset`.
pub const RESET: u64 = 10;

/// `struct evtchn_alloc_unbound`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocUnbound {
    /// Whose event channel it is to be.
    pub dom: u16,
    /// Who may bind to it.
    pub remote_dom: u16,
    /// Answer: the port.
    pub port: u32,
}

/// `struct evtchn_status`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whose event channel.
    pub dom: u16,
    /// Padding.
    pub pad: u16,
    /// Which.
    pub port: u32,
    /// Answer: `STATUS_*`.
    pub status: u32,
    /// Answer: the vCPU that it notifies.
    pub vcpu: u32,
    /// Answer: the other end's domain of an unbound or interdomain one, in the low 16 bits; the
    /// number of a pirq or virq.
    pub end: u32,
    /// Answer: the other end's port of an interdomain one.
    pub end_port: u32,
}

/// `EVTCHNSTAT_closed`.
pub const STATUS_CLOSED: u32 = 0;
/// `EVTCHNSTAT_unbound`.
pub const STATUS_UNBOUND: u32 = 1;
/// `EVTCHNSTAT_interdomain`.
pub const STATUS_INTERDOMAIN: u32 = 2;
/// `EVTCHNSTAT_pirq`.
pub const STATUS_PIRQ: u32 = 3;
/// `EVTCHNSTAT_virq`.
pub const STATUS_VIRQ: u32 = 4;
/// `EVTCHNSTAT_ipi`.
pub const STATUS_IPI: u32 = 5;

/// `struct evtchn_reset`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reset {
    /// Whose event channels are all to be closed.
    pub dom: u16,
}
