//! Handlers for calls of the built-in functions that only ask a slot of their argument's type: `len`, `hash`, `iter`, `next`;
//! of `type`, and of the classes that convert their argument by a slot: `str`, `float`, `bool`.
//! (A trace calls such slots by itself, too.)

use super::calls::precall;
use super::native::{answer, ascend, builtin_fast, builtin_o, descend};
use super::*;
use crate::specialize;
use lh_runtime::intobject;
use std::sync::atomic::AtomicPtr;

/// Does the stack hold the built-in function `which` and one argument?
#[inline(always)]
unsafe fn calls(which: &AtomicPtr<PyMethodDef>, sp: Sp) -> bool {
    // SAFETY: the handlers' contract.
    unsafe {
        let callee = *sp.sub(2);
        (*sp.sub(3)).is_null()
            && exact::<CFunction>(callee)
            && (*callee.cast::<PyCFunctionObject>()).m_ml == which.load(Ordering::Relaxed)
    }
}
/// The int `v`.
#[inline(always)]
unsafe fn int(v: i64) -> *mut PyObject {
    // SAFETY: the GIL is held.
    unsafe {
        if ints::is_cached(v) {
            let p = intobject::small_ptr(v);
            incref(p);
            return p;
        }
        big_int(v)
    }
}
#[inline(never)]
unsafe fn big_int(v: i64) -> *mut PyObject {
    Int::from_i64(v).into_raw()
}

