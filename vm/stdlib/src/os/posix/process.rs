//! Processes: fork, exec, spawn, waiting, signals to others, and what runs around a fork.

use crate::core::imp;
use crate::os::signal;
use crate::os::util::*;
use lh_runtime::interpreter::{self, Own};
use lh_runtime::prelude::*;
use lh_runtime::thread;
use std::cell::RefCell;
use std::ffi::CString;

// ---- Around a fork ----

/// Callables of `register_at_fork`: before (last registered first), in the child, in the parent.
type AtFork = [RefCell<Vec<Owned<Object>>>; 3];
fn at_fork() -> &'static AtFork {
    static HOOKS: Own<AtFork> = Own::new();
    HOOKS.get_or_init(AtFork::default)
}

fn run_hooks(which: usize) {
    let mut hooks = at_fork()[which].borrow().clone();
    if which == 0 {
        hooks.reverse();
    }
    for h in hooks {
        if h.call0().is_err() {
            write_unraisable(Some(&h), None);
        }
    }
}

/// `PyOS_BeforeFork`.
pub fn before_fork() {
    run_hooks(0);
    imp::lock_before_fork();
}
/// `PyOS_AfterFork_Parent`.
pub fn after_fork_parent() {
    imp::lock_after_fork();
    run_hooks(2);
}
/// `PyOS_AfterFork_Child`.
pub fn after_fork_child() {
    thread::after_fork_child();
    imp::lock_after_fork();
    signal::after_fork_child();
    run_hooks(1);
}

/// Register callables to be called when forking a new process.
///
///   before
///     A callable to be called in the parent before the fork() syscall.
///   after_in_child
///     A callable to be called in the child after fork().
///   after_in_parent
///     A callable to be called in the parent after fork().
///
/// 'before' callbacks are called in reverse order.
/// 'after_in_child' and 'after_in_parent' callbacks are called in order.
#[pyfunction(
    signature = "(*, before=<unrepresentable>, after_in_child=<unrepresentable>, after_in_parent=<unrepresentable>)"
)]
pub fn register_at_fork(
    before: Option<&Object>,
    after_in_child: Option<&Object>,
    after_in_parent: Option<&Object>,
) -> PyResult<()> {
    let all = [("before", before), ("after_in_child", after_in_child), ("after_in_parent", after_in_parent)];
    if all.iter().all(|a| a.1.is_none()) {
        return raise!(TypeError, "At least one argument is required.");
    }
    for (name, f) in all {
        if let Some(f) = f
            && !f.is_callable()
        {
            return raise!(TypeError, "'{}' must be callable, not {}", name, f.ty().name());
        }
    }
    for (i, (_, f)) in all.iter().enumerate() {
        if let Some(f) = f {
            at_fork()[i].borrow_mut().push(f.own());
        }
    }
    Ok(())
}

/// Forks with the callbacks around it; the pid, 0 in the child.
pub fn fork_with(f: impl FnOnce() -> i32) -> PyResult<i32> {
    before_fork();
    let pid = f();
    let e = errno();
    if pid == 0 {
        after_fork_child();
        return Ok(0);
    }
    after_fork_parent();
    if pid < 0 { Err(raise_errno(e, None)) } else { Ok(pid) }
}

/// What an isolated interpreter, or any but the main one, may not do.
fn refuse(what: &str, main_only: bool) -> PyResult<()> {
    // SAFETY: the current interpreter is live.
    if unsafe { (*interpreter::current()).isolated } {
        return raise!(RuntimeError, "{} not supported for isolated subinterpreters", what);
    }
    if main_only && !interpreter::is_main() {
        return raise!(RuntimeError, "{} not supported for subinterpreters", what);
    }
    Ok(())
}

/// Fork a child process.
///
/// Return 0 to child process and PID of child to parent process.
#[pyfunction]
pub fn fork() -> PyResult<i32> {
    refuse("fork", true)?;
    audit("os.fork", &[])?;
    fork_with(|| c!(libc::fork()))
}
/// Fork a new process with a new pseudo-terminal as controlling tty.
///
/// Returns a tuple of (pid, master_fd).
/// Like fork(), return pid of 0 to the child process,
/// and pid of child to the parent process.
/// To both, return fd of newly opened pseudo-terminal.
#[pyfunction]
pub fn forkpty() -> PyResult<(i32, i32)> {
    refuse("fork", true)?;
    let mut fd = -1;
    let p = &raw mut fd;
    let pid =
        fork_with(|| c!(libc::forkpty(p, std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut())))?;
    Ok((pid, fd))
}

