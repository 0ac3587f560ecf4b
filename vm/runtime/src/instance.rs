//! Attribute storage of instances whose type has `Py_TPFLAGS_MANAGED_DICT`.
//!
//! The block of such an object, downwards from its head (words before `obj`):
//!
//! ```text
//!   base ─▶ [capacity][value 0][value 1]…[value capacity-1][base][dict][gc next][gc prev] ◀─ obj
//!                                                          obj[-4] [-3]
//! ```
//!
//! The type's *shared keys* (`ht_cached_keys`) name the values: an append-only list of interned strings, so (type, index) never
//! changes meaning. A null value means "not set". As long as `dict` is null the values hold the attributes; when somebody asks for
//! `__dict__`, or an attribute doesn't fit (table full, or set out of order, which the dictionary's order would show), the values
//! move into a real dict once and for all. `base` stays valid for the object's whole life: the block starts there.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use core::ffi::c_void;
use lh_abi::*;
use std::ptr::null_mut;

/// More names than this are never shared.
pub const MAX_KEYS: usize = 30;

/// A type's shared attribute names.
pub struct SharedKeys {
    /// Interned strings, each owning a reference.
    names: Vec<*mut PyObject>,
    count: usize,
    /// The class's `__init__` (borrowed), as long as the type's version is `init_version`.
    pub init: *mut PyObject,
    pub init_version: u32,
    /// As `init`, for `__getitem__`.
    pub getitem: *mut PyObject,
    pub getitem_version: u32,
}

impl SharedKeys {
    /// The index of an interned name.
    #[inline]
    pub fn index_of(&self, name: *mut PyObject) -> Option<usize> {
        self.names.iter().position(|n| *n == name)
    }
    pub fn len(&self) -> usize {
        self.count
    }
    /// Where the number of names lies, for code that watches it.
    pub fn len_ptr(&self) -> *const usize {
        &raw const self.count
    }
    fn add(&mut self, name: &Str) -> Option<usize> {
        if self.names.len() >= MAX_KEYS {
            return None;
        }
        self.names.push(name.own().into_raw());
        self.count = self.names.len();
        Some(self.names.len() - 1)
    }
}

/// The shared keys of a heap type (made on first use).
///
/// # Safety
/// `t` is a heap type with managed dicts.
pub unsafe fn shared_keys(t: *mut PyTypeObject) -> *mut SharedKeys {
    // SAFETY: a heap type has the field; it is only ever set here.
    unsafe {
        let ht = t.cast::<PyHeapTypeObject>();
        if (*ht).ht_cached_keys.is_null() {
            (*ht).ht_cached_keys = Box::into_raw(Box::new(SharedKeys {
                names: Vec::new(),
                count: 0,
                init: null_mut(),
                init_version: 0,
                getitem: null_mut(),
                getitem_version: 0,
            }))
            .cast();
        }
        (*ht).ht_cached_keys.cast()
    }
}

/// Frees a dying type's shared keys.
///
/// # Safety
/// The type is being deallocated.
pub unsafe fn free_shared_keys(t: *mut PyTypeObject) {
    // SAFETY: the caller's promise.
    unsafe {
        let ht = t.cast::<PyHeapTypeObject>();
        let k = std::mem::replace(&mut (*ht).ht_cached_keys, null_mut()).cast::<SharedKeys>();
        if !k.is_null() {
            for n in Box::from_raw(k).names {
                decref(n)
            }
        }
    }
}

/// How many values a new instance of `t` gets.
///
/// # Safety
/// `t` is a heap type with managed dicts.
pub unsafe fn capacity_for(t: *mut PyTypeObject) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        match (*shared_keys(t)).len() {
            // Nobody knows yet.
            0 => 12,
            n => (n + 1).clamp(4, MAX_KEYS),
        }
    }
}

/// Bytes in front of the GC head of an instance with room for `capacity` values.
#[inline]
pub fn front_size(capacity: usize) -> usize {
    (1 + capacity + 2) * 8
}

/// The word `obj[i]` of the pre-header.
#[inline]
unsafe fn word(o: *mut PyObject, i: isize) -> *mut *mut PyObject {
    // SAFETY: managed objects have four words in front of their head.
    unsafe { o.cast::<*mut PyObject>().offset(i) }
}

/// Address of value `i`.
///
/// # Safety
/// `o` has managed attributes and `i` is below its capacity.
#[inline]
pub unsafe fn value_at(o: *mut PyObject, i: usize) -> *mut *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe { (*word(o, -4)).cast::<*mut PyObject>().add(1 + i) }
}
/// # Safety
/// `o` has managed attributes.
#[inline]
pub unsafe fn capacity(o: *mut PyObject) -> usize {
    // SAFETY: the caller's promise.
    unsafe { *(*word(o, -4)).cast::<usize>() }
}
/// Address of the dict word.
///
/// # Safety
/// `o` has managed attributes.
#[inline]
pub unsafe fn dict_word(o: *mut PyObject) -> *mut *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe { word(o, -3) }
}

/// Does the object keep its attributes this way?
#[inline]
pub fn is_managed(o: &Object) -> bool {
    // SAFETY: a live object has a live type.
    unsafe { (*o.ob_type()).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0 }
}

