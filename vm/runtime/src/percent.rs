//! The `%` operator of `str`, `bytes` and `bytearray`.
//!
//! One engine reads the format (`%[(key)][flags][width][.precision][hlL]conversion`), takes the arguments and formats numbers;
//! the two kinds of target differ in how `%s`, `%b`, `%c`, `%r` and `%a` get their text.

use crate::errors::*;
use crate::floatobject::{Style, to_text};
use crate::kinds::*;
use crate::object::*;
use crate::strobject::{StrBuilder, Text, clip};
use crate::{intern, raise};

#[derive(Default, Clone, Copy)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    alt: bool,
    zero: bool,
    width: usize,
    prec: Option<usize>,
    conv: u32,
    /// Where the conversion character stands.
    at: usize,
}

/// The arguments, taken one after another.
struct Arguments<'a> {
    items: &'a [&'a Object],
    next: usize,
    mapping: Option<&'a Object>,
    /// The value of a `%(key)` specification, to be taken next.
    keyed: Option<Owned<Object>>,
    by_key: bool,
}

impl Arguments<'_> {
    fn take(&mut self) -> PyResult<Owned<Object>> {
        if self.by_key {
            return match self.keyed.take() {
                Some(o) => Ok(o),
                None => raise!(TypeError, "not enough arguments for format string"),
            };
        }
        match self.items.get(self.next) {
            Some(o) => {
                self.next += 1;
                Ok(o.own())
            }
            None => raise!(TypeError, "not enough arguments for format string"),
        }
    }
}

fn name(o: &Object, n: usize) -> String {
    clip(&o.ty().name(), n).to_string()
}

fn has_subscript(o: &Object) -> bool {
    // SAFETY: a live object has a live type.
    unsafe {
        let m = (*o.ob_type()).tp_as_mapping;
        !m.is_null() && (*m).mp_subscript.is_some()
    }
}