// ---- exec ----

/// A vector of C strings with its NULL-terminated pointers.
pub struct CVec {
    _keep: Vec<CString>,
    ptrs: Vec<*const libc::c_char>,
}
impl CVec {
    pub fn new(v: Vec<CString>) -> CVec {
        let mut ptrs: Vec<_> = v.iter().map(|s| s.as_ptr()).collect();
        ptrs.push(std::ptr::null());
        CVec { _keep: v, ptrs }
    }
    pub fn as_ptr(&self) -> *const *const libc::c_char {
        self.ptrs.as_ptr()
    }
    pub fn as_mut_ptr(&self) -> *const *mut libc::c_char {
        self.ptrs.as_ptr().cast()
    }
}

fn argv_of(func: &str, sep: &str, o: &Object) -> PyResult<CVec> {
    if !List::check(o) && !Tuple::check(o) {
        return if sep.is_empty() {
            raise!(TypeError, "{}() arg 2 must be a tuple or list", func)
        } else {
            raise!(TypeError, "{}: argv must be a tuple or list", func)
        };
    }
    let items = o.to_items()?;
    let (empty, first) = if sep.is_empty() {
        (format!("{func}() arg 2 must not be empty"), format!("{func}() arg 2 first element cannot be empty"))
    } else {
        (format!("{func}: argv must not be empty"), format!("{func}: argv first element cannot be empty"))
    };
    if items.is_empty() {
        return raise!(ValueError, "{}", empty);
    }
    let v = items.iter().map(|i| fs_bytes(i)).collect::<PyResult<Vec<_>>>()?;
    if v[0].is_empty() {
        return raise!(ValueError, "{}", first);
    }
    Ok(CVec::new(v))
}

/// `KEY=value` strings of a mapping.
pub fn envp_of(o: &Object) -> PyResult<CVec> {
    let keys = o.call_method("keys", &[])?.to_items()?;
    let mut v = vec![];
    for k in keys {
        let value = o.get_item(&k)?;
        let (k, value) = (fs_bytes(&k)?, fs_bytes(&value)?);
        let k = k.into_bytes();
        if k.is_empty() || k[1..].contains(&b'=') || k[0] == b'=' && k.len() == 1 {
            return raise!(ValueError, "illegal environment variable name");
        }
        let mut s = k;
        s.push(b'=');
        s.extend(value.as_bytes());
        v.push(CString::new(s).expect("no NULs in C strings"));
    }
    Ok(CVec::new(v))
}

fn is_mapping(o: &Object) -> bool {
    // SAFETY: a live type's table.
    unsafe { (*o.ob_type()).tp_as_mapping.as_ref().is_some_and(|m| m.mp_subscript.is_some()) }
}

/// Execute an executable path with arguments, replacing current process.
///
///   path
///     Path of executable file.
///   argv
///     Tuple or list of strings.
#[pyfunction]
pub fn execv(path: Path, argv: &Object) -> PyResult<()> {
    let given = argv;
    let argv = argv_of("execv", "", argv)?;
    audit("os.exec", &[&path.object, given, none_ref()])?;
    c!(libc::execv(path.ptr(), argv.as_ptr()));
    Err(raise_errno(errno(), Some(&path.object)))
}
/// Execute an executable path with arguments, replacing current process.
///
///   path
///     Path of executable file.
///   argv
///     Tuple or list of strings.
///   env
///     Dictionary of strings mapping to strings.
#[pyfunction(signature = "(path, argv, env)")]
pub fn execve(path: PathFd, argv: &Object, env: &Object) -> PyResult<()> {
    if !List::check(argv) && !Tuple::check(argv) {
        return raise!(TypeError, "execve: argv must be a tuple or list");
    }
    if argv.length()? < 1 {
        return raise!(ValueError, "execve: argv must not be empty");
    }
    if !is_mapping(env) {
        return raise!(TypeError, "execve: environment must be a mapping object");
    }
    let argv = argv_of("execve", ":", argv)?;
    let env = envp_of(env)?;
    match path.fd {
        Some(fd) => c!(libc::fexecve(fd, argv.as_mut_ptr().cast(), env.as_mut_ptr().cast())),
        None => c!(libc::execve(path.ptr(), argv.as_ptr(), env.as_ptr())),
    };
    Err(raise_errno(errno(), Some(&path.object)))
}

// ---- posix_spawn ----

