//! `PyCapsule`: a C pointer that travels as a Python object.

use crate::errors::*;
use crate::kind;
use crate::object::*;
use crate::prelude::ready;
use crate::{alloc, pymethods};
use core::ffi::{CStr, c_char, c_void};
use lh_abi::*;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct CapsuleObject {
    pub ob_base: PyObject,
    pub pointer: *mut c_void,
    /// Not copied: lives as long as the capsule.
    pub name: *const c_char,
    pub context: *mut c_void,
    pub destructor: Option<destructor>,
}
kind!(/** `PyCapsule` */ Capsule: CapsuleObject, crate::type_table::PyCapsule_Type);
const _: () = assert!(size_of::<CapsuleObject>() == 48);

/// A capsule with a static name and no destructor.
pub fn new(pointer: *mut c_void, name: &'static CStr) -> PyResult {
    // SAFETY: a static name; no destructor.
    unsafe { new_raw(pointer, name.as_ptr(), None) }
}

/// `PyCapsule_New`.
///
/// # Safety
/// `name` is null or outlives the capsule.
pub unsafe fn new_raw(pointer: *mut c_void, name: *const c_char, d: Option<destructor>) -> PyResult {
    if pointer.is_null() {
        return crate::raise!(ValueError, "PyCapsule_New called with null pointer");
    }
    // SAFETY: a new object of this layout.
    unsafe {
        let p = alloc::calloc(1, size_of::<CapsuleObject>()).cast::<CapsuleObject>();
        if p.is_null() {
            return crate::raise!(MemoryError);
        }
        (*p).ob_base = PyObject { ob_refcnt: 1, ob_type: Capsule::type_ptr() };
        (*p).pointer = pointer;
        (*p).name = name;
        (*p).destructor = d;
        Ok(Owned::from_raw(p.cast()))
    }
}

#[pymethods]
impl Capsule {
    #[slot(tp_repr)]
    fn repr(&self) -> String {
        // SAFETY: the name is null or a C string.
        let name = unsafe {
            let n = (*self.as_struct()).name;
            if n.is_null() { "NULL".to_string() } else { format!("\"{}\"", CStr::from_ptr(n).to_string_lossy()) }
        };
        format!("<capsule object {} at {:p}>", name, self.as_ptr())
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero; the destructor takes the dying capsule.
        unsafe {
            if let Some(d) = (*o.cast::<CapsuleObject>()).destructor {
                d(o)
            }
            alloc::free(o.cast())
        }
    }
}

pub fn init() -> PyResult<()> {
    ready::<Capsule>().map(|_| ())
}
