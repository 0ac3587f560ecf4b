//! What instructions do when they are not in a hurry: the out-of-line halves of the evaluation loop.

use crate::frame::{self, Frame};
use crate::generator::{self, Sent};
use crate::prelude::*;
use lh_runtime::exc_fields::ExceptionGroup;
use lh_runtime::protocols::{names_and_values, with_room};
use lh_runtime::thread;
use std::cmp::Ordering as Cmp;
use std::ptr::null_mut;
use std::sync::atomic::Ordering;

// ---- The eval breaker ----

/// Does what `EVAL_BREAKER` asks for.
#[cold]
#[inline(never)]
pub fn eval_breaker() -> PyResult<()> {
    let bits = thread::EVAL_BREAKER.load(Ordering::SeqCst);
    if bits & thread::BREAK_JIT != 0 {
        thread::EVAL_BREAKER.fetch_and(!thread::BREAK_JIT, Ordering::SeqCst);
        crate::jit::attend();
    }
    if bits & thread::BREAK_GC != 0 {
        lh_runtime::gc::run_if_due();
    }
    if bits & (thread::BREAK_SIGNAL | thread::BREAK_PENDING) != 0 {
        lh_runtime::hooks::run_signals_and_pending()?;
    }
    if bits & thread::BREAK_GIL != 0 {
        thread::gil_yield();
    }
    if bits & thread::BREAK_ASYNC_EXC != 0 {
        // SAFETY: the current thread's own field.
        unsafe {
            let ts = Thread::current_ptr();
            let e = std::mem::replace(&mut (*ts).async_exc, null_mut());
            let mut others = false;
            thread::for_each(|t| others |= !(*t).async_exc.is_null());
            if !others {
                thread::EVAL_BREAKER.fetch_and(!thread::BREAK_ASYNC_EXC, Ordering::SeqCst);
            }
            if let Some(e) = Owned::<Object>::from_raw_opt(e) {
                return Err(lh_runtime::errors::set_object(&e, None));
            }
        }
    }
    Ok(())
}

// ---- Variables ----

#[cold]
pub unsafe fn unbound_local(f: *mut Frame, i: usize) {
    // SAFETY: a running frame.
    unsafe {
        let name = frame::code_ref(f).localsplusnames().item_ref(i).downcast_unchecked::<Str>();
        let text = format!(
            "cannot access local variable '{}' where it is not associated with a value",
            name.to_str_lossy()
        );
        let _ = lh_runtime::exceptions::raise_name_error(exc::UnboundLocalError(), name, &text);
    }
}
#[cold]
pub unsafe fn unbound_deref(f: *mut Frame, i: usize) {
    // SAFETY: a running frame.
    unsafe {
        let code = frame::code_ref(f);
        if code.localspluskinds()[i] & FAST_FREE == 0 {
            return unbound_local(f, i);
        }
        let name = code.localsplusnames().item_ref(i).downcast_unchecked::<Str>();
        let text = format!(
            "cannot access free variable '{}' where it is not associated with a value in enclosing scope",
            name.to_str_lossy()
        );
        let _ = lh_runtime::exceptions::raise_name_error(exc::NameError(), name, &text);
    }
}
#[cold]
fn name_error(name: &Object) -> Raised {
    match name.downcast::<Str>() {
        Some(s) => {
            let text = format!("name '{}' is not defined", s.to_str_lossy());
            lh_runtime::exceptions::raise_name_error(exc::NameError(), s, &text)
        }
        None => raised!(NameError, "name is not defined"),
    }
}

/// `None` instead of `KeyError`, for dicts and other mappings.
fn mapping_get(m: &Object, key: &Object) -> PyResult<Option<Owned<Object>>> {
    match m.downcast_exact::<Dict>() {
        Some(d) => d.get_item(key),
        None => catching(exc::KeyError(), || m.get_item(key)),
    }
}

unsafe fn frame_locals<'a>(f: *mut Frame, what: &str, name: &Object) -> PyResult<&'a Object> {
    // SAFETY: a running frame.
    match unsafe { Object::from_ptr_opt((*f).locals) } {
        Some(l) => Ok(l),
        None => raise!(SystemError, "no locals when {} {}", what, name.repr_lossy()),
    }
}

pub unsafe fn load_global(f: *mut Frame, name: &Object) -> PyResult {
    // SAFETY: a running frame.
    unsafe {
        if let Some(v) = mapping_get(r((*f).globals), name)? {
            return Ok(v);
        }
        match mapping_get(r((*f).builtins), name)? {
            Some(v) => Ok(v),
            None => Err(name_error(name)),
        }
    }
}
pub unsafe fn load_name(f: *mut Frame, name: &Object) -> PyResult {
    // SAFETY: a running frame.
    unsafe {
        let l = frame_locals(f, "loading", name)?;
        match mapping_get(l, name)? {
            Some(v) => Ok(v),
            None => load_global(f, name),
        }
    }
}
pub unsafe fn store_name(f: *mut Frame, name: &Object, v: &Object) -> PyResult<()> {
    // SAFETY: a running frame.
    let l = unsafe { frame_locals(f, "storing", name)? };
    match l.downcast_exact::<Dict>() {
        Some(d) => d.set_item(name, v),
        None => l.set_item_of(name, v),
    }
}
pub unsafe fn delete_name(f: *mut Frame, name: &Object) -> PyResult<()> {
    // SAFETY: a running frame.
    let l = unsafe { frame_locals(f, "deleting", name)? };
    match l.del_item_of(name) {
        Err(e) if e.matches(exc::KeyError()) => {
            e.clear();
            Err(name_error(name))
        }
        other => other,
    }
}
pub unsafe fn delete_global(f: *mut Frame, name: &Object) -> PyResult<()> {
    // SAFETY: a running frame.
    let g = unsafe { r((*f).globals).downcast_unchecked::<Dict>() };
    if g.del_item(name)? { Ok(()) } else { Err(name_error(name)) }
}
pub unsafe fn load_classderef(f: *mut Frame, i: usize) -> PyResult {
    // SAFETY: a running frame of a class body.
    unsafe {
        let name = frame::code_ref(f).localsplusnames().item_ref(i);
        let l = frame_locals(f, "loading", name)?;
        if let Some(v) = mapping_get(l, name)? {
            return Ok(v);
        }
        let cell = r(*frame::localsplus(f).add(i)).downcast_unchecked::<CellObject>();
        match cell.get() {
            Some(v) => Ok(v),
            None => {
                unbound_deref(f, i);
                Err(Raised::already_set())
            }
        }
    }
}
pub unsafe fn setup_annotations(f: *mut Frame) -> PyResult<()> {
    let name = intern!("__annotations__");
    // SAFETY: a running frame.
    let Some(l) = (unsafe { Object::from_ptr_opt((*f).locals) }) else {
        return raise!(SystemError, "no locals found when setting up annotations");
    };
    if mapping_get(l, name)?.is_none() {
        l.set_item_of(name, &Dict::new())?;
    }
    Ok(())
}
pub unsafe fn load_build_class(f: *mut Frame) -> PyResult {
    // SAFETY: a running frame.
    match mapping_get(unsafe { r((*f).builtins) }, intern!("__build_class__"))? {
        Some(v) => Ok(v),
        None => raise!(NameError, "__build_class__ not found"),
    }
}

