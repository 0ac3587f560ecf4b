//! The Python type `int`: its constructor, methods and slots.

use super::{DIGIT_BITS, text};
use crate::errors::*;
use crate::exceptions::exc;
use crate::kinds::*;
use crate::number;
use crate::object::*;
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::{intern, pymethods, raise};
use lh_abi::*;

/// Both operands as ints, or `NotImplemented`.
macro_rules! operands {
    ($a:expr, $b:expr) => {
        match ($a.downcast::<Int>(), $b.downcast::<Int>()) {
            (Some(a), Some(b)) => (a, b),
            _ => return Ok(not_implemented()),
        }
    };
}

/// `bytes(o)` as a Rust vector, as `int.from_bytes` takes it.
pub fn bytes_of(o: &Object) -> PyResult<Vec<u8>> {
    if let Some(b) = o.downcast_exact::<Bytes>() {
        return Ok(b.as_bytes().to_vec());
    }
    if let Some(m) = o.lookup_special(intern!("__bytes__"))? {
        let r = m.call0()?;
        return match r.downcast::<Bytes>() {
            Some(b) => Ok(b.as_bytes().to_vec()),
            None => raise!(TypeError, "__bytes__ returned non-bytes (type {})", r.ty().name()),
        };
    }
    if crate::buffer::supports_buffer(o) {
        return Ok(crate::buffer::Buffer::simple(o)?.to_vec());
    }
    let fail = || raise!(TypeError, "cannot convert '{}' object to bytes", o.ty().name());
    if Str::check(o) {
        return fail();
    }
    let Some(it) = catching(exc::TypeError(), || o.iterator())? else {
        return fail();
    };
    let mut v = vec![];
    while let Some(x) = it.iter_next()? {
        match number::index(&x)?.to_i64() {
            Some(b @ 0..=255) => v.push(b as u8),
            _ => return raise!(ValueError, "bytes must be in range(0, 256)"),
        }
    }
    Ok(v)
}

fn little_endian(order: Option<&Str>) -> PyResult<bool> {
    match order {
        None => Ok(false),
        Some(s) if s.equals_str("big") => Ok(false),
        Some(s) if s.equals_str("little") => Ok(true),
        Some(_) => raise!(ValueError, "byteorder must be either 'little' or 'big'"),
    }
}

