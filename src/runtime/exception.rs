//! OCaml exceptions.

#![allow(unsafe_code)]

use super::{
    Lock,
    caml::{
        RawValue, caml_alloc_initialized_string, caml_failwith_value, caml_invalid_argument_value,
        caml_named_value, caml_raise, caml_raise_with_arg,
    },
};
use std::ffi::CStr;

/// An exception that a stub ends with.
#[derive(Debug, PartialEq, Eq)]
pub enum Exception {
    /// One with a message, that an OCaml module registered under this name; `Failure` if none did.
    Registered(&'static CStr, String),
    /// `Invalid_argument`.
    Invalid(String),
    /// `Failure`.
    Failure(String),
    /// One that OCaml code raised; good until the heap next changes.
    Raised(RawValue),
}

/// An exception as OCaml wants it. Nothing in it has a destructor, so that it may jump.
#[derive(Clone, Copy)]
pub enum Raise {
    /// A constructor and its argument.
    Constructor(RawValue, RawValue),
    /// `Invalid_argument` of a message.
    Invalid(RawValue),
    /// `Failure` of a message.
    Failure(RawValue),
    /// As it is.
    Exception(RawValue),
}

impl Exception {
    /// Moves the message to OCaml's heap.
    pub fn prepare(self, _: &mut Lock) -> Raise {
        // SAFETY: the lock is held; the message is copied. The constructor, a root of the
        // runtime's, is read after the allocation.
        unsafe {
            let string =
                |text: &str| caml_alloc_initialized_string(text.len(), text.as_ptr().cast());
            match &self {
                Exception::Registered(name, message) => {
                    let constructor = caml_named_value(name.as_ptr());
                    if constructor.is_null() {
                        Raise::Failure(string(&format!("{}: {message}", name.to_string_lossy())))
                    } else {
                        let message = string(message);
                        Raise::Constructor(*constructor, message)
                    }
                }
                Exception::Invalid(message) => Raise::Invalid(string(message)),
                Exception::Failure(message) => Raise::Failure(string(message)),
                Exception::Raised(exception) => Raise::Exception(*exception),
            }
        }
    }
}

impl Raise {
    /// Raises it.
    ///
    /// # Safety
    /// The lock must be held, nothing may have been allocated since [`Exception::prepare`], and
    /// no frame up to OCaml's may have a destructor pending.
    pub unsafe fn now(self) -> ! {
        // SAFETY: by the contract.
        unsafe {
            match self {
                Raise::Constructor(constructor, message) => {
                    caml_raise_with_arg(constructor, message)
                }
                Raise::Invalid(message) => caml_invalid_argument_value(message),
                Raise::Failure(message) => caml_failwith_value(message),
                Raise::Exception(exception) => caml_raise(exception),
            }
        }
    }
}
