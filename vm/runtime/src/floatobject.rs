//! `float`: repr, parsing, formatting, arithmetic.
//!
//! Digits come from Rust's correctly rounded conversions (shortest, or with a given precision); this file lays them out as C's
//! `printf` and Python's `repr` do. See `floatobject/methods.rs` for the Python type.

use crate::errors::*;
use crate::intobject::text::{ascii_digits, trim};
use crate::kinds::*;
use crate::object::*;
use crate::raise;
use lh_abi::*;
use std::cmp::Ordering;
use std::fmt::Write as _;

pub mod hex;
pub mod methods;
pub use methods::init;

/// Dead floats, linked by their type words, for `Float::new` to take up. Guarded by the GIL.
pub struct FreeFloats {
    pub head: *mut PyFloatObject,
    /// How many more the list takes; negative where `recycle` went beyond that.
    pub room: isize,
}
pub static mut FREE_FLOATS: FreeFloats = FreeFloats { head: std::ptr::null_mut(), room: 256 };

/// Takes a float from the free list, count 1, its value to be written; null: there is none.
///
/// # Safety
/// The GIL is held.
#[inline(always)]
pub unsafe fn take_free() -> *mut PyFloatObject {
    // SAFETY: the list holds blocks that nobody else uses.
    unsafe {
        let p = FREE_FLOATS.head;
        if !p.is_null() {
            FREE_FLOATS.head = (*p).ob_base.ob_type.cast();
            FREE_FLOATS.room += 1;
            (*p).ob_base.ob_refcnt = 1;
            (*p).ob_base.ob_type = &raw mut crate::type_table::PyFloat_Type;
        }
        p
    }
}
/// Puts an exact float's block into the free list, whatever its length: calls nothing, so that the evaluation loop's handlers
/// stay without a stack frame. `free_float` and the collector trim the list.
///
/// # Safety
/// The count has reached zero.
#[inline(always)]
pub unsafe fn recycle(o: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe {
        FREE_FLOATS.room -= 1;
        (*o).ob_type = FREE_FLOATS.head.cast();
        FREE_FLOATS.head = o.cast();
    }
}
/// Gives back the memory of an exact float.
///
/// # Safety
/// The count has reached zero.
#[inline]
pub unsafe fn free_float(o: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe { if FREE_FLOATS.room > 0 { recycle(o) } else { free_surplus(o) } }
}
/// As `free_float`, where the free list takes nothing.
#[cold]
#[inline(never)]
unsafe fn free_surplus(o: *mut PyObject) {
    // SAFETY: as `free_float`.
    unsafe {
        crate::alloc::free(o.cast());
        trim_free();
    }
}
/// Gives back what the free list holds beyond its length.
pub fn trim_free() {
    // SAFETY: the list's blocks belong to nobody else.
    unsafe {
        while FREE_FLOATS.room < 0 {
            crate::alloc::free(take_free().cast());
        }
    }
}

impl Float {
    #[inline]
    pub fn new(v: f64) -> Owned<Float> {
        // SAFETY: whoever makes objects holds the GIL.
        unsafe {
            let p = take_free();
            if p.is_null() {
                return Float::fresh(v);
            }
            (*p).ob_fval = v;
            Owned::from_raw(p.cast())
        }
    }
    /// As `new`; `None`: no block is at hand.
    #[inline(always)]
    pub fn quick(v: f64) -> Option<Owned<Float>> {
        // SAFETY: whoever makes objects holds the GIL.
        unsafe {
            let p = take_free();
            if p.is_null() {
                return None;
            }
            (*p).ob_fval = v;
            Some(Owned::from_raw(p.cast()))
        }
    }
    #[cold]
    #[inline(never)]
    fn fresh(v: f64) -> Owned<Float> {
        let p = crate::alloc::malloc(size_of::<PyFloatObject>()).cast::<PyFloatObject>();
        assert!(!p.is_null(), "out of memory");
        // SAFETY: fresh memory of that size.
        unsafe {
            p.write(PyFloatObject {
                ob_base: PyObject { ob_refcnt: 1, ob_type: &raw mut crate::type_table::PyFloat_Type },
                ob_fval: v,
            });
            Owned::from_raw(p.cast())
        }
    }
    #[inline]
    pub fn value(&self) -> f64 {
        // SAFETY: a float's value never changes.
        unsafe { (*self.as_struct()).ob_fval }
    }
}

