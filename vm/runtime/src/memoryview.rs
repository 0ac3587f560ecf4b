//! `memoryview` and the managed buffer behind it.
//!
//! ```text
//!   memoryview ──owns──► managedbuffer ──view──► exporter
//!   memoryview ──owns──┘  (sub-views, casts and views of views share one managed buffer)
//! ```
//!
//! A memoryview holds its own shape, strides and suboffsets in the array behind it. `release()` gives the share of the managed
//! buffer back; the last one releases the exporter. While a memoryview itself has exports (`exports`) it cannot be
//! released. Items are read and written by `unpack` and `pack`, for native single-character formats.

use crate::buffer::{self, Buffer};
use crate::builder::Payload;
use crate::convert::*;
use crate::errors::*;
use crate::exceptions::exc;
use crate::kinds::*;
use crate::object::*;
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::str_methods::has_index;
use crate::type_table::*;
use crate::{kind, pyclass, pymethods, raise};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::{null_mut, slice_from_raw_parts};
use lh_abi::*;
use std::cell::Cell;
use std::ffi::CString;
use std::sync::Mutex;

kind!(/** `managedbuffer` */ ManagedBuffer: _PyManagedBufferObject, _PyManagedBuffer_Type);

const RELEASED: c_int = 1;
const C_ORDER: c_int = 2;
const F_ORDER: c_int = 4;
const SCALAR: c_int = 8;
const PIL: c_int = 16;

impl ManagedBuffer {
    fn of_object(o: &Object) -> PyResult<Owned<ManagedBuffer>> {
        // SAFETY: a fresh zeroed instance, whose master view is filled in place (exporters may point into it).
        unsafe {
            let p = crate::typeobject::alloc(&raw mut _PyManagedBuffer_Type, 0)?;
            let m: Owned<ManagedBuffer> = Owned::from_raw(p);
            if !buffer::supports_buffer(o) {
                return raise!(
                    TypeError,
                    "memoryview: a bytes-like object is required, not '{}'",
                    crate::strobject::clip(&o.ty().name(), 200)
                );
            }
            buffer::get_into(o, &mut (*m.as_struct()).master, PyBUF_FULL_RO)?;
            Ok(m)
        }
    }
    fn release(&self) {
        let m = self.as_struct();
        // SAFETY: the master view is released once.
        unsafe {
            if (*m).flags & RELEASED == 0 {
                (*m).flags |= RELEASED;
                buffer::release(&mut (*m).master);
            }
        }
    }
}

#[pymethods]
impl ManagedBuffer {
    #[slot(tp_dealloc)]
    unsafe fn dealloc(p: *mut PyObject) {
        // SAFETY: nobody else sees the object any more.
        unsafe {
            crate::gc::untrack(p);
            ManagedBuffer::from_object(Object::from_ptr(p)).release();
            crate::typeobject::free_instance(p);
        }
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: a live object's field.
        v.visit_ptr(unsafe { (*self.as_struct()).master.obj });
    }
}

// ---- Making views ----

/// A copy of a view's fields, and its arrays.
struct Layout {
    view: Py_buffer,
    shape: Vec<isize>,
    strides: Vec<isize>,
    suboffsets: Option<Vec<isize>>,
}

fn c_strides(shape: &[isize], itemsize: isize) -> Vec<isize> {
    let mut s = vec![0; shape.len()];
    let mut n = itemsize;
    for i in (0..shape.len()).rev() {
        s[i] = n;
        n *= shape[i];
    }
    s
}

impl Layout {
    fn of(v: &Py_buffer) -> Layout {
        let shape = match (v.ndim, buffer::shape(v)) {
            (0, _) => vec![],
            (_, Some(s)) => s.to_vec(),
            (_, None) => vec![if v.itemsize > 0 { v.len / v.itemsize } else { 0 }],
        };
        let strides = match buffer::strides(v) {
            Some(s) if v.ndim > 0 => s.to_vec(),
            _ => c_strides(&shape, v.itemsize),
        };
        let suboffsets = buffer::suboffsets(v).map(|s| s.to_vec());
        Layout { view: *v, shape, strides, suboffsets }
    }
    fn len(&self) -> isize {
        // A view without dimensions may be of any size.
        if self.shape.is_empty() {
            return self.view.len;
        }
        self.shape.iter().product::<isize>() * self.view.itemsize
    }
    fn build(self, mbuf: &ManagedBuffer) -> PyResult<Owned<MemoryView>> {
        let nd = self.shape.len();
        check_dimensions(nd)?;
        // SAFETY: a fresh zeroed instance with room for three arrays of `nd` numbers.
        unsafe {
            let p = crate::typeobject::alloc(&raw mut PyMemoryView_Type, 3 * nd as isize)?;
            let m = p.cast::<PyMemoryViewObject>();
            (*m).hash = -1;
            (*m).view = self.view;
            (*m).view.internal = null_mut();
            let a = (&raw mut (*m).ob_array).cast::<isize>();
            core::ptr::copy_nonoverlapping(self.shape.as_ptr(), a, nd);
            core::ptr::copy_nonoverlapping(self.strides.as_ptr(), a.add(nd), nd);
            (*m).view.ndim = nd as c_int;
            // Views without dimensions have no arrays, which C code tells them by.
            (*m).view.shape = if nd == 0 { null_mut() } else { a.cast() };
            (*m).view.strides = if nd == 0 { null_mut() } else { a.add(nd).cast() };
            (*m).view.suboffsets = null_mut();
            if let Some(s) = &self.suboffsets {
                core::ptr::copy_nonoverlapping(s.as_ptr(), a.add(2 * nd), nd);
                (*m).view.suboffsets = a.add(2 * nd).cast();
            }
            if (*m).view.format.is_null() {
                (*m).view.format = c"B".as_ptr().cast_mut();
            }
            (*m).view.len = self.len();
            (*m).mbuf = mbuf.own().into_raw().cast();
            (*(*m).mbuf).exports += 1;
            let mv: Owned<MemoryView> = Owned::from_raw(p);
            mv.init_flags();
            Ok(mv)
        }
    }
}

