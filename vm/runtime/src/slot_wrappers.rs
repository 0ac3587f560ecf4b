//! Wrappers: a C slot called as the special method it stands for (`wrapper_descriptor`).

use crate::prelude::*;
use crate::slot_calls::*;
use core::ffi::{c_int, c_void};
use lh_abi::*;
use std::ptr::null_mut;

/// `fn(self, args, kwargs, slot function)`.
pub type Wrapper = unsafe fn(&Object, &Tuple, Option<&Dict>, *mut c_void) -> PyResult;

pub(crate) fn arity(args: &Tuple, n: usize) -> PyResult<()> {
    if args.len() == n {
        return Ok(());
    }
    // (Slots with two arguments unpack them under an empty name.)
    let lead = if n == 2 { " " } else { "" };
    raise!(TypeError, "{}expected {} argument{}, got {}", lead, n, if n == 1 { "" } else { "s" }, args.len())
}
pub(crate) fn arity_range(args: &Tuple, min: usize, max: usize) -> PyResult<()> {
    let n = args.len();
    if n < min {
        return raise!(
            TypeError,
            "expected at least {} argument{}, got {}",
            min,
            if min == 1 { "" } else { "s" },
            n
        );
    }
    if n > max {
        return raise!(
            TypeError,
            "expected at most {} argument{}, got {}",
            max,
            if max == 1 { "" } else { "s" },
            n
        );
    }
    Ok(())
}
pub(crate) fn done(r: c_int) -> PyResult {
    if r < 0 { Err(Raised::already_set()) } else { Ok(none()) }
}
pub(crate) fn index_arg(o: &Object, x: &Object) -> PyResult<isize> {
    let i = crate::number::as_isize(x, Some(exc::OverflowError()))?;
    if i < 0 {
        // SAFETY: a ready type.
        let f = unsafe { (*o.ob_type()).tp_as_sequence.as_ref().and_then(|s| s.sq_length) };
        if let Some(f) = f {
            // SAFETY: slots take live objects.
            let n = unsafe { f(o.as_ptr()) };
            return if n < 0 { Err(Raised::already_set()) } else { Ok(i + n) };
        }
    }
    Ok(i)
}

