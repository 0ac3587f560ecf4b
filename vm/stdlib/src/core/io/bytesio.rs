//! `BytesIO`: a buffered stream in memory, and the exporter behind `getbuffer()`.

use super::base::BufferedIOBase;
use super::*;
use std::cell::{Cell, RefCell};

/// What a `BytesIO` holds. A `bytes` object it was made from, or has given away, is shared until something is written.
enum Store {
    Own(Vec<u8>),
    Shared(Owned<Bytes>),
}

impl Store {
    fn own(&mut self) -> &mut Vec<u8> {
        if let Store::Shared(b) = self {
            *self = Store::Own(b.as_bytes().to_vec());
        }
        match self {
            Store::Own(v) => v,
            Store::Shared(_) => unreachable!("made its own above"),
        }
    }
}

impl std::ops::Deref for Store {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Store::Own(v) => v,
            Store::Shared(b) => b.as_bytes(),
        }
    }
}

/// Buffered I/O implementation using an in-memory bytes buffer.
#[pyclass(name = "BytesIO", module = "_io", base = BufferedIOBase, basetype)]
pub struct BytesIO {
    #[notrace]
    buf: RefCell<Store>,
    pos: Cell<usize>,
    closed: Cell<bool>,
    /// Live views made by `getbuffer()`: the size cannot change while there are any.
    exports: Cell<usize>,
}

impl BytesIO {
    fn check_open(&self) -> PyResult<()> {
        if self.closed.get() { closed_error() } else { Ok(()) }
    }
    fn check_exports(&self) -> PyResult<()> {
        if self.exports.get() > 0 {
            return raise!(BufferError, "Existing exports of data: object cannot be re-sized");
        }
        Ok(())
    }
    /// Takes up to `n` bytes (all if negative) from the position on.
    fn take(&self, n: isize) -> Owned<Bytes> {
        let b = self.buf.borrow();
        let start = self.pos.get().min(b.len());
        let end = if n < 0 { b.len() } else { b.len().min(start + n as usize) };
        if end > start {
            self.pos.set(end);
        }
        match &*b {
            Store::Shared(whole) if end - start == whole.len() => whole.clone(),
            _ => Bytes::new(&b[start..end]),
        }
    }
    fn line_end(&self, limit: isize) -> isize {
        let b = self.buf.borrow();
        let rest = &b[self.pos.get().min(b.len())..];
        let rest = if limit >= 0 { &rest[..rest.len().min(limit as usize)] } else { rest };
        rest.iter().position(|c| *c == b'\n').map_or(rest.len(), |i| i + 1) as isize
    }
    fn put(&self, data: &[u8]) -> PyResult<usize> {
        self.check_open()?;
        self.check_exports()?;
        if data.is_empty() {
            return Ok(0);
        }
        let mut store = self.buf.borrow_mut();
        let b = store.own();
        let pos = self.pos.get();
        let end = pos + data.len();
        if b.len() < pos {
            b.resize(pos, 0);
        }
        let overlap = (b.len() - pos).min(data.len());
        b[pos..pos + overlap].copy_from_slice(&data[..overlap]);
        b.extend_from_slice(&data[overlap..]);
        self.pos.set(end);
        Ok(data.len())
    }
}

