//! The hypervisor itself: its version and the host.

#![allow(unsafe_code)]

use super::{Result, Xen, buffer::Purpose};
use crate::abi::{
    sysctl::{self, PhysInfo, SysctlUnion},
    version,
};

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
    /// Version numbers. Hypercalls: `XENVER_version`, `XENVER_extraversion`.
    pub fn version(&self) -> Result<Version> {
        let packed = self.xen_version(version::VERSION)?;
        // SAFETY: an array of bytes.
        let extra: version::ExtraVersion = unsafe { self.xen_version_into(version::EXTRAVERSION) }?;
        Ok(Version { major: packed >> 16, minor: packed & 0xFFFF, extra: text(&extra) })
    }

    /// How the hypervisor was compiled. Hypercall: `XENVER_compile_info`.
    pub fn compile_info(&self) -> Result<CompileInfo> {
        // SAFETY: arrays of bytes.
        let info: version::CompileInfo = unsafe { self.xen_version_into(version::COMPILE_INFO) }?;
        Ok(CompileInfo {
            compiler: text(&info.compiler),
            compile_by: text(&info.compile_by),
            compile_domain: text(&info.compile_domain),
            compile_date: text(&info.compile_date),
        })
    }

    /// The changeset that it was built from. Hypercall: `XENVER_changeset`.
    pub fn changeset(&self) -> Result<Vec<u8>> {
        // SAFETY: an array of bytes.
        let changeset: version::Changeset = unsafe { self.xen_version_into(version::CHANGESET) }?;
        Ok(text(&changeset))
    }

    /// Kinds of guests that it can run, separated by blanks. Hypercall: `XENVER_capabilities`.
    pub fn capabilities(&self) -> Result<Vec<u8>> {
        // SAFETY: an array of bytes.
        let capabilities: version::Capabilities =
            unsafe { self.xen_version_into(version::CAPABILITIES) }?;
        Ok(text(&capabilities))
    }

    /// The host's processors and memory. Hypercall: `XEN_SYSCTL_physinfo`.
    pub fn physinfo(&self) -> Result<PhysInfo> {
        let mut lease = self.lease(Purpose::Argument)?;
        let answer = self.sysctl(&mut lease, sysctl::PHYSINFO, SysctlUnion::NONE)?;
        // SAFETY: every member of the union is plain integers.
        Ok(unsafe { answer.u.physinfo })
    }
}

/// What stands before the first zero byte.
fn text(field: &[u8]) -> Vec<u8> {
    field.iter().copied().take_while(|&byte| byte != 0).collect()
}
