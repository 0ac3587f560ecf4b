//! `set` and `frozenset`.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

macro_rules! set_api { ($t:ident) => {
    impl $t {
        pub fn new() -> Owned<$t> { todo!() }
        pub fn from_iterable(o: &Object) -> PyResult<Owned<$t>> { todo!() }
        pub fn len(&self) -> usize { todo!() }
        /// Whether it is new.
        pub fn add(&self, key: &Object) -> PyResult<bool> { todo!() }
        pub fn contains(&self, key: &Object) -> PyResult<bool> { todo!() }
        pub fn discard(&self, key: &Object) -> PyResult<bool> { todo!() }
        pub fn items_vec(&self) -> Vec<Owned<Object>> { todo!() }
    }
} }
set_api!(Set);
set_api!(FrozenSet);
/// Is it a set or a frozenset (or a subtype)?
pub fn is_anyset(o: &Object) -> bool { todo!() }
