//! The C stubs of OCaml's `Xenmmap`: memory mapped from a file or another domain.
//!
//! A mapping is a block of two words that the collector does not look into, an address and a
//! length: other libraries' C code reads it as `struct mmap_interface` (mmap_stubs.h), and
//! `Xenctrl.map_foreign_range` makes one ([`Mapped`]). The block is OCaml's to move, the memory is
//! not.

#![deny(missing_docs)]

use runtime::{
    Argument, Build, Exception, IntoValue, Lock, RawValue, Val, constructor, copied, export,
    failure, ints,
};
use std::{ffi::c_void, ptr};

/// A block of type `mmap_interface`, valid until the heap next changes.
struct Mapping {
    block: *mut usize,
}

impl Argument for Mapping {
    fn read(value: Val<'_>) -> Result<Mapping, Exception> {
        Ok(Mapping { block: value.raw() as *mut usize })
    }
}

impl Mapping {
    /// The address that upstream's stubs leave in a mapping that was undone.
    const UNMAPPED: usize = usize::MAX; // MAP_FAILED

    /// Stands in the upper half of the second word, which is padding in C, where a mapping was made
    /// to be read alone. Other C code that makes one leaves there what there was: hence no single
    /// bit.
    const READ_ONLY: u32 = 0x524F_6E6C;

    fn address(&self) -> usize {
        // SAFETY: a block of two words, by the type that the value is read as.
        unsafe { self.block.read() }
    }

    /// Only the lower half of the second word is C's `int len`.
    fn length(&self) -> usize {
        // SAFETY: as above.
        let length = unsafe { self.block.add(1).cast::<i32>().read() };
        usize::try_from(length).unwrap_or(0)
    }

    fn is_read_only(&self) -> bool {
        // SAFETY: as above.
        unsafe { self.block.add(1).cast::<u32>().add(1).read() == Mapping::READ_ONLY }
    }

    /// `length` bytes from `start` on.
    fn part(&self, start: i64, length: i64) -> Result<(*mut u8, usize), Exception> {
        let invalid = |what: &str| Err(Exception::Invalid(what.to_owned()));
        if self.address() == Mapping::UNMAPPED {
            return invalid("unmapped");
        }
        let Some(start) = usize::try_from(start).ok().filter(|&start| start <= self.length())
        else {
            return invalid("start invalid");
        };
        match usize::try_from(length).ok().filter(|&length| length <= self.length() - start) {
            Some(length) => Ok(((self.address() + start) as *mut u8, length)),
            None => invalid("len invalid"),
        }
    }

    fn unmap(&self) {
        if self.address() != Mapping::UNMAPPED {
            // SAFETY: mapped with this length, and marked as unmapped before anyone can use it
            // again.
            unsafe {
                libc::munmap(self.address() as *mut c_void, self.length());
                self.block.write(Mapping::UNMAPPED);
            }
        }
    }
}

/// A new mapping, of type `mmap_interface`.
pub struct Mapped {
    /// Where it begins.
    pub address: usize,
    /// Its bytes.
    pub length: i32,
    /// Whether nothing can be written there.
    pub read_only: bool,
}

impl IntoValue for Mapped {
    // In whichever crate makes one, of which an archive may hide these stubs (scripts/relink).
    #[inline]
    fn into_value(self, lock: &mut Lock) -> RawValue {
        let mark = if self.read_only { (Mapping::READ_ONLY as usize) << 32 } else { 0 };
        Build::Abstract(vec![self.address, mark | self.length as usize]).into_value(lock)
    }
}

ints! {
    /// `Unix.file_descr`.
    struct Descriptor(i32) = "file descriptor";
}

/// `mmap_prot_flag`.
struct Protection(i32);

impl Argument for Protection {
    fn read(value: Val<'_>) -> Result<Protection, Exception> {
        const FLAGS: [i32; 3] =
            [libc::PROT_READ, libc::PROT_WRITE, libc::PROT_READ | libc::PROT_WRITE];
        Ok(Protection(FLAGS[constructor(value, 3, "protectiontype")? as usize]))
    }
}

