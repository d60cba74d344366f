//! `hvm_op`: the parameters of HVM and PVH guests.

use std::collections::BTreeMap;

use crate::abi::HYPERVISOR_HVM_OP;
use crate::abi::hvm::{GET_PARAM, PARAMS, Param, SET_PARAM};
use crate::abi::release::Release;
use crate::counters;
use crate::errno::Ret;
use crate::guest;
use crate::hypervisor::{self, Hypervisor};
use crate::ops::Kind;
use crate::population::{EMU_LAPIC, EMU_PM, Random};

// HVM_PARAM_* (public/hvm/params.h).
const CALLBACK_IRQ: usize = 0;
const STORE_PFN: usize = 1;
const STORE_EVTCHN: usize = 2;
const PAE_ENABLED: usize = 4;
const IOREQ_PFN: usize = 5;
const BUFIOREQ_PFN: usize = 6;
const VIRIDIAN: usize = 9;
const TIMER_MODE: usize = 10;
const HPET_ENABLED: usize = 11;
const IDENT_PT: usize = 12;
const DM_DOMAIN: usize = 13;
const ACPI_S_STATE: usize = 14;
const VM86_TSS: usize = 15;
const VPT_ALIGN: usize = 16;
const CONSOLE_PFN: usize = 17;
const CONSOLE_EVTCHN: usize = 18;
const ACPI_IOPORTS_LOCATION: usize = 19;
const MEMORY_EVENT_CR0: usize = 20;
const BUFIOREQ_EVTCHN: usize = 26;
const PAGING_RING_PFN: usize = 27;
const MONITOR_RING_PFN: usize = 28;
const SHARING_RING_PFN: usize = 29;
const MEMORY_EVENT_MSR: usize = 30;
const TRIPLE_FAULT_REASON: usize = 31;
const IOREQ_SERVER_PFN: usize = 32;
const NR_IOREQ_SERVER_PAGES: usize = 33;
const ALTP2M: usize = 35;
const X87_FIP_WIDTH: usize = 36;
const VM86_TSS_SIZED: usize = 37;
const MCA_CAP: usize = 38;

/// `HVMPV_feature_mask`.
const VIRIDIAN_FEATURES: u64 = 0x1FFF;
/// Size of a task's state, and the most of it that has a use.
const TSS: u64 = 104;
const TSS_MOST: u64 = TSS + 0x20 + 0x2000 + 1;
/// Set when a task's state is, and never told.
const TSS_UPDATED: u64 = 1 << 63;
/// A callback by vector, as Linux asks for it.
const BY_VECTOR: u64 = 2 << 56 | 0xF3;

/// How many there are.
const PARAM_COUNT: usize = PARAMS as usize;

/// A guest's parameters.
type Params = [u64; PARAM_COUNT];

/// The parameters of the guests that a program changed.
#[derive(Debug, Default)]
pub struct Table(BTreeMap<u16, Params>);

impl Table {
    /// The domain is gone.
    pub fn forget(&mut self, domid: u16) {
        self.0.remove(&domid);
    }
}

/// What a toolstack and the guest's own software have set.
fn initial(hv: &Hypervisor, place: usize) -> Params {
    let (record, state) = (hv.domains.info(place, 0), hv.domains.state(place));
    let mut params = [0; PARAM_COUNT];
    params[TRIPLE_FAULT_REASON] = 1;
    params[X87_FIP_WIDTH] = 8;
    if !state.built {
        return params;
    }
    params[STORE_PFN] = 0xF_EFFC;
    params[STORE_EVTCHN] = 1;
    params[CONSOLE_PFN] = 0xF_EFFF;
    params[CONSOLE_EVTCHN] = 2;
    params[IDENT_PT] = 0xF_EFFE << 12;
    params[PAGING_RING_PFN] = 0xF_EFF8;
    params[MONITOR_RING_PFN] = 0xF_EFF9;
    params[SHARING_RING_PFN] = 0xF_EFFA;
    params[VM86_TSS_SIZED] = TSS_UPDATED | 128 << 32 | 0xFC00_0000;
    let pvh = record.arch_config.emulation_flags == EMU_LAPIC;
    if !pvh {
        params[TIMER_MODE] = 1;
        params[HPET_ENABLED] = 1;
        params[VPT_ALIGN] = 1;
        params[ACPI_IOPORTS_LOCATION] = 1;
        params[IOREQ_SERVER_PFN] = 0xF_EFF0;
        params[NR_IOREQ_SERVER_PAGES] = 8;
    }
    let chance = Random(hv.config.seed ^ u64::from(record.domain) << 16).number() % 100;
    if record.nr_online_vcpus != 0 && (pvh || chance < hv.config.pv_drivers.into()) {
        params[CALLBACK_IRQ] = BY_VECTOR;
    }
    params
}

