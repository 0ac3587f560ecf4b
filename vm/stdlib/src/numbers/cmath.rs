//! `cmath`: functions of complex numbers, after C99 Annex G for special values.

use super::math::{domain_error, libm, range_error};
use lh_runtime::complexobject::{self, as_complex};
use lh_runtime::prelude::*;
use std::f64::consts::{FRAC_PI_2, LN_2, LN_10, PI};

type C = (f64, f64);
const INF: f64 = f64::INFINITY;

/// A complex argument.
pub struct Z(C);
impl<'a> FromPy<'a> for Z {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        as_complex(o).map(Z)
    }
}
/// A result: infinite or undefined parts that the arguments do not explain are errors.
fn done(z: C, domain: bool, range: bool) -> PyResult<Owned<Complex>> {
    if domain {
        return Err(domain_error());
    }
    if range {
        return Err(range_error());
    }
    Ok(Complex::new(z.0, z.1))
}
fn finite(z: C) -> bool {
    z.0.is_finite() && z.1.is_finite()
}

/// Beyond this, squares overflow.
fn large() -> f64 {
    f64::MAX / 4.0
}

fn sqrt_of(z: C) -> C {
    let (x, y) = z;
    if !finite(z) {
        return if y.is_infinite() {
            (INF, y)
        } else if x.is_nan() {
            (f64::NAN, f64::NAN)
        } else if x == INF {
            (INF, if y.is_nan() { y } else { 0.0f64.copysign(y) })
        } else if x == -INF {
            if y.is_nan() { (f64::NAN, INF) } else { (0.0, INF.copysign(y)) }
        } else {
            (f64::NAN, f64::NAN)
        };
    }
    if x == 0.0 && y == 0.0 {
        return (0.0, y);
    }
    let (ax, ay) = (x.abs(), y.abs());
    let s = if ax < f64::MIN_POSITIVE && ay < f64::MIN_POSITIVE && (ax > 0.0 || ay > 0.0) {
        // Subnormal: scale up by 2**53; 2**-27 is half the root of that.
        let ax = libm::ldexp(ax, 53);
        libm::ldexp((ax + libm::hypot(ax, libm::ldexp(ay, 53))).sqrt(), -27)
    } else {
        let ax = ax / 8.0;
        2.0 * (ax + libm::hypot(ax, ay / 8.0)).sqrt()
    };
    let d = ay / (2.0 * s);
    if x >= 0.0 { (s, d.copysign(y)) } else { (d, s.copysign(y)) }
}

/// The natural logarithm; the flag says that the argument was zero.
fn log_of(z: C) -> (C, bool) {
    let (x, y) = z;
    if !finite(z) {
        let arg = libm::atan2(y, x);
        let m = if x.is_infinite() || y.is_infinite() { INF } else { f64::NAN };
        return ((m, arg), false);
    }
    let (ax, ay) = (x.abs(), y.abs());
    let re = if ax > large() || ay > large() {
        libm::log(libm::hypot(ax / 2.0, ay / 2.0)) + LN_2
    } else if ax < f64::MIN_POSITIVE && ay < f64::MIN_POSITIVE {
        if ax > 0.0 || ay > 0.0 {
            libm::log(libm::hypot(libm::ldexp(ax, 53), libm::ldexp(ay, 53))) - 53.0 * LN_2
        } else {
            return ((-INF, libm::atan2(y, x)), true);
        }
    } else {
        let h = libm::hypot(ax, ay);
        if (0.71..=1.73).contains(&h) {
            let (a, b) = if ax > ay { (ax, ay) } else { (ay, ax) };
            libm::log1p((a - 1.0) * (a + 1.0) + b * b) / 2.0
        } else {
            libm::log(h)
        }
    };
    ((re, libm::atan2(y, x)), false)
}

fn atan2_special(z: C) -> f64 {
    libm::atan2(z.1, z.0)
}

