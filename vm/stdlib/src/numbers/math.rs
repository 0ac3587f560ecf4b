//! `math`: the C library's functions with Python's errors, and exact integer functions.
//!
//! A result that is not a number for arguments that are, is a `ValueError`; an infinite one for finite arguments is an
//! `OverflowError` where the function can overflow, else a `ValueError` (a pole).

use lh_runtime::prelude::*;
use lh_runtime::{floatobject, number};
use num_bigint::BigUint;
use num_integer::Roots;
use num_traits::One;

/// The C mathematics library, so that results agree with CPython's to the last bit.
pub mod libm {
    unsafe extern "C" {
        pub safe fn acos(x: f64) -> f64;
        pub safe fn acosh(x: f64) -> f64;
        pub safe fn asin(x: f64) -> f64;
        pub safe fn asinh(x: f64) -> f64;
        pub safe fn atan(x: f64) -> f64;
        pub safe fn atan2(y: f64, x: f64) -> f64;
        pub safe fn atanh(x: f64) -> f64;
        pub safe fn cos(x: f64) -> f64;
        pub safe fn cosh(x: f64) -> f64;
        pub safe fn erf(x: f64) -> f64;
        pub safe fn erfc(x: f64) -> f64;
        pub safe fn exp(x: f64) -> f64;
        pub safe fn exp2(x: f64) -> f64;
        pub safe fn expm1(x: f64) -> f64;
        pub safe fn fmod(x: f64, y: f64) -> f64;
        pub safe fn hypot(x: f64, y: f64) -> f64;
        pub safe fn ldexp(x: f64, e: i32) -> f64;
        pub safe fn log(x: f64) -> f64;
        pub safe fn log10(x: f64) -> f64;
        pub safe fn log1p(x: f64) -> f64;
        pub safe fn log2(x: f64) -> f64;
        pub safe fn nextafter(x: f64, y: f64) -> f64;
        pub safe fn pow(x: f64, y: f64) -> f64;
        pub safe fn remainder(x: f64, y: f64) -> f64;
        pub safe fn sin(x: f64) -> f64;
        pub safe fn sinh(x: f64) -> f64;
        pub safe fn sqrt(x: f64) -> f64;
        pub safe fn tan(x: f64) -> f64;
        pub safe fn tanh(x: f64) -> f64;
    }

    /// By its name at run time: linked as the others are, it would be the Rust compiler's own, which rounds otherwise.
    pub fn cbrt(x: f64) -> f64 {
        static FOUND: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
        // SAFETY: looks a symbol up in what is loaded.
        let at =
            *FOUND.get_or_init(|| unsafe { ::libc::dlsym(::libc::RTLD_DEFAULT, c"cbrt".as_ptr()) as usize });
        if at == 0 {
            return x.cbrt();
        }
        // SAFETY: the C library's function has this signature.
        unsafe { std::mem::transmute::<usize, extern "C" fn(f64) -> f64>(at)(x) }
    }
}

pub fn domain_error() -> Raised {
    raised!(ValueError, "math domain error")
}
pub fn range_error() -> Raised {
    raised!(OverflowError, "math range error")
}

fn checked(x: f64, r: f64, can_overflow: bool) -> PyResult<f64> {
    if r.is_nan() && !x.is_nan() {
        return Err(domain_error());
    }
    if r.is_infinite() && x.is_finite() {
        return Err(if can_overflow { range_error() } else { domain_error() });
    }
    Ok(r)
}

