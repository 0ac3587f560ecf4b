//! `StringIO`: a text stream in memory. The contents are code points, so that positions are indexes.

use super::base::TextIOBase;
use super::newline::{LineEnd, Newlines};
use super::*;
use lh_runtime::strobject::Text;
use std::cell::{Cell, RefCell};

/// The code points of a text: bytes as long as all of them fit.
enum Points {
    Narrow(Vec<u8>),
    Wide(Vec<u32>),
}
impl Points {
    const fn new() -> Points {
        Points::Narrow(vec![])
    }
    fn len(&self) -> usize {
        match self {
            Points::Narrow(v) => v.len(),
            Points::Wide(v) => v.len(),
        }
    }
    fn truncate(&mut self, n: usize) {
        match self {
            Points::Narrow(v) => v.truncate(n),
            Points::Wide(v) => v.truncate(n),
        }
    }
    /// Writes a text at `pos`, over what is there; NULs fill a gap in front of it.
    fn write(&mut self, pos: usize, t: Text<'_>) {
        fn put<T: Copy + Default>(v: &mut Vec<T>, pos: usize, new: impl ExactSizeIterator<Item = T>) {
            let n = new.len();
            if v.len() < pos {
                v.resize(pos, T::default());
            }
            if pos == v.len() {
                v.extend(new);
                return;
            }
            if v.len() < pos + n {
                v.resize(pos + n, T::default());
            }
            v[pos..pos + n].iter_mut().zip(new).for_each(|(to, c)| *to = c);
        }
        if let Points::Narrow(v) = self {
            match t {
                Text::U1(s) => return put(v, pos, s.iter().copied()),
                _ => *self = Points::Wide(v.iter().map(|c| *c as u32).collect()),
            }
        }
        if let Points::Wide(v) = self {
            put(v, pos, t.iter())
        }
    }
    fn text(&self, from: usize, to: usize) -> Owned<Str> {
        match self {
            Points::Narrow(v) => Str::from_latin1(&v[from..to]),
            Points::Wide(v) => Str::from_code_points(&v[from..to]),
        }
    }
    /// How far the line that begins at `start` reaches.
    fn line_end(&self, start: usize, how: LineEnd) -> usize {
        let found = match (self, how) {
            (Points::Narrow(v), LineEnd::Lf) => memchr::memchr(b'\n', &v[start..]).map(|i| i + 1),
            (Points::Narrow(v), how) => points_line_end(&v[start..], how),
            (Points::Wide(v), how) => points_line_end(&v[start..], how),
        };
        found.map_or(self.len(), |n| start + n)
    }
}

/// Text I/O implementation using an in-memory buffer.
#[pyclass(name = "StringIO", module = "_io", base = TextIOBase, basetype)]
pub struct StringIO {
    #[notrace]
    buf: RefCell<Points>,
    pos: Cell<usize>,
    ok: Cell<bool>,
    closed: Cell<bool>,
    /// The `newline` argument.
    #[notrace]
    newline: RefCell<Option<&'static str>>,
    #[notrace]
    lines: Newlines,
    /// Incoming text goes through `lines`.
    universal: Cell<bool>,
}

/// A valid `newline` argument as a static string; `None`: universal with translation.
pub fn check_newline(n: Option<&str>) -> PyResult<Option<&'static str>> {
    match n {
        None => Ok(None),
        Some(s) => match ["", "\n", "\r", "\r\n"].into_iter().find(|x| *x == s) {
            Some(x) => Ok(Some(x)),
            None => raise!(ValueError, "illegal newline value: {}", Str::new(s).repr()?.to_str_lossy()),
        },
    }
}

/// How lines end for a `newline` argument.
pub fn line_end_for(n: Option<&str>) -> LineEnd {
    match n {
        None | Some("\n") => LineEnd::Lf,
        Some("") => LineEnd::Universal,
        Some("\r") => LineEnd::Cr,
        _ => LineEnd::CrLf,
    }
}

fn points_line_end<T: Copy + PartialEq + From<u8>>(b: &[T], how: LineEnd) -> Option<usize> {
    let (cr, lf) = (T::from(b'\r'), T::from(b'\n'));
    match how {
        LineEnd::Lf => b.iter().position(|c| *c == lf).map(|i| i + 1),
        LineEnd::Cr => b.iter().position(|c| *c == cr).map(|i| i + 1),
        LineEnd::CrLf => b.windows(2).position(|w| w == [cr, lf]).map(|i| i + 2),
        LineEnd::Universal => b
            .iter()
            .position(|c| *c == lf || *c == cr)
            .map(|i| if b[i] == cr && b.get(i + 1) == Some(&lf) { i + 2 } else { i + 1 }),
    }
}

