//! Every operation, on a hypervisor that answers the fuzzer's bytes: each gives a result or an
//! error, reads no memory but its buffers', and what it gives can be built in OCaml's heap.

#![no_main]

use libfuzzer_sys::fuzz_target;
use runtime::{IntoAnswer, stand_in};
use xenctrl_stubs::{
    abi::domctl::SchedCredit,
    hypervisor::{CreateConfig, Wanted, Xen},
};

unsafe extern "C" {
    fn hostile_begin(data: *const u8, length: usize, minor: u32);
    fn hostile_turn();
    fn hostile_left() -> usize;
    fn hostile_byte() -> u8;
    fn hostile_pages() -> usize;
}

fn byte() -> u8 {
    // SAFETY: it reads what hostile_begin was given, which lives as long as the iteration.
    unsafe { hostile_byte() }
}

fn number() -> u32 {
    u32::from_be_bytes([byte(), byte(), byte(), byte()])
}

/// Every word of what was built was written.
fn build(value: impl IntoAnswer) {
    let lock = &mut stand_in::lock();
    let answer = value.into_answer(lock);
    // SAFETY: the stand-in does not raise.
    stand_in::read(unsafe { answer.allocate(lock) });
    // SAFETY: nothing was kept but what is shared, which a root reaches.
    unsafe { stand_in::collect() };
}

fn operation(xen: &Xen, op: u8) {
    let domid = u16::from(byte());
    let n = u32::from(byte());
    match op % 36 {
        0 | 1 => {
            let wanted = if n & 1 == 0 { Wanted::All } else { Wanted::AtMost(number()) };
            if let Ok(list) = xen.domain_list(domid, wanted) {
                // The others of a long list take time, and are built alike.
                for info in list.records().iter().take(3) {
                    build(*info);
                }
            }
        }
        2 => xen.domain_info(domid).into_iter().for_each(build),
        3 => xen.physinfo().into_iter().for_each(build),
        4 => xen.version().into_iter().for_each(build),
        5 => xen.compile_info().into_iter().for_each(build),
        6 => xen.changeset().into_iter().for_each(build),
        7 => xen.capabilities().into_iter().for_each(build),
        8 => drop(xen.most_cpus()),
        9 => drop(xen.idle_times(number())),
        10 => drop(xen.cpu_featureset(n)),
        11 => drop(xen.watchdog(n, n)),
        12 => drop(xen.console_ring()),
        13 => drop(xen.debug_keys(&vec![b'h'; number() as usize % 100_000])),
        14 => xen.vcpu_info(domid, n).into_iter().for_each(build),
        15 => drop(xen.vcpu_set_affinity(domid, n, &vec![true; n as usize])),
        16 => {
            let cpus = xen.vcpu_affinity(domid, n).map_or(0, |allowed| allowed.len());
            assert!(cpus < 1 << 20, "{cpus} pCPUs");
        }
        17 => drop(xen.vcpu_context(domid, n)),
        18 => drop(xen.scheduler()),
        19 => drop(xen.domain_set_credit(domid, SchedCredit::default())),
        20 => drop(xen.domain_credit(domid)),
        21 => drop(xen.event_channel_alloc(domid, 0)),
        22 => drop(xen.event_channels_reset(domid)),
        23 => drop(xen.event_channel(domid, n)),
        24 => drop(xen.hvm_param(domid, n)),
        25 => drop(xen.hvm_set_param(domid, n, 0)),
        26 => drop(xen.domain_set_memory_map(domid, n.into())),
        27 => drop(xen.domain_increase_reservation(domid, number().into())),
        28 => drop(xen.domain_set_shadow_allocation(domid, n)),
        29 => drop(xen.domain_shadow_allocation(domid)),
        30 => drop(xen.domain_resume_fast(domid)),
        31 => drop(xen.domain_create(domid, &CreateConfig::default())),
        32 => drop(xen.domain_max_vcpus(domid, n)),
        33 => drop(xen.domain_shutdown(domid, n)),
        34 => drop(xen.domain_test_assign_device(domid, n)),
        35 => drop(xen.domain_set_max_memory(domid, n.into())),
        _ => unreachable!("one of 36"),
    }
}

fuzz_target!(|data: &[u8]| {
    // SAFETY: data lives as long as the iteration, and there is one thread.
    unsafe { hostile_begin(data.as_ptr(), data.len(), 17 + u32::from(byte_of(data)) % 6) };
    if data.first().is_some_and(|byte| byte & 0x80 != 0) {
        // Opening too.
        // SAFETY: it sets a flag.
        unsafe { hostile_turn() };
    }
    byte();
    let xen = Xen::open();
    // SAFETY: as above.
    unsafe { hostile_turn() };
    if let Ok(xen) = xen {
        // SAFETY: it reads a number.
        while unsafe { hostile_left() } > 0 {
            operation(&xen, byte());
        }
    }
    // SAFETY: as above.
    assert_eq!(unsafe { hostile_pages() }, 0, "buffers are left");
});

fn byte_of(data: &[u8]) -> u8 {
    data.first().copied().unwrap_or(0)
}
