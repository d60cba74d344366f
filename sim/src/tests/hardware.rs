//! Access to the host's hardware, and passing devices through.

use super::{Simulation, simulate};
use crate::abi::domctl::*;
use crate::abi::release::Release;

fn ioport(sim: &Simulation, first_port: u32, nr_ports: u32) -> i32 {
    let mut arg = IoportPermission { first_port, nr_ports, allow_access: 1, pad: [0; 3] };
    sim.apply(IOPORT_PERMISSION, 3, &mut arg)
}

fn iomem(sim: &Simulation, first_mfn: u64, nr_mfns: u64) -> i32 {
    let mut arg = IomemPermission { first_mfn, nr_mfns, allow_access: 0, pad: [0; 7] };
    sim.apply(IOMEM_PERMISSION, 3, &mut arg)
}

fn irq(sim: &Simulation, pirq: u32) -> i32 {
    sim.apply(IRQ_PERMISSION, 3, &mut IrqPermission { pirq, allow_access: 1, pad: [0; 3] })
}

#[test]
fn ranges_are_checked() {
    for release in Release::ALL {
        let sim = simulate(release, "");
        for (first, count, errno) in [
            (0x3F8, 8, 0),
            (0, 0x20, 0),
            (0xFFFF, 1, 0),
            (0x3F8, 0, libc::EINVAL),
            (0xFFFF, 2, libc::EINVAL),
            (0x1_0000, 1, libc::EINVAL),
            (5, u32::MAX, libc::EINVAL),
            (0, 0x21, libc::EPERM),
            (0xCF8, 8, libc::EPERM),
        ] {
            assert_eq!(ioport(&sim, first, count), errno, "{first:#x}+{count:#x}");
        }
        for (first, count, errno) in [
            (0xA0, 0x20, 0),
            (0xFEBF0, 0x10, 0),
            (0xFEE00, 1, libc::EPERM),
            (0, 0, libc::EPERM),
            (1, 0, libc::EINVAL),
            (5, u64::MAX, libc::EINVAL),
            (1 << 34, 1, libc::EPERM),
            (0, 1 << 34, libc::EPERM),
        ] {
            assert_eq!(iomem(&sim, first, count), errno, "{first:#x}+{count:#x}");
        }
        assert_eq!(
            [0, 1, 23, 24, 1023].map(|n| irq(&sim, n)),
            [1, 0, 0, 1, 1].map(|n| n * libc::EPERM)
        );
        assert_eq!([1024, u32::MAX].map(|n| irq(&sim, n)), [libc::EINVAL; 2]);
        assert_eq!(sim.act(IOPORT_PERMISSION, 3000), libc::ESRCH);
    }
}

#[test]
fn arguments_come_before_privilege() {
    let sim = simulate(Release::V4_20, "privileged=no");
    assert_eq!((ioport(&sim, 5, 0), ioport(&sim, 5, 1)), (libc::EINVAL, libc::EPERM));
    assert_eq!((iomem(&sim, 5, 0), iomem(&sim, 5, 1)), (libc::EINVAL, libc::EPERM));
    assert_eq!((irq(&sim, 5000), irq(&sim, 5)), (libc::EINVAL, libc::EPERM));
    drop(sim);
    let sim = simulate(Release::V4_20, "flask=deny:domctl.ioport_permission");
    assert_eq!(ioport(&sim, 0x20, 1), libc::EACCES);
}

fn device(sim: &Simulation, cmd: u32, domid: u16, machine_sbdf: u32, flags: u32) -> i32 {
    sim.apply(cmd, domid, &mut AssignDevice { dev: DEV_PCI, flags, machine_sbdf, pad: [0; 3] })
}

