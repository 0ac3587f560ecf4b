//! Interpreter frames: the records of running Python code on the thread's data stack.
//!
//! ```text
//!   data stack chunk:  … [header 72 bytes][fast locals, cells, free variables][value stack] [next frame's header] …
//!                         Frame            localsplus                          sp →
//! ```
//!
//! A frame lives in one of three places, told by `owner`: on the data stack (`THREAD`), inside a generator object
//! (`GENERATOR`), or, after its code has returned, inside the frame object that somebody still holds (`FRAME_OBJECT`).
//!
//! Invariants: `stacktop` is the number of live entries of localsplus while the frame does not run and -1 while it does (the
//! evaluation loop has the stack pointer then); `prev_instr` is the instruction being executed, or the last code unit before
//! the one to continue with. `globals` and `builtins` are borrowed from the function.

use crate::prelude::*;
use std::ptr::null_mut;

pub const OWNED_BY_THREAD: u8 = 0;
pub const OWNED_BY_GENERATOR: u8 = 1;
pub const OWNED_BY_FRAME_OBJECT: u8 = 2;

/// The native function that runs this frame returns when the frame does.
pub const ENTRY: u8 = 1;
/// The frame runs an `__init__`: its caller, on whose stack the new object lies, gets no value.
pub const INIT: u8 = 2;
/// The JIT waits for the end of this frame to go on recording its caller.
pub const WATCHED: u8 = 4;
/// The frame runs a special method for its caller's instruction, whose operands lie on the caller's stack: the value goes to
/// `operators.rs`, which finishes that instruction. The bits from `HOW` on say what the method's value is to become.
pub const OPERATOR: u8 = 8;
pub const HOW: u32 = 4;

/// The fixed part of a frame; `localsplus` follows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Frame {
    /// Owned.
    pub func: *mut PyFunctionObject,
    pub globals: *mut PyObject,
    pub builtins: *mut PyObject,
    /// Owned; null for functions whose locals nobody asked for.
    pub locals: *mut PyObject,
    /// Owned.
    pub code: *mut PyCodeObject,
    /// Owned; null until somebody asks.
    pub frame_obj: *mut PyFrameObject,
    pub previous: *mut Frame,
    pub prev_instr: *mut u16,
    pub stacktop: i32,
    /// What happens when the frame returns: a set of `ENTRY`, `INIT`, `WATCHED`, `OPERATOR`.
    pub flags: u8,
    pub owner: u8,
    /// For a frame being traced: one more than the unit that ran last (see `trace.rs`); 0: none.
    pub traced: u16,
}

/// Header size in words.
pub const FRAME_WORDS: usize = size_of::<Frame>() / 8;
const _: () = assert!(size_of::<Frame>() == 72);

