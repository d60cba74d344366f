//! The configuration: what the variable `XENSIM` or `xensim_configure` says.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::RangeInclusive;

use crate::abi::DOMID_FIRST_RESERVED;
use crate::abi::release::Release;
use crate::facilities::Facilities;
use crate::fault::Rule;
use crate::ops::Kind;
use crate::scheduler::Scheduler;
use crate::{console, pci};

/// The most domains that a host can hold, dom0 among them.
pub const MAX_DOMAINS: u32 = DOMID_FIRST_RESERVED as u32;

/// Which hypervisor is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
    /// Whose behaviour and layouts it has: its own if it is supported, the nearest one's if not.
    pub release: Release,
    /// Interface version of sysctl.
    pub sysctl: u32,
    /// Interface version of domctl.
    pub domctl: u32,
}

impl Version {
    fn of(release: Release) -> Version {
        let (sysctl, domctl) = (release.sysctl_version(), release.domctl_version());
        Version { major: 4, minor: release.minor(), release, sysctl, domctl }
    }

    /// Reads `4.N`; also some hypervisors that nothing supports yet, or no longer.
    fn parse(text: &str) -> Option<Version> {
        let (major, minor) = text.split_once('.')?;
        let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
        if let Some(release) = Release::from_version(major, minor) {
            return Some(Version::of(release));
        }
        let (release, sysctl, domctl) = match (major, minor) {
            (4, 16) => (Release::V4_17, 0x14, 0x14),
            (4, 23) | (5, 0) => (Release::V4_22, 0x17, 0x19),
            _ => return None,
        };
        Some(Version { major, minor, release, sysctl, domctl })
    }
}

/// Where the counters go when the process exits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Nowhere.
    None,
    /// Standard error.
    Stderr,
    /// Appended to this file.
    File(String),
}

/// Everything that can be configured; see [`KEYS`] for what each field means.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Config {
    pub version: Version,
    /// Overrides of what the version has.
    pub sysctl: Option<u32>,
    pub domctl: Option<u32>,
    /// `None`: the newest point release's.
    pub extra_version: Option<String>,
    pub changeset: Option<String>,
    pub domains: u32,
    pub sparse: bool,
    pub seed: u64,
    pub hvm: u32,
    pub pvh: u32,
    pub vcpus: RangeInclusive<u32>,
    pub guest_memory: RangeInclusive<u32>,
    pub running: u32,
    pub paused: u32,
    pub shutdown: u32,
    pub novcpus: u32,
    pub dying: u32,
    pub cpus: u32,
    /// `None`: that of the last of them.
    pub max_cpu_id: Option<u32>,
    pub threads: u32,
    pub sockets: u32,
    pub nodes: u32,
    /// In MiB; `None`: as much as the domains need, and a quarter more.
    pub memory: Option<u64>,
    pub caps: Facilities,
    pub privileged: bool,
    pub flask: Vec<Kind>,
    pub hide: BTreeSet<u16>,
    pub strict: bool,
    pub rules: Vec<Rule>,
    pub overrun: u32,
    pub grow: u32,
    pub disorder: bool,
    pub frozen: bool,
    pub report: Report,
    pub scheduler: Scheduler,
    /// Segment, bus, device and function of each.
    pub pci: Vec<u32>,
    pub pv_drivers: u32,
    /// Text, and how many bytes of filling before it.
    pub console: String,
    pub console_fill: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            version: Version::of(Release::V4_20),
            sysctl: None,
            domctl: None,
            extra_version: None,
            changeset: None,
            domains: 10,
            sparse: false,
            seed: 1,
            hvm: 50,
            pvh: 20,
            vcpus: 1..=8,
            guest_memory: 256..=8192,
            running: 10,
            paused: 2,
            shutdown: 2,
            novcpus: 1,
            dying: 0,
            cpus: 64,
            max_cpu_id: None,
            threads: 2,
            sockets: 2,
            nodes: 2,
            memory: None,
            caps: Facilities::usual(),
            privileged: true,
            flask: Vec::new(),
            hide: BTreeSet::new(),
            strict: false,
            rules: Vec::new(),
            overrun: 0,
            grow: 0,
            disorder: false,
            frozen: false,
            report: Report::None,
            scheduler: Scheduler::Credit2,
            pci: Vec::new(),
            pv_drivers: 75,
            console: String::new(),
            console_fill: 0,
        }
    }
}

