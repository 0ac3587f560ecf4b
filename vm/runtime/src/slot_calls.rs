//! Slot functions: what lies in the slot of a class that has the special method in Python, and calls it.

use crate::prelude::*;
use crate::type_slots::*;
use crate::typeobject::*;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use lh_abi::*;

pub(crate) fn missing(name: &Str) -> Raised {
    raised!(AttributeError, "{}", name.to_str_lossy())
}
/// Calls a special method that must exist.
pub(crate) fn special(o: &Object, name: &'static Str, args: &[&Object]) -> PyResult {
    match o.call_special(name, args)? {
        Some(r) => Ok(r),
        None => Err(missing(name)),
    }
}

macro_rules! slot0 {
    ($($f:ident $name:literal;)*) => { $(
        pub(crate) unsafe extern "C" fn $f(a: *mut PyObject) -> *mut PyObject {
            // SAFETY: slots are called with live objects.
            crate::border::object(|| special(unsafe { Object::from_ptr(a) }, intern!($name), &[]))
        }
    )* };
}
slot0! {
    slot_nb_negative "__neg__"; slot_nb_positive "__pos__"; slot_nb_absolute "__abs__"; slot_nb_invert "__invert__";
    slot_nb_int "__int__"; slot_nb_float "__float__"; slot_nb_index "__index__";
    slot_am_await "__await__"; slot_am_aiter "__aiter__"; slot_am_anext "__anext__";
}
macro_rules! slot1 {
    ($($f:ident $name:literal;)*) => { $(
        pub(crate) unsafe extern "C" fn $f(a: *mut PyObject, b: *mut PyObject) -> *mut PyObject {
            // SAFETY: slots are called with live objects.
            crate::border::object(|| unsafe { special(Object::from_ptr(a), intern!($name), &[Object::from_ptr(b)]) })
        }
    )* };
}
slot1! {
    slot_mp_subscript "__getitem__"; slot_nb_inplace_add "__iadd__"; slot_nb_inplace_subtract "__isub__";
    slot_nb_inplace_multiply "__imul__"; slot_nb_inplace_remainder "__imod__"; slot_nb_inplace_lshift "__ilshift__";
    slot_nb_inplace_rshift "__irshift__"; slot_nb_inplace_and "__iand__"; slot_nb_inplace_xor "__ixor__";
    slot_nb_inplace_or "__ior__"; slot_nb_inplace_floor_divide "__ifloordiv__"; slot_nb_inplace_true_divide "__itruediv__";
    slot_nb_inplace_matrix_multiply "__imatmul__";
}
pub(crate) unsafe extern "C" fn slot_nb_inplace_power(
    a: *mut PyObject,
    b: *mut PyObject,
    _: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slots are called with live objects.
    crate::border::object(|| unsafe {
        special(Object::from_ptr(a), intern!("__ipow__"), &[Object::from_ptr(b)])
    })
}

pub(crate) fn maybe(o: &Object, name: &Str, args: &[&Object]) -> PyResult {
    Ok(o.call_special(name, args)?.unwrap_or_else(not_implemented))
}

/// Does `other`'s class override the reflected method of `left`'s?
pub(crate) fn overloads(left: &Object, other: &Object, name: &Str) -> PyResult<bool> {
    let Some(b) = other.ty().lookup(name) else { return Ok(false) };
    let Some(a) = left.ty().lookup(name) else { return Ok(true) };
    a.rich_compare_bool(&b, CompareOp::Ne)
}

pub(crate) fn binary_slot(
    a: &Object,
    b: &Object,
    offset: usize,
    this: *mut c_void,
    op: &'static Str,
    rop: &'static Str,
    extra: Option<&Object>,
) -> PyResult {
    let has = |o: &Object| {
        // SAFETY: a live type.
        unsafe {
            let p = slot_ptr(o.ob_type(), offset);
            !p.is_null() && *p == this
        }
    };
    let both = [b, extra.unwrap_or(b)];
    let args_b = &both[..1 + extra.is_some() as usize];
    let same = a.ob_type() == b.ob_type();
    let mut do_other = !same && has(b);
    if has(a) {
        if do_other && b.ty().is_subtype(a.ty()) && overloads(a, b, rop)? {
            let r = maybe(b, rop, &[a])?;
            if !r.is_not_implemented() {
                return Ok(r);
            }
            do_other = false;
        }
        let r = maybe(a, op, args_b)?;
        if !r.is_not_implemented() || same {
            return Ok(r);
        }
    }
    if do_other {
        return maybe(b, rop, &[a]);
    }
    Ok(not_implemented())
}

