//! `_csv`: reading and writing comma-separated values.
//!
//! The reader is a state machine fed character by character; a record may span several lines of the input iterator. The
//! writer joins one record at a time.

use lh_runtime::prelude::*;
use lh_runtime::strobject::{Text, clip};
use std::cell::{Cell, RefCell};
use std::sync::OnceLock;

const QUOTE_MINIMAL: i64 = 0;
const QUOTE_ALL: i64 = 1;
const QUOTE_NONNUMERIC: i64 = 2;
const QUOTE_NONE: i64 = 3;

struct State {
    error: Owned<Type>,
    dialects: Owned<Dict>,
    limit: Cell<i64>,
}
// SAFETY: only used with the GIL held.
unsafe impl Send for State {}
// SAFETY: as above.
unsafe impl Sync for State {}
static STATE: OnceLock<State> = OnceLock::new();

fn state() -> &'static State {
    STATE.get().expect("made with the module")
}
fn csv_error(message: &str) -> Raised {
    set_object(&state().error, Some(Str::new(message).into_object()))
}

// ---- Dialects ----

/// CSV dialect
#[pyclass(name = "Dialect", module = "_csv", basetype)]
pub struct Dialect {
    #[notrace]
    delimiter: u32,
    doublequote: bool,
    #[notrace]
    escapechar: Option<u32>,
    lineterminator: Owned<Str>,
    #[notrace]
    quotechar: Option<u32>,
    quoting: i64,
    skipinitialspace: bool,
    strict: bool,
}

const NAMES: [&str; 8] = [
    "delimiter",
    "doublequote",
    "escapechar",
    "lineterminator",
    "quotechar",
    "quoting",
    "skipinitialspace",
    "strict",
];

fn one_char(name: &str, o: &Object) -> PyResult<u32> {
    match o.downcast::<Str>() {
        Some(s) if s.len() == 1 => Ok(s.char_at(0)),
        Some(_) => raise!(TypeError, "\"{}\" must be a 1-character string", name),
        None => raise!(TypeError, "\"{}\" must be string, not {}", name, clip(&o.ty().name(), 200)),
    }
}
fn char_or_none(name: &str, o: &Object) -> PyResult<Option<u32>> {
    if o.is_none() {
        return Ok(None);
    }
    match o.downcast::<Str>() {
        Some(s) if s.len() == 1 => Ok(Some(s.char_at(0))),
        Some(_) => raise!(TypeError, "\"{}\" must be a 1-character string", name),
        None => raise!(TypeError, "\"{}\" must be string or None, not {}", name, clip(&o.ty().name(), 200)),
    }
}

