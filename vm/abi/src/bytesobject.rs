//! Structs of CPython 3.11's `bytesobject` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyByteArrayObject {
    pub ob_base: PyVarObject,
    pub ob_alloc: isize,
    pub ob_bytes: *mut c_char,
    pub ob_start: *mut c_char,
    pub ob_exports: isize,
}
const _: () = assert!(size_of::<PyByteArrayObject>() == 56);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyBytesObject {
    pub ob_base: PyVarObject,
    pub ob_shash: isize,
    pub ob_sval: [c_char; 1],
}
const _: () = assert!(size_of::<PyBytesObject>() == 40);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _PyBytesWriter {
    pub buffer: *mut PyObject,
    pub allocated: isize,
    pub min_size: isize,
    pub use_bytearray: c_int,
    pub overallocate: c_int,
    pub use_small_buffer: c_int,
    pub small_buffer: [c_char; 512],
}
const _: () = assert!(size_of::<_PyBytesWriter>() == 552);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyByteArrayObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyByteArrayObject, ob_alloc) == 24);
const _: () = assert!(offset_of!(PyByteArrayObject, ob_bytes) == 32);
const _: () = assert!(offset_of!(PyByteArrayObject, ob_start) == 40);
const _: () = assert!(offset_of!(PyByteArrayObject, ob_exports) == 48);
const _: () = assert!(offset_of!(PyBytesObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyBytesObject, ob_shash) == 24);
const _: () = assert!(offset_of!(PyBytesObject, ob_sval) == 32);
const _: () = assert!(offset_of!(_PyBytesWriter, buffer) == 0);
const _: () = assert!(offset_of!(_PyBytesWriter, allocated) == 8);
const _: () = assert!(offset_of!(_PyBytesWriter, min_size) == 16);
const _: () = assert!(offset_of!(_PyBytesWriter, use_bytearray) == 24);
const _: () = assert!(offset_of!(_PyBytesWriter, overallocate) == 28);
const _: () = assert!(offset_of!(_PyBytesWriter, use_small_buffer) == 32);
const _: () = assert!(offset_of!(_PyBytesWriter, small_buffer) == 36);
