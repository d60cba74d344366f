//! Building values: blocks carved from one small allocation.
//!
//! `caml_alloc_small` gives at most 256 words, in the minor heap, without running OCaml code. A
//! block of that size may hold several, each with a header of its own, as the runtime's own
//! unmarshaller makes them: the minor heap is never walked from end to end. What is larger is
//! built block by block, see [`Build`].

#![allow(unsafe_code)]

use super::{
    Lock, RawValue,
    caml::{
        MAX_SMALL, TAG_ABSTRACT, TAG_CUSTOM, TAG_STRING, TAG_TUPLE, UNIT, caml_alloc,
        caml_alloc_initialized_string, caml_alloc_small, caml_int32_ops, caml_int64_ops,
        caml_modify, caml_nativeint_ops, caml_register_global_root, caml_remove_global_root,
        header, val_int,
    },
};
use std::{
    cell::{Cell, UnsafeCell},
    marker::PhantomData,
    ptr,
};

/// The words of one allocation, headers included.
const ROOM: usize = MAX_SMALL + 1;

/// What a field can hold while its carving lasts: an integer, or a block that was carved or that
/// is shared.
#[derive(Clone, Copy)]
pub struct Field<'c>(RawValue, PhantomData<&'c ()>);

impl<'c> Field<'c> {
    /// `int`.
    pub const fn int(n: i64) -> Field<'c> {
        Field(val_int(n), PhantomData)
    }

    /// `bool`.
    pub const fn bool(b: bool) -> Field<'c> {
        Field::int(b as i64)
    }

    /// `[]`.
    pub const fn empty_list() -> Field<'c> {
        Field::int(0)
    }

    /// A value that nothing moves while the carving lasts.
    pub(super) fn shared(value: RawValue, _: &Carver<'c>) -> Field<'c> {
        Field(value, PhantomData)
    }
}

/// Lays blocks side by side in one allocation.
pub struct Carver<'c> {
    next: *mut usize,
    left: usize,
    carving: PhantomData<&'c mut ()>,
}

impl<'c> Carver<'c> {
    /// Words of a string block.
    pub const fn string_words(length: usize) -> usize {
        1 + length / size_of::<usize>() + 1
    }

    /// Words of a boxed `int64`, `int32` or `nativeint`.
    pub const BOXED: usize = 3;

    /// A block of fields: a record, a tuple, an array, a constructor's arguments.
    ///
    /// # Panics
    /// If more is carved than was allocated, here and below.
    #[inline]
    pub fn block<const N: usize>(&mut self, tag: u8, fields: [Field<'c>; N]) -> Field<'c> {
        self.words::<N>(tag, |i| fields[i].0)
    }

    /// A record or tuple.
    #[inline]
    pub fn tuple<const N: usize>(&mut self, fields: [Field<'c>; N]) -> Field<'c> {
        self.block(TAG_TUPLE, fields)
    }

    /// `int64`.
    #[inline]
    pub fn int64(&mut self, n: i64) -> Field<'c> {
        self.boxed(&raw const caml_int64_ops as usize, n as usize)
    }

    /// `int32`.
    #[inline]
    pub fn int32(&mut self, n: i32) -> Field<'c> {
        self.boxed(&raw const caml_int32_ops as usize, n as usize)
    }

    /// `nativeint`.
    #[inline]
    pub fn nativeint(&mut self, n: i64) -> Field<'c> {
        self.boxed(&raw const caml_nativeint_ops as usize, n as usize)
    }

    #[inline]
    fn boxed(&mut self, operations: usize, n: usize) -> Field<'c> {
        let at = self.advance(Carver::BOXED);
        // SAFETY: advance gave so many words.
        unsafe { at.cast::<[usize; 3]>().write([header(2, TAG_CUSTOM), operations, n]) };
        Carver::value(at)
    }

