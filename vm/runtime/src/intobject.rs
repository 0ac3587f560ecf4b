//! `int`: sign and magnitude in 30-bit digits, least significant first, exactly as CPython 3.11 lays them out.
//!
//! Three ideas carry the file. Values of up to two digits (60 bits) are computed as machine integers (`compact`). Longer ones
//! are added, subtracted and multiplied digit by digit, straight into a fresh object. Long multiplications, divisions and powers go
//! through `num-bigint`. The integers -5..=256 are static objects (in `_PyRuntime`): every result is normalised through
//! `finish`, so equal small ints are identical.
//!
//! See `intobject/digits.rs` (kernels on digit slices), `text.rs` (parsing and printing), `methods.rs` (the Python type).

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::raise;
use lh_abi::*;
use num_bigint::{BigInt, BigUint, Sign};
use std::cmp::Ordering;
use std::ptr::null_mut;

pub mod arith;
pub mod digits;
pub mod methods;
pub mod text;

pub use text::{DEFAULT_MAX_STR_DIGITS, max_str_digits, set_max_str_digits};

pub const DIGIT_BITS: u32 = 30;
pub const DIGIT_MASK: u32 = (1 << DIGIT_BITS) - 1;
/// `sys.hash_info.modulus`.
pub const HASH_MODULUS: u64 = (1 << 61) - 1;

const SMALL_MIN: i64 = -5;
const SMALL_MAX: i64 = 256;

/// The cached small integers, -5 first, as they start.
pub(crate) const fn small_ints() -> [PyLongObject; 262] {
    const fn cell(v: i64) -> PyLongObject {
        PyLongObject {
            ob_base: PyVarObject {
                ob_base: PyObject { ob_refcnt: 1 << 40, ob_type: &raw mut crate::type_table::PyLong_Type },
                ob_size: (v > 0) as isize - (v < 0) as isize,
            },
            ob_digit: [v.unsigned_abs() as u32],
        }
    }
    let mut a = [cell(0); 262];
    let mut i = 0;
    while i < 262 {
        a[i] = cell(i as i64 + SMALL_MIN);
        i += 1;
    }
    a
}

/// The cached object of -5..=256.
#[inline]
pub fn small_ptr(v: i64) -> *mut PyObject {
    debug_assert!((SMALL_MIN..=SMALL_MAX).contains(&v), "not a small integer");
    // SAFETY: the index is in range.
    unsafe {
        crate::pyruntime::_PyRuntime
            .small_ints
            .get()
            .cast::<PyLongObject>()
            .add((v - SMALL_MIN) as usize)
            .cast()
    }
}

/// Dead ints of at most two digits, linked by their type words, for `alloc_raw` to take up. Guarded by the GIL.
pub struct FreeInts {
    pub head: *mut PyLongObject,
    /// How many more the list takes; negative where `recycle` went beyond that.
    pub room: isize,
}
pub static mut FREE_INTS: FreeInts = FreeInts { head: std::ptr::null_mut(), room: 2048 };

/// Takes a block for an int of one or two digits from the free list; null: there is none. The head is not written.
///
/// # Safety
/// The GIL is held.
#[inline(always)]
pub unsafe fn take_free() -> *mut PyLongObject {
    // SAFETY: the list holds blocks that nobody else uses.
    unsafe {
        let p = FREE_INTS.head;
        if !p.is_null() {
            FREE_INTS.head = (*p).ob_base.ob_base.ob_type.cast();
            FREE_INTS.room += 1;
        }
        p
    }
}
/// Puts the block of an exact int of at most two digits into the free list, whatever its length: calls nothing, so that the
/// evaluation loop's handlers stay without a stack frame. `free_int` and the collector trim the list.
///
/// # Safety
/// The count has reached zero.
#[inline(always)]
pub unsafe fn recycle(o: *mut PyObject) {
    // SAFETY: the block has room for two digits, as every int's.
    unsafe {
        FREE_INTS.room -= 1;
        (*o).ob_type = FREE_INTS.head.cast();
        FREE_INTS.head = o.cast();
    }
}
/// Gives back the memory of an exact int.
///
/// # Safety
/// The count has reached zero.
#[inline]
pub unsafe fn free_int(o: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe {
        if ((*o.cast::<PyVarObject>()).ob_size + 2) as usize <= 4 && FREE_INTS.room > 0 {
            recycle(o)
        } else {
            free_large(o)
        }
    }
}
/// As `free_int`, where the free list takes nothing.
#[cold]
#[inline(never)]
unsafe fn free_large(o: *mut PyObject) {
    // SAFETY: as `free_int`; an int has room for its digits, and for two.
    unsafe {
        let digits = (*o.cast::<PyVarObject>()).ob_size.unsigned_abs().max(2);
        crate::alloc::put(o.cast(), 24 + 4 * digits);
        if FREE_INTS.room < 0 {
            trim_free();
        }
    }
}
/// Gives back what the free list holds beyond its length.
pub fn trim_free() {
    // SAFETY: the list's blocks belong to nobody else.
    unsafe {
        while FREE_INTS.room < 0 {
            crate::alloc::put(take_free().cast(), 32);
        }
    }
}

