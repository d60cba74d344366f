//! Lists and the host.

use super::{Simulation, addr, simulate};
use crate::abi::HYPERVISOR_SYSCTL;
use crate::abi::domctl::{
    DOMINF_BLOCKED, DOMINF_HAP, DOMINF_HVM_GUEST, DOMINF_PAUSED, DOMINF_RUNNING, DOMINF_SHUTDOWN,
    DomainInfo, INVALID_MAX_VCPU_ID,
};
use crate::abi::release::Release;
use crate::abi::sysctl::{self, GetDomainInfoList, Sysctl, SysctlUnion};
use crate::hypervisor::hypercall;

fn ids(records: &[DomainInfo]) -> Vec<u16> {
    records.iter().map(|record| record.domain).collect()
}

#[test]
fn a_list_begins_where_it_is_told_and_ends_where_the_buffer_does() {
    for release in Release::ALL {
        let sim = simulate(release, "domains=100");
        assert_eq!(ids(&sim.list()), (0..100).collect::<Vec<_>>());
        let (num, records) = sim.chunk(10, 5).unwrap();
        assert_eq!((num, ids(&records)), (5, vec![10, 11, 12, 13, 14]));
        let (num, records) = sim.chunk(98, 5).unwrap();
        assert_eq!((num, ids(&records)), (2, vec![98, 99, 0, 0, 0]));
        assert_eq!(sim.chunk(100, 5).unwrap().0, 0);
        assert_eq!(sim.chunk(0xFFFF, 5).unwrap().0, 0);
        assert_eq!(sim.chunk(0, 0).unwrap().0, 0);
    }
}

#[test]
fn gaps_are_skipped() {
    let sim = simulate(Release::V4_20, "domains=50,domids=sparse");
    let all = sim.list();
    let (_, records) = sim.chunk(all[20].domain + 1, 29).unwrap();
    assert_eq!(records, all[21..]);
}

fn raw(sim: &Simulation, version: u32, buffer: u64) -> (Result<i64, i32>, u32) {
    let mut u = SysctlUnion { pad: [0; 16] };
    let num_domains = 77;
    u.getdomaininfolist =
        GetDomainInfoList { max_domains: 3, buffer, num_domains, ..GetDomainInfoList::default() };
    let mut op = Sysctl { cmd: sysctl::GETDOMAININFOLIST, interface_version: version, u };
    let result = hypercall(HYPERVISOR_SYSCTL, [addr(&mut op), 0, 0, 0, 0]);
    let _ = sim;
    // SAFETY: integers.
    (result, unsafe { op.u.getdomaininfolist.num_domains })
}

#[test]
fn the_gates_come_in_xens_order_and_leave_the_argument_alone() {
    for release in Release::ALL {
        let version = release.sysctl_version();
        let sim = simulate(release, "");
        assert_eq!(hypercall(HYPERVISOR_SYSCTL, [0; 5]), Err(libc::EFAULT));
        assert_eq!(raw(&sim, version, 0), (Err(libc::EFAULT), 77));
        assert_eq!(raw(&sim, version, 0xFFFF_8000_0000_0000), (Err(libc::EFAULT), 77));
        for wrong in [0, version - 1, version + 1] {
            assert_eq!(raw(&sim, wrong, 0), (Err(libc::EACCES), 77));
        }
        drop(sim);
        let sim = simulate(release, "privileged=no");
        assert_eq!(raw(&sim, version - 1, 0), (Err(libc::EACCES), 77));
        assert_eq!(raw(&sim, version, 0), (Err(libc::EPERM), 77));
    }
}

