//! `type`: readying types, the MRO, attribute lookup with its cache, allocation and deallocation of instances.
//!
//! Neighbours: `type_slots.rs` (the table of special methods, slot functions and wrappers), `type_new.rs` (class creation),
//! `type_attrs.rs` (the methods of `type`), `object_type.rs` (the methods of `object`).
//!
//! Versions: a type whose attributes have been looked up carries a number in `tp_version_tag` (valid while
//! `Py_TPFLAGS_VALID_VERSION_TAG` is set) that no other state of any type shares. Every change of a type's attributes goes through
//! `Type::modified`, which withdraws the number of the type and of its subclasses and tells the watchers. The method cache and
//! the interpreter's inline caches compare it.

use crate::prelude::*;
use crate::type_table::*;
use core::ffi::{CStr, c_int, c_void};
use lh_abi::*;
use std::cell::UnsafeCell;
use std::ptr::null_mut;

pub use crate::type_slots::set_slot;

// ---- Lookup ----

const CACHE_SIZE: usize = 4096;
#[derive(Clone, Copy)]
struct CacheEntry {
    version: u32,
    /// Owned, so that its address can't be reused.
    name: *mut PyObject,
    /// Borrowed from the type's MRO while the version holds; null: no such attribute.
    value: *mut PyObject,
}
struct Cache(UnsafeCell<[CacheEntry; CACHE_SIZE]>);
// SAFETY: only touched while the GIL is held.
unsafe impl Sync for Cache {}
static CACHE: Cache =
    Cache(UnsafeCell::new([CacheEntry { version: 0, name: null_mut(), value: null_mut() }; CACHE_SIZE]));
static NEXT_VERSION: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);

/// Is this exact string interned (so that its address is its identity)?
#[inline]
pub fn is_interned(s: &Str) -> bool {
    // SAFETY: the state word of a live string.
    unsafe { (*s.as_struct()).state & 3 != 0 }
}

/// Lookup on raw type pointers.
pub trait TypePtr {
    /// `_PyType_Lookup`: a borrowed pointer.
    ///
    /// # Safety
    /// A ready type; `name` is a string.
    unsafe fn lookup(self, name: *mut PyObject) -> Option<*mut PyObject>;
    /// Gives the type a version if it can have one.
    ///
    /// # Safety
    /// A ready type.
    unsafe fn assign_version(self) -> bool;
}

impl TypePtr for *mut PyTypeObject {
    #[inline]
    unsafe fn lookup(self, name: *mut PyObject) -> Option<*mut PyObject> {
        // SAFETY: the caller's promise; cache entries are valid while their version is.
        unsafe {
            let version = (*self).tp_version_tag;
            let i = (version as usize ^ (name as usize >> 4)) & (CACHE_SIZE - 1);
            let e = (&raw mut (*CACHE.0.get())[i]).cast::<CacheEntry>();
            if (*self).tp_flags & Py_TPFLAGS_VALID_VERSION_TAG != 0
                && (*e).version == version
                && (*e).name == name
            {
                return if (*e).value.is_null() { None } else { Some((*e).value) };
            }
            lookup_slow(self, name)
        }
    }
    unsafe fn assign_version(self) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            if (*self).tp_flags & Py_TPFLAGS_VALID_VERSION_TAG != 0 {
                return true;
            }
            if (*self).tp_flags & Py_TPFLAGS_READY == 0 {
                return false;
            }
            let bases = (*self).tp_bases.cast::<PyObject>();
            if !bases.is_null() {
                let b = Object::from_ptr(bases).downcast_unchecked::<Tuple>();
                for x in b.iter() {
                    if !x.as_ptr().cast::<PyTypeObject>().assign_version() {
                        return false;
                    }
                }
            }
            let v = NEXT_VERSION.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if v == 0 || v == u32::MAX {
                // Used up: stay unversioned for ever.
                NEXT_VERSION.store(u32::MAX, std::sync::atomic::Ordering::Relaxed);
                return false;
            }
            (*self).tp_version_tag = v;
            (*self).tp_flags |= Py_TPFLAGS_VALID_VERSION_TAG;
            true
        }
    }
}

