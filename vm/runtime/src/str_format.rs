//! `str.format`, `format_map`, `str.__format__`, and `str`'s `%` operator (whose engine is `percent.rs`).
//!
//! A format string is cut by `next_markup` into literal text and replacement fields; a field names its value by
//! `first(.attr|[item])*`, has an optional conversion and a format specification that may hold fields itself (two levels).
//! `_string.formatter_parser` and `formatter_field_name_split` show the same pieces to Python.

use crate::args::Args;
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::singletons::*;
use crate::strobject::{StrBuilder, clip};
use crate::{pymethods, raise, unicode};

/// A literal text and the replacement field behind it. Places are character indices of the format string.
#[derive(Clone, Debug)]
pub struct Markup {
    pub literal: (usize, usize),
    pub field: Option<Field>,
}
#[derive(Clone, Debug)]
pub struct Field {
    pub name: (usize, usize),
    pub spec: (usize, usize),
    pub conversion: Option<u32>,
    /// The specification has fields of its own.
    pub nested: bool,
}

const OPEN: u32 = '{' as u32;
const CLOSE: u32 = '}' as u32;

/// The next piece of `s[*pos..end]`; `None` at the end.
pub fn next_markup(s: &Str, pos: &mut usize, end: usize) -> PyResult<Option<Markup>> {
    if *pos >= end {
        return Ok(None);
    }
    let start = *pos;
    let mut i = start;
    while i < end && s.char_at(i) != OPEN && s.char_at(i) != CLOSE {
        i += 1;
    }
    if i == end {
        *pos = end;
        return Ok(Some(Markup { literal: (start, end), field: None }));
    }
    let c = s.char_at(i);
    let doubled = i + 1 < end && s.char_at(i + 1) == c;
    if doubled {
        // The first of the pair belongs to the literal.
        *pos = i + 2;
        return Ok(Some(Markup { literal: (start, i + 1), field: None }));
    }
    if c == CLOSE {
        return raise!(ValueError, "Single '}}' encountered in format string");
    }
    if i + 1 >= end {
        return raise!(ValueError, "Single '{{' encountered in format string");
    }
    let literal = (start, i);
    let name_start = i + 1;
    let mut i = name_start;
    let mut in_brackets = false;
    let mut stop = None;
    while i < end {
        let c = s.char_at(i);
        i += 1;
        match char::from_u32(c) {
            Some('{') if !in_brackets => return raise!(ValueError, "unexpected '{{' in field name"),
            Some('[') => in_brackets = true,
            Some(']') => in_brackets = false,
            Some('}' | ':' | '!') if !in_brackets => {
                stop = Some(c);
                break;
            }
            _ => {}
        }
    }
    let Some(stop) = stop else { return raise!(ValueError, "expected '}}' before end of string") };
    let name = (name_start, i - 1);
    let mut field = Field { name, spec: (i, i), conversion: None, nested: false };
    if stop == CLOSE {
        *pos = i;
        return Ok(Some(Markup { literal, field: Some(field) }));
    }
    if stop == '!' as u32 {
        if i >= end {
            return raise!(ValueError, "end of string while looking for conversion specifier");
        }
        field.conversion = Some(s.char_at(i));
        i += 1;
        if i < end {
            let c = s.char_at(i);
            i += 1;
            if c == CLOSE {
                *pos = i;
                return Ok(Some(Markup { literal, field: Some(field) }));
            }
            if c != ':' as u32 {
                return raise!(ValueError, "expected ':' after conversion specifier");
            }
        }
    }
    let spec_start = i;
    let mut depth = 1;
    while i < end {
        match s.char_at(i) {
            OPEN => {
                field.nested = true;
                depth += 1;
            }
            CLOSE => {
                depth -= 1;
                if depth == 0 {
                    field.spec = (spec_start, i);
                    *pos = i + 1;
                    return Ok(Some(Markup { literal, field: Some(field) }));
                }
            }
            _ => {}
        }
        i += 1;
    }
    raise!(ValueError, "unmatched '{{' in format spec")
}

/// A part of a field name.
pub enum Key {
    Number(usize),
    Name(Owned<Str>),
}
pub enum Access {
    Attr(Owned<Str>),
    Item(Key),
}

