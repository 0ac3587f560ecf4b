//! Where a JIT takes part: a table of hooks, hot counters, and what the evaluation loop does with a hook's answer.
//!
//! ```text
//!   JUMP_BACKWARD / RESUME ──counter full──▶ hot_loop / hot_function ──▶ Enter
//!   JIT_LOOP / JIT_RESUME (put into co_code_adaptive by the JIT) ──▶ enter ──▶ Enter
//!   every instruction while `recording` ──▶ record
//! ```
//!
//! When a hook is called the frame is whole: `stacktop` is set and `prev_instr` is such that interpreting would go on with the
//! next unit. A hook that ran a trace leaves the frame it answers in the same state (`stacktop` set, `prev_instr` one unit before
//! the instruction to continue with), all frames above it popped. With the empty table nothing here costs more than a load.

use crate::frame::Frame;
use crate::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// What to do after a hook.
pub enum Enter {
    /// Go on interpreting as if nothing had happened.
    Stay,
    /// Go on in this frame, as its `prev_instr` and `stacktop` say.
    Continue(*mut Frame),
    /// The exception is set; this frame's instruction at `prev_instr` raised it.
    Raise(*mut Frame),
    /// This frame returns the value (a new reference).
    Leave(*mut Frame, *mut PyObject),
}

/// Installed by the JIT at start-up.
pub struct JitHooks {
    /// A loop's back edge was taken often: the instruction is a JUMP_BACKWARD whose target is about to run.
    pub hot_loop: unsafe fn(*mut PyThreadState, *mut Frame, *mut u16) -> Enter,
    /// A function was called often: the instruction is its RESUME.
    pub hot_function: unsafe fn(*mut PyThreadState, *mut Frame, *mut u16) -> Enter,
    /// A JIT_LOOP or JIT_RESUME instruction.
    pub enter: unsafe fn(*mut PyThreadState, *mut Frame, *mut u16) -> Enter,
    /// Before each instruction, while recording; the instruction is at the pointer, `stacktop` is set.
    pub record: unsafe fn(*mut PyThreadState, *mut Frame, *mut u16),
    /// `BREAK_JIT` was set.
    pub attend: fn(),
    /// The frame of a trace that is running right now.
    pub root: fn(*mut PyThreadState) -> Option<*mut Frame>,
}

static HOOKS: AtomicPtr<JitHooks> = AtomicPtr::new(std::ptr::null_mut());
static ON: AtomicBool = AtomicBool::new(false);
static RECORDING: AtomicBool = AtomicBool::new(false);
static ENTERED: AtomicPtr<Frame> = AtomicPtr::new(std::ptr::null_mut());
static PAUSED: AtomicBool = AtomicBool::new(false);
/// Are calls of functions counted?
static CALLS: AtomicBool = AtomicBool::new(false);
const SLOTS: usize = 1024;
static mut COUNTERS: [u16; SLOTS] = [0; SLOTS];
// A prime, so that short inner loops are not always met at the same iteration.
static mut LOOP_HOT: u16 = 307;
static mut CALL_HOT: u16 = 400;

/// Installs the hooks.
pub fn install(h: JitHooks) {
    HOOKS.store(Box::into_raw(Box::new(h)), Ordering::SeqCst);
    ON.store(true, Ordering::SeqCst);
}
/// The end of the program: nothing is counted, recorded or entered from now on.
pub fn uninstall() {
    ON.store(false, Ordering::SeqCst);
    CALLS.store(false, Ordering::SeqCst);
    set_recording(false);
    forget_pause();
    HOOKS.store(std::ptr::null_mut(), Ordering::SeqCst);
}
/// The innermost of the thread's frames that is sure to be whole while a trace may be running: what a trace inlined is left out.
pub fn whole_frame(ts: *mut PyThreadState) -> *mut Frame {
    let h = HOOKS.load(Ordering::Relaxed);
    // SAFETY: hooks live as long as the process; the caller's own thread state.
    unsafe {
        match if h.is_null() { None } else { ((*h).root)(ts) } {
            Some(f) => crate::frame::complete(f),
            None => crate::frame::current(ts),
        }
    }
}
/// Turns counting and entering on or off.
pub fn set_enabled(on: bool) {
    ON.store(on && !HOOKS.load(Ordering::SeqCst).is_null(), Ordering::SeqCst);
}
pub fn is_enabled() -> bool {
    ON.load(Ordering::Relaxed)
}
/// Makes functions that native code calls often hot, too.
pub fn count_calls(on: bool) {
    CALLS.store(on, Ordering::SeqCst);
}
pub fn set_thresholds(loop_hot: u16, call_hot: u16) {
    // SAFETY: only changed with the GIL held.
    unsafe {
        LOOP_HOT = loop_hot.max(1);
        CALL_HOT = call_hot.max(1);
    }
}
fn hooks() -> Option<&'static JitHooks> {
    // SAFETY: installed hooks live for ever.
    unsafe { HOOKS.load(Ordering::Relaxed).as_ref() }
}