// ---- Operators ----

pub fn unary(opcode: u8, v: &Object) -> PyResult {
    match opcode {
        op::UNARY_NEGATIVE => lh_runtime::number::negative(v),
        op::UNARY_POSITIVE => lh_runtime::number::positive(v),
        _ => lh_runtime::number::invert(v),
    }
}

/// The value of an int of at most one digit.
#[inline(always)]
unsafe fn one_digit(o: *mut PyObject) -> Option<i64> {
    // SAFETY: an exact int.
    unsafe {
        let i = o.cast::<PyLongObject>();
        match (*i).ob_base.ob_size {
            0 => Some(0),
            1 => Some((*i).ob_digit[0] as i64),
            -1 => Some(-((*i).ob_digit[0] as i64)),
            _ => None,
        }
    }
}
/// The value of an int of at most two digits.
#[inline(always)]
unsafe fn two_digits(o: *mut PyObject) -> Option<i64> {
    // SAFETY: an exact int.
    unsafe {
        let i = o.cast::<PyLongObject>();
        let d = (&raw const (*i).ob_digit).cast::<u32>();
        match (*i).ob_base.ob_size {
            0 => Some(0),
            1 => Some(*d as i64),
            -1 => Some(-(*d as i64)),
            2 => Some(*d as i64 | (*d.add(1) as i64) << 30),
            -2 => Some(-(*d as i64 | (*d.add(1) as i64) << 30)),
            _ => None,
        }
    }
}
/// Orders two exact ints that are small enough.
#[inline(always)]
pub unsafe fn compare_small(a: *mut PyObject, b: *mut PyObject) -> Option<Cmp> {
    // SAFETY: exact ints.
    unsafe { Some(two_digits(a)?.cmp(&two_digits(b)?)) }
}
#[inline(always)]
pub unsafe fn int_arith(opcode: u8, a: *mut PyObject, b: *mut PyObject) -> *mut PyObject {
    // SAFETY: exact ints.
    unsafe {
        match opcode {
            quick::BINARY_OP_ADD_INT => {
                if let (Some(x), Some(y)) = (two_digits(a), two_digits(b)) {
                    return Int::from_i64(x + y).into_raw();
                }
                raw(lh_runtime::number::binary_op(0, r(a), r(b)))
            }
            quick::BINARY_OP_SUB_INT => {
                if let (Some(x), Some(y)) = (two_digits(a), two_digits(b)) {
                    return Int::from_i64(x - y).into_raw();
                }
                raw(lh_runtime::number::binary_op(10, r(a), r(b)))
            }
            _ => {
                if let (Some(x), Some(y)) = (one_digit(a), one_digit(b)) {
                    return Int::from_i64(x * y).into_raw();
                }
                raw(lh_runtime::number::binary_op(5, r(a), r(b)))
            }
        }
    }
}
#[inline(always)]
pub unsafe fn drop_int(o: *mut PyObject) {
    // SAFETY: the caller's count.
    unsafe { decref(o) }
}

/// `d[k]` for an exact dict.
pub fn dict_item(d: &Object, k: &Object) -> PyResult {
    // SAFETY: the caller checked the type.
    let dict = unsafe { d.downcast_unchecked::<Dict>() };
    match dict.get_item(k)? {
        Some(v) => Ok(v),
        None => Err(lh_runtime::dictobject::key_error(k)),
    }
}

// ---- Attributes ----

#[inline]
pub unsafe fn get_attr(o: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: live objects; names in code are strings.
    unsafe { raw(r(o).get_attr(r(name).downcast_unchecked::<Str>())) }
}

/// LOAD_METHOD: the attribute, and whether it is a function to be called with `o` as its first argument.
pub unsafe fn get_method(o: *mut PyObject, name: *mut PyObject) -> (*mut PyObject, bool) {
    // SAFETY: live objects; names in code are strings.
    unsafe {
        let t = (*o).ob_type;
        let n = r(name).downcast_unchecked::<Str>();
        if (*t).tp_getattro.map(|f| f as usize)
            != Some(lh_runtime::typeobject::generic_getattro as *const () as usize)
        {
            return (get_attr(o, name), false);
        }
        match lh_runtime::protocols::plain_method(r(o), n) {
            Ok(Some(f)) => (f.into_raw(), true),
            Ok(None) => (get_attr(o, name), false),
            Err(_) => (null_mut(), false),
        }
    }
}

// ---- Calls ----

#[inline]
pub unsafe fn vectorcall(
    callee: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the vectorcall protocol.
    unsafe { r(callee).vectorcall(args, nargsf, kwnames) }
}

