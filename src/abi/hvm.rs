//! `hvm_op` (public/hvm/hvm_op.h, params.h), the same from 4.17 to 4.22.

/// `HVMOP_set_param`.
pub const SET_PARAM: u64 = 0;
/// `HVMOP_get_param`.
pub const GET_PARAM: u64 = 1;

/// `struct xen_hvm_param`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Param {
    /// Whose parameter.
    pub domid: u16,
    /// Padding.
    pub pad: u16,
    /// `HVM_PARAM_*`, below [`PARAMS`].
    pub index: u32,
    /// Its value.
    pub value: u64,
}

/// `HVM_PARAM_CALLBACK_IRQ`: how the guest wants its event channels delivered; 0: it has no PV
/// drivers.
pub const PARAM_CALLBACK_IRQ: u32 = 0;

/// `HVM_NR_PARAMS`.
pub const PARAMS: u32 = 39;