/// What the type cache says of `name` in the type, if it knows: null for "nothing there".
///
/// # Safety
/// A live type and object.
#[inline(always)]
pub unsafe fn quick_lookup(t: *mut PyTypeObject, name: *mut PyObject) -> Option<*mut PyObject> {
    // SAFETY: the caller's promise; cache entries are valid while their version is.
    unsafe {
        let version = (*t).tp_version_tag;
        let e = (&raw const (*CACHE.0.get())[(version as usize ^ (name as usize >> 4)) & (CACHE_SIZE - 1)])
            .cast::<CacheEntry>();
        if (*t).tp_flags & Py_TPFLAGS_VALID_VERSION_TAG == 0 || (*e).version != version || (*e).name != name {
            return None;
        }
        Some((*e).value)
    }
}
/// The dictionary an instance has by now; null: none. `None`: it lies where a quick look doesn't reach.
#[inline(always)]
unsafe fn quick_dict(o: *mut PyObject) -> Option<*mut PyObject> {
    // SAFETY: a live object; offsets of a ready type lie inside the instance.
    unsafe {
        let t = (*o).ob_type;
        if (*t).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0 {
            return Some(*crate::instance::dict_word(o));
        }
        match (*t).tp_dictoffset {
            0 => Some(null_mut()),
            off if off > 0 => Some(*o.cast::<u8>().offset(off).cast::<*mut PyObject>()),
            _ => None,
        }
    }
}
/// Where an instance of `t` keeps what the descriptor `d` shows, if `d` is a member that holds any object; null: no answer.
#[inline(always)]
unsafe fn object_member(o: *mut PyObject, d: *mut PyObject, writing: bool) -> *mut *mut PyObject {
    // SAFETY: live objects; a member descriptor's offset lies inside the instances of its type.
    unsafe {
        if (*d).ob_type != MemberDescr::type_ptr() {
            return null_mut();
        }
        let d = d.cast::<PyMemberDescrObject>();
        let m = (*d).d_member;
        let forbidden = if writing { !0 } else { PY_AUDIT_READ };
        if (*d).d_common.d_type != (*o).ob_type || (*m).r#type != T_OBJECT_EX || (*m).flags & forbidden != 0 {
            return null_mut();
        }
        o.cast::<u8>().offset((*m).offset).cast()
    }
}
/// What `object.__getattribute__` finds without running anything, borrowed; null: no answer, unless `descriptor` was set to the one that has it.
///
/// # Safety
/// Live objects.
#[inline(always)]
unsafe fn quick_get(o: *mut PyObject, name: *mut PyObject, descriptor: &mut *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's promise; the cache holds names that are interned strings.
    unsafe {
        let Some(d) = quick_lookup((*o).ob_type, name) else { return null_mut() };
        if !d.is_null() && (*(*d).ob_type).tp_descr_set.is_some() {
            let m = object_member(o, d, false);
            if !m.is_null() {
                return *m;
            }
            if (*(*d).ob_type).tp_descr_get.is_some() {
                *descriptor = d;
            }
            return null_mut();
        }
        let v = match quick_dict(o) {
            None => return null_mut(),
            Some(dict) if !dict.is_null() => {
                match Object::from_ptr(dict).downcast_unchecked::<Dict>().first_value(name) {
                    Some(v) => v,
                    None => return null_mut(),
                }
            }
            Some(_) if (*(*o).ob_type).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0 => {
                let place = crate::instance::place(o, name);
                if place.is_null() { null_mut() } else { *place }
            }
            Some(_) => null_mut(),
        };
        if !v.is_null() || d.is_null() {
            return v;
        }
        if (*(*d).ob_type).tp_descr_get.is_none() {
            return d;
        }
        *descriptor = d;
        null_mut()
    }
}
/// What `object.__getattribute__` finds or misses without running anything.
pub enum Look {
    /// Borrowed.
    Found(*mut PyObject),
    Missing,
    Unknown,
}
/// Looks for an attribute of an instance whose type has `object.__getattribute__`.
///
/// # Safety
/// Live objects.
#[inline]
pub unsafe fn quick_look(o: *mut PyObject, name: *mut PyObject) -> Look {
    // SAFETY: the caller's promise.
    unsafe {
        if (*(*o).ob_type).tp_getattro != Some(generic_getattro) {
            return Look::Unknown;
        }
        let v = quick_get(o, name, &mut null_mut());
        if !v.is_null() {
            return Look::Found(v);
        }
        // Nothing in the type, and nothing in the instance?
        if quick_lookup((*o).ob_type, name) != Some(null_mut()) {
            return Look::Unknown;
        }
        match quick_dict(o) {
            Some(d) if d.is_null() => Look::Missing,
            Some(d)
                if Object::from_ptr(d).downcast_unchecked::<Dict>().first_value(name) == Some(null_mut()) =>
            {
                Look::Missing
            }
            _ => Look::Unknown,
        }
    }
}
/// Sets an attribute that is set already, where that runs nothing: the old value, which becomes the caller's (null: it was the same).
///
/// # Safety
/// Live objects.
#[inline(always)]
unsafe fn quick_set(o: *mut PyObject, name: *mut PyObject, value: *mut PyObject) -> Option<*mut PyObject> {
    // SAFETY: the caller's promise.
    unsafe {
        let d = quick_lookup((*o).ob_type, name)?;
        let place = if !d.is_null() && (*(*d).ob_type).tp_descr_set.is_some() {
            object_member(o, d, true)
        } else {
            let dict = quick_dict(o)?;
            if !dict.is_null() {
                return Object::from_ptr(dict).downcast_unchecked::<Dict>().first_replace(name, value);
            }
            if (*(*o).ob_type).tp_flags & Py_TPFLAGS_MANAGED_DICT == 0 {
                return None;
            }
            crate::instance::place(o, name)
        };
        if place.is_null() || (*place).is_null() {
            return None;
        }
        incref(value);
        Some(std::mem::replace(&mut *place, value))
    }
}
/// What `type.__getattribute__` finds without running anything, borrowed; null: no answer.
///
/// # Safety
/// A type and a live object.
#[inline(always)]
pub(crate) unsafe fn quick_type_get(t: *mut PyTypeObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        // Whatever the metaclass has, it must not come first.
        match quick_lookup((*t.cast::<PyObject>()).ob_type, name) {
            Some(m) if m.is_null() || (*(*m).ob_type).tp_descr_set.is_none() => {}
            _ => return null_mut(),
        }
        match quick_lookup(t, name) {
            Some(a) if !a.is_null() => {
                let plain = (*(*a).ob_type).tp_descr_get.is_none() || (*a).ob_type == Function::type_ptr();
                if plain { a } else { null_mut() }
            }
            _ => null_mut(),
        }
    }
}

