//! libxencall, found when the first handle is opened.
//!
//! It is not linked: programs that use the C stubs name the libraries that those need, not this
//! one; and a program must start where no Xen is installed.

#![allow(unsafe_code)]

use super::Error;
use std::sync::{
    Once, OnceLock,
    atomic::{AtomicU64, Ordering},
};

/// Also of the logger that libxencall wants.
mod bindings {
    #![allow(missing_docs, clippy::all, clippy::undocumented_unsafe_blocks, unused)]
    #![allow(nonstandard_style)]
    include!(concat!(env!("OUT_DIR"), "/xencall.rs"));
}
pub use bindings::{LibXencall, xencall_handle};
#[path = "silent_logger.rs"]
mod silent_logger;
pub use silent_logger::silent_logger;

/// The library's name, its major version being that of its stable ABI.
const NAME: &str = "libxencall.so.1";

/// Loads libxencall, once.
pub fn load() -> Result<&'static LibXencall, Error> {
    static LIBRARY: OnceLock<LibXencall> = OnceLock::new();
    if let Some(library) = LIBRARY.get() {
        return Ok(library);
    }
    // SAFETY: loading runs the initialisers of libxencall and of what it needs, which have none
    // that matter; its functions have the prototypes of its own header.
    let library = unsafe { LibXencall::new(NAME) }.map_err(|e| Error::Library(e.to_string()))?;
    // Where two threads load at once, both have the same library, and one of the tables stays.
    Ok(LIBRARY.get_or_init(|| library))
}

/// How often this process has been forked off another. Equal numbers mean the same process.
pub fn generation() -> u64 {
    static GENERATION: AtomicU64 = AtomicU64::new(0);
    static WATCHED: Once = Once::new();

    extern "C" fn forked() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    WATCHED.call_once(|| {
        // SAFETY: the handler only adds to an atomic. It fails only for want of memory, and then
        // a fork goes unnoticed.
        unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    });
    GENERATION.load(Ordering::Relaxed)
}
