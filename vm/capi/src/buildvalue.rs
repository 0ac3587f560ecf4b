//! Making values by a format: `Py_BuildValue` and the calls with a format.

use crate::names::Name;
use crate::prelude::*;
use crate::va::VaList;
use std::mem::MaybeUninit;

/// A format that is being read: a C string.
struct Format(*const u8);
impl Format {
    /// The character that comes next; 0: the end.
    #[inline(always)]
    unsafe fn peek(&self) -> u8 {
        // SAFETY: the string ends with a zero, which is never passed.
        unsafe { *self.0 }
    }
    /// Goes over the next character, which is not the end.
    #[inline(always)]
    unsafe fn skip(&mut self) {
        // SAFETY: as above.
        self.0 = unsafe { self.0.add(1) };
    }
    /// Takes the next character if it is `c`.
    #[inline(always)]
    unsafe fn take(&mut self, c: u8) -> bool {
        // SAFETY: as above.
        unsafe {
            let found = self.peek() == c;
            if found {
                self.skip();
            }
            found
        }
    }
}

/// References that are being collected, a few of them without an allocation.
struct Items {
    few: [MaybeUninit<*mut PyObject>; Items::FEW],
    more: Vec<*mut PyObject>,
    len: usize,
}
impl Items {
    const FEW: usize = 8;
    #[inline(always)]
    fn new() -> Items {
        Items { few: [MaybeUninit::uninit(); Items::FEW], more: Vec::new(), len: 0 }
    }
    #[inline(always)]
    fn push(&mut self, o: Owned<Object>) {
        let o = o.into_raw();
        if self.len < Items::FEW {
            self.few[self.len] = MaybeUninit::new(o);
        } else {
            self.spill(o);
        }
        self.len += 1;
    }
    #[cold]
    #[inline(never)]
    fn spill(&mut self, o: *mut PyObject) {
        if self.more.is_empty() {
            // SAFETY: all of the few are filled.
            self.more.extend(self.few.iter().map(|o| unsafe { o.assume_init() }));
        }
        self.more.push(o);
    }
    #[inline]
    fn as_slice(&self) -> &[*mut PyObject] {
        if self.len <= Items::FEW {
            // SAFETY: the first `len` are filled.
            unsafe { std::slice::from_raw_parts(self.few.as_ptr().cast(), self.len) }
        } else {
            &self.more
        }
    }
    fn into_tuple(mut self) -> Owned<Tuple> {
        let all = self.as_slice();
        // SAFETY: each is one reference, which `self` has no more behind this.
        let t = unsafe { Tuple::of_counts(all.as_ptr(), all.len()) };
        self.len = 0;
        t.expect("memory for a tuple")
    }
    fn into_list(mut self) -> Owned<List> {
        let all = self.as_slice();
        // SAFETY: each is one reference, which `self` has no more behind this.
        let l = unsafe { List::from_moved(all.as_ptr(), all.len()) };
        self.len = 0;
        l
    }
    /// The only item.
    fn into_single(mut self) -> Owned<Object> {
        let o = self.as_slice()[0];
        self.len = 0;
        // SAFETY: one reference, which `self` has no more.
        unsafe { Owned::from_raw(o) }
    }
}
impl Drop for Items {
    fn drop(&mut self) {
        for o in self.as_slice() {
            // SAFETY: each is one reference.
            unsafe { decref(*o) }
        }
    }
}

capi! {
    fn lh_build_value(f: *const c_char, va: *mut VaList) -> obj { build(f, &mut *va) }
    fn Py_VaBuildValue(f: *const c_char, va: *mut VaList) -> obj { build(f, &mut *va) }
    fn _Py_VaBuildValue_SizeT(f: *const c_char, va: *mut VaList) -> obj { build(f, &mut *va) }
    /// Calls with a format: a tuple from the format is the argument list, anything else the only argument.
    fn lh_call_format(o: &Object, f: *const c_char, va: *mut VaList) -> obj { call_format(o, f, &mut *va) }
    fn lh_call_method_format(o: &Object, name: Name, f: *const c_char, va: *mut VaList) -> obj {
        let m = o.get_attr(&*name.string()?)?;
        if !m.is_callable() {
            return raise!(TypeError, "attribute of type '{}' is not callable", m.ty().name());
        }
        call_format(&m, f, &mut *va)
    }
    fn lh_call_method_obj_format(o: &Object, name: &Str, f: *const c_char, va: *mut VaList) -> obj {
        call_format(&*o.get_attr(name)?, f, &mut *va)
    }
    fn lh_audit(event: &CStr, f: *const c_char, va: *mut VaList) -> status {
        if !lh_runtime::sysobject::is_audited() {
            return Ok(());
        }
        let args = if f.is_null() {
            Tuple::empty()
        } else {
            let v = build(f, &mut *va)?;
            match v.downcast::<Tuple>() { Some(t) => t.own(), None => Tuple::from_vec(vec![v]) }
        };
        lh_runtime::sysobject::audit_tuple(&text(event), &args)
    }
}

