//! `tee` and `groupby`: iterators whose parts share state.
//!
//! The branches of a tee walk along a chain of blocks, each with up to 57 values and a link to the next. The last block also has the source:
//! whoever gets there first fetches the next value for all. Blocks behind the slowest branch die with their last reference.

use super::{int, reduced, tuple};
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};

const LINKCELLS: usize = 57;

/// Data container common to multiple tee objects.
#[pyclass(name = "_tee_dataobject", module = "itertools")]
pub struct TeeData {
    it: Owned<Object>,
    values: RefCell<Vec<Owned<Object>>>,
    running: Cell<bool>,
    next: Slot<TeeData>,
}

impl TeeData {
    fn over(it: Owned<Object>) -> Owned<TeeData> {
        TeeData { it, values: RefCell::new(vec![]), running: Cell::new(false), next: Slot::empty() }.build()
    }
    fn link(&self) -> Owned<TeeData> {
        match self.next.get() {
            Some(n) => n,
            None => {
                let n = TeeData::over(self.it.clone());
                self.next.set(Some(n.clone()));
                n
            }
        }
    }
    fn get_item_at(&self, i: usize) -> PyResult<Option<Owned<Object>>> {
        if let Some(v) = self.values.borrow().get(i) {
            return Ok(Some(v.clone()));
        }
        if self.running.replace(true) {
            return raise!(RuntimeError, "cannot re-enter the tee iterator");
        }
        let r = self.it.iter_next();
        self.running.set(false);
        let Some(v) = r? else { return Ok(None) };
        self.values.borrow_mut().push(v.clone());
        Ok(Some(v))
    }
}

#[pymethods]
impl TeeData {
    #[new(name = "_tee_dataobject", signature = "(it, values, next, /)")]
    fn new(cls: &Type, it: &Object, values: &List, next: &Object) -> PyResult<Owned<TeeData>> {
        let n = values.len();
        if n > LINKCELLS {
            return raise!(ValueError, "Invalid arguments");
        }
        let next = match next.downcast::<TeeData>() {
            Some(d) if n == LINKCELLS => Some(d.own()),
            None if next.is_none() => None,
            _ => return raise!(ValueError, "Invalid arguments"),
        };
        TeeData {
            it: it.own(),
            values: RefCell::new(values.to_vec()),
            running: Cell::new(false),
            next: Slot::new(next),
        }
        .build_in(cls)
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        let values = List::from_vec(self.values.borrow().clone()).into_object();
        let next = self.next.get().map_or_else(none, Owned::into_object);
        reduced(self, vec![self.it.clone(), values, next])
    }
}

/// Iterator wrapped to make it copyable.
#[pyclass(name = "_tee", module = "itertools", weakref)]
pub struct Tee {
    data: Slot<TeeData>,
    index: Cell<usize>,
}

impl Tee {
    fn over(iterable: &Object) -> PyResult<Owned<Tee>> {
        let it = iterable.iterator()?;
        if let Some(t) = it.downcast_exact::<Tee>() {
            return Ok(t.__copy__());
        }
        Ok(Tee { data: Slot::of(TeeData::over(it)), index: Cell::new(0) }.build())
    }
}

#[pymethods]
impl Tee {
    #[new(name = "_tee", signature = "(iterable, /)")]
    fn new(_cls: &Type, iterable: &Object) -> PyResult<Owned<Tee>> {
        Tee::over(iterable)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<Tee> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let Some(mut d) = self.data.get() else { return Ok(None) };
        if self.index.get() >= LINKCELLS {
            d = d.link();
            self.data.set(Some(d.clone()));
            self.index.set(0);
        }
        let i = self.index.get();
        let v = d.get_item_at(i)?;
        if v.is_some() {
            self.index.set(i + 1);
        }
        Ok(v)
    }
    /// Returns an independent iterator.
    #[pymethod]
    fn __copy__(&self) -> Owned<Tee> {
        Tee { data: Slot::new(self.data.get()), index: Cell::new(self.index.get()) }.build()
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        let data = self.data.get().map_or_else(none, Owned::into_object);
        tuple(vec![
            self.ty().own().into_object(),
            tuple(vec![Tuple::empty().into_object()]),
            tuple(vec![data, int(self.index.get() as i64)]),
        ])
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let Some(t) = state.downcast::<Tuple>() else { return raise!(TypeError, "state is not a tuple") };
        if t.len() != 2 {
            return raise!(TypeError, "function takes exactly 2 arguments ({} given)", t.len());
        }
        let Some(d) = t.item_ref(0).downcast::<TeeData>() else {
            return raise!(
                TypeError,
                "argument 1 must be itertools._tee_dataobject, not {}",
                t.item_ref(0).ty().name()
            );
        };
        let i = lh_runtime::number::as_isize(t.item_ref(1), Some(exc::OverflowError()))?;
        if i < 0 || i as usize > LINKCELLS {
            return raise!(ValueError, "Index out of range");
        }
        self.data.set(Some(d.own()));
        self.index.set(i as usize);
        Ok(())
    }
}