impl Int {
    /// From two's complement or unsigned bytes, least significant first.
    pub fn from_le_bytes(b: &[u8], signed: bool) -> Owned<Int> {
        if b.len() <= 8 {
            let mut word = [if signed && b.last().is_some_and(|x| x & 0x80 != 0) { 0xff } else { 0 }; 8];
            word[..b.len()].copy_from_slice(b);
            return if signed {
                Int::from_i64(i64::from_le_bytes(word))
            } else {
                Int::from_u64(u64::from_le_bytes(word))
            };
        }
        let negative = signed && b.last().is_some_and(|x| x & 0x80 != 0);
        let mut out = Vec::with_capacity(b.len() * 8 / 30 + 1);
        let (mut acc, mut bits) = (0u64, 0u32);
        let mut carry = negative as u32;
        for x in b {
            let mut x = *x as u32;
            if negative {
                carry += x ^ 0xff;
                x = carry & 0xff;
                carry >>= 8;
            }
            acc |= (x as u64) << bits;
            bits += 8;
            if bits >= DIGIT_BITS {
                out.push(acc as u32 & super::DIGIT_MASK);
                acc >>= DIGIT_BITS;
                bits -= DIGIT_BITS;
            }
        }
        acc |= (carry as u64) << bits;
        out.push(acc as u32);
        Int::from_digits(&out, negative)
    }
    /// `n` bytes, least significant first; raises `OverflowError` if the value doesn't fit.
    pub fn to_le_bytes(&self, n: usize, signed: bool) -> PyResult<Vec<u8>> {
        if self.is_negative() && !signed {
            return raise!(OverflowError, "can't convert negative int to unsigned");
        }
        let mut v = Vec::with_capacity(n + 4);
        let (mut acc, mut bits) = (0u64, 0u32);
        for d in self.digits() {
            acc |= (*d as u64) << bits;
            bits += DIGIT_BITS;
            while bits >= 8 {
                v.push(acc as u8);
                acc >>= 8;
                bits -= 8;
            }
        }
        if bits > 0 {
            v.push(acc as u8);
        }
        let used = v.len() - v.iter().rev().take_while(|b| **b == 0).count();
        v.truncate(used);
        let fits = if !signed {
            used <= n
        } else {
            let bl = self.bit_length();
            let exact_min = self.is_negative() && bl == 8 * n as u64 && digits_power_of_two(self.digits());
            bl < 8 * n as u64 || exact_min || self.is_zero()
        };
        if !fits {
            return raise!(OverflowError, "int too big to convert");
        }
        v.resize(n, 0);
        if self.is_negative() {
            let mut carry = 1u32;
            for x in &mut v {
                carry += (!*x) as u32;
                *x = carry as u8;
                carry >>= 8;
            }
        }
        Ok(v)
    }
    /// This value as an instance of `cls`, which is `int` or derives from it.
    pub fn in_class(&self, cls: &Type) -> PyResult<Owned<Object>> {
        if cls.tp() == Int::type_ptr() {
            return Ok(self.exact().into_object());
        }
        let d = self.digits();
        let p = crate::typeobject::alloc(cls.tp(), d.len().max(1) as isize)?;
        // SAFETY: a fresh instance with room for the digits.
        unsafe {
            let p = p.cast::<PyLongObject>();
            (*p).ob_base.ob_size = self.size();
            std::ptr::copy_nonoverlapping(d.as_ptr(), (&raw mut (*p).ob_digit).cast::<u32>(), d.len());
            Ok(Owned::from_raw(p.cast()))
        }
    }
    /// Rounds to a multiple of `10**-ndigits`, half to even.
    pub fn round_to(&self, ndigits: &Int) -> PyResult<Owned<Int>> {
        if !ndigits.is_negative() {
            return Ok(self.exact());
        }
        // So many digits that nothing is left.
        if ndigits.neg().to_u64().is_none_or(|n| n as f64 > self.bit_length() as f64 * 0.302 + 2.0) {
            return Ok(Int::from_i64(0));
        }
        let unit = Int::from_i64(10).pow(&ndigits.neg())?;
        let (q, r) = self.divmod(&unit)?;
        let twice = r.shl(1)?;
        let up = match twice.compare(&unit) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => q.digits().first().is_some_and(|d| d & 1 == 1),
        };
        let base = self.sub(&r);
        Ok(if up { base.add(&unit) } else { base })
    }
}

fn digits_power_of_two(d: &[u32]) -> bool {
    d.iter().map(|x| x.count_ones()).sum::<u32>() == 1
}

/// `int(x, base)`.
fn construct(x: Option<&Object>, base: Option<&Object>) -> PyResult<Owned<Object>> {
    let Some(x) = x else {
        if base.is_some() {
            return raise!(TypeError, "int() missing string argument");
        }
        return Ok(Int::from_i64(0).into_object());
    };
    let Some(base) = base else {
        return number::to_int(x);
    };
    let base = number::as_isize(base, None)?;
    if base != 0 && !(2..=36).contains(&base) {
        return raise!(ValueError, "int() base must be >= 2 and <= 36, or 0");
    }
    let base = base as u32;
    if let Some(s) = x.downcast::<Str>() {
        return Ok(text::parse_obj(s, base)?.into_object());
    }
    if let Some(b) = x.downcast::<Bytes>() {
        return Ok(text::parse_bytes(b.as_bytes(), base)?.into_object());
    }
    if let Some(b) = x.downcast::<ByteArray>() {
        let e = |e| text::parse_failed(e, base, || x.repr_lossy());
        return Ok(text::parse_ascii(&b.to_vec(), base).map_err(e)?.into_object());
    }
    raise!(TypeError, "int() can't convert non-string with explicit base")
}

fn more(b: &mut crate::builder::TypeBuilder) {
    b.doc(
        c"int([x]) -> integer
int(x, base=10) -> integer

A number or a string as an integer; 0 without arguments. Floats are truncated.
Text may carry a sign, blanks around it and underscores between digits; base 0
reads the base from the prefix.
>>> int('0b100', base=0)
4",
    )
}

