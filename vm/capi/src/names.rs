//! Strings of the C strings that name attributes, keys and methods.
//!
//! Nearly all of these are literals of an extension. The string made of one is interned and kept in a table under the literal's address;
//! the characters are compared again at each use, because the address may be a buffer with other text by then.

use crate::prelude::*;
use std::cell::UnsafeCell;

const SIZE: usize = 512;
/// Longer text is no name.
const LONGEST: usize = 100;

#[derive(Clone, Copy)]
struct Entry {
    at: *const c_char,
    /// An interned ASCII string, owned.
    string: *mut PyObject,
}
struct Table(UnsafeCell<[Entry; SIZE]>);
// SAFETY: only touched with the GIL held.
unsafe impl Sync for Table {}
static TABLE: Table = Table(UnsafeCell::new([Entry { at: null(), string: null_mut() }; SIZE]));

fn entry(c: *const c_char) -> *mut Entry {
    let a = c as usize;
    // SAFETY: the index is within the table.
    unsafe { TABLE.0.get().cast::<Entry>().add((a ^ a >> 9) % SIZE) }
}

/// A parameter that is a name.
#[derive(Clone, Copy)]
pub struct Name(*const c_char);
impl Arg for Name {
    type C = *const c_char;
    #[inline]
    unsafe fn take(c: *const c_char) -> PyResult<Self> {
        if c.is_null() { Err(null_argument()) } else { Ok(Name(c)) }
    }
}
impl Name {
    /// The string of it; `UnicodeDecodeError` if it isn't UTF-8.
    #[inline]
    pub fn string(self) -> PyResult<Owned<Str>> {
        // SAFETY: a C string, by what the C prototype promises.
        unsafe { of(self.0) }
    }
}

/// # Safety
/// `c` is a C string.
#[inline]
pub unsafe fn of(c: *const c_char) -> PyResult<Owned<Str>> {
    let e = entry(c);
    // SAFETY: the entry's string is live, and NUL-terminated as ASCII strings are.
    unsafe {
        if (*e).at == c {
            let s = Object::from_ptr((*e).string).downcast_unchecked::<Str>();
            if libc::strcmp(c, s.data().cast()) == 0 {
                return Ok(s.own());
            }
        }
        make(c, e)
    }
}

#[cold]
unsafe fn make(c: *const c_char, e: *mut Entry) -> PyResult<Owned<Str>> {
    // SAFETY: the caller's promises.
    unsafe {
        let s = Str::intern(lh_runtime::codecs::decode_utf8(CStr::from_ptr(c).to_bytes())?);
        if s.is_ascii() && s.len() <= LONGEST {
            (*e).at = c;
            let old = std::mem::replace(&mut (*e).string, s.clone().into_raw());
            xdecref(old);
        }
        Ok(s)
    }
}

/// Is the text of `s` that of `c`?
///
/// # Safety
/// `c` is a C string.
#[inline]
pub unsafe fn same(s: &Str, c: *const c_char) -> bool {
    // SAFETY: the caller's promise; an ASCII string ends in NUL.
    unsafe {
        if s.is_ascii() {
            let (n, d) = (s.len(), s.data());
            // Up to the first difference: `c` may end anywhere, and `s` may hold a NUL.
            for i in 0..n {
                let x = *c.add(i) as u8;
                if x != *d.add(i) || x == 0 {
                    return false;
                }
            }
            return *c.add(n) == 0;
        }
        match s.to_str() {
            Ok(t) => t.as_bytes() == CStr::from_ptr(c).to_bytes(),
            Err(e) => {
                e.clear();
                false
            }
        }
    }
}
