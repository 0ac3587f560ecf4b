//! Reading a line from the terminal through the function that the `readline` module installs (`PyOS_ReadlineFunctionPointer`).

use crate::errors::*;
use crate::thread::{self, Thread};
use core::ffi::{CStr, c_char, c_void};
use std::ptr::null_mut;

type Function = unsafe extern "C" fn(*mut libc::FILE, *mut libc::FILE, *const c_char) -> *mut c_char;

#[unsafe(no_mangle)]
pub static mut PyOS_ReadlineFunctionPointer: Option<Function> = None;
/// The thread that reads: its state, for signal handlers that must run meanwhile.
#[unsafe(no_mangle)]
pub static mut _PyOS_ReadlineTState: *mut c_void = null_mut();

unsafe extern "C" {
    static stdin: *mut libc::FILE;
    static stdout: *mut libc::FILE;
}

/// Is there a line editor for the process's own terminal?
pub fn installed() -> bool {
    // SAFETY: a pointer that is written with the GIL held; queries about descriptors.
    unsafe {
        let f = PyOS_ReadlineFunctionPointer;
        f.is_some() && libc::isatty(0) != 0 && libc::isatty(1) != 0
    }
}

/// A line with its newline; empty at the end of the input; `KeyboardInterrupt` if it was interrupted.
pub fn read_line(prompt: &CStr) -> PyResult<Vec<u8>> {
    // SAFETY: the function takes C's streams and a C string; it gives a block of the allocator, or null.
    unsafe {
        let Some(f) = PyOS_ReadlineFunctionPointer else { return Ok(vec![]) };
        _PyOS_ReadlineTState = Thread::current_ptr().cast();
        let line = thread::allow_threads(|| f(stdin, stdout, prompt.as_ptr()));
        _PyOS_ReadlineTState = null_mut();
        if line.is_null() {
            if occurred() {
                return Err(Raised::already_set());
            }
            thread::check_signals()?;
            return crate::raise!(KeyboardInterrupt);
        }
        let bytes = CStr::from_ptr(line).to_bytes().to_vec();
        crate::alloc::free(line.cast());
        Ok(bytes)
    }
}
