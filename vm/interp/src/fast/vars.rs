//! Handlers for the stack, local, closure and global variables.

use super::*;
use crate::ops;
use crate::specialize::{self, Found};

pub(super) unsafe extern "C" fn nop(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    _arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe { next!(pc.add(1), sp, f, cx, k) }
}
pub(super) unsafe extern "C" fn load_fast(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let v = *frame::localsplus(f).add(arg);
        if v.is_null() {
            return leave(pc, sp, f, cx, k, arg);
        }
        incref(v);
        *sp = v;
        next!(pc.add(1), sp.add(1), f, cx, k)
    }
}
handler! {
    /// Two LOAD_FASTs in a row.
    fn load_fast_twice(pc, sp, f, cx, k, arg) {
        let l = frame::localsplus(f);
        let (v, w) = (*l.add(arg), *l.add((*pc.add(1) >> 8) as usize));
        if v.is_null() || w.is_null() {
            return leave(pc, sp, f, cx, k, arg);
        }
        incref(v);
        incref(w);
        *sp = v;
        *sp.add(1) = w;
        next!(pc.add(2), sp.add(2), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_const(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let v = *k.add(arg);
        incref(v);
        *sp = v;
        next!(pc.add(1), sp.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn store_fast(
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
        let old = std::mem::replace(&mut *frame::localsplus(f).add(arg), *sp);
        if old.is_null() {
            next!(pc.add(1), sp, f, cx, k)
        }
        drop_next!(old, pc.add(1), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn pop_top(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    _arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let sp = sp.sub(1);
        drop_next!(*sp, pc.add(1), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn push_null(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    _arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        *sp = null_mut();
        next!(pc.add(1), sp.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn copy(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let v = *sp.sub(arg);
        xincref(v);
        *sp = v;
        next!(pc.add(1), sp.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn swap(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let (a, b) = (*sp.sub(1), *sp.sub(arg));
        *sp.sub(1) = b;
        *sp.sub(arg) = a;
        next!(pc.add(1), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_deref(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract; the local is a cell.
    unsafe {
        let v = (*(*frame::localsplus(f).add(arg)).cast::<PyCellObject>()).ob_ref;
        if v.is_null() {
            return leave(pc, sp, f, cx, k, arg);
        }
        incref(v);
        *sp = v;
        next!(pc.add(1), sp.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn store_deref(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract; the local is a cell.
    unsafe {
        let sp = sp.sub(1);
        let c = (*frame::localsplus(f).add(arg)).cast::<PyCellObject>();
        let old = std::mem::replace(&mut (*c).ob_ref, *sp);
        if old.is_null() {
            next!(pc.add(1), sp, f, cx, k)
        }
        drop_next!(old, pc.add(1), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn copy_free_vars(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        frame::copy_free_vars(f, arg);
        next!(pc.add(1), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn make_cell(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract; the local's count moves into the cell.
    unsafe {
        let p = frame::localsplus(f).add(arg);
        *p = CellObject::new(Owned::from_raw_opt(*p)).into_raw();
        next!(pc.add(1), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_global_module(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract; the cache is this instruction's.
    unsafe {
        let v = match specialize::global_in_module(f, pc) {
            Found::Known(v) => v,
            Found::Changed => return changed_in_module(pc, sp, f, cx, k, arg),
            Found::Missed => return leave(pc, sp, f, cx, k, arg),
        };
        incref(v);
        // Without the null the value goes where the null would be.
        *sp = null_mut();
        let at = sp.add(arg & 1);
        *at = v;
        next!(pc.add(6), at.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_global_builtin(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: as above.
    unsafe {
        let v = match specialize::global_in_builtins(f, pc) {
            Found::Known(v) => v,
            Found::Changed => return changed_in_builtins(pc, sp, f, cx, k, arg),
            Found::Missed => return leave(pc, sp, f, cx, k, arg),
        };
        incref(v);
        *sp = null_mut();
        let at = sp.add(arg & 1);
        *at = v;
        next!(pc.add(6), at.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn kw_names(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        (*cx).kwnames = *k.add(arg);
        next!(pc.add(1), sp, f, cx, k)
    }
}

handler! {
    /// The instruction behind, with a longer argument. (Its handler may leave: `leave` finds the way back.)
    fn extended_arg(pc, sp, f, cx, k, arg) {
        let w = *pc.add(1) as usize;
        return (*cx).after[w & 0xff](pc.add(1), sp, f, cx, k, arg << 8 | w >> 8);
    }
}
handler! {
    fn delete_fast(pc, sp, f, cx, k, arg) {
        let place = frame::localsplus(f).add(arg);
        let old = *place;
        if old.is_null() {
            return leave(pc, sp, f, cx, k, arg);
        }
        *place = null_mut();
        drop_next!(old, pc.add(1), sp, f, cx, k)
    }
}
push_new!(load_name, |f, sp, arg| ops::load_name(f, r(name(f, arg))));
handler! {
    fn store_name(pc, sp, f, cx, k, arg) {
        (*f).prev_instr = pc;
        let v = *sp.sub(1);
        if ops::store_name(f, r(name(f, arg)), r(v)).is_err() {
            return raise(pc, sp, f, cx, k, arg);
        }
        decref(v);
        next_checked!(pc.add(1), sp.sub(1), f, cx, k)
    }
}
handler! {
    fn store_global(pc, sp, f, cx, k, arg) {
        (*f).prev_instr = pc;
        let v = *sp.sub(1);
        if r((*f).globals).downcast_unchecked::<Dict>().set_item(r(name(f, arg)), r(v)).is_err() {
            return raise(pc, sp, f, cx, k, arg);
        }
        decref(v);
        next_checked!(pc.add(1), sp.sub(1), f, cx, k)
    }
}
handler! {
    fn import_name(pc, sp, f, cx, k, arg) {
        (*f).prev_instr = pc;
        let sp = sp.sub(2);
        let (level, from) = (Owned::<Object>::from_raw(*sp), Owned::<Object>::from_raw(*sp.add(1)));
        let m = raw(ops::import_name(f, r(name(f, arg)), &from, &level));
        drop(from);
        drop(level);
        if m.is_null() {
            return raise(pc, sp, f, cx, k, arg);
        }
        *sp = m;
        next_checked!(pc.add(1), sp.add(1), f, cx, k)
    }
}
push_new!(import_from, |f, sp, arg| ops::import_from(r(*sp.sub(1)), r(name(f, arg))));
handler! {
    #[cold]
    fn changed_in_module(pc, sp, f, cx, k, arg) {
        specialize::changed_in_module(f, pc);
        return load_global_module(pc, sp, f, cx, k, arg);
    }
}
handler! {
    #[cold]
    fn changed_in_builtins(pc, sp, f, cx, k, arg) {
        specialize::changed_in_builtins(f, pc);
        return load_global_builtin(pc, sp, f, cx, k, arg);
    }
}
