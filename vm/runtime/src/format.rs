//! The format mini-language for str, int, float and complex, and `%` formatting of numbers.
//!
//! A format string is parsed into a `Spec`; `number_layout` puts sign, prefix, grouped digits, fraction and padding together. Texts are ASCII
//! except for the fill character and a locale's separators, so numbers are laid out as `String`s.

use crate::errors::*;
use crate::floatobject::{self, Style};
use crate::kinds::*;
use crate::object::*;
use crate::raise;
use crate::strobject::StrBuilder;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Grouping {
    None,
    Comma,
    Underscore,
    /// Underscores every four digits (`b`, `o`, `x`).
    UnderscoreFour,
    Locale,
}

/// A parsed format specification.
#[derive(Clone, Debug)]
struct Spec {
    fill: u32,
    align: u8,
    align_given: bool,
    alt: bool,
    no_neg_0: bool,
    /// 0, or one of `+`, `-`, blank.
    sign: u8,
    width: Option<usize>,
    grouping: Grouping,
    precision: Option<usize>,
    /// The presentation type, 0 if absent.
    ty: u32,
}

fn is_align(c: u32) -> bool {
    matches!(char::from_u32(c), Some('<' | '>' | '=' | '^'))
}

/// Digits of any script from `at`; the number and where it ends. Too large is an error.
fn read_number(s: &[u32], mut at: usize) -> PyResult<(Option<usize>, usize)> {
    let mut n: Option<usize> = None;
    while let Some(d) = s.get(at).and_then(|c| crate::intobject::text::decimal_value(*c)) {
        let v = n.unwrap_or(0).checked_mul(10).and_then(|v| v.checked_add(d as usize));
        match v.filter(|v| *v <= isize::MAX as usize) {
            Some(v) => n = Some(v),
            None => return raise!(ValueError, "Too many decimal digits in format string"),
        }
        at += 1;
    }
    Ok((n, at))
}

