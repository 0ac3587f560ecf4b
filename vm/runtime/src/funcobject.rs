//! Python functions, cells, `classmethod`, `staticmethod`.
//!
//! A function's `func_version` numbers its code, defaults and keyword defaults: inline caches and traces remember it, and every
//! change of one of the three resets it to 0 ("ask again"). Version numbers are never reused.

// Setters are named by the attribute: `set_` and Python's name.
#![allow(non_snake_case)]

use crate::hooks::hooks;
use crate::layouts::ClassMethodObject;
use crate::prelude::*;
use crate::sysobject::audit_attribute;
use lh_abi::*;
use std::mem::offset_of;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT_VERSION: AtomicU32 = AtomicU32::new(1);

fn raw_opt<T: Kind>(o: Option<&T>) -> *mut PyObject {
    o.map_or(null_mut(), |o| o.own().into_raw())
}

/// Puts a new owned reference (or null) into a field, then drops the old one.
unsafe fn put(field: *mut *mut PyObject, v: *mut PyObject) {
    // SAFETY: the field owns what it holds.
    unsafe { xdecref(std::mem::replace(&mut *field, v)) }
}

/// Stands where a frame's builtins dictionary does if `globals["__builtins__"]` is neither a module nor a dictionary.
#[pyclass(name = "builtins", module = "builtins", base = Dict, no_new)]
pub struct OtherBuiltins {
    of: Slot,
}
#[pymethods]
impl OtherBuiltins {
    #[slot(mp_subscript)]
    fn get(&self, name: &Object) -> PyResult {
        self.of.get().map_or_else(|| raise!(KeyError, "{}", name.repr_lossy()), |b| b.get_item(name))
    }
}
/// What a program sees of such a dictionary.
pub fn shown_builtins(d: &Object) -> Owned<Object> {
    d.downcast_exact::<OtherBuiltins>().and_then(|o| o.of.get()).unwrap_or_else(|| d.own())
}

/// The builtins dictionary that code with these globals uses: `globals["__builtins__"]` (a module or a dict), or those of the
/// running frame.
pub fn builtins_of(globals: &Object) -> PyResult<Owned<Dict>> {
    if let Some(g) = globals.downcast::<Dict>()
        && let Some(b) = g.get_str_key(intern!("__builtins__"))?
    {
        if let Some(m) = b.downcast::<Module>() {
            return Ok(m.dict().own());
        }
        if let Some(d) = b.downcast::<Dict>() {
            return Ok(d.own());
        }
        // Anything else is asked by `[]`: a mapping answers, `None` and its like raise wherever a name is looked up.
        let other = OtherBuiltins { of: Slot::new(Some(b)) }.build();
        // SAFETY: its type derives from `dict`.
        return Ok(unsafe { other.downcast_unchecked::<Dict>() }.own());
    }
    Ok((hooks().current_builtins)())
}

