//! The buffer protocol from Rust: `Buffer` holds a view and releases it on drop; helpers for exporters and for
//! non-contiguous views.

use crate::errors::*;
use crate::kinds::Bytes;
use crate::object::*;
use crate::{raise, raised};
use core::ffi::{c_int, c_void};
use core::ptr::{null_mut, slice_from_raw_parts, slice_from_raw_parts_mut};
use lh_abi::*;

/// A buffer got from an object; released on drop.
pub struct Buffer {
    pub view: Box<Py_buffer>,
}

/// Does the object's type have `bf_getbuffer` (`PyObject_CheckBuffer`)?
#[inline]
pub fn supports_buffer(o: &Object) -> bool {
    // SAFETY: a live object has a live type.
    unsafe {
        let b = (*o.ob_type()).tp_as_buffer;
        !b.is_null() && (*b).bf_getbuffer.is_some()
    }
}

/// A `Py_buffer` with nothing in it.
pub fn empty_view() -> Py_buffer {
    // SAFETY: all-zero is the empty view.
    unsafe { core::mem::zeroed() }
}

#[cold]
#[inline(never)]
fn not_bytes_like(o: &Object) -> Raised {
    let name = o.ty().name();
    raised!(TypeError, "a bytes-like object is required, not '{}'", crate::strobject::clip(&name, 100))
}

/// `PyObject_GetBuffer`.
#[inline]
pub fn get_into(o: &Object, view: &mut Py_buffer, flags: c_int) -> PyResult<()> {
    // SAFETY: a live object has a live type; the view is writable.
    unsafe {
        let b = (*o.ob_type()).tp_as_buffer;
        if b.is_null() || (*b).bf_getbuffer.is_none() {
            return Err(not_bytes_like(o));
        }
        match (*b).bf_getbuffer.expect("checked")(o.as_ptr(), view, flags) {
            0 => Ok(()),
            _ => {
                // What a failing exporter left there means nothing.
                view.obj = null_mut();
                Err(Raised::already_set())
            }
        }
    }
}

/// `PyBuffer_Release`.
#[inline]
pub fn release(view: &mut Py_buffer) {
    if view.obj.is_null() {
        return;
    }
    // SAFETY: the view holds a reference to its exporter.
    unsafe {
        let o = view.obj;
        let b = (*(*o).ob_type).tp_as_buffer;
        if !b.is_null()
            && let Some(f) = (*b).bf_releasebuffer
        {
            f(o, view);
        }
        view.obj = null_mut();
        decref(o);
    }
}

/// `PyBuffer_FillInfo`: a view of `len` unsigned bytes at `buf`, exported by `o`.
///
/// # Safety
/// `view` is writable; `buf` stays valid while the view is held.
#[inline]
pub unsafe fn fill_info(
    view: *mut Py_buffer,
    o: Option<&Object>,
    buf: *mut u8,
    len: usize,
    readonly: bool,
    flags: c_int,
) -> PyResult<()> {
    if view.is_null() {
        return raise!(BufferError, "PyBuffer_FillInfo: view==NULL argument is obsolete");
    }
    if flags & PyBUF_WRITABLE != 0 && readonly {
        return raise!(BufferError, "Object is not writable.");
    }
    // SAFETY: the caller's promise; shape and strides point into the view itself, as CPython's do.
    unsafe {
        (*view).obj = o.map_or(null_mut(), |o| o.own().into_raw());
        (*view).buf = buf.cast();
        (*view).len = len as isize;
        (*view).readonly = readonly as c_int;
        (*view).itemsize = 1;
        (*view).format = if flags & PyBUF_FORMAT != 0 { c"B".as_ptr().cast_mut() } else { null_mut() };
        (*view).ndim = 1;
        (*view).shape = if flags & PyBUF_ND != 0 { (&raw mut (*view).len).cast() } else { null_mut() };
        (*view).strides = if flags & PyBUF_STRIDES == PyBUF_STRIDES {
            (&raw mut (*view).itemsize).cast()
        } else {
            null_mut()
        };
        (*view).suboffsets = null_mut();
        (*view).internal = null_mut();
    }
    Ok(())
}

// ---- Shapes ----

