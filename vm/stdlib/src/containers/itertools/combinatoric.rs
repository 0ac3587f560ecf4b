//! `product`, `permutations`, `combinations`, `combinations_with_replacement`.
//!
//! Each keeps the pools as tuples and a vector of indices (plus counters), and makes a result tuple from them. The state never runs
//! Python code, so it may sit in a `RefCell`.

use super::{int, reduced, reduced_with, tuple};
use lh_runtime::number;
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};

/// `None` in pickles: the iterator has not begun, or is over.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Fresh,
    Running,
    Over,
}

fn indices_of(state: &Object, n: usize) -> PyResult<Vec<i64>> {
    let Some(t) = state.downcast::<Tuple>() else { return raise!(ValueError, "invalid arguments") };
    if t.len() != n {
        return raise!(ValueError, "invalid arguments");
    }
    t.iter().map(|o| number::as_isize(o, Some(exc::OverflowError())).map(|v| v as i64)).collect()
}
/// A result: `n` items.
#[inline]
fn picked(n: usize, f: impl Fn(usize) -> Owned<Object>) -> Owned<Object> {
    Tuple::build(n, |i| f(i).into_raw()).expect("memory for a tuple").into_object()
}
fn index_tuple(v: &[usize]) -> Owned<Object> {
    tuple(v.iter().map(|i| int(*i as i64)).collect())
}

// ---- product ----

/// product(*iterables, repeat=1) --> product object
///
/// Cartesian product of input iterables.  Equivalent to nested for-loops.
#[pyclass(name = "product", module = "itertools", basetype)]
pub struct Product {
    pools: Vec<Owned<Tuple>>,
    #[notrace]
    indices: RefCell<Vec<usize>>,
    #[notrace]
    phase: Cell<Phase>,
}

impl Product {
    fn result(&self, ix: &[usize]) -> Owned<Object> {
        picked(ix.len(), |k| self.pools[k].get(ix[k]))
    }
}

#[pymethods]
impl Product {
    #[slot(tp_new)]
    fn new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Product>> {
        let mut repeat = 1isize;
        if let Some(kw) = kw.filter(|k| k.len() > 0) {
            if kw.len() > 1 {
                let n = kw.len();
                return raise!(TypeError, "product() takes at most 1 keyword argument ({} given)", n);
            }
            match kw.get_str("repeat")? {
                Some(r) if kw.len() == 1 => repeat = number::as_isize(&r, Some(exc::OverflowError()))?,
                _ => {
                    let k = kw
                        .keys_vec()
                        .into_iter()
                        .find(|k| k.downcast::<Str>().is_none_or(|s| !s.equals_str("repeat")));
                    let k = k.map_or_else(String::new, |k| {
                        k.str().map(|s| s.to_str_lossy().into_owned()).unwrap_or_default()
                    });
                    return raise!(TypeError, "'{}' is an invalid keyword argument for product()", k);
                }
            }
        }
        if repeat < 0 {
            return raise!(ValueError, "repeat argument cannot be negative");
        }
        let n = if repeat == 0 { 0 } else { args.len() };
        if n > 0 && (repeat as usize) > isize::MAX as usize / 8 / n {
            return raise!(OverflowError, "repeat argument too large");
        }
        let one = args.iter().take(n).map(Tuple::from_iterable).collect::<PyResult<Vec<_>>>()?;
        let mut pools = Vec::with_capacity(n * repeat as usize);
        for _ in 0..if n == 0 { 0 } else { repeat } {
            pools.extend(one.iter().cloned());
        }
        let indices = RefCell::new(vec![0; pools.len()]);
        Product { pools, indices, phase: Cell::new(Phase::Fresh) }.build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<Product> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let mut ix = self.indices.borrow_mut();
        match self.phase.get() {
            Phase::Over => return Ok(None),
            Phase::Fresh => {
                if self.pools.iter().any(|p| p.len() == 0) {
                    self.phase.set(Phase::Over);
                    return Ok(None);
                }
                self.phase.set(Phase::Running);
            }
            Phase::Running => {
                let mut i = ix.len();
                loop {
                    if i == 0 {
                        self.phase.set(Phase::Over);
                        return Ok(None);
                    }
                    i -= 1;
                    ix[i] += 1;
                    if ix[i] < self.pools[i].len() {
                        break;
                    }
                    ix[i] = 0;
                }
            }
        }
        Ok(Some(self.result(&ix)))
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        let pools: Vec<Owned<Object>> = self.pools.iter().map(|p| p.own().into_object()).collect();
        match self.phase.get() {
            Phase::Over => reduced(self, vec![Tuple::empty().into_object()]),
            Phase::Fresh => reduced(self, pools),
            Phase::Running => reduced_with(self, pools, index_tuple(&self.indices.borrow())),
        }
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let v = indices_of(state, self.pools.len())?;
        for (i, v) in v.into_iter().enumerate() {
            let n = self.pools[i].len();
            if n == 0 {
                self.phase.set(Phase::Over);
                return Ok(());
            }
            self.indices.borrow_mut()[i] = v.clamp(0, n as i64 - 1) as usize;
        }
        self.phase.set(Phase::Running);
        Ok(())
    }
    /// Returns size in memory, in bytes.
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        Self::BASICSIZE + self.pools.len() * 8
    }
}