handler! {
    /// `len(o)` by the slot of the type.
    #[inline(never)]
    fn len_by_slot(pc, sp, f, cx, k, arg) {
        let o = *sp.sub(1);
        let t = (*o).ob_type;
        let slot = match (*t).tp_as_sequence.as_ref().and_then(|s| s.sq_length) {
            Some(f) => Some(f),
            None => (*t).tp_as_mapping.as_ref().and_then(|m| m.mp_length),
        };
        let Some(slot) = slot else {
            return builtin_o(pc, sp, f, cx, k, arg);
        };
        (*f).prev_instr = pc;
        let n = slot(o);
        let res = if n < 0 { null_mut() } else { int(n as i64) };
        answer::<false, 1>(res, sp, f, cx)
    }
}
handler! {
    /// `len(o)`. A container that would go with the call goes the long way.
    fn len(pc, sp, f, cx, k, arg) {
        if !calls(&specialize::LEN, sp) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let (callee, o) = (*sp.sub(2), *sp.sub(1));
        const BUILT_IN: u64 = Py_TPFLAGS_LIST_SUBCLASS
            | Py_TPFLAGS_TUPLE_SUBCLASS
            | Py_TPFLAGS_BYTES_SUBCLASS
            | Py_TPFLAGS_DICT_SUBCLASS
            | Py_TPFLAGS_UNICODE_SUBCLASS;
        if (*(*o).ob_type).tp_flags & BUILT_IN == 0 {
            return len_by_slot(pc, sp, f, cx, k, arg);
        }
        let n = if exact::<List>(o) || exact::<Tuple>(o) || exact::<Bytes>(o) {
            (*o.cast::<PyVarObject>()).ob_size
        } else if exact::<Dict>(o) {
            (*o.cast::<PyDictObject>()).ma_used
        } else if exact::<Str>(o) {
            (*o.cast::<PyASCIIObject>()).length
        } else {
            return len_by_slot(pc, sp, f, cx, k, arg);
        };
        if (*o).ob_refcnt == 1 || (*callee).ob_refcnt == 1 {
            return builtin_o(pc, sp, f, cx, k, arg);
        }
        (*o).ob_refcnt -= 1;
        (*callee).ob_refcnt -= 1;
        ints::push_int(n as i64, pc.add(7), sp.sub(3), f, cx, k)
    }
}
handler! {
    fn hash(pc, sp, f, cx, k, arg) {
        if !calls(&specialize::HASH, sp) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let o = *sp.sub(1);
        let Some(slot) = (*(*o).ob_type).tp_hash else {
            return builtin_o(pc, sp, f, cx, k, arg);
        };
        (*f).prev_instr = pc;
        if !descend(cx) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let h = slot(o);
        ascend(cx);
        let res = if h == -1 { null_mut() } else { int(h as i64) };
        answer::<false, 1>(res, sp, f, cx)
    }
}
/// Has the type a `__next__`?
#[inline(always)]
unsafe fn is_iterator(t: *mut PyTypeObject) -> bool {
    // SAFETY: a live type.
    unsafe {
        (*t).tp_iternext
            .is_some_and(|f| f as usize != lh_runtime::typeobject::next_not_implemented as *const () as usize)
    }
}
/// Complains of an `__iter__` that gave no iterator.
#[cold]
#[inline(never)]
unsafe fn no_iterator(it: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller owns a count.
    unsafe {
        let it = Owned::<Object>::from_raw(it);
        raw::<Object>(raise!(TypeError, "iter() returned non-iterator of type '{}'", it.ty().name()))
    }
}
handler! {
    fn iter(pc, sp, f, cx, k, arg) {
        if !calls(&specialize::ITER, sp) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let o = *sp.sub(1);
        let Some(slot) = (*(*o).ob_type).tp_iter else {
            return builtin_fast(pc, sp, f, cx, k, arg);
        };
        (*f).prev_instr = pc;
        let mut it = slot(o);
        if !it.is_null() && !is_iterator((*it).ob_type) {
            it = no_iterator(it);
        }
        answer::<false, 1>(it, sp, f, cx)
    }
}
/// An iterator has answered nothing: without an exception, that is the end.
#[cold]
#[inline(never)]
unsafe fn stop(cx: *mut Context) {
    // SAFETY: the handlers' contract.
    unsafe {
        if (*(*cx).ts).curexc_type.is_null() {
            let _ = lh_runtime::errors::set_object(exc::StopIteration(), None);
        }
    }
}
handler! {
    fn next(pc, sp, f, cx, k, arg) {
        if !calls(&specialize::NEXT, sp) {
            return precall(pc, sp, f, cx, k, arg);
        }
        let it = *sp.sub(1);
        if !is_iterator((*it).ob_type) {
            return builtin_fast(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let v = ((*(*it).ob_type).tp_iternext.unwrap_unchecked())(it);
        if v.is_null() {
            stop(cx);
        }
        answer::<false, 1>(v, sp, f, cx)
    }
}
handler! {
    /// `type(o)`.
    fn type_of(pc, sp, f, cx, k, arg) {
        if arg != 1 || !(*sp.sub(3)).is_null() {
            return precall(pc, sp, f, cx, k, arg);
        }
        if *sp.sub(2) != Type::type_ptr().cast() {
            return convert(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let t = (**sp.sub(1)).ob_type.cast();
        incref(t);
        answer::<false, 1>(t, sp, f, cx)
    }
}

/// Is it a class that `convert` is for?
pub(crate) fn converts(class: *mut PyObject) -> bool {
    let class = class.cast();
    class == Str::type_ptr() || class == Float::type_ptr() || class == Bool::type_ptr()
}
/// What the slot has answered isn't what the class wants (or a subclass's).
#[cold]
#[inline(never)]
unsafe fn unwanted(class: *mut PyObject, o: *mut PyObject, res: *mut PyObject) -> *mut PyObject {
    // SAFETY: live objects; the answer is the caller's.
    unsafe {
        let res = Owned::<Object>::from_raw(res);
        raw(if class == Str::type_ptr().cast() {
            lh_runtime::protocols::no_text("__str__", res)
        } else {
            lh_runtime::number::float_of_answer(r(o), res)
        })
    }
}
handler! {
    /// `str(o)`, `float(o)` or `bool(o)` by the slot of the type. What these classes know by themselves goes their way.
    #[inline(never)]
    fn convert(pc, sp, f, cx, k, arg) {
        let (class, o) = (*sp.sub(2), *sp.sub(1));
        let t = (*o).ob_type;
        (*f).prev_instr = pc;
        let res = if class == Str::type_ptr().cast() {
            let slot = (*t).tp_str;
            let Some(slot) = slot.filter(|_| t != Str::type_ptr() && t != Int::type_ptr()) else {
                return super::native::class(pc, sp, f, cx, k, arg);
            };
            if !descend(cx) {
                return precall(pc, sp, f, cx, k, arg);
            }
            let res = slot(o);
            ascend(cx);
            if !res.is_null() && (*(*res).ob_type).tp_flags & Py_TPFLAGS_UNICODE_SUBCLASS == 0 {
                unwanted(class, o, res)
            } else {
                res
            }
        } else if class == Float::type_ptr().cast() {
            let slot = (*t).tp_as_number.as_ref().and_then(|n| n.nb_float);
            let Some(slot) = slot.filter(|_| t != Float::type_ptr() && t != Int::type_ptr()) else {
                return super::native::class(pc, sp, f, cx, k, arg);
            };
            let res = slot(o);
            if !res.is_null() && (*res).ob_type != Float::type_ptr() { unwanted(class, o, res) } else { res }
        } else if class == Bool::type_ptr().cast() {
            let Some(slot) = (*t).tp_as_number.as_ref().and_then(|n| n.nb_bool) else {
                return super::native::class(pc, sp, f, cx, k, arg);
            };
            let truth = slot(o);
            if truth < 0 {
                null_mut()
            } else {
                let v = py_bool(truth != 0);
                incref(v);
                v
            }
        } else {
            return super::native::class(pc, sp, f, cx, k, arg);
        };
        answer::<false, 1>(res, sp, f, cx)
    }
}
