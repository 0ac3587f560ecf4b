//! `unicodedata`: the Unicode character database, and what it was in version 3.2.

use lh_runtime::prelude::*;
use lh_runtime::unicode::normalize::{Form, is_plainly, mapping, normalize as run_normalize};
use lh_runtime::unicode::{self, names};

/// A version of the database; the module's own functions are about the current one.
#[pyclass(name = "UCD", module = "unicodedata", no_new)]
pub struct Ucd {
    version: Owned<Str>,
}

fn one_char(o: &Object, func: &str, pos: Option<usize>) -> PyResult<u32> {
    let label = match pos {
        Some(p) => format!("{func}() argument {p}"),
        None => format!("{func}() argument"),
    };
    match o.downcast::<Str>() {
        Some(s) if s.len() == 1 => Ok(s.char_at(0)),
        Some(_) => raise!(TypeError, "{} must be a unicode character, not str", label),
        None => raise!(TypeError, "{} must be a unicode character, not {}", label, o.ty().name()),
    }
}

/// What a version says about a character.
struct Info {
    category: u8,
    bidi: u8,
    width: u8,
    mirrored: bool,
    combining: u8,
    decimal: Option<u8>,
    digit: Option<u8>,
    numeric: Option<f64>,
}

fn info(c: u32, old: bool) -> Info {
    let r = unicode::record(c);
    let f = r.flags();
    let mut i = Info {
        category: r.category(),
        bidi: r.bidi(),
        width: r.width(),
        mirrored: f & unicode::MIRRORED != 0,
        combining: r.combining(),
        decimal: r.decimal(),
        digit: r.digit(),
        numeric: unicode::numeric(c).map(|(n, d)| n as f64 / d as f64),
    };
    if !old {
        return i;
    }
    if f & unicode::IN_3_2 == 0 {
        return Info {
            category: 0,
            bidi: 0,
            width: 0,
            mirrored: false,
            combining: 0,
            decimal: None,
            digit: None,
            numeric: None,
        };
    }
    if let Some(o) = unicode::old(c) {
        (i.category, i.bidi, i.width, i.mirrored) = (o.category, o.bidi, o.width, o.mirrored);
        (i.decimal, i.digit) = (o.decimal, o.digit);
        if o.numeric != Some(-2) {
            i.numeric = o.numeric.map(|n| n as f64);
        }
    }
    i
}

fn or_default(v: Option<Owned<Object>>, default: Option<&Object>, message: &str) -> PyResult<Owned<Object>> {
    match (v, default) {
        (Some(v), _) => Ok(v),
        (None, Some(d)) => Ok(d.own()),
        (None, None) => raise!(ValueError, "{}", message),
    }
}

fn form(name: &Str) -> PyResult<Form> {
    match name.as_ascii() {
        Some("NFC") => Ok(Form::Nfc),
        Some("NFD") => Ok(Form::Nfd),
        Some("NFKC") => Ok(Form::Nfkc),
        Some("NFKD") => Ok(Form::Nfkd),
        _ => raise!(ValueError, "invalid normalization form"),
    }
}

fn decomposition_of(c: u32, old: bool) -> String {
    match mapping(c) {
        Some(m) if !(old && m.new) => {
            let mut parts: Vec<String> = vec![];
            if !m.tag.is_empty() {
                parts.push(m.tag.to_string());
            }
            parts.extend(m.chars().map(|c| format!("{c:04X}")));
            parts.join(" ")
        }
        _ => String::new(),
    }
}

fn normalized(f: &Str, s: &Str, old: bool) -> PyResult<Owned<Str>> {
    let f = form(f)?;
    if s.is_ascii() || !old && is_plainly(s.chars(), f) {
        return Ok(s.to_exact());
    }
    let v = run_normalize(s.chars(), f, old);
    Ok(Str::from_code_points(&v))
}

