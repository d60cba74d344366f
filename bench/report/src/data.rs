//! What `bench/run` measured, as it is in its CSV files.

use std::{error::Error, fs, path::Path};

use serde::{Deserialize, de::DeserializeOwned};

/// A row of `times.csv`: what one way costs in one situation.
#[derive(Clone, Debug, Deserialize)]
pub struct Time {
    pub mode: String,
    pub domains: u32,
    pub hvm: u32,
    pub threads: u32,
    pub operation: String,
    pub way: String,
    pub result: String,
    pub hypercalls: Option<u64>,
    pub mappings: Option<u64>,
    pub words: Option<u64>,
    pub calls: u64,
    pub p25_us: Option<f64>,
    pub median_us: Option<f64>,
    pub p75_us: Option<f64>,
    pub cpu_us: Option<f64>,
    pub ratio_p25: Option<f64>,
    pub ratio: Option<f64>,
    pub ratio_p75: Option<f64>,
}

/// A row of `processes.csv`: one way in a process of its own.
#[derive(Clone, Debug, Deserialize)]
pub struct Process {
    pub domains: u32,
    pub operation: String,
    pub way: String,
    pub result: String,
    pub peak_kib: Option<u64>,
    pub system_calls: Option<f64>,
    pub instructions: Option<f64>,
}

/// A row of `machine.csv`.
#[derive(Clone, Debug, Deserialize)]
pub struct Fact {
    pub what: String,
    pub value: String,
}

/// A number with the quarters below and above it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub lower: f64,
    pub median: f64,
    pub upper: f64,
}

impl Time {
    /// Microseconds per call; none where the way was not measured.
    pub fn time(&self) -> Option<Spread> {
        Some(Spread { lower: self.p25_us?, median: self.median_us?, upper: self.p75_us? })
    }

    /// How many times as long as this library's way it takes, turn by turn.
    pub fn ratio(&self) -> Option<Spread> {
        Some(Spread { lower: self.ratio_p25?, median: self.ratio?, upper: self.ratio_p75? })
    }
}

/// In which situation a way was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Situation<'a> {
    pub mode: &'a str,
    pub threads: u32,
    pub result: &'a str,
}

/// The one that figures are of unless they say something else.
pub const USUAL: Situation = Situation { mode: "native", threads: 1, result: "dropped" };

/// With a minor heap of 8M words, which has room for any list; OCaml's own has for 5000 domains.
pub const ROOMY: Situation = Situation { mode: "native-roomy", ..USUAL };

/// All of one hypervisor.
#[derive(Debug)]
pub struct Hypervisor {
    /// The name of its folder: `xensim-4.17` or `xen-4.20`.
    pub name: String,
    pub times: Vec<Time>,
    pub processes: Vec<Process>,
    pub machine: Vec<Fact>,
}

impl Hypervisor {
    /// Reads the three files of a folder.
    pub fn read(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let name = folder.file_name().ok_or("a folder without a name")?;
        Ok(Hypervisor {
            name: name.to_string_lossy().into_owned(),
            times: rows(&folder.join("times.csv"))?,
            processes: rows(&folder.join("processes.csv"))?,
            machine: rows(&folder.join("machine.csv"))?,
        })
    }

    pub fn simulated(&self) -> bool {
        self.name.starts_with("xensim")
    }

    /// What to call it in a heading.
    pub fn title(&self) -> String {
        match self.name.split_once('-') {
            Some(("xensim", release)) => format!("xensim (Xen {release}, simulated)"),
            Some((_, release)) => format!("Xen {release} in QEMU"),
            None => self.name.clone(),
        }
    }

    /// The row of a way with so many guests beside dom0, if it was measured.
    pub fn find(
        &self,
        situation: Situation,
        guests: u32,
        operation: &str,
        way: &str,
    ) -> Option<&Time> {
        self.times.iter().find(|row| {
            row.domains == guests + 1
                && row.operation == operation
                && row.way == way
                && row.mode == situation.mode
                && row.threads == situation.threads
                && row.result == situation.result
                && row.calls > 0
        })
    }

    /// Its time.
    pub fn time(
        &self,
        situation: Situation,
        guests: u32,
        operation: &str,
        way: &str,
    ) -> Option<Spread> {
        self.find(situation, guests, operation, way)?.time()
    }

    /// With how many guests it was measured, ascending.
    pub fn guests(&self) -> Vec<u32> {
        sorted(self.times.iter().map(|row| row.domains - 1))
    }

    /// With how many threads, ascending.
    pub fn threads(&self) -> Vec<u32> {
        sorted(self.times.iter().map(|row| row.threads))
    }

    /// The process of a way.
    pub fn process(
        &self,
        guests: u32,
        operation: &str,
        way: &str,
        result: &str,
    ) -> Option<&Process> {
        self.processes.iter().find(|row| {
            row.domains == guests + 1
                && row.operation == operation
                && row.way == way
                && row.result == result
        })
    }
}

fn sorted(numbers: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut all: Vec<u32> = numbers.collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn rows<T: DeserializeOwned>(file: &Path) -> Result<Vec<T>, Box<dyn Error>> {
    let read = || csv::Reader::from_path(file)?.deserialize().collect::<Result<_, csv::Error>>();
    read().map_err(|error| format!("{}: {error}", file.display()).into())
}

/// Every hypervisor that has a folder there, xensim first.
pub fn read_all(results: &Path) -> Result<Vec<Hypervisor>, Box<dyn Error>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(results)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if !hidden && path.join("times.csv").exists() {
            folders.push(path);
        }
    }
    let mut all =
        folders.iter().map(|folder| Hypervisor::read(folder)).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|h| (!h.simulated(), h.name.clone()));
    Ok(all)
}
