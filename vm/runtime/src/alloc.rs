//! Memory: one allocator (mimalloc) for objects, raw blocks and the data stacks of threads.

use core::ffi::c_void;
use libmimalloc_sys as mi;

/// `PyObject_Malloc`/`PyMem_Malloc`: null when there is no memory. A size of 0 gives a block.
#[inline]
pub fn malloc(n: usize) -> *mut c_void {
    if n > isize::MAX as usize {
        return core::ptr::null_mut();
    }
    // SAFETY: any size is accepted.
    unsafe { mi::mi_malloc(n.max(1)) }
}
#[inline]
pub fn calloc(n: usize, size: usize) -> *mut c_void {
    // SAFETY: any sizes are accepted; overflow gives null.
    unsafe { mi::mi_calloc(n.max(1), size.max(1)) }
}
/// # Safety
/// `p` is null or from this allocator.
#[inline]
pub unsafe fn realloc(p: *mut c_void, n: usize) -> *mut c_void {
    if n > isize::MAX as usize {
        return core::ptr::null_mut();
    }
    // SAFETY: the caller's promise.
    unsafe { mi::mi_realloc(p, n.max(1)) }
}
/// # Safety
/// `p` is null or from this allocator, and not used again.
#[inline]
pub unsafe fn free(p: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { mi::mi_free(p) }
}
/// `n` default items, or `MemoryError`: for sizes that a program asks for.
pub fn zeroed<T: Copy + Default>(n: usize) -> crate::errors::PyResult<Vec<T>> {
    let mut v = Vec::new();
    if v.try_reserve_exact(n).is_err() {
        return crate::raise!(MemoryError);
    }
    v.resize(n, T::default());
    Ok(v)
}
/// A data-stack chunk (`_PyObject_VirtualAlloc`); greenlet frees chunks through the arena allocator.
pub fn arena_alloc(n: usize) -> *mut c_void {
    malloc(n)
}
/// # Safety
/// `p` is from `arena_alloc`.
pub unsafe fn arena_free(p: *mut c_void, _n: usize) {
    // SAFETY: the caller's promise.
    unsafe { free(p) }
}
