//! OCaml exceptions.

#![allow(unsafe_code)]

use super::{
    Lock,
    caml::{
        RawValue, caml_failwith_value, caml_invalid_argument_value, caml_named_value,
        caml_raise_out_of_memory, caml_raise_with_arg,
    },
    carve::Carver,
};
use std::{collections::TryReserveError, ffi::CStr, io};

/// An exception that a stub ends with.
#[derive(Debug, PartialEq, Eq)]
pub enum Exception {
    /// One with a message, that an OCaml module registered under this name; `Failure` if none did.
    Registered(&'static CStr, String),
    /// `Invalid_argument`.
    Invalid(String),
    /// `Failure`.
    Failure(String),
    /// `Out_of_memory`.
    OutOfMemory,
}

impl From<TryReserveError> for Exception {
    fn from(_: TryReserveError) -> Exception {
        Exception::OutOfMemory
    }
}

/// A copy, or `Out_of_memory`: for what may be of any size.
pub fn copied<T: Copy>(slice: &[T]) -> Result<Vec<T>, Exception> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(slice.len())?;
    copy.extend_from_slice(slice);
    Ok(copy)
}

/// `Failure` with the reason why the thread's last call of the kernel or of a C library failed, as
/// `what: errno: message`: upstream's `Xenctrl.Error` has that form.
pub fn failure(what: &str) -> Exception {
    let error = io::Error::last_os_error();
    let errno = error.raw_os_error().unwrap_or(0);
    let text = error.to_string();
    let message = text.strip_suffix(&format!(" (os error {errno})")).unwrap_or(&text);
    Exception::Failure(format!("{what}: {errno}: {message}"))
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
    /// `Out_of_memory`.
    OutOfMemory,
}

/// Bytes of the longest message. A longer one, which quotes an argument, is cut: it would have to
/// be allocated where that can raise, see [`large`](super::large).
const LONGEST: usize = 1024;

impl Exception {
    /// Moves the message to OCaml's heap.
    pub fn prepare(self, lock: &mut Lock) -> Raise {
        let mut string = |text: &str| {
            let most = text.len().min(LONGEST);
            let end = (0..=most).rfind(|&end| text.is_char_boundary(end)).unwrap_or(0);
            let text = &text.as_bytes()[..end];
            lock.carve(Carver::string_words(text.len()), |carver| carver.string(text))
        };
        // SAFETY: the lock is held. The constructor, a root of the runtime's, is read after the
        // allocation.
        unsafe {
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
                Exception::OutOfMemory => Raise::OutOfMemory,
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
                Raise::OutOfMemory => caml_raise_out_of_memory(),
            }
        }
    }
}
