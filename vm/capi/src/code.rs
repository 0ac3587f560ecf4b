//! `cpython/code.h`, `cpython/pyframe.h`, `cpython/funcobject.h`, `cpython/odictobject.h`, `cpython/picklebufobject.h`: parts of code
//! objects, frames and functions, and small types.

use crate::prelude::*;
use lh_interp::frameobject::FrameObj;
use lh_runtime::odictobject::ODict;
use lh_runtime::picklebuf::PickleBuffer;

fn part(f: &Function, name: &str) -> PyResult<*mut PyObject> {
    // The function keeps what its attribute answers.
    let v = f.get_attr_str(name)?;
    Ok(if v.is_none() { null_mut() } else { v.ptr() })
}

capi! {
    fn PyCode_GetCode(c: &Code) -> obj { c.get_attr_str("co_code") }
    fn PyCode_GetVarnames(c: &Code) -> obj { Ok(c.varnames()) }
    fn PyCode_GetCellvars(c: &Code) -> obj { Ok(c.cellvars()) }
    fn PyCode_GetFreevars(c: &Code) -> obj { Ok(c.freevars()) }
    /// The line of a byte offset; -1 if there is none.
    fn PyCode_Addr2Line(c: &Code, at: c_int) -> [c_int] {
        if at < 0 { c.firstlineno() } else { c.line_at(at as isize / 2).unwrap_or(-1) }
    }
    /// Where the instruction at a byte offset stands in the source; -1 for what is not known.
    fn PyCode_Addr2Location(c: &Code, at: c_int, line: *mut c_int, col: *mut c_int, end_line: *mut c_int, end_col: *mut c_int) -> [c_int] {
        let places = if at < 0 {
            [c.firstlineno(), 0, c.firstlineno(), 0]
        } else {
            let l = c.location_at(at as usize / 2);
            [l.line, l.col, l.end_line, l.end_col]
        };
        for (to, v) in [line, col, end_line, end_col].into_iter().zip(places) {
            *to = v;
        }
        1
    }
    fn PyCode_Optimize(code: &Object, _consts: &Object, _names: &Object, _lnotab: &Object) -> obj { Ok(code.own()) }
    fn PyCompile_OpcodeStackEffect(op: c_int, arg: c_int) -> [c_int] { crate::pystate::PyCompile_OpcodeStackEffectWithJump(op, arg, -1) }

    fn PyFrame_GetGenerator(f: &Object) -> borrowed {
        let Some(f) = f.downcast::<lh_interp::frameobject::FrameObj>() else { return Err(bad_internal_call()) };
        let f = f.frame();
        if (*f).owner != lh_interp::frame::OWNED_BY_GENERATOR {
            return Ok(null_mut());
        }
        let g: *mut PyObject = lh_interp::generator::of_frame(f).cast();
        incref(g);
        Ok(g)
    }
    /// Whether C code called the frame, not the frame before it.
    fn _PyFrame_IsEntryFrame(f: &FrameObj) -> [c_int] { ((*f.frame()).flags & lh_interp::frame::ENTRY != 0) as c_int }
    fn PyFrame_FastToLocals(f: &FrameObj) -> void { f.locals()? }
    fn PyFrame_FastToLocalsWithError(f: &FrameObj) -> status { f.locals().map(drop) }

    fn PyFunction_GetModule(f: &Function) -> borrowed { part(f, "__module__") }
    fn PyFunction_GetDefaults(f: &Function) -> borrowed { part(f, "__defaults__") }
    fn PyFunction_GetKwDefaults(f: &Function) -> borrowed { part(f, "__kwdefaults__") }
    fn PyFunction_GetClosure(f: &Function) -> borrowed { part(f, "__closure__") }
    fn PyFunction_GetAnnotations(f: &Function) -> borrowed { part(f, "__annotations__") }
    fn PyFunction_SetDefaults(f: &Function, d: &Object) -> status {
        match d.downcast::<Tuple>() {
            None if !d.is_none() => raise!(SystemError, "non-tuple default args"),
            t => { f.set_defaults(t); Ok(()) }
        }
    }
    fn PyFunction_SetKwDefaults(f: &Function, d: &Object) -> status {
        match d.downcast::<Dict>() {
            None if !d.is_none() => raise!(SystemError, "non-dict keyword only default args"),
            t => { f.set_kwdefaults(t.map(|d| d.as_object())); Ok(()) }
        }
    }
    fn PyFunction_SetClosure(f: &Function, d: &Object) -> status {
        match d.downcast::<Tuple>() {
            None if !d.is_none() => raise!(SystemError, "expected tuple for closure, got '{}'", d.ty().name()),
            t => { f.set_closure(t); Ok(()) }
        }
    }
    fn PyFunction_SetAnnotations(f: &Function, d: &Object) -> status {
        match d.downcast::<Dict>() {
            None if !d.is_none() => raise!(SystemError, "non-dict annotations"),
            t => { f.set_annotations(t.map(|d| d.as_object())); Ok(()) }
        }
    }
    fn PyInstanceMethod_Function(m: &Object) -> borrowed { Ok(m.get_attr_str("__func__")?.ptr()) }
    fn PyEval_GetFuncName(f: &Object) -> [*const c_char] {
        let utf8 = |s: Owned<Object>| s.downcast::<Str>().and_then(|s| s.to_str().ok().map(|t| t.as_ptr().cast()));
        let base = f.downcast::<Method>().map_or(f.own(), |m| m.func().own());
        if let Some(c) = base.downcast::<CFunction>() {
            return Ok((*c.def()).ml_name);
        }
        let known = Function::check(&base).then(|| base.get_attr_str("__name__").ok().and_then(utf8)).flatten();
        known.unwrap_or((*f.ob_type()).tp_name)
    }
    fn PyEval_GetFuncDesc(f: &Object) -> [*const c_char] {
        if Method::check(f) || Function::check(f) || CFunction::check(f) { c"()".as_ptr() } else { c" object".as_ptr() }
    }

    fn PyODict_New() -> obj { Ok(ODict::new()) }
    fn PyODict_SetItem(d: &ODict, k: &Object, v: &Object) -> status { d.set_item(k, v) }
    fn PyODict_DelItem(d: &ODict, k: &Object) -> status {
        if d.del_item(k)? { Ok(()) } else { Err(lh_runtime::errors::set_object(exc::KeyError(), Some(k.own()))) }
    }
    fn _PyNamespace_New(attrs: Option<&Dict>) -> obj { lh_runtime::namespaceobject::Namespace::new(attrs.unwrap_or(&Dict::new())) }

    fn PyPickleBuffer_FromObject(o: &Object) -> obj { PickleBuffer::new(o) }
    fn PyPickleBuffer_GetBuffer(o: &Object) -> (*const Py_buffer, null()) {
        match o.downcast::<PickleBuffer>() {
            Some(p) => p.view(),
            None => raise!(TypeError, "expected PickleBuffer, {} found", o.ty().name()),
        }
    }
    fn PyPickleBuffer_Release(o: &Object) -> status {
        match o.downcast::<PickleBuffer>() {
            Some(p) => { p.release(); Ok(()) }
            None => raise!(TypeError, "expected PickleBuffer, {} found", o.ty().name()),
        }
    }
}

