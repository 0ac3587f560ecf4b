//! `modsupport.h`: `PyArg_Parse…`, `Py_BuildValue`, and what the argument clinic's code calls.
//!
//! A format is walked once for the arguments and once for nobody: each unit knows how many `va_list` entries it takes, so optional
//! arguments that were not passed are skipped in step.

use crate::prelude::*;
use crate::va::VaList;
use lh_runtime::buffer;

/// What is left to undo if a later argument fails.
enum Undo {
    Buffer(*mut Py_buffer),
    Memory(*mut *mut c_char),
    Convert(unsafe extern "C" fn(*mut PyObject, *mut c_void) -> c_int, *mut c_void),
}

struct Parser<'a> {
    f: &'a [u8],
    i: usize,
    va: &'a mut VaList,
    undo: Vec<Undo>,
}

/// A parameter's name, in a table that lives as long as the extension.
type Name = std::borrow::Cow<'static, str>;

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

fn func_of(f: &[u8]) -> (String, Option<String>) {
    let tail =
        |sep: u8| f.iter().position(|c| *c == sep).map(|i| String::from_utf8_lossy(&f[i + 1..]).into_owned());
    match tail(b';') {
        Some(m) => ("function".into(), Some(m)),
        None => (tail(b':').unwrap_or_default(), None),
    }
}
fn shown(o: &Object) -> String {
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
    fn expected(&self, at: At<'_>, what: &str, got: &Object) -> Raised {
        raised!(TypeError, "{} must be {}, not {}", self.label(at), what, shown(got))
    }
    /// Stores integers with C's range checks.
    unsafe fn ranged<T: TryFrom<i64>>(&mut self, o: &Object, c_type: &str) -> PyResult<()> {
        let v = number::index(o)?;
        // SAFETY: the caller passed a pointer to a T.
        let p: *mut T = unsafe { self.va.ptr() };
        match v.to_i64() {
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
                    let n = self.f[self.i..].iter().take_while(|c| **c != b')').count();
                    let _ = n;
                    let want = count_units(&self.f[self.i..]);
                    if !lh_runtime::protocols::is_sequence(o) || Str::check(o) || Bytes::check(o) {
                        return Err(self.expected(at, &format!("{want}-item sequence"), o));
                    }
                    let len = o.length()?;
                    if len != want {
                        return raise!(
                            TypeError,
                            "{} must be sequence of length {}, not {}",
                            self.label(at),
                            want,
                            len
                        );
                    }
                    for k in 0..want {
                        // The sequence keeps its items; a sequence that makes them on the fly may not (as in C).
                        let x = o.seq_item(k as isize)?;
                        self.convert(&x, At::Item(&at, k))?;
                    }
                    if self.next() != b')' {
                        return raise!(SystemError, "bad format string");
                    }
                    Ok(())
                }
                b'b' => match number::index(o)?.to_i64() {
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
                b'l' | b'L' => match number::index(o)?.to_i64() {
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
                b'n' => {
                    let v = number::index(o)?;
                    match v.to_i64() {
                        Some(v) => {
                            *self.va.ptr::<isize>() = v as isize;
                            Ok(())
                        }
                        None => raise!(OverflowError, "Python int too large to convert to C ssize_t"),
                    }
                }
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
                    if sized && buffer::supports_buffer(o) {
                        let mut v = buffer::empty_view();
                        buffer::get_into(o, &mut v, 0)?;
                        let (p, n) = (v.buf, v.len);
                        buffer::release(&mut v);
                        *self.va.ptr::<*mut c_void>() = p;
                        *self.va.ptr::<isize>() = n;
                        return Ok(());
                    }
                    let what = match (c, sized) {
                        (b'z', true) => "str, read-only bytes-like object or None",
                        (b'z', _) => "str or None",
                        (b'y', true) => "read-only bytes-like object",
                        (b'y', _) => "bytes",
                        (_, true) => "str or read-only bytes-like object",
                        _ => "str",
                    };
                    if c == b'y' {
                        return raise!(TypeError, "a bytes-like object is required, not '{}'", o.ty().name());
                    }
                    Err(self.expected(at, what, o))
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
                _ => raise!(SystemError, "bad format string: {}", String::from_utf8_lossy(self.f)),
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
                    e.clear();
                    return match c {
                        b'w' => Err(self.expected(at, "read-write bytes-like object", o)),
                        b'y' => raise!(TypeError, "a bytes-like object is required, not '{}'", o.ty().name()),
                        b'z' => Err(self.expected(at, "str, bytes-like object or None", o)),
                        _ => Err(self.expected(at, "str or bytes-like object", o)),
                    };
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
            let keep_bytes = self.next() == b't';
            let sized = self.peek() == b'#';
            if sized {
                self.i += 1;
            }
            let enc: *const c_char = self.va.ptr();
            let enc = if enc.is_null() { "utf-8".into() } else { text(CStr::from_ptr(enc)) };
            let out: *mut *mut c_char = self.va.ptr();
            let data = match (o.downcast::<Str>(), o.downcast::<Bytes>()) {
                (_, Some(b)) if keep_bytes => b.as_bytes().to_vec(),
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
                    return raise!(ValueError, "encoded string without null bytes");
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
                b's' | b'z' | b'y' | b'w' | b'u' | b'Z' => match self.peek() {
                    b'#' => {
                        self.i += 1;
                        2
                    }
                    b'*' => {
                        self.i += 1;
                        1
                    }
                    _ => 1,
                },
                b'e' => {
                    self.i += 1;
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
                _ => return raise!(SystemError, "bad format string: {}", String::from_utf8_lossy(self.f)),
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
                for u in std::mem::take(&mut self.undo) {
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

/// Format units up to the end of this level.
fn count_units(f: &[u8]) -> usize {
    let (mut n, mut depth, mut i) = (0, 0, 0);
    while i < f.len() {
        match f[i] {
            b'(' => {
                if depth == 0 {
                    n += 1;
                }
                depth += 1
            }
            b')' if depth == 0 => break,
            b')' => depth -= 1,
            b':' | b';' => break,
            b'e' => {
                if depth == 0 {
                    n += 1;
                }
                i += 1
            }
            c if c.is_ascii_alphabetic() && depth == 0 => n += 1,
            _ => {}
        }
        i += 1;
    }
    n
}

/// Parses positional arguments.
unsafe fn parse_args(args: &[*mut PyObject], f: &[u8], va: &mut VaList, single: bool) -> PyResult<()> {
    let bar = {
        let mut depth = 0;
        f.iter().position(|c| {
            depth += (*c == b'(') as i32 - (*c == b')') as i32;
            *c == b'|' && depth == 0
        })
    };
    let max = count_units(f);
    let min = bar.map_or(max, |b| count_units(&f[..b]));
    if single && args.len() == 1 && max == 0 {
        return raise!(TypeError, "{}() takes no arguments", func_of(f).0);
    }
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
        if max == 0 {
            return raise!(TypeError, "{} takes no arguments ({} given)", name, args.len());
        }
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
    let mut p = Parser { f, i: 0, va, undo: vec![] };
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
    if let Err(e) = &r
        && let Some(m) = func_of(f).1
        && e.matches(exc::TypeError())
    {
        lh_runtime::errors::clear();
        r = raise!(TypeError, "{}", m);
    }
    p.finish(r)
}

/// Parses positional and keyword arguments; `names` are the keyword names, empty ones positional-only.
unsafe fn parse_keywords(
    args: &[*mut PyObject],
    kwargs: &[(Owned<Object>, *mut PyObject)],
    f: &[u8],
    names: &[Name],
    va: &mut VaList,
) -> PyResult<()> {
    let posonly = names.iter().take_while(|n| n.is_empty()).count();
    let shown_name = || match func_of(f).0 {
        n if n.is_empty() => "function".to_string(),
        n => format!("{n}()"),
    };
    // Where optional and keyword-only parameters begin.
    let (mut min, mut max_pos) = (usize::MAX, usize::MAX);
    {
        let mut k = 0;
        let end = f.iter().position(|c| *c == b':' || *c == b';').unwrap_or(f.len());
        let (mut depth, mut i) = (0, 0);
        while i < end {
            match f[i] {
                b'|' => min = min.min(k),
                b'$' => max_pos = k,
                b'(' => {
                    k += (depth == 0) as usize;
                    depth += 1
                }
                b')' => depth -= 1,
                b'e' if depth == 0 => {
                    k += 1;
                    i += 1
                }
                c if c.is_ascii_alphabetic() && depth == 0 => k += 1,
                _ => {}
            }
            i += 1;
        }
    }
    let n = names.len();
    let (min, max_pos) = (min.min(n), max_pos.min(n));
    if args.len() + kwargs.len() > n {
        return raise!(
            TypeError,
            "{} takes {} {} {}argument{} ({} given)",
            shown_name(),
            if min < n { "at most" } else { "exactly" },
            n,
            if args.is_empty() { "keyword " } else { "" },
            if n == 1 { "" } else { "s" },
            args.len() + kwargs.len()
        );
    }
    if args.len() > max_pos {
        if max_pos == 0 {
            return raise!(TypeError, "{} takes no positional arguments", shown_name());
        }
        return raise!(
            TypeError,
            "{} takes {} {} positional argument{} ({} given)",
            shown_name(),
            if min < max_pos { "at most" } else { "exactly" },
            max_pos,
            if max_pos == 1 { "" } else { "s" },
            args.len()
        );
    }
    let mut p = Parser { f, i: 0, va, undo: vec![] };
    let mut r = Ok(());
    let mut used = 0;
    for (k, name) in names.iter().enumerate() {
        while matches!(p.peek(), b'|' | b'$') {
            p.i += 1;
        }
        let by_name = if name.is_empty() {
            None
        } else {
            kwargs
                .iter()
                // SAFETY: keyword names are strings.
                .find(|(n, _)| n.downcast::<Str>().is_some_and(|n| n.equals_str(name)))
        };
        let given = match (args.get(k), by_name) {
            (Some(_), Some(_)) => {
                r = raise!(
                    TypeError,
                    "argument for {} given by name ('{}') and position ({})",
                    shown_name(),
                    name,
                    k + 1
                );
                break;
            }
            (Some(a), None) => Some(*a),
            (None, Some((_, v))) => {
                used += 1;
                Some(*v)
            }
            (None, None) => None,
        };
        // SAFETY: live arguments; the va_list holds what the format asks for.
        r = unsafe {
            match given {
                Some(a) => p.convert(Object::from_ptr(a), At::Argument(k + 1)),
                None if k < min => {
                    if k < posonly {
                        raise!(
                            TypeError,
                            "{} takes {} {} positional argument{} ({} given)",
                            shown_name(),
                            if min < max_pos { "at least" } else { "exactly" },
                            posonly.min(min),
                            if posonly.min(min) == 1 { "" } else { "s" },
                            args.len()
                        )
                    } else {
                        raise!(
                            TypeError,
                            "{} missing required argument '{}' (pos {})",
                            shown_name(),
                            name,
                            k + 1
                        )
                    }
                }
                None => p.skip(),
            }
        };
        if r.is_err() {
            break;
        }
    }
    if r.is_ok() && used < kwargs.len() {
        for (name, _) in kwargs {
            let Some(s) = name.downcast::<Str>() else {
                r = raise!(TypeError, "keywords must be strings");
                break;
            };
            if !names.iter().any(|n| !n.is_empty() && s.equals_str(n)) {
                r = raise!(
                    TypeError,
                    "'{}' is an invalid keyword argument for {}",
                    s.to_str_lossy(),
                    if p.fname().is_empty() { "this function".to_string() } else { shown_name() }
                );
                break;
            }
        }
    }
    if let Err(e) = &r
        && let Some(m) = func_of(f).1
        && e.matches(exc::TypeError())
    {
        lh_runtime::errors::clear();
        r = raise!(TypeError, "{}", m);
    }
    p.finish(r)
}

/// # Safety
/// A null-terminated array of C strings.
unsafe fn name_list(mut p: *const *const c_char) -> Vec<Name> {
    let mut v = vec![];
    // SAFETY: the caller's promise.
    unsafe {
        while !(*p).is_null() {
            v.push(CStr::from_ptr(*p).to_string_lossy());
            p = p.add(1);
        }
    }
    v
}
fn dict_pairs(d: Option<&Dict>) -> Vec<(Owned<Object>, *mut PyObject)> {
    d.map_or_else(Vec::new, |d| {
        d.items_vec()
            .into_iter()
            .map(|(k, v)| {
                let p = v.ptr();
                (k, p)
            })
            .collect()
    })
}
unsafe fn stack_pairs(
    args: *const *mut PyObject,
    n: isize,
    kwnames: Option<&Tuple>,
) -> Vec<(Owned<Object>, *mut PyObject)> {
    // SAFETY: values follow the positional arguments.
    kwnames.map_or_else(Vec::new, |t| {
        // SAFETY: the names' values follow the positional arguments.
        (0..t.len()).map(|i| (t.get(i), unsafe { *args.offset(n).add(i) })).collect()
    })
}
unsafe fn stack<'a>(args: *const *mut PyObject, n: isize) -> &'a [*mut PyObject] {
    // SAFETY: the caller's promise.
    if n <= 0 { &[] } else { unsafe { std::slice::from_raw_parts(args, n as usize) } }
}

/// `_PyArg_Parser`: the clinic's static description of a function.
#[repr(C)]
pub struct ArgParser {
    format: *const c_char,
    keywords: *const *const c_char,
    fname: *const c_char,
    custom_msg: *const c_char,
    pos: c_int,
    min: c_int,
    max: c_int,
    kwtuple: *mut PyObject,
    next: *mut ArgParser,
}
impl ArgParser {
    unsafe fn name(&self) -> String {
        // SAFETY: C strings of a static description.
        unsafe {
            if !self.fname.is_null() {
                return text(CStr::from_ptr(self.fname)).into_owned();
            }
            if self.format.is_null() {
                String::new()
            } else {
                func_of(CStr::from_ptr(self.format).to_bytes()).0
            }
        }
    }
}

capi! {
    fn lh_arg_parse_tuple(args: &Tuple, f: &CStr, va: *mut VaList) -> (c_int, 0) {
        parse_args(args.as_slice_raw(), f.to_bytes(), &mut *va, false).map(|()| 1)
    }
    fn lh_arg_parse(arg: &Object, f: &CStr, va: *mut VaList) -> (c_int, 0) {
        // A format of one parenthesised group or one unit describes the object itself.
        let b = f.to_bytes();
        if count_units(b) == 1 {
            return parse_args(&[arg.as_ptr()], b, &mut *va, true).map(|()| 1);
        }
        match arg.downcast::<Tuple>() {
            Some(t) => parse_args(t.as_slice_raw(), b, &mut *va, false).map(|()| 1),
            None => raise!(SystemError, "old style getargs format uses new features"),
        }
    }
    fn lh_arg_parse_stack(args: *const *mut PyObject, n: isize, f: &CStr, va: *mut VaList) -> (c_int, 0) {
        parse_args(stack(args, n), f.to_bytes(), &mut *va, false).map(|()| 1)
    }
    fn lh_arg_parse_keywords(args: &Tuple, kw: Option<&Dict>, f: &CStr, names: *const *const c_char, va: *mut VaList) -> (c_int, 0) {
        parse_keywords(args.as_slice_raw(), &dict_pairs(kw), f.to_bytes(), &name_list(names), &mut *va).map(|()| 1)
    }
    fn lh_arg_parse_stack_keywords(args: *const *mut PyObject, n: isize, kwnames: Option<&Tuple>, p: *mut ArgParser, va: *mut VaList) -> (c_int, 0) {
        let f = CStr::from_ptr((*p).format).to_bytes();
        parse_keywords(stack(args, n), &stack_pairs(args, n, kwnames), f, &name_list((*p).keywords), &mut *va).map(|()| 1)
    }
    fn lh_arg_parse_tuple_keywords_fast(args: &Tuple, kw: Option<&Dict>, p: *mut ArgParser, va: *mut VaList) -> (c_int, 0) {
        let f = CStr::from_ptr((*p).format).to_bytes();
        parse_keywords(args.as_slice_raw(), &dict_pairs(kw), f, &name_list((*p).keywords), &mut *va).map(|()| 1)
    }
    fn PyArg_VaParse(args: &Tuple, f: &CStr, va: *mut VaList) -> (c_int, 0) {
        parse_args(args.as_slice_raw(), f.to_bytes(), &mut *va, false).map(|()| 1)
    }
    fn _PyArg_VaParse_SizeT(args: &Tuple, f: &CStr, va: *mut VaList) -> (c_int, 0) {
        parse_args(args.as_slice_raw(), f.to_bytes(), &mut *va, false).map(|()| 1)
    }
    fn PyArg_VaParseTupleAndKeywords(args: &Tuple, kw: Option<&Dict>, f: &CStr, names: *const *const c_char, va: *mut VaList) -> (c_int, 0) {
        parse_keywords(args.as_slice_raw(), &dict_pairs(kw), f.to_bytes(), &name_list(names), &mut *va).map(|()| 1)
    }
    fn _PyArg_VaParseTupleAndKeywords_SizeT(args: &Tuple, kw: Option<&Dict>, f: &CStr, names: *const *const c_char, va: *mut VaList) -> (c_int, 0) {
        parse_keywords(args.as_slice_raw(), &dict_pairs(kw), f.to_bytes(), &name_list(names), &mut *va).map(|()| 1)
    }
    fn lh_unpack_stack(args: *const *mut PyObject, n: isize, name: Option<&CStr>, min: isize, max: isize, va: *mut VaList) -> (c_int, 0) {
        check_positional(name, n, min, max)?;
        for i in 0..n {
            *(*va).ptr::<*mut PyObject>() = *args.offset(i);
        }
        Ok(1)
    }
    fn lh_unpack_tuple(args: &Object, name: Option<&CStr>, min: isize, max: isize, va: *mut VaList) -> (c_int, 0) {
        let Some(t) = args.downcast::<Tuple>() else {
            return raise!(SystemError, "PyArg_UnpackTuple() argument list is not a tuple");
        };
        check_positional(name, t.len() as isize, min, max)?;
        for p in t.as_slice_raw() {
            *(*va).ptr::<*mut PyObject>() = *p;
        }
        Ok(1)
    }
    fn _PyArg_CheckPositional(name: Option<&CStr>, n: isize, min: isize, max: isize) -> (c_int, 0) {
        check_positional(name, n, min, max).map(|()| 1)
    }
    fn _PyArg_NoKeywords(name: &CStr, kw: Option<&Object>) -> (c_int, 0) {
        match kw { Some(k) if k.length()? > 0 => raise!(TypeError, "{}() takes no keyword arguments", text(name)), _ => Ok(1) }
    }
    fn _PyArg_NoKwnames(name: &CStr, kw: Option<&Tuple>) -> (c_int, 0) {
        match kw { Some(k) if k.len() > 0 => raise!(TypeError, "{}() takes no keyword arguments", text(name)), _ => Ok(1) }
    }
    fn _PyArg_NoPositional(name: &CStr, args: Option<&Tuple>) -> (c_int, 0) {
        match args { Some(a) if a.len() > 0 => raise!(TypeError, "{}() takes no positional arguments", text(name)), _ => Ok(1) }
    }
    fn _PyArg_BadArgument(fname: &CStr, display: &CStr, expected: &CStr, arg: &Object) -> void {
        let _ = raised!(TypeError, "{}() {} must be {}, not {}", text(fname), text(display), text(expected), shown(arg));
    }
    fn PyArg_ValidateKeywordArguments(kw: &Dict) -> (c_int, 0) {
        if kw.keys_vec().iter().all(|k| Str::check(k)) { Ok(1) } else { raise!(TypeError, "keywords must be strings") }
    }
    /// Arranges the arguments in parameter order; the answer is `args` itself if nothing was given by keyword.
    fn _PyArg_UnpackKeywords(
        args: *const *mut PyObject, n: isize, kwargs: Option<&Dict>, kwnames: Option<&Tuple>, p: *mut ArgParser,
        min_pos: c_int, max_pos: c_int, min_kw: c_int, buf: *mut *mut PyObject,
    ) -> (*const *mut PyObject, null()) {
        let names = name_list((*p).keywords);
        let fname = (*p).name();
        let shown_name = if fname.is_empty() { "function".to_string() } else { format!("{fname}()") };
        let pairs = match kwnames { Some(_) => stack_pairs(args, n, kwnames), None => dict_pairs(kwargs) };
        let total = names.len();
        let posonly = names.iter().take_while(|x| x.is_empty()).count();
        let n = n.max(0) as usize;
        let (min_pos, max_pos) = (min_pos as usize, max_pos as usize);
        if pairs.is_empty() && min_kw == 0 && min_pos <= n && n <= max_pos && !args.is_null()
            && n == total {
                return Ok(args);
            }
        if n + pairs.len() > total {
            return raise!(
                TypeError, "{} takes {} {} {}argument{} ({} given)", shown_name,
                if min_pos + (min_kw as usize) < total { "at most" } else { "exactly" }, total,
                if n == 0 { "keyword " } else { "" }, if total == 1 { "" } else { "s" }, n + pairs.len()
            );
        }
        if n > max_pos {
            if max_pos == 0 {
                return raise!(TypeError, "{} takes no positional arguments", shown_name);
            }
            return raise!(
                TypeError, "{} takes {} {} positional argument{} ({} given)", shown_name,
                if min_pos < max_pos { "at most" } else { "exactly" }, max_pos, if max_pos == 1 { "" } else { "s" }, n
            );
        }
        if n < min_pos && n < posonly {
            let need = min_pos.min(posonly);
            if n < need {
                return raise!(
                    TypeError, "{} takes {} {} positional argument{} ({} given)", shown_name,
                    if min_pos < max_pos { "at least" } else { "exactly" }, need, if need == 1 { "" } else { "s" }, n
                );
            }
        }
        for i in 0..total {
            *buf.add(i) = if i < n { *args.add(i) } else { null_mut() };
        }
        for (k, v) in &pairs {
            let Some(s) = k.downcast::<Str>() else { return raise!(TypeError, "keywords must be strings") };
            match names.iter().position(|x| !x.is_empty() && s.equals_str(x)) {
                None => return raise!(TypeError, "'{}' is an invalid keyword argument for {}", s.to_str_lossy(), if fname.is_empty() { "this function".to_string() } else { shown_name }),
                Some(i) if i < n => {
                    return raise!(TypeError, "argument for {} given by name ('{}') and position ({})", shown_name, names[i], i + 1);
                }
                Some(i) => *buf.add(i) = *v,
            }
        }
        for i in posonly.max(n)..total {
            let required = if i < max_pos { i < min_pos } else { i < max_pos + min_kw as usize };
            if required && (*buf.add(i)).is_null() {
                return raise!(TypeError, "{} missing required argument '{}' (pos {})", shown_name, names[i], i + 1);
            }
        }
        Ok(buf.cast_const())
    }

    /// As `_PyArg_UnpackKeywords` for a function with `*args` at place `vararg`: surplus positional arguments become a tuple there.
    fn _PyArg_UnpackKeywordsWithVararg(
        args: *const *mut PyObject, n: isize, kwargs: Option<&Dict>, kwnames: Option<&Tuple>, p: *mut ArgParser,
        min_pos: c_int, max_pos: c_int, min_kw: c_int, vararg: c_int, buf: *mut *mut PyObject,
    ) -> (*const *mut PyObject, null()) {
        let names = name_list((*p).keywords);
        let fname = (*p).name();
        let shown_name = if fname.is_empty() { "function".to_string() } else { format!("{fname}()") };
        let pairs = match kwnames { Some(_) => stack_pairs(args, n, kwnames), None => dict_pairs(kwargs) };
        let posonly = names.iter().take_while(|x| x.is_empty()).count();
        let (n, vararg) = (n.max(0) as usize, vararg as usize);
        let (min_pos, max_pos) = (min_pos as usize, max_pos as usize);
        // A place for each parameter and one for the tuple.
        let total = names.len() + 1;
        let place = |i: usize| if i < vararg { i } else { i + 1 };
        for i in 0..total {
            *buf.add(i) = null_mut();
        }
        if n < min_pos && n < posonly {
            return raise!(
                TypeError, "{} takes {} {} positional argument{} ({} given)", shown_name,
                if min_pos < max_pos { "at least" } else { "exactly" }, min_pos.min(posonly), if min_pos.min(posonly) == 1 { "" } else { "s" }, n
            );
        }
        let plain = n.min(vararg);
        for i in 0..plain {
            *buf.add(i) = *args.add(i);
        }
        for (k, v) in &pairs {
            let Some(s) = k.downcast::<Str>() else { return raise!(TypeError, "keywords must be strings") };
            match names.iter().position(|x| !x.is_empty() && s.equals_str(x)) {
                None => return raise!(TypeError, "'{}' is an invalid keyword argument for {}", s.to_str_lossy(), if fname.is_empty() { "this function".to_string() } else { shown_name }),
                Some(i) if i < plain => {
                    return raise!(TypeError, "argument for {} given by name ('{}') and position ({})", shown_name, names[i], i + 1);
                }
                Some(i) => *buf.add(place(i)) = *v,
            }
        }
        for (i, name) in names.iter().enumerate().skip(posonly.max(plain)) {
            let required = if i < vararg { i < min_pos } else { i < vararg + min_kw as usize };
            if required && (*buf.add(place(i))).is_null() {
                return raise!(TypeError, "{} missing required argument '{}' (pos {})", shown_name, name, i + 1);
            }
        }
        let rest = (plain..n).map(|i| Object::from_ptr(*args.add(i)).own()).collect();
        *buf.add(vararg) = Tuple::from_vec(rest).into_raw();
        Ok(buf.cast_const())
    }

    fn lh_build_value(f: &CStr, va: *mut VaList) -> obj { build(f.to_bytes(), &mut *va) }
    fn Py_VaBuildValue(f: &CStr, va: *mut VaList) -> obj { build(f.to_bytes(), &mut *va) }
    fn _Py_VaBuildValue_SizeT(f: &CStr, va: *mut VaList) -> obj { build(f.to_bytes(), &mut *va) }
    /// Calls with a format: a tuple from the format is the argument list, anything else the only argument.
    fn lh_call_format(o: &Object, f: Option<&CStr>, va: *mut VaList) -> obj { call_format(o, f, &mut *va) }
    fn lh_call_method_format(o: &Object, name: &CStr, f: Option<&CStr>, va: *mut VaList) -> obj {
        let m = o.get_attr(&str_of(name))?;
        if !m.is_callable() {
            return raise!(TypeError, "attribute of type '{}' is not callable", m.ty().name());
        }
        call_format(&m, f, &mut *va)
    }
    fn lh_call_method_obj_format(o: &Object, name: &Str, f: Option<&CStr>, va: *mut VaList) -> obj {
        call_format(&*o.get_attr(name)?, f, &mut *va)
    }
    fn lh_audit(event: &CStr, f: Option<&CStr>, va: *mut VaList) -> status {
        if !lh_runtime::sysobject::is_audited() {
            return Ok(());
        }
        let args = match f {
            None => Tuple::empty(),
            Some(f) => {
                let v = build(f.to_bytes(), &mut *va)?;
                match v.downcast::<Tuple>() { Some(t) => t.own(), None => Tuple::from_vec(vec![v]) }
            }
        };
        lh_runtime::sysobject::audit_tuple(&text(event), &args)
    }
}

fn check_positional(name: Option<&CStr>, n: isize, min: isize, max: isize) -> PyResult<()> {
    if n >= min && n <= max {
        return Ok(());
    }
    let (k, bound) = if n < min { (min, "at least ") } else { (max, "at most ") };
    let bound = if min == max { "" } else { bound };
    let s = if k == 1 { "" } else { "s" };
    match name {
        Some(f) => raise!(TypeError, "{} expected {}{} argument{}, got {}", text(f), bound, k, s, n),
        None => raise!(TypeError, "unpacked tuple should have {}{} element{}, but has {}", bound, k, s, n),
    }
}

unsafe fn call_format(o: &Object, f: Option<&CStr>, va: &mut VaList) -> PyResult {
    let Some(f) = f.filter(|f| !f.is_empty()) else { return o.call0() };
    // SAFETY: the caller's va_list holds what the format asks for.
    let v = unsafe { build(f.to_bytes(), va)? };
    match v.downcast::<Tuple>() {
        Some(t) => o.call_tuple(t, None),
        None => o.call1(&v),
    }
}

/// `Py_BuildValue`: nothing is `None`, one item is itself, more are a tuple.
///
/// # Safety
/// `va` holds what the format asks for.
pub unsafe fn build(f: &[u8], va: &mut VaList) -> PyResult {
    let mut i = 0;
    // SAFETY: the caller's promise.
    let mut v = unsafe { build_items(f, &mut i, 0, va)? };
    Ok(match v.len() {
        0 => none(),
        1 => v.pop().expect("one"),
        _ => Tuple::from_vec(v).into_object(),
    })
}

/// All items are taken from the list even after an error, so that `N` references are not leaked.
unsafe fn build_items(f: &[u8], i: &mut usize, end: u8, va: &mut VaList) -> PyResult<Vec<Owned<Object>>> {
    let mut out = vec![];
    let mut failed = None;
    loop {
        let c = f.get(*i).copied().unwrap_or(0);
        if c == end || c == 0 {
            if c != end {
                return raise!(SystemError, "unmatched paren in format");
            }
            if c != 0 {
                *i += 1;
            }
            break;
        }
        *i += 1;
        if matches!(c, b',' | b':' | b' ' | b'\t') {
            continue;
        }
        // SAFETY: the caller's promise.
        match unsafe { build_one(c, f, i, va) } {
            Ok(o) => out.push(o),
            Err(e) => {
                // The first error is the one to report.
                if failed.is_none() {
                    failed = Some(lh_runtime::errors::fetch());
                } else {
                    e.clear();
                }
            }
        }
    }
    match failed {
        None => Ok(out),
        Some((t, v, tb)) => {
            lh_runtime::errors::restore(t, v, tb);
            Err(Raised::already_set())
        }
    }
}

unsafe fn build_one(c: u8, f: &[u8], i: &mut usize, va: &mut VaList) -> PyResult {
    // SAFETY: the caller's promise.
    unsafe {
        Ok(match c {
            b'(' => Tuple::from_vec(build_items(f, i, b')', va)?).into_object(),
            b'[' => List::from_vec(build_items(f, i, b']', va)?).into_object(),
            b'{' => {
                let d = Dict::new();
                let v = build_items(f, i, b'}', va)?;
                for kv in v.chunks(2) {
                    let [k, x] = kv else { return raise!(SystemError, "Bad dict format") };
                    d.set_item(k, x)?;
                }
                d.into_object()
            }
            b'b' | b'h' | b'i' => Int::from_i64(va.int() as i64).into_object(),
            b'B' | b'H' => Int::from_i64(va.int() as i64).into_object(),
            b'I' => Int::from_u64(va.int() as u32 as u64).into_object(),
            b'n' | b'l' | b'L' => Int::from_i64(va.word() as i64).into_object(),
            b'k' | b'K' => Int::from_u64(va.word()).into_object(),
            b'p' => bool_obj(va.int() != 0),
            b'd' | b'f' => Float::new(va.double()).into_object(),
            b'D' => {
                let p = va.ptr::<(f64, f64)>();
                Complex::new((*p).0, (*p).1).into_object()
            }
            b'c' => Bytes::new(&[va.int() as u8]).into_object(),
            b'C' => match va.int() {
                v @ 0..=0x10ffff => Str::from_char(v as u32).into_object(),
                _ => return raise!(ValueError, "chr() arg not in range(0x110000)"),
            },
            b's' | b'z' | b'U' | b'y' | b'u' => {
                let p = va.ptr::<u8>();
                let n = if f.get(*i) == Some(&b'#') {
                    *i += 1;
                    Some(va.word() as isize)
                } else {
                    None
                };
                if p.is_null() {
                    return Ok(none());
                }
                if c == b'u' {
                    let n = n.map_or_else(|| libc::wcslen(p.cast()), |n| n.max(0) as usize);
                    return Ok(Str::from_code_points(std::slice::from_raw_parts(p.cast(), n)).into_object());
                }
                let b = match n {
                    Some(n) if n >= 0 => std::slice::from_raw_parts(p, n as usize),
                    _ => CStr::from_ptr(p.cast()).to_bytes(),
                };
                if c == b'y' {
                    Bytes::new(b).into_object()
                } else {
                    lh_runtime::codecs::decode_utf8(b)?.into_object()
                }
            }
            b'N' | b'S' | b'O' => {
                if c == b'O' && f.get(*i) == Some(&b'&') {
                    *i += 1;
                    type Conv = unsafe extern "C" fn(*mut c_void) -> *mut PyObject;
                    let conv: Conv = std::mem::transmute(va.ptr::<c_void>());
                    return from_c(conv(va.ptr()));
                }
                let p = va.ptr::<PyObject>();
                if p.is_null() {
                    return Err(if occurred() {
                        Raised::already_set()
                    } else {
                        raised!(SystemError, "NULL object passed to Py_BuildValue")
                    });
                }
                if c == b'N' { Owned::from_raw(p) } else { Object::from_ptr(p).own() }
            }
            _ => return raise!(SystemError, "bad format char passed to Py_BuildValue"),
        })
    }
}
