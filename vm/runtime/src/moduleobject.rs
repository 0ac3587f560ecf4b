//! `module`, and `module!` for modules written in Rust.

use crate::prelude::*;
use core::ffi::{CStr, c_int, c_void};
use core::mem::offset_of;
use lh_abi::*;

impl Module {
    pub fn new(name: &str) -> Owned<Module> {
        Module::with_name(&Str::new(name))
    }
    pub fn with_name(name: &Str) -> Owned<Module> {
        // SAFETY: a fresh instance with its dict set.
        unsafe {
            let p = crate::typeobject::alloc(Module::type_ptr(), 0).expect("memory for a module");
            let m: Owned<Module> = Owned::from_raw(p);
            (*p.cast::<PyModuleObject>()).md_dict = Dict::new().into_raw();
            m.init_dict(name, None).expect("string keys");
            m
        }
    }
    fn init_dict(&self, name: &Object, doc: Option<&Object>) -> PyResult<()> {
        let d = self.dict();
        d.set_item(intern!("__name__"), name)?;
        d.set_item(intern!("__doc__"), doc.unwrap_or(none_ref()))?;
        d.set_item(intern!("__package__"), none_ref())?;
        d.set_item(intern!("__loader__"), none_ref())?;
        d.set_item(intern!("__spec__"), none_ref())?;
        if let Some(s) = name.downcast_exact::<Str>() {
            // SAFETY: a live module owns the field.
            unsafe { xdecref(std::mem::replace(&mut (*self.as_struct()).md_name, s.own().into_raw())) };
        }
        Ok(())
    }
    #[inline]
    pub fn dict(&self) -> &Dict {
        // SAFETY: set when the module was made; `module.__new__` makes it too.
        unsafe { Object::from_ptr((*self.as_struct()).md_dict).downcast_unchecked() }
    }
    pub fn add(&self, name: &str, value: &Object) -> PyResult<()> {
        self.dict().set_item(&Str::intern(Str::new(name)), value)
    }
    pub fn name(&self) -> String {
        match self.dict().get_str_key(intern!("__name__")) {
            Ok(Some(n)) => n.downcast::<Str>().map_or_else(|| "?".into(), |s| s.to_str_lossy().into_owned()),
            Ok(None) => "?".into(),
            Err(e) => {
                e.clear();
                "?".into()
            }
        }
    }
    pub fn get(&self, name: &str) -> PyResult<Owned<Object>> {
        self.get_attr_str(name)
    }
    /// Adds functions whose definitions are kept for ever.
    pub fn add_functions(&self, defs: Vec<PyMethodDef>) -> PyResult<()> {
        let name = self.dict().get_str_key(intern!("__name__"))?;
        for d in Box::leak(defs.into_boxed_slice()) {
            // SAFETY: names of definitions are C strings.
            let n = unsafe { CStr::from_ptr(d.ml_name) }.to_string_lossy().into_owned();
            let f = CFunction::new(d, Some(self), name.as_deref());
            self.add(&n, &f)?;
        }
        Ok(())
    }
    /// Makes the module what another interpreter's was when it was new: the same names, its functions bound to this module.
    pub fn refill(&self, first: &Dict) -> PyResult<()> {
        let name = self.dict().get_str_key(intern!("__name__"))?;
        let mut made: Vec<(*mut PyObject, Owned<Object>)> = vec![];
        for (k, v) in first.items_vec() {
            let new = if let Some((_, f)) = made.iter().find(|m| m.0 == v.ptr()) {
                f.clone()
            } else if let Some(f) = v.downcast_exact::<CFunction>()
                && f.self_obj().is_some_and(|o| o.is_instance_of::<Module>())
            {
                let f = CFunction::new(f.def(), Some(self), name.as_deref()).into_object();
                made.push((v.ptr(), f.clone()));
                f
            } else if let Some(d) = v.downcast_exact::<Dict>() {
                d.copy().into_object()
            } else if let Some(l) = v.downcast_exact::<List>() {
                List::from_vec(l.to_vec()).into_object()
            } else {
                v
            };
            self.dict().set_item(&k, &new)?;
        }
        Ok(())
    }
    pub fn set_doc(&self, doc: &str) -> PyResult<()> {
        self.dict().set_item(intern!("__doc__"), &Str::new(doc))
    }
    #[inline]
    pub fn def(&self) -> *mut PyModuleDef {
        // SAFETY: a live module.
        unsafe { (*self.as_struct()).md_def.cast() }
    }
    /// The module's C state (`PyModule_GetState`).
    #[inline]
    pub fn state(&self) -> *mut c_void {
        // SAFETY: a live module.
        unsafe { (*self.as_struct()).md_state }
    }
    /// # Safety
    /// `def` outlives the module and `state` is its state (freed with the module) or null.
    pub unsafe fn set_def(&self, def: *mut PyModuleDef, state: *mut c_void) {
        // SAFETY: a live module.
        unsafe {
            (*self.as_struct()).md_def = def.cast();
            (*self.as_struct()).md_state = state;
        }
    }
}

