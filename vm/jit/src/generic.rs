//! The generic recording: a bytecode without a recording of its own becomes a call of `exec_generic`, which does the instruction on
//! the frame's memory as the interpreter would.

use crate::helpers as h;
use crate::manager::RAISE;
use crate::record::*;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_interp::frame::{self, Frame};
use lh_interp::ops;
use lh_jit_ir::*;
use lh_runtime::prelude::*;
use std::ptr::null_mut;

/// How many stack entries an instruction takes and gives; `None`: the interpreter has to do it.
pub(crate) fn stack_effect(o: u8, arg: i32) -> Option<(i32, i32)> {
    Some(match o {
        op::BUILD_TUPLE | op::BUILD_LIST | op::BUILD_SET | op::BUILD_STRING | op::BUILD_SLICE => (arg, 1),
        op::BUILD_MAP => (2 * arg, 1),
        op::BUILD_CONST_KEY_MAP => (arg + 1, 1),
        op::FORMAT_VALUE => (1 + (arg & 4 != 0) as i32, 1),
        op::LIST_APPEND
        | op::SET_ADD
        | op::LIST_EXTEND
        | op::SET_UPDATE
        | op::DICT_UPDATE
        | op::DICT_MERGE => (1, 0),
        op::MAP_ADD => (2, 0),
        op::LIST_TO_TUPLE => (1, 1),
        op::UNPACK_SEQUENCE => (1, arg),
        op::UNPACK_EX => (1, (arg & 0xff) + (arg >> 8) + 1),
        op::MAKE_FUNCTION => (1 + (arg & 15).count_ones() as i32, 1),
        op::MAKE_CELL | op::DELETE_DEREF | op::DELETE_NAME | op::DELETE_GLOBAL | op::SETUP_ANNOTATIONS => {
            (0, 0)
        }
        op::DELETE_SUBSCR => (2, 0),
        op::DELETE_ATTR | op::STORE_NAME | op::PRINT_EXPR => (1, 0),
        op::LOAD_NAME | op::LOAD_CLASSDEREF | op::LOAD_BUILD_CLASS | op::LOAD_ASSERTION_ERROR => (0, 1),
        op::CALL_FUNCTION_EX => (3 + (arg & 1), 1),
        op::IMPORT_NAME => (2, 1),
        op::IMPORT_FROM => (0, 1),
        op::BEFORE_WITH => (1, 2),
        op::CHECK_EXC_MATCH => (1, 1),
        op::WITH_EXCEPT_START | op::GET_LEN | op::MATCH_MAPPING | op::MATCH_SEQUENCE | op::MATCH_KEYS => {
            (0, 1)
        }
        op::MATCH_CLASS => (3, 1),
        // Those below have recordings of their own, except where they may raise.
        op::BINARY_SUBSCR | op::BINARY_OP | op::COMPARE_OP | op::CONTAINS_OP => (2, 1),
        op::UNARY_NEGATIVE | op::UNARY_POSITIVE | op::UNARY_INVERT | op::GET_ITER | op::LOAD_ATTR => (1, 1),
        op::STORE_SUBSCR => (3, 0),
        op::STORE_ATTR => (2, 0),
        op::LOAD_METHOD => (1, 2),
        op::LOAD_GLOBAL => (0, 1 + (arg & 1)),
        _ => return None,
    })
}

impl Recorder {
    /// Any instruction that goes on with the next one.
    pub(crate) unsafe fn generic(&mut self, o: u8, arg: u32, next: u32) -> Rec<u32> {
        // SAFETY: live operands.
        unsafe {
            let Some((pops, pushes)) = stack_effect(o, arg as i32) else { return Err(Why::Opcode(o)) };
            self.set_prev()?;
            let sp = self.sp;
            let f = self.here();
            let (spv, ov, av) = (self.b().int(sp as i64), self.b().int(o as i64), self.b().int(arg as i64));
            self.b().flush()?;
            let r = self.b().call(h::GENERIC, &[f, spv, ov, av], false)?;
            self.act();
            let low = sp - pops;
            self.forget(low, sp.max(low + pushes))?;
            if o == op::MAKE_CELL {
                self.forget(arg as i32, arg as i32 + 1)?;
            }
            self.snapshot(RAISE, self.pc, low)?;
            self.b().emit(Op::GTrue, &[r])?;
            Ok(next)
        }
    }
}