/// The number of items and the stride of a view of one dimension that isn't indirect.
#[inline]
fn line(v: &Py_buffer) -> Option<(isize, isize)> {
    if v.ndim != 1 || !v.suboffsets.is_null() {
        return None;
    }
    // SAFETY: a filled view's arrays have `ndim` elements.
    unsafe {
        let n = if v.shape.is_null() {
            if v.itemsize > 0 { v.len / v.itemsize } else { 0 }
        } else {
            *v.shape.cast::<isize>()
        };
        Some((n, if v.strides.is_null() { v.itemsize } else { *v.strides.cast::<isize>() }))
    }
}
/// A memoryview of `n` items from `at` on, `step` bytes apart, otherwise as `v`.
fn build_line(
    v: &Py_buffer,
    at: *mut c_void,
    n: isize,
    step: isize,
    mbuf: &ManagedBuffer,
) -> PyResult<Owned<MemoryView>> {
    // SAFETY: a new instance with room for three numbers, whose fields are all written before it is tracked.
    unsafe {
        let p = crate::gc::new_builtin(&raw mut PyMemoryView_Type, LINE_SIZE);
        if p.is_null() {
            return raise!(MemoryError);
        }
        (*p.cast::<PyVarObject>()).ob_size = 3;
        let m = p.cast::<PyMemoryViewObject>();
        (*m).hash = -1;
        (*m).exports = 0;
        (*m).weakreflist = null_mut();
        (*m).view = *v;
        (*m).view.buf = at;
        (*m).view.internal = null_mut();
        let a = (&raw mut (*m).ob_array).cast::<isize>();
        *a = n;
        *a.add(1) = step;
        (*m).view.shape = a.cast();
        (*m).view.strides = a.add(1).cast();
        if (*m).view.format.is_null() {
            (*m).view.format = c"B".as_ptr().cast_mut();
        }
        (*m).view.len = n * v.itemsize;
        (*m).flags = if n <= 1 || step == v.itemsize || (*m).view.len == 0 { C_ORDER | F_ORDER } else { 0 };
        (*m).mbuf = mbuf.own().into_raw().cast();
        (*(*m).mbuf).exports += 1;
        crate::gc::track(p);
        Ok(Owned::from_raw(p))
    }
}
/// The size of a memoryview of one dimension.
const LINE_SIZE: usize = core::mem::offset_of!(PyMemoryViewObject, ob_array) + 3 * size_of::<isize>();

fn check_dimensions(n: usize) -> PyResult<()> {
    if n > PyBUF_MAX_NDIM as usize {
        return raise!(ValueError, "memoryview: number of dimensions must not exceed {}", PyBUF_MAX_NDIM);
    }
    Ok(())
}

