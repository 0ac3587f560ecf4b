//! `int` to text and back: `int(text, base)` with underscores and prefixes, `str(int)`, the limit on decimal digits.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::raise;
use num_bigint::BigUint;
use std::borrow::Cow;
use std::sync::atomic::{AtomicI32, Ordering};

/// `sys.int_info.default_max_str_digits`.
pub const DEFAULT_MAX_STR_DIGITS: i32 = 4300;
/// `sys.int_info.str_digits_check_threshold`: shorter limits are refused.
pub const STR_DIGITS_THRESHOLD: i32 = 640;
static MAX_STR_DIGITS: AtomicI32 = AtomicI32::new(DEFAULT_MAX_STR_DIGITS);

/// `sys.get_int_max_str_digits()`.
pub fn max_str_digits() -> i32 {
    MAX_STR_DIGITS.load(Ordering::Relaxed)
}
/// `sys.set_int_max_str_digits(n)`; the caller has checked that it is 0 or at least 640.
pub fn set_max_str_digits(n: i32) {
    MAX_STR_DIGITS.store(n, Ordering::Relaxed)
}

pub fn to_string_radix(v: &Int, radix: u32) -> String {
    if let Some(x) = v.compact() {
        if radix == 10 {
            return x.to_string();
        }
        let mut buf = [0; 72];
        let at = radix_digits(x, radix, "", &mut buf);
        return buf[at..].iter().map(|b| *b as char).collect();
    }
    if radix == 10 && v.digits().len() <= SIMPLE_DIGITS / 9 {
        return decimal_of(v.digits(), v.is_negative());
    }
    let s = v.magnitude().to_str_radix(radix);
    if v.is_negative() { format!("-{s}") } else { s }
}

/// Writes sign, `prefix` and digits of a number to the end of `buf`, and answers where they begin.
fn radix_digits(x: i64, radix: u32, prefix: &str, buf: &mut [u8; 72]) -> usize {
    let (mut m, mut at) = (x.unsigned_abs(), buf.len());
    let mut put = |c: u8| {
        at -= 1;
        buf[at] = c;
    };
    loop {
        let (digit, rest) = match radix {
            2 => (m & 1, m >> 1),
            8 => (m & 7, m >> 3),
            16 => (m & 15, m >> 4),
            _ => (m % radix as u64, m / radix as u64),
        };
        put(b"0123456789abcdefghijklmnopqrstuvwxyz"[digit as usize]);
        m = rest;
        if m == 0 {
            break;
        }
    }
    prefix.bytes().rev().for_each(&mut put);
    if x < 0 {
        put(b'-');
    }
    at
}
/// `hex`, `oct`, `bin`: the number in that base behind a prefix.
pub fn with_prefix(v: &Int, radix: u32, prefix: &str) -> Owned<Str> {
    if let Some(x) = v.compact() {
        let mut buf = [0; 72];
        let at = radix_digits(x, radix, prefix, &mut buf);
        return Str::from_ascii(&buf[at..]);
    }
    let digits = v.magnitude().to_str_radix(radix);
    Str::new(&format!("{}{prefix}{digits}", if v.is_negative() { "-" } else { "" }))
}

/// Hands the decimal digits of a machine integer to `f`.
#[inline]
pub fn with_decimal<R>(v: i64, f: impl FnOnce(&str) -> R) -> R {
    /// 00 to 99.
    const PAIRS: [[u8; 2]; 100] = {
        let mut t = [[0; 2]; 100];
        let mut i = 0;
        while i < 100 {
            t[i] = [b'0' + (i / 10) as u8, b'0' + (i % 10) as u8];
            i += 1;
        }
        t
    };
    let mut buf = [0u8; 24];
    let mut at = buf.len();
    let mut a = v.unsigned_abs();
    while a >= 10 {
        at -= 2;
        buf[at..at + 2].copy_from_slice(&PAIRS[(a % 100) as usize]);
        a /= 100;
    }
    // Pairs are taken from 10 up, so that none begins with a zero that isn't the number's.
    if a > 0 || at == buf.len() {
        at -= 1;
        buf[at] = b'0' + a as u8;
    }
    if v < 0 {
        at -= 1;
        buf[at] = b'-';
    }
    // SAFETY: digits and a minus.
    f(unsafe { std::str::from_utf8_unchecked(&buf[at..]) })
}
/// The decimal digits of a machine integer as a string object.
pub fn decimal(v: i64) -> Owned<Str> {
    with_decimal(v, |d| Str::from_ascii(d.as_bytes()))
}

