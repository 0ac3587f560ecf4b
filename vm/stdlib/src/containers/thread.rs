//! `_thread`: threads, locks, thread-local data.
//!
//! A lock is a POSIX semaphore: waiting releases the GIL and is interrupted by signals, whose handlers then run before the wait goes on.

use lh_runtime::interpreter::{self, Interp};
use lh_runtime::prelude::*;
use lh_runtime::thread::{self, Thread};
use lh_runtime::{hooks, number, structseq};
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

module! {
    "_thread",
    doc: "This module provides primitive operations to write multi-threaded programs.\nThe 'threading' module provides a more convenient interface.",
    functions: [start_new_thread, start_new, allocate_lock, allocate, exit, exit_thread, get_ident, get_native_id, _count, stack_size,
        interrupt_main, _set_sentinel, _excepthook],
    types: [Lock, RLock, super::local::Local],
    init: setup,
}

static EXCEPT_ARGS: OnceLock<usize> = OnceLock::new();

fn setup(m: &Module) -> PyResult<()> {
    lh_runtime::builder::ready::<super::local::Presence>()?;
    m.add("error", exc::RuntimeError())?;
    m.add("LockType", Lock::class())?;
    m.add("TIMEOUT_MAX", &Float::new(TIMEOUT_MAX))?;
    if EXCEPT_ARGS.get().is_none() {
        let t = structseq::new_type(
            "_thread._ExceptHookArgs",
            "ExceptHookArgs\n\nType used to pass arguments to threading.excepthook.",
            &[
                ("exc_type", "Exception type"),
                ("exc_value", "Exception value"),
                ("exc_traceback", "Exception traceback"),
                ("thread", "Thread"),
            ],
            4,
        )?;
        let _ = EXCEPT_ARGS.set(t.into_raw() as usize);
    }
    let t = *EXCEPT_ARGS.get().expect("just set");
    // SAFETY: the type lives for ever.
    m.add("_ExceptHookArgs", unsafe { Object::from_ptr(t as *mut lh_abi::PyObject) })
}

const TIMEOUT_MAX: f64 = 9223372036.0;

// ---- Semaphores ----

/// A binary semaphore at a fixed address.
struct Sem(Box<std::cell::UnsafeCell<libc::sem_t>>);

impl Sem {
    fn new(value: u32) -> Sem {
        // SAFETY: a fresh semaphore in its final place.
        unsafe {
            let s = Sem(Box::new(std::cell::UnsafeCell::new(std::mem::zeroed())));
            libc::sem_init(s.0.get(), 0, value);
            s
        }
    }
    fn try_wait(&self) -> bool {
        // SAFETY: an initialised semaphore.
        unsafe { libc::sem_trywait(self.0.get()) == 0 }
    }
    fn post(&self) {
        // SAFETY: an initialised semaphore.
        unsafe { libc::sem_post(self.0.get()) };
    }
    /// Waits without the GIL: `Ok(true)` got it, `Ok(false)` timed out. Signal handlers run in between.
    fn wait(&self, timeout_ns: Option<i64>) -> PyResult<bool> {
        if self.try_wait() {
            return Ok(true);
        }
        if timeout_ns == Some(0) {
            return Ok(false);
        }
        let deadline =
            timeout_ns.map(|ns| std::time::Instant::now() + std::time::Duration::from_nanos(ns as u64));
        loop {
            let p = self.0.get() as usize;
            let left = deadline.map(|d| d.saturating_duration_since(std::time::Instant::now()));
            // SAFETY: the caller's reference keeps the semaphore alive meanwhile.
            let (r, err) = thread::allow_threads(move || unsafe {
                let s = p as *mut libc::sem_t;
                let r = match left {
                    None => libc::sem_wait(s),
                    Some(d) => {
                        let mut ts: libc::timespec = std::mem::zeroed();
                        libc::clock_gettime(libc::CLOCK_REALTIME, &mut ts);
                        let ns = ts.tv_nsec as u64 + d.subsec_nanos() as u64;
                        ts.tv_sec =
                            ts.tv_sec.saturating_add(d.as_secs() as i64 + (ns / 1_000_000_000) as i64);
                        ts.tv_nsec = (ns % 1_000_000_000) as _;
                        libc::sem_timedwait(s, &ts)
                    }
                };
                (r, *libc::__errno_location())
            });
            if r == 0 {
                return Ok(true);
            }
            if err == libc::ETIMEDOUT {
                return Ok(false);
            }
            if err == libc::EINTR {
                (hooks::hooks().run_pending)()?;
            }
            if deadline.is_some_and(|d| std::time::Instant::now() >= d) {
                return Ok(self.try_wait());
            }
        }
    }
}

