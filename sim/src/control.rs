//! What a program that knows of the simulator can ask it, and what it does by itself when the
//! process forks or exits. See include/xensim.h.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::config::Report;
use crate::exports::export;
use crate::{counters, hypervisor};

thread_local! {
    /// The last failure of this thread's `xensim_configure`.
    static ERROR: RefCell<CString> = RefCell::default();
}

/// A string of the caller's; `None` for NULL or for what is not UTF-8.
///
/// # Safety
/// `text` is NULL or a string that ends.
unsafe fn string<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}

/// Replaces the simulated hypervisor by a new one. NULL stands for "".
///
/// # Safety
/// `spec` is NULL or a string that ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xensim_configure(spec: *const c_char) -> c_int {
    export(-1, || {
        let text = match spec.is_null() {
            true => Ok(""),
            // SAFETY: the caller's promise.
            false => unsafe { string(spec) }.ok_or_else(|| "not UTF-8".to_owned()),
        };
        let result = text.and_then(hypervisor::configure);
        let message = result.as_ref().err().cloned().unwrap_or_default();
        ERROR.with(|error| error.replace(CString::new(message).unwrap_or_default()));
        result.map(|()| 0).map_err(|_| libc::EINVAL)
    })
}

/// What was wrong when this thread last called `xensim_configure`; "" if nothing was. Valid until
/// it does so again.
#[unsafe(no_mangle)]
pub extern "C" fn xensim_error() -> *const c_char {
    ERROR.with(|error| error.borrow().as_ptr())
}

/// The value of a counter; -1 if there is none of that name.
///
/// # Safety
/// `name` is NULL or a string that ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xensim_counter(name: *const c_char) -> i64 {
    export(-1, || {
        // SAFETY: the caller's promise.
        let value = unsafe { string(name) }.and_then(counters::get);
        value.map(|value| value as i64).ok_or(libc::EINVAL)
    })
}

/// Sets every counter of events to zero.
#[unsafe(no_mangle)]
pub extern "C" fn xensim_reset_counters() {
    counters::reset();
}

/// Writes all counters that are not zero into a buffer, one line "name value" each, cut to fit and
/// ended by a zero byte. Gives the length of the whole text, without that byte.
///
/// # Safety
/// There are `len` bytes at `buf`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xensim_counters(buf: *mut c_char, len: usize) -> usize {
    export(0, || {
        let text = counters::text();
        if len > 0 && !buf.is_null() {
            let fits = text.len().min(len - 1);
            // SAFETY: the caller's promise; the text is this function's own.
            unsafe {
                std::ptr::copy_nonoverlapping(text.as_ptr().cast(), buf, fits);
                buf.add(fits).write(0);
            }
        }
        Ok(text.len())
    })
}

/// The process that first had a hypervisor, or zero: a child that ends has nothing to report.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Says that this process has a hypervisor.
pub(crate) fn has_hypervisor() {
    _ = PROCESS.compare_exchange(0, std::process::id(), Relaxed, Relaxed);
}

/// What the loader calls. Handlers of forks run in the order opposite to that of their
/// registration: those of who loads this library must be registered later than its own, whose
/// locks are taken within theirs.
#[used]
#[unsafe(link_section = ".init_array")]
static INITIALISER: extern "C" fn() = register_hooks;

/// Registers what is to happen when the process forks or exits.
extern "C" fn register_hooks() {
    extern "C" fn at_exit() {
        export((), || {
            report();
            Ok(())
        });
    }
    extern "C" fn before() {
        export((), || {
            hypervisor::before_fork();
            Ok(())
        });
    }
    extern "C" fn parent() {
        export((), || {
            hypervisor::after_fork_in_parent();
            Ok(())
        });
    }
    extern "C" fn child() {
        export((), || {
            hypervisor::after_fork_in_child();
            Ok(())
        });
    }
    // SAFETY: functions that live as long as this library, which the C library forgets with it.
    unsafe {
        libc::atexit(at_exit);
        libc::pthread_atfork(Some(before), Some(parent), Some(child));
    }
}

fn report() {
    if PROCESS.load(Relaxed) != std::process::id() {
        return;
    }
    let text = counters::text();
    let done = match hypervisor::report() {
        Report::None => Ok(()),
        Report::Stderr => std::io::stderr().write_all(text.as_bytes()),
        Report::File(name) => std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(name)
            .and_then(|mut file| file.write_all(text.as_bytes())),
    };
    if let Err(error) = done {
        eprintln!("xensim: report: {error}");
    }
}
