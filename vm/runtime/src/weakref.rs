//! Weak references and proxies.
//!
//! An object's weak references form a list that starts at `tp_weaklistoffset`. The reference without callback (and the proxy
//! without callback) of the plain types stands at its front and is shared. A dead reference points to `None`.

use crate::prelude::*;
use crate::type_table::*;
use core::ffi::{c_int, c_void};
use lh_abi::*;
use std::ptr::null_mut;

type Wr = *mut PyWeakReference;

/// Where the object's list starts; null if its type has no weak references.
///
/// # Safety
/// `o` is a live object.
pub unsafe fn list_of(o: *mut PyObject) -> *mut Wr {
    // SAFETY: the offset lies inside the instance.
    unsafe {
        let off = (*(*o).ob_type).tp_weaklistoffset;
        if off <= 0 { null_mut() } else { o.cast::<u8>().offset(off).cast() }
    }
}

fn none_ptr() -> *mut PyObject {
    &raw mut crate::singletons::_Py_NoneStruct
}

/// Takes the reference out of its object's list and marks it dead. Answers its callback.
unsafe fn unlink(w: Wr) -> Option<Owned<Object>> {
    // SAFETY: w is a live reference object.
    unsafe {
        if (*w).wr_object != none_ptr() {
            let list = list_of((*w).wr_object);
            if *list == w {
                *list = (*w).wr_next;
            }
            (*w).wr_object = none_ptr();
            if !(*w).wr_prev.is_null() {
                (*(*w).wr_prev).wr_next = (*w).wr_next;
            }
            if !(*w).wr_next.is_null() {
                (*(*w).wr_next).wr_prev = (*w).wr_prev;
            }
            (*w).wr_prev = null_mut();
            (*w).wr_next = null_mut();
        }
        Owned::from_raw_opt(std::mem::replace(&mut (*w).wr_callback, null_mut()))
    }
}

fn call_callback(w: &Object, cb: Owned<Object>) {
    if let Err(Raised { .. }) = cb.call1(w) {
        write_unraisable(Some(&cb), None);
    }
}

/// Clears all weak references to `o` and calls their callbacks; for deallocators.
///
/// # Safety
/// `o` is an object being deallocated (count 0).
pub unsafe fn clear_weakrefs(o: *mut PyObject) {
    // SAFETY: the caller's promise; references are kept alive while their callbacks run.
    unsafe {
        let list = list_of(o);
        if list.is_null() || (*list).is_null() {
            return;
        }
        let mut calls = vec![];
        while !(*list).is_null() {
            let w = *list;
            let cb = unlink(w);
            if let Some(cb) = cb
                && (*w.cast::<PyObject>()).ob_refcnt > 0
            {
                calls.push((Object::from_ptr(w.cast()).own(), cb));
            }
        }
        if !calls.is_empty() {
            preserving(|| {
                for (w, cb) in calls {
                    call_callback(&w, cb);
                }
            });
        }
    }
}

/// The collector's part: all references to garbage die before any finaliser runs; callbacks of references that are not garbage
/// themselves are called.
///
/// # Safety
/// `objects` are live unreachable objects; `is_garbage` tells of any collectable object whether it is one of them.
pub unsafe fn clear_for_gc(objects: &[*mut PyObject], is_garbage: impl Fn(*mut PyObject) -> bool) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut calls = vec![];
        // A reference that is garbage dies too, whatever it refers to: its callback must not see objects that are being cleared.
        let mut silenced = vec![];
        for &o in objects {
            let x = Object::from_ptr(o);
            if WeakRef::check(x) || Proxy::check(x) || CallableProxy::check(x) {
                silenced.extend(unlink(o.cast()));
            }
        }
        for &o in objects {
            let list = list_of(o);
            if list.is_null() {
                continue;
            }
            while !(*list).is_null() {
                let w = *list;
                let cb = unlink(w);
                if let Some(cb) = cb
                    && !is_garbage(w.cast())
                {
                    calls.push((Object::from_ptr(w.cast()).own(), cb));
                }
            }
        }
        for (w, cb) in calls {
            call_callback(&w, cb);
        }
    }
}

/// Number of references and proxies to `o`.
pub fn count(o: &Object) -> usize {
    all(o).len()
}

/// All references and proxies to `o`.
pub fn all(o: &Object) -> Vec<Owned<Object>> {
    let mut v = vec![];
    // SAFETY: a live object's list holds live references.
    unsafe {
        let list = list_of(o.as_ptr());
        if !list.is_null() {
            let mut w = *list;
            while !w.is_null() {
                if (*w.cast::<PyObject>()).ob_refcnt > 0 {
                    v.push(Object::from_ptr(w.cast()).own());
                }
                w = (*w).wr_next;
            }
        }
    }
    v
}

