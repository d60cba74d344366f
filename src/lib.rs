//! The C stubs of OCaml's `Xenctrl`, in Rust.
//!
//! A static library that exports the C symbols which `xenctrl.ml` of Xen 4.17 to 4.22 declares
//! (`stub_xc_*`). It stands on five floors, each of which knows only those below it:
//!
//! | floor | knows |
//! |---|---|
//! | [`stubs`] | the externals: each reads its arguments, calls one operation, builds its result |
//! | [`runtime`] | OCaml's values, exceptions and runtime lock; no Xen |
//! | [`hypervisor`] | hypercalls, through libxencall; no OCaml |
//! | [`xen_libraries`] | libxencall and its like, found when they are needed |
//! | [`abi`] | numbers and layouts of hypercalls, per release; pure data |
//!
//! The archive holds the stubs of `Xenmmap` and `Xeneventchn` as well, which know nothing of this
//! crate: a program can link one Rust archive alone (two bring the standard library twice), so
//! the three packages install this one under their three names.

// Unsafe code is for the files that say so, all of them in hypervisor; and for what the macros of
// runtime expand to.
#![deny(unsafe_code)]
#![deny(missing_docs)]

pub mod abi;
pub mod hypervisor;
#[path = "abi/installed.rs"]
mod installed;
pub mod stubs;

// For the archive, see above.
use xeneventchn_stubs as _;
