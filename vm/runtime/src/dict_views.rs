//! Views of dicts (`keys()`, `values()`, `items()`) and their iterators, forwards and backwards.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{StrBuilder, ready};
use crate::setobject::is_anyset;
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::type_table::*;
use crate::{gc, kind, pymethods, raise, reprguard};
use lh_abi::*;
use std::ptr::null_mut;

/// What a view or iterator shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    Keys,
    Values,
    Items,
}

// ---- Iterators ----

/// All dict iterators. `di_dict` is null once exhausted.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DictIterObject {
    pub ob_base: PyObject,
    pub di_dict: *mut PyDictObject,
    /// Size of the dict at the start; -1 after an error.
    pub di_used: isize,
    /// Next entry; for reversed iterators one past it.
    pub di_pos: isize,
    /// A pair to use again (items).
    pub di_result: *mut PyObject,
    /// Items still to come.
    pub len: isize,
}

kind!(/** `dict_keyiterator` */ DictIterKey: DictIterObject, PyDictIterKey_Type);
kind!(/** `dict_valueiterator` */ DictIterValue: DictIterObject, PyDictIterValue_Type);
kind!(/** `dict_itemiterator` */ DictIterItem: DictIterObject, PyDictIterItem_Type);
kind!(/** `dict_reversekeyiterator` */ DictRevIterKey: DictIterObject, PyDictRevIterKey_Type);
kind!(/** `dict_reversevalueiterator` */ DictRevIterValue: DictIterObject, PyDictRevIterValue_Type);
kind!(/** `dict_reverseitemiterator` */ DictRevIterItem: DictIterObject, PyDictRevIterItem_Type);

pub fn new_iter(d: &Dict, what: What, reversed: bool) -> Owned<Object> {
    let tp = match (what, reversed) {
        (What::Keys, false) => DictIterKey::type_ptr(),
        (What::Values, false) => DictIterValue::type_ptr(),
        (What::Items, false) => DictIterItem::type_ptr(),
        (What::Keys, true) => DictRevIterKey::type_ptr(),
        (What::Values, true) => DictRevIterValue::type_ptr(),
        (What::Items, true) => DictRevIterItem::type_ptr(),
    };
    // SAFETY: a new iterator object of this layout.
    unsafe {
        let p = gc::new_object(tp, 0);
        assert!(!p.is_null(), "out of memory");
        let it = p.cast::<DictIterObject>();
        (*it).di_dict = d.own().into_raw().cast();
        (*it).di_used = d.len() as isize;
        (*it).len = d.len() as isize;
        (*it).di_pos = if reversed { (*d.table()).nentries as isize } else { 0 };
        if what == What::Items {
            (*it).di_result = Tuple::pair(none(), none()).into_raw();
        }
        gc::track(p);
        Owned::from_raw(p)
    }
}

/// The next entry of an iterator, without counts; `None` when exhausted.
#[inline]
unsafe fn step(it: *mut DictIterObject, reversed: bool) -> PyResult<Option<crate::dict_table::Entry>> {
    // SAFETY: the dict is live while the iterator refers to it.
    unsafe {
        if (*it).di_dict.is_null() {
            return Ok(None);
        }
        let d = Object::from_ptr((*it).di_dict.cast()).downcast_unchecked::<Dict>();
        if (*it).di_used != d.len() as isize {
            (*it).di_used = -1;
            return raise!(RuntimeError, "dictionary changed size during iteration");
        }
        let found = if reversed {
            let t = d.table();
            let mut i = (*it).di_pos.min((*t).nentries as isize);
            let mut e = None;
            while i > 0 {
                i -= 1;
                let x = *(*t).entries.add(i as usize);
                if !x.value.is_null() {
                    e = Some(x);
                    break;
                }
            }
            (*it).di_pos = i;
            e
        } else {
            let mut pos = (*it).di_pos as usize;
            let e = d.next_entry(&mut pos);
            (*it).di_pos = pos as isize;
            if e.is_some() && (*it).len == 0 {
                (*it).di_used = -1;
                return raise!(RuntimeError, "dictionary keys changed during iteration");
            }
            e
        };
        match found {
            Some(_) => (*it).len -= 1,
            None => {
                let d = std::mem::replace(&mut (*it).di_dict, null_mut());
                decref(d.cast());
            }
        }
        Ok(found)
    }
}

