//! Methods and operators of `set` and `frozenset`, and `set_iterator`. Results of operators and methods are of the base type.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{StrBuilder, ready};
use crate::setobject::{AnySet, alloc_set, dealloc_set, hash_item, is_anyset, with_hashable};
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::{gc, kind, pymethods, raise, reprguard};
use lh_abi::*;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

/// `a -= b` for any iterable `b`.
pub(crate) fn difference_update(a: AnySet<'_>, b: &Object) -> PyResult<()> {
    if a.object().is(b) {
        a.clear();
        return Ok(());
    }
    if let Some(o) = AnySet::of(b) {
        let held;
        // Much the larger: look up in it instead.
        let o = if o.len() >> 3 > a.len() {
            held = intersection(a, b)?;
            held.any()
        } else {
            o
        };
        let mut pos = 0;
        while let Some((k, h)) = o.next(&mut pos) {
            a.discard_hashed(&k, h)?;
        }
    } else if let Some(d) = b.downcast_exact::<Dict>() {
        let mut pos = 0;
        while let Some(e) = d.next_entry(&mut pos) {
            // SAFETY: a live key, held while Python code may run.
            let k = unsafe { Object::from_ptr(e.key) }.own();
            a.discard_hashed(&k, e.hash)?;
        }
    } else {
        let it = b.iterator()?;
        while let Some(k) = it.iter_next()? {
            a.discard(&k)?;
        }
    }
    a.tidy()
}

/// `a ^= b` for any iterable `b`.
pub(crate) fn symmetric_difference_update(a: AnySet<'_>, b: &Object) -> PyResult<()> {
    if a.object().is(b) {
        a.clear();
        return Ok(());
    }
    if let Some(d) = b.downcast_exact::<Dict>() {
        let mut pos = 0;
        while let Some(e) = d.next_entry(&mut pos) {
            // SAFETY: a live key, held while Python code may run.
            let (k, h) = (unsafe { Object::from_ptr(e.key) }.own(), e.hash);
            if !a.discard_hashed(&k, h)? {
                a.add_hashed(&k, h)?;
            }
        }
        return Ok(());
    }
    let held;
    let o = match AnySet::of(b) {
        Some(o) => o,
        None => {
            held = Set::from_iterable(b)?;
            held.any()
        }
    };
    let mut pos = 0;
    while let Some((k, h)) = o.next(&mut pos) {
        if !a.discard_hashed(&k, h)? {
            a.add_hashed(&k, h)?;
        }
    }
    Ok(())
}

/// A new set of what is in both.
pub(crate) fn intersection(a: AnySet<'_>, b: &Object) -> PyResult<Owned<Set>> {
    let r = Set::new();
    intersect_into(r.any(), a, b)?;
    Ok(r)
}

fn intersect_into(r: AnySet<'_>, a: AnySet<'_>, b: &Object) -> PyResult<()> {
    if a.object().is(b) {
        return r.merge(a);
    }
    if let Some(o) = AnySet::of(b) {
        let (small, large) = if o.len() > a.len() { (a, o) } else { (o, a) };
        let mut pos = 0;
        while let Some((k, h)) = small.next(&mut pos) {
            if large.contains_hashed(&k, h)? {
                r.add_hashed(&k, h)?;
            }
        }
        return Ok(());
    }
    let it = b.iterator()?;
    while let Some(k) = it.iter_next()? {
        let h = hash_item(&k)?;
        if a.contains_hashed(&k, h)? {
            r.add_hashed(&k, h)?;
        }
    }
    Ok(())
}

/// `r = a - b` into an empty `r`.
fn difference_into(r: AnySet<'_>, a: AnySet<'_>, b: &Object) -> PyResult<()> {
    let size = match (AnySet::of(b), b.downcast_exact::<Dict>()) {
        (Some(o), _) => o.len(),
        (None, Some(d)) => d.len(),
        _ => {
            r.merge(a)?;
            return difference_update(r, b);
        }
    };
    if a.len() >> 2 > size {
        r.merge(a)?;
        return difference_update(r, b);
    }
    let mut pos = 0;
    while let Some((k, h)) = a.next(&mut pos) {
        let there = match AnySet::of(b) {
            Some(o) => o.contains_hashed(&k, h)?,
            // SAFETY: an exact dict, checked above.
            None => unsafe { b.downcast_unchecked::<Dict>() }.lookup(&k, h)? >= 0,
        };
        if !there {
            r.add_hashed(&k, h)?;
        }
    }
    Ok(())
}

