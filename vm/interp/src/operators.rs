//! Special methods whose frames belong to their caller's chain (`frame::OPERATOR`): what becomes of their values.
//!
//! ```text
//!   caller's stack:  … a b |          BINARY_OP has pushed the frame of a.__add__; its operands stay where they are
//!   callee:          self=a other=b   returns v
//!   caller's stack:  … v              method_left: the operands go, or NotImplemented asks the other side first
//! ```
//!
//! The JIT's recorder enters methods this way, and leaves such frames behind where a trace is left inside one. The caller's
//! `prev_instr` is the instruction itself; `how` says which of the methods it can ask has been asked.

use crate::frame::Frame;
use crate::prelude::*;
use lh_runtime::number;
use lh_runtime::slot_calls::length_of_answer;
use lh_runtime::slots::CompareOp;

/// The method's answer is the instruction's value (of a binary operator: the left operand's method answered).
pub const PLAIN: u8 = 0;
/// Binary operators: the right operand's method answered; the in-place method did.
pub const REFLECTED: u8 = 1;
pub const IN_PLACE: u8 = 2;
/// `!=` by `__eq__`.
pub const INVERTED: u8 = 1;
/// Truth: `__bool__` answered, or `__len__`.
pub const BOOL: u8 = 0;
pub const LENGTH: u8 = 1;
/// Calls of `len` and `iter`.
pub const CALL_LEN: u8 = 1;
pub const CALL_ITER: u8 = 2;

/// The truth value that the answer of `__bool__` or `__len__` stands for.
fn truth(how: u8, v: &Object) -> PyResult<bool> {
    if how == LENGTH {
        return length_of_answer(v).map(|n| n != 0);
    }
    if v.is_true_object() || v.is_false_object() {
        return Ok(v.is_true_object());
    }
    raise!(TypeError, "__bool__ should return bool, returned {}", v.ty().name())
}
fn check_iterator(v: &Object) -> PyResult<()> {
    // SAFETY: a live object's type.
    let next = unsafe { (*v.ob_type()).tp_iternext };
    let not_there = lh_runtime::typeobject::next_not_implemented as *const () as usize;
    if next.is_none_or(|f| f as usize == not_there) {
        return raise!(TypeError, "iter() returned non-iterator of type '{}'", v.ty().name());
    }
    Ok(())
}

