//! libxencall, found when the first handle is opened.
//!
//! It is not linked: programs that use the C stubs name the libraries that those need, not this
//! one; and a program must start where no Xen is installed.

#![allow(unsafe_code)]

use super::Error;
use std::ffi::{c_char, c_int, c_ulong};
use std::sync::{
    Once, OnceLock,
    atomic::{AtomicU64, Ordering},
};

mod xencall {
    #![allow(missing_docs, clippy::all, clippy::undocumented_unsafe_blocks, unused)]
    #![allow(nonstandard_style)]
    include!(concat!(env!("OUT_DIR"), "/xencall.rs"));
}
use xencall::{__va_list_tag, xentoollog_level, xentoollog_logger};
pub use xencall::{LibXencall, xencall_handle};

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

/// A logger that drops what it is told: errors are returned, and a library writes nothing to the
/// standard error of its program (as libxencall would without a logger).
pub fn silent_logger() -> *mut xentoollog_logger {
    extern "C" fn message(
        _: *mut xentoollog_logger,
        _: xentoollog_level,
        _errno: c_int,
        _context: *const c_char,
        _format: *const c_char,
        _arguments: *mut __va_list_tag,
    ) {
    }
    extern "C" fn progress(
        _: *mut xentoollog_logger,
        _context: *const c_char,
        _doing: *const c_char,
        _percent: c_int,
        _done: c_ulong,
        _total: c_ulong,
    ) {
    }
    extern "C" fn destroy(_: *mut xentoollog_logger) {}

    // Never written after this: the functions above keep no state.
    static mut LOGGER: xentoollog_logger = xentoollog_logger {
        vmessage: Some(message),
        progress: Some(progress),
        destroy: Some(destroy),
    };
    &raw mut LOGGER
}
