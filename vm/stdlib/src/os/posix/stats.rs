//! `os.stat` and its relatives, `statvfs`, `utime`.

use crate::os::util::*;
use lh_runtime::prelude::*;
use lh_runtime::structseq;

struct_seq!(
    stat_result,
    "os.stat_result",
    "stat_result: Result from stat, fstat, or lstat.

This object may be accessed either as a tuple of
  (mode, ino, dev, nlink, uid, gid, size, atime, mtime, ctime)
or via the attributes st_mode, st_ino, st_dev, st_nlink, st_uid, and so on.

Posix/windows: If your platform supports st_blksize, st_blocks, st_rdev,
or st_flags, they are available as attributes only.

See os.stat for more information.",
    10,
    [
        "st_mode",
        "st_ino",
        "st_dev",
        "st_nlink",
        "st_uid",
        "st_gid",
        "st_size",
        "unnamed field",
        "unnamed field",
        "unnamed field",
        "st_atime",
        "st_mtime",
        "st_ctime",
        "st_atime_ns",
        "st_mtime_ns",
        "st_ctime_ns",
        "st_blksize",
        "st_blocks",
        "st_rdev"
    ]
);

struct_seq!(
    statvfs_result,
    "os.statvfs_result",
    "statvfs_result: Result from statvfs or fstatvfs.

This object may be accessed either as a tuple of
  (bsize, frsize, blocks, bfree, bavail, files, ffree, favail, flag, namemax),
or via the attributes f_bsize, f_frsize, f_blocks, f_bfree, and so on.

See os.statvfs for more information.",
    10,
    [
        "f_bsize",
        "f_frsize",
        "f_blocks",
        "f_bfree",
        "f_bavail",
        "f_files",
        "f_ffree",
        "f_favail",
        "f_flag",
        "f_namemax",
        "f_fsid"
    ]
);

pub fn zeroed_stat() -> libc::stat {
    // SAFETY: plain numbers.
    unsafe { std::mem::zeroed() }
}

#[allow(clippy::unnecessary_cast)]
pub fn stat_obj(s: &libc::stat) -> PyResult<Owned<Tuple>> {
    let u = |v: u64| Int::from_u64(v).into_object();
    let times = [(s.st_atime, s.st_atime_nsec), (s.st_mtime, s.st_mtime_nsec), (s.st_ctime, s.st_ctime_nsec)];
    let mut v = vec![
        u(s.st_mode as u64),
        u(s.st_ino as u64),
        u(s.st_dev as u64),
        u(s.st_nlink as u64),
        id_obj(s.st_uid),
        id_obj(s.st_gid),
        int(s.st_size),
    ];
    v.extend(times.iter().map(|t| int(t.0)));
    v.extend(times.iter().map(|t| float(t.0 as f64 + 1e-9 * t.1 as f64)));
    v.extend(times.iter().map(|t| Int::from_i128(t.0 as i128 * 1_000_000_000 + t.1 as i128).into_object()));
    v.extend([int(s.st_blksize as i64), int(s.st_blocks as i64), u(s.st_rdev as u64)]);
    Ok(structseq::new(stat_result()?, v))
}

/// The checks that functions with `dir_fd` and `follow_symlinks` share.
pub fn check_fd_options(func: &str, p: &PathValue, dir_fd: &Option<DirFd>, follow: bool) -> PyResult<()> {
    if p.fd.is_some() && dir_fd.as_ref().is_some_and(|d| d.0 != libc::AT_FDCWD) {
        return raise!(ValueError, "{}: can't specify dir_fd without matching path", func);
    }
    if p.fd.is_some() && !follow {
        return raise!(ValueError, "{}: cannot use fd and follow_symlinks together", func);
    }
    Ok(())
}

