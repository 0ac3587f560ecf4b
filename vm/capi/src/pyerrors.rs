//! `pyerrors.h`, `warnings.h`, `traceback.h`: the pending exception, exception objects, warnings.

use crate::prelude::*;
use crate::va::VaList;
use lh_runtime::errors;
use lh_runtime::exceptions;
use lh_runtime::thread::Thread;

fn category(o: Option<&Object>) -> PyResult<&Type> {
    match o {
        None => Ok(exc::RuntimeWarning()),
        Some(o) => o.downcast::<Type>().ok_or_else(bad_internal_call),
    }
}
fn exception(o: &Object) -> PyResult<&Exception> {
    o.downcast::<Exception>().ok_or_else(bad_internal_call)
}
/// The end of `PyErr_Clear`: gives up `v`, and what is left of `t` if its count has reached zero.
#[inline(never)]
unsafe extern "C" fn drop_both(t: *mut PyObject, v: *mut PyObject) {
    // SAFETY: the thread state's references, which it has no more.
    unsafe {
        // The class first: what the value's end does could free it, and then its count says nothing.
        if !t.is_null() && (*t).ob_refcnt == 0 {
            lh_runtime::object::dealloc(t);
        }
        xdecref(v);
    }
}
fn give(o: Option<Owned<Object>>) -> *mut PyObject {
    o.map_or(null_mut(), Owned::into_raw)
}
/// Sets an exception, if `t` is a class of one.
fn set(t: &Object, v: Option<Owned<Object>>) -> Raised {
    if !t.downcast::<Type>().is_some_and(|t| t.has_flag(Py_TPFLAGS_BASE_EXC_SUBCLASS)) {
        return no_exception(t);
    }
    errors::set_object(t, v)
}
#[cold]
fn no_exception(t: &Object) -> Raised {
    match t.repr() {
        Ok(r) => raised!(
            SystemError,
            "_PyErr_SetObject: exception {} is not a BaseException subclass",
            r.to_str_lossy()
        ),
        Err(e) => e,
    }
}
/// `OSError` (or the class given) for the C library's `errno`.
fn from_errno(t: &Object, file: Option<&Object>, file2: Option<&Object>) -> Raised {
    let n = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    if n == libc::EINTR
        && let Err(e) = lh_runtime::thread::check_signals()
    {
        return e;
    }
    if t.is(exc::OSError()) {
        return exceptions::raise_os_error(n, file, file2);
    }
    // SAFETY: strerror answers a C string.
    let message =
        // SAFETY: strerror answers a C string.
        if n == 0 { "Error".into() } else { text(unsafe { CStr::from_ptr(libc::strerror(n)) }).into_owned() };
    let mut args = vec![Int::from_i64(n as i64).into_object(), Str::new(&message).into_object()];
    if let Some(f) = file {
        args.push(f.own());
        if let Some(f2) = file2 {
            args.push(Int::from_i64(0).into_object());
            args.push(f2.own());
        }
    }
    match t.call_tuple(&Tuple::from_vec(args), None) {
        Ok(e) => set(e.ty(), Some(e.clone())),
        Err(e) => e,
    }
}
fn new_exception(name: &CStr, doc: Option<&CStr>, base: Option<&Object>, dict: Option<&Dict>) -> PyResult {
    let full = text(name);
    let Some((module, short)) = full.rsplit_once('.') else {
        return raise!(SystemError, "PyErr_NewException: name must be module.class");
    };
    let d = match dict {
        Some(d) => d.copy(),
        None => Dict::new(),
    };
    if d.get_str("__module__")?.is_none() {
        d.set_str("__module__", &Str::new(module))?;
    }
    if let Some(doc) = doc {
        d.set_str("__doc__", &str_of(doc))?;
    }
    let bases = match base {
        None => Tuple::from_refs(&[exc::Exception().as_object()]),
        Some(b) => match b.downcast::<Tuple>() {
            Some(t) => t.own(),
            None => Tuple::from_refs(&[b]),
        },
    };
    Type::class().as_object().call(&[&Str::new(short), &bases, &d])
}
fn with_text(t: &Object, s: Owned<Str>) -> Raised {
    set(t, Some(s.into_object()))
}
/// Shows the pending exception through `sys.excepthook`; `SystemExit` ends the process.
fn print(set_last: bool) {
    if !errors::occurred() {
        return;
    }
    let e = errors::take_raised();
    if Object::is_instance_of::<Exception>(&e) && e.ty().is_subtype(exc::SystemExit()) {
        let code = e.get_attr_str_opt("code").unwrap_or_else(|x| {
            x.clear();
            None
        });
        let status = match code.filter(|c| !c.is_none()) {
            None => 0,
            Some(c) => match c.downcast::<Int>() {
                Some(i) => i.to_i64().unwrap_or(-1) as i32,
                None => {
                    let t = c.str().map(|s| s.to_str_lossy().into_owned()).unwrap_or_else(|x| {
                        x.clear();
                        String::new()
                    });
                    lh_runtime::sysobject::write_stderr(&format!("{t}\n"));
                    1
                }
            },
        };
        lh_runtime::sysobject::flush_std_files();
        std::process::exit(status)
    }
    let tb = e.traceback().unwrap_or_else(none);
    let t = e.ty().own().into_object();
    if set_last {
        for (n, v) in [("last_type", &t), ("last_value", &e.clone().into_object()), ("last_traceback", &tb)] {
            if let Err(x) = lh_runtime::sysobject::sys_set(n, v) {
                x.clear();
            }
        }
    }
    let shown = match lh_runtime::sysobject::sys_get("excepthook") {
        Some(h) => h.call(&[&t, &e, &tb]).map(drop),
        None => {
            lh_runtime::sysobject::write_stderr(&format!("{}: {}\n", t.repr_lossy(), e.repr_lossy()));
            Ok(())
        }
    };
    if shown.is_err() {
        errors::write_unraisable(None, Some("Exception ignored in sys.excepthook"));
    }
}
fn string_attr(e: &Object, name: &str) -> PyResult {
    e.get_attr_str(name)
}
fn set_number(e: &Object, name: &str, v: isize) -> PyResult<()> {
    e.set_attr_str(name, &Int::from_i64(v as i64))
}
fn number_attr(e: &Object, name: &str, out: *mut isize) -> PyResult<()> {
    let v = e.get_attr_str(name)?;
    let v = number::as_isize(&v, Some(exc::OverflowError()))?;
    // SAFETY: the caller passes a place to write to.
    unsafe { *out = v };
    Ok(())
}

