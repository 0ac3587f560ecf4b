//! `pymem.h`, `objimpl.h`'s allocators: memory for C code.
//!
//! One allocator serves all three domains. A program may put its own functions before it (`PyMem_SetAllocator`); then the C functions of
//! that domain go through them, while the VM's own objects still come from the allocator itself.

use crate::prelude::*;
use lh_runtime::alloc;
use std::sync::atomic::{AtomicBool, Ordering};

/// `PyMemAllocatorEx`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Allocator {
    ctx: *mut c_void,
    malloc: unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void,
    calloc: unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void,
    realloc: unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void, *mut c_void),
}
/// `PyObjectArenaAllocator`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ArenaAllocator {
    ctx: *mut c_void,
    alloc: unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void, *mut c_void, usize),
}
const RAW: usize = 0;
const MEM: usize = 1;
const OBJ: usize = 2;

unsafe extern "C" fn base_malloc(_ctx: *mut c_void, n: usize) -> *mut c_void {
    alloc::malloc(n)
}
unsafe extern "C" fn base_calloc(_ctx: *mut c_void, n: usize, size: usize) -> *mut c_void {
    alloc::calloc(n, size)
}
unsafe extern "C" fn base_realloc(_ctx: *mut c_void, p: *mut c_void, n: usize) -> *mut c_void {
    // SAFETY: a block of this allocator.
    unsafe { alloc::realloc(p, n) }
}
unsafe extern "C" fn base_free(_ctx: *mut c_void, p: *mut c_void) {
    // SAFETY: a block of this allocator.
    unsafe { alloc::free(p) }
}
unsafe extern "C" fn arena_alloc(_ctx: *mut c_void, n: usize) -> *mut c_void {
    alloc::arena_alloc(n)
}
unsafe extern "C" fn arena_free(_ctx: *mut c_void, p: *mut c_void, n: usize) {
    // SAFETY: a block of `arena_alloc`.
    unsafe { alloc::arena_free(p, n) }
}
const BASE: Allocator = Allocator {
    ctx: null_mut(),
    malloc: base_malloc,
    calloc: base_calloc,
    realloc: base_realloc,
    free: base_free,
};
static mut DOMAINS: [Allocator; 3] = [BASE; 3];
static mut ARENA: ArenaAllocator = ArenaAllocator { ctx: null_mut(), alloc: arena_alloc, free: arena_free };
/// Has some domain's allocator been replaced?
static REPLACED: AtomicBool = AtomicBool::new(false);

#[inline]
fn replaced() -> bool {
    REPLACED.load(Ordering::Relaxed)
}
#[cold]
fn domain(i: usize) -> Allocator {
    // SAFETY: written only by `PyMem_SetAllocator`, which C calls with the GIL held and before other threads use the domain.
    unsafe { DOMAINS[i] }
}

macro_rules! functions {
    ($($d:expr, $malloc:ident, $calloc:ident, $realloc:ident, $free:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub extern "C" fn $malloc(n: usize) -> *mut c_void {
            if replaced() {
                let a = domain($d);
                // SAFETY: the function installed for this domain.
                return if n > isize::MAX as usize { null_mut() } else { unsafe { (a.malloc)(a.ctx, n) } };
            }
            alloc::malloc(n)
        }
        #[unsafe(no_mangle)]
        pub extern "C" fn $calloc(n: usize, size: usize) -> *mut c_void {
            if replaced() {
                let a = domain($d);
                if size != 0 && n > isize::MAX as usize / size {
                    return null_mut();
                }
                // SAFETY: the function installed for this domain.
                return unsafe { (a.calloc)(a.ctx, n, size) };
            }
            alloc::calloc(n, size)
        }
        /// # Safety
        /// `p` is null or a block of this domain.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $realloc(p: *mut c_void, n: usize) -> *mut c_void {
            if replaced() {
                let a = domain($d);
                // SAFETY: the function installed for this domain.
                return if n > isize::MAX as usize { null_mut() } else { unsafe { (a.realloc)(a.ctx, p, n) } };
            }
            // SAFETY: the caller's promise.
            unsafe { alloc::realloc(p, n) }
        }
        /// # Safety
        /// `p` is null or a block of this domain, and not used again.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $free(p: *mut c_void) {
            if replaced() {
                let a = domain($d);
                // SAFETY: the function installed for this domain.
                return unsafe { (a.free)(a.ctx, p) };
            }
            // SAFETY: the caller's promise.
            unsafe { alloc::free(p) }
        }
    )* };
}
functions! {
    RAW, PyMem_RawMalloc, PyMem_RawCalloc, PyMem_RawRealloc, PyMem_RawFree;
    MEM, PyMem_Malloc, PyMem_Calloc, PyMem_Realloc, PyMem_Free;
    OBJ, PyObject_Malloc, PyObject_Calloc, PyObject_Realloc, PyObject_Free;
}

capi! {
    fn _PyMem_RawStrdup(s: &CStr) -> [*mut c_char] { crate::object::dup(s) }
    fn _PyMem_Strdup(s: &CStr) -> [*mut c_char] { crate::object::dup(s) }
    fn PyMem_GetAllocator(d: c_int, out: *mut Allocator) -> void { if (0..3).contains(&d) { *out = domain(d as usize) } }
    fn PyMem_SetAllocator(d: c_int, a: *const Allocator) -> void {
        if (0..3).contains(&d) {
            DOMAINS[d as usize] = *a;
            REPLACED.store(true, Ordering::Relaxed);
        }
    }
    fn PyMem_SetupDebugHooks() -> void {}
    fn _PyMem_GetCurrentAllocatorName() -> [*const c_char] { if replaced() { null() } else { c"mimalloc".as_ptr() } }
    fn PyObject_GetArenaAllocator(out: *mut ArenaAllocator) -> void { *out = ARENA }
    fn PyObject_SetArenaAllocator(a: *const ArenaAllocator) -> void { ARENA = *a }
    /// A guess, for debugging: does the memory look freed?
    fn _PyObject_IsFreed(o: *const usize) -> [c_int] {
        let freed = |w: usize| w == 0 || [0xdd, 0xfd, 0xcd].iter().any(|b| w == usize::from_ne_bytes([*b; 8]));
        (freed(o as usize) || freed(*o.add(1))) as c_int
    }
}