/// Sets one field from a value's text, or says what is wrong with it.
type Set = fn(&mut Config, &str) -> Result<(), String>;

/// A key of the configuration.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub range: &'static str,
    /// What it is unless told.
    pub default: &'static str,
    /// What it means.
    pub help: &'static str,
    set: Set,
}

const fn key(
    name: &'static str,
    range: &'static str,
    default: &'static str,
    help: &'static str,
    set: Set,
) -> Key {
    Key { name, range, default, help, set }
}

fn number(text: &str, range: RangeInclusive<u32>) -> Result<u32, String> {
    let found = text.parse().ok().filter(|n| range.contains(n));
    found.ok_or_else(|| format!("wants a number from {} to {}", range.start(), range.end()))
}

fn span(text: &str, limits: RangeInclusive<u32>) -> Result<RangeInclusive<u32>, String> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (number(low, limits.clone())?, number(high, limits)?);
    if low > high {
        return Err("wants the lower number first".to_owned());
    }
    Ok(low..=high)
}

fn choice(text: &str, no: &str, yes: &str) -> Result<bool, String> {
    match text {
        _ if text == yes => Ok(true),
        _ if text == no => Ok(false),
        _ => Err(format!("wants {yes} or {no}")),
    }
}

fn hex(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u32::from_str_radix(digits, 16).map_err(|_| "wants a hexadecimal number".to_owned())
}

/// What [`text`] reads.
const TEXT: &str = "text; \\n: new line, \\c: comma, \\\\: backslash";

fn text(escaped: &str) -> Result<String, String> {
    console::unescape(escaped).ok_or_else(|| "wants n, c or \\ after a \\".to_owned())
}

