//! Handlers for operators: arithmetic and comparison of ints, floats and strings, and the general forms.
//!
//! A result goes into an operand's object if that dies here, else into one from the type's free list.

use super::ints::*;
use super::operands::answer_two;
use super::*;
use lh_runtime::{floatobject, intobject};

#[inline(always)]
unsafe fn drop_float(o: *mut PyObject) {
    // SAFETY: the caller owns the count.
    unsafe {
        let n = (*o).ob_refcnt - 1;
        (*o).ob_refcnt = n;
        if n == 0 {
            floatobject::recycle(o)
        }
    }
}

/// Pushes the float whose bits are `arg`, for which a new object is needed.
#[cold]
#[inline(never)]
unsafe extern "C" fn push_new_float(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        *sp = Float::new(f64::from_bits(arg as u64)).into_raw();
        next!(pc, sp.add(1), f, cx, k)
    }
}

handler! {
    /// The left operand's slot has answered `NotImplemented`.
    #[cold]
    fn left_refused(_pc, sp, f, cx, _k, _arg) {
        decref(not_implemented_ref().as_ptr());
        let op = *(*f).prev_instr as u32 >> 8;
        let res = raw(lh_runtime::number::after_left_slot(op, r(*sp.sub(2)), r(*sp.sub(1))));
        answer_two::<2>(res, sp, f, cx)
    }
}
handler! {
    /// As `left_refused`, where that was the slot of the operator that works in place.
    #[cold]
    fn in_place_refused(_pc, sp, f, cx, _k, _arg) {
        decref(not_implemented_ref().as_ptr());
        let op = *(*f).prev_instr as u32 >> 8;
        let res = raw(lh_runtime::number::after_method(op, 2, r(*sp.sub(2)), r(*sp.sub(1))));
        answer_two::<2>(res, sp, f, cx)
    }
}
handler! {
    /// As `left_refused`, where the right operand's slot was the only one to ask.
    #[cold]
    fn right_refused(_pc, sp, f, cx, _k, _arg) {
        decref(not_implemented_ref().as_ptr());
        let op = *(*f).prev_instr as u32 >> 8;
        let res = raw(lh_runtime::number::after_method(op, 1, r(*sp.sub(2)), r(*sp.sub(1))));
        answer_two::<2>(res, sp, f, cx)
    }
}
handler! {
    /// An operator whose first slot isn't that of the left operand.
    #[inline(never)]
    fn other_binary(pc, sp, f, cx, _k, arg) {
        (*f).prev_instr = pc;
        let res = raw(lh_runtime::number::binary_op(arg as u32, r(*sp.sub(2)), r(*sp.sub(1))));
        answer_two::<2>(res, sp, f, cx)
    }
}
handler! {
    /// The operator `arg` by the general protocol.
    #[inline(never)]
    fn generic_binary(pc, sp, f, cx, k, arg) {
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        if let Some(slot) = lh_runtime::number::right_slot(arg, a, b) {
            (*f).prev_instr = pc;
            let res = slot(a, b);
            if res == not_implemented_ref().as_ptr() {
                return right_refused(null_mut(), sp, f, cx, null_mut(), 0);
            }
            return answer_two::<2>(res, sp, f, cx);
        }
        if let Some(slot) = lh_runtime::number::quick_slot(arg, a, b) {
            (*f).prev_instr = pc;
            let res = slot(a, b);
            if res == not_implemented_ref().as_ptr() {
                return left_refused(null_mut(), sp, f, cx, null_mut(), 0);
            }
            return answer_two::<2>(res, sp, f, cx);
        }
        if let Some(slot) = lh_runtime::number::in_place_slot(arg, a) {
            (*f).prev_instr = pc;
            let res = slot(a, b);
            if res == not_implemented_ref().as_ptr() {
                return in_place_refused(null_mut(), sp, f, cx, null_mut(), 0);
            }
            return answer_two::<2>(res, sp, f, cx);
        }
        other_binary(pc, sp, f, cx, k, arg)
    }
}
/// Two exact ints of any size.
#[inline(never)]
unsafe extern "C" fn wide_int(pc: Pc, sp: Sp, f: *mut Frame, cx: *mut Context, k: Sp, arg: usize) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        if !exact::<Int>(a) || !exact::<Int>(b) {
            return binary_op(pc, sp, f, cx, k, arg);
        }
        if let (Some(x), Some(y)) = (two_digits(a), two_digits(b)) {
            let v = match arg {
                0 | 13 => x + y,
                10 | 23 => x - y,
                1 | 14 => x & y,
                7 | 20 => x | y,
                12 | 25 => x ^ y,
                9 | 22 if y >= 0 => x >> y.min(63),
                _ => return generic_binary(pc, sp, f, cx, k, arg),
            };
            if v.unsigned_abs() < 1 << 60 {
                drop_int(a);
                drop_int(b);
                return push_int(v, pc.add(2), sp.sub(2), f, cx, k);
            }
        }
        let (x, y) = (r(a).downcast_unchecked::<Int>(), r(b).downcast_unchecked::<Int>());
        let v = match arg {
            0 | 13 => x.add(y).into_raw(),
            10 | 23 => x.sub(y).into_raw(),
            _ => return generic_binary(pc, sp, f, cx, k, arg),
        };
        decref(a);
        decref(b);
        *sp.sub(2) = v.cast();
        next!(pc.add(2), sp.sub(1), f, cx, k)
    }
}