impl Dialect {
    /// A dialect from another one (by name, object or class) and single settings.
    fn make(cls: &Type, base: Option<&Object>, settings: Option<&Dict>) -> PyResult<Owned<Dialect>> {
        let found;
        let base = match base {
            Some(b) if b.is_instance_of::<Str>() => {
                found = dialect_named(b)?;
                Some(&*found)
            }
            Some(b) if b.is_none() => None,
            b => b,
        };
        if let Some(s) = settings {
            for k in s.keys_vec() {
                let k = k.str()?;
                let k = k.to_str_lossy();
                if !NAMES.contains(&&*k) {
                    return raise!(TypeError, "'{}' is an invalid keyword argument for this function", k);
                }
            }
        }
        if let Some(d) = base.and_then(|b| b.downcast_exact::<Dialect>())
            && settings.is_none_or(|s| s.len() == 0)
            && cls.is(Dialect::class())
        {
            return Ok(d.own());
        }
        let get = |name: &str| -> PyResult<Option<Owned<Object>>> {
            if let Some(v) = settings.map(|s| s.get_str(name)).transpose()?.flatten() {
                return Ok(Some(v));
            }
            match base {
                Some(b) => b.get_attr_str_opt(name),
                None => Ok(None),
            }
        };
        let flag = |name: &str, default: bool| get(name)?.map_or(Ok(default), |v| v.is_true());
        let delimiter = get("delimiter")?.map_or(Ok(','.into()), |v| one_char("delimiter", &v))?;
        let doublequote = flag("doublequote", true)?;
        let escapechar = get("escapechar")?.map_or(Ok(None), |v| char_or_none("escapechar", &v))?;
        let lineterminator = match get("lineterminator")? {
            None => Str::new("\r\n"),
            Some(v) => match v.downcast_owned::<Str>() {
                Ok(s) => s,
                Err(_) => return raise!(TypeError, "\"lineterminator\" must be a string"),
            },
        };
        let quote_given = get("quotechar")?;
        let quotechar =
            quote_given.as_ref().map_or(Ok(Some('"'.into())), |v| char_or_none("quotechar", v))?;
        let quoting = get("quoting")?;
        let quoting = match &quoting {
            None if quotechar.is_none() => QUOTE_NONE,
            None => QUOTE_MINIMAL,
            Some(v) => match v.downcast_exact::<Int>() {
                None => return raise!(TypeError, "\"quoting\" must be an integer"),
                Some(i) => match i.to_i64() {
                    Some(q @ QUOTE_MINIMAL..=QUOTE_NONE) => q,
                    _ => return raise!(TypeError, "bad \"quoting\" value"),
                },
            },
        };
        let skipinitialspace = flag("skipinitialspace", false)?;
        let strict = flag("strict", false)?;
        if quoting != QUOTE_NONE && quotechar.is_none() {
            return raise!(TypeError, "quotechar must be set if quoting enabled");
        }
        Dialect {
            delimiter,
            doublequote,
            escapechar,
            lineterminator,
            quotechar,
            quoting,
            skipinitialspace,
            strict,
        }
        .build_in(cls)
    }
}