// ---- To text ----

/// How a number is written besides its digits.
#[derive(Clone, Copy, Default)]
pub struct Style {
    /// A sign in front of positive numbers too.
    pub plus: bool,
    /// Keep the point (and, for `g`, trailing zeros).
    pub alt: bool,
    /// `.0` behind what looks like an integer.
    pub dot_0: bool,
    /// No minus in front of what rounds to zero.
    pub no_neg_0: bool,
}

/// The most digits a double has behind the point; more are zeros.
const MAX_EXACT: usize = 1100;

/// The digits of a number before they are laid out.
struct Digits {
    few: [u8; 24],
    many: Vec<u8>,
    n: usize,
}
impl std::ops::Deref for Digits {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        if self.many.is_empty() { &self.few[..self.n] } else { &self.many[..self.n] }
    }
}
impl Digits {
    /// Reads `d.ddde±x` (or any other decimal text): the digits without leading and trailing zeros, and the position of the point.
    fn read(s: &str) -> (Digits, i32) {
        let mut d = Digits { few: [0; 24], many: vec![], n: 0 };
        let (m, e) = s.split_once('e').unwrap_or((s, "0"));
        let mut point = e.parse::<i32>().expect("a number");
        let mut in_fraction = false;
        for &b in m.as_bytes() {
            if b == b'.' {
                in_fraction = true;
            } else if d.n == 0 && b == b'0' {
                point -= in_fraction as i32;
            } else {
                point += !in_fraction as i32;
                d.few[d.n] = b;
                d.n += 1;
            }
        }
        while d.n > 1 && d.few[d.n - 1] == b'0' {
            d.n -= 1;
        }
        if d.n == 0 {
            (d.few[0], d.n, point) = (b'0', 1, 1);
        }
        (d, point)
    }
}

/// The shortest digits that read back and where the point is. Where two are equally near, the even one; that needs a look with 16 or
/// more digits only (or with the few bits of subnormal numbers).
fn shortest(v: f64) -> (Digits, i32) {
    let mut buf = ryu::Buffer::new();
    let found = Digits::read(buf.format_finite(v));
    let n = found.0.n;
    let odd = found.0[n - 1] % 2 == 1;
    if odd && (n >= 16 || v.is_subnormal()) {
        let even = format!("{:.*e}", n - 1, v);
        if even.parse() == Ok(v) {
            return Digits::read(&even);
        }
    }
    found
}

/// Significant digits and the position of the point behind them: 12.5 is ("125", 2).
fn exponent_digits(v: f64, prec: Option<usize>) -> (Digits, i32) {
    let Some(p) = prec else { return shortest(v) };
    let s = format!("{:.*e}", p.min(MAX_EXACT), v);
    let (m, e) = s.split_once('e').expect("the e format has an e");
    let mut d: Vec<u8> = m.bytes().filter(|b| *b != b'.').collect();
    if p > MAX_EXACT {
        d.resize(p + 1, b'0');
    }
    let n = d.len();
    (Digits { few: [0; 24], many: d, n }, e.parse::<i32>().expect("a number") + 1)
}

fn push_digits(d: &[u8], out: &mut String) {
    // SAFETY: digits are ASCII.
    out.push_str(unsafe { std::str::from_utf8_unchecked(d) })
}