/// `module.qualname()`-style text of a callable, for messages.
pub fn function_str(f: &Object) -> String {
    let get = || -> PyResult<String> {
        let Some(q) = f.get_attr_opt(intern!("__qualname__"))? else {
            return Ok(f.str()?.to_str_lossy().into_owned());
        };
        let q = q.str()?.to_str_lossy().into_owned();
        if let Some(m) = f.get_attr_opt(intern!("__module__"))?
            && !m.is_none()
        {
            let m = m.str()?.to_str_lossy().into_owned();
            if m != "builtins" {
                return Ok(format!("{m}.{q}()"));
            }
        }
        Ok(format!("{q}()"))
    };
    match get() {
        Ok(s) => s,
        Err(e) => {
            e.clear();
            "?".into()
        }
    }
}

/// The arguments of CALL_FUNCTION_EX as a tuple and a dict. Takes over `args` and `kwargs` (may be null).
#[inline(always)]
pub unsafe fn prepare_call_ex(
    callee: *mut PyObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> PyResult<(Owned<Tuple>, Option<Owned<Dict>>)> {
    // SAFETY: owned references.
    unsafe {
        let args = Owned::<Object>::from_raw(args);
        let kwargs = Owned::<Object>::from_raw_opt(kwargs);
        if args.is_exact::<Tuple>() && kwargs.as_ref().is_none_or(|k| k.is_exact::<Dict>()) {
            return Ok((args.cast_unchecked(), kwargs.map(|k| k.cast_unchecked())));
        }
        prepare_odd_call_ex(r(callee), args, kwargs)
    }
}
#[inline(never)]
unsafe fn prepare_odd_call_ex(
    callee: &Object,
    args: Owned<Object>,
    kwargs: Option<Owned<Object>>,
) -> PyResult<(Owned<Tuple>, Option<Owned<Dict>>)> {
    // SAFETY: live types.
    unsafe {
        let kwargs = match kwargs {
            None => None,
            Some(k) => match k.downcast_owned::<Dict>() {
                Ok(d) if d.is_exact::<Dict>() => Some(d),
                other => {
                    let k = match other {
                        Ok(d) => d.into_object(),
                        Err(o) => o,
                    };
                    let d = Dict::new();
                    dict_merge(&d, &k, callee)?;
                    Some(d)
                }
            },
        };
        if let Some(t) = args.downcast_exact::<Tuple>() {
            return Ok((t.own(), kwargs));
        }
        if (*args.ob_type()).tp_iter.is_none() && !lh_runtime::protocols::is_sequence(&args) {
            return raise!(
                TypeError,
                "{} argument after * must be an iterable, not {}",
                function_str(callee),
                args.ty().name()
            );
        }
        Ok((Tuple::from_iterable(&args)?, kwargs))
    }
}

/// Is the callable a Python function, or a method bound to one?
#[inline(always)]
pub unsafe fn is_python_call(callee: *mut PyObject) -> bool {
    // SAFETY: a live callable.
    unsafe {
        let c = r(callee);
        c.is_exact::<Function>()
            || c.is_exact::<Method>() && r((*callee.cast::<PyMethodObject>()).im_func).is_exact::<Function>()
    }
}

/// The frame for calling a Python function, or a method bound to one, with a tuple and a dict. Takes over the reference to `func`.
pub unsafe fn frame_for_call_ex(
    ts: *mut PyThreadState,
    func: *mut PyObject,
    args: &Tuple,
    kwargs: Option<&Dict>,
) -> *mut Frame {
    // SAFETY: a function; every argument gets its own count.
    unsafe {
        let (mut func, mut first) = (func.cast::<PyFunctionObject>(), null_mut());
        if r(func.cast()).is_exact::<Method>() {
            let m = func.cast::<PyMethodObject>();
            func = (*m).im_func.cast();
            first = (*m).im_self;
            incref(func.cast());
            incref(first);
            decref(m.cast());
        }
        let mut locals = null_mut();
        if (*(*func).func_code.cast::<PyCodeObject>()).co_flags & CO_OPTIMIZED == 0 {
            locals = (*func).func_globals;
            incref(locals);
        }
        let before = !first.is_null() as usize;
        let n = before + args.len();
        let kwargs = kwargs.filter(|d| d.len() > 0);
        if kwargs.is_none() && before == 0 {
            let v = args.as_slice_raw();
            v.iter().for_each(|p| incref(*p));
            return crate::bind::frame_for_call(ts, func, locals, v.as_ptr(), n, null_mut());
        }
        with_room(n + kwargs.map_or(0, |d| d.len()), |v| {
            if before != 0 {
                v[0] = first;
            }
            for (to, p) in v[before..].iter_mut().zip(args.as_slice_raw()) {
                incref(*p);
                *to = *p;
            }
            let Some(kwargs) = kwargs else {
                return crate::bind::frame_for_call(ts, func, locals, v.as_ptr(), n, null_mut());
            };
            let Ok(names) = names_and_values(kwargs, &mut v[n..]) else {
                v[..n].iter().for_each(|p| decref(*p));
                decref(func.cast());
                xdecref(locals);
                return null_mut();
            };
            crate::bind::frame_for_call(ts, func, locals, v.as_ptr(), n, names.ptr())
        })
    }
}

// ---- Iteration ----

pub unsafe fn yield_from_iter(f: *mut Frame, v: &Object) -> PyResult {
    // SAFETY: a running frame and a live object.
    unsafe {
        if generator::is_coro(v.as_ptr()) {
            if (*(*f).code).co_flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE) == 0 {
                return raise!(
                    TypeError,
                    "cannot 'yield from' a coroutine object in a non-coroutine generator"
                );
            }
            return Ok(v.own());
        }
        if generator::is_exact_gen(v.as_ptr()) {
            return Ok(v.own());
        }
        v.iterator()
    }
}