fn small_int(o: &Object) -> PyResult<i32> {
    i32::from_py(o, ArgCtx { func: "posix_spawn", pos: 0, name: None })
}

fn add_file_actions(
    fa: *mut libc::posix_spawn_file_actions_t,
    list: &Object,
    keep: &mut Vec<CString>,
) -> PyResult<()> {
    for a in list.to_items()? {
        let Some(t) = a.downcast::<Tuple>().filter(|t| t.len() > 0) else {
            return raise!(TypeError, "Each file_actions element must be a non-empty tuple");
        };
        let arg = |i: usize| small_int(t.item_ref(i));
        let e = match (arg(0)?, t.len()) {
            (0, 5) => {
                keep.push(fs_bytes(t.item_ref(2))?);
                let p = keep.last().expect("just pushed").as_ptr();
                c!(libc::posix_spawn_file_actions_addopen(fa, arg(1)?, p, arg(3)?, arg(4)? as libc::mode_t))
            }
            (1, 2) => c!(libc::posix_spawn_file_actions_addclose(fa, arg(1)?)),
            (2, 3) => c!(libc::posix_spawn_file_actions_adddup2(fa, arg(1)?, arg(2)?)),
            (0, _) => return raise!(TypeError, "A open file_action tuple must have 5 elements"),
            (1, _) => return raise!(TypeError, "A close file_action tuple must have 2 elements"),
            (2, _) => return raise!(TypeError, "A dup2 file_action tuple must have 3 elements"),
            _ => return raise!(TypeError, "Unknown file_actions identifier"),
        };
        if e != 0 {
            return Err(raise_errno(e, None));
        }
    }
    Ok(())
}

struct SpawnOptions<'a> {
    file_actions: Option<&'a Object>,
    setpgroup: Option<&'a Object>,
    resetids: bool,
    setsid: bool,
    setsigmask: Option<&'a Object>,
    setsigdef: Option<&'a Object>,
    scheduler: Option<&'a Object>,
}

fn spawn(
    func: &str,
    search: bool,
    path: &PathValue,
    argv: &Object,
    env: &Object,
    o: SpawnOptions<'_>,
) -> PyResult<i32> {
    if !List::check(argv) && !Tuple::check(argv) {
        return raise!(TypeError, "{}: argv must be a tuple or list", func);
    }
    if argv.length()? < 1 {
        return raise!(ValueError, "{}: argv must not be empty", func);
    }
    if !env.is_none() && !is_mapping(env) {
        return raise!(TypeError, "{}: environment must be a mapping object or None", func);
    }
    let argv = argv_of(func, ":", argv)?;
    let envp = if env.is_none() { None } else { Some(envp_of(env)?) };
    // SAFETY: both are initialised before use and destroyed at the end.
    unsafe {
        let mut fa: libc::posix_spawn_file_actions_t = std::mem::zeroed();
        let mut attr: libc::posix_spawnattr_t = std::mem::zeroed();
        libc::posix_spawn_file_actions_init(&mut fa);
        libc::posix_spawnattr_init(&mut attr);
        let mut keep = vec![];
        let result = (|| {
            if let Some(l) = o.file_actions.filter(|l| !l.is_none()) {
                if !List::check(l) && !Tuple::check(l) && l.length().map_err(Raised::clear).is_err() {
                    return raise!(TypeError, "file_actions must be a sequence or None");
                }
                add_file_actions(&mut fa, l, &mut keep)?;
            }
            let mut flags = 0;
            if let Some(g) = o.setpgroup {
                libc::posix_spawnattr_setpgroup(&mut attr, small_int(g)?);
                flags |= libc::POSIX_SPAWN_SETPGROUP;
            }
            if o.resetids {
                flags |= libc::POSIX_SPAWN_RESETIDS;
            }
            if o.setsid {
                flags |= 0x80; // POSIX_SPAWN_SETSID
            }
            let set =
                |s: &Object| signal::SigSet::from_py(s, ArgCtx { func: "posix_spawn", pos: 0, name: None });
            if let Some(s) = o.setsigmask {
                libc::posix_spawnattr_setsigmask(&mut attr, &set(s)?.0);
                flags |= libc::POSIX_SPAWN_SETSIGMASK;
            }
            if let Some(s) = o.setsigdef {
                libc::posix_spawnattr_setsigdefault(&mut attr, &set(s)?.0);
                flags |= libc::POSIX_SPAWN_SETSIGDEF;
            }
            if let Some(s) = o.scheduler {
                let Some(t) = s.downcast::<Tuple>().filter(|t| t.len() == 2) else {
                    return raise!(TypeError, "A scheduler tuple must have two elements");
                };
                if !t.item_ref(0).is_none() {
                    libc::posix_spawnattr_setschedpolicy(&mut attr, small_int(t.item_ref(0))?);
                    flags |= libc::POSIX_SPAWN_SETSCHEDULER;
                }
                let p = super::sched::param_of(t.item_ref(1))?;
                libc::posix_spawnattr_setschedparam(&mut attr, &p);
                flags |= libc::POSIX_SPAWN_SETSCHEDPARAM;
            }
            libc::posix_spawnattr_setflags(&mut attr, flags as libc::c_short);
            let mut pid = 0;
            let env = envp.as_ref().map_or(environ_ptr().cast_const(), |e| e.as_mut_ptr());
            let e = if search {
                libc::posix_spawnp(&mut pid, path.ptr(), &fa, &attr, argv.as_mut_ptr(), env)
            } else {
                libc::posix_spawn(&mut pid, path.ptr(), &fa, &attr, argv.as_mut_ptr(), env)
            };
            if e != 0 { Err(raise_errno(e, Some(&path.object))) } else { Ok(pid) }
        })();
        libc::posix_spawn_file_actions_destroy(&mut fa);
        libc::posix_spawnattr_destroy(&mut attr);
        result
    }
}

