//! `unicode_escape`, `raw_unicode_escape` and `escape` (bytes literals).

use super::errors::Decoding;
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::strobject::StrBuilder;
use crate::{raise, unicode};

/// An escape that Python doesn't know, kept as it was written: `\` and the character, or an octal value above 255.
pub type InvalidEscape = Option<String>;

fn hex_run(b: &[u8], at: usize, n: usize) -> (u32, usize) {
    let mut v = 0;
    let mut k = 0;
    while k < n
        && let Some(d) = b.get(at + k).and_then(|c| (*c as char).to_digit(16))
    {
        v = v << 4 | d;
        k += 1;
    }
    (v, k)
}

/// Decodes; answers the text, the bytes used, and the first invalid escape.
pub fn decode_unicode_escape(
    input: &[u8],
    errors: &str,
    final_: bool,
) -> PyResult<(Owned<Str>, usize, InvalidEscape)> {
    let mut d = Decoding::new(input, "unicodeescape", errors);
    let mut out = StrBuilder::with_capacity(input.len());
    let mut invalid = None;
    let mut at = 0;
    while at < d.input.len() {
        let b = &d.input;
        let c = b[at];
        if c != b'\\' {
            out.push(c as u32);
            at += 1;
            continue;
        }
        let start = at;
        let Some(&e) = b.get(at + 1) else {
            if !final_ {
                return Ok((out.finish(), start, invalid));
            }
            at = d.handle(start, start + 1, "\\ at end of string", &mut out)?;
            continue;
        };
        at += 2;
        let simple = match e {
            b'\n' => continue,
            b'\\' | b'\'' | b'"' => Some(e),
            b'b' => Some(8),
            b'f' => Some(12),
            b't' => Some(9),
            b'n' => Some(10),
            b'r' => Some(13),
            b'v' => Some(11),
            b'a' => Some(7),
            _ => None,
        };
        if let Some(s) = simple {
            out.push(s as u32);
            continue;
        }
        let (n, reason) = match e {
            b'0'..=b'7' => {
                let mut v = (e - b'0') as u32;
                let mut k = 1;
                while k < 3
                    && let Some(o @ b'0'..=b'7') = b.get(at)
                {
                    v = v << 3 | (o - b'0') as u32;
                    at += 1;
                    k += 1;
                }
                if v > 0o377 && invalid.is_none() {
                    invalid = Some(format!("\\{v:o}"));
                }
                out.push(v);
                continue;
            }
            b'x' => (2, "truncated \\xXX escape"),
            b'u' => (4, "truncated \\uXXXX escape"),
            b'U' => (8, "truncated \\UXXXXXXXX escape"),
            b'N' => {
                let mut reason = "malformed \\N character escape";
                let mut end = at;
                if b.get(at) == Some(&b'{') {
                    match b[at..].iter().position(|c| *c == b'}') {
                        None if !final_ => return Ok((out.finish(), start, invalid)),
                        None => end = b.len(),
                        Some(k) if k > 1 => {
                            end = at + k + 1;
                            let name = std::str::from_utf8(&b[at + 1..at + k]).unwrap_or("");
                            if let Some(v) = unicode::names::lookup(name, false) {
                                out.push(v[0]);
                                at = end;
                                continue;
                            }
                            reason = "unknown Unicode character name";
                        }
                        // Without a name it is read up to the brace.
                        Some(k) => end = at + k,
                    }
                } else if at >= b.len() && !final_ {
                    return Ok((out.finish(), start, invalid));
                }
                at = d.handle(start, end, reason, &mut out)?;
                continue;
            }
            _ => {
                if invalid.is_none() {
                    invalid = Some(format!("\\{}", e as char));
                }
                out.push('\\' as u32);
                out.push(e as u32);
                continue;
            }
        };
        let (v, k) = hex_run(b, at, n);
        if k < n {
            if !final_ && at + k >= b.len() {
                return Ok((out.finish(), start, invalid));
            }
            at = d.handle(start, at + k, reason, &mut out)?;
        } else if v > 0x10ffff {
            at = d.handle(start, at + k, "illegal Unicode character", &mut out)?;
        } else {
            out.push(v);
            at += k;
        }
    }
    let n = d.input.len();
    Ok((out.finish(), n, invalid))
}

