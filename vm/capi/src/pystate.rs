//! `pystate.h`, `ceval.h`, `pythread.h`, `pylifecycle.h`, `pytime.h`, `fileutils.h`, `context.h`: threads, the GIL, locks, and
//! the private helpers of the standard library's extension modules.

use crate::prelude::*;
use lh_runtime::thread::{self, Thread};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// A `PyThread` lock: held or not, whoever took it.
pub struct Lock {
    held: Mutex<bool>,
    free: Condvar,
}
impl Lock {
    /// Waits at most `wait` (`None`: for ever).
    fn acquire(&self, wait: Option<Duration>) -> bool {
        let mut h = self.held.lock().expect("never poisoned");
        let end = wait.map(|w| Instant::now() + w);
        while *h {
            h = match end {
                None => self.free.wait(h).expect("never poisoned"),
                Some(e) => {
                    let now = Instant::now();
                    if now >= e {
                        return false;
                    }
                    self.free.wait_timeout(h, e - now).expect("never poisoned").0
                }
            };
        }
        *h = true;
        true
    }
}
fn clock(id: libc::clockid_t) -> i64 {
    // SAFETY: a place to write to.
    unsafe {
        let mut t: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(id, &mut t);
        t.tv_sec * 1_000_000_000 + t.tv_nsec
    }
}
/// Division with CPython's rounding modes: 0 floor, 1 ceiling, 2 half even, 3 up (away from zero).
fn divide(t: i64, by: i64, mode: c_int) -> i64 {
    let (q, r) = (t.div_euclid(by), t.rem_euclid(by));
    match mode {
        1 => q + (r != 0) as i64,
        2 => q + (2 * r > by || (2 * r == by && q & 1 == 1)) as i64,
        3 => q + (r != 0 && t >= 0) as i64,
        _ => q,
    }
}
fn round_by(v: f64, mode: c_int) -> f64 {
    match mode {
        0 => v.floor(),
        1 => v.ceil(),
        2 => v.round_ties_even(),
        _ if v >= 0.0 => v.ceil(),
        _ => v.floor(),
    }
}
fn time_overflow<T>() -> PyResult<T> {
    raise!(OverflowError, "timestamp too large to convert to C _PyTime_t")
}
/// A number of units (each `unit` ns) as nanoseconds.
fn time_of(o: &Object, unit: i64, mode: c_int) -> PyResult<i64> {
    if let Some(f) = o.downcast::<Float>() {
        let v = f.value();
        if v.is_nan() {
            return raise!(ValueError, "Invalid value NaN (not a number)");
        }
        let n = round_by(v * unit as f64, mode);
        return if n.abs() < 9.223372036854775e18 { Ok(n as i64) } else { time_overflow() };
    }
    match number::index(o)?.to_i64().and_then(|v| v.checked_mul(unit)) {
        Some(v) => Ok(v),
        None => time_overflow(),
    }
}
/// Seconds and a fraction in `1/parts`.
fn split_time(o: &Object, parts: i64, mode: c_int) -> PyResult<(i64, i64)> {
    if let Some(f) = o.downcast::<Float>() {
        let v = f.value();
        if v.is_nan() {
            return raise!(ValueError, "Invalid value NaN (not a number)");
        }
        let mut s = v.trunc();
        let mut frac = round_by((v - s) * parts as f64, mode);
        if frac >= parts as f64 {
            frac -= parts as f64;
            s += 1.0;
        } else if frac < 0.0 {
            frac += parts as f64;
            s -= 1.0;
        }
        if s.abs() >= 9.2e18 {
            return raise!(OverflowError, "timestamp out of range for platform time_t");
        }
        return Ok((s as i64, frac as i64));
    }
    match number::index(o)?.to_i64() {
        Some(v) => Ok((v, 0)),
        None => raise!(OverflowError, "timestamp out of range for platform time_t"),
    }
}
fn set_inheritable(fd: c_int, on: bool) -> PyResult<()> {
    // SAFETY: plain system calls.
    unsafe {
        let f = libc::fcntl(fd, libc::F_GETFD);
        let new = if on { f & !libc::FD_CLOEXEC } else { f | libc::FD_CLOEXEC };
        if f < 0 || libc::fcntl(fd, libc::F_SETFD, new) < 0 {
            return Err(lh_runtime::errors::raise_last_os_error());
        }
    }
    Ok(())
}
/// Repeats a system call that a signal interrupted, running the signal's handlers in between.
fn retry(mut f: impl FnMut() -> isize) -> PyResult<isize> {
    loop {
        let (n, e) = thread::allow_threads(|| {
            let n = f();
            // SAFETY: the calling thread's own errno.
            (n, unsafe { *libc::__errno_location() })
        });
        if n >= 0 {
            return Ok(n);
        }
        if e != libc::EINTR {
            return Err(lh_runtime::errors::raise_errno(e, None));
        }
        thread::check_signals()?;
    }
}
fn running() -> PyResult<&'static lh_interp::builtins::EvalApi> {
    lh_interp::builtins::api()
}

