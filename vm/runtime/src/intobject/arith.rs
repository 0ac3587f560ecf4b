//! Arithmetic of `int` values: machine integers for short operands, digit kernels or `num-bigint` for long ones.

use super::{DIGIT_BITS, Draft, digits};
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::raise;
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::{One, Zero};

/// Beyond this many digits in the shorter factor, `num-bigint`'s Karatsuba and Toom-Cook win over the schoolbook.
const SCHOOLBOOK: usize = 40;

fn add_magnitudes(a: &[u32], b: &[u32], negative: bool) -> Owned<Int> {
    let mut x = Draft::new(a.len().max(b.len()) + 1).expect("out of memory");
    digits::add(a, b, x.digits());
    x.finish(negative)
}

/// `±(|a| - |b|)`, the sign being that of `a` if `|a|` is larger and the opposite otherwise.
fn sub_magnitudes(a: &[u32], b: &[u32], negative: bool) -> Owned<Int> {
    let (a, b, negative) = if digits::compare(a, b).is_ge() { (a, b, negative) } else { (b, a, !negative) };
    let mut x = Draft::new(a.len()).expect("out of memory");
    digits::sub(a, b, x.digits());
    x.finish(negative)
}

impl Int {
    #[inline]
    pub fn add(&self, o: &Int) -> Owned<Int> {
        if let (Some(a), Some(b)) = (self.compact(), o.compact()) {
            return Int::from_i64(a + b);
        }
        if self.is_negative() == o.is_negative() {
            add_magnitudes(self.digits(), o.digits(), self.is_negative())
        } else {
            sub_magnitudes(self.digits(), o.digits(), self.is_negative())
        }
    }
    #[inline]
    pub fn sub(&self, o: &Int) -> Owned<Int> {
        if let (Some(a), Some(b)) = (self.compact(), o.compact()) {
            return Int::from_i64(a - b);
        }
        if self.is_negative() != o.is_negative() {
            add_magnitudes(self.digits(), o.digits(), self.is_negative())
        } else {
            sub_magnitudes(self.digits(), o.digits(), self.is_negative())
        }
    }
    #[inline]
    pub fn mul(&self, o: &Int) -> PyResult<Owned<Int>> {
        if let (Some(a), Some(b)) = (self.compact(), o.compact()) {
            return Ok(match a.checked_mul(b) {
                Some(v) => Int::from_i64(v),
                None => Int::from_i128(a as i128 * b as i128),
            });
        }
        let (a, b) = (self.digits(), o.digits());
        let negative = self.is_negative() != o.is_negative();
        if a.len().min(b.len()) <= SCHOOLBOOK {
            let mut x = Draft::new(a.len() + b.len())?;
            let (a, b) = if a.len() < b.len() { (a, b) } else { (b, a) };
            digits::mul(a, b, x.digits());
            return Ok(x.finish(negative));
        }
        Ok(Int::from_biguint(&(self.magnitude() * o.magnitude()), negative))
    }
    pub fn neg(&self) -> Owned<Int> {
        match self.compact() {
            Some(v) => Int::from_i64(-v),
            None => Int::from_digits(self.digits(), !self.is_negative()),
        }
    }
    pub fn abs(&self) -> Owned<Int> {
        if self.is_negative() { self.neg() } else { self.exact() }
    }
    /// This value as an exact `int` (itself, unless of a subclass).
    pub fn exact(&self) -> Owned<Int> {
        if self.is_exact::<Int>() { self.own() } else { Int::from_digits(self.digits(), self.is_negative()) }
    }
    pub fn invert(&self) -> Owned<Int> {
        match self.compact() {
            Some(v) => Int::from_i64(!v),
            None => self.add(&Int::from_i64(1)).neg(),
        }
    }

    // ---- Division: floor semantics ----

