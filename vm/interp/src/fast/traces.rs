//! Handlers of the instructions at which traces start: back edges and function entries that have been compiled.
//!
//! A trace is entered from here and left to here: whatever frame it was left in, the next instruction's handler goes on there. A pending
//! interrupt, a tracer and conditions that are no booleans are left to `eval::slow`.

use super::*;
use crate::jit::{self, Enter};

/// As an answer of `enter`: the frame the trace was entered for is gone, the context's `sp` is its value and its `frame` the caller.
const RETURNED: usize = 5;

/// Enters the trace of the instruction `at`. Answers `NEXT` where the context's registers say where to go on (at `to`, if the trace did not
/// want to run), `RETURNED`, or why the tier is left.
#[inline(never)]
unsafe extern "C" fn enter(at: Pc, to: Pc, sp: Sp, f: *mut Frame, cx: *mut Context) -> usize {
    // SAFETY: the handlers' contract; the hook sees a whole frame and answers one.
    unsafe {
        let ts = (*cx).ts;
        (*f).prev_instr = to.sub(1);
        (*f).stacktop = sp.offset_from(frame::localsplus(f)) as i32;
        let (g, raised) = match jit::enter(ts, f, at) {
            Enter::Stay => (f, false),
            Enter::Continue(g) => (g, false),
            Enter::Raise(g) => (g, true),
            Enter::Leave(g, v) => {
                (*cx).sp = v.cast();
                let plain = (*g).flags & !frame::ENTRY == 0
                    && (*g).owner == frame::OWNED_BY_THREAD
                    && (*g).frame_obj.is_null();
                (*(*cx).cframe).current_frame = g.cast();
                if !plain {
                    (*cx).frame = g;
                    return VALUE;
                }
                let previous = (*g).previous;
                (*ts).recursion_remaining += 1;
                (*(*cx).cframe).current_frame = previous.cast();
                frame::clear(g);
                frame::pop_words(ts, g.cast());
                (*cx).frame = previous;
                return RETURNED;
            }
        };
        (*(*cx).cframe).current_frame = g.cast();
        (*cx).frame = g;
        (*cx).sp = frame::localsplus(g).add((*g).stacktop as usize);
        (*g).stacktop = -1;
        if raised {
            (*cx).pc = (*g).prev_instr;
            return RAISE;
        }
        (*cx).pc = (*g).prev_instr.add(1);
        NEXT
    }
}

/// Enters the trace of the instruction `pc`, which may go on at `to`, and goes on where it was left.
macro_rules! go {
    ($pc:expr, $to:expr, $sp:expr, $f:expr, $cx:expr) => {{
        let flags = (*$f).flags;
        match enter($pc, $to, $sp, $f, $cx) {
            NEXT => {
                let f = (*$cx).frame;
                next_checked!((*$cx).pc, (*$cx).sp, f, $cx, consts(f))
            }
            RETURNED => return calls::give_back((*$cx).sp.cast(), flags, (*$cx).frame, $cx),
            stop => return stop,
        }
    }};
}

handler! {
    fn back(pc, sp, f, cx, k, arg) {
        if breaker() || (*cx).mode != 0 {
            return leave(pc, sp, f, cx, k, arg);
        }
        go!(pc, pc.add(1).sub(arg), sp, f, cx)
    }
}
handler! {
    fn entry(pc, sp, f, cx, k, arg) {
        if breaker() || (*cx).mode != 0 {
            return leave(pc, sp, f, cx, k, arg);
        }
        go!(pc, pc.add(1), sp, f, cx)
    }
}
/// A back edge that is taken if the operand is the boolean that `$yes` recognises, and not if it is the other one.
macro_rules! while_bool {
    ($name:ident, $yes:ident, $no:ident) => {
        handler! {
            fn $name(pc, sp, f, cx, k, arg) {
                let v = *sp.sub(1);
                if $no(v) {
                    (*v).ob_refcnt -= 1;
                    next!(pc.add(1), sp.sub(1), f, cx, k)
                }
                if breaker() || (*cx).mode != 0 || !$yes(v) {
                    return leave(pc, sp, f, cx, k, arg);
                }
                (*v).ob_refcnt -= 1;
                go!(pc, pc.add(1).sub(arg), sp.sub(1), f, cx)
            }
        }
    };
}
while_bool!(while_true, is_true_object, is_false_object);
while_bool!(while_false, is_false_object, is_true_object);