pub fn to_decimal(v: &Int) -> PyResult<String> {
    let max = max_str_digits();
    let too_long = || {
        raise!(
            ValueError,
            "Exceeds the limit ({} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase \
             the limit",
            max
        )
    };
    if max > 0 && v.bit_length() as f64 * std::f64::consts::LOG10_2 > max as f64 + 1.0 {
        return too_long();
    }
    let s = to_string_radix(v, 10);
    if max > 0 && s.len() - v.is_negative() as usize > max as usize {
        return too_long();
    }
    Ok(s)
}

/// Python's white space outside ASCII and in it.
pub fn is_space(c: u32) -> bool {
    matches!(c, 9..=13 | 28..=32 | 0x85 | 0xa0 | 0x1680 | 0x2000..=0x200a | 0x2028 | 0x2029 | 0x202f | 0x205f | 0x3000)
}

/// The zeros of all runs of ten decimal digits (Unicode 14 `Nd`).
const ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50,
    0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40,
    0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066,
    0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950,
    0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
    0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// The value of a decimal digit of any script.
pub fn decimal_value(c: u32) -> Option<u32> {
    let i = ZEROS.partition_point(|z| *z <= c);
    (i > 0 && c - ZEROS[i - 1] < 10).then(|| c - ZEROS[i - 1])
}

/// The text with digits of all scripts as ASCII ones, white space as blanks, and anything else beyond ASCII as `?`.
pub fn ascii_digits(s: &Str) -> Cow<'_, [u8]> {
    if s.is_ascii() {
        // SAFETY: an ASCII string is `len` bytes, immutable while borrowed.
        return Cow::Borrowed(unsafe { std::slice::from_raw_parts(s.data(), s.len()) });
    }
    Cow::Owned(
        s.chars()
            .map(|c| match c {
                0..=127 => c as u8,
                _ if is_space(c) => b' ',
                _ => decimal_value(c).map_or(b'?', |d| b'0' + d as u8),
            })
            .collect(),
    )
}

pub enum ParseError {
    Invalid,
    /// So many digits, more than the limit.
    TooLong(usize),
}

pub fn trim(mut s: &[u8]) -> &[u8] {
    let space = |c: &u8| matches!(*c, 9..=13 | 28..=32);
    while let [first, rest @ ..] = s
        && space(first)
    {
        s = rest;
    }
    while let [rest @ .., last] = s
        && space(last)
    {
        s = rest;
    }
    s
}

/// Parses ASCII text.
pub fn parse_ascii(text: &[u8], mut base: u32) -> Result<Owned<Int>, ParseError> {
    let s = trim(text);
    let (negative, s) = match s {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, s),
    };
    let d = digits_of(s, &mut base)?;
    build(d, base, negative)
}

