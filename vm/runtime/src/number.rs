//! The number protocol: `operator.index`, conversions, binary and in-place operators with their dispatch rules.
//!
//! Binary operators ask the left operand's slot first, unless the right operand's type derives from the left's and has a slot of its
//! own. A slot answers `NotImplemented` for operands it does not know. `+` and `*` then try the sequence slots; in-place
//! operators try the in-place slot before all that.

use crate::errors::*;
use crate::exceptions::exc;
use crate::kinds::*;
use crate::object::*;
use crate::singletons::*;
use crate::{intern, raise};
use lh_abi::*;

type Pick = fn(&PyNumberMethods) -> Option<binaryfunc>;

/// The slot `pick` selects from the type's number methods.
#[inline]
fn nb<R>(o: &Object, pick: impl FnOnce(&PyNumberMethods) -> Option<R>) -> Option<R> {
    // SAFETY: a live type's tp_as_number is null or its table; the table is only read.
    unsafe { (*o.ob_type()).tp_as_number.as_ref().and_then(pick) }
}
#[inline]
fn sq<R>(o: &Object, pick: impl FnOnce(&PySequenceMethods) -> Option<R>) -> Option<R> {
    // SAFETY: as above.
    unsafe { (*o.ob_type()).tp_as_sequence.as_ref().and_then(pick) }
}

#[inline]
fn call2(f: binaryfunc, a: &Object, b: &Object) -> PyResult {
    // SAFETY: a slot of one of the operands' types, called with live operands.
    unsafe { from_c(f(a.as_ptr(), b.as_ptr())) }
}

