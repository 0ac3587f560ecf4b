//! Structs of CPython 3.11's `funcobject` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyCellObject {
    pub ob_base: PyObject,
    pub ob_ref: *mut PyObject,
}
const _: () = assert!(size_of::<PyCellObject>() == 24);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyFunctionObject {
    pub ob_base: PyObject,
    pub func_globals: *mut PyObject,
    pub func_builtins: *mut PyObject,
    pub func_name: *mut PyObject,
    pub func_qualname: *mut PyObject,
    pub func_code: *mut PyObject,
    pub func_defaults: *mut PyObject,
    pub func_kwdefaults: *mut PyObject,
    pub func_closure: *mut PyObject,
    pub func_doc: *mut PyObject,
    pub func_dict: *mut PyObject,
    pub func_weakreflist: *mut PyObject,
    pub func_module: *mut PyObject,
    pub func_annotations: *mut PyObject,
    pub vectorcall: vectorcallfunc,
    pub func_version: u32,
}
const _: () = assert!(size_of::<PyFunctionObject>() == 136);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyInstanceMethodObject {
    pub ob_base: PyObject,
    pub func: *mut PyObject,
}
const _: () = assert!(size_of::<PyInstanceMethodObject>() == 24);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyMethodObject {
    pub ob_base: PyObject,
    pub im_func: *mut PyObject,
    pub im_self: *mut PyObject,
    pub im_weakreflist: *mut PyObject,
    pub vectorcall: vectorcallfunc,
}
const _: () = assert!(size_of::<PyMethodObject>() == 48);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyCellObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyCellObject, ob_ref) == 16);
const _: () = assert!(offset_of!(PyFunctionObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyFunctionObject, func_globals) == 16);
const _: () = assert!(offset_of!(PyFunctionObject, func_builtins) == 24);
const _: () = assert!(offset_of!(PyFunctionObject, func_name) == 32);
const _: () = assert!(offset_of!(PyFunctionObject, func_qualname) == 40);
const _: () = assert!(offset_of!(PyFunctionObject, func_code) == 48);
const _: () = assert!(offset_of!(PyFunctionObject, func_defaults) == 56);
const _: () = assert!(offset_of!(PyFunctionObject, func_kwdefaults) == 64);
const _: () = assert!(offset_of!(PyFunctionObject, func_closure) == 72);
const _: () = assert!(offset_of!(PyFunctionObject, func_doc) == 80);
const _: () = assert!(offset_of!(PyFunctionObject, func_dict) == 88);
const _: () = assert!(offset_of!(PyFunctionObject, func_weakreflist) == 96);
const _: () = assert!(offset_of!(PyFunctionObject, func_module) == 104);
const _: () = assert!(offset_of!(PyFunctionObject, func_annotations) == 112);
const _: () = assert!(offset_of!(PyFunctionObject, vectorcall) == 120);
const _: () = assert!(offset_of!(PyFunctionObject, func_version) == 128);
const _: () = assert!(offset_of!(PyInstanceMethodObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyInstanceMethodObject, func) == 16);
const _: () = assert!(offset_of!(PyMethodObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyMethodObject, im_func) == 16);
const _: () = assert!(offset_of!(PyMethodObject, im_self) == 24);
const _: () = assert!(offset_of!(PyMethodObject, im_weakreflist) == 32);
const _: () = assert!(offset_of!(PyMethodObject, vectorcall) == 40);
