//! The C ABI: handles and hypercall buffers.

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;

use super::simulate;
use crate::abi::HYPERVISOR_XEN_VERSION;
use crate::abi::release::Release;
use crate::buffer::{last_errno, set_errno};
use crate::control::{xensim_configure, xensim_counter, xensim_counters, xensim_error};
use crate::counters;
use crate::devicemodel::{
    xendevicemodel_close, xendevicemodel_inject_msi, xendevicemodel_open, xendevicemodel_restrict,
};
use crate::exports::*;
use crate::foreignmemory::{xenforeignmemory_close, xenforeignmemory_open};

fn opened() -> *mut XencallHandle {
    let xcall = xencall_open(null_mut(), 0);
    assert!(!xcall.is_null());
    xcall
}

fn count(name: &str) -> u64 {
    counters::get(name).unwrap()
}

/// Fills a buffer and checks that it was zero.
fn soil(buffer: *mut c_void, len: usize) {
    assert!(!buffer.is_null());
    // SAFETY: a buffer of that size, this test's own.
    let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), len) };
    assert!(bytes.iter().all(|&b| b == 0));
    bytes.fill(0xAA);
}

#[test]
fn pages_are_cached_by_fours_and_zeroed_each_time() {
    let _sim = simulate(Release::V4_20, "");
    let xcall = opened();
    // SAFETY: an open handle; each buffer is freed once.
    unsafe {
        let pages: Vec<_> = (0..6).map(|_| xencall_alloc_buffer_pages(xcall, 1)).collect();
        assert_eq!((count("mappings"), count("mapped_bytes")), (6, 6 * 4096));
        for &page in &pages {
            soil(page, 4096);
            xencall_free_buffer_pages(xcall, page, 1);
        }
        assert_eq!((count("unmappings"), count("mapped_bytes")), (2, 4 * 4096));
        let again = xencall_alloc_buffer(xcall, 4080);
        assert_eq!(again as usize % 4096, 16);
        soil(again, 4080);
        xencall_free_buffer(xcall, again);
        assert_eq!(count("mappings"), 6);

        for _ in 0..3 {
            let big = xencall_alloc_buffer(xcall, 4081);
            soil(big, 4081);
            xencall_free_buffer(xcall, big);
        }
        assert_eq!((count("mappings"), count("unmappings")), (9, 5));
        assert_eq!(count("mapped_bytes_peak"), 6 * 4096);
        assert_eq!((count("buffer_allocations"), count("buffer_frees")), (10, 10));
        xencall_free_buffer(xcall, null_mut());
        xencall_free_buffer_pages(xcall, null_mut(), 3);
        assert_eq!(xencall_close(xcall), 0);
    }
    assert_eq!((count("mapped_bytes"), count("unmappings")), (0, 9));
}

#[test]
fn allocations_can_fail() {
    let _sim = simulate(Release::V4_20, "fault=buffer:ENOMEM@2");
    let xcall = opened();
    // SAFETY: an open handle; each buffer is freed once.
    unsafe {
        let first = xencall_alloc_buffer(xcall, 1);
        assert!(!first.is_null());
        assert!(xencall_alloc_buffer(xcall, 1).is_null());
        assert_eq!(last_errno(), libc::ENOMEM);
        for size in [usize::MAX, usize::MAX - 16, isize::MAX as usize] {
            set_errno(0);
            assert!(xencall_alloc_buffer(xcall, size).is_null());
            assert_eq!(last_errno(), libc::ENOMEM);
        }
        assert!(xencall_alloc_buffer_pages(xcall, 0).is_null());
        xencall_free_buffer(xcall, first);
        xencall_close(xcall);
    }
}

#[test]
fn answers_are_libxencalls() {
    let _sim = simulate(Release::V4_20, "");
    let xcall = opened();
    set_errno(12345);
    assert_eq!(xencall1(xcall, HYPERVISOR_XEN_VERSION, 0), 4 << 16 | 20);
    assert_eq!(last_errno(), 12345, "success leaves errno alone");
    assert_eq!(xencall2(xcall, HYPERVISOR_XEN_VERSION, 1, 0), -1);
    assert_eq!(last_errno(), libc::EFAULT);
    assert_eq!(xencall0(xcall, 4711), -1);
    assert_eq!(last_errno(), libc::ENOSYS);
    assert_eq!(xencall2L(xcall, HYPERVISOR_XEN_VERSION, 7, 0), 4096);
    assert_eq!(xencall5(xcall, HYPERVISOR_XEN_VERSION, 7, 0, 1, 2, 3), 4096);
    // SAFETY: an open handle, then closed once.
    unsafe {
        assert!(xencall_fd(xcall) >= 0);
        assert_eq!(xencall_buffers_never_fault(xcall), 0);
        assert_eq!(xencall_close(xcall), 0);
        assert_eq!(xencall_close(null_mut()), 0);
    }
}