fn install_members(b: &mut TypeBuilder) {
    b.member(c"__dict__", T_OBJECT, offset_of!(PyModuleObject, md_dict), READONLY);
    b.doc(c"module(name, doc=None)\n--\n\nCreate a module object.\n\nThe name must be a string; the optional docstring can have any type.");
}

#[pymethods(extra = install_members)]
impl Module {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _a: &Tuple, _k: Option<&Dict>) -> PyResult {
        // SAFETY: a fresh instance with its dict set.
        unsafe {
            let p = crate::typeobject::alloc(cls.tp(), 0)?;
            let o = Owned::from_raw(p);
            (*p.cast::<PyModuleObject>()).md_dict = Dict::new().into_raw();
            Ok(o)
        }
    }
    #[init(name = "module", signature = "(name, doc=None)")]
    fn tp_init(&self, name: &Str, doc: Option<&Object>) -> PyResult<()> {
        self.init_dict(name, doc)
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> PyResult {
        let b = crate::hooks::import_module("importlib._bootstrap");
        match b {
            Ok(b) => b.call_method("_module_repr", &[self]),
            Err(e) => {
                e.clear();
                format!("<module '{}'>", self.name()).into_py()
            }
        }
    }
    #[slot(tp_getattro)]
    fn getattro(&self, name: &Object) -> PyResult {
        let Some(n) = name.downcast::<Str>() else {
            return raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name());
        };
        if let Some(v) = self.generic_get(n)? {
            return Ok(v);
        }
        let d = self.dict();
        if let Some(g) = d.get_str_key(intern!("__getattr__"))? {
            return g.call1(n);
        }
        match d.get_str_key(intern!("__name__"))?.as_deref().and_then(|m| m.downcast::<Str>()) {
            Some(m) => {
                if initializing(self)? {
                    return raise!(
                        AttributeError,
                        "partially initialized module '{}' has no attribute '{}' (most likely due to a circular import)",
                        m.to_str_lossy(),
                        n.to_str_lossy()
                    );
                }
                if unfinished_submodule(self, n)? {
                    return raise!(
                        AttributeError,
                        "cannot access submodule '{}' of module '{}' (most likely due to a circular import)",
                        n.to_str_lossy(),
                        m.to_str_lossy()
                    );
                }
                raise!(
                    AttributeError,
                    "module '{}' has no attribute '{}'",
                    m.to_str_lossy(),
                    n.to_str_lossy()
                )
            }
            None => raise!(AttributeError, "module has no attribute '{}'", n.to_str_lossy()),
        }
    }
    #[pymethod]
    fn __dir__(&self) -> PyResult {
        let d = self.get_attr(intern!("__dict__"))?;
        let Some(d) = d.downcast::<Dict>() else {
            return raise!(TypeError, "{}.__dict__ is not a dictionary", self.name());
        };
        match d.get_str_key(intern!("__dir__"))? {
            Some(f) => f.call0(),
            None => List::from_vec(d.keys_vec()).into_py(),
        }
    }
    #[getter]
    fn __annotations__(&self) -> PyResult {
        let d = self.dict();
        match d.get_str_key(intern!("__annotations__"))? {
            Some(a) => Ok(a),
            None => {
                let a = Dict::new();
                d.set_item(intern!("__annotations__"), &a)?;
                Ok(a.into_object())
            }
        }
    }
    #[setter(__annotations__)]
    fn set_annotations(&self, v: Option<&Object>) -> PyResult<()> {
        match v {
            Some(v) => self.dict().set_item(intern!("__annotations__"), v),
            None => {
                if self.dict().del_item(intern!("__annotations__"))? {
                    Ok(())
                } else {
                    raise!(AttributeError, "__annotations__")
                }
            }
        }
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator of a module.
        unsafe {
            crate::gc::untrack(o);
            crate::weakref::clear_weakrefs(o);
            let m = o.cast::<PyModuleObject>();
            let def = (*m).md_def.cast::<PyModuleDef>();
            if !def.is_null()
                && let Some(f) = (*def).m_free
                && ((*def).m_size <= 0 || !(*m).md_state.is_null())
            {
                f(o.cast());
            }
            xdecref((*m).md_dict);
            xdecref((*m).md_name);
            if !(*m).md_state.is_null() {
                crate::alloc::free((*m).md_state);
            }
            crate::typeobject::free_instance(o);
        }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        // SAFETY: a live module; its definition's traverse function takes it.
        unsafe {
            let m = self.as_struct();
            let def = (*m).md_def.cast::<PyModuleDef>();
            if !def.is_null()
                && let Some(f) = (*def).m_traverse
                && ((*def).m_size <= 0 || !(*m).md_state.is_null())
            {
                let r: c_int = f(self.raw(), v.visit, v.arg);
                if r != 0 {
                    v.result = r;
                    return;
                }
            }
            v.visit_ptr((*m).md_dict);
        }
    }
    #[slot(tp_clear)]
    fn tp_clear(&self) {
        // SAFETY: a live module that is garbage.
        unsafe {
            let m = self.as_struct();
            let def = (*m).md_def.cast::<PyModuleDef>();
            if !def.is_null()
                && let Some(f) = (*def).m_clear
                && ((*def).m_size <= 0 || !(*m).md_state.is_null())
            {
                f(self.raw());
            }
            // Only the module lets go of its dictionary: functions that live on still look names up in it.
            let old = std::mem::replace(&mut (*m.cast::<PyModuleObject>()).md_dict, Dict::new().into_raw());
            xdecref(old);
        }
    }
}

