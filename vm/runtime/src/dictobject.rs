//! `dict`: insertion-ordered compact hash table, version tags.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl Dict {
    pub fn new() -> Owned<Dict> { todo!() }
    pub fn len(&self) -> usize { todo!() }
    pub fn get_item(&self, key: &Object) -> PyResult<Option<Owned<Object>>> { todo!() }
    /// Lookup by an exact string key: never runs Python code and never raises if all keys are strings.
    pub fn get_str_key(&self, key: &Str) -> PyResult<Option<Owned<Object>>> { todo!() }
    pub fn get_str(&self, key: &str) -> PyResult<Option<Owned<Object>>> { todo!() }
    /// Adds or replaces; does not take over the references.
    pub fn set_item(&self, key: &Object, value: &Object) -> PyResult<()> { todo!() }
    pub fn set_str(&self, key: &str, value: &Object) -> PyResult<()> { todo!() }
    /// Whether the key was there.
    pub fn del_item(&self, key: &Object) -> PyResult<bool> { todo!() }
    pub fn pop(&self, key: &Object) -> PyResult<Option<Owned<Object>>> { todo!() }
    pub fn set_default(&self, key: &Object, value: &Object) -> PyResult<Owned<Object>> { todo!() }
    pub fn contains(&self, key: &Object) -> PyResult<bool> { todo!() }
    pub fn clear(&self) { todo!() }
    pub fn copy(&self) -> Owned<Dict> { todo!() }
    /// `self.update(other)` for a mapping or an iterable of pairs.
    pub fn update(&self, other: &Object) -> PyResult<()> { todo!() }
    /// Iteration that tolerates changes: `pos` starts at 0.
    pub fn next(&self, pos: &mut usize) -> Option<(Owned<Object>, Owned<Object>)> { todo!() }
    pub fn items_vec(&self) -> Vec<(Owned<Object>, Owned<Object>)> { todo!() }
    pub fn keys_vec(&self) -> Vec<Owned<Object>> { todo!() }
    pub fn values_vec(&self) -> Vec<Owned<Object>> { todo!() }
    /// The table's entry index of a string key, for inline caches; valid while `keys_version()` is unchanged.
    pub fn index_of(&self, key: &Str) -> Option<usize> { todo!() }
    /// A number that changes whenever a key is added, removed or moves (not when a value is replaced). Never 0.
    pub fn keys_version(&self) -> u32 { todo!() }
    /// The value at an entry index got from `index_of` under the same `keys_version()`.
    pub fn value_at(&self, index: usize) -> Option<&Object> { todo!() }
}
