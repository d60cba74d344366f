//! The C ABI of libxencall.
//!
//! Functions answer as libxencall's do: -1 or NULL, and errno. No panic leaves this crate: it
//! becomes `EIO`.

use std::ffi::{c_int, c_long, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null_mut};
use std::sync::Mutex;

use crate::buffer::{self, Cache, last_errno, set_errno};
use crate::counters;
use crate::errno::Ret;
use crate::hypervisor;
use crate::ops::Kind;

/// Runs the body of an exported function: errors and panics become `fail` and errno; success leaves
/// errno as it was.
pub(crate) fn export<T>(fail: T, body: impl FnOnce() -> Ret<T>) -> T {
    let errno = last_errno();
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or(Err(libc::EIO));
    let (value, errno) = match result {
        Ok(value) => (value, errno),
        Err(error) => (fail, error),
    };
    set_errno(errno);
    value
}

/// Taken while a handle of any library is opened or closed, as libxentoolcore's lock of all open
/// handles is; and like that, a fork does not wait for it.
static HANDLES: Mutex<()> = Mutex::new(());

/// The same of buffers, as libxencall's lock of its cache.
static BUFFERS: Mutex<()> = Mutex::new(());

/// What opening a handle of any library does first.
pub(crate) fn open() -> Ret<()> {
    if let Err(message) = hypervisor::ensure() {
        eprintln!("xensim: XENSIM: {message}\n{}", crate::config::usage());
        return Err(libc::EINVAL);
    }
    counters::count(Kind::OPEN);
    let _held = HANDLES.lock();
    hypervisor::enter(&[Kind::OPEN])?;
    Ok(())
}

/// What closing a handle of any library does last: a handle is closed even where that fails.
pub(crate) fn close() -> Ret<()> {
    counters::count(Kind::CLOSE);
    let _held = HANDLES.lock();
    // A handle can be closed where there is no hypervisor any more.
    let result = match hypervisor::enter(&[Kind::CLOSE]) {
        Err(errno) if errno != libc::ENODEV => Err(errno),
        _ => Ok(()),
    };
    counters::HANDLES.sub(1);
    result
}

/// A handle of libxencall.
pub struct XencallHandle {
    /// A descriptor of its own, as each handle of libxencall has; nothing reads it.
    fd: c_int,
    cache: Cache,
}

/// The handle behind a pointer of the caller's.
///
/// # Safety
/// As libxencall asks: `xcall` came from [`xencall_open`] and is not closed.
unsafe fn handle<'a>(xcall: *mut XencallHandle) -> Ret<&'a XencallHandle> {
    // SAFETY: the caller's promise.
    unsafe { xcall.as_ref() }.ok_or(libc::EBADF)
}

/// Opens a handle. The logger and the flags have nothing to do here.
#[unsafe(no_mangle)]
pub extern "C" fn xencall_open(_logger: *mut c_void, _flags: c_uint) -> *mut XencallHandle {
    export(null_mut(), || {
        open()?;
        // SAFETY: a string that ends.
        let fd = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
        if fd < 0 {
            return Err(last_errno());
        }
        counters::HANDLES.add(1);
        Ok(Box::into_raw(Box::new(XencallHandle { fd, cache: Cache::default() })))
    })
}

/// Closes a handle; NULL is none.
///
/// # Safety
/// As libxencall asks: the handle is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xencall_close(xcall: *mut XencallHandle) -> c_int {
    export(-1, || {
        if xcall.is_null() {
            return Ok(0);
        }
        // SAFETY: it came from `xencall_open`'s Box, and the caller gives it up.
        let mut xcall = unsafe { Box::from_raw(xcall) };
        xcall.cache.release();
        // SAFETY: the handle's own descriptor, closed once.
        if unsafe { libc::close(xcall.fd) } < 0 {
            return Err(last_errno());
        }
        close().map(|()| 0)
    })
}

/// The handle's descriptor.
///
/// # Safety
/// As libxencall asks: the handle is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xencall_fd(xcall: *mut XencallHandle) -> c_int {
    // SAFETY: the caller's promise.
    export(-1, || Ok(unsafe { handle(xcall) }?.fd))
}

/// Makes a hypercall on a handle.
fn call(xcall: *mut XencallHandle, op: c_uint, args: &[u64]) -> c_long {
    export(-1, || {
        if xcall.is_null() {
            return Err(libc::EBADF);
        }
        let mut all = [0; 5];
        all[..args.len()].copy_from_slice(args);
        hypervisor::hypercall(op, all)
    })
}

