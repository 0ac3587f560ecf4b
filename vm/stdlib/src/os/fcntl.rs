//! `fcntl`: file control and I/O control on descriptors.

use super::util::*;
use lh_runtime::prelude::*;

/// The bytes of a str or buffer argument, if it is one.
fn data(o: &Object) -> PyResult<Option<Vec<u8>>> {
    if let Some(s) = o.downcast::<Str>() {
        return Ok(Some(s.to_str()?.as_bytes().to_vec()));
    }
    if lh_runtime::buffer::supports_buffer(o) {
        return Ok(Some(Buffer::simple(o)?.to_vec()));
    }
    Ok(None)
}
/// A C `int` or `unsigned int`, as `cmd` and `arg` are taken.
fn any_int(o: Option<&Object>) -> PyResult<i64> {
    match o {
        None => Ok(0),
        Some(o) => Ok(lh_runtime::number::index(o)?.to_u64_wrapping() as i64),
    }
}

/// Perform the operation `cmd` on file descriptor fd.
///
/// The values used for `cmd` are operating system dependent, and are available
/// as constants in the fcntl module, using the same names as used in
/// the relevant C header files.  The argument arg is optional, and
/// defaults to 0; it may be an int or a string.  If arg is given as a string,
/// the return value of fcntl is a string of that length, containing the
/// resulting value put in the arg buffer by the operating system.  The length
/// of the arg string is not allowed to exceed 1024 bytes.  If the arg given
/// is an integer or if none is specified, the result value is an integer
/// corresponding to the return value of the fcntl call in the C code.
#[pyfunction(signature = "(fd, cmd, arg=0, /)")]
pub fn fcntl(fd: Fildes, cmd: i32, arg: Option<&Object>) -> PyResult<Owned<Object>> {
    if let Some(mut b) = arg.map(data).transpose()?.flatten() {
        if b.len() > 1024 {
            return raise!(ValueError, "fcntl string arg too long");
        }
        let n = b.len();
        b.resize(1025, 0);
        call(|| c!(libc::fcntl(fd.0, cmd, b.as_mut_ptr())))?;
        return Ok(Bytes::new(&b[..n]).into_object());
    }
    let v = any_int(arg)? as i32;
    Ok(int(call(|| c!(libc::fcntl(fd.0, cmd, v)))? as i64))
}

/// Perform the operation request on file descriptor fd.
///
/// The argument arg is optional, and defaults to 0; it may be an int or a buffer
/// containing character data (most likely a string or an array). If the
/// argument is a mutable buffer and mutate_flag is true (the default), the buffer is
/// passed to the operating system and the result is the return value of the call; otherwise
/// a copy is passed and returned.
#[pyfunction(signature = "(fd, request, arg=0, mutate_flag=True, /)")]
pub fn ioctl(
    fd: Fildes,
    request: &Object,
    arg: Option<&Object>,
    mutate_flag: bool,
) -> PyResult<Owned<Object>> {
    let req = lh_runtime::number::index(request)?.to_u64_wrapping() as u32 as libc::Ioctl;
    if let Some(a) = arg {
        if mutate_flag && lh_runtime::buffer::supports_buffer(a) {
            let w = Buffer::writable(a);
            if let Ok(mut w) = w {
                let p = w.as_bytes_mut().as_mut_ptr();
                return Ok(int(call(|| c!(libc::ioctl(fd.0, req, p)))? as i64));
            }
            clear();
        }
        if let Some(mut b) = data(a)? {
            if b.len() > 1024 {
                return raise!(ValueError, "ioctl string arg too long");
            }
            let n = b.len();
            b.resize(1025, 0);
            call(|| c!(libc::ioctl(fd.0, req, b.as_mut_ptr())))?;
            return Ok(Bytes::new(&b[..n]).into_object());
        }
    }
    let v = any_int(arg)?;
    Ok(int(call(|| c!(libc::ioctl(fd.0, req, v)))? as i64))
}

