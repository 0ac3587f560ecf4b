//! Struct sequences (`os.stat_result`, `time.struct_time`): tuples with named fields.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

/// Makes a struct sequence type: `fields` beyond `visible` are reachable by name only.
pub fn new_type(name: &'static str, doc: &'static str, fields: &[(&'static str, &'static str)], visible: usize) -> PyResult<Owned<Type>> { todo!() }
/// An instance with these values (all fields, hidden ones included).
pub fn new(ty: &Type, values: Vec<Owned<Object>>) -> Owned<Tuple> { todo!() }