/// Makes a hypercall without arguments.
#[unsafe(no_mangle)]
pub extern "C" fn xencall0(xcall: *mut XencallHandle, op: c_uint) -> c_int {
    call(xcall, op, &[]) as c_int
}

/// Makes a hypercall with an argument.
#[unsafe(no_mangle)]
pub extern "C" fn xencall1(xcall: *mut XencallHandle, op: c_uint, arg1: u64) -> c_int {
    call(xcall, op, &[arg1]) as c_int
}

/// Makes a hypercall with two arguments.
#[unsafe(no_mangle)]
pub extern "C" fn xencall2(xcall: *mut XencallHandle, op: c_uint, arg1: u64, arg2: u64) -> c_int {
    call(xcall, op, &[arg1, arg2]) as c_int
}

/// Makes a hypercall with two arguments and a long answer.
#[unsafe(no_mangle)]
pub extern "C" fn xencall2L(xcall: *mut XencallHandle, op: c_uint, arg1: u64, arg2: u64) -> c_long {
    call(xcall, op, &[arg1, arg2])
}

/// Makes a hypercall with three arguments.
#[unsafe(no_mangle)]
pub extern "C" fn xencall3(
    xcall: *mut XencallHandle,
    op: c_uint,
    arg1: u64,
    arg2: u64,
    arg3: u64,
) -> c_int {
    call(xcall, op, &[arg1, arg2, arg3]) as c_int
}

/// Makes a hypercall with four arguments.
#[unsafe(no_mangle)]
pub extern "C" fn xencall4(
    xcall: *mut XencallHandle,
    op: c_uint,
    arg1: u64,
    arg2: u64,
    arg3: u64,
    arg4: u64,
) -> c_int {
    call(xcall, op, &[arg1, arg2, arg3, arg4]) as c_int
}

/// Makes a hypercall with five arguments.
#[unsafe(no_mangle)]
pub extern "C" fn xencall5(
    xcall: *mut XencallHandle,
    op: c_uint,
    arg1: u64,
    arg2: u64,
    arg3: u64,
    arg4: u64,
    arg5: u64,
) -> c_int {
    call(xcall, op, &[arg1, arg2, arg3, arg4, arg5]) as c_int
}

/// Allocates whole pages that hypercalls can use.
///
/// # Safety
/// As libxencall asks: the handle is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xencall_alloc_buffer_pages(
    xcall: *mut XencallHandle,
    nr_pages: usize,
) -> *mut c_void {
    export(null_mut(), || {
        // SAFETY: the caller's promise.
        let xcall = unsafe { handle(xcall) }?;
        counters::count(Kind::BUFFER);
        let _held = BUFFERS.lock();
        hypervisor::enter(&[Kind::BUFFER])?;
        Ok(buffer::alloc_pages(&xcall.cache, nr_pages)?.as_ptr().cast())
    })
}

/// Frees such pages; NULL is none.
///
/// # Safety
/// As libxencall asks: the pages came from that handle, in this number, and are not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xencall_free_buffer_pages(
    xcall: *mut XencallHandle,
    p: *mut c_void,
    nr_pages: usize,
) {
    export((), || {
        if p.is_null() {
            return Ok(());
        }
        let _held = BUFFERS.lock();
        // SAFETY: the caller's promise.
        buffer::free_pages(&unsafe { handle(xcall) }?.cache, p as usize, nr_pages);
        Ok(())
    });
}

/// Allocates memory that hypercalls can use.
///
/// # Safety
/// As libxencall asks: the handle is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xencall_alloc_buffer(
    xcall: *mut XencallHandle,
    size: usize,
) -> *mut c_void {
    export(null_mut(), || {
        // SAFETY: the caller's promise.
        let xcall = unsafe { handle(xcall) }?;
        counters::count(Kind::BUFFER);
        let _held = BUFFERS.lock();
        hypervisor::enter(&[Kind::BUFFER])?;
        Ok(buffer::alloc(&xcall.cache, size)?.as_ptr().cast())
    })
}

/// Frees such memory; NULL is none.
///
/// # Safety
/// As libxencall asks: the memory came from that handle and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xencall_free_buffer(xcall: *mut XencallHandle, p: *mut c_void) {
    export((), || {
        let Some(buffer) = NonNull::new(p.cast()) else { return Ok(()) };
        // SAFETY: the caller's promise, twice.
        unsafe { buffer::free(&handle(xcall)?.cache, buffer) };
        Ok(())
    });
}

/// Whether hypercall buffers come from a device that keeps them mapped: they do not.
#[unsafe(no_mangle)]
pub extern "C" fn xencall_buffers_never_fault(_xcall: *mut XencallHandle) -> c_int {
    0
}
