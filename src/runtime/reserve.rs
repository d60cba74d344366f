//! Where small things of Rust's come from when malloc has nothing left.
//!
//! What stubs allocate in an unbounded size they ask for with a function that may fail. The rest
//! is small: a message, a handle's block, a description of a record. Where those cannot be had
//! Rust ends the process; so there is a reserve that is large enough for many a call, and OCaml's
//! own allocations, which raise `Out_of_memory`, are the first to fail. Nothing but this library's
//! Rust code allocates here.

#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::UnsafeCell,
    ptr,
    sync::atomic::{AtomicU64, Ordering},
};

#[global_allocator]
static ALLOCATOR: Reserve = Reserve;

/// Bytes of a piece, and the greatest alignment that it has.
const PIECE: usize = 1024;
const PIECES: usize = 64;
const ALIGNMENT: usize = 64;

#[repr(align(64))]
struct Pieces(UnsafeCell<[u8; PIECE * PIECES]>);

// SAFETY: each piece is whose that took its bit.
unsafe impl Sync for Pieces {}

static MEMORY: Pieces = Pieces(UnsafeCell::new([0; PIECE * PIECES]));
/// A bit for each piece that is in use.
static USED: AtomicU64 = AtomicU64::new(0);

struct Reserve;

fn take(layout: Layout) -> *mut u8 {
    if layout.size() > PIECE || layout.align() > ALIGNMENT {
        return ptr::null_mut();
    }
    let mut used = USED.load(Ordering::Relaxed);
    loop {
        let free = used.trailing_ones();
        if free == u64::BITS {
            return ptr::null_mut();
        }
        let with = used | 1 << free;
        match USED.compare_exchange_weak(used, with, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return MEMORY.0.get().cast::<u8>().wrapping_add(free as usize * PIECE),
            Err(now) => used = now,
        }
    }
}

/// The number of the piece at an address, if it is one.
fn number(at: *mut u8) -> Option<usize> {
    let offset = (at as usize).wrapping_sub(MEMORY.0.get() as usize);
    (offset < PIECE * PIECES).then_some(offset / PIECE)
}

// SAFETY: System's memory, or pieces that one holder has at a time.
unsafe impl GlobalAlloc for Reserve {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's contract.
        let at = unsafe { System.alloc(layout) };
        if at.is_null() { take(layout) } else { at }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's contract.
        let mut at = unsafe { System.alloc_zeroed(layout) };
        if at.is_null() {
            at = take(layout);
            if !at.is_null() {
                // SAFETY: a piece, of at least this size.
                unsafe { at.write_bytes(0, layout.size()) };
            }
        }
        at
    }

    #[inline]
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        match number(at) {
            // SAFETY: by the caller's contract; not a piece, so it is System's.
            None => unsafe { System.dealloc(at, layout) },
            Some(number) => _ = USED.fetch_and(!(1 << number), Ordering::Release),
        }
    }

    #[inline]
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if number(at).is_none() {
            // SAFETY: by the caller's contract; not a piece, so it is System's.
            let grown = unsafe { System.realloc(at, layout, size) };
            if !grown.is_null() {
                return grown;
            }
        }
        // SAFETY: by the caller's contract; what was there is still there, and is copied as far as
        // both go.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(at, layout.size().min(size));
                self.dealloc(at, layout);
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_small_aligned_and_come_back() {
        let layout = Layout::from_size_align(PIECE, ALIGNMENT).unwrap();
        let mut pieces: Vec<*mut u8> = Vec::with_capacity(PIECES + 1);
        loop {
            let at = take(layout);
            if at.is_null() {
                break;
            }
            assert_eq!(at as usize % ALIGNMENT, 0);
            // SAFETY: a piece of this size.
            unsafe { at.write_bytes(0xFF, PIECE) };
            pieces.push(at);
        }
        pieces.sort_unstable();
        assert_eq!(pieces.len(), PIECES);
        assert!(pieces.windows(2).all(|two| two[1] as usize - two[0] as usize == PIECE));
        // One that grows, while there is memory again, moves out with its contents.
        // SAFETY: a piece with this layout, which is then another's memory with that.
        unsafe {
            let grown = ALLOCATOR.realloc(pieces[0], layout, 2 * PIECE);
            assert!(number(grown).is_none());
            assert_eq!(*grown.add(PIECE - 1), 0xFF);
            ALLOCATOR.dealloc(grown, Layout::from_size_align(2 * PIECE, ALIGNMENT).unwrap());
            assert_eq!(take(layout), pieces[0]);
            for &at in &pieces {
                ALLOCATOR.dealloc(at, layout);
            }
        }
        assert_eq!(USED.load(Ordering::Relaxed), 0);
        assert!(take(Layout::from_size_align(PIECE + 1, 1).unwrap()).is_null());
    }
}
