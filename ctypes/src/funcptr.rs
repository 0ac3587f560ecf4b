//! Functions: the metaclass, `CFuncPtr` instances, and what happens around a call.
//!
//! Calling goes three ways. If the prototype is simple enough the instance has a call stub (sig.rs) that does all the
//! work in machine code; when that declines, or there is none, the generic path of call.rs converts and calls; and
//! `paramflags` (out-parameters, names, defaults) are resolved before it.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::sync::Arc;

use lh_abi::*;
use lh_foreign::ctype::CType;
use lh_foreign::publish::Published;
use lh_foreign::sig::{NativeSig, RawObj};
use lh_foreign::stub::{SLOW, Stub};
use lh_runtime::prelude::*;

use crate::call::*;
use crate::callback::Thunk;
use crate::cdata::*;
use crate::info::*;

/// Function Pointer
#[repr(C)]
#[pyclass(name = "CFuncPtr", module = "_ctypes", base = CData, basetype)]
pub struct CFuncPtr {
    #[notrace]
    vectorcall: Cell<*mut c_void>,
    /// Changes whenever the signature does (publish.rs); 0 before there is one.
    #[notrace]
    pub version: Cell<u64>,
    /// The stub to try first, once made.
    #[notrace]
    pub stub: Cell<Option<Stub>>,
    /// The stub for the call alone, where Python code prepares its arguments or works on its result (`paramflags`,
    /// `errcheck`, a callable `restype`).
    #[notrace]
    pub inner: Cell<Option<Stub>>,
    /// How often the generic path ran since the prototype last changed; a stub is made after a few.
    #[notrace]
    pub slow_calls: Cell<u32>,
    /// The signature behind the stub, for whoever asks (the JIT).
    #[notrace]
    pub sig: RefCell<Option<Arc<NativeSig>>>,
    /// Classes named by the signature.
    #[notrace]
    pub sig_types: RefCell<Vec<Owned<Object>>>,
    /// Known not to call back into Python, to be short, and not to block: the GIL stays held.
    #[notrace]
    pub leaf: Cell<bool>,
    pub callable: Slot,
    pub argtypes: Slot<Tuple>,
    pub converters: Slot<Tuple>,
    pub restype: Slot,
    pub checker: Slot,
    pub errcheck: Slot,
    pub paramflags: Slot<Tuple>,
}

const VECTORCALL_OFFSET: usize = CFuncPtr::OFFSET;
const VERSION_OFFSET: usize = CFuncPtr::OFFSET + std::mem::offset_of!(CFuncPtr, version);

/// Answers for function instances that have been called a few times.
unsafe fn provide(callable: RawObj) -> Option<Published> {
    // SAFETY: registered for our vectorcall function, which only instances carry.
    let f: &CFuncPtr = unsafe { lh_runtime::slots::this(callable.cast()) };
    let sig = f.sig.borrow().clone()?;
    // Exactly pointers: a subclass may have an `__init__` or a `__del__` of its own.
    let pointer = f.effective_restype().and_then(|r| {
        let plain = info_of(&r)?.kind == ClassKind::Pointer
            && r.ob_type() == PointerMeta::type_ptr()
            // SAFETY: a ready type has a base.
            && unsafe { (*r.as_ptr().cast::<PyTypeObject>()).tp_base } == Pointer::type_ptr()
            && r.downcast::<Type>().is_some_and(crate::place::may_be_left_out);
        plain.then(|| (r.as_ptr().cast(), crate::place::make_pointer as lh_foreign::place::PointerMaker))
    });
    Some(Published {
        sig,
        version_at: VERSION_OFFSET as u32,
        version: f.version.get(),
        helpers: crate::sig::helpers(),
        pointer,
    })
}

/// Makes the signatures of function instances known.
pub fn register_provider() {
    lh_foreign::publish::register(vectorcall as *const () as usize, provide);
}

/// Fills in the payload of a fresh instance.
///
/// # Safety
/// `o` is a new instance of a subtype of `CFuncPtr`, its payload not yet written.
pub unsafe fn init_payload(o: *mut PyObject) {
    let p = CFuncPtr {
        vectorcall: Cell::new(vectorcall as *mut c_void),
        version: Cell::new(0),
        stub: Cell::new(None),
        inner: Cell::new(None),
        slow_calls: Cell::new(0),
        sig: RefCell::new(None),
        sig_types: RefCell::new(Vec::new()),
        leaf: Cell::new(false),
        callable: Slot::empty(),
        argtypes: Slot::empty(),
        converters: Slot::empty(),
        restype: Slot::empty(),
        checker: Slot::empty(),
        errcheck: Slot::empty(),
        paramflags: Slot::empty(),
    };
    // SAFETY: the caller's promise.
    unsafe { o.cast::<u8>().add(CFuncPtr::OFFSET).cast::<CFuncPtr>().write(p) }
}