/// `PyIter_Send`.
pub fn iter_send(it: &Object, v: &Object) -> PyResult<Sent> {
    // SAFETY: slots of a live object's type, with live arguments.
    unsafe {
        if generator::is_exact_gen(it.as_ptr()) || generator::is_coro(it.as_ptr()) {
            return generator::send_ex(it.as_ptr().cast(), Some(v), false, false);
        }
        if let Some(a) = it.downcast_exact::<crate::asyncgen::ASend>() {
            return a.step(v);
        }
        let t = it.ob_type();
        let am = (*t).tp_as_async;
        if !am.is_null()
            && let Some(f) = (*am).am_send
        {
            let mut res = null_mut();
            return match f(it.as_ptr(), v.as_ptr(), &mut res) {
                PYGEN_NEXT => Ok(Sent::Yielded(from_c(res)?)),
                PYGEN_RETURN => Ok(Sent::Returned(from_c(res)?)),
                _ => Err(Raised::already_set()),
            };
        }
        send_to_iterator(it, v, || ())
    }
}
/// SEND by `tp_iternext` or the method: what takes part in tracing (`stopped`: a StopIteration is pending), and all other iterators.
pub fn send_to_iterator(it: &Object, v: &Object, stopped: impl FnOnce()) -> PyResult<Sent> {
    let res = if v.is_none() && lh_runtime::protocols::is_iterator(it) {
        it.iter_next_raw()
    } else {
        it.call_method("send", &[v]).map(Some)
    };
    match res {
        Ok(Some(x)) => Ok(Sent::Yielded(x)),
        Ok(None) => Ok(Sent::Returned(none())),
        Err(e) => {
            if e.matches(exc::StopIteration()) {
                stopped();
                return match lh_runtime::exceptions::take_stop_iteration_value() {
                    Some(v) => Ok(Sent::Returned(v)),
                    None => Err(Raised::already_set()),
                };
            }
            Err(e)
        }
    }
}

/// `tp_iternext` with a `StopIteration` left as it is.
trait IterRaw {
    fn iter_next_raw(&self) -> PyResult<Option<Owned<Object>>>;
}
impl IterRaw for Object {
    fn iter_next_raw(&self) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: an iterator has the slot.
        unsafe {
            let f = (*self.ob_type()).tp_iternext.expect("an iterator");
            match Owned::from_raw_opt(f(self.as_ptr())) {
                Some(v) => Ok(Some(v)),
                None if lh_runtime::errors::occurred() => Err(Raised::already_set()),
                None => Ok(None),
            }
        }
    }
}

pub fn get_awaitable(v: &Object, arg: usize) -> PyResult {
    let it = match generator::awaitable_iter(v) {
        Ok(it) => it,
        Err(e) => {
            // SAFETY: a live object's type.
            let lacks = unsafe {
                let am = (*v.ob_type()).tp_as_async;
                am.is_null() || (*am).am_await.is_none()
            };
            if lacks && (arg == 1 || arg == 2) {
                e.clear();
                let m = if arg == 1 { "__aenter__" } else { "__aexit__" };
                return raise!(
                    TypeError,
                    "'async with' received an object from {} that does not implement __await__: {}",
                    m,
                    v.ty().name()
                );
            }
            return Err(e);
        }
    };
    // SAFETY: a live object.
    unsafe {
        if generator::is_coro(it.ptr()) && generator::yield_from(it.ptr().cast()).is_some() {
            return raise!(RuntimeError, "coroutine is being awaited already");
        }
    }
    Ok(it)
}

pub fn get_aiter(v: &Object) -> PyResult {
    // SAFETY: slots of live objects' types.
    unsafe {
        let am = (*v.ob_type()).tp_as_async;
        let f = if am.is_null() { None } else { (*am).am_aiter };
        let Some(f) = f else {
            return raise!(
                TypeError,
                "'async for' requires an object with __aiter__ method, got {}",
                v.ty().name()
            );
        };
        let it: Owned<Object> = from_c(f(v.as_ptr()))?;
        let am = (*it.ob_type()).tp_as_async;
        if am.is_null() || (*am).am_anext.is_none() {
            return raise!(
                TypeError,
                "'async for' received an object from __aiter__ that does not implement __anext__: {}",
                it.ty().name()
            );
        }
        Ok(it)
    }
}

pub fn get_anext(v: &Object) -> PyResult {
    // SAFETY: slots of live objects' types.
    unsafe {
        let am = (*v.ob_type()).tp_as_async;
        let f = if am.is_null() { None } else { (*am).am_anext };
        let Some(f) = f else {
            return raise!(
                TypeError,
                "'async for' requires an iterator with __anext__ method, got {}",
                v.ty().name()
            );
        };
        let next: Owned<Object> = from_c(f(v.as_ptr()))?;
        if generator::is_async_gen(v.as_ptr()) {
            return Ok(next);
        }
        match generator::awaitable_iter(&next) {
            Ok(a) => Ok(a),
            Err(e) => {
                let cause = e.take();
                let new = raised!(
                    TypeError,
                    "'async for' received an invalid object from __anext__: {}",
                    next.ty().name()
                )
                .take();
                new.set_cause(Some((*cause).as_object().own()));
                new.set_context(Some(cause.into_object()));
                Err(lh_runtime::errors::raise_exc(new))
            }
        }
    }
}

