//! The methods and attributes of `type` itself.

use crate::errors::occurred;
use crate::prelude::*;
use crate::slot_calls::{slot_tp_init, slot_tp_new};
use crate::type_new::*;
use crate::type_table::*;
use crate::typeobject::*;
use core::ffi::{CStr, c_int, c_void};
use core::mem::offset_of;
use lh_abi::*;
use std::ptr::null_mut;

// ---- __dict__ and __weakref__ of instances ----

/// The `__dict__` descriptor of the first built-in base whose instances have a dictionary of their own kind (classes, modules): that
/// one answers, also where a Python class among the bases has a descriptor.
fn built_in_dict(o: &Object) -> PyResult<Option<Owned<Object>>> {
    // SAFETY: ready types.
    unsafe {
        let mut t = o.ob_type();
        while !(*t).tp_base.is_null() {
            if (*t).tp_dictoffset != 0
                && (*t).tp_flags & Py_TPFLAGS_HEAPTYPE == 0
                && !(*t).tp_dict.is_null()
                && let Some(d) = Type::from_raw_ref(t).dict().get_str_key(intern!("__dict__"))?
            {
                // One that is like those of Python classes gains nothing.
                let same = d
                    .downcast_exact::<GetSetDescr>()
                    .is_some_and(|g| std::ptr::eq((*g.as_struct()).d_getset, &raw const DICT_DEF));
                return Ok((*d.ob_type()).tp_descr_set.filter(|_| !same).map(|_| d));
            }
            t = (*t).tp_base;
        }
        Ok(None)
    }
}

unsafe extern "C" fn get_dict(o: *mut PyObject, _: *mut c_void) -> *mut PyObject {
    crate::border::object(|| {
        // SAFETY: a getter is called with an instance of its type.
        let o = unsafe { Object::from_ptr(o) };
        if let Some(d) = built_in_dict(o)? {
            // SAFETY: as above.
            return unsafe {
                match (*d.ob_type()).tp_descr_get {
                    Some(g) => from_c(g(d.ptr(), o.as_ptr(), o.ty().raw())),
                    None => raise!(
                        TypeError,
                        "this __dict__ descriptor does not support '{}' objects",
                        o.ty().name()
                    ),
                }
            };
        }
        match o.instance_dict(true)? {
            Some(d) => Ok(d),
            None => raise!(AttributeError, "This object has no __dict__"),
        }
    })
}
unsafe extern "C" fn set_dict(o: *mut PyObject, v: *mut PyObject, _: *mut c_void) -> c_int {
    crate::border::status(|| {
        // SAFETY: a setter is called with an instance of its type and a value or null.
        unsafe {
            let (ob, v) = (Object::from_ptr(o), Object::from_ptr_opt(v));
            if let Some(d) = built_in_dict(ob)? {
                return match (*d.ob_type()).tp_descr_set {
                    Some(s) if s(d.ptr(), o, v.map_or(null_mut(), |v| v.as_ptr())) == 0 => Ok(()),
                    Some(_) => Err(Raised::already_set()),
                    None => {
                        raise!(
                            TypeError,
                            "this __dict__ descriptor does not support '{}' objects",
                            ob.ty().name()
                        )
                    }
                };
            }
            let d = match v {
                None => None,
                Some(v) => match v.downcast::<Dict>() {
                    Some(d) => Some(d),
                    None => {
                        return raise!(
                            TypeError,
                            "__dict__ must be set to a dictionary, not a '{}'",
                            v.ty().name()
                        );
                    }
                },
            };
            if crate::instance::is_managed(ob) {
                crate::instance::set_dict(o, d);
                return Ok(());
            }
            let p = dict_ptr(o);
            if p.is_null() {
                return raise!(AttributeError, "This object has no __dict__");
            }
            xdecref(std::mem::replace(&mut *p, d.map_or(null_mut(), |d| d.own().into_raw())));
            Ok(())
        }
    })
}
unsafe extern "C" fn get_weakref(o: *mut PyObject, _: *mut c_void) -> *mut PyObject {
    // SAFETY: a getter is called with an instance of its type.
    crate::border::object(|| unsafe {
        let l = crate::weakref::list_of(o);
        if l.is_null() {
            return raise!(AttributeError, "This object has no __weakref__");
        }
        Ok(Object::from_ptr_opt((*l).cast()).map_or_else(none, |w| w.own()))
    })
}
static mut DICT_DEF: PyGetSetDef = PyGetSetDef {
    name: c"__dict__".as_ptr(),
    get: Some(get_dict),
    set: Some(set_dict),
    doc: c"dictionary for instance variables (if defined)".as_ptr(),
    closure: null_mut(),
};
static mut WEAKREF_DEF: PyGetSetDef = PyGetSetDef {
    name: c"__weakref__".as_ptr(),
    get: Some(get_weakref),
    set: None,
    doc: c"list of weak references to the object (if defined)".as_ptr(),
    closure: null_mut(),
};
/// The `__dict__` descriptor of a class whose instances have a dictionary.
pub fn add_dict_descriptor(t: &Type) -> PyResult<()> {
    let d = crate::descrobject::new_getset(t, &raw mut DICT_DEF);
    t.dict().set_default(intern!("__dict__"), &d).map(drop)
}
/// The `__weakref__` descriptor.
pub fn add_weakref_descriptor(t: &Type) -> PyResult<()> {
    let d = crate::descrobject::new_getset(t, &raw mut WEAKREF_DEF);
    t.dict().set_default(intern!("__weakref__"), &d).map(drop)
}