#[inline(always)]
pub unsafe fn localsplus(f: *mut Frame) -> *mut *mut PyObject {
    // SAFETY: localsplus follows the header.
    unsafe { f.add(1).cast() }
}
#[inline(always)]
pub unsafe fn first_instr(code: *mut PyCodeObject) -> *mut u16 {
    // SAFETY: the instructions lie at the end of the code object.
    unsafe { (&raw mut (*code).co_code_adaptive).cast() }
}
#[inline(always)]
pub unsafe fn frame_words(code: *mut PyCodeObject) -> usize {
    // SAFETY: a live code object.
    unsafe { ((*code).co_nlocalsplus + (*code).co_stacksize) as usize + FRAME_WORDS }
}
/// Start of the value stack.
#[inline(always)]
pub unsafe fn stack_base(f: *mut Frame) -> *mut *mut PyObject {
    // SAFETY: a live frame.
    unsafe { localsplus(f).add((*(*f).code).co_nlocalsplus as usize) }
}
/// Index of `prev_instr` in code units (-1 before the first instruction).
#[inline]
pub unsafe fn last_unit(f: *mut Frame) -> isize {
    // SAFETY: both pointers are into (or one before) the same code.
    unsafe { (*f).prev_instr.offset_from(first_instr((*f).code)) }
}
/// Has the frame not got as far as its first traceable instruction?
#[inline]
pub unsafe fn is_incomplete(f: *mut Frame) -> bool {
    // SAFETY: a live frame.
    unsafe { (*f).owner != OWNED_BY_GENERATOR && last_unit(f) < (*(*f).code)._co_firsttraceable as isize }
}
/// The frame the thread is running; incomplete ones are skipped.
#[inline]
pub unsafe fn current(ts: *mut PyThreadState) -> *mut Frame {
    // SAFETY: cframe is always valid.
    unsafe { complete((*(*ts).cframe).current_frame.cast()) }
}
/// `f` or its first caller that Python code may see.
#[inline]
pub unsafe fn complete(mut f: *mut Frame) -> *mut Frame {
    // SAFETY: the chain of frames ends in null.
    unsafe {
        while !f.is_null() && is_incomplete(f) {
            f = (*f).previous;
        }
        f
    }
}
/// How many variables of running functions hold this object. (The collector sees those of generators.)
pub fn in_variables(o: *mut PyObject) -> isize {
    let mut n = 0;
    lh_runtime::thread::for_each(|ts| {
        // SAFETY: the GIL is held, so no thread's frames change.
        unsafe {
            let cframe = (*ts).cframe;
            let mut f = if cframe.is_null() { null_mut() } else { complete((*cframe).current_frame.cast()) };
            while !f.is_null() {
                if (*f).owner == OWNED_BY_THREAD {
                    let count = (*(*f).code).co_nlocalsplus as usize;
                    n += (0..count).filter(|i| *localsplus(f).add(*i) == o).count() as isize;
                }
                f = complete((*f).previous);
            }
        }
    });
    n
}
/// The line being executed; `None` for artificial instructions.
pub unsafe fn line(f: *mut Frame) -> Option<i32> {
    // SAFETY: a live frame's code object.
    unsafe { code_ref(f).line_at(last_unit(f)) }
}
pub unsafe fn code_ref<'a>(f: *mut Frame) -> &'a Code {
    // SAFETY: a frame owns its code.
    unsafe { Object::from_ptr((*f).code.cast()).downcast_unchecked() }
}

// ---- The data stack ----

const CHUNK_SIZE: usize = 16 * 1024;
/// A chunk that is kept: a recursion that goes up and down at a chunk's end would ask for one again and again.
static mut SPARE_CHUNK: *mut _PyStackChunk = null_mut();

/// Room for `words` words on the data stack; null (with `MemoryError` set) when there is no memory.
#[inline(always)]
pub unsafe fn push_words(ts: *mut PyThreadState, words: usize) -> *mut *mut PyObject {
    // SAFETY: top and limit delimit the free part of the current chunk (both null: no chunk).
    unsafe {
        let top = (*ts).datastack_top;
        if !top.is_null() && ((*ts).datastack_limit as usize) - (top as usize) > words * 8 {
            (*ts).datastack_top = top.add(words);
            return top;
        }
        push_chunk(ts, words)
    }
}

#[cold]
#[inline(never)]
unsafe fn push_chunk(ts: *mut PyThreadState, words: usize) -> *mut *mut PyObject {
    // SAFETY: a fresh chunk is linked in front of the current one, whose top is saved as an index.
    unsafe {
        let mut size = CHUNK_SIZE;
        while size < (words + 1000) * 8 {
            size *= 2;
        }
        // The GIL is held: nobody else looks at the spare one.
        let spare =
            if size == CHUNK_SIZE { std::ptr::replace(&raw mut SPARE_CHUNK, null_mut()) } else { null_mut() };
        let new = if spare.is_null() {
            lh_runtime::alloc::arena_alloc(size).cast::<_PyStackChunk>()
        } else {
            spare
        };
        if new.is_null() {
            let _ = raised!(MemoryError, "out of memory for a frame");
            return null_mut();
        }
        let prev = (*ts).datastack_chunk;
        if !prev.is_null() {
            (*prev).top = (*ts).datastack_top.offset_from((&raw mut (*prev).data).cast()) as usize;
        }
        (*new).previous = prev;
        (*new).size = size;
        (*new).top = 0;
        (*ts).datastack_chunk = new;
        (*ts).datastack_limit = new.cast::<u8>().add(size).cast();
        // The first chunk is never given back: its first word stays unused.
        let base = (&raw mut (*new).data).cast::<*mut PyObject>().add(prev.is_null() as usize);
        (*ts).datastack_top = base.add(words);
        base
    }
}

