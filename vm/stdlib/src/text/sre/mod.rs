//! `_sre`: compiled patterns, matches and scanners over the engine in `engine.rs`.

use lh_runtime::buffer::{Buffer, supports_buffer};
use lh_runtime::prelude::*;
use lh_runtime::strobject::{Text, clip};
use lh_runtime::unicode;
use std::cell::Cell;

pub mod engine;
use engine::Matcher;

const FLAG_TEMPLATE: i64 = 1;
const FLAG_LOCALE: i64 = 4;
const FLAG_UNICODE: i64 = 32;
static FLAGS: [(&str, i64); 8] = [
    ("re.TEMPLATE", FLAG_TEMPLATE),
    ("re.IGNORECASE", 2),
    ("re.LOCALE", FLAG_LOCALE),
    ("re.MULTILINE", 8),
    ("re.DOTALL", 16),
    ("re.VERBOSE", 64),
    ("re.DEBUG", 128),
    ("re.ASCII", 256),
];

/// A compiled regular expression.
#[pyclass(name = "Pattern", module = "re", weakref, no_new)]
pub struct Pattern {
    pattern: Owned<Object>,
    flags: i64,
    groups: usize,
    groupindex: Owned<Dict>,
    /// Names by group number; None where a group has no name.
    indexgroup: Owned<Tuple>,
    #[notrace]
    code: Vec<u32>,
    /// `None`: works on both (no pattern text).
    #[notrace]
    is_bytes: Option<bool>,
}

// ---- Subjects ----