// ---- type ----

fn check_mutable(t: &Type, name: &str, value: Option<&Object>) -> PyResult<()> {
    if t.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
        return raise!(TypeError, "cannot set '{}' attribute of immutable type '{}'", name, t.name());
    }
    if value.is_none() {
        return raise!(TypeError, "cannot delete '{}' attribute of immutable type '{}'", name, t.name());
    }
    crate::sysobject::audit_attribute("object.__setattr__", t, name, value)
}

fn install_members(b: &mut TypeBuilder) {
    b.member(c"__basicsize__", T_PYSSIZET, offset_of!(PyTypeObject, tp_basicsize), READONLY);
    b.member(c"__itemsize__", T_PYSSIZET, offset_of!(PyTypeObject, tp_itemsize), READONLY);
    b.member(c"__flags__", T_ULONG, offset_of!(PyTypeObject, tp_flags), READONLY);
    b.member(c"__weakrefoffset__", T_PYSSIZET, offset_of!(PyTypeObject, tp_weaklistoffset), READONLY);
    b.member(c"__base__", T_OBJECT, offset_of!(PyTypeObject, tp_base), READONLY);
    b.member(c"__dictoffset__", T_PYSSIZET, offset_of!(PyTypeObject, tp_dictoffset), READONLY);
    unsafe extern "C" fn is_gc(o: *mut PyObject) -> c_int {
        // SAFETY: called with a type.
        unsafe { ((*o.cast::<PyTypeObject>()).tp_flags & Py_TPFLAGS_HEAPTYPE != 0) as c_int }
    }
    unsafe extern "C" fn getattro(t: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
        // SAFETY: called with a type and a live object.
        unsafe {
            let v = quick_type_get(t.cast(), name);
            if !v.is_null() {
                incref(v);
                return v;
            }
            whole(t, name)
        }
    }
    #[inline(never)]
    unsafe extern "C" fn whole(t: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
        // SAFETY: as above.
        crate::border::object(|| unsafe { Type::from_raw_ref(t.cast()).getattro(Object::from_ptr(name)) })
    }
    b.slot(Py_tp_getattro, getattro as *mut c_void);
    // SAFETY: `type` is being built.
    unsafe {
        (*b.ty).tp_is_gc = Some(is_gc);
        (*b.ty).tp_vectorcall = Some(type_vectorcall);
    }
    b.doc(c"type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type");
}

/// `type(x)` without an argument tuple.
unsafe extern "C" fn type_vectorcall(
    meta: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: called by the vectorcall protocol.
    unsafe {
        let n = nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET;
        let no_kw = kwnames.is_null() || (*kwnames.cast::<PyVarObject>()).ob_size == 0;
        if n == 1 && meta == (&raw mut PyType_Type).cast() {
            if !no_kw {
                let _ = raised!(TypeError, "type() takes no keyword arguments");
                return null_mut();
            }
            return Object::from_ptr((**args).ob_type.cast()).own().into_raw();
        }
        let t = crate::protocols::tuple_of_raw(args, n);
        let kw = if no_kw {
            None
        } else {
            match crate::protocols::dict_of_kwnames(args.add(n), kwnames) {
                Ok(d) => Some(d),
                Err(Raised { .. }) => return null_mut(),
            }
        };
        crate::border::object(|| type_call(Type::from_raw_ref(meta.cast()), &t, kw.as_deref()))
    }
}

