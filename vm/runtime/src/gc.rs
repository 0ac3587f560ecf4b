//! The cycle collector: three generations over doubly linked lists of `PyGC_Head`.
//!
//! A head's two words: `next` (0: not tracked) and `prev`, whose low two bits are flags (finalised, being collected). While a
//! generation is examined, `prev` holds `gc_refs << 2`: the count minus the references from inside the generation.
//! What ends at zero and is not reached from an object that doesn't, is garbage. Order of work on garbage, as CPython's users
//! know it: weak references cleared and their callbacks called, finalisers run, what they resurrected kept, the rest cleared.
//!
//! Allocation only counts; the collection itself runs at the evaluation loop's next safe point (`BREAK_GC`).

use crate::errors::*;
use crate::interpreter::Own;
use crate::kinds::*;
use crate::object::*;
use crate::thread;
use core::ffi::{c_int, c_void};
use lh_abi::*;
use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::sync::atomic::Ordering;

/// Flags of `gc.set_debug`.
const DEBUG_STATS: i32 = 1;
const DEBUG_COLLECTABLE: i32 = 2;
const DEBUG_UNCOLLECTABLE: i32 = 4;
const DEBUG_SAVEALL: i32 = 32;

const FINALIZED: usize = 1;
const COLLECTING: usize = 2;
const FLAGS: usize = 3;
const UNREACHABLE: usize = 1;

struct State {
    heads: [PyGC_Head; 3],
    permanent: PyGC_Head,
    counts: [isize; 3],
    thresholds: [isize; 3],
    enabled: bool,
    collecting: bool,
    long_lived_total: isize,
    long_lived_pending: isize,
    stats: [[usize; 3]; 3],
    debug: i32,
}
struct Shared(UnsafeCell<State>);
// SAFETY: only touched while the GIL is held.
unsafe impl Sync for Shared {}
static STATE: Shared = Shared(UnsafeCell::new(State {
    heads: [PyGC_Head { _gc_next: 0, _gc_prev: 0 }; 3],
    permanent: PyGC_Head { _gc_next: 0, _gc_prev: 0 },
    counts: [0; 3],
    thresholds: [700, 10, 10],
    enabled: false,
    collecting: false,
    long_lived_total: 0,
    long_lived_pending: 0,
    stats: [[0; 3]; 3],
    debug: 0,
}));

#[inline(always)]
fn state() -> *mut State {
    STATE.0.get()
}

/// Is a collection running?
pub fn is_collecting() -> bool {
    // SAFETY: one byte, read as it is now.
    unsafe { (&raw const (*state()).collecting).read_volatile() }
}

type Head = *mut PyGC_Head;

#[inline]
fn head_of(o: *mut PyObject) -> Head {
    o.cast::<PyGC_Head>().wrapping_sub(1)
}
#[inline]
fn object_of(h: Head) -> *mut PyObject {
    h.wrapping_add(1).cast()
}
#[inline]
unsafe fn next(h: Head) -> Head {
    // SAFETY: h is a live head.
    unsafe { (*h)._gc_next as Head }
}
#[inline]
unsafe fn prev(h: Head) -> Head {
    // SAFETY: h is a live head.
    unsafe { ((*h)._gc_prev & !FLAGS) as Head }
}
#[inline]
unsafe fn set_prev(h: Head, p: Head) {
    // SAFETY: h is a live head.
    unsafe { (*h)._gc_prev = (p as usize) | ((*h)._gc_prev & FLAGS) }
}
unsafe fn list_init(h: Head) {
    // SAFETY: h is a live head.
    unsafe {
        (*h)._gc_next = h as usize;
        (*h)._gc_prev = h as usize;
    }
}
unsafe fn list_is_empty(h: Head) -> bool {
    // SAFETY: h is a live list head.
    unsafe { next(h) == h }
}
#[inline]
unsafe fn list_append(node: Head, list: Head) {
    // SAFETY: both are live heads.
    unsafe {
        let last = prev(list);
        set_prev(node, last);
        (*last)._gc_next = node as usize;
        (*node)._gc_next = list as usize;
        set_prev(list, node);
    }
}
#[inline]
unsafe fn list_remove(node: Head) {
    // SAFETY: node is in a list.
    unsafe {
        let (p, n) = (prev(node), next(node));
        (*p)._gc_next = n as usize;
        set_prev(n, p);
        (*node)._gc_next = 0;
        (*node)._gc_prev &= FINALIZED;
    }
}
/// Moves all of `from` to the end of `to`.
unsafe fn list_merge(from: Head, to: Head) {
    // SAFETY: both are list heads.
    unsafe {
        if !list_is_empty(from) {
            let (first, last) = (next(from), prev(from));
            let to_last = prev(to);
            (*to_last)._gc_next = first as usize;
            set_prev(first, to_last);
            (*last)._gc_next = to as usize;
            set_prev(to, last);
        }
        list_init(from);
    }
}

