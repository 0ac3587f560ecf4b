//! `unicodeobject.h`: text, codecs, and the private `_PyUnicodeWriter` and `_PyAccu`.

use crate::object::{Identifier, id_str};
use crate::prelude::*;
use lh_runtime::{codecs, str_search, strobject, unicode};

/// # Safety
/// `n` readable bytes at `p`.
unsafe fn slice<'a>(p: *const u8, n: isize) -> &'a [u8] {
    // SAFETY: the caller's promise.
    if p.is_null() || n <= 0 { &[] } else { unsafe { std::slice::from_raw_parts(p, n as usize) } }
}
fn errors_of(e: Option<&CStr>) -> std::borrow::Cow<'_, str> {
    e.map_or("strict".into(), text)
}
fn decode(b: &[u8], encoding: &str, errors: Option<&CStr>) -> PyResult<Owned<Str>> {
    codecs::decode_to_str(b, encoding, &errors_of(errors))
}
/// UTF-8, whatever name is used for it. Text without an error doesn't ask for the handler (but in development mode, which looks at its name).
fn decode_utf8(b: &[u8], errors: Option<&CStr>) -> PyResult<Owned<Str>> {
    if b.is_ascii() && !lh_runtime::sysobject::config().dev_mode {
        return Ok(Str::from_ascii(b));
    }
    decode(b, "utf-8", errors)
}
fn is_utf8(encoding: Option<&CStr>) -> bool {
    encoding.is_none_or(|e| {
        let e = e.to_bytes();
        e.eq_ignore_ascii_case(b"utf-8") || e.eq_ignore_ascii_case(b"utf8")
    })
}
/// Is an ASCII string the same in this encoding?
fn keeps_ascii(encoding: &str) -> bool {
    ["utf-8", "utf8", "ascii", "latin-1", "latin1", "iso-8859-1", "us-ascii"]
        .iter()
        .any(|e| e.eq_ignore_ascii_case(encoding))
}
fn encode(s: &Object, encoding: &str, errors: Option<&CStr>) -> PyResult {
    if let Some(t) = s.downcast::<Str>().and_then(|s| s.as_ascii())
        && keeps_ascii(encoding)
        && !lh_runtime::sysobject::config().dev_mode
    {
        return Ok(Bytes::new(t.as_bytes()).into_object());
    }
    match s.downcast::<Str>() {
        Some(s) => codecs::encode_to_bytes(s, encoding, &errors_of(errors)),
        None => bad_argument(),
    }
}
fn bad_argument<T>() -> PyResult<T> {
    raise!(TypeError, "bad argument type for built-in operation")
}
/// The text that a function of text works on.
fn text_arg(o: &Object) -> PyResult<&Str> {
    match o.downcast::<Str>() {
        Some(s) => Ok(s),
        None => raise!(TypeError, "must be str, not {}", o.ty().name()),
    }
}
fn str_arg(o: &Object) -> PyResult<&Str> {
    match o.downcast::<Str>() {
        Some(s) => Ok(s),
        None => bad_argument(),
    }
}
/// `PyUnicode_Join` with something that is no text: no separator is needed for less than two items.
#[cold]
fn join_with(sep: &Object, items: &Object) -> PyResult {
    let list = match items.to_items() {
        Err(e) if e.matches(exc::TypeError()) => {
            e.clear();
            return raise!(TypeError, "can only join an iterable");
        }
        r => r?,
    };
    match &list[..] {
        [] => Ok(Str::empty().own().into_object()),
        [one] if one.is_exact::<Str>() => Ok(one.clone()),
        [one] if !Str::check(one) => {
            raise!(TypeError, "sequence item 0: expected str instance, {} found", one.ty().name())
        }
        _ => raise!(TypeError, "separator: expected str instance, {} found", sep.ty().name()),
    }
}
/// The characters of a compact ASCII string, which end in NUL, and how many.
#[inline(always)]
fn plain_ascii(s: &Str) -> Option<(*const c_char, isize)> {
    const COMPACT_ASCII: u32 = 1 << 5 | 1 << 6;
    // SAFETY: a live string's head is readable, and the characters of such a string follow it.
    unsafe {
        let a = s.as_ptr().cast::<PyASCIIObject>();
        ((*a).state & COMPACT_ASCII == COMPACT_ASCII).then(|| (a.add(1).cast_const().cast(), (*a).length))
    }
}
/// The characters of a compact ASCII string at `p`.
#[inline(always)]
unsafe fn ascii_of<'a>(p: *mut PyObject) -> Option<&'a [u8]> {
    // SAFETY: null or a live object; the characters stay as long as it does.
    unsafe {
        let (c, n) = plain_ascii(quick::<Str>(p)?)?;
        Some(std::slice::from_raw_parts(c.cast(), n as usize))
    }
}
/// Where `n` begins in a short `h`, by comparing at each place; `None`: that would take too long.
#[inline(always)]
fn find_here(h: &[u8], n: &[u8]) -> Option<Option<usize>> {
    const SHORT: usize = 32;
    if h.len() > SHORT || n.is_empty() || n.len() > h.len() {
        return None;
    }
    for i in 0..=h.len() - n.len() {
        // SAFETY: `i + k` is inside `h`, `k` inside `n`.
        unsafe {
            let mut k = 0;
            while k < n.len() && h.get_unchecked(i + k) == n.get_unchecked(k) {
                k += 1;
            }
            if k == n.len() {
                return Some(Some(i));
            }
        }
    }
    Some(None)
}
/// The integer arguments of the find functions as `str` methods take them.
fn part(s: &Str, start: isize, end: isize) -> (usize, usize) {
    let n = s.len() as isize;
    let fix = |i: isize| if i < 0 { (i + n).max(0) } else { i };
    (fix(start) as usize, fix(end).min(n) as usize)
}
/// # Safety
/// `n` wide characters at `p`.
pub unsafe fn from_wide(p: *const u32, n: isize) -> PyResult<Owned<Str>> {
    // SAFETY: the caller's promise.
    unsafe {
        let n = if n < 0 { libc::wcslen(p.cast()) } else { n as usize };
        let v = if p.is_null() { &[][..] } else { std::slice::from_raw_parts(p, n) };
        if v.iter().any(|c| *c > 0x10ffff) {
            return raise!(
                ValueError,
                "character U+{:x} is not in range [U+0000; U+10ffff]",
                v.iter().max().unwrap_or(&0)
            );
        }
        Ok(Str::from_code_points(v))
    }
}
/// A string of `n` characters that the caller fills in through `PyUnicode_AS_UNICODE`.
fn to_fill_in(function: &str, n: isize) -> PyResult<Owned<Str>> {
    let text = format!("{function}(NULL, size) is deprecated; use PyUnicode_New() instead");
    lh_runtime::warnings::warn(exc::DeprecationWarning(), &text, 1)?;
    Str::unsettled(n as usize)
}
/// The path of an `os.PathLike`: `str` or `bytes`.
pub fn fs_path(o: &Object) -> PyResult {
    if Str::check(o) || Bytes::check(o) {
        return Ok(o.own());
    }
    let Some(f) = o.lookup_special(intern!("__fspath__"))? else {
        return raise!(TypeError, "expected str, bytes or os.PathLike object, not {}", o.ty().name());
    };
    let r = f.call0()?;
    if Str::check(&r) || Bytes::check(&r) {
        return Ok(r);
    }
    raise!(TypeError, "expected {}.__fspath__() to return str or bytes, not {}", o.ty().name(), r.ty().name())
}
fn has_nul(b: &[u8]) -> PyResult<()> {
    if b.contains(&0) { raise!(ValueError, "embedded null byte") } else { Ok(()) }
}
/// # Safety
/// `s` is a string nobody else uses, `i` inside it, the character within its kind.
unsafe fn put(s: &Str, i: usize, c: u32) {
    let d = s.data().cast_mut();
    // SAFETY: the caller's promise.
    unsafe {
        match s.kind() {
            1 => d.add(i).write(c as u8),
            2 => d.cast::<u16>().add(i).write(c as u16),
            _ => d.cast::<u32>().add(i).write(c),
        }
    }
}
unsafe fn copy_chars(to: &Str, at: isize, from: &Str, start: isize, n: isize) {
    for k in 0..n {
        // SAFETY: the caller checked the ranges and the width.
        unsafe { put(to, (at + k) as usize, from.char_at((start + k) as usize)) }
    }
}