macro_rules! wrappers {
    ($($name:ident as $t:ty, |$s:ident, $a:ident, $k:ident, $f:ident| $body:expr;)*) => { $(
        pub(crate) unsafe fn $name($s: &Object, $a: &Tuple, $k: Option<&Dict>, wrapped: *mut c_void) -> PyResult {
            let _ = &$k;
            // SAFETY: the table pairs each wrapper with slots of its signature; all objects are live.
            unsafe {
                let $f = core::mem::transmute::<*mut c_void, $t>(wrapped);
                $body
            }
        }
    )* };
}
wrappers! {
    wrap_unary as unaryfunc, |s, a, _k, f| { arity(a, 0)?; from_c(f(s.as_ptr())) };
    wrap_next as iternextfunc, |s, a, _k, f| {
        arity(a, 0)?;
        let p = f(s.as_ptr());
        if p.is_null() && !occurred() {
            return Err(set_object(exc::StopIteration(), None));
        }
        from_c(p)
    };
    wrap_binary as binaryfunc, |s, a, _k, f| { arity(a, 1)?; from_c(f(s.as_ptr(), a.item_ref(0).as_ptr())) };
    wrap_binary_r as binaryfunc, |s, a, _k, f| { arity(a, 1)?; from_c(f(a.item_ref(0).as_ptr(), s.as_ptr())) };
    wrap_ternary as ternaryfunc, |s, a, _k, f| {
        arity_range(a, 1, 2)?;
        let m = if a.len() == 2 { a.item_ref(1) } else { none_ref() };
        from_c(f(s.as_ptr(), a.item_ref(0).as_ptr(), m.as_ptr()))
    };
    wrap_ternary_r as ternaryfunc, |s, a, _k, f| {
        arity_range(a, 1, 2)?;
        let m = if a.len() == 2 { a.item_ref(1) } else { none_ref() };
        from_c(f(a.item_ref(0).as_ptr(), s.as_ptr(), m.as_ptr()))
    };
    wrap_inquiry as inquiry, |s, a, _k, f| {
        arity(a, 0)?;
        let r = f(s.as_ptr());
        if r < 0 { Err(Raised::already_set()) } else { Ok(bool_obj(r != 0)) }
    };
    wrap_len as lenfunc, |s, a, _k, f| {
        arity(a, 0)?;
        let r = f(s.as_ptr());
        if r < 0 { Err(Raised::already_set()) } else { Ok(Int::from_i64(r as i64).into_object()) }
    };
    wrap_hash as hashfunc, |s, a, _k, f| {
        arity(a, 0)?;
        let r = f(s.as_ptr());
        if r == -1 { Err(Raised::already_set()) } else { Ok(Int::from_i64(r as i64).into_object()) }
    };
    wrap_indexarg as ssizeargfunc, |s, a, _k, f| {
        arity(a, 1)?;
        let i = crate::number::as_isize(a.item_ref(0), Some(exc::OverflowError()))?;
        from_c(f(s.as_ptr(), i))
    };
    wrap_sq_item as ssizeargfunc, |s, a, _k, f| { arity(a, 1)?; let i = index_arg(s, a.item_ref(0))?; from_c(f(s.as_ptr(), i)) };
    wrap_sq_setitem as ssizeobjargproc, |s, a, _k, f| {
        arity(a, 2)?;
        let i = index_arg(s, a.item_ref(0))?;
        done(f(s.as_ptr(), i, a.item_ref(1).as_ptr()))
    };
    wrap_sq_delitem as ssizeobjargproc, |s, a, _k, f| {
        arity(a, 1)?;
        let i = index_arg(s, a.item_ref(0))?;
        done(f(s.as_ptr(), i, null_mut()))
    };
    wrap_contains as objobjproc, |s, a, _k, f| {
        arity(a, 1)?;
        let r = f(s.as_ptr(), a.item_ref(0).as_ptr());
        if r < 0 { Err(Raised::already_set()) } else { Ok(bool_obj(r != 0)) }
    };
    wrap_setitem as objobjargproc, |s, a, _k, f| { arity(a, 2)?; done(f(s.as_ptr(), a.item_ref(0).as_ptr(), a.item_ref(1).as_ptr())) };
    wrap_delitem as objobjargproc, |s, a, _k, f| { arity(a, 1)?; done(f(s.as_ptr(), a.item_ref(0).as_ptr(), null_mut())) };
    wrap_setattr as setattrofunc, |s, a, _k, f| {
        arity(a, 2)?;
        hackcheck(s, f as *mut c_void, "__setattr__")?;
        done(f(s.as_ptr(), a.item_ref(0).as_ptr(), a.item_ref(1).as_ptr()))
    };
    wrap_delattr as setattrofunc, |s, a, _k, f| {
        arity(a, 1)?;
        hackcheck(s, f as *mut c_void, "__delattr__")?;
        done(f(s.as_ptr(), a.item_ref(0).as_ptr(), null_mut()))
    };
    wrap_call as ternaryfunc, |s, a, k, f| from_c(f(s.as_ptr(), a.raw(), k.map_or(null_mut(), |d| d.raw())));
    wrap_init as initproc, |s, a, k, f| done(f(s.as_ptr(), a.raw(), k.map_or(null_mut(), |d| d.raw())));
    wrap_lt as richcmpfunc, |s, a, _k, f| { arity(a, 1)?; from_c(f(s.as_ptr(), a.item_ref(0).as_ptr(), 0)) };
    wrap_le as richcmpfunc, |s, a, _k, f| { arity(a, 1)?; from_c(f(s.as_ptr(), a.item_ref(0).as_ptr(), 1)) };
    wrap_eq as richcmpfunc, |s, a, _k, f| { arity(a, 1)?; from_c(f(s.as_ptr(), a.item_ref(0).as_ptr(), 2)) };
    wrap_ne as richcmpfunc, |s, a, _k, f| { arity(a, 1)?; from_c(f(s.as_ptr(), a.item_ref(0).as_ptr(), 3)) };
    wrap_gt as richcmpfunc, |s, a, _k, f| { arity(a, 1)?; from_c(f(s.as_ptr(), a.item_ref(0).as_ptr(), 4)) };
    wrap_ge as richcmpfunc, |s, a, _k, f| { arity(a, 1)?; from_c(f(s.as_ptr(), a.item_ref(0).as_ptr(), 5)) };
    wrap_descr_get as descrgetfunc, |s, a, _k, f| {
        arity_range(a, 1, 2)?;
        let o = a.item_ref(0);
        let t = if a.len() == 2 { a.item_ref(1) } else { none_ref() };
        if o.is_none() && t.is_none() {
            return raise!(TypeError, "__get__(None, None) is invalid");
        }
        let p = |x: &Object| if x.is_none() { null_mut() } else { x.as_ptr() };
        from_c(f(s.as_ptr(), p(o), p(t)))
    };
    wrap_descr_set as descrsetfunc, |s, a, _k, f| { arity(a, 2)?; done(f(s.as_ptr(), a.item_ref(0).as_ptr(), a.item_ref(1).as_ptr())) };
    wrap_descr_delete as descrsetfunc, |s, a, _k, f| { arity(a, 1)?; done(f(s.as_ptr(), a.item_ref(0).as_ptr(), null_mut())) };
    wrap_del as destructor, |s, a, _k, f| { arity(a, 0)?; f(s.as_ptr()); Ok(none()) };
}

/// `object.__setattr__(type_instance, …)` must not get round a built-in type's own slot.
pub(crate) fn hackcheck(o: &Object, f: *mut c_void, what: &str) -> PyResult<()> {
    // SAFETY: MRO entries are types, and so are the bases of a type.
    unsafe {
        let own = (*o.ob_type()).tp_setattro.map(|x| x as *mut c_void);
        let slot = |t: *mut PyTypeObject| (*t).tp_setattro.map(|x| x as *mut c_void);
        let python = Some(slot_tp_setattro as *mut c_void);
        // The most basic type that has the instance's slot and isn't a Python class (those have none of their own).
        let mro = o.ty().mro();
        let types: Vec<*mut PyTypeObject> = mro.iter().map(|c| c.as_ptr().cast()).collect();
        let first = types.iter().rev().find(|t| slot(**t) != python && slot(**t) == own);
        let mut t = first.copied().unwrap_or(o.ob_type());
        // From there on no other C slot may lie before the one that was asked for.
        while !t.is_null() && slot(t) != Some(f) {
            if slot(t) != python {
                return raise!(TypeError, "can't apply this {} to {} object", what, o.ty().name());
            }
            t = (*t).tp_base;
        }
        Ok(())
    }
}
