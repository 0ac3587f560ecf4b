//! `contextvars`: `Context`, `ContextVar`, `Token`.
//!
//! A context's variables are a persistent mapping (`hamt.rs`), so copying a context costs nothing. The thread state owns its current context; entered contexts link back to the one before (`ctx_prev`).

use crate::errors::*;
use crate::hamt::Hamt;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{StrBuilder, exc, ready};
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::thread::Thread;
use crate::{gc, kind, pyclass, pymethods, raise, reprguard, typeobject};
use lh_abi::*;
use std::ptr::null_mut;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ContextObject {
    pub ob_base: PyObject,
    pub ctx_prev: *mut PyObject,
    /// A `hamt`.
    pub ctx_vars: *mut PyObject,
    pub ctx_weakreflist: *mut PyObject,
    pub ctx_entered: i32,
}
kind!(/** `contextvars.Context` */ Context: ContextObject, crate::type_table::PyContext_Type);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ContextVarObject {
    pub ob_base: PyObject,
    pub var_name: *mut PyObject,
    pub var_default: *mut PyObject,
    /// The value found last (borrowed: the context holds it), in the thread with this id while it has this `context_ver`.
    pub var_cached: *mut PyObject,
    pub var_cached_tsid: u64,
    pub var_cached_tsver: u64,
    pub unused: usize,
}
kind!(/** `contextvars.ContextVar` */ ContextVar: ContextVarObject, crate::type_table::PyContextVar_Type);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct TokenObject {
    pub ob_base: PyObject,
    pub tok_ctx: *mut PyObject,
    pub tok_var: *mut PyObject,
    pub tok_oldval: *mut PyObject,
    pub tok_used: i32,
}
kind!(/** `contextvars.Token` */ Token: TokenObject, crate::type_table::PyContextToken_Type);
const _: () = assert!(size_of::<ContextObject>() == 48);
const _: () = assert!(size_of::<ContextVarObject>() == 64);
const _: () = assert!(size_of::<TokenObject>() == 48);

impl Context {
    fn with_vars(vars: Owned<Hamt>) -> Owned<Context> {
        // SAFETY: a new object whose field takes over the reference.
        unsafe {
            let p = gc::new_object(Context::type_ptr(), 0);
            assert!(!p.is_null(), "out of memory");
            (*p.cast::<ContextObject>()).ctx_vars = vars.into_raw();
            gc::track(p);
            Owned::from_raw(p)
        }
    }
    pub fn new() -> Owned<Context> {
        Context::with_vars(Hamt::new())
    }
    /// The current thread's context, made on first use.
    pub fn current() -> Owned<Context> {
        // SAFETY: this thread's own state.
        unsafe {
            let ts = Thread::current_ptr();
            if (*ts).context.is_null() {
                (*ts).context = Context::new().into_raw();
            }
            Object::from_ptr((*ts).context).downcast_unchecked::<Context>().own()
        }
    }
    pub fn copy_of(&self) -> Owned<Context> {
        Context::with_vars(self.vars())
    }
    fn vars(&self) -> Owned<Hamt> {
        // SAFETY: the field holds a hamt while the object lives.
        unsafe { Object::from_ptr((*self.as_struct()).ctx_vars).downcast_unchecked::<Hamt>().own() }
    }
    fn set_vars(&self, vars: Owned<Hamt>) {
        // SAFETY: the replaced mapping is given back when the new one is in place.
        unsafe { decref(std::mem::replace(&mut (*self.as_struct()).ctx_vars, vars.into_raw())) }
    }
    pub fn enter(&self) -> PyResult<()> {
        // SAFETY: this thread's own state; the context it had moves to `ctx_prev`.
        unsafe {
            let c = self.as_struct();
            if (*c).ctx_entered != 0 {
                return raise!(
                    RuntimeError,
                    "cannot enter context: {} is already entered",
                    self.repr()?.to_str_lossy()
                );
            }
            let ts = Thread::current_ptr();
            (*c).ctx_prev = std::mem::replace(&mut (*ts).context, self.own().into_raw());
            (*c).ctx_entered = 1;
            (*ts).context_ver += 1;
        }
        Ok(())
    }
    pub fn exit(&self) -> PyResult<()> {
        // SAFETY: as above, the other way round.
        unsafe {
            let c = self.as_struct();
            if (*c).ctx_entered == 0 {
                return raise!(
                    RuntimeError,
                    "cannot exit context: {} has not been entered",
                    self.repr()?.to_str_lossy()
                );
            }
            let ts = Thread::current_ptr();
            if (*ts).context != self.as_ptr() {
                return raise!(
                    RuntimeError,
                    "cannot exit context: thread state references a different context object"
                );
            }
            let own =
                std::mem::replace(&mut (*ts).context, std::mem::replace(&mut (*c).ctx_prev, null_mut()));
            (*c).ctx_entered = 0;
            (*ts).context_ver += 1;
            decref(own);
        }
        Ok(())
    }
}