/// Execute the program specified by path in a new process.
#[pyfunction(
    signature = "(path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)"
)]
pub fn posix_spawn(
    path: Path,
    argv: &Object,
    env: &Object,
    file_actions: Option<&Object>,
    setpgroup: Option<&Object>,
    resetids: Option<i32>,
    setsid: Option<i32>,
    setsigmask: Option<&Object>,
    setsigdef: Option<&Object>,
    scheduler: Option<&Object>,
) -> PyResult<i32> {
    let o = SpawnOptions {
        file_actions,
        setpgroup,
        resetids: resetids.unwrap_or(0) != 0,
        setsid: setsid.unwrap_or(0) != 0,
        setsigmask,
        setsigdef,
        scheduler,
    };
    spawn("posix_spawn", false, &path, argv, env, o)
}
/// Execute the program specified by path, found through PATH, in a new process.
#[pyfunction(
    signature = "(path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)"
)]
pub fn posix_spawnp(
    path: Path,
    argv: &Object,
    env: &Object,
    file_actions: Option<&Object>,
    setpgroup: Option<&Object>,
    resetids: Option<i32>,
    setsid: Option<i32>,
    setsigmask: Option<&Object>,
    setsigdef: Option<&Object>,
    scheduler: Option<&Object>,
) -> PyResult<i32> {
    let o = SpawnOptions {
        file_actions,
        setpgroup,
        resetids: resetids.unwrap_or(0) != 0,
        setsid: setsid.unwrap_or(0) != 0,
        setsigmask,
        setsigdef,
        scheduler,
    };
    spawn("posix_spawnp", true, &path, argv, env, o)
}

/// Execute the command in a subshell.
#[pyfunction(signature = "(command)")]
pub fn system(command: FsBytes) -> PyResult<i32> {
    audit("os.system", &[&Bytes::new(command.0.as_bytes())])?;
    Ok(thread::allow_threads(|| c!(libc::system(command.0.as_ptr()))))
}
/// Exit to the system with specified status, without normal exit processing.
#[pyfunction(signature = "(status)")]
pub fn _exit(status: CInt) {
    c!(libc::_exit(status.0))
}
/// Abort the interpreter immediately.
///
/// This function 'dumps core' or otherwise fails in the hardest way possible
/// on the hosting operating system.  This function never returns.
#[pyfunction]
pub fn abort() {
    c!(libc::abort())
}

// ---- Waiting ----