impl MemoryView {
    /// `memoryview(o)`.
    pub fn from_object_new(o: &Object) -> PyResult<Owned<MemoryView>> {
        if let Some(m) = o.downcast::<MemoryView>() {
            m.check()?;
            let v = m.view();
            return match line(v) {
                Some((n, step)) => build_line(v, v.buf, n, step, &m.mbuf()),
                None => Layout::of(v).build(&m.mbuf()),
            };
        }
        let mbuf = ManagedBuffer::of_object(o)?;
        // SAFETY: the managed buffer's view is filled.
        let v = unsafe { &(*mbuf.as_struct()).master };
        match line(v) {
            Some((n, step)) => build_line(v, v.buf, n, step, &mbuf),
            None => Layout::of(v).build(&mbuf),
        }
    }
    /// A read-only view of a contiguous copy, of the same shape and format.
    pub fn contiguous_copy(&self, order: u8) -> PyResult<Owned<MemoryView>> {
        let old = Layout::of(self.view());
        let copy = MemoryView::from_object_new(&Bytes::new(&buffer::to_contiguous(self.view(), order)))?;
        let mut l = Layout::of(copy.view());
        l.strides = c_strides(&old.shape, old.view.itemsize);
        if order == b'F' {
            let reversed: Vec<isize> = old.shape.iter().rev().copied().collect();
            l.strides = c_strides(&reversed, old.view.itemsize);
            l.strides.reverse();
        }
        (l.shape, l.suboffsets) = (old.shape, None);
        (l.view.itemsize, l.view.ndim) = (old.view.itemsize, old.view.ndim);
        l.view.format = kept_format(buffer::format(self.view()));
        l.build(&copy.mbuf())
    }
    /// `PyMemoryView_FromBuffer`: takes over the view without an exporter's reference.
    pub fn from_buffer(view: &Py_buffer) -> PyResult<Owned<MemoryView>> {
        if view.buf.is_null() {
            return raise!(ValueError, "PyMemoryView_FromBuffer(): info->buf must not be NULL");
        }
        check_dimensions(view.ndim.max(0) as usize)?;
        // SAFETY: a fresh zeroed instance.
        unsafe {
            let p = crate::typeobject::alloc(&raw mut _PyManagedBuffer_Type, 0)?;
            let mbuf: Owned<ManagedBuffer> = Owned::from_raw(p);
            (*mbuf.as_struct()).master = *view;
            // The caller keeps the exporter alive, as with PyMemoryView_FromBuffer.
            (*mbuf.as_struct()).master.obj = null_mut();
            let v = &(*mbuf.as_struct()).master;
            match line(v) {
                Some((n, step)) => build_line(v, v.buf, n, step, &mbuf),
                None => Layout::of(v).build(&mbuf),
            }
        }
    }
    /// `PyMemoryView_FromMemory`.
    ///
    /// # Safety
    /// The memory stays valid while the view is used.
    pub unsafe fn from_memory(p: *mut u8, len: usize, readonly: bool) -> PyResult<Owned<MemoryView>> {
        let mut v = buffer::empty_view();
        // SAFETY: the caller's promise.
        unsafe { buffer::fill_info(&mut v, None, p, len, readonly, PyBUF_FULL_RO)? };
        Self::from_buffer(&v)
    }
    /// The view; valid while the memoryview is not released.
    pub fn view(&self) -> &Py_buffer {
        // SAFETY: the view's fields only change on release, which leaves them readable.
        unsafe { &(*self.as_struct()).view }
    }
    fn mbuf(&self) -> Owned<ManagedBuffer> {
        // SAFETY: a memoryview owns a reference to its managed buffer.
        unsafe {
            Object::from_ptr((*self.as_struct()).mbuf.cast()).downcast_unchecked::<ManagedBuffer>().own()
        }
    }
    fn flags(&self) -> c_int {
        // SAFETY: a live object's field.
        unsafe { (*self.as_struct()).flags }
    }
    fn init_flags(&self) {
        let v = self.view();
        let mut f = 0;
        if v.ndim == 0 {
            f |= SCALAR | C_ORDER | F_ORDER;
        } else {
            if buffer::is_contiguous(v, b'C') {
                f |= C_ORDER;
            }
            if buffer::is_contiguous(v, b'F') {
                f |= F_ORDER;
            }
        }
        if !v.suboffsets.is_null() {
            f |= PIL;
            f &= !(C_ORDER | F_ORDER);
        }
        // SAFETY: a live object's field.
        unsafe { (*self.as_struct()).flags = f }
    }
    fn is_released(&self) -> bool {
        // SAFETY: the managed buffer lives as long as the memoryview.
        self.flags() & RELEASED != 0 || unsafe { (*(*self.as_struct()).mbuf).flags & RELEASED != 0 }
    }
    fn check(&self) -> PyResult<()> {
        if self.is_released() {
            return raise!(ValueError, "operation forbidden on released memoryview object");
        }
        Ok(())
    }
    fn shape(&self) -> &[isize] {
        buffer::shape(self.view()).unwrap_or(&[])
    }
    fn release_share(&self) -> PyResult<()> {
        let m = self.as_struct();
        // SAFETY: a live object's fields; the share is given back once.
        unsafe {
            if (*m).flags & RELEASED != 0 {
                return Ok(());
            }
            let n = (*m).exports;
            if n > 0 {
                let s = if n == 1 { "" } else { "s" };
                return raise!(BufferError, "memoryview has {} exported buffer{}", n, s);
            }
            (*m).flags |= RELEASED;
            (*(*m).mbuf).exports -= 1;
            if (*(*m).mbuf).exports == 0 {
                self.mbuf().release();
            }
        }
        Ok(())
    }
    /// The format as a native single character, `None` for any other.
    fn native(&self) -> Option<u8> {
        let f = self.view().format.cast::<u8>();
        // SAFETY: a format is a C string; one of a single character is the commonest.
        unsafe {
            if !f.is_null() && *f != 0 && *f.add(1) == 0 {
                return item_size(*f).map(|_| *f);
            }
        }
        native_format(buffer::format(self.view()))
    }
    fn native_or_error(&self) -> PyResult<u8> {
        match self.native() {
            Some(c) => Ok(c),
            None => {
                let f = buffer::format(self.view());
                match f.strip_prefix('@').unwrap_or(f).len() {
                    1 => raise!(NotImplementedError, "memoryview: format {} not supported", f),
                    _ => raise!(NotImplementedError, "memoryview: unsupported format {}", f),
                }
            }
        }
    }
    fn bytes(&self) -> Vec<u8> {
        buffer::to_contiguous(self.view(), b'C')
    }
    /// A slice of the first dimension.
    fn sub_view(&self, sl: &Slice) -> PyResult<Owned<MemoryView>> {
        if let Some((len, stride)) = line(self.view())
            && sl.bounds().into_iter().all(|o| o.is_none() || o.is_exact::<Int>())
        {
            let (start, _, step, count) = sl.indices(len as usize)?;
            let v = self.view();
            // An empty slice has an address, too.
            let at = v.buf.cast::<u8>().wrapping_offset(start * stride).cast::<c_void>();
            return build_line(v, at, count as isize, stride * step, &self.mbuf());
        }
        let mut l = Layout::of(self.view());
        // The indices may be Python code that releases this view: what is exported stays until the new one is made.
        let mbuf = self.mbuf();
        let plain = |o: &Object| o.is_none() || o.is_exact::<Int>();
        let simple = sl.bounds().into_iter().all(plain);
        let _held = if simple { None } else { Some(Layout::of(self.view()).build(&mbuf)?) };
        let (start, _, step, count) = sl.indices(l.shape[0] as usize)?;
        let first = match &l.suboffsets {
            // Indirect: the pointer moves by the stride, before it is followed.
            Some(_) | None => l.strides[0] * start,
        };
        l.view.buf = l.view.buf.cast::<u8>().wrapping_offset(first).cast::<c_void>();
        l.shape[0] = count as isize;
        l.strides[0] *= step;
        l.build(&mbuf)
    }
    /// The address of an item given by an index for each dimension.
    /// The item at `i` of a view of one dimension with a format of a single character, if it is that and has such an item.
    #[inline(always)]
    fn line_item(&self, i: isize) -> Option<Owned<Object>> {
        let v = self.view();
        let f = v.format.cast::<u8>();
        // SAFETY: a format is a C string; the item lies within the shape.
        unsafe {
            if f.is_null() || *f == 0 || *f.add(1) != 0 {
                return None;
            }
            let (n, stride) = line(v)?;
            let k = if i < 0 { i + n } else { i };
            if k < 0 || k >= n {
                return None;
            }
            let p = v.buf.cast::<u8>().offset(k * stride);
            if *f == b'B' {
                return Some(Int::from_i64(*p as i64).into_object());
            }
            item_size(*f).map(|_| unpack(*f, p))
        }
    }
    fn locate(&self, index: &[isize]) -> PyResult<*mut u8> {
        if let (Some((n, stride)), [i]) = (line(self.view()), index) {
            let k = if *i < 0 { i + n } else { *i };
            if k < 0 || k >= n {
                return raise!(IndexError, "index out of bounds on dimension 1");
            }
            // SAFETY: just checked against the shape.
            return Ok(unsafe { self.view().buf.cast::<u8>().offset(k * stride) });
        }
        let sh = self.shape();
        let mut at = Vec::with_capacity(index.len());
        for (d, i) in index.iter().enumerate() {
            let n = sh[d];
            let k = if *i < 0 { i + n } else { *i };
            if k < 0 || k >= n {
                return raise!(IndexError, "index out of bounds on dimension {}", d + 1);
            }
            at.push(k);
        }
        // SAFETY: just checked against the shape.
        Ok(unsafe { buffer::item_ptr(self.view(), &at) })
    }
    fn tuple_index(&self, t: &Tuple) -> PyResult<Option<Vec<isize>>> {
        if !t.iter().all(has_index) {
            return Ok(None);
        }
        let nd = self.view().ndim as usize;
        if t.len() < nd {
            return raise!(NotImplementedError, "sub-views are not implemented");
        }
        if t.len() > nd {
            return raise!(TypeError, "cannot index {}-dimension view with {}-element tuple", nd, t.len());
        }
        t.iter()
            .map(|o| crate::number::as_isize(o, Some(exc::IndexError())))
            .collect::<PyResult<Vec<_>>>()
            .map(Some)
    }
}

