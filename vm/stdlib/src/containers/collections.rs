//! `_collections`: `deque`, `defaultdict`, `OrderedDict`, `_tuplegetter`, `_count_elements`.
//!
//! A deque is a ring buffer (`VecDeque`) that is never borrowed across Python code; `state` counts its changes, so that iterators and searches
//! notice them.

use lh_runtime::prelude::*;
use lh_runtime::{number, reprguard, sliceobject};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

module! {
    "_collections",
    doc: "High performance data structures.\n- deque:        ordered collection accessible from endpoints only\n- defaultdict:  dict subclass with a default value factory\n",
    functions: [_count_elements],
    types: [Deque, DefaultDict, DequeIter, DequeRevIter, TupleGetter],
    init: setup,
}

fn setup(m: &Module) -> PyResult<()> {
    m.add("OrderedDict", lh_runtime::odictobject::ODict::class())
}

// ---- deque ----

/// A list-like sequence optimized for data accesses near its endpoints.
#[pyclass(name = "deque", module = "collections", basetype, weakref, sequence)]
pub struct Deque {
    items: RefCell<VecDeque<Owned<Object>>>,
    /// -1: unbounded.
    maxlen: Cell<isize>,
    state: Cell<usize>,
}

impl Deque {
    fn len(&self) -> usize {
        self.items.borrow().len()
    }
    fn at(&self, i: usize) -> Option<Owned<Object>> {
        self.items.borrow().get(i).cloned()
    }
    fn changed(&self) {
        self.state.set(self.state.get() + 1)
    }
    fn full(&self) -> bool {
        self.maxlen.get() >= 0 && self.len() > self.maxlen.get() as usize
    }
    fn push_back(&self, o: Owned<Object>) {
        self.items.borrow_mut().push_back(o);
        self.changed();
        if self.full() {
            let old = self.items.borrow_mut().pop_front();
            drop(old);
        }
    }
    fn push_front(&self, o: Owned<Object>) {
        self.items.borrow_mut().push_front(o);
        self.changed();
        if self.full() {
            let old = self.items.borrow_mut().pop_back();
            drop(old);
        }
    }
    fn snapshot(&self) -> Vec<Owned<Object>> {
        self.items.borrow().iter().cloned().collect()
    }
    fn maxlen_object(&self) -> Owned<Object> {
        if self.maxlen.get() < 0 { none() } else { Int::from_i64(self.maxlen.get() as i64).into_object() }
    }
    fn extend_any(&self, iterable: &Object, left: bool) -> PyResult<()> {
        if iterable.is(&**self) {
            for x in self.snapshot() {
                if left { self.push_front(x) } else { self.push_back(x) }
            }
            return Ok(());
        }
        if !left
            && self.maxlen.get() < 0
            && let Some((items, n)) = iterable
                .downcast_exact::<List>()
                .map(|l| (l.items_ptr(), l.len()))
                .or_else(|| iterable.downcast_exact::<Tuple>().map(|t| (t.items_ptr(), t.len())))
        {
            // SAFETY: counting references runs no code that could change the list or tuple.
            self.items.borrow_mut().extend((0..n).map(|i| unsafe { Object::from_ptr(*items.add(i)).own() }));
            self.state.set(self.state.get() + n);
            return Ok(());
        }
        iterable.for_each(|x| {
            if left {
                self.push_front(x)
            } else {
                self.push_back(x)
            }
            Ok(())
        })
    }
    fn rotate_by(&self, n: isize) {
        let mut d = self.items.borrow_mut();
        let len = d.len() as isize;
        if len > 1 {
            let k = n.rem_euclid(len) as usize;
            d.rotate_right(k);
            drop(d);
            self.changed();
        }
    }
    /// A plain deque with these items and this one's maximum.
    fn like(&self, items: impl IntoIterator<Item = Owned<Object>>) -> PyResult<Owned<Deque>> {
        let d = Deque {
            items: RefCell::new(VecDeque::new()),
            maxlen: Cell::new(self.maxlen.get()),
            state: Cell::new(0),
        }
        .build();
        items.into_iter().for_each(|x| d.push_back(x));
        Ok(d)
    }
    fn repeat_in_place(&self, n: isize) -> PyResult<()> {
        let v = self.snapshot();
        if n <= 0 {
            self.clear();
            return Ok(());
        }
        if v.is_empty() || n == 1 {
            return Ok(());
        }
        if (n as usize) > isize::MAX as usize / 8 / v.len() && self.maxlen.get() < 0 {
            return raise!(MemoryError);
        }
        let mut n = n as usize;
        if self.maxlen.get() >= 0 {
            // More than fills the deque once over changes nothing any more.
            n = n.min(self.maxlen.get() as usize / v.len() + 2).max(1);
        }
        for _ in 1..n {
            v.iter().for_each(|x| self.push_back(x.clone()));
        }
        Ok(())
    }
}