/// Parameters that nobody can use any more.
fn is_deprecated(index: usize) -> bool {
    matches!(index, PAE_ENABLED | DM_DOMAIN | MEMORY_EVENT_CR0..=BUFIOREQ_EVTCHN | MEMORY_EVENT_MSR)
}

/// The hypercall.
pub fn call(cmd: u64, addr: u64) -> Ret {
    let kind = Kind::hvm_op(cmd);
    counters::count(kind);
    let kinds = [Kind::HYPERCALLS, Kind::hypercall(HYPERVISOR_HVM_OP), kind];
    let mut hv = hypervisor::enter(&kinds)?;
    if ![SET_PARAM, GET_PARAM].contains(&cmd) {
        return Err(libc::ENOSYS);
    }
    let mut arg: Param = guest::read(addr)?;
    let index = arg.index as usize;
    if index >= PARAM_COUNT {
        return Err(libc::EINVAL);
    }
    let place = hv.find_any(arg.domid)?;
    // The caller is a PV domain, so that none asks about itself.
    if !hv.domains.state(place).hvm {
        return Err(libc::EINVAL);
    }
    hv.privileged(kind)?;
    let domid = hv.domains.domid(place);
    let mut params = hv.params.0.get(&domid).copied().unwrap_or_else(|| initial(&hv, place));
    if cmd == GET_PARAM {
        arg.value = get(&params, index)?;
        return guest::write(addr, &arg).map(|()| 0);
    }
    set(hv.release(), emulates_pm(&hv, place), &mut params, index, arg.value)?;
    hv.params.0.insert(domid, params);
    Ok(0)
}

fn emulates_pm(hv: &Hypervisor, place: usize) -> bool {
    hv.domains.info(place, 0).arch_config.emulation_flags & EMU_PM != 0
}

fn get(params: &Params, index: usize) -> Ret<u64> {
    match index {
        _ if is_deprecated(index) => Err(libc::EINVAL),
        VM86_TSS => Ok(params[VM86_TSS_SIZED] & u64::from(u32::MAX)),
        VM86_TSS_SIZED => Ok(params[VM86_TSS_SIZED] & !TSS_UPDATED),
        _ => Ok(params[index]),
    }
}

fn set(release: Release, pm: bool, params: &mut Params, index: usize, value: u64) -> Ret<()> {
    let read_only = release >= Release::V4_19;
    let once = match index {
        VIRIDIAN
        | IOREQ_PFN
        | BUFIOREQ_PFN
        | IOREQ_SERVER_PFN
        | NR_IOREQ_SERVER_PAGES
        | MCA_CAP => true,
        ALTP2M => !read_only,
        _ => false,
    };
    match index {
        _ if is_deprecated(index) => return Err(libc::EINVAL),
        ALTP2M if read_only => return Err(libc::EEXIST),
        _ if once && params[index] != 0 && params[index] != value => return Err(libc::EEXIST),
        _ => (),
    }
    let bad = match index {
        TIMER_MODE => value > 3,
        VIRIDIAN => value & !VIRIDIAN_FEATURES != 0 || value & 1 == 0,
        // Suspended to memory or not.
        ACPI_S_STATE => value != 0 && value != 3,
        ACPI_IOPORTS_LOCATION if !pm => return Err(libc::ENODEV),
        ACPI_IOPORTS_LOCATION => value != params[index] && value ^ params[index] != 1,
        ALTP2M => value > 3,
        TRIPLE_FAULT_REASON => value > crate::abi::sched::SHUTDOWN_MAX.into(),
        NR_IOREQ_SERVER_PAGES => value == 0 || value > 64,
        X87_FIP_WIDTH => ![0, 4, 8].contains(&value),
        VM86_TSS => value > u32::MAX.into(),
        VM86_TSS_SIZED => value >> 32 < TSS,
        MCA_CAP => value > 1,
        _ => false,
    };
    if bad {
        return Err(libc::EINVAL);
    }
    match index {
        VM86_TSS if value != 0 => params[VM86_TSS_SIZED] = value | 128 << 32 | TSS_UPDATED,
        VM86_TSS => params[VM86_TSS_SIZED] = 0,
        VM86_TSS_SIZED => {
            let size = (value >> 32).min(TSS_MOST);
            params[index] = size << 32 | value & u64::from(u32::MAX) | TSS_UPDATED;
        }
        _ => params[index] = value,
    }
    Ok(())
}
