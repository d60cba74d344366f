//! Reading the configuration.

use crate::abi::release::Release;
use crate::config::{Config, KEYS, MAX_DOMAINS, usage};
use crate::hypervisor::Hypervisor;
use crate::population::populate;
use proptest::{collection::vec, prelude::*, sample::select};

fn error(spec: &str) -> String {
    match Config::parse(spec).and_then(Hypervisor::new) {
        Ok(_) => panic!("\"{spec}\" is accepted"),
        Err(message) => message,
    }
}

#[test]
fn an_empty_configuration_is_all_defaults() {
    let config = Config::parse("").unwrap();
    assert_eq!((config.domains, config.version.minor), (10, 20));
    assert!(config.privileged && !config.strict);
    Config::parse(" domains=5 , ,version=4.22,").unwrap();
}

#[test]
fn every_default_is_what_the_key_says() {
    let defaults = format!("{:?}", Config::default());
    let given = KEYS.iter().filter(|key| !["none", "the release's"].contains(&key.default));
    for key in given {
        let config = Config::parse(&format!("{}={}", key.name, key.default)).unwrap();
        assert_eq!(format!("{config:?}"), defaults, "{}", key.name);
    }
}

#[test]
fn a_bad_item_is_named() {
    for (spec, part) in [
        ("domain=3", "\"domain=3\": no key is named \"domain\""),
        ("version=4.20,domains=0", "\"domains=0\": wants a number from 1 to 32752"),
        ("domains=32753", "\"domains=32753\""),
        ("domains=x", "\"domains=x\""),
        ("domains", "\"domains\""),
        ("version=4.15", "\"version=4.15\""),
        ("vcpus=8-2", "\"vcpus=8-2\": wants the lower"),
        ("hvm=60,pvh=50", "\"hvm=60\" and \"pvh=50\""),
        ("paused=50,running=51", "\"paused=50\""),
        ("fault=sysctl", "\"fault=sysctl\": wants KIND:ERRNO"),
        ("fault=sysctl.nothing:EIO", "\"sysctl.nothing\""),
        ("fault=sysctl:EWHAT", "\"EWHAT\""),
        ("fault=sysctl:EIO@0", "1 or more"),
        ("delay=sysctl:5", "ns, us, ms or s"),
        ("flask=allow:sysctl", "deny:OPERATION"),
        ("caps=hvm+x", "\"x\""),
        ("hide=1+40000", "\"hide=1+40000\""),
        ("memory=4096", "\"memory=4096\": the domains have"),
        ("sysctl=0xZZ", "hexadecimal"),
    ] {
        let message = error(spec);
        assert!(message.contains(part), "{spec}: {message}");
    }
}

#[test]
fn every_key_is_explained_here_and_in_the_readme() {
    let (usage, readme) = (usage(), include_str!("../../README.md"));
    for key in &KEYS {
        assert!(usage.contains(&format!("  {} ", key.name)), "{}", key.name);
        assert!(readme.contains(&format!("| `{}` |", key.name)), "{} in README.md", key.name);
    }
}

#[test]
fn interface_versions_follow_the_release_unless_overridden() {
    for release in Release::ALL {
        let version = Config::parse(&format!("version={release}")).unwrap().version;
        assert_eq!(version.sysctl, release.sysctl_version());
        assert_eq!(version.domctl, release.domctl_version());
    }
    for spec in ["version=4.17,domctl=0x17", "domctl=17,version=4.17"] {
        let version = Config::parse(spec).unwrap().version;
        assert_eq!((version.minor, version.sysctl, version.domctl), (17, 0x15, 0x17), "{spec}");
    }
}

#[test]
fn sparse_domids_fit_and_ascend() {
    for count in [1, 2, 3, 1000, 20000, 32751, 32752] {
        let config = Config::parse(&format!("domids=sparse,domains={count}")).unwrap();
        let domains = populate(&config);
        let ids: Vec<u16> = (0..domains.len()).map(|place| domains.domid(place)).collect();
        assert_eq!(ids.len(), count as usize);
        assert_eq!(ids[0], 0);
        assert!(ids.is_sorted_by(|a, b| a < b) && *ids.last().unwrap() < 0x7FF0);
        let places: Vec<_> = ids.iter().map(|&id| domains.find(id)).collect();
        assert!(places.iter().enumerate().all(|(i, &place)| place == Some(i)));
        if count == 1000 {
            assert!(ids[999] > 30000, "spread over all domids");
        }
    }
}

#[test]
fn guests_depend_on_the_seed_and_their_domid_alone() {
    let table = |spec: &str| populate(&Config::parse(spec).unwrap());
    let (few, many) = (table("domains=10"), table("domains=1000"));
    for place in 0..10 {
        assert_eq!(few.info(place, 0), many.info(place, 0));
    }
    assert_ne!(few.info(5, 0).handle, table("seed=2").info(5, 0).handle);
}

