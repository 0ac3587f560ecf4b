//! Argument parsing for built-in functions, with CPython's error messages.
//!
//! A function's `ArgSpec` is made by the macros from its signature. Parsing fills an array of borrowed pointers, one for each
//! named parameter (null where a default applies), and collects `*args` and `**kwargs`.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::raise;
use lh_abi::PyObject;
use std::ptr::null_mut;

/// The shape of a built-in function's parameters.
pub struct ArgSpec {
    pub fname: &'static str,
    /// Names, positional-only ones first, keyword-only ones last.
    pub names: &'static [&'static str],
    pub required: &'static [bool],
    pub posonly: usize,
    /// How many can be given by position.
    pub pos: usize,
    pub varargs: bool,
    pub varkw: bool,
    /// Errors are worded as by `PyArg_ParseTuple`.
    pub parse_tuple: bool,
}

/// How many positional arguments alone make a good call that is parsed by copying them: from `least` up to `most`; none if `least` is greater.
#[derive(Clone, Copy)]
pub struct Quick {
    least: usize,
    most: usize,
}
impl ArgSpec {
    pub const fn quick(&self) -> Quick {
        if self.varargs || self.varkw {
            return Quick { least: 1, most: 0 };
        }
        let mut least = 0;
        let mut i = 0;
        while i < self.required.len() {
            if self.required[i] {
                least = i + 1;
            }
            i += 1;
        }
        Quick { least, most: self.pos }
    }
}
impl Quick {
    #[inline(always)]
    pub const fn takes(self, n: usize) -> bool {
        n >= self.least && n <= self.most
    }
}

type Collected = (Option<Owned<Tuple>>, Option<Owned<Dict>>);

/// The arguments of a `raw` function, unparsed.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    args: &'a [*mut PyObject],
    kwnames: Option<&'a Tuple>,
    kwvalues: *const *mut PyObject,
}

impl<'a> Args<'a> {
    /// # Safety
    /// As the vectorcall protocol passes them.
    #[inline]
    pub unsafe fn new(args: *const *mut PyObject, n: usize, kwnames: *mut PyObject) -> Args<'a> {
        // SAFETY: the caller's promise.
        unsafe {
            Args {
                args: if n == 0 { &[] } else { std::slice::from_raw_parts(args, n) },
                kwnames: Object::from_ptr_opt(kwnames).map(|o| o.downcast_unchecked()),
                kwvalues: args.add(n),
            }
        }
    }
    /// Number of positional arguments.
    #[inline]
    pub fn len(&self) -> usize {
        self.args.len()
    }
    #[inline]
    pub fn get(&self, i: usize) -> Option<&'a Object> {
        // SAFETY: arguments are live during the call.
        self.args.get(i).map(|p| unsafe { Object::from_ptr(*p) })
    }
    pub fn iter(&self) -> impl Iterator<Item = &'a Object> + use<'a> {
        // SAFETY: arguments are live during the call.
        self.args.iter().map(|p| unsafe { Object::from_ptr(*p) })
    }
    /// Keyword arguments in order.
    pub fn kwargs(&self) -> impl Iterator<Item = (&'a Str, &'a Object)> + use<'a> {
        let (names, values) = (self.kwnames, self.kwvalues);
        (0..names.map_or(0, |t| t.len())).map(move |i| {
            // SAFETY: keyword names are strings in a tuple that lives during the call; values follow the positional ones.
            unsafe {
                let n = names.expect("there are names").item_ref(i);
                (n.downcast_unchecked::<Str>(), Object::from_ptr(*values.add(i)))
            }
        })
    }
    #[inline]
    pub fn has_kwargs(&self) -> bool {
        self.kwnames.is_some_and(|t| t.len() > 0)
    }
    #[inline]
    pub fn no_kwargs(&self, fname: &str) -> PyResult<()> {
        if self.has_kwargs() { raise!(TypeError, "{}() takes no keyword arguments", fname) } else { Ok(()) }
    }
    pub fn as_slice(&self) -> &'a [*mut PyObject] {
        self.args
    }
    /// Calls `f` with all arguments but the first positional one.
    pub fn call_with_rest(&self, f: &Object) -> PyResult {
        let Some((_, rest)) = self.args.split_first() else { return f.call0() };
        let names = self.kwnames.map_or(std::ptr::null_mut(), |t| t.raw());
        // SAFETY: keyword values follow the positional arguments, as they came.
        unsafe { from_c(f.vectorcall(rest.as_ptr(), rest.len(), names)) }
    }
}

