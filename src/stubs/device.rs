//! PCI devices that a domain has.

use super::{Domid, Handle};
use runtime::{Argument, Exception, Val, export, int, unlocked};

/// A PCI device: segment, bus, device and function.
pub struct Device {
    sbdf: u32,
}

impl Argument for Device {
    fn read(tuple: Val<'_>) -> Result<Device, Exception> {
        const PARTS: [(&str, u32); 4] =
            [("segment", 16), ("bus", 8), ("device", 5), ("function", 3)];
        let mut sbdf = 0;
        for (i, (name, width)) in PARTS.into_iter().enumerate() {
            let part: u32 = int(tuple.field(i), format_args!("PCI {name}"))?;
            if part >> width != 0 {
                return Err(Exception::Invalid(format!("PCI {name}: {part} is out of range")));
            }
            sbdf = sbdf << width | part;
        }
        Ok(Device { sbdf })
    }
}

export! {
    /// `domain_assign_device : handle -> domid -> (int * int * int * int) -> unit`
    ///
    /// Gives a domain a PCI device, named by segment, bus, device and function. Conflicts of its
    /// reserved memory regions with the domain's memory are no hindrance
    /// (`XEN_DOMCTL_DEV_RDM_RELAXED`).
    ///
    /// `Invalid_argument` for a segment outside 0..65535, a bus outside 0..255, a device outside
    /// 0..31, a function outside 0..7. `Error`: `EOPNOTSUPP` for a domain or host without IOMMU,
    /// `ENODEV` where there is no such device or it is not the host's to give.
    ///
    /// Hypercall: `XEN_DOMCTL_assign_device`.
    fn stub_xc_domain_assign_device(handle: Handle, domid: Domid, device: Device) -> () {
        Ok(unlocked(|| handle.domain_assign_device(domid.0, device.sbdf))?)
    }

    /// `domain_deassign_device : handle -> domid -> (int * int * int * int) -> unit`
    ///
    /// Takes a PCI device back from a domain. Refuses as `domain_assign_device` does.
    ///
    /// Hypercall: `XEN_DOMCTL_deassign_device`.
    fn stub_xc_domain_deassign_device(handle: Handle, domid: Domid, device: Device) -> () {
        Ok(unlocked(|| handle.domain_deassign_device(domid.0, device.sbdf))?)
    }

    /// `domain_test_assign_device : handle -> domid -> (int * int * int * int) -> bool`
    ///
    /// Whether a PCI device could be given to a domain. Any refusal of the hypervisor's is `false`;
    /// it raises only what every stub does for its handle and its arguments.
    ///
    /// Hypercall: `XEN_DOMCTL_test_assign_device`.
    fn stub_xc_domain_test_assign_device(handle: Handle, domid: Domid, device: Device) -> bool {
        Ok(unlocked(|| handle.domain_test_assign_device(domid.0, device.sbdf))?)
    }
}