/// What receives the text.
trait Target {
    const BYTES: bool;
    fn literal(&mut self, t: Text<'_>);
    fn key(&self, t: Text<'_>) -> Owned<Object>;
    fn ascii(&mut self, s: &str);
    fn pad(&mut self, c: u8, n: usize);
    /// Writes a value that needs no more than to be copied; false: it isn't so simple.
    fn simple(&mut self, conv: u32, o: &Object) -> bool;
    /// The text of a conversion that is no number, cut to the precision; its padding follows the spec's width.
    fn other(&mut self, spec: &Spec, o: &Object) -> PyResult<()>;
}

fn run<T: Target>(f: Text<'_>, args: &Object, out: &mut T) -> PyResult<()> {
    let alone = [args];
    let is_mapping = has_subscript(args)
        && !args.is_instance_of::<Tuple>()
        && !args.is_instance_of::<Str>()
        && !(T::BYTES && (args.is_instance_of::<Bytes>() || args.is_instance_of::<ByteArray>()));
    let mut a = Arguments {
        items: match args.downcast::<Tuple>() {
            // SAFETY: references to objects are pointers to them; tuples don't change.
            Some(t) => unsafe { std::slice::from_raw_parts(t.items_ptr().cast(), t.len()) },
            None => &alone,
        },
        next: 0,
        mapping: is_mapping.then_some(args),
        keyed: None,
        by_key: false,
    };
    let n = f.len();
    let mut i = 0;
    while i < n {
        let start = i;
        i = crate::str_search::find_char(f.slice(i, n), '%' as u32).map_or(n, |k| i + k);
        if i > start {
            out.literal(f.slice(start, i));
        }
        if i == n {
            break;
        }
        i += 1;
        if i < n && f.at(i) == '%' as u32 {
            out.literal(Text::U1(b"%"));
            i += 1;
            continue;
        }
        // The commonest by far: %s and %d as they are.
        if i < n
            && !a.by_key
            && let Some(v) = a.items.get(a.next)
            && out.simple(f.at(i), v)
        {
            a.next += 1;
            i += 1;
            continue;
        }
        let spec = read_spec(f, &mut i, &mut a, out)?;
        let v = a.take()?;
        emit(spec, &v, out)?;
    }
    if a.mapping.is_none() && !a.by_key && a.next < a.items.len() {
        let what = if T::BYTES { "bytes" } else { "string" };
        return raise!(TypeError, "not all arguments converted during {} formatting", what);
    }
    Ok(())
}

fn read_spec<T: Target>(f: Text<'_>, i: &mut usize, a: &mut Arguments<'_>, out: &T) -> PyResult<Spec> {
    let n = f.len();
    let mut s = Spec::default();
    let at = |i: usize| if i < n { f.at(i) } else { 0 };
    if at(*i) == '(' as u32 {
        let Some(m) = a.mapping else { return raise!(TypeError, "format requires a mapping") };
        *i += 1;
        let start = *i;
        let mut depth = 1;
        while depth > 0 && *i < n {
            match at(*i) {
                0x29 => depth -= 1,
                0x28 => depth += 1,
                _ => {}
            }
            *i += 1;
        }
        if depth > 0 {
            return raise!(ValueError, "incomplete format key");
        }
        let k = out.key(f.slice(start, *i - 1));
        a.keyed = Some(m.get_item(&k)?);
        a.by_key = true;
    }
    loop {
        match at(*i) {
            0x2d => s.left = true,
            0x2b => s.plus = true,
            0x20 => s.space = true,
            0x23 => s.alt = true,
            0x30 => s.zero = true,
            _ => break,
        }
        *i += 1;
    }
    if at(*i) == '*' as u32 {
        *i += 1;
        let w = star(a)?;
        if w < 0 {
            s.left = true;
        }
        s.width = w.unsigned_abs();
    } else {
        s.width = digits(f, i, isize::MAX as usize, "width too big")?;
    }
    if at(*i) == '.' as u32 {
        *i += 1;
        if at(*i) == '*' as u32 {
            *i += 1;
            let p = star(a)?;
            if p > i32::MAX as isize {
                return raise!(OverflowError, "Python int too large to convert to C int");
            }
            s.prec = Some(p.max(0) as usize);
        } else {
            s.prec = Some(digits(
                f,
                i,
                i32::MAX as usize,
                if T::BYTES { "prec too big" } else { "precision too big" },
            )?);
        }
    }
    // A C length modifier says nothing here.
    if matches!(at(*i), 0x68 | 0x6c | 0x4c) {
        *i += 1;
    }
    if *i >= n {
        return raise!(ValueError, "incomplete format");
    }
    (s.conv, s.at) = (at(*i), *i);
    *i += 1;
    Ok(s)
}

fn star(a: &mut Arguments<'_>) -> PyResult<isize> {
    let o = a.take()?;
    match o.downcast::<Int>() {
        None => raise!(TypeError, "* wants int"),
        Some(v) => match v.to_i64() {
            Some(v) => Ok(v as isize),
            None => raise!(OverflowError, "Python int too large to convert to C ssize_t"),
        },
    }
}

fn digits(f: Text<'_>, i: &mut usize, max: usize, message: &str) -> PyResult<usize> {
    let mut v = 0usize;
    while *i < f.len() && (0x30..0x3a).contains(&f.at(*i)) {
        v = match v
            .checked_mul(10)
            .and_then(|v| v.checked_add((f.at(*i) - 0x30) as usize))
            .filter(|v| *v <= max)
        {
            Some(v) => v,
            None => return raise!(ValueError, "{}", message),
        };
        *i += 1;
    }
    Ok(v)
}

fn emit<T: Target>(spec: Spec, v: &Object, out: &mut T) -> PyResult<()> {
    match char::from_u32(spec.conv) {
        Some('d' | 'i' | 'u') => {
            let text = match spec.prec {
                _ if v.is_exact::<Int>() || v.is_instance_of::<Int>() => decimal(v)?,
                // Bytes formatting names every decimal conversion %d.
                _ => decimal(&*as_integer(v, if T::BYTES { 'd' as u32 } else { spec.conv })?)?,
            };
            number(spec, &text, "", out)
        }
        Some(c @ ('x' | 'X' | 'o')) => {
            let i = as_integer(v, spec.conv)?;
            let i = i.downcast::<Int>().expect("as_integer answers an int");
            let mut text = i.to_string_radix(if c == 'o' { 8 } else { 16 });
            if c == 'X' {
                text.make_ascii_uppercase();
            }
            let prefix = match (spec.alt, c) {
                (true, 'x') => "0x",
                (true, 'X') => "0X",
                (true, _) => "0o",
                _ => "",
            };
            number(spec, &text, prefix, out)
        }
        Some(c @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G')) => {
            let x = match v.downcast::<Float>() {
                Some(f) => f.value(),
                None if T::BYTES => match crate::number::as_f64(v) {
                    Ok(x) => x,
                    Err(e) if e.matches(crate::exceptions::exc::TypeError()) => {
                        e.clear();
                        return raise!(TypeError, "float argument required, not {}", name(v, 200));
                    }
                    Err(e) => return Err(e),
                },
                None => crate::number::as_f64(v)?,
            };
            let style = Style { alt: spec.alt, ..Style::default() };
            let text = to_text(x, c as u8, spec.prec.unwrap_or(6), style);
            number(Spec { prec: None, ..spec }, &text, "", out)
        }
        Some('s' | 'r' | 'a' | 'c') => out.other(&spec, v),
        Some('b') if T::BYTES => out.other(&spec, v),
        _ => {
            let shown = match spec.conv {
                31..=126 => spec.conv as u8 as char,
                c if T::BYTES => c as u8 as char,
                _ => '?',
            };
            raise!(
                ValueError,
                "unsupported format character '{}' (0x{:x}) at index {}",
                shown,
                spec.conv,
                spec.at
            )
        }
    }
}

fn decimal(v: &Object) -> PyResult<String> {
    let i = v.downcast::<Int>().expect("an int");
    // Through the int's own conversion, which guards against enormous numbers.
    i.to_decimal()
}

/// The number as an `int`, for `%d` and its like.
fn as_integer(v: &Object, conv: u32) -> PyResult<Owned<Object>> {
    if v.is_instance_of::<Int>() {
        return Ok(v.own());
    }
    let c = char::from_u32(conv).unwrap_or('d');
    let hex = matches!(c, 'x' | 'X' | 'o');
    // SAFETY: a live object has a live type.
    let is_number = unsafe {
        let n = (*v.ob_type()).tp_as_number;
        !n.is_null()
            && ((*n).nb_index.is_some() || !hex && ((*n).nb_int.is_some() || (*n).nb_float.is_some()))
    };
    let r = if !is_number {
        None
    } else if hex {
        Some(crate::number::index(v).map(|i| i.into_object()))
    } else {
        Some(crate::number::to_int(v))
    };
    match r {
        Some(Ok(o)) => Ok(o),
        Some(Err(e)) if !e.matches(crate::exceptions::exc::TypeError()) => Err(e),
        other => {
            if let Some(Err(e)) = other {
                e.clear();
            }
            if hex {
                raise!(TypeError, "%{} format: an integer is required, not {}", c, name(v, 200))
            } else {
                raise!(TypeError, "%{} format: a real number is required, not {}", c, name(v, 200))
            }
        }
    }
}

/// Writes a number: `text` may start with a minus sign, `prefix` (`0x`) goes behind the sign.
fn number<T: Target>(spec: Spec, text: &str, prefix: &str, out: &mut T) -> PyResult<()> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(d) => (true, d),
        None => (false, text),
    };
    let sign = if negative {
        "-"
    } else if spec.plus {
        "+"
    } else if spec.space {
        " "
    } else {
        ""
    };
    let zeros = spec.prec.unwrap_or(0).saturating_sub(digits.len());
    let len = sign.len() + prefix.len() + zeros + digits.len();
    let pad = spec.width.saturating_sub(len);
    if spec.width > isize::MAX as usize / 8 || zeros > isize::MAX as usize / 8 {
        return Err(set_object(crate::exceptions::exc::MemoryError(), None));
    }
    if !spec.left && !spec.zero {
        out.pad(b' ', pad);
    }
    out.ascii(sign);
    out.ascii(prefix);
    if !spec.left && spec.zero {
        out.pad(b'0', pad);
    }
    out.pad(b'0', zeros);
    out.ascii(digits);
    if spec.left {
        out.pad(b' ', pad);
    }
    Ok(())
}

