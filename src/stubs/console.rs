//! The hypervisor's console.

use super::Handle;
use runtime::{Argument, Exception, Val, copied, export, unlocked};

/// Keys of the hypervisor's console. Upstream ends at a zero byte what it passes on.
pub struct Keys(Vec<u8>);

impl Argument for Keys {
    fn read(value: Val<'_>) -> Result<Keys, Exception> {
        let keys = value.bytes();
        if keys.contains(&0) {
            return Err(Exception::Invalid("keys: a zero byte is no key".to_owned()));
        }
        copied(keys).map(Keys)
    }
}

export! {
    /// `readconsolering : handle -> string`
    ///
    /// What is in the hypervisor's console ring, all of it, by one hypercall (while the handle's
    /// buffer grows to its size, one more for each doubling). It stays in the ring.
    ///
    /// Hypercall: `XEN_SYSCTL_readconsole`.
    fn stub_xc_readconsolering(handle: Handle) -> Vec<u8> {
        Ok(unlocked(|| handle.console_ring())?)
    }

    /// `send_debug_keys : handle -> string -> unit`
    ///
    /// Presses the keys of a string on the hypervisor's console, one after the other. It answers
    /// there (see `readconsolering`); a key without a function does nothing.
    ///
    /// `Invalid_argument` for a string with a zero byte.
    ///
    /// Hypercall: `XEN_SYSCTL_debug_keys`.
    fn stub_xc_send_debug_keys(handle: Handle, keys: Keys) -> () {
        Ok(unlocked(|| handle.debug_keys(&keys.0))?)
    }
}
