//! The types `bytes` and `bytearray`: constructors, slots, what only one of them has, and their iterators.

use crate::buffer::{Buffer, BytesLike};
use crate::bytes_methods::{BYTE_RANGE, byte_value, from_iterable, from_source, name_of};
use crate::convert::*;
use crate::errors::*;
use crate::exceptions::exc;
use crate::kinds::*;
use crate::object::*;
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::str_methods::{builtin, has_index};
use crate::strobject::clip;
use crate::type_table::*;
use crate::{intern, kind, pymethods, raise};
use lh_abi::*;

fn compare(a: &[u8], b: &[u8], op: CompareOp) -> Owned<Object> {
    bool_obj(match op {
        CompareOp::Eq => a == b,
        CompareOp::Ne => a != b,
        _ => op.holds(a.cmp(b)),
    })
}

/// `None` if the result would be too large.
fn repeated(b: &[u8], n: isize) -> Option<Vec<u8>> {
    let n = n.max(0) as usize;
    let total = b.len().checked_mul(n).filter(|t| *t < isize::MAX as usize - 64)?;
    let mut v = vec![];
    v.try_reserve_exact(total).ok()?;
    if b.len() == 1 {
        v.resize(n, b[0]);
    } else {
        (0..n).for_each(|_| v.extend_from_slice(b));
    }
    Some(v)
}

fn stepped(b: &[u8], start: isize, step: isize, count: usize) -> Vec<u8> {
    if step == 1 {
        return b[start.max(0) as usize..][..count].to_vec();
    }
    (0..count).map(|i| b[(start + step * i as isize) as usize]).collect()
}

/// An index from an object with `__index__`, counted from the end if negative.
fn index_of(key: &Object, len: usize) -> PyResult<isize> {
    let i = crate::number::as_isize(key, Some(exc::IndexError()))?;
    Ok(if i < 0 { i + len as isize } else { i })
}

fn int(b: u8) -> Owned<Int> {
    Int::from_i64(b as i64)
}

// ---- bytes ----