/// The text being searched, kept alive.
enum Subject<'a> {
    Text(&'a Str),
    Bytes(&'a [u8]),
    Buffer(Buffer),
}
impl<'a> Subject<'a> {
    fn get(o: &'a Object) -> PyResult<Subject<'a>> {
        if let Some(s) = o.downcast::<Str>() {
            return Ok(Subject::Text(s));
        }
        if let Some(b) = o.downcast::<Bytes>() {
            return Ok(Subject::Bytes(b.as_bytes()));
        }
        if supports_buffer(o) {
            match Buffer::simple(o) {
                Ok(b) => return Ok(Subject::Buffer(b)),
                Err(e) => e.clear(),
            }
        }
        raise!(TypeError, "expected string or bytes-like object, got '{}'", clip(&o.ty().name(), 200))
    }
    fn text(&self) -> Text<'_> {
        match self {
            Subject::Text(s) => s.text(),
            Subject::Bytes(b) => Text::U1(b),
            Subject::Buffer(b) => Text::U1(b.as_bytes()),
        }
    }
    /// The part `start..end` as a new object.
    fn slice(&self, o: &Object, start: usize, end: usize) -> Owned<Object> {
        match self {
            Subject::Text(s) => s.slice(start, end).into_object(),
            Subject::Bytes(b) if start == 0 && end == b.len() && o.is_exact::<Bytes>() => o.own(),
            Subject::Bytes(b) => Bytes::new(&b[start.min(b.len())..end.min(b.len())]).into_object(),
            Subject::Buffer(b) => {
                let b = b.as_bytes();
                let end = end.min(b.len());
                Bytes::new(&b[start.min(end)..end]).into_object()
            }
        }
    }
}

/// What one match found.
struct Found {
    start: usize,
    end: usize,
    marks: Vec<isize>,
    lastindex: i32,
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    Match,
    Full,
    Search,
}

impl Pattern {
    fn check_subject(&self, s: &Subject<'_>) -> PyResult<()> {
        match (self.is_bytes, s) {
            (Some(true), Subject::Text(_)) => {
                raise!(TypeError, "cannot use a bytes pattern on a string-like object")
            }
            (Some(false), Subject::Bytes(_) | Subject::Buffer(_)) => {
                raise!(TypeError, "cannot use a string pattern on a bytes-like object")
            }
            _ => Ok(()),
        }
    }
    fn subject<'a>(&self, o: &'a Object) -> PyResult<Subject<'a>> {
        let s = Subject::get(o)?;
        self.check_subject(&s)?;
        Ok(s)
    }
    fn run(&self, text: Text<'_>, from: usize, end: usize, how: How, must_advance: bool) -> Option<Found> {
        fn go<C: lh_runtime::strobject::Unit>(
            p: &Pattern,
            t: &[C],
            from: usize,
            how: How,
            must_advance: bool,
        ) -> Option<Found> {
            let mut m = Matcher::new(&p.code, t, p.groups);
            let ok = match how {
                How::Search => m.search(from, must_advance),
                _ => m.match_at(from, how == How::Full, must_advance),
            };
            ok.then(|| Found {
                start: m.start,
                end: m.ptr,
                marks: std::mem::take(&mut m.marks),
                lastindex: m.lastindex,
            })
        }
        match text {
            Text::U1(t) => go(self, &t[..end], from, how, must_advance),
            Text::U2(t) => go(self, &t[..end], from, how, must_advance),
            Text::U4(t) => go(self, &t[..end], from, how, must_advance),
        }
    }
    fn make_match(&self, string: &Object, f: Found, pos: usize, endpos: usize) -> Owned<Match> {
        let mut marks = Vec::with_capacity(f.marks.len() + 2);
        marks.extend([f.start as isize, f.end as isize]);
        for g in f.marks.chunks_exact(2) {
            marks.extend(if g[0] >= 0 && g[1] >= 0 { [g[0], g[1]] } else { [-1, -1] });
        }
        Match {
            string: string.own(),
            pattern: self.own(),
            pos,
            endpos,
            lastindex: f.lastindex,
            marks,
            regs: Slot::empty(),
        }
        .build()
    }
    fn one(&self, string: &Object, pos: isize, endpos: isize, how: How) -> PyResult<Option<Owned<Match>>> {
        let s = self.subject(string)?;
        let (pos, end) = clip_range(pos, endpos, s.text().len());
        if pos > end {
            return Ok(None);
        }
        Ok(self.run(s.text(), pos, end, how, false).map(|f| self.make_match(string, f, pos, end)))
    }
    /// What `findall` and `split` give for a match.
    fn group_of(&self, s: &Subject<'_>, o: &Object, f: &Found, i: usize) -> Option<Owned<Object>> {
        let (a, b) = match i {
            0 => (f.start as isize, f.end as isize),
            i => (f.marks[2 * i - 2], f.marks[2 * i - 1]),
        };
        (a >= 0 && b >= 0).then(|| s.slice(o, a as usize, b as usize))
    }
    fn substitute(&self, repl: &Object, string: &Object, count: isize) -> PyResult<(Owned<Object>, usize)> {
        enum Filter {
            Literal(Owned<Object>),
            Call(Owned<Object>),
        }
        let filter = if repl.is_callable() {
            Filter::Call(repl.own())
        } else {
            let backslash = match Subject::get(repl) {
                Ok(r) => match r.text() {
                    Text::U1(b) => memchr::memchr(b'\\', b).is_some(),
                    t => t.iter().any(|c| c == '\\' as u32),
                },
                Err(e) => {
                    e.clear();
                    true
                }
            };
            if backslash {
                let re = lh_runtime::hooks::import_module("re")?;
                let f = re.call_method("_subx", &[self, repl])?;
                if f.is_callable() { Filter::Call(f) } else { Filter::Literal(f) }
            } else {
                Filter::Literal(repl.own())
            }
        };
        let s = self.subject(string)?;
        let len = s.text().len();
        let mut parts: Vec<Owned<Object>> = vec![];
        let (mut at, mut copied, mut n, mut must_advance) = (0usize, 0usize, 0usize, false);
        while count <= 0 || (n as isize) < count {
            let Some(f) = self.run(s.text(), at, len.min(s.text().len()), How::Search, must_advance) else {
                break;
            };
            let (b, e) = (f.start, f.end);
            if copied < b {
                parts.push(s.slice(string, copied, b));
            }
            let item = match &filter {
                Filter::Literal(l) => l.clone(),
                Filter::Call(c) => c.call1(&self.make_match(string, f, 0, len))?,
            };
            if !item.is_none() {
                parts.push(item);
            }
            copied = e;
            n += 1;
            must_advance = e == b;
            at = e;
        }
        if n == 0 && matches!(&s, Subject::Text(t) if t.is_exact::<Str>()) {
            return Ok((string.own(), 0));
        }
        if copied < len {
            parts.push(s.slice(string, copied, len));
        }
        let joiner = s.slice(string, 0, 0);
        let refs: Vec<&Object> = parts.iter().map(|p| &**p).collect();
        let joined = match joiner.downcast::<Str>() {
            Some(j) if refs.is_empty() => j.own().into_object(),
            Some(j) => j.join_refs(&refs)?.into_object(),
            None => joiner.call_method("join", &[&List::from_vec(parts)])?,
        };
        Ok((joined, n))
    }
}

