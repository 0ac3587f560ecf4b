//! Parsing arguments by a format: `PyArg_Parse…`.
//!
//! A format is looked over once for its shape and walked once for the arguments and for nobody: each unit knows how many `va_list` entries
//! it takes, so optional arguments that were not passed are skipped in step. Nothing is allocated unless there are keyword arguments by
//! the dozen, or something is to be undone on failure.

use crate::names;
use crate::prelude::*;
use crate::va::VaList;
use lh_runtime::buffer;

/// What is left to undo if a later argument fails.
enum Undo {
    Buffer(*mut Py_buffer),
    Memory(*mut *mut c_char),
    Convert(unsafe extern "C" fn(*mut PyObject, *mut c_void) -> c_int, *mut c_void),
}

/// What is to be undone: mostly nothing, or one thing.
#[derive(Default)]
struct Undos {
    first: Option<Undo>,
    more: Vec<Undo>,
}
impl Undos {
    fn push(&mut self, u: Undo) {
        if self.first.is_none() {
            self.first = Some(u);
        } else {
            self.more.push(u);
        }
    }
}

struct Parser<'a> {
    f: &'a [u8],
    i: usize,
    va: &'a mut VaList,
    undo: Undos,
}

/// Which argument an error is about; made into text only then.
#[derive(Clone, Copy)]
enum At<'a> {
    /// The only one there is.
    Only,
    Argument(usize),
    Item(&'a At<'a>, usize),
}
impl std::fmt::Display for At<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            At::Only => Ok(()),
            At::Argument(k) => write!(f, " {k}"),
            At::Item(of, k) => write!(f, "{of}, item {k}"),
        }
    }
}

pub fn func_of(f: &[u8]) -> (String, Option<String>) {
    let tail =
        |sep: u8| f.iter().position(|c| *c == sep).map(|i| String::from_utf8_lossy(&f[i + 1..]).into_owned());
    match tail(b';') {
        Some(m) => (String::new(), Some(m)),
        None => (tail(b':').unwrap_or_default(), None),
    }
}
/// The function that a format names, as its errors begin.
pub fn called(f: &[u8]) -> String {
    match func_of(f).0 {
        n if n.is_empty() => "function".to_string(),
        n => format!("{n}()"),
    }
}
pub fn shown(o: &Object) -> String {
    if o.is_none() { "None".into() } else { o.ty().name() }
}

