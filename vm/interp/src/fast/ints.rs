//! Short ints in handlers: reading, writing and pushing them without a call.

use super::*;
use lh_runtime::intobject;

/// Value of an int whose size is -1, 0 or 1.
#[inline(always)]
pub(super) unsafe fn digit(o: *mut PyObject) -> i64 {
    // SAFETY: an exact int; the digit of zero is 0.
    unsafe {
        let i = o.cast::<PyLongObject>();
        (*i).ob_digit[0] as i64 * (*i).ob_base.ob_size as i64
    }
}
/// Is it an exact int of at most one digit?
#[inline(always)]
pub(super) unsafe fn is_small(o: *mut PyObject) -> bool {
    // SAFETY: a live object; the size word is read only of an int.
    unsafe { exact::<Int>(o) && ((*o.cast::<PyVarObject>()).ob_size + 1) as usize <= 2 }
}
/// Value of an int of at most two digits.
#[inline(always)]
pub(super) unsafe fn two_digits(o: *mut PyObject) -> Option<i64> {
    // SAFETY: an exact int.
    unsafe {
        let i = o.cast::<PyLongObject>();
        let d = (&raw const (*i).ob_digit).cast::<u32>();
        match (*i).ob_base.ob_size {
            0 => Some(0),
            1 => Some(*d as i64),
            -1 => Some(-(*d as i64)),
            2 => Some(*d as i64 | (*d.add(1) as i64) << 30),
            -2 => Some(-(*d as i64 | (*d.add(1) as i64) << 30)),
            _ => None,
        }
    }
}
/// Is the value one that has a cached object?
#[inline(always)]
pub(super) fn is_cached(v: i64) -> bool {
    (v + 5) as u64 <= 261
}
/// Writes a value of at most 60 bits into an int object's size and digits.
#[inline(always)]
pub(super) unsafe fn write_int(p: *mut PyLongObject, v: i64) {
    // SAFETY: the object has room for two digits and nobody else looks.
    unsafe {
        let a = v.unsigned_abs();
        let d = (&raw mut (*p).ob_digit).cast::<u32>();
        *d = a as u32 & intobject::DIGIT_MASK;
        let mut size = 1isize;
        if a >> 30 != 0 {
            *d.add(1) = (a >> 30) as u32;
            size = 2;
        }
        (*p).ob_base.ob_size = if v < 0 { -size } else { size };
    }
}
/// Gives back one count of an exact int of at most two digits.
#[inline(always)]
pub(super) unsafe fn drop_int(o: *mut PyObject) {
    // SAFETY: the caller owns the count.
    unsafe {
        let n = (*o).ob_refcnt - 1;
        (*o).ob_refcnt = n;
        if n == 0 {
            intobject::recycle(o)
        }
    }
}
/// Pushes the int `arg`, for which a new object is needed, and goes on at `pc`.
#[cold]
#[inline(never)]
pub(super) unsafe extern "C" fn push_new_int(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        *sp = Int::from_i64(arg as i64).into_raw();
        next!(pc, sp.add(1), f, cx, k)
    }
}
/// Pushes an int of at most 60 bits and goes on at `pc`.
#[inline(always)]
pub(super) unsafe fn push_int(v: i64, pc: Pc, sp: Sp, f: *mut Frame, cx: *mut Context, k: Sp) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        if is_cached(v) {
            let p = intobject::small_ptr(v);
            incref(p);
            *sp = p;
            next!(pc, sp.add(1), f, cx, k)
        }
        let p = intobject::take_free();
        if p.is_null() {
            return push_new_int(pc, sp, f, cx, k, v as usize);
        }
        (*p).ob_base.ob_base.ob_refcnt = 1;
        (*p).ob_base.ob_base.ob_type = &raw mut lh_runtime::type_table::PyLong_Type;
        write_int(p, v);
        *sp = p.cast();
        next!(pc, sp.add(1), f, cx, k)
    }
}