    fn div_mod_magnitudes(&self, o: &Int) -> (BigUint, BigUint) {
        self.magnitude().div_rem(&o.magnitude())
    }
    pub fn floor_div(&self, o: &Int) -> PyResult<Owned<Int>> {
        if let (Some(a), Some(b)) = (self.compact(), o.compact())
            && b != 0
        {
            return Ok(Int::from_i64(Integer::div_floor(&a, &b)));
        }
        Ok(self.divmod(o)?.0)
    }
    pub fn modulo(&self, o: &Int) -> PyResult<Owned<Int>> {
        if let Some(b) = o.compact() {
            if b == 0 {
                return raise!(ZeroDivisionError, "integer modulo by zero");
            }
            if let Some(a) = self.compact() {
                return Ok(Int::from_i64(a.mod_floor(&b)));
            }
            if o.digits().len() == 1 {
                let r = digits::rem_small(self.digits(), o.digits()[0]) as i64;
                let r = if self.is_negative() { -r } else { r };
                return Ok(Int::from_i64(r.mod_floor(&b)));
            }
        }
        Ok(self.divmod(o)?.1)
    }
    pub fn divmod(&self, o: &Int) -> PyResult<(Owned<Int>, Owned<Int>)> {
        if o.is_zero() {
            return raise!(ZeroDivisionError, "integer division or modulo by zero");
        }
        if let (Some(a), Some(b)) = (self.compact(), o.compact()) {
            let (q, r) = a.div_mod_floor(&b);
            return Ok((Int::from_i64(q), Int::from_i64(r)));
        }
        let opposite = self.is_negative() != o.is_negative();
        let (q, r);
        if o.digits().len() == 1 {
            let mut x = Draft::new(self.digits().len())?;
            let rem = digits::div_small(self.digits(), o.digits()[0], x.digits()) as i64;
            q = x.finish(opposite);
            r = Int::from_i64(if self.is_negative() { -rem } else { rem });
        } else if digits::compare(self.digits(), o.digits()).is_lt() {
            q = Int::from_i64(0);
            r = self.exact();
        } else if let (Some(a), Some(b)) = (self.magnitude_u128(), o.magnitude_u128()) {
            let (qm, rm) = ((a / b) as i128, (a % b) as i128);
            q = Int::from_i128(if opposite { -qm } else { qm });
            r = Int::from_i128(if self.is_negative() { -rm } else { rm });
        } else if o.digits().len() <= SCHOOLBOOK || self.digits().len() - o.digits().len() <= SCHOOLBOOK {
            let (n, m) = (self.digits().len(), o.digits().len());
            let (mut x, mut y) = (Draft::new(n - m + 1)?, Draft::new(m)?);
            digits::div_rem(self.digits(), o.digits(), x.digits(), y.digits());
            q = x.finish(opposite);
            r = y.finish(self.is_negative());
        } else {
            let (qm, rm) = self.div_mod_magnitudes(o);
            q = Int::from_biguint(&qm, opposite);
            r = Int::from_biguint(&rm, self.is_negative());
        }
        // Truncated so far; the floor is one lower if the signs differ and something is left.
        if opposite && !r.is_zero() { Ok((q.sub(&Int::from_i64(1)), r.add(o))) } else { Ok((q, r)) }
    }

    /// `self / o`, correctly rounded.
    pub fn true_div(&self, o: &Int) -> PyResult<f64> {
        const EXACT: i64 = 1 << 53;
        if o.is_zero() {
            return raise!(ZeroDivisionError, "division by zero");
        }
        if let (Some(a), Some(b)) = (self.compact(), o.compact())
            && a.abs() <= EXACT
            && b.abs() <= EXACT
        {
            return Ok(a as f64 / b as f64);
        }
        let negative = self.is_negative() != o.is_negative();
        if self.is_zero() {
            return Ok(if negative { -0.0 } else { 0.0 });
        }
        // Scale so that the integer quotient has at least two bits more than a double holds, fold what is lost into its
        // lowest bit, round that once by hand (subnormals have fewer bits), and scale back exactly.
        let diff = self.bit_length() as i64 - o.bit_length() as i64;
        let too_large = || raise!(OverflowError, "integer division result too large for a float");
        if diff > 1024 {
            return too_large();
        }
        if diff < -1076 {
            return Ok(if negative { -0.0 } else { 0.0 });
        }
        let shift = diff.max(-1021) - 55;
        let (a, b) = (self.magnitude(), o.magnitude());
        let (q, r) = if shift > 0 {
            let low = (&a & ((BigUint::one() << shift as u64) - BigUint::one())).is_zero();
            let (q, r) = (a >> shift as u64).div_rem(&b);
            (q, !(low && r.is_zero()))
        } else {
            let (q, r) = (a << (-shift) as u64).div_rem(&b);
            (q, !r.is_zero())
        };
        let mut x = u64::try_from(&q).expect("at most 57 bits");
        let bits = 64 - x.leading_zeros() as i64;
        let extra = bits.max(-1021 - shift) - 53;
        let mask = 1u64 << (extra - 1);
        let low = x | r as u64;
        if low & mask != 0 && low & (3 * mask - 1) != 0 {
            x += mask;
        }
        x &= !(2 * mask - 1);
        let v = x as f64;
        // Two steps, because 2**shift alone may be subnormal; both are exact.
        let half = (shift / 2) as i32;
        let v = v * digits::pow2(half) * digits::pow2(shift as i32 - half);
        if v.is_infinite() {
            return too_large();
        }
        Ok(if negative { -v } else { v })
    }

