//! Structs of CPython 3.11's `genobject` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyAsyncGenObject {
    pub ob_base: PyObject,
    pub ag_code: *mut PyCodeObject,
    pub ag_weakreflist: *mut PyObject,
    pub ag_name: *mut PyObject,
    pub ag_qualname: *mut PyObject,
    pub ag_exc_state: _PyErr_StackItem,
    pub ag_origin_or_finalizer: *mut PyObject,
    pub ag_hooks_inited: c_char,
    pub ag_closed: c_char,
    pub ag_running_async: c_char,
    pub ag_frame_state: i8,
    pub ag_iframe: [*mut PyObject; 1],
}
const _: () = assert!(size_of::<PyAsyncGenObject>() == 88);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyCoroObject {
    pub ob_base: PyObject,
    pub cr_code: *mut PyCodeObject,
    pub cr_weakreflist: *mut PyObject,
    pub cr_name: *mut PyObject,
    pub cr_qualname: *mut PyObject,
    pub cr_exc_state: _PyErr_StackItem,
    pub cr_origin_or_finalizer: *mut PyObject,
    pub cr_hooks_inited: c_char,
    pub cr_closed: c_char,
    pub cr_running_async: c_char,
    pub cr_frame_state: i8,
    pub cr_iframe: [*mut PyObject; 1],
}
const _: () = assert!(size_of::<PyCoroObject>() == 88);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyGenObject {
    pub ob_base: PyObject,
    pub gi_code: *mut PyCodeObject,
    pub gi_weakreflist: *mut PyObject,
    pub gi_name: *mut PyObject,
    pub gi_qualname: *mut PyObject,
    pub gi_exc_state: _PyErr_StackItem,
    pub gi_origin_or_finalizer: *mut PyObject,
    pub gi_hooks_inited: c_char,
    pub gi_closed: c_char,
    pub gi_running_async: c_char,
    pub gi_frame_state: i8,
    pub gi_iframe: [*mut PyObject; 1],
}
const _: () = assert!(size_of::<PyGenObject>() == 88);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyAsyncGenObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyAsyncGenObject, ag_code) == 16);
const _: () = assert!(offset_of!(PyAsyncGenObject, ag_weakreflist) == 24);
const _: () = assert!(offset_of!(PyAsyncGenObject, ag_name) == 32);
const _: () = assert!(offset_of!(PyAsyncGenObject, ag_qualname) == 40);
const _: () = assert!(offset_of!(PyAsyncGenObject, ag_exc_state) == 48);
const _: () = assert!(offset_of!(PyAsyncGenObject, ag_origin_or_finalizer) == 64);
const _: () = assert!(offset_of!(PyAsyncGenObject, ag_hooks_inited) == 72);
const _: () = assert!(offset_of!(PyAsyncGenObject, ag_closed) == 73);
const _: () = assert!(offset_of!(PyAsyncGenObject, ag_running_async) == 74);
const _: () = assert!(offset_of!(PyAsyncGenObject, ag_frame_state) == 75);
const _: () = assert!(offset_of!(PyAsyncGenObject, ag_iframe) == 80);
const _: () = assert!(offset_of!(PyCoroObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyCoroObject, cr_code) == 16);
const _: () = assert!(offset_of!(PyCoroObject, cr_weakreflist) == 24);
const _: () = assert!(offset_of!(PyCoroObject, cr_name) == 32);
const _: () = assert!(offset_of!(PyCoroObject, cr_qualname) == 40);
const _: () = assert!(offset_of!(PyCoroObject, cr_exc_state) == 48);
const _: () = assert!(offset_of!(PyCoroObject, cr_origin_or_finalizer) == 64);
const _: () = assert!(offset_of!(PyCoroObject, cr_hooks_inited) == 72);
const _: () = assert!(offset_of!(PyCoroObject, cr_closed) == 73);
const _: () = assert!(offset_of!(PyCoroObject, cr_running_async) == 74);
const _: () = assert!(offset_of!(PyCoroObject, cr_frame_state) == 75);
const _: () = assert!(offset_of!(PyCoroObject, cr_iframe) == 80);
const _: () = assert!(offset_of!(PyGenObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyGenObject, gi_code) == 16);
const _: () = assert!(offset_of!(PyGenObject, gi_weakreflist) == 24);
const _: () = assert!(offset_of!(PyGenObject, gi_name) == 32);
const _: () = assert!(offset_of!(PyGenObject, gi_qualname) == 40);
const _: () = assert!(offset_of!(PyGenObject, gi_exc_state) == 48);
const _: () = assert!(offset_of!(PyGenObject, gi_origin_or_finalizer) == 64);
const _: () = assert!(offset_of!(PyGenObject, gi_hooks_inited) == 72);
const _: () = assert!(offset_of!(PyGenObject, gi_closed) == 73);
const _: () = assert!(offset_of!(PyGenObject, gi_running_async) == 74);
const _: () = assert!(offset_of!(PyGenObject, gi_frame_state) == 75);
const _: () = assert!(offset_of!(PyGenObject, gi_iframe) == 80);
