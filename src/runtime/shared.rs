//! Immutable values that are built once and shared by every result that has them.
//!
//! A value that many results hold costs neither words nor promotion after its first time.

#![allow(unsafe_code)]

use super::{
    Build, Carver, Field, Lock, RawValue,
    caml::{UNIT, caml_modify},
    carve::IntoValue,
    root::Root,
};
use std::{
    ptr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicPtr, Ordering},
    },
};

/// A table of `N` values, each built when it is first wanted and kept for the process's life.
///
/// It is an array of arrays in OCaml's heap, with one root: each is small, so that no allocation
/// here can raise.
pub struct Shared<const N: usize> {
    table: AtomicPtr<Root>,
    /// For domains of OCaml 5 that store at once. Nothing is allocated while it is held: that may
    /// mean to wait for other domains. It is taken with the runtime lock held, without which OCaml
    /// forks no process.
    storing: Mutex<()>,
}

/// Fields of each array.
const FIELDS: usize = 64;

fn field(block: RawValue, i: usize) -> *mut RawValue {
    (block as *mut RawValue).wrapping_add(i)
}

fn array(lock: &mut Lock) -> RawValue {
    lock.carve(1 + FIELDS, |carver| carver.array((0..FIELDS).map(|_| Field::int(0))))
}

impl<const N: usize> Shared<N> {
    /// An empty table. It must be a static: it is never freed.
    #[allow(clippy::new_without_default)] // A static wants a const fn.
    pub const fn new() -> Shared<N> {
        const { assert!(N <= FIELDS * FIELDS) };
        Shared { table: AtomicPtr::new(ptr::null_mut()), storing: Mutex::new(()) }
    }

    /// Value `i`, or `()` if it is not there.
    #[inline]
    fn value(&self, i: usize) -> RawValue {
        // SAFETY: a root that was stored here, which is a static.
        let Some(table) = (unsafe { self.table.load(Ordering::Acquire).as_ref() }) else {
            return UNIT;
        };
        assert!(i < N);
        // SAFETY: the table and what is in it have FIELDS fields each.
        unsafe {
            match field(table.get(), i / FIELDS).read_volatile() {
                UNIT => UNIT,
                row => field(row, i % FIELDS).read_volatile(),
            }
        }
    }

    /// Sees to it that value `i` is there. Nothing mutable may be in it.
    #[inline]
    pub fn ensure(&'static self, lock: &mut Lock, i: usize, describe: impl FnOnce() -> Build) {
        if self.value(i) == UNIT {
            self.build(lock, i, describe());
        }
    }

    #[cold]
    fn build(&'static self, lock: &mut Lock, i: usize, description: Build) {
        if self.table.load(Ordering::Acquire).is_null() {
            let table = Root::take(array(lock));
            let address = ptr::from_ref(table).cast_mut();
            let first = self.table.compare_exchange(
                ptr::null_mut(),
                address,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            // Another domain was faster.
            if first.is_err() {
                table.release();
            }
        }
        Root::with(description.into_value(lock), |value| {
            let row = array(lock);
            let _storing = self.storing.lock().unwrap_or_else(PoisonError::into_inner);
            // SAFETY: the table is there, fields are in bounds, and nothing was allocated since
            // `row` was.
            unsafe {
                let table = (*self.table.load(Ordering::Acquire)).get();
                let at = field(table, i / FIELDS);
                if at.read_volatile() == UNIT {
                    caml_modify(at, row);
                }
                let at = field(at.read_volatile(), i % FIELDS);
                if at.read_volatile() == UNIT {
                    caml_modify(at, value.get());
                }
            }
        });
    }

    /// Value `i`.
    ///
    /// # Panics
    /// If it has not been [`ensure`](Shared::ensure)d.
    #[inline]
    pub fn get<'c>(&'static self, carver: &Carver<'c>, i: usize) -> Field<'c> {
        let value = self.value(i);
        assert!(value != UNIT, "a shared value must be ensured");
        Field::shared(value, carver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caml::stand_in::{Read, lock, read};

    #[test]
    fn a_value_is_built_once_and_shared() {
        static SHARED: Shared<200> = Shared::new();
        let lock = &mut lock();
        for i in [199, 0, 63, 64, 65] {
            for _ in 0..2 {
                SHARED.ensure(lock, i, || Build::tuple([Build::Int(i as i64)]));
            }
        }
        SHARED.ensure(lock, 0, || panic!("it is there"));
        let pair = lock.carve(3, |c| c.tuple([SHARED.get(c, 199), SHARED.get(c, 64)]));
        let one = |n| Read::Block(0, vec![Read::Int(n)]);
        assert_eq!(read(pair), Read::Block(0, vec![one(199), one(64)]));
    }

    #[test]
    #[should_panic(expected = "a shared value must be ensured")]
    fn a_value_that_is_not_there_is_not_made_up() {
        static SHARED: Shared<2> = Shared::new();
        lock().carve(2, |c| c.tuple([SHARED.get(c, 1)]));
    }
}
