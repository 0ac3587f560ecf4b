//! `complex`: two doubles. The arithmetic is CPython's, step by step, so that rounding and signs of zero agree.

use crate::errors::*;
use crate::exceptions::exc;
use crate::floatobject::{self, Style};
use crate::intobject::text::{ascii_digits, trim};
use crate::kinds::*;
use crate::number;
use crate::object::*;
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::{intern, pymethods, raise};
use lh_abi::*;

/// Real and imaginary part.
pub type C = (f64, f64);

impl Complex {
    pub fn new(re: f64, im: f64) -> Owned<Complex> {
        let p = crate::alloc::malloc(size_of::<PyComplexObject>()).cast::<PyComplexObject>();
        assert!(!p.is_null(), "out of memory");
        // SAFETY: fresh memory of that size.
        unsafe {
            p.write(PyComplexObject {
                ob_base: PyObject { ob_refcnt: 1, ob_type: &raw mut crate::type_table::PyComplex_Type },
                cval: Py_complex { real: re, imag: im },
            });
            Owned::from_raw(p.cast())
        }
    }
    pub fn value(&self) -> (f64, f64) {
        // SAFETY: a complex number's value never changes.
        unsafe { ((*self.as_struct()).cval.real, (*self.as_struct()).cval.imag) }
    }
    /// This value as an exact `complex`.
    pub fn exact(&self) -> Owned<Complex> {
        if self.is_exact::<Complex>() { self.own() } else { Complex::new(self.value().0, self.value().1) }
    }
}

// ---- Arithmetic ----

