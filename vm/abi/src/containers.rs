//! Structs of CPython 3.11's `containers` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyDictObject {
    pub ob_base: PyObject,
    pub ma_used: isize,
    pub ma_version_tag: u64,
    pub ma_keys: *mut c_void,
    pub ma_values: *mut c_void,
}
const _: () = assert!(size_of::<PyDictObject>() == 48);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyListObject {
    pub ob_base: PyVarObject,
    pub ob_item: *mut *mut PyObject,
    pub allocated: isize,
}
const _: () = assert!(size_of::<PyListObject>() == 40);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PySetObject {
    pub ob_base: PyObject,
    pub fill: isize,
    pub used: isize,
    pub mask: isize,
    pub table: *mut setentry,
    pub hash: isize,
    pub finger: isize,
    pub smalltable: [setentry; 8],
    pub weakreflist: *mut PyObject,
}
const _: () = assert!(size_of::<PySetObject>() == 200);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PySliceObject {
    pub ob_base: PyObject,
    pub start: *mut PyObject,
    pub stop: *mut PyObject,
    pub step: *mut PyObject,
}
const _: () = assert!(size_of::<PySliceObject>() == 40);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyStructSequence_Desc {
    pub name: *const c_char,
    pub doc: *const c_char,
    pub fields: *mut PyStructSequence_Field,
    pub n_in_sequence: c_int,
}
const _: () = assert!(size_of::<PyStructSequence_Desc>() == 32);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyStructSequence_Field {
    pub name: *const c_char,
    pub doc: *const c_char,
}
const _: () = assert!(size_of::<PyStructSequence_Field>() == 16);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyTupleObject {
    pub ob_base: PyVarObject,
    pub ob_item: [*mut PyObject; 1],
}
const _: () = assert!(size_of::<PyTupleObject>() == 32);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _PyDictViewObject {
    pub ob_base: PyObject,
    pub dv_dict: *mut PyDictObject,
}
const _: () = assert!(size_of::<_PyDictViewObject>() == 24);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct setentry {
    pub key: *mut PyObject,
    pub hash: isize,
}
const _: () = assert!(size_of::<setentry>() == 16);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyDictObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyDictObject, ma_used) == 16);
const _: () = assert!(offset_of!(PyDictObject, ma_version_tag) == 24);
const _: () = assert!(offset_of!(PyDictObject, ma_keys) == 32);
const _: () = assert!(offset_of!(PyDictObject, ma_values) == 40);
const _: () = assert!(offset_of!(PyListObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyListObject, ob_item) == 24);
const _: () = assert!(offset_of!(PyListObject, allocated) == 32);
const _: () = assert!(offset_of!(PySetObject, ob_base) == 0);
const _: () = assert!(offset_of!(PySetObject, fill) == 16);
const _: () = assert!(offset_of!(PySetObject, used) == 24);
const _: () = assert!(offset_of!(PySetObject, mask) == 32);
const _: () = assert!(offset_of!(PySetObject, table) == 40);
const _: () = assert!(offset_of!(PySetObject, hash) == 48);
const _: () = assert!(offset_of!(PySetObject, finger) == 56);
const _: () = assert!(offset_of!(PySetObject, smalltable) == 64);
const _: () = assert!(offset_of!(PySetObject, weakreflist) == 192);
const _: () = assert!(offset_of!(PySliceObject, ob_base) == 0);
const _: () = assert!(offset_of!(PySliceObject, start) == 16);
const _: () = assert!(offset_of!(PySliceObject, stop) == 24);
const _: () = assert!(offset_of!(PySliceObject, step) == 32);
const _: () = assert!(offset_of!(PyStructSequence_Desc, name) == 0);
const _: () = assert!(offset_of!(PyStructSequence_Desc, doc) == 8);
const _: () = assert!(offset_of!(PyStructSequence_Desc, fields) == 16);
const _: () = assert!(offset_of!(PyStructSequence_Desc, n_in_sequence) == 24);
const _: () = assert!(offset_of!(PyStructSequence_Field, name) == 0);
const _: () = assert!(offset_of!(PyStructSequence_Field, doc) == 8);
const _: () = assert!(offset_of!(PyTupleObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyTupleObject, ob_item) == 24);
const _: () = assert!(offset_of!(_PyDictViewObject, ob_base) == 0);
const _: () = assert!(offset_of!(_PyDictViewObject, dv_dict) == 16);
const _: () = assert!(offset_of!(setentry, key) == 0);
const _: () = assert!(offset_of!(setentry, hash) == 8);
