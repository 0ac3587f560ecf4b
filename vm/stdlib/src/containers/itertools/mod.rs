//! `itertools`: iterator building blocks. Combinatoric iterators are in `combinatoric.rs`, `tee` and `groupby` in `shared.rs`.
//!
//! All iterators hold their state in `Slot`s and `Cell`s: any step may run Python code that steps the same iterator again.

use lh_runtime::number;
use lh_runtime::prelude::*;
use std::cell::Cell;

mod combinatoric;
mod shared;

use combinatoric::{Combinations, CombinationsWithReplacement, Permutations, Product};
use shared::{GroupBy, Grouper, Tee, TeeData, tee};

module! {
    "itertools",
    doc: "Functional tools for creating and using iterators.",
    functions: [tee],
    types: [Accumulate, Combinations, CombinationsWithReplacement, Cycle, DropWhile, TakeWhile, ISlice, StarMap, Chain, Compress,
        FilterFalse, Count, ZipLongest, Pairwise, Permutations, Product, Repeat, GroupBy, Grouper, Tee, TeeData],
}

fn int(v: i64) -> Owned<Object> {
    Int::from_i64(v).into_object()
}
fn tuple(v: Vec<Owned<Object>>) -> Owned<Object> {
    Tuple::from_vec(v).into_object()
}
/// `(type, args)`.
fn reduced(o: &Object, args: Vec<Owned<Object>>) -> Owned<Object> {
    tuple(vec![o.ty().own().into_object(), tuple(args)])
}
fn reduced_with(o: &Object, args: Vec<Owned<Object>>, state: Owned<Object>) -> Owned<Object> {
    tuple(vec![o.ty().own().into_object(), tuple(args), state])
}
/// An iterator over nothing, for pickling exhausted iterators.
fn empty_iter() -> PyResult {
    Tuple::empty().iterator()
}

// ---- count ----

/// Return a count object whose .__next__() method returns consecutive values.
///
/// Equivalent to:
///     def count(firstval=0, step=1):
///         x = firstval
///         while 1:
///             yield x
///             x += step
#[pyclass(name = "count", module = "itertools", basetype)]
pub struct Count {
    /// The next value while `long_cnt` is empty (then the step is 1).
    cnt: Cell<i64>,
    long_cnt: Slot,
    step: Owned<Object>,
}

fn is_number(o: &Object) -> bool {
    // SAFETY: a live type's number table.
    unsafe {
        let nb = (*o.ob_type()).tp_as_number;
        (!nb.is_null() && ((*nb).nb_index.is_some() || (*nb).nb_int.is_some() || (*nb).nb_float.is_some()))
            || Complex::check(o)
    }
}

