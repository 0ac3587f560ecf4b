//! Built-in functions (`PyCFunctionObject`) and how C functions of every `METH_*` kind are called.

use crate::kind;
use crate::prelude::*;
use core::ffi::{CStr, c_int, c_void};
use lh_abi::*;
use std::ptr::null_mut;

const KIND: c_int = METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD;

/// The name in a method definition.
///
/// # Safety
/// `def` is a live definition.
pub unsafe fn def_name(def: *const PyMethodDef) -> String {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr((*def).ml_name).to_string_lossy().into_owned() }
}

/// The doc string without its signature line, and the signature text, of a built-in's `ml_doc`/`tp_doc`.
pub fn split_doc(name: &str, doc: Option<&CStr>) -> (Option<String>, Option<String>) {
    let Some(doc) = doc else { return (None, None) };
    let doc = doc.to_string_lossy();
    let short = name.rsplit('.').next().unwrap_or(name);
    if let Some(rest) = doc.strip_prefix(short)
        && rest.starts_with('(')
        && let Some(end) = rest.find(")\n--\n\n")
    {
        return (Some(rest[end + 6..].to_string()), Some(rest[..=end].to_string()));
    }
    (Some(doc.into_owned()), None)
}

/// Calls a method definition's C function with vectorcall arguments. `name` is only asked for in errors.
///
/// # Safety
/// `self_` is what the function expects; arguments are live; `class` is the defining class for `METH_METHOD`.
#[inline]
pub unsafe fn call_def(
    def: *mut PyMethodDef,
    self_: *mut PyObject,
    class: *mut PyTypeObject,
    args: *const *mut PyObject,
    n: usize,
    kwnames: *mut PyObject,
    name: impl Fn() -> String,
) -> *mut PyObject {
    // SAFETY: the flags say which C signature the pointer has; the caller's promise for the rest.
    unsafe {
        let f = (*def).ml_meth.unwrap_unchecked();
        let nkw = if kwnames.is_null() { 0 } else { (*kwnames.cast::<PyVarObject>()).ob_size };
        let flags = (*def).ml_flags & KIND;
        if nkw != 0 && flags & METH_KEYWORDS == 0 {
            let _ = raised!(TypeError, "{}() takes no keyword arguments", name());
            return null_mut();
        }
        match flags {
            METH_NOARGS => {
                if n != 0 {
                    let _ = raised!(TypeError, "{}() takes no arguments ({} given)", name(), n);
                    return null_mut();
                }
                f(self_, null_mut())
            }
            METH_O => {
                if n != 1 {
                    let _ = raised!(TypeError, "{}() takes exactly one argument ({} given)", name(), n);
                    return null_mut();
                }
                f(self_, *args)
            }
            METH_FASTCALL => {
                core::mem::transmute::<PyCFunction, _PyCFunctionFast>(f)(self_, args, n as isize)
            }
            x if x == METH_FASTCALL | METH_KEYWORDS => {
                core::mem::transmute::<PyCFunction, _PyCFunctionFastWithKeywords>(f)(
                    self_,
                    args,
                    n as isize,
                    if nkw == 0 { null_mut() } else { kwnames },
                )
            }
            x if x == METH_METHOD | METH_FASTCALL | METH_KEYWORDS => {
                core::mem::transmute::<PyCFunction, PyCMethod>(f)(self_, class, args, n, kwnames)
            }
            METH_VARARGS => {
                let Ok(t) = Tuple::from_raw_items(args, n) else { return null_mut() };
                let r = f(self_, t.ptr());
                drop(t);
                r
            }
            x if x == METH_VARARGS | METH_KEYWORDS => {
                let t = crate::protocols::tuple_of_raw(args, n);
                let kw = if nkw == 0 {
                    None
                } else {
                    match crate::protocols::dict_of_kwnames(args.add(n), kwnames) {
                        Ok(d) => Some(d),
                        Err(Raised { .. }) => return null_mut(),
                    }
                };
                core::mem::transmute::<PyCFunction, PyCFunctionWithKeywords>(f)(
                    self_,
                    t.ptr(),
                    kw.as_ref().map_or(null_mut(), |d| d.ptr()),
                )
            }
            other => {
                let _ = raised!(SystemError, "{}() method: bad call flags {}", name(), other);
                null_mut()
            }
        }
    }
}

