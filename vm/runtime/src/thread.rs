//! Thread states and the GIL.
//!
//! `Thread::current_ptr()` is the state of the thread that holds the GIL: one plain load, valid in any code that may touch
//! objects. The GIL is a lock with a request flag: a waiter that has waited the switch interval sets `eval_breaker`, the
//! evaluation loop (or a trace's poll) then hands over. A foreign call that releases the GIL does it with `allow_threads`.

use crate::interpreter::{self, Interp};
use crate::object::*;
use core::ffi::c_int;
use lh_abi::*;
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// The thread state of the holder of the GIL: a word of `_PyRuntime`, where extension modules look for it.
#[inline(always)]
fn current() -> &'static AtomicPtr<PyThreadState> {
    &crate::pyruntime::_PyRuntime.tstate_current
}

/// Work for the evaluation loop: bit 0 GIL request, 1 signals, 2 pending calls, 3 asynchronous exception, 4 garbage collection,
/// 5 the JIT.
pub static EVAL_BREAKER: AtomicU32 = AtomicU32::new(0);
pub const BREAK_GIL: u32 = 1;
pub const BREAK_SIGNAL: u32 = 2;
pub const BREAK_PENDING: u32 = 4;
pub const BREAK_ASYNC_EXC: u32 = 8;
pub const BREAK_GC: u32 = 16;
pub const BREAK_JIT: u32 = 32;

/// A signal waits for its Python handler. Set by the C handler, looked at by the main thread.
pub static SIGNAL_TRIPPED: AtomicBool = AtomicBool::new(false);
/// Runs the Python handlers of signals that have arrived; installed by the `_signal` module.
pub static RUN_SIGNAL_HANDLERS: std::sync::OnceLock<fn() -> crate::errors::PyResult<()>> =
    std::sync::OnceLock::new();
/// The native thread whose job signal handlers are.
static MAIN_THREAD: AtomicU64 = AtomicU64::new(0);

/// Makes the calling native thread the main thread.
pub fn set_main_thread() {
    // SAFETY: a plain query.
    MAIN_THREAD.store(unsafe { libc::pthread_self() } as u64, Ordering::Relaxed)
}
pub fn is_main_thread() -> bool {
    // SAFETY: a plain query.
    MAIN_THREAD.load(Ordering::Relaxed) == unsafe { libc::pthread_self() } as u64
}
/// Is this the main thread, in the main interpreter? Only there do handlers of signals run.
pub fn can_handle_signals() -> bool {
    is_main_thread() && interpreter::is_main()
}
/// The main thread is back in the main interpreter.
pub(crate) fn look_at_signals() {
    if SIGNAL_TRIPPED.load(Ordering::Relaxed) && is_main_thread() {
        EVAL_BREAKER.fetch_or(BREAK_SIGNAL, Ordering::SeqCst);
    }
}
/// Runs the handlers of signals that have arrived, in the main thread; others leave them to it. The evaluation loop calls this when it sees
/// `BREAK_SIGNAL`; blocking system calls when they are interrupted.
pub fn check_signals() -> crate::errors::PyResult<()> {
    EVAL_BREAKER.fetch_and(!BREAK_SIGNAL, Ordering::SeqCst);
    if !SIGNAL_TRIPPED.load(Ordering::SeqCst) || !can_handle_signals() {
        return Ok(());
    }
    match RUN_SIGNAL_HANDLERS.get() {
        Some(f) => f(),
        None => Ok(()),
    }
}

/// What `use_tracing` says while the thread has a trace function (a bit) or a profile function (another).
pub const TRACING: u8 = 1;
pub const PROFILING: u8 = 2;
/// Another bit: a frame evaluation function is installed, which gets every frame before its first instruction.
pub const EVALUATED: u8 = 4;
static FRAMES_ARE_EVALUATED: AtomicBool = AtomicBool::new(false);
pub fn set_evaluated(on: bool) {
    FRAMES_ARE_EVALUATED.store(on, Ordering::Relaxed);
}
/// What it says while every instruction is to be seen one by one, by the JIT's recorder.
pub const RECORDING: u8 = 255;

