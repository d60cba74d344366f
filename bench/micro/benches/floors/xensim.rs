//! The simulated hypervisor, which LD_LIBRARY_PATH puts in libxencall's place.

use libloading::Library;
use std::{
    ffi::{CString, c_char, c_int},
    sync::LazyLock,
};
use xenctrl_stubs::hypervisor::Xen;

/// A handle on a new hypervisor with so many domains, dom0 among them.
pub fn with(domains: u16) -> Xen {
    static XENSIM: LazyLock<Library> = LazyLock::new(|| {
        // SAFETY: loading it runs no initialiser that matters.
        unsafe { Library::new("libxencall.so.1") }
            .expect("`make micro` has xensim found as libxencall.so.1")
    });
    let spec = CString::new(format!("domains={domains}")).expect("it has no zero byte");
    // SAFETY: the prototype is xensim.h's, and the text lives as long as the call.
    let result = unsafe {
        let configure =
            XENSIM.get::<unsafe extern "C" fn(*const c_char) -> c_int>(b"xensim_configure");
        configure.expect("libxencall.so.1 is xensim, as `make micro` has it")(spec.as_ptr())
    };
    assert_eq!(result, 0, "xensim takes {spec:?}");
    Xen::open().expect("xensim can be opened")
}