/// The bare digits behind an optional prefix; settles base 0.
fn digits_of(mut s: &[u8], base: &mut u32) -> Result<Vec<u8>, ParseError> {
    let prefix = match s {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    let mut only_zeros = false;
    if *base == 0 {
        *base = match (prefix, s.first()) {
            (0, Some(b'0')) => {
                // "00" is fine, "01" is not.
                only_zeros = true;
                10
            }
            (0, _) => 10,
            (p, _) => p,
        };
    }
    if prefix != 0 && prefix == *base {
        s = &s[2..];
        if let [b'_', rest @ ..] = s {
            s = rest;
        }
    }
    let mut out = Vec::with_capacity(s.len());
    let mut last_underscore = true;
    for c in s {
        if *c == b'_' {
            if last_underscore {
                return Err(ParseError::Invalid);
            }
            last_underscore = true;
            continue;
        }
        last_underscore = false;
        match (*c as char).to_digit(36) {
            Some(d) if d < *base => out.push(*c),
            _ => return Err(ParseError::Invalid),
        }
    }
    if last_underscore || only_zeros && out.iter().any(|c| *c != b'0') {
        return Err(ParseError::Invalid);
    }
    Ok(out)
}

fn build(d: Vec<u8>, base: u32, negative: bool) -> Result<Owned<Int>, ParseError> {
    let text = std::str::from_utf8(&d).map_err(|_| ParseError::Invalid)?;
    if d.len() <= 12 {
        let v = i64::from_str_radix(text, base).map_err(|_| ParseError::Invalid)?;
        return Ok(Int::from_i64(if negative { -v } else { v }));
    }
    let max = max_str_digits();
    if !base.is_power_of_two() && max > 0 && d.len() > max as usize {
        return Err(ParseError::TooLong(d.len()));
    }
    if base == 10 && d.len() <= SIMPLE_DIGITS {
        return Ok(Int::from_digits(&from_decimal(&d), negative));
    }
    let m = BigUint::parse_bytes(&d, base).ok_or(ParseError::Invalid)?;
    Ok(Int::from_biguint(&m, negative))
}

/// Up to so many decimal digits the plain algorithms, whose work grows with the square, are the quickest.
const SIMPLE_DIGITS: usize = 600;
/// A billion: nine decimal digits fit into a digit of 30 bits.
const CHUNK: u64 = 1_000_000_000;

/// The digits of 30 bits of the number that decimal digits spell.
fn from_decimal(d: &[u8]) -> Vec<u32> {
    let mut out: Vec<u32> = Vec::with_capacity(d.len() / 9 + 1);
    let first = d.len() % 9;
    let chunks = (first > 0).then(|| &d[..first]).into_iter().chain(d[first..].chunks(9));
    for chunk in chunks {
        let mut carry = chunk.iter().fold(0u64, |a, c| a * 10 + (c - b'0') as u64);
        let scale = if chunk.len() == 9 { CHUNK } else { 10u64.pow(chunk.len() as u32) };
        for x in &mut out {
            carry += *x as u64 * scale;
            *x = carry as u32 & super::DIGIT_MASK;
            carry >>= super::DIGIT_BITS;
        }
        if carry > 0 || out.is_empty() {
            out.push(carry as u32);
        }
    }
    out
}
/// Decimal digits of the number with these digits of 30 bits, the highest of which is not 0.
fn decimal_of(digits: &[u32], negative: bool) -> String {
    let mut chunks: Vec<u32> = Vec::with_capacity(digits.len() + digits.len() / 100 + 1);
    for d in digits.iter().rev() {
        let mut carry = *d as u64;
        for c in &mut chunks {
            let z = (*c as u64) << super::DIGIT_BITS | carry;
            carry = z / CHUNK;
            *c = (z - carry * CHUNK) as u32;
        }
        while carry > 0 {
            chunks.push((carry % CHUNK) as u32);
            carry /= CHUNK;
        }
    }
    let mut out = vec![0u8; chunks.len() * 9 + 1];
    let mut at = out.len();
    for c in &chunks {
        let mut c = *c;
        for _ in 0..9 {
            at -= 1;
            out[at] = b'0' + (c % 10) as u8;
            c /= 10;
        }
    }
    while at + 1 < out.len() && out[at] == b'0' {
        at += 1;
    }
    if negative {
        at -= 1;
        out[at] = b'-';
    }
    // ASCII all of it.
    String::from_utf8(out.split_off(at)).expect("digits")
}

/// Turns a failure into the exception; `shown` is the repr of the argument.
pub fn parse_failed(e: ParseError, base: u32, shown: impl FnOnce() -> String) -> Raised {
    match e {
        ParseError::TooLong(n) => crate::raised!(
            ValueError,
            "Exceeds the limit ({} digits) for integer string conversion: value has {} digits; use \
             sys.set_int_max_str_digits() to increase the limit",
            max_str_digits(),
            n
        ),
        ParseError::Invalid => {
            let text: String = shown().chars().take(200).collect();
            crate::raised!(ValueError, "invalid literal for int() with base {}: {}", base, text)
        }
    }
}

pub fn parse_str(text: &str, base: u32) -> PyResult<Owned<Int>> {
    let s = Str::new(text);
    parse_obj(&s, base)
}

/// `int(s, base)` for a string.
pub fn parse_obj(s: &Str, base: u32) -> PyResult<Owned<Int>> {
    parse_ascii(&ascii_digits(s), base).map_err(|e| parse_failed(e, base, || s.repr_lossy()))
}

/// `int(b, base)` for bytes, whose repr is shown on failure.
pub fn parse_bytes(b: &[u8], base: u32) -> PyResult<Owned<Int>> {
    parse_ascii(b, base).map_err(|e| parse_failed(e, base, || Bytes::new(b).repr_lossy()))
}
