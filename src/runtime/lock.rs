//! The runtime lock.

#![allow(unsafe_code)]

use super::caml::{caml_enter_blocking_section_no_pending, caml_leave_blocking_section};
use std::marker::PhantomData;

/// Evidence that this thread holds the runtime lock; what allocates or reads the heap wants it.
/// It stays on its thread.
pub struct Lock {
    not_send: PhantomData<*const ()>,
}

impl Lock {
    /// # Safety
    /// The thread must hold the lock, as it does when OCaml calls a stub.
    pub unsafe fn held() -> Lock {
        Lock { not_send: PhantomData }
    }
}

/// Runs `operation` without the runtime lock, so that OCaml's other threads run meanwhile.
///
/// No signal handler runs before it: handlers may raise, and an exception would skip the
/// destructors of every frame here. A signal that is pending then, or that arrives meanwhile, is
/// handled when OCaml code next runs.
///
/// OCaml's values cannot be taken along: they are not `Send`.
pub fn unlocked<R: Send>(operation: impl FnOnce() -> R + Send) -> R {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            // SAFETY: pairs the call below. Also when `operation` panics: the panic is caught at
            // the boundary, with the lock held again.
            unsafe { caml_leave_blocking_section() };
        }
    }
    // SAFETY: stubs run with the lock held, and `operation` has no access to the heap.
    unsafe { caml_enter_blocking_section_no_pending() };
    let _leave = Leave;
    operation()
}