    // ---- Shifts and bits ----

    pub fn lshift(&self, o: &Int) -> PyResult<Owned<Int>> {
        if o.is_negative() {
            return raise!(ValueError, "negative shift count");
        }
        if self.is_zero() {
            return Ok(Int::from_i64(0));
        }
        let Some(n) = o.to_u64().filter(|n| *n < (isize::MAX as u64) / 2) else {
            return raise!(OverflowError, "too many digits in integer");
        };
        self.shl(n)
    }
    pub fn shl(&self, n: u64) -> PyResult<Owned<Int>> {
        if let Some(v) = self.compact()
            && n < 60
            && let Some(v) = v.checked_mul(1i64 << n)
        {
            return Ok(Int::from_i64(v));
        }
        let mut x = Draft::new(self.digits().len() + (n / DIGIT_BITS as u64) as usize + 1)?;
        digits::shl(self.digits(), n, x.digits());
        Ok(x.finish(self.is_negative()))
    }
    pub fn rshift(&self, o: &Int) -> PyResult<Owned<Int>> {
        if o.is_negative() {
            return raise!(ValueError, "negative shift count");
        }
        Ok(self.shr(o.to_u64().unwrap_or(u64::MAX)))
    }
    pub fn shr(&self, n: u64) -> Owned<Int> {
        if let Some(v) = self.compact() {
            return Int::from_i64(v >> n.min(63));
        }
        let word = (n / DIGIT_BITS as u64) as usize;
        if word >= self.digits().len() {
            return Int::from_i64(if self.is_negative() { -1 } else { 0 });
        }
        let mut x = Draft::new(self.digits().len() - word).expect("out of memory");
        let lost = digits::shr(self.digits(), n, x.digits());
        let q = x.finish(self.is_negative());
        // The magnitude was truncated; floor goes down for negative numbers.
        if self.is_negative() && lost { q.sub(&Int::from_i64(1)) } else { q }
    }
    #[inline]
    pub fn and(&self, o: &Int) -> Owned<Int> {
        match (self.compact(), o.compact()) {
            (Some(a), Some(b)) => Int::from_i64(a & b),
            _ => self.bitwise(o, |a, b| a & b),
        }
    }
    #[inline]
    pub fn or(&self, o: &Int) -> Owned<Int> {
        match (self.compact(), o.compact()) {
            (Some(a), Some(b)) => Int::from_i64(a | b),
            _ => self.bitwise(o, |a, b| a | b),
        }
    }
    #[inline]
    pub fn xor(&self, o: &Int) -> Owned<Int> {
        match (self.compact(), o.compact()) {
            (Some(a), Some(b)) => Int::from_i64(a ^ b),
            _ => self.bitwise(o, |a, b| a ^ b),
        }
    }
    fn bitwise(&self, o: &Int, f: impl Fn(u32, u32) -> u32) -> Owned<Int> {
        let n = self.digits().len().max(o.digits().len()) + 1;
        let complement = |x: &Int| x.is_negative().then(|| digits::twos_complement(x.digits(), n));
        let (ca, cb) = (complement(self), complement(o));
        let (a, b) = (ca.as_deref().unwrap_or(self.digits()), cb.as_deref().unwrap_or(o.digits()));
        let negative = f(self.is_negative() as u32, o.is_negative() as u32) == 1;
        let mut x = Draft::new(n).expect("out of memory");
        let out = x.digits();
        for (i, d) in out.iter_mut().enumerate().take(n) {
            *d = f(*a.get(i).unwrap_or(&0), *b.get(i).unwrap_or(&0));
        }
        if negative {
            digits::negate(out);
        }
        x.finish(negative)
    }

