//! vCPUs: their states, affinities and contexts.
//!
//! Most follow from the domain's record: the first ones are online, one of a busy domain is on a
//! pCPU, all others wait for events. Only what a program set is kept, for the domains that it set it
//! for, so that a list of domains costs nothing.

use std::collections::BTreeMap;

use crate::abi::domctl::{
    Bitmap, VCPUAFFINITY_HARD, VCPUAFFINITY_SOFT, VcpuAffinity, VcpuContext, VcpuInfo,
};
use crate::abi::domctl::{DomainInfo, INVALID_MAX_VCPU_ID};
use crate::abi::release::Release;
use crate::context::{self, Context};
use crate::domain::{Domains, State};
use crate::errno::Ret;
use crate::guest;
use crate::hypervisor::{CALLER, Hypervisor};

/// A set of pCPUs, a bit for each.
pub type Mask = Vec<u64>;

/// What a program set of a vCPU.
#[derive(Clone, Debug, Default)]
pub struct Vcpu {
    online: bool,
    initialised: bool,
    /// The pCPU that it is on, or was last.
    cpu: u32,
    hard: Option<Mask>,
    soft: Option<Mask>,
    context: Option<Box<Context>>,
}

/// The vCPUs of the domains that a program changed.
#[derive(Debug, Default)]
pub struct Table(BTreeMap<u16, Vec<Vcpu>>);

impl Table {
    /// The domain is gone.
    pub fn forget(&mut self, domid: u16) {
        self.0.remove(&domid);
    }
}

/// How many vCPUs a domain has, online or not.
fn count(record: &DomainInfo) -> u32 {
    if record.max_vcpu_id == INVALID_MAX_VCPU_ID { 0 } else { record.max_vcpu_id + 1 }
}

fn has(mask: &[u64], cpu: u32) -> bool {
    mask.get(cpu as usize / 64).is_some_and(|word| word >> (cpu % 64) & 1 != 0)
}

/// The pCPUs of the host, all online.
fn online(cpus: u32) -> Mask {
    (0..cpus.div_ceil(64))
        .map(|i| if cpus - i * 64 >= 64 { u64::MAX } else { (1 << (cpus % 64)) - 1 })
        .collect()
}

fn and(a: &[u64], b: &[u64]) -> Mask {
    a.iter().zip(b).map(|(a, b)| a & b).collect()
}

/// Reads a bitmap of the caller's: what it does not have is zero, what it has too much is ignored.
fn read_mask(bitmap: &Bitmap, cpus: u32) -> Ret<Mask> {
    let (given, own) = (bitmap.nr_bits.div_ceil(8), cpus.div_ceil(8));
    let mut bytes = match given.min(own) {
        0 => Vec::new(),
        len => guest::read_bytes(bitmap.bitmap, len as usize)?,
    };
    if bitmap.nr_bits % 8 != 0 && given <= own {
        if let Some(last) = bytes.last_mut() {
            *last &= !(0xFF << (bitmap.nr_bits % 8));
        }
    }
    bytes.resize(cpus.div_ceil(64) as usize * 8, 0);
    let words =
        bytes.chunks_exact(8).map(|word| word.iter().rev().fold(0, |w, &b| w << 8 | u64::from(b)));
    Ok(words.collect())
}

/// Writes a bitmap to the caller: as much as fits, and zeros into the rest.
fn write_mask(bitmap: &Bitmap, mask: &[u64], cpus: u32) -> Ret<()> {
    let given = bitmap.nr_bits.div_ceil(8) as usize;
    if given == 0 {
        return Ok(());
    }
    guest::check_array(bitmap.bitmap, given as u64, 1)?;
    let there = and(mask, &online(cpus));
    let mut bytes: Vec<u8> = there.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.truncate(cpus.div_ceil(8) as usize);
    bytes.resize(given, 0);
    guest::write_bytes(bitmap.bitmap, &bytes)
}

/// The pCPU where a vCPU is placed unless told otherwise.
fn place_of(domid: u16, vcpu: u32, cpus: u32) -> u32 {
    (u32::from(domid) * 8 + vcpu) % cpus
}

impl Hypervisor {
    /// The vCPUs of a domain, to be changed.
    fn vcpus_mut(&mut self, place: usize) -> &mut Vec<Vcpu> {
        let (record, cpus) = (self.domains.info(place, 0), self.config.cpus);
        let vcpus = self.vcpus.0.entry(record.domain).or_default();
        for i in vcpus.len() as u32..count(&record) {
            let there = i < record.nr_online_vcpus && record.nr_online_vcpus != 0;
            vcpus.push(Vcpu {
                online: there,
                initialised: there,
                cpu: place_of(record.domain, i, cpus),
                ..Vcpu::default()
            });
        }
        vcpus
    }