impl StringIO {
    fn check(&self) -> PyResult<()> {
        if !self.ok.get() {
            return raise!(ValueError, "I/O operation on uninitialized object");
        }
        if self.closed.get() {
            return raise!(ValueError, "I/O operation on closed file");
        }
        Ok(())
    }
    fn put(&self, s: &Str) -> PyResult<()> {
        let s = if self.universal.get() { self.lines.feed(s, true)? } else { s.own() };
        // '\n' is written as the stream's own line ending.
        let ending = match *self.newline.borrow() {
            Some(n @ ("\r" | "\r\n")) => Some(n),
            _ => None,
        };
        let translated: Vec<u32>;
        let t = match ending {
            Some(n) if lh_runtime::str_search::find_char(s.text(), 10).is_some() => {
                let end = |c| if c == 10 { n.chars().map(u32::from).collect() } else { vec![c] };
                translated = s.chars().flat_map(end).collect();
                Text::U4(&translated)
            }
            _ => s.text(),
        };
        if t.len() > 0 {
            let pos = self.pos.get();
            self.buf.borrow_mut().write(pos, t);
            self.pos.set(pos + t.len());
        }
        Ok(())
    }
    fn line(&self, limit: isize) -> Owned<Str> {
        let b = self.buf.borrow();
        let start = self.pos.get().min(b.len());
        let mut end = b.line_end(start, line_end_for(*self.newline.borrow()));
        if limit >= 0 {
            end = end.min(start.saturating_add(limit as usize));
        }
        if end > start {
            self.pos.set(end);
        }
        b.text(start, end)
    }
}