capi! {
    // ---- Making ----
    fn PyUnicode_New(n: isize, max: u32) -> borrowed {
        if n < 0 {
            return raise!(SystemError, "Negative size passed to PyUnicode_New");
        }
        if max > 0x10ffff {
            return raise!(SystemError, "invalid maximum character passed to PyUnicode_New");
        }
        if n == 0 {
            return Ok(Str::empty().own().into_raw());
        }
        strobject::try_alloc(n as usize, max)
    }
    fn PyUnicode_FromString(s: &CStr) -> obj { codecs::decode_utf8(s.to_bytes()) }
    fn PyUnicode_FromStringAndSize(p: *const u8, n: isize) -> borrowed {
        if n < 0 {
            return raise!(SystemError, "Negative size passed to PyUnicode_FromStringAndSize");
        }
        if p.is_null() && n > 0 {
            return to_fill_in("PyUnicode_FromStringAndSize", n).map(Owned::into_raw);
        }
        codecs::decode_utf8(slice(p, n)).map(Owned::into_raw)
    }
    fn PyUnicode_FromKindAndData(kind: c_int, p: *const c_void, n: isize) -> obj {
        if n < 0 {
            return raise!(ValueError, "size must be positive");
        }
        let n = n as usize;
        Ok(match (kind, n) {
            (_, 0) => Str::empty().own(),
            (1, _) => Str::from_latin1(std::slice::from_raw_parts(p.cast(), n)),
            (2, _) => Str::from_text(strobject::Text::U2(std::slice::from_raw_parts(p.cast(), n))),
            (4, _) => Str::from_code_points(std::slice::from_raw_parts(p.cast(), n)),
            _ => return raise!(SystemError, "invalid kind"),
        })
    }
    fn PyUnicode_FromOrdinal(c: c_int) -> obj {
        if !(0..=0x10ffff).contains(&c) {
            return raise!(ValueError, "chr() arg not in range(0x110000)");
        }
        Ok(Str::from_char(c as u32))
    }
    fn PyUnicode_FromObject(o: &Object) -> obj {
        match o.downcast::<Str>() {
            Some(s) => Ok(s.to_exact()),
            None => raise!(TypeError, "Can't convert '{}' object to str implicitly", o.ty().name()),
        }
    }
    fn PyUnicode_FromEncodedObject(o: &Object, encoding: Option<&CStr>, errors: Option<&CStr>) -> obj {
        let (e, r) = (encoding.map(|e| text(e)), errors.map(|e| text(e)));
        lh_runtime::str_methods::from_encoded_object(o, e.as_deref(), r.as_deref())
    }
    fn PyUnicode_FromWideChar(p: *const u32, n: isize) -> obj { from_wide(p, n) }
    fn PyUnicode_FromUnicode(p: *const u32, n: isize) -> obj {
        if p.is_null() && n > 0 {
            return to_fill_in("PyUnicode_FromUnicode", n);
        }
        from_wide(p, n.max(0))
    }
    fn PyUnicode_InternFromString(s: crate::names::Name) -> obj { s.string() }
    fn PyUnicode_InternInPlace(p: *mut *mut PyObject) -> void {
        if let Some(s) = Object::from_ptr_opt(*p).and_then(|o| o.downcast_exact::<Str>()) {
            let new = Str::intern(s.own());
            let old = std::mem::replace(&mut *p, new.into_raw());
            decref(old);
        }
    }
    fn _PyUnicode_FromId(id: *const Identifier) -> [*mut PyObject] { id_str(id).raw() }
    fn _PyUnicode_FromASCII(p: *const u8, n: isize) -> obj { Ok(Str::from_latin1(slice(p, n))) }
    fn _PyUnicode_Copy(s: &Str) -> obj { Ok(Str::from_text(s.text())) }

    // ---- Looking ----
    fn _PyUnicode_Ready(s: &Object) -> status { str_arg(s)?.make_ready() }
    fn PyUnicode_GetLength(s: &Object) -> (isize, -1) { Ok(str_arg(s)?.len() as isize) }
    fn PyUnicode_ReadChar(s: &Object, i: isize) -> (u32, u32::MAX) {
        let s = str_arg(s)?;
        if i < 0 || i as usize >= s.len() {
            return raise!(IndexError, "string index out of range");
        }
        Ok(s.char_at(i as usize))
    }
    fn PyUnicode_WriteChar(s: &Object, i: isize, c: u32) -> status {
        let s = str_arg(s)?;
        if i < 0 || i as usize >= s.len() {
            return raise!(IndexError, "string index out of range");
        }
        if s.refcnt() != 1 || s.is_interned() {
            return raise!(SystemError, "Cannot modify a string currently used");
        }
        if c > 0x10ffff || (c > s.bound() && !matches!((s.kind(), s.is_ascii()), (1, false) if c < 256) && s.kind() < 4) {
            return raise!(ValueError, "character out of range");
        }
        put(s, i as usize, c);
        Ok(())
    }
    fn PyUnicode_AsUTF8AndSize(s: &Object, n: *mut isize) -> (*const c_char, null()) {
        let s = str_arg(s)?;
        if let Some((p, len)) = plain_ascii(s) {
            if !n.is_null() {
                *n = len;
            }
            return Ok(p);
        }
        let t = s.to_str()?;
        if !n.is_null() {
            *n = t.len() as isize;
        }
        Ok(t.as_ptr().cast())
    }
    fn PyUnicode_AsUTF8(s: &Object) -> (*const c_char, null()) {
        let s = str_arg(s)?;
        Ok(match s.as_ascii() { Some(t) => t, None => s.to_str()? }.as_ptr().cast())
    }
    /// The characters, kept with the string.
    fn PyUnicode_AsUnicode(s: &Object) -> (*mut u32, null_mut()) {
        let s = str_arg(s)?;
        let a = s.as_ptr().cast::<PyASCIIObject>();
        if (*a).wstr.is_null() {
            (*a).wstr = ucs4(s, true)?.cast();
            if !s.is_ascii() {
                (*a.cast::<PyCompactUnicodeObject>()).wstr_length = s.len() as isize;
            }
        }
        Ok((*a).wstr.cast())
    }
    fn PyUnicode_AsUnicodeAndSize(s: &Object, n: *mut isize) -> (*mut u32, null_mut()) {
        if !n.is_null() {
            *n = str_arg(s)?.len() as isize;
        }
        Ok(PyUnicode_AsUnicode(s.as_ptr()))
    }
    fn PyUnicode_GetSize(s: &Object) -> (isize, -1) { Ok(str_arg(s)?.len() as isize) }
    fn PyUnicode_AsWideChar(s: &Object, out: *mut u32, n: isize) -> (isize, -1) {
        let s = str_arg(s)?;
        if out.is_null() {
            return Ok(s.len() as isize + 1);
        }
        let k = s.len().min(n.max(0) as usize);
        for i in 0..k {
            out.add(i).write(s.char_at(i));
        }
        if (k as isize) < n {
            out.add(k).write(0);
        }
        Ok(k as isize)
    }
    fn PyUnicode_AsWideCharString(s: &Object, n: *mut isize) -> (*mut u32, null_mut()) {
        let s = str_arg(s)?;
        let p = ucs4(s, true)?;
        if n.is_null() {
            if s.chars().any(|c| c == 0) {
                lh_runtime::alloc::free(p.cast());
                return raise!(ValueError, "embedded null character");
            }
        } else {
            *n = s.len() as isize;
        }
        Ok(p)
    }
    fn PyUnicode_AsUCS4Copy(s: &Object) -> (*mut u32, null_mut()) { ucs4(str_arg(s)?, true) }
    fn PyUnicode_AsUCS4(s: &Object, out: *mut u32, n: isize, with_nul: c_int) -> (*mut u32, null_mut()) {
        let s = str_arg(s)?;
        if n < s.len() as isize + (with_nul != 0) as isize {
            return raise!(SystemError, "string is longer than the buffer");
        }
        for (i, c) in s.chars().enumerate() {
            out.add(i).write(c);
        }
        if with_nul != 0 {
            out.add(s.len()).write(0);
        }
        Ok(out)
    }
    fn PyUnicode_Substring(s: &Object, i: isize, j: isize) -> obj short {
        let h = ascii_of(s)?;
        if i == 0 && j as usize >= h.len() && quick_exact::<Str>(s).is_some() {
            incref(s);
            return Some(s);
        }
        None
    } {
        let s = str_arg(s)?;
        if i < 0 || j < 0 {
            return raise!(IndexError, "string index out of range");
        }
        let j = (j as usize).min(s.len());
        Ok(s.slice((i as usize).min(j), j))
    }
    fn PyUnicode_Resize(p: *mut *mut PyObject, n: isize) -> status {
        let old = *p;
        let Some(s) = Object::from_ptr_opt(old).and_then(|o| o.downcast::<Str>()).filter(|_| n >= 0) else {
            return Err(bad_internal_call());
        };
        if s.len() as isize == n {
            return Ok(());
        }
        let max = if s.is_ascii() { 127 } else { match s.kind() { 1 => 255, 2 => 0xffff, _ => 0x10ffff } };
        let new = if n == 0 { Str::empty().own().into_raw() } else { strobject::try_alloc(n as usize, max)? };
        if n > 0 {
            copy_chars(Object::from_ptr(new).downcast_unchecked(), 0, s, 0, n.min(s.len() as isize));
        }
        *p = new;
        decref(old);
        Ok(())
    }
    fn PyUnicode_CopyCharacters(to: &Str, at: isize, from: &Str, start: isize, n: isize) -> (isize, -1) {
        if at < 0 || start < 0 || at as usize > to.len() || start as usize > from.len() {
            return raise!(IndexError, "string index out of range");
        }
        if n < 0 {
            return raise!(SystemError, "how_many cannot be negative");
        }
        let n = n.min((from.len() as isize) - start);
        if at + n > to.len() as isize {
            return raise!(SystemError, "Cannot write {} characters at {} in a string of {} characters", n, at, to.len());
        }
        if n == 0 {
            return Ok(0);
        }
        if to.refcnt() != 1 {
            return raise!(SystemError, "Cannot modify a string currently used");
        }
        let kind = |s: &Str| match s.kind() {
            1 if s.is_ascii() => (127, "ascii"),
            1 => (255, "latin1"),
            2 => (0xffff, "UCS2"),
            _ => (0x10ffff, "UCS4"),
        };
        let ((most, to_kind), (_, from_kind)) = (kind(to), kind(from));
        if (start..start + n).any(|i| from.char_at(i as usize) > most) {
            return raise!(SystemError, "Cannot copy {} characters into a string of {} characters", from_kind, to_kind);
        }
        copy_chars(to, at, from, start, n);
        Ok(n)
    }
    fn _PyUnicode_FastCopyCharacters(to: &Str, at: isize, from: &Str, start: isize, n: isize) -> void { copy_chars(to, at, from, start, n) }
    fn PyUnicode_Fill(s: &Str, start: isize, n: isize, c: u32) -> (isize, -1) {
        if start < 0 || n < 0 {
            return raise!(IndexError, "string index out of range");
        }
        if s.refcnt() != 1 {
            return raise!(SystemError, "Cannot modify a string currently used");
        }
        let most = match s.kind() { _ if s.is_ascii() => 0x7f, 1 => 0xff, 2 => 0xffff, _ => 0x10ffff };
        if c > most {
            return raise!(ValueError, "fill character is bigger than the string maximum character");
        }
        let n = n.min(s.len() as isize - start).max(0);
        for k in 0..n {
            put(s, (start + k) as usize, c);
        }
        Ok(n)
    }
    fn _PyUnicode_FindMaxChar(s: &Str, start: isize, end: isize) -> [u32] {
        (start..end).map(|i| s.char_at(i as usize)).max().map_or(127, |m| match m { 0..128 => 127, 128..256 => 255, 256..0x10000 => 0xffff, _ => 0x10ffff })
    }

    // ---- Comparing and searching ----
    fn PyUnicode_Compare(a: &Object, b: &Object) -> (c_int, -1) {
        match (a.downcast::<Str>(), b.downcast::<Str>()) {
            (Some(a), Some(b)) => Ok(a.cmp(b) as c_int),
            _ => raise!(TypeError, "Can't compare {} and {}", a.ty().name(), b.ty().name()),
        }
    }
    fn PyUnicode_CompareWithASCIIString(a: &Str, b: *const c_char) -> [c_int] {
        if let Some(a) = a.as_ascii() {
            // `b` may end anywhere, and `a` may hold a NUL.
            let mut b = b.cast::<u8>();
            for x in a.bytes() {
                let y = *b;
                if y == 0 || x != y {
                    return Ok(if y != 0 && x < y { -1 } else { 1 });
                }
                b = b.add(1);
            }
            return Ok(if *b == 0 { 0 } else { -1 });
        }
        let mut x = a.chars();
        let b = CStr::from_ptr(b);
        let mut y = b.to_bytes().iter();
        loop {
            match (x.next(), y.next()) {
                (None, None) => break 0,
                (None, Some(_)) => break -1,
                (Some(_), None) => break 1,
                (Some(c), Some(d)) if c != *d as u32 => break if c < *d as u32 { -1 } else { 1 },
                _ => {}
            }
        }
    }
    fn PyUnicode_RichCompare(a: &Object, b: &Object, op: c_int) -> obj {
        if Str::check(a) && Str::check(b) { a.rich_compare(b, CompareOp::from_c(op)) } else { Ok(not_implemented()) }
    }
    fn _PyUnicode_EQ(a: &Str, b: &Str) -> [c_int] { a.equals(b) as c_int }
    fn _PyUnicode_Equal(a: &Str, b: &Str) -> [c_int] { a.equals(b) as c_int }
    fn _PyUnicode_EqualToASCIIString(a: &Str, b: &CStr) -> [c_int] { a.equals_str(&text(b)) as c_int }
    fn _PyUnicode_EqualToASCIIId(a: &Str, b: *const Identifier) -> [c_int] { a.equals(id_str(b)) as c_int }
    fn PyUnicode_Contains(s: &Object, x: &Object) -> boolean short { Some(find_here(ascii_of(s)?, ascii_of(x)?)?.is_some() as c_int) } {
        match (s.downcast::<Str>(), x.downcast::<Str>()) {
            (Some(s), Some(x)) => Ok(str_search::find(s.text(), x.text()).is_some()),
            (None, Some(_)) => raise!(TypeError, "must be str, not {}", s.ty().name()),
            _ => raise!(TypeError, "'in <string>' requires string as left operand, not {}", x.ty().name()),
        }
    }
    fn PyUnicode_Find(s: &Object, x: &Object, start: isize, end: isize, direction: c_int) -> (isize, -2) short {
        let (h, n) = (ascii_of(s)?, ascii_of(x)?);
        if start != 0 || end < h.len() as isize || direction <= 0 {
            return None;
        }
        Some(find_here(h, n)?.map_or(-1, |i| i as isize))
    } {
        let (s, x) = (text_arg(s)?, text_arg(x)?);
        let (i, j) = part(s, start, end);
        if i > j {
            return Ok(-1);
        }
        let hay = s.text().slice(i, j);
        let r = if direction > 0 { str_search::find(hay, x.text()) } else { str_search::rfind(hay, x.text()) };
        Ok(r.map_or(-1, |k| (k + i) as isize))
    }
    fn PyUnicode_FindChar(s: &Object, c: u32, start: isize, end: isize, direction: c_int) -> (isize, -2) {
        let s = str_arg(s)?;
        let (i, j) = part(s, start, end);
        let mut range = i..j.max(i);
        let hit = |k: &usize| s.char_at(*k) == c;
        let r = if direction > 0 { range.find(hit) } else { range.rev().find(hit) };
        Ok(r.map_or(-1, |k| k as isize))
    }
    fn PyUnicode_Count(s: &Object, x: &Object, start: isize, end: isize) -> (isize, -1) {
        let (s, x) = (text_arg(s)?, text_arg(x)?);
        let (i, j) = part(s, start, end);
        Ok(if i > j { 0 } else { str_search::count(s.text().slice(i, j), x.text()) as isize })
    }
    fn PyUnicode_Tailmatch(s: &Object, x: &Object, start: isize, end: isize, direction: c_int) -> (isize, -1) {
        let (s, x) = (text_arg(s)?, text_arg(x)?);
        let (i, j) = part(s, start, end);
        if i > j || j - i < x.len() {
            return Ok(0);
        }
        let at = if direction > 0 { j - x.len() } else { i };
        use strobject::Text;
        let (a, b) = (s.text().slice(at, at + x.len()), x.text());
        let same = match (a, b) {
            (Text::U1(a), Text::U1(b)) => a == b,
            _ => a.iter().eq(b.iter()),
        };
        Ok(same as isize)
    }
    fn PyUnicode_IsIdentifier(s: &Str) -> [c_int] { lh_runtime::str_methods::is_identifier(s) as c_int }

    // ---- Making text of text ----
    fn PyUnicode_Concat(a: &Object, b: &Object) -> obj {
        match (a.downcast::<Str>(), b.downcast::<Str>()) {
            (Some(a), Some(b)) => a.concat(b),
            (None, _) => raise!(TypeError, "must be str, not {}", a.ty().name()),
            _ => raise!(TypeError, "can only concatenate str (not \"{}\") to str", b.ty().name()),
        }
    }
    fn PyUnicode_Append(p: *mut *mut PyObject, right: Option<&Object>) -> void { append(p, right)? }
    fn PyUnicode_AppendAndDel(p: *mut *mut PyObject, right: Option<Owned>) -> void { append(p, right.as_deref())? }
    fn PyUnicode_Join(sep: Option<&Object>, items: &Object) -> obj {
        match sep {
            None => Str::new(" ").join(items).map(Owned::into_object),
            Some(s) => match s.downcast::<Str>() {
                Some(s) => s.join(items).map(Owned::into_object),
                None => join_with(s, items),
            },
        }
    }
    fn PyUnicode_Split(s: &Object, sep: Option<&Object>, max: isize) -> obj {
        use lh_runtime::str_methods::{split_by, split_space};
        let most = usize::try_from(max).unwrap_or(usize::MAX);
        match (text_arg(s)?, sep.map(|sep| sep.downcast::<Str>())) {
            (s, None) => return Ok(List::from_vec(split_space(s, most)).into_object()),
            (s, Some(Some(sep))) if !sep.is_empty() => return Ok(List::from_vec(split_by(s, sep, most)).into_object()),
            (_, Some(None)) => return raise!(TypeError, "must be str, not {}", sep.map_or("".into(), |s| s.ty().name())),
            _ => {}
        }
        text_arg(s)?.call_method("split", &[sep.unwrap_or(none_ref()), &*Int::from_i64(max as i64)])
    }
    fn PyUnicode_RSplit(s: &Object, sep: Option<&Object>, max: isize) -> obj {
        let s = text_arg(s)?;
        if let Some(sep) = sep {
            text_arg(sep)?;
        }
        s.call_method("rsplit", &[sep.unwrap_or(none_ref()), &*Int::from_i64(max as i64)])
    }
    fn PyUnicode_Splitlines(s: &Object, keep: c_int) -> obj {
        Ok(List::from_vec(lh_runtime::str_methods::split_lines(text_arg(s)?, keep != 0)))
    }
    fn PyUnicode_Partition(s: &Object, sep: &Object) -> obj { text_arg(s)?.call_method("partition", &[sep]) }
    fn PyUnicode_RPartition(s: &Object, sep: &Object) -> obj { text_arg(s)?.call_method("rpartition", &[sep]) }
    fn PyUnicode_Replace(s: &Object, a: &Object, b: &Object, max: isize) -> obj {
        let max = if max < 0 { usize::MAX } else { max as usize };
        Ok(str_search::replace(text_arg(s)?, text_arg(a)?, text_arg(b)?, max))
    }
    fn PyUnicode_Translate(s: &Object, table: &Object, _errors: Option<&CStr>) -> obj { str_arg(s)?.call_method("translate", &[table]) }
    fn PyUnicode_Format(f: &Object, args: &Object) -> obj { lh_runtime::percent::format_text(text_arg(f)?, args) }

    // ---- Codecs ----
    fn PyUnicode_GetDefaultEncoding() -> [*const c_char] { c"utf-8".as_ptr() }
    fn PyUnicode_Decode(p: *const u8, n: isize, encoding: Option<&CStr>, errors: Option<&CStr>) -> obj {
        if is_utf8(encoding) {
            return decode_utf8(slice(p, n), errors);
        }
        decode(slice(p, n), &encoding.map_or("utf-8".into(), |e| text(e)), errors)
    }
    fn PyUnicode_DecodeUTF8(p: *const u8, n: isize, errors: Option<&CStr>) -> obj { decode_utf8(slice(p, n), errors) }
    fn PyUnicode_DecodeUTF8Stateful(p: *const u8, n: isize, errors: Option<&CStr>, used: *mut isize) -> obj {
        let b = slice(p, n);
        if used.is_null() {
            return decode_utf8(b, errors);
        }
        // An unfinished character at the end waits for more.
        let cut = match std::str::from_utf8(b) {
            Err(e) if e.error_len().is_none() => e.valid_up_to(),
            _ => b.len(),
        };
        *used = cut as isize;
        decode(&b[..cut], "utf-8", errors)
    }
    fn PyUnicode_DecodeLatin1(p: *const u8, n: isize, _errors: Option<&CStr>) -> obj { Ok(Str::from_latin1(slice(p, n))) }
    fn PyUnicode_DecodeASCII(p: *const u8, n: isize, errors: Option<&CStr>) -> obj { decode(slice(p, n), "ascii", errors) }
    fn PyUnicode_DecodeRawUnicodeEscape(p: *const u8, n: isize, errors: Option<&CStr>) -> obj { decode(slice(p, n), "raw_unicode_escape", errors) }
    fn PyUnicode_DecodeUnicodeEscape(p: *const u8, n: isize, errors: Option<&CStr>) -> obj { decode(slice(p, n), "unicode_escape", errors) }
    fn PyUnicode_DecodeFSDefault(s: &CStr) -> obj { Ok(codecs::fs_decode(s.to_bytes())) }
    fn PyUnicode_DecodeFSDefaultAndSize(p: *const u8, n: isize) -> obj { Ok(codecs::fs_decode(slice(p, n))) }
    fn PyUnicode_DecodeLocale(s: &CStr, _errors: Option<&CStr>) -> obj { Ok(codecs::fs_decode(s.to_bytes())) }
    fn PyUnicode_DecodeLocaleAndSize(p: *const u8, n: isize, _errors: Option<&CStr>) -> obj { Ok(codecs::fs_decode(slice(p, n))) }
    fn PyUnicode_EncodeFSDefault(s: &Object) -> obj { Ok(Bytes::new(&codecs::fs_encode(str_arg(s)?)?)) }
    fn PyUnicode_EncodeLocale(s: &Object, _errors: Option<&CStr>) -> obj { Ok(Bytes::new(&codecs::fs_encode(str_arg(s)?)?)) }
    fn PyUnicode_AsEncodedString(s: &Object, encoding: Option<&CStr>, errors: Option<&CStr>) -> obj {
        encode(s, &encoding.map_or("utf-8".into(), |e| text(e)), errors)
    }
    fn PyUnicode_AsUTF8String(s: &Object) -> obj {
        match s.downcast::<Str>().and_then(|s| s.as_ascii()) {
            Some(t) => Ok(Bytes::new(t.as_bytes()).into_object()),
            None => encode(s, "utf-8", None),
        }
    }
    fn _PyUnicode_AsUTF8String(s: &Object, errors: Option<&CStr>) -> obj { encode(s, "utf-8", errors) }
    fn PyUnicode_AsASCIIString(s: &Object) -> obj { encode(s, "ascii", None) }
    fn _PyUnicode_AsASCIIString(s: &Object, errors: Option<&CStr>) -> obj { encode(s, "ascii", errors) }
    fn PyUnicode_AsLatin1String(s: &Object) -> obj { encode(s, "latin-1", None) }
    fn _PyUnicode_AsLatin1String(s: &Object, errors: Option<&CStr>) -> obj { encode(s, "latin-1", errors) }
    fn PyUnicode_AsUTF16String(s: &Object) -> obj { encode(s, "utf-16", None) }
    fn PyUnicode_AsUTF32String(s: &Object) -> obj { encode(s, "utf-32", None) }
    fn PyUnicode_AsUnicodeEscapeString(s: &Object) -> obj { encode(s, "unicode_escape", None) }
    fn PyUnicode_AsRawUnicodeEscapeString(s: &Object) -> obj { encode(s, "raw_unicode_escape", None) }
    fn PyUnicode_FSConverter(o: *mut PyObject, out: *mut *mut PyObject) -> (c_int, 0) {
        let Some(o) = Object::from_ptr_opt(o) else {
            xdecref(std::mem::replace(&mut *out, null_mut()));
            return Ok(1);
        };
        let path = fs_path(o)?;
        let b = match path.downcast::<Str>() {
            Some(s) => Bytes::new(&codecs::fs_encode(s)?),
            None => path.downcast_unchecked::<Bytes>().own(),
        };
        has_nul(b.as_bytes())?;
        *out = b.into_raw();
        Ok(0x20000) // Py_CLEANUP_SUPPORTED
    }
    fn PyUnicode_FSDecoder(o: *mut PyObject, out: *mut *mut PyObject) -> (c_int, 0) {
        let Some(o) = Object::from_ptr_opt(o) else {
            xdecref(std::mem::replace(&mut *out, null_mut()));
            return Ok(1);
        };
        let path = fs_path(o)?;
        let s = match path.downcast::<Str>() {
            Some(s) => s.own(),
            None => codecs::fs_decode(path.downcast_unchecked::<Bytes>().as_bytes()),
        };
        if s.chars().any(|c| c == 0) {
            return raise!(ValueError, "embedded null character");
        }
        *out = s.into_raw();
        Ok(0x20000)
    }
    fn PyOS_FSPath(o: &Object) -> obj { fs_path(o) }
    fn Py_DecodeLocale(s: &CStr, n: *mut usize) -> (*mut u32, null_mut()) {
        let t = codecs::fs_decode(s.to_bytes());
        if !n.is_null() {
            *n = t.len();
        }
        ucs4(&t, true)
    }
    fn Py_EncodeLocale(s: *const u32, _error_pos: *mut usize) -> (*mut c_char, null_mut()) {
        let b = codecs::fs_encode(&*from_wide(s, -1)?)?;
        Ok(crate::object::dup(&std::ffi::CString::new(b).unwrap_or_default()))
    }
    // ---- Characters ----
    fn _PyUnicode_IsAlpha(c: u32) -> [c_int] { char_test(c, "isalpha") }
    fn _PyUnicode_IsDigit(c: u32) -> [c_int] { (unicode::record(c).digit().is_some()) as c_int }
    fn _PyUnicode_IsDecimalDigit(c: u32) -> [c_int] { unicode::decimal(c).is_some() as c_int }
    fn _PyUnicode_IsNumeric(c: u32) -> [c_int] { unicode::numeric(c).is_some() as c_int }
    fn _PyUnicode_IsLowercase(c: u32) -> [c_int] { char_test(c, "islower") }
    fn _PyUnicode_IsUppercase(c: u32) -> [c_int] { char_test(c, "isupper") }
    fn _PyUnicode_IsTitlecase(c: u32) -> [c_int] { (unicode::to_title(c) == c && unicode::to_upper(c) != c) as c_int }
    fn _PyUnicode_IsWhitespace(c: u32) -> [c_int] { unicode::is_space(c) as c_int }
    fn _PyUnicode_IsLinebreak(c: u32) -> [c_int] { unicode::is_line_break(c) as c_int }
    fn _PyUnicode_IsPrintable(c: u32) -> [c_int] { unicode::is_printable(c) as c_int }
    fn _PyUnicode_ToLowercase(c: u32) -> [u32] { unicode::to_lower(c) }
    fn _PyUnicode_ToUppercase(c: u32) -> [u32] { unicode::to_upper(c) }
    fn _PyUnicode_ToTitlecase(c: u32) -> [u32] { unicode::to_title(c) }
    fn _PyUnicode_ToDecimalDigit(c: u32) -> [c_int] { unicode::decimal(c).map_or(-1, |d| d as c_int) }
    fn _PyUnicode_ToDigit(c: u32) -> [c_int] { unicode::record(c).digit().map_or(-1, |d| d as c_int) }
    fn _PyUnicode_ToNumeric(c: u32) -> [f64] { unicode::numeric(c).map_or(-1.0, |(n, d)| n as f64 / d as f64) }

    // ---- Writers ----
    fn _PyUnicodeWriter_Init(w: *mut Writer) -> void { w.write_bytes(0, 1); (*w).maxchar = 127; (*w).kind = 1 }
    fn _PyUnicodeWriter_PrepareInternal(w: *mut Writer, n: isize, max: u32) -> status { prepare(w, n, max) }
    fn _PyUnicodeWriter_PrepareKindInternal(w: *mut Writer, kind: c_int) -> status {
        prepare(w, 0, match kind { 1 => 255, 2 => 0xffff, _ => 0x10ffff })
    }
    fn _PyUnicodeWriter_WriteChar(w: *mut Writer, c: u32) -> status { prepare(w, 1, c)?; write(w, c); Ok(()) }
    fn _PyUnicodeWriter_WriteStr(w: *mut Writer, s: &Str) -> status { write_part(w, s, 0, s.len() as isize) }
    fn _PyUnicodeWriter_WriteSubstring(w: *mut Writer, s: &Str, i: isize, j: isize) -> status { write_part(w, s, i, j) }
    fn _PyUnicodeWriter_WriteASCIIString(w: *mut Writer, p: *const u8, n: isize) -> status {
        let n = if n < 0 { libc::strlen(p.cast()) as isize } else { n };
        let s = Str::from_latin1(slice(p, n));
        write_part(w, &s, 0, n)
    }
    fn _PyUnicodeWriter_WriteLatin1String(w: *mut Writer, p: *const u8, n: isize) -> status {
        let s = Str::from_latin1(slice(p, n));
        write_part(w, &s, 0, n)
    }
    fn _PyUnicodeWriter_Finish(w: *mut Writer) -> borrowed {
        let n = (*w).pos as usize;
        let Some(b) = Owned::<Str>::from_raw_opt(std::mem::replace(&mut (*w).buffer, null_mut())) else {
            return Ok(Str::empty().own().into_raw());
        };
        Ok(b.slice(0, n).into_raw())
    }
    fn _PyUnicodeWriter_Dealloc(w: *mut Writer) -> void { xdecref(std::mem::replace(&mut (*w).buffer, null_mut())) }
    fn _PyAccu_Init(a: *mut Accu) -> [c_int] { (*a).large = null_mut(); (*a).small = null_mut(); 0 }
    fn _PyAccu_Accumulate(a: *mut Accu, s: &Object) -> status {
        if (*a).large.is_null() {
            (*a).large = List::new().into_raw();
        }
        Object::from_ptr((*a).large).downcast_unchecked::<List>().try_push(s.own())
    }
    fn _PyAccu_FinishAsList(a: *mut Accu) -> borrowed {
        let l = std::mem::replace(&mut (*a).large, null_mut());
        Ok(if l.is_null() { List::new().into_raw() } else { l })
    }
    fn _PyAccu_Finish(a: *mut Accu) -> obj {
        let l = Owned::<Object>::from_raw_opt(std::mem::replace(&mut (*a).large, null_mut()));
        match l { Some(l) => Str::empty().join(&l), None => Ok(Str::empty().own()) }
    }
    fn _PyAccu_Destroy(a: *mut Accu) -> void { xdecref(std::mem::replace(&mut (*a).large, null_mut())) }
}

