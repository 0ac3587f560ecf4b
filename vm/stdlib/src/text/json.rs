//! `_json`: the scanner and encoder behind `json`.

use lh_runtime::prelude::*;
use lh_runtime::strobject::{Text, Unit};
use lh_runtime::thread::enter_recursive;
use lh_runtime::with_text;

// ---- Strings ----

fn decode_error(message: &str, s: &Str, at: usize) -> Raised {
    let raise_it = || -> PyResult<Raised> {
        let m = lh_runtime::hooks::import_module("json.decoder")?;
        let e = m.get_attr_str("JSONDecodeError")?.call(&[&Str::new(message), s, &Int::from_usize(at)])?;
        match e.downcast_owned::<Exception>() {
            Ok(e) => Ok(raise_exc_with_context(e)),
            Err(_) => Ok(bad_internal_call()),
        }
    };
    raise_it().unwrap_or_else(|e| e)
}

/// The string whose opening quote is in front of `start`: text and the index behind the closing quote.
fn scan_string<C: Unit>(s: &Str, t: &[C], start: usize, strict: bool) -> PyResult<(Owned<Str>, usize)> {
    /// Characters that end a run of plain ones: quote, backslash, controls.
    static STOPS: [bool; 128] = {
        let mut t = [false; 128];
        let mut i = 0;
        while i < 32 {
            t[i] = true;
            i += 1;
        }
        t[b'"' as usize] = true;
        t[b'\\' as usize] = true;
        t
    };
    let n = t.len();
    let begin = start.wrapping_sub(1);
    let unterminated = || decode_error("Unterminated string starting at", s, begin);
    let mut b: Option<StrBuilder> = None;
    let mut at = start;
    loop {
        let from = at;
        while at < n {
            let c = t[at].code();
            if c < 128 && STOPS[c as usize] {
                if c > 0x1f {
                    break;
                }
                if strict {
                    return Err(decode_error("Invalid control character at", s, at));
                }
            }
            at += 1;
        }
        if at >= n {
            return Err(unterminated());
        }
        let end_quote = t[at].code() == '"' as u32;
        if end_quote && b.is_none() {
            return Ok((s.slice(from, at), at + 1));
        }
        let out = b.get_or_insert_with(StrBuilder::new);
        out.push_slice(s, from, at);
        at += 1;
        if end_quote {
            return Ok((b.expect("just made").finish(), at));
        }
        if at >= n {
            return Err(unterminated());
        }
        let c = t[at].code();
        at += 1;
        if c != 'u' as u32 {
            let e = match char::from_u32(c) {
                Some(c @ ('"' | '\\' | '/')) => c as u32,
                Some('b') => 8,
                Some('f') => 12,
                Some('n') => 10,
                Some('r') => 13,
                Some('t') => 9,
                _ => return Err(decode_error("Invalid \\escape", s, at - 2)),
            };
            out.push(e);
            continue;
        }
        let hex = |a: usize| -> Option<u32> {
            if a + 4 > n {
                return None;
            }
            let mut v = 0;
            for i in a..a + 4 {
                v = v << 4 | char::from_u32(t[i].code()).filter(char::is_ascii)?.to_digit(16)?;
            }
            Some(v)
        };
        let Some(mut v) = hex(at) else { return Err(decode_error("Invalid \\uXXXX escape", s, at - 1)) };
        at += 4;
        if (0xd800..0xdc00).contains(&v)
            && at + 6 <= n
            && t[at].code() == '\\' as u32
            && t[at + 1].code() == 'u' as u32
            && let Some(low @ 0xdc00..=0xdfff) = hex(at + 2)
        {
            v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
        out.push(v);
    }
}

/// scanstring(string, end, strict=True) -> (string, end)
#[pyfunction(signature = "(string, end, strict=True, /)")]
fn scanstring(string: &Object, end: isize, strict: bool) -> PyResult<(Owned<Str>, usize)> {
    let Some(s) = string.downcast::<Str>() else {
        return raise!(TypeError, "first argument must be a string, not {}", string.ty().name());
    };
    if end < 0 || end as usize > s.len() {
        return raise!(ValueError, "end is out of bounds");
    }
    with_text!(s.text(), t => scan_string(s, t, end as usize, strict))
}

fn push_quoted(b: &mut StrBuilder, t: Text<'_>, ascii: bool) {
    use std::fmt::Write;
    b.push(34);
    // Runs of plain characters go in one piece.
    let plain = |c: u32| c >= 32 && c != 34 && c != 92 && (!ascii || c < 127);
    if let Text::U1(u) = t
        && u.iter().all(|c| plain(*c as u32))
    {
        b.push_text(t);
        return b.push(34);
    }
    let n = t.len();
    if ascii {
        // All that comes out is ASCII: it is collected as bytes.
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut out: Vec<u8> = Vec::with_capacity(n + n / 2 + 16);
        let escape = |out: &mut Vec<u8>, c: u32| {
            let hex = |shift: u32| HEX[(c >> shift & 15) as usize];
            out.extend_from_slice(&[b'\\', b'u', hex(12), hex(8), hex(4), hex(0)]);
        };
        for c in t.iter() {
            let short = match c {
                34 => b'"',
                92 => b'\\',
                8 => b'b',
                12 => b'f',
                10 => b'n',
                13 => b'r',
                9 => b't',
                32..127 => {
                    out.push(c as u8);
                    continue;
                }
                0x10000.. => {
                    let v = c - 0x10000;
                    escape(&mut out, 0xd800 + (v >> 10));
                    escape(&mut out, 0xdc00 + (v & 0x3ff));
                    continue;
                }
                _ => {
                    escape(&mut out, c);
                    continue;
                }
            };
            out.extend_from_slice(&[b'\\', short]);
        }
        b.push_text(Text::U1(&out));
        return b.push(34);
    }
    let mut i = 0;
    while i < n {
        let from = i;
        while i < n && plain(t.at(i)) {
            i += 1;
        }
        if i > from {
            b.push_text(t.slice(from, i));
        }
        if i == n {
            break;
        }
        let c = t.at(i);
        i += 1;
        let _ = match c {
            34 => b.write_str("\\\""),
            92 => b.write_str("\\\\"),
            8 => b.write_str("\\b"),
            12 => b.write_str("\\f"),
            10 => b.write_str("\\n"),
            13 => b.write_str("\\r"),
            9 => b.write_str("\\t"),
            c if c >= 0x10000 => {
                let v = c - 0x10000;
                write!(b, "\\u{:04x}\\u{:04x}", 0xd800 + (v >> 10), 0xdc00 + (v & 0x3ff))
            }
            c => write!(b, "\\u{c:04x}"),
        };
    }
    b.push(34);
}

fn quoted(o: &Object, ascii: bool) -> PyResult<Owned<Str>> {
    let Some(s) = o.downcast::<Str>() else {
        return raise!(TypeError, "first argument must be a string, not {}", o.ty().name());
    };
    let mut b = StrBuilder::with_capacity(s.len() + 2);
    push_quoted(&mut b, s.text(), ascii);
    Ok(b.finish())
}

/// Return a JSON representation of a string, in ASCII.
#[pyfunction]
fn encode_basestring_ascii(string: &Object) -> PyResult<Owned<Str>> {
    quoted(string, true)
}
/// Return a JSON representation of a string.
#[pyfunction]
fn encode_basestring(string: &Object) -> PyResult<Owned<Str>> {
    quoted(string, false)
}

// ---- Scanner ----

/// JSON scanner object
#[pyclass(name = "Scanner", module = "_json")]
pub struct Scanner {
    strict: bool,
    object_hook: Owned<Object>,
    object_pairs_hook: Owned<Object>,
    parse_float: Owned<Object>,
    parse_int: Owned<Object>,
    parse_constant: Owned<Object>,
}

fn stop(at: usize) -> Raised {
    lh_runtime::exceptions::raise_stop_iteration(Int::from_usize(at).into_object())
}

struct Parse<'a, C> {
    scanner: &'a Scanner,
    s: &'a Str,
    t: &'a [C],
    /// Keys seen, each at a place that its hash says, so that equal keys of many objects are one string.
    memo: Vec<Option<Owned<Str>>>,
}