// ---- combinations ----

macro_rules! combinations {
    ($(#[$doc:meta])* $t:ident, $name:literal, $replace:literal) => {
        $(#[$doc])*
        #[pyclass(name = $name, module = "itertools", basetype)]
        pub struct $t {
            pool: Owned<Tuple>,
            r: usize,
            #[notrace]
            indices: RefCell<Vec<usize>>,
            #[notrace]
            phase: Cell<Phase>,
        }

        #[pymethods]
        impl $t {
            fn first_indices(r: usize) -> Vec<usize> {
                if $replace { vec![0; r] } else { (0..r).collect() }
            }
            #[new(name = $name, signature = "(iterable, r)")]
            fn new(cls: &Type, iterable: &Object, r: isize) -> PyResult<Owned<$t>> {
                let pool = Tuple::from_iterable(iterable)?;
                if r < 0 {
                    return raise!(ValueError, "r must be non-negative");
                }
                let r = r as usize;
                let over = if $replace { pool.len() == 0 && r > 0 } else { r > pool.len() };
                let indices = RefCell::new(if over { vec![] } else { Self::first_indices(r) });
                let phase = Cell::new(if over { Phase::Over } else { Phase::Fresh });
                $t { pool, r, indices, phase }.build_in(cls)
            }
            #[slot(tp_iter)]
            fn iter(&self) -> Owned<$t> {
                self.own()
            }
            #[slot(tp_iternext)]
            fn next(&self) -> PyResult<Option<Owned<Object>>> {
                let mut ix = self.indices.borrow_mut();
                let (n, r) = (self.pool.len(), self.r);
                match self.phase.get() {
                    Phase::Over => return Ok(None),
                    Phase::Fresh => self.phase.set(Phase::Running),
                    Phase::Running => {
                        // The rightmost index that can still grow.
                        let top = |i: usize| if $replace { n - 1 } else { i + n - r };
                        let Some(i) = (0..r).rev().find(|i| ix[*i] != top(*i)) else {
                            self.phase.set(Phase::Over);
                            return Ok(None);
                        };
                        ix[i] += 1;
                        for k in i + 1..r {
                            ix[k] = if $replace { ix[i] } else { ix[k - 1] + 1 };
                        }
                    }
                }
                Ok(Some(picked(ix.len(), |k| self.pool.get(ix[k]))))
            }
            /// Return state information for pickling.
            #[pymethod]
            fn __reduce__(&self) -> Owned<Object> {
                let r = int(self.r as i64);
                match self.phase.get() {
                    Phase::Over => reduced(self, vec![Tuple::empty().into_object(), r]),
                    Phase::Fresh => reduced(self, vec![self.pool.own().into_object(), r]),
                    Phase::Running => {
                        reduced_with(self, vec![self.pool.own().into_object(), r], index_tuple(&self.indices.borrow()))
                    }
                }
            }
            /// Set state information for unpickling.
            #[pymethod]
            fn __setstate__(&self, state: &Object) -> PyResult<()> {
                let (n, r) = (self.pool.len() as i64, self.r);
                let v = indices_of(state, r)?;
                let mut ix = self.indices.borrow_mut();
                *ix = v
                    .into_iter()
                    .enumerate()
                    .map(|(i, v)| {
                        let top = if $replace { n - 1 } else { i as i64 + n - r as i64 };
                        v.min(top).max(0) as usize
                    })
                    .collect();
                if n > 0 || r == 0 {
                    self.phase.set(Phase::Running);
                }
                Ok(())
            }
            /// Returns size in memory, in bytes.
            #[pymethod]
            fn __sizeof__(&self) -> usize {
                Self::BASICSIZE + self.r * 8
            }
        }
    };
}

combinations! {
    /// Return successive r-length combinations of elements in the iterable.
    ///
    /// combinations(range(4), 3) --> (0,1,2), (0,1,3), (0,2,3), (1,2,3)
    Combinations, "combinations", false
}
combinations! {
    /// Return successive r-length combinations of elements in the iterable allowing individual elements to have successive repeats.
    ///
    /// combinations_with_replacement('ABC', 2) --> ('A','A'), ('A','B'), ('A','C'), ('B','B'), ('B','C'), ('C','C')
    CombinationsWithReplacement, "combinations_with_replacement", true
}

// ---- permutations ----

/// Return successive r-length permutations of elements in the iterable.
///
/// permutations(range(3), 2) --> (0,1), (0,2), (1,0), (1,2), (2,0), (2,1)
#[pyclass(name = "permutations", module = "itertools", basetype)]
pub struct Permutations {
    pool: Owned<Tuple>,
    r: usize,
    /// A permutation of the pool's indices, and for each place how many choices are left.
    #[notrace]
    state: RefCell<(Vec<usize>, Vec<usize>)>,
    #[notrace]
    phase: Cell<Phase>,
}

#[pymethods]
impl Permutations {
    #[new(name = "permutations", signature = "(iterable, r=None)")]
    fn new(cls: &Type, iterable: &Object, r: Option<&Object>) -> PyResult<Owned<Permutations>> {
        let pool = Tuple::from_iterable(iterable)?;
        let n = pool.len();
        let r = match r.filter(|r| !r.is_none()) {
            None => n as isize,
            Some(r) if Int::check(r) => number::as_isize(r, Some(exc::OverflowError()))?,
            Some(_) => return raise!(TypeError, "Expected int as r"),
        };
        if r < 0 {
            return raise!(ValueError, "r must be non-negative");
        }
        let r = r as usize;
        let over = r > n;
        let cycles = if over { vec![] } else { (0..r).map(|i| n - i).collect() };
        let phase = Cell::new(if over { Phase::Over } else { Phase::Fresh });
        Permutations { pool, r, state: RefCell::new(((0..n).collect(), cycles)), phase }.build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<Permutations> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let mut st = self.state.borrow_mut();
        let (ix, cycles) = &mut *st;
        let n = ix.len();
        match self.phase.get() {
            Phase::Over => return Ok(None),
            Phase::Fresh => self.phase.set(Phase::Running),
            Phase::Running => {
                let mut i = self.r;
                loop {
                    if i == 0 {
                        self.phase.set(Phase::Over);
                        return Ok(None);
                    }
                    i -= 1;
                    cycles[i] -= 1;
                    if cycles[i] > 0 {
                        ix.swap(i, n - cycles[i]);
                        break;
                    }
                    // All choices for place i are used up: back to the first one.
                    ix[i..].rotate_left(1);
                    cycles[i] = n - i;
                }
            }
        }
        Ok(Some(picked(self.r, |k| self.pool.get(ix[k]))))
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Object> {
        let (pool, r) = (self.pool.own().into_object(), int(self.r as i64));
        match self.phase.get() {
            Phase::Over => reduced(self, vec![Tuple::empty().into_object(), r]),
            Phase::Fresh => reduced(self, vec![pool, r]),
            Phase::Running => {
                let st = self.state.borrow();
                reduced_with(self, vec![pool, r], tuple(vec![index_tuple(&st.0), index_tuple(&st.1)]))
            }
        }
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let n = self.pool.len();
        let Some(t) = state.downcast::<Tuple>().filter(|t| t.len() == 2) else {
            return raise!(ValueError, "invalid arguments");
        };
        let ix = indices_of(t.item_ref(0), n)?;
        let cycles = indices_of(t.item_ref(1), self.r)?;
        let ix: Vec<usize> = ix.into_iter().map(|v| v.clamp(0, n as i64 - 1) as usize).collect();
        let cycles =
            cycles.into_iter().enumerate().map(|(i, v)| v.clamp(1, (n - i) as i64) as usize).collect();
        *self.state.borrow_mut() = (ix, cycles);
        self.phase.set(Phase::Running);
        Ok(())
    }
    /// Returns size in memory, in bytes.
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        Self::BASICSIZE + (self.pool.len() + self.r) * 8
    }
}
