//! `_signal`: handlers in Python for the system's signals.
//!
//! ```text
//!   signal arrives -> on_signal (C, any thread): TRIPPED[n], SIGNAL_TRIPPED, EVAL_BREAKER |= BREAK_SIGNAL, wake-up fd
//!                                     |
//!   main thread sees the breaker, or EINTR -> check_signals: calls HANDLERS[n](n, frame)
//! ```
//!
//! Invariant: `on_signal` touches only atomics and `write`.

use super::util::*;
use lh_runtime::prelude::*;
use lh_runtime::thread::{self, BREAK_SIGNAL, EVAL_BREAKER, SIGNAL_TRIPPED};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering::*};

const NSIG: usize = 65;

/// What Python code set, a reference each: a callable, `SIG_DFL`, `SIG_IGN`, or `None` for a handler of C code.
static HANDLERS: [AtomicPtr<lh_runtime::abi::PyObject>; NSIG] = [const { AtomicPtr::new(null_mut()) }; NSIG];
static TRIPPED: [AtomicBool; NSIG] = [const { AtomicBool::new(false) }; NSIG];
static WAKEUP_FD: AtomicI32 = AtomicI32::new(-1);
/// Whether a full pipe, which wakes its reader all the same, is worth a report.
static WARN_ON_FULL: AtomicBool = AtomicBool::new(true);
/// Why the byte for the last signal could not be written; 0: it could.
static WAKEUP_ERROR: AtomicI32 = AtomicI32::new(0);

extern "C" fn on_signal(n: libc::c_int) {
    let saved = errno();
    TRIPPED[n as usize].store(true, SeqCst);
    SIGNAL_TRIPPED.store(true, SeqCst);
    EVAL_BREAKER.fetch_or(BREAK_SIGNAL, SeqCst);
    let fd = WAKEUP_FD.load(Relaxed);
    if fd >= 0 {
        let byte = n as u8;
        if c!(libc::write(fd, (&raw const byte).cast(), 1)) < 0 {
            let e = errno();
            if WARN_ON_FULL.load(Relaxed) || e != libc::EAGAIN && e != libc::EWOULDBLOCK {
                WAKEUP_ERROR.store(e, SeqCst);
            }
        }
    }
    set_errno(saved);
}

/// Marks a signal as arrived, as if the system had sent it (`PyErr_SetInterruptEx`).
pub fn trip(n: i32) {
    on_signal(n)
}

/// Runs the Python handlers of signals that have arrived; only the main thread does.
pub fn check_signals() -> PyResult<()> {
    thread::check_signals()
}

fn run_handlers() -> PyResult<()> {
    SIGNAL_TRIPPED.store(false, SeqCst);
    let failed = WAKEUP_ERROR.swap(0, SeqCst);
    if failed != 0 {
        lh_runtime::errors::preserving(|| {
            lh_runtime::sysobject::write_stderr(
                "Exception ignored when trying to write to the signal wakeup fd:\n",
            );
            let _ = lh_runtime::errors::raise_errno(failed, None);
            write_unraisable(None, None);
        });
    }
    for (n, tripped) in TRIPPED.iter().enumerate().take(NSIG).skip(1) {
        if !tripped.swap(false, SeqCst) {
            continue;
        }
        let Some(h) = handler(n) else { continue };
        // The signal may have been reset to its default since it arrived.
        if h.is_none() || is_special(&h) {
            continue;
        }
        let frame = lh_runtime::hooks::hooks().current_frame;
        let frame = frame().unwrap_or_else(none);
        if let Err(e) = h.call(&[&Int::from_i64(n as i64), &frame]) {
            // Whatever else arrived waits for the next look.
            SIGNAL_TRIPPED.store(true, SeqCst);
            EVAL_BREAKER.fetch_or(BREAK_SIGNAL, SeqCst);
            return Err(e);
        }
    }
    Ok(())
}