#[inline(never)]
unsafe fn lookup_slow(t: *mut PyTypeObject, name: *mut PyObject) -> Option<*mut PyObject> {
    // SAFETY: a ready type; the MRO holds types; name comparison of strings runs no Python code.
    unsafe {
        let n = Object::from_ptr(name).downcast_unchecked::<Str>();
        let mut found = null_mut();
        let mro = (*t).tp_mro;
        if mro.is_null() {
            return None;
        }
        let mro = Object::from_ptr(mro).downcast_unchecked::<Tuple>().own();
        for c in mro.iter() {
            let d = (*c.as_ptr().cast::<PyTypeObject>()).tp_dict;
            if d.is_null() {
                continue;
            }
            match Object::from_ptr(d).downcast_unchecked::<Dict>().get_str_key(n) {
                Ok(Some(v)) => {
                    // Borrowed: the dictionary keeps it.
                    found = v.ptr();
                    break;
                }
                Ok(None) => {}
                Err(e) => {
                    e.clear();
                    return None;
                }
            }
        }
        if n.is_exact::<Str>() && is_interned(n) && n.len() < 100 && t.assign_version() {
            let version = (*t).tp_version_tag;
            let i = (version as usize ^ (name as usize >> 4)) & (CACHE_SIZE - 1);
            let e = (&raw mut (*CACHE.0.get())[i]).cast::<CacheEntry>();
            incref(name);
            let old = (*e).name;
            *e = CacheEntry { version, name, value: found };
            xdecref(old);
        }
        if found.is_null() { None } else { Some(found) }
    }
}

/// Called with every type whose version is withdrawn (the JIT's invalidation).
pub static TYPE_WATCHER: std::sync::OnceLock<fn(*mut PyTypeObject)> = std::sync::OnceLock::new();
/// Bit of `tp_flags` (in its unused upper half) that says that compiled code depends on the type.
pub const TPFLAGS_WATCHED: u64 = 1 << 40;

/// # Safety
/// `t` is a live type object.
pub unsafe fn type_modified(t: *mut PyTypeObject) {
    // SAFETY: the caller's promise; subclasses are weakly referenced and live while reported.
    unsafe {
        if (*t).tp_flags & Py_TPFLAGS_VALID_VERSION_TAG == 0 {
            return;
        }
        for s in subclasses(t) {
            type_modified(s.ptr().cast());
        }
        (*t).tp_flags &= !Py_TPFLAGS_VALID_VERSION_TAG;
        (*t).tp_version_tag = 0;
        if (*t).tp_flags & TPFLAGS_WATCHED != 0 {
            (*t).tp_flags &= !TPFLAGS_WATCHED;
            if let Some(f) = TYPE_WATCHER.get() {
                f(t)
            }
        }
    }
}

/// The living direct subclasses.
///
/// # Safety
/// `t` is a live type object.
pub unsafe fn subclasses(t: *mut PyTypeObject) -> Vec<Owned<Type>> {
    // SAFETY: tp_subclasses is null or our list of raw type pointers, which dying types leave.
    unsafe {
        let l = (*t).tp_subclasses.cast::<Vec<*mut PyTypeObject>>();
        if l.is_null() {
            return vec![];
        }
        (*l).iter()
            .filter(|s| (*s.cast::<PyObject>()).ob_refcnt > 0)
            .map(|s| Type::from_raw_ref(*s).own())
            .collect()
    }
}
/// # Safety
/// Both are live type objects.
pub unsafe fn add_subclass(base: *mut PyTypeObject, sub: *mut PyTypeObject) {
    // SAFETY: tp_subclasses is only used here and in its neighbours.
    unsafe {
        if (*base).tp_subclasses.is_null() {
            (*base).tp_subclasses = Box::into_raw(Box::new(Vec::<*mut PyTypeObject>::new())).cast();
        }
        let l = (*base).tp_subclasses.cast::<Vec<*mut PyTypeObject>>();
        if !(*l).contains(&sub) {
            (*l).push(sub)
        }
    }
}
/// # Safety
/// As `add_subclass`.
pub unsafe fn remove_subclass(base: *mut PyTypeObject, sub: *mut PyTypeObject) {
    // SAFETY: as add_subclass.
    unsafe {
        let l = (*base).tp_subclasses.cast::<Vec<*mut PyTypeObject>>();
        if !l.is_null() {
            (*l).retain(|x| *x != sub)
        }
    }
}