fn look_up(name: &Str, old: bool) -> PyResult<Owned<Str>> {
    let n = name.to_str_lossy();
    if n.len() <= 256
        && let Some(v) = names::lookup(&n, !old)
        && (!old || v.iter().all(|c| unicode::has(*c, unicode::IN_3_2)) && !is_alias(&n, &v))
    {
        return Ok(Str::from_code_points(&v));
    }
    if n.len() > 256 {
        return raise!(KeyError, "name too long");
    }
    raise!(KeyError, "undefined character name '{}'", n)
}

/// Is the text a corrected or further name, which the old database didn't have?
fn is_alias(text: &str, found: &[u32]) -> bool {
    match found {
        [c] => names::name(*c).is_some_and(|n| !n.eq_ignore_ascii_case(text)),
        _ => false,
    }
}

/// The functions as plain Rust, for both the module and the `UCD` type.
mod query {
    use super::*;
    pub fn decimal(o: &Object, default: Option<&Object>, old: bool) -> PyResult<Owned<Object>> {
        let c = one_char(o, "decimal", Some(1))?;
        or_default(
            info(c, old).decimal.map(|d| Int::from_i64(d as i64).into_object()),
            default,
            "not a decimal",
        )
    }
    pub fn digit(o: &Object, default: Option<&Object>, old: bool) -> PyResult<Owned<Object>> {
        let c = one_char(o, "digit", Some(1))?;
        or_default(info(c, old).digit.map(|d| Int::from_i64(d as i64).into_object()), default, "not a digit")
    }
    pub fn numeric(o: &Object, default: Option<&Object>, old: bool) -> PyResult<Owned<Object>> {
        let c = one_char(o, "numeric", Some(1))?;
        or_default(
            info(c, old).numeric.map(|n| Float::new(n).into_object()),
            default,
            "not a numeric character",
        )
    }
    pub fn name(o: &Object, default: Option<&Object>, old: bool) -> PyResult<Owned<Object>> {
        let c = one_char(o, "name", Some(1))?;
        let known = !old || unicode::has(c, unicode::IN_3_2);
        let n = if known { names::name(c) } else { None };
        or_default(n.map(|n| Str::new(&n).into_object()), default, "no such name")
    }
}

macro_rules! functions {
    ($old:literal) => {
        /// Return the general category of a character.
        #[pyfunction]
        pub fn category(chr: &Object) -> PyResult<&'static str> {
            Ok(unicode::CATEGORIES[info(one_char(chr, "category", None)?, $old).category as usize])
        }
        /// Return the bidirectional class of a character.
        #[pyfunction]
        pub fn bidirectional(chr: &Object) -> PyResult<&'static str> {
            Ok(unicode::BIDI[info(one_char(chr, "bidirectional", None)?, $old).bidi as usize])
        }
        /// Return the canonical combining class of a character.
        #[pyfunction]
        pub fn combining(chr: &Object) -> PyResult<u8> {
            Ok(info(one_char(chr, "combining", None)?, $old).combining)
        }
        /// Return 1 if a character is mirrored in bidirectional text.
        #[pyfunction]
        pub fn mirrored(chr: &Object) -> PyResult<i32> {
            Ok(info(one_char(chr, "mirrored", None)?, $old).mirrored as i32)
        }
        /// Return the East Asian width of a character.
        #[pyfunction]
        pub fn east_asian_width(chr: &Object) -> PyResult<&'static str> {
            Ok(unicode::WIDTHS[info(one_char(chr, "east_asian_width", None)?, $old).width as usize])
        }
        /// Return the decomposition mapping of a character.
        #[pyfunction]
        pub fn decomposition(chr: &Object) -> PyResult<String> {
            Ok(decomposition_of(one_char(chr, "decomposition", None)?, $old))
        }
        /// Return the decimal value of a character.
        #[pyfunction]
        pub fn decimal(chr: &Object, default: Option<&Object>) -> PyResult<Owned<Object>> {
            query::decimal(chr, default, $old)
        }
        /// Return the digit value of a character.
        #[pyfunction]
        pub fn digit(chr: &Object, default: Option<&Object>) -> PyResult<Owned<Object>> {
            query::digit(chr, default, $old)
        }
        /// Return the numeric value of a character.
        #[pyfunction]
        pub fn numeric(chr: &Object, default: Option<&Object>) -> PyResult<Owned<Object>> {
            query::numeric(chr, default, $old)
        }
        /// Return the name of a character.
        #[pyfunction]
        pub fn name(chr: &Object, default: Option<&Object>) -> PyResult<Owned<Object>> {
            query::name(chr, default, $old)
        }
        /// Return the character (or sequence) of this name.
        #[pyfunction]
        pub fn lookup(name: &Str) -> PyResult<Owned<Str>> {
            look_up(name, $old)
        }
        /// Return the normal form of a string.
        #[pyfunction]
        pub fn normalize(form: &Str, unistr: &Str) -> PyResult<Owned<Str>> {
            normalized(form, unistr, $old)
        }
        /// Return whether a string is in the normal form.
        #[pyfunction]
        pub fn is_normalized(form: &Str, unistr: &Str) -> PyResult<bool> {
            Ok(normalized(form, unistr, $old)?.equals(unistr))
        }
    };
}
functions!(false);

