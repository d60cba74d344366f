//! The host's processors: their idle times and features.

use crate::abi::release::Release;
use crate::abi::sysctl::{CpuFeatureset, GetCpuInfo};
use crate::errno::Ret;
use crate::facilities::Facilities;
use crate::guest::{self, Array};
use crate::hypervisor::Hypervisor;

/// How long each pCPU had been idle when the simulation began, in ns, less a little for each.
const IDLE: u64 = 600_000_000_000_000;

/// `XEN_SYSCTL_getcpuinfo`.
pub fn info(hv: &Hypervisor, op: &mut GetCpuInfo) -> Ret<()> {
    let count = op.max_cpus.min(hv.config.cpus);
    if count > 0 {
        let (busy, now) = (hv.busy_cpus(), hv.now());
        let mut array = Array::<u64>::new(op.info, count as usize)?;
        for cpu in 0..count {
            let works = busy[cpu as usize / 64] >> (cpu % 64) & 1 != 0;
            let idle = IDLE - u64::from(cpu) * 1_000_000_007 + if works { 0 } else { now };
            array.set(cpu as usize, &idle);
        }
    }
    op.nr_cpus = count;
    Ok(())
}

/// A large server's features: raw ones, of which the other sets are parts.
const RAW: [u32; 19] = [
    0xBFEB_FBFF,
    0x77FE_FBFF,
    0x2C10_0800,
    0x0000_0121,
    0x0000_000F,
    0xF3BF_FFFB,
    0x0040_5F4E,
    0x0000_0100,
    0x0000_0000,
    0xBC18_2410,
    0x0000_1C30,
    0x0000_0000,
    0x0000_0000,
    0x0000_0017,
    0x0000_0000,
    0x0000_0000,
    0x0D0B_E1EB,
    0x0000_0001,
    0x0000_0000,
];

/// What each set lacks of the one that it is a part of, words 0 to 5: raw, host, PV, HVM and the
/// greatest that PV and HVM guests can be given.
const LACKS: [[u32; 6]; 6] = [
    [0, 0, 0, 0, 0, 0],
    [0, 1 << 7, 0, 0, 0, 1 << 2],
    [1 << 22, 1 << 5 | 1 << 17 | 1 << 24, 0, 0, 0, 1 << 10 | 1 << 14],
    [1 << 22, 1 << 5, 0, 0, 0, 1 << 14],
    [1 << 22, 1 << 5 | 1 << 17, 0, 0, 0, 1 << 10],
    [0, 0, 0, 0, 0, 1 << 14],
];

/// How many words the newest point release of a series has.
fn words(release: Release) -> usize {
    if release == Release::V4_18 { 18 } else { 19 }
}

/// `XEN_SYSCTL_get_cpu_featureset`: the words, or how many there are; and the error that comes after
/// that was copied back.
pub fn featureset(hv: &Hypervisor, op: &mut CpuFeatureset) -> Ret<Ret<()>> {
    let all = words(hv.release());
    if op.features == 0 {
        op.nr_features = all as u32;
        return Ok(Ok(()));
    }
    let count = (op.nr_features as usize).min(all);
    let index = op.index as usize;
    let lacks = LACKS.get(index).ok_or(libc::EINVAL)?;
    let needed = match index {
        2 | 4 => Some(Facilities::PV),
        3 | 5 => Some(Facilities::HVM),
        _ => None,
    };
    if needed.is_some_and(|facility| !hv.config.caps.has(facility)) {
        return Err(libc::EOPNOTSUPP);
    }
    let host = LACKS[index.min(1)];
    let set: Vec<u8> = RAW[..count]
        .iter()
        .enumerate()
        .flat_map(|(i, word)| {
            let gone = lacks.get(i).unwrap_or(&0) | host.get(i).unwrap_or(&0);
            (word & !gone).to_le_bytes()
        })
        .collect();
    if count > 0 {
        guest::write_bytes(op.features, &set)?;
    }
    op.nr_features = count as u32;
    Ok(if count < all { Err(libc::ENOBUFS) } else { Ok(()) })
}
