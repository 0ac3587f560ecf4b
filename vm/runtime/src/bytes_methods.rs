//! What `bytes` and `bytearray` have in common: searching, splitting, padding, ASCII case and classes, hex, translation.
//!
//! `shared_methods!` makes the same methods for both types. A bytearray's content may change whenever Python code runs, so every
//! method converts its arguments first and only then looks at the content.

use crate::buffer::BytesLike;
use crate::convert::*;
use crate::errors::*;
use crate::exceptions::exc;
use crate::kinds::*;
use crate::object::*;
use crate::str_methods::{Side, bound, has_index};
use crate::str_search as search;
use crate::strobject::{Text, clip};
use crate::{pymethods, raise};
use memchr::memmem;

pub(crate) fn name_of(o: &Object, n: usize) -> String {
    clip(&o.ty().name(), n).to_string()
}

/// `bytes` or `bytearray`.
pub trait ByteSeq: Kind {
    /// # Safety
    /// No Python code runs while the slice lives.
    unsafe fn content(&self) -> &[u8];
    fn make(b: &[u8]) -> Owned<Self>;
    /// The object itself if it is immutable and exact, else a copy.
    fn same(&self) -> Owned<Self>;
}
impl ByteSeq for Bytes {
    unsafe fn content(&self) -> &[u8] {
        self.as_bytes()
    }
    fn make(b: &[u8]) -> Owned<Bytes> {
        Bytes::new(b)
    }
    fn same(&self) -> Owned<Bytes> {
        if self.is_exact::<Bytes>() { self.own() } else { Bytes::new(self.as_bytes()) }
    }
}
impl ByteSeq for ByteArray {
    unsafe fn content(&self) -> &[u8] {
        // SAFETY: the caller's promise.
        unsafe { self.peek() }
    }
    fn make(b: &[u8]) -> Owned<ByteArray> {
        ByteArray::new(b)
    }
    fn same(&self) -> Owned<ByteArray> {
        ByteArray::new(&self.to_vec())
    }
}

/// Arguments that hold no borrow of the receiver: a bytes-like object or one byte.
pub enum Needle<'a> {
    Like(BytesLike<'a>),
    Byte([u8; 1]),
}
impl core::ops::Deref for Needle<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Needle::Like(b) => b,
            Needle::Byte(b) => b,
        }
    }
}

/// A number as a byte.
pub fn byte_value(o: &Object, message: &str) -> PyResult<u8> {
    match crate::number::index(o)?.to_i64() {
        Some(v) if (0..256).contains(&v) => Ok(v as u8),
        _ => raise!(ValueError, "{}", message),
    }
}
pub const BYTE_RANGE: &str = "byte must be in range(0, 256)";

fn needle(o: &Object) -> PyResult<Needle<'_>> {
    if crate::buffer::supports_buffer(o) {
        return Ok(Needle::Like(BytesLike::get(o)?));
    }
    if has_index(o) {
        return Ok(Needle::Byte([byte_value(o, BYTE_RANGE)?]));
    }
    raise!(TypeError, "argument should be integer or bytes-like object, not '{}'", name_of(o, 200))
}

/// A fill byte argument.
struct FillByte(u8);
impl<'a> FromPy<'a> for FillByte {
    fn from_py(o: &'a Object, ctx: ArgCtx<'_>) -> PyResult<Self> {
        if let Some(b) = o.downcast::<Bytes>()
            && let [c] = b.as_bytes()
        {
            return Ok(FillByte(*c));
        }
        if let Some(b) = o.downcast::<ByteArray>()
            && let [c] = b.to_vec()[..]
        {
            return Ok(FillByte(c));
        }
        Err(ctx.type_error("a byte string of length 1", o))
    }
}

struct Range {
    start: usize,
    end: usize,
    empty: bool,
}
fn range(len: usize, (s, e): (isize, isize)) -> Range {
    let (s, e) = search::adjust(s, e, len);
    Range { start: s.min(e) as usize, end: e as usize, empty: s > e }
}
fn bounds(start: Option<&Object>, end: Option<&Object>) -> PyResult<(isize, isize)> {
    Ok((bound(start, 0)?, bound(end, isize::MAX)?))
}

fn find<T: ByteSeq>(
    s: &T,
    sub: &Object,
    start: Option<&Object>,
    end: Option<&Object>,
    rev: bool,
) -> PyResult<isize> {
    let n = needle(sub)?;
    let b = bounds(start, end)?;
    // SAFETY: the arguments are converted: nothing runs Python code below.
    let c = unsafe { s.content() };
    let r = range(c.len(), b);
    if r.empty {
        return Ok(-1);
    }
    let h = &c[r.start..r.end];
    let at = if rev { memmem::rfind(h, &n) } else { search::find(Text::U1(h), Text::U1(&n)) };
    Ok(at.map_or(-1, |i| (i + r.start) as isize))
}

