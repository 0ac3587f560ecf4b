//! Handlers for what runs C functions: calls by how the functions take their arguments, getsets and members of C types.

use super::calls::{poll, precall};
use super::*;
use crate::specialize;
use lh_runtime::exceptions::annotate_attribute_error;
use lh_runtime::methodobject::call_def;

/// `ml_flags` without what says nothing about the arguments.
const KIND: i32 = !(METH_COEXIST | METH_CLASS);

/// Takes a level of recursion for a C function; false: there is none left, the instruction's base form complains. (How much native stack is left is asked where Python code is
/// entered: what a C function calls comes by there before it can come back here.)
#[inline(always)]
pub(super) unsafe fn descend(cx: *mut Context) -> bool {
    // SAFETY: the handlers' contract.
    unsafe {
        let n = (*(*cx).ts).recursion_remaining - 1;
        if n >= 0 {
            (*(*cx).ts).recursion_remaining = n;
        }
        n >= 0
    }
}
/// Gives the level back.
#[inline(always)]
pub(super) unsafe fn ascend(cx: *mut Context) {
    // SAFETY: the handlers' contract.
    unsafe { (*(*cx).ts).recursion_remaining += 1 }
}
/// The last count of one operand of a call (entry `i` from the base) has gone; the call's answer is `res`. Does what is left of the call.
#[inline(never)]
unsafe extern "C" fn last_count(
    _pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    res: Sp,
    i: usize,
) -> usize {
    // SAFETY: the handlers' contract; what goes before entry `i` has gone.
    unsafe {
        let n = (*(*f).prev_instr >> 8) as usize + 2;
        let base = sp.sub(n);
        let callable = (*base).is_null() as usize;
        lh_runtime::object::dealloc(*base.add(i));
        if i != callable {
            for j in i + 1..n {
                decref(*base.add(j));
            }
            decref(*base.add(callable));
        }
        end(res.cast(), base, f, cx)
    }
}
/// Ends the call at `prev_instr`, whose operands are gone: puts its answer at `base`.
#[inline(always)]
unsafe fn end(res: *mut PyObject, base: Sp, f: *mut Frame, cx: *mut Context) -> usize {
    // SAFETY: the handlers' contract. (Few registers live on across a call: the instruction and the constants are found again.)
    unsafe {
        let pc = (*f).prev_instr;
        if res.is_null() {
            return raise(pc, base, f, cx, null_mut(), 0);
        }
        *base = res;
        if breaker() {
            return poll(pc.add(7), base.add(1), f, cx, consts(f), 0);
        }
        next_checked!(pc.add(7), base.add(1), f, cx, consts(f))
    }
}
/// Drops entry `$i` above `$base`; where that was the last count, `last_count` goes on.
macro_rules! drop_entry {
    ($i:expr, $base:expr, $res:expr, $sp:expr, $f:expr, $cx:expr) => {{
        let i: usize = $i;
        let o = *$base.add(i);
        let n = (*o).ob_refcnt - 1;
        (*o).ob_refcnt = n;
        if n == 0 {
            return last_count(null_mut(), $sp, $f, $cx, $res.cast(), i);
        }
    }};
}
/// Ends a call with `ARGS` arguments whose answer is `res`: first the arguments go (self is one if it is a `METHOD`), then the callable.
#[inline(always)]
pub(super) unsafe fn answer<const METHOD: bool, const ARGS: usize>(
    res: *mut PyObject,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let base = sp.sub(ARGS + 2);
        let first = 2 - METHOD as usize;
        for i in first..ARGS + 2 {
            drop_entry!(i, base, res, sp, f, cx);
        }
        drop_entry!(first - 1, base, res, sp, f, cx);
        end(res, base, f, cx)
    }
}
/// As `answer` for a call with any number of arguments.
#[inline(always)]
unsafe fn answer_many<const METHOD: bool>(
    res: *mut PyObject,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let n = (*(*f).prev_instr >> 8) as usize + 2;
        let base = sp.sub(n);
        let first = 2 - METHOD as usize;
        let mut i = first;
        while i < n {
            drop_entry!(i, base, res, sp, f, cx);
            i += 1;
        }
        drop_entry!(first - 1, base, res, sp, f, cx);
        end(res, base, f, cx)
    }
}
/// Is `o` of the class (or a subclass) that the method descriptor `d` belongs to?
#[inline(always)]
unsafe fn belongs(o: *mut PyObject, d: *mut PyMethodDescrObject) -> bool {
    // SAFETY: live objects.
    unsafe {
        let of = (*d).d_common.d_type;
        (*o).ob_type == of || is_subtype((*o).ob_type, of)
    }
}

