//! The C stubs of OCaml's `Xeneventchn`: event channels of the domain that the program runs in,
//! through libxenevtchn (`xenevtchn.h`), which is loaded when the first handle is opened.

#![deny(missing_docs)]

use runtime::{
    Argument, Custom, CustomOperations, Exception, Slot, Val, constructor, export, failure, ints,
    unlocked,
};
use std::{io, sync::Arc};
use xen_libraries::{
    LibXenevtchn, silent_logger, undisturbed,
    xenevtchn::{self, xenevtchn_handle},
};

/// An open handle.
pub struct Evtchn {
    library: &'static LibXenevtchn,
    handle: *mut xenevtchn_handle,
}

// SAFETY: libxenevtchn's functions are system calls on a descriptor; the handle is written only
// while it is opened and closed.
unsafe impl Send for Evtchn {}
// SAFETY: as above.
unsafe impl Sync for Evtchn {}

impl Drop for Evtchn {
    fn drop(&mut self) {
        // SAFETY: it is open, and not used after this. Allowed in a forked child too.
        undisturbed(|| unsafe { self.library.xenevtchn_close(self.handle) });
    }
}

impl Custom for Evtchn {
    const OPERATIONS: &'static CustomOperations = &Slot::<Evtchn>::operations(c"xenevtchn");

    fn closed() -> Exception {
        Exception::Failure("evtchn: the handle is closed".to_owned())
    }
}

/// The type `Xeneventchn.handle`.
type Handle = Arc<Evtchn>;

/// What libxenevtchn gives: a port or zero, or -1 with errno.
fn checked(what: &str, result: i32) -> Result<i32, Exception> {
    if result == -1 { Err(failure(what)) } else { Ok(result) }
}

fn opened(
    what: &str,
    open: impl FnOnce(&LibXenevtchn) -> *mut xenevtchn_handle,
) -> Result<Handle, Exception> {
    let library = xen_libraries::load_xenevtchn()
        .map_err(|error| Exception::Failure(format!("open failed: {error}")))?;
    let handle = undisturbed(|| open(library));
    if handle.is_null() { Err(failure(what)) } else { Ok(Arc::new(Evtchn { library, handle })) }
}

ints! {
    /// A local event channel, the type `Xeneventchn.t`; or a remote one.
    struct Port(u32) = "port";
    /// A domain's number.
    struct Domid(u16) = "domid";
    /// `Unix.file_descr`.
    struct Descriptor(i32) = "file descriptor";
}

const PENDING_FAILED: &str = "evtchn pending failed";

/// Waits for an event: its port, or -1 with errno.
fn pending(handle: &Handle) -> i32 {
    // SAFETY: the handle is open.
    unsafe { handle.library.xenevtchn_pending(handle.handle) }
}

/// `virq_t`, whose constructors are in the order of `VIRQ_*` (xen.h).
struct Virq(u32);

impl Argument for Virq {
    fn read(value: Val<'_>) -> Result<Virq, Exception> {
        constructor(value, 14, "virq").map(Virq)
    }
}

export! {
    /// `_init : bool -> handle`
    ///
    /// Opens a handle, whose descriptor is closed on exec or not. Raises `Failure "open
    /// failed: reason"`.
    fn stub_eventchn_init(cloexec: bool) -> Handle {
        let flags = if cloexec { 0 } else { xenevtchn::XENEVTCHN_NO_CLOEXEC };
        // SAFETY: the logger lives as long as the process.
        unlocked(|| opened("open failed", |library| unsafe {
            library.xenevtchn_open(silent_logger().cast(), flags)
        }))
    }

    /// `fdopen : Unix.file_descr -> handle`
    ///
    /// A handle on a descriptor that is open already. Raises `Failure "evtchn fdopen failed:
    /// reason"`.
    fn stub_eventchn_fdopen(fd: Descriptor) -> Handle {
        // SAFETY: the logger lives as long as the process.
        unlocked(|| opened("evtchn fdopen failed", |library| unsafe {
            library.xenevtchn_fdopen(silent_logger().cast(), fd.0, 0)
        }))
    }

    /// `fd : handle -> Unix.file_descr`
    ///
    /// The handle's descriptor, readable when an event is pending.
    fn stub_eventchn_fd(handle: Handle) -> i32 {
        // SAFETY: the handle is open.
        checked("evtchn fd failed", unsafe { handle.library.xenevtchn_fd(handle.handle) })
    }

    /// `notify : handle -> int -> unit`
    ///
    /// Notifies the other end of an event channel.
    fn stub_eventchn_notify(handle: Handle, port: Port) -> () {
        let what = "evtchn notify failed";
        // SAFETY: the handle is open.
        unlocked(|| checked(what, unsafe {
            handle.library.xenevtchn_notify(handle.handle, port.0)
        }))
        .map(drop)
    }

    /// `bind_interdomain : handle -> int -> int -> int`
    ///
    /// A local event channel connected to a domain's port.
    fn stub_eventchn_bind_interdomain(handle: Handle, domid: Domid, port: Port) -> i32 {
        let what = "evtchn bind_interdomain failed";
        // SAFETY: the handle is open.
        unlocked(|| checked(what, unsafe {
            handle.library.xenevtchn_bind_interdomain(handle.handle, domid.0.into(), port.0)
        }))
    }

    /// `bind_virq : handle -> virq_t -> int`
    ///
    /// A local event channel that receives a virtual interrupt.
    fn stub_eventchn_bind_virq(handle: Handle, virq: Virq) -> i32 {
        let what = "evtchn bind_virq failed";
        // SAFETY: the handle is open.
        unlocked(|| checked(what, unsafe {
            handle.library.xenevtchn_bind_virq(handle.handle, virq.0)
        }))
    }

    /// `unbind : handle -> int -> unit`
    ///
    /// Closes a local event channel.
    fn stub_eventchn_unbind(handle: Handle, port: Port) -> () {
        let what = "evtchn unbind failed";
        // SAFETY: the handle is open.
        unlocked(|| checked(what, unsafe {
            handle.library.xenevtchn_unbind(handle.handle, port.0)
        }))
        .map(drop)
    }

    /// `pending : handle -> int`
    ///
    /// Waits for an event and gives the local event channel that has it, which is masked then.
    ///
    /// This is upstream's, whose module calls it where it is linked with this archive: a signal that
    /// interrupts the wait is a failure.
    fn stub_eventchn_pending(handle: Handle) -> i32 {
        unlocked(|| checked(PENDING_FAILED, pending(&handle)))
    }

    /// `_pending : handle -> int`
    ///
    /// Likewise; -1 where a signal interrupted the wait, for the caller to handle it and wait
    /// again.
    fn stub_eventchn_wait(handle: Handle) -> i32 {
        unlocked(|| match pending(&handle) {
            -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => Ok(-1),
            result => checked(PENDING_FAILED, result),
        })
    }

    /// `unmask : handle -> int -> unit`
    ///
    /// Lets a local event channel receive events again.
    fn stub_eventchn_unmask(handle: Handle, port: Port) -> () {
        let what = "evtchn unmask failed";
        // SAFETY: the handle is open.
        unlocked(|| checked(what, unsafe {
            handle.library.xenevtchn_unmask(handle.handle, port.0)
        }))
        .map(drop)
    }
}