#[pymethods]
impl Count {
    #[new(name = "count", signature = "(start=0, step=1)")]
    fn new(cls: &Type, start: Option<&Object>, step: Option<&Object>) -> PyResult<Owned<Count>> {
        if start.is_some_and(|o| !is_number(o)) || step.is_some_and(|o| !is_number(o)) {
            return raise!(TypeError, "a number is required");
        }
        let one = step.is_none_or(|s| s.downcast_exact::<Int>().is_some_and(|i| i.to_i64() == Some(1)));
        let step = step.map_or_else(|| int(1), |s| s.own());
        let small = match start {
            None => Some(0),
            Some(s) => s.downcast_exact::<Int>().and_then(|i| i.to_i64()),
        };
        match small {
            Some(v) if one => Count { cnt: Cell::new(v), long_cnt: Slot::empty(), step }.build_in(cls),
            _ => {
                let start = start.map_or_else(|| int(0), |s| s.own());
                Count { cnt: Cell::new(0), long_cnt: Slot::of(start), step }.build_in(cls)
            }
        }
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<Count> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        if !self.long_cnt.is_some() {
            let v = self.cnt.get();
            if v != i64::MAX {
                self.cnt.set(v + 1);
                return Ok(Some(int(v)));
            }
            self.long_cnt.set(Some(int(v)));
        }
        let v = self.long_cnt.get().expect("just looked");
        self.long_cnt.set(Some(number::add(&v, &self.step)?));
        Ok(Some(v))
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<String> {
        let name = self.ty().name();
        let name = name.rsplit('.').next().unwrap_or_default().to_string();
        let Some(v) = self.long_cnt.get() else { return Ok(format!("{name}({})", self.cnt.get())) };
        let v = v.repr()?;
        if self.step.downcast::<Int>().is_some_and(|i| i.to_i64() == Some(1)) {
            return Ok(format!("{name}({})", v.to_str()?));
        }
        Ok(format!("{name}({}, {})", v.to_str()?, self.step.repr()?.to_str()?))
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        match self.long_cnt.get() {
            None => reduced(self, vec![int(self.cnt.get())]),
            Some(v) => reduced(self, vec![v, self.step.clone()]),
        }
    }
}

// ---- cycle ----

/// Return elements from the iterable until it is exhausted. Then repeat the sequence indefinitely.
#[pyclass(name = "cycle", module = "itertools", basetype)]
pub struct Cycle {
    it: Slot,
    saved: Slot<List>,
    index: Cell<usize>,
    /// The items come from a saved state: they are not saved again.
    firstpass: Cell<bool>,
}

#[pymethods]
impl Cycle {
    #[new(name = "cycle", signature = "(iterable, /)")]
    fn new(cls: &Type, iterable: &Object) -> PyResult<Owned<Cycle>> {
        let it = iterable.iterator()?;
        Cycle {
            it: Slot::of(it),
            saved: Slot::of(List::new()),
            index: Cell::new(0),
            firstpass: Cell::new(false),
        }
        .build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<Cycle> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let Some(saved) = self.saved.get() else { return Ok(None) };
        if let Some(it) = self.it.get() {
            if let Some(x) = it.iter_next()? {
                if !self.firstpass.get() {
                    saved.push(x.clone());
                }
                return Ok(Some(x));
            }
            self.it.set(None);
        }
        let n = saved.len();
        if n == 0 {
            return Ok(None);
        }
        let i = self.index.get();
        self.index.set(if i + 1 >= n { 0 } else { i + 1 });
        Ok(saved.get(i))
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        let saved = self.saved.get().unwrap_or_else(List::new);
        match self.it.get() {
            None => {
                let it = saved.iterator()?;
                if self.index.get() != 0 {
                    it.call_method("__setstate__", &[&int(self.index.get() as i64)])?;
                }
                Ok(reduced_with(self, vec![it], tuple(vec![saved.into_object(), bool_obj(true)])))
            }
            Some(it) => {
                let state = tuple(vec![saved.into_object(), bool_obj(self.firstpass.get())]);
                Ok(reduced_with(self, vec![it], state))
            }
        }
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let Some(t) = state.downcast::<Tuple>() else { return raise!(TypeError, "state is not a tuple") };
        if t.len() != 2 {
            return raise!(TypeError, "function takes exactly 2 arguments ({} given)", t.len());
        }
        let Some(l) = t.item_ref(0).downcast::<List>() else {
            return raise!(TypeError, "argument 1 must be list, not {}", t.item_ref(0).ty().name());
        };
        let first = number::index(t.item_ref(1))?.sign() != 0;
        self.saved.set(Some(l.own()));
        self.firstpass.set(first);
        self.index.set(0);
        Ok(())
    }
}

// ---- repeat ----

/// repeat(object [,times]) -> create an iterator which returns the object
/// for the specified number of times.  If not specified, returns the object
/// endlessly.
#[pyclass(name = "repeat", module = "itertools", basetype)]
pub struct Repeat {
    element: Owned<Object>,
    cnt: Cell<i64>,
}

#[pymethods]
impl Repeat {
    #[new(name = "repeat", signature = "(object, times=<unrepresentable>)")]
    fn new(cls: &Type, object: &Object, times: Option<isize>) -> PyResult<Owned<Repeat>> {
        let cnt = times.map_or(-1, |t| t.max(0) as i64);
        Repeat { element: object.own(), cnt: Cell::new(cnt) }.build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<Repeat> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let n = self.cnt.get();
        if n == 0 {
            return Ok(None);
        }
        if n > 0 {
            self.cnt.set(n - 1);
        }
        Ok(Some(self.element.clone()))
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<String> {
        let name = self.ty().name();
        let name = name.rsplit('.').next().unwrap_or_default().to_string();
        let e = self.element.repr()?;
        if self.cnt.get() < 0 {
            return Ok(format!("{name}({})", e.to_str()?));
        }
        Ok(format!("{name}({}, {})", e.to_str()?, self.cnt.get()))
    }
    /// Private method returning an estimate of len(list(it)).
    #[pymethod]
    fn __length_hint__(&self) -> PyResult<i64> {
        if self.cnt.get() < 0 {
            return raise!(TypeError, "len() of unsized object");
        }
        Ok(self.cnt.get())
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        let mut v = vec![self.element.clone()];
        if self.cnt.get() >= 0 {
            v.push(int(self.cnt.get()));
        }
        reduced(self, v)
    }
}

// ---- chain ----

/// chain(*iterables) --> chain object
///
/// Return a chain object whose .__next__() method returns elements from the
/// first iterable until it is exhausted, then elements from the next
/// iterable, until all of the iterables are exhausted.
#[pyclass(name = "chain", module = "itertools", basetype)]
pub struct Chain {
    source: Slot,
    active: Slot,
}

#[pymethods]
impl Chain {
    #[new(name = "chain", signature = "(*iterables)")]
    fn new(cls: &Type, iterables: &Tuple) -> PyResult<Owned<Chain>> {
        Chain { source: Slot::of(iterables.iterator()?), active: Slot::empty() }.build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<Chain> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        loop {
            let Some(source) = self.source.get() else { return Ok(None) };
            let active = match self.active.get() {
                Some(a) => a,
                None => {
                    let next = match source.iter_next() {
                        Ok(Some(n)) => n,
                        Ok(None) => {
                            self.source.set(None);
                            return Ok(None);
                        }
                        Err(e) => {
                            errors_keep(|| self.source.set(None));
                            return Err(e);
                        }
                    };
                    let a = match next.iterator() {
                        Ok(a) => a,
                        Err(e) => {
                            errors_keep(|| self.source.set(None));
                            return Err(e);
                        }
                    };
                    self.active.set(Some(a.clone()));
                    a
                }
            };
            match active.iter_next()? {
                Some(x) => return Ok(Some(x)),
                None => self.active.set(None),
            }
        }
    }
    /// Alternative chain() constructor taking a single iterable argument that evaluates lazily.
    #[classmethod]
    fn from_iterable(cls: &Type, iterable: &Object) -> PyResult<Owned<Chain>> {
        Chain { source: Slot::of(iterable.iterator()?), active: Slot::empty() }.build_in(cls)
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        match (self.source.get(), self.active.get()) {
            (Some(s), Some(a)) => reduced_with(self, vec![], tuple(vec![s, a])),
            (Some(s), None) => reduced_with(self, vec![], tuple(vec![s])),
            _ => reduced(self, vec![]),
        }
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let Some(t) = state.downcast::<Tuple>() else { return raise!(TypeError, "state is not a tuple") };
        if t.len() == 0 || t.len() > 2 {
            return raise!(
                TypeError,
                "function takes at {} argument{} ({} given)",
                if t.len() == 0 { "least 1" } else { "most 2" },
                if t.len() == 0 { "" } else { "s" },
                t.len()
            );
        }
        if !t.iter().all(is_iterator) {
            return raise!(TypeError, "Arguments must be iterators.");
        }
        self.source.set(Some(t.get(0)));
        self.active.set((t.len() > 1).then(|| t.get(1)));
        Ok(())
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, object: &Object) -> PyResult {
        lh_runtime::genericalias::new(cls, object)
    }
}

/// Runs `f` with the pending exception set aside.
fn errors_keep(f: impl FnOnce()) {
    lh_runtime::errors::preserving(f)
}

pub(super) fn is_iterator(o: &Object) -> bool {
    // SAFETY: a live type's slot.
    unsafe { (*o.ob_type()).tp_iternext.is_some() }
}

// ---- compress, dropwhile, takewhile, filterfalse ----

/// Return data elements corresponding to true selector elements.
///
/// Forms a shorter iterator from selected data elements using the selectors to
/// choose the data elements.
#[pyclass(name = "compress", module = "itertools", basetype)]
pub struct Compress {
    data: Owned<Object>,
    selectors: Owned<Object>,
}

#[pymethods]
impl Compress {
    #[new(name = "compress", signature = "(data, selectors)")]
    fn new(cls: &Type, data: &Object, selectors: &Object) -> PyResult<Owned<Compress>> {
        Compress { data: data.iterator()?, selectors: selectors.iterator()? }.build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<Compress> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        while let Some(d) = self.data.iter_next()? {
            let Some(s) = self.selectors.iter_next()? else { return Ok(None) };
            if s.is_true()? {
                return Ok(Some(d));
            }
        }
        Ok(None)
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        reduced(self, vec![self.data.clone(), self.selectors.clone()])
    }
}

/// Drop items from the iterable while predicate(item) is true.
///
/// Afterwards, return every element until the iterable is exhausted.
#[pyclass(name = "dropwhile", module = "itertools", basetype)]
pub struct DropWhile {
    func: Owned<Object>,
    it: Owned<Object>,
    started: Cell<bool>,
}

#[pymethods]
impl DropWhile {
    #[new(name = "dropwhile", signature = "(predicate, iterable, /)")]
    fn new(cls: &Type, predicate: &Object, iterable: &Object) -> PyResult<Owned<DropWhile>> {
        DropWhile { func: predicate.own(), it: iterable.iterator()?, started: Cell::new(false) }.build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<DropWhile> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        while let Some(x) = self.it.iter_next()? {
            if self.started.get() {
                return Ok(Some(x));
            }
            if !self.func.call1(&x)?.is_true()? {
                self.started.set(true);
                return Ok(Some(x));
            }
        }
        Ok(None)
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        reduced_with(self, vec![self.func.clone(), self.it.clone()], int(self.started.get() as i64))
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        self.started.set(state.is_true()?);
        Ok(())
    }
}

/// Return successive entries from an iterable as long as the predicate evaluates to true for each entry.
#[pyclass(name = "takewhile", module = "itertools", basetype)]
pub struct TakeWhile {
    func: Owned<Object>,
    it: Owned<Object>,
    stop: Cell<bool>,
}

#[pymethods]
impl TakeWhile {
    #[new(name = "takewhile", signature = "(predicate, iterable, /)")]
    fn new(cls: &Type, predicate: &Object, iterable: &Object) -> PyResult<Owned<TakeWhile>> {
        TakeWhile { func: predicate.own(), it: iterable.iterator()?, stop: Cell::new(false) }.build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<TakeWhile> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        if self.stop.get() {
            return Ok(None);
        }
        let Some(x) = self.it.iter_next()? else { return Ok(None) };
        if self.func.call1(&x)?.is_true()? {
            return Ok(Some(x));
        }
        self.stop.set(true);
        Ok(None)
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        reduced_with(self, vec![self.func.clone(), self.it.clone()], int(self.stop.get() as i64))
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        self.stop.set(state.is_true()?);
        Ok(())
    }
}

/// Return those items of iterable for which function(item) is false.
///
/// If function is None, return the items that are false.
#[pyclass(name = "filterfalse", module = "itertools", basetype)]
pub struct FilterFalse {
    func: Owned<Object>,
    it: Owned<Object>,
}

#[pymethods]
impl FilterFalse {
    #[new(name = "filterfalse", signature = "(function, iterable, /)")]
    fn new(cls: &Type, function: &Object, iterable: &Object) -> PyResult<Owned<FilterFalse>> {
        FilterFalse { func: function.own(), it: iterable.iterator()? }.build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<FilterFalse> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let truth = self.func.is_none() || self.func.is(Bool::class());
        while let Some(x) = self.it.iter_next()? {
            let t = if truth { x.is_true()? } else { self.func.call1(&x)?.is_true()? };
            if !t {
                return Ok(Some(x));
            }
        }
        Ok(None)
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        reduced(self, vec![self.func.clone(), self.it.clone()])
    }
}

/// Return an iterator whose values are returned from the function evaluated with an argument tuple taken from the given sequence.
#[pyclass(name = "starmap", module = "itertools", basetype)]
pub struct StarMap {
    func: Owned<Object>,
    it: Owned<Object>,
}

#[pymethods]
impl StarMap {
    #[new(name = "starmap", signature = "(function, iterable, /)")]
    fn new(cls: &Type, function: &Object, iterable: &Object) -> PyResult<Owned<StarMap>> {
        StarMap { func: function.own(), it: iterable.iterator()? }.build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<StarMap> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let Some(args) = self.it.iter_next()? else { return Ok(None) };
        let args = Tuple::from_iterable(&args)?;
        self.func.call_tuple(&args, None).map(Some)
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        reduced(self, vec![self.func.clone(), self.it.clone()])
    }
}

// ---- islice ----

/// islice(iterable, stop) --> islice object
/// islice(iterable, start, stop[, step]) --> islice object
///
/// Return an iterator whose next() method returns selected values from an
/// iterable.  If start is specified, will skip all preceding elements;
/// otherwise, start defaults to zero.  Step defaults to one.  If
/// specified as another value, step determines how many values are
/// skipped between successive calls.  Works like a slice() on a list
/// but returns an iterator.
#[pyclass(name = "islice", module = "itertools", basetype)]
pub struct ISlice {
    it: Slot,
    next: Cell<i64>,
    /// -1: no end.
    stop: Cell<i64>,
    step: Cell<i64>,
    cnt: Cell<i64>,
}

#[pymethods]
impl ISlice {
    #[slot(tp_new)]
    fn new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<ISlice>> {
        // A subclass with an `__init__` of its own looks after its keywords.
        // SAFETY: types live as long as they are referred to.
        let own_init = unsafe { (*cls.tp()).tp_init != (*ISlice::class().tp()).tp_init };
        if kw.is_some_and(|k| k.len() > 0) && !own_init {
            return raise!(TypeError, "islice() takes no keyword arguments");
        }
        let n = args.len();
        if n < 2 {
            return raise!(TypeError, "islice expected at least 2 arguments, got {}", n);
        }
        if n > 4 {
            return raise!(TypeError, "islice expected at most 4 arguments, got {}", n);
        }
        let bound = |o: &Object| -> Option<i64> {
            match number::as_isize(o, Some(exc::ValueError())) {
                Ok(v) if v >= 0 => Some(v as i64),
                Ok(_) => None,
                Err(e) => {
                    e.clear();
                    None
                }
            }
        };
        const WHICH: &str = "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
        let (mut start, mut step) = (0, 1);
        let stop_arg = if n == 2 { args.item_ref(1) } else { args.item_ref(2) };
        if n > 2 && !args.item_ref(1).is_none() {
            match bound(args.item_ref(1)) {
                Some(v) => start = v,
                None => return raise!(ValueError, "{}", WHICH),
            }
        }
        let stop = if stop_arg.is_none() {
            -1
        } else {
            match bound(stop_arg) {
                Some(v) => v,
                None if n == 2 => {
                    return raise!(
                        ValueError,
                        "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize."
                    );
                }
                None => return raise!(ValueError, "{}", WHICH),
            }
        };
        if n == 4 && !args.item_ref(3).is_none() {
            match bound(args.item_ref(3)) {
                Some(v) if v >= 1 => step = v,
                _ => return raise!(ValueError, "Step for islice() must be a positive integer or None."),
            }
        }
        let it = args.item_ref(0).iterator()?;
        ISlice {
            it: Slot::of(it),
            next: Cell::new(start),
            stop: Cell::new(stop),
            step: Cell::new(step),
            cnt: Cell::new(0),
        }
        .build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<ISlice> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let Some(it) = self.it.get() else { return Ok(None) };
        let stop = self.stop.get();
        while self.cnt.get() < self.next.get() {
            match it.iter_next() {
                Ok(Some(_)) => self.cnt.set(self.cnt.get() + 1),
                Ok(None) => {
                    self.it.set(None);
                    return Ok(None);
                }
                Err(e) => {
                    errors_keep(|| self.it.set(None));
                    return Err(e);
                }
            }
        }
        if stop != -1 && self.cnt.get() >= stop {
            self.it.set(None);
            return Ok(None);
        }
        match it.iter_next() {
            Ok(Some(x)) => {
                self.cnt.set(self.cnt.get() + 1);
                let old = self.next.get();
                let mut next = old.saturating_add(self.step.get());
                if stop != -1 && next > stop {
                    next = stop;
                }
                self.next.set(next);
                Ok(Some(x))
            }
            Ok(None) => {
                self.it.set(None);
                Ok(None)
            }
            Err(e) => {
                errors_keep(|| self.it.set(None));
                Err(e)
            }
        }
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        let Some(it) = self.it.get() else {
            return Ok(reduced_with(self, vec![empty_iter()?, int(0)], int(0)));
        };
        let stop = if self.stop.get() == -1 { none() } else { int(self.stop.get()) };
        Ok(reduced_with(
            self,
            vec![it, int(self.next.get()), stop, int(self.step.get())],
            int(self.cnt.get()),
        ))
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: i64) {
        self.cnt.set(state)
    }
}

// ---- accumulate ----

/// Return series of accumulated sums.
#[pyclass(name = "accumulate", module = "itertools", basetype)]
pub struct Accumulate {
    it: Owned<Object>,
    func: Option<Owned<Object>>,
    total: Slot,
    initial: Slot,
}

#[pymethods]
impl Accumulate {
    #[new(name = "accumulate", signature = "(iterable, func=None, *, initial=None)")]
    fn new(
        cls: &Type,
        iterable: &Object,
        func: Option<&Object>,
        initial: Option<&Object>,
    ) -> PyResult<Owned<Accumulate>> {
        Accumulate {
            it: iterable.iterator()?,
            func: func.filter(|f| !f.is_none()).map(|f| f.own()),
            total: Slot::empty(),
            initial: Slot::new(initial.filter(|i| !i.is_none()).map(|i| i.own())),
        }
        .build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<Accumulate> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        if let Some(i) = self.initial.take() {
            self.total.set(Some(i.clone()));
            return Ok(Some(i));
        }
        let Some(x) = self.it.iter_next()? else { return Ok(None) };
        let new = match self.total.get() {
            None => x,
            Some(t) => match &self.func {
                None => number::add(&t, &x)?,
                Some(f) => f.call(&[&t, &x])?,
            },
        };
        self.total.set(Some(new.clone()));
        Ok(Some(new))
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        let func = self.func.clone().unwrap_or_else(none);
        if let Some(i) = self.initial.get() {
            // chain((initial,), it)
            let first = Tuple::from_refs(&[&*i]);
            let source = Tuple::from_refs(&[&*first, &*self.it]).iterator()?;
            let it = Chain { source: Slot::of(source), active: Slot::empty() }.build().into_object();
            return Ok(reduced_with(self, vec![it, func], none()));
        }
        match self.total.get() {
            Some(t) if t.is_none() => {
                let first = Tuple::from_refs(&[&*t]);
                let source = Tuple::from_refs(&[&*first, &*self.it]).iterator()?;
                let chain = Chain { source: Slot::of(source), active: Slot::empty() }.build().into_object();
                let acc = Accumulate {
                    it: chain,
                    func: self.func.clone(),
                    total: Slot::empty(),
                    initial: Slot::empty(),
                }
                .build()
                .into_object();
                let it = ISlice {
                    it: Slot::of(acc),
                    next: Cell::new(1),
                    stop: Cell::new(-1),
                    step: Cell::new(1),
                    cnt: Cell::new(0),
                }
                .build()
                .into_object();
                Ok(tuple(vec![ISlice::class().own().into_object(), tuple(vec![it, int(0), none()])]))
            }
            t => Ok(reduced_with(self, vec![self.it.clone(), func], t.unwrap_or_else(none))),
        }
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) {
        self.total.set(Some(state.own()).filter(|s| !s.is_none()));
    }
}

// ---- pairwise ----

/// Return an iterator of overlapping pairs taken from the input iterator.
///
///     s -> (s0,s1), (s1,s2), (s2, s3), ...
#[pyclass(name = "pairwise", module = "itertools", basetype)]
pub struct Pairwise {
    it: Slot,
    old: Slot,
}

#[pymethods]
impl Pairwise {
    #[new(name = "pairwise", signature = "(iterable, /)")]
    fn new(cls: &Type, iterable: &Object) -> PyResult<Owned<Pairwise>> {
        Pairwise { it: Slot::of(iterable.iterator()?), old: Slot::empty() }.build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<Pairwise> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let Some(it) = self.it.get() else { return Ok(None) };
        let old = match self.old.get() {
            Some(o) => o,
            None => match it.iter_next()? {
                Some(o) => {
                    self.old.set(Some(o.clone()));
                    if !self.it.is_some() {
                        self.old.set(None);
                        return Ok(None);
                    }
                    o
                }
                None => {
                    self.it.set(None);
                    return Ok(None);
                }
            },
        };
        match it.iter_next()? {
            Some(new) => {
                self.old.set(Some(new.clone()));
                Ok(Some(Tuple::pair(old, new).into_object()))
            }
            None => {
                self.it.set(None);
                self.old.set(None);
                Ok(None)
            }
        }
    }
}

// ---- zip_longest ----

/// Return a zip_longest object whose .__next__() method returns a tuple where
/// the i-th element comes from the i-th iterable argument.  The .__next__()
/// method continues until the longest iterable in the argument sequence
/// is exhausted and then it raises StopIteration.  When the shorter iterables
/// are exhausted, the fillvalue is substituted in their place.  The fillvalue
/// defaults to None or can be specified by a keyword argument.
#[pyclass(name = "zip_longest", module = "itertools", basetype)]
pub struct ZipLongest {
    /// Exhausted iterators are replaced by nothing.
    its: Vec<Slot>,
    active: Cell<usize>,
    fill: Slot,
}

#[pymethods]
impl ZipLongest {
    #[slot(tp_new)]
    fn new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<ZipLongest>> {
        let mut fill = none();
        if let Some(kw) = kw.filter(|k| k.len() > 0) {
            match kw.get_str("fillvalue")? {
                Some(f) if kw.len() == 1 => fill = f,
                _ => return raise!(TypeError, "zip_longest() got an unexpected keyword argument"),
            }
        }
        let its = args.iter().map(|a| a.iterator().map(Slot::of)).collect::<PyResult<Vec<_>>>()?;
        let n = its.len();
        ZipLongest { its, active: Cell::new(n), fill: Slot::of(fill) }.build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<ZipLongest> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        if self.its.is_empty() || self.active.get() == 0 {
            return Ok(None);
        }
        let fill = || self.fill.get().unwrap_or_else(none);
        let mut v = Vec::with_capacity(self.its.len());
        for s in &self.its {
            let x = match s.get() {
                None => fill(),
                Some(it) => match it.iter_next() {
                    Ok(Some(x)) => x,
                    Ok(None) => {
                        self.active.set(self.active.get().saturating_sub(1));
                        if self.active.get() == 0 {
                            return Ok(None);
                        }
                        s.set(None);
                        fill()
                    }
                    Err(e) => {
                        self.active.set(0);
                        return Err(e);
                    }
                },
            };
            v.push(x);
        }
        Ok(Some(tuple(v)))
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        let mut v = vec![];
        for s in &self.its {
            v.push(match s.get() {
                Some(it) => it,
                None => Tuple::empty().into_object(),
            });
        }
        Ok(reduced_with(self, v, self.fill.get().unwrap_or_else(none)))
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) {
        self.fill.set(Some(state.own()));
    }
}
