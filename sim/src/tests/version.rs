//! `xen_version`.

use super::simulate;
use crate::abi::release::Release;
use crate::abi::{HYPERVISOR_DOMCTL, HYPERVISOR_SYSCTL, HYPERVISOR_XEN_VERSION};
use crate::errno::Ret;
use crate::hypervisor::{configure, hypercall};

fn ask<const N: usize>(cmd: u64) -> (Ret, String) {
    let mut answer = [0xAA_u8; N];
    let args = [cmd, answer.as_mut_ptr() as u64, 0, 0, 0];
    let result = hypercall(HYPERVISOR_XEN_VERSION, args);
    let text: Vec<u8> = answer.iter().copied().take_while(|&b| b != 0).collect();
    (result, String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn every_release_tells_who_it_is() {
    for (release, extra) in Release::ALL.into_iter().zip([".7", ".5", ".5", ".4", ".2", ".0"]) {
        let _sim = simulate(release, "");
        let version = i64::from(4 << 16 | release.minor());
        assert_eq!(hypercall(HYPERVISOR_XEN_VERSION, [0; 5]), Ok(version));
        assert_eq!(ask::<16>(1), (Ok(0), extra.to_owned()));
        let (result, caps) = ask::<1024>(3);
        assert_eq!(result, Ok(0));
        assert!(caps.starts_with("xen-3.0-x86_64 ") && caps.ends_with("hvm-3.0-x86_64 "));
        assert!(ask::<64>(4).1.contains("git:"));
        assert!(ask::<144>(2).1.starts_with("gcc "));
        assert_eq!(hypercall(HYPERVISOR_XEN_VERSION, [7, 0, 0, 0, 0]), Ok(4096));
        assert_eq!(ask::<8>(7).0, Err(libc::EINVAL));
        let mut handle = [0xAA_u8; 16];
        let args = [8, handle.as_mut_ptr() as u64, 0, 0, 0];
        assert_eq!((hypercall(HYPERVISOR_XEN_VERSION, args), handle), (Ok(0), [0; 16]));
        for cmd in [1, 2, 3, 4, 5, 6, 8, 9] {
            let args = [cmd, 0, 0, 0, 0];
            assert_eq!(hypercall(HYPERVISOR_XEN_VERSION, args), Err(libc::EFAULT), "{cmd}");
        }
        assert_eq!(ask::<8>(50).0, Err(libc::ENOSYS));
        assert_eq!(ask::<8>(10).0, Err(libc::ENODATA));
        let length = hypercall(HYPERVISOR_XEN_VERSION, [13, 0, 0, 0, 0]);
        assert_eq!(length.is_ok(), release >= Release::V4_20);
    }
}

#[test]
fn texts_of_any_length_are_whole_in_the_operations_that_have_room() {
    let text = "text".repeat(100);
    for release in Release::ALL {
        let _sim = simulate(release, &format!("extra_version={text},changeset=\\c{text}"));
        assert_eq!(ask::<16>(1), (Ok(0), text[..15].to_owned()));
        assert_eq!(ask::<64>(4), (Ok(0), format!(",{}", &text[..62])));
        let ask = |room: u32| {
            let mut answer = [0xAA_u8; 4 + 401];
            answer[..4].copy_from_slice(&room.to_le_bytes());
            let args = [13, answer.as_mut_ptr() as u64, 0, 0, 0];
            (hypercall(HYPERVISOR_XEN_VERSION, args), answer[4..].to_vec())
        };
        if release < Release::V4_20 {
            assert_eq!(ask(401).0, Err(libc::ENOSYS));
            continue;
        }
        assert_eq!(ask(400).0, Err(libc::ENOBUFS));
        assert_eq!(ask(401), (Ok(401), format!(",{text}").into_bytes()));
        configure(&format!("version={release},changeset={}", "x".repeat(65537))).unwrap();
        assert_eq!(ask(401).0, Err(libc::E2BIG));
        assert_eq!(hypercall(HYPERVISOR_XEN_VERSION, [13, 0, 0, 0, 0]), Err(libc::E2BIG));
    }
}

#[test]
fn an_unsupported_hypervisor_says_so_and_refuses_every_known_interface() {
    for (spec, version, sysctl, domctl) in [
        ("4.16", 4 << 16 | 16, 0x14, 0x14),
        ("4.23", 4 << 16 | 23, 0x17, 0x19),
        ("5.0", 5 << 16, 0x17, 0x19),
    ] {
        let _sim = simulate(Release::V4_20, "");
        configure(&format!("version={spec}")).unwrap();
        assert_eq!(hypercall(HYPERVISOR_XEN_VERSION, [0; 5]), Ok(version));
        for (number, own) in [(HYPERVISOR_SYSCTL, sysctl), (HYPERVISOR_DOMCTL, domctl)] {
            for tried in 0x13..0x1A_u32 {
                let mut op = [0_u32; 36];
                op[1] = tried;
                let result = hypercall(number, [op.as_mut_ptr() as u64, 0, 0, 0, 0]);
                let error = if tried == own { libc::ENOSYS } else { libc::EACCES };
                assert_eq!(result, Err(error), "{spec} {number} {tried:#x}");
            }
        }
    }
}

#[test]
fn a_guest_is_told_less() {
    let _sim = simulate(Release::V4_22, "privileged=no");
    assert_eq!(ask::<16>(9), (Ok(0), "<denied>".to_owned()));
    assert_eq!(ask::<16>(10).0, Err(libc::EPERM));
    assert_eq!(ask::<16>(1), (Ok(0), ".0".to_owned()));
}