macro_rules! unary {
    ($($name:ident $overflows:literal $doc:literal;)*) => { $(
        #[doc = $doc]
        #[pyfunction]
        pub fn $name(x: f64) -> PyResult<f64> {
            checked(x, libm::$name(x), $overflows)
        }
    )* };
}
unary! {
    acos false "Return the arc cosine (measured in radians) of x.\n\nThe result is between 0 and pi.";
    acosh false "Return the inverse hyperbolic cosine of x.";
    asin false "Return the arc sine (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2.";
    asinh false "Return the inverse hyperbolic sine of x.";
    atan false "Return the arc tangent (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2.";
    atanh false "Return the inverse hyperbolic tangent of x.";
    cbrt false "Return the cube root of x.";
    cos false "Return the cosine of x (measured in radians).";
    cosh true "Return the hyperbolic cosine of x.";
    erf false "Error function at x.";
    erfc false "Complementary error function at x.";
    exp true "Return e raised to the power of x.";
    exp2 true "Return 2 raised to the power of x.";
    expm1 true "Return exp(x)-1.\n\nThis function avoids the loss of precision involved in the direct evaluation of exp(x)-1 for small x.";
    log1p false "Return the natural logarithm of 1+x (base e).\n\nThe result is computed in a way which is accurate for x near zero.";
    sin false "Return the sine of x (measured in radians).";
    sinh true "Return the hyperbolic sine of x.";
    sqrt false "Return the square root of x.";
    tan false "Return the tangent of x (measured in radians).";
    tanh false "Return the hyperbolic tangent of x.";
}
/// Return the absolute value of the float x.
#[pyfunction]
pub fn fabs(x: f64) -> f64 {
    x.abs()
}
/// Return the arc tangent (measured in radians) of y/x.
///
/// Unlike atan(y/x), the signs of both x and y are considered.
#[pyfunction]
pub fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}
/// Return a float with the magnitude (absolute value) of x but the sign of y.
///
/// On platforms that support signed zeros, copysign(1.0, -0.0)
/// returns -1.0.
#[pyfunction]
pub fn copysign(x: f64, y: f64) -> f64 {
    x.copysign(y)
}
/// Difference between x and the closest integer multiple of y.
///
/// Return x - n*y where n*y is the closest integer multiple of y.
/// In the case where x is exactly halfway between two multiples of
/// y, the nearest even value of n is used. The result is always exact.
#[pyfunction]
pub fn remainder(x: f64, y: f64) -> PyResult<f64> {
    let r = libm::remainder(x, y);
    if r.is_nan() && !x.is_nan() && !y.is_nan() { Err(domain_error()) } else { Ok(r) }
}
/// Return fmod(x, y), according to platform C.
///
/// x % y may differ.
#[pyfunction]
pub fn fmod(x: f64, y: f64) -> PyResult<f64> {
    if y.is_infinite() && x.is_finite() {
        return Ok(x);
    }
    let r = libm::fmod(x, y);
    if r.is_nan() && !x.is_nan() && !y.is_nan() { Err(domain_error()) } else { Ok(r) }
}
/// Return x**y (x to the power of y).
#[pyfunction]
pub fn pow(x: f64, y: f64) -> PyResult<f64> {
    if x.is_finite() && y.is_finite() {
        let r = libm::pow(x, y);
        if r.is_nan() || r.is_infinite() && x == 0.0 {
            return Err(domain_error());
        }
        return if r.is_infinite() { Err(range_error()) } else { Ok(r) };
    }
    Ok(if x.is_nan() {
        if y == 0.0 { 1.0 } else { x }
    } else if y.is_nan() {
        if x == 1.0 { 1.0 } else { y }
    } else if x.is_infinite() {
        let odd = y.is_finite() && (y.abs() % 2.0) == 1.0;
        if y > 0.0 {
            if odd { x } else { x.abs() }
        } else if y == 0.0 {
            1.0
        } else if odd {
            0.0f64.copysign(x)
        } else {
            0.0
        }
    } else if x.abs() == 1.0 {
        1.0
    } else if y > 0.0 && x.abs() > 1.0 {
        y
    } else if y < 0.0 && x.abs() < 1.0 {
        -y
    } else {
        0.0
    })
}
/// Return the next floating-point value after x towards y.
#[pyfunction]
pub fn nextafter(x: f64, y: f64) -> f64 {
    libm::nextafter(x, y)
}
/// Return the value of the least significant bit of the float x.
#[pyfunction]
pub fn ulp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let x = x.abs();
    if x.is_infinite() {
        return x;
    }
    let next = libm::nextafter(x, f64::INFINITY);
    if next.is_infinite() { x - libm::nextafter(x, f64::NEG_INFINITY) } else { next - x }
}
/// Convert angle x from radians to degrees.
#[pyfunction]
pub fn degrees(x: f64) -> f64 {
    x * (180.0 / std::f64::consts::PI)
}
/// Convert angle x from degrees to radians.
#[pyfunction]
pub fn radians(x: f64) -> f64 {
    x * (std::f64::consts::PI / 180.0)
}
/// Return True if x is neither an infinity nor a NaN, and False otherwise.
#[pyfunction]
pub fn isfinite(x: f64) -> bool {
    x.is_finite()
}
/// Return True if x is a positive or negative infinity, and False otherwise.
#[pyfunction]
pub fn isinf(x: f64) -> bool {
    x.is_infinite()
}
/// Return True if x is a NaN (not a number), and False otherwise.
#[pyfunction]
pub fn isnan(x: f64) -> bool {
    x.is_nan()
}
/// Determine whether two floating point numbers are close in value.
///
///   rel_tol
///     maximum difference for being considered "close", relative to the
///     magnitude of the input values
///   abs_tol
///     maximum difference for being considered "close", regardless of the
///     magnitude of the input values
///
/// Return True if a is close in value to b, and False otherwise.
///
/// For the values to be considered close, the difference between them
/// must be smaller than at least one of the tolerances.
///
/// -inf, inf and NaN behave similarly to the IEEE 754 Standard.  That
/// is, NaN is not close to anything, even itself.  inf and -inf are
/// only close to themselves.
#[pyfunction(signature = "(a, b, *, rel_tol=1e-09, abs_tol=0.0)")]
pub fn isclose(a: f64, b: f64, rel_tol: f64, abs_tol: f64) -> PyResult<bool> {
    if rel_tol < 0.0 || abs_tol < 0.0 {
        return raise!(ValueError, "tolerances must be non-negative");
    }
    if a == b {
        return Ok(true);
    }
    if a.is_infinite() || b.is_infinite() {
        return Ok(false);
    }
    let diff = (b - a).abs();
    Ok(diff <= (rel_tol * b).abs() || diff <= (rel_tol * a).abs() || diff <= abs_tol)
}

