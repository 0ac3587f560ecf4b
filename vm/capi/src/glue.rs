//! `capi!`: C functions as translations, with conversions and ownership visible in the types.
//!
//! ```text
//!   capi! { fn PyList_GetItem(list: &List, i: isize) -> borrowed { … PyResult<*mut PyObject> … } }
//! ```
//! | parameter type | C passes | null |
//! |---|---|---|
//! | `&Object`, `&List`, … | a borrowed reference | `SystemError`, as a wrong type |
//! | `Option<&Object>`, … | a borrowed reference | `None` |
//! | `Owned`, `Option<Owned>` | a reference that the function takes over (steals) | `SystemError` / `None` |
//! | `&CStr`, `Option<&CStr>` | `const char *` | `SystemError` / `None` |
//! | numbers, raw pointers | themselves | |
//!
//! | result | body | C sees on error |
//! |---|---|---|
//! | `obj` | `PyResult<Owned<_>>`: a new reference | NULL |
//! | `borrowed` | `PyResult<*mut PyObject>` | NULL |
//! | `status` | `PyResult<()>` | -1 (else 0) |
//! | `boolean` | `PyResult<bool>` | -1 (else 0 or 1) |
//! | `(T, e)` | `PyResult<T>` | `e` |
//! | `[T]` | `T`: cannot fail | zero |
//! | `void` | anything | |

use core::ffi::{CStr, c_char};
use lh_abi::PyObject;
use lh_runtime::prelude::*;

/// A C parameter as Rust wants it.
pub trait Arg: Sized {
    type C;
    /// # Safety
    /// `c` is what the C prototype promises.
    unsafe fn take(c: Self::C) -> PyResult<Self>;
}

#[cold]
pub fn null_argument() -> Raised {
    if occurred() {
        return Raised::already_set();
    }
    raised!(SystemError, "null argument to internal routine")
}

impl<T: Kind> Arg for &T {
    type C = *mut PyObject;
    #[inline]
    unsafe fn take(c: *mut PyObject) -> PyResult<Self> {
        // SAFETY: the caller's promise.
        match unsafe { Object::from_ptr_opt(c) } {
            None => Err(null_argument()),
            Some(o) => o.downcast::<T>().ok_or_else(bad_internal_call),
        }
    }
}
impl<'a, T: Kind> Arg for Option<&'a T> {
    type C = *mut PyObject;
    #[inline]
    unsafe fn take(c: *mut PyObject) -> PyResult<Self> {
        if c.is_null() {
            return Ok(None);
        }
        // SAFETY: the caller's promise.
        unsafe { <&'a T>::take(c) }.map(Some)
    }
}
impl<T: Kind> Arg for Owned<T> {
    type C = *mut PyObject;
    unsafe fn take(c: *mut PyObject) -> PyResult<Self> {
        // SAFETY: the caller gives up one count.
        match unsafe { Owned::<Object>::from_raw_opt(c) } {
            None => Err(null_argument()),
            Some(o) => o.downcast_owned::<T>().map_err(|_| bad_internal_call()),
        }
    }
}
impl<T: Kind> Arg for Option<Owned<T>> {
    type C = *mut PyObject;
    unsafe fn take(c: *mut PyObject) -> PyResult<Self> {
        if c.is_null() {
            return Ok(None);
        }
        // SAFETY: the caller gives up one count.
        unsafe { Owned::<T>::take(c) }.map(Some)
    }
}
impl Arg for &CStr {
    type C = *const c_char;
    unsafe fn take(c: *const c_char) -> PyResult<Self> {
        // SAFETY: the caller passes a C string.
        if c.is_null() { Err(null_argument()) } else { Ok(unsafe { CStr::from_ptr(c) }) }
    }
}
impl Arg for Option<&CStr> {
    type C = *const c_char;
    unsafe fn take(c: *const c_char) -> PyResult<Self> {
        // SAFETY: the caller passes a C string.
        Ok(if c.is_null() { None } else { Some(unsafe { CStr::from_ptr(c) }) })
    }
}
macro_rules! as_they_are {
    ($($t:ty),*) => { $(
        impl Arg for $t {
            type C = $t;
            #[inline]
            unsafe fn take(c: $t) -> PyResult<$t> { Ok(c) }
        }
    )* };
}
as_they_are!(i8, u8, i16, u16, i32, u32, i64, u64, isize, usize, f32, f64, bool);
impl<T> Arg for *mut T {
    type C = *mut T;
    #[inline]
    unsafe fn take(c: *mut T) -> PyResult<Self> {
        Ok(c)
    }
}
impl<T> Arg for *const T {
    type C = *const T;
    #[inline]
    unsafe fn take(c: *const T) -> PyResult<Self> {
        Ok(c)
    }
}

/// The object at `p` as a `T`, for short ways: null and other types are `None`, and nothing is raised.
///
/// # Safety
/// `p` is null or a live object.
#[inline(always)]
pub unsafe fn quick<'a, T: Kind>(p: *mut PyObject) -> Option<&'a T> {
    // SAFETY: the caller's promise.
    unsafe { Object::from_ptr_opt(p)?.downcast::<T>() }
}
/// As `quick`, for the exact type.
///
/// # Safety
/// As `quick`.
#[inline(always)]
pub unsafe fn quick_exact<'a, T: Kind>(p: *mut PyObject) -> Option<&'a T> {
    // SAFETY: the caller's promise.
    unsafe { Object::from_ptr_opt(p)?.downcast_exact::<T>() }
}
/// Gives a reference up, null or not, at the end of a short way that answers 0.
///
/// # Safety
/// As `xdecref`.
#[inline(always)]
pub unsafe fn zero_after(old: *mut PyObject) -> core::ffi::c_int {
    // SAFETY: the caller's promise.
    unsafe {
        if !old.is_null() {
            (*old).ob_refcnt -= 1;
            if (*old).ob_refcnt == 0 {
                core::hint::cold_path();
                return zero_after_last(old);
            }
        }
        0
    }
}
#[inline(never)]
unsafe extern "C" fn zero_after_last(old: *mut PyObject) -> core::ffi::c_int {
    // SAFETY: the count has just reached zero.
    unsafe { lh_runtime::object::dealloc(old) };
    0
}

/// The text of a C string; bytes that are not UTF-8 are replaced.
pub fn text(c: &CStr) -> std::borrow::Cow<'_, str> {
    let b = c.to_bytes();
    if b.is_ascii() {
        // SAFETY: ASCII is UTF-8.
        return unsafe { str::from_utf8_unchecked(b) }.into();
    }
    c.to_string_lossy()
}
/// A string object of a C string.
pub fn str_of(c: &CStr) -> Owned<Str> {
    let b = c.to_bytes();
    if b.is_ascii() { Str::from_ascii(b) } else { Str::new(&text(c)) }
}

