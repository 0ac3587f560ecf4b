//! Structs of CPython 3.11's `numbers` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyComplexObject {
    pub ob_base: PyObject,
    pub cval: Py_complex,
}
const _: () = assert!(size_of::<PyComplexObject>() == 32);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyFloatObject {
    pub ob_base: PyObject,
    pub ob_fval: f64,
}
const _: () = assert!(size_of::<PyFloatObject>() == 24);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyLongObject {
    pub ob_base: PyVarObject,
    pub ob_digit: [u32; 1],
}
const _: () = assert!(size_of::<PyLongObject>() == 32);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Py_complex {
    pub real: f64,
    pub imag: f64,
}
const _: () = assert!(size_of::<Py_complex>() == 16);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyComplexObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyComplexObject, cval) == 16);
const _: () = assert!(offset_of!(PyFloatObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyFloatObject, ob_fval) == 16);
const _: () = assert!(offset_of!(PyLongObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyLongObject, ob_digit) == 24);
const _: () = assert!(offset_of!(Py_complex, real) == 0);
const _: () = assert!(offset_of!(Py_complex, imag) == 8);
