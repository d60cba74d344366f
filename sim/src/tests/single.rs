//! Operations on one domain.

use super::{addr, empty_domctl, simulate};
use crate::abi::domctl::{
    DESTROYDOMAIN, DOMINF_PAUSED, DOMINF_RUNNING, DOMINF_SHUTDOWN, GETDOMAININFO, MAX_MEM,
    MAX_VCPUS, NO_COMMAND, PAUSEDOMAIN, SETDOMAINHANDLE, UNPAUSEDOMAIN,
};
use crate::abi::release::Release;
use crate::abi::sched::{REMOTE_SHUTDOWN, RemoteShutdown};
use crate::abi::{HYPERVISOR_DOMCTL, HYPERVISOR_SCHED_OP};
use crate::errno::Ret;
use crate::hypervisor::hypercall;

#[test]
fn a_domid_that_no_domain_has() {
    for release in Release::ALL {
        let sim = simulate(release, "domains=100,domids=sparse");
        let all = sim.list();
        let gap = all.iter().map(|d| d.domain + 1).find(|id| all.iter().all(|d| d.domain != *id));
        let gap = gap.unwrap();
        let last = all[99].domain;
        let next = all.iter().find(|d| d.domain > gap).unwrap();
        if release == Release::V4_17 {
            assert_eq!(sim.info(gap), Ok(*next));
            assert_eq!(sim.info(last + 1), Err(libc::ESRCH));
            assert_eq!(sim.info(0x7FF0), Err(libc::EINVAL));
            assert_eq!(sim.info(0xFFFF), Err(libc::EINVAL));
        } else {
            for id in [gap, last + 1, 0x7FF0, 0xFFFF] {
                assert_eq!(sim.info(id), Err(libc::ESRCH));
            }
        }
        assert_eq!(sim.info(all[50].domain), Ok(all[50]));
        for cmd in [DESTROYDOMAIN, PAUSEDOMAIN, UNPAUSEDOMAIN, MAX_MEM, MAX_VCPUS, SETDOMAINHANDLE]
        {
            assert_eq!(sim.act(cmd, gap), libc::ESRCH, "{cmd}");
        }
    }
}

#[test]
fn the_gates_come_in_xens_order() {
    for release in Release::ALL {
        let sim = simulate(release, "privileged=no");
        assert_eq!(hypercall(HYPERVISOR_DOMCTL, [0; 5]), Err(libc::EFAULT));
        for cmd in [NO_COMMAND, GETDOMAININFO, PAUSEDOMAIN] {
            let mut op = empty_domctl(cmd, release.domctl_version() + 1, 0);
            let result = hypercall(HYPERVISOR_DOMCTL, [addr(&mut op), 0, 0, 0, 0]);
            assert_eq!(result, Err(libc::EACCES));
        }
        let missing = if release >= Release::V4_22 { libc::EPERM } else { libc::ESRCH };
        assert_eq!(sim.act(PAUSEDOMAIN, 3), libc::EPERM);
        assert_eq!(sim.act(PAUSEDOMAIN, 3000), missing);
        assert_eq!(sim.info(3), Err(libc::EPERM));
        assert_eq!(sim.info(3000), Err(missing));
        assert_eq!(sim.act(crate::abi::domctl::CREATEDOMAIN, 3), libc::EPERM);
    }
}

#[test]
fn only_get_domain_state_has_a_stable_version() {
    for release in Release::ALL {
        let _sim = simulate(release, "");
        let stable = release >= Release::V4_21;
        for (version, right) in [(0, stable), (release.domctl_version(), !stable)] {
            let mut op = empty_domctl(90, version, 0x7FF4);
            let result = hypercall(HYPERVISOR_DOMCTL, [addr(&mut op), 0, 0, 0, 0]);
            let wrong = if stable { libc::ENOSYS } else { libc::ESRCH };
            assert_eq!(result, Err(if right { wrong } else { libc::EACCES }));
        }
    }
}

#[test]
fn pauses_are_counted() {
    let sim = simulate(Release::V4_20, "running=100,paused=0,shutdown=0,novcpus=0");
    let flags = || sim.info(3).unwrap().flags & 0xFFFF & !0x102;
    assert_eq!(flags(), DOMINF_RUNNING);
    assert_eq!(sim.act(UNPAUSEDOMAIN, 3), libc::EINVAL);
    for _ in 0..255 {
        assert_eq!(sim.act(PAUSEDOMAIN, 3), 0);
        assert_eq!(flags(), DOMINF_PAUSED);
    }
    assert_eq!(sim.act(PAUSEDOMAIN, 3), libc::EOVERFLOW);
    for _ in 0..255 {
        assert_eq!(flags(), DOMINF_PAUSED);
        assert_eq!(sim.act(UNPAUSEDOMAIN, 3), 0);
    }
    assert_eq!(flags(), DOMINF_RUNNING);
    assert_eq!(sim.act(PAUSEDOMAIN, 0), libc::EINVAL);
    assert_eq!(sim.act(UNPAUSEDOMAIN, 0), libc::EINVAL);
}

#[test]
fn destroying_frees() {
    let sim = simulate(Release::V4_20, "dying=50,running=0,shutdown=0,paused=0,novcpus=0");
    let before = sim.list();
    let free = sim.physinfo().free_pages;
    let alive = before[1..].iter().find(|d| d.flags & 1 == 0).unwrap();
    let dying = before[1..].iter().find(|d| d.flags & 1 != 0).unwrap();
    assert_eq!(sim.act(DESTROYDOMAIN, alive.domain), 0);
    assert_eq!(sim.act(DESTROYDOMAIN, alive.domain), libc::ESRCH);
    assert_eq!(sim.act(DESTROYDOMAIN, dying.domain), 0);
    assert_eq!(sim.act(DESTROYDOMAIN, 0), libc::EINVAL);
    let after: Vec<_> = before.iter().filter(|d| d.domain != alive.domain).copied().collect();
    assert_eq!(sim.list(), after);
    assert!(sim.physinfo().free_pages >= free + alive.tot_pages);
}