// ---- The metaclass ----

pub fn install_meta(b: &mut TypeBuilder) {
    install_class_methods(b, false);
    b.slot(Py_tp_new, lh_runtime::slot_new!(Type, new_class));
    b.slot(Py_tp_setattro, lh_runtime::slot_set!(Type, class_setattr));
}

fn new_class(meta: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Type>> {
    let cls = type_new(meta, args, kwargs)?;
    let obj = cls.as_object();
    let info = Info::new(ClassKind::Func, CType::func_pointer(None));
    info.add(IS_POINTER);
    info.length.set(1);
    info.set_format("X{}");
    match obj.get_attr_opt(intern!("_flags_"))?.and_then(|f| f.downcast_owned::<Int>().ok()) {
        Some(f) => info.func.flags.set(f.to_u64_wrapping() as i32),
        None => return raise!(TypeError, "class must define _flags_ which must be an integer"),
    }
    if let Some(a) = obj.get_attr_opt(intern!("_argtypes_"))?.filter(|a| !a.is_none()) {
        let Some(t) = a.downcast::<Tuple>() else {
            return raise!(TypeError, "_argtypes_ must be a sequence of types");
        };
        info.func.converters.set(Some(converters_of(t)?));
        info.func.argtypes.set(Some(t.own()));
    }
    if let Some(r) = obj.get_attr_opt(intern!("_restype_"))? {
        if !r.is_none() && info_of(&r).is_none() && !r.is_callable() {
            return raise!(TypeError, "_restype_ must be a type, a callable, or None");
        }
        info.func.checker.set(check_retval(&r)?);
        info.func.restype.set(Some(r));
    }
    set_info(&cls, info);
    // Heap types don't inherit the vectorcall flag, for `__call__` may be overridden.
    // SAFETY: the type was just made; nobody has called an instance yet.
    unsafe {
        let call = |t: *mut PyTypeObject| (*t).tp_call.map(|f| f as usize);
        if call(cls.tp()) == call(CFuncPtr::type_ptr()) {
            (*cls.tp()).tp_vectorcall_offset = VECTORCALL_OFFSET as isize;
            (*cls.tp()).tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
        }
    }
    Ok(cls)
}

fn class_setattr(cls: &Type, name: &Object, value: Option<&Object>) -> PyResult<()> {
    type_setattr(cls, name, value)?;
    if name.downcast::<Str>().is_some_and(|n| n.equals_str("__call__")) {
        // SAFETY: from now on calls must look for `__call__`.
        unsafe { (*cls.tp()).tp_flags &= !(Py_TPFLAGS_HAVE_VECTORCALL) };
    }
    Ok(())
}

fn check_retval(restype: &Object) -> PyResult<Option<Owned<Object>>> {
    if restype.is_none() { Ok(None) } else { restype.get_attr_opt(intern!("_check_retval_")) }
}

fn converters_of(types: &Tuple) -> PyResult<Owned<Tuple>> {
    let mut v = Vec::with_capacity(types.len());
    if types.len() > MAX_ARGS {
        let t = argument_error()?;
        let text = format!("_argtypes_ has too many arguments ({}), maximum is {}", types.len(), MAX_ARGS);
        return Err(lh_runtime::errors::set_object(&t, Some(Str::new(&text).into_object())));
    }
    for (i, t) in types.iter().enumerate() {
        match t.get_attr_opt(intern!("from_param"))? {
            Some(c) => v.push(c),
            None => return raise!(TypeError, "item {} in _argtypes_ has no from_param method", i + 1),
        }
    }
    Ok(Tuple::from_vec(v))
}

// ---- Making instances ----

impl CFuncPtr {
    pub fn data(&self) -> &CData {
        // SAFETY: CFuncPtr derives from CData.
        unsafe { self.as_object().downcast_unchecked() }
    }

    /// The function's address.
    pub fn target(&self) -> *const c_void {
        // SAFETY: a function instance's memory holds an address.
        unsafe { self.data().ptr.get().cast::<*const c_void>().read_unaligned() }
    }

    fn set_target(&self, p: *const c_void) {
        // SAFETY: as above.
        unsafe { self.data().ptr.get().cast::<*const c_void>().write_unaligned(p) }
    }

    fn flags(&self) -> i32 {
        self.data().info().func.flags.get()
    }

    /// `argtypes`, the instance's or the class's.
    pub fn effective_argtypes(&self) -> Option<Owned<Tuple>> {
        self.argtypes.get().or_else(|| self.data().info().func.argtypes.get())
    }

    fn effective_converters(&self) -> Option<Owned<Tuple>> {
        self.converters.get().or_else(|| self.data().info().func.converters.get())
    }

    pub fn effective_restype(&self) -> Option<Owned<Object>> {
        self.restype.get().or_else(|| self.data().info().func.restype.get())
    }

    pub fn effective_checker(&self) -> Option<Owned<Object>> {
        if self.restype.is_some() { self.checker.get() } else { self.data().info().func.checker.get() }
    }

    /// The prototype changed: forget what was compiled for it.
    fn changed(&self) {
        self.stub.set(None);
        self.inner.set(None);
        self.slow_calls.set(0);
        self.version.set(0);
        *self.sig.borrow_mut() = None;
    }
}

fn as_function(o: &CData) -> &CFuncPtr {
    // SAFETY: called for instances of function classes only.
    unsafe { o.as_object().downcast_unchecked() }
}

fn new_from_address(cls: &Type, addr: u64) -> PyResult<Owned<CData>> {
    let o = new_instance(cls)?;
    as_function(&o).set_target(addr as *const c_void);
    Ok(o)
}

/// `prototype((name, dll)[, paramflags])`.
fn new_from_dll(cls: &Type, args: &Tuple) -> PyResult<Owned<CData>> {
    if args.len() > 2 {
        return raise!(TypeError, "function takes at most 2 arguments ({} given)", args.len());
    }
    let spec = match args.item_ref(0).downcast::<Tuple>() {
        Some(t) if t.len() == 2 => t,
        _ => return raise!(TypeError, "illegal func_spec argument"),
    };
    let (name, dll) = (spec.item_ref(0), spec.item_ref(1));
    let name = if let Some(s) = name.downcast::<Str>() {
        c_string(s.to_str()?)?
    } else if let Some(b) = name.downcast::<Bytes>() {
        std::ffi::CString::new(b.as_bytes()).map_err(|_| raised!(ValueError, "embedded null byte"))?
    } else {
        return raise!(TypeError, "function name must be string, bytes object or integer");
    };
    lh_runtime::sysobject::audit("ctypes.dlsym", &[dll, spec.item_ref(0)])?;
    let handle = dll_handle(dll)?;
    // SAFETY: the handle is the library object's.
    let addr = match unsafe { lh_foreign::library::symbol(handle, &name) } {
        Ok(p) => p,
        Err(text) => return raise!(AttributeError, "{}", text),
    };
    let o = new_instance(cls)?;
    let f = as_function(&o);
    if let Some(flags) = args.iter().nth(1) {
        let info = o.info();
        let argtypes = info.func.argtypes.get();
        f.paramflags.set(check_paramflags(argtypes.as_deref(), flags)?);
    }
    f.set_target(addr);
    f.leaf.set(crate::sig::is_known_leaf(&name, addr));
    o.keep(0, Some(dll.own()))?;
    Ok(o)
}

/// `paramflags`: per parameter `(direction[, name[, default]])`.
fn check_paramflags(argtypes: Option<&Tuple>, flags: &Object) -> PyResult<Option<Owned<Tuple>>> {
    let (Some(types), false) = (argtypes, flags.is_none()) else { return Ok(None) };
    let Some(t) = flags.downcast::<Tuple>() else {
        return raise!(TypeError, "paramflags must be a tuple or None");
    };
    if t.len() != types.len() {
        return raise!(ValueError, "paramflags must have the same length as argtypes");
    }
    for (i, item) in t.iter().enumerate() {
        let bad = || raise!(TypeError, "paramflags must be a sequence of (int [,string [,value]]) tuples");
        let Some(row) = item.downcast::<Tuple>().filter(|r| (1..=3).contains(&r.len())) else { return bad() };
        let Some(direction) = row.item_ref(0).downcast::<Int>().and_then(Int::to_i64) else { return bad() };
        if row.len() > 1 && !row.item_ref(1).is_none() && row.item_ref(1).downcast::<Str>().is_none() {
            return bad();
        }
        match direction & 7 {
            0 | 1 | 5 | 3 => {}
            2 => {
                // An out-parameter must be a pointer to something we can make.
                let ty = types.item_ref(i);
                let fine = info_of(ty).is_some_and(|info| {
                    matches!(info.kind, ClassKind::Pointer | ClassKind::Array)
                        || info.scalar.is_some_and(|s| b"PzZ".contains(&s.code))
                });
                if !fine {
                    let name = ty.downcast::<Type>().map_or_else(|| ty.repr_lossy(), Type::name);
                    return raise!(
                        TypeError,
                        "'out' parameter {} must be a pointer type, not {}",
                        i + 1,
                        name
                    );
                }
            }
            other => {
                let _ = other;
                return raise!(TypeError, "paramflag value {} not supported", direction);
            }
        }
    }
    Ok(Some(t.own()))
}

/// `prototype(callable)`: a C function that calls back.
fn new_callback(cls: &Type, callable: &Object) -> PyResult<Owned<CData>> {
    let Some(info) = info_of(cls) else { return raise!(TypeError, "abstract class") };
    let (Some(_), Some(argtypes)) = (info.func.restype.get(), info.func.argtypes.get()) else {
        return raise!(TypeError, "cannot construct instance of this class: no argtypes slot");
    };
    let restype = info.func.restype.get().filter(|r| !r.is_none());
    let thunk = Thunk::make(callable, &argtypes, restype.as_deref(), info.func.flags.get())?;
    let o = new_instance(cls)?;
    as_function(&o).set_target(thunk.address());
    as_function(&o).callable.set(Some(callable.own()));
    o.keep(0, Some(thunk.into_object()))?;
    Ok(o)
}

// ---- Calling ----

unsafe extern "C" fn vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    let n = nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET;
    // SAFETY: the call protocol passes a live instance and live arguments; the stub was made for this prototype.
    unsafe {
        let f: &CFuncPtr = lh_runtime::slots::this(callable);
        if let (Some(stub), true) = (f.stub.get(), kwnames.is_null()) {
            let target = f.target();
            if !target.is_null() {
                let r = stub(callable.cast(), args.cast(), n, target);
                if r != SLOW {
                    return r.cast();
                }
            }
        }
        lh_runtime::border::object(|| {
            let a = Args::new(args, n, kwnames);
            let given: Vec<&Object> = a.iter().collect();
            let kw: Vec<(&Str, &Object)> = a.kwargs().collect();
            f.call(&given, &kw)
        })
    }
}

