//! Calling container types without making an argument tuple: `tp_vectorcall` of `list`, `dict`, `range`, …
//!
//! Each handles the plain cases; keywords and odd numbers of arguments take the general way, which has the error messages.

use crate::border;
use crate::enumobject::Enumerate;
use crate::errors::*;
use crate::iterobject::{Filter, Map};
use crate::kinds::*;
use crate::object::*;
use crate::raise;
use crate::rangeobject::Range;
use crate::singletons::bool_obj;
use lh_abi::*;

/// Calls `f` with the positional arguments; `None` from it means the general way.
#[inline(always)]
unsafe fn dispatch(
    ty: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
    f: impl FnOnce(&[&Object]) -> Option<PyResult>,
) -> *mut PyObject {
    // SAFETY: called by the vectorcall protocol with live arguments.
    unsafe {
        let n = nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET;
        let no_kw = kwnames.is_null() || (*kwnames.cast::<PyVarObject>()).ob_size == 0;
        border::object(|| {
            if no_kw {
                // A reference to an object has the layout of a pointer.
                let a: &[&Object] = if n == 0 { &[] } else { std::slice::from_raw_parts(args.cast(), n) };
                if let Some(r) = f(a) {
                    return r;
                }
            }
            general(ty, args, n, kwnames)
        })
    }
}
/// The call with a tuple and a dict.
#[inline(never)]
unsafe fn general(
    ty: *mut PyObject,
    args: *const *mut PyObject,
    n: usize,
    kwnames: *mut PyObject,
) -> PyResult {
    // SAFETY: called by the vectorcall protocol with live arguments.
    unsafe {
        let (t, kw) = crate::protocols::as_tuple_and_dict(args, n, kwnames)?;
        crate::type_attrs::type_call(Type::from_raw_ref(ty.cast()), &t, kw.as_deref())
    }
}

macro_rules! calls {
    ($($name:ident($a:ident) $body:expr;)*) => { $(
        unsafe extern "C" fn $name(
            ty: *mut PyObject,
            args: *const *mut PyObject,
            nargsf: usize,
            kwnames: *mut PyObject,
        ) -> *mut PyObject {
            // SAFETY: called by the vectorcall protocol.
            unsafe { dispatch(ty, args, nargsf, kwnames, |$a| $body) }
        }
    )* };
}

fn done<T: Kind>(r: PyResult<Owned<T>>) -> Option<PyResult> {
    Some(r.map(Owned::into_object))
}

calls! {
    call_list(a) match a {
        [] => done(Ok(List::new())),
        [x] => {
            let l = List::new();
            Some(l.extend(x).map(|_| l.into_object()))
        }
        _ => None,
    };
    call_tuple(a) match a {
        [] => done(Ok(Tuple::empty())),
        [x] => done(Tuple::from_iterable(x)),
        _ => None,
    };
    call_plain_dict(a) match a {
        [] => done(Ok(Dict::new())),
        [x] => {
            let d = Dict::new();
            Some(d.update(x).map(|_| d.into_object()))
        }
        _ => None,
    };
    call_set(a) match a {
        [] => done(Ok(Set::new())),
        [x] => done(Set::from_iterable(x)),
        _ => None,
    };
    call_frozenset(a) match a {
        [x] if x.is_exact::<FrozenSet>() => done(Ok(x.own())),
        _ => None,
    };
    call_range(a) {
        let int = |o: &Object| -> PyResult {
            if o.is_exact::<Int>() { Ok(o.own()) } else { crate::rangeobject::plain(o) }
        };
        let make = |start: PyResult, stop: PyResult| -> PyResult<Owned<Range>> {
            Ok(Range::from_ints(start?, stop?, Int::from_i64(1).into_object()))
        };
        match a {
            [stop] => done(make(Ok(Int::from_i64(0).into_object()), int(stop))),
            [start, stop] => {
                // Converted from left to right.
                let start = int(start);
                if start.is_err() { done::<Range>(start.map(|_| unreachable!())) } else { done(make(start, int(stop))) }
            }
            _ => None,
        }
    };
    call_map(a) match a {
        [f, x] => done(Map::over(f, x)),
        _ => None,
    };
    call_filter(a) match a {
        [f, x] => done(Filter::over(f, x)),
        _ => None,
    };
    call_enumerate(a) match a {
        [x] => done(Enumerate::over(x)),
        [] => Some(raise!(TypeError, "enumerate() missing required argument 'iterable'")),
        [_, _, _, ..] => Some(raise!(TypeError, "enumerate() takes at most 2 arguments ({} given)", a.len())),
        _ => None,
    };
}

