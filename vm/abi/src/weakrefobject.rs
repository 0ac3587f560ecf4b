//! Structs of CPython 3.11's `weakrefobject` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyWeakReference {
    pub ob_base: PyObject,
    pub wr_object: *mut PyObject,
    pub wr_callback: *mut PyObject,
    pub hash: isize,
    pub wr_prev: *mut PyWeakReference,
    pub wr_next: *mut PyWeakReference,
    pub vectorcall: vectorcallfunc,
}
const _: () = assert!(size_of::<PyWeakReference>() == 64);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyWeakReference, ob_base) == 0);
const _: () = assert!(offset_of!(PyWeakReference, wr_object) == 16);
const _: () = assert!(offset_of!(PyWeakReference, wr_callback) == 24);
const _: () = assert!(offset_of!(PyWeakReference, hash) == 32);
const _: () = assert!(offset_of!(PyWeakReference, wr_prev) == 40);
const _: () = assert!(offset_of!(PyWeakReference, wr_next) == 48);
const _: () = assert!(offset_of!(PyWeakReference, vectorcall) == 56);