/// Wait for completion of a given child process.
///
/// Returns a tuple of information regarding the child process:
///     (pid, status)
///
/// The options argument is ignored on Windows.
#[pyfunction]
pub fn waitpid(pid: i32, options: i32) -> PyResult<(i32, i32)> {
    let mut st = 0;
    let p = call(|| c!(libc::waitpid(pid, &mut st, options)))?;
    Ok((p, st))
}
/// Wait for completion of a child process.
///
/// Returns a tuple of information about the child process:
///     (pid, status)
#[pyfunction]
pub fn wait() -> PyResult<(i32, i32)> {
    waitpid_any()
}
fn waitpid_any() -> PyResult<(i32, i32)> {
    let mut st = 0;
    let p = call(|| c!(libc::waitpid(-1, &mut st, 0)))?;
    Ok((p, st))
}
fn do_wait4(pid: i32, options: i32) -> PyResult<(i32, i32, Owned<Object>)> {
    let mut st = 0;
    // SAFETY: plain numbers.
    let mut ru: libc::rusage = unsafe { std::mem::zeroed() };
    let p = call(|| c!(libc::wait4(pid, &mut st, options, &mut ru)))?;
    let t = |v: libc::timeval| float(v.tv_sec as f64 + v.tv_usec as f64 * 1e-6);
    let mut v = vec![t(ru.ru_utime), t(ru.ru_stime)];
    v.extend(
        [
            ru.ru_maxrss,
            ru.ru_ixrss,
            ru.ru_idrss,
            ru.ru_isrss,
            ru.ru_minflt,
            ru.ru_majflt,
            ru.ru_nswap,
            ru.ru_inblock,
            ru.ru_oublock,
            ru.ru_msgsnd,
            ru.ru_msgrcv,
            ru.ru_nsignals,
            ru.ru_nvcsw,
            ru.ru_nivcsw,
        ]
        .map(int),
    );
    let ty = lh_runtime::hooks::import_module("resource")?.get_attr(intern!("struct_rusage"))?;
    let usage = ty.call(&[&Tuple::from_vec(v)])?;
    Ok((p, st, usage))
}
/// Wait for completion of a child process.
///
/// Returns a tuple of information about the child process:
///   (pid, status, rusage)
#[pyfunction(signature = "(options)")]
pub fn wait3(options: i32) -> PyResult<(i32, i32, Owned<Object>)> {
    do_wait4(-1, options)
}
/// Wait for completion of a specific child process.
///
/// Returns a tuple of information about the child process:
///   (pid, status, rusage)
#[pyfunction(signature = "(pid, options)")]
pub fn wait4(pid: i32, options: i32) -> PyResult<(i32, i32, Owned<Object>)> {
    do_wait4(pid, options)
}

struct_seq!(
    waitid_result,
    "posix.waitid_result",
    "waitid_result: Result from waitid.

This object may be accessed either as a tuple of
  (si_pid, si_uid, si_signo, si_status, si_code),
or via the attributes si_pid, si_uid, and so on.

See os.waitid for more information.",
    5,
    ["si_pid", "si_uid", "si_signo", "si_status", "si_code"]
);

/// Returns the result of waiting for a process or processes.
///
///   idtype
///     Must be one of be P_PID, P_PGID or P_ALL.
///   id
///     The id to wait on.
///   options
///     Constructed from the ORing of one or more of WEXITED, WSTOPPED
///     or WCONTINUED and additionally may be ORed with WNOHANG or WNOWAIT.
///
/// Returns either waitid_result or None if WNOHANG is specified and there are
/// no children in a waitable state.
#[pyfunction]
pub fn waitid(idtype: u32, id: i32, options: i32) -> PyResult<Owned<Object>> {
    // SAFETY: an all-zero siginfo is filled by the call.
    let mut i: libc::siginfo_t = unsafe { std::mem::zeroed() };
    call(|| c!(libc::waitid(idtype as libc::idtype_t, id as libc::id_t, &mut i, options)))?;
    // SAFETY: filled by waitid, or still zero.
    let (pid, uid, status) = unsafe { (i.si_pid(), i.si_uid(), i.si_status()) };
    if pid == 0 {
        return Ok(none());
    }
    let v =
        vec![int(pid as i64), id_obj(uid), int(i.si_signo as i64), int(status as i64), int(i.si_code as i64)];
    Ok(lh_runtime::structseq::new(waitid_result()?, v).into_object())
}
/// Return a file descriptor referring to the process *pid*.
///
/// The descriptor can be used to perform process management without races and
/// signals.
#[pyfunction(signature = "(pid, flags=0)")]
pub fn pidfd_open(pid: i32, flags: u32) -> PyResult<i64> {
    call(|| c!(libc::syscall(libc::SYS_pidfd_open, pid, flags)))
}

