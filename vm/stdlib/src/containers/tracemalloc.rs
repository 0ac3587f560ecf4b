//! `_tracemalloc`: the Python side of the runtime's tracing of memory blocks.

use lh_runtime::prelude::*;
use lh_runtime::{gc, tracemalloc};

module! {
    "_tracemalloc",
    doc: "Debug module to trace memory blocks allocated by Python.",
    functions: [is_tracing, start, stop, clear_traces, get_traceback_limit, get_traced_memory, reset_peak, get_tracemalloc_memory,
        _get_traces, _get_object_traceback],
}

/// Return True if the tracemalloc module is tracing Python memory allocations.
#[pyfunction]
fn is_tracing() -> bool {
    tracemalloc::is_tracing()
}
/// Start tracing Python memory allocations.
///
/// Also set the maximum number of frames stored in the traceback of a
/// trace to nframe.
#[pyfunction(signature = "(nframe=1, /)")]
fn start(nframe: i32) -> PyResult<()> {
    if !(1..=65535).contains(&nframe) {
        return raise!(ValueError, "the number of frames must be in range [1; 65535]");
    }
    tracemalloc::start(nframe as usize);
    Ok(())
}
/// Stop tracing Python memory allocations.
///
/// Also clear traces of memory blocks allocated by Python.
#[pyfunction]
fn stop() {
    tracemalloc::stop()
}
/// Clear traces of memory blocks allocated by Python.
#[pyfunction]
fn clear_traces() {
    tracemalloc::clear()
}
/// Get the maximum number of frames stored in the traceback of a trace.
///
/// By default, a trace of an allocated memory block only stores
/// the most recent frame: the limit is 1.
#[pyfunction]
fn get_traceback_limit() -> usize {
    tracemalloc::limit()
}
/// Get the current size and peak size of memory blocks traced by tracemalloc.
///
/// Returns a tuple: (current: int, peak: int).
#[pyfunction]
fn get_traced_memory() -> (usize, usize) {
    tracemalloc::memory()
}
/// Set the peak size of memory blocks traced by tracemalloc to the current size.
///
/// Do nothing if the tracemalloc module is not tracing memory allocations.
#[pyfunction]
fn reset_peak() {
    tracemalloc::reset_peak()
}
/// Get the memory usage in bytes of the tracemalloc module.
///
/// This memory is used internally to trace memory allocations.
#[pyfunction]
fn get_tracemalloc_memory() -> usize {
    tracemalloc::own_memory()
}
/// Get traces of all memory blocks allocated by Python.
///
/// Return a list of (size: int, traceback: tuple) tuples.
/// traceback is a tuple of (filename: str, lineno: int) tuples.
///
/// Return an empty list if the tracemalloc module is disabled.
#[pyfunction]
fn _get_traces() -> Owned<List> {
    tracemalloc::untraced(|| {
        let (blocks, tracebacks) = tracemalloc::snapshot();
        let tuples: Vec<Owned<Tuple>> = tracebacks.iter().map(|t| t.to_tuple()).collect();
        let rows = blocks.iter().map(|b| {
            let i = b.traceback as usize;
            Tuple::from_vec(vec![
                Int::from_i64(b.domain as i64).into_object(),
                Int::from_usize(b.size).into_object(),
                tuples[i].clone().into_object(),
                Int::from_i64(tracebacks[i].total.max(1) as i64).into_object(),
            ])
            .into_object()
        });
        List::from_vec(rows.collect())
    })
}
/// Get the traceback where the Python object obj was allocated.
///
/// Return a tuple of (filename: str, lineno: int) tuples.
/// Return None if the tracemalloc module is disabled or did not
/// trace the allocation of the object.
#[pyfunction]
fn _get_object_traceback(obj: &Object) -> Option<Owned<Tuple>> {
    // SAFETY: a live object.
    let p = unsafe { gc::block_of(obj.as_ptr()) };
    tracemalloc::traceback_of(0, p).map(|t| t.to_tuple())
}
