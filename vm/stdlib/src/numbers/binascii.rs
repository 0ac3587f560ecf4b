//! `binascii`: base64, hexadecimal, uuencode, quoted-printable and checksums.

use super::hashes::hex;
use lh_runtime::prelude::*;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

fn class(
    cell: &AtomicPtr<lh_runtime::abi::PyTypeObject>,
    name: &str,
    base: &Type,
) -> PyResult<&'static Type> {
    let mut p = cell.load(Relaxed);
    if p.is_null() {
        p = crate::os::util::new_exception("binascii", name, base)?.into_raw().cast();
        cell.store(p, Relaxed);
    }
    // SAFETY: the type is kept for ever.
    Ok(unsafe { Type::from_raw_ref(p) })
}
static ERROR: AtomicPtr<lh_runtime::abi::PyTypeObject> = AtomicPtr::new(std::ptr::null_mut());
static INCOMPLETE: AtomicPtr<lh_runtime::abi::PyTypeObject> = AtomicPtr::new(std::ptr::null_mut());

fn fail<T>(text: &str) -> PyResult<T> {
    Err(raise_fmt(class(&ERROR, "Error", exc::ValueError())?, format_args!("{text}")))
}

/// An ASCII string or a bytes-like object.
pub enum AsciiBuffer<'a> {
    Text(&'a Str),
    Data(Buffer),
}
impl AsciiBuffer<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            // The characters of an ASCII string are its bytes.
            AsciiBuffer::Text(s) => s.text().as_bytes(),
            AsciiBuffer::Data(b) => b.as_bytes(),
        }
    }
}
impl<'a> FromPy<'a> for AsciiBuffer<'a> {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        if let Some(s) = o.downcast::<Str>() {
            if !s.is_ascii() {
                return raise!(ValueError, "string argument should contain only ASCII characters");
            }
            return Ok(AsciiBuffer::Text(s));
        }
        if !lh_runtime::buffer::supports_buffer(o) {
            return raise!(
                TypeError,
                "argument should be bytes, buffer or ASCII string, not '{}'",
                o.ty().name()
            );
        }
        Ok(AsciiBuffer::Data(Buffer::simple(o)?))
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of each base64 character, 255 for others.
const VALUES: [u8; 256] = {
    let mut t = [255u8; 256];
    let mut i = 0;
    while i < 64 {
        t[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    t
};

/// Decode a line of base64 data.
///
///   strict_mode
///     When set to True, bytes that are not in the base64 standard are not allowed.
///     The same applies to excess data after padding (= / ==).
#[pyfunction(signature = "(data, /, *, strict_mode=False)")]
pub fn a2b_base64(data: AsciiBuffer<'_>, strict_mode: bool) -> PyResult<Vec<u8>> {
    let b = data.bytes();
    if strict_mode && b.first() == Some(&b'=') {
        return fail("Leading padding not allowed");
    }
    let mut out = Vec::with_capacity(b.len() / 4 * 3 + 3);
    let (mut quad, mut pads, mut left) = (0, 0, 0u8);
    let mut padding_started = false;
    // Groups of four characters of the alphabet, as far as there are only such.
    let mut start = 0;
    for (c, i) in b.chunks_exact(4).zip((4..).step_by(4)) {
        let [a, b, c, d] = [0, 1, 2, 3].map(|j| VALUES[c[j] as usize]);
        if a | b | c | d > 63 {
            break;
        }
        out.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        start = i;
    }
    for (i, c) in b.iter().enumerate().skip(start) {
        if *c == b'=' {
            padding_started = true;
            if quad >= 2 {
                pads += 1;
                if quad + pads >= 4 {
                    if strict_mode && i + 1 < b.len() {
                        return fail("Excess data after padding");
                    }
                    return Ok(out);
                }
            }
            continue;
        }
        let v = VALUES[*c as usize];
        if v == 255 {
            if strict_mode {
                return fail("Only base64 data is allowed");
            }
            continue;
        }
        if strict_mode && padding_started {
            return fail("Discontinuous padding not allowed");
        }
        pads = 0;
        match quad {
            0 => left = v,
            1 => {
                out.push(left << 2 | v >> 4);
                left = v & 0xf;
            }
            2 => {
                out.push(left << 4 | v >> 2);
                left = v & 3;
            }
            _ => out.push(left << 6 | v),
        }
        quad = (quad + 1) % 4;
    }
    match quad {
        0 => Ok(out),
        1 => fail(&format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            out.len() / 3 * 4 + 1
        )),
        _ => fail("Incorrect padding"),
    }
}

/// Base64-code line of data.
#[pyfunction(signature = "(data, /, *, newline=True)")]
pub fn b2a_base64(data: Buffer, newline: bool) -> PyResult<Vec<u8>> {
    let b = data.as_bytes();
    let mut out = vec![0; b.len().div_ceil(3) * 4];
    let whole = b.chunks_exact(3);
    let rest = whole.remainder();
    let quad = |n: u32| [18, 12, 6, 0].map(|shift| ALPHABET[(n >> shift) as usize & 63]);
    for (to, c) in out.chunks_exact_mut(4).zip(whole) {
        to.copy_from_slice(&quad((c[0] as u32) << 16 | (c[1] as u32) << 8 | c[2] as u32));
    }
    if let (Some(to), [first, second @ ..]) = (out.rchunks_exact_mut(4).next(), rest) {
        let second = second.first();
        to.copy_from_slice(&quad((*first as u32) << 16 | (*second.unwrap_or(&0) as u32) << 8));
        to[if second.is_some() { 3 } else { 2 }..].fill(b'=');
    }
    if newline {
        out.push(b'\n');
    }
    Ok(out)
}

/// Decode a line of uuencoded data.
#[pyfunction]
pub fn a2b_uu(data: AsciiBuffer<'_>) -> PyResult<Vec<u8>> {
    let b = data.bytes();
    let n = (b.first().copied().unwrap_or(0).wrapping_sub(b' ') & 0o77) as usize;
    let mut out = Vec::with_capacity(n);
    let (mut i, mut acc, mut bits) = (1, 0u32, 0);
    while out.len() < n {
        // A line that ends early stands for blanks.
        let c = b.get(i).copied().unwrap_or(0);
        let v = if i >= b.len() || matches!(c, b'\n' | b'\r') {
            0
        } else {
            if !(b' '..=b' ' + 64).contains(&c) {
                return fail("Illegal char");
            }
            ((c - b' ') & 0o77) as u32
        };
        if i < b.len() {
            i += 1;
        }
        acc = acc << 6 | v;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((acc >> bits) as u8);
            acc &= (1 << bits) - 1;
        }
    }
    if b.get(i..).unwrap_or(&[]).iter().any(|c| !matches!(*c, b' ' | 96 | b'\n' | b'\r')) {
        return fail("Trailing garbage");
    }
    Ok(out)
}

