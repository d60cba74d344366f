//! The domain list as one would bind it with ocaml-interop: a Rust structure for each OCaml type,
//! conversions by its macros, the runtime lock released by its function.
//!
//! The hypercall is the library's own, one for all domains on memory that is kept, so that a
//! comparison shows the conversions alone.

use std::sync::{Mutex, OnceLock};

use ocaml_interop::{
    OCaml, OCamlInt, OCamlInt32, OCamlInt64, OCamlList, OCamlRuntime, OCamlUniformArray, ToOCaml,
    impl_to_ocaml_record, impl_to_ocaml_variant,
};

mod hypercall;
#[allow(dead_code, non_camel_case_types, non_upper_case_globals, non_snake_case)]
#[allow(clippy::all)]
mod xen {
    include!(concat!(env!("OUT_DIR"), "/xen.rs"));
}

use hypercall::Xen;

// --- the types of xenctrl.mli ------------------------------------------------------------------

/// OCaml's `nativeint`, which ocaml-interop does not know.
struct Nativeint(isize);

// SAFETY: the value is a boxed nativeint, just allocated.
unsafe impl ToOCaml<Nativeint> for Nativeint {
    fn to_ocaml<'a>(&self, cr: &'a mut OCamlRuntime) -> OCaml<'a, Nativeint> {
        // SAFETY: the runtime lock is held, as `cr` says.
        unsafe { OCaml::new(cr, ocaml_sys::caml_copy_nativeint(self.0)) }
    }
}

#[derive(Clone, Copy)]
enum EmulationFlag {
    Lapic,
    Hpet,
    Pm,
    Rtc,
    Ioapic,
    Pic,
    Vga,
    Iommu,
    Pit,
    UsePirq,
    Vpci,
}

impl_to_ocaml_variant! {
    EmulationFlag {
        EmulationFlag::Lapic,
        EmulationFlag::Hpet,
        EmulationFlag::Pm,
        EmulationFlag::Rtc,
        EmulationFlag::Ioapic,
        EmulationFlag::Pic,
        EmulationFlag::Vga,
        EmulationFlag::Iommu,
        EmulationFlag::Pit,
        EmulationFlag::UsePirq,
        EmulationFlag::Vpci,
    }
}

#[derive(Clone, Copy)]
enum MiscFlag {
    MsrRelaxed,
}

impl_to_ocaml_variant! {
    MiscFlag {
        MiscFlag::MsrRelaxed,
    }
}

struct X86Config {
    emulation_flags: Vec<EmulationFlag>,
    misc_flags: Vec<MiscFlag>,
}

impl_to_ocaml_record! {
    X86Config {
        emulation_flags: OCamlList<EmulationFlag>,
        misc_flags: OCamlList<MiscFlag>,
    }
}

struct ArmConfig {
    gic_version: i64,
    nr_spis: i64,
    clock_frequency: i32,
}

impl_to_ocaml_record! {
    ArmConfig {
        gic_version: OCamlInt,
        nr_spis: OCamlInt,
        clock_frequency: OCamlInt32,
    }
}

enum ArchConfig {
    #[allow(dead_code)] // it gives the other one its number
    Arm(ArmConfig),
    X86(X86Config),
}

impl_to_ocaml_variant! {
    ArchConfig {
        ArchConfig::Arm(config: ArmConfig),
        ArchConfig::X86(config: X86Config),
    }
}

struct DomainInfo {
    domid: i64,
    dying: bool,
    shutdown: bool,
    paused: bool,
    blocked: bool,
    running: bool,
    hvm_guest: bool,
    shutdown_code: i64,
    total_memory_pages: Nativeint,
    max_memory_pages: Nativeint,
    shared_info_frame: i64,
    cpu_time: i64,
    nr_online_vcpus: i64,
    max_vcpu_id: i64,
    ssidref: i32,
    handle: Vec<i64>,
    arch_config: ArchConfig,
}

impl_to_ocaml_record! {
    DomainInfo {
        domid: OCamlInt,
        dying: bool,
        shutdown: bool,
        paused: bool,
        blocked: bool,
        running: bool,
        hvm_guest: bool,
        shutdown_code: OCamlInt,
        total_memory_pages: Nativeint,
        max_memory_pages: Nativeint,
        shared_info_frame: OCamlInt64,
        cpu_time: OCamlInt64,
        nr_online_vcpus: OCamlInt,
        max_vcpu_id: OCamlInt,
        ssidref: OCamlInt32,
        handle: OCamlUniformArray<OCamlInt>,
        arch_config: ArchConfig,
    }
}

// --- from the hypervisor's record --------------------------------------------------------------