#[test]
fn records_look_like_real_ones() {
    let sim = simulate(Release::V4_20, "domains=5000,novcpus=5,shutdown=5,paused=5");
    let all = sim.list();
    let dom0 = &all[0];
    assert_eq!(dom0.handle, [0; 16]);
    assert_eq!(dom0.flags, 0xFFFF_0000 | DOMINF_RUNNING);
    assert_eq!(dom0.arch_config.emulation_flags, 0x100);
    let guests = &all[1..];
    let share = |f: &dyn Fn(&DomainInfo) -> bool| {
        guests.iter().filter(|d| f(d)).count() as f64 / guests.len() as f64 * 100.0
    };
    assert!((45.0..55.0).contains(&share(&|d| d.arch_config.emulation_flags == 0x3FF)));
    assert!((15.0..25.0).contains(&share(&|d| d.arch_config.emulation_flags == 1)));
    assert!((3.0..7.0).contains(&share(&|d| d.max_vcpu_id == INVALID_MAX_VCPU_ID)));
    assert!((3.0..7.0).contains(&share(&|d| d.flags & DOMINF_SHUTDOWN != 0)));
    assert!((70.0..80.0).contains(&share(&|d| d.flags & DOMINF_BLOCKED != 0 && d.flags & 8 == 0)));
    for d in guests {
        let translated = d.arch_config.emulation_flags != 0;
        assert_eq!(d.flags & DOMINF_HVM_GUEST != 0, translated);
        assert_eq!(d.flags & DOMINF_HAP != 0, translated);
        let code = d.flags >> 16;
        assert_eq!(code != 0xFFFF, d.flags & DOMINF_SHUTDOWN != 0, "{code}");
        if d.nr_online_vcpus == 0 {
            assert_eq!(d.flags & (DOMINF_BLOCKED | DOMINF_RUNNING), 0);
        }
        if d.flags & DOMINF_RUNNING != 0 {
            assert_eq!(d.flags & (DOMINF_BLOCKED | DOMINF_PAUSED | DOMINF_SHUTDOWN), 0);
        }
        assert_eq!((d.pad1, d.pad2, d.cpupool, d.arch_config.misc_flags), (0, [0; 7], 0, 0));
        assert!(d.max_pages >= d.tot_pages);
    }
    let mut handles: Vec<_> = guests.iter().map(|d| d.handle).collect();
    handles.sort_unstable();
    handles.dedup();
    assert_eq!(handles.len(), guests.len());
}

#[test]
fn cpu_time_advances_for_those_that_run() {
    let sim = simulate(Release::V4_20, "domains=200,clock=real");
    let before = sim.list();
    std::thread::sleep(std::time::Duration::from_millis(2));
    let after = sim.list();
    for (a, b) in before.iter().zip(&after) {
        let ran = b.cpu_time - a.cpu_time;
        assert_eq!(ran >= 2_000_000, a.flags & DOMINF_RUNNING != 0, "{ran}");
        assert_eq!(ran == 0, a.flags & DOMINF_RUNNING == 0);
    }
    // Pausing keeps what was used.
    let running = before[1..].iter().find(|d| d.flags & DOMINF_RUNNING != 0).unwrap().domain;
    assert_eq!(sim.act(crate::abi::domctl::PAUSEDOMAIN, running), 0);
    let paused = sim.info(running).unwrap();
    assert!(paused.cpu_time >= after[usize::from(running)].cpu_time);
    assert_eq!(sim.info(running).unwrap(), paused);
    assert_eq!(sim.act(crate::abi::domctl::UNPAUSEDOMAIN, running), 0);
    assert!(sim.info(running).unwrap().cpu_time >= paused.cpu_time);
}

#[test]
fn physinfo_is_a_host() {
    let sim = simulate(Release::V4_17, "cpus=48,threads=2,sockets=2,nodes=4,domains=100");
    let host = sim.physinfo();
    assert_eq!((host.nr_cpus, host.max_cpu_id), (48, 47));
    assert_eq!((host.threads_per_core, host.cores_per_socket), (2, 12));
    assert_eq!((host.nr_nodes, host.max_node_id), (4, 63));
    assert_eq!(host.capabilities, 0x33F);
    let used: u64 = sim.list().iter().map(|d| d.tot_pages).sum();
    assert!(host.total_pages - host.free_pages > used);
    drop(sim);
    let sim = simulate(Release::V4_22, "memory=4098,domains=1,caps=-vpmu+-shadow+vmtrace");
    assert_eq!(sim.physinfo().total_pages, 4098 << 8);
    assert_eq!(sim.physinfo().capabilities, 0x36F);
}

#[test]
fn unknown_sysctls_are_enosys() {
    for release in Release::ALL {
        let sim = simulate(release, "");
        for cmd in [0, 5, 99, u32::MAX] {
            let result = sim.sysctl(cmd, SysctlUnion { pad: [0; 16] });
            assert_eq!(result.err(), Some(libc::ENOSYS));
        }
    }
}