/// Debug check of C functions' results: an error without NULL or NULL without an error becomes `SystemError`.
#[inline]
pub fn check_result(r: *mut PyObject, who: impl Fn() -> String) -> *mut PyObject {
    if r.is_null() != occurred() { bad_result(r, who()) } else { r }
}
#[cold]
fn bad_result(r: *mut PyObject, who: String) -> *mut PyObject {
    if r.is_null() {
        let _ = raised!(SystemError, "{} returned NULL without setting an exception", who);
    } else {
        // SAFETY: the function handed over a reference.
        unsafe { decref(r) };
        let cause = take_raised();
        let e = raised!(SystemError, "{} returned a result with an exception set", who).take();
        e.set_cause(Some(cause.clone().into_object()));
        e.set_context(Some(cause.into_object()));
        let _ = raise_exc(e);
    }
    null_mut()
}

unsafe extern "C" fn vectorcall(
    f: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: called by the vectorcall protocol on a built-in function.
    unsafe {
        let Ok(_depth) = crate::thread::enter_recursive(" while calling a Python object") else {
            return null_mut();
        };
        let c = f.cast::<PyCFunctionObject>();
        let class = if (*(*c).m_ml).ml_flags & METH_METHOD != 0 {
            (*f.cast::<PyCMethodObject>()).mm_class
        } else {
            null_mut()
        };
        let self_ = if (*(*c).m_ml).ml_flags & METH_STATIC != 0 { null_mut() } else { (*c).m_self };
        let r = call_def(
            (*c).m_ml,
            self_,
            class,
            args,
            nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET,
            kwnames,
            || match (*(*c).m_ml).ml_flags & METH_VARARGS {
                0 => qualified(Object::from_ptr(f).downcast_unchecked()),
                _ => def_name((*c).m_ml),
            },
        );
        check_result(r, || Object::from_ptr(f).repr_lossy())
    }
}

/// Runs the C function of `f` as a level of recursion.
#[inline(always)]
unsafe fn counted(f: *mut PyObject, run: impl FnOnce() -> *mut PyObject) -> *mut PyObject {
    // SAFETY: the GIL is held.
    unsafe {
        let ts = crate::thread::Thread::current_ptr();
        if !crate::thread::descend(ts, " while calling a Python object") {
            return null_mut();
        }
        let r = run();
        (*ts).recursion_remaining += 1;
        if r.is_null() == (*ts).curexc_type.is_null() { bad_result_of(f, r) } else { r }
    }
}
#[cold]
#[inline(never)]
unsafe fn bad_result_of(f: *mut PyObject, r: *mut PyObject) -> *mut PyObject {
    // SAFETY: a live function.
    bad_result(r, unsafe { Object::from_ptr(f).repr_lossy() })
}
/// The commonest kinds have a vectorcall of their own, for calls that fit.
macro_rules! by_kind {
    ($($name:ident: ($n:ident, $kw:ident) $fits:expr, |$def:ident, $this:ident, $args:ident| $run:expr;)*) => { $(
        unsafe extern "C" fn $name(
            f: *mut PyObject,
            $args: *const *mut PyObject,
            nargsf: usize,
            $kw: *mut PyObject,
        ) -> *mut PyObject {
            // SAFETY: called by the vectorcall protocol on a built-in function of that kind.
            unsafe {
                let $n = nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET;
                if !$fits {
                    return vectorcall(f, $args, nargsf, $kw);
                }
                let c = f.cast::<PyCFunctionObject>();
                let ($def, $this) = ((*(*c).m_ml).ml_meth.unwrap_unchecked(), (*c).m_self);
                counted(f, || $run)
            }
        }
    )* };
}
by_kind! {
    vectorcall_none: (n, kw) n == 0 && kw.is_null(), |run, this, args| run(this, null_mut());
    vectorcall_one: (n, kw) n == 1 && kw.is_null(), |run, this, args| run(this, *args);
    vectorcall_fast: (n, kw) kw.is_null(),
        |run, this, args| core::mem::transmute::<PyCFunction, _PyCFunctionFast>(run)(this, args, n as isize);
    vectorcall_keywords: (n, kw) true,
        |run, this, args| core::mem::transmute::<PyCFunction, _PyCFunctionFastWithKeywords>(run)(this, args, n as isize, kw);
}
impl CFunction {
    /// The call of a function that wants its arguments as a tuple and a dictionary, if it is one and they suit it: with these very objects.
    pub(crate) fn call_with_tuple(&self, args: &Tuple, kwargs: Option<&Dict>) -> Option<PyResult> {
        // SAFETY: the flags say what the function takes.
        unsafe {
            let c = self.as_ptr().cast::<PyCFunctionObject>();
            let def = (*c).m_ml;
            let flags = (*def).ml_flags & !(METH_COEXIST | METH_CLASS);
            let keywords = flags == METH_VARARGS | METH_KEYWORDS;
            if !(keywords || flags == METH_VARARGS && kwargs.is_none_or(|d| d.len() == 0))
                || crate::capidebug::on()
            {
                return None;
            }
            let run: PyCFunctionWithKeywords = core::mem::transmute((*def).ml_meth.unwrap_unchecked());
            let kw = kwargs.map_or(null_mut(), |d| d.raw());
            // Whoever takes no keywords finds one argument more in its registers.
            Some(from_c(counted(self.as_ptr(), || run((*c).m_self, args.raw(), kw))))
        }
    }
}
/// The vectorcall of a function with this definition.
unsafe fn vectorcall_for(def: *mut PyMethodDef) -> vectorcallfunc {
    if crate::capidebug::on() {
        return Some(watched);
    }
    // SAFETY: a function's definition outlives it.
    Some(match unsafe { (*def).ml_flags } & !(METH_COEXIST | METH_CLASS) {
        METH_NOARGS => vectorcall_none,
        METH_O => vectorcall_one,
        METH_FASTCALL => vectorcall_fast,
        x if x == METH_FASTCALL | METH_KEYWORDS => vectorcall_keywords,
        _ => vectorcall,
    })
}