/// A method that the current instruction of `f` has called is done: its value, or null with an exception set. Answers where `f` goes
/// on (the stack is as that wants it), `None` if the instruction raises.
pub unsafe fn method_left(
    f: *mut Frame,
    sp: &mut *mut *mut PyObject,
    how: u8,
    v: *mut PyObject,
) -> Option<*mut u16> {
    // SAFETY: the operands are on the stack of `f`; every reference taken off it is dropped once.
    unsafe {
        let at = (*f).prev_instr;
        let o = quick::BASE[*at as u8 as usize];
        let (start, arg) = whole_instruction(f, at);
        let after = at.add(1 + op::cache_entries(o));
        let mut drop_operands = |n: usize| {
            for _ in 0..n {
                *sp = sp.sub(1);
                decref(**sp);
            }
        };
        if v.is_null() {
            return match o {
                op::FOR_ITER if matches(exc::StopIteration()) => {
                    clear();
                    drop_operands(1);
                    Some(after.add(arg))
                }
                op::LOAD_ATTR | op::LOAD_METHOD if matches(exc::AttributeError()) => {
                    let name = name_of(f, at);
                    let _ = lh_runtime::exceptions::annotate_attribute_error(
                        Raised::already_set(),
                        r(*sp.sub(1)),
                        name,
                    );
                    None
                }
                _ => None,
            };
        }
        let v = Owned::<Object>::from_raw(v);
        let (value, operands) = match o {
            op::BINARY_OP => {
                let (a, b) = (r(*sp.sub(2)), r(*sp.sub(1)));
                let v = if v.is_not_implemented() {
                    number::after_method(arg as u32, how, a, b).ok()?
                } else {
                    v
                };
                (v, 2)
            }
            op::COMPARE_OP => {
                let (a, b) = (r(*sp.sub(2)), r(*sp.sub(1)));
                let v = if v.is_not_implemented() {
                    a.compare_after(b, CompareOp::from_c(arg as i32), false).ok()?
                } else if how == INVERTED {
                    bool_obj(!v.is_true().ok()?)
                } else {
                    v
                };
                (v, 2)
            }
            op::CONTAINS_OP => (bool_obj(v.is_true().ok()? == (arg == 0)), 2),
            op::STORE_SUBSCR => {
                drop_operands(3);
                return Some(after);
            }
            op::DELETE_SUBSCR | op::STORE_ATTR => {
                drop_operands(2);
                return Some(after);
            }
            op::LOAD_METHOD => {
                drop_operands(1);
                **sp = std::ptr::null_mut();
                *sp = sp.add(1);
                (v, 0)
            }
            op::GET_ITER => {
                check_iterator(&v).ok()?;
                (v, 1)
            }
            op::FOR_ITER => (v, 0),
            op::UNARY_NOT => (bool_obj(!truth(how, &v).ok()?), 1),
            op::JUMP_IF_FALSE_OR_POP | op::JUMP_IF_TRUE_OR_POP => {
                if truth(how, &v).ok()? == (o == op::JUMP_IF_TRUE_OR_POP) {
                    return Some(after.add(arg));
                }
                drop_operands(1);
                return Some(after);
            }
            op::POP_JUMP_FORWARD_IF_FALSE
            | op::POP_JUMP_FORWARD_IF_TRUE
            | op::POP_JUMP_BACKWARD_IF_FALSE
            | op::POP_JUMP_BACKWARD_IF_TRUE => {
                // The jump is made anew, prefixes and all, with what was found.
                let t = bool_obj(truth(how, &v).ok()?);
                drop_operands(1);
                **sp = t.into_raw();
                *sp = sp.add(1);
                return Some(start);
            }
            op::CALL => {
                let v = match how {
                    CALL_LEN => Int::from_i64(length_of_answer(&v).ok()? as i64).into_object(),
                    CALL_ITER => {
                        check_iterator(&v).ok()?;
                        v
                    }
                    _ => v,
                };
                for _ in 0..arg + 2 {
                    *sp = sp.sub(1);
                    xdecref(**sp);
                }
                (v, 0)
            }
            // One operand, replaced by what the method answered; two of a subscript.
            op::BINARY_SUBSCR => (v, 2),
            _ => (v, 1),
        };
        let mut value = Some(value);
        for _ in 0..operands {
            *sp = sp.sub(1);
            decref(**sp);
        }
        **sp = value.take().expect("once").into_raw();
        *sp = sp.add(1);
        Some(after)
    }
}

/// Where an instruction of `f` begins, EXTENDED_ARGs in front of it included, and its whole argument.
unsafe fn whole_instruction(f: *mut Frame, at: *mut u16) -> (*mut u16, usize) {
    // SAFETY: the instruction is one of the frame's code, which is read from its beginning.
    unsafe {
        let mut start = crate::frame::first_instr((*f).code);
        if at == start || *at.sub(1) as u8 != op::EXTENDED_ARG {
            return (at, (*at >> 8) as usize);
        }
        // What looks like a prefix may be a word of a cache: only the way from the first instruction tells.
        loop {
            let (mut p, mut arg) = (start, (*start >> 8) as usize);
            while quick::BASE[*p as u8 as usize] == op::EXTENDED_ARG {
                p = p.add(1);
                arg = arg << 8 | (*p >> 8) as usize;
            }
            if p >= at {
                return if p == at { (start, arg) } else { (at, (*at >> 8) as usize) };
            }
            start = p.add(1 + op::cache_entries(quick::BASE[*p as u8 as usize]));
        }
    }
}

/// The name an instruction of `f` carries.
unsafe fn name_of<'a>(f: *mut Frame, at: *mut u16) -> &'a Str {
    // SAFETY: the instruction has a name.
    unsafe {
        let names = r((*(*f).code).co_names).downcast_unchecked::<Tuple>();
        names.item_ref(whole_instruction(f, at).1).downcast_unchecked()
    }
}
