//! `complex`.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl Complex {
    pub fn new(re: f64, im: f64) -> Owned<Complex> { todo!() }
    pub fn value(&self) -> (f64, f64) {
        // SAFETY: a complex number's value never changes.
        unsafe { ((*self.as_struct()).cval.real, (*self.as_struct()).cval.imag) }
    }
}