/// Exactly `n` items of `v`, or with `after` at least `n + after`: then the middle ones become a list.
pub fn unpack(v: &Object, n: usize, after: Option<usize>) -> PyResult<Vec<Owned<Object>>> {
    if after.is_none()
        && let Some(l) = v.downcast_exact::<List>()
        && l.len() == n
    {
        return Ok(l.to_vec());
    }
    let it = match v.iterator() {
        Ok(it) => it,
        Err(e) => {
            // SAFETY: a live object's type.
            let no_iter = unsafe { (*v.ob_type()).tp_iter.is_none() };
            if e.matches(exc::TypeError()) && no_iter && !lh_runtime::protocols::is_sequence(v) {
                e.clear();
                return raise!(TypeError, "cannot unpack non-iterable {} object", v.ty().name());
            }
            return Err(e);
        }
    };
    let mut items = Vec::with_capacity(n + 1);
    while items.len() < n {
        match it.iter_next()? {
            Some(x) => items.push(x),
            None => {
                return match after {
                    None => {
                        raise!(
                            ValueError,
                            "not enough values to unpack (expected {}, got {})",
                            n,
                            items.len()
                        )
                    }
                    Some(a) => raise!(
                        ValueError,
                        "not enough values to unpack (expected at least {}, got {})",
                        n + a,
                        items.len()
                    ),
                };
            }
        }
    }
    let Some(after) = after else {
        return match it.iter_next()? {
            None => Ok(items),
            Some(_) => raise!(ValueError, "too many values to unpack (expected {})", n),
        };
    };
    let mut rest = it.to_items()?;
    if rest.len() < after {
        return raise!(
            ValueError,
            "not enough values to unpack (expected at least {}, got {})",
            n + after,
            n + rest.len()
        );
    }
    let tail = rest.split_off(rest.len() - after);
    items.push(List::from_vec(rest).into_object());
    items.extend(tail);
    Ok(items)
}

// ---- Exceptions ----

/// Sets an exception again, with its own traceback. Takes over the reference.
pub unsafe fn restore_exception(e: *mut PyObject) {
    // SAFETY: an owned exception instance.
    unsafe {
        let e = Owned::<Object>::from_raw(e);
        match e.downcast_owned::<Exception>() {
            Ok(e) => {
                let _ = lh_runtime::errors::raise_exc(e);
            }
            Err(o) => {
                let _ = raised!(SystemError, "not an exception: {}", o.ty().name());
            }
        }
    }
}

fn is_exception_class(o: &Object) -> bool {
    o.downcast::<Type>().is_some_and(|t| t.is_subtype(exc::BaseException()))
}

/// The `raise` statement. True: re-raised the handled exception with its traceback.
pub unsafe fn raise_stmt(
    ts: *mut PyThreadState,
    e: Option<Owned<Object>>,
    cause: Option<Owned<Object>>,
) -> bool {
    let _ = ts;
    let Some(e) = e else {
        let Some(h) = lh_runtime::exceptions::handled_exception() else {
            let _ = raised!(RuntimeError, "No active exception to reraise");
            return false;
        };
        let _ = lh_runtime::errors::raise_exc(h);
        return true;
    };
    let _ = raise_object(e, cause);
    false
}

fn instantiate(c: &Object) -> PyResult<Owned<Exception>> {
    let v = c.call0()?;
    match v.downcast_owned::<Exception>() {
        Ok(e) => Ok(e),
        Err(v) => raise!(
            TypeError,
            "calling {} should have returned an instance of BaseException, not {}",
            c.repr()?.to_str_lossy(),
            v.ty().repr()?.to_str_lossy()
        ),
    }
}

fn raise_object(e: Owned<Object>, cause: Option<Owned<Object>>) -> PyResult<()> {
    let value = if is_exception_class(&e) {
        instantiate(&e)?
    } else {
        match e.downcast_owned::<Exception>() {
            Ok(e) => e,
            Err(_) => return raise!(TypeError, "exceptions must derive from BaseException"),
        }
    };
    if let Some(c) = cause {
        let c = if is_exception_class(&c) {
            Some(c.call0()?)
        } else if c.is_instance_of::<Exception>() {
            Some(c)
        } else if c.is_none() {
            None
        } else {
            return raise!(TypeError, "exception causes must derive from BaseException");
        };
        value.set_cause(c);
    }
    Err(lh_runtime::errors::raise_exc_with_context(value))
}

const CANNOT_CATCH: &str = "catching classes that do not inherit from BaseException is not allowed";

pub fn check_catchable(t: &Object) -> PyResult<()> {
    let ok = match t.downcast::<Tuple>() {
        Some(t) => t.iter().all(is_exception_class),
        None => is_exception_class(t),
    };
    if ok { Ok(()) } else { raise!(TypeError, "{}", CANNOT_CATCH) }
}

fn check_star_catchable(t: &Object) -> PyResult<()> {
    check_catchable(t)?;
    let is_group = |c: &Object| c.is_subclass(exc::BaseExceptionGroup());
    let bad = match t.downcast::<Tuple>() {
        Some(t) => {
            let mut any = false;
            for c in t.iter() {
                any |= is_group(c)?;
            }
            any
        }
        None => is_group(t)?,
    };
    if bad {
        return raise!(TypeError, "catching ExceptionGroup with except* is not allowed. Use except instead.");
    }
    Ok(())
}

/// CHECK_EG_MATCH: the part of `e` that matches, and the rest; `None`s where there is nothing.
pub fn group_match(e: &Object, t: &Object) -> PyResult<(Owned<Object>, Owned<Object>)> {
    check_star_catchable(t)?;
    if e.is_none() {
        return Ok((none(), none()));
    }
    if given_matches(e, t) {
        if e.is_instance_of::<ExceptionGroup>() {
            return Ok((e.own(), none()));
        }
        // A naked exception is wrapped.
        let g = lh_runtime::exc_fields::exception_group_type()
            .call(&[&*Str::new(""), &Tuple::from_vec(vec![e.own()])])?;
        if let (Some(g), Some(e)) = (g.downcast::<Exception>(), e.downcast::<Exception>()) {
            g.set_traceback(e.traceback().as_deref());
        }
        return Ok((g, none()));
    }
    if let Some(g) = e.downcast::<ExceptionGroup>() {
        let (m, rest) = g.split_type(t)?;
        return Ok((m.unwrap_or_else(none), rest.unwrap_or_else(none)));
    }
    Ok((none(), e.own()))
}

