//! Forcing: somebody looks at a frame whose slots a running trace holds in registers and JIT frame.
//!
//! The interpreter's frame accessors ask `force` first; it writes the slots back from the call's snapshot and marks the activation,
//! whose trace then leaves right behind its call.

use crate::manager::state;
use lh_interp::frame::{self, Frame};
use lh_jit_ir::*;
use lh_runtime::thread::Thread;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many traces are running.
pub static ACTIVE: AtomicUsize = AtomicUsize::new(0);

/// Brings the frames of all running traces up to date: Python code is about to run inside a native call, or another thread
/// has taken the GIL from one that is in native code.
pub fn force_all() {
    if ACTIVE.load(Ordering::Relaxed) != 0 {
        let frames: Vec<*mut Frame> = state().active.iter().map(|a| a.frame).collect();
        frames.into_iter().for_each(force)
    }
}

/// Brings a frame's memory up to date.
pub fn force(f: *mut Frame) {
    if ACTIVE.load(Ordering::Relaxed) == 0 {
        return;
    }
    let s = state();
    let Some(a) = s.active.iter().rfind(|a| a.frame == f).copied() else { return };
    // SAFETY: the activation is inside a force-ready call: its call word and the values the snapshot names are in jf.
    unsafe {
        if *a.jf.add(jf::FORCED as usize / 8) != 0 {
            return;
        }
        let word = *a.jf.add(jf::CALL as usize / 8);
        let Some(call) = (word as u32 as usize).checked_sub(1) else { return };
        let tr: *const crate::manager::Compiled = &raw const *s.traces[(word >> 32) as usize];
        let tr: &'static crate::manager::Compiled = &*tr;
        let Some(site) = tr.calls.get(call) else { return };
        let snap = &tr.trace.snaps[site.snap as usize];
        let get = |v: Val| *a.jf.cast::<u8>().add(site.place(v) as usize).cast::<u64>();
        *a.jf.add(jf::FORCED as usize / 8) = 1;
        exec::restore(&tr.trace, snap, s.descs, Thread::current_ptr() as u64, &get);
        // A frame that has called stands at the end of its call.
        let called = (snap.frames.len() > 1) as usize;
        (*f).prev_instr = frame::first_instr((*f).code).add(snap.frames[0].pc as usize - called);
    }
}