#[pymethods(extra = finalize_before_dealloc::<StringIO>)]
impl StringIO {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<StringIO>> {
        StringIO {
            buf: RefCell::new(Points::new()),
            pos: Cell::new(0),
            ok: Cell::new(false),
            closed: Cell::new(false),
            newline: RefCell::new(Some("\n")),
            lines: Newlines::new(false),
            universal: Cell::new(false),
        }
        .build_in(cls)
    }
    #[init(name = "StringIO", signature = "(initial_value='', newline='\\n')")]
    fn init(&self, initial_value: Option<&Object>, newline: Option<&Object>) -> PyResult<()> {
        let newline = match newline {
            None => Some("\n"),
            Some(n) if n.is_none() => None,
            Some(n) => match n.downcast::<Str>() {
                Some(s) => check_newline(Some(s.to_str()?))?,
                None => return raise!(TypeError, "newline must be str or None, not {}", n.ty().name()),
            },
        };
        let value = match initial_value.filter(|v| !v.is_none()) {
            Some(v) => match v.downcast::<Str>() {
                Some(s) => Some(s),
                None => return raise!(TypeError, "initial_value must be str or None, not {}", v.ty().name()),
            },
            None => None,
        };
        *self.buf.borrow_mut() = Points::new();
        self.pos.set(0);
        *self.newline.borrow_mut() = newline;
        self.universal.set(matches!(newline, None | Some("")));
        self.lines.translate.set(newline.is_none());
        self.lines.pending_cr.set(false);
        self.lines.seen.set(0);
        self.ok.set(true);
        self.closed.set(false);
        if let Some(v) = value {
            self.put(v)?;
        }
        self.pos.set(0);
        Ok(())
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        self.check()?;
        if self.is_exact::<StringIO>() {
            let l = self.line(-1);
            return Ok(if l.is_empty() { None } else { Some(l.into_object()) });
        }
        let l = self.call_method("readline", &[])?;
        if !l.is_instance_of::<Str>() {
            return raise!(OSError, "readline() should have returned a str object, not '{}'", l.ty().name());
        }
        Ok(if l.length()? == 0 { None } else { Some(l) })
    }
    /// Retrieve the entire contents of the object.
    #[pymethod]
    fn getvalue(&self) -> PyResult<Owned<Str>> {
        self.check()?;
        let b = self.buf.borrow();
        Ok(b.text(0, b.len()))
    }
    /// Tell the current file position.
    #[pymethod]
    fn tell(&self) -> PyResult<usize> {
        self.check()?;
        Ok(self.pos.get())
    }
    /// Read at most size characters, returned as a string.
    #[pymethod(signature = "(size=-1, /)")]
    fn read(&self, size: Option<&Object>) -> PyResult<Owned<Str>> {
        let n = size_arg(size)?;
        self.check()?;
        let b = self.buf.borrow();
        let start = self.pos.get().min(b.len());
        let end = if n < 0 { b.len() } else { b.len().min(start + n as usize) };
        if end > start {
            self.pos.set(end);
        }
        Ok(b.text(start, end))
    }
    /// Read until newline or EOF.
    #[pymethod(signature = "(size=-1, /)")]
    fn readline(&self, size: Option<&Object>) -> PyResult<Owned<Str>> {
        let n = size_arg(size)?;
        self.check()?;
        Ok(self.line(n))
    }
    /// Truncate size to pos. Returns the new absolute position.
    #[pymethod(signature = "(pos=None, /)")]
    fn truncate(&self, pos: Option<&Object>) -> PyResult<usize> {
        self.check()?;
        let n = match pos.filter(|p| !p.is_none()) {
            Some(p) => {
                let n = size_arg(Some(p))?;
                if n < 0 {
                    return raise!(ValueError, "Negative size value {}", n);
                }
                n as usize
            }
            None => self.pos.get(),
        };
        self.buf.borrow_mut().truncate(n);
        Ok(n)
    }
    /// Change stream position.
    #[pymethod(signature = "(pos, whence=0, /)")]
    fn seek(&self, pos: isize, whence: i32) -> PyResult<usize> {
        self.check()?;
        match whence {
            0 if pos < 0 => return raise!(ValueError, "Negative seek position {}", pos),
            0 => self.pos.set(pos as usize),
            1 | 2 if pos != 0 => return raise!(OSError, "Can't do nonzero cur-relative seeks"),
            1 => {}
            2 => self.pos.set(self.buf.borrow().len()),
            w => return raise!(ValueError, "Invalid whence ({}, should be 0, 1 or 2)", w),
        }
        Ok(self.pos.get())
    }
    /// Write string to file. Returns the number of characters written.
    #[pymethod(signature = "(s, /)")]
    fn write(&self, s: &Object) -> PyResult<usize> {
        self.check()?;
        let Some(s) = s.downcast::<Str>() else {
            return raise!(TypeError, "string argument expected, got '{}'", s.ty().name());
        };
        self.put(s)?;
        Ok(s.len())
    }
    /// Close the IO object and free its contents.
    #[pymethod]
    fn close(&self) {
        self.closed.set(true);
        *self.buf.borrow_mut() = Points::new();
    }
    /// Returns True if the IO object can be seeked.
    #[pymethod]
    fn seekable(&self) -> PyResult<bool> {
        self.check().map(|()| true)
    }
    /// Returns True if the IO object can be read.
    #[pymethod]
    fn readable(&self) -> PyResult<bool> {
        self.check().map(|()| true)
    }
    /// Returns True if the IO object can be written.
    #[pymethod]
    fn writable(&self) -> PyResult<bool> {
        self.check().map(|()| true)
    }
    #[getter]
    fn closed(&self) -> PyResult<bool> {
        if !self.ok.get() {
            return raise!(ValueError, "I/O operation on uninitialized object");
        }
        Ok(self.closed.get())
    }
    #[getter]
    fn newlines(&self) -> PyResult {
        self.check()?;
        Ok(if self.universal.get() { self.lines.describe() } else { none() })
    }
    #[getter]
    fn line_buffering(&self) -> PyResult<bool> {
        self.check().map(|()| false)
    }
    #[pymethod]
    fn __getstate__(&self) -> PyResult<(Owned<Str>, Owned<Object>, usize, Owned<Object>)> {
        let value = self.getvalue()?;
        let newline = (*self.newline.borrow()).map_or_else(none, text);
        let d = instance_dict(self)?;
        let d = if d.len() > 0 { d.copy().into_object() } else { none() };
        Ok((value, newline, self.pos.get(), d))
    }
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        if self.ok.get() && self.closed.get() {
            return raise!(ValueError, "I/O operation on closed file");
        }
        let Some(t) = state.downcast::<Tuple>().filter(|t| t.len() >= 4) else {
            let t = self.ty().name();
            return raise!(
                TypeError,
                "{}.__setstate__ argument should be 4-tuple, got {}",
                t,
                state.ty().name()
            );
        };
        self.init(None, Some(t.item_ref(1)))?;
        let Some(value) = t.item_ref(0).downcast::<Str>() else {
            return raise!(TypeError, "initial_value must be str or None, not {}", t.item_ref(0).ty().name());
        };
        // The value has been through translation already.
        let mut points = Points::new();
        points.write(0, value.text());
        *self.buf.borrow_mut() = points;
        if !t.item_ref(2).is_instance_of::<Int>() {
            return raise!(
                TypeError,
                "third item of state must be an integer, got {}",
                t.item_ref(2).ty().name()
            );
        }
        let pos = lh_runtime::number::as_isize(t.item_ref(2), Some(exc::OverflowError()))?;
        if pos < 0 {
            return raise!(ValueError, "position value cannot be negative");
        }
        self.pos.set(pos as usize);
        let d = t.item_ref(3);
        if !d.is_none() {
            if !d.is_instance_of::<Dict>() {
                return raise!(TypeError, "fourth item of state should be a dict, got a {}", d.ty().name());
            }
            instance_dict(self)?.update(d)?;
        }
        Ok(())
    }
}
