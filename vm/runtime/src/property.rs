//! `property` and `mappingproxy`.

use crate::prelude::*;
use core::mem::offset_of;
use lh_abi::*;
use std::ptr::null_mut;

use crate::layouts::{MappingProxyObject, PropertyObject};

/// `staticmethod(f)`.
pub fn static_method(f: &Object) -> PyResult {
    StaticMethod::class().call1(f)
}
/// `classmethod(f)`.
pub fn class_method(f: &Object) -> PyResult {
    ClassMethod::class().call1(f)
}

fn opt(o: *mut PyObject) -> Option<Owned<Object>> {
    // SAFETY: fields of a live property are null or live.
    unsafe { Object::from_ptr_opt(o).map(|x| x.own()) }
}
fn given(o: Option<&Object>) -> *mut PyObject {
    o.filter(|x| !x.is_none()).map_or(null_mut(), |x| x.own().into_raw())
}
/// # Safety
/// `p` is a field that owns a reference or is null.
unsafe fn assign(p: &mut *mut PyObject, v: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe { xdecref(std::mem::replace(p, v)) }
}

impl Property {
    fn p(&self) -> *mut PropertyObject {
        self.as_struct()
    }
    /// A copy with some of the functions replaced, of the same class.
    fn copy(&self, get: Option<&Object>, set: Option<&Object>, del: Option<&Object>) -> PyResult {
        // SAFETY: fields of a live property.
        unsafe {
            let p = self.p();
            let pick = |new: Option<&Object>, old: *mut PyObject| {
                new.filter(|x| !x.is_none()).map(|x| x.own()).or_else(|| opt(old)).unwrap_or_else(none)
            };
            let (g, s, d) = (pick(get, (*p).prop_get), pick(set, (*p).prop_set), pick(del, (*p).prop_del));
            // A doc string taken from the getter is taken again from the new one.
            let doc = if (*p).getter_doc != 0 && !g.is_none() {
                none()
            } else {
                opt((*p).prop_doc).unwrap_or_else(none)
            };
            let r = self.ty().as_object().call(&[&g, &s, &d, &doc])?;
            if let Some(n) = r.downcast::<Property>() {
                assign(&mut (*n.p()).prop_name, opt((*p).prop_name).map_or(null_mut(), Owned::into_raw));
            }
            Ok(r)
        }
    }
    fn describe(&self, obj: &Object, what: &str) -> PyResult<String> {
        // SAFETY: fields of a live property.
        let name = unsafe { opt((*self.p()).prop_name) };
        let q = obj.ty().get_attr(intern!("__qualname__"))?.repr()?;
        Ok(match name {
            Some(n) => format!(
                "property {} of {} object has no {}",
                n.repr()?.to_str_lossy(),
                q.to_str_lossy(),
                what
            ),
            None => format!("property of {} object has no {}", q.to_str_lossy(), what),
        })
    }
}

fn install_members(b: &mut TypeBuilder) {
    b.member(c"fget", T_OBJECT, offset_of!(PropertyObject, prop_get), READONLY);
    b.member(c"fset", T_OBJECT, offset_of!(PropertyObject, prop_set), READONLY);
    b.member(c"fdel", T_OBJECT, offset_of!(PropertyObject, prop_del), READONLY);
    b.member(c"__doc__", T_OBJECT, offset_of!(PropertyObject, prop_doc), 0);
}