// ---- co_extra: what tools hang on code objects ----

type FreeFn = Option<unsafe extern "C" fn(*mut c_void)>;
static EXTRA: std::sync::Mutex<Vec<FreeFn>> = std::sync::Mutex::new(Vec::new());
const MAX_EXTRA: usize = 255;

/// Frees what was hung on a dying code object.
unsafe fn free_extra(o: *mut PyObject) {
    // SAFETY: `co_extra` is null or a vector made below.
    unsafe {
        let c = o.cast::<PyCodeObject>();
        let p = std::mem::replace(&mut (*c).co_extra, null_mut()).cast::<Vec<*mut c_void>>();
        if p.is_null() {
            return;
        }
        let values = *Box::from_raw(p);
        let free = EXTRA.lock().expect("never poisoned").clone();
        for (v, f) in values.into_iter().zip(free) {
            if let Some(f) = f
                && !v.is_null()
            {
                f(v)
            }
        }
    }
}

capi! {
    fn _PyEval_RequestCodeExtraIndex(free: FreeFn) -> [isize] {
        let mut all = EXTRA.lock().expect("never poisoned");
        if all.len() >= MAX_EXTRA {
            return Ok(-1);
        }
        if all.is_empty() {
            lh_runtime::codeobject::CODE_DEATH.add(free_extra);
        }
        all.push(free);
        all.len() as isize - 1
    }
    fn _PyCode_GetExtra(c: &Code, index: isize, out: *mut *mut c_void) -> status {
        let p = (*c.as_struct()).co_extra.cast::<Vec<*mut c_void>>();
        let all = if p.is_null() { &[][..] } else { &(&*p)[..] };
        *out = usize::try_from(index).ok().and_then(|i| all.get(i)).copied().unwrap_or(null_mut());
        Ok(())
    }
    fn _PyCode_SetExtra(c: &Code, index: isize, value: *mut c_void) -> status {
        let free = EXTRA.lock().expect("never poisoned").clone();
        let Some(i) = usize::try_from(index).ok().filter(|i| *i < free.len()) else { return Err(bad_internal_call()) };
        let s = c.as_struct();
        if (*s).co_extra.is_null() {
            (*s).co_extra = Box::into_raw(Box::new(Vec::<*mut c_void>::new())).cast();
        }
        let all = &mut *(*s).co_extra.cast::<Vec<*mut c_void>>();
        if all.len() <= i {
            all.resize(i + 1, null_mut());
        }
        let old = std::mem::replace(&mut all[i], value);
        if let Some(f) = free[i] && !old.is_null() {
            f(old)
        }
        Ok(())
    }
}
