//! What the system modules share: C calls without the GIL, retried after signals (PEP 475); path, descriptor and id arguments.

use lh_runtime::codecs;
use lh_runtime::prelude::*;
pub use lh_runtime::sysobject::audit;
use lh_runtime::thread::allow_threads;
use std::ffi::CString;

/// A call of the C library with arguments that are valid for it.
#[macro_export]
macro_rules! c {
    ($e:expr) => {{
        #[allow(unused_unsafe)]
        // SAFETY: a C library function called with live pointers and plain numbers.
        unsafe {
            $e
        }
    }};
}

pub fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

pub fn set_errno(e: i32) {
    // SAFETY: errno is thread-local memory.
    unsafe { *libc::__errno_location() = e }
}

/// Runs a system call without the GIL. A negative result is a failure; `EINTR` runs signal handlers and tries again.
pub fn sys<T: PartialOrd + Default>(mut f: impl FnMut() -> T) -> PyResult<Result<T, i32>> {
    loop {
        let r = allow_threads(&mut f);
        if r >= T::default() {
            return Ok(Ok(r));
        }
        match errno() {
            libc::EINTR => super::signal::check_signals()?,
            e => return Ok(Err(e)),
        }
    }
}

/// `sys`, a failure becoming `OSError`.
pub fn call<T: PartialOrd + Default>(f: impl FnMut() -> T) -> PyResult<T> {
    sys(f)?.map_err(|e| raise_errno(e, None))
}

/// A call that never blocks: the GIL stays.
pub fn quick<T: PartialOrd + Default>(r: T) -> PyResult<T> {
    if r < T::default() { Err(raise_errno(errno(), None)) } else { Ok(r) }
}

pub fn call_path<T: PartialOrd + Default>(p: &impl AnyPath, f: impl FnMut() -> T) -> PyResult<T> {
    sys(f)?.map_err(|e| raise_errno(e, Some(&p.arg().object)))
}

/// `OSError` that names two files.
pub fn call_paths<T: PartialOrd + Default>(
    a: &impl AnyPath,
    b: &impl AnyPath,
    f: impl FnMut() -> T,
) -> PyResult<T> {
    sys(f)?
        .map_err(|e| lh_runtime::exceptions::raise_os_error(e, Some(&a.arg().object), Some(&b.arg().object)))
}

// ---- Paths ----

/// A path argument, or a descriptor where the function takes one.
pub struct PathValue {
    /// The string, bytes or int given (what `__fspath__` answered): named in errors.
    pub object: Owned<Object>,
    pub text: CString,
    pub fd: Option<i32>,
    pub is_bytes: bool,
}

pub struct PathArg<const FD: bool, const NONE: bool>(pub PathValue);
pub type Path = PathArg<false, false>;
pub type PathFd = PathArg<true, false>;
pub type PathFdNone = PathArg<true, true>;

pub trait AnyPath {
    fn arg(&self) -> &PathValue;
}
impl<const FD: bool, const NONE: bool> AnyPath for PathArg<FD, NONE> {
    fn arg(&self) -> &PathValue {
        &self.0
    }
}
impl AnyPath for PathValue {
    fn arg(&self) -> &PathValue {
        self
    }
}
impl<const FD: bool, const NONE: bool> std::ops::Deref for PathArg<FD, NONE> {
    type Target = PathValue;
    fn deref(&self) -> &PathValue {
        &self.0
    }
}
impl PathValue {
    pub fn ptr(&self) -> *const libc::c_char {
        self.text.as_ptr()
    }
    pub fn fd(&self) -> i32 {
        self.fd.unwrap_or(-1)
    }
    /// A name read from the system, in the type of this path.
    pub fn decode(&self, b: &[u8]) -> Owned<Object> {
        if self.is_bytes { Bytes::new(b).into_object() } else { codecs::fs_decode(b).into_object() }
    }
}