fn var_key(o: &Object) -> PyResult<&ContextVar> {
    match o.downcast_exact::<ContextVar>() {
        Some(v) => Ok(v),
        None => raise!(TypeError, "a ContextVar key was expected, got {}", o.repr()?.to_str_lossy()),
    }
}

#[pymethods]
impl Context {
    #[slot(tp_new)]
    fn py_new(_cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Context>> {
        if args.len() > 0 || kw.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "Context() does not accept any arguments");
        }
        Ok(Context::new())
    }
    #[slot(mp_subscript)]
    fn subscript(&self, key: &Object) -> PyResult {
        match self.vars().find(var_key(key)?)? {
            Some(v) => Ok(v),
            None => Err(crate::dictobject::key_error(key)),
        }
    }
    #[slot(mp_length)]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.vars().len())
    }
    #[slot(sq_contains)]
    fn contains_var(&self, key: &Object) -> PyResult<bool> {
        Ok(self.vars().find(var_key(key)?)?.is_some())
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> PyResult {
        self.vars().iter_keys()
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        crate::sliceobject::unhashable(self)
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        match other.downcast_exact::<Context>() {
            Some(o) if matches!(op, CompareOp::Eq | CompareOp::Ne) => {
                Ok(bool_obj(self.vars().equals(&o.vars())? == (op == CompareOp::Eq)))
            }
            _ => Ok(not_implemented()),
        }
    }
    /// Return the value for `key` if `key` has the value in the context object.
    ///
    /// If `key` does not exist, return `default`. If `default` is not given,
    /// return None.
    #[pymethod(signature = "(key, default=None, /)")]
    fn get(&self, key: &Object, default: Option<&Object>) -> PyResult {
        Ok(match self.vars().find(var_key(key)?)? {
            Some(v) => v,
            None => default.unwrap_or(none_ref()).own(),
        })
    }
    /// Return all variables and their values in the context object.
    #[pymethod]
    fn items(&self) -> PyResult {
        self.vars().iter_items()
    }
    /// Return a list of all variables in the context object.
    #[pymethod]
    fn keys(&self) -> PyResult {
        self.vars().iter_keys()
    }
    /// Return a list of all variables' values in the context object.
    #[pymethod]
    fn values(&self) -> PyResult {
        self.vars().iter_values()
    }
    /// Return a shallow copy of the context object.
    #[pymethod]
    fn copy(&self) -> Owned<Context> {
        self.copy_of()
    }
    #[pymethod(raw)]
    fn run(&self, a: crate::args::Args<'_>) -> PyResult {
        let Some(f) = a.get(0) else {
            return raise!(TypeError, "run() missing 1 required positional argument");
        };
        self.enter()?;
        match a.call_with_rest(f) {
            Ok(r) => self.exit().map(|_| r),
            Err(e) => {
                preserving(|| {
                    if let Err(e) = self.exit() {
                        e.clear()
                    }
                });
                Err(e)
            }
        }
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the fields.
        unsafe {
            v.visit_ptr((*self.as_struct()).ctx_prev);
            v.visit_ptr((*self.as_struct()).ctx_vars);
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let c = o.cast::<ContextObject>();
            if !(*c).ctx_weakreflist.is_null() {
                crate::weakref::clear_weakrefs(o);
            }
            xdecref((*c).ctx_prev);
            xdecref((*c).ctx_vars);
            typeobject::free_instance(o);
        }
    }
}

// ---- ContextVar ----

