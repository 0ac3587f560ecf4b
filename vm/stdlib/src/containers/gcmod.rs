//! `gc`: the collector's switches and views (`lh_runtime::gc` does the work).

use lh_runtime::gc;
use lh_runtime::prelude::*;
use lh_runtime::sysobject::audit;

module! {
    "gc",
    doc: "This module provides access to the garbage collector for reference cycles.\n\nenable() -- Enable automatic garbage collection.\ndisable() -- Disable automatic garbage collection.\nisenabled() -- Returns true if automatic collection is enabled.\ncollect() -- Do a full collection right now.\nget_count() -- Return the current collection counts.\nget_stats() -- Return list of dictionaries containing per-generation stats.\nset_debug() -- Set debugging flags.\nget_debug() -- Get debugging flags.\nset_threshold() -- Set the collection thresholds.\nget_threshold() -- Return the current the collection thresholds.\nget_objects() -- Return a list of all objects tracked by the collector.\nis_tracked() -- Returns true if a given object is tracked.\nis_finalized() -- Returns true if a given object has been already finalized.\nget_referrers() -- Return the list of objects that refer to an object.\nget_referents() -- Return the list of objects that an object refers to.\nfreeze() -- Freeze all tracked objects and ignore them for future collections.\nunfreeze() -- Unfreeze all objects in the permanent generation.\nget_freeze_count() -- Return the number of objects in the permanent generation.\n",
    functions: [enable, disable, isenabled, collect, get_count, get_stats, set_debug, get_debug, set_threshold, get_threshold,
        get_objects, is_tracked, is_finalized, get_referrers, get_referents, freeze, unfreeze, get_freeze_count],
    init: setup,
}

/// The lists that each interpreter has for itself.
pub fn own_lists(m: &Module) -> PyResult<()> {
    m.add("garbage", gc::garbage())?;
    m.add("callbacks", gc::callbacks())
}
fn setup(m: &Module) -> PyResult<()> {
    own_lists(m)?;
    for (n, v) in [
        ("DEBUG_STATS", 1),
        ("DEBUG_COLLECTABLE", 2),
        ("DEBUG_UNCOLLECTABLE", 4),
        ("DEBUG_SAVEALL", 32),
        ("DEBUG_LEAK", 38),
    ] {
        m.add(n, &Int::from_i64(v))?;
    }
    Ok(())
}