impl Drop for Sem {
    fn drop(&mut self) {
        // SAFETY: nobody waits on it: waiters hold a reference to the lock.
        unsafe { libc::sem_destroy(self.0.get()) };
    }
}

/// `acquire(blocking, timeout)` in nanoseconds: `None` waits for ever.
fn wait_time(blocking: Option<&Object>, timeout: Option<&Object>) -> PyResult<Option<i64>> {
    let blocking = match blocking {
        None => true,
        Some(b) => number::index(b)?.sign() != 0,
    };
    let secs = match timeout {
        None => -1.0,
        Some(t) if Float::check(t) || lh_runtime::sliceobject::is_index(t) => number::as_f64(t)?,
        Some(t) => {
            return raise!(TypeError, "'{}' object cannot be interpreted as an integer", t.ty().name());
        }
    };
    if secs.is_nan() {
        return raise!(ValueError, "Invalid value NaN (not a number)");
    }
    if !blocking {
        if secs != -1.0 {
            return raise!(ValueError, "can't specify a timeout for a non-blocking call");
        }
        return Ok(Some(0));
    }
    if secs == -1.0 {
        return Ok(None);
    }
    if secs < 0.0 {
        return raise!(ValueError, "timeout value must be a non-negative number");
    }
    if secs > TIMEOUT_MAX {
        return raise!(OverflowError, "timeout value is too large");
    }
    // Rounded up: never too short.
    Ok(Some((secs * 1e9).ceil() as i64))
}

// ---- Lock ----

/// A lock object is a synchronization primitive.  To create a lock,
/// call threading.Lock().
#[pyclass(name = "lock", module = "_thread", weakref, no_new)]
pub struct Lock {
    #[notrace]
    sem: Sem,
    locked: Cell<bool>,
}

impl Lock {
    fn make() -> Owned<Lock> {
        Lock { sem: Sem::new(1), locked: Cell::new(false) }.build()
    }
    fn take_lock(&self, wait: Option<i64>) -> PyResult<bool> {
        let got = self.sem.wait(wait)?;
        if got {
            self.locked.set(true);
        }
        Ok(got)
    }
    fn give_back(&self) -> PyResult<()> {
        if !self.locked.get() {
            return raise!(RuntimeError, "release unlocked lock");
        }
        self.locked.set(false);
        self.sem.post();
        Ok(())
    }
}

