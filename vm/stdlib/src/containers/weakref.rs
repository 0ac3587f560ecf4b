//! `_weakref`: the functions beside the reference types.

use lh_runtime::prelude::*;
use lh_runtime::weakref;

module! {
    "_weakref",
    doc: "Weak-reference support module.",
    functions: [getweakrefcount, getweakrefs, proxy, _remove_dead_weakref],
    init: setup,
}

fn setup(m: &Module) -> PyResult<()> {
    m.add("ref", WeakRef::class())?;
    m.add("ReferenceType", WeakRef::class())?;
    // SAFETY: static type objects.
    unsafe {
        m.add("ProxyType", Type::from_raw_ref(&raw mut lh_runtime::type_table::_PyWeakref_ProxyType))?;
        m.add(
            "CallableProxyType",
            Type::from_raw_ref(&raw mut lh_runtime::type_table::_PyWeakref_CallableProxyType),
        )
    }
}

/// Return the number of weak references to 'object'.
#[pyfunction]
pub fn getweakrefcount(object: &Object) -> usize {
    weakref::count(object)
}
/// getweakrefs(object) -- return a list of all weak reference objects
/// that point to 'object'.
#[pyfunction]
pub fn getweakrefs(object: &Object) -> Vec<Owned<Object>> {
    weakref::all(object)
}
/// proxy(object[, callback]) -- create a proxy object that weakly
/// references 'object'.  'callback', if given, is called with a
/// reference to the proxy when 'object' is about to be finalized.
#[pyfunction]
pub fn proxy(object: &Object, callback: Option<&Object>) -> PyResult {
    weakref::new_proxy(object, callback.filter(|c| !c.is_none()))
}
/// Atomically remove key from dict if it points to a dead weakref.
#[pyfunction]
pub fn _remove_dead_weakref(dct: &Dict, key: &Object) -> PyResult<()> {
    let h = lh_runtime::dictobject::hash_key(key)?;
    let Some(v) = dct.get_item_known_hash(key, h)? else { return Ok(()) };
    let Some(w) = v.downcast::<WeakRef>() else { return raise!(TypeError, "not a weakref") };
    if w.target().is_none() {
        dct.pop_known_hash(key, h)?;
    }
    Ok(())
}
