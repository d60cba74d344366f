//! The hypervisor: a handle on it and one typed function per operation, errors as errno.
//!
//! Every operation makes its hypercalls through libxencall (`xencall.h`), whose ABI is stable, and
//! passes nothing but hypercall-safe memory. None knows OCaml: they may be called from any thread,
//! on one handle by any number of threads at once.

mod buffer;
mod call;
mod domain;
mod domain_list;
mod error;
mod host;
mod library;

pub use call::Xen;
pub use domain::CreateConfig;
pub use domain_list::{DomainList, Wanted};
pub use error::{Errno, Error};
pub use host::{CompileInfo, Version};

/// What an operation gives.
pub type Result<T> = std::result::Result<T, Error>;