fn c_string(b: &[u8]) -> PyResult<CString> {
    match CString::new(b) {
        Ok(s) => Ok(s),
        Err(_) => raise!(ValueError, "embedded null byte"),
    }
}

impl<'a, const FD: bool, const NONE: bool> FromPy<'a> for PathArg<FD, NONE> {
    fn from_py(o: &'a Object, ctx: ArgCtx<'_>) -> PyResult<Self> {
        path_value(o, ctx.func, ctx.name.unwrap_or("path"), FD, NONE).map(PathArg)
    }
}

pub fn path_value(o: &Object, func: &str, name: &str, fd: bool, none: bool) -> PyResult<PathValue> {
    path_value_of(o, o, func, name, fd, none)
}

/// As `path_value`; errors name `given`, whose bytes `o` are.
fn path_value_of(
    given: &Object,
    o: &Object,
    func: &str,
    name: &str,
    fd: bool,
    none: bool,
) -> PyResult<PathValue> {
    let bad = |got: &Object| {
        let what = match (fd, none) {
            (true, true) => "string, bytes, os.PathLike, integer or None",
            (true, false) => "string, bytes, os.PathLike or integer",
            (false, true) => "string, bytes, os.PathLike or None",
            (false, false) => "string, bytes or os.PathLike",
        };
        raise!(TypeError, "{}: {} should be {}, not {}", func, name, what, got.ty().name())
    };
    if let Some(s) = o.downcast::<Str>() {
        let text = c_string(&codecs::fs_encode(s)?)?;
        return Ok(PathValue { object: o.own(), text, fd: None, is_bytes: false });
    }
    if let Some(b) = o.downcast::<Bytes>() {
        return Ok(PathValue {
            object: given.own(),
            text: c_string(b.as_bytes())?,
            fd: None,
            is_bytes: true,
        });
    }
    if fd && lh_runtime::number::has_index(o) {
        let n = fd_number(o)?;
        return Ok(PathValue { object: o.own(), text: CString::default(), fd: Some(n), is_bytes: false });
    }
    if let Some(m) = o.lookup_special(intern!("__fspath__"))? {
        let r = m.call0()?;
        if !Str::check(&r) && !Bytes::check(&r) {
            return not_a_path(o, &r);
        }
        return path_value(&r, func, name, false, none);
    }
    if lh_runtime::buffer::supports_buffer(o) {
        let text = format!(
            "{}: {} should be {}, not {}",
            func,
            name,
            if fd { "string, bytes, os.PathLike or integer" } else { "string, bytes or os.PathLike" },
            o.ty().name()
        );
        lh_runtime::number::warn(exc::DeprecationWarning(), &text, 1)?;
        let b = Bytes::new(&Buffer::simple(o)?.to_vec());
        return path_value_of(o, &b, func, name, fd, none);
    }
    bad(o)
}

/// `os.fspath(o)`.
pub fn fspath_of(o: &Object) -> PyResult<Owned<Object>> {
    if Str::check(o) || Bytes::check(o) {
        return Ok(o.own());
    }
    let Some(m) = o.lookup_special(intern!("__fspath__"))? else {
        return raise!(TypeError, "expected str, bytes or os.PathLike object, not {}", o.ty().name());
    };
    let r = m.call0()?;
    if Str::check(&r) || Bytes::check(&r) {
        return Ok(r);
    }
    not_a_path(o, &r)
}
fn not_a_path<T>(o: &Object, got: &Object) -> PyResult<T> {
    raise!(
        TypeError,
        "expected {}.__fspath__() to return str or bytes, not {}",
        o.ty().name(),
        got.ty().name()
    )
}