impl Parser<'_> {
    fn peek(&self) -> u8 {
        self.f.get(self.i).copied().unwrap_or(0)
    }
    fn next(&mut self) -> u8 {
        let c = self.peek();
        self.i += 1;
        c
    }
    fn fname(&self) -> String {
        func_of(self.f).0
    }
    fn label(&self, at: At<'_>) -> String {
        let name = self.fname();
        if name.is_empty() { format!("argument{at}") } else { format!("{name}() argument{at}") }
    }
    /// The error about one argument; a format may have its own text for it.
    #[cold]
    fn wrong(&self, at: At<'_>, what: &str) -> Raised {
        match func_of(self.f).1 {
            Some(message) => raised!(TypeError, "{}", message),
            None => raised!(TypeError, "{} {}", self.label(at), what),
        }
    }
    #[cold]
    fn expected(&self, at: At<'_>, what: &str, got: &Object) -> Raised {
        self.wrong(at, &format!("must be {what}, not {}", shown(got)))
    }
    /// Stores integers with C's range checks.
    unsafe fn ranged<T: TryFrom<i64>>(&mut self, o: &Object, c_type: &str) -> PyResult<()> {
        let v = int_of(o)?;
        // SAFETY: the caller passed a pointer to a T.
        let p: *mut T = unsafe { self.va.ptr() };
        match v {
            None => raise!(OverflowError, "Python int too large to convert to C long"),
            Some(n) => match T::try_from(n) {
                Ok(x) => {
                    // SAFETY: as above.
                    unsafe { *p = x };
                    Ok(())
                }
                Err(_) => raise!(
                    OverflowError,
                    "{} is {} than {}",
                    c_type,
                    if n > 0 { "greater" } else { "less" },
                    if n > 0 { "maximum" } else { "minimum" }
                ),
            },
        }
    }
    unsafe fn masked<T>(&mut self, o: &Object, cut: impl Fn(u64) -> T) -> PyResult<()> {
        let v = number::index(o)?.to_u64_wrapping();
        // SAFETY: the caller passed a pointer to a T.
        unsafe { *self.va.ptr::<T>() = cut(v) };
        Ok(())
    }
    /// A pointer (and with `#` a length) to text or bytes that the argument keeps alive.
    unsafe fn lend(&mut self, b: &[u8], sized: bool) -> PyResult<()> {
        // SAFETY: the caller passed places to write to.
        unsafe {
            *self.va.ptr::<*const u8>() = b.as_ptr();
            if sized {
                *self.va.ptr::<isize>() = b.len() as isize;
            } else if b.contains(&0) {
                return raise!(ValueError, "embedded null character");
            }
        }
        Ok(())
    }
    unsafe fn lend_null(&mut self, sized: bool) {
        // SAFETY: the caller passed places to write to.
        unsafe {
            *self.va.ptr::<*const u8>() = null();
            if sized {
                *self.va.ptr::<isize>() = 0;
            }
        }
    }
    /// Converts one argument by the format unit at the present place.
    unsafe fn convert(&mut self, o: &Object, at: At<'_>) -> PyResult<()> {
        // SAFETY: the caller's va_list holds what the format asks for.
        unsafe {
            let c = self.next();
            match c {
                b'(' => {
                    let want = Shape::of(&self.f[self.i..]).units;
                    if !lh_runtime::protocols::is_sequence(o) || Bytes::check(o) {
                        return Err(self.expected(at, &format!("{want}-item sequence"), o));
                    }
                    let len = o.length()?;
                    if len != want {
                        return Err(self.wrong(at, &format!("must be sequence of length {want}, not {len}")));
                    }
                    for k in 0..want {
                        // The sequence keeps its items; a sequence that makes them on the fly may not (as in C).
                        let x = match o.seq_item(k as isize) {
                            Ok(x) => x,
                            Err(e) => {
                                e.clear();
                                return Err(self.wrong(At::Item(&at, k), "is not retrievable"));
                            }
                        };
                        self.convert(&x, At::Item(&at, k))?;
                    }
                    if self.next() != b')' {
                        return raise!(SystemError, "bad format string");
                    }
                    Ok(())
                }
                b'b' => match int_of(o)? {
                    None => raise!(OverflowError, "Python int too large to convert to C long"),
                    Some(v) if v < 0 => raise!(OverflowError, "unsigned byte integer is less than minimum"),
                    Some(v) if v > 255 => {
                        raise!(OverflowError, "unsigned byte integer is greater than maximum")
                    }
                    Some(v) => {
                        *self.va.ptr::<u8>() = v as u8;
                        Ok(())
                    }
                },
                b'B' => self.masked(o, |v| v as u8),
                b'h' => self.ranged::<i16>(o, "signed short integer"),
                b'H' => self.masked(o, |v| v as u16),
                b'i' => self.ranged::<i32>(o, "signed integer"),
                b'I' => self.masked(o, |v| v as u32),
                b'l' | b'L' => match int_of(o)? {
                    Some(v) => {
                        *self.va.ptr::<i64>() = v;
                        Ok(())
                    }
                    None if c == b'l' => raise!(OverflowError, "Python int too large to convert to C long"),
                    None => raise!(OverflowError, "int too big to convert"),
                },
                b'k' | b'K' => {
                    let Some(v) = o.downcast::<Int>() else { return Err(self.expected(at, "int", o)) };
                    *self.va.ptr::<u64>() = v.to_u64_wrapping();
                    Ok(())
                }
                b'n' => match int_of(o)? {
                    Some(v) => {
                        *self.va.ptr::<isize>() = v as isize;
                        Ok(())
                    }
                    None => raise!(OverflowError, "Python int too large to convert to C ssize_t"),
                },
                b'f' => {
                    let v = number::as_f64(o)?;
                    *self.va.ptr::<f32>() = v as f32;
                    Ok(())
                }
                b'd' => {
                    let v = number::as_f64(o)?;
                    *self.va.ptr::<f64>() = v;
                    Ok(())
                }
                b'D' => {
                    let v = lh_runtime::complexobject::as_complex(o)?;
                    *self.va.ptr::<(f64, f64)>() = v;
                    Ok(())
                }
                b'p' => {
                    let v = o.is_true()?;
                    *self.va.ptr::<c_int>() = v as c_int;
                    Ok(())
                }
                b'c' => {
                    let v = match (o.downcast::<Bytes>(), o.downcast::<ByteArray>()) {
                        (Some(b), _) if b.len() == 1 => b.as_bytes()[0],
                        (_, Some(b)) if b.len() == 1 => b.to_vec()[0],
                        _ => return Err(self.expected(at, "a byte string of length 1", o)),
                    };
                    *self.va.ptr::<u8>() = v;
                    Ok(())
                }
                b'C' => match o.downcast::<Str>().filter(|s| s.len() == 1) {
                    Some(s) => {
                        *self.va.ptr::<c_int>() = s.char_at(0) as c_int;
                        Ok(())
                    }
                    None => Err(self.expected(at, "a unicode character", o)),
                },
                b's' | b'z' | b'y' | b'w' => {
                    let mark = self.peek();
                    if mark == b'*' {
                        self.i += 1;
                        return self.whole_buffer(o, c, at);
                    }
                    let sized = mark == b'#';
                    if sized {
                        self.i += 1;
                    }
                    if c == b'z' && o.is_none() {
                        self.lend_null(sized);
                        return Ok(());
                    }
                    if c != b'y'
                        && let Some(s) = o.downcast::<Str>()
                    {
                        return self.lend(s.to_str()?.as_bytes(), sized);
                    }
                    if let Some(b) = o.downcast::<Bytes>()
                        && (c == b'y' || sized)
                    {
                        let r = self.lend(b.as_bytes(), sized);
                        return r.map_err(|e| {
                            e.clear();
                            raised!(ValueError, "embedded null byte")
                        });
                    }
                    if c != b'y' && !sized {
                        return Err(self.expected(at, if c == b'z' { "str or None" } else { "str" }, o));
                    }
                    // Only memory that nobody has to give back can be lent for the call.
                    if (*o.ob_type()).tp_as_buffer.as_ref().is_some_and(|b| b.bf_releasebuffer.is_some()) {
                        return Err(self.expected(at, "read-only bytes-like object", o));
                    }
                    let mut v = buffer::empty_view();
                    buffer::get_into(o, &mut v, 0)?;
                    let (p, n) = (v.buf, v.len);
                    let contiguous = buffer::is_contiguous(&v, b'C');
                    buffer::release(&mut v);
                    if !contiguous {
                        return Err(self.expected(at, "contiguous buffer", o));
                    }
                    let r = self.lend(
                        std::slice::from_raw_parts(
                            if n > 0 { p.cast::<u8>() } else { std::ptr::dangling() },
                            n.max(0) as usize,
                        ),
                        sized,
                    );
                    r.map_err(|e| {
                        e.clear();
                        raised!(ValueError, "embedded null byte")
                    })
                }
                b'e' => self.encoded(o, at),
                b'S' => self.typed::<Bytes>(o, at, "bytes"),
                b'Y' => self.typed::<ByteArray>(o, at, "bytearray"),
                b'U' => self.typed::<Str>(o, at, "str"),
                b'O' => match self.peek() {
                    b'!' => {
                        self.i += 1;
                        let t = Object::from_ptr(self.va.ptr());
                        let t = t.downcast_unchecked::<Type>();
                        if !o.ty().is_subtype(t) {
                            return Err(self.expected(at, &t.name(), o));
                        }
                        *self.va.ptr::<*mut PyObject>() = o.as_ptr();
                        Ok(())
                    }
                    b'&' => {
                        self.i += 1;
                        type Conv = unsafe extern "C" fn(*mut PyObject, *mut c_void) -> c_int;
                        let f: Conv = std::mem::transmute(self.va.ptr::<c_void>());
                        let p = self.va.ptr::<c_void>();
                        match f(o.as_ptr(), p) {
                            0 => Err(if occurred() {
                                Raised::already_set()
                            } else {
                                self.expected(at, "(unspecified)", o)
                            }),
                            0x20000 => {
                                self.undo.push(Undo::Convert(f, p));
                                Ok(())
                            }
                            _ => Ok(()),
                        }
                    }
                    _ => {
                        *self.va.ptr::<*mut PyObject>() = o.as_ptr();
                        Ok(())
                    }
                },
                // Wide characters, kept with the string.
                b'u' | b'Z' => {
                    let sized = self.peek() == b'#';
                    if sized {
                        self.i += 1;
                    }
                    let old = format!("getargs: The '{}' format is deprecated. Use 'U' instead.", c as char);
                    lh_runtime::warnings::warn(exc::DeprecationWarning(), &old, 1)?;
                    if c == b'Z' && o.is_none() {
                        self.lend_null(sized);
                        return Ok(());
                    }
                    if !Str::check(o) {
                        return Err(self.expected(at, if c == b'Z' { "str or None" } else { "str" }, o));
                    }
                    let p = crate::unicodeobject::PyUnicode_AsUnicode(o.as_ptr());
                    if p.is_null() {
                        return Err(Raised::already_set());
                    }
                    let n = o.length()?;
                    *self.va.ptr::<*const u32>() = p;
                    if sized {
                        *self.va.ptr::<isize>() = n as isize;
                    } else if (0..n).any(|i| *p.add(i) == 0) {
                        return raise!(ValueError, "embedded null character");
                    }
                    Ok(())
                }
                _ => raise!(SystemError, "{} (impossible<bad format char>)", self.label(at)),
            }
        }
    }
    unsafe fn typed<T: Kind>(&mut self, o: &Object, at: At<'_>, what: &str) -> PyResult<()> {
        if !T::check(o) {
            return Err(self.expected(at, what, o));
        }
        // SAFETY: the caller passed a place to write to.
        unsafe { *self.va.ptr::<*mut PyObject>() = o.as_ptr() };
        Ok(())
    }
    unsafe fn whole_buffer(&mut self, o: &Object, c: u8, at: At<'_>) -> PyResult<()> {
        // SAFETY: the caller passed a Py_buffer.
        unsafe {
            let v: *mut Py_buffer = self.va.ptr();
            if c == b'z' && o.is_none() {
                buffer::fill_info(v, None, null_mut(), 0, true, 0)?;
            } else if (c == b's' || c == b'z')
                && let Some(s) = o.downcast::<Str>()
            {
                let t = s.to_str()?;
                buffer::fill_info(v, Some(o), t.as_ptr().cast_mut(), t.len(), true, 0)?;
            } else {
                let flags = if c == b'w' { PyBUF_WRITABLE } else { 0 };
                v.write(buffer::empty_view());
                if let Err(e) = buffer::get_into(o, &mut *v, flags) {
                    if c != b'w' {
                        return Err(e);
                    }
                    e.clear();
                    return Err(self.expected(at, "read-write bytes-like object", o));
                }
                if !buffer::is_contiguous(&*v, b'C') {
                    buffer::release(&mut *v);
                    return Err(self.expected(at, "contiguous buffer", o));
                }
            }
            self.undo.push(Undo::Buffer(v));
            Ok(())
        }
    }
    /// `es`, `et`, `es#`, `et#`: encoded copies.
    unsafe fn encoded(&mut self, o: &Object, at: At<'_>) -> PyResult<()> {
        // SAFETY: the caller passed an encoding and places to write to.
        unsafe {
            let keep_bytes = match self.next() {
                b't' => true,
                b's' => false,
                _ => return raise!(SystemError, "{} (unknown parser marker combination)", self.label(at)),
            };
            let sized = self.peek() == b'#';
            if sized {
                self.i += 1;
            }
            let enc: *const c_char = self.va.ptr();
            let enc = if enc.is_null() { "utf-8".into() } else { text(CStr::from_ptr(enc)) };
            let out: *mut *mut c_char = self.va.ptr();
            let data = match (o.downcast::<Str>(), o.downcast::<Bytes>()) {
                (_, Some(b)) if keep_bytes => b.as_bytes().to_vec(),
                (None, None) if keep_bytes && ByteArray::check(o) => {
                    o.downcast::<ByteArray>().map(|b| b.to_vec()).unwrap_or_default()
                }
                (Some(s), _) => {
                    let b = lh_runtime::codecs::encode_to_bytes(s, &enc, "strict")?;
                    b.downcast::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default()
                }
                _ => {
                    return Err(self.expected(
                        at,
                        if keep_bytes { "str, bytes or bytearray" } else { "str" },
                        o,
                    ));
                }
            };
            if sized {
                let n: *mut isize = self.va.ptr();
                if !(*out).is_null() {
                    if data.len() as isize + 1 > *n {
                        return raise!(
                            ValueError,
                            "encoded string too long ({}, maximum length {})",
                            data.len(),
                            *n - 1
                        );
                    }
                } else {
                    *out = lh_runtime::alloc::malloc(data.len() + 1).cast();
                    self.undo.push(Undo::Memory(out));
                }
                *n = data.len() as isize;
            } else {
                if data.contains(&0) {
                    return Err(self.expected(at, "encoded string without null bytes", o));
                }
                *out = lh_runtime::alloc::malloc(data.len() + 1).cast();
                self.undo.push(Undo::Memory(out));
            }
            let p = (*out).cast::<u8>();
            p.copy_from_nonoverlapping(data.as_ptr(), data.len());
            p.add(data.len()).write(0);
            Ok(())
        }
    }
    /// Passes over the unit of an argument that was not given.
    unsafe fn skip(&mut self) -> PyResult<()> {
        let unit = self.i;
        let f = self.f;
        let bad = || -> PyResult<()> {
            raise!(SystemError, "impossible<bad format char>: '{}'", String::from_utf8_lossy(&f[unit..]))
        };
        // SAFETY: the caller's va_list holds what the format asks for.
        unsafe {
            let words = match self.next() {
                b'(' => {
                    while self.peek() != b')' && self.peek() != 0 {
                        self.skip()?;
                    }
                    self.i += 1;
                    0
                }
                c @ (b's' | b'z' | b'y' | b'w' | b'u' | b'Z') => match self.peek() {
                    b'#' => {
                        self.i += 1;
                        2
                    }
                    b'*' if !matches!(c, b'u' | b'Z') => {
                        self.i += 1;
                        1
                    }
                    _ => 1,
                },
                b'e' => {
                    if !matches!(self.next(), b's' | b't') {
                        return bad();
                    }
                    if self.peek() == b'#' {
                        self.i += 1;
                        3
                    } else {
                        2
                    }
                }
                b'O' => match self.peek() {
                    b'!' | b'&' => {
                        self.i += 1;
                        2
                    }
                    _ => 1,
                },
                b'b' | b'B' | b'h' | b'H' | b'i' | b'I' | b'l' | b'L' | b'k' | b'K' | b'n' | b'f' | b'd'
                | b'D' | b'p' | b'c' | b'C' | b'S' | b'Y' | b'U' => 1,
                _ => return bad(),
            };
            for _ in 0..words {
                self.va.word();
            }
        }
        Ok(())
    }
    /// Gives back what was acquired, if parsing failed.
    fn finish(&mut self, r: PyResult<()>) -> PyResult<()> {
        if r.is_err() {
            lh_runtime::errors::preserving(|| {
                let all = std::mem::take(&mut self.undo);
                for u in all.first.into_iter().chain(all.more) {
                    // SAFETY: acquired for this call, which fails.
                    unsafe {
                        match u {
                            Undo::Buffer(v) => buffer::release(&mut *v),
                            Undo::Memory(p) => {
                                lh_runtime::alloc::free((*p).cast());
                                *p = null_mut();
                            }
                            Undo::Convert(f, p) => drop(f(null_mut(), p)),
                        }
                    }
                }
            });
        }
        r
    }
}
/// The value of an integer argument, `None` if it is too large.
#[inline]
fn int_of(o: &Object) -> PyResult<Option<i64>> {
    match o.downcast::<Int>() {
        Some(i) => Ok(i.to_i64()),
        None => Ok(number::index(o)?.to_i64()),
    }
}