/// Uuencode line of data.
#[pyfunction(signature = "(data, /, *, backtick=False)")]
pub fn b2a_uu(data: Buffer, backtick: bool) -> PyResult<Vec<u8>> {
    let b = data.as_bytes();
    if b.len() > 45 {
        return fail("At most 45 bytes at once");
    }
    let shown = |v: u32| if v == 0 && backtick { b'`' } else { b' ' + v as u8 };
    let mut out = vec![shown(b.len() as u32)];
    for c in b.chunks(3) {
        let n = (c[0] as u32) << 16 | (*c.get(1).unwrap_or(&0) as u32) << 8 | *c.get(2).unwrap_or(&0) as u32;
        out.extend((0..4).map(|i| shown((n >> (18 - 6 * i)) & 63)));
    }
    out.push(b'\n');
    Ok(out)
}

/// Hexadecimal text with a separator every so many bytes, counted from the right (from the left if negative).
fn hex_with(b: &[u8], sep: Option<&Object>, per: i64) -> PyResult<Vec<u8>> {
    let Some(sep) = sep else {
        let mut out = vec![0; 2 * b.len()];
        lh_runtime::bytes_methods::hex_digits(b, &mut out);
        return Ok(out);
    };
    if sep.length()? != 1 {
        return raise!(ValueError, "sep must be length 1.");
    }
    let sep = if let Some(s) = sep.downcast::<Str>() {
        if !s.is_ascii() {
            return raise!(ValueError, "sep must be ASCII.");
        }
        s.char_at(0) as u8
    } else if let Some(s) = sep.downcast::<Bytes>() {
        if s.as_bytes()[0] >= 128 {
            return raise!(ValueError, "sep must be ASCII.");
        }
        s.as_bytes()[0]
    } else {
        return raise!(TypeError, "sep must be str or bytes.");
    };
    let every = per.unsigned_abs() as usize;
    let text = hex(b).into_bytes();
    if every == 0 || every >= b.len() {
        return Ok(text);
    }
    let mut out = Vec::with_capacity(text.len() * 2);
    for (i, c) in text.chunks(2).enumerate() {
        let from_edge = if per > 0 { b.len() - i } else { i };
        if i > 0 && from_edge % every == 0 {
            out.push(sep);
        }
        out.extend(c);
    }
    Ok(out)
}

