//! `list`, with its sort in `listsort.rs`.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl List {
    pub fn new() -> Owned<List> { todo!() }
    pub fn from_vec(v: Vec<Owned<Object>>) -> Owned<List> { todo!() }
    pub fn len(&self) -> usize { todo!() }
    pub fn get(&self, i: usize) -> Option<Owned<Object>> { todo!() }
    pub fn push(&self, o: Owned<Object>) { todo!() }
    /// Replaces item `i < len()`.
    pub fn set(&self, i: usize, o: Owned<Object>) { todo!() }
    pub fn insert(&self, i: usize, o: Owned<Object>) { todo!() }
    pub fn pop(&self) -> Option<Owned<Object>> { todo!() }
    pub fn to_vec(&self) -> Vec<Owned<Object>> { todo!() }
    pub fn to_tuple(&self) -> Owned<Tuple> { todo!() }
    pub fn extend(&self, iterable: &Object) -> PyResult<()> { todo!() }
    pub fn sort(&self, key: Option<&Object>, reverse: bool) -> PyResult<()> { todo!() }
    pub fn reverse(&self) { todo!() }
}
