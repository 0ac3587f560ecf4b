//! `sys.settrace` and `sys.setprofile`: calling trace functions, the line tracer, and the mask that sends every instruction here.
//!
//! `use_tracing` in the thread's cframe says what is on. With a trace or a profile function the fast tier finds its handlers in tables
//! that call `before_instruction` where an event may be due (`fast/traced.rs`); while the JIT records (and for what the fast tier leaves before
//! it has made the events) the evaluation loop turns the instruction into `TRACED`.

use crate::frame::{self, Frame};
use crate::frameobject::FrameObj;
use crate::prelude::*;
use core::ffi::c_int;
use lh_runtime::thread::RECORDING;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

pub const CALL: c_int = 0;
pub const EXCEPTION: c_int = 1;
pub const LINE: c_int = 2;
pub const RETURN: c_int = 3;
pub const C_CALL: c_int = 4;
pub const C_EXCEPTION: c_int = 5;
pub const C_RETURN: c_int = 6;
pub const OPCODE: c_int = 7;

/// Sets the mask of the current cframe from what is switched on.
pub unsafe fn update_mask(ts: *mut PyThreadState) {
    // SAFETY: the thread's own state.
    unsafe {
        (*(*ts).cframe).use_tracing =
            if crate::jit::recording() { RECORDING } else { lh_runtime::thread::tracing_mask(ts) };
    }
}

/// The opcode to run in place of `op` while tracing: quick forms of calls hide events.
#[inline]
pub fn plain(op: u8) -> u8 {
    quick::BASE[op as usize]
}

unsafe fn call_hook(
    ts: *mut PyThreadState,
    func: Py_tracefunc,
    obj: *mut PyObject,
    f: *mut Frame,
    what: c_int,
    arg: &Object,
) -> PyResult<()> {
    // SAFETY: the hook's signature; the frame object is kept alive during the call.
    unsafe {
        if (*ts).tracing != 0 || what != CALL && is_unwatched(func, f) {
            return Ok(());
        }
        let fo = FrameObj::of(f);
        let old_what = std::mem::replace(&mut (*ts).tracing_what, what);
        (*ts).tracing += 1;
        update_mask(ts);
        let s = fo.as_struct();
        (*s).f_lineno = line(f);
        xincref(obj);
        let res = func(obj, fo.raw(), what, arg.as_ptr());
        xdecref(obj);
        (*s).f_lineno = 0;
        (*ts).tracing -= 1;
        (*ts).tracing_what = old_what;
        update_mask(ts);
        if res == 0 { Ok(()) } else { Err(Raised::already_set()) }
    }
}

/// Has the frame no trace function of its own, where that is what would be called?
#[inline]
unsafe fn is_unwatched(func: Py_tracefunc, f: *mut Frame) -> bool {
    // SAFETY: a live frame, which owns its object.
    unsafe {
        let fo = (*f).frame_obj;
        func as usize == trace_trampoline as *const () as usize && (fo.is_null() || (*fo).f_trace.is_null())
    }
}
/// The frame's line for its frame object; 0: none.
unsafe fn line(f: *mut Frame) -> c_int {
    // SAFETY: a live frame; the array has an entry for each unit.
    unsafe {
        let unit = frame::last_unit(f);
        let code = frame::code_ref(f);
        if unit < 0 { code.firstlineno() } else { (*code.line_array().offset(unit)).max(0) }
    }
}

/// Keeps a pending exception over the call; a failing hook replaces it.
unsafe fn protected(
    ts: *mut PyThreadState,
    func: Py_tracefunc,
    obj: *mut PyObject,
    f: *mut Frame,
    what: c_int,
    arg: &Object,
) -> PyResult<()> {
    // SAFETY: as `call_hook`.
    unsafe {
        let saved = fetch();
        let res = call_hook(ts, func, obj, f, what, arg);
        if res.is_ok() {
            restore(saved.0, saved.1, saved.2);
        }
        res
    }
}

/// An exception event: the pending exception is shown to the trace function.
#[cold]
pub unsafe fn exception(ts: *mut PyThreadState, f: *mut Frame) {
    // SAFETY: the thread's own state.
    unsafe {
        let Some(func) = (*ts).c_tracefunc else { return };
        if (*ts).tracing != 0 || frame::is_incomplete(f) {
            return;
        }
        let e = lh_runtime::errors::take_raised();
        let tb = e.traceback().unwrap_or_else(none);
        let arg = Tuple::from_vec(vec![(*e).ty().own().into_object(), e.as_object().own(), tb]);
        if call_hook(ts, func, (*ts).c_traceobj, f, EXCEPTION, &arg).is_ok() {
            let _ = lh_runtime::errors::raise_exc(e);
        }
    }
}