    /// A vCPU that exists, as it is now.
    fn vcpu(&self, record: &DomainInfo, vcpu: u32) -> Vcpu {
        let kept = self.vcpus.0.get(&record.domain).and_then(|all| all.get(vcpu as usize));
        kept.cloned().unwrap_or_else(|| {
            let there = vcpu < record.nr_online_vcpus;
            let cpu = place_of(record.domain, vcpu, self.config.cpus);
            Vcpu { online: there, initialised: there, cpu, ..Vcpu::default() }
        })
    }

    /// The vCPU that runs when its domain does: the first that is online.
    fn first_online(&self, record: &DomainInfo) -> u32 {
        let kept = self.vcpus.0.get(&record.domain);
        kept.and_then(|all| all.iter().position(|v| v.online)).unwrap_or(0) as u32
    }

    /// The pCPUs that are running a guest's vCPU, or dom0's.
    pub fn busy_cpus(&self) -> Mask {
        let mut busy = vec![0; self.config.cpus.div_ceil(64) as usize];
        for place in self.domains.running() {
            let record = self.domains.info(place, 0);
            let cpu = self.vcpu(&record, self.first_online(&record)).cpu;
            busy[cpu as usize / 64] |= 1_u64 << (cpu % 64);
        }
        busy
    }
}

/// The vCPUs that `XEN_DOMCTL_max_vcpus` made are there, and offline.
pub fn create(hv: &mut Hypervisor, place: usize) {
    hv.vcpus_mut(place);
}

/// Checks the number of a vCPU; the errors are those of a number that is too large and of a vCPU
/// that is not there.
fn find(record: &DomainInfo, state: &State, vcpu: u32, missing: i32) -> Ret<u32> {
    match vcpu {
        _ if vcpu >= state.max_vcpus => Err(libc::EINVAL),
        _ if vcpu >= count(record) => Err(missing),
        _ => Ok(vcpu),
    }
}

/// `XEN_DOMCTL_getvcpuinfo`.
pub fn info(hv: &Hypervisor, place: usize, arg: &mut VcpuInfo) -> Ret<()> {
    let (record, state) = (hv.domains.info(place, hv.now()), hv.domains.state(place));
    let vcpu = find(&record, state, arg.vcpu, libc::ESRCH);
    // 4.22 does not tell the two apart.
    let vcpu = if hv.release() >= Release::V4_22 { vcpu.or(Err(libc::ENOENT)) } else { vcpu }?;
    let found = hv.vcpu(&record, vcpu);
    let runs = state.busy && vcpu == hv.first_online(&record) && found.online;
    arg.online = found.online.into();
    arg.blocked = (found.online && !runs).into();
    arg.running = (runs && Domains::is_running(&record)).into();
    arg.cpu = found.cpu;
    arg.cpu_time = match vcpu {
        0 => record.cpu_time.saturating_sub(state.share * u64::from(count(&record) - 1)),
        _ => state.share,
    };
    Ok(())
}

fn affinity_arg(hv: &Hypervisor, place: usize, arg: &VcpuAffinity) -> Ret<(u32, DomainInfo)> {
    let record = hv.domains.info(place, 0);
    let vcpu = find(&record, hv.domains.state(place), arg.vcpu, libc::ESRCH)?;
    let null = |flag: u32, map: &Bitmap| arg.flags & flag != 0 && map.bitmap == 0;
    let invalid = arg.flags == 0
        || null(VCPUAFFINITY_HARD, &arg.cpumap_hard)
        || null(VCPUAFFINITY_SOFT, &arg.cpumap_soft);
    if invalid { Err(libc::EINVAL) } else { Ok((vcpu, record)) }
}

/// `XEN_DOMCTL_getvcpuaffinity`: what was set, or all.
pub fn get_affinity(hv: &Hypervisor, place: usize, arg: &VcpuAffinity) -> Ret<()> {
    let (vcpu, record) = affinity_arg(hv, place, arg)?;
    let found = hv.vcpu(&record, vcpu);
    let cpus = hv.config.cpus;
    let (mut hard, mut soft) = (Ok(()), Ok(()));
    if arg.flags & VCPUAFFINITY_HARD != 0 {
        hard = write_mask(&arg.cpumap_hard, &found.hard.unwrap_or_else(|| online(cpus)), cpus);
    }
    if arg.flags & VCPUAFFINITY_SOFT != 0 {
        soft = write_mask(&arg.cpumap_soft, &found.soft.unwrap_or_else(|| online(cpus)), cpus);
    }
    both(hv.release(), arg.flags, hard, soft)
}

