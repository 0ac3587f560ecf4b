//! Generators and coroutines: frames that live in their own object and stop at `yield`.
//!
//! ```text
//!   CREATED ──send(None)──▶ EXECUTING ──yield──▶ SUSPENDED ──send/throw──▶ EXECUTING
//!                               │ return / raise
//!                               ▼
//!                            CLEARED        (COMPLETED: between finishing and clearing)
//! ```
//! Asynchronous generators share the object layout; their protocol objects are in `asyncgen.rs`.

// Setters are named by the attribute: `set_` and Python's name.
#![allow(non_snake_case)]

use crate::frame::{self, Frame};
use crate::prelude::*;
use std::mem::offset_of;
use std::ptr::null_mut;

pub const CREATED: i8 = -2;
pub const SUSPENDED: i8 = -1;
pub const EXECUTING: i8 = 0;
pub const COMPLETED: i8 = 1;
pub const CLEARED: i8 = 4;

lh_runtime::kind!(/** `generator` */ Generator: PyGenObject, lh_runtime::type_table::PyGen_Type);
lh_runtime::kind!(/** `coroutine` */ Coroutine: PyCoroObject, lh_runtime::type_table::PyCoro_Type);
lh_runtime::kind!(/** `async_generator` */ AsyncGenerator: PyAsyncGenObject, lh_runtime::type_table::PyAsyncGen_Type);

pub type Gen = *mut PyGenObject;

const FRAME_OFFSET: usize = offset_of!(PyGenObject, gi_iframe);

#[inline(always)]
pub unsafe fn frame_of(g: Gen) -> *mut Frame {
    // SAFETY: the frame lies at the end of the object.
    unsafe { g.cast::<u8>().add(FRAME_OFFSET).cast() }
}
/// The generator that contains a frame.
#[inline(always)]
pub unsafe fn of_frame(f: *mut Frame) -> Gen {
    // SAFETY: only called for frames owned by generators.
    unsafe { f.cast::<u8>().sub(FRAME_OFFSET).cast() }
}
#[inline]
pub unsafe fn is_exact_gen(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { (*o).ob_type == Generator::type_ptr() }
}
#[inline]
pub unsafe fn is_coro(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { (*o).ob_type == Coroutine::type_ptr() }
}
#[inline]
pub unsafe fn is_async_gen(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { (*o).ob_type == AsyncGenerator::type_ptr() }
}

/// RETURN_GENERATOR: moves the running frame `f` into a new generator. The frame's words on the data stack are free
/// afterwards. Null: raised.
pub unsafe fn make(ts: *mut PyThreadState, f: *mut Frame) -> *mut PyObject {
    // SAFETY: a running frame whose `stacktop` has been set; its references move into the generator.
    unsafe {
        let code = (*f).code;
        let flags = (*code).co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR);
        let tp = match flags {
            CO_COROUTINE => Coroutine::type_ptr(),
            CO_ASYNC_GENERATOR => AsyncGenerator::type_ptr(),
            _ => Generator::type_ptr(),
        };
        let n = (*code).co_nlocalsplus + (*code).co_stacksize;
        let o = lh_runtime::gc::new_builtin(tp, lh_runtime::gc::object_size(tp, n as isize));
        if o.is_null() {
            let _ = raised!(MemoryError, "out of memory for a generator");
            return null_mut();
        }
        let g = o.cast::<PyGenObject>();
        // The frame's part is written below as far as it is used.
        g.cast::<u8>().add(size_of::<PyObject>()).write_bytes(0, FRAME_OFFSET - size_of::<PyObject>());
        let func = (*f).func;
        incref(code.cast());
        (*g).gi_code = code;
        incref((*func).func_name);
        (*g).gi_name = (*func).func_name;
        incref((*func).func_qualname);
        (*g).gi_qualname = (*func).func_qualname;
        let to = frame_of(g);
        frame::copy(f, to);
        (*to).previous = null_mut();
        (*to).owner = frame::OWNED_BY_GENERATOR;
        (*to).flags = 0;
        if !(*to).frame_obj.is_null() {
            (*(*to).frame_obj).f_frame = to.cast();
        }
        (*g).gi_frame_state = CREATED;
        if tp == Coroutine::type_ptr() && (*ts).coroutine_origin_tracking_depth > 0 {
            let origin = origin((*f).previous, (*ts).coroutine_origin_tracking_depth);
            (*g).gi_origin_or_finalizer = origin;
        }
        lh_runtime::gc::track(o);
        o
    }
}

