//! `PickleBuffer`: a wrapper that says "this buffer may travel outside the pickle".

use lh_abi::*;
use lh_runtime::buffer;
use lh_runtime::prelude::*;
use std::cell::RefCell;

/// Wrapper for potentially out-of-band buffers
#[pyclass(name = "PickleBuffer", module = "pickle", basetype, weakref)]
pub struct PickleBuffer {
    #[notrace]
    view: RefCell<Option<Buffer>>,
    object: Slot,
}

impl PickleBuffer {
    fn released_error<T>() -> PyResult<T> {
        raise!(ValueError, "operation forbidden on released PickleBuffer object")
    }
    /// The exporter's view, for as long as this object is not released.
    pub fn with_view<R>(&self, f: impl FnOnce(&Py_buffer) -> R) -> PyResult<R> {
        match &*self.view.borrow() {
            Some(b) => Ok(f(b.view())),
            None => Self::released_error(),
        }
    }
}

#[pymethods]
impl PickleBuffer {
    #[new(name = "PickleBuffer", signature = "(object, /)")]
    fn new(cls: &Type, object: &Object) -> PyResult<Owned<PickleBuffer>> {
        let view = Buffer::get(object, PyBUF_FULL_RO)?;
        PickleBuffer { view: RefCell::new(Some(view)), object: Slot::of(object.own()) }.build_in(cls)
    }
    /// Return a memoryview of the raw memory underlying this buffer.
    ///
    /// Will raise BufferError is the buffer isn't contiguous.
    #[pymethod]
    fn raw(&self) -> PyResult {
        let contiguous = self.with_view(|v| buffer::is_contiguous(v, b'A'))?;
        if !contiguous {
            return raise!(BufferError, "cannot extract raw buffer from non-contiguous buffer");
        }
        let Some(o) = self.object.get() else { return Self::released_error() };
        let m = MemoryView::class().call1(&o)?;
        if self.with_view(|v| v.ndim == 1 && buffer::format(v) == "B")? {
            return Ok(m);
        }
        flat(&m)
    }
    /// Release the underlying buffer controlled by the PickleBuffer object.
    #[pymethod]
    fn release(&self) {
        let old = self.view.take();
        self.object.set(None);
        drop(old);
    }
    #[slot(bf_getbuffer)]
    fn getbuffer(&self, view: *mut Py_buffer, flags: i32) -> PyResult<()> {
        let Some(o) = self.object.get() else { return Self::released_error() };
        // SAFETY: the caller passes a writable Py_buffer; the exporter fills it and will release it.
        unsafe { buffer::get_into(&o, &mut *view, flags) }
    }
}

/// A flat view of bytes over a contiguous memoryview, also one in Fortran order.
fn flat(m: &Object) -> PyResult {
    if m.get_attr_str("c_contiguous")?.is_true()? {
        return m.call_method("cast", &[&Str::new("B")]);
    }
    // The transposed view of Fortran-ordered memory is C-ordered: its bytes in memory order.
    let v = Buffer::get(m, PyBUF_FULL_RO)?;
    let all = v.view();
    let whole =
        Flat { base: m.own(), start: all.buf as usize, len: all.len as usize, readonly: all.readonly != 0 }
            .build();
    MemoryView::class().call1(&whole)
}

/// The memory of a contiguous view as plain bytes.
#[pyclass(name = "_FlatBuffer", module = "_pickle", no_new)]
pub struct Flat {
    base: Owned<Object>,
    #[notrace]
    start: usize,
    #[notrace]
    len: usize,
    #[notrace]
    readonly: bool,
}
#[pymethods]
impl Flat {
    #[slot(bf_getbuffer)]
    fn getbuffer(&self, view: *mut Py_buffer, flags: i32) -> PyResult<()> {
        // SAFETY: `base` is a memoryview that keeps the memory in place for as long as this object lives.
        unsafe { buffer::fill_info(view, Some(self), self.start as *mut u8, self.len, self.readonly, flags) }
    }
}
