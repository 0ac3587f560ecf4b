//! Making values by a format: `Py_BuildValue` and the calls with a format.

use crate::names::Name;
use crate::prelude::*;
use crate::va::VaList;

/// References that are being collected, a few of them without an allocation.
struct Items {
    few: [*mut PyObject; Items::FEW],
    more: Vec<*mut PyObject>,
    len: usize,
}
impl Items {
    const FEW: usize = 8;
    #[inline]
    fn new() -> Items {
        Items { few: [null_mut(); Items::FEW], more: Vec::new(), len: 0 }
    }
    #[inline]
    fn push(&mut self, o: Owned<Object>) {
        let o = o.into_raw();
        if self.len < Items::FEW {
            self.few[self.len] = o;
        } else {
            self.spill(o);
        }
        self.len += 1;
    }
    #[cold]
    fn spill(&mut self, o: *mut PyObject) {
        if self.more.is_empty() {
            self.more.extend_from_slice(&self.few);
        }
        self.more.push(o);
    }
    #[inline]
    fn as_slice(&self) -> &[*mut PyObject] {
        if self.len <= Items::FEW { &self.few[..self.len] } else { &self.more }
    }
    /// The items, whose references are now the caller's.
    fn each_into(mut self, mut f: impl FnMut(*mut PyObject)) {
        let n = std::mem::replace(&mut self.len, 0);
        let more = std::mem::take(&mut self.more);
        let all = if n <= Items::FEW { &self.few[..n] } else { &more[..] };
        all.iter().for_each(|o| f(*o));
    }
    fn into_tuple(mut self) -> Owned<Tuple> {
        let all = self.as_slice();
        // SAFETY: each is one reference, which `self` has no more behind this.
        let t = unsafe { Tuple::of_counts(all.as_ptr(), all.len()) };
        self.len = 0;
        t.expect("memory for a tuple")
    }
    /// The only item.
    fn into_single(mut self) -> Owned<Object> {
        debug_assert!(self.len == 1);
        self.len = 0;
        // SAFETY: one reference, which `self` has no more.
        unsafe { Owned::from_raw(self.few[0]) }
    }
    fn into_vec(self) -> Vec<Owned<Object>> {
        let mut v = Vec::with_capacity(self.len);
        // SAFETY: each is one reference.
        self.each_into(|o| v.push(unsafe { Owned::from_raw(o) }));
        v
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
    fn lh_build_value(f: *const c_char, va: *mut VaList) -> obj { build(CStr::from_ptr(f).to_bytes(), &mut *va) }
    fn Py_VaBuildValue(f: &CStr, va: *mut VaList) -> obj { build(f.to_bytes(), &mut *va) }
    fn _Py_VaBuildValue_SizeT(f: &CStr, va: *mut VaList) -> obj { build(f.to_bytes(), &mut *va) }
    /// Calls with a format: a tuple from the format is the argument list, anything else the only argument.
    fn lh_call_format(o: &Object, f: Option<&CStr>, va: *mut VaList) -> obj { call_format(o, f, &mut *va) }
    fn lh_call_method_format(o: &Object, name: Name, f: Option<&CStr>, va: *mut VaList) -> obj {
        let m = o.get_attr(&*name.string()?)?;
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

unsafe fn call_format(o: &Object, f: Option<&CStr>, va: &mut VaList) -> PyResult {
    let Some(f) = f.filter(|f| !f.is_empty()) else { return o.call0() };
    // SAFETY: the caller's va_list holds what the format asks for.
    let v = unsafe { build_items(f.to_bytes(), &mut 0, 0, va)? };
    // SAFETY: live items.
    unsafe {
        if let [only] = v.as_slice()
            && let Some(t) = Object::from_ptr(*only).downcast::<Tuple>()
        {
            return o.call_tuple(t, None);
        }
        // Nothing at all is `None`, which is an argument.
        if v.len == 0 {
            return o.call1(none_ref());
        }
        from_c(o.vectorcall(v.as_slice().as_ptr(), v.len, null_mut()))
    }
}

/// `Py_BuildValue`: nothing is `None`, one item is itself, more are a tuple.
///
/// # Safety
/// `va` holds what the format asks for.
pub unsafe fn build(f: &[u8], va: &mut VaList) -> PyResult {
    let mut i = 0;
    if let [b'(', rest @ .., b')'] = f
        && !rest.iter().any(|c| matches!(c, b'(' | b')'))
    {
        // The commonest: one tuple.
        // SAFETY: the caller's promise.
        return Ok(unsafe { build_items(rest, &mut i, 0, va)? }.into_tuple().into_object());
    }
    // SAFETY: the caller's promise.
    let v = unsafe { build_items(f, &mut i, 0, va)? };
    Ok(match v.len {
        0 => none(),
        1 => v.into_single(),
        _ => v.into_tuple().into_object(),
    })
}

/// All items are taken from the list even after an error, so that `N` references are not leaked.
unsafe fn build_items(f: &[u8], i: &mut usize, end: u8, va: &mut VaList) -> PyResult<Items> {
    let mut out = Items::new();
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
            b'(' => build_items(f, i, b')', va)?.into_tuple().into_object(),
            b'[' => List::from_vec(build_items(f, i, b']', va)?.into_vec()).into_object(),
            b'{' => {
                let d = Dict::new();
                let v = build_items(f, i, b'}', va)?.into_vec();
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