fn do_stat(func: &str, p: &PathValue, dir_fd: Option<DirFd>, follow: bool) -> PyResult<Owned<Tuple>> {
    check_fd_options(func, p, &dir_fd, follow)?;
    let mut st = zeroed_stat();
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    match p.fd {
        Some(fd) => call_path(p, || c!(libc::fstat(fd, &mut st)))?,
        None => call_path(p, || c!(libc::fstatat(at(&dir_fd), p.ptr(), &mut st, flags)))?,
    };
    stat_obj(&st)
}

/// Perform a stat system call on the given path.
///
///   path
///     Path to be examined; can be string, bytes, a path-like object or
///     open-file-descriptor int.
///   dir_fd
///     If not None, it should be a file descriptor open to a directory,
///     and path should be a relative string; path will then be relative to
///     that directory.
///   follow_symlinks
///     If False, and the last element of the path is a symbolic link,
///     stat will examine the symbolic link itself instead of the file
///     the link points to.
#[pyfunction(signature = "(path, *, dir_fd=None, follow_symlinks=True)")]
pub fn stat(path: PathFd, dir_fd: Option<DirFd>, follow_symlinks: bool) -> PyResult<Owned<Tuple>> {
    do_stat("stat", &path, dir_fd, follow_symlinks)
}
/// Perform a stat system call on the given path, without following symbolic links.
///
/// Like stat(), but do not follow symbolic links.
/// Equivalent to stat(path, follow_symlinks=False).
#[pyfunction(signature = "(path, *, dir_fd=None)")]
pub fn lstat(path: Path, dir_fd: Option<DirFd>) -> PyResult<Owned<Tuple>> {
    do_stat("lstat", &path, dir_fd, false)
}
/// Perform a stat system call on the given file descriptor.
///
/// Like stat(), but for an open file descriptor.
/// Equivalent to os.stat(fd).
#[pyfunction(signature = "(fd)")]
pub fn fstat(fd: CInt) -> PyResult<Owned<Tuple>> {
    let mut st = zeroed_stat();
    call(|| c!(libc::fstat(fd.0, &mut st)))?;
    stat_obj(&st)
}

fn statvfs_obj(s: &libc::statvfs) -> PyResult<Owned<Tuple>> {
    let u = |v: u64| Int::from_u64(v).into_object();
    #[allow(clippy::unnecessary_cast)]
    let v = vec![
        u(s.f_bsize as u64),
        u(s.f_frsize as u64),
        u(s.f_blocks as u64),
        u(s.f_bfree as u64),
        u(s.f_bavail as u64),
        u(s.f_files as u64),
        u(s.f_ffree as u64),
        u(s.f_favail as u64),
        u(s.f_flag as u64),
        u(s.f_namemax as u64),
        u(s.f_fsid as u64),
    ];
    Ok(structseq::new(statvfs_result()?, v))
}
/// Perform a statvfs system call on the given path.
///
/// path may always be specified as a string.
/// On some platforms, path may also be specified as an open file descriptor.
/// If this functionality is unavailable, using it raises an exception.
#[pyfunction(signature = "(path)")]
pub fn statvfs(path: PathFd) -> PyResult<Owned<Tuple>> {
    // SAFETY: plain numbers.
    let mut s: libc::statvfs = unsafe { std::mem::zeroed() };
    match path.fd {
        Some(fd) => call_path(&path, || c!(libc::fstatvfs(fd, &mut s)))?,
        None => call_path(&path, || c!(libc::statvfs(path.ptr(), &mut s)))?,
    };
    statvfs_obj(&s)
}
/// Perform an fstatvfs system call on the given fd.
///
/// Equivalent to statvfs(fd).
#[pyfunction]
pub fn fstatvfs(fd: CInt) -> PyResult<Owned<Tuple>> {
    // SAFETY: plain numbers.
    let mut s: libc::statvfs = unsafe { std::mem::zeroed() };
    call(|| c!(libc::fstatvfs(fd.0, &mut s)))?;
    statvfs_obj(&s)
}

