//! `tupleobject.h`, `listobject.h`, `dictobject.h`, `setobject.h`, `sliceobject.h`, `structseq.h`.
//!
//! Lists and tuples under construction have null items, which C code fills in.

use crate::names::Name;
use crate::object::{Identifier, id_str};
use crate::prelude::*;
use lh_runtime::setobject::AnySet;
use lh_runtime::{gc, sliceobject, structseq};

fn any_set(o: &Object) -> PyResult<AnySet<'_>> {
    AnySet::of(o).ok_or_else(bad_internal_call)
}
fn in_range(i: isize, n: usize, what: &str) -> PyResult<usize> {
    if i >= 0 && (i as usize) < n {
        Ok(i as usize)
    } else {
        raise!(IndexError, "{} index out of range", what)
    }
}
/// Lists of up to so many items are made and cleared in the short way.
const SHORT_LIST: usize = 16;
/// A pointer that stays valid because the container holds the object.
fn lend(o: Option<Owned<Object>>) -> *mut PyObject {
    o.map_or(null_mut(), |o| o.ptr())
}
/// The value of a key, whose count isn't touched: C code keeps objects in dicts that it counts no reference for, and looks them up
/// while they die.
#[inline]
fn value_of(d: &Dict, k: &Object) -> PyResult<*mut PyObject> {
    // SAFETY: the C caller knows how long the borrowed value lives.
    Ok(unsafe { d.get_item_borrowed(k)? }.unwrap_or(null_mut()))
}
/// `quiet` with a pending exception surviving the look-up.
#[inline]
fn undisturbed(f: impl FnOnce() -> PyResult<*mut PyObject>) -> *mut PyObject {
    if occurred() { lh_runtime::errors::preserving(|| quiet(f())) } else { quiet(f()) }
}
/// `PyDict_GetItem` and friends forget errors.
fn quiet(r: PyResult<*mut PyObject>) -> *mut PyObject {
    match r {
        Ok(v) => v,
        Err(e) => {
            e.clear();
            null_mut()
        }
    }
}

