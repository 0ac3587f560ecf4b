//! `PyUnicode_FromFormat`'s little language, which `PyErr_Format` and others share.
//!
//! `%c %d %i %u %x %p %s %A %U %V %S %R %%`, sizes `l ll z`, flag `0`, width and precision.

use crate::prelude::*;
use crate::va::VaList;

struct Spec {
    zero: bool,
    width: usize,
    precision: Option<usize>,
    size: u8,
}

/// The text so far: a short one that is all ASCII needs no builder.
struct Out {
    short: [u8; Out::SHORT],
    len: usize,
    long: Option<StrBuilder>,
}
impl Out {
    const SHORT: usize = 240;
    fn ascii(&mut self, t: &[u8]) {
        debug_assert!(t.is_ascii());
        if self.long.is_none() && self.len + t.len() <= Out::SHORT {
            self.short[self.len..self.len + t.len()].copy_from_slice(t);
            self.len += t.len();
            return;
        }
        self.builder().push_str(std::str::from_utf8(t).expect("ASCII"));
    }
    /// For what isn't ASCII, or is a string object.
    fn builder(&mut self) -> &mut StrBuilder {
        let (short, len) = (&self.short, self.len);
        self.long.get_or_insert_with(|| {
            let mut b = StrBuilder::with_capacity(2 * len + 32);
            b.push_str(std::str::from_utf8(&short[..len]).expect("ASCII"));
            b
        })
    }
    fn finish(self) -> Owned<Str> {
        match self.long {
            Some(b) => b.finish(),
            None => Str::from_ascii(&self.short[..self.len]),
        }
    }
}

/// The decimal digits of `v`, written to the end of `buf`.
fn decimal(mut v: u64, buf: &mut [u8; 20]) -> &str {
    let mut at = buf.len();
    loop {
        at -= 1;
        buf[at] = b'0' + (v % 10) as u8;
        v /= 10;
        if v == 0 {
            break;
        }
    }
    std::str::from_utf8(&buf[at..]).expect("digits")
}
/// A C string's text, as `%s` shows it.
fn pad_bytes(b: &mut Out, t: &[u8], spec: &Spec) {
    if spec.width == 0 && t.is_ascii() {
        return b.ascii(t);
    }
    pad_text(b.builder(), &Str::new(&String::from_utf8_lossy(t)), spec)
}
fn pad_text(b: &mut StrBuilder, s: &Str, spec: &Spec) {
    let n = spec.precision.map_or(s.len(), |p| p.min(s.len()));
    b.push_n(' ' as u32, spec.width.saturating_sub(n));
    b.push_slice(s, 0, n);
}
fn pad_number(b: &mut Out, digits: &str, negative: bool, spec: &Spec) {
    if spec.width == 0 && spec.precision.is_none() {
        if negative {
            b.ascii(b"-");
        }
        return b.ascii(digits.as_bytes());
    }
    let body = format!("{}{}", "0".repeat(spec.precision.unwrap_or(0).saturating_sub(digits.len())), digits);
    let n = body.len() + negative as usize;
    let fill = spec.width.saturating_sub(n);
    let b = b.builder();
    if !spec.zero {
        b.push_n(' ' as u32, fill);
    }
    if negative {
        b.push_str("-");
    }
    if spec.zero {
        b.push_n('0' as u32, fill);
    }
    b.push_str(&body);
}