/// Must run before the first collectable object is made.
pub fn init() {
    // SAFETY: start-up, GIL held.
    unsafe {
        let s = state();
        for i in 0..3 {
            list_init(&raw mut (*s).heads[i]);
        }
        list_init(&raw mut (*s).permanent);
        (*s).enabled = true;
    }
}

/// Does the object have a GC head (`PyObject_IS_GC`)?
///
/// # Safety
/// `o` is a live object.
#[inline]
pub unsafe fn is_gc_object(o: *mut PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let t = (*o).ob_type;
        (*t).tp_flags & Py_TPFLAGS_HAVE_GC != 0 && (*t).tp_is_gc.is_none_or(|f| f(o) != 0)
    }
}

/// Starts tracking (a no-op if tracked).
///
/// # Safety
/// `o` has a GC head and its fields are valid.
#[inline]
pub unsafe fn track(o: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe {
        let h = head_of(o);
        if (*h)._gc_next == 0 {
            list_append(h, &raw mut (*state()).heads[0]);
        }
    }
}

/// Stops tracking (a no-op if not tracked).
///
/// # Safety
/// `o` has a GC head.
#[inline]
pub unsafe fn untrack(o: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe {
        let h = head_of(o);
        if (*h)._gc_next != 0 {
            list_remove(h);
        }
    }
}

/// # Safety
/// `o` has a GC head.
#[inline]
pub unsafe fn is_tracked(o: *mut PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*head_of(o))._gc_next != 0 }
}
/// # Safety
/// `o` has a GC head.
pub unsafe fn is_finalized(o: *mut PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*head_of(o))._gc_prev & FINALIZED != 0 }
}
/// # Safety
/// `o` has a GC head.
pub unsafe fn set_finalized(o: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe { (*head_of(o))._gc_prev |= FINALIZED }
}

/// Where the block of an object begins.
///
/// # Safety
/// A live object.
pub unsafe fn block_of(o: *mut PyObject) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        let t = (*o).ob_type;
        if (*t).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0 {
            crate::instance::block_start(o) as usize
        } else if (*t).tp_flags & Py_TPFLAGS_HAVE_GC != 0 {
            head_of(o) as usize
        } else {
            o as usize
        }
    }
}

/// A block for a head and `body` bytes; null: no memory.
#[inline(always)]
unsafe fn take_block(body: usize) -> *mut c_void {
    // SAFETY: the GIL is held.
    unsafe { crate::alloc::take(16 + body) }
}
/// Gives back a block for a head and `body` bytes.
#[inline(always)]
unsafe fn put_block(p: *mut c_void, body: usize) {
    // SAFETY: as above; the caller's object is gone.
    unsafe { crate::alloc::put(p, 16 + body) }
}
/// Zeroes the first `n` bytes of a block from `take_block`.
#[inline(always)]
unsafe fn clear_block(block: *mut u64, n: usize) {
    // SAFETY: small blocks are multiples of 16 bytes long; the caller's promise.
    unsafe {
        if n <= crate::alloc::SMALL {
            crate::alloc::zero(block.cast(), n)
        } else {
            block.write_bytes(0, n / 8)
        }
    }
}
/// Do objects of the type lie in blocks of one size, known from the type alone?
#[inline(always)]
pub(crate) unsafe fn one_size(tp: *mut PyTypeObject) -> bool {
    // SAFETY: a ready type.
    unsafe { (*tp).tp_itemsize == 0 && (*tp).tp_flags & (Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_MANAGED_DICT) == 0 }
}

