//! The handle, and how a hypercall is made.

#![allow(unsafe_code)]

use super::{
    Errno, Error, Result,
    buffer::{Buffer, Plain, Purpose, collected},
    session::{Session, Sessions},
};
use crate::abi::{self, domctl, release::Release, sysctl, version};
use std::{
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

/// An open handle on the hypervisor.
pub struct Xen {
    sessions: Sessions,
    release: Release,
    /// How many pCPUs there can be; 0: not asked yet.
    pub(super) most_cpus: AtomicU32,
    /// Whether the hypervisor is known to lack `xen_version`'s texts of any length.
    lacks_texts: AtomicBool,
}

impl Xen {
    /// Opens a handle and finds out which release runs.
    ///
    /// Makes `XENVER_version`, then one sysctl and one domctl that do nothing but confirm the
    /// interface versions.
    pub fn open() -> Result<Xen> {
        // From here on the value closes the handle, whatever fails. The release is a placeholder
        // that only `identify` sees.
        let mut xen = Xen {
            sessions: Sessions::open()?,
            release: Release::ALL[0],
            most_cpus: AtomicU32::new(0),
            lacks_texts: AtomicBool::new(false),
        };
        let identified = xen.identify().and_then(|release| {
            xen.release = release;
            xen.confirm()
        });
        match identified {
            Ok(()) => Ok(xen),
            Err(Error::Errno(errno)) => Err(Error::Open(errno)),
            Err(error) => Err(error),
        }
    }

    /// The release that runs.
    pub fn release(&self) -> Release {
        self.release
    }

    fn identify(&self) -> Result<Release> {
        let packed = self.call2(abi::HYPERVISOR_XEN_VERSION, version::VERSION, 0)?;
        let (major, minor) = (packed >> 16, packed & 0xFFFF);
        Release::from_version(major, minor).ok_or(Error::Release { major, minor })
    }

    /// Both hypercalls compare the interface version before anything else, and only then find
    /// that the command does not exist (XSM has no say in either).
    fn confirm(&self) -> Result<()> {
        let mismatch = |hypercall, version| {
            Err(Error::Interface { release: self.release, hypercall, version })
        };
        let mut lease = self.lease(Purpose::Argument)?;
        if is_refusal(self.sysctl(&mut lease, sysctl::NO_COMMAND, sysctl::SysctlUnion::NONE)) {
            return mismatch("sysctl", self.release.sysctl_version());
        }
        drop(lease);
        if is_refusal(self.domctl(
            domctl::NO_COMMAND,
            abi::DOMID_FIRST_RESERVED,
            domctl::DomctlUnion::NONE,
        )) {
            return mismatch("domctl", self.release.domctl_version());
        }
        Ok(())
    }

    /// `xencall2`, checked.
    fn call2(&self, hypercall: u32, first: u64, second: u64) -> Result<u32> {
        let Session { library, handle, .. } = self.session()?;
        // SAFETY: the handle is open; addresses among the arguments are of buffers that the
        // caller holds.
        let result = unsafe { library.xencall2(*handle, hypercall, first, second) };
        u32::try_from(result).map_err(|_| Errno::last().into())
    }

    /// `xencall1`, checked.
    fn call1(&self, hypercall: u32, argument: u64) -> Result<u32> {
        let Session { library, handle, .. } = self.session()?;
        // SAFETY: as in call2.
        let result = unsafe { library.xencall1(*handle, hypercall, argument) };
        u32::try_from(result).map_err(|_| Errno::last().into())
    }

    /// Whether the handle has been used in this process, which may have been forked off the one that
    /// opened it.
    pub fn is_own(&self) -> bool {
        self.sessions.has_own()
    }

    /// What the handle has in this process. A call that has taken it has the same one until its
    /// end, as no process is forked off in the middle of its own call.
    pub(super) fn session(&self) -> Result<&Session> {
        self.sessions.own()
    }

    /// A buffer for one call.
    pub(super) fn lease(&self, purpose: Purpose) -> Result<Lease<'_>> {
        let session = self.session()?;
        let buffer = session.pool.take(session.memory(), purpose)?;
        Ok(Lease { session, buffer: Some(buffer) })
    }

    /// Makes a domctl on `domain`. Returns what the hypervisor left.
    pub(super) fn domctl(
        &self,
        cmd: u32,
        domain: u16,
        u: domctl::DomctlUnion,
    ) -> Result<domctl::Domctl> {
        self.domctl_in(&mut self.lease(Purpose::Argument)?, cmd, domain, u)
    }

    /// Makes a domctl in a buffer, whose data its argument may point at. Returns what the
    /// hypervisor left.
    pub(super) fn domctl_in(
        &self,
        lease: &mut Lease<'_>,
        cmd: u32,
        domain: u16,
        u: domctl::DomctlUnion,
    ) -> Result<domctl::Domctl> {
        let interface_version = self.release.domctl_version();
        let argument = lease.put(domctl::Domctl { cmd, interface_version, domain, pad: [0; 3], u });
        self.call1(abi::HYPERVISOR_DOMCTL, argument)?;
        Ok(lease.get())
    }

    /// Makes a sysctl in a buffer, whose data its argument may point at. Returns what the
    /// hypervisor left.
    #[inline(always)] // Of its structure only what a caller looks at is then copied.
    pub(super) fn sysctl(
        &self,
        lease: &mut Lease<'_>,
        cmd: u32,
        u: sysctl::SysctlUnion,
    ) -> Result<sysctl::Sysctl> {
        let interface_version = self.release.sysctl_version();
        let argument = lease.put(sysctl::Sysctl { cmd, interface_version, u });
        self.call1(abi::HYPERVISOR_SYSCTL, argument)?;
        Ok(lease.get())
    }

    /// Makes an operation of `sched_op`, `event_channel_op` or `hvm_op`. Returns its result and
    /// what the hypervisor left of its argument.
    pub(super) fn operation<T: Plain>(
        &self,
        hypercall: u32,
        op: u64,
        argument: T,
    ) -> Result<(u32, T)> {
        let mut lease = self.lease(Purpose::Argument)?;
        let address = lease.put(argument);
        let result = self.call2(hypercall, op, address)?;
        Ok((result, lease.get()))
    }

    /// Makes an operation of `memory_op` in a buffer, whose data its argument may point at.
    /// Returns its result, which other hypercalls would cut to 31 bits.
    pub(super) fn memory_op<T: Plain>(
        &self,
        lease: &mut Lease<'_>,
        op: u64,
        argument: T,
    ) -> Result<u64> {
        let Session { library, handle, .. } = self.session()?;
        let address = lease.put(argument);
        // SAFETY: as in call2.
        let result = unsafe { library.xencall2L(*handle, abi::HYPERVISOR_MEMORY_OP, op, address) };
        u64::try_from(result).map_err(|_| Errno::last().into())
    }

    /// Makes `xen_version` without an argument.
    pub(super) fn xen_version(&self, op: u64) -> Result<u32> {
        self.call2(abi::HYPERVISOR_XEN_VERSION, op, 0)
    }

    /// Makes `xen_version` with a structure to be filled, which begins as zeroes.
    pub(super) fn xen_version_into<T: Plain>(&self, op: u64) -> Result<T> {
        let mut lease = self.lease(Purpose::Argument)?;
        let address = lease.clear_data(size_of::<T>());
        self.call2(abi::HYPERVISOR_XEN_VERSION, op, address)?;
        Ok(lease.records::<T>(1)[0])
    }

    /// Makes `xen_version` with a `struct xen_varbuf` to be filled; again with a larger one where
    /// the text does not fit. What it filled, or `None` where the hypervisor has no such operation,
    /// which is found out once.
    pub(super) fn xen_version_text(&self, op: u64) -> Result<Option<Vec<u8>>> {
        const HEAD: usize = size_of::<version::VarbufLength>();
        if self.lacks_texts.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut lease = self.lease(Purpose::Argument)?;
        let ask = |lease: &mut Lease<'_>| {
            let room = u32::try_from(lease.capacity() - HEAD).unwrap_or(u32::MAX);
            let address = lease.put_data::<version::VarbufLength>(&[room]);
            match self.call2(abi::HYPERVISOR_XEN_VERSION, op, address)? {
                reported if reported > room => {
                    Err(Error::Overrun { what: "characters", reported, asked: room })
                }
                length => Ok(length as usize),
            }
        };
        let answer = match ask(&mut lease) {
            Err(Error::Errno(Errno::ENOBUFS)) => {
                lease.reserve(HEAD + version::VARBUF_LONGEST)?;
                ask(&mut lease)
            }
            answer => answer,
        };
        match answer {
            Ok(length) => {
                let text = &lease.records::<u8>(HEAD + length)[HEAD..];
                Ok(Some(collected(text.iter().copied())?))
            }
            Err(Error::Errno(Errno::ENOSYS)) => {
                self.lacks_texts.store(true, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

fn is_refusal<T>(outcome: Result<T>) -> bool {
    matches!(outcome, Err(Error::Errno(Errno::EACCES)))
}

/// A buffer on loan from a handle.
pub struct Lease<'x> {
    session: &'x Session,
    /// Always there but while it is dropped.
    buffer: Option<Buffer>,
}

impl Lease<'_> {
    /// Exchanges the buffer for a larger one, of at most `most` bytes of data.
    pub(super) fn grow(&mut self, most: usize) -> Result<()> {
        let session = self.session;
        Ok(session.memory().grow(self, most)?)
    }

    /// Sees to it that so many bytes of data fit. What the buffer held may be lost.
    pub(super) fn reserve(&mut self, length: usize) -> Result<()> {
        while self.capacity() < length {
            self.grow(length)?;
        }
        Ok(())
    }
}

impl Deref for Lease<'_> {
    type Target = Buffer;
    fn deref(&self) -> &Buffer {
        self.buffer.as_ref().expect("a lease has its buffer until it ends")
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Buffer {
        self.buffer.as_mut().expect("a lease has its buffer until it ends")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            self.session.pool.give_back(self.session.memory(), buffer);
        }
    }
}