/// `(filename, line, function)` of the callers, for the warning about coroutines never awaited.
unsafe fn origin(mut f: *mut Frame, depth: i32) -> *mut PyObject {
    // SAFETY: the chain of frames.
    unsafe {
        let mut v = vec![];
        f = frame::complete(f);
        while !f.is_null() && v.len() < depth as usize {
            let c = frame::code_ref(f);
            if let Ok(t) = (c.filename(), frame::line(f).unwrap_or(0), c.name()).into_py() {
                v.push(t);
            }
            f = frame::complete((*f).previous);
        }
        Tuple::from_vec(v).into_raw()
    }
}

fn what(o: *mut PyObject) -> &'static str {
    // SAFETY: a live generator-like object.
    unsafe {
        if is_coro(o) {
            "coroutine"
        } else if is_async_gen(o) {
            "async generator"
        } else {
            "generator"
        }
    }
}

/// What `send` came to.
pub enum Sent {
    Yielded(Owned<Object>),
    Returned(Owned<Object>),
}

/// Resumes a generator with a value, or (`throwing`) with the pending exception.
pub unsafe fn send_ex(g: Gen, arg: Option<&Object>, throwing: bool, closing: bool) -> PyResult<Sent> {
    // SAFETY: a live generator-like object that the caller keeps alive.
    unsafe {
        let ts = Thread::current_ptr();
        let o = g.cast::<PyObject>();
        let state = (*g).gi_frame_state;
        if state == CREATED && arg.is_some_and(|a| !a.is_none()) && !throwing {
            return raise!(TypeError, "can't send non-None value to a just-started {}", what(o));
        }
        if state == EXECUTING {
            return raise!(ValueError, "{} already executing", what(o));
        }
        if state >= COMPLETED {
            if is_coro(o) && !closing {
                return raise!(RuntimeError, "cannot reuse already awaited coroutine");
            }
            if throwing {
                return Err(Raised::already_set());
            }
            return Ok(Sent::Returned(none()));
        }
        let f = frame_of(g);
        let value = arg.unwrap_or(none_ref()).own().into_raw();
        *frame::localsplus(f).add((*f).stacktop as usize) = value;
        (*f).stacktop += 1;
        (*g).gi_exc_state.previous_item = (*ts).exc_info;
        (*ts).exc_info = &raw mut (*g).gi_exc_state;
        if throwing {
            chain_context(ts);
        }
        (*g).gi_frame_state = EXECUTING;
        incref(o);
        let result = crate::eval::run(ts, f, throwing);
        // Either way the evaluation loop has left the generator's handler stack.
        debug_assert!((*ts).exc_info != &raw mut (*g).gi_exc_state);
        let suspended = (*g).gi_frame_state == SUSPENDED;
        let g_kept = Owned::<Object>::from_raw(o);
        match Owned::from_raw_opt(result) {
            Some(v) if suspended => Ok(Sent::Yielded(v)),
            Some(v) => Ok(Sent::Returned(v)),
            None => {
                let e = Raised::already_set();
                Err(convert_stop(e, &g_kept))
            }
        }
    }
}

/// A `StopIteration` that leaves a generator becomes `RuntimeError` (PEP 479).
unsafe fn convert_stop(e: Raised, g: &Object) -> Raised {
    let what_ = what(g.as_ptr());
    let name = if e.matches(exc::StopIteration()) {
        "StopIteration"
    // SAFETY: a live object.
    } else if unsafe { is_async_gen(g.as_ptr()) } && e.matches(exc::StopAsyncIteration()) {
        "StopAsyncIteration"
    } else {
        return e;
    };
    let cause = e.take();
    let new = raised!(RuntimeError, "{} raised {}", what_, name).take();
    new.set_cause(Some((*cause).as_object().own()));
    new.set_context(Some(cause.into_object()));
    errors_raise(new)
}

/// As `send_ex` ends with an exception, for who entered the generator's frame itself.
pub unsafe fn convert_pending_stop(g: *mut PyObject) {
    // SAFETY: an exception is set; the generator is alive.
    unsafe {
        let _ = convert_stop(Raised::already_set(), r(g));
    }
}