/// Zeroed memory for a collectable object of `basicsize + n * itemsize` bytes behind its GC head; count 1, type set (and its count
/// raised if it is a heap type), not tracked. Null: no memory.
///
/// # Safety
/// `tp` is a ready type with `Py_TPFLAGS_HAVE_GC`.
pub unsafe fn new_object(tp: *mut PyTypeObject, n: isize) -> *mut PyObject {
    // SAFETY: the caller's promise; the block is laid out as `instance.rs` draws it.
    unsafe {
        if one_size(tp) {
            return new_of_one_size(tp);
        }
        let body = object_size(tp, n);
        let managed = (*tp).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0;
        let cap = if managed { crate::instance::capacity_for(tp) } else { 0 };
        let front = if managed { crate::instance::front_size(cap) } else { 0 };
        let block = if (*tp).tp_itemsize == 0 {
            let block = take_block(front + body).cast::<u64>();
            if !block.is_null() {
                clear_block(block, front + 16 + body);
            }
            block.cast::<u8>()
        } else {
            crate::alloc::calloc(1, (front + 16 + body).next_multiple_of(16)).cast::<u8>()
        };
        if block.is_null() {
            return null_mut();
        }
        let o = block.add(front + 16).cast::<PyObject>();
        if managed {
            *block.cast::<usize>() = cap;
            *o.cast::<*mut u8>().offset(-4) = block;
        }
        init_object(o, tp, n);
        count_object();
        o
    }
}

/// `new_object` of a type for which `one_size` holds.
///
/// # Safety
/// As `new_object`.
#[inline(always)]
pub(crate) unsafe fn new_of_one_size(tp: *mut PyTypeObject) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        let body = object_size(tp, 0);
        let block = take_block(body).cast::<u64>();
        if block.is_null() {
            return null_mut();
        }
        clear_block(block, 16 + body);
        let o = block.add(2).cast::<PyObject>();
        (*o).ob_refcnt = 1;
        (*o).ob_type = tp;
        count_object();
        o
    }
}

/// Counts a new object, and asks for a collection when there are enough.
#[inline(always)]
unsafe fn count_object() {
    // SAFETY: GIL held.
    unsafe {
        let s = state();
        (*s).counts[0] += 1;
        if (*s).counts[0] > (*s).thresholds[0] && (*s).enabled && (*s).thresholds[0] != 0 && !(*s).collecting
        {
            thread::EVAL_BREAKER.fetch_or(thread::BREAK_GC, Ordering::Relaxed);
        }
    }
}

/// As `new_object` for an exact instance of a built-in type: only the head is written, the other `body` bytes are the caller's to fill.
///
/// # Safety
/// `tp` is a static type with `Py_TPFLAGS_HAVE_GC`, `body` the size of its instance.
#[inline]
pub unsafe fn new_builtin(tp: *mut PyTypeObject, body: usize) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        let block = take_block(body).cast::<PyGC_Head>();
        if block.is_null() {
            return null_mut();
        }
        (*block)._gc_next = 0;
        (*block)._gc_prev = 0;
        let o = block.add(1).cast::<PyObject>();
        (*o).ob_refcnt = 1;
        (*o).ob_type = tp;
        count_object();
        o
    }
}

/// Bytes of an instance's body.
///
/// # Safety
/// `tp` is a ready type.
#[inline]
pub unsafe fn object_size(tp: *mut PyTypeObject, n: isize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { ((*tp).tp_basicsize as usize + n as usize * (*tp).tp_itemsize as usize).next_multiple_of(8) }
}

/// Writes the head of a new object.
///
/// # Safety
/// `o` is memory for an instance of `tp`.
pub unsafe fn init_object(o: *mut PyObject, tp: *mut PyTypeObject, n: isize) {
    // SAFETY: the caller's promise.
    unsafe {
        (*o).ob_refcnt = 1;
        (*o).ob_type = tp;
        if (*tp).tp_itemsize != 0 {
            (*o.cast::<PyVarObject>()).ob_size = n;
        }
        if (*tp).tp_flags & Py_TPFLAGS_HEAPTYPE != 0 {
            incref(tp.cast());
        }
    }
}

