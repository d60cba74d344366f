//! Mapping the memory of other domains, through libxenforeignmemory.

#![allow(unsafe_code)]

use super::{Errno, Error, Result, Xen, buffer::collected};
use crate::abi::PAGE_SIZE;
use xen_libraries::{
    LibXenforeignmemory, silent_logger, undisturbed, xenforeignmemory::xenforeignmemory_handle,
};

/// An open handle of libxenforeignmemory.
pub struct ForeignMemory {
    library: &'static LibXenforeignmemory,
    handle: *mut xenforeignmemory_handle,
}

// SAFETY: a mapping is an mmap and an ioctl on the handle's descriptor, which nothing changes
// between opening and closing.
unsafe impl Send for ForeignMemory {}
// SAFETY: as above.
unsafe impl Sync for ForeignMemory {}

impl ForeignMemory {
    fn open() -> Result<ForeignMemory> {
        let library = xen_libraries::load_xenforeignmemory()
            .map_err(|error| Error::Mapping(error.to_string()))?;
        // SAFETY: the logger lives as long as the process.
        let handle =
            undisturbed(|| unsafe { library.xenforeignmemory_open(silent_logger().cast(), 0) });
        if handle.is_null() { Err(last_failure()) } else { Ok(ForeignMemory { library, handle }) }
    }

    /// Closes it. Mappings stay.
    pub fn close(self) {
        // SAFETY: it is open, and gone after this.
        undisturbed(|| unsafe { self.library.xenforeignmemory_close(self.handle) });
    }
}

fn last_failure() -> Error {
    Error::Mapping(Errno::last().to_string())
}

impl Xen {
    /// Maps the pages that hold `length` bytes of a domain's memory from a frame on, to be read
    /// and written; gives their address. The mapping lasts until it is unmapped, also when the
    /// handle is closed.
    ///
    /// No hypercall of its own: the kernel's privcmd driver makes them.
    pub fn map_foreign_range(&self, domid: u16, length: usize, first: u64) -> Result<usize> {
        let frames = (0..length.div_ceil(PAGE_SIZE)).map(|i| first.saturating_add(i as u64));
        let frames = collected(frames).map_err(|errno| Error::Mapping(errno.to_string()))?;
        let ForeignMemory { library, handle } = *self.foreign_memory()?;
        // SAFETY: the handle is open, there are as many frames as is said, and a null array asks
        // that any page's failure be the whole's. The kernel chooses an address where nothing is.
        let address = unsafe {
            library.xenforeignmemory_map(
                handle,
                domid.into(),
                libc::PROT_READ | libc::PROT_WRITE,
                frames.len(),
                frames.as_ptr(),
                std::ptr::null_mut(),
            )
        };
        if address.is_null() { Err(last_failure()) } else { Ok(address as usize) }
    }

    fn foreign_memory(&self) -> Result<&ForeignMemory> {
        let slot = &self.session()?.foreign_memory;
        if let Some(open) = slot.get() {
            return Ok(open);
        }
        let opened = ForeignMemory::open()?;
        match slot.set(opened) {
            Ok(()) => {}
            // Another thread was first.
            Err(superfluous) => superfluous.close(),
        }
        Ok(slot.get().expect("it was set, here or by another thread"))
    }
}
