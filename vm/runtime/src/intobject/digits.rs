//! Kernels on digit slices (30-bit digits, least significant first): no objects, no errors.

use super::{DIGIT_BITS, DIGIT_MASK, HASH_MODULUS};
use num_bigint::BigUint;
use std::cmp::Ordering;

/// The length without leading zeros.
#[inline]
pub fn trimmed(d: &[u32]) -> usize {
    let mut n = d.len();
    while n > 0 && d[n - 1] == 0 {
        n -= 1;
    }
    n
}

pub fn compare(a: &[u32], b: &[u32]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// `out = a + b`; `out` has one digit more than the longer.
pub fn add(a: &[u32], b: &[u32], out: &mut [u32]) {
    let (a, b) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut carry = 0;
    for i in 0..b.len() {
        carry += a[i] + b[i];
        out[i] = carry & DIGIT_MASK;
        carry >>= DIGIT_BITS;
    }
    for i in b.len()..a.len() {
        carry += a[i];
        out[i] = carry & DIGIT_MASK;
        carry >>= DIGIT_BITS;
    }
    out[a.len()] = carry;
}

/// `out = a - b` for `a >= b`; `out` is as long as `a`.
pub fn sub(a: &[u32], b: &[u32], out: &mut [u32]) {
    let mut borrow = 0i32;
    for i in 0..a.len() {
        let d = a[i] as i32 - *b.get(i).unwrap_or(&0) as i32 + borrow;
        out[i] = d as u32 & DIGIT_MASK;
        borrow = d >> 31;
    }
    debug_assert!(borrow == 0, "the first operand is the larger");
}

/// `out += a * b`; `out` is zeroed and as long as both together.
pub fn mul(a: &[u32], b: &[u32], out: &mut [u32]) {
    for (i, x) in a.iter().enumerate() {
        let x = *x as u64;
        let mut carry = 0u64;
        for (o, y) in out[i..].iter_mut().zip(b) {
            carry += *o as u64 + x * *y as u64;
            *o = carry as u32 & DIGIT_MASK;
            carry >>= DIGIT_BITS;
        }
        out[i + b.len()] = carry as u32;
    }
}

/// `out = a / n`, answering the remainder.
pub fn div_small(a: &[u32], n: u32, out: &mut [u32]) -> u32 {
    let mut r = 0u64;
    for i in (0..a.len()).rev() {
        r = r << DIGIT_BITS | a[i] as u64;
        out[i] = (r / n as u64) as u32;
        r %= n as u64;
    }
    r as u32
}

/// `a / b` into `q` (one digit more than the difference of the lengths) and `r` (as long as `b`): schoolbook division, Knuth's
/// algorithm D. `b` has at least two digits, no leading zero, and is not longer than `a`.
pub fn div_rem(a: &[u32], b: &[u32], q: &mut [u32], r: &mut [u32]) {
    const BASE: u64 = 1 << DIGIT_BITS;
    const MASK: u64 = DIGIT_MASK as u64;
    let n = b.len();
    // Both are shifted so that the divisor's top bit is set: then a guessed digit is at most two too large.
    let shift = b[n - 1].leading_zeros() - (32 - DIGIT_BITS);
    let shifted = |x: &[u32]| {
        let mut out = Vec::with_capacity(x.len() + 1);
        let mut carry = 0u64;
        for d in x {
            let t = (*d as u64) << shift | carry;
            out.push((t & MASK) as u32);
            carry = t >> DIGIT_BITS;
        }
        out.push(carry as u32);
        out
    };
    let v = shifted(b);
    let mut u = shifted(a);
    let (top, second) = (v[n - 1] as u64, v[n - 2] as u64);
    for j in (0..=a.len() - n).rev() {
        let window = &mut u[j..=j + n];
        let high = (window[n] as u64) << DIGIT_BITS | window[n - 1] as u64;
        let (mut guess, mut rest) = (high / top, high % top);
        while guess >= BASE || guess * second > (rest << DIGIT_BITS | window[n - 2] as u64) {
            guess -= 1;
            rest += top;
            if rest >= BASE {
                break;
            }
        }
        let (mut carry, mut borrow) = (0u64, 0i64);
        for (x, d) in window[..n].iter_mut().zip(&v) {
            let p = guess * *d as u64 + carry;
            carry = p >> DIGIT_BITS;
            let t = *x as i64 - (p & MASK) as i64 - borrow;
            *x = (t & MASK as i64) as u32;
            borrow = (t < 0) as i64;
        }
        let t = window[n] as i64 - carry as i64 - borrow;
        window[n] = (t & MASK as i64) as u32;
        if t < 0 {
            // One too large after all.
            guess -= 1;
            let mut carry = 0u64;
            for (x, d) in window[..n].iter_mut().zip(&v) {
                let s = *x as u64 + *d as u64 + carry;
                *x = (s & MASK) as u32;
                carry = s >> DIGIT_BITS;
            }
            window[n] = ((window[n] as u64 + carry) & MASK) as u32;
        }
        q[j] = guess as u32;
    }
    let mut low = 0u64;
    for i in (0..n).rev() {
        let t = low << DIGIT_BITS | u[i] as u64;
        r[i] = (t >> shift) as u32;
        low = u[i] as u64 & ((1 << shift) - 1);
    }
}

pub fn rem_small(a: &[u32], n: u32) -> u32 {
    a.iter().rev().fold(0u64, |r, d| (r << DIGIT_BITS | *d as u64) % n as u64) as u32
}

pub fn bit_length(d: &[u32]) -> u64 {
    match d.last() {
        None => 0,
        Some(top) => (d.len() as u64 - 1) * DIGIT_BITS as u64 + (32 - top.leading_zeros()) as u64,
    }
}

/// `d mod 2^61 - 1`: shifting by 30 is a rotation of 61 bits.
pub fn modulo_mersenne61(d: &[u32]) -> u64 {
    let mut x = 0u64;
    for v in d.iter().rev() {
        x = ((x << 30) & HASH_MODULUS) | (x >> 31);
        x += *v as u64;
        if x >= HASH_MODULUS {
            x -= HASH_MODULUS;
        }
    }
    x
}

/// The nearest double, ties to even; infinite if too large.
pub fn to_f64(d: &[u32]) -> f64 {
    let bits = bit_length(d);
    if bits <= 64 {
        return d.iter().rev().fold(0u64, |a, x| a << 30 | *x as u64) as f64;
    }
    if bits > 1024 {
        return f64::INFINITY;
    }
    let (top, sticky) = top_bits(d, bits - 64);
    // 64 bits with the lost part folded into the lowest: rounding to 53 bits is still right.
    (top | sticky as u64) as f64 * pow2((bits - 64) as i32)
}

/// `(d >> shift` as 64 bits, whether bits were lost`)`.
fn top_bits(d: &[u32], shift: u64) -> (u64, bool) {
    let (word, bit) = ((shift / 30) as usize, (shift % 30) as u32);
    let mut acc = 0u128;
    for x in d[word..].iter().take(5).rev() {
        acc = acc << 30 | *x as u128;
    }
    let lost = d[..word].iter().any(|x| *x != 0) || d[word] & ((1 << bit) - 1) != 0;
    ((acc >> bit) as u64, lost)
}

/// `2.0 ** e` for exponents of normal numbers.
pub fn pow2(e: i32) -> f64 {
    debug_assert!((-1022..1024).contains(&e), "a normal number's exponent");
    f64::from_bits(((e + 1023) as u64) << 52)
}

pub fn to_biguint(d: &[u32]) -> BigUint {
    let mut words = Vec::with_capacity(d.len() + 1);
    let (mut acc, mut bits) = (0u64, 0u32);
    for x in d {
        acc |= (*x as u64) << bits;
        bits += DIGIT_BITS;
        if bits >= 32 {
            words.push(acc as u32);
            acc >>= 32;
            bits -= 32;
        }
    }
    if bits > 0 {
        words.push(acc as u32);
    }
    BigUint::new(words)
}

/// Spreads 64-bit words over 30-bit digits; `out` is long enough for the value.
pub fn repack_64_to_30(words: impl Iterator<Item = u64>, out: &mut [u32]) {
    let (mut acc, mut bits, mut at) = (0u128, 0u32, 0usize);
    for w in words {
        acc |= (w as u128) << bits;
        bits += 64;
        while bits >= DIGIT_BITS && at < out.len() {
            out[at] = acc as u32 & DIGIT_MASK;
            acc >>= DIGIT_BITS;
            bits -= DIGIT_BITS;
            at += 1;
        }
    }
    if at < out.len() {
        out[at] = acc as u32 & DIGIT_MASK;
    }
}

/// The digits of the two's complement of `-d`, `n` digits long.
pub fn twos_complement(d: &[u32], n: usize) -> Vec<u32> {
    let mut v = d.to_vec();
    v.resize(n, 0);
    negate(&mut v);
    v
}

/// Two's complement negation in place.
pub fn negate(d: &mut [u32]) {
    let mut carry = 1;
    for x in d {
        carry += *x ^ DIGIT_MASK;
        *x = carry & DIGIT_MASK;
        carry >>= DIGIT_BITS;
    }
}

/// `out = d << n`; `out` is long enough.
pub fn shl(d: &[u32], n: u64, out: &mut [u32]) {
    let (word, bit) = ((n / 30) as usize, (n % 30) as u32);
    let mut carry = 0u64;
    for (i, x) in d.iter().enumerate() {
        carry |= (*x as u64) << bit;
        out[word + i] = carry as u32 & DIGIT_MASK;
        carry >>= DIGIT_BITS;
    }
    if carry != 0 {
        out[word + d.len()] = carry as u32;
    }
}

/// `out = d >> n`, answering whether a set bit fell out.
pub fn shr(d: &[u32], n: u64, out: &mut [u32]) -> bool {
    let (word, bit) = ((n / 30) as usize, (n % 30) as u32);
    if word >= d.len() {
        return d.iter().any(|x| *x != 0);
    }
    for i in word..d.len() {
        let hi = *d.get(i + 1).unwrap_or(&0) as u64;
        out[i - word] = ((hi << 30 | d[i] as u64) >> bit) as u32 & DIGIT_MASK;
    }
    d[..word].iter().any(|x| *x != 0) || d[word] & ((1 << bit) - 1) != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    fn of(mut v: u128) -> Vec<u32> {
        let mut d = vec![];
        while v > 0 {
            d.push(v as u32 & DIGIT_MASK);
            v >>= 30;
        }
        d
    }
    fn back(d: &[u32]) -> u128 {
        d.iter().rev().fold(0, |a, x| a << 30 | *x as u128)
    }
    #[test]
    fn kernels_agree_with_u128() {
        let samples = [
            0u128,
            1,
            7,
            0x3fff_ffff,
            0x4000_0000,
            u64::MAX as u128,
            (1 << 90) - 1,
            1 << 100,
            (1 << 119) + 12345,
        ];
        for a in samples {
            assert_eq!(back(&of(a)), a);
            assert_eq!(to_biguint(&of(a)), BigUint::from(a));
            let mut r = vec![0; of(a).len()];
            repack_64_to_30(BigUint::from(a).iter_u64_digits(), &mut r);
            assert_eq!(back(&r), a);
            assert_eq!(modulo_mersenne61(&of(a)) as u128, a % HASH_MODULUS as u128);
            assert_eq!(to_f64(&of(a)), a as f64);
            for n in [0u64, 1, 29, 30, 31, 60, 75] {
                let mut out = vec![0; of(a).len()];
                let lost = shr(&of(a), n, &mut out);
                assert_eq!((back(&out), lost), (a >> n, a & ((1u128 << n) - 1) != 0));
            }
            for b in samples {
                let mut out = vec![0; of(a).len().max(of(b).len()) + 1];
                add(&of(a), &of(b), &mut out);
                assert_eq!(back(&out), a + b);
                if a >= b {
                    let mut out = vec![0; of(a).len()];
                    sub(&of(a), &of(b), &mut out);
                    assert_eq!(back(&out), a - b);
                }
                let mut out = vec![0; of(a).len() + of(b).len()];
                mul(&of(a), &of(b), &mut out);
                assert_eq!(to_biguint(&out), BigUint::from(a) * BigUint::from(b));
                let (da, db) = (of(a), of(b));
                if db.len() >= 2 && da.len() >= db.len() {
                    let (mut q, mut r) = (vec![0; da.len() - db.len() + 1], vec![0; db.len()]);
                    div_rem(&da, &db, &mut q, &mut r);
                    assert_eq!((back(&q), back(&r)), (a / b, a % b));
                }
            }
        }
    }
}