/// An int object with room for `n` digits, count 1, digits not yet written. Null: no memory.
#[inline]
fn alloc_raw(n: usize) -> *mut PyLongObject {
    // Every int has room for two digits.
    let mut p = null_mut();
    if n <= 2 {
        // SAFETY: whoever makes objects holds the GIL.
        p = unsafe { take_free() };
    }
    if p.is_null() {
        // SAFETY: as above.
        p = unsafe { crate::alloc::take(24 + 4 * n.max(2)) }.cast::<PyLongObject>();
    }
    if !p.is_null() {
        // SAFETY: fresh memory of that size.
        unsafe {
            (&raw mut (*p).ob_base).write(PyVarObject {
                ob_base: PyObject { ob_refcnt: 1, ob_type: &raw mut crate::type_table::PyLong_Type },
                ob_size: n as isize,
            });
        }
    }
    p
}

/// An int under construction: a digit buffer that becomes the object's.
pub(crate) struct Draft {
    p: *mut PyLongObject,
    n: usize,
}

impl Draft {
    pub(crate) fn new(n: usize) -> PyResult<Draft> {
        if n > (isize::MAX as usize - 64) / 4 {
            return raise!(OverflowError, "too many digits in integer");
        }
        let p = alloc_raw(n);
        if p.is_null() {
            return raise!(MemoryError);
        }
        // SAFETY: room for n digits.
        unsafe { std::ptr::write_bytes((&raw mut (*p).ob_digit).cast::<u32>(), 0, n.max(1)) };
        Ok(Draft { p, n })
    }
    #[inline]
    pub(crate) fn digits(&mut self) -> &mut [u32] {
        // SAFETY: nobody else knows the object yet.
        unsafe { std::slice::from_raw_parts_mut((&raw mut (*self.p).ob_digit).cast(), self.n) }
    }
    /// Drops leading zeros, sets the sign, and swaps a small value for its cached object.
    pub(crate) fn finish(mut self, negative: bool) -> Owned<Int> {
        let used = digits::trimmed(self.digits());
        if used <= 1 {
            let v = if used == 0 { 0 } else { self.digits()[0] as i64 };
            let v = if negative { -v } else { v };
            if (SMALL_MIN..=SMALL_MAX).contains(&v) {
                // SAFETY: the draft is ours alone.
                unsafe { crate::alloc::free(self.p.cast()) };
                return Int::from_i64(v);
            }
        }
        // SAFETY: the draft becomes the object, with its one count.
        unsafe {
            (*self.p).ob_base.ob_size = if negative { -(used as isize) } else { used as isize };
            Owned::from_raw(self.p.cast())
        }
    }
}

