//! The hypervisor: a handle on it and one typed function per operation, errors as errno.
//!
//! Every operation makes its hypercalls through libxencall (`xencall.h`), whose ABI is stable, and
//! passes nothing but hypercall-safe memory. None knows OCaml: they may be called from any thread,
//! on one handle by any number of threads at once.

mod buffer;
mod call;
mod console;
mod device;
mod domain;
mod domain_list;
mod error;
mod event_channel;
mod foreign_memory;
mod host;
mod hvm_param;
mod memory;
mod permissions;
mod resume;
mod scheduler;
mod session;
mod snapshot;
mod vcpu;

pub use call::Xen;
pub use domain::CreateConfig;
pub use domain_list::{DomainList, Matches, Wanted};
pub use error::{Errno, Error};
pub use event_channel::{Connection, EventChannel};
pub use host::{CompileInfo, Version};
pub use snapshot::{Snapshot, SnapshotDomain};

/// What an operation gives.
pub type Result<T> = std::result::Result<T, Error>;