#[pymethods]
impl Lock {
    /// acquire(blocking=True, timeout=-1) -> bool
    ///
    /// Lock the lock.  Without argument, this blocks if the lock is already
    /// locked (even by the same thread), waiting for another thread to release
    /// the lock, and return True once the lock is acquired.
    /// With an argument, this will only block if the argument is true,
    /// and the return value reflects whether the lock is acquired.
    /// The blocking operation is interruptible.
    #[pymethod(signature = "(blocking=True, timeout=-1)")]
    fn acquire(&self, blocking: Option<&Object>, timeout: Option<&Object>) -> PyResult<bool> {
        self.take_lock(wait_time(blocking, timeout)?)
    }
    /// An obsolete synonym of acquire().
    #[pymethod(signature = "(blocking=True, timeout=-1)")]
    fn acquire_lock(&self, blocking: Option<&Object>, timeout: Option<&Object>) -> PyResult<bool> {
        self.take_lock(wait_time(blocking, timeout)?)
    }
    /// Release the lock, allowing another thread that is blocked waiting for
    /// the lock to acquire the lock.  The lock must be in the locked state,
    /// but it needn't be locked by the same thread that unlocks it.
    #[pymethod]
    fn release(&self) -> PyResult<()> {
        self.give_back()
    }
    /// An obsolete synonym of release().
    #[pymethod]
    fn release_lock(&self) -> PyResult<()> {
        self.give_back()
    }
    /// Return whether the lock is in the locked state.
    #[pymethod]
    fn locked(&self) -> bool {
        self.locked.get()
    }
    /// An obsolete synonym of locked().
    #[pymethod]
    fn locked_lock(&self) -> bool {
        self.locked.get()
    }
    /// Lock the lock.
    #[pymethod]
    fn __enter__(&self) -> PyResult<bool> {
        self.take_lock(None)
    }
    /// Release the lock.
    #[pymethod(signature = "(*args)")]
    fn __exit__(&self, _args: &Tuple) -> PyResult<()> {
        self.give_back()
    }
    #[pymethod]
    fn _at_fork_reinit(&self) {
        while self.sem.try_wait() {}
        self.sem.post();
        self.locked.set(false);
    }
    #[slot(tp_repr)]
    fn repr(&self) -> String {
        let state = if self.locked.get() { "locked" } else { "unlocked" };
        format!("<{} {} object at {:p}>", state, self.ty().name(), self.as_ptr())
    }
}

// ---- RLock ----

#[pyclass(name = "RLock", module = "_thread", basetype, weakref)]
pub struct RLock {
    #[notrace]
    sem: Sem,
    owner: Cell<u64>,
    count: Cell<u64>,
}

fn ident() -> u64 {
    // SAFETY: this thread's own state.
    unsafe { (*Thread::current_ptr()).thread_id }
}

impl RLock {
    fn take_lock(&self, wait: Option<i64>) -> PyResult<bool> {
        let me = ident();
        if self.count.get() > 0 && self.owner.get() == me {
            self.count.set(self.count.get() + 1);
            return Ok(true);
        }
        let got = self.sem.wait(wait)?;
        if got {
            self.owner.set(me);
            self.count.set(1);
        }
        Ok(got)
    }
    fn mine(&self) -> bool {
        self.count.get() > 0 && self.owner.get() == ident()
    }
    fn give_back(&self) -> PyResult<()> {
        if !self.mine() {
            return raise!(RuntimeError, "cannot release un-acquired lock");
        }
        self.count.set(self.count.get() - 1);
        if self.count.get() == 0 {
            self.owner.set(0);
            self.sem.post();
        }
        Ok(())
    }
}