/// A pair for an items iterator: the last one again if nobody else has it.
unsafe fn pair(it: *mut DictIterObject, k: *mut PyObject, v: *mut PyObject) -> Owned<Object> {
    // SAFETY: key and value are live; a pair with count 1 is only the iterator's.
    unsafe {
        incref(k);
        incref(v);
        let r = (*it).di_result;
        if !r.is_null() && (*r).ob_refcnt == 1 {
            let t = Object::from_ptr(r).downcast_unchecked::<Tuple>();
            let items = t.items_ptr();
            let (old_k, old_v) = (*items, *items.add(1));
            *items = k;
            *items.add(1) = v;
            incref(r);
            decref(old_k);
            decref(old_v);
            // The collector may have seen the pair with untracked items only.
            if !gc::is_tracked(r) {
                gc::track(r);
            }
            return Owned::from_raw(r);
        }
        Tuple::pair(Owned::from_raw(k), Owned::from_raw(v)).into_object()
    }
}

fn length_hint(it: *mut DictIterObject) -> usize {
    // SAFETY: a live iterator.
    unsafe {
        if (*it).di_dict.is_null() || (*it).di_used != (*(*it).di_dict).ma_used {
            0
        } else {
            (*it).len.max(0) as usize
        }
    }
}

fn reduce(o: &Object) -> PyResult<Owned<Object>> {
    // The remaining items as a list, taken from a copy of the iterator so that this one does not move.
    // SAFETY: `o` is a dict iterator; the copy takes its own references.
    unsafe {
        let it = o.as_ptr().cast::<DictIterObject>();
        let p = gc::new_object(o.ob_type(), 0);
        assert!(!p.is_null(), "out of memory");
        let c = p.cast::<DictIterObject>();
        (*c).di_dict = (*it).di_dict;
        xincref((*c).di_dict.cast());
        (*c).di_used = (*it).di_used;
        (*c).di_pos = (*it).di_pos;
        (*c).len = (*it).len;
        gc::track(p);
        let copy: Owned<Object> = Owned::from_raw(p);
        let items = List::new();
        items.extend(&copy)?;
        let iter = crate::iterobject::builtin("iter")?;
        Ok(Tuple::pair(iter, Tuple::from_refs(&[&*items]).into_object()).into_object())
    }
}

macro_rules! dict_iter {
    ($t:ident, $rev:literal, $it:ident, $e:ident => $make:expr) => {
        #[pymethods]
        impl $t {
            #[slot(tp_iter)]
            fn py_iter(&self) -> Owned<$t> {
                self.own()
            }
            #[slot(tp_iternext)]
            fn next(&self) -> PyResult<Option<Owned<Object>>> {
                let $it = self.as_struct();
                // SAFETY: the entry's references are counted before anything else runs.
                unsafe { Ok(step($it, $rev)?.map(|$e| $make)) }
            }
            /// Private method returning an estimate of len(list(it)).
            #[pymethod]
            fn __length_hint__(&self) -> usize {
                length_hint(self.as_struct())
            }
            /// Return state information for pickling.
            #[pymethod]
            fn __reduce__(&self) -> PyResult<Owned<Object>> {
                reduce(self)
            }
            #[slot(tp_traverse)]
            fn traverse(&self, v: &mut Visitor) {
                // SAFETY: reading the fields.
                unsafe {
                    v.visit_ptr((*self.as_struct()).di_dict.cast());
                    v.visit_ptr((*self.as_struct()).di_result);
                }
            }
            #[slot(tp_dealloc)]
            fn dealloc(o: *mut PyObject) {
                // SAFETY: called once, when the count has reached zero.
                unsafe {
                    gc::untrack(o);
                    let it = o.cast::<DictIterObject>();
                    xdecref((*it).di_dict.cast());
                    xdecref((*it).di_result);
                    gc::free_object(o);
                }
            }
        }
    };
}
dict_iter!(DictIterKey, false, it, e => Object::from_ptr(e.key).own());
dict_iter!(DictIterValue, false, it, e => Object::from_ptr(e.value).own());
dict_iter!(DictIterItem, false, it, e => pair(it, e.key, e.value));
dict_iter!(DictRevIterKey, true, it, e => Object::from_ptr(e.key).own());
dict_iter!(DictRevIterValue, true, it, e => Object::from_ptr(e.value).own());
dict_iter!(DictRevIterItem, true, it, e => pair(it, e.key, e.value));

// ---- Views ----

kind!(/** `dict_keys` */ DictKeys: _PyDictViewObject, PyDictKeys_Type);
kind!(/** `dict_values` */ DictValues: _PyDictViewObject, PyDictValues_Type);
kind!(/** `dict_items` */ DictItems: _PyDictViewObject, PyDictItems_Type);

pub fn new_view(d: &Dict, what: What) -> Owned<Object> {
    let tp = match what {
        What::Keys => DictKeys::type_ptr(),
        What::Values => DictValues::type_ptr(),
        What::Items => DictItems::type_ptr(),
    };
    new_view_of_type(d, tp)
}

