//! UTF-8, UTF-16, UTF-32 and UTF-7.
//!
//! Decoders answer the text and how many bytes they used: all of them when `final_` is set, else they stop in front of an
//! incomplete sequence at the end.

use super::errors::{Decoding, Encoding, Replacement};
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::strobject::StrBuilder;

fn is_surrogate(c: u32) -> bool {
    c & 0xffff_f800 == 0xd800
}

// ---- UTF-8 ----

pub fn decode_utf8(input: &[u8], errors: &str, final_: bool) -> PyResult<(Owned<Str>, usize)> {
    if input.is_ascii() {
        return Ok((Str::from_ascii(input), input.len()));
    }
    if let Ok(s) = std::str::from_utf8(input) {
        return Ok((Str::new(s), input.len()));
    }
    let mut d = Decoding::new(input, "utf-8", errors);
    let mut out = StrBuilder::with_capacity(input.len());
    let mut at = 0;
    loop {
        let rest = &d.input[at..];
        match std::str::from_utf8(rest) {
            Ok(s) => {
                out.push_str(s);
                return Ok((out.finish(), d.input.len()));
            }
            Err(e) => {
                let n = e.valid_up_to();
                // SAFETY: just validated up to here.
                out.push_str(unsafe { std::str::from_utf8_unchecked(&rest[..n]) });
                let start = at + n;
                at = match e.error_len() {
                    None if !final_ => return Ok((out.finish(), start)),
                    // The first two bytes of a surrogate: a handler may want the third.
                    Some(1)
                        if !final_
                            && d.input[start] == 0xed
                            && d.input.len() - start == 2
                            && matches!(d.input[start + 1], 0xa0..=0xbf) =>
                    {
                        return Ok((out.finish(), start));
                    }
                    None => d.handle(start, d.input.len(), "unexpected end of data", &mut out)?,
                    Some(k) => {
                        let first = d.input[start];
                        let reason = if matches!(first, 0xc2..=0xf4) {
                            "invalid continuation byte"
                        } else {
                            "invalid start byte"
                        };
                        d.handle(start, start + k, reason, &mut out)?
                    }
                };
            }
        }
    }
}

fn push_utf8(out: &mut Vec<u8>, c: u32) {
    let mut b = [0; 4];
    match char::from_u32(c) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut b).as_bytes()),
        None => out.extend([0xe0 | (c >> 12) as u8, 0x80 | (c >> 6 & 0x3f) as u8, 0x80 | (c & 0x3f) as u8]),
    }
}

pub fn encode_utf8(s: &Str, errors: &str) -> PyResult<Owned<Bytes>> {
    if let Some(a) = s.as_ascii() {
        return Ok(Bytes::new(a.as_bytes()));
    }
    if let Ok(t) = s.make_utf8() {
        return Ok(Bytes::new(t.as_bytes()));
    }
    let t = s.text();
    let mut e = Encoding::new(s, "utf-8", errors);
    let mut out = Vec::with_capacity(t.len() * 3);
    let mut i = 0;
    while i < t.len() {
        let c = t.at(i);
        if !is_surrogate(c) {
            push_utf8(&mut out, c);
            i += 1;
            continue;
        }
        let mut end = i + 1;
        while end < t.len() && is_surrogate(t.at(end)) {
            end += 1;
        }
        // The escape and pass handlers stop at the first character that is not theirs.
        let (rep, pos) = match handle_run(&mut e, i, end)? {
            Some(x) => x,
            None => e.handle(i, end, "surrogates not allowed")?,
        };
        match rep {
            Replacement::Bytes(b) => out.extend(b),
            Replacement::Str(r) => match r.as_ascii() {
                Some(a) => out.extend_from_slice(a.as_bytes()),
                None => return Err(e.fail(i, end, "surrogates not allowed")),
            },
        }
        i = pos;
    }
    Ok(Bytes::new(&out))
}

