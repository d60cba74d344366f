//! vCPUs.

use super::{Simulation, addr, simulate};
use crate::abi::domctl::*;
use crate::abi::release::Release;

const ALIVE: &str = "shutdown=0,novcpus=0,paused=0,dying=0";

fn info(sim: &Simulation, domid: u16, vcpu: u32) -> Result<VcpuInfo, i32> {
    let mut arg = VcpuInfo { vcpu, pad0: 0xAA, ..VcpuInfo::default() };
    match sim.apply(GETVCPUINFO, domid, &mut arg) {
        0 => Ok(arg),
        errno => Err(errno),
    }
}

#[test]
fn the_vcpus_add_up_to_the_domain() {
    for release in Release::ALL {
        let sim = simulate(release, "domains=300,running=30,paused=5,shutdown=5,vcpus=1-16");
        for domain in sim.list() {
            let count = domain.max_vcpu_id.wrapping_add(1);
            let all: Vec<VcpuInfo> =
                (0..count).map(|i| info(&sim, domain.domain, i).unwrap()).collect();
            let sum = |of: fn(&VcpuInfo) -> u64| all.iter().map(of).sum::<u64>();
            assert_eq!(sum(|v| v.online.into()), domain.nr_online_vcpus.into());
            assert_eq!(sum(|v| v.cpu_time), domain.cpu_time);
            let running = domain.flags & DOMINF_RUNNING != 0;
            assert_eq!(sum(|v| v.running.into()) != 0, running);
            let online = all.iter().filter(|v| v.online != 0);
            let blocked = count > 0 && online.clone().all(|v| v.blocked != 0);
            assert_eq!(blocked, domain.flags & DOMINF_BLOCKED != 0);
            assert!(all.iter().all(|v| v.cpu < 64 && v.running & v.blocked == 0));
        }
    }
}

#[test]
fn a_vcpu_that_is_not_there() {
    for release in Release::ALL {
        let sim = simulate(release, "novcpus=100,running=0,paused=0,shutdown=0,vcpus=4");
        let (beyond, missing) = if release >= Release::V4_22 {
            (libc::ENOENT, libc::ENOENT)
        } else {
            (libc::EINVAL, libc::ESRCH)
        };
        assert_eq!(info(&sim, 3, 4), Err(beyond));
        assert_eq!(info(&sim, 3, 3), Err(missing));
        assert_eq!(info(&sim, 3000, 0), Err(libc::ESRCH));
        let mut bits = [0_u8; 8];
        let map = Bitmap { bitmap: addr(&mut bits), nr_bits: 64, pad: 0 };
        let mut arg = VcpuAffinity { vcpu: 4, flags: 1, cpumap_hard: map, ..Default::default() };
        assert_eq!(sim.apply(GETVCPUAFFINITY, 3, &mut arg), libc::EINVAL);
        arg.vcpu = 3;
        assert_eq!(sim.apply(SETVCPUAFFINITY, 3, &mut arg), libc::ESRCH);
        let mut arg = VcpuContext { vcpu: 3, ..Default::default() };
        assert_eq!(sim.apply(GETVCPUCONTEXT, 3, &mut arg), libc::EINVAL);
        assert_eq!(sim.apply(SETVCPUCONTEXT, 3, &mut arg), libc::EINVAL);
    }
}

#[test]
fn only_the_control_domain_asks() {
    let sim = simulate(Release::V4_20, "privileged=no");
    assert_eq!(info(&sim, 3, 0), Err(libc::EPERM));
    drop(sim);
    let sim = simulate(Release::V4_20, "flask=deny:domctl.getvcpuinfo");
    assert_eq!(info(&sim, 3, 0), Err(libc::EACCES));
}

struct Maps {
    hard: [u8; 16],
    soft: [u8; 16],
}

fn affinity(sim: &Simulation, cmd: u32, flags: u32, bits: u32, maps: &mut Maps) -> i32 {
    let map = |bytes: &mut [u8; 16]| Bitmap { bitmap: addr(bytes), nr_bits: bits, pad: 0 };
    let (cpumap_hard, cpumap_soft) = (map(&mut maps.hard), map(&mut maps.soft));
    sim.apply(cmd, 3, &mut VcpuAffinity { vcpu: 0, flags, cpumap_hard, cpumap_soft })
}

