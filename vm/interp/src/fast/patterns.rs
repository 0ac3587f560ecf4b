//! Handlers of `match` statements.

use super::*;
use crate::ops;

push_new!(get_len, |f, sp, arg| r(*sp.sub(1)).length().map(Int::from_usize));
push_new!(match_keys, |f, sp, arg| ops::match_keys(r(*sp.sub(2)), r(*sp.sub(1))));

macro_rules! match_flag {
    ($name:ident, $flag:expr) => {
        handler! {
            fn $name(pc, sp, f, cx, k, _arg) {
                let v = py_bool((*(**sp.sub(1)).ob_type).tp_flags & $flag != 0);
                incref(v);
                *sp = v;
                next!(pc.add(1), sp.add(1), f, cx, k)
            }
        }
    };
}
match_flag!(match_mapping, Py_TPFLAGS_MAPPING);
match_flag!(match_sequence, Py_TPFLAGS_SEQUENCE);

handler! {
    /// MATCH_CLASS: the attributes of the subject that a class pattern asks for, or None.
    fn match_class(pc, sp, f, cx, k, arg) {
        (*f).prev_instr = pc;
        let (subject, class, names) = (*sp.sub(3), *sp.sub(2), *sp.sub(1));
        let v = raw(ops::match_class(r(subject), r(class), arg, r(names)));
        decref(names);
        decref(class);
        decref(subject);
        let sp = sp.sub(3);
        if v.is_null() {
            return raise(pc, sp, f, cx, k, arg);
        }
        *sp = v;
        next_checked!(pc.add(1), sp.add(1), f, cx, k)
    }
}