/// A format as C text that stays for ever (there are few different ones).
fn kept_format(f: &str) -> *mut core::ffi::c_char {
    static KEPT: Mutex<Vec<&'static CStr>> = Mutex::new(Vec::new());
    let mut kept = KEPT.lock().unwrap_or_else(|e| e.into_inner());
    let found = kept.iter().find(|k| k.to_bytes() == f.as_bytes()).copied();
    let text = found.unwrap_or_else(|| {
        let new: &'static CStr = Box::leak(CString::new(f).unwrap_or_default().into_boxed_c_str());
        kept.push(new);
        new
    });
    text.as_ptr().cast_mut()
}

/// The character of a native single-character format.
fn native_format(f: &str) -> Option<u8> {
    let f = f.strip_prefix('@').unwrap_or(f).as_bytes();
    match f {
        [c] if item_size(*c).is_some() => Some(*c),
        _ => None,
    }
}
fn item_size(c: u8) -> Option<usize> {
    Some(match c {
        b'c' | b'b' | b'B' | b'?' => 1,
        b'h' | b'H' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' | b'q' | b'Q' | b'n' | b'N' | b'd' | b'P' => 8,
        _ => return None,
    })
}

/// Reads an item.
///
/// # Safety
/// `p` has the format's size.
unsafe fn unpack(c: u8, p: *const u8) -> Owned<Object> {
    macro_rules! read {
        ($t:ty) => {
            // SAFETY: the caller's promise; exporters may be unaligned.
            unsafe { p.cast::<$t>().read_unaligned() }
        };
    }
    match c {
        b'B' => Int::from_i64(read!(u8) as i64).into_object(),
        b'b' => Int::from_i64(read!(i8) as i64).into_object(),
        b'c' => Bytes::new(&[read!(u8)]).into_object(),
        b'?' => bool_obj(read!(u8) != 0),
        b'h' => Int::from_i64(read!(i16) as i64).into_object(),
        b'H' => Int::from_i64(read!(u16) as i64).into_object(),
        b'i' => Int::from_i64(read!(i32) as i64).into_object(),
        b'I' => Int::from_i64(read!(u32) as i64).into_object(),
        b'l' | b'q' | b'n' => Int::from_i64(read!(i64)).into_object(),
        b'L' | b'Q' | b'N' | b'P' => Int::from_u64(read!(u64)).into_object(),
        b'f' => Float::new(read!(f32) as f64).into_object(),
        _ => Float::new(read!(f64)).into_object(),
    }
}

/// The bytes of an item to be written.
fn pack(c: u8, v: &Object, format: &str) -> PyResult<Vec<u8>> {
    let bad_type = || raise!(TypeError, "memoryview: invalid type for format '{}'", format);
    let bad_value = || raise!(ValueError, "memoryview: invalid value for format '{}'", format);
    match c {
        b'c' => match v.downcast::<Bytes>() {
            Some(b) if b.len() == 1 => Ok(b.as_bytes().to_vec()),
            Some(_) => bad_value(),
            None => bad_type(),
        },
        b'?' => Ok(vec![v.is_true()? as u8]),
        b'f' | b'd' => {
            let x = match crate::number::as_f64(v) {
                Ok(x) => x,
                Err(e) if e.matches(exc::TypeError()) => {
                    e.clear();
                    return bad_type();
                }
                Err(e) if e.matches(exc::OverflowError()) || e.matches(exc::ValueError()) => {
                    e.clear();
                    return bad_value();
                }
                Err(e) => return Err(e),
            };
            Ok(if c == b'f' { (x as f32).to_ne_bytes().to_vec() } else { x.to_ne_bytes().to_vec() })
        }
        _ => {
            if !has_index(v) {
                return bad_type();
            }
            let i = crate::number::index(v)?.to_i128();
            let Some(i) = i else { return bad_value() };
            macro_rules! write {
                ($t:ty) => {
                    match <$t>::try_from(i) {
                        Ok(x) => Ok(x.to_ne_bytes().to_vec()),
                        Err(_) => bad_value(),
                    }
                };
            }
            match c {
                b'B' => write!(u8),
                b'b' => write!(i8),
                b'h' => write!(i16),
                b'H' => write!(u16),
                b'i' => write!(i32),
                b'I' => write!(u32),
                b'l' | b'q' | b'n' => write!(i64),
                _ => write!(u64),
            }
        }
    }
}

