//! `sched_op` (public/sched.h).

/// `SCHEDOP_remote_shutdown`.
pub const REMOTE_SHUTDOWN: u64 = 4;
/// `SCHEDOP_watchdog`.
pub const WATCHDOG: u64 = 6;

/// `struct sched_remote_shutdown`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoteShutdown {
    /// The domain to shut down.
    pub domain_id: u16,
    /// Padding.
    pub pad: u16,
    /// `SHUTDOWN_*`.
    pub reason: u32,
}

/// `SHUTDOWN_suspend`.
pub const SHUTDOWN_SUSPEND: u32 = 2;
/// `SHUTDOWN_MAX`: the greatest reason.
pub const SHUTDOWN_MAX: u32 = 5;

/// `struct sched_watchdog`: a timer of the calling domain, the same from 4.17 to 4.22.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watchdog {
    /// Which timer, from 1; 0: a new one, whose number is the hypercall's result.
    pub id: u32,
    /// Seconds until it shuts the domain down; 0 stops timer `id`.
    pub timeout: u32,
}
