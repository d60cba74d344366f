//! The hypervisor's console.

#![allow(unsafe_code)]

use super::{Errno, Error, Result, Xen, buffer::Purpose};
use crate::abi::sysctl::{self, DebugKeys, ReadConsole, SysctlUnion};

impl Xen {
    /// What is in the console ring, which stays there: by one hypercall, so that nothing is
    /// missing and nothing is there twice, however fast it is written meanwhile. Where it fills
    /// the buffer it is read again from its beginning into a larger one. Hypercall:
    /// `XEN_SYSCTL_readconsole`.
    pub fn console_ring(&self) -> Result<Vec<u8>> {
        let mut lease = self.lease(Purpose::Records)?;
        loop {
            let room = u32::try_from(lease.capacity()).unwrap_or(u32::MAX);
            let mut u = SysctlUnion::NONE;
            u.readconsole =
                ReadConsole { buffer: lease.data(), count: room, ..ReadConsole::default() };
            let answer = self.sysctl(&mut lease, sysctl::READCONSOLE, u)?;
            // SAFETY: every member of the union is plain integers.
            let written = unsafe { answer.u.readconsole }.count;
            if written > room {
                return Err(Error::Overrun { what: "characters", reported: written, asked: room });
            }
            if written < room || room == u32::MAX {
                return Ok(lease.copy_records(written as usize)?);
            }
            lease.grow(u32::MAX as usize)?;
        }
    }

    /// Presses keys on the hypervisor's console. Hypercall: `XEN_SYSCTL_debug_keys`.
    pub fn debug_keys(&self, keys: &[u8]) -> Result<()> {
        let nr_keys = u32::try_from(keys.len()).map_err(|_| Errno::E2BIG)?;
        let mut lease = self.lease(Purpose::Argument)?;
        lease.reserve(keys.len())?;
        let mut u = SysctlUnion::NONE;
        u.debug_keys = DebugKeys { keys: lease.put_data(keys), nr_keys, pad: 0 };
        self.sysctl(&mut lease, sysctl::DEBUG_KEYS, u).map(drop)
    }
}