#[pymethods]
impl Ucd {
    #[getter]
    fn unidata_version(&self) -> Owned<Str> {
        self.version.clone()
    }
    #[pymethod]
    fn category(&self, chr: &Object) -> PyResult<&'static str> {
        Ok(unicode::CATEGORIES[info(one_char(chr, "category", None)?, true).category as usize])
    }
    #[pymethod]
    fn bidirectional(&self, chr: &Object) -> PyResult<&'static str> {
        Ok(unicode::BIDI[info(one_char(chr, "bidirectional", None)?, true).bidi as usize])
    }
    #[pymethod]
    fn combining(&self, chr: &Object) -> PyResult<u8> {
        Ok(info(one_char(chr, "combining", None)?, true).combining)
    }
    #[pymethod]
    fn mirrored(&self, chr: &Object) -> PyResult<i32> {
        Ok(info(one_char(chr, "mirrored", None)?, true).mirrored as i32)
    }
    #[pymethod]
    fn east_asian_width(&self, chr: &Object) -> PyResult<&'static str> {
        Ok(unicode::WIDTHS[info(one_char(chr, "east_asian_width", None)?, true).width as usize])
    }
    #[pymethod]
    fn decomposition(&self, chr: &Object) -> PyResult<String> {
        Ok(decomposition_of(one_char(chr, "decomposition", None)?, true))
    }
    #[pymethod]
    fn decimal(&self, chr: &Object, default: Option<&Object>) -> PyResult<Owned<Object>> {
        query::decimal(chr, default, true)
    }
    #[pymethod]
    fn digit(&self, chr: &Object, default: Option<&Object>) -> PyResult<Owned<Object>> {
        query::digit(chr, default, true)
    }
    #[pymethod]
    fn numeric(&self, chr: &Object, default: Option<&Object>) -> PyResult<Owned<Object>> {
        query::numeric(chr, default, true)
    }
    #[pymethod]
    fn name(&self, chr: &Object, default: Option<&Object>) -> PyResult<Owned<Object>> {
        query::name(chr, default, true)
    }
    #[pymethod]
    fn lookup(&self, name: &Str) -> PyResult<Owned<Str>> {
        look_up(name, true)
    }
    #[pymethod]
    fn normalize(&self, form: &Str, unistr: &Str) -> PyResult<Owned<Str>> {
        normalized(form, unistr, true)
    }
    #[pymethod]
    fn is_normalized(&self, form: &Str, unistr: &Str) -> PyResult<bool> {
        Ok(normalized(form, unistr, true)?.equals(unistr))
    }
}

fn setup(m: &Module) -> PyResult<()> {
    m.add("UCD", ready::<Ucd>()?)?;
    m.add("unidata_version", &Str::new("14.0.0"))?;
    m.add("ucd_3_2_0", &Ucd { version: Str::new("3.2.0") }.build())
}
module! { "unicodedata", functions: [
    category, bidirectional, combining, mirrored, east_asian_width, decomposition, decimal, digit, numeric, name,
    lookup, normalize, is_normalized,
], init: setup }
