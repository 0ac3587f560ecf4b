//! Descriptors: opening, reading, writing, positions, pipes, terminals, inheritance.

use crate::os::util::*;
use lh_runtime::codecs;
use lh_runtime::prelude::*;

/// Open a file for low level IO.  Returns a file descriptor (integer).
///
/// If dir_fd is not None, it should be a file descriptor open to a directory,
/// and path should be relative; path will then be relative to that directory.
#[pyfunction(signature = "(path, flags, mode=511, *, dir_fd=None)")]
pub fn open(path: Path, flags: i32, mode: i32, dir_fd: Option<DirFd>) -> PyResult<i32> {
    audit("open", &[&path.object, none_ref(), &int((flags | libc::O_CLOEXEC) as i64)])?;
    call_path(&path, || {
        c!(libc::openat(at(&dir_fd), path.ptr(), flags | libc::O_CLOEXEC, mode as libc::mode_t))
    })
}

/// Close a file descriptor.
#[pyfunction(signature = "(fd)")]
pub fn close(fd: CInt) -> PyResult<()> {
    // Never retried: after EINTR the descriptor is closed already.
    let r = lh_runtime::thread::allow_threads(|| c!(libc::close(fd.0)));
    if r < 0 && errno() != libc::EINTR {
        return Err(raise_errno(errno(), None));
    }
    Ok(())
}
/// Closes all file descriptors in [fd_low, fd_high), ignoring errors.
#[pyfunction]
pub fn closerange(fd_low: CInt, fd_high: CInt) {
    close_range(fd_low.0, fd_high.0)
}
pub fn close_range(low: i32, high: i32) {
    let (low, high) = (low.max(0), high);
    if low >= high {
        return;
    }
    let r = c!(libc::syscall(libc::SYS_close_range, low as u32, (high - 1) as u32, 0u32));
    if r != 0 {
        (low..high).for_each(|fd| {
            c!(libc::close(fd));
        });
    }
}
/// Return a duplicate of a file descriptor.
#[pyfunction]
pub fn dup(fd: CInt) -> PyResult<i32> {
    call(|| c!(libc::fcntl(fd.0, libc::F_DUPFD_CLOEXEC, 0)))
}
/// Duplicate file descriptor.
#[pyfunction(signature = "(fd, fd2, inheritable=True)")]
pub fn dup2(fd: CInt, fd2: CInt, inheritable: bool) -> PyResult<i32> {
    if fd.0 < 0 || fd2.0 < 0 {
        return Err(raise_errno(libc::EBADF, None));
    }
    if inheritable || fd.0 == fd2.0 {
        return call(|| c!(libc::dup2(fd.0, fd2.0)));
    }
    call(|| c!(libc::dup3(fd.0, fd2.0, libc::O_CLOEXEC)))
}
/// Set the position of a file descriptor.  Return the new position.
///
///   fd
///     An open file descriptor, as returned by os.open().
///   position
///     Position, interpreted relative to 'whence'.
///   whence
///     The relative position to seek from: SEEK_SET, SEEK_CUR or SEEK_END.
#[pyfunction]
pub fn lseek(fd: CInt, position: i64, whence: CInt) -> PyResult<i64> {
    call(|| c!(libc::lseek(fd.0, position, whence.0)))
}

