//! `bytesobject.h`, `bytearrayobject.h`, and the private `_PyBytesWriter`.

use crate::prelude::*;
use lh_runtime::bytesobject;

/// # Safety
/// `n` readable bytes at `p`, if it is not null.
unsafe fn slice<'a>(p: *const u8, n: isize) -> &'a [u8] {
    // SAFETY: the caller's promise.
    if p.is_null() || n <= 0 { &[] } else { unsafe { std::slice::from_raw_parts(p, n as usize) } }
}
fn data(b: &Bytes) -> *mut c_char {
    b.as_bytes().as_ptr().cast_mut().cast()
}
fn expect_bytes(o: &Object) -> PyResult<&Bytes> {
    match o.downcast::<Bytes>() {
        Some(b) => Ok(b),
        None => raise!(TypeError, "expected bytes, {} found", o.ty().name()),
    }
}
/// `bytes(o)` for anything but integers and text.
pub fn from_object(o: &Object) -> PyResult {
    if lh_runtime::buffer::supports_buffer(o) {
        return Ok(Bytes::new(&Buffer::get(o, PyBUF_FULL_RO)?.to_vec()).into_object());
    }
    let iterable = o.is_exact::<List>() || o.is_exact::<Tuple>();
    if !Str::check(o)
        && (iterable || lh_runtime::errors::catching(exc::TypeError(), || o.iterator())?.is_some())
    {
        return Bytes::class().as_object().call1(o);
    }
    raise!(TypeError, "cannot convert '{}' object to bytes", o.ty().name())
}
/// A bytes object whose contents the caller writes.
fn unfilled(n: isize) -> PyResult<*mut PyObject> {
    if n < 0 {
        return raise!(SystemError, "Negative size passed to PyBytes_FromStringAndSize");
    }
    if n == 0 {
        return Ok(Bytes::empty().into_object().into_raw());
    }
    match bytesobject::alloc_raw(n as usize) {
        Some(p) => {
            // SAFETY: the NUL behind the contents.
            unsafe { (&raw mut (*p.cast::<PyBytesObject>()).ob_sval).cast::<u8>().add(n as usize).write(0) };
            Ok(p)
        }
        None => Err(crate::object::no_memory()),
    }
}

