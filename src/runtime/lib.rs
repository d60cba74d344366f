//! The OCaml runtime: reading values, building them, raising, releasing the lock. Knows no Xen.
//!
//! Rules that every stub obeys by going through this floor:
//! - arguments are copied out of the heap before the lock is released, nothing of OCaml's is kept
//!   across a call;
//! - results are carved from one small allocation at a time, and nothing young is held across the
//!   next unless it is rooted; what is too large for that is allocated by the outermost frame;
//! - an exception is raised by the outermost frame alone, when no destructor is pending and no
//!   panic is under way: it leaves by a jump that runs neither.
//!
//! The stubs of all three packages stand on this crate.

// Files that need unsafe code say so.
#![deny(unsafe_code)]
#![deny(missing_docs)]

mod argument;
mod boundary;
mod caml;
mod carve;
mod custom;
mod direct;
mod exception;
mod large;
mod lock;
mod reserve;
mod room;
mod root;
mod shared;

pub use argument::{Argument, Val, constructor, int, list_of_constructors};
pub use boundary::{run, run_unboxed};
pub use caml::{CustomOperations, RawValue};
pub use carve::{Build, Carver, Element, Field, IntoAnswer, IntoValue, list};
pub use custom::{Custom, Held, Lasting, Slot};
pub use direct::{Direct, tagged, untagged};
pub use exception::{Exception, copied, failure};
pub use large::Answer;
pub use lock::{Lock, unlocked};
pub use shared::Shared;

#[cfg(any(test, feature = "stand-in"))]
pub use caml::stand_in;
