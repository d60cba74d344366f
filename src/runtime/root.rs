//! Values that the collector knows of and updates.
//!
//! To register a root the runtime allocates, and raises where it cannot: by a jump over whatever
//! a stub owns by then. So cells are registered before a stub owns anything, see [`stock`], and
//! stay registered.

#![allow(unsafe_code)]

use super::{
    RawValue,
    caml::{UNIT, caml_register_global_root},
};
use std::{
    cell::UnsafeCell,
    sync::atomic::{AtomicU8, Ordering},
};

/// A cell that holds a value.
pub struct Root {
    value: UnsafeCell<RawValue>,
    state: AtomicU8,
}

// SAFETY: who has taken a cell has it alone; the collector reads and writes it when no thread runs
// OCaml code or a stub.
unsafe impl Sync for Root {}

const UNREGISTERED: u8 = 0;
const FREE: u8 = 1;
const TAKEN: u8 = 2;

/// What 128 domains of OCaml 5 take, its usual most, when each builds a result. More of them, as
/// OCAMLRUNPARAM may allow, can end in a `Failure`.
const CELLS: usize = 128 * STOCK;
/// What one call needs: a list or the value that is to be shared, and the table of those.
const STOCK: usize = 4;

static ROOTS: [Root; CELLS] =
    [const { Root { value: UnsafeCell::new(UNIT), state: AtomicU8::new(UNREGISTERED) } }; CELLS];

/// Sees to it that a call has its roots. It may raise: no frame up to OCaml's may have a
/// destructor pending.
pub fn stock() {
    // Cells are registered from the first on.
    if ROOTS[STOCK - 1].state.load(Ordering::Acquire) == UNREGISTERED {
        ROOTS[..STOCK].iter().for_each(Root::register);
    }
}

impl Root {
    fn register(&self) {
        if self.state.load(Ordering::Acquire) == UNREGISTERED {
            // SAFETY: the cell is a static. To register it twice, as threads of two domains might,
            // does no more than once.
            unsafe { caml_register_global_root(self.value.get()) };
            let _ = self.state.compare_exchange(
                UNREGISTERED,
                FREE,
                Ordering::Release,
                Ordering::Relaxed,
            );
        }
    }

    /// Takes a cell for a value. One that is not in stock, since other domains have those, is
    /// registered now: then the runtime may raise here where it has no memory.
    ///
    /// # Panics
    /// If all are taken.
    pub fn take(value: RawValue) -> &'static Root {
        for root in &ROOTS {
            root.register();
            let taken =
                root.state.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed);
            if taken.is_ok() {
                root.set(value);
                return root;
            }
        }
        panic!("more than {CELLS} values are being built");
    }

    /// Gives a cell back.
    pub fn release(&self) {
        self.set(UNIT);
        self.state.store(FREE, Ordering::Release);
    }

    /// Roots `value` while `body` runs.
    pub fn with<R>(value: RawValue, body: impl FnOnce(&Root) -> R) -> R {
        let root = Release(Root::take(value));
        body(root.0)
    }

    /// Gives `body` a root, of `()`, if one is wanted.
    #[inline]
    pub fn with_if<R>(wanted: bool, body: impl FnOnce(Option<&Root>) -> R) -> R {
        let root = wanted.then(|| Release(Root::take(UNIT)));
        body(root.as_ref().map(|root| root.0))
    }

    /// The value, where the collector left it.
    pub fn get(&self) -> RawValue {
        // SAFETY: only who has taken the cell and, while that allocates, the collector write it.
        unsafe { self.value.get().read_volatile() }
    }

    /// Replaces the value.
    pub fn set(&self, value: RawValue) {
        // SAFETY: as above.
        unsafe { self.value.get().write_volatile(value) };
    }
}

/// Gives a cell back in any case.
struct Release(&'static Root);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_one_values_alone_and_is_used_again() {
        let first = Root::take(3);
        let second = Root::take(5);
        assert_eq!((first.get(), second.get()), (3, 5));
        first.release();
        second.release();
        Root::with(7, |root| assert_eq!(root.get(), 7));
        let free = |root: &&Root| root.state.load(Ordering::Relaxed) == FREE;
        stock();
        assert!(ROOTS.iter().filter(free).count() >= STOCK - 1);
    }
}
