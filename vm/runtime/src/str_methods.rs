//! The type `str`: its constructor, slots, methods and iterator.

use crate::convert::*;
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::str_search as search;
use crate::strobject::{StrBuilder, Text, Unit, clip};
use crate::type_table::*;
use crate::unicode::{self, Case};
use crate::{kind, pymethods, raise, with_text};
use lh_abi::*;

/// A slice bound argument: missing and `None` are `default`.
pub fn bound(o: Option<&Object>, default: isize) -> PyResult<isize> {
    match o {
        None => Ok(default),
        Some(o) if o.is_none() => Ok(default),
        Some(o) => {
            if let Some(i) = o.downcast_exact::<Int>()
                && let Some(v) = i.to_i64()
            {
                return Ok(v as isize);
            }
            if !has_index(o) {
                return raise!(
                    TypeError,
                    "slice indices must be integers or None or have an __index__ method"
                );
            }
            crate::number::as_isize(o, None)
        }
    }
}

/// Does the type have `nb_index`?
pub fn has_index(o: &Object) -> bool {
    // SAFETY: a live object has a live type.
    unsafe {
        let n = (*o.ob_type()).tp_as_number;
        !n.is_null() && (*n).nb_index.is_some()
    }
}

fn name_of(o: &Object, n: usize) -> String {
    clip(&o.ty().name(), n).to_string()
}

/// The argument of `find` and its like, with the range already clipped.
struct Range {
    start: usize,
    end: usize,
    /// The range ends before it starts.
    empty: bool,
}
fn range(len: usize, start: Option<&Object>, end: Option<&Object>) -> PyResult<Range> {
    let (s, e) = (bound(start, 0)?, bound(end, isize::MAX)?);
    let (s, e) = search::adjust(s, e, len);
    Ok(Range { start: s.min(e) as usize, end: e as usize, empty: s > e })
}

fn must_be_str(o: &Object) -> PyResult<&Str> {
    match o.downcast::<Str>() {
        Some(s) => Ok(s),
        None => raise!(TypeError, "must be str, not {}", name_of(o, 100)),
    }
}

/// A fill character argument: one character.
struct FillChar(u32);
impl<'a> FromPy<'a> for FillChar {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        match o.downcast::<Str>() {
            None => {
                raise!(TypeError, "The fill character must be a unicode character, not {}", name_of(o, 100))
            }
            Some(s) if s.len() != 1 => {
                raise!(TypeError, "The fill character must be exactly one character long")
            }
            Some(s) => Ok(FillChar(s.char_at(0))),
        }
    }
}

fn padded(s: &Str, left: usize, right: usize, fill: u32) -> PyResult<Owned<Str>> {
    if left == 0 && right == 0 {
        return Ok(s.to_exact());
    }
    let Some(n) =
        s.len().checked_add(left).and_then(|n| n.checked_add(right)).filter(|n| *n < isize::MAX as usize / 4)
    else {
        return raise!(OverflowError, "padded string is too long");
    };
    if let (Some(a), 0..0x80) = (s.as_ascii(), fill) {
        return Ok(Str::fill_ascii(n, |out| {
            let (before, rest) = out.split_at_mut(left);
            let (text, after) = rest.split_at_mut(a.len());
            before.fill(fill as u8);
            text.copy_from_slice(a.as_bytes());
            after.fill(fill as u8);
        }));
    }
    let max = s.bound().max(fill);
    let p = crate::strobject::try_alloc(n, max)?;
    let k = crate::strobject::kind_for(max);
    let unit = [fill];
    // SAFETY: allocated for the three parts in this width.
    unsafe {
        let mut d = crate::strobject::raw_data(p);
        for i in 0..left + right {
            if i == left {
                crate::strobject::copy_text(d, k, s.text());
                d = d.add(s.len() * k as usize);
            }
            crate::strobject::copy_text(d, k, Text::U4(&unit));
            d = d.add(k as usize);
        }
        if right == 0 {
            crate::strobject::copy_text(d, k, s.text());
        }
        Ok(Owned::from_raw(p))
    }
}

/// Do all characters have one of the flags (and is there any)?
fn all_have(s: &Str, flags: u32) -> bool {
    !s.is_empty() && with_text!(s.text(), t => t.iter().all(|c| unicode::has(c.code(), flags)))
}

/// Is the capital sigma at `i` at the end of a word?
fn final_sigma(t: Text<'_>, i: usize) -> bool {
    fn cased(mut it: impl Iterator<Item = u32>) -> bool {
        it.find(|c| !unicode::has(*c, unicode::CASE_IGNORABLE))
            .is_some_and(|c| unicode::has(c, unicode::CASED))
    }
    cased(t.slice(0, i).iter().rev()) && !cased(t.slice(i + 1, t.len()).iter())
}

fn push_lower(t: Text<'_>, i: usize, b: &mut StrBuilder) {
    let c = t.at(i);
    if c == 0x3a3 {
        b.push(if final_sigma(t, i) { 0x3c2 } else { 0x3c3 });
    } else {
        unicode::map_case(c, Case::Lower, |c| b.push(c));
    }
}

fn ascii_map(s: &str, f: impl Fn(u8) -> u8) -> Owned<Str> {
    Str::fill_ascii(s.len(), |out| out.iter_mut().zip(s.bytes()).for_each(|(to, c)| *to = f(c)))
}

/// `str.lower`.
pub fn lower(s: &Str) -> Owned<Str> {
    if let Some(a) = s.as_ascii() {
        return ascii_map(a, |c| c.to_ascii_lowercase());
    }
    let t = s.text();
    let mut b = StrBuilder::with_capacity(t.len());
    (0..t.len()).for_each(|i| push_lower(t, i, &mut b));
    b.finish()
}

