//! TEMPORARY interface
use crate::errors::*;
use crate::object::*;
pub fn loads(_b: &[u8]) -> PyResult { todo!() }
pub fn loads_prefix(_b: &[u8]) -> PyResult<(Owned<Object>, usize)> { todo!() }
pub fn dumps(_o: &Object, _v: i32) -> PyResult<Vec<u8>> { todo!() }