/// What `paramflags` made of the arguments.
struct Resolved {
    args: Vec<Owned<Object>>,
    /// Which arguments are results too; those in `made` were made by us.
    outs: Vec<usize>,
    in_outs: Vec<usize>,
}

impl CFuncPtr {
    fn call(&self, given: &[&Object], kw: &[(&Str, &Object)]) -> PyResult {
        let info = self.data().info();
        let resolved = self.resolve(given, kw)?;
        let refs: Vec<&Object>;
        let args: &[&Object] = match &resolved {
            Some(r) => {
                refs = r.args.iter().map(|a| &**a).collect();
                &refs
            }
            None => given,
        };
        let target = self.target();
        if target.is_null() {
            return raise!(ValueError, "attempt to call a NULL function pointer");
        }
        let converters = self.effective_converters();
        if let Some(c) = &converters {
            let required = c.len();
            let cdecl = info.func.flags.get() & FUNC_CDECL != 0;
            if args.len() < required || (!cdecl && args.len() != required) {
                let plural = if required == 1 { "" } else { "s" };
                let least = if cdecl { "at least " } else { "" };
                return raise!(
                    TypeError,
                    "this function takes {}{} argument{} ({} given)",
                    least,
                    required,
                    plural,
                    args.len()
                );
            }
        }
        let mut result = match self.call_inner(args, target) {
            Some(r) => {
                let v = r?;
                match self.effective_restype() {
                    Some(r) if !r.is_none() && info_of(&r).is_none() => r.call1(&v)?,
                    _ => match self.effective_checker() {
                        Some(c) => c.call1(&v)?,
                        None => v,
                    },
                }
            }
            None => {
                crate::sig::maybe_make_stub(self, args)?;
                let mut raw = convert_args(args, converters.as_deref())?;
                let restype = self.effective_restype();
                let ctype = result_ctype(restype.as_deref());
                let fixed = converters.as_ref().map(|c| c.len()).filter(|n| *n > 0);
                let room = call_native(target, self.flags(), &mut raw, fixed, ctype.as_deref())?;
                result_value(restype.as_deref(), &room, self.effective_checker().as_deref())?
            }
        };
        if let Some(check) = self.errcheck.get() {
            let all = Tuple::from_refs(args);
            let v = check.call(&[&result, self.as_object(), &all])?;
            // Returning the arguments unchanged means: go on and build the results from them.
            if v.ptr() != all.ptr() || resolved.is_none() {
                return Ok(v);
            }
            result = v;
        }
        match resolved {
            Some(r) if !r.outs.is_empty() || !r.in_outs.is_empty() => out_values(&r),
            _ => Ok(result),
        }
    }

