//! A stand-in for OCaml's runtime, for unit tests: allocations are never moved, are freed by
//! [`collect`] alone, and begin as a pattern, so that a word which nobody wrote is seen.

#![allow(clippy::missing_safety_doc, non_upper_case_globals, missing_docs)]

use super::{RawValue, TAG_CUSTOM, TAG_STRING, UNIT, header};
use crate::{Argument, Exception, IntoValue, Lock, Val};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    ffi::{c_char, c_int, c_void},
    ptr, slice,
};

thread_local! {
    /// The thread's blocks by their address, and how many words each has with its header. What a
    /// thread leaves when it ends stays, since another may have been told of it.
    static BLOCKS: RefCell<BTreeMap<RawValue, usize>> = RefCell::default();
    /// The roots that were registered.
    static ROOTS: RefCell<Vec<*const RawValue>> = RefCell::default();
}

fn allocate(words: usize, tag: c_int, contents: usize) -> RawValue {
    let block = Box::leak(vec![contents; words + 1].into_boxed_slice());
    block[0] = header(words, tag as u8);
    // Of the whole block, since its header stands before its address; an empty block is the address
    // behind its header.
    let address = block.as_mut_ptr().wrapping_add(1) as RawValue;
    BLOCKS.with_borrow_mut(|blocks| blocks.insert(address, words + 1));
    address
}

/// Frees this thread's blocks but those that its roots reach, and what those reach. For programs of
/// one thread.
///
/// # Safety
/// The others must not be used any more.
pub unsafe fn collect() {
    let mut reached = BTreeMap::new();
    BLOCKS.with_borrow_mut(|blocks| {
        // SAFETY: a registered root lives as long as the program.
        let root = |&root: &*const RawValue| unsafe { root.read_volatile() };
        let mut next: Vec<RawValue> = ROOTS.with_borrow(|all| all.iter().map(root).collect());
        while let Some(value) = next.pop() {
            // Several values may be carved from one block: any address in it keeps all of it.
            let Some((&block, &words)) = blocks.range(..=value).next_back() else { continue };
            if (value - block) as usize / size_of::<usize>() < words {
                // SAFETY: so many words, its header first.
                let contents = unsafe { slice::from_raw_parts(start(block), words) };
                next.extend(contents.iter().map(|&word| word as RawValue));
                reached.extend(blocks.remove_entry(&block));
            }
        }
        for (block, words) in std::mem::replace(blocks, reached) {
            // SAFETY: made so by `allocate`, and in the table no more.
            drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(start(block), words)) });
        }
    });
}

/// Where a block's header is.
fn start(block: RawValue) -> *mut usize {
    (block as *mut usize).wrapping_sub(1)
}

/// Evidence of the runtime lock, of which there is none here.
pub fn lock() -> Lock {
    // SAFETY: there is none.
    unsafe { Lock::held() }
}

/// What a stub gets that is given a value, which must be of the type that is read.
pub fn given<A: Argument>(value: impl IntoValue) -> Result<A, Exception> {
    let mut lock = lock();
    let value = value.into_value(&mut lock);
    // SAFETY: by the caller, of tests alone.
    A::read(unsafe { Val::new(&lock, value) })
}

/// What a word holds before it is written. No header, integer or address looks like it.
pub const UNWRITTEN: usize = 0xDEAD_0000_DEAD_0001;

thread_local! {
    /// Words that are free of a minor heap, which is one in numbers alone.
    static FREE: Cell<isize> = const { Cell::new(MINOR_HEAP) };
    static MINOR_COLLECTIONS: Cell<usize> = const { Cell::new(0) };
}

/// Words of the minor heap.
pub const MINOR_HEAP: isize = 4096;

/// How often this thread's minor heap was emptied, because it was full or because it was asked for.
pub fn minor_collections() -> usize {
    MINOR_COLLECTIONS.get()
}

