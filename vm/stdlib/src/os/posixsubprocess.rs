//! `_posixsubprocess`: fork and exec in one call, with everything between them prepared before the fork.
//!
//! Between `fork` and `exec` the child does only what is safe in a copy of one thread of a process: system calls on memory that is
//! already there (except for `preexec_fn`, which runs Python and is the caller's risk).

use super::posix::process::{CVec, after_fork_child, after_fork_parent, before_fork};
use super::util::*;
use lh_runtime::interpreter;
use lh_runtime::number;
use lh_runtime::prelude::*;
use std::ffi::CString;

struct Child<'a> {
    argv: CVec,
    exec: Vec<CString>,
    envp: Option<CVec>,
    close_fds: bool,
    keep: Vec<i32>,
    cwd: Option<CString>,
    p2c: (i32, i32),
    c2p: (i32, i32),
    err: (i32, i32),
    errpipe: (i32, i32),
    restore_signals: bool,
    setsid: bool,
    pgid: i32,
    groups: Option<Vec<u32>>,
    gid: Option<u32>,
    uid: Option<u32>,
    umask: i32,
    preexec: Option<&'a Object>,
}

/// Why the child could not run the program.
enum Failed {
    Os(i32),
    Preexec,
}

fn check(r: i32) -> Result<i32, Failed> {
    if r < 0 { Err(Failed::Os(errno())) } else { Ok(r) }
}

fn set_inheritable(fd: i32) -> Result<(), Failed> {
    let f = check(c!(libc::fcntl(fd, libc::F_GETFD)))?;
    check(c!(libc::fcntl(fd, libc::F_SETFD, f & !libc::FD_CLOEXEC))).map(|_| ())
}

fn install(fd: i32, at: i32) -> Result<(), Failed> {
    if fd == at {
        set_inheritable(fd)
    } else if fd != -1 {
        check(c!(libc::dup2(fd, at))).map(|_| ())
    } else {
        Ok(())
    }
}

impl Child<'_> {
    /// Runs in the child; `early` says whether a failure came before `exec`.
    fn run(&self, early: &mut bool) -> Failed {
        match self.try_run(early) {
            Err(e) => e,
            Ok(never) => match never {},
        }
    }
    fn try_run(&self, early: &mut bool) -> Result<std::convert::Infallible, Failed> {
        for fd in &self.keep {
            // The error pipe closes itself on success.
            if *fd != self.errpipe.1 {
                let _ = set_inheritable(*fd);
            }
        }
        for fd in [self.p2c.1, self.c2p.0, self.err.0, self.errpipe.0] {
            if fd != -1 {
                check(c!(libc::close(fd)))?;
            }
        }
        let (mut out, mut err) = (self.c2p.1, self.err.1);
        // Descriptors that stand where others will be put move out of the way.
        if out == 0 {
            out = check(c!(libc::dup(out)))?;
        }
        while err == 0 || err == 1 {
            err = check(c!(libc::dup(err)))?;
        }
        install(self.p2c.0, 0)?;
        install(out, 1)?;
        install(err, 2)?;
        if let Some(d) = &self.cwd {
            check(c!(libc::chdir(d.as_ptr())))?;
        }
        if self.umask >= 0 {
            c!(libc::umask(self.umask as libc::mode_t));
        }
        if self.restore_signals {
            c!(libc::signal(libc::SIGPIPE, libc::SIG_DFL));
            c!(libc::signal(libc::SIGXFSZ, libc::SIG_DFL));
        }
        if self.setsid {
            check(c!(libc::setsid()))?;
        }
        if self.pgid >= 0 {
            check(c!(libc::setpgid(0, self.pgid)))?;
        }
        if let Some(g) = &self.groups {
            check(c!(libc::setgroups(g.len(), g.as_ptr())))?;
        }
        if let Some(g) = self.gid {
            check(c!(libc::setregid(g, g)))?;
        }
        if let Some(u) = self.uid {
            check(c!(libc::setreuid(u, u)))?;
        }
        *early = false;
        if let Some(f) = self.preexec
            && f.call0().is_err()
        {
            return Err(Failed::Preexec);
        }
        if self.close_fds {
            let mut low = 3;
            for fd in self.keep.iter().filter(|f| **f >= 3) {
                super::posix::io::close_range(low, *fd);
                low = fd + 1;
            }
            super::posix::io::close_range(low, i32::MAX);
        }
        let mut saved = 0;
        for p in &self.exec {
            match &self.envp {
                Some(e) => c!(libc::execve(p.as_ptr(), self.argv.as_ptr(), e.as_ptr())),
                None => c!(libc::execv(p.as_ptr(), self.argv.as_ptr())),
            };
            let e = errno();
            if e != libc::ENOENT && e != libc::ENOTDIR && saved == 0 {
                saved = e;
            }
        }
        Err(Failed::Os(if saved != 0 { saved } else { errno() }))
    }
    fn report(&self, e: Failed, early: bool) {
        let text = match e {
            Failed::Os(n) => format!("OSError:{:X}:{}", n, if early { "noexec" } else { "" }),
            Failed::Preexec => "SubprocessError:0:Exception occurred in preexec_fn.".to_string(),
        };
        c!(libc::write(self.errpipe.1, text.as_ptr().cast(), text.len()));
    }
}

