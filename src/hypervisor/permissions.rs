//! What of the host a domain may touch. The caller must have the permission that it gives or
//! takes.

use super::{Result, Xen};
use crate::abi::domctl::{self, DomctlUnion, IomemPermission, IoportPermission, IrqPermission};

impl Xen {
    /// Lets a domain use I/O ports, or not. Hypercall: `XEN_DOMCTL_ioport_permission`.
    pub fn ioport_permission(
        &self,
        domid: u16,
        first_port: u32,
        nr_ports: u32,
        allow: bool,
    ) -> Result<()> {
        let mut u = DomctlUnion::NONE;
        u.ioport_permission =
            IoportPermission { first_port, nr_ports, allow_access: allow.into(), pad: [0; 3] };
        self.domctl(domctl::IOPORT_PERMISSION, domid, u).map(drop)
    }

    /// Lets a domain map machine frames, or not. Hypercall: `XEN_DOMCTL_iomem_permission`.
    pub fn iomem_permission(
        &self,
        domid: u16,
        first_mfn: u64,
        nr_mfns: u64,
        allow: bool,
    ) -> Result<()> {
        let mut u = DomctlUnion::NONE;
        u.iomem_permission =
            IomemPermission { first_mfn, nr_mfns, allow_access: allow.into(), pad: [0; 7] };
        self.domctl(domctl::IOMEM_PERMISSION, domid, u).map(drop)
    }

    /// Lets a domain bind a physical interrupt, or not. Hypercall: `XEN_DOMCTL_irq_permission`.
    pub fn irq_permission(&self, domid: u16, pirq: u32, allow: bool) -> Result<()> {
        let mut u = DomctlUnion::NONE;
        u.irq_permission = IrqPermission { pirq, allow_access: allow.into(), pad: [0; 3] };
        self.domctl(domctl::IRQ_PERMISSION, domid, u).map(drop)
    }
}
