//! `pythread.h`, `pystate.h`, `ceval.h`: threads and thread states made by C code, calls that wait for the evaluation loop.

use crate::prelude::*;
use lh_runtime::hooks::PENDING_HOOK;
use lh_runtime::interpreter::Interp;
use lh_runtime::thread::{self, BREAK_ASYNC_EXC, BREAK_PENDING, EVAL_BREAKER};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

type Pending = unsafe extern "C" fn(*mut c_void) -> c_int;
type ThreadMain = unsafe extern "C" fn(*mut c_void);

/// Calls that any thread may leave for the main thread's evaluation loop; at most 32.
static PENDING: Mutex<VecDeque<(Pending, usize)>> = Mutex::new(VecDeque::new());

/// Runs the calls that were waiting when it began; the rest stays after one that fails.
fn run_pending() -> PyResult<()> {
    if !thread::can_handle_signals() {
        return Ok(());
    }
    EVAL_BREAKER.fetch_and(!BREAK_PENDING, Ordering::SeqCst);
    let n = PENDING.lock().expect("never poisoned").len();
    for _ in 0..n {
        let Some((f, arg)) = PENDING.lock().expect("never poisoned").pop_front() else { break };
        // SAFETY: the function and its argument, as C left them.
        if unsafe { f(arg as *mut c_void) } != 0 {
            if !PENDING.lock().expect("never poisoned").is_empty() {
                EVAL_BREAKER.fetch_or(BREAK_PENDING, Ordering::SeqCst);
            }
            return Err(if occurred() {
                Raised::already_set()
            } else {
                raised!(SystemError, "a pending call failed without setting an exception")
            });
        }
    }
    Ok(())
}

/// `Py_AddPendingCall`: callable from any thread, with or without the GIL.
#[unsafe(no_mangle)]
pub extern "C" fn Py_AddPendingCall(f: Pending, arg: *mut c_void) -> c_int {
    PENDING_HOOK.get_or_init(|| run_pending);
    let mut waiting = PENDING.lock().expect("never poisoned");
    if waiting.len() >= 32 {
        return -1;
    }
    waiting.push_back((f, arg as usize));
    EVAL_BREAKER.fetch_or(BREAK_PENDING, Ordering::SeqCst);
    0
}

/// `PyThread_start_new_thread`: the thread's number, or all ones.
///
/// # Safety
/// `f` may be called with `arg` on another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_start_new_thread(f: ThreadMain, arg: *mut c_void) -> c_ulong {
    extern "C" fn start(p: *mut c_void) -> *mut c_void {
        // SAFETY: the box made below.
        unsafe {
            let (f, arg) = *Box::from_raw(p.cast::<(ThreadMain, *mut c_void)>());
            f(arg);
        }
        null_mut()
    }
    // SAFETY: the new thread owns the box; it is detached.
    unsafe {
        let p = Box::into_raw(Box::new((f, arg)));
        let mut id: libc::pthread_t = std::mem::zeroed();
        if libc::pthread_create(&mut id, null(), start, p.cast()) != 0 {
            drop(Box::from_raw(p));
            return c_ulong::MAX;
        }
        libc::pthread_detach(id);
        id as c_ulong
    }
}
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_exit_thread() {
    // SAFETY: the C library's own way out of a thread.
    unsafe { libc::pthread_exit(null_mut()) }
}

// ---- Thread states: callable without the GIL where CPython's are ----

/// A state that no thread has yet.
#[unsafe(no_mangle)]
pub extern "C" fn _PyThreadState_Prealloc(i: *mut Interp) -> *mut PyThreadState {
    thread::alloc_state(i)
}
/// Gives it to the calling thread.
///
/// # Safety
/// The state is a new one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyThreadState_Init(ts: *mut PyThreadState) {
    if thread::mine().is_null() {
        // SAFETY: no other thread has it.
        unsafe { thread::bind(ts) }
    }
}
#[unsafe(no_mangle)]
pub extern "C" fn PyThreadState_New(i: *mut Interp) -> *mut PyThreadState {
    let ts = thread::alloc_state(i);
    if thread::mine().is_null() {
        // SAFETY: a new state that no other thread knows.
        unsafe { thread::bind(ts) }
    }
    ts
}
/// # Safety
/// `ts` is a live thread state; the GIL is held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Clear(ts: *mut PyThreadState) {
    // SAFETY: the caller's promise.
    unsafe { thread::clear_state(ts) }
}
/// # Safety
/// `ts` is a cleared thread state that no thread runs with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Delete(ts: *mut PyThreadState) {
    // SAFETY: the caller's promise.
    unsafe { thread::free_state(ts) }
}
/// # Safety
/// The current thread state was cleared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_DeleteCurrent() {
    let ts = thread::Thread::current_ptr();
    thread::gil_release();
    // SAFETY: nobody else uses this thread's state.
    unsafe { thread::free_state(ts) }
}
/// # Safety
/// `ts` is a live thread state that no other thread runs with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_RestoreThread(ts: *mut PyThreadState) {
    // SAFETY: the caller's promise; errno is this thread's.
    unsafe {
        let e = *libc::__errno_location();
        thread::bind(ts);
        thread::gil_acquire_for(ts);
        *libc::__errno_location() = e;
    }
}
/// # Safety
/// As `PyEval_RestoreThread`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_AcquireThread(ts: *mut PyThreadState) {
    // SAFETY: the caller's promise.
    unsafe {
        thread::bind(ts);
        thread::gil_acquire_for(ts);
    }
}
/// # Safety
/// The GIL is held; `ts` is null or a live thread state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Swap(ts: *mut PyThreadState) -> *mut PyThreadState {
    // SAFETY: the caller's promise.
    unsafe { thread::swap(ts) }
}

capi! {
    fn Py_MakePendingCalls() -> status {
        thread::check_signals()?;
        run_pending()
    }
    /// Raises `e` in the thread with this number at its next safe point; the number of threads that were found.
    fn PyThreadState_SetAsyncExc(id: c_ulong, e: Option<&Object>) -> [c_int] {
        let mut found = 0;
        thread::for_each(|ts| if found == 0 && (*ts).thread_id as c_ulong == id {
            found = 1;
            let new = e.map_or(null_mut(), |e| e.own().into_raw());
            xdecref(std::mem::replace(&mut (*ts).async_exc, new));
        });
        if found == 1 && e.is_some() {
            EVAL_BREAKER.fetch_or(BREAK_ASYNC_EXC, Ordering::SeqCst);
        }
        found
    }
    fn PyThread_set_stacksize(_n: usize) -> [c_int] { -2 }
    fn PyThread_GetInfo() -> borrowed { Ok(lh_runtime::sysobject::sys_get("thread_info").map_or(null_mut(), Owned::into_raw)) }
    fn PyThread_create_key() -> [c_int] {
        let mut k: libc::pthread_key_t = 0;
        if libc::pthread_key_create(&mut k, None) == 0 { k as c_int } else { -1 }
    }
    fn PyThread_delete_key(k: c_int) -> void { libc::pthread_key_delete(k as _) }
    fn PyThread_delete_key_value(k: c_int) -> void { libc::pthread_setspecific(k as _, null()) }
    fn PyThread_get_key_value(k: c_int) -> [*mut c_void] { libc::pthread_getspecific(k as _) }
    fn PyThread_set_key_value(k: c_int, v: *mut c_void) -> [c_int] { if libc::pthread_setspecific(k as _, v) == 0 { 0 } else { -1 } }
    fn PyThread_ReInitTLS() -> void {}
}
