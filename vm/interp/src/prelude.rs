//! What nearly every file of the interpreter wants.
pub use lh_abi::*;
pub use lh_bytecode::opcode as op;
pub use lh_runtime::codeobject::{FAST_CELL, FAST_FREE, FAST_LOCAL, quick};
pub use lh_runtime::prelude::*;
pub use lh_runtime::thread::Thread;

/// The raw result of a helper: null means "raised".
#[inline(always)]
pub fn raw<T: Kind>(r: PyResult<Owned<T>>) -> *mut PyObject {
    match r {
        Ok(o) => o.into_raw(),
        Err(Raised { .. }) => core::ptr::null_mut(),
    }
}
/// A borrow of a pointer the interpreter holds a count of.
///
/// # Safety
/// `p` is live for `'a`.
#[inline(always)]
pub unsafe fn r<'a>(p: *mut PyObject) -> &'a Object {
    // SAFETY: the caller's promise.
    unsafe { Object::from_ptr(p) }
}
