//! `_abc`: the machinery of abstract base classes.
//!
//! Each ABC has an `_abc_data` with three sets of classes, held weakly: those registered, those known to be subclasses, those known not to be.
//! The last is valid for one value of a global counter, which every registration advances.

use lh_abi::{Py_TPFLAGS_MAPPING, Py_TPFLAGS_SEQUENCE};
use lh_runtime::hashing::QuickMap;
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

module! {
    "_abc",
    doc: "Module contains faster C implementation of abc.ABCMeta",
    functions: [get_cache_token, _abc_init, _abc_register, _abc_instancecheck, _abc_subclasscheck, _get_dump, _reset_registry, _reset_caches],
    init: setup,
}

fn setup(_m: &Module) -> PyResult<()> {
    ready::<AbcData>().map(|_| ())
}

static COUNTER: AtomicU64 = AtomicU64::new(0);
const COLLECTION: u64 = Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING;

/// A set of objects by identity, held weakly.
#[derive(Default)]
struct WeakSet {
    map: QuickMap<usize, Owned<Object>>,
    /// At this size dead entries are swept.
    sweep_at: usize,
}

fn target(w: &Object) -> Option<Owned<Object>> {
    w.downcast::<WeakRef>().and_then(|w| w.target())
}

impl WeakSet {
    fn contains(&self, o: &Object) -> bool {
        // An address may have been used again: the reference must still be alive and its own.
        self.map.get(&(o.as_ptr() as usize)).and_then(|w| target(w)).is_some_and(|t| t.is(o))
    }
    fn objects(&self) -> Vec<Owned<Object>> {
        self.map.values().filter_map(|w| target(w)).collect()
    }
    fn refs(&self) -> Vec<Owned<Object>> {
        self.map.values().filter(|w| target(w).is_some()).cloned().collect()
    }
}

/// Adds to a set that is not borrowed while references are dropped.
fn add(set: &RefCell<WeakSet>, o: &Object) -> PyResult<()> {
    let w = WeakRef::new(o, None)?;
    let old = set.borrow_mut().map.insert(o.as_ptr() as usize, w);
    drop(old);
    let mut dead = vec![];
    let mut s = set.borrow_mut();
    if s.map.len() > s.sweep_at {
        let keys: Vec<usize> = s.map.iter().filter(|(_, w)| target(w).is_none()).map(|(k, _)| *k).collect();
        dead.extend(keys.iter().filter_map(|k| s.map.remove(k)));
        s.sweep_at = s.map.len() * 2 + 16;
    }
    drop(s);
    drop(dead);
    Ok(())
}
fn clear(set: &RefCell<WeakSet>) {
    let old = std::mem::take(&mut *set.borrow_mut());
    drop(old);
}

/// Internal state held by ABC machinery.
#[pyclass(name = "_abc_data", module = "_abc")]
pub struct AbcData {
    #[notrace]
    registry: RefCell<WeakSet>,
    #[notrace]
    cache: RefCell<WeakSet>,
    #[notrace]
    negative: RefCell<WeakSet>,
    negative_version: Cell<u64>,
}

#[pymethods]
impl AbcData {
    #[slot(tp_new)]
    fn new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<AbcData>> {
        AbcData {
            registry: RefCell::default(),
            cache: RefCell::default(),
            negative: RefCell::default(),
            negative_version: Cell::new(COUNTER.load(Ordering::Relaxed)),
        }
        .build_in(cls)
    }
}

impl AbcData {
    /// In the negative cache, if that is of today?
    fn known_not(&self, o: &Object) -> bool {
        self.negative_version.get() == COUNTER.load(Ordering::Relaxed) && self.negative.borrow().contains(o)
    }
}

fn data_of(cls: &Object) -> PyResult<Owned<AbcData>> {
    let d = cls.get_attr(intern!("_abc_impl"))?;
    match d.downcast_exact::<AbcData>() {
        Some(d) => Ok(d.own()),
        None => raise!(TypeError, "_abc_impl is set to a wrong type"),
    }
}

/// Returns the current ABC cache token.
///
/// The token is an opaque object (supporting equality testing) identifying the
/// current version of the ABC cache for virtual subclasses. The token changes
/// with every call to register() on any ABC.
#[pyfunction]
pub fn get_cache_token() -> u64 {
    COUNTER.load(Ordering::Relaxed)
}