fn errors_raise(e: Owned<Exception>) -> Raised {
    lh_runtime::errors::raise_exc(e)
}

/// Gives the pending exception the handled one of the innermost handler stack item as its context.
unsafe fn chain_context(ts: *mut PyThreadState) {
    // SAFETY: the thread's own handler stack.
    unsafe {
        let v = (*(*ts).exc_info).exc_value;
        if v.is_null() || r(v).is_none() {
            return;
        }
        let e = lh_runtime::errors::take_raised();
        let _ = lh_runtime::errors::raise_exc_with_context(e);
    }
}

/// `send` without the difference between a missing argument and `None`.
pub fn send(g: &Object, arg: &Object) -> PyResult<Sent> {
    // SAFETY: callers hand generator-like objects.
    unsafe { send_ex(g.as_ptr().cast(), Some(arg), false, false) }
}

/// As methods answer: the yielded value, or `StopIteration`.
unsafe fn method_result(g: Gen, s: PyResult<Sent>) -> PyResult {
    match s? {
        Sent::Yielded(v) => Ok(v),
        // SAFETY: a live object.
        Sent::Returned(v) => unsafe {
            if is_async_gen(g.cast()) {
                return raise!(StopAsyncIteration);
            }
            if v.is_none() {
                return raise!(StopIteration);
            }
            Err(lh_runtime::exceptions::raise_stop_iteration(v))
        },
    }
}

/// What a suspended generator delegates to (`yield from`, `await`).
pub unsafe fn yield_from(g: Gen) -> Option<Owned<Object>> {
    // SAFETY: a suspended generator's frame.
    unsafe {
        if (*g).gi_frame_state >= CLEARED || (*g).gi_frame_state == CREATED {
            return None;
        }
        let f = frame_of(g);
        let unit = frame::last_unit(f);
        if unit < 0 || (*f).stacktop <= (*(*f).code).co_nlocalsplus {
            return None;
        }
        let code = frame::code_ref(f);
        if (unit + 1) as usize >= code.len_units() {
            return None;
        }
        let (o, a) = code.unit_at((unit + 1) as usize);
        if o != op::RESUME || a < 2 {
            return None;
        }
        let top = *frame::localsplus(f).add((*f).stacktop as usize - 1);
        Some(r(top).own())
    }
}

unsafe fn close_delegate(yf: &Object) -> PyResult<()> {
    // SAFETY: a live object.
    unsafe {
        if is_exact_gen(yf.as_ptr()) || is_coro(yf.as_ptr()) {
            close(yf.as_ptr().cast())?;
            return Ok(());
        }
        match yf.get_attr_opt(intern!("close")) {
            Ok(Some(m)) => m.call0().map(drop),
            Ok(None) => Ok(()),
            Err(e) => {
                write_unraisable(Some(yf), None);
                let _ = e;
                Ok(())
            }
        }
    }
}

unsafe fn close_delegate_of(g: Gen, yf: &Object) -> PyResult<()> {
    // SAFETY: the generator counts as running while its delegate is closed.
    unsafe {
        let state = std::mem::replace(&mut (*g).gi_frame_state, EXECUTING);
        let res = close_delegate(yf);
        (*g).gi_frame_state = state;
        res
    }
}

/// `close()`.
pub unsafe fn close(g: Gen) -> PyResult {
    // SAFETY: a live generator-like object.
    unsafe {
        let failed = match yield_from(g) {
            Some(yf) => close_delegate_of(g, &yf).is_err(),
            None => false,
        };
        if !failed {
            let _ = raise_genexit();
        }
        match send_ex(g, Some(none_ref()), true, true) {
            Ok(Sent::Yielded(_)) => raise!(RuntimeError, "{} ignored GeneratorExit", what(g.cast())),
            Ok(Sent::Returned(_)) => Ok(none()),
            Err(e) if e.matches(exc::StopIteration()) || e.matches(exc::GeneratorExit()) => {
                e.clear();
                Ok(none())
            }
            Err(e) => Err(e),
        }
    }
}
fn raise_genexit() -> PyResult<()> {
    raise!(GeneratorExit)
}

