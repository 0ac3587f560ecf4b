//! Built-in functions about attributes, numbers, characters and types: each is one step of an object protocol.

use lh_runtime::number;
use lh_runtime::prelude::*;

/// An attribute name, or the `TypeError` that says it is none.
fn name_arg(o: &Object) -> PyResult<&Str> {
    match o.downcast::<Str>() {
        Some(s) => Ok(s),
        None => raise!(TypeError, "attribute name must be string, not '{}'", o.ty().name()),
    }
}

/// Checks the number of positional arguments of a function without keyword parameters.
pub(super) fn count(a: &Args<'_>, fname: &str, min: usize, max: usize) -> PyResult<()> {
    a.no_kwargs(fname)?;
    let n = a.len();
    if n >= min && n <= max {
        return Ok(());
    }
    let (bound, k) = if n < min { ("at least ", min) } else { ("at most ", max) };
    let bound = if min == max { "" } else { bound };
    raise!(
        TypeError,
        "{} expected {}{} argument{}, got {}",
        fname,
        bound,
        k,
        if k == 1 { "" } else { "s" },
        n
    )
}
fn arg<'a>(a: &Args<'a>, i: usize) -> &'a Object {
    a.get(i).expect("counted")
}

/// Return the absolute value of the argument.
#[pyfunction(signature = "(x, /)")]
pub fn abs(x: &Object) -> PyResult {
    number::absolute(x)
}

/// The `repr` of an object with everything outside ASCII escaped.
#[pyfunction(signature = "(obj, /)")]
pub fn ascii(obj: &Object) -> PyResult<Owned<Str>> {
    obj.ascii()
}

/// The `repr` of an object: for many types, text that evaluates to an equal object.
#[pyfunction(signature = "(obj, /)")]
pub fn repr(obj: &Object) -> PyResult<Owned<Str>> {
    obj.repr()
}

fn in_base(o: &Object, radix: u32, prefix: &str) -> PyResult<Owned<Str>> {
    let i = number::index(o)?;
    Ok(lh_runtime::intobject::text::with_prefix(&i, radix, prefix))
}

/// An integer as text in base 2, after `0b`.
///
///    >>> bin(10)
///    '0b1010'
#[pyfunction(signature = "(number, /)")]
pub fn bin(number: &Object) -> PyResult<Owned<Str>> {
    in_base(number, 2, "0b")
}

/// An integer as text in base 8, after `0o`.
///
///    >>> oct(64)
///    '0o100'
#[pyfunction(signature = "(number, /)")]
pub fn oct(number: &Object) -> PyResult<Owned<Str>> {
    in_base(number, 8, "0o")
}

/// An integer as text in base 16, after `0x`.
///
///    >>> hex(-255)
///    '-0xff'
#[pyfunction(signature = "(number, /)")]
pub fn hex(number: &Object) -> PyResult<Owned<Str>> {
    in_base(number, 16, "0x")
}

/// Can the object be called? Classes can, and instances of classes with `__call__`.
#[pyfunction(signature = "(obj, /)")]
pub fn callable(obj: &Object) -> bool {
    obj.is_callable()
}

/// The one-character string of a code point, 0 to 0x10ffff.
#[pyfunction(signature = "(i, /)")]
pub fn chr(i: &Object) -> PyResult<Owned<Str>> {
    let i = number::index(i)?;
    match i.to_i64() {
        Some(c @ 0..=0x10ffff) => Ok(Str::from_char(c as u32)),
        Some(c) if i32::try_from(c).is_ok() => raise!(ValueError, "chr() arg not in range(0x110000)"),
        _ => raise!(OverflowError, "Python int too large to convert to C int"),
    }
}

/// The code point of a one-character string.
#[pyfunction(signature = "(c, /)")]
pub fn ord(c: &Object) -> PyResult<i64> {
    let (n, v) = if let Some(s) = c.downcast::<Str>() {
        (s.len(), if s.len() == 1 { s.char_at(0) } else { 0 })
    } else if let Some(b) = c.downcast::<Bytes>() {
        (b.len(), b.as_bytes().first().map_or(0, |x| *x as u32))
    } else if let Some(b) = c.downcast::<ByteArray>() {
        let v = b.to_vec();
        (v.len(), v.first().map_or(0, |x| *x as u32))
    } else {
        return raise!(TypeError, "ord() expected string of length 1, but {} found", c.ty().name());
    };
    if n != 1 {
        return raise!(TypeError, "ord() expected a character, but string of length {} found", n);
    }
    Ok(v as i64)
}

