//! `types.SimpleNamespace`.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{StrBuilder, ready};
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::{gc, kind, pymethods, raise, reprguard, typeobject};
use lh_abi::*;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct NamespaceObject {
    pub ob_base: PyObject,
    pub ns_dict: *mut PyObject,
}
kind!(/** `types.SimpleNamespace` */ Namespace: NamespaceObject, crate::type_table::_PyNamespace_Type);

impl Namespace {
    /// A namespace of these attributes (`_PyNamespace_New`).
    pub fn new(attrs: &Dict) -> PyResult<Owned<Namespace>> {
        let ns = Namespace::py_new(Namespace::class(), &Tuple::empty(), None)?;
        ns.dict().merge_dict(attrs, true)?;
        Ok(ns)
    }
    fn dict(&self) -> Owned<Dict> {
        // SAFETY: the dict is there from the start; `__dict__` may only be set to another dict.
        unsafe {
            let f = &raw mut (*self.as_struct()).ns_dict;
            if (*f).is_null() {
                *f = Dict::new().into_raw();
            }
            Object::from_ptr(*f).downcast_unchecked::<Dict>().own()
        }
    }
}

#[pymethods(extra = extra)]
impl Namespace {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Namespace>> {
        // SAFETY: a new object whose only field is set.
        unsafe {
            let p = typeobject::alloc(cls.tp(), 0)?;
            (*p.cast::<NamespaceObject>()).ns_dict = Dict::new().into_raw();
            Ok(Owned::from_raw(p))
        }
    }
    #[slot(tp_init)]
    fn py_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        if args.len() != 0 {
            return raise!(TypeError, "no positional arguments expected");
        }
        let Some(kw) = kw else { return Ok(()) };
        for k in kw.keys_vec() {
            if !Str::check(&k) {
                return raise!(TypeError, "keywords must be strings");
            }
        }
        self.dict().merge_dict(kw, true)
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        let name = if self.is_exact::<Namespace>() { "namespace".to_string() } else { self.ty().name() };
        reprguard::guarded(self, || {
            let mut b = StrBuilder::new();
            b.push_str(&name);
            b.push_str("(");
            let mut first = true;
            for (k, v) in self.dict().items_vec() {
                let Some(k) = k.downcast::<Str>().filter(|k| !k.is_empty()) else { continue };
                if !first {
                    b.push_str(", ");
                }
                first = false;
                b.push_obj(k);
                b.push_str("=");
                b.push_obj(&*v.repr()?);
            }
            b.push_str(")");
            Ok(b.finish())
        })
        .unwrap_or_else(|| Ok(Str::new(&format!("{name}(...)"))))
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        match other.downcast::<Namespace>() {
            Some(o) => self.dict().rich_compare(&o.dict(), op),
            None => Ok(not_implemented()),
        }
    }
    /// Return state information for pickling
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, Owned<Tuple>, Owned<Dict>) {
        (self.ty().own(), Tuple::empty(), self.dict())
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the field.
        v.visit_ptr(unsafe { (*self.as_struct()).ns_dict })
    }
    #[slot(tp_clear)]
    fn gc_clear(&self) {
        // SAFETY: the field is emptied before the reference is dropped.
        unsafe { xdecref(std::mem::replace(&mut (*self.as_struct()).ns_dict, std::ptr::null_mut())) }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            xdecref(std::mem::replace(&mut (*o.cast::<NamespaceObject>()).ns_dict, std::ptr::null_mut()));
            typeobject::free_instance(o);
        }
    }
}

fn extra(b: &mut crate::builder::TypeBuilder) {
    b.member(c"__dict__", T_OBJECT, core::mem::offset_of!(NamespaceObject, ns_dict), READONLY);
    b.doc(c"A simple attribute-based namespace.\n\nSimpleNamespace(**kwargs)");
}

pub fn init() -> PyResult<()> {
    ready::<Namespace>()?;
    Ok(())
}