macro_rules! slot_bin {
    ($($f:ident $field:ident $op:literal $rop:literal;)*) => { $(
        pub(crate) unsafe extern "C" fn $f(a: *mut PyObject, b: *mut PyObject) -> *mut PyObject {
            const OFF: usize = offset_of!(PyHeapTypeObject, as_number) + offset_of!(PyNumberMethods, $field);
            // SAFETY: slots are called with live objects.
            crate::border::object(|| unsafe {
                binary_slot(Object::from_ptr(a), Object::from_ptr(b), OFF, $f as *mut c_void, intern!($op), intern!($rop), None)
            })
        }
    )* };
}
slot_bin! {
    slot_nb_add nb_add "__add__" "__radd__"; slot_nb_subtract nb_subtract "__sub__" "__rsub__";
    slot_nb_multiply nb_multiply "__mul__" "__rmul__"; slot_nb_remainder nb_remainder "__mod__" "__rmod__";
    slot_nb_divmod nb_divmod "__divmod__" "__rdivmod__"; slot_nb_lshift nb_lshift "__lshift__" "__rlshift__";
    slot_nb_rshift nb_rshift "__rshift__" "__rrshift__"; slot_nb_and nb_and "__and__" "__rand__";
    slot_nb_xor nb_xor "__xor__" "__rxor__"; slot_nb_or nb_or "__or__" "__ror__";
    slot_nb_floor_divide nb_floor_divide "__floordiv__" "__rfloordiv__";
    slot_nb_true_divide nb_true_divide "__truediv__" "__rtruediv__";
    slot_nb_matrix_multiply nb_matrix_multiply "__matmul__" "__rmatmul__";
}
pub(crate) unsafe extern "C" fn slot_nb_power(
    a: *mut PyObject,
    b: *mut PyObject,
    m: *mut PyObject,
) -> *mut PyObject {
    const OFF: usize = offset_of!(PyHeapTypeObject, as_number) + offset_of!(PyNumberMethods, nb_power);
    // SAFETY: slots are called with live objects.
    crate::border::object(|| unsafe {
        let (a, b, m) = (Object::from_ptr(a), Object::from_ptr(b), Object::from_ptr(m));
        if m.is_none() {
            return binary_slot(
                a,
                b,
                OFF,
                slot_nb_power as *mut c_void,
                intern!("__pow__"),
                intern!("__rpow__"),
                None,
            );
        }
        let p = slot_ptr(a.ob_type(), OFF);
        if !p.is_null() && *p == slot_nb_power as *mut c_void {
            return special(a, intern!("__pow__"), &[b, m]);
        }
        Ok(not_implemented())
    })
}