impl Int {
    #[inline(always)]
    pub fn from_i64(v: i64) -> Owned<Int> {
        match Int::from_small(v) {
            Some(i) => i,
            None => Int::fresh(v),
        }
    }
    /// One of the ints that are always there; `None`: it is none of them.
    #[inline(always)]
    pub fn from_small(v: i64) -> Option<Owned<Int>> {
        if !(SMALL_MIN..=SMALL_MAX).contains(&v) {
            return None;
        }
        // SAFETY: static objects.
        unsafe {
            let p = small_ptr(v);
            incref(p);
            Some(Owned::from_raw(p))
        }
    }
    /// An int of less than sixty bits made without asking for memory; `None`: there is no block for it, or it has more bits.
    #[inline(always)]
    pub fn quick(v: i64) -> Option<Owned<Int>> {
        if let Some(i) = Int::from_small(v) {
            return Some(i);
        }
        let a = v.unsigned_abs();
        if a >> 60 != 0 {
            return None;
        }
        // SAFETY: whoever makes objects holds the GIL; a block of the list has room for two digits.
        unsafe {
            let p = take_free();
            if p.is_null() {
                return None;
            }
            let n = if a >> 30 == 0 { 1 } else { 2 };
            (&raw mut (*p).ob_base).write(PyVarObject {
                ob_base: PyObject { ob_refcnt: 1, ob_type: &raw mut crate::type_table::PyLong_Type },
                ob_size: if v < 0 { -n } else { n },
            });
            let d = (&raw mut (*p).ob_digit).cast::<u32>();
            d.write(a as u32 & DIGIT_MASK);
            d.add(1).write((a >> 30) as u32);
            Some(Owned::from_raw(p.cast()))
        }
    }
    #[inline(never)]
    fn fresh(v: i64) -> Owned<Int> {
        // SAFETY: a fresh object with room for its digits.
        unsafe {
            let a = v.unsigned_abs();
            let n = if a >> 30 == 0 {
                1
            } else if a >> 60 == 0 {
                2
            } else {
                3
            };
            let p = Int::of_magnitude(a, n);
            if v < 0 {
                (*p).ob_base.ob_size = -(n as isize);
            }
            Owned::from_raw(p.cast())
        }
    }
    /// A positive int of `n` digits, three at most.
    #[inline(always)]
    unsafe fn of_magnitude(a: u64, n: usize) -> *mut PyLongObject {
        // SAFETY: room was made for the digits.
        unsafe {
            let p = alloc_raw(n);
            assert!(!p.is_null(), "out of memory");
            let d = (&raw mut (*p).ob_digit).cast::<u32>();
            d.write(a as u32 & DIGIT_MASK);
            if n > 1 {
                d.add(1).write((a >> 30) as u32 & DIGIT_MASK);
            }
            if n > 2 {
                d.add(2).write((a >> 60) as u32);
            }
            p
        }
    }
    pub fn from_u64(v: u64) -> Owned<Int> {
        match i64::try_from(v) {
            Ok(v) => Int::from_i64(v),
            // SAFETY: a new object of three digits.
            Err(_) => unsafe { Owned::from_raw(Int::of_magnitude(v, 3).cast()) },
        }
    }
    pub fn from_i128(v: i128) -> Owned<Int> {
        match i64::try_from(v) {
            Ok(v) => Int::from_i64(v),
            Err(_) => {
                let mut a = v.unsigned_abs();
                let mut d = [0u32; 5];
                for x in &mut d {
                    *x = a as u32 & DIGIT_MASK;
                    a >>= 30;
                }
                Int::from_digits(&d, v < 0)
            }
        }
    }
    pub fn from_usize(v: usize) -> Owned<Int> {
        Int::from_u64(v as u64)
    }
    /// From 30-bit digits, least significant first; leading zeros allowed.
    pub fn from_digits(d: &[u32], negative: bool) -> Owned<Int> {
        let n = digits::trimmed(d);
        let mut x = Draft::new(n).expect("out of memory");
        x.digits().copy_from_slice(&d[..n]);
        x.finish(negative)
    }
    pub fn from_bigint(v: &BigInt) -> Owned<Int> {
        Int::from_biguint(v.magnitude(), v.sign() == Sign::Minus)
    }
    pub fn from_biguint(v: &BigUint, negative: bool) -> Owned<Int> {
        let n = (v.bits() as usize).div_ceil(DIGIT_BITS as usize);
        let mut x = Draft::new(n).expect("out of memory");
        digits::repack_64_to_30(v.iter_u64_digits(), x.digits());
        x.finish(negative)
    }
    /// Truncates; raises for infinities and NaN.
    pub fn from_f64(v: f64) -> PyResult<Owned<Int>> {
        if v.is_nan() {
            return raise!(ValueError, "cannot convert float NaN to integer");
        }
        if v.is_infinite() {
            return raise!(OverflowError, "cannot convert float infinity to integer");
        }
        if v.abs() < 9.0e18 {
            return Ok(Int::from_i64(v as i64));
        }
        // |v| >= 2^62: an integer already, mantissa times a power of two.
        let bits = v.to_bits();
        let e = ((bits >> 52) & 0x7ff) as usize - 1075;
        let m = (bits & ((1 << 52) - 1)) | (1 << 52);
        let big = BigUint::from(m) << e;
        Ok(Int::from_biguint(&big, v < 0.0))
    }
    /// `int(text, base)` syntax, with CPython's `ValueError`.
    pub fn parse(text: &str, base: u32) -> PyResult<Owned<Int>> {
        text::parse_str(text, base)
    }

    // ---- Looking at the value ----

