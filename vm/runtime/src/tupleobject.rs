//! `tuple`.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl Tuple {
    pub fn empty() -> Owned<Tuple> { todo!() }
    pub fn from_vec(v: Vec<Owned<Object>>) -> Owned<Tuple> { todo!() }
    pub fn from_refs(v: &[&Object]) -> Owned<Tuple> { todo!() }
    pub fn len(&self) -> usize { todo!() }
    /// Item `i < len()`.
    pub fn get(&self, i: usize) -> Owned<Object> { todo!() }
    /// A borrowed item: a tuple that others can see never changes.
    pub fn item_ref(&self, i: usize) -> &Object { todo!() }
    pub fn as_slice_raw(&self) -> &[*mut PyObject] { todo!() }
    pub fn iter(&self) -> impl Iterator<Item = &Object> + '_ {
        (0..self.len()).map(|i| self.item_ref(i))
    }
    /// Items `start..end`.
    pub fn slice(&self, start: usize, end: usize) -> Owned<Tuple> { todo!() }
}
