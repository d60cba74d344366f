//! Reading the configuration.

use crate::abi::release::Release;
use crate::config::{Config, KEYS, usage};
use crate::hypervisor::Hypervisor;
use crate::population::populate;

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