/// `_PyAccu`: collects pieces of text. `small` is not used.
#[repr(C)]
pub struct Accu {
    large: *mut PyObject,
    small: *mut PyObject,
}

/// `_PyUnicodeWriter`: `buffer` is a string of at least `pos` characters whose data, kind and bound are repeated beside it,
/// because C code writes there.
#[repr(C)]
pub struct Writer {
    buffer: *mut PyObject,
    data: *mut c_void,
    kind: c_int,
    maxchar: u32,
    size: isize,
    pos: isize,
    min_length: isize,
    min_char: u32,
    overallocate: u8,
    readonly: u8,
}

/// Room for `n` more characters up to `max`.
unsafe fn prepare(w: *mut Writer, n: isize, max: u32) -> PyResult<()> {
    // SAFETY: an initialised writer.
    unsafe {
        let max = max.max((*w).min_char).max((*w).maxchar);
        let need = (*w).pos + n;
        if !(*w).buffer.is_null() && need <= (*w).size && max <= (*w).maxchar {
            return Ok(());
        }
        let mut room = need.max((*w).min_length).max((*w).size);
        if (*w).overallocate != 0 || need > (*w).size {
            room += room / 4 * ((*w).overallocate != 0) as isize;
        }
        let max = match max {
            0..128 => 127,
            128..256 => 255,
            256..0x10000 => 0xffff,
            _ => 0x10ffff,
        };
        let new = strobject::try_alloc(room.max(1) as usize, max)?;
        let s: &Str = Object::from_ptr(new).downcast_unchecked();
        if let Some(old) = Owned::<Str>::from_raw_opt((*w).buffer) {
            copy_chars(s, 0, &old, 0, (*w).pos);
        }
        (*w).buffer = new;
        (*w).data = s.data().cast_mut().cast();
        (*w).kind = s.kind() as c_int;
        (*w).maxchar = max;
        (*w).size = room.max(1);
        (*w).readonly = 0;
        Ok(())
    }
}
unsafe fn write(w: *mut Writer, c: u32) {
    // SAFETY: room was prepared.
    unsafe {
        put(Object::from_ptr((*w).buffer).downcast_unchecked(), (*w).pos as usize, c);
        (*w).pos += 1;
    }
}
unsafe fn write_part(w: *mut Writer, s: &Str, i: isize, j: isize) -> PyResult<()> {
    // SAFETY: an initialised writer.
    unsafe {
        let max = (i..j).map(|k| s.char_at(k as usize)).max().unwrap_or(0);
        prepare(w, j - i, max)?;
        copy_chars(Object::from_ptr((*w).buffer).downcast_unchecked(), (*w).pos, s, i, j - i);
        (*w).pos += j - i;
        Ok(())
    }
}