#[pymethods(extra = install_members)]
impl Property {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult {
        // SAFETY: a fresh zeroed instance is an empty property.
        unsafe { Ok(Owned::from_raw(crate::typeobject::alloc(cls.tp(), 0)?)) }
    }
    #[init(name = "property", signature = "(fget=None, fset=None, fdel=None, doc=None)")]
    fn tp_init(
        &self,
        fget: Option<&Object>,
        fset: Option<&Object>,
        fdel: Option<&Object>,
        doc: Option<&Object>,
    ) -> PyResult<()> {
        // SAFETY: fields of a live property.
        unsafe {
            let p = self.p();
            assign(&mut (*p).prop_get, given(fget));
            assign(&mut (*p).prop_set, given(fset));
            assign(&mut (*p).prop_del, given(fdel));
            assign(&mut (*p).prop_doc, given(doc));
            assign(&mut (*p).prop_name, null_mut());
            (*p).getter_doc = 0;
            if doc.is_none_or(|d| d.is_none())
                && let Some(g) = fget.filter(|g| !g.is_none())
                && let Some(d) = g.get_attr_opt(intern!("__doc__"))?
            {
                if self.is_exact::<Property>() {
                    assign(&mut (*p).prop_doc, d.into_raw());
                } else {
                    // A subclass has its own `__doc__` in the way.
                    self.set_attr(intern!("__doc__"), &d)?;
                }
                (*p).getter_doc = 1;
            }
            Ok(())
        }
    }
    /// Descriptor to obtain a copy of the property with a different getter.
    #[pymethod]
    fn getter(&self, fget: &Object) -> PyResult {
        self.copy(Some(fget), None, None)
    }
    /// Descriptor to obtain a copy of the property with a different setter.
    #[pymethod]
    fn setter(&self, fset: &Object) -> PyResult {
        self.copy(None, Some(fset), None)
    }
    /// Descriptor to obtain a copy of the property with a different deleter.
    #[pymethod]
    fn deleter(&self, fdel: &Object) -> PyResult {
        self.copy(None, None, Some(fdel))
    }
    /// Method to set name of a property.
    #[pymethod(raw)]
    fn __set_name__(&self, a: Args<'_>) -> PyResult<()> {
        if a.len() != 2 {
            return raise!(
                TypeError,
                "__set_name__() takes 2 positional arguments but {} were given",
                a.len()
            );
        }
        // SAFETY: fields of a live property.
        unsafe { assign(&mut (*self.p()).prop_name, a.get(1).expect("two").own().into_raw()) };
        Ok(())
    }
    #[getter]
    fn __isabstractmethod__(&self) -> PyResult<bool> {
        // SAFETY: fields of a live property.
        unsafe {
            let p = self.p();
            for f in [opt((*p).prop_get), opt((*p).prop_set), opt((*p).prop_del)].into_iter().flatten() {
                if crate::object_type::is_abstract(&f)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, obj: Option<&Object>, _t: Option<&Object>) -> PyResult {
        let Some(o) = obj.filter(|o| !o.is_none()) else {
            return Ok(self.own().into_object());
        };
        // SAFETY: fields of a live property.
        match unsafe { opt((*self.p()).prop_get) } {
            Some(g) => g.call1(o),
            None => raise!(AttributeError, "{}", self.describe(o, "getter")?),
        }
    }
    #[slot(tp_descr_set)]
    fn descr_set(&self, obj: &Object, v: Option<&Object>) -> PyResult<()> {
        // SAFETY: fields of a live property.
        let f = unsafe { if v.is_some() { opt((*self.p()).prop_set) } else { opt((*self.p()).prop_del) } };
        let Some(f) = f else {
            return raise!(
                AttributeError,
                "{}",
                self.describe(obj, if v.is_some() { "setter" } else { "deleter" })?
            );
        };
        match v {
            Some(v) => f.call(&[obj, v])?,
            None => f.call1(obj)?,
        };
        Ok(())
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator of a property.
        unsafe {
            crate::gc::untrack(o);
            let p = o.cast::<PropertyObject>();
            for f in [(*p).prop_get, (*p).prop_set, (*p).prop_del, (*p).prop_doc, (*p).prop_name] {
                xdecref(f);
            }
            crate::typeobject::free_instance(o);
        }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        // SAFETY: fields of a live property.
        unsafe {
            let p = self.p();
            for f in [(*p).prop_get, (*p).prop_set, (*p).prop_del, (*p).prop_doc, (*p).prop_name] {
                v.visit_ptr(f);
            }
        }
    }
    #[slot(tp_clear)]
    fn tp_clear(&self) {
        // SAFETY: fields of a live property.
        unsafe { assign(&mut (*self.p()).prop_doc, null_mut()) }
    }
}

// ---- mappingproxy ----

impl MappingProxy {
    pub fn new(mapping: &Object) -> Owned<MappingProxy> {
        // SAFETY: the field is written before the object is tracked.
        unsafe {
            let o = crate::gc::new_object(MappingProxy::type_ptr(), 0);
            assert!(!o.is_null(), "out of memory");
            (*o.cast::<MappingProxyObject>()).mapping = mapping.own().into_raw();
            crate::gc::track(o);
            Owned::from_raw(o)
        }
    }
    pub fn mapping(&self) -> &Object {
        // SAFETY: a proxy owns its mapping, which never changes.
        unsafe { Object::from_ptr((*self.as_struct()).mapping) }
    }
}

#[pymethods]
impl MappingProxy {
    #[new(name = "mappingproxy", signature = "(mapping)")]
    fn tp_new(_cls: &Type, mapping: &Object) -> PyResult<Owned<MappingProxy>> {
        if !crate::protocols::is_mapping(mapping) || List::check(mapping) || Tuple::check(mapping) {
            return raise!(
                TypeError,
                "mappingproxy() argument must be a mapping, not {}",
                mapping.ty().name()
            );
        }
        Ok(MappingProxy::new(mapping))
    }
    #[slot(mp_length)]
    fn len(&self) -> PyResult<usize> {
        self.mapping().length()
    }
    #[slot(mp_subscript)]
    fn subscript(&self, k: &Object) -> PyResult {
        self.mapping().get_item(k)
    }
    #[slot(sq_contains)]
    fn contains(&self, k: &Object) -> PyResult<bool> {
        self.mapping().contains_item(k)
    }
    #[slot(tp_iter)]
    fn tp_iter(&self) -> PyResult {
        self.mapping().iterator()
    }
    #[slot(tp_str)]
    fn tp_str(&self) -> PyResult<Owned<Str>> {
        self.mapping().str()
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> PyResult<Owned<Str>> {
        Str::new("mappingproxy(").concat(&*self.mapping().repr()?)?.concat(&Str::new(")"))
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        match other.downcast::<MappingProxy>() {
            Some(o) => self.mapping().rich_compare(o.mapping(), op),
            None => self.mapping().rich_compare(other, op),
        }
    }
    #[slot(nb_or)]
    fn or(a: &Object, b: &Object) -> PyResult {
        let un = |o: &Object| o.downcast::<MappingProxy>().map_or_else(|| o.own(), |p| p.mapping().own());
        crate::number::or_(&un(a), &un(b))
    }
    #[slot(nb_inplace_or)]
    fn ior(&self, _o: &Object) -> PyResult {
        raise!(TypeError, "'|=' is not supported by mappingproxy; use '|' instead")
    }
    /// Return the value for key if key is in the mapping, else default.
    #[pymethod(signature = "(key, default=None, /)")]
    fn get(&self, key: &Object, default: Option<&Object>) -> PyResult {
        self.mapping().call_method("get", &[key, default.unwrap_or(none_ref())])
    }
    /// D.keys() -> a set-like object providing a view on D's keys
    #[pymethod]
    fn keys(&self) -> PyResult {
        self.mapping().call_method("keys", &[])
    }
    /// D.values() -> an object providing a view on D's values
    #[pymethod]
    fn values(&self) -> PyResult {
        self.mapping().call_method("values", &[])
    }
    /// D.items() -> a set-like object providing a view on D's items
    #[pymethod]
    fn items(&self) -> PyResult {
        self.mapping().call_method("items", &[])
    }
    /// D.copy() -> a shallow copy of D
    #[pymethod]
    fn copy(&self) -> PyResult {
        self.mapping().call_method("copy", &[])
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, item: &Object) -> PyResult {
        crate::genericalias::new(cls, item)
    }
    /// D.__reversed__() -> reverse iterator
    #[pymethod]
    fn __reversed__(&self) -> PyResult {
        self.mapping().call_method("__reversed__", &[])
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator of a mapping proxy.
        unsafe {
            crate::gc::untrack(o);
            xdecref((*o.cast::<MappingProxyObject>()).mapping);
            crate::typeobject::free_instance(o);
        }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        v.visit(self.mapping())
    }
}

pub fn init() -> PyResult<()> {
    ready::<Property>()?;
    ready::<MappingProxy>()?;
    Ok(())
}
