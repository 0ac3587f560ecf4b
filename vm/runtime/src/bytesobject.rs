//! `bytes`: an immutable byte sequence stored behind its head, NUL-terminated. Methods shared with `bytearray` are in
//! `bytes_methods.rs`.
//!
//! Invariant: the content changes only inside `Bytes::with` and its like, before anybody else sees the object.

use crate::alloc;
use crate::errors::*;
use crate::exceptions::exc;
use crate::kinds::*;
use crate::object::*;
use crate::type_table::PyBytes_Type;
use core::mem::offset_of;
use core::ptr::{null_mut, slice_from_raw_parts, slice_from_raw_parts_mut};
use lh_abi::*;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Where the bytes start.
pub const HEAD: usize = offset_of!(PyBytesObject, ob_sval);

/// Single bytes, made on first use and kept; the last place is the empty string.
static CACHE: [AtomicPtr<PyObject>; 257] = [const { AtomicPtr::new(null_mut()) }; 257];

/// An object for `n` bytes, not initialised except the closing NUL. Null: no memory.
#[inline]
pub fn alloc_raw(n: usize) -> Option<*mut PyObject> {
    if n > isize::MAX as usize - HEAD - 1 {
        return None;
    }
    // SAFETY: objects are made under the GIL.
    let p = unsafe { alloc::take(HEAD + n + 1) }.cast::<PyBytesObject>();
    if p.is_null() {
        return None;
    }
    // SAFETY: the block has room for the head, the bytes and a NUL.
    unsafe {
        (*p).ob_base = PyVarObject {
            ob_base: PyObject { ob_refcnt: 1, ob_type: &raw mut PyBytes_Type },
            ob_size: n as isize,
        };
        (*p).ob_shash = -1;
        p.cast::<u8>().add(HEAD + n).write(0);
    }
    Some(p.cast())
}

fn cached(i: usize, content: &[u8]) -> Owned<Bytes> {
    let mut p = CACHE[i].load(Ordering::Relaxed);
    if p.is_null() {
        p = Bytes::make(content).into_raw();
        CACHE[i].store(p, Ordering::Relaxed);
    }
    // SAFETY: cached objects are never freed.
    unsafe { Object::from_ptr(p).downcast_unchecked::<Bytes>() }.own()
}

impl Bytes {
    #[inline]
    fn make(b: &[u8]) -> Owned<Bytes> {
        let p = alloc_raw(b.len()).unwrap_or_else(|| {
            std::alloc::handle_alloc_error(
                std::alloc::Layout::from_size_align(b.len(), 1).expect("a small alignment"),
            )
        });
        // SAFETY: just allocated for these bytes.
        unsafe {
            crate::strobject::copy_short(b.as_ptr(), p.cast::<u8>().add(HEAD), b.len());
            Owned::from_raw(p)
        }
    }
    #[inline]
    pub fn new(b: &[u8]) -> Owned<Bytes> {
        match b {
            [] => Bytes::empty(),
            [c] => cached(*c as usize, b),
            _ => Bytes::make(b),
        }
    }
    pub fn empty() -> Owned<Bytes> {
        cached(256, b"")
    }
    /// `n` bytes that `fill` writes before anybody sees the object. They start as zeros.
    pub fn with(n: usize, fill: impl FnOnce(&mut [u8])) -> PyResult<Owned<Bytes>> {
        if n == 0 {
            fill(&mut []);
            return Ok(Bytes::empty());
        }
        let Some(p) = alloc_raw(n) else { return Err(set_object(exc::MemoryError(), None)) };
        // SAFETY: just allocated for `n` bytes; nobody else sees them.
        unsafe {
            let d = p.cast::<u8>().add(HEAD);
            core::ptr::write_bytes(d, 0, n);
            fill(&mut *slice_from_raw_parts_mut(d, n));
            Ok(Owned::from_raw(p))
        }
    }
    /// Both one after the other; `None`: no memory.
    pub fn joined(a: &[u8], b: &[u8]) -> Option<Owned<Bytes>> {
        let n = a.len().checked_add(b.len())?;
        if n == 0 {
            return Some(Bytes::empty());
        }
        let p = alloc_raw(n)?;
        // SAFETY: just allocated for `n` bytes; nobody else sees them.
        unsafe {
            let d = p.cast::<u8>().add(HEAD);
            d.copy_from_nonoverlapping(a.as_ptr(), a.len());
            d.add(a.len()).copy_from_nonoverlapping(b.as_ptr(), b.len());
            Some(Owned::from_raw(p))
        }
    }
    /// An instance of `cls`, a subclass of `bytes` (or `bytes` itself).
    pub fn new_in(cls: &Type, b: &[u8]) -> PyResult<Owned<Bytes>> {
        if cls.is(Bytes::class()) {
            return Ok(Bytes::new(b));
        }
        // SAFETY: the new object has room for the head and `b.len()` bytes and a NUL (basicsize counts it).
        unsafe {
            let p = crate::typeobject::alloc(cls.tp(), b.len() as isize)?;
            (*p.cast::<PyBytesObject>()).ob_shash = -1;
            let d = p.cast::<u8>().add(HEAD);
            core::ptr::copy_nonoverlapping(b.as_ptr(), d, b.len());
            d.add(b.len()).write(0);
            Ok(Owned::from_raw(p))
        }
    }
    /// The content; immutable while the object lives.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the bytes lie behind the head and don't change.
        unsafe { &*slice_from_raw_parts(self.as_struct().cast::<u8>().add(HEAD), self.len()) }
    }
    #[inline]
    pub fn len(&self) -> usize {
        // SAFETY: a live object's head is readable.
        unsafe { (*self.as_struct()).ob_base.ob_size as usize }
    }
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The cached hash.
    pub fn hash(&self) -> isize {
        // SAFETY: a live object's head is readable, and the hash is only ever filled in.
        unsafe {
            let a = self.as_struct();
            if (*a).ob_shash == -1 {
                (*a).ob_shash = crate::hashing::hash_bytes(self.as_bytes());
            }
            (*a).ob_shash
        }
    }
}

/// `tp_dealloc`.
///
/// # Safety
/// The count of the object has just reached zero.
#[inline(always)]
pub unsafe fn dealloc(p: *mut PyObject) {
    // SAFETY: nobody else sees the object; exact ones come from `alloc_raw`.
    unsafe {
        if (*p).ob_type == &raw mut PyBytes_Type {
            alloc::put(p.cast(), HEAD + (*p.cast::<PyBytesObject>()).ob_base.ob_size as usize + 1);
        } else {
            crate::typeobject::free_instance(p);
        }
    }
}