#[pymethods]
impl Dialect {
    #[slot(tp_new)]
    fn new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Dialect>> {
        let names: Vec<&str> = std::iter::once("dialect").chain(NAMES).collect();
        if args.len() > names.len() {
            return raise!(TypeError, "Dialect() takes at most 9 arguments ({} given)", args.len());
        }
        let settings = Dict::new();
        let mut base = None;
        for (i, a) in args.iter().enumerate() {
            if i == 0 {
                base = Some(a.own());
            } else {
                settings.set_str(names[i], a)?;
            }
        }
        for (k, v) in kwargs.map(|k| k.items_vec()).unwrap_or_default() {
            if k.downcast::<Str>().is_some_and(|k| k.equals_str("dialect")) {
                base = Some(v);
            } else {
                settings.set_item(&k, &v)?;
            }
        }
        Dialect::make(cls, base.as_deref(), Some(&settings))
    }
    #[getter]
    fn delimiter(&self) -> Owned<Str> {
        Str::from_char(self.delimiter)
    }
    #[getter]
    fn doublequote(&self) -> bool {
        self.doublequote
    }
    #[getter]
    fn escapechar(&self) -> Option<Owned<Str>> {
        self.escapechar.map(Str::from_char)
    }
    #[getter]
    fn lineterminator(&self) -> Owned<Str> {
        self.lineterminator.clone()
    }
    #[getter]
    fn quotechar(&self) -> Option<Owned<Str>> {
        self.quotechar.map(Str::from_char)
    }
    #[getter]
    fn quoting(&self) -> i64 {
        self.quoting
    }
    #[getter]
    fn skipinitialspace(&self) -> bool {
        self.skipinitialspace
    }
    #[getter]
    fn strict(&self) -> bool {
        self.strict
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Object>> {
        raise!(TypeError, "cannot pickle '{}' instances", clip(&self.ty().name(), 100))
    }
    #[pymethod(signature = "(proto, /)")]
    fn __reduce_ex__(&self, proto: &Object) -> PyResult<Owned<Object>> {
        let _ = proto;
        raise!(TypeError, "cannot pickle '{}' instances", clip(&self.ty().name(), 100))
    }
}

fn dialect_named(name: &Object) -> PyResult<Owned<Object>> {
    match state().dialects.get_item(name)? {
        Some(d) => Ok(d),
        None => Err(csv_error("unknown dialect")),
    }
}

/// The dialect arguments of `reader` and `writer`.
fn dialect_of(args: &Args<'_>, at: usize) -> PyResult<Owned<Dialect>> {
    let settings = Dict::new();
    let mut base = args.get(at).map(|o| o.own());
    for (k, v) in args.kwargs() {
        if k.equals_str("dialect") {
            base = Some(v.own());
        } else {
            settings.set_item(k, v)?;
        }
    }
    Dialect::make(Dialect::class(), base.as_deref(), Some(&settings))
}

// ---- Reader ----

#[derive(Clone, Copy, PartialEq, Debug)]
enum At {
    StartRecord,
    StartField,
    Escaped,
    InField,
    InQuoted,
    EscapedInQuoted,
    QuoteInQuoted,
    EatNewline,
    AfterEscapedNewline,
}

/// CSV reader
#[pyclass(name = "reader", module = "_csv", no_new)]
pub struct Reader {
    input: Owned<Object>,
    dialect: Owned<Dialect>,
    fields: RefCell<Vec<Owned<Object>>>,
    #[notrace]
    field: RefCell<Vec<u32>>,
    #[notrace]
    at: Cell<At>,
    numeric: Cell<bool>,
    line_num: Cell<u64>,
}

impl Reader {
    fn save_field(&self) -> PyResult<()> {
        let mut text = self.field.borrow_mut();
        let s = Str::from_code_points(&text);
        text.clear();
        drop(text);
        let item = if self.numeric.replace(false) { Float::class().call1(&s)? } else { s.into_object() };
        self.fields.borrow_mut().push(item);
        Ok(())
    }
    fn add(&self, c: u32) -> PyResult<()> {
        let mut f = self.field.borrow_mut();
        if f.len() as i64 >= state().limit.get() {
            let limit = state().limit.get();
            return Err(csv_error(&format!("field larger than field limit ({limit})")));
        }
        f.push(c);
        Ok(())
    }
    /// Takes what follows in the line from `at` on up to the next character with a meaning; answers where that is.
    fn add_run(&self, line: Text<'_>, at: usize) -> usize {
        let d = &*self.dialect;
        let quote = if d.quoting == QUOTE_NONE { None } else { d.quotechar };
        let plain = |c: u32| match self.at.get() {
            At::InField => !matches!(c, 10 | 13) && c != d.delimiter && Some(c) != d.escapechar,
            At::InQuoted => Some(c) != quote && Some(c) != d.escapechar,
            _ => false,
        };
        let n = match line {
            Text::U1(t) => t[at..].iter().take_while(|c| plain(**c as u32)).count(),
            t => t.slice(at, t.len()).iter().take_while(|c| plain(*c)).count(),
        };
        let room = state().limit.get() - self.field.borrow().len() as i64;
        let n = n.min(room.max(0) as usize);
        self.field.borrow_mut().extend(line.slice(at, at + n).iter());
        at + n
    }
    /// One character; `None` is the end of a line.
    fn feed(&self, c: Option<u32>) -> PyResult<()> {
        let d = &*self.dialect;
        let newline = c == Some(10) || c == Some(13);
        let quoting = d.quoting != QUOTE_NONE && c.is_some() && c == d.quotechar;
        let escape = c.is_some() && c == d.escapechar;
        let to = |a: At| self.at.set(a);
        let end = || if c.is_none() { At::StartRecord } else { At::EatNewline };
        match self.at.get() {
            At::StartRecord | At::StartField => {
                if self.at.get() == At::StartRecord {
                    if c.is_none() {
                        return Ok(());
                    }
                    if newline {
                        to(At::EatNewline);
                        return Ok(());
                    }
                    to(At::StartField);
                }
                match c {
                    _ if newline || c.is_none() => {
                        self.save_field()?;
                        to(end());
                    }
                    _ if quoting => to(At::InQuoted),
                    _ if escape => to(At::Escaped),
                    Some(32) if d.skipinitialspace => {}
                    Some(c) if c == d.delimiter => self.save_field()?,
                    Some(c) => {
                        if d.quoting == QUOTE_NONNUMERIC {
                            self.numeric.set(true);
                        }
                        self.add(c)?;
                        to(At::InField);
                    }
                    None => {}
                }
            }
            At::Escaped => match c {
                Some(c) if newline => {
                    self.add(c)?;
                    to(At::AfterEscapedNewline);
                }
                c => {
                    self.add(c.unwrap_or(10))?;
                    to(At::InField);
                }
            },
            At::AfterEscapedNewline if c.is_none() => {}
            At::InField | At::AfterEscapedNewline => match c {
                _ if newline || c.is_none() => {
                    self.save_field()?;
                    to(end());
                }
                _ if escape => to(At::Escaped),
                Some(c) if c == d.delimiter => {
                    self.save_field()?;
                    to(At::StartField);
                }
                Some(c) => {
                    self.add(c)?;
                    to(At::InField);
                }
                None => {}
            },
            At::InQuoted => match c {
                None => {}
                _ if escape => to(At::EscapedInQuoted),
                _ if quoting => to(if d.doublequote { At::QuoteInQuoted } else { At::InField }),
                Some(c) => self.add(c)?,
            },
            At::EscapedInQuoted => {
                self.add(c.unwrap_or(10))?;
                to(At::InQuoted);
            }
            At::QuoteInQuoted => match c {
                Some(c) if quoting => {
                    self.add(c)?;
                    to(At::InQuoted);
                }
                Some(c) if c == d.delimiter => {
                    self.save_field()?;
                    to(At::StartField);
                }
                _ if newline || c.is_none() => {
                    self.save_field()?;
                    to(end());
                }
                Some(c) if !d.strict => {
                    self.add(c)?;
                    to(At::InField);
                }
                _ => {
                    let shown = |c: u32| char::from_u32(c).unwrap_or('\u{fffd}');
                    let (a, b) = (shown(d.delimiter), shown(d.quotechar.unwrap_or(34)));
                    return Err(csv_error(&format!("'{a}' expected after '{b}'")));
                }
            },
            At::EatNewline => match c {
                _ if newline => {}
                None => to(At::StartRecord),
                _ => {
                    return Err(csv_error(
                        "new-line character seen in unquoted field - do you need to open the file in universal-newline mode?",
                    ));
                }
            },
        }
        Ok(())
    }
}

#[pymethods]
impl Reader {
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<Reader> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        self.fields.borrow_mut().clear();
        self.field.borrow_mut().clear();
        self.at.set(At::StartRecord);
        self.numeric.set(false);
        loop {
            let Some(line) = self.input.iter_next()? else {
                if !self.field.borrow().is_empty() || self.at.get() == At::InQuoted {
                    if self.dialect.strict {
                        return Err(csv_error("unexpected end of data"));
                    }
                    self.save_field()?;
                    break;
                }
                return Ok(None);
            };
            let Some(s) = line.downcast::<Str>() else {
                return Err(csv_error(&format!(
                    "iterator should return strings, not {} (the file should be opened in text mode)",
                    clip(&line.ty().name(), 200)
                )));
            };
            self.line_num.set(self.line_num.get() + 1);
            let (text, mut at) = (s.text(), 0);
            while at < text.len() {
                if matches!(self.at.get(), At::InField | At::InQuoted) {
                    at = self.add_run(text, at);
                    if at == text.len() {
                        break;
                    }
                }
                self.feed(Some(text.at(at)))?;
                at += 1;
            }
            self.feed(None)?;
            if self.at.get() == At::StartRecord {
                break;
            }
        }
        let fields = std::mem::take(&mut *self.fields.borrow_mut());
        Ok(Some(List::from_vec(fields).into_object()))
    }
    #[getter]
    fn dialect(&self) -> Owned<Dialect> {
        self.dialect.clone()
    }
    #[getter]
    fn line_num(&self) -> u64 {
        self.line_num.get()
    }
}

