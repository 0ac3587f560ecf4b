//! ctypes' private errno: each thread has a copy that Python code reads and sets, exchanged with the C library's own
//! around foreign calls that ask for it. What the VM itself does to `errno` between two foreign calls stays invisible.

use std::cell::Cell;
use std::ffi::c_int;

thread_local! {
    static PRIVATE: Cell<c_int> = const { Cell::new(0) };
}

pub fn get() -> c_int {
    PRIVATE.with(Cell::get)
}

/// Sets the private copy and returns the former value.
pub fn set(value: c_int) -> c_int {
    PRIVATE.with(|p| p.replace(value))
}

/// Exchanges the private copy with the C library's errno. Called before and after the foreign function.
pub fn swap() {
    // SAFETY: the C library's per-thread errno is always there and only this thread uses it.
    unsafe {
        let real = libc::__errno_location();
        *real = set(*real);
    }
}

/// [`swap`] for generated code.
pub unsafe extern "C" fn swap_errno() {
    swap();
}

#[cfg(test)]
mod tests {
    #[test]
    fn swapping_twice_restores_both() {
        super::set(5);
        // SAFETY: reads and writes this thread's errno.
        unsafe { *libc::__errno_location() = 7 };
        super::swap();
        assert_eq!(super::get(), 7);
        super::swap();
        assert_eq!(super::get(), 5);
    }
}