/// The attribute `name` (interned), not looking at the type.
///
/// # Safety
/// `o` has managed attributes.
pub unsafe fn get(o: *mut PyObject, name: &Str) -> PyResult<Option<Owned<Object>>> {
    // SAFETY: the caller's promise.
    unsafe {
        let d = *dict_word(o);
        if !d.is_null() {
            let d = Object::from_ptr(d).downcast_unchecked::<Dict>().own();
            return d.get_str_key(name);
        }
        match (*shared_keys((*o).ob_type)).index_of(name.raw()) {
            Some(i) if i < capacity(o) => Ok(Object::from_ptr_opt(*value_at(o, i)).map(|v| v.own())),
            _ => Ok(None),
        }
    }
}

/// Where the attribute `name` (interned) is kept, if that is an inline value and the object has no dictionary; null if not.
///
/// # Safety
/// `o` has managed attributes.
#[inline(always)]
pub unsafe fn place(o: *mut PyObject, name: *mut PyObject) -> *mut *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        let keys = (*(*o).ob_type.cast::<PyHeapTypeObject>()).ht_cached_keys.cast::<SharedKeys>();
        if keys.is_null() || !(*dict_word(o)).is_null() {
            return null_mut();
        }
        match (*keys).index_of(name) {
            Some(i) if i < capacity(o) => value_at(o, i),
            _ => null_mut(),
        }
    }
}

/// May value `i`, which is not set, be set without breaking the order of the attributes: are the later ones unset as well?
///
/// # Safety
/// `o` has managed attributes, no dictionary, and `i` is below its capacity.
#[inline]
pub unsafe fn is_next(o: *mut PyObject, i: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let (p, n) = (value_at(o, 0), capacity(o));
        let mut j = i + 1;
        while j < n {
            if !(*p.add(j)).is_null() {
                return false;
            }
            j += 1;
        }
        true
    }
}

/// Sets (or deletes: `None`) the attribute `name` (interned). Deleting what is not there answers false.
///
/// # Safety
/// `o` has managed attributes.
pub unsafe fn set(o: *mut PyObject, name: &Str, value: Option<&Object>) -> PyResult<bool> {
    // SAFETY: the caller's promise; the old value is dropped after the new one is in place.
    unsafe {
        if (*dict_word(o)).is_null() {
            let keys = shared_keys((*o).ob_type);
            let at = (*keys).index_of(name.raw());
            let Some(v) = value else {
                let Some(i) = at.filter(|i| *i < capacity(o)) else { return Ok(false) };
                let old = std::mem::replace(&mut *value_at(o, i), null_mut());
                let had = !old.is_null();
                xdecref(old);
                return Ok(had);
            };
            if let Some(i) = at.or_else(|| (*keys).add(name))
                && i < capacity(o)
            {
                let p = value_at(o, i);
                let old = *p;
                if !old.is_null() || is_next(o, i) {
                    *p = v.own().into_raw();
                    xdecref(old);
                    return Ok(true);
                }
            }
        }
        let d = dict(o);
        match value {
            Some(v) => d.set_item(name, v).map(|()| true),
            None => d.del_item(name),
        }
    }
}

/// The instance's dictionary, made now if need be.
///
/// # Safety
/// `o` has managed attributes.
pub unsafe fn dict(o: *mut PyObject) -> Owned<Dict> {
    // SAFETY: the caller's promise; the names are strings, so inserting runs no Python code.
    unsafe {
        if (*dict_word(o)).is_null() {
            let d = Dict::new();
            let keys = shared_keys((*o).ob_type);
            for i in 0..capacity(o).min((*keys).len()) {
                let v = std::mem::replace(&mut *value_at(o, i), null_mut());
                if let Some(v) = Owned::<Object>::from_raw_opt(v) {
                    let n = Object::from_ptr((&(*keys).names)[i]);
                    if let Err(e) = d.set_item(n, &v) {
                        e.clear();
                    }
                }
            }
            *dict_word(o) = d.into_raw();
        }
        Object::from_ptr(*dict_word(o)).downcast_unchecked::<Dict>().own()
    }
}

/// Replaces the dictionary (`obj.__dict__ = d`; `None` deletes: a fresh one is made on demand).
///
/// # Safety
/// `o` has managed attributes.
pub unsafe fn set_dict(o: *mut PyObject, d: Option<&Dict>) {
    // SAFETY: the caller's promise.
    unsafe {
        // Moves any values out, so that they are dropped with the old dictionary.
        let old = dict(o);
        let new = d.map_or_else(Dict::new, |d| d.own());
        let before = std::mem::replace(&mut *dict_word(o), new.into_raw());
        drop(old);
        xdecref(before);
    }
}

/// Visits what the attributes hold.
///
/// # Safety
/// `o` has managed attributes.
pub unsafe fn traverse(o: *mut PyObject, v: &mut Visitor) {
    // SAFETY: the caller's promise.
    unsafe {
        for i in 0..capacity(o) {
            v.visit_ptr(*value_at(o, i));
        }
        v.visit_ptr(*dict_word(o));
    }
}

/// Drops all attributes.
///
/// # Safety
/// `o` has managed attributes.
pub unsafe fn clear(o: *mut PyObject) {
    // SAFETY: the caller's promise; each word is emptied before its reference goes.
    unsafe {
        for i in 0..capacity(o) {
            xdecref(std::mem::replace(&mut *value_at(o, i), null_mut()));
        }
        xdecref(std::mem::replace(&mut *dict_word(o), null_mut()));
    }
}

/// The start of the memory block.
///
/// # Safety
/// `o` has managed attributes.
pub unsafe fn block_start(o: *mut PyObject) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { (*word(o, -4)).cast() }
}
