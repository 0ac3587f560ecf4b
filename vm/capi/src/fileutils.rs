//! `fileobject.h`, `pycore_fileutils.h`, `tracemalloc.h`, `pycore_pyerrors.h`: names of files, bytes of the locale, and what CPython's own
//! test modules ask for.

use crate::prelude::*;
use lh_runtime::codecs;

/// How undecodable bytes are treated: 1 strict, 2 surrogateescape, 3 replace, 4 ignore, 5 backslashreplace, 6 surrogatepass,
/// 7 xmlcharrefreplace, 8 other, 0 unknown.
const HANDLERS: [&str; 8] = [
    "",
    "strict",
    "surrogateescape",
    "replace",
    "ignore",
    "backslashreplace",
    "surrogatepass",
    "xmlcharrefreplace",
];

/// A cost of turning one text into the other: 2 for a character added, removed or replaced, 1 for its case.
fn edit_cost(a: &[u8], b: &[u8]) -> isize {
    let change = |x: u8, y: u8| match x == y {
        true => 0,
        false if x.eq_ignore_ascii_case(&y) => 1,
        false => 2,
    };
    let mut row: Vec<isize> = (0..=b.len() as isize).map(|i| 2 * i).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = 2 * (i as isize + 1);
        for (j, y) in b.iter().enumerate() {
            let v = (diagonal + change(*x, *y)).min(row[j] + 2).min(row[j + 1] + 2);
            diagonal = std::mem::replace(&mut row[j + 1], v);
        }
    }
    row[b.len()]
}
/// `.` and `..` and repeated slashes taken out of a path, by its text alone.
fn normal_path(p: &[u32]) -> Vec<u32> {
    let slash = '/' as u32;
    let dot = '.' as u32;
    let roots = p.iter().take_while(|c| **c == slash).count();
    let mut out: Vec<u32> = vec![slash; if roots == 2 { 2 } else { roots.min(1) }];
    let root = out.len();
    let mut kept: Vec<&[u32]> = vec![];
    for part in p.split(|c| *c == slash) {
        match part {
            [] => {}
            [d] if *d == dot => {}
            [d, e] if *d == dot && *e == dot => match kept.last() {
                Some(last) if **last != [dot, dot] => drop(kept.pop()),
                None if root > 0 => {}
                _ => kept.push(part),
            },
            _ => kept.push(part),
        }
    }
    for (i, part) in kept.iter().enumerate() {
        if i > 0 {
            out.push(slash);
        }
        out.extend(*part);
    }
    if out.is_empty() { vec![dot] } else { out }
}

capi! {
    fn _Py_GetErrorHandler(errors: Option<&CStr>) -> [c_int] {
        let Some(e) = errors else { return Ok(1) };
        HANDLERS.iter().position(|h| *h == text(e)).map_or(8, |i| i as c_int)
    }
    /// 0 fine, -2 undecodable (`wlen` says where), -3 the handler is not supported.
    fn _Py_DecodeLocaleEx(s: &CStr, out: *mut *mut u32, n: *mut usize, reason: *mut *const c_char, _current: c_int, errors: c_int) -> [c_int] {
        let b = s.to_bytes();
        let decoded = match errors {
            1 | 6 => codecs::decode_to_str(b, "utf-8", HANDLERS[errors as usize]),
            2 => Ok(codecs::fs_decode(b)),
            _ => return Ok(-3),
        };
        match decoded {
            Ok(t) => {
                *out = crate::unicodeobject::ucs4(&t, true)?;
                if !n.is_null() {
                    *n = t.len();
                }
                0
            }
            Err(e) => {
                e.clear();
                if !n.is_null() {
                    *n = std::str::from_utf8(b).err().map_or(0, |e| String::from_utf8_lossy(&b[..e.valid_up_to()]).chars().count());
                }
                if !reason.is_null() {
                    *reason = c"decoding error".as_ptr();
                }
                -2
            }
        }
    }
    fn _Py_EncodeLocaleEx(s: *const u32, out: *mut *mut c_char, at: *mut usize, reason: *mut *const c_char, _current: c_int, errors: c_int) -> [c_int] {
        let t = crate::unicodeobject::from_wide(s, -1)?;
        let encoded = match errors {
            1 | 2 | 6 => codecs::encode_to_bytes(&t, "utf-8", HANDLERS[errors as usize]),
            _ => return Ok(-3),
        };
        match encoded {
            Ok(b) => {
                let b = b.downcast::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default();
                *out = crate::object::dup(&std::ffi::CString::new(b).unwrap_or_default());
                0
            }
            Err(e) => {
                e.clear();
                if !at.is_null() {
                    *at = t.chars().position(|c| (0xd800..0xe000).contains(&c)).unwrap_or(0);
                }
                if !reason.is_null() {
                    *reason = c"encoding error".as_ptr();
                }
                -2
            }
        }
    }
    fn _Py_normpath(p: *mut u32, n: isize) -> [*mut u32] {
        let len = if n >= 0 { n as usize } else { (0..).take_while(|i| *p.add(*i) != 0).count() };
        if len == 0 || *p == 0 {
            return Ok(p);
        }
        let out = normal_path(std::slice::from_raw_parts(p, len));
        // Never longer than what it was made of.
        p.copy_from_nonoverlapping(out.as_ptr(), out.len());
        if out.len() < len || n < 0 {
            *p.add(out.len()) = 0;
        }
        p
    }
    fn _Py_UTF8_Edit_Cost(a: &Str, b: &Str, max: isize) -> (isize, -1) {
        let (a, b) = (a.to_str()?.as_bytes(), b.to_str()?.as_bytes());
        let max = if max == -1 { 2 * a.len().max(b.len()) as isize } else { max };
        Ok(edit_cost(a, b).min(max + 1))
    }
    fn _Py_Get_Getpath_CodeObject() -> obj { unsupported("paths are not computed by Python code here") }
    fn _PyTraceMalloc_GetTraceback(domain: c_uint, p: usize) -> obj {
        Ok(match lh_runtime::tracemalloc::traceback_of(domain, p) {
            Some(t) => t.to_tuple().into_object(),
            None => none(),
        })
    }
    fn _PyTime_AsTimespec_clamp(t: i64, ts: *mut libc::timespec) -> void {
        (*ts).tv_sec = t.div_euclid(1_000_000_000);
        (*ts).tv_nsec = t.rem_euclid(1_000_000_000);
    }
    fn _PyObject_Dump(o: *mut PyObject) -> void {
        match Object::from_ptr_opt(o) {
            None => eprintln!("<object at NULL>"),
            Some(x) => eprintln!(
                "object address  : {o:p}\nobject refcount : {}\nobject type     : {:p}\nobject type name: {}\nobject repr     : {}",
                x.refcnt(), x.ob_type(), x.ty().name(), x.repr()?.to_str_lossy()
            ),
        }
    }
}