/// A view object of a type with the views' layout.
pub(crate) fn new_view_of_type(d: &Dict, tp: *mut PyTypeObject) -> Owned<Object> {
    // SAFETY: a new view object.
    unsafe {
        let p = gc::new_object(tp, 0);
        assert!(!p.is_null(), "out of memory");
        (*p.cast::<_PyDictViewObject>()).dv_dict = d.own().into_raw().cast();
        gc::track(p);
        Owned::from_raw(p)
    }
}

/// The dict of a view.
///
/// # Safety
/// `o` is a view.
pub(crate) unsafe fn view_dict(o: &Object) -> &Dict {
    // SAFETY: the caller's promise; a view keeps its dict.
    unsafe { Object::from_ptr((*o.as_ptr().cast::<_PyDictViewObject>()).dv_dict.cast()).downcast_unchecked() }
}

fn is_set_view(o: &Object) -> bool {
    DictKeys::check(o) || DictItems::check(o)
}

/// Are all items of `a` in `b`?
fn all_contained(a: &Object, b: &Object) -> PyResult<bool> {
    let it = a.iterator()?;
    while let Some(x) = it.iter_next()? {
        if !b.contains_item(&x)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn view_compare(a: &Object, b: &Object, op: CompareOp) -> PyResult {
    if !is_anyset(b) && !is_set_view(b) {
        return Ok(not_implemented());
    }
    let (n, m) = (a.length()?, b.length()?);
    let r = match op {
        CompareOp::Eq => n == m && all_contained(a, b)?,
        CompareOp::Ne => !(n == m && all_contained(a, b)?),
        CompareOp::Lt => n < m && all_contained(a, b)?,
        CompareOp::Le => n <= m && all_contained(a, b)?,
        CompareOp::Gt => n > m && all_contained(b, a)?,
        CompareOp::Ge => n >= m && all_contained(b, a)?,
    };
    Ok(bool_obj(r))
}

fn view_repr(o: &Object, name: String) -> PyResult<Owned<Str>> {
    reprguard::guarded(o, || {
        let items = List::new();
        items.extend(o)?;
        let mut b = StrBuilder::new();
        b.push_str(&name);
        b.push_str("(");
        b.push_obj(&*items.repr()?);
        b.push_str(")");
        Ok(b.finish())
    })
    .unwrap_or_else(|| Ok(Str::new("...")))
}

fn disjoint(me: &Object, other: &Object) -> PyResult<bool> {
    if me.is(other) {
        return Ok(me.length()? == 0);
    }
    // Iterate over the smaller of two sets.
    let (mut a, mut b) = (me, other);
    if (is_anyset(other) || is_set_view(other)) && other.length()? > me.length()? {
        (a, b) = (other, me);
    }
    // `b` is iterated, `a` asked.
    let it = b.iterator()?;
    while let Some(x) = it.iter_next()? {
        if a.contains_item(&x)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn to_set(o: &Object) -> PyResult<Owned<Set>> {
    if DictKeys::check(o) {
        // SAFETY: just checked.
        return Set::from_iterable(unsafe { view_dict(o) });
    }
    Set::from_iterable(o)
}

fn view_sub(a: &Object, b: &Object) -> PyResult {
    let s = to_set(a)?;
    crate::set_methods::difference_update(s.any(), b)?;
    Ok(s.into_object())
}
fn view_or(a: &Object, b: &Object) -> PyResult {
    let s = to_set(a)?;
    s.any().update(b)?;
    Ok(s.into_object())
}
fn view_xor(a: &Object, b: &Object) -> PyResult {
    let s = to_set(a)?;
    crate::set_methods::symmetric_difference_update(s.any(), b)?;
    Ok(s.into_object())
}
fn view_and(a: &Object, b: &Object) -> PyResult {
    // Either operand may be the view; iterate over the smaller if both are sets.
    let (mut view, mut other) = if is_set_view(a) { (a, b) } else { (b, a) };
    if (is_set_view(other) || Set::check(other)) && other.length()? > view.length()? {
        (view, other) = (other, view);
    }
    let result = Set::new();
    if Set::check(other) && DictKeys::check(view) || is_set_view(view) || is_anyset(view) {
        let it = other.iterator()?;
        while let Some(x) = it.iter_next()? {
            if view.contains_item(&x)? {
                result.any().add(&x)?;
            }
        }
    }
    Ok(result.into_object())
}

macro_rules! dict_view {
    ($t:ident, $what:expr, set: $($set:ident)?) => {
        #[pymethods(extra = $t::set_slots)]
        impl $t {
            fn dict(&self) -> &Dict {
                // SAFETY: a view.
                unsafe { view_dict(self) }
            }
            #[slot(tp_iter)]
            fn py_iter(&self) -> Owned<Object> {
                new_iter(self.dict(), $what, false)
            }
            #[slot(sq_length)]
            fn len(&self) -> PyResult<usize> {
                // SAFETY: a live view.
                Ok(if unsafe { (*self.as_struct()).dv_dict.is_null() } { 0 } else { self.dict().len() })
            }
            #[slot(tp_repr)]
            fn py_repr(&self) -> PyResult<Owned<Str>> {
                view_repr(self, self.ty().name())
            }
            /// Return a reverse iterator over the dict.
            #[pymethod]
            fn __reversed__(&self) -> Owned<Object> {
                new_iter(self.dict(), $what, true)
            }
            /// dictionary that this view refers to
            #[getter]
            fn mapping(&self) -> PyResult {
                crate::dict_views::mapping_proxy(self.dict())
            }
            #[slot(tp_traverse)]
            fn traverse(&self, v: &mut Visitor) {
                // SAFETY: reading the field.
                v.visit_ptr(unsafe { (*self.as_struct()).dv_dict.cast() })
            }
            #[slot(tp_dealloc)]
            fn dealloc(o: *mut PyObject) {
                // SAFETY: called once, when the count has reached zero.
                unsafe {
                    gc::untrack(o);
                    xdecref((*o.cast::<_PyDictViewObject>()).dv_dict.cast());
                    gc::free_object(o);
                }
            }
        }
    };
}
dict_view!(DictKeys, What::Keys, set: yes);
dict_view!(DictValues, What::Values, set:);
dict_view!(DictItems, What::Items, set: yes);

impl DictValues {
    fn set_slots(_b: &mut crate::builder::TypeBuilder) {}
}
impl DictKeys {
    fn contains_key(&self, key: &Object) -> PyResult<bool> {
        self.dict().contains(key)
    }
    fn set_slots(b: &mut crate::builder::TypeBuilder) {
        b.slot(Py_sq_contains, crate::slot_contains!(DictKeys, DictKeys::contains_key));
        DictKeys::install_setops(b);
    }
}
impl DictItems {
    fn contains_pair(&self, item: &Object) -> PyResult<bool> {
        let Some(t) = item.downcast::<Tuple>().filter(|t| t.len() == 2) else { return Ok(false) };
        match self.dict().get_item(t.item_ref(0))? {
            Some(v) => v.rich_compare_bool(t.item_ref(1), CompareOp::Eq),
            None => Ok(false),
        }
    }
    fn set_slots(b: &mut crate::builder::TypeBuilder) {
        b.slot(Py_sq_contains, crate::slot_contains!(DictItems, DictItems::contains_pair));
        DictItems::install_setops(b);
    }
}

macro_rules! set_ops {
    ($t:ident) => {
        #[pymethods(part = "setops")]
        impl $t {
            #[slot(tp_richcompare)]
            fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
                view_compare(self, other, op)
            }
            #[slot(nb_subtract)]
            fn nb_subtract(a: &Object, b: &Object) -> PyResult {
                view_sub(a, b)
            }
            #[slot(nb_and)]
            fn nb_and(a: &Object, b: &Object) -> PyResult {
                view_and(a, b)
            }
            #[slot(nb_or)]
            fn nb_or(a: &Object, b: &Object) -> PyResult {
                view_or(a, b)
            }
            #[slot(nb_xor)]
            fn nb_xor(a: &Object, b: &Object) -> PyResult {
                view_xor(a, b)
            }
            #[slot(tp_hash)]
            fn py_hash(&self) -> PyResult<isize> {
                crate::sliceobject::unhashable(self)
            }
            #[classattr]
            fn __hash__() -> Owned<Object> {
                none()
            }
            /// Return True if the view and the given iterable have a null intersection.
            #[pymethod]
            fn isdisjoint(&self, other: &Object) -> PyResult<bool> {
                disjoint(self, other)
            }
        }
    };
}
set_ops!(DictKeys);
set_ops!(DictItems);

pub fn init() -> PyResult<()> {
    ready::<DictKeys>()?;
    ready::<DictValues>()?;
    ready::<DictItems>()?;
    ready::<DictIterKey>()?;
    ready::<DictIterValue>()?;
    ready::<DictIterItem>()?;
    ready::<DictRevIterKey>()?;
    ready::<DictRevIterValue>()?;
    ready::<DictRevIterItem>()?;
    Ok(())
}

/// `types.MappingProxyType(d)`.
pub(crate) fn mapping_proxy(d: &Dict) -> PyResult {
    MappingProxy::class().call1(d)
}