fn with_exponent(d: &[u8], decpt: i32, alt: bool, out: &mut String) {
    out.push(d[0] as char);
    if d.len() > 1 || alt {
        out.push('.');
    }
    push_digits(&d[1..], out);
    let e = decpt - 1;
    out.push_str(&format!("e{}{:02}", if e < 0 { '-' } else { '+' }, e.abs()));
}

fn plain(d: &[u8], decpt: i32, alt: bool, dot_0: bool, out: &mut String) {
    if decpt <= 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', -decpt as usize));
        push_digits(d, out);
        return;
    }
    let p = decpt as usize;
    push_digits(&d[..p.min(d.len())], out);
    out.extend(std::iter::repeat_n('0', p.saturating_sub(d.len())));
    if d.len() > p {
        out.push('.');
        push_digits(&d[p..], out);
    } else if dot_0 {
        out.push_str(".0");
    } else if alt {
        out.push('.');
    }
}

/// `a` (not negative, finite) with `prec` digits behind the point, correctly rounded, where 128-bit integers hold all that is needed.
fn fixed_short(a: f64, prec: usize, out: &mut String) -> bool {
    if prec > 17 || a >= 1e15 {
        return false;
    }
    let bits = a.to_bits();
    let (e, m) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
    // a = m * 2^-shift
    let (m, shift) = if e == 0 { (m, 1074) } else { (m | 1 << 52, 1075 - e) };
    let scaled = m as u128 * 10u128.pow(prec as u32);
    let q = if shift <= 0 {
        scaled << -shift
    } else if shift >= 127 {
        // Less than half a unit of the last place: the numerator has at most 110 bits.
        0
    } else {
        let (q, rest, half) = (scaled >> shift, scaled & ((1 << shift) - 1), 1u128 << (shift - 1));
        q + (rest > half || rest == half && q & 1 == 1) as u128
    };
    let Ok(mut q) = u64::try_from(q) else { return false };
    let mut buf = [0u8; 24];
    let (mut at, mut n) = (buf.len(), 0);
    while q > 0 || n <= prec {
        if n == prec && prec > 0 {
            at -= 1;
            buf[at] = b'.';
        }
        at -= 1;
        buf[at] = b'0' + (q % 10) as u8;
        q /= 10;
        n += 1;
    }
    push_digits(&buf[at..], out);
    true
}

/// `PyOS_double_to_string`: `code` is one of `eEfFgGr`; `r` (the shortest text that reads back) ignores `prec`.
pub fn to_text(v: f64, code: u8, prec: usize, style: Style) -> String {
    let upper = code.is_ascii_uppercase();
    let mut out = String::with_capacity(32);
    let negative = v.is_sign_negative() && !v.is_nan();
    // A minus that may have to go is put in front at the end.
    let early = negative && !style.no_neg_0;
    if early {
        out.push('-');
    }
    if v.is_nan() {
        out.push_str("nan");
    } else if v.is_infinite() {
        out.push_str("inf");
    } else {
        let a = v.abs();
        match code.to_ascii_lowercase() {
            b'f' => {
                if !fixed_short(a, prec, &mut out) {
                    let _ = write!(out, "{:.*}", prec.min(MAX_EXACT), a);
                }
                if prec > MAX_EXACT {
                    out.extend(std::iter::repeat_n('0', prec - MAX_EXACT));
                }
                if style.alt && prec == 0 {
                    out.push('.');
                }
            }
            b'e' => {
                let (d, p) = exponent_digits(a, Some(prec));
                with_exponent(&d, p, style.alt, &mut out);
            }
            b'g' => {
                let prec = prec.max(1);
                let (mut d, p) = exponent_digits(a, Some(prec - 1));
                if !style.alt {
                    let n = d.len() - d.iter().rev().take_while(|c| **c == b'0').count();
                    d.n = n.max(1);
                }
                if p <= -4 || p > prec as i32 || style.dot_0 && p > prec as i32 - 1 {
                    with_exponent(&d, p, style.alt, &mut out);
                } else {
                    plain(&d, p, style.alt, style.dot_0, &mut out);
                }
            }
            _ => {
                let (d, p) = exponent_digits(a, None);
                if p <= -4 || p > 16 {
                    with_exponent(&d, p, style.alt, &mut out);
                } else {
                    plain(&d, p, style.alt, style.dot_0, &mut out);
                }
            }
        }
    }
    if upper {
        out.make_ascii_uppercase();
    }
    let zero = style.no_neg_0
        && v.is_finite()
        && !out.bytes().take_while(|b| *b | 32 != b'e').any(|b| (b'1'..=b'9').contains(&b));
    if early {
        // It is there.
    } else if negative && !zero {
        out.insert(0, '-');
    } else if style.plus {
        out.insert(0, '+');
    }
    out
}