/// Appends to a list that has no memory yet.
#[inline(never)]
unsafe extern "C" fn append_first(l: *mut PyObject, v: *mut PyObject) -> c_int {
    // SAFETY: a list and a live object.
    lh_runtime::border::status(|| unsafe {
        let l = Object::from_ptr(l).downcast_unchecked::<List>();
        l.first_room()?;
        incref(v);
        l.push_unchecked(v);
        Ok(())
    })
}
capi! {
    // ---- Tuples ----
    fn PyTuple_New(n: isize) -> borrowed {
        if n < 0 {
            return Err(bad_internal_call());
        }
        if n == 0 {
            return Ok(Tuple::empty().into_raw());
        }
        if n > isize::MAX / 8 - 8 {
            return Err(crate::object::no_memory());
        }
        let p = gc::new_builtin(Tuple::type_ptr(), 24 + 8 * n as usize);
        if p.is_null() {
            return Err(crate::object::no_memory());
        }
        (*p.cast::<PyVarObject>()).ob_size = n;
        let items = (&raw mut (*p.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>();
        for i in 0..n as usize {
            // Volatile: most tuples are short, a call of memset costs more.
            items.add(i).write_volatile(null_mut());
        }
        gc::track(p);
        Ok(p)
    }
    fn PyTuple_Size(t: &Tuple) -> (isize, -1) short { Some(quick::<Tuple>(t)?.len() as isize) } { Ok(t.len() as isize) }
    fn PyTuple_GetItem(t: &Tuple, i: isize) -> borrowed short {
        let t = quick::<Tuple>(t)?;
        if (i as usize) < t.len() { Some(*t.items_ptr().offset(i)) } else { None }
    } { Ok(*t.items_ptr().add(in_range(i, t.len(), "tuple")?)) }
    fn PyTuple_SetItem(t: &Object, i: isize, v: Option<Owned>) -> status short {
        let t = quick::<Tuple>(t).filter(|t| t.refcnt() == 1)?;
        if (i as usize) >= t.len() {
            return None;
        }
        Some(zero_after(std::mem::replace(&mut *t.items_ptr().offset(i), v)))
    } {
        let Some(t) = t.downcast::<Tuple>().filter(|t| t.refcnt() == 1) else { return Err(bad_internal_call()) };
        if i < 0 || i as usize >= t.len() {
            return raise!(IndexError, "tuple assignment index out of range");
        }
        let old = std::mem::replace(&mut *t.items_ptr().add(i as usize), v.map_or(null_mut(), Owned::into_raw));
        xdecref(old);
        Ok(())
    }
    fn PyTuple_GetSlice(t: &Tuple, i: isize, j: isize) -> obj {
        let i = i.max(0) as usize;
        let j = (j.max(0) as usize).min(t.len());
        Ok(t.slice(i.min(j), j))
    }
    fn _PyTuple_Resize(p: *mut *mut PyObject, n: isize) -> status {
        let old = *p;
        let Some(t) = Object::from_ptr_opt(old).and_then(|o| o.downcast::<Tuple>()) else { return Err(bad_internal_call()) };
        if t.len() as isize == n {
            return Ok(());
        }
        if t.refcnt() != 1 && t.len() != 0 {
            *p = null_mut();
            decref(old);
            return Err(bad_internal_call());
        }
        let new = PyTuple_New(n);
        if new.is_null() {
            *p = null_mut();
            decref(old);
            return Err(Raised::already_set());
        }
        if n > 0 {
            let to = Object::from_ptr(new).downcast_unchecked::<Tuple>().items_ptr();
            for k in 0..t.len().min(n as usize) {
                let x = *t.items_ptr().add(k);
                xincref(x);
                *to.add(k) = x;
            }
        }
        *p = new;
        decref(old);
        Ok(())
    }
    /// `PyTuple_Pack` behind its variadic shim.
    fn lh_tuple_pack(items: *const *mut PyObject, n: usize) -> obj { Ok(lh_runtime::protocols::tuple_of_raw(items, n)) }

    // ---- Lists ----
    fn PyList_New(n: isize) -> obj short {
        if n as usize > SHORT_LIST {
            return None;
        }
        let l = List::with_nulls(n as usize)?;
        Some(l.into_raw())
    } {
        if n < 0 {
            return Err(bad_internal_call());
        }
        let l = List::with_capacity(n as usize);
        let s = l.as_struct();
        if n > 0 {
            std::ptr::write_bytes(l.items_ptr(), 0, n as usize);
        }
        (*s).ob_base.ob_size = n;
        Ok(l)
    }
    fn PyList_Size(l: &List) -> (isize, -1) short { Some(quick::<List>(l)?.len() as isize) } { Ok(l.len() as isize) }
    fn PyList_GetItem(l: &List, i: isize) -> borrowed short {
        let l = quick::<List>(l)?;
        if (i as usize) < l.len() { Some(*l.items_ptr().offset(i)) } else { None }
    } { Ok(*l.items_ptr().add(in_range(i, l.len(), "list")?)) }
    fn PyList_SetItem(l: &List, i: isize, v: Option<Owned>) -> status short {
        let l = quick::<List>(l)?;
        if (i as usize) >= l.len() {
            return None;
        }
        Some(zero_after(std::mem::replace(&mut *l.items_ptr().offset(i), v)))
    } {
        if i < 0 || i as usize >= l.len() {
            return raise!(IndexError, "list assignment index out of range");
        }
        let old = std::mem::replace(&mut *l.items_ptr().add(i as usize), v.map_or(null_mut(), Owned::into_raw));
        xdecref(old);
        Ok(())
    }
    fn PyList_Insert(l: &List, i: isize, v: &Object) -> status {
        let n = l.len() as isize;
        let i = if i < 0 { (i + n).max(0) } else { i.min(n) };
        l.insert(i as usize, v.own());
        Ok(())
    }
    fn PyList_Append(l: &List, v: &Object) -> status short {
        let l = quick::<List>(l)?;
        if v.is_null() {
            return None;
        }
        if !l.has_room() {
            return if l.is_bare() { Some(append_first(l.as_ptr(), v)) } else { None };
        }
        incref(v);
        l.push_unchecked(v);
        Some(0)
    } { l.try_push(v.own()) }
    fn PyList_GetSlice(l: &List, i: isize, j: isize) -> obj {
        let j = (j.max(0) as usize).min(l.len());
        l.slice((i.max(0) as usize).min(j), j)
    }
    fn PyList_SetSlice(l: &List, i: isize, j: isize, v: Option<&Object>) -> status {
        let i = (i.max(0) as usize).min(l.len());
        l.set_slice(i, (j.max(0) as usize).clamp(i, l.len()), v)
    }
    fn PyList_Sort(l: &List) -> status { l.sort(None, false) }
    fn PyList_Reverse(l: &List) -> status { l.reverse(); Ok(()) }
    fn PyList_AsTuple(l: &List) -> obj { Ok(l.to_tuple()) }
    fn _PyList_Extend(l: &List, v: &Object) -> obj { l.extend(v).map(|()| none()) }

    // ---- Dictionaries ----
    fn PyDict_New() -> obj { Ok(Dict::new()) }
    fn _PyDict_NewPresized(n: isize) -> obj { Ok(Dict::with_capacity(n.max(0) as usize)) }
    fn PyDict_Clear(d: &Object) -> void {
        // No way to report an error: what is no dictionary has nothing to clear.
        if let Some(d) = d.downcast::<Dict>() {
            d.clear()
        }
    }
    fn PyDict_Size(d: &Dict) -> (isize, -1) short { Some(quick::<Dict>(d)?.len() as isize) } { Ok(d.len() as isize) }
    fn PyDict_Contains(d: &Dict, k: &Object) -> boolean short { Some(!quick::<Dict>(d)?.first_look(k)?.is_null() as c_int) } { d.contains(k) }
    fn _PyDict_Contains_KnownHash(d: &Dict, k: &Object, h: isize) -> boolean { Ok(d.get_item_known_hash(k, h)?.is_some()) }
    fn _PyDict_ContainsId(d: &Dict, k: *const Identifier) -> boolean { d.contains(id_str(k)) }
    fn PyDict_Copy(d: &Dict) -> obj { Ok(d.copy()) }
    fn PyDict_GetItem(d: *mut PyObject, k: &Object) -> [*mut PyObject] short { quick::<Dict>(d)?.first_value(k) } {
        match Object::from_ptr_opt(d).and_then(|d| d.downcast::<Dict>()) {
            Some(d) => undisturbed(|| value_of(d, k)),
            None => null_mut(),
        }
    }
    fn PyDict_GetItemString(d: *mut PyObject, k: Name) -> [*mut PyObject] {
        match Object::from_ptr_opt(d).and_then(|d| d.downcast::<Dict>()) {
            Some(d) => undisturbed(|| value_of(d, &*k.string()?)),
            None => null_mut(),
        }
    }
    fn PyDict_GetItemWithError(d: &Dict, k: &Object) -> borrowed short { quick::<Dict>(d)?.first_value(k) } {
        value_of(d, k)
    }
    fn _PyDict_GetItemWithError(d: &Dict, k: &Object) -> borrowed short { quick::<Dict>(d)?.first_value(k) } {
        value_of(d, k)
    }
    fn _PyDict_GetItemStringWithError(d: &Dict, k: Name) -> borrowed { value_of(d, &*k.string()?) }
    fn _PyDict_GetItemIdWithError(d: &Dict, k: *const Identifier) -> borrowed { value_of(d, id_str(k)) }
    fn _PyDict_GetItem_KnownHash(d: &Dict, k: &Object, h: isize) -> borrowed { Ok(d.get_item_borrowed_known_hash(k, h)?.unwrap_or(null_mut())) }
    fn PyDict_SetItem(d: &Dict, k: &Object, v: &Object) -> status short {
        if v.is_null() {
            return None;
        }
        Some(zero_after(quick::<Dict>(d)?.first_replace(k, v)?))
    } { d.set_item(k, v) }
    fn PyDict_SetItemString(d: &Dict, k: Name, v: &Object) -> status { d.set_item(&*k.string()?, v) }
    fn _PyDict_SetItemId(d: &Dict, k: *const Identifier, v: &Object) -> status { d.set_item(id_str(k), v) }
    fn _PyDict_SetItem_KnownHash(d: &Dict, k: &Object, v: &Object, h: isize) -> status { d.set_item_known_hash(k, h, v) }
    fn PyDict_DelItem(d: &Dict, k: &Object) -> status { remove(d, k) }
    fn PyDict_DelItemString(d: &Dict, k: Name) -> status { remove(d, &*k.string()?) }
    fn _PyDict_DelItemId(d: &Dict, k: *const Identifier) -> status { remove(d, id_str(k)) }
    fn _PyDict_DelItem_KnownHash(d: &Dict, k: &Object, h: isize) -> status {
        match d.pop_known_hash(k, h)? { Some(_) => Ok(()), None => Err(lh_runtime::dictobject::key_error(k)) }
    }
    fn PyDict_SetDefault(d: &Dict, k: &Object, v: &Object) -> borrowed short {
        let found = quick::<Dict>(d)?.first_value(k)?;
        if found.is_null() { None } else { Some(found) }
    } { Ok(lend(Some(d.set_default(k, v)?))) }
    fn _PyDict_Pop(d: &Dict, k: &Object, default: Option<&Object>) -> obj {
        match (d.pop(k)?, default) {
            (Some(v), _) => Ok(v),
            (None, Some(v)) => Ok(v.own()),
            (None, None) => Err(lh_runtime::dictobject::key_error(k)),
        }
    }
    fn PyDict_Keys(d: &Dict) -> obj { d.list_of(|k, _| k.own()) }
    fn PyDict_Values(d: &Dict) -> obj { d.list_of(|_, v| v.own()) }
    fn PyDict_Items(d: &Dict) -> obj { d.list_of(|k, v| Tuple::pair(k.own(), v.own()).into_object()) }
    fn PyDict_Update(d: &Dict, o: &Object) -> status { d.merge(o, true) }
    fn PyDict_Merge(d: &Dict, o: &Object, replace: c_int) -> status { d.merge(o, replace != 0) }
    fn PyDict_MergeFromSeq2(d: &Dict, o: &Object, replace: c_int) -> status { d.merge_pairs(o, replace != 0) }
    fn PyDict_Next(d: *mut PyObject, pos: *mut isize, k: *mut *mut PyObject, v: *mut *mut PyObject) -> [c_int] {
        let Some(d) = Object::from_ptr_opt(d).and_then(|d| d.downcast::<Dict>()) else { return Ok(0) };
        let mut at = *pos as usize;
        let Some((key, value)) = d.next_borrowed(&mut at) else { return Ok(0) };
        *pos = at as isize;
        if !k.is_null() {
            *k = key;
        }
        if !v.is_null() {
            *v = value;
        }
        1
    }
    fn _PyDict_Next(d: *mut PyObject, pos: *mut isize, k: *mut *mut PyObject, v: *mut *mut PyObject, h: *mut isize) -> [c_int] {
        let (mut key, mut value) = (null_mut(), null_mut());
        if PyDict_Next(d, pos, &mut key, &mut value) == 0 {
            return Ok(0);
        }
        if !k.is_null() { *k = key; }
        if !v.is_null() { *v = value; }
        if !h.is_null() { *h = Object::from_ptr(key).hash_obj()?; }
        1
    }
    fn _PyDict_SizeOf(d: &Dict) -> (isize, -1) {
        Ok(d.call_method("__sizeof__", &[])?.downcast::<Int>().and_then(|i| i.to_i64()).unwrap_or(0) as isize)
    }
    fn PyDictProxy_New(o: &Object) -> obj { lh_runtime::kinds::MappingProxy::class().as_object().call1(o) }

    // ---- Sets ----
    fn PySet_New(o: Option<&Object>) -> obj {
        match o { Some(o) => Set::from_iterable(o), None => Ok(Set::new()) }
    }
    fn PyFrozenSet_New(o: Option<&Object>) -> obj {
        match o { Some(o) => FrozenSet::from_iterable(o), None => Ok(FrozenSet::new()) }
    }
    fn PySet_Size(o: &Object) -> (isize, -1) short { Some(quick_exact::<Set>(o)?.any().len() as isize) } { Ok(any_set(o)?.len() as isize) }
    fn PySet_Contains(o: &Object, k: &Object) -> boolean { any_set(o)?.contains(k) }
    fn PySet_Add(o: &Object, k: &Object) -> status {
        // A frozen set may be filled while nobody else sees it.
        if !(o.is_exact::<Set>() || Set::check(o) || o.refcnt() == 1) {
            return Err(bad_internal_call());
        }
        any_set(o)?.add(k).map(drop)
    }
    fn PySet_Discard(o: &Set, k: &Object) -> boolean { o.any().discard(k) }
    fn PySet_Pop(o: &Set) -> obj {
        match o.any().pop() { Some(x) => Ok(x), None => raise!(KeyError, "pop from an empty set") }
    }
    fn PySet_Clear(o: &Set) -> status { o.any().clear(); Ok(()) }
    fn _PySet_Update(o: &Object, it: &Object) -> status { any_set(o)?.update(it) }
    fn _PySet_NextEntry(o: &Object, pos: *mut isize, k: *mut *mut PyObject, h: *mut isize) -> (c_int, -1) {
        let mut at = *pos as usize;
        let Some((key, hash)) = any_set(o)?.next(&mut at) else { return Ok(0) };
        *pos = at as isize;
        *k = key.ptr();
        *h = hash;
        Ok(1)
    }

    // ---- Slices ----
    fn PySlice_New(a: Option<&Object>, b: Option<&Object>, c: Option<&Object>) -> obj short {
        let or_none = |o: *mut PyObject| if o.is_null() { none_ref().as_ptr() } else { o };
        Some(Slice::of_spare(or_none(a), or_none(b), or_none(c))?.into_raw())
    } {
        let or_none = |o: Option<&Object>| o.unwrap_or(none_ref()).own();
        Ok(Slice::new(&or_none(a), &or_none(b), &or_none(c)))
    }
    fn PySlice_Unpack(s: &Slice, a: *mut isize, b: *mut isize, c: *mut isize) -> status short { quick_exact::<Slice>(s)?.unpack_plain().map(|(x, y, z)| { (*a, *b, *c) = (x, y, z); 0 }) } {
        (*a, *b, *c) = s.unpack()?;
        Ok(())
    }
    fn PySlice_AdjustIndices(n: isize, a: *mut isize, b: *mut isize, step: isize) -> [isize] short { if step == 1 && n >= 0 && (0..=n).contains(&*a) && (0..=n).contains(&*b) { Some((*b - *a).max(0)) } else { None } } {
        let (x, y, count) = sliceobject::adjust_indices(n as usize, *a, *b, step);
        (*a, *b) = (x, y);
        count as isize
    }
    fn PySlice_GetIndicesEx(s: &Slice, n: isize, a: *mut isize, b: *mut isize, c: *mut isize, count: *mut isize) -> status {
        let (x, y, z, k) = s.indices(n as usize)?;
        (*a, *b, *c, *count) = (x, y, z, k as isize);
        Ok(())
    }
    /// Fails without an exception. What C code goes on with if it doesn't look (SWIG's doesn't) is written all the same.
    fn PySlice_GetIndices(s: &Slice, n: isize, a: *mut isize, b: *mut isize, c: *mut isize) -> [c_int] {
        let given = s.bounds().map(|o| if o.is_none() { Some(None) } else { o.downcast::<Int>().map(Some) });
        let number = |i: &Int| i.to_i64().map_or_else(|| { let _ = raised!(OverflowError, "Python int too large to convert to C ssize_t"); -1 }, |v| v as isize);
        let place = |i: &Int| match number(i) { v if v < 0 => v + n, v => v };
        let [start, stop, step] = given;
        let Some(step) = step else { return Ok(-1) };
        *c = step.map_or(1, number);
        let Some(start) = start else { return Ok(-1) };
        *a = start.map_or(if *c < 0 { n - 1 } else { 0 }, place);
        let Some(stop) = stop else { return Ok(-1) };
        *b = stop.map_or(if *c < 0 { -1 } else { n }, place);
        if *b > n || *a >= n || *c == 0 { -1 } else { 0 }
    }
    fn _PyEval_SliceIndex(o: Option<&Object>, p: *mut isize) -> (c_int, 0) {
        if let Some(o) = o && !o.is_none() {
            *p = sliceobject::slice_bound(o)?;
        }
        Ok(1)
    }
    fn _PyEval_SliceIndexNotNone(o: &Object, p: *mut isize) -> (c_int, 0) { *p = sliceobject::index_bound(o)?; Ok(1) }

    // ---- Struct sequences ----
    fn PyStructSequence_InitType2(t: *mut PyTypeObject, d: *const StructDesc) -> status { init_struct(t, d) }
    fn PyStructSequence_InitType(t: *mut PyTypeObject, d: *const StructDesc) -> status { init_struct(t, d) }
    fn PyStructSequence_NewType(d: *const StructDesc) -> borrowed { new_struct(d, 0) }
    fn _PyStructSequence_NewType(d: *const StructDesc, flags: c_ulong) -> borrowed { new_struct(d, flags) }
    fn PyStructSequence_New(t: *mut PyTypeObject) -> borrowed { Ok(structseq::new_raw(t)) }
    fn PyStructSequence_SetItem(t: *mut PyObject, i: isize, v: *mut PyObject) -> void {
        *(&raw mut (*t.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>().offset(i) = v
    }
    fn PyStructSequence_GetItem(t: *mut PyObject, i: isize) -> [*mut PyObject] {
        *(&raw mut (*t.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>().offset(i)
    }

    // ---- Weak references ----
    fn PyWeakref_NewRef(o: &Object, callback: Option<&Object>) -> obj { WeakRef::new(o, callback.filter(|c| !c.is_none())) }
    fn PyWeakref_NewProxy(o: &Object, callback: Option<&Object>) -> obj {
        lh_runtime::weakref::new_proxy(o, callback.filter(|c| !c.is_none()))
    }
    fn PyWeakref_GetObject(w: &Object) -> borrowed {
        let is_ref = WeakRef::check(w)
            || w.ob_type() == &raw mut lh_runtime::type_table::_PyWeakref_ProxyType
            || w.ob_type() == &raw mut lh_runtime::type_table::_PyWeakref_CallableProxyType;
        if !is_ref {
            return Err(bad_internal_call());
        }
        Ok((*w.as_ptr().cast::<PyWeakReference>()).wr_object)
    }
}

#[repr(C)]
pub struct StructField {
    name: *const c_char,
    doc: *const c_char,
}
/// `PyStructSequence_Desc`.
#[repr(C)]
pub struct StructDesc {
    name: *const c_char,
    doc: *const c_char,
    fields: *const StructField,
    n_in_sequence: c_int,
}
/// # Safety
/// `t` is a zeroed type that lives for ever, `d` a description.
unsafe fn init_struct(t: *mut PyTypeObject, d: *const StructDesc) -> PyResult<()> {
    // SAFETY: C strings of a description; the field table ends with a null name.
    unsafe {
        let leak = |p: *const c_char| -> &'static str {
            if p.is_null() { "" } else { Box::leak(text(CStr::from_ptr(p)).into_owned().into_boxed_str()) }
        };
        let mut fields = vec![];
        let mut f = (*d).fields;
        while !(*f).name.is_null() {
            fields.push((leak((*f).name), leak((*f).doc)));
            f = f.add(1);
        }
        structseq::init_type(t, leak((*d).name), leak((*d).doc), &fields, (*d).n_in_sequence as usize)
    }
}
unsafe fn new_struct(d: *const StructDesc, flags: u64) -> PyResult<*mut PyObject> {
    let t = Box::into_raw(Box::new(PyTypeObject::ZERO));
    // SAFETY: a fresh type that lives for ever.
    unsafe {
        init_struct(t, d)?;
        (*t).tp_flags |= flags;
        incref(t.cast());
    }
    Ok(t.cast())
}
fn remove(d: &Dict, k: &Object) -> PyResult<()> {
    if d.del_item(k)? { Ok(()) } else { Err(lh_runtime::dictobject::key_error(k)) }
}
