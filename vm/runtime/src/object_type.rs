//! The methods of `object`.

use crate::prelude::*;
use crate::type_new::same_layout;
use crate::typeobject::*;
use core::ffi::c_void;
use lh_abi::*;
use std::ptr::null_mut;

/// `__isabstractmethod__` of anything.
pub fn is_abstract(o: &Object) -> PyResult<bool> {
    match o.get_attr_opt(intern!("__isabstractmethod__"))? {
        Some(v) => v.is_true(),
        None => Ok(false),
    }
}

/// `getattr(super(t, t), name)`: the attribute of the next class in `t`'s MRO, bound to `t`.
pub fn super_lookup(t: &Type, name: &Str) -> PyResult {
    let mro = t.mro();
    let Some(own) = mro.iter().position(|c| c.is(t)) else {
        return raise!(TypeError, "super(type, obj): obj must be an instance or subtype of type");
    };
    let mut found = None;
    for c in mro.iter().skip(own + 1) {
        // SAFETY: MRO entries are types.
        let c = unsafe { c.downcast_unchecked::<Type>() };
        found = c.dict().get_str_key(name)?;
        if found.is_some() {
            break;
        }
    }
    // An `mro()` of the metaclass may have put the class last: then `super` answers with an attribute of its own, inherited from `object`.
    let found = match found {
        None => Object::class().dict().get_str_key(name)?,
        found => found,
    };
    match found {
        // SAFETY: a descriptor's slot with live arguments.
        Some(a) => unsafe {
            match (*a.ob_type()).tp_descr_get {
                Some(g) => from_c(g(a.ptr(), null_mut(), t.raw())),
                None => Ok(a),
            }
        },
        None => raise!(AttributeError, "'super' object has no attribute '{}'", name.to_str_lossy()),
    }
}

fn excess(args: &Tuple, kw: Option<&Dict>) -> bool {
    args.len() > 0 || kw.is_some_and(|k| k.len() > 0)
}
fn same(f: Option<newfunc>, g: Option<newfunc>) -> bool {
    f.map(|x| x as usize) == g.map(|x| x as usize)
}
fn object_tp() -> *mut PyTypeObject {
    &raw mut crate::type_table::PyBaseObject_Type
}

/// `copyreg.__newobj__`-style helpers of `__reduce_ex__`.
fn copyreg() -> PyResult {
    crate::hooks::import_module("copyreg")
}

/// `copyreg._slotnames(cls)`, cached in `cls.__slotnames__`.
fn slotnames(cls: &Type) -> PyResult {
    if let Some(v) = cls.dict().get_str_key(intern!("__slotnames__"))? {
        return Ok(v);
    }
    copyreg()?.call_method("_slotnames", &[cls])
}

/// What `object.__getstate__` answers.
fn default_getstate(o: &Object, required: bool) -> PyResult {
    // SAFETY: a ready type.
    let itemsize = unsafe { (*o.ob_type()).tp_itemsize };
    if required && itemsize != 0 {
        return raise!(TypeError, "cannot pickle {} objects", o.ty().name());
    }
    let d = match o.get_attr_opt(intern!("__dict__"))? {
        // An instance without attributes has no state.
        Some(d) if d.downcast_exact::<Dict>().is_none_or(|d| d.len() != 0) => d,
        _ => none(),
    };
    let names = slotnames(o.ty())?;
    let names = if names.is_none() { vec![] } else { names.to_items()? };
    if required {
        // SAFETY: a ready type.
        let mut basic = unsafe { (*object_tp()).tp_basicsize };
        // SAFETY: as above.
        unsafe {
            if (*o.ob_type()).tp_dictoffset > 0 {
                basic += 8;
            }
            if (*o.ob_type()).tp_weaklistoffset > 0 {
                basic += 8;
            }
            basic += 8 * names.len() as isize;
            if (*o.ob_type()).tp_basicsize > basic {
                return raise!(TypeError, "cannot pickle '{}' object", o.ty().name());
            }
        }
    }
    let mut state = d;
    // Copied, as the pickler may keep it.
    if !names.is_empty() {
        let slots = Dict::new();
        for n in &names {
            let Some(n) = n.downcast::<Str>() else { continue };
            if let Some(v) = o.get_attr_opt(n)? {
                slots.set_item(n, &v)?;
            }
        }
        if slots.len() > 0 {
            state = Tuple::from_vec(vec![state, slots.into_object()]).into_object();
        }
    }
    Ok(state)
}

/// `obj.__getstate__()`.
pub(crate) fn getstate(o: &Object, required: bool) -> PyResult {
    let f = o.get_attr(intern!("__getstate__"))?;
    let own = Object::class().lookup(intern!("__getstate__"));
    let is_default = f.downcast_exact::<CFunction>().is_some_and(|c| {
        own.as_deref()
            .and_then(|m| m.downcast_exact::<MethodDescr>())
            .is_some_and(|m| m.def() == c.def() && c.self_obj().is_some_and(|s| s.is(o)))
    });
    if is_default { default_getstate(o, required) } else { f.call0() }
}

