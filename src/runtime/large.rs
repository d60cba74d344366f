//! Results that do not fit into one small allocation.
//!
//! What the runtime has to find room for in its major heap it may not find. It then raises
//! `Out_of_memory` by a jump that runs no destructor, and has no function that reports it in
//! another way. So a large result is allocated by the outermost frame alone, when nothing is owned
//! any more but the result's contents, and these are parked meanwhile: if the jump leaves them
//! behind, the thread's next call frees them.

#![allow(unsafe_code)]

use super::{
    Lock, RawValue,
    caml::{caml_alloc, caml_alloc_initialized_string, caml_modify, val_int},
    carve::{Carver, Field, ROOM},
    root::Root,
};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

/// What a stub ends with.
pub enum Answer {
    /// A value.
    Value(RawValue),
    /// One that is still to be allocated.
    Large(Large),
}

/// Contents of a large result.
#[derive(Debug, PartialEq)]
pub enum Large {
    /// `string`.
    Bytes(Vec<u8>),
    /// `bool array`.
    Bools(Vec<bool>),
    /// `int64 array`.
    Int64s(Vec<i64>),
    /// A record of two integers and a `string`.
    Record([i64; 2], Vec<u8>),
}

impl Answer {
    /// `string`.
    pub fn bytes(bytes: Vec<u8>, lock: &mut Lock) -> Answer {
        match Carver::string_words(bytes.len()) {
            words @ ..=ROOM => Answer::Value(lock.carve(words, |carver| carver.string(&bytes))),
            _ => Answer::Large(Large::Bytes(bytes)),
        }
    }

    /// `bool array`.
    pub fn bools(bools: Vec<bool>, lock: &mut Lock) -> Answer {
        let words = 1 + bools.len();
        // The empty array is the runtime's own, and costs no allocation.
        if bools.is_empty() || words > ROOM {
            return Answer::Large(Large::Bools(bools));
        }
        Answer::Value(
            lock.carve(words, |carver| carver.array(bools.iter().map(|&b| Field::bool(b)))),
        )
    }

    /// `int64 array`.
    pub fn int64s(numbers: Vec<i64>, lock: &mut Lock) -> Answer {
        let words = 1 + numbers.len() * (1 + Carver::BOXED);
        if numbers.is_empty() || words > ROOM {
            return Answer::Large(Large::Int64s(numbers));
        }
        Answer::Value(lock.carve(words, |carver| {
            let mut boxes = carver.part(numbers.len() * Carver::BOXED);
            carver.array(numbers.iter().map(|&n| boxes.int64(n)))
        }))
    }

    /// A record of two integers and a `string`.
    pub fn record(numbers: [i64; 2], bytes: Vec<u8>, lock: &mut Lock) -> Answer {
        match RECORD + Carver::string_words(bytes.len()) {
            words @ ..=ROOM => Answer::Value(lock.carve(words, |carver| {
                let text = carver.string(&bytes);
                record(carver, numbers, text)
            })),
            _ => Answer::Large(Large::Record(numbers, bytes)),
        }
    }

    /// The value, allocated if it is not there yet.
    ///
    /// # Safety
    /// No frame up to OCaml's may have a destructor pending.
    pub unsafe fn allocate(self, lock: &mut Lock) -> RawValue {
        let large = match self {
            Answer::Value(value) => return value,
            Answer::Large(large) => Box::into_raw(Box::new(large)),
        };
        park(large);
        // SAFETY: parked by this thread, which frees it in its next call and not before.
        let value = unsafe { (*large).build(lock) };
        clear();
        value
    }
}

/// Words of a record of three fields.
const RECORD: usize = 1 + 3;

fn record<'c>(carver: &mut Carver<'c>, numbers: [i64; 2], text: Field<'c>) -> Field<'c> {
    let [first, second] = numbers.map(Field::int);
    carver.tuple([first, second, text])
}

/// A string of any length. It may raise.
fn string(bytes: &[u8], _: &mut Lock) -> RawValue {
    // SAFETY: the lock is held, and the bytes are copied.
    unsafe { caml_alloc_initialized_string(bytes.len(), bytes.as_ptr().cast()) }
}