pub fn mul(a: C, b: C) -> C {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// `a / b` by Smith's method; `None` for a zero divisor.
pub fn div(a: C, b: C) -> Option<C> {
    let (re, im) = (b.0.abs(), b.1.abs());
    if re >= im {
        if re == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let denom = b.0 + b.1 * ratio;
        Some(((a.0 + a.1 * ratio) / denom, (a.1 - a.0 * ratio) / denom))
    } else if im >= re {
        let ratio = b.0 / b.1;
        let denom = b.0 * ratio + b.1;
        Some(((a.0 * ratio + a.1) / denom, (a.1 * ratio - a.0) / denom))
    } else {
        Some((f64::NAN, f64::NAN))
    }
}

/// The exponent is a whole number of at most 100: multiply.
fn power_int(x: C, n: i32) -> Option<C> {
    let (mut r, mut p, mut k) = ((1.0, 0.0), x, n.unsigned_abs());
    while k > 0 {
        if k & 1 == 1 {
            r = mul(r, p);
        }
        k >>= 1;
        p = mul(p, p);
    }
    if n > 0 { Some(r) } else { div((1.0, 0.0), r) }
}

fn power_general(a: C, b: C) -> Option<C> {
    if b == (0.0, 0.0) {
        return Some((1.0, 0.0));
    }
    if a == (0.0, 0.0) {
        return if b.1 != 0.0 || b.0 < 0.0 { None } else { Some((0.0, 0.0)) };
    }
    let len = a.0.hypot(a.1);
    let at = a.1.atan2(a.0);
    let (mut r, mut phase) = (len.powf(b.0), at * b.0);
    if b.1 != 0.0 {
        r /= (at * b.1).exp();
        phase += b.1 * len.ln();
    }
    // An infinite angle has no direction.
    if phase.is_infinite() {
        return None;
    }
    Some((r * phase.cos(), r * phase.sin()))
}

pub fn power(a: C, b: C) -> PyResult<C> {
    let r = if b.1 == 0.0 && b.0 == b.0.floor() && b.0.abs() <= 100.0 {
        power_int(a, b.0 as i32)
    } else {
        power_general(a, b)
    };
    match r {
        None => raise!(ZeroDivisionError, "0.0 to a negative or complex power"),
        Some((x, y)) if x.is_infinite() || y.is_infinite() => raise!(OverflowError, "complex exponentiation"),
        Some(r) => Ok(r),
    }
}

/// `abs(z)`; `None` on overflow.
pub fn abs(z: C) -> Option<f64> {
    if z.0.is_infinite() || z.1.is_infinite() {
        return Some(f64::INFINITY);
    }
    if z.0.is_nan() || z.1.is_nan() {
        return Some(f64::NAN);
    }
    Some(z.0.hypot(z.1)).filter(|v| v.is_finite())
}

// ---- Text ----

pub fn repr(z: C) -> String {
    let part = |v, plus| floatobject::to_text(v, b'r', 0, Style { plus, ..Style::default() });
    if z.0 == 0.0 && z.0.is_sign_positive() {
        return part(z.1, false) + "j";
    }
    format!("({}{}j)", part(z.0, false), part(z.1, true))
}

/// `complex(text)` for ASCII text.
pub fn parse_ascii(text: &[u8]) -> Option<C> {
    let clean;
    let mut s = trim(text);
    if s.contains(&b'_') {
        clean = floatobject::strip_underscores(s)?;
        s = &clean;
    }
    if let [b'(', inner @ .., b')'] = s {
        s = trim(inner);
    }
    let is_j = |c: Option<&u8>| matches!(c, Some(b'j' | b'J'));
    // A lone sign stands for one before a j.
    let unit = |s: &[u8]| match s.first() {
        Some(b'-') => (-1.0, 1),
        Some(b'+') => (1.0, 1),
        _ => (1.0, 0),
    };
    let z = match floatobject::parse_prefix(s) {
        Some((v, n)) => {
            s = &s[n..];
            match s.first() {
                Some(b'+' | b'-') => {
                    let (y, n) = floatobject::parse_prefix(s).unwrap_or_else(|| unit(s));
                    s = &s[n..];
                    if !is_j(s.first()) {
                        return None;
                    }
                    s = &s[1..];
                    (v, y)
                }
                c if is_j(c) => {
                    s = &s[1..];
                    (0.0, v)
                }
                _ => (v, 0.0),
            }
        }
        None => {
            let (y, n) = unit(s);
            s = &s[n..];
            if !is_j(s.first()) {
                return None;
            }
            s = &s[1..];
            (0.0, y)
        }
    };
    s.is_empty().then_some(z)
}

// ---- Conversions ----

/// What `__complex__` answers, if the type has it.
fn via_complex_method(o: &Object) -> PyResult<Option<C>> {
    let Some(m) = o.lookup_special(intern!("__complex__"))? else {
        return Ok(None);
    };
    let r = m.call0()?;
    let Some(c) = r.downcast::<Complex>() else {
        return raise!(TypeError, "__complex__ returned non-complex (type {})", r.ty().name());
    };
    if !r.is_exact::<Complex>() {
        let text = format!(
            "__complex__ returned non-complex (type {}).  The ability to return an instance of a strict subclass of \
             complex is deprecated, and may be removed in a future version of Python.",
            r.ty().name()
        );
        number::warn(exc::DeprecationWarning(), &text, 1)?;
    }
    Ok(Some(c.value()))
}

/// `PyComplex_AsCComplex`: complex numbers, `__complex__`, and whatever is a real number.
pub fn as_complex(o: &Object) -> PyResult<C> {
    if let Some(c) = o.downcast::<Complex>() {
        return Ok(c.value());
    }
    if let Some(c) = via_complex_method(o)? {
        return Ok(c);
    }
    Ok((number::as_f64(o)?, 0.0))
}

/// An operand of arithmetic: complex, float or int.
fn operand(o: &Object) -> PyResult<Option<C>> {
    if let Some(c) = o.downcast::<Complex>() {
        return Ok(Some(c.value()));
    }
    if let Some(f) = o.downcast::<Float>() {
        return Ok(Some((f.value(), 0.0)));
    }
    match o.downcast::<Int>() {
        Some(i) => Ok(Some((i.to_f64()?, 0.0))),
        None => Ok(None),
    }
}

macro_rules! operands {
    ($a:expr, $b:expr) => {
        match (operand($a)?, operand($b)?) {
            (Some(a), Some(b)) => (a, b),
            _ => return Ok(not_implemented()),
        }
    };
}

fn made(z: C) -> PyResult<Owned<Object>> {
    Ok(Complex::new(z.0, z.1).into_object())
}

fn in_class(cls: &Type, z: C) -> PyResult<Owned<Object>> {
    if cls.tp() == Complex::type_ptr() {
        return made(z);
    }
    let p = crate::typeobject::alloc(cls.tp(), 0)?;
    // SAFETY: a fresh instance of a subtype of complex.
    unsafe {
        (*p.cast::<PyComplexObject>()).cval = Py_complex { real: z.0, imag: z.1 };
        Ok(Owned::from_raw(p))
    }
}

fn more(b: &mut crate::builder::TypeBuilder) {
    b.doc(c"Create a complex number from a real part and an optional imaginary part.\n\nThis is equivalent to (real + imag*1j) where imag defaults to 0.");
    const AT: usize = std::mem::offset_of!(PyComplexObject, cval);
    b.member_doc(c"real", T_DOUBLE, AT, READONLY, c"the real part of a complex number");
    b.member_doc(c"imag", T_DOUBLE, AT + 8, READONLY, c"the imaginary part of a complex number");
}

#[pymethods(extra = more)]
impl Complex {
    #[new(name = "complex", signature = "(real=0, imag=0)")]
    fn new_slot(cls: &Type, real: Option<&Object>, imag: Option<&Object>) -> PyResult<Owned<Object>> {
        if let (Some(r), None) = (real, imag)
            && r.is_exact::<Complex>()
            && cls.tp() == Complex::type_ptr()
        {
            return Ok(r.own());
        }
        if let Some(s) = real.and_then(|r| r.downcast::<Str>()) {
            if imag.is_some() {
                return raise!(TypeError, "complex() can't take second arg if first is a string");
            }
            return match parse_ascii(&ascii_digits(s)) {
                Some(z) => in_class(cls, z),
                None => raise!(ValueError, "complex() arg is a malformed string"),
            };
        }
        if imag.is_some_and(Str::check) {
            return raise!(TypeError, "complex() second arg can't be a string");
        }
        let (mut re, mut re_complex) = ((0.0, 0.0), false);
        if let Some(r) = real {
            let special = if r.is_exact::<Complex>() { None } else { via_complex_method(r)? };
            if let Some(z) = special {
                (re, re_complex) = (z, true);
            } else if let Some(c) = r.downcast::<Complex>() {
                (re, re_complex) = (c.value(), true);
            } else {
                if !is_real(r) {
                    return raise!(
                        TypeError,
                        "complex() first argument must be a string or a number, not '{}'",
                        r.ty().name()
                    );
                }
                re = (number::as_f64(r)?, 0.0);
            }
        }
        let (mut im, mut im_complex) = ((0.0, 0.0), false);
        if let Some(i) = imag {
            if let Some(c) = i.downcast::<Complex>() {
                (im, im_complex) = (c.value(), true);
            } else {
                if !is_real(i) {
                    return raise!(
                        TypeError,
                        "complex() second argument must be a number, not '{}'",
                        i.ty().name()
                    );
                }
                im = (number::as_f64(i)?, 0.0);
            }
        }
        // real + imag * 1j, without arithmetic that would disturb signed zeros and NaNs.
        if im_complex {
            re.0 -= im.1;
        }
        if re_complex {
            im.0 = if imag.is_some() { im.0 + re.1 } else { re.1 };
        }
        in_class(cls, (re.0, im.0))
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: the count has reached zero; an exact complex is a plain block.
        unsafe {
            if (*o).ob_type == Complex::type_ptr() {
                crate::alloc::free(o.cast())
            } else {
                crate::typeobject::free_instance(o)
            }
        }
    }
    #[slot(tp_repr)]
    fn repr_slot(&self) -> String {
        repr(self.value())
    }
    #[slot(tp_hash)]
    fn hash_slot(&self) -> PyResult<isize> {
        let (re, im) = self.value();
        let h = floatobject::hash_object(self, re)
            .wrapping_add(1000003isize.wrapping_mul(floatobject::hash_object(self, im)));
        Ok(h)
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult<Owned<Object>> {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented());
        }
        let (re, im) = self.value();
        let equal = if let Some(c) = other.downcast::<Complex>() {
            (re, im) == c.value()
        } else if let Some(f) = other.downcast::<Float>() {
            re == f.value() && im == 0.0
        } else if let Some(i) = other.downcast::<Int>() {
            im == 0.0 && floatobject::compare_int(re, i) == Some(std::cmp::Ordering::Equal)
        } else {
            return Ok(not_implemented());
        };
        Ok(bool_obj(equal == (op == CompareOp::Eq)))
    }
    #[slot(nb_add)]
    fn nb_add(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        made((a.0 + b.0, a.1 + b.1))
    }
    #[slot(nb_subtract)]
    fn nb_subtract(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        made((a.0 - b.0, a.1 - b.1))
    }
    #[slot(nb_multiply)]
    fn nb_multiply(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        made(mul(a, b))
    }
    #[slot(nb_true_divide)]
    fn nb_true_divide(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        match div(a, b) {
            Some(z) => made(z),
            None => raise!(ZeroDivisionError, "complex division by zero"),
        }
    }
    #[slot(nb_power)]
    fn nb_power(a: &Object, b: &Object, c: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        if !c.is_none() {
            return raise!(ValueError, "complex modulo");
        }
        made(power(a, b)?)
    }
    #[slot(nb_negative)]
    fn nb_negative(&self) -> Owned<Complex> {
        let (re, im) = self.value();
        Complex::new(-re, -im)
    }
    #[slot(nb_positive)]
    fn nb_positive(&self) -> Owned<Complex> {
        self.exact()
    }
    #[slot(nb_absolute)]
    fn nb_absolute(&self) -> PyResult<f64> {
        match abs(self.value()) {
            Some(v) => Ok(v),
            None => raise!(OverflowError, "absolute value too large"),
        }
    }
    #[slot(nb_bool)]
    fn nb_bool(&self) -> PyResult<bool> {
        let (re, im) = self.value();
        Ok(re != 0.0 || im != 0.0)
    }
    /// Return the complex conjugate of its argument. (3-4j).conjugate() == 3+4j.
    #[pymethod(signature = "()")]
    fn conjugate(&self) -> Owned<Complex> {
        let (re, im) = self.value();
        Complex::new(re, -im)
    }
    /// Convert this value to exact type complex.
    #[pymethod(signature = "()")]
    fn __complex__(&self) -> Owned<Complex> {
        self.exact()
    }
    #[pymethod(signature = "()")]
    fn __getnewargs__(&self) -> (f64, f64) {
        self.value()
    }
    /// Convert to a string according to format_spec.
    #[pymethod]
    fn __format__(&self, format_spec: &Str) -> PyResult<Owned<Str>> {
        crate::format::format_complex(self, format_spec)
    }
}

fn is_real(o: &Object) -> bool {
    number::has_float(o) || number::has_index(o)
}

/// Readies `complex`.
pub fn init() -> PyResult<()> {
    crate::builder::ready::<Complex>()?;
    Ok(())
}