/// `repr(float)` as an object.
pub fn repr_object(v: f64) -> Owned<Str> {
    Str::from_ascii(repr(v).as_bytes())
}
/// `repr(float)`.
pub fn repr(v: f64) -> String {
    to_text(v, b'r', 0, Style { dot_0: true, ..Style::default() })
}

// ---- From text ----

/// Parses the longest prefix that is a decimal number, `inf` or `nan` (no blanks, no underscores): value and length.
pub fn parse_prefix(s: &[u8]) -> Option<(f64, usize)> {
    let mut i = 0;
    let negative = s.first() == Some(&b'-');
    if matches!(s.first(), Some(b'-' | b'+')) {
        i = 1;
    }
    let word = |w: &[u8]| s.len() >= i + w.len() && s[i..i + w.len()].eq_ignore_ascii_case(w);
    let sign = if negative { -1.0 } else { 1.0 };
    if word(b"infinity") {
        return Some((sign * f64::INFINITY, i + 8));
    }
    if word(b"inf") {
        return Some((sign * f64::INFINITY, i + 3));
    }
    if word(b"nan") {
        return Some((f64::NAN.copysign(sign), i + 3));
    }
    let digits = |mut k: usize| {
        while k < s.len() && s[k].is_ascii_digit() {
            k += 1;
        }
        k
    };
    let int_end = digits(i);
    let mut end = int_end;
    let mut any = int_end > i;
    if s.get(end) == Some(&b'.') {
        let frac_end = digits(end + 1);
        any |= frac_end > end + 1;
        end = frac_end;
    }
    if !any {
        return None;
    }
    if matches!(s.get(end), Some(b'e' | b'E')) {
        let mut k = end + 1;
        if matches!(s.get(k), Some(b'+' | b'-')) {
            k += 1;
        }
        let e = digits(k);
        if e > k {
            end = e;
        }
    }
    let v: f64 = std::str::from_utf8(&s[..end]).ok()?.parse().ok()?;
    Some((v, end))
}

/// The text without the underscores that stand between digits; `None` if one stands elsewhere.
pub fn strip_underscores(s: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(s.len());
    for (i, c) in s.iter().enumerate() {
        if *c == b'_' {
            let digit = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
            if i == 0 || !digit(s.get(i - 1)) || !digit(s.get(i + 1)) {
                return None;
            }
        } else {
            out.push(*c);
        }
    }
    Some(out)
}

/// `float(text)` for ASCII text.
pub fn parse_ascii(s: &[u8]) -> Option<f64> {
    let s = trim(s);
    let clean;
    let s = if s.contains(&b'_') {
        clean = strip_underscores(s)?;
        &clean
    } else {
        s
    };
    match parse_prefix(s) {
        Some((v, n)) if n == s.len() => Some(v),
        _ => None,
    }
}
/// `float(text)`; `None` if the text is no float.
pub fn parse(text: &str) -> Option<f64> {
    parse_ascii(text.as_bytes())
}

