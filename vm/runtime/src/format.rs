//! The format mini-language for str, int, float and complex, and `%` formatting.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

