//! Memory: one allocator (mimalloc) for objects, raw blocks and the data stacks of threads.

use crate::tracemalloc;
use core::ffi::c_void;
use libmimalloc_sys as mi;

/// Small blocks are multiples of this long, whatever was asked for.
const STEP: usize = 16;
/// What is asked of the allocator for `n` bytes.
#[inline(always)]
fn rounded(n: usize) -> usize {
    // Never zero, and no overflow: nobody asks for more than half of what there is.
    (n + STEP - (n != 0) as usize) & !(STEP - 1)
}

/// `PyObject_Malloc`/`PyMem_Malloc`: null when there is no memory. A size of 0 gives a block.
#[inline]
pub fn malloc(n: usize) -> *mut c_void {
    if n > isize::MAX as usize || tracemalloc::is_tracing() {
        core::hint::cold_path();
        return malloc_seen(n);
    }
    // SAFETY: any size is accepted.
    unsafe { mi::mi_malloc(rounded(n)) }
}
#[cold]
#[inline(never)]
fn malloc_seen(n: usize) -> *mut c_void {
    if n > isize::MAX as usize {
        return core::ptr::null_mut();
    }
    // SAFETY: any size is accepted.
    let p = unsafe { mi::mi_malloc(rounded(n)) };
    tracemalloc::made(p, n);
    p
}
/// mimalloc's own zeroing is slow to start (`rep stos`); blocks up to this size are zeroed here.
pub const SMALL: usize = 512;
/// Sixteen bytes at any address.
#[cfg(target_arch = "x86_64")]
#[repr(C, packed)]
struct Wide(core::arch::x86_64::__m128i);
/// Zeroes a small block.
///
/// # Safety
/// `p` has room for `size` bytes, rounded up to 16.
#[inline(always)]
pub unsafe fn zero(p: *mut c_void, size: usize) {
    #[cfg(target_arch = "x86_64")]
    for i in 0..size.div_ceil(STEP) {
        // Volatile: it would become a call of memset, which takes longer than these few words.
        // SAFETY: the caller's promise.
        unsafe { p.cast::<Wide>().add(i).write_volatile(Wide(core::arch::x86_64::_mm_setzero_si128())) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: the caller's promise.
    unsafe {
        p.cast::<u8>().write_bytes(0, size.next_multiple_of(STEP))
    }
}
pub fn calloc(n: usize, size: usize) -> *mut c_void {
    if n == 1 && size <= SMALL {
        let p = malloc(size);
        if !p.is_null() {
            // SAFETY: just made.
            unsafe { zero(p, size) }
        }
        return p;
    }
    // SAFETY: any sizes are accepted; overflow gives null.
    let p = unsafe { mi::mi_calloc(n.max(1), size.max(1)) };
    if tracemalloc::is_tracing() {
        tracemalloc::made(p, n.saturating_mul(size));
    }
    p
}
/// # Safety
/// `p` is null or from this allocator.
#[inline]
pub unsafe fn realloc(p: *mut c_void, n: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe {
        if n > isize::MAX as usize || tracemalloc::is_tracing() {
            core::hint::cold_path();
            return realloc_seen(p, n);
        }
        mi::mi_realloc(p, rounded(n))
    }
}
#[cold]
#[inline(never)]
unsafe fn realloc_seen(p: *mut c_void, n: usize) -> *mut c_void {
    if n > isize::MAX as usize {
        return core::ptr::null_mut();
    }
    // SAFETY: the caller's promise.
    let new = unsafe { mi::mi_realloc(p, rounded(n)) };
    tracemalloc::moved(p, new, n);
    new
}
/// # Safety
/// `p` is null or from this allocator, and not used again.
#[inline]
pub unsafe fn free(p: *mut c_void) {
    if tracemalloc::frees_watched() && !let_go(p) {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe { mi::mi_free(p) }
}
/// Tells who watches; is the block to be freed?
#[cold]
#[inline(never)]
fn let_go(p: *mut c_void) -> bool {
    if tracemalloc::is_tracing() {
        tracemalloc::freed(p);
    }
    !crate::quarantine::kept(p)
}

// ---- Spare blocks ----

/// Blocks of dead objects, kept for the next ones: a list for every size, in steps. The one freed last is used first, while it is still in
/// the processor's cache (the allocator goes round its pages).
struct Spare {
    heads: [*mut c_void; SPARE_SIZES],
    room: [u16; SPARE_SIZES],
}
const SPARE_SIZES: usize = 26;
/// How many spare blocks of each size are kept.
const SPARE_ROOM: u16 = 400;
static mut SPARE: Spare =
    Spare { heads: [core::ptr::null_mut(); SPARE_SIZES], room: [SPARE_ROOM; SPARE_SIZES] };

/// A block of `n` bytes for an object; null: no memory.
///
/// # Safety
/// The GIL is held.
#[inline(always)]
pub unsafe fn take(n: usize) -> *mut c_void {
    let class = n.div_ceil(STEP);
    // SAFETY: the GIL is held; a block in a list belongs to nobody else, its first word is the next one.
    unsafe {
        if class < SPARE_SIZES {
            let p = SPARE.heads[class];
            if !p.is_null() {
                SPARE.heads[class] = *p.cast::<*mut c_void>();
                SPARE.room[class] += 1;
                return p;
            }
        }
    }
    // As large as its class: so any block can go into its class's list.
    fresh(n)
}
#[inline(never)]
fn fresh(n: usize) -> *mut c_void {
    malloc(if n.div_ceil(STEP) < SPARE_SIZES { n.next_multiple_of(STEP) } else { n })
}
/// Gives back the block of a dead object of `n` bytes.
///
/// # Safety
/// The GIL is held; `p` is from this allocator, asked for at least `n` bytes, and not used again.
#[inline(always)]
pub unsafe fn put(p: *mut c_void, n: usize) {
    let class = n.div_ceil(STEP);
    // SAFETY: as above; the caller's object is gone.
    unsafe {
        if class < SPARE_SIZES && SPARE.room[class] > 0 {
            SPARE.room[class] -= 1;
            *p.cast::<*mut c_void>() = SPARE.heads[class];
            SPARE.heads[class] = p;
        } else {
            surplus(p)
        }
    }
}
/// As `put`, where there is no list or no room in it.
///
/// # Safety
/// As `put`.
#[inline(never)]
unsafe fn surplus(p: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { free(p) }
}
/// Keeps blocks of dead objects for reuse, or gives all back and keeps none (so that each block is the allocator's).
pub fn keep_spare(on: bool) {
    // SAFETY: the GIL is held; a block in a list belongs to nobody else.
    unsafe {
        for i in 0..SPARE_SIZES {
            let mut p = std::mem::replace(&mut SPARE.heads[i], core::ptr::null_mut());
            while !p.is_null() {
                let next = *p.cast::<*mut c_void>();
                free(p);
                p = next;
            }
            SPARE.room[i] = if on { SPARE_ROOM } else { 0 };
        }
    }
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

// Numbers of mimalloc's options, in the order of its header.
const ARENA_RESERVE: mi::mi_option_t = 23;
const ALLOW_THP: mi::mi_option_t = 43;

/// Chooses how the heap begins; to be called first of all. The first piece of memory is small and in small pages, because most programs
/// never need more, and huge pages are slow to clear and mostly unused.
pub fn configure() {
    const FIRST_KIB: core::ffi::c_long = 64 << 10;
    // SAFETY: the calls take any values; the options may be set when the first call has returned.
    unsafe {
        mi::mi_process_init();
        mi::mi_option_set(ARENA_RESERVE, FIRST_KIB);
        mi::mi_option_set(ALLOW_THP, 0);
    }
}
/// Takes the first piece; what comes later is taken in huge pages where the system has them.
pub fn configured() {
    // SAFETY: the block is freed where it was made; the option takes any value.
    unsafe {
        // Nothing may have been allocated yet, and with huge pages allowed the first piece would be in them.
        mi::mi_free(mi::mi_malloc(1));
        mi::mi_option_set(ALLOW_THP, 1)
    }
}

/// The same allocator for what Rust code allocates: an executable makes it its `#[global_allocator]`.
pub struct Global;

// SAFETY: mimalloc keeps the promises of an allocator for any size and alignment.
unsafe impl core::alloc::GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, l: core::alloc::Layout) -> *mut u8 {
        // SAFETY: any size; small alignments come for free.
        unsafe {
            if l.align() <= 8 {
                mi::mi_malloc(l.size()).cast()
            } else {
                mi::mi_malloc_aligned(l.size(), l.align()).cast()
            }
        }
    }
    #[inline]
    unsafe fn alloc_zeroed(&self, l: core::alloc::Layout) -> *mut u8 {
        // SAFETY: as above; a block has at least the size that was asked for.
        unsafe {
            if l.align() <= 8 && l.size() <= SMALL {
                let p = mi::mi_malloc(rounded(l.size()));
                if !p.is_null() {
                    zero(p, l.size());
                }
                p.cast()
            } else if l.align() <= 8 {
                mi::mi_zalloc(l.size()).cast()
            } else {
                mi::mi_zalloc_aligned(l.size(), l.align()).cast()
            }
        }
    }
    #[inline]
    unsafe fn dealloc(&self, p: *mut u8, _l: core::alloc::Layout) {
        // SAFETY: the block is this allocator's.
        unsafe { mi::mi_free(p.cast()) }
    }
    #[inline]
    unsafe fn realloc(&self, p: *mut u8, l: core::alloc::Layout, n: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            if l.align() <= 8 {
                mi::mi_realloc(p.cast(), n).cast()
            } else {
                mi::mi_realloc_aligned(p.cast(), n, l.align()).cast()
            }
        }
    }
}