/// Frees memory got from `new_object` (`PyObject_GC_Del`).
///
/// # Safety
/// `o` is from `new_object` and not used again.
pub unsafe fn free_object(o: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe {
        untrack(o);
        let s = state();
        if (*s).counts[0] > 0 {
            (*s).counts[0] -= 1;
        }
        let tp = (*o).ob_type;
        if one_size(tp) {
            return put_block(head_of(o).cast(), object_size(tp, 0));
        }
        let managed = (*tp).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0;
        let start = if managed { crate::instance::block_start(o) } else { head_of(o).cast() };
        if (*tp).tp_itemsize == 0 {
            let front = if managed { crate::instance::front_size(crate::instance::capacity(o)) } else { 0 };
            put_block(start, front + object_size(tp, 0))
        } else {
            crate::alloc::free(start);
        }
    }
}

/// As `free_object` for an exact instance of a built-in type whose size is `body`.
///
/// # Safety
/// As `free_object`; the object was made for at least that size.
#[inline]
pub unsafe fn free_builtin(o: *mut PyObject, body: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        untrack(o);
        free_untracked(o, body)
    }
}
/// As `free_builtin`, for an object that is not tracked (any more).
///
/// # Safety
/// As `free_builtin`.
#[inline]
pub unsafe fn free_untracked(o: *mut PyObject, body: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let s = state();
        if (*s).counts[0] > 0 {
            (*s).counts[0] -= 1;
        }
        put_block(head_of(o).cast(), body)
    }
}

/// Resizes a GC var-object that is not tracked. Null: no memory (the old object is intact).
///
/// # Safety
/// `o` is an untracked object from `new_object` without managed attributes and with a count of 1.
pub unsafe fn resize_object(o: *mut PyObject, n: isize) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        let size = (16 + object_size((*o).ob_type, n)).next_multiple_of(16);
        let block = crate::alloc::realloc(head_of(o).cast(), size);
        if block.is_null() {
            return null_mut();
        }
        let o = block.cast::<u8>().add(16).cast::<PyObject>();
        (*o.cast::<PyVarObject>()).ob_size = n;
        o
    }
}

// ---- Collecting ----

unsafe extern "C" fn visit_decref(o: *mut PyObject, _: *mut c_void) -> c_int {
    // SAFETY: traverse functions hand over live objects.
    unsafe {
        if is_gc_object(o) {
            let h = head_of(o);
            if (*h)._gc_prev & COLLECTING != 0 {
                (*h)._gc_prev = (*h)._gc_prev.wrapping_sub(4);
            }
        }
    }
    0
}

unsafe extern "C" fn visit_reachable(o: *mut PyObject, reachable: *mut c_void) -> c_int {
    // SAFETY: traverse functions hand over live objects; `reachable` is the young list.
    unsafe {
        if !is_gc_object(o) {
            return 0;
        }
        let h = head_of(o);
        if (*h)._gc_prev & COLLECTING == 0 {
            return 0;
        }
        let refs = (*h)._gc_prev >> 2;
        if (*h)._gc_next & UNREACHABLE != 0 {
            // Was moved to the unreachable list too early: back to the end of the list being walked.
            let p = prev(h);
            let n = ((*h)._gc_next & !UNREACHABLE) as Head;
            (*p)._gc_next = n as usize | UNREACHABLE;
            set_prev_plain(n, p);
            let list = reachable as Head;
            let last = prev(list);
            (*last)._gc_next = h as usize;
            (*h)._gc_next = list as usize;
            (*h)._gc_prev = (1 << 2) | ((*h)._gc_prev & FLAGS);
            set_prev(list, h);
        } else if refs == 0 {
            (*h)._gc_prev = (1 << 2) | ((*h)._gc_prev & FLAGS);
        }
    }
    0
}
/// Sets `prev` of a node of the unreachable list.
unsafe fn set_prev_plain(h: Head, p: Head) {
    // SAFETY: h is a live head.
    unsafe { (*h)._gc_prev = p as usize | ((*h)._gc_prev & FLAGS) }
}

unsafe fn traverse(o: *mut PyObject, f: visitproc, arg: *mut c_void) {
    // SAFETY: o is a live collectable object.
    unsafe {
        if let Some(t) = (*(*o).ob_type).tp_traverse {
            t(o, f, arg);
        }
    }
}

