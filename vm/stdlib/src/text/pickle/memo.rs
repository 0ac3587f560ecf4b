//! What a pickler has seen, by address, and the two proxies that show a memo to Python code.

use super::pickler::Pickler;
use super::unpickle::Unpickler;
use lh_runtime::prelude::*;
use std::collections::HashMap;

/// Numbers by address: open addressing, never more than half full.
#[derive(Default)]
struct Numbers {
    /// Address (0: free) and number; as many as a power of two, or none.
    slots: Vec<(usize, usize)>,
    used: usize,
}
impl Numbers {
    /// Where an address is, or would go.
    #[inline]
    fn place(&self, address: usize) -> usize {
        let mask = self.slots.len() - 1;
        let mut i = ((address >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) & mask;
        while self.slots[i].0 != 0 && self.slots[i].0 != address {
            i = (i + 1) & mask;
        }
        i
    }
    #[inline]
    fn get(&self, address: usize) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let (found, n) = self.slots[self.place(address)];
        if found == 0 { None } else { Some(n) }
    }
    #[inline]
    fn insert(&mut self, address: usize, n: usize) {
        if (self.used + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let i = self.place(address);
        self.used += (self.slots[i].0 == 0) as usize;
        self.slots[i] = (address, n);
    }
    #[cold]
    fn grow(&mut self) {
        let size = (self.slots.len() * 4).max(32);
        let old = std::mem::replace(&mut self.slots, vec![(0, 0); size]);
        for s in old.into_iter().filter(|s| s.0 != 0) {
            let i = self.place(s.0);
            self.slots[i] = s;
        }
    }
}

/// Address -> memo number; the objects are kept alive so that no address is used twice.
#[derive(Default)]
pub struct PicklerMemo {
    index: Numbers,
    kept: Vec<Owned<Object>>,
}
impl PicklerMemo {
    pub fn get(&self, o: &Object) -> Option<usize> {
        self.index.get(o.as_ptr() as usize)
    }
    pub fn put(&mut self, o: &Object, number: usize) {
        self.index.insert(o.as_ptr() as usize, number);
        self.kept.push(o.own());
    }
    pub fn len(&self) -> usize {
        self.index.used
    }
    fn pairs(&self) -> Vec<(usize, Owned<Object>)> {
        self.kept.iter().filter_map(|o| self.index.get(o.as_ptr() as usize).map(|n| (n, o.clone()))).collect()
    }
}
impl lh_runtime::object::Trace for PicklerMemo {
    fn trace(&self, v: &mut lh_runtime::object::Visitor) {
        self.kept.iter().for_each(|o| o.trace(v))
    }
}

#[pyclass(name = "PicklerMemoProxy", module = "_pickle", no_new)]
pub struct PicklerMemoProxy {
    pub pickler: Owned<Pickler>,
}
#[pymethods]
impl PicklerMemoProxy {
    /// Remove all items from memo.
    #[pymethod]
    fn clear(&self) {
        drop(self.pickler.memo.take());
    }
    /// Copy the memo to a new object.
    #[pymethod]
    fn copy(&self) -> PyResult<Owned<Dict>> {
        let d = Dict::new();
        let pairs = self.pickler.memo.borrow().pairs();
        for (n, o) in pairs {
            let value = Tuple::pair(Int::from_usize(n).into_object(), o.clone());
            d.set_item(&Int::from_usize(o.as_ptr() as usize), &value)?;
        }
        Ok(d)
    }
    /// Implement pickle support.
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        let args = Tuple::from_vec(vec![self.copy()?.into_object()]);
        Ok(Tuple::pair(Dict::class().own().into_object(), args.into_object()).into_object())
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
}

/// The memo that `pickler.memo = value` sets.
pub fn pickler_memo_from(value: &Object) -> PyResult<PicklerMemo> {
    let mut memo = PicklerMemo::default();
    if let Some(p) = value.downcast::<PicklerMemoProxy>() {
        for (n, o) in p.pickler.memo.borrow().pairs() {
            memo.put(&o, n);
        }
    } else if let Some(d) = value.downcast::<Dict>() {
        for (_, v) in d.items_vec() {
            let Some(t) = v.downcast::<Tuple>().filter(|t| t.len() == 2) else {
                return raise!(TypeError, "'memo' values must be 2-item tuples");
            };
            let n = lh_runtime::number::as_isize(t.item_ref(0), Some(exc::OverflowError()))?;
            memo.put(t.item_ref(1), n.max(0) as usize);
        }
    } else {
        return raise!(
            TypeError,
            "'memo' attribute must be a PicklerMemoProxy object or dict, not {}",
            value.ty().name()
        );
    }
    Ok(memo)
}

/// The unpickler's memo: dense numbers in a vector, others aside, so that a hostile number costs no memory.
#[derive(Default)]
pub struct UnpicklerMemo {
    dense: Vec<Option<Owned<Object>>>,
    sparse: HashMap<usize, Owned<Object>>,
    used: usize,
}
impl UnpicklerMemo {
    pub fn get(&self, n: usize) -> Option<Owned<Object>> {
        match self.dense.get(n) {
            Some(o) => o.clone(),
            None => self.sparse.get(&n).cloned(),
        }
    }
    /// The old value is handed back: dropping it may run code.
    pub fn put(&mut self, n: usize, o: Owned<Object>) -> Option<Owned<Object>> {
        let old = if n < self.dense.len() {
            self.dense[n].replace(o)
        } else if n <= self.dense.len() + 64 {
            self.dense.resize_with(n, || None);
            self.dense.push(Some(o));
            self.sparse.remove(&n)
        } else {
            self.sparse.insert(n, o)
        };
        self.used += old.is_none() as usize;
        old
    }
    /// Puts a value under a number that is the next after the dense ones and not taken; false: it isn't that.
    #[inline]
    pub fn append(&mut self, n: usize, o: &Owned<Object>) -> bool {
        let fits = n == self.dense.len() && self.sparse.is_empty();
        if fits {
            self.dense.push(Some(o.clone()));
            self.used += 1;
        }
        fits
    }
    /// How many numbers are taken.
    pub fn used(&self) -> usize {
        self.used
    }
    fn pairs(&self) -> Vec<(usize, Owned<Object>)> {
        let dense = self.dense.iter().enumerate().filter_map(|(n, o)| o.clone().map(|o| (n, o)));
        let mut all: Vec<_> = dense.chain(self.sparse.iter().map(|(n, o)| (*n, o.clone()))).collect();
        all.sort_by_key(|p| p.0);
        all
    }
}
impl lh_runtime::object::Trace for UnpicklerMemo {
    fn trace(&self, v: &mut lh_runtime::object::Visitor) {
        self.dense.iter().flatten().for_each(|o| o.trace(v));
        self.sparse.values().for_each(|o| o.trace(v));
    }
}

#[pyclass(name = "UnpicklerMemoProxy", module = "_pickle", no_new)]
pub struct UnpicklerMemoProxy {
    pub unpickler: Owned<Unpickler>,
}
#[pymethods]
impl UnpicklerMemoProxy {
    /// Remove all items from memo.
    #[pymethod]
    fn clear(&self) {
        drop(self.unpickler.memo.take());
    }
    /// Copy the memo to a new object.
    #[pymethod]
    fn copy(&self) -> PyResult<Owned<Dict>> {
        let d = Dict::new();
        let pairs = self.unpickler.memo.borrow().pairs();
        for (n, o) in pairs {
            d.set_item(&Int::from_usize(n), &o)?;
        }
        Ok(d)
    }
    /// Implement pickling support.
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        let args = Tuple::from_vec(vec![self.copy()?.into_object()]);
        Ok(Tuple::pair(Dict::class().own().into_object(), args.into_object()).into_object())
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
}

/// The memo that `unpickler.memo = value` sets.
pub fn unpickler_memo_from(value: &Object) -> PyResult<UnpicklerMemo> {
    let mut memo = UnpicklerMemo::default();
    if let Some(p) = value.downcast::<UnpicklerMemoProxy>() {
        for (n, o) in p.unpickler.memo.borrow().pairs() {
            memo.put(n, o);
        }
    } else if let Some(d) = value.downcast::<Dict>() {
        for (k, v) in d.items_vec() {
            let Some(k) = k.downcast::<Int>() else {
                return raise!(TypeError, "memo key must be integers");
            };
            let n = lh_runtime::number::as_isize(k, Some(exc::OverflowError()))?;
            if n < 0 {
                return raise!(ValueError, "memo key must be positive integers.");
            }
            memo.put(n as usize, v);
        }
    } else {
        return raise!(
            TypeError,
            "'memo' attribute must be an UnpicklerMemoProxy object or dict, not {}",
            value.ty().name()
        );
    }
    Ok(memo)
}
