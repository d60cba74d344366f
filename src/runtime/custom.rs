//! Custom blocks: OCaml's hold on something of Rust's.

#![allow(unsafe_code)]

use super::carve::IntoValue;
use super::{
    Argument, Exception, Lock, RawValue, Val,
    caml::{CustomOperations, caml_alloc_custom},
};
use std::{
    ffi::CStr,
    ptr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a custom block of a kind holds.
pub trait Custom: Send + Sync + Sized + 'static {
    /// The kind's table, made by [`operations`](Slot::operations).
    const OPERATIONS: &'static CustomOperations;
    /// The exception for a use after [`Slot::close`].
    fn closed() -> Exception;
}

/// The contents of a custom block: open, or closed by hand before the block died.
///
/// A call takes its own reference, so that neither closing nor collection disturbs a call under
/// way; the last of them drops the contents.
pub struct Slot<T>(Mutex<Option<Arc<T>>>);

/// How many blocks of a kind a minor collection may find at most: they hold descriptors, which a
/// program that drops handles without closing them must not run out of.
const BLOCKS_PER_COLLECTION: usize = 64;

/// The table of blocks that OCaml cannot look into.
const fn opaque(identifier: &'static CStr) -> CustomOperations {
    CustomOperations {
        identifier: identifier.as_ptr(),
        finalize: None,
        compare: None,
        hash: None,
        serialize: None,
        deserialize: None,
        compare_ext: None,
        fixed_length: ptr::null(),
    }
}

impl<T: Custom> Slot<T> {
    /// The table of a kind of custom block.
    pub const fn operations(identifier: &'static CStr) -> CustomOperations {
        CustomOperations { finalize: Some(finalize::<T>), ..opaque(identifier) }
    }

    /// The contents that `value` refers to.
    pub fn get(value: Val<'_>) -> Result<Arc<T>, Exception> {
        Slot::of(value).lock().clone().ok_or_else(T::closed)
    }

    /// Takes the contents out: the block is closed from now on.
    pub fn close(value: Val<'_>) -> Result<Arc<T>, Exception> {
        Slot::of(value).lock().take().ok_or_else(T::closed)
    }

    fn of(value: Val<'_>) -> &Slot<T> {
        // SAFETY: a custom block of this kind, by the type that the value is read as: its first
        // word belongs to the runtime, its second is the pointer that `into_value` put there and
        // that stays good until the block dies, which it does not while it is an argument.
        unsafe { &**(value.raw() as *const *const Slot<T>).add(1) }
    }

    // Held for a few instructions, during which nothing blocks, allocates or panics; and with the
    // runtime lock, without which OCaml forks no process that would inherit it taken.
    fn lock(&self) -> MutexGuard<'_, Option<Arc<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

unsafe extern "C" fn finalize<T>(block: RawValue) {
    // SAFETY: as in `of`; the block is dead, so nobody else has the pointer. Contents' destructors
    // do not touch OCaml's heap (they cannot: they have no Lock).
    let slot = unsafe { Box::from_raw(*(block as *const *mut Slot<T>).add(1)) };
    // A panic must not leave a finaliser.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(slot)));
}

/// A new custom block with a pointer in it.
fn block<T>(operations: &'static CustomOperations, pointer: *const T) -> RawValue {
    // SAFETY: the block has room for one pointer, which is there before the runtime can see the
    // block again.
    unsafe {
        let block = caml_alloc_custom(operations, size_of::<usize>(), 1, BLOCKS_PER_COLLECTION);
        (block as *mut *const T).add(1).write(pointer);
        block
    }
}

/// A new custom block.
impl<T: Custom> IntoValue for Arc<T> {
    fn into_value(self, _: &mut Lock) -> RawValue {
        block(T::OPERATIONS, Box::into_raw(Box::new(Slot(Mutex::new(Some(self))))))
    }
}

/// The contents, open.
impl<T: Custom> Argument for Arc<T> {
    fn read(value: Val<'_>) -> Result<Arc<T>, Exception> {
        Slot::get(value)
    }
}

/// What a custom block of a kind holds as long as it lives: nothing closes it, so that it can be
/// read without a lock.
pub trait Lasting: Send + Sync + Sized + 'static {
    /// The kind's table, made by [`operations`](Held::operations).
    const OPERATIONS: &'static CustomOperations;
}

/// The contents of such a block, and a call's own reference to them.
pub struct Held<T>(pub Arc<T>);

impl<T: Lasting> Held<T> {
    /// The table of a kind of custom block.
    pub const fn operations(identifier: &'static CStr) -> CustomOperations {
        CustomOperations { finalize: Some(finalize_held::<T>), ..opaque(identifier) }
    }

    /// The contents, where the call that got `value` neither allocates nor releases the lock.
    ///
    /// # Safety
    /// `value` must be a block of this kind and live while the reference does.
    pub unsafe fn peek<'l>(value: RawValue) -> &'l T {
        // SAFETY: a custom block of this kind: its first word belongs to the runtime, its second
        // is the pointer that `into_value` put there.
        unsafe { &**(value as *const *const T).add(1) }
    }
}

unsafe extern "C" fn finalize_held<T>(block: RawValue) {
    // SAFETY: the pointer that `into_value` put there, and the block is dead.
    let contents = unsafe { Arc::from_raw(*(block as *const *const T).add(1)) };
    // A panic must not leave a finaliser.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(contents)));
}

impl<T: Lasting> IntoValue for Held<T> {
    fn into_value(self, _: &mut Lock) -> RawValue {
        block(T::OPERATIONS, Arc::into_raw(self.0))
    }
}

impl<T: Lasting> Argument for Held<T> {
    fn read(value: Val<'_>) -> Result<Held<T>, Exception> {
        // SAFETY: a block of this kind, by the type that the value is read as, and an argument.
        let contents: *const T = unsafe { Held::<T>::peek(value.raw()) };
        // SAFETY: the block's own pointer, and its reference stays.
        unsafe {
            Arc::increment_strong_count(contents);
            Ok(Held(Arc::from_raw(contents)))
        }
    }
}