/// The value of `use_tracing` for what a thread has switched on.
#[inline]
pub unsafe fn tracing_mask(ts: *mut PyThreadState) -> u8 {
    // SAFETY: the thread's own state.
    unsafe {
        if (*ts).tracing != 0 {
            return 0;
        }
        TRACING * (*ts).c_tracefunc.is_some() as u8
            + PROFILING * (*ts).c_profilefunc.is_some() as u8
            + EVALUATED * FRAMES_ARE_EVALUATED.load(Ordering::Relaxed) as u8
    }
}

/// Namespace for the current thread's state.
pub struct Thread(());

impl Thread {
    /// The state of the current thread; the GIL is held.
    #[inline(always)]
    pub fn current_ptr() -> *mut PyThreadState {
        current().load(Ordering::Relaxed)
    }
    /// Sets the default recursion limit's counters.
    pub fn set_recursion_limit(limit: i32) {
        set_default_recursion_limit(limit);
        states_of(interpreter::current()).into_iter().for_each(|ts| {
            // SAFETY: thread states are only changed under the GIL.
            unsafe {
                let used = (*ts).recursion_limit - (*ts).recursion_remaining;
                (*ts).recursion_limit = limit;
                (*ts).recursion_remaining = limit - used;
            }
        });
    }
    pub fn recursion_limit() -> i32 {
        RECURSION_LIMIT.load(Ordering::Relaxed) as i32
    }
}

pub(crate) const DEFAULT_RECURSION_LIMIT: i32 = 1000;
/// The limit of new threads of the active interpreter.
static RECURSION_LIMIT: AtomicU32 = AtomicU32::new(DEFAULT_RECURSION_LIMIT as u32);
pub(crate) fn set_default_recursion_limit(limit: i32) {
    RECURSION_LIMIT.store(limit as u32, Ordering::Relaxed);
}
static NEXT_ID: AtomicU64 = AtomicU64::new(1);
static STATES: Mutex<Vec<usize>> = Mutex::new(Vec::new());

thread_local! {
    /// This native thread's state, whether or not it holds the GIL.
    static MINE: Cell<*mut PyThreadState> = const { Cell::new(null_mut()) };
    /// The lowest stack address that Rust recursion may reach.
    static STACK_LIMIT: Cell<usize> = const { Cell::new(0) };
    /// The lowest address that reporting an overflow may reach; what is below is for C code that does not ask.
    static STACK_BOTTOM: Cell<usize> = const { Cell::new(0) };
    /// Below it deallocation does not nest freely.
    static DEALLOC_LIMIT: Cell<usize> = const { Cell::new(0) };
}

/// A thread state with what only this VM knows of the thread.
#[repr(C)]
struct Full {
    public: PyThreadState,
    /// See the end of this file.
    in_native: AtomicU32,
    attention: AtomicU32,
}
/// Offset in a thread state of the word that compiled code sets to 1 while it is in native code.
pub const IN_NATIVE_AT: usize = std::mem::offset_of!(Full, in_native);
/// Offset in a thread state of the word that is not zero when native code has not been alone.
pub const ATTENTION_AT: usize = std::mem::offset_of!(Full, attention);

/// # Safety
/// A thread state that is not being freed.
#[inline]
unsafe fn full<'a>(ts: *mut PyThreadState) -> &'a Full {
    // SAFETY: every thread state is made by `new_state`.
    unsafe { &*ts.cast() }
}

/// The thread state of this native thread, null if it has none.
pub fn mine() -> *mut PyThreadState {
    MINE.get()
}

/// Calls `f` for every thread state.
pub fn for_each(mut f: impl FnMut(*mut PyThreadState)) {
    let states: Vec<usize> = STATES.lock().expect("never poisoned").clone();
    states.into_iter().for_each(|s| f(s as *mut PyThreadState))
}

/// The thread states of an interpreter, newest first.
pub fn states_of(i: *mut Interp) -> Vec<*mut PyThreadState> {
    let all = STATES.lock().expect("never poisoned");
    // SAFETY: listed states are live.
    all.iter()
        .rev()
        .map(|s| *s as *mut PyThreadState)
        .filter(|s| unsafe { (**s).interp } == i.cast())
        .collect()
}

/// As [`for_each`] without waiting for anybody, newest first; false if the list is being changed. For reports of crashes.
pub fn for_each_unlocked(f: &mut dyn FnMut(*mut PyThreadState)) -> bool {
    let Ok(states) = STATES.try_lock() else { return false };
    states.iter().rev().for_each(|s| f(*s as *mut PyThreadState));
    true
}

