//! Arithmetic on constants, as Python does it, for folding. `None` means: leave the expression to run time
//! (it would raise, or its result would be too big to keep in a code object).

use crate::ast::{Operator, UnaryOp};
use lh_bytecode::{Const, PyInt, Wtf8};
use num_bigint::{BigInt, Sign};
use num_traits::{Signed, ToPrimitive, Zero};

const MAX_INT_BITS: u64 = 128;
const MAX_COLLECTION: usize = 256;
const MAX_STR: usize = 4096;
const MAX_TOTAL_ITEMS: isize = 1024;

pub fn to_big(i: &PyInt) -> BigInt {
    match i {
        PyInt::Small(v) => BigInt::from(*v),
        PyInt::Big { .. } => {
            let (negative, bytes) = i.to_bytes_le();
            BigInt::from_bytes_le(if negative { Sign::Minus } else { Sign::Plus }, &bytes)
        }
    }
}

pub fn from_big(b: &BigInt) -> PyInt {
    match b.to_i64() {
        Some(v) => PyInt::Small(v),
        None => PyInt::from_bytes_le(b.is_negative(), &b.magnitude().to_bytes_le()),
    }
}

/// Truth of a constant.
pub fn truth(c: &Const) -> bool {
    match c {
        Const::None | Const::False => false,
        Const::True | Const::Ellipsis | Const::Code(_) => true,
        Const::Int(i) => *i != PyInt::Small(0),
        Const::Float(f) => *f != 0.0,
        Const::Complex(a, b) => *a != 0.0 || *b != 0.0,
        Const::Str(s) => !s.is_empty(),
        Const::Bytes(b) => !b.is_empty(),
        Const::Tuple(t) | Const::FrozenSet(t) => !t.is_empty(),
    }
}

/// An int or bool as an int.
fn as_int(c: &Const) -> Option<PyInt> {
    match c {
        Const::Int(i) => Some(i.clone()),
        Const::True => Some(PyInt::Small(1)),
        Const::False => Some(PyInt::Small(0)),
        _ => None,
    }
}

fn as_float(c: &Const) -> Option<f64> {
    match c {
        Const::Float(f) => Some(*f),
        _ => int_to_float(&as_int(c)?),
    }
}

fn int_to_float(i: &PyInt) -> Option<f64> {
    match i {
        PyInt::Small(v) => Some(*v as f64),
        PyInt::Big { .. } => to_big(i).to_f64().filter(|f| f.is_finite()),
    }
}

fn as_complex(c: &Const) -> Option<(f64, f64)> {
    match c {
        Const::Complex(a, b) => Some((*a, *b)),
        _ => Some((as_float(c)?, 0.0)),
    }
}

pub fn unary(op: UnaryOp, v: &Const) -> Option<Const> {
    if op == UnaryOp::Not {
        return Some(if truth(v) { Const::False } else { Const::True });
    }
    Some(match (op, v) {
        (UnaryOp::UAdd, Const::Float(_) | Const::Complex(..)) => v.clone(),
        (UnaryOp::USub, Const::Float(f)) => Const::Float(-f),
        (UnaryOp::USub, Const::Complex(a, b)) => Const::Complex(-a, -b),
        _ => {
            let i = as_int(v)?;
            Const::Int(match op {
                UnaryOp::UAdd => i,
                UnaryOp::USub => match i {
                    PyInt::Small(v) if v != i64::MIN => PyInt::Small(-v),
                    _ => from_big(&-to_big(&i)),
                },
                _ => match i {
                    PyInt::Small(v) => PyInt::Small(!v),
                    _ => from_big(&(-to_big(&i) - BigInt::from(1))),
                },
            })
        }
    })
}