impl Type {
    /// `tp_name` as error messages show it.
    pub fn name(&self) -> String {
        // SAFETY: tp_name of a live type is a C string.
        unsafe { CStr::from_ptr((*self.tp()).tp_name).to_string_lossy().into_owned() }
    }
    /// `type.__name__`.
    pub fn short_name(&self) -> String {
        if self.has_flag(Py_TPFLAGS_HEAPTYPE) {
            // SAFETY: a heap type has the field.
            return unsafe {
                Object::from_ptr((*self.as_struct()).ht_name)
                    .downcast_unchecked::<Str>()
                    .to_str_lossy()
                    .into_owned()
            };
        }
        let n = self.name();
        n.rsplit('.').next().unwrap_or(&n).to_string()
    }
    pub fn is_subtype(&self, other: &Type) -> bool {
        // SAFETY: both are live.
        unsafe { is_subtype(self.tp(), other.tp()) }
    }
    /// `_PyType_Lookup`: through the MRO, no descriptors called, never raises.
    pub fn lookup(&self, name: &Str) -> Option<Owned<Object>> {
        // SAFETY: a live type; the result is owned before anything else runs.
        unsafe { TypePtr::lookup(self.tp(), name.raw()).map(|p| Object::from_ptr(p).own()) }
    }
    pub fn lookup_str(&self, name: &str) -> Option<Owned<Object>> {
        self.lookup(&Str::intern(Str::new(name)))
    }
    /// Sets an attribute of a built-in type while it is being made.
    pub fn set_builtin_attr(&self, name: &str, v: &Object) -> PyResult<()> {
        self.dict().set_item(&Str::intern(Str::new(name)), v)?;
        self.modified();
        Ok(())
    }
    /// `PyType_Modified`: invalidates caches and notifies watchers.
    pub fn modified(&self) {
        // SAFETY: a live type.
        unsafe { type_modified(self.tp()) }
    }
    #[inline]
    pub fn flags(&self) -> u64 {
        // SAFETY: a live type.
        unsafe { (*self.tp()).tp_flags }
    }
    #[inline]
    pub fn has_flag(&self, f: u64) -> bool {
        self.flags() & f != 0
    }
    pub fn mro(&self) -> Owned<Tuple> {
        // SAFETY: null or a tuple.
        unsafe {
            match Object::from_ptr_opt((*self.tp()).tp_mro) {
                Some(m) => m.downcast_unchecked::<Tuple>().own(),
                None => Tuple::empty(),
            }
        }
    }
    pub fn bases(&self) -> Owned<Tuple> {
        // SAFETY: null or a tuple.
        unsafe {
            match Object::from_ptr_opt((*self.tp()).tp_bases) {
                Some(m) => m.downcast_unchecked::<Tuple>().own(),
                None => Tuple::empty(),
            }
        }
    }
    pub fn base(&self) -> Option<&Type> {
        // SAFETY: a type keeps its base alive.
        unsafe { (*self.tp()).tp_base.as_mut().map(|b| Type::from_raw_ref(b)) }
    }
    pub fn dict(&self) -> &Dict {
        // SAFETY: a ready type has a dict and keeps it.
        unsafe { Object::from_ptr((*self.tp()).tp_dict).downcast_unchecked() }
    }
    /// A non-zero version of the type's attributes, 0 if none can be assigned.
    pub fn version(&self) -> u32 {
        // SAFETY: a live type.
        unsafe { if self.tp().assign_version() { (*self.tp()).tp_version_tag } else { 0 } }
    }
    pub fn is_heap(&self) -> bool {
        self.has_flag(Py_TPFLAGS_HEAPTYPE)
    }
}

// ---- Instances ----

/// Allocates a zeroed instance (`tp_alloc`) with `n` items, count 1, tracked if the type is.
pub fn alloc(tp: *mut PyTypeObject, n: isize) -> PyResult<*mut PyObject> {
    // SAFETY: ready types have tp_alloc.
    unsafe {
        let p = ((*tp).tp_alloc.unwrap_or(generic_alloc))(tp, n);
        if p.is_null() { Err(Raised::already_set()) } else { Ok(p) }
    }
}

/// `PyType_GenericAlloc`.
///
/// # Safety
/// `tp` is a ready type.
#[unsafe(export_name = "PyType_GenericAlloc")]
pub unsafe extern "C" fn generic_alloc(tp: *mut PyTypeObject, n: isize) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        let gc = (*tp).tp_flags & Py_TPFLAGS_HAVE_GC != 0;
        if crate::gc::one_size(tp) {
            let o = if gc { crate::gc::new_of_one_size(tp) } else { new_without_gc(tp) };
            if !o.is_null() {
                if gc {
                    crate::gc::track(o);
                }
                return o;
            }
        }
        // One more item: C code of var-sized types relies on a sentinel.
        let extra = if (*tp).tp_itemsize != 0 { n + 1 } else { n };
        let o = if gc {
            let o = crate::gc::new_object(tp, extra);
            if !o.is_null() && (*tp).tp_itemsize != 0 {
                (*o.cast::<PyVarObject>()).ob_size = n;
            }
            o
        } else {
            let o = crate::alloc::calloc(1, crate::gc::object_size(tp, extra)).cast::<PyObject>();
            if !o.is_null() {
                crate::gc::init_object(o, tp, n);
            }
            o
        };
        if o.is_null() {
            let _ = raised!(MemoryError, "");
            return o;
        }
        if gc {
            crate::gc::track(o);
        }
        o
    }
}

/// A zeroed instance of a type of one size without a GC head. Null: no memory.
#[inline(always)]
unsafe fn new_without_gc(tp: *mut PyTypeObject) -> *mut PyObject {
    // SAFETY: the GIL is held, the type is ready.
    unsafe {
        let size = crate::gc::object_size(tp, 0);
        let o = crate::alloc::take(size).cast::<PyObject>();
        if !o.is_null() {
            if size <= crate::alloc::SMALL {
                crate::alloc::zero(o.cast(), size)
            } else {
                o.cast::<u8>().write_bytes(0, size)
            }
            (*o).ob_refcnt = 1;
            (*o).ob_type = tp;
        }
        o
    }
}

/// `PyObject_Free` as `tp_free`.
///
/// # Safety
/// As `alloc::free`.
pub unsafe extern "C" fn object_free(p: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { crate::alloc::free(p) }
}
/// `PyObject_GC_Del` as `tp_free`.
///
/// # Safety
/// As `gc::free_object`.
pub unsafe extern "C" fn gc_del(p: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { crate::gc::free_object(p.cast()) }
}

