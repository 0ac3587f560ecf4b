//! Code objects: from `lh_bytecode`'s code model or from `types.CodeType(...)`; lines and positions.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

