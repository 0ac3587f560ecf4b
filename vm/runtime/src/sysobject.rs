//! The `sys` module's dictionary as the runtime needs it: `sys_get`, `sys_set`, audit.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

/// `sys.NAME`, if set.
pub fn sys_get(name: &str) -> Option<Owned<Object>> { todo!() }
pub fn sys_set(name: &str, value: &Object) -> PyResult<()> { todo!() }
/// The dictionary of `sys`, made on first use.
pub fn sys_dict() -> &'static Dict { todo!() }
/// `sys.modules`.
pub fn modules() -> Owned<Dict> { todo!() }
/// The dictionary of `builtins`.
pub fn builtins_dict() -> &'static Dict { todo!() }
