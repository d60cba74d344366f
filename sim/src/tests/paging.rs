//! The memory for page tables.

use super::{Simulation, simulate};
use crate::abi::domctl::*;
use crate::abi::release::Release;
use crate::abi_more::domctl::{GET_PAGING_MEMPOOL_SIZE, SET_PAGING_MEMPOOL_SIZE};

fn allocation(sim: &Simulation, domid: u16, op: u32, mb: u32) -> (i32, u32) {
    let mut arg = ShadowOp { op, mb, ..ShadowOp::default() };
    (sim.apply(SHADOW_OP, domid, &mut arg), arg.mb)
}

#[test]
fn pools_can_be_resized() {
    for release in Release::ALL {
        let sim = simulate(
            release,
            "vcpus=2,guest_memory=1024,novcpus=0,dying=0,domains=40,memory=100000",
        );
        let hvm = sim.guest(|d| d.flags & DOMINF_HVM_GUEST != 0);
        let pv = sim.guest(|d| d.flags & DOMINF_HVM_GUEST == 0);
        let free = sim.physinfo().free_pages;
        let get = |domid| allocation(&sim, domid, SHADOW_OP_GET_ALLOCATION, 77);
        assert_eq!((get(hvm), get(pv)), ((0, 10), (0, 0)));
        assert_eq!(allocation(&sim, hvm, SHADOW_OP_SET_ALLOCATION, 30), (0, 30));
        assert_eq!((get(hvm), sim.physinfo().free_pages), ((0, 30), free - 20 * 256));
        let (errno, left) = allocation(&sim, hvm, SHADOW_OP_SET_ALLOCATION, 0);
        assert_eq!((errno, left), (libc::ENOMEM, 1), "some of it is in use");
        let (errno, most) = allocation(&sim, hvm, SHADOW_OP_SET_ALLOCATION, 200_000);
        assert_eq!((errno, sim.physinfo().free_pages), (libc::ENOMEM, 0));
        assert!(most > 30);
        assert_eq!(allocation(&sim, hvm, SHADOW_OP_SET_ALLOCATION, 10), (0, 10));
        assert_eq!(allocation(&sim, hvm, 99, 10).0, libc::EINVAL);
        assert_eq!((get(0).0, get(3000).0), (libc::EINVAL, libc::ESRCH));

        let mut bytes = 0_u64;
        assert_eq!((sim.apply(GET_PAGING_MEMPOOL_SIZE, hvm, &mut bytes), bytes), (0, 10 << 20));
        assert_eq!(sim.apply(SET_PAGING_MEMPOOL_SIZE, hvm, &mut { (12_u64 << 20) + 4096 }), 0);
        assert_eq!(get(hvm), (0, 13));
        assert_eq!(sim.apply(SET_PAGING_MEMPOOL_SIZE, hvm, &mut 1_u64), libc::EINVAL);
        assert_eq!(sim.apply(SET_PAGING_MEMPOOL_SIZE, hvm, &mut { 1_u64 << 60 }), libc::EINVAL);
        assert_eq!(sim.apply(GET_PAGING_MEMPOOL_SIZE, pv, &mut bytes), libc::EOPNOTSUPP);
        drop(sim);
        let sim = simulate(release, "dying=100,running=0,paused=0,shutdown=0,novcpus=0");
        let dying = if release == Release::V4_17 { (0, 77) } else { (libc::EINVAL, 77) };
        assert_eq!(allocation(&sim, 3, SHADOW_OP_GET_ALLOCATION, 77), dying);
        drop(sim);
        let sim = simulate(release, "dying=0,running=0,paused=0,shutdown=0,novcpus=100");
        assert_eq!(allocation(&sim, 3, SHADOW_OP_GET_ALLOCATION, 77).0, libc::EINVAL);
    }
}