fn is_abstract(o: &Object) -> PyResult<bool> {
    match o.get_attr_opt(intern!("__isabstractmethod__"))? {
        Some(x) => x.is_true(),
        None => Ok(false),
    }
}

fn compute_abstract_methods(cls: &Object) -> PyResult<()> {
    let abstracts = FrozenSet::new();
    let ns = cls.get_attr(intern!("__dict__"))?;
    for pair in ns.call_method("items", &[])?.to_items()? {
        let kv = pair.to_items()?;
        if kv.len() != 2 {
            return raise!(TypeError, "Iteration over items() returned item which size is not 2");
        }
        if is_abstract(&kv[1])? {
            abstracts.any().add(&kv[0])?;
        }
    }
    let bases = cls.get_attr(intern!("__bases__"))?;
    let Some(bases) = bases.downcast::<Tuple>() else { return raise!(TypeError, "__bases__ is not tuple") };
    for base in bases.iter() {
        let Some(names) = base.get_attr_opt(intern!("__abstractmethods__"))? else { continue };
        for key in names.to_items()? {
            let Some(name) = key.downcast::<Str>() else {
                return raise!(TypeError, "attribute name must be string, not '{}'", key.ty().name());
            };
            if let Some(v) = cls.get_attr_opt(name)?
                && is_abstract(&v)?
            {
                abstracts.any().add(&key)?;
            }
        }
    }
    cls.set_attr(intern!("__abstractmethods__"), &abstracts)
}

/// Internal ABC helper for class set-up. Should be never used outside abc module.
#[pyfunction]
pub fn _abc_init(cls: &Object) -> PyResult<()> {
    compute_abstract_methods(cls)?;
    let data = AbcData::new(AbcData::class(), &Tuple::empty(), None)?;
    cls.set_attr(intern!("_abc_impl"), &data)?;
    // Sequence and Mapping mark their type for pattern matching; subclasses inherit the mark.
    if let Some(t) = cls.downcast::<Type>()
        && let Some(f) = t.dict().get_str_key(intern!("__abc_tpflags__"))?
        && let Some(f) = f.downcast::<Int>()
    {
        let f = f.to_u64_wrapping();
        if f & COLLECTION == COLLECTION {
            return raise!(
                TypeError,
                "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING"
            );
        }
        // SAFETY: a live type's flags.
        unsafe { (*t.tp()).tp_flags = ((*t.tp()).tp_flags & !COLLECTION) | (f & COLLECTION) };
        cls.del_attr(intern!("__abc_tpflags__"))?;
    }
    Ok(())
}

fn spread_flag(t: &Type, flag: u64) -> PyResult<()> {
    // SAFETY: a live type's flags.
    unsafe {
        let f = (*t.tp()).tp_flags;
        if f & COLLECTION == flag || f & lh_abi::Py_TPFLAGS_IMMUTABLETYPE != 0 {
            return Ok(());
        }
        (*t.tp()).tp_flags = (f & !COLLECTION) | flag;
    }
    for s in Type::class().call_method("__subclasses__", &[t])?.to_items()? {
        if let Some(s) = s.downcast::<Type>() {
            spread_flag(s, flag)?;
        }
    }
    Ok(())
}

/// Internal ABC helper for subclasss registration. Should be never used outside abc module.
#[pyfunction(name = "_abc_register", signature = "(self, subclass, /)")]
pub fn _abc_register(cls: &Object, subclass: &Object) -> PyResult {
    if !Type::check(subclass) {
        return raise!(TypeError, "Can only register classes");
    }
    if subclass.is_subclass(cls)? {
        return Ok(subclass.own());
    }
    if cls.is_subclass(subclass)? {
        return raise!(RuntimeError, "Refusing to create an inheritance cycle");
    }
    add(&data_of(cls)?.registry, subclass)?;
    COUNTER.fetch_add(1, Ordering::Relaxed);
    if let (Some(c), Some(s)) = (cls.downcast::<Type>(), subclass.downcast::<Type>()) {
        let flag = c.flags() & COLLECTION;
        if flag != 0 {
            spread_flag(s, flag)?;
        }
    }
    Ok(subclass.own())
}