    /// The call through the inner stub; `None` if there is none or it declines.
    fn call_inner(&self, args: &[&Object], target: *const c_void) -> Option<PyResult> {
        let stub = self.inner.get()?;
        // SAFETY: the stub was made for this prototype; a slice of references is a vector of object pointers.
        unsafe {
            let r = stub(self.as_object().as_ptr().cast(), args.as_ptr().cast(), args.len(), target);
            (r != SLOW).then(|| from_c(r.cast()))
        }
    }

    /// Applies `paramflags`: fills in defaults, names and out-parameters.
    fn resolve(&self, given: &[&Object], kw: &[(&Str, &Object)]) -> PyResult<Option<Resolved>> {
        let (flags, types) = match (self.paramflags.get(), self.effective_argtypes()) {
            (Some(f), Some(t)) if t.len() > 0 => (f, t),
            _ => return Ok(None),
        };
        let mut r = Resolved { args: Vec::with_capacity(types.len()), outs: vec![], in_outs: vec![] };
        let (mut used, mut used_kw) = (0, 0);
        for i in 0..types.len() {
            let Some(row) = flags.iter().nth(i).and_then(|x| x.downcast::<Tuple>()) else {
                return raise!(TypeError, "paramflags must be a sequence of (int [,string [,value]]) tuples");
            };
            let direction = row.item_ref(0).downcast::<Int>().and_then(Int::to_i64).unwrap_or(0);
            let name = row.iter().nth(1).and_then(|n| n.downcast::<Str>());
            let default = row.iter().nth(2);
            match direction & 7 {
                5 => {
                    // An lcid: defaults to 0 and can't be given.
                    r.args.push(default.map_or_else(|| Int::from_i64(0).into_object(), |d| d.own()));
                }
                d @ (0 | 1 | 3) => {
                    let value = if used < given.len() {
                        used += 1;
                        given[used - 1].own()
                    } else if let Some((_, v)) = name.and_then(|n| kw.iter().find(|(k, _)| k.equals(n))) {
                        used_kw += 1;
                        v.own()
                    } else if let Some(v) = default {
                        v.own()
                    } else {
                        return match name {
                            Some(n) => raise!(TypeError, "required argument '{}' missing", n.to_str_lossy()),
                            None => raise!(TypeError, "not enough arguments"),
                        };
                    };
                    if d == 3 {
                        r.in_outs.push(i);
                    }
                    r.args.push(value);
                }
                2 => {
                    if let Some(v) = default {
                        r.args.push(v.own());
                        r.outs.push(i);
                        continue;
                    }
                    let ty = types.item_ref(i);
                    let tinfo =
                        info_of(ty).ok_or_else(|| raised!(RuntimeError, "NULL stgdict unexpected"))?;
                    let made = match (tinfo.kind, tinfo.proto.get()) {
                        (ClassKind::Array, _) => ty.call0()?,
                        (_, Some(target)) if info_of(&target).is_some() => target.call0()?,
                        _ => {
                            let name = ty.downcast::<Type>().map_or_else(String::new, Type::name);
                            return raise!(
                                TypeError,
                                "{} 'out' parameter must be passed as default value",
                                name
                            );
                        }
                    };
                    r.args.push(made);
                    r.outs.push(i);
                }
                _ => return raise!(ValueError, "paramflag {} not yet implemented", direction),
            }
        }
        // All given arguments must have found their parameter.
        if used < given.len() || used_kw < kw.len() || given.len() + kw.len() > types.len() {
            let plural = if types.len() == 1 { "" } else { "s" };
            return raise!(
                TypeError,
                "call takes exactly {} argument{} ({} given)",
                r.args.len() - r.outs.len(),
                plural,
                given.len() + kw.len()
            );
        }
        Ok(Some(r))
    }
}

