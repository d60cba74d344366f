//! `xen_version` (public/version.h). These operations have had one form in every release that has
//! them.

/// `XENVER_version`: answers `major << 16 | minor`, takes no argument.
pub const VERSION: u64 = 0;
/// `XENVER_extraversion`.
pub const EXTRAVERSION: u64 = 1;
/// `XENVER_compile_info`.
pub const COMPILE_INFO: u64 = 2;
/// `XENVER_capabilities`.
pub const CAPABILITIES: u64 = 3;
/// `XENVER_changeset`.
pub const CHANGESET: u64 = 4;
/// `XENVER_extraversion2`: this one and those below answer with a text of any length, in a
/// `struct xen_varbuf`. Since 4.20; an earlier Xen may have them from its vendor.
pub const EXTRAVERSION2: u64 = 11;
/// `XENVER_capabilities2`.
pub const CAPABILITIES2: u64 = 12;
/// `XENVER_changeset2`.
pub const CHANGESET2: u64 = 13;

/// The `len` of a `struct xen_varbuf`, whose bytes follow at once: for how many there is room. How
/// many there are is the operation's result; no zero byte ends them.
pub type VarbufLength = u32;

/// Bytes of the longest text in a `struct xen_varbuf`: one that is longer is `E2BIG`.
pub const VARBUF_LONGEST: usize = 64 << 10;

/// `xen_extraversion_t`.
pub type ExtraVersion = [u8; 16];
/// `xen_capabilities_info_t`.
pub type Capabilities = [u8; 1024];
/// `xen_changeset_info_t`.
pub type Changeset = [u8; 64];

/// `struct xen_compile_info`: strings ended by a zero byte.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileInfo {
    /// The compiler's version line.
    pub compiler: [u8; 64],
    /// Who compiled.
    pub compile_by: [u8; 16],
    /// Where.
    pub compile_domain: [u8; 32],
    /// When.
    pub compile_date: [u8; 32],
}