fn acos_of(z: C) -> C {
    let (x, y) = z;
    if !finite(z) {
        if x.is_nan() {
            return if y.is_infinite() { (x, -y) } else { (x, f64::NAN) };
        }
        if y.is_nan() {
            return if x.is_infinite() {
                (y, INF)
            } else if x == 0.0 {
                (FRAC_PI_2, y)
            } else {
                (y, y)
            };
        }
        let re = if x.is_infinite() || y.is_infinite() { libm::atan2(y.abs(), x) } else { f64::NAN };
        return (re, -INF.copysign(y));
    }
    if x.abs() > large() || y.abs() > large() {
        let re = libm::atan2(y.abs(), x);
        let h = libm::log(libm::hypot(x / 2.0, y / 2.0)) + 2.0 * LN_2;
        return (re, if x < 0.0 { -h.copysign(y) } else { h.copysign(-y) });
    }
    let s1 = sqrt_of((1.0 - x, -y));
    let s2 = sqrt_of((1.0 + x, y));
    (2.0 * libm::atan2(s1.0, s2.0), libm::asinh(s2.0 * s1.1 - s2.1 * s1.0))
}
fn acosh_of(z: C) -> C {
    let (x, y) = z;
    if !finite(z) {
        if x.is_nan() {
            return if y.is_infinite() { (INF, x) } else { (x, f64::NAN) };
        }
        if y.is_nan() {
            return if x.is_infinite() { (INF, y) } else { (y, y) };
        }
        return (INF, atan2_special(z));
    }
    if x.abs() > large() || y.abs() > large() {
        return (libm::log(libm::hypot(x / 2.0, y / 2.0)) + 2.0 * LN_2, libm::atan2(y, x));
    }
    let s1 = sqrt_of((x - 1.0, y));
    let s2 = sqrt_of((x + 1.0, y));
    (libm::asinh(s1.0 * s2.0 + s1.1 * s2.1), 2.0 * libm::atan2(s1.1, s2.0))
}
fn asinh_of(z: C) -> C {
    let (x, y) = z;
    if !finite(z) {
        if y.is_nan() {
            return if x.is_infinite() { (x, y) } else { (y, y) };
        }
        if x.is_nan() {
            return if y == 0.0 {
                (x, y)
            } else if y.is_infinite() {
                (INF.copysign(y), x)
            } else {
                (x, x)
            };
        }
        if x.is_infinite() {
            let im = if y.is_infinite() { PI / 4.0 } else { 0.0 };
            return (x, im.copysign(y));
        }
        return (INF.copysign(x), FRAC_PI_2.copysign(y));
    }
    if x.abs() > large() || y.abs() > large() {
        let h = libm::log(libm::hypot(x / 2.0, y / 2.0)) + 2.0 * LN_2;
        let re = if y.is_sign_positive() { h.copysign(x) } else { -h.copysign(-x) };
        return (re, libm::atan2(y, x.abs()));
    }
    let s1 = sqrt_of((1.0 + y, -x));
    let s2 = sqrt_of((1.0 - y, x));
    (libm::asinh(s1.0 * s2.1 - s2.0 * s1.1), libm::atan2(y, s1.0 * s2.0 - s1.1 * s2.1))
}
/// The flag says that the argument was a pole.
fn atanh_of(z: C) -> (C, bool) {
    let (x, y) = z;
    if !finite(z) {
        return (
            if x.is_nan() {
                if y.is_infinite() { (0.0, FRAC_PI_2.copysign(y)) } else { (x, f64::NAN) }
            } else if y.is_nan() {
                if x.is_infinite() || x == 0.0 { (0.0f64.copysign(x), y) } else { (y, y) }
            } else {
                (0.0f64.copysign(x), FRAC_PI_2.copysign(y))
            },
            false,
        );
    }
    if x < 0.0 || x == 0.0 && x.is_sign_negative() {
        let ((a, b), e) = atanh_of((-x, -y));
        return ((-a, -b), e);
    }
    let ay = y.abs();
    let root_large = large().sqrt();
    if x > root_large || ay > root_large {
        let h = libm::hypot(x / 2.0, y / 2.0);
        return ((x / 4.0 / h / h, -(FRAC_PI_2.copysign(-y))), false);
    }
    if x == 1.0 && ay < f64::MIN_POSITIVE.sqrt() {
        if ay == 0.0 {
            return ((INF, y), true);
        }
        let re = -libm::log(ay.sqrt() / libm::hypot(ay, 2.0).sqrt());
        return ((re, libm::atan2(2.0, -ay).copysign(y) / 2.0), false);
    }
    let re = libm::log1p(4.0 * x / ((1.0 - x) * (1.0 - x) + ay * ay)) / 4.0;
    let im = -libm::atan2(-2.0 * y, (1.0 - x) * (1.0 + x) - ay * ay) / 2.0;
    ((re, im), false)
}