/// For functions that C may call without holding the GIL.
fn with_gil<R>(f: impl FnOnce() -> R) -> R {
    let had = lh_runtime::thread::ensure();
    let r = f();
    lh_runtime::thread::ensure_end(had);
    r
}

fn when_tracing(f: impl FnOnce() -> c_int) -> c_int {
    if lh_runtime::tracemalloc::is_tracing() { with_gil(f) } else { -2 }
}

capi! {
    // ---- Threads and the GIL ----
    fn PyEval_SaveThread() -> [*mut PyThreadState] { let ts = Thread::current_ptr(); thread::gil_release(); ts }
    fn PyGILState_Check() -> [c_int] { thread::holds_gil() as c_int }
    fn PyGILState_GetThisThreadState() -> [*mut PyThreadState] { thread::mine() }
    fn PyThreadState_Get() -> [*mut PyThreadState] { Thread::current_ptr() }
    fn PyThreadState_GetUnchecked() -> [*mut PyThreadState] { Thread::current_ptr() }
    fn _PyThreadState_UncheckedGet() -> [*mut PyThreadState] { Thread::current_ptr() }
    fn PyThreadState_GetID(ts: *mut PyThreadState) -> [u64] { (*ts).id }
    fn PyThreadState_GetDict() -> borrowed { Ok(thread_dict(Thread::current_ptr())) }
    fn _PyThreadState_GetDict(ts: *mut PyThreadState) -> [*mut PyObject] { thread_dict(ts) }
    fn PyThreadState_GetFrame(ts: *mut PyThreadState) -> [*mut PyObject] {
        let frame = match lh_runtime::sysobject::TRACE_HOOKS.get() {
            Some(h) if ts != Thread::current_ptr() => (h.frame_of)(ts),
            _ => (lh_runtime::hooks::hooks().current_frame)(),
        };
        frame.map_or(null_mut(), Owned::into_raw)
    }
    fn PyThreadState_EnterTracing(ts: *mut PyThreadState) -> void { (*ts).tracing += 1; (*(*ts).cframe).use_tracing = 0 }
    fn PyThreadState_LeaveTracing(ts: *mut PyThreadState) -> void {
        (*ts).tracing -= 1;
        (*(*ts).cframe).use_tracing = lh_runtime::thread::tracing_mask(ts);
    }
    fn Py_EnterRecursiveCall(place: *const c_char) -> status {
        if thread::take_level() {
            return Ok(());
        }
        let place = <&CStr>::take(place)?;
        std::mem::forget(thread::enter_recursive(&text(place))?);
        Ok(())
    }
    fn Py_LeaveRecursiveCall() -> void { (*Thread::current_ptr()).recursion_remaining += 1 }
    fn _Py_CheckRecursiveCall(_ts: *mut PyThreadState, place: &CStr) -> status {
        // The caller has taken the level already.
        (*Thread::current_ptr()).recursion_remaining += 1;
        std::mem::forget(thread::enter_recursive(&text(place))?);
        Ok(())
    }
    fn Py_SetRecursionLimit(n: c_int) -> void { Thread::set_recursion_limit(n) }
    fn Py_GetRecursionLimit() -> [c_int] { Thread::recursion_limit() }
    fn Py_IsInitialized() -> [c_int] { !thread::is_finalizing() as c_int }
    fn _Py_IsFinalizing() -> [c_int] { thread::is_finalizing() as c_int }
    fn PyEval_ThreadsInitialized() -> [c_int] { 1 }
    fn PyEval_InitThreads() -> void {}
    fn PyEval_ReleaseThread(_ts: *mut PyThreadState) -> void { thread::gil_release() }
    fn PyOS_InterruptOccurred() -> [c_int] { 0 }
    fn PyOS_BeforeFork() -> void {}
    fn PyOS_AfterFork_Parent() -> void {}
    fn PyOS_AfterFork_Child() -> void { thread::after_fork_child() }
    fn PyOS_AfterFork() -> void { thread::after_fork_child() }

    // ---- Evaluation ----
    fn PyEval_GetBuiltins() -> [*mut PyObject] short {
        let b = lh_interp::frame_builtins();
        if b.is_null() { None } else { Some(b) }
    } { (running()?.current_builtins)().ptr() }
    fn PyEval_GetGlobals() -> [*mut PyObject] { (running()?.current_globals)().map_or(null_mut(), |d| d.ptr()) }
    fn PyEval_GetLocals() -> borrowed { Ok((running()?.current_locals)()?.ptr()) }
    fn PyEval_GetFrame() -> [*mut PyObject] { (lh_runtime::hooks::hooks().current_frame)().map_or(null_mut(), |f| f.ptr()) }
    fn PyEval_MergeCompilerFlags(f: *mut c_int) -> [c_int] {
        let flags = (running()?.current_code_flags)() & 0x1fe_0000;
        *f |= flags;
        (*f != 0) as c_int
    }
    fn _PyEval_GetBuiltin(name: &Str) -> obj {
        match (running()?.current_builtins)().get_item(name) {
            Ok(v) => Ok(v),
            Err(e) => { e.clear(); raise!(AttributeError, "{}", name.to_str_lossy()) }
        }
    }
    fn PyEval_EvalCode(code: &Code, g: &Dict, l: Option<&Object>) -> obj { (running()?.eval_code)(code, g, l, None) }
    fn PyCompile_OpcodeStackEffectWithJump(op: c_int, arg: c_int, jump: c_int) -> (c_int, c_int::MAX) {
        let m = lh_runtime::import::import_module("_opcode")?;
        let arg = if op < 90 { none() } else { Int::from_i64(arg as i64).into_object() };
        let j = match jump { 1 => bool_obj(true), 0 => bool_obj(false), _ => none() };
        let r = m.get_attr_str("stack_effect")?.call_kw(&[&*Int::from_i64(op as i64), &arg], &[("jump", &j)])?;
        Ok(r.downcast::<Int>().and_then(|i| i.to_i64()).unwrap_or(0) as c_int)
    }

    // ---- Locks ----
    fn PyThread_init_thread() -> void {}
    fn PyThread_get_thread_ident() -> [c_ulong] { libc::pthread_self() }
    fn PyThread_get_thread_native_id() -> [c_ulong] { libc::syscall(libc::SYS_gettid) as c_ulong }
    fn PyThread_get_stacksize() -> [usize] { 0 }
    fn PyThread_allocate_lock() -> [*mut Lock] { Box::into_raw(Box::new(Lock { held: Mutex::new(false), free: Condvar::new() })) }
    fn PyThread_free_lock(l: *mut Lock) -> void { drop(Box::from_raw(l)) }
    /// The locks inside `_PyRuntime` are null: the GIL guards what theirs would.
    fn PyThread_acquire_lock(l: *mut Lock, wait: c_int) -> [c_int] {
        if l.is_null() {
            return Ok(1);
        }
        (*l).acquire(if wait != 0 { None } else { Some(Duration::ZERO) }) as c_int
    }
    /// 0 not acquired, 1 acquired. Signals do not interrupt the wait.
    fn PyThread_acquire_lock_timed(l: *mut Lock, us: c_longlong, _intr: c_int) -> [c_int] {
        (*l).acquire(if us < 0 { None } else { Some(Duration::from_micros(us as u64)) }) as c_int
    }
    fn PyThread_release_lock(l: *mut Lock) -> void {
        if l.is_null() {
            return Ok(());
        }
        *(*l).held.lock().expect("never poisoned") = false;
        (*l).free.notify_one();
    }
    fn PyThread_tss_alloc() -> [*mut Tss] { Box::into_raw(Box::new(Tss { initialized: 0, key: 0 })) }
    fn PyThread_tss_free(t: *mut Tss) -> void { if !t.is_null() { PyThread_tss_delete(t); drop(Box::from_raw(t)) } }
    fn PyThread_tss_is_created(t: *mut Tss) -> [c_int] { (*t).initialized }
    fn PyThread_tss_create(t: *mut Tss) -> [c_int] {
        if (*t).initialized != 0 {
            return Ok(0);
        }
        let r = libc::pthread_key_create(&raw mut (*t).key, None);
        if r == 0 { (*t).initialized = 1; 0 } else { -1 }
    }
    fn PyThread_tss_delete(t: *mut Tss) -> void {
        if (*t).initialized != 0 {
            libc::pthread_key_delete((*t).key);
            (*t).initialized = 0;
        }
    }
    fn PyThread_tss_get(t: *mut Tss) -> [*mut c_void] { libc::pthread_getspecific((*t).key) }
    fn PyThread_tss_set(t: *mut Tss, v: *mut c_void) -> [c_int] { if libc::pthread_setspecific((*t).key, v) == 0 { 0 } else { -1 } }

    // ---- Time ----
    fn _PyTime_GetSystemClock() -> [i64] { clock(libc::CLOCK_REALTIME) }
    fn _PyTime_GetMonotonicClock() -> [i64] { clock(libc::CLOCK_MONOTONIC) }
    fn _PyTime_GetPerfCounter() -> [i64] { clock(libc::CLOCK_MONOTONIC) }
    fn _PyTime_FromSeconds(s: c_int) -> [i64] { s as i64 * 1_000_000_000 }
    fn _PyTime_FromNanoseconds(n: i64) -> [i64] { n }
    fn _PyTime_FromNanosecondsObject(t: *mut i64, o: &Object) -> status {
        let Some(i) = o.downcast::<Int>() else { return raise!(TypeError, "expect int, got {}", o.ty().name()) };
        match i.to_i64() { Some(v) => { *t = v; Ok(()) } None => time_overflow() }
    }
    fn _PyTime_FromSecondsObject(t: *mut i64, o: &Object, mode: c_int) -> status { *t = time_of(o, 1_000_000_000, mode)?; Ok(()) }
    fn _PyTime_FromMillisecondsObject(t: *mut i64, o: &Object, mode: c_int) -> status { *t = time_of(o, 1_000_000, mode)?; Ok(()) }
    fn _PyTime_AsSecondsDouble(t: i64) -> [f64] {
        if t % 1_000_000_000 == 0 { (t / 1_000_000_000) as f64 } else { t as f64 / 1e9 }
    }
    fn _PyTime_AsMilliseconds(t: i64, mode: c_int) -> [i64] { divide(t, 1_000_000, mode) }
    fn _PyTime_AsMicroseconds(t: i64, mode: c_int) -> [i64] { divide(t, 1_000, mode) }
    fn _PyTime_AsNanosecondsObject(t: i64) -> obj { Ok(Int::from_i64(t)) }
    fn _PyTime_AsTimeval(t: i64, tv: *mut libc::timeval, mode: c_int) -> status {
        let us = divide(t, 1000, mode);
        (*tv).tv_sec = us.div_euclid(1_000_000);
        (*tv).tv_usec = us.rem_euclid(1_000_000);
        Ok(())
    }
    fn _PyTime_AsTimeval_clamp(t: i64, tv: *mut libc::timeval, mode: c_int) -> void {
        let us = divide(t, 1000, mode);
        (*tv).tv_sec = us.div_euclid(1_000_000);
        (*tv).tv_usec = us.rem_euclid(1_000_000);
    }
    fn _PyTime_AsTimevalTime_t(t: i64, s: *mut i64, us: *mut c_int, mode: c_int) -> status {
        let n = divide(t, 1000, mode);
        *s = n.div_euclid(1_000_000);
        *us = n.rem_euclid(1_000_000) as c_int;
        Ok(())
    }
    fn _PyTime_AsTimespec(t: i64, ts: *mut libc::timespec) -> status {
        (*ts).tv_sec = t.div_euclid(1_000_000_000);
        (*ts).tv_nsec = t.rem_euclid(1_000_000_000);
        Ok(())
    }
    fn _PyTime_ObjectToTime_t(o: &Object, s: *mut i64, mode: c_int) -> status {
        *s = match o.downcast::<Float>() { Some(f) => round_by(f.value(), mode) as i64, None => split_time(o, 1, mode)?.0 };
        Ok(())
    }
    fn _PyTime_ObjectToTimeval(o: &Object, s: *mut i64, us: *mut c_long, mode: c_int) -> status { (*s, *us) = split_time(o, 1_000_000, mode)?; Ok(()) }
    fn _PyTime_ObjectToTimespec(o: &Object, s: *mut i64, ns: *mut c_long, mode: c_int) -> status { (*s, *ns) = split_time(o, 1_000_000_000, mode)?; Ok(()) }
    fn _PyTime_localtime(t: i64, tm: *mut libc::tm) -> status {
        if libc::localtime_r(&t, tm).is_null() { Err(lh_runtime::errors::raise_last_os_error()) } else { Ok(()) }
    }
    fn _PyTime_gmtime(t: i64, tm: *mut libc::tm) -> status {
        if libc::gmtime_r(&t, tm).is_null() { Err(lh_runtime::errors::raise_last_os_error()) } else { Ok(()) }
    }
    fn _PyDeadline_Init(t: i64) -> [i64] { clock(libc::CLOCK_MONOTONIC).saturating_add(t) }
    fn _PyDeadline_Get(t: i64) -> [i64] { t.saturating_sub(clock(libc::CLOCK_MONOTONIC)) }

    // ---- Files and signals ----
    fn _Py_open(path: &CStr, flags: c_int) -> (c_int, -1) {
        retry(|| libc::open(path.as_ptr(), flags | libc::O_CLOEXEC) as isize).map(|n| n as c_int)
    }
    fn _Py_open_noraise(path: &CStr, flags: c_int) -> [c_int] { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC) }
    fn _Py_read(fd: c_int, p: *mut c_void, n: usize) -> (isize, -1) { retry(|| libc::read(fd, p, n.min(0x7fff_f000))) }
    fn _Py_write(fd: c_int, p: *const c_void, n: usize) -> (isize, -1) { retry(|| libc::write(fd, p, n.min(0x7fff_f000))) }
    fn _Py_write_noraise(fd: c_int, p: *const c_void, n: usize) -> [isize] { libc::write(fd, p, n.min(0x7fff_f000)) }
    fn _Py_dup(fd: c_int) -> (c_int, -1) {
        let n = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0);
        if n < 0 { Err(lh_runtime::errors::raise_last_os_error()) } else { Ok(n) }
    }
    fn _Py_fstat(fd: c_int, s: *mut libc::stat) -> status {
        if libc::fstat(fd, s) != 0 { Err(lh_runtime::errors::raise_last_os_error()) } else { Ok(()) }
    }
    fn _Py_fstat_noraise(fd: c_int, s: *mut libc::stat) -> [c_int] { libc::fstat(fd, s) }
    fn _Py_set_inheritable(fd: c_int, on: c_int, _works: *mut c_int) -> status { set_inheritable(fd, on != 0) }
    fn _Py_set_inheritable_async_safe(fd: c_int, on: c_int, _works: *mut c_int) -> [c_int] {
        let f = libc::fcntl(fd, libc::F_GETFD);
        libc::fcntl(fd, libc::F_SETFD, if on != 0 { f & !libc::FD_CLOEXEC } else { f | libc::FD_CLOEXEC })
    }
    fn _Py_fopen_obj(path: &Object, mode: &CStr) -> (*mut libc::FILE, null_mut()) {
        let p = crate::unicodeobject::fs_path(path)?;
        let b = match p.downcast::<Str>() {
            Some(s) => lh_runtime::codecs::fs_encode(s)?,
            None => p.downcast::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default(),
        };
        let Ok(c) = std::ffi::CString::new(b) else { return raise!(ValueError, "embedded null byte") };
        lh_runtime::sysobject::audit("open", &[path, &str_of(mode), &Int::from_i64(0)])?;
        let f = libc::fopen(c.as_ptr(), mode.as_ptr());
        if f.is_null() {
            return Err(lh_runtime::errors::raise_errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(0), Some(path)));
        }
        set_inheritable(libc::fileno(f), false)?;
        Ok(f)
    }
    fn _Py_RestoreSignals() -> void {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
    }
    fn PyOS_setsig(sig: c_int, f: usize) -> [usize] {
        let mut new: libc::sigaction = std::mem::zeroed();
        let mut old: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = f;
        new.sa_flags = libc::SA_ONSTACK;
        if libc::sigaction(sig, &new, &mut old) < 0 { libc::SIG_ERR } else { old.sa_sigaction }
    }
    fn PyOS_getsig(sig: c_int) -> [usize] {
        let mut old: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(sig, null(), &mut old) < 0 { libc::SIG_ERR } else { old.sa_sigaction }
    }
    fn _PyOS_URandomNonblock(p: *mut c_void, n: isize) -> status { random(p, n) }
    fn _PyOS_URandom(p: *mut c_void, n: isize) -> status { random(p, n) }
    fn _Py_SetLocaleFromEnv(category: c_int) -> [*mut c_char] { libc::setlocale(category, c"".as_ptr()) }
    fn PyOS_mystricmp(a: &CStr, b: &CStr) -> [c_int] { libc::strcasecmp(a.as_ptr(), b.as_ptr()) }
    fn PyOS_mystrnicmp(a: &CStr, b: &CStr, n: isize) -> [c_int] { libc::strncasecmp(a.as_ptr(), b.as_ptr(), n as usize) }
    fn PyOS_strtoul(s: *const c_char, end: *mut *mut c_char, base: c_int) -> [c_ulong] { libc::strtoul(s, end, base) }
    fn PyOS_strtol(s: *const c_char, end: *mut *mut c_char, base: c_int) -> [c_long] { libc::strtol(s, end, base) }
    fn Py_GetVersion() -> [*const c_char] { c"3.11.2 (lancehead)".as_ptr() }
    fn Py_GetPlatform() -> [*const c_char] { c"linux".as_ptr() }
    fn Py_AtExit(f: extern "C" fn()) -> [c_int] { if lh_runtime::exitfuncs::add(f) { 0 } else { -1 } }
    fn Py_FatalError(m: &CStr) -> void { fatal(None, m) }
    fn _Py_FatalErrorFunc(f: Option<&CStr>, m: &CStr) -> void { fatal(f, m) }
    fn _Py_HashPointer(p: *const c_void) -> [isize] { lh_runtime::floatobject::hash_pointer(p as usize) }
    fn _Py_HashPointerRaw(p: *const c_void) -> [isize] { (p as usize).rotate_right(4) as isize }
    /// Asked for every block: nothing is done, and no GIL taken, as long as nothing is traced.
    fn PyTraceMalloc_Track(d: c_uint, p: usize, n: usize) -> [c_int] { when_tracing(|| if lh_runtime::tracemalloc::track(d, p, n) { 0 } else { -2 }) }
    fn PyTraceMalloc_Untrack(d: c_uint, p: usize) -> [c_int] { when_tracing(|| if lh_runtime::tracemalloc::untrack(d, p) { 0 } else { -2 }) }
}

