//! What any object can be asked: attributes, items, calls, comparison, iteration, conversion to text.

use crate::consume::{Loop, Request};
use crate::prelude::*;
use crate::typeobject::TypePtr;
use core::ffi::c_int;
use lh_abi::*;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A tuple of new references to `n` borrowed objects.
///
/// # Safety
/// `args` points to `n` live objects.
#[inline]
pub unsafe fn tuple_of_raw(args: *const *mut PyObject, n: usize) -> Owned<Tuple> {
    // SAFETY: the caller's promise.
    unsafe { Tuple::from_raw_items(args, n) }.expect("memory for a tuple")
}

/// The keyword arguments of a vectorcall as a dict.
///
/// # Safety
/// `kwnames` is a tuple of strings, `values` points to as many live objects.
pub unsafe fn dict_of_kwnames(values: *const *mut PyObject, kwnames: *mut PyObject) -> PyResult<Owned<Dict>> {
    // SAFETY: the caller's promise.
    unsafe {
        let names = Object::from_ptr(kwnames).downcast_unchecked::<Tuple>();
        let d = Dict::new();
        for (i, k) in names.iter().enumerate() {
            d.set_item(k, Object::from_ptr(*values.add(i)))?;
        }
        Ok(d)
    }
}

/// The arguments of a vectorcall (`n` by position) as a tuple and a dict, `None` if none is named.
///
/// # Safety
/// The vectorcall protocol's arguments.
pub unsafe fn as_tuple_and_dict(
    args: *const *mut PyObject,
    n: usize,
    kwnames: *mut PyObject,
) -> PyResult<(Owned<Tuple>, Option<Owned<Dict>>)> {
    // SAFETY: the caller's promise.
    unsafe {
        let t = Tuple::from_raw_items(args, n)?;
        let named = !kwnames.is_null() && (*kwnames.cast::<PyVarObject>()).ob_size != 0;
        let kw = if named { Some(dict_of_kwnames(args.add(n), kwnames)?) } else { None };
        Ok((t, kw))
    }
}

/// Runs `f` on `n` null pointers; few of them need no memory of their own.
#[inline]
pub fn with_room<T>(n: usize, f: impl FnOnce(&mut [*mut PyObject]) -> T) -> T {
    let mut few = [null_mut::<PyObject>(); 12];
    if n <= few.len() { f(&mut few[..n]) } else { f(&mut vec![null_mut(); n]) }
}
/// The names of keyword arguments in a dictionary, and (in `values`, counted) what they are given. `TypeError`: a key is no string.
pub fn names_and_values(kwargs: &Dict, values: &mut [*mut PyObject]) -> PyResult<Owned<Tuple>> {
    let (mut strings, mut pos, mut at) = (true, 0, 0);
    let names = Tuple::build(kwargs.len(), |_| {
        let (k, x) = kwargs.next_borrowed(&mut pos).expect("as many entries as it has");
        // SAFETY: the dictionary keeps both alive here.
        unsafe {
            strings &= Str::check(Object::from_ptr(k));
            incref(k);
            incref(x);
        }
        values[at] = x;
        at += 1;
        k
    })?;
    if !strings {
        // SAFETY: counted above.
        values[..at].iter().for_each(|p| unsafe { decref(*p) });
        return raise!(TypeError, "keywords must be strings");
    }
    Ok(names)
}

fn no_attribute(o: &Object, name: &Str) -> Raised {
    let Some(t) = o.downcast::<Type>() else { return no_generic_attribute(o, name) };
    let e = raised!(AttributeError, "type object '{}' has no attribute '{}'", t.name(), name.to_str_lossy());
    crate::exceptions::annotate_attribute_error(e, o, name)
}
#[cold]
#[inline(never)]
fn no_generic_attribute(o: &Object, name: &Str) -> Raised {
    let e = raised!(AttributeError, "'{}' object has no attribute '{}'", o.ty().name(), name.to_str_lossy());
    crate::exceptions::annotate_attribute_error(e, o, name)
}

/// What `__str__` or `__repr__` has answered is no string.
#[cold]
fn not_text(method: &str, r: &Object) -> Raised {
    raised!(TypeError, "{} returned non-string (type {})", method, r.ty().name())
}
/// As `not_text`, for whoever has the answer.
#[cold]
pub fn no_text(method: &str, r: Owned<Object>) -> PyResult {
    Err(not_text(method, &r))
}

impl Object {
    // ---- Attributes ----

