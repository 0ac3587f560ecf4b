//! Handlers for generators and coroutines that run in the frame chain of who asks them: FOR_ITER and SEND enter the generator's frame,
//! YIELD_VALUE and RETURN_VALUE go back behind the asking instruction. (Exceptions are `eval::run`'s business.)

use super::*;
use crate::generator::{self, Gen};
use crate::ops;

/// Can `g` be entered here?
#[inline(always)]
pub(super) unsafe fn can_enter(g: Gen, cx: *mut Context) -> bool {
    // SAFETY: a live generator or coroutine.
    unsafe { (*g).gi_frame_state < generator::EXECUTING && (*(*cx).ts).recursion_remaining > 0 }
}
/// Enters `g` with `v` (whose count moves) as the value of its `yield`, from the instruction at `pc`.
#[inline(always)]
pub(super) unsafe fn enter(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    g: Gen,
    v: *mut PyObject,
) -> usize {
    // SAFETY: the handlers' contract; a suspended generator's frame has room for the value.
    unsafe {
        let ts = (*cx).ts;
        let gf = generator::frame_of(g);
        let gsp = frame::localsplus(gf).add((*gf).stacktop as usize);
        *gsp = v;
        (*gf).stacktop = -1;
        (*gf).flags = 0;
        (*gf).previous = f;
        (*g).gi_exc_state.previous_item = (*ts).exc_info;
        (*ts).exc_info = &raw mut (*g).gi_exc_state;
        (*g).gi_frame_state = generator::EXECUTING;
        (*f).prev_instr = pc;
        (*f).stacktop = sp.offset_from(frame::localsplus(f)) as i32;
        (*(*cx).cframe).current_frame = gf.cast();
        (*ts).recursion_remaining -= 1;
        next!((*gf).prev_instr.add(1), gsp.add(1), gf, cx, consts(gf))
    }
}
/// A step of a receiver that is no generator; takes over `v`. Null: it raised. Else what it gave, and whether it has returned that.
#[inline(never)]
unsafe fn send_to(receiver: *mut PyObject, v: *mut PyObject) -> (*mut PyObject, bool) {
    // SAFETY: live objects.
    unsafe {
        let res = ops::iter_send(r(receiver), r(v));
        decref(v);
        match res {
            Ok(generator::Sent::Yielded(x)) => (x.into_raw(), false),
            Ok(generator::Sent::Returned(x)) => (x.into_raw(), true),
            Err(_) => (null_mut(), false),
        }
    }
}
pub(super) unsafe extern "C" fn send(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let (receiver, v) = (*sp.sub(2), *sp.sub(1));
        if !(generator::is_exact_gen(receiver) || generator::is_coro(receiver)) {
            (*f).prev_instr = pc;
            let (x, done) = send_to(receiver, v);
            if x.is_null() {
                return raise(pc, sp.sub(1), f, cx, k, arg);
            }
            if !done {
                *sp.sub(1) = x;
                next_checked!(pc.add(1), sp, f, cx, k)
            }
            *sp.sub(2) = x;
            decref(receiver);
            next_checked!(pc.add(1 + arg), sp.sub(1), f, cx, k)
        }
        let g: Gen = receiver.cast();
        // What asks finds the end of the loop again by its own code unit: no longer arguments.
        if arg > 0xff || !can_enter(g, cx) || (*g).gi_frame_state == generator::CREATED && !is_none_object(v)
        {
            return leave(pc, sp, f, cx, k, arg);
        }
        enter(pc, sp.sub(1), f, cx, g, v)
    }
}
pub(super) unsafe extern "C" fn yield_value(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract; only a generator's frame yields.
    unsafe {
        let flags = (*f).flags;
        if flags & !frame::ENTRY != 0 {
            return leave(pc, sp, f, cx, k, arg);
        }
        let ts = (*cx).ts;
        let g = generator::of_frame(f);
        let v = *sp.sub(1);
        (*f).prev_instr = pc;
        (*f).stacktop = sp.sub(1).offset_from(frame::localsplus(f)) as i32;
        (*g).gi_frame_state = generator::SUSPENDED;
        (*ts).exc_info = (*g).gi_exc_state.previous_item;
        (*g).gi_exc_state.previous_item = null_mut();
        (*ts).recursion_remaining += 1;
        let previous = (*f).previous;
        (*f).previous = null_mut();
        if flags == frame::ENTRY {
            (*cx).sp = v.cast();
            return DONE;
        }
        (*(*cx).cframe).current_frame = previous.cast();
        let psp = frame::localsplus(previous).add((*previous).stacktop as usize);
        (*previous).stacktop = -1;
        *psp = v;
        next!((*previous).prev_instr.add(1), psp.add(1), previous, cx, consts(previous))
    }
}

