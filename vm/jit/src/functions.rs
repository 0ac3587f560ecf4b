//! Functions that call themselves: they get traces of their own, from entry to return, which call one another.
//!
//! ```text
//!   trace ──run_function──▶ frame on the data stack ──▶ trace of the function ──RETURN exit──▶ value
//!                                                              └──any other exit──▶ interpreter, up to the return
//! ```
//!
//! A function that doesn't call itself becomes part of its callers' traces instead. A recording of a loop or a function inlines the
//! first levels of a recursion (`inline.rs`); the next level is such a call. Its parameters lie where the inlined frame would (in
//! the room above the root frame) and `run_function` makes the frame. When the trace returns, what it could not give up unseen is in
//! the frame's memory and is dropped once the frame is gone, as the interpreter does it.

use crate::Mode;
use crate::inline::{self, Arg, FrameInfo};
use crate::manager::*;
use crate::record::*;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_interp::frame::{self, Frame};
use lh_interp::jit::Enter;
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::codeobject::quick;
use lh_runtime::prelude::*;
use lh_runtime::thread::Thread;
use std::collections::hash_map::Entry;
use std::ptr::null_mut;

/// How many frames up a function that calls itself is looked for.
const FAR: usize = 30;
/// After so many runs that ended otherwise than by a return it is looked at whether most do.
const MANY: u64 = 2000;

/// A function with a trace from its entry, or one that is being recorded. It never goes away: traces name it.
pub struct FunctionRoot {
    pub code: *mut PyCodeObject,
    /// Its RESUME.
    resume: *mut u16,
    params: usize,
    free_vars: usize,
    /// The trace; `NO_TRACE` while there is none.
    pub trace: u32,
}
const SMALL_ROOM: usize = 96;
pub const NO_TRACE: u32 = u32::MAX;

/// Is the frame's code running further up, too?
pub unsafe fn is_recursive(f: *mut Frame) -> bool {
    // SAFETY: frames of the running thread.
    unsafe {
        let mut up = (*f).previous;
        for _ in 0..FAR {
            if up.is_null() {
                break;
            }
            if (*up).code == (*f).code {
                return true;
            }
            up = (*up).previous;
        }
        false
    }
}

impl FunctionRoot {
    /// For code that starts with at most a COPY_FREE_VARS before its RESUME.
    unsafe fn of(code: *mut PyCodeObject) -> Option<FunctionRoot> {
        // SAFETY: live code.
        unsafe {
            let c = Object::from_ptr(code.cast()).downcast_unchecked::<Code>();
            let mut resume = frame::first_instr(code);
            let mut free_vars = 0;
            if quick::BASE[*resume as u8 as usize] == op::COPY_FREE_VARS {
                free_vars = (*resume >> 8) as usize;
                resume = resume.add(1);
            }
            let flags = (*code).co_flags;
            if c.len_units() < 3
                || quick::BASE[*resume as u8 as usize] != op::RESUME
                || flags & CO_OPTIMIZED == 0
                || flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) != 0
            {
                return None;
            }
            let more = (flags & CO_VARARGS != 0) as i32 + (flags & CO_VARKEYWORDS != 0) as i32;
            let params = ((*code).co_argcount + (*code).co_kwonlyargcount + more) as usize;
            Some(FunctionRoot { code, resume, params, free_vars, trace: NO_TRACE })
        }
    }
}

/// The entry for code. Whoever names an entry keeps its code alive; one that nobody names may be of other code that lay there.
pub unsafe fn function_root(s: &mut State, code: *mut PyCodeObject) -> Option<*mut FunctionRoot> {
    // SAFETY: live code.
    unsafe {
        if let Some(r) = s.functions.get_mut(&(code as usize))
            && r.trace != NO_TRACE
        {
            return Some(&raw mut **r);
        }
        let r = FunctionRoot::of(code)?;
        match s.functions.entry(code as usize) {
            Entry::Occupied(e) => {
                let old = e.into_mut();
                **old = r;
                Some(&raw mut **old)
            }
            Entry::Vacant(e) => Some(&raw mut **e.insert(Box::new(r))),
        }
    }
}

