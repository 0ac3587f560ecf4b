//! Error handlers: the built-in ones, the registry of names, and the protocol between a codec's loop and a handler.
//!
//! A loop that meets something it cannot convert calls `Encoding::handle` or `Decoding::handle` with the range and the reason;
//! it gets a replacement and the position to go on from. Built-in handlers work without making an exception object. A
//! decode handler may exchange the input (`exc.object`), which is why loops index `Decoding::input` afresh each time.

use crate::convert::*;
use crate::errors::*;
use crate::exceptions::exc;
use crate::interpreter::Own;
use crate::kinds::*;
use crate::object::*;
use crate::strobject::{StrBuilder, clip};
use crate::{pyfunction, raise, raised, unicode};
use lh_abi::*;
use std::borrow::Cow;
use std::sync::OnceLock;

/// What a handler puts in place of what could not be converted.
pub enum Replacement {
    Str(Owned<Str>),
    Bytes(Vec<u8>),
}

/// The built-in handlers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Builtin {
    Strict,
    Ignore,
    Replace,
    XmlCharRef,
    Backslash,
    Name,
    SurrogateEscape,
    SurrogatePass,
}
static NAMES: [(&str, Builtin); 8] = [
    ("strict", Builtin::Strict),
    ("ignore", Builtin::Ignore),
    ("replace", Builtin::Replace),
    ("xmlcharrefreplace", Builtin::XmlCharRef),
    ("backslashreplace", Builtin::Backslash),
    ("namereplace", Builtin::Name),
    ("surrogateescape", Builtin::SurrogateEscape),
    ("surrogatepass", Builtin::SurrogatePass),
];

#[derive(Clone)]
enum Handler {
    Builtin(Builtin),
    Custom(Owned<Object>),
}

// ---- Names ----

fn handlers() -> &'static Dict {
    static H: Own<Owned<Dict>> = Own::new();
    /// The functions' definitions, kept for ever.
    static DEFS: OnceLock<usize> = OnceLock::new();
    H.get_or_init(|| {
        let d = Dict::new();
        let first = *DEFS.get_or_init(|| {
            let all = [
                strict_errors::def(),
                ignore_errors::def(),
                replace_errors::def(),
                xmlcharrefreplace_errors::def(),
                backslashreplace_errors::def(),
                namereplace_errors::def(),
                surrogateescape::def(),
                surrogatepass::def(),
            ];
            Box::leak(Box::new(all)).as_mut_ptr() as usize
        });
        for (i, (name, _)) in NAMES.iter().enumerate() {
            // SAFETY: there are as many definitions as names, in their order.
            let f = CFunction::new(unsafe { (first as *mut PyMethodDef).add(i) }, None, None);
            if d.set_str(name, &f).is_err() {
                clear();
            }
        }
        d
    })
}

static OVERRIDDEN: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// `codecs.register_error(name, handler)`.
pub fn register_error(name: &str, handler: &Object) -> PyResult<()> {
    if !handler.is_callable() {
        return raise!(TypeError, "handler must be callable");
    }
    if NAMES.iter().any(|(n, _)| *n == name) {
        OVERRIDDEN.store(true, std::sync::atomic::Ordering::Relaxed);
    }
    handlers().set_str(name, handler)
}

/// `codecs.lookup_error(name)`.
pub fn lookup_error(name: &str) -> PyResult<Owned<Object>> {
    match handlers().get_str(name)? {
        Some(h) => Ok(h),
        None => raise!(LookupError, "unknown error handler name '{}'", clip(name, 400)),
    }
}

fn find_handler(name: &str) -> PyResult<Handler> {
    if !OVERRIDDEN.load(std::sync::atomic::Ordering::Relaxed)
        && let Some((_, b)) = NAMES.iter().find(|(n, _)| *n == name)
    {
        return Ok(Handler::Builtin(*b));
    }
    if name.is_empty() {
        return Ok(Handler::Builtin(Builtin::Strict));
    }
    lookup_error(name).map(Handler::Custom)
}

// ---- Encoding ----

/// The error side of one encoding operation.
pub struct Encoding<'a> {
    pub object: &'a Str,
    encoding: &'static str,
    errors: &'a str,
    handler: Option<Handler>,
    exception: Option<Owned<Object>>,
}