// ---- str ----

impl Target for StrBuilder {
    const BYTES: bool = false;
    fn literal(&mut self, t: Text<'_>) {
        self.push_text(t)
    }
    fn key(&self, t: Text<'_>) -> Owned<Object> {
        Str::from_text(t).into_object()
    }
    fn ascii(&mut self, s: &str) {
        self.push_str(s)
    }
    fn pad(&mut self, c: u8, n: usize) {
        self.push_n(c as u32, n)
    }
    #[inline]
    fn simple(&mut self, conv: u32, o: &Object) -> bool {
        if conv == 's' as u32
            && let Some(s) = o.downcast_exact::<Str>()
        {
            self.push_obj(s);
            return true;
        }
        if (conv == 's' as u32 || conv == 'd' as u32)
            && let Some(v) = o.downcast_exact::<Int>().and_then(|i| i.compact())
        {
            crate::intobject::text::with_decimal(v, |d| self.push_str(d));
            return true;
        }
        false
    }
    fn other(&mut self, spec: &Spec, o: &Object) -> PyResult<()> {
        let s = match char::from_u32(spec.conv) {
            Some('s') => o.str()?,
            Some('r') => o.repr()?,
            Some('a') => o.ascii()?,
            _ => match (o.downcast::<Str>(), crate::str_methods::has_index(o)) {
                (Some(s), _) if s.len() == 1 => s.to_exact(),
                (None, true) => {
                    let i = crate::number::index(o)?;
                    match i.to_i64() {
                        Some(c) if (0..=0x10ffff).contains(&c) => Str::from_char(c as u32),
                        _ => return raise!(OverflowError, "%c arg not in range(0x110000)"),
                    }
                }
                _ => return raise!(TypeError, "%c requires int or char"),
            },
        };
        let cut = if spec.conv == 'c' as u32 { None } else { spec.prec };
        let len = cut.map_or(s.len(), |p| p.min(s.len()));
        let pad = spec.width.saturating_sub(len);
        if pad > isize::MAX as usize / 8 {
            return Err(set_object(crate::exceptions::exc::MemoryError(), None));
        }
        if !spec.left {
            self.push_n(32, pad);
        }
        self.push_slice(&s, 0, len);
        if spec.left {
            self.push_n(32, pad);
        }
        Ok(())
    }
}