/// `vectorcall` in the debug mode of the C API. Argument 0 is `self` or the module.
unsafe extern "C" fn watched(
    f: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: called by the vectorcall protocol on a built-in function.
    unsafe {
        let c = f.cast::<PyCFunctionObject>();
        let mut objects = vec![(*c).m_self];
        objects.extend((0..all_arguments(nargsf, kwnames)).map(|i| *args.add(i)));
        crate::capidebug::watch((*c).m_ml, &objects, || vectorcall(f, args, nargsf, kwnames))
    }
}
/// The number of positional and keyword arguments of a vectorcall.
///
/// # Safety
/// The arguments are those of a vectorcall.
pub(crate) unsafe fn all_arguments(nargsf: usize, kwnames: *mut PyObject) -> usize {
    let nkw = if kwnames.is_null() {
        0
    } else {
        // SAFETY: keyword names are a tuple.
        unsafe { (*kwnames.cast::<PyVarObject>()).ob_size as usize }
    };
    (nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET) + nkw
}

/// The name as call errors show it: `len`, `list.append` for methods, `math.sqrt` for functions of modules.
fn qualified(f: &CFunction) -> String {
    match f.qualname() {
        Ok(q) => {
            let module = f.get_attr_opt(intern!("__module__")).ok().flatten();
            match module.as_deref().and_then(|m| m.downcast::<Str>()) {
                Some(m) if !m.equals_str("builtins") => format!("{}.{}", m.to_str_lossy(), q),
                _ => q,
            }
        }
        Err(e) => {
            e.clear();
            f.name()
        }
    }
}

