//! Generators resumed inside a trace: FOR_ITER and SEND enter their frames, `yield` and `return` come back.
//!
//! ```text
//!   FOR_ITER ──guards: code, namespaces, state, place──▶ [generator's frame, in its object] ──yield──▶ value on the caller's stack
//! ```
//!
//! The frame's memory is the generator's; its slots are read from there when they are wanted, and all that is dirty is written back where
//! it yields (`suspend_frame`). As with functions the links (caller, running state, exception state) are written only before something
//! may look at frames, and by exits.

use crate::descs::*;
use crate::helpers as h;
use crate::inline::{FrameInfo, GENERATOR, MAX_DEPTH, MAX_UNITS};
use crate::manager::{RESUME, state};
use crate::record::*;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_interp::frame::{self, Frame};
use lh_interp::generator::{self, Gen};
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::codeobject::quick;
use lh_runtime::prelude::*;
use lh_runtime::thread::Thread;
use std::mem::offset_of;

/// A generator's frame may lie so often among the frames of a trace.
const MAX_SAME: usize = 4;

/// Where the exception state lies, seen from the frame.
const EXC_STATE: i64 =
    offset_of!(PyGenObject, gi_exc_state) as i64 - offset_of!(PyGenObject, gi_iframe) as i64;

/// The last word of a suspended (or running, `stacktop` -1) generator frame's header.
fn frame_word(stacktop: i32) -> i64 {
    stacktop as u32 as i64 | (frame::OWNED_BY_GENERATOR as i64) << 40
}

/// Makes a frame that a trace was resuming the one that runs; `up` has asked for it.
pub unsafe fn link(ts: *mut PyThreadState, f: *mut Frame, up: *mut Frame) {
    // SAFETY: the frame of a live generator that is not linked yet.
    unsafe {
        let g = generator::of_frame(f);
        (*f).previous = up;
        (*f).stacktop = -1;
        (*f).flags = 0;
        (*g).gi_exc_state.previous_item = (*ts).exc_info;
        (*ts).exc_info = &raw mut (*g).gi_exc_state;
        (*g).gi_frame_state = generator::EXECUTING;
        (*ts).recursion_remaining -= 1;
    }
}

/// Ends a generator whose frame has returned in a trace.
pub unsafe extern "C" fn finish(f: *mut Frame) {
    // SAFETY: the trace has written the frame to memory and has taken its links back.
    unsafe {
        let g = generator::of_frame(f);
        (*g).gi_frame_state = generator::CLEARED;
        (*f).previous = std::ptr::null_mut();
        frame::clear(f);
    }
}

impl Recorder {
    pub(crate) fn in_generator(&self) -> bool {
        // SAFETY: infos live as long as the process.
        !self.outer.is_empty() && unsafe { (*self.info).flags & GENERATOR != 0 }
    }

    /// May the iterator in a slot be resumed inside the trace? `value`: what it is sent.
    pub(crate) unsafe fn can_resume(&self, slot: i32, value: Option<i32>) -> bool {
        // SAFETY: live operands.
        unsafe {
            let it = self.actual(slot);
            if !(generator::is_exact_gen(it) || value.is_some() && generator::is_coro(it))
                || self.real != self.pc
            {
                return false;
            }
            let g: Gen = it.cast();
            let f = generator::frame_of(g);
            let known = match (*g).gi_frame_state {
                generator::CREATED => value.is_none_or(|s| Object::from_ptr(self.actual(s)).is_none()),
                generator::SUSPENDED => true,
                _ => false,
            };
            if !known || (*f).flags & frame::WATCHED != 0 {
                return false;
            }
            let code = (*f).code;
            let same = self.outer.iter().filter(|l| l.code == code).count() + (self.code == code) as usize;
            self.outer.len() < MAX_DEPTH
                && same <= MAX_SAME
                && !state().no_inline.contains(&(code as usize))
                && frame::code_ref(f).len_units() <= MAX_UNITS
        }
    }