/// Splits `base` into what is reachable from outside (stays; the answer is how many) and the rest (`unreachable`).
unsafe fn deduce_unreachable(base: Head, unreachable: Head) -> isize {
    // SAFETY: base is a list of live objects; unreachable is an unused head.
    unsafe {
        let mut h = next(base);
        while h != base {
            (*h)._gc_prev =
                ((*object_of(h)).ob_refcnt as usize) << 2 | COLLECTING | ((*h)._gc_prev & FINALIZED);
            h = next(h);
        }
        h = next(base);
        while h != base {
            traverse(object_of(h), visit_decref, null_mut());
            h = next(h);
        }
        list_init(unreachable);
        (*unreachable)._gc_next = unreachable as usize | UNREACHABLE;
        // `prev` pointers of the walked list are rebuilt on the way; those ahead still hold counts.
        let (mut before, mut stay) = (base, 0);
        h = next(base);
        while h != base {
            if (*h)._gc_prev >> 2 != 0 {
                // Reachable from outside; so is everything it refers to.
                traverse(object_of(h), visit_reachable, base.cast());
                set_prev_plain(h, before);
                (*h)._gc_prev &= !COLLECTING;
                before = h;
                stay += 1;
            } else {
                // Perhaps garbage.
                (*before)._gc_next = (*h)._gc_next;
                let last = prev(unreachable);
                (*last)._gc_next = h as usize | UNREACHABLE;
                set_prev_plain(h, last);
                (*h)._gc_next = unreachable as usize | UNREACHABLE;
                set_prev_plain(unreachable, h);
            }
            h = next(before);
        }
        set_prev(base, before);
        // Plain links from here on.
        (*unreachable)._gc_next &= !UNREACHABLE;
        h = next(unreachable);
        while h != unreachable {
            (*h)._gc_next &= !UNREACHABLE;
            h = next(h);
        }
        stay
    }
}

unsafe fn clear_collecting(list: Head) {
    // SAFETY: list is a list of live objects.
    unsafe {
        let mut h = next(list);
        while h != list {
            (*h)._gc_prev &= !COLLECTING;
            h = next(h);
        }
    }
}

unsafe fn list_len(list: Head) -> usize {
    // SAFETY: a live list.
    unsafe {
        let (mut n, mut h) = (0, next(list));
        while h != list {
            n += 1;
            h = next(h);
        }
        n
    }
}

/// Owned references to all objects of a list.
unsafe fn snapshot(list: Head) -> Vec<Owned<Object>> {
    // SAFETY: a list of live objects.
    unsafe {
        let mut v = vec![];
        let mut h = next(list);
        while h != list {
            v.push(Object::from_ptr(object_of(h)).own());
            h = next(h);
        }
        v
    }
}

/// Collects `generation` and the younger ones; the number of unreachable objects found.
pub fn collect(generation: usize) -> usize {
    let saved = fetch();
    let n = collect_and_tell(generation, true);
    let (t, v, tb) = saved;
    restore(t, v, tb);
    n
}
/// As `collect`, for `gc.collect()`: nothing is being raised there. An exception that is set was left behind, and is reported.
pub fn collect_for_program(generation: usize) -> usize {
    collect_and_tell(generation, true)
}
/// Collects everything at the end, when what `gc.callbacks` may need is gone: they are not told.
pub fn collect_last() {
    let saved = fetch();
    collect_and_tell(2, false);
    let (t, v, tb) = saved;
    restore(t, v, tb);
}
fn collect_and_tell(generation: usize, tell: bool) -> usize {
    // SAFETY: GIL held; `collecting` keeps this from re-entering.
    unsafe {
        let s = state();
        if (*s).collecting {
            return 0;
        }
        (*s).collecting = true;
        if tell {
            call_callbacks("start", generation, 0, 0);
        }
        let started = std::time::Instant::now();
        if (*s).debug & DEBUG_STATS != 0 {
            let n: Vec<String> = (0..3).map(|g| list_len(&raw mut (*s).heads[g]).to_string()).collect();
            crate::sysobject::write_stderr(&format!(
                "gc: collecting generation {generation}...\ngc: objects in each generation: {}\n\
                 gc: objects in permanent generation: {}\n",
                n.join(" "),
                list_len(&raw mut (*s).permanent)
            ));
        }
        let (n, kept) = collect_main(generation);
        if occurred() {
            write_unraisable(None, Some("Exception ignored in garbage collection"));
        }
        if (*s).debug & DEBUG_STATS != 0 {
            crate::sysobject::write_stderr(&format!(
                "gc: done, {} unreachable, {kept} uncollectable, {:.4}s elapsed\n",
                n + kept,
                started.elapsed().as_secs_f64()
            ));
        }
        crate::intobject::trim_free();
        crate::floatobject::trim_free();
        if tell {
            call_callbacks("stop", generation, n, kept);
        }
        (*s).collecting = false;
        n + kept
    }
}