/// Lowest address and size of the calling thread's native stack, zeros if that is not known.
fn stack_of_this_thread() -> (usize, usize) {
    // SAFETY: plain queries about the calling thread's stack.
    unsafe {
        let mut attr: libc::pthread_attr_t = std::mem::zeroed();
        let (mut base, mut size) = (null_mut(), 0usize);
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attr) == 0 {
            libc::pthread_attr_getstack(&attr, &mut base, &mut size);
            libc::pthread_attr_destroy(&mut attr);
            return (base as usize, size);
        }
        (0, 0)
    }
}

/// A new state that belongs to no native thread yet. Does not need the GIL.
pub fn alloc_state(interp: *mut Interp) -> *mut PyThreadState {
    // SAFETY: an all-zero thread state is its valid initial state; the pointers set below point into it.
    unsafe {
        let ts: *mut PyThreadState = Box::into_raw(Box::new(std::mem::zeroed::<Full>())).cast();
        let limit = interpreter::recursion_limit_of(interp);
        (*ts).recursion_limit = limit;
        (*ts).recursion_remaining = limit;
        (*ts).interp = interp.cast();
        (*ts)._initialized = 1;
        (*ts).exc_info = &raw mut (*ts).exc_state;
        (*ts).cframe = &raw mut (*ts).root_cframe;
        (*ts).thread_id = libc::pthread_self() as _;
        (*ts).native_thread_id = libc::syscall(libc::SYS_gettid) as _;
        (*ts).id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        (*ts).context_ver = 1;
        (*ts).gilstate_counter = 1;
        STATES.lock().expect("never poisoned").push(ts as usize);
        ts
    }
}

/// Makes `ts` the calling native thread's state.
///
/// # Safety
/// No other thread runs with the state.
pub unsafe fn bind(ts: *mut PyThreadState) {
    if MINE.get() == ts {
        return;
    }
    MINE.set(ts);
    if STACK_LIMIT.get() == 0 {
        let (base, size) = stack_of_this_thread();
        let reserve = (size / 8).clamp(64 << 10, 512 << 10).min(size / 2);
        STACK_LIMIT.set(base + reserve);
        STACK_BOTTOM.set(base + reserve / 2);
        DEALLOC_LIMIT.set(base + 2 * reserve);
    }
    if !ts.is_null() {
        // SAFETY: the caller's promise.
        unsafe {
            (*ts).thread_id = libc::pthread_self() as _;
            (*ts).native_thread_id = libc::syscall(libc::SYS_gettid) as _;
        }
    }
}

/// Makes a state of the main interpreter for the calling native thread (which must not have one). Does not take the GIL.
pub fn new_state() -> *mut PyThreadState {
    new_state_of(interpreter::main())
}
/// As `new_state`, of that interpreter.
pub fn new_state_of(interp: *mut Interp) -> *mut PyThreadState {
    let ts = alloc_state(interp);
    // SAFETY: a new state that nobody else knows.
    unsafe { bind(ts) };
    ts
}

/// Drops the references that a state holds.
///
/// # Safety
/// The state is live, its thread does not run Python code, and the GIL is held.
pub unsafe fn clear_state(ts: *mut PyThreadState) {
    // SAFETY: the caller's promise.
    unsafe {
        let take = |p: &mut *mut PyObject| xdecref(std::mem::replace(p, null_mut()));
        take(&mut (*ts).dict);
        take(&mut (*ts).curexc_type);
        take(&mut (*ts).curexc_value);
        take(&mut (*ts).curexc_traceback);
        take(&mut (*ts).c_profileobj);
        take(&mut (*ts).c_traceobj);
        take(&mut (*ts).async_exc);
        take(&mut (*ts).context);
        take(&mut (*ts).async_gen_firstiter);
        take(&mut (*ts).async_gen_finalizer);
        take(&mut (*ts).exc_state.exc_value);
        if let Some(f) = (*ts).on_delete.take() {
            f((*ts).on_delete_data)
        }
    }
}

pub(crate) fn unlist(ts: *mut PyThreadState) {
    STATES.lock().expect("never poisoned").retain(|s| *s != ts as usize);
}

