//! Structs of CPython 3.11's `unicodeobject` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyASCIIObject {
    pub ob_base: PyObject,
    pub length: isize,
    pub hash: isize,
    pub state: u32,
    pub wstr: *mut libc_wchar,
}
const _: () = assert!(size_of::<PyASCIIObject>() == 48);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyCompactUnicodeObject {
    pub _base: PyASCIIObject,
    pub utf8_length: isize,
    pub utf8: *mut c_char,
    pub wstr_length: isize,
}
const _: () = assert!(size_of::<PyCompactUnicodeObject>() == 72);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _PyUnicodeWriter {
    pub buffer: *mut PyObject,
    pub data: *mut c_void,
    pub kind: c_uint,
    pub maxchar: u32,
    pub size: isize,
    pub pos: isize,
    pub min_length: isize,
    pub min_char: u32,
    pub overallocate: u8,
    pub readonly: u8,
}
const _: () = assert!(size_of::<_PyUnicodeWriter>() == 56);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyASCIIObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyASCIIObject, length) == 16);
const _: () = assert!(offset_of!(PyASCIIObject, hash) == 24);
const _: () = assert!(offset_of!(PyASCIIObject, state) == 32);
const _: () = assert!(offset_of!(PyASCIIObject, wstr) == 40);
const _: () = assert!(offset_of!(PyCompactUnicodeObject, _base) == 0);
const _: () = assert!(offset_of!(PyCompactUnicodeObject, utf8_length) == 48);
const _: () = assert!(offset_of!(PyCompactUnicodeObject, utf8) == 56);
const _: () = assert!(offset_of!(PyCompactUnicodeObject, wstr_length) == 64);
const _: () = assert!(offset_of!(_PyUnicodeWriter, buffer) == 0);
const _: () = assert!(offset_of!(_PyUnicodeWriter, data) == 8);
const _: () = assert!(offset_of!(_PyUnicodeWriter, kind) == 16);
const _: () = assert!(offset_of!(_PyUnicodeWriter, maxchar) == 20);
const _: () = assert!(offset_of!(_PyUnicodeWriter, size) == 24);
const _: () = assert!(offset_of!(_PyUnicodeWriter, pos) == 32);
const _: () = assert!(offset_of!(_PyUnicodeWriter, min_length) == 40);
const _: () = assert!(offset_of!(_PyUnicodeWriter, min_char) == 48);
const _: () = assert!(offset_of!(_PyUnicodeWriter, overallocate) == 52);
const _: () = assert!(offset_of!(_PyUnicodeWriter, readonly) == 53);