pub(crate) fn contains<T: ByteSeq>(s: &T, item: &Object) -> PyResult<bool> {
    let byte = match has_index(item) && !crate::buffer::supports_buffer(item) {
        true => match crate::number::index(item) {
            Ok(i) => Some(byte_value(&i, BYTE_RANGE)?),
            Err(e) => {
                e.clear();
                None
            }
        },
        false => None,
    };
    let n = if let Some(b) = byte { Needle::Byte([b]) } else { Needle::Like(BytesLike::get(item)?) };
    // SAFETY: nothing runs Python code below.
    Ok(search::find(Text::U1(unsafe { s.content() }), Text::U1(&n)).is_some())
}

fn tail_match<T: ByteSeq>(
    s: &T,
    sub: &Object,
    start: Option<&Object>,
    end: Option<&Object>,
    at_end: bool,
) -> PyResult<bool> {
    let b = bounds(start, end)?;
    let one = |p: &[u8]| {
        // SAFETY: nothing runs Python code while the content is looked at.
        let c = unsafe { s.content() };
        let r = range(c.len(), b);
        let h = &c[r.start..r.end];
        !r.empty && if at_end { h.ends_with(p) } else { h.starts_with(p) }
    };
    if let Some(t) = sub.downcast::<Tuple>() {
        for o in t.iter() {
            if one(&BytesLike::get(o)?) {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if !crate::buffer::supports_buffer(sub) {
        let f = if at_end { "endswith" } else { "startswith" };
        return raise!(
            TypeError,
            "{} first arg must be bytes or a tuple of bytes, not {}",
            f,
            name_of(sub, 100)
        );
    }
    Ok(one(&BytesLike::get(sub)?))
}

fn is_space(c: u8) -> bool {
    matches!(c, 9..=13 | 32)
}

fn strip_range(c: &[u8], set: Option<&[u8]>, side: Side) -> (usize, usize) {
    let drop = |b: u8| set.map_or(is_space(b), |s| s.contains(&b));
    let (mut i, mut j) = (0, c.len());
    while side != Side::Right && i < j && drop(c[i]) {
        i += 1;
    }
    while side != Side::Left && i < j && drop(c[j - 1]) {
        j -= 1;
    }
    (i, j)
}
fn strip<T: ByteSeq>(s: &T, set: Option<&Object>, side: Side) -> PyResult<Owned<T>> {
    let set = set.filter(|o| !o.is_none()).map(BytesLike::get).transpose()?;
    // SAFETY: nothing runs Python code below.
    let c = unsafe { s.content() };
    let (i, j) = strip_range(c, set.as_deref(), side);
    Ok(if (i, j) == (0, c.len()) { s.same() } else { T::make(&c[i..j]) })
}

fn limit(n: isize) -> usize {
    if n < 0 { usize::MAX } else { n as usize }
}

/// Splits at runs of white space.
fn split_space(c: &[u8], max: usize) -> Vec<&[u8]> {
    let mut out = vec![];
    let mut i = 0;
    loop {
        while i < c.len() && is_space(c[i]) {
            i += 1;
        }
        if i == c.len() {
            return out;
        }
        if out.len() == max {
            out.push(&c[i..]);
            return out;
        }
        let start = i;
        while i < c.len() && !is_space(c[i]) {
            i += 1;
        }
        out.push(&c[start..i]);
    }
}
fn rsplit_space(c: &[u8], max: usize) -> Vec<&[u8]> {
    let mut out = vec![];
    let mut i = c.len();
    loop {
        while i > 0 && is_space(c[i - 1]) {
            i -= 1;
        }
        if i == 0 {
            break;
        }
        if out.len() == max {
            out.push(&c[..i]);
            break;
        }
        let end = i;
        while i > 0 && !is_space(c[i - 1]) {
            i -= 1;
        }
        out.push(&c[i..end]);
    }
    out.reverse();
    out
}
fn split_by<'a>(c: &'a [u8], sep: &[u8], max: usize) -> Vec<&'a [u8]> {
    let mut out = vec![];
    let mut at = 0;
    for i in search::find_all(Text::U1(c), Text::U1(sep), max) {
        out.push(&c[at..i]);
        at = i + sep.len();
    }
    out.push(&c[at..]);
    out
}
fn rsplit_by<'a>(c: &'a [u8], sep: &[u8], max: usize) -> Vec<&'a [u8]> {
    let mut out = vec![];
    let mut end = c.len();
    while out.len() < max
        && let Some(i) = memmem::rfind(&c[..end], sep)
    {
        out.push(&c[i + sep.len()..end]);
        end = i;
    }
    out.push(&c[..end]);
    out.reverse();
    out
}
fn split<T: ByteSeq>(s: &T, sep: Option<&Object>, max: isize, rev: bool) -> PyResult<Vec<Owned<Object>>> {
    let sep = sep.filter(|o| !o.is_none()).map(BytesLike::get).transpose()?;
    // SAFETY: nothing runs Python code below.
    let c = unsafe { s.content() };
    let parts = match sep.as_deref() {
        Some([]) => return raise!(ValueError, "empty separator"),
        Some(p) if rev => rsplit_by(c, p, limit(max)),
        Some(p) => split_by(c, p, limit(max)),
        None if rev => rsplit_space(c, limit(max)),
        None => split_space(c, limit(max)),
    };
    Ok(parts.into_iter().map(|p| T::make(p).into_object()).collect())
}

