//! Access of domains to the host's hardware: I/O ports, I/O memory, interrupts.
//!
//! What is granted has no effect here, as guests do not run. What is refused is what the caller
//! itself, a dom0, does not have.

use crate::abi::domctl::{IomemPermission, IoportPermission, IrqPermission};
use crate::errno::Ret;
use crate::hypervisor::Hypervisor;
use crate::ops::Kind;

const IO_PORTS: u32 = 0x1_0000;

/// Ports that the hypervisor keeps to itself: interrupt controllers, timers, NMI and reset controls,
/// the coprocessor's, PCI configuration.
const OWN_PORTS: [(u32, u32); 10] = [
    (0x20, 0x21),
    (0x40, 0x43),
    (0x61, 0x61),
    (0x92, 0x92),
    (0xA0, 0xA1),
    (0xF0, 0xF0),
    (0x4D0, 0x4D1),
    (0x508, 0x50B),
    (0xCF9, 0xCF9),
    (0xCFC, 0xCFF),
];

/// Frames that the hypervisor keeps to itself: I/O APIC, local APICs and message interrupts.
const OWN_FRAMES: [(u64, u64); 2] = [(0xFEC00, 0xFEC00), (0xFEE00, 0xFEEFF)];
/// Beyond the last frame that the host can address.
const FRAMES: u64 = 1 << (46 - 12);

/// Interrupts that the caller can name.
const PIRQS: u32 = 1024;
/// Those of them that are bound to something: from 1 to below this.
const BOUND_PIRQS: u32 = 24;

fn overlaps<T: PartialOrd + Copy>(own: &[(T, T)], first: T, last: T) -> bool {
    own.iter().any(|&(from, to)| first <= to && last >= from)
}

/// `XEN_DOMCTL_ioport_permission`.
pub fn ioport(hv: &Hypervisor, kind: Kind, arg: &IoportPermission) -> Ret<()> {
    let (first, end) = (arg.first_port, arg.first_port.wrapping_add(arg.nr_ports));
    if end <= first || end > IO_PORTS {
        return Err(libc::EINVAL);
    }
    hv.privileged(kind)?;
    if overlaps(&OWN_PORTS, first, end - 1) { Err(libc::EPERM) } else { Ok(()) }
}

/// `XEN_DOMCTL_iomem_permission`.
pub fn iomem(hv: &Hypervisor, kind: Kind, arg: &IomemPermission) -> Ret<()> {
    let first = arg.first_mfn;
    let last = first.wrapping_add(arg.nr_mfns).wrapping_sub(1);
    if last < first {
        return Err(libc::EINVAL);
    }
    hv.privileged(kind)?;
    let refused = last >= FRAMES || overlaps(&OWN_FRAMES, first, last);
    if refused { Err(libc::EPERM) } else { Ok(()) }
}

/// `XEN_DOMCTL_irq_permission`.
pub fn irq(hv: &Hypervisor, kind: Kind, arg: &IrqPermission) -> Ret<()> {
    if arg.pirq >= PIRQS {
        return Err(libc::EINVAL);
    }
    if !(1..BOUND_PIRQS).contains(&arg.pirq) {
        return Err(libc::EPERM);
    }
    hv.privileged(kind)
}