/// Enable automatic garbage collection.
#[pyfunction]
pub fn enable() {
    gc::enable(true)
}
/// Disable automatic garbage collection.
#[pyfunction]
pub fn disable() {
    gc::enable(false)
}
/// Returns true if automatic garbage collection is enabled.
#[pyfunction]
pub fn isenabled() -> bool {
    gc::is_enabled()
}
/// Run the garbage collector.
///
/// With no arguments, run a full collection.  The optional argument
/// may be an integer specifying which generation to collect.  A ValueError
/// is raised if the generation number is invalid.
///
/// The number of unreachable objects is returned.
#[pyfunction(signature = "(generation=2)")]
pub fn collect(generation: i32) -> PyResult<usize> {
    match usize::try_from(generation) {
        Ok(g) if g < 3 => Ok(gc::collect_for_program(g)),
        _ => raise!(ValueError, "invalid generation"),
    }
}
/// Return a three-tuple of the current collection counts.
#[pyfunction]
pub fn get_count() -> (isize, isize, isize) {
    let c = gc::counts();
    (c[0], c[1], c[2])
}
/// Return a list of dictionaries containing per-generation statistics.
#[pyfunction]
pub fn get_stats() -> PyResult<Vec<Owned<Object>>> {
    let mut v = vec![];
    for s in gc::stats() {
        let d = Dict::new();
        for (n, x) in ["collections", "collected", "uncollectable"].iter().zip(s) {
            d.set_str(n, &Int::from_usize(x))?;
        }
        v.push(d.into_object());
    }
    Ok(v)
}
/// Set the garbage collection debugging flags.
#[pyfunction]
pub fn set_debug(flags: i32) {
    gc::set_debug_flags(flags)
}
/// Get the garbage collection debugging flags.
#[pyfunction]
pub fn get_debug() -> i32 {
    gc::debug_flags()
}
/// set_threshold(threshold0, [threshold1, threshold2]) -> None
///
/// Sets the collection thresholds.  Setting threshold0 to zero disables
/// collection.
#[pyfunction]
pub fn set_threshold(threshold0: i32, threshold1: Option<i32>, threshold2: Option<i32>) {
    let mut t = gc::thresholds();
    t[0] = threshold0 as isize;
    if let Some(x) = threshold1 {
        t[1] = x as isize;
    }
    if let Some(x) = threshold2 {
        t[2] = x as isize;
    }
    gc::set_thresholds(t)
}
/// Return the current collection thresholds.
#[pyfunction]
pub fn get_threshold() -> (isize, isize, isize) {
    let t = gc::thresholds();
    (t[0], t[1], t[2])
}
/// Return a list of objects tracked by the collector (excluding the list returned).
///
///   generation
///     Generation to extract the objects from.
///
/// If generation is not None, return only the objects tracked by the collector
/// that are in that generation.
#[pyfunction(signature = "(generation=None)")]
pub fn get_objects(generation: Option<isize>) -> PyResult<Vec<Owned<Object>>> {
    audit("gc.get_objects", &[&*Int::from_i64(generation.unwrap_or(-1) as i64)])?;
    match generation {
        None => Ok(gc::objects(None)),
        Some(g) if g < 0 => raise!(ValueError, "generation parameter cannot be negative"),
        Some(g) if g >= 3 => {
            raise!(
                ValueError,
                "generation parameter must be less than the number of available generations (3)"
            )
        }
        Some(g) => Ok(gc::objects(Some(g as usize))),
    }
}
/// Returns true if the object is tracked by the garbage collector.
///
/// Simple atomic objects will return false.
#[pyfunction]
pub fn is_tracked(obj: &Object) -> bool {
    // SAFETY: a live object.
    unsafe { gc::is_gc_object(obj.as_ptr()) && gc::is_tracked(obj.as_ptr()) }
}
/// Returns true if the object has been already finalized by the garbage collector.
#[pyfunction]
pub fn is_finalized(obj: &Object) -> bool {
    // SAFETY: a live object; bit 0 of the previous link marks finalized objects.
    unsafe {
        gc::is_gc_object(obj.as_ptr()) && (*obj.as_ptr().cast::<lh_abi::PyGC_Head>().sub(1))._gc_prev & 1 != 0
    }
}
/// get_referrers(*objs) -> list
/// Return the list of objects that directly refer to any of objs.
#[pyfunction(signature = "(*objs)")]
pub fn get_referrers(objs: &Tuple) -> PyResult<Vec<Owned<Object>>> {
    audit("gc.get_referrers", &[objs])?;
    let all = gc::objects(None);
    let found = all
        .into_iter()
        .filter(|o| !o.is(objs) && gc::referents(o).iter().any(|r| objs.iter().any(|x| x.is(&**r))))
        .collect();
    Ok(found)
}
/// get_referents(*objs) -> list
/// Return the list of objects that are directly referred to by objs.
#[pyfunction(signature = "(*objs)")]
pub fn get_referents(objs: &Tuple) -> PyResult<Vec<Owned<Object>>> {
    audit("gc.get_referents", &[objs])?;
    Ok(objs.iter().flat_map(gc::referents).collect())
}
/// Freeze all current tracked objects and ignore them for future collections.
///
/// This can be used before a POSIX fork() call to make the gc copy-on-write friendly.
/// Note: collection before a POSIX fork() call may free pages for future allocation
/// which can cause copy-on-write.
#[pyfunction]
pub fn freeze() {
    gc::freeze()
}
/// Unfreeze all objects in the permanent generation.
///
/// Put all objects in the permanent generation back into oldest generation.
#[pyfunction]
pub fn unfreeze() {
    gc::unfreeze()
}
/// Return the number of objects in the permanent generation.
#[pyfunction]
pub fn get_freeze_count() -> usize {
    gc::freeze_count()
}
