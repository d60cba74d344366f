//! `sysctl`: operations on the host.

use crate::abi::domctl::DomainInfo;
use crate::abi::sysctl::{
    self, CpuFeatureset, GetCpuInfo, GetDomainInfoList, PhysInfo, ReadConsole, Sysctl,
};
use crate::errno::Ret;
use crate::hypervisor::{self, Hypervisor};
use crate::ops::Kind;
use crate::{counters, cpus, guest};

/// The hypercall.
pub fn call(addr: u64) -> Ret {
    let mut op: Sysctl = guest::read(addr)?;
    let kind = Kind::sysctl(op.cmd);
    counters::count(kind);
    let kinds = [Kind::HYPERCALLS, Kind::hypercall(crate::abi::HYPERVISOR_SYSCTL), kind];
    let mut hv = hypervisor::enter(&kinds)?;
    if op.interface_version != hv.config.version.sysctl {
        return Err(libc::EACCES);
    }
    hv.privileged(kind)?;
    match op.cmd {
        sysctl::GETDOMAININFOLIST => {
            // SAFETY: every byte of the operation was read, and any bytes are a value.
            let list = unsafe { &mut op.u.getdomaininfolist };
            getdomaininfolist(&hv, list)?;
            hv.grow();
        }
        sysctl::PHYSINFO => op.u.physinfo = physinfo(&hv),
        sysctl::READCONSOLE => {
            let mut arg: ReadConsole = guest::arg(&op.u);
            let asked = arg.count;
            hv.console.read(&mut arg)?;
            arg.count = claimed(&hv, arg.count, asked);
            guest::set_arg(&mut op.u, &arg);
        }
        sysctl::DEBUG_KEYS => {
            hv.console.keys(&guest::arg(&op.u))?;
            return Ok(0);
        }
        sysctl::GETCPUINFO => {
            let mut arg: GetCpuInfo = guest::arg(&op.u);
            let asked = arg.max_cpus;
            cpus::info(&hv, &mut arg)?;
            arg.nr_cpus = claimed(&hv, arg.nr_cpus, asked);
            guest::set_arg(&mut op.u, &arg);
        }
        sysctl::SCHED_ID => guest::set_arg(&mut op.u, &hv.config.scheduler.id()),
        sysctl::GET_CPU_FEATURESET => {
            let mut arg: CpuFeatureset = guest::arg(&op.u);
            let asked = arg.nr_features;
            let result = cpus::featureset(&hv, &mut arg)?;
            arg.nr_features = claimed(&hv, arg.nr_features, asked);
            guest::set_arg(&mut op.u, &arg);
            guest::write(addr, &op)?;
            return result.map(|()| 0);
        }
        _ => return Err(libc::ENOSYS),
    }
    guest::write(addr, &op)?;
    Ok(0)
}

/// How many entries an operation says that it wrote.
fn claimed(hv: &Hypervisor, written: u32, asked: u32) -> u32 {
    match hv.config.overrun {
        0 => written,
        more => asked.saturating_add(more),
    }
}

/// Writes the domains from a domid on, as many as the buffer holds.
fn getdomaininfolist(hv: &Hypervisor, list: &mut GetDomainInfoList) -> Ret<()> {
    let (config, now) = (&hv.config, hv.now());
    let first = hv.domains.place(list.first_domain);
    let there = first..hv.domains.len();
    let max = list.max_domains as usize;
    let mut written = 0;
    if config.hide.is_empty() && !config.disorder {
        let count = there.len().min(max);
        if count > 0 {
            let mut buffer = guest::Array::<DomainInfo>::new(list.buffer, count)?;
            for i in 0..count {
                buffer.set(i, &hv.domains.info(first + i, now));
            }
        }
        written = count;
    } else {
        let visible = there.filter(|&place| !config.hide.contains(&hv.domains.domid(place)));
        let mut places: Vec<usize> = visible.take(max).collect();
        if config.disorder {
            // Neither ascending nor descending: every second one, then the others.
            let others = places.iter().skip(1).step_by(2);
            places = places.iter().step_by(2).chain(others).rev().copied().collect();
        }
        for place in places {
            // Domain by domain, as Xen does: what was written before a fault stays written.
            let to = list.buffer.wrapping_add((written * size_of::<DomainInfo>()) as u64);
            guest::write(to, &hv.domains.info(place, now))?;
            written += 1;
        }
    }
    list.num_domains = claimed(hv, written as u32, list.max_domains);
    Ok(())
}

/// The last frame of memory, which ends above a hole of 2 GiB.
pub fn max_mfn(hv: &Hypervisor) -> u64 {
    hv.total_pages + (2 << 18) - 1
}

/// The host.
fn physinfo(hv: &Hypervisor) -> PhysInfo {
    let config = &hv.config;
    PhysInfo {
        threads_per_core: config.threads,
        cores_per_socket: (config.cpus / (config.threads * config.sockets)).max(1),
        nr_cpus: config.cpus,
        max_cpu_id: config.max_cpu_id.unwrap_or(config.cpus - 1),
        nr_nodes: config.nodes,
        // The hypervisor is built for 64 nodes.
        max_node_id: 63,
        cpu_khz: 2_600_000,
        capabilities: config.caps.physcap(),
        arch_capabilities: 0,
        pad: 0,
        total_pages: hv.total_pages,
        free_pages: hv.free_pages(),
        scrub_pages: 0,
        outstanding_pages: 0,
        max_mfn: max_mfn(hv),
        hw_cap: [
            0xBFEB_FBFF,
            0x77FE_F3FF,
            0x2C10_0800,
            0x0000_0121,
            0x0000_000F,
            0xF1BF_FFBF,
            0x0040_5F4E,
            0x0000_0100,
        ],
    }
}
