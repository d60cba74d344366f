//! How much memory domains have, and mapping it.

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

use super::{Simulation, addr, simulate};
use crate::abi::HYPERVISOR_MEMORY_OP;
use crate::abi::domctl::{DESTROYDOMAIN, DOMINF_DYING, DOMINF_HVM_GUEST, MAX_MEM};
use crate::abi::memory::*;
use crate::abi::release::Release;
use crate::abi_more::MulticallEntry;
use crate::buffer::last_errno;
use crate::counters;
use crate::errno::Ret;
use crate::foreignmemory::*;
use crate::frames::Ranges;
use crate::hypervisor::hypercall;

const ALIVE: &str = "novcpus=0,paused=0,shutdown=0,dying=0,domains=40,guest_memory=256";

fn op<T>(cmd: u64, arg: &mut T) -> Ret {
    hypercall(HYPERVISOR_MEMORY_OP, [cmd, addr(arg), 0, 0, 0])
}

fn reserve(cmd: u64, domid: u16, count: u64, order: u32, list: Option<&mut [u64]>) -> Ret {
    let extent_start = list.map_or(0, |list| list.as_mut_ptr() as u64);
    op(
        cmd,
        &mut Reservation {
            extent_start,
            nr_extents: count,
            extent_order: order,
            domid,
            ..Reservation::default()
        },
    )
}

#[test]
fn reservations_end_at_the_limit() {
    for release in Release::ALL {
        let sim = simulate(release, ALIVE);
        let domid = sim.guest(|d| d.flags & DOMINF_HVM_GUEST != 0);
        let before = sim.info(domid).unwrap();
        assert_eq!(before.max_pages - before.tot_pages, 256);
        let increase = |count, order| reserve(INCREASE_RESERVATION, domid, count, order, None);
        assert_eq!(increase(100, 0), Ok(100));
        assert_eq!(increase(10, 5), Ok(4), "as many as fit");
        assert_eq!(sim.info(domid).unwrap().tot_pages, before.tot_pages + 100 + 128);
        assert_eq!((increase(1, 19), increase(u64::MAX, 0), increase(0, 0)), (Ok(0), Ok(0), Ok(0)));
        assert_eq!(reserve(INCREASE_RESERVATION, 3000, 1, 0, None), Ok(0), "no errors but this");
        assert_eq!(hypercall(HYPERVISOR_MEMORY_OP, [0; 5]), Ok(0));
        assert_eq!(op(3, &mut { domid }), Ok(before.tot_pages as i64 + 228));
        assert_eq!(op(4, &mut { domid }), Ok(before.max_pages as i64));
        assert_eq!(op(3, &mut { 3000_u16 }), Err(libc::ESRCH));
        assert_eq!(op(3 | 1 << 6, &mut { domid }), Err(libc::EINVAL));
        sim.domctl(MAX_MEM, domid, |u| u.max_memkb = u64::MAX).unwrap();
        let free = sim.physinfo().free_pages as i64;
        assert_eq!(increase(1 << 25, 0), Ok(free), "as many as there are");
        assert_eq!(sim.physinfo().free_pages, 0);
    }
}

#[test]
fn pages_come_and_go() {
    let sim = simulate(Release::V4_20, ALIVE);
    for hvm in [DOMINF_HVM_GUEST, 0] {
        let domid = sim.guest(|d| d.flags & DOMINF_HVM_GUEST == hvm);
        let pages = sim.info(domid).unwrap().tot_pages;
        let last = op(14, &mut { domid }).unwrap();
        assert!(last >= pages as i64 - 1);
        let mut list = [5, 6, 7, 1 << 30, 8];
        assert_eq!(reserve(1, domid, 5, 0, Some(&mut list)), Ok(3), "up to one that is not there");
        assert_eq!(sim.info(domid).unwrap().tot_pages, pages - 3);
        assert_eq!(reserve(1, domid, 1, 0, Some(&mut [6])), Ok(0));
        assert_eq!(reserve(6, domid, 2, 0, Some(&mut [6, 1 << 30])), Ok(2));
        assert_eq!(sim.info(domid).unwrap().tot_pages, pages - 1);
        assert_eq!(op(14, &mut { domid }), Ok(1 << 30));
        assert_eq!(reserve(1, domid, 1, 9, Some(&mut [512])), Ok(1));
    }
    let pv = sim.guest(|d| d.flags & DOMINF_HVM_GUEST == 0);
    let mut list = [0; 2];
    assert_eq!(reserve(INCREASE_RESERVATION, pv, 2, 0, Some(&mut list)), Ok(2));
    assert!(list[0] != 0 && list[1] == list[0] + 1);
}