impl ContextVar {
    pub fn new(name: &Str, default: Option<&Object>) -> Owned<ContextVar> {
        // SAFETY: a new object whose fields take over the references.
        unsafe {
            let p = gc::new_object(ContextVar::type_ptr(), 0);
            assert!(!p.is_null(), "out of memory");
            let v = p.cast::<ContextVarObject>();
            (*v).var_name = name.own().into_raw();
            (*v).var_default = default.map_or(null_mut(), |d| d.own().into_raw());
            gc::track(p);
            Owned::from_raw(p)
        }
    }
    fn name_obj(&self) -> &Object {
        // SAFETY: the field is set once.
        unsafe { Object::from_ptr((*self.as_struct()).var_name) }
    }
    fn default_obj(&self) -> Option<&Object> {
        // SAFETY: the field is set once.
        unsafe { Object::from_ptr_opt((*self.as_struct()).var_default) }
    }
    /// The value in the current context, else `default`, else the variable's own default.
    pub fn value(&self, default: Option<&Object>) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: this thread's own state; a value remembered is that of the context it still has.
        unsafe {
            let ts = Thread::current_ptr();
            if !(*ts).context.is_null() {
                let v = self.as_struct();
                if !(*v).var_cached.is_null()
                    && (*v).var_cached_tsid == (*ts).id
                    && (*v).var_cached_tsver == (*ts).context_ver
                {
                    return Ok(Some(Object::from_ptr((*v).var_cached).own()));
                }
                if let Some(found) = Context::current().vars().find(self)? {
                    self.remember(Some(&found));
                    return Ok(Some(found));
                }
            }
        }
        Ok(default.or(self.default_obj()).map(|d| d.own()))
    }
    /// Notes the variable's value in the current context.
    fn remember(&self, value: Option<&Object>) {
        // SAFETY: this thread's own state; the context holds the value.
        unsafe {
            let (v, ts) = (self.as_struct(), Thread::current_ptr());
            (*v).var_cached = value.map_or(null_mut(), Object::as_ptr);
            (*v).var_cached_tsid = (*ts).id;
            (*v).var_cached_tsver = (*ts).context_ver;
        }
    }
    pub fn set_value(&self, value: &Object) -> PyResult<Owned<Token>> {
        let ctx = Context::current();
        let old = ctx.vars().find(self)?;
        // SAFETY: a new object whose fields take over the references.
        let tok: Owned<Token> = unsafe {
            let p = gc::new_object(Token::type_ptr(), 0);
            assert!(!p.is_null(), "out of memory");
            let t = p.cast::<TokenObject>();
            (*t).tok_ctx = ctx.clone().into_raw();
            (*t).tok_var = self.own().into_raw();
            (*t).tok_oldval = old.map_or(null_mut(), Owned::into_raw);
            gc::track(p);
            Owned::from_raw(p)
        };
        change(&ctx, self, Some(value))?;
        Ok(tok)
    }
    pub fn reset_to(&self, token: &Token) -> PyResult<()> {
        // SAFETY: the token's fields are set once.
        unsafe {
            let t = token.as_struct();
            if (*t).tok_used != 0 {
                return raise!(RuntimeError, "{} has already been used once", token.repr()?.to_str_lossy());
            }
            if (*t).tok_var != self.as_ptr() {
                return raise!(
                    ValueError,
                    "{} was created by a different ContextVar",
                    token.repr()?.to_str_lossy()
                );
            }
            let ctx = Context::current();
            if (*t).tok_ctx != ctx.as_ptr() {
                return raise!(
                    ValueError,
                    "{} was created in a different Context",
                    token.repr()?.to_str_lossy()
                );
            }
            (*t).tok_used = 1;
            let old = Object::from_ptr_opt((*t).tok_oldval);
            change(&ctx, self, old)
        }
    }
}

/// Sets or deletes a context's variable.
fn change(ctx: &Context, key: &ContextVar, value: Option<&Object>) -> PyResult<()> {
    let vars = ctx.vars();
    let new = match value {
        Some(v) => vars.assoc(key, v)?,
        None => vars.without(key)?,
    };
    if value.is_none() && new.is(&*vars) {
        return Err(set_object(exc::LookupError(), Some(key.own().into_object())));
    }
    // Giving back the old mapping may run code that looks.
    key.remember(value);
    ctx.set_vars(new);
    Ok(())
}

