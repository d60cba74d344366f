//! Functions whose numbers are passed as they are, for calls that cost a few nanoseconds: those of
//! externals with `[@@noalloc]`, which neither allocate nor raise, and those that may raise.
//!
//! OCaml wants two functions for each: for native code, which passes and takes `[@untagged]` and
//! `[@unboxed]` numbers, and for bytecode, which knows values alone.

#![allow(unsafe_code)]

use super::{
    Lock, RawValue, Val,
    caml::val_int,
    custom::{Held, Lasting},
};

/// What such a function can take.
pub trait Direct: Sized {
    /// How native code passes it.
    type Native;

    /// Reads what native code passes.
    ///
    /// # Safety
    /// OCaml must have passed it, as this type, and the call must not release the lock.
    unsafe fn from_native(native: Self::Native) -> Self;

    /// Reads what bytecode passes.
    ///
    /// # Safety
    /// As above.
    unsafe fn from_value(value: RawValue) -> Self;
}

/// `(int [@untagged])`.
impl Direct for i64 {
    type Native = isize;
    unsafe fn from_native(native: isize) -> i64 {
        native as i64
    }
    unsafe fn from_value(value: RawValue) -> i64 {
        (value >> 1) as i64
    }
}

/// The contents of a custom block.
impl<T: Lasting> Direct for &T {
    type Native = RawValue;
    unsafe fn from_native(value: RawValue) -> Self {
        // SAFETY: by the contract; an argument lives as long as the call.
        unsafe { Held::<T>::peek(value) }
    }
    unsafe fn from_value(value: RawValue) -> Self {
        // SAFETY: the same contract.
        unsafe { Self::from_native(value) }
    }
}

/// `string`, of so many bytes.
impl<const N: usize> Direct for Option<[u8; N]> {
    type Native = RawValue;
    unsafe fn from_native(value: RawValue) -> Self {
        // SAFETY: by the contract OCaml called, which it does with the lock held, and the value is
        // a string.
        unsafe { Val::new(&Lock::held(), value).array() }
    }
    unsafe fn from_value(value: RawValue) -> Self {
        // SAFETY: the same contract.
        unsafe { Self::from_native(value) }
    }
}

/// What a function of `[@@noalloc]` gives, `(int [@untagged])`, for a number from 0 on: what is
/// greater than OCaml's greatest is that, and -1 is no number.
pub fn untagged(number: Option<u64>) -> isize {
    const MOST: u64 = i64::MAX as u64 >> 1;
    number.map_or(-1, |n| n.min(MOST) as isize)
}

/// The same for bytecode.
pub fn tagged(number: Option<u64>) -> RawValue {
    val_int(untagged(number) as i64)
}

/// Exports functions for externals with `[@@noalloc]`, each under the name for native code and
/// that for bytecode. They give an `Option<u64>`. A body must not panic: nobody would catch it.
#[macro_export]
macro_rules! export_noalloc {
    ($(
        $(#[$attribute:meta])*
        fn $native:ident, $bytecode:ident($($argument:ident: $type:ty),* $(,)?) $body:block
    )*) => {$(
        $(#[$attribute])*
        #[allow(unsafe_code)] // The attribute and the calls that make a function OCaml's.
        #[unsafe(no_mangle)]
        pub extern "C" fn $native($($argument: <$type as $crate::Direct>::Native),*) -> isize {
            $(
                // SAFETY: OCaml passes values of the types that its declaration of the external
                // has, and the body cannot release the lock.
                let $argument = unsafe { <$type as $crate::Direct>::from_native($argument) };
            )*
            let body = || -> Option<u64> { $body };
            $crate::untagged(body())
        }

        #[doc = concat!("[`", stringify!($native), "`] for bytecode.")]
        #[allow(unsafe_code)] // As above.
        #[unsafe(no_mangle)]
        pub extern "C" fn $bytecode($($argument: $crate::RawValue),*) -> $crate::RawValue {
            $(
                // SAFETY: as above.
                let $argument = unsafe { <$type as $crate::Direct>::from_value($argument) };
            )*
            let body = || -> Option<u64> { $body };
            $crate::tagged(body())
        }
    )*};
}

/// Exports functions whose result is `[@unboxed]` and that may raise, likewise. A body gives a
/// `Result` whose error becomes an [`Exception`](crate::Exception); it cannot release the lock.
#[macro_export]
macro_rules! export_unboxed {
    ($(
        $(#[$attribute:meta])*
        fn $native:ident, $bytecode:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty
        $body:block
    )*) => {$(
        $(#[$attribute])*
        #[allow(unsafe_code)] // As above.
        #[unsafe(no_mangle)]
        pub extern "C" fn $native($($argument: <$type as $crate::Direct>::Native),*) -> $result {
            let body = |_: &mut $crate::Lock| -> Result<$result, $crate::Exception> {
                $(
                    // SAFETY: as above.
                    let $argument = unsafe { <$type as $crate::Direct>::from_native($argument) };
                )*
                $body
            };
            // SAFETY: OCaml calls this with the lock held, and this frame has no destructor.
            unsafe { $crate::run_unboxed(body) }
        }

        #[doc = concat!("[`", stringify!($native), "`] for bytecode.")]
        #[allow(unsafe_code)] // As above.
        #[unsafe(no_mangle)]
        pub extern "C" fn $bytecode($($argument: $crate::RawValue),*) -> $crate::RawValue {
            let body = |lock: &mut $crate::Lock| {
                $(
                    // SAFETY: as above.
                    let $argument = unsafe { <$type as $crate::Direct>::from_value($argument) };
                )*
                let body = || -> Result<$result, $crate::Exception> { $body };
                let result = body()?;
                Ok($crate::IntoAnswer::into_answer(result, lock))
            };
            // SAFETY: as above.
            unsafe { $crate::run(body) }
        }
    )*};
}