#[test]
fn affinities_are_kept_as_given_and_answered_as_they_work() {
    for release in Release::ALL {
        let sim = simulate(release, &format!("cpus=12,vcpus=4,{ALIVE}"));
        let mut maps = Maps { hard: [0xAA; 16], soft: [0xAA; 16] };
        let mut call = |cmd, flags, bits, hard: &[u8], soft: &[u8]| {
            maps.hard[..hard.len()].copy_from_slice(hard);
            maps.soft[..soft.len()].copy_from_slice(soft);
            let result = affinity(&sim, cmd, flags, bits, &mut maps);
            (result, maps.hard[..4].to_vec(), maps.soft[..4].to_vec())
        };
        // At first everywhere; bits that the host does not have are zero, bytes beyond untouched.
        let all = call(GETVCPUAFFINITY, 3, 24, &[0xAA; 4], &[0xAA; 4]);
        assert_eq!(all, (0, vec![0xFF, 0x0F, 0, 0xAA], vec![0xFF, 0x0F, 0, 0xAA]));
        let set = call(SETVCPUAFFINITY, 3, 16, &[0xF0, 0xFF, 7, 7], &[0x33, 0, 7, 7]);
        assert_eq!(set, (0, vec![0xF0, 0x0F, 7, 7], vec![0x30, 0, 7, 7]));
        let get = call(GETVCPUAFFINITY, 3, 16, &[0; 4], &[0; 4]);
        assert_eq!(get, (0, vec![0xF0, 0x0F, 0, 0], vec![0x33, 0, 0, 0]));
        assert!((4..12).contains(&info(&sim, 3, 0).unwrap().cpu), "moved to where it may run");
        // A bitmap that is too short: what it lacks is zero.
        assert_eq!(call(SETVCPUAFFINITY, 1, 3, &[0xFF, 0xFF], &[]).0, 0);
        assert_eq!(call(GETVCPUAFFINITY, 1, 16, &[], &[]).1[..2], [7, 0]);
        // Nowhere to run, nothing asked for, no map.
        assert_eq!(call(SETVCPUAFFINITY, 1, 16, &[0, 0xF0], &[]).0, libc::EINVAL);
        assert_eq!(call(SETVCPUAFFINITY, 1, 0, &[0xFF, 0xFF], &[]).0, libc::EINVAL);
        assert_eq!(call(SETVCPUAFFINITY, 0, 16, &[0xFF, 0xFF], &[]).0, libc::EINVAL);
        assert_eq!(call(GETVCPUAFFINITY, 1, 16, &[], &[]).1[..2], [7, 0], "as it was");
        assert_eq!(call(SETVCPUAFFINITY, 2, 16, &[], &[0, 0]).0, 0, "soft affinity may be empty");
        let mut null = VcpuAffinity { flags: VCPUAFFINITY_HARD, ..Default::default() };
        assert_eq!(sim.apply(GETVCPUAFFINITY, 3, &mut null), libc::EINVAL);
        let bad = Bitmap { bitmap: 8, nr_bits: 16, pad: 0 };
        let mut fault = VcpuAffinity { flags: 1, cpumap_hard: bad, ..Default::default() };
        assert_eq!(sim.apply(GETVCPUAFFINITY, 3, &mut fault), libc::EFAULT);
        assert_eq!(sim.apply(SETVCPUAFFINITY, 3, &mut fault), libc::EFAULT);
        // The second half's success hides the first one's error in the older releases.
        let mut soft = [0_u8; 2];
        fault.flags = VCPUAFFINITY_HARD | VCPUAFFINITY_SOFT;
        fault.cpumap_soft = Bitmap { bitmap: addr(&mut soft), nr_bits: 16, pad: 0 };
        let hidden = if release < Release::V4_20 { 0 } else { libc::EFAULT };
        assert_eq!(sim.apply(GETVCPUAFFINITY, 3, &mut fault), hidden);
    }
}

fn context(sim: &Simulation, cmd: u32, domid: u16, vcpu: u32, bytes: &mut [u8]) -> i32 {
    assert_eq!(bytes.len(), VCPU_CONTEXT_SIZE);
    sim.apply(cmd, domid, &mut VcpuContext { vcpu, pad: 0, ctxt: bytes.as_mut_ptr() as u64 })
}

