//! `modsupport.h`: the argument functions as C knows them, and what the argument clinic's code calls.

use crate::getargs::*;
use crate::prelude::*;
use crate::va::VaList;

unsafe fn stack<'a>(args: *const *mut PyObject, n: isize) -> &'a [*mut PyObject] {
    // SAFETY: the caller's promise.
    if n <= 0 { &[] } else { unsafe { std::slice::from_raw_parts(args, n as usize) } }
}

/// `_PyArg_Parser`: the clinic's static description of a function.
#[repr(C)]
pub struct ArgParser {
    format: *const c_char,
    keywords: *const *const c_char,
    fname: *const c_char,
    custom_msg: *const c_char,
    pos: c_int,
    min: c_int,
    max: c_int,
    kwtuple: *mut PyObject,
    next: *mut ArgParser,
}
impl ArgParser {
    /// The function's name with `()`, or what stands in for it.
    unsafe fn shown(&self, nameless: &str) -> String {
        // SAFETY: as below.
        match unsafe { self.name() } {
            n if n.is_empty() => nameless.to_string(),
            n => format!("{n}()"),
        }
    }
    /// The error of keyword arguments that no parameter took; the positional arguments are those of `taken`.
    #[cold]
    unsafe fn refuse(
        &self,
        pairs: Keywords<'_>,
        names: &Names,
        taken: core::ops::Range<usize>,
    ) -> PyResult<()> {
        // SAFETY: as below.
        let shown = |nameless: &str| unsafe { self.shown(nameless) };
        for i in taken {
            if pairs.find(names, i).is_some() {
                return raise!(
                    TypeError,
                    "argument for {} given by name ('{}') and position ({})",
                    shown("function"),
                    names.text(i),
                    i + 1
                );
            }
        }
        pairs.check(names, || shown("this function"))
    }
    unsafe fn name(&self) -> String {
        // SAFETY: C strings of a static description.
        unsafe {
            if !self.fname.is_null() {
                return text(CStr::from_ptr(self.fname)).into_owned();
            }
            if self.format.is_null() {
                String::new()
            } else {
                func_of(CStr::from_ptr(self.format).to_bytes()).0
            }
        }
    }
}

/// The arguments of a function, which are a tuple if its flags say so.
#[inline]
fn tuple(args: &Object) -> PyResult<&Tuple> {
    match args.downcast::<Tuple>() {
        Some(t) => Ok(t),
        None => Err(no_tuple()),
    }
}
#[cold]
#[inline(never)]
fn no_tuple() -> Raised {
    raised!(SystemError, "new style getargs format but argument is not a tuple")
}