/// `Py_tss_t`.
#[repr(C)]
pub struct Tss {
    initialized: c_int,
    key: libc::pthread_key_t,
}
impl Arg for extern "C" fn() {
    type C = extern "C" fn();
    unsafe fn take(c: Self::C) -> PyResult<Self> {
        Ok(c)
    }
}

/// `PyGILState_Ensure`: 0 if the GIL was held before. Callable from any native thread, so no conversions happen here.
#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_Ensure() -> c_int {
    !thread::ensure() as c_int
}
#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_Release(state: c_int) {
    thread::ensure_end(state == 0)
}

fn thread_dict(ts: *mut PyThreadState) -> *mut PyObject {
    if ts.is_null() {
        return null_mut();
    }
    // SAFETY: a live thread state owns its dictionary.
    unsafe {
        if (*ts).dict.is_null() {
            (*ts).dict = Dict::new().into_raw();
        }
        (*ts).dict
    }
}
fn random(p: *mut c_void, n: isize) -> PyResult<()> {
    let mut done = 0;
    while done < n {
        // SAFETY: the caller's buffer.
        let k = unsafe { libc::getrandom(p.cast::<u8>().offset(done).cast(), (n - done) as usize, 0) };
        if k < 0 {
            return Err(lh_runtime::errors::raise_last_os_error());
        }
        done += k;
    }
    Ok(())
}
fn fatal(f: Option<&CStr>, m: &CStr) -> ! {
    lh_runtime::faultdump::fatal(f, m.to_bytes())
}

