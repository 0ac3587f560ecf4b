//! `faulthandler`: tracebacks when the process dies of a signal, after a time, or when a signal asks for them.
//!
//! The handlers write by [`lh_runtime::faultdump`] and touch nothing else; what they need to know lies in atomics. A watchdog
//! is a native thread that waits to be told to stop.

use lh_runtime::faultdump::{self, Out};
use lh_runtime::prelude::*;
use lh_runtime::thread;
use std::cell::UnsafeCell;
use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

module! {
    "faulthandler",
    doc: "faulthandler module.",
    functions: [
        enable, disable, is_enabled, dump_traceback, dump_traceback_later, cancel_dump_traceback_later, register, unregister,
        _read_null, _sigsegv, _sigabrt, _sigfpe, _stack_overflow, _fatal_error_c_thread,
    ],
}

// ---- Where to write ----

/// The descriptor of a `file` argument and the object to keep for it.
fn descriptor(file: Option<&Object>) -> PyResult<(c_int, Option<Owned<Object>>)> {
    let file = match file.filter(|f| !f.is_none()) {
        Some(f) => f.own(),
        None => match lh_runtime::sysobject::sys_get("stderr") {
            None => return raise!(RuntimeError, "unable to get sys.stderr"),
            Some(f) if f.is_none() => return raise!(RuntimeError, "sys.stderr is None"),
            Some(f) => f,
        },
    };
    if Int::check(&file) {
        let fd = lh_runtime::number::as_isize(&file, Some(exc::OverflowError()))?;
        return match c_int::try_from(fd) {
            Ok(fd) if fd >= 0 => Ok((fd, None)),
            _ => raise!(ValueError, "file is not a valid file descripter"),
        };
    }
    let fd = file.call_method("fileno", &[])?;
    let fd = match fd.downcast::<Int>().and_then(|i| i.to_i64()).and_then(|n| c_int::try_from(n).ok()) {
        Some(fd) if fd >= 0 => fd,
        _ => return raise!(RuntimeError, "file.fileno() is not a valid file descriptor"),
    };
    if let Err(e) = file.call_method("flush", &[]) {
        e.clear();
    }
    Ok((fd, Some(file)))
}

// ---- Fatal signals ----

const FATAL: [(c_int, &[u8]); 5] = [
    (libc::SIGBUS, b"Bus error"),
    (libc::SIGILL, b"Illegal instruction"),
    (libc::SIGFPE, b"Floating point exception"),
    (libc::SIGABRT, b"Aborted"),
    (libc::SIGSEGV, b"Segmentation fault"),
];

static ENABLED: AtomicBool = AtomicBool::new(false);
static FD: AtomicI32 = AtomicI32::new(2);
static ALL_THREADS: AtomicBool = AtomicBool::new(true);
/// The file object that is written to.
static FILE: Mutex<Option<Kept>> = Mutex::new(None);