    /// `int array` of bytes.
    #[inline]
    pub fn bytes<const N: usize>(&mut self, bytes: &[u8; N]) -> Field<'c> {
        self.words::<N>(TAG_TUPLE, |i| val_int(bytes[i].into()))
    }

    #[inline(always)]
    fn words<const N: usize>(&mut self, tag: u8, word: impl Fn(usize) -> RawValue) -> Field<'c> {
        let at = self.advance(1 + N);
        // SAFETY: advance gave 1 + N words.
        unsafe { at.write(header(N, tag)) };
        for i in 0..N {
            // Volatile, so that each is one plain store: widened and stored by vectors they are
            // no sooner there, and much later where vectors are emulated.
            // SAFETY: as above.
            unsafe { at.add(1 + i).cast::<RawValue>().write_volatile(word(i)) };
        }
        Carver::value(at)
    }

    /// `string`.
    pub fn string(&mut self, bytes: &[u8]) -> Field<'c> {
        let words = Carver::string_words(bytes.len()) - 1;
        let at = self.advance(1 + words);
        // SAFETY: advance gave so many words, which hold the bytes and at least one more. The
        // last byte of a string block says how many bytes before it are not the string's.
        unsafe {
            at.write(header(words, TAG_STRING));
            at.add(words).write(0);
            let start = at.add(1).cast::<u8>();
            ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
            let last = words * size_of::<usize>() - 1;
            start.add(last).write((last - bytes.len()) as u8);
        }
        Carver::value(at)
    }

    /// Words that the collector does not look into.
    fn abstract_block(&mut self, words: &[usize]) -> Field<'c> {
        let at = self.advance(1 + words.len());
        // SAFETY: advance gave so many words.
        unsafe {
            at.write(header(words.len(), TAG_ABSTRACT));
            ptr::copy_nonoverlapping(words.as_ptr(), at.add(1), words.len());
        }
        Carver::value(at)
    }

    /// A block of any number of fields.
    fn block_of(&mut self, tag: u8, fields: &[Field<'c>]) -> Field<'c> {
        let at = self.advance(1 + fields.len());
        // SAFETY: advance gave so many words.
        unsafe {
            at.write(header(fields.len(), tag));
            ptr::copy_nonoverlapping(fields.as_ptr(), at.add(1).cast(), fields.len());
        }
        Carver::value(at)
    }

    #[inline]
    fn advance(&mut self, words: usize) -> *mut usize {
        assert!(words <= self.left, "more is carved than was allocated");
        let at = self.next;
        self.left -= words;
        // SAFETY: inside the allocation, or one past its end.
        self.next = unsafe { at.add(words) };
        at
    }

    #[inline]
    fn value(at: *mut usize) -> Field<'c> {
        // SAFETY: a header is followed by its block.
        Field(unsafe { at.add(1) } as RawValue, PhantomData)
    }
}

impl Lock {
    /// Carves exactly `words` words, at most 257, and gives the value that `build` ends with.
    ///
    /// # Panics
    /// If more is asked for.
    #[inline]
    pub fn carve(
        &mut self,
        words: usize,
        build: impl for<'c> FnOnce(&mut Carver<'c>) -> Field<'c>,
    ) -> RawValue {
        assert!((2..=ROOM).contains(&words));
        // SAFETY: the lock is held, and the size is one that this function takes. Any tag does:
        // the first block carved writes its own header over this one.
        let block = unsafe { caml_alloc_small(words - 1, i32::from(TAG_STRING)) } as *mut usize;
        // SAFETY: a block's header stands before it.
        let next = unsafe { block.sub(1) };
        let mut carver = Carver { next, left: words, carving: PhantomData };
        let value = build(&mut carver).0;
        debug_assert_eq!(carver.left, 0, "less is carved than was allocated");
        value
    }
}

/// Builds a list whose elements are carved by `element`, of `WORDS` words each, in the reverse of
/// the order in which `items` gives them.
///
/// Each element has a carver of its own whose size is known when this is compiled, so that its
/// checks cost nothing when it runs.
#[inline(always)]
pub fn list<const WORDS: usize, T>(
    lock: &mut Lock,
    mut items: impl ExactSizeIterator<Item = T>,
    element: impl for<'c> Fn(&mut Carver<'c>, T) -> Field<'c>,
) -> RawValue {
    /// Words of a cons cell.
    const CONS: usize = 3;
    let batch = const { ROOM / (WORDS + CONS) };
    const { assert!(WORDS + CONS <= ROOM, "an element must fit into one allocation") };
    Root::with(UNIT, |done| {
        while items.len() > 0 {
            let count = batch.min(items.len());
            let cells = lock.carve(count * (WORDS + CONS), |carver| {
                // Read after the allocation, which may have moved it.
                let mut cells = Field(done.get(), PhantomData);
                for item in items.by_ref().take(count) {
                    let next = carver.advance(WORDS + CONS);
                    let mut part = Carver { next, left: WORDS + CONS, carving: PhantomData };
                    let head = element(&mut part, item);
                    cells = part.tuple([head, cells]);
                    debug_assert_eq!(part.left, 0, "less is carved than was allocated");
                }
                cells
            });
            done.set(cells);
            // A list of one batch is done, and has cost no registration.
            if items.len() > 0 {
                done.register();
            }
        }
        done.get()
    })
}

