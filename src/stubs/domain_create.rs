//! Creating a domain.

use super::{Domid, Handle, uuid::Uuid};
use crate::{
    abi::{
        PAGE_SIZE,
        domctl::{self, ArchDomainConfig, CreateDomain},
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
        let half_word =
            |at: Option<usize>, name| at.map(|at| half_word(record.field(at), name)).transpose();
        let altp2m_opts = half_word(shape.altp2m_opts, "altp2m_opts")?;
        let altp2m_count = half_word(shape.altp2m_count, "altp2m_count")?;
        let vmtrace_size = match shape.vmtrace_buf_kb {
            Some(at) => vmtrace_size(record.field(at).int32())?,
            None => 0,
        };
        let domain = CreateDomain {
            ssidref: record.field(0).int32() as u32,
            handle: Uuid::read(record.field(1))?.0,
            flags: list_of_constructors(record.field(2), NEWEST.create_flags(), "flags")?,
            iommu_opts: list_of_constructors(record.field(3), domctl::IOMMU_ALL, "iommu_opts")?,
            max_vcpus: int(record.field(4), "max_vcpus")?,
            max_evtchn_port: evtchn_port(record.field(5))?,
            max_grant_frames: int(record.field(6), "max_grant_frames")?,
            max_maptrack_frames: int(record.field(7), "max_maptrack_frames")?,
            grant_opts: grant_version(record.field(8))?,
            altp2m: altp2m_opts.unwrap_or(0),
            vmtrace_size,
            cpupool_id: record.field(size - 2).int32() as u32,
            arch: arch(record.field(size - 1))?,
        };
        Ok(Config(CreateConfig { domain, altp2m_count }))
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
        .and_then(|bytes| bytes.checked_next_multiple_of(PAGE_SIZE.try_into().ok()?))
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

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::{Build, stand_in};

    /// A boxed `int32`, which has its number where a boxed `nativeint` has it.
    fn int32(n: i64) -> Build {
        Build::Nativeint(n)
    }

    /// Reads a record with these fields between `max_grant_version` and `cpupool_id`.
    fn read_all(
        newer: impl IntoIterator<Item = i64>,
        max_evtchn_port: i64,
    ) -> Result<CreateConfig, Exception> {
        let x86 = Build::tuple([Build::constructors(0b101_0000_0010), Build::constructors(1)]);
        let mut fields = vec![
            int32(-2),
            Build::String(b"00112233-4455-6677-8899-aabbccddeeff".to_vec()),
            Build::constructors(0b1000_0110),
            Build::constructors(1),
            Build::Int(5),
            Build::Int(max_evtchn_port),
            Build::Int(64),
            Build::Int(-7),
            Build::Int(2),
        ];
        fields.extend(newer.into_iter().map(int32));
        fields.extend([int32(9), Build::Block(1, vec![x86])]);
        stand_in::given::<Config>(Build::tuple(fields)).map(|config| config.0)
    }

    fn read(
        newer: impl IntoIterator<Item = i64>,
        max_evtchn_port: i64,
    ) -> Result<CreateDomain, Exception> {
        read_all(newer, max_evtchn_port).map(|config| config.domain)
    }

    fn expected() -> CreateDomain {
        CreateDomain {
            ssidref: -2i32 as u32,
            handle: std::array::from_fn(|i| 0x11 * i as u8),
            flags: 0b1000_0110,
            iommu_opts: 1,
            max_vcpus: 5,
            max_evtchn_port: 1023,
            max_grant_frames: 64,
            max_maptrack_frames: -7,
            grant_opts: 2,
            altp2m: 0,
            vmtrace_size: 0,
            cpupool_id: 9,
            arch: ArchDomainConfig { emulation_flags: 0b101_0000_0010, misc_flags: 1 },
        }
    }

    #[test]
    fn a_record_of_every_interface_is_read_field_by_field() {
        // 4.17 and 4.18; 4.19; 4.20; 4.21 and 4.22.
        assert_eq!(read([], 1023), Ok(expected()));
        assert_eq!(read([64], 1023), Ok(CreateDomain { vmtrace_size: 65536, ..expected() }));
        let with_options = CreateDomain { altp2m: 3, vmtrace_size: 65536, ..expected() };
        let config = |altp2m_count| Ok(CreateConfig { domain: with_options, altp2m_count });
        assert_eq!(read_all([3, 64], 1023), config(None));
        assert_eq!(read_all([3, 0x21, 64], 1023), config(Some(0x21)));
        let unknown = |fields| {
            let message = format!("domctl_create_config: a record of {fields} fields is unknown");
            Err(Exception::Invalid(message))
        };
        assert_eq!(read([0; 4], 1023), unknown(15));
    }

    #[test]
    fn a_trace_buffer_is_of_whole_pages() {
        for (kib, bytes) in [(0, 0), (1, 4096), (4, 4096), (5, 8192), (0x3F_FFFC, 0xFFFF_F000)] {
            assert_eq!(
                read([kib], 0),
                read([], 0).map(|c| CreateDomain { vmtrace_size: bytes, ..c })
            );
        }
        for kib in [-1, 0x3F_FFFD, 0x40_0000] {
            assert_eq!(read([kib], 0), Err(Exception::Invalid("vmtrace_buf_kb".to_owned())));
        }
    }

    #[test]
    fn minus_1_is_no_limit_of_ports() {
        assert_eq!(read([], -1), Ok(CreateDomain { max_evtchn_port: u32::MAX, ..expected() }));
        let refused = Exception::Invalid("max_evtchn_port: -2 is out of range".to_owned());
        assert_eq!(read([], -2), Err(refused));
    }
}