fn length_of(n: isize) -> PyResult<usize> {
    if n < 0 {
        return Err(raise_errno(libc::EINVAL, None));
    }
    Ok((n as usize).min(isize::MAX as usize - 4096))
}
fn read_into(n: usize, mut f: impl FnMut(*mut libc::c_void, usize) -> isize) -> PyResult<Owned<Bytes>> {
    let mut v: Vec<u8> = Vec::new();
    if v.try_reserve_exact(n).is_err() {
        return raise!(MemoryError);
    }
    let p = v.as_mut_ptr();
    let got = call(|| f(p.cast(), n))?;
    // SAFETY: the system wrote that many bytes.
    unsafe { v.set_len(got as usize) };
    Ok(Bytes::new(&v))
}
/// Read from a file descriptor.  Returns a bytes object.
#[pyfunction]
pub fn read(fd: CInt, length: isize) -> PyResult<Owned<Bytes>> {
    read_into(length_of(length)?, |b, n| c!(libc::read(fd.0, b, n)))
}
/// Read a number of bytes from a file descriptor starting at a particular offset.
///
/// Read length bytes from file descriptor fd, starting at offset bytes from
/// the beginning of the file.  The file offset remains unchanged.
#[pyfunction]
pub fn pread(fd: CInt, length: isize, offset: i64) -> PyResult<Owned<Bytes>> {
    read_into(length_of(length)?, |b, n| c!(libc::pread(fd.0, b, n, offset)))
}
/// Write a bytes object to a file descriptor.
#[pyfunction]
pub fn write(fd: CInt, data: Buffer) -> PyResult<isize> {
    let (p, n) = (data.as_bytes().as_ptr(), data.len().min(0x7fff_f000));
    call(|| c!(libc::write(fd.0, p.cast(), n)))
}
/// Write bytes to a file descriptor starting at a particular offset.
///
/// Write buffer to fd, starting at offset bytes from the beginning of
/// the file.  Returns the number of bytes written.  Does not change the
/// current file offset.
#[pyfunction]
pub fn pwrite(fd: CInt, buffer: Buffer, offset: i64) -> PyResult<isize> {
    let (p, n) = (buffer.as_bytes().as_ptr(), buffer.len());
    call(|| c!(libc::pwrite(fd.0, p.cast(), n, offset)))
}

/// The buffers of a vectored call, and the C view of them.
fn iovecs(fname: &str, o: &Object, writable: bool) -> PyResult<(Vec<Buffer>, Vec<libc::iovec>)> {
    if !List::check(o) && !Tuple::check(o) && (o.length().map_err(Raised::clear).is_err() || Dict::check(o)) {
        return raise!(TypeError, "{}() arg 2 must be a sequence", fname);
    }
    let mut bufs = vec![];
    o.for_each(|x| {
        bufs.push(if writable { Buffer::writable(&x)? } else { Buffer::simple(&x)? });
        Ok(())
    })?;
    let iov = bufs
        .iter()
        .map(|b| libc::iovec { iov_base: b.as_bytes().as_ptr() as *mut libc::c_void, iov_len: b.len() })
        .collect();
    Ok((bufs, iov))
}
/// Read from a file descriptor fd into an iterable of buffers.
///
/// The buffers should be mutable buffers accepting bytes.
/// Returns the total number of bytes read.
#[pyfunction]
pub fn readv(fd: CInt, buffers: &Object) -> PyResult<isize> {
    let (_keep, v) = iovecs("readv", buffers, true)?;
    call(|| c!(libc::readv(fd.0, v.as_ptr(), v.len() as i32)))
}
/// Iterate over buffers, and write the contents of each to a file descriptor.
///
/// Returns the total number of bytes written.
/// buffers must be a sequence of bytes-like objects.
#[pyfunction]
pub fn writev(fd: CInt, buffers: &Object) -> PyResult<isize> {
    let (_keep, v) = iovecs("writev", buffers, false)?;
    call(|| c!(libc::writev(fd.0, v.as_ptr(), v.len() as i32)))
}
/// Reads from a file descriptor into a number of mutable bytes-like objects.
///
/// Combines the functionality of readv() and pread(); flags are RWF_* constants.
#[pyfunction(signature = "(fd, buffers, offset, flags=0, /)")]
pub fn preadv(fd: CInt, buffers: &Object, offset: i64, flags: i32) -> PyResult<isize> {
    let (_keep, v) = iovecs("preadv", buffers, true)?;
    call(|| c!(libc::preadv2(fd.0, v.as_ptr(), v.len() as i32, offset, flags)))
}
/// Writes the contents of bytes-like objects to a file descriptor at a given offset.
///
/// Combines the functionality of writev() and pwrite(); flags are RWF_* constants.
#[pyfunction(signature = "(fd, buffers, offset, flags=0, /)")]
pub fn pwritev(fd: CInt, buffers: &Object, offset: i64, flags: i32) -> PyResult<isize> {
    let (_keep, v) = iovecs("pwritev", buffers, false)?;
    call(|| c!(libc::pwritev2(fd.0, v.as_ptr(), v.len() as i32, offset, flags)))
}
/// Copy count bytes from file descriptor in_fd to file descriptor out_fd.
#[pyfunction(signature = "(out_fd, in_fd, offset, count)")]
pub fn sendfile(out_fd: CInt, in_fd: CInt, offset: &Object, count: isize) -> PyResult<isize> {
    if offset.is_none() {
        return call(|| c!(libc::sendfile(out_fd.0, in_fd.0, std::ptr::null_mut(), count as usize)));
    }
    let start = i64::from_py(offset, ArgCtx { func: "sendfile", pos: 3, name: None })?;
    call(|| {
        let mut at = start;
        c!(libc::sendfile(out_fd.0, in_fd.0, &mut at, count as usize))
    })
}
fn opt_offset(o: Option<&Object>) -> PyResult<Option<i64>> {
    match o.filter(|o| !o.is_none()) {
        None => Ok(None),
        Some(o) => i64::from_py(o, ArgCtx { func: "offset", pos: 0, name: None }).map(Some),
    }
}
fn ptr_of(o: &mut Option<i64>) -> *mut i64 {
    o.as_mut().map_or(std::ptr::null_mut(), |v| v)
}
/// Copy count bytes from one file descriptor to another.
#[pyfunction(signature = "(src, dst, count, offset_src=None, offset_dst=None)")]
pub fn copy_file_range(
    src: CInt,
    dst: CInt,
    count: isize,
    offset_src: Option<&Object>,
    offset_dst: Option<&Object>,
) -> PyResult<isize> {
    if count < 0 {
        return raise!(ValueError, "negative value for 'count' not allowed");
    }
    let (mut a, mut b) = (opt_offset(offset_src)?, opt_offset(offset_dst)?);
    call(|| c!(libc::copy_file_range(src.0, ptr_of(&mut a), dst.0, ptr_of(&mut b), count as usize, 0)))
}
/// Transfer count bytes from one pipe to a descriptor or vice versa.
#[pyfunction(signature = "(src, dst, count, offset_src=None, offset_dst=None, flags=0)")]
pub fn splice(
    src: CInt,
    dst: CInt,
    count: isize,
    offset_src: Option<&Object>,
    offset_dst: Option<&Object>,
    flags: u32,
) -> PyResult<isize> {
    if count < 0 {
        return raise!(ValueError, "negative value for 'count' not allowed");
    }
    let (mut a, mut b) = (opt_offset(offset_src)?, opt_offset(offset_dst)?);
    call(|| c!(libc::splice(src.0, ptr_of(&mut a), dst.0, ptr_of(&mut b), count as usize, flags)))
}