/// Frees a cleared state and its data stack; if it was this native thread's, the thread has none from now on.
///
/// # Safety
/// Nobody uses the state any more.
pub unsafe fn free_state(ts: *mut PyThreadState) {
    unlist(ts);
    if MINE.get() == ts {
        MINE.set(null_mut());
    }
    // SAFETY: the caller's promise.
    unsafe {
        let mut chunk = (*ts).datastack_chunk;
        while !chunk.is_null() {
            let prev = (*chunk).previous;
            crate::alloc::arena_free(chunk.cast(), (*chunk).size);
            chunk = prev;
        }
        // A waiter may just be looking at the state of what was the holder.
        drop(park().lock.lock().expect("never poisoned"));
        drop(Box::from_raw(ts.cast::<Full>()));
    }
}

/// Clears and frees this thread's state; the GIL is held and released.
pub fn delete_state() {
    let ts = MINE.get();
    // SAFETY: the state is this thread's; references are dropped while the GIL is held.
    unsafe {
        clear_state(ts);
        // Who takes the GIL next, perhaps because it waited for this thread, doesn't see the state any more.
        unlist(ts);
        gil_release();
        free_state(ts);
    }
}

// ---- Recursion through native code ----

/// How many bytes of native stack the current thread has left before `RecursionError` is raised.
#[inline]
pub fn native_stack_left() -> usize {
    let mark = 0u8;
    (&raw const mark as usize).saturating_sub(STACK_LIMIT.get())
}

/// Takes a level of recursion if there is one to spare. It is given back by adding 1 to the thread's `recursion_remaining`.
#[inline]
pub fn take_level() -> bool {
    // SAFETY: the current thread state is ours while the GIL is held.
    unsafe {
        let ts = Thread::current_ptr();
        if (*ts).recursion_remaining <= 0 || stack_pointer() < STACK_LIMIT.get() {
            return false;
        }
        (*ts).recursion_remaining -= 1;
    }
    true
}

/// Raises `RecursionError` if the native stack is nearly used up or the recursion limit is reached.
#[inline]
pub fn enter_recursive(where_: &str) -> crate::errors::PyResult<Recursion> {
    // SAFETY: the current thread state is ours while the GIL is held.
    unsafe {
        let ts = Thread::current_ptr();
        (*ts).recursion_remaining -= 1;
        let here = stack_pointer();
        if ((*ts).recursion_remaining < 0 || here < STACK_LIMIT.get())
            && let Err(e) = too_deep(where_, here)
        {
            (*ts).recursion_remaining += 1;
            return Err(e);
        }
    }
    Ok(Recursion(()))
}

/// Takes a level of recursion for a call of native code, which its caller gives back (`recursion_remaining`); false: raised, none taken.
///
/// # Safety
/// `ts` is the current thread's state; the GIL is held.
#[inline(always)]
pub unsafe fn descend(ts: *mut PyThreadState, where_: &'static str) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        (*ts).recursion_remaining -= 1;
        if (*ts).recursion_remaining >= 0 && !stack_is_low() {
            return true;
        }
    }
    descend_slow(where_)
}
/// As `descend`, for calls that are not counted.
#[inline(always)]
pub fn has_room(where_: &'static str) -> bool {
    !stack_is_low() || has_room_slow(where_)
}
#[cold]
#[inline(never)]
fn has_room_slow(where_: &str) -> bool {
    too_deep(where_, stack_pointer()).is_ok()
}
#[cold]
#[inline(never)]
fn descend_slow(where_: &str) -> bool {
    match too_deep(where_, stack_pointer()) {
        Ok(()) => true,
        Err(_) => {
            // SAFETY: the current thread state is ours while the GIL is held.
            unsafe { (*Thread::current_ptr()).recursion_remaining += 1 }
            false
        }
    }
}

/// Gives the level back on drop.
pub struct Recursion(());
impl Drop for Recursion {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the current thread state is ours while the GIL is held.
        unsafe { (*Thread::current_ptr()).recursion_remaining += 1 }
    }
}

#[cold]
fn too_deep(where_: &str, here: usize) -> crate::errors::PyResult<()> {
    // SAFETY: as above.
    unsafe {
        let ts = Thread::current_ptr();
        if (*ts).recursion_headroom > 0 && here >= STACK_BOTTOM.get() {
            // Already reporting an overflow: some levels more are granted.
            if here >= STACK_LIMIT.get() && (*ts).recursion_remaining < -50 {
                eprintln!("Fatal Python error: Cannot recover from stack overflow.");
                std::process::abort();
            }
            return Ok(());
        }
        let _headroom = Headroom::grant();
        crate::raise!(RecursionError, "maximum recursion depth exceeded{}", where_)
    }
}