pub fn encode_unicode_escape(s: &Str) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len());
    for c in s.chars() {
        match c {
            0x5c => out.extend(b"\\\\"),
            9 => out.extend(b"\\t"),
            10 => out.extend(b"\\n"),
            13 => out.extend(b"\\r"),
            32..127 => out.push(c as u8),
            0..=0xff => out.extend(format!("\\x{c:02x}").bytes()),
            0x100..=0xffff => out.extend(format!("\\u{c:04x}").bytes()),
            _ => out.extend(format!("\\U{c:08x}").bytes()),
        }
    }
    out
}

pub fn decode_raw_unicode_escape(input: &[u8], errors: &str, final_: bool) -> PyResult<(Owned<Str>, usize)> {
    let mut d = Decoding::new(input, "rawunicodeescape", errors);
    let mut out = StrBuilder::with_capacity(input.len());
    let mut at = 0;
    while at < d.input.len() {
        let b = &d.input;
        let c = b[at];
        let escape = (c == b'\\').then(|| b.get(at + 1)).flatten();
        let (n, reason) = match escape {
            Some(b'u') => (4, "truncated \\uXXXX escape"),
            Some(b'U') => (8, "truncated \\UXXXXXXXX escape"),
            Some(e) => {
                out.push(c as u32);
                out.push(*e as u32);
                at += 2;
                continue;
            }
            None => {
                if c == b'\\' && !final_ {
                    return Ok((out.finish(), at));
                }
                out.push(c as u32);
                at += 1;
                continue;
            }
        };
        let start = at;
        let (v, k) = hex_run(b, at + 2, n);
        at += 2 + k;
        if k < n {
            if !final_ && at >= b.len() {
                return Ok((out.finish(), start));
            }
            at = d.handle(start, at, reason, &mut out)?;
        } else if v > 0x10ffff {
            at = d.handle(start, at, "\\Uxxxxxxxx out of range", &mut out)?;
        } else {
            out.push(v);
        }
    }
    let n = d.input.len();
    Ok((out.finish(), n))
}

pub fn encode_raw_unicode_escape(s: &Str) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len());
    for c in s.chars() {
        match c {
            0..=0xff => out.push(c as u8),
            0x100..=0xffff => out.extend(format!("\\u{c:04x}").bytes()),
            _ => out.extend(format!("\\U{c:08x}").bytes()),
        }
    }
    out
}

/// `codecs.escape_decode`: the content of a bytes literal.
pub fn decode_escape(b: &[u8], errors: &str) -> PyResult<(Vec<u8>, InvalidEscape)> {
    let mut out = Vec::with_capacity(b.len());
    let mut invalid = None;
    let mut at = 0;
    while at < b.len() {
        let c = b[at];
        at += 1;
        if c != b'\\' {
            out.push(c);
            continue;
        }
        let Some(&e) = b.get(at) else { return raise!(ValueError, "Trailing \\ in string") };
        at += 1;
        match e {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => out.push(e),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b't' => out.push(9),
            b'n' => out.push(10),
            b'r' => out.push(13),
            b'v' => out.push(11),
            b'a' => out.push(7),
            b'0'..=b'7' => {
                let mut v = (e - b'0') as u32;
                let mut k = 1;
                while k < 3
                    && let Some(o @ b'0'..=b'7') = b.get(at)
                {
                    v = v << 3 | (o - b'0') as u32;
                    at += 1;
                    k += 1;
                }
                if v > 0o377 && invalid.is_none() {
                    invalid = Some(format!("\\{v:o}"));
                }
                out.push(v as u8);
            }
            b'x' => {
                let (v, k) = hex_run(b, at, 2);
                if k == 2 {
                    out.push(v as u8);
                    at += 2;
                } else {
                    match errors {
                        "" | "strict" => {
                            return raise!(ValueError, "invalid \\x escape at position {}", at - 2);
                        }
                        "replace" => out.push(b'?'),
                        "ignore" => {}
                        other => {
                            return raise!(
                                ValueError,
                                "decoding error; unknown error handling code: {}",
                                crate::strobject::clip(other, 400)
                            );
                        }
                    }
                    at += k;
                }
            }
            _ => {
                if invalid.is_none() {
                    invalid = Some(format!("\\{}", e as char));
                }
                out.extend([b'\\', e]);
            }
        }
    }
    Ok((out, invalid))
}

/// `codecs.escape_encode`.
pub fn encode_escape(b: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(b.len());
    for &c in b {
        match c {
            b'\'' | b'\\' => out.extend([b'\\', c]),
            9 => out.extend(b"\\t"),
            10 => out.extend(b"\\n"),
            13 => out.extend(b"\\r"),
            32..127 => out.push(c),
            _ => out.extend(format!("\\x{c:02x}").bytes()),
        }
    }
    out
}