#[test]
fn contexts_keep_what_is_set() {
    let sim = simulate(Release::V4_20, &format!("vcpus=4,{ALIVE},domains=40,running=100"));
    for hvm in [DOMINF_HVM_GUEST, 0] {
        let domid = sim.guest(|d| d.flags & DOMINF_HVM_GUEST == hvm && d.nr_online_vcpus == 4);
        let mut bytes = vec![0; VCPU_CONTEXT_SIZE];
        assert_eq!(context(&sim, GETVCPUCONTEXT, domid, 1, &mut bytes), 0);
        assert_eq!(bytes[VCPU_CONTEXT_RAX..][..8], [0; 8]);
        let before = bytes.clone();
        bytes[VCPU_CONTEXT_RAX] = 1;
        assert_eq!(context(&sim, SETVCPUCONTEXT, domid, 1, &mut bytes), 0);
        let set = bytes.clone();
        assert_eq!(context(&sim, GETVCPUCONTEXT, domid, 1, &mut bytes), 0);
        assert_eq!(bytes, set);
        assert_eq!(sim.info(domid).unwrap().nr_online_vcpus, 4);
        // Offline.
        bytes[512] &= !(1 << 5);
        assert_eq!(context(&sim, SETVCPUCONTEXT, domid, 1, &mut bytes), 0);
        assert_eq!(sim.info(domid).unwrap().nr_online_vcpus, 3);
        assert_eq!(info(&sim, domid, 1).unwrap().online, 0);
        assert_eq!(context(&sim, GETVCPUCONTEXT, domid, 1, &mut bytes), 0);
        // Begun anew.
        assert_eq!(
            sim.apply(SETVCPUCONTEXT, domid, &mut VcpuContext { vcpu: 1, pad: 0, ctxt: 0 }),
            0
        );
        assert_eq!(context(&sim, GETVCPUCONTEXT, domid, 1, &mut bytes), libc::ENODATA);
        assert_eq!(context(&sim, SETVCPUCONTEXT, domid, 1, &mut before.clone()), 0);
        assert_eq!(sim.info(domid).unwrap().nr_online_vcpus, 4);
        assert_eq!(context(&sim, GETVCPUCONTEXT, domid, 4, &mut bytes), libc::EINVAL);
        let mut unmapped = VcpuContext { vcpu: 0, pad: 0, ctxt: 8 };
        assert_eq!(sim.apply(GETVCPUCONTEXT, domid, &mut unmapped), libc::EFAULT);
        assert_eq!(sim.apply(SETVCPUCONTEXT, domid, &mut unmapped), libc::EFAULT);
    }
    let mut bytes = vec![0; VCPU_CONTEXT_SIZE];
    assert_eq!(context(&sim, SETVCPUCONTEXT, 0, 1, &mut bytes), libc::EINVAL);
    assert_eq!(context(&sim, GETVCPUCONTEXT, 0, 0, &mut bytes), libc::EINVAL);
}

#[test]
fn a_pv_guests_tables_cannot_be_replaced() {
    let sim = simulate(Release::V4_20, &format!("hvm=0,pvh=0,vcpus=2,{ALIVE}"));
    let domid = sim.guest(|d| d.nr_online_vcpus == 2);
    let mut bytes = vec![0; VCPU_CONTEXT_SIZE];
    let mut set = |at: usize, value: u64| {
        assert_eq!(context(&sim, GETVCPUCONTEXT, domid, 0, &mut bytes), 0);
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        context(&sim, SETVCPUCONTEXT, domid, 0, &mut bytes)
    };
    assert_eq!(set(4984 + 24, 0x1000), libc::EOPNOTSUPP, "page tables");
    assert_eq!(set(4960, 1), libc::EOPNOTSUPP, "descriptors");
    assert_eq!(set(648, 1 << 50), libc::EINVAL, "no address");
    assert_eq!(set(5048 + 56, 1 << 40), libc::EINVAL, "debug register");
    assert_eq!(set(648, 0x1234), 0);
    assert_eq!(sim.apply(SETVCPUCONTEXT, domid, &mut VcpuContext::default()), 0);
    let mut fresh = vec![0; VCPU_CONTEXT_SIZE];
    fresh[512] = 1 << 2 | 1 << 5;
    fresh[4984 + 24..][..8].copy_from_slice(&(1_u64 << 45).to_le_bytes());
    assert_eq!(context(&sim, SETVCPUCONTEXT, domid, 0, &mut fresh), libc::EINVAL, "not its page");
    fresh[4984 + 24..][..8].copy_from_slice(&0x5000_u64.to_le_bytes());
    assert_eq!(context(&sim, SETVCPUCONTEXT, domid, 0, &mut fresh), 0);
}

