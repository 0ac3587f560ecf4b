//! `_io`: files, buffers and text streams.
//!
//! ```text
//!   TextIOWrapper      text.rs       str  <-> bytes, newlines, tell cookies
//!   BufferedReader …   buffered.rs   one buffer between reads/writes and the raw stream
//!   FileIO             fileio.rs     a file descriptor
//! ```
//! `StringIO` and `BytesIO` keep their contents in memory. The abstract bases (`base.rs`) implement what can be said in terms
//! of other methods. A stream that dies open is closed by its finaliser, which runs before the payload goes.

use lh_runtime::codecs;
use lh_runtime::prelude::*;
use std::sync::atomic::{AtomicPtr, Ordering};

pub mod base;
pub mod buffered;
pub mod bytesio;
pub mod fileio;
pub mod newline;
pub mod rwpair;
pub mod stringio;
pub mod text;

pub const DEFAULT_BUFFER_SIZE: usize = 8192;

// ---- Helpers of all files ----

static UNSUPPORTED: AtomicPtr<lh_abi::PyObject> = AtomicPtr::new(std::ptr::null_mut());

/// `io.UnsupportedOperation`.
fn unsupported_type() -> PyResult<&'static Type> {
    let mut p = UNSUPPORTED.load(Ordering::Relaxed);
    if p.is_null() {
        let bases = Tuple::from_refs(&[exc::OSError(), exc::ValueError()]);
        let d = Dict::new();
        d.set_str("__module__", &Str::new("io"))?;
        d.set_str("__doc__", none_ref())?;
        let t = Type::class().call(&[&Str::new("UnsupportedOperation"), &bases, &d])?;
        p = t.into_raw();
        UNSUPPORTED.store(p, Ordering::Relaxed);
    }
    // SAFETY: a type object that is kept for ever.
    Ok(unsafe { Object::from_ptr(p).downcast_unchecked() })
}
/// Raises `io.UnsupportedOperation(text)`.
pub fn unsupported(text: &str) -> Raised {
    match unsupported_type() {
        Ok(t) => set_object(t, Some(Str::new(text).into_object())),
        Err(e) => e,
    }
}
/// Is the pending exception `io.UnsupportedOperation`?
pub fn is_unsupported(e: &Raised) -> bool {
    unsupported_type().is_ok_and(|t| e.matches(t))
}

/// `o.name()`, as a truth value.
pub fn ask(o: &Object, name: &str) -> PyResult<bool> {
    o.call_method(name, &[])?.is_true()
}
pub fn is_closed(o: &Object) -> PyResult<bool> {
    if let Some(closed) = buffered::closed_file(o) {
        return Ok(closed);
    }
    o.get_attr(intern!("closed"))?.is_true()
}
pub fn closed_error<T>() -> PyResult<T> {
    raise!(ValueError, "I/O operation on closed file.")
}
/// A `size`-like argument: `None` means -1.
pub fn size_arg(o: Option<&Object>) -> PyResult<isize> {
    match o {
        None => Ok(-1),
        Some(o) if o.is_none() => Ok(-1),
        Some(o) if o.is_instance_of::<Int>() || o.lookup_special(intern!("__index__"))?.is_some() => {
            lh_runtime::number::as_isize(o, Some(exc::OverflowError()))
        }
        Some(o) => raise!(TypeError, "argument should be integer or None, not '{}'", o.ty().name()),
    }
}
pub fn int(v: i64) -> Owned<Object> {
    Int::from_i64(v).into_object()
}
pub fn text(s: &str) -> Owned<Object> {
    Str::new(s).into_object()
}
/// A file position given as an integer.
pub fn offset_arg(o: &Object) -> PyResult<i64> {
    if o.is_instance_of::<Float>() {
        return raise!(TypeError, "'float' object cannot be interpreted as an integer");
    }
    let i = lh_runtime::number::index(o)?;
    match i.to_i128().and_then(|v| i64::try_from(v).ok()) {
        Some(v) => Ok(v),
        None => raise!(OverflowError, "Python int too large to convert to C long"),
    }
}

/// Calls `close` of a dying stream; installed as `tp_finalize` of the base type.
pub fn finalize_stream(o: &Object) {
    preserving(|| {
        // A stream whose `closed` cannot be asked is unusable anyhow: leave it.
        let closed = match o.get_attr_opt(intern!("closed")) {
            Ok(Some(c)) => c.is_true(),
            Ok(None) => return,
            Err(e) => Err(e),
        };
        match closed {
            Ok(false) => {}
            Ok(true) => return,
            Err(e) => return e.clear(),
        }
        if let Err(e) = o.set_attr_str("_finalizing", bool_ref(true)) {
            e.clear();
        }
        if let Err(e) = o.call_method("close", &[]) {
            if lh_runtime::sysobject::config().dev_mode {
                drop(e);
                write_unraisable(Some(o), None);
            } else {
                e.clear();
            }
        }
    })
}

