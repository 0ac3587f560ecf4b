//! `backtrace()` as libraries see it that look for the interpreter among their callers.
//!
//! numpy works in place on an operand nobody else has, but only when its native callers up to `_PyEval_EvalFrameDefault` are known ones: it asks
//! `backtrace` for addresses and `dladdr` for their names. Our evaluation loop has no such function, and machine code has no
//! names at all. So the executable has a `backtrace` of its own in front of the C library's, which shows both as what they are in
//! CPython's terms.

use core::ffi::{c_int, c_void};
use std::sync::OnceLock;

type Backtrace = unsafe extern "C" fn(*mut *mut c_void, c_int) -> c_int;

unsafe extern "C" {
    fn _Unwind_FindEnclosingFunction(at: *mut c_void) -> *mut c_void;
    fn _PyEval_EvalFrameDefault();
}

fn system() -> Option<Backtrace> {
    static FOUND: OnceLock<Option<Backtrace>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        // SAFETY: the next definition behind the executable's is the C library's.
        unsafe {
            let f = libc::dlsym(libc::RTLD_NEXT, c"backtrace".as_ptr());
            (!f.is_null()).then(|| std::mem::transmute::<*mut c_void, Backtrace>(f))
        }
    })
}

/// Does the return address lie in what evaluates Python code?
unsafe fn evaluates(at: *mut c_void) -> bool {
    if lh_foreign::arena::Arena::is_trace(at as usize) {
        return true;
    }
    // SAFETY: the unwinder's tables are only read.
    let f = unsafe { _Unwind_FindEnclosingFunction(at) };
    lh_interp::eval::is_loop(f as usize)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn backtrace(buffer: *mut *mut c_void, size: c_int) -> c_int {
    let Some(real) = system() else { return 0 };
    // SAFETY: the caller's buffer has room for `size` addresses.
    unsafe {
        let n = real(buffer, size);
        for i in 0..n.max(0) as usize {
            let at = buffer.add(i);
            if evaluates(*at) {
                // An address inside the function, as a return address is.
                *at = (_PyEval_EvalFrameDefault as *const () as usize + 1) as *mut c_void;
            }
        }
        n
    }
}