/// Calls `o` with what `v` is: a tuple holds the arguments, anything else is one.
unsafe fn call_with(o: &Object, v: &Object) -> PyResult {
    match v.downcast::<Tuple>() {
        Some(t) => o.call_tuple(t, None),
        // SAFETY: a live argument.
        None => unsafe { from_c(o.vectorcall(&v.as_ptr(), 1, null_mut())) },
    }
}
unsafe fn call_format(o: &Object, f: *const c_char, va: &mut VaList) -> PyResult {
    // SAFETY: the caller's va_list holds what the format, if there is one, asks for; live items.
    unsafe {
        if f.is_null() || *f == 0 {
            return o.call0();
        }
        let mut f = Format(f.cast());
        let c = f.peek();
        if *f.0.add(1) == 0 && c.is_ascii_alphabetic() {
            // The commonest: one argument.
            f.skip();
            let v = build_one(c, &mut f, va)?;
            return call_with(o, &v);
        }
        let mut v = Items::new();
        build_items(&mut v, &mut f, 0, va)?;
        match v.as_slice() {
            // Nothing at all is `None`, which is an argument.
            [] => o.call1(none_ref()),
            [only] => call_with(o, Object::from_ptr(*only)),
            all => from_c(o.vectorcall(all.as_ptr(), all.len(), null_mut())),
        }
    }
}

/// `Py_BuildValue`: nothing is `None`, one item is itself, more are a tuple.
///
/// # Safety
/// `va` holds what the format, a C string or null, asks for.
pub unsafe fn build(f: *const c_char, va: &mut VaList) -> PyResult {
    if f.is_null() {
        return Err(crate::glue::null_argument());
    }
    let mut f = Format(f.cast());
    // SAFETY: the caller's promise.
    unsafe {
        let c = f.peek();
        if c.is_ascii_alphabetic() && *f.0.add(1) == 0 {
            // One value.
            f.skip();
            return build_one(c, &mut f, va);
        }
        if c == 0 {
            return Ok(none());
        }
    }
    let mut v = Items::new();
    // SAFETY: the caller's promise.
    unsafe {
        if f.take(b'(') {
            let mut inner = Items::new();
            if let Err(e) = build_items(&mut inner, &mut f, b')', va) {
                return Err(finish(e, &mut f, va));
            }
            let t = inner.into_tuple().into_object();
            if f.peek() == 0 {
                // The commonest: one tuple.
                return Ok(t);
            }
            v.push(t);
        }
        build_items(&mut v, &mut f, 0, va)?;
    }
    Ok(match v.len {
        0 => none(),
        1 => v.into_single(),
        _ => v.into_tuple().into_object(),
    })
}

/// Adds the items up to the character `end` to `out`. All are taken from the list even after an error, so that `N` references are not leaked.
unsafe fn build_items(out: &mut Items, f: &mut Format, end: u8, va: &mut VaList) -> PyResult<()> {
    let mut failed = None;
    // SAFETY: the caller's promise.
    unsafe {
        loop {
            let c = f.peek();
            if c == end {
                if c != 0 {
                    f.skip();
                }
                break;
            }
            if c == 0 {
                return raise!(SystemError, "unmatched paren in format");
            }
            f.skip();
            if matches!(c, b',' | b':' | b' ' | b'\t') {
                continue;
            }
            match build_one(c, f, va) {
                Ok(o) => out.push(o),
                Err(e) => failed = Some(first_error(failed, e)),
            }
        }
    }
    match failed {
        None => Ok(()),
        Some((t, v, tb)) => {
            lh_runtime::errors::restore(t, v, tb);
            Err(Raised::already_set())
        }
    }
}
/// Takes what is left of the format from the list, `e` being the error to report.
#[cold]
#[inline(never)]
unsafe fn finish(e: Raised, f: &mut Format, va: &mut VaList) -> Raised {
    let first = first_error(None, e);
    // SAFETY: the caller's promise.
    if let Err(e) = unsafe { build_items(&mut Items::new(), f, 0, va) } {
        e.clear();
    }
    lh_runtime::errors::restore(first.0, first.1, first.2);
    Raised::already_set()
}
type Triple = (Option<Owned>, Option<Owned>, Option<Owned>);
/// The first error is the one to report.
#[cold]
#[inline(never)]
fn first_error(failed: Option<Triple>, e: Raised) -> Triple {
    match failed {
        None => lh_runtime::errors::fetch(),
        Some(first) => {
            e.clear();
            first
        }
    }
}
/// A dictionary of the items up to the closing brace.
#[inline(never)]
unsafe fn build_dict(f: &mut Format, va: &mut VaList) -> PyResult {
    let mut v = Items::new();
    // SAFETY: the caller's promise; the items are live.
    unsafe {
        build_items(&mut v, f, b'}', va)?;
        let d = Dict::new();
        let mut left = v.as_slice();
        while let [k, x, more @ ..] = left {
            d.set_item(Object::from_ptr(*k), Object::from_ptr(*x))?;
            left = more;
        }
        if !left.is_empty() {
            return raise!(SystemError, "Bad dict format");
        }
        Ok(d.into_object())
    }
}

/// What the character `c`, behind which `f` stands, asks for.
unsafe fn build_one(c: u8, f: &mut Format, va: &mut VaList) -> PyResult {
    // SAFETY: the caller's promise.
    unsafe {
        Ok(match c {
            b'(' => {
                let mut v = Items::new();
                build_items(&mut v, f, b')', va)?;
                v.into_tuple().into_object()
            }
            b'[' => {
                let mut v = Items::new();
                build_items(&mut v, f, b']', va)?;
                v.into_list().into_object()
            }
            b'{' => return build_dict(f, va),
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
                let n = if f.take(b'#') { Some(va.word() as isize) } else { None };
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
                if c == b'O' && f.take(b'&') {
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
