//! The cycle collector: generations over `PyGC_Head` lists.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

/// Does the object have a GC head (`PyObject_IS_GC`)?
pub unsafe fn is_gc_object(o: *mut PyObject) -> bool { todo!() }
pub unsafe fn track(o: *mut PyObject) { todo!() }
pub unsafe fn untrack(o: *mut PyObject) { todo!() }
pub unsafe fn is_tracked(o: *mut PyObject) -> bool { todo!() }
/// A full collection; the number of unreachable objects.
pub fn collect(generation: usize) -> usize { todo!() }
/// Zeroed memory for a collectable object of `basicsize + n * itemsize` bytes behind its GC head; count 1, type set, not tracked. Null: no memory.
pub unsafe fn new_object(tp: *mut PyTypeObject, n: isize) -> *mut PyObject { todo!() }
/// Frees memory got from `new_object`.
pub unsafe fn free_object(o: *mut PyObject) { todo!() }
