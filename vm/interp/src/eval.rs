//! The evaluation loop.
//!
//! `run` executes a frame and every frame that Python code in it calls: a Python-to-Python call pushes a frame and goes on in
//! the same loop, a return pops it. Native recursion happens only through built-in functions and slots.
//!
//! ```text
//!   Start ──▶ dispatch ──▶ instruction ──▶ dispatch …
//!     ▲           │ Error: add this frame to the traceback
//!     │           ▼
//!     │         Unwind: look in the exception table ──found──▶ cut the stack, push the exception, dispatch
//!     │           │ not found
//!     │           ▼
//!     └──call── Leave: pop the frame; the caller sees the error (or `run` returns null)
//! ```
//!
//! Registers of the loop: `pc` (the code unit after the one being executed), `sp` (first free stack entry), `locals`. The frame's
//! `prev_instr` is stored before each instruction; `stacktop` only where somebody may look (calls, yields, tracing).
//! References: a stack entry owns its object. An instruction that fails leaves the stack consistent (popped or not).

use crate::frame::{self, Frame};
use crate::jit::{self, Enter};
use crate::prelude::*;
use crate::{asyncgen, bind, fast, framehook, generator, operators, ops, specialize, trace};
use lh_runtime::thread::{EVAL_BREAKER, EVALUATED, RECORDING};
use std::ptr::null_mut;
use std::sync::atomic::Ordering;

enum Why {
    /// An instruction raised.
    Error,
    /// The exception is set and its traceback is complete for this frame.
    Unwind,
    /// The frame is done with an exception.
    Leave,
    /// `frame` has just been pushed.
    Start,
    /// The frame is done; the value goes to the caller.
    Return(*mut PyObject),
    /// Continue with `frame` as its `prev_instr` and `stacktop` say.
    Resume,
    /// Continue where the fast tier stopped.
    Stopped,
}

#[inline(always)]
unsafe fn exact<T: Kind>(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { (*o).ob_type == T::type_ptr() }
}

/// A generator that FOR_ITER or SEND entered is done, with a value or (null) an exception. `f` is the asking frame, the generator
/// on top of its stack. Answers how far the asking instruction jumps, `None` where it raises.
#[cold]
#[inline(never)]
unsafe fn generator_done(f: *mut Frame, sp: *mut *mut PyObject, result: *mut PyObject) -> Option<usize> {
    // SAFETY: the frame's current instruction is the one that asked.
    unsafe {
        let g = *sp.sub(1);
        if result.is_null() {
            generator::convert_pending_stop(g);
            return None;
        }
        let word = *(*f).prev_instr;
        if word as u8 == op::FOR_ITER {
            decref(result);
        } else {
            *sp.sub(1) = result;
        }
        decref(g);
        Some((word >> 8) as usize)
    }
}

/// Runs `entry` to its end (or to its next `yield`). Takes over the frame: it is cleared and popped unless it yielded. With
/// `throwing` the pending exception is raised at the frame's current instruction.
///
/// Most frames that native code runs need the fast tier only: that is tried here, before `slow` sets up all of its registers.
#[inline(never)]
pub unsafe fn run(ts: *mut PyThreadState, entry: *mut Frame, throwing: bool) -> *mut PyObject {
    // SAFETY: the frame is whole.
    unsafe {
        let prev_cframe = (*ts).cframe;
        let mut cframe = _PyCFrame {
            use_tracing: (*prev_cframe).use_tracing,
            current_frame: entry.cast(),
            previous: prev_cframe,
        };
        (*entry).flags |= frame::ENTRY;
        (*entry).previous = (*prev_cframe).current_frame.cast();
        (*ts).cframe = &raw mut cframe;
        let mut cx = fast::Context::new(ts, &raw mut cframe, entry);
        let start = match lh_runtime::thread::enter_recursive("") {
            Ok(level) => {
                std::mem::forget(level);
                if throwing {
                    Start::Throw
                } else if cframe.use_tracing == RECORDING {
                    Start::Resume
                } else {
                    if cframe.use_tracing != 0 {
                        cx.set_mode(cframe.use_tracing);
                    }
                    let sp = frame::localsplus(entry).add((*entry).stacktop as usize);
                    (*entry).stacktop = -1;
                    let stop = fast::run(&raw mut cx, (*entry).prev_instr.add(1), sp, entry);
                    if stop == fast::DONE {
                        (*ts).cframe = prev_cframe;
                        (*prev_cframe).use_tracing = cframe.use_tracing;
                        return cx.sp.cast();
                    }
                    Start::Stopped(stop)
                }
            }
            Err(_) => {
                (*ts).recursion_remaining -= 1;
                Start::Leave
            }
        };
        slow(&raw mut cx, prev_cframe, start)
    }
}

/// Runs `entry`, which a trace was left in, to its end; `f` is the innermost of it and the frames it has called. `raised`: the
/// exception that is set was raised by the instruction at `f`'s `prev_instr`.
pub unsafe fn finish(
    ts: *mut PyThreadState,
    f: *mut Frame,
    entry: *mut Frame,
    raised: bool,
) -> *mut PyObject {
    // SAFETY: the frames are whole and counted as levels of recursion.
    unsafe {
        let prev_cframe = (*ts).cframe;
        (*prev_cframe).current_frame = (*entry).previous.cast();
        let mut cframe = _PyCFrame {
            use_tracing: (*prev_cframe).use_tracing,
            current_frame: f.cast(),
            previous: prev_cframe,
        };
        (*entry).flags |= frame::ENTRY;
        (*ts).cframe = &raw mut cframe;
        let mut cx = fast::Context::new(ts, &raw mut cframe, f);
        if cframe.use_tracing != 0 && cframe.use_tracing != RECORDING {
            cx.set_mode(cframe.use_tracing);
        }
        slow(&raw mut cx, prev_cframe, if raised { Start::Raise } else { Start::Resume })
    }
}

/// Is this the address of a function that evaluates frames?
pub fn is_loop(f: usize) -> bool {
    f == run as *const () as usize || f == slow as *const () as usize
}

/// Where `slow` begins with the frame of its context.
enum Start {
    /// As the frame's `prev_instr` and `stacktop` say.
    Resume,
    /// Where the fast tier stopped, and why.
    Stopped(usize),
    /// The pending exception is raised at the frame's current instruction.
    Throw,
    /// The frame's current instruction has raised.
    Raise,
    /// The frame could not be entered.
    Leave,
}