fn split_lines<T: ByteSeq>(s: &T, keep: bool) -> Vec<Owned<Object>> {
    // SAFETY: nothing runs Python code below.
    let c = unsafe { s.content() };
    let mut out = vec![];
    let mut i = 0;
    while i < c.len() {
        let start = i;
        while i < c.len() && c[i] != b'\n' && c[i] != b'\r' {
            i += 1;
        }
        let mut end = i;
        if i < c.len() {
            i += if c[i] == b'\r' && c.get(i + 1) == Some(&b'\n') { 2 } else { 1 };
            if keep {
                end = i;
            }
        }
        out.push(T::make(&c[start..end]).into_object());
    }
    out
}

fn partition<T: ByteSeq>(s: &T, sep: &Object, rev: bool) -> PyResult<(Owned<T>, Owned<Object>, Owned<T>)> {
    let p = BytesLike::get(sep)?;
    if p.is_empty() {
        return raise!(ValueError, "empty separator");
    }
    // SAFETY: nothing runs Python code below.
    let c = unsafe { s.content() };
    let at = if rev { memmem::rfind(c, &p) } else { memmem::find(c, &p) };
    let e = || T::make(b"");
    Ok(match at {
        Some(i) => {
            let mid = if sep.is_exact::<Bytes>() && T::type_ptr() == Bytes::type_ptr() {
                sep.own()
            } else {
                T::make(&p).into_object()
            };
            (T::make(&c[..i]), mid, T::make(&c[i + p.len()..]))
        }
        None if rev => (e(), e().into_object(), s.same()),
        None => (s.same(), e().into_object(), e()),
    })
}

fn replace<T: ByteSeq>(s: &T, old: &[u8], new: &[u8], max: usize) -> PyResult<Owned<T>> {
    // SAFETY: nothing runs Python code below.
    let c = unsafe { s.content() };
    let mut out: Vec<u8> = vec![];
    if old.is_empty() {
        let n = (c.len() + 1).min(max);
        if n.saturating_mul(new.len()) > isize::MAX as usize / 2 {
            return raise!(OverflowError, "replace bytes is too long");
        }
        for (i, b) in c.iter().enumerate() {
            if i < n {
                out.extend_from_slice(new);
            }
            out.push(*b);
        }
        if c.len() < n {
            out.extend_from_slice(new);
        }
        return Ok(T::make(&out));
    }
    let hits = search::find_all(Text::U1(c), Text::U1(old), max);
    if hits.is_empty() {
        return Ok(s.same());
    }
    if hits.len().saturating_mul(new.len()) > isize::MAX as usize / 2 {
        return raise!(OverflowError, "replace bytes is too long");
    }
    out.reserve_exact(c.len() - hits.len() * old.len() + hits.len() * new.len());
    let mut at = 0;
    for i in hits {
        out.extend_from_slice(&c[at..i]);
        out.extend_from_slice(new);
        at = i + old.len();
    }
    out.extend_from_slice(&c[at..]);
    Ok(T::make(&out))
}

fn padded<T: ByteSeq>(s: &T, left: usize, right: usize, fill: u8) -> PyResult<Owned<T>> {
    if left == 0 && right == 0 {
        return Ok(s.same());
    }
    if left.saturating_add(right) > isize::MAX as usize / 8 {
        return Err(set_object(exc::MemoryError(), None));
    }
    // SAFETY: nothing runs Python code below.
    let c = unsafe { s.content() };
    let mut v = vec![fill; left];
    v.extend_from_slice(c);
    v.resize(v.len() + right, fill);
    Ok(T::make(&v))
}

fn join<T: ByteSeq>(s: &T, items: &Object) -> PyResult<Owned<T>> {
    // SAFETY: copied at once.
    let sep = unsafe { s.content() }.to_vec();
    let list = match items.downcast_exact::<List>() {
        Some(l) => l.to_vec(),
        None => match items.to_items() {
            Ok(v) => v,
            Err(e) if e.matches(exc::TypeError()) && items.iterator().map_err(|e| e.clear()).is_err() => {
                e.clear();
                return raise!(TypeError, "can only join an iterable");
            }
            Err(e) => return Err(e),
        },
    };
    let known = list.iter().map(|o| o.downcast::<Bytes>().map_or(0, |b| b.as_bytes().len())).sum::<usize>();
    let mut out = Vec::with_capacity(known + sep.len() * list.len().saturating_sub(1));
    for (i, o) in list.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(&sep);
        }
        match o.downcast::<Bytes>() {
            Some(b) => out.extend_from_slice(b.as_bytes()),
            None => out.extend_from_slice(&BytesLike::get_or(o, || {
                crate::raised!(
                    TypeError,
                    "sequence item {}: expected a bytes-like object, {} found",
                    i,
                    name_of(o, 80)
                )
            })?),
        }
    }
    Ok(T::make(&out))
}