fn make(cls: &Type, o: &Object, callback: Option<&Object>) -> PyResult<Owned<Object>> {
    // SAFETY: the list and its members are live; the new object's fields are set before it is linked.
    unsafe {
        let list = list_of(o.as_ptr());
        if list.is_null() {
            return raise!(TypeError, "cannot create weak reference to '{}' object", o.ty().name());
        }
        let callback = callback.filter(|c| !c.is_none());
        let plain = |t: *mut PyTypeObject| {
            t == &raw mut _PyWeakref_RefType
                || t == &raw mut _PyWeakref_ProxyType
                || t == &raw mut _PyWeakref_CallableProxyType
        };
        let t = cls.tp();
        if callback.is_none() && plain(t) {
            // The shared ones stand first.
            let mut w = *list;
            while !w.is_null() && (*w).wr_callback.is_null() && plain((*w).ob_base.ob_type) {
                if (*w).ob_base.ob_type == t && (*w).ob_base.ob_refcnt > 0 {
                    return Ok(Object::from_ptr(w.cast()).own());
                }
                w = (*w).wr_next;
            }
        }
        let w: Wr = crate::typeobject::alloc(t, 0)?.cast();
        (*w).wr_object = o.as_ptr();
        (*w).wr_callback = callback.map_or(null_mut(), |c| c.own().into_raw());
        (*w).hash = -1;
        (*w).vectorcall = Some(ref_vectorcall);
        let front = callback.is_none() && plain(t);
        let mut after: Wr = null_mut();
        if !front {
            let mut x = *list;
            while !x.is_null() && (*x).wr_callback.is_null() && plain((*x).ob_base.ob_type) {
                after = x;
                x = (*x).wr_next;
            }
        }
        (*w).wr_prev = after;
        (*w).wr_next = if after.is_null() { *list } else { (*after).wr_next };
        if !(*w).wr_next.is_null() {
            (*(*w).wr_next).wr_prev = w;
        }
        if after.is_null() {
            *list = w
        } else {
            (*after).wr_next = w
        }
        Ok(Owned::from_raw(w.cast()))
    }
}

unsafe extern "C" fn ref_vectorcall(
    w: *mut PyObject,
    _: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    crate::border::object(|| {
        // SAFETY: called by the vectorcall protocol.
        let (w, kw) =
            unsafe { (Object::from_ptr(w).downcast_unchecked::<WeakRef>(), Object::from_ptr_opt(kwnames)) };
        if kw.is_some_and(|k| k.downcast::<Tuple>().is_some_and(|t| t.len() > 0)) {
            return raise!(TypeError, "weakref() takes no keyword arguments");
        }
        let n = nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET;
        if n != 0 {
            return raise!(TypeError, "weakref expected 0 arguments, got {}", n);
        }
        Ok(w.target().unwrap_or_else(none))
    })
}

impl WeakRef {
    /// `weakref.ref(o, callback)`.
    pub fn new(o: &Object, callback: Option<&Object>) -> PyResult<Owned<Object>> {
        make(WeakRef::class(), o, callback)
    }
    /// The object, if it lives.
    pub fn target(&self) -> Option<Owned<Object>> {
        target_of(self)
    }
}

/// `weakref.proxy(o, callback)`.
pub fn new_proxy(o: &Object, callback: Option<&Object>) -> PyResult<Owned<Object>> {
    make(if o.is_callable() { CallableProxy::class() } else { Proxy::class() }, o, callback)
}

fn target_of(w: &Object) -> Option<Owned<Object>> {
    // SAFETY: w is a reference object; a dead one points to None; an object whose count is 0 is being destroyed.
    unsafe {
        let p = (*w.as_ptr().cast::<PyWeakReference>()).wr_object;
        if p == none_ptr() || (*p).ob_refcnt <= 0 { None } else { Some(Object::from_ptr(p).own()) }
    }
}

unsafe fn dealloc(o: *mut PyObject) {
    // SAFETY: the deallocator of a reference object.
    unsafe {
        crate::gc::untrack(o);
        drop(unlink(o.cast()));
        crate::typeobject::free_instance(o);
    }
}
fn traverse(w: Wr, v: &mut Visitor) {
    // SAFETY: a live reference object.
    unsafe { v.visit_ptr((*w).wr_callback) }
}
fn clear(w: Wr) {
    // SAFETY: a live reference object.
    unsafe { drop(unlink(w)) }
}

