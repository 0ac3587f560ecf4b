//! The buffer protocol from Rust: `Buffer` holds a view and releases it on drop.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

/// A buffer got from an object.
pub struct Buffer { pub view: Box<Py_buffer> }
impl Buffer {
    /// `flags`: `PyBUF_*`. Raises `TypeError: a bytes-like object is required, not 'x'`.
    pub fn get(o: &Object, flags: i32) -> PyResult<Buffer> { todo!() }
    /// A contiguous read-only view (`y*`).
    pub fn simple(o: &Object) -> PyResult<Buffer> { todo!() }
    /// A contiguous writable view (`w*`).
    pub fn writable(o: &Object) -> PyResult<Buffer> { todo!() }
    pub fn len(&self) -> usize { todo!() }
    /// The bytes of a contiguous view. Other code may write them at any time it runs: don't hold across calls into Python.
    pub fn as_bytes(&self) -> &[u8] { todo!() }
    pub fn as_bytes_mut(&mut self) -> &mut [u8] { todo!() }
    pub fn to_vec(&self) -> Vec<u8> { todo!() }
}
pub fn supports_buffer(o: &Object) -> bool { todo!() }
impl<'a> crate::convert::FromPy<'a> for Buffer {
    fn from_py(o: &'a Object, ctx: crate::convert::ArgCtx<'_>) -> PyResult<Self> { todo!() }
}
