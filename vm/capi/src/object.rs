//! `object.h`: reference counts, attributes, comparison, conversion to text.

use crate::names::Name;
use crate::prelude::*;
use lh_runtime::{gc, typeobject};

fn name(o: &Object) -> PyResult<&Str> {
    match o.downcast::<Str>() {
        Some(s) => Ok(s),
        None => raise!(TypeError, "attribute name must be string, not '{}'", o.ty().name()),
    }
}
fn set(o: &Object, n: &Str, v: Option<&Object>) -> PyResult<()> {
    match v {
        Some(v) => o.set_attr(n, v),
        None => o.del_attr(n),
    }
}
fn text_or_null(o: Option<&Object>, f: impl FnOnce(&Object) -> PyResult<Owned<Str>>) -> PyResult<Owned<Str>> {
    match o {
        None => Ok(Str::new("<NULL>")),
        Some(o) => f(o),
    }
}
fn add_type_count(o: *mut PyObject, t: *mut PyTypeObject) {
    // SAFETY: fresh memory for an instance of a live type.
    unsafe {
        (*o).ob_type = t;
        (*o).ob_refcnt = 1;
        if (*t).tp_flags & Py_TPFLAGS_HEAPTYPE != 0 {
            incref(t.cast());
        }
    }
}
/// Stores an optional attribute the way `_PyObject_LookupAttr` answers: 1 found, 0 missing, -1 error.
///
/// # Safety
/// `out` is writable.
unsafe fn lookup(r: PyResult<Option<Owned<Object>>>, out: *mut *mut PyObject) -> PyResult<c_int> {
    let v = r?;
    let found = v.is_some() as c_int;
    // SAFETY: the caller's promise.
    unsafe { *out = v.map_or(null_mut(), Owned::into_raw) };
    Ok(found)
}

/// `_Py_Identifier`.
#[repr(C)]
pub struct Identifier {
    pub string: *const c_char,
    /// -1, or the address of the string made of it, which lives for ever.
    pub index: isize,
}
/// The interned string of an identifier.
///
/// # Safety
/// `id` points to one.
#[inline]
pub unsafe fn id_str(id: *const Identifier) -> &'static Str {
    // SAFETY: the caller's promise; the string is never given back.
    unsafe {
        let id = id.cast_mut();
        if !matches!((*id).index, -1 | 0) {
            return Object::from_ptr((*id).index as *mut PyObject).downcast_unchecked();
        }
        let s = Str::interned(&CStr::from_ptr((*id).string).to_string_lossy());
        (*id).index = s.own().into_raw() as isize;
        s
    }
}

