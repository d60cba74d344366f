//! Errors, delays and hostile answers to order; counters.

use std::time::{Duration, Instant};

use super::simulate;
use crate::abi::domctl::{CREATEDOMAIN, PAUSEDOMAIN};
use crate::abi::release::Release;
use crate::abi::sysctl::SysctlUnion;
use crate::counters;
use crate::hypervisor::{configure, hypercall};

#[test]
fn faults_strike_when_they_are_told_to() {
    let sim = simulate(
        Release::V4_20,
        "fault=sysctl.getdomaininfolist:EAGAIN@2,fault=domctl.pausedomain:EBUSY@2+,\
         fault=xen_version.extraversion:EIO,fault=sysctl.physinfo:ENOMEM@1",
    );
    let list = || sim.chunk(0, 3).err().unwrap_or(0);
    assert_eq!([list(), list(), list()], [0, libc::EAGAIN, 0]);
    let pause = || sim.act(PAUSEDOMAIN, 3);
    assert_eq!([pause(), pause(), pause()], [0, libc::EBUSY, libc::EBUSY]);
    assert_eq!(sim.act(crate::abi::domctl::UNPAUSEDOMAIN, 3), 0, "a call that failed did nothing");
    assert_eq!(hypercall(17, [1, 0, 0, 0, 0]), Err(libc::EIO));
    assert_eq!(hypercall(17, [0; 5]), Ok(4 << 16 | 20));
    assert_eq!(sim.sysctl(3, SysctlUnion { pad: [0; 16] }).err(), Some(libc::ENOMEM));
    sim.physinfo();
}

#[test]
fn a_fault_of_a_group_counts_all_of_it() {
    let sim = simulate(Release::V4_20, "fault=hypercall:EINTR@3");
    sim.physinfo();
    assert_eq!(hypercall(17, [0; 5]), Ok(4 << 16 | 20));
    assert_eq!(sim.act(PAUSEDOMAIN, 3), libc::EINTR);
    assert_eq!(sim.act(PAUSEDOMAIN, 3), 0);
}

#[test]
fn delays_delay_without_the_lock() {
    let sim = simulate(Release::V4_20, "delay=sysctl:50ms");
    let start = Instant::now();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| sim.physinfo());
        std::thread::sleep(Duration::from_millis(5));
        let other = Instant::now();
        assert_eq!(sim.act(PAUSEDOMAIN, 3), 0);
        assert!(other.elapsed() < Duration::from_millis(40));
        waiting.join().unwrap();
    });
    assert!(start.elapsed() >= Duration::from_millis(50));
}

#[test]
fn flask_denies_and_hides() {
    let sim = simulate(
        Release::V4_20,
        "flask=deny:domctl.pausedomain,flask=deny:sysctl.physinfo,flask=deny:xen_version.changeset,\
         flask=deny:domctl.createdomain,hide=2+5",
    );
    assert_eq!(sim.act(PAUSEDOMAIN, 3), libc::EACCES);
    assert_eq!(sim.act(PAUSEDOMAIN, 3000), libc::ESRCH);
    assert_eq!(sim.act(CREATEDOMAIN, 0), libc::EACCES);
    assert_eq!(sim.sysctl(3, SysctlUnion { pad: [0; 16] }).err(), Some(libc::EACCES));
    let mut changeset = [0xAA_u8; 64];
    assert_eq!(hypercall(17, [4, changeset.as_mut_ptr() as u64, 0, 0, 0]), Ok(0));
    assert!(changeset.starts_with(b"<denied>\0"));
    let ids: Vec<u16> = sim.list().iter().map(|d| d.domain).collect();
    assert_eq!(ids, [0, 1, 3, 4, 6, 7, 8, 9]);
    let (num, chunk) = sim.chunk(1, 3).unwrap();
    assert_eq!((num, chunk[2].domain), (3, 4), "the hidden one takes no place");
    assert_eq!(sim.info(5), Err(libc::EACCES));
}

#[test]
fn an_overrun_claims_more_than_it_wrote() {
    let sim = simulate(Release::V4_20, "overrun=5,domains=100");
    let (num, records) = sim.chunk(0, 7).unwrap();
    assert_eq!((num, records[6].domain), (12, 6));
    assert_eq!(sim.chunk(0, 0).unwrap().0, 5);
}

#[test]
fn growth_follows_each_list_to_the_limit() {
    let sim = simulate(Release::V4_20, "grow=3,domains=10");
    let len = || sim.chunk(0, 32752).unwrap().0;
    assert_eq!([len(), len(), len()], [10, 13, 16]);
    drop(sim);
    let sim = simulate(Release::V4_20, "grow=20000,domains=20000,domids=sparse");
    assert_eq!(sim.list().len(), 20000);
    let all = sim.list();
    assert_eq!(all.len(), 32752);
    assert!(all.is_sorted_by(|a, b| a.domain < b.domain));
    assert_eq!(sim.list().len(), 32752);
}

#[test]
fn disorder_loses_nothing() {
    let sim = simulate(Release::V4_20, "disorder=yes,domains=20");
    let mut ids: Vec<u16> = sim.list().iter().map(|d| d.domain).collect();
    assert!(!ids.is_sorted());
    assert!(!ids.iter().rev().is_sorted());
    ids.sort_unstable();
    assert_eq!(ids, (0..20).collect::<Vec<_>>());
}

#[test]
fn counters_count() {
    let sim = simulate(Release::V4_20, "");
    sim.list();
    sim.physinfo();
    let _ = sim.info(3);
    let _ = sim.sysctl(77, SysctlUnion { pad: [0; 16] });
    assert_eq!(hypercall(17, [0; 5]), Ok(4 << 16 | 20));
    assert_eq!(hypercall(12, [22, 0, 0, 0, 0]), Err(libc::ENOSYS));
    assert_eq!(hypercall(1000, [0; 5]), Err(libc::ENOSYS));
    for (name, value) in [
        ("hypercalls", 7),
        ("sysctl", 3),
        ("sysctl.getdomaininfolist", 1),
        ("sysctl.physinfo", 1),
        ("sysctl.other", 1),
        ("domctl", 1),
        ("domctl.getdomaininfo", 1),
        ("xen_version.version", 1),
        ("memory_op", 1),
        ("memory_op.sharing_op", 1),
        ("other", 1),
        ("domctl.createdomain", 0),
    ] {
        assert_eq!(counters::get(name), Some(value), "{name}");
    }
    assert_eq!(counters::get("nothing"), None);
    assert!(counters::text().contains("sysctl.physinfo 1\n"));
    assert!(!counters::text().contains("createdomain"));
    configure("domains=3").unwrap();
    assert_eq!(counters::get("hypercalls"), Some(7), "the process's, not the hypervisor's");
    counters::reset();
    assert_eq!(counters::get("hypercalls"), Some(0));
}

#[test]
fn a_bad_configuration_changes_nothing() {
    let sim = simulate(Release::V4_20, "domains=7");
    assert!(configure("domains=0").is_err());
    assert_eq!(sim.list().len(), 7);
}
