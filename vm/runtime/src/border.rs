//! The border between C calling conventions and Rust: results become NULL-or-object and -1-or-0, panics become `SystemError`.

use crate::errors::*;
use crate::object::*;
use core::ffi::c_int;
use lh_abi::PyObject;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[cold]
#[inline(never)]
fn panicked(p: Box<dyn std::any::Any + Send>) {
    let text = p
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| p.downcast_ref::<&str>().copied())
        .unwrap_or("unknown panic");
    let _ = crate::raised!(SystemError, "internal error: {}", text);
}

/// Runs `f`; null means "raised".
#[inline]
pub fn object<T: Kind>(f: impl FnOnce() -> PyResult<Owned<T>>) -> *mut PyObject {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(o)) => o.into_raw(),
        Ok(Err(Raised { .. })) => core::ptr::null_mut(),
        Err(p) => {
            panicked(p);
            core::ptr::null_mut()
        }
    }
}

/// Runs an iterator step; null without an exception means "exhausted".
#[inline]
pub fn optional<T: Kind>(f: impl FnOnce() -> PyResult<Option<Owned<T>>>) -> *mut PyObject {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(Some(o))) => o.into_raw(),
        Ok(Ok(None)) | Ok(Err(Raised { .. })) => core::ptr::null_mut(),
        Err(p) => {
            panicked(p);
            core::ptr::null_mut()
        }
    }
}

/// Runs `f`; 0 for success, -1 for "raised".
#[inline]
pub fn status(f: impl FnOnce() -> PyResult<()>) -> c_int {
    int(|| f().map(|()| 0), -1)
}

/// Runs `f`; its number, or `failed` for "raised".
#[inline]
pub fn int<N>(f: impl FnOnce() -> PyResult<N>, failed: N) -> N {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(n)) => n,
        Ok(Err(Raised { .. })) => failed,
        Err(p) => {
            panicked(p);
            failed
        }
    }
}

/// Runs `f` where C expects no result (deallocators).
#[inline]
pub fn nothing(f: impl FnOnce()) {
    if let Err(p) = catch_unwind(AssertUnwindSafe(f)) {
        panicked(p);
        crate::errors::write_unraisable(None, None);
    }
}