fn call_callbacks(phase: &str, generation: usize, collected: usize, uncollectable: usize) {
    let Some(list) = CALLBACKS.get() else { return };
    if list.len() == 0 {
        return;
    }
    let info = Dict::new();
    for (k, v) in [("generation", generation), ("collected", collected), ("uncollectable", uncollectable)] {
        if let Err(e) = info.set_str(k, &Int::from_usize(v)) {
            e.clear();
        }
    }
    for cb in list.to_vec() {
        if let Err(Raised { .. }) = cb.call(&[&Str::new(phase), &info]) {
            write_unraisable(Some(&cb), None);
        }
    }
}

static CALLBACKS: Own<Owned<List>> = Own::new();
static GARBAGE: Own<Owned<List>> = Own::new();
/// The list `gc.callbacks`.
pub fn callbacks() -> &'static List {
    CALLBACKS.get_or_init(List::new)
}
/// The list `gc.garbage`.
pub fn garbage() -> &'static List {
    GARBAGE.get_or_init(List::new)
}

/// How many objects were unreachable and cleared, and how many unreachable but kept.
unsafe fn collect_main(generation: usize) -> (usize, usize) {
    // SAFETY: GIL held, not re-entered; every list handled holds live objects.
    unsafe {
        let s = state();
        if generation + 1 < 3 {
            (*s).counts[generation + 1] += 1;
        }
        for c in (&mut (*s).counts)[..=generation].iter_mut() {
            *c = 0;
        }
        let young = &raw mut (*s).heads[generation];
        for i in 0..generation {
            list_merge(&raw mut (*s).heads[i], young);
        }
        let old = if generation < 2 { &raw mut (*s).heads[generation + 1] } else { young };
        let mut unreachable = PyGC_Head { _gc_next: 0, _gc_prev: 0 };
        let un = &raw mut unreachable;
        let stay = deduce_unreachable(young, un);
        if young != old {
            if generation == 1 {
                (*s).long_lived_pending += stay;
            }
            list_merge(young, old);
        } else {
            (*s).long_lived_pending = 0;
            (*s).long_lived_total = stay;
        }
        (*s).stats[generation][0] += 1;
        if generation == 2 {
            untrack_atomic(young);
        }
        if list_is_empty(un) {
            return (0, 0);
        }
        // Old-style finalisers (tp_del) make their objects, and all that these reach, uncollectable.
        let mut legacy = PyGC_Head { _gc_next: 0, _gc_prev: 0 };
        let lg = &raw mut legacy;
        list_init(lg);
        let mut h = next(un);
        while h != un {
            let after = next(h);
            if (*(*object_of(h)).ob_type).tp_del.is_some() {
                list_remove(h);
                list_append(h, lg);
            }
            h = after;
        }
        let mut uncollectable = 0;
        if !list_is_empty(lg) {
            h = next(lg);
            while h != lg {
                traverse(object_of(h), visit_move_legacy, lg.cast());
                uncollectable += 1;
                h = next(h);
            }
            for o in snapshot(lg) {
                if (*s).debug & DEBUG_UNCOLLECTABLE != 0 {
                    say_found("uncollectable", &o);
                }
                if (*s).debug & DEBUG_SAVEALL != 0 || (*o.ob_type()).tp_del.is_some() {
                    garbage().push(o);
                }
            }
            list_merge(lg, old);
        }
        (*s).stats[generation][2] += uncollectable;
        if list_is_empty(un) {
            return (0, uncollectable);
        }
        let objects = snapshot(un);
        if (*s).debug & DEBUG_COLLECTABLE != 0 {
            for o in &objects {
                say_found("collectable", o);
            }
        }
        crate::weakref::clear_for_gc(&collect_ptrs(un), |o| (*head_of(o))._gc_prev & COLLECTING != 0);
        // Finalisers; objects stay alive through the snapshot while they run.
        for o in &objects {
            let p = o.ptr();
            if !is_finalized(p)
                && let Some(f) = (*(*p).ob_type).tp_finalize
            {
                set_finalized(p);
                f(p);
            }
        }
        drop(objects);
        // Which are still unreachable now?
        clear_collecting(un);
        let mut still = PyGC_Head { _gc_next: 0, _gc_prev: 0 };
        deduce_unreachable(un, &raw mut still);
        let st = &raw mut still;
        list_merge(un, old);
        clear_collecting(st);
        if (*s).debug & DEBUG_SAVEALL != 0 {
            for o in snapshot(st) {
                garbage().push(o);
            }
        }
        let doomed = snapshot(st);
        let collected = doomed.len();
        // Whatever survives its clearing lives on in the old generation.
        list_merge(st, old);
        if (*s).debug & DEBUG_SAVEALL == 0 {
            for o in doomed {
                let p = o.ptr();
                if (*p).ob_refcnt > 1
                    && let Some(f) = (*(*p).ob_type).tp_clear
                {
                    f(p);
                    if occurred() {
                        write_unraisable(Some(o.ty()), Some("Exception ignored in tp_clear of"));
                    }
                }
                drop(o);
            }
        }
        (*s).stats[generation][1] += collected;
        (collected, uncollectable)
    }
}