#[pymethods]
impl ContextVar {
    #[slot(tp_new)]
    fn py_new(_cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<ContextVar>> {
        let extra = kw.map_or(0, |k| k.len());
        if args.len() == 0 {
            return raise!(TypeError, "ContextVar() takes exactly 1 positional argument (0 given)");
        }
        if args.len() + extra > 2 {
            return raise!(
                TypeError,
                "ContextVar() takes at most 2 arguments ({} given)",
                args.len() + extra
            );
        }
        if args.len() > 1 {
            return raise!(
                TypeError,
                "ContextVar() takes at most 1 positional argument ({} given)",
                args.len()
            );
        }
        let default = match kw {
            Some(k) => k.get_str("default")?,
            None => None,
        };
        if let Some(k) = kw.filter(|k| k.len() > 0 && default.is_none()).and_then(|k| k.keys_vec().pop()) {
            return raise!(
                TypeError,
                "'{}' is an invalid keyword argument for ContextVar()",
                k.str()?.to_str_lossy()
            );
        }
        match args.item_ref(0).downcast::<Str>() {
            Some(n) => Ok(ContextVar::new(n, default.as_deref())),
            None => raise!(TypeError, "context variable name must be a str"),
        }
    }
    /// Return a value for the context variable for the current context.
    ///
    /// If there is no value for the variable in the current context, the method will:
    ///  * return the value of the default argument of the method, if provided; or
    ///  * return the default value for the context variable, if it was created
    ///    with one; or
    ///  * raise a LookupError.
    #[pymethod]
    fn get(&self, default: Option<&Object>) -> PyResult {
        match self.value(default)? {
            Some(v) => Ok(v),
            None => Err(set_object(exc::LookupError(), Some(self.own().into_object()))),
        }
    }
    /// Call to set a new value for the context variable in the current context.
    ///
    /// The required *value* argument is the new value for the context variable.
    ///
    /// Returns a Token object that can be used to restore the variable to its previous
    /// value via the `ContextVar.reset()` method.
    #[pymethod]
    fn set(&self, value: &Object) -> PyResult<Owned<Token>> {
        self.set_value(value)
    }
    /// Reset the context variable.
    ///
    /// The variable is reset to the value it had before the `ContextVar.set()` that
    /// created the token was used.
    #[pymethod]
    fn reset(&self, token: &Object) -> PyResult<()> {
        match token.downcast_exact::<Token>() {
            Some(t) => self.reset_to(t),
            None => raise!(TypeError, "expected an instance of Token, got {}", token.repr()?.to_str_lossy()),
        }
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, object: &Object) -> PyResult {
        crate::genericalias::new(cls, object)
    }
    #[getter]
    fn name(&self) -> Owned<Object> {
        self.name_obj().own()
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        reprguard::guarded(self, || {
            let mut b = StrBuilder::new();
            b.push_str("<ContextVar name=");
            b.push_obj(&*self.name_obj().repr()?);
            if let Some(d) = self.default_obj() {
                b.push_str(" default=");
                b.push_obj(&*d.repr()?);
            }
            b.push_str(&format!(" at {:p}>", self.as_ptr()));
            Ok(b.finish())
        })
        .unwrap_or_else(|| Ok(Str::new("...")))
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the fields.
        unsafe {
            v.visit_ptr((*self.as_struct()).var_name);
            v.visit_ptr((*self.as_struct()).var_default);
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let v = o.cast::<ContextVarObject>();
            xdecref((*v).var_name);
            xdecref((*v).var_default);
            typeobject::free_instance(o);
        }
    }
}

// ---- Token ----

/// `Token.MISSING`.
#[pyclass(name = "Token.MISSING", no_new, nogc)]
pub struct Missing {}
#[pymethods]
impl Missing {
    #[slot(tp_repr)]
    fn py_repr(&self) -> String {
        "<Token.MISSING>".into()
    }
}
fn missing() -> PyResult {
    static M: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    let p = *M.get_or_init(|| {
        ready::<Missing>().expect("readying a built-in type");
        crate::builder::Payload::build(Missing {}).into_raw() as usize
    });
    // SAFETY: kept for ever.
    Ok(unsafe { Object::from_ptr(p as *mut PyObject) }.own())
}

#[pymethods]
impl Token {
    #[slot(tp_new)]
    fn py_new(_cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Token>> {
        raise!(RuntimeError, "Tokens can only be created by ContextVars")
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        // SAFETY: the fields are set once.
        let (used, var) =
            unsafe { ((*self.as_struct()).tok_used, Object::from_ptr((*self.as_struct()).tok_var)) };
        let mut b = StrBuilder::new();
        b.push_str("<Token");
        if used != 0 {
            b.push_str(" used");
        }
        b.push_str(" var=");
        b.push_obj(&*var.repr()?);
        b.push_str(&format!(" at {:p}>", self.as_ptr()));
        Ok(b.finish())
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        crate::sliceobject::unhashable(self)
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
    #[classattr(name = "MISSING")]
    fn missing_attr() -> PyResult {
        missing()
    }
    #[getter]
    fn var(&self) -> Owned<Object> {
        // SAFETY: the field is set once.
        unsafe { Object::from_ptr((*self.as_struct()).tok_var) }.own()
    }
    #[getter]
    fn old_value(&self) -> PyResult {
        // SAFETY: the field is set once.
        match unsafe { Object::from_ptr_opt((*self.as_struct()).tok_oldval) } {
            Some(v) => Ok(v.own()),
            None => missing(),
        }
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, object: &Object) -> PyResult {
        crate::genericalias::new(cls, object)
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the fields.
        unsafe {
            v.visit_ptr((*self.as_struct()).tok_ctx);
            v.visit_ptr((*self.as_struct()).tok_var);
            v.visit_ptr((*self.as_struct()).tok_oldval);
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let t = o.cast::<TokenObject>();
            xdecref((*t).tok_ctx);
            xdecref((*t).tok_var);
            xdecref((*t).tok_oldval);
            typeobject::free_instance(o);
        }
    }
}

pub fn init() -> PyResult<()> {
    crate::hamt::init()?;
    ready::<Context>()?;
    ready::<ContextVar>()?;
    ready::<Token>()?;
    Ok(())
}
