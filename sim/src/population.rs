//! The domains that are there at the start, and those that appear by themselves.
//!
//! What a guest is follows from the seed and its domid alone: the same guest is the same in a table
//! of ten and of thirty thousand.

use std::ops::RangeInclusive;

use crate::abi::domctl::{ArchDomainConfig, DomainInfo, INVALID_MAX_VCPU_ID, X86_EMU_ALL};
use crate::config::{Config, MAX_DOMAINS};
use crate::domain::{Domains, NO_SHUTDOWN_CODE, State};
use crate::facilities::Facilities;

/// Memory of dom0 in pages: 4 GiB.
pub const DOM0_PAGES: u64 = 4 << 18;
/// `XEN_X86_EMU_LAPIC`.
pub const EMU_LAPIC: u32 = 1 << 0;
/// `XEN_X86_EMU_PM`.
pub const EMU_PM: u32 = 1 << 2;
/// `XEN_X86_EMU_IOAPIC`.
pub const EMU_IOAPIC: u32 = 1 << 4;
/// `XEN_X86_EMU_PIT`.
pub const EMU_PIT: u32 = 1 << 8;
/// `XEN_X86_EMU_USE_PIRQ`.
pub const EMU_USE_PIRQ: u32 = 1 << 9;
/// `XEN_X86_EMU_VPCI`.
pub const EMU_VPCI: u32 = 1 << 10;
/// Width of guest physical addresses that a large server gives its guests.
pub const GPADDR_BITS: u8 = 46;
/// `shared_info_frame` of a translated guest that has not asked for the page.
pub const NO_FRAME: u64 = u64::MAX;
/// `shared_info_frame` where the usual HVM firmware puts the page.
const HVM_SHARED_INFO: u64 = 0xF_EFFF;

/// The greatest event channel port of a domain that uses the FIFO interface.
const MAX_FIFO_PORT: u32 = (1 << 17) - 1;

/// Pages of the hypervisor's own that a domain takes, as measured on a real one: some 57 KiB, and
/// 1.1 MiB where it has page tables of its own.
pub fn overhead(hvm: bool) -> u64 {
    if hvm { 282 } else { 14 }
}

/// Where the hypervisor would keep a domain's shared info page: below 4 GiB, different for each.
pub fn shared_info_mfn(domid: u16) -> u64 {
    0x7_FFF0 - u64::from(domid)
}

/// A deterministic source of numbers (splitmix64).
pub struct Random(pub u64);

impl Random {
    /// The next one.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit
    }

    fn within(&mut self, range: &RangeInclusive<u32>) -> u64 {
        let (low, high) = (u64::from(*range.start()), u64::from(*range.end()));
        low + self.below(high - low + 1)
    }
}

/// A domid for each domain, ascending, dom0 first.
fn domids(config: &Config) -> Vec<u16> {
    let (count, last) = (u64::from(config.domains), u64::from(MAX_DOMAINS) - 1);
    let guests = (1..count).map(|i| {
        if !config.sparse {
            return i as u16;
        }
        // Each guest has a cell of its own, as wide as all others to within one, and lies somewhere
        // in it.
        let (from, to) = ((i - 1) * last / (count - 1), i * last / (count - 1));
        let jitter = Random(config.seed ^ (i << 32)).below(to - from);
        (1 + from + jitter) as u16
    });
    std::iter::once(0).chain(guests).collect()
}

fn dom0(config: &Config) -> (DomainInfo, State) {
    let vcpus = config.cpus.min(16);
    let record = DomainInfo {
        domain: 0,
        tot_pages: DOM0_PAGES,
        max_pages: DOM0_PAGES,
        shared_info_frame: shared_info_mfn(0),
        cpu_time: 86_400_000_000_000,
        nr_online_vcpus: vcpus,
        max_vcpu_id: vcpus - 1,
        gpaddr_bits: GPADDR_BITS,
        arch_config: ArchDomainConfig { emulation_flags: EMU_PIT, misc_flags: 0 },
        ..DomainInfo::default()
    };
    let state = State {
        max_vcpus: vcpus,
        shutdown_code: NO_SHUTDOWN_CODE,
        busy: true,
        overhead: overhead(false),
        max_port: MAX_FIFO_PORT,
        iommu: config.caps.has(Facilities::DIRECTIO),
        ..State::default()
    };
    (record, state)
}

