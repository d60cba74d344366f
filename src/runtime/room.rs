//! Room in the minor heap for what is built in many allocations.
//!
//! A list that does not fit into what is free of the minor heap has a minor collection in its
//! midst, which moves what is built by then to the major heap. That costs several times what
//! building it does, and most lists are dropped at once. The same collection a little earlier
//! finds next to nothing of the list.

#![allow(unsafe_code)]

use super::{
    Lock,
    caml::{UNIT, caml_get_minor_free, caml_minor_collection},
};
use std::sync::atomic::{AtomicIsize, Ordering};

/// What was free before an allocation.
pub struct Room {
    free: isize,
}

/// What is free, in words (OCaml 4) or bytes (OCaml 5).
fn free() -> isize {
    // SAFETY: it reads two words of the runtime's, for a thread with the lock, and ignores its
    // argument.
    unsafe { caml_get_minor_free(UNIT) >> 1 }
}

/// What is free of an empty minor heap, as far as that was seen; until then anything may be.
static EMPTY: AtomicIsize = AtomicIsize::new(isize::MAX);

impl Room {
    /// Looks before the first of several allocations.
    #[inline]
    pub fn before(_: &Lock) -> Room {
        Room { free: free() }
    }

    /// After the first, which took `taken` words: sees to it that `wanted` more are free, if an
    /// empty minor heap has so many. No OCaml code runs; what is to survive must be rooted.
    #[inline]
    pub fn make(self, lock: &mut Lock, taken: usize, wanted: usize) {
        let free = free();
        if free > EMPTY.load(Ordering::Relaxed) {
            EMPTY.store(free, Ordering::Relaxed); // It is larger than it was.
        }
        // Nothing where a collection came in between; then nearly all is free.
        let unit = (self.free - free) / taken as isize;
        if wanted as isize * unit > free {
            Room::collect(lock, wanted as isize * unit, unit);
        }
    }

    #[cold]
    fn collect(_: &mut Lock, wanted: isize, unit: isize) {
        const WORDS: isize = 1;
        if wanted > EMPTY.load(Ordering::Relaxed) {
            return; // It has collections in its midst in any case.
        }
        // SAFETY: the lock is held, and values that are to survive are rooted.
        unsafe {
            caml_minor_collection();
            if unit == WORDS {
                // OCaml 4's major collector has a slice of its work done whenever the minor heap
                // is half full, and begins a cycle with an empty one: where the first collection
                // ended a cycle, that slice would empty it in the list's midst. The second has
                // the slice done now. (OCaml 5 empties it where such a slice ends a cycle, and has
                // no public function that does the slice alone: one list a cycle is promoted.)
                caml_minor_collection();
            }
        }
        EMPTY.store(self::free(), Ordering::Relaxed);
    }
}