/// Call events of a generator that goes on with an exception; a failing hook replaces it.
#[cold]
pub unsafe fn throwing_in(ts: *mut PyThreadState, f: *mut Frame) {
    // SAFETY: the thread's own state; the frame's stack is in memory.
    unsafe {
        if (*ts).tracing != 0 {
            return;
        }
        if let Some(func) = (*ts).c_tracefunc {
            let _ = protected(ts, func, (*ts).c_traceobj, f, CALL, none_ref());
        }
        if let Some(func) = (*ts).c_profilefunc {
            let _ = protected(ts, func, (*ts).c_profileobj, f, CALL, none_ref());
        }
    }
}

/// Return events of a frame that an exception leaves.
#[cold]
pub unsafe fn unwind_return(ts: *mut PyThreadState, f: *mut Frame) {
    // SAFETY: the thread's own state.
    unsafe {
        if frame::is_incomplete(f) {
            return;
        }
        if let Some(func) = (*ts).c_tracefunc {
            let _ = protected(ts, func, (*ts).c_traceobj, f, RETURN, none_ref());
        }
        if let Some(func) = (*ts).c_profilefunc {
            let _ = protected(ts, func, (*ts).c_profileobj, f, RETURN, none_ref());
        }
    }
}

/// Return events (also for `yield`).
#[cold]
pub unsafe fn returning(ts: *mut PyThreadState, f: *mut Frame, v: *mut PyObject) -> PyResult<()> {
    // SAFETY: the thread's own state.
    unsafe {
        if frame::is_incomplete(f) {
            return Ok(());
        }
        if let Some(func) = (*ts).c_tracefunc {
            call_hook(ts, func, (*ts).c_traceobj, f, RETURN, r(v))?;
        }
        if let Some(func) = (*ts).c_profilefunc {
            call_hook(ts, func, (*ts).c_profileobj, f, RETURN, r(v))?;
        }
        Ok(())
    }
}

/// Before the instruction at `pc`: call, line and opcode events, or recording. May move the frame's `prev_instr` (a debugger's
/// jump), which then is the instruction to run.
#[cold]
pub unsafe fn before_instruction(ts: *mut PyThreadState, f: *mut Frame, pc: *mut u16) -> PyResult<()> {
    // SAFETY: a running frame whose `stacktop` is set.
    unsafe {
        (*f).prev_instr = pc;
        if crate::jit::recording() {
            crate::jit::record(ts, f, pc);
        }
        if (*ts).tracing != 0 || ((*ts).c_tracefunc.is_none() && (*ts).c_profilefunc.is_none()) {
            return Ok(());
        }
        let code = frame::code_ref(f);
        let unit = frame::last_unit(f);
        let (opcode, _) = code.unit_at(unit as usize);
        let entry = (*(*f).code)._co_firsttraceable as isize;
        if unit < entry {
            // Making a generator or cells comes before the call event: nothing there is seen.
            return Ok(());
        }
        if opcode == op::RESUME {
            if let Some(func) = (*ts).c_tracefunc {
                code.line_array();
                set_last(f, -1);
                protected(ts, func, (*ts).c_traceobj, f, CALL, none_ref())?;
            }
            if let Some(func) = (*ts).c_profilefunc {
                protected(ts, func, (*ts).c_profileobj, f, CALL, none_ref())?;
            }
            // What comes next compares with this: the first line of a function is an event, the rest of a `yield`'s line isn't.
            set_last(f, unit);
            return Ok(());
        }
        if let Some(func) = (*ts).c_tracefunc {
            if is_unwatched(func, f) {
                set_last(f, unit);
                return Ok(());
            }
            let fo = FrameObj::of(f);
            let lines = code.line_array();
            let line = *lines.offset(unit);
            let mut before = last(f);
            if before < 0 {
                // Tracing began in the middle of this frame: what lies in front of the instruction ran last.
                before = unit - 1;
            }
            let last_line = if before <= entry { -1 } else { *lines.offset(before) };
            let s = fo.as_struct();
            if line != -1 && (*s).f_trace_lines != 0 {
                // (The jump back of a `yield from` goes to its SEND.)
                let backwards = unit < before && opcode != op::SEND && before > entry;
                if line != last_line || backwards {
                    call_hook(ts, func, (*ts).c_traceobj, f, LINE, none_ref())?;
                }
            }
            if (*s).f_trace_opcodes != 0 {
                call_hook(ts, func, (*ts).c_traceobj, f, OPCODE, none_ref())?;
            }
            set_last(f, frame::last_unit(f));
            if (*s).f_trace_opcodes != 0 {
                look_at_all(f);
            }
        }
        Ok(())
    }
}

/// Every further instruction of the frame goes through `before_instruction`.
pub unsafe fn look_at_all(f: *mut Frame) {
    // SAFETY: a live frame.
    unsafe {
        let unit = last(f);
        (*f).traced = ELSEWHERE;
        remember(f, unit);
    }
}

