//! What the simulated machine and its hypervisor can do.

/// A set of facilities. The low ten bits are those of `physinfo` (`XEN_SYSCTL_PHYSCAP_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facilities(u32);

/// Names, bits, and whether a machine has them unless told otherwise.
const NAMES: [(&str, Facilities, bool); 12] = [
    ("hvm", Facilities::HVM, true),
    ("pv", Facilities::PV, true),
    ("directio", Facilities::DIRECTIO, true),
    ("hap", Facilities::HAP, true),
    ("shadow", Facilities::SHADOW, true),
    ("iommu_hap_pt_share", Facilities(1 << 5), true),
    ("vmtrace", Facilities::VMTRACE, false),
    ("vpmu", Facilities::VPMU, false),
    ("gnttab_v1", Facilities::GNTTAB_V1, true),
    ("gnttab_v2", Facilities::GNTTAB_V2, true),
    ("nested_virt", Facilities::NESTED_VIRT, true),
    ("altp2m", Facilities::ALTP2M, true),
];

impl Facilities {
    /// HVM guests.
    pub const HVM: Facilities = Facilities(1 << 0);
    /// PV guests.
    pub const PV: Facilities = Facilities(1 << 1);
    /// An IOMMU.
    pub const DIRECTIO: Facilities = Facilities(1 << 2);
    /// Hardware-assisted paging.
    pub const HAP: Facilities = Facilities(1 << 3);
    /// Shadow paging.
    pub const SHADOW: Facilities = Facilities(1 << 4);
    /// Processor trace for guests.
    pub const VMTRACE: Facilities = Facilities(1 << 6);
    /// Virtual performance counters.
    pub const VPMU: Facilities = Facilities(1 << 7);
    /// Grant tables, version 1.
    pub const GNTTAB_V1: Facilities = Facilities(1 << 8);
    /// Grant tables, version 2.
    pub const GNTTAB_V2: Facilities = Facilities(1 << 9);
    /// Nested virtualisation; `physinfo` does not tell.
    pub const NESTED_VIRT: Facilities = Facilities(1 << 10);
    /// Alternate p2m; `physinfo` does not tell.
    pub const ALTP2M: Facilities = Facilities(1 << 11);

    /// Those of an ordinary server.
    pub fn usual() -> Facilities {
        let bits = NAMES.iter().filter(|(_, _, usual)| *usual);
        Facilities(bits.fold(0, |set, (_, f, _)| set | f.0))
    }

    /// Whether all of `other` are here.
    pub fn has(self, other: Facilities) -> bool {
        self.0 & other.0 == other.0
    }

    /// `XEN_SYSCTL_PHYSCAP_*` of `physinfo`.
    pub fn physcap(self) -> u32 {
        self.0 & crate::abi::sysctl::PHYSCAP_ALL
    }

    /// Reads names joined by `+`, each adding to none; or, with a leading `-` each, taken from the
    /// usual ones; `usual` for those.
    pub fn parse(text: &str) -> Result<Facilities, String> {
        let taken_away = text.starts_with('-');
        let mut set = if taken_away { Facilities::usual() } else { Facilities(0) };
        for name in text.split('+') {
            if name == "usual" {
                set.0 |= Facilities::usual().0;
                continue;
            }
            let (name, remove) = match name.strip_prefix('-') {
                Some(name) => (name, true),
                None => (name, false),
            };
            let known = NAMES.iter().find(|(n, _, _)| *n == name);
            let (_, bit, _) = known.ok_or_else(|| {
                let names: Vec<_> = NAMES.iter().map(|(n, _, _)| *n).collect();
                format!("no facility is named \"{name}\"; there are {}", names.join(", "))
            })?;
            set.0 = if remove { set.0 & !bit.0 } else { set.0 | bit.0 };
        }
        Ok(set)
    }
}