#[pymethods]
impl RLock {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<RLock>> {
        RLock { sem: Sem::new(1), owner: Cell::new(0), count: Cell::new(0) }.build_in(cls)
    }
    /// Lock the lock.  `blocking` indicates whether we should wait
    /// for the lock to be available or not.  If `blocking` is False
    /// and another thread holds the lock, the method will return False
    /// immediately.  If `blocking` is True and another thread holds
    /// the lock, the method will wait for the lock to be released,
    /// take it and then return True.
    #[pymethod(signature = "(blocking=True, timeout=-1)")]
    fn acquire(&self, blocking: Option<&Object>, timeout: Option<&Object>) -> PyResult<bool> {
        self.take_lock(wait_time(blocking, timeout)?)
    }
    /// Release the lock, allowing another thread that is blocked waiting for
    /// the lock to acquire the lock.  The lock must be in the locked state,
    /// and must be locked by the same thread that unlocks it; otherwise a
    /// `RuntimeError` is raised.
    #[pymethod]
    fn release(&self) -> PyResult<()> {
        self.give_back()
    }
    #[pymethod]
    fn __enter__(&self) -> PyResult<bool> {
        self.take_lock(None)
    }
    /// Release the lock.
    #[pymethod(signature = "(*args)")]
    fn __exit__(&self, _args: &Tuple) -> PyResult<()> {
        self.give_back()
    }
    /// For internal use by `threading.Condition`.
    #[pymethod]
    fn _is_owned(&self) -> bool {
        self.mine()
    }
    /// For internal use by reentrant lock tests.
    #[pymethod]
    fn _recursion_count(&self) -> u64 {
        if self.mine() { self.count.get() } else { 0 }
    }
    /// For internal use by `threading.Condition`.
    #[pymethod]
    fn _release_save(&self) -> PyResult<(u64, u64)> {
        if self.count.get() == 0 {
            return raise!(RuntimeError, "cannot release un-acquired lock");
        }
        let state = (self.count.replace(0), self.owner.replace(0));
        self.sem.post();
        Ok(state)
    }
    /// For internal use by `threading.Condition`.
    #[pymethod]
    fn _acquire_restore(&self, state: &Tuple) -> PyResult<()> {
        if state.len() != 2 {
            return raise!(
                TypeError,
                "_acquire_restore() argument 1 must be sequence of length 2, not {}",
                state.len()
            );
        }
        let count = number::index(state.item_ref(0))?.to_u64_wrapping();
        let owner = number::index(state.item_ref(1))?.to_u64_wrapping();
        while !self.sem.wait(None)? {}
        self.owner.set(owner);
        self.count.set(count);
        Ok(())
    }
    #[pymethod]
    fn _at_fork_reinit(&self) {
        while self.sem.try_wait() {}
        self.sem.post();
        self.owner.set(0);
        self.count.set(0);
    }
    #[slot(tp_repr)]
    fn repr(&self) -> String {
        format!(
            "<{} {} object owner={} count={} at {:p}>",
            if self.count.get() > 0 { "locked" } else { "unlocked" },
            self.ty().name(),
            self.owner.get(),
            self.count.get(),
            self.as_ptr()
        )
    }
}

// ---- Functions ----

static STACK_SIZE: AtomicUsize = AtomicUsize::new(0);

/// How many threads the interpreter has started that still run.
fn count() -> &'static AtomicIsize {
    // SAFETY: the current interpreter is live.
    unsafe { &(*interpreter::current()).threads }
}

/// What a new thread starts with; the references belong to it.
struct Start {
    func: *mut lh_abi::PyObject,
    args: *mut lh_abi::PyObject,
    kw: *mut lh_abi::PyObject,
    interp: *mut Interp,
    ident: std::sync::mpsc::Sender<u64>,
}
// SAFETY: the references are only used by the new thread, with the GIL held.
unsafe impl Send for Start {}

fn run(start: Start) {
    let ts = thread::new_state_of(start.interp);
    // SAFETY: this thread's own state.
    let _ = start.ident.send(unsafe { (*ts).thread_id as u64 });
    thread::gil_acquire();
    // SAFETY: the starter gave the references away.
    unsafe {
        let func: Owned<Object> = Owned::from_raw(start.func);
        let args: Owned<Tuple> = Owned::from_raw(start.args);
        let kw: Option<Owned<Dict>> = Owned::from_raw_opt(start.kw);
        match func.call_tuple(&args, kw.as_deref()) {
            Ok(r) => drop(r),
            Err(e) if e.matches(exc::SystemExit()) => e.clear(),
            Err(_) => lh_runtime::errors::write_unraisable(
                Some(&func),
                Some("Exception ignored in thread started by"),
            ),
        }
        drop(kw);
        drop(args);
        drop(func);
    }
    count().fetch_sub(1, Ordering::SeqCst);
    thread::delete_state();
}

