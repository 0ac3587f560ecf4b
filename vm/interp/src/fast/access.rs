//! Handlers for subscripts, attributes and methods.

use super::ints::drop_int;
use super::operands::answer_two;
use super::*;
use crate::{ops, specialize};

/// The item number that `i` means in a sequence of `n` items, `n` or more if it is none.
#[inline(always)]
unsafe fn position(i: *mut PyObject, n: usize) -> usize {
    // SAFETY: an exact int.
    unsafe {
        let p = i.cast::<PyLongObject>();
        let d = (*p).ob_digit[0] as usize;
        match (*p).ob_base.ob_size {
            0 | 1 => d,
            -1 => n.wrapping_sub(d),
            _ => usize::MAX,
        }
    }
}
/// Frees `c`, whose count has reached zero, then drops the entry at `sp`.
#[cold]
#[inline(never)]
unsafe extern "C" fn drop_both(pc: Pc, sp: Sp, f: *mut Frame, cx: *mut Context, k: Sp, c: usize) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        (*f).prev_instr = pc.sub(1);
        lh_runtime::object::dealloc(c as *mut PyObject);
        xdecref(*sp);
        next_checked!(pc, sp, f, cx, k)
    }
}

handler! {
    /// A character of a string.
    #[inline(never)]
    fn subscr_str(pc, sp, f, cx, k, arg) {
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        let s = r(a).downcast_unchecked::<Str>();
        let n = s.len();
        let at = position(b, n);
        if at >= n {
            return subscr_by_slot(pc, sp, f, cx, k, arg);
        }
        *sp.sub(2) = Str::from_char(s.char_at(at)).into_raw();
        drop_int(b);
        drop_next!(a, pc.add(5), sp.sub(1), f, cx, k)
    }
}
handler! {
    /// The subscript of what has no slot for subscripts of any kind.
    #[inline(never)]
    fn subscr_other(_pc, sp, f, cx, _k, _arg) {
        let res = raw(r(*sp.sub(2)).get_item(r(*sp.sub(1))));
        answer_two::<5>(res, sp, f, cx)
    }
}
handler! {
    /// An item by its number, from what only has a slot for those.
    #[inline(never)]
    fn subscr_item(pc, sp, f, cx, k, arg) {
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        let Some(s) = (*(*a).ob_type).tp_as_sequence.as_ref() else {
            return subscr_other(pc, sp, f, cx, k, arg);
        };
        let (Some(item), true) = (s.sq_item, exact::<Int>(b)) else {
            return subscr_other(pc, sp, f, cx, k, arg);
        };
        let p = b.cast::<PyLongObject>();
        let size = (*p).ob_base.ob_size;
        if !(-1..=1).contains(&size) {
            return subscr_other(pc, sp, f, cx, k, arg);
        }
        let mut at = size * (*p).ob_digit[0] as isize;
        if at < 0
            && let Some(length) = s.sq_length
        {
            let n = length(a);
            if n < 0 {
                return answer_two::<5>(null_mut(), sp, f, cx);
            }
            at += n;
        }
        answer_two::<5>(item(a, at), sp, f, cx)
    }
}
#[inline(always)]
unsafe fn subscr_by_slot(pc: Pc, sp: Sp, f: *mut Frame, cx: *mut Context, k: Sp, arg: usize) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        (*f).prev_instr = pc;
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        match (*(*a).ob_type).tp_as_mapping.as_ref().and_then(|m| m.mp_subscript) {
            Some(slot) => answer_two::<5>(slot(a, b), sp, f, cx),
            None => subscr_item(pc, sp, f, cx, k, arg),
        }
    }
}
handler! {
    /// An item of an exact list by an object that is no int but has `__index__`, which is asked before anything else: it may change the list.
    #[inline(never)]
    fn list_by_index(pc, sp, f, cx, k, arg) {
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        let slot = (*(*b).ob_type).tp_as_number.as_ref().and_then(|n| n.nb_index);
        let Some(slot) = slot.filter(|_| (*(*b).ob_type).tp_flags & Py_TPFLAGS_LONG_SUBCLASS == 0) else {
            return subscr_by_slot(pc, sp, f, cx, k, arg);
        };
        (*f).prev_instr = pc;
        let i = slot(b);
        if i.is_null() {
            return answer_two::<5>(null_mut(), sp, f, cx);
        }
        let at = if exact::<Int>(i) { position(i, (*a.cast::<PyVarObject>()).ob_size as usize) } else { usize::MAX };
        let res = if at < (*a.cast::<PyVarObject>()).ob_size as usize {
            let v = *(*a.cast::<PyListObject>()).ob_item.add(at);
            incref(v);
            drop_int(i);
            v
        } else {
            raw(lh_runtime::listobject::item_by_answer(r(a), r(b), Owned::from_raw(i)))
        };
        answer_two::<5>(res, sp, f, cx)
    }
}
handler! {
    fn binary_subscr(pc, sp, f, cx, k, arg) {
        if warm(pc) {
            return leave(pc, sp, f, cx, k, arg);
        }
        if exact::<List>(*sp.sub(2)) {
            return list_by_index(pc, sp, f, cx, k, arg);
        }
        if exact::<Str>(*sp.sub(2)) && exact::<Int>(*sp.sub(1)) {
            return subscr_str(pc, sp, f, cx, k, arg);
        }
        subscr_by_slot(pc, sp, f, cx, k, arg)
    }
}
pub(super) unsafe extern "C" fn subscr_list(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        if !exact::<List>(a) || !exact::<Int>(b) {
            return binary_subscr(pc, sp, f, cx, k, arg);
        }
        let n = (*a.cast::<PyVarObject>()).ob_size as usize;
        let at = position(b, n);
        if at >= n {
            return binary_subscr(pc, sp, f, cx, k, arg);
        }
        let v = *(*a.cast::<PyListObject>()).ob_item.add(at);
        incref(v);
        *sp.sub(2) = v;
        drop_int(b);
        drop_next!(a, pc.add(5), sp.sub(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn subscr_tuple(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        if !exact::<Tuple>(a) || !exact::<Int>(b) {
            return binary_subscr(pc, sp, f, cx, k, arg);
        }
        let n = (*a.cast::<PyVarObject>()).ob_size as usize;
        let at = position(b, n);
        if at >= n {
            return binary_subscr(pc, sp, f, cx, k, arg);
        }
        let v = *(&raw const (*a.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>().add(at);
        incref(v);
        *sp.sub(2) = v;
        drop_int(b);
        drop_next!(a, pc.add(5), sp.sub(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn subscr_dict(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        if !exact::<Dict>(a) {
            return binary_subscr(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let res = raw(ops::dict_item(r(a), r(b)));
        decref(b);
        decref(a);
        if res.is_null() {
            return raise(pc, sp.sub(2), f, cx, k, arg);
        }
        *sp.sub(2) = res;
        next_checked!(pc.add(5), sp.sub(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn store_subscr(
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
        (*f).prev_instr = pc;
        let (v, c, i) = (*sp.sub(3), *sp.sub(2), *sp.sub(1));
        let slot = (*(*c).ob_type).tp_as_mapping.as_ref().and_then(|m| m.mp_ass_subscript);
        let failed = match slot {
            Some(slot) => slot(c, i, v) < 0,
            None => r(c).set_item_of(r(i), r(v)).is_err(),
        };
        decref(v);
        decref(c);
        decref(i);
        if failed {
            return raise(pc, sp.sub(3), f, cx, k, arg);
        }
        next_checked!(pc.add(2), sp.sub(3), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn store_subscr_list(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let (v, c, i) = (*sp.sub(3), *sp.sub(2), *sp.sub(1));
        if !exact::<List>(c) || !exact::<Int>(i) {
            return store_subscr(pc, sp, f, cx, k, arg);
        }
        let n = (*c.cast::<PyVarObject>()).ob_size as usize;
        let at = position(i, n);
        if at >= n {
            return store_subscr(pc, sp, f, cx, k, arg);
        }
        let old = std::mem::replace(&mut *(*c.cast::<PyListObject>()).ob_item.add(at), v);
        drop_int(i);
        let n = (*c).ob_refcnt - 1;
        (*c).ob_refcnt = n;
        if n == 0 {
            *sp.sub(3) = old;
            return drop_both(pc.add(2), sp.sub(3), f, cx, k, c as usize);
        }
        drop_next!(old, pc.add(2), sp.sub(3), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn store_subscr_dict(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let (v, c, i) = (*sp.sub(3), *sp.sub(2), *sp.sub(1));
        if !exact::<Dict>(c) {
            return store_subscr(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let res = r(c).downcast_unchecked::<Dict>().set_item(r(i), r(v));
        decref(v);
        decref(c);
        decref(i);
        if res.is_err() {
            return raise(pc, sp.sub(3), f, cx, k, arg);
        }
        next_checked!(pc.add(2), sp.sub(3), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn delete_subscr(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        (*f).prev_instr = pc;
        let (c, i) = (*sp.sub(2), *sp.sub(1));
        let res = r(c).del_item_of(r(i));
        decref(c);
        decref(i);
        if res.is_err() {
            return raise(pc, sp.sub(2), f, cx, k, arg);
        }
        next_checked!(pc.add(1), sp.sub(2), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_attr(
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
        (*f).prev_instr = pc;
        let o = *sp.sub(1);
        let res = ops::get_attr(o, name(f, arg));
        if res.is_null() {
            return raise(pc, sp, f, cx, k, arg);
        }
        *sp.sub(1) = res;
        decref(o);
        next_checked!(pc.add(5), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_attr_value(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract. The cache is this instruction's.
    unsafe {
        let o = *sp.sub(1);
        let v = specialize::instance_value(o, pc.add(1));
        if v.is_null() {
            return load_attr(pc, sp, f, cx, k, arg);
        }
        incref(v);
        *sp.sub(1) = v;
        drop_next!(o, pc.add(5), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_attr_slot(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract. The type's version says that there is a slot at the offset.
    unsafe {
        let o = *sp.sub(1);
        if (*(*o).ob_type).tp_version_tag != specialize::read_u32(pc.add(2)) {
            return load_attr(pc, sp, f, cx, k, arg);
        }
        let v = *o.cast::<u8>().add(*pc.add(4) as usize).cast::<*mut PyObject>();
        if v.is_null() {
            return load_attr(pc, sp, f, cx, k, arg);
        }
        incref(v);
        *sp.sub(1) = v;
        drop_next!(o, pc.add(5), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_attr_module(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let o = *sp.sub(1);
        if !exact::<Module>(o) {
            return load_attr(pc, sp, f, cx, k, arg);
        }
        let v = specialize::cached_global((*o.cast::<PyModuleObject>()).md_dict, pc.add(2), *pc.add(4));
        if v.is_null() {
            return load_attr(pc, sp, f, cx, k, arg);
        }
        incref(v);
        *sp.sub(1) = v;
        drop_next!(o, pc.add(5), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn store_attr(
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
        (*f).prev_instr = pc;
        let (v, o) = (*sp.sub(2), *sp.sub(1));
        let res = r(o).set_attr(r(name(f, arg)).downcast_unchecked::<Str>(), r(v));
        decref(v);
        decref(o);
        if res.is_err() {
            return raise(pc, sp.sub(2), f, cx, k, arg);
        }
        next_checked!(pc.add(5), sp.sub(2), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn store_attr_value(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let (v, o) = (*sp.sub(2), *sp.sub(1));
        let place = specialize::instance_place(o, pc.add(1));
        if place.is_null() {
            return store_attr(pc, sp, f, cx, k, arg);
        }
        let old = std::mem::replace(&mut *place, v);
        let n = (*o).ob_refcnt - 1;
        (*o).ob_refcnt = n;
        if n == 0 {
            *sp.sub(2) = old;
            return drop_both(pc.add(5), sp.sub(2), f, cx, k, o as usize);
        }
        if old.is_null() {
            next!(pc.add(5), sp.sub(2), f, cx, k)
        }
        drop_next!(old, pc.add(5), sp.sub(2), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn store_attr_slot(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract. The type's version says that there is a slot at the offset.
    unsafe {
        let (v, o) = (*sp.sub(2), *sp.sub(1));
        if (*(*o).ob_type).tp_version_tag != specialize::read_u32(pc.add(2)) {
            return store_attr(pc, sp, f, cx, k, arg);
        }
        let place = o.cast::<u8>().add(*pc.add(4) as usize).cast::<*mut PyObject>();
        let old = std::mem::replace(&mut *place, v);
        let n = (*o).ob_refcnt - 1;
        (*o).ob_refcnt = n;
        if n == 0 {
            *sp.sub(2) = old;
            return drop_both(pc.add(5), sp.sub(2), f, cx, k, o as usize);
        }
        if old.is_null() {
            next!(pc.add(5), sp.sub(2), f, cx, k)
        }
        drop_next!(old, pc.add(5), sp.sub(2), f, cx, k)
    }
}
/// Puts the method of the super object below `sp` and its self on the stack: 1; 0: it has to be bound, -1: raised.
#[inline(never)]
unsafe fn super_method(sp: Sp, name: *mut PyObject) -> i32 {
    // SAFETY: a super object on the stack; a name.
    unsafe {
        let o = *sp.sub(1);
        match crate::superobject::method(r(o).downcast_unchecked(), r(name).downcast_unchecked()) {
            Ok(Some((m, this))) => {
                *sp.sub(1) = m.into_raw();
                *sp = this.into_raw();
                decref(o);
                1
            }
            Ok(None) => 0,
            Err(_) => -1,
        }
    }
}
pub(super) unsafe extern "C" fn load_method(
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
        (*f).prev_instr = pc;
        let o = *sp.sub(1);
        if exact::<crate::superobject::Super>(o) {
            match super_method(sp, name(f, arg)) {
                0 => {}
                1 => next_checked!(pc.add(11), sp.add(1), f, cx, k),
                _ => return raise(pc, sp, f, cx, k, arg),
            }
        }
        let (m, unbound) = ops::get_method(o, name(f, arg));
        if m.is_null() {
            return raise(pc, sp, f, cx, k, arg);
        }
        if unbound {
            *sp.sub(1) = m;
            *sp = o;
        } else {
            *sp.sub(1) = null_mut();
            *sp = m;
            decref(o);
        }
        next_checked!(pc.add(11), sp.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_method_plain(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let o = *sp.sub(1);
        let m = specialize::cached_method(quick::LOAD_METHOD_PLAIN, o, pc.add(1));
        if m.is_null() {
            return load_method(pc, sp, f, cx, k, arg);
        }
        incref(m);
        *sp.sub(1) = m;
        *sp = o;
        next!(pc.add(11), sp.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_method_values(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let o = *sp.sub(1);
        let m = specialize::cached_method(quick::LOAD_METHOD_VALUES, o, pc.add(1));
        if m.is_null() {
            return load_method(pc, sp, f, cx, k, arg);
        }
        incref(m);
        *sp.sub(1) = m;
        *sp = o;
        next!(pc.add(11), sp.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_method_dict(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let o = *sp.sub(1);
        let m = specialize::cached_method(quick::LOAD_METHOD_DICT, o, pc.add(1));
        if m.is_null() {
            return load_method(pc, sp, f, cx, k, arg);
        }
        incref(m);
        *sp.sub(1) = m;
        *sp = o;
        next!(pc.add(11), sp.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_method_class(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract. The function lives as long as the type's version stands.
    unsafe {
        let o = *sp.sub(1);
        if (*(*o).ob_type).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS == 0
            || (*o.cast::<PyTypeObject>()).tp_version_tag != specialize::read_u32(pc.add(2))
        {
            return load_method(pc, sp, f, cx, k, arg);
        }
        let m = specialize::read_ptr(pc.add(7));
        incref(m);
        *sp.sub(1) = null_mut();
        *sp = m;
        drop_next!(o, pc.add(11), sp.add(1), f, cx, k)
    }
}
handler! {
    /// The class method of a C type, for an instance.
    fn load_method_bound(pc, sp, f, cx, k, arg) {
        let o = *sp.sub(1);
        let t = (*o).ob_type;
        if (*t).tp_version_tag != specialize::read_u32(pc.add(2)) {
            return load_method(pc, sp, f, cx, k, arg);
        }
        let def = specialize::read_ptr(pc.add(7)).cast::<PyMethodDef>();
        *sp.sub(1) = null_mut();
        *sp = CFunction::new(def, Some(r(t.cast())), None).into_raw();
        drop_next!(o, pc.add(11), sp.add(1), f, cx, k)
    }
}
handler! {
    /// The same for a class.
    fn load_method_class_bound(pc, sp, f, cx, k, arg) {
        let o = *sp.sub(1);
        if (*(*o).ob_type).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS == 0
            || (*o.cast::<PyTypeObject>()).tp_version_tag != specialize::read_u32(pc.add(2))
        {
            return load_method(pc, sp, f, cx, k, arg);
        }
        let def = specialize::read_ptr(pc.add(7)).cast::<PyMethodDef>();
        *sp.sub(1) = null_mut();
        *sp = CFunction::new(def, Some(r(o)), None).into_raw();
        drop_next!(o, pc.add(11), sp.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn load_method_module(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let o = *sp.sub(1);
        if !exact::<Module>(o) {
            return load_method(pc, sp, f, cx, k, arg);
        }
        let m = match specialize::method_in_module(o, pc) {
            specialize::Found::Known(m) => m,
            specialize::Found::Changed => return changed_method(pc, sp, f, cx, k, arg),
            specialize::Found::Missed => return load_method(pc, sp, f, cx, k, arg),
        };
        incref(m);
        *sp.sub(1) = null_mut();
        *sp = m;
        drop_next!(o, pc.add(11), sp.add(1), f, cx, k)
    }
}
handler! {
    #[cold]
    fn changed_method(pc, sp, f, cx, k, arg) {
        specialize::changed_method(*sp.sub(1), pc);
        return load_method_module(pc, sp, f, cx, k, arg);
    }
}
