//! CPython 3.11's C structs, flags and constants for 64-bit Linux, as `repr(C)` types under their C names.
//!
//! One file per family of headers. There is no logic here and nothing to depend on; every size and offset is asserted
//! at compile time. Where CPython's headers never reach into a struct (dict and set tables, frames), the struct is
//! either opaque here or left out, and its layout is the runtime's own.

#![no_std]
#![allow(non_camel_case_types, non_upper_case_globals, non_snake_case)]

pub mod buffer;
pub mod bytesobject;
pub mod code;
pub mod constants;
pub mod containers;
pub mod datetime;
pub mod descrobject;
pub mod funcobject;
pub mod genobject;
pub mod methodobject;
pub mod moduleobject;
pub mod numbers;
pub mod object;
pub mod pyerrors;
pub mod pymem;
pub mod pystate;
pub mod types;
pub mod unicodeobject;
pub mod weakrefobject;
pub use buffer::*;
pub use bytesobject::*;
pub use code::*;
pub use constants::*;
pub use containers::*;
pub use datetime::*;
pub use descrobject::*;
pub use funcobject::*;
pub use genobject::*;
pub use methodobject::*;
pub use moduleobject::*;
pub use numbers::*;
pub use object::*;
pub use pyerrors::*;
pub use pymem::*;
pub use pystate::*;
pub use types::*;
pub use unicodeobject::*;
pub use weakrefobject::*;

impl PyTypeObject {
    /// A type object with every slot empty; statics start from it.
    pub const ZERO: PyTypeObject = PyTypeObject {
        // SAFETY: an all-zero PyTypeObject is its valid "nothing set" state: null pointers and `None` functions.
        ..unsafe { core::mem::zeroed() }
    };
}