/// Routes every instruction of the current thread through `record` (or stops that).
pub fn set_recording(on: bool) {
    RECORDING.store(on, Ordering::Relaxed);
    // SAFETY: the current thread's cframe.
    unsafe { crate::trace::update_mask(Thread::current_ptr()) }
}
pub fn recording() -> bool {
    RECORDING.load(Ordering::Relaxed)
}
/// Lets a frame that the recorder does not follow run at full speed; recording goes on when it has returned.
pub unsafe fn pause_until_left(f: *mut Frame) {
    // SAFETY: a running frame of the current thread.
    unsafe { (*f).flags |= crate::frame::WATCHED };
    set_recording(false);
    PAUSED.store(true, Ordering::Relaxed);
}
pub fn paused() -> bool {
    PAUSED.load(Ordering::Relaxed)
}
/// The recording that waits is given up.
pub fn forget_pause() {
    PAUSED.store(false, Ordering::Relaxed);
}
/// A frame with `WATCHED` has returned, yielded or been left by an exception.
#[cold]
pub fn watched_frame_left() {
    if PAUSED.swap(false, Ordering::Relaxed) {
        set_recording(true);
    }
}
/// The recorder has done the instruction at hand as far as the call of this frame, which runs next; `prev_instr` and `stacktop` of
/// the caller are set.
pub fn enter_instead(f: *mut Frame) {
    ENTERED.store(f, Ordering::Relaxed);
}
pub fn take_entered() -> *mut Frame {
    if ENTERED.load(Ordering::Relaxed).is_null() {
        return std::ptr::null_mut();
    }
    ENTERED.swap(std::ptr::null_mut(), Ordering::Relaxed)
}
pub unsafe fn record(ts: *mut PyThreadState, f: *mut Frame, at: *mut u16) {
    if let Some(h) = hooks() {
        // SAFETY: the hook's contract.
        unsafe { (h.record)(ts, f, at) }
    }
}

#[inline(always)]
unsafe fn bump(key: usize, limit: u16) -> bool {
    // SAFETY: counters are only touched with the GIL held.
    unsafe {
        let c = &raw mut COUNTERS[(key >> 1 ^ key >> 11) % SLOTS];
        *c += 1;
        if *c >= limit {
            *c = 0;
            return true;
        }
        false
    }
}
/// Counts a back edge to `target`; true when it is hot.
#[inline(always)]
pub unsafe fn count_loop(target: *mut u16) -> bool {
    // SAFETY: as above.
    unsafe { ON.load(Ordering::Relaxed) && bump(target as usize, LOOP_HOT) }
}
/// As `count_loop`, but leaves the count alone and answers false where that would say "hot".
#[inline(always)]
pub unsafe fn count_loop_below(target: *mut u16) -> bool {
    // SAFETY: as above.
    unsafe { !ON.load(Ordering::Relaxed) || bump_below(target as usize, LOOP_HOT) }
}
/// As `count_call`, but leaves the count alone and answers false where that would say "hot".
#[inline(always)]
pub unsafe fn count_call_below(code: *mut PyCodeObject) -> bool {
    // SAFETY: as above.
    unsafe { !CALLS.load(Ordering::Relaxed) || bump_below(code as usize >> 3, CALL_HOT) }
}
#[inline(always)]
unsafe fn bump_below(key: usize, limit: u16) -> bool {
    // SAFETY: counters are only touched with the GIL held.
    unsafe {
        let c = &raw mut COUNTERS[(key >> 1 ^ key >> 11) % SLOTS];
        if *c + 1 >= limit {
            return false;
        }
        *c += 1;
        true
    }
}
/// Counts a call; true when the function is hot.
#[inline(always)]
pub unsafe fn count_call(code: *mut PyCodeObject) -> bool {
    // SAFETY: as above.
    unsafe { CALLS.load(Ordering::Relaxed) && bump(code as usize >> 3, CALL_HOT) }
}
/// Makes a loop's head hot after so many more back edges to it.
pub unsafe fn hot_after(target: *mut u16, n: u16) {
    // SAFETY: counters are only touched with the GIL held.
    unsafe {
        let key = target as usize;
        COUNTERS[(key >> 1 ^ key >> 11) % SLOTS] = LOOP_HOT.saturating_sub(n);
    }
}
/// A trace has something to say.
#[cold]
pub fn attend() {
    if let Some(h) = hooks() {
        (h.attend)()
    }
}
#[cold]
pub unsafe fn hot_loop(ts: *mut PyThreadState, f: *mut Frame, at: *mut u16) -> Enter {
    // SAFETY: the hook's contract.
    unsafe { hooks().map_or(Enter::Stay, |h| (h.hot_loop)(ts, f, at)) }
}
#[cold]
pub unsafe fn hot_function(ts: *mut PyThreadState, f: *mut Frame, at: *mut u16) -> Enter {
    // SAFETY: the hook's contract.
    unsafe { hooks().map_or(Enter::Stay, |h| (h.hot_function)(ts, f, at)) }
}
#[inline]
pub unsafe fn enter(ts: *mut PyThreadState, f: *mut Frame, at: *mut u16) -> Enter {
    // SAFETY: the hook's contract.
    unsafe { hooks().map_or(Enter::Stay, |h| (h.enter)(ts, f, at)) }
}