/// Gives back the data stack from `base` on.
#[inline(always)]
pub unsafe fn pop_words(ts: *mut PyThreadState, base: *mut *mut PyObject) {
    // SAFETY: `base` was answered by `push_words` and everything above it is gone.
    unsafe {
        if base == (&raw mut (*(*ts).datastack_chunk).data).cast() {
            pop_chunk(ts);
        } else {
            (*ts).datastack_top = base;
        }
    }
}
#[cold]
unsafe fn pop_chunk(ts: *mut PyThreadState) {
    // SAFETY: the chunk is empty; its predecessor becomes current again.
    unsafe {
        let chunk = (*ts).datastack_chunk;
        let prev = (*chunk).previous;
        (*ts).datastack_chunk = prev;
        if (*chunk).size == CHUNK_SIZE && SPARE_CHUNK.is_null() {
            SPARE_CHUNK = chunk;
        } else {
            lh_runtime::alloc::arena_free(chunk.cast(), (*chunk).size);
        }
        (*ts).datastack_top = (&raw mut (*prev).data).cast::<*mut PyObject>().add((*prev).top);
        (*ts).datastack_limit = prev.cast::<u8>().add((*prev).size).cast();
    }
}

// ---- Making and clearing frames ----

/// Fills in a header. Takes over the reference to `func` and (if not null) to `locals`.
#[inline(always)]
pub unsafe fn init(
    f: *mut Frame,
    func: *mut PyFunctionObject,
    locals: *mut PyObject,
    code: *mut PyCodeObject,
) {
    // SAFETY: `f` has room for a header; func is a live function.
    unsafe {
        incref(code.cast());
        (*f).func = func;
        (*f).globals = (*func).func_globals;
        (*f).builtins = (*func).func_builtins;
        (*f).locals = locals;
        (*f).code = code;
        (*f).frame_obj = null_mut();
        (*f).prev_instr = first_instr(code).sub(1);
        (*f).stacktop = (*code).co_nlocalsplus;
        (*f).flags = 0;
        (*f).owner = OWNED_BY_THREAD;
        (*f).traced = 0;
        (*f).previous = null_mut();
    }
}

/// A frame on the data stack with all locals null. Takes over `func` and `locals`. Null if there is no memory.
#[inline(always)]
pub unsafe fn push(ts: *mut PyThreadState, func: *mut PyFunctionObject, locals: *mut PyObject) -> *mut Frame {
    // SAFETY: the caller's promise.
    unsafe {
        let code = (*func).func_code.cast::<PyCodeObject>();
        let f = push_words(ts, frame_words(code)).cast::<Frame>();
        if f.is_null() {
            decref(func.cast());
            xdecref(locals);
            return null_mut();
        }
        init(f, func, locals, code);
        let l = localsplus(f);
        for i in 0..(*code).co_nlocalsplus as usize {
            // Volatile: a loop, not a call of memset.
            l.add(i).write_volatile(null_mut());
        }
        f
    }
}

/// Drops what a frame that has finished owns. If its frame object is still wanted, the frame's contents move there.
#[inline(always)]
pub unsafe fn clear(f: *mut Frame) {
    // SAFETY: the frame has finished; every owned reference is dropped once.
    unsafe {
        if !(*f).frame_obj.is_null() && clear_with_object(f) {
            return;
        }
        let l = localsplus(f);
        for i in 0..(*f).stacktop as usize {
            xdecref(*l.add(i));
        }
        xdecref((*f).locals);
        decref((*f).func.cast());
        decref((*f).code.cast());
    }
}

