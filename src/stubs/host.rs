//! The hypervisor and the host.

use super::Handle;
use crate::{
    abi::sysctl::{CPU_FEATURESET_LAST, PHYSCAP_ALL, PhysInfo},
    hypervisor::{CompileInfo, Version},
};
use runtime::{
    Answer, Argument, Build, Exception, IntoAnswer, IntoValue, Lock, RawValue, Val, constructor,
    export, int, ints, unlocked,
};

/// The record `version`.
impl IntoAnswer for Version {
    fn into_answer(self, lock: &mut Lock) -> Answer {
        let Version { major, minor, extra } = self;
        Answer::record([major.into(), minor.into()], extra, lock)
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

/// How many pCPUs are asked about.
pub struct CpuCount(u32);

impl Argument for CpuCount {
    fn read(value: Val<'_>) -> Result<CpuCount, Exception> {
        // Upstream's word.
        match int(value, "nr_cpus") {
            Ok(count @ 1..) => Ok(CpuCount(count)),
            _ => Err(Exception::Invalid("nr_cpus".to_owned())),
        }
    }
}

/// The type `featureset_index`, whose constructors are in the order of
/// `XEN_SYSCTL_cpu_featureset_*`.
pub struct Featureset(u32);

impl Argument for Featureset {
    fn read(value: Val<'_>) -> Result<Featureset, Exception> {
        constructor(value, CPU_FEATURESET_LAST + 1, "featureset_index").map(Featureset)
    }
}

ints! {
    /// The number of a watchdog timer, or 0.
    pub struct Timer(u32) = "watchdog";
}

/// Seconds.
pub struct Timeout(u32);

impl Argument for Timeout {
    fn read(value: Val<'_>) -> Result<Timeout, Exception> {
        let seconds = value.int32();
        u32::try_from(seconds)
            .map(Timeout)
            .map_err(|_| Exception::Invalid(format!("timeout: {seconds} is out of range")))
    }
}

export! {
    /// `version : handle -> version`
    ///
    /// The hypervisor's version.
    ///
    /// Hypercalls: `XENVER_version`, `XENVER_extraversion2`; where the hypervisor lacks that one,
    /// `XENVER_extraversion`, which cuts at 15 characters.
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
    /// Hypercall: `XENVER_changeset2`; where the hypervisor lacks it, `XENVER_changeset`, which
    /// cuts at 63 characters.
    fn stub_xc_version_changeset(handle: Handle) -> Vec<u8> {
        Ok(unlocked(|| handle.changeset())?)
    }

    /// `version_capabilities : handle -> string`
    ///
    /// The kinds of guests that the hypervisor can run, separated by blanks.
    ///
    /// Hypercall: `XENVER_capabilities2`; where the hypervisor lacks it, `XENVER_capabilities`,
    /// which cuts at 1023 characters.
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

    /// `pcpu_info : handle -> int -> int64 array`
    ///
    /// How long each pCPU has been idle, in nanoseconds: the first so many of those that the host
    /// can have. It may have fewer.
    ///
    /// `Invalid_argument` for a number below 1.
    ///
    /// Hypercall: `XEN_SYSCTL_getcpuinfo`.
    fn stub_xc_pcpu_info(handle: Handle, count: CpuCount) -> Vec<i64> {
        let times = unlocked(|| handle.idle_times(count.0))?;
        Ok(times.into_iter().map(|time| time as i64).collect())
    }

    /// `get_cpu_featureset : handle -> featureset_index -> int64 array`
    ///
    /// A set of CPU features, 32 to an element; a newer release may have more elements.
    ///
    /// `Error`: `EOPNOTSUPP` for a kind of guests that the hypervisor was built without.
    ///
    /// Hypercall: `XEN_SYSCTL_get_cpu_featureset`.
    fn stub_xc_get_cpu_featureset(handle: Handle, index: Featureset) -> Vec<i64> {
        let words = unlocked(|| handle.cpu_featureset(index.0))?;
        Ok(words.into_iter().map(i64::from).collect())
    }

    /// `watchdog : handle -> int -> int32 -> int`
    ///
    /// Sets a watchdog timer of the calling domain, in seconds: a new one for 0, whose number
    /// (from 1) is the result, or the one of the given number, and then the result is 0. When the
    /// time is over the domain is shut down. A timer with a number is stopped by 0 seconds.
    ///
    /// `Invalid_argument` for a negative time. `Error`: `EINVAL` for a number that no timer in
    /// use has, `ENOSPC` where both timers are in use.
    ///
    /// Hypercall: `SCHEDOP_watchdog`.
    fn stub_xc_watchdog(handle: Handle, timer: Timer, timeout: Timeout) -> u32 {
        Ok(unlocked(|| handle.watchdog(timer.0, timeout.0))?)
    }
}
