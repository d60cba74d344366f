//! The hypervisor and the host.

use super::Handle;
use crate::{
    abi::sysctl::{PHYSCAP_ALL, PhysInfo},
    hypervisor::{CompileInfo, Version},
};
use runtime::{Build, IntoValue, Lock, RawValue, export, unlocked};

/// The record `version`.
impl IntoValue for Version {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        let Version { major, minor, extra } = self;
        Build::tuple([Build::Int(major.into()), Build::Int(minor.into()), Build::String(extra)])
            .into_value(lock)
    }
}

/// The record `compile_info`.
impl IntoValue for CompileInfo {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        let CompileInfo { compiler, compile_by, compile_domain, compile_date } = self;
        let fields = [compiler, compile_by, compile_domain, compile_date];
        Build::tuple(fields.map(Build::String)).into_value(lock)
    }
}

/// The record `physinfo`. Capabilities that the OCaml type has no constructor for are left out.
impl IntoValue for PhysInfo {
    fn into_value(self, lock: &mut Lock) -> RawValue {
        const X86: u8 = 1;
        let count = |n: u32| Build::Int(n.into());
        let pages = |n: u64| Build::Nativeint(n as i64);
        Build::tuple([
            count(self.threads_per_core),
            count(self.cores_per_socket),
            count(self.nr_cpus),
            count(self.max_node_id),
            count(self.cpu_khz),
            pages(self.total_pages),
            pages(self.free_pages),
            pages(self.scrub_pages),
            Build::constructors(self.capabilities & PHYSCAP_ALL),
            Build::Int(i64::from(self.max_cpu_id) + 1),
            // arch_capabilities: x86 has none.
            Build::Block(X86, vec![Build::constructors(0)]),
        ])
        .into_value(lock)
    }
}

export! {
    /// `version : handle -> version`
    ///
    /// The hypervisor's version.
    ///
    /// Hypercalls: `XENVER_version`, `XENVER_extraversion`.
    fn stub_xc_version_version(handle: Handle) -> Version {
        Ok(unlocked(|| handle.version())?)
    }

    /// `version_compile_info : handle -> compile_info`
    ///
    /// How the hypervisor was compiled.
    ///
    /// Hypercall: `XENVER_compile_info`.
    fn stub_xc_version_compile_info(handle: Handle) -> CompileInfo {
        Ok(unlocked(|| handle.compile_info())?)
    }

    /// `version_changeset : handle -> string`
    ///
    /// The changeset that the hypervisor was built from.
    ///
    /// Hypercall: `XENVER_changeset`.
    fn stub_xc_version_changeset(handle: Handle) -> Vec<u8> {
        Ok(unlocked(|| handle.changeset())?)
    }

    /// `version_capabilities : handle -> string`
    ///
    /// The kinds of guests that the hypervisor can run, separated by blanks.
    ///
    /// Hypercall: `XENVER_capabilities`.
    fn stub_xc_version_capabilities(handle: Handle) -> Vec<u8> {
        Ok(unlocked(|| handle.capabilities())?)
    }

    /// `physinfo : handle -> physinfo`
    ///
    /// The host's processors (frequency in kHz) and memory (in pages).
    ///
    /// Hypercall: `XEN_SYSCTL_physinfo`.
    fn stub_xc_physinfo(handle: Handle) -> PhysInfo {
        Ok(unlocked(|| handle.physinfo())?)
    }
}