fn clip_range(pos: isize, endpos: isize, len: usize) -> (usize, usize) {
    let n = len as isize;
    (pos.clamp(0, n) as usize, endpos.clamp(0, n) as usize)
}

#[pymethods]
impl Pattern {
    /// Matches the start of the string.
    #[pymethod(name = "match", signature = "(string, pos=0, endpos=9223372036854775807)")]
    fn match_(&self, string: &Object, pos: isize, endpos: isize) -> PyResult<Option<Owned<Match>>> {
        self.one(string, pos, endpos, How::Match)
    }
    /// Matches the whole string.
    #[pymethod(signature = "(string, pos=0, endpos=9223372036854775807)")]
    fn fullmatch(&self, string: &Object, pos: isize, endpos: isize) -> PyResult<Option<Owned<Match>>> {
        self.one(string, pos, endpos, How::Full)
    }
    /// Finds the first match in the string.
    #[pymethod(signature = "(string, pos=0, endpos=9223372036854775807)")]
    fn search(&self, string: &Object, pos: isize, endpos: isize) -> PyResult<Option<Owned<Match>>> {
        self.one(string, pos, endpos, How::Search)
    }
    /// Return a list of all non-overlapping matches (their groups, if the pattern has any).
    #[pymethod(signature = "(string, pos=0, endpos=9223372036854775807)")]
    fn findall(&self, string: &Object, pos: isize, endpos: isize) -> PyResult<Vec<Owned<Object>>> {
        let s = self.subject(string)?;
        let (mut at, end) = clip_range(pos, endpos, s.text().len());
        let empty = s.slice(string, 0, 0);
        let mut out = vec![];
        let mut must_advance = false;
        while at <= end {
            let Some(f) = self.run(s.text(), at, end, How::Search, must_advance) else { break };
            let group = |i| self.group_of(&s, string, &f, i).unwrap_or_else(|| empty.clone());
            out.push(match self.groups {
                0 => group(0),
                1 => group(1),
                n => Tuple::from_vec((1..=n).map(group).collect()).into_object(),
            });
            must_advance = f.end == f.start;
            at = f.end;
        }
        Ok(out)
    }
    /// Return an iterator over all non-overlapping matches.
    #[pymethod(signature = "(string, pos=0, endpos=9223372036854775807)")]
    fn finditer(&self, string: &Object, pos: isize, endpos: isize) -> PyResult<Owned<Object>> {
        let scanner = self.scanner(string, pos, endpos)?;
        let search = scanner.get_attr_str("search")?;
        lh_runtime::str_methods::builtin("iter")?.call(&[&search, none_ref()])
    }
    /// Return a scanner over the string.
    #[pymethod(signature = "(string, pos=0, endpos=9223372036854775807)")]
    fn scanner(&self, string: &Object, pos: isize, endpos: isize) -> PyResult<Owned<Scanner>> {
        let s = self.subject(string)?;
        let (pos, end) = clip_range(pos, endpos, s.text().len());
        Ok(Scanner {
            pattern: self.own(),
            string: string.own(),
            _view: match s {
                Subject::Buffer(b) => Some(b),
                _ => None,
            },
            pos,
            end,
            at: Cell::new(Some(pos)),
            must_advance: Cell::new(false),
        }
        .build())
    }
    /// Split the string by the occurrences of the pattern.
    #[pymethod(signature = "(string, maxsplit=0)")]
    fn split(&self, string: &Object, maxsplit: isize) -> PyResult<Vec<Owned<Object>>> {
        let s = self.subject(string)?;
        let len = s.text().len();
        let mut out = vec![];
        let (mut at, mut last, mut n, mut must_advance) = (0, 0, 0, false);
        while maxsplit <= 0 || n < maxsplit {
            let Some(f) = self.run(s.text(), at, len, How::Search, must_advance) else { break };
            out.push(s.slice(string, last, f.start));
            for i in 1..=self.groups {
                out.push(self.group_of(&s, string, &f, i).unwrap_or_else(none));
            }
            n += 1;
            must_advance = f.end == f.start;
            last = f.end;
            at = f.end;
        }
        out.push(s.slice(string, last, len));
        Ok(out)
    }
    /// Replace the occurrences of the pattern by repl.
    #[pymethod(signature = "(repl, string, count=0)")]
    fn sub(&self, repl: &Object, string: &Object, count: isize) -> PyResult<Owned<Object>> {
        Ok(self.substitute(repl, string, count)?.0)
    }
    /// Like sub(); return the new string and the number of replacements.
    #[pymethod(signature = "(repl, string, count=0)")]
    fn subn(&self, repl: &Object, string: &Object, count: isize) -> PyResult<(Owned<Object>, usize)> {
        self.substitute(repl, string, count)
    }
    #[pymethod]
    fn __copy__(&self) -> Owned<Pattern> {
        self.own()
    }
    #[pymethod(signature = "(memo, /)")]
    fn __deepcopy__(&self, memo: &Object) -> Owned<Pattern> {
        let _ = memo;
        self.own()
    }
    #[classmethod]
    fn __class_getitem__(cls: &Type, item: &Object) -> PyResult<Owned<Object>> {
        generic_alias(cls, item)
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<Owned<Str>> {
        let mut flags = self.flags;
        if self.is_bytes == Some(false) && flags & (FLAG_LOCALE | FLAG_UNICODE | 256) == FLAG_UNICODE {
            flags &= !FLAG_UNICODE;
        }
        let mut names: Vec<String> = vec![];
        for (n, f) in FLAGS {
            if flags & f != 0 {
                names.push(n.to_string());
                flags &= !f;
            }
        }
        if flags != 0 {
            names.push(format!("0x{flags:x}"));
        }
        let r = self.pattern.repr()?;
        let mut b = StrBuilder::new();
        b.push_str("re.compile(");
        b.push_slice(&r, 0, 200);
        if !names.is_empty() {
            b.push_str(", ");
            b.push_str(&names.join("|"));
        }
        b.push_str(")");
        Ok(b.finish())
    }
    #[slot(tp_hash)]
    fn hash(&self) -> PyResult<isize> {
        let code: Vec<u8> = self.code.iter().flat_map(|c| c.to_le_bytes()).collect();
        let h = self.pattern.hash_obj()? ^ lh_runtime::hashing::hash_bytes(&code);
        Ok(h ^ self.flags as isize ^ self.is_bytes.map_or(-1, |b| b as isize) ^ self.groups as isize)
    }
    #[slot(tp_richcompare)]
    fn compare(&self, other: &Object, op: CompareOp) -> PyResult<Owned<Object>> {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented());
        }
        let Some(o) = other.downcast::<Pattern>() else { return Ok(not_implemented()) };
        let same = self.is(other)
            || self.flags == o.flags
                && self.is_bytes == o.is_bytes
                && self.groups == o.groups
                && self.code == o.code
                && self.pattern.equals_obj(&o.pattern)?;
        Ok(bool_obj(same == (op == CompareOp::Eq)))
    }
    /// The pattern string from which the object was compiled.
    #[getter]
    fn pattern(&self) -> Owned<Object> {
        self.pattern.clone()
    }
    /// The matching flags.
    #[getter]
    fn flags(&self) -> i64 {
        self.flags
    }
    /// The number of capturing groups.
    #[getter]
    fn groups(&self) -> usize {
        self.groups
    }
    /// A mapping of group names to group numbers.
    #[getter]
    fn groupindex(&self) -> PyResult<Owned<Object>> {
        // SAFETY: the type object of mappingproxy is ready and its `tp_new` takes one mapping.
        let t = unsafe { Type::from_raw_ref(<MappingProxy as Kind>::type_ptr()) };
        t.call1(&self.groupindex)
    }
}

