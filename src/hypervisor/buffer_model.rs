//! The pool under the model checker loom: every order in which threads can take its lock.
//!
//!     RUSTFLAGS="--cfg loom -Clink-arg=-rdynamic" cargo test --release --lib model
//!
//! (`make model`.) Each buffer has a cell that loom watches, touched wherever the buffer is: two
//! threads that had one buffer at once, or one after the other without the lock in between, fail.

use super::*;
use libloading::os::unix::Library;
use loom::{cell::UnsafeCell, sync::Arc, thread};
use std::{
    alloc::{Layout, alloc_zeroed, dealloc},
    cell::RefCell,
    collections::HashMap,
    rc::Rc,
    sync::OnceLock,
};

type Buffers = HashMap<usize, (usize, Rc<UnsafeCell<()>>)>;

thread_local! {
    /// The buffers that exist, by their address. (loom's threads all are this one.)
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

fn buffers<R>(f: impl FnOnce(&mut Buffers) -> R) -> R {
    BUFFERS.with_borrow_mut(f)
}

fn layout(pages: usize) -> Layout {
    Layout::from_size_align(pages * PAGE_SIZE, PAGE_SIZE).unwrap()
}

// libxencall, as far as the pool knows it; the table of its functions wants all of them.

#[unsafe(no_mangle)]
extern "C" fn xencall_alloc_buffer_pages(_: *mut c_void, pages: usize) -> *mut c_void {
    // SAFETY: not of length 0.
    let start = unsafe { alloc_zeroed(layout(pages)) };
    let cell = Rc::new(UnsafeCell::new(()));
    assert!(buffers(|all| all.insert(start as usize, (pages, cell))).is_none());
    start.cast()
}

#[unsafe(no_mangle)]
extern "C" fn xencall_free_buffer_pages(_: *mut c_void, start: *mut c_void, pages: usize) {
    let (had, cell) = buffers(|all| all.remove(&(start as usize))).expect("it was allocated");
    assert_eq!(had, pages);
    cell.with_mut(|_| ());
    // SAFETY: allocated with this layout.
    unsafe { dealloc(start.cast(), layout(pages)) };
}

macro_rules! unreached {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name() -> ! {
            unreachable!(stringify!($name))
        }
    )*};
}
unreached! { xencall_open xencall_close xencall1 xencall2 xencall2L }

fn memory() -> Memory {
    static LIBRARY: OnceLock<LibXencall> = OnceLock::new();
    // SAFETY: the program's own functions, above.
    let library = LIBRARY
        .get_or_init(|| unsafe { LibXencall::from_library(Library::this()) }.expect("-rdynamic"));
    // SAFETY: nothing here looks at the handle.
    unsafe { Memory::new(library, std::ptr::null_mut()) }
}

/// What a call does with its buffer.
fn call(buffer: &mut Buffer, number: u64) {
    let cell = buffers(|all| all[&(buffer.start.as_ptr() as usize)].1.clone());
    cell.with_mut(|_| {
        buffer.put(number);
    });
    // Here another thread may run.
    cell.with(|_| assert_eq!(buffer.get::<u64>(), number));
}

fn exists() -> usize {
    buffers(|all| all.len())
}

/// Runs the threads in every order, then closes the pool, which must leave nothing.
fn check(prepare: fn(&Pool), threads: &'static [fn(&Pool)], afterwards: fn(&Pool)) {
    let mut model = loom::model::Builder::new();
    // Three threads that may be interrupted anywhere have more orders than there is time for.
    model.preemption_bound = (threads.len() > 2).then_some(3);
    model.check(move || {
        let pool = Arc::new(Pool::default());
        prepare(&pool);
        let running: Vec<_> = threads
            .iter()
            .map(|&body| {
                let pool = Arc::clone(&pool);
                thread::spawn(move || body(&pool))
            })
            .collect();
        for thread in running {
            thread.join().unwrap();
        }
        afterwards(&pool);
        Arc::try_unwrap(pool).ok().expect("the threads are gone").clear(memory());
        assert_eq!(exists(), 0);
    });
}

fn one_call(pool: &Pool) {
    let mut buffer = pool.take(memory(), Purpose::Argument).unwrap();
    call(&mut buffer, 1);
    pool.give_back(memory(), buffer);
}

fn two_calls(pool: &Pool) {
    one_call(pool);
    one_call(pool);
}

/// A list that grows its buffer.
fn list(pool: &Pool) {
    let mut buffer = pool.take(memory(), Purpose::Records).unwrap();
    call(&mut buffer, 2);
    memory().grow(&mut buffer, 64 * PAGE_SIZE).unwrap();
    call(&mut buffer, 3);
    pool.give_back(memory(), buffer);
}

#[test]
fn calls_never_share_a_buffer() {
    check(|_| (), &[two_calls, two_calls], |_| assert!((1..=2).contains(&exists())));
}

#[test]
fn three_threads() {
    check(|_| (), &[one_call, one_call, one_call], |_| assert!((1..=3).contains(&exists())));
}

#[test]
fn a_list_grows_beside_calls() {
    check(
        |pool| one_call(pool),
        &[list, two_calls],
        |pool| {
            // The large one is kept for the next list.
            let buffer = pool.take(memory(), Purpose::Records).unwrap();
            assert!(buffer.pages > Purpose::Records.pages());
            pool.give_back(memory(), buffer);
        },
    );
}

#[test]
fn what_is_too_much_is_freed() {
    fn fill(pool: &Pool) {
        let all: Vec<_> =
            (0..Pool::KEPT).map(|_| pool.take(memory(), Purpose::Argument).unwrap()).collect();
        for buffer in all {
            pool.give_back(memory(), buffer);
        }
    }
    check(fill, &[list, one_call], |_| assert_eq!(exists(), Pool::KEPT));
}
