//! `float.hex` and `float.fromhex`: exact hexadecimal text.

use super::decompose;
use crate::errors::*;
use crate::raise;

/// `float.hex(v)`.
pub fn to_hex(v: f64) -> String {
    if !v.is_finite() {
        return super::repr(v);
    }
    let sign = if v.is_sign_negative() { "-" } else { "" };
    if v == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let (m, e, _) = decompose(v);
    // The leading digit is the implicit bit, the other 13 are the fraction.
    format!("{}0x{}.{:013x}p{:+}", sign, m >> 52, m & ((1 << 52) - 1), e + 52)
}

/// `float.fromhex(text)`.
pub fn from_hex(text: &str) -> PyResult<f64> {
    let invalid = || raise!(ValueError, "invalid hexadecimal floating-point string");
    let too_large = || raise!(OverflowError, "hexadecimal value too large to represent as a float");
    let s = crate::intobject::text::trim(text.as_bytes());
    let (negative, body) = match s {
        [b'-', r @ ..] => (true, r),
        [b'+', r @ ..] => (false, r),
        _ => (false, s),
    };
    let sign = |v: f64| Ok(if negative { -v } else { v });
    let lower = body.to_ascii_lowercase();
    match lower.as_slice() {
        b"inf" | b"infinity" => return sign(f64::INFINITY),
        b"nan" => return sign(f64::NAN),
        _ => {}
    }
    let digits = lower.strip_prefix(b"0x").unwrap_or(&lower);
    let (mantissa, exponent) = match digits.iter().position(|c| *c == b'p') {
        Some(i) => (&digits[..i], Some(&digits[i + 1..])),
        None => (digits, None),
    };
    let (whole, fraction) = match mantissa.iter().position(|c| *c == b'.') {
        Some(i) => (&mantissa[..i], &mantissa[i + 1..]),
        None => (mantissa, &mantissa[..0]),
    };
    if whole.len() + fraction.len() == 0 || !whole.iter().chain(fraction).all(u8::is_ascii_hexdigit) {
        return invalid();
    }
    let exp: i64 = match exponent {
        None => 0,
        Some(e) => {
            let bare = e.strip_prefix(b"-").or(e.strip_prefix(b"+")).unwrap_or(e);
            if bare.is_empty() || !bare.iter().all(u8::is_ascii_digit) {
                return invalid();
            }
            let big = if e[0] == b'-' { -(1i64 << 60) } else { 1i64 << 60 };
            std::str::from_utf8(e)
                .ok()
                .and_then(|t| t.parse().ok())
                .map_or(big, |v: i64| v.clamp(-(1 << 60), 1 << 60))
        }
    };
    // The first 30 significant digits, further ones folded into a sticky bit: value = m * 2**e (plus something below).
    let (mut m, mut taken, mut sticky, mut skipped) = (0u128, 0, false, 0i64);
    for c in whole.iter().chain(fraction) {
        let d = (*c as char).to_digit(16).expect("a hex digit") as u128;
        if taken < 30 {
            m = m << 4 | d;
            taken += (m != 0) as u32;
        } else {
            sticky |= d != 0;
            skipped += 1;
        }
    }
    if m == 0 {
        return sign(0.0);
    }
    let e = exp + 4 * skipped - 4 * fraction.len() as i64;
    let bits = 128 - m.leading_zeros() as i64;
    let top = e + bits;
    if top > 1024 {
        return too_large();
    }
    if top < -1074 {
        return sign(0.0);
    }
    // Bits that a double with this exponent doesn't have.
    let drop = (bits - 53).max(-1074 - e);
    if drop > 0 {
        let half = 1u128 << (drop - 1);
        let low = m & (2 * half - 1);
        m -= low;
        if low > half || low == half && (sticky || m & (2 * half) != 0) {
            m += 2 * half;
        }
    }
    // At most 53 significant bits are left, so every step is exact except an overflow.
    let (mut v, mut k) = (m as f64, e);
    while k > 0 {
        let step = k.min(1000);
        v *= super::super::intobject::digits::pow2(step as i32);
        k -= step;
    }
    while k < 0 {
        let step = (-k).min(1000);
        v *= super::super::intobject::digits::pow2(-step as i32);
        k += step;
    }
    if v.is_infinite() {
        return too_large();
    }
    sign(v)
}
