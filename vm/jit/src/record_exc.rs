//! Exceptions in traces: raising, unwinding to a handler in one of the trace's own frames, what handlers do.
//!
//! ```text
//!   exit of kind RAISE, hot ──bridge──▶ UNWIND_FRAME for each inlined frame without a handler ──▶ CATCH ──▶ handler
//!   RAISE_VARARGS, RERAISE ─────recorded as what they do──────▲
//! ```
//!
//! Which frame has the handler, and where, the exception tables say. Frames are written to memory first: tracebacks name them, and the stack is
//! cut there. An exception that none of the trace's frames handles is the interpreter's business, as is one that leaves the frame of
//! a generator or of an operator's method, whose callers look at it.

use crate::generic::stack_effect;
use crate::helpers as h;
use crate::inline::GENERATOR;
use crate::manager::{RESUME, state};
use crate::record::*;
use lh_abi::*;
use lh_bytecode::exctable::{self, Entry};
use lh_bytecode::opcode as op;
use lh_interp::frame::{self, Frame};
use lh_interp::{ops as interp_ops, traceback};
use lh_jit_opt::R;
use lh_runtime::prelude::*;
use lh_runtime::thread::Thread;
use std::ptr::null_mut;

/// Where an exception goes: so many inlined frames are left, the next one handles it.
pub(crate) struct Landing {
    leave: usize,
    pub handler: Entry,
}

/// An instruction that ended so many recordings by raising is recorded as one that may.
const OFTEN: u32 = 3;
/// So near its beginning a bridge may be about the exception.
const NEAR: usize = 4;

// Bits of what `catch` and `unwind_frame` are told, besides the stack's height.
const HERE: i64 = 1 << 32;
const LASTI: i64 = 1 << 33;
const DEPTH: u32 = 34;

/// Adds the frame to the traceback if that is asked for.
unsafe fn note_here(f: *mut Frame, how: i64) {
    // SAFETY: a live frame, its header in memory.
    if how & HERE != 0 && !unsafe { frame::is_incomplete(f) } {
        // SAFETY: as above.
        unsafe { traceback::here(Thread::current_ptr(), f) }
    }
}
/// Drops stack entries from the top of the stack down to `to`.
unsafe fn cut(f: *mut Frame, how: i64, to: *mut *mut PyObject) {
    // SAFETY: the stack is in memory.
    unsafe {
        let mut sp = frame::localsplus(f).add(how as u32 as usize);
        while sp > to {
            sp = sp.sub(1);
            xdecref(std::mem::replace(&mut *sp, null_mut()));
        }
    }
}
/// The frame handles the exception that is set: its stack is cut and gets the exception.
pub unsafe extern "C" fn catch(f: *mut Frame, how: i64) {
    // SAFETY: the trace has written the frame to memory.
    unsafe {
        note_here(f, how);
        let mut at = frame::stack_base(f).add((how >> DEPTH) as usize);
        cut(f, how, at);
        if how & LASTI != 0 {
            *at = Int::from_i64(frame::last_unit(f) as i64).into_raw();
            at = at.add(1);
        }
        *at = lh_runtime::errors::take_raised().into_raw();
    }
}
/// The exception that is set leaves the frame, an inlined function's.
pub unsafe extern "C" fn unwind_frame(f: *mut Frame, how: i64) {
    // SAFETY: as above; the frame's memory belongs to the trace.
    unsafe {
        note_here(f, how);
        cut(f, how, frame::stack_base(f));
        (*f).stacktop = (*(*f).code).co_nlocalsplus;
        let ts = Thread::current_ptr();
        (*ts).recursion_remaining += 1;
        (*(*ts).cframe).current_frame = (*f).previous.cast();
        let saved = fetch();
        frame::clear(f);
        restore(saved.0, saved.1, saved.2);
    }
}
/// RAISE_VARARGS in the frame; takes exception and cause over, either may be null.
pub unsafe extern "C" fn raise_in(f: *mut Frame, e: *mut PyObject, cause: *mut PyObject) {
    // SAFETY: as `catch`; the caller's references.
    unsafe {
        let (e, cause) = (Owned::<Object>::from_raw_opt(e), Owned::<Object>::from_raw_opt(cause));
        let ts = Thread::current_ptr();
        if !interp_ops::raise_stmt(ts, e, cause) {
            traceback::here(ts, f);
        }
    }
}
/// RERAISE in the frame; takes the exception over. `lasti`: the unit that raised it first, or null.
pub unsafe extern "C" fn reraise_in(f: *mut Frame, e: *mut PyObject, lasti: *mut PyObject) {
    // SAFETY: as `catch`.
    unsafe {
        if let Some(l) =
            Object::from_ptr_opt(lasti).and_then(|l| l.downcast::<Int>()).and_then(|l| l.to_i64())
        {
            (*f).prev_instr = frame::first_instr((*f).code).offset(l as isize);
        }
        interp_ops::restore_exception(e);
    }
}
/// PUSH_EXC_INFO: the exception becomes the one being handled; answers the one that was.
pub unsafe extern "C" fn push_exc(e: *mut PyObject) -> *mut PyObject {
    // SAFETY: a live exception; the thread's innermost exception state.
    unsafe {
        incref(e);
        let old = std::mem::replace(&mut (*(*Thread::current_ptr()).exc_info).exc_value, e);
        if old.is_null() { none().into_raw() } else { old }
    }
}
/// POP_EXCEPT: takes over the exception that is the handled one again.
pub unsafe extern "C" fn pop_exc(e: *mut PyObject) {
    // SAFETY: as above.
    unsafe { xdecref(std::mem::replace(&mut (*(*Thread::current_ptr()).exc_info).exc_value, e)) }
}
/// Takes a frame's object away if nobody else has it; 0: somebody has.
pub unsafe extern "C" fn drop_frame_object(f: *mut Frame) -> i64 {
    // SAFETY: a live frame, which owns a count of its object.
    unsafe {
        let fo = (*f).frame_obj;
        if fo.is_null() {
            return 1;
        }
        if (*fo).ob_base.ob_refcnt > 1 {
            return 0;
        }
        (*f).frame_obj = null_mut();
        decref(fo.cast());
        1
    }
}

