//! What can go wrong below the stubs.

#![allow(unsafe_code)]

use crate::abi::release::Release;
use std::fmt;

/// An error number as the hypervisor and libxencall give it: a number, not an enumeration, so that
/// one unknown here is passed on all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    /// No such domain.
    pub const ESRCH: Errno = Errno(libc::ESRCH);
    /// What was asked for does not suit the domain's state.
    pub const EINVAL: Errno = Errno(libc::EINVAL);
    /// More than a hypercall can say.
    pub const E2BIG: Errno = Errno(libc::E2BIG);
    /// Less memory was had than asked for.
    pub const ENOMEM: Errno = Errno(libc::ENOMEM);
    /// An answer does not fit.
    pub const ENOBUFS: Errno = Errno(libc::ENOBUFS);
    /// The hypervisor has no such operation.
    pub const ENOSYS: Errno = Errno(libc::ENOSYS);
    /// The hypervisor's answer breaks its own rules.
    pub const EIO: Errno = Errno(libc::EIO);
    /// The handle is no longer open.
    pub const EBADF: Errno = Errno(libc::EBADF);
    /// The interface version does not match, or XSM denies.
    pub const EACCES: Errno = Errno(libc::EACCES);

    /// That of the thread's last failed call.
    pub fn last() -> Errno {
        Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
    }
}

/// `3: No such process`, the form in which upstream's module reports an error number.
impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text: [libc::c_char; 128] = [0; 128];
        // SAFETY: the buffer is as long as is said, and strerror_r ends what it writes with a zero
        // byte (it is thread-safe, which strerror is not).
        let message = unsafe {
            libc::strerror_r(self.0, text.as_mut_ptr(), text.len());
            std::ffi::CStr::from_ptr(text.as_ptr())
        };
        write!(f, "{}: {}", self.0, message.to_string_lossy())
    }
}

/// Why an operation failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// The hypercall, or libxencall on its behalf.
    Errno(Errno),
    /// libxencall cannot be loaded; with the loader's reason.
    Library(String),
    /// libxencall cannot reach the hypervisor.
    Open(Errno),
    /// The hypervisor is of a release that is not supported.
    Release {
        /// Major version found.
        major: u32,
        /// Minor version found.
        minor: u32,
    },
    /// The hypervisor is of a supported release and refuses that release's interface version.
    Interface {
        /// The release found.
        release: Release,
        /// `sysctl` or `domctl`.
        hypercall: &'static str,
        /// The version refused.
        version: u32,
    },
    /// The handle was closed.
    Closed,
    /// More records were reported than there was room for.
    Overrun {
        /// What the records are of.
        what: &'static str,
        /// Records reported.
        reported: u32,
        /// Records asked for.
        asked: u32,
    },
    /// The domids of a list do not ascend.
    Disorder,
    /// The snapshot was freed.
    Freed,
    /// Memory of another domain cannot be mapped; with the reason.
    Mapping(String),
    /// More pCPUs are given than the host can have.
    TooManyCpus {
        /// How many.
        given: usize,
        /// How many there can be.
        most: u32,
    },
    /// A field that is set and that the running release cannot express.
    Inexpressible {
        /// The field.
        field: &'static str,
        /// The release that runs.
        release: Release,
    },
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Error {
        Error::Errno(errno)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const OPENING: &str = "Unable to open XC interface";
        match self {
            Error::Errno(errno) => errno.fmt(f),
            Error::Library(reason) => write!(f, "{OPENING}: {reason}"),
            Error::Open(errno) => write!(f, "{OPENING}: {errno}"),
            Error::Release { major, minor } => write!(
                f,
                "{OPENING}: found Xen {major}.{minor}, supported are Xen {} to {}",
                Release::ALL[0],
                Release::ALL[Release::ALL.len() - 1]
            ),
            Error::Interface { release, hypercall, version } => write!(
                f,
                "{OPENING}: found Xen {release}, which refuses its {hypercall} interface version \
                 {version:#x}; supported are the interfaces of Xen {} to {}",
                Release::ALL[0],
                Release::ALL[Release::ALL.len() - 1]
            ),
            Error::Closed => write!(f, "{}: the handle is closed", Errno::EBADF),
            Error::Overrun { what, reported, asked } => write!(
                f,
                "{}: the hypervisor reports {reported} {what} where {asked} were asked for",
                Errno::EIO
            ),
            Error::Disorder => {
                write!(f, "{}: the hypervisor's list of domains is not in order", Errno::EIO)
            }
            Error::Freed => write!(f, "Xenctrl_domains.Snapshot: it was freed"),
            Error::Mapping(reason) => write!(f, "xc_map_foreign_range error: {reason}"),
            Error::TooManyCpus { given, most } => {
                write!(f, "cpumap: {given} pCPUs, where there are {most}")
            }
            Error::Inexpressible { field, release } => {
                write!(f, "{field}: Xen {release} has no such field, it must be zero")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_number_is_reported_as_upstream_does() {
        assert_eq!(Errno::ESRCH.to_string(), "3: No such process");
        assert_eq!(
            Error::Open(Errno(2)).to_string().split_once(": ").unwrap().1,
            "2: No such file or directory"
        );
        assert_eq!(Errno(12345).to_string(), "12345: Unknown error 12345");
    }

    #[test]
    fn an_unsupported_hypervisor_is_told_with_what_is_supported() {
        assert_eq!(
            Error::Release { major: 4, minor: 16 }.to_string(),
            "Unable to open XC interface: found Xen 4.16, supported are Xen 4.17 to 4.22"
        );
    }
}