capi! {
    fn PyBytes_FromStringAndSize(p: *const u8, n: isize) -> borrowed {
        if n < 0 {
            return raise!(SystemError, "Negative size passed to PyBytes_FromStringAndSize");
        }
        if p.is_null() { unfilled(n) } else { Ok(Bytes::new(slice(p, n)).into_raw()) }
    }
    fn PyBytes_FromString(s: &CStr) -> obj { Ok(Bytes::new(s.to_bytes())) }
    fn PyBytes_FromObject(o: &Object) -> obj { if o.is_exact::<Bytes>() { Ok(o.own()) } else { from_object(o) } }
    fn PyBytes_Size(o: &Object) -> (isize, -1) { Ok(expect_bytes(o)?.len() as isize) }
    fn PyBytes_AsString(o: &Object) -> (*mut c_char, null_mut()) { Ok(data(expect_bytes(o)?)) }
    fn PyBytes_AsStringAndSize(o: &Object, p: *mut *mut c_char, n: *mut isize) -> status {
        let b = expect_bytes(o)?;
        *p = data(b);
        if !n.is_null() {
            *n = b.len() as isize;
        } else if b.as_bytes().contains(&0) {
            return raise!(ValueError, "embedded null byte");
        }
        Ok(())
    }
    fn PyBytes_Repr(o: &Bytes, _smart: c_int) -> obj { o.repr() }
    fn PyBytes_Concat(left: *mut *mut PyObject, right: Option<&Object>) -> void { concat(left, right) }
    fn PyBytes_ConcatAndDel(left: *mut *mut PyObject, right: Option<Owned>) -> void { concat(left, right.as_deref()) }
    fn _PyBytes_Resize(p: *mut *mut PyObject, n: isize) -> status {
        let old = *p;
        if old.is_null() || n < 0 {
            return Err(bad_internal_call());
        }
        let v = Object::from_ptr(old);
        let Some(b) = v.downcast::<Bytes>() else { *p = null_mut(); decref(old); return Err(bad_internal_call()) };
        if b.len() as isize == n {
            return Ok(());
        }
        if b.refcnt() != 1 && !b.is_empty() {
            *p = null_mut();
            decref(old);
            return Err(bad_internal_call());
        }
        let new = match unfilled(n) {
            Ok(x) => x,
            Err(e) => { *p = null_mut(); decref(old); return Err(e) }
        };
        if n > 0 {
            let k = b.len().min(n as usize);
            (&raw mut (*new.cast::<PyBytesObject>()).ob_sval).cast::<u8>().copy_from_nonoverlapping(b.as_bytes().as_ptr(), k);
        }
        *p = new;
        decref(old);
        Ok(())
    }
    fn _PyBytes_Join(sep: &Object, x: &Object) -> obj { sep.call_method("join", &[x]) }
    fn _PyBytes_Find(hay: *const u8, n: isize, needle: *const u8, k: isize, offset: isize) -> [isize] {
        find(slice(hay, n), slice(needle, k), false).map_or(-1, |i| i as isize + offset)
    }
    fn _PyBytes_ReverseFind(hay: *const u8, n: isize, needle: *const u8, k: isize, offset: isize) -> [isize] {
        find(slice(hay, n), slice(needle, k), true).map_or(-1, |i| i as isize + offset)
    }
    fn _PyBytes_Repeat(dest: *mut u8, n: isize, src: *const u8, k: isize) -> void {
        let mut at = 0;
        while at < n {
            let m = k.min(n - at);
            dest.add(at as usize).copy_from_nonoverlapping(src, m as usize);
            at += m;
        }
    }
    fn PyBytes_DecodeEscape(p: *const u8, n: isize, errors: Option<&CStr>, _unicode: isize, _enc: Option<&CStr>) -> obj {
        let e = errors.map_or("strict".into(), |e| text(e));
        let codecs = lh_runtime::import::import_module("_codecs")?;
        let r = codecs.call_method("escape_decode", &[&Bytes::new(slice(p, n)), &*Str::new(&e)])?;
        r.get_item(&Int::from_i64(0))
    }

    fn PyByteArray_FromStringAndSize(p: *const u8, n: isize) -> obj {
        if n < 0 {
            return raise!(SystemError, "Negative size passed to PyByteArray_FromStringAndSize");
        }
        if p.is_null() {
            let b = ByteArray::new(&[]);
            b.resize(n as usize)?;
            return Ok(b);
        }
        Ok(ByteArray::new(slice(p, n)))
    }
    fn PyByteArray_FromObject(o: &Object) -> obj { ByteArray::class().as_object().call1(o) }
    fn PyByteArray_AsString(b: &ByteArray) -> (*mut c_char, null_mut()) { Ok(b.data().cast()) }
    fn PyByteArray_Size(b: &ByteArray) -> (isize, -1) { Ok(b.len() as isize) }
    fn PyByteArray_Resize(b: &ByteArray, n: isize) -> status { b.resize(n.max(0) as usize) }
    fn PyByteArray_Concat(a: &Object, b: &Object) -> obj {
        if !lh_runtime::buffer::supports_buffer(a) || !lh_runtime::buffer::supports_buffer(b) {
            return raise!(TypeError, "can't concat {} to {}", b.ty().name(), a.ty().name());
        }
        number::add(&ByteArray::new(&Buffer::simple(a)?.to_vec()), b)
    }

    fn _Py_strhex(p: *const u8, n: isize) -> obj { lh_runtime::bytes_methods::hex(slice(p, n), None, 0) }
    fn _Py_strhex_bytes(p: *const u8, n: isize) -> obj {
        Ok(Bytes::new(lh_runtime::bytes_methods::hex(slice(p, n), None, 0)?.to_str()?.as_bytes()))
    }
    fn _Py_strhex_with_sep(p: *const u8, n: isize, sep: Option<&Object>, group: c_int) -> obj {
        lh_runtime::bytes_methods::hex(slice(p, n), sep, group as isize)
    }
    fn _Py_strhex_bytes_with_sep(p: *const u8, n: isize, sep: Option<&Object>, group: c_int) -> obj {
        Ok(Bytes::new(lh_runtime::bytes_methods::hex(slice(p, n), sep, group as isize)?.to_str()?.as_bytes()))
    }
    fn _Py_HashBytes(p: *const u8, n: isize) -> [isize] { lh_runtime::hashing::hash_bytes(slice(p, n)) }

    fn _PyBytesWriter_Init(w: *mut BytesWriter) -> void {
        (*w).buffer = null_mut();
        (*w).allocated = 0;
        (*w).min_size = 0;
        (*w).use_bytearray = 0;
        (*w).overallocate = 0;
        (*w).use_small_buffer = 0;
    }
    fn _PyBytesWriter_Alloc(w: *mut BytesWriter, n: isize) -> (*mut c_void, null_mut()) {
        (*w).use_small_buffer = 1;
        (*w).allocated = (*w).small_buffer.len() as isize;
        writer_prepare(w, (&raw mut (*w).small_buffer).cast(), n).map(|p| p.cast())
    }
    fn _PyBytesWriter_Prepare(w: *mut BytesWriter, at: *mut u8, n: isize) -> (*mut c_void, null_mut()) {
        writer_prepare(w, at, n).map(|p| p.cast())
    }
    fn _PyBytesWriter_Resize(w: *mut BytesWriter, at: *mut u8, n: isize) -> (*mut c_void, null_mut()) {
        writer_resize(w, at, n).map(|p| p.cast())
    }
    fn _PyBytesWriter_WriteBytes(w: *mut BytesWriter, at: *mut u8, p: *const u8, n: isize) -> (*mut c_void, null_mut()) {
        let at = writer_prepare(w, at, n)?;
        at.copy_from_nonoverlapping(p, n as usize);
        Ok(at.add(n as usize).cast())
    }
    fn _PyBytesWriter_Dealloc(w: *mut BytesWriter) -> void {
        xdecref(std::mem::replace(&mut (*w).buffer, null_mut()));
    }
    fn _PyBytesWriter_Finish(w: *mut BytesWriter, at: *mut u8) -> borrowed {
        let start = writer_start(w);
        let n = at.offset_from(start);
        let b = slice(start, n);
        let r = if (*w).use_bytearray != 0 { ByteArray::new(b).into_raw() } else { Bytes::new(b).into_raw() };
        xdecref(std::mem::replace(&mut (*w).buffer, null_mut()));
        Ok(r)
    }
}

