//! Reading arguments. ocaml-interop knows how OCaml represents a type; what range it may have is
//! said by the types here, each a copy that owns nothing of OCaml's.

#![allow(unsafe_code)]

use super::{Exception, Lock, RawValue};
use ocaml_interop::{
    FromOCaml, OCaml, OCamlInt, OCamlInt32, OCamlInt64, OCamlRuntime,
    internal::recover_runtime_handle,
};
use std::fmt::Display;

// ocaml-interop without its feature "boxroot" still exports a function, never called here, that
// refers to boxroot's. Weak and hidden: a program that links the real one keeps it.
std::arch::global_asm!(
    ".weak boxroot_teardown",
    ".hidden boxroot_teardown",
    ".type boxroot_teardown, @function",
    "boxroot_teardown:",
    "ret",
    ".size boxroot_teardown, . - boxroot_teardown",
);

/// A value of OCaml's, good until the heap next changes.
#[derive(Clone, Copy)]
pub struct Val<'l> {
    raw: RawValue,
    runtime: &'l OCamlRuntime,
}

impl<'l> Val<'l> {
    /// # Safety
    /// `raw` must be a value of the type that it will be read as.
    pub unsafe fn new(_: &'l Lock, raw: RawValue) -> Val<'l> {
        // SAFETY: the lock is held.
        Val { raw, runtime: unsafe { recover_runtime_handle() } }
    }

    /// The value itself.
    pub fn raw(self) -> RawValue {
        self.raw
    }

    fn typed<T: 'static>(self) -> OCaml<'l, T> {
        // SAFETY: the contract of `new`.
        unsafe { OCaml::new(self.runtime, self.raw) }
    }

    fn to<R: FromOCaml<T>, T: 'static>(self) -> R {
        self.typed::<T>().to_rust()
    }

    /// `int`.
    pub fn int(self) -> i64 {
        self.to::<i64, OCamlInt>()
    }

    /// `int32`.
    pub fn int32(self) -> i32 {
        self.to::<i32, OCamlInt32>()
    }

    /// `int64`.
    pub fn int64(self) -> i64 {
        self.to::<i64, OCamlInt64>()
    }

    /// `nativeint`.
    pub fn nativeint(self) -> i64 {
        // SAFETY: a custom block whose word follows its table, by the type that the value is read
        // as.
        unsafe { (self.raw as *const i64).add(1).read() }
    }

    /// Whether it is no block: a number, or a constructor without an argument.
    pub fn is_immediate(self) -> bool {
        self.raw & 1 == 1
    }

    /// `bool`.
    pub fn bool(self) -> bool {
        self.int() != 0
    }

    /// `string`.
    pub fn bytes(self) -> &'l [u8] {
        self.typed::<String>().as_bytes()
    }

    /// `string`, of `N` bytes.
    pub fn array<const N: usize>(self) -> Option<[u8; N]> {
        self.typed::<String>().as_bytes().try_into().ok()
    }

    /// `option`.
    pub fn option(self) -> Option<Val<'l>> {
        (self.raw & 1 == 0).then(|| self.field(0))
    }

    /// The `i`-th field of a record or tuple, of an array (of anything but `float`), or of a
    /// constructor's argument.
    ///
    /// # Panics
    /// If there is none.
    pub fn field(self, i: usize) -> Val<'l> {
        // SAFETY: a block, by the type that the value is read as; the size is checked within.
        let field = unsafe { self.typed::<()>().field::<()>(i).raw() };
        Val { raw: field, runtime: self.runtime }
    }

    /// Number of fields.
    pub fn size(self) -> usize {
        // SAFETY: a block, by the type that the value is read as.
        unsafe { self.typed::<()>().size() }
    }

    /// Which constructor with an argument it is.
    pub fn tag(self) -> u8 {
        self.typed::<()>().tag_value()
    }
}

/// What a stub can take.
pub trait Argument: Sized {
    /// Reads it; `Err` if it is out of range.
    fn read(value: Val<'_>) -> Result<Self, Exception>;
}

/// `unit`.
impl Argument for () {
    fn read(_: Val<'_>) -> Result<(), Exception> {
        Ok(())
    }
}

/// `bool`.
impl Argument for bool {
    fn read(value: Val<'_>) -> Result<bool, Exception> {
        Ok(value.bool())
    }
}

/// `bool array`.
impl Argument for Vec<bool> {
    fn read(value: Val<'_>) -> Result<Vec<bool>, Exception> {
        let mut bools = Vec::new();
        bools.try_reserve_exact(value.size())?;
        bools.extend((0..value.size()).map(|i| value.field(i).bool()));
        Ok(bools)
    }
}

/// `int64`.
impl Argument for i64 {
    fn read(value: Val<'_>) -> Result<i64, Exception> {
        Ok(value.int64())
    }
}

/// An `int` in the range of `T`, called `name` where it is not.
pub fn int<T: TryFrom<i64>>(value: Val<'_>, name: impl Display) -> Result<T, Exception> {
    let n = value.int();
    T::try_from(n).map_err(|_| Exception::Invalid(format!("{name}: {n} is out of range")))
}

/// Arguments that are an `int` in the range of the number they hold, with what they are called where
/// they are not.
#[macro_export]
macro_rules! ints {
    ($(
        $(#[$attribute:meta])*
        $visible:vis struct $name:ident($inner:vis $number:ty) = $called:literal;
    )*) => {$(
        $(#[$attribute])*
        $visible struct $name($inner $number);

        impl $crate::Argument for $name {
            fn read(value: $crate::Val<'_>) -> Result<$name, $crate::Exception> {
                $crate::int(value, $called).map($name)
            }
        }
    )*};
}

/// A constructor without an argument, of a type that has `count` of them.
pub fn constructor(value: Val<'_>, count: u32, name: &str) -> Result<u32, Exception> {
    match u32::try_from(value.int()) {
        Ok(n) if n < count => Ok(n),
        _ => Err(Exception::Invalid(format!("{name}: no such constructor"))),
    }
}

/// A list of constructors without arguments, each the number of a bit, `valid` being all bits.
pub fn list_of_constructors(value: Val<'_>, valid: u32, name: &str) -> Result<u32, Exception> {
    let (mut bits, mut list) = (0, value);
    while !list.is_immediate() {
        let n = list.field(0).int();
        list = list.field(1);
        match u32::try_from(n).ok().and_then(|n| 1u32.checked_shl(n)) {
            Some(bit) if valid & bit != 0 => bits |= bit,
            _ => return Err(Exception::Invalid(format!("{name}: no such constructor"))),
        }
    }
    Ok(bits)
}