/// Items as nested lists.
fn to_list(v: &Py_buffer, c: u8, index: &mut Vec<isize>, shape: &[isize]) -> Owned<Object> {
    let d = index.len();
    if let Some((n, stride)) = line(v) {
        let l = List::with_capacity(n.max(0) as usize);
        for i in 0..n {
            // SAFETY: the index is within the shape.
            l.push(unsafe { unpack(c, v.buf.cast::<u8>().offset(i * stride)) });
        }
        return l.into_object();
    }
    if d == shape.len() {
        // SAFETY: the index is within the shape.
        return unsafe { unpack(c, buffer::item_ptr(v, index)) };
    }
    let mut out = Vec::with_capacity(shape[d].max(0) as usize);
    for i in 0..shape[d] {
        index.push(i);
        out.push(to_list(v, c, index, shape));
        index.pop();
    }
    List::from_vec(out).into_object()
}

fn format_ptr(f: &str) -> *mut c_char {
    // One of a few dozen strings, kept for ever.
    static KNOWN: std::sync::Mutex<Vec<&'static std::ffi::CStr>> = std::sync::Mutex::new(vec![]);
    let mut known = KNOWN.lock().expect("never poisoned");
    if let Some(k) = known.iter().find(|k| k.to_bytes() == f.as_bytes()) {
        return k.as_ptr().cast_mut();
    }
    let c: &'static std::ffi::CStr = Box::leak(std::ffi::CString::new(f).expect("no NUL").into_boxed_c_str());
    known.push(c);
    c.as_ptr().cast_mut()
}

/// Values of two items for comparison, through `struct` where the format is not native.
fn item_value(format: &str, p: *const u8, size: usize) -> PyResult<Owned<Object>> {
    if let Some(c) = native_format(format) {
        // SAFETY: an item has its format's size.
        return Ok(unsafe { unpack(c, p) });
    }
    let m = crate::hooks::import_module("struct")?;
    // SAFETY: an item of the view.
    let b = Bytes::new(unsafe { &*slice_from_raw_parts(p, size) });
    let t = m.call_method("unpack", &[&Str::new(format), &b])?;
    match t.downcast::<Tuple>() {
        Some(t) if t.len() == 1 => Ok(t.get(0)),
        _ => Ok(t),
    }
}

fn equal_views(a: &Py_buffer, b: &Py_buffer) -> PyResult<bool> {
    let (la, lb) = (Layout::of(a), Layout::of(b));
    if la.shape != lb.shape {
        return Ok(false);
    }
    let (fa, fb) = (buffer::format(a), buffer::format(b));
    let (na, nb) = (native_format(fa), native_format(fb));
    if let (Some(x), Some(y)) = (na, nb)
        && x == y
        && !matches!(x, b'f' | b'd' | b'?')
    {
        return Ok(buffer::to_contiguous(a, b'C') == buffer::to_contiguous(b, b'C'));
    }
    let (mut pa, mut pb) = (vec![], vec![]);
    buffer::each_item(a, false, |p| pa.push(p));
    buffer::each_item(b, false, |p| pb.push(p));
    for (p, q) in pa.into_iter().zip(pb) {
        let both = item_value(fa, p, a.itemsize as usize)
            .and_then(|x| item_value(fb, q, b.itemsize as usize).map(|y| (x, y)));
        match both {
            Ok((x, y)) => {
                if !x.rich_compare(&y, CompareOp::Eq)?.is_true()? {
                    return Ok(false);
                }
            }
            // A format that `struct` doesn't know is equal to nothing.
            Err(e) if e.matches(exc::Exception()) => {
                e.clear();
                return Ok(false);
            }
            Err(e) => return Err(e),
        }
    }
    Ok(true)
}

