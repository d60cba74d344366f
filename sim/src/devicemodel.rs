//! The C ABI of libxendevicemodel, as far as a program needs it that opens libxenctrl: handles open
//! and close; everything else fails with `EOPNOTSUPP`.

use std::ffi::{c_int, c_uint, c_void};
use std::ptr::null_mut;

use crate::counters;
use crate::exports::{close, export, open};

/// A handle of libxendevicemodel.
pub struct DeviceModelHandle {
    /// Handles differ in their addresses; they hold nothing.
    _nothing: u8,
}

/// Opens a handle.
#[unsafe(no_mangle)]
pub extern "C" fn xendevicemodel_open(
    _logger: *mut c_void,
    _flags: c_uint,
) -> *mut DeviceModelHandle {
    export(null_mut(), || {
        open()?;
        counters::HANDLES.add(1);
        Ok(Box::into_raw(Box::new(DeviceModelHandle { _nothing: 0 })))
    })
}

/// Closes a handle; NULL is none.
///
/// # Safety
/// As libxendevicemodel asks: the handle is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xendevicemodel_close(dmod: *mut DeviceModelHandle) -> c_int {
    export(-1, || {
        if !dmod.is_null() {
            // SAFETY: it came from `xendevicemodel_open`'s Box, and the caller gives it up.
            drop(unsafe { Box::from_raw(dmod) });
            close()?;
        }
        Ok(0)
    })
}

/// Restricts a handle to a domain.
#[unsafe(no_mangle)]
pub extern "C" fn xendevicemodel_restrict(_dmod: *mut DeviceModelHandle, _domid: u16) -> c_int {
    0
}

/// Functions that fail whatever their arguments. The C ABI leaves the arguments to the caller, so
/// that they need not be named.
macro_rules! unsupported {
    ($($name:ident)*) => {
        $(
            /// Not simulated.
            #[unsafe(no_mangle)]
            pub extern "C" fn $name() -> c_int {
                export(-1, || Err(libc::EOPNOTSUPP))
            }
        )*
    };
}

unsupported! {
    xendevicemodel_create_ioreq_server
    xendevicemodel_get_ioreq_server_info
    xendevicemodel_map_io_range_to_ioreq_server
    xendevicemodel_unmap_io_range_from_ioreq_server
    xendevicemodel_map_mem_type_to_ioreq_server
    xendevicemodel_map_pcidev_to_ioreq_server
    xendevicemodel_unmap_pcidev_from_ioreq_server
    xendevicemodel_destroy_ioreq_server
    xendevicemodel_set_ioreq_server_state
    xendevicemodel_set_pci_intx_level
    xendevicemodel_set_isa_irq_level
    xendevicemodel_set_irq_level
    xendevicemodel_set_pci_link_route
    xendevicemodel_inject_msi
    xendevicemodel_track_dirty_vram
    xendevicemodel_modified_memory
    xendevicemodel_modified_memory_bulk
    xendevicemodel_set_mem_type
    xendevicemodel_inject_event
    xendevicemodel_shutdown
    xendevicemodel_relocate_memory
    xendevicemodel_pin_memory_cacheattr
    xendevicemodel_nr_vcpus
}