fn newargs(o: &Object) -> PyResult<(Option<Owned<Object>>, Option<Owned<Object>>)> {
    if let Some(f) = o.lookup_special(intern!("__getnewargs_ex__"))? {
        let r = f.call0()?;
        let Some(t) = r.downcast::<Tuple>() else {
            return raise!(TypeError, "__getnewargs_ex__ should return a tuple, not '{}'", r.ty().name());
        };
        if t.len() != 2 {
            return raise!(
                ValueError,
                "__getnewargs_ex__ should return a tuple of length 2, not {}",
                t.len()
            );
        }
        if !Tuple::check(t.item_ref(0)) {
            return raise!(
                TypeError,
                "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '{}'",
                t.item_ref(0).ty().name()
            );
        }
        if !Dict::check(t.item_ref(1)) {
            return raise!(
                TypeError,
                "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '{}'",
                t.item_ref(1).ty().name()
            );
        }
        return Ok((Some(t.get(0)), Some(t.get(1))));
    }
    if let Some(f) = o.lookup_special(intern!("__getnewargs__"))? {
        let r = f.call0()?;
        if !Tuple::check(&r) {
            return raise!(TypeError, "__getnewargs__ should return a tuple, not '{}'", r.ty().name());
        }
        return Ok((Some(r), None));
    }
    Ok((None, None))
}

/// `object.__reduce_ex__(2)` and above.
fn reduce_2(o: &Object) -> PyResult {
    let cls = o.ty();
    // SAFETY: a ready type.
    if unsafe { (*cls.tp()).tp_new.is_none() } {
        return raise!(TypeError, "cannot pickle '{}' object", cls.name());
    }
    let (args, kwargs) = newargs(o)?;
    let reg = copyreg()?;
    let has_args = args.is_some();
    let (func, newargs): (Owned<Object>, Owned<Object>) = match (&args, &kwargs) {
        (Some(a), Some(k)) if k.length()? > 0 => {
            (reg.get_attr(intern!("__newobj_ex__"))?, (cls, a.clone(), k.clone()).into_py()?)
        }
        _ => {
            let mut v = vec![cls.own().into_object()];
            if let Some(a) = &args {
                v.extend(a.to_items()?);
            }
            (reg.get_attr(intern!("__newobj__"))?, Tuple::from_vec(v).into_object())
        }
    };
    let required = !has_args && !List::check(o) && !Dict::check(o);
    let state = getstate(o, required)?;
    let listitems = if List::check(o) { o.iterator()? } else { none() };
    let dictitems = if Dict::check(o) { o.call_method("items", &[])?.iterator()? } else { none() };
    (func, newargs, state, listitems, dictitems).into_py()
}

/// `__class__ = other`.
fn set_class(o: &Object, value: Option<&Object>) -> PyResult<()> {
    let Some(v) = value else { return raise!(TypeError, "can't delete __class__ attribute") };
    let Some(new) = v.downcast::<Type>() else {
        return raise!(TypeError, "__class__ must be set to a class, not '{}' object", v.ty().name());
    };
    crate::sysobject::audit_attribute("object.__setattr__", o, "__class__", value)?;
    let old = o.ty().own();
    let module = Module::class();
    let both_modules = new.is_subtype(module) && old.is_subtype(module);
    if !both_modules && (new.has_flag(Py_TPFLAGS_IMMUTABLETYPE) || old.has_flag(Py_TPFLAGS_IMMUTABLETYPE)) {
        return raise!(
            TypeError,
            "__class__ assignment only supported for mutable types or ModuleType subclasses"
        );
    }
    // SAFETY: compatible layouts; attributes move out of the values, whose meaning belongs to the old class.
    unsafe {
        if new.has_flag(Py_TPFLAGS_HAVE_GC) != old.has_flag(Py_TPFLAGS_HAVE_GC) {
            return raise!(
                TypeError,
                "__class__ assignment: '{}' deallocator differs from '{}'",
                new.name(),
                old.name()
            );
        }
        if !same_layout(new.tp(), old.tp()) {
            return raise!(
                TypeError,
                "__class__ assignment: '{}' object layout differs from '{}'",
                new.name(),
                old.name()
            );
        }
        if crate::instance::is_managed(o) {
            drop(crate::instance::dict(o.as_ptr()));
        }
        if new.is_heap() {
            incref(new.raw());
        }
        (*o.as_ptr()).ob_type = new.tp();
        if old.is_heap() {
            decref(old.raw());
        }
    }
    Ok(())
}

