//! `frame`: frames as Python objects. The object refers to the running frame, or contains it once its code has returned.

use crate::frame::{self, Frame};
use crate::prelude::*;
use std::mem::offset_of;
use std::ptr::null_mut;

lh_runtime::kind!(/** `frame` */ FrameObj: PyFrameObject, lh_runtime::type_table::PyFrame_Type);

impl FrameObj {
    pub fn frame(&self) -> *mut Frame {
        // SAFETY: a frame object always has its frame.
        unsafe { (*self.as_struct()).f_frame.cast() }
    }
    pub fn line(&self) -> Option<i32> {
        // SAFETY: fields of a live frame object.
        unsafe {
            let l = (*self.as_struct()).f_lineno;
            if l != 0 { Some(l) } else { frame::line(self.frame()) }
        }
    }
    pub fn back(&self) -> Option<Owned<Object>> {
        // SAFETY: fields of a live frame object; a running frame's callers are live.
        unsafe {
            let fo = self.as_struct();
            if !(*fo).f_back.is_null() {
                return Some(Object::from_ptr((*fo).f_back.cast()).own());
            }
            let prev = frame::complete((*self.frame()).previous);
            if prev.is_null() {
                return None;
            }
            Some(Object::from_ptr(frame::object(prev).cast()).own())
        }
    }
    /// The variables as a dictionary, brought up to date.
    pub fn locals(&self) -> PyResult {
        // SAFETY: a live frame.
        unsafe {
            let f = self.frame();
            frame::fast_to_locals(f)?;
            Ok(Object::from_ptr((*f).locals).own())
        }
    }
    pub fn globals(&self) -> Owned<Object> {
        // SAFETY: a live frame.
        unsafe { Object::from_ptr((*self.frame()).globals).own() }
    }
    pub fn builtins(&self) -> Owned<Object> {
        // SAFETY: a live frame.
        unsafe { lh_runtime::funcobject::shown_builtins(Object::from_ptr((*self.frame()).builtins)) }
    }
    pub fn lasti(&self) -> isize {
        // SAFETY: a live frame.
        let u = unsafe { frame::last_unit(self.frame()) };
        if u < 0 { -1 } else { u * 2 }
    }
    /// The frame object of a frame, as a new reference.
    pub unsafe fn of(f: *mut Frame) -> Owned<FrameObj> {
        // SAFETY: the caller's frame is live.
        unsafe { Object::from_ptr(frame::object(f).cast()).downcast_unchecked::<FrameObj>().own() }
    }
}

fn members(b: &mut TypeBuilder) {
    b.member(c"f_trace_lines", T_BOOL, offset_of!(PyFrameObject, f_trace_lines), 0);
}