/// While it lives, some levels of recursion more are granted, for making the exception that reports an overflow.
pub struct Headroom(());
impl Headroom {
    pub fn grant() -> Headroom {
        // SAFETY: the current thread state is ours while the GIL is held.
        unsafe { (*Thread::current_ptr()).recursion_headroom += 1 }
        Headroom(())
    }
}
impl Drop for Headroom {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { (*Thread::current_ptr()).recursion_headroom -= 1 }
    }
}

/// Is so much of the native stack used that deallocation must not nest freely any more? Destructors written in Python still have room.
#[inline(always)]
pub(crate) fn dealloc_is_deep() -> bool {
    stack_pointer() < DEALLOC_LIMIT.get()
}

/// Is the native stack nearly used up?
#[inline(always)]
pub fn stack_is_low() -> bool {
    let limit = STACK_LIMIT.get();
    stack_pointer() < limit
}

/// Where the native stack has got to. Not the address of a local: a function that lets one out can't end in a tail call.
#[inline(always)]
fn stack_pointer() -> usize {
    let p: usize;
    // SAFETY: only reads a register.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!("mov {}, rsp", out(reg) p, options(nomem, nostack, preserves_flags));
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!("mov {}, sp", out(reg) p, options(nomem, nostack, preserves_flags));
    }
    p
}

// ---- The GIL ----
//
// The GIL is one word, `current()`: null when free, else the holder's thread state. Taking it is one compare-and-swap, giving it up
// one store; so a foreign call that nobody waits behind pays a few nanoseconds. Only when somebody waits does it get slow:
//
//   waiter    counts itself, tries the word, sleeps on the condition variable for a switch interval at most, tries again;
//             if nobody else has had the GIL meanwhile it sets the eval breaker's request bit
//   releaser  clears the word, then wakes one waiter if the count says that there are any
//
// The releaser's look at the count may come too early to see a waiter that has just counted itself; that waiter then sleeps one
// interval for nothing. That is the price of having no fence there.

struct Park {
    lock: Mutex<()>,
    freed: Condvar,
    /// Signalled under the lock by waiters that got the GIL, for a thread that handed it over on request.
    switched: Condvar,
}
impl Park {
    const fn new() -> Park {
        Park { lock: Mutex::new(()), freed: Condvar::new(), switched: Condvar::new() }
    }
}
static FIRST_PARK: Park = Park::new();
/// Where waiters sleep; replaced in a forked child, where another thread's lock would never be given back. Null: `FIRST_PARK`.
static PARK: AtomicPtr<Park> = AtomicPtr::new(null_mut());
fn park() -> &'static Park {
    // SAFETY: null or a leaked box.
    unsafe { PARK.load(Ordering::Acquire).as_ref() }.unwrap_or(&FIRST_PARK)
}
static WAITERS: AtomicU32 = AtomicU32::new(0);
/// `sys.getswitchinterval()` in microseconds.
pub static SWITCH_INTERVAL_US: AtomicU64 = AtomicU64::new(5000);
static LAST_HOLDER: AtomicPtr<PyThreadState> = AtomicPtr::new(null_mut());
static FINALIZING: AtomicBool = AtomicBool::new(false);

/// From now on only the calling thread gets the GIL; others hang when they ask for it.
pub fn set_finalizing() {
    // SAFETY: a plain query.
    FINALIZER.store(unsafe { libc::pthread_self() } as u64, Ordering::SeqCst);
    FINALIZING.store(true, Ordering::SeqCst);
}
/// The native thread that ends the process.
static FINALIZER: AtomicU64 = AtomicU64::new(0);
fn is_finalizer() -> bool {
    // SAFETY: a plain query.
    FINALIZER.load(Ordering::SeqCst) == unsafe { libc::pthread_self() } as u64
}
pub fn is_finalizing() -> bool {
    FINALIZING.load(Ordering::Relaxed)
}

#[inline(always)]
fn try_take(ts: *mut PyThreadState) -> bool {
    current().compare_exchange(null_mut(), ts, Ordering::Acquire, Ordering::Relaxed).is_ok()
}

/// Takes the GIL for this native thread's state.
#[inline]
pub fn gil_acquire() {
    gil_acquire_for(MINE.get())
}