/// `throw(type[, value[, traceback]])`.
pub unsafe fn throw(
    g: Gen,
    close_on_genexit: bool,
    typ: &Object,
    val: Option<&Object>,
    tb: Option<&Object>,
) -> PyResult<Sent> {
    // SAFETY: a live generator-like object that the caller keeps alive.
    unsafe {
        if let Some(yf) = yield_from(g) {
            if close_on_genexit && given_matches(typ, exc::GeneratorExit()) {
                match close_delegate_of(g, &yf) {
                    Err(_) => return send_ex(g, Some(none_ref()), true, false),
                    Ok(()) => return throw_here(g, typ, val, tb),
                }
            }
            let result: PyResult<Sent>;
            if is_exact_gen(yf.ptr()) || is_coro(yf.ptr()) {
                // The delegate runs as if called from this generator's frame.
                let ts = Thread::current_ptr();
                let f = frame_of(g);
                let state = std::mem::replace(&mut (*g).gi_frame_state, EXECUTING);
                let prev = (*(*ts).cframe).current_frame;
                (*f).previous = prev.cast();
                (*(*ts).cframe).current_frame = f.cast();
                result = throw(yf.ptr().cast(), close_on_genexit, typ, val, tb);
                (*(*ts).cframe).current_frame = prev;
                (*f).previous = null_mut();
                (*g).gi_frame_state = state;
            } else {
                let meth = match yf.get_attr_opt(intern!("throw"))? {
                    Some(m) => m,
                    None => return throw_here(g, typ, val, tb),
                };
                let state = std::mem::replace(&mut (*g).gi_frame_state, EXECUTING);
                let mut args: Vec<&Object> = vec![typ];
                if let Some(v) = val {
                    args.push(v);
                    if let Some(tb) = tb {
                        args.push(tb);
                    }
                } else if let Some(tb) = tb {
                    args.push(none_ref());
                    args.push(tb);
                }
                result = meth.call(&args).map(Sent::Yielded);
                (*g).gi_frame_state = state;
            }
            let value = match result {
                Ok(Sent::Yielded(v)) => return Ok(Sent::Yielded(v)),
                Ok(Sent::Returned(v)) => Some(v),
                Err(e) if e.matches(exc::StopIteration()) => {
                    lh_runtime::exceptions::take_stop_iteration_value()
                }
                Err(_) => None,
            };
            // The delegate is done: drop it from the stack and continue behind the SEND.
            let f = frame_of(g);
            (*f).stacktop -= 1;
            decref(*frame::localsplus(f).add((*f).stacktop as usize));
            let unit = frame::last_unit(f);
            let (o, jump) = frame::code_ref(f).unit_at((unit - 1) as usize);
            debug_assert!(o == op::SEND);
            (*f).prev_instr = (*f).prev_instr.add(jump as usize).sub(1);
            return match value {
                Some(v) => send_ex(g, Some(&v), false, false),
                None => send_ex(g, Some(none_ref()), true, false),
            };
        }
        throw_here(g, typ, val, tb)
    }
}

unsafe fn throw_here(g: Gen, typ: &Object, val: Option<&Object>, tb: Option<&Object>) -> PyResult<Sent> {
    let tb = tb.filter(|t| !t.is_none());
    if tb.is_some_and(|t| !t.is_instance_of::<crate::traceback::TracebackObj>()) {
        return raise!(TypeError, "throw() third argument must be a traceback object");
    }
    if let Some(t) = typ.downcast::<Type>()
        && t.is_subtype(exc::BaseException())
    {
        let e = lh_runtime::exceptions::normalize(
            typ.own(),
            val.filter(|v| !v.is_none()).map(|v| v.own()),
            tb.map(|t| t.own()),
        );
        let _ = errors_raise(e);
    } else if let Some(e) = typ.downcast::<Exception>() {
        if val.is_some_and(|v| !v.is_none()) {
            return raise!(TypeError, "instance exception may not have a separate value");
        }
        if let Some(t) = tb {
            e.set_traceback(Some(t));
        }
        let _ = errors_raise(e.own());
    } else {
        return raise!(
            TypeError,
            "exceptions must be classes or instances deriving from BaseException, not {}",
            typ.ty().name()
        );
    }
    // SAFETY: the exception is set.
    unsafe { send_ex(g, Some(none_ref()), true, false) }
}