struct Kept(#[allow(dead_code, reason = "kept alive")] Owned<Object>);
// SAFETY: made and dropped under the GIL only.
unsafe impl Send for Kept {}

/// What handled a signal before; written while the handler isn't installed, read by the handler.
struct Previous(UnsafeCell<[Option<libc::sigaction>; 65]>);
// SAFETY: changed under the GIL, entry by entry, before a handler is installed and after it is gone.
unsafe impl Sync for Previous {}
static PREVIOUS: Previous = Previous(UnsafeCell::new([None; 65]));

fn previous(signum: c_int) -> *mut Option<libc::sigaction> {
    // SAFETY: signal numbers are checked to be below 65.
    unsafe { PREVIOUS.0.get().cast::<Option<libc::sigaction>>().add(signum as usize) }
}

/// Installs a handler on the alternative stack, remembering the one before.
fn install(signum: c_int, handler: extern "C" fn(c_int), flags: c_int) -> std::io::Result<()> {
    give_stack();
    // SAFETY: plain system calls.
    unsafe {
        let mut a: libc::sigaction = std::mem::zeroed();
        a.sa_sigaction = handler as *const () as usize;
        a.sa_flags = flags | libc::SA_ONSTACK;
        libc::sigemptyset(&mut a.sa_mask);
        let mut old = std::mem::zeroed();
        if libc::sigaction(signum, &a, &mut old) != 0 {
            return Err(std::io::Error::last_os_error());
        }
        *previous(signum) = Some(old);
    }
    Ok(())
}
fn restore_previous(signum: c_int) {
    // SAFETY: what `install` found.
    unsafe {
        if let Some(old) = (*previous(signum)).take() {
            libc::sigaction(signum, &old, std::ptr::null_mut());
        }
    }
}
/// A stack for handlers, so that they run when the ordinary one is used up. The main thread's; it is never given back.
fn give_stack() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.swap(true, Ordering::SeqCst) {
        return;
    }
    const SIZE: usize = 64 * 1024;
    // SAFETY: fresh memory that stays.
    unsafe {
        let mut now: libc::stack_t = std::mem::zeroed();
        if libc::sigaltstack(std::ptr::null(), &mut now) == 0 && now.ss_flags & libc::SS_DISABLE == 0 {
            return;
        }
        let p = libc::mmap(
            std::ptr::null_mut(),
            SIZE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if p != libc::MAP_FAILED {
            let s = libc::stack_t { ss_sp: p, ss_flags: 0, ss_size: SIZE };
            libc::sigaltstack(&s, std::ptr::null_mut());
        }
    }
}

/// Writes what the threads are doing.
fn dump(fd: c_int, all: bool) {
    let ts = thread::mine();
    // SAFETY: this thread's state, or none.
    unsafe {
        if all {
            faultdump::dump_threads(fd, ts);
        } else {
            faultdump::dump_stack(fd, ts);
        }
    }
}

extern "C" fn on_fatal(signum: c_int) {
    // SAFETY: errno of this thread.
    let errno = unsafe { *libc::__errno_location() };
    // The signal's own doing comes last.
    restore_previous(signum);
    if !faultdump::REPORTED.swap(true, Ordering::SeqCst) {
        let fd = FD.load(Ordering::Relaxed);
        let name = FATAL.iter().find(|f| f.0 == signum).map_or(&b"unknown"[..], |f| f.1);
        {
            let mut out = Out::new(fd);
            out.text(b"Fatal Python error: ");
            out.text(name);
            out.text(b"\n\n");
        }
        dump(fd, ALL_THREADS.load(Ordering::Relaxed));
        faultdump::dump_extension_modules(fd);
    }
    // SAFETY: errno is put back; the signal goes to whoever had it before, at once or when this handler returns.
    unsafe {
        *libc::__errno_location() = errno;
        libc::raise(signum);
    }
}

/// enable(file=sys.stderr, all_threads=True): enable the fault handler
#[pyfunction(signature = "(file=sys.stderr, all_threads=True)")]
pub fn enable(file: Option<&Object>, all_threads: Option<bool>) -> PyResult<()> {
    let (fd, keep) = descriptor(file)?;
    *FILE.lock().expect("never poisoned") = keep.map(Kept);
    FD.store(fd, Ordering::Relaxed);
    ALL_THREADS.store(all_threads.unwrap_or(true), Ordering::Relaxed);
    if !ENABLED.swap(true, Ordering::SeqCst) {
        for (signum, _) in FATAL {
            if install(signum, on_fatal, libc::SA_NODEFER).is_err() {
                return raise!(RuntimeError, "unable to enable the fault handler for signal {}", signum);
            }
        }
    }
    Ok(())
}
/// disable(): disable the fault handler
#[pyfunction]
pub fn disable() -> bool {
    let was = ENABLED.swap(false, Ordering::SeqCst);
    if was {
        FATAL.iter().rev().for_each(|f| restore_previous(f.0));
        *FILE.lock().expect("never poisoned") = None;
    }
    was
}
/// is_enabled()->bool: check if the handler is enabled
#[pyfunction]
pub fn is_enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}
/// dump_traceback(file=sys.stderr, all_threads=True): dump the traceback of the current thread, or of all threads if all_threads is True, into file
#[pyfunction(signature = "(file=sys.stderr, all_threads=True)")]
pub fn dump_traceback(file: Option<&Object>, all_threads: Option<bool>) -> PyResult<()> {
    let (fd, _keep) = descriptor(file)?;
    dump(fd, all_threads.unwrap_or(true));
    Ok(())
}

// ---- Watchdogs ----

/// The running watchdog: telling it to stop, and its end.
struct Watchdog {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: std::thread::JoinHandle<()>,
    _file: Option<Kept>,
}
static WATCHDOG: Mutex<Option<Watchdog>> = Mutex::new(None);

fn stop_watchdog() {
    let dog = WATCHDOG.lock().expect("never poisoned").take();
    if let Some(dog) = dog {
        *dog.stop.0.lock().expect("never poisoned") = true;
        dog.stop.1.notify_all();
        let _ = dog.thread.join();
    }
}

/// `Timeout (h:mm:ss[.uuuuuu])!`
fn timeout_header(us: u64) -> String {
    let (s, us) = (us / 1_000_000, us % 1_000_000);
    let time = format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
    if us != 0 { format!("Timeout ({time}.{us:06})!\n") } else { format!("Timeout ({time})!\n") }
}

