//! `tuple` and `tuple_iterator`.
//!
//! A tuple that others can see never changes, so borrows of its items live as long as the tuple (except in C code that fills a tuple
//! it has just made). A tuple made here whose items are all of types without a GC head is never tracked.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{StrBuilder, ready};
use crate::singletons::*;
use crate::sliceobject::{index_range, is_index, subscript_index};
use crate::slots::CompareOp;
use crate::{gc, kind, pymethods, raise, reprguard, trash, typeobject};
use lh_abi::*;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

static EMPTY: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());

/// Room for an exact tuple of `n` null items, untracked.
///
/// # Safety
/// The caller fills in all items before anybody else sees the object.
pub unsafe fn alloc_exact(n: usize) -> PyResult<*mut PyObject> {
    // SAFETY: the static type object of tuples.
    unsafe {
        let p = gc::new_object(Tuple::type_ptr(), n as isize);
        if p.is_null() {
            return raise!(MemoryError);
        }
        (*p.cast::<PyVarObject>()).ob_size = n as isize;
        Ok(p)
    }
}

/// Tracks a new tuple if one of its items may be part of a cycle.
#[inline(never)]
unsafe fn track_if_needed(p: *mut PyObject, n: usize) {
    // SAFETY: a tuple whose `n` items are filled in.
    unsafe {
        let items = (&raw const (*p.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>();
        if (0..n).any(|i| gc::may_be_tracked(*items.add(i))) {
            gc::track(p);
        }
    }
}

impl Tuple {
    pub fn empty() -> Owned<Tuple> {
        let p = EMPTY.load(Ordering::Relaxed);
        // SAFETY: the empty tuple is made once and kept for ever.
        unsafe {
            if p.is_null() {
                let p = alloc_exact(0).expect("memory for the empty tuple");
                EMPTY.store(p, Ordering::Relaxed);
                return Object::from_ptr(p).downcast_unchecked::<Tuple>().own();
            }
            incref(p);
            Owned::from_raw(p)
        }
    }
    /// Fills a new tuple with `n` items from `f`, which must not run Python code.
    #[inline]
    pub fn build(n: usize, mut f: impl FnMut(usize) -> *mut PyObject) -> PyResult<Owned<Tuple>> {
        if n == 0 {
            return Ok(Tuple::empty());
        }
        // SAFETY: all `n` items are filled; `f` hands over one count each.
        unsafe {
            let p = gc::new_builtin(Tuple::type_ptr(), 24 + 8 * n);
            if p.is_null() {
                return raise!(MemoryError);
            }
            (*p.cast::<PyVarObject>()).ob_size = n as isize;
            let items = (&raw mut (*p.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>();
            let (mut track, mut plain) = (false, null_mut());
            for i in 0..n {
                let o = f(i);
                // Neighbours are mostly of one type (whose instances are alike in this, but for tuples).
                if (*o).ob_type != plain && !track {
                    track = gc::may_be_tracked(o);
                    plain = if (*o).ob_type == Tuple::type_ptr() { null_mut() } else { (*o).ob_type };
                }
                *items.add(i) = o;
            }
            if track {
                gc::track(p);
            }
            Ok(Owned::from_raw(p))
        }
    }
    pub fn from_vec(v: Vec<Owned<Object>>) -> Owned<Tuple> {
        let mut v = v;
        let n = v.len();
        // SAFETY: the vector's references become the tuple's.
        unsafe {
            v.set_len(0);
            Tuple::of_counts(v.as_ptr().cast(), n).expect("memory for a tuple")
        }
    }
    pub fn from_refs(v: &[&Object]) -> Owned<Tuple> {
        Tuple::build(v.len(), |i| v[i].own().into_raw()).expect("memory for a tuple")
    }
    /// A tuple of two, taking over the references: the commonest product of iterators.
    #[inline]
    pub fn pair(a: Owned<Object>, b: Owned<Object>) -> Owned<Tuple> {
        let (a, b) = (a.into_raw(), b.into_raw());
        Tuple::build(2, |i| if i == 0 { a } else { b }).expect("memory for a tuple")
    }
    /// # Safety
    /// `items` are `n` live objects.
    #[inline]
    pub unsafe fn from_raw_items(items: *const *mut PyObject, n: usize) -> PyResult<Owned<Tuple>> {
        // SAFETY: the caller's promise.
        unsafe {
            Tuple::fill(items, n, |o| {
                incref(o);
                o
            })
        }
    }
    /// A tuple of `n` live objects, one count of each of which becomes the tuple's.
    ///
    /// # Safety
    /// `items` are these objects.
    #[inline]
    pub unsafe fn of_counts(items: *const *mut PyObject, n: usize) -> PyResult<Owned<Tuple>> {
        // SAFETY: the caller's promise.
        unsafe { Tuple::fill(items, n, |o| o) }
    }
    #[inline(always)]
    unsafe fn fill(
        items: *const *mut PyObject,
        n: usize,
        take: impl Fn(*mut PyObject) -> *mut PyObject,
    ) -> PyResult<Owned<Tuple>> {
        if n == 0 {
            return Ok(Tuple::empty());
        }
        // SAFETY: the caller's promise; all items are filled before anybody sees the tuple.
        unsafe {
            let p = gc::new_builtin(Tuple::type_ptr(), 24 + 8 * n);
            if p.is_null() {
                (0..n).for_each(|i| decref(take(*items.add(i))));
                return raise!(MemoryError);
            }
            (*p.cast::<PyVarObject>()).ob_size = n as isize;
            let to = (&raw mut (*p.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>();
            let mut collectable = 0;
            for i in 0..n {
                let o = take(*items.add(i));
                to.add(i).write_volatile(o);
                collectable |= (*(*o).ob_type).tp_flags & Py_TPFLAGS_HAVE_GC;
            }
            if collectable != 0 {
                track_if_needed(p, n);
            }
            Ok(Owned::from_raw(p))
        }
    }
    #[inline]
    pub fn items_ptr(&self) -> *mut *mut PyObject {
        // SAFETY: the items follow the head.
        unsafe { (&raw mut (*self.as_struct()).ob_item).cast() }
    }
    #[inline]
    pub fn len(&self) -> usize {
        // SAFETY: a live tuple's size is readable.
        unsafe { (*self.as_struct()).ob_base.ob_size as usize }
    }
    /// Item `i < len()`.
    #[inline]
    pub fn get(&self, i: usize) -> Owned<Object> {
        self.item_ref(i).own()
    }
    /// A borrowed item: a tuple that others can see never changes.
    #[inline]
    pub fn item_ref(&self, i: usize) -> &Object {
        assert!(i < self.len(), "tuple item out of range");
        // SAFETY: in range; visible tuples have no null items.
        unsafe { Object::from_ptr(*self.items_ptr().add(i)) }
    }
    #[inline]
    pub fn as_slice_raw(&self) -> &[*mut PyObject] {
        // SAFETY: `len` items follow the head and do not change.
        unsafe { std::slice::from_raw_parts(self.items_ptr(), self.len()) }
    }
    pub fn iter(&self) -> impl Iterator<Item = &Object> + '_ {
        (0..self.len()).map(|i| self.item_ref(i))
    }
    /// Items `start..end`.
    pub fn slice(&self, start: usize, end: usize) -> Owned<Tuple> {
        let end = end.min(self.len());
        let start = start.min(end);
        if start == 0 && end == self.len() && self.is_exact::<Tuple>() {
            return self.own();
        }
        // SAFETY: the range lies inside the tuple.
        unsafe {
            Tuple::from_raw_items(self.items_ptr().add(start), end - start).expect("memory for a tuple")
        }
    }
    /// `tuple(iterable)`.
    pub fn from_iterable(o: &Object) -> PyResult<Owned<Tuple>> {
        if let Some(t) = o.downcast_exact::<Tuple>() {
            return Ok(t.own());
        }
        if let Some(l) = o.downcast_exact::<List>() {
            return Ok(l.to_tuple());
        }
        Ok(Tuple::from_vec(o.to_items()?))
    }
    /// `self + other`.
    pub fn concat(&self, other: &Tuple) -> PyResult<Owned<Tuple>> {
        let n = self.len();
        Tuple::build(n + other.len(), |i| {
            let t = if i < n { self.get(i) } else { other.get(i - n) };
            t.into_raw()
        })
    }
}

#[pymethods(extra = more_slots)]
impl Tuple {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Tuple>> {
        if kw.is_some_and(|k| k.len() > 0) {
            // A subclass with its own __init__ may take keywords.
            // SAFETY: comparing slots of live types.
            let plain = unsafe {
                (*cls.tp()).tp_init.map(|f| f as usize) == (*Tuple::type_ptr()).tp_init.map(|f| f as usize)
            };
            if plain {
                return raise!(TypeError, "tuple() takes no keyword arguments");
            }
        }
        let t = match args.len() {
            0 => Tuple::empty(),
            1 => Tuple::from_iterable(args.item_ref(0))?,
            n => return raise!(TypeError, "tuple expected at most 1 argument, got {}", n),
        };
        if cls.tp() == Tuple::type_ptr() {
            return Ok(t);
        }
        // SAFETY: a new instance of the subtype with room for the items.
        unsafe {
            let p = typeobject::alloc(cls.tp(), t.len() as isize)?;
            let items = (&raw mut (*p.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>();
            for i in 0..t.len() {
                *items.add(i) = t.get(i).into_raw();
            }
            (*p.cast::<PyVarObject>()).ob_size = t.len() as isize;
            Ok(Owned::from_raw(p))
        }
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        if self.len() == 0 {
            return Ok(Str::new("()"));
        }
        reprguard::guarded(self, || {
            let mut b = StrBuilder::new();
            b.push_str("(");
            for i in 0..self.len() {
                if i > 0 {
                    b.push_str(", ");
                }
                b.push_obj(&*self.item_ref(i).repr()?);
            }
            b.push_str(if self.len() == 1 { ",)" } else { ")" });
            Ok(b.finish())
        })
        .unwrap_or_else(|| Ok(Str::new("(...)")))
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        // xxHash's lanes, one per item; the constants are its 64-bit primes.
        const P1: u64 = 11400714785074694791;
        const P2: u64 = 14029467366897019727;
        const P5: u64 = 2870177450012600261;
        let n = self.len();
        let mut acc = P5;
        for i in 0..n {
            let lane = crate::setobject::hash_item(self.item_ref(i))? as u64;
            acc = acc.wrapping_add(lane.wrapping_mul(P2)).rotate_left(31).wrapping_mul(P1);
        }
        acc = acc.wrapping_add(n as u64 ^ (P5 ^ 3527539));
        Ok(if acc == u64::MAX { 1546275796 } else { acc as isize })
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(w) = other.downcast::<Tuple>() else { return Ok(not_implemented()) };
        let n = self.len().min(w.len());
        for i in 0..n {
            let (a, b) = (self.item_ref(i), w.item_ref(i));
            if a.equals_obj(b)? {
                continue;
            }
            return match op {
                CompareOp::Eq => Ok(bool_obj(false)),
                CompareOp::Ne => Ok(bool_obj(true)),
                _ => a.rich_compare(b, op),
            };
        }
        Ok(bool_obj(op.holds(self.len().cmp(&w.len()))))
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<TupleIter> {
        TupleIter::over(self)
    }
    #[slot(sq_length)]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot(sq_concat)]
    fn sq_concat(&self, other: &Object) -> PyResult<Owned<Tuple>> {
        let Some(w) = other.downcast::<Tuple>() else {
            return raise!(TypeError, "can only concatenate tuple (not \"{}\") to tuple", other.ty().name());
        };
        if self.len() == 0
            && let Some(t) = w.downcast_exact::<Tuple>()
        {
            return Ok(t.own());
        }
        if w.len() == 0 && self.is_exact::<Tuple>() {
            return Ok(self.own());
        }
        self.concat(w)
    }
    #[slot(sq_repeat)]
    fn sq_repeat(&self, n: isize) -> PyResult<Owned<Tuple>> {
        let len = self.len();
        if (len == 0 || n == 1) && self.is_exact::<Tuple>() {
            return Ok(self.own());
        }
        if len == 0 || n <= 0 {
            return Ok(Tuple::empty());
        }
        let Some(total) = len.checked_mul(n as usize).filter(|t| *t <= isize::MAX as usize / 8) else {
            return raise!(MemoryError);
        };
        Tuple::build(total, |i| self.get(i % len).into_raw())
    }
    #[slot(sq_item)]
    fn sq_item(&self, i: isize) -> PyResult {
        if i < 0 || i as usize >= self.len() {
            return raise!(IndexError, "tuple index out of range");
        }
        Ok(self.get(i as usize))
    }
    #[slot(sq_contains)]
    fn sq_contains(&self, x: &Object) -> PyResult<bool> {
        for i in 0..self.len() {
            if self.item_ref(i).equals_obj(x)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
    #[slot(mp_subscript)]
    fn subscript(&self, key: &Object) -> PyResult {
        if is_index(key) {
            let i = subscript_index(key)?;
            return self.sq_item(if i < 0 { i + self.len() as isize } else { i });
        }
        let Some(s) = key.downcast::<Slice>() else {
            return raise!(TypeError, "tuple indices must be integers or slices, not {}", key.ty().name());
        };
        let (start, _, step, n) = s.indices(self.len())?;
        if n == self.len() && step == 1 && self.is_exact::<Tuple>() {
            return Ok(self.own().into_object());
        }
        if step == 1 {
            // SAFETY: the range lies inside the tuple.
            return unsafe { Tuple::from_raw_items(self.items_ptr().add(start as usize), n) }
                .map(Owned::into_object);
        }
        Tuple::build(n, |i| self.get((start + i as isize * step) as usize).into_raw()).map(Owned::into_object)
    }
    #[pymethod]
    fn __getnewargs__(&self) -> PyResult<(Owned<Tuple>,)> {
        // SAFETY: the tuple's own items.
        Ok((unsafe { Tuple::from_raw_items(self.items_ptr(), self.len())? },))
    }
    /// Return first index of value.
    ///
    /// Raises ValueError if the value is not present.
    #[pymethod(signature = "(value, start=0, stop=sys.maxsize, /)")]
    fn index(&self, value: &Object, start: Option<&Object>, stop: Option<&Object>) -> PyResult<usize> {
        let (start, stop) = index_range(start, stop, self.len())?;
        for i in start..stop.min(self.len()) {
            if self.item_ref(i).equals_obj(value)? {
                return Ok(i);
            }
        }
        raise!(ValueError, "tuple.index(x): x not in tuple")
    }
    /// Return number of occurrences of value.
    #[pymethod]
    fn count(&self, value: &Object) -> PyResult<usize> {
        let mut n = 0;
        for i in 0..self.len() {
            n += self.item_ref(i).equals_obj(value)? as usize;
        }
        Ok(n)
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, object: &Object) -> PyResult {
        crate::genericalias::new(cls, object)
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        for p in self.as_slice_raw() {
            v.visit_ptr(*p);
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let items = (&raw mut (*o.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>();
            // Mostly the items live on, and nothing can nest.
            let mut left = (*o.cast::<PyVarObject>()).ob_size as usize;
            while left > 0 {
                let x = *items.add(left - 1);
                if x.is_null() || (*x).ob_refcnt == 1 && !dies_simply(x) {
                    return dealloc_nested(o, left);
                }
                decref(x);
                left -= 1;
            }
            free_tuple(o);
        }
    }
}
/// Does an object of this type go without taking others with it?
#[inline(always)]
pub(crate) unsafe fn dies_simply(x: *mut PyObject) -> bool {
    use crate::type_table::*;
    // SAFETY: a live object.
    let t = unsafe { (*x).ob_type };
    t == &raw mut PyLong_Type || t == &raw mut PyFloat_Type || t == &raw mut PyUnicode_Type
}
#[inline(always)]
unsafe fn free_tuple(o: *mut PyObject) {
    // SAFETY: a dying tuple whose items are gone.
    unsafe {
        if (*o).ob_type == Tuple::type_ptr() {
            gc::free_untracked(o, 24 + 8 * (*o.cast::<PyVarObject>()).ob_size as usize);
        } else {
            typeobject::free_instance(o);
        }
    }
}
/// The rest of a tuple's end: only the first `left` items are still its own.
#[inline(never)]
unsafe fn dealloc_nested(o: *mut PyObject, left: usize) {
    // SAFETY: called from the deallocator.
    unsafe {
        let items = (&raw mut (*o.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>();
        // If the tuple has to wait, all this is done again.
        for i in left..(*o.cast::<PyVarObject>()).ob_size as usize {
            *items.add(i) = null_mut();
        }
        if !trash::begin(o) {
            return;
        }
        for i in (0..left).rev() {
            xdecref(*items.add(i));
        }
        free_tuple(o);
        trash::end();
    }
}

fn more_slots(b: &mut crate::builder::TypeBuilder) {
    b.slot(Py_mp_length, crate::slot_len!(Tuple, |t: &Tuple| Ok(t.len())));
    b.doc(
        c"tuple(iterable=(), /)\n--\n\nBuilt-in immutable sequence.\n\nIf no argument is given, the constructor returns an empty tuple.\n\
If iterable is specified the tuple is initialized from iterable's items.\n\n\
If the argument is a tuple, the return value is the same object.",
    );
}

// ---- Iterator ----

/// The layout that `tuple_iterator` and `list_iterator` share: `it_seq` is null once exhausted.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SeqIterObject {
    pub ob_base: PyObject,
    pub it_index: isize,
    pub it_seq: *mut PyObject,
}

kind!(/** `tuple_iterator` */ TupleIter: SeqIterObject, crate::type_table::PyTupleIter_Type);

/// Makes an iterator object over `seq` at `index`.
pub(crate) fn new_seq_iter(tp: *mut PyTypeObject, seq: &Object, index: isize) -> *mut PyObject {
    // SAFETY: an iterator type of this layout.
    unsafe {
        let p = gc::new_builtin(tp, size_of::<SeqIterObject>());
        assert!(!p.is_null(), "out of memory");
        let it = p.cast::<SeqIterObject>();
        (*it).it_index = index;
        (*it).it_seq = seq.own().into_raw();
        gc::track(p);
        p
    }
}

/// The shared deallocator of iterators of this layout.
pub(crate) fn dealloc_seq_iter(o: *mut PyObject) {
    // SAFETY: called once, when the count has reached zero.
    unsafe {
        gc::untrack(o);
        xdecref((*o.cast::<SeqIterObject>()).it_seq);
        gc::free_untracked(o, size_of::<SeqIterObject>());
    }
}

impl TupleIter {
    pub fn over(t: &Tuple) -> Owned<TupleIter> {
        // SAFETY: a new object of this type.
        unsafe { Owned::from_raw(new_seq_iter(TupleIter::type_ptr(), t, 0)) }
    }
}

#[pymethods]
impl TupleIter {
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<TupleIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: the sequence is a tuple or null; its count moves out when exhausted.
        unsafe {
            let it = self.as_struct();
            let seq = (*it).it_seq;
            if seq.is_null() {
                return Ok(None);
            }
            let (t, i) = (seq.cast::<PyTupleObject>(), (*it).it_index);
            if i < (*t).ob_base.ob_size {
                let o = *(&raw const (*t).ob_item).cast::<*mut PyObject>().add(i as usize);
                (*it).it_index = i + 1;
                incref(o);
                return Ok(Some(Owned::from_raw(o)));
            }
            (*it).it_seq = null_mut();
            decref(seq);
            Ok(None)
        }
    }
    /// Private method returning an estimate of len(list(it)).
    #[pymethod]
    fn __length_hint__(&self) -> usize {
        // SAFETY: the sequence is a tuple or null.
        unsafe {
            let it = self.as_struct();
            if (*it).it_seq.is_null() {
                return 0;
            }
            ((*(*it).it_seq.cast::<PyVarObject>()).ob_size - (*it).it_index).max(0) as usize
        }
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Object>> {
        // SAFETY: the sequence is a tuple or null.
        unsafe {
            let it = self.as_struct();
            crate::iterobject::reduce_iter("iter", Object::from_ptr_opt((*it).it_seq), (*it).it_index, true)
        }
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let i = crate::number::as_isize(state, Some(crate::exceptions::exc::OverflowError()))?;
        // SAFETY: the sequence is a tuple or null.
        unsafe {
            let it = self.as_struct();
            if !(*it).it_seq.is_null() {
                (*it).it_index = i.clamp(0, (*(*it).it_seq.cast::<PyVarObject>()).ob_size);
            }
        }
        Ok(())
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the field.
        v.visit_ptr(unsafe { (*self.as_struct()).it_seq })
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        dealloc_seq_iter(o)
    }
}

pub fn init() -> PyResult<()> {
    ready::<Tuple>()?;
    ready::<TupleIter>()?;
    Ok(())
}