/// Words of it that are free.
pub fn minor_free() -> isize {
    FREE.get()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn caml_alloc_small(words: usize, tag: c_int) -> RawValue {
    let taken = 1 + words as isize;
    if FREE.get() < taken {
        caml_minor_collection();
    }
    FREE.set(FREE.get() - taken);
    allocate(words, tag, UNWRITTEN)
}

/// In bytes, as OCaml 5 has it.
#[unsafe(no_mangle)]
extern "C" fn caml_get_minor_free(_: RawValue) -> RawValue {
    FREE.get() * size_of::<usize>() as isize * 2 + 1
}

#[unsafe(no_mangle)]
extern "C" fn caml_minor_collection() {
    FREE.set(MINOR_HEAP);
    MINOR_COLLECTIONS.set(MINOR_COLLECTIONS.get() + 1);
}

#[unsafe(no_mangle)]
unsafe extern "C" fn caml_alloc(words: usize, tag: c_int) -> RawValue {
    allocate(words, tag, UNIT as usize)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn caml_modify(field: *mut RawValue, value: RawValue) {
    // SAFETY: a field of a block, by the caller.
    unsafe { field.write(value) };
}

#[unsafe(no_mangle)]
unsafe extern "C" fn caml_alloc_initialized_string(
    length: usize,
    bytes: *const c_char,
) -> RawValue {
    let words = length / size_of::<usize>() + 1;
    // SAFETY: as many bytes as the caller says; the block holds them and its last byte.
    unsafe {
        let block = caml_alloc_small(words, TAG_STRING.into());
        (block as *mut usize).add(words - 1).write(0);
        let start = block as *mut u8;
        start.copy_from_nonoverlapping(bytes.cast(), length);
        let last = words * size_of::<usize>() - 1;
        start.add(last).write((last - length) as u8);
        block
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn caml_string_length(value: RawValue) -> usize {
    // SAFETY: a string block, by the caller.
    unsafe {
        let bytes = (*(value as *const usize).sub(1) >> 10) * size_of::<usize>();
        bytes - 1 - usize::from(*(value as *const u8).add(bytes - 1))
    }
}

#[unsafe(no_mangle)]
extern "C" fn caml_register_global_root(root: *mut RawValue) {
    ROOTS.with_borrow_mut(|roots| roots.push(root));
}
#[unsafe(no_mangle)]
extern "C" fn caml_enter_blocking_section_no_pending() {}
#[unsafe(no_mangle)]
extern "C" fn caml_leave_blocking_section() {}

/// Functions that no unit test reaches.
macro_rules! unreached {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name() -> ! {
            unreachable!(stringify!($name))
        }
    )*};
}
unreached! {
    caml_alloc_custom caml_named_value caml_raise_with_arg
    caml_failwith_value caml_invalid_argument_value caml_raise_out_of_memory
}

/// Tables of operations, of which only the address counts.
#[repr(transparent)]
pub struct Operations(*const c_void);
// SAFETY: never dereferenced.
unsafe impl Sync for Operations {}
#[unsafe(no_mangle)]
pub static caml_int64_ops: Operations = Operations(std::ptr::null());
#[unsafe(no_mangle)]
pub static caml_int32_ops: Operations = Operations(std::ptr::null());
#[unsafe(no_mangle)]
pub static caml_nativeint_ops: Operations = Operations(std::ptr::null());

/// A value read back: what OCaml would make of it.
#[derive(Debug, PartialEq)]
pub enum Read {
    /// An immediate.
    Int(i64),
    /// A custom block: its table and its word.
    Boxed(usize, i64),
    /// A string.
    String(Vec<u8>),
    /// Any other block: its tag and its fields.
    Block(u8, Vec<Read>),
}

/// Reads a value that was carved here; every word of it must have been written.
pub fn read(value: RawValue) -> Read {
    if value & 1 == 1 {
        return Read::Int(value as i64 >> 1);
    }
    let at = value as *const usize;
    // SAFETY: a block that was carved here.
    let (header, word) = unsafe { (*at.sub(1), |i: usize| *at.add(i)) };
    assert_ne!(header, UNWRITTEN);
    let (words, tag) = (header >> 10, header as u8);
    let fields: Vec<usize> = (0..words).map(word).collect();
    assert!(!fields.contains(&UNWRITTEN), "a word of {fields:x?} was not written");
    match tag {
        TAG_CUSTOM => Read::Boxed(fields[0], fields[1] as i64),
        TAG_STRING => {
            let bytes: Vec<u8> = fields.iter().flat_map(|word| word.to_ne_bytes()).collect();
            let length = bytes.len() - 1 - usize::from(bytes[bytes.len() - 1]);
            assert!(bytes[length..bytes.len() - 1].iter().all(|&byte| byte == 0));
            Read::String(bytes[..length].to_vec())
        }
        _ => Read::Block(tag, fields.iter().map(|&field| read(field as RawValue)).collect()),
    }
}