fn parse(spec: &Str, o: &Object, default_type: u8, default_align: u8) -> PyResult<Spec> {
    let (mut few, many) = ([0; 16], if spec.len() > 16 { spec.chars().collect() } else { vec![] });
    let s = if many.is_empty() {
        few.iter_mut().zip(spec.chars()).for_each(|(to, c)| *to = c);
        &few[..spec.len()]
    } else {
        &many[..]
    };
    let c = |i: usize| s.get(i).and_then(|c| char::from_u32(*c)).unwrap_or('\0');
    let mut f = Spec {
        fill: ' ' as u32,
        align: default_align,
        align_given: false,
        alt: false,
        no_neg_0: false,
        sign: 0,
        width: None,
        grouping: Grouping::None,
        precision: None,
        ty: default_type as u32,
    };
    let mut at = 0;
    let mut fill_given = false;
    if s.len() >= 2 && is_align(s[1]) {
        f.fill = s[0];
        f.align = s[1] as u8;
        f.align_given = true;
        fill_given = true;
        at = 2;
    } else if !s.is_empty() && is_align(s[0]) {
        f.align = s[0] as u8;
        f.align_given = true;
        at = 1;
    }
    if matches!(c(at), '+' | '-' | ' ') && at < s.len() {
        f.sign = s[at] as u8;
        at += 1;
    }
    if c(at) == 'z' {
        f.no_neg_0 = true;
        at += 1;
    }
    if c(at) == '#' {
        f.alt = true;
        at += 1;
    }
    if !fill_given && c(at) == '0' {
        f.fill = '0' as u32;
        if !f.align_given && default_align == b'>' {
            f.align = b'=';
        }
        at += 1;
    }
    (f.width, at) = read_number(s, at)?;
    if c(at) == ',' {
        f.grouping = Grouping::Comma;
        at += 1;
    }
    if c(at) == '_' {
        if f.grouping != Grouping::None {
            return raise!(ValueError, "Cannot specify both ',' and '_'.");
        }
        f.grouping = Grouping::Underscore;
        at += 1;
    }
    if c(at) == ',' && f.grouping == Grouping::Underscore {
        return raise!(ValueError, "Cannot specify both ',' and '_'.");
    }
    // A second comma: left over, the specifier is invalid.
    if c(at) == '.' {
        (f.precision, at) = read_number(s, at + 1)?;
        if f.precision.is_none() {
            return raise!(ValueError, "Format specifier missing precision");
        }
    }
    if s.len() - at > 1 {
        return raise!(
            ValueError,
            "Invalid format specifier '{}' for object of type '{}'",
            spec.to_str_lossy(),
            o.ty().name()
        );
    }
    if let Some(t) = s.get(at) {
        f.ty = *t;
    }
    if f.grouping != Grouping::None {
        let group = f.grouping;
        match char::from_u32(f.ty) {
            Some('d' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F' | '\0') => {}
            Some('b' | 'o' | 'x' | 'X') if group == Grouping::Underscore => {
                f.grouping = Grouping::UnderscoreFour
            }
            _ => {
                let which = if group == Grouping::Comma { ',' } else { '_' };
                if f.ty > 32 && f.ty < 128 {
                    return raise!(ValueError, "Cannot specify '{}' with '{}'.", which, f.ty as u8 as char);
                }
                return raise!(ValueError, "Cannot specify '{}' with '\\x{:x}'.", which, f.ty);
            }
        }
    }
    Ok(f)
}

fn unknown_type(ty: u32, o: &Object) -> Raised {
    if ty > 32 && ty < 128 {
        return crate::raised!(
            ValueError,
            "Unknown format code '{}' for object of type '{}'",
            ty as u8 as char,
            o.ty().name()
        );
    }
    crate::raised!(ValueError, "Unknown format code '\\x{:x}' for object of type '{}'", ty, o.ty().name())
}

/// `text` between `left` and `right` fill characters.
fn padded(text: &str, left: usize, right: usize, fill: u32) -> Owned<Str> {
    if left + right == 0 {
        return Str::new(text);
    }
    let mut b = StrBuilder::new();
    (0..left).for_each(|_| b.push(fill));
    b.push_str(text);
    (0..right).for_each(|_| b.push(fill));
    b.finish()
}

fn padding(total: usize, align: u8) -> (usize, usize) {
    match align {
        b'>' | b'=' => (total, 0),
        b'^' => (total / 2, total - total / 2),
        _ => (0, total),
    }
}

// ---- str ----

/// `str.__format__`.
pub fn format_str(s: &Str, spec: &Str) -> PyResult<Owned<Str>> {
    if spec.is_empty() {
        return if s.is_exact::<Str>() { Ok(s.own()) } else { Ok(s.slice(0, s.len())) };
    }
    let f = parse(spec, s, b's', b'<')?;
    if f.ty != 's' as u32 {
        return Err(unknown_type(f.ty, s));
    }
    if f.sign != 0 {
        return if f.sign == b' ' {
            raise!(ValueError, "Space not allowed in string format specifier")
        } else {
            raise!(ValueError, "Sign not allowed in string format specifier")
        };
    }
    if f.no_neg_0 {
        return raise!(ValueError, "Negative zero coercion (z) not allowed in string format specifier");
    }
    if f.alt {
        return raise!(ValueError, "Alternate form (#) not allowed in string format specifier");
    }
    if f.align == b'=' {
        return raise!(ValueError, "'=' alignment not allowed in string format specifier");
    }
    let len = f.precision.map_or(s.len(), |p| p.min(s.len()));
    let total = f.width.unwrap_or(0).saturating_sub(len);
    let (left, right) = padding(total, f.align);
    if total == 0 && len == s.len() {
        return Ok(s.slice(0, len));
    }
    let mut b = StrBuilder::new();
    (0..left).for_each(|_| b.push(f.fill));
    b.push_slice(s, 0, len);
    (0..right).for_each(|_| b.push(f.fill));
    Ok(b.finish())
}

// ---- Numbers: layout ----

/// Separators: decimal point, thousands separator, group sizes (a last 0 repeats the one before; without it grouping stops).
struct Separators {
    point: String,
    thousands: String,
    groups: Vec<u8>,
}

fn separators(g: Grouping) -> Separators {
    let plain = |t: &str, n: u8| Separators { point: ".".into(), thousands: t.into(), groups: vec![n, 0] };
    match g {
        Grouping::None => Separators { point: ".".into(), thousands: String::new(), groups: vec![] },
        Grouping::Comma => plain(",", 3),
        Grouping::Underscore => plain("_", 3),
        Grouping::UnderscoreFour => plain("_", 4),
        Grouping::Locale => {
            // SAFETY: the C library's answer is valid until the next locale change, which needs the GIL too.
            unsafe {
                let l = libc::localeconv();
                let text =
                    |p: *const libc::c_char| std::ffi::CStr::from_ptr(p).to_string_lossy().into_owned();
                let grouping = std::ffi::CStr::from_ptr((*l).grouping).to_bytes();
                let mut groups: Vec<u8> = grouping.to_vec();
                if groups.last().is_some_and(|g| *g != i8::MAX as u8) {
                    groups.push(0);
                }
                Separators { point: text((*l).decimal_point), thousands: text((*l).thousands_sep), groups }
            }
        }
    }
}

/// `digits` with separators, filled with zeros up to `min_width` characters.
fn group(digits: &str, sep: &Separators, min_width: usize) -> String {
    if sep.groups.is_empty() || sep.thousands.is_empty() {
        let pad = min_width.saturating_sub(digits.len());
        return "0".repeat(pad) + digits;
    }
    // From the right: groups of characters, then joined in reverse.
    let (mut parts, mut left, mut width) = (vec![], digits.len(), 0usize);
    let sep_len = sep.thousands.chars().count();
    let mut sizes = sep.groups.iter().copied();
    let mut size = usize::MAX;
    let mut first = true;
    loop {
        match sizes.next() {
            Some(0) => sizes = [].iter().copied(),
            Some(n) if n == i8::MAX as u8 => size = usize::MAX,
            Some(n) => size = n as usize,
            None if sep.groups.last() != Some(&0) => size = usize::MAX,
            None => {}
        }
        if left == 0 && (first || width >= min_width) && !(first && min_width > 0) {
            if first {
                parts.push(String::new());
            }
            break;
        }
        if !first {
            width += sep_len;
        }
        let real = left.min(size);
        let need = min_width.saturating_sub(width);
        let total = real.max(need.min(size)).max(usize::from(!first || real > 0 || need > 0));
        let mut p = "0".repeat(total - real);
        p.push_str(&digits[left - real..left]);
        left -= real;
        width += total;
        parts.push(p);
        first = false;
        if left == 0 && width >= min_width {
            break;
        }
    }
    parts.reverse();
    parts.join(&sep.thousands)
}

/// Puts a number together: `body` is digits, then possibly a fraction and an exponent, without a sign.
fn number_layout(f: &Spec, negative: bool, prefix: &str, body: &str) -> Owned<Str> {
    let sign = match (negative, f.sign) {
        (true, _) => "-",
        (false, b'+') => "+",
        (false, b' ') => " ",
        _ => "",
    };
    // Only leading decimal (or, with a prefix-like type, hexadecimal) digits are grouped.
    let hex = matches!(char::from_u32(f.ty), Some('x' | 'X'));
    let n = body.bytes().take_while(|b| if hex { b.is_ascii_hexdigit() } else { b.is_ascii_digit() }).count();
    let (digits, rest) = body.split_at(n);
    let width = f.width.unwrap_or(0);
    let zero_fill = f.fill == '0' as u32 && f.align == b'=';
    let separator = match f.grouping {
        Grouping::None => Some(None),
        Grouping::Comma if !zero_fill => Some(Some((b',', 3))),
        Grouping::Underscore if !zero_fill => Some(Some((b'_', 3))),
        Grouping::UnderscoreFour if !zero_fill => Some(Some((b'_', 4))),
        _ => None,
    };
    if let (Some(separator), 0..0x80) = (separator, f.fill) {
        // All ASCII, and nothing but padding that depends on the width.
        let groups = separator.map_or(0, |(_, size)| digits.len().saturating_sub(1) / size);
        let len = sign.len() + prefix.len() + body.len() + groups;
        let pad = width.saturating_sub(len);
        let (left, inner, right) = match padding(pad, f.align) {
            _ if f.align == b'=' => (0, pad, 0),
            (left, right) => (left, 0, right),
        };
        return Str::fill_ascii(len + pad, |out| {
            let mut at = 0;
            let mut put = |b: &[u8]| {
                out[at..at + b.len()].copy_from_slice(b);
                at += b.len();
            };
            let fill = [f.fill as u8];
            (0..left).for_each(|_| put(&fill));
            put(sign.as_bytes());
            put(prefix.as_bytes());
            (0..inner).for_each(|_| put(&fill));
            match separator {
                Some((c, size)) if groups > 0 => {
                    let (first, others) = digits.as_bytes().split_at(digits.len() - groups * size);
                    put(first);
                    for g in others.chunks(size) {
                        put(&[c]);
                        put(g);
                    }
                }
                _ => put(digits.as_bytes()),
            }
            put(rest.as_bytes());
            (0..right).for_each(|_| put(&fill));
        });
    }
    let sep = separators(f.grouping);
    let rest = match rest.strip_prefix('.') {
        Some(r) => sep.point.clone() + r,
        None => rest.to_string(),
    };
    let fixed = sign.len() + prefix.len() + rest.chars().count();
    let min = if zero_fill && !digits.is_empty() { width.saturating_sub(fixed) } else { 0 };
    let digits = if digits.is_empty() { String::new() } else { group(digits, &sep, min) };
    let len = fixed + digits.chars().count();
    let pad = width.saturating_sub(len);
    if f.align == b'=' {
        let mut b = StrBuilder::new();
        b.push_str(sign);
        b.push_str(prefix);
        (0..pad).for_each(|_| b.push(f.fill));
        b.push_str(&digits);
        b.push_str(&rest);
        return b.finish();
    }
    let (left, right) = padding(pad, f.align);
    padded(&format!("{sign}{prefix}{digits}{rest}"), left, right, f.fill)
}

// ---- int ----

/// `int.__format__`.
pub fn format_int(i: &Int, spec: &Str) -> PyResult<Owned<Str>> {
    if spec.is_empty() {
        return if i.is_exact::<Int>() { Ok(Str::new(&i.to_decimal()?)) } else { i.str() };
    }
    let f = parse(spec, i, b'd', b'>')?;
    match char::from_u32(f.ty) {
        Some('b' | 'c' | 'd' | 'o' | 'x' | 'X' | 'n') => format_int_spec(i, f),
        Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => format_double(i, i.to_f64()?, f),
        _ => Err(unknown_type(f.ty, i)),
    }
}

fn format_int_spec(i: &Int, mut f: Spec) -> PyResult<Owned<Str>> {
    if f.precision.is_some() {
        return raise!(ValueError, "Precision not allowed in integer format specifier");
    }
    if f.no_neg_0 {
        return raise!(ValueError, "Negative zero coercion (z) not allowed in integer format specifier");
    }
    let ty = f.ty as u8;
    if ty == b'c' {
        if f.sign != 0 {
            return raise!(ValueError, "Sign not allowed with integer format specifier 'c'");
        }
        if f.alt {
            return raise!(ValueError, "Alternate form (#) not allowed with integer format specifier 'c'");
        }
        let Some(c) = i.to_i64() else {
            return raise!(OverflowError, "Python int too large to convert to C long");
        };
        if !(0..0x110000).contains(&c) {
            return raise!(OverflowError, "%c arg not in range(0x110000)");
        }
        let pad = f.width.unwrap_or(0).saturating_sub(1);
        let (left, right) = padding(pad, f.align);
        let mut b = StrBuilder::new();
        (0..left).for_each(|_| b.push(f.fill));
        b.push(c as u32);
        (0..right).for_each(|_| b.push(f.fill));
        return Ok(b.finish());
    }
    let (text, prefix) = match ty {
        b'b' => (i.to_string_radix(2), "0b"),
        b'o' => (i.to_string_radix(8), "0o"),
        b'x' => (i.to_string_radix(16), "0x"),
        b'X' => (i.to_string_radix(16).to_ascii_uppercase(), "0X"),
        _ => (i.to_decimal()?, ""),
    };
    if ty == b'n' {
        f.grouping = Grouping::Locale;
    }
    let body = text.strip_prefix('-').unwrap_or(&text);
    Ok(number_layout(&f, i.is_negative(), if f.alt { prefix } else { "" }, body))
}

// ---- float ----

/// `float.__format__`.
pub fn format_float(o: &Float, spec: &Str) -> PyResult<Owned<Str>> {
    if spec.is_empty() {
        return if o.is_exact::<Float>() { Ok(floatobject::repr_object(o.value())) } else { o.str() };
    }
    let f = parse(spec, o, 0, b'>')?;
    match char::from_u32(f.ty) {
        Some('\0' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n' | '%') => format_double(o, o.value(), f),
        _ => Err(unknown_type(f.ty, o)),
    }
}

/// The precision given, if it is one that C could take.
fn checked_precision(p: Option<usize>) -> PyResult<Option<usize>> {
    match p {
        Some(p) if p > i32::MAX as usize => raise!(ValueError, "precision too big"),
        p => Ok(p),
    }
}

fn format_double(_o: &Object, v: f64, mut f: Spec) -> PyResult<Owned<Str>> {
    let given = checked_precision(f.precision)?;
    let style = Style { plus: false, alt: f.alt, dot_0: f.ty == 0, no_neg_0: f.no_neg_0 };
    let text = match f.ty as u8 {
        // No type: like repr, or with a precision like g that keeps a digit behind the point.
        0 => match given {
            None => floatobject::to_text(v, b'r', 0, style),
            Some(p) => floatobject::to_text(v, b'g', p, style),
        },
        b'n' => {
            f.grouping = Grouping::Locale;
            floatobject::to_text(v, b'g', given.unwrap_or(6), style)
        }
        b'%' => floatobject::to_text(v * 100.0, b'f', given.unwrap_or(6), style) + "%",
        ty => floatobject::to_text(v, ty, given.unwrap_or(6), style),
    };
    let (negative, body) = match text.strip_prefix('-') {
        Some(b) => (true, b),
        None => (false, &*text),
    };
    // In this layout only decimal digits group, whatever the type letter.
    Ok(number_layout(&f, negative, "", body))
}

// ---- complex ----

/// `complex.__format__`.
pub fn format_complex(o: &Complex, spec: &Str) -> PyResult<Owned<Str>> {
    if spec.is_empty() {
        return if o.is_exact::<Complex>() {
            let z = o.value();
            Ok(Str::new(&crate::complexobject::repr(z)))
        } else {
            o.str()
        };
    }
    let mut f = parse(spec, o, 0, b'>')?;
    if !matches!(char::from_u32(f.ty), Some('\0' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n')) {
        return Err(unknown_type(f.ty, o));
    }
    if f.fill == '0' as u32 {
        return raise!(ValueError, "Zero padding is not allowed in complex format specifier");
    }
    if f.align == b'=' {
        return raise!(ValueError, "'=' alignment flag is not allowed in complex format specifier");
    }
    let given = checked_precision(f.precision)?;
    let (re, im) = o.value();
    let style = Style { plus: false, alt: f.alt, dot_0: false, no_neg_0: f.no_neg_0 };
    let (mut parens, mut skip_re) = (false, false);
    let ty = f.ty as u8;
    if ty == b'n' {
        f.grouping = Grouping::Locale;
    }
    if ty == 0 {
        if re == 0.0 && re.is_sign_positive() {
            skip_re = true;
        } else {
            parens = true;
        }
    }
    let text = |v: f64| match (ty, given) {
        (0, None) => floatobject::to_text(v, b'r', 0, style),
        (0 | b'n', p) => floatobject::to_text(v, b'g', p.unwrap_or(6), style),
        (t, p) => floatobject::to_text(v, t, p.unwrap_or(6), style),
    };
    let mut part = Spec { width: None, align: b'<', ..f.clone() };
    let mut lay = |v: f64, sign: u8| {
        let t = text(v);
        part.sign = sign;
        let (negative, body) = match t.strip_prefix('-') {
            Some(b) => (true, b),
            None => (false, &*t),
        };
        number_layout(&part, negative, "", body)
    };
    let mut out = String::new();
    if parens {
        out.push('(');
    }
    if !skip_re {
        out.push_str(&lay(re, f.sign).to_str_lossy());
    }
    out.push_str(&lay(im, if skip_re { f.sign } else { b'+' }).to_str_lossy());
    out.push('j');
    if parens {
        out.push(')');
    }
    let pad = f.width.unwrap_or(0).saturating_sub(out.chars().count());
    let (left, right) = padding(pad, f.align);
    Ok(padded(&out, left, right, f.fill))
}

// ---- For `%` formatting ----

/// `%e %f %g …` of a double, with a minus but no plus and no padding; `conv` is one of `eEfFgG`.
pub fn percent_float(v: f64, prec: Option<usize>, conv: u8, alt: bool) -> PyResult<String> {
    let prec = checked_precision(prec)?.unwrap_or(6);
    Ok(floatobject::to_text(v, conv, prec, Style { alt, ..Style::default() }))
}

/// `%d %i %u %o %x %X` of an int: at least `prec` digits, with a minus, and with the prefix if `alt`; no padding.
pub fn percent_int(i: &Int, prec: Option<usize>, conv: u8, alt: bool) -> PyResult<String> {
    let (text, prefix) = match conv {
        b'o' => (i.to_string_radix(8), "0o"),
        b'x' => (i.to_string_radix(16), "0x"),
        b'X' => (i.to_string_radix(16).to_ascii_uppercase(), "0X"),
        _ => (i.to_decimal()?, ""),
    };
    let body = text.strip_prefix('-').unwrap_or(&text);
    let zeros = prec.unwrap_or(0).saturating_sub(body.len());
    let sign = if i.is_negative() { "-" } else { "" };
    let prefix = if alt { prefix } else { "" };
    Ok(format!("{sign}{prefix}{}{body}", "0".repeat(zeros)))
}