macro_rules! int_op {
    ($name:ident, $op:tt) => {
        pub(super) unsafe extern "C" fn $name(
            pc: Pc,
            sp: Sp,
            f: *mut Frame,
            cx: *mut Context,
            k: Sp,
            arg: usize,
        ) -> usize {
            // SAFETY: the handlers' contract; both operands are ints of at most one digit.
            unsafe {
                let (a, b) = (*sp.sub(2), *sp.sub(1));
                if !is_small(a) || !is_small(b) {
                    return wide_int(pc, sp, f, cx, k, arg);
                }
                let v = digit(a) $op digit(b);
                let sp = sp.sub(2);
                if is_cached(v) {
                    let p = intobject::small_ptr(v);
                    incref(p);
                    *sp = p;
                    drop_int(a);
                    drop_int(b);
                    next!(pc.add(2), sp.add(1), f, cx, k)
                }
                if (*a).ob_refcnt == 1 {
                    write_int(a.cast(), v);
                    *sp = a;
                    drop_int(b);
                    next!(pc.add(2), sp.add(1), f, cx, k)
                }
                (*a).ob_refcnt -= 1;
                if (*b).ob_refcnt == 1 {
                    write_int(b.cast(), v);
                    *sp = b;
                    next!(pc.add(2), sp.add(1), f, cx, k)
                }
                (*b).ob_refcnt -= 1;
                push_int(v, pc.add(2), sp, f, cx, k)
            }
        }
    };
}
int_op!(add_int, +);
int_op!(sub_int, -);
int_op!(mul_int, *);

/// The other operators on two ints of at most one digit.
pub(super) unsafe extern "C" fn other_int(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract; both operands are ints of at most one digit.
    unsafe {
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        if !is_small(a) || !is_small(b) {
            return wide_int(pc, sp, f, cx, k, arg);
        }
        let (x, y) = (digit(a), digit(b));
        let v = match if arg >= 13 { arg - 13 } else { arg } {
            1 => x & y,
            2 if y != 0 => {
                let (q, r) = ((x as i32) / (y as i32), (x as i32) % (y as i32));
                (q - (r != 0 && (r < 0) != (y < 0)) as i32) as i64
            }
            6 if y != 0 => {
                let r = (x as i32) % (y as i32);
                (r + if r != 0 && (r < 0) != (y < 0) { y as i32 } else { 0 }) as i64
            }
            3 if y as u64 <= 28 => x << y,
            7 => x | y,
            9 if y >= 0 => x >> y.min(63),
            12 => x ^ y,
            _ => return generic_binary(pc, sp, f, cx, k, arg),
        };
        let sp = sp.sub(2);
        drop_int(a);
        drop_int(b);
        push_int(v, pc.add(2), sp, f, cx, k)
    }
}