#[pymethods(parts(attributes))]
impl MemoryView {
    #[slot(tp_dealloc)]
    unsafe fn dealloc(p: *mut PyObject) {
        // SAFETY: nobody else sees the object any more.
        unsafe {
            let m = p.cast::<PyMemoryViewObject>();
            crate::gc::untrack(p);
            if !(*m).mbuf.is_null() {
                (*m).exports = 0;
                let _ = MemoryView::from_object(Object::from_ptr(p)).release_share();
                xdecref(std::mem::replace(&mut (*m).mbuf, null_mut()).cast());
            }
            if !(*m).weakreflist.is_null() {
                crate::weakref::clear_weakrefs(p);
            }
            if (*p.cast::<PyVarObject>()).ob_size == 3 {
                return crate::gc::free_untracked(p, LINE_SIZE);
            }
            crate::typeobject::free_instance(p);
        }
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: a live object's field.
        v.visit_ptr(unsafe { (*self.as_struct()).mbuf.cast() });
    }
    #[new(name = "memoryview", signature = "(object)")]
    fn py_new(cls: &Type, object: &Object) -> PyResult<Owned<MemoryView>> {
        let _ = cls;
        MemoryView::from_object_new(object)
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> String {
        let what = if self.flags() & RELEASED != 0 { "released memory" } else { "memory" };
        format!("<{what} at {:#x}>", self.raw() as usize)
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        let m = self.as_struct();
        // SAFETY: a live object's field.
        unsafe {
            if (*m).hash == -1 {
                self.check()?;
                if self.view().readonly == 0 {
                    return raise!(ValueError, "cannot hash writable memoryview object");
                }
                if !matches!(self.native(), Some(b'B' | b'b' | b'c')) {
                    return raise!(
                        ValueError,
                        "memoryview: hashing is restricted to formats 'B', 'b' or 'c'"
                    );
                }
                if let Some(o) = Object::from_ptr_opt(self.view().obj) {
                    o.hash_obj()?;
                }
                (*m).hash = crate::hashing::hash_bytes(&self.bytes());
            }
            Ok((*m).hash)
        }
    }
    #[slot(tp_richcompare)]
    fn py_compare(&self, other: &Object, op: CompareOp) -> PyResult<Owned<Object>> {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented());
        }
        let answer = |equal: bool| Ok(bool_obj(equal == (op == CompareOp::Eq)));
        if self.is_released() {
            return answer(self.is(other));
        }
        if let Some(o) = other.downcast::<MemoryView>() {
            if o.is_released() {
                return answer(self.is(other));
            }
            return answer(equal_views(self.view(), o.view())?);
        }
        match Buffer::get(other, PyBUF_FULL_RO) {
            Ok(b) => answer(equal_views(self.view(), &b.view)?),
            Err(e) => {
                e.clear();
                Ok(not_implemented())
            }
        }
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> PyResult<Owned<MemoryIter>> {
        self.check()?;
        if self.view().ndim == 0 {
            return raise!(TypeError, "invalid indexing of 0-dim memory");
        }
        if self.view().ndim != 1 {
            return raise!(NotImplementedError, "multi-dimensional sub-views are not implemented");
        }
        self.native_or_error()?;
        Ok(MemoryIter { seq: Slot::of(self.own()), index: Cell::new(0), len: self.shape()[0] }.build())
    }
    #[slot(sq_length)]
    fn py_sq_len(&self) -> PyResult<usize> {
        self.py_len()
    }
    #[slot(mp_length)]
    fn py_len(&self) -> PyResult<usize> {
        self.check()?;
        Ok(if self.view().ndim == 0 { 1 } else { self.shape()[0] as usize })
    }
    #[slot(sq_item)]
    fn py_item(&self, i: isize) -> PyResult<Owned<Object>> {
        self.check()?;
        if let Some(x) = self.line_item(i) {
            return Ok(x);
        }
        let c = self.native_or_error()?;
        match self.view().ndim {
            0 => raise!(TypeError, "invalid indexing of 0-dim memory"),
            // SAFETY: located within the shape.
            1 => Ok(unsafe { unpack(c, self.locate(&[i])?) }),
            _ => raise!(NotImplementedError, "multi-dimensional sub-views are not implemented"),
        }
    }
    #[slot(mp_subscript)]
    fn py_subscript(&self, key: &Object) -> PyResult<Owned<Object>> {
        self.check()?;
        if self.view().ndim == 0 {
            if key.downcast::<Tuple>().is_some_and(|t| t.len() == 0) {
                let c = self.native_or_error()?;
                // SAFETY: a scalar view has one item.
                return Ok(unsafe { unpack(c, self.view().buf.cast()) });
            }
            if key.is(ellipsis_ref()) {
                return Ok(self.own().into_object());
            }
            return raise!(TypeError, "invalid indexing of 0-dim memory");
        }
        if has_index(key) {
            let i = crate::number::as_isize(key, Some(exc::IndexError()))?;
            return self.py_item(i);
        }
        if let Some(sl) = key.downcast::<Slice>() {
            return Ok(self.sub_view(sl)?.into_object());
        }
        if let Some(t) = key.downcast::<Tuple>() {
            if let Some(index) = self.tuple_index(t)? {
                let c = self.native_or_error()?;
                self.check()?;
                // SAFETY: located within the shape.
                return Ok(unsafe { unpack(c, self.locate(&index)?) });
            }
            if t.iter().all(|o| o.is_instance_of::<Slice>()) {
                return raise!(NotImplementedError, "multi-dimensional slicing is not implemented");
            }
        }
        raise!(TypeError, "memoryview: invalid slice key")
    }
    #[slot(mp_ass_subscript)]
    fn py_set_subscript(&self, key: &Object, value: Option<&Object>) -> PyResult<()> {
        self.check()?;
        let format = buffer::format(self.view()).to_string();
        self.native_or_error()?;
        if self.view().readonly != 0 {
            return raise!(TypeError, "cannot modify read-only memory");
        }
        let Some(v) = value else { return raise!(TypeError, "cannot delete memory") };
        let store = |p: *mut u8, b: &[u8]| {
            // SAFETY: the item is within the view, which is writable.
            unsafe { core::ptr::copy_nonoverlapping(b.as_ptr(), p, b.len()) }
        };
        if self.view().ndim == 0 {
            if key.is(ellipsis_ref()) || key.downcast::<Tuple>().is_some_and(|t| t.len() == 0) {
                let b = pack(self.native_or_error()?, v, &format)?;
                self.check()?;
                store(self.view().buf.cast(), &b);
                return Ok(());
            }
            return raise!(TypeError, "invalid indexing of 0-dim memory");
        }
        if has_index(key) {
            if self.view().ndim > 1 {
                return raise!(NotImplementedError, "sub-views are not implemented");
            }
            let i = crate::number::as_isize(key, Some(exc::IndexError()))?;
            let c = self.native_or_error()?;
            self.check()?;
            let p = self.locate(&[i])?;
            let b = pack(c, v, &format)?;
            // Converting the value may have run code that released the view.
            self.check()?;
            store(p, &b);
            return Ok(());
        }
        if let Some(sl) = key.downcast::<Slice>() {
            if self.view().ndim != 1 {
                return raise!(
                    NotImplementedError,
                    "memoryview slice assignments are currently restricted to ndim = 1"
                );
            }
            let src = Buffer::get(v, PyBUF_FULL_RO)?;
            let dest = self.sub_view(sl)?;
            // Converting the indices may have run code that released the view.
            self.check()?;
            let (fs, fd) = (buffer::format(&src.view), buffer::format(dest.view()));
            let plain = |f: &str| f.strip_prefix('@').unwrap_or(f).to_string();
            if plain(fs) != plain(fd)
                || src.view.itemsize != dest.view().itemsize
                || Layout::of(&src.view).shape != dest.shape()
            {
                return raise!(
                    ValueError,
                    "memoryview assignment: lvalue and rvalue have different structures"
                );
            }
            let data = src.to_vec();
            let mut chunks = data.chunks_exact(dest.view().itemsize as usize);
            buffer::each_item(dest.view(), false, |p| {
                if let Some(b) = chunks.next() {
                    store(p, b)
                }
            });
            return Ok(());
        }
        if let Some(t) = key.downcast::<Tuple>() {
            if let Some(index) = self.tuple_index(t)? {
                let c = self.native_or_error()?;
                self.check()?;
                let p = self.locate(&index)?;
                let b = pack(c, v, &format)?;
                self.check()?;
                store(p, &b);
                return Ok(());
            }
            if t.iter().all(|o| o.is_instance_of::<Slice>()) {
                return raise!(
                    NotImplementedError,
                    "memoryview slice assignments are currently restricted to ndim = 1"
                );
            }
        }
        raise!(TypeError, "memoryview: invalid slice key")
    }
    #[slot(bf_getbuffer)]
    fn py_getbuffer(&self, view: *mut Py_buffer, flags: i32) -> PyResult<()> {
        self.check()?;
        let has = |f: c_int| flags & f == f;
        let mut v = *self.view();
        v.obj = null_mut();
        let contiguous = self.flags();
        if has(PyBUF_WRITABLE) && v.readonly != 0 {
            return raise!(BufferError, "memoryview: underlying buffer is not writable");
        }
        if !has(PyBUF_FORMAT) {
            v.format = null_mut();
        }
        if has(PyBUF_C_CONTIGUOUS) && contiguous & C_ORDER == 0 {
            return raise!(BufferError, "memoryview: underlying buffer is not C-contiguous");
        }
        if has(PyBUF_F_CONTIGUOUS) && contiguous & F_ORDER == 0 {
            return raise!(BufferError, "memoryview: underlying buffer is not Fortran contiguous");
        }
        if has(PyBUF_ANY_CONTIGUOUS) && contiguous & (C_ORDER | F_ORDER) == 0 {
            return raise!(BufferError, "memoryview: underlying buffer is not contiguous");
        }
        if !has(PyBUF_INDIRECT) && contiguous & PIL != 0 {
            return raise!(BufferError, "memoryview: underlying buffer requires suboffsets");
        }
        if !has(PyBUF_STRIDES) {
            if contiguous & C_ORDER == 0 {
                return raise!(BufferError, "memoryview: underlying buffer is not C-contiguous");
            }
            v.strides = null_mut();
        }
        if !has(PyBUF_ND) {
            if !v.format.is_null() {
                return raise!(
                    BufferError,
                    "memoryview: cannot cast to unsigned bytes if the format flag is present"
                );
            }
            v.ndim = 1;
            v.shape = null_mut();
        }
        if self.view().ndim == 0 {
            (v.shape, v.strides) = (null_mut(), null_mut());
        }
        v.obj = self.own().into_raw();
        // SAFETY: the caller's view is writable; the export count keeps ours in place.
        unsafe {
            *view = v;
            (*self.as_struct()).exports += 1;
        }
        Ok(())
    }
    #[slot(bf_releasebuffer)]
    fn py_releasebuffer(&self, _view: *mut Py_buffer) {
        // SAFETY: a live object's field.
        unsafe { (*self.as_struct()).exports -= 1 }
    }
    /// Release the underlying buffer exposed by the memoryview object.
    #[pymethod]
    fn release(&self) -> PyResult<()> {
        self.release_share()
    }
    #[pymethod]
    fn __enter__(&self) -> PyResult<Owned<MemoryView>> {
        self.check()?;
        Ok(self.own())
    }
    #[pymethod(raw)]
    fn __exit__(&self, args: crate::args::Args<'_>) -> PyResult<()> {
        let _ = args;
        self.release_share()
    }
    /// Return the data as bytes, in the given order of items ('C', 'F' or 'A').
    #[pymethod(signature = "(order='C')")]
    fn tobytes(&self, order: Option<&Object>) -> PyResult<Owned<Bytes>> {
        self.check()?;
        let o = match order {
            None => b'C',
            Some(o) if o.is_none() => b'C',
            Some(o) => match o.downcast::<Str>().and_then(|s| s.as_ascii()) {
                Some("C") => b'C',
                Some("F") => b'F',
                Some("A") => b'A',
                _ => return raise!(ValueError, "order must be 'C', 'F' or 'A'"),
            },
        };
        Ok(Bytes::new(&buffer::to_contiguous(self.view(), o)))
    }
    /// Return the data as hexadecimal digits.
    ///
    /// >>> memoryview(b'\x01\xfe').hex(':')
    /// '01:fe'
    #[pymethod(signature = "(sep=<unrepresentable>, bytes_per_sep=1)")]
    fn hex(&self, sep: Option<&Object>, bytes_per_sep: i32) -> PyResult<Owned<Str>> {
        self.check()?;
        crate::bytes_methods::hex(&self.bytes(), sep, bytes_per_sep as isize)
    }
    /// Return the data as a list of elements (nested for more dimensions).
    #[pymethod]
    fn tolist(&self) -> PyResult<Owned<Object>> {
        self.check()?;
        let c = self.native_or_error()?;
        Ok(to_list(self.view(), c, &mut vec![], self.shape()))
    }
    /// Return a read-only version of the memoryview.
    #[pymethod]
    fn toreadonly(&self) -> PyResult<Owned<MemoryView>> {
        self.check()?;
        let mut l = Layout::of(self.view());
        l.view.readonly = 1;
        l.build(&self.mbuf())
    }
    /// Return a view of the same memory with another format or shape.
    #[pymethod(signature = "(format, shape=<unrepresentable>)")]
    fn cast(&self, format: &Str, shape: Option<&Object>) -> PyResult<Owned<MemoryView>> {
        self.check()?;
        let format = format.to_str()?;
        let v = self.view();
        if self.flags() & C_ORDER == 0 {
            return raise!(TypeError, "memoryview: casts are restricted to C-contiguous views");
        }
        if (shape.is_some() || v.ndim != 1) && self.shape().contains(&0) {
            return raise!(TypeError, "memoryview: cannot cast view with zeros in shape or strides");
        }
        let dims: Option<Vec<Owned<Object>>> = match shape {
            None => None,
            Some(s) if s.is_instance_of::<List>() || s.is_instance_of::<Tuple>() => Some(s.to_items()?),
            Some(_) => return raise!(TypeError, "shape must be a list or a tuple"),
        };
        if let Some(d) = &dims {
            check_dimensions(d.len())?;
            if v.ndim != 1 && d.len() != 1 {
                return raise!(TypeError, "memoryview: cast must be 1D -> ND or ND -> 1D");
            }
        }
        let Some(to) = native_format(format) else {
            return raise!(
                ValueError,
                "memoryview: destination format must be a native single character format prefixed with an optional '@'"
            );
        };
        let is_byte = |c: u8| matches!(c, b'b' | b'B' | b'c');
        // Any source may be looked at as bytes.
        if !is_byte(to) && !self.native().is_some_and(is_byte) {
            return raise!(TypeError, "memoryview: cannot cast between two non-byte formats");
        }
        let size = item_size(to).expect("a native format") as isize;
        if v.len % size != 0 {
            return raise!(TypeError, "memoryview: length is not a multiple of itemsize");
        }
        let mut l = Layout::of(v);
        l.view.itemsize = size;
        l.view.format = format_ptr(format);
        l.shape = match dims {
            None => vec![v.len / size],
            Some(d) => {
                let mut out = vec![];
                for o in &d {
                    let Some(i) = o.downcast::<Int>() else {
                        return raise!(TypeError, "memoryview.cast(): elements of shape must be integers");
                    };
                    match i.to_i64() {
                        Some(n) if n > 0 => out.push(n as isize),
                        None => return raise!(OverflowError, "Python int too large to convert to C ssize_t"),
                        _ => {
                            return raise!(
                                ValueError,
                                "memoryview.cast(): elements of shape must be integers > 0"
                            );
                        }
                    }
                }
                let total = out.iter().try_fold(size, |a, n| a.checked_mul(*n));
                match total {
                    None => {
                        return raise!(ValueError, "memoryview.cast(): product(shape) > SSIZE_MAX");
                    }
                    Some(t) if t != v.len => {
                        return raise!(TypeError, "memoryview: product(shape) * itemsize != buffer size");
                    }
                    _ => out,
                }
            }
        };
        l.strides = c_strides(&l.shape, size);
        l.suboffsets = None;
        l.build(&self.mbuf())
    }
}

