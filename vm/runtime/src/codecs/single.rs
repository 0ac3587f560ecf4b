//! One byte a character: ASCII, Latin-1 and character maps.

use super::errors::{Decoding, Encoding, Replacement};
use crate::errors::*;
use crate::exceptions::exc;
use crate::kinds::*;
use crate::object::*;
use crate::raise;
use crate::strobject::{StrBuilder, Text};

pub fn decode_ascii(input: &[u8], errors: &str) -> PyResult<Owned<Str>> {
    if input.is_ascii() {
        return Ok(Str::from_ascii(input));
    }
    let mut d = Decoding::new(input, "ascii", errors);
    let mut out = StrBuilder::with_capacity(input.len());
    let mut at = 0;
    loop {
        let rest = &d.input[at..];
        let n = rest.iter().position(|b| *b >= 0x80).unwrap_or(rest.len());
        out.push_text(Text::U1(&rest[..n]));
        at += n;
        if at >= d.input.len() {
            return Ok(out.finish());
        }
        at = d.handle(at, at + 1, "ordinal not in range(128)", &mut out)?;
    }
}

fn encode_below(s: &Str, limit: u32, name: &'static str, errors: &str) -> PyResult<Vec<u8>> {
    let t = s.text();
    let reason = if limit == 128 { "ordinal not in range(128)" } else { "ordinal not in range(256)" };
    if let Text::U1(b) = t
        && (limit == 256 || s.is_ascii())
    {
        return Ok(b.to_vec());
    }
    let mut e = Encoding::new(s, name, errors);
    let mut out = Vec::with_capacity(t.len());
    let mut i = 0;
    while i < t.len() {
        let c = t.at(i);
        if c < limit {
            out.push(c as u8);
            i += 1;
            continue;
        }
        let mut end = i + 1;
        while end < t.len() && t.at(end) >= limit {
            end += 1;
        }
        if e.builtin()? == Some(super::errors::Builtin::SurrogateEscape) {
            let n = (i..end).take_while(|k| (0xdc80..=0xdcff).contains(&t.at(*k))).count();
            if n == 0 {
                return Err(e.fail(i, end, reason));
            }
            out.extend((i..i + n).map(|k| t.at(k) as u8));
            i += n;
            continue;
        }
        let (rep, pos) = e.handle(i, end, reason)?;
        match rep {
            Replacement::Bytes(b) => out.extend(b),
            Replacement::Str(r) if r.chars().all(|c| c < limit) => out.extend(r.chars().map(|c| c as u8)),
            Replacement::Str(_) => return Err(e.fail(i, end, reason)),
        }
        i = pos;
    }
    Ok(out)
}

pub fn encode_ascii(s: &Str, errors: &str) -> PyResult<Vec<u8>> {
    encode_below(s, 128, "ascii", errors)
}
pub fn encode_latin1(s: &Str, errors: &str) -> PyResult<Vec<u8>> {
    encode_below(s, 256, "latin-1", errors)
}

// ---- Character maps ----

const UNDEFINED: &str = "character maps to <undefined>";

/// `charmap_decode`: the mapping is a string indexed by byte, or maps numbers to numbers, strings or None.
pub fn decode_charmap(input: &[u8], errors: &str, mapping: Option<&Object>) -> PyResult<Owned<Str>> {
    let Some(m) = mapping else { return Ok(Str::from_latin1(input)) };
    let mut d = Decoding::new(input, "charmap", errors);
    let mut out = StrBuilder::with_capacity(input.len());
    let table = m.downcast::<Str>();
    let mut at = 0;
    while at < d.input.len() {
        let b = d.input[at];
        let ok = match table {
            Some(t) => {
                let c = if (b as usize) < t.len() { t.char_at(b as usize) } else { 0xfffe };
                if c != 0xfffe {
                    out.push(c);
                }
                c != 0xfffe
            }
            None => decode_one(m, b, &mut out)?,
        };
        at = if ok { at + 1 } else { d.handle(at, at + 1, UNDEFINED, &mut out)? };
    }
    Ok(out.finish())
}

fn decode_one(m: &Object, b: u8, out: &mut StrBuilder) -> PyResult<bool> {
    let r = match m.get_item(&Int::from_i64(b as i64)) {
        Ok(r) => r,
        Err(e) if e.matches(exc::LookupError()) => {
            e.clear();
            return Ok(false);
        }
        Err(e) => return Err(e),
    };
    if r.is_none() {
        return Ok(false);
    }
    if let Some(i) = r.downcast::<Int>() {
        return match i.to_i64() {
            Some(0xfffe) => Ok(false),
            Some(c) if (0..=0x10ffff).contains(&c) => {
                out.push(c as u32);
                Ok(true)
            }
            _ => raise!(TypeError, "character mapping must be in range(0x110000)"),
        };
    }
    match r.downcast::<Str>() {
        Some(s) if s.len() == 1 && s.char_at(0) == 0xfffe => Ok(false),
        Some(s) => {
            out.push_obj(s);
            Ok(true)
        }
        None => raise!(TypeError, "character mapping must return integer, None or str"),
    }
}

/// What the mapping has for a character, appended to `out`; `false`: nothing.
fn encode_one(m: &Object, c: u32, out: &mut Vec<u8>) -> PyResult<bool> {
    let r = match m.get_item(&Int::from_i64(c as i64)) {
        Ok(r) => r,
        Err(e) if e.matches(exc::LookupError()) => {
            e.clear();
            return Ok(false);
        }
        Err(e) => return Err(e),
    };
    if r.is_none() {
        return Ok(false);
    }
    if let Some(i) = r.downcast::<Int>() {
        return match i.to_i64() {
            Some(b) if (0..256).contains(&b) => {
                out.push(b as u8);
                Ok(true)
            }
            _ => raise!(TypeError, "character mapping must be in range(256)"),
        };
    }
    match r.downcast::<Bytes>() {
        Some(b) => {
            out.extend_from_slice(b.as_bytes());
            Ok(true)
        }
        None => raise!(
            TypeError,
            "character mapping must return integer, bytes or None, not {}",
            crate::strobject::clip(&r.ty().name(), 400)
        ),
    }
}

/// `charmap_encode`.
pub fn encode_charmap(s: &Str, errors: &str, mapping: Option<&Object>) -> PyResult<Vec<u8>> {
    let Some(m) = mapping else { return encode_latin1(s, errors) };
    let t = s.text();
    let mut e = Encoding::new(s, "charmap", errors);
    let mut out = Vec::with_capacity(t.len());
    let mut scratch = vec![];
    let mut i = 0;
    while i < t.len() {
        if encode_one(m, t.at(i), &mut out)? {
            i += 1;
            continue;
        }
        let mut end = i + 1;
        while end < t.len() {
            scratch.clear();
            if encode_one(m, t.at(end), &mut scratch)? {
                break;
            }
            end += 1;
        }
        let (rep, pos) = e.handle(i, end, UNDEFINED)?;
        match rep {
            Replacement::Bytes(b) => out.extend(b),
            Replacement::Str(r) => {
                for c in r.chars() {
                    if !encode_one(m, c, &mut out)? {
                        return Err(e.fail(i, end, UNDEFINED));
                    }
                }
            }
        }
        i = pos;
    }
    Ok(out)
}

/// `charmap_build`: the inverse of a decoding table.
pub fn build_charmap(table: &Str) -> PyResult<Owned<Dict>> {
    let d = Dict::new();
    for (i, c) in table.chars().enumerate().take(256) {
        if c != 0xfffe {
            d.set_item(&Int::from_i64(c as i64), &Int::from_i64(i as i64))?;
        }
    }
    Ok(d)
}