/// Is the module's import under way (`__spec__._initializing`)?
/// Is that submodule being imported?
fn unfinished_submodule(m: &Module, name: &Str) -> PyResult<bool> {
    if let Some(s) = m.dict().get_str_key(intern!("__spec__"))?
        && !s.is_none()
        && let Some(v) = s.get_attr_opt(intern!("_uninitialized_submodules"))?
    {
        return v.contains_item(name);
    }
    Ok(false)
}

fn initializing(m: &Module) -> PyResult<bool> {
    if let Some(s) = m.dict().get_str_key(intern!("__spec__"))?
        && !s.is_none()
        && let Some(v) = s.get_attr_opt(intern!("_initializing"))?
    {
        return v.is_true();
    }
    Ok(false)
}

pub fn init() -> PyResult<()> {
    ready::<Module>()?;
    ready::<ModuleDefType>()?;
    Ok(())
}

crate::kind!(/** `moduledef`: the type of C modules' definitions */ ModuleDefType: PyModuleDef, crate::type_table::PyModuleDef_Type);
#[pymethods]
impl ModuleDefType {}

/// Defines `pub fn make() -> PyResult<Owned<Module>>`:
/// `module! { "math", doc: "text", functions: [sqrt, sin], types: [Chain], init: setup }`.
/// Every key after the name may be left out, in this order.
#[macro_export]
macro_rules! module {
    ($name:literal $(, doc: $doc:expr)? $(, functions: [$($f:ident),* $(,)?])? $(, types: [$($t:ty),* $(,)?])? $(, init: $init:expr)? $(,)?) => {
        /// Makes the module.
        pub fn make() -> $crate::errors::PyResult<$crate::object::Owned<$crate::kinds::Module>> {
            let m = $crate::kinds::Module::new($name);
            $( m.set_doc($doc)?; )?
            $( m.add_functions(vec![$($f::def()),*])?; )?
            $( $( {
                let t = $crate::builder::ready::<$t>()?;
                let n = t.name();
                m.add(n.rsplit('.').next().unwrap_or(&n), t)?;
            } )* )?
            $( { let f: fn(&$crate::kinds::Module) -> $crate::errors::PyResult<()> = $init; f(&m)?; } )?
            Ok(m)
        }
    };
}
