//! Between Python objects and C memory for the simple types: one pair of functions for every `_type_` code.
//!
//! Memory is read and written unaligned (packed structures), in either byte order, and as bit-fields. Setting may have to
//! keep an object alive for as long as the memory refers to it (`z`, `Z`, `O`); `set` answers with that object.

use lh_foreign::ctype::{Bits, Prim};
use lh_runtime::prelude::*;

/// A simple type as memory sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scalar {
    pub code: u8,
    pub swapped: bool,
}

/// What the memory now refers to and must not die before it.
pub type Keep = Option<Owned<Object>>;

/// Codes that exist in both byte orders.
pub fn has_swapped(code: u8) -> bool {
    b"hHiIlLqQfd".contains(&code)
}

fn int_size(code: u8) -> usize {
    match code {
        b'b' | b'B' | b'?' => 1,
        b'h' | b'H' | b'v' => 2,
        b'i' | b'I' => 4,
        _ => 8,
    }
}

fn is_signed(code: u8) -> bool {
    matches!(code, b'b' | b'h' | b'i' | b'l' | b'q')
}

/// `size` (1, 2, 4 or 8) bytes as a number.
///
/// # Safety
/// They are readable.
#[inline]
unsafe fn load(p: *const u8, size: usize, swapped: bool) -> u64 {
    // SAFETY: the caller's promise.
    let v = unsafe {
        match size {
            1 => *p as u64,
            2 => p.cast::<u16>().read_unaligned() as u64,
            4 => p.cast::<u32>().read_unaligned() as u64,
            _ => p.cast::<u64>().read_unaligned(),
        }
    };
    if swapped { v.swap_bytes() >> (64 - 8 * size) } else { v }
}

/// # Safety
/// `size` bytes are writable.
#[inline]
unsafe fn store(p: *mut u8, size: usize, swapped: bool, v: u64) {
    let v = if swapped { v.swap_bytes() >> (64 - 8 * size) } else { v };
    // SAFETY: the caller's promise.
    unsafe {
        match size {
            1 => *p = v as u8,
            2 => p.cast::<u16>().write_unaligned(v as u16),
            4 => p.cast::<u32>().write_unaligned(v as u32),
            _ => p.cast::<u64>().write_unaligned(v),
        }
    }
}

/// # Safety
/// `p` points to NUL-terminated wide text.
pub unsafe fn wide_len(p: *const u32) -> usize {
    let mut n = 0;
    // SAFETY: the caller's promise.
    while unsafe { p.add(n).read_unaligned() } != 0 {
        n += 1;
    }
    n
}

/// # Safety
/// `n` wide characters are readable.
pub unsafe fn wide_str(p: *const u32, n: usize) -> PyResult<Owned<Str>> {
    // SAFETY: the caller's promise.
    let points: Vec<u32> = (0..n).map(|i| unsafe { p.add(i).read_unaligned() }).collect();
    if let Some(bad) = points.iter().find(|c| **c > 0x10ffff) {
        return raise!(ValueError, "character U+{:x} is not in range [U+0000; U+10ffff]", bad);
    }
    Ok(Str::from_code_points(&points))
}

/// Wide, NUL-terminated text in a `bytes` object that owns it.
pub fn wide_buffer(s: &Str) -> Owned<Bytes> {
    let mut data: Vec<u8> = Vec::with_capacity(4 * (s.len() + 1));
    for c in s.chars() {
        data.extend(c.to_ne_bytes());
    }
    data.extend([0; 4]);
    Bytes::new(&data)
}

pub fn bytes_ptr(b: &Bytes) -> *mut u8 {
    b.as_bytes().as_ptr().cast_mut()
}

/// `PyLong_AsUnsignedLongMask`.
fn low_bits(value: &Object) -> PyResult<u64> {
    if let Some(i) = value.downcast::<Int>() {
        return Ok(i.to_u64_wrapping());
    }
    Ok(lh_runtime::number::index(value)?.to_u64_wrapping())
}

// ---- long double ----