/// Return True if the fd is connected to a terminal.
///
/// Return True if the file descriptor is an open file descriptor
/// connected to the slave end of a terminal.
#[pyfunction]
pub fn isatty(fd: CInt) -> bool {
    c!(libc::isatty(fd.0)) == 1
}
/// Return the name of the terminal device connected to 'fd'.
#[pyfunction]
pub fn ttyname(fd: CInt) -> PyResult<Owned<Object>> {
    let mut b = [0 as libc::c_char; 256];
    let e = c!(libc::ttyname_r(fd.0, b.as_mut_ptr(), b.len()));
    if e != 0 {
        return Err(raise_errno(e, None));
    }
    // SAFETY: the name ends in NUL.
    Ok(unsafe { fs_str(b.as_ptr()) })
}
/// Return the name of the controlling terminal for this process.
#[pyfunction]
pub fn ctermid() -> &'static str {
    "/dev/tty"
}
/// Create a pipe.
///
/// Returns a tuple of two file descriptors:
///   (read_fd, write_fd)
#[pyfunction]
pub fn pipe() -> PyResult<(i32, i32)> {
    let mut fds = [0; 2];
    quick(c!(libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC)))?;
    Ok((fds[0], fds[1]))
}
/// Create a pipe with flags set atomically.
///
/// Returns a tuple of two file descriptors:
///   (read_fd, write_fd)
///
/// flags can be constructed by ORing together one or more of these values:
/// O_NONBLOCK, O_CLOEXEC.
#[pyfunction]
pub fn pipe2(flags: i32) -> PyResult<(i32, i32)> {
    let mut fds = [0; 2];
    quick(c!(libc::pipe2(fds.as_mut_ptr(), flags)))?;
    Ok((fds[0], fds[1]))
}
/// Apply, test or remove a POSIX lock on an open file descriptor.
#[pyfunction]
pub fn lockf(fd: CInt, command: i32, length: i64) -> PyResult<()> {
    call(|| c!(libc::lockf(fd.0, command, length))).map(|_| ())
}
/// Truncate a file, specified by file descriptor, to a specific length.
#[pyfunction]
pub fn ftruncate(fd: CInt, length: i64) -> PyResult<()> {
    call(|| c!(libc::ftruncate(fd.0, length))).map(|_| ())
}
/// Ensure a file has allocated at least a particular number of bytes on disk.
#[pyfunction]
pub fn posix_fallocate(fd: CInt, offset: i64, length: i64) -> PyResult<()> {
    let e = lh_runtime::thread::allow_threads(|| c!(libc::posix_fallocate(fd.0, offset, length)));
    if e != 0 { Err(raise_errno(e, None)) } else { Ok(()) }
}
/// Announce an intention to access data in a specific pattern.
#[pyfunction]
pub fn posix_fadvise(fd: CInt, offset: i64, length: i64, advice: i32) -> PyResult<()> {
    let e = lh_runtime::thread::allow_threads(|| c!(libc::posix_fadvise(fd.0, offset, length, advice)));
    if e != 0 { Err(raise_errno(e, None)) } else { Ok(()) }
}
/// Force write of fd to disk.
#[pyfunction(signature = "(fd)")]
pub fn fsync(fd: Fildes) -> PyResult<()> {
    call(|| c!(libc::fsync(fd.0))).map(|_| ())
}
/// Force write of fd to disk without forcing update of metadata.
#[pyfunction(signature = "(fd)")]
pub fn fdatasync(fd: Fildes) -> PyResult<()> {
    call(|| c!(libc::fdatasync(fd.0))).map(|_| ())
}
/// Force write of everything to disk.
#[pyfunction]
pub fn sync() {
    lh_runtime::thread::allow_threads(|| c!(libc::sync()))
}
/// Get the close-on-exe flag of the specified file descriptor.
#[pyfunction]
pub fn get_inheritable(fd: CInt) -> PyResult<bool> {
    Ok(quick(c!(libc::fcntl(fd.0, libc::F_GETFD)))? & libc::FD_CLOEXEC == 0)
}
/// Set the inheritable flag of the specified file descriptor.
#[pyfunction]
pub fn set_inheritable(fd: CInt, inheritable: i32) -> PyResult<()> {
    let f = quick(c!(libc::fcntl(fd.0, libc::F_GETFD)))?;
    let f = if inheritable != 0 { f & !libc::FD_CLOEXEC } else { f | libc::FD_CLOEXEC };
    quick(c!(libc::fcntl(fd.0, libc::F_SETFD, f))).map(|_| ())
}
/// Get the blocking mode of the file descriptor.
///
/// Return False if the O_NONBLOCK flag is set, True if the flag is cleared.
#[pyfunction]
pub fn get_blocking(fd: CInt) -> PyResult<bool> {
    Ok(quick(c!(libc::fcntl(fd.0, libc::F_GETFL)))? & libc::O_NONBLOCK == 0)
}
/// Set the blocking mode of the specified file descriptor.
///
/// Set the O_NONBLOCK flag if blocking is False,
/// clear the O_NONBLOCK flag otherwise.
#[pyfunction]
pub fn set_blocking(fd: CInt, blocking: bool) -> PyResult<()> {
    let f = quick(c!(libc::fcntl(fd.0, libc::F_GETFL)))?;
    let f = if blocking { f & !libc::O_NONBLOCK } else { f | libc::O_NONBLOCK };
    quick(c!(libc::fcntl(fd.0, libc::F_SETFL, f))).map(|_| ())
}
/// Return a string describing the encoding of a terminal's file descriptor.
///
/// The file descriptor must be attached to a terminal.
/// If the device is not a terminal, return None.
#[pyfunction(signature = "(fd)")]
pub fn device_encoding(fd: CInt) -> PyResult<Owned<Object>> {
    if c!(libc::isatty(fd.0)) != 1 {
        return Ok(none());
    }
    // SAFETY: nl_langinfo answers a C string.
    let s = unsafe { std::ffi::CStr::from_ptr(libc::nl_langinfo(libc::CODESET)) }.to_bytes();
    Ok(codecs::fs_decode(if s.is_empty() { b"UTF-8" } else { s }).into_object())
}