/// `hex()` of bytes, also for `memoryview` and `binascii`.
pub fn hex(b: &[u8], sep: Option<&Object>, group: isize) -> PyResult<Owned<Str>> {
    let sep = match sep {
        None => None,
        Some(o) => {
            let c = if let Some(s) = o.downcast::<Str>() {
                if s.len() != 1 {
                    return raise!(ValueError, "sep must be length 1.");
                }
                s.char_at(0)
            } else if let Some(s) = o.downcast::<Bytes>() {
                match s.as_bytes() {
                    [c] => *c as u32,
                    _ => return raise!(ValueError, "sep must be length 1."),
                }
            } else {
                o.length()?;
                return raise!(TypeError, "sep must be str or bytes.");
            };
            if c > 127 {
                return raise!(ValueError, "sep must be ASCII.");
            }
            Some(c as u8)
        }
    };
    let g = group.unsigned_abs();
    if sep.is_none() || g == 0 {
        return Ok(Str::fill_ascii(2 * b.len(), |out| hex_digits(b, out)));
    }
    let mut out = Vec::with_capacity(b.len() * 3);
    for (i, c) in b.iter().enumerate() {
        if let Some(s) = sep
            && g > 0
            && i > 0
            && (if group > 0 { (b.len() - i).is_multiple_of(g) } else { i % g == 0 })
        {
            out.push(s);
        }
        out.push(HEX[(c >> 4) as usize]);
        out.push(HEX[(c & 15) as usize]);
    }
    Ok(Str::from_ascii(&out))
}
static HEX: [u8; 16] = *b"0123456789abcdef";

/// Writes the two digits of every byte; `out` is twice as long.
pub fn hex_digits(b: &[u8], out: &mut [u8]) {
    for (c, d) in b.iter().zip(out.as_chunks_mut::<2>().0) {
        *d = [HEX[(c >> 4) as usize], HEX[(c & 15) as usize]];
    }
}
/// The value of each hexadecimal digit, 255 for other characters.
static HEX_VALUES: [u8; 256] = {
    let mut t = [255; 256];
    let mut i = 0;
    while i < 256 {
        if let Some(d) = (i as u8 as char).to_digit(16) {
            t[i] = d as u8;
        }
        i += 1;
    }
    t
};

/// `bytes.fromhex`.
pub fn from_hex(s: &Str) -> PyResult<Vec<u8>> {
    let mut out = Vec::with_capacity(s.len() / 2);
    if let Some(a) = s.as_ascii() {
        // Without white space, or the slow way finds what is wrong.
        let (pairs, rest) = a.as_bytes().as_chunks::<2>();
        let mut seen = 0;
        out.extend(pairs.iter().map(|[a, b]| {
            let (a, b) = (HEX_VALUES[*a as usize], HEX_VALUES[*b as usize]);
            seen |= a | b;
            a << 4 | b & 15
        }));
        if seen < 16 && rest.is_empty() {
            return Ok(out);
        }
        out.clear();
    }
    let digit =
        |i: usize| if i < s.len() { char::from_u32(s.char_at(i)).and_then(|c| c.to_digit(16)) } else { None };
    let mut i = 0;
    while i < s.len() {
        if matches!(s.char_at(i), 9..=13 | 32) {
            i += 1;
            continue;
        }
        match (digit(i), digit(i + 1)) {
            (Some(a), Some(b)) => out.push((a << 4 | b) as u8),
            (a, _) => {
                let at = if a.is_some() { i + 1 } else { i };
                return raise!(
                    ValueError,
                    "non-hexadecimal number found in fromhex() arg at position {}",
                    at
                );
            }
        }
        i += 2;
    }
    Ok(out)
}

/// The `repr` of bytes, without a wrapping type name.
pub fn repr(b: &[u8]) -> Vec<u8> {
    let quote = if b.contains(&b'\'') && !b.contains(&b'"') { b'"' } else { b'\'' };
    let mut out = Vec::with_capacity(b.len() + 3);
    out.extend_from_slice(&[b'b', quote]);
    for &c in b {
        match c {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            c if c == quote => out.extend_from_slice(&[b'\\', c]),
            32..127 => out.push(c),
            c => out.extend_from_slice(&[b'\\', b'x', HEX[(c >> 4) as usize], HEX[(c & 15) as usize]]),
        }
    }
    out.push(quote);
    out
}

/// Items of any iterable of integers as bytes, for constructors.
pub fn from_iterable(o: &Object, message: &str) -> PyResult<Vec<u8>> {
    let mut out = vec![];
    if let Some((start, step, n)) = o.downcast_exact::<crate::rangeobject::Range>().and_then(|r| r.words())
        && n > 0
        && (0..256).contains(&start)
        && n <= 256
        && (0..256).contains(&(start + (n - 1) * step))
    {
        out.extend((0..n).map(|i| (start + i * step) as u8));
        return Ok(out);
    }
    let it = o.iterator()?;
    while let Some(x) = it.iter_next()? {
        out.push(byte_value(&x, message)?);
    }
    Ok(out)
}

