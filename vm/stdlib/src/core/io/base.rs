//! The abstract bases of all streams.

use super::*;
use lh_runtime::args::Args;
use std::cell::Cell;

/// The abstract base class for all I/O classes.
#[pyclass(name = "_IOBase", module = "_io", basetype, dict, weakref)]
pub struct IOBase {}

fn iobase_unsupported<T>(name: &str) -> PyResult<T> {
    Err(unsupported(name))
}

/// Has `close` of the base class been called?
fn base_closed(o: &Object) -> PyResult<bool> {
    Ok(o.get_attr_opt(intern!("__IOBase_closed"))?.is_some())
}

/// `o._checkX()`-style checks.
pub fn check_closed(o: &Object) -> PyResult<()> {
    match o.get_attr_opt(intern!("closed"))? {
        Some(c) if c.is_true()? => closed_error(),
        _ => Ok(()),
    }
}
fn check_able(o: &Object, method: &str, text: &str) -> PyResult<()> {
    let r = o.call_method(method, &[])?;
    if r.is_true_object() { Ok(()) } else { Err(unsupported(text)) }
}

#[pymethods(extra = finalize_before_dealloc::<IOBase>)]
impl IOBase {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<IOBase>> {
        IOBase {}.build_in(cls)
    }
    #[slot(tp_finalize)]
    fn finalize(o: *mut lh_abi::PyObject) {
        // SAFETY: finalisers are called with a live object.
        finalize_stream(unsafe { Object::from_ptr(o) })
    }
    #[slot(tp_iter)]
    fn iter(&self) -> PyResult<Owned<IOBase>> {
        check_closed(self)?;
        Ok(self.own())
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let line = self.call_method("readline", &[])?;
        if line.length()? == 0 { Ok(None) } else { Ok(Some(line)) }
    }
    /// Change the stream position to the given byte offset.
    #[pymethod(raw)]
    fn seek(&self, _a: Args<'_>) -> PyResult<()> {
        iobase_unsupported("seek")
    }
    /// Return current stream position.
    #[pymethod]
    fn tell(&self) -> PyResult {
        self.call_method("seek", &[&*int(0), &*int(1)])
    }
    /// Truncate file to size bytes.
    #[pymethod(raw)]
    fn truncate(&self, _a: Args<'_>) -> PyResult<()> {
        iobase_unsupported("truncate")
    }
    /// Flush write buffers, if applicable.
    #[pymethod]
    fn flush(&self) -> PyResult<()> {
        if base_closed(self)? { closed_error() } else { Ok(()) }
    }
    /// Flush and close the IO object. This method has no effect if the file is already closed.
    #[pymethod]
    fn close(&self) -> PyResult<()> {
        if base_closed(self)? {
            return Ok(());
        }
        let r = self.call_method("flush", &[]);
        let kept = if r.is_err() { Some(fetch()) } else { None };
        let set = self.set_attr(intern!("__IOBase_closed"), bool_ref(true));
        match kept {
            Some((t, v, tb)) => {
                if let Err(e) = set {
                    e.clear();
                }
                restore(t, v, tb);
                Err(Raised::already_set())
            }
            None => set,
        }
    }
    /// Return whether object supports random access.
    #[pymethod]
    fn seekable(&self) -> bool {
        false
    }
    /// Return whether object was opened for reading.
    #[pymethod]
    fn readable(&self) -> bool {
        false
    }
    /// Return whether object was opened for writing.
    #[pymethod]
    fn writable(&self) -> bool {
        false
    }
    #[pymethod(name = "_checkClosed", raw)]
    fn check_closed_method(&self, _a: Args<'_>) -> PyResult<()> {
        check_closed(self)
    }
    #[pymethod(name = "_checkSeekable", raw)]
    fn check_seekable(&self, _a: Args<'_>) -> PyResult<bool> {
        check_able(self, "seekable", "File or stream is not seekable.").map(|()| true)
    }
    #[pymethod(name = "_checkReadable", raw)]
    fn check_readable(&self, _a: Args<'_>) -> PyResult<bool> {
        check_able(self, "readable", "File or stream is not readable.").map(|()| true)
    }
    #[pymethod(name = "_checkWritable", raw)]
    fn check_writable(&self, _a: Args<'_>) -> PyResult<bool> {
        check_able(self, "writable", "File or stream is not writable.").map(|()| true)
    }
    /// Returns underlying file descriptor if one exists.
    #[pymethod]
    fn fileno(&self) -> PyResult<i64> {
        iobase_unsupported("fileno")
    }
    /// Return whether this is an 'interactive' stream.
    #[pymethod]
    fn isatty(&self) -> PyResult<bool> {
        check_closed(self)?;
        Ok(false)
    }
    #[pymethod]
    fn __enter__(&self) -> PyResult<Owned<IOBase>> {
        check_closed(self)?;
        Ok(self.own())
    }
    #[pymethod(raw)]
    fn __exit__(&self, _a: Args<'_>) -> PyResult {
        self.call_method("close", &[])
    }
    #[getter]
    fn closed(&self) -> PyResult<bool> {
        base_closed(self)
    }
    #[getter(__dict__)]
    fn dict(&self) -> PyResult<Owned<Dict>> {
        instance_dict(self)
    }
    /// Read and return a line from the stream.
    #[pymethod(signature = "(size=-1, /)")]
    fn readline(&self, size: Option<&Object>) -> PyResult {
        let limit = size_arg(size)?;
        let peek = self.get_attr_opt(intern!("peek"))?;
        let mut line: Vec<u8> = vec![];
        while limit < 0 || (line.len() as isize) < limit {
            let mut n = 1;
            if let Some(p) = &peek {
                let ahead = p.call1(&int(1))?;
                let Some(b) = ahead.downcast::<Bytes>() else {
                    return raise!(
                        OSError,
                        "peek() should have returned a bytes object, not '{}'",
                        ahead.ty().name()
                    );
                };
                let b = b.as_bytes();
                if !b.is_empty() {
                    n = b.iter().position(|c| *c == b'\n').map_or(b.len(), |i| i + 1);
                    if limit >= 0 {
                        n = n.min(limit as usize - line.len());
                    }
                }
            }
            let r = self.call_method("read", &[&*int(n as i64)])?;
            let Some(b) = r.downcast::<Bytes>() else {
                return raise!(
                    OSError,
                    "read() should have returned a bytes object, not '{}'",
                    r.ty().name()
                );
            };
            if b.is_empty() {
                break;
            }
            line.extend_from_slice(b.as_bytes());
            if line.last() == Some(&b'\n') {
                break;
            }
        }
        line.into_py()
    }
    /// Return a list of lines from the stream.
    #[pymethod(signature = "(hint=-1, /)")]
    fn readlines(&self, hint: Option<&Object>) -> PyResult<Owned<List>> {
        let hint = size_arg(hint)?;
        let out = List::new();
        let it = self.iterator()?;
        let mut total = 0isize;
        while let Some(line) = it.iter_next()? {
            total += line.length()? as isize;
            out.push(line);
            if hint > 0 && total >= hint {
                break;
            }
        }
        Ok(out)
    }
    /// Write a list of lines to stream. Line separators are not added.
    #[pymethod(signature = "(lines, /)")]
    fn writelines(&self, lines: &Object) -> PyResult<()> {
        check_closed(self)?;
        let it = lines.iterator()?;
        while let Some(line) = it.iter_next()? {
            self.call_method("write", &[&line])?;
        }
        Ok(())
    }
}