/// The float written in a string or bytes-like object.
pub fn from_text(o: &Object) -> PyResult<f64> {
    let v = if let Some(s) = o.downcast::<Str>() {
        parse_ascii(&ascii_digits(s))
    } else if let Some(b) = o.downcast::<Bytes>() {
        parse_ascii(b.as_bytes())
    } else if let Some(b) = o.downcast::<ByteArray>() {
        parse_ascii(&b.to_vec())
    } else {
        parse_ascii(&crate::buffer::BytesLike::get_or(o, || {
            crate::raised!(
                TypeError,
                "float() argument must be a string or a real number, not '{}'",
                o.ty().name()
            )
        })?)
    };
    match v {
        Some(v) => Ok(v),
        None => {
            let shown = o.repr()?;
            raise!(ValueError, "could not convert string to float: {}", shown.to_str_lossy())
        }
    }
}

// ---- Arithmetic ----

/// Hash of a finite or infinite value; NaN hashes by identity (`hash_object`).
pub fn hash(v: f64) -> isize {
    const INF: isize = 314159;
    if v.is_infinite() {
        return if v > 0.0 { INF } else { -INF };
    }
    if v.is_nan() {
        return 0;
    }
    // Whole numbers hash as ints do.
    if v.abs() < 1e15 && v == v.trunc() {
        let h = v as isize;
        return if h == -1 { -2 } else { h };
    }
    // The value is m * 2**e with a 53-bit m: reduce modulo 2**61 - 1, where 2**61 is 1.
    let (m, e, negative) = decompose(v);
    let m = m % crate::intobject::HASH_MODULUS;
    let e = e.rem_euclid(61) as u32;
    let x = if e == 0 { m } else { ((m << e) & crate::intobject::HASH_MODULUS) | m >> (61 - e) };
    let x = (x % crate::intobject::HASH_MODULUS) as isize;
    let x = if negative { -x } else { x };
    if x == -1 { -2 } else { x }
}

/// Hash of a float that belongs to object `o`.
pub fn hash_object(o: &Object, v: f64) -> isize {
    if v.is_nan() { hash_pointer(o.as_ptr() as usize) } else { hash(v) }
}

/// Object identity as a hash: addresses are multiples of 16, so the low bits rotate away.
pub fn hash_pointer(p: usize) -> isize {
    let h = p.rotate_right(4) as isize;
    if h == -1 { -2 } else { h }
}

/// `(mantissa, exponent, negative)`: the value is mantissa * 2**exponent, for finite values.
pub fn decompose(v: f64) -> (u64, i32, bool) {
    let bits = v.to_bits();
    let e = ((bits >> 52) & 0x7ff) as i32;
    let f = bits & ((1 << 52) - 1);
    if e == 0 { (f, -1074, v.is_sign_negative()) } else { (f | 1 << 52, e - 1075, v.is_sign_negative()) }
}

/// `(quotient, remainder)` with floor semantics; the divisor isn't zero.
pub fn floor_divmod(a: f64, b: f64) -> (f64, f64) {
    let mut m = a % b;
    let mut d = (a - m) / b;
    if m != 0.0 {
        if (b < 0.0) != (m < 0.0) {
            m += b;
            d -= 1.0;
        }
    } else {
        m = 0.0f64.copysign(b);
    }
    let q = if d != 0.0 {
        let f = d.floor();
        if d - f > 0.5 { f + 1.0 } else { f }
    } else {
        0.0f64.copysign(a / b)
    };
    (q, m)
}

/// `a % b` with the sign of `b`; the divisor isn't zero.
pub fn modulo(a: f64, b: f64) -> f64 {
    let m = a % b;
    if m == 0.0 {
        0.0f64.copysign(b)
    } else if (b < 0.0) != (m < 0.0) {
        m + b
    } else {
        m
    }
}