#[pymethods(extra = members)]
impl FrameObj {
    #[getter]
    fn f_back(&self) -> Option<Owned<Object>> {
        self.back()
    }
    #[getter]
    fn f_locals(&self) -> PyResult {
        self.locals()
    }
    #[getter]
    fn f_globals(&self) -> Owned<Object> {
        self.globals()
    }
    #[getter]
    fn f_builtins(&self) -> Owned<Object> {
        self.builtins()
    }
    #[getter]
    fn f_code(&self) -> PyResult<Owned<Code>> {
        lh_runtime::sysobject::audit_attribute("object.__getattr__", self, "f_code", None)?;
        // SAFETY: a live frame.
        Ok(unsafe { frame::code_ref(self.frame()).own() })
    }
    #[getter]
    fn f_lasti(&self) -> isize {
        self.lasti()
    }
    #[getter]
    fn f_lineno(&self) -> Option<i32> {
        self.line()
    }
    #[setter]
    fn set_f_lineno(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else { return raise!(AttributeError, "cannot delete attribute") };
        if !v.is_instance_of::<Int>() {
            return raise!(ValueError, "lineno must be an integer");
        }
        crate::linejump::jump_to_line(self, v)
    }
    #[getter]
    fn f_trace(&self) -> Option<Owned<Object>> {
        // SAFETY: the field is null or a live object.
        unsafe { Object::from_ptr_opt((*self.as_struct()).f_trace).map(|o| o.own()) }
    }
    #[setter]
    fn set_f_trace(&self, v: Option<&Object>) -> PyResult<()> {
        // SAFETY: the field owns its reference.
        unsafe {
            let v = v.filter(|v| !v.is_none()).map_or(null_mut(), |v| v.own().into_raw());
            let fo = self.as_struct();
            xdecref(std::mem::replace(&mut (*fo).f_trace, v));
        }
        Ok(())
    }
    #[getter]
    fn f_trace_opcodes(&self) -> bool {
        // SAFETY: a plain field.
        unsafe { (*self.as_struct()).f_trace_opcodes != 0 }
    }
    #[setter]
    fn set_f_trace_opcodes(&self, v: Option<&Object>) -> PyResult<()> {
        match v.filter(|v| v.is_exact::<Bool>()) {
            Some(v) => {
                // SAFETY: a plain field.
                unsafe {
                    (*self.as_struct()).f_trace_opcodes = v.is_true_object() as _;
                    if v.is_true_object() {
                        crate::trace::look_at_all(self.frame());
                    }
                }
                Ok(())
            }
            None => raise!(TypeError, "attribute value type must be bool"),
        }
    }
    /// F.clear(): clear most references held by the frame
    #[pymethod]
    fn clear(&self) -> PyResult<()> {
        // SAFETY: a frame object's own frame may be emptied once it has finished.
        unsafe {
            let f = self.frame();
            match (*f).owner {
                frame::OWNED_BY_GENERATOR => {
                    let gen_ = crate::generator::of_frame(f);
                    if (*gen_).gi_frame_state == crate::generator::EXECUTING {
                        return raise!(RuntimeError, "cannot clear an executing frame");
                    }
                    crate::generator::finalize(gen_.cast());
                }
                frame::OWNED_BY_THREAD => {
                    return raise!(RuntimeError, "cannot clear an executing frame");
                }
                _ => clear_own(self.as_struct()),
            }
        }
        Ok(())
    }
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        // SAFETY: a live frame.
        unsafe { 48 + 8 * frame::frame_words((*self.frame()).code) }
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> PyResult<String> {
        // SAFETY: a live frame.
        let code = unsafe { frame::code_ref(self.frame()) };
        Ok(format!(
            "<frame at {:p}, file {}, line {}, code {}>",
            self.raw(),
            code.filename().repr()?.to_str_lossy(),
            self.line().unwrap_or(-1),
            code.name().to_str_lossy()
        ))
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        // SAFETY: fields of a live frame object; only its own frame's contents belong to it.
        unsafe {
            let fo = self.as_struct();
            v.visit_ptr((*fo).f_back.cast());
            v.visit_ptr((*fo).f_trace);
            if (*self.frame()).owner == frame::OWNED_BY_FRAME_OBJECT {
                frame::traverse(self.frame(), v);
            }
        }
    }
    #[slot(tp_clear)]
    fn tp_clear(&self) {
        // SAFETY: as above.
        unsafe {
            let fo = self.as_struct();
            xdecref(std::mem::replace(&mut (*fo).f_trace, null_mut()));
            if (*self.frame()).owner == frame::OWNED_BY_FRAME_OBJECT {
                clear_own(fo);
            }
        }
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator; deep chains of frames go through the trash can of the runtime's decref.
        unsafe {
            lh_runtime::gc::untrack(o);
            let fo = o.cast::<PyFrameObject>();
            let f = (*fo).f_frame.cast::<Frame>();
            if f == frame::inner_frame(fo) && (*f).owner == frame::OWNED_BY_FRAME_OBJECT {
                clear_own(fo);
                xdecref(std::mem::replace(&mut (*f).func, null_mut()).cast());
                xdecref(std::mem::replace(&mut (*f).code, null_mut()).cast());
            }
            // A loop instead of recursion along the callers.
            let mut back = std::mem::replace(&mut (*fo).f_back, null_mut());
            xdecref(std::mem::replace(&mut (*fo).f_trace, null_mut()));
            lh_runtime::typeobject::free_instance(o);
            while !back.is_null() && (*back).ob_base.ob_refcnt == 1 {
                let next = std::mem::replace(&mut (*back).f_back, null_mut());
                decref(back.cast());
                back = next;
            }
            xdecref(back.cast());
        }
    }
}

/// Drops the variables and the stack of a frame that its frame object owns.
unsafe fn clear_own(fo: *mut PyFrameObject) {
    // SAFETY: the frame has finished; entries are emptied before they are dropped.
    unsafe {
        let f = (*fo).f_frame.cast::<Frame>();
        let n = std::mem::replace(&mut (*f).stacktop, 0);
        let l = frame::localsplus(f);
        xdecref(std::mem::replace(&mut (*f).locals, null_mut()));
        for i in 0..n.max(0) as usize {
            xdecref(std::mem::replace(&mut *l.add(i), null_mut()));
        }
    }
}

/// A frame object that no evaluation runs: for tracebacks of code that is not Python.
pub fn detached(code: &Code, globals: &Dict, locals: Option<&Object>) -> PyResult<Owned<FrameObj>> {
    let f = Function::new(code, globals, None)?;
    // SAFETY: the object has room for this code's frame, which owns its references.
    unsafe {
        let c = code.as_struct();
        let n = (*c).co_nlocalsplus + (*c).co_stacksize;
        let o = lh_runtime::gc::new_object(FrameObj::type_ptr(), n as isize);
        if o.is_null() {
            return raise!(MemoryError);
        }
        let fo = o.cast::<PyFrameObject>();
        let inner = frame::inner_frame(fo);
        (*fo).f_back = null_mut();
        (*fo).f_frame = inner.cast();
        (*fo).f_trace_lines = 1;
        frame::init(inner, f.into_raw().cast(), locals.map_or(null_mut(), |l| l.own().into_raw()), c);
        (*inner).owner = frame::OWNED_BY_FRAME_OBJECT;
        (*inner).prev_instr = frame::first_instr(c).add((*c)._co_firsttraceable as usize);
        (*inner).stacktop = (*c).co_nlocalsplus;
        for i in 0..(*c).co_nlocalsplus as usize {
            *frame::localsplus(inner).add(i) = null_mut();
        }
        lh_runtime::gc::track(o);
        Ok(Owned::from_raw(o))
    }
}

pub fn init() -> PyResult<()> {
    ready::<FrameObj>()?;
    Ok(())
}