fn handler(n: usize) -> Option<Owned<Object>> {
    let p = HANDLERS[n].load(Relaxed);
    // SAFETY: null or a live object that the table owns.
    unsafe { Object::from_ptr_opt(p).map(|o| o.own()) }
}

fn set_handler(n: usize, h: Owned<Object>) -> Option<Owned<Object>> {
    let old = HANDLERS[n].swap(h.into_raw(), Relaxed);
    // SAFETY: the table owned it.
    unsafe { Owned::from_raw_opt(old) }
}

/// `SIG_DFL` or `SIG_IGN`?
fn is_special(h: &Object) -> bool {
    h.downcast::<Int>().is_some_and(|i| matches!(i.to_i64(), Some(0 | 1)))
}

fn install(n: i32, action: libc::sighandler_t) -> i32 {
    // SAFETY: an all-zero sigaction is valid; the handler is async-signal-safe.
    unsafe {
        let mut sa: libc::sigaction = std::mem::zeroed();
        sa.sa_sigaction = action;
        sa.sa_flags = libc::SA_ONSTACK;
        libc::sigemptyset(&mut sa.sa_mask);
        libc::sigaction(n, &sa, null_mut())
    }
}

fn current_action(n: i32) -> Option<libc::sighandler_t> {
    // SAFETY: a query into a zeroed struct.
    unsafe {
        let mut sa: libc::sigaction = std::mem::zeroed();
        (libc::sigaction(n, std::ptr::null(), &mut sa) == 0).then_some(sa.sa_sigaction)
    }
}

/// After `fork` in the child: signals of the parent are not the child's, and this thread is the main one.
pub fn after_fork_child() {
    thread::set_main_thread();
    TRIPPED.iter().for_each(|t| t.store(false, SeqCst));
    SIGNAL_TRIPPED.store(false, SeqCst);
    EVAL_BREAKER.fetch_and(!BREAK_SIGNAL, SeqCst);
}

/// What a fresh Python process does: ignores SIGPIPE and SIGXFSZ, so that writes fail with an error.
pub fn ignore_fatal_writes() {
    c!(libc::signal(libc::SIGPIPE, libc::SIG_IGN));
    c!(libc::signal(libc::SIGXFSZ, libc::SIG_IGN));
}

fn number(o: &Object) -> PyResult<i32> {
    let n = i32::from_py(o, ArgCtx { func: "signal", pos: 1, name: None })?;
    if n < 1 || n >= NSIG as i32 {
        return raise!(ValueError, "signal number out of range");
    }
    Ok(n)
}

/// The default handler for SIGINT installed by Python.
///
/// It raises KeyboardInterrupt.
#[pyfunction]
pub fn default_int_handler(_signalnum: i32, _frame: &Object) -> PyResult<()> {
    raise!(KeyboardInterrupt)
}

/// Set the action for the given signal.
///
/// The action can be SIG_DFL, SIG_IGN, or a callable Python object.
/// The previous action is returned.
#[pyfunction]
pub fn signal(signalnum: i32, handler: &Object) -> PyResult<Owned<Object>> {
    let n = signalnum;
    if !thread::can_handle_signals() {
        return raise!(ValueError, "signal only works in main thread of the main interpreter");
    }
    if n < 1 || n >= NSIG as i32 {
        return raise!(ValueError, "signal number out of range");
    }
    let action = if handler.is_callable() {
        on_signal as *const () as libc::sighandler_t
    } else {
        match handler.downcast::<Int>().and_then(|i| i.to_i64()) {
            Some(0) => libc::SIG_DFL,
            Some(1) => libc::SIG_IGN,
            _ => {
                return raise!(
                    TypeError,
                    "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"
                );
            }
        }
    };
    check_signals()?;
    quick(install(n, action))?;
    Ok(set_handler(n as usize, handler.own()).unwrap_or_else(none))
}