/// A value that survives allocations.
struct Root {
    value: UnsafeCell<RawValue>,
    registered: Cell<bool>,
}

impl Root {
    /// Holds `value` while `body` runs.
    fn with<R>(value: RawValue, body: impl FnOnce(&Root) -> R) -> R {
        struct Unregister<'r>(&'r Root);
        impl Drop for Unregister<'_> {
            fn drop(&mut self) {
                if self.0.registered.get() {
                    // SAFETY: pairs the registration below.
                    unsafe { caml_remove_global_root(self.0.value.get()) };
                }
            }
        }
        let root = Root { value: UnsafeCell::new(value), registered: Cell::new(false) };
        let held = Unregister(&root);
        body(held.0)
    }

    /// From here on the collector knows of the value and updates it.
    fn register(&self) {
        if !self.registered.replace(true) {
            // SAFETY: the cell does not move before it is unregistered.
            unsafe { caml_register_global_root(self.value.get()) };
        }
    }

    fn get(&self) -> RawValue {
        // SAFETY: only this thread and, while it allocates, the collector write the cell.
        unsafe { self.value.get().read_volatile() }
    }

    fn set(&self, value: RawValue) {
        // SAFETY: as above.
        unsafe { self.value.get().write_volatile(value) };
    }
}

/// What a stub can give.
pub trait IntoValue {
    /// Builds it.
    fn into_value(self, lock: &mut Lock) -> RawValue;
}

/// `unit`.
impl IntoValue for () {
    fn into_value(self, _: &mut Lock) -> RawValue {
        UNIT
    }
}

/// `int`.
impl IntoValue for i32 {
    fn into_value(self, _: &mut Lock) -> RawValue {
        val_int(i64::from(self))
    }
}

/// `int`.
impl IntoValue for u16 {
    fn into_value(self, _: &mut Lock) -> RawValue {
        val_int(i64::from(self))
    }
}

/// `int`.
impl IntoValue for u32 {
    fn into_value(self, _: &mut Lock) -> RawValue {
        val_int(i64::from(self))
    }
}

/// `bool`.
impl IntoValue for bool {
    fn into_value(self, _: &mut Lock) -> RawValue {
        val_int(i64::from(self))
    }
}

/// `int64`.
impl IntoValue for i64 {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        Build::Int64(self).into_value(lock)
    }
}

/// `string`.
impl IntoValue for Vec<u8> {
    fn into_value(self, _: &mut Lock) -> RawValue {
        // SAFETY: the lock is held, and the bytes are copied.
        unsafe { caml_alloc_initialized_string(self.len(), self.as_ptr().cast()) }
    }
}

/// `bool array`.
impl IntoValue for Vec<bool> {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        Build::tuple(self.into_iter().map(|b| Build::Int(b.into()))).into_value(lock)
    }
}

/// A value described before it is built, for results that are built seldom.
#[derive(Clone, Debug)]
pub enum Build {
    /// `int`, or a constructor without argument.
    Int(i64),
    /// `int64`.
    Int64(i64),
    /// `int32`.
    Int32(i32),
    /// `nativeint`.
    Nativeint(i64),
    /// `string`.
    String(Vec<u8>),
    /// Words that the collector does not look into (`Abstract_tag`).
    Abstract(Vec<usize>),
    /// A record, a tuple or an array (tag 0), or a constructor with arguments.
    Block(u8, Vec<Build>),
}

impl Build {
    /// A record, a tuple, an array (of anything but `float`).
    pub fn tuple(fields: impl IntoIterator<Item = Build>) -> Build {
        Build::Block(TAG_TUPLE, fields.into_iter().collect())
    }

