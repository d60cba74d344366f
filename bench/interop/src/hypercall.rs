//! The two hypercalls, on memory that is kept.

use std::{io, mem::size_of, ptr, slice};

use crate::xen;

type Record = xen::xen_domctl_getdomaininfo;

/// A handle of libxencall with room for a number of domains.
pub struct Xen {
    handle: *mut xen::xencall_handle,
    sysctl: *mut xen::xen_sysctl,
    domctl: *mut xen::xen_domctl,
    records: *mut Record,
    sysctl_version: u32,
    domctl_version: u32,
    room: usize,
}

// SAFETY: libxencall's handles may be used from any thread, and one at a time has this one.
unsafe impl Send for Xen {}

/// Fails as the C library reports it.
fn found<T>(pointer: *mut T) -> io::Result<*mut T> {
    if pointer.is_null() { Err(io::Error::last_os_error()) } else { Ok(pointer) }
}

impl Xen {
    /// Nothing of it is given back before the process ends.
    pub fn open(sysctl_version: u32, domctl_version: u32, room: usize) -> io::Result<Self> {
        // SAFETY: the prototypes are the header's; null is no logger and no flags are set.
        let handle = found(unsafe { xen::xencall_open(ptr::null_mut(), 0) })?;
        // SAFETY: the handle is open.
        let buffer = |size| found(unsafe { xen::xencall_alloc_buffer(handle, size) });
        Ok(Xen {
            handle,
            sysctl: buffer(size_of::<xen::xen_sysctl>())?.cast(),
            domctl: buffer(size_of::<xen::xen_domctl>())?.cast(),
            records: buffer(room * size_of::<Record>())?.cast(),
            sysctl_version,
            domctl_version,
            room,
        })
    }

    fn hypercall(&self, number: u32, argument: u64) -> io::Result<()> {
        // SAFETY: the argument is a hypercall buffer of the size that the hypervisor expects.
        let result = unsafe { xen::xencall1(self.handle, number, argument) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// All domains, ascending: one hypercall.
    pub fn domains(&mut self) -> io::Result<&[Record]> {
        // SAFETY: the buffers are this handle's, of these types' sizes and zeroed when they were
        // made; all of the types are plain integers and addresses.
        unsafe {
            let call = &mut *self.sysctl;
            call.cmd = xen::XEN_SYSCTL_getdomaininfolist;
            call.interface_version = self.sysctl_version;
            call.u.getdomaininfolist.first_domain = 0;
            call.u.getdomaininfolist.max_domains = self.room as u32;
            call.u.getdomaininfolist.buffer.p = self.records;
            self.hypercall(xen::__HYPERVISOR_sysctl, self.sysctl as u64)?;
            let count = (*self.sysctl).u.getdomaininfolist.num_domains as usize;
            Ok(slice::from_raw_parts(self.records, count.min(self.room)))
        }
    }

    /// That domain: one hypercall.
    pub fn domain(&mut self, domid: u16) -> io::Result<&Record> {
        // SAFETY: as above.
        unsafe {
            let call = &mut *self.domctl;
            call.cmd = xen::XEN_DOMCTL_getdomaininfo;
            call.interface_version = self.domctl_version;
            call.domain = domid;
            self.hypercall(xen::__HYPERVISOR_domctl, self.domctl as u64)?;
            // 4.17 and 4.18 answer with the next domain there is.
            let record = &(*self.domctl).u.getdomaininfo;
            if record.domain == domid {
                Ok(record)
            } else {
                Err(io::Error::other("the answer is of another domain"))
            }
        }
    }
}