/// One of the arrays of a view (`shape`, `strides`, `suboffsets`).
///
/// # Safety
/// `p` is null or has `n` elements.
unsafe fn dims<'a>(p: *mut c_void, n: c_int) -> Option<&'a [isize]> {
    // SAFETY: the caller's promise.
    if p.is_null() { None } else { Some(unsafe { &*slice_from_raw_parts(p.cast(), n as usize) }) }
}
pub fn shape(v: &Py_buffer) -> Option<&[isize]> {
    // SAFETY: a filled view's arrays have `ndim` elements.
    unsafe { dims(v.shape, v.ndim) }
}
pub fn strides(v: &Py_buffer) -> Option<&[isize]> {
    // SAFETY: as above.
    unsafe { dims(v.strides, v.ndim) }
}
pub fn suboffsets(v: &Py_buffer) -> Option<&[isize]> {
    // SAFETY: as above.
    unsafe { dims(v.suboffsets, v.ndim) }
}
/// The format string; "B" if the view has none.
pub fn format(v: &Py_buffer) -> &str {
    if v.format.is_null() {
        return "B";
    }
    // SAFETY: a format is a C string.
    unsafe { core::ffi::CStr::from_ptr(v.format) }.to_str().unwrap_or("?")
}

fn c_contiguous(v: &Py_buffer) -> bool {
    if v.len == 0 {
        return true;
    }
    let Some(st) = strides(v) else { return true };
    let Some(sh) = shape(v) else { return true };
    let mut sd = v.itemsize;
    for i in (0..v.ndim as usize).rev() {
        if sh[i] > 1 && st[i] != sd {
            return false;
        }
        sd *= sh[i];
    }
    true
}
fn f_contiguous(v: &Py_buffer) -> bool {
    if v.len == 0 {
        return true;
    }
    let sh = shape(v);
    let Some(st) = strides(v) else {
        // C order without strides: the same as Fortran order if at most one dimension is longer than 1.
        return v.ndim <= 1 || sh.is_some_and(|s| s.iter().filter(|n| **n > 1).count() <= 1);
    };
    let Some(sh) = sh else { return true };
    let mut sd = v.itemsize;
    for i in 0..v.ndim as usize {
        if sh[i] > 1 && st[i] != sd {
            return false;
        }
        sd *= sh[i];
    }
    true
}
/// `PyBuffer_IsContiguous`: `order` is `C`, `F` or `A`.
pub fn is_contiguous(v: &Py_buffer, order: u8) -> bool {
    if !v.suboffsets.is_null() {
        return false;
    }
    match order {
        b'C' => c_contiguous(v),
        b'F' => f_contiguous(v),
        b'A' => c_contiguous(v) || f_contiguous(v),
        _ => false,
    }
}

/// The address of the item at `index` (one number for each dimension).
///
/// # Safety
/// The index is within the shape.
pub unsafe fn item_ptr(v: &Py_buffer, index: &[isize]) -> *mut u8 {
    let mut p = v.buf.cast::<u8>();
    let st = strides(v);
    let sub = suboffsets(v);
    let sh = shape(v);
    // SAFETY: the caller's promise; strides and suboffsets describe the exporter's memory.
    unsafe {
        for (i, n) in index.iter().enumerate() {
            let s = match st {
                Some(s) => s[i],
                None => v.itemsize * sh.map_or(1, |s| s[i + 1..].iter().product()),
            };
            p = p.offset(s * n);
            if let Some(o) = sub
                && o[i] >= 0
            {
                p = p.cast::<*mut u8>().read_unaligned().offset(o[i]);
            }
        }
    }
    p
}

/// Calls `f` with the address of every item, in C order (or Fortran order).
pub fn each_item(v: &Py_buffer, fortran: bool, mut f: impl FnMut(*mut u8)) {
    let nd = v.ndim as usize;
    if nd == 0 {
        return f(v.buf.cast());
    }
    let Some(sh) = shape(v) else {
        let n = if v.itemsize > 0 { v.len / v.itemsize } else { 0 };
        // SAFETY: without a shape the items lie one after another.
        return (0..n).for_each(|i| f(unsafe { v.buf.cast::<u8>().offset(i * v.itemsize) }));
    };
    if sh.contains(&0) {
        return;
    }
    let mut at = vec![0isize; nd];
    loop {
        // SAFETY: `at` is within the shape.
        f(unsafe { item_ptr(v, &at) });
        let mut k = 0;
        loop {
            if k == nd {
                return;
            }
            let d = if fortran { k } else { nd - 1 - k };
            at[d] += 1;
            if at[d] < sh[d] {
                break;
            }
            at[d] = 0;
            k += 1;
        }
    }
}

/// The items of any view one after another; `order` is `C`, `F` or `A` (Fortran if it is so, else C).
pub fn to_contiguous(v: &Py_buffer, order: u8) -> Vec<u8> {
    if is_contiguous(v, if order == b'A' { b'A' } else { order }) {
        // SAFETY: a contiguous view has `len` bytes at `buf`.
        return unsafe { bytes_at(v) }.to_vec();
    }
    let mut out = Vec::with_capacity(v.len as usize);
    let n = v.itemsize as usize;
    // SAFETY: every item has `itemsize` bytes.
    each_item(v, order == b'F', |p| out.extend_from_slice(unsafe { &*slice_from_raw_parts(p, n) }));
    out
}