const MEMO: usize = 256;

impl<C: Unit> Parse<'_, C> {
    fn space(&self, mut i: usize) -> usize {
        while i < self.t.len() && matches!(self.t[i].code(), 9 | 10 | 13 | 32) {
            i += 1;
        }
        i
    }
    fn at(&self, i: usize) -> Option<char> {
        self.t.get(i).and_then(|c| char::from_u32(c.code()))
    }
    fn has(&self, i: usize, word: &str) -> bool {
        word.chars().enumerate().all(|(k, c)| self.at(i + k) == Some(c))
    }
    fn key(&mut self, k: Owned<Str>) -> Owned<Str> {
        if self.memo.is_empty() {
            self.memo.resize(MEMO, None);
        }
        let place = &mut self.memo[k.hash() as usize % MEMO];
        match place {
            Some(m) if m.equals(&k) => m.clone(),
            _ => {
                *place = Some(k.clone());
                k
            }
        }
    }
    fn value(&mut self, i: usize) -> PyResult<(Owned<Object>, usize)> {
        let Some(c) = self.at(i) else { return Err(stop(i)) };
        match c {
            '"' => {
                let (s, e) = scan_string(self.s, self.t, i + 1, self.scanner.strict)?;
                Ok((s.into_object(), e))
            }
            '{' => {
                let _r = enter_recursive(" while decoding a JSON object from a unicode string")?;
                self.object(i + 1)
            }
            '[' => {
                let _r = enter_recursive(" while decoding a JSON array from a unicode string")?;
                self.array(i + 1)
            }
            'n' if self.has(i, "null") => Ok((none(), i + 4)),
            't' if self.has(i, "true") => Ok((bool_obj(true), i + 4)),
            'f' if self.has(i, "false") => Ok((bool_obj(false), i + 5)),
            'N' if self.has(i, "NaN") => Ok((self.scanner.parse_constant.call1(&Str::new("NaN"))?, i + 3)),
            'I' if self.has(i, "Infinity") => {
                Ok((self.scanner.parse_constant.call1(&Str::new("Infinity"))?, i + 8))
            }
            '-' if self.has(i, "-Infinity") => {
                Ok((self.scanner.parse_constant.call1(&Str::new("-Infinity"))?, i + 9))
            }
            _ => self.number(i),
        }
    }
    fn number(&self, start: usize) -> PyResult<(Owned<Object>, usize)> {
        let digit = |i: usize| self.at(i).is_some_and(|c| c.is_ascii_digit());
        let mut i = start;
        if self.at(i) == Some('-') {
            i += 1;
        }
        match self.at(i) {
            Some('1'..='9') => {
                while digit(i) {
                    i += 1;
                }
            }
            Some('0') => i += 1,
            _ => return Err(stop(start)),
        }
        let mut float = false;
        if self.at(i) == Some('.') && digit(i + 1) {
            float = true;
            i += 2;
            while digit(i) {
                i += 1;
            }
        }
        if matches!(self.at(i), Some('e' | 'E')) {
            let mut k = i + 1;
            if matches!(self.at(k), Some('+' | '-')) {
                k += 1;
            }
            if digit(k) {
                while digit(k) {
                    k += 1;
                }
                float = true;
                i = k;
            }
        }
        let number = &self.t[start..i];
        // Integers that surely fit are read on the way.
        if !float && number.len() < 18 && self.scanner.parse_int.is(Int::class()) {
            let negative = number[0].code() == '-' as u32;
            let v = number[negative as usize..].iter().fold(0, |v, c| v * 10 + (c.code() as i64 - 48));
            return Ok((Int::from_i64(if negative { -v } else { v }).into_object(), i));
        }
        let (mut few, mut many) = ([0u8; 32], vec![]);
        let text = if number.len() <= few.len() {
            few.iter_mut().zip(number).for_each(|(to, c)| *to = c.code() as u8);
            &few[..number.len()]
        } else {
            many.extend(number.iter().map(|c| c.code() as u8));
            &many[..]
        };
        let text = std::str::from_utf8(text).expect("digits and the like");
        let v = if float {
            if self.scanner.parse_float.is(Float::class()) {
                match text.parse::<f64>() {
                    Ok(v) => Float::new(v).into_object(),
                    Err(_) => self.scanner.parse_float.call1(&Str::new(text))?,
                }
            } else {
                self.scanner.parse_float.call1(&Str::new(text))?
            }
        } else if self.scanner.parse_int.is(Int::class()) {
            match text.parse::<i64>() {
                Ok(v) => Int::from_i64(v).into_object(),
                Err(_) => Int::parse(text, 10)?.into_object(),
            }
        } else {
            self.scanner.parse_int.call1(&Str::new(text))?
        };
        Ok((v, i))
    }
    fn array(&mut self, i: usize) -> PyResult<(Owned<Object>, usize)> {
        let mut out = vec![];
        let mut i = self.space(i);
        if self.at(i) == Some(']') {
            return Ok((List::from_vec(out).into_object(), i + 1));
        }
        loop {
            let (v, e) = self.value(i)?;
            out.push(v);
            i = self.space(e);
            match self.at(i) {
                Some(']') => return Ok((List::from_vec(out).into_object(), i + 1)),
                Some(',') => i = self.space(i + 1),
                _ => return Err(decode_error("Expecting ',' delimiter", self.s, i)),
            }
        }
    }
    fn object(&mut self, i: usize) -> PyResult<(Owned<Object>, usize)> {
        let pairs_hook = !self.scanner.object_pairs_hook.is_none();
        let d = Dict::new();
        let mut pairs = vec![];
        let mut i = self.space(i);
        if self.at(i) != Some('}') {
            loop {
                if self.at(i) != Some('"') {
                    return Err(decode_error("Expecting property name enclosed in double quotes", self.s, i));
                }
                let (k, e) = scan_string(self.s, self.t, i + 1, self.scanner.strict)?;
                let k = self.key(k);
                i = self.space(e);
                if self.at(i) != Some(':') {
                    return Err(decode_error("Expecting ':' delimiter", self.s, i));
                }
                i = self.space(i + 1);
                let (v, e) = self.value(i)?;
                if pairs_hook {
                    pairs.push((k, v).into_py()?);
                } else {
                    d.set_item(&k, &v)?;
                }
                i = self.space(e);
                match self.at(i) {
                    Some('}') => break,
                    Some(',') => i = self.space(i + 1),
                    _ => return Err(decode_error("Expecting ',' delimiter", self.s, i)),
                }
            }
        }
        i += 1;
        if pairs_hook {
            return Ok((self.scanner.object_pairs_hook.call1(&List::from_vec(pairs))?, i));
        }
        if !self.scanner.object_hook.is_none() {
            return Ok((self.scanner.object_hook.call1(&d)?, i));
        }
        Ok((d.into_object(), i))
    }
}