// The unit executed before, in a traced frame: in the frame itself, but for code of more units than fit there and for frames whose every
// instruction is an event, which have a small table.
pub const ELSEWHERE: u16 = u16::MAX;
thread_local! {
    static LAST: std::cell::RefCell<Vec<(usize, isize)>> = const { std::cell::RefCell::new(Vec::new()) };
}
unsafe fn last(f: *mut Frame) -> isize {
    // SAFETY: a live frame.
    match unsafe { (*f).traced } {
        ELSEWHERE => LAST.with_borrow(|v| v.iter().rev().find(|e| e.0 == f as usize).map_or(-1, |e| e.1)),
        n => n as isize - 1,
    }
}
unsafe fn set_last(f: *mut Frame, unit: isize) {
    // SAFETY: a live frame.
    unsafe {
        if unit + 1 < ELSEWHERE as isize {
            (*f).traced = (unit + 1) as u16;
            return;
        }
        (*f).traced = ELSEWHERE;
    }
    remember(f, unit)
}
fn remember(f: *mut Frame, unit: isize) {
    LAST.with_borrow_mut(|v| {
        v.retain(|e| e.0 != f as usize);
        if v.len() > 64 {
            v.remove(0);
        }
        v.push((f as usize, unit))
    })
}

// ---- Calls of built-in functions, for profilers ----

/// Calls `callee`, with c_call, c_return and c_exception events if it is a built-in function.
#[cold]
pub unsafe fn call_native(
    ts: *mut PyThreadState,
    f: *mut Frame,
    callee: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the vectorcall protocol.
    unsafe {
        let n = nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET;
        let first = if n > 0 { Some(r(*args)) } else { None };
        let event_arg = profiled_function(r(callee), first);
        with_events(ts, f, event_arg, || crate::ops::vectorcall(callee, args, nargsf, kwnames))
    }
}
#[cold]
pub unsafe fn call_native_ex(
    ts: *mut PyThreadState,
    f: *mut Frame,
    callee: *mut PyObject,
    args: &Tuple,
    kwargs: Option<&Dict>,
) -> *mut PyObject {
    // SAFETY: a running frame and a live callable.
    unsafe {
        let first = if args.len() > 0 { Some(args.item_ref(0)) } else { None };
        let event_arg = profiled_function(r(callee), first);
        with_events(ts, f, event_arg, || raw(r(callee).call_tuple(args, kwargs)))
    }
}
/// The built-in function that events name: method descriptors are shown bound.
fn profiled_function(callee: &Object, first: Option<&Object>) -> Option<Owned<Object>> {
    if callee.is_instance_of::<CFunction>() {
        return Some(callee.own());
    }
    if callee.is_exact::<MethodDescr>()
        && let Some(s) = first
    {
        // SAFETY: the slot of a method descriptor.
        let bound = unsafe {
            (*callee.ob_type()).tp_descr_get.map(|g| g(callee.as_ptr(), s.as_ptr(), s.ob_type().cast()))
        };
        // SAFETY: a new reference or null.
        return match bound.and_then(|b| unsafe { Owned::from_raw_opt(b) }) {
            Some(b) => Some(b),
            None => {
                clear();
                None
            }
        };
    }
    None
}
unsafe fn with_events(
    ts: *mut PyThreadState,
    f: *mut Frame,
    event_arg: Option<Owned<Object>>,
    call: impl FnOnce() -> *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the thread's own state.
    unsafe {
        let (Some(func), Some(arg)) = ((*ts).c_profilefunc, event_arg) else { return call() };
        if call_hook(ts, func, (*ts).c_profileobj, f, C_CALL, &arg).is_err() {
            return null_mut();
        }
        let res = call();
        let Some(func) = (*ts).c_profilefunc else { return res };
        if res.is_null() {
            let _ = protected(ts, func, (*ts).c_profileobj, f, C_EXCEPTION, &arg);
        } else if call_hook(ts, func, (*ts).c_profileobj, f, C_RETURN, &arg).is_err() {
            decref(res);
            return null_mut();
        }
        res
    }
}

// ---- sys.settrace and sys.setprofile ----

unsafe fn call_python(
    callback: *mut PyObject,
    fo: *mut PyObject,
    what: c_int,
    arg: *mut PyObject,
) -> PyResult {
    // SAFETY: the frame object's frame is live.
    unsafe {
        let fo = r(fo).downcast_unchecked::<FrameObj>();
        // Without a dictionary of the variables nobody can have changed one, or could see an old value.
        if !(*fo.frame()).locals.is_null() {
            frame::fast_to_locals(fo.frame())?;
        }
        let arg = Object::from_ptr_opt(arg).unwrap_or(none_ref());
        let res = r(callback).own().call(&[fo, event_name(what), arg]);
        if !(*fo.frame()).locals.is_null() {
            frame::locals_to_fast(fo.frame(), true);
        }
        if res.is_err() {
            crate::traceback::here(Thread::current_ptr(), fo.frame());
        }
        res
    }
}