pub(crate) unsafe extern "C" fn slot_nb_bool(a: *mut PyObject) -> c_int {
    crate::border::int(
        || {
            // SAFETY: slots are called with live objects.
            let o = unsafe { Object::from_ptr(a) };
            if let Some(r) = o.call_special(intern!("__bool__"), &[])? {
                if r.is_true_object() || r.is_false_object() {
                    return Ok(r.is_true_object() as c_int);
                }
                return raise!(TypeError, "__bool__ should return bool, returned {}", r.ty().name());
            }
            match o.call_special(intern!("__len__"), &[])? {
                Some(r) => length_of_answer(&r).map(|n| (n != 0) as c_int),
                None => Ok(1),
            }
        },
        -1,
    )
}
/// The length that an answer of `__len__` stands for.
pub fn length_of_answer(r: &Object) -> PyResult<isize> {
    let i = crate::number::index(r)?;
    if i.sign() < 0 {
        return raise!(ValueError, "__len__() should return >= 0");
    }
    crate::number::as_isize(&i, Some(exc::OverflowError()))
}
pub(crate) unsafe extern "C" fn slot_sq_length(a: *mut PyObject) -> isize {
    // SAFETY: slots are called with live objects.
    crate::border::int(
        || length_of_answer(&*special(unsafe { Object::from_ptr(a) }, intern!("__len__"), &[])?),
        -1,
    )
}
pub(crate) unsafe extern "C" fn slot_sq_item(a: *mut PyObject, i: isize) -> *mut PyObject {
    // SAFETY: slots are called with live objects.
    crate::border::object(|| unsafe {
        special(Object::from_ptr(a), intern!("__getitem__"), &[&Int::from_i64(i as i64)])
    })
}
pub(crate) unsafe extern "C" fn slot_sq_ass_item(a: *mut PyObject, i: isize, v: *mut PyObject) -> c_int {
    // SAFETY: slots are called with live objects; the value may be null.
    crate::border::status(|| unsafe {
        let (o, i) = (Object::from_ptr(a), Int::from_i64(i as i64));
        match Object::from_ptr_opt(v) {
            Some(v) => special(o, intern!("__setitem__"), &[&i, v])?,
            None => special(o, intern!("__delitem__"), &[&i])?,
        };
        Ok(())
    })
}
pub(crate) unsafe extern "C" fn slot_mp_ass_subscript(
    a: *mut PyObject,
    k: *mut PyObject,
    v: *mut PyObject,
) -> c_int {
    // SAFETY: slots are called with live objects; the value may be null.
    crate::border::status(|| unsafe {
        let (o, k) = (Object::from_ptr(a), Object::from_ptr(k));
        match Object::from_ptr_opt(v) {
            Some(v) => special(o, intern!("__setitem__"), &[k, v])?,
            None => special(o, intern!("__delitem__"), &[k])?,
        };
        Ok(())
    })
}
pub(crate) unsafe extern "C" fn slot_sq_contains(a: *mut PyObject, x: *mut PyObject) -> c_int {
    crate::border::int(
        || {
            // SAFETY: slots are called with live objects.
            let (o, x) = unsafe { (Object::from_ptr(a), Object::from_ptr(x)) };
            if let Some(m) = o.ty().lookup(intern!("__contains__")) {
                if m.is_none() {
                    return raise!(TypeError, "'{}' object is not a container", o.ty().name());
                }
                return special(o, intern!("__contains__"), &[x])?.is_true().map(|b| b as c_int);
            }
            let it = o.iterator().map_err(|e| {
                if e.matches(exc::TypeError()) {
                    e.clear();
                    return raised!(TypeError, "argument of type '{}' is not iterable", o.ty().name());
                }
                e
            })?;
            while let Some(y) = it.iter_next()? {
                if y.equals_obj(x)? {
                    return Ok(1);
                }
            }
            Ok(0)
        },
        -1,
    )
}
pub(crate) unsafe extern "C" fn slot_tp_repr(a: *mut PyObject) -> *mut PyObject {
    crate::border::object(|| {
        // SAFETY: slots are called with live objects.
        let o = unsafe { Object::from_ptr(a) };
        match o.call_special(intern!("__repr__"), &[])? {
            Some(r) => Ok(r),
            None => Ok(Str::new(&format!("<{} object at {:p}>", o.ty().name(), a)).into_object()),
        }
    })
}
pub(crate) unsafe extern "C" fn slot_tp_str(a: *mut PyObject) -> *mut PyObject {
    // SAFETY: slots are called with live objects.
    crate::border::object(|| special(unsafe { Object::from_ptr(a) }, intern!("__str__"), &[]))
}
pub(crate) unsafe extern "C" fn slot_tp_hash(a: *mut PyObject) -> isize {
    crate::border::int(
        || {
            // SAFETY: slots are called with live objects.
            let o = unsafe { Object::from_ptr(a) };
            let m = o.lookup_special(intern!("__hash__"))?;
            match m {
                Some(m) if !m.is_none() => {
                    let r = m.call0()?;
                    let Some(i) = r.downcast::<Int>() else {
                        return raise!(TypeError, "__hash__ method should return an integer");
                    };
                    let h = match i.to_i64() {
                        Some(h) => h as isize,
                        None => i.hash_value(),
                    };
                    Ok(if h == -1 { -2 } else { h })
                }
                _ => raise!(TypeError, "unhashable type: '{}'", o.ty().name()),
            }
        },
        -1,
    )
}
/// A slot: calls `__call__`.
pub(crate) unsafe extern "C" fn slot_tp_call(
    a: *mut PyObject,
    args: *mut PyObject,
    kw: *mut PyObject,
) -> *mut PyObject {
    crate::border::object(|| {
        // SAFETY: slots are called with live objects; kw may be null.
        let (o, args, kw) =
            unsafe { (Object::from_ptr(a), crate::slots::this::<Tuple>(args), crate::slots::opt_dict(kw)) };
        match o.lookup_special(intern!("__call__"))? {
            Some(m) => m.call_tuple(args, kw),
            None => Err(missing(intern!("__call__"))),
        }
    })
}
/// `__getattribute__` alone.
pub(crate) unsafe extern "C" fn slot_tp_getattro(a: *mut PyObject, n: *mut PyObject) -> *mut PyObject {
    // SAFETY: slots are called with live objects.
    crate::border::object(|| unsafe {
        special(Object::from_ptr(a), intern!("__getattribute__"), &[Object::from_ptr(n)])
    })
}
/// Is the type's `__getattribute__` that of `object`?
pub(crate) fn has_generic_getattribute(t: &Type) -> bool {
    t.lookup(intern!("__getattribute__")).is_some_and(|g| {
        // SAFETY: a wrapper descriptor's wrapped slot.
        g.downcast_exact::<WrapperDescr>()
            .is_some_and(|w| unsafe { (*w.as_struct()).d_wrapped == generic_getattro as *mut c_void })
    })
}

