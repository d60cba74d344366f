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

// Nothing that is dropped at a thread's end: it may fork then.
thread_local! {
    /// What the thread holds while it forks.
    static FORKING: Cell<Option<ManuallyDrop<MutexGuard<'static, ()>>>> = const { Cell::new(None) };
    /// Whether it is [`undisturbed`] itself.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// How often this process, or one that it comes from, has been forked off another, or more. Equal
/// numbers mean the same process, once a library is loaded.
#[inline]
pub fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Does what takes a lock inside Xen's libraries: libxentoolcore has one of the open handles,
/// libxencall one of its cache of buffers. No process is forked off meanwhile: it would inherit the
/// lock taken, by a thread that it does not have.
///
/// Within it nothing may be loaded, nor a handler of forks be registered: that can wait for a fork
/// in another thread, which waits here.
pub fn undisturbed<R>(work: impl FnOnce() -> R) -> R {
    INSIDE.set(true);
    let held = lock();
    let result = work();
    drop(held);
    INSIDE.set(false);
    result
}

fn lock() -> MutexGuard<'static, ()> {
    UNDISTURBED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sees to it that forks are noticed, and wait for what is to be [`undisturbed`]. Whoever has loaded
/// a library calls it: handlers run in the order opposite to that of their registration, so that
/// the lock here is taken before any that the library takes in handlers which it registered when it
/// was loaded, as it is elsewhere. Fails for want of memory alone.
pub fn watch() -> io::Result<()> {
    // Registered more than once: what one has done, the next does not. After a fork the first takes
    // the lock back, and who was waiting for it then waits for the library's own.
    extern "C" fn prepare() {
        // A C handler of a signal forked: the thread cannot wait for itself.
        if !INSIDE.get() {
            FORKING.set(Some(FORKING.take().unwrap_or_else(|| ManuallyDrop::new(lock()))));
        }
    }
    extern "C" fn parent() {
        drop(FORKING.take().map(ManuallyDrop::into_inner));
    }
    extern "C" fn child() {
        parent();
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handlers take and release a lock of this file's, and add to an atomic.
    match unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}
