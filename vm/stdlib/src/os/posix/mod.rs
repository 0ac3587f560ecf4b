//! `posix`: what `os` is made of.

use crate::os::util::*;
use lh_runtime::prelude::*;

pub mod fs;
pub mod io;
pub mod process;
pub mod scan;
pub mod sched;
pub mod stats;
pub mod tables;

use fs::*;
use io::*;
use process::*;
use scan::*;
use sched::*;
use stats::*;

fn names(table: &[(&str, i64)]) -> PyResult<Owned<Dict>> {
    let d = Dict::new();
    for (n, v) in table {
        d.set_str(n, &Int::from_i64(*v))?;
    }
    Ok(d)
}

fn setup(m: &Module) -> PyResult<()> {
    add_ints(m, tables::CONSTANTS)?;
    m.add("environ", &*process::environ_dict()?)?;
    m.add("sysconf_names", &*names(tables::SYSCONF)?)?;
    m.add("pathconf_names", &*names(tables::PATHCONF)?)?;
    m.add("confstr_names", &*names(tables::CONFSTR)?)?;
    m.add("error", exc::OSError())?;
    let types = [
        ("waitid_result", process::waitid_result()?),
        ("stat_result", stats::stat_result()?),
        ("statvfs_result", stats::statvfs_result()?),
        ("sched_param", sched::sched_param()?),
        ("terminal_size", io::terminal_size()?),
        ("times_result", sched::times_result()?),
        ("uname_result", sched::uname_result()?),
    ];
    sched::set_up()?;
    for (n, t) in types {
        m.add(n, t)?;
    }
    ready::<scan::ScandirIterator>()?;
    let have = tables::HAVE.iter().map(|s| Str::new(s).into_object()).collect();
    m.add("_have_functions", &List::from_vec(have))
}

module! { "posix",
doc: "This module provides access to operating system functionality that is\nstandardized by the C Standard and the POSIX standard (a thinly\ndisguised Unix interface).  Refer to the library manual and\ncorresponding Unix manual entries for more information on calls.",
functions: [
    stat, access, ttyname, chdir, chmod, fchmod, chown, fchown, lchown, chroot, ctermid, getcwd, getcwdb, link, listdir,
    lstat, mkdir, nice, getpriority, setpriority, posix_spawn, posix_spawnp, readlink, copy_file_range, splice, rename,
    replace, rmdir, symlink, system, umask, uname, unlink, remove, utime, times, _exit, execv, execve, fork,
    register_at_fork, sched_get_priority_max, sched_get_priority_min, sched_getparam, sched_getscheduler,
    sched_rr_get_interval, sched_setparam, sched_setscheduler, sched_yield, sched_setaffinity, sched_getaffinity, openpty,
    login_tty, forkpty, getegid, geteuid, getgid, getgrouplist, getgroups, getpid, getpgrp, getppid, getuid, getlogin,
    kill, killpg, setuid, seteuid, setreuid, setgid, setegid, setregid, setgroups, initgroups, getpgid, setpgrp, wait,
    wait3, wait4, waitid, waitpid, pidfd_open, getsid, setsid, setpgid, tcgetpgrp, tcsetpgrp, open, close, closerange,
    device_encoding, dup, dup2, lockf, lseek, read, readv, pread, preadv, write, writev, pwrite, pwritev, sendfile, fstat,
    isatty, pipe, pipe2, mkfifo, mknod, major, minor, makedev, ftruncate, truncate, posix_fallocate, posix_fadvise,
    putenv, unsetenv, strerror, fchdir, fsync, sync, fdatasync, WCOREDUMP, WIFCONTINUED, WIFSTOPPED, WIFSIGNALED,
    WIFEXITED, WEXITSTATUS, WTERMSIG, WSTOPSIG, fstatvfs, statvfs, confstr, sysconf, fpathconf, pathconf, abort,
    _path_normpath, getloadavg, urandom, setresuid, setresgid, getresuid, getresgid, getxattr, setxattr, removexattr,
    listxattr, get_terminal_size, cpu_count, get_inheritable, set_inheritable, get_blocking, set_blocking, scandir,
    fspath, getrandom, memfd_create, eventfd, eventfd_read, eventfd_write, waitstatus_to_exitcode,
],
types: [DirEntry],
init: setup }
