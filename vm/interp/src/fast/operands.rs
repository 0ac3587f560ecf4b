//! The end of instructions that have asked a slot about their two operands.

use super::*;

/// Ends the instruction at `prev_instr`, `UNITS` long, whose two operands are gone: puts its answer in their place.
#[inline(always)]
unsafe fn end<const UNITS: usize>(res: *mut PyObject, sp: Sp, f: *mut Frame, cx: *mut Context) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let pc = (*f).prev_instr;
        let sp = sp.sub(2);
        if res.is_null() {
            return raise(pc, sp, f, cx, null_mut(), 0);
        }
        *sp = res;
        next_checked!(pc.add(UNITS), sp.add(1), f, cx, consts(f))
    }
}
/// Drops the left operand, then the right one, and puts the answer `res` in their place.
#[inline(always)]
pub(super) unsafe fn answer_two<const UNITS: usize>(
    res: *mut PyObject,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        for i in [2, 1] {
            let o = *sp.sub(i);
            let n = (*o).ob_refcnt - 1;
            (*o).ob_refcnt = n;
            if n == 0 {
                return last_count::<UNITS>(null_mut(), sp, f, cx, res.cast(), i);
            }
        }
        end::<UNITS>(res, sp, f, cx)
    }
}
/// The last count of the operand `i` entries down has gone. Does what is left of the instruction.
#[inline(never)]
unsafe extern "C" fn last_count<const UNITS: usize>(
    _pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    res: Sp,
    i: usize,
) -> usize {
    // SAFETY: the handlers' contract; of two operands the left one goes first.
    unsafe {
        lh_runtime::object::dealloc(*sp.sub(i));
        if i == 2 {
            decref(*sp.sub(1));
        }
        end::<UNITS>(res.cast(), sp, f, cx)
    }
}