calls! {
    call_int(a) match a {
        [] => done(Ok(Int::from_i64(0))),
        [x] if x.is_exact::<Int>() => Some(Ok(x.own())),
        [x] => {
            if let Some(f) = x.downcast_exact::<Float>() {
                short_int(f.value())
            } else if let Some(s) = x.downcast_exact::<Str>() {
                s.as_ascii().and_then(short_decimal).and_then(|v| done(Ok(Int::from_i64(v))))
            } else {
                crate::number::int_by_slot(x)
            }
        }
        _ => None,
    };
    call_float(a) match a {
        [] => done(Ok(Float::new(0.0))),
        [x] if x.is_exact::<Float>() => Some(Ok(x.own())),
        [x] => match x.downcast_exact::<Int>().and_then(|i| i.compact()) {
            Some(v) if v.unsigned_abs() < 1 << 53 => done(Ok(Float::new(v as f64))),
            _ => crate::number::float_by_slot(x),
        },
        _ => None,
    };
    call_bool(a) match a {
        [] => Some(Ok(bool_obj(false))),
        [x] => Some(x.is_true().map(bool_obj)),
        _ => None,
    };
    call_str(a) match a {
        [] => done(Ok(Str::empty().own())),
        [x] => done(x.str()),
        _ => None,
    };
    call_memoryview(a) match a {
        [x] => done(MemoryView::from_object_new(x)),
        _ => None,
    };
}
fn short_int(v: f64) -> Option<PyResult> {
    (v.abs() < (1i64 << 60) as f64).then(|| Ok(Int::from_i64(v as i64).into_object()))
}
/// The value of plain decimal digits, at most 18 of them, perhaps with a minus.
fn short_decimal(s: &str) -> Option<i64> {
    let (minus, digits) = match s.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        all => (false, all),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut v = 0i64;
    for d in digits {
        if !d.is_ascii_digit() {
            return None;
        }
        v = v * 10 + (d - b'0') as i64;
    }
    Some(if minus { -v } else { v })
}

/// `dict` with keywords, or as the other types.
unsafe extern "C" fn call_dict(
    ty: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: called by the vectorcall protocol with live arguments.
    unsafe {
        let n = nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET;
        if n > 1 || kwnames.is_null() || (*kwnames.cast::<PyVarObject>()).ob_size == 0 {
            return call_plain_dict(ty, args, nargsf, kwnames);
        }
        border::object(|| {
            let kw = crate::protocols::dict_of_kwnames(args.add(n), kwnames)?;
            if n == 0 {
                return Ok(kw);
            }
            let d = Dict::new();
            d.update(Object::from_ptr(*args))?;
            d.merge_dict(&kw, true)?;
            Ok(d)
        })
    }
}

/// Installs the functions; the types are ready.
pub fn init() -> PyResult<()> {
    use crate::type_table::*;
    // SAFETY: static type objects; nobody calls them yet.
    unsafe {
        PyList_Type.tp_vectorcall = Some(call_list);
        PyTuple_Type.tp_vectorcall = Some(call_tuple);
        PyDict_Type.tp_vectorcall = Some(call_dict);
        PySet_Type.tp_vectorcall = Some(call_set);
        PyFrozenSet_Type.tp_vectorcall = Some(call_frozenset);
        PyRange_Type.tp_vectorcall = Some(call_range);
        PyLong_Type.tp_vectorcall = Some(call_int);
        PyFloat_Type.tp_vectorcall = Some(call_float);
        PyBool_Type.tp_vectorcall = Some(call_bool);
        PyUnicode_Type.tp_vectorcall = Some(call_str);
        PyMap_Type.tp_vectorcall = Some(call_map);
        PyFilter_Type.tp_vectorcall = Some(call_filter);
        PyEnum_Type.tp_vectorcall = Some(call_enumerate);
        PyMemoryView_Type.tp_vectorcall = Some(call_memoryview);
    }
    Ok(())
}
