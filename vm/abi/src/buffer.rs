//! Structs of CPython 3.11's `buffer` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyMemoryViewObject {
    pub ob_base: PyVarObject,
    pub mbuf: *mut _PyManagedBufferObject,
    pub hash: isize,
    pub flags: c_int,
    pub exports: isize,
    pub view: Py_buffer,
    pub weakreflist: *mut PyObject,
    pub ob_array: [isize; 1],
}
const _: () = assert!(size_of::<PyMemoryViewObject>() == 152);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Py_buffer {
    pub buf: *mut c_void,
    pub obj: *mut PyObject,
    pub len: isize,
    pub itemsize: isize,
    pub readonly: c_int,
    pub ndim: c_int,
    pub format: *mut c_char,
    pub shape: *mut c_void,
    pub strides: *mut c_void,
    pub suboffsets: *mut c_void,
    pub internal: *mut c_void,
}
const _: () = assert!(size_of::<Py_buffer>() == 80);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _PyManagedBufferObject {
    pub ob_base: PyObject,
    pub flags: c_int,
    pub exports: isize,
    pub master: Py_buffer,
}
const _: () = assert!(size_of::<_PyManagedBufferObject>() == 112);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyMemoryViewObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyMemoryViewObject, mbuf) == 24);
const _: () = assert!(offset_of!(PyMemoryViewObject, hash) == 32);
const _: () = assert!(offset_of!(PyMemoryViewObject, flags) == 40);
const _: () = assert!(offset_of!(PyMemoryViewObject, exports) == 48);
const _: () = assert!(offset_of!(PyMemoryViewObject, view) == 56);
const _: () = assert!(offset_of!(PyMemoryViewObject, weakreflist) == 136);
const _: () = assert!(offset_of!(PyMemoryViewObject, ob_array) == 144);
const _: () = assert!(offset_of!(Py_buffer, buf) == 0);
const _: () = assert!(offset_of!(Py_buffer, obj) == 8);
const _: () = assert!(offset_of!(Py_buffer, len) == 16);
const _: () = assert!(offset_of!(Py_buffer, itemsize) == 24);
const _: () = assert!(offset_of!(Py_buffer, readonly) == 32);
const _: () = assert!(offset_of!(Py_buffer, ndim) == 36);
const _: () = assert!(offset_of!(Py_buffer, format) == 40);
const _: () = assert!(offset_of!(Py_buffer, shape) == 48);
const _: () = assert!(offset_of!(Py_buffer, strides) == 56);
const _: () = assert!(offset_of!(Py_buffer, suboffsets) == 64);
const _: () = assert!(offset_of!(Py_buffer, internal) == 72);
const _: () = assert!(offset_of!(_PyManagedBufferObject, ob_base) == 0);
const _: () = assert!(offset_of!(_PyManagedBufferObject, flags) == 16);
const _: () = assert!(offset_of!(_PyManagedBufferObject, exports) == 24);
const _: () = assert!(offset_of!(_PyManagedBufferObject, master) == 32);