/// `a ** b`, which may be complex.
pub fn power(a: f64, b: f64) -> PyResult<Owned<Object>> {
    let real = |v: f64| Ok(Float::new(v).into_object());
    if b == 0.0 || a == 1.0 {
        return real(1.0);
    }
    if a.is_nan() || b.is_nan() {
        return real(f64::NAN);
    }
    if b.is_infinite() {
        let a = a.abs();
        return real(if a == 1.0 {
            1.0
        } else if (b > 0.0) == (a > 1.0) {
            b.abs()
        } else {
            0.0
        });
    }
    let odd = (b % 2.0).abs() == 1.0;
    if a.is_infinite() {
        return real(match (b > 0.0, odd) {
            (true, true) => a,
            (true, false) => a.abs(),
            (false, true) => 0.0f64.copysign(a),
            (false, false) => 0.0,
        });
    }
    if a == 0.0 {
        if b < 0.0 {
            return raise!(ZeroDivisionError, "0.0 cannot be raised to a negative power");
        }
        return real(if odd { a } else { 0.0 });
    }
    let mut base = a;
    let mut negate = false;
    if a < 0.0 {
        if b != b.floor() {
            return crate::complexobject::power((a, 0.0), (b, 0.0))
                .map(|(x, y)| Complex::new(x, y).into_object());
        }
        base = -a;
        negate = odd;
    }
    if base == 1.0 {
        return real(if negate { -1.0 } else { 1.0 });
    }
    // SAFETY: a plain C function.
    let v = unsafe { libc_pow(base, b) };
    if v.is_infinite() {
        return Err(range_error());
    }
    real(if negate { -v } else { v })
}

unsafe extern "C" {
    #[link_name = "pow"]
    fn libc_pow(a: f64, b: f64) -> f64;
}

/// `OverflowError: (34, 'Numerical result out of range')`.
pub fn range_error() -> Raised {
    let args = Tuple::from_vec(vec![
        Int::from_i64(34).into_object(),
        Str::new("Numerical result out of range").into_object(),
    ]);
    set_object(crate::exceptions::exc::OverflowError(), Some(args.into_object()))
}

/// Compares a float with an int of any size, exactly. `None`: NaN.
pub fn compare_int(a: f64, b: &Int) -> Option<Ordering> {
    if a.is_nan() {
        return None;
    }
    if let Some(v) = b.compact()
        && v.abs() <= 1 << 53
    {
        return a.partial_cmp(&(v as f64));
    }
    if a.is_infinite() {
        return Some(if a > 0.0 { Ordering::Greater } else { Ordering::Less });
    }
    let whole = a.trunc();
    let i = Int::from_f64(whole).expect("finite");
    Some(i.compare(b).then_with(|| (a - whole).partial_cmp(&0.0).expect("not NaN")))
}

/// Rounds to `n` decimal places, half to even on the exact value.
pub fn round_digits(v: f64, n: i64) -> PyResult<f64> {
    if !v.is_finite() || n > 323 {
        return Ok(v);
    }
    if n < -308 {
        return Ok(0.0f64.copysign(v));
    }
    let r: f64 = if n >= 0 {
        format!("{:.*}", n as usize, v).parse().expect("a number")
    } else {
        // Cut at a power of ten: the integer part decides, and the fraction where that is a tie.
        let unit = Int::from_i64(10).pow(&Int::from_i64(-n))?;
        let t = Int::from_f64(v.abs().trunc())?;
        let (q, rest) = t.divmod(&unit)?;
        let up = match rest.shl(1)?.compare(&unit) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => v != v.trunc() || q.digits().first().is_some_and(|d| d & 1 == 1),
        };
        let q = if up { q.add(&Int::from_i64(1)) } else { q };
        match q.mul(&unit)?.to_f64() {
            Ok(r) => r.copysign(v),
            Err(e) => {
                e.clear();
                f64::INFINITY
            }
        }
    };
    if r.is_infinite() {
        return raise!(OverflowError, "rounded value too large to represent");
    }
    Ok(r)
}