/// Perform the lock operation `operation` on file descriptor `fd`.
///
/// See the Unix manual page for flock(2) for details (On some systems, this
/// function is emulated using fcntl()).
#[pyfunction]
pub fn flock(fd: Fildes, operation: i32) -> PyResult<()> {
    call(|| c!(libc::flock(fd.0, operation))).map(|_| ())
}

/// A wrapper around the fcntl() locking calls.
///
/// `fd` is the file descriptor of the file to lock or unlock, and operation is one
/// of LOCK_UN, LOCK_SH, LOCK_EX, possibly with LOCK_NB. The remaining arguments say which bytes: how many, from where, counted as
/// lseek does.
#[pyfunction(signature = "(fd, cmd, len=0, start=0, whence=0, /)")]
pub fn lockf(fd: Fildes, cmd: i32, len: i64, start: i64, whence: i32) -> PyResult<Owned<Object>> {
    let kind = if cmd == libc::LOCK_UN {
        libc::F_UNLCK
    } else if cmd & libc::LOCK_SH != 0 {
        libc::F_RDLCK
    } else if cmd & libc::LOCK_EX != 0 {
        libc::F_WRLCK
    } else {
        return raise!(ValueError, "unrecognized lockf argument");
    };
    // SAFETY: plain numbers.
    let mut l: libc::flock = unsafe { std::mem::zeroed() };
    l.l_type = kind as i16;
    l.l_start = start;
    l.l_len = len;
    l.l_whence = whence as i16;
    let op = if cmd & libc::LOCK_NB != 0 { libc::F_SETLK } else { libc::F_SETLKW };
    call(|| c!(libc::fcntl(fd.0, op, &l)))?;
    Ok(none())
}

const CONSTANTS: &[(&str, i64)] = &[
    ("LOCK_SH", 1),
    ("LOCK_EX", 2),
    ("LOCK_NB", 4),
    ("LOCK_UN", 8),
    ("LOCK_MAND", 32),
    ("LOCK_READ", 64),
    ("LOCK_WRITE", 128),
    ("LOCK_RW", 192),
    ("F_DUPFD", 0),
    ("F_DUPFD_CLOEXEC", 1030),
    ("F_GETFD", 1),
    ("F_SETFD", 2),
    ("F_GETFL", 3),
    ("F_SETFL", 4),
    ("F_GETLK", 5),
    ("F_SETLK", 6),
    ("F_SETLKW", 7),
    ("F_OFD_GETLK", 36),
    ("F_OFD_SETLK", 37),
    ("F_OFD_SETLKW", 38),
    ("F_GETOWN", 9),
    ("F_SETOWN", 8),
    ("F_GETSIG", 11),
    ("F_SETSIG", 10),
    ("F_RDLCK", 0),
    ("F_WRLCK", 1),
    ("F_UNLCK", 2),
    ("F_GETLK64", 5),
    ("F_SETLK64", 6),
    ("F_SETLKW64", 7),
    ("FASYNC", 8192),
    ("F_SETLEASE", 1024),
    ("F_GETLEASE", 1025),
    ("F_NOTIFY", 1026),
    ("F_EXLCK", 4),
    ("F_SHLCK", 8),
    ("F_SETPIPE_SZ", 1031),
    ("F_GETPIPE_SZ", 1032),
    ("FD_CLOEXEC", 1),
    ("DN_ACCESS", 1),
    ("DN_MODIFY", 2),
    ("DN_CREATE", 4),
    ("DN_DELETE", 8),
    ("DN_RENAME", 16),
    ("DN_ATTRIB", 32),
    ("DN_MULTISHOT", 2147483648),
    ("F_ADD_SEALS", 1033),
    ("F_GET_SEALS", 1034),
    ("F_SEAL_SEAL", 1),
    ("F_SEAL_SHRINK", 2),
    ("F_SEAL_GROW", 4),
    ("F_SEAL_WRITE", 8),
];

module! { "fcntl", doc: "This module performs file control and I/O control on file\ndescriptors.  It is an interface to the fcntl() and ioctl() Unix\nroutines.  File descriptors can be obtained with the fileno() method of\na file or socket object.",
functions: [fcntl, ioctl, flock, lockf], init: |m| add_ints(m, CONSTANTS) }