#[pymethods]
impl Scanner {
    #[new(name = "make_scanner", signature = "(context)")]
    fn new(cls: &Type, context: &Object) -> PyResult<Owned<Scanner>> {
        let get = |n: &str| context.get_attr_str(n);
        Scanner {
            strict: get("strict")?.is_true()?,
            object_hook: get("object_hook")?,
            object_pairs_hook: get("object_pairs_hook")?,
            parse_float: get("parse_float")?,
            parse_int: get("parse_int")?,
            parse_constant: get("parse_constant")?,
        }
        .build_in(cls)
    }
    #[slot(tp_call)]
    fn call(&self, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Object>> {
        let by_name = |n: &str| kwargs.map_or(Ok(None), |k| k.get_str(n));
        let arg = |i: usize, n: &str| -> PyResult<Owned<Object>> {
            if i < args.len() {
                return Ok(args.get(i));
            }
            match by_name(n)? {
                Some(o) => Ok(o),
                None => raise!(TypeError, "scan_once() missing required argument '{}' (pos {})", n, i + 1),
            }
        };
        let (string, idx) = (arg(0, "string")?, arg(1, "idx")?);
        let idx = lh_runtime::number::as_isize(&idx, Some(exc::OverflowError()))?;
        let Some(s) = string.downcast::<Str>() else {
            return raise!(TypeError, "first argument must be a string, not {}", string.ty().name());
        };
        if idx < 0 {
            return raise!(ValueError, "idx cannot be negative");
        }
        let (v, e) =
            with_text!(s.text(), t => Parse { scanner: self, s, t, memo: vec![] }.value(idx as usize))?;
        (v, e).into_py()
    }
    #[getter]
    fn strict(&self) -> bool {
        self.strict
    }
    #[getter]
    fn object_hook(&self) -> Owned<Object> {
        self.object_hook.clone()
    }
    #[getter]
    fn object_pairs_hook(&self) -> Owned<Object> {
        self.object_pairs_hook.clone()
    }
    #[getter]
    fn parse_float(&self) -> Owned<Object> {
        self.parse_float.clone()
    }
    #[getter]
    fn parse_int(&self) -> Owned<Object> {
        self.parse_int.clone()
    }
    #[getter]
    fn parse_constant(&self) -> Owned<Object> {
        self.parse_constant.clone()
    }
}

// ---- Encoder ----

#[derive(Clone, Copy, PartialEq)]
enum Quoter {
    Ascii,
    Plain,
    Other,
}

/// JSON encoder object
#[pyclass(name = "Encoder", module = "_json")]
pub struct Encoder {
    markers: Owned<Object>,
    default: Owned<Object>,
    encoder: Owned<Object>,
    indent: Owned<Object>,
    key_separator: Owned<Str>,
    item_separator: Owned<Str>,
    sort_keys: bool,
    skipkeys: bool,
    allow_nan: bool,
    #[notrace]
    quoter: Quoter,
}

impl Encoder {
    fn string(&self, o: &Object, b: &mut StrBuilder) -> PyResult<()> {
        let s = o.downcast::<Str>();
        match (self.quoter, s) {
            (Quoter::Other, _) | (_, None) => {
                let r = self.encoder.call1(o)?;
                match r.downcast::<Str>() {
                    Some(r) => b.push_obj(r),
                    None => {
                        return raise!(TypeError, "encoder() must return a string, not {}", r.ty().name());
                    }
                }
            }
            (q, Some(s)) => push_quoted(b, s.text(), q == Quoter::Ascii),
        }
        Ok(())
    }
    fn float(&self, v: f64, b: &mut StrBuilder) -> PyResult<()> {
        if !v.is_finite() {
            if !self.allow_nan {
                return raise!(ValueError, "Out of range float values are not JSON compliant");
            }
            b.push_str(match (v.is_nan(), v > 0.0) {
                (true, _) => "NaN",
                (_, true) => "Infinity",
                _ => "-Infinity",
            });
            return Ok(());
        }
        b.push_str(&lh_runtime::floatobject::repr(v));
        Ok(())
    }
    /// Notes that `o` is being encoded; the note is to be removed with `leave`.
    fn enter(&self, o: &Object) -> PyResult<Option<Owned<Object>>> {
        let Some(m) = self.markers.downcast::<Dict>() else { return Ok(None) };
        let id = Int::from_usize(o.as_ptr() as usize).into_object();
        if m.contains(&id)? {
            return raise!(ValueError, "Circular reference detected");
        }
        m.set_item(&id, o)?;
        Ok(Some(id))
    }
    fn leave(&self, id: Option<Owned<Object>>) -> PyResult<()> {
        if let (Some(id), Some(m)) = (id, self.markers.downcast::<Dict>()) {
            m.del_item(&id)?;
        }
        Ok(())
    }
    fn object(&self, o: &Object, b: &mut StrBuilder) -> PyResult<()> {
        if o.is_none() {
            b.push_str("null");
        } else if o.is_true_object() {
            b.push_str("true");
        } else if o.is_false_object() {
            b.push_str("false");
        } else if o.is_instance_of::<Str>() {
            self.string(o, b)?;
        } else if let Some(i) = o.downcast::<Int>() {
            b.push_str(&i.to_decimal()?);
        } else if let Some(f) = o.downcast::<Float>() {
            self.float(f.value(), b)?;
        } else if o.is_instance_of::<List>() || o.is_instance_of::<Tuple>() {
            let _r = enter_recursive(" while encoding a JSON object")?;
            self.sequence(o, b)?;
        } else if let Some(d) = o.downcast::<Dict>() {
            let _r = enter_recursive(" while encoding a JSON object")?;
            self.dict(d, b)?;
        } else {
            let id = self.enter(o)?;
            let new = self.default.call1(o)?;
            {
                let _r = enter_recursive(" while encoding a JSON object")?;
                self.object(&new, b)?;
            }
            self.leave(id)?;
        }
        Ok(())
    }
    fn sequence(&self, o: &Object, b: &mut StrBuilder) -> PyResult<()> {
        // `default` may change a list meanwhile.
        let at = |i: usize| match o.downcast::<List>() {
            Some(l) => l.get(i),
            None => o.downcast::<Tuple>().filter(|t| i < t.len()).map(|t| t.item_ref(i).own()),
        };
        if at(0).is_none() {
            b.push_str("[]");
            return Ok(());
        }
        let id = self.enter(o)?;
        b.push('[' as u32);
        let mut i = 0;
        while let Some(x) = at(i) {
            if i > 0 {
                b.push_obj(&self.item_separator);
            }
            self.object(&x, b)?;
            i += 1;
        }
        b.push(']' as u32);
        self.leave(id)
    }
    fn dict(&self, d: &Dict, b: &mut StrBuilder) -> PyResult<()> {
        if d.len() == 0 {
            b.push_str("{}");
            return Ok(());
        }
        let id = self.enter(d)?;
        b.push('{' as u32);
        let items: Vec<(Owned<Object>, Owned<Object>)> = if self.sort_keys || !d.is_exact::<Dict>() {
            let list = List::from_vec(d.call_method("items", &[])?.to_items()?);
            if self.sort_keys {
                list.sort(None, false)?;
            }
            let mut v = vec![];
            for p in list.to_vec() {
                match p.downcast::<Tuple>() {
                    Some(t) if t.len() == 2 => v.push((t.get(0), t.get(1))),
                    _ => return raise!(ValueError, "items must return 2-tuples"),
                }
            }
            v
        } else {
            d.items_vec()
        };
        let mut first = true;
        for (k, v) in &items {
            let key: Owned<Object> = if k.is_instance_of::<Str>() {
                k.clone()
            } else if let Some(f) = k.downcast::<Float>() {
                let mut t = StrBuilder::new();
                self.float(f.value(), &mut t)?;
                t.finish().into_object()
            } else if k.is_true_object() || k.is_false_object() || k.is_none() {
                let mut t = StrBuilder::new();
                self.object(k, &mut t)?;
                t.finish().into_object()
            } else if let Some(i) = k.downcast::<Int>() {
                Str::new(&i.to_decimal()?).into_object()
            } else if self.skipkeys {
                continue;
            } else {
                return raise!(
                    TypeError,
                    "keys must be str, int, float, bool or None, not {}",
                    lh_runtime::strobject::clip(&k.ty().name(), 100)
                );
            };
            if !first {
                b.push_obj(&self.item_separator);
            }
            first = false;
            self.string(&key, b)?;
            b.push_obj(&self.key_separator);
            self.object(v, b)?;
        }
        b.push('}' as u32);
        self.leave(id)
    }
}

#[pymethods]
impl Encoder {
    #[new(
        name = "make_encoder",
        signature = "(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)"
    )]
    fn new(
        cls: &Type,
        markers: &Object,
        default: &Object,
        encoder: &Object,
        indent: &Object,
        key_separator: &Str,
        item_separator: &Str,
        sort_keys: bool,
        skipkeys: bool,
        allow_nan: bool,
    ) -> PyResult<Owned<Encoder>> {
        if !markers.is_none() && !markers.is_instance_of::<Dict>() {
            return raise!(
                TypeError,
                "make_encoder() argument 1 must be dict or None, not {}",
                lh_runtime::strobject::clip(&markers.ty().name(), 200)
            );
        }
        let quoter = match encoder.downcast_exact::<CFunction>() {
            None => Quoter::Other,
            Some(f) => {
                // SAFETY: a builtin function's definition lives as long as the function.
                let name = unsafe { std::ffi::CStr::from_ptr((*(*f.as_struct()).m_ml).ml_name) };
                match name.to_bytes() {
                    b"encode_basestring_ascii" => Quoter::Ascii,
                    b"encode_basestring" => Quoter::Plain,
                    _ => Quoter::Other,
                }
            }
        };
        Encoder {
            markers: markers.own(),
            default: default.own(),
            encoder: encoder.own(),
            indent: indent.own(),
            key_separator: key_separator.own(),
            item_separator: item_separator.own(),
            sort_keys,
            skipkeys,
            allow_nan,
            quoter,
        }
        .build_in(cls)
    }
    #[slot(tp_call)]
    fn call(&self, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Object>> {
        let o = match (args.len(), kwargs) {
            (0, Some(k)) => k.get_str("obj")?,
            (0, None) => None,
            _ => Some(args.get(0)),
        };
        let Some(o) = o else {
            return raise!(TypeError, "_iterencode() missing required argument 'obj' (pos 1)");
        };
        let mut b = StrBuilder::new();
        self.object(&o, &mut b)?;
        (b.finish(),).into_py()
    }
    #[getter]
    fn markers(&self) -> Owned<Object> {
        self.markers.clone()
    }
    #[getter]
    fn default(&self) -> Owned<Object> {
        self.default.clone()
    }
    #[getter]
    fn encoder(&self) -> Owned<Object> {
        self.encoder.clone()
    }
    #[getter]
    fn indent(&self) -> Owned<Object> {
        self.indent.clone()
    }
    #[getter]
    fn key_separator(&self) -> Owned<Str> {
        self.key_separator.clone()
    }
    #[getter]
    fn item_separator(&self) -> Owned<Str> {
        self.item_separator.clone()
    }
    #[getter]
    fn sort_keys(&self) -> bool {
        self.sort_keys
    }
    #[getter]
    fn skipkeys(&self) -> bool {
        self.skipkeys
    }
}

fn setup(m: &Module) -> PyResult<()> {
    m.add("make_scanner", ready::<Scanner>()?)?;
    m.add("make_encoder", ready::<Encoder>()?)
}
module! { "_json", functions: [scanstring, encode_basestring_ascii, encode_basestring], init: setup }