fn install_slots(b: &mut TypeBuilder) {
    b.doc(c"object()\n--\n\nThe base class of the class hierarchy.\n\nWhen called, it accepts no arguments and returns a new featureless\ninstance that has no instance attributes and cannot be given any.\n");
    b.slot(Py_tp_getattro, generic_getattro as *mut c_void);
    b.slot(Py_tp_setattro, generic_setattro as *mut c_void);
    b.slot(Py_tp_hash, hash_pointer as *mut c_void);
    // SAFETY: `object` is being built.
    unsafe {
        (*b.ty).tp_free = Some(object_free);
        (*b.ty).tp_alloc = Some(generic_alloc);
    }
}

#[pymethods(extra = install_slots)]
impl Object {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        // SAFETY: ready types.
        unsafe {
            let t = cls.tp();
            let object = object_tp();
            if excess(args, kw) {
                if !same((*t).tp_new, (*object).tp_new) {
                    return raise!(
                        TypeError,
                        "object.__new__() takes exactly one argument (the type to instantiate)"
                    );
                }
                if (*t).tp_init.map(|f| f as usize) == (*object).tp_init.map(|f| f as usize) {
                    return raise!(TypeError, "{}() takes no arguments", cls.name());
                }
            }
            if (*t).tp_flags & Py_TPFLAGS_IS_ABSTRACT != 0 {
                let l = List::from_vec(cls.get_attr(intern!("__abstractmethods__"))?.to_items()?);
                l.sort(None, false)?;
                let names: Vec<String> = l
                    .to_vec()
                    .iter()
                    .map(|n| n.downcast::<Str>().map_or_else(String::new, |s| s.to_str_lossy().into_owned()))
                    .collect();
                return raise!(
                    TypeError,
                    "Can't instantiate abstract class {} with abstract method{} {}",
                    cls.name(),
                    if names.len() > 1 { "s" } else { "" },
                    names.join(", ")
                );
            }
            Ok(Owned::from_raw(alloc(t, 0)?))
        }
    }
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        // SAFETY: ready types.
        unsafe {
            let t = self.ob_type();
            let object = object_tp();
            if excess(args, kw) {
                if (*t).tp_init.map(|f| f as usize) != (*object).tp_init.map(|f| f as usize) {
                    return raise!(
                        TypeError,
                        "object.__init__() takes exactly one argument (the instance to initialize)"
                    );
                }
                if same((*t).tp_new, (*object).tp_new) {
                    return raise!(
                        TypeError,
                        "{}.__init__() takes exactly one argument (the instance to initialize)",
                        self.ty().name()
                    );
                }
            }
            Ok(())
        }
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the instance has nothing of its own.
        unsafe {
            if crate::gc::is_gc_object(o) {
                crate::gc::untrack(o);
            }
            free_instance(o)
        }
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> PyResult<String> {
        let t = self.ty();
        let module = t.module();
        let q = t.qualname();
        let m = match module {
            Ok(m) => m.downcast_owned::<Str>().ok(),
            Err(e) => {
                e.clear();
                None
            }
        };
        Ok(match m {
            Some(m) if !m.equals_str("builtins") => {
                format!("<{}.{} object at {:p}>", m.to_str_lossy(), q.to_str_lossy(), self.as_ptr())
            }
            _ => format!("<{} object at {:p}>", t.name(), self.as_ptr()),
        })
    }
    #[slot(tp_str)]
    fn tp_str(&self) -> PyResult {
        // SAFETY: slots take live objects.
        unsafe {
            match (*self.ob_type()).tp_repr {
                Some(f) => from_c(f(self.as_ptr())),
                None => Object::tp_repr(self)?.into_py(),
            }
        }
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        match op {
            CompareOp::Eq => Ok(if self.is(other) { bool_obj(true) } else { not_implemented() }),
            CompareOp::Ne => {
                // SAFETY: slots take live objects.
                unsafe {
                    let Some(f) = (*self.ob_type()).tp_richcompare else { return Ok(not_implemented()) };
                    let r: Owned<Object> = from_c(f(self.as_ptr(), other.as_ptr(), CompareOp::Eq as i32))?;
                    if r.is_not_implemented() { Ok(r) } else { Ok(bool_obj(!r.is_true()?)) }
                }
            }
            _ => Ok(not_implemented()),
        }
    }
    #[getter]
    fn __class__(&self) -> Owned<Type> {
        self.ty().own()
    }
    #[setter(__class__)]
    fn set_class_attr(&self, v: Option<&Object>) -> PyResult<()> {
        set_class(self, v)
    }
    /// Helper for pickle.
    #[pymethod(signature = "(protocol, /)")]
    fn __reduce_ex__(&self, protocol: i32) -> PyResult {
        let own = Object::class().lookup(intern!("__reduce__")).expect("object has it");
        if let Some(f) = self.get_attr_opt(intern!("__reduce__"))? {
            let cls_reduce = self.ty().get_attr(intern!("__reduce__"))?;
            if !cls_reduce.is(&*own) {
                return f.call0();
            }
        }
        if protocol >= 2 {
            return reduce_2(self);
        }
        copyreg()?.call_method("_reduce_ex", &[self, &Int::from_i64(protocol as i64)])
    }
    /// Helper for pickle.
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        copyreg()?.call_method("_reduce_ex", &[self, &Int::from_i64(0)])
    }
    /// Helper for pickle.
    #[pymethod]
    fn __getstate__(&self) -> PyResult {
        default_getstate(self, false)
    }
    /// Abstract classes can override this to customize issubclass().
    #[classmethod(raw)]
    fn __subclasshook__(_cls: &Type, _a: Args<'_>) -> Owned<Object> {
        not_implemented()
    }
    /// This method is called when a class is subclassed.
    #[classmethod]
    fn __init_subclass__(_cls: &Type) {}
    /// Default object formatter.
    #[pymethod(signature = "(format_spec, /)")]
    fn __format__(&self, format_spec: &Str) -> PyResult<Owned<Str>> {
        if !format_spec.is_empty() {
            return raise!(TypeError, "unsupported format string passed to {}.__format__", self.ty().name());
        }
        Object::str(self)
    }
    /// Size of object in memory, in bytes.
    #[pymethod]
    fn __sizeof__(&self) -> isize {
        // SAFETY: a ready type; var-sized objects have ob_size.
        unsafe {
            let t = self.ob_type();
            let mut n = 0;
            if (*t).tp_itemsize > 0 {
                n = (*self.as_ptr().cast::<PyVarObject>()).ob_size.abs() * (*t).tp_itemsize;
            }
            n + (*t).tp_basicsize
        }
    }
    /// Default dir() implementation.
    #[pymethod]
    fn __dir__(&self) -> PyResult<Owned<List>> {
        let d = match self.get_attr_opt(intern!("__dict__"))? {
            Some(x) => match x.downcast::<Dict>() {
                Some(x) => x.copy(),
                None => Dict::new(),
            },
            None => Dict::new(),
        };
        if let Some(c) = self.get_attr_opt(intern!("__class__"))? {
            crate::type_attrs::merge_class_dict(&d, &c)?;
        }
        Ok(List::from_vec(d.keys_vec()))
    }
}