    /// The constructors that the bits of `bits` number, the greatest first.
    pub fn constructors(bits: u32) -> Build {
        (0..u32::BITS)
            .filter(|bit| bits >> bit & 1 == 1)
            .fold(Build::Int(0), |tail, bit| Build::tuple([Build::Int(bit.into()), tail]))
    }

    /// Words of its blocks, headers included, if they can be carved: they fit into one allocation,
    /// and none is empty (there is one empty block for all, the runtime's own).
    fn words(&self) -> Option<usize> {
        let words = match self {
            Build::Int(_) => 0,
            Build::Int64(_) | Build::Int32(_) | Build::Nativeint(_) => Carver::BOXED,
            Build::String(bytes) => Carver::string_words(bytes.len()),
            Build::Abstract(words) => 1 + words.len(),
            Build::Block(_, fields) if fields.is_empty() => return None,
            Build::Block(_, fields) => {
                fields.iter().try_fold(1 + fields.len(), |sum, field| Some(sum + field.words()?))?
            }
        };
        (words <= ROOM).then_some(words)
    }

    fn carve<'c>(&self, carver: &mut Carver<'c>) -> Field<'c> {
        match self {
            Build::Int(n) => Field::int(*n),
            Build::Int64(n) => carver.int64(*n),
            Build::Int32(n) => carver.int32(*n),
            Build::Nativeint(n) => carver.nativeint(*n),
            Build::String(bytes) => carver.string(bytes),
            Build::Abstract(words) => carver.abstract_block(words),
            Build::Block(tag, fields) => {
                let fields: Vec<_> = fields.iter().map(|field| field.carve(carver)).collect();
                carver.block_of(*tag, &fields)
            }
        }
    }
}

impl Build {
    /// Builds what cannot be carved: a block of its own, wherever the runtime wants it.
    fn allocate(self, lock: &mut Lock) -> RawValue {
        match self {
            Build::String(bytes) => bytes.into_value(lock),
            Build::Abstract(words) => {
                // SAFETY: the lock is held.
                let block = unsafe { caml_alloc(words.len(), TAG_ABSTRACT.into()) };
                // SAFETY: the block has so many words, which the collector does not look into.
                unsafe { ptr::copy_nonoverlapping(words.as_ptr(), block as *mut _, words.len()) };
                block
            }
            Build::Block(tag, fields) => {
                // SAFETY: the lock is held.
                let block = unsafe { caml_alloc(fields.len(), tag.into()) };
                Root::with(block, |block| {
                    block.register();
                    for (i, field) in fields.into_iter().enumerate() {
                        let value = field.into_value(lock);
                        // SAFETY: the block has a field i, and holds good values throughout. It is
                        // read after the allocation of the value, which may have moved it, and
                        // nothing is allocated between that and the assignment.
                        unsafe { caml_modify((block.get() as *mut RawValue).add(i), value) };
                    }
                    block.get()
                })
            }
            small => unreachable!("{small:?} fits"),
        }
    }
}