/// A value that some key may want, or nearly so.
fn value() -> impl Strategy<Value = String> {
    let parts = [
        "0",
        "1",
        "100",
        "4294967295",
        "4294967296",
        "-1",
        "+1",
        "-",
        "+",
        ":",
        "@",
        ".",
        "x",
        "0x",
        "deny",
        "sysctl",
        "domctl.createdomain",
        "EIO",
        "2ms",
        "s",
        "hvm",
        "yes",
        "sparse",
        "auto",
        "4",
        "17",
        "\\n",
        "\\",
        "é",
        "0000",
        "03",
        "00",
    ];
    vec(select(parts.to_vec()), 0..6).prop_map(|parts| parts.concat())
}

/// A configuration as text, and what it must be read as, as far as the keys here go.
fn some_keys() -> impl Strategy<Value = (Vec<String>, Config)> {
    let span = |most: u32| (1..=most, 1..=most).prop_map(|(a, b)| a.min(b)..=a.max(b));
    let numbers = (1..=MAX_DOMAINS, any::<u64>(), 1..=4096_u32, any::<u32>(), 0..=MAX_DOMAINS);
    let others = (any::<[bool; 5]>(), any::<Option<u32>>(), 0..=50_u32, 0..=50_u32);
    // Blanks at an item's ends are not part of it.
    let texts =
        (r"([!-~\n]([ -~\n]{0,40}[!-~\n])?)?", vec(any::<u32>(), 1..4), vec(0..100_u16, 1..4));
    (numbers, (span(128), span(16 << 20)), others, texts).prop_map(
        |((domains, seed, cpus, overrun, grow), (vcpus, memory), (flags, id, hvm, pvh), texts)| {
            let (console, devices, hidden) = texts;
            let [sparse, strict, privileged, disorder, frozen] = flags;
            let either = |flag: bool, yes: &str, no: &str| if flag { yes } else { no }.to_owned();
            let of_device = |&d: &u32| {
                format!("{:04x}:{:02X}:{:02x}.{}", d >> 16, d >> 8 & 0xFF, d >> 3 & 0x1F, d & 7)
            };
            let escaped = console.replace('\\', "\\\\").replace('\n', "\\n").replace(',', "\\c");
            let joined = |items: Vec<String>| items.join("+");
            let items = vec![
                format!("domains={domains}"),
                format!("seed={seed}"),
                format!("cpus={cpus}"),
                format!("overrun={overrun}"),
                format!("grow={grow}"),
                format!("vcpus={}-{}", vcpus.start(), vcpus.end()),
                format!("guest_memory={}-{}", memory.start(), memory.end()),
                format!("hvm={hvm}"),
                format!("pvh={pvh}"),
                format!("domids={}", either(sparse, "sparse", "dense")),
                format!("strict={}", either(strict, "yes", "no")),
                format!("privileged={}", either(privileged, "yes", "no")),
                format!("disorder={}", either(disorder, "yes", "no")),
                format!("clock={}", either(frozen, "frozen", "real")),
                format!("max_cpu_id={}", id.map_or("auto".to_owned(), |id| id.to_string())),
                format!("console={escaped}"),
                format!("pci={}", joined(devices.iter().map(of_device).collect())),
                format!("hide={}", joined(hidden.iter().map(u16::to_string).collect())),
            ];
            let config = Config {
                domains,
                seed,
                cpus,
                overrun,
                grow,
                vcpus,
                guest_memory: memory,
                hvm,
                pvh,
                sparse,
                strict,
                privileged,
                disorder,
                frozen,
                max_cpu_id: id,
                console,
                pci: devices,
                hide: hidden.into_iter().collect(),
                ..Config::default()
            };
            (items, config)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_with_a_reason(text in "\\PC{0,200}") {
        if let Err(message) = Config::parse(&text) {
            prop_assert!(message.starts_with('"'), "{}", message);
        }
    }

    #[test]
    fn any_value_of_any_key_is_read_or_refused_by_its_name(
        key in (0..KEYS.len()).prop_map(|i| KEYS[i].name),
        value in value(),
    ) {
        if let Err(message) = Config::parse(&format!("{key}={value}")) {
            prop_assert!(message.contains(&format!("\"{key}=")), "{}", message);
        }
    }

    #[test]
    fn what_is_written_is_read_in_any_order(
        (items, config) in some_keys()
            .prop_flat_map(|(items, config)| (Just(items).prop_shuffle(), Just(config))),
    ) {
        let read = Config::parse(&items.join(","));
        prop_assert_eq!(format!("{read:?}"), format!("{:?}", Ok::<_, String>(config)));
    }
}