/// Are attributes that exist found by the generic rules? A `__getattr__` (the second answer) sees only what they don't find.
/// Holds as long as the type's version.
pub fn finds_generically(t: &Type) -> (bool, bool) {
    // SAFETY: a live type.
    let f = unsafe { (*t.tp()).tp_getattro }.map_or(0, |f| f as usize);
    if f == generic_getattro as *const () as usize {
        return (true, false);
    }
    let hook = f == slot_tp_getattr_hook as *const () as usize && has_generic_getattribute(t);
    (hook, hook)
}

/// Does a metaclass look attributes of its classes up as `type` does? A `__getattr__` (the second answer) sees only what that doesn't
/// find. Holds as long as the metaclass's version.
pub fn finds_as_type(meta: &Type) -> (bool, bool) {
    // SAFETY: live types.
    unsafe {
        let plain = (*Type::type_ptr()).tp_getattro.map_or(0, |f| f as usize);
        let f = (*meta.tp()).tp_getattro.map_or(0, |f| f as usize);
        if f == plain {
            return (true, false);
        }
        let hook = f == slot_tp_getattr_hook as *const () as usize
            && meta.lookup(intern!("__getattribute__")).is_some_and(|g| {
                g.downcast_exact::<WrapperDescr>()
                    .is_some_and(|w| (*w.as_struct()).d_wrapped as usize == plain)
            });
        (hook, hook)
    }
}