/// Every key, in the order in which they are explained.
pub static KEYS: [Key; 40] = [
    key(
        "version",
        "4.17 to 4.22; also 4.16, 4.23, 5.0",
        "4.20",
        "release simulated; the last three are there to be refused",
        |c, v| {
            c.version = Version::parse(v).ok_or("wants 4.17 to 4.22, or 4.16, 4.23, 5.0")?;
            Ok(())
        },
    ),
    key("sysctl", "hexadecimal", "the release's", "interface version of sysctl", |c, v| {
        c.sysctl = Some(hex(v)?);
        Ok(())
    }),
    key("domctl", "hexadecimal", "the release's", "interface version of domctl", |c, v| {
        c.domctl = Some(hex(v)?);
        Ok(())
    }),
    key("extra_version", TEXT, "the release's", "what follows the version numbers", |c, v| {
        c.extra_version = Some(text(v)?);
        Ok(())
    }),
    key("changeset", TEXT, "the release's", "what it says it was built from", |c, v| {
        c.changeset = Some(text(v)?);
        Ok(())
    }),
    key("domains", "1 to 32752", "10", "domains at the start, dom0 among them", |c, v| {
        c.domains = number(v, 1..=MAX_DOMAINS)?;
        Ok(())
    }),
    key("domids", "dense or sparse", "dense", "whether the domids have gaps", |c, v| {
        c.sparse = choice(v, "dense", "sparse")?;
        Ok(())
    }),
    key("seed", "64-bit number", "1", "changes UUIDs, sizes and states of the guests", |c, v| {
        c.seed = v.parse().map_err(|_| "wants a number below 2^64")?;
        Ok(())
    }),
    key(
        "hvm",
        "0 to 100",
        "50",
        "percentage of guests that are HVM, with ten emulation flags",
        |c, v| {
            c.hvm = number(v, 0..=100)?;
            Ok(())
        },
    ),
    key("pvh", "0 to 100", "20", "percentage of guests that are PVH; the rest are PV", |c, v| {
        c.pvh = number(v, 0..=100)?;
        Ok(())
    }),
    key("vcpus", "N or N-M, 1 to 128", "1-8", "vCPUs of each guest", |c, v| {
        c.vcpus = span(v, 1..=128)?;
        Ok(())
    }),
    key("guest_memory", "N or N-M, MiB", "256-8192", "memory of each guest", |c, v| {
        c.guest_memory = span(v, 1..=16 << 20)?;
        Ok(())
    }),
    key(
        "running",
        "0 to 100",
        "10",
        "percentage of guests on a pCPU; others are blocked",
        |c, v| {
            c.running = number(v, 0..=100)?;
            Ok(())
        },
    ),
    key("paused", "0 to 100", "2", "percentage of guests that the toolstack paused", |c, v| {
        c.paused = number(v, 0..=100)?;
        Ok(())
    }),
    key("shutdown", "0 to 100", "2", "percentage of guests that have shut down", |c, v| {
        c.shutdown = number(v, 0..=100)?;
        Ok(())
    }),
    key("novcpus", "0 to 100", "1", "percentage of guests without vCPUs yet", |c, v| {
        c.novcpus = number(v, 0..=100)?;
        Ok(())
    }),
    key("dying", "0 to 100", "0", "percentage of guests destroyed but not freed", |c, v| {
        c.dying = number(v, 0..=100)?;
        Ok(())
    }),
    key("cpus", "1 to 4096", "64", "pCPUs of the host", |c, v| {
        c.cpus = number(v, 1..=4096)?;
        Ok(())
    }),
    key("threads", "1 to 8", "2", "threads of each core", |c, v| {
        c.threads = number(v, 1..=8)?;
        Ok(())
    }),
    key("sockets", "1 to 64", "2", "sockets of the host", |c, v| {
        c.sockets = number(v, 1..=64)?;
        Ok(())
    }),
    key(
        "max_cpu_id",
        "0 to 4294967295, or auto",
        "auto",
        "the greatest number of a pCPU that there can be, as physinfo tells it, which a hostile \
         hypervisor makes up; auto: that of the last one",
        |c, v| {
            c.max_cpu_id = match v {
                "auto" => None,
                _ => Some(number(v, 0..=u32::MAX).map_err(|e| format!("{e}, or auto"))?),
            };
            Ok(())
        },
    ),
    key("nodes", "1 to 64", "2", "NUMA nodes of the host", |c, v| {
        c.nodes = number(v, 1..=64)?;
        Ok(())
    }),
    key("memory", "MiB, or auto", "auto", "memory of the host; auto: enough", |c, v| {
        c.memory = match v {
            "auto" => None,
            _ => Some(number(v, 1..=u32::MAX).map_err(|e| format!("{e}, or auto"))?.into()),
        };
        Ok(())
    }),
    key(
        "caps",
        "NAME+NAME…, or -NAME+-NAME…",
        "usual",
        "what the host can do: hvm, pv, directio, hap, shadow, iommu_hap_pt_share, vmtrace, vpmu, \
         gnttab_v1, gnttab_v2, nested_virt, altp2m; usual: all but vmtrace and vpmu; -NAME: taken \
         from the usual ones",
        |c, v| {
            c.caps = Facilities::parse(v)?;
            Ok(())
        },
    ),
    key("scheduler", "credit or credit2", "credit2", "scheduler of the host", |c, v| {
        c.scheduler = match choice(v, "credit", "credit2")? {
            true => Scheduler::Credit2,
            false => Scheduler::Credit,
        };
        Ok(())
    }),
    key(
        "pci",
        "SSSS:BB:DD.F+…",
        "none",
        "devices that can be passed through, as in 0000:03:00.0",
        |c, v| {
            for device in v.split('+') {
                c.pci.push(pci::parse(device).ok_or("wants SSSS:BB:DD.F, as in 0000:03:00.0")?);
            }
            Ok(())
        },
    ),
    key(
        "pv_drivers",
        "0 to 100",
        "75",
        "percentage of HVM guests with PV drivers, which have a callback for events",
        |c, v| {
            c.pv_drivers = number(v, 0..=100)?;
            Ok(())
        },
    ),
    key(
        "console",
        TEXT,
        "none",
        "what is on the hypervisor's console, after the messages of its boot",
        |c, v| {
            c.console = text(v)?;
            Ok(())
        },
    ),
    key("console_fill", "0 to 67108864", "0", "bytes of filling before that", |c, v| {
        c.console_fill = number(v, 0..=64 << 20)?;
        Ok(())
    }),
    key("privileged", "yes or no", "yes", "no: EPERM, as in a domU", |c, v| {
        c.privileged = choice(v, "no", "yes")?;
        Ok(())
    }),
    key(
        "flask",
        "deny:OPERATION, repeatable",
        "none",
        "a Flask policy denies this operation (EACCES; xen_version answers \"<denied>\")",
        |c, v| {
            let name = v.strip_prefix("deny:").ok_or("wants deny:OPERATION")?;
            let kind = Kind::from_name(name);
            c.flask.push(kind.ok_or_else(|| format!("nothing is named \"{name}\""))?);
            Ok(())
        },
    ),
    key(
        "hide",
        "DOMID+DOMID…",
        "none",
        "a Flask policy hides these domains: lists leave them out, single queries get EACCES",
        |c, v| {
            for domid in v.split('+') {
                c.hide.insert(number(domid, 0..=MAX_DOMAINS - 1)? as u16);
            }
            Ok(())
        },
    ),
    key(
        "strict",
        "yes or no",
        "no",
        "yes: memory that a hypercall is given must lie in a live hypercall buffer, else EFAULT",
        |c, v| {
            c.strict = choice(v, "no", "yes")?;
            Ok(())
        },
    ),
    key(
        "fault",
        "KIND:ERRNO, KIND:ERRNO@K, KIND:ERRNO@K+; repeatable",
        "none",
        "calls of this kind fail: all, the K-th, or all from the K-th on; a kind is the name of a \
         counter of calls, or open, buffer, map",
        |c, v| {
            c.rules.push(Rule::fault(v)?);
            Ok(())
        },
    ),
    key("delay", "KIND:TIME, as 2ms; repeatable", "none", "calls of this kind wait", |c, v| {
        c.rules.push(Rule::delay(v)?);
        Ok(())
    }),
    key(
        "overrun",
        "0 to 4294967295",
        "0",
        "hostile: getdomaininfolist, readconsole, getcpuinfo and get_cpu_featureset claim this many \
         more entries than the buffer holds",
        |c, v| {
            c.overrun = number(v, 0..=u32::MAX)?;
            Ok(())
        },
    ),
    key("grow", "0 to 32752", "0", "domains that appear after each getdomaininfolist", |c, v| {
        c.grow = number(v, 0..=MAX_DOMAINS)?;
        Ok(())
    }),
    key("disorder", "yes or no", "no", "yes: getdomaininfolist shuffles its answer", |c, v| {
        c.disorder = choice(v, "no", "yes")?;
        Ok(())
    }),
    key(
        "clock",
        "real or frozen",
        "real",
        "frozen: CPU times do not advance, so that equal questions get equal answers",
        |c, v| {
            c.frozen = choice(v, "real", "frozen")?;
            Ok(())
        },
    ),
    key("report", "stderr or a file", "none", "where the counters go at exit, appended", |c, v| {
        c.report = match v {
            "" => return Err("wants stderr or a file's name".to_owned()),
            "none" => Report::None,
            "stderr" => Report::Stderr,
            _ => Report::File(v.to_owned()),
        };
        Ok(())
    }),
];