#[test]
fn a_memory_map_is_accepted() {
    let sim = simulate(Release::V4_20, "");
    let mut entry = [0_u8; 20];
    let buffer = addr(&mut entry);
    let set = |domid, nr_entries, buffer| {
        let map = ForeignMemoryMap { domid, nr_entries, buffer, ..ForeignMemoryMap::default() };
        op(SET_MEMORY_MAP, &mut { map })
    };
    assert_eq!(set(3, 1, buffer), Ok(0));
    assert_eq!(set(3000, 1, buffer), Err(libc::ESRCH));
    assert_eq!(set(3000, 1025, buffer), Err(libc::EINVAL));
    assert_eq!(set(3, 1, 8), Err(libc::EFAULT));
    drop(sim);
    let _sim = simulate(Release::V4_20, "privileged=no");
    assert_eq!((set(3, 1, buffer), set(0x7FF0, 1, buffer)), (Err(libc::EPERM), Ok(0)));
    assert_eq!(reserve(INCREASE_RESERVATION, 3, 1, 0, None), Ok(0));
}

#[test]
fn a_multicall_is_hypercalls() {
    let _sim = simulate(Release::V4_20, "");
    let mut domids = [3_u16, 3000];
    let mut calls: Vec<MulticallEntry> = domids
        .iter_mut()
        .map(|d| MulticallEntry { op: 12, args: [3, addr(d), 0, 0, 0, 0], ..Default::default() })
        .collect();
    calls.push(MulticallEntry { op: 13, ..Default::default() });
    let count = calls.len() as u64;
    assert_eq!(hypercall(13, [calls.as_mut_ptr() as u64, count, 0, 0, 0]), Ok(0));
    assert!(calls[0].result > 1000);
    assert_eq!(calls[1].result as i64, -i64::from(libc::ESRCH));
    assert_eq!(calls[2].result as i64, -i64::from(libc::ENOSYS));
    assert_eq!(hypercall(13, [0, 1, 0, 0, 0]), Err(libc::EFAULT));
    assert_eq!(counters::get("hypercalls"), Some(2));
    assert_eq!(counters::get("memory_op.current_reservation"), Some(2));
}

#[test]
fn ranges_join_and_split() {
    let mut ranges = Ranges::default();
    ranges.add(10..20);
    ranges.add(30..40);
    ranges.add(20..30);
    assert_eq!((ranges.len(), ranges.last()), (30, Some(39)));
    ranges.remove(15..35);
    assert_eq!(ranges.len(), 10);
    assert!([10, 14, 35, 39].iter().all(|&n| ranges.has(n)));
    assert!([9, 15, 34, 40].iter().all(|&n| !ranges.has(n)));
    ranges.add(12..37);
    assert_eq!(ranges.len(), 30);
    ranges.remove(11..12);
    assert!(ranges.has(10) && !ranges.has(11) && ranges.has(12));
    ranges.remove(0..100);
    assert!(ranges.is_empty());
}

/// Maps frames; without errors, or with an array for them.
fn map(dom: u32, frames: &[u64], errors: Option<&mut [c_int]>) -> *mut c_void {
    let errors = errors.map_or(null_mut(), <[i32]>::as_mut_ptr);
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: arrays of the same length.
    unsafe { xenforeignmemory_map(null_mut(), dom, prot, frames.len(), frames.as_ptr(), errors) }
}

fn unmap(pages: *mut c_void, count: usize) -> i32 {
    // SAFETY: mapped by `map`, and not used again.
    unsafe { xenforeignmemory_unmap(null_mut(), pages, count) }
}