macro_rules! float_op {
    ($name:ident, $x:ident, $y:ident, $v:expr, $missed:expr) => {
        pub(super) unsafe extern "C" fn $name(
            pc: Pc,
            sp: Sp,
            f: *mut Frame,
            cx: *mut Context,
            k: Sp,
            arg: usize,
        ) -> usize {
            // SAFETY: the handlers' contract; both operands are floats.
            unsafe {
                let (a, b) = (*sp.sub(2), *sp.sub(1));
                if !exact::<Float>(a) || !exact::<Float>(b) {
                    return binary_op(pc, sp, f, cx, k, arg);
                }
                let ($x, $y) = ((*a.cast::<PyFloatObject>()).ob_fval, (*b.cast::<PyFloatObject>()).ob_fval);
                if $missed {
                    return binary_op(pc, sp, f, cx, k, arg);
                }
                let v: f64 = $v;
                let sp = sp.sub(2);
                if (*a).ob_refcnt == 1 {
                    (*a.cast::<PyFloatObject>()).ob_fval = v;
                    *sp = a;
                    drop_float(b);
                    next!(pc.add(2), sp.add(1), f, cx, k)
                }
                (*a).ob_refcnt -= 1;
                if (*b).ob_refcnt == 1 {
                    (*b.cast::<PyFloatObject>()).ob_fval = v;
                    *sp = b;
                    next!(pc.add(2), sp.add(1), f, cx, k)
                }
                (*b).ob_refcnt -= 1;
                let p = floatobject::take_free();
                if p.is_null() {
                    return push_new_float(pc.add(2), sp, f, cx, k, v.to_bits() as usize);
                }
                (*p).ob_fval = v;
                *sp = p.cast();
                next!(pc.add(2), sp.add(1), f, cx, k)
            }
        }
    };
}
float_op!(add_float, x, y, x + y, false);
float_op!(sub_float, x, y, x - y, false);
float_op!(mul_float, x, y, x * y, false);
float_op!(div_float, x, y, x / y, y == 0.0);

/// Mixed ints (of at most one digit) and floats; the result is a float.
pub(super) unsafe extern "C" fn mixed_float(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract; each operand's type is looked at before its value.
    unsafe {
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        let value = |o: *mut PyObject| {
            if exact::<Float>(o) {
                Some((*o.cast::<PyFloatObject>()).ob_fval)
            } else if is_small(o) {
                Some(digit(o) as f64)
            } else {
                None
            }
        };
        let int_result = exact::<Int>(a) && exact::<Int>(b) && arg != 11 && arg != 24;
        let (Some(x), Some(y)) = (value(a), value(b)) else {
            return binary_op(pc, sp, f, cx, k, arg);
        };
        let v = match if arg >= 13 { arg - 13 } else { arg } {
            _ if int_result => return binary_op(pc, sp, f, cx, k, arg),
            0 => x + y,
            10 => x - y,
            5 => x * y,
            11 if y != 0.0 => x / y,
            _ => return binary_op(pc, sp, f, cx, k, arg),
        };
        let sp = sp.sub(2);
        let drop_it = |o: *mut PyObject| if exact::<Float>(o) { drop_float(o) } else { drop_int(o) };
        drop_it(a);
        drop_it(b);
        let p = floatobject::take_free();
        if p.is_null() {
            return push_new_float(pc.add(2), sp, f, cx, k, v.to_bits() as usize);
        }
        (*p).ob_fval = v;
        *sp = p.cast();
        next!(pc.add(2), sp.add(1), f, cx, k)
    }
}

