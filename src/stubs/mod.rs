//! The externals of `Xenctrl`, one file per family.
//!
//! A stub reads as: arguments, one operation of the hypervisor floor with the runtime lock
//! released, result. The types of its arguments check their range, the type of its result builds
//! it, and an error of the operation becomes an OCaml exception by the conversion below.
//!
//! Every stub can raise, besides what it says itself:
//! - `Xenctrl.Error "errno: message"`: the hypercall failed, the handle is closed, or it cannot be
//!   opened anew in a forked child;
//! - `Invalid_argument`: an argument is out of range; no hypercall was made.

// An argument that was cut would act on another domain, page or device than was named.
#![cfg_attr(not(test), warn(clippy::cast_possible_truncation))]

pub mod console;
pub mod device;
pub mod domain;
pub mod domain_create;
pub mod domain_info;
pub mod event_channel;
pub mod host;
pub mod hvm_param;
pub mod interface;
pub mod memory;
pub mod permissions;
pub mod scheduler;
pub mod snapshot;
pub mod units;
pub mod uuid;
pub mod vcpu;

use crate::hypervisor::{Error, Xen};
use runtime::{Exception, ints};
use std::sync::Arc;

/// The type `Xenctrl.handle`.
pub type Handle = Arc<Xen>;

ints! {
    /// A domain's number. Upstream cuts greater numbers down to 16 bits, and acts on another domain.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Domid(pub u16) = "domid";
}

impl From<Error> for Exception {
    fn from(error: Error) -> Exception {
        match error {
            Error::Inexpressible { .. } | Error::TooManyCpus { .. } | Error::Freed => {
                Exception::Invalid(error.to_string())
            }
            Error::Mapping(_) => Exception::Failure(error.to_string()),
            _ => Exception::Registered(c"xc.error", error.to_string()),
        }
    }
}