/// Returns a tuple of n independent iterators.
#[pyfunction(signature = "(iterable, n=2, /)")]
pub fn tee(iterable: &Object, n: isize) -> PyResult<Owned<Tuple>> {
    if n < 0 {
        return raise!(ValueError, "n must be >= 0");
    }
    if n == 0 {
        return Ok(Tuple::empty());
    }
    let it = iterable.iterator()?;
    let copy = it.get_attr_opt(intern!("__copy__"))?;
    let (first, copy) = match copy {
        Some(c) => (it, c),
        None => {
            let t = Tee::over(&it)?.into_object();
            let c = t.get_attr(intern!("__copy__"))?;
            (t, c)
        }
    };
    let mut v = vec![first];
    for _ in 1..n {
        v.push(copy.call0()?);
    }
    Ok(Tuple::from_vec(v))
}

// ---- groupby ----

/// make an iterator that returns consecutive keys and groups from the iterable
///
///   iterable
///     Elements to divide into groups according to the key function.
///   key
///     A function for computing the group category for each element.
///     If the key function is not specified or is None, the element itself
///     is used for grouping.
#[pyclass(name = "groupby", module = "itertools", basetype)]
pub struct GroupBy {
    it: Owned<Object>,
    keyfunc: Option<Owned<Object>>,
    tgtkey: Slot,
    currkey: Slot,
    currvalue: Slot,
    /// Which group is the current one (an address, never followed).
    #[notrace]
    currgrouper: Cell<*const Grouper>,
}

impl GroupBy {
    /// Fetches the next value and its key; false at the end.
    fn step(&self) -> PyResult<bool> {
        let Some(v) = self.it.iter_next()? else { return Ok(false) };
        let k = match &self.keyfunc {
            None => v.clone(),
            Some(f) => f.call1(&v)?,
        };
        self.currvalue.set(Some(v));
        self.currkey.set(Some(k));
        Ok(true)
    }
}

#[pymethods]
impl GroupBy {
    #[new(name = "groupby", signature = "(iterable, key=None)")]
    fn new(cls: &Type, iterable: &Object, key: Option<&Object>) -> PyResult<Owned<GroupBy>> {
        GroupBy {
            it: iterable.iterator()?,
            keyfunc: key.filter(|k| !k.is_none()).map(|k| k.own()),
            tgtkey: Slot::empty(),
            currkey: Slot::empty(),
            currvalue: Slot::empty(),
            currgrouper: Cell::new(std::ptr::null()),
        }
        .build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<GroupBy> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        self.currgrouper.set(std::ptr::null());
        // Skip what is left of the current group.
        loop {
            match (self.currkey.get(), self.tgtkey.get()) {
                (Some(_), None) => break,
                (Some(k), Some(t)) if !t.equals_obj(&k)? => {
                    break;
                }
                _ => {}
            }
            if !self.step()? {
                return Ok(None);
            }
        }
        let key = self.currkey.get().expect("stepped");
        self.tgtkey.set(Some(key.clone()));
        let g = Grouper { parent: self.own(), key: key.clone() }.build();
        self.currgrouper.set(&raw const *g);
        Ok(Some(Tuple::pair(key, g.into_object()).into_object()))
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        let args = vec![self.it.clone(), self.keyfunc.clone().unwrap_or_else(none)];
        match (self.tgtkey.get(), self.currkey.get(), self.currvalue.get()) {
            (Some(t), Some(k), Some(v)) => super::reduced_with(self, args, tuple(vec![k, v, t])),
            _ => reduced(self, args),
        }
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let Some(t) = state.downcast::<Tuple>() else { return raise!(TypeError, "state is not a tuple") };
        if t.len() != 3 {
            return raise!(TypeError, "function takes exactly 3 arguments ({} given)", t.len());
        }
        self.currkey.set(Some(t.get(0)));
        self.currvalue.set(Some(t.get(1)));
        self.tgtkey.set(Some(t.get(2)));
        Ok(())
    }
}

#[pyclass(name = "_grouper", module = "itertools")]
pub struct Grouper {
    parent: Owned<GroupBy>,
    key: Owned<Object>,
}

#[pymethods]
impl Grouper {
    #[new(name = "_grouper", signature = "(parent, tgtkey, /)")]
    fn new(cls: &Type, parent: &GroupBy, tgtkey: &Object) -> PyResult<Owned<Grouper>> {
        let g = Grouper { parent: parent.own(), key: tgtkey.own() }.build_in(cls)?;
        parent.currgrouper.set(&raw const *g);
        Ok(g)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<Grouper> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let p = &self.parent;
        if p.currgrouper.get() != &raw const *self {
            return Ok(None);
        }
        if !p.currvalue.is_some() && !p.step()? {
            return Ok(None);
        }
        let Some(k) = p.currkey.get() else { return Ok(None) };
        if !self.key.equals_obj(&k)? {
            return Ok(None);
        }
        let v = p.currvalue.take();
        p.currkey.set(None);
        Ok(v)
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        if self.parent.currgrouper.get() != &raw const *self {
            let iter = lh_runtime::iterobject::builtin("iter")?;
            return Ok(tuple(vec![iter, tuple(vec![Tuple::empty().into_object()])]));
        }
        Ok(reduced(self, vec![self.parent.own().into_object(), self.key.clone()]))
    }
}