fn map_all(s: &Str, case: Case) -> Owned<Str> {
    let mut b = StrBuilder::with_capacity(s.len());
    with_text!(s.text(), u => for c in u {
        match c.code() {
            c @ 0..=0x7f => b.push(match case {
                Case::Lower | Case::Fold => (c as u8).to_ascii_lowercase(),
                _ => (c as u8).to_ascii_uppercase(),
            } as u32),
            c => unicode::map_case(c, case, |c| b.push(c)),
        }
    });
    b.finish()
}

fn title(s: &Str) -> Owned<Str> {
    if let Some(a) = s.as_ascii() {
        let mut after_letter = false;
        let v: Vec<u8> = a
            .bytes()
            .map(|c| {
                let c = if after_letter { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
                after_letter = c.is_ascii_alphabetic();
                c
            })
            .collect();
        return Str::from_ascii(&v);
    }
    let t = s.text();
    let mut b = StrBuilder::with_capacity(t.len());
    let mut after_cased = false;
    for i in 0..t.len() {
        if after_cased {
            push_lower(t, i, &mut b);
        } else {
            unicode::map_case(t.at(i), Case::Title, |c| b.push(c));
        }
        after_cased = unicode::has(t.at(i), unicode::CASED);
    }
    b.finish()
}

/// `str.isidentifier`.
pub fn is_identifier(s: &Str) -> bool {
    if let Some(a) = s.as_ascii() {
        let mut b = a.bytes();
        return b.next().is_some_and(|c| c == b'_' || c.is_ascii_alphabetic())
            && b.all(|c| c == b'_' || c.is_ascii_alphanumeric());
    }
    let mut it = s.chars();
    it.next().is_some_and(|c| c == '_' as u32 || unicode::has(c, unicode::XID_START))
        && it.all(|c| unicode::has(c, unicode::XID_CONTINUE))
}

#[derive(Clone, Copy, PartialEq)]
pub enum Side {
    Left,
    Right,
    Both,
}

fn strip(s: &Str, chars: Option<&Object>, side: Side, name: &str) -> PyResult<Owned<Str>> {
    let t = s.text();
    let (mut a, mut b) = (0, t.len());
    match chars.filter(|o| !o.is_none()) {
        None => {
            while side != Side::Right && a < b && unicode::is_space(t.at(a)) {
                a += 1;
            }
            while side != Side::Left && a < b && unicode::is_space(t.at(b - 1)) {
                b -= 1;
            }
        }
        Some(o) => {
            let Some(set) = o.downcast::<Str>() else {
                return raise!(TypeError, "{} arg must be None or str", name);
            };
            let set = set.text();
            let has = |c| search::find_char(set, c).is_some();
            while side != Side::Right && a < b && has(t.at(a)) {
                a += 1;
            }
            while side != Side::Left && a < b && has(t.at(b - 1)) {
                b -= 1;
            }
        }
    }
    Ok(s.slice(a, b))
}

/// `str.split` at runs of white space; at most `max` splits.
pub fn split_space(s: &Str, max: usize) -> Vec<Owned<Object>> {
    let mut out = vec![];
    if let Some(a) = s.as_ascii() {
        // White space of ASCII: 9 to 13, 28 to 32.
        const SPACE: [bool; 256] = {
            let mut t = [false; 256];
            let mut i = 9;
            while i < 33 {
                t[i] = i < 14 || i > 27;
                i += 1;
            }
            t
        };
        let a = a.as_bytes();
        let (mut i, n) = (0, a.len());
        out.reserve((n / 8).min(12));
        loop {
            while i < n && SPACE[a[i] as usize] {
                i += 1;
            }
            if i == n {
                return out;
            }
            if out.len() == max {
                out.push(s.slice(i, n).into_object());
                return out;
            }
            let start = i;
            while i < n && !SPACE[a[i] as usize] {
                i += 1;
            }
            if start == 0 && i == n && s.is_exact::<Str>() {
                out.push(s.own().into_object());
                return out;
            }
            out.push(Str::from_ascii(&a[start..i]).into_object());
        }
    }
    let t = s.text();
    let n = t.len();
    let mut i = 0;
    loop {
        while i < n && unicode::is_space(t.at(i)) {
            i += 1;
        }
        if i == n {
            return out;
        }
        if out.len() == max {
            out.push(s.slice(i, n).into_object());
            return out;
        }
        let start = i;
        while i < n && !unicode::is_space(t.at(i)) {
            i += 1;
        }
        out.push(s.slice(start, i).into_object());
    }
}

fn rsplit_space(s: &Str, max: usize) -> Vec<Owned<Object>> {
    let mut out = vec![];
    let t = s.text();
    let mut i = t.len();
    loop {
        while i > 0 && unicode::is_space(t.at(i - 1)) {
            i -= 1;
        }
        if i == 0 {
            break;
        }
        if out.len() == max {
            out.push(s.slice(0, i).into_object());
            break;
        }
        let end = i;
        while i > 0 && !unicode::is_space(t.at(i - 1)) {
            i -= 1;
        }
        out.push(s.slice(i, end).into_object());
    }
    out.reverse();
    out
}

/// `str.split(sep, max)`, `sep` not empty.
pub fn split_by(s: &Str, sep: &Str, max: usize) -> Vec<Owned<Object>> {
    if let (Some(a), Some([c])) = (s.as_ascii(), sep.as_ascii().map(str::as_bytes)) {
        let mut out = Vec::with_capacity(8);
        let mut at = 0;
        for i in memchr::memchr_iter(*c, a.as_bytes()).take(max) {
            out.push(Str::from_ascii(&a.as_bytes()[at..i]).into_object());
            at = i + 1;
        }
        out.push(s.slice(at, s.len()).into_object());
        return out;
    }
    let hits = search::find_all(s.text(), sep.text(), max);
    let mut out = Vec::with_capacity(hits.len() + 1);
    let mut at = 0;
    for i in hits {
        out.push(s.slice(at, i).into_object());
        at = i + sep.len();
    }
    out.push(s.slice(at, s.len()).into_object());
    out
}

fn rsplit_by(s: &Str, sep: &Str, max: usize) -> Vec<Owned<Object>> {
    let mut out = vec![];
    let mut end = s.len();
    while out.len() < max
        && let Some(i) = search::rfind(s.text().slice(0, end), sep.text())
    {
        out.push(s.slice(i + sep.len(), end).into_object());
        end = i;
    }
    out.push(s.slice(0, end).into_object());
    out.reverse();
    out
}

pub fn split_lines(s: &Str, keep: bool) -> Vec<Owned<Object>> {
    let mut out = vec![];
    let t = s.text();
    let n = t.len();
    if let Some(a) = s.as_ascii().map(str::as_bytes)
        && !a.iter().any(|c| matches!(c, 11..=13 | 28..=30))
    {
        // No ends but newlines.
        let mut start = 0;
        for i in memchr::memchr_iter(b'\n', a) {
            out.push(s.slice(start, i + keep as usize).into_object());
            start = i + 1;
        }
        if start < n {
            out.push(s.slice(start, n).into_object());
        }
        return out;
    }
    let mut i = 0;
    while i < n {
        let start = i;
        while i < n && !unicode::is_line_break(t.at(i)) {
            i += 1;
        }
        let mut end = i;
        if i < n {
            i += if t.at(i) == 13 && i + 1 < n && t.at(i + 1) == 10 { 2 } else { 1 };
            if keep {
                end = i;
            }
        }
        out.push(s.slice(start, end).into_object());
    }
    out
}

fn separator(sep: Option<&Object>) -> PyResult<Option<&Str>> {
    match sep.filter(|o| !o.is_none()) {
        None => Ok(None),
        Some(o) => {
            let Some(s) = o.downcast::<Str>() else {
                return raise!(TypeError, "must be str or None, not {}", name_of(o, 100));
            };
            if s.is_empty() { raise!(ValueError, "empty separator") } else { Ok(Some(s)) }
        }
    }
}

fn limit(n: isize) -> usize {
    if n < 0 { usize::MAX } else { n as usize }
}

/// What `repr` does with an ASCII character: 0 nothing, 1 an escape, 2 and 3 for the two quotes.
static REPR_CLASS: [u8; 128] = {
    let mut t = [0; 128];
    let mut i = 0;
    while i < 128 {
        t[i] = match i as u8 {
            b'\'' => 2,
            b'"' => 3,
            32..=91 | 93..=126 => 0,
            _ => 1,
        };
        i += 1;
    }
    t
};

/// `repr(str)`.
pub fn repr(s: &Str) -> Owned<Str> {
    let t = s.text();
    if let Some(a) = s.as_ascii() {
        let a = a.as_bytes();
        if a.iter().all(|c| REPR_CLASS[*c as usize & 127] == 0) {
            return Str::fill_ascii(a.len() + 2, |out| {
                out[0] = b'\'';
                out[1..=a.len()].copy_from_slice(a);
                out[a.len() + 1] = b'\'';
            });
        }
    }
    let single = search::find_char(t, '\'' as u32).is_some();
    let double = single && search::find_char(t, '"' as u32).is_some();
    let quote = if single && !double { '"' as u32 } else { '\'' as u32 };
    let mut b = StrBuilder::with_capacity(t.len() + 2);
    b.push(quote);
    // Runs of what stands for itself are copied whole.
    let plain = |c: u32| match c {
        0..=0x7f => REPR_CLASS[c as usize] != 1 && c != quote,
        c => unicode::is_printable(c),
    };
    let (n, mut i) = (t.len(), 0);
    while i < n {
        let end = (i..n).find(|k| !plain(t.at(*k))).unwrap_or(n);
        b.push_slice(s, i, end);
        if end < n {
            push_escaped(&mut b, t.at(end), quote);
        }
        i = end + 1;
    }
    b.push(quote);
    b.finish()
}

fn push_escaped(b: &mut StrBuilder, c: u32, quote: u32) {
    use std::fmt::Write;
    let _ = match c {
        92 => write!(b, "\\\\"),
        9 => write!(b, "\\t"),
        10 => write!(b, "\\n"),
        13 => write!(b, "\\r"),
        c if c == quote => write!(b, "\\{}", c as u8 as char),
        c if unicode::is_printable(c) => {
            b.push(c);
            Ok(())
        }
        0..=0xff => write!(b, "\\x{c:02x}"),
        0x100..=0xffff => write!(b, "\\u{c:04x}"),
        _ => write!(b, "\\U{c:08x}"),
    };
}

/// `ascii(o)` of a repr: non-ASCII characters as escapes.
pub fn to_ascii_escapes(s: &Str) -> Owned<Str> {
    if s.is_ascii() {
        return s.to_exact();
    }
    let mut out = Vec::with_capacity(s.len() * 2);
    with_text!(s.text(), u => for c in u {
        let c = c.code();
        let (letter, digits) = match c {
            0..=0x7f => {
                out.push(c as u8);
                continue;
            }
            0x80..=0xff => (b'x', 2),
            0x100..=0xffff => (b'u', 4),
            _ => (b'U', 8),
        };
        out.extend_from_slice(&[b'\\', letter]);
        out.extend((0..digits).rev().map(|i| b"0123456789abcdef"[(c >> (4 * i)) as usize & 15]));
    });
    Str::from_ascii(&out)
}

/// `str.startswith` and `endswith`.
fn tail_match(
    s: &Str,
    sub: &Object,
    start: Option<&Object>,
    end: Option<&Object>,
    at_end: bool,
) -> PyResult<bool> {
    let name = if at_end { "endswith" } else { "startswith" };
    let r = range(s.len(), start, end)?;
    let one = |p: &Str| {
        if r.empty || p.len() > r.end - r.start {
            return false;
        }
        let from = if at_end { r.end - p.len() } else { r.start };
        let part = s.text().slice(from, from + p.len());
        match (part, p.text()) {
            (Text::U1(a), Text::U1(b)) => a == b,
            (a, b) => a.iter().eq(b.iter()),
        }
    };
    if let Some(t) = sub.downcast::<Tuple>() {
        for o in t.iter() {
            match o.downcast::<Str>() {
                None => {
                    return raise!(
                        TypeError,
                        "tuple for {} must only contain str, not {}",
                        name,
                        name_of(o, 100)
                    );
                }
                Some(p) if one(p) => return Ok(true),
                Some(_) => {}
            }
        }
        return Ok(false);
    }
    match sub.downcast::<Str>() {
        Some(p) => Ok(one(p)),
        None => {
            raise!(TypeError, "{} first arg must be str or a tuple of str, not {}", name, name_of(sub, 100))
        }
    }
}

/// The result of looking a character up in a `translate` table.
enum Translated {
    Delete,
    Keep,
    Char(u32),
    Text(Owned<Str>),
}

fn translate_one(table: &Object, c: u32) -> PyResult<Translated> {
    let key = Int::from_i64(c as i64);
    let found = match table.downcast_exact::<Dict>() {
        // A missing key needs no exception.
        Some(d) => match d.get_item(&key) {
            Ok(Some(v)) => Ok(v),
            Ok(None) => return Ok(Translated::Keep),
            Err(e) => Err(e),
        },
        None => table.get_item(&key),
    };
    let r = match found {
        Ok(r) => r,
        Err(e) if e.matches(crate::exceptions::exc::LookupError()) => {
            e.clear();
            return Ok(Translated::Keep);
        }
        Err(e) => return Err(e),
    };
    if r.is_none() {
        return Ok(Translated::Delete);
    }
    if let Some(i) = r.downcast::<Int>() {
        return match i.to_i64() {
            Some(v) if (0..=0x10ffff).contains(&v) => Ok(Translated::Char(v as u32)),
            _ => raise!(ValueError, "character mapping must be in range(0x110000)"),
        };
    }
    match r.downcast_owned::<Str>() {
        Ok(s) => Ok(Translated::Text(s)),
        Err(_) => raise!(TypeError, "character mapping must return integer, None or str"),
    }
}

#[pymethods(parts(formatting), extra = finish_type)]
impl Str {
    #[slot(tp_dealloc)]
    unsafe fn slot_dealloc(p: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe { crate::strobject::dealloc(p) }
    }
    #[new(signature = "(object=<unrepresentable>, encoding=<unrepresentable>, errors=<unrepresentable>)")]
    fn py_new(
        cls: &Type,
        object: Option<&Object>,
        encoding: Option<&str>,
        errors: Option<&str>,
    ) -> PyResult<Owned<Str>> {
        let s = match object {
            None => Str::empty().own(),
            Some(o) if encoding.is_none() && errors.is_none() => o.str()?,
            Some(o) => from_encoded_object(o, encoding, errors)?,
        };
        if cls.is(Str::class()) { Ok(s) } else { s.in_subclass(cls) }
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> Owned<Str> {
        repr(self)
    }
    #[slot(tp_str)]
    fn py_str(&self) -> Owned<Str> {
        self.to_exact()
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        Ok(self.hash())
    }
    #[slot(tp_richcompare)]
    fn py_compare(&self, other: &Object, op: CompareOp) -> Owned<Object> {
        let Some(o) = other.downcast::<Str>() else { return not_implemented() };
        match op {
            CompareOp::Eq => bool_obj(self.equals(o)),
            CompareOp::Ne => bool_obj(!self.equals(o)),
            _ => bool_obj(op.holds(self.cmp(o))),
        }
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> PyResult<Owned<StrIter>> {
        StrIter::new(self)
    }
    #[slot(sq_length)]
    fn py_sq_len(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot(mp_length)]
    fn py_len(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot(sq_concat)]
    fn py_concat(&self, other: &Object) -> PyResult<Owned<Str>> {
        match other.downcast::<Str>() {
            Some(o) => self.concat(o),
            None => raise!(TypeError, "can only concatenate str (not \"{}\") to str", name_of(other, 200)),
        }
    }
    #[slot(sq_repeat)]
    fn py_repeat(&self, n: isize) -> PyResult<Owned<Str>> {
        self.repeat(n)
    }
    #[slot(sq_item)]
    fn py_item(&self, i: isize) -> PyResult<Owned<Str>> {
        if i < 0 || i as usize >= self.len() {
            return raise!(IndexError, "string index out of range");
        }
        Ok(Str::from_char(self.char_at(i as usize)))
    }
    #[slot(sq_contains)]
    fn py_contains(&self, item: &Object) -> PyResult<bool> {
        match item.downcast::<Str>() {
            Some(n) => Ok(n.is_empty() || search::find(self.text(), n.text()).is_some()),
            None => {
                raise!(TypeError, "'in <string>' requires string as left operand, not {}", name_of(item, 100))
            }
        }
    }
    #[slot(mp_subscript)]
    fn py_subscript(&self, key: &Object) -> PyResult<Owned<Str>> {
        if let Some(i) = key.downcast_exact::<Int>().and_then(|i| i.to_i64()) {
            let n = self.len() as i64;
            let i = if i < 0 { i + n } else { i };
            return self.py_item(i as isize);
        }
        if let Some(sl) = key.downcast::<Slice>() {
            let (start, _, step, count) = sl.indices(self.len())?;
            return Ok(self.slice_step(start, step, count));
        }
        if has_index(key) {
            let i = crate::number::as_isize(key, Some(crate::exceptions::exc::IndexError()))?;
            return self.py_item(if i < 0 { i + self.len() as isize } else { i });
        }
        raise!(TypeError, "string indices must be integers, not '{}'", name_of(key, 200))
    }
    #[pymethod]
    fn __getnewargs__(&self) -> (Owned<Str>,) {
        (Str::from_text(self.text()),)
    }
    /// Return the size of the string in memory, in bytes.
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        let k = self.kind() as usize;
        let mut n = (self.len() + 1) * k;
        n += if !self.is_exact::<Str>() {
            crate::strobject::LEGACY_SIZE
        } else if self.is_ascii() {
            size_of::<PyASCIIObject>()
        } else {
            size_of::<PyCompactUnicodeObject>()
        };
        n
    }

    // ---- Case ----

    /// Return a version with the first character in title case and the rest in lower case.
    #[pymethod]
    fn capitalize(&self) -> Owned<Str> {
        let t = self.text();
        let mut b = StrBuilder::with_capacity(t.len());
        if t.len() > 0 {
            unicode::map_case(t.at(0), Case::Title, |c| b.push(c));
            (1..t.len()).for_each(|i| push_lower(t, i, &mut b));
        }
        b.finish()
    }
    /// Return a version suitable for caseless comparisons.
    #[pymethod]
    fn casefold(&self) -> Owned<Str> {
        match self.as_ascii() {
            Some(a) => ascii_map(a, |c| c.to_ascii_lowercase()),
            None => map_all(self, Case::Fold),
        }
    }
    /// Return a copy converted to lower case.
    #[pymethod]
    fn lower(&self) -> Owned<Str> {
        lower(self)
    }
    /// Return a copy converted to upper case.
    #[pymethod]
    fn upper(&self) -> Owned<Str> {
        match self.as_ascii() {
            Some(a) => ascii_map(a, |c| c.to_ascii_uppercase()),
            None => map_all(self, Case::Upper),
        }
    }
    /// Return a version in which words start in title case and go on in lower case.
    #[pymethod]
    fn title(&self) -> Owned<Str> {
        title(self)
    }
    /// Return a copy with upper case converted to lower case and the other way round.
    #[pymethod]
    fn swapcase(&self) -> Owned<Str> {
        let t = self.text();
        let mut b = StrBuilder::with_capacity(t.len());
        for i in 0..t.len() {
            let f = unicode::flags(t.at(i));
            if f & unicode::UPPER != 0 {
                push_lower(t, i, &mut b);
            } else if f & unicode::LOWER != 0 {
                unicode::map_case(t.at(i), Case::Upper, |c| b.push(c));
            } else {
                b.push(t.at(i));
            }
        }
        b.finish()
    }

    // ---- Classes of characters ----

    /// Return True if all characters are alphanumeric and there is at least one.
    #[pymethod]
    fn isalnum(&self) -> bool {
        all_have(self, unicode::ALPHA | unicode::DECIMAL | unicode::DIGIT | unicode::NUMERIC_FLAG)
    }
    /// Return True if all characters are letters and there is at least one.
    #[pymethod]
    fn isalpha(&self) -> bool {
        all_have(self, unicode::ALPHA)
    }
    /// Return True if all characters are ASCII (or there is none).
    #[pymethod]
    fn isascii(&self) -> bool {
        self.bound() < 0x80
    }
    /// Return True if all characters are decimal digits and there is at least one.
    #[pymethod]
    fn isdecimal(&self) -> bool {
        all_have(self, unicode::DECIMAL)
    }
    /// Return True if all characters are digits and there is at least one.
    #[pymethod]
    fn isdigit(&self) -> bool {
        all_have(self, unicode::DIGIT)
    }
    /// Return True if the string is a valid identifier (possibly a keyword).
    #[pymethod]
    fn isidentifier(&self) -> bool {
        is_identifier(self)
    }
    /// Return True if there are cased characters and all of them are lower case.
    #[pymethod]
    fn islower(&self) -> bool {
        let mut any = false;
        for c in self.chars() {
            let f = unicode::flags(c);
            if f & (unicode::UPPER | unicode::TITLE) != 0 {
                return false;
            }
            any |= f & unicode::LOWER != 0;
        }
        any
    }
    /// Return True if there are cased characters and all of them are upper case.
    #[pymethod]
    fn isupper(&self) -> bool {
        let mut any = false;
        for c in self.chars() {
            let f = unicode::flags(c);
            if f & (unicode::LOWER | unicode::TITLE) != 0 {
                return false;
            }
            any |= f & unicode::UPPER != 0;
        }
        any
    }
    /// Return True if all characters are numeric and there is at least one.
    #[pymethod]
    fn isnumeric(&self) -> bool {
        all_have(self, unicode::NUMERIC_FLAG)
    }
    /// Return True if repr() would show all characters as they are.
    #[pymethod]
    fn isprintable(&self) -> bool {
        self.chars().all(unicode::is_printable)
    }
    /// Return True if all characters are white space and there is at least one.
    #[pymethod]
    fn isspace(&self) -> bool {
        !self.is_empty() && self.chars().all(unicode::is_space)
    }
    /// Return True if words start in upper or title case and go on in lower case.
    #[pymethod]
    fn istitle(&self) -> bool {
        let (mut any, mut after_cased) = (false, false);
        for c in self.chars() {
            let f = unicode::flags(c);
            if f & (unicode::UPPER | unicode::TITLE) != 0 {
                if after_cased {
                    return false;
                }
                (any, after_cased) = (true, true);
            } else if f & unicode::LOWER != 0 {
                if !after_cased {
                    return false;
                }
                any = true;
            } else {
                after_cased = false;
            }
        }
        any
    }

    // ---- Searching ----

    /// Return the number of non-overlapping occurrences of sub in self[start:end].
    #[pymethod(parse_tuple)]
    fn count(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>) -> PyResult<usize> {
        let sub = must_be_str(sub)?;
        let r = range(self.len(), start, end)?;
        Ok(if r.empty { 0 } else { search::count(self.text().slice(r.start, r.end), sub.text()) })
    }
    /// Return the lowest index in self[start:end] where sub is found, -1 if it is not.
    #[pymethod(parse_tuple)]
    fn find(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>) -> PyResult<isize> {
        let sub = must_be_str(sub)?;
        let r = range(self.len(), start, end)?;
        if r.empty {
            return Ok(-1);
        }
        Ok(search::find(self.text().slice(r.start, r.end), sub.text()).map_or(-1, |i| (i + r.start) as isize))
    }
    /// Return the highest index in self[start:end] where sub is found, -1 if it is not.
    #[pymethod(parse_tuple)]
    fn rfind(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>) -> PyResult<isize> {
        let sub = must_be_str(sub)?;
        let r = range(self.len(), start, end)?;
        if r.empty {
            return Ok(-1);
        }
        Ok(search::rfind(self.text().slice(r.start, r.end), sub.text())
            .map_or(-1, |i| (i + r.start) as isize))
    }
    /// Like find(), but raise ValueError when sub is not found.
    #[pymethod(parse_tuple)]
    fn index(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>) -> PyResult<isize> {
        match self.find(sub, start, end)? {
            -1 => raise!(ValueError, "substring not found"),
            i => Ok(i),
        }
    }
    /// Like rfind(), but raise ValueError when sub is not found.
    #[pymethod(parse_tuple)]
    fn rindex(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>) -> PyResult<isize> {
        match self.rfind(sub, start, end)? {
            -1 => raise!(ValueError, "substring not found"),
            i => Ok(i),
        }
    }
    /// Return True if self[start:end] starts with the prefix (or one of a tuple of them).
    #[pymethod(parse_tuple)]
    fn startswith(&self, prefix: &Object, start: Option<&Object>, end: Option<&Object>) -> PyResult<bool> {
        tail_match(self, prefix, start, end, false)
    }
    /// Return True if self[start:end] ends with the suffix (or one of a tuple of them).
    #[pymethod(parse_tuple)]
    fn endswith(&self, suffix: &Object, start: Option<&Object>, end: Option<&Object>) -> PyResult<bool> {
        tail_match(self, suffix, start, end, true)
    }

    // ---- Taking apart and putting together ----

    /// Concatenate any number of strings, with this string between them.
    #[pymethod(name = "join", signature = "(iterable, /)")]
    fn py_join(&self, iterable: &Object) -> PyResult<Owned<Str>> {
        self.join(iterable)
    }
    /// Return a list of the words in the string, with sep (default: runs of white space) as the delimiter.
    #[pymethod(signature = "(sep=None, maxsplit=-1)")]
    fn split(&self, sep: Option<&Object>, maxsplit: isize) -> PyResult<Vec<Owned<Object>>> {
        Ok(match separator(sep)? {
            None => split_space(self, limit(maxsplit)),
            Some(sep) => split_by(self, sep, limit(maxsplit)),
        })
    }
    /// Like split(), but splitting from the right.
    #[pymethod(signature = "(sep=None, maxsplit=-1)")]
    fn rsplit(&self, sep: Option<&Object>, maxsplit: isize) -> PyResult<Vec<Owned<Object>>> {
        Ok(match separator(sep)? {
            None => rsplit_space(self, limit(maxsplit)),
            Some(sep) => rsplit_by(self, sep, limit(maxsplit)),
        })
    }
    /// Return a list of the lines in the string; line ends are kept only if keepends is true.
    #[pymethod(signature = "(keepends=False)")]
    fn splitlines(&self, keepends: bool) -> Vec<Owned<Object>> {
        split_lines(self, keepends)
    }
    /// Return the part before the first sep, sep, and the part after it.
    #[pymethod(signature = "(sep, /)")]
    fn partition(&self, sep: &Object) -> PyResult<(Owned<Str>, Owned<Str>, Owned<Str>)> {
        let sep = must_be_str(sep)?;
        if sep.is_empty() {
            return raise!(ValueError, "empty separator");
        }
        let e = || Str::empty().own();
        Ok(match search::find(self.text(), sep.text()) {
            Some(i) => (self.slice(0, i), sep.own(), self.slice(i + sep.len(), self.len())),
            None => (self.to_exact(), e(), e()),
        })
    }
    /// Return the part before the last sep, sep, and the part after it.
    #[pymethod(signature = "(sep, /)")]
    fn rpartition(&self, sep: &Object) -> PyResult<(Owned<Str>, Owned<Str>, Owned<Str>)> {
        let sep = must_be_str(sep)?;
        if sep.is_empty() {
            return raise!(ValueError, "empty separator");
        }
        let e = || Str::empty().own();
        Ok(match search::rfind(self.text(), sep.text()) {
            Some(i) => (self.slice(0, i), sep.own(), self.slice(i + sep.len(), self.len())),
            None => (e(), e(), self.to_exact()),
        })
    }
    /// Return a copy with leading and trailing white space (or the given characters) removed.
    #[pymethod(signature = "(chars=None, /)")]
    fn strip(&self, chars: Option<&Object>) -> PyResult<Owned<Str>> {
        strip(self, chars, Side::Both, "strip")
    }
    /// Return a copy with leading white space (or the given characters) removed.
    #[pymethod(signature = "(chars=None, /)")]
    fn lstrip(&self, chars: Option<&Object>) -> PyResult<Owned<Str>> {
        strip(self, chars, Side::Left, "lstrip")
    }
    /// Return a copy with trailing white space (or the given characters) removed.
    #[pymethod(signature = "(chars=None, /)")]
    fn rstrip(&self, chars: Option<&Object>) -> PyResult<Owned<Str>> {
        strip(self, chars, Side::Right, "rstrip")
    }
    /// Return the string without the prefix, if it starts with it.
    #[pymethod(signature = "(prefix, /)")]
    fn removeprefix(&self, prefix: &Str) -> PyResult<Owned<Str>> {
        Ok(if tail_match(self, prefix, None, None, false)? {
            self.slice(prefix.len(), self.len())
        } else {
            self.to_exact()
        })
    }
    /// Return the string without the suffix, if it ends with it.
    #[pymethod(signature = "(suffix, /)")]
    fn removesuffix(&self, suffix: &Str) -> PyResult<Owned<Str>> {
        Ok(if !suffix.is_empty() && tail_match(self, suffix, None, None, true)? {
            self.slice(0, self.len() - suffix.len())
        } else {
            self.to_exact()
        })
    }
    /// Return a copy with occurrences of old replaced by new, at most count of them unless it is negative.
    #[pymethod(name = "replace", signature = "(old, new, count=-1, /)")]
    fn py_replace(&self, old: &Str, new: &Str, count: isize) -> Owned<Str> {
        search::replace(self, old, new, limit(count))
    }

    // ---- Padding ----

    /// Return a centred string of the given width.
    #[pymethod(signature = "(width, fillchar=' ', /)")]
    fn center(&self, width: isize, fillchar: Option<FillChar>) -> PyResult<Owned<Str>> {
        let pad = (width - self.len() as isize).max(0) as usize;
        let left = pad / 2 + (pad & width as usize & 1);
        padded(self, left, pad - left, fillchar.map_or(32, |c| c.0))
    }
    /// Return a left-justified string of the given width.
    #[pymethod(signature = "(width, fillchar=' ', /)")]
    fn ljust(&self, width: isize, fillchar: Option<FillChar>) -> PyResult<Owned<Str>> {
        padded(self, 0, (width - self.len() as isize).max(0) as usize, fillchar.map_or(32, |c| c.0))
    }
    /// Return a right-justified string of the given width.
    #[pymethod(signature = "(width, fillchar=' ', /)")]
    fn rjust(&self, width: isize, fillchar: Option<FillChar>) -> PyResult<Owned<Str>> {
        padded(self, (width - self.len() as isize).max(0) as usize, 0, fillchar.map_or(32, |c| c.0))
    }
    /// Pad with zeros on the left, behind a sign.
    #[pymethod(signature = "(width, /)")]
    fn zfill(&self, width: isize) -> PyResult<Owned<Str>> {
        let pad = (width - self.len() as isize).max(0) as usize;
        if pad == 0 {
            return Ok(self.to_exact());
        }
        let signed = !self.is_empty() && matches!(self.char_at(0), 43 | 45);
        let s = padded(self, pad, 0, '0' as u32)?;
        if !signed {
            return Ok(s);
        }
        let mut b = StrBuilder::with_capacity(s.len());
        b.push(self.char_at(0));
        b.push_n('0' as u32, pad);
        b.push_slice(self, 1, self.len());
        Ok(b.finish())
    }
    /// Return a copy where tabs are replaced by spaces up to the next multiple of tabsize.
    #[pymethod(signature = "(tabsize=8)")]
    fn expandtabs(&self, tabsize: i32) -> PyResult<Owned<Str>> {
        if search::find_char(self.text(), 9).is_none() {
            return Ok(self.to_exact());
        }
        let mut b = StrBuilder::with_capacity(self.len());
        let mut column = 0usize;
        for c in self.chars() {
            if c == 9 {
                if tabsize > 0 {
                    let n = tabsize as usize - column % tabsize as usize;
                    if b.len().saturating_add(n) > isize::MAX as usize / 8 {
                        return raise!(OverflowError, "new string is too long");
                    }
                    b.push_n(32, n);
                    column += n;
                }
            } else {
                b.push(c);
                column = if c == 10 || c == 13 { 0 } else { column + 1 };
            }
        }
        Ok(b.finish())
    }

    // ---- Translating and encoding ----

    /// Encode the string with the named codec.
    #[pymethod(signature = "(encoding='utf-8', errors='strict')")]
    fn encode(&self, encoding: &str, errors: &str) -> PyResult<Owned<Object>> {
        crate::codecs::encode_to_bytes(self, encoding, errors)
    }
    /// Replace each character by what the table has for its code point: a code point, a string, or None to delete it.
    #[pymethod(signature = "(table, /)")]
    fn translate(&self, table: &Object) -> PyResult<Owned<Str>> {
        let mut b = StrBuilder::with_capacity(self.len());
        // Answers for ASCII characters of an exact dict cannot change while we look.
        let cacheable = table.is_exact::<Dict>();
        let mut cache: [Option<u8>; 128] = [None; 128];
        for c in self.chars() {
            if c < 128
                && let Some(d) = cache[c as usize]
            {
                b.push(d as u32);
                continue;
            }
            let to = match translate_one(table, c)? {
                Translated::Delete => continue,
                Translated::Keep => c,
                Translated::Char(d) => d,
                Translated::Text(s) => {
                    b.push_obj(&s);
                    continue;
                }
            };
            if cacheable && c < 128 && to < 128 {
                cache[c as usize] = Some(to as u8);
            }
            b.push(to);
        }
        Ok(b.finish())
    }
    /// Make a table for translate(): from a dict, or from two strings of equal length and one of characters to delete.
    #[staticmethod(signature = "(x, y=<unrepresentable>, z=<unrepresentable>, /)")]
    fn maketrans(x: &Object, y: Option<&Str>, z: Option<&Str>) -> PyResult<Owned<Dict>> {
        let d = Dict::new();
        let int = |c: u32| Int::from_i64(c as i64);
        if let Some(y) = y {
            let Some(x) = x.downcast::<Str>() else {
                return raise!(
                    TypeError,
                    "first maketrans argument must be a string if there is a second argument"
                );
            };
            if x.len() != y.len() {
                return raise!(ValueError, "the first two maketrans arguments must have equal length");
            }
            for (a, b) in x.chars().zip(y.chars()) {
                d.set_item(&int(a), &int(b))?;
            }
            for c in z.into_iter().flat_map(|z| z.chars()) {
                d.set_item(&int(c), none_ref())?;
            }
            return Ok(d);
        }
        let Some(x) = x.downcast::<Dict>() else {
            return raise!(TypeError, "if you give only one argument to maketrans it must be a dict");
        };
        for (k, v) in x.items_vec() {
            if let Some(s) = k.downcast::<Str>() {
                if s.len() != 1 {
                    return raise!(ValueError, "string keys in translate table must be of length 1");
                }
                d.set_item(&int(s.char_at(0)), &v)?;
            } else if k.is_instance_of::<Int>() {
                d.set_item(&k, &v)?;
            } else {
                return raise!(TypeError, "keys in translate table must be strings or integers");
            }
        }
        Ok(d)
    }
}

fn finish_type(b: &mut crate::builder::TypeBuilder) {
    b.doc(
        c"str(object='') -> str\nstr(buffer[, encoding[, errors]]) -> str\n\n\
          The text form of an object, or the text that encoded bytes mean.",
    )
}

/// `str(o, encoding, errors)`: decodes a bytes-like object.
pub fn from_encoded_object(o: &Object, encoding: Option<&str>, errors: Option<&str>) -> PyResult<Owned<Str>> {
    if o.is_instance_of::<Str>() {
        return raise!(TypeError, "decoding str is not supported");
    }
    let b = crate::buffer::BytesLike::get_or(o, || {
        crate::raised!(TypeError, "decoding to str: need a bytes-like object, {} found", name_of(o, 80))
    })?;
    crate::codecs::decode_to_str(&b, encoding.unwrap_or("utf-8"), errors.unwrap_or("strict"))
}

// ---- Iteration ----

/// An iterator over a string, in CPython's layout.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StrIterObject {
    ob_base: PyObject,
    index: isize,
    /// Null when exhausted.
    seq: *mut PyObject,
}
kind!(/** `str_iterator` */ StrIter: StrIterObject, PyUnicodeIter_Type);

impl StrIter {
    pub fn new(s: &Str) -> PyResult<Owned<StrIter>> {
        // SAFETY: a new object whose fields are all written; the string's count is the iterator's.
        unsafe {
            let p = crate::gc::new_builtin(&raw mut PyUnicodeIter_Type, size_of::<StrIterObject>());
            if p.is_null() {
                return raise!(MemoryError);
            }
            (*p.cast::<StrIterObject>()).index = 0;
            (*p.cast::<StrIterObject>()).seq = s.own().into_raw();
            crate::gc::track(p);
            Ok(Owned::from_raw(p))
        }
    }
    /// The string, if not exhausted, and the index.
    fn state(&self) -> (Option<&Str>, usize) {
        // SAFETY: fields of a live object; `seq` is null or a string the iterator keeps alive.
        unsafe {
            let i = self.as_struct();
            (Object::from_ptr_opt((*i).seq).map(|o| o.downcast_unchecked()), (*i).index as usize)
        }
    }
}

#[pymethods]
impl StrIter {
    #[slot(tp_dealloc)]
    unsafe fn dealloc(p: *mut PyObject) {
        // SAFETY: nobody else sees the iterator any more.
        unsafe {
            crate::gc::untrack(p);
            xdecref((*p.cast::<StrIterObject>()).seq);
            crate::gc::free_untracked(p, size_of::<StrIterObject>());
        }
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: a live object's field.
        v.visit_ptr(unsafe { (*self.as_struct()).seq });
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<StrIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Str>>> {
        let (Some(s), i) = self.state() else { return Ok(None) };
        // SAFETY: the iterator's own fields; its reference to the string is given back once.
        unsafe {
            let it = self.as_struct();
            if i < s.len() {
                (*it).index += 1;
                return Ok(Some(Str::from_char(s.char_at(i))));
            }
            let p = std::mem::replace(&mut (*it).seq, std::ptr::null_mut());
            decref(p);
        }
        Ok(None)
    }
    #[pymethod]
    fn __length_hint__(&self) -> usize {
        let (s, i) = self.state();
        s.map_or(0, |s| s.len().saturating_sub(i))
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Object>> {
        let iter = builtin("iter")?;
        match self.state() {
            (Some(s), i) => (iter, (s.own(),), i).into_py(),
            (None, _) => (iter, (Str::empty().own(),)).into_py(),
        }
    }
    #[pymethod]
    fn __setstate__(&self, state: isize) {
        if let (Some(s), _) = self.state() {
            let i = state.clamp(0, s.len() as isize);
            // SAFETY: the iterator's own field.
            unsafe { (*self.as_struct()).index = i }
        }
    }
}

/// A name of the module `builtins`.
pub fn builtin(name: &str) -> PyResult<Owned<Object>> {
    match crate::sysobject::builtins_dict().get_str(name)? {
        Some(o) => Ok(o),
        None => raise!(AttributeError, "{}", name),
    }
}

pub fn init() -> PyResult<()> {
    crate::builder::ready::<Str>()?;
    crate::builder::ready::<StrIter>()?;
    Ok(())
}