/// The 80-bit extended number nearest to (always equal to) a double.
pub fn f64_to_x87(v: f64) -> [u8; 16] {
    let bits = v.to_bits();
    let sign = (bits >> 63) as u16;
    let exp = (bits >> 52 & 0x7ff) as i32;
    let frac = bits & ((1 << 52) - 1);
    let (e, m) = match (exp, frac) {
        (0, 0) => (0u16, 0u64),
        (0, f) => {
            let shift = f.leading_zeros();
            ((16383 - 1022 + 11 - shift as i32) as u16, f << shift)
        }
        (0x7ff, f) => (0x7fff, 1 << 63 | f << 11),
        (e, f) => ((e - 1023 + 16383) as u16, 1 << 63 | f << 11),
    };
    let mut out = [0; 16];
    out[..8].copy_from_slice(&m.to_le_bytes());
    out[8..10].copy_from_slice(&(sign << 15 | e).to_le_bytes());
    out
}

/// The double nearest to an 80-bit extended number (ties to even).
pub fn x87_to_f64(b: &[u8; 16]) -> f64 {
    let m = u64::from_le_bytes(b[..8].try_into().expect("eight bytes"));
    let se = u16::from_le_bytes([b[8], b[9]]);
    let sign = (se >> 15) as u64;
    let e = (se & 0x7fff) as i32;
    let with_sign = |v: f64| if sign == 1 { -v } else { v };
    if e == 0x7fff {
        return if m << 1 == 0 {
            with_sign(f64::INFINITY)
        } else {
            f64::from_bits(sign << 63 | 0x7ff8_0000_0000_0000 | m << 1 >> 12)
        };
    }
    if m == 0 {
        return with_sign(0.0);
    }
    // The value is m * 2^(e - 16383 - 63). Keep the bits a double has room for and round once.
    let lead = m.leading_zeros() as i32;
    let m = m << lead;
    let exp = e - 16383 - lead;
    let drop = if exp < -1022 { 11 + (-1022 - exp) } else { 11 };
    if drop > 64 {
        return with_sign(0.0);
    }
    let wide = m as u128;
    let kept = (wide >> drop) as u64;
    let rest = wide & ((1u128 << drop) - 1);
    let half = 1u128 << (drop - 1);
    let kept = kept + u64::from(rest > half || rest == half && kept & 1 == 1);
    if exp < -1022 {
        // Subnormal: `kept` counts units of 2^-1074, also when rounding carried it into the normal range.
        return with_sign(f64::from_bits(kept));
    }
    let (kept, exp) = if kept >> 53 != 0 { (kept >> 1, exp + 1) } else { (kept, exp) };
    if exp > 1023 {
        return with_sign(f64::INFINITY);
    }
    with_sign(f64::from_bits(((exp + 1023) as u64) << 52 | kept & ((1 << 52) - 1)))
}

impl Scalar {
    pub fn prim(self) -> Prim {
        Prim::from_code(self.code).expect("checked when the class was made")
    }

    /// # Safety
    /// `p` points to a readable value of this type.
    pub unsafe fn get(self, p: *const u8, bits: Option<Bits>) -> PyResult {
        // SAFETY: the caller's promise, for every arm.
        unsafe {
            Ok(match self.code {
                b'?' => bool_obj(*p != 0),
                b'v' => bool_obj(load(p, 2, false) != 0),
                b'c' => Bytes::new(&[*p]).into_object(),
                b'u' => wide_str(p.cast(), 1)?.into_object(),
                b'f' => Float::new(f32::from_bits(load(p, 4, self.swapped) as u32) as f64).into_object(),
                b'd' => Float::new(f64::from_bits(load(p, 8, self.swapped))).into_object(),
                b'g' => Float::new(x87_to_f64(&p.cast::<[u8; 16]>().read_unaligned())).into_object(),
                b'z' => match load(p, 8, false) as *const core::ffi::c_char {
                    s if s.is_null() => none(),
                    s => Bytes::new(core::ffi::CStr::from_ptr(s).to_bytes()).into_object(),
                },
                b'Z' => match load(p, 8, false) as *const u32 {
                    s if s.is_null() => none(),
                    s => wide_str(s, wide_len(s))?.into_object(),
                },
                b'P' => match load(p, 8, false) {
                    0 => none(),
                    v => Int::from_u64(v).into_object(),
                },
                b'O' => match Object::from_ptr_opt(load(p, 8, false) as *mut lh_abi::PyObject) {
                    Some(o) => o.own(),
                    None => return raise!(ValueError, "PyObject is NULL"),
                },
                code => {
                    let size = int_size(code);
                    let (mut v, mut width) = (load(p, size, self.swapped), size as u32 * 8);
                    if let Some(b) = bits {
                        v >>= b.low;
                        width = b.width as u32;
                    }
                    let shift = 64 - width;
                    if is_signed(code) {
                        Int::from_i64(((v << shift) as i64) >> shift).into_object()
                    } else {
                        Int::from_u64(v << shift >> shift).into_object()
                    }
                }
            })
        }
    }

