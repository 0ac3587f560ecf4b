//! The error protocol: `PyResult`, the empty token `Raised`, and raising.
//!
//! `Raised` says "an exception is set in the thread state"; it maps one to one onto the C API's NULL-with-error-set. The state is
//! CPython 3.11's triple (`curexc_type`, `curexc_value`, `curexc_traceback`), possibly not yet normalised, because Cython and
//! other extensions read those fields.

use crate::kinds::*;
use crate::object::*;
use crate::thread::Thread;

/// An exception is set in this thread.
#[must_use]
#[derive(Debug)]
pub struct Raised(());

pub type PyResult<T = Owned<Object>> = Result<T, Raised>;

impl Raised {
    /// For code that has just seen a C function fail: the exception must be set.
    #[inline]
    pub fn already_set() -> Raised {
        debug_assert!(occurred(), "a failure was reported with no exception set");
        Raised(())
    }
    /// Does the exception being raised match `exc_type` (a type, e.g. `exc::KeyError()`)?
    pub fn matches(&self, exc_type: &Type) -> bool {
        matches(exc_type)
    }
    /// Takes the (normalised) exception out of the thread state.
    pub fn take(self) -> Owned<Exception> {
        take_raised()
    }
    /// Forgets the exception.
    pub fn clear(self) {
        clear()
    }
}

/// Is an exception set?
#[inline]
pub fn occurred() -> bool {
    // SAFETY: the current thread state is ours while the GIL is held.
    unsafe { !(*Thread::current_ptr()).curexc_type.is_null() }
}

/// The pending exception's triple, taken out of the thread state.
pub fn fetch() -> (Option<Owned>, Option<Owned>, Option<Owned>) {
    // SAFETY: the thread state owns its three references; they move to the caller.
    unsafe {
        let ts = Thread::current_ptr();
        let t = std::mem::replace(&mut (*ts).curexc_type, std::ptr::null_mut());
        let v = std::mem::replace(&mut (*ts).curexc_value, std::ptr::null_mut());
        let tb = std::mem::replace(&mut (*ts).curexc_traceback, std::ptr::null_mut());
        (Owned::from_raw_opt(t), Owned::from_raw_opt(v), Owned::from_raw_opt(tb))
    }
}

/// Sets (or with all `None` clears) the pending exception.
#[inline]
pub fn restore(t: Option<Owned>, v: Option<Owned>, tb: Option<Owned>) {
    let raw = |o: Option<Owned>| o.map_or(std::ptr::null_mut(), Owned::into_raw);
    // SAFETY: the thread state owns its three references, old and new.
    unsafe {
        let ts = Thread::current_ptr();
        let old = ((*ts).curexc_type, (*ts).curexc_value, (*ts).curexc_traceback);
        (*ts).curexc_type = raw(t);
        (*ts).curexc_value = raw(v);
        (*ts).curexc_traceback = raw(tb);
        give_up(old);
    }
}
/// Gives up a triple that was the thread state's.
#[inline(always)]
unsafe fn give_up((t, v, tb): (*mut lh_abi::PyObject, *mut lh_abi::PyObject, *mut lh_abi::PyObject)) {
    // SAFETY: the caller owns the references.
    unsafe {
        if !t.is_null() {
            decref(t);
        }
        if !v.is_null() {
            decref(v);
        }
        if !tb.is_null() {
            decref(tb);
        }
    }
}

pub fn clear() {
    restore(None, None, None)
}

/// Sets an exception that isn't normalised, where nothing is pending or handled: false if something is, `v` is an
/// exception itself or `t` no class of one.
/// New references are taken.
///
/// # Safety
/// `t` is a live object, `v` that or null.
#[inline(always)]
pub unsafe fn quick_set(t: *mut lh_abi::PyObject, v: *mut lh_abi::PyObject) -> bool {
    // SAFETY: the caller's promise; the thread state is ours while the GIL is held.
    unsafe {
        let ts = Thread::current_ptr();
        let none = &raw mut crate::singletons::_Py_NoneStruct;
        let handled = (*ts).exc_info;
        let pending =
            [(*ts).curexc_type, (*ts).curexc_value, (*ts).curexc_traceback, (*handled).previous_item.cast()];
        // One test for all of them.
        let busy = pending.iter().fold(0, |a, p| a | *p as usize);
        let h = (*handled).exc_value as usize;
        if busy != 0 || h != 0 && h != none as usize {
            core::hint::cold_path();
            return false;
        }
        let class = (*(*t).ob_type).tp_flags & lh_abi::Py_TPFLAGS_TYPE_SUBCLASS != 0
            && (*t.cast::<lh_abi::PyTypeObject>()).tp_flags & lh_abi::Py_TPFLAGS_BASE_EXC_SUBCLASS != 0;
        if !class || !v.is_null() && Exception::check(Object::from_ptr(v)) {
            core::hint::cold_path();
            return false;
        }
        incref(t);
        xincref(v);
        (*ts).curexc_type = t;
        (*ts).curexc_value = v;
        true
    }
}
/// Sets an exception of type `t` with value `v` (not yet normalised), chaining the handled one as its context.
pub fn set_object(t: &Object, v: Option<Owned>) -> Raised {
    crate::exceptions::set_with_context(t, v);
    Raised(())
}