/// The content that `bytes(source, encoding, errors)` and `bytearray(...)` make. `of` names the type in messages.
pub fn from_source(
    source: Option<&Object>,
    encoding: Option<&str>,
    errors: Option<&str>,
    of: &str,
) -> PyResult<Vec<u8>> {
    let Some(o) = source else {
        if encoding.is_some() {
            return raise!(TypeError, "encoding without a string argument");
        }
        if errors.is_some() {
            return raise!(TypeError, "errors without a string argument");
        }
        return Ok(vec![]);
    };
    if let Some(s) = o.downcast::<Str>() {
        let Some(enc) = encoding else { return raise!(TypeError, "string argument without an encoding") };
        let b = crate::codecs::encode_to_bytes(s, enc, errors.unwrap_or("strict"))?;
        return Ok(b.downcast::<Bytes>().expect("an encoded string is bytes").as_bytes().to_vec());
    }
    if encoding.is_some() {
        return raise!(TypeError, "encoding without a string argument");
    }
    if errors.is_some() {
        return raise!(TypeError, "errors without a string argument");
    }
    if has_index(o) {
        match crate::number::as_isize(o, Some(exc::OverflowError())) {
            Ok(n) if n < 0 => return raise!(ValueError, "negative count"),
            Ok(n) => {
                let mut v = vec![];
                if v.try_reserve_exact(n as usize).is_err() {
                    return Err(set_object(exc::MemoryError(), None));
                }
                v.resize(n as usize, 0);
                return Ok(v);
            }
            Err(e) if e.matches(exc::TypeError()) => e.clear(),
            Err(e) => return Err(e),
        }
    }
    if crate::buffer::supports_buffer(o) {
        return Ok(crate::buffer::Buffer::get(o, lh_abi::PyBUF_FULL_RO)?.to_vec());
    }
    // Plain numbers in a list or tuple; anything else takes the slow way, which has the messages.
    let plain = if let Some(l) = o.downcast_exact::<List>() {
        Some((l.items_ptr(), l.len()))
    } else {
        o.downcast_exact::<Tuple>().map(|t| (t.items_ptr(), t.len()))
    };
    if let Some((items, n)) = plain {
        let byte = |i: usize| {
            // SAFETY: inside the items, which nothing changes meanwhile.
            let v = unsafe { Object::from_ptr(*items.add(i)) }.downcast_exact::<Int>()?.compact()?;
            u8::try_from(v).ok()
        };
        let mut v = Vec::with_capacity(n);
        v.extend((0..n).map_while(byte));
        if v.len() == n {
            return Ok(v);
        }
    }
    let message = if of == "bytes" { "bytes must be in range(0, 256)" } else { BYTE_RANGE };
    match o.iterator() {
        Ok(it) => from_iterable(&it, message),
        Err(e) if e.matches(exc::TypeError()) => {
            e.clear();
            raise!(TypeError, "cannot convert '{}' object to {}", name_of(o, 200), of)
        }
        Err(e) => Err(e),
    }
}

fn map<T: ByteSeq>(s: &T, f: impl FnMut(&u8) -> u8) -> Owned<T> {
    // SAFETY: nothing runs Python code below.
    let v: Vec<u8> = unsafe { s.content() }.iter().map(f).collect();
    T::make(&v)
}
fn all<T: ByteSeq>(s: &T, f: impl Fn(&u8) -> bool) -> bool {
    // SAFETY: nothing runs Python code below.
    let c = unsafe { s.content() };
    !c.is_empty() && c.iter().all(f)
}
/// Is there a cased byte, and does each satisfy `f`?
fn cased<T: ByteSeq>(s: &T, f: impl Fn(&u8) -> bool) -> bool {
    // SAFETY: nothing runs Python code below.
    let c = unsafe { s.content() };
    let mut letters = c.iter().filter(|b| b.is_ascii_alphabetic()).peekable();
    letters.peek().is_some() && letters.all(f)
}

