//! `bytearray`: a growable byte sequence in its own block, NUL-terminated. Methods shared with `bytes` are in
//! `bytes_methods.rs`.
//!
//! ```text
//!   ob_bytes ──► [ removed from the front | content | NUL | spare ]      ob_alloc bytes
//!                                          ▲ ob_start, ob_size bytes
//! ```
//!
//! Invariants: while `ob_exports > 0` neither the block nor the size changes; a slice of the content is never held across a
//! call that may run Python.

use crate::alloc;
use crate::errors::*;
use crate::exceptions::exc;
use crate::kinds::*;
use crate::object::*;
use crate::raise;
use core::ptr::{null_mut, slice_from_raw_parts};
use lh_abi::*;

impl ByteArray {
    pub fn new(b: &[u8]) -> Owned<ByteArray> {
        Self::new_in(Self::class(), b).expect("allocating a bytearray")
    }
    pub fn new_in(cls: &Type, b: &[u8]) -> PyResult<Owned<ByteArray>> {
        // SAFETY: zero but for its head, an instance is an empty bytearray.
        let a: Owned<ByteArray> = unsafe {
            if cls.tp() == ByteArray::type_ptr() {
                let p = alloc::take(size_of::<PyByteArrayObject>()).cast::<PyByteArrayObject>();
                if p.is_null() {
                    return Err(set_object(exc::MemoryError(), None));
                }
                p.write(core::mem::zeroed());
                (*p).ob_base.ob_base = PyObject { ob_refcnt: 1, ob_type: ByteArray::type_ptr() };
                Owned::from_raw(p.cast())
            } else {
                Owned::from_raw(crate::typeobject::alloc(cls.tp(), 0)?)
            }
        };
        if b.is_empty() {
            return Ok(a);
        }
        // SAFETY: a fresh block with room for the bytes and a NUL.
        unsafe {
            let p = alloc::malloc(b.len() + 1).cast::<core::ffi::c_char>();
            if p.is_null() {
                return Err(set_object(exc::MemoryError(), None));
            }
            p.cast::<u8>().copy_from_nonoverlapping(b.as_ptr(), b.len());
            p.add(b.len()).write(0);
            let s = a.as_struct();
            ((*s).ob_bytes, (*s).ob_start) = (p, p);
            (*s).ob_alloc = b.len() as isize + 1;
            (*s).ob_base.ob_size = b.len() as isize;
        }
        Ok(a)
    }
    pub fn to_vec(&self) -> Vec<u8> {
        // SAFETY: copied at once.
        unsafe { self.peek() }.to_vec()
    }
    #[inline]
    pub fn len(&self) -> usize {
        // SAFETY: a live object's head is readable.
        unsafe { (*self.as_struct()).ob_base.ob_size as usize }
    }
    /// The content.
    ///
    /// # Safety
    /// Nothing that could change the bytearray (so no Python code) runs while the slice lives.
    pub unsafe fn peek(&self) -> &[u8] {
        // SAFETY: the caller's promise.
        unsafe { &*slice_from_raw_parts(self.data(), self.len()) }
    }
    pub fn exports(&self) -> isize {
        // SAFETY: a live object's fields are readable.
        unsafe { (*self.as_struct()).ob_exports }
    }
    pub fn check_resizable(&self) -> PyResult<()> {
        if self.exports() > 0 {
            return raise!(BufferError, "Existing exports of data: object cannot be re-sized");
        }
        Ok(())
    }
    /// Changes the size; raises `BufferError` while a buffer is exported. New bytes are not initialised.
    pub fn resize(&self, n: usize) -> PyResult<()> {
        let old = self.len();
        if n == old {
            return Ok(());
        }
        self.check_resizable()?;
        let a = self.as_struct();
        // SAFETY: no exports: the block is ours to move; content and NUL fit the new allocation.
        unsafe {
            let front =
                if (*a).ob_bytes.is_null() { 0 } else { (*a).ob_start.offset_from((*a).ob_bytes) as usize };
            let room = (*a).ob_alloc as usize;
            if front + n < room && n >= room / 2 {
                // It fits and is not wasteful.
                (*a).ob_base.ob_size = n as isize;
                (*a).ob_start.add(n).write(0);
                return Ok(());
            }
            let spare = if n < room || old == 0 { 1 } else { (n >> 3) + if n < 9 { 3 } else { 6 } };
            let Some(want) = n.checked_add(spare).filter(|w| *w <= isize::MAX as usize) else {
                return Err(set_object(exc::MemoryError(), None));
            };
            let start = if front > 0 {
                let p = alloc::malloc(want).cast::<core::ffi::c_char>();
                if !p.is_null() {
                    core::ptr::copy_nonoverlapping((*a).ob_start, p, old.min(n));
                    alloc::free((*a).ob_bytes.cast());
                }
                p
            } else {
                alloc::realloc((*a).ob_bytes.cast(), want).cast()
            };
            if start.is_null() {
                return Err(set_object(exc::MemoryError(), None));
            }
            (*a).ob_bytes = start;
            (*a).ob_start = start;
            (*a).ob_alloc = want as isize;
            (*a).ob_base.ob_size = n as isize;
            start.add(n).write(0);
        }
        Ok(())
    }
    /// Start of the content; never null.
    #[inline]
    pub fn data(&self) -> *mut u8 {
        // SAFETY: a live object's fields are readable.
        let p = unsafe { (*self.as_struct()).ob_start };
        if p.is_null() { EMPTY.as_ptr().cast_mut() } else { p.cast() }
    }
    /// Appends bytes that don't belong to this bytearray.
    pub fn extend_bytes(&self, b: &[u8]) -> PyResult<()> {
        let n = self.len();
        if b.is_empty() {
            return Ok(());
        }
        let Some(total) = n.checked_add(b.len()) else { return Err(set_object(exc::MemoryError(), None)) };
        self.resize(total)?;
        // SAFETY: just resized.
        unsafe { core::ptr::copy_nonoverlapping(b.as_ptr(), self.data().add(n), b.len()) };
        Ok(())
    }
    /// Replaces bytes `start..end` by `b`, which doesn't belong to this bytearray.
    pub fn splice(&self, start: usize, end: usize, b: &[u8]) -> PyResult<()> {
        let n = self.len();
        let (cut, tail) = (end - start, n - end);
        if b.len() < cut {
            self.check_resizable()?;
            // SAFETY: the moved ranges lie within the content.
            unsafe {
                let d = self.data();
                if start == 0 && n > cut {
                    // Removing at the front only moves the start.
                    let a = self.as_struct();
                    let k = cut - b.len();
                    (*a).ob_start = (*a).ob_start.add(k);
                    (*a).ob_base.ob_size = (n - k) as isize;
                } else {
                    core::ptr::copy(d.add(end), d.add(start + b.len()), tail);
                    self.resize(n - cut + b.len())?;
                }
            }
        } else if b.len() > cut {
            let Some(total) = n.checked_add(b.len() - cut) else {
                return Err(set_object(exc::MemoryError(), None));
            };
            self.resize(total)?;
            // SAFETY: just resized.
            unsafe {
                let d = self.data();
                core::ptr::copy(d.add(end), d.add(start + b.len()), tail);
            }
        }
        // SAFETY: `b.len()` bytes at `start` lie within the content now.
        unsafe { core::ptr::copy_nonoverlapping(b.as_ptr(), self.data().add(start), b.len()) };
        Ok(())
    }
    pub(crate) fn change_exports(&self, by: isize) {
        // SAFETY: a live object's fields are writable.
        unsafe { (*self.as_struct()).ob_exports += by }
    }
}

static EMPTY: [u8; 1] = [0];

/// `tp_dealloc`.
///
/// # Safety
/// The count of the object has just reached zero.
pub unsafe fn dealloc(p: *mut PyObject) {
    // SAFETY: nobody else sees the object; the block is its own.
    unsafe {
        let a = p.cast::<PyByteArrayObject>();
        if (*a).ob_exports > 0 {
            let _ = crate::raised!(SystemError, "deallocated bytearray object has exported buffers");
            write_unraisable(None, None);
        }
        alloc::free(std::mem::replace(&mut (*a).ob_bytes, null_mut()).cast());
        if (*p).ob_type == ByteArray::type_ptr() {
            alloc::put(p.cast(), size_of::<PyByteArrayObject>());
        } else {
            crate::typeobject::free_instance(p);
        }
    }
}
