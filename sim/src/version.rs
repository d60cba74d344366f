//! `xen_version`: who the hypervisor is.

use crate::abi::HYPERVISOR_XEN_VERSION;
use crate::abi::release::Release;
use crate::abi::version::{
    CAPABILITIES, CAPABILITIES2, CHANGESET, CHANGESET2, COMPILE_INFO, Capabilities, Changeset,
    CompileInfo, EXTRAVERSION, EXTRAVERSION2, ExtraVersion, VARBUF_LONGEST, VERSION, VarbufLength,
};
use crate::counters;
use crate::errno::Ret;
use crate::facilities::Facilities;
use crate::guest;
use crate::hypervisor::{self, CALLER, Hypervisor};
use crate::ops::Kind;

// XENVER_* (public/version.h).
const PLATFORM_PARAMETERS: u64 = 5;
const GET_FEATURES: u64 = 6;
const PAGESIZE: u64 = 7;
const GUEST_HANDLE: u64 = 8;
const COMMANDLINE: u64 = 9;
const BUILD_ID: u64 = 10;
const COMMANDLINE2: u64 = 14;

/// Where the hypervisor's part of a 64-bit PV guest's address space begins.
const VIRT_START: u64 = 0xFFFF_8000_0000_0000;

// XENFEAT_* (public/features.h).
const FEAT_MMU_PT_UPDATE_PRESERVE_AD: u32 = 1 << 5;
const FEAT_HIGHMEM_ASSIST: u32 = 1 << 6;
const FEAT_GNTTAB_MAP_AVAIL_BITS: u32 = 1 << 7;
const FEAT_DOM0: u32 = 1 << 11;
const FEAT_MEMORY_OP_VNODE: u32 = 1 << 13;
const FEAT_DIRECT_MAPPED: u32 = 1 << 17;
const FEAT_RUNSTATE_PHYS_AREA: u32 = 1 << 18;
const FEAT_VCPU_TIME_PHYS_AREA: u32 = 1 << 19;
const FEAT_DM_MSIX_ALL_WRITES: u32 = 1 << 20;

const DENIED: &str = "<denied>";
const COMMAND_LINE: &str = "xensim";

/// A string in an array of its own, ended by zeros and cut if it must be.
fn text<const N: usize>(text: &str) -> [u8; N] {
    let mut array = [0; N];
    let len = text.len().min(N - 1);
    array[..len].copy_from_slice(&text.as_bytes()[..len]);
    array
}

/// The hypercall.
pub fn call(cmd: u64, addr: u64) -> Ret {
    // The command is an int.
    let cmd = u64::from(cmd as u32);
    let kind = Kind::xen_version(cmd);
    counters::count(kind);
    let kinds = [Kind::HYPERCALLS, Kind::hypercall(HYPERVISOR_XEN_VERSION), kind];
    let hv = hypervisor::enter(&kinds)?;
    let denied = denied(&hv, cmd, kind);
    let or = |text: String| if denied { DENIED.to_owned() } else { text };
    match cmd {
        VERSION => Ok(i64::from(hv.config.version.major << 16 | hv.config.version.minor)),
        EXTRAVERSION => {
            let extra: ExtraVersion = text(&or(extra_version(&hv)));
            guest::write(addr, &extra).map(|()| 0)
        }
        COMPILE_INFO => {
            let info = CompileInfo {
                compiler: text(&or("gcc (xensim) 12.2.0".to_owned())),
                compile_by: text(&or("xensim".to_owned())),
                compile_domain: text(&or("example.org".to_owned())),
                compile_date: text(&or("Wed Jul 29 18:00:00 UTC 2026".to_owned())),
            };
            let CompileInfo { compiler, compile_by, compile_domain, compile_date } = info;
            let parts: [&[u8]; 4] = [&compiler, &compile_by, &compile_domain, &compile_date];
            guest::write_bytes(addr, &parts.concat()).map(|()| 0)
        }
        CAPABILITIES => {
            let caps: Capabilities = text(&if denied { String::new() } else { capabilities(&hv) });
            guest::write(addr, &caps).map(|()| 0)
        }
        PLATFORM_PARAMETERS => guest::write_bytes(addr, &VIRT_START.to_le_bytes()).map(|()| 0),
        CHANGESET => {
            let set: Changeset = text(&or(changeset(&hv)));
            guest::write(addr, &set).map(|()| 0)
        }
        GET_FEATURES => get_features(&hv, addr),
        PAGESIZE if denied => Ok(0),
        PAGESIZE if addr == 0 => Ok(crate::abi::PAGE_SIZE as i64),
        PAGESIZE => Err(libc::EINVAL),
        GUEST_HANDLE => {
            let place = hv.domains.find(CALLER).ok_or(libc::ESRCH)?;
            let handle = hv.domains.info(place, 0).handle;
            guest::write(addr, &if denied { [0; 16] } else { handle }).map(|()| 0)
        }
        COMMANDLINE if denied => {
            let line: [u8; DENIED.len() + 1] = text(DENIED);
            guest::write(addr, &line).map(|()| 0)
        }
        COMMANDLINE => guest::write(addr, &text::<1024>(COMMAND_LINE)).map(|()| 0),
        BUILD_ID if denied => Err(libc::EPERM),
        // It was linked without one.
        BUILD_ID => Err(libc::ENODATA),
        EXTRAVERSION2..=COMMANDLINE2 if hv.release() < Release::V4_20 => Err(libc::ENOSYS),
        EXTRAVERSION2..=COMMANDLINE2 if denied => Err(libc::EPERM),
        EXTRAVERSION2 => variable(addr, &extra_version(&hv)),
        CAPABILITIES2 => variable(addr, &capabilities(&hv)),
        CHANGESET2 => variable(addr, &changeset(&hv)),
        COMMANDLINE2 => variable(addr, COMMAND_LINE),
        _ => Err(libc::ENOSYS),
    }
}