#[pymethods(extra = finalize_before_dealloc::<BytesIO>)]
impl BytesIO {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<BytesIO>> {
        BytesIO {
            buf: RefCell::new(Store::Own(vec![])),
            pos: Cell::new(0),
            closed: Cell::new(false),
            exports: Cell::new(0),
        }
        .build_in(cls)
    }
    #[init(name = "BytesIO", signature = "(initial_bytes=b'')")]
    fn init(&self, initial_bytes: Option<&Object>) -> PyResult<()> {
        self.check_exports()?;
        let before = self.buf.replace(Store::Own(vec![]));
        self.pos.set(0);
        self.closed.set(false);
        drop(before);
        if let Some(o) = initial_bytes.filter(|o| !o.is_none()) {
            let data = match o.downcast_exact::<Bytes>() {
                Some(b) => Store::Shared(b.own()),
                None => Store::Own(Buffer::simple(o)?.to_vec()),
            };
            self.buf.replace(data);
        }
        Ok(())
    }
    #[slot(tp_iter)]
    fn iter(&self) -> PyResult<Owned<BytesIO>> {
        self.check_open()?;
        Ok(self.own())
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Bytes>>> {
        self.check_open()?;
        let b = self.take(self.line_end(-1));
        Ok(if b.is_empty() { None } else { Some(b) })
    }
    /// Returns True if the IO object can be read.
    #[pymethod]
    fn readable(&self) -> PyResult<bool> {
        self.check_open().map(|()| true)
    }
    /// Returns True if the IO object can be written.
    #[pymethod]
    fn writable(&self) -> PyResult<bool> {
        self.check_open().map(|()| true)
    }
    /// Returns True if the IO object can be seeked.
    #[pymethod]
    fn seekable(&self) -> PyResult<bool> {
        self.check_open().map(|()| true)
    }
    /// Does nothing.
    #[pymethod]
    fn flush(&self) -> PyResult<()> {
        self.check_open()
    }
    /// Always returns False.
    #[pymethod]
    fn isatty(&self) -> PyResult<bool> {
        self.check_open().map(|()| false)
    }
    /// Disable all I/O operations.
    #[pymethod]
    fn close(&self) -> PyResult<()> {
        self.check_exports()?;
        self.closed.set(true);
        self.buf.replace(Store::Own(vec![]));
        Ok(())
    }
    /// True if the file is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.closed.get()
    }
    /// Current file position, an integer.
    #[pymethod]
    fn tell(&self) -> PyResult<usize> {
        self.check_open()?;
        Ok(self.pos.get())
    }
    /// Write bytes to file. Return the number of bytes written.
    #[pymethod(signature = "(b, /)")]
    fn write(&self, b: &Object) -> PyResult<usize> {
        self.check_open()?;
        self.check_exports()?;
        if let Some(b) = b.downcast::<Bytes>() {
            return self.put(b.as_bytes());
        }
        let data = Buffer::simple(b)?.to_vec();
        self.put(&data)
    }
    /// Write lines to the file.
    #[pymethod(signature = "(lines, /)")]
    fn writelines(&self, lines: &Object) -> PyResult<()> {
        self.check_open()?;
        let it = lines.iterator()?;
        while let Some(l) = it.iter_next()? {
            self.write(&l)?;
        }
        Ok(())
    }
    /// Read at most size bytes, returned as a bytes object.
    #[pymethod(signature = "(size=-1, /)")]
    fn read(&self, size: Option<&Object>) -> PyResult<Owned<Bytes>> {
        self.check_open()?;
        Ok(self.take(size_arg(size)?))
    }
    /// Read at most size bytes, returned as a bytes object.
    #[pymethod(signature = "(size=-1, /)")]
    fn read1(&self, size: Option<&Object>) -> PyResult<Owned<Bytes>> {
        self.check_open()?;
        Ok(self.take(size_arg(size)?))
    }
    /// Read bytes into buffer.
    #[pymethod(signature = "(buffer, /)")]
    fn readinto(&self, buffer: &Object) -> PyResult<usize> {
        let mut view = Buffer::writable_arg(buffer, "readinto")?;
        self.check_open()?;
        let b = self.buf.borrow();
        let start = self.pos.get().min(b.len());
        let n = view.len().min(b.len() - start);
        view.as_bytes_mut()[..n].copy_from_slice(&b[start..start + n]);
        self.pos.set(self.pos.get() + n);
        Ok(n)
    }
    /// Next line from the file, as a bytes object.
    #[pymethod(signature = "(size=-1, /)")]
    fn readline(&self, size: Option<&Object>) -> PyResult<Owned<Bytes>> {
        self.check_open()?;
        let n = self.line_end(size_arg(size)?);
        Ok(self.take(n))
    }
    /// List of bytes objects, each a line from the file.
    #[pymethod(signature = "(size=None, /)")]
    fn readlines(&self, size: Option<&Object>) -> PyResult<Owned<List>> {
        self.check_open()?;
        let max = size_arg(size)?;
        let out = List::new();
        let mut total = 0;
        loop {
            let b = self.take(self.line_end(-1));
            if b.is_empty() {
                return Ok(out);
            }
            total += b.len() as isize;
            out.push(b.into_object());
            if max > 0 && total >= max {
                return Ok(out);
            }
        }
    }
    /// Get a read-write view over the contents of the BytesIO object.
    #[pymethod]
    fn getbuffer(&self) -> PyResult {
        self.check_open()?;
        let b = BytesIOBuffer { source: self.own() }.build();
        MemoryView::class().call1(&b)
    }
    /// Retrieve the entire contents of the BytesIO object.
    #[pymethod]
    fn getvalue(&self) -> PyResult<Owned<Bytes>> {
        self.check_open()?;
        let mut b = self.buf.borrow_mut();
        Ok(match &mut *b {
            Store::Shared(whole) => whole.clone(),
            Store::Own(v) => {
                let whole = Bytes::new(v);
                if self.exports.get() == 0 {
                    *b = Store::Shared(whole.clone());
                }
                whole
            }
        })
    }
    /// Change stream position. Returns the new absolute position.
    #[pymethod(signature = "(pos, whence=0, /)")]
    fn seek(&self, pos: isize, whence: i32) -> PyResult<usize> {
        self.check_open()?;
        let base = match whence {
            0 if pos < 0 => return raise!(ValueError, "negative seek value {}", pos),
            0 => 0,
            1 => self.pos.get() as isize,
            2 => self.buf.borrow().len() as isize,
            w => return raise!(ValueError, "invalid whence ({}, should be 0, 1 or 2)", w),
        };
        let Some(p) = base.checked_add(pos) else {
            return raise!(OverflowError, "new position too large");
        };
        self.pos.set(p.max(0) as usize);
        Ok(self.pos.get())
    }
    /// Truncate the file to at most size bytes. The current file position is unchanged.
    #[pymethod(signature = "(size=None, /)")]
    fn truncate(&self, size: Option<&Object>) -> PyResult<usize> {
        self.check_open()?;
        self.check_exports()?;
        let n = match size.filter(|s| !s.is_none()) {
            Some(s) => {
                let n = size_arg(Some(s))?;
                if n < 0 {
                    return raise!(ValueError, "negative size value {}", n);
                }
                n as usize
            }
            None => self.pos.get(),
        };
        let mut b = self.buf.borrow_mut();
        if n < b.len() {
            b.own().truncate(n);
        }
        Ok(n)
    }
    #[pymethod]
    fn __getstate__(&self) -> PyResult<(Owned<Bytes>, usize, Owned<Object>)> {
        let value = self.getvalue()?;
        let d = instance_dict(self)?;
        let d = if d.len() > 0 { d.copy().into_object() } else { none() };
        Ok((value, self.pos.get(), d))
    }
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let Some(t) = state.downcast::<Tuple>().filter(|t| t.len() >= 3) else {
            let t = self.ty().name();
            return raise!(
                TypeError,
                "{}.__setstate__ argument should be 3-tuple, got {}",
                t,
                state.ty().name()
            );
        };
        self.check_open()?;
        self.check_exports()?;
        self.init(None)?;
        self.write(t.item_ref(0))?;
        if !t.item_ref(1).is_instance_of::<Int>() {
            return raise!(
                TypeError,
                "second item of state must be an integer, not {}",
                t.item_ref(1).ty().name()
            );
        }
        let pos = lh_runtime::number::as_isize(t.item_ref(1), Some(exc::OverflowError()))?;
        if pos < 0 {
            return raise!(ValueError, "position value cannot be negative");
        }
        self.pos.set(pos as usize);
        let d = t.item_ref(2);
        if !d.is_none() {
            if !d.is_instance_of::<Dict>() {
                return raise!(TypeError, "third item of state should be a dict, got a {}", d.ty().name());
            }
            instance_dict(self)?.update(d)?;
        }
        Ok(())
    }
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        <BytesIO as Kind>::BASICSIZE
            + match &*self.buf.borrow() {
                Store::Own(v) => v.capacity(),
                Store::Shared(b) if b.refcnt() > 1 => 0,
                Store::Shared(b) => b.len() + std::mem::offset_of!(lh_abi::PyBytesObject, ob_sval) + 1,
            }
    }
}

/// Exports the bytes of a `BytesIO`; lives as long as a view of them.
#[pyclass(name = "_BytesIOBuffer", module = "_io", no_new)]
pub struct BytesIOBuffer {
    source: Owned<BytesIO>,
}

#[pymethods]
impl BytesIOBuffer {
    #[slot(bf_getbuffer)]
    fn getbuffer(&self, view: *mut lh_abi::Py_buffer, flags: i32) -> PyResult<()> {
        let io = &self.source;
        io.check_open()?;
        let mut store = io.buf.borrow_mut();
        let b = store.own();
        // SAFETY: a writable Py_buffer; the vector is not resized while exports are counted.
        unsafe { lh_runtime::buffer::fill_info(view, Some(self), b.as_mut_ptr(), b.len(), false, flags)? }
        io.exports.set(io.exports.get() + 1);
        Ok(())
    }
    #[slot(bf_releasebuffer)]
    fn releasebuffer(&self, _view: *mut lh_abi::Py_buffer) {
        self.source.exports.set(self.source.exports.get() - 1)
    }
}