pub(super) unsafe extern "C" fn add_str(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract; both operands are strings.
    unsafe {
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        if !exact::<Str>(a) || !exact::<Str>(b) {
            return binary_op(pc, sp, f, cx, k, arg);
        }
        // `s += t` with s about to be stored back: the local gives up its count, so the text grows in place.
        let next_word = *pc.add(2);
        if (*a).ob_refcnt == 2 && next_word as u8 == op::STORE_FAST {
            let p = frame::localsplus(f).add((next_word >> 8) as usize);
            if *p == a {
                *p = null_mut();
                (*a).ob_refcnt -= 1;
            }
        }
        let res = concat(a, b);
        decref(b);
        if res.is_null() {
            (*f).prev_instr = pc;
            return raise(pc, sp.sub(2), f, cx, k, arg);
        }
        *sp.sub(2) = res;
        next!(pc.add(2), sp.sub(1), f, cx, k)
    }
}
/// Takes over `a`.
#[inline(never)]
unsafe fn concat(a: *mut PyObject, b: *mut PyObject) -> *mut PyObject {
    // SAFETY: exact strings.
    unsafe {
        let mut left = Owned::<Str>::from_raw(a);
        match Str::append_in_place(&mut left, r(b).downcast_unchecked::<Str>()) {
            Ok(()) => left.into_raw(),
            Err(_) => null_mut(),
        }
    }
}

pub(super) unsafe extern "C" fn binary_op(
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
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        let Some(slot) = lh_runtime::number::obvious_slot(arg, a, b) else {
            return generic_binary(pc, sp, f, cx, k, arg);
        };
        (*f).prev_instr = pc;
        let res = slot(a, b);
        if res == not_implemented_ref().as_ptr() {
            return left_refused(null_mut(), sp, f, cx, null_mut(), 0);
        }
        answer_two::<2>(res, sp, f, cx)
    }
}

// ---- Comparison ----

/// For each operator the outcomes it is true for: 1 less, 2 equal, 4 greater, 8 unordered.
static TRUE_FOR: [u8; 6] = [1, 3, 2, 13, 4, 6];

#[inline(always)]
unsafe fn holds(arg: usize, outcome: u8) -> bool {
    // SAFETY: the compiler's comparison numbers are below 6.
    unsafe { *TRUE_FOR.as_ptr().add(arg) & outcome != 0 }
}
#[inline(always)]
fn int_outcome(x: i64, y: i64) -> u8 {
    if x < y {
        1
    } else if x == y {
        2
    } else {
        4
    }
}
#[inline(always)]
fn float_outcome(x: f64, y: f64) -> u8 {
    if x < y {
        1
    } else if x == y {
        2
    } else if x > y {
        4
    } else {
        8
    }
}
/// Where the forward conditional jump at `at` goes.
#[inline(always)]
unsafe fn jump_target(at: Pc, cond: bool) -> Pc {
    // SAFETY: a POP_JUMP_FORWARD_IF_FALSE or _TRUE.
    unsafe {
        let w = *at;
        let taken = cond == (w as u8 == op::POP_JUMP_FORWARD_IF_TRUE);
        at.add(1 + if taken { (w >> 8) as usize } else { 0 })
    }
}

