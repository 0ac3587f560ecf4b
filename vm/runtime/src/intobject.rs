//! `int`: 30-bit digits, small integers cached in `_PyRuntime`'s place, big arithmetic through `num-bigint`.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl Int {
    pub fn from_i64(v: i64) -> Owned<Int> { todo!() }
    pub fn from_u64(v: u64) -> Owned<Int> { todo!() }
    pub fn from_i128(v: i128) -> Owned<Int> { todo!() }
    pub fn from_usize(v: usize) -> Owned<Int> {
        Int::from_u64(v as u64)
    }
    pub fn from_bigint(v: &num_bigint::BigInt) -> Owned<Int> { todo!() }
    /// Truncates; raises for infinities and NaN.
    pub fn from_f64(v: f64) -> PyResult<Owned<Int>> { todo!() }
    /// `int(text, base)` syntax, with CPython's `ValueError`.
    pub fn parse(text: &str, base: u32) -> PyResult<Owned<Int>> { todo!() }
    pub fn to_i64(&self) -> Option<i64> { todo!() }
    pub fn to_u64(&self) -> Option<u64> { todo!() }
    pub fn to_i128(&self) -> Option<i128> { todo!() }
    pub fn to_usize(&self) -> Option<usize> {
        self.to_u64().map(|v| v as usize)
    }
    /// As C does with `PyLong_AsUnsignedLongMask`.
    pub fn to_u64_wrapping(&self) -> u64 { todo!() }
    pub fn to_bigint(&self) -> num_bigint::BigInt { todo!() }
    /// Raises `OverflowError: int too large to convert to float`.
    pub fn to_f64(&self) -> PyResult<f64> { todo!() }
    pub fn sign(&self) -> i32 { todo!() }
    pub fn bit_length(&self) -> u64 { todo!() }
    pub fn hash_value(&self) -> isize { todo!() }
    pub fn to_string_radix(&self, radix: u32) -> String { todo!() }
}