/// All keys with their meanings, as a text.
pub fn usage() -> String {
    let mut text = String::from("keys, as KEY=VALUE,KEY=VALUE:\n");
    for Key { name, range, default, help, .. } in &KEYS {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  {name:<13} {help}\n  {:<13} ({range}; default {default})", "");
    }
    text
}

impl Config {
    /// Reads `KEY=VALUE,KEY=VALUE…`; the error names the bad item.
    pub fn parse(spec: &str) -> Result<Config, String> {
        let mut config = Config::default();
        for item in spec.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let (name, value) = item.split_once('=').unwrap_or((item, ""));
            let Some(key) = KEYS.iter().find(|key| key.name == name) else {
                return Err(format!("\"{item}\": no key is named \"{name}\""));
            };
            (key.set)(&mut config, value).map_err(|reason| format!("\"{item}\": {reason}"))?;
        }
        let version = &mut config.version;
        version.sysctl = config.sysctl.unwrap_or(version.sysctl);
        version.domctl = config.domctl.unwrap_or(version.domctl);
        config.check()?;
        Ok(config)
    }

    /// What no single item can know to be wrong.
    fn check(&self) -> Result<(), String> {
        if self.hvm + self.pvh > 100 {
            return Err(format!("\"hvm={}\" and \"pvh={}\": more than 100", self.hvm, self.pvh));
        }
        if self.running + self.paused + self.shutdown + self.novcpus + self.dying > 100 {
            return Err(format!(
                "\"running={}\", \"paused={}\", \"shutdown={}\", \"novcpus={}\" and \"dying={}\": \
                 more than 100",
                self.running, self.paused, self.shutdown, self.novcpus, self.dying
            ));
        }
        Ok(())
    }
}
