//! The host: its console, its processors, its scheduler's name.

use super::{Simulation, addr, simulate};
use crate::abi::release::Release;
use crate::abi::sysctl::*;

struct Reading {
    text: String,
    index: u32,
}

fn read(sim: &Simulation, room: u32, clear: bool, from: Option<u32>) -> Reading {
    let mut buffer = vec![0_u8; room as usize];
    let mut op = ReadConsole {
        clear: clear.into(),
        incremental: from.is_some().into(),
        index: from.unwrap_or(0),
        buffer: buffer.as_mut_ptr() as u64,
        count: room,
        ..ReadConsole::default()
    };
    assert_eq!(sim.ask(READCONSOLE, &mut op), 0);
    buffer.truncate(op.count as usize);
    Reading { text: String::from_utf8(buffer).unwrap(), index: op.index }
}

fn press(sim: &Simulation, keys: &[u8]) -> i32 {
    let op = DebugKeys { keys: keys.as_ptr() as u64, nr_keys: keys.len() as u32, pad: 0 };
    sim.ask(DEBUG_KEYS, &mut { op })
}

#[test]
fn the_console_is_read_from_where_one_likes() {
    let sim = simulate(Release::V4_20, "console=one\\ntwo\\c \\\\three\\n");
    let all = read(&sim, 1000, false, None);
    assert!(
        all.text.starts_with("(XEN) Xen version 4.20") && all.text.ends_with("one\ntwo, \\three\n")
    );
    assert_eq!(all.index as usize, all.text.len());
    let start = read(&sim, 5, false, None);
    assert_eq!((start.text.as_str(), start.index), ("(XEN)", 5));
    let next = read(&sim, 4, false, Some(5));
    assert_eq!((next.text.as_str(), next.index), (" Xen", 9));
    assert_eq!(read(&sim, 10, false, Some(all.index)).text, "", "at its end");
    assert_eq!(read(&sim, 10, false, Some(all.index + 1)).text, all.text[..10], "beyond it");
    assert_eq!(press(&sim, b"h"), 0);
    let news = read(&sim, 1000, false, Some(all.index));
    assert_eq!(news.text, "(XEN) 'h' pressed -> showing installed handlers\n");
    assert_eq!(press(&sim, b"\x01Zh\xFF"), 0);
    assert_eq!(read(&sim, 1000, true, Some(news.index)).text, news.text, "other keys mean nothing");
    assert_eq!(read(&sim, 1000, false, None).text, "", "read and gone");
    let unmapped = DebugKeys { keys: 8, nr_keys: 1, pad: 0 };
    assert_eq!(sim.ask(DEBUG_KEYS, &mut { unmapped }), libc::EFAULT);
    let unmapped = ReadConsole { buffer: 8, count: 8, ..ReadConsole::default() };
    assert_eq!(press(&sim, b"h"), 0);
    assert_eq!(sim.ask(READCONSOLE, &mut { unmapped }), libc::EFAULT);
}

#[test]
fn a_full_console_forgets_its_beginning() {
    let sim = simulate(Release::V4_20, "cpus=1,console_fill=20000,console=end");
    let all = read(&sim, 40000, false, None);
    assert_eq!(all.text.len(), 16384);
    assert!(all.text.ends_with("end") && all.index > 20000);
    let some = read(&sim, 1000, false, Some(3));
    assert_eq!(some.text, all.text[..1000], "what was there is gone");
    assert_eq!(some.index, all.index - 16384 + 1000);
}

#[test]
fn a_hostile_host_claims_what_it_was_told_to() {
    let sim = simulate(Release::V4_20, "overrun=5,cpus=6,max_cpu_id=4294967295");
    let mut room = [0_u64; 3];
    let mut op = ReadConsole { buffer: addr(&mut room), count: 24, ..ReadConsole::default() };
    assert_eq!((sim.ask(READCONSOLE, &mut op), op.count), (0, 29));
    let mut op = GetCpuInfo { max_cpus: 3, info: addr(&mut room), ..GetCpuInfo::default() };
    assert_eq!((sim.ask(GETCPUINFO, &mut op), op.nr_cpus), (0, 8));
    let mut op = CpuFeatureset { index: 0, nr_features: 6, features: addr(&mut room) };
    assert_eq!((sim.ask(GET_CPU_FEATURESET, &mut op), op.nr_features), (libc::ENOBUFS, 11));
    let host = sim.physinfo();
    assert_eq!((host.nr_cpus, host.max_cpu_id), (6, u32::MAX));
}