/// # Safety
/// The view is contiguous.
unsafe fn bytes_at(v: &Py_buffer) -> &[u8] {
    if v.len <= 0 || v.buf.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { &*slice_from_raw_parts(v.buf.cast(), v.len as usize) }
}

impl Buffer {
    /// `flags`: `PyBUF_*`. Raises `TypeError: a bytes-like object is required, not 'x'`.
    pub fn get(o: &Object, flags: i32) -> PyResult<Buffer> {
        // The view stays at one address: exporters may point into it.
        let mut view = Box::new(empty_view());
        get_into(o, &mut view, flags)?;
        Ok(Buffer { view })
    }
    /// A contiguous read-only view (`y*`).
    pub fn simple(o: &Object) -> PyResult<Buffer> {
        Buffer::get(o, PyBUF_SIMPLE)
    }
    /// A contiguous writable view (`w*`).
    pub fn writable(o: &Object) -> PyResult<Buffer> {
        Buffer::get(o, PyBUF_WRITABLE)
    }
    #[inline]
    pub fn len(&self) -> usize {
        self.view.len as usize
    }
    /// The bytes of a contiguous view. Other code may write them at any time it runs: don't hold across calls into Python.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: `simple` and `writable` views are contiguous.
        unsafe { bytes_at(&self.view) }
    }
    #[inline]
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        debug_assert!(self.view.readonly == 0);
        if self.view.len <= 0 || self.view.buf.is_null() {
            return &mut [];
        }
        // SAFETY: a writable contiguous view has `len` writable bytes.
        unsafe { &mut *slice_from_raw_parts_mut(self.view.buf.cast(), self.view.len as usize) }
    }
    /// The items one after another, whatever the strides.
    pub fn to_vec(&self) -> Vec<u8> {
        to_contiguous(&self.view, b'C')
    }
    pub fn view(&self) -> &Py_buffer {
        &self.view
    }
    pub fn is_readonly(&self) -> bool {
        self.view.readonly != 0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        release(&mut self.view)
    }
}

impl crate::object::Trace for Buffer {
    fn trace(&self, v: &mut Visitor) {
        v.visit_ptr(self.view.obj)
    }
}

impl<'a> crate::convert::FromPy<'a> for Buffer {
    fn from_py(o: &'a Object, ctx: crate::convert::ArgCtx<'_>) -> PyResult<Self> {
        let b = Buffer::simple(o)?;
        if !is_contiguous(&b.view, b'C') {
            return Err(ctx.type_error("contiguous buffer", o));
        }
        Ok(b)
    }
}

impl Buffer {
    /// The writable buffer that argument `function` was called with.
    pub fn writable_arg(o: &Object, function: &str) -> PyResult<Buffer> {
        Buffer::writable(o).or_else(|e| {
            e.clear();
            let given = o.ty().name();
            raise!(TypeError, "{}() argument must be read-write bytes-like object, not {}", function, given)
        })
    }
}

/// A writable buffer argument (`w*`).
pub struct WritableBuffer(pub Buffer);
impl<'a> crate::convert::FromPy<'a> for WritableBuffer {
    fn from_py(o: &'a Object, ctx: crate::convert::ArgCtx<'_>) -> PyResult<Self> {
        match Buffer::writable(o) {
            Ok(b) if is_contiguous(&b.view, b'C') => Ok(WritableBuffer(b)),
            Ok(_) => Err(ctx.type_error("contiguous buffer", o)),
            Err(e) => {
                e.clear();
                Err(ctx.type_error("read-write bytes-like object", o))
            }
        }
    }
}

/// The content of `bytes` and `bytearray` without the buffer protocol, of other objects through it.
pub enum BytesLike<'a> {
    Slice(&'a [u8]),
    View(Buffer),
}
impl<'a> BytesLike<'a> {
    pub fn get(o: &'a Object) -> PyResult<BytesLike<'a>> {
        match o.downcast::<Bytes>() {
            Some(b) => Ok(BytesLike::Slice(b.as_bytes())),
            None => Buffer::simple(o).map(BytesLike::View),
        }
    }
    /// As `get`; what `error` says stands for whatever the exporter of an object that has no buffer, or doesn't give it, raised.
    pub fn get_or(o: &'a Object, error: impl FnOnce() -> Raised) -> PyResult<BytesLike<'a>> {
        if !supports_buffer(o) {
            return Err(error());
        }
        BytesLike::get(o).map_err(|e| {
            e.clear();
            error()
        })
    }
}
impl core::ops::Deref for BytesLike<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            BytesLike::Slice(s) => s,
            BytesLike::View(b) => b.as_bytes(),
        }
    }
}