/// As `gil_acquire`, for who has this thread's state at hand.
#[inline]
pub fn gil_acquire_for(ts: *mut PyThreadState) {
    assert!(!ts.is_null(), "a thread without a state asked for the GIL");
    if FINALIZING.load(Ordering::Relaxed) || !try_take(ts) {
        gil_acquire_slow(ts);
    }
    LAST_HOLDER.store(ts, Ordering::Relaxed);
    interpreter::entered(ts);
    if SIGNAL_TRIPPED.load(Ordering::Relaxed) && is_main_thread() {
        EVAL_BREAKER.fetch_or(BREAK_SIGNAL, Ordering::SeqCst);
    }
}

/// `PyThreadState_Swap`: goes on with another state (or none, which gives the GIL up); the state until now.
///
/// # Safety
/// `ts` is null or a live thread state that no other thread runs with.
pub unsafe fn swap(ts: *mut PyThreadState) -> *mut PyThreadState {
    // After `Py_EndInterpreter` the caller has neither a state nor the GIL, and the GIL's word shows who has it now.
    let old = if holds_gil() { Thread::current_ptr() } else { null_mut() };
    if old == ts {
        return old;
    }
    if ts.is_null() {
        gil_release();
        return old;
    }
    // SAFETY: the caller's promise.
    unsafe { bind(ts) };
    if old.is_null() {
        gil_acquire_for(ts);
    } else {
        // Who waits for the GIL does not notice: it goes from state to state.
        current().store(ts, Ordering::SeqCst);
        LAST_HOLDER.store(ts, Ordering::Relaxed);
        interpreter::entered(ts);
    }
    old
}

#[cold]
#[inline(never)]
fn gil_acquire_slow(ts: *mut PyThreadState) {
    if FINALIZING.load(Ordering::SeqCst) && !is_finalizer() {
        loop {
            std::thread::park();
        }
    }
    let park = park();
    let mut guard = park.lock.lock().expect("never poisoned");
    WAITERS.fetch_add(1, Ordering::SeqCst);
    let mut stolen = false;
    while !try_take(ts) {
        stolen = try_steal(ts);
        if stolen {
            break;
        }
        let before = LAST_HOLDER.load(Ordering::Relaxed);
        let wait = Duration::from_micros(SWITCH_INTERVAL_US.load(Ordering::Relaxed));
        let (g, timeout) = park.freed.wait_timeout(guard, wait).expect("never poisoned");
        guard = g;
        if timeout.timed_out()
            && !current().load(Ordering::Relaxed).is_null()
            && before == LAST_HOLDER.load(Ordering::Relaxed)
        {
            EVAL_BREAKER.fetch_or(BREAK_GIL, Ordering::SeqCst);
        }
    }
    WAITERS.fetch_sub(1, Ordering::SeqCst);
    LAST_HOLDER.store(ts, Ordering::Relaxed);
    EVAL_BREAKER.fetch_and(!BREAK_GIL, Ordering::SeqCst);
    park.switched.notify_all();
    drop(guard);
    interpreter::entered(ts);
    if stolen && let Some(f) = CALLBACK_HOOK.get() {
        f()
    }
    if FINALIZING.load(Ordering::SeqCst) && !is_finalizer() {
        gil_release();
        loop {
            std::thread::park();
        }
    }
    if SIGNAL_TRIPPED.load(Ordering::Relaxed) && is_main_thread() {
        EVAL_BREAKER.fetch_or(BREAK_SIGNAL, Ordering::SeqCst);
    }
}

/// Gives the GIL up.
#[inline]
pub fn gil_release() {
    current().store(null_mut(), Ordering::Release);
    if WAITERS.load(Ordering::Relaxed) != 0 {
        wake_waiter();
    }
}

#[cold]
#[inline(never)]
fn wake_waiter() {
    // The lock makes sure that a waiter between its try and its sleep is not missed.
    let park = park();
    drop(park.lock.lock().expect("never poisoned"));
    park.freed.notify_one();
}

