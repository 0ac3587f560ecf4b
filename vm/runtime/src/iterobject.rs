//! Sequence iterators and `callable_iterator`; `zip`, `map`, `filter`.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