/// What a format asks for at its outer level.
#[derive(Clone, Copy)]
pub struct Shape {
    pub units: usize,
    /// Units before `|`, or all of them.
    pub min: usize,
    /// Units before `$`, or all of them.
    positional: usize,
}
impl Shape {
    /// Of the format up to its end or to a `)` that it did not open.
    pub fn of(f: &[u8]) -> Shape {
        let (mut n, mut depth, mut i) = (0, 0, 0);
        let (mut min, mut positional) = (usize::MAX, usize::MAX);
        while i < f.len() {
            match f[i] {
                b'(' => {
                    n += (depth == 0) as usize;
                    depth += 1
                }
                b')' if depth == 0 => break,
                b')' => depth -= 1,
                b':' | b';' => break,
                b'|' if depth == 0 => min = min.min(n),
                b'$' if depth == 0 => positional = n,
                b'e' => {
                    n += (depth == 0) as usize;
                    i += 1
                }
                c if c.is_ascii_alphabetic() && depth == 0 => n += 1,
                _ => {}
            }
            i += 1;
        }
        Shape { units: n, min: min.min(n), positional: positional.min(n) }
    }
}

// ---- The short way ----

/// Walks a format for arguments of the commonest kinds, and gives up (so that all is done again the long way) at anything else, errors
/// included.
struct Quick {
    f: *const u8,
    va: VaList,
    optional: bool,
}
impl Quick {
    unsafe fn peek(&self) -> u8 {
        // SAFETY: a C string that has not ended.
        unsafe { *self.f }
    }
    /// Passes the bar in front of optional units; false at a second one.
    #[inline(always)]
    unsafe fn bar(&mut self) -> bool {
        // SAFETY: as `peek`.
        unsafe {
            if self.peek() == b'|' {
                if self.optional {
                    return false;
                }
                self.optional = true;
                self.f = self.f.add(1);
            }
            true
        }
    }
    /// One argument, by the unit at the present place; `last`: there is no other behind it.
    #[inline(always)]
    unsafe fn unit(&mut self, a: *mut PyObject, last: bool) -> bool {
        // SAFETY: the caller's va_list holds what the format asks for.
        unsafe {
            if !self.bar() {
                return false;
            }
            if self.peek() == b'(' {
                return self.nested(a);
            }
            self.plain(a, last)
        }
    }
    /// A tuple of plain arguments.
    #[inline(never)]
    unsafe fn nested(&mut self, a: *mut PyObject) -> bool {
        // SAFETY: as `unit`; the tuple keeps its items.
        unsafe {
            let Some(t) = Object::from_ptr(a).downcast_exact::<Tuple>() else { return false };
            self.f = self.f.add(1);
            for i in 0..t.len() {
                if !self.plain(*t.items_ptr().add(i), false) {
                    return false;
                }
            }
            let closed = self.peek() == b')';
            self.f = self.f.add(closed as usize);
            closed
        }
    }
    /// The characters of a compact ASCII string.
    #[inline(always)]
    unsafe fn ascii(a: *mut PyObject) -> Option<(*const u8, usize)> {
        const COMPACT_ASCII: u32 = 1 << 5 | 1 << 6;
        // SAFETY: a live object; the characters follow the head of such a string.
        unsafe {
            let s = a.cast::<PyASCIIObject>();
            if (*a).ob_type != Str::type_ptr() || (*s).state & COMPACT_ASCII != COMPACT_ASCII {
                return None;
            }
            Some((s.add(1).cast_const().cast(), (*s).length as usize))
        }
    }
    /// The units `s`, `z`, `s#`, `z#`, `y#`, `s*`, `z*` and `y*`.
    #[inline(never)]
    unsafe fn text(&mut self, c: u8, a: *mut PyObject, last: bool) -> bool {
        // SAFETY: as `unit`.
        unsafe {
            let mark = self.peek();
            let bytes = if (*a).ob_type == Bytes::type_ptr() {
                let b = Object::from_ptr(a).downcast_unchecked::<Bytes>().as_bytes();
                Some((b.as_ptr(), b.len()))
            } else {
                None
            };
            match mark {
                b'#' => {
                    let Some((p, n)) = (if c == b'y' { None } else { Quick::ascii(a) }).or(bytes) else {
                        return false;
                    };
                    self.f = self.f.add(1);
                    *self.va.ptr::<*const u8>() = p;
                    *self.va.ptr::<isize>() = n as isize;
                }
                // What is acquired is never given up: only as the last unit for the last argument.
                b'*' => {
                    let Some((p, n)) = bytes.filter(|_| last) else { return false };
                    self.f = self.f.add(1);
                    if !self.at_end() {
                        return false;
                    }
                    let v: *mut Py_buffer = self.va.ptr();
                    return buffer::fill_info(v, Some(Object::from_ptr(a)), p.cast_mut(), n, true, 0).is_ok();
                }
                _ if c == b'y' => return false,
                _ if c == b'z' && Object::from_ptr(a).is_none() => *self.va.ptr::<*const u8>() = null(),
                _ => {
                    let Some((p, n)) = Quick::ascii(a) else { return false };
                    for i in 0..n {
                        if *p.add(i) == 0 {
                            return false;
                        }
                    }
                    *self.va.ptr::<*const u8>() = p;
                }
            }
            true
        }
    }
    /// A unit that is neither a bar nor a parenthesis.
    #[inline(always)]
    unsafe fn plain(&mut self, a: *mut PyObject, last: bool) -> bool {
        // SAFETY: as `unit`.
        unsafe {
            let c = self.peek();
            self.f = self.f.add(1);
            match c {
                b'O' => {
                    if matches!(self.peek(), b'!' | b'&') {
                        if self.peek() == b'&' || self.va.ptr::<PyTypeObject>() != (*a).ob_type {
                            return false;
                        }
                        self.f = self.f.add(1);
                    }
                    *self.va.ptr::<*mut PyObject>() = a;
                }
                b's' | b'z' | b'y' => return self.text(c, a, last),
                b'i' | b'l' | b'L' | b'n' => {
                    if (*a).ob_type != Int::type_ptr() {
                        return false;
                    }
                    let p = a.cast::<PyLongObject>();
                    let size = (*p).ob_base.ob_size;
                    if (size + 1) as usize > 2 {
                        return false;
                    }
                    let v = size as i64 * (*p).ob_digit[0] as i64;
                    if c == b'i' {
                        *self.va.ptr::<c_int>() = v as c_int;
                    } else {
                        *self.va.ptr::<i64>() = v;
                    }
                }
                b'd' if (*a).ob_type == Float::type_ptr() => {
                    *self.va.ptr::<f64>() = (*a.cast::<PyFloatObject>()).ob_fval;
                }
                b'p' if (*a).ob_type == Bool::type_ptr() => {
                    *self.va.ptr::<c_int>() = Object::from_ptr(a).is_true_object() as c_int;
                }
                b'U' if (*a).ob_type == Str::type_ptr() => *self.va.ptr::<*mut PyObject>() = a,
                b'S' if (*a).ob_type == Bytes::type_ptr() => *self.va.ptr::<*mut PyObject>() = a,
                _ => return false,
            }
            true
        }
    }
    /// Passes over the unit of an optional argument.
    #[inline(always)]
    unsafe fn skip(&mut self) -> bool {
        // SAFETY: as `unit`.
        unsafe {
            if !self.bar() {
                return false;
            }
            let c = self.peek();
            self.f = self.f.add(1);
            match c {
                _ if !self.optional => return false,
                b'O' | b'i' | b'l' | b'L' | b'n' | b'd' | b'p' | b'U' | b'S' => {}
                b's' | b'z' | b'y' => {
                    let mark = self.peek();
                    if mark == b'#' {
                        self.va.word();
                    }
                    self.f = self.f.add(matches!(mark, b'#' | b'*') as usize);
                }
                _ => return false,
            }
            if c == b'O' && matches!(self.peek(), b'!' | b'&') {
                self.f = self.f.add(1);
                self.va.word();
            }
            self.va.word();
            true
        }
    }
    unsafe fn at_end(&self) -> bool {
        // SAFETY: as `peek`.
        matches!(unsafe { self.peek() }, 0 | b':' | b';')
    }
    /// Is what is left optional?
    unsafe fn may_end(&self) -> bool {
        // SAFETY: as `peek`.
        match unsafe { self.peek() } {
            b'|' => !self.optional,
            c => self.optional && c.is_ascii_alphabetic(),
        }
    }
}
/// Parses positional arguments the short way, or says no.
#[inline]
unsafe fn quick_args(args: &[*mut PyObject], f: *const c_char, va: &VaList) -> bool {
    let mut q = Quick { f: f.cast(), va: va.copied(), optional: false };
    // SAFETY: live arguments; the va_list holds what the format asks for.
    unsafe {
        for (i, a) in args.iter().enumerate() {
            if !q.unit(*a, i + 1 == args.len()) {
                return false;
            }
        }
        q.at_end() || q.may_end()
    }
}
/// As `quick_args`, with keyword arguments, for parameters that all have names.
#[inline]
unsafe fn quick_keywords(
    args: &[*mut PyObject],
    kwargs: Option<&Dict>,
    f: *const c_char,
    names: *const *const c_char,
    va: &VaList,
) -> bool {
    let mut q = Quick { f: f.cast(), va: va.copied(), optional: false };
    // SAFETY: live arguments; the va_list holds what the format asks for.
    unsafe {
        let names = Names::of(names);
        if args.len() > names.len || (0..names.len).any(|k| names.is_empty(k)) {
            return false;
        }
        for a in args {
            if !q.unit(*a, false) {
                return false;
            }
        }
        let kwargs = Keywords::of_dict(kwargs);
        let mut left = kwargs.len();
        let mut k = args.len();
        while left > 0 {
            if k == names.len {
                return false;
            }
            let ok = match kwargs.find(&names, k) {
                Some(a) => {
                    left -= 1;
                    q.unit(a, false)
                }
                None => q.skip(),
            };
            if !ok {
                return false;
            }
            k += 1;
        }
        if k == names.len { q.at_end() } else { q.may_end() }
    }
}
/// `PyArg_ParseTuple` and such.
///
/// # Safety
/// `f` is a C string, and `va` holds what it asks for.
#[inline]
pub unsafe fn parse_tuple(args: &[*mut PyObject], f: *const c_char, va: *mut VaList) -> PyResult<c_int> {
    // SAFETY: the caller's promise.
    unsafe {
        if quick_args(args, f, &*va) {
            return Ok(1);
        }
        parse_args(args, CStr::from_ptr(f).to_bytes(), &mut *va, false).map(|()| 1)
    }
}
/// `PyArg_ParseTupleAndKeywords` and such.
///
/// # Safety
/// As `parse_tuple`; `names` is a null-terminated array of C strings.
#[inline]
pub unsafe fn parse_tuple_keywords(
    args: &[*mut PyObject],
    kw: Option<&Dict>,
    f: *const c_char,
    names: *const *const c_char,
    va: *mut VaList,
) -> PyResult<c_int> {
    // SAFETY: the caller's promise.
    unsafe {
        if quick_keywords(args, kw, f, names, &*va) {
            return Ok(1);
        }
        let (kw, f) = (Keywords::of_dict(kw), CStr::from_ptr(f).to_bytes());
        parse_keywords(args, kw, f, Names::of(names), &mut *va, None).map(|()| 1)
    }
}