impl<'a> Encoding<'a> {
    pub fn new(object: &'a Str, encoding: &'static str, errors: &'a str) -> Encoding<'a> {
        Encoding { object, encoding, errors, handler: None, exception: None }
    }
    fn exception(&mut self, start: usize, end: usize, reason: &str) -> PyResult<Owned<Object>> {
        if let Some(e) = &self.exception {
            set_range(e, start, end, reason);
            return Ok(e.clone());
        }
        let e = exc::UnicodeEncodeError().call(&[
            &Str::new(self.encoding),
            self.object,
            &Int::from_usize(start),
            &Int::from_usize(end),
            &Str::new(reason),
        ])?;
        self.exception = Some(e.clone());
        Ok(e)
    }
    /// Raises the error.
    pub fn fail(&mut self, start: usize, end: usize, reason: &str) -> Raised {
        match self.exception(start, end, reason) {
            Ok(e) => match e.downcast_owned::<Exception>() {
                Ok(e) => raise_exc_with_context(e),
                Err(_) => bad_internal_call(),
            },
            Err(e) => e,
        }
    }
    /// Which built-in handler is used, if one is.
    pub fn builtin(&mut self) -> PyResult<Option<Builtin>> {
        if self.handler.is_none() {
            self.handler = Some(find_handler(self.errors)?);
        }
        Ok(match self.handler {
            Some(Handler::Builtin(b)) => Some(b),
            _ => None,
        })
    }
    /// Asks the handler about characters `start..end`: a replacement and where to go on.
    pub fn handle(&mut self, start: usize, end: usize, reason: &str) -> PyResult<(Replacement, usize)> {
        if let Some(b) = self.builtin()? {
            if b == Builtin::SurrogatePass
                && let Some(u) = utf_of(self.encoding)
            {
                return match pass_encoded(self.object, start, end, u) {
                    Some(v) => Ok((Replacement::Bytes(v), end)),
                    None => Err(self.fail(start, end, reason)),
                };
            }
            return match encode_replacement(b, self.object, start, end) {
                Some(r) => Ok((r, end)),
                None => Err(self.fail(start, end, reason)),
            };
        }
        let Some(Handler::Custom(h)) = self.handler.clone() else { unreachable!("looked up above") };
        let e = self.exception(start, end, reason)?;
        let r = h.call1(&e)?;
        let bad = || raised!(TypeError, "encoding error handler must return (str/bytes, int) tuple");
        let Some(t) = r.downcast::<Tuple>().filter(|t| t.len() == 2) else { return Err(bad()) };
        let (rep, pos) = (t.get(0), t.get(1));
        let rep = if let Some(s) = rep.downcast::<Str>() {
            Replacement::Str(s.own())
        } else if let Some(b) = rep.downcast::<Bytes>() {
            Replacement::Bytes(b.as_bytes().to_vec())
        } else {
            return Err(bad());
        };
        let Some(pos) = pos.downcast::<Int>() else { return Err(bad()) };
        Ok((rep, position(pos, self.object.len())?))
    }
}

fn position(pos: &Int, len: usize) -> PyResult<usize> {
    let p = pos.to_i64().unwrap_or(i64::MAX);
    let p = if p < 0 { p + len as i64 } else { p };
    if p < 0 || p > len as i64 {
        return raise!(IndexError, "position {} from error handler out of bounds", p);
    }
    Ok(p as usize)
}

fn set_range(e: &Object, start: usize, end: usize, reason: &str) {
    let r = Str::new(reason);
    // SAFETY: `e` is one of the Unicode errors, made by this file; its fields own their references.
    unsafe {
        let u = e.as_ptr().cast::<PyUnicodeErrorObject>();
        (*u).start = start as isize;
        (*u).end = end as isize;
        xdecref(std::mem::replace(&mut (*u).reason, r.into_raw()));
    }
}

fn push_backslash(b: &mut StrBuilder, c: u32) {
    use std::fmt::Write;
    let _ = match c {
        0..=0xff => write!(b, "\\x{c:02x}"),
        0x100..=0xffff => write!(b, "\\u{c:04x}"),
        _ => write!(b, "\\U{c:08x}"),
    };
}

/// What a built-in handler (other than `surrogatepass`) makes of unencodable characters; `None`: it raises the error.
fn encode_replacement(b: Builtin, s: &Str, start: usize, end: usize) -> Option<Replacement> {
    use std::fmt::Write;
    let chars = || s.text().slice(start, end).iter();
    let mut out = StrBuilder::new();
    match b {
        Builtin::Strict | Builtin::SurrogatePass => return None,
        Builtin::Ignore => {}
        Builtin::Replace => out.push_n('?' as u32, end - start),
        Builtin::XmlCharRef => chars().for_each(|c| {
            let _ = write!(out, "&#{c};");
        }),
        Builtin::Backslash => chars().for_each(|c| push_backslash(&mut out, c)),
        Builtin::Name => chars().for_each(|c| match unicode::names::name(c) {
            Some(n) => {
                let _ = write!(out, "\\N{{{n}}}");
            }
            None => push_backslash(&mut out, c),
        }),
        Builtin::SurrogateEscape => {
            let v: Option<Vec<u8>> =
                chars().map(|c| (0xdc80..=0xdcff).contains(&c).then_some(c as u8)).collect();
            return v.map(Replacement::Bytes);
        }
    }
    Some(Replacement::Str(out.finish()))
}

/// The UTF an encoding name means: bytes a unit and big-endian or not.
fn utf_of(encoding: &str) -> Option<(u8, bool)> {
    let n: String = encoding.to_ascii_lowercase().replace('_', "-");
    let rest = n.strip_prefix("utf")?;
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    if rest == "8" {
        return Some((1, false));
    }
    let (w, rest) = match (rest.strip_prefix("16"), rest.strip_prefix("32")) {
        (Some(r), _) => (2, r),
        (_, Some(r)) => (4, r),
        _ => return None,
    };
    match rest {
        "" | "-le" | "le" => Some((w, false)),
        "-be" | "be" => Some((w, true)),
        _ => None,
    }
}

fn pass_encoded(s: &Str, start: usize, end: usize, (width, big): (u8, bool)) -> Option<Vec<u8>> {
    let mut out = vec![];
    for c in s.text().slice(start, end).iter() {
        if !(0xd800..0xe000).contains(&c) {
            return None;
        }
        match (width, big) {
            (1, _) => {
                out.extend([0xe0 | (c >> 12) as u8, 0x80 | (c >> 6 & 0x3f) as u8, 0x80 | (c & 0x3f) as u8])
            }
            (2, false) => out.extend((c as u16).to_le_bytes()),
            (2, true) => out.extend((c as u16).to_be_bytes()),
            (_, false) => out.extend(c.to_le_bytes()),
            (_, true) => out.extend(c.to_be_bytes()),
        }
    }
    Some(out)
}

/// A surrogate encoded at the start of `b`: the code point and its length in bytes.
fn pass_decoded(b: &[u8], (width, big): (u8, bool)) -> Option<(u32, usize)> {
    let (c, n) = match (width, big) {
        (1, _) => {
            let [a, x, y, ..] = b else { return None };
            if *a != 0xed || x & 0xc0 != 0x80 || y & 0xc0 != 0x80 {
                return None;
            }
            ((*a as u32 & 15) << 12 | (*x as u32 & 63) << 6 | *y as u32 & 63, 3)
        }
        (2, _) => {
            let u = b.first_chunk::<2>()?;
            ((if big { u16::from_be_bytes(*u) } else { u16::from_le_bytes(*u) }) as u32, 2)
        }
        _ => {
            let u = b.first_chunk::<4>()?;
            (if big { u32::from_be_bytes(*u) } else { u32::from_le_bytes(*u) }, 4)
        }
    };
    (0xd800..0xe000).contains(&c).then_some((c, n))
}

// ---- Decoding ----

/// The error side of one decoding operation, and its input.
pub struct Decoding<'a> {
    pub input: Cow<'a, [u8]>,
    encoding: &'static str,
    errors: &'a str,
    handler: Option<Handler>,
    exception: Option<Owned<Object>>,
}