fn same_metadata(a: &Object, b: &Object) -> bool {
    let (Some(a), Some(b)) = (a.downcast::<Exception>(), b.downcast::<Exception>()) else { return false };
    let same = |x: Option<Owned>, y: Option<Owned>| x.map(|o| o.ptr()) == y.map(|o| o.ptr());
    // SAFETY: plain fields of live exceptions.
    let notes = unsafe { (*a.as_struct()).notes == (*b.as_struct()).notes };
    notes
        && same(a.traceback(), b.traceback())
        && same(a.cause(), b.cause())
        && same(a.context(), b.context())
}

fn leaves(e: &Object, out: &mut Vec<*mut PyObject>) -> PyResult<()> {
    if e.is_instance_of::<ExceptionGroup>() {
        for x in e.get_attr(intern!("exceptions"))?.to_items()? {
            leaves(&x, out)?;
        }
    } else {
        out.push(e.as_ptr());
    }
    Ok(())
}

/// The part of group `e` whose leaves are in `keep`.
fn project(e: &ExceptionGroup, keep: &[*mut PyObject]) -> PyResult<Option<Owned<Object>>> {
    let items = e.get_attr(intern!("exceptions"))?.to_items()?;
    let mut kept = vec![];
    let mut all = true;
    for x in &items {
        let part = match x.downcast::<ExceptionGroup>() {
            Some(g) => project(g, keep)?,
            None => keep.contains(&x.ptr()).then(|| x.clone()),
        };
        match part {
            Some(p) => {
                all &= p.is(&**x);
                kept.push(p);
            }
            None => all = false,
        }
    }
    if all {
        return Ok(Some(e.as_object().own()));
    }
    e.subset(kept)
}

/// PREP_RERAISE_STAR: what an `except*` statement raises at its end; `None` for nothing.
pub fn prep_reraise_star(orig: &Object, excs: &Object) -> PyResult {
    let list = excs.to_items()?;
    if list.is_empty() {
        return Ok(none());
    }
    let Some(group) = orig.downcast::<ExceptionGroup>() else {
        // Only one clause can have run for a naked exception.
        return Ok(list[0].clone());
    };
    let (mut raised_, mut keep) = (vec![], vec![]);
    for e in &list {
        if e.is_none() {
            continue;
        }
        if e.is_instance_of::<ExceptionGroup>() && same_metadata(e, orig) {
            leaves(e, &mut keep)?;
        } else {
            raised_.push(e.clone());
        }
    }
    let projected = if keep.is_empty() { None } else { project(group, &keep)? };
    if raised_.is_empty() {
        return Ok(projected.unwrap_or_else(none));
    }
    raised_.extend(projected);
    lh_runtime::exc_fields::exception_group_type().call(&[&*Str::new(""), &List::from_vec(raised_)])
}

/// `__enter__` and `__exit__` (or the asynchronous ones), bound.
pub fn before_with(mgr: &Object, is_async: bool) -> PyResult<(Owned<Object>, Owned<Object>)> {
    let (enter, exit, kind) = if is_async {
        (intern!("__aenter__"), intern!("__aexit__"), "asynchronous context manager")
    } else {
        (intern!("__enter__"), intern!("__exit__"), "context manager")
    };
    let Some(e) = mgr.lookup_special(enter)? else {
        return raise!(TypeError, "'{}' object does not support the {} protocol", mgr.ty().name(), kind);
    };
    let Some(x) = mgr.lookup_special(exit)? else {
        return raise!(
            TypeError,
            "'{}' object does not support the {} protocol (missed {} method)",
            mgr.ty().name(),
            kind,
            exit.to_str_lossy()
        );
    };
    Ok((e, x))
}

/// `with mgr:`: the bound `__exit__`, and what `__enter__` answers, which is not bound if it needn't be.
pub fn enter_with(mgr: &Object) -> PyResult<(Owned<Object>, Owned<Object>)> {
    if let Some(e) = mgr.ty().lookup(intern!("__enter__"))
        && e.ty().has_flag(Py_TPFLAGS_METHOD_DESCRIPTOR)
        && let Some(exit) = mgr.lookup_special(intern!("__exit__"))?
    {
        let given = [std::ptr::null_mut(), mgr.as_ptr()];
        // SAFETY: the array holds the argument behind a spare word.
        let v = unsafe {
            from_c(e.vectorcall(
                given.as_ptr().add(1),
                1 | PY_VECTORCALL_ARGUMENTS_OFFSET,
                std::ptr::null_mut(),
            ))?
        };
        return Ok((exit, v));
    }
    let (enter, exit) = before_with(mgr, false)?;
    let v = enter.call0()?;
    Ok((exit, v))
}

pub fn with_except(exit: &Object, e: &Object) -> PyResult {
    let tb = e.downcast::<Exception>().and_then(|e| e.traceback());
    exit.call(&[e.ty(), e, tb.as_deref().unwrap_or(none_ref())])
}

// ---- Building ----