#[pymethods(parts(shared), extra = bytes_doc)]
impl Bytes {
    #[slot(tp_dealloc)]
    unsafe fn slot_dealloc(p: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe { crate::bytesobject::dealloc(p) }
    }
    #[new(signature = "(source=<unrepresentable>, encoding=<unrepresentable>, errors=<unrepresentable>)")]
    fn py_new(
        cls: &Type,
        source: Option<&Object>,
        encoding: Option<&str>,
        errors: Option<&str>,
    ) -> PyResult<Owned<Bytes>> {
        if let Some(o) = source
            && encoding.is_none()
            && errors.is_none()
        {
            if let Some(b) = o.downcast_exact::<Bytes>() {
                return if cls.is(Bytes::class()) { Ok(b.own()) } else { Bytes::new_in(cls, b.as_bytes()) };
            }
            if let Some(b) = o.downcast_exact::<ByteArray>() {
                // SAFETY: copied at once.
                return Bytes::new_in(cls, unsafe { b.peek() });
            }
            if let Some(f) = o.lookup_special(intern!("__bytes__"))? {
                let r = f.call0()?;
                return match r.downcast::<Bytes>() {
                    Some(b) if cls.is(Bytes::class()) => Ok(b.own()),
                    Some(b) => Bytes::new_in(cls, b.as_bytes()),
                    None => raise!(TypeError, "__bytes__ returned non-bytes (type {})", name_of(&r, 200)),
                };
            }
        }
        Bytes::new_in(cls, &from_source(source, encoding, errors, "bytes")?)
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> Owned<Str> {
        Str::from_ascii(&crate::bytes_methods::repr(self.as_bytes()))
    }
    #[slot(tp_str)]
    fn py_str(&self) -> PyResult<Owned<Str>> {
        bytes_warning("str() on a bytes instance")?;
        self.repr()
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        Ok(self.hash())
    }
    #[slot(tp_richcompare)]
    fn py_compare(&self, other: &Object, op: CompareOp) -> PyResult<Owned<Object>> {
        match other.downcast::<Bytes>() {
            Some(o) => Ok(compare(self.as_bytes(), o.as_bytes(), op)),
            None => {
                compare_warning("bytes", other, op)?;
                Ok(not_implemented())
            }
        }
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> PyResult<Owned<BytesIter>> {
        // SAFETY: the type is that of iterators over these.
        unsafe { new_iterator(&raw mut PyBytesIter_Type, self) }
    }
    #[slot(sq_concat)]
    fn py_concat(&self, other: &Object) -> PyResult<Owned<Bytes>> {
        if self.is_empty()
            && let Some(b) = other.downcast_exact::<Bytes>()
        {
            return Ok(b.own());
        }
        let b = BytesLike::get_or(other, || not_joined(other, self))?;
        if b.is_empty() && self.is_exact::<Bytes>() {
            return Ok(self.own());
        }
        match Bytes::joined(self.as_bytes(), &b) {
            Some(r) => Ok(r),
            None => Err(set_object(exc::MemoryError(), None)),
        }
    }
    #[slot(sq_repeat)]
    fn py_repeat(&self, n: isize) -> PyResult<Owned<Bytes>> {
        if n == 1 && self.is_exact::<Bytes>() {
            return Ok(self.own());
        }
        match repeated(self.as_bytes(), n) {
            Some(v) => Ok(Bytes::new(&v)),
            None if self.len() as u128 * n as u128 > isize::MAX as u128 => {
                raise!(OverflowError, "repeated bytes are too long")
            }
            None => Err(set_object(exc::MemoryError(), None)),
        }
    }
    #[slot(sq_item)]
    fn py_item(&self, i: isize) -> PyResult<Owned<Int>> {
        match self.as_bytes().get(i as usize) {
            Some(b) if i >= 0 => Ok(int(*b)),
            _ => raise!(IndexError, "index out of range"),
        }
    }
    #[slot(mp_subscript)]
    fn py_subscript(&self, key: &Object) -> PyResult<Owned<Object>> {
        if let Some(sl) = key.downcast::<Slice>() {
            let (start, _, step, count) = sl.indices(self.len())?;
            if step == 1 && count == self.len() && self.is_exact::<Bytes>() {
                return Ok(self.own().into_object());
            }
            return Ok(Bytes::new(&stepped(self.as_bytes(), start, step, count)).into_object());
        }
        if has_index(key) {
            return Ok(self.py_item(index_of(key, self.len())?)?.into_object());
        }
        raise!(TypeError, "byte indices must be integers or slices, not {}", name_of(key, 200))
    }
    #[slot(nb_remainder)]
    fn py_mod(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        match a.downcast::<Bytes>() {
            Some(f) => Ok(Bytes::new(&crate::percent::format_bytes(f.as_bytes(), b)?).into_object()),
            None => Ok(not_implemented()),
        }
    }
    #[slot(bf_getbuffer)]
    fn py_getbuffer(&self, view: *mut Py_buffer, flags: i32) -> PyResult<()> {
        // SAFETY: the content lives as long as the view's reference to this object.
        unsafe {
            crate::buffer::fill_info(
                view,
                Some(self),
                self.as_bytes().as_ptr().cast_mut(),
                self.len(),
                true,
                flags,
            )
        }
    }
    /// Convert this value to exact type bytes.
    #[pymethod]
    fn __bytes__(&self) -> Owned<Bytes> {
        if self.is_exact::<Bytes>() { self.own() } else { Bytes::new(self.as_bytes()) }
    }
    #[pymethod]
    fn __getnewargs__(&self) -> (Owned<Bytes>,) {
        (Bytes::new(self.as_bytes()),)
    }
}
/// `tp_alloc`: 0 would be a hash that is known. (C types that inherit it fill their instances in themselves, as numpy's do.)
unsafe extern "C" fn alloc(tp: *mut lh_abi::PyTypeObject, n: isize) -> *mut lh_abi::PyObject {
    // SAFETY: called with a ready subtype of `bytes`.
    unsafe {
        let p = crate::typeobject::generic_alloc(tp, n);
        if !p.is_null() {
            (*p.cast::<lh_abi::PyBytesObject>()).ob_shash = -1;
        }
        p
    }
}

fn bytes_doc(b: &mut crate::builder::TypeBuilder) {
    // SAFETY: the type that is being made.
    unsafe {
        (*b.ty).tp_alloc = Some(alloc);
    }
    b.doc(
        c"bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\n\
          bytes(buffer_or_count) -> bytes\n\nAn immutable sequence of bytes.",
    )
}

// ---- bytearray ----

impl ByteArray {
    fn assign_slice(&self, start: isize, step: isize, count: usize, v: &[u8]) -> PyResult<()> {
        if step == 1 {
            let a = (start.max(0) as usize).min(self.len());
            return self.splice(a, a + count, v);
        }
        if v.is_empty() && count > 0 {
            // Nothing in the place of something takes it out.
            let mut keep = self.to_vec();
            let mut gone: Vec<usize> = (0..count as isize).map(|k| (start + k * step) as usize).collect();
            gone.sort_unstable();
            for i in gone.into_iter().rev() {
                keep.remove(i);
            }
            return self.splice(0, self.len(), &keep);
        }
        if v.len() != count {
            return raise!(
                ValueError,
                "attempt to assign bytes of size {} to extended slice of size {}",
                v.len(),
                count
            );
        }
        for (i, b) in v.iter().enumerate() {
            // SAFETY: the slice's indices lie within the content.
            unsafe { self.data().offset(start + step * i as isize).write(*b) }
        }
        Ok(())
    }
    fn delete_slice(&self, start: isize, step: isize, count: usize) -> PyResult<()> {
        if count == 0 {
            return Ok(());
        }
        if step == 1 {
            return self.splice(start as usize, start as usize + count, b"");
        }
        self.check_resizable()?;
        let mut drop = vec![false; self.len()];
        (0..count).for_each(|i| drop[(start + step * i as isize) as usize] = true);
        let kept: Vec<u8> =
            self.to_vec().into_iter().zip(drop).filter_map(|(b, d)| (!d).then_some(b)).collect();
        self.resize(kept.len())?;
        // SAFETY: just resized to this length.
        unsafe { std::ptr::copy_nonoverlapping(kept.as_ptr(), self.data(), kept.len()) };
        Ok(())
    }
    /// The bytes of a value assigned to a slice or passed to `extend`.
    fn bytes_from(value: &Object) -> PyResult<Vec<u8>> {
        if let Some(b) = value.downcast::<ByteArray>() {
            return Ok(b.to_vec());
        }
        if crate::buffer::supports_buffer(value) {
            return Ok(Buffer::get(value, PyBUF_FULL_RO)?.to_vec());
        }
        if value.is_instance_of::<Str>() || crate::number::is_number(value) {
            return raise!(
                TypeError,
                "can assign only bytes, buffers, or iterables of ints in range(0, 256)"
            );
        }
        from_source(Some(value), None, None, "bytearray")
    }
    fn reduce(&self, protocol: i32) -> PyResult<Owned<Object>> {
        let state = crate::object_type::getstate(self, false)?;
        let ty = self.ty().own();
        let b = self.to_vec();
        let args = match (protocol, b.is_empty()) {
            (_, true) => Tuple::empty().into_object(),
            (0..=2, _) => (Str::from_latin1(&b), Str::new("latin-1")).into_py()?,
            _ => (Bytes::new(&b),).into_py()?,
        };
        (ty, args, state).into_py()
    }
}

#[pymethods(parts(shared), extra = bytearray_doc)]
impl ByteArray {
    #[slot(tp_dealloc)]
    unsafe fn slot_dealloc(p: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe { crate::bytearrayobject::dealloc(p) }
    }
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<Owned<ByteArray>> {
        ByteArray::new_in(cls, b"")
    }
    #[init(
        name = "bytearray",
        signature = "(source=<unrepresentable>, encoding=<unrepresentable>, errors=<unrepresentable>)"
    )]
    fn py_init(&self, source: Option<&Object>, encoding: Option<&str>, errors: Option<&str>) -> PyResult<()> {
        if self.len() > 0 {
            self.resize(0)?;
        }
        if let (Some(b), None, None) = (source.and_then(|o| o.downcast_exact::<Bytes>()), encoding, errors) {
            return self.splice(0, self.len(), b.as_bytes());
        }
        let v = from_source(source, encoding, errors, "bytearray")?;
        self.splice(0, self.len(), &v)
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> Owned<Str> {
        let mut out =
            clip(self.ty().name().rsplit('.').next().unwrap_or("bytearray"), 200).as_bytes().to_vec();
        let text = crate::bytes_methods::repr(&self.to_vec());
        out.push(b'(');
        out.extend(text);
        out.push(b')');
        Str::new(&String::from_utf8_lossy(&out))
    }
    #[slot(tp_str)]
    fn py_str(&self) -> PyResult<Owned<Str>> {
        bytes_warning("str() on a bytearray instance")?;
        self.repr()
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
    #[slot(tp_richcompare)]
    fn py_compare(&self, other: &Object, op: CompareOp) -> PyResult<Owned<Object>> {
        if !crate::buffer::supports_buffer(other) {
            compare_warning("bytearray", other, op)?;
            return Ok(not_implemented());
        }
        let b = match BytesLike::get(other) {
            Ok(b) => b,
            Err(e) => {
                e.clear();
                return Ok(not_implemented());
            }
        };
        // SAFETY: comparing bytes runs no Python code.
        Ok(compare(unsafe { self.peek() }, &b, op))
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> PyResult<Owned<ByteArrayIter>> {
        // SAFETY: the type is that of iterators over these.
        unsafe { new_iterator(&raw mut PyByteArrayIter_Type, self) }
    }
    #[slot(sq_concat)]
    fn py_concat(&self, other: &Object) -> PyResult<Owned<ByteArray>> {
        let b = BytesLike::get_or(other, || not_joined(other, self))?;
        let r = ByteArray::new(&self.to_vec());
        r.extend_bytes(&b)?;
        Ok(r)
    }
    #[slot(sq_inplace_concat)]
    fn py_iadd(&self, other: &Object) -> PyResult<Owned<ByteArray>> {
        if self.is(other) {
            self.extend_bytes(&self.to_vec())?;
        } else {
            let b = BytesLike::get_or(other, || not_joined(other, self))?;
            self.extend_bytes(&b)?;
        }
        Ok(self.own())
    }
    #[slot(sq_repeat)]
    fn py_repeat(&self, n: isize) -> PyResult<Owned<ByteArray>> {
        match repeated(&self.to_vec(), n) {
            Some(v) => Ok(ByteArray::new(&v)),
            None => Err(set_object(exc::MemoryError(), None)),
        }
    }
    #[slot(sq_inplace_repeat)]
    fn py_imul(&self, n: isize) -> PyResult<Owned<ByteArray>> {
        match repeated(&self.to_vec(), n) {
            Some(v) => self.splice(0, self.len(), &v)?,
            None => return Err(set_object(exc::MemoryError(), None)),
        }
        Ok(self.own())
    }
    #[slot(sq_item)]
    fn py_item(&self, i: isize) -> PyResult<Owned<Int>> {
        if i < 0 || i as usize >= self.len() {
            return raise!(IndexError, "bytearray index out of range");
        }
        // SAFETY: the index is within the content.
        Ok(int(unsafe { *self.data().add(i as usize) }))
    }
    #[slot(mp_subscript)]
    fn py_subscript(&self, key: &Object) -> PyResult<Owned<Object>> {
        if let Some(sl) = key.downcast::<Slice>() {
            let (start, _, step, count) = sl.indices(self.len())?;
            return Ok(ByteArray::new(&stepped(&self.to_vec(), start, step, count)).into_object());
        }
        if has_index(key) {
            return Ok(self.py_item(index_of(key, self.len())?)?.into_object());
        }
        raise!(TypeError, "bytearray indices must be integers or slices, not {}", name_of(key, 200))
    }
    #[slot(sq_ass_item)]
    fn py_set_item(&self, i: isize, value: Option<&Object>) -> PyResult<()> {
        let Some(v) = value else {
            if i < 0 || i as usize >= self.len() {
                return raise!(IndexError, "bytearray index out of range");
            }
            return self.splice(i as usize, i as usize + 1, b"");
        };
        let b = byte_value(v, BYTE_RANGE)?;
        if i < 0 || i as usize >= self.len() {
            return raise!(IndexError, "bytearray index out of range");
        }
        // SAFETY: the index is within the content.
        unsafe { self.data().add(i as usize).write(b) };
        Ok(())
    }
    #[slot(mp_ass_subscript)]
    fn py_set_subscript(&self, key: &Object, value: Option<&Object>) -> PyResult<()> {
        if let Some(sl) = key.downcast::<Slice>() {
            let v = value.map(ByteArray::bytes_from).transpose()?;
            let (start, _, step, count) = sl.indices(self.len())?;
            return match v {
                Some(v) => self.assign_slice(start, step, count, &v),
                None => self.delete_slice(start, step, count),
            };
        }
        if !has_index(key) {
            return raise!(
                TypeError,
                "bytearray indices must be integers or slices, not {}",
                name_of(key, 200)
            );
        }
        let i = crate::number::as_isize(key, Some(exc::IndexError()))?;
        let i = if i < 0 { i + self.len() as isize } else { i };
        self.py_set_item(i, value)
    }
    #[slot(nb_remainder)]
    fn py_mod(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        match a.downcast::<ByteArray>() {
            Some(f) => Ok(ByteArray::new(&crate::percent::format_bytes(&f.to_vec(), b)?).into_object()),
            None => Ok(not_implemented()),
        }
    }
    #[slot(bf_getbuffer)]
    fn py_getbuffer(&self, view: *mut Py_buffer, flags: i32) -> PyResult<()> {
        // SAFETY: the export count keeps the block in place while the view is held.
        unsafe { crate::buffer::fill_info(view, Some(self), self.data(), self.len(), false, flags)? };
        self.change_exports(1);
        Ok(())
    }
    #[slot(bf_releasebuffer)]
    fn py_releasebuffer(&self, _view: *mut Py_buffer) {
        self.change_exports(-1)
    }
    /// Append a single item to the end.
    #[pymethod(signature = "(item, /)")]
    fn append(&self, item: &Object) -> PyResult<()> {
        let b = byte_value(item, BYTE_RANGE)?;
        self.extend_bytes(&[b])
    }
    /// Remove all items.
    #[pymethod]
    fn clear(&self) -> PyResult<()> {
        self.resize(0)
    }
    /// Return a copy.
    #[pymethod]
    fn copy(&self) -> Owned<ByteArray> {
        ByteArray::new(&self.to_vec())
    }
    /// Append all items of an iterable of integers (or a bytes-like object).
    #[pymethod(signature = "(iterable_of_ints, /)")]
    fn extend(&self, o: &Object) -> PyResult<()> {
        if crate::buffer::supports_buffer(o) {
            let v = Buffer::get(o, PyBUF_SIMPLE).or_else(|e| {
                e.clear();
                raise!(TypeError, "can't set bytearray slice from {}", name_of(o, 100))
            })?;
            // It may be the bytearray's own.
            let content = v.to_vec();
            drop(v);
            return self.extend_bytes(&content);
        }
        let it = match o.iterator() {
            Ok(it) => it,
            Err(e) if e.matches(exc::TypeError()) => {
                e.clear();
                return raise!(TypeError, "can't extend bytearray with {}", name_of(o, 100));
            }
            Err(e) => return Err(e),
        };
        o.length_hint(32)?;
        let v = from_iterable(&it, BYTE_RANGE)?;
        self.extend_bytes(&v)
    }
    /// Insert a single item before the given index.
    #[pymethod(signature = "(index, item, /)")]
    fn insert(&self, index: isize, item: &Object) -> PyResult<()> {
        let b = byte_value(item, BYTE_RANGE)?;
        let n = self.len() as isize;
        let i = if index < 0 { (index + n).max(0) } else { index.min(n) } as usize;
        self.splice(i, i, &[b])
    }
    /// Remove and return a single item (the last one by default).
    #[pymethod(signature = "(index=-1, /)")]
    fn pop(&self, index: isize) -> PyResult<Owned<Int>> {
        let n = self.len() as isize;
        if n == 0 {
            return raise!(IndexError, "pop from empty bytearray");
        }
        let i = if index < 0 { index + n } else { index };
        if i < 0 || i >= n {
            return raise!(IndexError, "pop index out of range");
        }
        self.check_resizable()?;
        // SAFETY: the index is within the content.
        let b = unsafe { *self.data().add(i as usize) };
        self.splice(i as usize, i as usize + 1, b"")?;
        Ok(int(b))
    }
    /// Remove the first occurrence of a value.
    #[pymethod(signature = "(value, /)")]
    fn remove(&self, value: &Object) -> PyResult<()> {
        let b = byte_value(value, BYTE_RANGE)?;
        match memchr::memchr(b, &self.to_vec()) {
            Some(i) => self.splice(i, i + 1, b""),
            None => raise!(ValueError, "value not found in bytearray"),
        }
    }
    /// Reverse the order of the items in place.
    #[pymethod]
    fn reverse(&self) {
        let mut v = self.to_vec();
        v.reverse();
        // SAFETY: the same length as the content.
        unsafe { std::ptr::copy_nonoverlapping(v.as_ptr(), self.data(), v.len()) }
    }
    /// Return the number of bytes actually allocated.
    #[pymethod]
    fn __alloc__(&self) -> isize {
        // SAFETY: a live object's field.
        unsafe { (*self.as_struct()).ob_alloc }
    }
    #[pymethod]
    fn __sizeof__(&self) -> isize {
        // SAFETY: a live object's fields.
        unsafe { (*self.ob_type()).tp_basicsize + (*self.as_struct()).ob_alloc }
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Object>> {
        self.reduce(2)
    }
    #[pymethod(signature = "(proto=0, /)")]
    fn __reduce_ex__(&self, proto: i32) -> PyResult<Owned<Object>> {
        self.reduce(proto)
    }
}
fn bytearray_doc(b: &mut crate::builder::TypeBuilder) {
    b.doc(
        c"bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> bytearray\n\
          bytearray(buffer_or_count) -> bytearray\n\nA mutable sequence of bytes.",
    )
}

// ---- Iterators ----

/// `bytes_iterator` and `bytearray_iterator`, in CPython's layout.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SeqIterObject {
    ob_base: PyObject,
    index: isize,
    /// Null when exhausted.
    seq: *mut PyObject,
}
kind!(/** `bytes_iterator` */ BytesIter: SeqIterObject, PyBytesIter_Type);
kind!(/** `bytearray_iterator` */ ByteArrayIter: SeqIterObject, PyByteArrayIter_Type);

/// A new iterator over `seq`.
///
/// # Safety
/// `tp` is a type of this layout.
unsafe fn new_iterator<T: Kind>(tp: *mut PyTypeObject, seq: &Object) -> PyResult<Owned<T>> {
    // SAFETY: a new object whose fields are all written; the sequence's count is the iterator's.
    unsafe {
        let p = crate::gc::new_builtin(tp, size_of::<SeqIterObject>());
        if p.is_null() {
            return raise!(MemoryError);
        }
        (*p.cast::<SeqIterObject>()).index = 0;
        (*p.cast::<SeqIterObject>()).seq = seq.own().into_raw();
        crate::gc::track(p);
        Ok(Owned::from_raw(p))
    }
}
macro_rules! iterator {
    ($It:ident, $T:ident, $empty:expr) => {
        impl $It {
            fn seq(&self) -> Option<Owned<$T>> {
                // SAFETY: the field is null or a sequence of this type that the iterator keeps alive.
                unsafe {
                    Object::from_ptr_opt((*self.as_struct()).seq).map(|o| o.downcast_unchecked::<$T>().own())
                }
            }
            fn index(&self) -> usize {
                // SAFETY: a live object's field.
                unsafe { (*self.as_struct()).index as usize }
            }
        }
        #[pymethods]
        impl $It {
            #[slot(tp_dealloc)]
            unsafe fn dealloc(p: *mut PyObject) {
                // SAFETY: nobody else sees the iterator any more.
                unsafe {
                    crate::gc::untrack(p);
                    xdecref((*p.cast::<SeqIterObject>()).seq);
                    crate::gc::free_untracked(p, size_of::<SeqIterObject>());
                }
            }
            #[slot(tp_traverse)]
            fn traverse(&self, v: &mut Visitor) {
                // SAFETY: a live object's field.
                v.visit_ptr(unsafe { (*self.as_struct()).seq });
            }
            #[slot(tp_iter)]
            fn iter(&self) -> Owned<$It> {
                self.own()
            }
            #[slot(tp_iternext)]
            fn next(&self) -> PyResult<Option<Owned<Int>>> {
                let i = self.index();
                // SAFETY: the iterator's own fields; its reference is given back once; the index is within the content.
                unsafe {
                    let it = self.as_struct();
                    let Some(s) = Object::from_ptr_opt((*it).seq) else { return Ok(None) };
                    let s = s.downcast_unchecked::<$T>();
                    if i < s.len() {
                        (*it).index += 1;
                        let b = crate::bytes_methods::ByteSeq::content(s)[i];
                        return Ok(Some(int(b)));
                    }
                    decref(std::mem::replace(&mut (*it).seq, std::ptr::null_mut()));
                }
                Ok(None)
            }
            #[pymethod]
            fn __length_hint__(&self) -> usize {
                self.seq().map_or(0, |s| s.len().saturating_sub(self.index()))
            }
            #[pymethod]
            fn __reduce__(&self) -> PyResult<Owned<Object>> {
                let iter = builtin("iter")?;
                match self.seq() {
                    Some(s) => (iter, (s,), self.index()).into_py(),
                    None => (iter, ($empty,)).into_py(),
                }
            }
            #[pymethod]
            fn __setstate__(&self, state: isize) {
                if let Some(s) = self.seq() {
                    // SAFETY: the iterator's own field.
                    unsafe { (*self.as_struct()).index = state.clamp(0, s.len() as isize) }
                }
            }
        }
    };
}
iterator!(BytesIter, Bytes, Bytes::empty());
iterator!(ByteArrayIter, ByteArray, Bytes::empty());

pub fn init() -> PyResult<()> {
    crate::builder::ready::<Bytes>()?;
    crate::builder::ready::<BytesIter>()?;
    crate::builder::ready::<ByteArray>()?;
    crate::builder::ready::<ByteArrayIter>()?;
    Ok(())
}

// ---- -b ----

/// Under `-b` text made of bytes is a `BytesWarning`.
fn bytes_warning(text: &str) -> PyResult<()> {
    if crate::sysobject::config().bytes_warning == 0 {
        return Ok(());
    }
    crate::warnings::warn(exc::BytesWarning(), text, 1)
}
/// Under `-b` bytes compared for equality with text (or, for `bytes`, with an integer) are a `BytesWarning`.
fn compare_warning(name: &str, other: &Object, op: CompareOp) -> PyResult<()> {
    if crate::sysobject::config().bytes_warning == 0 || !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(());
    }
    if other.downcast::<Str>().is_some() {
        return bytes_warning(&format!("Comparison between {name} and string"));
    }
    if name == "bytes" && other.downcast::<Int>().is_some() {
        return bytes_warning("Comparison between bytes and int");
    }
    Ok(())
}

#[cold]
fn not_joined(other: &Object, this: &Object) -> Raised {
    crate::raised!(TypeError, "can't concat {} to {}", name_of(other, 100), name_of(this, 100))
}