// ---- To integers ----

/// Return the floor of x as an Integral.
///
/// This is the largest integer <= x.
#[pyfunction]
pub fn floor(x: &Object) -> PyResult<Owned<Object>> {
    if let Some(f) = x.downcast_exact::<Float>() {
        return Ok(Int::from_f64(f.value().floor())?.into_object());
    }
    if let Some(m) = x.lookup_special(intern!("__floor__"))? {
        return m.call0();
    }
    Ok(Int::from_f64(number::as_f64(x)?.floor())?.into_object())
}
/// Return the ceiling of x as an Integral.
///
/// This is the smallest integer >= x.
#[pyfunction]
pub fn ceil(x: &Object) -> PyResult<Owned<Object>> {
    if let Some(f) = x.downcast_exact::<Float>() {
        return Ok(Int::from_f64(f.value().ceil())?.into_object());
    }
    if let Some(m) = x.lookup_special(intern!("__ceil__"))? {
        return m.call0();
    }
    Ok(Int::from_f64(number::as_f64(x)?.ceil())?.into_object())
}
/// Truncates the Real x to the nearest Integral toward 0.
///
/// Uses the __trunc__ magic method.
#[pyfunction]
pub fn trunc(x: &Object) -> PyResult<Owned<Object>> {
    if let Some(f) = x.downcast_exact::<Float>() {
        return Ok(Int::from_f64(f.value())?.into_object());
    }
    match x.lookup_special(intern!("__trunc__"))? {
        Some(m) => m.call0(),
        None => raise!(TypeError, "type {} doesn't define __trunc__ method", x.ty().name()),
    }
}

// ---- Parts of a float ----

