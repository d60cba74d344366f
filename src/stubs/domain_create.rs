//! Creating a domain.

use super::{Domid, Handle, Uuid};
use crate::{
    abi::{
        domctl::{self, ArchDomainConfig},
        release::Release,
    },
    hypervisor::CreateConfig,
};
use runtime::{Argument, Exception, Val, export, int, list_of_constructors, unlocked};

/// The record `domctl_create_config`. It has more fields the newer the interface that the OCaml
/// module was written for: its size tells which.
pub struct Config(CreateConfig);

/// What stands between `max_grant_version` and `cpupool_id`, by the record's size.
#[derive(Clone, Copy)]
struct Shape {
    altp2m_opts: Option<usize>,
    altp2m_count: Option<usize>,
    vmtrace_buf_kb: Option<usize>,
}

impl Shape {
    fn of(fields: usize) -> Option<Shape> {
        let (altp2m_opts, altp2m_count, vmtrace_buf_kb) = match fields {
            11 => (None, None, None),            // 4.17, 4.18
            12 => (None, None, Some(9)),         // 4.19
            13 => (Some(9), None, Some(10)),     // 4.20
            14 => (Some(9), Some(10), Some(11)), // 4.21, 4.22
            _ => return None,
        };
        Some(Shape { altp2m_opts, altp2m_count, vmtrace_buf_kb })
    }
}

impl Argument for Config {
    fn read(record: Val<'_>) -> Result<Config, Exception> {
        let size = record.size();
        let Some(shape) = Shape::of(size) else {
            let message = format!("domctl_create_config: a record of {size} fields is unknown");
            return Err(Exception::Invalid(message));
        };
        let optional = |at: Option<usize>, name| match at {
            Some(at) => half_word(record.field(at), name),
            None => Ok(0),
        };
        let altp2m_opts = optional(shape.altp2m_opts, "altp2m_opts")?;
        let altp2m_count = optional(shape.altp2m_count, "altp2m_count")?;
        let vmtrace_size = match shape.vmtrace_buf_kb {
            Some(at) => vmtrace_size(record.field(at).int32())?,
            None => 0,
        };
        Ok(Config(CreateConfig {
            ssidref: record.field(0).int32() as u32,
            handle: Uuid::read(record.field(1))?.0,
            flags: list_of_constructors(record.field(2), NEWEST.create_flags(), "flags")?,
            iommu_opts: list_of_constructors(record.field(3), domctl::IOMMU_ALL, "iommu_opts")?,
            max_vcpus: int(record.field(4), "max_vcpus")?,
            max_evtchn_port: evtchn_port(record.field(5))?,
            max_grant_frames: int(record.field(6), "max_grant_frames")?,
            max_maptrack_frames: int(record.field(7), "max_maptrack_frames")?,
            grant_opts: grant_version(record.field(8))?,
            altp2m: altp2m_count << 16 | altp2m_opts,
            vmtrace_size,
            cpupool_id: record.field(size - 2).int32() as u32,
            arch: arch(record.field(size - 1))?,
        }))
    }
}

/// The release whose constructors are known; what the running one lacks, it is asked itself.
const NEWEST: Release = Release::ALL[Release::ALL.len() - 1];

fn out_of_range(name: &str, n: impl std::fmt::Display) -> Exception {
    Exception::Invalid(format!("{name}: {n} is out of range"))
}

/// One half of the altp2m word.
fn half_word(value: Val<'_>, name: &str) -> Result<u32, Exception> {
    let n = value.int32();
    u16::try_from(n).map(u32::from).map_err(|_| out_of_range(name, n))
}

/// KiB to bytes, in whole pages.
fn vmtrace_size(kib: i32) -> Result<u32, Exception> {
    u32::try_from(kib)
        .ok()
        .and_then(|kib| kib.checked_mul(1024))
        .and_then(|bytes| bytes.checked_next_multiple_of(crate::abi::PAGE_SIZE as u32))
        .ok_or_else(|| Exception::Invalid("vmtrace_buf_kb".to_owned()))
}

/// A port, or -1 for no limit.
fn evtchn_port(value: Val<'_>) -> Result<u32, Exception> {
    match value.int() {
        -1 => Ok(u32::MAX),
        _ => int(value, "max_evtchn_port"),
    }
}

fn grant_version(value: Val<'_>) -> Result<u32, Exception> {
    let n = value.int();
    u32::try_from(n)
        .ok()
        .filter(|&version| version <= domctl::GRANT_VERSION_MASK)
        .ok_or_else(|| out_of_range("max_grant_version", n))
}

/// The type `arch_domainconfig`.
fn arch(value: Val<'_>) -> Result<ArchDomainConfig, Exception> {
    const ARM: u8 = 0;
    if value.tag() == ARM {
        return Err(Exception::Failure("Unhandled: ARM".to_owned()));
    }
    let x86 = value.field(0);
    Ok(ArchDomainConfig {
        emulation_flags: list_of_constructors(
            x86.field(0),
            domctl::X86_EMU_ALL,
            "emulation_flags",
        )?,
        misc_flags: list_of_constructors(x86.field(1), domctl::X86_MISC_ALL, "misc_flags")?,
    })
}

export! {
    /// `domain_create_stub : handle -> domid -> domctl_create_config -> domid`
    ///
    /// Creates a domain: paused, without memory and vCPUs. Domid 0 asks the hypervisor to choose
    /// one. In the configuration `vmtrace_buf_kb` is in KiB per vCPU, `max_evtchn_port` may be -1
    /// for no limit, `max_grant_frames` and `max_maptrack_frames` may be negative for the
    /// hypervisor's default.
    ///
    /// Raises `Invalid_argument`, naming the field, also if one is set that the running release
    /// does not have.
    ///
    /// Hypercall: `XEN_DOMCTL_createdomain`.
    fn stub_xc_domain_create(handle: Handle, domid: Domid, config: Config) -> u16 {
        Ok(unlocked(|| handle.domain_create(domid.0, &config.0))?)
    }
}
