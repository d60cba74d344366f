//! The hypervisor itself: its version and the host.

#![allow(unsafe_code)]

use super::{
    Errno, Error, Result, Xen,
    buffer::{Plain, Purpose},
};
use crate::abi::{
    self, sched,
    sysctl::{self, CpuFeatureset, CpuInfo, GetCpuInfo, PhysInfo, SysctlUnion},
    version,
};
use std::sync::atomic::Ordering;

/// Which Xen it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Major version.
    pub major: u32,
    /// Minor version.
    pub minor: u32,
    /// What follows them, such as `.4`.
    pub extra: Vec<u8>,
}

/// How it was compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileInfo {
    /// The compiler's version line.
    pub compiler: Vec<u8>,
    /// Who compiled.
    pub compile_by: Vec<u8>,
    /// Where.
    pub compile_domain: Vec<u8>,
    /// When.
    pub compile_date: Vec<u8>,
}

impl Xen {
    /// Version numbers. Hypercalls: `XENVER_version`, `XENVER_extraversion2`; where the hypervisor
    /// lacks that one, `XENVER_extraversion`, which cuts at 15 characters.
    pub fn version(&self) -> Result<Version> {
        let packed = self.xen_version(version::VERSION)?;
        let extra =
            self.text::<version::ExtraVersion>(version::EXTRAVERSION2, version::EXTRAVERSION)?;
        Ok(Version { major: packed >> 16, minor: packed & 0xFFFF, extra })
    }

    /// How the hypervisor was compiled. Hypercall: `XENVER_compile_info`.
    pub fn compile_info(&self) -> Result<CompileInfo> {
        let info: version::CompileInfo = self.xen_version_into(version::COMPILE_INFO)?;
        Ok(CompileInfo {
            compiler: text(&info.compiler).to_vec(),
            compile_by: text(&info.compile_by).to_vec(),
            compile_domain: text(&info.compile_domain).to_vec(),
            compile_date: text(&info.compile_date).to_vec(),
        })
    }

    /// The changeset that it was built from. Hypercall: `XENVER_changeset2`; where the hypervisor
    /// lacks it, `XENVER_changeset`, which cuts at 63 characters.
    pub fn changeset(&self) -> Result<Vec<u8>> {
        self.text::<version::Changeset>(version::CHANGESET2, version::CHANGESET)
    }

    /// Kinds of guests that it can run, separated by blanks. Hypercall: `XENVER_capabilities2`;
    /// where the hypervisor lacks it, `XENVER_capabilities`, which cuts at 1023 characters.
    pub fn capabilities(&self) -> Result<Vec<u8>> {
        self.text::<version::Capabilities>(version::CAPABILITIES2, version::CAPABILITIES)
    }

    /// The text that `op` answers with, or else `cut`, into a field that may be too short for it.
    fn text<Field: Plain + AsRef<[u8]>>(&self, op: u64, cut: u64) -> Result<Vec<u8>> {
        match self.xen_version_text(op)? {
            Some(mut whole) => {
                whole.truncate(text(&whole).len());
                Ok(whole)
            }
            None => Ok(text(self.xen_version_into::<Field>(cut)?.as_ref()).to_vec()),
        }
    }

    /// The host's processors and memory. Hypercall: `XEN_SYSCTL_physinfo`.
    pub fn physinfo(&self) -> Result<PhysInfo> {
        let mut lease = self.lease(Purpose::Argument)?;
        let answer = self.sysctl(&mut lease, sysctl::PHYSINFO, SysctlUnion::NONE)?;
        // SAFETY: every member of the union is plain integers.
        Ok(unsafe { answer.u.physinfo })
    }

    /// How many pCPUs there can be, which does not change while a hypervisor runs. Hypercall:
    /// `XEN_SYSCTL_physinfo`, once per handle.
    pub fn most_cpus(&self) -> Result<u32> {
        /// What no hypervisor is built for: memory is allocated by this number.
        const TOO_MANY: u32 = 1 << 20;
        match self.most_cpus.load(Ordering::Relaxed) {
            0 => {
                let cpus = self.physinfo()?.max_cpu_id.saturating_add(1);
                if cpus >= TOO_MANY {
                    return Err(Errno::EIO.into());
                }
                self.most_cpus.store(cpus, Ordering::Relaxed);
                Ok(cpus)
            }
            cpus => Ok(cpus),
        }
    }

    /// How long each of the first `most` pCPUs has been idle, in nanoseconds; there may be fewer.
    /// Hypercall: `XEN_SYSCTL_getcpuinfo`.
    pub fn idle_times(&self, most: u32) -> Result<Vec<CpuInfo>> {
        let mut lease = self.lease(Purpose::Records)?;
        loop {
            let room = u32::try_from(lease.capacity() / size_of::<CpuInfo>()).unwrap_or(u32::MAX);
            let asked = most.min(room);
            let mut u = SysctlUnion::NONE;
            u.getcpuinfo =
                GetCpuInfo { max_cpus: asked, info: lease.data(), ..GetCpuInfo::default() };
            let answer = self.sysctl(&mut lease, sysctl::GETCPUINFO, u)?;
            // SAFETY: every member of the union is plain integers.
            let reported = unsafe { answer.u.getcpuinfo }.nr_cpus;
            if reported > asked {
                return Err(Error::Overrun { what: "pCPUs", reported, asked });
            }
            if reported < asked || asked == most {
                return Ok(lease.copy_records(reported as usize)?);
            }
            lease.grow(most as usize * size_of::<CpuInfo>())?;
        }
    }

    /// One of the host's CPU feature sets (`XEN_SYSCTL_cpu_featureset_*`). Hypercall:
    /// `XEN_SYSCTL_get_cpu_featureset`.
    pub fn cpu_featureset(&self, index: u32) -> Result<Vec<u32>> {
        let mut lease = self.lease(Purpose::Argument)?;
        // A set that does not fit is an error (`ENOBUFS`); the least buffer holds many times the
        // words of any.
        let asked = u32::try_from(lease.capacity() / size_of::<u32>()).unwrap_or(u32::MAX);
        let mut u = SysctlUnion::NONE;
        u.cpu_featureset = CpuFeatureset { index, nr_features: asked, features: lease.data() };
        let answer = self.sysctl(&mut lease, sysctl::GET_CPU_FEATURESET, u)?;
        // SAFETY: every member of the union is plain integers.
        let reported = unsafe { answer.u.cpu_featureset }.nr_features;
        if reported > asked {
            return Err(Error::Overrun { what: "feature words", reported, asked });
        }
        Ok(lease.copy_records(reported as usize)?)
    }

    /// Sets a watchdog timer of the calling domain: a new one, whose number is the answer, or the
    /// one of number `id`. `timeout` is in seconds. Hypercall: `SCHEDOP_watchdog`.
    pub fn watchdog(&self, id: u32, timeout: u32) -> Result<u32> {
        let argument = sched::Watchdog { id, timeout };
        let (timer, _) = self.operation(abi::HYPERVISOR_SCHED_OP, sched::WATCHDOG, argument)?;
        Ok(timer)
    }
}

/// What stands before the first zero byte.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    &field[..end]
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn text_ends_at_its_zero_byte_or_with_its_field() {
        assert_eq!(text(b"\0\0"), b"");
        assert_eq!(text(b"4.20\0left over\0"), b"4.20");
        assert_eq!(text(b"sixteen bytes it"), b"sixteen bytes it");
    }
}