impl IntoValue for Build {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        match self {
            Build::Int(n) => val_int(n),
            block => match block.words() {
                Some(words) => lock.carve(words, |carver| block.carve(carver)),
                None => block.allocate(lock),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caml::stand_in::{Read, read};

    fn lock() -> Lock {
        // SAFETY: the stand-in has no lock.
        unsafe { Lock::held() }
    }

    #[test]
    fn integers_keep_their_63_bits() {
        for n in [0, 1, -1, 255, 4_294_967_295, (1 << 62) - 1, -(1 << 62)] {
            assert_eq!(read(Field::int(n).0), Read::Int(n));
        }
        assert_eq!(read(Field::bool(true).0), Read::Int(1));
    }

    #[test]
    fn every_word_of_a_block_is_written() {
        let value = lock().carve(3 * Carver::BOXED + 4 + 6, |carver| {
            let fields = [
                Field::int(7),
                carver.int64(i64::MIN),
                carver.int32(-1),
                carver.nativeint(1 << 40),
                carver.block(3, [Field::empty_list(), Field::bool(true), Field::int(2)]),
            ];
            carver.tuple([fields[0], fields[1], fields[2], fields[3], fields[4]])
        });
        let Read::Block(0, fields) = read(value) else { panic!("{value:x}") };
        assert_eq!(fields[0], Read::Int(7));
        assert_eq!(fields[1], Read::Boxed(&raw const caml_int64_ops as usize, i64::MIN));
        // Boxed int32 are kept sign-extended.
        assert_eq!(fields[2], Read::Boxed(&raw const caml_int32_ops as usize, -1));
        assert_eq!(fields[3], Read::Boxed(&raw const caml_nativeint_ops as usize, 1 << 40));
        assert_eq!(fields[4], Read::Block(3, vec![Read::Int(0), Read::Int(1), Read::Int(2)]));
    }

    #[test]
    fn strings_of_every_length_mod_a_word() {
        for length in 0..=40 {
            let text: Vec<u8> = (1..=length).collect();
            let value = lock().carve(Carver::string_words(text.len()), |c| c.string(&text));
            assert_eq!(read(value), Read::String(text));
        }
    }

    #[test]
    fn a_list_is_the_reverse_of_its_items_across_batches() {
        // 257 / (98 + 3) makes batches of 2.
        const WORDS: usize = 98;
        for count in [0, 1, 2, 3, 4, 5, 1000] {
            let value = list::<WORDS, _>(&mut lock(), 0..count, |carver, n: i32| {
                carver.tuple([Field::int(n.into()); WORDS - 1])
            });
            let (mut cells, mut seen) = (read(value), Vec::new());
            while let Read::Block(0, mut cell) = cells {
                let Some(Read::Block(0, head)) = cell.first() else { panic!("{cell:?}") };
                let Read::Int(n) = head[0] else { panic!("{head:?}") };
                seen.push(n);
                cells = cell.remove(1);
            }
            assert_eq!(cells, Read::Int(0));
            assert_eq!(seen, (0..i64::from(count)).rev().collect::<Vec<_>>());
        }
    }

    #[test]
    fn constructors_of_bits_come_greatest_first() {
        let value = Build::constructors(0b1_0000_0101).into_value(&mut lock());
        let cons = |n, tail| Read::Block(0, vec![Read::Int(n), tail]);
        assert_eq!(read(value), cons(8, cons(2, cons(0, Read::Int(0)))));
        assert_eq!(read(Build::constructors(0).into_value(&mut lock())), Read::Int(0));
    }

    #[test]
    fn arrays_of_any_length_are_built() {
        // Around what one allocation holds: 256 fields, or 64 boxed numbers with theirs.
        for length in [0, 1, 63, 64, 65, 255, 256, 257, 5000] {
            let flags: Vec<bool> = (0..length).map(|i| i % 3 == 0).collect();
            let expected = flags.iter().map(|&flag| Read::Int(flag.into())).collect();
            assert_eq!(read(flags.into_value(&mut lock())), Read::Block(0, expected), "{length}");

            let numbers = Build::tuple((0..length).map(|i| Build::Int64(i << 40)));
            let ops = &raw const caml_int64_ops as usize;
            let expected = (0..length).map(|i| Read::Boxed(ops, i << 40)).collect();
            assert_eq!(read(numbers.into_value(&mut lock())), Read::Block(0, expected));
        }
    }

    #[test]
    fn what_does_not_fit_is_built_from_parts() {
        let long = vec![7; 5168];
        let part = |n| Build::tuple([Build::Int32(n), Build::tuple([]), Build::Int(1)]);
        let whole = Build::Block(
            2,
            vec![part(-1), Build::String(long.clone()), Build::Abstract(vec![1; 300]), part(2)],
        );
        let Read::Block(2, fields) = read(whole.into_value(&mut lock())) else { panic!() };
        let boxed = |n| Read::Boxed(&raw const caml_int32_ops as usize, n);
        let part = |n| Read::Block(0, vec![boxed(n), Read::Block(0, vec![]), Read::Int(1)]);
        assert_eq!(fields[0], part(-1));
        assert_eq!(fields[1], Read::String(long));
        let words = (0..300).map(|_| Read::Int(0)).collect();
        assert_eq!(fields[2], Read::Block(TAG_ABSTRACT, words));
        assert_eq!(fields[3], part(2));
    }

    #[test]
    #[should_panic(expected = "more is carved than was allocated")]
    fn no_more_is_carved_than_was_allocated() {
        lock().carve(3, |carver| carver.tuple([Field::int(0); 3]));
    }
}
