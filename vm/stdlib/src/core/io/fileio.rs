//! `FileIO`: a file descriptor as a raw stream. System calls run without the GIL and are repeated when a signal interrupts
//! them (after its Python handler has run).

use super::base::RawIOBase;
use super::*;
use std::cell::Cell;
use std::ffi::CString;

/// Open a file: a path or a descriptor, in mode 'r', 'w', 'x' or 'a', with '+' for updating.
#[pyclass(name = "FileIO", module = "_io", base = RawIOBase, basetype)]
pub struct FileIO {
    fd: Cell<i32>,
    created: Cell<bool>,
    readable: Cell<bool>,
    writable: Cell<bool>,
    appending: Cell<bool>,
    /// -1 unknown, 0 no, 1 yes.
    seekable: Cell<i8>,
    closefd: Cell<bool>,
    finalizing: Cell<bool>,
    blksize: Cell<u32>,
}

/// One system call cannot transfer more.
const MAX_TRANSFER: usize = 0x7fff_f000;

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// A system call without the GIL; the error number if it answers -1.
pub fn blocking(mut f: impl FnMut() -> isize) -> PyResult<Result<usize, i32>> {
    loop {
        let r = lh_runtime::thread::allow_threads(&mut f);
        if r >= 0 {
            return Ok(Ok(r as usize));
        }
        match errno() {
            libc::EINTR => after_eintr()?,
            e => return Ok(Err(e)),
        }
    }
}

impl FileIO {
    pub fn fd(&self) -> i32 {
        self.fd.get()
    }
    pub fn blksize(&self) -> u32 {
        self.blksize.get()
    }
    /// Is the descriptor open? (For the checks of the buffered streams.)
    pub fn is_open(&self) -> bool {
        self.fd.get() >= 0
    }
    pub fn isatty_raw(&self) -> bool {
        // SAFETY: a query about a descriptor.
        unsafe { libc::isatty(self.fd.get()) == 1 }
    }
    fn check_open(&self) -> PyResult<()> {
        if self.is_open() { Ok(()) } else { raise!(ValueError, "I/O operation on closed file") }
    }
    fn mode_text(&self) -> &'static str {
        match (self.created.get(), self.appending.get(), self.readable.get(), self.writable.get()) {
            (true, _, true, _) => "xb+",
            (true, ..) => "xb",
            (_, true, true, _) => "ab+",
            (_, true, ..) => "ab",
            (_, _, true, true) => "rb+",
            (_, _, true, _) => "rb",
            _ => "wb",
        }
    }
    fn close_fd(&self) -> PyResult<()> {
        let fd = self.fd.replace(-1);
        if fd >= 0 {
            // SAFETY: the descriptor is ours; it is not used again.
            let r = lh_runtime::thread::allow_threads(|| unsafe { libc::close(fd) });
            if r < 0 {
                return Err(raise_last_os_error());
            }
        }
        Ok(())
    }
    /// Reads into memory; `None`: it would block.
    pub fn read_into(&self, p: *mut u8, n: usize) -> PyResult<Option<usize>> {
        self.check_open()?;
        if !self.readable.get() {
            return Err(unsupported("File not open for reading"));
        }
        let (fd, addr) = (self.fd.get(), p as usize);
        // SAFETY: the caller's memory of n bytes, kept alive for the call.
        match blocking(|| unsafe { libc::read(fd, addr as *mut libc::c_void, n.min(MAX_TRANSFER)) })? {
            Ok(n) => Ok(Some(n)),
            Err(libc::EAGAIN) => Ok(None),
            Err(e) => Err(raise_errno(e, None)),
        }
    }
    /// Writes from memory; `None`: it would block.
    pub fn write_from(&self, p: *const u8, n: usize) -> PyResult<Option<usize>> {
        self.check_open()?;
        if !self.writable.get() {
            return Err(unsupported("File not open for writing"));
        }
        let (fd, addr) = (self.fd.get(), p as usize);
        // SAFETY: the caller's memory of n bytes, kept alive for the call.
        match blocking(|| unsafe { libc::write(fd, addr as *const libc::c_void, n.min(MAX_TRANSFER)) })? {
            Ok(n) => Ok(Some(n)),
            Err(libc::EAGAIN) => Ok(None),
            Err(e) => Err(raise_errno(e, None)),
        }
    }
    pub fn lseek(&self, offset: i64, whence: i32) -> PyResult<i64> {
        self.check_open()?;
        let fd = self.fd.get();
        // SAFETY: a system call on a descriptor.
        let r = lh_runtime::thread::allow_threads(|| unsafe { libc::lseek(fd, offset, whence) });
        if self.seekable.get() < 0 {
            self.seekable.set((r >= 0) as i8);
        }
        if r < 0 { Err(raise_last_os_error()) } else { Ok(r) }
    }

    fn open_path(&self, name: &Object, flags: i32, opener: Option<&Object>) -> PyResult<i32> {
        if let Some(f) = opener {
            let r = f.call(&[name, &int(flags as i64)])?;
            if !r.is_instance_of::<Int>() {
                return raise!(TypeError, "expected integer from opener");
            }
            let fd = i32::from_py(&r, ArgCtx { func: "opener", pos: 0, name: None })?;
            if fd < 0 {
                return raise!(ValueError, "opener returned {}", fd);
            }
            // SAFETY: a system call on a descriptor.
            unsafe {
                let old = libc::fcntl(fd, libc::F_GETFD);
                if old < 0 || libc::fcntl(fd, libc::F_SETFD, old | libc::FD_CLOEXEC) < 0 {
                    return Err(raise_last_os_error());
                }
            }
            return Ok(fd);
        }
        let path = CString::new(path_bytes(name)?).expect("no NUL");
        // SAFETY: a C string that lives during the call.
        match blocking(|| unsafe { libc::open(path.as_ptr(), flags, 0o666) as isize })? {
            Ok(fd) => Ok(fd as i32),
            Err(e) => Err(raise_errno(e, Some(name))),
        }
    }
}