/// The mantissa (0.5 <= |m| < 1) and exponent of a finite value.
pub fn frexp_parts(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let (m, e, negative) = floatobject::decompose(x);
    let shift = m.leading_zeros() as i32;
    let v = m as f64 / 2f64.powi(64 - shift);
    (if negative { -v } else { v }, e + 64 - shift)
}
/// Return the mantissa and exponent of x, as pair (m, e).
///
/// m is a float and e is an int, such that x = m * 2.**e.
/// If x is 0, m and e are both 0.  Else 0.5 <= abs(m) < 1.0.
#[pyfunction]
pub fn frexp(x: f64) -> (f64, i32) {
    frexp_parts(x)
}
/// Return x * (2**i).
///
/// This is essentially the inverse of frexp().
#[pyfunction]
pub fn ldexp(x: f64, i: &Object) -> PyResult<f64> {
    let Some(i) = i.downcast::<Int>() else {
        return raise!(TypeError, "Expected an int as second argument to ldexp.");
    };
    if x == 0.0 || !x.is_finite() {
        return Ok(x);
    }
    let e = i.to_i64().unwrap_or(if i.is_negative() { i64::MIN } else { i64::MAX });
    let r = libm::ldexp(x, e.clamp(-100_000, 100_000) as i32);
    if r.is_infinite() { Err(range_error()) } else { Ok(r) }
}
/// Return the fractional and integer parts of x.
///
/// Both results carry the sign of x and are floats.
#[pyfunction]
pub fn modf(x: f64) -> (f64, f64) {
    if x.is_infinite() {
        return (0.0f64.copysign(x), x);
    }
    let t = x.trunc();
    ((x - t).copysign(x), t)
}

// ---- Logarithms and gamma ----

/// A logarithm of a float or of an int of any size.
fn log_of(x: &Object, f: extern "C" fn(f64) -> f64, of_two: f64) -> PyResult<f64> {
    if let Some(i) = x.downcast::<Int>() {
        if i.sign() <= 0 {
            return Err(domain_error());
        }
        return match i.to_f64() {
            Ok(v) => Ok(f(v)),
            Err(e) => {
                e.clear();
                let bits = i.bit_length();
                let m = i.shr(bits - 64).to_f64()? / 2f64.powi(64);
                Ok(f(m) + of_two * bits as f64)
            }
        };
    }
    let v = number::as_f64(x)?;
    if v.is_finite() && v <= 0.0 || v == f64::NEG_INFINITY {
        return Err(domain_error());
    }
    Ok(if v.is_finite() { f(v) } else { v })
}
/// log(x, [base=math.e])
/// Return the logarithm of x to the given base.
///
/// If the base not specified, returns the natural logarithm (base e) of x.
#[pyfunction]
pub fn log(x: &Object, base: Option<&Object>) -> PyResult<Owned<Object>> {
    let ln = |x: &Object| log_of(x, libm::log, std::f64::consts::LN_2);
    let num = Float::new(ln(x)?);
    match base {
        None => Ok(num.into_object()),
        Some(b) => number::true_divide(&num, &Float::new(ln(b)?)),
    }
}
/// Return the base 2 logarithm of x.
#[pyfunction]
pub fn log2(x: &Object) -> PyResult<f64> {
    log_of(x, libm::log2, 1.0)
}
/// Return the base 10 logarithm of x.
#[pyfunction]
pub fn log10(x: &Object) -> PyResult<f64> {
    log_of(x, libm::log10, std::f64::consts::LOG10_2)
}
/// Gamma function at x.
#[pyfunction]
pub fn gamma(x: f64) -> PyResult<f64> {
    super::gamma::gamma(x)
}
/// Natural logarithm of absolute value of Gamma function at x.
#[pyfunction]
pub fn lgamma(x: f64) -> PyResult<f64> {
    super::gamma::log_gamma(x)
}

// ---- Sums and norms ----