#[pymethods(extra = more)]
impl Int {
    #[new(signature = "(x=None, /, base=None)")]
    fn new(cls: &Type, x: Option<&Object>, base: Option<&Object>) -> PyResult<Owned<Object>> {
        let v = construct(x, base)?;
        if cls.tp() == Int::type_ptr() {
            return Ok(v);
        }
        // SAFETY: `construct` makes ints.
        unsafe { v.downcast_unchecked::<Int>() }.in_class(cls)
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: the count has reached zero; an exact int is a plain block.
        unsafe {
            if (*o).ob_type == Int::type_ptr() {
                super::free_int(o)
            } else {
                crate::typeobject::free_instance(o)
            }
        }
    }
    #[slot(tp_repr)]
    fn repr_slot(&self) -> PyResult<String> {
        self.to_decimal()
    }
    #[slot(tp_hash)]
    fn hash_slot(&self) -> PyResult<isize> {
        Ok(self.hash_value())
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult<Owned<Object>> {
        match other.downcast::<Int>() {
            Some(o) => Ok(bool_obj(op.holds(self.compare(o)))),
            None => Ok(not_implemented()),
        }
    }
    #[slot(nb_add)]
    fn nb_add(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        Ok(a.add(b).into_object())
    }
    #[slot(nb_subtract)]
    fn nb_subtract(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        Ok(a.sub(b).into_object())
    }
    #[slot(nb_multiply)]
    fn nb_multiply(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        Ok(a.mul(b)?.into_object())
    }
    #[slot(nb_remainder)]
    fn nb_remainder(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        Ok(a.modulo(b)?.into_object())
    }
    #[slot(nb_divmod)]
    fn nb_divmod(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        let (q, r) = a.divmod(b)?;
        Ok(Tuple::from_vec(vec![q.into_object(), r.into_object()]).into_object())
    }
    #[slot(nb_floor_divide)]
    fn nb_floor_divide(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        Ok(a.floor_div(b)?.into_object())
    }
    #[slot(nb_true_divide)]
    fn nb_true_divide(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        Ok(Float::new(a.true_div(b)?).into_object())
    }
    #[slot(nb_lshift)]
    fn nb_lshift(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        Ok(a.lshift(b)?.into_object())
    }
    #[slot(nb_rshift)]
    fn nb_rshift(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        Ok(a.rshift(b)?.into_object())
    }
    #[slot(nb_and)]
    fn nb_and(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        Ok(a.and(b).into_object())
    }
    #[slot(nb_or)]
    fn nb_or(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        Ok(a.or(b).into_object())
    }
    #[slot(nb_xor)]
    fn nb_xor(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        Ok(a.xor(b).into_object())
    }
    #[slot(nb_power)]
    fn nb_power(a: &Object, b: &Object, c: &Object) -> PyResult<Owned<Object>> {
        let (a, b) = operands!(a, b);
        if c.is_none() {
            if b.is_negative() {
                return crate::floatobject::power(a.to_f64()?, b.to_f64()?);
            }
            return Ok(a.pow(b)?.into_object());
        }
        match c.downcast::<Int>() {
            Some(m) => Ok(a.pow_mod(b, m)?.into_object()),
            None => Ok(not_implemented()),
        }
    }
    #[slot(nb_negative)]
    fn nb_negative(&self) -> Owned<Int> {
        self.neg()
    }
    #[slot(nb_positive)]
    fn nb_positive(&self) -> Owned<Int> {
        self.exact()
    }
    #[slot(nb_absolute)]
    fn nb_absolute(&self) -> Owned<Int> {
        self.abs()
    }
    #[slot(nb_invert)]
    fn nb_invert(&self) -> Owned<Int> {
        self.invert()
    }
    #[slot(nb_bool)]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(!self.is_zero())
    }
    #[slot(nb_int)]
    fn nb_int(&self) -> Owned<Int> {
        self.exact()
    }
    #[slot(nb_index)]
    fn nb_index(&self) -> Owned<Int> {
        self.exact()
    }
    #[slot(nb_float)]
    fn nb_float(&self) -> PyResult<f64> {
        self.to_f64()
    }

