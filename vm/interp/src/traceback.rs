//! `traceback` objects, and adding a running frame to the traceback of the pending exception.

use crate::frame::{self, Frame};
use crate::frameobject::FrameObj;
use crate::prelude::*;
use std::mem::offset_of;
use std::ptr::null_mut;

lh_runtime::kind!(/** `traceback` */ TracebackObj: PyTracebackObject, lh_runtime::type_table::PyTraceBack_Type);

/// A line number that has not been computed yet.
const LAZY: i32 = -1;

impl TracebackObj {
    pub fn new(next: Option<&Object>, f: &FrameObj, lasti: i32, lineno: i32) -> Owned<TracebackObj> {
        // SAFETY: the fields are written before the object is tracked.
        unsafe {
            let o = lh_runtime::gc::new_object(TracebackObj::type_ptr(), 0);
            assert!(!o.is_null(), "out of memory");
            let t = o.cast::<PyTracebackObject>();
            (*t).tb_next = next.map_or(null_mut(), |n| n.own().into_raw().cast());
            (*t).tb_frame = f.own().into_raw().cast();
            (*t).tb_lasti = lasti;
            (*t).tb_lineno = lineno;
            lh_runtime::gc::track(o);
            Owned::from_raw(o)
        }
    }
    pub fn next(&self) -> Option<Owned<Object>> {
        // SAFETY: the field is null or a live traceback.
        unsafe { Object::from_ptr_opt((*self.as_struct()).tb_next.cast()).map(|o| o.own()) }
    }
    pub fn line(&self) -> Option<i32> {
        // SAFETY: fields of a live traceback.
        unsafe {
            let t = self.as_struct();
            if (*t).tb_lineno != LAZY {
                return Some((*t).tb_lineno);
            }
            let f = r((*t).tb_frame.cast()).downcast_unchecked::<FrameObj>().frame();
            frame::code_ref(f).line_at(((*t).tb_lasti / 2) as isize)
        }
    }
}

/// Adds an entry for native code to the traceback of the pending exception.
pub fn add_named(function: &str, file: &str, line: i32) {
    let (t, v, tb) = lh_runtime::errors::fetch();
    let frame =
        Code::empty(file, function, line).and_then(|c| crate::frameobject::detached(&c, &Dict::new(), None));
    let tb = match frame {
        Ok(f) => {
            let next = tb.as_deref().filter(|o| !o.is_none());
            Some(TracebackObj::new(next, &f, 0, line).into_object())
        }
        Err(e) => {
            e.clear();
            tb
        }
    };
    lh_runtime::errors::restore(t, v, tb);
}

/// Adds `f` to the traceback of the pending exception.
pub unsafe fn here(ts: *mut PyThreadState, f: *mut Frame) {
    // SAFETY: a live frame; making objects leaves the pending exception alone.
    unsafe {
        let fo = FrameObj::of(f);
        let old = (*ts).curexc_traceback;
        let lasti = (frame::last_unit(f) * 2) as i32;
        // A line number set by a tracer wins.
        let lineno = if (*fo.as_struct()).f_lineno != 0 { (*fo.as_struct()).f_lineno } else { LAZY };
        let tb = TracebackObj::new(Object::from_ptr_opt(old).filter(|o| !o.is_none()), &fo, lasti, lineno);
        (*ts).curexc_traceback = tb.into_raw();
        xdecref(old);
    }
}

fn members(b: &mut TypeBuilder) {
    b.member(c"tb_frame", T_OBJECT, offset_of!(PyTracebackObject, tb_frame), READONLY);
    b.member(c"tb_lasti", T_INT, offset_of!(PyTracebackObject, tb_lasti), READONLY);
}

#[pymethods(extra = members)]
impl TracebackObj {
    #[new(name = "traceback", signature = "(tb_next, tb_frame, tb_lasti, tb_lineno)")]
    fn tp_new(
        _cls: &Type,
        tb_next: &Object,
        tb_frame: &FrameObj,
        tb_lasti: i32,
        tb_lineno: i32,
    ) -> PyResult<Owned<TracebackObj>> {
        if !tb_next.is_none() && !tb_next.is_instance_of::<TracebackObj>() {
            return raise!(TypeError, "expected traceback object or None, got '{}'", tb_next.ty().name());
        }
        Ok(TracebackObj::new(Some(tb_next).filter(|n| !n.is_none()), tb_frame, tb_lasti, tb_lineno))
    }
    #[getter]
    fn tb_next(&self) -> Option<Owned<Object>> {
        self.next()
    }
    #[setter]
    fn set_tb_next(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else { return raise!(TypeError, "can't delete tb_next attribute") };
        if !v.is_none() && !v.is_instance_of::<TracebackObj>() {
            return raise!(TypeError, "expected traceback object or None, got '{}'", v.ty().name());
        }
        let mut cursor = Some(v.own()).filter(|v| !v.is_none());
        while let Some(c) = cursor {
            if c.is(self) {
                return raise!(ValueError, "traceback loop detected");
            }
            cursor = c.downcast::<TracebackObj>().and_then(|t| t.next());
        }
        // SAFETY: the field owns its reference.
        unsafe {
            let new = if v.is_none() { null_mut() } else { v.own().into_raw() };
            let old = std::mem::replace(&mut (*self.as_struct()).tb_next, new.cast());
            xdecref(old.cast());
        }
        Ok(())
    }
    #[getter]
    fn tb_lineno(&self) -> Option<i32> {
        self.line()
    }
    #[pymethod]
    fn __dir__(&self) -> PyResult {
        ("tb_frame", "tb_next", "tb_lasti", "tb_lineno").into_py().and_then(|t| {
            let l = List::new();
            l.extend(&t)?;
            Ok(l.into_object())
        })
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        // SAFETY: fields of a live traceback.
        unsafe {
            v.visit_ptr((*self.as_struct()).tb_next.cast());
            v.visit_ptr((*self.as_struct()).tb_frame.cast());
        }
    }
    #[slot(tp_clear)]
    fn tp_clear(&self) {
        // SAFETY: the field owns its reference.
        unsafe { xdecref(std::mem::replace(&mut (*self.as_struct()).tb_next, null_mut()).cast()) }
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator; a loop instead of recursion along the entries.
        unsafe {
            lh_runtime::gc::untrack(o);
            let t = o.cast::<PyTracebackObject>();
            let mut next = std::mem::replace(&mut (*t).tb_next, null_mut());
            xdecref(std::mem::replace(&mut (*t).tb_frame, null_mut()).cast());
            lh_runtime::typeobject::free_instance(o);
            while !next.is_null() && (*next).ob_base.ob_refcnt == 1 {
                let after = std::mem::replace(&mut (*next).tb_next, null_mut());
                decref(next.cast());
                next = after;
            }
            xdecref(next.cast());
        }
    }
}

pub fn init() -> PyResult<()> {
    ready::<TracebackObj>()?;
    Ok(())
}
