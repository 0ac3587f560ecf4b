//! Reading directories: `scandir`, its iterator and `DirEntry`.

use super::stats::{stat_obj, zeroed_stat};
use crate::os::util::*;
use lh_runtime::codecs;
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::ffi::CString;

/// An open directory stream, closed on drop.
pub struct Dir {
    stream: Cell<*mut libc::DIR>,
    /// Opened on a descriptor of the caller, which stays where it was.
    from_fd: bool,
}

/// A directory's entry as read.
pub struct RawEntry {
    pub name: Vec<u8>,
    pub ino: u64,
    pub kind: u8,
}

impl Dir {
    pub fn open(p: Option<&PathValue>) -> PyResult<Dir> {
        let dot = c".";
        let mut fd = -1;
        if let Some(f) = p.and_then(|p| p.fd) {
            // The stream closes its descriptor.
            fd = call(|| c!(libc::fcntl(f, libc::F_DUPFD_CLOEXEC, 0))).map_err(|e| {
                e.clear();
                raise_errno(errno(), p.map(|p| &*p.object))
            })?;
        }
        let stream = lh_runtime::thread::allow_threads(|| {
            if fd >= 0 {
                c!(libc::fdopendir(fd))
            } else {
                c!(libc::opendir(p.map_or(dot.as_ptr(), |p| p.ptr())))
            }
        });
        if stream.is_null() {
            let e = errno();
            if fd >= 0 {
                c!(libc::close(fd));
            }
            return Err(raise_errno(e, p.map(|p| &*p.object)));
        }
        if fd >= 0 {
            c!(libc::rewinddir(stream));
        }
        Ok(Dir { stream: Cell::new(stream), from_fd: fd >= 0 })
    }
    /// The next entry that is neither `.` nor `..`.
    pub fn next(&self) -> Result<Option<RawEntry>, i32> {
        loop {
            let s = self.stream.get();
            if s.is_null() {
                return Ok(None);
            }
            set_errno(0);
            let e = lh_runtime::thread::allow_threads(|| c!(libc::readdir64(s)));
            if e.is_null() {
                return match errno() {
                    0 => Ok(None),
                    e => Err(e),
                };
            }
            // SAFETY: the entry is valid until the next call for this stream.
            let (name, ino, kind) = unsafe {
                let n = std::ffi::CStr::from_ptr((*e).d_name.as_ptr()).to_bytes();
                (n, (*e).d_ino, (*e).d_type)
            };
            if name != b"." && name != b".." {
                return Ok(Some(RawEntry { name: name.to_vec(), ino, kind }));
            }
        }
    }
    pub fn close(&self) {
        let s = self.stream.replace(std::ptr::null_mut());
        if !s.is_null() {
            if self.from_fd {
                c!(libc::rewinddir(s));
            }
            c!(libc::closedir(s));
        }
    }
    pub fn is_open(&self) -> bool {
        !self.stream.get().is_null()
    }
}
impl Drop for Dir {
    fn drop(&mut self) {
        self.close()
    }
}

/// The iterator that scandir() returns, also a context manager.
#[pyclass(name = "ScandirIterator", module = "posix", no_new, nogc)]
pub struct ScandirIterator {
    #[notrace]
    dir: Dir,
    #[notrace]
    path: Option<PathValue>,
}

#[pymethods(extra = crate::core::io::finalize_before_dealloc::<ScandirIterator>)]
impl ScandirIterator {
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<ScandirIterator> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<DirEntry>>> {
        let found = self.dir.next().map_err(|e| raise_errno(e, self.path.as_ref().map(|p| &*p.object)))?;
        let Some(e) = found else {
            self.dir.close();
            return Ok(None);
        };
        let name = match &self.path {
            Some(p) => p.decode(&e.name),
            None => codecs::fs_decode(&e.name).into_object(),
        };
        // Beneath a descriptor, an entry's path is its name.
        let (full, fd) = match &self.path {
            Some(p) if p.fd.is_some() => (e.name.clone(), p.fd()),
            p => {
                let mut b = p.as_ref().map_or(b".".to_vec(), |p| p.text.as_bytes().to_vec());
                if b.last() != Some(&b'/') && !b.is_empty() {
                    b.push(b'/');
                }
                b.extend(&e.name);
                (b, libc::AT_FDCWD)
            }
        };
        let path = match &self.path {
            Some(p) => p.decode(&full),
            None => codecs::fs_decode(&full).into_object(),
        };
        let raw = CString::new(full).expect("a directory holds no NULs");
        Ok(Some(
            DirEntry { name, path, raw, dir_fd: fd, ino: e.ino, kind: e.kind, stats: RefCell::default() }
                .build(),
        ))
    }
    #[pymethod(signature = "()")]
    fn close(&self) {
        self.dir.close()
    }
    #[pymethod(signature = "()")]
    fn __enter__(&self) -> Owned<ScandirIterator> {
        self.own()
    }
    #[pymethod(signature = "(*args)")]
    fn __exit__(&self, _args: &Tuple) {
        self.dir.close()
    }
    #[slot(tp_finalize)]
    fn finalize(o: *mut lh_runtime::abi::PyObject) {
        // SAFETY: the object still lives while it is finalised.
        let this = unsafe { lh_runtime::slots::this::<ScandirIterator>(o) };
        if this.dir.is_open() {
            let text = format!("unclosed scandir iterator {}", this.repr_lossy());
            errors_of(|| lh_runtime::number::warn(exc::ResourceWarning(), &text, 1));
            this.dir.close();
        }
    }
}