/// Are the class's instances made by a `__new__` (the answer) or an `__init__` written in Python, and else by `object`'s?
pub unsafe fn made_in_python(t: *mut PyTypeObject) -> Option<bool> {
    // SAFETY: a ready class; slots are only compared.
    unsafe {
        let (new, init) = (new_of(t), init_of(t));
        let own_new = new == slot_tp_new as *const c_void;
        let own_init = init == slot_tp_init as *const c_void;
        let plain = own_init
            && new == new_of(Object::type_ptr())
            && (*t).tp_flags & Py_TPFLAGS_IS_ABSTRACT == 0
            && (*t).tp_alloc.is_some();
        (own_new && (own_init || init == init_of(Object::type_ptr())) || plain).then_some(own_new)
    }
}
unsafe fn new_of(t: *mut PyTypeObject) -> *const c_void {
    // SAFETY: a live type.
    unsafe { (*t).tp_new.map_or(std::ptr::null(), |f| f as *const c_void) }
}
unsafe fn init_of(t: *mut PyTypeObject) -> *const c_void {
    // SAFETY: a live type.
    unsafe { (*t).tp_init.map_or(std::ptr::null(), |f| f as *const c_void) }
}

/// The call of a class for which `made_in_python` answered `own_new`, without a tuple or dictionary of the arguments.
pub(crate) unsafe fn python_class_call(
    t: *mut PyTypeObject,
    own_new: bool,
    args: *const *mut PyObject,
    n: usize,
    kwnames: *mut PyObject,
) -> PyResult {
    // SAFETY: a ready class and the vectorcall protocol's arguments, which stay the caller's.
    unsafe {
        let all = n + if kwnames.is_null() { 0 } else { (*kwnames.cast::<PyVarObject>()).ob_size as usize };
        let mut few = [null_mut::<PyObject>(); 10];
        let mut many = vec![];
        // In front: a word for bound methods, and the class or the instance.
        let v: &mut [*mut PyObject] = if all + 2 <= few.len() {
            &mut few
        } else {
            many.resize(all + 2, null_mut());
            &mut many
        };
        for i in 0..all {
            v[2 + i] = *args.add(i);
        }
        let flagged = (n + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET;
        let ty = Type::from_raw_ref(t);
        let o: Owned<Object> = if own_new {
            let f = ty.get_attr(intern!("__new__"))?;
            v[1] = t.cast();
            from_c(f.vectorcall(v.as_ptr().add(1), flagged, kwnames))?
        } else {
            from_c(((*t).tp_alloc.unwrap_unchecked())(t, 0))?
        };
        if !is_subtype(o.ob_type(), t) {
            return Ok(o);
        }
        let made = o.ob_type();
        if init_of(made) != slot_tp_init as *const c_void {
            if own_new && init_of(made) == init_of(Object::type_ptr()) {
                return Ok(o);
            }
            let rest = crate::protocols::tuple_of_raw(args, n);
            let kw =
                if all == n { None } else { Some(crate::protocols::dict_of_kwnames(args.add(n), kwnames)?) };
            if let Some(init) = (*made).tp_init
                && init(o.ptr(), rest.raw(), kw.as_ref().map_or(null_mut(), |k| k.raw())) < 0
            {
                return Err(Raised::already_set());
            }
            return Ok(o);
        }
        let Some(init) = o.ty().lookup(intern!("__init__")) else { return Ok(o) };
        let r: Owned<Object> = if (*init.ob_type()).tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR != 0 {
            v[1] = o.ptr();
            from_c(init.vectorcall(v.as_ptr().add(1), flagged, kwnames))?
        } else {
            let m = o.lookup_special(intern!("__init__"))?;
            let m = m.unwrap_or(init);
            from_c(m.vectorcall(v.as_ptr().add(2), n | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames))?
        };
        if !r.is_none() {
            return raise!(TypeError, "__init__() should return None, not '{}'", r.ty().name());
        }
        Ok(o)
    }
}

/// `cls(*args, **kwargs)`: `__new__`, then `__init__` if the result is an instance.
pub fn type_call(t: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult {
    if t.is(Type::class()) {
        if args.len() == 1 && kw.is_none_or(|k| k.len() == 0) {
            return Ok(args.item_ref(0).ty().own().into_object());
        }
        if args.len() != 3 {
            return raise!(TypeError, "type() takes 1 or 3 arguments");
        }
    }
    // SAFETY: slots take live objects.
    unsafe {
        let Some(new) = (*t.tp()).tp_new else {
            return raise!(TypeError, "cannot create '{}' instances", t.name());
        };
        let k = kw.map_or(null_mut(), |k| k.raw());
        let o: Owned<Object> =
            from_c(crate::methodobject::check_result(new(t.tp(), args.raw(), k), || t.repr_lossy()))?;
        let made = o.ob_type();
        if made != t.tp() && !is_subtype(made, t.tp()) {
            return Ok(o);
        }
        // `object`'s has nothing to do, nor to say against arguments where another `__new__` took them.
        let nothing = init_of(made) == init_of(Object::type_ptr());
        if let Some(init) = (*made).tp_init
            && !(nothing && new_of(made) != new_of(Object::type_ptr()))
        {
            if init(o.ptr(), args.raw(), k) < 0 {
                return Err(Raised::already_set());
            }
            if occurred() {
                return Err(left_behind(o, t));
            }
        }
        Ok(o)
    }
}

/// An `__init__` in C left an exception behind without saying so.
#[cold]
#[inline(never)]
fn left_behind(o: Owned<Object>, t: &Type) -> Raised {
    crate::methodobject::check_result(o.into_raw(), || t.repr_lossy());
    Raised::already_set()
}

impl Type {
    /// An attribute of a class by `type`'s own rules; `None` if there is none.
    pub(crate) fn find_attr(&self, n: &Str) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: descriptors are kept alive while their slots run. Extensions may hand out static types that nobody made ready.
        unsafe {
            if (*self.tp()).tp_dict.is_null() {
                crate::typeobject::ready(self.tp())?;
            }
            let meta = self.ty();
            let m = meta.lookup(n);
            let mut getter = None;
            if let Some(d) = &m {
                getter = (*d.ob_type()).tp_descr_get;
                if let Some(g) = getter
                    && (*d.ob_type()).tp_descr_set.is_some()
                {
                    return from_c(g(d.ptr(), self.raw(), meta.raw())).map(Some);
                }
            }
            if let Some(a) = self.lookup(n) {
                return match (*a.ob_type()).tp_descr_get {
                    Some(g) => from_c(g(a.ptr(), null_mut(), self.raw())).map(Some),
                    None => Ok(Some(a)),
                };
            }
            match (m, getter) {
                (Some(d), Some(g)) => from_c(g(d.ptr(), self.raw(), meta.raw())).map(Some),
                (m, _) => Ok(m),
            }
        }
    }
}

#[pymethods(extra = install_members)]
impl Type {
    #[slot(tp_new)]
    fn tp_new(meta: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        type_new(meta, args, kw)
    }
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        if args.len() == 1 && kw.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "type.__init__() takes no keyword arguments");
        }
        if args.len() != 1 && args.len() != 3 {
            return raise!(TypeError, "type.__init__() takes 1 or 3 arguments");
        }
        Ok(())
    }
    #[slot(tp_call)]
    fn tp_call(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        // SAFETY: as in `getattro`.
        unsafe {
            if (*self.tp()).tp_dict.is_null() {
                crate::typeobject::ready(self.tp())?;
            }
        }
        type_call(self, args, kw)
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> PyResult<String> {
        let module = self.module()?;
        let q = self.qualname();
        Ok(match module.downcast::<Str>() {
            Some(m) if !m.equals_str("builtins") => {
                format!("<class '{}.{}'>", m.to_str_lossy(), q.to_str_lossy())
            }
            _ => format!("<class '{}'>", q.to_str_lossy()),
        })
    }
    fn getattro(&self, name: &Object) -> PyResult {
        let Some(n) = name.downcast::<Str>() else {
            return raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name());
        };
        match self.find_attr(n)? {
            Some(v) => Ok(v),
            None => {
                raise!(
                    AttributeError,
                    "type object '{}' has no attribute '{}'",
                    self.name(),
                    n.to_str_lossy()
                )
            }
        }
    }
    #[slot(tp_setattro)]
    fn setattro(&self, name: &Object, value: Option<&Object>) -> PyResult<()> {
        let Some(n) = name.downcast::<Str>() else {
            return raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name());
        };
        if self.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
            return raise!(
                TypeError,
                "cannot set {} attribute of immutable type '{}'",
                n.repr()?.to_str_lossy(),
                self.name()
            );
        }
        let n = Str::intern(n.own());
        // SAFETY: descriptors are kept alive while their slots run; the type is a heap type.
        unsafe {
            if let Some(d) = self.ty().lookup(&n)
                && let Some(f) = (*d.ob_type()).tp_descr_set
            {
                return if f(d.ptr(), self.raw(), value.map_or(null_mut(), |v| v.as_ptr())) < 0 {
                    Err(Raised::already_set())
                } else {
                    Ok(())
                };
            }
            if (*self.tp()).tp_dict.is_null() {
                // C code sets attributes of a type it has not readied yet.
                (*self.tp()).tp_dict = Dict::new().into_raw();
            }
            match value {
                Some(v) => self.dict().set_item(&n, v)?,
                None => {
                    if !self.dict().del_item(&n)? {
                        return raise!(
                            AttributeError,
                            "type object '{}' has no attribute '{}'",
                            self.name(),
                            n.to_str_lossy()
                        );
                    }
                }
            }
            self.modified();
            let s = n.to_str_lossy();
            if s.starts_with("__") && s.ends_with("__") {
                crate::type_slots::update_slots_recursive(self.tp(), &n);
            }
            Ok(())
        }
    }
    #[slot(nb_or)]
    fn or(a: &Object, b: &Object) -> PyResult {
        crate::genericalias::union_or(a, b)
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: forwarded.
        unsafe { type_dealloc(o) }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        if !self.is_heap() {
            return;
        }
        // SAFETY: fields of a live heap type.
        unsafe {
            let t = self.tp();
            for f in [(*t).tp_dict, (*t).tp_cache, (*t).tp_mro, (*t).tp_bases, (*t).tp_base.cast()] {
                v.visit_ptr(f);
            }
            v.visit_ptr((*self.as_struct()).ht_module);
        }
    }
    #[slot(tp_clear)]
    fn tp_clear(&self) {
        if !self.is_heap() {
            return;
        }
        // SAFETY: fields of a live heap type that is garbage.
        unsafe {
            let t = self.tp();
            self.modified();
            if !(*t).tp_dict.is_null() {
                self.dict().clear();
            }
            xdecref(std::mem::replace(&mut (*self.as_struct()).ht_module, null_mut()));
            xdecref(std::mem::replace(&mut (*t).tp_mro, null_mut()));
        }
    }
    /// Return a type's method resolution order.
    #[pymethod(name = "mro")]
    fn mro_method(&self) -> PyResult<Owned<List>> {
        Ok(List::from_vec(compute_mro(self)?))
    }
    /// Return a list of immediate subclasses.
    #[pymethod]
    fn __subclasses__(&self) -> Owned<List> {
        // SAFETY: a live type.
        List::from_vec(unsafe { subclasses(self.tp()) }.into_iter().map(|s| s.into_object()).collect())
    }
    /// Create the namespace for the class statement
    #[classmethod(signature = "(*args, **kwargs)")]
    fn __prepare__(_cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>) -> Owned<Dict> {
        Dict::new()
    }
    /// Check if an object is an instance.
    #[pymethod(signature = "(instance, /)")]
    fn __instancecheck__(&self, instance: &Object) -> PyResult<bool> {
        instance.recursive_is_instance(self)
    }
    /// Check if a class is a subclass.
    #[pymethod(signature = "(subclass, /)")]
    fn __subclasscheck__(&self, subclass: &Object) -> PyResult<bool> {
        subclass.recursive_is_subclass(self)
    }
    /// Specialized __dir__ implementation for types.
    #[pymethod]
    fn __dir__(&self) -> PyResult<Owned<List>> {
        let d = Dict::new();
        merge_class_dict(&d, self)?;
        Ok(List::from_vec(d.keys_vec()))
    }
    /// Return memory consumption of the type object.
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        if self.is_heap() { size_of::<PyHeapTypeObject>() } else { size_of::<PyTypeObject>() }
    }
    #[getter]
    fn __name__(&self) -> Owned<Str> {
        if self.is_heap() {
            // SAFETY: a heap type has the field.
            return unsafe {
                Object::from_ptr((*self.as_struct()).ht_name).downcast_unchecked::<Str>().own()
            };
        }
        Str::new(&self.short_name())
    }
    #[setter(__name__)]
    fn set_name(&self, v: Option<&Object>) -> PyResult<()> {
        check_mutable(self, "__name__", v)?;
        let v = v.expect("checked");
        let Some(s) = v.downcast::<Str>() else {
            return raise!(
                TypeError,
                "can only assign string to {}.__name__, not '{}'",
                self.name(),
                v.ty().name()
            );
        };
        // SAFETY: a heap type (immutable static types were refused).
        unsafe {
            set_tp_name(self.tp(), s)?;
            let ht = self.as_struct();
            xdecref(std::mem::replace(&mut (*ht).ht_name, s.own().into_raw()));
        }
        self.modified();
        Ok(())
    }
    #[getter]
    fn __qualname__(&self) -> Owned<Str> {
        self.qualname()
    }
    #[setter(__qualname__)]
    fn set_qualname(&self, v: Option<&Object>) -> PyResult<()> {
        check_mutable(self, "__qualname__", v)?;
        let v = v.expect("checked");
        if !Str::check(v) {
            return raise!(
                TypeError,
                "can only assign string to {}.__qualname__, not '{}'",
                self.name(),
                v.ty().name()
            );
        }
        // SAFETY: a heap type.
        unsafe { xdecref(std::mem::replace(&mut (*self.as_struct()).ht_qualname, v.own().into_raw())) };
        Ok(())
    }
    #[getter]
    fn __module__(&self) -> PyResult {
        self.module()
    }
    #[setter(__module__)]
    fn set_module(&self, v: Option<&Object>) -> PyResult<()> {
        check_mutable(self, "__module__", v)?;
        self.modified();
        self.dict().set_item(intern!("__module__"), v.expect("checked"))
    }
    #[getter]
    fn __bases__(&self) -> Owned<Tuple> {
        self.bases()
    }
    #[setter(__bases__)]
    fn set_bases_attr(&self, v: Option<&Object>) -> PyResult<()> {
        check_mutable(self, "__bases__", v)?;
        let v = v.expect("checked");
        let Some(t) = v.downcast::<Tuple>() else {
            return raise!(
                TypeError,
                "can only assign tuple to {}.__bases__, not {}",
                self.name(),
                v.ty().name()
            );
        };
        set_bases(self, t)
    }
    #[getter]
    fn __mro__(&self) -> Owned<Object> {
        // SAFETY: null or a tuple.
        unsafe { Object::from_ptr_opt((*self.tp()).tp_mro).map_or_else(none, |m| m.own()) }
    }
    #[getter]
    fn __dict__(&self) -> Owned<Object> {
        // SAFETY: null or a dict.
        unsafe {
            match Object::from_ptr_opt((*self.tp()).tp_dict) {
                Some(d) => MappingProxy::new(d).into_object(),
                None => none(),
            }
        }
    }
    #[getter]
    fn __doc__(&self) -> PyResult {
        if !self.is_heap()
            // SAFETY: a static type's doc is null or a C string.
            && let Some(d) = unsafe { (*self.tp()).tp_doc.as_ref() }
        {
            // SAFETY: as above.
            let text = unsafe { CStr::from_ptr(d) };
            return Ok(match crate::methodobject::split_doc(&self.name(), Some(text)).0 {
                Some(s) => Str::new(&s).into_object(),
                None => none(),
            });
        }
        let Some(d) = self.dict().get_str_key(intern!("__doc__"))? else { return Ok(none()) };
        // SAFETY: a descriptor's slot.
        unsafe {
            match (*d.ob_type()).tp_descr_get {
                Some(g) => from_c(g(d.ptr(), null_mut(), self.raw())),
                None => Ok(d),
            }
        }
    }
    #[setter(__doc__)]
    fn set_doc(&self, v: Option<&Object>) -> PyResult<()> {
        check_mutable(self, "__doc__", v)?;
        self.modified();
        self.dict().set_item(intern!("__doc__"), v.expect("checked"))
    }
    #[getter]
    fn __text_signature__(&self) -> Option<String> {
        // SAFETY: a type's doc is null or a C string.
        unsafe {
            let d = (*self.tp()).tp_doc;
            if d.is_null() {
                None
            } else {
                crate::methodobject::split_doc(&self.short_name(), Some(CStr::from_ptr(d))).1
            }
        }
    }
    #[getter]
    fn __abstractmethods__(&self) -> PyResult {
        // `type` itself has the descriptor, not the attribute.
        let r = if self.is(Type::class()) {
            None
        } else {
            self.dict().get_str_key(intern!("__abstractmethods__"))?
        };
        match r {
            Some(v) => Ok(v),
            None => raise!(AttributeError, "__abstractmethods__"),
        }
    }
    #[setter(__abstractmethods__)]
    fn set_abstractmethods(&self, v: Option<&Object>) -> PyResult<()> {
        let abstract_ = match v {
            Some(v) => {
                let t = v.is_true()?;
                self.dict().set_item(intern!("__abstractmethods__"), v)?;
                t
            }
            None => {
                if !self.dict().del_item(intern!("__abstractmethods__"))? {
                    return raise!(AttributeError, "__abstractmethods__");
                }
                false
            }
        };
        self.modified();
        // SAFETY: a live type.
        unsafe {
            if abstract_ {
                (*self.tp()).tp_flags |= Py_TPFLAGS_IS_ABSTRACT;
            } else {
                (*self.tp()).tp_flags &= !Py_TPFLAGS_IS_ABSTRACT;
            }
        }
        Ok(())
    }
    #[getter]
    fn __annotations__(&self) -> PyResult {
        if !self.is_heap() {
            return raise!(
                AttributeError,
                "type object '{}' has no attribute '__annotations__'",
                self.name()
            );
        }
        if let Some(a) = self.dict().get_str_key(intern!("__annotations__"))? {
            // SAFETY: a descriptor's slot.
            return unsafe {
                match (*a.ob_type()).tp_descr_get {
                    Some(g) => from_c(g(a.ptr(), null_mut(), self.raw())),
                    None => Ok(a),
                }
            };
        }
        let d = Dict::new();
        self.dict().set_item(intern!("__annotations__"), &d)?;
        self.modified();
        Ok(d.into_object())
    }
    #[setter(__annotations__)]
    fn set_annotations(&self, v: Option<&Object>) -> PyResult<()> {
        if self.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
            return raise!(
                TypeError,
                "cannot set '__annotations__' attribute of immutable type '{}'",
                self.name()
            );
        }
        match v {
            Some(v) => self.dict().set_item(intern!("__annotations__"), v)?,
            None => {
                if !self.dict().del_item(intern!("__annotations__"))? {
                    return raise!(AttributeError, "__annotations__");
                }
            }
        }
        self.modified();
        Ok(())
    }
}

