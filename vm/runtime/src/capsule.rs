//! `PyCapsule`: a C pointer in a Python object, marked by a name, with an optional destructor and a context pointer.
//!
//! Extension modules hand each other their C functions this way: `module.attribute` holds a capsule whose name is "module.attribute".

use crate::prelude::*;
use core::ffi::{CStr, c_char, c_void};
use lh_abi::*;
use std::ptr::null_mut;

pub type Destructor = unsafe extern "C" fn(*mut PyObject);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct CapsuleObject {
    pub ob_base: PyObject,
    pub pointer: *mut c_void,
    pub name: *const c_char,
    pub context: *mut c_void,
    pub destructor: Option<Destructor>,
}
crate::kind!(/** `PyCapsule` */ Capsule: CapsuleObject, crate::type_table::PyCapsule_Type);
const _: () = assert!(size_of::<CapsuleObject>() == 48);

impl Capsule {
    /// A capsule around `pointer`. The name is not copied: it must outlive the capsule.
    ///
    /// # Safety
    /// `name` is null or a C string that lives as long as the capsule; `destructor` takes a capsule.
    #[inline]
    pub unsafe fn new(
        pointer: *mut c_void,
        name: *const c_char,
        destructor: Option<Destructor>,
    ) -> PyResult<Owned<Capsule>> {
        if pointer.is_null() {
            return raise!(ValueError, "PyCapsule_New called with null pointer");
        }
        // SAFETY: a new object, filled here.
        unsafe {
            let c = crate::alloc::take(size_of::<CapsuleObject>()).cast::<CapsuleObject>();
            if c.is_null() {
                return raise!(MemoryError);
            }
            let ob_base = PyObject { ob_refcnt: 1, ob_type: Self::type_ptr() };
            c.write(CapsuleObject { ob_base, pointer, name, context: null_mut(), destructor });
            Ok(Owned::from_raw(c.cast()))
        }
    }
    /// A capsule for a Rust static.
    pub fn of_static(pointer: *const c_void, name: &'static CStr) -> PyResult<Owned<Capsule>> {
        // SAFETY: the name lives for ever.
        unsafe { Self::new(pointer.cast_mut(), name.as_ptr(), None) }
    }
    #[inline]
    pub fn fields(&self) -> CapsuleObject {
        // SAFETY: plain reads of the object's fields.
        unsafe { *self.as_struct() }
    }
    /// Is this its name, or has it none and `name` is null?
    ///
    /// # Safety
    /// `name` is null or a C string.
    #[inline]
    pub unsafe fn is_named(&self, name: *const c_char) -> bool {
        let own = self.fields().name;
        // SAFETY: both are C strings if they aren't null.
        own == name || !own.is_null() && !name.is_null() && unsafe { libc::strcmp(own, name) == 0 }
    }
    pub fn name(&self) -> Option<&CStr> {
        let n = self.fields().name;
        // SAFETY: `new` demands a C string that lives as long as the capsule.
        if n.is_null() { None } else { Some(unsafe { CStr::from_ptr(n) }) }
    }
    pub fn context(&self) -> *mut c_void {
        self.fields().context
    }
    pub fn destructor(&self) -> Option<Destructor> {
        self.fields().destructor
    }
    /// The pointer, if the capsule has this name; else `ValueError`.
    pub fn pointer(&self, name: Option<&CStr>) -> PyResult<*mut c_void> {
        if self.name() == name {
            Ok(self.fields().pointer)
        } else {
            raise!(ValueError, "PyCapsule_GetPointer called with incorrect name")
        }
    }
}

/// `PyCapsule_GetPointer(o, name)`.
pub fn pointer_of(o: &Object, name: Option<&CStr>) -> PyResult<*mut c_void> {
    match o.downcast_exact::<Capsule>() {
        Some(c) if !c.fields().pointer.is_null() => c.pointer(name),
        _ => raise!(ValueError, "PyCapsule_GetPointer called with invalid PyCapsule object"),
    }
}

/// `PyCapsule_Import("package.module.attribute")`: the pointer of the capsule of that name.
pub fn import(name: &CStr) -> PyResult<*mut c_void> {
    let text = name.to_string_lossy();
    let mut parts = text.split('.');
    let first = parts.next().unwrap_or("");
    let mut o = match crate::import::import_module(first) {
        Ok(m) => m,
        Err(e) => {
            drop(e.take());
            return raise!(ImportError, "PyCapsule_Import could not import module \"{}\"", first);
        }
    };
    for p in parts {
        o = o.get_attr_str(p)?;
    }
    match o.downcast_exact::<Capsule>() {
        Some(c) if c.name() == Some(name) => Ok(c.fields().pointer),
        _ => raise!(AttributeError, "PyCapsule_Import \"{}\" is not valid", text),
    }
}

#[pymethods(extra = extra)]
impl Capsule {
    #[slot(tp_repr)]
    fn py_repr(&self) -> String {
        match self.name() {
            Some(n) => format!("<capsule object \"{}\" at {:p}>", n.to_string_lossy(), self.raw()),
            None => format!("<capsule object NULL at {:p}>", self.raw()),
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero; the destructor was given for this object.
        unsafe {
            if let Some(f) = (*o.cast::<CapsuleObject>()).destructor {
                f(o);
            }
            crate::alloc::put(o.cast(), size_of::<CapsuleObject>());
        }
    }
}

fn extra(b: &mut TypeBuilder) {
    b.doc(c"A C pointer that extension modules hand each other, marked by a name.");
}

pub fn init() -> PyResult<()> {
    ready::<Capsule>()?;
    Ok(())
}

/// A capsule around memory that lives for ever.
pub fn new(pointer: *mut c_void, name: &'static CStr) -> PyResult {
    Capsule::of_static(pointer, name).map(|c| c.into_object())
}