pub unsafe fn build_list(items: *mut *mut PyObject, n: usize) -> *mut PyObject {
    // SAFETY: the references move from the stack into the list.
    unsafe { List::from_moved(items, n).into_raw() }
}
pub unsafe fn build_set(items: *mut *mut PyObject, n: usize) -> PyResult<Owned<Set>> {
    // SAFETY: the references are dropped here, whatever happens.
    unsafe {
        let v: Vec<Owned<Object>> = (0..n).map(|i| Owned::from_raw(*items.add(i))).collect();
        let s = Set::new();
        for x in &v {
            s.add(x)?;
        }
        Ok(s)
    }
}
pub unsafe fn build_map(items: *mut *mut PyObject, n: usize) -> PyResult<Owned<Dict>> {
    // SAFETY: the references stay on the stack.
    unsafe {
        let d = Dict::new();
        for i in 0..n {
            d.set_item(r(*items.add(2 * i)), r(*items.add(2 * i + 1)))?;
        }
        Ok(d)
    }
}
pub unsafe fn build_string(items: *mut *mut PyObject, n: usize) -> PyResult<Owned<Str>> {
    // SAFETY: the references stay on the stack.
    unsafe {
        let v: Vec<&Object> = (0..n).map(|i| r(*items.add(i))).collect();
        Str::empty().join_refs(&v)
    }
}
pub fn format_value(v: Owned<Object>, conv: usize, spec: Option<Owned<Object>>) -> PyResult {
    let v = match conv {
        1 => v.str()?.into_object(),
        2 => v.repr()?.into_object(),
        3 => v.ascii()?.into_object(),
        _ => v,
    };
    match spec {
        None if v.is_exact::<Str>() => Ok(v),
        None => Ok(v.format(Str::empty())?.into_object()),
        Some(s) => match s.downcast::<Str>() {
            Some(s) => Ok(v.format(s)?.into_object()),
            None => raise!(TypeError, "Format specifier must be a string, not {}", s.ty().name()),
        },
    }
}
pub fn list_extend(l: &List, v: &Object) -> PyResult<()> {
    match l.extend(v) {
        Ok(()) => Ok(()),
        Err(e) => {
            // SAFETY: a live object's type.
            let no_iter = unsafe { (*v.ob_type()).tp_iter.is_none() };
            if e.matches(exc::TypeError()) && no_iter && !lh_runtime::protocols::is_sequence(v) {
                e.clear();
                return raise!(TypeError, "Value after * must be an iterable, not {}", v.ty().name());
            }
            Err(e)
        }
    }
}
pub fn dict_update(d: &Dict, v: &Object) -> PyResult<()> {
    match d.merge(v, true) {
        Err(e) if e.matches(exc::AttributeError()) => {
            e.clear();
            raise!(TypeError, "'{}' object is not a mapping", v.ty().name())
        }
        other => other,
    }
}
/// `f(**a, **b)`: no key twice.
pub fn dict_merge(d: &Dict, v: &Object, callee: &Object) -> PyResult<()> {
    let twice = |k: &Object| -> PyResult<()> {
        raise!(
            TypeError,
            "{} got multiple values for keyword argument '{}'",
            function_str(callee),
            k.str()?.to_str_lossy()
        )
    };
    if let Some(x) = v.downcast_exact::<Dict>() {
        if d.len() == 0 {
            return d.merge_dict(x, true);
        }
        for (k, val) in x.items_vec() {
            if d.contains(&k)? {
                return twice(&k);
            }
            d.set_item(&k, &val)?;
        }
        return Ok(());
    }
    let keys = match v.get_attr(intern!("keys")) {
        Ok(k) => k,
        Err(e) if e.matches(exc::AttributeError()) => {
            e.clear();
            return raise!(
                TypeError,
                "{} argument after ** must be a mapping, not {}",
                function_str(callee),
                v.ty().name()
            );
        }
        Err(e) => return Err(e),
    };
    for k in keys.call0()?.to_items()? {
        if d.contains(&k)? {
            return twice(&k);
        }
        d.set_item(&k, &*v.get_item(&k)?)?;
    }
    Ok(())
}

// ---- Imports ----

pub unsafe fn import_name(f: *mut Frame, name: &Object, from: &Object, level: &Object) -> PyResult {
    // SAFETY: a running frame.
    unsafe {
        let n = name.downcast_unchecked::<Str>();
        let b = r((*f).builtins).downcast_unchecked::<Dict>();
        let locals = Object::from_ptr_opt((*f).locals).unwrap_or(none_ref());
        lh_runtime::import::import_name(b, n, r((*f).globals), locals, from, level)
    }
}

pub fn import_from(m: &Object, name: &Object) -> PyResult {
    let n = name.downcast::<Str>().expect("names are strings");
    if let Some(v) = m.get_attr_opt(n)? {
        return Ok(v);
    }
    // A module that is still being imported may be in sys.modules already.
    let mut package = None;
    if let Some(p) = m.get_attr_opt(intern!("__name__"))?
        && let Some(s) = p.downcast::<Str>()
    {
        let full = s.concat(&Str::new("."))?.concat(n)?;
        if let Some(v) = lh_runtime::sysobject::modules_dict().get_item(&full)? {
            return Ok(v);
        }
        package = Some(p.clone());
    }
    let package_text = package.as_deref().map_or("'<unknown module name>'".to_string(), |p| p.repr_lossy());
    let path = m.get_attr_opt(intern!("__file__"))?.filter(|p| p.is_instance_of::<Str>());
    let text = match &path {
        None => format!("cannot import name {} from {} (unknown location)", n.repr_lossy(), package_text),
        Some(p) => {
            let spec = m.get_attr_opt(intern!("__spec__"))?;
            let initializing = match spec.filter(|s| !s.is_none()) {
                Some(s) => match s.get_attr_opt(intern!("_initializing"))? {
                    Some(i) => i.is_true()?,
                    None => false,
                },
                None => false,
            };
            let p = p.str()?.to_str_lossy().into_owned();
            if initializing {
                format!(
                    "cannot import name {} from partially initialized module {} (most likely due to a circular import) ({})",
                    n.repr_lossy(),
                    package_text,
                    p
                )
            } else {
                format!("cannot import name {} from {} ({})", n.repr_lossy(), package_text, p)
            }
        }
    };
    Err(lh_runtime::exceptions::raise_import_error(
        exc::ImportError(),
        &text,
        package.as_deref(),
        path.as_deref(),
    ))
}

pub unsafe fn import_star(f: *mut Frame, m: &Object) -> PyResult<()> {
    // SAFETY: a running frame.
    unsafe {
        frame::fast_to_locals(f)?;
        let locals = r((*f).locals).own();
        let res = import_all(&locals, m);
        frame::locals_to_fast(f, false);
        res
    }
}