impl Type {
    /// `__qualname__`.
    pub fn qualname(&self) -> Owned<Str> {
        if self.is_heap() {
            // SAFETY: a heap type has the field, and it is a string.
            return unsafe {
                Object::from_ptr((*self.as_struct()).ht_qualname).downcast_unchecked::<Str>().own()
            };
        }
        Str::new(&self.short_name())
    }
    /// `__module__`.
    pub fn module(&self) -> PyResult {
        if self.is_heap() {
            return match self.dict().get_str_key(intern!("__module__"))? {
                Some(m) => Ok(m),
                None => raise!(AttributeError, "__module__"),
            };
        }
        let n = self.name();
        Ok(match n.rsplit_once('.') {
            Some((m, _)) => Str::intern(Str::new(m)).into_object(),
            None => Str::interned("builtins").own().into_object(),
        })
    }
}

/// Keys of the class's dictionary and of its bases', bases first.
pub fn merge_class_dict(into: &Dict, class: &Object) -> PyResult<()> {
    if let Some(d) = class.get_attr_opt(intern!("__dict__"))? {
        into.update(&d)?;
    }
    if let Some(b) = class.get_attr_opt(intern!("__bases__"))?
        && let Ok(items) = b.to_items()
    {
        for x in items {
            merge_class_dict(into, &x)?;
        }
    }
    Ok(())
}