// ---- The long way ----

/// Parses positional arguments.
pub unsafe fn parse_args(args: &[*mut PyObject], f: &[u8], va: &mut VaList, single: bool) -> PyResult<()> {
    let Shape { units: max, min, .. } = Shape::of(f);
    if args.len() < min || args.len() > max {
        let (fname, message) = func_of(f);
        if let Some(m) = message {
            return raise!(TypeError, "{}", m);
        }
        let bound = if args.len() < min { min } else { max };
        let how = if min == max {
            "exactly"
        } else if args.len() < min {
            "at least"
        } else {
            "at most"
        };
        let name = if fname.is_empty() { "function".to_string() } else { format!("{fname}()") };
        return raise!(
            TypeError,
            "{} takes {} {} argument{} ({} given)",
            name,
            how,
            bound,
            if bound == 1 { "" } else { "s" },
            args.len()
        );
    }
    let mut p = Parser { f, i: 0, va, undo: Undos::default() };
    let mut r = Ok(());
    for (k, a) in args.iter().enumerate() {
        while p.peek() == b'|' {
            p.i += 1;
        }
        // SAFETY: live arguments.
        r = unsafe { p.convert(Object::from_ptr(*a), if single { At::Only } else { At::Argument(k + 1) }) };
        if r.is_err() {
            break;
        }
    }
    // What is left are units of optional arguments.
    let end = p.peek();
    if r.is_ok() && end != 0 && !end.is_ascii_alphabetic() && !matches!(end, b'(' | b'|' | b':' | b';') {
        r = raise!(SystemError, "bad format string: {}", String::from_utf8_lossy(f));
    }
    p.finish(r)
}