// ---- Variables ----

/// A pointer or constant that C code reads.
#[repr(transparent)]
pub struct Shared<T>(T);
// SAFETY: written only while the GIL is held, or never.
unsafe impl<T> Sync for Shared<T> {}
macro_rules! variables {
    ($($name:ident: $t:ty = $v:expr;)*) => { $(
        #[unsafe(no_mangle)]
        pub static mut $name: Shared<$t> = Shared($v);
    )* };
}
variables! {
    PyOS_InputHook: *mut c_void = null_mut();
    Py_FileSystemDefaultEncoding: *const c_char = c"utf-8".as_ptr();
    Py_FileSystemDefaultEncodeErrors: *const c_char = c"surrogateescape".as_ptr();
    Py_HasFileSystemDefaultEncoding: c_int = 1;
    Py_UTF8Mode: c_int = 0;
    _Py_SwappedOp: [c_int; 6] = [4, 5, 2, 3, 0, 1];
    Py_hexdigits: *const c_char = c"0123456789abcdef".as_ptr();
    _PyByteArray_empty_string: [u8; 1] = [0];
    Py_OptimizeFlag: c_int = 0;
    Py_DebugFlag: c_int = 0;
    Py_VerboseFlag: c_int = 0;
    Py_NoSiteFlag: c_int = 0;
    Py_IgnoreEnvironmentFlag: c_int = 0;
    Py_InspectFlag: c_int = 0;
    Py_InteractiveFlag: c_int = 0;
    Py_BytesWarningFlag: c_int = 0;
    Py_DontWriteBytecodeFlag: c_int = 0;
    Py_UnbufferedStdioFlag: c_int = 0;
    Py_HashRandomizationFlag: c_int = 1;
    Py_IsolatedFlag: c_int = 0;
    Py_QuietFlag: c_int = 0;
    Py_FrozenFlag: c_int = 0;
    Py_NoUserSiteDirectory: c_int = 0;
    Py_Version: c_ulong = 0x030b02f0;
    _Py_ascii_whitespace: [u8; 128] = { let mut t = [0; 128]; let w = [9, 10, 11, 12, 13, 28, 29, 30, 31, 32]; let mut i = 0; while i < w.len() { t[w[i]] = 1; i += 1; } t };
    _Py_ctype_tolower: [u8; 256] = case_table(true);
    _Py_ctype_toupper: [u8; 256] = case_table(false);
    _Py_ctype_table: [c_uint; 256] = class_table();
    _PyLong_DigitValue: [u8; 256] = digit_table();
}
const fn case_table(lower: bool) -> [u8; 256] {
    let mut t = [0; 256];
    let mut i = 0;
    while i < 256 {
        let c = i as u8;
        t[i] = if lower { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
        i += 1;
    }
    t
}
/// Bits: 1 lower, 2 upper, 4 digit, 8 hex digit, 16 space.
const fn class_table() -> [c_uint; 256] {
    let mut t = [0; 256];
    let mut i = 0;
    while i < 256 {
        let c = i as u8;
        t[i] = c.is_ascii_lowercase() as c_uint
            | (c.is_ascii_uppercase() as c_uint) << 1
            | (c.is_ascii_digit() as c_uint) << 2
            | (c.is_ascii_hexdigit() as c_uint) << 3
            | ((c == 32 || (c >= 9 && c <= 13)) as c_uint) << 4;
        i += 1;
    }
    t
}
const fn digit_table() -> [u8; 256] {
    let mut t = [37; 256];
    let mut i = 0;
    while i < 256 {
        let c = (i as u8).to_ascii_lowercase();
        if c.is_ascii_digit() {
            t[i] = c - b'0';
        } else if c.is_ascii_lowercase() {
            t[i] = c - b'a' + 10;
        }
        i += 1;
    }
    t
}

unsafe extern "C" {
    fn lh_variadic_shim();
}
/// Ties the C shim to this crate, so that the linker keeps it.
#[used]
static SHIM: unsafe extern "C" fn() = lh_variadic_shim;