/// A run of decimal digits as a number; `None` if it is something else (or empty).
fn number(s: &Str, a: usize, b: usize) -> PyResult<Option<usize>> {
    if a == b {
        return Ok(None);
    }
    let mut n = 0usize;
    for i in a..b {
        let Some(d) = unicode::decimal(s.char_at(i)) else { return Ok(None) };
        match n.checked_mul(10).and_then(|n| n.checked_add(d as usize)).filter(|n| *n <= isize::MAX as usize)
        {
            Some(v) => n = v,
            None => return raise!(ValueError, "Too many decimal digits in format string"),
        }
    }
    Ok(Some(n))
}

fn key(s: &Str, a: usize, b: usize) -> PyResult<Key> {
    Ok(match number(s, a, b)? {
        Some(n) => Key::Number(n),
        None => Key::Name(s.slice(a, b)),
    })
}

/// Splits off the first part of the field name `s[a..b]`; the rest is for `next_access`.
pub fn split_first(s: &Str, a: usize, b: usize) -> PyResult<(Key, usize)> {
    let mut i = a;
    while i < b && s.char_at(i) != '.' as u32 && s.char_at(i) != '[' as u32 {
        i += 1;
    }
    Ok((key(s, a, i)?, i))
}

/// The next `.attr` or `[item]` of a field name.
pub fn next_access(s: &Str, pos: &mut usize, b: usize) -> PyResult<Option<Access>> {
    if *pos >= b {
        return Ok(None);
    }
    let c = s.char_at(*pos);
    let start = *pos + 1;
    let mut i = start;
    let access = if c == '.' as u32 {
        while i < b && s.char_at(i) != '.' as u32 && s.char_at(i) != '[' as u32 {
            i += 1;
        }
        *pos = i;
        Access::Attr(s.slice(start, i))
    } else if c == '[' as u32 {
        while i < b && s.char_at(i) != ']' as u32 {
            i += 1;
        }
        if i == b {
            return raise!(ValueError, "Missing ']' in format string");
        }
        *pos = i + 1;
        Access::Item(key(s, start, i)?)
    } else {
        return raise!(ValueError, "Only '.' or '[' may follow ']' in format field specifier");
    };
    if i == start {
        return raise!(ValueError, "Empty attribute in format string");
    }
    Ok(Some(access))
}

/// Where a format call's values come from.
struct Values<'a> {
    args: Option<Args<'a>>,
    /// `format_map`'s mapping.
    mapping: Option<&'a Object>,
    /// Next automatic number; `None` before the first field.
    auto: Option<usize>,
    manual: bool,
}

impl Values<'_> {
    fn numbered(&mut self, auto: bool) -> PyResult<()> {
        if auto && self.manual {
            return raise!(
                ValueError,
                "cannot switch from manual field specification to automatic field numbering"
            );
        }
        if !auto && self.auto.is_some() {
            return raise!(
                ValueError,
                "cannot switch from automatic field numbering to manual field specification"
            );
        }
        self.manual |= !auto;
        Ok(())
    }
    fn get(&mut self, s: &Str, name: (usize, usize)) -> PyResult<Owned<Object>> {
        let (first, mut pos) = split_first(s, name.0, name.1)?;
        let index = match &first {
            Key::Number(n) => {
                self.numbered(false)?;
                Some(*n)
            }
            Key::Name(k) if k.is_empty() => {
                self.numbered(true)?;
                let n = self.auto.unwrap_or(0);
                self.auto = Some(n + 1);
                Some(n)
            }
            Key::Name(_) => None,
        };
        let mut o = match (index, &first) {
            (Some(n), _) => {
                let Some(args) = &self.args else {
                    return raise!(ValueError, "Format string contains positional fields");
                };
                match args.get(n) {
                    Some(o) => o.own(),
                    None => {
                        return raise!(
                            IndexError,
                            "Replacement index {} out of range for positional args tuple",
                            n
                        );
                    }
                }
            }
            (None, Key::Name(k)) => match (&self.args, self.mapping) {
                (Some(args), _) => match args.kwargs().find(|(n, _)| n.equals(k)) {
                    Some((_, v)) => v.own(),
                    None => {
                        return Err(set_object(
                            crate::exceptions::exc::KeyError(),
                            Some(k.clone().into_object()),
                        ));
                    }
                },
                (None, Some(m)) => m.get_item(k)?,
                (None, None) => unreachable!("arguments or a mapping"),
            },
            (None, Key::Number(_)) => unreachable!("numbers have an index"),
        };
        while let Some(a) = next_access(s, &mut pos, name.1)? {
            o = match a {
                Access::Attr(n) => o.get_attr(&Str::intern(n))?,
                Access::Item(Key::Number(n)) => {
                    // SAFETY: a live object has a live type.
                    let is_sequence = unsafe {
                        let q = (*o.ob_type()).tp_as_sequence;
                        !q.is_null() && (*q).sq_item.is_some() && !o.is_instance_of::<Dict>()
                    };
                    if is_sequence { o.seq_item(n as isize)? } else { o.get_item(&Int::from_usize(n))? }
                }
                Access::Item(Key::Name(k)) => o.get_item(&k)?,
            };
        }
        Ok(o)
    }
}

