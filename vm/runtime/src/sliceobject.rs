//! `slice` and `Ellipsis`.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl Slice {
    pub fn new(start: &Object, stop: &Object, step: &Object) -> Owned<Slice> { todo!() }
    /// `(start, stop, step, count)` for a sequence of `len` items.
    pub fn indices(&self, len: usize) -> PyResult<(isize, isize, isize, usize)> { todo!() }
    pub fn start(&self) -> &Object { todo!() }
    pub fn stop(&self) -> &Object { todo!() }
    pub fn step(&self) -> &Object { todo!() }
}
