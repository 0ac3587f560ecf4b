//! `xxsubtype`: a list and a dictionary with a state, examples of built-in types that derive from others.

use lh_runtime::prelude::*;
use std::cell::Cell;

/// A list with a state.
#[pyclass(name = "spamlist", module = "xxsubtype", base = List, basetype)]
pub struct SpamList {
    state: Cell<i32>,
}

#[pymethods]
impl SpamList {
    /// getstate() -> state
    #[pymethod]
    fn getstate(&self) -> i32 {
        self.state.get()
    }
    /// setstate(state)
    #[pymethod]
    fn setstate(&self, state: i32) {
        self.state.set(state)
    }
    /// an int variable for demonstration purposes
    #[getter(name = "state")]
    fn state_(&self) -> i32 {
        self.state.get()
    }
    /// classmeth(*args, **kw)
    #[classmethod(signature = "(*args, **kw)")]
    fn classmeth(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        (cls, args, kw.map_or_else(none, |k| k.own().into_object())).into_py()
    }
    /// staticmeth(*args, **kw)
    #[staticmethod(signature = "(*args, **kw)")]
    fn staticmeth(args: &Tuple, kw: Option<&Dict>) -> PyResult {
        (none(), args, kw.map_or_else(none, |k| k.own().into_object())).into_py()
    }
}

/// A dictionary with a state.
#[pyclass(name = "spamdict", module = "xxsubtype", base = Dict, basetype)]
pub struct SpamDict {
    state: Cell<i32>,
}

#[pymethods]
impl SpamDict {
    /// getstate() -> state
    #[pymethod]
    fn getstate(&self) -> i32 {
        self.state.get()
    }
    /// setstate(state)
    #[pymethod]
    fn setstate(&self, state: i32) {
        self.state.set(state)
    }
    /// an int variable for demonstration purposes
    #[getter(name = "state")]
    fn state_(&self) -> i32 {
        self.state.get()
    }
}

/// Seconds that N times `getattr(obj, name)` take.
#[pyfunction(signature = "(obj, name, n=1000, /)")]
fn bench(obj: &Object, name: &Str, n: i64) -> PyResult<f64> {
    let start = std::time::Instant::now();
    for _ in 0..n {
        obj.get_attr(name)?;
    }
    Ok(start.elapsed().as_secs_f64())
}

module! { "xxsubtype", doc: "Examples of types that derive from built-in ones.", functions: [bench], types: [SpamList, SpamDict] }