/// Parses vectorcall arguments.
///
/// # Safety
/// As the vectorcall protocol passes them; `out` has a place for each name.
pub unsafe fn parse_fast(
    spec: &ArgSpec,
    args: *const *mut PyObject,
    n: usize,
    kwnames: *mut PyObject,
    out: &mut [*mut PyObject],
) -> PyResult<Collected> {
    // SAFETY: the caller's promise.
    unsafe {
        let a = Args::new(args, n, kwnames);
        // Only positional arguments, and all that are needed: by far the commonest call.
        if a.kwnames.is_none() && fits(spec, n) {
            for (o, p) in out.iter_mut().zip(a.args) {
                *o = *p;
            }
            return Ok((None, None));
        }
        parse(spec, a.args, a.kwnames.map_or(0, |t| t.len()), a.kwargs(), out)
    }
}

/// Parses a tuple and a dict (or null), as `tp_new`, `tp_init` and `tp_call` get them.
///
/// # Safety
/// `args` is a tuple, `kwargs` a dict or null; `out` has a place for each name.
pub unsafe fn parse_tuple(
    spec: &ArgSpec,
    args: *mut PyObject,
    kwargs: *mut PyObject,
    out: &mut [*mut PyObject],
) -> PyResult<Collected> {
    // SAFETY: the caller's promise; the items are kept alive by tuple and dict for the length of the call.
    unsafe {
        let t = Object::from_ptr(args).downcast_unchecked::<Tuple>();
        let slice = t.as_slice_raw();
        match Object::from_ptr_opt(kwargs) {
            None if fits(spec, slice.len()) => {
                for (o, p) in out.iter_mut().zip(slice) {
                    *o = *p;
                }
                Ok((None, None))
            }
            None => parse(spec, slice, 0, std::iter::empty(), out),
            Some(d) => {
                let d = d.downcast_unchecked::<Dict>();
                let items = d.items_vec();
                for (k, _) in &items {
                    if !Str::check(k) {
                        return raise!(TypeError, "keywords must be strings");
                    }
                }
                let it =
                    items.iter().map(|(k, v)| (k.downcast_unchecked::<Str>(), Object::from_ptr(v.ptr())));
                parse(spec, slice, items.len(), it, out)
            }
        }
    }
}

/// Do `n` positional arguments alone make a good call that is parsed by copying them?
#[inline]
fn fits(spec: &ArgSpec, n: usize) -> bool {
    n <= spec.pos && !spec.varargs && !spec.varkw && spec.required[n..].iter().all(|r| !r)
}

fn parse<'a>(
    spec: &ArgSpec,
    args: &[*mut PyObject],
    nkw: usize,
    kwargs: impl Iterator<Item = (&'a Str, &'a Object)>,
    out: &mut [*mut PyObject],
) -> PyResult<Collected> {
    let n = args.len();
    let total = spec.names.len();
    let min_pos = spec.required[..spec.pos].iter().filter(|r| **r).count();
    let keywords = spec.posonly < total || spec.varkw;
    if !keywords && nkw > 0 {
        return raise!(TypeError, "{}() takes no keyword arguments", spec.fname);
    }
    if !keywords && (n < min_pos || n > spec.pos && !spec.varargs) {
        return miscounted(spec, n, min_pos);
    }
    if keywords && !spec.varkw && !spec.varargs {
        check_counts(spec, n, nkw, min_pos)?;
    }
    let take = n.min(spec.pos);
    out[..take].copy_from_slice(&args[..take]);
    let var = spec.varargs.then(|| {
        // SAFETY: arguments are live during the call.
        unsafe { Tuple::from_raw_items(args[take..].as_ptr(), n - take) }.expect("memory for a tuple")
    });
    let kw = spec.varkw.then(Dict::new);
    // Names that no parameter has, or that were given by position, wait: a missing argument is reported before them.
    let mut wrong: Option<(&'a Str, Option<usize>)> = None;
    if nkw > 0 {
        for (k, v) in kwargs {
            let name = k.to_str_lossy();
            match spec.names[spec.posonly..].iter().position(|x| *x == name) {
                Some(i) if out[i + spec.posonly].is_null() => out[i + spec.posonly] = v.as_ptr(),
                Some(i) => wrong = Some((k, Some(i + spec.posonly))),
                None => match &kw {
                    Some(d) => d.set_item(k, v)?,
                    None if wrong.is_none() => wrong = Some((k, None)),
                    None => {}
                },
            }
        }
    }
    for i in 0..total {
        if out[i].is_null() && spec.required[i] {
            if i < spec.posonly {
                return miscounted(spec, n, min_pos);
            }
            return raise!(
                TypeError,
                "{}() missing required argument '{}' (pos {})",
                spec.fname,
                spec.names[i],
                i + 1
            );
        }
    }
    match wrong {
        None => Ok((var, kw)),
        Some((k, Some(i))) => raise!(
            TypeError,
            "argument for {}() given by name ('{}') and position ({})",
            spec.fname,
            k.to_str_lossy(),
            i + 1
        ),
        Some((k, None)) => {
            let name = k.to_str_lossy();
            if spec.names[..spec.posonly].contains(&&*name) {
                return raise!(
                    TypeError,
                    "{}() got some positional-only arguments passed as keyword arguments: '{}'",
                    spec.fname,
                    name
                );
            }
            raise!(TypeError, "'{}' is an invalid keyword argument for {}()", name, spec.fname)
        }
    }
}

fn plural(k: usize) -> &'static str {
    if k == 1 { "" } else { "s" }
}

