//! `sched_op` (public/sched.h).

/// `SCHEDOP_remote_shutdown`.
pub const REMOTE_SHUTDOWN: u64 = 4;

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

/// `SHUTDOWN_MAX`: the greatest reason.
pub const SHUTDOWN_MAX: u32 = 5;