#[pymethods]
impl WeakRef {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Object>> {
        match args.len() {
            1 => make(cls, args.item_ref(0), None),
            2 => make(cls, args.item_ref(0), Some(args.item_ref(1))),
            0 => raise!(TypeError, "__new__ expected at least 1 argument, got 0"),
            n => raise!(TypeError, "__new__ expected at most 2 arguments, got {}", n),
        }
    }
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        if kw.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "ref() takes no keyword arguments");
        }
        match args.len() {
            1 | 2 => Ok(()),
            n => raise!(TypeError, "__init__ expected at most 2 arguments, got {}", n),
        }
    }
    #[slot(tp_call)]
    fn call_ref(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        if kw.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "weakref() takes no keyword arguments");
        }
        if args.len() != 0 {
            return raise!(TypeError, "weakref expected 0 arguments, got {}", args.len());
        }
        Ok(self.target().unwrap_or_else(none))
    }
    #[slot(tp_hash)]
    fn tp_hash(&self) -> PyResult<isize> {
        let w = self.as_struct();
        // SAFETY: a live reference object.
        unsafe {
            if (*w).hash != -1 {
                return Ok((*w).hash);
            }
            match self.target() {
                None => raise!(TypeError, "weak object has gone away"),
                Some(o) => {
                    (*w).hash = o.hash_obj()?;
                    Ok((*w).hash)
                }
            }
        }
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> PyResult<String> {
        Ok(match self.target() {
            None => format!("<weakref at {:p}; dead>", self.raw()),
            Some(o) => {
                let name = o.get_attr_opt(intern!("__name__"))?;
                match name.as_deref().and_then(|n| n.downcast::<Str>()) {
                    Some(n) => {
                        format!(
                            "<weakref at {:p}; to '{}' at {:p} ({})>",
                            self.raw(),
                            o.ty().name(),
                            o.ptr(),
                            n.to_str_lossy()
                        )
                    }
                    None => format!("<weakref at {:p}; to '{}' at {:p}>", self.raw(), o.ty().name(), o.ptr()),
                }
            }
        })
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented());
        }
        let Some(o) = other.downcast::<WeakRef>() else { return Ok(not_implemented()) };
        match (self.target(), o.target()) {
            (Some(a), Some(b)) => a.rich_compare(&b, op),
            _ => Ok(bool_obj(self.is(o) == (op == CompareOp::Eq))),
        }
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: forwarded.
        unsafe { dealloc(o) }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        traverse(self.as_struct(), v)
    }
    #[slot(tp_clear)]
    fn tp_clear(&self) {
        clear(self.as_struct())
    }
    #[getter]
    fn __callback__(&self) -> Option<Owned<Object>> {
        // SAFETY: a live reference object; its callback is live or null.
        unsafe { Object::from_ptr_opt((*self.as_struct()).wr_callback).map(|c| c.own()) }
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, item: &Object) -> PyResult {
        crate::genericalias::new(cls, item)
    }
}

// ---- Proxies ----

kind!(/** `weakref.ProxyType` */ Proxy: PyWeakReference, crate::type_table::_PyWeakref_ProxyType);
kind!(/** `weakref.CallableProxyType` */ CallableProxy: PyWeakReference, crate::type_table::_PyWeakref_CallableProxyType);
use crate::kind;

fn is_proxy(o: &Object) -> bool {
    let t = o.ob_type();
    t == &raw mut _PyWeakref_ProxyType || t == &raw mut _PyWeakref_CallableProxyType
}
/// What a proxy stands for (other objects stand for themselves).
fn unwrap(o: &Object) -> PyResult<Owned<Object>> {
    if !is_proxy(o) {
        return Ok(o.own());
    }
    match target_of(o) {
        Some(t) => Ok(t),
        None => raise!(ReferenceError, "weakly-referenced object no longer exists"),
    }
}

macro_rules! forward_binary {
    ($b:expr, $($slot:ident => $f:path),*) => { $( {
        unsafe extern "C" fn f(a: *mut PyObject, b: *mut PyObject) -> *mut PyObject {
            crate::border::object(|| {
                // SAFETY: slots are called with live objects.
                let (a, b) = unsafe { (unwrap(Object::from_ptr(a))?, unwrap(Object::from_ptr(b))?) };
                $f(&a, &b)
            })
        }
        $b.slot($slot, f as *mut c_void);
    } )* };
}
macro_rules! forward_unary {
    ($b:expr, $($slot:ident => $f:expr),*) => { $( {
        unsafe extern "C" fn f(a: *mut PyObject) -> *mut PyObject {
            crate::border::object(|| {
                // SAFETY: slots are called with live objects.
                let a = unsafe { unwrap(Object::from_ptr(a))? };
                let g: fn(&Object) -> PyResult = $f;
                g(&a)
            })
        }
        $b.slot($slot, f as *mut c_void);
    } )* };
}