/// Base class for raw binary I/O.
#[pyclass(name = "_RawIOBase", module = "_io", base = IOBase, basetype)]
pub struct RawIOBase {}

#[pymethods(extra = finalize_before_dealloc::<RawIOBase>)]
impl RawIOBase {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<RawIOBase>> {
        RawIOBase {}.build_in(cls)
    }
    #[pymethod(signature = "(size=-1, /)")]
    fn read(&self, size: Option<&Object>) -> PyResult {
        let n = size_arg(size)?;
        if n < 0 {
            return self.call_method("readall", &[]);
        }
        let b = ByteArray::new(&lh_runtime::alloc::zeroed(n as usize)?);
        let r = self.call_method("readinto", &[&b])?;
        if r.is_none() {
            return Ok(r);
        }
        let got = lh_runtime::number::as_isize(&r, Some(exc::ValueError()))?;
        Bytes::new(&b.to_vec()[..(got.max(0) as usize).min(b.len())]).into_py()
    }
    /// Read until EOF, using multiple read() call.
    #[pymethod]
    fn readall(&self) -> PyResult {
        let mut out: Vec<u8> = vec![];
        loop {
            let r = self.call_method("read", &[&*int(DEFAULT_BUFFER_SIZE as i64)])?;
            if r.is_none() {
                if out.is_empty() {
                    return Ok(r);
                }
                break;
            }
            let Some(b) = r.downcast::<Bytes>() else {
                return raise!(TypeError, "read() should return bytes");
            };
            if b.is_empty() {
                break;
            }
            out.extend_from_slice(b.as_bytes());
        }
        out.into_py()
    }
    #[pymethod(raw)]
    fn readinto(&self, _a: Args<'_>) -> PyResult<()> {
        raise!(NotImplementedError)
    }
    #[pymethod(raw)]
    fn write(&self, _a: Args<'_>) -> PyResult<()> {
        raise!(NotImplementedError)
    }
}