/// The loop itself: all instructions, errors, tracing.
#[inline(never)]
unsafe fn slow(cx: *mut fast::Context, prev_cframe: *mut _PyCFrame, start: Start) -> *mut PyObject {
    // SAFETY: the frame is whole; all pointers below are into live frames and code objects that their frames own. Stack depth is
    // bounded by co_stacksize, for which the frame has room.
    unsafe {
        let ts = (*cx).ts;
        let cframe = (*cx).cframe;
        let tracing_flag = &raw const (*cframe).use_tracing;
        let mut frame = (*cx).frame;
        let mut why = Why::Resume;
        // What the fast tier stopped for, where that has still to be looked at.
        let mut stopped = None;
        match start {
            Start::Resume => {}
            Start::Stopped(stop) => {
                stopped = Some(stop);
                why = Why::Stopped;
            }
            Start::Leave => why = Why::Leave,
            Start::Raise => why = Why::Error,
            Start::Throw => {
                why = Why::Error;
                if *tracing_flag != 0 {
                    trace::throwing_in(ts, frame);
                }
            }
        }
        // Names of keyword arguments between KW_NAMES and CALL.
        let mut kwnames: *mut PyObject = null_mut();
        let mut locals: *mut *mut PyObject = null_mut();
        let mut consts: *mut *mut PyObject = null_mut();
        let mut names: *mut *mut PyObject = null_mut();
        let mut pc: *mut u16 = null_mut();
        let mut sp: *mut *mut PyObject = null_mut();

        macro_rules! load_frame {
            () => {{
                let code = (*frame).code;
                locals = frame::localsplus(frame);
                consts = (&raw mut (*(*code).co_consts.cast::<PyTupleObject>()).ob_item).cast();
                names = (&raw mut (*(*code).co_names.cast::<PyTupleObject>()).ob_item).cast();
                pc = (*frame).prev_instr.add(1);
                sp = locals.add((*frame).stacktop as usize);
                (*frame).stacktop = -1;
            }};
        }
        // Lets others see the stack.
        macro_rules! save_sp {
            () => {
                (*frame).stacktop = sp.offset_from(locals) as i32
            };
        }
        macro_rules! push {
            ($v:expr) => {{
                let v: *mut PyObject = $v;
                *sp = v;
                sp = sp.add(1);
            }};
        }
        macro_rules! pop {
            () => {{
                sp = sp.sub(1);
                *sp
            }};
        }
        macro_rules! peek {
            ($n:expr) => {
                *sp.sub($n)
            };
        }
        if matches!(why, Why::Error) {
            load_frame!();
            // Only the exception table is needed.
            let _ = (consts, names, pc);
        }

        loop {
            match why {
                Why::Stopped => {}
                Why::Resume => {
                    load_frame!();
                }
                Why::Start => {
                    (*ts).recursion_remaining -= 1;
                    if (*ts).recursion_remaining < 0 {
                        (*ts).recursion_remaining += 1;
                        match lh_runtime::thread::enter_recursive("") {
                            Ok(level) => std::mem::forget(level),
                            Err(_) => {
                                (*ts).recursion_remaining -= 1;
                                why = Why::Leave;
                                continue;
                            }
                        }
                    }
                    load_frame!();
                }
                Why::Error => {
                    kwnames = null_mut();
                    debug_assert!(lh_runtime::errors::occurred(), "error without exception");
                    if !frame::is_incomplete(frame) {
                        crate::traceback::here(ts, frame);
                    }
                    if (*ts).c_tracefunc.is_some() && *tracing_flag != 0 {
                        save_sp!();
                        trace::exception(ts, frame);
                        (*frame).stacktop = -1;
                    }
                    why = Why::Unwind;
                    continue;
                }
                Why::Unwind => {
                    kwnames = null_mut();
                    let unit = frame::last_unit(frame);
                    let table = frame::code_ref(frame).exceptiontable().as_bytes();
                    // A RERAISE may have set `prev_instr` to the instruction that raised first: it is guarded where it
                    // stands itself.
                    let at = pc.offset_from(frame::first_instr((*frame).code)) - 1;
                    let found = if at < 0 { None } else { lh_bytecode::exctable::find(table, at as u32) };
                    let Some(h) = found else {
                        let base = frame::stack_base(frame);
                        while sp > base {
                            sp = sp.sub(1);
                            xdecref(*sp);
                        }
                        save_sp!();
                        if *tracing_flag != 0 {
                            trace::unwind_return(ts, frame);
                        }
                        why = Why::Leave;
                        continue;
                    };
                    let base = frame::stack_base(frame).add(h.depth as usize);
                    while sp > base {
                        sp = sp.sub(1);
                        xdecref(*sp);
                    }
                    if h.lasti {
                        push!(Int::from_i64(unit as i64).into_raw());
                    }
                    let e = lh_runtime::errors::take_raised();
                    push!(e.into_raw());
                    let code = (*frame).code;
                    consts = (&raw mut (*(*code).co_consts.cast::<PyTupleObject>()).ob_item).cast();
                    names = (&raw mut (*(*code).co_names.cast::<PyTupleObject>()).ob_item).cast();
                    pc = frame::first_instr(code).add(h.target as usize);
                    (*frame).stacktop = -1;
                    if *tracing_flag != 0 {
                        // The handler's first instruction gets its line event like any other.
                        (*frame).prev_instr = pc.sub(1);
                    }
                }
                Why::Leave | Why::Return(_) => {
                    let result = if let Why::Return(v) = why { v } else { null_mut() };
                    (*ts).recursion_remaining += 1;
                    let previous = (*frame).previous;
                    let flags = (*frame).flags;
                    let is_entry = flags & frame::ENTRY != 0;
                    let from_generator = (*frame).owner == frame::OWNED_BY_GENERATOR;
                    if is_entry {
                        (*ts).cframe = prev_cframe;
                        (*prev_cframe).use_tracing = (*cframe).use_tracing;
                        debug_assert!((*prev_cframe).current_frame == previous.cast());
                    } else {
                        (*cframe).current_frame = previous.cast();
                    }
                    if from_generator {
                        let g = generator::of_frame(frame);
                        (*g).gi_frame_state = generator::CLEARED;
                        (*ts).exc_info = (*g).gi_exc_state.previous_item;
                        (*g).gi_exc_state.previous_item = null_mut();
                        (*frame).previous = null_mut();
                        if result.is_null() {
                            let saved = fetch();
                            frame::clear(frame);
                            restore(saved.0, saved.1, saved.2);
                        } else {
                            frame::clear(frame);
                        }
                    } else {
                        if result.is_null() {
                            let saved = fetch();
                            frame::clear(frame);
                            restore(saved.0, saved.1, saved.2);
                        } else {
                            frame::clear(frame);
                        }
                        frame::pop_words(ts, frame.cast());
                    }
                    if flags & frame::WATCHED != 0 {
                        jit::watched_frame_left();
                    }
                    if is_entry {
                        return result;
                    }
                    frame = previous;
                    load_frame!();
                    if from_generator {
                        match generator_done(frame, sp, result) {
                            Some(jump) => {
                                // FOR_ITER goes on without the iterator, SEND with the result in the receiver's place.
                                if *pc.sub(1) as u8 == op::FOR_ITER {
                                    sp = sp.sub(1);
                                }
                                pc = pc.add(jump);
                            }
                            None => {
                                why = Why::Error;
                                continue;
                            }
                        }
                    } else if flags & frame::OPERATOR != 0 {
                        match operators::method_left(frame, &mut sp, flags >> frame::HOW, result) {
                            Some(next) => pc = next,
                            None => {
                                why = Why::Error;
                                continue;
                            }
                        }
                    } else if result.is_null() {
                        why = Why::Error;
                        continue;
                    } else if flags & frame::INIT != 0 {
                        if ops::init_returned(result).is_err() {
                            why = Why::Error;
                            continue;
                        }
                    } else {
                        push!(result);
                    }
                }
            }

            why = 'exec: loop {
                if stopped.is_some() || std::ptr::read_volatile(tracing_flag) != RECORDING {
                    let stop = match stopped.take() {
                        Some(stop) => stop,
                        None => {
                            (*cx).kwnames = kwnames;
                            if std::ptr::read_volatile(tracing_flag) != (*cx).mode {
                                (*cx).set_mode(*tracing_flag);
                            }
                            fast::run(cx, pc, sp, frame)
                        }
                    };
                    if stop == fast::DONE {
                        (*ts).cframe = prev_cframe;
                        (*prev_cframe).use_tracing = (*cframe).use_tracing;
                        return (*cx).sp.cast();
                    }
                    frame = (*cx).frame;
                    locals = frame::localsplus(frame);
                    let code = (*frame).code;
                    consts = (&raw mut (*(*code).co_consts.cast::<PyTupleObject>()).ob_item).cast();
                    names = (&raw mut (*(*code).co_names.cast::<PyTupleObject>()).ob_item).cast();
                    (pc, sp, kwnames) = ((*cx).pc, (*cx).sp, (*cx).kwnames);
                    if stop == fast::RAISE {
                        (*frame).prev_instr = pc;
                        pc = pc.add(1);
                        break 'exec Why::Error;
                    }
                    if stop == fast::LEFT {
                        break 'exec Why::Leave;
                    }
                    if stop == fast::VALUE {
                        break 'exec Why::Return(sp.cast());
                    }
                }
                let tracing = std::ptr::read_volatile(tracing_flag);
                if tracing & EVALUATED != 0
                    && tracing != RECORDING
                    && pc == frame::first_instr((*frame).code)
                    && framehook::is_due(frame)
                {
                    save_sp!();
                    let v = framehook::give(ts, frame);
                    break 'exec if v.is_null() { Why::Leave } else { Why::Return(v) };
                }
                (*frame).prev_instr = pc;
                let word = *pc;
                pc = pc.add(1);
                let mut arg = (word >> 8) as usize;
                let mut opcode = word as u8;
                if tracing != 0 {
                    // Quick forms hide events; the fast tier may have made this instruction's before it stopped.
                    opcode = if tracing == RECORDING || (*cx).seen != (*frame).prev_instr {
                        quick::TRACED
                    } else {
                        trace::plain(opcode)
                    };
                }
                'redo: loop {
                    macro_rules! next {
                        () => {
                            continue 'exec
                        };
                    }
                    macro_rules! error {
                        () => {
                            break 'exec Why::Error
                        };
                    }
                    // A new reference or null: pushes it or fails.
                    macro_rules! push_checked {
                        ($v:expr) => {{
                            let v: *mut PyObject = $v;
                            if v.is_null() {
                                error!();
                            }
                            push!(v);
                            next!();
                        }};
                    }
                    macro_rules! check {
                        ($e:expr) => {
                            match $e {
                                Ok(v) => v,
                                Err(Raised { .. }) => error!(),
                            }
                        };
                    }
                    // Once the counter in the first cache unit is warm, asks for a quick opcode and runs that.
                    macro_rules! adaptive {
                        ($f:path) => {{
                            let c = *pc as i16;
                            if c >= specialize::WARM {
                                $f(frame, pc.sub(1), arg, sp);
                                let o = *pc.sub(1) as u8;
                                if o != opcode {
                                    opcode = o;
                                    continue 'redo;
                                }
                            } else {
                                *pc = (c + 1) as u16;
                            }
                        }};
                    }
                    // A quick opcode's assumption failed: counts that, perhaps gives the opcode up, and runs the base form.
                    macro_rules! miss {
                        ($base:expr) => {{
                            specialize::missed(pc.sub(1));
                            opcode = $base;
                            continue 'redo;
                        }};
                    }
                    macro_rules! eval_breaker {
                        () => {
                            if EVAL_BREAKER.load(Ordering::Relaxed) != 0 {
                                check!(ops::eval_breaker());
                            }
                        };
                    }
                    macro_rules! jump_if {
                        ($cond:expr, $to:expr) => {
                            if $cond {
                                pc = $to;
                            }
                        };
                    }
                    // Pops the truth value of the top: true, false or an error.
                    macro_rules! truth {
                        ($v:expr) => {{
                            let v = $v;
                            if v == (&raw mut lh_runtime::singletons::_Py_TrueStruct).cast() {
                                true
                            } else if v == (&raw mut lh_runtime::singletons::_Py_FalseStruct).cast() {
                                false
                            } else {
                                check!(r(v).is_true())
                            }
                        }};
                    }
                    // Pushes the frame that `$f` is and goes on in it.
                    macro_rules! enter_frame {
                        ($f:expr) => {{
                            let f: *mut Frame = $f;
                            if f.is_null() {
                                error!();
                            }
                            (*frame).prev_instr = pc.sub(1);
                            save_sp!();
                            (*f).previous = frame;
                            (*cframe).current_frame = f.cast();
                            frame = f;
                            break 'exec Why::Start;
                        }};
                    }
                    macro_rules! jit_result {
                        ($e:expr) => {
                            match $e {
                                Enter::Stay => {}
                                Enter::Continue(f) => {
                                    frame = f;
                                    (*cframe).current_frame = f.cast();
                                    break 'exec Why::Resume;
                                }
                                Enter::Raise(f) => {
                                    frame = f;
                                    (*cframe).current_frame = f.cast();
                                    load_frame!();
                                    break 'exec Why::Error;
                                }
                                Enter::Leave(f, v) => {
                                    frame = f;
                                    (*cframe).current_frame = f.cast();
                                    break 'exec Why::Return(v);
                                }
                            }
                        };
                    }
                    // A loop's back edge is taken: it is counted, and may become a trace.
                    macro_rules! loop_back {
                        () => {
                            let target = pc.sub(arg);
                            if jit::count_loop(target) {
                                // The hook sees the frame at the loop's head.
                                (*frame).prev_instr = target.sub(1);
                                save_sp!();
                                match jit::hot_loop(ts, frame, pc.sub(1)) {
                                    Enter::Stay => (*frame).stacktop = -1,
                                    other => jit_result!(other),
                                }
                                (*frame).prev_instr = pc.sub(1);
                            }
                            pc = target;
                            eval_breaker!();
                        };
                    }
                    // The back edge of a loop that has a trace.
                    macro_rules! enter_loop {
                        () => {
                            eval_breaker!();
                            let target = pc.sub(arg);
                            (*frame).prev_instr = target.sub(1);
                            save_sp!();
                            jit_result!(jit::enter(ts, frame, pc.sub(1)));
                            // The trace did not want to run.
                            (*frame).stacktop = -1;
                            pc = target;
                        };
                    }
                    match opcode {
                        // ---- Stack and variables ----
                        op::NOP | op::CACHE => next!(),
                        op::LOAD_FAST => {
                            let v = *locals.add(arg);
                            if v.is_null() {
                                ops::unbound_local(frame, arg);
                                error!();
                            }
                            incref(v);
                            push!(v);
                            next!();
                        }
                        op::LOAD_CONST => {
                            let v = *consts.add(arg);
                            incref(v);
                            push!(v);
                            next!();
                        }
                        op::STORE_FAST => {
                            let v = pop!();
                            let old = std::mem::replace(&mut *locals.add(arg), v);
                            xdecref(old);
                            next!();
                        }
                        op::POP_TOP => {
                            decref(pop!());
                            next!();
                        }
                        op::PUSH_NULL => {
                            push!(null_mut());
                            next!();
                        }
                        op::COPY => {
                            let v = peek!(arg);
                            xincref(v);
                            push!(v);
                            next!();
                        }
                        op::SWAP => {
                            std::ptr::swap(sp.sub(1), sp.sub(arg));
                            next!();
                        }
                        op::DELETE_FAST => {
                            let old = std::mem::replace(&mut *locals.add(arg), null_mut());
                            if old.is_null() {
                                ops::unbound_local(frame, arg);
                                error!();
                            }
                            decref(old);
                            next!();
                        }
                        op::LOAD_CLOSURE => {
                            let v = *locals.add(arg);
                            if v.is_null() {
                                ops::unbound_local(frame, arg);
                                error!();
                            }
                            incref(v);
                            push!(v);
                            next!();
                        }
                        op::MAKE_CELL => {
                            let p = locals.add(arg);
                            *p = CellObject::new(Owned::from_raw_opt(*p)).into_raw();
                            next!();
                        }
                        op::COPY_FREE_VARS => {
                            frame::copy_free_vars(frame, arg);
                            next!();
                        }
                        op::LOAD_DEREF => {
                            let v = (*(*locals.add(arg)).cast::<PyCellObject>()).ob_ref;
                            if v.is_null() {
                                ops::unbound_deref(frame, arg);
                                error!();
                            }
                            incref(v);
                            push!(v);
                            next!();
                        }
                        op::STORE_DEREF => {
                            let v = pop!();
                            let c = (*locals.add(arg)).cast::<PyCellObject>();
                            xdecref(std::mem::replace(&mut (*c).ob_ref, v));
                            next!();
                        }
                        op::DELETE_DEREF => {
                            let c = (*locals.add(arg)).cast::<PyCellObject>();
                            let old = std::mem::replace(&mut (*c).ob_ref, null_mut());
                            if old.is_null() {
                                ops::unbound_deref(frame, arg);
                                error!();
                            }
                            decref(old);
                            next!();
                        }
                        op::LOAD_CLASSDEREF => push_checked!(raw(ops::load_classderef(frame, arg))),
                        op::LOAD_NAME => push_checked!(raw(ops::load_name(frame, r(*names.add(arg))))),
                        op::STORE_NAME => {
                            check!(ops::store_name(frame, r(*names.add(arg)), r(peek!(1))));
                            decref(pop!());
                            next!();
                        }
                        op::DELETE_NAME => {
                            check!(ops::delete_name(frame, r(*names.add(arg))));
                            next!();
                        }
                        op::LOAD_GLOBAL => {
                            adaptive!(specialize::load_global);
                            let v = raw(ops::load_global(frame, r(*names.add(arg >> 1))));
                            if v.is_null() {
                                error!();
                            }
                            if arg & 1 != 0 {
                                push!(null_mut());
                            }
                            push!(v);
                            pc = pc.add(5);
                            next!();
                        }
                        quick::LOAD_GLOBAL_MODULE | quick::LOAD_GLOBAL_BUILTIN => miss!(op::LOAD_GLOBAL),
                        op::STORE_GLOBAL => {
                            let g = r((*frame).globals).downcast_unchecked::<Dict>();
                            check!(g.set_item(r(*names.add(arg)), r(peek!(1))));
                            decref(pop!());
                            next!();
                        }
                        op::DELETE_GLOBAL => {
                            check!(ops::delete_global(frame, r(*names.add(arg))));
                            next!();
                        }

                        // ---- Operators ----
                        op::UNARY_NOT => {
                            let v = pop!();
                            let t = match r(v).is_true() {
                                Ok(t) => t,
                                Err(_) => {
                                    decref(v);
                                    error!();
                                }
                            };
                            decref(v);
                            push!(bool_obj(!t).into_raw());
                            next!();
                        }
                        op::UNARY_NEGATIVE | op::UNARY_POSITIVE | op::UNARY_INVERT => {
                            let v = pop!();
                            let res = raw(ops::unary(opcode, r(v)));
                            decref(v);
                            push_checked!(res);
                        }
                        op::BINARY_OP => {
                            adaptive!(specialize::binary_op);
                            let (a, b) = (peek!(2), peek!(1));
                            let res = raw(lh_runtime::number::binary_op(arg as u32, r(a), r(b)));
                            sp = sp.sub(2);
                            decref(b);
                            decref(a);
                            pc = pc.add(1);
                            push_checked!(res);
                        }
                        quick::BINARY_OP_ADD_INT | quick::BINARY_OP_SUB_INT | quick::BINARY_OP_MUL_INT => {
                            let (a, b) = (peek!(2), peek!(1));
                            if !exact::<Int>(a) || !exact::<Int>(b) {
                                miss!(op::BINARY_OP);
                            }
                            let res = ops::int_arith(opcode, a, b);
                            sp = sp.sub(2);
                            ops::drop_int(a);
                            ops::drop_int(b);
                            pc = pc.add(1);
                            push_checked!(res);
                        }
                        quick::BINARY_OP_INT | quick::BINARY_OP_FLOAT => miss!(op::BINARY_OP),
                        quick::PRECALL_PY_CLASS
                        | quick::PRECALL_NATIVE
                        | quick::PRECALL_HASH
                        | quick::PRECALL_ITER
                        | quick::PRECALL_NEXT => miss!(op::PRECALL),
                        quick::LOAD_FAST__LOAD_FAST => miss!(op::LOAD_FAST),
                        quick::LOAD_ATTR_MEMBER | quick::LOAD_ATTR_GETSET => miss!(op::LOAD_ATTR),
                        quick::STORE_ATTR_MEMBER | quick::STORE_ATTR_GETSET => miss!(op::STORE_ATTR),
                        quick::BINARY_SUBSCR_PY => miss!(op::BINARY_SUBSCR),
                        quick::BINARY_OP_ADD_FLOAT
                        | quick::BINARY_OP_SUB_FLOAT
                        | quick::BINARY_OP_MUL_FLOAT
                        | quick::BINARY_OP_DIV_FLOAT => {
                            let (a, b) = (peek!(2), peek!(1));
                            if !exact::<Float>(a) || !exact::<Float>(b) {
                                miss!(op::BINARY_OP);
                            }
                            let x = (*a.cast::<PyFloatObject>()).ob_fval;
                            let y = (*b.cast::<PyFloatObject>()).ob_fval;
                            let v = match opcode {
                                quick::BINARY_OP_ADD_FLOAT => x + y,
                                quick::BINARY_OP_SUB_FLOAT => x - y,
                                quick::BINARY_OP_MUL_FLOAT => x * y,
                                _ => {
                                    if y == 0.0 {
                                        miss!(op::BINARY_OP);
                                    }
                                    x / y
                                }
                            };
                            sp = sp.sub(2);
                            pc = pc.add(1);
                            // A float that dies here is reused for the result.
                            if (*a).ob_refcnt == 1 {
                                (*a.cast::<PyFloatObject>()).ob_fval = v;
                                decref(b);
                                push!(a);
                            } else if (*b).ob_refcnt == 1 {
                                (*b.cast::<PyFloatObject>()).ob_fval = v;
                                decref(a);
                                push!(b);
                            } else {
                                (*a).ob_refcnt -= 1;
                                (*b).ob_refcnt -= 1;
                                push!(Float::new(v).into_raw());
                            }
                            next!();
                        }
                        quick::BINARY_OP_ADD_STR => {
                            let (a, b) = (peek!(2), peek!(1));
                            if !exact::<Str>(a) || !exact::<Str>(b) {
                                miss!(op::BINARY_OP);
                            }
                            // `s += t` with s about to be stored back: the local gives up its count, so the text grows in place.
                            let next_word = *pc.add(1);
                            if (*a).ob_refcnt == 2 && next_word as u8 == op::STORE_FAST {
                                let p = locals.add((next_word >> 8) as usize);
                                if *p == a {
                                    *p = null_mut();
                                    (*a).ob_refcnt -= 1;
                                }
                            }
                            sp = sp.sub(2);
                            let mut left = Owned::<Str>::from_raw(a);
                            let res = Str::append_in_place(&mut left, r(b).downcast_unchecked::<Str>());
                            decref(b);
                            pc = pc.add(1);
                            check!(res);
                            push!(left.into_raw());
                            next!();
                        }
                        op::BINARY_SUBSCR => {
                            adaptive!(specialize::binary_subscr);
                            let (a, b) = (peek!(2), peek!(1));
                            let res = raw(r(a).get_item(r(b)));
                            sp = sp.sub(2);
                            decref(b);
                            decref(a);
                            pc = pc.add(4);
                            push_checked!(res);
                        }
                        quick::BINARY_SUBSCR_LIST | quick::BINARY_SUBSCR_TUPLE => {
                            let (a, b) = (peek!(2), peek!(1));
                            let is_list = opcode == quick::BINARY_SUBSCR_LIST;
                            if !(if is_list { exact::<List>(a) } else { exact::<Tuple>(a) })
                                || !exact::<Int>(b)
                            {
                                miss!(op::BINARY_SUBSCR);
                            }
                            let i = b.cast::<PyLongObject>();
                            let size = (*i).ob_base.ob_size;
                            let n = (*a.cast::<PyVarObject>()).ob_size as usize;
                            let mut at = (*i).ob_digit[0] as usize;
                            if size == 0 {
                                at = 0;
                            } else if size == -1 {
                                at = n.wrapping_sub(at);
                            } else if size != 1 {
                                miss!(op::BINARY_SUBSCR);
                            }
                            if at >= n {
                                miss!(op::BINARY_SUBSCR);
                            }
                            let v = if is_list {
                                *(*a.cast::<PyListObject>()).ob_item.add(at)
                            } else {
                                *(&raw mut (*a.cast::<PyTupleObject>()).ob_item)
                                    .cast::<*mut PyObject>()
                                    .add(at)
                            };
                            incref(v);
                            sp = sp.sub(2);
                            ops::drop_int(b);
                            push!(v);
                            decref(a);
                            pc = pc.add(4);
                            next!();
                        }
                        quick::BINARY_SUBSCR_DICT => {
                            let (a, b) = (peek!(2), peek!(1));
                            if !exact::<Dict>(a) {
                                miss!(op::BINARY_SUBSCR);
                            }
                            let res = raw(ops::dict_item(r(a), r(b)));
                            sp = sp.sub(2);
                            decref(b);
                            decref(a);
                            pc = pc.add(4);
                            push_checked!(res);
                        }
                        op::STORE_SUBSCR => {
                            adaptive!(specialize::store_subscr);
                            let (v, c, k) = (peek!(3), peek!(2), peek!(1));
                            let res = r(c).set_item_of(r(k), r(v));
                            sp = sp.sub(3);
                            decref(v);
                            decref(c);
                            decref(k);
                            pc = pc.add(1);
                            check!(res);
                            next!();
                        }
                        quick::STORE_SUBSCR_LIST => {
                            let (v, c, k) = (peek!(3), peek!(2), peek!(1));
                            if !exact::<List>(c) || !exact::<Int>(k) {
                                miss!(op::STORE_SUBSCR);
                            }
                            let i = k.cast::<PyLongObject>();
                            let size = (*i).ob_base.ob_size as usize;
                            let at = if size == 0 { 0 } else { (*i).ob_digit[0] as usize };
                            if size > 1 || at >= (*c.cast::<PyVarObject>()).ob_size as usize {
                                miss!(op::STORE_SUBSCR);
                            }
                            let old = std::mem::replace(&mut *(*c.cast::<PyListObject>()).ob_item.add(at), v);
                            sp = sp.sub(3);
                            pc = pc.add(1);
                            ops::drop_int(k);
                            decref(old);
                            decref(c);
                            next!();
                        }
                        quick::STORE_SUBSCR_DICT => {
                            let (v, c, k) = (peek!(3), peek!(2), peek!(1));
                            if !exact::<Dict>(c) {
                                miss!(op::STORE_SUBSCR);
                            }
                            let res = r(c).downcast_unchecked::<Dict>().set_item(r(k), r(v));
                            sp = sp.sub(3);
                            decref(v);
                            decref(c);
                            decref(k);
                            pc = pc.add(1);
                            check!(res);
                            next!();
                        }
                        op::DELETE_SUBSCR => {
                            let (c, k) = (peek!(2), peek!(1));
                            let res = r(c).del_item_of(r(k));
                            sp = sp.sub(2);
                            decref(c);
                            decref(k);
                            check!(res);
                            next!();
                        }
                        op::COMPARE_OP => {
                            adaptive!(specialize::compare_op);
                            let (a, b) = (peek!(2), peek!(1));
                            let res = raw(r(a).rich_compare(r(b), CompareOp::from_c(arg as i32)));
                            sp = sp.sub(2);
                            decref(a);
                            decref(b);
                            pc = pc.add(2);
                            push_checked!(res);
                        }
                        quick::COMPARE_INT_JUMP
                        | quick::COMPARE_FLOAT_JUMP
                        | quick::COMPARE_STR_JUMP
                        | quick::COMPARE_INT
                        | quick::COMPARE_FLOAT
                        | quick::COMPARE_STR => {
                            let (a, b) = (peek!(2), peek!(1));
                            let cond = match opcode {
                                quick::COMPARE_INT_JUMP | quick::COMPARE_INT => {
                                    if !exact::<Int>(a) || !exact::<Int>(b) {
                                        miss!(op::COMPARE_OP);
                                    }
                                    match ops::compare_small(a, b) {
                                        Some(o) => CompareOp::from_c(arg as i32).holds(o),
                                        None => miss!(op::COMPARE_OP),
                                    }
                                }
                                quick::COMPARE_FLOAT_JUMP | quick::COMPARE_FLOAT => {
                                    if !exact::<Float>(a) || !exact::<Float>(b) {
                                        miss!(op::COMPARE_OP);
                                    }
                                    let x = (*a.cast::<PyFloatObject>()).ob_fval;
                                    let y = (*b.cast::<PyFloatObject>()).ob_fval;
                                    match arg {
                                        0 => x < y,
                                        1 => x <= y,
                                        2 => x == y,
                                        3 => x != y,
                                        4 => x > y,
                                        _ => x >= y,
                                    }
                                }
                                _ => {
                                    if !exact::<Str>(a) || !exact::<Str>(b) || !(arg == 2 || arg == 3) {
                                        miss!(op::COMPARE_OP);
                                    }
                                    (a == b
                                        || r(a)
                                            .downcast_unchecked::<Str>()
                                            .equals(r(b).downcast_unchecked::<Str>()))
                                        == (arg == 2)
                                }
                            };
                            sp = sp.sub(2);
                            decref(a);
                            decref(b);
                            pc = pc.add(2);
                            if opcode == quick::COMPARE_INT
                                || opcode == quick::COMPARE_FLOAT
                                || opcode == quick::COMPARE_STR
                                || *tracing_flag != 0
                            {
                                push!(bool_obj(cond).into_raw());
                                next!();
                            }
                            // The conditional jump that follows is done here.
                            let w = *pc;
                            (*frame).prev_instr = pc;
                            pc = pc.add(1);
                            let to = (w >> 8) as usize;
                            match w as u8 {
                                op::POP_JUMP_FORWARD_IF_FALSE => jump_if!(!cond, pc.add(to)),
                                op::POP_JUMP_FORWARD_IF_TRUE => jump_if!(cond, pc.add(to)),
                                op::POP_JUMP_BACKWARD_IF_FALSE => {
                                    if !cond {
                                        pc = pc.sub(to);
                                        eval_breaker!();
                                    }
                                }
                                op::POP_JUMP_BACKWARD_IF_TRUE => {
                                    if cond {
                                        pc = pc.sub(to);
                                        eval_breaker!();
                                    }
                                }
                                _ => {
                                    pc = pc.sub(1);
                                    push!(bool_obj(cond).into_raw());
                                }
                            }
                            next!();
                        }
                        op::IS_OP => {
                            let b = pop!();
                            let a = pop!();
                            let same = (a == b) == (arg == 0);
                            decref(a);
                            decref(b);
                            push!(bool_obj(same).into_raw());
                            next!();
                        }
                        op::CONTAINS_OP => {
                            let (a, b) = (peek!(2), peek!(1));
                            let res = r(b).contains_item(r(a));
                            sp = sp.sub(2);
                            decref(a);
                            decref(b);
                            let found = check!(res);
                            push!(bool_obj(found == (arg == 0)).into_raw());
                            next!();
                        }

                        // ---- Jumps ----
                        op::EXTENDED_ARG => {
                            let w = *pc;
                            (*frame).prev_instr = pc;
                            pc = pc.add(1);
                            arg = arg << 8 | (w >> 8) as usize;
                            opcode = w as u8;
                            continue 'redo;
                        }
                        op::JUMP_FORWARD => {
                            pc = pc.add(arg);
                            next!();
                        }
                        op::JUMP_BACKWARD => {
                            loop_back!();
                            next!();
                        }
                        quick::JIT_LOOP => {
                            enter_loop!();
                            next!();
                        }
                        op::JUMP_BACKWARD_NO_INTERRUPT => {
                            pc = pc.sub(arg);
                            next!();
                        }
                        op::POP_JUMP_FORWARD_IF_FALSE => {
                            let v = pop!();
                            let t = truth!(v);
                            decref(v);
                            jump_if!(!t, pc.add(arg));
                            next!();
                        }
                        op::POP_JUMP_FORWARD_IF_TRUE => {
                            let v = pop!();
                            let t = truth!(v);
                            decref(v);
                            jump_if!(t, pc.add(arg));
                            next!();
                        }
                        op::POP_JUMP_BACKWARD_IF_FALSE => {
                            let v = pop!();
                            let t = truth!(v);
                            decref(v);
                            if !t {
                                loop_back!();
                            }
                            next!();
                        }
                        quick::JIT_WHILE_FALSE => {
                            let v = pop!();
                            let t = truth!(v);
                            decref(v);
                            if !t {
                                enter_loop!();
                            }
                            next!();
                        }
                        op::POP_JUMP_BACKWARD_IF_TRUE => {
                            let v = pop!();
                            let t = truth!(v);
                            decref(v);
                            if t {
                                loop_back!();
                            }
                            next!();
                        }
                        quick::JIT_WHILE_TRUE => {
                            let v = pop!();
                            let t = truth!(v);
                            decref(v);
                            if t {
                                enter_loop!();
                            }
                            next!();
                        }
                        op::POP_JUMP_FORWARD_IF_NONE | op::POP_JUMP_FORWARD_IF_NOT_NONE => {
                            let v = pop!();
                            let is_none = r(v).is_none();
                            decref(v);
                            jump_if!(is_none == (opcode == op::POP_JUMP_FORWARD_IF_NONE), pc.add(arg));
                            next!();
                        }
                        op::POP_JUMP_BACKWARD_IF_NONE | op::POP_JUMP_BACKWARD_IF_NOT_NONE => {
                            let v = pop!();
                            let is_none = r(v).is_none();
                            decref(v);
                            if is_none == (opcode == op::POP_JUMP_BACKWARD_IF_NONE) {
                                loop_back!();
                            }
                            next!();
                        }
                        quick::JIT_WHILE_NONE | quick::JIT_WHILE_NOT_NONE => {
                            let v = pop!();
                            let is_none = r(v).is_none();
                            decref(v);
                            if is_none == (opcode == quick::JIT_WHILE_NONE) {
                                enter_loop!();
                            }
                            next!();
                        }
                        op::JUMP_IF_FALSE_OR_POP => {
                            if truth!(peek!(1)) {
                                decref(pop!());
                            } else {
                                pc = pc.add(arg);
                            }
                            next!();
                        }
                        op::JUMP_IF_TRUE_OR_POP => {
                            if truth!(peek!(1)) {
                                pc = pc.add(arg);
                            } else {
                                decref(pop!());
                            }
                            next!();
                        }
                        op::GET_ITER => {
                            let v = pop!();
                            let it = raw(r(v).iterator());
                            decref(v);
                            push_checked!(it);
                        }
                        op::GET_YIELD_FROM_ITER => {
                            let v = peek!(1);
                            let it = check!(ops::yield_from_iter(frame, r(v)));
                            peek!(1) = it.into_raw();
                            decref(v);
                            next!();
                        }
                        op::FOR_ITER => {
                            let it = peek!(1);
                            let t = (*it).ob_type;
                            let v = if t == crate::iters::range_iter_type() {
                                crate::iters::range_next(it)
                            } else if t == crate::iters::list_iter_type() {
                                crate::iters::list_next(it)
                            } else {
                                ((*t).tp_iternext.unwrap_unchecked())(it)
                            };
                            if !v.is_null() {
                                push!(v);
                                next!();
                            }
                            if !(*ts).curexc_type.is_null() {
                                if !lh_runtime::errors::matches(exc::StopIteration()) {
                                    error!();
                                }
                                if *tracing_flag != 0 && (*ts).c_tracefunc.is_some() {
                                    save_sp!();
                                    trace::exception(ts, frame);
                                    (*frame).stacktop = -1;
                                }
                                clear();
                            }
                            sp = sp.sub(1);
                            decref(it);
                            pc = pc.add(arg);
                            next!();
                        }

                        // ---- Attributes ----
                        op::LOAD_ATTR => {
                            adaptive!(specialize::load_attr);
                            let o = peek!(1);
                            let res = ops::get_attr(o, *names.add(arg));
                            if res.is_null() {
                                error!();
                            }
                            peek!(1) = res;
                            decref(o);
                            pc = pc.add(4);
                            next!();
                        }
                        quick::LOAD_ATTR_VALUE => {
                            let o = peek!(1);
                            let v = specialize::instance_value(o, pc);
                            if v.is_null() {
                                miss!(op::LOAD_ATTR);
                            }
                            incref(v);
                            peek!(1) = v;
                            decref(o);
                            pc = pc.add(4);
                            next!();
                        }
                        quick::LOAD_ATTR_SLOT => {
                            let o = peek!(1);
                            if (*(*o).ob_type).tp_version_tag != specialize::read_u32(pc.add(1)) {
                                miss!(op::LOAD_ATTR);
                            }
                            let v = *o.cast::<u8>().add(*pc.add(3) as usize).cast::<*mut PyObject>();
                            if v.is_null() {
                                miss!(op::LOAD_ATTR);
                            }
                            incref(v);
                            peek!(1) = v;
                            decref(o);
                            pc = pc.add(4);
                            next!();
                        }
                        quick::LOAD_ATTR_MODULE => {
                            let o = peek!(1);
                            if !exact::<Module>(o) {
                                miss!(op::LOAD_ATTR);
                            }
                            let d = (*o.cast::<PyModuleObject>()).md_dict;
                            let v = specialize::cached_global(d, pc.add(1), *pc.add(3));
                            if v.is_null() {
                                miss!(op::LOAD_ATTR);
                            }
                            incref(v);
                            peek!(1) = v;
                            decref(o);
                            pc = pc.add(4);
                            next!();
                        }
                        op::STORE_ATTR => {
                            adaptive!(specialize::store_attr);
                            let (v, o) = (peek!(2), peek!(1));
                            let res = r(o).set_attr(r(*names.add(arg)).downcast_unchecked::<Str>(), r(v));
                            sp = sp.sub(2);
                            decref(v);
                            decref(o);
                            pc = pc.add(4);
                            check!(res);
                            next!();
                        }
                        quick::STORE_ATTR_VALUE => {
                            let (v, o) = (peek!(2), peek!(1));
                            let place = specialize::instance_place(o, pc);
                            if place.is_null() {
                                miss!(op::STORE_ATTR);
                            }
                            let old = std::mem::replace(&mut *place, v);
                            sp = sp.sub(2);
                            pc = pc.add(4);
                            decref(old);
                            decref(o);
                            next!();
                        }
                        quick::STORE_ATTR_SLOT => {
                            let (v, o) = (peek!(2), peek!(1));
                            if (*(*o).ob_type).tp_version_tag != specialize::read_u32(pc.add(1)) {
                                miss!(op::STORE_ATTR);
                            }
                            let place = o.cast::<u8>().add(*pc.add(3) as usize).cast::<*mut PyObject>();
                            let old = std::mem::replace(&mut *place, v);
                            sp = sp.sub(2);
                            pc = pc.add(4);
                            xdecref(old);
                            decref(o);
                            next!();
                        }
                        op::DELETE_ATTR => {
                            let o = pop!();
                            let res = r(o).del_attr(r(*names.add(arg)).downcast_unchecked::<Str>());
                            decref(o);
                            check!(res);
                            next!();
                        }
                        op::LOAD_METHOD => {
                            adaptive!(specialize::load_method);
                            let o = peek!(1);
                            let (m, unbound) = ops::get_method(o, *names.add(arg));
                            if m.is_null() {
                                error!();
                            }
                            if unbound {
                                peek!(1) = m;
                                push!(o);
                            } else {
                                peek!(1) = null_mut();
                                push!(m);
                                decref(o);
                            }
                            pc = pc.add(10);
                            next!();
                        }
                        quick::LOAD_METHOD_PLAIN | quick::LOAD_METHOD_VALUES | quick::LOAD_METHOD_DICT => {
                            let o = peek!(1);
                            let m = specialize::cached_method(opcode, o, pc);
                            if m.is_null() {
                                miss!(op::LOAD_METHOD);
                            }
                            incref(m);
                            peek!(1) = m;
                            push!(o);
                            pc = pc.add(10);
                            next!();
                        }
                        quick::LOAD_METHOD_CLASS => {
                            let o = peek!(1);
                            if (*(*o).ob_type).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS == 0
                                || (*o.cast::<PyTypeObject>()).tp_version_tag
                                    != specialize::read_u32(pc.add(1))
                            {
                                miss!(op::LOAD_METHOD);
                            }
                            let m = specialize::read_ptr(pc.add(6));
                            incref(m);
                            peek!(1) = null_mut();
                            push!(m);
                            decref(o);
                            pc = pc.add(10);
                            next!();
                        }
                        quick::LOAD_METHOD_MODULE
                        | quick::LOAD_METHOD_BOUND
                        | quick::LOAD_METHOD_CLASS_BOUND => miss!(op::LOAD_METHOD),

                        // ---- Calls ----
                        op::KW_NAMES => {
                            kwnames = *consts.add(arg);
                            next!();
                        }
                        op::PRECALL => {
                            adaptive!(specialize::precall);
                            // A bound method gives its two parts to the stack.
                            if peek!(arg + 2).is_null() {
                                let m = peek!(arg + 1);
                                if exact::<Method>(m) {
                                    let mo = m.cast::<PyMethodObject>();
                                    incref((*mo).im_func);
                                    incref((*mo).im_self);
                                    peek!(arg + 2) = (*mo).im_func;
                                    peek!(arg + 1) = (*mo).im_self;
                                    decref(m);
                                }
                            }
                            pc = pc.add(1);
                            next!();
                        }
                        op::CALL => {
                            let is_method = !peek!(arg + 2).is_null();
                            let total = arg + is_method as usize;
                            let callee = peek!(total + 1);
                            let kw = std::mem::replace(&mut kwnames, null_mut());
                            let n = total - bind::kw_count(kw);
                            pc = pc.add(4);
                            if exact::<Function>(callee)
                                && (*callee.cast::<PyFunctionObject>()).vectorcall.map(|f| f as usize)
                                    == Some(bind::function_vectorcall as *const () as usize)
                            {
                                let func = callee.cast::<PyFunctionObject>();
                                let mut loc = null_mut();
                                if (*(*func).func_code.cast::<PyCodeObject>()).co_flags & CO_OPTIMIZED == 0 {
                                    loc = (*func).func_globals;
                                    incref(loc);
                                }
                                let f = bind::frame_for_call(ts, func, loc, sp.sub(total), n, kw);
                                sp = sp.sub(arg + 2);
                                enter_frame!(f);
                            }
                            let args = sp.sub(total);
                            let nf = n | PY_VECTORCALL_ARGUMENTS_OFFSET;
                            let res = if *tracing_flag == 0 {
                                ops::vectorcall(callee, args, nf, kw)
                            } else {
                                save_sp!();
                                let res = trace::call_native(ts, frame, callee, args, nf, kw);
                                (*frame).stacktop = -1;
                                res
                            };
                            for i in 0..total {
                                decref(*args.add(i));
                            }
                            decref(callee);
                            sp = sp.sub(arg + 2);
                            if res.is_null() {
                                error!();
                            }
                            push!(res);
                            eval_breaker!();
                            next!();
                        }
                        quick::PRECALL_PY | quick::PRECALL_PY_BOUND => {
                            let callee;
                            let total;
                            if opcode == quick::PRECALL_PY {
                                let is_method = !peek!(arg + 2).is_null();
                                total = arg + is_method as usize;
                                callee = peek!(total + 1);
                            } else {
                                let m = peek!(arg + 1);
                                if !peek!(arg + 2).is_null() || !exact::<Method>(m) {
                                    miss!(op::PRECALL);
                                }
                                total = arg + 1;
                                callee = (*m.cast::<PyMethodObject>()).im_func;
                            }
                            if !exact::<Function>(callee)
                                || (*callee.cast::<PyFunctionObject>()).func_version
                                    != specialize::read_u32(pc.add(3))
                                || *tracing_flag != 0
                            {
                                miss!(op::PRECALL);
                            }
                            let func = callee.cast::<PyFunctionObject>();
                            if opcode == quick::PRECALL_PY_BOUND {
                                let m = peek!(arg + 1);
                                let mo = m.cast::<PyMethodObject>();
                                incref((*mo).im_func);
                                incref((*mo).im_self);
                                peek!(arg + 2) = (*mo).im_func;
                                peek!(arg + 1) = (*mo).im_self;
                                decref(m);
                            }
                            // Behind PRECALL's cache unit, the CALL and its four.
                            pc = pc.add(6);
                            let code = (*func).func_code.cast::<PyCodeObject>();
                            let nf = frame::push_words(ts, frame::frame_words(code)).cast::<Frame>();
                            if nf.is_null() {
                                error!();
                            }
                            frame::init(nf, func, null_mut(), code);
                            let l = frame::localsplus(nf);
                            let args = sp.sub(total);
                            for i in 0..total {
                                *l.add(i) = *args.add(i);
                            }
                            // Missing trailing arguments come from the defaults.
                            let argcount = (*code).co_argcount as usize;
                            if total < argcount {
                                let d = (*func).func_defaults.cast::<PyTupleObject>();
                                let nd = (*d).ob_base.ob_size as usize;
                                let items = (&raw const (*d).ob_item).cast::<*mut PyObject>();
                                for i in total..argcount {
                                    let v = *items.add(i + nd - argcount);
                                    incref(v);
                                    *l.add(i) = v;
                                }
                            }
                            for i in argcount..(*code).co_nlocalsplus as usize {
                                *l.add(i) = null_mut();
                            }
                            sp = sp.sub(arg + 2);
                            enter_frame!(nf);
                        }
                        quick::PRECALL_BUILTIN_O
                        | quick::PRECALL_BUILTIN_FAST
                        | quick::PRECALL_METHOD_O
                        | quick::PRECALL_METHOD_NOARGS
                        | quick::PRECALL_METHOD_FAST
                        | quick::PRECALL_TYPE_1
                        | quick::PRECALL_LEN
                        | quick::PRECALL_ISINSTANCE
                        | quick::PRECALL_LIST_APPEND
                        | quick::PRECALL_CLASS => {
                            if *tracing_flag != 0 {
                                opcode = op::PRECALL;
                                continue 'redo;
                            }
                            let is_method = !peek!(arg + 2).is_null();
                            let total = arg + is_method as usize;
                            let callee = peek!(total + 1);
                            let args = sp.sub(total);
                            let Some(res) = specialize::quick_call(opcode, callee, args, total, kwnames, pc)
                            else {
                                miss!(op::PRECALL);
                            };
                            kwnames = null_mut();
                            pc = pc.add(6);
                            for i in 0..total {
                                decref(*args.add(i));
                            }
                            decref(callee);
                            sp = sp.sub(arg + 2);
                            if res.is_null() {
                                error!();
                            }
                            push!(res);
                            eval_breaker!();
                            next!();
                        }
                        op::CALL_FUNCTION_EX => {
                            let kwargs = if arg & 1 != 0 { pop!() } else { null_mut() };
                            let args = pop!();
                            let callee = peek!(1);
                            match ops::prepare_call_ex(callee, args, kwargs) {
                                Err(_) => error!(),
                                Ok((args, kwargs)) => {
                                    if ops::is_python_call(callee) && *tracing_flag == 0 {
                                        sp = sp.sub(2);
                                        let f = ops::frame_for_call_ex(ts, callee, &args, kwargs.as_deref());
                                        drop(args);
                                        drop(kwargs);
                                        enter_frame!(f);
                                    }
                                    let res = if *tracing_flag == 0 {
                                        raw(r(callee).call_tuple(&args, kwargs.as_deref()))
                                    } else {
                                        save_sp!();
                                        let res = trace::call_native_ex(
                                            ts,
                                            frame,
                                            callee,
                                            &args,
                                            kwargs.as_deref(),
                                        );
                                        (*frame).stacktop = -1;
                                        res
                                    };
                                    drop(args);
                                    drop(kwargs);
                                    sp = sp.sub(2);
                                    decref(callee);
                                    if res.is_null() {
                                        error!();
                                    }
                                    push!(res);
                                    eval_breaker!();
                                    next!();
                                }
                            }
                        }
                        op::MAKE_FUNCTION => {
                            let code = pop!();
                            let f = Function::new(r(code).downcast_unchecked(), r((*frame).globals), None);
                            decref(code);
                            let f = check!(f);
                            if arg & 8 != 0 {
                                let c = Owned::<Tuple>::from_raw(pop!());
                                f.set_closure(Some(&c));
                            }
                            if arg & 4 != 0 {
                                let a = Owned::<Object>::from_raw(pop!());
                                f.set_annotations(Some(&a));
                            }
                            if arg & 2 != 0 {
                                let d = Owned::<Object>::from_raw(pop!());
                                f.set_kwdefaults(Some(&d));
                            }
                            if arg & 1 != 0 {
                                let d = Owned::<Tuple>::from_raw(pop!());
                                f.set_defaults(Some(&d));
                            }
                            push!(f.into_raw());
                            next!();
                        }
                        op::RESUME => {
                            if arg < 2 {
                                eval_breaker!();
                                if arg == 0 && jit::count_call((*frame).code) {
                                    save_sp!();
                                    (*frame).prev_instr = pc.sub(1);
                                    match jit::hot_function(ts, frame, pc.sub(1)) {
                                        Enter::Stay => (*frame).stacktop = -1,
                                        other => jit_result!(other),
                                    }
                                }
                            }
                            next!();
                        }
                        quick::JIT_RESUME => {
                            eval_breaker!();
                            save_sp!();
                            (*frame).prev_instr = pc.sub(1);
                            jit_result!(jit::enter(ts, frame, pc.sub(1)));
                            (*frame).stacktop = -1;
                            next!();
                        }
                        op::RETURN_VALUE => {
                            let v = pop!();
                            save_sp!();
                            if *tracing_flag != 0 && trace::returning(ts, frame, v).is_err() {
                                decref(v);
                                // The frame is left with the tracer's exception.
                                break 'exec Why::Leave;
                            }
                            break 'exec Why::Return(v);
                        }

                        // ---- Generators and coroutines ----
                        op::RETURN_GENERATOR => {
                            save_sp!();
                            let g = generator::make(ts, frame);
                            if g.is_null() {
                                (*frame).stacktop = -1;
                                error!();
                            }
                            (*ts).recursion_remaining += 1;
                            let prev = (*frame).previous;
                            let flags = (*frame).flags;
                            frame::pop_words(ts, frame.cast());
                            let is_entry = flags & frame::ENTRY != 0;
                            if is_entry {
                                (*ts).cframe = prev_cframe;
                                (*prev_cframe).use_tracing = (*cframe).use_tracing;
                            }
                            if flags & frame::WATCHED != 0 {
                                jit::watched_frame_left();
                            }
                            if is_entry {
                                return g;
                            }
                            (*cframe).current_frame = prev.cast();
                            frame = prev;
                            load_frame!();
                            push!(g);
                            next!();
                        }
                        op::YIELD_VALUE => {
                            let v = pop!();
                            save_sp!();
                            let g = generator::of_frame(frame);
                            if *tracing_flag != 0 && trace::returning(ts, frame, v).is_err() {
                                decref(v);
                                (*frame).stacktop = -1;
                                break 'exec Why::Unwind;
                            }
                            (*g).gi_frame_state = generator::SUSPENDED;
                            (*ts).exc_info = (*g).gi_exc_state.previous_item;
                            (*g).gi_exc_state.previous_item = null_mut();
                            (*ts).recursion_remaining += 1;
                            let prev = (*frame).previous;
                            (*frame).previous = null_mut();
                            let watched = (*frame).flags & frame::WATCHED != 0;
                            (*frame).flags &= !frame::WATCHED;
                            if (*frame).flags & frame::ENTRY == 0 {
                                (*cframe).current_frame = prev.cast();
                                frame = prev;
                                load_frame!();
                                push!(v);
                                if watched {
                                    jit::watched_frame_left();
                                }
                                next!();
                            }
                            (*ts).cframe = prev_cframe;
                            (*prev_cframe).use_tracing = (*cframe).use_tracing;
                            if watched {
                                jit::watched_frame_left();
                            }
                            return v;
                        }
                        op::SEND => {
                            let v = pop!();
                            let receiver = peek!(1);
                            let res = if tracing != 0 && (*ts).c_tracefunc.is_some() {
                                save_sp!();
                                let res =
                                    ops::send_to_iterator(r(receiver), r(v), || trace::exception(ts, frame));
                                (*frame).stacktop = -1;
                                res
                            } else {
                                ops::iter_send(r(receiver), r(v))
                            };
                            decref(v);
                            match check!(res) {
                                generator::Sent::Yielded(v) => push!(v.into_raw()),
                                generator::Sent::Returned(v) => {
                                    peek!(1) = v.into_raw();
                                    decref(receiver);
                                    pc = pc.add(arg);
                                }
                            }
                            next!();
                        }
                        op::ASYNC_GEN_WRAP => {
                            let v = pop!();
                            push!(asyncgen::wrap(v));
                            next!();
                        }
                        op::GET_AWAITABLE => {
                            let v = peek!(1);
                            let it = check!(ops::get_awaitable(r(v), arg));
                            peek!(1) = it.into_raw();
                            decref(v);
                            next!();
                        }
                        op::GET_AITER => {
                            let v = peek!(1);
                            let it = check!(ops::get_aiter(r(v)));
                            peek!(1) = it.into_raw();
                            decref(v);
                            next!();
                        }
                        op::GET_ANEXT => push_checked!(raw(ops::get_anext(r(peek!(1))))),
                        op::END_ASYNC_FOR => {
                            let e = pop!();
                            if given_matches(r(e), exc::StopAsyncIteration()) {
                                decref(e);
                                decref(pop!());
                                next!();
                            }
                            ops::restore_exception(e);
                            break 'exec Why::Unwind;
                        }

                        // ---- Exceptions ----
                        op::RAISE_VARARGS => {
                            let cause = if arg == 2 { Owned::<Object>::from_raw_opt(pop!()) } else { None };
                            let e = if arg >= 1 { Owned::<Object>::from_raw_opt(pop!()) } else { None };
                            if ops::raise_stmt(ts, e, cause) {
                                // A bare `raise`: the traceback is there already.
                                break 'exec Why::Unwind;
                            }
                            error!();
                        }
                        op::RERAISE => {
                            if arg != 0 {
                                let lasti = r(peek!(arg + 1)).downcast::<Int>().and_then(|i| i.to_i64());
                                if let Some(l) = lasti {
                                    (*frame).prev_instr =
                                        frame::first_instr((*frame).code).offset(l as isize);
                                }
                            }
                            let e = pop!();
                            ops::restore_exception(e);
                            break 'exec Why::Unwind;
                        }
                        op::PUSH_EXC_INFO => {
                            let e = pop!();
                            let info = (*ts).exc_info;
                            let old = (*info).exc_value;
                            push!(if old.is_null() { none().into_raw() } else { old });
                            incref(e);
                            (*info).exc_value = e;
                            push!(e);
                            next!();
                        }
                        op::POP_EXCEPT => {
                            let e = pop!();
                            let info = (*ts).exc_info;
                            xdecref(std::mem::replace(&mut (*info).exc_value, e));
                            next!();
                        }
                        op::CHECK_EXC_MATCH => {
                            let right = peek!(1);
                            check!(ops::check_catchable(r(right)));
                            let m = given_matches(r(peek!(2)), r(right));
                            sp = sp.sub(1);
                            decref(right);
                            push!(bool_obj(m).into_raw());
                            next!();
                        }
                        op::CHECK_EG_MATCH => {
                            let right = Owned::<Object>::from_raw(pop!());
                            let e = peek!(1);
                            let (matched, rest) = check!(ops::group_match(r(e), &right));
                            if !matched.is_none() {
                                let info = (*ts).exc_info;
                                let old =
                                    std::mem::replace(&mut (*info).exc_value, matched.clone().into_raw());
                                xdecref(old);
                                peek!(1) = rest.into_raw();
                                decref(e);
                            }
                            push!(matched.into_raw());
                            next!();
                        }
                        op::PREP_RERAISE_STAR => {
                            let excs = Owned::<Object>::from_raw(pop!());
                            let orig = peek!(1);
                            let v = check!(ops::prep_reraise_star(r(orig), &excs));
                            peek!(1) = v.into_raw();
                            decref(orig);
                            next!();
                        }
                        op::LOAD_ASSERTION_ERROR => {
                            push!(exc::AssertionError().own().into_raw());
                            next!();
                        }
                        op::BEFORE_WITH | op::BEFORE_ASYNC_WITH => {
                            let mgr = peek!(1);
                            let (enter, exit) =
                                check!(ops::before_with(r(mgr), opcode == op::BEFORE_ASYNC_WITH));
                            peek!(1) = exit.into_raw();
                            decref(mgr);
                            push_checked!(raw(enter.call0()));
                        }
                        op::WITH_EXCEPT_START => {
                            let exit = peek!(4);
                            push_checked!(raw(ops::with_except(r(exit), r(peek!(1)))));
                        }

                        // ---- Building ----
                        op::BUILD_TUPLE => {
                            let t = Tuple::build(arg, |i| *sp.sub(arg).add(i));
                            let t = check!(t);
                            sp = sp.sub(arg);
                            push!(t.into_raw());
                            next!();
                        }
                        op::BUILD_LIST => {
                            let l = ops::build_list(sp.sub(arg), arg);
                            sp = sp.sub(arg);
                            push!(l);
                            next!();
                        }
                        op::BUILD_SET => {
                            let s = ops::build_set(sp.sub(arg), arg);
                            sp = sp.sub(arg);
                            push_checked!(raw(s));
                        }
                        op::BUILD_MAP => {
                            let d = ops::build_map(sp.sub(2 * arg), arg);
                            for i in 0..2 * arg {
                                decref(*sp.sub(2 * arg).add(i));
                            }
                            sp = sp.sub(2 * arg);
                            push_checked!(raw(d));
                        }
                        op::BUILD_CONST_KEY_MAP => {
                            let keys = Owned::<Tuple>::from_raw(pop!());
                            let d = Dict::new();
                            let mut failed = false;
                            for i in 0..arg {
                                if d.set_item(keys.item_ref(i), r(*sp.sub(arg).add(i))).is_err() {
                                    failed = true;
                                    break;
                                }
                            }
                            for i in 0..arg {
                                decref(*sp.sub(arg).add(i));
                            }
                            sp = sp.sub(arg);
                            if failed {
                                error!();
                            }
                            push!(d.into_raw());
                            next!();
                        }
                        op::BUILD_STRING => {
                            let s = ops::build_string(sp.sub(arg), arg);
                            for i in 0..arg {
                                decref(*sp.sub(arg).add(i));
                            }
                            sp = sp.sub(arg);
                            push_checked!(raw(s));
                        }
                        op::BUILD_SLICE => {
                            let step = if arg == 3 { pop!() } else { none().into_raw() };
                            let stop = pop!();
                            let start = pop!();
                            let s = Slice::new(r(start), r(stop), r(step));
                            decref(start);
                            decref(stop);
                            decref(step);
                            push!(s.into_raw());
                            next!();
                        }
                        op::FORMAT_VALUE => {
                            let spec =
                                if arg & 4 != 0 { Owned::<Object>::from_raw_opt(pop!()) } else { None };
                            let v = Owned::<Object>::from_raw(pop!());
                            push_checked!(raw(ops::format_value(v, arg & 3, spec)));
                        }
                        op::LIST_APPEND => {
                            let v = Owned::<Object>::from_raw(pop!());
                            check!(r(peek!(arg)).downcast_unchecked::<List>().try_push(v));
                            next!();
                        }
                        op::SET_ADD => {
                            let v = Owned::<Object>::from_raw(pop!());
                            check!(r(peek!(arg)).downcast_unchecked::<Set>().add(&v));
                            next!();
                        }
                        op::MAP_ADD => {
                            let v = Owned::<Object>::from_raw(pop!());
                            let k = Owned::<Object>::from_raw(pop!());
                            check!(r(peek!(arg)).downcast_unchecked::<Dict>().set_item(&k, &v));
                            next!();
                        }
                        op::LIST_EXTEND => {
                            let v = Owned::<Object>::from_raw(pop!());
                            check!(ops::list_extend(r(peek!(arg)).downcast_unchecked::<List>(), &v));
                            next!();
                        }
                        op::SET_UPDATE => {
                            let v = Owned::<Object>::from_raw(pop!());
                            check!(r(peek!(arg)).downcast_unchecked::<Set>().any().update(&v));
                            next!();
                        }
                        op::DICT_UPDATE => {
                            let v = Owned::<Object>::from_raw(pop!());
                            check!(ops::dict_update(r(peek!(arg)).downcast_unchecked::<Dict>(), &v));
                            next!();
                        }
                        op::DICT_MERGE => {
                            let v = Owned::<Object>::from_raw(pop!());
                            let d = r(peek!(arg)).downcast_unchecked::<Dict>();
                            check!(ops::dict_merge(d, &v, r(peek!(arg + 2))));
                            next!();
                        }
                        op::LIST_TO_TUPLE => {
                            let l = pop!();
                            let t = r(l).downcast_unchecked::<List>().to_tuple();
                            decref(l);
                            push!(t.into_raw());
                            next!();
                        }
                        op::UNPACK_SEQUENCE => {
                            let v = pop!();
                            pc = pc.add(1);
                            if exact::<Tuple>(v) && (*v.cast::<PyVarObject>()).ob_size as usize == arg {
                                let items =
                                    (&raw mut (*v.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>();
                                for i in (0..arg).rev() {
                                    let x = *items.add(i);
                                    incref(x);
                                    push!(x);
                                }
                                decref(v);
                                next!();
                            }
                            let items = ops::unpack(r(v), arg, None);
                            decref(v);
                            for x in check!(items).into_iter().rev() {
                                push!(x.into_raw());
                            }
                            next!();
                        }
                        op::UNPACK_EX => {
                            let v = pop!();
                            let items = ops::unpack(r(v), arg & 0xff, Some(arg >> 8));
                            decref(v);
                            for x in check!(items).into_iter().rev() {
                                push!(x.into_raw());
                            }
                            next!();
                        }

                        // ---- Imports, classes, patterns ----
                        op::IMPORT_NAME => {
                            let from = Owned::<Object>::from_raw(pop!());
                            let level = Owned::<Object>::from_raw(pop!());
                            push_checked!(raw(ops::import_name(frame, r(*names.add(arg)), &from, &level)));
                        }
                        op::IMPORT_FROM => {
                            push_checked!(raw(ops::import_from(r(peek!(1)), r(*names.add(arg)))))
                        }
                        op::IMPORT_STAR => {
                            let m = Owned::<Object>::from_raw(pop!());
                            check!(ops::import_star(frame, &m));
                            next!();
                        }
                        op::LOAD_BUILD_CLASS => push_checked!(raw(ops::load_build_class(frame))),
                        op::SETUP_ANNOTATIONS => {
                            check!(ops::setup_annotations(frame));
                            next!();
                        }
                        op::PRINT_EXPR => {
                            let v = Owned::<Object>::from_raw(pop!());
                            check!(ops::print_expr(&v));
                            next!();
                        }
                        op::GET_LEN => {
                            let n = check!(r(peek!(1)).length());
                            push!(Int::from_usize(n).into_raw());
                            next!();
                        }
                        op::MATCH_MAPPING | op::MATCH_SEQUENCE => {
                            let flag = if opcode == op::MATCH_MAPPING {
                                Py_TPFLAGS_MAPPING
                            } else {
                                Py_TPFLAGS_SEQUENCE
                            };
                            let yes = (*(*peek!(1)).ob_type).tp_flags & flag != 0;
                            push!(bool_obj(yes).into_raw());
                            next!();
                        }
                        op::MATCH_KEYS => push_checked!(raw(ops::match_keys(r(peek!(2)), r(peek!(1))))),
                        op::MATCH_CLASS => {
                            let attr_names = Owned::<Object>::from_raw(pop!());
                            let class = Owned::<Object>::from_raw(pop!());
                            let subject = Owned::<Object>::from_raw(pop!());
                            push_checked!(raw(ops::match_class(&subject, &class, arg, &attr_names)));
                        }

                        // ---- Tracing and recording ----
                        quick::TRACED => {
                            // `prev_instr` is this instruction; the one before is what the line tracer compares with.
                            pc = pc.sub(1);
                            save_sp!();
                            let res = trace::before_instruction(ts, frame, pc);
                            sp = locals.add((*frame).stacktop as usize);
                            (*frame).stacktop = -1;
                            let entered = jit::take_entered();
                            if !entered.is_null() {
                                (*frame).stacktop = sp.offset_from(locals) as i32;
                                (*entered).previous = frame;
                                (*cframe).current_frame = entered.cast();
                                frame = entered;
                                break 'exec Why::Start;
                            }
                            pc = (*frame).prev_instr;
                            let w = *pc;
                            pc = pc.add(1);
                            check!(res);
                            arg = (w >> 8) as usize;
                            opcode = w as u8;
                            // While tracing every call runs in its plain form.
                            opcode = trace::plain(opcode);
                            continue 'redo;
                        }
                        _ => {
                            let _ = raised!(SystemError, "unknown opcode {}", opcode);
                            error!();
                        }
                    }
                }
            };
        }
    }
}