/// Return an iterator over the records of an iterable of lines.
#[pyfunction(raw)]
fn reader(args: Args<'_>) -> PyResult<Owned<Reader>> {
    if args.len() == 0 {
        return raise!(TypeError, " expected at least 1 argument, got 0");
    }
    if args.len() > 2 {
        return raise!(TypeError, " expected at most 2 arguments, got {}", args.len());
    }
    let input = args.get(0).expect("one argument").iterator()?;
    Ok(Reader {
        input,
        dialect: dialect_of(&args, 1)?,
        fields: Default::default(),
        field: Default::default(),
        at: Cell::new(At::StartRecord),
        numeric: Cell::new(false),
        line_num: Cell::new(0),
    }
    .build())
}

// ---- Writer ----

/// CSV writer
#[pyclass(name = "writer", module = "_csv", no_new)]
pub struct Writer {
    write: Owned<Object>,
    dialect: Owned<Dialect>,
}

impl Writer {
    fn push_field(
        &self,
        out: &mut StrBuilder,
        s: Option<&Str>,
        mut quoted: bool,
        first: bool,
    ) -> PyResult<()> {
        let d = &*self.dialect;
        let is_special = |c: u32| {
            c == d.delimiter
                || Some(c) == d.escapechar
                || Some(c) == d.quotechar
                || d.lineterminator.chars().any(|t| t == c)
        };
        let whole = s.filter(|s| !s.chars().any(is_special));
        let mut text: Vec<u32> = vec![];
        for c in s.into_iter().filter(|_| whole.is_none()).flat_map(|s| s.chars()) {
            if is_special(c) {
                let mut want_escape = false;
                if d.quoting == QUOTE_NONE {
                    want_escape = true;
                } else if Some(c) == d.quotechar {
                    if d.doublequote {
                        text.push(c);
                    } else {
                        want_escape = true;
                    }
                } else if Some(c) == d.escapechar {
                    want_escape = true;
                }
                if !want_escape {
                    quoted = true;
                } else {
                    match d.escapechar {
                        Some(e) => text.push(e),
                        None => return Err(csv_error("need to escape, but no escapechar set")),
                    }
                }
            }
            text.push(c);
        }
        if !first {
            out.push(d.delimiter);
        }
        if quoted {
            out.push(d.quotechar.unwrap_or(34));
        }
        match whole {
            Some(s) => out.push_obj(s),
            None => text.iter().for_each(|c| out.push(*c)),
        }
        if quoted {
            out.push(d.quotechar.unwrap_or(34));
        }
        Ok(())
    }
}