#[pymethods(extra = finalize_before_dealloc::<FileIO>)]
impl FileIO {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<FileIO>> {
        FileIO {
            fd: Cell::new(-1),
            created: Cell::new(false),
            readable: Cell::new(false),
            writable: Cell::new(false),
            appending: Cell::new(false),
            seekable: Cell::new(-1),
            closefd: Cell::new(true),
            finalizing: Cell::new(false),
            blksize: Cell::new(DEFAULT_BUFFER_SIZE as u32),
        }
        .build_in(cls)
    }
    #[init(name = "FileIO", signature = "(file, mode='r', closefd=True, opener=None)")]
    fn init(&self, file: &Object, mode: &str, closefd: bool, opener: Option<&Object>) -> PyResult<()> {
        if self.fd.get() >= 0 {
            if self.closefd.get() {
                self.close_fd()?;
            } else {
                self.fd.set(-1);
            }
        }
        let mut fd = -1;
        if file.is_instance_of::<Int>() || (!file.is_instance_of::<Str>() && !file.is_instance_of::<Bytes>())
        {
            match i32::from_py(file, ArgCtx { func: "FileIO", pos: 1, name: None }) {
                Ok(n) if n < 0 => return raise!(ValueError, "negative file descriptor"),
                Ok(n) => fd = n,
                Err(e) => e.clear(),
            }
        }
        if fd < 0 {
            path_bytes(file)?;
        }
        let (mut rw, mut plus) = (false, false);
        let mut flags = 0;
        for c in [&self.created, &self.readable, &self.writable, &self.appending] {
            c.set(false);
        }
        self.seekable.set(-1);
        for c in mode.chars() {
            let again = rw && "xrwa".contains(c) || plus && c == '+';
            if again {
                return raise!(
                    ValueError,
                    "Must have exactly one of create/read/write/append mode and at most one plus"
                );
            }
            match c {
                'x' => {
                    rw = true;
                    self.created.set(true);
                    self.writable.set(true);
                    flags |= libc::O_EXCL | libc::O_CREAT;
                }
                'r' => {
                    rw = true;
                    self.readable.set(true);
                }
                'w' => {
                    rw = true;
                    self.writable.set(true);
                    flags |= libc::O_CREAT | libc::O_TRUNC;
                }
                'a' => {
                    rw = true;
                    self.writable.set(true);
                    self.appending.set(true);
                    flags |= libc::O_APPEND | libc::O_CREAT;
                }
                'b' => {}
                '+' => {
                    plus = true;
                    self.readable.set(true);
                    self.writable.set(true);
                }
                _ => return raise!(ValueError, "invalid mode: {}", mode),
            }
        }
        if !rw {
            return raise!(
                ValueError,
                "Must have exactly one of create/read/write/append mode and at most one plus"
            );
        }
        flags |= match (self.readable.get(), self.writable.get()) {
            (true, true) => libc::O_RDWR,
            (true, _) => libc::O_RDONLY,
            _ => libc::O_WRONLY,
        } | libc::O_CLOEXEC;
        lh_runtime::sysobject::audit("open", &[file, &text(mode), &int(flags as i64)])?;
        let own = fd < 0;
        if own {
            self.closefd.set(true);
            if !closefd {
                return raise!(ValueError, "Cannot use closefd=False with file name");
            }
            fd = self.open_path(file, flags, opener.filter(|o| !o.is_none()))?;
        } else {
            self.closefd.set(closefd);
        }
        self.fd.set(fd);
        let fail = |e: Raised| -> PyResult<()> {
            if !own {
                // A descriptor that was handed in stays open.
                self.fd.set(-1);
            } else {
                preserving(|| {
                    if let Err(x) = self.close_fd() {
                        x.clear()
                    }
                });
            }
            Err(e)
        };
        // SAFETY: fstat fills the struct.
        let mut st: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: a valid place for the answer.
        if unsafe { libc::fstat(fd, &mut st) } < 0 {
            if errno() == libc::EBADF {
                return fail(raise_last_os_error());
            }
        } else {
            if st.st_mode & libc::S_IFMT == libc::S_IFDIR {
                return fail(raise_errno(libc::EISDIR, Some(file)));
            }
            self.blksize.set(if st.st_blksize > 1 {
                st.st_blksize as u32
            } else {
                DEFAULT_BUFFER_SIZE as u32
            });
        }
        if let Err(e) = self.set_attr(intern!("name"), file) {
            return fail(e);
        }
        if self.appending.get()
            && let Err(e) = self.lseek(0, libc::SEEK_END)
        {
            e.clear();
        }
        Ok(())
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<String> {
        let t = self.ty().name();
        let t = t.rsplit('.').next().unwrap_or("FileIO").to_string();
        if !self.is_open() {
            return Ok(format!("<_io.{t} [closed]>"));
        }
        let closefd = if self.closefd.get() { "True" } else { "False" };
        match self.get_attr_opt(intern!("name"))? {
            None => {
                Ok(format!("<_io.{t} fd={} mode='{}' closefd={closefd}>", self.fd.get(), self.mode_text()))
            }
            Some(n) => {
                let _deep = lh_runtime::thread::enter_recursive(" in __repr__")?;
                let n = n.repr()?;
                Ok(format!(
                    "<_io.{t} name={} mode='{}' closefd={closefd}>",
                    n.to_str_lossy(),
                    self.mode_text()
                ))
            }
        }
    }
    /// Read at most size bytes, returned as bytes. None if the read would block.
    #[pymethod(signature = "(size=-1, /)")]
    fn read(&self, size: Option<&Object>) -> PyResult {
        self.check_open()?;
        if !self.readable.get() {
            return Err(unsupported("File not open for reading"));
        }
        let n = size_arg(size)?;
        if n < 0 {
            return self.readall();
        }
        let mut buf = vec![0u8; (n as usize).min(MAX_TRANSFER)];
        match self.read_into(buf.as_mut_ptr(), buf.len())? {
            Some(n) => Bytes::new(&buf[..n]).into_py(),
            None => Ok(none()),
        }
    }
    /// Read all data from the file, returned as bytes.
    #[pymethod]
    fn readall(&self) -> PyResult {
        self.check_open()?;
        let fd = self.fd.get();
        // SAFETY: fstat fills the struct; queries about a descriptor.
        let expected = unsafe {
            let mut st: libc::stat = std::mem::zeroed();
            let pos = libc::lseek(fd, 0, libc::SEEK_CUR);
            if libc::fstat(fd, &mut st) == 0 && pos >= 0 && st.st_size > pos {
                (st.st_size - pos) as usize + 1
            } else {
                0
            }
        };
        let mut buf: Vec<u8> = Vec::with_capacity(expected.max(DEFAULT_BUFFER_SIZE));
        loop {
            if buf.capacity() - buf.len() == 0 {
                let more = buf.len().clamp(DEFAULT_BUFFER_SIZE, 64 << 20);
                buf.reserve(more);
            }
            let (at, room) = (buf.len(), buf.capacity() - buf.len());
            // SAFETY: `room` bytes behind `at` belong to the vector.
            let p = unsafe { buf.as_mut_ptr().add(at) };
            match self.read_into(p, room)? {
                Some(0) => break,
                // SAFETY: read filled n bytes.
                Some(n) => unsafe { buf.set_len(at + n) },
                None if at == 0 => return Ok(none()),
                None => break,
            }
        }
        Bytes::new(&buf).into_py()
    }
    /// Same as RawIOBase.readinto().
    #[pymethod(signature = "(buffer, /)")]
    fn readinto(&self, buffer: &Object) -> PyResult<Option<usize>> {
        self.check_open()?;
        if !self.readable.get() {
            return Err(unsupported("File not open for reading"));
        }
        let mut b = Buffer::writable_arg(buffer, "readinto")?;
        let s = b.as_bytes_mut();
        self.read_into(s.as_mut_ptr(), s.len())
    }
    /// Write buffer b to file, return number of bytes written. None if the write would block.
    #[pymethod(signature = "(b, /)")]
    fn write(&self, b: Buffer) -> PyResult<Option<usize>> {
        let s = b.as_bytes();
        self.write_from(s.as_ptr(), s.len())
    }
    /// Move to new file position and return the file position.
    #[pymethod(signature = "(pos, whence=0, /)")]
    fn seek(&self, pos: &Object, whence: i32) -> PyResult<i64> {
        self.check_open()?;
        self.lseek(offset_arg(pos)?, whence)
    }
    /// Current file position.
    #[pymethod]
    fn tell(&self) -> PyResult<i64> {
        self.lseek(0, libc::SEEK_CUR)
    }
    /// Truncate the file to at most size bytes and return the truncated size.
    #[pymethod(signature = "(size=None, /)")]
    fn truncate(&self, size: Option<&Object>) -> PyResult<i64> {
        self.check_open()?;
        if !self.writable.get() {
            return Err(unsupported("File not open for writing"));
        }
        let n = match size.filter(|s| !s.is_none()) {
            Some(s) => offset_arg(s)?,
            None => self.lseek(0, libc::SEEK_CUR)?,
        };
        let fd = self.fd.get();
        // SAFETY: a system call on a descriptor.
        match blocking(|| unsafe { libc::ftruncate(fd, n) as isize })? {
            Ok(_) => Ok(n),
            Err(e) => Err(raise_errno(e, None)),
        }
    }
    /// Close the file. It is marked closed even if an error occurs.
    #[pymethod]
    fn close(&self) -> PyResult {
        let base = RawIOBase::class().get_attr_str("close")?.call1(self);
        if !self.closefd.get() {
            self.fd.set(-1);
            return base;
        }
        let kept = if base.is_err() { Some(fetch()) } else { None };
        if self.finalizing.get() {
            self.warn_unclosed(self)?;
        }
        let closed = self.close_fd();
        match (kept, closed) {
            (None, c) => {
                c?;
                base
            }
            (Some((t, v, tb)), c) => {
                if let Err(e) = c {
                    e.clear();
                }
                restore(t, v, tb);
                Err(Raised::already_set())
            }
        }
    }
    #[pymethod(name = "_dealloc_warn", signature = "(source, /)")]
    fn dealloc_warn(&self, source: &Object) -> PyResult<()> {
        self.warn_unclosed(source)
    }
    /// True if file supports random-access.
    #[pymethod]
    fn seekable(&self) -> PyResult<bool> {
        self.check_open()?;
        if self.seekable.get() < 0
            && let Err(e) = self.lseek(0, libc::SEEK_CUR)
        {
            e.clear();
            self.seekable.set(0);
        }
        Ok(self.seekable.get() == 1)
    }
    /// True if file was opened in a read mode.
    #[pymethod]
    fn readable(&self) -> PyResult<bool> {
        self.check_open()?;
        Ok(self.readable.get())
    }
    /// True if file was opened in a write mode.
    #[pymethod]
    fn writable(&self) -> PyResult<bool> {
        self.check_open()?;
        Ok(self.writable.get())
    }
    /// Return the underlying file descriptor (an integer).
    #[pymethod]
    fn fileno(&self) -> PyResult<i32> {
        self.check_open()?;
        Ok(self.fd.get())
    }
    /// True if the file is connected to a TTY device.
    #[pymethod]
    fn isatty(&self) -> PyResult<bool> {
        self.check_open()?;
        Ok(self.isatty_raw())
    }
    /// True if the file is closed
    #[getter]
    fn closed(&self) -> bool {
        !self.is_open()
    }
    /// True if the file descriptor will be closed by close().
    #[getter(closefd)]
    fn get_closefd(&self) -> bool {
        self.closefd.get()
    }
    /// String giving the file mode
    #[getter]
    fn mode(&self) -> &'static str {
        self.mode_text()
    }
    #[getter(_blksize)]
    fn get_blksize(&self) -> u32 {
        self.blksize.get()
    }
    #[setter(_blksize)]
    fn set_blksize(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else { return raise!(TypeError, "can't delete numeric/char attribute") };
        self.blksize.set(u32::from_py(v, ArgCtx { func: "_blksize", pos: 0, name: None })?);
        Ok(())
    }
    #[getter(_finalizing)]
    fn get_finalizing(&self) -> bool {
        self.finalizing.get()
    }
    #[setter(_finalizing)]
    fn set_finalizing(&self, v: Option<&Object>) -> PyResult<()> {
        self.finalizing.set(v.is_some_and(|v| v.is_true_object()));
        Ok(())
    }
}

impl FileIO {
    fn warn_unclosed(&self, source: &Object) -> PyResult<()> {
        if self.is_open() && self.closefd.get() {
            preserving(|| {
                let text = format!("unclosed file {}", source.repr_lossy());
                if let Err(e) = lh_runtime::warnings::warn_resource(source, &text) {
                    if e.matches(exc::Warning()) {
                        drop(e);
                        write_unraisable(Some(self), None);
                    } else {
                        e.clear();
                    }
                }
            });
        }
        Ok(())
    }
}