macro_rules! status_tests {
    ($($name:ident $t:ty, $f:ident, $doc:literal;)*) => { $(
        #[doc = $doc]
        #[allow(non_snake_case)]
        #[pyfunction(signature = "(status)")]
        pub fn $name(status: i32) -> $t {
            libc::$f(status)
        }
    )* };
}
status_tests! {
    WIFCONTINUED bool, WIFCONTINUED, "Return True if a particular process was continued from a job control stop.";
    WIFSTOPPED bool, WIFSTOPPED, "Return True if the process returning status was stopped.";
    WIFSIGNALED bool, WIFSIGNALED, "Return True if the process returning status was terminated by a signal.";
    WIFEXITED bool, WIFEXITED, "Return True if the process returning status exited via the exit() system call.";
    WEXITSTATUS i32, WEXITSTATUS, "Return the process return code from status.";
    WTERMSIG i32, WTERMSIG, "Return the signal that terminated the process that provided the status value.";
    WSTOPSIG i32, WSTOPSIG, "Return the signal that stopped the process that provided the status value.";
}
/// Return True if the process returning status was dumped to a core file.
#[allow(non_snake_case)]
#[pyfunction]
pub fn WCOREDUMP(status: i32) -> bool {
    libc::WCOREDUMP(status)
}
/// Convert a wait status to an exit code.
///
/// On Unix:
///
/// * If WIFEXITED(status) is true, return WEXITSTATUS(status).
/// * If WIFSIGNALED(status) is true, return -WTERMSIG(status).
/// * Otherwise, raise a ValueError.
#[pyfunction(signature = "(status)")]
pub fn waitstatus_to_exitcode(status: &Object) -> PyResult<i32> {
    let Some(i) = status.downcast::<Int>() else {
        return raise!(TypeError, "an integer is required (got type {})", status.ty().name());
    };
    let st = i32::from_py(i, ArgCtx { func: "waitstatus_to_exitcode", pos: 1, name: None })?;
    if libc::WIFEXITED(st) {
        return Ok(libc::WEXITSTATUS(st));
    }
    if libc::WIFSIGNALED(st) {
        return Ok(-libc::WTERMSIG(st));
    }
    if libc::WIFSTOPPED(st) {
        return raise!(ValueError, "process stopped by delivery of signal {}", libc::WSTOPSIG(st));
    }
    raise!(ValueError, "invalid wait status: {}", st)
}

/// Kill a process with a signal.
#[pyfunction]
pub fn kill(pid: i32, signal: i32) -> PyResult<()> {
    audit("os.kill", &[&int(pid as i64), &int(signal as i64)])?;
    quick(c!(libc::kill(pid, signal)))?;
    signal::check_signals()
}
/// Kill a process group with a signal.
#[pyfunction]
pub fn killpg(pgid: i32, signal: i32) -> PyResult<()> {
    audit("os.killpg", &[&int(pgid as i64), &int(signal as i64)])?;
    quick(c!(libc::killpg(pgid, signal)))?;
    signal::check_signals()
}

// ---- The environment ----

pub fn environ_ptr() -> *mut *mut libc::c_char {
    unsafe extern "C" {
        static mut environ: *mut *mut libc::c_char;
    }
    // SAFETY: the C library's variable.
    unsafe { environ }
}

/// The environment as a dict of bytes.
pub fn environ_dict() -> PyResult<Owned<Dict>> {
    let d = Dict::new();
    let mut p = environ_ptr();
    // SAFETY: a NULL-terminated vector of C strings.
    unsafe {
        while !p.is_null() && !(*p).is_null() {
            let s = std::ffi::CStr::from_ptr(*p).to_bytes();
            if let Some(i) = s.iter().position(|b| *b == b'=') {
                d.set_default(&Bytes::new(&s[..i]), &Bytes::new(&s[i + 1..]))?;
            }
            p = p.add(1);
        }
    }
    Ok(d)
}

/// Change or add an environment variable.
#[pyfunction]
pub fn putenv(name: FsBytes, value: FsBytes) -> PyResult<()> {
    if name.0.as_bytes().contains(&b'=') {
        return raise!(ValueError, "illegal environment variable name");
    }
    audit("os.putenv", &[&Bytes::new(name.0.as_bytes()), &Bytes::new(value.0.as_bytes())])?;
    quick(c!(libc::setenv(name.0.as_ptr(), value.0.as_ptr(), 1))).map(|_| ())
}
/// Delete an environment variable.
#[pyfunction]
pub fn unsetenv(name: FsBytes) -> PyResult<()> {
    audit("os.unsetenv", &[&Bytes::new(name.0.as_bytes())])?;
    quick(c!(libc::unsetenv(name.0.as_ptr()))).map(|_| ())
}