/// `surrogateescape` takes the part of a run of surrogates that it can escape; a later one fails by itself.
fn handle_run(e: &mut Encoding<'_>, start: usize, end: usize) -> PyResult<Option<(Replacement, usize)>> {
    if e.builtin()? != Some(super::errors::Builtin::SurrogateEscape) {
        return Ok(None);
    }
    let t = e.object.text();
    let v: Vec<u8> = (start..end)
        .map(|i| t.at(i))
        .take_while(|c| (0xdc80..=0xdcff).contains(c))
        .map(|c| c as u8)
        .collect();
    let n = v.len();
    if n == 0 {
        return Err(e.fail(start, end, "surrogates not allowed"));
    }
    Ok(Some((Replacement::Bytes(v), start + n)))
}

// ---- UTF-16 and UTF-32 ----

/// -1 little-endian, 1 big-endian, 0 native with a byte order mark.
fn order_name(width: u8, order: i32) -> &'static str {
    match (width, order) {
        (2, 0) => "utf-16",
        (2, -1) => "utf-16-le",
        (2, _) => "utf-16-be",
        (_, 0) => "utf-32",
        (_, -1) => "utf-32-le",
        _ => "utf-32-be",
    }
}

fn encode_wide(s: &Str, errors: &str, order: i32, width: u8) -> PyResult<Vec<u8>> {
    let t = s.text();
    let mut out = Vec::with_capacity((t.len() + 1) * width as usize);
    let big = order > 0;
    let push = |out: &mut Vec<u8>, c: u32| {
        let unit16 =
            |out: &mut Vec<u8>, u: u16| out.extend(if big { u.to_be_bytes() } else { u.to_le_bytes() });
        if width == 4 {
            out.extend(if big { c.to_be_bytes() } else { c.to_le_bytes() });
        } else if c < 0x10000 {
            unit16(out, c as u16);
        } else {
            let v = c - 0x10000;
            unit16(out, 0xd800 | (v >> 10) as u16);
            unit16(out, 0xdc00 | (v & 0x3ff) as u16);
        }
    };
    if order == 0 {
        push(&mut out, 0xfeff);
    }
    let mut e = Encoding::new(s, order_name(width, order), errors);
    let mut i = 0;
    while i < t.len() {
        let c = t.at(i);
        if !is_surrogate(c) {
            push(&mut out, c);
            i += 1;
            continue;
        }
        let (rep, pos) = e.handle(i, i + 1, "surrogates not allowed")?;
        match rep {
            Replacement::Bytes(b) if b.len() % width as usize == 0 => out.extend(b),
            Replacement::Str(r) if r.is_ascii() => r.chars().for_each(|c| push(&mut out, c)),
            _ => return Err(e.fail(i, i + 1, "surrogates not allowed")),
        }
        i = pos;
    }
    Ok(out)
}
pub fn encode_utf16(s: &Str, errors: &str, order: i32) -> PyResult<Vec<u8>> {
    encode_wide(s, errors, order, 2)
}
pub fn encode_utf32(s: &Str, errors: &str, order: i32) -> PyResult<Vec<u8>> {
    encode_wide(s, errors, order, 4)
}

