//! `type`: making, readying and changing types; the MRO; slot inheritance; attribute lookup on types.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

use core::ffi::{c_int, c_void};
/// Allocates a zeroed instance (`tp_alloc`) with `n` items, count 1, tracked if the type is.
pub fn alloc(tp: *mut PyTypeObject, n: isize) -> PyResult<*mut PyObject> { todo!() }
/// Frees the memory of an instance through `tp_free` and drops its heap type's count; the object is untracked already.
pub unsafe fn free_instance(o: *mut PyObject) { todo!() }
/// Sets a slot by number.
pub unsafe fn set_slot(t: *mut PyTypeObject, id: c_int, f: *mut c_void) { todo!() }
/// `PyType_Ready`.
pub unsafe fn ready(t: *mut PyTypeObject) -> PyResult<()> { todo!() }
impl Type {
    /// `tp_name` as error messages show it (`%.200s` of it).
    pub fn name(&self) -> String { todo!() }
    pub fn is_subtype(&self, other: &Type) -> bool { todo!() }
    /// `_PyType_Lookup`: through the MRO, no descriptors called, never raises.
    pub fn lookup(&self, name: &Str) -> Option<Owned<Object>> { todo!() }
    pub fn lookup_str(&self, name: &str) -> Option<Owned<Object>> { todo!() }
    /// Sets an attribute of a built-in type while it is being made.
    pub fn set_builtin_attr(&self, name: &str, v: &Object) -> PyResult<()> { todo!() }
    /// `PyType_Modified`: invalidates caches and notifies watchers.
    pub fn modified(&self) { todo!() }
    pub fn flags(&self) -> u64 { todo!() }
    pub fn has_flag(&self, f: u64) -> bool { self.flags() & f != 0 }
    pub fn mro(&self) -> Owned<Tuple> { todo!() }
    pub fn dict(&self) -> &Dict { todo!() }
    /// A non-zero version of the type's attributes, 0 if none can be assigned.
    pub fn version(&self) -> u32 { todo!() }
}