#[pymethods]
impl Writer {
    /// Write one record.
    #[pymethod]
    fn writerow(&self, row: &Object) -> PyResult<Owned<Object>> {
        let d = &*self.dialect;
        let it = match row.iterator() {
            Ok(it) => it,
            Err(e) if e.matches(exc::TypeError()) => {
                e.clear();
                return Err(csv_error(&format!("iterable expected, not {}", clip(&row.ty().name(), 200))));
            }
            Err(e) => return Err(e),
        };
        let mut out = StrBuilder::new();
        let mut n = 0;
        let mut null_field = false;
        while let Some(f) = it.iter_next()? {
            let quoted = match d.quoting {
                QUOTE_NONNUMERIC => {
                    // SAFETY: a live object has a live type.
                    let number = unsafe {
                        let m = (*f.ob_type()).tp_as_number;
                        !m.is_null()
                            && ((*m).nb_index.is_some() || (*m).nb_int.is_some() || (*m).nb_float.is_some())
                    };
                    !number
                }
                QUOTE_ALL => true,
                _ => false,
            };
            null_field = f.is_none();
            if let Some(s) = f.downcast::<Str>() {
                self.push_field(&mut out, Some(s), quoted, n == 0)?;
                null_field = false;
            } else if f.is_none() {
                self.push_field(&mut out, None, quoted, n == 0)?;
            } else {
                let s = f.str()?;
                self.push_field(&mut out, Some(&s), quoted, n == 0)?;
            }
            n += 1;
        }
        let _ = null_field;
        if n > 0 && out.len() == 0 {
            // A lone empty field would read back as an empty record.
            if d.quoting == QUOTE_NONE {
                return Err(csv_error("single empty field record must be quoted"));
            }
            let mut b = StrBuilder::new();
            self.push_field(&mut b, None, true, true)?;
            out = b;
        }
        out.push_obj(&d.lineterminator);
        self.write.call1(&out.finish())
    }
    /// Write several records.
    #[pymethod]
    fn writerows(&self, rows: &Object) -> PyResult<()> {
        let it = rows.iterator()?;
        while let Some(r) = it.iter_next()? {
            self.writerow(&r)?;
        }
        Ok(())
    }
    #[getter]
    fn dialect(&self) -> Owned<Dialect> {
        self.dialect.clone()
    }
}