    // ---- Powers ----

    /// `self ** e` for `e >= 0`.
    pub fn pow(&self, e: &Int) -> PyResult<Owned<Int>> {
        debug_assert!(!e.is_negative(), "negative exponents give floats");
        if let Some(b) = self.compact() {
            match b {
                0 => return Ok(Int::from_i64(e.is_zero() as i64)),
                1 => return Ok(Int::from_i64(1)),
                -1 => return Ok(Int::from_i64(if e.to_u64_wrapping() & 1 == 0 { 1 } else { -1 })),
                _ => {}
            }
        }
        let Some(n) = e.to_u64() else { return raise!(MemoryError) };
        if let Some(b) = self.compact() {
            if n <= u32::MAX as u64
                && let Some(v) = b.checked_pow(n as u32)
            {
                return Ok(Int::from_i64(v));
            }
            if b.unsigned_abs().is_power_of_two() {
                let bits = (b.unsigned_abs().trailing_zeros() as u64).checked_mul(n);
                let Some(bits) = bits.filter(|b| *b < 1 << 40) else { return raise!(MemoryError) };
                let v = Int::from_i64(1).shl(bits)?;
                return Ok(if b < 0 && n & 1 == 1 { v.neg() } else { v });
            }
        }
        // A result that no machine holds.
        if (self.bit_length() - 1).saturating_mul(n) > 1 << 38 {
            return raise!(MemoryError);
        }
        let m = num_traits::pow::Pow::pow(self.magnitude(), n);
        Ok(Int::from_biguint(&m, self.is_negative() && n & 1 == 1))
    }
    /// `pow(self, e, m)`.
    pub fn pow_mod(&self, e: &Int, m: &Int) -> PyResult<Owned<Int>> {
        if m.is_zero() {
            return raise!(ValueError, "pow() 3rd argument cannot be 0");
        }
        let modulus = BigInt::from_biguint(Sign::Plus, m.magnitude());
        if modulus.is_one() {
            return Ok(Int::from_i64(0));
        }
        let mut base = self.to_bigint().mod_floor(&modulus);
        if e.is_negative() {
            let x = base.extended_gcd(&modulus);
            if !x.gcd.is_one() {
                return raise!(ValueError, "base is not invertible for the given modulus");
            }
            base = x.x.mod_floor(&modulus);
        }
        let r = match modulus.to_u64_digits().1.as_slice() {
            [small] if e.digits().len() <= 4 => {
                let (m, mut b) =
                    (*small as u128, base.to_u64_digits().1.first().copied().unwrap_or(0) as u128);
                let (mut n, mut r) = (e.magnitude_u128().expect("at most four digits"), 1u128);
                while n > 0 {
                    if n & 1 == 1 {
                        r = r * b % m;
                    }
                    b = b * b % m;
                    n >>= 1;
                }
                BigInt::from(r)
            }
            _ => {
                BigInt::from_biguint(Sign::Plus, base.magnitude().modpow(&e.magnitude(), modulus.magnitude()))
            }
        };
        let r = Int::from_bigint(&r);
        Ok(if m.is_negative() && !r.is_zero() { r.add(m) } else { r })
    }
    pub fn gcd(&self, o: &Int) -> Owned<Int> {
        if let (Some(a), Some(b)) = (self.compact(), o.compact()) {
            return Int::from_i64(a.unsigned_abs().gcd(&b.unsigned_abs()) as i64);
        }
        Int::from_biguint(&self.magnitude().gcd(&o.magnitude()), false)
    }
}