/// Frees the memory of an instance through `tp_free`. The heap type of a subclass instance is released by
/// `subtype_dealloc`, which called the deallocator that calls this.
///
/// # Safety
/// `o`'s own references are dropped; it is not used again.
#[inline]
pub unsafe fn free_instance(o: *mut PyObject) {
    // SAFETY: ready types have tp_free.
    unsafe {
        let tp = (*o).ob_type;
        match (*tp).tp_free {
            Some(f) if f as usize == gc_del as *const () as usize => crate::gc::free_object(o),
            Some(f) if f as usize == object_free as *const () as usize && crate::gc::one_size(tp) => {
                crate::alloc::put(o.cast(), crate::gc::object_size(tp, 0))
            }
            Some(f) => f(o.cast()),
            None if (*(*o).ob_type).tp_flags & Py_TPFLAGS_HAVE_GC != 0 => crate::gc::free_object(o),
            None => crate::alloc::free(o.cast()),
        }
    }
}

/// Address of the instance dictionary's place (`tp_dictoffset`), null if there is none or it is managed.
///
/// # Safety
/// `o` is a live object.
pub unsafe fn dict_ptr(o: *mut PyObject) -> *mut *mut PyObject {
    // SAFETY: offsets of a ready type lie inside the instance; negative ones count from its end.
    unsafe {
        let t = (*o).ob_type;
        let off = (*t).tp_dictoffset;
        if off == 0 || (*t).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0 {
            return null_mut();
        }
        if off > 0 {
            return o.cast::<u8>().offset(off).cast();
        }
        let n = (*o.cast::<PyVarObject>()).ob_size.unsigned_abs();
        let size = ((*t).tp_basicsize as usize + n * (*t).tp_itemsize as usize).next_multiple_of(8);
        o.cast::<u8>().add(size).offset(off).cast()
    }
}

/// Runs `tp_finalize` once for a dying object; true if it was resurrected.
///
/// # Safety
/// Called by a deallocator: the count of `o` is 0.
pub unsafe fn finalize_from_dealloc(o: *mut PyObject) -> bool {
    // SAFETY: the caller's promise; the count is raised while the finaliser looks at the object.
    unsafe {
        (*o).ob_refcnt = 1;
        finalize(o);
        (*o).ob_refcnt -= 1;
        (*o).ob_refcnt > 0
    }
}
/// `PyObject_CallFinalizer`.
///
/// # Safety
/// `o` is live.
pub unsafe fn finalize(o: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe {
        let t = (*o).ob_type;
        let Some(f) = (*t).tp_finalize else { return };
        let gc = crate::gc::is_gc_object(o);
        if gc && crate::gc::is_finalized(o) {
            return;
        }
        f(o);
        if gc {
            crate::gc::set_finalized(o);
        }
    }
}

/// The deallocator of classes made in Python (and of C heap types that inherit it).
///
/// # Safety
/// Called once, when the count has reached zero.
pub unsafe extern "C" fn subtype_dealloc(o: *mut PyObject) {
    // SAFETY: the object is dying and nobody else refers to it; the base's deallocator frees the memory.
    unsafe {
        let t = (*o).ob_type;
        let gc = (*t).tp_flags & Py_TPFLAGS_HAVE_GC != 0;
        let mut base = t;
        while (*base).tp_dealloc == Some(subtype_dealloc) {
            base = (*base).tp_base;
        }
        let base_dealloc = (*base).tp_dealloc.expect("object has one");
        if (*t).tp_finalize.is_some() {
            if gc {
                crate::gc::track(o);
            }
            if finalize_from_dealloc(o) {
                return;
            }
        }
        if let Some(del) = (*t).tp_del {
            if gc {
                crate::gc::track(o);
            }
            if (*t).tp_weaklistoffset > 0 && (*base).tp_weaklistoffset == 0 {
                crate::weakref::clear_weakrefs(o);
            }
            // The slot itself counts the object up while it looks at it.
            del(o);
            if (*o).ob_refcnt > 0 {
                return;
            }
        }
        if gc {
            crate::gc::untrack(o);
        }
        if (*t).tp_weaklistoffset > 0 && (*base).tp_weaklistoffset == 0 {
            crate::weakref::clear_weakrefs(o);
        }
        let mut b = t;
        while b != base {
            if (*b).ob_base.ob_size != 0 && (*b).tp_flags & Py_TPFLAGS_HEAPTYPE != 0 {
                clear_slots(b, o);
            }
            b = (*b).tp_base;
        }
        if (*t).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0 {
            if (*base).tp_flags & Py_TPFLAGS_MANAGED_DICT == 0 {
                crate::instance::clear(o);
            }
        } else if (*t).tp_dictoffset != 0 && (*base).tp_dictoffset == 0 {
            let p = dict_ptr(o);
            if !p.is_null() {
                xdecref(std::mem::replace(&mut *p, null_mut()));
            }
        }
        if gc && (*base).tp_flags & Py_TPFLAGS_HAVE_GC != 0 {
            crate::gc::track(o);
        }
        // The class of the object may have been changed by what ran above.
        let t = (*o).ob_type;
        let release = (*t).tp_flags & Py_TPFLAGS_HEAPTYPE != 0 && (*base).tp_flags & Py_TPFLAGS_HEAPTYPE == 0;
        base_dealloc(o);
        if release {
            decref(t.cast());
        }
    }
}

/// The `__slots__` members of a heap type.
unsafe fn slot_members<'a>(t: *mut PyTypeObject) -> &'a [PyMemberDef] {
    // SAFETY: ob_size member rows follow a heap type's struct (see type_new.rs).
    unsafe {
        let n = (*t).ob_base.ob_size as usize;
        // A metaclass's instances may be larger than a plain heap type.
        let meta = (*t).ob_base.ob_base.ob_type;
        let p = t.cast::<u8>().add((*meta).tp_basicsize as usize).cast::<PyMemberDef>();
        std::slice::from_raw_parts(p, n)
    }
}
unsafe fn clear_slots(t: *mut PyTypeObject, o: *mut PyObject) {
    // SAFETY: member offsets lie inside the instance.
    unsafe {
        for m in slot_members(t) {
            if m.r#type == T_OBJECT_EX && m.flags & READONLY == 0 {
                let p = o.cast::<u8>().offset(m.offset).cast::<*mut PyObject>();
                xdecref(std::mem::replace(&mut *p, null_mut()));
            }
        }
    }
}

