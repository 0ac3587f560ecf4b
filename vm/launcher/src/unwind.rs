//! What becomes of exceptions that are not ours when they meet our frames.
//!
//! An extension written in C++ may throw through the interpreter to another one that catches: CPython, being C, is
//! walked over. Rust's personality routine would stop at every `catch_unwind` and every function that must not unwind,
//! and abort. The linker puts this routine in its place (`--wrap`, see build.rs): for such exceptions clean-ups run and
//! everything else is walked over, for Rust's own panics nothing changes.

use core::ffi::{c_int, c_void};

/// The class of Rust's panics: these bytes in the machine's own order, or as a number (standard libraries differ).
const RUST: [u64; 2] = [u64::from_ne_bytes(*b"MOZ\0RUST"), u64::from_be_bytes(*b"MOZ\0RUST")];
const SEARCH: c_int = 1;
const CONTINUE: c_int = 8;

unsafe extern "C" {
    fn __real_rust_eh_personality(
        version: c_int,
        actions: c_int,
        class: u64,
        exception: *mut c_void,
        context: *mut c_void,
    ) -> c_int;
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_rust_eh_personality(
    version: c_int,
    actions: c_int,
    class: u64,
    exception: *mut c_void,
    context: *mut c_void,
) -> c_int {
    // SAFETY: the arguments are the unwinder's; a search changes nothing in the context.
    unsafe {
        let ours = RUST.contains(&class);
        let plain = |actions| __real_rust_eh_personality(version, actions, class, exception, context);
        // A handler, or "may not unwind": what a search stops at. Clean-ups it passes.
        if !ours && (actions & SEARCH != 0 || plain(SEARCH) != CONTINUE) {
            return CONTINUE;
        }
        plain(actions)
    }
}