fn generic_alias(cls: &Type, item: &Object) -> PyResult<Owned<Object>> {
    // SAFETY: a static type object.
    let t = unsafe { Type::from_raw_ref(&raw mut lh_runtime::type_table::Py_GenericAliasType) };
    t.call(&[cls, item])
}

// ---- Matches ----

/// The result of re.match() and re.search().
#[pyclass(name = "Match", module = "re", no_new)]
pub struct Match {
    string: Owned<Object>,
    pattern: Owned<Pattern>,
    pos: usize,
    endpos: usize,
    lastindex: i32,
    /// Start and end of the match and of each group; -1 where a group took no part.
    #[notrace]
    marks: Vec<isize>,
    regs: Slot,
}

impl Match {
    /// The number of a group given by number or name.
    fn index(&self, o: &Object) -> PyResult<usize> {
        let n = if let Some(i) = o.downcast::<Int>() {
            i.to_i64()
        } else if lh_runtime::str_methods::has_index(o) {
            lh_runtime::number::index(o)?.to_i64()
        } else {
            match self.pattern.groupindex.get_item(o) {
                Ok(Some(v)) => v.downcast::<Int>().and_then(|i| i.to_i64()),
                Ok(None) => None,
                Err(e) => {
                    e.clear();
                    None
                }
            }
        };
        match n {
            Some(n) if n >= 0 && (n as usize) < self.marks.len() / 2 => Ok(n as usize),
            _ => raise!(IndexError, "no such group"),
        }
    }
    fn index_opt(&self, o: Option<&Object>) -> PyResult<usize> {
        o.map_or(Ok(0), |o| self.index(o))
    }
    fn get(&self, i: usize) -> PyResult<Option<Owned<Object>>> {
        let (a, b) = (self.marks[2 * i], self.marks[2 * i + 1]);
        if a < 0 || self.string.is_none() {
            return Ok(None);
        }
        let s = Subject::get(&self.string)?;
        let len = s.text().len();
        Ok(Some(s.slice(&self.string, (a as usize).min(len), (b as usize).min(len))))
    }
    fn get_or(&self, i: usize, default: Option<&Object>) -> PyResult<Owned<Object>> {
        Ok(self.get(i)?.unwrap_or_else(|| default.map_or_else(none, |d| d.own())))
    }
}

