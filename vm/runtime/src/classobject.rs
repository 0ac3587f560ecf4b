//! Bound methods (`PyMethodObject`) and `instancemethod`.

use crate::kind;
use crate::prelude::*;
use lh_abi::*;
use std::ptr::null_mut;

unsafe extern "C" fn vectorcall(
    m: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: called by the vectorcall protocol on a bound method; with the offset flag args[-1] may be overwritten for the call.
    unsafe {
        let m = m.cast::<PyMethodObject>();
        let (func, self_) = ((*m).im_func, (*m).im_self);
        let n = nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET;
        if nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET != 0 {
            let front = args.cast_mut().sub(1);
            let saved = std::mem::replace(&mut *front, self_);
            let r = Object::from_ptr(func).vectorcall(front, n + 1, kwnames);
            *front = saved;
            return r;
        }
        let nkw = if kwnames.is_null() { 0 } else { (*kwnames.cast::<PyVarObject>()).ob_size as usize };
        let mut v = Vec::with_capacity(n + nkw + 2);
        v.push(null_mut());
        v.push(self_);
        if n + nkw > 0 {
            v.extend_from_slice(std::slice::from_raw_parts(args, n + nkw));
        }
        Object::from_ptr(func).vectorcall(
            v.as_ptr().add(1),
            (n + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET,
            kwnames,
        )
    }
}

impl Method {
    pub fn new(func: &Object, self_: &Object) -> Owned<Method> {
        // SAFETY: the fields are written before the object is tracked.
        unsafe {
            let o = crate::gc::new_builtin(Method::type_ptr(), size_of::<PyMethodObject>());
            assert!(!o.is_null(), "out of memory");
            let m = o.cast::<PyMethodObject>();
            (*m).im_weakreflist = null_mut();
            (*m).im_func = func.own().into_raw();
            (*m).im_self = self_.own().into_raw();
            (*m).vectorcall = Some(vectorcall);
            crate::gc::track(o);
            Owned::from_raw(o)
        }
    }
    pub fn func(&self) -> &Object {
        // SAFETY: a method owns its function.
        unsafe { Object::from_ptr((*self.as_struct()).im_func) }
    }
    pub fn self_(&self) -> &Object {
        // SAFETY: a method owns its self.
        unsafe { Object::from_ptr((*self.as_struct()).im_self) }
    }
}

fn install_members(b: &mut TypeBuilder) {
    b.member(c"__func__", T_OBJECT, core::mem::offset_of!(PyMethodObject, im_func), READONLY);
    b.member(c"__self__", T_OBJECT, core::mem::offset_of!(PyMethodObject, im_self), READONLY);
}

#[pymethods(extra = install_members)]
impl Method {
    #[new(name = "method", signature = "(function, instance, /)")]
    fn tp_new(_cls: &Type, function: &Object, instance: &Object) -> PyResult<Owned<Method>> {
        if !function.is_callable() {
            return raise!(TypeError, "first argument must be callable");
        }
        if instance.is_none() {
            return raise!(TypeError, "instance must not be None");
        }
        Ok(Method::new(function, instance))
    }
    #[slot(tp_getattro)]
    fn getattro(&self, name: &Object) -> PyResult {
        let Some(n) = name.downcast::<Str>() else {
            return raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name());
        };
        // The method type's own attributes first, then the function's.
        if let Some(d) = self.ty().lookup(n) {
            // SAFETY: a ready type.
            return match unsafe { (*d.ob_type()).tp_descr_get } {
                // SAFETY: a descriptor's slot with live arguments.
                Some(f) => unsafe { from_c(f(d.ptr(), self.raw(), self.ob_type().cast())) },
                None => Ok(d),
            };
        }
        self.func().get_attr(n)
    }
    #[getter]
    fn __doc__(&self) -> PyResult {
        self.func().get_attr(intern!("__doc__"))
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        let getattr = crate::sysobject::builtins_dict().get_str("getattr")?;
        (getattr, (self.self_(), self.func().get_attr(intern!("__name__"))?)).into_py()
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> PyResult<String> {
        let name = match self.func().get_attr_opt(intern!("__qualname__"))? {
            Some(n) => Some(n),
            None => self.func().get_attr_opt(intern!("__name__"))?,
        };
        let name = match name.as_deref().and_then(|n| n.downcast::<Str>()) {
            Some(n) => n.to_str_lossy().into_owned(),
            None => "?".into(),
        };
        Ok(format!("<bound method {} of {}>", name, self.self_().repr()?.to_str_lossy()))
    }
    #[slot(tp_hash)]
    fn tp_hash(&self) -> PyResult<isize> {
        let x = (self.self_().as_ptr() as usize).rotate_right(4) as isize;
        Ok(x ^ self.func().hash_obj()?)
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(o) = other.downcast::<Method>() else { return Ok(not_implemented()) };
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented());
        }
        let eq = self.func().equals_obj(o.func())? && self.self_().is(o.self_());
        Ok(bool_obj(eq == (op == CompareOp::Eq)))
    }
    #[slot(tp_call)]
    fn tp_call(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        self.as_object().vectorcall_tuple(vectorcall, args, kw)
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, _o: Option<&Object>, _t: Option<&Object>) -> Owned<Method> {
        self.own()
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator of a bound method.
        unsafe {
            crate::gc::untrack(o);
            let m = o.cast::<PyMethodObject>();
            if !(*m).im_weakreflist.is_null() {
                crate::weakref::clear_weakrefs(o);
            }
            decref((*m).im_func);
            xdecref((*m).im_self);
            crate::gc::free_untracked(o, size_of::<PyMethodObject>());
        }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        v.visit(self.func());
        v.visit(self.self_());
    }
}