/// Return the current action for the given signal.
///
/// The return value can be:
///   SIG_IGN -- if the signal is being ignored
///   SIG_DFL -- if the default action for the signal is in effect
///   None    -- if an unknown handler is in effect
///   anything else -- the callable Python object used as a handler
#[pyfunction]
pub fn getsignal(signalnum: &Object) -> PyResult<Owned<Object>> {
    Ok(handler(number(signalnum)? as usize).unwrap_or_else(none))
}

/// Send a signal to the executing process.
#[pyfunction]
pub fn raise_signal(signalnum: i32) -> PyResult<()> {
    quick(-c!(libc::raise(signalnum)).abs())?;
    check_signals()
}

/// Return the system description of the given signal.
///
/// Returns the description of signal *signalnum*, such as "Interrupt"
/// for :const:`SIGINT`. Returns :const:`None` if *signalnum* has no
/// description. Raises :exc:`ValueError` if *signalnum* is invalid.
#[pyfunction]
pub fn strsignal(signalnum: i32) -> PyResult<Owned<Object>> {
    if signalnum < 1 || signalnum >= NSIG as i32 {
        return raise!(ValueError, "signal number out of range");
    }
    let p = c!(libc::strsignal(signalnum));
    if p.is_null() {
        return Ok(none());
    }
    // SAFETY: strsignal answers a C string.
    let s = unsafe { fs_str(p) };
    if s.downcast::<Str>().is_some_and(|s| s.to_str_lossy().starts_with("Unknown signal")) {
        return Ok(none());
    }
    Ok(s)
}

/// Arrange for SIGALRM to arrive after the given number of seconds.
#[pyfunction]
pub fn alarm(seconds: i32) -> u32 {
    c!(libc::alarm(seconds as u32))
}

/// Wait until a signal arrives.
#[pyfunction]
pub fn pause() -> PyResult<()> {
    thread::allow_threads(|| c!(libc::pause()));
    check_signals()
}

/// Change system call restart behaviour.
///
/// If flag is False, system calls will be restarted when interrupted by
/// signal sig, else system calls will be interrupted.
#[pyfunction]
pub fn siginterrupt(signalnum: i32, flag: i32) -> PyResult<()> {
    if signalnum < 1 || signalnum >= NSIG as i32 {
        return raise!(ValueError, "signal number out of range");
    }
    // SAFETY: the current action is read, changed in one flag and set again.
    let r = unsafe {
        let mut sa: libc::sigaction = std::mem::zeroed();
        let r = libc::sigaction(signalnum, std::ptr::null(), &mut sa);
        if flag != 0 {
            sa.sa_flags &= !libc::SA_RESTART;
        } else {
            sa.sa_flags |= libc::SA_RESTART;
        }
        if r < 0 { r } else { libc::sigaction(signalnum, &sa, null_mut()) }
    };
    quick(r).map(|_| ())
}

/// Sets the fd to be written to (with the signal number) when a signal comes in.
///
/// A library can use this to wakeup select or poll.
/// The previous fd or -1 is returned.
///
/// The fd must be non-blocking.
#[pyfunction(signature = "(fd, /, *, warn_on_full_buffer=True)")]
pub fn set_wakeup_fd(fd: i32, warn_on_full_buffer: bool) -> PyResult<i32> {
    if !thread::can_handle_signals() {
        return raise!(ValueError, "set_wakeup_fd only works in main thread of the main interpreter");
    }
    if fd != -1 {
        // SAFETY: fstat fills the zeroed struct.
        let r = unsafe {
            let mut st: libc::stat = std::mem::zeroed();
            libc::fstat(fd, &mut st)
        };
        quick(r)?;
        let flags = quick(c!(libc::fcntl(fd, libc::F_GETFL)))?;
        if flags & libc::O_NONBLOCK == 0 {
            return raise!(ValueError, "the fd {} must be in non-blocking mode", fd);
        }
    }
    WARN_ON_FULL.store(warn_on_full_buffer, Relaxed);
    Ok(WAKEUP_FD.swap(fd, Relaxed))
}

// ---- Interval timers ----