/// Refuses an extension's definition whose flags make no sense.
///
/// The definition that calls go by: `def`, unless its function is null.
///
/// # Safety
/// A live definition.
pub unsafe fn check_def(def: *mut PyMethodDef) -> PyResult<*mut PyMethodDef> {
    const FAST: c_int = METH_FASTCALL | METH_KEYWORDS;
    const KEYWORDS: c_int = METH_VARARGS | METH_KEYWORDS;
    const DEFINING: c_int = METH_METHOD | FAST;
    // SAFETY: the caller's promise.
    unsafe {
        let flags = (*def).ml_flags;
        match flags & (DEFINING | METH_VARARGS | METH_NOARGS | METH_O) {
            METH_VARARGS | KEYWORDS | METH_FASTCALL | FAST | METH_NOARGS | METH_O | DEFINING => {}
            _ => return raise!(SystemError, "{}() method: bad call flags", def_name(def)),
        }
        if (*def).ml_meth.is_some() {
            return Ok(def);
        }
        let ml_meth = Some(no_function as PyCFunction);
        Ok(Box::into_raw(Box::new(PyMethodDef { ml_meth, ..core::ptr::read(def) })))
    }
}
/// What stands for a function pointer that is null.
unsafe extern "C" fn no_function(_: *mut PyObject, _: *mut PyObject) -> *mut PyObject {
    null_mut()
}

impl CFunction {
    /// `def` must live as long as the function (static or leaked).
    pub fn new(def: *mut PyMethodDef, self_: Option<&Object>, module: Option<&Object>) -> Owned<CFunction> {
        // SAFETY: the fields are written before the object is tracked.
        unsafe {
            let o = crate::gc::new_builtin(CFunction::type_ptr(), size_of::<PyCFunctionObject>());
            assert!(!o.is_null(), "out of memory");
            let f = o.cast::<PyCFunctionObject>();
            (*f).m_ml = def;
            (*f).m_self = self_.map_or(null_mut(), |s| s.own().into_raw());
            (*f).m_module = module.map_or(null_mut(), |s| s.own().into_raw());
            (*f).m_weakreflist = null_mut();
            (*f).vectorcall = vectorcall_for(def);
            crate::gc::track(o);
            Owned::from_raw(o)
        }
    }
    /// A method that gets its defining class (`METH_METHOD`).
    pub fn new_method(
        def: *mut PyMethodDef,
        self_: Option<&Object>,
        module: Option<&Object>,
        class: &Type,
    ) -> Owned<CFunction> {
        // SAFETY: as `new`; the larger struct of `builtin_method`.
        unsafe {
            let o = crate::gc::new_object(&raw mut crate::type_table::PyCMethod_Type, 0);
            assert!(!o.is_null(), "out of memory");
            let f = o.cast::<PyCFunctionObject>();
            (*f).m_ml = def;
            (*f).m_self = self_.map_or(null_mut(), |s| s.own().into_raw());
            (*f).m_module = module.map_or(null_mut(), |s| s.own().into_raw());
            (*f).vectorcall = vectorcall_for(def);
            (*o.cast::<PyCMethodObject>()).mm_class = class.own().into_raw().cast();
            crate::gc::track(o);
            Owned::from_raw(o)
        }
    }
    pub fn def(&self) -> *mut PyMethodDef {
        // SAFETY: set at birth, never changed.
        unsafe { (*self.as_struct()).m_ml }
    }
    pub fn name(&self) -> String {
        // SAFETY: a function's definition outlives it.
        unsafe { def_name(self.def()) }
    }
    pub fn self_obj(&self) -> Option<&Object> {
        // SAFETY: the function owns its self.
        unsafe { Object::from_ptr_opt((*self.as_struct()).m_self) }
    }
    fn qualname(&self) -> PyResult<String> {
        let name = self.name();
        match self.self_obj() {
            None => Ok(name),
            Some(s) if s.is_instance_of::<Module>() => Ok(name),
            Some(s) => {
                let t = match s.downcast::<Type>() {
                    Some(t) => t,
                    None => s.ty(),
                };
                let q = t.get_attr(intern!("__qualname__"))?;
                match q.downcast::<Str>() {
                    Some(q) => Ok(format!("{}.{}", q.to_str_lossy(), name)),
                    None => raise!(TypeError, "<method>.__class__.__qualname__ is not a unicode object"),
                }
            }
        }
    }
}

fn docs(f: &CFunction) -> (Option<String>, Option<String>) {
    // SAFETY: a function's definition outlives it.
    unsafe {
        let d = (*f.def()).ml_doc;
        split_doc(&f.name(), if d.is_null() { None } else { Some(CStr::from_ptr(d)) })
    }
}