/// dump_traceback_later(timeout, repeat=False, file=sys.stderr, exit=False):
/// dump the traceback of all threads in timeout seconds,
/// or each timeout seconds if repeat is True. If exit is True, call _exit(1) which is not safe.
#[pyfunction(signature = "(timeout, repeat=False, file=sys.stderr, exit=False)")]
pub fn dump_traceback_later(
    timeout: &Object,
    repeat: Option<bool>,
    file: Option<&Object>,
    exit: Option<bool>,
) -> PyResult<()> {
    let (repeat, exit) = (repeat.unwrap_or(false), exit.unwrap_or(false));
    let timeout = match timeout.downcast::<Float>() {
        Some(f) => f.value(),
        None => lh_runtime::number::index(timeout)?.to_f64()?,
    };
    if timeout.is_nan() {
        return raise!(ValueError, "Invalid value NaN (not a number)");
    }
    let us = (timeout * 1e6).ceil();
    if us <= 0.0 {
        return raise!(ValueError, "timeout must be greater than 0");
    }
    if us > i64::MAX as f64 / 1e3 {
        return raise!(OverflowError, "timeout value is too large");
    }
    let us = us as u64;
    let (fd, keep) = descriptor(file)?;
    let header = timeout_header(us);
    stop_watchdog();
    let stop = Arc::new((Mutex::new(false), Condvar::new()));
    let told = stop.clone();
    let wait = move || {
        // SAFETY: signals are for the other threads.
        unsafe {
            let mut all = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, std::ptr::null_mut());
        }
        loop {
            let stopped = told.0.lock().expect("never poisoned");
            let (stopped, _) = told
                .1
                .wait_timeout_while(stopped, Duration::from_micros(us), |stopped| !*stopped)
                .expect("never poisoned");
            if *stopped {
                return;
            }
            Out::new(fd).text(header.as_bytes());
            // SAFETY: no thread is the current one.
            unsafe { faultdump::dump_threads(fd, std::ptr::null_mut()) };
            if exit {
                // SAFETY: what was asked for.
                unsafe { libc::_exit(1) };
            }
            if !repeat {
                return;
            }
        }
    };
    match std::thread::Builder::new().stack_size(128 * 1024).spawn(wait) {
        Ok(thread) => {
            *WATCHDOG.lock().expect("never poisoned") =
                Some(Watchdog { stop, thread, _file: keep.map(Kept) });
            Ok(())
        }
        Err(_) => raise!(RuntimeError, "unable to start watchdog thread"),
    }
}
/// cancel_dump_traceback_later():
/// cancel the previous call to dump_traceback_later().
#[pyfunction]
pub fn cancel_dump_traceback_later() {
    stop_watchdog();
}

// ---- Signals that ask for a traceback ----

struct User {
    enabled: AtomicBool,
    fd: AtomicI32,
    all_threads: AtomicBool,
    chain: AtomicBool,
}
static USERS: [User; 65] = [const {
    User {
        enabled: AtomicBool::new(false),
        fd: AtomicI32::new(2),
        all_threads: AtomicBool::new(true),
        chain: AtomicBool::new(false),
    }
}; 65];
static USER_FILES: Mutex<Vec<(c_int, Kept)>> = Mutex::new(Vec::new());

fn user_flags(chain: bool) -> c_int {
    // A handler that is chained to has to get the signal while this one runs.
    if chain { libc::SA_NODEFER } else { libc::SA_RESTART }
}

extern "C" fn on_user(signum: c_int) {
    let user = &USERS[signum as usize];
    if !user.enabled.load(Ordering::SeqCst) {
        return;
    }
    // SAFETY: errno of this thread.
    let errno = unsafe { *libc::__errno_location() };
    dump(user.fd.load(Ordering::Relaxed), user.all_threads.load(Ordering::Relaxed));
    if user.chain.load(Ordering::Relaxed) {
        restore_previous(signum);
        // SAFETY: as in `on_fatal`; afterwards this handler is installed again.
        unsafe {
            *libc::__errno_location() = errno;
            libc::raise(signum);
        }
        // SAFETY: errno of this thread.
        let after = unsafe { *libc::__errno_location() };
        let _ = install(signum, on_user, user_flags(true));
        // SAFETY: as above.
        unsafe { *libc::__errno_location() = after };
    } else {
        // SAFETY: as above.
        unsafe { *libc::__errno_location() = errno };
    }
}