/// `order` is changed to what a byte order mark says.
pub fn decode_utf16(
    input: &[u8],
    errors: &str,
    order: &mut i32,
    final_: bool,
) -> PyResult<(Owned<Str>, usize)> {
    let mut at = 0;
    let name = order_name(2, *order);
    if *order == 0 && input.len() >= 2 {
        match (input[0], input[1]) {
            (0xff, 0xfe) => (*order, at) = (-1, 2),
            (0xfe, 0xff) => (*order, at) = (1, 2),
            _ => {}
        }
    }
    let name = match (name, *order) {
        ("utf-16", -1) => "utf-16-le",
        ("utf-16", 1) => "utf-16-be",
        (n, _) => {
            if n == "utf-16" {
                "utf-16-le"
            } else {
                n
            }
        }
    };
    let big = *order > 0;
    let mut d = Decoding::new(input, name, errors);
    let mut out = StrBuilder::with_capacity(input.len() / 2);
    loop {
        let b = &d.input;
        let n = b.len();
        let unit = |i: usize| {
            let u = [b[i], b[i + 1]];
            (if big { u16::from_be_bytes(u) } else { u16::from_le_bytes(u) }) as u32
        };
        let (start, end, reason) = if at >= n {
            return Ok((out.finish(), n));
        } else if at + 1 >= n {
            (at, n, "truncated data")
        } else {
            let c = unit(at);
            if !is_surrogate(c) {
                out.push(c);
                at += 2;
                continue;
            }
            if c >= 0xdc00 {
                (at, at + 2, "illegal encoding")
            } else if at + 3 >= n {
                (at, n, "unexpected end of data")
            } else {
                let low = unit(at + 2);
                if (0xdc00..0xe000).contains(&low) {
                    out.push(0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
                    at += 4;
                    continue;
                }
                (at, at + 2, "illegal UTF-16 surrogate")
            }
        };
        if !final_ && (reason == "truncated data" || reason == "unexpected end of data") {
            return Ok((out.finish(), at));
        }
        at = d.handle(start, end, reason, &mut out)?;
    }
}

pub fn decode_utf32(
    input: &[u8],
    errors: &str,
    order: &mut i32,
    final_: bool,
) -> PyResult<(Owned<Str>, usize)> {
    let mut at = 0;
    let given = *order;
    if *order == 0 && input.len() >= 4 {
        match input[..4] {
            [0xff, 0xfe, 0, 0] => (*order, at) = (-1, 4),
            [0, 0, 0xfe, 0xff] => (*order, at) = (1, 4),
            _ => {}
        }
    }
    let _ = given;
    let big = *order > 0;
    let mut d = Decoding::new(input, order_name(4, if *order == 0 { -1 } else { *order }), errors);
    let mut out = StrBuilder::with_capacity(input.len() / 4);
    loop {
        let n = d.input.len();
        if at >= n {
            return Ok((out.finish(), n));
        }
        let (end, reason) = match d.input[at..].first_chunk::<4>() {
            None if !final_ => return Ok((out.finish(), at)),
            None => (n, "truncated data"),
            Some(u) => {
                let c = if big { u32::from_be_bytes(*u) } else { u32::from_le_bytes(*u) };
                if is_surrogate(c) {
                    (at + 4, "code point in surrogate code point range")
                } else if c > 0x10ffff {
                    (at + 4, "code point not in range(0x110000)")
                } else {
                    out.push(c);
                    at += 4;
                    continue;
                }
            }
        };
        at = d.handle(at, end, reason, &mut out)?;
    }
}

// ---- UTF-7 ----

fn base64_value(c: u8) -> Option<u32> {
    Some(match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    } as u32)
}
static BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// May stand for itself.
fn direct(c: u32) -> bool {
    c < 128
        && (matches!(
            c as u8,
            b'\t' | b'\n' | b'\r' | b' ' | b'\'' | b'(' | b')' | b',' | b'-' | b'.' | b'/' | b':' | b'?'
        ) || (c as u8).is_ascii_alphanumeric()
            || matches!(
                c as u8,
                b'!' | b'"'
                    | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'*'
                    | b';'
                    | b'<'
                    | b'='
                    | b'>'
                    | b'@'
                    | b'['
                    | b']'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'{'
                    | b'|'
                    | b'}'
            ))
}