    /// Returns self, the complex conjugate of any int.
    #[pymethod(signature = "()")]
    fn conjugate(&self) -> Owned<Int> {
        self.exact()
    }
    /// Number of bits necessary to represent self in binary.
    ///
    /// >>> bin(37)
    /// '0b100101'
    /// >>> (37).bit_length()
    /// 6
    #[pymethod(name = "bit_length", signature = "()")]
    fn py_bit_length(&self) -> u64 {
        self.bit_length()
    }
    /// Number of ones in the binary representation of the absolute value of self.
    ///
    /// Also known as the population count.
    ///
    /// >>> bin(13)
    /// '0b1101'
    /// >>> (13).bit_count()
    /// 3
    #[pymethod(signature = "()")]
    fn bit_count(&self) -> u64 {
        self.digits().iter().map(|d| d.count_ones() as u64).sum()
    }
    /// Return an array of bytes representing an integer.
    ///
    ///   length
    ///     Length of the result; OverflowError if the integer doesn't fit.
    ///   byteorder
    ///     'big' puts the most significant byte first, 'little' last.
    ///   signed
    ///     Whether two's complement is used; otherwise negative numbers raise OverflowError.
    #[pymethod(signature = "(length=1, byteorder='big', *, signed=False)")]
    fn to_bytes(&self, length: isize, byteorder: Option<&Str>, signed: bool) -> PyResult<Vec<u8>> {
        let little = little_endian(byteorder)?;
        if length < 0 {
            return raise!(ValueError, "length argument must be non-negative");
        }
        let mut v = self.to_le_bytes(length as usize, signed)?;
        if !little {
            v.reverse();
        }
        Ok(v)
    }
    /// Return the integer represented by the given array of bytes.
    ///
    ///   bytes
    ///     A bytes-like object or an iterable producing bytes.
    ///   byteorder
    ///     'big' if the most significant byte comes first, 'little' if last.
    ///   signed
    ///     Whether the bytes are two's complement.
    #[classmethod(signature = "(bytes, byteorder='big', *, signed=False)")]
    fn from_bytes(
        cls: &Type,
        bytes: &Object,
        byteorder: Option<&Str>,
        signed: bool,
    ) -> PyResult<Owned<Object>> {
        let little = little_endian(byteorder)?;
        let mut v = bytes_of(bytes)?;
        if !little {
            v.reverse();
        }
        let i = Int::from_le_bytes(&v, signed);
        if cls.tp() == Int::type_ptr() { Ok(i.into_object()) } else { cls.call(&[&i]) }
    }
    /// Return integer ratio.
    ///
    /// Return a pair of integers, whose ratio is exactly equal to the original int
    /// and with a positive denominator.
    ///
    /// >>> (-3).as_integer_ratio()
    /// (-3, 1)
    #[pymethod(signature = "()")]
    fn as_integer_ratio(&self) -> (Owned<Int>, i64) {
        (self.exact(), 1)
    }
    /// Truncating an Integral returns itself.
    #[pymethod(signature = "()")]
    fn __trunc__(&self) -> Owned<Int> {
        self.exact()
    }
    /// Flooring an Integral returns itself.
    #[pymethod(signature = "()")]
    fn __floor__(&self) -> Owned<Int> {
        self.exact()
    }
    /// Ceiling of an Integral returns itself.
    #[pymethod(signature = "()")]
    fn __ceil__(&self) -> Owned<Int> {
        self.exact()
    }
    /// Rounding an Integral returns itself.
    ///
    /// Rounding with an ndigits argument also returns an integer.
    #[pymethod]
    fn __round__(&self, ndigits: Option<&Object>) -> PyResult<Owned<Int>> {
        match ndigits {
            None => Ok(self.exact()),
            Some(n) => self.round_to(&*number::index(n)?),
        }
    }
    #[pymethod(signature = "()")]
    fn __getnewargs__(&self) -> (Owned<Int>,) {
        (self.exact(),)
    }
    #[pymethod]
    fn __format__(&self, format_spec: &Str) -> PyResult<Owned<Str>> {
        crate::format::format_int(self, format_spec)
    }
    /// Returns size in memory, in bytes.
    #[pymethod(signature = "()")]
    fn __sizeof__(&self) -> usize {
        24 + 4 * self.digits().len().max(1)
    }
    /// the real part of a complex number
    #[getter]
    fn real(&self) -> Owned<Int> {
        self.exact()
    }
    /// the imaginary part of a complex number
    #[getter]
    fn imag(&self) -> i64 {
        0
    }
    /// the numerator of a rational number in lowest terms
    #[getter]
    fn numerator(&self) -> Owned<Int> {
        self.exact()
    }
    /// the denominator of a rational number in lowest terms
    #[getter]
    fn denominator(&self) -> i64 {
        1
    }
}