pub fn binary(op: Operator, a: &Const, b: &Const) -> Option<Const> {
    use Operator::*;
    match (op, a, b) {
        (MatMult, ..) => None,
        (Mod, Const::Str(_) | Const::Bytes(_), _) => None,
        (Add, Const::Str(x), Const::Str(y)) => {
            let mut s = x.clone();
            s.push_wtf8(y);
            Some(Const::Str(s))
        }
        (Add, Const::Bytes(x), Const::Bytes(y)) => Some(Const::Bytes([&x[..], &y[..]].concat())),
        (Add, Const::Tuple(x), Const::Tuple(y)) => Some(Const::Tuple([&x[..], &y[..]].concat())),
        (Mult, Const::Str(_) | Const::Bytes(_) | Const::Tuple(_), _) => repeat(a, &as_int(b)?),
        (Mult, _, Const::Str(_) | Const::Bytes(_) | Const::Tuple(_)) => repeat(b, &as_int(a)?),
        (_, Const::Complex(..), _) | (_, _, Const::Complex(..)) => {
            complex(op, as_complex(a)?, as_complex(b)?)
        }
        (_, Const::Float(_), _) | (_, _, Const::Float(_)) => float(op, as_float(a)?, as_float(b)?),
        (BitAnd | BitOr | BitXor, Const::True | Const::False, Const::True | Const::False) => {
            let (x, y) = (matches!(a, Const::True), matches!(b, Const::True));
            let v = match op {
                BitAnd => x & y,
                BitOr => x | y,
                _ => x ^ y,
            };
            Some(if v { Const::True } else { Const::False })
        }
        _ => integer(op, &as_int(a)?, &as_int(b)?),
    }
}

fn repeat(seq: &Const, n: &PyInt) -> Option<Const> {
    let len = match seq {
        Const::Str(s) => s.char_count(),
        Const::Bytes(b) => b.len(),
        Const::Tuple(t) => t.len(),
        _ => return None,
    };
    let PyInt::Small(n) = *n else { return None };
    let limit = if matches!(seq, Const::Tuple(_)) { MAX_COLLECTION } else { MAX_STR };
    if len == 0 {
        return Some(seq.clone());
    }
    let n = usize::try_from(n).ok().filter(|&n| n <= limit / len)?;
    Some(match seq {
        Const::Str(s) => Const::Str(Wtf8::from_bytes_unchecked(s.as_bytes().repeat(n))),
        Const::Bytes(b) => Const::Bytes(b.repeat(n)),
        Const::Tuple(t) => {
            if n > 0 && complexity(seq, MAX_TOTAL_ITEMS / n as isize) < 0 {
                return None;
            }
            Const::Tuple((0..n).flat_map(|_| t.iter().cloned()).collect())
        }
        _ => return None,
    })
}

/// What remains of an allowance of items, nested ones counted; negative when it is used up.
fn complexity(c: &Const, mut limit: isize) -> isize {
    if let Const::Tuple(t) | Const::FrozenSet(t) = c {
        limit -= t.len() as isize;
        for x in t {
            if limit < 0 {
                break;
            }
            limit = complexity(x, limit);
        }
    }
    limit
}

fn integer(op: Operator, a: &PyInt, b: &PyInt) -> Option<Const> {
    use Operator::*;
    if let (PyInt::Small(x), PyInt::Small(y)) = (a, b) {
        let (x, y) = (*x, *y);
        let quick = match op {
            Add => x.checked_add(y),
            Sub => x.checked_sub(y),
            Mult => x.checked_mul(y),
            BitOr => Some(x | y),
            BitXor => Some(x ^ y),
            BitAnd => Some(x & y),
            _ => None,
        };
        if let Some(v) = quick {
            return Some(Const::int(v));
        }
    }
    let (x, y) = (to_big(a), to_big(b));
    let small = |v: &BigInt| v.to_u64().filter(|&n| n <= MAX_INT_BITS);
    let r = match op {
        Add => x + y,
        Sub => x - y,
        Mult => {
            if !x.is_zero() && !y.is_zero() && x.bits() + y.bits() > MAX_INT_BITS {
                return None;
            }
            x * y
        }
        Div => return true_divide(&x, &y).map(Const::Float),
        FloorDiv if !y.is_zero() => floor_divmod(&x, &y).0,
        Mod if !y.is_zero() => floor_divmod(&x, &y).1,
        Pow => {
            if y.is_negative() {
                return float(Pow, int_to_float(a)?, int_to_float(b)?);
            }
            if !x.is_zero() && !y.is_zero() && small(&y).is_none_or(|n| x.bits() > MAX_INT_BITS / n) {
                return None;
            }
            match y.to_u32() {
                Some(n) => x.pow(n),
                None => x,
            }
        }
        LShift => {
            if y.is_negative() {
                return None;
            }
            if x.is_zero() {
                x
            } else {
                let n = small(&y)?;
                if x.bits() + n > MAX_INT_BITS && n != 0 {
                    return None;
                }
                x << n
            }
        }
        RShift => {
            if y.is_negative() {
                return None;
            }
            match y.to_u32() {
                Some(n) => x >> n,
                None if x.is_negative() => BigInt::from(-1),
                None => BigInt::from(0),
            }
        }
        BitOr => x | y,
        BitXor => x ^ y,
        BitAnd => x & y,
        _ => return None,
    };
    Some(Const::Int(from_big(&r)))
}