/// Return an accurate floating point sum of values in the iterable seq.
///
/// Assumes IEEE-754 floating point arithmetic.
#[pyfunction]
pub fn fsum(seq: &Object) -> PyResult<f64> {
    // The sum so far is exactly that of `partials`: non-overlapping, growing in magnitude.
    let mut partials: Vec<f64> = vec![];
    let (mut special, mut inf_sum) = (0.0, 0.0);
    seq.for_each(|o| {
        let original = number::as_f64(&o)?;
        let mut x = original;
        let mut kept = 0;
        for j in 0..partials.len() {
            let mut y = partials[j];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let hi = x + y;
            let lo = y - (hi - x);
            if lo != 0.0 {
                partials[kept] = lo;
                kept += 1;
            }
            x = hi;
        }
        partials.truncate(kept);
        if x != 0.0 {
            if x.is_finite() {
                partials.push(x);
            } else {
                if original.is_finite() {
                    return raise!(OverflowError, "intermediate overflow in fsum");
                }
                if original.is_infinite() {
                    inf_sum += original;
                }
                special += original;
                partials.truncate(0);
            }
        }
        Ok(())
    })?;
    if special != 0.0 {
        return if f64::is_nan(inf_sum) { raise!(ValueError, "-inf + inf in fsum") } else { Ok(special) };
    }
    let Some(mut hi) = partials.pop() else { return Ok(0.0) };
    let mut lo = 0.0;
    while let Some(y) = partials.pop() {
        let x = hi;
        hi = x + y;
        lo = y - (hi - x);
        if lo != 0.0 {
            break;
        }
    }
    // Half an ulp is left over: whether it rounds up depends on what lies below it.
    if let Some(next) = partials.last()
        && (lo < 0.0 && *next < 0.0 || lo > 0.0 && *next > 0.0)
    {
        let y = lo * 2.0;
        let x = hi + y;
        if y == x - hi {
            hi = x;
        }
    }
    Ok(hi)
}

/// `sqrt(sum of squares)`: scaled by a power of two, squares and sum in doubled precision, one Newton correction.
fn vector_norm(v: &[f64]) -> f64 {
    let max = v.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    if v.iter().any(|x| x.is_infinite()) {
        return f64::INFINITY;
    }
    if v.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    if max == 0.0 || v.len() == 1 {
        return max;
    }
    let (_, e) = frexp_parts(max);
    if e < -1000 {
        // The scale would overflow: subnormals are scaled up first.
        let up: Vec<f64> = v.iter().map(|x| x * 2f64.powi(600)).collect();
        return vector_norm(&up) * 2f64.powi(-600);
    }
    let scale = libm::ldexp(1.0, -e);
    let (mut sum, mut low) = (1.0f64, 0.0f64);
    for x in v {
        let x = x * scale;
        let square = x * x;
        low += x.mul_add(x, -square);
        let s = sum + square;
        low += square - (s - sum);
        sum = s;
    }
    let h = ((sum - 1.0) + low).sqrt();
    // What the root misses: sum - h*h, in doubled precision.
    let square = -h * h;
    low += (-h).mul_add(h, -square);
    let s = sum + square;
    let low = low + (square - (s - sum));
    let rest = (s - 1.0) + low;
    (h + rest / (2.0 * h)) / scale
}

/// hypot(*coordinates) -> value
///
/// Multidimensional Euclidean distance from the origin to a point.
///
/// Roughly equivalent to:
///     sqrt(sum(x**2 for x in coordinates))
#[pyfunction(raw)]
pub fn hypot(args: Args<'_>) -> PyResult<f64> {
    args.no_kwargs("math.hypot")?;
    if let (Some(a), Some(b), 2) = (args.get(0), args.get(1), args.len()) {
        return Ok(vector_norm(&[number::as_f64(a)?, number::as_f64(b)?]));
    }
    let v = args.iter().map(number::as_f64).collect::<PyResult<Vec<_>>>()?;
    Ok(vector_norm(&v))
}
/// Return the Euclidean distance between two points p and q.
///
/// The points should be specified as sequences (or iterables) of
/// coordinates.  Both inputs must have the same dimension.
#[pyfunction]
pub fn dist(p: &Object, q: &Object) -> PyResult<f64> {
    // Points are mostly tuples of few numbers.
    if let (Some(a), Some(b)) = (p.downcast_exact::<Tuple>(), q.downcast_exact::<Tuple>())
        && a.len() == b.len()
        && a.len() <= 4
    {
        let mut v = [0.0; 4];
        for i in 0..a.len() {
            v[i] = number::as_f64(a.item_ref(i))? - number::as_f64(b.item_ref(i))?;
        }
        return Ok(vector_norm(&v[..a.len()]));
    }
    let (p, q) = (p.to_items()?, q.to_items()?);
    if p.len() != q.len() {
        return raise!(ValueError, "both points must have the same number of dimensions");
    }
    let v = p
        .iter()
        .zip(&q)
        .map(|(a, b)| Ok(number::as_f64(a)? - number::as_f64(b)?))
        .collect::<PyResult<Vec<_>>>()?;
    Ok(vector_norm(&v))
}
/// Calculate the product of all the elements in the input iterable.
///
/// The default start value for the product is 1.
///
/// When the iterable is empty, return the start value.  This function is
/// intended specifically for use with numeric values and may reject
/// non-numeric types.
#[pyfunction(signature = "(iterable, /, *, start=1)")]
pub fn prod(iterable: &Object, start: Option<&Object>) -> PyResult<Owned<Object>> {
    let mut r = start.map_or_else(|| Int::from_i64(1).into_object(), |s| s.own());
    iterable.for_each(|x| {
        r = number::multiply(&r, &x)?;
        Ok(())
    })?;
    Ok(r)
}