/// Wraps the payload deallocator of a stream type: the finaliser runs first and may keep the object alive.
pub fn finalize_before_dealloc<T: Payload>(b: &mut TypeBuilder) {
    unsafe extern "C" fn dealloc<T: Payload>(o: *mut lh_abi::PyObject) {
        // SAFETY: called once by decref with a dying object; `payload_dealloc` is this type's original deallocator.
        unsafe {
            // A stream in memory has nothing to finish by itself.
            let t = (*o).ob_type;
            let in_memory = t == stringio::StringIO::type_ptr() || t == bytesio::BytesIO::type_ptr();
            if !in_memory && lh_runtime::typeobject::finalize_from_dealloc(o) {
                return;
            }
            lh_runtime::builder::payload_dealloc::<T>(o)
        }
    }
    // SAFETY: the type is being built.
    unsafe { (*b.ty).tp_dealloc = Some(dealloc::<T>) }
}

/// `os.fspath` and the file system encoding: the bytes of a path argument.
pub fn path_bytes(o: &Object) -> PyResult<Vec<u8>> {
    let as_bytes = |o: &Object| -> PyResult<Option<Vec<u8>>> {
        if let Some(s) = o.downcast::<Str>() {
            return codecs::fs_encode(s).map(Some);
        }
        Ok(o.downcast::<Bytes>().map(|b| b.as_bytes().to_vec()))
    };
    let b = match as_bytes(o)? {
        Some(b) => b,
        None => {
            let Some(f) = o.lookup_special(intern!("__fspath__"))? else {
                return raise!(TypeError, "expected str, bytes or os.PathLike object, not {}", o.ty().name());
            };
            let p = f.call0()?;
            match as_bytes(&p)? {
                Some(b) => b,
                None => {
                    return raise!(
                        TypeError,
                        "expected {}.__fspath__() to return str or bytes, not {}",
                        o.ty().name(),
                        p.ty().name()
                    );
                }
            }
        }
    };
    if b.contains(&0) {
        return raise!(ValueError, "embedded null byte");
    }
    Ok(b)
}

/// Runs signal handlers after a system call was interrupted.
pub fn after_eintr() -> PyResult<()> {
    (lh_runtime::hooks::hooks().run_pending)()
}

/// Raises `BlockingIOError(EAGAIN, text, written)`.
pub fn would_block(written: usize) -> Raised {
    let args = Tuple::from_vec(vec![
        int(libc::EAGAIN as i64),
        text("write could not complete without blocking"),
        int(written as i64),
    ]);
    set_object(exc::BlockingIOError(), Some(args.into_object()))
}

/// The `__dict__` of a stream, made on demand.
pub fn instance_dict(o: &Object) -> PyResult<Owned<Dict>> {
    // SAFETY: a live object; its dictionary word is null or owns a dict.
    unsafe {
        if lh_runtime::instance::is_managed(o) {
            return Ok(lh_runtime::instance::dict(o.as_ptr()));
        }
        let p = lh_runtime::typeobject::dict_ptr(o.as_ptr());
        if p.is_null() {
            return raise!(AttributeError, "'{}' object has no attribute '__dict__'", o.ty().name());
        }
        if (*p).is_null() {
            *p = Dict::new().into_raw();
        }
        Ok(Object::from_ptr(*p).downcast_unchecked::<Dict>().own())
    }
}

// ---- open ----