#[test]
fn strict_accepts_live_buffers_only() {
    let _sim = simulate(Release::V4_20, "strict=yes");
    let xcall = opened();
    let ask = |addr: u64| xencall2(xcall, HYPERVISOR_XEN_VERSION, 4, addr);
    let mut stack = [0_u8; 64];
    assert_eq!(ask(stack.as_mut_ptr() as u64), -1);
    assert_eq!(last_errno(), libc::EFAULT);
    // SAFETY: an open handle; each buffer is freed once.
    unsafe {
        let page = xencall_alloc_buffer_pages(xcall, 1);
        assert_eq!(ask(page as u64), 0);
        assert_eq!(ask(page as u64 + 4096 - 64), 0);
        assert_eq!(ask(page as u64 + 4096 - 63), -1, "the answer would end beyond the buffer");
        xencall_free_buffer_pages(xcall, page, 1);
        assert_eq!(ask(page as u64), -1, "freed, if still mapped");
        let again = xencall_alloc_buffer_pages(xcall, 1);
        assert_eq!((again, ask(again as u64)), (page, 0));
        xencall_free_buffer_pages(xcall, again, 1);
        xencall_close(xcall);
    }
}

#[test]
fn a_child_has_no_buffers_but_a_hypervisor() {
    let _sim = simulate(Release::V4_20, "");
    let xcall = opened();
    // SAFETY: the child calls what a child may, and leaves without running anything of the parent's.
    unsafe {
        let page = xencall_alloc_buffer_pages(xcall, 1);
        let child = libc::fork();
        if child == 0 {
            let inherited = xencall2(xcall, HYPERVISOR_XEN_VERSION, 4, page as u64);
            let fault = inherited == -1 && last_errno() == libc::EFAULT;
            let closed = xencall_close(xcall) == 0;
            let own = xencall_open(null_mut(), 0);
            let buffer = xencall_alloc_buffer(own, 100);
            let works = xencall2(own, HYPERVISOR_XEN_VERSION, 4, buffer as u64) == 0;
            libc::_exit(i32::from(!(fault && closed && works)));
        }
        let mut status = -1;
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        assert_eq!(status, 0);
        assert_eq!(xencall2(xcall, HYPERVISOR_XEN_VERSION, 4, page as u64), 0);
        xencall_free_buffer_pages(xcall, page, 1);
        xencall_close(xcall);
    }
}

#[test]
fn the_other_libraries_open_and_close() {
    let _sim = simulate(Release::V4_20, "fault=open:EACCES@3");
    let handles = count("handles");
    let (fmem, dmod) = (xenforeignmemory_open(null_mut(), 0), xendevicemodel_open(null_mut(), 0));
    assert!(!fmem.is_null() && !dmod.is_null());
    assert!(xencall_open(null_mut(), 0).is_null());
    assert_eq!(last_errno(), libc::EACCES);
    assert_eq!(count("handles"), handles + 2);
    assert_eq!((xendevicemodel_restrict(dmod, 3), xendevicemodel_inject_msi()), (0, -1));
    assert_eq!(last_errno(), libc::EOPNOTSUPP);
    // SAFETY: open handles, closed once.
    unsafe {
        assert_eq!((xenforeignmemory_close(fmem), xendevicemodel_close(dmod)), (0, 0));
        assert_eq!(xenforeignmemory_close(null_mut()), 0);
    }
    assert_eq!(count("handles"), handles);
}