/// Whether the caller gets a substitute for the answer.
fn denied(hv: &Hypervisor, cmd: u64, kind: Kind) -> bool {
    match cmd {
        VERSION | PLATFORM_PARAMETERS | GET_FEATURES => false,
        _ if hv.config.flask.contains(&kind) => true,
        COMMANDLINE | BUILD_ID | COMMANDLINE2 => !hv.config.privileged,
        _ => false,
    }
}

/// Answers of any length: the length, or the text after a word that says how much fits.
fn variable(addr: u64, text: &str) -> Ret {
    if text.len() > VARBUF_LONGEST {
        return Err(libc::E2BIG);
    }
    if addr != 0 {
        let room: VarbufLength = guest::read(addr)?;
        if text.len() > room as usize {
            return Err(libc::ENOBUFS);
        }
        guest::write_bytes(addr + size_of::<VarbufLength>() as u64, text.as_bytes())?;
    }
    Ok(text.len() as i64)
}

/// The newest point release of a series, and what its last commit was.
fn point_release(hv: &Hypervisor) -> Option<(&'static str, &'static str)> {
    let version = &hv.config.version;
    let release = Release::from_version(version.major, version.minor)?;
    Some(match release {
        Release::V4_17 => (".7", "Wed Jul 29 15:37:29 2026 +0200 git:9373a593c5"),
        Release::V4_18 => (".5", "Thu May 15 10:07:19 2025 +0200 git:0b8f769d00"),
        Release::V4_19 => (".5", "Thu Mar 26 14:21:54 2026 +0100 git:7a15cde90e"),
        Release::V4_20 => (".4", "Wed Jul 29 17:18:52 2026 +0200 git:9611e26eff"),
        Release::V4_21 => (".2", "Wed Jul 29 16:46:42 2026 +0200 git:78c2a59f9e"),
        Release::V4_22 => (".0", "Wed Jul 29 19:59:28 2026 +0100 git:d45d5687f1"),
    })
}

fn extra_version(hv: &Hypervisor) -> String {
    let own = || point_release(hv).map_or(".0", |(extra, _)| extra).to_owned();
    hv.config.extra_version.clone().unwrap_or_else(own)
}

fn changeset(hv: &Hypervisor) -> String {
    let own = || point_release(hv).map_or("unavailable", |(_, changeset)| changeset).to_owned();
    hv.config.changeset.clone().unwrap_or_else(own)
}

/// The kinds of guests, each followed by a blank.
fn capabilities(hv: &Hypervisor) -> String {
    let mut caps = String::new();
    if hv.config.caps.has(Facilities::PV) {
        caps += "xen-3.0-x86_64 xen-3.0-x86_32p ";
    }
    if hv.config.caps.has(Facilities::HVM) {
        caps += "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ";
    }
    caps
}

/// What a PV dom0 can do.
fn get_features(hv: &Hypervisor, addr: u64) -> Ret {
    let [submap, _]: [u32; 2] = guest::read(addr)?;
    if submap != 0 {
        return Err(libc::EINVAL);
    }
    let mut features = FEAT_MEMORY_OP_VNODE
        | FEAT_MMU_PT_UPDATE_PRESERVE_AD
        | FEAT_HIGHMEM_ASSIST
        | FEAT_GNTTAB_MAP_AVAIL_BITS
        | FEAT_DIRECT_MAPPED;
    if hv.config.privileged {
        features |= FEAT_DOM0;
    }
    if hv.release() >= Release::V4_18 {
        features |= FEAT_RUNSTATE_PHYS_AREA | FEAT_VCPU_TIME_PHYS_AREA;
    }
    if hv.release() >= Release::V4_19 {
        features |= FEAT_DM_MSIX_ALL_WRITES;
    }
    guest::write(addr, &[submap, features]).map(|()| 0)
}