/// `tp_traverse` of classes made in Python.
///
/// # Safety
/// Called by the collector.
pub unsafe extern "C" fn subtype_traverse(o: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live instance.
    unsafe {
        let t = (*o).ob_type;
        let mut v = Visitor { visit, arg, result: 0 };
        let mut base = t;
        while (*base).tp_traverse == Some(subtype_traverse) {
            if (*base).ob_base.ob_size != 0 {
                for m in slot_members(base) {
                    if m.r#type == T_OBJECT_EX {
                        v.visit_ptr(*o.cast::<u8>().offset(m.offset).cast::<*mut PyObject>());
                    }
                }
            }
            base = (*base).tp_base;
        }
        if (*t).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0 {
            crate::instance::traverse(o, &mut v);
        } else if (*t).tp_dictoffset != (*base).tp_dictoffset {
            let p = dict_ptr(o);
            if !p.is_null() {
                v.visit_ptr(*p);
            }
        }
        if (*t).tp_flags & Py_TPFLAGS_HEAPTYPE != 0
            && ((*base).tp_traverse.is_none() || (*base).tp_flags & Py_TPFLAGS_HEAPTYPE == 0)
        {
            v.visit_ptr(t.cast());
        }
        if v.result == 0
            && let Some(f) = (*base).tp_traverse
        {
            v.result = f(o, visit, arg);
        }
        v.result
    }
}

/// `tp_clear` of classes made in Python.
///
/// # Safety
/// Called by the collector.
pub unsafe extern "C" fn subtype_clear(o: *mut PyObject) -> c_int {
    // SAFETY: a live instance.
    unsafe {
        let t = (*o).ob_type;
        let mut base = t;
        while (*base).tp_clear == Some(subtype_clear) {
            if (*base).ob_base.ob_size != 0 {
                clear_slots(base, o);
            }
            base = (*base).tp_base;
        }
        if (*t).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0 {
            crate::instance::clear(o);
        } else if (*t).tp_dictoffset != (*base).tp_dictoffset {
            let p = dict_ptr(o);
            if !p.is_null() {
                xdecref(std::mem::replace(&mut *p, null_mut()));
            }
        }
        match (*base).tp_clear {
            Some(f) => f(o),
            None => 0,
        }
    }
}

// ---- Slots that generic code compares by address ----

/// `PyObject_GenericGetAttr` as a slot. C code puts it into types, and compares with it, by this name.
///
/// # Safety
/// A slot: live objects.
#[unsafe(export_name = "PyObject_GenericGetAttr")]
pub unsafe extern "C" fn generic_getattro(o: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: slots are called with live objects.
    unsafe {
        let mut d = null_mut();
        let v = quick_get(o, name, &mut d);
        if !v.is_null() {
            incref(v);
            return v;
        }
        if d.is_null() {
            return whole_getattro(o, name);
        }
        // It may lose its place in the class meanwhile.
        incref(d);
        let v = (*(*d).ob_type).tp_descr_get.unwrap_unchecked()(d, o, (*o).ob_type.cast());
        decref(d);
        v
    }
}
#[inline(never)]
unsafe extern "C" fn whole_getattro(o: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    crate::border::object(|| {
        // SAFETY: slots are called with live objects.
        let (o, n) = unsafe { (Object::from_ptr(o), Object::from_ptr(name)) };
        match n.downcast::<Str>() {
            Some(s) => o.generic_get_attr(s),
            None => raise!(TypeError, "attribute name must be string, not '{}'", n.ty().name()),
        }
    })
}
/// `PyObject_GenericSetAttr` as a slot, likewise.
///
/// # Safety
/// A slot: live objects, the value may be null.
#[unsafe(export_name = "PyObject_GenericSetAttr")]
pub unsafe extern "C" fn generic_setattro(
    o: *mut PyObject,
    name: *mut PyObject,
    value: *mut PyObject,
) -> c_int {
    // SAFETY: slots are called with live objects; the old value is dropped when the new one is in place.
    unsafe {
        if !value.is_null()
            && let Some(old) = quick_set(o, name, value)
        {
            xdecref(old);
            return 0;
        }
        whole_setattro(o, name, value)
    }
}
#[inline(never)]
unsafe extern "C" fn whole_setattro(o: *mut PyObject, name: *mut PyObject, value: *mut PyObject) -> c_int {
    crate::border::status(|| {
        // SAFETY: slots are called with live objects.
        let (o, n, v) = unsafe { (Object::from_ptr(o), Object::from_ptr(name), Object::from_ptr_opt(value)) };
        match n.downcast::<Str>() {
            Some(s) => o.generic_set_attr(s, v),
            None => raise!(TypeError, "attribute name must be string, not '{}'", n.ty().name()),
        }
    })
}
/// `tp_hash` of types that are not hashable (`PyObject_HashNotImplemented`).
///
/// # Safety
/// A slot: a live object.
#[unsafe(export_name = "PyObject_HashNotImplemented")]
pub unsafe extern "C" fn hash_not_implemented(o: *mut PyObject) -> isize {
    // SAFETY: slots are called with live objects.
    let _ = unsafe { raised!(TypeError, "unhashable type: '{}'", Object::from_ptr(o).ty().name()) };
    -1
}
/// `tp_iternext` of types that are no iterators (`_PyObject_NextNotImplemented`).
///
/// # Safety
/// A slot: a live object.
pub unsafe extern "C" fn next_not_implemented(o: *mut PyObject) -> *mut PyObject {
    // SAFETY: slots are called with live objects.
    let _ = unsafe { raised!(TypeError, "'{}' object is not iterable", Object::from_ptr(o).ty().name()) };
    null_mut()
}
/// Identity hash.
///
/// # Safety
/// A slot: a live object.
pub unsafe extern "C" fn hash_pointer(o: *mut PyObject) -> isize {
    let h = (o as usize).rotate_right(4) as isize;
    if h == -1 { -2 } else { h }
}