    /// # Safety
    /// `p` points to writable memory of this type.
    pub unsafe fn set(self, p: *mut u8, value: &Object, bits: Option<Bits>) -> PyResult<Keep> {
        // SAFETY: the caller's promise, for every arm.
        unsafe {
            match self.code {
                b'?' => *p = value.is_true()? as u8,
                b'v' => store(p, 2, false, if value.is_true()? { 0xffff } else { 0 }),
                b'c' => *p = one_byte(value)?,
                b'u' => {
                    let Some(s) = value.downcast::<Str>() else {
                        return raise!(
                            TypeError,
                            "unicode string expected instead of {} instance",
                            value.ty().name()
                        );
                    };
                    if s.len() != 1 {
                        return raise!(TypeError, "one character unicode string expected");
                    }
                    store(p, 4, false, s.char_at(0) as u64);
                }
                b'f' => {
                    let v = lh_runtime::number::as_f64(value)?;
                    store(p, 4, self.swapped, (v as f32).to_bits() as u64);
                }
                b'd' => store(p, 8, self.swapped, lh_runtime::number::as_f64(value)?.to_bits()),
                b'g' => p.cast::<[u8; 16]>().write_unaligned(f64_to_x87(lh_runtime::number::as_f64(value)?)),
                b'z' => {
                    if value.is_none() {
                        store(p, 8, false, 0);
                    } else if let Some(b) = value.downcast::<Bytes>() {
                        store(p, 8, false, bytes_ptr(b) as u64);
                        return Ok(Some(value.own()));
                    } else if let Some(i) = value.downcast::<Int>() {
                        store(p, 8, false, i.to_u64_wrapping());
                    } else {
                        return raise!(
                            TypeError,
                            "bytes or integer address expected instead of {} instance",
                            value.ty().name()
                        );
                    }
                }
                b'Z' => {
                    if value.is_none() {
                        store(p, 8, false, 0);
                    } else if let Some(i) = value.downcast::<Int>() {
                        store(p, 8, false, i.to_u64_wrapping());
                    } else if let Some(s) = value.downcast::<Str>() {
                        let buffer = wide_buffer(s);
                        store(p, 8, false, bytes_ptr(&buffer) as u64);
                        return Ok(Some(buffer.into_object()));
                    } else {
                        return raise!(
                            TypeError,
                            "unicode string or integer address expected instead of {} instance",
                            value.ty().name()
                        );
                    }
                }
                b'P' => {
                    if value.is_none() {
                        store(p, 8, false, 0);
                    } else if let Some(i) = value.downcast::<Int>() {
                        store(p, 8, false, i.to_u64_wrapping());
                    } else {
                        return raise!(TypeError, "cannot be converted to pointer");
                    }
                }
                b'O' => {
                    store(p, 8, false, value.as_ptr() as u64);
                    return Ok(Some(value.own()));
                }
                code => {
                    let size = int_size(code);
                    let mut v = low_bits(value)?;
                    if let Some(b) = bits {
                        let mask = u64::MAX >> (64 - b.width as u32) << b.low;
                        v = load(p, size, self.swapped) & !mask | v << b.low & mask;
                    }
                    store(p, size, self.swapped, v);
                }
            }
        }
        Ok(None)
    }
}

