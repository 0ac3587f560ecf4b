//! What any object can be asked: attributes, items, calls, comparison, iteration, conversion to text.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

use crate::slots::CompareOp;
impl Object {
    // ---- Attributes ----
    pub fn get_attr(&self, name: &Str) -> PyResult { todo!() }
    pub fn get_attr_str(&self, name: &str) -> PyResult { todo!() }
    /// `None` instead of `AttributeError`.
    pub fn get_attr_opt(&self, name: &Str) -> PyResult<Option<Owned<Object>>> { todo!() }
    pub fn get_attr_str_opt(&self, name: &str) -> PyResult<Option<Owned<Object>>> { todo!() }
    pub fn set_attr(&self, name: &Str, value: &Object) -> PyResult<()> { todo!() }
    pub fn set_attr_str(&self, name: &str, value: &Object) -> PyResult<()> { todo!() }
    pub fn del_attr(&self, name: &Str) -> PyResult<()> { todo!() }
    /// `PyObject_GenericGetAttr`.
    pub fn generic_get_attr(&self, name: &Str) -> PyResult { todo!() }
    pub fn generic_set_attr(&self, name: &Str, value: Option<&Object>) -> PyResult<()> { todo!() }
    /// The special method `name` looked up on the type and bound; `None` if absent.
    pub fn lookup_special(&self, name: &Str) -> PyResult<Option<Owned<Object>>> { todo!() }
    // ---- Calls ----
    pub fn call(&self, args: &[&Object]) -> PyResult { todo!() }
    pub fn call0(&self) -> PyResult { self.call(&[]) }
    pub fn call1(&self, a: &Object) -> PyResult { self.call(&[a]) }
    pub fn call_kw(&self, args: &[&Object], kwargs: &[(&str, &Object)]) -> PyResult { todo!() }
    pub fn call_tuple(&self, args: &Tuple, kwargs: Option<&Dict>) -> PyResult { todo!() }
    pub fn call_method(&self, name: &str, args: &[&Object]) -> PyResult { todo!() }
    pub fn is_callable(&self) -> bool { todo!() }
    /// The vectorcall protocol; `nargsf` may carry PY_VECTORCALL_ARGUMENTS_OFFSET. Returns a new reference or null.
    pub unsafe fn vectorcall(&self, args: *const *mut PyObject, nargsf: usize, kwnames: *mut PyObject) -> *mut PyObject { todo!() }
    // ---- Items ----
    pub fn get_item(&self, key: &Object) -> PyResult { todo!() }
    pub fn set_item_of(&self, key: &Object, value: &Object) -> PyResult<()> { todo!() }
    pub fn del_item_of(&self, key: &Object) -> PyResult<()> { todo!() }
    /// `PySequence_GetItem`.
    pub fn seq_item(&self, i: isize) -> PyResult { todo!() }
    pub fn contains_item(&self, item: &Object) -> PyResult<bool> { todo!() }
    /// `len(self)`.
    pub fn length(&self) -> PyResult<usize> { todo!() }
    pub fn length_hint(&self, default: usize) -> PyResult<usize> { todo!() }
    // ---- Iteration ----
    /// `iter(self)`.
    pub fn iterator(&self) -> PyResult { todo!() }
    /// The next item of an iterator; `None` when exhausted.
    pub fn iter_next(&self) -> PyResult<Option<Owned<Object>>> { todo!() }
    /// Calls `f` with every item.
    pub fn for_each(&self, f: impl FnMut(Owned<Object>) -> PyResult<()>) -> PyResult<()> { let _ = f; todo!() }
    /// All items, as `list(self)` would have them.
    pub fn to_items(&self) -> PyResult<Vec<Owned<Object>>> { todo!() }
    // ---- Comparison, hash, truth ----
    pub fn rich_compare(&self, other: &Object, op: CompareOp) -> PyResult { todo!() }
    /// With the identity shortcut of containers for `==` and `!=`.
    pub fn rich_compare_bool(&self, other: &Object, op: CompareOp) -> PyResult<bool> { todo!() }
    /// `self == other` with the identity shortcut.
    pub fn equals_obj(&self, other: &Object) -> PyResult<bool> { self.rich_compare_bool(other, CompareOp::Eq) }
    pub fn hash_obj(&self) -> PyResult<isize> { todo!() }
    pub fn is_true(&self) -> PyResult<bool> { todo!() }
    // ---- Text ----
    pub fn repr(&self) -> PyResult<Owned<Str>> { todo!() }
    pub fn str(&self) -> PyResult<Owned<Str>> { todo!() }
    pub fn ascii(&self) -> PyResult<Owned<Str>> { todo!() }
    /// `format(self, spec)`.
    pub fn format(&self, spec: &Str) -> PyResult<Owned<Str>> { todo!() }
    /// For messages: `repr`, or a fallback when that raises.
    pub fn repr_lossy(&self) -> String { todo!() }
    pub fn dir(&self) -> PyResult<Owned<List>> { todo!() }
    // ---- Types ----
    pub fn is_instance(&self, class: &Object) -> PyResult<bool> { todo!() }
    pub fn is_subclass(&self, class: &Object) -> PyResult<bool> { todo!() }
}
