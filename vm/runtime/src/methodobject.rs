//! Built-in functions (`PyCFunctionObject`) and how C functions of every `METH_*` kind are called.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl CFunction {
    /// `def` must live as long as the function (static or leaked).
    pub fn new(def: *mut PyMethodDef, self_: Option<&Object>, module: Option<&Object>) -> Owned<CFunction> { todo!() }
}