/// An argument that the file system encoding makes bytes (`PyUnicode_FSConverter`).
pub struct FsBytes(pub CString);
impl<'a> FromPy<'a> for FsBytes {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        fs_bytes(o).map(FsBytes)
    }
}
pub fn fs_bytes(o: &Object) -> PyResult<CString> {
    let p = fspath_of(o)?;
    match (p.downcast::<Str>(), p.downcast::<Bytes>()) {
        (Some(s), _) => c_string(&codecs::fs_encode(s)?),
        (_, Some(b)) => c_string(b.as_bytes()),
        _ => unreachable!("fspath answers str or bytes"),
    }
}

// ---- Descriptors ----

fn fd_number(o: &Object) -> PyResult<i32> {
    let i = lh_runtime::number::index(o)?;
    match i.to_i64().map(i32::try_from) {
        Some(Ok(n)) => Ok(n),
        _ if i.is_negative() => raise!(OverflowError, "fd is less than minimum"),
        _ => raise!(OverflowError, "fd is greater than maximum"),
    }
}

/// A directory for relative paths; `None` stands for the current one.
pub struct DirFd(pub i32);
impl<'a> FromPy<'a> for DirFd {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        if o.is_none() {
            return Ok(DirFd(libc::AT_FDCWD));
        }
        if !lh_runtime::number::has_index(o) {
            return raise!(TypeError, "argument should be integer or None, not {}", o.ty().name());
        }
        fd_number(o).map(DirFd)
    }
}
/// A directory descriptor as audit events show it.
pub fn shown(d: &Option<DirFd>) -> Owned<Object> {
    int(d.as_ref().map_or(-1, |d| d.0 as i64))
}
pub fn at(d: &Option<DirFd>) -> i32 {
    d.as_ref().map_or(libc::AT_FDCWD, |d| d.0)
}

/// A descriptor given as an int or as an object with `fileno()`.
pub struct Fildes(pub i32);
impl<'a> FromPy<'a> for Fildes {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        fileno(o).map(Fildes)
    }
}
/// `PyObject_AsFileDescriptor`.
pub fn fileno(o: &Object) -> PyResult<i32> {
    let to_int = |i: &Int| match i.to_i64().map(i32::try_from) {
        Some(Ok(n)) => Ok(n),
        _ => raise!(OverflowError, "Python int too large to convert to C int"),
    };
    let n = if let Some(i) = o.downcast::<Int>() {
        to_int(i)?
    } else if let Some(m) = o.get_attr_opt(intern!("fileno"))? {
        let r = m.call0()?;
        match r.downcast::<Int>() {
            Some(i) => to_int(i)?,
            None => return raise!(TypeError, "fileno() returned a non-integer"),
        }
    } else {
        return raise!(TypeError, "argument must be an int, or have a fileno() method.");
    };
    if n < 0 {
        return raise!(ValueError, "file descriptor cannot be a negative integer ({})", n);
    }
    Ok(n)
}

/// A C `int` argument, whose overflow is worded as for descriptors.
pub struct CInt(pub i32);
impl<'a> FromPy<'a> for CInt {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        let i = lh_runtime::number::index(o)?;
        match i.to_i64().map(i32::try_from) {
            Some(Ok(n)) => Ok(CInt(n)),
            _ => raise!(OverflowError, "Python int too large to convert to C int"),
        }
    }
}

// ---- User and group ids ----

/// A uid or gid: -1 (no change) or 0..2**32.
pub struct Id(pub u32);
fn id(o: &Object, what: &str) -> PyResult<Id> {
    if !lh_runtime::number::has_index(o) {
        return raise!(TypeError, "{} should be integer, not {}", what, o.ty().name());
    }
    let i = lh_runtime::number::index(o)?;
    match i.to_i64() {
        Some(-1) => Ok(Id(u32::MAX)),
        Some(v) if v < -1 => raise!(OverflowError, "{} is less than minimum", what),
        Some(v) if v < u32::MAX as i64 => Ok(Id(v as u32)),
        None if i.is_negative() => raise!(OverflowError, "{} is less than minimum", what),
        _ => raise!(OverflowError, "{} is greater than maximum", what),
    }
}
pub struct Uid(pub u32);
impl<'a> FromPy<'a> for Uid {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        id(o, "uid").map(|i| Uid(i.0))
    }
}
pub struct Gid(pub u32);
impl<'a> FromPy<'a> for Gid {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        id(o, "gid").map(|i| Gid(i.0))
    }
}
/// An id as Python shows it: -1 for "none".
pub fn id_obj(v: u32) -> Owned<Object> {
    if v == u32::MAX { Int::from_i64(-1) } else { Int::from_i64(v as i64) }.into_object()
}