/// The answer of the operands' slots, or `NotImplemented`.
fn binary_op1(a: &Object, b: &Object, pick: Pick) -> PyResult {
    let fa = nb(a, pick);
    let mut fb = if a.ob_type() != b.ob_type() { nb(b, pick) } else { None };
    if let (Some(x), Some(y)) = (fa, fb)
        && x as usize == y as usize
    {
        fb = None;
    }
    if let (Some(_), Some(g)) = (fa, fb)
        // SAFETY: live types.
        && unsafe { is_subtype(b.ob_type(), a.ob_type()) }
    {
        let r = call2(g, a, b)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
        fb = None;
    }
    for f in [fa, fb].into_iter().flatten() {
        let r = call2(f, a, b)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    Ok(not_implemented())
}

#[cold]
fn unsupported(a: &Object, b: &Object, op: &str) -> Raised {
    crate::raised!(
        TypeError,
        "unsupported operand type(s) for {}: '{}' and '{}'",
        op,
        a.ty().name(),
        b.ty().name()
    )
}

fn binary(a: &Object, b: &Object, pick: Pick, op: u32) -> PyResult {
    let r = binary_op1(a, b, pick)?;
    if r.is_not_implemented() { no_number(op, a, b) } else { Ok(r) }
}

fn inplace_op1(a: &Object, b: &Object, ipick: Pick, pick: Pick) -> PyResult {
    if let Some(f) = nb(a, ipick) {
        let r = call2(f, a, b)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    binary_op1(a, b, pick)
}

fn inplace(a: &Object, b: &Object, ipick: Pick, pick: Pick, op: u32) -> PyResult {
    let r = inplace_op1(a, b, ipick, pick)?;
    if r.is_not_implemented() { no_number(op, a, b) } else { Ok(r) }
}

/// Two exact ints, or two exact floats: the cases that need no dispatch.
#[inline]
fn ints<'a>(a: &'a Object, b: &'a Object) -> Option<(&'a Int, &'a Int)> {
    Some((a.downcast_exact::<Int>()?, b.downcast_exact::<Int>()?))
}
#[inline]
fn floats(a: &Object, b: &Object) -> Option<(f64, f64)> {
    Some((a.downcast_exact::<Float>()?.value(), b.downcast_exact::<Float>()?.value()))
}

macro_rules! operators {
    ($($(#[$m:meta])* $name:ident $iname:ident $slot:ident $islot:ident $op:literal $(, int $int:expr)? $(, float $float:expr)? ;)*) => { $(
        $(#[$m])*
        pub fn $name(a: &Object, b: &Object) -> PyResult {
            $( if let Some((x, y)) = ints(a, b) {
                let f: fn(&Int, &Int) -> PyResult<Owned<Int>> = $int;
                return f(x, y).map(Owned::into_object);
            } )?
            $( if let Some((x, y)) = floats(a, b) {
                let f: fn(f64, f64) -> f64 = $float;
                return Ok(Float::new(f(x, y)).into_object());
            } )?
            binary(a, b, |m| m.$slot, $op)
        }
        pub fn $iname(a: &Object, b: &Object) -> PyResult {
            inplace(a, b, |m| m.$islot, |m| m.$slot, 13 + $op)
        }
    )* };
}

operators! {
    #[inline]
    add inplace_add nb_add nb_inplace_add 0, int |x, y| Ok(x.add(y)), float |x, y| x + y;
    #[inline]
    multiply inplace_multiply nb_multiply nb_inplace_multiply 5, int |x, y| x.mul(y), float |x, y| x * y;
    rshift inplace_rshift nb_rshift nb_inplace_rshift 9, int |x, y| x.rshift(y);
    subtract inplace_subtract nb_subtract nb_inplace_subtract 10, int |x, y| Ok(x.sub(y)), float |x, y| x - y;
    remainder inplace_remainder nb_remainder nb_inplace_remainder 6, int |x, y| x.modulo(y);
    lshift inplace_lshift nb_lshift nb_inplace_lshift 3, int |x, y| x.lshift(y);
    and_ inplace_and nb_and nb_inplace_and 1, int |x, y| Ok(x.and(y));
    xor inplace_xor nb_xor nb_inplace_xor 12, int |x, y| Ok(x.xor(y));
    or_ inplace_or nb_or nb_inplace_or 7, int |x, y| Ok(x.or(y));
    floor_divide inplace_floor_divide nb_floor_divide nb_inplace_floor_divide 2, int |x, y| x.floor_div(y);
    true_divide inplace_true_divide nb_true_divide nb_inplace_true_divide 11;
    matrix_multiply inplace_matrix_multiply nb_matrix_multiply nb_inplace_matrix_multiply 4;
}

pub fn divmod(a: &Object, b: &Object) -> PyResult {
    let r = binary_op1(a, b, |m| m.nb_divmod)?;
    if r.is_not_implemented() { Err(unsupported(a, b, "divmod()")) } else { Ok(r) }
}

fn repeat(f: ssizeargfunc, seq: &Object, n: &Object) -> PyResult {
    if nb(n, |m| m.nb_index).is_none() {
        return raise!(TypeError, "can't multiply sequence by non-int of type '{}'", n.ty().name());
    }
    let count = as_isize(n, Some(exc::OverflowError()))?;
    // SAFETY: the slot of the sequence's type, called with it.
    unsafe { from_c(f(seq.as_ptr(), count)) }
}
// ---- Sequences only ----

/// `PySequence_Concat` and `PySequence_InPlaceConcat`: unlike `+`, for sequences only.
pub fn seq_concat(a: &Object, b: &Object, in_place: bool) -> PyResult {
    let own = if in_place { sq(a, |m| m.sq_inplace_concat) } else { None };
    if let Some(f) = own.or_else(|| sq(a, |m| m.sq_concat)) {
        return call2(f, a, b);
    }
    if crate::protocols::is_sequence(a) && crate::protocols::is_sequence(b) {
        let r = match in_place {
            true => inplace_op1(a, b, |m| m.nb_inplace_add, |m| m.nb_add)?,
            false => binary_op1(a, b, |m| m.nb_add)?,
        };
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    raise!(TypeError, "'{}' object can't be concatenated", a.ty().name())
}
/// `PySequence_Repeat` and `PySequence_InPlaceRepeat`.
pub fn seq_repeat(a: &Object, n: isize, in_place: bool) -> PyResult {
    let own = if in_place { sq(a, |m| m.sq_inplace_repeat) } else { None };
    if let Some(f) = own.or_else(|| sq(a, |m| m.sq_repeat)) {
        // SAFETY: the slot of the sequence's type, called with it.
        return unsafe { from_c(f(a.as_ptr(), n)) };
    }
    if crate::protocols::is_sequence(a) {
        let n = Int::from_i64(n as i64);
        let r = match in_place {
            true => inplace_op1(a, &n, |m| m.nb_inplace_multiply, |m| m.nb_multiply)?,
            false => binary_op1(a, &n, |m| m.nb_multiply)?,
        };
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    raise!(TypeError, "'{}' object can't be repeated", a.ty().name())
}

// ---- Power ----

fn call3(f: ternaryfunc, a: &Object, b: &Object, c: &Object) -> PyResult {
    // SAFETY: a slot of one of the operands' types, called with live operands.
    unsafe { from_c(f(a.as_ptr(), b.as_ptr(), c.as_ptr())) }
}

fn power_op(a: &Object, b: &Object, c: &Object, op: &str) -> PyResult {
    let fa = nb(a, |m| m.nb_power);
    let mut fb = if a.ob_type() != b.ob_type() { nb(b, |m| m.nb_power) } else { None };
    if let (Some(x), Some(y)) = (fa, fb)
        && x as usize == y as usize
    {
        fb = None;
    }
    let mut tried = None;
    if let (Some(_), Some(g)) = (fa, fb)
        // SAFETY: live types.
        && unsafe { is_subtype(b.ob_type(), a.ob_type()) }
    {
        tried = fb.take();
        let r = call3(g, a, b, c)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    for f in [fa, fb].into_iter().flatten() {
        let r = call3(f, a, b, c)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    if !c.is_none()
        && let Some(f) = nb(c, |m| m.nb_power)
        && ![fa, fb, tried].iter().flatten().any(|g| *g as usize == f as usize)
    {
        let r = call3(f, a, b, c)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    if c.is_none() {
        return Err(unsupported(a, b, op));
    }
    raise!(
        TypeError,
        "unsupported operand type(s) for {}: '{}', '{}', '{}'",
        op,
        a.ty().name(),
        b.ty().name(),
        c.ty().name()
    )
}
pub fn power(a: &Object, b: &Object, c: &Object) -> PyResult {
    power_op(a, b, c, "** or pow()")
}
pub fn inplace_power(a: &Object, b: &Object, c: &Object) -> PyResult {
    if let Some(f) = nb(a, |m| m.nb_inplace_power) {
        let r = call3(f, a, b, c)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    power_op(a, b, c, "**=")
}

// ---- Unary operators ----

macro_rules! unary {
    ($($name:ident $slot:ident $what:literal;)*) => { $(
        pub fn $name(o: &Object) -> PyResult {
            match nb(o, |m| m.$slot) {
                // SAFETY: the slot of the operand's type.
                Some(f) => unsafe { from_c(f(o.as_ptr())) },
                None => raise!(TypeError, concat!("bad operand type for ", $what, ": '{}'"), o.ty().name()),
            }
        }
    )* };
}
unary! {
    negative nb_negative "unary -";
    positive nb_positive "unary +";
    invert nb_invert "unary ~";
    absolute nb_absolute "abs()";
}

// ---- Conversions ----

/// Issues a warning; an error if the filters say so.
pub fn warn(category: &Type, message: &str, stacklevel: i64) -> PyResult<()> {
    crate::warnings::warn(category, message, stacklevel as isize)
}

/// Does the object have `__index__` (`PyIndex_Check`)?
#[inline]
pub fn has_index(o: &Object) -> bool {
    nb(o, |m| m.nb_index).is_some()
}
/// `PyNumber_Check`: can it be converted to a number?
#[inline]
pub fn is_number(o: &Object) -> bool {
    nb(o, |m| m.nb_index).is_some()
        || nb(o, |m| m.nb_int).is_some()
        || nb(o, |m| m.nb_float).is_some()
        || Complex::check(o)
}

/// `operator.index(o)`: raises `TypeError: 'x' object cannot be interpreted as an integer`. The result may be of a subclass only if `o`
/// itself is.
#[inline]
pub fn index(o: &Object) -> PyResult<Owned<Int>> {
    if let Some(i) = o.downcast::<Int>() {
        return Ok(i.own());
    }
    index_slow(o)
}
fn index_slow(o: &Object) -> PyResult<Owned<Int>> {
    let Some(f) = nb(o, |m| m.nb_index) else {
        return raise!(TypeError, "'{}' object cannot be interpreted as an integer", o.ty().name());
    };
    // SAFETY: the slot of the object's type.
    let r = unsafe { from_c::<Object>(f(o.as_ptr()))? };
    strict_int(r, "__index__")
}
/// `index` whose result is an exact int.
pub fn index_exact(o: &Object) -> PyResult<Owned<Int>> {
    if let Some(i) = o.downcast_exact::<Int>() {
        return Ok(i.own());
    }
    index(o).map(|i| i.exact())
}

/// Checks the result of `__index__` or `__int__`: an int, with a deprecation warning for subclasses.
fn strict_int(r: Owned<Object>, method: &str) -> PyResult<Owned<Int>> {
    if r.is_exact::<Int>() {
        // SAFETY: just checked.
        return Ok(unsafe { r.cast_unchecked() });
    }
    let Some(i) = r.downcast::<Int>() else {
        return raise!(TypeError, "{} returned non-int (type {})", method, r.ty().name());
    };
    let text = format!(
        "{} returned non-int (type {}).  The ability to return an instance of a strict subclass of int is deprecated, and \
         may be removed in a future version of Python.",
        method,
        r.ty().name()
    );
    warn(exc::DeprecationWarning(), &text, 1)?;
    Ok(i.own())
}

/// `index` clipped to `isize` (slices); with `overflow` it raises that instead of clipping (e.g. `IndexError`).
pub fn as_isize(o: &Object, overflow: Option<&Type>) -> PyResult<isize> {
    if let Some(v) = o.downcast::<Int>().and_then(|i| i.compact()) {
        return Ok(v as isize);
    }
    clipped(o, &*index(o)?, overflow)
}
/// `as_isize` once `__index__` has answered `r`.
pub fn isize_of_index(o: &Object, r: Owned<Object>, overflow: Option<&Type>) -> PyResult<isize> {
    clipped(o, &*strict_int(r, "__index__")?, overflow)
}
fn clipped(o: &Object, i: &Int, overflow: Option<&Type>) -> PyResult<isize> {
    if let Some(v) = i.to_i64() {
        return Ok(v as isize);
    }
    match overflow {
        None => Ok(if i.is_negative() { isize::MIN } else { isize::MAX }),
        Some(t) => {
            Err(raise_fmt(t, format_args!("cannot fit '{}' into an index-sized integer", o.ty().name())))
        }
    }
}

/// `float(o)` without strings: `__float__`, then `__index__`.
#[inline]
pub fn as_f64(o: &Object) -> PyResult<f64> {
    match o.downcast::<Float>() {
        Some(f) => Ok(f.value()),
        None => as_f64_slow(o),
    }
}
fn as_f64_slow(o: &Object) -> PyResult<f64> {
    if let Some(i) = o.downcast_exact::<Int>() {
        return i.to_f64();
    }
    let Some(f) = nb(o, |m| m.nb_float) else {
        if has_index(o) {
            return index(o)?.to_f64();
        }
        return raise!(TypeError, "must be real number, not {}", o.ty().name());
    };
    // SAFETY: the slot of the object's type.
    let r = unsafe { from_c::<Object>(f(o.as_ptr()))? };
    strict_float(o, r)
}
fn strict_float(o: &Object, r: Owned<Object>) -> PyResult<f64> {
    let Some(v) = r.downcast::<Float>() else {
        return raise!(TypeError, "{}.__float__ returned non-float (type {})", o.ty().name(), r.ty().name());
    };
    if !r.is_exact::<Float>() {
        let text = format!(
            "{}.__float__ returned non-float (type {}).  The ability to return an instance of a strict subclass of float \
             is deprecated, and may be removed in a future version of Python.",
            o.ty().name(),
            r.ty().name()
        );
        warn(exc::DeprecationWarning(), &text, 1)?;
    }
    Ok(v.value())
}

/// `int(o)` where a slot of the type decides; `None`: none does.
pub fn int_by_slot(o: &Object) -> Option<PyResult> {
    // SAFETY: a slot of the object's type.
    unsafe {
        let m = (*o.ob_type()).tp_as_number.as_ref()?;
        let (f, method) = match m.nb_int {
            Some(f) => (f, "__int__"),
            // An int that is its own index: a subclass without `__int__` of its own has the base's `nb_int`.
            None => (m.nb_index?, "__index__"),
        };
        let r = f(o.as_ptr());
        if !r.is_null() && Object::from_ptr(r).is_exact::<Int>() {
            return Some(Ok(Owned::from_raw(r)));
        }
        Some(from_c::<Object>(r).and_then(|r| Ok(strict_int(r, method)?.exact().into_object())))
    }
}

/// `int(o)`.
pub fn to_int(o: &Object) -> PyResult<Owned<Object>> {
    if o.is_exact::<Int>() {
        return Ok(o.own());
    }
    if let Some(f) = nb(o, |m| m.nb_int) {
        // SAFETY: the slot of the object's type.
        let r = unsafe { from_c::<Object>(f(o.as_ptr()))? };
        return Ok(strict_int(r, "__int__")?.exact().into_object());
    }
    if has_index(o) {
        return Ok(index_exact(o)?.into_object());
    }
    if let Some(m) = o.lookup_special(intern!("__trunc__"))? {
        warn(exc::DeprecationWarning(), "The delegation of int() to __trunc__ is deprecated.", 1)?;
        let r = m.call0()?;
        if let Some(i) = r.downcast::<Int>() {
            return Ok(i.exact().into_object());
        }
        if !has_index(&r) {
            return raise!(TypeError, "__trunc__ returned non-Integral (type {})", r.ty().name());
        }
        return Ok(index_exact(&r)?.into_object());
    }
    if let Some(s) = o.downcast::<Str>() {
        return Ok(crate::intobject::text::parse_obj(s, 10)?.into_object());
    }
    if let Some(b) = o.downcast::<Bytes>() {
        return Ok(crate::intobject::text::parse_bytes(b.as_bytes(), 10)?.into_object());
    }
    if let Some(b) = o.downcast::<ByteArray>() {
        let v = b.to_vec();
        let e = |e| crate::intobject::text::parse_failed(e, 10, || Bytes::new(&v).repr_lossy());
        return Ok(crate::intobject::text::parse_ascii(&v, 10).map_err(e)?.into_object());
    }
    let v = crate::buffer::BytesLike::get_or(o, || {
        let given = o.ty().name();
        crate::raised!(
            TypeError,
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            given
        )
    })?
    .to_vec();
    Ok(crate::intobject::text::parse_bytes(&v, 10)?.into_object())
}

/// `float(o)`.
pub fn to_float(o: &Object) -> PyResult<Owned<Object>> {
    if o.is_exact::<Float>() {
        return Ok(o.own());
    }
    if let Some(f) = nb(o, |m| m.nb_float) {
        // SAFETY: the slot of the object's type.
        let r = unsafe { from_c::<Object>(f(o.as_ptr()))? };
        if r.is_exact::<Float>() {
            return Ok(r);
        }
        return Ok(Float::new(strict_float(o, r)?).into_object());
    }
    if has_index(o) {
        return Ok(Float::new(index(o)?.to_f64()?).into_object());
    }
    if let Some(f) = o.downcast::<Float>() {
        return Ok(Float::new(f.value()).into_object());
    }
    Ok(Float::new(crate::floatobject::from_text(o)?).into_object())
}

/// `float(o)` if the type of `o` has a slot for that.
pub fn float_by_slot(o: &Object) -> Option<PyResult> {
    // SAFETY: a slot of the object's type.
    unsafe {
        let f = (*o.ob_type()).tp_as_number.as_ref()?.nb_float?;
        let r = f(o.as_ptr());
        if !r.is_null() && Object::from_ptr(r).is_exact::<Float>() {
            return Some(Ok(Owned::from_raw(r)));
        }
        Some(from_c::<Object>(r).and_then(|r| float_of_answer(o, r)))
    }
}
/// The float for `o`, whose slot has answered `r`, which is none (or one of a subclass).
#[cold]
pub fn float_of_answer(o: &Object, r: Owned<Object>) -> PyResult {
    Ok(Float::new(strict_float(o, r)?).into_object())
}
/// The operator numbered `op` by the BINARY_OP instruction (0 add, 1 and, … 13 inplace add, …).
pub fn binary_op(op: u32, a: &Object, b: &Object) -> PyResult {
    match op {
        0 => add(a, b),
        1 => and_(a, b),
        2 => floor_divide(a, b),
        3 => lshift(a, b),
        4 => matrix_multiply(a, b),
        5 => multiply(a, b),
        6 => remainder(a, b),
        7 => or_(a, b),
        8 => power(a, b, none_ref()),
        9 => rshift(a, b),
        10 => subtract(a, b),
        11 => true_divide(a, b),
        12 => xor(a, b),
        13 => inplace_add(a, b),
        14 => inplace_and(a, b),
        15 => inplace_floor_divide(a, b),
        16 => inplace_lshift(a, b),
        17 => inplace_matrix_multiply(a, b),
        18 => inplace_multiply(a, b),
        19 => inplace_remainder(a, b),
        20 => inplace_or(a, b),
        21 => inplace_power(a, b, none_ref()),
        22 => inplace_rshift(a, b),
        23 => inplace_subtract(a, b),
        24 => inplace_true_divide(a, b),
        _ => inplace_xor(a, b),
    }
}

/// The signs of the operators, numbered as for [`binary_op`].
const SIGNS: [&str; 26] = [
    "+",
    "&",
    "//",
    "<<",
    "@",
    "*",
    "%",
    "|",
    "** or pow()",
    ">>",
    "-",
    "/",
    "^",
    "+=",
    "&=",
    "//=",
    "<<=",
    "@=",
    "*=",
    "%=",
    "|=",
    "**=",
    ">>=",
    "-=",
    "/=",
    "^=",
];

/// The slot of `o`'s type for a binary operator (numbered as for [`binary_op`], but not a power or an in-place one).
pub fn binary_slot_of(op: u32, o: &Object) -> Option<binaryfunc> {
    nb(o, |m| match op {
        0 => m.nb_add,
        1 => m.nb_and,
        2 => m.nb_floor_divide,
        3 => m.nb_lshift,
        4 => m.nb_matrix_multiply,
        5 => m.nb_multiply,
        6 => m.nb_remainder,
        7 => m.nb_or,
        9 => m.nb_rshift,
        10 => m.nb_subtract,
        11 => m.nb_true_divide,
        12 => m.nb_xor,
        _ => None,
    })
}
/// Has `o`'s type a slot for an in-place operator (13 and up)?
pub fn has_inplace_slot(op: u32, o: &Object) -> bool {
    nb(o, |m| match op {
        13 => m.nb_inplace_add,
        14 => m.nb_inplace_and,
        15 => m.nb_inplace_floor_divide,
        16 => m.nb_inplace_lshift,
        17 => m.nb_inplace_matrix_multiply,
        18 => m.nb_inplace_multiply,
        19 => m.nb_inplace_remainder,
        20 => m.nb_inplace_or,
        22 => m.nb_inplace_rshift,
        23 => m.nb_inplace_subtract,
        24 => m.nb_inplace_true_divide,
        25 => m.nb_inplace_xor,
        _ => None,
    })
    .is_some()
        || op == 21 && nb(o, |m| m.nb_inplace_power).is_some()
}
/// Where the slots of BINARY_OP's operators lie in `PyNumberMethods`: the plain ones, then the in-place ones. (`**` has three operands.)
const OPERATOR_SLOTS: [u16; 26] = {
    use core::mem::offset_of;
    macro_rules! at {
        ($($slot:ident)*) => {[$(offset_of!(PyNumberMethods, $slot) as u16),*]};
    }
    at! {
        nb_add nb_and nb_floor_divide nb_lshift nb_matrix_multiply nb_multiply nb_remainder nb_or nb_power nb_rshift nb_subtract
        nb_true_divide nb_xor
        nb_inplace_add nb_inplace_and nb_inplace_floor_divide nb_inplace_lshift nb_inplace_matrix_multiply nb_inplace_multiply
        nb_inplace_remainder nb_inplace_or nb_inplace_power nb_inplace_rshift nb_inplace_subtract nb_inplace_true_divide
        nb_inplace_xor
    }
};
/// As `left_slot`, in few steps; `**` has none. `op` is one of BINARY_OP's.
///
/// # Safety
/// `a` and `b` are live objects.
#[inline(always)]
pub unsafe fn quick_slot(op: usize, a: *mut PyObject, b: *mut PyObject) -> Option<binaryfunc> {
    // SAFETY: live types; their tables have all slots, each of a binary operator but that of `**`.
    unsafe {
        let (t, u) = ((*a).ob_type, (*b).ob_type);
        let slot = |t: *mut PyTypeObject, op: usize| -> Option<binaryfunc> {
            let table = (*t).tp_as_number.cast::<u8>();
            if table.is_null() {
                return None;
            }
            *table.add(*OPERATOR_SLOTS.as_ptr().add(op) as usize).cast::<Option<binaryfunc>>()
        };
        let plain = if op < 13 { op } else { op - 13 };
        if plain == 8 || op != plain && slot(t, op).is_some() {
            return None;
        }
        let f = slot(t, plain)?;
        if t == u {
            return Some(f);
        }
        let first = match slot(u, plain) {
            Some(g) => g as usize == f as usize || !is_subtype(u, t),
            None => true,
        };
        first.then_some(f)
    }
}
/// As `quick_slot`, for plain operators alone and only where no more than the two types' tables have to be read to know it.
///
/// # Safety
/// `a` and `b` are live objects.
#[inline(always)]
pub unsafe fn obvious_slot(op: usize, a: *mut PyObject, b: *mut PyObject) -> Option<binaryfunc> {
    // SAFETY: as for `quick_slot`.
    unsafe {
        let (t, u) = ((*a).ob_type, (*b).ob_type);
        let (mine, other) = ((*t).tp_as_number.cast::<u8>(), (*u).tp_as_number.cast::<u8>());
        if op >= 13 || op == 8 || mine.is_null() {
            return None;
        }
        let at = *OPERATOR_SLOTS.as_ptr().add(op) as usize;
        let f = (*mine.add(at).cast::<Option<binaryfunc>>())?;
        if t != u && !other.is_null() {
            let g = *other.add(at).cast::<Option<binaryfunc>>();
            if g.is_some_and(|g| g as usize != f as usize) {
                return None;
            }
        }
        Some(f)
    }
}
/// The binary operator `op` (a number of BINARY_OP).
#[inline(always)]
pub fn operate(op: u32, a: &Object, b: &Object) -> PyResult {
    // SAFETY: live objects; the slot gives a new reference.
    unsafe {
        let Some(slot) = quick_slot(op as usize, a.as_ptr(), b.as_ptr()) else { return binary_op(op, a, b) };
        let r = slot(a.as_ptr(), b.as_ptr());
        if r == &raw mut crate::singletons::_Py_NotImplementedStruct {
            decref(r);
            return after_left_slot(op, a, b);
        }
        from_c(r)
    }
}
/// What the operator `op` makes of two exact ints of less than sixty bits, or of two exact floats, if it is one of the commoner ones;
/// `None`: all else.
///
/// # Safety
/// Each operand is null or a live object.
#[inline(always)]
pub unsafe fn quick_arith(op: u32, a: *mut PyObject, b: *mut PyObject) -> Option<*mut PyObject> {
    // SAFETY: the caller's promise.
    unsafe {
        let (a, b) = (Object::from_ptr_opt(a)?, Object::from_ptr_opt(b)?);
        // In place, these operators do the same.
        let op = if op >= 13 { op - 13 } else { op };
        if op != 11
            && let Some((x, y)) = ints(a, b)
        {
            let (x, y) = (x.compact()?, y.compact()?);
            let v = match op {
                0 => x + y,
                1 => x & y,
                2 if y > 0 => x.div_euclid(y),
                5 => x.checked_mul(y)?,
                6 if y > 0 => x.rem_euclid(y),
                7 => x | y,
                10 => x - y,
                12 => x ^ y,
                _ => return None,
            };
            return Some(Int::quick(v)?.into_raw());
        }
        if !matches!(op, 0 | 5 | 10 | 11) {
            return None;
        }
        let (x, y) = floats(a, b)?;
        let v = match op {
            0 => x + y,
            5 => x * y,
            10 => x - y,
            _ if y != 0.0 => x / y,
            _ => return None,
        };
        Some(Float::quick(v)?.into_raw())
    }
}
/// `-a`, or `abs(a)`, as `quick_arith`.
///
/// # Safety
/// As `quick_arith`.
#[inline(always)]
pub unsafe fn quick_negative(a: *mut PyObject, absolute: bool) -> Option<*mut PyObject> {
    // SAFETY: the caller's promise.
    let a = unsafe { Object::from_ptr_opt(a)? };
    if let Some(i) = a.downcast_exact::<Int>() {
        let v = i.compact()?;
        if absolute && v >= 0 {
            return Some(i.own().into_raw());
        }
        return Some(Int::quick(-v)?.into_raw());
    }
    let v = a.downcast_exact::<Float>()?.value();
    Some(Float::quick(if absolute { v.abs() } else { -v })?.into_raw())
}
/// The right operand's slot for the operator `op`, where the left operand is an int or a float whose own slot would answer
/// `NotImplemented`: nothing can tell that it wasn't asked.
///
/// # Safety
/// `a` and `b` are live objects.
#[inline(always)]
pub unsafe fn right_slot(op: usize, a: *mut PyObject, b: *mut PyObject) -> Option<binaryfunc> {
    // SAFETY: live types; their tables have all slots, each of a binary operator but that of `**`.
    unsafe {
        let (t, u) = ((*a).ob_type, (*b).ob_type);
        let int = t == Int::type_ptr();
        if !int && t != Float::type_ptr() || (*u).tp_flags & Py_TPFLAGS_LONG_SUBCLASS != 0 {
            return None;
        }
        let plain = if op < 13 { op } else { op - 13 };
        let table = (*u).tp_as_number.cast::<u8>();
        if plain == 8 || table.is_null() || u == Float::type_ptr() || !int && is_subtype(u, t) {
            return None;
        }
        let at = *OPERATOR_SLOTS.as_ptr().add(plain) as usize;
        let g = (*table.add(at).cast::<Option<binaryfunc>>())?;
        // The left type's table has the same slot only if somebody has copied it.
        let own = *(*t).tp_as_number.cast::<u8>().add(at).cast::<Option<binaryfunc>>();
        (own.map(|f| f as usize) != Some(g as usize)).then_some(g)
    }
}
/// The slot of the left operand for the operator `op` in place, if it is one that has one. (Not that of `**=`, which takes three operands.)
///
/// # Safety
/// `a` is a live object.
#[inline(always)]
pub unsafe fn in_place_slot(op: usize, a: *mut PyObject) -> Option<binaryfunc> {
    // SAFETY: as for `quick_slot`.
    unsafe {
        let table = (*(*a).ob_type).tp_as_number.cast::<u8>();
        if op < 13 || op == 21 || table.is_null() {
            return None;
        }
        *table.add(*OPERATOR_SLOTS.as_ptr().add(op) as usize).cast::<Option<binaryfunc>>()
    }
}
/// The slot that a binary operator tries first, if that is the left operand's and there is no in-place one.
pub fn left_slot(op: u32, a: &Object, b: &Object) -> Option<binaryfunc> {
    if op >= 13 && has_inplace_slot(op, a) {
        return None;
    }
    let f = binary_slot_of(op % 13, a)?;
    let g = if a.ob_type() == b.ob_type() { None } else { binary_slot_of(op % 13, b) };
    // SAFETY: live types.
    let first =
        g.is_none_or(|g| g as usize == f as usize || unsafe { !is_subtype(b.ob_type(), a.ob_type()) });
    first.then_some(f)
}
/// What a binary operator does once the left operand's slot ([`left_slot`]) has answered `NotImplemented`.
pub fn after_left_slot(op: u32, a: &Object, b: &Object) -> PyResult {
    if a.ob_type() != b.ob_type()
        && let (Some(f), Some(g)) = (binary_slot_of(op % 13, a), binary_slot_of(op % 13, b))
        && f as usize != g as usize
    {
        let r = call2(g, a, b)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    no_number(op, a, b)
}
/// Names of a binary operator's methods (numbered as for [`binary_op`]): the left operand's, the right one's, the in-place one.
/// `None` for powers, whose slots take three operands.
pub fn method_names(op: u32) -> Option<[&'static Str; 3]> {
    use crate::intern;
    Some(match op % 13 {
        0 => [intern!("__add__"), intern!("__radd__"), intern!("__iadd__")],
        1 => [intern!("__and__"), intern!("__rand__"), intern!("__iand__")],
        2 => [intern!("__floordiv__"), intern!("__rfloordiv__"), intern!("__ifloordiv__")],
        3 => [intern!("__lshift__"), intern!("__rlshift__"), intern!("__ilshift__")],
        4 => [intern!("__matmul__"), intern!("__rmatmul__"), intern!("__imatmul__")],
        5 => [intern!("__mul__"), intern!("__rmul__"), intern!("__imul__")],
        6 => [intern!("__mod__"), intern!("__rmod__"), intern!("__imod__")],
        7 => [intern!("__or__"), intern!("__ror__"), intern!("__ior__")],
        9 => [intern!("__rshift__"), intern!("__rrshift__"), intern!("__irshift__")],
        10 => [intern!("__sub__"), intern!("__rsub__"), intern!("__isub__")],
        11 => [intern!("__truediv__"), intern!("__rtruediv__"), intern!("__itruediv__")],
        12 => [intern!("__xor__"), intern!("__rxor__"), intern!("__ixor__")],
        _ => return None,
    })
}
/// What a binary operator does once a method that a class written in Python has for it answered `NotImplemented`: the left operand's
/// (0), the right one's after or in place of the left one's slot (1), the in-place one (2).
pub fn after_method(op: u32, which: u8, a: &Object, b: &Object) -> PyResult {
    let (f, g) = (binary_slot_of(op % 13, a), binary_slot_of(op % 13, b));
    let same = a.ob_type() == b.ob_type();
    match which {
        0 => {
            // A slot that both classes share asks the other operand itself.
            if !same
                && let (Some(f), Some(g)) = (f, g)
                && f as usize == g as usize
                && let Some(names) = method_names(op)
            {
                let r = b.call_special(names[1], &[a])?.unwrap_or_else(not_implemented);
                if !r.is_not_implemented() {
                    return Ok(r);
                }
            }
            after_left_slot(op, a, b)
        }
        1 => no_number(op, a, b),
        _ => {
            let mut g = g.filter(|g| !same && f.is_none_or(|f| f as usize != *g as usize));
            if let (Some(_), Some(h)) = (f, g)
                // SAFETY: live types.
                && unsafe { is_subtype(b.ob_type(), a.ob_type()) }
            {
                let r = call2(h, a, b)?;
                if !r.is_not_implemented() {
                    return Ok(r);
                }
                g = None;
            }
            for h in [f, g].into_iter().flatten() {
                let r = call2(h, a, b)?;
                if !r.is_not_implemented() {
                    return Ok(r);
                }
            }
            no_number(op, a, b)
        }
    }
}
/// `+` and `*` of sequences, and what is said of operands that no slot knows.
#[cold]
#[inline(never)]
fn no_number(op: u32, a: &Object, b: &Object) -> PyResult {
    match op {
        0 | 13 => {
            let f = if op == 13 { sq(a, |m| m.sq_inplace_concat) } else { None };
            if let Some(f) = f.or_else(|| sq(a, |m| m.sq_concat)) {
                return call2(f, a, b);
            }
        }
        5 | 18 => {
            let f = if op == 18 { sq(a, |m| m.sq_inplace_repeat) } else { None };
            if let Some(f) = f.or_else(|| sq(a, |m| m.sq_repeat)) {
                return repeat(f, a, b);
            }
            // In place, the other operand's turn comes only if this one's type has no table of sequence slots at all.
            // SAFETY: a ready type.
            let table = op == 18 && unsafe { !(*a.ob_type()).tp_as_sequence.is_null() };
            if let Some(f) = sq(b, |m| m.sq_repeat).filter(|_| !table) {
                return repeat(f, b, a);
            }
        }
        9 => {
            // A Python 2 habit deserves a better message.
            if let Some(f) = a.downcast_exact::<CFunction>()
                // SAFETY: a built-in function has a definition whose name is a C string.
                && unsafe { core::ffi::CStr::from_ptr((*(*f.as_struct()).m_ml).ml_name) }.to_bytes() == b"print"
            {
                return raise!(
                    TypeError,
                    "unsupported operand type(s) for >>: '{}' and '{}'. Did you mean \"print(<message>, file=<output_stream>)\"?",
                    a.ty().name(),
                    b.ty().name()
                );
            }
        }
        _ => {}
    }
    Err(unsupported(a, b, SIGNS[op as usize]))
}

/// Does the object have `__float__`?
pub fn has_float(o: &Object) -> bool {
    nb(o, |m| m.nb_float).is_some()
}