/// The result of two halves. Until 4.20 the second one's result replaced the first's.
fn both(release: Release, flags: u32, hard: Ret<()>, soft: Ret<()>) -> Ret<()> {
    match release {
        Release::V4_17 | Release::V4_18 | Release::V4_19 if flags & VCPUAFFINITY_SOFT != 0 => soft,
        _ => hard.and(soft),
    }
}

/// `XEN_DOMCTL_setvcpuaffinity`: sets, and tells what comes of it.
pub fn set_affinity(hv: &mut Hypervisor, place: usize, arg: &VcpuAffinity) -> Ret<()> {
    let (vcpu, _) = affinity_arg(hv, place, arg)?;
    let (cpus, release) = (hv.config.cpus, hv.release());
    let all = online(cpus);
    let found = &mut hv.vcpus_mut(place)[vcpu as usize];
    let before = (found.hard.clone(), found.cpu);
    let (mut hard, mut soft) = (Ok(()), Ok(()));
    if arg.flags & VCPUAFFINITY_HARD != 0 {
        let mask = read_mask(&arg.cpumap_hard, cpus)?;
        let effective = and(&mask, &all);
        let Some(first) = (0..cpus).find(|&cpu| has(&effective, cpu)) else {
            return Err(libc::EINVAL);
        };
        if !has(&effective, found.cpu) {
            found.cpu = first;
        }
        found.hard = Some(mask);
        hard = write_mask(&arg.cpumap_hard, &effective, cpus);
    }
    if arg.flags & VCPUAFFINITY_SOFT != 0 {
        match read_mask(&arg.cpumap_soft, cpus) {
            Err(errno) => {
                (found.hard, found.cpu) = before;
                soft = Err(errno);
            }
            Ok(mask) => {
                let effective = and(&and(&mask, &all), found.hard.as_ref().unwrap_or(&all));
                found.soft = Some(mask);
                soft = write_mask(&arg.cpumap_soft, &effective, cpus);
            }
        }
    }
    both(release, arg.flags, hard, soft)
}

/// `XEN_DOMCTL_getvcpucontext`.
pub fn get_context(hv: &mut Hypervisor, place: usize, arg: &VcpuContext) -> Ret<()> {
    let (record, state) = (hv.domains.info(place, 0), *hv.domains.state(place));
    let vcpu = find(&record, &state, arg.vcpu, libc::EINVAL)?;
    if record.domain == CALLER && vcpu == hv.first_online(&record) {
        return Err(libc::EINVAL);
    }
    let found = hv.vcpu(&record, vcpu);
    if !found.initialised {
        return Err(libc::ENODATA);
    }
    let kept = found.context.unwrap_or_else(|| context::initial(&hv.config, &record, &state, vcpu));
    guest::write_bytes(arg.ctxt, context::answer(&kept, state.hvm, found.online).bytes())
}

/// `XEN_DOMCTL_setvcpucontext`: also what takes a vCPU online or offline.
pub fn set_context(hv: &mut Hypervisor, place: usize, arg: &VcpuContext) -> Ret<()> {
    let (record, state) = (hv.domains.info(place, 0), *hv.domains.state(place));
    if record.domain == CALLER {
        return Err(libc::EINVAL);
    }
    let vcpu = find(&record, &state, arg.vcpu, libc::EINVAL)?;
    let found = hv.vcpu(&record, vcpu);
    let (initialised, online, kept) = if arg.ctxt == 0 {
        // It begins anew.
        (false, false, None)
    } else {
        let given = context::read(arg.ctxt)?;
        let kept =
            found.context.unwrap_or_else(|| context::initial(&hv.config, &record, &state, vcpu));
        let owned = |frame: u64| hv.frames.has(&record, &state, frame);
        let new = context::accept(&given, &kept, state.hvm, found.initialised, owned)?;
        (true, given.is_online(), Some(Box::new(new)))
    };
    let vcpus = hv.vcpus_mut(place);
    let changed = &mut vcpus[vcpu as usize];
    changed.initialised = initialised;
    changed.online = online;
    changed.context = kept;
    let count = vcpus.iter().filter(|v| v.online).count() as u32;
    let now = hv.now();
    hv.domains.update(place, now, |record, _| record.nr_online_vcpus = count);
    Ok(())
}