kind!(/** `instancemethod`: binds any callable as a method */ InstanceMethod: PyInstanceMethodObject, crate::type_table::PyInstanceMethod_Type);

impl InstanceMethod {
    pub fn new(func: &Object) -> PyResult<Owned<InstanceMethod>> {
        // SAFETY: the field is written before anybody sees the object.
        unsafe {
            let o = crate::typeobject::alloc(InstanceMethod::type_ptr(), 0)?;
            (*o.cast::<PyInstanceMethodObject>()).func = func.own().into_raw();
            Ok(Owned::from_raw(o))
        }
    }
    fn func(&self) -> &Object {
        // SAFETY: it owns its function.
        unsafe { Object::from_ptr((*self.as_struct()).func) }
    }
}
fn install_function(b: &mut TypeBuilder) {
    b.member(c"__func__", T_OBJECT, core::mem::offset_of!(PyInstanceMethodObject, func), READONLY);
}

/// instancemethod(function)
///
/// Bind a function to a class.
#[pymethods(extra = install_function)]
impl InstanceMethod {
    #[new(name = "instancemethod", signature = "(function, /)")]
    fn tp_new(_cls: &Type, function: &Object) -> PyResult<Owned<InstanceMethod>> {
        if !function.is_callable() {
            return raise!(TypeError, "first argument must be callable");
        }
        InstanceMethod::new(function)
    }
    #[slot(tp_getattro)]
    fn getattro(&self, name: &Object) -> PyResult {
        let Some(n) = name.downcast::<Str>() else {
            return raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name());
        };
        // The type's own attributes first, then the function's.
        if let Some(d) = self.ty().lookup(n) {
            // SAFETY: a ready type.
            return match unsafe { (*d.ob_type()).tp_descr_get } {
                // SAFETY: a descriptor's slot with live arguments.
                Some(f) => unsafe { from_c(f(d.ptr(), self.raw(), self.ob_type().cast())) },
                None => Ok(d),
            };
        }
        self.func().get_attr(n)
    }
    #[getter]
    fn __doc__(&self) -> PyResult {
        self.func().get_attr(intern!("__doc__"))
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> PyResult<String> {
        let name = self.func().get_attr_opt(intern!("__name__"))?;
        let name = match name.as_deref().and_then(|n| n.downcast::<Str>()) {
            Some(n) => n.to_str_lossy().into_owned(),
            None => "?".into(),
        };
        Ok(format!("<instancemethod {} at {:#x}>", name, self.as_ptr() as usize))
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        match other.downcast::<InstanceMethod>() {
            Some(o) if matches!(op, CompareOp::Eq | CompareOp::Ne) => {
                Ok(bool_obj(self.func().equals_obj(o.func())? == (op == CompareOp::Eq)))
            }
            _ => Ok(not_implemented()),
        }
    }
    #[slot(tp_call)]
    fn tp_call(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        self.func().call_tuple(args, kw)
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, o: Option<&Object>, _t: Option<&Object>) -> Owned<Object> {
        match o {
            Some(o) => Method::new(self.func(), o).into_object(),
            None => self.func().own(),
        }
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator of an instancemethod.
        unsafe {
            crate::gc::untrack(o);
            xdecref((*o.cast::<PyInstanceMethodObject>()).func);
            crate::typeobject::free_instance(o);
        }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        v.visit(self.func());
    }
}

pub fn init() -> PyResult<()> {
    ready::<Method>()?;
    ready::<InstanceMethod>()?;
    Ok(())
}