// ---- None, NotImplemented ----

fn install_none(b: &mut TypeBuilder) {
    unsafe extern "C" fn never(o: *mut PyObject) {
        // An over-released singleton stays.
        // SAFETY: a static object.
        unsafe { (*o).ob_refcnt = 1 << 30 }
    }
    b.slot(Py_tp_dealloc, never as *mut c_void);
}

crate::kind!(/** `NoneType` */ NoneType: PyObject, crate::type_table::_PyNone_Type);
#[pymethods(extra = install_none)]
impl NoneType {
    #[slot(tp_new)]
    fn tp_new(_cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        if excess(args, kw) { raise!(TypeError, "NoneType takes no arguments") } else { Ok(none()) }
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> &'static str {
        "None"
    }
    #[slot(nb_bool)]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(false)
    }
}
crate::kind!(/** `NotImplementedType` */ NotImplementedType: PyObject, crate::type_table::_PyNotImplemented_Type);
#[pymethods(extra = install_none)]
impl NotImplementedType {
    #[slot(tp_new)]
    fn tp_new(_cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        if excess(args, kw) {
            raise!(TypeError, "NotImplementedType takes no arguments")
        } else {
            Ok(not_implemented())
        }
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> &'static str {
        "NotImplemented"
    }
    #[slot(nb_bool)]
    fn nb_bool(&self) -> PyResult<bool> {
        crate::warnings::warn(
            exc::DeprecationWarning(),
            "NotImplemented should not be used in a boolean context",
            1,
        )?;
        Ok(true)
    }
    #[pymethod]
    fn __reduce__(&self) -> &'static str {
        "NotImplemented"
    }
}

crate::kind!(/** `ellipsis` */ EllipsisType: PyObject, crate::type_table::PyEllipsis_Type);
#[pymethods(extra = install_none)]
impl EllipsisType {
    #[slot(tp_new)]
    fn tp_new(_cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        if excess(args, kw) { raise!(TypeError, "EllipsisType takes no arguments") } else { Ok(ellipsis()) }
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> &'static str {
        "Ellipsis"
    }
    #[pymethod]
    fn __reduce__(&self) -> &'static str {
        "Ellipsis"
    }
}

pub fn init() -> PyResult<()> {
    crate::builder::ready::<EllipsisType>()?;
    crate::builder::ready::<NoneType>()?;
    crate::builder::ready::<NotImplementedType>()?;
    Ok(())
}
