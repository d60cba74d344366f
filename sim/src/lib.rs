//! xensim: a hypervisor that fits in a process.
//!
//! It offers the C ABI of libxencall, libxenforeignmemory and (in part) libxendevicemodel over a
//! table of simulated domains, so that any program on libxencall runs on it unchanged, found
//! through `LD_LIBRARY_PATH`. See README.md for its use and for every key of the `XENSIM` variable.
//!
//! How a hypercall goes: [`exports`] (C ABI) → [`hypervisor::hypercall`] → [`sysctl`], [`domctl`],
//! [`version`] or [`sched`] (gates and operations) → [`domain`] (the table). Memory that the caller
//! named is touched in [`guest`] only. Where Xen's behaviour differs between releases, the operation
//! asks the `abi::release::Release` that is simulated.
//!
//! The crate is linked as a static library into one shared object by `link.sh`; the symbols' versions
//! are in `xensim.map`.

#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

// The layouts are shared with the library under test; what the simulator does not use of them is
// not dead there.
#[allow(dead_code)]
#[path = "../../src/abi/mod.rs"]
mod abi;

pub mod buffer;
pub mod config;
pub mod control;
pub mod counters;
pub mod createdomain;
pub mod devicemodel;
pub mod domain;
pub mod domctl;
pub mod errno;
pub mod exports;
pub mod facilities;
pub mod fault;
pub mod foreignmemory;
pub mod guest;
pub mod hypervisor;
pub mod ops;
pub mod population;
pub mod sched;
pub mod sysctl;
pub mod version;

#[cfg(test)]
mod tests;
