//! Handlers of exception handlers and `with` blocks. (Raising and unwinding are `eval::run`'s business.)

use super::*;
use crate::ops;

handler! {
    fn push_exc_info(pc, sp, f, cx, k, _arg) {
        let e = *sp.sub(1);
        let info = (*(*cx).ts).exc_info;
        let old = (*info).exc_value;
        *sp.sub(1) = if old.is_null() { none().into_raw() } else { old };
        incref(e);
        (*info).exc_value = e;
        *sp = e;
        next!(pc.add(1), sp.add(1), f, cx, k)
    }
}
handler! {
    fn pop_except(pc, sp, f, cx, k, _arg) {
        let e = *sp.sub(1);
        let info = (*(*cx).ts).exc_info;
        let old = std::mem::replace(&mut (*info).exc_value, e);
        if old.is_null() {
            next!(pc.add(1), sp.sub(1), f, cx, k)
        }
        drop_next!(old, pc.add(1), sp.sub(1), f, cx, k)
    }
}
handler! {
    fn check_exc_match(pc, sp, f, cx, k, arg) {
        (*f).prev_instr = pc;
        let (e, class) = (*sp.sub(2), *sp.sub(1));
        if ops::check_catchable(r(class)).is_err() {
            return raise(pc, sp, f, cx, k, arg);
        }
        let v = py_bool(lh_runtime::errors::given_matches(r(e), r(class)));
        decref(class);
        incref(v);
        *sp.sub(1) = v;
        next_checked!(pc.add(1), sp, f, cx, k)
    }
}
handler! {
    fn before_with(pc, sp, f, cx, k, arg) {
        (*f).prev_instr = pc;
        let manager = *sp.sub(1);
        let Ok((exit, v)) = ops::enter_with(r(manager)) else {
            return raise(pc, sp, f, cx, k, arg);
        };
        *sp.sub(1) = exit.into_raw();
        *sp = v.into_raw();
        decref(manager);
        next_checked!(pc.add(1), sp.add(1), f, cx, k)
    }
}
push_new!(with_except_start, |f, sp, arg| ops::with_except(r(*sp.sub(4)), r(*sp.sub(1))));
