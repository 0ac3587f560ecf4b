//! The tables of handlers for traced and profiled threads: what makes their events before, or in place of, the ordinary handlers.
//!
//! With a trace function every instruction comes by `check`, which compares its line with that of the instruction before: most are on the
//! same line and go on at once. A profile function only sees calls and returns: all other instructions have their ordinary handlers.
//! Instructions with events of their own (returns; with a profiler calls) are left to `eval::run`.

use super::*;
use crate::{bind, trace};
use lh_runtime::thread::{EVALUATED, PROFILING, RECORDING, TRACING};

/// The `table` and the `after` of a context for a value of `use_tracing`.
pub(super) fn tables(mode: u8) -> (&'static Table, &'static Table) {
    match mode {
        0 => (&TABLE, &TABLE),
        PROFILING => (&PROFILED, &CALLS),
        TRACING => (&CHECKED, &TRACED),
        _ if mode & EVALUATED == 0 => (&CHECKED, &BOTH),
        EVALUATED => (&STARTS, &TABLE),
        _ if mode & 3 == PROFILING => (&STARTS_PROFILED, &CALLS),
        _ if mode & 3 == TRACING => (&STARTS_CHECKED, &TRACED),
        _ => (&STARTS_CHECKED, &BOTH),
    }
}

static STARTS: Table = with_starts(TABLE);
static STARTS_PROFILED: Table = with_starts(PROFILED);
static STARTS_CHECKED: Table = with_starts(CHECKED);

/// Code begins with one of these instructions.
const fn with_starts(mut t: Table) -> Table {
    t[op::RESUME as usize] = starts;
    t[quick::JIT_RESUME as usize] = starts;
    t[op::COPY_FREE_VARS as usize] = starts;
    t[op::MAKE_CELL as usize] = starts;
    t[op::RETURN_GENERATOR as usize] = starts;
    t[op::EXTENDED_ARG as usize] = starts;
    t[op::NOP as usize] = starts;
    t
}
handler! {
    /// A frame evaluation function is installed: `eval::slow` gives it frames that have just begun.
    fn starts(pc, sp, f, cx, k, arg) {
        if pc == frame::first_instr((*f).code) && crate::framehook::is_due(f) {
            return leave(pc, sp, f, cx, k, arg);
        }
        return tables((*cx).mode & !EVALUATED).0[*pc as usize & 0xff](pc, sp, f, cx, k, arg)
    }
}

static CHECKED: Table = {
    let mut t: Table = [check; 256];
    t[op::RESUME as usize] = event;
    t[quick::JIT_RESUME as usize] = event;
    t
};
static TRACED: Table = with_lines(with_returns(TABLE));
static CALLS: Table = with_calls(with_returns(TABLE));
static PROFILED: Table = {
    let mut t = CALLS;
    t[op::RESUME as usize] = event;
    t[quick::JIT_RESUME as usize] = event;
    t
};
static BOTH: Table = with_lines(with_calls(with_returns(TABLE)));

const fn with_returns(mut t: Table) -> Table {
    t[op::RETURN_VALUE as usize] = return_value;
    t[op::YIELD_VALUE as usize] = leave;
    t
}
/// Calls of built-in functions are events; those of Python functions and of classes have their own.
const fn with_calls(mut t: Table) -> Table {
    t[op::CALL as usize] = call;
    t[op::CALL_FUNCTION_EX as usize] = leave;
    let python = [
        quick::PRECALL_PY,
        quick::PRECALL_PY_BOUND,
        quick::PRECALL_PY_CLASS,
        quick::PRECALL_TYPE_1,
        quick::PRECALL_CLASS,
    ];
    let mut i = 0;
    while i < 256 {
        let mut hides = quick::BASE[i] == op::PRECALL && i != op::PRECALL as usize;
        let mut j = 0;
        while j < python.len() {
            hides = hides && python[j] as usize != i;
            j += 1;
        }
        if hides {
            t[i] = plain_precall;
        }
        i += 1;
    }
    t
}
/// An iterator's end is an event if it raises, and what does two instructions at once must not hide a line.
const fn with_lines(mut t: Table) -> Table {
    t[op::FOR_ITER as usize] = flow::iter_step;
    t[op::SEND as usize] = leave;
    t[quick::LOAD_FAST__LOAD_FAST as usize] = vars::load_fast;
    t[quick::COMPARE_INT_JUMP as usize] = compare_jump;
    t[quick::COMPARE_FLOAT_JUMP as usize] = compare_jump;
    t[quick::COMPARE_STR_JUMP as usize] = compare_jump;
    t
}

/// The line numbers of a code object's units, if somebody has asked for them.
#[inline(always)]
unsafe fn lines(code: *mut PyCodeObject) -> *const i32 {
    // SAFETY: a live code object.
    unsafe { (*code)._co_linearray.cast() }
}