/// A guest as a toolstack would have made it.
pub fn guest(config: &Config, domid: u16) -> (DomainInfo, State) {
    let mut random = Random(config.seed.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ u64::from(domid));
    let mut handle = [0; 16];
    handle[..8].copy_from_slice(&random.number().to_le_bytes());
    handle[8..].copy_from_slice(&random.number().to_le_bytes());
    // A random UUID (version 4, variant 1).
    handle[6] = handle[6] & 0x0F | 0x40;
    handle[8] = handle[8] & 0x3F | 0x80;

    let share = random.below(100) as u32;
    let (hvm, pvh) = (share < config.hvm, (config.hvm..config.hvm + config.pvh).contains(&share));
    let translated = hvm || pvh;
    let emulation_flags = match (hvm, pvh) {
        (true, _) => X86_EMU_ALL & !EMU_VPCI,
        (_, true) => EMU_LAPIC,
        _ => 0,
    };
    let vcpus = random.within(&config.vcpus) as u32;
    let pages = random.within(&config.guest_memory) << 8;
    let cpu_time = random.below(7 * 86_400_000_000_000);
    let reason = random.below(8);
    let one_online = random.below(16) == 0;

    let mut state = State {
        max_vcpus: vcpus,
        shutdown_code: NO_SHUTDOWN_CODE,
        hvm: translated,
        hap: translated,
        overhead: overhead(translated),
        // What a toolstack asks for: a MiB for each vCPU, 8 KiB for each MiB.
        pool: if translated { (256 * u64::from(vcpus) + pages / 128) as u32 } else { 0 },
        max_port: 1023,
        built: true,
        iommu: config.caps.has(Facilities::DIRECTIO),
        ..State::default()
    };
    let mut record = DomainInfo {
        domain: domid,
        tot_pages: pages,
        // The toolstack leaves a MiB to spare.
        max_pages: pages + 256,
        shared_info_frame: match (hvm, pvh) {
            (true, _) => HVM_SHARED_INFO,
            (_, true) => 0xF_FFFE,
            _ => shared_info_mfn(domid),
        },
        cpu_time,
        nr_online_vcpus: if one_online { 1 } else { vcpus },
        max_vcpu_id: vcpus - 1,
        handle,
        gpaddr_bits: GPADDR_BITS,
        arch_config: ArchDomainConfig { emulation_flags, misc_flags: 0 },
        ..DomainInfo::default()
    };

    let mut share = random.below(100) as u32;
    let mut is = |percent: u32| {
        let yes = share < percent;
        share = share.wrapping_sub(percent);
        yes
    };
    if is(config.running) {
        state.busy = true;
    } else if is(config.paused) {
        state.pauses = 1;
    } else if is(config.shutdown) {
        state.shut_down = true;
        state.busy = true;
        // Most power off; some reboot, suspend, crash, or trip their watchdog.
        state.shutdown_code = [0, 0, 0, 0, 1, 2, 3, 4][reason as usize];
    } else if is(config.novcpus) {
        state.pauses = 1;
        record.nr_online_vcpus = 0;
        record.max_vcpu_id = INVALID_MAX_VCPU_ID;
        record.cpu_time = 0;
        record.shared_info_frame = if translated { NO_FRAME } else { record.shared_info_frame };
    } else if is(config.dying) {
        state.dying = true;
        record.tot_pages = 1;
    }
    (record, state)
}

/// The domains at the start.
pub fn populate(config: &Config) -> Domains {
    let mut domains = Domains::default();
    domains.reserve(config.domains as usize);
    for domid in domids(config) {
        let (record, state) = if domid == 0 { dom0(config) } else { guest(config, domid) };
        domains.insert(record, state, 0);
    }
    domains
}