/// The finalizer: closes a suspended generator, warns of a coroutine that was never awaited, asks the event loop to close an
/// asynchronous generator.
pub unsafe fn finalize(o: *mut PyObject) {
    // SAFETY: a live generator-like object, perhaps resurrected for this call.
    unsafe {
        let g = o.cast::<PyGenObject>();
        if (*g).gi_frame_state >= COMPLETED {
            return;
        }
        if is_async_gen(o) {
            let f = (*g).gi_origin_or_finalizer;
            if !f.is_null() && (*g).gi_closed == 0 {
                let saved = fetch();
                let fin = r(f).own();
                if fin.call(&[r(o)]).is_err() {
                    write_unraisable(Some(r(o)), None);
                }
                restore(saved.0, saved.1, saved.2);
                return;
            }
        }
        let saved = fetch();
        let result = if is_coro(o) && (*g).gi_frame_state == CREATED {
            warn_unawaited(r(o));
            Ok(none())
        } else {
            close(g)
        };
        if result.is_err() {
            write_unraisable(Some(r(o)), None);
        }
        restore(saved.0, saved.1, saved.2);
    }
}

fn warn_unawaited(coro: &Object) {
    let via_module = || -> PyResult<bool> {
        let Some(m) = lh_runtime::import::loaded_module("warnings") else { return Ok(false) };
        match m.get_attr_str_opt("_warn_unawaited_coroutine")? {
            Some(f) => f.call1(coro).map(|_| true),
            None => Ok(false),
        }
    };
    let told = match via_module() {
        Ok(told) => told,
        Err(_) => {
            write_unraisable(Some(coro), None);
            false
        }
    };
    if !told {
        let q = coro.get_attr_str("__qualname__").ok().and_then(|q| q.str().ok());
        let name = q.map_or(String::new(), |q| q.to_str_lossy().into_owned());
        let text = format!("coroutine '{name}' was never awaited");
        if lh_runtime::warnings::warn(exc::RuntimeWarning(), &text, 1).is_err() {
            write_unraisable(Some(coro), None);
        }
    }
}

unsafe fn dealloc(o: *mut PyObject) {
    // SAFETY: the deallocator: the finalizer runs first and may resurrect the object.
    unsafe {
        let g = o.cast::<PyGenObject>();
        if !(*g).gi_weakreflist.is_null() {
            lh_runtime::gc::untrack(o);
            lh_runtime::weakref::clear_weakrefs(o);
            lh_runtime::gc::track(o);
        }
        if (*g).gi_frame_state < COMPLETED && lh_runtime::typeobject::finalize_from_dealloc(o) {
            return;
        }
        lh_runtime::gc::untrack(o);
        if (*g).gi_frame_state < CLEARED {
            (*g).gi_frame_state = CLEARED;
            let f = frame_of(g);
            (*f).previous = null_mut();
            frame::clear(f);
        }
        for p in [&raw mut (*g).gi_origin_or_finalizer, &raw mut (*g).gi_name, &raw mut (*g).gi_qualname] {
            xdecref(std::mem::replace(&mut *p, null_mut()));
        }
        let code = std::mem::replace(&mut (*g).gi_code, null_mut());
        let n = (*code).co_nlocalsplus + (*code).co_stacksize;
        decref(code.cast());
        xdecref(std::mem::replace(&mut (*g).gi_exc_state.exc_value, null_mut()));
        lh_runtime::gc::free_builtin(o, lh_runtime::gc::object_size((*o).ob_type, n as isize));
    }
}

unsafe fn traverse(o: *mut PyObject, v: &mut Visitor) {
    // SAFETY: fields of a live object; a frame that runs is not visited beyond its header.
    unsafe {
        let g = o.cast::<PyGenObject>();
        v.visit_ptr((*g).gi_code.cast());
        v.visit_ptr((*g).gi_name);
        v.visit_ptr((*g).gi_qualname);
        v.visit_ptr((*g).gi_origin_or_finalizer);
        if (*g).gi_frame_state < CLEARED {
            frame::traverse(frame_of(g), v);
        }
        v.visit_ptr((*g).gi_exc_state.exc_value);
    }
}