macro_rules! shared_methods {
    ($T:ident) => {
        #[pymethods(part = "shared")]
        impl $T {
            /// Return a copy with the first byte in upper case and the rest in lower case (ASCII).
            #[pymethod]
            fn capitalize(&self) -> Owned<$T> {
                let mut first = true;
                map(self, |b| {
                    if std::mem::take(&mut first) { b.to_ascii_uppercase() } else { b.to_ascii_lowercase() }
                })
            }
            /// Return a copy with ASCII letters in lower case.
            #[pymethod]
            fn lower(&self) -> Owned<$T> {
                map(self, u8::to_ascii_lowercase)
            }
            /// Return a copy with ASCII letters in upper case.
            #[pymethod]
            fn upper(&self) -> Owned<$T> {
                map(self, u8::to_ascii_uppercase)
            }
            /// Return a copy with upper and lower case ASCII letters exchanged.
            #[pymethod]
            fn swapcase(&self) -> Owned<$T> {
                map(self, |b| {
                    if b.is_ascii_lowercase() { b.to_ascii_uppercase() } else { b.to_ascii_lowercase() }
                })
            }
            /// Return a copy where ASCII words start in upper case and go on in lower case.
            #[pymethod]
            fn title(&self) -> Owned<$T> {
                let mut inside = false;
                map(self, |b| {
                    let r = if inside { b.to_ascii_lowercase() } else { b.to_ascii_uppercase() };
                    inside = b.is_ascii_alphabetic();
                    r
                })
            }
            /// Return True if all bytes are ASCII letters or digits and there is at least one.
            #[pymethod]
            fn isalnum(&self) -> bool {
                all(self, u8::is_ascii_alphanumeric)
            }
            /// Return True if all bytes are ASCII letters and there is at least one.
            #[pymethod]
            fn isalpha(&self) -> bool {
                all(self, u8::is_ascii_alphabetic)
            }
            /// Return True if all bytes are ASCII (or there is none).
            #[pymethod]
            fn isascii(&self) -> bool {
                // SAFETY: nothing runs Python code here.
                unsafe { self.content() }.is_ascii()
            }
            /// Return True if all bytes are ASCII digits and there is at least one.
            #[pymethod]
            fn isdigit(&self) -> bool {
                all(self, u8::is_ascii_digit)
            }
            /// Return True if there are ASCII letters and all of them are lower case.
            #[pymethod]
            fn islower(&self) -> bool {
                cased(self, |b| b.is_ascii_lowercase())
            }
            /// Return True if there are ASCII letters and all of them are upper case.
            #[pymethod]
            fn isupper(&self) -> bool {
                cased(self, |b| b.is_ascii_uppercase())
            }
            /// Return True if all bytes are ASCII white space and there is at least one.
            #[pymethod]
            fn isspace(&self) -> bool {
                all(self, |b| is_space(*b))
            }
            /// Return True if ASCII words start in upper case and go on in lower case, and there is one.
            #[pymethod]
            fn istitle(&self) -> bool {
                let (mut any, mut inside) = (false, false);
                // SAFETY: nothing runs Python code here.
                for b in unsafe { self.content() } {
                    if b.is_ascii_uppercase() && inside || b.is_ascii_lowercase() && !inside {
                        return false;
                    }
                    inside = b.is_ascii_alphabetic();
                    any |= inside;
                }
                any
            }
            /// Return the number of non-overlapping occurrences of sub in self[start:end].
            #[pymethod(parse_tuple)]
            fn count(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>) -> PyResult<usize> {
                let n = needle(sub)?;
                let b = bounds(start, end)?;
                // SAFETY: nothing runs Python code below.
                let c = unsafe { self.content() };
                let r = range(c.len(), b);
                Ok(if r.empty { 0 } else { search::count(Text::U1(&c[r.start..r.end]), Text::U1(&n)) })
            }
            /// Return the lowest index in self[start:end] where sub is found, -1 if it is not.
            #[pymethod(parse_tuple)]
            fn find(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>) -> PyResult<isize> {
                find(self, sub, start, end, false)
            }
            /// Return the highest index in self[start:end] where sub is found, -1 if it is not.
            #[pymethod(parse_tuple)]
            fn rfind(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>) -> PyResult<isize> {
                find(self, sub, start, end, true)
            }
            /// Like find(), but raise ValueError when sub is not found.
            #[pymethod(parse_tuple)]
            fn index(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>) -> PyResult<isize> {
                match find(self, sub, start, end, false)? {
                    -1 => raise!(ValueError, "subsection not found"),
                    i => Ok(i),
                }
            }
            /// Like rfind(), but raise ValueError when sub is not found.
            #[pymethod(parse_tuple)]
            fn rindex(&self, sub: &Object, start: Option<&Object>, end: Option<&Object>) -> PyResult<isize> {
                match find(self, sub, start, end, true)? {
                    -1 => raise!(ValueError, "subsection not found"),
                    i => Ok(i),
                }
            }
            /// Return True if self[start:end] starts with the prefix (or one of a tuple of them).
            #[pymethod(parse_tuple)]
            fn startswith(
                &self,
                prefix: &Object,
                start: Option<&Object>,
                end: Option<&Object>,
            ) -> PyResult<bool> {
                tail_match(self, prefix, start, end, false)
            }
            /// Return True if self[start:end] ends with the suffix (or one of a tuple of them).
            #[pymethod(parse_tuple)]
            fn endswith(
                &self,
                suffix: &Object,
                start: Option<&Object>,
                end: Option<&Object>,
            ) -> PyResult<bool> {
                tail_match(self, suffix, start, end, true)
            }
            /// Concatenate any number of bytes-like objects, with this one between them.
            #[pymethod(signature = "(iterable_of_bytes, /)")]
            fn join(&self, iterable_of_bytes: &Object) -> PyResult<Owned<$T>> {
                join(self, iterable_of_bytes)
            }
            /// Return a list of the sections, with sep (default: runs of ASCII white space) as the delimiter.
            #[pymethod(signature = "(sep=None, maxsplit=-1)")]
            fn split(&self, sep: Option<&Object>, maxsplit: isize) -> PyResult<Vec<Owned<Object>>> {
                split(self, sep, maxsplit, false)
            }
            /// Like split(), but splitting from the right.
            #[pymethod(signature = "(sep=None, maxsplit=-1)")]
            fn rsplit(&self, sep: Option<&Object>, maxsplit: isize) -> PyResult<Vec<Owned<Object>>> {
                split(self, sep, maxsplit, true)
            }
            /// Return a list of the lines; line ends are kept only if keepends is true.
            #[pymethod(signature = "(keepends=False)")]
            fn splitlines(&self, keepends: bool) -> Vec<Owned<Object>> {
                split_lines(self, keepends)
            }
            /// Return the part before the first sep, sep, and the part after it.
            #[pymethod(signature = "(sep, /)")]
            fn partition(&self, sep: &Object) -> PyResult<(Owned<$T>, Owned<Object>, Owned<$T>)> {
                partition(self, sep, false)
            }
            /// Return the part before the last sep, sep, and the part after it.
            #[pymethod(signature = "(sep, /)")]
            fn rpartition(&self, sep: &Object) -> PyResult<(Owned<$T>, Owned<Object>, Owned<$T>)> {
                partition(self, sep, true)
            }
            /// Return a copy with leading and trailing ASCII white space (or the given bytes) removed.
            #[pymethod(signature = "(bytes=None, /)")]
            fn strip(&self, bytes: Option<&Object>) -> PyResult<Owned<$T>> {
                strip(self, bytes, Side::Both)
            }
            /// Return a copy with leading ASCII white space (or the given bytes) removed.
            #[pymethod(signature = "(bytes=None, /)")]
            fn lstrip(&self, bytes: Option<&Object>) -> PyResult<Owned<$T>> {
                strip(self, bytes, Side::Left)
            }
            /// Return a copy with trailing ASCII white space (or the given bytes) removed.
            #[pymethod(signature = "(bytes=None, /)")]
            fn rstrip(&self, bytes: Option<&Object>) -> PyResult<Owned<$T>> {
                strip(self, bytes, Side::Right)
            }
            /// Return the content without the prefix, if it starts with it.
            #[pymethod(signature = "(prefix, /)")]
            fn removeprefix(&self, prefix: &Object) -> PyResult<Owned<$T>> {
                let p = BytesLike::get(prefix)?;
                // SAFETY: nothing runs Python code below.
                let rest = unsafe { self.content() }.strip_prefix(&*p);
                Ok(rest.filter(|_| !p.is_empty()).map_or_else(|| self.same(), <$T>::make))
            }
            /// Return the content without the suffix, if it ends with it.
            #[pymethod(signature = "(suffix, /)")]
            fn removesuffix(&self, suffix: &Object) -> PyResult<Owned<$T>> {
                let p = BytesLike::get(suffix)?;
                // SAFETY: nothing runs Python code below.
                let rest = unsafe { self.content() }.strip_suffix(&*p);
                Ok(rest.filter(|_| !p.is_empty()).map_or_else(|| self.same(), <$T>::make))
            }
            /// Return a copy with occurrences of old replaced by new, at most count of them unless it is negative.
            #[pymethod(signature = "(old, new, count=-1, /)")]
            fn replace(&self, old: &Object, new: &Object, count: isize) -> PyResult<Owned<$T>> {
                let (old, new) = (BytesLike::get(old)?, BytesLike::get(new)?);
                replace(self, &old, &new, limit(count))
            }
            /// Return a centred copy of the given width.
            #[pymethod(signature = "(width, fillchar=b' ', /)")]
            fn center(&self, width: isize, fillchar: Option<FillByte>) -> PyResult<Owned<$T>> {
                let pad = (width - self.len() as isize).max(0) as usize;
                let left = pad / 2 + (pad & width as usize & 1);
                padded(self, left, pad - left, fillchar.map_or(32, |c| c.0))
            }
            /// Return a left-justified copy of the given width.
            #[pymethod(signature = "(width, fillchar=b' ', /)")]
            fn ljust(&self, width: isize, fillchar: Option<FillByte>) -> PyResult<Owned<$T>> {
                padded(self, 0, (width - self.len() as isize).max(0) as usize, fillchar.map_or(32, |c| c.0))
            }
            /// Return a right-justified copy of the given width.
            #[pymethod(signature = "(width, fillchar=b' ', /)")]
            fn rjust(&self, width: isize, fillchar: Option<FillByte>) -> PyResult<Owned<$T>> {
                padded(self, (width - self.len() as isize).max(0) as usize, 0, fillchar.map_or(32, |c| c.0))
            }
            /// Pad with zeros on the left, behind a sign.
            #[pymethod(signature = "(width, /)")]
            fn zfill(&self, width: isize) -> PyResult<Owned<$T>> {
                let pad = (width - self.len() as isize).max(0) as usize;
                if pad > isize::MAX as usize / 8 {
                    return Err(set_object(exc::MemoryError(), None));
                }
                if pad == 0 {
                    return Ok(self.same());
                }
                // SAFETY: nothing runs Python code below.
                let c = unsafe { self.content() };
                let signed = matches!(c.first(), Some(b'+' | b'-')) as usize;
                let mut v = c[..signed].to_vec();
                v.resize(signed + pad, b'0');
                v.extend_from_slice(&c[signed..]);
                Ok(<$T>::make(&v))
            }
            /// Return a copy where tabs are replaced by spaces up to the next multiple of tabsize.
            #[pymethod(signature = "(tabsize=8)")]
            fn expandtabs(&self, tabsize: i32) -> PyResult<Owned<$T>> {
                let (mut out, mut column) = (vec![], 0usize);
                // SAFETY: nothing runs Python code below.
                for &c in unsafe { self.content() } {
                    if c == b'\t' {
                        if tabsize > 0 {
                            let n = tabsize as usize - column % tabsize as usize;
                            if out.len().saturating_add(n) > isize::MAX as usize / 4 {
                                return raise!(OverflowError, "result too long");
                            }
                            out.resize(out.len() + n, b' ');
                            column += n;
                        }
                    } else {
                        out.push(c);
                        column = if c == b'\n' || c == b'\r' { 0 } else { column + 1 };
                    }
                }
                Ok(<$T>::make(&out))
            }
            /// Replace each byte by what the table has for it, after dropping the bytes in delete.
            #[pymethod(signature = "(table, /, delete=b'')")]
            fn translate(&self, table: &Object, delete: Option<&Object>) -> PyResult<Owned<$T>> {
                let table = if table.is_none() { None } else { Some(BytesLike::get(table)?) };
                if table.as_ref().is_some_and(|t| t.len() != 256) {
                    return raise!(ValueError, "translation table must be 256 characters long");
                }
                let delete = delete.map(BytesLike::get).transpose()?;
                if let (Some(t), None) = (table.as_ref().and_then(|t| t.first_chunk::<256>()), &delete) {
                    return Ok(map(self, |c| t[*c as usize]));
                }
                let mut drop = [false; 256];
                delete.iter().flat_map(|d| d.iter()).for_each(|b| drop[*b as usize] = true);
                let mut out = vec![];
                // SAFETY: nothing runs Python code below.
                for &c in unsafe { self.content() } {
                    if !drop[c as usize] {
                        out.push(table.as_ref().map_or(c, |t| t[c as usize]));
                    }
                }
                Ok(<$T>::make(&out))
            }
            /// Make a table for translate() from two bytes-like objects of equal length.
            #[staticmethod(signature = "(frm, to, /)")]
            fn maketrans(frm: Buffer, to: Buffer) -> PyResult<Owned<Bytes>> {
                if frm.len() != to.len() {
                    return raise!(ValueError, "maketrans arguments must have same length");
                }
                let mut t: Vec<u8> = (0..=255).collect();
                frm.as_bytes().iter().zip(to.as_bytes()).for_each(|(a, b)| t[*a as usize] = *b);
                Ok(Bytes::new(&t))
            }
            /// Decode the bytes with the named codec.
            #[pymethod(signature = "(encoding='utf-8', errors='strict')")]
            fn decode(&self, encoding: &str, errors: &str) -> PyResult<Owned<Str>> {
                // The codec may run Python code: a bytearray is held by a copy.
                let copy = self.same();
                // SAFETY: nobody else sees the copy, and bytes don't change.
                crate::codecs::decode_to_str(unsafe { copy.content() }, encoding, errors)
            }
            /// Return the hexadecimal digits of the bytes, with a separator between groups if one is given.
            ///
            /// >>> b'\x01\xfe\x20'.hex('-', 2)
            /// '01-fe20'
            #[pymethod(signature = "(sep=<unrepresentable>, bytes_per_sep=1)")]
            fn hex(&self, sep: Option<&Object>, bytes_per_sep: i32) -> PyResult<Owned<Str>> {
                // SAFETY: `hex` runs no Python code for exact separators; a copy guards the rest.
                let copy = self.same();
                // SAFETY: nobody else sees the copy, and bytes don't change.
                hex(unsafe { copy.content() }, sep, bytes_per_sep as isize)
            }
            /// Make an object from a string of hexadecimal digits (white space between bytes is skipped).
            #[classmethod(signature = "(string, /)")]
            fn fromhex(cls: &Type, string: &Str) -> PyResult<Owned<Object>> {
                let v = from_hex(string)?;
                if cls.is(<$T>::class()) {
                    return Ok(<$T>::make(&v).into_object());
                }
                cls.call1(&Bytes::new(&v))
            }
            #[slot(sq_length)]
            fn py_sq_len(&self) -> PyResult<usize> {
                Ok(self.len())
            }
            #[slot(mp_length)]
            fn py_len(&self) -> PyResult<usize> {
                Ok(self.len())
            }
            #[slot(sq_contains)]
            fn py_contains(&self, item: &Object) -> PyResult<bool> {
                contains(self, item)
            }
        }
    };
}
use crate::buffer::Buffer;
shared_methods!(Bytes);
shared_methods!(ByteArray);