fn install_members(b: &mut TypeBuilder) {
    b.member(c"__module__", T_OBJECT, core::mem::offset_of!(PyCFunctionObject, m_module), 0);
}

#[pymethods(extra = install_members)]
impl CFunction {
    #[getter]
    fn __name__(&self) -> String {
        self.name()
    }
    #[getter]
    fn __qualname__(&self) -> PyResult<String> {
        self.qualname()
    }
    #[getter]
    fn __doc__(&self) -> Option<String> {
        docs(self).0.filter(|d| !d.is_empty())
    }
    #[getter]
    fn __text_signature__(&self) -> Option<String> {
        docs(self).1
    }
    #[getter]
    fn __self__(&self) -> Option<Owned<Object>> {
        // SAFETY: a function's definition outlives it.
        if unsafe { (*self.def()).ml_flags } & METH_STATIC != 0 {
            None
        } else {
            self.self_obj().map(|s| s.own())
        }
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        match self.self_obj() {
            Some(s) if !s.is_instance_of::<Module>() => {
                let getattr = crate::sysobject::builtins_dict().get_str("getattr")?;
                (getattr, (s, self.name())).into_py()
            }
            _ => self.name().into_py(),
        }
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> String {
        match self.self_obj() {
            Some(s) if !s.is_instance_of::<Module>() => {
                format!("<built-in method {} of {} object at {:p}>", self.name(), s.ty().name(), s.as_ptr())
            }
            _ => format!("<built-in function {}>", self.name()),
        }
    }
    #[slot(tp_hash)]
    fn tp_hash(&self) -> PyResult<isize> {
        let p = |p: *mut c_void| (p as usize).rotate_right(4) as isize;
        // SAFETY: plain fields.
        unsafe {
            Ok(p((*self.as_struct()).m_self.cast())
                ^ p((*self.def()).ml_meth.map_or(null_mut(), |f| f as *mut c_void)))
        }
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> Owned<Object> {
        let Some(o) = other.downcast::<CFunction>() else { return not_implemented() };
        // SAFETY: plain fields.
        let eq = unsafe {
            (*self.as_struct()).m_self == (*o.as_struct()).m_self
                && (*self.def()).ml_meth.map(|f| f as usize) == (*o.def()).ml_meth.map(|f| f as usize)
        };
        match op {
            CompareOp::Eq => bool_obj(eq),
            CompareOp::Ne => bool_obj(!eq),
            _ => not_implemented(),
        }
    }
    #[slot(tp_call)]
    fn tp_call(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        match self.call_with_tuple(args, kw) {
            Some(r) => r,
            None => self.as_object().vectorcall_tuple(vectorcall, args, kw),
        }
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator of a built-in function.
        unsafe {
            crate::gc::untrack(o);
            let f = o.cast::<PyCFunctionObject>();
            if !(*f).m_weakreflist.is_null() {
                crate::weakref::clear_weakrefs(o);
            }
            let method = (*(*f).m_ml).ml_flags & METH_METHOD != 0;
            if method {
                xdecref((*o.cast::<PyCMethodObject>()).mm_class.cast());
            }
            xdecref((*f).m_self);
            xdecref((*f).m_module);
            if method || (*o).ob_type != CFunction::type_ptr() {
                crate::typeobject::free_instance(o);
            } else {
                crate::gc::free_untracked(o, size_of::<PyCFunctionObject>());
            }
        }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        // SAFETY: fields of a live function.
        unsafe {
            v.visit_ptr((*self.as_struct()).m_self);
            v.visit_ptr((*self.as_struct()).m_module);
            if (*self.def()).ml_flags & METH_METHOD != 0 {
                v.visit_ptr((*self.raw().cast::<PyCMethodObject>()).mm_class.cast());
            }
        }
    }
}

kind!(/** `builtin_method`: a built-in function that knows its defining class */ CMethod: PyCMethodObject, crate::type_table::PyCMethod_Type);
#[pymethods]
impl CMethod {}

pub fn init() -> PyResult<()> {
    ready::<CFunction>()?;
    ready::<CMethod>()?;
    Ok(())
}