fn strings(o: &Object) -> PyResult<Vec<CString>> {
    o.to_items()?.iter().map(|i| fs_bytes(i)).collect()
}

/// fork_exec(args, executable_list, close_fds, pass_fds, cwd, env,
///           p2cread, p2cwrite, c2pread, c2pwrite,
///           errread, errwrite, errpipe_read, errpipe_write,
///           restore_signals, call_setsid, pgid_to_set, gid, groups, uid, umask,
///           preexec_fn, allow_vfork)
///
/// Forks a child process, closes parent file descriptors as appropriate in the
/// child and dups the few that are needed before calling exec() in the child
/// process. Returns the child's pid. See subprocess.Popen for the arguments.
#[pyfunction(raw)]
pub fn fork_exec(a: Args<'_>) -> PyResult<i32> {
    a.no_kwargs("fork_exec")?;
    if a.len() != 23 {
        return raise!(TypeError, "fork_exec expected 23 arguments, got {}", a.len());
    }
    let arg = |i: usize| a.get(i).expect("counted");
    let fd = |i: usize| i32::from_py(arg(i), ArgCtx { func: "fork_exec", pos: i + 1, name: None });
    let optional = |i: usize| Some(arg(i)).filter(|o| !o.is_none());
    let id = |i: usize| -> PyResult<Option<u32>> {
        match optional(i) {
            None => Ok(None),
            Some(o) => {
                Uid::from_py(o, ArgCtx { func: "fork_exec", pos: i + 1, name: None }).map(|u| Some(u.0))
            }
        }
    };
    let close_fds = arg(2).is_true()?;
    let Some(keep) = arg(3).downcast::<Tuple>() else {
        return raise!(TypeError, "fork_exec() argument 4 must be tuple, not {}", arg(3).ty().name());
    };
    let mut fds = vec![];
    for k in keep.iter() {
        match k.downcast::<Int>().and_then(|i| i.to_i64()).filter(|v| (0..=i32::MAX as i64).contains(v)) {
            Some(v) if fds.last().is_none_or(|l| (*l as i64) < v) => fds.push(v as i32),
            _ => return raise!(ValueError, "bad value(s) in fds_to_keep"),
        }
    }
    let preexec = optional(21);
    if preexec.is_some() && !interpreter::is_main() {
        return raise!(RuntimeError, "preexec_fn not supported within subinterpreters");
    }
    // SAFETY: the current interpreter is live.
    if unsafe { (*interpreter::current()).isolated } {
        return raise!(RuntimeError, "subprocess not supported for isolated subinterpreters");
    }
    let errpipe = (fd(12)?, fd(13)?);
    if close_fds && errpipe.1 < 3 {
        return raise!(ValueError, "errpipe_write must be >= 3");
    }
    let exec = strings(arg(1))?;
    let argv = match optional(0) {
        Some(v) => {
            let v = v.to_items()?;
            CVec::new(v.iter().map(|i| fs_bytes(i)).collect::<PyResult<_>>()?)
        }
        None => CVec::new(vec![]),
    };
    let groups = match optional(18) {
        None => None,
        Some(g) => {
            let mut v = vec![];
            for x in g.to_items()? {
                let ctx = ArgCtx { func: "fork_exec", pos: 19, name: None };
                match Gid::from_py(&x, ctx) {
                    // -1 means "leave it" elsewhere, and is no group.
                    Ok(g) if x.is_instance_of::<Int>() && g.0 != u32::MAX => v.push(g.0),
                    Ok(_) => return raise!(ValueError, "invalid group id"),
                    Err(e) => {
                        e.clear();
                        return raise!(ValueError, "invalid group id");
                    }
                }
            }
            Some(v)
        }
    };
    let pgid = number::index(arg(16))?.to_i64().unwrap_or(-1) as i32;
    let child = Child {
        argv,
        exec,
        envp: optional(5).map(|e| strings(e).map(CVec::new)).transpose()?,
        close_fds,
        keep: fds,
        cwd: optional(4).map(fs_bytes).transpose()?,
        p2c: (fd(6)?, fd(7)?),
        c2p: (fd(8)?, fd(9)?),
        err: (fd(10)?, fd(11)?),
        errpipe,
        restore_signals: arg(14).is_true()?,
        setsid: arg(15).is_true()?,
        pgid,
        gid: id(17)?,
        groups,
        uid: id(19)?,
        umask: fd(20)?,
        preexec,
    };
    if preexec.is_some() {
        before_fork();
    }
    let pid = c!(libc::fork());
    if pid == 0 {
        if preexec.is_some() {
            after_fork_child();
        }
        let mut early = true;
        let e = child.run(&mut early);
        child.report(e, early);
        c!(libc::_exit(255));
    }
    let e = errno();
    if preexec.is_some() {
        after_fork_parent();
    }
    if pid < 0 { Err(raise_errno(e, None)) } else { Ok(pid) }
}

module! { "_posixsubprocess", doc: "A POSIX helper for the subprocess module.", functions: [fork_exec] }