// ---- Integers ----

/// gcd(*integers)
/// Greatest Common Divisor.
#[pyfunction(signature = "(*integers)")]
pub fn gcd(integers: &Tuple) -> PyResult<Owned<Int>> {
    if integers.len() == 2
        && let (Some(a), Some(b)) =
            (integers.item_ref(0).downcast::<Int>(), integers.item_ref(1).downcast::<Int>())
        && let (Some(a), Some(b)) = (a.compact(), b.compact())
    {
        let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        return Ok(Int::from_u64(a));
    }
    let mut r = Int::from_i64(0);
    for x in integers.iter() {
        r = r.gcd(&*number::index(x)?);
    }
    Ok(r)
}
/// Least Common Multiple.
#[pyfunction(signature = "(*integers)")]
pub fn lcm(integers: &Tuple) -> PyResult<Owned<Int>> {
    let mut r = Int::from_i64(1);
    for x in integers.iter() {
        let x = number::index(x)?;
        if r.is_zero() || x.is_zero() {
            r = Int::from_i64(0);
            continue;
        }
        let g = r.gcd(&x);
        r = r.floor_div(&g)?.mul(&x)?.abs();
    }
    Ok(r)
}
/// Return the integer part of the square root of the input.
#[pyfunction]
pub fn isqrt(n: &Object) -> PyResult<Owned<Int>> {
    let n = number::index(n)?;
    if n.is_negative() {
        return raise!(ValueError, "isqrt() argument must be nonnegative");
    }
    match n.to_u64() {
        Some(v) => Ok(Int::from_u64(v.sqrt())),
        None => Ok(Int::from_biguint(&n.magnitude().sqrt(), false)),
    }
}

/// The product of `low..=high`, halved recursively so that factors are of like size.
fn product(low: u64, high: u64) -> BigUint {
    if low > high {
        return BigUint::one();
    }
    if high - low < 16 {
        let (mut r, mut small) = (BigUint::one(), 1u64);
        for k in low..=high {
            match small.checked_mul(k) {
                Some(s) => small = s,
                None => {
                    r *= small;
                    small = k;
                }
            }
        }
        return r * small;
    }
    let mid = low + (high - low) / 2;
    product(low, mid) * product(mid + 1, high)
}
/// Find n!.
///
/// Raise a ValueError if x is negative or non-integral.
#[pyfunction]
pub fn factorial(n: &Object) -> PyResult<Owned<Int>> {
    let n = number::index(n)?;
    if n.is_negative() {
        return raise!(ValueError, "factorial() not defined for negative values");
    }
    match n.to_i64() {
        Some(v) => Ok(Int::from_biguint(&product(1, v as u64), false)),
        None => raise!(OverflowError, "factorial() argument should not exceed {}", i64::MAX),
    }
}

