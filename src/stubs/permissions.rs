//! What of the host a domain may touch.

use super::{Domid, Handle};
use runtime::{Argument, Exception, Val, export, int, unlocked};

/// An I/O port.
pub struct Port(u16);

impl Argument for Port {
    fn read(value: Val<'_>) -> Result<Port, Exception> {
        int(value, "start_port").map(Port)
    }
}

/// A number of I/O ports.
pub struct PortCount(u32);

impl Argument for PortCount {
    fn read(value: Val<'_>) -> Result<PortCount, Exception> {
        const MOST: u32 = 1 << 16;
        match int(value, "nr_ports")? {
            count @ 0..=MOST => Ok(PortCount(count)),
            count => Err(Exception::Invalid(format!("nr_ports: {count} is out of range"))),
        }
    }
}

/// The number of a page frame, or how many they are.
pub struct Frames(pub u64);

impl Argument for Frames {
    fn read(value: Val<'_>) -> Result<Frames, Exception> {
        let n = value.nativeint();
        u64::try_from(n)
            .map(Frames)
            .map_err(|_| Exception::Invalid(format!("pfn: {n} is out of range")))
    }
}

/// A physical interrupt of the calling domain.
pub struct Pirq(u32);

impl Argument for Pirq {
    fn read(value: Val<'_>) -> Result<Pirq, Exception> {
        int(value, "pirq").map(Pirq)
    }
}

export! {
    /// `domain_ioport_permission : handle -> domid -> int -> int -> bool -> unit`
    ///
    /// Lets a domain use so many I/O ports from a first one on, or no longer.
    ///
    /// `Invalid_argument` for a port outside 0..65535 or a count outside 0..65536. `Error`:
    /// `EINVAL` for a count of 0 and for ports past the last one, `EPERM` where the caller may not
    /// use them itself.
    ///
    /// Hypercall: `XEN_DOMCTL_ioport_permission`.
    fn stub_xc_domain_ioport_permission(
        handle: Handle, domid: Domid, start: Port, count: PortCount, allow: bool,
    ) -> () {
        Ok(unlocked(|| handle.ioport_permission(domid.0, start.0.into(), count.0, allow))?)
    }

    /// `domain_iomem_permission : handle -> domid -> nativeint -> nativeint -> bool -> unit`
    ///
    /// Lets a domain map so many machine frames from a first one on, or no longer.
    ///
    /// `Invalid_argument` for negative numbers. `Error`: `EINVAL` or `EPERM` for a count of 0 and
    /// for frames that the host's addresses do not reach, `EPERM` where the caller may not map
    /// them itself.
    ///
    /// Hypercall: `XEN_DOMCTL_iomem_permission`.
    fn stub_xc_domain_iomem_permission(
        handle: Handle, domid: Domid, start: Frames, count: Frames, allow: bool,
    ) -> () {
        Ok(unlocked(|| handle.iomem_permission(domid.0, start.0, count.0, allow))?)
    }

    /// `domain_irq_permission : handle -> domid -> int -> bool -> unit`
    ///
    /// Lets a domain bind a physical interrupt of the caller's, or no longer.
    ///
    /// `Error`: `EINVAL` where the caller has no such interrupt number, `EPERM` where it is bound
    /// to no interrupt or the caller may not use it itself.
    ///
    /// Hypercall: `XEN_DOMCTL_irq_permission`.
    fn stub_xc_domain_irq_permission(
        handle: Handle, domid: Domid, pirq: Pirq, allow: bool,
    ) -> () {
        Ok(unlocked(|| handle.irq_permission(domid.0, pirq.0, allow))?)
    }
}