/// `__getattribute__` (or the generic lookup), then `__getattr__`.
pub(crate) unsafe extern "C" fn slot_tp_getattr_hook(a: *mut PyObject, n: *mut PyObject) -> *mut PyObject {
    crate::border::object(|| {
        // SAFETY: slots are called with live objects.
        let (o, n) = unsafe { (Object::from_ptr(a), Object::from_ptr(n)) };
        let Some(hook) = o.ty().lookup(intern!("__getattr__")) else {
            // SAFETY: as above.
            return unsafe { from_c(slot_tp_getattro(a, n.as_ptr())) };
        };
        let r = if has_generic_getattribute(o.ty()) && n.is_instance_of::<Str>() {
            // A descriptor may raise `AttributeError` too.
            match o.generic_get(n.downcast::<Str>().expect("checked")) {
                Ok(Some(v)) => return Ok(v),
                Ok(None) => None,
                Err(e) if e.matches(exc::AttributeError()) => Some(e),
                Err(e) => return Err(e),
            }
        } else {
            // A class whose metaclass has a `__getattr__`, that of enumerations for one.
            // SAFETY: the slot of `type`.
            let found = match unsafe { (*Type::type_ptr()).tp_getattro } {
                Some(f) if o.is_instance_of::<Type>() && finds_as_type(o.ty()).0 => {
                    // SAFETY: with one of its instances.
                    unsafe { from_c(f(a, n.as_ptr())) }
                }
                _ => special(o, intern!("__getattribute__"), &[n]),
            };
            match found {
                Ok(v) => return Ok(v),
                Err(e) if e.matches(exc::AttributeError()) => Some(e),
                Err(e) => return Err(e),
            }
        };
        if let Some(e) = r {
            e.clear();
        }
        // SAFETY: a descriptor's slot with live arguments.
        let f = unsafe {
            match (*hook.ob_type()).tp_descr_get {
                Some(g) => from_c(g(hook.ptr(), a, o.ob_type().cast()))?,
                None => hook,
            }
        };
        f.call1(n)
    })
}
pub(crate) unsafe extern "C" fn slot_tp_setattro(
    a: *mut PyObject,
    n: *mut PyObject,
    v: *mut PyObject,
) -> c_int {
    // SAFETY: slots are called with live objects; the value may be null.
    crate::border::status(|| unsafe {
        let (o, n) = (Object::from_ptr(a), Object::from_ptr(n));
        match Object::from_ptr_opt(v) {
            Some(v) => special(o, intern!("__setattr__"), &[n, v])?,
            None => special(o, intern!("__delattr__"), &[n])?,
        };
        Ok(())
    })
}
pub(crate) unsafe extern "C" fn slot_tp_richcompare(
    a: *mut PyObject,
    b: *mut PyObject,
    op: c_int,
) -> *mut PyObject {
    // SAFETY: slots are called with live objects.
    crate::border::object(|| unsafe {
        let name = match op {
            0 => intern!("__lt__"),
            1 => intern!("__le__"),
            2 => intern!("__eq__"),
            3 => intern!("__ne__"),
            4 => intern!("__gt__"),
            _ => intern!("__ge__"),
        };
        let (a, b) = (Object::from_ptr(a), Object::from_ptr(b));
        match a.ty().lookup(name) {
            Some(d) if (*d.ob_type()).tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR == 0 => {}
            _ => return maybe(a, name, &[b]),
        }
        // A method that can't be had, whatever its descriptor raises, is one that isn't there.
        match a.lookup_special(name) {
            Ok(Some(f)) => f.call1(b),
            Ok(None) => Ok(not_implemented()),
            Err(e) => {
                e.clear();
                Ok(not_implemented())
            }
        }
    })
}
pub(crate) unsafe extern "C" fn slot_tp_iter(a: *mut PyObject) -> *mut PyObject {
    crate::border::object(|| {
        // SAFETY: slots are called with live objects.
        let o = unsafe { Object::from_ptr(a) };
        if let Some(d) = o.ty().lookup(intern!("__iter__")) {
            if d.is_none() {
                return raise!(TypeError, "'{}' object is not iterable", o.ty().name());
            }
            return special(o, intern!("__iter__"), &[]);
        }
        if o.ty().lookup(intern!("__getitem__")).is_none() {
            return raise!(TypeError, "'{}' object is not iterable", o.ty().name());
        }
        Ok(crate::iterobject::new_sequence_iterator(o))
    })
}
pub(crate) unsafe extern "C" fn slot_tp_iternext(a: *mut PyObject) -> *mut PyObject {
    // SAFETY: slots are called with live objects.
    crate::border::object(|| special(unsafe { Object::from_ptr(a) }, intern!("__next__"), &[]))
}
pub(crate) unsafe extern "C" fn slot_tp_descr_get(
    a: *mut PyObject,
    o: *mut PyObject,
    t: *mut PyObject,
) -> *mut PyObject {
    crate::border::object(|| {
        // SAFETY: slots are called with live objects or null.
        let (d, o, t) = unsafe { (Object::from_ptr(a), Object::from_ptr_opt(o), Object::from_ptr_opt(t)) };
        let n = none_ref();
        match d.ty().lookup(intern!("__get__")) {
            None => Ok(d.own()),
            Some(g) => g.call(&[d, o.unwrap_or(n), t.unwrap_or(n)]),
        }
    })
}
pub(crate) unsafe extern "C" fn slot_tp_descr_set(
    a: *mut PyObject,
    o: *mut PyObject,
    v: *mut PyObject,
) -> c_int {
    // SAFETY: slots are called with live objects; the value may be null.
    crate::border::status(|| unsafe {
        let (d, o) = (Object::from_ptr(a), Object::from_ptr(o));
        match Object::from_ptr_opt(v) {
            Some(v) => special(d, intern!("__set__"), &[o, v])?,
            None => special(d, intern!("__delete__"), &[o])?,
        };
        Ok(())
    })
}
/// Is making an instance of `t` just `object.__new__` and then an `__init__` found by name?
///
/// # Safety
/// `t` is a ready type.
pub unsafe fn has_plain_new_and_own_init(t: *mut PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let object = &raw mut crate::type_table::PyBaseObject_Type;
        (*t).tp_new.map(|f| f as usize) == (*object).tp_new.map(|f| f as usize)
            && (*t).tp_init.map(|f| f as usize) == Some(slot_tp_init as *const () as usize)
            && (*t).tp_alloc.map(|f| f as usize)
                == Some(crate::typeobject::generic_alloc as *const () as usize)
    }
}
pub(crate) unsafe extern "C" fn slot_tp_init(
    a: *mut PyObject,
    args: *mut PyObject,
    kw: *mut PyObject,
) -> c_int {
    crate::border::status(|| {
        // SAFETY: slots are called with live objects; kw may be null.
        let (o, args, kw) =
            unsafe { (Object::from_ptr(a), crate::slots::this::<Tuple>(args), crate::slots::opt_dict(kw)) };
        let Some(m) = o.lookup_special(intern!("__init__"))? else {
            return Err(missing(intern!("__init__")));
        };
        let r = m.call_tuple(args, kw)?;
        if !r.is_none() {
            return raise!(TypeError, "__init__() should return None, not '{}'", r.ty().name());
        }
        Ok(())
    })
}
/// Calls the class's `__new__`.
pub(crate) unsafe extern "C" fn slot_tp_new(
    t: *mut PyTypeObject,
    args: *mut PyObject,
    kw: *mut PyObject,
) -> *mut PyObject {
    crate::border::object(|| {
        // SAFETY: slots are called with live objects; kw may be null.
        let (t, args, kw) =
            unsafe { (Type::from_raw_ref(t), crate::slots::this::<Tuple>(args), crate::slots::opt_dict(kw)) };
        let f = t.get_attr(intern!("__new__"))?;
        let mut v = vec![t.as_object().own()];
        v.extend(args.iter().map(|a| a.own()));
        f.call_tuple(&Tuple::from_vec(v), kw)
    })
}
pub(crate) unsafe extern "C" fn slot_tp_finalize(a: *mut PyObject) {
    crate::border::nothing(|| {
        // SAFETY: called with a live object.
        let o = unsafe { Object::from_ptr(a) };
        preserving(|| {
            let Some(del) = o.ty().lookup(intern!("__del__")) else { return };
            // A plain function is called, and reported, without being bound.
            // SAFETY: a ready type.
            let unbound = unsafe { (*del.ob_type()).tp_flags } & Py_TPFLAGS_METHOD_DESCRIPTOR != 0;
            if unbound {
                if let Err(Raised { .. }) = del.call1(o) {
                    write_unraisable(Some(&del), None);
                }
                return;
            }
            match o.lookup_special(intern!("__del__")) {
                Ok(Some(m)) => {
                    if let Err(Raised { .. }) = m.call0() {
                        // The function itself is what failed, not its bond with a dying object.
                        let f = preserving(|| m.get_attr_str_opt("__func__").ok().flatten());
                        write_unraisable(Some(f.as_deref().unwrap_or(&m)), None);
                    }
                }
                Ok(None) => {}
                Err(e) => e.clear(),
            }
        })
    })
}
