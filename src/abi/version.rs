//! `xen_version` (public/version.h). These operations have had one form in every release.

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
