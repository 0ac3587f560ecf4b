//! Handlers for calls and returns.

use super::*;
use crate::{bind, ops, specialize};

/// Enters `nf`, a frame just made, from the CALL whose last cache unit is at `last`.
macro_rules! enter {
    ($nf:expr, $last:expr, $sp:expr, $f:expr, $cx:expr) => {{
        let (nf, f, cx): (*mut Frame, *mut Frame, *mut Context) = ($nf, $f, $cx);
        (*f).prev_instr = $last;
        (*f).stacktop = $sp.offset_from(frame::localsplus(f)) as i32;
        (*nf).previous = f;
        (*(*cx).cframe).current_frame = nf.cast();
        (*(*cx).ts).recursion_remaining -= 1;
        let sp = frame::localsplus(nf).add((*nf).stacktop as usize);
        let pc = (*nf).prev_instr.add(1);
        (*nf).stacktop = -1;
        next!(pc, sp, nf, cx, consts(nf))
    }};
}

/// The subscript of an instance whose class has a `__getitem__` written in Python.
pub(super) unsafe extern "C" fn subscr_py(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract; the class's version says which function that is.
    unsafe {
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        let t = (*a).ob_type;
        let version = specialize::read_u32(pc.add(2));
        if (*t).tp_version_tag != version || (*t).tp_flags & Py_TPFLAGS_HEAPTYPE == 0 {
            return access::binary_subscr(pc, sp, f, cx, k, arg);
        }
        let keys = (*t.cast::<PyHeapTypeObject>()).ht_cached_keys.cast::<lh_runtime::instance::SharedKeys>();
        if keys.is_null() || (*keys).getitem_version != version {
            return access::binary_subscr(pc, sp, f, cx, k, arg);
        }
        let func = (*keys).getitem.cast::<PyFunctionObject>();
        if !bind::is_simple((*func).func_code.cast(), 2)
            || (*func).vectorcall.map(|p| p as usize) != Some(bind::function_vectorcall as *const () as usize)
        {
            return access::binary_subscr(pc, sp, f, cx, k, arg);
        }
        let nf = make_frame((*cx).ts, func, 2);
        if nf.is_null() {
            return leave(pc, sp, f, cx, k, arg);
        }
        incref(func.cast());
        let l = frame::localsplus(nf);
        *l = a;
        *l.add(1) = b;
        enter!(nf, pc.add(4), sp.sub(2), f, cx)
    }
}

/// Can `func` get a frame on the thread's present piece of stack?
#[inline(always)]
unsafe fn has_room(ts: *mut PyThreadState, func: *mut PyFunctionObject) -> bool {
    // SAFETY: the running thread's state and a live function.
    unsafe {
        let top = (*ts).datastack_top;
        let bytes = frame::frame_words((*func).func_code.cast()) * 8;
        (*ts).recursion_remaining > 0
            && !top.is_null()
            && (*ts).datastack_limit as usize - top as usize > bytes
    }
}
/// A frame for the Python function `func`, whose count moves into it. Its first parameters are to be filled in by the caller, those from
/// `total` on come from the defaults. Null: no recursion or room left.
#[inline(always)]
unsafe fn make_frame(ts: *mut PyThreadState, func: *mut PyFunctionObject, total: usize) -> *mut Frame {
    // SAFETY: the handlers' contract; the function was checked to take `total` arguments.
    unsafe {
        if !has_room(ts, func) {
            return null_mut();
        }
        let code = (*func).func_code.cast::<PyCodeObject>();
        let top = (*ts).datastack_top;
        (*ts).datastack_top = top.add(frame::frame_words(code));
        let nf = top.cast::<Frame>();
        frame::init(nf, func, null_mut(), code);
        let l = frame::localsplus(nf);
        let argcount = (*code).co_argcount as usize;
        if total < argcount {
            let d = (*func).func_defaults.cast::<PyTupleObject>();
            let nd = (*d).ob_base.ob_size as usize;
            let items = (&raw const (*d).ob_item).cast::<*mut PyObject>();
            for i in total..argcount {
                let v = *items.add(i + nd - argcount);
                incref(v);
                *l.add(i) = v;
            }
        }
        for i in argcount..(*code).co_nlocalsplus as usize {
            l.add(i).write_volatile(null_mut());
        }
        nf
    }
}
/// Calls the Python function `func`, whose positional parameters the `total` arguments (and defaults) are.
#[inline(always)]
unsafe fn call_function(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
    func: *mut PyFunctionObject,
    total: usize,
) -> usize {
    // SAFETY: the handlers' contract; the function was checked to take these arguments.
    unsafe {
        let nf = make_frame((*cx).ts, func, total);
        if nf.is_null() {
            return leave(pc, sp, f, cx, k, arg);
        }
        let l = frame::localsplus(nf);
        let args = sp.sub(total);
        // Volatile: most calls have few arguments, a vector loop's set-up costs more than it gains.
        for i in 0..total {
            l.add(i).write_volatile(*args.add(i));
        }
        // Behind PRECALL's cache unit come the CALL and its four.
        enter!(nf, pc.add(6), sp.sub(arg + 2), f, cx)
    }
}
/// The call of a Python class: makes the instance and enters its `__init__`.
pub(super) unsafe extern "C" fn class_py(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract; the type's version says that instances are made and initialised as planned.
    unsafe {
        let callee = *sp.sub(arg + 1);
        let base = sp.sub(arg + 2);
        if !(*base).is_null() || !exact::<Type>(callee) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let t = callee.cast::<PyTypeObject>();
        let keys = (*t.cast::<PyHeapTypeObject>()).ht_cached_keys.cast::<lh_runtime::instance::SharedKeys>();
        if (*t).tp_flags & (Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_IS_ABSTRACT) != Py_TPFLAGS_HEAPTYPE
            || keys.is_null()
            || (*t).tp_version_tag == 0
            || (*keys).init_version != (*t).tp_version_tag
        {
            return precall(pc, sp, f, cx, k, arg);
        }
        let init = (*keys).init.cast::<PyFunctionObject>();
        if (*init).func_version != specialize::read_u32(pc.add(4)) {
            return precall(pc, sp, f, cx, k, arg);
        }
        // Asked ahead: an instance that is given up would have its `__del__` called.
        if !has_room((*cx).ts, init) {
            return leave(pc, sp, f, cx, k, arg);
        }
        let o = lh_runtime::typeobject::generic_alloc(t, 0);
        if o.is_null() {
            (*f).prev_instr = pc;
            return raise(pc, sp, f, cx, k, arg);
        }
        let nf = make_frame((*cx).ts, init, arg + 1);
        if nf.is_null() {
            decref(o);
            return leave(pc, sp, f, cx, k, arg);
        }
        incref(init.cast());
        (*nf).flags = frame::INIT;
        let l = frame::localsplus(nf);
        incref(o);
        *l = o;
        for i in 0..arg {
            l.add(1 + i).write_volatile(*sp.sub(arg).add(i));
        }
        *base = o;
        // The instance holds the class too.
        (*callee).ob_refcnt -= 1;
        enter!(nf, pc.add(6), base.add(1), f, cx)
    }
}

