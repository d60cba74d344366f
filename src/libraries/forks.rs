//! Forks of the process: that they happened, and that they do not happen in the middle of what
//! Xen's libraries do under a lock of the process's.

#![allow(unsafe_code)]

use std::{
    cell::Cell,
    io,
    mem::ManuallyDrop,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

static GENERATION: AtomicU64 = AtomicU64::new(0);
static UNDISTURBED: Mutex<()> = Mutex::new(());

thread_local! {
    /// What the thread holds while it forks. (Nothing that is dropped at its end: it may fork then.)
    static FORKING: Cell<Option<ManuallyDrop<MutexGuard<'static, ()>>>> = const { Cell::new(None) };
}

/// How often this process has been forked off another. Equal numbers mean the same process, once a
/// library is loaded.
#[inline]
pub fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Does what takes a lock inside Xen's libraries (libxentoolcore has one of the open handles,
/// libxencall one of its cache of buffers), or the dynamic loader's. No process is forked off meanwhile: it would inherit the lock taken, by a
/// thread that it does not have.
pub fn undisturbed<R>(work: impl FnOnce() -> R) -> R {
    let _held = lock();
    work()
}

fn lock() -> MutexGuard<'static, ()> {
    UNDISTURBED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sees to it that forks are noticed, and wait for what is to be [`undisturbed`]. Whoever has loaded
/// a library calls it: handlers run in the order opposite to that of their registration, so that
/// the lock here is taken before any that the library takes in handlers of its own, as it is
/// elsewhere. Fails for want of memory alone.
pub fn watch() -> io::Result<()> {
    // Registered more than once: what one has done, the next does not.
    extern "C" fn prepare() {
        FORKING.set(Some(FORKING.take().unwrap_or_else(|| ManuallyDrop::new(lock()))));
    }
    extern "C" fn parent() {
        release();
    }
    extern "C" fn child() {
        if release() {
            GENERATION.fetch_add(1, Ordering::Relaxed);
        }
    }
    fn release() -> bool {
        FORKING.take().map(ManuallyDrop::into_inner).is_some()
    }
    // SAFETY: the handlers take and release a lock of this file's, and add to an atomic.
    match unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}