capi! {
    fn Py_IncRef(o: *mut PyObject) -> void { xincref(o) }
    fn Py_DecRef(o: *mut PyObject) -> void { xdecref(o) }
    fn _Py_IncRef(o: *mut PyObject) -> void { incref(o) }
    fn _Py_DecRef(o: *mut PyObject) -> void { decref(o) }
    fn _Py_NewReference(o: *mut PyObject) -> void { (*o).ob_refcnt = 1 }
    fn Py_NewRef(o: *mut PyObject) -> [*mut PyObject] { incref(o); o }
    fn Py_XNewRef(o: *mut PyObject) -> [*mut PyObject] { xincref(o); o }
    fn Py_Is(a: *mut PyObject, b: *mut PyObject) -> [c_int] { (a == b) as c_int }
    fn Py_IsNone(a: &Object) -> [c_int] { a.is_none() as c_int }
    fn Py_IsTrue(a: &Object) -> [c_int] { a.is_true_object() as c_int }
    fn Py_IsFalse(a: &Object) -> [c_int] { a.is_false_object() as c_int }

    fn PyObject_Repr(o: Option<&Object>) -> obj { text_or_null(o, |o| o.repr()) }
    fn PyObject_Str(o: Option<&Object>) -> obj { text_or_null(o, |o| o.str()) }
    fn PyObject_ASCII(o: Option<&Object>) -> obj { text_or_null(o, |o| o.ascii()) }
    fn PyObject_Bytes(o: Option<&Object>) -> obj {
        match o {
            None => Ok(Bytes::new(b"<NULL>").into_object()),
            Some(o) if o.is_exact::<Bytes>() => Ok(o.own()),
            Some(o) => match o.lookup_special(intern!("__bytes__"))? {
                Some(f) => {
                    let r = f.call0()?;
                    if !Bytes::check(&r) {
                        return raise!(TypeError, "__bytes__ returned non-bytes (type {})", r.ty().name());
                    }
                    Ok(r)
                }
                None => crate::bytesobject::from_object(o),
            },
        }
    }
    fn PyObject_RichCompare(a: &Object, b: &Object, op: c_int) -> obj { a.rich_compare(b, CompareOp::from_c(op)) }
    fn PyObject_RichCompareBool(a: *mut PyObject, b: *mut PyObject, op: c_int) -> (c_int, -1) {
        // Two nulls are the same, too.
        if a == b {
            if op == CompareOp::Eq as c_int {
                return Ok(1);
            }
            if op == CompareOp::Ne as c_int {
                return Ok(0);
            }
        }
        let (a, b) = (<&Object>::take(a)?, <&Object>::take(b)?);
        a.rich_compare_bool(b, CompareOp::from_c(op)).map(|r| r as c_int)
    }
    fn PyObject_GetAttr(o: &Object, n: &Object) -> obj { o.get_attr(name(n)?) }
    fn PyObject_GetAttrString(o: &Object, n: Name) -> obj { o.get_attr(&*n.string()?) }
    fn PyObject_SetAttr(o: &Object, n: &Object, v: Option<&Object>) -> status short {
        if v.is_null() || quick::<Str>(n).is_none_or(|n| !typeobject::is_interned(n)) {
            return None;
        }
        Some(((*Object::from_ptr_opt(o)?.ob_type()).tp_setattro?)(o, n, v))
    } { set(o, name(n)?, v) }
    fn PyObject_SetAttrString(o: &Object, n: Name, v: Option<&Object>) -> status { set(o, &*n.string()?, v) }
    fn PyObject_HasAttr(o: &Object, n: &Object) -> [c_int] short {
        match typeobject::quick_look(Object::from_ptr_opt(o)?.as_ptr(), Object::from_ptr_opt(n)?.as_ptr()) {
            typeobject::Look::Found(_) => Some(1),
            typeobject::Look::Missing => Some(0),
            typeobject::Look::Unknown => None,
        }
    } {
        match name(n).and_then(|n| o.get_attr_opt(n)) {
            Ok(v) => v.is_some() as c_int,
            Err(e) => { e.clear(); 0 }
        }
    }
    fn PyObject_HasAttrString(o: &Object, n: Name) -> [c_int] {
        match n.string().and_then(|n| o.get_attr_opt(&n)) {
            Ok(v) => v.is_some() as c_int,
            Err(e) => { e.clear(); 0 }
        }
    }
    fn _PyObject_LookupAttr(o: &Object, n: &Object, out: *mut *mut PyObject) -> (c_int, -1) short {
        match typeobject::quick_look(Object::from_ptr_opt(o)?.as_ptr(), Object::from_ptr_opt(n)?.as_ptr()) {
            typeobject::Look::Found(v) => {
                incref(v);
                *out = v;
                Some(1)
            }
            typeobject::Look::Missing => {
                *out = null_mut();
                Some(0)
            }
            typeobject::Look::Unknown => None,
        }
    } {
        *out = null_mut();
        lookup(name(n).and_then(|n| o.get_attr_opt(n)), out)
    }
    fn _PyObject_LookupAttrId(o: &Object, n: *const Identifier, out: *mut *mut PyObject) -> (c_int, -1) {
        *out = null_mut();
        lookup(o.get_attr_opt(id_str(n)), out)
    }
    fn _PyObject_GetAttrId(o: &Object, n: *const Identifier) -> obj { o.get_attr(id_str(n)) }
    fn _PyObject_SetAttrId(o: &Object, n: *const Identifier, v: Option<&Object>) -> status { set(o, id_str(n), v) }
    fn _PyObject_HasAttrId(o: &Object, n: *const Identifier) -> (c_int, -1) {
        o.get_attr_opt(id_str(n)).map(|v| v.is_some() as c_int)
    }
    fn _PyObject_LookupSpecialId(o: &Object, n: *const Identifier) -> borrowed {
        Ok(o.lookup_special(id_str(n))?.map_or(null_mut(), Owned::into_raw))
    }
    fn _PyObject_GenericGetAttrWithDict(o: &Object, n: &Object, dict: Option<&Dict>, suppress: c_int) -> borrowed {
        let n = name(n)?;
        let find = || match dict {
            // An explicit dictionary stands in for the instance's: data descriptors, then it, then the rest.
            Some(d) => {
                let of_type = o.ty().lookup(n);
                let is_data = of_type.as_ref().is_some_and(|t| (*t.ob_type()).tp_descr_set.is_some());
                match (is_data, d.get_str_key(n)?) {
                    (false, Some(v)) => Ok(Some(v)),
                    _ => o.generic_get(n),
                }
            }
            None => o.generic_get(n),
        };
        match find() {
            Ok(Some(v)) => Ok(v.into_raw()),
            Ok(None) if suppress != 0 => Ok(null_mut()),
            Ok(None) => o.generic_get_attr(n).map(Owned::into_raw),
            // What a descriptor raises counts as missing, too.
            Err(e) if suppress != 0 && e.matches(exc::AttributeError()) => {
                e.clear();
                Ok(null_mut())
            }
            Err(e) => Err(e),
        }
    }
    fn _PyObject_GenericSetAttrWithDict(o: &Object, n: &Object, v: Option<&Object>, dict: Option<&Dict>) -> status {
        let n = name(n)?;
        let Some(d) = dict else { return o.generic_set_attr(n, v) };
        // An explicit dictionary stands in for the instance's, after data descriptors.
        if o.ty().lookup(n).is_some_and(|t| (*t.ob_type()).tp_descr_set.is_some()) {
            return o.generic_set_attr(n, v);
        }
        match v {
            Some(v) => d.set_item(n, v),
            None if d.del_item(n)? => Ok(()),
            None => raise!(AttributeError, "'{}' object has no attribute '{}'", o.ty().name(), n.to_str_lossy()),
        }
    }
    fn PyObject_GenericGetDict(o: &Object, _context: *mut c_void) -> obj short {
        let o = Object::from_ptr_opt(o)?;
        if !lh_runtime::instance::is_managed(o) {
            return None;
        }
        let d = *lh_runtime::instance::dict_word(o.as_ptr());
        if d.is_null() {
            return None;
        }
        incref(d);
        Some(d)
    } {
        match o.instance_dict(true)? {
            Some(d) => Ok(d),
            None => raise!(AttributeError, "This object has no __dict__"),
        }
    }
    fn PyObject_GenericSetDict(o: &Object, v: Option<&Object>, _context: *mut c_void) -> status {
        // Not by way of `__dict__`: this is the setter behind it.
        let managed = lh_runtime::instance::is_managed(o);
        let place = if managed { null_mut() } else { typeobject::dict_ptr(o.as_ptr()) };
        if !managed && place.is_null() {
            return raise!(AttributeError, "This object has no __dict__");
        }
        let Some(v) = v else { return raise!(TypeError, "cannot delete __dict__") };
        let Some(d) = v.downcast::<Dict>() else {
            return raise!(TypeError, "__dict__ must be set to a dictionary, not a '{}'", v.ty().name());
        };
        if managed {
            lh_runtime::instance::set_dict(o.as_ptr(), Some(d));
        } else {
            let old = std::mem::replace(&mut *place, d.own().into_raw().cast());
            if let Some(old) = Owned::<Object>::from_raw_opt(old) {
                drop(old)
            }
        }
        Ok(())
    }
    fn _PyObject_GetDictPtr(o: &Object) -> [*mut *mut PyObject] {
        if lh_runtime::instance::is_managed(o) {
            drop(lh_runtime::instance::dict(o.as_ptr()));
            lh_runtime::instance::dict_word(o.as_ptr())
        } else {
            typeobject::dict_ptr(o.as_ptr())
        }
    }
    fn PyObject_SelfIter(o: &Object) -> obj { Ok(o.own()) }
    fn _PyObject_NextNotImplemented(o: *mut PyObject) -> [*mut PyObject] { typeobject::next_not_implemented(o) }
    fn PyObject_Hash(o: &Object) -> (isize, -1) {
        // A static type that nobody made ready inherits the slot now.
        let t = o.ob_type();
        if let Some(f) = (*t).tp_hash {
            return Ok(f(o.as_ptr()));
        }
        if (*t).tp_dict.is_null() {
            typeobject::ready(t)?;
        }
        o.hash_obj()
    }
    fn PyObject_IsTrue(o: &Object) -> boolean { o.is_true() }
    fn PyObject_Not(o: &Object) -> boolean { o.is_true().map(|b| !b) }
    fn PyCallable_Check(o: Option<&Object>) -> [c_int] { o.is_some_and(|o| o.is_callable()) as c_int }
    fn PyObject_ClearWeakRefs(o: *mut PyObject) -> void { lh_runtime::weakref::clear_weakrefs(o) }
    fn PyObject_Dir(o: Option<&Object>) -> obj {
        match o {
            Some(o) => o.dir(),
            None => {
                let l = List::from_vec((lh_interp::builtins::api()?.current_locals)()?.call_method("keys", &[])?.to_items()?);
                l.sort(None, false)?;
                Ok(l)
            }
        }
    }
    fn _PyObject_GetState(o: &Object) -> obj { o.call_method("__getstate__", &[]) }
    fn PyObject_GetOptionalAttr(o: &Object, n: &Object, out: *mut *mut PyObject) -> (c_int, -1) {
        *out = null_mut();
        lookup(name(n).and_then(|n| o.get_attr_opt(n)), out)
    }
    fn Py_ReprEnter(o: &Object) -> [c_int] { !lh_runtime::reprguard::repr_enter(o) as c_int }
    fn Py_ReprLeave(o: &Object) -> void { lh_runtime::reprguard::repr_leave(o) }
    /// Answers 1 if the object was put aside and the deallocator must leave it alone.
    fn _PyTrash_begin(_ts: *mut c_void, o: *mut PyObject) -> [c_int] { !lh_runtime::trash::begin_foreign(o) as c_int }
    fn _PyTrash_end(_ts: *mut c_void) -> void { lh_runtime::trash::end() }
    /// Whether a deallocation of `o` is one that the trashcan limits: only if the type's own deallocator is running.
    fn _PyTrash_cond(o: &Object, dealloc: *mut c_void) -> [c_int] {
        (*o.ob_type()).tp_dealloc.is_some_and(|f| f as usize == dealloc as usize) as c_int
    }

    fn PyObject_Init(o: *mut PyObject, t: *mut PyTypeObject) -> [*mut PyObject] {
        if o.is_null() {
            let _ = no_memory();
            return Ok(null_mut());
        }
        add_type_count(o, t);
        o
    }
    fn PyObject_InitVar(o: *mut PyVarObject, t: *mut PyTypeObject, n: isize) -> [*mut PyVarObject] {
        if o.is_null() {
            let _ = no_memory();
            return Ok(null_mut());
        }
        (*o).ob_size = n;
        add_type_count(o.cast(), t);
        o
    }
    fn _PyObject_New(t: *mut PyTypeObject) -> borrowed { plain_object(t, 0) }
    fn _PyObject_NewVar(t: *mut PyTypeObject, n: isize) -> borrowed { plain_object(t, n) }
    fn _PyObject_GC_New(t: *mut PyTypeObject) -> borrowed { gc_object(t, 0) }
    fn _PyObject_GC_NewVar(t: *mut PyTypeObject, n: isize) -> borrowed { gc_object(t, n) }
    fn _PyObject_GC_Resize(o: *mut PyObject, n: isize) -> borrowed {
        let p = gc::resize_object(o, n);
        if p.is_null() { Err(no_memory()) } else { Ok(p) }
    }
    fn PyObject_GC_Del(p: *mut c_void) -> void { typeobject::gc_del(p) }
    fn PyObject_GC_Track(p: *mut PyObject) -> void { if !gc::is_tracked(p) { gc::track(p) } }
    fn PyObject_GC_UnTrack(p: *mut PyObject) -> void { if gc::is_tracked(p) { gc::untrack(p) } }
    fn PyObject_GC_IsTracked(p: *mut PyObject) -> [c_int] { (gc::is_gc_object(p) && gc::is_tracked(p)) as c_int }
    fn PyObject_GC_IsFinalized(p: *mut PyObject) -> [c_int] { (gc::is_gc_object(p) && gc::is_finalized(p)) as c_int }
    fn PyObject_IS_GC(p: *mut PyObject) -> [c_int] { gc::is_gc_object(p) as c_int }
    fn PyObject_CallFinalizer(p: *mut PyObject) -> void { typeobject::finalize(p) }
    fn PyObject_CallFinalizerFromDealloc(p: *mut PyObject) -> [c_int] {
        if typeobject::finalize_from_dealloc(p) { -1 } else { 0 }
    }
    fn PyGC_Collect() -> [isize] { gc::collect(2) as isize }
    fn PyGC_Enable() -> [c_int] { let was = gc::is_enabled(); gc::enable(true); was as c_int }
    fn PyGC_Disable() -> [c_int] { let was = gc::is_enabled(); gc::enable(false); was as c_int }
    fn PyGC_IsEnabled() -> [c_int] { gc::is_enabled() as c_int }
}

