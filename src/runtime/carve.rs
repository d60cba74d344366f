//! Building values: blocks carved from one small allocation.
//!
//! `caml_alloc_small` gives at most 256 words, in the minor heap, without running OCaml code. A
//! block of that size may hold several, each with a header of its own, as the runtime's own
//! unmarshaller makes them: the minor heap is never walked from end to end. What is larger is
//! another matter, see [`Answer`].

#![allow(unsafe_code)]

use super::{
    Lock, RawValue,
    caml::{
        MAX_SMALL, TAG_ABSTRACT, TAG_CUSTOM, TAG_STRING, TAG_TUPLE, UNIT, caml_alloc_small,
        caml_int32_ops, caml_int64_ops, caml_nativeint_ops, header, val_int,
    },
    large::Answer,
    room::Room,
    root::Root,
};
use std::{marker::PhantomData, ptr};

/// The words of one allocation, headers included.
pub(super) const ROOM: usize = MAX_SMALL + 1;

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

    /// The value itself.
    pub(super) fn raw(self) -> RawValue {
        self.0
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

    /// An array.
    pub fn array(&mut self, fields: impl ExactSizeIterator<Item = Field<'c>>) -> Field<'c> {
        let length = fields.len();
        let at = self.advance(1 + length);
        // SAFETY: advance gave so many words.
        unsafe { at.write(header(length, TAG_TUPLE)) };
        let mut written = 0;
        for field in fields.take(length) {
            written += 1;
            // SAFETY: as above.
            unsafe { at.add(written).cast::<RawValue>().write(field.0) };
        }
        assert_eq!(written, length, "an iterator that ends before its length");
        Carver::value(at)
    }

    /// The next `words` words as a carver of their own.
    pub fn part(&mut self, words: usize) -> Carver<'c> {
        Carver { next: self.advance(words), left: words, carving: PhantomData }
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

/// How the elements of a list are carved.
pub trait Element<T> {
    /// Words of one, headers included.
    const WORDS: usize;
    /// What those of one allocation may share, read once for all.
    type Shared<'c>;

    /// Reads it.
    fn shared<'c>(carver: &Carver<'c>) -> Self::Shared<'c>;

    /// Carves one.
    fn carve<'c>(carver: &mut Carver<'c>, shared: &mut Self::Shared<'c>, item: T) -> Field<'c>;
}

/// Builds a list of elements, in the reverse of the order in which `items` gives what they are
/// made of, `count` in all.
///
/// Each element has a carver of its own whose size is known when this is compiled, so that its
/// checks cost nothing when it runs.
#[inline(always)]
pub fn list<E: Element<T>, T>(
    lock: &mut Lock,
    count: usize,
    mut items: impl Iterator<Item = T>,
) -> RawValue {
    /// Words of a cons cell.
    const CONS: usize = 3;
    let words = const {
        assert!(E::WORDS + CONS <= ROOM, "an element must fit into one allocation");
        E::WORDS + CONS
    };
    let batch = ROOM / words;
    // Nothing has to survive the only allocation of a short list.
    Root::with_if(count > batch, |done| {
        let mut room = done.map(|_| Room::before(lock));
        let mut cells = UNIT;
        let mut left = count;
        while left > 0 {
            let count = left.min(batch);
            left -= count;
            cells = lock.carve(count * words, |carver| {
                // These are read after the allocation, which may have moved them.
                let mut cells = Field(done.map_or(UNIT, Root::get), PhantomData);
                let mut shared = E::shared(carver);
                for item in items.by_ref().take(count) {
                    let next = carver.advance(words);
                    let mut part = Carver { next, left: words, carving: PhantomData };
                    let head = E::carve(&mut part, &mut shared, item);
                    cells = part.tuple([head, cells]);
                    debug_assert_eq!(part.left, 0, "less is carved than was allocated");
                }
                assert!(carver.left == 0, "there are fewer items than was said");
                cells
            });
            if let Some(done) = done {
                done.set(cells);
                if let Some(room) = room.take() {
                    room.make(lock, count * words, left * words);
                }
            }
        }
        cells
    })
}

/// What a stub can give.
pub trait IntoValue: Sized {
    /// Builds it, of small allocations alone: none that can raise.
    fn into_value(self, lock: &mut Lock) -> RawValue;
}

/// What a stub can give, of any size.
pub trait IntoAnswer {
    /// Builds it, or what is to be built.
    fn into_answer(self, lock: &mut Lock) -> Answer;
}

impl<T: IntoValue> IntoAnswer for T {
    fn into_answer(self, lock: &mut Lock) -> Answer {
        Answer::Value(self.into_value(lock))
    }
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
impl IntoAnswer for Vec<u8> {
    fn into_answer(self, lock: &mut Lock) -> Answer {
        Answer::bytes(self, lock)
    }
}

/// `bool array`.
impl IntoAnswer for Vec<bool> {
    fn into_answer(self, lock: &mut Lock) -> Answer {
        Answer::bools(self, lock)
    }
}

/// `int64 array`.
impl IntoAnswer for Vec<i64> {
    fn into_answer(self, lock: &mut Lock) -> Answer {
        Answer::int64s(self, lock)
    }
}

/// A value described before it is built, for results that are built seldom and are small.
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

    /// Words of its blocks, headers included.
    ///
    /// # Panics
    /// For a block without fields: there is one for all, the runtime's own.
    fn words(&self) -> usize {
        match self {
            Build::Int(_) => 0,
            Build::Int64(_) | Build::Int32(_) | Build::Nativeint(_) => Carver::BOXED,
            Build::String(bytes) => Carver::string_words(bytes.len()),
            Build::Abstract(words) => 1 + words.len(),
            Build::Block(_, fields) => {
                assert!(!fields.is_empty(), "a block without fields");
                1 + fields.len() + fields.iter().map(Build::words).sum::<usize>()
            }
        }
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

impl IntoValue for Build {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        match self {
            Build::Int(n) => val_int(n),
            block => lock.carve(block.words(), |carver| block.carve(carver)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caml::stand_in::{MINOR_HEAP, Read, lock, minor_collections, minor_free, read};
    use proptest::{collection::vec, prelude::*};

    /// An `int` of OCaml's.
    fn int() -> impl Strategy<Value = i64> {
        any::<i64>().prop_map(|n| n >> 1)
    }

    /// Any value that can be described, with all blocks that it may consist of.
    fn description() -> impl Strategy<Value = Build> {
        let leaf = prop_oneof![
            int().prop_map(Build::Int),
            any::<i64>().prop_map(Build::Int64),
            any::<i32>().prop_map(Build::Int32),
            any::<i64>().prop_map(Build::Nativeint),
            vec(any::<u8>(), 0..100).prop_map(Build::String),
            // The stand-in reads words back as integers.
            vec(int().prop_map(|n| val_int(n) as usize), 1..10).prop_map(Build::Abstract),
        ];
        leaf.prop_recursive(4, 100, 12, |field| {
            (0_u8..200, vec(field, 1..12)).prop_map(|(tag, fields)| Build::Block(tag, fields))
        })
    }

    /// What is read back of it.
    fn built(described: &Build) -> Read {
        let boxed = |operations: *const std::ffi::c_void, n| Read::Boxed(operations as usize, n);
        match described {
            Build::Int(n) => Read::Int(*n),
            Build::Int64(n) => boxed((&raw const caml_int64_ops).cast(), *n),
            Build::Int32(n) => boxed((&raw const caml_int32_ops).cast(), (*n).into()),
            Build::Nativeint(n) => boxed((&raw const caml_nativeint_ops).cast(), *n),
            Build::String(bytes) => Read::String(bytes.clone()),
            Build::Abstract(words) => {
                let int = |&word| Read::Int(word as i64 >> 1);
                Read::Block(TAG_ABSTRACT, words.iter().map(int).collect())
            }
            Build::Block(tag, fields) => Read::Block(*tag, fields.iter().map(built).collect()),
        }
    }

    /// A record of `N` fields: a number and what follows from it.
    struct Record<const N: usize>;

    impl<const N: usize> Element<i64> for Record<N> {
        const WORDS: usize = 1 + N;
        type Shared<'c> = ();
        fn shared(_: &Carver<'_>) {}
        fn carve<'c>(carver: &mut Carver<'c>, (): &mut (), n: i64) -> Field<'c> {
            carver.tuple(std::array::from_fn::<_, N, _>(|i| Field::int(n ^ i as i64)))
        }
    }

    /// The first fields of a list of such records, from its last to its first.
    fn numbers<const N: usize>(items: &[i64]) -> Vec<i64> {
        let items = items.iter().copied();
        let mut cells = read(list::<Record<N>, i64>(&mut lock(), items.len(), items));
        let mut seen = Vec::new();
        while let Read::Block(0, mut cell) = cells {
            assert_eq!(cell.len(), 2);
            cells = cell.remove(1);
            let Read::Block(0, fields) = cell.remove(0) else { panic!("{seen:?}") };
            let Read::Int(n) = fields[0] else { panic!("{fields:?}") };
            assert_eq!(fields, (0..N).map(|i| Read::Int(n ^ i as i64)).collect::<Vec<_>>());
            seen.push(n);
        }
        assert_eq!(cells, Read::Int(0));
        seen.reverse();
        seen
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_described_is_what_is_read(
            described in description().prop_filter("one allocation", |d| d.words() <= ROOM),
        ) {
            let expected = built(&described);
            prop_assert_eq!(read(described.into_value(&mut lock())), expected);
        }

        #[test]
        fn a_list_is_its_items_whatever_fits_into_a_batch(
            items in vec(int(), 0..if cfg!(miri) { 8 } else { 150 }),
        ) {
            // A batch has room for 42, 28, 11, 3, 2, 1 and 1 of them.
            for seen in [
                numbers::<2>(&items), numbers::<5>(&items), numbers::<19>(&items),
                numbers::<81>(&items), numbers::<124>(&items), numbers::<125>(&items),
                numbers::<253>(&items),
            ] {
                prop_assert_eq!(&seen, &items);
            }
        }
    }

    #[test]
    fn a_list_that_fits_into_an_empty_heap_is_not_collected_in_its_midst() {
        /// Words of an element and its cell.
        const ELEMENT: isize = 2 + 3;
        const LIST: isize = 600 * ELEMENT;
        const FIRST: isize = ROOM as isize / ELEMENT * ELEMENT;
        const { assert!(LIST < MINOR_HEAP && 2 * LIST > MINOR_HEAP) };
        // How many collections come while a list of so many words is built, and how many words go
        // into the heap since the last.
        let built = |words: isize| {
            let (before, items) = (minor_collections(), vec![7; (words / ELEMENT) as usize]);
            list::<Record<1>, i64>(&mut lock(), items.len(), items.into_iter());
            (minor_collections() - before, MINOR_HEAP - minor_free())
        };
        assert_eq!(built(LIST), (0, LIST));
        // All but the first allocation is behind the collection.
        assert_eq!(built(LIST), (1, LIST - FIRST));
        assert_eq!(built(LIST), (1, LIST - FIRST));
        // This has room beside it.
        assert_eq!(built(100 * ELEMENT), (0, LIST - FIRST + 100 * ELEMENT));
        // This has room nowhere: each heap is filled to its end.
        let room = |free: isize| free / FIRST * FIRST;
        let rest = 2 * LIST - room(minor_free()) - room(MINOR_HEAP);
        assert_eq!(built(2 * LIST), (2, rest));
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
        struct Numbers;
        impl Element<i32> for Numbers {
            // 257 / (98 + 3) makes batches of 2.
            const WORDS: usize = 98;
            type Shared<'c> = ();
            fn shared(_: &Carver<'_>) {}
            fn carve<'c>(carver: &mut Carver<'c>, (): &mut (), n: i32) -> Field<'c> {
                carver.tuple([Field::int(n.into()); 97])
            }
        }
        for count in [0, 1, 2, 3, 4, 5, if cfg!(miri) { 50 } else { 1000 }] {
            let value = list::<Numbers, i32>(&mut lock(), count as usize, 0..count);
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
    fn what_is_described_is_built_in_one_allocation() {
        let part = |n| Build::tuple([Build::Int32(n), Build::Int(1)]);
        let text = vec![7; 1000];
        let whole = Build::Block(
            2,
            vec![part(-1), Build::String(text.clone()), Build::Abstract(vec![1; 100]), part(2)],
        );
        let Read::Block(2, fields) = read(whole.into_value(&mut lock())) else { panic!() };
        let boxed = |n| Read::Boxed(&raw const caml_int32_ops as usize, n);
        let part = |n| Read::Block(0, vec![boxed(n), Read::Int(1)]);
        assert_eq!(fields[0], part(-1));
        assert_eq!(fields[1], Read::String(text));
        let words = (0..100).map(|_| Read::Int(0)).collect();
        assert_eq!(fields[2], Read::Block(TAG_ABSTRACT, words));
        assert_eq!(fields[3], part(2));
    }

    #[test]
    #[should_panic(expected = "more is carved than was allocated")]
    fn no_more_is_carved_than_was_allocated() {
        lock().carve(3, |carver| carver.tuple([Field::int(0); 3]));
    }
}
