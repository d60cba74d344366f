//! The memory for a guest's page tables: `XEN_DOMCTL_shadow_op`, as far as it is about that, and the
//! paging pool's size.

use crate::abi::domctl::{DomainInfo, INVALID_MAX_VCPU_ID};
use crate::abi::domctl::{SHADOW_OP_GET_ALLOCATION, SHADOW_OP_SET_ALLOCATION, ShadowOp};
use crate::abi::release::Release;
use crate::abi_more::domctl::SHADOW_OP_OFF;
use crate::domain::State;
use crate::errno::Ret;
use crate::facilities::Facilities;
use crate::hypervisor::{CALLER, Hypervisor};

/// Pages of a MiB.
const MIB: u32 = 256;

fn mib(pages: u32) -> u32 {
    pages.div_ceil(MIB)
}

/// Pages of the pool that are in use and cannot be given back: page tables of the guest's memory,
/// where these come from the pool, and one for each vCPU.
fn in_use(record: &DomainInfo, state: &State) -> u32 {
    let tables = if state.hvm { 4 + (record.tot_pages >> 18) as u32 } else { 0 };
    tables + if state.hap { record.nr_online_vcpus } else { 0 }
}

/// The least that shadow paging can do with.
fn shadow_minimum(record: &DomainInfo, state: &State) -> u32 {
    let translated = u32::from(state.hvm);
    let tables = (record.tot_pages / 256).max(6 * u64::from(translated)) as u32 + translated;
    state.max_vcpus * 128 + tables.max(in_use(record, state))
}

/// Sets the pool's size as far as memory and what is in use allow; `ENOMEM` if that is not all the
/// way.
fn set(hv: &mut Hypervisor, place: usize, pages: u32) -> Ret<()> {
    let (record, state) = (hv.domains.info(place, 0), *hv.domains.state(place));
    let wanted = match (state.hap, pages) {
        (true, _) | (_, 0) => pages,
        (false, _) => pages.max(shadow_minimum(&record, &state)),
    };
    let most = u64::from(state.pool) + hv.free_pages();
    let reached = wanted.max(in_use(&record, &state).min(state.pool)).min(most as u32);
    let reached = if most > u64::from(u32::MAX) { wanted.max(reached) } else { reached };
    let now = hv.now();
    hv.domains.update(place, now, |_, state| {
        let overhead = state.overhead as i64 + i64::from(reached) - i64::from(state.pool);
        (state.overhead, state.pool) = (overhead.max(0) as u64, reached);
    });
    if reached == wanted { Ok(()) } else { Err(libc::ENOMEM) }
}

/// `XEN_DOMCTL_shadow_op`.
pub fn shadow_op(hv: &mut Hypervisor, place: usize, op: &mut ShadowOp) -> Ret<()> {
    let (record, state) = (hv.domains.info(place, 0), *hv.domains.state(place));
    if record.domain == CALLER {
        return Err(libc::EINVAL);
    }
    if state.dying {
        // 4.17 says yes and does nothing.
        return if hv.release() == Release::V4_17 { Ok(()) } else { Err(libc::EINVAL) };
    }
    if record.max_vcpu_id == INVALID_MAX_VCPU_ID {
        return Err(libc::EINVAL);
    }
    // A PV guest's pool is that of shadow paging, and is empty until that is used.
    if !state.hap && !hv.config.caps.has(Facilities::SHADOW) {
        return Err(libc::EINVAL);
    }
    match op.op {
        SHADOW_OP_OFF => Ok(()),
        SHADOW_OP_GET_ALLOCATION => {
            op.mb = mib(state.pool);
            Ok(())
        }
        SHADOW_OP_SET_ALLOCATION => {
            if op.mb == 0 && state.hvm && !state.hap {
                return Err(libc::EINVAL);
            }
            let result = set(hv, place, op.mb.wrapping_mul(MIB));
            op.mb = mib(hv.domains.state(place).pool);
            result
        }
        _ => Err(libc::EINVAL),
    }
}

/// `XEN_DOMCTL_get_paging_mempool_size`: bytes.
pub fn get_pool(hv: &Hypervisor, place: usize) -> Ret<u64> {
    let state = hv.domains.state(place);
    if state.hvm { Ok(u64::from(state.pool) << 12) } else { Err(libc::EOPNOTSUPP) }
}

/// `XEN_DOMCTL_set_paging_mempool_size`.
pub fn set_pool(hv: &mut Hypervisor, place: usize, size: u64) -> Ret<()> {
    if !hv.domains.state(place).hvm {
        return Err(libc::EOPNOTSUPP);
    }
    let pages = u32::try_from(size >> 12).map_err(|_| libc::EINVAL)?;
    if size % 4096 != 0 {
        return Err(libc::EINVAL);
    }
    set(hv, place, pages)
}