/// A wrong number of positional arguments for a function without keywords.
#[cold]
fn miscounted(spec: &ArgSpec, n: usize, min_pos: usize) -> PyResult<Collected> {
    let limit = if n < min_pos { min_pos } else { spec.pos };
    let how = match (min_pos == spec.pos && !spec.varargs, n < min_pos) {
        (true, _) => "",
        (false, true) => "at least ",
        (false, false) => "at most ",
    };
    if spec.parse_tuple {
        let how = if how.is_empty() { "exactly " } else { how };
        return raise!(
            TypeError,
            "{}() takes {}{} argument{} ({} given)",
            spec.fname,
            how,
            limit,
            plural(limit),
            n
        );
    }
    raise!(TypeError, "{} expected {}{} argument{}, got {}", spec.fname, how, limit, plural(limit), n)
}

/// As many arguments as a function with keywords can take?
fn check_counts(spec: &ArgSpec, n: usize, nkw: usize, min_pos: usize) -> PyResult<()> {
    let total = spec.names.len();
    if n + nkw > total {
        return raise!(
            TypeError,
            "{}() takes at most {} {}argument{} ({} given)",
            spec.fname,
            total,
            if n == 0 { "keyword " } else { "" },
            plural(total),
            n + nkw
        );
    }
    if n > spec.pos {
        if spec.pos == 0 {
            return raise!(TypeError, "{}() takes no positional arguments", spec.fname);
        }
        return raise!(
            TypeError,
            "{}() takes {} {} positional argument{} ({} given)",
            spec.fname,
            if min_pos == spec.pos { "exactly" } else { "at most" },
            spec.pos,
            plural(spec.pos),
            n
        );
    }
    let least = spec.required[..spec.posonly].iter().filter(|r| **r).count();
    if n < least {
        return raise!(
            TypeError,
            "{}() takes {} {} positional argument{} ({} given)",
            spec.fname,
            if least < spec.pos { "at least" } else { "exactly" },
            least,
            plural(least),
            n
        );
    }
    Ok(())
}

/// The keyword arguments that a `__new__` without keywords looks at: none if `cls` has an `__init__` of its own to take them.
///
/// # Safety
/// Both are live types.
pub unsafe fn keywords_of_new(
    cls: *mut lh_abi::PyTypeObject,
    own: *mut lh_abi::PyTypeObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's promise; `object` is a live type.
    let same = unsafe {
        let init = |t: *mut lh_abi::PyTypeObject| (*t).tp_init.map(|f| f as usize);
        let plain = init(<Object as Kind>::type_ptr());
        cls == own
            || init(cls) == init(own)
            || init(own).is_none() && (init(cls).is_none() || init(cls) == plain)
    };
    if same { kwargs } else { null_mut() }
}

/// An array for `parse_*`.
pub fn slots<const N: usize>() -> [*mut PyObject; N] {
    [null_mut(); N]
}
