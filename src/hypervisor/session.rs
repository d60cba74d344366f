//! What a handle has in one process: libxencall's own handle, and all that was made by it.
//!
//! None of it outlives a fork. The child does not have the buffers, and libxencall forbids it the
//! use of its parent's handle (xencall.h). Yet programs open a handle and then fork: oxenstored opens
//! its own before it goes into the background. So a process that was forked off has a session of
//! its own, from its first call on.

#![allow(unsafe_code)]

use super::{
    Errno, Error, Result,
    buffer::{Memory, Pool},
    foreign_memory::ForeignMemory,
};
use std::sync::{
    OnceLock,
    atomic::{AtomicPtr, Ordering},
};
use xen_libraries::{LibXencall, silent_logger, undisturbed, xencall::xencall_handle};

/// Of one process.
pub struct Session {
    pub(super) library: &'static LibXencall,
    pub(super) handle: *mut xencall_handle,
    /// The process, see [`xen_libraries::generation`].
    generation: u64,
    pub(super) pool: Pool,
    /// Opened when it is first wanted.
    pub(super) foreign_memory: OnceLock<ForeignMemory>,
}

// SAFETY: libxencall's functions may be called from several threads at once on one handle
// (xencall.h: only XENCALL_OPENFLAG_NON_REENTRANT, not used here, forbids it).
unsafe impl Send for Session {}
// SAFETY: as above; the rest of the state is a lock's.
unsafe impl Sync for Session {}

impl Session {
    fn open(library: &'static LibXencall) -> Result<Session> {
        let generation = xen_libraries::generation();
        // SAFETY: the logger lives as long as the process.
        let handle = undisturbed(|| unsafe { library.xencall_open(silent_logger(), 0) });
        if handle.is_null() {
            return Err(Error::Open(Errno::last()));
        }
        Ok(Session {
            library,
            handle,
            generation,
            pool: Pool::default(),
            foreign_memory: OnceLock::new(),
        })
    }

    /// Where its buffers come from.
    pub(super) fn memory(&self) -> Memory {
        // SAFETY: the handle is open as long as self lives, and so are its buffers.
        unsafe { Memory::new(self.library, self.handle) }
    }

    /// Whether it is this process's.
    fn is_own(&self) -> bool {
        xen_libraries::generation() == self.generation
    }
}

/// Only in its own process.
impl Drop for Session {
    fn drop(&mut self) {
        let memory = self.memory();
        self.pool.clear(memory);
        if let Some(foreign_memory) = self.foreign_memory.take() {
            foreign_memory.close();
        }
        // SAFETY: it is open, and not used after this.
        undisturbed(|| unsafe { self.library.xencall_close(self.handle) });
    }
}

/// The session of whichever process asks.
///
/// A session that was inherited over a fork is given up as it is: the child has neither the buffers
/// nor a right to the handle, and another thread may have been in the middle of anything when it
/// was forked off, with libxencall's lock held. Its descriptors close on exec.
pub struct Sessions {
    current: AtomicPtr<Session>,
}

impl Sessions {
    /// Begins with a session of this process.
    pub fn open() -> Result<Sessions> {
        let library =
            xen_libraries::load_xencall().map_err(|error| Error::Library(error.to_string()))?;
        let session = Box::new(Session::open(library)?);
        Ok(Sessions { current: AtomicPtr::new(Box::into_raw(session)) })
    }

    /// This process's session.
    #[inline]
    pub fn own(&self) -> Result<&Session> {
        let session = self.current();
        if session.is_own() { Ok(session) } else { self.renew(session) }
    }

    /// Whether this process has one already.
    pub fn has_own(&self) -> bool {
        self.current().is_own()
    }

    fn current(&self) -> &Session {
        // SAFETY: made by Box, and freed with self at the earliest.
        unsafe { &*self.current.load(Ordering::Acquire) }
    }

    /// Replaces the parent process's session.
    #[cold]
    fn renew(&self, inherited: &Session) -> Result<&Session> {
        let new = Box::into_raw(Box::new(Session::open(inherited.library)?));
        let inherited = std::ptr::from_ref(inherited).cast_mut();
        match self.current.compare_exchange(inherited, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {}
            // SAFETY: another thread was first, so nobody else has seen this one.
            Err(_) => drop(unsafe { Box::from_raw(new) }),
        }
        Ok(self.current())
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        if self.has_own() {
            // SAFETY: made by Box, and not used after this.
            drop(unsafe { Box::from_raw(*self.current.get_mut()) });
        }
    }
}