#[pymethods(extra = deque_extra)]
impl Deque {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Deque>> {
        Deque { items: RefCell::new(VecDeque::new()), maxlen: Cell::new(-1), state: Cell::new(0) }
            .build_in(cls)
    }
    #[init(name = "deque", signature = "(iterable=<unrepresentable>, maxlen=None)")]
    fn py_init(&self, iterable: Option<&Object>, maxlen: Option<&Object>) -> PyResult<()> {
        let max = match maxlen.filter(|m| !m.is_none()) {
            None => -1,
            Some(m) if Int::check(m) => {
                let v = number::as_isize(m, Some(exc::OverflowError()))?;
                if v < 0 {
                    return raise!(ValueError, "maxlen must be non-negative");
                }
                v
            }
            Some(_) => return raise!(TypeError, "an integer is required"),
        };
        self.maxlen.set(max);
        if self.len() > 0 {
            self.clear();
        }
        match iterable {
            Some(i) => self.extend_any(i, false),
            None => Ok(()),
        }
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        let name = self.ty().name();
        let name = name.rsplit('.').next().unwrap_or_default().to_string();
        reprguard::guarded(self, || {
            let list = List::from_vec(self.snapshot()).repr()?;
            let mut b = StrBuilder::new();
            b.push_str(&name);
            b.push_str("(");
            b.push_obj(&list);
            if self.maxlen.get() >= 0 {
                b.push_str(&format!(", maxlen={}", self.maxlen.get()));
            }
            b.push_str(")");
            Ok(b.finish())
        })
        .unwrap_or_else(|| Ok(Str::new("[...]")))
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(w) = other.downcast::<Deque>() else { return Ok(not_implemented()) };
        if self.len() != w.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(bool_obj(op == CompareOp::Ne));
        }
        let mut i = 0;
        while let (Some(a), Some(b)) = (self.at(i), w.at(i)) {
            if !a.equals_obj(&b)? {
                return match op {
                    CompareOp::Eq => Ok(bool_obj(false)),
                    CompareOp::Ne => Ok(bool_obj(true)),
                    _ => a.rich_compare(&b, op),
                };
            }
            i += 1;
        }
        Ok(bool_obj(op.holds(self.len().cmp(&w.len()))))
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        sliceobject::unhashable(self)
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<DequeIter> {
        DequeIter {
            deque: Slot::of(self.own()),
            at: Cell::new(0),
            state: Cell::new(self.state.get()),
            left: Cell::new(self.len()),
        }
        .build()
    }
    #[slot(sq_length)]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot(nb_bool)]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(self.len() > 0)
    }
    #[slot(sq_concat)]
    fn concat(&self, other: &Object) -> PyResult {
        let Some(w) = other.downcast::<Deque>() else {
            return raise!(TypeError, "can only concatenate deque (not \"{}\") to deque", other.ty().name());
        };
        let new = self.copy()?;
        if let Some(d) = new.downcast::<Deque>() {
            w.snapshot().into_iter().for_each(|x| d.push_back(x));
        }
        Ok(new)
    }
    #[slot(sq_inplace_concat)]
    fn iconcat(&self, other: &Object) -> PyResult<Owned<Deque>> {
        self.extend_any(other, false)?;
        Ok(self.own())
    }
    #[slot(sq_repeat)]
    fn sq_repeat(&self, n: isize) -> PyResult {
        let new = self.copy()?;
        if let Some(d) = new.downcast::<Deque>() {
            d.repeat_in_place(n)?;
        }
        Ok(new)
    }
    #[slot(sq_inplace_repeat)]
    fn irepeat(&self, n: isize) -> PyResult<Owned<Deque>> {
        self.repeat_in_place(n)?;
        Ok(self.own())
    }
    #[slot(sq_item)]
    fn sq_item(&self, i: isize) -> PyResult {
        match self.at(i as usize) {
            Some(x) if i >= 0 => Ok(x),
            _ => raise!(IndexError, "deque index out of range"),
        }
    }
    #[slot(sq_ass_item)]
    fn sq_ass_item(&self, i: isize, v: Option<&Object>) -> PyResult<()> {
        if i < 0 || i as usize >= self.len() {
            return raise!(IndexError, "deque index out of range");
        }
        let old = match v {
            Some(v) => std::mem::replace(&mut self.items.borrow_mut()[i as usize], v.own()),
            None => {
                self.changed();
                self.items.borrow_mut().remove(i as usize).expect("in range")
            }
        };
        drop(old);
        Ok(())
    }
    #[slot(sq_contains)]
    fn sq_contains(&self, x: &Object) -> PyResult<bool> {
        let state = self.state.get();
        let mut i = 0;
        while let Some(y) = self.at(i) {
            if y.equals_obj(x)? {
                return Ok(true);
            }
            if self.state.get() != state {
                return raise!(RuntimeError, "deque mutated during iteration");
            }
            i += 1;
        }
        Ok(false)
    }
    /// Add an element to the right side of the deque.
    #[pymethod]
    fn append(&self, x: &Object) {
        self.push_back(x.own())
    }
    /// Add an element to the left side of the deque.
    #[pymethod]
    fn appendleft(&self, x: &Object) {
        self.push_front(x.own())
    }
    /// Remove all elements from the deque.
    #[pymethod]
    fn clear(&self) {
        let old = std::mem::take(&mut *self.items.borrow_mut());
        self.changed();
        drop(old);
    }
    /// Return a shallow copy of a deque.
    #[pymethod]
    fn copy(&self) -> PyResult {
        if self.is_exact::<Deque>() {
            return Ok(self.like(self.snapshot())?.into_object());
        }
        let new = if self.maxlen.get() < 0 {
            self.ty().call1(self)?
        } else {
            self.ty().call(&[self, &self.maxlen_object()])?
        };
        if !Deque::check(&new) {
            return raise!(TypeError, "{}() must return a deque, not {}", self.ty().name(), new.ty().name());
        }
        Ok(new)
    }
    /// Return a shallow copy of a deque.
    #[pymethod]
    fn __copy__(&self) -> PyResult {
        self.copy()
    }
    /// D.count(value) -- return number of occurrences of value
    #[pymethod]
    fn count(&self, value: &Object) -> PyResult<usize> {
        let state = self.state.get();
        let (mut n, mut i) = (0, 0);
        while let Some(y) = self.at(i) {
            n += y.equals_obj(value)? as usize;
            if self.state.get() != state {
                return raise!(RuntimeError, "deque mutated during iteration");
            }
            i += 1;
        }
        Ok(n)
    }
    /// Extend the right side of the deque with elements from the iterable
    #[pymethod]
    fn extend(&self, iterable: &Object) -> PyResult<()> {
        self.extend_any(iterable, false)
    }
    /// Extend the left side of the deque with elements from the iterable
    #[pymethod]
    fn extendleft(&self, iterable: &Object) -> PyResult<()> {
        self.extend_any(iterable, true)
    }
    /// D.index(value, [start, [stop]]) -- return first index of value.
    /// Raises ValueError if the value is not present.
    #[pymethod(parse_stack)]
    fn index(&self, value: &Object, start: Option<&Object>, stop: Option<&Object>) -> PyResult<usize> {
        let (start, stop) = sliceobject::index_range(start, stop, self.len())?;
        let state = self.state.get();
        let mut i = start;
        while i < stop
            && let Some(y) = self.at(i)
        {
            if y.equals_obj(value)? {
                return Ok(i);
            }
            if self.state.get() != state {
                return raise!(RuntimeError, "deque mutated during iteration");
            }
            i += 1;
        }
        raise!(ValueError, "{} is not in deque", value.repr()?.to_str_lossy())
    }
    /// D.insert(index, object) -- insert object before index
    #[pymethod(parse_stack)]
    fn insert(&self, index: isize, value: &Object) -> PyResult<()> {
        let n = self.len();
        if self.maxlen.get() >= 0 && n >= self.maxlen.get() as usize {
            return raise!(IndexError, "deque already at its maximum size");
        }
        let i = if index < 0 { (index + n as isize).max(0) as usize } else { (index as usize).min(n) };
        self.items.borrow_mut().insert(i, value.own());
        self.changed();
        Ok(())
    }
    /// Remove and return the rightmost element.
    #[pymethod]
    fn pop(&self) -> PyResult {
        self.changed();
        match self.items.borrow_mut().pop_back() {
            Some(x) => Ok(x),
            None => raise!(IndexError, "pop from an empty deque"),
        }
    }
    /// Remove and return the leftmost element.
    #[pymethod]
    fn popleft(&self) -> PyResult {
        self.changed();
        match self.items.borrow_mut().pop_front() {
            Some(x) => Ok(x),
            None => raise!(IndexError, "pop from an empty deque"),
        }
    }
    /// D.remove(value) -- remove first occurrence of value.
    #[pymethod]
    fn remove(&self, value: &Object) -> PyResult<()> {
        let state = self.state.get();
        let mut i = 0;
        while let Some(y) = self.at(i) {
            let same = y.equals_obj(value)?;
            if self.state.get() != state {
                return raise!(IndexError, "deque mutated during remove().");
            }
            if same {
                self.changed();
                let old = self.items.borrow_mut().remove(i);
                drop(old);
                return Ok(());
            }
            i += 1;
        }
        raise!(ValueError, "{} is not in deque", value.repr()?.to_str_lossy())
    }
    /// D.reverse() -- reverse *IN PLACE*
    #[pymethod]
    fn reverse(&self) {
        self.items.borrow_mut().make_contiguous().reverse();
        self.changed();
    }
    /// Rotate the deque n steps to the right (default n=1).  If n is negative, rotates left.
    #[pymethod(signature = "(n=1, /)")]
    fn rotate(&self, n: isize) {
        self.rotate_by(n)
    }
    /// D.__reversed__() -- return a reverse iterator over the deque
    #[pymethod]
    fn __reversed__(&self) -> Owned<DequeRevIter> {
        DequeRevIter {
            deque: Slot::of(self.own()),
            state: Cell::new(self.state.get()),
            left: Cell::new(self.len()),
        }
        .build()
    }
    /// D.__sizeof__() -- size of D in memory, in bytes
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        Self::BASICSIZE + self.items.borrow().capacity() * 8
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Tuple>> {
        let state = self.call_method("__getstate__", &[])?;
        let it = self.iterator()?;
        let args = if self.maxlen.get() < 0 {
            Tuple::empty()
        } else {
            Tuple::pair(Tuple::empty().into_object(), self.maxlen_object())
        };
        Ok(Tuple::from_vec(vec![self.ty().own().into_object(), args.into_object(), state, it]))
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, object: &Object) -> PyResult {
        lh_runtime::genericalias::new(cls, object)
    }
    /// maximum size of a deque or None if unbounded
    #[getter]
    fn maxlen(&self) -> Owned<Object> {
        self.maxlen_object()
    }
}