/// Hexadecimal representation of binary data.
///
///   sep
///     An optional single character or byte to separate hex bytes.
///   bytes_per_sep
///     How many bytes between separators.  Positive values count from the
///     right, negative values count from the left.
///
/// The return value is a bytes object.  This function is also
/// available as "hexlify()".
#[pyfunction(signature = "(data, sep=<unrepresentable>, bytes_per_sep=1)")]
pub fn b2a_hex(data: Buffer, sep: Option<&Object>, bytes_per_sep: i32) -> PyResult<Vec<u8>> {
    hex_with(data.as_bytes(), sep, bytes_per_sep as i64)
}
/// Hexadecimal representation of binary data.
///
///   sep
///     An optional single character or byte to separate hex bytes.
///   bytes_per_sep
///     How many bytes between separators.  Positive values count from the
///     right, negative values count from the left.
///
/// The return value is a bytes object.  This function is also
/// available as "b2a_hex()".
#[pyfunction(signature = "(data, sep=<unrepresentable>, bytes_per_sep=1)")]
pub fn hexlify(data: Buffer, sep: Option<&Object>, bytes_per_sep: i32) -> PyResult<Vec<u8>> {
    hex_with(data.as_bytes(), sep, bytes_per_sep as i64)
}
fn from_hex(b: &[u8]) -> PyResult<Vec<u8>> {
    if !b.len().is_multiple_of(2) {
        return fail("Odd-length string");
    }
    static VALUES: [u8; 256] = {
        let mut t = [0xff; 256];
        let mut i = 0;
        while i < 256 {
            if let Some(d) = (i as u8 as char).to_digit(16) {
                t[i] = d as u8;
            }
            i += 1;
        }
        t
    };
    let mut bad = 0;
    let v: Vec<u8> = b
        .chunks_exact(2)
        .map(|c| {
            let (high, low) = (VALUES[c[0] as usize], VALUES[c[1] as usize]);
            bad |= high | low;
            high << 4 | low & 15
        })
        .collect();
    if bad > 15 { fail("Non-hexadecimal digit found") } else { Ok(v) }
}
/// Binary data of hexadecimal representation.
///
/// hexstr must contain an even number of hex digits (upper or lower case).
/// This function is also available as "unhexlify()".
#[pyfunction]
pub fn a2b_hex(hexstr: AsciiBuffer<'_>) -> PyResult<Vec<u8>> {
    from_hex(hexstr.bytes())
}
/// Binary data of hexadecimal representation.
///
/// hexstr must contain an even number of hex digits (upper or lower case).
#[pyfunction]
pub fn unhexlify(hexstr: AsciiBuffer<'_>) -> PyResult<Vec<u8>> {
    from_hex(hexstr.bytes())
}

/// Compute CRC-CCITT incrementally.
#[pyfunction]
pub fn crc_hqx(data: Buffer, crc: &Object) -> PyResult<u32> {
    let mut crc = lh_runtime::number::index(crc)?.to_u64_wrapping() as u32 & 0xffff;
    for b in data.as_bytes() {
        crc ^= (*b as u32) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 != 0 { (crc << 1) ^ 0x1021 } else { crc << 1 };
        }
        crc &= 0xffff;
    }
    Ok(crc)
}
/// Compute CRC-32 incrementally.
#[pyfunction(signature = "(data, crc=0, /)")]
pub fn crc32(data: Buffer, crc: Option<&Object>) -> PyResult<u32> {
    super::zlib::crc_of(&data, crc)
}