// ---- The MRO ----

fn bases_slice(b: &Tuple) -> Vec<&Type> {
    // SAFETY: bases of a type are types.
    b.iter().map(|x| unsafe { x.downcast_unchecked::<Type>() }).collect()
}

/// The C3 linearisation of a type from its bases.
pub fn compute_mro(t: &Type) -> PyResult<Vec<Owned<Object>>> {
    let bases = t.bases();
    let bs = bases_slice(&bases);
    for (i, b) in bs.iter().enumerate() {
        if bs[..i].iter().any(|x| x.is(*b)) {
            return raise!(TypeError, "duplicate base class {}", b.short_name());
        }
    }
    // SAFETY: bases are types.
    if let Some(b) = bs.iter().find(|b| unsafe { (*b.tp()).tp_mro.is_null() }) {
        return raise!(
            TypeError,
            "Cannot extend an incomplete type '{}'",
            crate::strobject::clip(&b.name(), 100)
        );
    }
    let mut lists: Vec<Vec<Owned<Object>>> =
        bs.iter().map(|b| b.mro().iter().map(|x| x.own()).collect::<Vec<_>>()).collect();
    lists.push(bs.iter().map(|b| b.as_object().own()).collect());
    let mut out = vec![t.as_object().own()];
    let mut heads = vec![0usize; lists.len()];
    loop {
        if heads.iter().zip(&lists).all(|(h, l)| *h >= l.len()) {
            return Ok(out);
        }
        let mut pick = None;
        for (i, l) in lists.iter().enumerate() {
            let Some(c) = l.get(heads[i]) else { continue };
            let blocked = lists.iter().zip(&heads).any(|(m, h)| m.iter().skip(*h + 1).any(|x| x.is(&**c)));
            if !blocked {
                pick = Some(c.clone());
                break;
            }
        }
        let Some(c) = pick else {
            let mut names: Vec<String> = vec![];
            for (i, l) in lists.iter().enumerate() {
                if let Some(x) = l.get(heads[i]) {
                    let n = x.downcast::<Type>().map_or_else(String::new, |t| t.short_name());
                    if !names.contains(&n) {
                        names.push(n)
                    }
                }
            }
            return raise!(
                TypeError,
                "Cannot create a consistent method resolution\norder (MRO) for bases {}",
                names.join(", ")
            );
        };
        for (i, l) in lists.iter().enumerate() {
            if l.get(heads[i]).is_some_and(|x| x.is(&*c)) {
                heads[i] += 1;
            }
        }
        out.push(c);
    }
}

/// Computes and stores the MRO, asking a metaclass's `mro()` if it has its own.
///
/// # Safety
/// `tp` is a type with bases set.
pub unsafe fn set_mro(tp: *mut PyTypeObject) -> PyResult<()> {
    // SAFETY: the caller's promise.
    unsafe {
        let t = Type::from_raw_ref(tp);
        let meta = t.ty();
        let custom = if meta.tp() == &raw mut PyType_Type {
            None
        } else {
            let own = Type::class().lookup(intern!("mro"));
            meta.lookup(intern!("mro")).filter(|m| !own.as_deref().is_some_and(|o| o.is(&**m)))
        };
        let items = match custom {
            None => compute_mro(t)?,
            Some(_) => {
                let m = t.lookup_special(intern!("mro"))?.expect("just found");
                let items = m.call0()?.to_items()?;
                for c in &items {
                    let Some(c) = c.downcast::<Type>() else {
                        return raise!(TypeError, "mro() returned a non-class ('{}')", c.ty().name());
                    };
                    let solid = crate::type_new::solid_base(t.tp());
                    if !is_subtype(solid, crate::type_new::solid_base(c.tp())) {
                        return raise!(
                            TypeError,
                            "mro() returned base with unsuitable layout ('{}')",
                            c.short_name()
                        );
                    }
                }
                items
            }
        };
        let new = Tuple::from_vec(items);
        let old = std::mem::replace(&mut (*tp).tp_mro, new.into_raw());
        type_modified(tp);
        xdecref(old);
        Ok(())
    }
}

// ---- Readying ----

/// `PyType_Ready`.
///
/// # Safety
/// `tp` is a type object, static or made by `type_new`, whose fields are set as the C documentation asks.
pub unsafe fn ready(tp: *mut PyTypeObject) -> PyResult<()> {
    // SAFETY: the caller's promise.
    unsafe {
        // A class whose metaclass's `mro()` runs right now is being readied already.
        if (*tp).tp_flags & (Py_TPFLAGS_READY | Py_TPFLAGS_READYING) != 0 {
            return Ok(());
        }
        (*tp).tp_flags |= Py_TPFLAGS_READYING;
        let r = ready_inner(tp);
        (*tp).tp_flags &= !Py_TPFLAGS_READYING;
        if r.is_ok() {
            (*tp).tp_flags |= Py_TPFLAGS_READY;
        }
        r
    }
}