#[test]
fn the_control_functions_answer_c() {
    let sim = simulate(Release::V4_20, "");
    // SAFETY: strings that end; a buffer as long as it is said to be.
    unsafe {
        assert_eq!(xensim_configure(c"domains=0".as_ptr()), -1);
        assert_eq!(last_errno(), libc::EINVAL);
        let error = CStr::from_ptr(xensim_error()).to_str().unwrap();
        assert!(error.contains("\"domains=0\""), "{error}");
        assert_eq!(xensim_configure(c"domains=4".as_ptr()), 0);
        assert_eq!(CStr::from_ptr(xensim_error()), c"");
        assert_eq!(sim.list().len(), 4);
        assert_eq!(xensim_counter(c"sysctl.getdomaininfolist".as_ptr()), 1);
        assert_eq!(xensim_counter(c"what".as_ptr()), -1);
        assert_eq!(xensim_counter(std::ptr::null()), -1);
        let mut text = [0x55; 12];
        let len = xensim_counters(text.as_mut_ptr(), text.len());
        assert_eq!(len, counters::text().len());
        assert_eq!(CStr::from_ptr(text.as_ptr()).to_bytes(), b"hypercalls ");
        assert_eq!(xensim_counters(null_mut(), 0), len);
        assert_eq!(xensim_configure(std::ptr::null()), 0);
        assert_eq!(sim.list().len(), 10);
    }
}

#[test]
fn strict_means_every_pointer() {
    use crate::abi::{domctl, sysctl};
    let sim = simulate(Release::V4_20, "strict=yes,vcpus=2,novcpus=0,shutdown=0,paused=0");
    let cache = crate::buffer::Cache::default();
    let page = crate::buffer::alloc_pages(&cache, 1).unwrap().addr().get() as u64;
    let mut stack = [0_u64; 1024];
    let stack = stack.as_mut_ptr() as u64;
    let call = |number: u32, words: &[u64], args: &dyn Fn(u64) -> [u64; 5]| {
        let mut op = [0_u64; 18];
        op[..words.len()].copy_from_slice(words);
        crate::guest::write(page, &op).unwrap();
        crate::hypervisor::hypercall(number, args(page))
    };
    let domctl = |cmd: u32, words: &[u64]| {
        let head = [u64::from(cmd) | u64::from(sim.release.domctl_version()) << 32, 3];
        call(36, &[&head, words].concat(), &|page| [page, 0, 0, 0, 0])
    };
    let sysctl = |cmd: u32, words: &[u64]| {
        let head = [u64::from(cmd) | u64::from(sim.release.sysctl_version()) << 32];
        call(35, &[&head, words].concat(), &|page| [page, 0, 0, 0, 0])
    };
    // The same calls with their data on the stack, and in the buffer behind the operation.
    for (data, result) in [(stack, Err(libc::EFAULT)), (page + 1024, Ok(0))] {
        let all = u64::MAX;
        crate::guest::write(page + 1024, &[all; 8]).unwrap();
        let hard = 1 << 32;
        assert_eq!(domctl(domctl::SETVCPUAFFINITY, &[hard, data, 64]), result);
        assert_eq!(domctl(domctl::GETVCPUAFFINITY, &[hard, data, 64]), result);
        let context = if data == stack { stack } else { page - 4096 };
        assert_eq!(domctl(domctl::GETVCPUCONTEXT, &[0, context]), Err(libc::EFAULT));
        assert_eq!(domctl(domctl::SETVCPUCONTEXT, &[0, context]), Err(libc::EFAULT));
        assert_eq!(sysctl(sysctl::READCONSOLE, &[0, data, 16]), result);
        assert_eq!(sysctl(sysctl::DEBUG_KEYS, &[data, 1]), result);
        assert_eq!(sysctl(sysctl::GETCPUINFO, &[4, data]), result);
        assert_eq!(sysctl(sysctl::GET_CPU_FEATURESET, &[19 << 32, data]), result);
        assert_eq!(call(12, &[3, 1, data], &|page| [13, page, 0, 0, 0]), result, "memory map");
    }
    for (number, cmd) in [(12, 3), (12, 13), (29, 4), (29, 6), (32, 5), (32, 6), (32, 10), (34, 1)]
    {
        let result = crate::hypervisor::hypercall(number, [cmd, stack, 0, 0, 0]);
        assert_eq!(result, Err(libc::EFAULT), "{number} {cmd}");
    }
    assert_eq!(crate::hypervisor::hypercall(13, [stack, 1, 0, 0, 0]), Err(libc::EFAULT));
    crate::buffer::free_pages(&cache, page as usize, 1);
}