pub fn ucs4(s: &Str, _nul: bool) -> PyResult<*mut u32> {
    let p = lh_runtime::alloc::malloc(4 * (s.len() + 1)).cast::<u32>();
    if p.is_null() {
        return Err(crate::object::no_memory());
    }
    // SAFETY: room for the characters and a NUL.
    unsafe {
        for (i, c) in s.chars().enumerate() {
            p.add(i).write(c);
        }
        p.add(s.len()).write(0);
    }
    Ok(p)
}
unsafe fn append(p: *mut *mut PyObject, right: Option<&Object>) -> PyResult<()> {
    // SAFETY: the caller passes an owned reference or null; it becomes the result or null.
    unsafe {
        let Some(left) = Owned::<Object>::from_raw_opt(*p) else { return Ok(()) };
        *p = null_mut();
        let Some(right) = right else { return Ok(()) };
        let (Some(a), Some(b)) = (left.downcast::<Str>(), right.downcast::<Str>()) else {
            return Err(bad_internal_call());
        };
        let r = a.concat(b)?;
        *p = r.into_raw();
        Ok(())
    }
}
fn char_test(c: u32, method: &str) -> c_int {
    match Str::from_char(c).call_method(method, &[]).and_then(|r| r.is_true()) {
        Ok(b) => b as c_int,
        Err(e) => {
            e.clear();
            0
        }
    }
}