struct_seq!(
    terminal_size,
    "os.terminal_size",
    "A tuple of (columns, lines) for holding terminal window size",
    2,
    ["columns", "lines"]
);

/// Return the size of the terminal window as (columns, lines).
///
/// The optional argument fd (default standard output) specifies
/// which file descriptor should be queried.
///
/// If the file descriptor is not connected to a terminal, an OSError
/// is thrown.
#[pyfunction(signature = "(fd=<unrepresentable>, /)")]
pub fn get_terminal_size(fd: Option<CInt>) -> PyResult<Owned<Tuple>> {
    let mut w = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    quick(c!(libc::ioctl(fd.map_or(1, |f| f.0), libc::TIOCGWINSZ, &mut w)))?;
    Ok(lh_runtime::structseq::new(terminal_size()?, vec![int(w.ws_col as i64), int(w.ws_row as i64)]))
}
/// Open a pseudo-terminal.
///
/// Return a tuple of (master_fd, slave_fd) containing open file descriptors
/// for both the master and slave ends.
#[pyfunction]
pub fn openpty() -> PyResult<(i32, i32)> {
    let (mut m, mut s) = (-1, -1);
    quick(c!(libc::openpty(
        &mut m,
        &mut s,
        std::ptr::null_mut(),
        std::ptr::null_mut(),
        std::ptr::null_mut()
    )))?;
    for fd in [m, s] {
        quick(c!(libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC)))?;
    }
    Ok((m, s))
}
/// Prepare the tty of which fd is a file descriptor for a new login session.
///
/// Make the calling process a session leader; make the tty the
/// controlling tty, the stdin, the stdout, and the stderr of the
/// calling process; close fd.
#[pyfunction]
pub fn login_tty(fd: Fildes) -> PyResult<()> {
    quick(c!(libc::login_tty(fd.0))).map(|_| ())
}
/// Return the process group associated with the terminal specified by fd.
#[pyfunction]
pub fn tcgetpgrp(fd: CInt) -> PyResult<i32> {
    quick(c!(libc::tcgetpgrp(fd.0)))
}
/// Set the process group associated with the terminal specified by fd.
#[pyfunction]
pub fn tcsetpgrp(fd: CInt, pgid: i32) -> PyResult<()> {
    quick(c!(libc::tcsetpgrp(fd.0, pgid))).map(|_| ())
}
/// Create an anonymous file that lives in memory.
#[pyfunction(signature = "(name, flags=MFD_CLOEXEC)")]
pub fn memfd_create(name: FsBytes, flags: Option<u32>) -> PyResult<i32> {
    call(|| c!(libc::memfd_create(name.0.as_ptr(), flags.unwrap_or(libc::MFD_CLOEXEC))))
}
/// Creates and returns an event notification file descriptor.
#[pyfunction(signature = "(initval, flags=EFD_CLOEXEC)")]
pub fn eventfd(initval: u32, flags: Option<i32>) -> PyResult<i32> {
    call(|| c!(libc::eventfd(initval, flags.unwrap_or(libc::EFD_CLOEXEC))))
}
/// Read eventfd value
#[pyfunction(signature = "(fd)")]
pub fn eventfd_read(fd: Fildes) -> PyResult<u64> {
    let mut v = 0u64;
    call(|| c!(libc::read(fd.0, (&raw mut v).cast(), 8)))?;
    Ok(v)
}
/// Write eventfd value.
#[pyfunction(signature = "(fd, value)")]
pub fn eventfd_write(fd: Fildes, value: u64) -> PyResult<()> {
    call(|| c!(libc::write(fd.0, (&raw const value).cast(), 8))).map(|_| ())
}
/// Extracts a device major number from a raw device number.
#[pyfunction]
pub fn major(device: u64) -> u32 {
    libc::major(device)
}
/// Extracts a device minor number from a raw device number.
#[pyfunction]
pub fn minor(device: u64) -> u32 {
    libc::minor(device)
}
/// Composes a raw device number from the major and minor device numbers.
#[pyfunction]
pub fn makedev(major: u32, minor: u32) -> u64 {
    libc::makedev(major, minor)
}