fn floor_divmod(x: &BigInt, y: &BigInt) -> (BigInt, BigInt) {
    let (q, r) = (x / y, x % y);
    if !r.is_zero() && r.is_negative() != y.is_negative() { (q - 1, r + y) } else { (q, r) }
}

/// The quotient of two integers, rounded once.
fn true_divide(x: &BigInt, y: &BigInt) -> Option<f64> {
    if y.is_zero() {
        return None;
    }
    let exact = |v: &BigInt| v.to_f64().filter(|_| v.bits() <= 53);
    if let (Some(a), Some(b)) = (exact(x), exact(y)) {
        return Some(a / b);
    }
    // Scale so that the integer quotient has at least 66 bits; a sticky bit keeps the rounding of to_f64 right.
    let shift = 66 - (x.bits() as i64 - y.bits() as i64);
    if shift > 1000 {
        return None;
    }
    let (n, d) = if shift >= 0 { (x.abs() << shift, y.abs()) } else { (x.abs(), y.abs() << -shift) };
    let mut q: BigInt = &n / &d;
    if !(n % d).is_zero() {
        q |= BigInt::from(1);
    }
    let v = q.to_f64()? * 2f64.powi(-shift as i32);
    let v = if x.is_negative() != y.is_negative() { -v } else { v };
    v.is_finite().then_some(v)
}

fn float(op: Operator, a: f64, b: f64) -> Option<Const> {
    use Operator::*;
    Some(Const::Float(match op {
        Add => a + b,
        Sub => a - b,
        Mult => a * b,
        Div if b != 0.0 => a / b,
        FloorDiv if b != 0.0 => float_divmod(a, b).0,
        Mod if b != 0.0 => float_divmod(a, b).1,
        Pow => {
            if a == 0.0 && b < 0.0 {
                return None;
            }
            if a < 0.0 && a.is_finite() && b.is_finite() && b.floor() != b {
                return complex(Pow, (a, 0.0), (b, 0.0));
            }
            let v = a.powf(b);
            // OverflowError at run time.
            if v.is_infinite() && a.is_finite() && b.is_finite() {
                return None;
            }
            v
        }
        _ => return None,
    }))
}

fn float_divmod(a: f64, b: f64) -> (f64, f64) {
    let mut m = a % b;
    let mut div = (a - m) / b;
    if m != 0.0 {
        if (b < 0.0) != (m < 0.0) {
            m += b;
            div -= 1.0;
        }
    } else {
        m = 0f64.copysign(b);
    }
    let q = if div != 0.0 {
        let f = div.floor();
        if div - f > 0.5 { f + 1.0 } else { f }
    } else {
        0f64.copysign(a / b)
    };
    (q, m)
}

fn complex(op: Operator, (a, b): (f64, f64), (c, d): (f64, f64)) -> Option<Const> {
    use Operator::*;
    let (re, im) = match op {
        Add => (a + c, b + d),
        Sub => (a - c, b - d),
        Mult => (a * c - b * d, a * d + b * c),
        Div if c != 0.0 || d != 0.0 => {
            if c.abs() >= d.abs() {
                let ratio = d / c;
                let den = c + d * ratio;
                ((a + b * ratio) / den, (b - a * ratio) / den)
            } else {
                let ratio = c / d;
                let den = c * ratio + d;
                ((a * ratio + b) / den, (b * ratio - a) / den)
            }
        }
        Pow => complex_pow((a, b), (c, d))?,
        _ => return None,
    };
    Some(Const::Complex(re, im))
}