impl Function {
    /// A function object for a code object; `interp` installs the vectorcall through `hooks`.
    pub fn new(code: &Code, globals: &Object, qualname: Option<&Str>) -> PyResult<Owned<Function>> {
        let builtins = builtins_of(globals)?;
        let module = match globals.downcast::<Dict>() {
            Some(g) => g.get_str_key(intern!("__name__"))?,
            None => None,
        };
        // SAFETY: a fresh function object; every field is written before it is tracked.
        unsafe {
            let o = crate::gc::new_object(Function::type_ptr(), 0);
            assert!(!o.is_null(), "out of memory");
            let f = o.cast::<PyFunctionObject>();
            (*f).func_globals = globals.own().into_raw();
            (*f).func_builtins = builtins.into_raw();
            (*f).func_name = code.name().own().into_raw();
            (*f).func_qualname = qualname.unwrap_or(code.qualname()).own().into_raw();
            (*f).func_code = code.own().into_raw();
            (*f).func_module = module.map_or(null_mut(), Owned::into_raw);
            (*f).func_doc = match code.consts().iter().next() {
                Some(d) if d.is_instance_of::<Str>() => d.own().into_raw(),
                _ => none().into_raw(),
            };
            (*f).vectorcall = Some(hooks().function_vectorcall);
            crate::gc::track(o);
            Ok(Owned::from_raw(o))
        }
    }
    fn f(&self) -> *mut PyFunctionObject {
        self.as_struct()
    }
    pub fn code(&self) -> &Code {
        // SAFETY: a live function owns a code object.
        unsafe { Object::from_ptr((*self.f()).func_code).downcast_unchecked() }
    }
    pub fn globals(&self) -> &Object {
        // SAFETY: a live function owns its globals.
        unsafe { Object::from_ptr((*self.f()).func_globals) }
    }
    /// A number for (code, defaults, keyword defaults) as they are now; 0 if numbers have run out.
    pub fn version(&self) -> u32 {
        // SAFETY: a plain field of a live function.
        unsafe {
            let f = self.f();
            if (*f).func_version == 0 {
                let v = NEXT_VERSION.load(Ordering::Relaxed);
                if v != 0 {
                    NEXT_VERSION.store(v.wrapping_add(1), Ordering::Relaxed);
                    (*f).func_version = v;
                }
            }
            (*f).func_version
        }
    }
    /// Sets the defaults of positional parameters (a tuple).
    pub fn set_defaults(&self, d: Option<&Tuple>) {
        // SAFETY: the field owns its reference; the version says that caches are stale.
        unsafe {
            (*self.f()).func_version = 0;
            put(&raw mut (*self.f()).func_defaults, raw_opt(d));
        }
    }
    pub fn set_kwdefaults(&self, d: Option<&Object>) {
        // SAFETY: as above.
        unsafe {
            (*self.f()).func_version = 0;
            put(&raw mut (*self.f()).func_kwdefaults, raw_opt(d));
        }
    }
    pub fn set_closure(&self, c: Option<&Tuple>) {
        // SAFETY: as above.
        unsafe { put(&raw mut (*self.f()).func_closure, raw_opt(c)) }
    }
    /// A dict, or a tuple of names and values which becomes one on demand.
    pub fn set_annotations(&self, a: Option<&Object>) {
        // SAFETY: as above.
        unsafe { put(&raw mut (*self.f()).func_annotations, raw_opt(a)) }
    }
    fn get(&self, f: impl Fn(*mut PyFunctionObject) -> *mut PyObject) -> Owned<Object> {
        // SAFETY: the field is null or a live object.
        unsafe { Object::from_ptr_opt(f(self.f())).map_or_else(none, |o| o.own()) }
    }
}

fn function_members(b: &mut TypeBuilder) {
    b.member(c"__closure__", T_OBJECT, offset_of!(PyFunctionObject, func_closure), READONLY);
    b.member(c"__doc__", T_OBJECT, offset_of!(PyFunctionObject, func_doc), 0);
    b.member(c"__globals__", T_OBJECT, offset_of!(PyFunctionObject, func_globals), READONLY);
    b.member(c"__module__", T_OBJECT, offset_of!(PyFunctionObject, func_module), 0);
    b.member(c"__builtins__", T_OBJECT, offset_of!(PyFunctionObject, func_builtins), READONLY);
    b.getter(c"__dict__", generic_dict_get, None);
    b.setter(c"__dict__", generic_dict_set);
}

/// `PyObject_GenericGetDict`.
///
/// # Safety
/// A getter of a type with a positive `tp_dictoffset`.
pub unsafe extern "C" fn generic_dict_get(o: *mut PyObject, _: *mut core::ffi::c_void) -> *mut PyObject {
    // SAFETY: an object of a type with a dict offset (both users of this getter).
    crate::border::object(|| unsafe {
        let p = o.cast::<u8>().add((*(*o).ob_type).tp_dictoffset as usize).cast::<*mut PyObject>();
        if (*p).is_null() {
            *p = Dict::new().into_raw();
        }
        Ok(Object::from_ptr(*p).own())
    })
}
/// `PyObject_GenericSetDict`.
///
/// # Safety
/// As `generic_dict_get`.
pub unsafe extern "C" fn generic_dict_set(
    o: *mut PyObject,
    v: *mut PyObject,
    _: *mut core::ffi::c_void,
) -> core::ffi::c_int {
    // SAFETY: as above.
    crate::border::status(|| unsafe {
        let Some(v) = Object::from_ptr_opt(v) else { return raise!(TypeError, "cannot delete __dict__") };
        if !Dict::check(v) {
            return raise!(TypeError, "__dict__ must be set to a dictionary, not a '{}'", v.ty().name());
        }
        let p = o.cast::<u8>().add((*(*o).ob_type).tp_dictoffset as usize).cast::<*mut PyObject>();
        put(p, v.own().into_raw());
        Ok(())
    })
}