fn convert(o: Owned<Object>, how: u32) -> PyResult<Owned<Object>> {
    match char::from_u32(how) {
        Some('r') => Ok(o.repr()?.into_object()),
        Some('s') => Ok(o.str()?.into_object()),
        Some('a') => Ok(o.ascii()?.into_object()),
        Some(c) if how > 32 && how < 127 => raise!(ValueError, "Unknown conversion specifier {}", c),
        _ => raise!(ValueError, "Unknown conversion specifier \\x{:x}", how),
    }
}

fn render(
    s: &Str,
    start: usize,
    end: usize,
    v: &mut Values<'_>,
    depth: i32,
    out: &mut StrBuilder,
) -> PyResult<()> {
    if depth < 0 {
        return raise!(ValueError, "Max string recursion exceeded");
    }
    let mut pos = start;
    while let Some(m) = next_markup(s, &mut pos, end)? {
        out.push_slice(s, m.literal.0, m.literal.1);
        let Some(f) = m.field else { continue };
        let mut o = v.get(s, f.name)?;
        if let Some(c) = f.conversion {
            o = convert(o, c)?;
        }
        let spec = if f.nested {
            let mut b = StrBuilder::new();
            render(s, f.spec.0, f.spec.1, v, depth - 1, &mut b)?;
            b.finish()
        } else {
            s.slice(f.spec.0, f.spec.1)
        };
        if spec.is_empty()
            && let Some(t) = o.downcast_exact::<Str>()
        {
            out.push_obj(t);
        } else {
            out.push_obj(&*o.format(&spec)?);
        }
    }
    Ok(())
}

// ---- str.__format__ ----

