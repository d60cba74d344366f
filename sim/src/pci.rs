//! Passing PCI devices through to domains.

use std::collections::BTreeMap;

use crate::abi::domctl::{
    ASSIGN_DEVICE, AssignDevice, DEV_PCI, DEV_RDM_RELAXED, TEST_ASSIGN_DEVICE,
};
use crate::abi_more::DOMID_IO;
use crate::errno::Ret;
use crate::facilities::Facilities;
use crate::hypervisor::{CALLER, Hypervisor};

/// The devices that can be passed through, by segment, bus, device and function, and which domain
/// has each: dom0 has those that never were assigned, `DOMID_IO` those that came back.
#[derive(Clone, Debug, Default)]
pub struct Devices(BTreeMap<u32, u16>);

impl Devices {
    /// Dom0 has them all.
    pub fn new(sbdfs: &[u32]) -> Devices {
        Devices(sbdfs.iter().map(|&sbdf| (sbdf, CALLER)).collect())
    }

    /// The domain is gone.
    pub fn forget(&mut self, domid: u16) {
        self.0.values_mut().filter(|owner| **owner == domid).for_each(|owner| *owner = DOMID_IO);
    }

    fn is_assigned(&self, sbdf: u32) -> Ret<()> {
        match self.0.get(&sbdf) {
            None => Err(libc::ENODEV),
            Some(&(CALLER | DOMID_IO)) => Ok(()),
            Some(_) => Err(libc::EBUSY),
        }
    }
}

/// Reads `SSSS:BB:DD.F`.
pub fn parse(text: &str) -> Option<u32> {
    let field = |text: &str, digits: usize, limit: u32| {
        let number = u32::from_str_radix(text, 16).ok()?;
        (text.len() == digits && !text.starts_with('+') && number < limit).then_some(number)
    };
    let (slot, function) = text.rsplit_once('.')?;
    let mut parts = slot.split(':');
    let sbdf = field(parts.next()?, 4, 1 << 16)? << 16
        | field(parts.next()?, 2, 1 << 8)? << 8
        | field(parts.next()?, 2, 1 << 5)? << 3
        | field(function, 1, 1 << 3)?;
    parts.next().is_none().then_some(sbdf)
}

/// `XEN_DOMCTL_assign_device`, `deassign_device` and `test_assign_device`; `None` is the domain of
/// devices that no domain has.
pub fn operate(hv: &mut Hypervisor, cmd: u32, place: Option<usize>, arg: &AssignDevice) -> Ret<()> {
    let directio = hv.config.caps.has(Facilities::DIRECTIO);
    let (domid, enabled, dying) = match place {
        Some(place) => {
            let state = hv.domains.state(place);
            (hv.domains.domid(place), directio && state.iommu, state.dying)
        }
        None => (DOMID_IO, directio, false),
    };
    if !enabled {
        return Err(libc::EOPNOTSUPP);
    }
    if domid == CALLER {
        return Err(libc::EINVAL);
    }
    if arg.dev != DEV_PCI {
        return Err(libc::ENODEV);
    }
    let allowed = if cmd == ASSIGN_DEVICE { DEV_RDM_RELAXED } else { 0 };
    if arg.flags & !allowed != 0 || cmd == ASSIGN_DEVICE && dying {
        return Err(libc::EINVAL);
    }
    let (devices, sbdf) = (&mut hv.devices, arg.machine_sbdf);
    match cmd {
        TEST_ASSIGN_DEVICE => devices.is_assigned(sbdf).or(Err(libc::EINVAL)),
        ASSIGN_DEVICE => {
            devices.is_assigned(sbdf)?;
            devices.0.insert(sbdf, domid);
            Ok(())
        }
        _ => {
            let owner = devices.0.get_mut(&sbdf).filter(|owner| **owner == domid);
            let owner = owner.ok_or(libc::ENODEV)?;
            *owner = if domid == DOMID_IO { CALLER } else { DOMID_IO };
            Ok(())
        }
    }
}
