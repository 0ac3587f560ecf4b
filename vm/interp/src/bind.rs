//! Binding call arguments to a Python function's parameters, with CPython's error messages, and making its frame.

use crate::frame::{self, Frame};
use crate::prelude::*;
use std::ptr::null_mut;

/// Flags that make a call more than copying positional arguments.
const COMPLEX: i32 = CO_VARARGS | CO_VARKEYWORDS;

/// Number of keyword arguments.
#[inline(always)]
pub unsafe fn kw_count(kwnames: *mut PyObject) -> usize {
    // SAFETY: null or a tuple.
    unsafe { if kwnames.is_null() { 0 } else { (*kwnames.cast::<PyVarObject>()).ob_size as usize } }
}

/// Can `func` be called with `n` positional arguments by just copying them?
#[inline(always)]
pub unsafe fn is_simple(code: *mut PyCodeObject, n: usize) -> bool {
    // SAFETY: a live code object.
    unsafe {
        (*code).co_argcount as usize == n
            && (*code).co_kwonlyargcount == 0
            && (*code).co_flags & COMPLEX == 0
            && (*code).co_flags & CO_OPTIMIZED != 0
    }
}

/// A frame for calling `func` with these arguments. Takes over the references to `func`, `locals` (may be null) and the
/// arguments. Null: raised.
#[inline]
pub unsafe fn frame_for_call(
    ts: *mut PyThreadState,
    func: *mut PyFunctionObject,
    locals: *mut PyObject,
    args: *const *mut PyObject,
    n: usize,
    kwnames: *mut PyObject,
) -> *mut Frame {
    // SAFETY: the caller's promise; on failure every argument is dropped exactly once.
    unsafe {
        let code = (*func).func_code.cast::<PyCodeObject>();
        let f = frame::push(ts, func, locals);
        if f.is_null() {
            for i in 0..n + kw_count(kwnames) {
                decref(*args.add(i));
            }
            return null_mut();
        }
        let l = frame::localsplus(f);
        if kwnames.is_null() && is_simple(code, n) {
            // Volatile: most calls have few arguments, a call of memcpy costs more than the copying.
            for i in 0..n {
                l.add(i).write_volatile(*args.add(i));
            }
            return f;
        }
        if kwnames.is_null() && copy_with_defaults(func, code, l, args, n) {
            return f;
        }
        if bind(func, l, args, n, kwnames).is_err() {
            frame::clear(f);
            frame::pop_words(ts, f.cast());
            return null_mut();
        }
        f
    }
}

/// Binds fewer positional arguments than parameters where defaults make up for the rest; false: it isn't that simple, nothing is done.
#[inline(always)]
unsafe fn copy_with_defaults(
    func: *mut PyFunctionObject,
    code: *mut PyCodeObject,
    l: *mut *mut PyObject,
    args: *const *mut PyObject,
    n: usize,
) -> bool {
    // SAFETY: `l` has room for all parameters; a function's defaults are a tuple or null.
    unsafe {
        let argcount = (*code).co_argcount as usize;
        let defaults = (*func).func_defaults.cast::<PyTupleObject>();
        if n >= argcount
            || (*code).co_kwonlyargcount != 0
            || (*code).co_flags & COMPLEX != 0
            || defaults.is_null()
        {
            return false;
        }
        let (given, missing) = ((*defaults.cast::<PyVarObject>()).ob_size as usize, argcount - n);
        if missing > given {
            return false;
        }
        for i in 0..n {
            l.add(i).write_volatile(*args.add(i));
        }
        let from = (&raw const (*defaults).ob_item).cast::<*mut PyObject>().add(given - missing);
        for i in 0..missing {
            let d = *from.add(i);
            incref(d);
            l.add(n + i).write_volatile(d);
        }
        true
    }
}

unsafe fn qualname<'a>(func: *mut PyFunctionObject) -> std::borrow::Cow<'a, str> {
    // SAFETY: a live function has a qualified name.
    unsafe { r((*func).func_qualname).downcast_unchecked::<Str>().to_str_lossy() }
}