handler! {
    /// Does what the eval breaker asks for, after the instruction before `pc`.
    #[cold]
    #[inline(never)]
    fn poll(pc, sp, f, cx, k, arg) {
        if breaker() && ops::eval_breaker().is_err() {
            return raise((*f).prev_instr, sp, f, cx, k, arg);
        }
        next_checked!(pc, sp, f, cx, k)
    }
}

/// The operands of a call of native code with `total` arguments, self included, go; its answer `res` takes their place.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub(super) unsafe fn answered(
    pc: Pc,
    after: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
    total: usize,
    res: *mut PyObject,
) -> usize {
    // SAFETY: the handlers' contract; the arguments and the callable are dropped once.
    unsafe {
        let args = sp.sub(total);
        for i in 0..total {
            decref(*args.add(i));
        }
        decref(*sp.sub(total + 1));
        let sp = sp.sub(arg + 2);
        if res.is_null() {
            return raise(pc, sp, f, cx, k, arg);
        }
        *sp = res;
        if breaker() {
            return poll(after, sp.add(1), f, cx, k, 0);
        }
        next_checked!(after, sp.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn precall(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        if warm(pc) {
            return leave(pc, sp, f, cx, k, arg);
        }
        // A bound method gives its two parts to the stack.
        let m = *sp.sub(arg + 1);
        if (*sp.sub(arg + 2)).is_null() && exact::<Method>(m) {
            let mo = m.cast::<PyMethodObject>();
            incref((*mo).im_func);
            incref((*mo).im_self);
            *sp.sub(arg + 2) = (*mo).im_func;
            *sp.sub(arg + 1) = (*mo).im_self;
            drop_next!(m, pc.add(2), sp, f, cx, k)
        }
        next!(pc.add(2), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn call(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract. Arguments and callable are dropped (or moved) once.
    unsafe {
        let is_method = !(*sp.sub(arg + 2)).is_null();
        let total = arg + is_method as usize;
        let callee = *sp.sub(total + 1);
        let kw = (*cx).kwnames;
        let n = total - bind::kw_count(kw);
        (*f).prev_instr = pc;
        if exact::<Function>(callee) {
            let func = callee.cast::<PyFunctionObject>();
            if (*func).vectorcall.map(|p| p as usize) != Some(bind::function_vectorcall as *const () as usize)
                || (*(*func).func_code.cast::<PyCodeObject>()).co_flags & CO_OPTIMIZED == 0
                || (*(*cx).ts).recursion_remaining <= 0
            {
                return leave(pc, sp, f, cx, k, arg);
            }
            (*cx).kwnames = null_mut();
            let nf = bind::frame_for_call((*cx).ts, func, null_mut(), sp.sub(total), n, kw);
            if nf.is_null() {
                return raise(pc, sp.sub(arg + 2), f, cx, k, arg);
            }
            enter!(nf, pc.add(4), sp.sub(arg + 2), f, cx)
        }
        (*cx).kwnames = null_mut();
        let args = sp.sub(total);
        let res = ops::vectorcall(callee, args, n | PY_VECTORCALL_ARGUMENTS_OFFSET, kw);
        for i in 0..total {
            decref(*args.add(i));
        }
        decref(callee);
        let sp = sp.sub(arg + 2);
        if res.is_null() {
            return raise(pc, sp, f, cx, k, arg);
        }
        *sp = res;
        if breaker() {
            return poll(pc.add(5), sp.add(1), f, cx, k, 0);
        }
        next_checked!(pc.add(5), sp.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn precall_py(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let is_method = !(*sp.sub(arg + 2)).is_null();
        let total = arg + is_method as usize;
        let callee = *sp.sub(total + 1);
        if !exact::<Function>(callee)
            || (*callee.cast::<PyFunctionObject>()).func_version != specialize::read_u32(pc.add(4))
        {
            return precall(pc, sp, f, cx, k, arg);
        }
        call_function(pc, sp, f, cx, k, arg, callee.cast(), total)
    }
}
pub(super) unsafe extern "C" fn precall_py_bound(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let m = *sp.sub(arg + 1);
        if !(*sp.sub(arg + 2)).is_null() || !exact::<Method>(m) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let mo = m.cast::<PyMethodObject>();
        let callee = (*mo).im_func;
        if !exact::<Function>(callee)
            || (*callee.cast::<PyFunctionObject>()).func_version != specialize::read_u32(pc.add(4))
        {
            return precall(pc, sp, f, cx, k, arg);
        }
        incref(callee);
        incref((*mo).im_self);
        *sp.sub(arg + 2) = callee;
        *sp.sub(arg + 1) = (*mo).im_self;
        decref(m);
        call_function(pc, sp, f, cx, k, arg, callee.cast(), arg + 1)
    }
}
handler! {
    fn isinstance(pc, sp, f, cx, k, arg) {
        let (callee, o, class) = (*sp.sub(3), *sp.sub(2), *sp.sub(1));
        if arg != 2 || !(*sp.sub(4)).is_null() || !exact::<CFunction>(callee)
            || (*callee.cast::<PyCFunctionObject>()).m_ml != specialize::ISINSTANCE.load(Ordering::Relaxed)
        {
            return precall(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let v = if (*o).ob_type.cast() == class {
            py_bool(true)
        } else {
            match r(o).is_instance(r(class)) {
                Ok(v) => py_bool(v),
                Err(_) => null_mut(),
            }
        };
        decref(o);
        decref(class);
        decref(callee);
        if v.is_null() {
            return raise(pc, sp.sub(4), f, cx, k, arg);
        }
        incref(v);
        *sp.sub(4) = v;
        next_checked!(pc.add(7), sp.sub(3), f, cx, k)
    }
}
handler! {
    fn list_append_call(pc, sp, f, cx, k, arg) {
        let (callee, l, v) = (*sp.sub(3), *sp.sub(2), *sp.sub(1));
        if arg != 1 || callee.is_null() || !exact::<MethodDescr>(callee) || !exact::<List>(l)
            || (*callee.cast::<PyMethodDescrObject>()).d_method != specialize::LIST_APPEND.load(Ordering::Relaxed)
        {
            return precall(pc, sp, f, cx, k, arg);
        }
        let list = l.cast::<PyListObject>();
        let n = (*list).ob_base.ob_size;
        if n < (*list).allocated {
            *(*list).ob_item.offset(n) = v;
            (*list).ob_base.ob_size = n + 1;
        } else if r(l).downcast_unchecked::<List>().try_push(Owned::from_raw(v)).is_err() {
            (*f).prev_instr = pc;
            return raise(pc, sp.sub(1), f, cx, k, arg);
        }
        decref(callee);
        *sp.sub(3) = none().into_raw();
        (*f).prev_instr = pc;
        decref(l);
        if breaker() {
            return poll(pc.add(7), sp.sub(2), f, cx, k, 0);
        }
        next_checked!(pc.add(7), sp.sub(2), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn return_value(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract. The frame's references are dropped once.
    unsafe {
        // `__init__` answers None, and nothing is pushed for it.
        let flags = (*f).flags;
        let init = flags == frame::INIT;
        if !(flags & !frame::ENTRY == 0 || init && is_none_object(*sp.sub(1)))
            || (*f).owner != frame::OWNED_BY_THREAD
            || !(*f).frame_obj.is_null()
        {
            if flags & !frame::ENTRY == 0 && (*f).owner == frame::OWNED_BY_GENERATOR {
                return gens::generator_return(pc, sp, f, cx, k, arg);
            }
            return leave(pc, sp, f, cx, k, arg);
        }
        let ts = (*cx).ts;
        let v = *sp.sub(1);
        let previous = (*f).previous;
        (*ts).recursion_remaining += 1;
        (*f).prev_instr = pc;
        (*(*cx).cframe).current_frame = previous.cast();
        let l = frame::localsplus(f);
        let mut p = l;
        let end = sp.sub(1);
        while p < end {
            xdecref(*p);
            p = p.add(1);
        }
        xdecref((*f).locals);
        decref((*f).func.cast());
        decref((*f).code.cast());
        frame::pop_words(ts, f.cast());
        give_back(v, flags, previous, cx)
    }
}
/// A frame with these flags has gone: its value goes to `previous`, its caller, or to whoever entered the loop for it.
#[inline(always)]
pub(super) unsafe fn give_back(v: *mut PyObject, flags: u8, previous: *mut Frame, cx: *mut Context) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        if flags == frame::ENTRY {
            (*cx).sp = v.cast();
            return DONE;
        }
        let sp = frame::localsplus(previous).add((*previous).stacktop as usize);
        (*previous).stacktop = -1;
        if flags == frame::INIT {
            (*v).ob_refcnt -= 1;
            next_checked!((*previous).prev_instr.add(1), sp, previous, cx, consts(previous))
        }
        *sp = v;
        next_checked!((*previous).prev_instr.add(1), sp.add(1), previous, cx, consts(previous))
    }
}

handler! {
    /// A call with an argument tuple and perhaps a dictionary.
    fn call_function_ex(pc, sp, f, cx, k, arg) {
        if arg & 1 == 0 && exact::<Tuple>(*sp.sub(1)) && exact::<CFunction>(*sp.sub(2)) {
            return native::call_tuple(pc, sp, f, cx, k, arg);
        }
        return call_any_ex(pc, sp, f, cx, k, arg);
    }
}
handler! {
    /// As `call_function_ex`, for whatever is called.
    #[inline(never)]
    fn call_any_ex(pc, sp, f, cx, k, arg) {
        (*f).prev_instr = pc;
        let base = sp.sub(1 + (arg & 1));
        let kwargs = if arg & 1 != 0 { *sp.sub(1) } else { null_mut() };
        let callee = *base.sub(1);
        let Ok((args, kwargs)) = ops::prepare_call_ex(callee, *base, kwargs) else {
            return raise(pc, base, f, cx, k, arg);
        };
        if ops::is_python_call(callee) && (*(*cx).ts).recursion_remaining > 0 && (*(*cx).cframe).use_tracing == (*cx).mode {
            let nf = ops::frame_for_call_ex((*cx).ts, callee, &args, kwargs.as_deref());
            drop(args);
            drop(kwargs);
            if nf.is_null() {
                return raise(pc, base.sub(2), f, cx, k, arg);
            }
            enter!(nf, pc, base.sub(2), f, cx)
        }
        let res = raw(r(callee).call_tuple(&args, kwargs.as_deref()));
        drop(args);
        drop(kwargs);
        let sp = base.sub(2);
        decref(callee);
        if res.is_null() {
            return raise(pc, sp, f, cx, k, arg);
        }
        *sp = res;
        if breaker() {
            return poll(pc.add(1), sp.add(1), f, cx, k, 0);
        }
        next_checked!(pc.add(1), sp.add(1), f, cx, k)
    }
}
handler! {
    fn make_function(pc, sp, f, cx, k, arg) {
        let mut sp = sp.sub(1);
        (*f).prev_instr = pc;
        let made = Function::new(r(*sp).downcast_unchecked(), r((*f).globals), None);
        decref(*sp);
        let Ok(func) = made else {
            return raise(pc, sp, f, cx, k, arg);
        };
        if arg & 8 != 0 {
            sp = sp.sub(1);
            func.set_closure(Some(&Owned::<Tuple>::from_raw(*sp)));
        }
        if arg & 4 != 0 {
            sp = sp.sub(1);
            func.set_annotations(Some(&Owned::<Object>::from_raw(*sp)));
        }
        if arg & 2 != 0 {
            sp = sp.sub(1);
            func.set_kwdefaults(Some(&Owned::<Object>::from_raw(*sp)));
        }
        if arg & 1 != 0 {
            sp = sp.sub(1);
            func.set_defaults(Some(&Owned::<Tuple>::from_raw(*sp)));
        }
        *sp = func.into_raw();
        next!(pc.add(1), sp.add(1), f, cx, k)
    }
}