pub fn async_init_hooks(o: &AsyncGenerator) -> PyResult<()> {
    // SAFETY: fields of a live object and of the current thread.
    unsafe {
        let g = o.as_struct();
        if (*g).ag_hooks_inited != 0 {
            return Ok(());
        }
        (*g).ag_hooks_inited = 1;
        let ts = Thread::current_ptr();
        if !(*ts).async_gen_finalizer.is_null() {
            (*g).ag_origin_or_finalizer = r((*ts).async_gen_finalizer).own().into_raw();
        }
        if !(*ts).async_gen_firstiter.is_null() {
            r((*ts).async_gen_firstiter).own().call(&[o])?;
        }
        Ok(())
    }
}

// ---- What the three types share ----

macro_rules! common {
    ($t:ident, $frame:literal, $running:literal, $code:literal, $extra:ident) => {
        #[pymethods(part = "common", extra = $extra)]
        impl $t {
            #[getter]
            fn __name__(&self) -> Owned<Object> {
                // SAFETY: a field of a live object.
                unsafe { r((*self.gen_()).gi_name).own() }
            }
            #[setter]
            fn set___name__(&self, v: Option<&Object>) -> PyResult<()> {
                match v.filter(|v| v.is_instance_of::<Str>()) {
                    // SAFETY: the field owns its reference.
                    Some(v) => unsafe {
                        xdecref(std::mem::replace(&mut (*self.gen_()).gi_name, v.own().into_raw()))
                    },
                    None => return raise!(TypeError, "__name__ must be set to a string object"),
                }
                Ok(())
            }
            #[getter]
            fn __qualname__(&self) -> Owned<Object> {
                // SAFETY: a field of a live object.
                unsafe { r((*self.gen_()).gi_qualname).own() }
            }
            #[setter]
            fn set___qualname__(&self, v: Option<&Object>) -> PyResult<()> {
                match v.filter(|v| v.is_instance_of::<Str>()) {
                    // SAFETY: the field owns its reference.
                    Some(v) => unsafe {
                        xdecref(std::mem::replace(&mut (*self.gen_()).gi_qualname, v.own().into_raw()))
                    },
                    None => return raise!(TypeError, "__qualname__ must be set to a string object"),
                }
                Ok(())
            }
            #[getter(name = $frame)]
            fn get_frame(&self) -> Option<Owned<Object>> {
                // SAFETY: the frame of a generator that is not done.
                unsafe {
                    let g = self.gen_();
                    if (*g).gi_frame_state >= CLEARED {
                        return None;
                    }
                    Some(r(frame::object(frame_of(g)).cast()).own())
                }
            }
            #[getter(name = $running)]
            fn get_running(&self) -> bool {
                // SAFETY: a plain field.
                unsafe { (*self.gen_()).gi_frame_state == EXECUTING }
            }
            #[getter(name = $code)]
            fn get_code(&self) -> Owned<Object> {
                // SAFETY: a field of a live object.
                unsafe { r((*self.gen_()).gi_code.cast()).own() }
            }
            #[slot(tp_repr)]
            fn tp_repr(&self) -> PyResult<String> {
                Ok(format!(
                    "<{} object {} at {:p}>",
                    self.ty().name(),
                    self.__qualname__().str()?.to_str_lossy(),
                    self.raw()
                ))
            }
            #[slot(tp_traverse)]
            fn tp_traverse(&self, v: &mut Visitor) {
                // SAFETY: a live object.
                unsafe { traverse(self.raw(), v) }
            }
            #[slot(tp_dealloc)]
            unsafe fn tp_dealloc(o: *mut PyObject) {
                // SAFETY: the deallocator.
                unsafe { dealloc(o) }
            }
            #[slot(tp_finalize)]
            unsafe fn tp_finalize(o: *mut PyObject) {
                // SAFETY: the finalizer.
                unsafe { finalize(o) }
            }
        }
        impl $t {
            pub fn gen_(&self) -> Gen {
                self.as_struct().cast()
            }
        }
    };
}
fn nothing(_: &mut TypeBuilder) {}
fn send_slot(b: &mut TypeBuilder) {
    b.slot(Py_am_send, am_send as *mut core::ffi::c_void);
}
common!(Generator, "gi_frame", "gi_running", "gi_code", send_slot);
common!(Coroutine, "cr_frame", "cr_running", "cr_code", send_slot);
common!(AsyncGenerator, "ag_frame", "ag_frame_running", "ag_code", nothing);

