//! `bytearray`.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl ByteArray {
    pub fn new(b: &[u8]) -> Owned<ByteArray> { todo!() }
    pub fn to_vec(&self) -> Vec<u8> { todo!() }
    pub fn len(&self) -> usize { todo!() }
    /// Changes the size; raises `BufferError` while a buffer is exported.
    pub fn resize(&self, n: usize) -> PyResult<()> { todo!() }
    pub fn data(&self) -> *mut u8 { todo!() }
}