fn numbers(v: Option<&[isize]>) -> PyResult<Owned<Object>> {
    let v: PyResult<Vec<_>> = v.unwrap_or(&[]).iter().map(|n| n.into_py()).collect();
    Ok(Tuple::from_vec(v?).into_object())
}
impl IntoPy for &isize {
    fn into_py(self) -> PyResult<Owned<Object>> {
        (*self).into_py()
    }
}

#[pymethods(part = "attributes")]
impl MemoryView {
    /// The underlying object of the memoryview.
    #[getter]
    fn obj(&self) -> PyResult<Owned<Object>> {
        self.check()?;
        // SAFETY: the managed buffer keeps the exporter alive.
        Ok(unsafe { Object::from_ptr_opt(self.view().obj) }.map_or_else(none, |o| o.own()))
    }
    /// The number of bytes the data would take as a contiguous array.
    #[getter]
    fn nbytes(&self) -> PyResult<isize> {
        self.check()?;
        Ok(self.view().len)
    }
    /// Whether the memory is read-only.
    #[getter]
    fn readonly(&self) -> PyResult<bool> {
        self.check()?;
        Ok(self.view().readonly != 0)
    }
    /// The size in bytes of each element.
    #[getter]
    fn itemsize(&self) -> PyResult<isize> {
        self.check()?;
        Ok(self.view().itemsize)
    }
    /// The format of each element, in struct module syntax.
    #[getter]
    fn format(&self) -> PyResult<&str> {
        self.check()?;
        Ok(buffer::format(self.view()))
    }
    /// The number of dimensions.
    #[getter]
    fn ndim(&self) -> PyResult<i32> {
        self.check()?;
        Ok(self.view().ndim)
    }
    /// A tuple of the lengths of the dimensions.
    #[getter(shape)]
    fn py_shape(&self) -> PyResult<Owned<Object>> {
        self.check()?;
        numbers(buffer::shape(self.view()))
    }
    /// A tuple of the distances in bytes between elements, for each dimension.
    #[getter]
    fn strides(&self) -> PyResult<Owned<Object>> {
        self.check()?;
        numbers(buffer::strides(self.view()))
    }
    /// Used internally for PIL-style arrays.
    #[getter]
    fn suboffsets(&self) -> PyResult<Owned<Object>> {
        self.check()?;
        numbers(buffer::suboffsets(self.view()))
    }
    /// Whether the memory is C contiguous.
    #[getter]
    fn c_contiguous(&self) -> PyResult<bool> {
        self.check()?;
        Ok(self.flags() & C_ORDER != 0)
    }
    /// Whether the memory is Fortran contiguous.
    #[getter]
    fn f_contiguous(&self) -> PyResult<bool> {
        self.check()?;
        Ok(self.flags() & F_ORDER != 0)
    }
    /// Whether the memory is contiguous.
    #[getter]
    fn contiguous(&self) -> PyResult<bool> {
        self.check()?;
        Ok(self.flags() & (C_ORDER | F_ORDER) != 0)
    }
}

/// The iterator over a one-dimensional memoryview.
#[pyclass(name = "memory_iterator", no_new)]
pub struct MemoryIter {
    seq: Slot<MemoryView>,
    index: Cell<isize>,
    len: isize,
}
#[pymethods]
impl MemoryIter {
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<MemoryIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let Some(m) = self.seq.get() else { return Ok(None) };
        let i = self.index.get();
        if i < self.len {
            self.index.set(i + 1);
            return Ok(Some(m.py_item(i)?));
        }
        self.seq.set(None);
        Ok(None)
    }
}

pub fn init() -> PyResult<()> {
    crate::builder::ready::<ManagedBuffer>()?;
    crate::builder::ready::<MemoryView>()?;
    crate::builder::ready::<MemoryIter>()?;
    Ok(())
}