/// The arguments of comb and perm: `n`, and `k` (or what takes its place), not negative.
fn n_and_k(n: &Object, k: &Object) -> PyResult<(Owned<Int>, Owned<Int>)> {
    let (n, k) = (number::index(n)?, number::index(k)?);
    if n.is_negative() {
        return raise!(ValueError, "n must be a non-negative integer");
    }
    if k.is_negative() {
        return raise!(ValueError, "k must be a non-negative integer");
    }
    Ok((n, k))
}
/// `n * (n-1) * … * (n-k+1)`.
fn falling(n: &Int, k: u64) -> PyResult<Owned<Int>> {
    if let Some(v) = n.to_u64() {
        return Ok(Int::from_biguint(&product(v - k + 1, v), false));
    }
    let mut r = Int::from_i64(1);
    for i in 0..k {
        r = r.mul(&n.sub(&Int::from_u64(i)))?;
    }
    Ok(r)
}
/// Number of ways to choose k items from n items with order.
///
/// Evaluates to n! / (n - k)! when k <= n and evaluates
/// to zero when k > n.
///
/// If k is not specified or is None, then k defaults to n
/// and the function returns n!.
///
/// Raises TypeError if either of the arguments are not integers.
/// Raises ValueError if either of the arguments are negative.
#[pyfunction(signature = "(n, k=None, /)")]
pub fn perm(n: &Object, k: Option<&Object>) -> PyResult<Owned<Int>> {
    let Some(k) = k.filter(|k| !k.is_none()) else {
        return factorial(n);
    };
    let (n, k) = n_and_k(n, k)?;
    if n.compare(&k).is_lt() {
        return Ok(Int::from_i64(0));
    }
    match k.to_i64() {
        Some(k) => falling(&n, k as u64),
        None => raise!(OverflowError, "k must not exceed {}", i64::MAX),
    }
}
/// Number of ways to choose k items from n items without repetition and without order.
///
/// Evaluates to n! / (k! * (n - k)!) when k <= n and evaluates
/// to zero when k > n.
///
/// Also called the binomial coefficient because it is equivalent
/// to the coefficient of k-th term in polynomial expansion of the
/// expression (1 + x)**n.
///
/// Raises TypeError if either of the arguments are not integers.
/// Raises ValueError if either of the arguments are negative.
#[pyfunction]
pub fn comb(n: &Object, k: &Object) -> PyResult<Owned<Int>> {
    let (n, k) = n_and_k(n, k)?;
    if n.compare(&k).is_lt() {
        return Ok(Int::from_i64(0));
    }
    let other = n.sub(&k);
    let k = if other.compare(&k).is_lt() { other } else { k };
    let Some(k) = k.to_i64() else {
        return raise!(OverflowError, "min(n - k, k) must not exceed {}", i64::MAX);
    };
    // Each product is a multiple of its divisor, as long as it fits.
    if let Some(n) = n.to_i64()
        && let Some(c) = (0..k.min(64) as u64)
            .try_fold(1u64, |c, i| Some(c.checked_mul(n as u64 - i)? / (i + 1)))
            .filter(|_| k <= 64)
    {
        return Ok(Int::from_u64(c));
    }
    falling(&n, k as u64)?.floor_div(&Int::from_biguint(&product(1, k as u64), false))
}

fn setup(m: &Module) -> PyResult<()> {
    m.add("pi", &Float::new(std::f64::consts::PI))?;
    m.add("e", &Float::new(std::f64::consts::E))?;
    m.add("tau", &Float::new(std::f64::consts::TAU))?;
    m.add("inf", &Float::new(f64::INFINITY))?;
    m.add("nan", &Float::new(f64::NAN))
}

module! { "math", doc: "This module provides access to the mathematical functions\ndefined by the C standard.",
functions: [acos, acosh, asin, asinh, atan, atan2, atanh, cbrt, ceil, copysign, cos, cosh, degrees, dist, erf, erfc, exp, exp2,
    expm1, fabs, factorial, floor, fmod, frexp, fsum, gamma, gcd, hypot, isclose, isfinite, isinf, isnan, isqrt, lcm, ldexp,
    lgamma, log, log1p, log10, log2, modf, pow, radians, remainder, sin, sinh, sqrt, tan, tanh, trunc, prod, perm, comb,
    nextafter, ulp],
init: setup }