fn deque_extra(b: &mut TypeBuilder) {
    b.doc(
        c"deque([iterable[, maxlen]]) --> deque object\n\nA list-like sequence optimized for data accesses near its endpoints.",
    );
}

#[pyclass(name = "_deque_iterator", module = "_collections")]
pub struct DequeIter {
    deque: Slot<Deque>,
    at: Cell<usize>,
    state: Cell<usize>,
    left: Cell<usize>,
}

fn iter_args(args: &Tuple, name: &str) -> PyResult<(Owned<Deque>, isize)> {
    if args.len() == 0 || args.len() > 2 {
        return raise!(TypeError, "{} expected 1 or 2 arguments, got {}", name, args.len());
    }
    let Some(d) = args.item_ref(0).downcast::<Deque>() else {
        return raise!(
            TypeError,
            "{}() argument 1 must be collections.deque, not {}",
            name,
            args.item_ref(0).ty().name()
        );
    };
    let i = if args.len() == 2 { number::as_isize(args.item_ref(1), Some(exc::OverflowError()))? } else { 0 };
    Ok((d.own(), i.max(0)))
}

#[pymethods]
impl DequeIter {
    #[slot(tp_new)]
    fn new(_cls: &Type, args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<DequeIter>> {
        let (d, i) = iter_args(args, "_deque_iterator")?;
        let it = d.py_iter();
        let i = (i as usize).min(d.len());
        it.at.set(i);
        it.left.set(d.len() - i);
        Ok(it)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<DequeIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: nothing runs before the borrow ends.
        let Some(d) = (unsafe { self.deque.peek() }) else { return Ok(None) };
        if d.state.get() != self.state.get() {
            self.left.set(0);
            return raise!(RuntimeError, "deque mutated during iteration");
        }
        if self.left.get() == 0 {
            return Ok(None);
        }
        let i = self.at.get();
        self.at.set(i + 1);
        self.left.set(self.left.get() - 1);
        Ok(d.at(i))
    }
    /// Private method returning an estimate of len(list(it)).
    #[pymethod]
    fn __length_hint__(&self) -> usize {
        self.left.get()
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, (Owned<Object>, usize)) {
        let d = self.deque.get().map_or_else(none, Owned::into_object);
        (self.ty().own(), (d, self.at.get()))
    }
}

#[pyclass(name = "_deque_reverse_iterator", module = "_collections")]
pub struct DequeRevIter {
    deque: Slot<Deque>,
    state: Cell<usize>,
    left: Cell<usize>,
}

#[pymethods]
impl DequeRevIter {
    #[slot(tp_new)]
    fn new(_cls: &Type, args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<DequeRevIter>> {
        let (d, i) = iter_args(args, "_deque_reverse_iterator")?;
        let it = d.__reversed__();
        it.left.set(d.len().saturating_sub(i as usize));
        Ok(it)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<DequeRevIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let Some(d) = self.deque.get() else { return Ok(None) };
        if self.left.get() == 0 {
            return Ok(None);
        }
        if d.state.get() != self.state.get() {
            self.left.set(0);
            return raise!(RuntimeError, "deque mutated during iteration");
        }
        let i = self.left.get() - 1;
        self.left.set(i);
        Ok(d.at(i))
    }
    /// Private method returning an estimate of len(list(it)).
    #[pymethod]
    fn __length_hint__(&self) -> usize {
        self.left.get()
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, (Owned<Object>, usize)) {
        let n = self.deque.get().map_or(0, |d| d.len());
        let d = self.deque.get().map_or_else(none, Owned::into_object);
        (self.ty().own(), (d, n - self.left.get().min(n)))
    }
}

// ---- defaultdict ----

/// defaultdict(default_factory=None, /, [...]) --> dict with default factory
///
/// The default factory is called without arguments to produce
/// a new value when a key is not present, in __getitem__ only.
/// A defaultdict compares equal to a dict with the same items.
/// All remaining arguments are treated the same as if they were
/// passed to the dict constructor, including keyword arguments.
#[pyclass(name = "defaultdict", module = "collections", base = Dict, basetype)]
pub struct DefaultDict {
    factory: Slot,
}

impl DefaultDict {
    fn factory_or_none(&self) -> Owned<Object> {
        self.factory.get().unwrap_or_else(none)
    }
    fn copy_as(&self) -> PyResult {
        self.ty().call(&[&self.factory_or_none(), self])
    }
}

#[pymethods]
impl DefaultDict {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<DefaultDict>> {
        DefaultDict { factory: Slot::empty() }.build_in(cls)
    }
    #[slot(tp_init)]
    fn py_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        let mut rest = args.own();
        let mut factory = None;
        if args.len() > 0 {
            let f = args.item_ref(0);
            if !f.is_callable() && !f.is_none() {
                return raise!(TypeError, "first argument must be callable or None");
            }
            factory = Some(f.own()).filter(|f| !f.is_none());
            rest = args.slice(1, args.len());
        }
        self.factory.set(factory);
        // SAFETY: dict's own initialiser on an instance of a subtype.
        let r = unsafe {
            let init = (*Dict::type_ptr()).tp_init.expect("dict is ready");
            init(self.as_ptr(), rest.ptr(), kw.map_or(std::ptr::null_mut(), |k| k.as_ptr()))
        };
        if r < 0 { Err(Raised::already_set()) } else { Ok(()) }
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        // SAFETY: dict's own repr.
        let base: Owned<Str> =
            unsafe { from_c((*Dict::type_ptr()).tp_repr.expect("dict is ready")(self.as_ptr()))? };
        let f = match self.factory.get() {
            None => Str::new("None"),
            Some(f) => reprguard::guarded(self, || f.repr()).unwrap_or_else(|| Ok(Str::new("...")))?,
        };
        let name = self.ty().name();
        let mut b = StrBuilder::new();
        b.push_str(name.rsplit('.').next().unwrap_or_default());
        b.push_str("(");
        b.push_obj(&f);
        b.push_str(", ");
        b.push_obj(&base);
        b.push_str(")");
        Ok(b.finish())
    }
    /// __missing__(key) # Called by __getitem__ for missing key; pseudo-code:
    ///   if self.default_factory is None: raise KeyError((key,))
    ///   self[key] = value = self.default_factory()
    ///   return value
    #[pymethod(name = "__missing__")]
    fn missing(&self, key: &Object) -> PyResult {
        let Some(f) = self.factory.get() else { return Err(lh_runtime::dictobject::key_error(key)) };
        let v = f.call0()?;
        self.set_item_of(key, &v)?;
        Ok(v)
    }
    /// D.copy() -> a shallow copy of D.
    #[pymethod]
    fn copy(&self) -> PyResult {
        self.copy_as()
    }
    /// D.copy() -> a shallow copy of D.
    #[pymethod]
    fn __copy__(&self) -> PyResult {
        self.copy_as()
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Tuple>> {
        let args = match self.factory.get() {
            None => Tuple::empty(),
            Some(f) => Tuple::from_vec(vec![f]),
        };
        let items = self.call_method("items", &[])?.iterator()?;
        Ok(Tuple::from_vec(vec![self.ty().own().into_object(), args.into_object(), none(), none(), items]))
    }
    #[slot(nb_or)]
    fn nb_or(a: &Object, b: &Object) -> PyResult {
        let (own, other) = if DefaultDict::check(a) { (a, b) } else { (b, a) };
        if !Dict::check(other) {
            return Ok(not_implemented());
        }
        let Some(d) = own.downcast::<DefaultDict>() else { return Ok(not_implemented()) };
        let new = d.ty().call(&[&d.factory_or_none(), a])?;
        if let Some(n) = new.downcast::<Dict>() {
            n.update(b)?;
        }
        Ok(new)
    }
    /// Factory for default value called by __missing__().
    #[getter]
    fn default_factory(&self) -> Owned<Object> {
        self.factory_or_none()
    }
    #[setter(default_factory)]
    fn set_default_factory(&self, v: Option<&Object>) -> PyResult<()> {
        self.factory.set(v.filter(|v| !v.is_none()).map(|v| v.own()));
        Ok(())
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, object: &Object) -> PyResult {
        lh_runtime::genericalias::new(cls, object)
    }
}

// ---- _count_elements ----

/// _count_elements(mapping, iterable) -> None
///
/// Count elements in the iterable, updating the mapping
#[pyfunction]
pub fn _count_elements(mapping: &Object, iterable: &Object) -> PyResult<()> {
    let it = iterable.iterator()?;
    let one = Int::from_i64(1).into_object();
    // Only where nobody overrides get and __setitem__ may the dict be used directly.
    let plain = match mapping.downcast::<Dict>() {
        Some(d) => {
            let same = |name: &str| -> bool {
                match (mapping.ty().lookup_str(name), Dict::class().lookup_str(name)) {
                    (Some(a), Some(b)) => a.is(&*b),
                    _ => false,
                }
            };
            (same("get") && same("__setitem__")).then_some(d)
        }
        None => None,
    };
    it.drain(|x| {
        match plain {
            Some(d) => {
                let h = lh_runtime::dictobject::hash_key(&x)?;
                let new = match d.get_item_known_hash(&x, h)? {
                    None => one.clone(),
                    Some(old) => number::add(&old, &one)?,
                };
                d.set_item_known_hash(&x, h, &new)?;
            }
            None => {
                let old = mapping.call_method("get", &[&x, &Int::from_i64(0)])?;
                mapping.set_item_of(&x, &*number::add(&old, &one)?)?;
            }
        }
        Ok(())
    })
}

// ---- _tuplegetter ----

/// The descriptor behind named tuple fields.
#[pyclass(name = "_tuplegetter", module = "collections")]
pub struct TupleGetter {
    index: isize,
    doc: Slot,
}

#[pymethods]
impl TupleGetter {
    #[new(name = "_tuplegetter", signature = "(index, doc, /)")]
    fn new(cls: &Type, index: isize, doc: &Object) -> PyResult<Owned<TupleGetter>> {
        TupleGetter { index, doc: Slot::of(doc.own()) }.build_in(cls)
    }
    #[slot(tp_descr_get)]
    fn get(&self, obj: Option<&Object>, ty: Option<&Object>) -> PyResult {
        let Some(obj) = obj else { return Ok(self.own().into_object()) };
        let Some(t) = obj.downcast::<Tuple>() else {
            if obj.is_none() && ty.is_some() {
                return Ok(self.own().into_object());
            }
            return raise!(
                TypeError,
                "descriptor for index '{}' for tuple subclasses doesn't apply to '{}' object",
                self.index,
                obj.ty().name()
            );
        };
        if self.index < 0 || self.index as usize >= t.len() {
            return raise!(IndexError, "tuple index out of range");
        }
        Ok(t.get(self.index as usize))
    }
    #[slot(tp_descr_set)]
    fn set(&self, _obj: &Object, value: Option<&Object>) -> PyResult<()> {
        match value {
            None => raise!(AttributeError, "can't delete attribute"),
            Some(_) => raise!(AttributeError, "can't set attribute"),
        }
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<String> {
        let doc = self.doc.get().unwrap_or_else(none).repr()?;
        Ok(format!("_tuplegetter({}, {})", self.index, doc.to_str()?))
    }
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, (isize, Owned<Object>)) {
        (self.ty().own(), (self.index, self.doc.get().unwrap_or_else(none)))
    }
    #[getter(__doc__)]
    fn get_doc(&self) -> Owned<Object> {
        self.doc.get().unwrap_or_else(none)
    }
    #[setter(__doc__)]
    fn set_doc(&self, v: Option<&Object>) -> PyResult<()> {
        self.doc.set(v.map(|v| v.own()));
        Ok(())
    }
}
