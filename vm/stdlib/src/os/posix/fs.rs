//! Operations on names: making, removing, renaming, linking, permissions, extended attributes, the current directory.

use super::stats::check_fd_options;
use crate::os::util::*;
use lh_runtime::codecs;
use lh_runtime::prelude::*;
use std::ffi::CStr;

/// Use the real uid/gid to test for access to a path.
///
/// Returns True if access is granted, False otherwise. mode is F_OK or a
/// combination of R_OK, W_OK and X_OK; with effective_ids the effective
/// ids are used instead of the real ones.
#[pyfunction(signature = "(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)")]
pub fn access(
    path: Path,
    mode: CInt,
    dir_fd: Option<DirFd>,
    effective_ids: bool,
    follow_symlinks: bool,
) -> PyResult<bool> {
    let mut flags = 0;
    if !follow_symlinks {
        flags |= libc::AT_SYMLINK_NOFOLLOW;
    }
    if effective_ids {
        flags |= libc::AT_EACCESS;
    }
    Ok(lh_runtime::thread::allow_threads(|| c!(libc::faccessat(at(&dir_fd), path.ptr(), mode.0, flags))) == 0)
}

/// Change the current working directory to the specified path.
///
/// path may always be specified as a string.
/// On some platforms, path may also be specified as an open file descriptor.
#[pyfunction(signature = "(path)")]
pub fn chdir(path: PathFd) -> PyResult<()> {
    audit("os.chdir", &[&path.object])?;
    match path.fd {
        Some(fd) => call_path(&path, || c!(libc::fchdir(fd)))?,
        None => call_path(&path, || c!(libc::chdir(path.ptr())))?,
    };
    Ok(())
}
/// Change to the directory of the given file descriptor.
///
/// fd must be opened on a directory, not a file.
/// Equivalent to os.chdir(fd).
#[pyfunction(signature = "(fd)")]
pub fn fchdir(fd: Fildes) -> PyResult<()> {
    call(|| c!(libc::fchdir(fd.0))).map(|_| ())
}
/// Change root directory to path.
#[pyfunction(signature = "(path)")]
pub fn chroot(path: Path) -> PyResult<()> {
    call_path(&path, || c!(libc::chroot(path.ptr()))).map(|_| ())
}

fn cwd() -> PyResult<Vec<u8>> {
    let mut v = vec![0u8; 4096];
    loop {
        let p = lh_runtime::thread::allow_threads(|| c!(libc::getcwd(v.as_mut_ptr().cast(), v.len())));
        if !p.is_null() {
            let n = v.iter().position(|b| *b == 0).unwrap_or(v.len());
            v.truncate(n);
            return Ok(v);
        }
        match errno() {
            libc::ERANGE => v.resize(v.len() * 2, 0),
            e => return Err(raise_errno(e, None)),
        }
    }
}
/// Return a unicode string representing the current working directory.
#[pyfunction]
pub fn getcwd() -> PyResult<Owned<Str>> {
    Ok(codecs::fs_decode(&cwd()?))
}
/// Return a bytes string representing the current working directory.
#[pyfunction]
pub fn getcwdb() -> PyResult<Vec<u8>> {
    cwd()
}