handler! {
    /// A built-in function of one argument.
    fn builtin_o(pc, sp, f, cx, k, arg) {
        let callee = *sp.sub(2);
        if !(*sp.sub(3)).is_null() || !exact::<CFunction>(callee) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let c = callee.cast::<PyCFunctionObject>();
        let def = (*c).m_ml;
        if (*def).ml_flags & KIND != METH_O {
            return precall(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        if !descend(cx) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let res = ((*def).ml_meth.unwrap_unchecked())((*c).m_self, *sp.sub(1));
        ascend(cx);
        answer::<false, 1>(res, sp, f, cx)
    }
}
handler! {
    /// A method of a built-in type with one argument.
    fn method_o(pc, sp, f, cx, k, arg) {
        let (d, this) = (*sp.sub(3), *sp.sub(2));
        if d.is_null() || !exact::<MethodDescr>(d) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let d = d.cast::<PyMethodDescrObject>();
        let def = (*d).d_method;
        if (*def).ml_flags & KIND != METH_O || !belongs(this, d) {
            return precall(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        if !descend(cx) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let res = ((*def).ml_meth.unwrap_unchecked())(this, *sp.sub(1));
        ascend(cx);
        answer::<true, 1>(res, sp, f, cx)
    }
}
handler! {
    /// A method of a built-in type without arguments.
    fn method_noargs(pc, sp, f, cx, k, arg) {
        let (d, this) = (*sp.sub(2), *sp.sub(1));
        if d.is_null() || !exact::<MethodDescr>(d) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let d = d.cast::<PyMethodDescrObject>();
        let def = (*d).d_method;
        if (*def).ml_flags & KIND != METH_NOARGS || !belongs(this, d) {
            return precall(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        if !descend(cx) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let res = ((*def).ml_meth.unwrap_unchecked())(this, null_mut());
        ascend(cx);
        answer::<true, 0>(res, sp, f, cx)
    }
}
handler! {
    /// A built-in function that takes an array of arguments.
    fn builtin_fast(pc, sp, f, cx, k, arg) {
        let callee = *sp.sub(arg + 1);
        if !(*sp.sub(arg + 2)).is_null() || !exact::<CFunction>(callee) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let c = callee.cast::<PyCFunctionObject>();
        let def = (*c).m_ml;
        // Whoever takes no keywords finds one argument more in its registers.
        if (*def).ml_flags & KIND & !METH_KEYWORDS != METH_FASTCALL {
            return precall(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let run: _PyCFunctionFastWithKeywords = std::mem::transmute((*def).ml_meth.unwrap_unchecked());
        let res = run((*c).m_self, sp.sub(arg), arg as isize, null_mut());
        answer_many::<false>(res, sp, f, cx)
    }
}
handler! {
    /// A method of a built-in type that takes an array of arguments.
    fn method_fast(pc, sp, f, cx, k, arg) {
        let (d, this) = (*sp.sub(arg + 2), *sp.sub(arg + 1));
        if d.is_null() || !exact::<MethodDescr>(d) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let d = d.cast::<PyMethodDescrObject>();
        let def = (*d).d_method;
        if (*def).ml_flags & KIND & !METH_KEYWORDS != METH_FASTCALL || !belongs(this, d) {
            return precall(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let run: _PyCFunctionFastWithKeywords = std::mem::transmute((*def).ml_meth.unwrap_unchecked());
        let res = run(this, sp.sub(arg), arg as isize, null_mut());
        answer_many::<true>(res, sp, f, cx)
    }
}

/// The last count of the callable (0) or the tuple of a call with a tuple has gone; the call's answer is `res`. Does what is left of it.
#[inline(never)]
unsafe extern "C" fn last_of_tuple_call(
    _pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    res: Sp,
    i: usize,
) -> usize {
    // SAFETY: the handlers' contract; the tuple goes first.
    unsafe {
        lh_runtime::object::dealloc(*sp.sub(2).add(i));
        if i == 1 {
            decref(*sp.sub(2));
        }
        end_of_tuple_call(res.cast(), sp, f, cx)
    }
}
#[inline(always)]
unsafe fn end_of_tuple_call(res: *mut PyObject, sp: Sp, f: *mut Frame, cx: *mut Context) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let pc = (*f).prev_instr;
        let base = sp.sub(3);
        if res.is_null() {
            return raise(pc, base, f, cx, null_mut(), 0);
        }
        *base = res;
        if breaker() {
            return poll(pc.add(1), base.add(1), f, cx, consts(f), 0);
        }
        next_checked!(pc.add(1), base.add(1), f, cx, consts(f))
    }
}
handler! {
    /// The call of a built-in function with a tuple of its arguments.
    fn call_tuple(pc, sp, f, cx, k, arg) {
        let c = (*sp.sub(2)).cast::<PyCFunctionObject>();
        let t = (*sp.sub(1)).cast::<PyTupleObject>();
        let (def, this, n) = ((*c).m_ml, (*c).m_self, (*t).ob_base.ob_size);
        let items = (&raw const (*t).ob_item).cast::<*mut PyObject>();
        let flags = (*def).ml_flags & KIND;
        if lh_runtime::capidebug::on() {
            return super::calls::call_any_ex(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let meth = (*def).ml_meth.unwrap_unchecked();
        let res = if flags & !METH_KEYWORDS == METH_FASTCALL {
            std::mem::transmute::<PyCFunction, _PyCFunctionFastWithKeywords>(meth)(this, items, n, null_mut())
        } else if flags == METH_O && n == 1 || flags & !METH_KEYWORDS == METH_VARARGS {
            if !descend(cx) {
                return super::calls::call_any_ex(pc, sp, f, cx, k, arg);
            }
            let what = if flags == METH_O { *items } else { t.cast() };
            let res =
                std::mem::transmute::<PyCFunction, PyCFunctionWithKeywords>(meth)(this, what, null_mut());
            ascend(cx);
            res
        } else {
            return super::calls::call_any_ex(pc, sp, f, cx, k, arg);
        };
        for i in [1, 0] {
            let o = *sp.sub(2).add(i);
            let n = (*o).ob_refcnt - 1;
            (*o).ob_refcnt = n;
            if n == 0 {
                return last_of_tuple_call(null_mut(), sp, f, cx, res.cast(), i);
            }
        }
        end_of_tuple_call(res, sp, f, cx)
    }
}
handler! {
    /// The call of a built-in class (or one from C).
    fn class(pc, sp, f, cx, k, arg) {
        let callee = *sp.sub(arg + 1);
        if !(*sp.sub(arg + 2)).is_null() || !exact::<Type>(callee) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let Some(run) = (*callee.cast::<PyTypeObject>()).tp_vectorcall else {
            return class_by_new(pc, sp, f, cx, k, arg);
        };
        (*f).prev_instr = pc;
        if !descend(cx) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let res = run(callee, sp.sub(arg), arg | PY_VECTORCALL_ARGUMENTS_OFFSET, null_mut());
        ascend(cx);
        answer_many::<false>(res, sp, f, cx)
    }
}
handler! {
    /// The call of a class without a vectorcall.
    #[inline(never)]
    fn class_by_new(pc, sp, f, cx, k, arg) {
        let callee = *sp.sub(arg + 1);
        if lh_runtime::type_attrs::made_in_python(callee.cast()).is_some() {
            return precall(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        if !descend(cx) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let res = specialize::call_class(callee, sp.sub(arg), arg);
        ascend(cx);
        answer_many::<false>(res, sp, f, cx)
    }
}

/// What `call_native` answers if it doesn't know the callable.
const MISSED: usize = 1;

/// Calls a built-in function or method of any kind, keywords included.
#[inline(never)]
unsafe fn call_native(
    cx: *mut Context,
    callee: *mut PyObject,
    args: *mut *mut PyObject,
    total: usize,
    kw: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: a live callable and its arguments; kinds are checked before anything is cast.
    unsafe {
        let n = total - crate::bind::kw_count(kw);
        let (def, this, class, args, n) = if exact::<CFunction>(callee) {
            let c = callee.cast::<PyCFunctionObject>();
            let def = (*c).m_ml;
            let this = if (*def).ml_flags & METH_STATIC != 0 { null_mut() } else { (*c).m_self };
            (def, this, null_mut(), args, n)
        } else if exact::<MethodDescr>(callee) && n > 0 {
            let d = callee.cast::<PyMethodDescrObject>();
            if !belongs(*args, d) {
                return MISSED as *mut PyObject;
            }
            ((*d).d_method, *args, (*d).d_common.d_type, args.add(1), n - 1)
        } else {
            return MISSED as *mut PyObject;
        };
        let flags = (*def).ml_flags & KIND & !METH_STATIC;
        // What complains is done where the complaints are made.
        let fits = match flags {
            METH_NOARGS => n == 0 && kw.is_null(),
            METH_VARARGS => kw.is_null(),
            x => x & (METH_VARARGS | METH_FASTCALL) != 0 && x & METH_KEYWORDS != 0,
        };
        if !fits {
            return MISSED as *mut PyObject;
        }
        if !descend(cx) {
            return MISSED as *mut PyObject;
        }
        let res = call_def(def, this, class, args, n, kw, String::new);
        ascend(cx);
        res
    }
}
handler! {
    /// A call of a built-in function or method of another kind than those above, or with keywords.
    fn native(pc, sp, f, cx, k, arg) {
        (*f).prev_instr = pc;
        let callee = *sp.sub(arg + 1);
        if (*sp.sub(arg + 2)).is_null() {
            if exact::<CFunction>(callee) {
                let c = callee.cast::<PyCFunctionObject>();
                let def = (*c).m_ml;
                let kind = (*def).ml_flags & KIND;
                if kind == METH_FASTCALL | METH_KEYWORDS {
                    let kw = std::mem::replace(&mut (*cx).kwnames, null_mut());
                    let run: _PyCFunctionFastWithKeywords = std::mem::transmute((*def).ml_meth.unwrap_unchecked());
                    let n = arg - crate::bind::kw_count(kw);
                    let res = run((*c).m_self, sp.sub(arg), n as isize, kw);
                    return answer_many::<false>(res, sp, f, cx);
                }
                if kind == METH_NOARGS && arg == 0 {
                    if !descend(cx) {
                        return precall(pc, sp, f, cx, k, arg);
                    }
                    let res = ((*def).ml_meth.unwrap_unchecked())((*c).m_self, null_mut());
                    ascend(cx);
                    return answer::<false, 0>(res, sp, f, cx);
                }
            }
            let res = call_native(cx, callee, sp.sub(arg), arg, (*cx).kwnames);
            if res as usize == MISSED {
                return precall(pc, sp, f, cx, k, arg);
            }
            (*cx).kwnames = null_mut();
            return answer_many::<false>(res, sp, f, cx);
        }
        let res = call_native(cx, *sp.sub(arg + 2), sp.sub(arg + 1), arg + 1, (*cx).kwnames);
        if res as usize == MISSED {
            return precall(pc, sp, f, cx, k, arg);
        }
        (*cx).kwnames = null_mut();
        answer_many::<true>(res, sp, f, cx)
    }
}

/// The attribute that the descriptor named in the cache should have given couldn't be had.
#[cold]
#[inline(never)]
unsafe extern "C" fn no_attr(pc: Pc, sp: Sp, f: *mut Frame, cx: *mut Context, k: Sp, arg: usize) -> usize {
    // SAFETY: the handlers' contract; the exception is set.
    unsafe {
        if lh_runtime::errors::matches(exc::AttributeError()) {
            let name = r(name(f, arg)).downcast_unchecked::<Str>();
            let _ = annotate_attribute_error(Raised::already_set(), r(*sp.sub(1)), name);
        }
        raise(pc, sp, f, cx, k, arg)
    }
}
/// Is the type of `o` the one the cache is about?
#[inline(always)]
unsafe fn known(o: *mut PyObject, pc: Pc) -> bool {
    // SAFETY: a live object; the cache is that of an attribute.
    unsafe { (*(*o).ob_type).tp_version_tag == specialize::read_u32(pc.add(2)) }
}
handler! {
    fn load_getset(pc, sp, f, cx, k, arg) {
        let o = *sp.sub(1);
        if !known(o, pc) {
            return access::load_attr(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let g = (*specialize::described(*pc.add(4)).cast::<PyGetSetDescrObject>()).d_getset;
        let res = ((*g).get.unwrap_unchecked())(o, (*g).closure);
        if res.is_null() {
            return no_attr(pc, sp, f, cx, k, arg);
        }
        *sp.sub(1) = res;
        decref(o);
        next_checked!(pc.add(5), sp, f, cx, k)
    }
}
handler! {
    fn load_member(pc, sp, f, cx, k, arg) {
        let o = *sp.sub(1);
        if !known(o, pc) {
            return access::load_attr(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let m = (*specialize::described(*pc.add(4)).cast::<PyMemberDescrObject>()).d_member;
        if matches!((*m).r#type, T_LONG | T_PYSSIZET) {
            let v = o.cast::<u8>().offset((*m).offset).cast::<i64>().read_unaligned();
            let n = (*o).ob_refcnt - 1;
            if n != 0 && v.unsigned_abs() < 1 << 60 {
                (*o).ob_refcnt = n;
                return ints::push_int(v, pc.add(5), sp.sub(1), f, cx, k);
            }
        }
        let res = raw(lh_runtime::descrobject::member_get(o, &*m));
        if res.is_null() {
            return no_attr(pc, sp, f, cx, k, arg);
        }
        *sp.sub(1) = res;
        decref(o);
        next_checked!(pc.add(5), sp, f, cx, k)
    }
}
handler! {
    fn store_getset(pc, sp, f, cx, k, arg) {
        let (v, o) = (*sp.sub(2), *sp.sub(1));
        if !known(o, pc) {
            return access::store_attr(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let g = (*specialize::described(*pc.add(4)).cast::<PyGetSetDescrObject>()).d_getset;
        let failed = ((*g).set.unwrap_unchecked())(o, v, (*g).closure) < 0;
        decref(v);
        decref(o);
        if failed {
            return raise(pc, sp.sub(2), f, cx, k, arg);
        }
        next_checked!(pc.add(5), sp.sub(2), f, cx, k)
    }
}
handler! {
    fn store_member(pc, sp, f, cx, k, arg) {
        let (v, o) = (*sp.sub(2), *sp.sub(1));
        if !known(o, pc) {
            return access::store_attr(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let m = (*specialize::described(*pc.add(4)).cast::<PyMemberDescrObject>()).d_member;
        let failed = lh_runtime::descrobject::member_set(o, &*m, Some(r(v))).is_err();
        decref(v);
        decref(o);
        if failed {
            return raise(pc, sp.sub(2), f, cx, k, arg);
        }
        next_checked!(pc.add(5), sp.sub(2), f, cx, k)
    }
}
