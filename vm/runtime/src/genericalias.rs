//! `types.GenericAlias` (`list[int]`) and `types.UnionType` (`int | str`).

use crate::errors::*;
use crate::object::*;

/// `types.GenericAlias(origin, args)`; `args` that are no tuple stand for one argument.
pub fn new(_origin: &Object, _args: &Object) -> PyResult {
    crate::raise!(NotImplementedError, "generic aliases are not there yet")
}

/// `a | b` for types.
pub fn union_or(_a: &Object, _b: &Object) -> PyResult {
    Ok(crate::singletons::not_implemented())
}
