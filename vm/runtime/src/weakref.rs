//! Weak references and proxies.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

/// Clears all weak references to `o` and calls their callbacks; for deallocators.
pub unsafe fn clear_weakrefs(o: *mut PyObject) { todo!() }
impl WeakRef {
    pub fn new(o: &Object, callback: Option<&Object>) -> PyResult<Owned<Object>> { todo!() }
    pub fn target(&self) -> Option<Owned<Object>> { todo!() }
}