/// The handler for a unit of code.
unsafe fn handler(code: *mut PyCodeObject, unit: u32) -> Option<Entry> {
    // SAFETY: live code.
    unsafe {
        let c = Object::from_ptr(code.cast()).downcast_unchecked::<Code>();
        exctable::find(c.exceptiontable().as_bytes(), unit)
    }
}

impl Recorder {
    /// Where an exception raised by the innermost frame's instruction at `unit` goes, if the trace can follow it.
    pub(crate) unsafe fn landing(&self, unit: u32) -> Option<Landing> {
        // SAFETY: codes are pinned; infos live as long as the process.
        unsafe {
            let (mut code, mut info, mut unit) = (self.code, self.info, unit);
            let mut leave = 0;
            loop {
                if let Some(handler) = handler(code, unit) {
                    return Some(Landing { leave, handler });
                }
                let up = self.outer.len().checked_sub(leave + 1)?;
                if (*info).flags & (GENERATOR | frame::OPERATOR) != 0 {
                    return None;
                }
                let l = &self.outer[up];
                (code, info, unit) = (l.code, l.info, l.resume - 1);
                leave += 1;
            }
        }
    }

    /// The exception that is set goes where it lands; the innermost frame's stack has the present height. `here`: the frame is not in the
    /// traceback yet.
    pub(crate) unsafe fn unwind(&mut self, l: Landing, here: bool) -> Rec {
        // SAFETY: codes are pinned.
        unsafe {
            let mut here = here;
            for _ in 0..l.leave {
                let f = self.here();
                let how = self.sp as i64 | if here { HERE } else { 0 };
                let how = self.b().int(how);
                self.b().suspend_frame()?;
                let up = self.outer.pop().expect("an inlined frame has a caller");
                let (resume, sp) = (up.resume, up.sp);
                self.take_level(up);
                self.b().flush()?;
                self.b().call(h::UNWIND_FRAME, &[f, how], false)?;
                (self.pc, self.sp) = (resume - 1, sp);
                here = true;
            }
            let depth = l.handler.depth;
            let how = self.sp as i64
                | if here { HERE } else { 0 }
                | if l.handler.lasti { LASTI } else { 0 }
                | (depth as i64) << DEPTH;
            let f = self.here();
            let how = self.b().int(how);
            self.b().flush()?;
            self.b().call(h::CATCH, &[f, how], false)?;
            self.act();
            let low = (*self.code).co_nlocalsplus + depth as i32;
            let top = low + l.handler.lasti as i32 + 1;
            self.forget(low, self.sp.max(top))?;
            self.snapshot(RESUME, l.handler.target, top)?;
            self.expect = Some(l.handler.target);
            Ok(())
        }
    }