unsafe fn bind(
    func: *mut PyFunctionObject,
    l: *mut *mut PyObject,
    args: *const *mut PyObject,
    n: usize,
    kwnames: *mut PyObject,
) -> PyResult<()> {
    // SAFETY: `l` has room for all parameters; arguments are moved or dropped exactly once, also on errors.
    unsafe {
        let code = (*func).func_code.cast::<PyCodeObject>();
        let code_obj = r(code.cast()).downcast_unchecked::<Code>();
        let names = code_obj.localsplusnames();
        let flags = (*code).co_flags;
        let argcount = (*code).co_argcount as usize;
        let posonly = (*code).co_posonlyargcount as usize;
        let total = argcount + (*code).co_kwonlyargcount as usize;
        let nkw = kw_count(kwnames);
        let kwdict = if flags & CO_VARKEYWORDS != 0 {
            let d = Dict::new();
            let at = total + (flags & CO_VARARGS != 0) as usize;
            *l.add(at) = d.into_raw();
            Some(r(*l.add(at)).downcast_unchecked::<Dict>())
        } else {
            None
        };
        let take = n.min(argcount);
        std::ptr::copy_nonoverlapping(args, l, take);
        if flags & CO_VARARGS != 0 {
            let rest = Tuple::build(n - take, |i| *args.add(take + i));
            *l.add(total) = rest.expect("memory for a tuple").into_raw();
        } else {
            for i in take..n {
                decref(*args.add(i));
            }
        }
        let mut failed: Option<Raised> = None;
        for k in 0..nkw {
            let value = *args.add(n + k);
            if failed.is_some() {
                decref(value);
                continue;
            }
            let name =
                r(*(&raw const (*kwnames.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>().add(k));
            match keyword(func, names, posonly, total, kwdict, l, name, value, kwnames) {
                Ok(()) => {}
                Err(e) => {
                    decref(value);
                    failed = Some(e);
                }
            }
        }
        if let Some(e) = failed {
            return Err(e);
        }
        if n > argcount && flags & CO_VARARGS == 0 {
            return too_many(func, code, l, n);
        }
        let defaults = Object::from_ptr_opt((*func).func_defaults).map(|d| d.downcast_unchecked::<Tuple>());
        let ndef = defaults.map_or(0, |d| d.len());
        if n < argcount {
            let first_default = argcount - ndef.min(argcount);
            let missing: Vec<usize> = (n..first_default).filter(|i| (*l.add(*i)).is_null()).collect();
            if !missing.is_empty() {
                return missing_arguments(func, names, &missing, "positional");
            }
            if let Some(d) = defaults {
                // Of more defaults than parameters the last ones count.
                for i in n.max(first_default)..argcount {
                    let p = l.add(i);
                    if (*p).is_null() {
                        *p = d.get(ndef - (argcount - i)).into_raw();
                    }
                }
            }
        }
        if total > argcount {
            let kwdefaults =
                Object::from_ptr_opt((*func).func_kwdefaults).map(|d| d.downcast_unchecked::<Dict>().own());
            let mut missing = vec![];
            for i in argcount..total {
                if !(*l.add(i)).is_null() {
                    continue;
                }
                match &kwdefaults {
                    Some(d) => match d.get_item(names.item_ref(i))? {
                        Some(v) => *l.add(i) = v.into_raw(),
                        None => missing.push(i),
                    },
                    None => missing.push(i),
                }
            }
            if !missing.is_empty() {
                return missing_arguments(func, names, &missing, "keyword-only");
            }
        }
        Ok(())
    }
}

/// Puts one keyword argument in its place. On success the value has moved.
unsafe fn keyword(
    func: *mut PyFunctionObject,
    names: &Tuple,
    posonly: usize,
    total: usize,
    kwdict: Option<&Dict>,
    l: *mut *mut PyObject,
    name: &Object,
    value: *mut PyObject,
    kwnames: *mut PyObject,
) -> PyResult<()> {
    // SAFETY: as in `bind`.
    unsafe {
        let Some(name) = name.downcast::<Str>() else {
            return raise!(TypeError, "{}() keywords must be strings", qualname(func));
        };
        let at = (posonly..total).find(|i| names.item_ref(*i).is(name)).or_else(|| {
            (posonly..total).find(|i| names.item_ref(*i).downcast_unchecked::<Str>().equals(name))
        });
        match at {
            Some(i) => {
                if !(*l.add(i)).is_null() {
                    return raise!(
                        TypeError,
                        "{}() got multiple values for argument '{}'",
                        qualname(func),
                        name.to_str_lossy()
                    );
                }
                *l.add(i) = value;
                Ok(())
            }
            None => match kwdict {
                Some(d) => {
                    d.set_item(name, r(value))?;
                    decref(value);
                    Ok(())
                }
                None => {
                    let wrong: Vec<String> = (0..posonly)
                        .filter(|i| {
                            let p = names.item_ref(*i).downcast_unchecked::<Str>();
                            r(kwnames)
                                .downcast_unchecked::<Tuple>()
                                .iter()
                                .any(|k| k.downcast::<Str>().is_some_and(|k| k.equals(p)))
                        })
                        .map(|i| names.item_ref(i).downcast_unchecked::<Str>().to_str_lossy().into_owned())
                        .collect();
                    if !wrong.is_empty() {
                        return raise!(
                            TypeError,
                            "{}() got some positional-only arguments passed as keyword arguments: '{}'",
                            qualname(func),
                            wrong.join(", ")
                        );
                    }
                    raise!(
                        TypeError,
                        "{}() got an unexpected keyword argument '{}'",
                        qualname(func),
                        name.to_str_lossy()
                    )
                }
            },
        }
    }
}

#[cold]
unsafe fn missing_arguments(
    func: *mut PyFunctionObject,
    names: &Tuple,
    missing: &[usize],
    kind: &str,
) -> PyResult<()> {
    // SAFETY: names are strings.
    let text = |i: &usize| names.item_ref(*i).repr_lossy();
    let v: Vec<String> = missing.iter().map(text).collect();
    let list = match v.as_slice() {
        [a] => a.clone(),
        [a, b] => format!("{a} and {b}"),
        [head @ .., last] => format!("{}, and {}", head.join(", "), last),
        [] => String::new(),
    };
    raise!(
        TypeError,
        "{}() missing {} required {} argument{}: {}",
        // SAFETY: a live function.
        unsafe { qualname(func) },
        v.len(),
        kind,
        if v.len() == 1 { "" } else { "s" },
        list
    )
}

#[cold]
unsafe fn too_many(
    func: *mut PyFunctionObject,
    code: *mut PyCodeObject,
    l: *mut *mut PyObject,
    given: usize,
) -> PyResult<()> {
    // SAFETY: a live function and its frame's parameters.
    unsafe {
        let argcount = (*code).co_argcount as usize;
        let kwonly =
            (0..(*code).co_kwonlyargcount as usize).filter(|i| !(*l.add(argcount + i)).is_null()).count();
        let ndef =
            Object::from_ptr_opt((*func).func_defaults).map_or(0, |d| d.downcast_unchecked::<Tuple>().len());
        let (plural, sig) = if ndef > 0 {
            (true, format!("from {} to {}", argcount as isize - ndef as isize, argcount))
        } else {
            (argcount != 1, argcount.to_string())
        };
        let s = |n: usize| if n != 1 { "s" } else { "" };
        let kwonly_sig = if kwonly > 0 {
            format!(" positional argument{} (and {} keyword-only argument{})", s(given), kwonly, s(kwonly))
        } else {
            String::new()
        };
        raise!(
            TypeError,
            "{}() takes {} positional argument{} but {}{} {} given",
            qualname(func),
            sig,
            if plural { "s" } else { "" },
            given,
            kwonly_sig,
            if given == 1 && kwonly == 0 { "was" } else { "were" }
        )
    }
}

/// The vectorcall of Python functions.
pub unsafe extern "C" fn function_vectorcall(
    func: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the vectorcall protocol: a function and live arguments.
    unsafe {
        let ts = Thread::current_ptr();
        let n = nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET;
        let all = n + kw_count(kwnames);
        for i in 0..all {
            incref(*args.add(i));
        }
        incref(func);
        let func = func.cast::<PyFunctionObject>();
        let code = (*func).func_code.cast::<PyCodeObject>();
        let locals = if (*code).co_flags & CO_OPTIMIZED != 0 {
            null_mut()
        } else {
            let g = (*func).func_globals;
            incref(g);
            g
        };
        let f = frame_for_call(ts, func, locals, args, n, kwnames);
        if f.is_null() {
            return null_mut();
        }
        crate::eval::run(ts, f, false)
    }
}