#[test]
fn a_device_belongs_to_one_domain() {
    for release in Release::ALL {
        let sim = simulate(release, "pci=0000:03:00.0+ffff:ff:1f.7,novcpus=0,dying=0");
        let (nic, far, none) = (0x300, 0xFFFF_FFFF, 0x301);
        let call = |cmd, domid, sbdf| device(&sim, cmd, domid, sbdf, 0);
        assert_eq!(call(TEST_ASSIGN_DEVICE, 3, nic), 0);
        assert_eq!(call(TEST_ASSIGN_DEVICE, 3, none), libc::EINVAL);
        assert_eq!(call(ASSIGN_DEVICE, 3, none), libc::ENODEV);
        assert_eq!(call(DEASSIGN_DEVICE, 3, nic), libc::ENODEV);
        assert_eq!(device(&sim, ASSIGN_DEVICE, 3, nic, DEV_RDM_RELAXED), 0);
        assert_eq!(call(ASSIGN_DEVICE, 3, nic), libc::EBUSY);
        assert_eq!(call(ASSIGN_DEVICE, 4, nic), libc::EBUSY);
        assert_eq!(call(TEST_ASSIGN_DEVICE, 4, nic), libc::EINVAL);
        assert_eq!(call(DEASSIGN_DEVICE, 4, nic), libc::ENODEV);
        assert_eq!(call(DEASSIGN_DEVICE, 3, nic), 0);
        assert_eq!(call(ASSIGN_DEVICE, 4, nic), 0);
        assert_eq!(call(ASSIGN_DEVICE, 4, far), 0);
        assert_eq!(sim.act(DESTROYDOMAIN, 4), 0);
        assert_eq!(call(ASSIGN_DEVICE, 5, far), 0, "its domain is gone");
        assert_eq!(device(&sim, ASSIGN_DEVICE, 5, nic, 2), libc::EINVAL);
        assert_eq!(device(&sim, TEST_ASSIGN_DEVICE, 5, nic, 1), libc::EINVAL);
        assert_eq!(device(&sim, DEASSIGN_DEVICE, 5, far, 1), libc::EINVAL);
        let mut tree = AssignDevice { dev: 1, flags: 0, machine_sbdf: nic, pad: [0; 3] };
        assert_eq!(sim.apply(ASSIGN_DEVICE, 5, &mut tree), libc::ENODEV);
        assert_eq!(call(ASSIGN_DEVICE, 0, nic), libc::EINVAL);
        assert_eq!(call(ASSIGN_DEVICE, 3000, nic), libc::ESRCH);
        // To nobody and back.
        assert_eq!(call(DEASSIGN_DEVICE, 0x7FF1, nic), 0);
        assert_eq!(call(ASSIGN_DEVICE, 0x7FF1, nic), 0);
        assert_eq!(call(ASSIGN_DEVICE, 0x7FF4, nic), libc::ESRCH);
        assert_eq!(call(TEST_ASSIGN_DEVICE, 0x7FF4, nic), 0);
    }
}

#[test]
fn without_an_iommu_nothing_passes_through() {
    let sim = simulate(Release::V4_20, "pci=0000:03:00.0,caps=-directio");
    assert_eq!(device(&sim, ASSIGN_DEVICE, 3, 0x300, 0), libc::EOPNOTSUPP);
    assert_eq!(device(&sim, TEST_ASSIGN_DEVICE, 0, 0x300, 0), libc::EOPNOTSUPP);
    drop(sim);
    let sim = simulate(
        Release::V4_20,
        "pci=0000:03:00.0,dying=100,running=0,paused=0,shutdown=0,novcpus=0",
    );
    assert_eq!(device(&sim, ASSIGN_DEVICE, 3, 0x300, 0), libc::EINVAL);
    assert_eq!(device(&sim, TEST_ASSIGN_DEVICE, 3, 0x300, 0), 0);
}

#[test]
fn devices_are_named_in_full() {
    use crate::pci::parse;
    assert_eq!(parse("0001:02:03.4"), Some(1 << 16 | 2 << 8 | 3 << 3 | 4));
    for bad in ["02:03.4", "0000:02:20.0", "0000:02:03.8", "0000:02:03", "0:2:3.4", "+000:02:03.4"]
    {
        assert_eq!(parse(bad), None, "{bad}");
    }
}