#[test]
fn idle_times_grow_where_nothing_runs() {
    let sim = simulate(Release::V4_20, "cpus=6,domains=1");
    let mut idle = [0_u64; 8];
    let mut ask = |max_cpus| {
        let mut op = GetCpuInfo { max_cpus, info: addr(&mut idle), ..GetCpuInfo::default() };
        let result = sim.ask(GETCPUINFO, &mut op);
        (result, op.nr_cpus, idle.iter().filter(|&&time| time != 0).count())
    };
    assert_eq!(ask(0), (0, 0, 0));
    assert_eq!(ask(2), (0, 2, 2));
    assert_eq!(ask(8), (0, 6, 6));
    assert_eq!(
        sim.ask(GETCPUINFO, &mut GetCpuInfo { max_cpus: 1, ..Default::default() }),
        libc::EFAULT
    );
    drop(sim);
    let _sim = simulate(Release::V4_20, "cpus=6,domains=1,clock=real");
    let hv = crate::hypervisor::enter(&[]).unwrap();
    assert_eq!(hv.busy_cpus(), [1], "dom0's");
}

#[test]
fn the_scheduler_has_a_number() {
    for (spec, id) in [("", 6), ("scheduler=credit2", 6), ("scheduler=credit", 5)] {
        let sim = simulate(Release::V4_20, spec);
        let mut found = 0_u32;
        assert_eq!((sim.ask(SCHED_ID, &mut found), found), (0, id));
    }
}

fn features(sim: &Simulation, index: u32, room: u32, words: &mut [u32]) -> (i32, u32) {
    let features = if words.is_empty() { 0 } else { words.as_mut_ptr() as u64 };
    let mut op = CpuFeatureset { index, nr_features: room, features };
    (sim.ask(GET_CPU_FEATURESET, &mut op), op.nr_features)
}

#[test]
fn featuresets_are_as_long_as_the_releases() {
    for release in Release::ALL {
        let sim = simulate(release, "");
        let all = if release == Release::V4_18 { 18 } else { 19 };
        assert_eq!(features(&sim, 77, 5, &mut []), (0, all), "how many, whichever");
        let mut words = [0xAAAA_AAAA_u32; 24];
        let mut sets = Vec::new();
        for index in 0..6 {
            assert_eq!(features(&sim, index, 24, &mut words), (0, all));
            assert_eq!(words[all as usize], 0xAAAA_AAAA);
            sets.push(words);
        }
        for (set, whole) in [(1, 0), (4, 1), (5, 1), (2, 4), (3, 5)] {
            assert!(sets[set].iter().zip(sets[whole]).all(|(part, of)| part & !of == 0));
        }
        assert_eq!(features(&sim, 6, 24, &mut words), (libc::EINVAL, 24));
        assert_eq!(features(&sim, 1, 3, &mut words), (libc::ENOBUFS, 3));
        assert_eq!(words[..3], sets[1][..3]);
        assert_eq!(features(&sim, 1, 0, &mut words), (libc::ENOBUFS, 0));
        drop(sim);
        let sim = simulate(release, "caps=-pv");
        assert_eq!(
            [2, 3, 4, 5].map(|i| features(&sim, i, 24, &mut words).0),
            [libc::EOPNOTSUPP, 0, libc::EOPNOTSUPP, 0]
        );
    }
}

#[test]
fn only_the_control_domain_asks_about_the_host() {
    let sim = simulate(Release::V4_20, "privileged=no");
    for cmd in [READCONSOLE, SCHED_ID, DEBUG_KEYS, GETCPUINFO, GET_CPU_FEATURESET] {
        assert_eq!(sim.ask(cmd, &mut 0_u32), libc::EPERM);
    }
    drop(sim);
    let sim = simulate(Release::V4_20, "flask=deny:sysctl.readconsole");
    assert_eq!(sim.ask(READCONSOLE, &mut ReadConsole::default()), libc::EACCES);
}
