//! Handlers that build containers and strings, and take sequences apart.

use super::*;
use crate::ops;

pub(super) unsafe extern "C" fn build_tuple(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let base = sp.sub(arg);
        let Ok(t) = Tuple::build(arg, |i| *base.add(i)) else {
            (*f).prev_instr = pc;
            return raise(pc, sp, f, cx, k, arg);
        };
        *base = t.into_raw();
        next!(pc.add(1), base.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn build_list(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let base = sp.sub(arg);
        *base = ops::build_list(base, arg);
        next!(pc.add(1), base.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn build_map(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let base = sp.sub(2 * arg);
        (*f).prev_instr = pc;
        let d = raw(ops::build_map(base, arg));
        for i in 0..2 * arg {
            decref(*base.add(i));
        }
        if d.is_null() {
            return raise(pc, base, f, cx, k, arg);
        }
        *base = d;
        next_checked!(pc.add(1), base.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn build_string(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let base = sp.sub(arg);
        let s = raw(ops::build_string(base, arg));
        for i in 0..arg {
            decref(*base.add(i));
        }
        if s.is_null() {
            (*f).prev_instr = pc;
            return raise(pc, base, f, cx, k, arg);
        }
        *base = s;
        next!(pc.add(1), base.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn build_slice(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let base = sp.sub(arg);
        let step = if arg == 3 { *base.add(2) } else { none().into_raw() };
        let (start, stop) = (*base, *base.add(1));
        let s = Slice::new(r(start), r(stop), r(step));
        decref(start);
        decref(stop);
        decref(step);
        *base = s.into_raw();
        next!(pc.add(1), base.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn format_value(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        if arg & !1 == 0 && exact::<Str>(*sp.sub(1)) {
            next!(pc.add(1), sp, f, cx, k)
        }
        (*f).prev_instr = pc;
        let base = sp.sub(1 + (arg >> 2 & 1));
        let spec = if arg & 4 != 0 { Owned::<Object>::from_raw_opt(*base.add(1)) } else { None };
        let res = raw(ops::format_value(Owned::<Object>::from_raw(*base), arg & 3, spec));
        if res.is_null() {
            return raise(pc, base, f, cx, k, arg);
        }
        *base = res;
        next_checked!(pc.add(1), base.add(1), f, cx, k)
    }
}
pub(super) unsafe extern "C" fn list_append(
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
        let l = (*sp.sub(arg)).cast::<PyListObject>();
        let n = (*l).ob_base.ob_size;
        if n < (*l).allocated {
            *(*l).ob_item.offset(n) = v;
            (*l).ob_base.ob_size = n + 1;
        } else if r(l.cast()).downcast_unchecked::<List>().try_push(Owned::from_raw(v)).is_err() {
            (*f).prev_instr = pc;
            return raise(pc, sp, f, cx, k, arg);
        }
        next!(pc.add(1), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn set_add(
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
        let sp = sp.sub(1);
        let res = r(*sp.sub(arg)).downcast_unchecked::<Set>().add(r(*sp));
        decref(*sp);
        if res.is_err() {
            return raise(pc, sp, f, cx, k, arg);
        }
        next_checked!(pc.add(1), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn map_add(
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
        let sp = sp.sub(2);
        let res = r(*sp.sub(arg)).downcast_unchecked::<Dict>().set_item(r(*sp), r(*sp.add(1)));
        decref(*sp);
        decref(*sp.add(1));
        if res.is_err() {
            return raise(pc, sp, f, cx, k, arg);
        }
        next_checked!(pc.add(1), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn unpack_sequence(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let base = sp.sub(1);
        let v = *base;
        let items = if exact::<Tuple>(v) {
            (&raw const (*v.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>()
        } else if exact::<List>(v) {
            (*v.cast::<PyListObject>()).ob_item.cast_const()
        } else {
            return leave(pc, sp, f, cx, k, arg);
        };
        if (*v.cast::<PyVarObject>()).ob_size as usize != arg {
            return leave(pc, sp, f, cx, k, arg);
        }
        for i in 0..arg {
            let x = *items.add(i);
            incref(x);
            *base.add(arg - 1 - i) = x;
        }
        drop_next!(v, pc.add(2), base.add(arg), f, cx, k)
    }
}

handler! {
    fn build_set(pc, sp, f, cx, k, arg) {
        (*f).prev_instr = pc;
        let base = sp.sub(arg);
        let s = raw(ops::build_set(base, arg));
        if s.is_null() {
            return raise(pc, base, f, cx, k, arg);
        }
        *base = s;
        next_checked!(pc.add(1), base.add(1), f, cx, k)
    }
}
handler! {
    fn build_const_key_map(pc, sp, f, cx, k, arg) {
        (*f).prev_instr = pc;
        let keys = *sp.sub(1);
        let base = sp.sub(1 + arg);
        let d = Dict::with_capacity(arg);
        let items = (&raw const (*keys.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>();
        let mut done = Ok(());
        for i in 0..arg {
            if done.is_ok() {
                done = d.set_item(r(*items.add(i)), r(*base.add(i)));
            }
            decref(*base.add(i));
        }
        decref(keys);
        if done.is_err() {
            return raise(pc, base, f, cx, k, arg);
        }
        *base = d.into_raw();
        next_checked!(pc.add(1), base.add(1), f, cx, k)
    }
}
/// An instruction that puts the top of the stack into the container `arg` entries below.
macro_rules! into_container {
    ($name:ident, $kind:ty, |$c:ident, $v:ident, $sp:ident, $arg:ident| $e:expr) => {
        handler! {
            fn $name(pc, sp, f, cx, k, arg) {
                (*f).prev_instr = pc;
                let ($sp, $arg) = (sp.sub(1), arg);
                let _ = $arg;
                let ($c, $v) = (r(*$sp.sub(arg)).downcast_unchecked::<$kind>(), r(*$sp));
                let res: PyResult<()> = $e;
                decref(*$sp);
                if res.is_err() {
                    return raise(pc, $sp, f, cx, k, arg);
                }
                next_checked!(pc.add(1), $sp, f, cx, k)
            }
        }
    };
}
into_container!(list_extend, List, |c, v, sp, arg| ops::list_extend(c, v));
into_container!(set_update, Set, |c, v, sp, arg| c.any().update(v));
into_container!(dict_update, Dict, |c, v, sp, arg| ops::dict_update(c, v));
into_container!(dict_merge, Dict, |c, v, sp, arg| ops::dict_merge(c, v, r(*sp.sub(arg + 2))));
handler! {
    fn list_to_tuple(pc, sp, f, cx, k, _arg) {
        let l = *sp.sub(1);
        *sp.sub(1) = r(l).downcast_unchecked::<List>().to_tuple().into_raw();
        drop_next!(l, pc.add(1), sp, f, cx, k)
    }
}
