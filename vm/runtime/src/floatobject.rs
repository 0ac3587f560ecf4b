//! `float`: repr, parsing, formatting, arithmetic.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl Float {
    pub fn new(v: f64) -> Owned<Float> { todo!() }
    #[inline]
    pub fn value(&self) -> f64 {
        // SAFETY: a float's value never changes.
        unsafe { (*self.as_struct()).ob_fval }
    }
}
/// `repr(float)`.
pub fn repr(v: f64) -> String { todo!() }
/// `float(text)`; `None` if the text is no float.
pub fn parse(text: &str) -> Option<f64> { todo!() }
pub fn hash(v: f64) -> isize { todo!() }
