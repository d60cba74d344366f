//! Parameters of HVM guests.

use super::{Domid, Handle};
use crate::abi::hvm;
use runtime::{Argument, Exception, Val, constructor, export, unlocked};

/// The type `hvm_param`, whose constructors are in the order of `HVM_PARAM_*` (params.h).
pub struct HvmParam(u32);

impl Argument for HvmParam {
    fn read(value: Val<'_>) -> Result<HvmParam, Exception> {
        constructor(value, hvm::PARAMS, "hvm_param").map(HvmParam)
    }
}

export! {
    /// `hvm_param_get : handle -> domid -> hvm_param -> int64`
    ///
    /// A parameter of an HVM guest, 64 bits.
    ///
    /// `Error`: `EINVAL` for a domain that is not HVM and for a parameter that Xen does not tell,
    /// `ESRCH` for a domain that does not exist.
    ///
    /// Hypercall: `HVMOP_get_param`.
    fn stub_xc_hvm_param_get(handle: Handle, domid: Domid, param: HvmParam) -> i64 {
        Ok(unlocked(|| handle.hvm_param(domid.0, param.0))? as i64)
    }

    /// `hvm_param_set : handle -> domid -> hvm_param -> int64 -> unit`
    ///
    /// Sets a parameter of an HVM guest, 64 bits.
    ///
    /// `Error`: `EINVAL` for a domain that is not HVM, and for a parameter or a value that Xen
    /// does not take; `EEXIST` for one that can be set only once; `EPERM` for one that only the
    /// hypervisor sets; `ESRCH` for a domain that does not exist.
    ///
    /// Hypercall: `HVMOP_set_param`.
    fn stub_xc_hvm_param_set(handle: Handle, domid: Domid, param: HvmParam, value: i64) -> () {
        Ok(unlocked(|| handle.hvm_set_param(domid.0, param.0, value as u64))?)
    }
}