#[test]
fn a_new_domain_runs_when_it_has_a_context_and_nothing_pauses_it() {
    let sim = simulate(Release::V4_20, "domains=1");
    let created = sim.domctl(CREATEDOMAIN, 0, |u| {
        u.createdomain.flags = 3;
        u.createdomain.max_vcpus = 2;
        u.createdomain.grant_opts = 1;
        u.createdomain.max_grant_frames = -1;
        u.createdomain.max_maptrack_frames = -1;
        u.createdomain.arch.emulation_flags = 1;
    });
    let domid = created.unwrap().domain;
    assert_eq!(info(&sim, domid, 0), Err(libc::ESRCH));
    sim.domctl(MAX_VCPUS, domid, |u| u.max_vcpus = 2).unwrap();
    assert_eq!(info(&sim, domid, 1).map(|v| (v.online, v.blocked, v.running)), Ok((0, 0, 0)));
    let mut bytes = vec![0; VCPU_CONTEXT_SIZE];
    assert_eq!(context(&sim, GETVCPUCONTEXT, domid, 0, &mut bytes), libc::ENODATA);
    bytes[512] = 1 << 5;
    assert_eq!(context(&sim, SETVCPUCONTEXT, domid, 0, &mut bytes), 0);
    assert_eq!(sim.info(domid).unwrap().flags & 0xFF, DOMINF_HVM_GUEST | DOMINF_PAUSED);
    assert_eq!(sim.act(UNPAUSEDOMAIN, domid), 0);
    assert_eq!(sim.info(domid).unwrap().flags & 0xFF, DOMINF_HVM_GUEST | DOMINF_RUNNING);
    assert_eq!(info(&sim, domid, 0).map(|v| (v.online, v.blocked, v.running)), Ok((1, 0, 1)));
}

#[test]
fn resuming_undoes_a_shutdown() {
    let sim = simulate(Release::V4_20, &format!("running=100,{ALIVE}"));
    let mut op = crate::abi::sched::RemoteShutdown { domain_id: 3, pad: 0, reason: 2 };
    assert_eq!(crate::hypervisor::hypercall(29, [4, addr(&mut op), 0, 0, 0]), Ok(0));
    assert_eq!(sim.info(3).unwrap().flags & DOMINF_SHUTDOWN, DOMINF_SHUTDOWN);
    assert_eq!(info(&sim, 3, 0).unwrap().running, 0);
    assert_eq!(sim.act(RESUMEDOMAIN, 3), 0);
    let flags = sim.info(3).unwrap().flags;
    assert_eq!((flags & DOMINF_SHUTDOWN, flags >> 16), (0, 0xFFFF));
    assert_eq!(info(&sim, 3, 0).unwrap().running, 1);
    assert_eq!(sim.act(RESUMEDOMAIN, 3), 0, "one that has not shut down resumes too");
    assert_eq!(sim.act(RESUMEDOMAIN, 0), libc::EINVAL);
    assert_eq!(sim.act(RESUMEDOMAIN, 3000), libc::ESRCH);
    let mut width = 0_u32;
    let pv = sim.list()[1..].iter().find(|d| d.flags & DOMINF_HVM_GUEST == 0).unwrap().domain;
    assert_eq!((sim.apply(GET_ADDRESS_SIZE, pv, &mut width), width), (0, 64));
    let hvm = sim.guest(|d| d.flags & DOMINF_HVM_GUEST != 0);
    assert_eq!(sim.apply(GET_ADDRESS_SIZE, hvm, &mut width), libc::EOPNOTSUPP);
}