capi! {
fn lh_arg_parse_tuple(args: &Object, f: *const c_char, va: *mut VaList) -> (c_int, 0) {
    parse_tuple(tuple(args)?.as_slice_raw(), f, va)
}
fn lh_arg_parse(arg: &Object, f: &CStr, va: *mut VaList) -> (c_int, 0) {
    let b = f.to_bytes();
    let shape = Shape::of(b);
    match (shape.min, shape.units) {
        (_, 0) => raise!(TypeError, "{} takes no arguments", called(b)),
        (1, 1) => parse_args(&[arg.as_ptr()], b, &mut *va, true).map(|()| 1),
        _ => raise!(SystemError, "old style getargs format uses new features"),
    }
}
fn lh_arg_parse_stack(args: *const *mut PyObject, n: isize, f: *const c_char, va: *mut VaList) -> (c_int, 0) {
    parse_tuple(stack(args, n), f, va)
}
fn lh_arg_parse_keywords(args: &Tuple, kw: Option<&Dict>, f: *const c_char, names: *const *const c_char, va: *mut VaList) -> (c_int, 0) {
    parse_tuple_keywords(args.as_slice_raw(), kw, f, names, va)
}
fn lh_arg_parse_stack_keywords(args: *const *mut PyObject, n: isize, kwnames: Option<&Tuple>, p: *mut ArgParser, va: *mut VaList) -> (c_int, 0) {
    let f = CStr::from_ptr((*p).format).to_bytes();
    parse_keywords(stack(args, n), Keywords::of_stack(args, n, kwnames), f, Names::of((*p).keywords), &mut *va, Some(Shape::of(f))).map(|()| 1)
}
fn lh_arg_parse_tuple_keywords_fast(args: &Tuple, kw: Option<&Dict>, p: *mut ArgParser, va: *mut VaList) -> (c_int, 0) {
    let f = CStr::from_ptr((*p).format).to_bytes();
    parse_keywords(args.as_slice_raw(), Keywords::of_dict(kw), f, Names::of((*p).keywords), &mut *va, Some(Shape::of(f))).map(|()| 1)
}
fn PyArg_VaParse(args: &Object, f: *const c_char, va: *mut VaList) -> (c_int, 0) {
    parse_tuple(tuple(args)?.as_slice_raw(), f, va)
}
fn _PyArg_VaParse_SizeT(args: &Object, f: *const c_char, va: *mut VaList) -> (c_int, 0) {
    parse_tuple(tuple(args)?.as_slice_raw(), f, va)
}
fn PyArg_VaParseTupleAndKeywords(args: &Tuple, kw: Option<&Dict>, f: *const c_char, names: *const *const c_char, va: *mut VaList) -> (c_int, 0) {
    parse_tuple_keywords(args.as_slice_raw(), kw, f, names, va)
}
fn _PyArg_VaParseTupleAndKeywords_SizeT(args: &Tuple, kw: Option<&Dict>, f: *const c_char, names: *const *const c_char, va: *mut VaList) -> (c_int, 0) {
    parse_tuple_keywords(args.as_slice_raw(), kw, f, names, va)
}
fn lh_unpack_stack(args: *const *mut PyObject, n: isize, name: *const c_char, min: isize, max: isize, va: *mut VaList) -> (c_int, 0) {
    check_positional(name, n, min, max)?;
    for i in 0..n {
        *(*va).ptr::<*mut PyObject>() = *args.offset(i);
    }
    Ok(1)
}
fn lh_unpack_tuple(args: &Object, name: *const c_char, min: isize, max: isize, va: *mut VaList) -> (c_int, 0) {
    let Some(t) = args.downcast::<Tuple>() else {
        return raise!(SystemError, "PyArg_UnpackTuple() argument list is not a tuple");
    };
    check_positional(name, t.len() as isize, min, max)?;
    for p in t.as_slice_raw() {
        *(*va).ptr::<*mut PyObject>() = *p;
    }
    Ok(1)
}
fn _PyArg_CheckPositional(name: *const c_char, n: isize, min: isize, max: isize) -> (c_int, 0) {
    check_positional(name, n, min, max).map(|()| 1)
}
fn _PyArg_NoKeywords(name: &CStr, kw: Option<&Object>) -> (c_int, 0) {
    match kw { Some(k) if k.length()? > 0 => raise!(TypeError, "{}() takes no keyword arguments", text(name)), _ => Ok(1) }
}
fn _PyArg_NoKwnames(name: &CStr, kw: Option<&Tuple>) -> (c_int, 0) {
    match kw { Some(k) if k.len() > 0 => raise!(TypeError, "{}() takes no keyword arguments", text(name)), _ => Ok(1) }
}
fn _PyArg_NoPositional(name: &CStr, args: Option<&Tuple>) -> (c_int, 0) {
    match args { Some(a) if a.len() > 0 => raise!(TypeError, "{}() takes no positional arguments", text(name)), _ => Ok(1) }
}
fn _PyArg_BadArgument(fname: &CStr, display: &CStr, expected: &CStr, arg: &Object) -> void {
    let _ = raised!(TypeError, "{}() {} must be {}, not {}", text(fname), text(display), text(expected), shown(arg));
}
fn PyArg_ValidateKeywordArguments(kw: &Dict) -> (c_int, 0) {
    if kw.keys_vec().iter().all(|k| Str::check(k)) { Ok(1) } else { raise!(TypeError, "keywords must be strings") }
}
/// Arranges the arguments in parameter order; the answer is `args` itself if nothing was given by keyword.
fn _PyArg_UnpackKeywords(
    args: *const *mut PyObject, n: isize, kwargs: Option<&Dict>, kwnames: Option<&Tuple>, p: *mut ArgParser,
    min_pos: c_int, max_pos: c_int, min_kw: c_int, buf: *mut *mut PyObject,
) -> (*const *mut PyObject, null()) {
    let names = Names::of((*p).keywords);
    let shown_name = || (*p).shown("function");
    let pairs = match kwnames { Some(_) => Keywords::of_stack(args, n, kwnames), None => Keywords::of_dict(kwargs) };
    let total = names.len;
    let posonly = names.positional_only();
    let n = n.max(0) as usize;
    let (min_pos, max_pos) = (min_pos as usize, max_pos as usize);
    if pairs.is_empty() && min_kw == 0 && min_pos <= n && n <= max_pos && !args.is_null()
        && n == total {
            return Ok(args);
        }
    if n + pairs.len() > total {
        return raise!(
            TypeError, "{} takes at most {} {}argument{} ({} given)", shown_name(), total,
            if n == 0 { "keyword " } else { "" }, if total == 1 { "" } else { "s" }, n + pairs.len()
        );
    }
    if n > max_pos {
        if max_pos == 0 {
            return raise!(TypeError, "{} takes no positional arguments", shown_name());
        }
        return raise!(
            TypeError, "{} takes {} {} positional argument{} ({} given)", shown_name(),
            if min_pos < max_pos { "at most" } else { "exactly" }, max_pos, if max_pos == 1 { "" } else { "s" }, n
        );
    }
    if n < min_pos && n < posonly {
        let need = min_pos.min(posonly);
        if n < need {
            return raise!(
                TypeError, "{} takes {} {} positional argument{} ({} given)", shown_name(),
                if min_pos < max_pos { "at least" } else { "exactly" }, need, if need == 1 { "" } else { "s" }, n
            );
        }
    }
    for i in 0..total {
        *buf.add(i) = if i < n { *args.add(i) } else { null_mut() };
    }
    let mut left = pairs.len();
    for i in posonly.max(n)..total {
        let given = if left > 0 { pairs.find(&names, i) } else { None };
        match given {
            Some(v) => {
                *buf.add(i) = v;
                left -= 1;
            }
            None if if i < max_pos { i < min_pos } else { i < max_pos + min_kw as usize } => {
                return raise!(TypeError, "{} missing required argument '{}' (pos {})", shown_name(), names.text(i), i + 1);
            }
            None => {}
        }
    }
    if left > 0 {
        (*p).refuse(pairs, &names, posonly..n)?;
    }
    Ok(buf.cast_const())
}

/// As `_PyArg_UnpackKeywords` for a function with `*args` at place `vararg`: surplus positional arguments become a tuple there.
fn _PyArg_UnpackKeywordsWithVararg(
    args: *const *mut PyObject, n: isize, kwargs: Option<&Dict>, kwnames: Option<&Tuple>, p: *mut ArgParser,
    min_pos: c_int, max_pos: c_int, min_kw: c_int, vararg: c_int, buf: *mut *mut PyObject,
) -> (*const *mut PyObject, null()) {
    let names = Names::of((*p).keywords);
    let shown_name = || (*p).shown("function");
    let pairs = match kwnames { Some(_) => Keywords::of_stack(args, n, kwnames), None => Keywords::of_dict(kwargs) };
    let posonly = names.positional_only();
    let (n, vararg) = (n.max(0) as usize, vararg as usize);
    let (min_pos, max_pos) = (min_pos as usize, max_pos as usize);
    // A place for each parameter and one for the tuple.
    let total = names.len + 1;
    let place = |i: usize| if i < vararg { i } else { i + 1 };
    for i in 0..total {
        *buf.add(i) = null_mut();
    }
    if n < min_pos && n < posonly {
        return raise!(
            TypeError, "{} takes {} {} positional argument{} ({} given)", shown_name(),
            if min_pos < max_pos { "at least" } else { "exactly" }, min_pos.min(posonly), if min_pos.min(posonly) == 1 { "" } else { "s" }, n
        );
    }
    let plain = n.min(vararg);
    for i in 0..plain {
        *buf.add(i) = *args.add(i);
    }
    let mut left = pairs.len();
    for i in posonly.max(plain)..names.len {
        let given = if left > 0 { pairs.find(&names, i) } else { None };
        match given {
            Some(v) => {
                *buf.add(place(i)) = v;
                left -= 1;
            }
            None if if i < vararg { i < min_pos } else { i < vararg + min_kw as usize } => {
                return raise!(TypeError, "{} missing required argument '{}' (pos {})", shown_name(), names.text(i), i + 1);
            }
            None => {}
        }
    }
    if left > 0 {
        (*p).refuse(pairs, &names, posonly..plain)?;
    }
    let rest = (plain..n).map(|i| Object::from_ptr(*args.add(i)).own()).collect();
    *buf.add(vararg) = Tuple::from_vec(rest).into_raw();
    Ok(buf.cast_const())
}}

/// `name`: a C string, or null.
#[inline(always)]
unsafe fn check_positional(name: *const c_char, n: isize, min: isize, max: isize) -> PyResult<()> {
    if n >= min && n <= max {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    Err(wrong_number(if name.is_null() { None } else { Some(unsafe { CStr::from_ptr(name) }) }, n, min, max))
}
#[cold]
#[inline(never)]
fn wrong_number(name: Option<&CStr>, n: isize, min: isize, max: isize) -> Raised {
    let (k, bound) = if n < min { (min, "at least ") } else { (max, "at most ") };
    let bound = if min == max { "" } else { bound };
    let s = if k == 1 { "" } else { "s" };
    match name {
        Some(f) => raised!(TypeError, "{} expected {}{} argument{}, got {}", text(f), bound, k, s, n),
        None => raised!(TypeError, "unpacked tuple should have {}{} element{}, but has {}", bound, k, s, n),
    }
}
