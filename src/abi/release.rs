//! The releases of Xen and what tells their hypercall interfaces apart.

/// A release series whose interface is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// Xen 4.17 (sysctl 0x15, domctl 0x15).
    V4_17,
    /// Xen 4.18 (sysctl 0x15, domctl 0x16).
    V4_18,
    /// Xen 4.19 (sysctl 0x15, domctl 0x17).
    V4_19,
    /// Xen 4.20 (sysctl 0x15, domctl 0x17).
    V4_20,
    /// Xen 4.21 (sysctl 0x16, domctl 0x17).
    V4_21,
    /// Xen 4.22 (sysctl 0x16, domctl 0x18).
    V4_22,
}

impl Release {
    /// Every known release, oldest first.
    pub const ALL: [Release; 6] = [
        Release::V4_17,
        Release::V4_18,
        Release::V4_19,
        Release::V4_20,
        Release::V4_21,
        Release::V4_22,
    ];

    /// The release that `XENVER_version` names, or `None` if its interface is not known here.
    pub fn from_version(major: u32, minor: u32) -> Option<Release> {
        Release::ALL.into_iter().find(|r| (4, r.minor()) == (major, minor))
    }

    /// The minor version number; the major one is 4 throughout.
    pub const fn minor(self) -> u32 {
        match self {
            Release::V4_17 => 17,
            Release::V4_18 => 18,
            Release::V4_19 => 19,
            Release::V4_20 => 20,
            Release::V4_21 => 21,
            Release::V4_22 => 22,
        }
    }

    /// `XEN_SYSCTL_INTERFACE_VERSION` (sysctl.h).
    pub const fn sysctl_version(self) -> u32 {
        match self {
            Release::V4_17 | Release::V4_18 | Release::V4_19 | Release::V4_20 => 0x15,
            Release::V4_21 | Release::V4_22 => 0x16,
        }
    }

    /// `XEN_DOMCTL_INTERFACE_VERSION` (domctl.h).
    pub const fn domctl_version(self) -> u32 {
        match self {
            Release::V4_17 => 0x15,
            Release::V4_18 => 0x16,
            Release::V4_19 | Release::V4_20 | Release::V4_21 => 0x17,
            Release::V4_22 => 0x18,
        }
    }

    /// Whether `xen_domctl_createdomain` has the altp2m word (domctl.h, since 4.19).
    pub const fn has_altp2m_opts(self) -> bool {
        self.minor() >= 19
    }

    /// Whether the altp2m word's upper half is the number of altp2ms (domctl.h, since 4.21).
    pub const fn has_altp2m_count(self) -> bool {
        self.minor() >= 21
    }

    /// Every `XEN_DOMCTL_CDF_*` that the release defines (domctl.h).
    pub const fn create_flags(self) -> u32 {
        if self.minor() >= 21 { 0x1FF } else { 0xFF }
    }

    /// The domid that asks `XEN_DOMCTL_createdomain` to allocate one.
    pub const fn domid_any(self) -> u16 {
        if self.minor() >= 22 { super::DOMID_ANY } else { 0 }
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "4.{}", self.minor())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_known_by_its_numbers_alone() {
        for release in Release::ALL {
            assert_eq!(Release::from_version(4, release.minor()), Some(release));
            assert_eq!(release.to_string(), format!("4.{}", release.minor()));
        }
        for (major, minor) in [(4, 16), (4, 23), (3, 17), (5, 17), (0, 0)] {
            assert_eq!(Release::from_version(major, minor), None);
        }
    }

    #[test]
    fn interface_versions_are_those_of_the_headers() {
        let versions = Release::ALL.map(|r| (r.sysctl_version(), r.domctl_version()));
        let of_the_headers =
            [(0x15, 0x15), (0x15, 0x16), (0x15, 0x17), (0x15, 0x17), (0x16, 0x17), (0x16, 0x18)];
        assert_eq!(versions, of_the_headers);
    }

    // The simulated hypervisor is built upon this very table: numbers on which both sides agree
    // are held against the headers here.
    #[test]
    fn what_createdomain_takes_is_what_the_headers_say() {
        let domids = Release::ALL.map(Release::domid_any);
        assert_eq!(domids, [0, 0, 0, 0, 0, 0x7FF5]);
        let flags = Release::ALL.map(Release::create_flags);
        assert_eq!(flags, [0xFF, 0xFF, 0xFF, 0xFF, 0x1FF, 0x1FF]);
        let options = Release::ALL.map(Release::has_altp2m_opts);
        assert_eq!(options, [false, false, true, true, true, true]);
        let counts = Release::ALL.map(Release::has_altp2m_count);
        assert_eq!(counts, [false, false, false, false, true, true]);
    }
}