    /// A bridge begins where an instruction has raised; the frames are as the exit left them.
    pub(crate) unsafe fn start_raised(&mut self) -> Rec {
        // SAFETY: as above.
        unsafe {
            let l = self.landing(self.pc).ok_or(Why::Left)?;
            self.set_prev()?;
            self.unwind(l, true)
        }
    }

    /// RAISE_VARARGS and RERAISE; false if the trace can't follow.
    pub(crate) unsafe fn raise_instruction(&mut self, o: u8, arg: u32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let Some(l) = self.landing(self.pc) else { return Ok(false) };
            self.set_prev()?;
            let f = self.here();
            let sp = self.sp;
            if o == op::RAISE_VARARGS {
                let null = self.b().null();
                let cause = if arg == 2 { self.pop(sp - 1)? } else { null };
                let e = if arg >= 1 { self.pop(sp - arg as i32)? } else { null };
                self.b().call(h::RAISE_IN, &[f, e, cause], false)?;
                self.sp = sp - arg as i32;
            } else {
                let lasti = if arg != 0 { self.get(sp - arg as i32 - 1)? } else { self.b().null() };
                let e = self.pop(sp - 1)?;
                self.b().call(h::RERAISE_IN, &[f, e, lasti], false)?;
                self.sp = sp - 1;
            }
            self.act();
            self.unwind(l, false)?;
            Ok(true)
        }
    }

    pub(crate) unsafe fn push_exc_info(&mut self) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            // A generator's exception state must be in its place.
            self.write_headers()?;
            let e = self.pop(sp - 1)?;
            let old = self.b().call(h::PUSH_EXC, &[e], false)?;
            self.put(sp - 1, old)?;
            self.put(sp, e)?;
            self.act();
            Ok(())
        }
    }
    pub(crate) unsafe fn pop_except(&mut self) -> Rec {
        // SAFETY: live operands.
        unsafe {
            self.set_prev()?;
            let e = self.pop(self.sp - 1)?;
            self.b().call(h::POP_EXC, &[e], false)?;
            self.act();
            Ok(())
        }
    }

    /// CHECK_EXC_MATCH: the exception's type and the classes are guarded, which decides it.
    pub(crate) unsafe fn check_exc_match(&mut self) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let (ea, ca) = (self.actual(sp - 2), self.actual(sp - 1));
            let is_class = |o: *mut PyObject| {
                (*(*o).ob_type).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS != 0
                    && (*o.cast::<PyTypeObject>()).tp_flags & Py_TPFLAGS_BASE_EXC_SUBCLASS != 0
            };
            let mut wanted = vec![];
            if is_class(ca) {
                wanted.push(ca);
            } else if exact::<Tuple>(ca) {
                wanted.extend_from_slice(Object::from_ptr(ca).downcast_unchecked::<Tuple>().as_slice_raw());
                if wanted.len() > 8 || !wanted.iter().all(|c| is_class(*c)) {
                    return Ok(false);
                }
            } else {
                return Ok(false);
            }
            let t = (*ea).ob_type;
            let version = Type::from_raw_ref(t).version();
            if (*t).tp_flags & Py_TPFLAGS_BASE_EXC_SUBCLASS == 0 || version == 0 {
                return Ok(false);
            }
            let (e, c) = (self.get(sp - 2)?, self.get(sp - 1)?);
            self.b().guard_type(e, t as u64, false)?;
            if (*t).tp_flags & Py_TPFLAGS_HEAPTYPE != 0 {
                self.pin(t.cast());
                let tp = self.b().ptr(t as u64);
                let x = self.b().fload(tp, crate::descs::TYPE_VERSION)?;
                let want = self.b().int(version as i64);
                self.b().guard_value(x, want)?;
            }
            if is_class(ca) {
                self.guard_same(c, ca)?;
            } else {
                self.b().guard_type(c, Tuple::type_ptr() as u64, true)?;
                let n = self.b().fload(c, crate::descs::TUPLE_SIZE)?;
                let want = self.b().int(wanted.len() as i64);
                self.b().guard_value(n, want)?;
                for (i, w) in wanted.iter().enumerate() {
                    let k = self.b().int(i as i64);
                    let x = self.b().aload(c, crate::descs::TUPLE_ITEM, k)?;
                    self.guard_same(x, *w)?;
                }
            }
            self.prepare_release(c, ca)?;
            let m = given_matches(Object::from_ptr(ea), Object::from_ptr(ca));
            let c = self.pop(sp - 1)?;
            let answer = self.b().object(bool_ref(m).as_ptr() as u64);
            self.b().own(answer)?;
            self.put(sp - 1, answer)?;
            self.release(c, ca)?;
            Ok(true)
        }
    }
    fn guard_same(&mut self, v: R, o: *mut PyObject) -> Rec {
        let c = self.pin(o);
        self.b().guard_value(v, c)?;
        Ok(())
    }

    /// The innermost frame is about to be left: an object that a traceback wanted of it must be nobody else's by now.
    pub(crate) fn give_up_frame_object(&mut self) -> Rec {
        let here = self.here();
        self.supported_no_more();
        let done = self.b().call(h::DROP_FRAME_OBJECT, &[here], false)?;
        self.snap()?;
        self.b().emit(lh_jit_ir::Op::GTrue, &[done])?;
        Ok(())
    }

    /// Did the instruction recorded last raise instead, and the exception go to a handler at `unit` of the frame?
    pub(crate) unsafe fn has_raised(&self, unit: u32) -> bool {
        // SAFETY: codes are pinned.
        unsafe { self.landing(self.pc).is_some_and(|l| l.leave == 0 && l.handler.target == unit) }
    }
    /// Has an instruction that might raise done so, and the exception gone to a handler of this frame, a caller?
    pub(crate) unsafe fn raised_out_to(&self, f: *mut Frame, unit: u32) -> bool {
        let Some(Pending::Raise { pc, .. }) = self.pending else { return false };
        // SAFETY: codes are pinned.
        unsafe {
            self.landing(pc).is_some_and(|l| {
                l.leave > 0 && self.outer[self.outer.len() - l.leave].frame == f && l.handler.target == unit
            })
        }
    }

    /// Is the instruction to be recorded in a form that may raise? Where it has done so: in a bridge that begins there, or often.
    pub(crate) unsafe fn may_raise(&self, o: u8, arg: u32) -> bool {
        let Some(n) = state().raises.get(&self.at()) else { return false };
        // SAFETY: live operands.
        unsafe {
            if *n < OFTEN && (self.bridge.is_none() || self.steps > NEAR) || self.landing(self.pc).is_none() {
                return false;
            }
            if o == op::CALL {
                let base = self.sp - arg as i32 - 2;
                let callee = self.actual(if self.actual(base).is_null() { base + 1 } else { base });
                // Anything else may be a Python function in the end.
                let t = (*callee).ob_type;
                return t == CFunction::type_ptr()
                    || t == MethodDescr::type_ptr()
                    || t == Type::type_ptr()
                        && (*callee.cast::<PyTypeObject>()).tp_flags & Py_TPFLAGS_HEAPTYPE == 0;
            }
            stack_effect(o, arg as i32).is_some()
        }
    }
    /// Does the instruction on memory; the next step says whether it raised.
    pub(crate) unsafe fn raising_form(&mut self, o: u8, arg: u32, next: u32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            self.set_prev()?;
            let (sp, pc) = (self.sp, self.pc);
            let f = self.here();
            let (r, low, pushes);
            if o == op::CALL {
                let kw = std::mem::replace(&mut self.kwnames, null_mut());
                self.names_at = None;
                (low, pushes) = (sp - arg as i32 - 2, 1);
                let (base, n) = (self.b().int(low as i64), self.b().int(arg as i64));
                let kw = self.b().object(kw as u64);
                self.b().flush()?;
                r = self.b().call(h::CALL_STACK, &[f, base, n, kw], false)?;
            } else {
                let (pops, gives) = stack_effect(o, arg as i32).ok_or(Why::Opcode(o))?;
                (low, pushes) = (sp - pops, gives);
                let (spv, ov, av) =
                    (self.b().int(sp as i64), self.b().int(o as i64), self.b().int(arg as i64));
                self.b().flush()?;
                r = self.b().call(h::GENERIC, &[f, spv, ov, av], false)?;
            }
            self.act();
            self.forget(low, sp.max(low + pushes))?;
            self.pending = Some(Pending::Raise { r, low, sp: low + pushes, pc, next });
            Ok(())
        }
    }
}

/// Is another recording of the loop with this head worth trying soon, though the last one met an exception?
pub(crate) fn raised_again(head: usize) -> bool {
    let n = state().raised.entry(head).or_insert(0);
    *n += 1;
    *n < 6
}