/// Words for the frames inlined in a function's root: a recursion pays for them at every level. A loop may have a trace that
/// takes it for granted that there is all the room.
pub unsafe fn room(code: *mut PyCodeObject) -> usize {
    // SAFETY: live code.
    unsafe {
        let c = Object::from_ptr(code.cast()).downcast_unchecked::<Code>();
        let loops = (0..c.len_units()).any(|u| {
            matches!(
                c.unit_at(u).0,
                op::JUMP_BACKWARD
                    | op::POP_JUMP_BACKWARD_IF_TRUE
                    | op::POP_JUMP_BACKWARD_IF_FALSE
                    | op::POP_JUMP_BACKWARD_IF_NONE
                    | op::POP_JUMP_BACKWARD_IF_NOT_NONE
            )
        });
        if loops { inline::ROOM } else { SMALL_ROOM }
    }
}

/// A trace is not to be entered any more.
pub fn forget_trace(s: &mut State, t: u32) {
    for r in s.functions.values_mut() {
        if r.trace == t {
            r.trace = NO_TRACE;
        }
    }
}

impl Recorder {
    /// The call of a function that has its own trace (or is about to get one): operands have been popped, the result goes to slot `sp`.
    pub(crate) unsafe fn call_root(
        &mut self,
        func: *mut PyFunctionObject,
        fv: R,
        args: &[R],
        order: &[Arg],
        sp: i32,
        root: *mut FunctionRoot,
    ) -> Rec {
        // SAFETY: a live function; roots and infos live for ever.
        unsafe {
            let code = (*root).code;
            let info = state().frame_info(FrameInfo {
                code,
                globals: (*func).func_globals,
                builtins: (*func).func_builtins,
                flags: 0,
            });
            self.pin(code.cast());
            let values = self.bind_values(args, order)?;
            let base = self.next_base()?;
            let pc = self.pc;
            self.snapshot(RESUME, pc, sp)?;
            self.b().push_frame(base, info as u64, pc, 0)?;
            for (i, v) in values.into_iter().enumerate() {
                self.b().sput(i as i32, v)?;
            }
            self.b().sput(inline::FUNC_SLOT, fv)?;
            self.b().suspend_frame()?;
            self.set_prev()?;
            let r = self.b().ptr(root as u64);
            let v = self.b().call(crate::helpers::RUN_FUNCTION, &[base, r], false)?;
            self.act();
            self.snapshot(RAISE, self.pc, sp)?;
            self.b().emit(Op::GNonNull, &[v])?;
            self.put(sp, v)
        }
    }

    /// RETURN_VALUE of the frame the trace was entered with: the trace ends, the value on the stack.
    pub(crate) unsafe fn return_from_root(&mut self) -> Rec<Next> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let n = (*self.code).co_nlocalsplus;
            let v = self.pop(sp - 1)?;
            for i in 0..n {
                let (Some(x), a) = (self.shadow.get(&i).copied(), self.actual(i)) else { continue };
                if a.is_null() {
                    continue;
                }
                let known = self.is_silent(a) && self.b().type_of(x) == Some((*a).ob_type as u64);
                let elsewhere = self.shadow.iter().any(|(k, y)| *k != i && *y == x) || x == v;
                if known || elsewhere || self.b().const_of(x).is_some() {
                    let x = self.pop(i)?;
                    let null = self.b().null();
                    self.put(i, null)?;
                    self.b().drop_ref(x, if known { ops::DROP_SILENT } else { ops::DROP_NOT_LAST })?;
                }
            }
            self.put(n, v)?;
            self.b().flush()?;
            self.snapshot(RETURN, self.pc, n + 1)?;
            Ok(Next::Return)
        }
    }
}

/// The value of a frame left by a RETURN exit; the frame is as before its clearing then.
pub unsafe fn take_value(f: *mut Frame) -> *mut PyObject {
    // SAFETY: the exit has written the value behind the locals.
    unsafe {
        let n = (*(*f).code).co_nlocalsplus;
        (*f).stacktop = n;
        std::mem::replace(&mut *frame::localsplus(f).add(n as usize), null_mut())
    }
}

