//! The handle, and how a hypercall is made.

#![allow(unsafe_code)]

use super::{
    Errno, Error, Result,
    buffer::{Buffer, Memory, Pool, Purpose},
    library::{self, LibXencall, xencall_handle},
};
use crate::abi::{self, domctl, release::Release, sysctl, version};
use std::ops::{Deref, DerefMut};

/// An open handle on the hypervisor.
pub struct Xen {
    library: &'static LibXencall,
    handle: *mut xencall_handle,
    /// The process that opened it, see [`library::generation`].
    generation: u64,
    release: Release,
    pool: Pool,
}

// SAFETY: libxencall's functions may be called from several threads at once on one handle
// (xencall.h: only XENCALL_OPENFLAG_NON_REENTRANT, not used here, forbids it).
unsafe impl Send for Xen {}
// SAFETY: as above; the rest of the state is a lock's.
unsafe impl Sync for Xen {}

impl Xen {
    /// Opens a handle and finds out which release runs.
    ///
    /// Makes `XENVER_version`, then one sysctl and one domctl that do nothing but confirm the
    /// interface versions.
    pub fn open() -> Result<Xen> {
        let library = library::load()?;
        let generation = library::generation();
        // SAFETY: the logger lives as long as the process.
        let handle = unsafe { library.xencall_open(library::silent_logger(), 0) };
        if handle.is_null() {
            return Err(Error::Open(Errno::last()));
        }
        // From here on the value closes the handle, whatever fails. The release is a placeholder
        // that only `identify` sees.
        let mut xen =
            Xen { library, handle, generation, release: Release::ALL[0], pool: Pool::default() };
        xen.release = xen.identify()?;
        xen.confirm()?;
        Ok(xen)
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
        self.check_process()?;
        // SAFETY: the handle is open; addresses among the arguments are of buffers that the
        // caller holds.
        let result = unsafe { self.library.xencall2(self.handle, hypercall, first, second) };
        u32::try_from(result).map_err(|_| Errno::last().into())
    }

    /// `xencall1`, checked.
    fn call1(&self, hypercall: u32, argument: u64) -> Result<u32> {
        self.check_process()?;
        // SAFETY: as in call2.
        let result = unsafe { self.library.xencall1(self.handle, hypercall, argument) };
        u32::try_from(result).map_err(|_| Errno::last().into())
    }

    /// Whether this process opened the handle. Hypercall buffers do not exist in a forked child,
    /// and libxencall forbids the use of its handle there.
    pub fn check_process(&self) -> Result<()> {
        if library::generation() == self.generation { Ok(()) } else { Err(Error::Forked) }
    }

    /// A buffer for one call.
    pub(super) fn lease(&self, purpose: Purpose) -> Result<Lease<'_>> {
        self.check_process()?;
        let buffer = self.pool.take(self.memory(), purpose)?;
        Ok(Lease { xen: self, buffer: Some(buffer) })
    }

    fn memory(&self) -> Memory {
        // SAFETY: the handle is open as long as self lives, and so are its buffers.
        unsafe { Memory::new(self.library, self.handle) }
    }

    /// Makes a domctl on `domain`. Returns what the hypervisor left.
    pub(super) fn domctl(
        &self,
        cmd: u32,
        domain: u16,
        u: domctl::DomctlUnion,
    ) -> Result<domctl::Domctl> {
        let mut lease = self.lease(Purpose::Argument)?;
        let interface_version = self.release.domctl_version();
        let argument = lease.put(domctl::Domctl { cmd, interface_version, domain, pad: [0; 3], u });
        self.call1(abi::HYPERVISOR_DOMCTL, argument)?;
        // SAFETY: it was put, and every member of the union is plain integers.
        Ok(unsafe { lease.get() })
    }

    /// Makes a sysctl in a buffer, whose data its argument may point at. Returns what the
    /// hypervisor left.
    pub(super) fn sysctl(
        &self,
        lease: &mut Lease<'_>,
        cmd: u32,
        u: sysctl::SysctlUnion,
    ) -> Result<sysctl::Sysctl> {
        let interface_version = self.release.sysctl_version();
        let argument = lease.put(sysctl::Sysctl { cmd, interface_version, u });
        self.call1(abi::HYPERVISOR_SYSCTL, argument)?;
        // SAFETY: it was put, and every member of the union is plain integers.
        Ok(unsafe { lease.get() })
    }

    /// Makes `sched_op` with an argument.
    pub(super) fn sched_op<T: Copy>(&self, op: u64, argument: T) -> Result<()> {
        let mut lease = self.lease(Purpose::Argument)?;
        let address = lease.put(argument);
        self.call2(abi::HYPERVISOR_SCHED_OP, op, address).map(drop)
    }

    /// Makes `xen_version` without an argument.
    pub(super) fn xen_version(&self, op: u64) -> Result<u32> {
        self.call2(abi::HYPERVISOR_XEN_VERSION, op, 0)
    }

    /// Makes `xen_version` with a structure to be filled, which begins as zeroes.
    ///
    /// # Safety
    /// Any bytes, zeroes too, must make a value of `T`.
    pub(super) unsafe fn xen_version_into<T: Copy>(&self, op: u64) -> Result<T> {
        let mut lease = self.lease(Purpose::Argument)?;
        let address = lease.clear_data(size_of::<T>());
        self.call2(abi::HYPERVISOR_XEN_VERSION, op, address)?;
        // SAFETY: by the contract.
        Ok(unsafe { lease.records::<T>(1) }[0])
    }
}

impl Drop for Xen {
    fn drop(&mut self) {
        // A child has neither the buffers nor a right to the handle, and another thread may have
        // held libxencall's lock when it was forked off. Its descriptors close on exec.
        if self.check_process().is_ok() {
            let memory = self.memory();
            self.pool.clear(memory);
            // SAFETY: it is open, and not used after this.
            unsafe { self.library.xencall_close(self.handle) };
        }
    }
}

fn is_refusal<T>(outcome: Result<T>) -> bool {
    matches!(outcome, Err(Error::Errno(Errno::EACCES)))
}

/// A buffer on loan from a handle.
pub struct Lease<'x> {
    xen: &'x Xen,
    /// Always there but while it is dropped.
    buffer: Option<Buffer>,
}

impl Lease<'_> {
    /// Exchanges the buffer for a larger one, of at most `most` bytes of data.
    pub(super) fn grow(&mut self, most: usize) -> Result<()> {
        let xen = self.xen;
        Ok(xen.pool.grow(xen.memory(), self, most)?)
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
            self.xen.pool.give_back(self.xen.memory(), buffer);
        }
    }
}