/// Runs what a destructor may not fail with; a failure is reported.
fn errors_of(f: impl FnOnce() -> PyResult<()>) {
    preserving(|| {
        if let Err(e) = f() {
            let _ = e;
            write_unraisable(None, None);
        }
    })
}

/// What scandir() yields: a name with what the directory already knows about it.
#[pyclass(name = "DirEntry", module = "posix", no_new, nogc)]
pub struct DirEntry {
    name: Owned<Object>,
    path: Owned<Object>,
    #[notrace]
    raw: CString,
    dir_fd: i32,
    ino: u64,
    kind: u8,
    /// Results of stat: of the entry itself, and of what it links to.
    #[notrace]
    stats: RefCell<[Option<Owned<Tuple>>; 2]>,
}

impl DirEntry {
    fn do_stat(&self, follow: bool) -> PyResult<Owned<Tuple>> {
        // Without a symbolic link in the way, both are the same.
        let follow = follow && self.linked()?;
        if let Some(s) = &self.stats.borrow()[follow as usize] {
            return Ok(s.clone());
        }
        let mut st = zeroed_stat();
        let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
        sys(|| c!(libc::fstatat(self.dir_fd, self.raw.as_ptr(), &mut st, flags)))?
            .map_err(|e| raise_errno(e, Some(&self.path)))?;
        let t = stat_obj(&st)?;
        self.stats.borrow_mut()[follow as usize] = Some(t.clone());
        Ok(t)
    }
    fn linked(&self) -> PyResult<bool> {
        match self.kind {
            libc::DT_LNK => Ok(true),
            libc::DT_UNKNOWN => Ok(self.mode(false)? == Some(libc::S_IFLNK)),
            _ => Ok(false),
        }
    }
    /// The file type bits; `None` if there is nothing.
    fn mode(&self, follow: bool) -> PyResult<Option<u32>> {
        let Some(t) = catching(exc::FileNotFoundError(), || self.do_stat(follow))? else {
            return Ok(None);
        };
        let m = t.item_ref(0).downcast::<Int>().and_then(|i| i.to_i64()).unwrap_or(0);
        Ok(Some(m as u32 & libc::S_IFMT))
    }
    fn is_kind(&self, follow: bool, dt: u8, bits: u32) -> PyResult<bool> {
        let need = self.kind == libc::DT_UNKNOWN || follow && self.kind == libc::DT_LNK;
        if !need { Ok(self.kind == dt) } else { Ok(self.mode(follow)? == Some(bits)) }
    }
}

#[pymethods]
impl DirEntry {
    /// the entry's base filename, relative to scandir() "path" argument
    #[getter]
    fn name(&self) -> Owned<Object> {
        self.name.clone()
    }
    /// the entry's full path name; equivalent to os.path.join(scandir_path, entry.name)
    #[getter]
    fn path(&self) -> Owned<Object> {
        self.path.clone()
    }
    /// Return True if the entry is a directory; cached per entry.
    #[pymethod(signature = "(*, follow_symlinks=True)")]
    fn is_dir(&self, follow_symlinks: bool) -> PyResult<bool> {
        self.is_kind(follow_symlinks, libc::DT_DIR, libc::S_IFDIR)
    }
    /// Return True if the entry is a file; cached per entry.
    #[pymethod(signature = "(*, follow_symlinks=True)")]
    fn is_file(&self, follow_symlinks: bool) -> PyResult<bool> {
        self.is_kind(follow_symlinks, libc::DT_REG, libc::S_IFREG)
    }
    /// Return True if the entry is a symbolic link; cached per entry.
    #[pymethod(signature = "()")]
    fn is_symlink(&self) -> PyResult<bool> {
        self.linked()
    }
    /// Return stat_result object for the entry; cached per entry.
    #[pymethod(signature = "(*, follow_symlinks=True)")]
    fn stat(&self, follow_symlinks: bool) -> PyResult<Owned<Tuple>> {
        self.do_stat(follow_symlinks)
    }
    /// Return inode of the entry; cached per entry.
    #[pymethod(signature = "()")]
    fn inode(&self) -> u64 {
        self.ino
    }
    /// Returns the path for the entry.
    #[pymethod(signature = "()")]
    fn __fspath__(&self) -> Owned<Object> {
        self.path.clone()
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, item: &Object) -> PyResult<Owned<Object>> {
        lh_runtime::hooks::import_module("types")?.get_attr(intern!("GenericAlias"))?.call(&[cls, item])
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<String> {
        Ok(format!("<DirEntry {}>", self.name.repr()?.to_str_lossy()))
    }
}

/// Return an iterator of DirEntry objects for given path.
///
/// path can be specified as either str, bytes, or a path-like object.  If path
/// is bytes, the names of yielded DirEntry objects will also be bytes; in
/// all other circumstances they will be str.
///
/// If path is None, uses the path='.'.
#[pyfunction(signature = "(path=None)")]
pub fn scandir(path: Option<PathFdNone>) -> PyResult<Owned<ScandirIterator>> {
    let path = path.map(|p| p.0);
    audit("os.scandir", &[path.as_ref().map_or(none_ref(), |p| &*p.object)])?;
    let dir = Dir::open(path.as_ref())?;
    Ok(ScandirIterator { dir, path }.build())
}