/// Base class for buffered IO objects.
#[pyclass(name = "_BufferedIOBase", module = "_io", base = IOBase, basetype)]
pub struct BufferedIOBase {}

impl BufferedIOBase {
    fn read_into_buffer(&self, buffer: &Object, method: &str) -> PyResult<usize> {
        let mut view =
            Buffer::writable_arg(buffer, if method == "read1" { "readinto1" } else { "readinto" })?;
        let r = self.call_method(method, &[&*int(view.len() as i64)])?;
        let Some(b) = r.downcast::<Bytes>() else {
            return raise!(TypeError, "read() should return bytes");
        };
        let b = b.as_bytes();
        if b.len() > view.len() {
            return raise!(
                ValueError,
                "read() returned too much data: {} bytes requested, {} returned",
                view.len(),
                b.len()
            );
        }
        view.as_bytes_mut()[..b.len()].copy_from_slice(b);
        Ok(b.len())
    }
}

#[pymethods(extra = finalize_before_dealloc::<BufferedIOBase>)]
impl BufferedIOBase {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<BufferedIOBase>> {
        BufferedIOBase {}.build_in(cls)
    }
    /// Disconnect this buffer from its underlying raw stream and return it.
    #[pymethod]
    fn detach(&self) -> PyResult<()> {
        iobase_unsupported("detach")
    }
    /// Read and return up to n bytes.
    #[pymethod(raw)]
    fn read(&self, _a: Args<'_>) -> PyResult<()> {
        iobase_unsupported("read")
    }
    /// Read and return up to n bytes, with at most one read() call to the underlying raw stream.
    #[pymethod(raw)]
    fn read1(&self, _a: Args<'_>) -> PyResult<()> {
        iobase_unsupported("read1")
    }
    #[pymethod(signature = "(buffer, /)")]
    fn readinto(&self, buffer: &Object) -> PyResult<usize> {
        self.read_into_buffer(buffer, "read")
    }
    #[pymethod(signature = "(buffer, /)")]
    fn readinto1(&self, buffer: &Object) -> PyResult<usize> {
        self.read_into_buffer(buffer, "read1")
    }
    /// Write the given buffer to the IO stream.
    #[pymethod(raw)]
    fn write(&self, _a: Args<'_>) -> PyResult<()> {
        iobase_unsupported("write")
    }
}

/// Base class for text I/O.
#[pyclass(name = "_TextIOBase", module = "_io", base = IOBase, basetype)]
pub struct TextIOBase {}

#[pymethods(extra = finalize_before_dealloc::<TextIOBase>)]
impl TextIOBase {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<TextIOBase>> {
        TextIOBase {}.build_in(cls)
    }
    /// Separate the underlying buffer from the TextIOBase and return it.
    #[pymethod(raw)]
    fn detach(&self, _a: Args<'_>) -> PyResult<()> {
        iobase_unsupported("detach")
    }
    /// Read at most n characters from stream.
    #[pymethod(raw)]
    fn read(&self, _a: Args<'_>) -> PyResult<()> {
        iobase_unsupported("read")
    }
    /// Read until newline or EOF.
    #[pymethod(raw)]
    fn readline(&self, _a: Args<'_>) -> PyResult<()> {
        iobase_unsupported("readline")
    }
    /// Write string to stream.
    #[pymethod(raw)]
    fn write(&self, _a: Args<'_>) -> PyResult<()> {
        iobase_unsupported("write")
    }
    /// Encoding of the text stream.
    #[getter]
    fn encoding(&self) {}
    /// Line endings translated so far.
    #[getter]
    fn newlines(&self) {}
    /// The error setting of the decoder or encoder.
    #[getter]
    fn errors(&self) {}
}

/// A `_finalizing` flag field.
pub type Flag = Cell<bool>;