/// Change the access permissions of a file.
///
///   path
///     Path to be modified; on some platforms also an open file descriptor.
///   mode
///     Operating-system mode bitfield.
///   dir_fd
///     If not None, a file descriptor open to the directory that path is relative to.
///   follow_symlinks
///     If False, and the last element of the path is a symbolic link,
///     chmod will modify the symbolic link itself.
#[pyfunction(signature = "(path, mode, *, dir_fd=None, follow_symlinks=True)")]
pub fn chmod(path: PathFd, mode: CInt, dir_fd: Option<DirFd>, follow_symlinks: bool) -> PyResult<()> {
    audit("os.chmod", &[&path.object, &int(mode.0 as i64), &shown(&dir_fd)])?;
    let mode = mode.0 as libc::mode_t;
    if let Some(fd) = path.fd {
        call_path(&path, || c!(libc::fchmod(fd, mode)))?;
        return Ok(());
    }
    let flags = if follow_symlinks { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    match sys(|| c!(libc::fchmodat(at(&dir_fd), path.ptr(), mode, flags)))? {
        Ok(_) => Ok(()),
        Err(e) if !follow_symlinks && (e == libc::ENOTSUP || e == libc::EOPNOTSUPP) => {
            if dir_fd.is_some_and(|d| d.0 != libc::AT_FDCWD) {
                return raise!(ValueError, "chmod: cannot use dir_fd and follow_symlinks together");
            }
            raise!(NotImplementedError, "chmod: follow_symlinks unavailable on this platform")
        }
        Err(e) => Err(raise_errno(e, Some(&path.object))),
    }
}
/// Change the access permissions of the file given by file descriptor fd.
///
/// Equivalent to os.chmod(fd, mode).
#[pyfunction(signature = "(fd, mode)")]
pub fn fchmod(fd: CInt, mode: CInt) -> PyResult<()> {
    call(|| c!(libc::fchmod(fd.0, mode.0 as libc::mode_t))).map(|_| ())
}
/// Change the owner and group id of path to the numeric uid and gid.
///
/// dir_fd and follow_symlinks are as for chmod.
#[pyfunction(signature = "(path, uid, gid, *, dir_fd=None, follow_symlinks=True)")]
pub fn chown(path: PathFd, uid: Uid, gid: Gid, dir_fd: Option<DirFd>, follow_symlinks: bool) -> PyResult<()> {
    check_fd_options("chown", &path, &dir_fd, follow_symlinks)?;
    audit("os.chown", &[&path.object, &id_obj(uid.0), &id_obj(gid.0), &shown(&dir_fd)])?;
    let flags = if follow_symlinks { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    match path.fd {
        Some(fd) => call_path(&path, || c!(libc::fchown(fd, uid.0, gid.0)))?,
        None => call_path(&path, || c!(libc::fchownat(at(&dir_fd), path.ptr(), uid.0, gid.0, flags)))?,
    };
    Ok(())
}
/// Change the owner and group id of the file specified by file descriptor.
///
/// Equivalent to os.chown(fd, uid, gid).
#[pyfunction(signature = "(fd, uid, gid)")]
pub fn fchown(fd: CInt, uid: Uid, gid: Gid) -> PyResult<()> {
    call(|| c!(libc::fchown(fd.0, uid.0, gid.0))).map(|_| ())
}
/// Change the owner and group id of path to the numeric uid and gid.
///
/// This function will not follow symbolic links.
/// Equivalent to os.chown(path, uid, gid, follow_symlinks=False).
#[pyfunction(signature = "(path, uid, gid)")]
pub fn lchown(path: Path, uid: Uid, gid: Gid) -> PyResult<()> {
    audit("os.chown", &[&path.object, &id_obj(uid.0), &id_obj(gid.0), &int(-1)])?;
    call_path(&path, || c!(libc::lchown(path.ptr(), uid.0, gid.0))).map(|_| ())
}

/// Create a hard link to a file.
///
/// If either src_dir_fd or dst_dir_fd is not None, it should be a file
/// descriptor open to a directory, and the respective path string (src or dst)
/// should be relative; the path will then be relative to that directory.
/// If follow_symlinks is False, and the last element of src is a symbolic
/// link, link will create a link to the symbolic link itself instead of the
/// file the link points to.
#[pyfunction(signature = "(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)")]
pub fn link(
    src: Path,
    dst: Path,
    src_dir_fd: Option<DirFd>,
    dst_dir_fd: Option<DirFd>,
    follow_symlinks: bool,
) -> PyResult<()> {
    audit("os.link", &[&src.object, &dst.object, &shown(&src_dir_fd), &shown(&dst_dir_fd)])?;
    let flags = if follow_symlinks { libc::AT_SYMLINK_FOLLOW } else { 0 };
    let plain = src_dir_fd.is_none() && dst_dir_fd.is_none() && follow_symlinks;
    call_paths(&src, &dst, || {
        if plain {
            // As link() does: the link itself, on Linux.
            c!(libc::link(src.ptr(), dst.ptr()))
        } else {
            c!(libc::linkat(at(&src_dir_fd), src.ptr(), at(&dst_dir_fd), dst.ptr(), flags))
        }
    })
    .map(|_| ())
}
/// Create a symbolic link pointing to src named dst.
///
/// target_is_directory is ignored on non-Windows platforms.
/// If dir_fd is not None, it should be a file descriptor open to a directory,
/// and path should be relative; path will then be relative to that directory.
#[pyfunction(signature = "(src, dst, target_is_directory=False, *, dir_fd=None)")]
pub fn symlink(src: Path, dst: Path, target_is_directory: bool, dir_fd: Option<DirFd>) -> PyResult<()> {
    let _ = target_is_directory;
    audit("os.symlink", &[&src.object, &dst.object, &shown(&dir_fd)])?;
    call_paths(&src, &dst, || c!(libc::symlinkat(src.ptr(), at(&dir_fd), dst.ptr()))).map(|_| ())
}
/// Return a string representing the path to which the symbolic link points.
///
/// If dir_fd is not None, it should be a file descriptor open to a directory,
/// and path should be relative; path will then be relative to that directory.
#[pyfunction(signature = "(path, *, dir_fd=None)")]
pub fn readlink(path: Path, dir_fd: Option<DirFd>) -> PyResult<Owned<Object>> {
    let mut v = vec![0u8; 4096];
    loop {
        let n = call_path(&path, || {
            c!(libc::readlinkat(at(&dir_fd), path.ptr(), v.as_mut_ptr().cast(), v.len()))
        })? as usize;
        if n < v.len() {
            return Ok(path.decode(&v[..n]));
        }
        v.resize(v.len() * 4, 0);
    }
}

fn do_rename(src: Path, dst: Path, a: Option<DirFd>, b: Option<DirFd>) -> PyResult<()> {
    audit("os.rename", &[&src.object, &dst.object, &shown(&a), &shown(&b)])?;
    call_paths(&src, &dst, || c!(libc::renameat(at(&a), src.ptr(), at(&b), dst.ptr()))).map(|_| ())
}
/// Rename a file or directory.
///
/// If either src_dir_fd or dst_dir_fd is not None, it should be a file
/// descriptor open to a directory, and the respective path string (src or dst)
/// should be relative; the path will then be relative to that directory.
#[pyfunction(signature = "(src, dst, *, src_dir_fd=None, dst_dir_fd=None)")]
pub fn rename(src: Path, dst: Path, src_dir_fd: Option<DirFd>, dst_dir_fd: Option<DirFd>) -> PyResult<()> {
    do_rename(src, dst, src_dir_fd, dst_dir_fd)
}
/// Rename a file or directory, overwriting the destination.
///
/// src_dir_fd and dst_dir_fd are as for rename().
#[pyfunction(signature = "(src, dst, *, src_dir_fd=None, dst_dir_fd=None)")]
pub fn replace(src: Path, dst: Path, src_dir_fd: Option<DirFd>, dst_dir_fd: Option<DirFd>) -> PyResult<()> {
    do_rename(src, dst, src_dir_fd, dst_dir_fd)
}
/// Create a directory.
///
/// If dir_fd is not None, it should be a file descriptor open to a directory,
/// and path should be relative; path will then be relative to that directory.
/// The mode argument is ignored on Windows.
#[pyfunction(signature = "(path, mode=511, *, dir_fd=None)")]
pub fn mkdir(path: Path, mode: i32, dir_fd: Option<DirFd>) -> PyResult<()> {
    audit("os.mkdir", &[&path.object, &int(mode as i64), &shown(&dir_fd)])?;
    call_path(&path, || c!(libc::mkdirat(at(&dir_fd), path.ptr(), mode as libc::mode_t))).map(|_| ())
}
/// Remove a directory.
///
/// If dir_fd is not None, it should be a file descriptor open to a directory,
/// and path should be relative; path will then be relative to that directory.
#[pyfunction(signature = "(path, *, dir_fd=None)")]
pub fn rmdir(path: Path, dir_fd: Option<DirFd>) -> PyResult<()> {
    audit("os.rmdir", &[&path.object, &shown(&dir_fd)])?;
    call_path(&path, || c!(libc::unlinkat(at(&dir_fd), path.ptr(), libc::AT_REMOVEDIR))).map(|_| ())
}
/// Remove a file (same as remove()).
///
/// If dir_fd is not None, it should be a file descriptor open to a directory,
/// and path should be relative; path will then be relative to that directory.
#[pyfunction(signature = "(path, *, dir_fd=None)")]
pub fn unlink(path: Path, dir_fd: Option<DirFd>) -> PyResult<()> {
    audit("os.remove", &[&path.object, &shown(&dir_fd)])?;
    call_path(&path, || c!(libc::unlinkat(at(&dir_fd), path.ptr(), 0))).map(|_| ())
}
/// Remove a file (same as unlink()).
///
/// If dir_fd is not None, it should be a file descriptor open to a directory,
/// and path should be relative; path will then be relative to that directory.
#[pyfunction(signature = "(path, *, dir_fd=None)")]
pub fn remove(path: Path, dir_fd: Option<DirFd>) -> PyResult<()> {
    audit("os.remove", &[&path.object, &shown(&dir_fd)])?;
    call_path(&path, || c!(libc::unlinkat(at(&dir_fd), path.ptr(), 0))).map(|_| ())
}
/// Create a "fifo" (a POSIX named pipe).
///
/// If dir_fd is not None, it should be a file descriptor open to a directory,
/// and path should be relative; path will then be relative to that directory.
#[pyfunction(signature = "(path, mode=438, *, dir_fd=None)")]
pub fn mkfifo(path: Path, mode: i32, dir_fd: Option<DirFd>) -> PyResult<()> {
    call(|| c!(libc::mkfifoat(at(&dir_fd), path.ptr(), mode as libc::mode_t))).map(|_| ())
}
/// Create a node in the file system.
///
/// Create a node in the file system (file, device special file or named pipe)
/// at path.  mode specifies both the permissions to use and the
/// type of node to be created; device is the device's number, see makedev().
#[pyfunction(signature = "(path, mode=384, device=0, *, dir_fd=None)")]
pub fn mknod(path: Path, mode: i32, device: u64, dir_fd: Option<DirFd>) -> PyResult<()> {
    call(|| c!(libc::mknodat(at(&dir_fd), path.ptr(), mode as libc::mode_t, device as libc::dev_t)))
        .map(|_| ())
}
/// Truncate a file, specified by path, to a specific length.
///
/// On some platforms, path may also be specified as an open file descriptor.
#[pyfunction(signature = "(path, length)")]
pub fn truncate(path: PathFd, length: i64) -> PyResult<()> {
    audit("os.truncate", &[&path.object, &int(length)])?;
    match path.fd {
        Some(fd) => call(|| c!(libc::ftruncate(fd, length)))?,
        None => call_path(&path, || c!(libc::truncate(path.ptr(), length)))?,
    };
    Ok(())
}

/// Return a list containing the names of the files in the directory.
///
/// path can be specified as either str, bytes, or a path-like object.  If path is bytes,
///   the filenames returned will also be bytes; in all other circumstances
///   the filenames returned will be str.
/// If path is None, uses the path='.'.
/// On some platforms, path may also be specified as an open file descriptor.
///
/// The list is in arbitrary order.  It does not include the special
/// entries '.' and '..' even if they are present in the directory.
#[pyfunction(signature = "(path=None)")]
pub fn listdir(path: Option<PathFdNone>) -> PyResult<Vec<Owned<Object>>> {
    audit("os.listdir", &[path.as_ref().map_or(none_ref(), |p| &*p.object)])?;
    let dir = super::scan::Dir::open(path.as_ref().map(|p| &p.0))?;
    let mut out = vec![];
    while let Some(e) = dir.next().map_err(|e| raise_errno(e, path.as_ref().map(|p| &*p.object)))? {
        out.push(match &path {
            Some(p) => p.decode(&e.name),
            None => codecs::fs_decode(&e.name).into_object(),
        });
    }
    Ok(out)
}

/// Basic normalisation of a path: `//`, `.` and `..`.
#[pyfunction(signature = "(path)")]
pub fn _path_normpath(path: &Object) -> PyResult<Owned<Object>> {
    let Some(s) = path.downcast::<Str>() else {
        return raise!(TypeError, "_path_normpath() argument 'path' must be str, not {}", path.ty().name());
    };
    let points: Vec<u32> = s.chars().collect();
    let slash = '/' as u32;
    let lead = points.iter().take_while(|c| **c == slash).count();
    let lead = if lead == 2 { 2 } else { lead.min(1) };
    let mut parts: Vec<&[u32]> = vec![];
    for p in points.split(|c| *c == slash) {
        let dots = |n: usize| p.len() == n && p.iter().all(|c| *c == '.' as u32);
        if p.is_empty() || dots(1) {
            continue;
        }
        if dots(2) {
            let above = parts.last().is_none_or(|l| l.len() == 2 && l.iter().all(|c| *c == '.' as u32));
            if !above {
                parts.pop();
                continue;
            }
            if lead > 0 {
                continue;
            }
        }
        parts.push(p);
    }
    let mut out = vec![slash; lead];
    out.extend(parts.join(&slash));
    if out.is_empty() {
        out.push('.' as u32);
    }
    Ok(Str::from_code_points(&out).into_object())
}

/// Return the file system path representation of the object.
///
/// If the object is str or bytes, then allow it to pass through as-is. If the
/// object defines __fspath__(), then return the result of that method. All other
/// types raise a TypeError.
#[pyfunction(signature = "(path)")]
pub fn fspath(path: &Object) -> PyResult<Owned<Object>> {
    fspath_of(path)
}

// ---- Extended attributes ----

/// Return the value of extended attribute attribute on path.
///
/// path may be either a string, a path-like object, or an open file descriptor.
/// If follow_symlinks is False, and the last element of the path is a symbolic
///   link, getxattr will examine the symbolic link itself instead of the file
///   the link points to.
#[pyfunction(signature = "(path, attribute, *, follow_symlinks=True)")]
pub fn getxattr(path: PathFd, attribute: Path, follow_symlinks: bool) -> PyResult<Vec<u8>> {
    check_fd_options("getxattr", &path, &None, follow_symlinks)?;
    let mut v = vec![0u8; 65536];
    let n = call_path(&path, || {
        let (b, n) = (v.as_mut_ptr().cast(), v.len());
        match path.fd {
            Some(fd) => c!(libc::fgetxattr(fd, attribute.ptr(), b, n)),
            None if follow_symlinks => c!(libc::getxattr(path.ptr(), attribute.ptr(), b, n)),
            None => c!(libc::lgetxattr(path.ptr(), attribute.ptr(), b, n)),
        }
    })?;
    v.truncate(n as usize);
    Ok(v)
}
/// Set extended attribute attribute on path to value.
///
/// path and follow_symlinks are as for getxattr.
#[pyfunction(signature = "(path, attribute, value, flags=0, *, follow_symlinks=True)")]
pub fn setxattr(
    path: PathFd,
    attribute: Path,
    value: Buffer,
    flags: i32,
    follow_symlinks: bool,
) -> PyResult<()> {
    check_fd_options("setxattr", &path, &None, follow_symlinks)?;
    let v = value.to_vec();
    call_path(&path, || {
        let (b, n) = (v.as_ptr().cast(), v.len());
        match path.fd {
            Some(fd) => c!(libc::fsetxattr(fd, attribute.ptr(), b, n, flags)),
            None if follow_symlinks => c!(libc::setxattr(path.ptr(), attribute.ptr(), b, n, flags)),
            None => c!(libc::lsetxattr(path.ptr(), attribute.ptr(), b, n, flags)),
        }
    })
    .map(|_| ())
}
/// Remove extended attribute attribute on path.
///
/// path and follow_symlinks are as for getxattr.
#[pyfunction(signature = "(path, attribute, *, follow_symlinks=True)")]
pub fn removexattr(path: PathFd, attribute: Path, follow_symlinks: bool) -> PyResult<()> {
    check_fd_options("removexattr", &path, &None, follow_symlinks)?;
    call_path(&path, || match path.fd {
        Some(fd) => c!(libc::fremovexattr(fd, attribute.ptr())),
        None if follow_symlinks => c!(libc::removexattr(path.ptr(), attribute.ptr())),
        None => c!(libc::lremovexattr(path.ptr(), attribute.ptr())),
    })
    .map(|_| ())
}
/// Return a list of extended attributes on path.
///
/// path may be either None, a string, a path-like object, or an open file descriptor.
/// if path is None, listxattr will examine the current directory.
#[pyfunction(signature = "(path=None, *, follow_symlinks=True)")]
pub fn listxattr(path: Option<PathFdNone>, follow_symlinks: bool) -> PyResult<Vec<Owned<Object>>> {
    let here =
        PathValue { object: Str::new(".").into_object(), text: c".".into(), fd: None, is_bytes: false };
    let path = path.as_ref().map_or(&here, |p| &p.0);
    check_fd_options("listxattr", path, &None, follow_symlinks)?;
    let mut v = vec![0u8; 65536];
    let n = call_path(path, || {
        let (b, n) = (v.as_mut_ptr().cast(), v.len());
        match path.fd {
            Some(fd) => c!(libc::flistxattr(fd, b, n)),
            None if follow_symlinks => c!(libc::listxattr(path.ptr(), b, n)),
            None => c!(libc::llistxattr(path.ptr(), b, n)),
        }
    })?;
    let names = v[..n as usize].split(|b| *b == 0).filter(|s| !s.is_empty());
    Ok(names.map(|s| codecs::fs_decode(s).into_object()).collect())
}

// ---- Configuration of files ----

fn conf_name(o: &Object, names: &[(&str, i64)]) -> PyResult<i32> {
    if let Some(s) = o.downcast::<Str>() {
        let s = s.to_str()?;
        return match names.iter().find(|n| n.0 == s) {
            Some(n) => Ok(n.1 as i32),
            None => raise!(ValueError, "unrecognized configuration name"),
        };
    }
    if !Int::check(o) {
        return raise!(TypeError, "configuration names must be strings or integers");
    }
    CInt::from_py(o, ArgCtx { func: "sysconf", pos: 1, name: None }).map(|v| v.0)
}
fn conf_result(v: i64, path: Option<&PathValue>) -> PyResult<i64> {
    if v == -1 && errno() != 0 {
        return Err(raise_errno(errno(), path.map(|p| &*p.object)));
    }
    Ok(v)
}
/// Return an integer-valued system configuration variable.
#[pyfunction]
pub fn sysconf(name: &Object) -> PyResult<i64> {
    let n = conf_name(name, super::tables::SYSCONF)?;
    set_errno(0);
    conf_result(c!(libc::sysconf(n)), None)
}
/// Return a string-valued system configuration variable.
#[pyfunction]
pub fn confstr(name: &Object) -> PyResult<Owned<Object>> {
    let n = conf_name(name, super::tables::CONFSTR)?;
    let mut v = vec![0u8; 4096];
    set_errno(0);
    let len = c!(libc::confstr(n, v.as_mut_ptr().cast(), v.len()));
    if len == 0 {
        return if errno() != 0 { Err(raise_errno(errno(), None)) } else { Ok(none()) };
    }
    let s = CStr::from_bytes_until_nul(&v).map(|s| s.to_bytes().to_vec()).unwrap_or_default();
    Ok(codecs::fs_decode(&s).into_object())
}
/// Return the configuration limit name for the file or directory path.
///
/// If there is no limit, return -1.
/// On some platforms, path may also be specified as an open file descriptor.
#[pyfunction(signature = "(path, name)")]
pub fn pathconf(path: PathFd, name: &Object) -> PyResult<i64> {
    let n = conf_name(name, super::tables::PATHCONF)?;
    set_errno(0);
    let v = match path.fd {
        Some(fd) => c!(libc::fpathconf(fd, n)),
        None => c!(libc::pathconf(path.ptr(), n)),
    };
    conf_result(v, Some(&path))
}
/// Return the configuration limit name for the file descriptor fd.
///
/// If there is no limit, return -1.
#[pyfunction]
pub fn fpathconf(fd: CInt, name: &Object) -> PyResult<i64> {
    let n = conf_name(name, super::tables::PATHCONF)?;
    set_errno(0);
    conf_result(c!(libc::fpathconf(fd.0, n)), None)
}