unsafe extern "C" fn am_send(
    o: *mut PyObject,
    arg: *mut PyObject,
    result: *mut *mut PyObject,
) -> core::ffi::c_int {
    // SAFETY: the slot is called with a generator or coroutine and a live argument.
    unsafe {
        match send_ex(o.cast(), Object::from_ptr_opt(arg), false, false) {
            Ok(Sent::Yielded(v)) => {
                *result = v.into_raw();
                PYGEN_NEXT
            }
            Ok(Sent::Returned(v)) => {
                *result = v.into_raw();
                PYGEN_RETURN
            }
            Err(_) => {
                *result = null_mut();
                PYGEN_ERROR
            }
        }
    }
}

/// The three arguments of `throw`.
pub fn throw_args<'a>(
    a: Args<'a>,
    name: &str,
) -> PyResult<(&'a Object, Option<&'a Object>, Option<&'a Object>)> {
    a.no_kwargs(name)?;
    match a.len() {
        0 => raise!(TypeError, "throw expected at least 1 argument, got 0"),
        1..=3 => Ok((a.get(0).expect("counted"), a.get(1), a.get(2))),
        n => raise!(TypeError, "throw expected at most 3 arguments, got {}", n),
    }
}

fn suspended(g: Gen) -> bool {
    // SAFETY: a plain field of a live object.
    unsafe { (*g).gi_frame_state == SUSPENDED }
}

#[pymethods(parts(common))]
impl Generator {
    /// send(arg) -> send 'arg' into generator,
    /// return next yielded value or raise StopIteration.
    #[pymethod]
    fn send(&self, arg: &Object) -> PyResult {
        // SAFETY: a live generator.
        unsafe { method_result(self.gen_(), send_ex(self.gen_(), Some(arg), false, false)) }
    }
    /// throw(value)
    /// throw(type[,value[,tb]])
    ///
    /// Raise exception in generator, return next yielded value or raise
    /// StopIteration.
    #[pymethod(raw)]
    fn throw(&self, a: Args<'_>) -> PyResult {
        let (t, v, tb) = throw_args(a, "generator.throw")?;
        // SAFETY: a live generator.
        unsafe { method_result(self.gen_(), throw(self.gen_(), true, t, v, tb)) }
    }
    /// close() -> raise GeneratorExit inside generator.
    #[pymethod]
    fn close(&self) -> PyResult {
        // SAFETY: a live generator.
        unsafe { close(self.gen_()) }
    }
    #[getter]
    fn gi_yieldfrom(&self) -> Option<Owned<Object>> {
        // SAFETY: a live generator.
        unsafe { yield_from(self.gen_()) }
    }
    #[getter]
    fn gi_suspended(&self) -> bool {
        suspended(self.gen_())
    }
    #[slot(tp_iter)]
    fn tp_iter(&self) -> Owned<Generator> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn tp_iternext(&self) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: a live generator.
        unsafe {
            match send_ex(self.gen_(), None, false, false)? {
                Sent::Yielded(v) => Ok(Some(v)),
                Sent::Returned(v) if v.is_none() => Ok(None),
                Sent::Returned(v) => Err(lh_runtime::exceptions::raise_stop_iteration(v)),
            }
        }
    }
}

#[pymethods(parts(common))]
impl Coroutine {
    /// send(arg) -> send 'arg' into coroutine,
    /// return next iterated value or raise StopIteration.
    #[pymethod]
    fn send(&self, arg: &Object) -> PyResult {
        // SAFETY: a live coroutine.
        unsafe { method_result(self.gen_(), send_ex(self.gen_(), Some(arg), false, false)) }
    }
    /// throw(value)
    /// throw(type[,value[,traceback]])
    ///
    /// Raise exception in coroutine, return next iterated value or raise
    /// StopIteration.
    #[pymethod(raw)]
    fn throw(&self, a: Args<'_>) -> PyResult {
        let (t, v, tb) = throw_args(a, "coroutine.throw")?;
        // SAFETY: a live coroutine.
        unsafe { method_result(self.gen_(), throw(self.gen_(), true, t, v, tb)) }
    }
    /// close() -> raise GeneratorExit inside coroutine.
    #[pymethod]
    fn close(&self) -> PyResult {
        // SAFETY: a live coroutine.
        unsafe { close(self.gen_()) }
    }
    #[getter]
    fn cr_await(&self) -> Option<Owned<Object>> {
        // SAFETY: a live coroutine.
        unsafe { yield_from(self.gen_()) }
    }
    #[getter]
    fn cr_suspended(&self) -> bool {
        suspended(self.gen_())
    }
    #[getter]
    fn cr_origin(&self) -> Option<Owned<Object>> {
        // SAFETY: the field is null or a live object.
        unsafe { Object::from_ptr_opt((*self.gen_()).gi_origin_or_finalizer).map(|o| o.own()) }
    }
    #[slot(am_await)]
    fn am_await(&self) -> Owned<CoroWrapper> {
        // SAFETY: the field is written before the object is tracked.
        unsafe {
            let o = lh_runtime::gc::new_object(CoroWrapper::type_ptr(), 0);
            assert!(!o.is_null(), "out of memory");
            (*o.cast::<CoroWrapperObject>()).coroutine = self.raw();
            incref(self.raw());
            lh_runtime::gc::track(o);
            Owned::from_raw(o)
        }
    }
}