/// Answers whether the frame object took the frame over.
#[cold]
unsafe fn clear_with_object(f: *mut Frame) -> bool {
    // SAFETY: the frame owns a count of its object.
    unsafe {
        let fo = std::mem::replace(&mut (*f).frame_obj, null_mut());
        if (*fo).ob_base.ob_refcnt > 1 {
            take_ownership(fo, f);
            decref(fo.cast());
            return true;
        }
        decref(fo.cast());
        false
    }
}

/// The place inside a frame object for a frame.
pub unsafe fn inner_frame(fo: *mut PyFrameObject) -> *mut Frame {
    // SAFETY: a frame object ends with room for its frame.
    unsafe { (&raw mut (*fo)._f_frame_data).cast() }
}

unsafe fn take_ownership(fo: *mut PyFrameObject, f: *mut Frame) {
    // SAFETY: the object was made with room for this code's frame.
    unsafe {
        let to = inner_frame(fo);
        copy(f, to);
        (*to).owner = OWNED_BY_FRAME_OBJECT;
        (*fo).f_frame = to.cast();
        if is_incomplete(to) {
            // Somebody saw the frame before its first instruction: it counts as started.
            (*to).prev_instr = first_instr((*to).code).add((*(*to).code)._co_firsttraceable as usize);
        }
        let prev = complete((*f).previous);
        if !prev.is_null() && (*fo).f_back.is_null() {
            let back = object(prev);
            incref(back.cast());
            (*fo).f_back = back;
        }
        (*to).previous = null_mut();
        if !lh_runtime::gc::is_tracked(fo.cast()) {
            lh_runtime::gc::track(fo.cast());
        }
    }
}

/// Copies header and live entries.
pub unsafe fn copy(from: *mut Frame, to: *mut Frame) {
    // SAFETY: both have room for the code's frame.
    unsafe {
        *to = *from;
        std::ptr::copy_nonoverlapping(localsplus(from), localsplus(to), (*from).stacktop as usize);
    }
}

/// The frame object of a frame, made now if need be (borrowed: the frame owns it).
pub unsafe fn object(f: *mut Frame) -> *mut PyFrameObject {
    // SAFETY: a live frame.
    unsafe {
        if (*f).frame_obj.is_null() {
            let code = (*f).code;
            let n = (*code).co_nlocalsplus + (*code).co_stacksize;
            let (t, v, tb) = fetch();
            let o = lh_runtime::gc::new_object(&raw mut lh_runtime::type_table::PyFrame_Type, n as isize);
            assert!(!o.is_null(), "out of memory");
            restore(t, v, tb);
            let fo = o.cast::<PyFrameObject>();
            // The allocator wrote the item count there.
            (*fo).f_back = null_mut();
            (*fo).f_frame = f.cast();
            (*fo).f_trace_lines = 1;
            (*f).frame_obj = fo;
        }
        (*f).frame_obj
    }
}

/// Visits what a frame (not running) holds.
pub unsafe fn traverse(f: *mut Frame, v: &mut Visitor) {
    // SAFETY: the first `stacktop` entries are live.
    unsafe {
        v.visit_ptr((*f).frame_obj.cast());
        v.visit_ptr((*f).locals);
        v.visit_ptr((*f).func.cast());
        v.visit_ptr((*f).code.cast());
        let l = localsplus(f);
        for i in 0..(*f).stacktop.max(0) as usize {
            v.visit_ptr(*l.add(i));
        }
    }
}

// ---- Local variables as a dictionary ----

/// Has the frame executed `MAKE_CELL i`?
unsafe fn cell_is_made(f: *mut Frame, i: usize) -> bool {
    // SAFETY: reads only instructions up to the current one.
    unsafe {
        let (code, last) = (code_ref(f), last_unit(f));
        let mut ext = 0usize;
        for u in 0..=last.max(-1) {
            let (o, a) = code.unit_at(u as usize);
            match o {
                op::EXTENDED_ARG => ext = ext << 8 | a as usize,
                op::MAKE_CELL => {
                    if ext << 8 | a as usize == i {
                        return true;
                    }
                    ext = 0
                }
                op::COPY_FREE_VARS => ext = 0,
                _ => break,
            }
        }
        false
    }
}