/// `_PyBytesWriter`: the caller keeps the position; contents lie in the small buffer or in a bytearray object.
#[repr(C)]
pub struct BytesWriter {
    buffer: *mut PyObject,
    allocated: isize,
    min_size: isize,
    use_bytearray: c_int,
    overallocate: c_int,
    use_small_buffer: c_int,
    small_buffer: [u8; 512],
}

unsafe fn writer_start(w: *mut BytesWriter) -> *mut u8 {
    // SAFETY: an initialised writer.
    unsafe {
        if (*w).use_small_buffer != 0 || (*w).buffer.is_null() {
            (&raw mut (*w).small_buffer).cast()
        } else {
            Object::from_ptr((*w).buffer).downcast_unchecked::<ByteArray>().data()
        }
    }
}
unsafe fn writer_prepare(w: *mut BytesWriter, at: *mut u8, n: isize) -> PyResult<*mut u8> {
    // SAFETY: an initialised writer and a position in it.
    unsafe {
        (*w).min_size += n;
        if (*w).min_size > (*w).allocated { writer_resize(w, at, (*w).min_size) } else { Ok(at) }
    }
}
unsafe fn writer_resize(w: *mut BytesWriter, at: *mut u8, n: isize) -> PyResult<*mut u8> {
    // SAFETY: as above; what was written is copied before the old buffer goes.
    unsafe {
        let start = writer_start(w);
        let used = at.offset_from(start);
        let room = if (*w).overallocate != 0 { n + n / 4 } else { n };
        if (*w).use_small_buffer != 0 || (*w).buffer.is_null() {
            let b = ByteArray::new(slice(start, used));
            b.resize(room as usize)?;
            (*w).buffer = b.into_raw();
            (*w).use_small_buffer = 0;
        } else {
            Object::from_ptr((*w).buffer).downcast_unchecked::<ByteArray>().resize(room as usize)?;
        }
        (*w).allocated = room;
        Ok(writer_start(w).offset(used))
    }
}

fn find(hay: &[u8], needle: &[u8], last: bool) -> Option<usize> {
    if needle.len() > hay.len() {
        return None;
    }
    let mut range = 0..=hay.len() - needle.len();
    let hit = |i: &usize| &hay[*i..*i + needle.len()] == needle;
    if last { range.rev().find(hit) } else { range.find(hit) }
}
/// # Safety
/// `left` points to an owned reference or null.
unsafe fn concat(left: *mut *mut PyObject, right: Option<&Object>) {
    // SAFETY: the caller's promise.
    unsafe {
        let Some(l) = Owned::<Object>::from_raw_opt(*left) else { return };
        *left = null_mut();
        let Some(r) = right else { return };
        if let (Some(a), Some(b)) = (l.downcast_exact::<Bytes>(), r.downcast_exact::<Bytes>())
            && let Some(x) = Bytes::joined(a.as_bytes(), b.as_bytes())
        {
            *left = x.into_raw();
            return;
        }
        if let Ok(x) = number::add(&l, r) {
            *left = x.into_raw();
        }
    }
}