/// # Safety
/// `va` holds what `f` asks for.
pub unsafe fn format_v(f: &[u8], va: &mut VaList) -> PyResult<Owned<Str>> {
    let mut b = Out { short: [0; Out::SHORT], len: 0, long: None };
    let mut i = 0;
    while i < f.len() {
        if f[i] != b'%' {
            let end = f[i..].iter().position(|c| *c == b'%').map_or(f.len(), |k| i + k);
            match &f[i..end] {
                t if t.is_ascii() => b.ascii(t),
                _ => {
                    return raise!(
                        ValueError,
                        "PyUnicode_FromFormatV() expects an ASCII-encoded format string, got a non-ASCII byte: 0x{:02x}",
                        f[i..end].iter().find(|c| **c >= 0x80).copied().unwrap_or(0)
                    );
                }
            }
            i = end;
            continue;
        }
        let start = i;
        i += 1;
        let mut spec = Spec { zero: false, width: 0, precision: None, size: 0 };
        while f.get(i) == Some(&b'0') {
            spec.zero = true;
            i += 1;
        }
        while let Some(d) = f.get(i).filter(|c| c.is_ascii_digit()) {
            spec.width =
                spec.width.saturating_mul(10).saturating_add((d - b'0') as usize).min(i32::MAX as usize);
            i += 1;
        }
        if f.get(i) == Some(&b'.') {
            i += 1;
            let mut p = 0usize;
            while let Some(d) = f.get(i).filter(|c| c.is_ascii_digit()) {
                p = p.saturating_mul(10).saturating_add((d - b'0') as usize).min(i32::MAX as usize);
                i += 1;
            }
            spec.precision = Some(p);
        }
        while let Some(c) = f.get(i).filter(|c| matches!(c, b'l' | b'z' | b'j' | b't')) {
            spec.size = if *c == b'l' { spec.size + 1 } else { 8 };
            i += 1;
        }
        let wide = spec.size > 0;
        // SAFETY: the caller passed what the format asks for.
        unsafe {
            match f.get(i) {
                Some(b'%') => b.ascii(b"%"),
                Some(b'c') => {
                    let c = va.int();
                    if !(0..=0x10ffff).contains(&c) {
                        return raise!(OverflowError, "character argument not in range(0x110000)");
                    }
                    b.builder().push(c as u32)
                }
                Some(b'd' | b'i') => {
                    let v = if wide { va.word() as i64 } else { va.int() as i64 };
                    pad_number(&mut b, decimal(v.unsigned_abs(), &mut [0; 20]), v < 0, &spec)
                }
                Some(b'u') => {
                    let v = if wide { va.word() } else { va.int() as u32 as u64 };
                    pad_number(&mut b, decimal(v, &mut [0; 20]), false, &spec)
                }
                Some(b'x') => {
                    let v = if wide { va.word() } else { va.int() as u32 as u64 };
                    pad_number(&mut b, &format!("{v:x}"), false, &spec)
                }
                Some(b'p') => b.ascii(format!("0x{:x}", va.word()).as_bytes()),
                Some(b's') => {
                    let t = VaList::bytes(va.ptr(), spec.precision);
                    pad_bytes(&mut b, t, &spec)
                }
                Some(b'U') => pad_text(b.builder(), Object::from_ptr(va.ptr()).downcast_unchecked(), &spec),
                Some(b'V') => {
                    let (o, p) = (va.ptr::<PyObject>(), va.ptr::<c_char>());
                    match Object::from_ptr_opt(o) {
                        Some(o) => pad_text(b.builder(), o.downcast_unchecked(), &spec),
                        None => {
                            let t = VaList::bytes(p, spec.precision);
                            pad_bytes(&mut b, t, &spec)
                        }
                    }
                }
                Some(b'S') => pad_text(b.builder(), &*Object::from_ptr(va.ptr()).own().str()?, &spec),
                Some(b'R') => pad_text(b.builder(), &*Object::from_ptr(va.ptr()).own().repr()?, &spec),
                Some(b'A') => pad_text(b.builder(), &*Object::from_ptr(va.ptr()).own().ascii()?, &spec),
                // What is no unit ends the formatting; the rest goes out as it is.
                _ => {
                    b.builder().push_str(&String::from_utf8_lossy(&f[start..]));
                    break;
                }
            }
        }
        i += 1;
    }
    Ok(b.finish())
}

capi! {
    fn PyUnicode_FromFormatV(f: &CStr, va: *mut VaList) -> obj { format_v(f.to_bytes(), &mut *va) }
    fn lh_bytes_from_format(f: &CStr, va: *mut VaList) -> obj { bytes_format(f.to_bytes(), &mut *va) }
    fn PyBytes_FromFormatV(f: &CStr, va: *mut VaList) -> obj { bytes_format(f.to_bytes(), &mut *va) }
}

/// `PyBytes_FromFormat`: only numbers, characters and C strings.
unsafe fn bytes_format(f: &[u8], va: &mut VaList) -> PyResult<Owned<Bytes>> {
    let mut out = vec![];
    let mut i = 0;
    while i < f.len() {
        if f[i] != b'%' {
            out.push(f[i]);
            i += 1;
            continue;
        }
        i += 1;
        let (mut precision, mut size) = (None, 0);
        while f.get(i).is_some_and(|c| c.is_ascii_digit()) {
            i += 1;
        }
        if f.get(i) == Some(&b'.') {
            i += 1;
            let mut p = 0usize;
            while let Some(d) = f.get(i).filter(|c| c.is_ascii_digit()) {
                p = p * 10 + (d - b'0') as usize;
                i += 1;
            }
            precision = Some(p);
        }
        while let Some(b'l' | b'z') = f.get(i) {
            size = 1;
            i += 1;
        }
        // SAFETY: the caller passed what the format asks for.
        unsafe {
            match f.get(i) {
                Some(b'c') => match va.int() {
                    c @ 0..=255 => out.push(c as u8),
                    _ => {
                        return raise!(
                            OverflowError,
                            "PyBytes_FromFormatV(): %c format expects an integer in range [0; 255]"
                        );
                    }
                },
                Some(b'd' | b'i') => {
                    let v = if size > 0 { va.word() as i64 } else { va.int() as i64 };
                    out.extend(v.to_string().bytes())
                }
                Some(b'u') => {
                    let v = if size > 0 { va.word() } else { va.int() as u32 as u64 };
                    out.extend(v.to_string().bytes())
                }
                Some(b'x') => out.extend(format!("{:x}", va.int()).bytes()),
                Some(b'p') => out.extend(format!("0x{:x}", va.word()).bytes()),
                Some(b's') => out.extend_from_slice(VaList::bytes(va.ptr(), precision)),
                Some(b'%') => out.push(b'%'),
                _ => {
                    out.extend_from_slice(&f[i - 1..]);
                    break;
                }
            }
        }
        i += 1;
    }
    Ok(Bytes::new(&out))
}
