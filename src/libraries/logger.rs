//! Xen's libraries report failures to a logger, and make one that writes to standard error where
//! they are given none.

#![allow(unsafe_code)]

use super::xencall::{__va_list_tag, xentoollog_level, xentoollog_logger};
use std::ffi::{c_char, c_int, c_ulong};

/// A logger that drops what it is told, and lives as long as the process: errors are returned, and
/// a library writes nothing to the standard error of its program (as libxencall would without a
/// logger).
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
