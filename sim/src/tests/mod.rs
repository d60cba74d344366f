//! Tests of the simulator against what Xen's sources say.
//!
//! The hypervisor and the counters are the process's, so tests take turns: see [`simulate`].

mod buffers;
mod channels;
mod configuration;
mod creation;
mod hardware;
mod host;
mod list;
mod memory;
mod orders;
mod paging;
mod params;
mod schedule;
mod single;
mod vcpus;
mod version;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::abi::domctl::{DomainInfo, Domctl, DomctlUnion};
use crate::abi::release::Release;
use crate::abi::sysctl::{self, GetDomainInfoList, PhysInfo, Sysctl, SysctlUnion};
use crate::abi::{HYPERVISOR_DOMCTL, HYPERVISOR_SYSCTL};
use crate::errno::Ret;
use crate::guest::{self, Plain};
use crate::hypervisor::{configure, hypercall};

/// A simulation under way; the next test waits for its end.
pub struct Simulation {
    release: Release,
    _turn: MutexGuard<'static, ()>,
}

/// Begins a simulation.
pub fn simulate(release: Release, spec: &str) -> Simulation {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    configure(&format!("version={release},clock=frozen,{spec}")).expect("a good configuration");
    crate::counters::reset();
    Simulation { release, _turn: turn }
}

fn addr<T>(value: &mut T) -> u64 {
    &raw mut *value as u64
}

fn empty_domctl(cmd: u32, version: u32, domain: u16) -> Domctl {
    let u = DomctlUnion { pad: [0; 16] };
    Domctl { cmd, interface_version: version, domain, pad: [0; 3], u }
}

impl Simulation {
    fn sysctl(&self, cmd: u32, u: SysctlUnion) -> Ret<SysctlUnion> {
        let mut op = Sysctl { cmd, interface_version: self.release.sysctl_version(), u };
        hypercall(HYPERVISOR_SYSCTL, [addr(&mut op), 0, 0, 0, 0])?;
        Ok(op.u)
    }

    fn domctl(&self, cmd: u32, domain: u16, set: impl FnOnce(&mut DomctlUnion)) -> Ret<Domctl> {
        let mut op = empty_domctl(cmd, self.release.domctl_version(), domain);
        set(&mut op.u);
        hypercall(HYPERVISOR_DOMCTL, [addr(&mut op), 0, 0, 0, 0])?;
        Ok(op)
    }

    /// The error, or 0, of a domctl on an argument, which it may change.
    fn apply<T: Plain>(&self, cmd: u32, domain: u16, arg: &mut T) -> i32 {
        let mut op = empty_domctl(cmd, self.release.domctl_version(), domain);
        guest::set_arg(&mut op.u, arg);
        let result = hypercall(HYPERVISOR_DOMCTL, [addr(&mut op), 0, 0, 0, 0]);
        *arg = guest::arg(&op.u);
        result.err().unwrap_or(0)
    }

    /// The error, or 0, of a sysctl on an argument, which it may change.
    fn ask<T: Plain>(&self, cmd: u32, arg: &mut T) -> i32 {
        let interface_version = self.release.sysctl_version();
        let mut op = Sysctl { cmd, interface_version, u: SysctlUnion { pad: [0; 16] } };
        guest::set_arg(&mut op.u, arg);
        let result = hypercall(HYPERVISOR_SYSCTL, [addr(&mut op), 0, 0, 0, 0]);
        *arg = guest::arg(&op.u);
        result.err().unwrap_or(0)
    }

    /// The first guest of which this is true.
    fn guest(&self, is: impl Fn(&DomainInfo) -> bool) -> u16 {
        self.list()[1..].iter().find(|d| is(d)).expect("such a guest").domain
    }

    /// The error, or 0, of a domctl that answers nothing.
    fn act(&self, cmd: u32, domain: u16) -> i32 {
        self.domctl(cmd, domain, |_| ()).err().unwrap_or(0)
    }

    /// What a list says and writes.
    fn chunk(&self, first: u16, max: u32) -> Ret<(u32, Vec<DomainInfo>)> {
        let mut records = vec![DomainInfo::default(); max as usize];
        let mut u = SysctlUnion { pad: [0; 16] };
        u.getdomaininfolist = GetDomainInfoList {
            first_domain: first,
            max_domains: max,
            buffer: records.as_mut_ptr() as u64,
            ..GetDomainInfoList::default()
        };
        let u = self.sysctl(sysctl::GETDOMAININFOLIST, u)?;
        // SAFETY: integers.
        let num = unsafe { u.getdomaininfolist.num_domains };
        Ok((num, records))
    }

    fn list(&self) -> Vec<DomainInfo> {
        let (num, mut records) = self.chunk(0, 32752).expect("a list");
        records.truncate(num as usize);
        records
    }

    fn physinfo(&self) -> PhysInfo {
        let u =
            self.sysctl(sysctl::PHYSINFO, SysctlUnion { pad: [u64::MAX; 16] }).expect("physinfo");
        // SAFETY: integers.
        unsafe { u.physinfo }
    }

    fn info(&self, domid: u16) -> Ret<DomainInfo> {
        let op = self.domctl(crate::abi::domctl::GETDOMAININFO, domid, |_| ())?;
        // SAFETY: integers.
        let info = unsafe { op.u.getdomaininfo };
        assert_eq!(op.domain, info.domain);
        Ok(info)
    }
}