fn timeval(o: &Object) -> PyResult<libc::timeval> {
    let ns = seconds_to_ns(o, true)?;
    let us = ns.div_euclid(1000) + (ns.rem_euclid(1000) != 0) as i64;
    Ok(libc::timeval { tv_sec: us.div_euclid(1_000_000), tv_usec: us.rem_euclid(1_000_000) })
}
fn itimer_tuple(t: &libc::itimerval) -> (f64, f64) {
    let s = |v: libc::timeval| v.tv_sec as f64 + v.tv_usec as f64 * 1e-6;
    (s(t.it_value), s(t.it_interval))
}
fn itimer_error() -> PyResult<&'static Type> {
    static CELL: AtomicPtr<lh_runtime::abi::PyTypeObject> = AtomicPtr::new(null_mut());
    let mut p = CELL.load(Relaxed);
    if p.is_null() {
        p = new_exception("signal", "itimer_error", exc::OSError())?.into_raw().cast();
        CELL.store(p, Relaxed);
    }
    // SAFETY: the type is kept for ever.
    Ok(unsafe { Type::from_raw_ref(p) })
}
fn itimer_failed() -> Raised {
    let e = errno();
    let text = std::io::Error::from_raw_os_error(e).to_string();
    let text = text.split(" (os error").next().unwrap_or_default().to_string();
    match itimer_error() {
        Ok(t) => {
            let args = Tuple::from_vec(vec![int(e as i64), Str::new(&text).into_object()]);
            set_object(t, Some(args.into_object()))
        }
        Err(e) => e,
    }
}

/// Sets given itimer (one of ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF).
///
/// The timer will fire after value seconds and after that every interval seconds.
/// The itimer can be cleared by setting seconds to zero.
///
/// Returns old values as a tuple: (delay, interval).
#[pyfunction(signature = "(which, seconds, interval=0.0, /)")]
pub fn setitimer(which: i32, seconds: &Object, interval: Option<&Object>) -> PyResult<(f64, f64)> {
    let zero = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let new =
        libc::itimerval { it_value: timeval(seconds)?, it_interval: interval.map_or(Ok(zero), timeval)? };
    let mut old = libc::itimerval { it_value: zero, it_interval: zero };
    if c!(libc::setitimer(which as _, &new, &mut old)) != 0 {
        return Err(itimer_failed());
    }
    Ok(itimer_tuple(&old))
}
/// Returns current value of given itimer.
#[pyfunction]
pub fn getitimer(which: i32) -> PyResult<(f64, f64)> {
    let zero = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut old = libc::itimerval { it_value: zero, it_interval: zero };
    if c!(libc::getitimer(which as _, &mut old)) != 0 {
        return Err(itimer_failed());
    }
    Ok(itimer_tuple(&old))
}

// ---- Signal sets ----

/// A set of signals from an iterable of numbers.
pub struct SigSet(pub libc::sigset_t);
impl<'a> FromPy<'a> for SigSet {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        // SAFETY: sigemptyset initialises it.
        let mut set = unsafe {
            let mut s = std::mem::zeroed();
            libc::sigemptyset(&mut s);
            s
        };
        o.for_each(|x| {
            let n = lh_runtime::number::index(&x)?.to_i64().unwrap_or(i64::MAX);
            if n < 1 || n >= NSIG as i64 {
                return raise!(ValueError, "signal number {} out of range [1; {}]", n, NSIG - 1);
            }
            c!(libc::sigaddset(&mut set, n as i32));
            Ok(())
        })?;
        Ok(SigSet(set))
    }
}
fn set_of(s: &libc::sigset_t) -> PyResult<Owned<Set>> {
    let out = Set::new();
    for n in 1..NSIG as i32 {
        if c!(libc::sigismember(s, n)) == 1 {
            out.add(&Int::from_i64(n as i64))?;
        }
    }
    Ok(out)
}