macro_rules! compare {
    ($name:ident, $jump:ident, $test:ident, $drop:ident, $missed:ident, $missed_jump:ident,
     |$a:ident, $b:ident, $arg:ident| $cond:expr) => {
        pub(super) unsafe extern "C" fn $name(
            pc: Pc,
            sp: Sp,
            f: *mut Frame,
            cx: *mut Context,
            k: Sp,
            $arg: usize,
        ) -> usize {
            // SAFETY: the handlers' contract; both operands passed the test.
            unsafe {
                let ($a, $b) = (*sp.sub(2), *sp.sub(1));
                if !$test($a) || !$test($b) {
                    return $missed(pc, sp, f, cx, k, $arg);
                }
                let v = py_bool($cond);
                incref(v);
                *sp.sub(2) = v;
                $drop($a);
                $drop($b);
                next!(pc.add(3), sp.sub(1), f, cx, k)
            }
        }
        pub(super) unsafe extern "C" fn $jump(
            pc: Pc,
            sp: Sp,
            f: *mut Frame,
            cx: *mut Context,
            k: Sp,
            $arg: usize,
        ) -> usize {
            // SAFETY: as above; a forward conditional jump follows.
            unsafe {
                let ($a, $b) = (*sp.sub(2), *sp.sub(1));
                if !$test($a) || !$test($b) {
                    return $missed_jump(pc, sp, f, cx, k, $arg);
                }
                let to = jump_target(pc.add(3), $cond);
                $drop($a);
                $drop($b);
                next!(to, sp.sub(2), f, cx, k)
            }
        }
    };
}
compare!(compare_int, compare_int_jump, is_small, drop_int, compare_wide, compare_wide_jump, |a, b, arg| {
    holds(arg, int_outcome(digit(a), digit(b)))
});
#[inline(always)]
unsafe fn is_int(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { exact::<Int>(o) }
}
/// Orders two exact ints of any size.
#[inline(never)]
unsafe fn wide_outcome(a: *mut PyObject, b: *mut PyObject) -> u8 {
    // SAFETY: exact ints.
    unsafe {
        if let (Some(x), Some(y)) = (two_digits(a), two_digits(b)) {
            return int_outcome(x, y);
        }
        match r(a).downcast_unchecked::<Int>().compare(r(b).downcast_unchecked::<Int>()) {
            std::cmp::Ordering::Less => 1,
            std::cmp::Ordering::Equal => 2,
            std::cmp::Ordering::Greater => 4,
        }
    }
}
compare!(compare_wide, compare_wide_jump, is_int, decref, compare_op, compare_op, |a, b, arg| holds(
    arg,
    wide_outcome(a, b)
));
#[inline(always)]
unsafe fn is_float(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { exact::<Float>(o) }
}
compare!(compare_float, compare_float_jump, is_float, drop_float, compare_op, compare_op, |a, b, arg| holds(
    arg,
    float_outcome((*a.cast::<PyFloatObject>()).ob_fval, (*b.cast::<PyFloatObject>()).ob_fval)
));
#[inline(always)]
unsafe fn is_str(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { exact::<Str>(o) }
}
#[inline(never)]
unsafe fn str_equal(a: *mut PyObject, b: *mut PyObject) -> bool {
    // SAFETY: exact strings.
    unsafe { lh_runtime::dict_table::str_eq(a, b) }
}
// Only `==` and `!=` are specialised so.
compare!(compare_str, compare_str_jump, is_str, decref, compare_op, compare_op, |a, b, arg| (a == b
    || str_equal(a, b))
    == (arg == 2));