/// Decode a string of qp-encoded data.
#[pyfunction(signature = "(data, header=False)")]
pub fn a2b_qp(data: AsciiBuffer<'_>, header: bool) -> PyResult<Vec<u8>> {
    let b = data.bytes();
    let mut out = Vec::with_capacity(b.len());
    let digit = |i: usize| b.get(i).and_then(|c| (*c as char).to_digit(16));
    let mut i = 0;
    while i < b.len() {
        if b[i] == b'=' {
            i += 1;
            let Some(c) = b.get(i) else { break };
            if *c == b'\n' || *c == b'\r' {
                // A soft line break vanishes with everything up to the line's end.
                if *c != b'\n' {
                    while i < b.len() && b[i] != b'\n' {
                        i += 1;
                    }
                }
                i += 1;
            } else if *c == b'=' {
                out.push(b'=');
                i += 1;
            } else if let (Some(h), Some(l)) = (digit(i), digit(i + 1)) {
                out.push((h << 4 | l) as u8);
                i += 2;
            } else {
                out.push(b'=');
            }
        } else if header && b[i] == b'_' {
            out.push(b' ');
            i += 1;
        } else {
            out.push(b[i]);
            i += 1;
        }
    }
    Ok(out)
}

/// Encode a string using quoted-printable encoding.
///
/// On encoding, when istext is set, newlines are not encoded, and white
/// space at end of lines is.  When istext is not set, \r and \n (CR/LF)
/// are both encoded.  When quotetabs is set, space and tabs are encoded.
#[pyfunction(signature = "(data, quotetabs=False, istext=True, header=False)")]
pub fn b2a_qp(data: Buffer, quotetabs: bool, istext: bool, header: bool) -> PyResult<Vec<u8>> {
    const MAX_LINE: usize = 76;
    let b = data.as_bytes();
    // Line ends are written as the first one found is.
    let crlf = b.iter().position(|c| *c == b'\n').is_some_and(|i| i > 0 && b[i - 1] == b'\r');
    let end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
    let mut out: Vec<u8> = vec![];
    let quote = |out: &mut Vec<u8>, c: u8| out.extend(format!("={c:02X}").bytes());
    let (mut i, mut line) = (0, 0);
    while i < b.len() {
        let c = b[i];
        let next = b.get(i + 1).copied();
        let must = c > 126
            || c == b'='
            || header && c == b'_'
            || c == b'.' && line == 0 && matches!(next, None | Some(b'\n' | b'\r' | 0))
            || !istext && matches!(c, b'\r' | b'\n')
            || matches!(c, b'\t' | b' ') && next.is_none()
            || c < 33 && !matches!(c, b'\r' | b'\n') && (quotetabs || !matches!(c, b'\t' | b' '));
        if must {
            if line + 3 >= MAX_LINE {
                out.push(b'=');
                out.extend(end);
                line = 0;
            }
            quote(&mut out, c);
            line += 3;
            i += 1;
            continue;
        }
        if istext && (c == b'\n' || c == b'\r' && next == Some(b'\n')) {
            // White space in front of a line end is quoted.
            if line > 0
                && let Some(last) = out.last().copied().filter(|l| matches!(l, b' ' | b'\t'))
            {
                out.pop();
                quote(&mut out, last);
            }
            line = 0;
            out.extend(end);
            i += if c == b'\r' { 2 } else { 1 };
            continue;
        }
        if next.is_some_and(|n| n != b'\n') && line + 1 >= MAX_LINE {
            out.push(b'=');
            out.extend(end);
            line = 0;
        }
        line += 1;
        out.push(if header && c == b' ' { b'_' } else { c });
        i += 1;
    }
    Ok(out)
}

fn setup(m: &Module) -> PyResult<()> {
    m.add("Error", class(&ERROR, "Error", exc::ValueError())?)?;
    m.add("Incomplete", class(&INCOMPLETE, "Incomplete", exc::Exception())?)
}

module! { "binascii", doc: "Conversion between binary data and ASCII",
functions: [a2b_uu, b2a_uu, a2b_base64, b2a_base64, a2b_hex, b2a_hex, hexlify, unhexlify, crc_hqx, crc32, a2b_qp, b2a_qp],
init: setup }