// ---- Odds and ends ----

pub fn int(v: i64) -> Owned<Object> {
    Int::from_i64(v).into_object()
}
pub fn float(v: f64) -> Owned<Object> {
    Float::new(v).into_object()
}
/// A C string as the file system encoding decodes it.
///
/// # Safety
/// `p` is a C string.
pub unsafe fn fs_str(p: *const libc::c_char) -> Owned<Object> {
    // SAFETY: the caller's promise.
    codecs::fs_decode(unsafe { std::ffi::CStr::from_ptr(p) }.to_bytes()).into_object()
}

pub fn add_ints(m: &Module, table: &[(&str, i64)]) -> PyResult<()> {
    table.iter().try_for_each(|(n, v)| m.add(n, &Int::from_i64(*v)))
}

/// `fn NAME() -> PyResult<&'static Type>`: a struct sequence type made on first use.
#[macro_export]
macro_rules! struct_seq {
    ($fname:ident, $name:literal, $doc:literal, $visible:literal, [$($f:literal),* $(,)?]) => {
        pub fn $fname() -> lh_runtime::errors::PyResult<&'static lh_runtime::kinds::Type> {
            static CELL: std::sync::atomic::AtomicPtr<lh_runtime::abi::PyTypeObject> =
                std::sync::atomic::AtomicPtr::new(std::ptr::null_mut());
            let mut p = CELL.load(std::sync::atomic::Ordering::Relaxed);
            if p.is_null() {
                let t = lh_runtime::structseq::new_type($name, $doc, &[$(($f, "")),*], $visible)?;
                p = t.into_raw().cast();
                CELL.store(p, std::sync::atomic::Ordering::Relaxed);
            }
            // SAFETY: the type is kept for ever.
            Ok(unsafe { lh_runtime::kinds::Type::from_raw_ref(p) })
        }
    };
}

/// A number of seconds as an argument, rounded away from zero to nanoseconds.
pub fn seconds_to_ns(o: &Object, round_up: bool) -> PyResult<i64> {
    let too_large = || raise!(OverflowError, "timestamp too large to convert to C _PyTime_t");
    if let Some(f) = o.downcast::<Float>() {
        let v = f.value();
        if v.is_nan() {
            return raise!(ValueError, "Invalid value NaN (not a number)");
        }
        let ns = v * 1e9;
        let ns = if round_up { if ns >= 0.0 { ns.ceil() } else { ns.floor() } } else { ns.floor() };
        if !(-9.223372036854775e18..9.223372036854775e18).contains(&ns) {
            return too_large();
        }
        return Ok(ns as i64);
    }
    let i = lh_runtime::number::index(o)?;
    match i.to_i64().and_then(|s| s.checked_mul(1_000_000_000)) {
        Some(ns) => Ok(ns),
        None => too_large(),
    }
}

/// The monotonic clock in nanoseconds.
pub fn monotonic_ns() -> i64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    c!(libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut t));
    t.tv_sec * 1_000_000_000 + t.tv_nsec
}

/// A new exception class `module.name`, as `PyErr_NewException` makes it.
pub fn new_exception(module: &str, name: &str, base: &Type) -> PyResult<Owned<Object>> {
    let d = Dict::new();
    d.set_str("__module__", &Str::new(module))?;
    let bases = Tuple::from_refs(&[base]);
    Type::class().call(&[&Str::new(name), &bases, &d])
}