/// Hands the GIL to a waiting thread (the evaluation loop saw `BREAK_GIL`).
pub fn gil_yield() {
    let ts = MINE.get();
    EVAL_BREAKER.fetch_and(!BREAK_GIL, Ordering::SeqCst);
    if WAITERS.load(Ordering::SeqCst) == 0 {
        return;
    }
    gil_release();
    let park = park();
    let guard = park.lock.lock().expect("never poisoned");
    // Wait until somebody else has had it, or the waiters went away.
    if LAST_HOLDER.load(Ordering::Relaxed) == ts && WAITERS.load(Ordering::SeqCst) > 0 {
        drop(park.switched.wait_timeout(guard, Duration::from_millis(5)));
    } else {
        drop(guard);
    }
    gil_acquire();
}

/// Runs `f` (which touches no object) without the GIL. `errno` is kept.
pub fn allow_threads<R>(f: impl FnOnce() -> R) -> R {
    let ts = Thread::current_ptr();
    gil_release();
    let r = f();
    if FINALIZING.load(Ordering::Relaxed) || !try_take(ts) {
        // SAFETY: errno is thread-local memory; waiting may change it.
        unsafe {
            let e = *libc::__errno_location();
            gil_acquire_slow(ts);
            *libc::__errno_location() = e;
        }
    }
    LAST_HOLDER.store(ts, Ordering::Relaxed);
    interpreter::entered(ts);
    r
}

/// Does this thread hold the GIL?
pub fn holds_gil() -> bool {
    let ts = MINE.get();
    !ts.is_null() && current().load(Ordering::Relaxed) == ts
}

/// After `fork` in the child: this thread is alone and holds the GIL.
pub fn after_fork_child() {
    let ts = MINE.get();
    // The mutex may have been held by another thread at the fork; a fresh state is made by releasing what can be.
    if let Ok(mut s) = STATES.try_lock() {
        s.retain(|x| *x == ts as usize);
    }
    WAITERS.store(0, Ordering::SeqCst);
    PARK.store(Box::into_raw(Box::new(Park::new())), Ordering::Release);
    // SAFETY: this thread's own state.
    unsafe {
        (*ts).thread_id = libc::pthread_self() as _;
        (*ts).native_thread_id = libc::syscall(libc::SYS_gettid) as _;
    }
}

/// `PyGILState_Ensure`: makes a state if the native thread has none, takes the GIL if it does not hold it.
/// Answers whether it held the GIL before.
pub fn ensure() -> bool {
    let ts = MINE.get();
    if ts.is_null() {
        let ts = new_state();
        // SAFETY: the new state is this thread's.
        unsafe { (*ts).gilstate_counter = 0 };
    }
    let had = callback_begins(MINE.get());
    if !had {
        gil_acquire();
    }
    // SAFETY: this thread's own state.
    unsafe { (*MINE.get()).gilstate_counter += 1 };
    had
}

/// `PyGILState_Release`.
pub fn ensure_end(had: bool) {
    let ts = MINE.get();
    // SAFETY: this thread's own state.
    let count: c_int = unsafe {
        (*ts).gilstate_counter -= 1;
        (*ts).gilstate_counter
    };
    if had {
        callback_ends(ts);
    } else if count == 0 {
        delete_state();
    } else {
        gil_release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A counter that is only correct if at most one thread is inside at a time.
    #[test]
    fn the_gil_excludes_and_hands_over() {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        static TURNS: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];
        let threads: Vec<_> = (0..4)
            .map(|me| {
                std::thread::spawn(move || {
                    new_state();
                    gil_acquire();
                    for i in 0..20_000 {
                        let seen = COUNTER.load(Ordering::Relaxed);
                        if i % 64 == 0 {
                            allow_threads(std::hint::spin_loop);
                            assert!(holds_gil());
                            continue;
                        }
                        if EVAL_BREAKER.load(Ordering::Relaxed) & BREAK_GIL != 0 {
                            gil_yield();
                            continue;
                        }
                        // Not an atomic increment on purpose: an intruder would make it lose counts.
                        COUNTER.store(seen + 1, Ordering::Relaxed);
                        TURNS[me].fetch_add(1, Ordering::Relaxed);
                    }
                    delete_state();
                })
            })
            .collect();
        threads.into_iter().for_each(|t| t.join().expect("no thread failed"));
        assert_eq!(
            COUNTER.load(Ordering::Relaxed),
            TURNS.iter().map(|t| t.load(Ordering::Relaxed)).sum::<u64>()
        );
        assert!(Thread::current_ptr().is_null());
    }
}