capi! {
    fn PyErr_Occurred() -> [*mut PyObject] {
        let ts = Thread::current_ptr();
        if ts.is_null() { null_mut() } else { (*ts).curexc_type }
    }
    fn PyErr_Clear() -> void short {
        let ts = Thread::current_ptr();
        if !(*ts).curexc_traceback.is_null() {
            return None;
        }
        let (t, v) = ((*ts).curexc_type, (*ts).curexc_value);
        ((*ts).curexc_type, (*ts).curexc_value) = (null_mut(), null_mut());
        if t.is_null() {
            if !v.is_null() {
                drop_both(t, v);
            }
            return Some(());
        }
        (*t).ob_refcnt -= 1;
        if !v.is_null() || (*t).ob_refcnt == 0 {
            drop_both(t, v);
            return Some(());
        }
        Some(())
    } { errors::clear() }
    fn PyErr_Fetch(t: *mut *mut PyObject, v: *mut *mut PyObject, tb: *mut *mut PyObject) -> void {
        let ts = Thread::current_ptr();
        (*t, *v, *tb) = ((*ts).curexc_type, (*ts).curexc_value, (*ts).curexc_traceback);
        ((*ts).curexc_type, (*ts).curexc_value, (*ts).curexc_traceback) = (null_mut(), null_mut(), null_mut());
    }
    fn PyErr_Restore(t: Option<Owned>, v: Option<Owned>, tb: Option<Owned>) -> void short {
        let ts = Thread::current_ptr();
        if !(*ts).curexc_type.is_null() || !(*ts).curexc_value.is_null() || !(*ts).curexc_traceback.is_null() {
            return None;
        }
        ((*ts).curexc_type, (*ts).curexc_value, (*ts).curexc_traceback) = (t, v, tb);
        Some(())
    } { errors::restore(t, v, tb) }
    fn _PyErr_Fetch(_ts: *mut c_void, t: *mut *mut PyObject, v: *mut *mut PyObject, tb: *mut *mut PyObject) -> void { PyErr_Fetch(t, v, tb) }
    fn _PyErr_Restore(_ts: *mut c_void, t: Option<Owned>, v: Option<Owned>, tb: Option<Owned>) -> void { errors::restore(t, v, tb) }
    fn PyErr_SetObject(t: &Object, v: Option<&Object>) -> void short { if !t.is_null() && errors::quick_set(t, v) { Some(()) } else { None } } { let _ = set(t, v.map(|v| v.own())); }
    fn PyErr_SetNone(t: &Object) -> void short { if !t.is_null() && errors::quick_set(t, null_mut()) { Some(()) } else { None } } { let _ = set(t, None); }
    fn PyErr_SetString(t: &Object, s: &CStr) -> void { let _ = with_text(t, str_of(s)); }
    fn _PyErr_SetString(_ts: *mut c_void, t: &Object, s: &CStr) -> void { let _ = with_text(t, str_of(s)); }
    fn _PyErr_SetKeyError(k: &Object) -> void { let _ = lh_runtime::dictobject::key_error(k); }
    fn PyErr_FormatV(t: &Object, f: &CStr, va: *mut VaList) -> borrowed {
        // The message may look at objects: it is made without a pending exception.
        errors::clear();
        Err(match crate::format::format_v(f.to_bytes(), &mut *va) {
            Ok(s) => with_text(t, s),
            Err(e) => e,
        })
    }
    fn lh_format_from_cause(t: &Object, f: &CStr, va: *mut VaList) -> borrowed {
        let cause = errors::take_raised();
        let e = match crate::format::format_v(f.to_bytes(), &mut *va) { Ok(s) => with_text(t, s), Err(e) => e };
        let new = e.take();
        new.set_cause(Some(cause.clone().into_object()));
        new.set_context(Some(cause.into_object()));
        Err(errors::raise_exc(new))
    }
    fn PyErr_BadArgument() -> [c_int] {
        let _ = raised!(TypeError, "bad argument type for built-in operation");
        0
    }
    fn PyErr_BadInternalCall() -> void { let _ = bad_internal_call(); }
    fn _PyErr_BadInternalCall(file: &CStr, line: c_int) -> void {
        let _ = raised!(SystemError, "{}:{}: bad argument to internal function", text(file), line);
    }
    fn PyErr_NoMemory() -> borrowed { Err(crate::object::no_memory()) }
    fn PyErr_ExceptionMatches(t: &Object) -> [c_int] short {
        let ts = Thread::current_ptr();
        if ts.is_null() { None } else { errors::quick_matches((*ts).curexc_type, t).map(|r| r as c_int) }
    } {
        let cur = PyErr_Occurred();
        (!cur.is_null() && errors::given_matches(Object::from_ptr(cur), t)) as c_int
    }
    fn PyErr_GivenExceptionMatches(e: Option<&Object>, t: Option<&Object>) -> [c_int] short { errors::quick_matches(e, t).map(|r| r as c_int) } {
        matches!((e, t), (Some(e), Some(t)) if errors::given_matches(e, t)) as c_int
    }
    fn PyErr_NormalizeException(t: *mut *mut PyObject, v: *mut *mut PyObject, tb: *mut *mut PyObject) -> void {
        let Some(ty) = Owned::<Object>::from_raw_opt(*t) else { return Ok(()) };
        let value = Owned::<Object>::from_raw_opt(*v);
        // The traceback stays the caller's: it is not stored in the exception here.
        let e = exceptions::normalize(ty, value, None);
        *t = e.ty().own().into_object().into_raw();
        if (*tb).is_null() {
            *tb = give(e.traceback());
        }
        *v = e.into_object().into_raw();
    }
    fn PyErr_Print() -> void { print(true) }
    fn PyErr_PrintEx(set_last: c_int) -> void { print(set_last != 0) }
    fn PyErr_Display(t: &Object, v: &Object, tb: Option<&Object>) -> void {
        if let Some(h) = lh_runtime::sysobject::sys_get("__excepthook__") {
            drop(h.call(&[t, v, tb.unwrap_or(none_ref())])?);
        }
    }
    fn PyErr_WriteUnraisable(o: Option<&Object>) -> void { errors::write_unraisable(o, None) }
    fn _PyErr_WriteUnraisableMsg(message: Option<&CStr>, o: Option<&Object>) -> void {
        let m = message.map(|m| format!("Exception ignored {}", text(m)));
        errors::write_unraisable(o, m.as_deref())
    }
    fn _PyErr_ChainExceptions(t: Option<Owned>, v: Option<Owned>, tb: Option<Owned>) -> void {
        let Some(t) = t else { return Ok(()) };
        if !errors::occurred() {
            errors::restore(Some(t), v, tb);
            return Ok(());
        }
        let new = errors::take_raised();
        new.set_context(Some(exceptions::normalize(t, v, tb).into_object()));
        let _ = errors::raise_exc(new);
    }
    fn PyErr_GetHandledException() -> borrowed { Ok(give(lh_runtime::sysobject::handled_exception())) }
    fn PyErr_SetHandledException(e: Option<&Object>) -> void { set_handled(e.map(|e| e.own())) }
    fn PyErr_GetExcInfo(t: *mut *mut PyObject, v: *mut *mut PyObject, tb: *mut *mut PyObject) -> void {
        let e = lh_runtime::sysobject::handled_exception();
        (*t, *tb) = match e.as_ref().and_then(|e| e.downcast::<Exception>()) {
            Some(x) => (x.ty().own().into_object().into_raw(), give(x.traceback())),
            None => (none().into_raw(), none().into_raw()),
        };
        *v = e.unwrap_or_else(none).into_raw();
    }
    fn PyErr_SetExcInfo(t: Option<Owned>, v: Option<Owned>, tb: Option<Owned>) -> void {
        drop((t, tb));
        set_handled(v)
    }
    fn PyErr_CheckSignals() -> status { lh_runtime::thread::check_signals() }
    fn PyErr_NewException(name: &CStr, base: Option<&Object>, dict: Option<&Dict>) -> obj { new_exception(name, None, base, dict) }
    fn PyErr_NewExceptionWithDoc(name: &CStr, doc: Option<&CStr>, base: Option<&Object>, dict: Option<&Dict>) -> obj {
        new_exception(name, doc, base, dict)
    }
    fn PyErr_SetFromErrno(t: &Object) -> borrowed { Err(from_errno(t, None, None)) }
    fn PyErr_SetFromErrnoWithFilename(t: &Object, f: Option<&CStr>) -> borrowed {
        let n = *libc::__errno_location();
        let f = f.map(|f| lh_runtime::codecs::fs_decode(f.to_bytes()));
        *libc::__errno_location() = n;
        Err(from_errno(t, f.as_ref().map(|f| f.as_object()), None))
    }
    fn PyErr_SetFromErrnoWithFilenameObject(t: &Object, f: Option<&Object>) -> borrowed { Err(from_errno(t, f, None)) }
    fn PyErr_SetFromErrnoWithFilenameObjects(t: &Object, f: Option<&Object>, g: Option<&Object>) -> borrowed { Err(from_errno(t, f, g)) }
    fn PyErr_SetImportError(m: Option<&Object>, name: Option<&Object>, path: Option<&Object>) -> borrowed {
        let m = match m { Some(m) => m.str()?.to_str_lossy().into_owned(), None => return raise!(TypeError, "expected a message argument") };
        Err(exceptions::raise_import_error(exc::ImportError(), &m, name, path))
    }

    // ---- Warnings ----
    fn PyErr_WarnEx(c: Option<&Object>, m: &CStr, level: isize) -> status { lh_runtime::warnings::warn(category(c)?, &text(m), level) }
    fn lh_warn_format(c: Option<&Object>, level: isize, f: &CStr, va: *mut VaList) -> status {
        let m = crate::format::format_v(f.to_bytes(), &mut *va)?;
        lh_runtime::warnings::warn(category(c)?, &m.to_str_lossy(), level)
    }
    fn lh_resource_warning(source: Option<&Object>, _level: isize, f: &CStr, va: *mut VaList) -> status {
        let m = crate::format::format_v(f.to_bytes(), &mut *va)?;
        lh_runtime::warnings::warn_resource(source.unwrap_or(none_ref()), &m.to_str_lossy())
    }
    fn PyErr_WarnExplicit(c: Option<&Object>, m: &CStr, file: &CStr, line: c_int, module: Option<&CStr>, _registry: Option<&Object>) -> status {
        let module = module.map(|m| text(m));
        lh_runtime::warnings::warn_explicit(category(c)?, &text(m), &text(file), line as i64, module.as_deref())
    }
    fn lh_warn_explicit(c: Option<&Object>, file: &CStr, line: c_int, module: Option<&CStr>, f: &CStr, va: *mut VaList) -> status {
        let m = crate::format::format_v(f.to_bytes(), &mut *va)?;
        let module = module.map(|m| text(m));
        lh_runtime::warnings::warn_explicit(category(c)?, &m.to_str_lossy(), &text(file), line as i64, module.as_deref())
    }
    fn PyErr_WarnExplicitObject(c: Option<&Object>, m: &Object, file: &Str, line: c_int, module: Option<&Str>, _registry: Option<&Object>) -> status {
        let module = module.map(|m| m.to_str_lossy());
        lh_runtime::warnings::warn_explicit(category(c)?, &m.str()?.to_str_lossy(), &file.to_str_lossy(), line as i64, module.as_deref())
    }

    // ---- Exception objects ----
    fn PyException_GetTraceback(e: &Object) -> borrowed { Ok(give(exception(e)?.traceback())) }
    fn PyException_SetTraceback(e: &Object, tb: &Object) -> status { e.set_attr_str("__traceback__", tb) }
    fn PyException_GetCause(e: &Object) -> borrowed { Ok(give(exception(e)?.cause())) }
    fn PyException_SetCause(e: &Object, c: Option<Owned>) -> void { exception(e)?.set_cause(c) }
    fn PyException_GetContext(e: &Object) -> borrowed { Ok(give(exception(e)?.context())) }
    fn PyException_SetContext(e: &Object, c: Option<Owned>) -> void { exception(e)?.set_context(c) }
    fn PyExceptionClass_Name(t: &Type) -> [*const c_char] { (*t.tp()).tp_name }
    fn PyTraceBack_Print(tb: &Object, file: &Object) -> status {
        let m = lh_runtime::import::import_module("traceback")?;
        file.call_method("write", &[&Str::new("Traceback (most recent call last):\n")])?;
        m.call_method("print_tb", &[tb, none_ref(), file]).map(drop)
    }
    fn PyUnicodeDecodeError_Create(encoding: &CStr, p: *const u8, n: isize, start: isize, end: isize, reason: &CStr) -> obj {
        let b = Bytes::new(std::slice::from_raw_parts(p, n as usize));
        exc::UnicodeDecodeError().as_object().call(&[
            &str_of(encoding), &b, &*Int::from_i64(start as i64), &*Int::from_i64(end as i64), &str_of(reason),
        ])
    }
    fn PyUnicodeDecodeError_GetEncoding(e: &Object) -> obj { string_attr(e, "encoding") }
    fn PyUnicodeEncodeError_GetEncoding(e: &Object) -> obj { string_attr(e, "encoding") }
    fn PyUnicodeDecodeError_GetObject(e: &Object) -> obj { string_attr(e, "object") }
    fn PyUnicodeEncodeError_GetObject(e: &Object) -> obj { string_attr(e, "object") }
    fn PyUnicodeTranslateError_GetObject(e: &Object) -> obj { string_attr(e, "object") }
    fn PyUnicodeDecodeError_GetReason(e: &Object) -> obj { string_attr(e, "reason") }
    fn PyUnicodeEncodeError_GetReason(e: &Object) -> obj { string_attr(e, "reason") }
    fn PyUnicodeTranslateError_GetReason(e: &Object) -> obj { string_attr(e, "reason") }
    fn PyUnicodeDecodeError_SetReason(e: &Object, r: &CStr) -> status { e.set_attr_str("reason", &str_of(r)) }
    fn PyUnicodeEncodeError_SetReason(e: &Object, r: &CStr) -> status { e.set_attr_str("reason", &str_of(r)) }
    fn PyUnicodeTranslateError_SetReason(e: &Object, r: &CStr) -> status { e.set_attr_str("reason", &str_of(r)) }
    fn PyUnicodeDecodeError_GetStart(e: &Object, p: *mut isize) -> status { number_attr(e, "start", p) }
    fn PyUnicodeEncodeError_GetStart(e: &Object, p: *mut isize) -> status { number_attr(e, "start", p) }
    fn PyUnicodeTranslateError_GetStart(e: &Object, p: *mut isize) -> status { number_attr(e, "start", p) }
    fn PyUnicodeDecodeError_GetEnd(e: &Object, p: *mut isize) -> status { number_attr(e, "end", p) }
    fn PyUnicodeEncodeError_GetEnd(e: &Object, p: *mut isize) -> status { number_attr(e, "end", p) }
    fn PyUnicodeTranslateError_GetEnd(e: &Object, p: *mut isize) -> status { number_attr(e, "end", p) }
    fn PyUnicodeDecodeError_SetStart(e: &Object, v: isize) -> status { set_number(e, "start", v) }
    fn PyUnicodeEncodeError_SetStart(e: &Object, v: isize) -> status { set_number(e, "start", v) }
    fn PyUnicodeTranslateError_SetStart(e: &Object, v: isize) -> status { set_number(e, "start", v) }
    fn PyUnicodeDecodeError_SetEnd(e: &Object, v: isize) -> status { set_number(e, "end", v) }
    fn PyUnicodeEncodeError_SetEnd(e: &Object, v: isize) -> status { set_number(e, "end", v) }
    fn PyUnicodeTranslateError_SetEnd(e: &Object, v: isize) -> status { set_number(e, "end", v) }
    fn _PyGen_SetStopIterationValue(v: Option<&Object>) -> [c_int] {
        let _ = exceptions::raise_stop_iteration(v.unwrap_or(none_ref()).own());
        0
    }
    fn _PyGen_FetchStopIterationValue(out: *mut *mut PyObject) -> (c_int, -1) {
        if errors::occurred() && !errors::matches(exc::StopIteration()) {
            return Err(Raised::already_set());
        }
        *out = exceptions::take_stop_iteration_value().unwrap_or_else(none).into_raw();
        Ok(0)
    }
}

/// Replaces the exception being handled.
fn set_handled(e: Option<Owned<Object>>) {
    // SAFETY: the thread state's handler stack always has an entry, which owns its value.
    unsafe {
        let item = (*Thread::current_ptr()).exc_info;
        let new = e.filter(|e| !e.is_none()).map_or(null_mut(), Owned::into_raw);
        xdecref(std::mem::replace(&mut (*item).exc_value, new));
    }
}
