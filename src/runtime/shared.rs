//! Immutable values that are built once and shared by every result that has them.
//!
//! A value that many results hold costs neither words nor promotion after its first time.

#![allow(unsafe_code)]

use super::{
    Build, Carver, Field, Lock, RawValue,
    caml::{UNIT, caml_register_generational_global_root},
    carve::IntoValue,
};
use std::{
    cell::UnsafeCell,
    hint,
    sync::atomic::{AtomicU8, Ordering},
};

/// A table of `N` values, each built when it is first wanted and kept for the process's life.
pub struct Shared<const N: usize> {
    values: [UnsafeCell<RawValue>; N],
    states: [AtomicU8; N],
}

// SAFETY: a value is written by the one thread that claimed its state, before it is ready, and by
// the collector when no thread runs OCaml code or a stub.
unsafe impl<const N: usize> Sync for Shared<N> {}

const ABSENT: u8 = 0;
const CLAIMED: u8 = 1;
const READY: u8 = 2;

impl<const N: usize> Shared<N> {
    /// An empty table. It must be a static: the collector keeps its address.
    #[allow(clippy::new_without_default)] // A static wants a const fn.
    pub const fn new() -> Shared<N> {
        Shared {
            values: [const { UnsafeCell::new(UNIT) }; N],
            states: [const { AtomicU8::new(ABSENT) }; N],
        }
    }

    /// Sees to it that value `i` is there. Nothing mutable may be in it.
    #[inline]
    pub fn ensure(&'static self, lock: &mut Lock, i: usize, describe: impl FnOnce() -> Build) {
        if self.states[i].load(Ordering::Acquire) != READY {
            self.build(lock, i, describe());
        }
    }

    #[cold]
    fn build(&'static self, lock: &mut Lock, i: usize, description: Build) {
        // Built before it is claimed: to allocate may mean to wait for other domains, and one of
        // them may be waiting below for this one.
        let value = description.into_value(lock);
        let claim =
            self.states[i].compare_exchange(ABSENT, CLAIMED, Ordering::Acquire, Ordering::Acquire);
        if claim.is_ok() {
            // SAFETY: claimed by this thread alone; nothing was allocated since `value` was.
            unsafe {
                self.values[i].get().write(value);
                caml_register_generational_global_root(self.values[i].get());
            }
            self.states[i].store(READY, Ordering::Release);
        } else {
            // Another domain is between the two lines above.
            while self.states[i].load(Ordering::Acquire) != READY {
                hint::spin_loop();
            }
        }
    }

    /// Value `i`.
    ///
    /// # Panics
    /// If it has not been [`ensure`](Shared::ensure)d.
    #[inline]
    pub fn get<'c>(&'static self, carver: &Carver<'c>, i: usize) -> Field<'c> {
        assert!(self.states[i].load(Ordering::Acquire) == READY, "a shared value must be ensured");
        // SAFETY: ready, so only the collector writes it, and not while a carving lasts.
        Field::shared(unsafe { self.values[i].get().read_volatile() }, carver)
    }
}