/// `format % args`.
pub fn format_text(format: &Str, args: &Object) -> PyResult<Owned<Str>> {
    if format.equals_str("%s") {
        let one = match args.downcast::<Tuple>() {
            Some(t) => (t.len() == 1).then(|| t.item_ref(0)),
            None => Some(args),
        };
        // A string is its own text.
        if let Some(s) = one.and_then(|o| o.downcast_exact::<Str>()) {
            return Ok(s.own());
        }
    }
    let mut b = StrBuilder::with_capacity(format.len() + 16);
    run(format.text(), args, &mut b)?;
    Ok(b.finish())
}

// ---- bytes and bytearray ----

impl Target for Vec<u8> {
    const BYTES: bool = true;
    fn literal(&mut self, t: Text<'_>) {
        self.extend_from_slice(t.as_bytes())
    }
    fn key(&self, t: Text<'_>) -> Owned<Object> {
        Bytes::new(t.as_bytes()).into_object()
    }
    fn ascii(&mut self, s: &str) {
        self.extend_from_slice(s.as_bytes())
    }
    fn pad(&mut self, c: u8, n: usize) {
        self.resize(self.len() + n, c)
    }
    fn simple(&mut self, conv: u32, o: &Object) -> bool {
        match o.downcast_exact::<Int>().and_then(|i| i.compact()) {
            Some(v) if conv == 'd' as u32 => {
                crate::intobject::text::with_decimal(v, |d| self.extend_from_slice(d.as_bytes()));
                true
            }
            _ => false,
        }
    }
    fn other(&mut self, spec: &Spec, o: &Object) -> PyResult<()> {
        let b: Vec<u8> = match char::from_u32(spec.conv) {
            Some('s' | 'b') => bytes_of(o)?,
            Some('r' | 'a') => o.ascii()?.text().as_bytes().to_vec(),
            _ => vec![one_byte(o)?],
        };
        let cut = if spec.conv == 'c' as u32 { None } else { spec.prec };
        let len = cut.map_or(b.len(), |p| p.min(b.len()));
        let pad = spec.width.saturating_sub(len);
        if pad > isize::MAX as usize / 8 {
            return Err(set_object(crate::exceptions::exc::MemoryError(), None));
        }
        if !spec.left {
            self.pad(b' ', pad);
        }
        self.extend_from_slice(&b[..len]);
        if spec.left {
            self.pad(b' ', pad);
        }
        Ok(())
    }
}

fn one_byte(o: &Object) -> PyResult<u8> {
    if let Some(b) = o.downcast::<Bytes>()
        && let [c] = b.as_bytes()
    {
        return Ok(*c);
    }
    if let Some(b) = o.downcast::<ByteArray>()
        && let [c] = b.to_vec()[..]
    {
        return Ok(c);
    }
    if crate::str_methods::has_index(o) {
        return match crate::number::index(o)?.to_i64() {
            Some(v) if (0..256).contains(&v) => Ok(v as u8),
            _ => raise!(OverflowError, "%c arg not in range(256)"),
        };
    }
    raise!(TypeError, "%c requires an integer in range(256) or a single byte")
}

fn bytes_of(o: &Object) -> PyResult<Vec<u8>> {
    if let Some(b) = o.downcast_exact::<Bytes>() {
        return Ok(b.as_bytes().to_vec());
    }
    if let Some(b) = o.downcast_exact::<ByteArray>() {
        return Ok(b.to_vec());
    }
    if let Some(f) = o.lookup_special(intern!("__bytes__"))? {
        let r = f.call0()?;
        return match r.downcast::<Bytes>() {
            Some(b) => Ok(b.as_bytes().to_vec()),
            None => raise!(TypeError, "__bytes__ returned non-bytes (type {})", name(&r, 200)),
        };
    }
    if crate::buffer::supports_buffer(o) {
        return Ok(crate::buffer::Buffer::get(o, lh_abi::PyBUF_FULL_RO)?.to_vec());
    }
    raise!(
        TypeError,
        "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
        name(o, 100)
    )
}

/// `format % args` for `bytes` and `bytearray`.
pub fn format_bytes(format: &[u8], args: &Object) -> PyResult<Vec<u8>> {
    let mut out = Vec::with_capacity(format.len() + 16);
    run(Text::U1(format), args, &mut out)?;
    Ok(out)
}