handler! {
    fn check(pc, sp, f, cx, k, arg) {
        let code = (*f).code;
        let lines = lines(code);
        let unit = pc.offset_from(frame::first_instr(code));
        let before = (*f).traced as isize - 1;
        if before <= (*code)._co_firsttraceable as isize
            || unit < before
            || unit + 1 >= trace::ELSEWHERE as isize
            || lines.is_null()
            || *lines.offset(unit) != *lines.offset(before)
        {
            return event(pc, sp, f, cx, k, arg);
        }
        (*f).traced = (unit + 1) as u16;
        (*cx).seen = pc;
        return (*cx).after[*pc as usize & 0xff](pc, sp, f, cx, k, arg)
    }
}
handler! {
    #[inline(never)]
    fn event(pc, sp, f, cx, k, _arg) {
        let l = frame::localsplus(f);
        (*f).stacktop = sp.offset_from(l) as i32;
        let res = trace::before_instruction((*cx).ts, f, pc);
        // A debugger may have gone elsewhere.
        let pc = (*f).prev_instr;
        let sp = l.add((*f).stacktop as usize);
        (*f).stacktop = -1;
        if res.is_err() {
            return raise(pc, sp, f, cx, k, 0);
        }
        let now = (*(*cx).cframe).use_tracing;
        if now != (*cx).mode {
            if now == RECORDING {
                return leave(pc, sp, f, cx, k, 0);
            }
            (*cx).set_mode(now);
        }
        (*cx).seen = pc;
        let w = *pc as usize;
        return (*cx).after[w & 0xff](pc, sp, f, cx, k, w >> 8)
    }
}
handler! {
    /// The thread is traced or recorded now, or in another way than before.
    #[cold]
    #[inline(never)]
    fn switch(pc, sp, f, cx, k, _arg) {
        let now = (*(*cx).cframe).use_tracing;
        if now == RECORDING {
            return leave(pc, sp, f, cx, k, 0);
        }
        (*cx).set_mode(now);
        next!(pc, sp, f, cx, k)
    }
}
handler! {
    fn compare_jump(pc, sp, f, cx, k, arg) {
        let lines = lines((*f).code);
        let unit = pc.offset_from(frame::first_instr((*f).code));
        let jump = unit + 1 + op::cache_entries(op::COMPARE_OP) as isize;
        // Nobody may have asked for the lines of a frame that was running before the thread was traced.
        if lines.is_null() || *lines.offset(unit) != *lines.offset(jump) {
            return TABLE[op::COMPARE_OP as usize](pc, sp, f, cx, k, arg);
        }
        return TABLE[*pc as usize & 0xff](pc, sp, f, cx, k, arg)
    }
}

handler! {
    /// PRECALL without its quick form.
    fn plain_precall(pc, sp, f, cx, k, arg) {
        let m = *sp.sub(arg + 1);
        if (*sp.sub(arg + 2)).is_null() && exact::<Method>(m) {
            return calls::precall(pc, sp, f, cx, k, arg);
        }
        next!(pc.add(2), sp, f, cx, k)
    }
}
handler! {
    fn call(pc, sp, f, cx, k, arg) {
        let is_method = !(*sp.sub(arg + 2)).is_null();
        let total = arg + is_method as usize;
        let callee = *sp.sub(total + 1);
        if exact::<Function>(callee) {
            return calls::call(pc, sp, f, cx, k, arg);
        }
        let kw = std::mem::replace(&mut (*cx).kwnames, null_mut());
        let n = total - bind::kw_count(kw);
        (*f).prev_instr = pc;
        (*f).stacktop = sp.offset_from(frame::localsplus(f)) as i32;
        let args = sp.sub(total);
        let res = trace::call_native((*cx).ts, f, callee, args, n | PY_VECTORCALL_ARGUMENTS_OFFSET, kw);
        (*f).stacktop = -1;
        return calls::answered(pc, pc.add(5), sp, f, cx, k, arg, total, res)
    }
}

handler! {
    fn return_value(pc, sp, f, cx, k, arg) {
        let sp = sp.sub(1);
        let v = *sp;
        let flags = (*f).flags;
        let init = flags == frame::INIT;
        if flags & !frame::ENTRY != 0 && !(init && is_none_object(v)) {
            return leave(pc, sp.add(1), f, cx, k, arg);
        }
        let ts = (*cx).ts;
        (*f).prev_instr = pc;
        (*f).stacktop = sp.offset_from(frame::localsplus(f)) as i32;
        if trace::returning(ts, f, v).is_err() {
            decref(v);
            raise(pc, sp, f, cx, k, arg);
            return LEFT;
        }
        if (*f).owner == frame::OWNED_BY_GENERATOR {
            return gens::generator_return(pc, sp.add(1), f, cx, k, arg);
        }
        let previous = (*f).previous;
        (*ts).recursion_remaining += 1;
        (*(*cx).cframe).current_frame = previous.cast();
        frame::clear(f);
        frame::pop_words(ts, f.cast());
        return calls::give_back(v, flags, previous, cx)
    }
}

/// The exception event of an iterator that ends with a StopIteration.
#[cold]
#[inline(never)]
pub(super) unsafe fn stop_iteration(cx: *mut Context, f: *mut Frame, sp: Sp) {
    // SAFETY: the handlers' contract; the exception is pending.
    unsafe {
        (*f).stacktop = sp.offset_from(frame::localsplus(f)) as i32;
        trace::exception((*cx).ts, f);
        (*f).stacktop = -1;
    }
}