/// What `Py_DECREF` calls when no reference is left. Deallocators turn their panics into errors themselves.
///
/// # Safety
/// The count of `o` has just reached zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_Dealloc(o: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe { lh_runtime::object::dealloc_here(o) }
}

/// A copy of a C string, to be freed with `PyMem_Free`.
pub fn dup(s: &CStr) -> *mut c_char {
    let b = s.to_bytes_with_nul();
    let p = lh_runtime::alloc::malloc(b.len()).cast::<u8>();
    if !p.is_null() {
        // SAFETY: room for the string and its NUL.
        unsafe { p.copy_from_nonoverlapping(b.as_ptr(), b.len()) }
    }
    p.cast()
}
pub fn no_memory() -> Raised {
    set_object(exc::MemoryError(), None)
}

/// # Safety
/// `t` is a ready type without GC.
unsafe fn plain_object(t: *mut PyTypeObject, n: isize) -> PyResult<*mut PyObject> {
    // SAFETY: the caller's promise; memory of the type's size.
    unsafe {
        if (*t).tp_flags & Py_TPFLAGS_HAVE_GC != 0 {
            return gc_object(t, n);
        }
        let size = gc::object_size(t, n);
        let p = lh_runtime::alloc::malloc(size).cast::<PyObject>();
        if p.is_null() {
            return Err(no_memory());
        }
        if (*t).tp_itemsize != 0 {
            (*p.cast::<PyVarObject>()).ob_size = n;
        }
        add_type_count(p, t);
        Ok(p)
    }
}
/// # Safety
/// `t` is a ready type with GC.
unsafe fn gc_object(t: *mut PyTypeObject, n: isize) -> PyResult<*mut PyObject> {
    // SAFETY: the caller's promise.
    unsafe {
        let p = gc::new_object(t, n);
        if p.is_null() { Err(no_memory()) } else { Ok(p) }
    }
}
