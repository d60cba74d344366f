//! libxencall and libxenforeignmemory, each found when it is first needed.
//!
//! They are not linked: programs that use the C stubs name the libraries that those need, not
//! these; and a program must start where no Xen is installed.

#![allow(unsafe_code)]

use super::{Errno, Error};
use std::sync::{
    OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Also of the logger that libxencall wants.
mod bindings {
    #![allow(missing_docs, clippy::all, clippy::undocumented_unsafe_blocks, unused)]
    #![allow(nonstandard_style)]
    include!(concat!(env!("OUT_DIR"), "/xencall.rs"));
}
pub use bindings::{LibXencall, xencall_handle};
mod foreign_memory_bindings {
    #![allow(missing_docs, clippy::all, clippy::undocumented_unsafe_blocks, unused)]
    #![allow(nonstandard_style)]
    include!(concat!(env!("OUT_DIR"), "/xenforeignmemory.rs"));
}
pub use foreign_memory_bindings::{LibXenforeignmemory, xenforeignmemory_handle};
#[path = "silent_logger.rs"]
mod silent_logger;
pub use silent_logger::silent_logger;

/// Loads libxencall, once.
pub fn load() -> Result<&'static LibXencall, Error> {
    static LIBRARY: OnceLock<LibXencall> = OnceLock::new();
    // SAFETY: loading runs the initialisers of libxencall and of what it needs, which have none
    // that matter; its functions have the prototypes of its own header.
    once(&LIBRARY, || unsafe { LibXencall::new("libxencall.so.1") })
        .map_err(|e| Error::Library(e.to_string()))
}

/// Loads libxenforeignmemory, once.
pub fn load_foreign_memory() -> Result<&'static LibXenforeignmemory, Error> {
    static LIBRARY: OnceLock<LibXenforeignmemory> = OnceLock::new();
    // SAFETY: as of libxencall.
    once(&LIBRARY, || unsafe { LibXenforeignmemory::new("libxenforeignmemory.so.1") })
        .map_err(|e| Error::Mapping(e.to_string()))
}

/// The table of a library, made once. (The number in a library's name is the major version of its
/// stable ABI.)
fn once<T, E>(
    table: &'static OnceLock<T>,
    load: impl FnOnce() -> Result<T, E>,
) -> Result<&'static T, E> {
    match table.get() {
        Some(library) => Ok(library),
        None => {
            let library = load()?;
            // Where two threads load at once, both have the same library, and one table stays.
            Ok(table.get_or_init(|| library))
        }
    }
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
