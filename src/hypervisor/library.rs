//! libxencall and libxenforeignmemory, each found when it is first needed.
//!
//! They are not linked: programs that use the C stubs name the libraries that those need, not
//! these; and a program must start where no Xen is installed.

#![allow(unsafe_code)]

use super::{Errno, Error};
use once_cell::race::OnceBox;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Also of the logger that libxencall wants.
mod bindings {
    #![allow(
        missing_docs,
        clippy::all,
        clippy::pedantic,
        clippy::undocumented_unsafe_blocks,
        unused
    )]
    #![allow(nonstandard_style)]
    include!(concat!(env!("OUT_DIR"), "/xencall.rs"));
}
pub use bindings::{LibXencall, xencall_handle};
mod foreign_memory_bindings {
    #![allow(
        missing_docs,
        clippy::all,
        clippy::pedantic,
        clippy::undocumented_unsafe_blocks,
        unused
    )]
    #![allow(nonstandard_style)]
    include!(concat!(env!("OUT_DIR"), "/xenforeignmemory.rs"));
}
pub use foreign_memory_bindings::{LibXenforeignmemory, xenforeignmemory_handle};
#[path = "silent_logger.rs"]
mod silent_logger;
pub use silent_logger::silent_logger;

/// Loads libxencall. (The number in a library's name is the major version of its stable ABI.)
pub fn load() -> Result<&'static LibXencall, Error> {
    // Where two threads load at once, both have the same library, and one table stays.
    static LIBRARY: OnceBox<LibXencall> = OnceBox::new();
    // SAFETY: loading runs the initialisers of libxencall and of what it needs, which have none
    // that matter; its functions have the prototypes of its own header.
    LIBRARY
        .get_or_try_init(|| unsafe { LibXencall::new("libxencall.so.1") }.map(Box::new))
        .map_err(|e| Error::Library(e.to_string()))
}

/// Loads libxenforeignmemory.
pub fn load_foreign_memory() -> Result<&'static LibXenforeignmemory, Error> {
    static LIBRARY: OnceBox<LibXenforeignmemory> = OnceBox::new();
    LIBRARY
        .get_or_try_init(|| {
            // SAFETY: as of libxencall.
            unsafe { LibXenforeignmemory::new("libxenforeignmemory.so.1") }.map(Box::new)
        })
        .map_err(|e| Error::Mapping(e.to_string()))
}

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// How often this process has been forked off another. Equal numbers mean the same process, once
/// forks are [watched](watch_forks).
pub fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Sees to it that forks are noticed. Fails for want of memory alone.
pub fn watch_forks() -> Result<(), Error> {
    static WATCHED: AtomicBool = AtomicBool::new(false);

    extern "C" fn forked() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    // Without a lock, which a child could inherit taken. Threads that are here at once make each
    // fork count twice, which is as good.
    if !WATCHED.load(Ordering::Acquire) {
        // SAFETY: the handler only adds to an atomic.
        let error = unsafe { libc::pthread_atfork(None, None, Some(forked)) };
        if error != 0 {
            return Err(Error::Open(Errno(error)));
        }
        WATCHED.store(true, Ordering::Release);
    }
    Ok(())
}
