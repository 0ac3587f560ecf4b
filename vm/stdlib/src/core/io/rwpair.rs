//! `BufferedRWPair`: a reader and a writer on two raw streams, as one object.

use super::base::BufferedIOBase;
use super::buffered::{BufferedReader, BufferedWriter};
use super::*;
use lh_runtime::args::Args;

/// A buffered reader and writer object together.
#[pyclass(name = "BufferedRWPair", module = "_io", base = BufferedIOBase, basetype)]
pub struct BufferedRWPair {
    reader: Slot,
    writer: Slot,
}

impl BufferedRWPair {
    fn part(&self, s: &Slot) -> PyResult<Owned<Object>> {
        match s.get() {
            Some(x) => Ok(x),
            None => raise!(ValueError, "I/O operation on uninitialized object"),
        }
    }
    fn forward(&self, s: &Slot, method: &str, a: Args<'_>) -> PyResult {
        let args = Tuple::from_vec(a.iter().map(|x| x.own()).collect());
        self.part(s)?.get_attr_str(method)?.call_tuple(&args, None)
    }
}

#[pymethods(extra = finalize_before_dealloc::<BufferedRWPair>)]
impl BufferedRWPair {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<BufferedRWPair>> {
        BufferedRWPair { reader: Slot::empty(), writer: Slot::empty() }.build_in(cls)
    }
    #[init(name = "BufferedRWPair", signature = "(reader, writer, buffer_size=8192, /)")]
    fn init(&self, reader: &Object, writer: &Object, buffer_size: isize) -> PyResult<()> {
        if !ask(reader, "readable")? {
            return Err(unsupported("File or stream is not readable."));
        }
        if !ask(writer, "writable")? {
            return Err(unsupported("File or stream is not writable."));
        }
        let size = int(buffer_size as i64);
        self.reader.set(Some(BufferedReader::class().call(&[reader, &size])?));
        self.writer.set(Some(BufferedWriter::class().call(&[writer, &size])?));
        Ok(())
    }
    #[pymethod(raw)]
    fn read(&self, a: Args<'_>) -> PyResult {
        self.forward(&self.reader, "read", a)
    }
    #[pymethod(raw)]
    fn peek(&self, a: Args<'_>) -> PyResult {
        self.forward(&self.reader, "peek", a)
    }
    #[pymethod(raw)]
    fn read1(&self, a: Args<'_>) -> PyResult {
        self.forward(&self.reader, "read1", a)
    }
    #[pymethod(raw)]
    fn readinto(&self, a: Args<'_>) -> PyResult {
        self.forward(&self.reader, "readinto", a)
    }
    #[pymethod(raw)]
    fn readinto1(&self, a: Args<'_>) -> PyResult {
        self.forward(&self.reader, "readinto1", a)
    }
    #[pymethod(raw)]
    fn write(&self, a: Args<'_>) -> PyResult {
        self.forward(&self.writer, "write", a)
    }
    #[pymethod(raw)]
    fn flush(&self, a: Args<'_>) -> PyResult {
        self.forward(&self.writer, "flush", a)
    }
    #[pymethod(raw)]
    fn readable(&self, a: Args<'_>) -> PyResult {
        self.forward(&self.reader, "readable", a)
    }
    #[pymethod(raw)]
    fn writable(&self, a: Args<'_>) -> PyResult {
        self.forward(&self.writer, "writable", a)
    }
    #[pymethod(raw)]
    fn close(&self, a: Args<'_>) -> PyResult {
        let w = self.forward(&self.writer, "close", a);
        let kept = if w.is_err() { Some(fetch()) } else { None };
        let r = self.forward(&self.reader, "close", a);
        match kept {
            None => r,
            Some((t, v, tb)) => {
                if let Err(e) = r {
                    // The second failure is reported, the first as its context.
                    let second = e.take();
                    if let Some(t) = t {
                        let first = lh_runtime::exceptions::normalize(t, v, tb);
                        second.set_context(Some(first.into_object()));
                    }
                    return Err(raise_exc(second));
                }
                restore(t, v, tb);
                Err(Raised::already_set())
            }
        }
    }
    #[pymethod(raw)]
    fn isatty(&self, a: Args<'_>) -> PyResult {
        let r = self.forward(&self.writer, "isatty", a)?;
        if !r.is_false_object() {
            return Ok(r);
        }
        self.forward(&self.reader, "isatty", a)
    }
    #[getter]
    fn closed(&self) -> PyResult {
        match self.writer.get() {
            Some(w) => w.get_attr(intern!("closed")),
            None => raise!(RuntimeError, "the BufferedRWPair object is being garbage-collected"),
        }
    }
}