/// Calls a function whose parameters lie at `from` (and the function itself in their frame's header); takes them all over.
pub unsafe extern "C" fn run_function(from: *mut Frame, root: *const FunctionRoot) -> *mut PyObject {
    // SAFETY: the trace has written the parameters; roots live for ever.
    unsafe {
        let ts = Thread::current_ptr();
        let code = (*root).code;
        let f = frame::push_words(ts, frame::frame_words(code)).cast::<Frame>();
        let params = frame::localsplus(from);
        if f.is_null() {
            for i in 0..(*root).params {
                xdecref(*params.add(i));
            }
            decref((*from).func.cast());
            return null_mut();
        }
        let func = (*from).func;
        frame::init(f, func, null_mut(), code);
        (*f).prev_instr = (*root).resume;
        let l = frame::localsplus(f);
        let n = (*code).co_nlocalsplus as usize;
        for i in 0..n {
            // Volatile: a loop, not a call of memcpy.
            l.add(i).write_volatile(if i < (*root).params { *params.add(i) } else { null_mut() });
        }
        let free = (*root).free_vars;
        if free != 0 {
            let cells =
                (&raw const (*(*func).func_closure.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>();
            for i in 0..free {
                let c = *cells.add(i);
                incref(c);
                *l.add(n - free + i) = c;
            }
        }
        let cframe = (*ts).cframe;
        let s = state();
        let t = (*root).trace;
        if t == NO_TRACE || (*cframe).use_tracing != 0 || !has_room(ts) {
            return lh_interp::eval::run(ts, f, false);
        }
        let caller = (*cframe).current_frame;
        (*f).previous = caller.cast();
        (*cframe).current_frame = f.cast();
        (*ts).recursion_remaining -= 1;
        let x = &mut s.traces[t as usize];
        x.entries += 1;
        let (entry, room) = (x.entry, x.room);
        let (word, jf, base) = match enter_trace(ts, f, entry, room) {
            Some(x) => x,
            None => {
                (*ts).recursion_remaining += 1;
                (*cframe).current_frame = caller;
                clear();
                return lh_interp::eval::run(ts, f, false);
            }
        };
        let (t, n) = ((word >> 32) as u32, word as u32);
        let s = state();
        if s.traces[t as usize].is_return(n) {
            s.pool.push(jf);
            frame::pop_words(ts, base);
            let v = take_value(f);
            (*ts).recursion_remaining += 1;
            (*cframe).current_frame = caller;
            frame::clear(f);
            frame::pop_words(ts, f.cast());
            return v;
        }
        let mut jf = jf;
        let how = leave(ts, f, t, n, jf.as_mut_ptr(), base);
        state().pool.push(jf);
        match how {
            Enter::Continue(inner) => lh_interp::eval::finish(ts, inner, f, false),
            Enter::Raise(inner) => lh_interp::eval::finish(ts, inner, f, true),
            // No other answer of `leave`: a return has been seen to.
            Enter::Stay | Enter::Leave(..) => lh_interp::eval::finish(ts, f, f, false),
        }
    }
}

/// A run of a function's root ended in an exit to the interpreter. Where most do, though no bridge is to be had for them any more,
/// interpreting is faster.
pub fn left_early(s: &mut State, root: u32) {
    let over_budget = s.over_budget();
    let x = &mut s.traces[root as usize];
    x.early += 1;
    if x.early < MANY {
        return;
    }
    let most = x.early * 2 > x.entries;
    let settled = x.settled == x.bridges && !over_budget;
    (x.early, x.entries, x.settled) = (0, 0, x.bridges);
    if most && settled && !x.retired && s.mode != Mode::Stress {
        s.event(|| format!("function of trace {root} goes back to the interpreter"));
        unpatch(s, root);
        s.give_back(root);
    }
}

impl State {
    /// May a function called often get a root? Outside of tests only one that calls itself.
    pub unsafe fn wants_root(&self, f: *mut Frame) -> bool {
        // SAFETY: the running frame.
        unsafe { self.mode == Mode::Stress && (*f).flags & frame::ENTRY != 0 || is_recursive(f) }
    }
}
