//! Layouts of built-in objects whose fields no header shows: ours to choose, within CPython's sizes.

use lh_abi::*;

/// `mappingproxy`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MappingProxyObject {
    pub ob_base: PyObject,
    pub mapping: *mut PyObject,
}

/// `property`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PropertyObject {
    pub ob_base: PyObject,
    pub prop_get: *mut PyObject,
    pub prop_set: *mut PyObject,
    pub prop_del: *mut PyObject,
    pub prop_doc: *mut PyObject,
    pub prop_name: *mut PyObject,
    pub getter_doc: core::ffi::c_int,
}

/// `classmethod` and `staticmethod`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ClassMethodObject {
    pub ob_base: PyObject,
    pub callable: *mut PyObject,
    pub dict: *mut PyObject,
}