fn start(function: &Object, args: &Object, kwargs: Option<&Object>) -> PyResult<u64> {
    // SAFETY: the current interpreter is live.
    if unsafe { (*interpreter::current()).isolated } {
        return raise!(RuntimeError, "thread is not supported for isolated subinterpreters");
    }
    if !function.is_callable() {
        return raise!(TypeError, "first arg must be callable");
    }
    let Some(args) = args.downcast::<Tuple>() else { return raise!(TypeError, "2nd arg must be a tuple") };
    let kw = match kwargs {
        None => None,
        Some(k) => match k.downcast::<Dict>() {
            Some(d) => Some(d),
            None => return raise!(TypeError, "optional 3rd arg must be a dictionary"),
        },
    };
    let (tx, rx) = std::sync::mpsc::channel();
    let s = Start {
        func: function.own().into_raw(),
        args: args.own().into_raw(),
        kw: kw.map_or(null_mut(), |k| k.own().into_raw()),
        interp: interpreter::current(),
        ident: tx,
    };
    let raw = (s.func, s.args, s.kw);
    let size = match STACK_SIZE.load(Ordering::Relaxed) {
        0 => 16 << 20,
        n => n,
    };
    count().fetch_add(1, Ordering::SeqCst);
    match std::thread::Builder::new().stack_size(size).spawn(move || run(s)) {
        Ok(_) => {
            // The new thread reports its identity before it asks for the GIL.
            Ok(rx.recv().unwrap_or(0))
        }
        Err(_) => {
            count().fetch_sub(1, Ordering::SeqCst);
            // SAFETY: the thread never came to be: the references are still ours.
            unsafe {
                drop(Owned::<Object>::from_raw(raw.0));
                drop(Owned::<Object>::from_raw(raw.1));
                drop(Owned::<Object>::from_raw_opt(raw.2));
            }
            raise!(RuntimeError, "can't start new thread")
        }
    }
}

/// start_new_thread(function, args[, kwargs])
///
/// Start a new thread and return its identifier.  The thread will call the
/// function with positional arguments from the tuple args and keyword arguments
/// taken from the optional dictionary kwargs.  The thread exits when the
/// function returns; the return value is ignored.  The thread will also exit
/// when the function raises an unhandled exception; a stack trace will be
/// printed unless the exception is SystemExit.
#[pyfunction]
pub fn start_new_thread(function: &Object, args: &Object, kwargs: Option<&Object>) -> PyResult<u64> {
    start(function, args, kwargs)
}
/// An obsolete synonym of start_new_thread().
#[pyfunction]
pub fn start_new(function: &Object, args: &Object, kwargs: Option<&Object>) -> PyResult<u64> {
    start(function, args, kwargs)
}
/// Create a new lock object. See help(type(threading.Lock())) for
/// information about locks.
#[pyfunction]
pub fn allocate_lock() -> Owned<Lock> {
    Lock::make()
}
/// An obsolete synonym of allocate_lock().
#[pyfunction]
pub fn allocate() -> Owned<Lock> {
    Lock::make()
}
/// This is synonymous to ``raise SystemExit''.  It will cause the current
/// thread to exit silently unless the exception is caught.
#[pyfunction]
pub fn exit() -> PyResult<()> {
    raise!(SystemExit)
}
/// An obsolete synonym of exit().
#[pyfunction]
pub fn exit_thread() -> PyResult<()> {
    raise!(SystemExit)
}
/// Return a non-zero integer that uniquely identifies the current thread
/// amongst other threads that exist simultaneously.
#[pyfunction]
pub fn get_ident() -> u64 {
    ident()
}
/// Return a non-negative integer identifying the thread as reported
/// by the OS (kernel). This may be used to uniquely identify a
/// particular thread within a system.
#[pyfunction]
pub fn get_native_id() -> u64 {
    // SAFETY: a plain system call.
    unsafe { libc::syscall(libc::SYS_gettid) as u64 }
}
/// Return the number of currently running Python threads, excluding
/// the main thread.
#[pyfunction]
pub fn _count() -> isize {
    count().load(Ordering::SeqCst)
}
/// stack_size([size]) -> size
///
/// Return the thread stack size used when creating new threads.  The
/// optional size argument specifies the stack size (in bytes) to be used
/// for subsequently created threads.
#[pyfunction]
pub fn stack_size(size: Option<isize>) -> PyResult<usize> {
    let old = STACK_SIZE.load(Ordering::Relaxed);
    if let Some(n) = size {
        if n < 0 {
            return raise!(ValueError, "size must be 0 or a positive value");
        }
        if n != 0 && n < 0x8000 {
            return raise!(ValueError, "size not valid: {} bytes", n);
        }
        STACK_SIZE.store(n as usize, Ordering::Relaxed);
    }
    Ok(old)
}
/// Simulate the arrival of the given signal in the main thread,
/// where the corresponding signal handler will be executed.
/// If *signum* is omitted, SIGINT is assumed.
/// A subthread can use this function to interrupt the main thread.
#[pyfunction(signature = "(signum=signal.SIGINT, /)")]
pub fn interrupt_main(signum: Option<i32>) -> PyResult<()> {
    let n = signum.unwrap_or(libc::SIGINT);
    if !(1..65).contains(&n) {
        return raise!(ValueError, "signal number out of range");
    }
    // Without a Python-level handler (default or ignored) nothing happens, as in CPython.
    let signal = hooks::import_module("signal")?;
    let h = signal.call_method("getsignal", &[&Int::from_i64(n as i64)])?;
    if h.is_none() || Int::check(&h) {
        return Ok(());
    }
    // SAFETY: the signal has a handler of ours, which only sets flags.
    unsafe { libc::kill(libc::getpid(), n) };
    Ok(())
}