fn say_found(kind: &str, o: &Object) {
    crate::sysobject::write_stderr(&format!("gc: {kind} <{} {:p}>\n", o.ty().name(), o.as_ptr()));
}

/// Says at the end that there are objects that could not be collected.
pub fn tell_of_garbage() {
    // SAFETY: GIL held.
    let debug = unsafe { (*state()).debug };
    if debug & DEBUG_SAVEALL != 0 || garbage().len() == 0 {
        return;
    }
    let list = debug & DEBUG_UNCOLLECTABLE != 0;
    let text = format!(
        "gc: {} uncollectable objects at shutdown{}",
        garbage().len(),
        if list { "" } else { "; use gc.set_debug(gc.DEBUG_UNCOLLECTABLE) to list them" }
    );
    if crate::warnings::warn_explicit(crate::prelude::exc::ResourceWarning(), &text, "gc", 0, Some("gc"))
        .is_err()
    {
        write_unraisable(None, None);
    }
    if list {
        match garbage().repr() {
            Ok(r) => crate::sysobject::write_stderr(&format!("      {}\n", r.to_str_lossy())),
            Err(_) => write_unraisable(Some(garbage()), None),
        }
    }
}

/// Moves what an uncollectable object refers to behind it.
unsafe extern "C" fn visit_move_legacy(o: *mut PyObject, list: *mut c_void) -> c_int {
    // SAFETY: traverse functions hand over live objects; only objects being collected carry the flag.
    unsafe {
        if is_gc_object(o) && (*head_of(o))._gc_prev & COLLECTING != 0 {
            list_remove(head_of(o));
            list_append(head_of(o), list as Head);
        }
    }
    0
}
/// Stops tracking tuples and dicts that can't be part of a cycle, having only such content.
unsafe fn untrack_atomic(list: Head) {
    // SAFETY: a list of live objects; nothing here runs Python code.
    unsafe {
        let mut h = next(list);
        while h != list {
            let after = next(h);
            let o = Object::from_ptr(object_of(h));
            let atomic = if let Some(t) = o.downcast_exact::<Tuple>() {
                t.as_slice_raw().iter().all(|p| !p.is_null() && !may_be_tracked(*p))
            } else if let Some(d) = o.downcast_exact::<Dict>() {
                d.is_atomic()
            } else {
                false
            };
            if atomic {
                list_remove(h);
            }
            h = after;
        }
    }
}
/// Is the object tracked, or could it be later on? (A tuple that isn't never will be.)
///
/// # Safety
/// `o` is a live object.
#[inline(always)]
pub unsafe fn may_be_tracked(o: *mut PyObject) -> bool {
    // SAFETY: the caller's promise; a tuple has a GC head.
    unsafe { is_gc_object(o) && ((*o).ob_type != Tuple::type_ptr() || (*head_of(o))._gc_next != 0) }
}

