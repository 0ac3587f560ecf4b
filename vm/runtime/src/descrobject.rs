//! Descriptors of built-in types, `property`, `mappingproxy`, slot wrappers.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