/// `delattr(x, 'y')` is `del x.y`.
#[pyfunction(signature = "(obj, name, /)")]
pub fn delattr(obj: &Object, name: &Object) -> PyResult<()> {
    obj.del_attr(name_arg(name)?)
}

/// `setattr(x, 'y', v)` is `x.y = v`.
#[pyfunction(signature = "(obj, name, value, /)")]
pub fn setattr(obj: &Object, name: &Object, value: &Object) -> PyResult<()> {
    obj.set_attr(name_arg(name)?, value)
}

/// Has the object an attribute of this name? Found out by trying to get it.
#[pyfunction(signature = "(obj, name, /)")]
pub fn hasattr(obj: &Object, name: &Object) -> PyResult<bool> {
    Ok(obj.get_attr_opt(name_arg(name)?)?.is_some())
}

/// getattr(object, name[, default]) -> value
///
/// `getattr(x, 'y')` is `x.y`. The default, if given, replaces an attribute that does not exist.
#[pyfunction(raw)]
pub fn getattr(a: Args<'_>) -> PyResult {
    count(&a, "getattr", 2, 3)?;
    let (obj, name) = (arg(&a, 0), name_arg(arg(&a, 1))?);
    match a.get(2) {
        None => obj.get_attr(name),
        Some(default) => Ok(obj.get_attr_opt(name)?.unwrap_or_else(|| default.own())),
    }
}

/// The tuple `(x // y, x % y)`.
#[pyfunction(signature = "(x, y, /)")]
pub fn divmod(x: &Object, y: &Object) -> PyResult {
    number::divmod(x, y)
}

/// `base ** exp`, or `base ** exp % mod` without computing the large power.
#[pyfunction(signature = "(base, exp, mod=None)")]
pub fn pow(base: &Object, exp: &Object, r#mod: Option<&Object>) -> PyResult {
    number::power(base, exp, r#mod.unwrap_or(none_ref()))
}

/// `value.__format__(format_spec)`.
#[pyfunction(signature = "(value, format_spec='', /)")]
pub fn format(value: &Object, format_spec: Option<&Object>) -> PyResult<Owned<Str>> {
    match format_spec {
        None => value.format(Str::empty()),
        Some(s) => match s.downcast::<Str>() {
            Some(s) => value.format(s),
            None => raise!(TypeError, "format() argument 2 must be str, not {}", s.ty().name()),
        },
    }
}

/// A number rounded to a precision in decimal digits, to an integer if none is given. The precision may be negative.
#[pyfunction(signature = "(number, ndigits=None)")]
pub fn round(number: &Object, ndigits: Option<&Object>) -> PyResult {
    let Some(f) = number.lookup_special(intern!("__round__"))? else {
        return raise!(TypeError, "type {} doesn't define __round__ method", number.ty().name());
    };
    match ndigits {
        None => f.call0(),
        Some(n) if n.is_none() => f.call0(),
        Some(n) => f.call1(n),
    }
}

/// The hash value of an object: equal for objects that compare equal.
#[pyfunction(signature = "(obj, /)")]
pub fn hash(obj: &Object) -> PyResult<isize> {
    obj.hash_obj()
}

/// The identity of an object: its address, unique among the objects that exist at the same time.
#[pyfunction(signature = "(obj, /)")]
pub fn id(obj: &Object) -> PyResult<usize> {
    let n = obj.as_ptr() as usize;
    lh_runtime::sysobject::audit("builtins.id", &[obj]).map(|()| n)
}

/// Is the object an instance of a class, of a subclass, or of any in a tuple of classes or a union?
#[pyfunction(signature = "(obj, class_or_tuple, /)")]
pub fn isinstance(obj: &Object, class_or_tuple: &Object) -> PyResult<bool> {
    obj.is_instance(class_or_tuple)
}

/// Does a class derive from another, or from any in a tuple of classes or a union?
#[pyfunction(signature = "(cls, class_or_tuple, /)")]
pub fn issubclass(cls: &Object, class_or_tuple: &Object) -> PyResult<bool> {
    cls.is_subclass(class_or_tuple)
}

/// The number of items in a container.
#[pyfunction(signature = "(obj, /)")]
pub fn len(obj: &Object) -> PyResult<usize> {
    obj.length()
}