/// Infinite or undefined arguments of cosh, sinh and exp, whose results turn with the imaginary part.
fn turned(m: f64, y: f64) -> C {
    (m * libm::cos(y), m * libm::sin(y))
}
fn copysigned(m: f64, y: f64) -> C {
    (m.copysign(libm::cos(y)), m.copysign(libm::sin(y)))
}

fn cosh_of(z: C) -> (C, bool, bool) {
    let (x, y) = z;
    if !finite(z) {
        let domain = y.is_infinite() && !x.is_nan();
        let r = if x.is_infinite() && y.is_finite() && y != 0.0 {
            let (a, b) = copysigned(INF, y);
            if x > 0.0 { (a, b) } else { (a, -b) }
        } else if x.is_infinite() && y == 0.0 {
            (INF, if x > 0.0 { y } else { -y })
        } else if x.is_infinite() {
            (INF, f64::NAN)
        } else if x.is_nan() {
            (x, if y == 0.0 { y } else { f64::NAN })
        } else if x == 0.0 {
            (f64::NAN, 0.0)
        } else {
            (f64::NAN, f64::NAN)
        };
        return (r, domain, false);
    }
    let r = if x.abs() > 708.3964185322641 {
        let x1 = x - 1f64.copysign(x);
        (
            libm::cos(y) * libm::cosh(x1) * std::f64::consts::E,
            libm::sin(y) * libm::sinh(x1) * std::f64::consts::E,
        )
    } else {
        (libm::cos(y) * libm::cosh(x), libm::sin(y) * libm::sinh(x))
    };
    (r, false, !finite(r))
}
fn sinh_of(z: C) -> (C, bool, bool) {
    let (x, y) = z;
    if !finite(z) {
        let domain = y.is_infinite() && !x.is_nan();
        let r = if x.is_infinite() && y.is_finite() && y != 0.0 {
            let (a, b) = copysigned(INF, y);
            if x > 0.0 { (a, b) } else { (-a, b) }
        } else if x.is_infinite() && y == 0.0 {
            (x, y)
        } else if x.is_infinite() {
            (INF, f64::NAN)
        } else if x.is_nan() {
            (x, if y == 0.0 { y } else { f64::NAN })
        } else if x == 0.0 {
            (0.0f64.copysign(x), f64::NAN)
        } else {
            (f64::NAN, f64::NAN)
        };
        return (r, domain, false);
    }
    let r = if x.abs() > 708.3964185322641 {
        let x1 = x - 1f64.copysign(x);
        (
            libm::cos(y) * libm::sinh(x1) * std::f64::consts::E,
            libm::sin(y) * libm::cosh(x1) * std::f64::consts::E,
        )
    } else {
        (libm::cos(y) * libm::sinh(x), libm::sin(y) * libm::cosh(x))
    };
    (r, false, !finite(r))
}
fn exp_of(z: C) -> (C, bool, bool) {
    let (x, y) = z;
    if !finite(z) {
        let domain = y.is_infinite() && (x.is_finite() || x == INF);
        let r = if x.is_infinite() && y.is_finite() && y != 0.0 {
            if x > 0.0 { copysigned(INF, y) } else { copysigned(0.0, y) }
        } else if x == -INF {
            if y == 0.0 { (0.0, y) } else { (0.0, 0.0) }
        } else if x == INF {
            if y == 0.0 { (INF, y) } else { (INF, f64::NAN) }
        } else if x.is_nan() {
            (x, if y == 0.0 { y } else { f64::NAN })
        } else {
            (f64::NAN, f64::NAN)
        };
        return (r, domain, false);
    }
    let r = if x > 708.3964185322641 {
        let (a, b) = turned(libm::exp(x - 1.0), y);
        (a * std::f64::consts::E, b * std::f64::consts::E)
    } else {
        turned(libm::exp(x), y)
    };
    (r, false, !finite(r))
}
fn tanh_of(z: C) -> (C, bool) {
    let (x, y) = z;
    if !finite(z) {
        let domain = y.is_infinite() && x.is_finite();
        let r = if x.is_infinite() && y.is_finite() && y != 0.0 {
            (1f64.copysign(x), 0.0f64.copysign(2.0 * libm::sin(y) * libm::cos(y)))
        } else if x.is_infinite() {
            (1f64.copysign(x), if y == 0.0 { y } else { 0.0 })
        } else if x.is_nan() {
            (x, if y == 0.0 { y } else { f64::NAN })
        } else {
            (f64::NAN, f64::NAN)
        };
        return (r, domain);
    }
    if x.abs() > 708.3964185322641 {
        return ((1f64.copysign(x), 4.0 * libm::sin(y) * libm::cos(y) * libm::exp(-2.0 * x.abs())), false);
    }
    let (tx, ty) = (libm::tanh(x), libm::tan(y));
    let cx = 1.0 / libm::cosh(x);
    let txty = tx * ty;
    let denom = 1.0 + txty * txty;
    ((tx * (1.0 + ty * ty) / denom, ty / denom * cx * cx), false)
}

