//! Universal newlines: `Newlines` translates and remembers line endings of decoded text; `IncrementalNewlineDecoder` is its
//! Python face around any incremental decoder.

use super::*;
use std::cell::Cell;

pub const SEEN_CR: u8 = 1;
pub const SEEN_LF: u8 = 2;
pub const SEEN_CRLF: u8 = 4;

/// The state between two pieces of text. A final `\r` is held back until the next piece shows whether `\n` follows.
#[derive(Default)]
pub struct Newlines {
    pub translate: Cell<bool>,
    pub pending_cr: Cell<bool>,
    pub seen: Cell<u8>,
}

impl Newlines {
    pub fn new(translate: bool) -> Newlines {
        Newlines { translate: Cell::new(translate), ..Newlines::default() }
    }
    pub fn feed(&self, s: &Str, last: bool) -> PyResult<Owned<Str>> {
        let n = s.len();
        // Nothing to do for text without '\r' (apart from having seen '\n').
        let has_cr = find_char(s, 0, n, b'\r').is_some();
        if !has_cr && !self.pending_cr.get() {
            if self.seen.get() & SEEN_LF == 0 && find_char(s, 0, n, b'\n').is_some() {
                self.seen.set(self.seen.get() | SEEN_LF);
            }
            return Ok(s.own());
        }
        let mut points: Vec<u32> = Vec::with_capacity(n + 1);
        if self.pending_cr.get() && (last || n > 0) {
            points.push(13);
            self.pending_cr.set(false);
        }
        points.extend(s.chars());
        if !last && points.last() == Some(&13) {
            points.pop();
            self.pending_cr.set(true);
        }
        let mut seen = self.seen.get();
        let mut out = Vec::with_capacity(points.len());
        let mut i = 0;
        while i < points.len() {
            match points[i] {
                10 => {
                    seen |= SEEN_LF;
                    out.push(10);
                }
                13 => {
                    let crlf = points.get(i + 1) == Some(&10);
                    seen |= if crlf { SEEN_CRLF } else { SEEN_CR };
                    match (self.translate.get(), crlf) {
                        (true, _) => out.push(10),
                        (false, true) => out.extend([13, 10]),
                        (false, false) => out.push(13),
                    }
                    i += crlf as usize;
                }
                c => out.push(c),
            }
            i += 1;
        }
        self.seen.set(seen);
        Ok(Str::from_code_points(&out))
    }
    /// The `newlines` attribute: `None`, one ending or a tuple of them.
    pub fn describe(&self) -> Owned<Object> {
        let s = self.seen.get();
        let all: Vec<Owned<Object>> = [(SEEN_CR, "\r"), (SEEN_LF, "\n"), (SEEN_CRLF, "\r\n")]
            .into_iter()
            .filter(|(bit, _)| s & bit != 0)
            .map(|(_, t)| text(t))
            .collect();
        match all.len() {
            0 => none(),
            1 => all.into_iter().next().expect("one"),
            _ => Tuple::from_vec(all).into_object(),
        }
    }
}

/// The first `c` (ASCII) in characters `start..end`.
pub fn find_char(s: &Str, start: usize, end: usize, c: u8) -> Option<usize> {
    if start >= end {
        return None;
    }
    // SAFETY: the string has `kind()` bytes for each of its characters, and `end` is at most its length.
    unsafe {
        match s.kind() {
            1 => {
                let base = s.data();
                let p = libc::memchr(base.add(start).cast(), c as i32, end - start).cast::<u8>();
                if p.is_null() { None } else { Some(p.offset_from(base) as usize) }
            }
            2 => {
                let t = std::slice::from_raw_parts(s.data().cast::<u16>().add(start), end - start);
                t.iter().position(|x| *x == c as u16).map(|i| i + start)
            }
            _ => {
                let t = std::slice::from_raw_parts(s.data().cast::<u32>().add(start), end - start);
                t.iter().position(|x| *x == c as u32).map(|i| i + start)
            }
        }
    }
}

/// Where lines end in a text stream.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum LineEnd {
    /// Only `\n`: everything else has been translated.
    Lf,
    /// `\n`, `\r` or `\r\n`.
    Universal,
    Cr,
    CrLf,
}