/// Powers: whole exponents up to 100 by multiplication, others in polar form.
fn complex_pow((a, b): (f64, f64), (c, d): (f64, f64)) -> Option<(f64, f64)> {
    let mul = |(a, b): (f64, f64), (c, d): (f64, f64)| (a * c - b * d, a * d + b * c);
    let (re, im) = if d == 0.0 && c.floor() == c && c.abs() <= 100.0 {
        let n = c.abs() as u32;
        let (mut r, mut p, mut mask) = ((1.0, 0.0), (a, b), 1);
        while n >= mask {
            if n & mask != 0 {
                r = mul(r, p);
            }
            mask <<= 1;
            p = mul(p, p);
        }
        if c > 0.0 {
            r
        } else {
            match complex(Operator::Div, (1.0, 0.0), r)? {
                Const::Complex(re, im) => (re, im),
                _ => return None,
            }
        }
    } else if a == 0.0 && b == 0.0 {
        if d != 0.0 || c < 0.0 {
            return None;
        }
        (0.0, 0.0)
    } else {
        let abs = a.hypot(b);
        let mut len = abs.powf(c);
        let at = b.atan2(a);
        let mut phase = at * c;
        if d != 0.0 {
            len *= (-at * d).exp();
            phase += d * abs.ln();
        }
        (len * phase.cos(), len * phase.sin())
    };
    (re.is_finite() && im.is_finite()).then_some((re, im))
}

/// `value[index]` of constants.
pub fn subscript(value: &Const, index: &Const) -> Option<Const> {
    let PyInt::Small(i) = as_int(index)? else { return None };
    let at = |len: usize| {
        let i = if i < 0 { i + len as i64 } else { i };
        usize::try_from(i).ok().filter(|&i| i < len)
    };
    match value {
        Const::Tuple(t) => Some(t[at(t.len())?].clone()),
        Const::Bytes(b) => Some(Const::int(b[at(b.len())?] as i64)),
        Const::Str(s) => {
            let c = s.code_points().nth(at(s.char_count())?)?;
            let mut out = Wtf8::new();
            out.push_code_point(c);
            Some(Const::Str(out))
        }
        _ => None,
    }
}

/// Python's `==` between constants (for removing duplicates from sets).
pub fn python_eq(a: &Const, b: &Const) -> bool {
    match (a, b) {
        (Const::Tuple(x), Const::Tuple(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(a, b)| python_eq(a, b))
        }
        _ => match (as_int(a), as_int(b)) {
            (Some(x), Some(y)) => x == y,
            _ => match (as_complex(a), as_complex(b)) {
                (Some(x), Some(y)) => x == y,
                _ => a == b,
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(v: i64) -> Const {
        Const::int(v)
    }

    #[test]
    fn integers() {
        assert_eq!(binary(Operator::FloorDiv, &int(-7), &int(2)), Some(int(-4)));
        assert_eq!(binary(Operator::Mod, &int(-7), &int(2)), Some(int(1)));
        assert_eq!(binary(Operator::Pow, &int(2), &int(-1)), Some(Const::Float(0.5)));
        assert_eq!(binary(Operator::LShift, &int(1), &int(200)), None);
        assert!(binary(Operator::LShift, &int(1), &int(100)).is_some());
        assert_eq!(binary(Operator::Div, &int(1), &int(0)), None);
        assert_eq!(binary(Operator::Add, &Const::True, &int(1)), Some(int(2)));
        assert_eq!(binary(Operator::BitOr, &Const::True, &Const::False), Some(Const::True));
        assert_eq!(unary(UnaryOp::Invert, &int(5)), Some(int(-6)));
    }

    #[test]
    fn sequences() {
        assert_eq!(binary(Operator::Mult, &Const::str("ab"), &int(2)), Some(Const::str("abab")));
        assert_eq!(binary(Operator::Mult, &Const::str("ab"), &int(-2)), None);
        assert_eq!(binary(Operator::Mult, &Const::str("ab"), &int(5000)), None);
        assert_eq!(subscript(&Const::str("aé"), &int(-1)), Some(Const::str("é")));
        assert!(python_eq(&Const::True, &Const::Float(1.0)));
    }
}