#[pymethods]
impl Match {
    /// Return subgroups of the match, by number or name; group 0 is the whole match.
    #[pymethod(raw)]
    fn group(&self, args: Args<'_>) -> PyResult<Owned<Object>> {
        args.no_kwargs("Match.group")?;
        match args.len() {
            0 => self.get_or(0, None),
            1 => self.get_or(self.index(args.get(0).expect("one argument"))?, None),
            _ => {
                let v: PyResult<Vec<_>> = args.iter().map(|o| self.get_or(self.index(o)?, None)).collect();
                Ok(Tuple::from_vec(v?).into_object())
            }
        }
    }
    #[slot(mp_subscript)]
    fn subscript(&self, key: &Object) -> PyResult<Owned<Object>> {
        self.get_or(self.index(key)?, None)
    }
    /// Return a tuple of all subgroups, from 1.
    #[pymethod(signature = "(default=None)")]
    fn groups(&self, default: Option<&Object>) -> PyResult<Owned<Tuple>> {
        let v: PyResult<Vec<_>> = (1..self.marks.len() / 2).map(|i| self.get_or(i, default)).collect();
        Ok(Tuple::from_vec(v?))
    }
    /// Return a dictionary of all named subgroups.
    #[pymethod(signature = "(default=None)")]
    fn groupdict(&self, default: Option<&Object>) -> PyResult<Owned<Dict>> {
        let d = Dict::new();
        for (k, v) in self.pattern.groupindex.items_vec() {
            d.set_item(&k, &*self.get_or(self.index(&v)?, default)?)?;
        }
        Ok(d)
    }
    /// Return the index of the start of a group.
    #[pymethod]
    fn start(&self, group: Option<&Object>) -> PyResult<isize> {
        Ok(self.marks[2 * self.index_opt(group)?])
    }
    /// Return the index of the end of a group.
    #[pymethod]
    fn end(&self, group: Option<&Object>) -> PyResult<isize> {
        Ok(self.marks[2 * self.index_opt(group)? + 1])
    }
    /// Return start and end of a group.
    #[pymethod]
    fn span(&self, group: Option<&Object>) -> PyResult<(isize, isize)> {
        let i = self.index_opt(group)?;
        Ok((self.marks[2 * i], self.marks[2 * i + 1]))
    }
    /// Return the string that the template makes with this match's groups.
    #[pymethod(signature = "(template)")]
    fn expand(&self, template: &Object) -> PyResult<Owned<Object>> {
        let re = lh_runtime::hooks::import_module("re")?;
        re.call_method("_expand", &[&self.pattern, self, template])
    }
    #[pymethod]
    fn __copy__(&self) -> Owned<Match> {
        self.own()
    }
    #[pymethod(signature = "(memo, /)")]
    fn __deepcopy__(&self, memo: &Object) -> Owned<Match> {
        let _ = memo;
        self.own()
    }
    #[classmethod]
    fn __class_getitem__(cls: &Type, item: &Object) -> PyResult<Owned<Object>> {
        generic_alias(cls, item)
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<Owned<Str>> {
        let g = self.get_or(0, None)?.repr()?;
        let mut b = StrBuilder::new();
        b.push_str(&format!("<re.Match object; span=({}, {}), match=", self.marks[0], self.marks[1]));
        b.push_slice(&g, 0, 50);
        b.push_str(">");
        Ok(b.finish())
    }
    /// The string passed to match() or search().
    #[getter]
    fn string(&self) -> Owned<Object> {
        self.string.clone()
    }
    /// The regular expression object.
    #[getter]
    fn re(&self) -> Owned<Pattern> {
        self.pattern.clone()
    }
    /// The index from which the engine started.
    #[getter]
    fn pos(&self) -> usize {
        self.pos
    }
    /// The index beyond which the engine did not go.
    #[getter]
    fn endpos(&self) -> usize {
        self.endpos
    }
    /// The number of the last matched capturing group.
    #[getter]
    fn lastindex(&self) -> Option<i32> {
        (self.lastindex >= 0).then_some(self.lastindex)
    }
    /// The name of the last matched capturing group.
    #[getter]
    fn lastgroup(&self) -> Owned<Object> {
        let t = &self.pattern.indexgroup;
        match usize::try_from(self.lastindex) {
            Ok(i) if i < t.len() => t.get(i),
            _ => none(),
        }
    }
    #[getter]
    fn regs(&self) -> PyResult<Owned<Object>> {
        if let Some(r) = self.regs.get() {
            return Ok(r);
        }
        let v: PyResult<Vec<_>> = self.marks.chunks_exact(2).map(|m| (m[0], m[1]).into_py()).collect();
        let t = Tuple::from_vec(v?).into_object();
        self.regs.set(Some(t.clone()));
        Ok(t)
    }
}

// ---- Scanners ----

/// Goes through a string match by match.
#[pyclass(name = "SRE_Scanner", module = "_sre", no_new)]
pub struct Scanner {
    pattern: Owned<Pattern>,
    string: Owned<Object>,
    /// Keeps the bytes where they are while the scanner lives.
    #[notrace]
    _view: Option<Buffer>,
    pos: usize,
    end: usize,
    /// Where the next match is looked for; `None` at the end.
    #[notrace]
    at: Cell<Option<usize>>,
    must_advance: Cell<bool>,
}

impl Scanner {
    fn step(&self, how: How) -> PyResult<Option<Owned<Match>>> {
        let Some(at) = self.at.get() else { return Ok(None) };
        let s = self.pattern.subject(&self.string)?;
        let end = self.end.min(s.text().len());
        if at > end {
            return Ok(None);
        }
        match self.pattern.run(s.text(), at, end, how, self.must_advance.get()) {
            None => {
                self.at.set(None);
                Ok(None)
            }
            Some(f) => {
                self.must_advance.set(f.end == f.start);
                self.at.set(Some(f.end));
                Ok(Some(self.pattern.make_match(&self.string, f, self.pos, self.end)))
            }
        }
    }
}

#[pymethods]
impl Scanner {
    #[pymethod(name = "match")]
    fn match_(&self) -> PyResult<Option<Owned<Match>>> {
        self.step(How::Match)
    }
    #[pymethod]
    fn search(&self) -> PyResult<Option<Owned<Match>>> {
        self.step(How::Search)
    }
    #[getter]
    fn pattern(&self) -> Owned<Pattern> {
        self.pattern.clone()
    }
}

// ---- The module ----

#[pyfunction(signature = "(pattern, flags, code, groups, groupindex, indexgroup)")]
fn compile(
    pattern: &Object,
    flags: i64,
    code: &List,
    groups: usize,
    groupindex: &Dict,
    indexgroup: &Tuple,
) -> PyResult<Owned<Pattern>> {
    let mut v = Vec::with_capacity(code.len());
    for o in code.to_vec() {
        match lh_runtime::number::index(&o)?.to_u64().and_then(|c| u32::try_from(c).ok()) {
            Some(c) => v.push(c),
            None => return raise!(OverflowError, "regular expression code size limit exceeded"),
        }
    }
    let is_bytes = if pattern.is_none() {
        None
    } else {
        match Subject::get(pattern)? {
            Subject::Text(_) => Some(false),
            _ => Some(true),
        }
    };
    if v.is_empty() {
        return raise!(RuntimeError, "invalid SRE code");
    }
    Ok(Pattern {
        pattern: pattern.own(),
        flags,
        groups,
        groupindex: groupindex.own(),
        indexgroup: indexgroup.own(),
        code: v,
        is_bytes,
    }
    .build())
}
#[pyfunction]
fn getcodesize() -> i32 {
    4
}
#[pyfunction]
fn ascii_iscased(character: i32) -> bool {
    (0..128).contains(&character) && (character as u8).is_ascii_alphabetic()
}
#[pyfunction]
fn unicode_iscased(character: i32) -> bool {
    unicode::has(character as u32, unicode::SRE_CASED)
}
#[pyfunction]
fn ascii_tolower(character: i32) -> u32 {
    engine::ascii_lower(character as u32)
}
#[pyfunction]
fn unicode_tolower(character: i32) -> u32 {
    unicode::to_lower(character as u32)
}

fn setup(m: &Module) -> PyResult<()> {
    ready::<Pattern>()?;
    ready::<Match>()?;
    ready::<Scanner>()?;
    m.add("MAGIC", &Int::from_i64(20220615))?;
    m.add("CODESIZE", &Int::from_i64(4))?;
    m.add("MAXREPEAT", &Int::from_u64(engine::MAXREPEAT as u64))?;
    m.add("MAXGROUPS", &Int::from_u64(i32::MAX as u64 / 2))
}
module! {
    "_sre",
    functions: [compile, getcodesize, ascii_iscased, unicode_iscased, ascii_tolower, unicode_tolower],
    init: setup,
}