/// Fetch and/or change the signal mask of the calling thread.
#[pyfunction]
pub fn pthread_sigmask(how: i32, mask: SigSet) -> PyResult<Owned<Set>> {
    // SAFETY: an all-zero set is filled by the call.
    let mut old: libc::sigset_t = unsafe { std::mem::zeroed() };
    let e = c!(libc::pthread_sigmask(how, &mask.0, &mut old));
    if e != 0 {
        return Err(raise_errno(e, None));
    }
    check_signals()?;
    set_of(&old)
}
/// Examine pending signals.
///
/// Returns a set of signal numbers that are pending for delivery to
/// the calling thread.
#[pyfunction]
pub fn sigpending() -> PyResult<Owned<Set>> {
    // SAFETY: as above.
    let mut s: libc::sigset_t = unsafe { std::mem::zeroed() };
    quick(c!(libc::sigpending(&mut s)))?;
    set_of(&s)
}
/// Wait for a signal.
///
/// Suspend execution of the calling thread until the delivery of one of the
/// signals specified in the signal set sigset.  The function accepts the signal
/// and returns the signal number.
#[pyfunction]
pub fn sigwait(sigset: SigSet) -> PyResult<i32> {
    let mut n = 0;
    let e = thread::allow_threads(|| c!(libc::sigwait(&sigset.0, &mut n)));
    if e != 0 { Err(raise_errno(e, None)) } else { Ok(n) }
}
/// Return a set of valid signal numbers on this platform.
///
/// The signal numbers returned by this function can be safely passed to
/// functions like `pthread_kill`.
#[pyfunction]
pub fn valid_signals() -> PyResult<Owned<Set>> {
    // SAFETY: sigfillset initialises it.
    let s = unsafe {
        let mut s = std::mem::zeroed();
        libc::sigfillset(&mut s);
        s
    };
    set_of(&s)
}

struct_seq!(
    struct_siginfo,
    "signal.struct_siginfo",
    "struct_siginfo: Result from sigwaitinfo or sigtimedwait.

This object may be accessed either as a tuple of
(si_signo, si_code, si_errno, si_pid, si_uid, si_status, si_band),
or via the attributes si_signo, si_code, and so on.",
    7,
    ["si_signo", "si_code", "si_errno", "si_pid", "si_uid", "si_status", "si_band"]
);

fn siginfo_obj(i: &libc::siginfo_t) -> PyResult<Owned<Tuple>> {
    // SAFETY: the kernel filled the union for a signal that was waited for.
    let (pid, uid, status) = unsafe { (i.si_pid(), i.si_uid(), i.si_status()) };
    let values = vec![
        int(i.si_signo as i64),
        int(i.si_code as i64),
        int(i.si_errno as i64),
        int(pid as i64),
        id_obj(uid),
        int(status as i64),
        int(0),
    ];
    Ok(lh_runtime::structseq::new(struct_siginfo()?, values))
}

/// Wait synchronously until one of the signals in *sigset* is delivered.
///
/// Returns a struct_siginfo containing information about the signal.
#[pyfunction]
pub fn sigwaitinfo(sigset: SigSet) -> PyResult<Owned<Tuple>> {
    // SAFETY: an all-zero siginfo is filled by the call.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    call(|| c!(libc::sigwaitinfo(&sigset.0, &mut info)))?;
    siginfo_obj(&info)
}
/// Like sigwaitinfo(), but with a timeout.
///
/// The timeout is specified in seconds, with floating point numbers allowed.
#[pyfunction]
pub fn sigtimedwait(sigset: SigSet, timeout: &Object) -> PyResult<Owned<Object>> {
    let ns = seconds_to_ns(timeout, true)?;
    if ns < 0 {
        return raise!(ValueError, "timeout must be non-negative");
    }
    let deadline = monotonic_ns().saturating_add(ns);
    loop {
        let left = (deadline - monotonic_ns()).max(0);
        let ts = libc::timespec { tv_sec: left / 1_000_000_000, tv_nsec: left % 1_000_000_000 };
        // SAFETY: as above.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        if thread::allow_threads(|| c!(libc::sigtimedwait(&sigset.0, &mut info, &ts))) >= 0 {
            return Ok(siginfo_obj(&info)?.into_object());
        }
        match errno() {
            libc::EINTR => check_signals()?,
            libc::EAGAIN => return Ok(none()),
            e => return Err(raise_errno(e, None)),
        }
    }
}