/// Open file and return a stream. Raise OSError upon failure.
///
/// The mode is one of 'r', 'w', 'a', 'x', with 't' (text, the default) or 'b' (binary) and '+' for updating. buffering is 0
/// (off, binary only), 1 (by lines, text only) or the size of the buffer.
#[pyfunction(
    signature = "(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)"
)]
pub fn open(
    file: &Object,
    mode: &str,
    buffering: i32,
    encoding: Option<&str>,
    errors: Option<&str>,
    newline: Option<&str>,
    closefd: bool,
    opener: Option<&Object>,
) -> PyResult {
    let path_like =
        !(file.is_instance_of::<Int>() || file.is_instance_of::<Str>() || file.is_instance_of::<Bytes>());
    let file = if path_like {
        match file.lookup_special(intern!("__fspath__"))? {
            Some(f) => {
                let p = f.call0()?;
                if !Str::check(&p) && !Bytes::check(&p) {
                    return raise!(
                        TypeError,
                        "expected {}.__fspath__() to return str or bytes, not {}",
                        file.ty().name(),
                        p.ty().name()
                    );
                }
                p
            }
            None => file.own(),
        }
    } else {
        file.own()
    };
    let mut seen = [false; 128];
    for c in mode.bytes() {
        if !b"xrwa+tb".contains(&c) || seen[c as usize] {
            return raise!(ValueError, "invalid mode: '{}'", mode);
        }
        seen[c as usize] = true;
    }
    let has = |c: char| seen[c as usize];
    let (creating, reading, writing, appending) = (has('x'), has('r'), has('w'), has('a'));
    let (updating, is_text, binary) = (has('+'), has('t'), has('b'));
    if is_text && binary {
        return raise!(ValueError, "can't have text and binary mode at once");
    }
    if creating as i32 + reading as i32 + writing as i32 + appending as i32 > 1 {
        return raise!(ValueError, "must have exactly one of create/read/write/append mode");
    }
    if binary && encoding.is_some() {
        return raise!(ValueError, "binary mode doesn't take an encoding argument");
    }
    if binary && errors.is_some() {
        return raise!(ValueError, "binary mode doesn't take an errors argument");
    }
    if binary && newline.is_some() {
        return raise!(ValueError, "binary mode doesn't take a newline argument");
    }
    if binary && buffering == 1 {
        lh_runtime::warnings::warn(
            exc::RuntimeWarning(),
            "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used",
            1,
        )?;
    }
    let raw_mode: String = ["x", "r", "w", "a", "+"]
        .iter()
        .filter(|m| has(m.chars().next().expect("one char")))
        .copied()
        .collect();
    let opener = opener.map_or_else(none, |o| o.own());
    let raw = fileio::FileIO::class().call(&[&file, &text(&raw_mode), bool_ref(closefd), &opener])?;
    let result = (|| -> PyResult {
        let fio = raw.downcast::<fileio::FileIO>().expect("just made");
        let tty = fio.isatty_raw();
        let line_buffering = buffering == 1 || (buffering < 0 && tty);
        let size = match buffering {
            b if b < 0 || (b == 1 && line_buffering) => fio.blksize() as i64,
            b => b as i64,
        };
        if size == 0 {
            if !binary {
                return raise!(ValueError, "can't have unbuffered text I/O");
            }
            return Ok(raw.clone());
        }
        let class = if updating {
            buffered::BufferedRandom::class()
        } else if reading {
            buffered::BufferedReader::class()
        } else {
            buffered::BufferedWriter::class()
        };
        let buffer = class.call(&[&raw, &int(size)])?;
        if binary {
            return Ok(buffer);
        }
        let opt = |s: Option<&str>| s.map_or_else(none, text);
        let wrapper = text::TextIOWrapper::class().call(&[
            &buffer,
            &opt(encoding),
            &opt(errors),
            &opt(newline),
            bool_ref(line_buffering),
        ]);
        let wrapper = match wrapper {
            Ok(w) => w,
            Err(e) => {
                preserving(|| {
                    if let Err(x) = buffer.call_method("close", &[]) {
                        x.clear()
                    }
                });
                return Err(e);
            }
        };
        wrapper.set_attr_str("mode", &text(mode))?;
        Ok(wrapper)
    })();
    if result.is_err() {
        preserving(|| {
            if let Err(x) = raw.call_method("close", &[]) {
                x.clear()
            }
        });
    }
    result
}

/// Opens the provided file with the intent to import the contents.
#[pyfunction(signature = "(path)")]
fn open_code(path: &Str) -> PyResult {
    open(path, "rb", -1, None, None, None, true, None)
}

/// A helper function to choose the text encoding: the argument, or "locale" (with a warning if asked for) if it is None.
#[pyfunction(signature = "(encoding, stacklevel=2, /)")]
pub fn text_encoding(encoding: &Object, stacklevel: i32) -> PyResult {
    if !encoding.is_none() {
        return Ok(encoding.own());
    }
    let c = lh_runtime::sysobject::config();
    if c.warn_default_encoding {
        lh_runtime::warnings::warn(
            exc::EncodingWarning(),
            "'encoding' argument not specified",
            stacklevel as isize,
        )?;
    }
    Ok(text(if c.utf8_mode { "utf-8" } else { "locale" }))
}

fn setup(m: &Module) -> PyResult<()> {
    m.add("DEFAULT_BUFFER_SIZE", &int(DEFAULT_BUFFER_SIZE as i64))?;
    m.add("UnsupportedOperation", unsupported_type()?)?;
    m.add("BlockingIOError", exc::BlockingIOError())
}

module! {
    "_io",
    doc: "The io module's streams: raw files, buffers, text.",
    functions: [open, open_code, text_encoding],
    types: [
        base::IOBase, base::RawIOBase, base::BufferedIOBase, base::TextIOBase, fileio::FileIO, bytesio::BytesIO,
        bytesio::BytesIOBuffer, buffered::BufferedReader, buffered::BufferedWriter, buffered::BufferedRandom,
        rwpair::BufferedRWPair, newline::IncrementalNewlineDecoder, stringio::StringIO, text::TextIOWrapper,
    ],
    init: setup
}