/// Parses positional and keyword arguments; `names` are the keyword names, empty ones positional-only. `known` is for descriptions that
/// are looked over before the first call, whose errors can say more.
pub unsafe fn parse_keywords(
    args: &[*mut PyObject],
    kwargs: Keywords<'_>,
    f: &[u8],
    names: Names,
    va: &mut VaList,
    known: Option<Shape>,
) -> PyResult<()> {
    let (n, total) = (names.len, kwargs.len());
    let posonly = names.positional_only();
    if args.len() + total > n {
        return raise!(
            TypeError,
            "{} takes at most {} {}argument{} ({} given)",
            called(f),
            n,
            if args.is_empty() { "keyword " } else { "" },
            if n == 1 { "" } else { "s" },
            args.len() + total
        );
    }
    let positional = |how: &str, k: usize| -> PyResult<()> {
        let s = if k == 1 { "" } else { "s" };
        raise!(TypeError, "{} takes {} {} positional argument{} ({} given)", called(f), how, k, s, args.len())
    };
    if let Some(k) = known
        && k.positional < args.len()
    {
        return match k.positional {
            0 => raise!(TypeError, "{} takes no positional arguments", called(f)),
            p => positional(if k.min < p { "at most" } else { "exactly" }, p),
        };
    }
    if (posonly..n).any(|k| names.is_empty(k)) {
        return raise!(SystemError, "Empty keyword parameter name");
    }
    let mut p = Parser { f, i: 0, va, undo: Undos::default() };
    let (mut min, mut left) = (usize::MAX, total);
    let mut dollar = false;
    // A positional-only argument is missing: the error is raised when it is known how many there are.
    let mut short = false;
    let mut k = 0;
    while k < n {
        if p.peek() == b'|' {
            p.i += 1;
            if min != usize::MAX {
                let r = raise!(SystemError, "Invalid format string (| specified twice)");
                return p.finish(r);
            }
            if dollar {
                let r = raise!(SystemError, "Invalid format string ($ before |)");
                return p.finish(r);
            }
            min = k;
        }
        if p.peek() == b'$' {
            p.i += 1;
            if dollar {
                let r = raise!(SystemError, "Invalid format string ($ specified twice)");
                return p.finish(r);
            }
            dollar = true;
            if k < posonly {
                let r = raise!(SystemError, "Empty parameter name after $");
                return p.finish(r);
            }
            if short {
                break;
            }
            if k < args.len() {
                let r = match k {
                    0 => raise!(TypeError, "{} takes no positional arguments", called(f)),
                    _ => positional(if min != usize::MAX { "at most" } else { "exactly" }, k),
                };
                return p.finish(r);
            }
        }
        if matches!(p.peek(), 0 | b':' | b';') {
            let r = raise!(SystemError, "More keyword list entries ({}) than format specifiers ({})", n, k);
            return p.finish(r);
        }
        if !short {
            let given = match args.get(k) {
                Some(a) => Some(*a),
                None if left > 0 && k >= posonly => kwargs.find(&names, k).inspect(|_| left -= 1),
                None => None,
            };
            if let Some(a) = given {
                // SAFETY: a live argument; the va_list holds what the format asks for.
                let r = unsafe { p.convert(Object::from_ptr(a), At::Argument(k + 1)) };
                if r.is_err() {
                    return p.finish(r);
                }
                k += 1;
                continue;
            }
            if k < min {
                // A bar to come makes no difference: all before it are required.
                if k < posonly {
                    short = true;
                } else {
                    let r = raise!(
                        TypeError,
                        "{} missing required argument '{}' (pos {})",
                        called(f),
                        names.text(k),
                        k + 1
                    );
                    return p.finish(r);
                }
            }
            if left == 0 && !short {
                return Ok(());
            }
        }
        // SAFETY: the va_list holds what the format asks for.
        let r = unsafe { p.skip() };
        if r.is_err() {
            return p.finish(r);
        }
        k += 1;
    }
    if short {
        let need = posonly.min(min);
        let more = known.map_or(k, |s| s.positional);
        let r = positional(if need < more { "at least" } else { "exactly" }, need);
        return p.finish(r);
    }
    if !matches!(p.peek(), 0 | b':' | b';' | b'|' | b'$') {
        let r = raise!(
            SystemError,
            "more argument specifiers than keyword list entries (remaining format:'{}')",
            String::from_utf8_lossy(&f[p.i.min(f.len())..])
        );
        return p.finish(r);
    }
    if left > 0 {
        for k in posonly..args.len() {
            if kwargs.find(&names, k).is_some() {
                let r = raise!(
                    TypeError,
                    "argument for {} given by name ('{}') and position ({})",
                    called(f),
                    names.text(k),
                    k + 1
                );
                return p.finish(r);
            }
        }
        let r = kwargs.check(&names, || match called(f) {
            n if n == "function" => "this function".to_string(),
            n => n,
        });
        return p.finish(r);
    }
    Ok(())
}

