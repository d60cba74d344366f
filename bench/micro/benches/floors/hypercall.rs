//! The domain list's hypercall with nothing round it, to compare the floor's operation with.

use std::{ffi::c_void, ptr::NonNull};
use xen_libraries::{LibXencall, xencall::xencall_handle};
use xenctrl_stubs::abi::{
    DOMID_FIRST_RESERVED, HYPERVISOR_SYSCTL, PAGE_SIZE,
    domctl::DomainInfo,
    release::Release,
    sysctl::{GETDOMAININFOLIST, GetDomainInfoList, Sysctl, SysctlUnion},
};

/// A handle of libxencall's and a buffer for the longest list: the argument in its first page, the
/// records behind that.
pub struct Bare {
    library: &'static LibXencall,
    handle: NonNull<xencall_handle>,
    buffer: NonNull<c_void>,
    sysctl_version: u32,
}

/// Pages of the buffer.
const PAGES: usize =
    1 + (DOMID_FIRST_RESERVED as usize * size_of::<DomainInfo>()).div_ceil(PAGE_SIZE);

impl Bare {
    pub fn open(release: Release) -> Bare {
        let library = xen_libraries::load_xencall().expect("libxencall can be loaded");
        // SAFETY: the logger lives as long as the process, and the handle is open.
        let (handle, buffer) = unsafe {
            let handle = library.xencall_open(xen_libraries::silent_logger(), 0);
            assert!(!handle.is_null(), "a handle can be opened");
            (handle, library.xencall_alloc_buffer_pages(handle, PAGES))
        };
        Bare {
            library,
            handle: NonNull::new(handle).expect("as asserted"),
            buffer: NonNull::new(buffer).expect("there is memory"),
            sysctl_version: release.sysctl_version(),
        }
    }

    /// How many domains there are, by one hypercall, which lists them all.
    pub fn list(&self) -> u32 {
        let mut u = SysctlUnion::NONE;
        u.getdomaininfolist = GetDomainInfoList {
            max_domains: DOMID_FIRST_RESERVED.into(),
            buffer: self.buffer.as_ptr() as u64 + PAGE_SIZE as u64,
            ..GetDomainInfoList::default()
        };
        let argument = self.buffer.cast::<Sysctl>();
        // SAFETY: the buffer is this value's, page-aligned, and holds the argument and as many
        // records as that says; the union's members are plain integers.
        unsafe {
            argument.write(Sysctl {
                cmd: GETDOMAININFOLIST,
                interface_version: self.sysctl_version,
                u,
            });
            let handle = self.handle.as_ptr();
            let result = self.library.xencall1(handle, HYPERVISOR_SYSCTL, argument.as_ptr() as u64);
            assert_eq!(result, 0, "the hypervisor lists its domains");
            (*argument.as_ptr()).u.getdomaininfolist.num_domains
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // SAFETY: both are this value's, and not used after this.
        unsafe {
            self.library.xencall_free_buffer_pages(
                self.handle.as_ptr(),
                self.buffer.as_ptr(),
                PAGES,
            );
            self.library.xencall_close(self.handle.as_ptr());
        }
    }
}
