//! `pickle.PickleBuffer`: a buffer that pickle protocol 5 may pass out of band.

use crate::buffer;
use crate::prelude::*;
use crate::{gc, kind, typeobject};
use lh_abi::*;

#[repr(C)]
pub struct PickleBufferObject {
    pub ob_base: PyObject,
    /// `obj` is null once the buffer is released.
    pub view: Py_buffer,
    pub weakreflist: *mut PyObject,
}
kind!(/** `pickle.PickleBuffer` */ PickleBuffer: PickleBufferObject, crate::type_table::PyPickleBuffer_Type);

const C_AND_F_ORDER: i32 = 2 | 4;

impl PickleBuffer {
    pub fn new(base: &Object) -> PyResult<Owned<PickleBuffer>> {
        // SAFETY: a new object whose fields are set before anybody else sees it; the view stays at its place.
        unsafe {
            let p = typeobject::alloc(PickleBuffer::type_ptr(), 0)?;
            let o = Owned::<PickleBuffer>::from_raw(p);
            let s = o.as_struct();
            (*s).weakreflist = std::ptr::null_mut();
            (*s).view = buffer::empty_view();
            buffer::get_into(base, &mut (*s).view, PyBUF_FULL_RO)?;
            Ok(o)
        }
    }
    /// The view, while it is held.
    pub fn view(&self) -> PyResult<*const Py_buffer> {
        // SAFETY: a live object's field.
        unsafe {
            let v = &raw const (*self.as_struct()).view;
            if (*v).obj.is_null() {
                return raise!(ValueError, "operation forbidden on released PickleBuffer object");
            }
            Ok(v)
        }
    }
    pub fn release(&self) {
        // SAFETY: a live object's field; releasing twice does nothing.
        unsafe { buffer::release(&mut (*self.as_struct()).view) }
    }
}

/// Wrapper for potentially out-of-band buffers
#[pymethods]
impl PickleBuffer {
    #[new(name = "PickleBuffer", signature = "(object, /)")]
    fn py_new(_cls: &Type, object: &Object) -> PyResult<Owned<PickleBuffer>> {
        PickleBuffer::new(object)
    }
    #[slot(bf_getbuffer)]
    fn py_getbuffer(&self, view: *mut Py_buffer, flags: i32) -> PyResult<()> {
        // SAFETY: the caller's view is writable; the exporter lives while this view is held.
        unsafe {
            let base = Object::from_ptr((*self.view()?).obj).own();
            buffer::get_into(&base, &mut *view, flags)
        }
    }
    /// Return a memoryview of the raw memory underlying this buffer.
    ///
    /// Will raise BufferError is the buffer isn't contiguous.
    #[pymethod]
    fn raw(&self) -> PyResult {
        // SAFETY: the view is held; the new memoryview is ours to change, its shape and strides may point into itself.
        unsafe {
            let v = self.view()?;
            if !buffer::is_contiguous(&*v, b'A') {
                return raise!(BufferError, "cannot extract raw buffer from non-contiguous buffer");
            }
            let m = MemoryView::class().as_object().call1(self)?;
            let Some(mv) = m.downcast::<MemoryView>() else { return Err(bad_internal_call()) };
            let s = mv.as_struct();
            let x = &mut (*s).view;
            x.format = c"B".as_ptr().cast_mut();
            x.ndim = 1;
            x.itemsize = 1;
            x.shape = (&raw mut x.len).cast();
            x.strides = (&raw mut x.itemsize).cast();
            x.suboffsets = std::ptr::null_mut();
            (*s).flags = C_AND_F_ORDER;
            Ok(m)
        }
    }
    /// Release the underlying buffer exposed by the PickleBuffer object.
    #[pymethod(name = "release")]
    fn py_release(&self) {
        self.release()
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading a live object's field.
        unsafe { v.visit_ptr((*self.as_struct()).view.obj) }
    }
    #[slot(tp_clear)]
    fn clear(&self) {
        self.release()
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let s = o.cast::<PickleBufferObject>();
            if !(*s).weakreflist.is_null() {
                crate::weakref::clear_weakrefs(o);
            }
            buffer::release(&mut (*s).view);
            typeobject::free_instance(o);
        }
    }
}

pub fn init() -> PyResult<()> {
    ready::<PickleBuffer>().map(drop)
}
