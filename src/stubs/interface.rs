//! Opening and closing a handle.

use super::Handle;
use crate::hypervisor::{Error, Xen};
use runtime::{Argument, Custom, CustomOperations, Exception, Slot, Val, export, unlocked};

impl Custom for Xen {
    const OPERATIONS: &'static CustomOperations = &Slot::<Xen>::operations(c"xenctrl");

    fn closed() -> Exception {
        Error::Closed.into()
    }
}

/// A handle that is taken from its block for good.
struct Closing(Handle);

impl Argument for Closing {
    fn read(value: Val<'_>) -> Result<Closing, Exception> {
        Slot::close(value).map(Closing)
    }
}

/// Whether a handle is open, and was opened or used in this process.
struct Own(bool);

impl Argument for Own {
    fn read(value: Val<'_>) -> Result<Own, Exception> {
        Ok(Own(Slot::<Xen>::get(value).is_ok_and(|xen| xen.is_own())))
    }
}

export! {
    /// `interface_open : unit -> handle`
    ///
    /// Opens a handle. It lives until it is closed or collected, and may be shared by threads; a
    /// forked child opens it anew with its first call.
    ///
    /// Raises `Error` if libxencall is not installed, the hypervisor cannot be reached, or its
    /// release or interface versions are not supported.
    ///
    /// Hypercalls: `XENVER_version`, and an empty sysctl and domctl to confirm the interface
    /// versions.
    fn stub_xc_interface_open(_unit: ()) -> Handle {
        Ok(Handle::new(unlocked(Xen::open)?))
    }

    /// `interface_close : handle -> unit`
    ///
    /// Closes a handle; calls under way in other threads end first. Raises `Error` if it is
    /// closed already. Only the interface of 4.17 declares this.
    ///
    /// Hypercalls: none.
    fn stub_xc_interface_close(handle: Closing) -> () {
        unlocked(|| drop(handle.0));
        Ok(())
    }

    /// `is_own : handle -> bool`, for this project's own module
    ///
    /// Whether the handle is open, and was opened or used in this process.
    ///
    /// Hypercalls: none.
    fn stub_xenctrl_interface_is_own(handle: Own) -> bool {
        Ok(handle.0)
    }
}