unsafe fn ready_inner(tp: *mut PyTypeObject) -> PyResult<()> {
    // SAFETY: see `ready`.
    unsafe {
        let object = &raw mut PyBaseObject_Type;
        if (*tp).tp_name.is_null() {
            return raise!(SystemError, "Type does not define the tp_name field.");
        }
        // Static built-in types are immutable.
        if (*tp).tp_flags & Py_TPFLAGS_HEAPTYPE == 0 {
            (*tp).tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
        }
        if tp == object {
            (*tp).tp_base = null_mut();
        } else if (*tp).tp_base.is_null() {
            (*tp).tp_base = object;
        }
        let base = (*tp).tp_base;
        if !base.is_null() {
            if (*base).tp_flags & Py_TPFLAGS_READY == 0 {
                ready(base)?;
            }
            if (*tp).tp_flags & Py_TPFLAGS_HEAPTYPE == 0 {
                incref(base.cast());
            }
        }
        if (*tp).ob_base.ob_base.ob_type.is_null() {
            (*tp).ob_base.ob_base.ob_type =
                if base.is_null() { &raw mut PyType_Type } else { (*base).ob_base.ob_base.ob_type };
        }
        if (*tp).tp_bases.is_null() {
            let v = if base.is_null() { vec![] } else { vec![Type::from_raw_ref(base).own().into_object()] };
            (*tp).tp_bases = Tuple::from_vec(v).into_raw();
        }
        if (*tp).tp_dict.is_null() {
            (*tp).tp_dict = Dict::new().into_raw();
        }
        if (*tp).ob_base.ob_base.ob_refcnt == 0 {
            (*tp).ob_base.ob_base.ob_refcnt = 1;
        }
        crate::type_slots::add_operators(tp)?;
        crate::descrobject::add_methods(tp)?;
        crate::descrobject::add_members(tp)?;
        crate::descrobject::add_getset(tp)?;
        set_mro(tp)?;
        if !base.is_null() {
            crate::type_slots::inherit_special(tp, base);
            // Too small for an object of the base, whose functions will be called on it. (`object` fits in every block there is.)
            if (*tp).tp_basicsize < (*base).tp_basicsize && base != Object::type_ptr() {
                (*tp).tp_basicsize = (*base).tp_basicsize;
            }
            let mro = Type::from_raw_ref(tp).mro();
            for b in mro.iter().skip(1) {
                crate::type_slots::inherit_slots(tp, b.as_ptr().cast());
                crate::type_slots::inherit_patma_flags(tp, b.as_ptr().cast());
            }
            crate::type_slots::inherit_tables(tp, base);
        }
        if (*tp).tp_flags & Py_TPFLAGS_HAVE_GC != 0 && (*tp).tp_traverse.is_none() {
            return raise!(
                SystemError,
                "type {} has the Py_TPFLAGS_HAVE_GC flag but has no traverse function",
                Type::from_raw_ref(tp).name()
            );
        }
        if (*tp).tp_alloc.is_none() {
            (*tp).tp_alloc = Some(generic_alloc);
        }
        if (*tp).tp_free.is_none() {
            let gc = (*tp).tp_flags & Py_TPFLAGS_HAVE_GC != 0;
            (*tp).tp_free = Some(if gc { gc_del } else { object_free });
        }
        // `__doc__`, `__hash__`, `__new__`.
        let dict = Type::from_raw_ref(tp).dict();
        if !dict.contains(intern!("__doc__"))? {
            let doc = if (*tp).tp_doc.is_null() {
                none()
            } else {
                let n = CStr::from_ptr((*tp).tp_name).to_string_lossy();
                match crate::methodobject::split_doc(&n, Some(CStr::from_ptr((*tp).tp_doc))).0 {
                    Some(d) => Str::new(&d).into_object(),
                    None => none(),
                }
            };
            dict.set_item(intern!("__doc__"), &doc)?;
        }
        if !dict.contains(intern!("__hash__"))?
            && ((*tp).tp_hash.is_none() || (*tp).tp_hash == Some(hash_not_implemented))
        {
            dict.set_item(intern!("__hash__"), none_ref())?;
            (*tp).tp_hash = Some(hash_not_implemented);
        }
        if (*tp).tp_flags & Py_TPFLAGS_DISALLOW_INSTANTIATION != 0 {
            (*tp).tp_new = None;
        } else if (*tp).tp_new.is_some() {
            crate::type_slots::add_tp_new_wrapper(tp)?;
        } else if !base.is_null() {
            let static_of_object = base == object && (*tp).tp_flags & Py_TPFLAGS_HEAPTYPE == 0;
            if static_of_object {
                (*tp).tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
            } else {
                (*tp).tp_new = (*base).tp_new;
            }
        }
        for b in Type::from_raw_ref(tp).bases().iter() {
            add_subclass(b.as_ptr().cast(), tp);
        }
        Ok(())
    }
}

/// Gives a heap type its doc string (without a NUL), which it owns.
///
/// # Safety
/// A heap type that has none yet.
pub unsafe fn set_doc(t: *mut PyTypeObject, text: &[u8]) {
    let p = crate::alloc::malloc(text.len() + 1).cast::<u8>();
    if p.is_null() {
        return;
    }
    // SAFETY: room for the text and its end.
    unsafe {
        p.copy_from_nonoverlapping(text.as_ptr(), text.len());
        p.add(text.len()).write(0);
        (*t).tp_doc = p.cast();
    }
}