unsafe fn o<'a>(p: *mut PyObject) -> &'a Object {
    // SAFETY: a live object.
    unsafe { Object::from_ptr(p) }
}

/// Does instruction `opcode` on the frame, whose stack is `sp` slots high. 1, or 0 with an exception set and the operands gone.
pub unsafe extern "C" fn exec_generic(f: *mut Frame, sp: i64, opcode: i64, arg: i64) -> i64 {
    // SAFETY: the trace has written the frame to memory.
    unsafe {
        let (opcode, arg) = (opcode as u8, arg as usize);
        let Some((pops, _)) = stack_effect(opcode, arg as i32) else { return 0 };
        let base = frame::localsplus(f).add(sp as usize - pops as usize);
        match execute(f, base, pops as usize, opcode, arg) {
            Ok(()) => 1,
            Err(_) => {
                for i in 0..pops as usize {
                    xdecref(std::mem::replace(&mut *base.add(i), null_mut()));
                }
                0
            }
        }
    }
}

/// `base` is the first operand; results go there. Operands still in their slots on failure are dropped by the caller.
unsafe fn execute(
    f: *mut Frame,
    base: *mut *mut PyObject,
    pops: usize,
    opcode: u8,
    arg: usize,
) -> PyResult<()> {
    // SAFETY: as `exec_generic`; each slot is emptied when its reference is taken.
    unsafe {
        let take = |i: usize| Owned::<Object>::from_raw(std::mem::replace(&mut *base.add(i), null_mut()));
        let below = |n: usize| *base.sub(n);
        let names =
            (&raw mut (*(*(*f).code).co_names.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>();
        let name = || o(*names.add(arg));
        let clear = || {
            for i in 0..pops {
                xdecref(std::mem::replace(&mut *base.add(i), null_mut()));
            }
        };
        match opcode {
            op::BUILD_TUPLE => {
                let t = Tuple::from_vec((0..arg).map(take).collect());
                *base = t.into_raw();
            }
            op::BUILD_LIST => {
                let l = List::from_vec((0..arg).map(take).collect());
                *base = l.into_raw();
            }
            op::BUILD_SET => {
                // Takes the items over, also when it fails.
                let items: Vec<*mut PyObject> =
                    (0..arg).map(|i| std::mem::replace(&mut *base.add(i), null_mut())).collect();
                *base = ops::build_set(items.as_ptr().cast_mut(), arg)?.into_raw();
            }
            op::BUILD_MAP => {
                let d = ops::build_map(base, arg)?;
                clear();
                *base = d.into_raw();
            }
            op::BUILD_CONST_KEY_MAP => {
                let d = Dict::new();
                let keys = o(*base.add(arg)).downcast_unchecked::<Tuple>();
                for i in 0..arg {
                    d.set_item(keys.item_ref(i), o(*base.add(i)))?;
                }
                clear();
                *base = d.into_raw();
            }
            op::BUILD_STRING => {
                let s = ops::build_string(base, arg)?;
                clear();
                *base = s.into_raw();
            }
            op::BUILD_SLICE => {
                let step = if arg == 3 { o(*base.add(2)).own() } else { none() };
                let s = Slice::new(o(*base), o(*base.add(1)), &step);
                clear();
                *base = s.into_raw();
            }
            op::FORMAT_VALUE => {
                let v = take(0);
                let spec = if arg & 4 != 0 { Some(take(1)) } else { None };
                *base = ops::format_value(v, arg & 3, spec)?.into_raw();
            }
            op::LIST_APPEND => o(below(arg)).downcast_unchecked::<List>().try_push(take(0))?,
            op::SET_ADD => {
                let v = take(0);
                o(below(arg)).downcast_unchecked::<Set>().add(&v).map(drop)?
            }
            op::MAP_ADD => {
                let (k, v) = (take(0), take(1));
                o(below(arg)).downcast_unchecked::<Dict>().set_item(&k, &v)?
            }
            op::LIST_EXTEND => {
                let v = take(0);
                ops::list_extend(o(below(arg)).downcast_unchecked::<List>(), &v)?
            }
            op::SET_UPDATE => {
                let v = take(0);
                o(below(arg)).downcast_unchecked::<Set>().any().update(&v)?
            }
            op::DICT_UPDATE => {
                let v = take(0);
                ops::dict_update(o(below(arg)).downcast_unchecked::<Dict>(), &v)?
            }
            op::DICT_MERGE => {
                let v = take(0);
                let d = o(below(arg)).downcast_unchecked::<Dict>();
                ops::dict_merge(d, &v, o(below(arg + 2)))?
            }
            op::LIST_TO_TUPLE => {
                let l = take(0);
                *base = l.downcast_unchecked::<List>().to_tuple().into_raw();
            }
            op::UNPACK_SEQUENCE | op::UNPACK_EX => {
                let v = take(0);
                let items = if opcode == op::UNPACK_EX {
                    ops::unpack(&v, arg & 0xff, Some(arg >> 8))?
                } else {
                    ops::unpack(&v, arg, None)?
                };
                drop(v);
                for (i, x) in items.into_iter().rev().enumerate() {
                    *base.add(i) = x.into_raw();
                }
            }
            op::MAKE_FUNCTION => {
                let mut top = pops - 1;
                let code = take(top);
                let func = Function::new(code.downcast_unchecked(), o((*f).globals), None)?;
                if arg & 8 != 0 {
                    top -= 1;
                    func.set_closure(Some(take(top).downcast_unchecked::<Tuple>()));
                }
                if arg & 4 != 0 {
                    top -= 1;
                    func.set_annotations(Some(&take(top)));
                }
                if arg & 2 != 0 {
                    top -= 1;
                    func.set_kwdefaults(Some(&take(top)));
                }
                if arg & 1 != 0 {
                    top -= 1;
                    func.set_defaults(Some(take(top).downcast_unchecked::<Tuple>()));
                }
                *base = func.into_raw();
            }
            op::MAKE_CELL => {
                let p = frame::localsplus(f).add(arg);
                *p = CellObject::new(Owned::from_raw_opt(*p)).into_raw();
            }
            op::DELETE_DEREF => {
                let c = (*frame::localsplus(f).add(arg)).cast::<PyCellObject>();
                let old = std::mem::replace(&mut (*c).ob_ref, null_mut());
                if old.is_null() {
                    ops::unbound_deref(f, arg);
                    return Err(Raised::already_set());
                }
                decref(old);
            }
            op::DELETE_NAME => ops::delete_name(f, name())?,
            op::DELETE_GLOBAL => ops::delete_global(f, name())?,
            op::SETUP_ANNOTATIONS => ops::setup_annotations(f)?,
            op::DELETE_SUBSCR => {
                o(*base).del_item_of(o(*base.add(1)))?;
                clear();
            }
            op::DELETE_ATTR => {
                o(*base).del_attr(name().downcast_unchecked::<Str>())?;
                clear();
            }
            op::STORE_NAME => {
                ops::store_name(f, name(), o(*base))?;
                clear();
            }
            op::PRINT_EXPR => {
                let v = take(0);
                ops::print_expr(&v)?
            }
            op::LOAD_NAME => *base = ops::load_name(f, name())?.into_raw(),
            op::LOAD_CLASSDEREF => *base = ops::load_classderef(f, arg)?.into_raw(),
            op::LOAD_BUILD_CLASS => *base = ops::load_build_class(f)?.into_raw(),
            op::LOAD_ASSERTION_ERROR => *base = exc::AssertionError().own().into_raw(),
            op::CALL_FUNCTION_EX => {
                // The null under the callable is the first operand.
                let at = if arg & 1 != 0 { base.add(3) } else { base };
                let kwargs = std::mem::replace(&mut *at, null_mut());
                let args = std::mem::replace(&mut *base.add(2), null_mut());
                let callee = *base.add(1);
                let (args, kwargs) = ops::prepare_call_ex(callee, args, kwargs)?;
                let v = o(callee).call_tuple(&args, kwargs.as_deref())?;
                drop(args);
                drop(kwargs);
                clear();
                *base = v.into_raw();
            }
            op::IMPORT_NAME => {
                let (level, from) = (take(0), take(1));
                *base = ops::import_name(f, name(), &from, &level)?.into_raw();
            }
            op::IMPORT_FROM => *base = ops::import_from(o(below(1)), name())?.into_raw(),
            op::BEFORE_WITH => {
                let (enter, exit) = ops::before_with(o(*base), false)?;
                clear();
                *base = exit.into_raw();
                match enter.call0() {
                    Ok(v) => *base.add(1) = v.into_raw(),
                    Err(e) => return Err(e),
                }
            }
            op::CHECK_EXC_MATCH => {
                let right = take(0);
                ops::check_catchable(&right)?;
                let m = given_matches(o(below(1)), &right);
                *base = bool_obj(m).into_raw();
            }
            op::WITH_EXCEPT_START => *base = ops::with_except(o(below(4)), o(below(1)))?.into_raw(),
            op::GET_LEN => *base = Int::from_usize(o(below(1)).length()?).into_raw(),
            op::MATCH_MAPPING | op::MATCH_SEQUENCE => {
                let flag = if opcode == op::MATCH_MAPPING { Py_TPFLAGS_MAPPING } else { Py_TPFLAGS_SEQUENCE };
                *base = bool_obj((*(*below(1)).ob_type).tp_flags & flag != 0).into_raw();
            }
            op::MATCH_KEYS => *base = ops::match_keys(o(below(2)), o(below(1)))?.into_raw(),
            op::MATCH_CLASS => {
                let (subject, class, attrs) = (take(0), take(1), take(2));
                *base = ops::match_class(&subject, &class, arg, &attrs)?.into_raw();
            }
            op::BINARY_SUBSCR => {
                let v = o(*base).get_item(o(*base.add(1)))?;
                clear();
                *base = v.into_raw();
            }
            op::BINARY_OP => {
                let v = lh_runtime::number::binary_op(arg as u32, o(*base), o(*base.add(1)))?;
                clear();
                *base = v.into_raw();
            }
            op::COMPARE_OP => {
                let how = lh_runtime::slots::CompareOp::from_c(arg as i32);
                let v = o(*base).rich_compare(o(*base.add(1)), how)?;
                clear();
                *base = v.into_raw();
            }
            op::CONTAINS_OP => {
                let found = o(*base.add(1)).contains_item(o(*base))?;
                clear();
                *base = bool_obj(found == (arg == 0)).into_raw();
            }
            op::UNARY_NEGATIVE | op::UNARY_POSITIVE | op::UNARY_INVERT => {
                let v = ops::unary(opcode, o(*base))?;
                clear();
                *base = v.into_raw();
            }
            op::GET_ITER => {
                let v = o(*base).iterator()?;
                clear();
                *base = v.into_raw();
            }
            op::LOAD_ATTR => {
                let v = o(*base).get_attr(name().downcast_unchecked::<Str>())?;
                clear();
                *base = v.into_raw();
            }
            op::STORE_SUBSCR => {
                o(*base.add(1)).set_item_of(o(*base.add(2)), o(*base))?;
                clear();
            }
            op::STORE_ATTR => {
                o(*base.add(1)).set_attr(name().downcast_unchecked::<Str>(), o(*base))?;
                clear();
            }
            op::LOAD_METHOD => {
                let this = *base;
                let (m, unbound) = ops::get_method(this, *names.add(arg));
                if m.is_null() {
                    return Err(Raised::already_set());
                }
                if unbound {
                    (*base, *base.add(1)) = (m, this);
                } else {
                    (*base, *base.add(1)) = (null_mut(), m);
                    decref(this);
                }
            }
            op::LOAD_GLOBAL => {
                let v = ops::load_global(f, o(*names.add(arg >> 1)))?.into_raw();
                if arg & 1 != 0 {
                    (*base, *base.add(1)) = (null_mut(), v);
                } else {
                    *base = v;
                }
            }
            _ => return raise!(SystemError, "opcode {} has no generic form", opcode),
        }
        Ok(())
    }
}