fn one_byte(value: &Object) -> PyResult<u8> {
    if let Some(b) = value.downcast::<Bytes>() {
        if b.len() == 1 {
            return Ok(b.as_bytes()[0]);
        }
    } else if value.downcast::<ByteArray>().is_some() {
        let b = Buffer::simple(value)?;
        if b.len() == 1 {
            return Ok(b.as_bytes()[0]);
        }
    } else if let Some(v) = value.downcast::<Int>().and_then(Int::to_i64)
        && (0..256).contains(&v)
    {
        return Ok(v as u8);
    }
    raise!(TypeError, "one character bytes, bytearray or integer expected")
}

/// A `char[n]` field as `bytes`, up to the first NUL.
///
/// # Safety
/// `size` bytes are readable.
pub unsafe fn get_char_array(p: *const u8, size: usize) -> Owned<Bytes> {
    // SAFETY: the caller's promise.
    let all = unsafe { std::slice::from_raw_parts(p, size) };
    Bytes::new(&all[..all.iter().position(|b| *b == 0).unwrap_or(size)])
}

/// Sets a `char[n]` field; the terminating NUL goes along if there is room.
///
/// # Safety
/// `size` bytes are writable.
pub unsafe fn set_char_array(p: *mut u8, size: usize, value: &Object) -> PyResult<Keep> {
    let Some(b) = value.downcast::<Bytes>() else {
        return raise!(TypeError, "expected bytes, {} found", value.ty().name());
    };
    // As a C string: up to the first NUL.
    let b = b.as_bytes();
    let b = &b[..b.iter().position(|c| *c == 0).unwrap_or(b.len())];
    if b.len() > size {
        return raise!(ValueError, "bytes too long ({}, maximum length {})", b.len(), size);
    }
    // SAFETY: the caller's promise; the length was checked.
    unsafe {
        std::ptr::copy_nonoverlapping(b.as_ptr(), p, b.len());
        if b.len() < size {
            *p.add(b.len()) = 0;
        }
    }
    Ok(None)
}

/// A `wchar_t[n]` field as `str`, up to the first NUL.
///
/// # Safety
/// `size` bytes are readable.
pub unsafe fn get_wchar_array(p: *const u8, size: usize) -> PyResult<Owned<Str>> {
    // SAFETY: the caller's promise.
    unsafe {
        let p = p.cast::<u32>();
        let n = (0..size / 4).find(|i| p.add(*i).read_unaligned() == 0).unwrap_or(size / 4);
        wide_str(p, n)
    }
}

/// # Safety
/// `size` bytes are writable.
pub unsafe fn set_wchar_array(p: *mut u8, size: usize, value: &Object) -> PyResult<Keep> {
    let Some(s) = value.downcast::<Str>() else {
        return raise!(TypeError, "unicode string expected instead of {} instance", value.ty().name());
    };
    let room = size / 4;
    if s.len() > room {
        return raise!(ValueError, "string too long ({}, maximum length {})", s.len(), room);
    }
    // SAFETY: the caller's promise; the length was checked.
    unsafe { write_wide(p.cast(), s, room) };
    Ok(None)
}

/// Writes the characters and, if there is room, the NUL.
///
/// # Safety
/// `room` wide characters are writable and the text is not longer.
pub unsafe fn write_wide(p: *mut u32, s: &Str, room: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        for (i, c) in s.chars().enumerate() {
            p.add(i).write_unaligned(c);
        }
        if s.len() < room {
            p.add(s.len()).write_unaligned(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_double_round_trips() {
        for v in [0.0, -0.0, 1.0, -2.5, 1e300, 5e-324, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY, 0.1] {
            assert_eq!(x87_to_f64(&f64_to_x87(v)).to_bits(), v.to_bits(), "{v}");
        }
        assert!(x87_to_f64(&f64_to_x87(f64::NAN)).is_nan());
        assert_eq!(f64_to_x87(4.0)[..10], [0, 0, 0, 0, 0, 0, 0, 0x80, 0x01, 0x40]);
    }
}