/// Raises an exception instance.
pub fn raise_exc(e: Owned<Exception>) -> Raised {
    let t = (*e).ty().own().into_object();
    let tb = e.traceback();
    restore(Some(t), Some(e.into_object()), tb);
    Raised(())
}

/// As `raise_exc`, chaining the exception being handled as its context.
pub fn raise_exc_with_context(e: Owned<Exception>) -> Raised {
    let t = (*e).ty().own();
    set_object(&t, Some(e.into_object()))
}

#[cold]
#[inline(never)]
pub fn raise_fmt(t: &Type, args: std::fmt::Arguments<'_>) -> Raised {
    let text = args.to_string();
    let s = Str::new(&text);
    set_object(t, Some(s.into_object()))
}

/// Runs `f` out of line: what makes an error message would cost the function that seldom needs it registers and stack.
#[cold]
#[inline(never)]
pub fn aside<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// Raises `$exc` (a name in `exc`, e.g. `TypeError`) with a formatted message; evaluates to `Err(Raised)`.
#[macro_export]
macro_rules! raise {
    ($exc:ident, $($arg:tt)+) => {
        $crate::errors::aside(|| {
            Err($crate::errors::raise_fmt($crate::exceptions::exc::$exc(), format_args!($($arg)+)))
        })
    };
    ($exc:ident) => {
        Err($crate::errors::set_object($crate::exceptions::exc::$exc(), None))
    };
}

/// `raise!` whose value is the `Raised` token itself.
#[macro_export]
macro_rules! raised {
    ($exc:ident, $($arg:tt)+) => {
        $crate::errors::raise_fmt($crate::exceptions::exc::$exc(), format_args!($($arg)+))
    };
}

/// Does the pending exception match `exc_type`?
pub fn matches(exc_type: &Type) -> bool {
    // SAFETY: curexc_type is null or a live object.
    unsafe {
        let t = (*Thread::current_ptr()).curexc_type;
        !t.is_null() && given_matches(Object::from_ptr(t), exc_type)
    }
}

/// `given_matches` of two classes, or where `err` is null; `None`: something else.
///
/// # Safety
/// Each is null or a live object.
#[inline(always)]
pub unsafe fn quick_matches(err: *mut lh_abi::PyObject, exc: *mut lh_abi::PyObject) -> Option<bool> {
    // SAFETY: the caller's promise.
    unsafe {
        if err.is_null() || exc.is_null() {
            return (!exc.is_null()).then_some(false);
        }
        let (e, x) = (Object::from_ptr(err), Object::from_ptr(exc));
        if !Type::check(x) {
            return None;
        }
        if err == exc {
            return Some(true);
        }
        let class = if Type::check(e) {
            err.cast()
        } else if Exception::check(e) {
            e.ob_type()
        } else {
            return None;
        };
        by_mro(class, exc.cast())
    }
}

/// `PyErr_GivenExceptionMatches`: `err` is a class or an instance, `exc` a class or a tuple of them.
pub fn given_matches(err: &Object, exc: &Object) -> bool {
    if err.is(exc) && Type::check(exc) {
        return true;
    }
    if let (Some(c), Some(e)) = (err.downcast::<Type>(), exc.downcast::<Type>()) {
        return c.is_subtype(e);
    }
    if let Some(t) = exc.downcast::<Tuple>() {
        return (0..t.len()).any(|i| given_matches(err, &t.get(i)));
    }
    let class = if Exception::check(err) { err.ty().as_object() } else { err };
    match (class.downcast::<Type>(), exc.downcast::<Type>()) {
        (Some(c), Some(e)) => c.is_subtype(e),
        _ => class.is(exc),
    }
}

/// Takes the pending exception out of the thread state, normalised, its traceback stored in it.
pub fn take_raised() -> Owned<Exception> {
    if !occurred() {
        // A C slot or getter failed without saying why.
        let _ = raised!(SystemError, "error return without exception set");
    }
    let (t, v, tb) = fetch();
    let t = t.expect("an exception is set");
    crate::exceptions::normalize(t, v, tb)
}

/// Runs `f`; if it raises `exc_type`, forgets that and answers `None`.
pub fn catching<R>(exc_type: &Type, f: impl FnOnce() -> PyResult<R>) -> PyResult<Option<R>> {
    match f() {
        Ok(x) => Ok(Some(x)),
        Err(e) if e.matches(exc_type) => {
            e.clear();
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

/// Keeps the pending exception aside while `f` runs.
pub fn preserving<R>(f: impl FnOnce() -> R) -> R {
    let (t, v, tb) = fetch();
    let r = f();
    restore(t, v, tb);
    r
}

/// Raises `OSError` (or its subclass) for `errno`, with an optional file name.
pub fn raise_errno(errno: i32, filename: Option<&Object>) -> Raised {
    crate::exceptions::raise_os_error(errno, filename, None)
}

/// `raise_errno` for the C library's current `errno`.
pub fn raise_last_os_error() -> Raised {
    raise_errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(0), None)
}

/// `PyErr_WriteUnraisable`: reports the pending exception through `sys.unraisablehook`.
pub fn write_unraisable(context: Option<&Object>, message: Option<&str>) {
    crate::exceptions::write_unraisable(context, message)
}
/// `SystemError: bad argument to internal function`.
pub fn bad_internal_call() -> Raised {
    raised!(SystemError, "bad argument to internal function")
}
