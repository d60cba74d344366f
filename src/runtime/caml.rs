//! The part of OCaml's C interface that is used: public functions alone (caml/mlvalues.h, alloc.h,
//! custom.h, fail.h, memory.h, minor_gc.h, callback.h, signals.h) and a primitive of the standard
//! library's, the same in OCaml 4.13, 4.14 and from 5.2 on.
//!
//! In 5.0 and 5.1 any allocation may run a signal handler: where it finds that another thread is to
//! have its turn, it yields there and then, and handles signals after that
//! (`caml_domain_external_interrupt_hook` of systhreads). What the handler raises jumps over
//! destructors. Others let threads switch when OCaml code next runs (ocaml/ocaml #12875, #12879,
//! #12882).

#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};

#[cfg(any(test, feature = "stand-in"))]
pub mod stand_in;

/// OCaml's `value`: an integer shifted left by one with the lowest bit set, or the address of a
/// block's first field.
pub type RawValue = isize;

/// `Val_unit`, `Val_false`, `Val_none`, `Val_emptylist`, `Val_int(0)`.
pub const UNIT: RawValue = 1;

/// `Max_young_wosize`: the most words that `caml_alloc_small` gives.
pub const MAX_SMALL: usize = 256;

/// Tag of a cons cell, a record and a tuple.
pub const TAG_TUPLE: u8 = 0;
/// `Abstract_tag`.
pub const TAG_ABSTRACT: u8 = 251;
/// `String_tag`.
pub const TAG_STRING: u8 = 252;
/// `Custom_tag`.
pub const TAG_CUSTOM: u8 = 255;

/// `Make_header` of a block in the minor heap.
pub const fn header(words: usize, tag: u8) -> usize {
    words << 10 | tag as usize
}

/// `Val_long`. Integers of OCaml have 63 bits.
pub const fn val_int(n: i64) -> RawValue {
    (n << 1 | 1) as RawValue
}

/// `struct custom_operations` (caml/custom.h).
#[repr(C)]
pub struct CustomOperations {
    /// A name, for the marshaller.
    pub identifier: *const c_char,
    /// Called when the block dies; must not touch the heap.
    pub finalize: Option<unsafe extern "C" fn(RawValue)>,
    /// `None` (here and below): the operation raises or does nothing.
    pub compare: Option<unsafe extern "C" fn(RawValue, RawValue) -> c_int>,
    /// Structural hash.
    pub hash: Option<unsafe extern "C" fn(RawValue) -> isize>,
    /// Marshalling.
    pub serialize: Option<unsafe extern "C" fn(RawValue, *mut usize, *mut usize)>,
    /// Unmarshalling.
    pub deserialize: Option<unsafe extern "C" fn(*mut c_void) -> usize>,
    /// Comparison with an integer.
    pub compare_ext: Option<unsafe extern "C" fn(RawValue, RawValue) -> c_int>,
    /// Size of the marshalled form, if it is fixed.
    pub fixed_length: *const c_void,
}
// SAFETY: a table that nobody writes.
unsafe impl Sync for CustomOperations {}

unsafe extern "C" {
    /// Of at most `MAX_SMALL` words. Neither raises nor runs OCaml code (but see above).
    pub fn caml_alloc_small(words: usize, tag: c_int) -> RawValue;
    /// Of any size; fields that the collector looks into begin as `()`. Runs no OCaml code, and
    /// raises `Out_of_memory`, as strings do, where the block is larger than a small one.
    pub fn caml_alloc(words: usize, tag: c_int) -> RawValue;
    pub fn caml_modify(field: *mut RawValue, value: RawValue);
    pub fn caml_alloc_initialized_string(length: usize, bytes: *const c_char) -> RawValue;
    pub fn caml_alloc_custom(
        operations: *const CustomOperations,
        bytes: usize,
        used: usize,
        most: usize,
    ) -> RawValue;

    /// `Gc.get_minor_free`: takes `()`, gives an `int`, in words until OCaml 4.14, in bytes since 5.0.
    /// Does not allocate.
    pub fn caml_get_minor_free(unit: RawValue) -> RawValue;
    /// Empties the minor heap. Neither raises nor runs OCaml code.
    pub fn caml_minor_collection();

    /// Raises `Out_of_memory`.
    pub fn caml_register_global_root(value: *mut RawValue);

    pub fn caml_named_value(name: *const c_char) -> *const RawValue;
    pub fn caml_raise_with_arg(constructor: RawValue, argument: RawValue) -> !;
    pub fn caml_raise_out_of_memory() -> !;
    pub fn caml_failwith_value(message: RawValue) -> !;
    pub fn caml_invalid_argument_value(message: RawValue) -> !;

    /// Unlike `caml_enter_blocking_section` it runs no signal handler, which could raise.
    pub fn caml_enter_blocking_section_no_pending();
    pub fn caml_leave_blocking_section();
}

// Miri knows no static of a library's.
#[cfg(all(miri, any(test, feature = "stand-in")))]
pub use stand_in::{caml_int32_ops, caml_int64_ops, caml_nativeint_ops};
#[cfg(not(all(miri, any(test, feature = "stand-in"))))]
unsafe extern "C" {
    pub static caml_int64_ops: c_void;
    pub static caml_int32_ops: c_void;
    pub static caml_nativeint_ops: c_void;
}
