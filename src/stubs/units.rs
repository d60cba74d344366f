//! Units of memory.

use crate::abi::PAGE_SIZE;
use runtime::{Argument, Exception, Val, export};

/// A number of pages, any `int64`.
pub struct Pages(i64);

impl Argument for Pages {
    fn read(value: Val<'_>) -> Result<Pages, Exception> {
        Ok(Pages(value.int64()))
    }
}

export! {
    /// `pages_to_kib : int64 -> int64`
    ///
    /// Pages in KiB; wraps as `Int64.mul` does.
    ///
    /// Hypercalls: none.
    fn stub_pages_to_kib(pages: Pages) -> i64 {
        Ok(pages.0.wrapping_mul(PAGE_SIZE as i64 / 1024))
    }
}
