//! xensim: a hypervisor that fits in a process.
//!
//! It offers the C ABI of libxencall, libxenforeignmemory and (in part) libxendevicemodel over a
//! table of simulated domains, so that any program on libxencall runs on it unchanged, found
//! through `LD_LIBRARY_PATH`. See README.md for its use and for every key of the `XENSIM` variable.
//!
//! How a hypercall goes: [`exports`] (C ABI) → [`hypervisor::hypercall`] → [`sysctl`], [`domctl`],
//! [`version`], [`sched`], [`memory`], [`event_channel`] or [`hvm`] (gates and operations; those of
//! one subject are in a file of its name, as [`vcpu`] or [`pci`]) → [`domain`] (the table). What few
//! domains need beyond their records stands beside the table and is made when it is first asked for,
//! so that lists stay copies. Memory that the caller named is touched in [`guest`] only. Where Xen's
//! behaviour differs between releases, the operation asks the `abi::release::Release` that is
//! simulated.
//!
//! The crate is linked as a static library into one shared object by `link.sh`; the symbols' versions
//! are in `xensim.map`.

#![deny(missing_docs, unsafe_op_in_unsafe_fn)]
#![warn(clippy::undocumented_unsafe_blocks)]

// The layouts are shared with the library under test; what the simulator does not use of them is
// not dead there.
#[allow(dead_code)]
#[path = "../../src/abi/mod.rs"]
mod abi;

mod abi_more;
pub mod buffer;
pub mod config;
pub mod console;
pub mod context;
pub mod control;
pub mod counters;
pub mod cpus;
pub mod createdomain;
pub mod devicemodel;
pub mod domain;
pub mod domctl;
pub mod errno;
pub mod event_channel;
pub mod exports;
pub mod facilities;
pub mod fault;
pub mod foreign;
pub mod foreignmemory;
pub mod frames;
pub mod guest;
pub mod hvm;
pub mod hypervisor;
pub mod memory;
pub mod ops;
pub mod paging;
pub mod pci;
pub mod permission;
pub mod population;
pub mod sched;
pub mod scheduler;
pub mod sysctl;
pub mod vcpu;
pub mod version;

#[cfg(test)]
mod tests;
