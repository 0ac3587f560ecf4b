//! Structs of CPython 3.11's `moduleobject` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyModuleDef {
    pub m_base: PyModuleDef_Base,
    pub m_name: *const c_char,
    pub m_doc: *const c_char,
    pub m_size: isize,
    pub m_methods: *mut PyMethodDef,
    pub m_slots: *mut PyModuleDef_Slot,
    pub m_traverse: Option<traverseproc>,
    pub m_clear: Option<inquiry>,
    pub m_free: Option<freefunc>,
}
const _: () = assert!(size_of::<PyModuleDef>() == 104);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyModuleDef_Base {
    pub ob_base: PyObject,
    pub m_init: Option<unsafe extern "C" fn() -> *mut PyObject>,
    pub m_index: isize,
    pub m_copy: *mut PyObject,
}
const _: () = assert!(size_of::<PyModuleDef_Base>() == 40);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyModuleDef_Slot {
    pub slot: c_int,
    pub value: *mut c_void,
}
const _: () = assert!(size_of::<PyModuleDef_Slot>() == 16);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyModuleObject {
    pub ob_base: PyObject,
    pub md_dict: *mut PyObject,
    pub md_def: *mut PyModuleDef,
    pub md_state: *mut c_void,
    pub md_weaklist: *mut PyObject,
    pub md_name: *mut PyObject,
}
const _: () = assert!(size_of::<PyModuleObject>() == 56);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _frozen {
    pub name: *const c_char,
    pub code: *const u8,
    pub size: c_int,
    pub is_package: c_int,
    pub get_code: Option<unsafe extern "C" fn() -> *mut PyObject>,
}
const _: () = assert!(size_of::<_frozen>() == 32);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _inittab {
    pub name: *const c_char,
    pub initfunc: Option<unsafe extern "C" fn() -> *mut PyObject>,
}
const _: () = assert!(size_of::<_inittab>() == 16);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyModuleDef, m_base) == 0);
const _: () = assert!(offset_of!(PyModuleDef, m_name) == 40);
const _: () = assert!(offset_of!(PyModuleDef, m_doc) == 48);
const _: () = assert!(offset_of!(PyModuleDef, m_size) == 56);
const _: () = assert!(offset_of!(PyModuleDef, m_methods) == 64);
const _: () = assert!(offset_of!(PyModuleDef, m_slots) == 72);
const _: () = assert!(offset_of!(PyModuleDef, m_traverse) == 80);
const _: () = assert!(offset_of!(PyModuleDef, m_clear) == 88);
const _: () = assert!(offset_of!(PyModuleDef, m_free) == 96);
const _: () = assert!(offset_of!(PyModuleDef_Base, ob_base) == 0);
const _: () = assert!(offset_of!(PyModuleDef_Base, m_init) == 16);
const _: () = assert!(offset_of!(PyModuleDef_Base, m_index) == 24);
const _: () = assert!(offset_of!(PyModuleDef_Base, m_copy) == 32);
const _: () = assert!(offset_of!(PyModuleDef_Slot, slot) == 0);
const _: () = assert!(offset_of!(PyModuleDef_Slot, value) == 8);
const _: () = assert!(offset_of!(PyModuleObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyModuleObject, md_dict) == 16);
const _: () = assert!(offset_of!(PyModuleObject, md_def) == 24);
const _: () = assert!(offset_of!(PyModuleObject, md_state) == 32);
const _: () = assert!(offset_of!(PyModuleObject, md_weaklist) == 40);
const _: () = assert!(offset_of!(PyModuleObject, md_name) == 48);
const _: () = assert!(offset_of!(_frozen, name) == 0);
const _: () = assert!(offset_of!(_frozen, code) == 8);
const _: () = assert!(offset_of!(_frozen, size) == 16);
const _: () = assert!(offset_of!(_frozen, is_package) == 20);
const _: () = assert!(offset_of!(_frozen, get_code) == 24);
const _: () = assert!(offset_of!(_inittab, name) == 0);
const _: () = assert!(offset_of!(_inittab, initfunc) == 8);
