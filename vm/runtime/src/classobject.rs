//! Bound methods.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl Method {
    pub fn new(func: &Object, self_: &Object) -> Owned<Method> { todo!() }
    pub fn func(&self) -> &Object { todo!() }
    pub fn self_(&self) -> &Object { todo!() }
}