impl Large {
    fn build(&self, lock: &mut Lock) -> RawValue {
        /// Boxed numbers for which one allocation has room.
        const BATCH: usize = ROOM / Carver::BOXED;
        match self {
            Large::Bytes(bytes) => string(bytes, lock),
            // After its string nothing raises.
            Large::Record(numbers, bytes) => Root::with(string(bytes, lock), |text| {
                lock.carve(RECORD, |carver| {
                    let text = Field::shared(text.get(), carver);
                    record(carver, *numbers, text)
                })
            }),
            Large::Bools(bools) => {
                // SAFETY: the lock is held; the block has so many fields, and integers need no
                // write barrier.
                unsafe {
                    let block = caml_alloc(bools.len(), 0);
                    for (i, &b) in bools.iter().enumerate() {
                        (block as *mut RawValue).add(i).write(val_int(b.into()));
                    }
                    block
                }
            }
            Large::Int64s(numbers) => {
                // SAFETY: the lock is held.
                let block = unsafe { caml_alloc(numbers.len(), 0) };
                // From here on nothing raises: what is allocated is small.
                Root::with(block, |block| {
                    for (batch, numbers) in numbers.chunks(BATCH).enumerate() {
                        lock.carve(numbers.len() * Carver::BOXED, |carver| {
                            let mut last = Field::int(0);
                            for (i, &n) in numbers.iter().enumerate() {
                                last = carver.int64(n);
                                // SAFETY: a field of the block, whose address is read after the
                                // allocation, which may have moved it.
                                unsafe {
                                    let fields = block.get() as *mut RawValue;
                                    caml_modify(fields.add(batch * BATCH + i), last.raw());
                                }
                            }
                            last
                        });
                    }
                    block.get()
                })
            }
        }
    }
}

/// Contents that a thread is building a value of, or was when the runtime raised.
struct Parked {
    thread: usize,
    large: *mut Large,
}

// SAFETY: contents are any thread's to free; which one does says the list.
unsafe impl Send for Parked {}

// Locked with the runtime lock held, without which OCaml forks no process. A child has the entries
// of its parent's threads, whose contents it never uses.
static PARKED: Mutex<Vec<Parked>> = Mutex::new(Vec::new());
/// How many there are, so that most calls look no further.
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn parked() -> MutexGuard<'static, Vec<Parked>> {
    PARKED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn thread() -> usize {
    // SAFETY: only asks. (The standard library's own ThreadId may have to be allocated.)
    unsafe { libc::pthread_self() as usize }
}

fn park(large: *mut Large) {
    let mut parked = parked();
    parked.push(Parked { thread: thread(), large });
    COUNT.store(parked.len(), Ordering::Relaxed);
}

/// Frees what this thread has parked.
pub fn clear() {
    // A thread sees its own entry, of others it need not know.
    if COUNT.load(Ordering::Relaxed) == 0 {
        return;
    }
    let (mut list, thread) = (parked(), thread());
    while let Some(at) = list.iter().position(|parked| parked.thread == thread) {
        // SAFETY: made by Box, and taken from the list by this thread alone, which is not building
        // it.
        drop(unsafe { Box::from_raw(list.swap_remove(at).large) });
    }
    COUNT.store(list.len(), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caml::{
        caml_int64_ops,
        stand_in::{Read, lock, read},
    };

    fn built(answer: impl FnOnce(&mut Lock) -> Answer) -> Read {
        let mut lock = lock();
        let answer = answer(&mut lock);
        // SAFETY: the stand-in does not raise.
        read(unsafe { answer.allocate(&mut lock) })
    }

    #[test]
    fn results_of_any_length() {
        // Around what one allocation holds: 256 fields, 64 boxed numbers with theirs, 2047 bytes,
        // 2015 of them in a record.
        let lengths = [0, 1, 63, 64, 65, 85, 86, 255, 256, 257, 2015, 2016, 2046, 2047, 2048, 5000];
        let most = if cfg!(miri) { 257 } else { 5000 };
        for length in lengths.into_iter().filter(|&length| length <= most) {
            let bools: Vec<bool> = (0..length).map(|i| i % 3 == 0).collect();
            let expected = bools.iter().map(|&flag| Read::Int(flag.into())).collect();
            assert_eq!(built(|lock| Answer::bools(bools, lock)), Read::Block(0, expected));

            let numbers: Vec<i64> = (0..length).map(|i| i << 40).collect();
            let ops = &raw const caml_int64_ops as usize;
            let expected = numbers.iter().map(|&n| Read::Boxed(ops, n)).collect();
            assert_eq!(built(|lock| Answer::int64s(numbers, lock)), Read::Block(0, expected));

            let bytes: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let expected = Read::String(bytes.clone());
            assert_eq!(built(|lock| Answer::bytes(bytes.clone(), lock)), expected);

            let expected = Read::Block(0, vec![Read::Int(4), Read::Int(-17), expected]);
            assert_eq!(built(|lock| Answer::record([4, -17], bytes, lock)), expected);
        }
    }

    #[test]
    fn what_a_jump_left_is_freed_by_the_threads_next_call() {
        let left = || Box::into_raw(Box::new(Large::Bytes(vec![1; 5000])));
        let own = |threads: &[usize]| threads.contains(&thread());
        park(left());
        // Another thread's call leaves it alone.
        std::thread::spawn(clear).join().unwrap();
        let threads = || parked().iter().map(|parked| parked.thread).collect::<Vec<_>>();
        assert!(own(&threads()));
        clear();
        assert!(!own(&threads()));
    }
}