fn issubset(a: AnySet<'_>, other: &Object) -> PyResult<bool> {
    let held;
    let o = match AnySet::of(other) {
        Some(o) => o,
        None => {
            held = Set::from_iterable(other)?;
            held.any()
        }
    };
    if a.len() > o.len() {
        return Ok(false);
    }
    let mut pos = 0;
    while let Some((k, h)) = a.next(&mut pos) {
        if !o.contains_hashed(&k, h)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn issuperset(a: AnySet<'_>, other: &Object) -> PyResult<bool> {
    if let Some(o) = AnySet::of(other) {
        return issubset(o, a.object());
    }
    let it = other.iterator()?;
    while let Some(k) = it.iter_next()? {
        if !a.contains(&k)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn isdisjoint(a: AnySet<'_>, other: &Object) -> PyResult<bool> {
    if a.object().is(other) {
        return Ok(a.len() == 0);
    }
    if let Some(o) = AnySet::of(other) {
        let (small, large) = if o.len() > a.len() { (a, o) } else { (o, a) };
        let mut pos = 0;
        while let Some((k, h)) = small.next(&mut pos) {
            if large.contains_hashed(&k, h)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let it = other.iterator()?;
    while let Some(k) = it.iter_next()? {
        if a.contains(&k)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn repr(a: AnySet<'_>) -> PyResult<Owned<Str>> {
    let o = a.object();
    let name = o.ty().name();
    if a.len() == 0 {
        return Ok(Str::new(&format!("{name}()")));
    }
    reprguard::guarded(o, || {
        let items = List::from_vec(a.items_vec()).repr()?;
        let mut b = StrBuilder::new();
        let plain = o.is_exact::<Set>();
        if !plain {
            b.push_str(&name);
            b.push_str("(");
        }
        b.push_str("{");
        b.push_slice(&items, 1, items.len() - 1);
        b.push_str(if plain { "}" } else { "})" });
        Ok(b.finish())
    })
    .unwrap_or_else(|| Ok(Str::new(&format!("{name}(...)"))))
}

fn richcompare(a: AnySet<'_>, other: &Object, op: CompareOp) -> PyResult {
    let Some(w) = AnySet::of(other) else { return Ok(not_implemented()) };
    // SAFETY: live sets' fields; a frozenset's hash is -1 until computed.
    let hashes_differ = || unsafe {
        let (x, y) = ((*a.raw()).hash, (*w.raw()).hash);
        x != -1 && y != -1 && x != y
    };
    let r = match op {
        CompareOp::Eq => a.len() == w.len() && !hashes_differ() && issubset(a, other)?,
        CompareOp::Ne => return richcompare(a, other, CompareOp::Eq).map(|r| bool_obj(r.is_false_object())),
        CompareOp::Le => issubset(a, other)?,
        CompareOp::Ge => issubset(w, a.object())?,
        CompareOp::Lt => a.len() < w.len() && issubset(a, other)?,
        CompareOp::Gt => a.len() > w.len() && issubset(w, a.object())?,
    };
    Ok(bool_obj(r))
}

fn reduce(a: AnySet<'_>) -> PyResult<(Owned<Type>, Owned<Tuple>, Owned<Object>)> {
    let o = a.object();
    let state = o.call_method("__getstate__", &[])?;
    let items = List::from_vec(a.items_vec());
    Ok((o.ty().own(), Tuple::from_refs(&[&*items]), state))
}

static EMPTY_FROZEN: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());

fn frozen_of(s: Owned<FrozenSet>) -> Owned<FrozenSet> {
    if s.len() > 0 { s } else { empty_frozenset() }
}

/// The empty frozenset, one for all.
pub fn empty_frozenset() -> Owned<FrozenSet> {
    let p = EMPTY_FROZEN.load(Ordering::Relaxed);
    // SAFETY: made once and kept for ever.
    unsafe {
        if p.is_null() {
            let s = FrozenSet::new();
            EMPTY_FROZEN.store(s.clone().into_raw(), Ordering::Relaxed);
            return s;
        }
        incref(p);
        Owned::from_raw(p)
    }
}

/// A frozenset's hash: independent of order, computed once.
fn frozen_hash(a: AnySet<'_>) -> isize {
    // SAFETY: a live set's fields.
    unsafe {
        let s = a.raw();
        if (*s).hash != -1 {
            return (*s).hash;
        }
        let mut h = 0u64;
        let mut pos = 0;
        while let Some((_, x)) = a.next_entry(&mut pos) {
            let x = x as u64;
            h ^= ((x ^ 89869747) ^ (x << 16)).wrapping_mul(3644798167);
        }
        h ^= (a.len() as u64 + 1).wrapping_mul(1927868237);
        h ^= (h >> 11) ^ (h >> 25);
        h = h.wrapping_mul(69069).wrapping_add(907133923);
        let h = if h == u64::MAX { 590923713 } else { h as isize };
        (*s).hash = h;
        h
    }
}

/// What both types have.
macro_rules! common {
    ($t:ident, $finish:expr) => {
        #[pymethods(part = "common")]
        impl $t {
            fn base_copy(&self) -> PyResult<Owned<$t>> {
                let r = $t::new();
                r.any().merge(self.any())?;
                Ok(r)
            }
            #[slot(tp_repr)]
            fn py_repr(&self) -> PyResult<Owned<Str>> {
                repr(self.any())
            }
            #[slot(tp_richcompare)]
            fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
                richcompare(self.any(), other, op)
            }
            #[slot(tp_iter)]
            fn py_iter(&self) -> Owned<SetIter> {
                SetIter::over(self.any())
            }
            #[slot(sq_length)]
            fn sq_length(&self) -> PyResult<usize> {
                Ok(self.len())
            }
            #[slot(sq_contains)]
            fn sq_contains(&self, key: &Object) -> PyResult<bool> {
                with_hashable(key, |k| self.any().contains(k))
            }
            #[slot(nb_subtract)]
            fn nb_subtract(a: &Object, b: &Object) -> PyResult {
                let (Some(x), Some(_)) = (AnySet::of(a), AnySet::of(b)) else { return Ok(not_implemented()) };
                result_like(a, |r| difference_into(r, x, b))
            }
            #[slot(nb_and)]
            fn nb_and(a: &Object, b: &Object) -> PyResult {
                let (Some(x), Some(_)) = (AnySet::of(a), AnySet::of(b)) else { return Ok(not_implemented()) };
                result_like(a, |r| intersect_into(r, x, b))
            }
            #[slot(nb_or)]
            fn nb_or(a: &Object, b: &Object) -> PyResult {
                let (Some(x), Some(y)) = (AnySet::of(a), AnySet::of(b)) else { return Ok(not_implemented()) };
                result_like(a, |r| {
                    r.merge(x)?;
                    r.merge(y)
                })
            }
            #[slot(nb_xor)]
            fn nb_xor(a: &Object, b: &Object) -> PyResult {
                let (Some(_), Some(y)) = (AnySet::of(a), AnySet::of(b)) else { return Ok(not_implemented()) };
                result_like(a, |r| {
                    r.merge(y)?;
                    symmetric_difference_update(r, a)
                })
            }
            /// x.__contains__(y) <==> y in x.
            #[pymethod(coexist)]
            fn __contains__(&self, key: &Object) -> PyResult<bool> {
                self.sq_contains(key)
            }
            /// Return the difference of two or more sets as a new set.
            ///
            /// (i.e. all elements that are in this set but not the others.)
            #[pymethod(parse_tuple, signature = "(*others)")]
            fn difference(&self, others: &Tuple) -> PyResult {
                if others.len() == 0 {
                    return Ok(self.base_copy()?.into_object());
                }
                let r = $t::new();
                difference_into(r.any(), self.any(), others.item_ref(0))?;
                for o in others.iter().skip(1) {
                    difference_update(r.any(), o)?;
                }
                Ok(r.into_object())
            }
            /// Return the intersection of two sets as a new set.
            ///
            /// (i.e. all elements that are in both sets.)
            #[pymethod(name = "intersection", signature = "(*others)")]
            fn py_intersection(&self, others: &Tuple) -> PyResult {
                if others.len() == 0 {
                    return Ok(self.base_copy()?.into_object());
                }
                let mut r = $t::new();
                intersect_into(r.any(), self.any(), others.item_ref(0))?;
                for o in others.iter().skip(1) {
                    let next = $t::new();
                    intersect_into(next.any(), r.any(), o)?;
                    r = next;
                }
                Ok(r.into_object())
            }
            /// Return the union of sets as a new set.
            ///
            /// (i.e. all elements that are in either set.)
            #[pymethod(parse_tuple, signature = "(*others)")]
            fn union(&self, others: &Tuple) -> PyResult {
                let r = self.base_copy()?;
                for o in others.iter() {
                    if !self.is(o) {
                        r.any().update(o)?;
                    }
                }
                Ok(r.into_object())
            }
            /// Return the symmetric difference of two sets as a new set.
            ///
            /// (i.e. all elements that are in exactly one of the sets.)
            #[pymethod]
            fn symmetric_difference(&self, other: &Object) -> PyResult {
                let r = $t::from_iterable(other)?;
                symmetric_difference_update(r.any(), self)?;
                Ok(r.into_object())
            }
            /// Return True if two sets have a null intersection.
            #[pymethod]
            fn isdisjoint(&self, other: &Object) -> PyResult<bool> {
                isdisjoint(self.any(), other)
            }
            /// Report whether another set contains this set.
            #[pymethod]
            fn issubset(&self, other: &Object) -> PyResult<bool> {
                issubset(self.any(), other)
            }
            /// Report whether this set contains another set.
            #[pymethod]
            fn issuperset(&self, other: &Object) -> PyResult<bool> {
                issuperset(self.any(), other)
            }
            /// Return state information for pickling.
            #[pymethod]
            fn __reduce__(&self) -> PyResult<(Owned<Type>, Owned<Tuple>, Owned<Object>)> {
                reduce(self.any())
            }
            /// S.__sizeof__() -> size of S in memory, in bytes
            #[pymethod]
            fn __sizeof__(&self) -> usize {
                // SAFETY: a live set's fields.
                unsafe {
                    let s = self.as_struct();
                    let small: *mut setentry = (&raw mut (*s).smalltable).cast();
                    let extra = if (*s).table == small {
                        0
                    } else {
                        ((*s).mask as usize + 1) * size_of::<setentry>()
                    };
                    (*self.ob_type()).tp_basicsize as usize + extra
                }
            }
            /// See PEP 585
            #[classmethod]
            fn __class_getitem__(cls: &Type, object: &Object) -> PyResult {
                crate::genericalias::new(cls, object)
            }
            #[slot(tp_traverse)]
            fn traverse(&self, v: &mut Visitor) {
                self.any().traverse(v)
            }
            #[slot(tp_clear)]
            fn gc_clear(&self) {
                self.any().clear()
            }
            #[slot(tp_dealloc)]
            fn dealloc(o: *mut PyObject) {
                dealloc_set(o, $t::type_ptr())
            }
        }
    };
}

/// A new set of the base type of `like`, filled by `f`.
fn result_like(like: &Object, f: impl FnOnce(AnySet<'_>) -> PyResult<()>) -> PyResult {
    if FrozenSet::check(like) {
        let r = FrozenSet::new();
        f(r.any())?;
        Ok(r.into_object())
    } else {
        let r = Set::new();
        f(r.any())?;
        Ok(r.into_object())
    }
}

common!(Set, |s| s);
common!(FrozenSet, frozen_of);

fn set_doc(b: &mut crate::builder::TypeBuilder) {
    b.doc(c"set() -> an empty set\nset(iterable) -> the set of its different items\n\nAn unordered collection of hashable items.");
}
fn frozenset_doc(b: &mut crate::builder::TypeBuilder) {
    b.doc(c"frozenset() -> the empty frozenset\nfrozenset(iterable) -> the frozenset of its different items\n\nA set that never changes.");
}

#[pymethods(parts(common), extra = set_doc)]
impl Set {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Set>> {
        alloc_set(cls.tp())
    }
    #[slot(tp_init)]
    fn py_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        if kw.is_some_and(|k| k.len() > 0) {
            // SAFETY: comparing slot pointers.
            let own_init = unsafe { (*self.ob_type()).tp_init == (*Set::type_ptr()).tp_init };
            if own_init {
                return raise!(TypeError, "set() takes no keyword arguments");
            }
        }
        if args.len() > 1 {
            return raise!(TypeError, "set expected at most 1 argument, got {}", args.len());
        }
        self.any().clear();
        // SAFETY: a live set's field.
        unsafe { (*self.as_struct()).hash = -1 };
        if args.len() == 1 { self.any().update(args.item_ref(0)) } else { Ok(()) }
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        crate::sliceobject::unhashable(self)
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
    #[slot(nb_inplace_subtract)]
    fn isub(&self, other: &Object) -> PyResult {
        if !is_anyset(other) {
            return Ok(not_implemented());
        }
        difference_update(self.any(), other)?;
        Ok(self.own().into_object())
    }
    #[slot(nb_inplace_and)]
    fn iand(&self, other: &Object) -> PyResult {
        if !is_anyset(other) {
            return Ok(not_implemented());
        }
        let r = intersection(self.any(), other)?;
        self.any().swap_bodies(r.any());
        Ok(self.own().into_object())
    }
    #[slot(nb_inplace_or)]
    fn ior(&self, other: &Object) -> PyResult {
        if !is_anyset(other) {
            return Ok(not_implemented());
        }
        self.any().update(other)?;
        Ok(self.own().into_object())
    }
    #[slot(nb_inplace_xor)]
    fn ixor(&self, other: &Object) -> PyResult {
        if !is_anyset(other) {
            return Ok(not_implemented());
        }
        symmetric_difference_update(self.any(), other)?;
        Ok(self.own().into_object())
    }
    /// Add an element to a set.
    ///
    /// This has no effect if the element is already present.
    #[pymethod(name = "add")]
    fn py_add(&self, item: &Object) -> PyResult<()> {
        self.any().add(item).map(|_| ())
    }
    /// Remove all elements from this set.
    #[pymethod(name = "clear")]
    fn py_clear(&self) {
        self.any().clear()
    }
    /// Return a shallow copy of a set.
    #[pymethod]
    fn copy(&self) -> PyResult<Owned<Set>> {
        self.base_copy()
    }
    /// Remove an element from a set if it is a member.
    ///
    /// Unlike set.remove(), the discard() method does not raise
    /// an exception when an element is missing from the set.
    #[pymethod(name = "discard")]
    fn py_discard(&self, item: &Object) -> PyResult<()> {
        with_hashable(item, |k| self.any().discard(k)).map(|_| ())
    }
    /// Remove an element from a set; it must be a member.
    ///
    /// If the element is not a member, raise a KeyError.
    #[pymethod]
    fn remove(&self, item: &Object) -> PyResult<()> {
        if with_hashable(item, |k| self.any().discard(k))? {
            Ok(())
        } else {
            Err(crate::dictobject::key_error(item))
        }
    }
    /// Remove and return an arbitrary set element.
    /// Raises KeyError if the set is empty.
    #[pymethod]
    fn pop(&self) -> PyResult {
        match self.any().pop() {
            Some(x) => Ok(x),
            None => raise!(KeyError, "pop from an empty set"),
        }
    }
    /// Update a set with the union of itself and others.
    #[pymethod(parse_tuple, signature = "(*others)")]
    fn update(&self, others: &Tuple) -> PyResult<()> {
        others.iter().try_for_each(|o| self.any().update(o))
    }
    /// Remove all elements of another set from this set.
    #[pymethod(name = "difference_update", signature = "(*others)")]
    fn py_difference_update(&self, others: &Tuple) -> PyResult<()> {
        others.iter().try_for_each(|o| difference_update(self.any(), o))
    }
    /// Update a set with the intersection of itself and another.
    #[pymethod(parse_tuple, signature = "(*others)")]
    fn intersection_update(&self, others: &Tuple) -> PyResult<()> {
        let mut r = self.base_copy()?;
        for o in others.iter() {
            r = intersection(r.any(), o)?;
        }
        self.any().swap_bodies(r.any());
        Ok(())
    }
    /// Update a set with the symmetric difference of itself and another.
    #[pymethod(name = "symmetric_difference_update")]
    fn py_symmetric_difference_update(&self, other: &Object) -> PyResult<()> {
        symmetric_difference_update(self.any(), other)
    }
}

#[pymethods(parts(common), extra = frozenset_doc)]
impl FrozenSet {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<FrozenSet>> {
        let exact = cls.tp() == FrozenSet::type_ptr();
        if kw.is_some_and(|k| k.len() > 0) {
            // SAFETY: comparing slot pointers.
            let own_init = unsafe { (*cls.tp()).tp_init == (*FrozenSet::type_ptr()).tp_init };
            if exact || own_init {
                return raise!(TypeError, "frozenset() takes no keyword arguments");
            }
        }
        if args.len() > 1 {
            return raise!(TypeError, "frozenset expected at most 1 argument, got {}", args.len());
        }
        if exact {
            if args.len() == 0 {
                return Ok(empty_frozenset());
            }
            if let Some(f) = args.item_ref(0).downcast_exact::<FrozenSet>() {
                return Ok(f.own());
            }
            return FrozenSet::from_iterable(args.item_ref(0)).map(frozen_of);
        }
        let s = alloc_set::<FrozenSet>(cls.tp())?;
        if args.len() == 1 {
            s.any().update(args.item_ref(0))?;
        }
        Ok(s)
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        Ok(frozen_hash(self.any()))
    }
    /// Return a shallow copy of a set.
    #[pymethod]
    fn copy(&self) -> PyResult<Owned<FrozenSet>> {
        match self.downcast_exact::<FrozenSet>() {
            Some(s) => Ok(s.own()),
            None => self.base_copy(),
        }
    }
}

// ---- Iterator ----

/// `set_iterator`; `si_set` is null once exhausted.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SetIterObject {
    pub ob_base: PyObject,
    pub si_set: *mut PyObject,
    pub si_used: isize,
    pub si_pos: isize,
    pub len: isize,
}
kind!(/** `set_iterator` */ SetIter: SetIterObject, crate::type_table::PySetIter_Type);

impl SetIter {
    pub fn over(s: AnySet<'_>) -> Owned<SetIter> {
        // SAFETY: a new object of this type.
        unsafe {
            let p = gc::new_builtin(SetIter::type_ptr(), size_of::<SetIterObject>());
            assert!(!p.is_null(), "out of memory");
            let it = p.cast::<SetIterObject>();
            (*it).si_pos = 0;
            (*it).si_set = s.object().own().into_raw();
            (*it).si_used = s.len() as isize;
            (*it).len = s.len() as isize;
            gc::track(p);
            Owned::from_raw(p)
        }
    }
}

#[pymethods]
impl SetIter {
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<SetIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: the set is live while the iterator refers to it.
        unsafe {
            let it = self.as_struct();
            if (*it).si_set.is_null() {
                return Ok(None);
            }
            let s = AnySet::of_unchecked(Object::from_ptr((*it).si_set));
            if (*it).si_used != s.len() as isize {
                (*it).si_used = -1;
                return raise!(RuntimeError, "Set changed size during iteration");
            }
            let mut pos = (*it).si_pos as usize;
            let r = s.next_entry(&mut pos);
            (*it).si_pos = pos as isize;
            match r {
                Some((k, _)) => {
                    (*it).len -= 1;
                    Ok(Some(Object::from_ptr(k).own()))
                }
                None => {
                    decref(std::mem::replace(&mut (*it).si_set, null_mut()));
                    Ok(None)
                }
            }
        }
    }
    /// Private method returning an estimate of len(list(it)).
    #[pymethod]
    fn __length_hint__(&self) -> usize {
        // SAFETY: as above.
        unsafe {
            let it = self.as_struct();
            if (*it).si_set.is_null() || (*it).si_used != (*(*it).si_set.cast::<PySetObject>()).used {
                0
            } else {
                (*it).len.max(0) as usize
            }
        }
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Object>> {
        // SAFETY: a copy of the iterator walks on in its place.
        unsafe {
            let it = self.as_struct();
            let items = List::new();
            if let Some(s) = Object::from_ptr_opt((*it).si_set) {
                let s = AnySet::of_unchecked(s);
                if (*it).si_used != s.len() as isize {
                    return raise!(RuntimeError, "Set changed size during iteration");
                }
                let mut pos = (*it).si_pos as usize;
                while let Some((k, _)) = s.next(&mut pos) {
                    items.push(k);
                }
            }
            let iter = crate::iterobject::builtin("iter")?;
            Ok(Tuple::pair(iter, Tuple::from_refs(&[&*items]).into_object()).into_object())
        }
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the field.
        v.visit_ptr(unsafe { (*self.as_struct()).si_set })
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            xdecref((*o.cast::<SetIterObject>()).si_set);
            gc::free_untracked(o, size_of::<SetIterObject>());
        }
    }
}

pub fn init() -> PyResult<()> {
    ready::<Set>()?;
    ready::<FrozenSet>()?;
    ready::<SetIter>()?;
    Ok(())
}