    /// The signed number of digits.
    #[inline]
    pub fn size(&self) -> isize {
        // SAFETY: an int's fields never change once it is visible.
        unsafe { (*self.as_struct()).ob_base.ob_size }
    }
    #[inline]
    pub fn digits(&self) -> &[u32] {
        // SAFETY: ob_size says how many digits there are; they never change.
        unsafe {
            std::slice::from_raw_parts(
                (&raw const (*self.as_struct()).ob_digit).cast(),
                (*self.as_struct()).ob_base.ob_size.unsigned_abs(),
            )
        }
    }
    #[inline]
    pub fn is_negative(&self) -> bool {
        self.size() < 0
    }
    #[inline]
    pub fn is_zero(&self) -> bool {
        self.size() == 0
    }
    /// The value if it has at most two digits (less than 2^60 in magnitude).
    #[inline]
    pub fn compact(&self) -> Option<i64> {
        let n = self.size();
        // SAFETY: there is always a digit, and as many as the size says.
        unsafe {
            let d = (&raw const (*self.as_struct()).ob_digit).cast::<u32>();
            if (-1..=1).contains(&n) {
                // Zero's digit may be anything.
                return Some(n as i64 * *d as i64);
            }
            match n {
                2 => Some(*d as i64 | (*d.add(1) as i64) << 30),
                -2 => Some(-(*d as i64 | (*d.add(1) as i64) << 30)),
                _ => None,
            }
        }
    }
    /// The magnitude if it has at most four digits.
    #[inline]
    pub fn magnitude_u128(&self) -> Option<u128> {
        let d = self.digits();
        if d.len() > 4 {
            return None;
        }
        Some(d.iter().rev().fold(0u128, |a, x| a << 30 | *x as u128))
    }
    #[inline]
    pub fn to_i64(&self) -> Option<i64> {
        match self.compact() {
            Some(v) => Some(v),
            None => self.to_i128().and_then(|v| i64::try_from(v).ok()),
        }
    }
    pub fn to_u64(&self) -> Option<u64> {
        if self.is_negative() {
            return None;
        }
        self.magnitude_u128().and_then(|v| u64::try_from(v).ok())
    }
    pub fn to_i128(&self) -> Option<i128> {
        let m = match self.magnitude_u128() {
            Some(m) => m,
            None if self.digits().len() == 5 && self.digits()[4] < 1 << 8 => {
                self.digits().iter().rev().fold(0u128, |a, x| a << 30 | *x as u128)
            }
            None => return None,
        };
        if self.is_negative() {
            if m <= 1 << 127 { Some((m as i128).wrapping_neg()) } else { None }
        } else {
            i128::try_from(m).ok()
        }
    }
    pub fn to_usize(&self) -> Option<usize> {
        self.to_u64().map(|v| v as usize)
    }
    /// As C does with `PyLong_AsUnsignedLongMask`.
    pub fn to_u64_wrapping(&self) -> u64 {
        let m = self.digits().iter().take(3).rev().fold(0u64, |a, x| a << 30 | *x as u64);
        if self.is_negative() { m.wrapping_neg() } else { m }
    }
    pub fn magnitude(&self) -> BigUint {
        digits::to_biguint(self.digits())
    }
    pub fn to_bigint(&self) -> BigInt {
        let sign = if self.is_negative() { Sign::Minus } else { Sign::Plus };
        BigInt::from_biguint(sign, self.magnitude())
    }
    /// Raises `OverflowError: int too large to convert to float`.
    #[inline]
    pub fn to_f64(&self) -> PyResult<f64> {
        if let Some(v) = self.compact() {
            return Ok(v as f64);
        }
        let v = digits::to_f64(self.digits());
        if v.is_infinite() {
            return raise!(OverflowError, "int too large to convert to float");
        }
        Ok(if self.is_negative() { -v } else { v })
    }
    pub fn sign(&self) -> i32 {
        self.size().signum() as i32
    }
    pub fn bit_length(&self) -> u64 {
        digits::bit_length(self.digits())
    }
    #[inline]
    pub fn hash_value(&self) -> isize {
        let d = self.digits();
        let h = match d.len() {
            0 => 0,
            1 => d[0] as u64,
            _ => digits::modulo_mersenne61(d),
        } as isize;
        let h = if self.is_negative() { -h } else { h };
        if h == -1 { -2 } else { h }
    }
    /// Digits in `radix` (2..=36), lower case, with a sign; no limit on the length.
    pub fn to_string_radix(&self, radix: u32) -> String {
        text::to_string_radix(self, radix)
    }
    /// `str(int)`: raises `ValueError` beyond `sys.get_int_max_str_digits()`.
    pub fn to_decimal(&self) -> PyResult<String> {
        text::to_decimal(self)
    }
    pub fn compare(&self, other: &Int) -> Ordering {
        let (a, b) = (self.size(), other.size());
        if a != b {
            return a.cmp(&b);
        }
        let o = digits::compare(self.digits(), other.digits());
        if a < 0 { o.reverse() } else { o }
    }
    pub fn equals(&self, other: &Int) -> bool {
        self.size() == other.size() && self.digits() == other.digits()
    }
}

/// Readies `int` and `bool`.
pub fn init() -> PyResult<()> {
    crate::builder::ready::<Int>()?;
    crate::builder::ready::<Bool>()?;
    Ok(())
}