/// Seconds (int or float) as a timespec, rounded down.
fn timespec_of(o: &Object) -> PyResult<libc::timespec> {
    if let Some(f) = o.downcast::<Float>() {
        let v = f.value();
        if v.is_nan() {
            return raise!(ValueError, "Invalid value NaN (not a number)");
        }
        let (mut whole, frac) = (v.floor(), v - v.floor());
        let mut ns = (frac * 1e9).floor();
        if ns >= 1e9 {
            ns -= 1e9;
            whole += 1.0;
        }
        if !(-9.2233720368547e18..9.2233720368547e18).contains(&whole) {
            return raise!(OverflowError, "timestamp out of range for platform time_t");
        }
        return Ok(libc::timespec { tv_sec: whole as i64, tv_nsec: ns as i64 });
    }
    let i = lh_runtime::number::index(o)?;
    match i.to_i64() {
        Some(s) => Ok(libc::timespec { tv_sec: s, tv_nsec: 0 }),
        None => raise!(OverflowError, "timestamp out of range for platform time_t"),
    }
}
fn timespec_of_ns(o: &Object) -> PyResult<libc::timespec> {
    let r = lh_runtime::number::divmod(o, &Int::from_i64(1_000_000_000))?;
    let Some(t) = r.downcast::<Tuple>().filter(|t| t.len() == 2) else {
        return raise!(
            TypeError,
            "{}.__divmod__() must return a 2-tuple, not {}",
            o.ty().name(),
            r.ty().name()
        );
    };
    let part = |i: usize| i64::from_py(t.item_ref(i), ArgCtx { func: "utime", pos: 0, name: None });
    Ok(libc::timespec { tv_sec: part(0)?, tv_nsec: part(1)? })
}

/// Set the access and modified time of path.
///
/// path may always be specified as a string.
/// On some platforms, path may also be specified as an open file descriptor.
///
/// If times is not None, it must be a tuple (atime, mtime);
///     atime and mtime should be expressed as float seconds since the epoch.
/// If ns is specified, it must be a tuple (atime_ns, mtime_ns);
///     atime_ns and mtime_ns should be expressed as integer nanoseconds
///     since the epoch.
/// If times is None and ns is unspecified, utime uses the current time.
/// Specifying tuples for both times and ns is an error.
#[pyfunction(signature = "(path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)")]
pub fn utime(
    path: PathFd,
    times: Option<&Object>,
    ns: Option<&Object>,
    dir_fd: Option<DirFd>,
    follow_symlinks: bool,
) -> PyResult<()> {
    let times = times.filter(|t| !t.is_none());
    if times.is_some() && ns.is_some() {
        return raise!(ValueError, "utime: you may specify either 'times' or 'ns' but not both");
    }
    let spec = if let Some(t) = times {
        let Some(t) = t.downcast_exact::<Tuple>().filter(|t| t.len() == 2) else {
            return raise!(TypeError, "utime: 'times' must be either a tuple of two ints or None");
        };
        Some([timespec_of(t.item_ref(0))?, timespec_of(t.item_ref(1))?])
    } else if let Some(t) = ns {
        let Some(t) = t.downcast_exact::<Tuple>().filter(|t| t.len() == 2) else {
            return raise!(TypeError, "utime: 'ns' must be a tuple of two ints");
        };
        Some([timespec_of_ns(t.item_ref(0))?, timespec_of_ns(t.item_ref(1))?])
    } else {
        None
    };
    check_fd_options("utime", &path, &dir_fd, follow_symlinks)?;
    let p = spec.as_ref().map_or(std::ptr::null(), |s| s.as_ptr());
    let flags = if follow_symlinks { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    match path.fd {
        Some(fd) => call(|| c!(libc::futimens(fd, p)))?,
        None => call_path(&path, || c!(libc::utimensat(at(&dir_fd), path.ptr(), p, flags)))?,
    };
    Ok(())
}
