//! Xen's libraries whose ABI is stable, each found when it is first needed.
//!
//! They are not linked: programs that use the C stubs name the libraries that those need, not
//! these; and a program must start where no Xen is installed.
//!
//! Handles and buffers are to be made and given back [`undisturbed`] by forks.

// Files that need unsafe code say so.
#![deny(unsafe_code)]
#![deny(missing_docs)]

mod forks;
mod logger;

pub use forks::{generation, undisturbed};
pub use logger::silent_logger;

use once_cell::race::OnceBox;
use std::{error::Error, result::Result};

/// What bindgen read of a header, in a module of its own, and the function that loads the library.
macro_rules! libraries {
    ($(
        $(#[$attribute:meta])*
        $load:ident: $library:ident as $table:ident, $file:literal, $soname:literal;
    )*) => {$(
        /// Of the header alone.
        #[allow(
            missing_docs,
            nonstandard_style,
            unsafe_code,
            unused,
            clippy::all,
            clippy::pedantic,
            clippy::undocumented_unsafe_blocks
        )]
        pub mod $library {
            include!(concat!(env!("OUT_DIR"), "/", $file));
        }
        pub use $library::$table;

        $(#[$attribute])*
        #[allow(unsafe_code)]
        pub fn $load() -> Result<&'static $table, Box<dyn Error>> {
            // Where two threads load at once, both have the same library, and one table stays.
            static LIBRARY: OnceBox<$table> = OnceBox::new();
            LIBRARY.get_or_try_init(|| {
                // SAFETY: loading runs the initialisers of the library and of what it needs, which
                // at most register handlers of their own; its functions have the prototypes of its
                // own header.
                let library = unsafe { $table::new($soname) }?;
                forks::watch()?;
                Ok(Box::new(library))
            })
        }
    )*};
}

// (The number in a library's name is the major version of its ABI.)
libraries! {
    /// Loads libxencall: hypercalls, and buffers for them.
    load_xencall: xencall as LibXencall, "xencall.rs", "libxencall.so.1";
    /// Loads libxenforeignmemory: mappings of other domains' memory.
    load_xenforeignmemory: xenforeignmemory as LibXenforeignmemory, "xenforeignmemory.rs",
        "libxenforeignmemory.so.1";
    /// Loads libxenevtchn: event channels of the domain that the program runs in.
    load_xenevtchn: xenevtchn as LibXenevtchn, "xenevtchn.rs", "libxenevtchn.so.1";
}
