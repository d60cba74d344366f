//! PCI devices that a domain has.

use super::{Errno, Error, Result, Xen};
use crate::abi::domctl::{self, AssignDevice, DomctlUnion};

impl Xen {
    /// Gives a domain a PCI device (segment, bus, device and function in one number); conflicts of
    /// reserved memory regions are no hindrance. Hypercall: `XEN_DOMCTL_assign_device`.
    pub fn domain_assign_device(&self, domid: u16, machine_sbdf: u32) -> Result<()> {
        self.device_op(domctl::ASSIGN_DEVICE, domid, machine_sbdf, domctl::DEV_RDM_RELAXED)
    }

    /// Takes a PCI device from a domain. Hypercall: `XEN_DOMCTL_deassign_device`.
    pub fn domain_deassign_device(&self, domid: u16, machine_sbdf: u32) -> Result<()> {
        self.device_op(domctl::DEASSIGN_DEVICE, domid, machine_sbdf, 0)
    }

    /// Whether a PCI device could be given to a domain: it exists and no domain has it. Whatever
    /// the hypervisor's reason, a refusal means no; `ENOMEM` is none of its reasons, it comes from
    /// libxencall. Hypercall: `XEN_DOMCTL_test_assign_device`.
    pub fn domain_test_assign_device(&self, domid: u16, machine_sbdf: u32) -> Result<bool> {
        match self.device_op(domctl::TEST_ASSIGN_DEVICE, domid, machine_sbdf, 0) {
            Ok(()) => Ok(true),
            Err(Error::Errno(errno)) if errno != Errno::ENOMEM => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn device_op(&self, cmd: u32, domid: u16, machine_sbdf: u32, flags: u32) -> Result<()> {
        let mut u = DomctlUnion::NONE;
        u.assign_device = AssignDevice { dev: domctl::DEV_PCI, flags, machine_sbdf, pad: [0; 3] };
        self.domctl(cmd, domid, u).map(drop)
    }
}