    /// `getattr(self, name)`.
    #[inline]
    pub fn get_attr(&self, name: &Str) -> PyResult {
        // SAFETY: a ready type's slots take live objects.
        unsafe {
            if let Some(f) = (*self.ob_type()).tp_getattro {
                let p = f(self.as_ptr(), name.raw());
                if !p.is_null() {
                    return Ok(Owned::from_raw(p));
                }
            }
        }
        self.get_attr_slow(name)
    }
    /// As `get_attr`, where the slot has raised or there is none.
    #[cold]
    #[inline(never)]
    fn get_attr_slow(&self, name: &Str) -> PyResult {
        // SAFETY: a ready type's slots take live objects.
        unsafe {
            let t = self.ob_type();
            if (*t).tp_getattro.is_some() {
                let e = Raised::already_set();
                return Err(if e.matches(exc::AttributeError()) {
                    crate::exceptions::annotate_attribute_error(e, self, name)
                } else {
                    e
                });
            }
            if let Some(f) = (*t).tp_getattr {
                let n = std::ffi::CString::new(name.to_str()?).unwrap_or_default();
                return from_c(f(self.as_ptr(), n.as_ptr().cast_mut()));
            }
            Err(no_attribute(self, name))
        }
    }
    pub fn get_attr_str(&self, name: &str) -> PyResult {
        self.get_attr(&Str::name(name))
    }
    /// `None` instead of `AttributeError`.
    pub fn get_attr_opt(&self, name: &Str) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: a ready type's slots take live objects.
        unsafe {
            let f = (*self.ob_type()).tp_getattro;
            let generic = f == Some(crate::typeobject::generic_getattro);
            if generic || f == (*Type::type_ptr()).tp_getattro {
                let found = if generic {
                    self.generic_get(name)
                } else {
                    self.downcast_unchecked::<Type>().find_attr(name)
                };
                return match found {
                    // A descriptor may raise it, too.
                    Err(e) if e.matches(exc::AttributeError()) => {
                        e.clear();
                        Ok(None)
                    }
                    // A C getter that answers NULL without an error has no value to give.
                    Err(_) if !crate::errors::occurred() => Ok(None),
                    r => r,
                };
            }
        }
        match self.get_attr(name) {
            Ok(v) => Ok(Some(v)),
            Err(e) if e.matches(exc::AttributeError()) => {
                e.clear();
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }
    pub fn get_attr_str_opt(&self, name: &str) -> PyResult<Option<Owned<Object>>> {
        self.get_attr_opt(&Str::name(name))
    }
    fn set_or_del_attr(&self, name: &Str, value: Option<&Object>) -> PyResult<()> {
        // SAFETY: a ready type's slots take live objects; the value may be null.
        unsafe {
            let t = self.ob_type();
            let v = value.map_or(null_mut(), |v| v.as_ptr());
            let interned;
            let name = if crate::typeobject::is_interned(name) || !name.is_exact::<Str>() {
                name
            } else {
                interned = Str::intern(name.own());
                &*interned
            };
            let r = if let Some(f) = (*t).tp_setattro {
                f(self.as_ptr(), name.raw(), v)
            } else if let Some(f) = (*t).tp_setattr {
                let n = std::ffi::CString::new(name.to_str()?).unwrap_or_default();
                f(self.as_ptr(), n.as_ptr().cast_mut(), v)
            } else {
                let what = if (*t).tp_getattro.is_none() && (*t).tp_getattr.is_none() {
                    "no"
                } else {
                    "only read-only"
                };
                return raise!(
                    TypeError,
                    "'{}' object has {} attributes ({} .{})",
                    self.ty().name(),
                    what,
                    if value.is_some() { "assign to" } else { "del" },
                    name.to_str_lossy()
                );
            };
            if r < 0 { Err(Raised::already_set()) } else { Ok(()) }
        }
    }
    pub fn set_attr(&self, name: &Str, value: &Object) -> PyResult<()> {
        self.set_or_del_attr(name, Some(value))
    }
    pub fn set_attr_str(&self, name: &str, value: &Object) -> PyResult<()> {
        self.set_attr(&Str::name(name), value)
    }
    pub fn del_attr(&self, name: &Str) -> PyResult<()> {
        self.set_or_del_attr(name, None)
    }

    /// The instance dictionary if there is one already or storage for one (`_PyObject_GetDictPtr` semantics, made on demand if
    /// `create`).
    pub fn instance_dict(&self, create: bool) -> PyResult<Option<Owned<Dict>>> {
        // SAFETY: offsets of a ready type lie inside the instance.
        unsafe {
            if crate::instance::is_managed(self) {
                return Ok(Some(crate::instance::dict(self.as_ptr())));
            }
            let p = crate::typeobject::dict_ptr(self.as_ptr());
            if p.is_null() {
                return Ok(None);
            }
            if (*p).is_null() {
                if !create {
                    return Ok(None);
                }
                *p = Dict::new().into_raw();
            }
            match Object::from_ptr(*p).downcast::<Dict>() {
                Some(d) => Ok(Some(d.own())),
                None => Ok(None),
            }
        }
    }

    /// The lookup of `object.__getattribute__`, `None` where that would raise its own `AttributeError`.
    pub fn generic_get(&self, name: &Str) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: descriptors are kept alive while their slots run.
        unsafe {
            let t = self.ob_type();
            if (*t).tp_dict.is_null() {
                // A static type of an extension that nobody made ready.
                crate::typeobject::ready(t)?;
            }
            let interned;
            let name = if crate::typeobject::is_interned(name) {
                name
            } else {
                let exact = if name.is_exact::<Str>() { name.own() } else { name.to_exact() };
                interned = Str::intern(exact);
                &*interned
            };
            let descr = t.lookup(name.raw()).map(|d| Object::from_ptr(d).own());
            let mut getter = None;
            if let Some(d) = &descr {
                getter = (*d.ob_type()).tp_descr_get;
                if let Some(g) = getter
                    && (*d.ob_type()).tp_descr_set.is_some()
                {
                    return Self::getter_result(g(d.ptr(), self.as_ptr(), t.cast()), name);
                }
            }
            if crate::instance::is_managed(self) {
                if let Some(v) = crate::instance::get(self.as_ptr(), name)? {
                    return Ok(Some(v));
                }
            } else {
                let p = crate::typeobject::dict_ptr(self.as_ptr());
                if !p.is_null() && !(*p).is_null() {
                    let d = Object::from_ptr(*p).downcast_unchecked::<Dict>().own();
                    if let Some(v) = d.get_str_key(name)? {
                        return Ok(Some(v));
                    }
                }
            }
            match (descr, getter) {
                (Some(d), Some(g)) => Self::getter_result(g(d.ptr(), self.as_ptr(), t.cast()), name),
                (Some(d), None) => Ok(Some(d)),
                _ => Ok(None),
            }
        }
    }
    unsafe fn getter_result(p: *mut PyObject, _name: &Str) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: a slot's result.
        match unsafe { from_c::<Object>(p) } {
            Ok(v) => Ok(Some(v)),
            Err(e) => Err(e),
        }
    }

    /// `PyObject_GenericGetAttr`.
    pub fn generic_get_attr(&self, name: &Str) -> PyResult {
        match self.generic_get(name)? {
            Some(v) => Ok(v),
            None => Err(no_generic_attribute(self, name)),
        }
    }

    /// `PyObject_GenericSetAttr`; `None` deletes.
    pub fn generic_set_attr(&self, name: &Str, value: Option<&Object>) -> PyResult<()> {
        // SAFETY: descriptors are kept alive while their slots run.
        unsafe {
            let t = self.ob_type();
            let interned;
            let name = if crate::typeobject::is_interned(name) {
                name
            } else {
                interned = Str::intern(if name.is_exact::<Str>() { name.own() } else { name.to_exact() });
                &*interned
            };
            let descr = t.lookup(name.raw()).map(|d| Object::from_ptr(d).own());
            if let Some(d) = &descr
                && let Some(f) = (*d.ob_type()).tp_descr_set
            {
                return if f(d.ptr(), self.as_ptr(), value.map_or(null_mut(), |v| v.as_ptr())) < 0 {
                    Err(Raised::already_set())
                } else {
                    Ok(())
                };
            }
            let missing = || no_attribute(self, name);
            if crate::instance::is_managed(self) {
                let done = crate::instance::set(self.as_ptr(), name, value)?;
                return if done { Ok(()) } else { Err(missing()) };
            }
            let p = crate::typeobject::dict_ptr(self.as_ptr());
            if p.is_null() {
                return Err(match descr {
                    None => missing(),
                    Some(_) => crate::exceptions::annotate_attribute_error(
                        raised!(
                            AttributeError,
                            "'{}' object attribute '{}' is read-only",
                            self.ty().name(),
                            name.to_str_lossy()
                        ),
                        self,
                        name,
                    ),
                });
            }
            match value {
                Some(v) => {
                    let d = self.instance_dict(true)?.expect("there is a place for it");
                    d.set_item(name, v)
                }
                None => match self.instance_dict(false)? {
                    Some(d) if d.del_item(name)? => Ok(()),
                    _ => Err(missing()),
                },
            }
        }
    }

    /// The special method `name` looked up on the type and bound; `None` if absent.
    pub fn lookup_special(&self, name: &Str) -> PyResult<Option<Owned<Object>>> {
        let Some(d) = self.ty().lookup(name) else { return Ok(None) };
        // SAFETY: a descriptor's slot with live arguments.
        unsafe {
            match (*d.ob_type()).tp_descr_get {
                Some(g) => from_c(g(d.ptr(), self.as_ptr(), self.ob_type().cast())).map(Some),
                None => Ok(Some(d)),
            }
        }
    }
    /// Calls the special method `name` of the type, if it has it.
    pub fn call_special(&self, name: &Str, args: &[&Object]) -> PyResult<Option<Owned<Object>>> {
        let Some(d) = self.ty().lookup(name) else { return Ok(None) };
        // SAFETY: a ready type.
        if unsafe { (*d.ob_type()).tp_flags } & Py_TPFLAGS_METHOD_DESCRIPTOR != 0 {
            let mut buf = [null_mut::<PyObject>(); 6];
            if args.len() > 4 {
                let mut v = vec![self];
                v.extend_from_slice(args);
                return d.call(&v).map(Some);
            }
            buf[1] = self.as_ptr();
            for (p, a) in buf[2..].iter_mut().zip(args) {
                *p = a.as_ptr();
            }
            let n = (args.len() + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET;
            // SAFETY: the array holds the arguments behind a spare word.
            return unsafe { from_c(d.vectorcall(buf.as_ptr().add(1), n, null_mut())) }.map(Some);
        }
        match self.lookup_special(name)? {
            Some(m) => m.call(args).map(Some),
            None => Ok(None),
        }
    }

    // ---- Calls ----

    pub fn call(&self, args: &[&Object]) -> PyResult {
        // A spare word in front lets bound methods put their self there.
        let mut buf = [null_mut::<PyObject>(); 8];
        let mut big;
        let v: &mut [*mut PyObject] = if args.len() < 8 {
            &mut buf
        } else {
            big = vec![null_mut(); args.len() + 1];
            &mut big
        };
        for (p, a) in v[1..].iter_mut().zip(args) {
            *p = a.as_ptr();
        }
        // SAFETY: the array holds the arguments behind a spare word.
        unsafe {
            from_c(self.vectorcall(
                v.as_ptr().add(1),
                args.len() | PY_VECTORCALL_ARGUMENTS_OFFSET,
                null_mut(),
            ))
        }
    }
    pub fn call0(&self) -> PyResult {
        self.call(&[])
    }
    pub fn call1(&self, a: &Object) -> PyResult {
        self.call(&[a])
    }
    pub fn call_kw(&self, args: &[&Object], kwargs: &[(&str, &Object)]) -> PyResult {
        let mut v = vec![null_mut()];
        v.extend(args.iter().map(|a| a.as_ptr()));
        v.extend(kwargs.iter().map(|k| k.1.as_ptr()));
        let names = Tuple::from_vec(kwargs.iter().map(|k| Str::name(k.0).into_object()).collect());
        // SAFETY: the array holds the arguments behind a spare word, the keyword values last.
        unsafe {
            from_c(self.vectorcall(
                v.as_ptr().add(1),
                args.len() | PY_VECTORCALL_ARGUMENTS_OFFSET,
                if kwargs.is_empty() { null_mut() } else { names.ptr() },
            ))
        }
    }
    /// `self(*args, **kwargs)`.
    pub fn call_tuple(&self, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
        // SAFETY: slots take live objects.
        unsafe {
            match self.vectorcall_function() {
                Some(f) => {
                    if let Some(c) = self.downcast_exact::<CFunction>()
                        && let Some(r) = c.call_with_tuple(args, kwargs)
                    {
                        return r;
                    }
                    self.vectorcall_tuple(f, args, kwargs)
                }
                None => {
                    let Some(f) = (*self.ob_type()).tp_call else { return Err(not_callable(self)) };
                    let _depth = crate::thread::enter_recursive(" while calling a Python object")?;
                    let r = f(self.as_ptr(), args.raw(), kwargs.map_or(null_mut(), |d| d.raw()));
                    from_c(crate::methodobject::check_result(r, || self.repr_lossy()))
                }
            }
        }
    }
    /// Calls a vectorcall function of this object with a tuple and a dict.
    pub fn vectorcall_tuple(
        &self,
        f: unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject,
        args: &Tuple,
        kwargs: Option<&Dict>,
    ) -> PyResult {
        match kwargs.filter(|d| d.len() > 0) {
            Some(d) => self.vectorcall_keywords(f, args, d),
            // The tuple's own array: there is no spare word in front.
            // SAFETY: the tuple keeps the arguments alive.
            None => unsafe { from_c(f(self.as_ptr(), args.items_ptr(), args.len(), null_mut())) },
        }
    }
    #[inline(never)]
    fn vectorcall_keywords(
        &self,
        f: unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject,
        args: &Tuple,
        kwargs: &Dict,
    ) -> PyResult {
        with_room(args.len() + kwargs.len() + 1, |v| {
            let n = args.len();
            v[1..=n].copy_from_slice(args.as_slice_raw());
            let names = names_and_values(kwargs, &mut v[n + 1..])?;
            // SAFETY: the tuple keeps the arguments alive; the values are counted.
            unsafe {
                let r = f(self.as_ptr(), v.as_ptr().add(1), n | PY_VECTORCALL_ARGUMENTS_OFFSET, names.ptr());
                v[n + 1..].iter().for_each(|p| decref(*p));
                from_c(r)
            }
        })
    }
    pub fn call_method(&self, name: &str, args: &[&Object]) -> PyResult {
        self.call_method_interned(&Str::name(name), args)
    }
    pub fn call_method_interned(&self, name: &Str, args: &[&Object]) -> PyResult {
        // A method found on the type needs no bound method.
        if let Some(f) = plain_method(self, name)? {
            let mut all = [null_mut::<PyObject>(); 6];
            if args.len() < 5 {
                all[1] = self.as_ptr();
                all[2..].iter_mut().zip(args).for_each(|(p, a)| *p = a.as_ptr());
                let n = (args.len() + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET;
                // SAFETY: the array holds the arguments behind a spare word.
                return unsafe { from_c(f.vectorcall(all.as_ptr().add(1), n, null_mut())) };
            }
        }
        self.get_attr(name)?.call(args)
    }
    #[inline]
    pub fn is_callable(&self) -> bool {
        // SAFETY: a ready type.
        unsafe { (*self.ob_type()).tp_call.is_some() }
    }
    /// The object's vectorcall function, if its type has one.
    #[inline]
    pub fn vectorcall_function(
        &self,
    ) -> Option<
        unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject,
    > {
        // SAFETY: with the flag set the offset lies inside the instance.
        unsafe {
            let t = self.ob_type();
            if (*t).tp_flags & Py_TPFLAGS_HAVE_VECTORCALL == 0 {
                return None;
            }
            *self.as_ptr().cast::<u8>().offset((*t).tp_vectorcall_offset).cast::<vectorcallfunc>()
        }
    }
    /// The vectorcall protocol; `nargsf` may carry PY_VECTORCALL_ARGUMENTS_OFFSET. Returns a new reference or null.
    ///
    /// # Safety
    /// As PEP 590 says.
    #[inline]
    pub unsafe fn vectorcall(
        &self,
        args: *const *mut PyObject,
        nargsf: usize,
        kwnames: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: the caller's promise.
        unsafe {
            match self.vectorcall_function() {
                Some(f) => f(self.as_ptr(), args, nargsf, kwnames),
                None => self.call_through_tp_call(args, nargsf, kwnames),
            }
        }
    }
    /// `_PyObject_MakeTpCall`.
    unsafe fn call_through_tp_call(
        &self,
        args: *const *mut PyObject,
        nargsf: usize,
        kwnames: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: the caller's promise.
        unsafe {
            let Some(f) = (*self.ob_type()).tp_call else {
                let _ = not_callable(self);
                return null_mut();
            };
            let n = nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET;
            // An instance whose class has a `__call__` written in Python: that, with the instance in front.
            if f as usize == crate::slot_calls::slot_tp_call as *const () as usize
                && let Some(m) = self.ty().lookup(intern!("__call__"))
                && (*m.ob_type()).tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR != 0
            {
                let Ok(_depth) = crate::thread::enter_recursive(" while calling a Python object") else {
                    return null_mut();
                };
                let all =
                    n + if kwnames.is_null() { 0 } else { (*kwnames.cast::<PyVarObject>()).ob_size as usize };
                let mut small = [null_mut::<PyObject>(); 8];
                let mut big = vec![];
                let buf: &mut [*mut PyObject] = if all + 2 <= small.len() {
                    &mut small
                } else {
                    big.resize(all + 2, null_mut());
                    &mut big
                };
                buf[1] = self.as_ptr();
                for i in 0..all {
                    buf[2 + i] = *args.add(i);
                }
                return m.vectorcall(buf.as_ptr().add(1), (n + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
            }
            let class = self.as_ptr().cast::<PyTypeObject>();
            if Some(f) == (*Type::type_ptr()).tp_call
                && let Some(own_new) = crate::type_attrs::made_in_python(class)
            {
                let Ok(_depth) = crate::thread::enter_recursive(" while calling a Python object") else {
                    return null_mut();
                };
                return crate::border::object(|| {
                    crate::type_attrs::python_class_call(class, own_new, args, n, kwnames)
                });
            }
            let t = tuple_of_raw(args, n);
            let kw = if kwnames.is_null() || (*kwnames.cast::<PyVarObject>()).ob_size == 0 {
                None
            } else {
                match dict_of_kwnames(args.add(n), kwnames) {
                    Ok(d) => Some(d),
                    Err(Raised { .. }) => return null_mut(),
                }
            };
            let Ok(_depth) = crate::thread::enter_recursive(" while calling a Python object") else {
                return null_mut();
            };
            let r = f(self.as_ptr(), t.ptr(), kw.as_ref().map_or(null_mut(), |d| d.ptr()));
            crate::methodobject::check_result(r, || self.repr_lossy())
        }
    }

    // ---- Items ----

    /// `self[key]`.
    pub fn get_item(&self, key: &Object) -> PyResult {
        // SAFETY: slots take live objects.
        unsafe {
            let t = self.ob_type();
            if let Some(m) = (*t).tp_as_mapping.as_ref()
                && let Some(f) = m.mp_subscript
            {
                return from_c(f(self.as_ptr(), key.as_ptr()));
            }
            if let Some(s) = (*t).tp_as_sequence.as_ref()
                && s.sq_item.is_some()
            {
                if has_index(key) {
                    let i = crate::number::as_isize(key, Some(exc::IndexError()))?;
                    return self.seq_item(i);
                }
                return raise!(TypeError, "sequence index must be integer, not '{}'", key.ty().name());
            }
            if let Some(cls) = self.downcast::<Type>() {
                // type[int] is the type's own doing; no `__class_getitem__` for it.
                if cls.is(Type::class()) {
                    return crate::genericalias::new(cls, key);
                }
                if let Some(m) = cls.get_attr_opt(intern!("__class_getitem__"))?
                    && !m.is_none()
                {
                    return m.call1(key);
                }
                return raise!(TypeError, "type '{}' is not subscriptable", cls.name());
            }
            raise!(TypeError, "'{}' object is not subscriptable", self.ty().name())
        }
    }
    fn ass_item(&self, key: &Object, value: Option<&Object>) -> PyResult<()> {
        // SAFETY: slots take live objects; the value may be null.
        unsafe {
            let t = self.ob_type();
            let v = value.map_or(null_mut(), |v| v.as_ptr());
            let done = |r: c_int| if r < 0 { Err(Raised::already_set()) } else { Ok(()) };
            if let Some(m) = (*t).tp_as_mapping.as_ref()
                && let Some(f) = m.mp_ass_subscript
            {
                return done(f(self.as_ptr(), key.as_ptr(), v));
            }
            if let Some(s) = (*t).tp_as_sequence.as_ref() {
                if has_index(key) {
                    let i = crate::number::as_isize(key, Some(exc::IndexError()))?;
                    return self.seq_ass_item(i, value);
                }
                if s.sq_ass_item.is_some() {
                    let name = key.ty().name();
                    return raise!(TypeError, "sequence index must be integer, not '{}'", name);
                }
            }
            let what = if value.is_some() { "assignment" } else { "deletion" };
            raise!(TypeError, "'{}' object does not support item {}", self.ty().name(), what)
        }
    }
    /// `self[key] = value`.
    pub fn set_item_of(&self, key: &Object, value: &Object) -> PyResult<()> {
        self.ass_item(key, Some(value))
    }
    /// `del self[key]`.
    pub fn del_item_of(&self, key: &Object) -> PyResult<()> {
        self.ass_item(key, None)
    }
    #[inline]
    fn positive_index(&self, i: isize) -> PyResult<isize> {
        // SAFETY: a ready type.
        unsafe {
            if i < 0
                && let Some(s) = (*self.ob_type()).tp_as_sequence.as_ref()
                && let Some(f) = s.sq_length
            {
                let n = f(self.as_ptr());
                return if n < 0 { Err(Raised::already_set()) } else { Ok(i + n) };
            }
        }
        Ok(i)
    }
    /// `PySequence_GetItem`.
    #[inline]
    pub fn seq_item(&self, i: isize) -> PyResult {
        // SAFETY: slots take live objects.
        unsafe {
            if let Some(s) = (*self.ob_type()).tp_as_sequence.as_ref()
                && let Some(f) = s.sq_item
            {
                let i = self.positive_index(i)?;
                return from_c(f(self.as_ptr(), i));
            }
            if (*self.ob_type()).tp_as_mapping.as_ref().is_some_and(|m| m.mp_subscript.is_some()) {
                return raise!(TypeError, "{} is not a sequence", self.ty().name());
            }
            raise!(TypeError, "'{}' object does not support indexing", self.ty().name())
        }
    }
    /// `PySequence_SetItem` / `PySequence_DelItem`.
    pub fn seq_ass_item(&self, i: isize, value: Option<&Object>) -> PyResult<()> {
        // SAFETY: slots take live objects; the value may be null.
        unsafe {
            if let Some(s) = (*self.ob_type()).tp_as_sequence.as_ref()
                && let Some(f) = s.sq_ass_item
            {
                let i = self.positive_index(i)?;
                let r = f(self.as_ptr(), i, value.map_or(null_mut(), |v| v.as_ptr()));
                return if r < 0 { Err(Raised::already_set()) } else { Ok(()) };
            }
            if (*self.ob_type()).tp_as_mapping.as_ref().is_some_and(|m| m.mp_ass_subscript.is_some()) {
                return raise!(TypeError, "{} is not a sequence", self.ty().name());
            }
            let what =
                if value.is_some() { " not support item assignment" } else { "n't support item deletion" };
            raise!(TypeError, "'{}' object does{}", self.ty().name(), what)
        }
    }
    /// `item in self`.
    pub fn contains_item(&self, item: &Object) -> PyResult<bool> {
        // SAFETY: slots take live objects.
        unsafe {
            if let Some(s) = (*self.ob_type()).tp_as_sequence.as_ref()
                && let Some(f) = s.sq_contains
            {
                return match f(self.as_ptr(), item.as_ptr()) {
                    r if r < 0 => Err(Raised::already_set()),
                    r => Ok(r != 0),
                };
            }
        }
        let it = match self.iterator() {
            Ok(it) => it,
            Err(e) if e.matches(exc::TypeError()) => {
                e.clear();
                return raise!(TypeError, "argument of type '{}' is not iterable", self.ty().name());
            }
            Err(e) => return Err(e),
        };
        while let Some(x) = it.iter_next()? {
            if x.equals_obj(item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
    /// `len(self)`.
    pub fn length(&self) -> PyResult<usize> {
        // SAFETY: slots take live objects.
        unsafe {
            let t = self.ob_type();
            let f = (*t)
                .tp_as_sequence
                .as_ref()
                .and_then(|s| s.sq_length)
                .or_else(|| (*t).tp_as_mapping.as_ref().and_then(|m| m.mp_length));
            match f {
                Some(f) => match f(self.as_ptr()) {
                    n if n < 0 => Err(Raised::already_set()),
                    n => Ok(n as usize),
                },
                None => raise!(TypeError, "object of type '{}' has no len()", self.ty().name()),
            }
        }
    }
    pub fn has_length(&self) -> bool {
        // SAFETY: a ready type.
        unsafe {
            let t = self.ob_type();
            (*t).tp_as_sequence.as_ref().is_some_and(|s| s.sq_length.is_some())
                || (*t).tp_as_mapping.as_ref().is_some_and(|s| s.mp_length.is_some())
        }
    }
    /// `operator.length_hint(self, default)`.
    pub fn length_hint(&self, default: usize) -> PyResult<usize> {
        if self.has_length() {
            match self.length() {
                Ok(n) => return Ok(n),
                Err(e) if e.matches(exc::TypeError()) => e.clear(),
                Err(e) => return Err(e),
            }
        }
        // Most iterators that know nothing of what is to come are these.
        if self.is_exact::<crate::iterobject::Map>() || self.is_exact::<crate::iterobject::Filter>() {
            return Ok(default);
        }
        let r = match self.call_special(intern!("__length_hint__"), &[]) {
            Ok(None) => return Ok(default),
            Ok(Some(r)) => r,
            Err(e) if e.matches(exc::TypeError()) => {
                e.clear();
                return Ok(default);
            }
            Err(e) => return Err(e),
        };
        if r.is_not_implemented() {
            return Ok(default);
        }
        let Some(i) = r.downcast::<Int>() else {
            return raise!(TypeError, "__length_hint__ must be an integer, not {}", r.ty().name());
        };
        match i.to_i64() {
            Some(n) if n >= 0 => Ok(n as usize),
            Some(_) => raise!(ValueError, "__length_hint__() should return >= 0"),
            None => raise!(OverflowError, "Python int too large to convert to C ssize_t"),
        }
    }

    // ---- Iteration ----

    /// `iter(self)`.
    pub fn iterator(&self) -> PyResult {
        // SAFETY: slots take live objects.
        unsafe {
            let t = self.ob_type();
            if let Some(f) = (*t).tp_iter {
                let it: Owned<Object> = from_c(f(self.as_ptr()))?;
                let not_there = crate::typeobject::next_not_implemented as *const () as usize;
                if (*it.ob_type()).tp_iternext.is_none_or(|f| f as usize == not_there) {
                    return raise!(TypeError, "iter() returned non-iterator of type '{}'", it.ty().name());
                }
                return Ok(it);
            }
            if is_sequence(self) {
                return Ok(crate::iterobject::new_sequence_iterator(self));
            }
            raise!(TypeError, "'{}' object is not iterable", self.ty().name())
        }
    }
    /// The next item of an iterator; `None` when exhausted.
    #[inline]
    pub fn iter_next(&self) -> PyResult<Option<Owned<Object>>> {
        if let Some(l) = self.downcast_exact::<crate::listobject::ListIter>()
            && let Some(o) = l.step()
        {
            return Ok(Some(o));
        }
        self.iter_next_slot()
    }
    #[inline]
    fn iter_next_slot(&self) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: slots take live objects.
        unsafe {
            let Some(f) = (*self.ob_type()).tp_iternext else {
                return raise!(TypeError, "'{}' object is not an iterator", self.ty().name());
            };
            let p = f(self.as_ptr());
            if !p.is_null() {
                return Ok(Some(Owned::from_raw(p)));
            }
            if occurred() {
                if matches(exc::StopIteration()) {
                    clear();
                    return Ok(None);
                }
                return Err(Raised::already_set());
            }
            Ok(None)
        }
    }
    /// Calls `f` with every item.
    pub fn for_each(&self, f: impl FnMut(Owned<Object>) -> PyResult<()>) -> PyResult<()> {
        self.iterator()?.drain(f)
    }
    /// Calls `f` with every item that an iterator has left.
    #[inline]
    pub fn drain(&self, mut f: impl FnMut(Owned<Object>) -> PyResult<()>) -> PyResult<()> {
        if let Some(l) = self.downcast_exact::<crate::listobject::ListIter>() {
            while let Some(x) = l.step() {
                f(x)?
            }
        }
        let mut watch = crate::consume::Watch::new(self, None);
        // SAFETY: slots take live objects.
        unsafe {
            if let Some(next) = (*self.ob_type()).tp_iternext {
                loop {
                    if watch.is_due()
                        && let Some(r) = crate::consume::drain(self, &mut f)
                    {
                        return r;
                    }
                    let Some(x) = Owned::from_raw_opt(next(self.as_ptr())) else { break };
                    f(x)?
                }
                if !occurred() {
                    return Ok(());
                }
                if matches(exc::StopIteration()) {
                    clear();
                    return Ok(());
                }
                return Err(Raised::already_set());
            }
        }
        self.iter_next_slot().map(drop)
    }
    /// All items, as `list(self)` would have them.
    pub fn to_items(&self) -> PyResult<Vec<Owned<Object>>> {
        if let Some(t) = self.downcast_exact::<Tuple>() {
            return Ok(t.iter().map(|x| x.own()).collect());
        }
        if let Some(l) = self.downcast_exact::<List>() {
            return Ok(l.to_vec());
        }
        if let Some((start, step, n)) =
            self.downcast_exact::<crate::rangeobject::Range>().and_then(|r| r.words())
        {
            return Ok((0..n).map(|i| Int::from_i64(start + i * step).into_object()).collect());
        }
        let it = self.iterator()?;
        let hint = self.length_hint(8)?;
        let mut v = Vec::with_capacity(hint.min(1 << 20));
        let mut watch = crate::consume::Watch::new(&it, None);
        if !watch.is_on() {
            it.drain(|x| {
                v.push(x);
                Ok(())
            })?;
            return Ok(v);
        }
        loop {
            if watch.is_due() {
                let l = List::from_vec(std::mem::take(&mut v));
                if let Some(r) = Request::with(Loop::Append, &it, &l).run() {
                    r?;
                    return Ok(l.take_items());
                }
                v = l.take_items();
            }
            match it.iter_next()? {
                Some(x) => v.push(x),
                None => return Ok(v),
            }
        }
    }

    // ---- Comparison, hash, truth ----

    /// `self OP other`.
    pub fn rich_compare(&self, other: &Object, op: CompareOp) -> PyResult {
        let t = self.ob_type();
        if t == other.ob_type() && (t == Int::type_ptr() || t == Str::type_ptr() || t == Float::type_ptr()) {
            // These have an order among themselves, and run no Python code.
            // SAFETY: slots take live objects; the three types have the slot.
            return unsafe {
                from_c((*t).tp_richcompare.unwrap_unchecked()(self.as_ptr(), other.as_ptr(), op as c_int))
            };
        }
        let _depth = crate::thread::enter_recursive(" in comparison")?;
        // SAFETY: slots take live objects.
        unsafe {
            let (a, b) = (self.ob_type(), other.ob_type());
            let mut tried = false;
            if a != b
                && is_subtype(b, a)
                && let Some(f) = (*b).tp_richcompare
            {
                tried = true;
                let r: Owned<Object> = from_c(f(other.as_ptr(), self.as_ptr(), op.swapped() as c_int))?;
                if !r.is_not_implemented() {
                    return Ok(r);
                }
            }
            if let Some(f) = (*a).tp_richcompare {
                let r: Owned<Object> = from_c(f(self.as_ptr(), other.as_ptr(), op as c_int))?;
                if !r.is_not_implemented() {
                    return Ok(r);
                }
            }
            self.compare_after(other, op, tried)
        }
    }
    /// The rest of a comparison, once `self`'s slot has answered `NotImplemented`; `tried`: so has `other`'s.
    pub fn compare_after(&self, other: &Object, op: CompareOp, tried: bool) -> PyResult {
        // SAFETY: slots take live objects.
        unsafe {
            if !tried && let Some(f) = (*other.ob_type()).tp_richcompare {
                let r: Owned<Object> = from_c(f(other.as_ptr(), self.as_ptr(), op.swapped() as c_int))?;
                if !r.is_not_implemented() {
                    return Ok(r);
                }
            }
            match op {
                CompareOp::Eq => Ok(bool_obj(self.is(other))),
                CompareOp::Ne => Ok(bool_obj(!self.is(other))),
                _ => raise!(
                    TypeError,
                    "'{}' not supported between instances of '{}' and '{}'",
                    op.symbol(),
                    self.ty().name(),
                    other.ty().name()
                ),
            }
        }
    }
    /// `self == other` where no Python code need run to tell: identity, and pairs of exact `int`s of machine size, `str`s and `float`s.
    #[inline]
    pub fn quick_equals(&self, other: &Object) -> Option<bool> {
        if self.is(other) {
            return Some(true);
        }
        if self.ob_type() != other.ob_type() {
            return None;
        }
        if let (Some(a), Some(b)) = (self.downcast_exact::<Int>(), other.downcast_exact::<Int>()) {
            let n = a.size();
            return Some(
                n == b.size()
                    && (a.digits().first() == b.digits().first())
                    && (n.abs() < 2 || a.digits() == b.digits()),
            );
        }
        if let (Some(a), Some(b)) = (self.downcast_exact::<Str>(), other.downcast_exact::<Str>()) {
            return Some(a.equals(b));
        }
        if let (Some(a), Some(b)) = (self.downcast_exact::<Float>(), other.downcast_exact::<Float>()) {
            return Some(a.value() == b.value());
        }
        None
    }
    /// With the identity shortcut of containers for `==` and `!=`.
    pub fn rich_compare_bool(&self, other: &Object, op: CompareOp) -> PyResult<bool> {
        if self.is(other) {
            match op {
                CompareOp::Eq => return Ok(true),
                CompareOp::Ne => return Ok(false),
                _ => {}
            }
        }
        // The commonest keys and items have an order that runs no Python code.
        if self.ob_type() == other.ob_type() {
            if let (Some(a), Some(b)) = (self.downcast_exact::<Int>(), other.downcast_exact::<Int>())
                && let (Some(a), Some(b)) = (a.compact(), b.compact())
            {
                return Ok(op.holds(a.cmp(&b)));
            }
            if let (Some(a), Some(b)) = (self.downcast_exact::<Str>(), other.downcast_exact::<Str>())
                && matches!(op, CompareOp::Eq | CompareOp::Ne)
            {
                return Ok(a.equals(b) == (op == CompareOp::Eq));
            }
            if let (Some(a), Some(b)) = (self.downcast_exact::<Float>(), other.downcast_exact::<Float>()) {
                let (a, b) = (a.value(), b.value());
                return Ok(match op {
                    CompareOp::Lt => a < b,
                    CompareOp::Le => a <= b,
                    CompareOp::Eq => a == b,
                    CompareOp::Ne => a != b,
                    CompareOp::Gt => a > b,
                    CompareOp::Ge => a >= b,
                });
            }
        }
        let r = self.rich_compare(other, op)?;
        r.is_true()
    }
    /// `self == other` with the identity shortcut.
    #[inline]
    pub fn equals_obj(&self, other: &Object) -> PyResult<bool> {
        match self.quick_equals(other) {
            Some(r) => Ok(r),
            None => self.rich_compare_bool(other, CompareOp::Eq),
        }
    }
    /// `hash(self)`.
    #[inline]
    pub fn hash_obj(&self) -> PyResult<isize> {
        if let Some(s) = self.downcast_exact::<Str>() {
            return Ok(s.hash());
        }
        // SAFETY: slots take live objects.
        unsafe {
            match (*self.ob_type()).tp_hash {
                Some(f) => match f(self.as_ptr()) {
                    -1 => Err(Raised::already_set()),
                    h => Ok(h),
                },
                None => raise!(TypeError, "unhashable type: '{}'", self.ty().name()),
            }
        }
    }
    /// `bool(self)`.
    #[inline]
    pub fn is_true(&self) -> PyResult<bool> {
        if self.is_true_object() {
            return Ok(true);
        }
        if self.is_false_object() || self.is_none() {
            return Ok(false);
        }
        // SAFETY: slots take live objects.
        unsafe {
            let t = self.ob_type();
            let r = if let Some(f) = (*t).tp_as_number.as_ref().and_then(|n| n.nb_bool) {
                f(self.as_ptr()) as isize
            } else if let Some(f) = (*t).tp_as_mapping.as_ref().and_then(|n| n.mp_length) {
                f(self.as_ptr())
            } else if let Some(f) = (*t).tp_as_sequence.as_ref().and_then(|n| n.sq_length) {
                f(self.as_ptr())
            } else {
                return Ok(true);
            };
            if r < 0 { Err(Raised::already_set()) } else { Ok(r != 0) }
        }
    }

    // ---- Text ----

    /// `repr(self)`.
    pub fn repr(&self) -> PyResult<Owned<Str>> {
        if let Some(v) = self.downcast_exact::<Int>().and_then(|i| i.compact()) {
            return Ok(crate::intobject::text::decimal(v));
        }
        // SAFETY: slots take live objects.
        unsafe {
            let Some(f) = (*self.ob_type()).tp_repr else {
                return Ok(Str::new(&format!("<{} object at {:p}>", self.ty().name(), self.as_ptr())));
            };
            let _depth = crate::thread::enter_recursive(" while getting the repr of an object")?;
            let r: Owned<Object> = from_c(f(self.as_ptr()))?;
            r.downcast_owned::<Str>().map_err(|r| not_text("__repr__", &r))
        }
    }
    /// `str(self)`.
    pub fn str(&self) -> PyResult<Owned<Str>> {
        if let Some(s) = self.downcast_exact::<Str>() {
            return Ok(s.own());
        }
        if let Some(v) = self.downcast_exact::<Int>().and_then(|i| i.compact()) {
            return Ok(crate::intobject::text::decimal(v));
        }
        // SAFETY: slots take live objects.
        unsafe {
            let Some(f) = (*self.ob_type()).tp_str else { return self.repr() };
            let _depth = crate::thread::enter_recursive(" while getting the str of an object")?;
            let r: Owned<Object> = from_c(f(self.as_ptr()))?;
            r.downcast_owned::<Str>().map_err(|r| not_text("__str__", &r))
        }
    }
    /// `ascii(self)`.
    pub fn ascii(&self) -> PyResult<Owned<Str>> {
        let r = self.repr()?;
        if r.is_ascii() {
            return Ok(r);
        }
        Ok(crate::str_methods::to_ascii_escapes(&r))
    }
    /// `format(self, spec)`.
    pub fn format(&self, spec: &Str) -> PyResult<Owned<Str>> {
        if spec.is_empty() {
            if let Some(s) = self.downcast_exact::<Str>() {
                return Ok(s.own());
            }
            if self.is_exact::<Int>() || self.is_exact::<Float>() {
                return self.str();
            }
        } else if let Some(i) = self.downcast_exact::<Int>() {
            return crate::format::format_int(i, spec);
        } else if let Some(f) = self.downcast_exact::<Float>() {
            return crate::format::format_float(f, spec);
        } else if let Some(s) = self.downcast_exact::<Str>() {
            return crate::format::format_str(s, spec);
        }
        if spec.is_empty() && self.formats_as_text() {
            return self.str();
        }
        let Some(r) = self.call_special(intern!("__format__"), &[spec])? else {
            return raise!(TypeError, "Type {} doesn't define __format__", self.ty().name());
        };
        r.downcast_owned::<Str>()
            .map_err(|r| raised!(TypeError, "__format__ must return a str, not {}", r.ty().name()))
    }
    /// Is `__format__` object's, which without a format says what `str` says?
    pub fn formats_as_text(&self) -> bool {
        static OBJECTS: AtomicPtr<PyObject> = AtomicPtr::new(core::ptr::null_mut());
        let mut of_object = OBJECTS.load(Ordering::Relaxed);
        if of_object.is_null() {
            // SAFETY: the base type lives for ever, and what it has with it.
            let base = unsafe { Type::from_raw_ref(&raw mut crate::type_table::PyBaseObject_Type) };
            of_object = base.lookup(intern!("__format__")).map_or(core::ptr::null_mut(), |f| f.as_ptr());
            OBJECTS.store(of_object, Ordering::Relaxed);
        }
        self.ty().lookup(intern!("__format__")).is_some_and(|f| f.as_ptr() == of_object)
    }
    /// For messages: `repr`, or a fallback when that raises.
    pub fn repr_lossy(&self) -> String {
        preserving(|| match self.repr() {
            Ok(s) => s.to_str_lossy().into_owned(),
            Err(e) => {
                e.clear();
                format!("<{} object at {:p}>", self.ty().name(), self.as_ptr())
            }
        })
    }
    /// `dir(self)`.
    pub fn dir(&self) -> PyResult<Owned<List>> {
        let Some(r) = self.call_special(intern!("__dir__"), &[])? else {
            return raise!(TypeError, "object does not provide __dir__");
        };
        let l = List::from_vec(r.to_items()?);
        l.sort(None, false)?;
        Ok(l)
    }

    // ---- Types ----

    /// `isinstance(self, class)`.
    pub fn is_instance(&self, class: &Object) -> PyResult<bool> {
        if self.ob_type().cast() == class.as_ptr() {
            return Ok(true);
        }
        if class.is_exact::<Type>() {
            return self.recursive_is_instance(class);
        }
        if let Some(u) = union_args(class) {
            return any_of(&u, |c| self.is_instance(c), "isinstance");
        }
        if let Some(t) = class.downcast::<Tuple>() {
            let _depth = crate::thread::enter_recursive(" in __instancecheck__")?;
            for c in t.iter() {
                if self.is_instance(c)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Some(m) = class.lookup_special(intern!("__instancecheck__"))? {
            let _depth = crate::thread::enter_recursive(" in __instancecheck__")?;
            return m.call1(self)?.is_true();
        }
        self.recursive_is_instance(class)
    }
    /// Is `__class__` what `object` makes of it, the type?
    fn has_plain_class(&self) -> bool {
        let name = intern!("__class__");
        // SAFETY: live types; the pointers are only compared.
        unsafe {
            let t = self.ob_type();
            (*t).tp_getattro == Some(crate::typeobject::generic_getattro)
                && crate::typeobject::TypePtr::lookup(t, name.raw())
                    == crate::typeobject::TypePtr::lookup(Object::type_ptr(), name.raw())
        }
    }
    /// `type.__instancecheck__(class, self)`.
    pub fn recursive_is_instance(&self, class: &Object) -> PyResult<bool> {
        if let Some(c) = class.downcast::<Type>() {
            if self.ty().is_subtype(c) {
                return Ok(true);
            }
            if self.has_plain_class() {
                return Ok(false);
            }
            if let Some(k) = self.get_attr_opt(intern!("__class__"))?
                && !k.is(self.ty())
                && let Some(k) = k.downcast::<Type>()
            {
                return Ok(k.is_subtype(c));
            }
            return Ok(false);
        }
        check_class(class, "isinstance() arg 2 must be a type, a tuple of types, or a union")?;
        match self.get_attr_opt(intern!("__class__"))? {
            Some(k) => abstract_is_subclass(&k, class),
            None => Ok(false),
        }
    }
    /// `issubclass(self, class)`.
    pub fn is_subclass(&self, class: &Object) -> PyResult<bool> {
        if class.is_exact::<Type>() {
            if self.is(class) {
                return Ok(true);
            }
            return self.recursive_is_subclass(class);
        }
        if let Some(u) = union_args(class) {
            return any_of(&u, |c| self.is_subclass(c), "issubclass");
        }
        if let Some(t) = class.downcast::<Tuple>() {
            let _depth = crate::thread::enter_recursive(" in __subclasscheck__")?;
            for c in t.iter() {
                if self.is_subclass(c)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Some(m) = class.lookup_special(intern!("__subclasscheck__"))? {
            let _depth = crate::thread::enter_recursive(" in __subclasscheck__")?;
            return m.call1(self)?.is_true();
        }
        self.recursive_is_subclass(class)
    }
    /// `type.__subclasscheck__(class, self)`.
    pub fn recursive_is_subclass(&self, class: &Object) -> PyResult<bool> {
        if let (Some(a), Some(b)) = (self.downcast::<Type>(), class.downcast::<Type>()) {
            return Ok(a.is_subtype(b));
        }
        check_class(self, "issubclass() arg 1 must be a class")?;
        check_class(class, "issubclass() arg 2 must be a class, a tuple of classes, or a union")?;
        abstract_is_subclass(self, class)
    }
}

fn any_of(args: &Tuple, mut f: impl FnMut(&Object) -> PyResult<bool>, what: &str) -> PyResult<bool> {
    for c in args.iter() {
        if is_alias(c) {
            return raise!(TypeError, "{}() argument 2 cannot be a parameterized generic", what);
        }
        let r = if c.is_none() { f(none_ref().ty())? } else { f(c)? };
        if r {
            return Ok(true);
        }
    }
    Ok(false)
}

fn bases_of(class: &Object) -> PyResult<Option<Owned<Tuple>>> {
    Ok(class.get_attr_opt(intern!("__bases__"))?.and_then(|b| b.downcast_owned::<Tuple>().ok()))
}
fn check_class(class: &Object, message: &str) -> PyResult<()> {
    if class.is_instance_of::<Type>() || bases_of(class)?.is_some() {
        Ok(())
    } else {
        raise!(TypeError, "{}", message)
    }
}
fn abstract_is_subclass(derived: &Object, class: &Object) -> PyResult<bool> {
    if derived.is(class) {
        return Ok(true);
    }
    let Some(b) = bases_of(derived)? else { return Ok(false) };
    let _depth = crate::thread::enter_recursive(" in __issubclass__")?;
    for x in b.iter() {
        if abstract_is_subclass(x, class)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn not_callable(o: &Object) -> Raised {
    raised!(TypeError, "'{}' object is not callable", o.ty().name())
}

/// Does the type have `__index__`?
pub fn has_index(o: &Object) -> bool {
    // SAFETY: a ready type.
    unsafe { (*o.ob_type()).tp_as_number.as_ref().is_some_and(|n| n.nb_index.is_some()) }
}

/// `PySequence_Check`.
#[inline]
pub fn is_sequence(o: &Object) -> bool {
    // SAFETY: a ready type.
    unsafe { !Dict::check(o) && (*o.ob_type()).tp_as_sequence.as_ref().is_some_and(|s| s.sq_item.is_some()) }
}
/// `PyMapping_Check`.
#[inline]
pub fn is_mapping(o: &Object) -> bool {
    // SAFETY: a ready type.
    unsafe { (*o.ob_type()).tp_as_mapping.as_ref().is_some_and(|s| s.mp_subscript.is_some()) }
}
/// `PyIter_Check`.
#[inline]
pub fn is_iterator(o: &Object) -> bool {
    // SAFETY: a ready type.
    unsafe {
        (*o.ob_type())
            .tp_iternext
            .is_some_and(|f| f as usize != crate::typeobject::next_not_implemented as *const () as usize)
    }
}

/// The members of a `types.UnionType`.
fn union_args(o: &Object) -> Option<Owned<Tuple>> {
    o.downcast_exact::<crate::genericalias::Union>().map(|u| u.members().own())
}
fn is_alias(o: &Object) -> bool {
    o.is_exact::<crate::genericalias::GenericAlias>()
}

/// The method that `o.name(...)` calls with `o` in front, where no bound method need be made for it: one of the type that the instance
/// has no attribute over.
pub fn plain_method(o: &Object, name: &Str) -> PyResult<Option<Owned<Object>>> {
    // SAFETY: live objects; where an instance's dict is follows from its type.
    unsafe {
        let t = o.ob_type();
        if (*t).tp_getattro.map(|f| f as usize)
            != Some(crate::typeobject::generic_getattro as *const () as usize)
        {
            return Ok(None);
        }
        // The names of inline attributes are told by their addresses.
        if !crate::typeobject::is_interned(name) {
            return Ok(None);
        }
        let Some(d) = o.ty().lookup(name) else { return Ok(None) };
        if (*d.ob_type()).tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR == 0 {
            return Ok(None);
        }
        let own = if (*t).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0 {
            crate::instance::get(o.as_ptr(), name)?
        } else if (*t).tp_dictoffset == 0 {
            None
        } else {
            let p = crate::typeobject::dict_ptr(o.as_ptr());
            if p.is_null() || (*p).is_null() {
                None
            } else {
                Object::from_ptr(*p).downcast_unchecked::<Dict>().own().get_str_key(name)?
            }
        };
        Ok(if own.is_some() { None } else { Some(d) })
    }
}