/// The names of parameters: a null-terminated array of C strings, empty ones for positional-only parameters.
#[derive(Clone, Copy)]
pub struct Names {
    list: *const *const c_char,
    pub len: usize,
}
impl Names {
    /// # Safety
    /// As the type says, for as long as the value is used.
    #[inline]
    pub unsafe fn of(list: *const *const c_char) -> Names {
        let mut len = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while !(*list.add(len)).is_null() {
                len += 1;
            }
        }
        Names { list, len }
    }
    #[inline]
    fn at(&self, i: usize) -> *const c_char {
        debug_assert!(i < self.len);
        // SAFETY: in range.
        unsafe { *self.list.add(i) }
    }
    fn is_empty(&self, i: usize) -> bool {
        // SAFETY: a C string.
        unsafe { *self.at(i) == 0 }
    }
    #[inline]
    pub fn positional_only(&self) -> usize {
        (0..self.len).take_while(|i| self.is_empty(*i)).count()
    }
    pub fn text(&self, i: usize) -> String {
        // SAFETY: a C string.
        unsafe { CStr::from_ptr(self.at(i)).to_string_lossy().into_owned() }
    }
    /// The parameter of that name.
    pub fn position(&self, name: &Str) -> Option<usize> {
        // SAFETY: C strings.
        (0..self.len).find(|i| !self.is_empty(*i) && unsafe { names::same(name, self.at(*i)) })
    }
}

