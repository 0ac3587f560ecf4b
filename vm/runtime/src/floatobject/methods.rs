//! The Python type `float`: its constructor, methods and slots.

use super::*;
use crate::number;
use crate::pymethods;
use crate::singletons::*;
use crate::slots::CompareOp;

/// An operand as a double: `None` if it is neither float nor int.
#[inline]
fn operand(o: &Object) -> PyResult<Option<f64>> {
    if let Some(f) = o.downcast::<Float>() {
        return Ok(Some(f.value()));
    }
    match o.downcast::<Int>() {
        Some(i) => i.to_f64().map(Some),
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

fn real(v: f64) -> PyResult<Owned<Object>> {
    Ok(Float::new(v).into_object())
}

fn more(b: &mut crate::builder::TypeBuilder) {
    b.doc(c"Convert a string or number to a floating point number, if possible.");
    b.text_signature("float", "(x=0, /)");
}

#[pymethods(extra = more)]
impl Float {
    #[slot(tp_new)]
    fn new_slot(cls: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Object>> {
        let exact = cls.tp() == Float::type_ptr();
        // SAFETY: a live type.
        let same_init = unsafe {
            (*cls.tp()).tp_init.map(|f| f as usize) == (*Float::type_ptr()).tp_init.map(|f| f as usize)
        };
        if (exact || same_init) && kwargs.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "float() takes no keyword arguments");
        }
        if args.len() > 1 {
            return raise!(TypeError, "float expected at most 1 argument, got {}", args.len());
        }
        let v = match args.len() {
            0 => Float::new(0.0).into_object(),
            _ => {
                let x = args.item_ref(0);
                if x.is_exact::<Str>() {
                    Float::new(from_text(x)?).into_object()
                } else {
                    number::to_float(x)?
                }
            }
        };
        if exact {
            return Ok(v);
        }
        let p = crate::typeobject::alloc(cls.tp(), 0)?;
        // SAFETY: a fresh instance of a subtype of float; `v` is a float.
        unsafe {
            (*p.cast::<PyFloatObject>()).ob_fval = v.downcast_unchecked::<Float>().value();
            Ok(Owned::from_raw(p))
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: the count has reached zero; an exact float is a plain block.
        unsafe {
            if (*o).ob_type == Float::type_ptr() {
                super::free_float(o)
            } else {
                crate::typeobject::free_instance(o)
            }
        }
    }
    #[slot(tp_repr)]
    fn repr_slot(&self) -> Owned<Str> {
        repr_object(self.value())
    }
    #[slot(tp_hash)]
    fn hash_slot(&self) -> PyResult<isize> {
        Ok(hash_object(self, self.value()))
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult<Owned<Object>> {
        let order = if let Some(f) = other.downcast::<Float>() {
            self.value().partial_cmp(&f.value())
        } else if let Some(i) = other.downcast::<Int>() {
            compare_int(self.value(), i)
        } else {
            return Ok(not_implemented());
        };
        Ok(bool_obj(match order {
            Some(o) => op.holds(o),
            None => op == CompareOp::Ne,
        }))
    }
    #[slot(nb_add)]
    fn nb_add(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        real(a + b)
    }
    #[slot(nb_subtract)]
    fn nb_subtract(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        real(a - b)
    }
    #[slot(nb_multiply)]
    fn nb_multiply(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        real(a * b)
    }
    #[slot(nb_true_divide)]
    fn nb_true_divide(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        if b == 0.0 {
            return raise!(ZeroDivisionError, "float division by zero");
        }
        real(a / b)
    }
    #[slot(nb_remainder)]
    fn nb_remainder(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        if b == 0.0 {
            return raise!(ZeroDivisionError, "float modulo");
        }
        real(modulo(a, b))
    }
    #[slot(nb_floor_divide)]
    fn nb_floor_divide(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        if b == 0.0 {
            return raise!(ZeroDivisionError, "float floor division by zero");
        }
        real(floor_divmod(a, b).0)
    }
    #[slot(nb_divmod)]
    fn nb_divmod(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        if b == 0.0 {
            return raise!(ZeroDivisionError, "float divmod()");
        }
        let (q, r) = floor_divmod(a, b);
        Ok(Tuple::from_vec(vec![Float::new(q).into_object(), Float::new(r).into_object()]).into_object())
    }
    #[slot(nb_power)]
    fn nb_power(a: &Object, b: &Object, c: &Object) -> PyResult<Owned<Object>> {
        if !c.is_none() {
            return raise!(TypeError, "pow() 3rd argument not allowed unless all arguments are integers");
        }
        let (a, b) = operands!(a, b);
        power(a, b)
    }
    #[slot(nb_negative)]
    fn nb_negative(&self) -> f64 {
        -self.value()
    }
    #[slot(nb_positive)]
    fn nb_positive(&self) -> Owned<Float> {
        self.exact()
    }
    #[slot(nb_absolute)]
    fn nb_absolute(&self) -> f64 {
        self.value().abs()
    }
    #[slot(nb_bool)]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(self.value() != 0.0)
    }
    #[slot(nb_int)]
    fn nb_int(&self) -> PyResult<Owned<Int>> {
        Int::from_f64(self.value())
    }
    #[slot(nb_float)]
    fn nb_float(&self) -> Owned<Float> {
        self.exact()
    }

    /// Return self, the complex conjugate of any float.
    #[pymethod(signature = "()")]
    fn conjugate(&self) -> Owned<Float> {
        self.exact()
    }
    /// Return the Integral closest to x between 0 and x.
    #[pymethod(signature = "()")]
    fn __trunc__(&self) -> PyResult<Owned<Int>> {
        Int::from_f64(self.value())
    }
    /// Return the floor as an Integral.
    #[pymethod(signature = "()")]
    fn __floor__(&self) -> PyResult<Owned<Int>> {
        Int::from_f64(self.value().floor())
    }
    /// Return the ceiling as an Integral.
    #[pymethod(signature = "()")]
    fn __ceil__(&self) -> PyResult<Owned<Int>> {
        Int::from_f64(self.value().ceil())
    }
    /// Return the Integral closest to x, rounding half toward even.
    ///
    /// When an argument is passed, work like built-in round(x, ndigits).
    #[pymethod(signature = "(ndigits=None, /)")]
    fn __round__(&self, ndigits: Option<&Object>) -> PyResult<Owned<Object>> {
        match ndigits.filter(|n| !n.is_none()) {
            None => Ok(Int::from_f64(self.value().round_ties_even())?.into_object()),
            Some(n) => {
                let n = number::as_isize(n, None)?;
                real(round_digits(self.value(), n as i64)?)
            }
        }
    }
    /// Return True if the float is an integer.
    #[pymethod(signature = "()")]
    fn is_integer(&self) -> bool {
        let v = self.value();
        v.is_finite() && v == v.floor()
    }
    /// Return integer ratio.
    ///
    /// Return a pair of integers, whose ratio is exactly equal to the original float
    /// and with a positive denominator.
    ///
    /// Raise OverflowError on infinities and a ValueError on NaNs.
    ///
    /// >>> (2.5).as_integer_ratio()
    /// (5, 2)
    #[pymethod(signature = "()")]
    fn as_integer_ratio(&self) -> PyResult<(Owned<Int>, Owned<Int>)> {
        let v = self.value();
        if v.is_infinite() {
            return raise!(OverflowError, "cannot convert Infinity to integer ratio");
        }
        if v.is_nan() {
            return raise!(ValueError, "cannot convert NaN to integer ratio");
        }
        let (m, e, negative) = decompose(v);
        if m == 0 {
            return Ok((Int::from_i64(0), Int::from_i64(1)));
        }
        let tz = m.trailing_zeros();
        let (m, e) = ((m >> tz) as i64, e + tz as i32);
        let m = Int::from_i64(if negative { -m } else { m });
        if e >= 0 {
            Ok((m.shl(e as u64)?, Int::from_i64(1)))
        } else {
            Ok((m, Int::from_i64(1).shl(-e as u64)?))
        }
    }
    /// Return a hexadecimal representation of a floating-point number.
    ///
    /// >>> (-0.1).hex()
    /// '-0x1.999999999999ap-4'
    /// >>> 3.14159.hex()
    /// '0x1.921f9f01b866ep+1'
    #[pymethod(signature = "()")]
    fn hex(&self) -> String {
        hex::to_hex(self.value())
    }
    /// Create a floating-point number from a hexadecimal string.
    ///
    /// >>> float.fromhex('0x1.ffffp10')
    /// 2047.984375
    /// >>> float.fromhex('-0x1p-1074')
    /// -5e-324
    #[classmethod(signature = "(string, /)")]
    fn fromhex(cls: &Type, string: &Object) -> PyResult<Owned<Object>> {
        let Some(s) = string.downcast::<Str>() else {
            return raise!(TypeError, "bad argument type for built-in operation");
        };
        let v = Float::new(hex::from_hex(s.to_str()?)?);
        if cls.tp() == Float::type_ptr() { Ok(v.into_object()) } else { cls.call(&[&v]) }
    }
    /// You probably don't want to use this function.
    ///
    ///   typestr
    ///     Must be 'double' or 'float'.
    ///
    /// It exists mainly to be used in Python's test suite: the memory format of
    /// C doubles or floats, 'unknown', 'IEEE, big-endian' or 'IEEE, little-endian'.
    #[classmethod(signature = "(typestr, /)")]
    fn __getformat__(_cls: &Type, typestr: &str) -> PyResult<&'static str> {
        if typestr != "double" && typestr != "float" {
            return raise!(ValueError, "__getformat__() argument 1 must be 'double' or 'float'");
        }
        Ok(if cfg!(target_endian = "little") { "IEEE, little-endian" } else { "IEEE, big-endian" })
    }
    #[pymethod(signature = "()")]
    fn __getnewargs__(&self) -> (f64,) {
        (self.value(),)
    }
    /// Formats the float according to format_spec.
    #[pymethod]
    fn __format__(&self, format_spec: &Str) -> PyResult<Owned<Str>> {
        crate::format::format_float(self, format_spec)
    }
    /// the real part of a complex number
    #[getter]
    fn real(&self) -> Owned<Float> {
        self.exact()
    }
    /// the imaginary part of a complex number
    #[getter]
    fn imag(&self) -> f64 {
        0.0
    }
}

impl Float {
    /// This value as an exact `float`.
    pub fn exact(&self) -> Owned<Float> {
        if self.is_exact::<Float>() { self.own() } else { Float::new(self.value()) }
    }
}

/// Readies `float`.
pub fn init() -> PyResult<()> {
    crate::builder::ready::<Float>()?;
    Ok(())
}