impl<'a> Decoding<'a> {
    pub fn new(input: &'a [u8], encoding: &'static str, errors: &'a str) -> Decoding<'a> {
        Decoding { input: Cow::Borrowed(input), encoding, errors, handler: None, exception: None }
    }
    fn exception(&mut self, start: usize, end: usize, reason: &str) -> PyResult<Owned<Object>> {
        if let Some(e) = &self.exception {
            set_range(e, start, end, reason);
            return Ok(e.clone());
        }
        let e = exc::UnicodeDecodeError().call(&[
            &Str::new(self.encoding),
            &Bytes::new(&self.input),
            &Int::from_usize(start),
            &Int::from_usize(end),
            &Str::new(reason),
        ])?;
        self.exception = Some(e.clone());
        Ok(e)
    }
    pub fn fail(&mut self, start: usize, end: usize, reason: &str) -> Raised {
        match self.exception(start, end, reason) {
            Ok(e) => match e.downcast_owned::<Exception>() {
                Ok(e) => raise_exc_with_context(e),
                Err(_) => bad_internal_call(),
            },
            Err(e) => e,
        }
    }
    /// Asks the handler about bytes `start..end`: writes the replacement, answers where to go on.
    pub fn handle(
        &mut self,
        start: usize,
        end: usize,
        reason: &str,
        out: &mut StrBuilder,
    ) -> PyResult<usize> {
        if self.handler.is_none() {
            self.handler = Some(find_handler(self.errors)?);
        }
        match self.handler.clone() {
            Some(Handler::Builtin(b)) => {
                match decode_replacement(b, &self.input, start, end, self.encoding, out) {
                    Some(pos) => Ok(pos),
                    None => Err(self.fail(start, end, reason)),
                }
            }
            Some(Handler::Custom(h)) => {
                let e = self.exception(start, end, reason)?;
                let r = h.call1(&e)?;
                let bad = || raised!(TypeError, "decoding error handler must return (str, int) tuple");
                let Some(t) = r.downcast::<Tuple>().filter(|t| t.len() == 2) else { return Err(bad()) };
                let (rep, pos) = (t.get(0), t.get(1));
                let (Some(rep), Some(pos)) = (rep.downcast::<Str>(), pos.downcast::<Int>()) else {
                    return Err(bad());
                };
                let input = e.get_attr_str("object")?;
                let Some(b) = input.downcast::<Bytes>() else {
                    return raise!(TypeError, "object attribute must be bytes");
                };
                if b.as_bytes() != &*self.input {
                    self.input = Cow::Owned(b.as_bytes().to_vec());
                }
                out.push_obj(rep);
                position(pos, self.input.len())
            }
            None => unreachable!("looked up above"),
        }
    }
}

fn decode_replacement(
    b: Builtin,
    input: &[u8],
    start: usize,
    end: usize,
    encoding: &str,
    out: &mut StrBuilder,
) -> Option<usize> {
    let bytes = &input[start..end];
    match b {
        Builtin::Ignore => {}
        Builtin::Replace => out.push(0xfffd),
        Builtin::Backslash => bytes.iter().for_each(|c| push_backslash(out, *c as u32)),
        Builtin::SurrogateEscape => {
            // At most four bytes at a time; bytes that are ASCII are not escaped.
            let n = bytes.iter().take(4).take_while(|c| **c >= 0x80).count();
            if n == 0 {
                return None;
            }
            bytes[..n].iter().for_each(|c| out.push(0xdc00 + *c as u32));
            return Some(start + n);
        }
        Builtin::SurrogatePass => {
            let (c, n) = pass_decoded(&input[start..], utf_of(encoding)?)?;
            out.push(c);
            return Some(start + n);
        }
        Builtin::Strict | Builtin::XmlCharRef | Builtin::Name => return None,
    }
    Some(end)
}

// ---- The handlers as Python functions ----

enum What {
    Encode,
    Decode,
    Translate,
}
struct Info {
    kind: What,
    object: Owned<Object>,
    encoding: String,
    start: usize,
    end: usize,
}

/// The fields of a Unicode error, its range clipped to the object.
fn info(e: &Object) -> PyResult<Info> {
    let kind = if e.ty().is_subtype(exc::UnicodeEncodeError()) {
        What::Encode
    } else if e.ty().is_subtype(exc::UnicodeDecodeError()) {
        What::Decode
    } else if e.ty().is_subtype(exc::UnicodeTranslateError()) {
        What::Translate
    } else {
        return Err(wrong_type(e));
    };
    let object = e.get_attr_str("object")?;
    let len = match (&kind, object.downcast::<Str>(), object.downcast::<Bytes>()) {
        (What::Decode, _, Some(b)) => b.len(),
        (What::Encode | What::Translate, Some(s), _) => s.len(),
        (What::Decode, ..) => return raise!(TypeError, "object attribute must be bytes"),
        _ => return raise!(TypeError, "object attribute must be unicode"),
    };
    let encoding = match kind {
        What::Translate => String::new(),
        _ => match e.get_attr_str("encoding")?.downcast::<Str>() {
            Some(s) => s.to_str_lossy().into_owned(),
            None => return raise!(TypeError, "encoding attribute must be unicode"),
        },
    };
    // SAFETY: all Unicode errors have this layout.
    let (start, end) = unsafe {
        let u = e.as_ptr().cast::<PyUnicodeErrorObject>();
        ((*u).start, (*u).end)
    };
    let n = len as isize;
    let start = start.max(0).min((n - 1).max(0)) as usize;
    let end = end.max(1).min(n) as usize;
    Ok(Info { kind, object, encoding, start, end: end.max(start.min(len)) })
}

fn wrong_type(e: &Object) -> Raised {
    raised!(TypeError, "don't know how to handle {} in error callback", clip(&e.ty().name(), 200))
}

fn raise_it(e: &Object) -> Raised {
    match e.downcast::<Exception>() {
        Some(e) => raise_exc(e.own()),
        None => raised!(TypeError, "codec must pass exception instance"),
    }
}

fn run(b: Builtin, e: &Object) -> PyResult<Owned<Object>> {
    let i = info(e)?;
    match i.kind {
        What::Encode => {
            let s = i.object.downcast::<Str>().expect("checked");
            if b == Builtin::SurrogatePass {
                let v = utf_of(&i.encoding).and_then(|u| pass_encoded(s, i.start, i.end, u));
                return match v {
                    Some(v) => (Bytes::new(&v), i.end).into_py(),
                    None => Err(raise_it(e)),
                };
            }
            match encode_replacement(b, s, i.start, i.end) {
                Some(Replacement::Str(s)) => (s, i.end).into_py(),
                Some(Replacement::Bytes(v)) => (Bytes::new(&v), i.end).into_py(),
                None => Err(raise_it(e)),
            }
        }
        What::Decode => {
            if matches!(b, Builtin::XmlCharRef | Builtin::Name) {
                return Err(wrong_type(e));
            }
            let mut out = StrBuilder::new();
            let v = i.object.downcast::<Bytes>().expect("checked");
            match decode_replacement(b, v.as_bytes(), i.start, i.end, &i.encoding, &mut out) {
                Some(pos) => (out.finish(), pos).into_py(),
                None => Err(raise_it(e)),
            }
        }
        What::Translate => {
            let s = i.object.downcast::<Str>().expect("checked");
            let mut out = StrBuilder::new();
            match b {
                Builtin::Ignore => {}
                Builtin::Replace => out.push_n(0xfffd, i.end - i.start),
                Builtin::Backslash => {
                    s.text().slice(i.start, i.end).iter().for_each(|c| push_backslash(&mut out, c))
                }
                _ => return Err(wrong_type(e)),
            }
            (out.finish(), i.end).into_py()
        }
    }
}

/// Raise the exception.
#[pyfunction]
pub fn strict_errors(e: &Object) -> PyResult<Owned<Object>> {
    Err(raise_it(e))
}
/// Leave out what cannot be converted.
#[pyfunction]
pub fn ignore_errors(e: &Object) -> PyResult<Owned<Object>> {
    run(Builtin::Ignore, e)
}
/// Put a replacement mark.
#[pyfunction]
pub fn replace_errors(e: &Object) -> PyResult<Owned<Object>> {
    run(Builtin::Replace, e)
}
/// Put XML character references.
#[pyfunction]
pub fn xmlcharrefreplace_errors(e: &Object) -> PyResult<Owned<Object>> {
    run(Builtin::XmlCharRef, e)
}
/// Put backslashed escapes.
#[pyfunction]
pub fn backslashreplace_errors(e: &Object) -> PyResult<Owned<Object>> {
    run(Builtin::Backslash, e)
}
/// Put \N{...} escapes.
#[pyfunction]
pub fn namereplace_errors(e: &Object) -> PyResult<Owned<Object>> {
    run(Builtin::Name, e)
}
#[pyfunction]
pub fn surrogateescape(e: &Object) -> PyResult<Owned<Object>> {
    run(Builtin::SurrogateEscape, e)
}
#[pyfunction]
pub fn surrogatepass(e: &Object) -> PyResult<Owned<Object>> {
    run(Builtin::SurrogatePass, e)
}