handler! {
    /// The left operand's slot has answered `NotImplemented` to a comparison.
    #[inline(never)]
    fn compare_refused(_pc, sp, f, cx, _k, _arg) {
        decref(not_implemented_ref().as_ptr());
        let op = CompareOp::from_c((*(*f).prev_instr >> 8) as i32);
        let res = raw(r(*sp.sub(2)).compare_after(r(*sp.sub(1)), op, false));
        answer_two::<3>(res, sp, f, cx)
    }
}
handler! {
    /// A comparison of operands of different types.
    #[inline(never)]
    fn compare_others(pc, sp, f, cx, _k, arg) {
        (*f).prev_instr = pc;
        let res = raw(r(*sp.sub(2)).rich_compare(r(*sp.sub(1)), CompareOp::from_c(arg as i32)));
        answer_two::<3>(res, sp, f, cx)
    }
}
handler! {
    fn compare_op(pc, sp, f, cx, k, arg) {
        if warm(pc) {
            return leave(pc, sp, f, cx, k, arg);
        }
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        let t = (*a).ob_type;
        match (*t).tp_richcompare {
            Some(slot) if t == (*b).ob_type && native::descend(cx) => {
                (*f).prev_instr = pc;
                let res = slot(a, b, arg as i32);
                native::ascend(cx);
                if res == not_implemented_ref().as_ptr() {
                    return compare_refused(null_mut(), sp, f, cx, null_mut(), 0);
                }
                answer_two::<3>(res, sp, f, cx)
            }
            _ => compare_others(pc, sp, f, cx, k, arg),
        }
    }
}
pub(super) unsafe extern "C" fn is_op(
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
        let v = py_bool((a == b) == (arg == 0));
        incref(v);
        *sp.sub(2) = v;
        (*f).prev_instr = pc;
        decref(a);
        decref(b);
        next_checked!(pc.add(1), sp.sub(1), f, cx, k)
    }
}
/// `b in a` where the type of `a` has no slot for it: 1, 0 or -1.
#[inline(never)]
unsafe fn by_items(a: *mut PyObject, b: *mut PyObject) -> i32 {
    // SAFETY: live operands.
    match unsafe { r(a).contains_item(r(b)) } {
        Ok(found) => found as i32,
        Err(_) => -1,
    }
}
/// Ends a CONTAINS_OP whose slot has answered `found`.
#[inline(always)]
unsafe fn contained(found: i32, sp: Sp, f: *mut Frame, cx: *mut Context) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let res = if found < 0 {
            null_mut()
        } else {
            let v = py_bool((found != 0) == (*(*f).prev_instr >> 8 == 0));
            incref(v);
            v
        };
        answer_two::<1>(res, sp, f, cx)
    }
}
handler! {
    /// `in` something whose type has no slot for it.
    #[inline(never)]
    fn contains_by_items(_pc, sp, f, cx, _k, _arg) {
        contained(by_items(*sp.sub(1), *sp.sub(2)), sp, f, cx)
    }
}
handler! {
    fn contains_op(pc, sp, f, cx, k, arg) {
        (*f).prev_instr = pc;
        let (a, b) = (*sp.sub(2), *sp.sub(1));
        match (*(*b).ob_type).tp_as_sequence.as_ref().and_then(|s| s.sq_contains) {
            Some(slot) => contained(slot(b, a), sp, f, cx),
            None => contains_by_items(pc, sp, f, cx, k, arg),
        }
    }
}
/// 1, 0 or -1.
#[inline(never)]
unsafe fn truth(v: *mut PyObject) -> i32 {
    // SAFETY: a live object.
    match unsafe { r(v).is_true() } {
        Ok(t) => t as i32,
        Err(_) => -1,
    }
}
pub(super) unsafe extern "C" fn unary_not(
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
            let slot = (*(*v).ob_type).tp_as_number.as_ref().and_then(|n| n.nb_bool);
            let t = match slot {
                Some(slot) => slot(v),
                None => truth(v),
            };
            if t < 0 {
                return raise(pc, sp, f, cx, k, arg);
            }
            t != 0
        };
        let res = py_bool(!t);
        incref(res);
        *sp.sub(1) = res;
        decref(v);
        next_checked!(pc.add(1), sp, f, cx, k)
    }
}
handler! {
    fn unary_invert(pc, sp, f, cx, k, arg) {
        let v = *sp.sub(1);
        (*f).prev_instr = pc;
        let res = raw(crate::ops::unary(op::UNARY_INVERT, r(v)));
        decref(v);
        if res.is_null() {
            return raise(pc, sp.sub(1), f, cx, k, arg);
        }
        *sp.sub(1) = res;
        next_checked!(pc.add(1), sp, f, cx, k)
    }
}
pub(super) unsafe extern "C" fn unary_negative(
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
        if exact::<Float>(v) && (*v).ob_refcnt == 1 {
            let p = v.cast::<PyFloatObject>();
            (*p).ob_fval = -(*p).ob_fval;
            next!(pc.add(1), sp, f, cx, k)
        }
        (*f).prev_instr = pc;
        let res = raw(crate::ops::unary(op::UNARY_NEGATIVE, r(v)));
        decref(v);
        if res.is_null() {
            return raise(pc, sp.sub(1), f, cx, k, arg);
        }
        *sp.sub(1) = res;
        next_checked!(pc.add(1), sp, f, cx, k)
    }
}
