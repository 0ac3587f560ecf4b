//! Handlers for jumps and iteration.

use super::*;
use crate::{iters, jit};

pub(super) unsafe extern "C" fn jump_forward(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe { next!(pc.add(1 + arg), sp, f, cx, k) }
}
pub(super) unsafe extern "C" fn jump_backward_no_interrupt(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe { next!(pc.add(1).sub(arg), sp, f, cx, k) }
}
pub(super) unsafe extern "C" fn jump_backward(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let target = pc.add(1).sub(arg);
        if breaker() || !jit::count_loop_below(target) {
            return leave(pc, sp, f, cx, k, arg);
        }
        next_checked!(target, sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn pop_jump_if_false(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let sp = sp.sub(1);
        let v = *sp;
        if is_false_object(v) {
            (*v).ob_refcnt -= 1;
            next!(pc.add(1 + arg), sp, f, cx, k)
        }
        if is_true_object(v) {
            (*v).ob_refcnt -= 1;
            next!(pc.add(1), sp, f, cx, k)
        }
        (*f).prev_instr = pc;
        let Ok(t) = r(v).is_true() else {
            return raise(pc, sp.add(1), f, cx, k, arg);
        };
        decref(v);
        let to = pc.add(if !t { 1 + arg } else { 1 });
        next_checked!(to, sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn pop_jump_back_if_false(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let v = *sp.sub(1);
        if is_true_object(v) {
            (*v).ob_refcnt -= 1;
            next!(pc.add(1), sp.sub(1), f, cx, k)
        }
        let target = pc.add(1).sub(arg);
        if !is_false_object(v) || breaker() || !jit::count_loop_below(target) {
            return leave(pc, sp, f, cx, k, arg);
        }
        (*v).ob_refcnt -= 1;
        next_checked!(target, sp.sub(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn pop_jump_if_true(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let sp = sp.sub(1);
        let v = *sp;
        if is_true_object(v) {
            (*v).ob_refcnt -= 1;
            next!(pc.add(1 + arg), sp, f, cx, k)
        }
        if is_false_object(v) {
            (*v).ob_refcnt -= 1;
            next!(pc.add(1), sp, f, cx, k)
        }
        (*f).prev_instr = pc;
        let Ok(t) = r(v).is_true() else {
            return raise(pc, sp.add(1), f, cx, k, arg);
        };
        decref(v);
        let to = pc.add(if t { 1 + arg } else { 1 });
        next_checked!(to, sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn pop_jump_back_if_true(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let v = *sp.sub(1);
        if is_false_object(v) {
            (*v).ob_refcnt -= 1;
            next!(pc.add(1), sp.sub(1), f, cx, k)
        }
        let target = pc.add(1).sub(arg);
        if !is_true_object(v) || breaker() || !jit::count_loop_below(target) {
            return leave(pc, sp, f, cx, k, arg);
        }
        (*v).ob_refcnt -= 1;
        next_checked!(target, sp.sub(1), f, cx, k)
    }
}
/// A jump back if the operand is None, or if it isn't.
#[inline(always)]
unsafe fn jump_back_none<const IF_NONE: bool>(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let v = *sp.sub(1);
        if (*v).ob_refcnt == 1 {
            return leave(pc, sp, f, cx, k, arg);
        }
        if is_none_object(v) != IF_NONE {
            (*v).ob_refcnt -= 1;
            next!(pc.add(1), sp.sub(1), f, cx, k)
        }
        let target = pc.add(1).sub(arg);
        if breaker() || !jit::count_loop_below(target) {
            return leave(pc, sp, f, cx, k, arg);
        }
        (*v).ob_refcnt -= 1;
        next_checked!(target, sp.sub(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn pop_jump_back_if_none(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe { jump_back_none::<true>(pc, sp, f, cx, k, arg) }
}
pub(super) unsafe extern "C" fn pop_jump_back_if_not_none(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe { jump_back_none::<false>(pc, sp, f, cx, k, arg) }
}
pub(super) unsafe extern "C" fn pop_jump_if_none(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let sp = sp.sub(1);
        let v = *sp;
        let to = pc.add(if is_none_object(v) { 1 + arg } else { 1 });
        let n = (*v).ob_refcnt - 1;
        (*v).ob_refcnt = n;
        if n == 0 {
            (*f).prev_instr = pc;
            lh_runtime::object::dealloc(v);
            next_checked!(to, sp, f, cx, k)
        }
        next!(to, sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn pop_jump_if_not_none(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let sp = sp.sub(1);
        let v = *sp;
        let to = pc.add(if !is_none_object(v) { 1 + arg } else { 1 });
        let n = (*v).ob_refcnt - 1;
        (*v).ob_refcnt = n;
        if n == 0 {
            (*f).prev_instr = pc;
            lh_runtime::object::dealloc(v);
            next_checked!(to, sp, f, cx, k)
        }
        next!(to, sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn jump_if_false_or_pop(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let v = *sp.sub(1);
        let t = if is_true_object(v) {
            true
        } else if is_false_object(v) {
            false
        } else {
            (*f).prev_instr = pc;
            match r(v).is_true() {
                Ok(t) => t,
                Err(_) => return raise(pc, sp, f, cx, k, arg),
            }
        };
        if !t {
            next_checked!(pc.add(1 + arg), sp, f, cx, k)
        }
        decref(v);
        next_checked!(pc.add(1), sp.sub(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn jump_if_true_or_pop(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let v = *sp.sub(1);
        let t = if is_true_object(v) {
            true
        } else if is_false_object(v) {
            false
        } else {
            (*f).prev_instr = pc;
            match r(v).is_true() {
                Ok(t) => t,
                Err(_) => return raise(pc, sp, f, cx, k, arg),
            }
        };
        if t {
            next_checked!(pc.add(1 + arg), sp, f, cx, k)
        }
        decref(v);
        next_checked!(pc.add(1), sp.sub(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn get_iter(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let v = *sp.sub(1);
        (*f).prev_instr = pc;
        let it = raw(r(v).iterator());
        decref(v);
        if it.is_null() {
            return raise(pc, sp.sub(1), f, cx, k, arg);
        }
        *sp.sub(1) = it;
        next_checked!(pc.add(1), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn for_iter(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let it = *sp.sub(1);
        let t = (*it).ob_type;
        let v = if t == iters::range_iter_type() {
            return range_step(pc, sp, f, cx, k, arg);
        } else if t == iters::list_iter_type() {
            let i = it.cast::<lh_runtime::tupleobject::SeqIterObject>();
            let l = (*i).it_seq.cast::<PyListObject>();
            if l.is_null() || (*i).it_index as usize >= (*l).ob_base.ob_size as usize {
                return iter_step(pc, sp, f, cx, k, arg);
            }
            let v = *(*l).ob_item.add((*i).it_index as usize);
            (*i).it_index += 1;
            v
        } else if t == iters::tuple_iter_type() {
            let i = it.cast::<lh_runtime::tupleobject::SeqIterObject>();
            let l = (*i).it_seq.cast::<PyTupleObject>();
            if l.is_null() || (*i).it_index as usize >= (*l).ob_base.ob_size as usize {
                return iter_step(pc, sp, f, cx, k, arg);
            }
            let v = *(&raw const (*l).ob_item).cast::<*mut PyObject>().add((*i).it_index as usize);
            (*i).it_index += 1;
            v
        } else if t == crate::generator::Generator::type_ptr()
            && arg <= 0xff
            && gens::can_enter(it.cast(), cx)
        {
            return gens::enter(pc, sp, f, cx, it.cast(), none().into_raw());
        } else {
            return iter_step(pc, sp, f, cx, k, arg);
        };
        incref(v);
        *sp = v;
        next!(pc.add(1), sp.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn resume(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        if arg < 2 && (breaker() || arg == 0 && !jit::count_call_below((*f).code)) {
            return leave(pc, sp, f, cx, k, arg);
        }
        next!(pc.add(1), sp, f, cx, k)
    }
}
/// FOR_ITER over a range: the value goes straight into the variable if the next instruction stores it, into the object of the
/// previous value if nobody else has that.
#[inline(always)]
unsafe fn range_step(pc: Pc, sp: Sp, f: *mut Frame, cx: *mut Context, k: Sp, arg: usize) -> usize {
    // SAFETY: the handlers' contract; the iterator is a range's.
    unsafe {
        let i = (*sp.sub(1)).cast::<lh_runtime::rangeobject::RangeIterObject>();
        let n = (*i).index;
        if n >= (*i).len {
            return iter_step(pc, sp, f, cx, k, arg);
        }
        (*i).index = n + 1;
        let v = (*i).start.wrapping_add(n.wrapping_mul((*i).step));
        let next_word = *pc.add(1);
        if next_word as u8 == op::STORE_FAST && v > 256 && v < 1 << 30 {
            let place = frame::localsplus(f).add((next_word >> 8) as usize);
            let old = *place;
            if !old.is_null() && exact::<Int>(old) && (*old).ob_refcnt == 1 {
                let p = old.cast::<PyLongObject>();
                (*p).ob_base.ob_size = 1;
                (*p).ob_digit[0] = v as u32;
                next!(pc.add(2), sp, f, cx, k)
            }
        }
        if v.unsigned_abs() >= 1 << 60 {
            return ints::push_new_int(pc.add(1), sp, f, cx, k, v as usize);
        }
        ints::push_int(v, pc.add(1), sp, f, cx, k)
    }
}
/// FOR_ITER by the iterator's own `tp_iternext`.
#[inline(never)]
pub(super) unsafe extern "C" fn iter_step(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract; an iterator has the slot.
    unsafe {
        let it = *sp.sub(1);
        (*f).prev_instr = pc;
        let v = ((*(*it).ob_type).tp_iternext.unwrap_unchecked())(it);
        if !v.is_null() {
            *sp = v;
            next_checked!(pc.add(1), sp.add(1), f, cx, k)
        }
        if !(*(*cx).ts).curexc_type.is_null() {
            if !lh_runtime::errors::matches(exc::StopIteration()) {
                return raise(pc, sp, f, cx, k, arg);
            }
            if (*cx).mode != 0 {
                traced::stop_iteration(cx, f, sp);
            }
            clear();
        }
        decref(it);
        next_checked!(pc.add(1 + arg), sp.sub(1), f, cx, k)
    }
}