fn import_all(locals: &Object, m: &Object) -> PyResult<()> {
    let (names, skip_private) = match m.get_attr_opt(intern!("__all__"))? {
        Some(a) => (a, false),
        None => {
            let Some(d) = m.get_attr_opt(intern!("__dict__"))? else {
                return raise!(ImportError, "from-import-* object has no __dict__ and no __all__");
            };
            (d.call_method("keys", &[])?.to_items().map(|v| List::from_vec(v).into_object())?, true)
        }
    };
    let mut i = 0;
    loop {
        let name = match names.seq_item(i) {
            Ok(n) => n,
            Err(e) if e.matches(exc::IndexError()) => {
                e.clear();
                return Ok(());
            }
            Err(e) => return Err(e),
        };
        i += 1;
        let Some(n) = name.downcast::<Str>() else {
            let mod_name = m.get_attr(intern!("__name__"))?;
            if !mod_name.is_instance_of::<Str>() {
                return raise!(TypeError, "module __name__ must be a string, not {}", mod_name.ty().name());
            }
            let place = if skip_private { "Key in" } else { "Item in" };
            let attr = if skip_private { "__dict__" } else { "__all__" };
            return raise!(
                TypeError,
                "{} {}.{} must be str, not {}",
                place,
                mod_name.str()?.to_str_lossy(),
                attr,
                name.ty().name()
            );
        };
        if skip_private && !n.is_empty() && n.char_at(0) == u32::from(b'_') {
            continue;
        }
        let v = m.get_attr(n)?;
        match locals.downcast_exact::<Dict>() {
            Some(d) => d.set_item(n, &v)?,
            None => locals.set_item_of(n, &v)?,
        }
    }
}

pub fn print_expr(v: &Object) -> PyResult<()> {
    match lh_runtime::sysobject::sys_get("displayhook") {
        Some(h) => h.call1(v).map(drop),
        None => raise!(RuntimeError, "lost sys.displayhook"),
    }
}

// ---- Patterns ----

/// The values of all keys as a tuple, or `None`.
pub fn match_keys(map: &Object, keys: &Object) -> PyResult {
    let keys = keys.downcast::<Tuple>().expect("keys of a mapping pattern are a tuple");
    if keys.len() == 0 {
        return Ok(Tuple::empty().into_object());
    }
    // `get` with a private default, so that `__missing__` is not asked.
    let get = map.get_attr(intern!("get"))?;
    let seen = Set::new();
    let dummy = Dict::new();
    let mut values = vec![];
    for k in keys.iter() {
        if !seen.add(k)? {
            return raise!(ValueError, "mapping pattern checks duplicate key ({})", k.repr()?.to_str_lossy());
        }
        let v = get.call(&[k, &dummy])?;
        if v.is(&*dummy) {
            return Ok(none());
        }
        values.push(v);
    }
    Ok(Tuple::from_vec(values).into_object())
}

fn match_attr(subject: &Object, t: &Type, name: &Object, seen: &Set) -> PyResult<Option<Owned<Object>>> {
    if !seen.add(name)? {
        return raise!(
            TypeError,
            "{}() got multiple sub-patterns for attribute {}",
            t.name(),
            name.repr()?.to_str_lossy()
        );
    }
    match name.downcast::<Str>() {
        Some(n) => subject.get_attr_opt(n),
        None => raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name()),
    }
}

/// A tuple of the attributes that a class pattern extracts, or `None`.
pub fn match_class(subject: &Object, class: &Object, nargs: usize, kwnames: &Object) -> PyResult {
    let Some(t) = class.downcast::<Type>() else {
        return raise!(TypeError, "called match pattern must be a type");
    };
    if !subject.is_instance(class)? {
        return Ok(none());
    }
    if nargs == 0 && kwnames.downcast_exact::<Tuple>().is_some_and(|k| k.len() == 0) {
        return Ok(Tuple::empty().into_object());
    }
    let seen = Set::new();
    let mut attrs = vec![];
    if nargs > 0 {
        let mut match_self = false;
        let args = match class.get_attr_opt(intern!("__match_args__"))? {
            Some(a) => match a.downcast_owned::<Tuple>() {
                Ok(t) if t.is_exact::<Tuple>() => t,
                Ok(a) => {
                    return raise!(
                        TypeError,
                        "{}.__match_args__ must be a tuple (got {})",
                        t.name(),
                        a.ty().name()
                    );
                }
                Err(a) => {
                    return raise!(
                        TypeError,
                        "{}.__match_args__ must be a tuple (got {})",
                        t.name(),
                        a.ty().name()
                    );
                }
            },
            None => {
                match_self = t.has_flag(_Py_TPFLAGS_MATCH_SELF);
                Tuple::empty()
            }
        };
        let allowed = if match_self { 1 } else { args.len() };
        if allowed < nargs {
            return raise!(
                TypeError,
                "{}() accepts {} positional sub-pattern{} ({} given)",
                t.name(),
                allowed,
                if allowed == 1 { "" } else { "s" },
                nargs
            );
        }
        if match_self {
            attrs.push(subject.own());
        } else {
            for i in 0..nargs {
                let name = args.item_ref(i);
                if !name.is_exact::<Str>() {
                    return raise!(
                        TypeError,
                        "__match_args__ elements must be strings (got {})",
                        name.ty().name()
                    );
                }
                match match_attr(subject, t, name, &seen)? {
                    Some(v) => attrs.push(v),
                    None => return Ok(none()),
                }
            }
        }
    }
    for name in kwnames.downcast::<Tuple>().expect("a tuple of names").iter() {
        match match_attr(subject, t, name, &seen)? {
            Some(v) => attrs.push(v),
            None => return Ok(none()),
        }
    }
    Ok(Tuple::from_vec(attrs).into_object())
}

/// What an `__init__` that a call of its class runs as a frame may answer: `None` (taken over).
pub unsafe fn init_returned(result: *mut PyObject) -> PyResult<()> {
    // SAFETY: an owned result.
    unsafe {
        let v = Owned::<Object>::from_raw(result);
        if v.is_none() {
            return Ok(());
        }
        raise!(TypeError, "__init__() should return None, not '{}'", v.ty().name())
    }
}