// ---- coroutine_wrapper: what `coroutine.__await__()` answers ----

#[repr(C)]
pub struct CoroWrapperObject {
    ob_base: PyObject,
    coroutine: *mut PyObject,
}
lh_runtime::kind!(/** `coroutine_wrapper` */ CoroWrapper: CoroWrapperObject, lh_runtime::type_table::_PyCoroWrapper_Type);

impl CoroWrapper {
    fn coro(&self) -> Owned<Coroutine> {
        // SAFETY: a wrapper owns its coroutine.
        unsafe { r((*self.as_struct()).coroutine).downcast_unchecked::<Coroutine>().own() }
    }
}
#[pymethods]
impl CoroWrapper {
    #[pymethod]
    fn send(&self, arg: &Object) -> PyResult {
        self.coro().send(arg)
    }
    #[pymethod(raw)]
    fn throw(&self, a: Args<'_>) -> PyResult {
        self.coro().throw(a)
    }
    #[pymethod]
    fn close(&self) -> PyResult {
        self.coro().close()
    }
    #[slot(tp_iter)]
    fn tp_iter(&self) -> Owned<CoroWrapper> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn tp_iternext(&self) -> PyResult<Option<Owned<Object>>> {
        let c = self.coro();
        // SAFETY: a live coroutine.
        unsafe { method_result(c.gen_(), send_ex(c.gen_(), Some(none_ref()), false, false)).map(Some) }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        // SAFETY: a field of a live object.
        v.visit_ptr(unsafe { (*self.as_struct()).coroutine });
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator.
        unsafe {
            lh_runtime::gc::untrack(o);
            decref((*o.cast::<CoroWrapperObject>()).coroutine);
            lh_runtime::typeobject::free_instance(o);
        }
    }
}

// ---- await ----

/// Is it a generator made by `types.coroutine`?
pub fn is_iterable_coroutine(o: &Object) -> bool {
    // SAFETY: a live generator has its code.
    unsafe {
        is_exact_gen(o.as_ptr())
            && (*(*o.as_ptr().cast::<PyGenObject>()).gi_code).co_flags & CO_ITERABLE_COROUTINE != 0
    }
}

/// The iterator that `await o` drives.
pub fn awaitable_iter(o: &Object) -> PyResult {
    // SAFETY: slots of a live object's type.
    unsafe {
        if is_coro(o.as_ptr()) || is_iterable_coroutine(o) {
            return Ok(o.own());
        }
        let m = (*o.ob_type()).tp_as_async;
        if !m.is_null()
            && let Some(f) = (*m).am_await
        {
            let res: Owned<Object> = from_c(f(o.as_ptr()))?;
            if is_coro(res.ptr()) || is_iterable_coroutine(&res) {
                return raise!(TypeError, "__await__() returned a coroutine");
            }
            if !lh_runtime::protocols::is_iterator(&res) {
                return raise!(TypeError, "__await__() returned non-iterator of type '{}'", res.ty().name());
            }
            return Ok(res);
        }
        raise!(TypeError, "object {} can't be used in 'await' expression", o.ty().name())
    }
}

pub fn init() -> PyResult<()> {
    ready::<Generator>()?;
    ready::<Coroutine>()?;
    ready::<CoroWrapper>()?;
    ready::<AsyncGenerator>()?;
    Ok(())
}