/// Return the arc cosine of z.
#[pyfunction]
pub fn acos(z: Z) -> PyResult<Owned<Complex>> {
    done(acos_of(z.0), false, false)
}
/// Return the inverse hyperbolic cosine of z.
#[pyfunction]
pub fn acosh(z: Z) -> PyResult<Owned<Complex>> {
    done(acosh_of(z.0), false, false)
}
/// Return the arc sine of z.
#[pyfunction]
pub fn asin(z: Z) -> PyResult<Owned<Complex>> {
    let (a, b) = asinh_of((-z.0.1, z.0.0));
    done((b, -a), false, false)
}
/// Return the inverse hyperbolic sine of z.
#[pyfunction]
pub fn asinh(z: Z) -> PyResult<Owned<Complex>> {
    done(asinh_of(z.0), false, false)
}
/// Return the arc tangent of z.
#[pyfunction]
pub fn atan(z: Z) -> PyResult<Owned<Complex>> {
    let ((a, b), pole) = atanh_of((-z.0.1, z.0.0));
    done((b, -a), pole, false)
}
/// Return the inverse hyperbolic tangent of z.
#[pyfunction]
pub fn atanh(z: Z) -> PyResult<Owned<Complex>> {
    let (r, pole) = atanh_of(z.0);
    done(r, pole, false)
}
/// Return the cosine of z.
#[pyfunction]
pub fn cos(z: Z) -> PyResult<Owned<Complex>> {
    let (r, d, o) = cosh_of((-z.0.1, z.0.0));
    done(r, d, o)
}
/// Return the hyperbolic cosine of z.
#[pyfunction]
pub fn cosh(z: Z) -> PyResult<Owned<Complex>> {
    let (r, d, o) = cosh_of(z.0);
    done(r, d, o)
}
/// Return the exponential value e**z.
#[pyfunction]
pub fn exp(z: Z) -> PyResult<Owned<Complex>> {
    let (r, d, o) = exp_of(z.0);
    done(r, d, o)
}
/// log(z[, base]) -> the logarithm of z to the given base.
///
/// If the base not specified, returns the natural logarithm (base e) of z.
#[pyfunction(signature = "(z, base=<unrepresentable>, /)")]
pub fn log(z: Z, base: Option<Z>) -> PyResult<Owned<Complex>> {
    let (r, mut bad) = log_of(z.0);
    let Some(b) = base else { return done(r, bad, false) };
    let (l, bad_base) = log_of(b.0);
    bad |= bad_base;
    match complexobject::div(r, l) {
        Some(q) => done(q, bad, false),
        None => Err(domain_error()),
    }
}
/// Return the base-10 logarithm of z.
#[pyfunction]
pub fn log10(z: Z) -> PyResult<Owned<Complex>> {
    let (r, bad) = log_of(z.0);
    done((r.0 / LN_10, r.1 / LN_10), bad, false)
}
/// Return the sine of z.
#[pyfunction]
pub fn sin(z: Z) -> PyResult<Owned<Complex>> {
    let ((a, b), d, o) = sinh_of((-z.0.1, z.0.0));
    done((b, -a), d, o)
}
/// Return the hyperbolic sine of z.
#[pyfunction]
pub fn sinh(z: Z) -> PyResult<Owned<Complex>> {
    let (r, d, o) = sinh_of(z.0);
    done(r, d, o)
}
/// Return the square root of z.
#[pyfunction]
pub fn sqrt(z: Z) -> PyResult<Owned<Complex>> {
    done(sqrt_of(z.0), false, false)
}
/// Return the tangent of z.
#[pyfunction]
pub fn tan(z: Z) -> PyResult<Owned<Complex>> {
    let ((a, b), d) = tanh_of((-z.0.1, z.0.0));
    done((b, -a), d, false)
}
/// Return the hyperbolic tangent of z.
#[pyfunction]
pub fn tanh(z: Z) -> PyResult<Owned<Complex>> {
    let (r, d) = tanh_of(z.0);
    done(r, d, false)
}
/// Return argument, also known as the phase angle, of a complex.
#[pyfunction]
pub fn phase(z: Z) -> PyResult<f64> {
    // The C library reports an angle that is too small, and so does CPython.
    // SAFETY: this thread's error number.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    unsafe { *errno = 0 };
    let phi = libm::atan2(z.0.1, z.0.0);
    // SAFETY: as above.
    if unsafe { *errno } != 0 { Err(range_error()) } else { Ok(phi) }
}
/// Convert a complex from rectangular coordinates to polar coordinates.
///
/// r is the distance from 0 and phi the phase angle.
#[pyfunction]
pub fn polar(z: Z) -> PyResult<(f64, f64)> {
    match complexobject::abs(z.0) {
        Some(r) => Ok((r, libm::atan2(z.0.1, z.0.0))),
        None => Err(range_error()),
    }
}
/// Convert from polar coordinates to rectangular coordinates.
#[pyfunction]
pub fn rect(r: f64, phi: f64) -> PyResult<Owned<Complex>> {
    if !r.is_finite() || !phi.is_finite() {
        let domain = phi.is_infinite() && r != 0.0 && !r.is_nan();
        let z = if r.is_infinite() && phi.is_finite() && phi != 0.0 {
            let (a, b) = copysigned(INF, phi);
            if r > 0.0 { (a, b) } else { (-a, -b) }
        } else if r.is_infinite() && phi == 0.0 {
            (r, if r > 0.0 { phi } else { -phi })
        } else if r.is_infinite() {
            (INF, f64::NAN)
        } else if r == 0.0 {
            (0.0, 0.0)
        } else if r.is_nan() {
            (r, if phi == 0.0 { phi } else { f64::NAN })
        } else {
            (f64::NAN, f64::NAN)
        };
        return done(z, domain, false);
    }
    // A zero angle keeps its sign.
    done(if phi == 0.0 { (r, r * phi) } else { turned(r, phi) }, false, false)
}
/// Return True if both the real and imaginary parts of z are finite, else False.
#[pyfunction]
pub fn isfinite(z: Z) -> bool {
    finite(z.0)
}
/// Checks if the real or imaginary part of z is infinite.
#[pyfunction]
pub fn isinf(z: Z) -> bool {
    z.0.0.is_infinite() || z.0.1.is_infinite()
}
/// Checks if the real or imaginary part of z not a number (NaN).
#[pyfunction]
pub fn isnan(z: Z) -> bool {
    z.0.0.is_nan() || z.0.1.is_nan()
}
/// Determine whether two complex numbers are close in value.
///
///   rel_tol
///     maximum difference for being considered "close", relative to the
///     magnitude of the input values
///   abs_tol
///     maximum difference for being considered "close", regardless of the
///     magnitude of the input values
///
/// Return True if a is close in value to b, and False otherwise.
#[pyfunction(signature = "(a, b, *, rel_tol=1e-09, abs_tol=0.0)")]
pub fn isclose(a: Z, b: Z, rel_tol: f64, abs_tol: f64) -> PyResult<bool> {
    if rel_tol < 0.0 || abs_tol < 0.0 {
        return raise!(ValueError, "tolerances must be non-negative");
    }
    let (a, b) = (a.0, b.0);
    if a == b {
        return Ok(true);
    }
    let infinite = |z: C| z.0.is_infinite() || z.1.is_infinite();
    if infinite(a) || infinite(b) {
        return Ok(false);
    }
    let size = |z: C| complexobject::abs(z).unwrap_or(INF);
    let diff = size((a.0 - b.0, a.1 - b.1));
    Ok(diff <= rel_tol * size(b) || diff <= rel_tol * size(a) || diff <= abs_tol)
}

fn setup(m: &Module) -> PyResult<()> {
    m.add("pi", &Float::new(PI))?;
    m.add("e", &Float::new(std::f64::consts::E))?;
    m.add("tau", &Float::new(std::f64::consts::TAU))?;
    m.add("inf", &Float::new(INF))?;
    m.add("infj", &Complex::new(0.0, INF))?;
    m.add("nan", &Float::new(f64::NAN))?;
    m.add("nanj", &Complex::new(0.0, f64::NAN))
}

module! { "cmath", doc: "This module provides access to mathematical functions for complex\nnumbers.",
functions: [acos, acosh, asin, asinh, atan, atanh, cos, cosh, exp, isclose, isfinite, isinf, isnan, log, log10, phase, polar,
    rect, sin, sinh, sqrt, tan, tanh], init: setup }