/// The flags whose bits are set, the highest first, as the C stubs give them.
fn flags<F: Copy>(bits: u32, all: &[F]) -> Vec<F> {
    all.iter()
        .enumerate()
        .rev()
        .filter(|(bit, _)| bits & (1 << bit) != 0)
        .map(|(_, &flag)| flag)
        .collect()
}

impl From<&xen::xen_domctl_getdomaininfo> for DomainInfo {
    fn from(raw: &xen::xen_domctl_getdomaininfo) -> Self {
        use EmulationFlag::*;

        let flag = |bit: u32| raw.flags & bit != 0;
        DomainInfo {
            domid: raw.domain.into(),
            dying: flag(xen::XEN_DOMINF_dying),
            shutdown: flag(xen::XEN_DOMINF_shutdown),
            paused: flag(xen::XEN_DOMINF_paused),
            blocked: flag(xen::XEN_DOMINF_blocked),
            running: flag(xen::XEN_DOMINF_running),
            hvm_guest: flag(xen::XEN_DOMINF_hvm_guest),
            shutdown_code: (raw.flags >> xen::XEN_DOMINF_shutdownshift
                & xen::XEN_DOMINF_shutdownmask)
                .into(),
            total_memory_pages: Nativeint(raw.tot_pages as isize),
            max_memory_pages: Nativeint(raw.max_pages as isize),
            shared_info_frame: raw.shared_info_frame as i64,
            cpu_time: raw.cpu_time as i64,
            nr_online_vcpus: raw.nr_online_vcpus.into(),
            max_vcpu_id: raw.max_vcpu_id.into(),
            ssidref: raw.ssidref as i32,
            handle: raw.handle.iter().map(|&byte| byte.into()).collect(),
            arch_config: ArchConfig::X86(X86Config {
                emulation_flags: flags(
                    raw.arch_config.emulation_flags,
                    &[Lapic, Hpet, Pm, Rtc, Ioapic, Pic, Vga, Iommu, Pit, UsePirq, Vpci],
                ),
                misc_flags: flags(raw.arch_config.misc_flags, &[MiscFlag::MsrRelaxed]),
            }),
        }
    }
}

// --- what OCaml calls --------------------------------------------------------------------------

/// Handles that nobody is using now: with the lock released, calls can be as many as threads.
static IDLE: Mutex<Vec<Xen>> = Mutex::new(Vec::new());

/// What handles are opened with: the interface versions of sysctl and domctl, and for how many
/// domains there is room.
static OPTIONS: OnceLock<(u32, u32, usize)> = OnceLock::new();

fn with_xen<T>(f: impl FnOnce(&mut Xen) -> T) -> T {
    let idle = IDLE.lock().expect("nothing panics while it is held").pop();
    let &(sysctl, domctl, room) = OPTIONS.get().expect("bench_interop_open comes first");
    let mut xen =
        idle.unwrap_or_else(|| Xen::open(sysctl, domctl, room).expect("libxencall opens"));
    let result = f(&mut xen);
    IDLE.lock().expect("nothing panics while it is held").push(xen);
    result
}

/// Takes the interface versions that the hypervisor speaks, and for how many domains to make room.
#[ocaml_interop::export]
fn bench_interop_open(
    cr: &mut OCamlRuntime,
    sysctl: OCaml<OCamlInt>,
    domctl: OCaml<OCamlInt>,
    room: OCaml<OCamlInt>,
) -> OCaml<()> {
    let number = |value: OCaml<OCamlInt>| value.to_rust::<i64>();
    OPTIONS.set((number(sysctl) as u32, number(domctl) as u32, number(room) as usize)).ok();
    ().to_ocaml(cr)
}

/// All domains, ascending. One hypercall.
#[ocaml_interop::export]
fn bench_interop_list(cr: &mut OCamlRuntime, _unit: OCaml<()>) -> OCaml<OCamlList<DomainInfo>> {
    let domains: Vec<DomainInfo> = cr.releasing_runtime(|| {
        with_xen(|xen| {
            let domains = xen.domains().expect("the list hypercall succeeds");
            domains.iter().map(DomainInfo::from).collect()
        })
    });
    domains.to_ocaml(cr)
}

/// One domain, which there must be. One hypercall.
#[ocaml_interop::export]
fn bench_interop_getinfo(cr: &mut OCamlRuntime, domid: OCaml<OCamlInt>) -> OCaml<DomainInfo> {
    let domid = domid.to_rust::<i64>() as u16;
    let domain = cr.releasing_runtime(|| {
        with_xen(|xen| DomainInfo::from(xen.domain(domid).expect("the domain is there")))
    });
    domain.to_ocaml(cr)
}
