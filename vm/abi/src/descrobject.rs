//! Structs of CPython 3.11's `descrobject` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyDescrObject {
    pub ob_base: PyObject,
    pub d_type: *mut PyTypeObject,
    pub d_name: *mut PyObject,
    pub d_qualname: *mut PyObject,
}
const _: () = assert!(size_of::<PyDescrObject>() == 40);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyGetSetDef {
    pub name: *const c_char,
    pub get: Option<getter>,
    pub set: Option<setter>,
    pub doc: *const c_char,
    pub closure: *mut c_void,
}
const _: () = assert!(size_of::<PyGetSetDef>() == 40);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyGetSetDescrObject {
    pub d_common: PyDescrObject,
    pub d_getset: *mut PyGetSetDef,
}
const _: () = assert!(size_of::<PyGetSetDescrObject>() == 48);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyMemberDef {
    pub name: *const c_char,
    pub r#type: c_int,
    pub offset: isize,
    pub flags: c_int,
    pub doc: *const c_char,
}
const _: () = assert!(size_of::<PyMemberDef>() == 40);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyMemberDescrObject {
    pub d_common: PyDescrObject,
    pub d_member: *mut PyMemberDef,
}
const _: () = assert!(size_of::<PyMemberDescrObject>() == 48);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyMethodDescrObject {
    pub d_common: PyDescrObject,
    pub d_method: *mut PyMethodDef,
    pub vectorcall: vectorcallfunc,
}
const _: () = assert!(size_of::<PyMethodDescrObject>() == 56);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyWrapperDescrObject {
    pub d_common: PyDescrObject,
    pub d_base: *mut wrapperbase,
    pub d_wrapped: *mut c_void,
}
const _: () = assert!(size_of::<PyWrapperDescrObject>() == 56);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct wrapperbase {
    pub name: *const c_char,
    pub offset: c_int,
    pub function: *mut c_void,
    pub wrapper: *mut c_void,
    pub doc: *const c_char,
    pub flags: c_int,
    pub name_strobj: *mut PyObject,
}
const _: () = assert!(size_of::<wrapperbase>() == 56);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyDescrObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyDescrObject, d_type) == 16);
const _: () = assert!(offset_of!(PyDescrObject, d_name) == 24);
const _: () = assert!(offset_of!(PyDescrObject, d_qualname) == 32);
const _: () = assert!(offset_of!(PyGetSetDef, name) == 0);
const _: () = assert!(offset_of!(PyGetSetDef, get) == 8);
const _: () = assert!(offset_of!(PyGetSetDef, set) == 16);
const _: () = assert!(offset_of!(PyGetSetDef, doc) == 24);
const _: () = assert!(offset_of!(PyGetSetDef, closure) == 32);
const _: () = assert!(offset_of!(PyGetSetDescrObject, d_common) == 0);
const _: () = assert!(offset_of!(PyGetSetDescrObject, d_getset) == 40);
const _: () = assert!(offset_of!(PyMemberDef, name) == 0);
const _: () = assert!(offset_of!(PyMemberDef, r#type) == 8);
const _: () = assert!(offset_of!(PyMemberDef, offset) == 16);
const _: () = assert!(offset_of!(PyMemberDef, flags) == 24);
const _: () = assert!(offset_of!(PyMemberDef, doc) == 32);
const _: () = assert!(offset_of!(PyMemberDescrObject, d_common) == 0);
const _: () = assert!(offset_of!(PyMemberDescrObject, d_member) == 40);
const _: () = assert!(offset_of!(PyMethodDescrObject, d_common) == 0);
const _: () = assert!(offset_of!(PyMethodDescrObject, d_method) == 40);
const _: () = assert!(offset_of!(PyMethodDescrObject, vectorcall) == 48);
const _: () = assert!(offset_of!(PyWrapperDescrObject, d_common) == 0);
const _: () = assert!(offset_of!(PyWrapperDescrObject, d_base) == 40);
const _: () = assert!(offset_of!(PyWrapperDescrObject, d_wrapped) == 48);
const _: () = assert!(offset_of!(wrapperbase, name) == 0);
const _: () = assert!(offset_of!(wrapperbase, offset) == 8);
const _: () = assert!(offset_of!(wrapperbase, function) == 16);
const _: () = assert!(offset_of!(wrapperbase, wrapper) == 24);
const _: () = assert!(offset_of!(wrapperbase, doc) == 32);
const _: () = assert!(offset_of!(wrapperbase, flags) == 40);
const _: () = assert!(offset_of!(wrapperbase, name_strobj) == 48);