#[pymethods(extra = function_members)]
impl Function {
    #[new(name = "function", signature = "(code, globals, name=None, argdefs=None, closure=None)")]
    fn tp_new(
        _cls: &Type,
        code: &Code,
        globals: &Dict,
        name: Option<&Object>,
        argdefs: Option<&Object>,
        closure: Option<&Object>,
    ) -> PyResult<Owned<Function>> {
        let some = |o: Option<&'_ Object>| o.filter(|o| !o.is_none()).map(|o| o.own());
        let (name, argdefs, closure) = (some(name), some(argdefs), some(closure));
        if name.as_ref().is_some_and(|n| !n.is_instance_of::<Str>()) {
            return raise!(TypeError, "arg 3 (name) must be None or string");
        }
        if argdefs.as_ref().is_some_and(|d| !d.is_instance_of::<Tuple>()) {
            return raise!(TypeError, "arg 4 (defaults) must be None or tuple");
        }
        let nfree = code.freevars().len();
        let t = closure.as_deref().and_then(|c| c.downcast::<Tuple>());
        if t.is_none() {
            if nfree > 0 && closure.is_none() {
                return raise!(TypeError, "arg 5 (closure) must be tuple");
            }
            if closure.is_some() {
                return raise!(TypeError, "arg 5 (closure) must be None or tuple");
            }
        }
        let nclosure = t.map_or(0, |t| t.len());
        if nfree != nclosure {
            return raise!(
                ValueError,
                "{} requires closure of length {}, not {}",
                code.name().to_str_lossy(),
                nfree,
                nclosure
            );
        }
        if let Some(t) = t {
            for c in t.iter() {
                if !c.is_instance_of::<CellObject>() {
                    return raise!(TypeError, "arg 5 (closure) expected cell, found {}", c.ty().name());
                }
            }
        }
        crate::sysobject::audit("function.__new__", &[code])?;
        let f = Function::new(code, globals, None)?;
        if let Some(n) = &name {
            // SAFETY: the field owns its reference.
            unsafe { put(&raw mut (*f.f()).func_name, n.clone().into_raw()) };
        }
        f.set_defaults(argdefs.as_deref().and_then(|d| d.downcast::<Tuple>()));
        f.set_closure(t.filter(|t| t.len() > 0));
        Ok(f)
    }
    #[getter]
    fn __code__(&self) -> PyResult<Owned<Code>> {
        audit_attribute("object.__getattr__", self, "__code__", None)?;
        Ok(self.code().own())
    }
    #[setter]
    fn set___code__(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(c) = v.and_then(|v| v.downcast::<Code>()) else {
            return raise!(TypeError, "__code__ must be set to a code object");
        };
        audit_attribute("object.__setattr__", self, "__code__", v)?;
        let nfree = c.freevars().len();
        // SAFETY: fields of a live function.
        unsafe {
            let closure = Object::from_ptr_opt((*self.f()).func_closure);
            let n = closure.and_then(|c| c.downcast::<Tuple>()).map_or(0, |t| t.len());
            if n != nfree {
                return raise!(
                    ValueError,
                    "{}() requires a code object with {} free vars, not {}",
                    Object::from_ptr((*self.f()).func_name).str()?.to_str_lossy(),
                    n,
                    nfree
                );
            }
            (*self.f()).func_version = 0;
            put(&raw mut (*self.f()).func_code, c.own().into_raw());
        }
        Ok(())
    }
    #[getter]
    fn __defaults__(&self) -> PyResult {
        audit_attribute("object.__getattr__", self, "__defaults__", None)?;
        // SAFETY: fields of a live function (as in the rest of this block).
        Ok(self.get(|f| unsafe { (*f).func_defaults }))
    }
    #[setter]
    fn set___defaults__(&self, v: Option<&Object>) -> PyResult<()> {
        let v = v.filter(|v| !v.is_none());
        if v.is_some_and(|v| !Tuple::check(v)) {
            return raise!(TypeError, "__defaults__ must be set to a tuple object");
        }
        let event = if v.is_some() { "object.__setattr__" } else { "object.__delattr__" };
        audit_attribute(event, self, "__defaults__", v)?;
        self.set_defaults(v.and_then(|v| v.downcast::<Tuple>()));
        Ok(())
    }
    #[getter]
    fn __kwdefaults__(&self) -> PyResult {
        audit_attribute("object.__getattr__", self, "__kwdefaults__", None)?;
        // SAFETY: as above.
        Ok(self.get(|f| unsafe { (*f).func_kwdefaults }))
    }
    #[setter]
    fn set___kwdefaults__(&self, v: Option<&Object>) -> PyResult<()> {
        let v = v.filter(|v| !v.is_none());
        if v.is_some_and(|v| !Dict::check(v)) {
            return raise!(TypeError, "__kwdefaults__ must be set to a dict object");
        }
        let event = if v.is_some() { "object.__setattr__" } else { "object.__delattr__" };
        audit_attribute(event, self, "__kwdefaults__", v)?;
        self.set_kwdefaults(v);
        Ok(())
    }
    #[getter]
    fn __annotations__(&self) -> PyResult {
        // SAFETY: the field owns its reference.
        unsafe {
            let p = &raw mut (*self.f()).func_annotations;
            let Some(a) = Object::from_ptr_opt(*p) else {
                *p = Dict::new().into_raw();
                return Ok(Object::from_ptr(*p).own());
            };
            if let Some(t) = a.downcast::<Tuple>() {
                let (t, d) = (t.own(), Dict::new());
                for i in (0..t.len()).step_by(2) {
                    d.set_item(t.item_ref(i), t.item_ref(i + 1))?;
                }
                put(p, d.into_raw());
            }
            Ok(Object::from_ptr(*p).own())
        }
    }
    #[setter]
    fn set___annotations__(&self, v: Option<&Object>) -> PyResult<()> {
        match v.filter(|v| !v.is_none()) {
            None => self.set_annotations(None),
            Some(v) if v.is_instance_of::<Dict>() => self.set_annotations(Some(v)),
            Some(_) => return raise!(TypeError, "__annotations__ must be set to a dict object"),
        }
        Ok(())
    }
    #[getter]
    fn __name__(&self) -> Owned<Object> {
        // SAFETY: as above.
        self.get(|f| unsafe { (*f).func_name })
    }
    #[setter]
    fn set___name__(&self, v: Option<&Object>) -> PyResult<()> {
        match v.filter(|v| v.is_instance_of::<Str>()) {
            // SAFETY: the field owns its reference.
            Some(v) => unsafe { put(&raw mut (*self.f()).func_name, v.own().into_raw()) },
            None => return raise!(TypeError, "__name__ must be set to a string object"),
        }
        Ok(())
    }
    #[getter]
    fn __qualname__(&self) -> Owned<Object> {
        // SAFETY: as above.
        self.get(|f| unsafe { (*f).func_qualname })
    }
    #[setter]
    fn set___qualname__(&self, v: Option<&Object>) -> PyResult<()> {
        match v.filter(|v| v.is_instance_of::<Str>()) {
            // SAFETY: the field owns its reference.
            Some(v) => unsafe { put(&raw mut (*self.f()).func_qualname, v.own().into_raw()) },
            None => return raise!(TypeError, "__qualname__ must be set to a string object"),
        }
        Ok(())
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> PyResult<String> {
        Ok(format!("<function {} at {:p}>", self.__qualname__().str()?.to_str_lossy(), self.raw()))
    }
    #[slot(tp_call)]
    fn tp_call(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        // SAFETY: arguments are kept alive by the tuple and the pairs.
        unsafe {
            let pairs = kw.map_or_else(Vec::new, |d| d.items_vec());
            let mut v = vec![null_mut()];
            v.extend_from_slice(args.as_slice_raw());
            v.extend(pairs.iter().map(|p| p.1.ptr()));
            let names =
                (!pairs.is_empty()).then(|| Tuple::from_vec(pairs.iter().map(|p| p.0.clone()).collect()));
            let nargsf = args.len() | PY_VECTORCALL_ARGUMENTS_OFFSET;
            let kwnames = names.as_ref().map_or(null_mut(), |t| t.ptr());
            from_c((hooks().function_vectorcall)(self.raw(), v.as_ptr().add(1), nargsf, kwnames))
        }
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, o: Option<&Object>, _t: Option<&Object>) -> Owned<Object> {
        match o {
            Some(o) if !o.is_none() => Method::new(self, o).into_object(),
            _ => self.as_object().own(),
        }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        // SAFETY: fields of a live function.
        unsafe {
            let f = &*self.f();
            for p in [
                f.func_code,
                f.func_globals,
                f.func_builtins,
                f.func_module,
                f.func_defaults,
                f.func_kwdefaults,
                f.func_doc,
                f.func_name,
                f.func_dict,
                f.func_closure,
                f.func_annotations,
                f.func_qualname,
            ] {
                v.visit_ptr(p);
            }
        }
    }
    #[slot(tp_clear)]
    fn tp_clear(&self) {
        // SAFETY: names, code and globals stay, because others may still call the dying function.
        unsafe {
            let f = self.f();
            (*f).func_version = 0;
            for p in [
                &raw mut (*f).func_module,
                &raw mut (*f).func_defaults,
                &raw mut (*f).func_kwdefaults,
                &raw mut (*f).func_doc,
                &raw mut (*f).func_dict,
                &raw mut (*f).func_closure,
                &raw mut (*f).func_annotations,
            ] {
                put(p, null_mut());
            }
            let old = std::mem::replace(&mut (*f).func_name, Str::empty().own().into_raw());
            xdecref(old);
            let old = std::mem::replace(&mut (*f).func_qualname, Str::empty().own().into_raw());
            xdecref(old);
        }
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator: every owned field is dropped once.
        unsafe {
            crate::gc::untrack(o);
            let f = o.cast::<PyFunctionObject>();
            if !(*f).func_weakreflist.is_null() {
                crate::weakref::clear_weakrefs(o);
            }
            for p in [
                &raw mut (*f).func_code,
                &raw mut (*f).func_globals,
                &raw mut (*f).func_builtins,
                &raw mut (*f).func_module,
                &raw mut (*f).func_defaults,
                &raw mut (*f).func_kwdefaults,
                &raw mut (*f).func_doc,
                &raw mut (*f).func_dict,
                &raw mut (*f).func_closure,
                &raw mut (*f).func_annotations,
                &raw mut (*f).func_name,
                &raw mut (*f).func_qualname,
            ] {
                put(p, null_mut());
            }
            crate::typeobject::free_instance(o);
        }
    }
}

// ---- Cells ----

impl CellObject {
    pub fn new(v: Option<Owned<Object>>) -> Owned<CellObject> {
        // SAFETY: the field is written before the object is tracked.
        unsafe {
            let o = crate::gc::new_object(CellObject::type_ptr(), 0);
            assert!(!o.is_null(), "out of memory");
            (*o.cast::<PyCellObject>()).ob_ref = v.map_or(null_mut(), Owned::into_raw);
            crate::gc::track(o);
            Owned::from_raw(o)
        }
    }
    pub fn get(&self) -> Option<Owned<Object>> {
        // SAFETY: the field is null or a live object.
        unsafe { Object::from_ptr_opt((*self.as_struct()).ob_ref).map(|o| o.own()) }
    }
    pub fn set(&self, v: Option<Owned<Object>>) {
        // SAFETY: the field owns its reference.
        unsafe { put(&raw mut (*self.as_struct()).ob_ref, v.map_or(null_mut(), Owned::into_raw)) }
    }
}

#[pymethods]
impl CellObject {
    #[new(name = "cell", signature = "(contents=<unrepresentable>, /)")]
    fn tp_new(_cls: &Type, contents: Option<&Object>) -> Owned<CellObject> {
        CellObject::new(contents.map(|c| c.own()))
    }
    #[getter]
    fn cell_contents(&self) -> PyResult {
        match self.get() {
            Some(v) => Ok(v),
            None => raise!(ValueError, "Cell is empty"),
        }
    }
    #[setter]
    fn set_cell_contents(&self, v: Option<&Object>) -> PyResult<()> {
        self.set(v.map(|v| v.own()));
        Ok(())
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> String {
        match self.get() {
            None => format!("<cell at {:p}: empty>", self.raw()),
            Some(v) => format!("<cell at {:p}: {} object at {:p}>", self.raw(), v.ty().name(), v.ptr()),
        }
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(o) = other.downcast::<CellObject>() else { return Ok(not_implemented()) };
        match (self.get(), o.get()) {
            (Some(a), Some(b)) => a.rich_compare(&b, op),
            // An empty cell is less than any other.
            (a, b) => Ok(bool_obj(op.holds(a.is_some().cmp(&b.is_some())))),
        }
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        // SAFETY: a field of a live cell.
        v.visit_ptr(unsafe { (*self.as_struct()).ob_ref });
    }
    #[slot(tp_clear)]
    fn tp_clear(&self) {
        self.set(None)
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator.
        unsafe {
            crate::gc::untrack(o);
            put(&raw mut (*o.cast::<PyCellObject>()).ob_ref, null_mut());
            crate::typeobject::free_instance(o);
        }
    }
}

// ---- classmethod and staticmethod ----

/// Copies the attributes that make the wrapper look like the function.
fn wrap_attributes(wrapper: &Object, f: &Object) -> PyResult<()> {
    for n in [
        intern!("__module__"),
        intern!("__name__"),
        intern!("__qualname__"),
        intern!("__doc__"),
        intern!("__annotations__"),
    ] {
        if let Some(v) = f.get_attr_opt(n)? {
            wrapper.set_attr(n, &v)?;
        }
    }
    Ok(())
}

unsafe fn cm_dealloc(o: *mut PyObject) {
    // SAFETY: the deallocator of both wrappers, which share their layout.
    unsafe {
        crate::gc::untrack(o);
        let m = o.cast::<ClassMethodObject>();
        put(&raw mut (*m).callable, null_mut());
        put(&raw mut (*m).dict, null_mut());
        crate::typeobject::free_instance(o);
    }
}

macro_rules! wrapper_api {
    ($t:ident) => {
        impl $t {
            pub fn new(f: &Object) -> PyResult<Owned<$t>> {
                // SAFETY: the field is written before anybody else sees the object.
                unsafe {
                    let o = crate::typeobject::alloc($t::type_ptr(), 0)?;
                    (*o.cast::<ClassMethodObject>()).callable = f.own().into_raw();
                    let m = Owned::<$t>::from_raw(o);
                    wrap_attributes(&m, f)?;
                    Ok(m)
                }
            }
            /// The wrapped callable; none before `__init__` ran.
            pub fn callable(&self) -> Option<&Object> {
                // SAFETY: the field is null or a live object.
                unsafe { Object::from_ptr_opt((*self.as_struct()).callable) }
            }
        }
    };
}
wrapper_api!(ClassMethod);
wrapper_api!(StaticMethod);

fn wrapper_members(b: &mut TypeBuilder) {
    b.member(c"__func__", T_OBJECT, offset_of!(ClassMethodObject, callable), READONLY);
    b.member(c"__wrapped__", T_OBJECT, offset_of!(ClassMethodObject, callable), READONLY);
    b.getter(c"__dict__", generic_dict_get, None);
    b.setter(c"__dict__", generic_dict_set);
}

fn is_abstract(f: Option<&Object>) -> PyResult<bool> {
    match f {
        None => Ok(false),
        Some(f) => match f.get_attr_opt(intern!("__isabstractmethod__"))? {
            Some(v) => v.is_true(),
            None => Ok(false),
        },
    }
}

#[pymethods(extra = wrapper_members)]
impl ClassMethod {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _a: &Tuple, _k: Option<&Dict>) -> PyResult<Owned<Object>> {
        // SAFETY: a zeroed instance is a valid empty wrapper.
        crate::typeobject::alloc(cls.tp(), 0).map(|o| unsafe { Owned::from_raw(o) })
    }
    #[init(name = "classmethod", signature = "(function, /)")]
    fn tp_init(&self, function: &Object) -> PyResult<()> {
        // SAFETY: the field owns its reference.
        unsafe { put(&raw mut (*self.as_struct()).callable, function.own().into_raw()) };
        wrap_attributes(self, function)
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, o: Option<&Object>, t: Option<&Object>) -> PyResult {
        let Some(f) = self.callable().map(|f| f.own()) else {
            return raise!(RuntimeError, "uninitialized classmethod object");
        };
        let t = match t {
            Some(t) => t.own(),
            None => match o {
                Some(o) => o.ty().own().into_object(),
                None => return raise!(TypeError, "__get__(None, None) is invalid"),
            },
        };
        // A bound method would answer itself: it is bound once more instead.
        // SAFETY: a live object has a ready type.
        let get = unsafe { (*f.ob_type()).tp_descr_get };
        if !Method::check(&f)
            && let Some(g) = get
        {
            // SAFETY: the slot of f's own type; the class stands for both the instance and the owner.
            return unsafe { from_c(g(f.ptr(), t.ptr(), t.ptr())) };
        }
        Ok(Method::new(&f, &t).into_object())
    }
    #[getter]
    fn __isabstractmethod__(&self) -> PyResult<bool> {
        is_abstract(self.callable())
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> PyResult<String> {
        match self.callable() {
            Some(f) => Ok(format!("<classmethod({})>", f.repr()?.to_str_lossy())),
            None => Ok("<classmethod(NULL)>".into()),
        }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        // SAFETY: fields of a live wrapper.
        unsafe {
            v.visit_ptr((*self.as_struct()).callable);
            v.visit_ptr((*self.as_struct()).dict);
        }
    }
    #[slot(tp_clear)]
    fn tp_clear(&self) {
        // SAFETY: the fields own their references.
        unsafe {
            put(&raw mut (*self.as_struct()).callable, null_mut());
            put(&raw mut (*self.as_struct()).dict, null_mut());
        }
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator.
        unsafe { cm_dealloc(o) }
    }
}

#[pymethods(extra = wrapper_members)]
impl StaticMethod {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _a: &Tuple, _k: Option<&Dict>) -> PyResult<Owned<Object>> {
        // SAFETY: a zeroed instance is a valid empty wrapper.
        crate::typeobject::alloc(cls.tp(), 0).map(|o| unsafe { Owned::from_raw(o) })
    }
    #[init(name = "staticmethod", signature = "(function, /)")]
    fn tp_init(&self, function: &Object) -> PyResult<()> {
        // SAFETY: the field owns its reference.
        unsafe { put(&raw mut (*self.as_struct()).callable, function.own().into_raw()) };
        wrap_attributes(self, function)
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, _o: Option<&Object>, _t: Option<&Object>) -> PyResult {
        match self.callable() {
            Some(f) => Ok(f.own()),
            None => raise!(RuntimeError, "uninitialized staticmethod object"),
        }
    }
    #[slot(tp_call)]
    fn tp_call(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        match self.callable().map(|f| f.own()) {
            Some(f) => f.call_tuple(args, kw),
            None => raise!(RuntimeError, "uninitialized staticmethod object"),
        }
    }
    #[getter]
    fn __isabstractmethod__(&self) -> PyResult<bool> {
        is_abstract(self.callable())
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> PyResult<String> {
        match self.callable() {
            Some(f) => Ok(format!("<staticmethod({})>", f.repr()?.to_str_lossy())),
            None => Ok("<staticmethod(NULL)>".into()),
        }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        // SAFETY: fields of a live wrapper.
        unsafe {
            v.visit_ptr((*self.as_struct()).callable);
            v.visit_ptr((*self.as_struct()).dict);
        }
    }
    #[slot(tp_clear)]
    fn tp_clear(&self) {
        // SAFETY: the fields own their references.
        unsafe {
            put(&raw mut (*self.as_struct()).callable, null_mut());
            put(&raw mut (*self.as_struct()).dict, null_mut());
        }
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator.
        unsafe { cm_dealloc(o) }
    }
}

pub fn init() -> PyResult<()> {
    ready::<Function>()?;
    ready::<CellObject>()?;
    ready::<ClassMethod>()?;
    ready::<StaticMethod>()?;
    ready::<OtherBuiltins>()?;
    Ok(())
}