/// Internal ABC helper for instance checks. Should be never used outside abc module.
#[pyfunction(name = "_abc_instancecheck", signature = "(self, instance, /)")]
pub fn _abc_instancecheck(cls: &Object, instance: &Object) -> PyResult {
    let data = data_of(cls)?;
    let subclass = instance.get_attr(intern!("__class__"))?;
    if data.cache.borrow().contains(&subclass) {
        return Ok(bool_obj(true));
    }
    let subtype = instance.ty().own().into_object();
    let check = |c: &Object| cls.call_method("__subclasscheck__", &[c]);
    if subtype.is(&*subclass) {
        if data.known_not(&subclass) {
            return Ok(bool_obj(false));
        }
        return check(&subclass);
    }
    let r = check(&subclass)?;
    if r.is_true()? { Ok(r) } else { check(&subtype) }
}

/// Internal ABC helper for subclasss checks. Should be never used outside abc module.
#[pyfunction(name = "_abc_subclasscheck", signature = "(self, subclass, /)")]
pub fn _abc_subclasscheck(cls: &Object, subclass: &Object) -> PyResult<bool> {
    let Some(sub) = subclass.downcast::<Type>() else {
        return raise!(TypeError, "issubclass() arg 1 must be a class");
    };
    let data = data_of(cls)?;
    if data.cache.borrow().contains(subclass) {
        return Ok(true);
    }
    let now = COUNTER.load(Ordering::Relaxed);
    if data.negative_version.get() < now {
        clear(&data.negative);
        data.negative_version.set(now);
    } else if data.negative.borrow().contains(subclass) {
        return Ok(false);
    }
    let ok = cls.call_method("__subclasshook__", &[subclass])?;
    if ok.is_true_object() {
        add(&data.cache, subclass)?;
        return Ok(true);
    }
    if ok.is_false_object() {
        add(&data.negative, subclass)?;
        return Ok(false);
    }
    if !ok.is_not_implemented() {
        return raise!(AssertionError, "__subclasshook__ must return either False, True, or NotImplemented");
    }
    if sub.mro().iter().any(|t| t.is(cls)) {
        add(&data.cache, subclass)?;
        return Ok(true);
    }
    let registered = data.registry.borrow().objects();
    for r in registered {
        if subclass.is_subclass(&r)? {
            add(&data.cache, subclass)?;
            return Ok(true);
        }
    }
    let subclasses = cls.call_method("__subclasses__", &[])?;
    let Some(subclasses) = subclasses.downcast::<List>() else {
        return raise!(TypeError, "__subclasses__() must return a list");
    };
    for s in subclasses.to_vec() {
        if subclass.is_subclass(&s)? {
            add(&data.cache, subclass)?;
            return Ok(true);
        }
    }
    add(&data.negative, subclass)?;
    Ok(false)
}

/// Internal ABC helper for cache and registry debugging.
///
/// Return shallow copies of registry, of both caches, and
/// negative cache version. Don't call this function directly,
/// instead use ABC._dump_registry() for a nice repr.
#[pyfunction(name = "_get_dump", signature = "(self, /)")]
pub fn _get_dump(cls: &Object) -> PyResult<Owned<Tuple>> {
    let data = data_of(cls)?;
    let set = |s: &RefCell<WeakSet>| -> PyResult<Owned<Object>> {
        let refs = s.borrow().refs();
        Set::from_iterable(&List::from_vec(refs)).map(Owned::into_object)
    };
    Ok(Tuple::from_vec(vec![
        set(&data.registry)?,
        set(&data.cache)?,
        set(&data.negative)?,
        Int::from_u64(data.negative_version.get()).into_object(),
    ]))
}

/// Internal ABC helper to reset registry of a given class. Should be only used by refleak.py
#[pyfunction(name = "_reset_registry", signature = "(self, /)")]
pub fn _reset_registry(cls: &Object) -> PyResult<()> {
    clear(&data_of(cls)?.registry);
    Ok(())
}

/// Internal ABC helper to reset both caches of a given class. Should be only used by refleak.py
#[pyfunction(name = "_reset_caches", signature = "(self, /)")]
pub fn _reset_caches(cls: &Object) -> PyResult<()> {
    let data = data_of(cls)?;
    clear(&data.cache);
    clear(&data.negative);
    Ok(())
}
