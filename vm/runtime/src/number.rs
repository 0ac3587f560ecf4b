//! The number protocol: `operator.index`, conversions, binary and in-place operators with their dispatch rules.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

/// `operator.index(o)`: raises `TypeError: 'x' object cannot be interpreted as an integer`.
pub fn index(o: &Object) -> PyResult<Owned<Int>> { todo!() }
/// `index` clipped to `isize` (slices); with `overflow` it raises that instead of clipping (e.g. `IndexError`).
pub fn as_isize(o: &Object, overflow: Option<&Type>) -> PyResult<isize> { todo!() }
/// `float(o)` without strings: `__float__`, then `__index__`.
pub fn as_f64(o: &Object) -> PyResult<f64> { todo!() }
/// `int(o)`.
pub fn to_int(o: &Object) -> PyResult<Owned<Object>> { todo!() }
/// `float(o)`.
pub fn to_float(o: &Object) -> PyResult<Owned<Object>> { todo!() }
pub fn negative(o: &Object) -> PyResult { todo!() }
pub fn positive(o: &Object) -> PyResult { todo!() }
pub fn invert(o: &Object) -> PyResult { todo!() }
pub fn absolute(o: &Object) -> PyResult { todo!() }
pub fn power(a: &Object, b: &Object, c: &Object) -> PyResult { todo!() }
pub fn inplace_power(a: &Object, b: &Object, c: &Object) -> PyResult { todo!() }
pub fn add(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn subtract(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn multiply(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn remainder(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn divmod(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn lshift(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn rshift(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn and_(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn xor(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn or_(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn floor_divide(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn true_divide(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn matrix_multiply(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn inplace_add(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn inplace_subtract(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn inplace_multiply(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn inplace_remainder(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn inplace_lshift(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn inplace_rshift(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn inplace_and(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn inplace_xor(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn inplace_or(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn inplace_floor_divide(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn inplace_true_divide(a: &Object, b: &Object) -> PyResult { todo!() }
pub fn inplace_matrix_multiply(a: &Object, b: &Object) -> PyResult { todo!() }
/// The operator numbered `op` by the BINARY_OP instruction (0 add, 1 and, … 13 inplace add, …).
pub fn binary_op(op: u32, a: &Object, b: &Object) -> PyResult { todo!() }
