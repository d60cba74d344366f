//! The parameters of HVM guests.

use super::{addr, simulate};
use crate::abi::HYPERVISOR_HVM_OP;
use crate::abi::domctl::{DOMINF_HVM_GUEST, DomainInfo};
use crate::abi::hvm::{GET_PARAM, Param, SET_PARAM};
use crate::abi::release::Release;
use crate::hypervisor::hypercall;

const ALIVE: &str = "novcpus=0,paused=0,shutdown=0,dying=0,domains=60";

fn op(cmd: u64, domid: u16, index: u32, value: u64) -> Result<u64, i32> {
    let mut arg = Param { domid, pad: 0, index, value };
    hypercall(HYPERVISOR_HVM_OP, [cmd, addr(&mut arg), 0, 0, 0]).map(|_| arg.value)
}

fn get(domid: u16, index: u32) -> Result<u64, i32> {
    op(GET_PARAM, domid, index, 0xAA)
}

/// The error, or 0.
fn set(domid: u16, index: u32, value: u64) -> i32 {
    op(SET_PARAM, domid, index, value).err().unwrap_or(0)
}

fn is_hvm(d: &DomainInfo) -> bool {
    d.arch_config.emulation_flags == 0x3FF
}

#[test]
fn parameters_are_those_that_can_be() {
    for release in Release::ALL {
        let sim = simulate(release, ALIVE);
        let hvm = sim.guest(is_hvm);
        assert_eq!([1, 2, 17, 18].map(|i| get(hvm, i)), [Ok(0xFEFFC), Ok(1), Ok(0xFEFFF), Ok(2)]);
        assert_eq!((set(hvm, 1, 77), get(hvm, 1)), (0, Ok(77)));
        for index in [4, 13, 20, 21, 22, 23, 24, 25, 26, 30, 39, u32::MAX] {
            assert_eq!((set(hvm, index, 1), get(hvm, index)), (libc::EINVAL, Err(libc::EINVAL)));
        }
        for (index, good, bad) in
            [(10, 3, 4), (9, 0x1FFF, 0x2001), (14, 3, 1), (31, 5, 6), (36, 4, 5), (38, 1, 2)]
        {
            assert_eq!((set(hvm, index, bad), set(hvm, index, good)), (libc::EINVAL, 0), "{index}");
            assert_eq!(get(hvm, index), Ok(good));
        }
        assert_eq!(set(hvm, 9, 1), libc::EEXIST, "only once");
        assert_eq!(set(hvm, 9, 0x1FFF), 0, "to the same again");
        assert_eq!(set(hvm, 19, 3), libc::EINVAL);
        assert_eq!((set(hvm, 15, 1 << 32), set(hvm, 15, 0xF000)), (libc::EINVAL, 0));
        assert_eq!((get(hvm, 15), get(hvm, 37)), (Ok(0xF000), Ok(128 << 32 | 0xF000)));
        let altp2m = if release >= Release::V4_19 { libc::EEXIST } else { 0 };
        assert_eq!(set(hvm, 35, 1), altp2m);
    }
}

#[test]
fn pv_guests_have_none() {
    let sim = simulate(Release::V4_20, ALIVE);
    let pv = sim.guest(|d| d.flags & DOMINF_HVM_GUEST == 0);
    let pvh = sim.guest(|d| d.arch_config.emulation_flags == 1);
    assert_eq!((get(pv, 1), set(pv, 1, 1)), (Err(libc::EINVAL), libc::EINVAL));
    assert_eq!(
        (get(0, 1), get(0x7FF0, 1), get(3000, 1)),
        (Err(libc::EINVAL), Err(libc::EINVAL), Err(libc::ESRCH))
    );
    assert_eq!(get(3000, 39), Err(libc::EINVAL), "which comes first");
    assert_ne!(get(pvh, 0), Ok(0));
    assert_eq!(set(pvh, 19, 1), libc::ENODEV);
    assert_eq!(hypercall(34, [0; 5]), Err(libc::EFAULT));
    assert_eq!(hypercall(34, [9, 0, 0, 0, 0]), Err(libc::ENOSYS));
    let (has, all) = (|d: &&DomainInfo| get(d.domain, 0) != Ok(0), sim.list());
    let hvm = all.iter().filter(|d| is_hvm(d));
    let with = hvm.clone().filter(has).count();
    assert!(with > 0 && with < hvm.count(), "some have PV drivers");
    drop(sim);
    let sim = simulate(Release::V4_20, &format!("pv_drivers=0,{ALIVE}"));
    assert!(sim.list().iter().filter(|d| is_hvm(d)).all(|d| get(d.domain, 0) == Ok(0)));
}

#[test]
fn only_the_control_domain_sets_them() {
    let sim = simulate(Release::V4_20, &format!("privileged=no,hvm=100,pvh=0,{ALIVE}"));
    assert_eq!((get(3, 1), set(3, 1, 1)), (Err(libc::EPERM), libc::EPERM));
    drop(sim);
    let _sim =
        simulate(Release::V4_20, &format!("flask=deny:hvm_op.set_param,hvm=100,pvh=0,{ALIVE}"));
    assert_eq!((get(3, 1), set(3, 1, 1)), (Ok(0xFEFFC), libc::EACCES));
}