unsafe fn collect_ptrs(list: Head) -> Vec<*mut PyObject> {
    // SAFETY: a list of live objects.
    unsafe {
        let mut v = vec![];
        let mut h = next(list);
        while h != list {
            v.push(object_of(h));
            h = next(h);
        }
        v
    }
}

/// Runs the collection that allocation asked for (the evaluation loop saw `BREAK_GC`).
pub fn run_if_due() {
    thread::EVAL_BREAKER.fetch_and(!thread::BREAK_GC, Ordering::Relaxed);
    // SAFETY: GIL held.
    unsafe {
        let s = state();
        if !(*s).enabled || (*s).collecting {
            return;
        }
        for g in (0..3).rev() {
            if (*s).counts[g] > (*s).thresholds[g] {
                // A full collection waits until enough new long-lived objects have come up.
                if g == 2 && (*s).long_lived_pending < (*s).long_lived_total / 4 {
                    continue;
                }
                collect(g);
                return;
            }
        }
    }
}

// ---- The gc module's view ----

pub fn enable(on: bool) {
    // SAFETY: GIL held.
    unsafe { (*state()).enabled = on }
}
pub fn is_enabled() -> bool {
    // SAFETY: GIL held.
    unsafe { (*state()).enabled }
}
pub fn thresholds() -> [isize; 3] {
    // SAFETY: GIL held.
    unsafe { (*state()).thresholds }
}
pub fn set_thresholds(t: [isize; 3]) {
    // SAFETY: GIL held.
    unsafe { (*state()).thresholds = t }
}
pub fn counts() -> [isize; 3] {
    // SAFETY: GIL held.
    unsafe { (*state()).counts }
}
/// Per generation: collections, collected, uncollectable.
pub fn stats() -> [[usize; 3]; 3] {
    // SAFETY: GIL held.
    unsafe { (*state()).stats }
}
pub fn debug_flags() -> i32 {
    // SAFETY: GIL held.
    unsafe { (*state()).debug }
}
pub fn set_debug_flags(f: i32) {
    // SAFETY: GIL held.
    unsafe { (*state()).debug = f }
}
/// All tracked objects (of one generation).
pub fn objects(generation: Option<usize>) -> Vec<Owned<Object>> {
    // SAFETY: GIL held.
    unsafe {
        let s = state();
        (0..3)
            .filter(|g| generation.is_none_or(|x| x == *g))
            .flat_map(|g| snapshot(&raw mut (*s).heads[g]))
            .collect()
    }
}
/// `gc.freeze()`.
pub fn freeze() {
    // SAFETY: GIL held.
    unsafe {
        let s = state();
        for g in 0..3 {
            list_merge(&raw mut (*s).heads[g], &raw mut (*s).permanent);
            (*s).counts[g] = 0;
        }
    }
}
/// `gc.unfreeze()`.
pub fn unfreeze() {
    // SAFETY: GIL held.
    unsafe {
        let s = state();
        list_merge(&raw mut (*s).permanent, &raw mut (*s).heads[2]);
    }
}
pub fn freeze_count() -> usize {
    // SAFETY: GIL held.
    unsafe { list_len(&raw mut (*state()).permanent) }
}

unsafe extern "C" fn visit_collect(o: *mut PyObject, arg: *mut c_void) -> c_int {
    // SAFETY: arg is the vector handed to `referents`.
    unsafe { (*arg.cast::<Vec<Owned<Object>>>()).push(Object::from_ptr(o).own()) };
    0
}
/// What the object refers to, as its `tp_traverse` says.
pub fn referents(o: &Object) -> Vec<Owned<Object>> {
    let mut v: Vec<Owned<Object>> = vec![];
    // SAFETY: the object is live; the vector outlives the traversal.
    unsafe {
        if is_gc_object(o.as_ptr()) {
            traverse(o.as_ptr(), visit_collect, (&raw mut v).cast());
        }
    }
    v
}