/// When a thread's state goes: releases its sentinel lock.
unsafe extern "C" fn release_sentinel(data: *mut std::ffi::c_void) {
    // SAFETY: the lock's reference was put there by `_set_sentinel`.
    unsafe {
        let lock: Owned<Lock> = Owned::from_raw(data.cast());
        if lock.locked.get() {
            let _ = lock.give_back();
        }
    }
}

/// Set a sentinel lock that will be released when the current thread
/// state is finalized (after it is untied from the interpreter).
#[pyfunction]
pub fn _set_sentinel() -> Owned<Lock> {
    let lock = Lock::make();
    // SAFETY: this thread's own state.
    unsafe {
        let ts = Thread::current_ptr();
        let old = std::mem::replace(&mut (*ts).on_delete_data, lock.clone().into_raw().cast());
        if (*ts).on_delete.replace(release_sentinel).is_some() && !old.is_null() {
            drop(Owned::<Object>::from_raw(old.cast()));
        }
    }
    lock
}

/// Handle uncaught Thread.run() exception.
#[pyfunction(signature = "(exc_type, exc_value, exc_traceback, thread)", name = "_excepthook", raw)]
pub fn _excepthook(a: Args<'_>) -> PyResult<()> {
    let t = *EXCEPT_ARGS.get().expect("the module is set up");
    let Some(args) = a.get(0).filter(|o| a.len() == 1 && o.ob_type() as usize == t) else {
        return raise!(TypeError, "_thread.excepthook argument type must be ExceptHookArgs");
    };
    let Some(args) = args.downcast::<Tuple>() else { return Ok(()) };
    let (ty, value, tb, th) = (args.item_ref(0), args.item_ref(1), args.item_ref(2), args.item_ref(3));
    if ty.is(exc::SystemExit()) {
        return Ok(());
    }
    let file = match lh_runtime::sysobject::sys_get("stderr").filter(|f| !f.is_none()) {
        Some(f) => f,
        None => {
            if th.is_none() {
                return Ok(());
            }
            match th.get_attr_opt(intern!("_stderr"))? {
                Some(f) if !f.is_none() => f,
                _ => return Ok(()),
            }
        }
    };
    let name = match th.is_none() {
        true => None,
        false => th.get_attr_opt(intern!("name"))?,
    };
    let name = match name {
        Some(n) => n.str()?.to_str_lossy().into_owned(),
        None => ident().to_string(),
    };
    let value = if value.is_none() { ty.call0()? } else { value.own() };
    let text = crate::core::errdisplay::format_exception(&value, Some(tb).filter(|t| !t.is_none()));
    file.call_method("write", &[&Str::new(&format!("Exception in thread {name}:\n{text}"))])?;
    file.call_method("flush", &[])?;
    Ok(())
}