fn install_proxy(b: &mut TypeBuilder) {
    use crate::number as n;
    forward_binary!(b, Py_nb_add => n::add, Py_nb_subtract => n::subtract, Py_nb_multiply => n::multiply,
        Py_nb_remainder => n::remainder, Py_nb_divmod => n::divmod, Py_nb_lshift => n::lshift, Py_nb_rshift => n::rshift,
        Py_nb_and => n::and_, Py_nb_xor => n::xor, Py_nb_or => n::or_, Py_nb_floor_divide => n::floor_divide,
        Py_nb_true_divide => n::true_divide, Py_nb_matrix_multiply => n::matrix_multiply,
        Py_nb_inplace_add => n::inplace_add, Py_nb_inplace_subtract => n::inplace_subtract,
        Py_nb_inplace_multiply => n::inplace_multiply, Py_nb_inplace_remainder => n::inplace_remainder,
        Py_nb_inplace_lshift => n::inplace_lshift, Py_nb_inplace_rshift => n::inplace_rshift,
        Py_nb_inplace_and => n::inplace_and, Py_nb_inplace_xor => n::inplace_xor, Py_nb_inplace_or => n::inplace_or,
        Py_nb_inplace_floor_divide => n::inplace_floor_divide, Py_nb_inplace_true_divide => n::inplace_true_divide,
        Py_nb_inplace_matrix_multiply => n::inplace_matrix_multiply, Py_mp_subscript => Object::get_item);
    forward_unary!(b, Py_nb_negative => n::negative, Py_nb_positive => n::positive, Py_nb_absolute => n::absolute,
        Py_nb_invert => n::invert, Py_nb_int => |o| n::to_int(o), Py_nb_float => |o| n::to_float(o),
        Py_nb_index => |o| Ok(n::index(o)?.into_object()), Py_tp_str => |o| Ok(o.str()?.into_object()),
        Py_tp_iter => |o| o.iterator());
    unsafe extern "C" fn iternext(a: *mut PyObject) -> *mut PyObject {
        crate::border::optional(|| {
            // SAFETY: slots are called with live objects.
            let a = unsafe { unwrap(Object::from_ptr(a))? };
            // SAFETY: a ready type.
            if unsafe { (*a.ob_type()).tp_iternext.is_none() } {
                return raise!(
                    TypeError,
                    "Weakref proxy referenced a non-iterator '{}' object",
                    a.ty().name()
                );
            }
            a.iter_next()
        })
    }
    b.slot(Py_tp_iternext, iternext as *mut c_void);
    unsafe extern "C" fn power(a: *mut PyObject, x: *mut PyObject, m: *mut PyObject) -> *mut PyObject {
        crate::border::object(|| {
            // SAFETY: slots are called with live objects.
            let (a, x, m) = unsafe {
                (unwrap(Object::from_ptr(a))?, unwrap(Object::from_ptr(x))?, unwrap(Object::from_ptr(m))?)
            };
            n::power(&a, &x, &m)
        })
    }
    b.slot(Py_nb_power, power as *mut c_void);
    unsafe extern "C" fn truth(a: *mut PyObject) -> c_int {
        // SAFETY: slots are called with live objects.
        crate::border::int(|| unsafe { unwrap(Object::from_ptr(a)) }?.is_true().map(|b| b as c_int), -1)
    }
    b.slot(Py_nb_bool, truth as *mut c_void);
    unsafe extern "C" fn len(a: *mut PyObject) -> isize {
        // SAFETY: slots are called with live objects.
        crate::border::int(|| unsafe { unwrap(Object::from_ptr(a)) }?.length().map(|b| b as isize), -1)
    }
    b.slot(Py_mp_length, len as *mut c_void);
    b.slot(Py_sq_length, len as *mut c_void);
    unsafe extern "C" fn contains(a: *mut PyObject, x: *mut PyObject) -> c_int {
        crate::border::int(
            // SAFETY: slots are called with live objects.
            || unsafe { unwrap(Object::from_ptr(a))?.contains_item(Object::from_ptr(x)).map(|b| b as c_int) },
            -1,
        )
    }
    b.slot(Py_sq_contains, contains as *mut c_void);
    unsafe extern "C" fn ass_sub(a: *mut PyObject, k: *mut PyObject, v: *mut PyObject) -> c_int {
        crate::border::status(|| {
            // SAFETY: slots are called with live objects (the value may be null).
            let (a, k, v) =
                unsafe { (unwrap(Object::from_ptr(a))?, Object::from_ptr(k), Object::from_ptr_opt(v)) };
            match v {
                Some(v) => a.set_item_of(k, v),
                None => a.del_item_of(k),
            }
        })
    }
    b.slot(Py_mp_ass_subscript, ass_sub as *mut c_void);
    unsafe extern "C" fn getattro(a: *mut PyObject, k: *mut PyObject) -> *mut PyObject {
        crate::border::object(|| {
            // SAFETY: slots are called with live objects; names are strings.
            let (a, k) = unsafe { (unwrap(Object::from_ptr(a))?, Object::from_ptr(k)) };
            let Some(k) = k.downcast::<Str>() else {
                return raise!(TypeError, "attribute name must be string, not '{}'", k.ty().name());
            };
            a.get_attr(k)
        })
    }
    b.slot(Py_tp_getattro, getattro as *mut c_void);
    unsafe extern "C" fn setattro(a: *mut PyObject, k: *mut PyObject, v: *mut PyObject) -> c_int {
        crate::border::status(|| {
            // SAFETY: as above.
            let (a, k, v) =
                unsafe { (unwrap(Object::from_ptr(a))?, Object::from_ptr(k), Object::from_ptr_opt(v)) };
            let Some(k) = k.downcast::<Str>() else {
                return raise!(TypeError, "attribute name must be string, not '{}'", k.ty().name());
            };
            match v {
                Some(v) => a.set_attr(k, v),
                None => a.del_attr(k),
            }
        })
    }
    b.slot(Py_tp_setattro, setattro as *mut c_void);
    unsafe extern "C" fn repr(a: *mut PyObject) -> *mut PyObject {
        crate::border::object(|| {
            // SAFETY: slots are called with live objects.
            let (w, t) = unsafe { (a, target_of(Object::from_ptr(a))) };
            let (name, p) = match &t {
                Some(t) => (t.ty().name(), t.ptr()),
                None => ("NoneType".into(), none_ptr()),
            };
            Ok(Str::new(&format!("<weakproxy at {w:p} to {name} at {p:p}>")))
        })
    }
    b.slot(Py_tp_repr, repr as *mut c_void);
    unsafe extern "C" fn compare(a: *mut PyObject, x: *mut PyObject, op: c_int) -> *mut PyObject {
        crate::border::object(|| {
            // SAFETY: slots are called with live objects.
            let (a, x) = unsafe { (unwrap(Object::from_ptr(a))?, unwrap(Object::from_ptr(x))?) };
            a.rich_compare(&x, CompareOp::from_c(op))
        })
    }
    b.slot(Py_tp_richcompare, compare as *mut c_void);
    unsafe extern "C" fn free(a: *mut PyObject) {
        // SAFETY: the deallocator of a proxy.
        crate::border::nothing(|| unsafe { dealloc(a) })
    }
    b.slot(Py_tp_dealloc, free as *mut c_void);
    unsafe extern "C" fn trav(a: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
        let mut v = Visitor { visit, arg, result: 0 };
        traverse(a.cast(), &mut v);
        v.result
    }
    b.slot(Py_tp_traverse, trav as *mut c_void);
    unsafe extern "C" fn clr(a: *mut PyObject) -> c_int {
        crate::border::nothing(|| clear(a.cast()));
        0
    }
    b.slot(Py_tp_clear, clr as *mut c_void);
    // SAFETY: the type is being built; proxies are not hashable.
    unsafe { (*b.ty).tp_hash = Some(crate::typeobject::hash_not_implemented) }
}

fn proxy_bytes(o: &Object) -> PyResult {
    unwrap(o)?.call_method("__bytes__", &[])
}

#[pymethods(extra = install_proxy)]
impl Proxy {
    #[pymethod]
    fn __bytes__(&self) -> PyResult {
        proxy_bytes(self)
    }
    #[pymethod]
    fn __reversed__(&self) -> PyResult {
        unwrap(self)?.call_method("__reversed__", &[])
    }
}
#[pymethods(extra = install_proxy)]
impl CallableProxy {
    #[slot(tp_call)]
    fn call_proxy(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        unwrap(self)?.call_tuple(args, kw)
    }
    #[pymethod]
    fn __bytes__(&self) -> PyResult {
        proxy_bytes(self)
    }
}

pub fn init() -> PyResult<()> {
    ready::<WeakRef>()?;
    ready::<Proxy>()?;
    ready::<CallableProxy>()?;
    Ok(())
}