/// Return a writer of records to a file-like object.
#[pyfunction(raw)]
fn writer(args: Args<'_>) -> PyResult<Owned<Writer>> {
    if args.len() == 0 {
        return raise!(TypeError, " expected at least 1 argument, got 0");
    }
    if args.len() > 2 {
        return raise!(TypeError, " expected at most 2 arguments, got {}", args.len());
    }
    let dialect = dialect_of(&args, 1)?;
    let write = args.get(0).expect("one argument").get_attr_str_opt("write")?;
    let Some(write) = write.filter(|w| w.is_callable()) else {
        return raise!(TypeError, "argument 1 must have a \"write\" method");
    };
    Ok(Writer { write, dialect }.build())
}

// ---- Registry ----

/// Return the names of all known dialects.
#[pyfunction]
fn list_dialects() -> Vec<Owned<Object>> {
    state().dialects.keys_vec()
}
/// Give a dialect a name.
#[pyfunction(raw)]
fn register_dialect(args: Args<'_>) -> PyResult<()> {
    let Some(name) = args.get(0) else {
        return raise!(TypeError, "register_dialect expected at least 1 argument, got 0");
    };
    if args.len() > 2 {
        return raise!(TypeError, "register_dialect expected at most 2 arguments, got {}", args.len());
    }
    if !name.is_instance_of::<Str>() {
        return raise!(TypeError, "dialect name must be a string");
    }
    let d = dialect_of(&args, 1)?;
    state().dialects.set_item(name, &d)
}
/// Forget a dialect's name.
#[pyfunction]
fn unregister_dialect(name: &Object) -> PyResult<()> {
    if state().dialects.del_item(name)? { Ok(()) } else { Err(csv_error("unknown dialect")) }
}
/// Return the dialect of this name.
#[pyfunction]
fn get_dialect(name: &Object) -> PyResult<Owned<Object>> {
    dialect_named(name)
}
/// Set an upper limit on parsed fields; return the old one.
#[pyfunction]
fn field_size_limit(limit: Option<&Object>) -> PyResult<i64> {
    let old = state().limit.get();
    if let Some(l) = limit {
        let Some(i) = l.downcast_exact::<Int>() else { return raise!(TypeError, "limit must be an integer") };
        match i.to_i64() {
            Some(v) => state().limit.set(v),
            None => return raise!(OverflowError, "Python int too large to convert to C long"),
        }
    }
    Ok(old)
}

fn setup(m: &Module) -> PyResult<()> {
    let body = Dict::new();
    body.set_str("__module__", &Str::new("_csv"))?;
    let error = Type::class().call(&[&Str::new("Error"), &Tuple::from_refs(&[exc::Exception()]), &body])?;
    let Ok(error) = error.downcast_owned::<Type>() else { return Err(bad_internal_call()) };
    let s = STATE.get_or_init(|| State { error, dialects: Dict::new(), limit: Cell::new(128 * 1024) });
    m.add("Error", &s.error)?;
    m.add("_dialects", &s.dialects)?;
    m.add("Dialect", ready::<Dialect>()?)?;
    m.add("Reader", ready::<Reader>()?)?;
    m.add("Writer", ready::<Writer>()?)?;
    m.add("__version__", &Str::new("1.0"))?;
    for (n, v) in [
        ("QUOTE_MINIMAL", QUOTE_MINIMAL),
        ("QUOTE_ALL", QUOTE_ALL),
        ("QUOTE_NONNUMERIC", QUOTE_NONNUMERIC),
        ("QUOTE_NONE", QUOTE_NONE),
    ] {
        m.add(n, &Int::from_i64(v))?;
    }
    Ok(())
}
module! { "_csv", functions: [
    reader, writer, list_dialects, register_dialect, unregister_dialect, get_dialect, field_size_limit,
], init: setup }