/// Copies a frame's variables into its locals dictionary (`f.f_locals`, `locals()`).
pub unsafe fn fast_to_locals(f: *mut Frame) -> PyResult<()> {
    // SAFETY: a live frame; values are owned while they are stored.
    unsafe {
        if (*f).locals.is_null() {
            (*f).locals = Dict::new().into_raw();
        }
        let locals = Object::from_ptr((*f).locals).own();
        let code = code_ref(f).own();
        let kinds = code.localspluskinds();
        let last = last_unit(f);
        if last < 0 && code.len_units() > 0 && code.unit_at(0).0 == op::COPY_FREE_VARS {
            copy_free_vars(f, code.unit_at(0).1 as usize);
            (*f).prev_instr = first_instr((*f).code);
        }
        for (i, name) in code.localsplusnames().iter().enumerate() {
            let kind = kinds[i];
            if kind & FAST_FREE != 0 && code.flags() & CO_OPTIMIZED == 0 {
                continue;
            }
            let raw = *localsplus(f).add(i);
            let mut value = Object::from_ptr_opt(raw).map(|v| v.own());
            if let Some(v) = &value
                && (kind & FAST_FREE != 0 || kind & FAST_CELL != 0 && cell_is_made(f, i))
                && let Some(c) = v.downcast_exact::<CellObject>()
            {
                value = c.get();
            }
            match value {
                Some(v) => locals.set_item_of(name, &v)?,
                None => {
                    if let Err(e) = locals.del_item_of(name) {
                        if !e.matches(exc::KeyError()) {
                            return Err(e);
                        }
                        e.clear();
                    }
                }
            }
        }
        Ok(())
    }
}

/// The reverse of `fast_to_locals`: what a trace function changed becomes true.
pub unsafe fn locals_to_fast(f: *mut Frame, clear: bool) {
    // SAFETY: a live frame; replaced values are dropped after the new ones are in place.
    unsafe {
        if (*f).locals.is_null() || f.is_null() {
            return;
        }
        let locals = Object::from_ptr((*f).locals).own();
        let code = code_ref(f).own();
        let kinds = code.localspluskinds();
        let saved = fetch();
        for (i, name) in code.localsplusnames().iter().enumerate() {
            let kind = kinds[i];
            if kind & FAST_FREE != 0 && code.flags() & CO_OPTIMIZED == 0 {
                continue;
            }
            let value = match locals.get_item(name) {
                Ok(v) => Some(v),
                Err(e) => {
                    e.clear();
                    if !clear {
                        continue;
                    }
                    None
                }
            };
            let place = localsplus(f).add(i);
            let cell = if kind & FAST_FREE != 0 || kind & FAST_CELL != 0 && cell_is_made(f, i) {
                Object::from_ptr_opt(*place).and_then(|c| c.downcast_exact::<CellObject>())
            } else {
                None
            };
            match cell {
                Some(c) => c.own().set(value),
                None => {
                    let old = std::mem::replace(&mut *place, value.map_or(null_mut(), Owned::into_raw));
                    xdecref(old);
                }
            }
        }
        restore(saved.0, saved.1, saved.2);
    }
}

/// COPY_FREE_VARS: the closure's cells become the last `n` entries of localsplus.
pub unsafe fn copy_free_vars(f: *mut Frame, n: usize) {
    // SAFETY: the code object says that the function has `n` free variables.
    unsafe {
        let closure = (*(*f).func).func_closure;
        if closure.is_null() {
            return;
        }
        let t = Object::from_ptr(closure).downcast_unchecked::<Tuple>();
        let offset = (*(*f).code).co_nlocalsplus as usize - n;
        for i in 0..n {
            let c = t.as_slice_raw()[i];
            incref(c);
            *localsplus(f).add(offset + i) = c;
        }
    }
}