/// The end (exclusive) of the line that starts at `start`, looking up to `end`.
pub fn find_line_end(s: &Str, start: usize, end: usize, how: LineEnd) -> Option<usize> {
    match how {
        LineEnd::Lf => find_char(s, start, end, b'\n').map(|i| i + 1),
        LineEnd::Cr => find_char(s, start, end, b'\r').map(|i| i + 1),
        LineEnd::Universal => {
            let lf = find_char(s, start, end, b'\n');
            let cr = find_char(s, start, lf.unwrap_or(end), b'\r');
            match (cr, lf) {
                (Some(c), _) if c + 1 < end && s.char_at(c + 1) == 10 => Some(c + 2),
                (Some(c), _) => Some(c + 1),
                (None, l) => l.map(|i| i + 1),
            }
        }
        LineEnd::CrLf => {
            let mut at = start;
            while let Some(i) = find_char(s, at, end, b'\r') {
                if i + 1 < end && s.char_at(i + 1) == 10 {
                    return Some(i + 2);
                }
                at = i + 1;
            }
            None
        }
    }
}

/// Codec used when reading a file in universal newlines mode.
#[pyclass(name = "IncrementalNewlineDecoder", module = "_io", basetype)]
pub struct IncrementalNewlineDecoder {
    decoder: Slot,
    #[notrace]
    lines: Newlines,
}

impl IncrementalNewlineDecoder {
    fn ready(&self) -> PyResult<Owned<Object>> {
        match self.decoder.get() {
            Some(d) => Ok(d),
            None => raise!(ValueError, "IncrementalNewlineDecoder.__init__() not called"),
        }
    }
}

#[pymethods]
impl IncrementalNewlineDecoder {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<IncrementalNewlineDecoder>> {
        IncrementalNewlineDecoder { decoder: Slot::empty(), lines: Newlines::new(false) }.build_in(cls)
    }
    #[init(name = "IncrementalNewlineDecoder", signature = "(decoder, translate, errors='strict')")]
    fn init(&self, decoder: &Object, translate: bool, _errors: Option<&Object>) -> PyResult<()> {
        self.decoder.set(Some(decoder.own()));
        self.lines.translate.set(translate);
        self.lines.pending_cr.set(false);
        self.lines.seen.set(0);
        Ok(())
    }
    #[pymethod(signature = "(input, final=False)")]
    fn decode(&self, input: &Object, last: bool) -> PyResult<Owned<Str>> {
        let d = self.ready()?;
        let out = if d.is_none() { input.own() } else { d.call_method("decode", &[input, bool_ref(last)])? };
        match out.downcast::<Str>() {
            Some(s) => self.lines.feed(s, last),
            None => raise!(TypeError, "decoder should return a string result, not '{}'", out.ty().name()),
        }
    }
    #[pymethod]
    fn getstate(&self) -> PyResult<(Owned<Object>, Owned<Object>)> {
        let d = self.ready()?;
        let (buffer, flag) = if d.is_none() {
            (Bytes::new(b"").into_object(), int(0))
        } else {
            let s = d.call_method("getstate", &[])?;
            match s.downcast::<Tuple>().filter(|t| t.len() == 2) {
                Some(t) => (t.get(0), t.get(1)),
                None => return raise!(TypeError, "illegal decoder state"),
            }
        };
        let flag = lh_runtime::number::lshift(&flag, &int(1))?;
        let flag = lh_runtime::number::or_(&flag, &int(self.lines.pending_cr.get() as i64))?;
        Ok((buffer, flag))
    }
    #[pymethod]
    fn setstate(&self, state: &Object) -> PyResult<()> {
        let d = self.ready()?;
        let Some(t) = state.downcast::<Tuple>() else {
            return raise!(TypeError, "state argument must be a tuple");
        };
        if t.len() != 2 {
            return raise!(TypeError, "setstate(): illegal state argument");
        }
        let flag = t.get(1);
        if !flag.is_instance_of::<Int>() {
            return raise!(TypeError, "setstate(): illegal state argument");
        }
        let one = lh_runtime::number::and_(&flag, &int(1))?;
        self.lines.pending_cr.set(one.is_true()?);
        if !d.is_none() {
            let rest = lh_runtime::number::rshift(&flag, &int(1))?;
            let inner = Tuple::from_vec(vec![t.get(0), rest]);
            d.call_method("setstate", &[&inner])?;
        }
        Ok(())
    }
    #[pymethod]
    fn reset(&self) -> PyResult<()> {
        let d = self.ready()?;
        self.lines.seen.set(0);
        self.lines.pending_cr.set(false);
        if !d.is_none() {
            d.call_method("reset", &[])?;
        }
        Ok(())
    }
    #[getter]
    fn newlines(&self) -> PyResult {
        self.ready()?;
        Ok(self.lines.describe())
    }
}
