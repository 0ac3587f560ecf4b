//! A code object without a VM: what the compiler makes and `.pyc` files hold.
//!
//! The runtime turns a [`CodeUnit`] into a `PyCodeObject`; nothing here knows Python objects. Equality is that of contents with
//! CPython's rule for constants: `0.0` and `-0.0` differ, `1`, `1.0` and `True` differ.

use std::fmt;

/// A code object.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct CodeUnit {
    pub argcount: u32,
    pub posonlyargcount: u32,
    pub kwonlyargcount: u32,
    pub stacksize: u32,
    pub flags: u32,
    /// Instructions with their cache units, all caches zero.
    pub code: Vec<u8>,
    pub consts: Vec<Const>,
    pub names: Vec<String>,
    /// Locals, cells and free variables, in this order; a local that is also a cell appears once.
    pub localsplusnames: Vec<String>,
    pub localspluskinds: Vec<u8>,
    pub filename: String,
    pub name: String,
    pub qualname: String,
    pub firstlineno: i32,
    pub linetable: Vec<u8>,
    pub exceptiontable: Vec<u8>,
}

/// A constant.
#[derive(Clone, Debug)]
pub enum Const {
    None,
    True,
    False,
    Ellipsis,
    Int(PyInt),
    Float(f64),
    Complex(f64, f64),
    Str(Wtf8),
    Bytes(Vec<u8>),
    Tuple(Vec<Const>),
    FrozenSet(Vec<Const>),
    Code(Box<CodeUnit>),
}

impl Const {
    pub fn int(v: i64) -> Const {
        Const::Int(PyInt::Small(v))
    }

    pub fn str(s: &str) -> Const {
        Const::Str(Wtf8::from(s))
    }
}