/// Keyword arguments, as a call brought them.
#[derive(Clone, Copy)]
pub enum Keywords<'a> {
    None,
    Dict(&'a Dict),
    /// Names, and their values in the same order.
    Stack(&'a Tuple, *const *mut PyObject),
}
impl<'a> Keywords<'a> {
    #[inline]
    pub fn of_dict(d: Option<&'a Dict>) -> Keywords<'a> {
        match d {
            Some(d) if d.len() > 0 => Keywords::Dict(d),
            _ => Keywords::None,
        }
    }
    /// # Safety
    /// The names' values follow the `n` positional arguments.
    #[inline]
    pub unsafe fn of_stack(args: *const *mut PyObject, n: isize, names: Option<&'a Tuple>) -> Keywords<'a> {
        match names {
            // SAFETY: the caller's promise.
            Some(t) if t.len() > 0 => Keywords::Stack(t, unsafe { args.offset(n.max(0)) }),
            _ => Keywords::None,
        }
    }
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Keywords::None => 0,
            Keywords::Dict(d) => d.len(),
            Keywords::Stack(t, _) => t.len(),
        }
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Calls `f` with each name and value until it answers something.
    #[inline]
    pub fn each<R>(&self, mut f: impl FnMut(&Object, *mut PyObject) -> Option<R>) -> Option<R> {
        match self {
            Keywords::None => None,
            Keywords::Dict(d) => {
                let mut at = 0;
                while let Some((k, v)) = d.next(&mut at) {
                    if let Some(r) = f(&k, v.ptr()) {
                        return Some(r);
                    }
                }
                None
            }
            Keywords::Stack(t, values) => {
                // SAFETY: there are as many values as names.
                (0..t.len()).find_map(|i| f(t.item_ref(i), unsafe { *values.add(i) }))
            }
        }
    }
    /// The value given for parameter `k`.
    pub fn find(&self, names: &Names, k: usize) -> Option<*mut PyObject> {
        let c = names.at(k);
        self.each(|name, v| {
            let name = name.downcast::<Str>()?;
            // SAFETY: a C string.
            unsafe { names::same(name, c) }.then_some(v)
        })
    }
    /// Raises if a name is no string or none of `names`.
    pub fn check(&self, names: &Names, function: impl Fn() -> String) -> PyResult<()> {
        let bad = self.each(|name, _| match name.downcast::<Str>() {
            None => Some(raised!(TypeError, "keywords must be strings")),
            Some(s) if names.position(s).is_none() => {
                // The name may have surrogates: it is put in as it is.
                let mut text = StrBuilder::with_capacity(s.len() + 40);
                text.push_str("'");
                text.push_slice(s, 0, s.len());
                text.push_str("' is an invalid keyword argument for ");
                text.push_str(&function());
                Some(lh_runtime::errors::set_object(exc::TypeError(), Some(text.finish().into_object())))
            }
            _ => None,
        });
        bad.map_or(Ok(()), Err)
    }
}
