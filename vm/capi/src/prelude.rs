//! What every file of the C API wants.
pub use crate::glue::*;
pub use core::ffi::{CStr, c_char, c_int, c_long, c_longlong, c_uint, c_ulong, c_ulonglong, c_void};
pub use core::ptr::{null, null_mut};
pub use lh_abi::*;
pub use lh_runtime::number;
pub use lh_runtime::prelude::*;
