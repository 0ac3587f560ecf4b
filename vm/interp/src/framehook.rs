//! The frame evaluation function (PEP 523): an extension puts one of its own in the evaluation loop's place.
//!
//! While one is installed, `use_tracing` has a bit that sends the first instruction of every frame to `eval::slow`, which gives the
//! whole frame to the function instead and returns what that answers. A function that wants the frame run as usual calls
//! `_PyEval_EvalFrameDefault`, which is `evaluate_default`. Only beginnings are given: a generator that goes on does so in the loop.

use crate::frame::{self, Frame};
use crate::prelude::*;
use core::ffi::c_int;
use lh_runtime::thread::{self, RECORDING};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

pub type EvalFrame = unsafe extern "C" fn(*mut PyThreadState, *mut Frame, c_int) -> *mut PyObject;

static mut HOOK: Option<EvalFrame> = None;
/// The frame that `evaluate_default` is about to run: it has been given already.
static GIVEN: AtomicPtr<Frame> = AtomicPtr::new(null_mut());

/// What evaluates frames in the loop's place.
pub fn installed() -> Option<EvalFrame> {
    // SAFETY: only changed with the GIL held.
    unsafe { HOOK }
}

/// Puts a function in the loop's place; `None`: the loop itself.
pub fn install(hook: Option<EvalFrame>) {
    // SAFETY: the GIL is held, so no thread's cframes change.
    unsafe { HOOK = hook };
    thread::set_evaluated(hook.is_some());
    thread::for_each(|ts| {
        // SAFETY: as above.
        unsafe {
            let cframe = (*ts).cframe;
            if !cframe.is_null() && (*cframe).use_tracing != RECORDING {
                (*cframe).use_tracing = thread::tracing_mask(ts);
            }
        }
    });
}

/// Is a frame that stands at its first instruction to be given to the function?
pub fn is_due(f: *mut Frame) -> bool {
    installed().is_some() && GIVEN.load(Ordering::Relaxed) != f
}

/// Gives a frame, whose `stacktop` is set, to the function. Afterwards it has only to be cleared. Null: it raised.
pub unsafe fn give(ts: *mut PyThreadState, f: *mut Frame) -> *mut PyObject {
    // SAFETY: the innermost frame of the thread, before its first instruction; who evaluates it links it anew.
    unsafe {
        let Some(hook) = installed() else { return null_mut() };
        let (cframe, previous, flags) = ((*ts).cframe, (*f).previous, (*f).flags);
        (*f).prev_instr = frame::first_instr((*f).code).sub(1);
        (*cframe).current_frame = previous.cast();
        let v = hook(ts, f, 0);
        (*cframe).current_frame = f.cast();
        (*f).previous = previous;
        (*f).flags = flags;
        v
    }
}

/// `_PyEval_EvalFrameDefault`: runs a frame in the loop. What it owns but for function and code is gone afterwards; the frame itself stays
/// its owner's to clear, who may have made it himself.
pub unsafe fn evaluate_default(ts: *mut PyThreadState, f: *mut Frame, throwing: bool) -> *mut PyObject {
    // SAFETY: a whole frame that isn't linked into the thread's chain.
    unsafe {
        if (*f).owner == frame::OWNED_BY_GENERATOR {
            return crate::eval::run(ts, f, throwing);
        }
        // The loop clears and pops what it has run, so it gets another frame with the same contents.
        let g = frame::push_words(ts, frame::frame_words((*f).code)).cast::<Frame>();
        if g.is_null() {
            return null_mut();
        }
        frame::copy(f, g);
        // Others leave what they don't know unset.
        (*g).flags = 0;
        (*g).traced = 0;
        (*g).owner = frame::OWNED_BY_THREAD;
        if !(*g).frame_obj.is_null() {
            (*(*g).frame_obj).f_frame = g.cast();
        }
        incref((*f).func.cast());
        incref((*f).code.cast());
        (*f).frame_obj = null_mut();
        (*f).locals = null_mut();
        (*f).stacktop = 0;
        GIVEN.store(g, Ordering::Relaxed);
        let v = crate::eval::run(ts, g, throwing);
        GIVEN.store(null_mut(), Ordering::Relaxed);
        v
    }
}