/// The name of an event.
fn event_name(what: c_int) -> &'static Str {
    match what {
        CALL => intern!("call"),
        EXCEPTION => intern!("exception"),
        LINE => intern!("line"),
        RETURN => intern!("return"),
        C_CALL => intern!("c_call"),
        C_EXCEPTION => intern!("c_exception"),
        C_RETURN => intern!("c_return"),
        _ => intern!("opcode"),
    }
}

unsafe extern "C" fn trace_trampoline(
    self_: *mut PyObject,
    fo: *mut PyObject,
    what: c_int,
    arg: *mut PyObject,
) -> c_int {
    // SAFETY: installed by `set_trace` with a callable.
    unsafe {
        let s = fo.cast::<PyFrameObject>();
        let callback = if what == CALL { self_ } else { (*s).f_trace };
        if callback.is_null() {
            return 0;
        }
        match call_python(callback, fo, what, arg) {
            Ok(v) => {
                if !v.is_none() {
                    xdecref(std::mem::replace(&mut (*s).f_trace, v.into_raw()));
                }
                0
            }
            Err(Raised { .. }) => {
                let saved = fetch();
                let _ = set_trace(None);
                xdecref(std::mem::replace(&mut (*s).f_trace, null_mut()));
                restore(saved.0, saved.1, saved.2);
                -1
            }
        }
    }
}
unsafe extern "C" fn profile_trampoline(
    self_: *mut PyObject,
    fo: *mut PyObject,
    what: c_int,
    arg: *mut PyObject,
) -> c_int {
    // SAFETY: installed by `set_profile` with a callable.
    unsafe {
        match call_python(self_, fo, what, arg) {
            Ok(_) => 0,
            Err(Raised { .. }) => {
                let saved = fetch();
                let _ = set_profile(None);
                restore(saved.0, saved.1, saved.2);
                -1
            }
        }
    }
}

/// Puts a function and its object into two fields of the thread's state. Letting go of the old object may run code: that must
/// not install another one meanwhile (`busy`).
unsafe fn install(
    what: &str,
    busy: &AtomicBool,
    func: Option<Py_tracefunc>,
    obj: Option<&Object>,
    fields: impl Fn(*mut PyThreadState) -> (*mut Option<Py_tracefunc>, *mut *mut PyObject),
) -> PyResult<()> {
    if busy.swap(true, Ordering::Relaxed) {
        busy.store(false, Ordering::Relaxed);
        return raise!(
            RuntimeError,
            "Cannot install a {0} function while another {0} function is being installed",
            what
        );
    }
    // SAFETY: the current thread's own state.
    unsafe {
        let ts = Thread::current_ptr();
        let (f, o) = fields(ts);
        let old = std::mem::replace(&mut *o, null_mut());
        *f = None;
        update_mask(ts);
        xdecref(old);
        *o = obj.map_or(null_mut(), |o| o.own().into_raw());
        *f = func;
        update_mask(ts);
    }
    busy.store(false, Ordering::Relaxed);
    Ok(())
}
/// `PyEval_SetTrace`.
pub unsafe fn set_trace_func(func: Option<Py_tracefunc>, obj: Option<&Object>) -> PyResult<()> {
    static BUSY: AtomicBool = AtomicBool::new(false);
    lh_runtime::sysobject::audit("sys.settrace", &[])?;
    // SAFETY: the current thread's own state.
    unsafe {
        install("trace", &BUSY, func, obj, |ts| (&raw mut (*ts).c_tracefunc, &raw mut (*ts).c_traceobj))
    }
}
/// `PyEval_SetProfile`.
pub unsafe fn set_profile_func(func: Option<Py_tracefunc>, obj: Option<&Object>) -> PyResult<()> {
    static BUSY: AtomicBool = AtomicBool::new(false);
    lh_runtime::sysobject::audit("sys.setprofile", &[])?;
    // SAFETY: the current thread's own state.
    unsafe {
        install("profile", &BUSY, func, obj, |ts| (&raw mut (*ts).c_profilefunc, &raw mut (*ts).c_profileobj))
    }
}
pub fn set_trace(f: Option<&Object>) -> PyResult<()> {
    // SAFETY: the trampoline takes a Python callable.
    unsafe { set_trace_func(f.map(|_| trace_trampoline as Py_tracefunc), f) }
}
pub fn set_profile(f: Option<&Object>) -> PyResult<()> {
    // SAFETY: as above.
    unsafe { set_profile_func(f.map(|_| profile_trampoline as Py_tracefunc), f) }
}