pub fn encode_utf7(s: &Str) -> Vec<u8> {
    let mut out = vec![];
    let (mut shifted, mut bits, mut nbits) = (false, 0u32, 0u32);
    for c in s.chars() {
        if shifted && direct(c) {
            if nbits > 0 {
                out.push(BASE64[(bits << (6 - nbits) & 63) as usize]);
                (bits, nbits) = (0, 0);
            }
            shifted = false;
            // A character of the base 64 alphabet would be read as part of it.
            if base64_value(c as u8).is_some() || c == '-' as u32 {
                out.push(b'-');
            }
            out.push(c as u8);
            continue;
        }
        if !shifted {
            if c == '+' as u32 {
                out.extend(b"+-");
                continue;
            }
            if direct(c) {
                out.push(c as u8);
                continue;
            }
            out.push(b'+');
            shifted = true;
        }
        let mut units = [0u16; 2];
        let n = if c < 0x10000 {
            units[0] = c as u16;
            1
        } else {
            let v = c - 0x10000;
            units = [0xd800 | (v >> 10) as u16, 0xdc00 | (v & 0x3ff) as u16];
            2
        };
        for u in &units[..n] {
            bits = bits << 16 | *u as u32;
            nbits += 16;
            while nbits >= 6 {
                out.push(BASE64[(bits >> (nbits - 6) & 63) as usize]);
                nbits -= 6;
                bits &= (1 << nbits) - 1;
            }
        }
    }
    if nbits > 0 {
        out.push(BASE64[(bits << (6 - nbits) & 63) as usize]);
    }
    if shifted {
        out.push(b'-');
    }
    out
}

pub fn decode_utf7(input: &[u8], errors: &str, final_: bool) -> PyResult<(Owned<Str>, usize)> {
    let mut d = Decoding::new(input, "utf7", errors);
    let mut out = StrBuilder::with_capacity(input.len());
    let mut at = 0;
    let (mut shifted, mut bits, mut nbits, mut high) = (false, 0u32, 0u32, 0u32);
    // Where the current shift sequence starts, in bytes and in characters of the output.
    let (mut start, mut start_out) = (0, 0);
    while let Some(&c) = d.input.get(at) {
        let error: Option<(usize, usize, &str)>;
        if shifted {
            if let Some(v) = base64_value(c) {
                bits = bits << 6 | v;
                nbits += 6;
                at += 1;
                if nbits >= 16 {
                    let u = bits >> (nbits - 16) & 0xffff;
                    nbits -= 16;
                    bits &= (1 << nbits) - 1;
                    if high != 0 {
                        if (0xdc00..0xe000).contains(&u) {
                            out.push(0x10000 + ((high - 0xd800) << 10) + (u - 0xdc00));
                            high = 0;
                            continue;
                        }
                        out.push(high);
                        high = 0;
                    }
                    if (0xd800..0xdc00).contains(&u) {
                        high = u;
                    } else {
                        out.push(u);
                    }
                }
                continue;
            }
            shifted = false;
            let (b, n) = (std::mem::take(&mut bits), std::mem::take(&mut nbits));
            if n >= 6 {
                at += 1;
                error = Some((start, at, "partial character in shift sequence"));
            } else if b != 0 {
                at += 1;
                error = Some((start, at, "non-zero padding bits in shift sequence"));
            } else {
                if high != 0 && direct(c as u32) {
                    out.push(high);
                }
                high = 0;
                if c == b'-' {
                    at += 1;
                }
                continue;
            }
            high = 0;
        } else if c == b'+' {
            start = at;
            at += 1;
            match d.input.get(at) {
                Some(b'-') => {
                    at += 1;
                    out.push('+' as u32);
                    continue;
                }
                Some(x) if base64_value(*x).is_none() => {
                    at += 1;
                    error = Some((start, at, "ill-formed sequence"));
                }
                _ => {
                    (shifted, high, bits, nbits) = (true, 0, 0, 0);
                    start_out = out.len();
                    continue;
                }
            }
        } else if c < 128 {
            out.push(c as u32);
            at += 1;
            continue;
        } else {
            error = Some((at, at + 1, "unexpected special character"));
        }
        if let Some((a, b, reason)) = error {
            at = d.handle(a, b, reason, &mut out)?;
        }
    }
    if shifted {
        if !final_ {
            out.truncate(start_out);
            return Ok((out.finish(), start));
        }
        if high != 0 || nbits >= 6 || nbits > 0 && bits != 0 {
            let n = d.input.len();
            d.handle(start, n, "unterminated shift sequence", &mut out)?;
        }
    }
    let n = d.input.len();
    Ok((out.finish(), n))
}