fn check_signum(signum: c_int) -> PyResult<()> {
    if FATAL.iter().any(|f| f.0 == signum) {
        return raise!(RuntimeError, "signal {} cannot be registered, use enable() instead", signum);
    }
    if !(1..65).contains(&signum) {
        return raise!(ValueError, "signal number out of range");
    }
    Ok(())
}

/// register(signum, file=sys.stderr, all_threads=True, chain=False): register a handler for the signal 'signum': dump the traceback of the current thread, or of all threads if all_threads is True, into file
#[pyfunction(signature = "(signum, file=sys.stderr, all_threads=True, chain=False)")]
pub fn register(
    signum: i32,
    file: Option<&Object>,
    all_threads: Option<bool>,
    chain: Option<bool>,
) -> PyResult<()> {
    check_signum(signum)?;
    let (fd, keep) = descriptor(file)?;
    let chain = chain.unwrap_or(false);
    let user = &USERS[signum as usize];
    if !user.enabled.load(Ordering::SeqCst)
        && let Err(e) = install(signum, on_user, user_flags(chain))
    {
        return Err(lh_runtime::errors::raise_errno(e.raw_os_error().unwrap_or(0), None));
    }
    let mut files = USER_FILES.lock().expect("never poisoned");
    files.retain(|(s, _)| *s != signum);
    files.extend(keep.map(|k| (signum, Kept(k))));
    user.fd.store(fd, Ordering::Relaxed);
    user.all_threads.store(all_threads.unwrap_or(true), Ordering::Relaxed);
    user.chain.store(chain, Ordering::Relaxed);
    user.enabled.store(true, Ordering::SeqCst);
    Ok(())
}
/// unregister(signum): unregister the handler of the signal 'signum' registered by register()
#[pyfunction(signature = "(signum, /)")]
pub fn unregister(signum: i32) -> PyResult<bool> {
    check_signum(signum)?;
    let was = USERS[signum as usize].enabled.swap(false, Ordering::SeqCst);
    if was {
        restore_previous(signum);
        USER_FILES.lock().expect("never poisoned").retain(|(s, _)| *s != signum);
    }
    Ok(was)
}

// ---- For tests: ways to die ----

/// No core file of a death that was asked for.
fn no_core() {
    // SAFETY: a plain system call.
    unsafe {
        let limit = libc::rlimit { rlim_cur: 0, rlim_max: libc::RLIM_INFINITY };
        let mut now = limit;
        if libc::getrlimit(libc::RLIMIT_CORE, &mut now) == 0 {
            now.rlim_cur = 0;
            libc::setrlimit(libc::RLIMIT_CORE, &now);
        }
    }
}
fn die(signum: c_int) {
    no_core();
    // SAFETY: the signal is meant.
    unsafe { libc::raise(signum) };
}

/// _read_null(): read from NULL, raise a SIGSEGV or SIGBUS signal depending on the platform
#[pyfunction]
pub fn _read_null() {
    no_core();
    // SAFETY: none: the fault is what was asked for, and a volatile read makes it one at machine level.
    unsafe {
        let null = std::hint::black_box(0usize);
        std::arch::asm!("mov {0:e}, dword ptr [{1}]", out(reg) _, in(reg) null);
    }
}
/// _sigsegv(release_gil=False): raise a SIGSEGV signal
#[pyfunction(signature = "(release_gil=False, /)")]
pub fn _sigsegv(release_gil: Option<bool>) {
    if release_gil.unwrap_or(false) {
        thread::allow_threads(|| die(libc::SIGSEGV));
    } else {
        die(libc::SIGSEGV);
    }
}
/// _sigabrt(): raise a SIGABRT signal
#[pyfunction]
pub fn _sigabrt() {
    no_core();
    std::process::abort()
}
/// _sigfpe(): raise a SIGFPE signal
#[pyfunction]
pub fn _sigfpe() {
    die(libc::SIGFPE)
}
/// _stack_overflow(): recursive call to raise a stack overflow
#[pyfunction]
pub fn _stack_overflow() {
    #[inline(never)]
    fn deeper(n: usize) -> usize {
        let mut room = [n; 512];
        std::hint::black_box(&mut room);
        if std::hint::black_box(n) == usize::MAX { n } else { deeper(n + 1) + room[n % 512] }
    }
    no_core();
    std::hint::black_box(deeper(0));
}
/// fatal_error_c_thread(): call Py_FatalError() in a new C thread.
#[pyfunction]
pub fn _fatal_error_c_thread() {
    no_core();
    let t =
        std::thread::spawn(|| faultdump::fatal(Some(c"faulthandler_fatal_error_thread"), b"in new thread"));
    thread::allow_threads(|| drop(t.join()));
}