/// A parsed format specification for strings.
fn format_str(s: &Str, spec: &Str) -> PyResult<Owned<Str>> {
    if spec.is_empty() {
        return Ok(s.to_exact());
    }
    let (mut i, n) = (0, spec.len());
    let at = |i: usize| if i < n { char::from_u32(spec.char_at(i)).unwrap_or('\u{fffd}') } else { '\0' };
    let is_align = |c: char| matches!(c, '<' | '>' | '=' | '^');
    let (mut fill, mut align, mut fill_given) = (32u32, '<', false);
    if n >= 2 && is_align(at(1)) {
        (fill, align, fill_given) = (spec.char_at(0), at(1), true);
        i = 2;
    } else if n >= 1 && is_align(at(0)) {
        align = at(0);
        i = 1;
    }
    let sign = at(i);
    let signed = matches!(sign, '+' | '-' | ' ') && i < n;
    if signed {
        i += 1;
    }
    let no_neg_0 = at(i) == 'z';
    if no_neg_0 {
        i += 1;
    }
    let alt = at(i) == '#';
    if alt {
        i += 1;
    }
    if !fill_given && at(i) == '0' {
        fill = '0' as u32;
        i += 1;
    }
    let digits = |i: &mut usize| -> PyResult<Option<usize>> {
        let start = *i;
        while *i < n && unicode::decimal(spec.char_at(*i)).is_some() {
            *i += 1;
        }
        number(spec, start, *i)
    };
    let width = digits(&mut i)?;
    let mut thousands = None;
    if at(i) == ',' {
        thousands = Some(',');
        i += 1;
    }
    if at(i) == '_' {
        if thousands.is_some() {
            return raise!(ValueError, "Cannot specify both ',' and '_'.");
        }
        thousands = Some('_');
        i += 1;
    }
    if at(i) == ',' && thousands == Some('_') {
        return raise!(ValueError, "Cannot specify both ',' and '_'.");
    }
    let mut precision = None;
    if at(i) == '.' {
        i += 1;
        precision = digits(&mut i)?;
        if precision.is_none() {
            return raise!(ValueError, "Format specifier missing precision");
        }
    }
    if n - i > 1 {
        return raise!(
            ValueError,
            "Invalid format specifier '{}' for object of type '{}'",
            spec.to_str_lossy(),
            clip(&s.ty().name(), 200)
        );
    }
    let code = if i < n { spec.char_at(i) } else { 's' as u32 };
    let groupable = i < n && matches!(at(i), 'd' | 'e' | 'f' | 'g' | 'E' | 'G' | 'F' | '%');
    if let Some(t) = thousands
        && !groupable
    {
        return match code {
            33..=126 => raise!(ValueError, "Cannot specify '{}' with '{}'.", t, code as u8 as char),
            _ => raise!(ValueError, "Cannot specify '{}' with '\\x{:x}'.", t, code),
        };
    }
    if code != 's' as u32 {
        let name = s.ty().name();
        let name = clip(&name, 200);
        return match code {
            33..=127 => {
                raise!(
                    ValueError,
                    "Unknown format code '{}' for object of type '{}'",
                    code as u8 as char,
                    name
                )
            }
            _ => raise!(ValueError, "Unknown format code '\\x{:x}' for object of type '{}'", code, name),
        };
    }
    if signed && sign == ' ' {
        return raise!(ValueError, "Space not allowed in string format specifier");
    }
    if signed {
        return raise!(ValueError, "Sign not allowed in string format specifier");
    }
    if no_neg_0 {
        return raise!(ValueError, "Negative zero coercion (z) not allowed in string format specifier");
    }
    if alt {
        return raise!(ValueError, "Alternate form (#) not allowed in string format specifier");
    }
    if align == '=' {
        return raise!(ValueError, "'=' alignment not allowed in string format specifier");
    }
    let len = precision.map_or(s.len(), |p| p.min(s.len()));
    let pad = width.unwrap_or(0).saturating_sub(len);
    if pad > isize::MAX as usize / 8 {
        return Err(set_object(crate::exceptions::exc::MemoryError(), None));
    }
    let left = match align {
        '>' => pad,
        '^' => pad / 2,
        _ => 0,
    };
    let mut b = StrBuilder::with_capacity(len + pad);
    b.push_n(fill, left);
    b.push_slice(s, 0, len);
    b.push_n(fill, pad - left);
    Ok(b.finish())
}

#[pymethods(part = "formatting")]
impl Str {
    /// Replace the fields in braces by the arguments.
    #[pymethod(raw)]
    fn format(&self, args: Args<'_>) -> PyResult<Owned<Str>> {
        let mut v = Values { args: Some(args), mapping: None, auto: None, manual: false };
        let mut out = StrBuilder::with_capacity(self.len() + 16);
        render(self, 0, self.len(), &mut v, 1, &mut out)?;
        Ok(out.finish())
    }
    /// Replace the fields in braces by the mapping's values.
    #[pymethod(signature = "(mapping, /)")]
    fn format_map(&self, mapping: &Object) -> PyResult<Owned<Str>> {
        let mut v = Values { args: None, mapping: Some(mapping), auto: None, manual: false };
        let mut out = StrBuilder::with_capacity(self.len() + 16);
        render(self, 0, self.len(), &mut v, 1, &mut out)?;
        Ok(out.finish())
    }
    /// Return a version formatted as the specification says.
    #[pymethod(signature = "(format_spec, /)")]
    fn __format__(&self, format_spec: &Str) -> PyResult<Owned<Str>> {
        if format_spec.is_empty() {
            return if self.is_exact::<Str>() { Ok(self.own()) } else { self.str() };
        }
        format_str(self, format_spec)
    }
    #[slot(nb_remainder)]
    fn py_mod(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        match a.downcast::<Str>() {
            Some(f) => Ok(crate::percent::format_text(f, b)?.into_object()),
            None => Ok(not_implemented()),
        }
    }
}
