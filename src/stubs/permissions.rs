//! What of the host a domain may touch.

use super::{Domid, Handle};
use runtime::{Argument, Exception, Val, export, int, ints, unlocked};

ints! {
    /// An I/O port.
    pub struct Port(u16) = "start_port";
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

/// The number of a page frame.
pub struct Frame(pub u64);

impl Argument for Frame {
    fn read(value: Val<'_>) -> Result<Frame, Exception> {
        natural(value, "page frame").map(Frame)
    }
}

/// A number of page frames.
pub struct FrameCount(u64);

impl Argument for FrameCount {
    fn read(value: Val<'_>) -> Result<FrameCount, Exception> {
        natural(value, "number of page frames").map(FrameCount)
    }
}

/// A `nativeint` that is not negative.
fn natural(value: Val<'_>, name: &str) -> Result<u64, Exception> {
    let n = value.nativeint();
    u64::try_from(n).map_err(|_| Exception::Invalid(format!("{name}: {n} is out of range")))
}

ints! {
    /// A physical interrupt of the calling domain.
    pub struct Pirq(u32) = "pirq";
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
        handle: Handle, domid: Domid, start: Frame, count: FrameCount, allow: bool,
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