/// Send a signal to a thread.
#[pyfunction]
pub fn pthread_kill(thread_id: u64, signalnum: i32) -> PyResult<()> {
    let e = c!(libc::pthread_kill(thread_id as libc::pthread_t, signalnum));
    if e != 0 {
        return Err(raise_errno(e, None));
    }
    check_signals()
}
/// Send a signal to a process referred to by a pid file descriptor.
#[pyfunction(signature = "(pidfd, signalnum, siginfo=None, flags=0, /)")]
pub fn pidfd_send_signal(pidfd: i32, signalnum: i32, siginfo: Option<&Object>, flags: i32) -> PyResult<()> {
    if siginfo.is_some_and(|s| !s.is_none()) {
        return raise!(TypeError, "siginfo must be None");
    }
    quick(c!(libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signalnum, null_mut::<u8>(), flags)))?;
    Ok(())
}

const CONSTANTS: &[(&str, i64)] = &[
    ("NSIG", NSIG as i64),
    ("SIG_BLOCK", 0),
    ("SIG_UNBLOCK", 1),
    ("SIG_SETMASK", 2),
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGIOT", 6),
    ("SIGABRT", 6),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGBUS", 7),
    ("SIGSEGV", 11),
    ("SIGSYS", 31),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGUSR1", 10),
    ("SIGUSR2", 12),
    ("SIGCLD", 17),
    ("SIGCHLD", 17),
    ("SIGPWR", 30),
    ("SIGIO", 29),
    ("SIGURG", 23),
    ("SIGWINCH", 28),
    ("SIGPOLL", 29),
    ("SIGSTOP", 19),
    ("SIGTSTP", 20),
    ("SIGCONT", 18),
    ("SIGTTIN", 21),
    ("SIGTTOU", 22),
    ("SIGVTALRM", 26),
    ("SIGPROF", 27),
    ("SIGXCPU", 24),
    ("SIGXFSZ", 25),
    ("SIGRTMIN", 34),
    ("SIGRTMAX", 64),
    ("SIGSTKFLT", 16),
    ("ITIMER_REAL", 0),
    ("ITIMER_VIRTUAL", 1),
    ("ITIMER_PROF", 2),
    ("SIG_DFL", 0),
    ("SIG_IGN", 1),
];

fn setup(m: &Module) -> PyResult<()> {
    add_ints(m, CONSTANTS)?;
    m.add("ItimerError", itimer_error()?)?;
    m.add("struct_siginfo", struct_siginfo()?)?;
    let _ = thread::RUN_SIGNAL_HANDLERS.set(run_handlers);
    let _ = lh_runtime::hooks::SIGNAL_HOOK.set(check_signals);
    for n in 1..NSIG as i32 {
        let h = match current_action(n) {
            Some(libc::SIG_DFL) => int(0),
            Some(libc::SIG_IGN) => int(1),
            _ => none(),
        };
        set_handler(n as usize, h);
    }
    if current_action(libc::SIGINT) == Some(libc::SIG_DFL) {
        install(libc::SIGINT, on_signal as *const () as libc::sighandler_t);
        set_handler(libc::SIGINT as usize, m.get("default_int_handler")?);
    }
    Ok(())
}

module! { "_signal", doc: "This module provides mechanisms to use signal handlers in Python.",
functions: [default_int_handler, alarm, setitimer, getitimer, signal, raise_signal, strsignal, getsignal, set_wakeup_fd,
    siginterrupt, pause, pidfd_send_signal, pthread_kill, pthread_sigmask, sigpending, sigwait, sigwaitinfo, sigtimedwait,
    valid_signals],
init: setup }