#[test]
fn limits_and_handles() {
    let sim = simulate(Release::V4_20, "vcpus=4,novcpus=0");
    let set = |kib: u64| {
        sim.domctl(MAX_MEM, 3, |u| u.max_memkb = kib).unwrap();
        sim.info(3).unwrap().max_pages
    };
    assert_eq!(set(4096), 1024);
    assert_eq!(set(4099), 1024);
    assert_eq!(set(0), 0);
    assert_eq!(set(u64::MAX), u32::MAX.into());
    sim.domctl(MAX_MEM, 0, |u| u.max_memkb = 4096).unwrap();

    let vcpus = |domid, n| sim.domctl(MAX_VCPUS, domid, |u| u.max_vcpus = n).err();
    assert_eq!(vcpus(3, 4), None);
    assert_eq!(vcpus(3, 3), Some(libc::EINVAL));
    assert_eq!(vcpus(3, 0), Some(libc::EINVAL));
    assert_eq!(vcpus(0, 16), Some(libc::EINVAL));

    sim.domctl(SETDOMAINHANDLE, 3, |u| u.handle = [7; 16]).unwrap();
    assert_eq!(sim.info(3).unwrap().handle, [7; 16]);
    assert_eq!(sim.list()[3].handle, [7; 16]);
}

#[test]
fn unknown_domctls_are_enosys() {
    let sim = simulate(Release::V4_20, "");
    for cmd in [NO_COMMAND, 28, 33, 500, u32::MAX] {
        assert_eq!(sim.act(cmd, 3), libc::ENOSYS);
        assert_eq!(sim.act(cmd, 30000), libc::ESRCH);
    }
}

fn shutdown(domain_id: u16, reason: u32) -> Ret {
    let mut op = RemoteShutdown { domain_id, pad: 0, reason };
    hypercall(HYPERVISOR_SCHED_OP, [REMOTE_SHUTDOWN, addr(&mut op), 0, 0, 0])
}

#[test]
fn the_first_reason_of_a_shutdown_counts_and_any_will_do() {
    let sim = simulate(Release::V4_20, "running=100,shutdown=0,novcpus=0,paused=0");
    let state = |domid: u16| {
        let flags = sim.info(domid).unwrap().flags;
        (flags & (DOMINF_SHUTDOWN | DOMINF_RUNNING), flags >> 16)
    };
    assert_eq!(state(3), (DOMINF_RUNNING, 0xFFFF));
    assert_eq!(shutdown(3, 1), Ok(0));
    assert_eq!(shutdown(3, 3), Ok(0));
    assert_eq!(state(3), (DOMINF_SHUTDOWN, 1));
    assert_eq!(shutdown(4, 0x1FE), Ok(0));
    assert_eq!(state(4), (DOMINF_SHUTDOWN, 0xFE));
    assert_eq!(shutdown(3000, 1), Err(libc::ESRCH));
    let args = [REMOTE_SHUTDOWN, 0, 0, 0, 0];
    assert_eq!(hypercall(HYPERVISOR_SCHED_OP, args), Err(libc::EFAULT));
    assert_eq!(hypercall(HYPERVISOR_SCHED_OP, [99, 0, 0, 0, 0]), Err(libc::ENOSYS));
    assert_eq!(hypercall(HYPERVISOR_SCHED_OP, [0; 5]), Ok(0));
    drop(sim);
    let _sim = simulate(Release::V4_20, "privileged=no");
    assert_eq!(shutdown(3, 1), Err(libc::EPERM));
    assert_eq!(shutdown(3000, 1), Err(libc::ESRCH));
}

#[test]
fn no_argument_makes_it_panic() {
    let mut seed = 42_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        // Small numbers are the interesting ones.
        if seed & 1 == 0 { seed >> 60 } else { seed >> (seed >> 58) }
    };
    let cache = crate::buffer::Cache::default();
    for release in Release::ALL {
        // Only one page is the caller's memory, whatever the arguments name.
        let _sim =
            simulate(release, "domains=20,memory=200000,vcpus=1-4,strict=yes,pci=0000:00:02.0");
        let page = crate::buffer::alloc_pages(&cache, 1).unwrap();
        for _ in 0..30_000 {
            let place = page.addr().get() as u64 + (random() & 0xF) * 8;
            let mut op: [u64; 18] = std::array::from_fn(|_| random());
            let number = [12, 13, 29, 32, 34, 35, 35, 36, 36][random() as usize % 9];
            let cmd = random() & 0x3F;
            if number == crate::abi::HYPERVISOR_SYSCTL {
                op[0] = cmd | u64::from(release.sysctl_version()) << 32;
            } else if number == HYPERVISOR_DOMCTL {
                op[0] = cmd | u64::from(release.domctl_version()) << 32;
            }
            for word in &mut op[1..] {
                if random() & 3 == 0 {
                    *word = page.addr().get() as u64 + 1024;
                }
            }
            crate::guest::write(place, &op).unwrap();
            let args = match number {
                35 | 36 => [place, 0, 0, 0, 0],
                13 => [place, random() & 1, 0, 0, 0],
                _ => [cmd, place, 0, 0, 0],
            };
            let _ = hypercall(number, args);
        }
        crate::buffer::free_pages(&cache, page.addr().get(), 1);
    }
}