    /// Resumes the generator in a slot for FOR_ITER, or for SEND with the value of another; false if that has to be a call.
    pub(crate) unsafe fn resume(&mut self, slot: i32, value: Option<i32>) -> Rec<bool> {
        // SAFETY: live operands; a suspended generator's frame has room for the value.
        unsafe {
            if !self.can_resume(slot, value) {
                return Ok(false);
            }
            let it = self.actual(slot);
            let g: Gen = it.cast();
            let f = generator::frame_of(g);
            let v = self.get(slot)?;
            self.b().guard_type(v, (*it).ob_type as u64, true)?;
            let at = self.b().int(offset_of!(PyGenObject, gi_iframe) as i64);
            let base = self.b().emit(Op::PAdd, &[v, at])?;
            let code = (*f).code;
            for (field, p) in
                [(FRAME_CODE, code.cast()), (FRAME_GLOBALS, (*f).globals), (FRAME_BUILTINS, (*f).builtins)]
            {
                let x = self.b().fload(base, field)?;
                let want = self.b().ptr(p as u64);
                self.b().guard_value(x, want)?;
                self.pin(p);
            }
            let s = self.b().fload(base, GEN_STATE)?;
            let want = self.b().int((*g).gi_frame_state as i64);
            self.b().guard_value(s, want)?;
            if (*g).gi_frame_state == generator::SUSPENDED {
                let p = self.b().fload(base, FRAME_PREV)?;
                let want = self.b().ptr((*f).prev_instr as u64);
                self.b().guard_value(p, want)?;
            }
            let info = state().frame_info(FrameInfo {
                code,
                globals: (*f).globals,
                builtins: (*f).builtins,
                flags: GENERATOR,
            });
            let (sent, sp) = match value {
                Some(s) => (self.pop(s)?, s),
                None => {
                    let c = self.b().object(none_ref().as_ptr() as u64);
                    self.b().own(c)?;
                    (c, self.sp)
                }
            };
            let next = self.real + 1;
            self.snapshot(RESUME, next, sp)?;
            self.b().push_frame(base, info as u64, next, 0)?;
            self.push_level(base, info, next, sp, sp);
            self.put((*f).stacktop, sent)?;
            self.expect = Some((frame::last_unit(f) + 1) as u32);
            // Now for real.
            let up = self.outer.last().expect("entered from a frame").frame;
            let x = match value {
                Some(s) => {
                    (*up).stacktop = s;
                    *frame::localsplus(up).add(s as usize)
                }
                None => none().into_raw(),
            };
            *frame::localsplus(f).add((*f).stacktop as usize) = x;
            (*up).prev_instr = frame::first_instr((*up).code).add(next as usize - 1);
            let height = (*f).stacktop + 1;
            let ts = Thread::current_ptr();
            link(ts, f, up);
            // The interpreter counts the level and takes the height from there.
            (*ts).recursion_remaining += 1;
            (*f).stacktop = height;
            lh_interp::jit::enter_instead(f);
            Ok(true)
        }
    }

    /// Makes the links of the generator's frame, whose address is `base`.
    pub(crate) fn link_generator(&mut self, base: R) -> Rec {
        let word = self.b().int(frame_word(-1));
        self.b().fstore(base, FRAME_WORD, word)?;
        let running = self.b().int(generator::EXECUTING as i64);
        self.b().fstore(base, GEN_STATE, running)?;
        let ts = self.b().emit(Op::Ts, &[])?;
        let e = self.b().fload(ts, TS_EXC_INFO)?;
        self.b().fstore(base, GEN_EXC_PREVIOUS, e)?;
        let at = self.b().int(EXC_STATE);
        let p = self.b().emit(Op::PAdd, &[base, at])?;
        Ok(self.b().fstore(ts, TS_EXC_INFO, p)?)
    }

    /// The innermost frame, a generator's, stands at the present instruction with a stack of height `sp` and is left; its caller is the
    /// innermost one then.
    unsafe fn suspend(&mut self, sp: i32) -> Rec<(u32, i32)> {
        // SAFETY: the code is pinned.
        unsafe {
            let here = self.here();
            let at = frame::first_instr(self.code).add(self.pc as usize) as u64;
            let at = self.b().ptr(at);
            self.b().fstore(here, FRAME_PREV, at)?;
            let was_linked = self.header;
            if was_linked {
                let ts = self.b().emit(Op::Ts, &[])?;
                let e = self.b().fload(here, GEN_EXC_PREVIOUS)?;
                self.b().fstore(ts, TS_EXC_INFO, e)?;
                let null = self.b().ptr(0);
                self.b().fstore(here, GEN_EXC_PREVIOUS, null)?;
                self.b().fstore(here, FRAME_PREVIOUS, null)?;
            }
            let word = self.b().int(frame_word(sp));
            self.b().fstore(here, FRAME_WORD, word)?;
            let s = self.b().int(generator::SUSPENDED as i64);
            self.b().fstore(here, GEN_STATE, s)?;
            self.b().suspend_frame()?;
            let l = self.outer.pop().expect("a generator has a caller");
            let (resume, ret) = (l.resume, l.ret);
            self.take_level(l);
            if was_linked {
                let f = self.here();
                self.make_current(f)?;
                self.recurse(1)?;
            }
            self.acted = true;
            self.supported_no_more();
            Ok((resume, ret))
        }
    }

    pub(crate) unsafe fn yield_value(&mut self) -> Rec<u32> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let v = self.pop(sp - 1)?;
            let (resume, ret) = self.suspend(sp - 1)?;
            self.put(ret, v)?;
            Ok(resume)
        }
    }

    /// RETURN_VALUE of a generator: the asking instruction goes on behind its loop.
    pub(crate) unsafe fn generator_return(&mut self) -> Rec<u32> {
        // SAFETY: live operands; the caller stands at FOR_ITER or SEND, neither of them with a longer argument.
        unsafe {
            let sp = self.sp;
            let a = self.actual(sp - 1);
            let v = self.pop(sp - 1)?;
            let gone = self.here();
            let (resume, ret) = self.suspend(sp - 1)?;
            let word = *frame::first_instr(self.code).add(resume as usize - 1);
            let end = resume + (word >> 8) as u32;
            self.pc = resume - 1;
            self.real = self.pc;
            self.sp = ret;
            self.set_prev()?;
            self.b().call(h::GEN_FINISH, &[gone], false)?;
            self.act();
            let ia = self.actual(ret - 1);
            let it = self.pop(ret - 1)?;
            if quick::BASE[word as u8 as usize] == op::FOR_ITER {
                self.release(v, a)?;
            } else {
                self.put(ret - 1, v)?;
            }
            self.release(it, ia)?;
            Ok(end)
        }
    }
}