impl PartialEq for Const {
    fn eq(&self, other: &Const) -> bool {
        use Const::*;
        match (self, other) {
            (None, None) | (True, True) | (False, False) | (Ellipsis, Ellipsis) => true,
            (Int(a), Int(b)) => a == b,
            (Float(a), Float(b)) => a.to_bits() == b.to_bits(),
            (Complex(a, b), Complex(c, d)) => a.to_bits() == c.to_bits() && b.to_bits() == d.to_bits(),
            (Str(a), Str(b)) => a == b,
            (Bytes(a), Bytes(b)) => a == b,
            (Tuple(a), Tuple(b)) => a == b,
            // Sets have no order: the writer's order depends on hashes.
            (FrozenSet(a), FrozenSet(b)) => a.len() == b.len() && a.iter().all(|x| b.contains(x)),
            (Code(a), Code(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Const {}

impl std::hash::Hash for Const {
    fn hash<H: std::hash::Hasher>(&self, h: &mut H) {
        std::mem::discriminant(self).hash(h);
        match self {
            Const::None | Const::True | Const::False | Const::Ellipsis => {}
            Const::Int(v) => v.hash(h),
            Const::Float(v) => v.to_bits().hash(h),
            Const::Complex(a, b) => (a.to_bits(), b.to_bits()).hash(h),
            Const::Str(s) => s.hash(h),
            Const::Bytes(b) => b.hash(h),
            Const::Tuple(items) => items.hash(h),
            Const::FrozenSet(items) => items.len().hash(h),
            Const::Code(c) => (&c.name, c.firstlineno, &c.code).hash(h),
        }
    }
}

// ---- Integers ----

/// An integer constant. `Big` is used exactly when the value does not fit into `i64`, so equality is structural.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum PyInt {
    Small(i64),
    /// Sign and magnitude in 15-bit digits, least significant first, no leading zero digit (marshal's form).
    Big {
        negative: bool,
        digits: Vec<u16>,
    },
}

impl PyInt {
    /// From sign and 15-bit digits; leading zeros allowed.
    pub fn from_digits15(negative: bool, mut digits: Vec<u16>) -> PyInt {
        while digits.last() == Some(&0) {
            digits.pop();
        }
        if digits.len() <= 5 {
            let v = digits.iter().rev().fold(0i128, |v, &d| v << 15 | d as i128);
            if let Ok(small) = i64::try_from(if negative { -v } else { v }) {
                return PyInt::Small(small);
            }
        }
        PyInt::Big { negative, digits }
    }

    /// From a magnitude in little-endian bytes.
    pub fn from_bytes_le(negative: bool, bytes: &[u8]) -> PyInt {
        let mut digits = Vec::with_capacity(bytes.len() * 8 / 15 + 1);
        let (mut acc, mut bits) = (0u32, 0);
        for &b in bytes {
            acc |= (b as u32) << bits;
            bits += 8;
            if bits >= 15 {
                digits.push((acc & 0x7fff) as u16);
                acc >>= 15;
                bits -= 15;
            }
        }
        digits.push(acc as u16);
        PyInt::from_digits15(negative, digits)
    }

    /// Sign and magnitude in little-endian bytes without leading zeros.
    pub fn to_bytes_le(&self) -> (bool, Vec<u8>) {
        let mut out: Vec<u8>;
        let negative = match self {
            PyInt::Small(v) => {
                out = v.unsigned_abs().to_le_bytes().to_vec();
                *v < 0
            }
            PyInt::Big { negative, digits } => {
                out = Vec::with_capacity(digits.len() * 2);
                let (mut acc, mut bits) = (0u32, 0);
                for &d in digits {
                    acc |= (d as u32) << bits;
                    bits += 15;
                    while bits >= 8 {
                        out.push(acc as u8);
                        acc >>= 8;
                        bits -= 8;
                    }
                }
                out.push(acc as u8);
                *negative
            }
        };
        while out.last() == Some(&0) {
            out.pop();
        }
        (negative, out)
    }

    /// Sign and 15-bit digits.
    pub fn to_digits15(&self) -> (bool, Vec<u16>) {
        match self {
            PyInt::Small(v) => {
                let mut m = v.unsigned_abs();
                let mut digits = Vec::new();
                while m != 0 {
                    digits.push((m & 0x7fff) as u16);
                    m >>= 15;
                }
                (*v < 0, digits)
            }
            PyInt::Big { negative, digits } => (*negative, digits.clone()),
        }
    }
}

// ---- Strings ----

/// Text that may hold lone surrogates: UTF-8, with a surrogate written as the three bytes UTF-8 would give it (WTF-8; but a high
/// surrogate followed by a low one stays two code points, as in Python).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Wtf8(Vec<u8>);

impl Wtf8 {
    pub fn new() -> Wtf8 {
        Wtf8(Vec::new())
    }

    /// From bytes that are known to be in this encoding.
    pub fn from_bytes_unchecked(bytes: Vec<u8>) -> Wtf8 {
        Wtf8(bytes)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, unless it holds a surrogate.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    pub fn push_str(&mut self, s: &str) {
        self.0.extend_from_slice(s.as_bytes());
    }

    pub fn push_wtf8(&mut self, s: &Wtf8) {
        self.0.extend_from_slice(&s.0);
    }

    /// Appends a code point, surrogates included.
    pub fn push_code_point(&mut self, c: u32) {
        match char::from_u32(c) {
            Some(ch) => self.0.extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes()),
            None => {
                self.0.extend([0xe0 | (c >> 12) as u8, 0x80 | (c >> 6 & 0x3f) as u8, 0x80 | (c & 0x3f) as u8])
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of code points.
    pub fn char_count(&self) -> usize {
        self.0.iter().filter(|&&b| b & 0xc0 != 0x80).count()
    }

    /// The code points.
    pub fn code_points(&self) -> impl Iterator<Item = u32> + '_ {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let &first = rest.first()?;
            let (len, mut c) = match first {
                0..=0x7f => (1, first as u32),
                0x80..=0xdf => (2, first as u32 & 0x1f),
                0xe0..=0xef => (3, first as u32 & 0x0f),
                _ => (4, first as u32 & 0x07),
            };
            let len = len.min(rest.len());
            for &b in &rest[1..len] {
                c = c << 6 | (b & 0x3f) as u32;
            }
            rest = &rest[len..];
            Some(c)
        })
    }
}

impl From<&str> for Wtf8 {
    fn from(s: &str) -> Wtf8 {
        Wtf8(s.as_bytes().to_vec())
    }
}

impl From<String> for Wtf8 {
    fn from(s: String) -> Wtf8 {
        Wtf8(s.into_bytes())
    }
}

impl fmt::Debug for Wtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_str() {
            Some(s) => fmt::Debug::fmt(s, f),
            None => write!(f, "wtf8{:?}", String::from_utf8_lossy(&self.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_convert() {
        for v in [0, 1, -1, 255, 32767, 32768, i64::MAX, i64::MIN] {
            let i = PyInt::Small(v);
            let (neg, bytes) = i.to_bytes_le();
            assert_eq!(PyInt::from_bytes_le(neg, &bytes), i);
            let (neg, digits) = i.to_digits15();
            assert_eq!(PyInt::from_digits15(neg, digits), i);
        }
        let big = PyInt::from_bytes_le(true, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 200]);
        assert!(matches!(big, PyInt::Big { negative: true, .. }));
        let (neg, bytes) = big.to_bytes_le();
        assert_eq!((neg, &bytes[..]), (true, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 200][..]));
    }

    #[test]
    fn text_keeps_surrogates() {
        let mut s = Wtf8::from("aé");
        s.push_code_point(0xd800);
        s.push_code_point(0x1f600);
        assert_eq!(s.as_str(), None);
        assert_eq!(s.code_points().collect::<Vec<_>>(), [0x61, 0xe9, 0xd800, 0x1f600]);
        assert_eq!(s.char_count(), 4);
    }

    #[test]
    fn constants_compare_like_cpython_keys() {
        assert_ne!(Const::Float(0.0), Const::Float(-0.0));
        assert_ne!(Const::True, Const::int(1));
        assert_eq!(Const::Tuple(vec![Const::int(1)]), Const::Tuple(vec![Const::int(1)]));
    }
}