/// The result of a call with out-parameters: their values, as a tuple if there are several.
fn out_values(r: &Resolved) -> PyResult {
    let mut v = Vec::new();
    for (i, a) in r.args.iter().enumerate() {
        if r.in_outs.contains(&i) {
            v.push(a.clone());
        } else if r.outs.contains(&i) {
            v.push(a.call_method_interned(intern!("__ctypes_from_outparam__"), &[])?);
        }
    }
    match v.len() {
        1 => Ok(v.pop().expect("there is one")),
        _ => Ok(Tuple::from_vec(v).into_object()),
    }
}

#[pymethods(extra = extra)]
impl CFuncPtr {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<CData>> {
        if args.len() == 0 {
            return generic_new(cls, args, kwargs);
        }
        let first = args.item_ref(0);
        if first.downcast::<Tuple>().is_some() {
            return new_from_dll(cls, args);
        }
        if args.len() != 1 {
            return raise!(TypeError, "function takes exactly 1 argument ({} given)", args.len());
        }
        if let Some(a) = first.downcast::<Int>() {
            return new_from_address(cls, a.to_u64_wrapping());
        }
        if !first.is_callable() {
            return raise!(TypeError, "argument must be callable or integer function address");
        }
        new_callback(cls, first)
    }

    #[slot(tp_call)]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
        let given: Vec<&Object> = args.iter().collect();
        let items = kwargs.map_or(Vec::new(), Dict::items_vec);
        let mut kw = Vec::with_capacity(items.len());
        for (k, v) in &items {
            let Some(name) = k.downcast::<Str>() else {
                return raise!(TypeError, "keywords must be strings");
            };
            kw.push((name, &**v));
        }
        self.call(&given, &kw)
    }

    #[slot(tp_repr)]
    fn repr(&self) -> String {
        format!(
            "<{} object at {:p}>",
            self.as_object().ty().name(),
            self.as_object().as_ptr() as *const c_void
        )
    }

    #[slot(nb_bool)]
    fn bool(&self) -> PyResult<bool> {
        Ok(!self.target().is_null())
    }

    /// a function to check for errors
    #[getter]
    fn errcheck(&self) -> Option<Owned<Object>> {
        self.errcheck.get()
    }

    #[setter(errcheck)]
    fn set_errcheck(&self, v: Option<&Object>) -> PyResult<()> {
        if let Some(f) = v.filter(|f| !f.is_callable()) {
            let _ = f;
            return raise!(TypeError, "the errcheck attribute must be callable");
        }
        self.changed();
        self.errcheck.set(v.map(|f| f.own()));
        Ok(())
    }

    /// specify the result type
    #[getter]
    fn restype(&self) -> Option<Owned<Object>> {
        self.effective_restype()
    }

    #[setter(restype)]
    fn set_restype(&self, v: Option<&Object>) -> PyResult<()> {
        self.changed();
        let Some(r) = v else {
            self.restype.set(None);
            self.checker.set(None);
            return Ok(());
        };
        if !r.is_none() && info_of(r).is_none() && !r.is_callable() {
            return raise!(TypeError, "restype must be a type, a callable, or None");
        }
        self.checker.set(check_retval(r)?);
        self.restype.set(Some(r.own()));
        Ok(())
    }

    /// specify the argument types
    #[getter]
    fn argtypes(&self) -> Option<Owned<Tuple>> {
        self.effective_argtypes()
    }

    #[setter(argtypes)]
    fn set_argtypes(&self, v: Option<&Object>) -> PyResult<()> {
        self.changed();
        let Some(v) = v.filter(|v| !v.is_none()) else {
            self.converters.set(None);
            self.argtypes.set(None);
            return Ok(());
        };
        let t = if let Some(t) = v.downcast::<Tuple>() {
            t.own()
        } else if let Some(l) = v.downcast::<List>() {
            l.to_tuple()
        } else if v.ty().lookup_str("__getitem__").is_some() {
            Tuple::from_vec(v.to_items()?)
        } else {
            return raise!(TypeError, "_argtypes_ must be a sequence of types");
        };
        let c = converters_of(&t)?;
        self.converters.set(Some(c));
        self.argtypes.set(Some(t));
        Ok(())
    }
}

fn extra(b: &mut TypeBuilder) {
    b.flags(Py_TPFLAGS_HAVE_VECTORCALL);
    // SAFETY: the type is being built.
    unsafe { (*b.ty).tp_vectorcall_offset = VECTORCALL_OFFSET as isize };
}