/// What a function answers that has no meaning in this VM.
pub fn unsupported(why: &str) -> PyResult {
    raise!(NotImplementedError, "{}", why)
}

/// Defines exported C functions.
///
/// A function may have a short way in front: `fn f(…) -> kind short { … } { … }`. It sees what C passes as it is (nothing is checked
/// for null yet) and answers `Option` of what C gets, `None` for "go the whole way". It must neither raise nor panic: it stands before the
/// guard against panics, so that it needs no frame of its own.
macro_rules! capi {
    ($($(#[$m:meta])* fn $name:ident($($a:ident: $t:ty),* $(,)?) -> $kind:tt $(short $short:block)? $body:block)*) => {
        $( $crate::glue::capi_fn!([$(#[$m])*] $kind $name ($($a: $t),*) [$($short)?] $body); )*
    };
}
macro_rules! capi_fn {
    ([$($m:tt)*] $kind:tt $name:ident ($($a:ident: $t:ty),*) [] $body:block) => {
        $crate::glue::capi_one!([$($m)* #[unsafe(no_mangle)]] $kind $name ($($a: $t),*) $body);
    };
    ([$($m:tt)*] $kind:tt $name:ident ($($a:ident: $t:ty),*) [$short:block] $body:block) => {
        $($m)* #[unsafe(no_mangle)] #[allow(unused_unsafe)]
        pub unsafe extern "C" fn $name($($a: <$t as $crate::glue::Arg>::C),*) -> $crate::glue::c_result!($kind) {
            $crate::glue::capi_one!([#[inline(never)]] $kind whole ($($a: $t),*) $body);
            // SAFETY: C passes what the prototype promises.
            #[allow(clippy::redundant_closure_call)]
            let quick: Option<$crate::glue::c_result!($kind)> = (|| unsafe { $short })();
            match quick {
                Some(r) => r,
                None => {
                    core::hint::cold_path();
                    // SAFETY: as above.
                    unsafe { whole($($a),*) }
                }
            }
        }
    };
}
/// What C gets of a function of a kind.
macro_rules! c_result {
    (obj) => { *mut lh_abi::PyObject };
    (borrowed) => { *mut lh_abi::PyObject };
    (status) => { core::ffi::c_int };
    (boolean) => { core::ffi::c_int };
    (void) => { () };
    (($r:ty, $fail:expr)) => { $r };
    ([$r:ty]) => { $r };
}
macro_rules! capi_one {
    ([$($m:tt)*] obj $name:ident ($($a:ident: $t:ty),*) $body:block) => {
        $($m)* #[allow(unused_unsafe, unreachable_code)]
        pub unsafe extern "C" fn $name($($a: <$t as $crate::glue::Arg>::C),*) -> *mut lh_abi::PyObject {
            // SAFETY: C passes what the prototype promises.
            lh_runtime::border::object(|| unsafe { $(let $a: $t = <$t as $crate::glue::Arg>::take($a)?;)* $body })
        }
    };
    ([$($m:tt)*] borrowed $name:ident ($($a:ident: $t:ty),*) $body:block) => {
        $crate::glue::capi_one!([$($m)*] (*mut lh_abi::PyObject, core::ptr::null_mut()) $name ($($a: $t),*) $body);
    };
    ([$($m:tt)*] status $name:ident ($($a:ident: $t:ty),*) $body:block) => {
        $($m)* #[allow(unused_unsafe, unreachable_code)]
        pub unsafe extern "C" fn $name($($a: <$t as $crate::glue::Arg>::C),*) -> core::ffi::c_int {
            // SAFETY: C passes what the prototype promises.
            lh_runtime::border::status(|| unsafe { $(let $a: $t = <$t as $crate::glue::Arg>::take($a)?;)* $body })
        }
    };
    ([$($m:tt)*] boolean $name:ident ($($a:ident: $t:ty),*) $body:block) => {
        $($m)* #[allow(unused_unsafe, unreachable_code)]
        pub unsafe extern "C" fn $name($($a: <$t as $crate::glue::Arg>::C),*) -> core::ffi::c_int {
            // SAFETY: C passes what the prototype promises.
            lh_runtime::border::int(|| unsafe {
                $(let $a: $t = <$t as $crate::glue::Arg>::take($a)?;)*
                let r: lh_runtime::errors::PyResult<bool> = $body;
                r.map(|b| b as core::ffi::c_int)
            }, -1)
        }
    };
    ([$($m:tt)*] void $name:ident ($($a:ident: $t:ty),*) $body:block) => {
        $($m)* #[allow(unused_unsafe, unreachable_code)]
        pub unsafe extern "C" fn $name($($a: <$t as $crate::glue::Arg>::C),*) {
            // SAFETY: C passes what the prototype promises.
            lh_runtime::border::int(|| unsafe {
                $(let $a: $t = <$t as $crate::glue::Arg>::take($a)?;)*
                { $body };
                Ok(())
            }, ())
        }
    };
    ([$($m:tt)*] ($r:ty, $fail:expr) $name:ident ($($a:ident: $t:ty),*) $body:block) => {
        $($m)* #[allow(unused_unsafe, unreachable_code)]
        pub unsafe extern "C" fn $name($($a: <$t as $crate::glue::Arg>::C),*) -> $r {
            // SAFETY: C passes what the prototype promises.
            lh_runtime::border::int(|| unsafe {
                $(let $a: $t = <$t as $crate::glue::Arg>::take($a)?;)*
                let r: lh_runtime::errors::PyResult<$r> = $body;
                r
            }, $fail)
        }
    };
    ([$($m:tt)*] [$r:ty] $name:ident ($($a:ident: $t:ty),*) $body:block) => {
        $($m)* #[allow(unused_unsafe, unreachable_code)]
        pub unsafe extern "C" fn $name($($a: <$t as $crate::glue::Arg>::C),*) -> $r {
            // SAFETY: C passes what the prototype promises; zero is a value of the result type.
            lh_runtime::border::int(|| unsafe {
                $(let $a: $t = <$t as $crate::glue::Arg>::take($a)?;)*
                let r: $r = $body;
                Ok(r)
            // SAFETY: zero is a value of the result type.
            }, unsafe { core::mem::zeroed() })
        }
    };
}
pub(crate) use {c_result, capi, capi_fn, capi_one};