// ---- Native code that runs under a nominally held GIL ----
//
// Compiled loops around short native calls can't afford an atomic exchange per call. They keep the GIL and only mark "in native
// code" in their thread state with plain stores. Who wants the GIL takes it from such a holder:
//
//   holder:  in_native = 1; call; in_native = 0; if attention != 0 { leave the trace, settle }
//   thief:   attention |= STOLEN; membarrier (every running thread of the process passes a full barrier);
//            if in_native == 1 { take }
//
// If the thief read 1, the holder's store of 0 comes after the barrier, so its load of `attention` sees the bit. Decisions are
// made under the parking lock, where `settle_steal` waits for them; the lock also keeps the holder's state from being freed.
// A thief brings the frames of compiled loops up to date before it does anything else.
//
// The word says too that Python code has run on the thread itself during the native code: the holder need only look once.

const STOLEN: u32 = 1;
const CALLED_BACK: u32 = 2;

fn membarrier(cmd: i32) -> bool {
    // SAFETY: a system call without memory arguments.
    unsafe { libc::syscall(libc::SYS_membarrier, cmd, 0, 0) == 0 }
}
/// Can the GIL be taken from a holder in native code on this machine? (Registers the process on first use.)
pub fn stealing_works() -> bool {
    static OK: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    // MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED
    *OK.get_or_init(|| membarrier(16))
}

/// Takes the GIL from a holder that is in native code. The parking lock is held.
fn try_steal(ts: *mut PyThreadState) -> bool {
    let holder = current().load(Ordering::SeqCst);
    if holder.is_null() || holder == ts {
        return false;
    }
    // SAFETY: a state is freed only after its owner has given the GIL up and passed the parking lock, which is held here.
    let h = unsafe { full(holder) };
    if h.in_native.load(Ordering::Relaxed) == 0 {
        return false;
    }
    h.attention.fetch_or(STOLEN, Ordering::SeqCst);
    // MEMBARRIER_CMD_PRIVATE_EXPEDITED
    let done = membarrier(8)
        && h.in_native.load(Ordering::SeqCst) == 1
        && current().compare_exchange(holder, ts, Ordering::SeqCst, Ordering::Relaxed).is_ok();
    if !done {
        h.attention.fetch_and(!STOLEN, Ordering::SeqCst);
    }
    done
}

/// For a thread that has left native code: takes the GIL back if it was stolen meanwhile.
#[inline]
pub fn settle_steal(ts: *mut PyThreadState) {
    // SAFETY: the calling thread's own state.
    if unsafe { full(ts) }.attention.load(Ordering::Relaxed) != 0 {
        settle_steal_slow(ts);
    }
}
#[cold]
fn settle_steal_slow(ts: *mut PyThreadState) {
    {
        let _decided = park().lock.lock().expect("never poisoned");
        // SAFETY: the calling thread's own state.
        unsafe { full(ts) }.attention.store(0, Ordering::SeqCst);
        if current().load(Ordering::SeqCst) == ts {
            return;
        }
    }
    gil_acquire_for(ts);
}

thread_local! {
    /// Callbacks that interrupted native code under a held GIL.
    static INTERRUPTED: std::cell::RefCell<Vec<bool>> = const { std::cell::RefCell::new(Vec::new()) };
}
/// Called when Python code is about to run while compiled code waits for native code: its frames must be brought up to date.
pub static CALLBACK_HOOK: std::sync::OnceLock<fn()> = std::sync::OnceLock::new();

/// Native code asks for Python. False: this thread does not hold the GIL, nominally or really.
fn callback_begins(ts: *mut PyThreadState) -> bool {
    // SAFETY: the calling thread's own state.
    let was = unsafe { full(ts) }.in_native.swap(0, Ordering::SeqCst) != 0;
    if was {
        settle_steal(ts);
    } else if !holds_gil() {
        return false;
    }
    INTERRUPTED.with(|v| v.borrow_mut().push(was));
    if let Some(f) = CALLBACK_HOOK.get() {
        f()
    }
    true
}
fn callback_ends(ts: *mut PyThreadState) {
    if INTERRUPTED.with(|v| v.borrow_mut().pop()).unwrap_or(false) {
        // SAFETY: the calling thread's own state.
        let f = unsafe { full(ts) };
        f.attention.fetch_or(CALLED_BACK, Ordering::SeqCst);
        f.in_native.store(1, Ordering::SeqCst);
    }
}