fn byte<'a>(pages: *mut c_void, at: usize) -> &'a mut u8 {
    // SAFETY: inside what `map` mapped; one reference at a time.
    unsafe { &mut *pages.cast::<u8>().add(at) }
}

fn alive() -> Simulation {
    simulate(Release::V4_20, ALIVE)
}

#[test]
fn two_mappings_are_the_same_memory() {
    let sim = alive();
    let domid = u32::from(sim.guest(|d| d.flags & DOMINF_HVM_GUEST != 0));
    let one = map(domid, &[5, 6, 0xFEFFC], None);
    let two = map(domid, &[0xFEFFC, 5], None);
    assert!(!one.is_null() && !two.is_null());
    assert_eq!(*byte(two, 7), 0);
    *byte(one, 2 * 4096 + 7) = 42;
    *byte(two, 4096) = 43;
    assert_eq!((*byte(two, 7), *byte(one, 0)), (42, 43));
    assert_eq!((unmap(one, 3), unmap(two, 2)), (0, 0));
    let again = map(domid, &[5], None);
    assert_eq!(*byte(again, 0), 43, "kept while nobody maps it");
    assert_eq!(unmap(again, 1), 0);
    assert_eq!(counters::get("foreign_mappings"), Some(3));
    assert_eq!(counters::get("foreign_unmappings"), Some(3));
    assert_eq!(counters::get("foreign_pages"), Some(6));
    assert_eq!(counters::get("map"), Some(3));
}

#[test]
fn frames_fail_one_by_one() {
    let sim = alive();
    let domid = u32::from(sim.guest(|d| d.flags & DOMINF_HVM_GUEST != 0));
    let mut errors = [77; 3];
    let pages = map(domid, &[5, 1 << 40, 6], Some(&mut errors));
    assert_eq!(errors, [0, -libc::EINVAL, 0]);
    *byte(pages, 2 * 4096) = 1;
    assert_eq!(unmap(pages, 3), 0);
    assert!(map(domid, &[5, 1 << 40], None).is_null());
    assert_eq!(last_errno(), libc::EINVAL);
    for dom in [3000, 0, 0x7FF4] {
        assert!(map(dom, &[5], None).is_null());
        assert_eq!(last_errno(), libc::ESRCH);
        let pages = map(dom, &[5], Some(&mut errors));
        assert_eq!((pages.is_null(), errors[0]), (false, -libc::ESRCH));
        assert_eq!(unmap(pages, 1), 0);
    }
    assert!(map(domid, &[], None).is_null());
    assert_eq!(last_errno(), libc::EINVAL);
    drop(sim);
    let _sim = simulate(Release::V4_20, "fault=map:ENOMEM@1,privileged=no");
    assert!(map(3, &[5], None).is_null());
    assert_eq!(last_errno(), libc::ENOMEM);
    assert!(map(3, &[5], None).is_null());
    assert_eq!(last_errno(), libc::EPERM);
}

#[test]
fn a_mapping_holds_a_destroyed_domain() {
    let sim = alive();
    let domid = sim.guest(|d| d.flags & DOMINF_HVM_GUEST != 0);
    let find = || sim.list().into_iter().find(|d| d.domain == domid);
    let one = map(domid.into(), &[5, 6, 7], None);
    let two = map(domid.into(), &[7], None);
    *byte(two, 0) = 9;
    assert_eq!(sim.act(DESTROYDOMAIN, domid), 0);
    let dying = find().unwrap();
    assert_eq!((dying.flags & DOMINF_DYING, dying.tot_pages), (DOMINF_DYING, 3));
    assert_eq!(sim.act(DESTROYDOMAIN, domid), 0, "again");
    assert!(map(domid.into(), &[5], None).is_null(), "no more of it");
    // SAFETY: one page of the mapping, not used again.
    assert_eq!(unsafe { libc::munmap(one, 3 * 4096) }, 0);
    assert!(find().is_some());
    assert_eq!(*byte(two, 0), 9);
    assert_eq!(unmap(two, 1), 0);
    assert!(find().is_none());
    assert_eq!(sim.act(DESTROYDOMAIN, domid), libc::ESRCH);
}
