//! `bytes`.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl Bytes {
    pub fn new(b: &[u8]) -> Owned<Bytes> { todo!() }
    /// `n` bytes that `fill` writes before anybody sees the object.
    pub fn with(n: usize, fill: impl FnOnce(&mut [u8])) -> PyResult<Owned<Bytes>> { todo!() }
    /// The content; immutable while the object lives.
    pub fn as_bytes(&self) -> &[u8] { todo!() }
    pub fn len(&self) -> usize { todo!() }
}