/// `mmap_map_flag`.
struct Sharing(i32);

impl Argument for Sharing {
    fn read(value: Val<'_>) -> Result<Sharing, Exception> {
        const FLAGS: [i32; 2] = [libc::MAP_SHARED, libc::MAP_PRIVATE];
        Ok(Sharing(FLAGS[constructor(value, 2, "maptype")? as usize]))
    }
}

/// A length that is C's `int` in a mapping.
struct Length(i32);

impl Argument for Length {
    fn read(value: Val<'_>) -> Result<Length, Exception> {
        runtime::int(value, "len")
            .ok()
            .filter(|&length| length >= 0)
            .map(Length)
            .ok_or_else(|| Exception::Invalid("len invalid".to_owned()))
    }
}

/// Any `int`.
struct Int(i64);

impl Argument for Int {
    fn read(value: Val<'_>) -> Result<Int, Exception> {
        Ok(Int(value.int()))
    }
}

/// `string`.
struct Bytes(Vec<u8>);

impl Argument for Bytes {
    fn read(value: Val<'_>) -> Result<Bytes, Exception> {
        copied(value.bytes()).map(Bytes)
    }
}

export! {
    /// `mmap : Unix.file_descr -> mmap_prot_flag -> mmap_map_flag -> int -> int -> mmap_interface`
    ///
    /// Maps `length` bytes of a file from `offset` on. Raises `Failure "mmap: errno: message"`.
    fn stub_mmap_init(
        fd: Descriptor, protection: Protection, sharing: Sharing, length: Length, offset: Int,
    ) -> Mapped {
        let length = length.0;
        // SAFETY: at an address of the kernel's choice, so nothing that is mapped is touched.
        let address = unsafe {
            libc::mmap(ptr::null_mut(), length as usize, protection.0, sharing.0, fd.0, offset.0)
        };
        if address == libc::MAP_FAILED {
            return Err(failure("mmap"));
        }
        let read_only = protection.0 & libc::PROT_WRITE == 0;
        Ok(Mapped { address: address as usize, length, read_only })
    }

    /// `unmap : mmap_interface -> unit`
    ///
    /// Undoes a mapping, once; nothing can be read from it any more.
    fn stub_mmap_final(mapping: Mapping) -> () {
        mapping.unmap();
        Ok(())
    }

    /// `read : mmap_interface -> int -> int -> string`
    ///
    /// Copies `length` bytes from `start` on. Raises `Invalid_argument` where they are not all in
    /// the mapping.
    fn stub_mmap_read(mapping: Mapping, start: Int, length: Int) -> Vec<u8> {
        let (start, length) = mapping.part(start.0, length.0)?;
        let mut copy = Vec::new();
        copy.try_reserve_exact(length)?;
        // SAFETY: inside the mapping, which stays while the runtime lock is held (that no domain of
        // OCaml 5 unmaps what another reads is the program's to see to), and in the copy's room.
        // No reference is made to bytes that other domains and processes may write meanwhile.
        unsafe {
            ptr::copy_nonoverlapping(start, copy.as_mut_ptr(), length);
            copy.set_len(length);
        }
        Ok(copy)
    }

    /// `write : mmap_interface -> string -> int -> unit`
    ///
    /// Copies a string to `start`. Raises `Invalid_argument` where it is not all in the mapping, or
    /// that was made to be read alone.
    fn stub_mmap_write(mapping: Mapping, data: Bytes, start: Int) -> () {
        let (start, length) = mapping.part(start.0, data.0.len() as i64)?;
        if mapping.is_read_only() {
            return Err(Exception::Invalid("read only".to_owned()));
        }
        // SAFETY: inside the mapping, as above.
        unsafe { ptr::copy_nonoverlapping(data.0.as_ptr(), start, length) };
        Ok(())
    }

    /// `getpagesize : unit -> int`
    ///
    /// Bytes of a page.
    fn stub_mmap_getpagesize(_unit: ()) -> i32 {
        // SAFETY: only asks.
        Ok(i32::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096))
    }
}
