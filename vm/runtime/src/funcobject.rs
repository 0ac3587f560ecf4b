//! Python functions, cells, `classmethod`, `staticmethod`.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl Function {
    /// A function object for a code object; `interp` installs the vectorcall through `hooks`.
    pub fn new(code: &Code, globals: &Object, qualname: Option<&Str>) -> PyResult<Owned<Function>> { todo!() }
}
impl CellObject {
    pub fn new(v: Option<Owned<Object>>) -> Owned<CellObject> { todo!() }
    pub fn get(&self) -> Option<Owned<Object>> { todo!() }
    pub fn set(&self, v: Option<Owned<Object>>) { todo!() }
}
