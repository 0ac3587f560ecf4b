//! Structs of CPython 3.11's `methodobject` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyCFunctionObject {
    pub ob_base: PyObject,
    pub m_ml: *mut PyMethodDef,
    pub m_self: *mut PyObject,
    pub m_module: *mut PyObject,
    pub m_weakreflist: *mut PyObject,
    pub vectorcall: vectorcallfunc,
}
const _: () = assert!(size_of::<PyCFunctionObject>() == 56);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyCMethodObject {
    pub func: PyCFunctionObject,
    pub mm_class: *mut PyTypeObject,
}
const _: () = assert!(size_of::<PyCMethodObject>() == 64);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyMethodDef {
    pub ml_name: *const c_char,
    pub ml_meth: Option<PyCFunction>,
    pub ml_flags: c_int,
    pub ml_doc: *const c_char,
}
const _: () = assert!(size_of::<PyMethodDef>() == 32);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _PyArg_Parser {
    pub format: *const c_char,
    pub keywords: *const *const c_char,
    pub fname: *const c_char,
    pub custom_msg: *const c_char,
    pub pos: c_int,
    pub min: c_int,
    pub max: c_int,
    pub kwtuple: *mut PyObject,
    pub next: *mut _PyArg_Parser,
}
const _: () = assert!(size_of::<_PyArg_Parser>() == 64);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyCFunctionObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyCFunctionObject, m_ml) == 16);
const _: () = assert!(offset_of!(PyCFunctionObject, m_self) == 24);
const _: () = assert!(offset_of!(PyCFunctionObject, m_module) == 32);
const _: () = assert!(offset_of!(PyCFunctionObject, m_weakreflist) == 40);
const _: () = assert!(offset_of!(PyCFunctionObject, vectorcall) == 48);
const _: () = assert!(offset_of!(PyCMethodObject, func) == 0);
const _: () = assert!(offset_of!(PyCMethodObject, mm_class) == 56);
const _: () = assert!(offset_of!(PyMethodDef, ml_name) == 0);
const _: () = assert!(offset_of!(PyMethodDef, ml_meth) == 8);
const _: () = assert!(offset_of!(PyMethodDef, ml_flags) == 16);
const _: () = assert!(offset_of!(PyMethodDef, ml_doc) == 24);
const _: () = assert!(offset_of!(_PyArg_Parser, format) == 0);
const _: () = assert!(offset_of!(_PyArg_Parser, keywords) == 8);
const _: () = assert!(offset_of!(_PyArg_Parser, fname) == 16);
const _: () = assert!(offset_of!(_PyArg_Parser, custom_msg) == 24);
const _: () = assert!(offset_of!(_PyArg_Parser, pos) == 32);
const _: () = assert!(offset_of!(_PyArg_Parser, min) == 36);
const _: () = assert!(offset_of!(_PyArg_Parser, max) == 40);
const _: () = assert!(offset_of!(_PyArg_Parser, kwtuple) == 48);
const _: () = assert!(offset_of!(_PyArg_Parser, next) == 56);