handler! {
    /// RETURN_VALUE in a generator: FOR_ITER goes on without the iterator, SEND with the result in the receiver's place.
    fn generator_return(pc, sp, f, cx, _k, _arg) {
        let ts = (*cx).ts;
        let g = generator::of_frame(f);
        let sp = sp.sub(1);
        let v = *sp;
        let previous = (*f).previous;
        let entry = (*f).flags == frame::ENTRY;
        (*f).prev_instr = pc;
        (*f).stacktop = sp.offset_from(frame::localsplus(f)) as i32;
        (*ts).recursion_remaining += 1;
        (*(*cx).cframe).current_frame = previous.cast();
        (*g).gi_frame_state = generator::CLEARED;
        (*ts).exc_info = (*g).gi_exc_state.previous_item;
        (*g).gi_exc_state.previous_item = null_mut();
        (*f).previous = null_mut();
        frame::clear(f);
        if entry {
            (*cx).sp = v.cast();
            return DONE;
        }
        let psp = frame::localsplus(previous).add((*previous).stacktop as usize);
        (*previous).stacktop = -1;
        let at = (*previous).prev_instr;
        let word = *at;
        let to = at.add(1 + (word >> 8) as usize);
        if word as u8 == op::FOR_ITER {
            decref(v);
            decref(g.cast());
            next_checked!(to, psp.sub(1), previous, cx, consts(previous))
        }
        *psp.sub(1) = v;
        decref(g.cast());
        next_checked!(to, psp, previous, cx, consts(previous))
    }
}
handler! {
    fn return_generator(pc, sp, f, cx, k, arg) {
        let flags = (*f).flags;
        if flags & !frame::ENTRY != 0 {
            return leave(pc, sp, f, cx, k, arg);
        }
        (*f).prev_instr = pc;
        let ts = (*cx).ts;
        (*f).stacktop = sp.offset_from(frame::localsplus(f)) as i32;
        let g = generator::make(ts, f);
        if g.is_null() {
            (*f).stacktop = -1;
            return raise(pc, sp, f, cx, k, arg);
        }
        (*ts).recursion_remaining += 1;
        let previous = (*f).previous;
        frame::pop_words(ts, f.cast());
        if flags == frame::ENTRY {
            (*cx).sp = g.cast();
            return DONE;
        }
        (*(*cx).cframe).current_frame = previous.cast();
        let psp = frame::localsplus(previous).add((*previous).stacktop as usize);
        (*previous).stacktop = -1;
        *psp = g;
        next!((*previous).prev_instr.add(1), psp.add(1), previous, cx, consts(previous))
    }
}
/// An instruction that replaces the top of the stack by what `$e` makes of it.
macro_rules! replace_top {
    ($name:ident, |$f:ident, $v:ident, $arg:ident| $e:expr) => {
        handler! {
            fn $name(pc, sp, $f, cx, k, $arg) {
                (*$f).prev_instr = pc;
                let old = *sp.sub(1);
                let $v = r(old);
                let new = raw($e);
                if new.is_null() {
                    return raise(pc, sp, $f, cx, k, $arg);
                }
                *sp.sub(1) = new;
                decref(old);
                next_checked!(pc.add(1), sp, $f, cx, k)
            }
        }
    };
}
replace_top!(get_yield_from_iter, |f, v, arg| ops::yield_from_iter(f, v));
replace_top!(get_awaitable, |f, v, arg| ops::get_awaitable(v, arg));
replace_top!(get_aiter, |f, v, arg| ops::get_aiter(v));
push_new!(get_anext, |f, sp, arg| ops::get_anext(r(*sp.sub(1))));
handler! {
    fn async_gen_wrap(pc, sp, f, cx, k, _arg) {
        (*f).prev_instr = pc;
        *sp.sub(1) = crate::asyncgen::wrap(*sp.sub(1));
        next_checked!(pc.add(1), sp, f, cx, k)
    }
}
