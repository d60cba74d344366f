//! Parameters of HVM guests (`HVM_PARAM_*`, public/hvm/params.h).

use super::{Result, Xen};
use crate::abi::{
    self,
    hvm::{self, Param},
};

impl Xen {
    /// A parameter's value. Hypercall: `HVMOP_get_param`.
    pub fn hvm_param(&self, domid: u16, index: u32) -> Result<u64> {
        let argument = Param { domid, pad: 0, index, value: 0 };
        let (_, answer) = self.operation(abi::HYPERVISOR_HVM_OP, hvm::GET_PARAM, argument)?;
        Ok(answer.value)
    }

    /// Sets a parameter. Hypercall: `HVMOP_set_param`.
    pub fn hvm_set_param(&self, domid: u16, index: u32, value: u64) -> Result<()> {
        let argument = Param { domid, pad: 0, index, value };
        self.operation(abi::HYPERVISOR_HVM_OP, hvm::SET_PARAM, argument).map(drop)
    }
}
