//! The gamma function and its logarithm by Lanczos' sum (13 terms, g ≈ 6.0247), as CPython computes them: the C library's differ in the last bits.

use super::math::{domain_error, libm, range_error};
use lh_runtime::prelude::*;
use std::f64::consts::PI;

const G: f64 = 6.024680040776729583740234375;
const G_LESS_HALF: f64 = 5.524680040776729583740234375;
const LOG_PI: f64 = 1.144729885849400174143427351353058711647;

/// Numerator and denominator of the sum, a rational function, by rising powers.
const NUMERATOR: [f64; 13] = [
    23531376880.410759688572007674451636754734846804940,
    42919803642.649098768957899047001988850926355848959,
    35711959237.355668049440185451547166705960488635843,
    17921034426.037209699919755754458931112671403265390,
    6039542586.3520280050642916443072979210699388420708,
    1439720407.3117216736632230727949123939715485786772,
    248874557.86205415651146038641322942321632125127801,
    31426415.585400194380614231628318205362874684987640,
    2876370.6289353724412254090516208496135991145378768,
    186056.26539522349504029498971604569928220784236328,
    8071.6720023658162106380029022722506138218516325024,
    210.82427775157934587250973392071336271166969580291,
    2.5066282746310002701649081771338373386264310793408,
];
const DENOMINATOR: [f64; 13] = [
    0.0,
    39916800.0,
    120543840.0,
    150917976.0,
    105258076.0,
    45995730.0,
    13339535.0,
    2637558.0,
    357423.0,
    32670.0,
    1925.0,
    66.0,
    1.0,
];

/// The sum at a positive `x`; for large ones in powers of 1/x, which don't overflow.
fn sum(x: f64) -> f64 {
    let (mut num, mut den) = (0.0, 0.0);
    if x < 5.0 {
        for i in (0..13).rev() {
            num = num * x + NUMERATOR[i];
            den = den * x + DENOMINATOR[i];
        }
    } else {
        for i in 0..13 {
            num = num / x + NUMERATOR[i];
            den = den / x + DENOMINATOR[i];
        }
    }
    num / den
}

/// sin(pi x) for a finite `x`.
fn sin_pi(x: f64) -> f64 {
    let y = libm::fmod(x.abs(), 2.0);
    let r = match (2.0 * y).round() as i32 {
        0 => libm::sin(PI * y),
        1 => libm::cos(PI * (y - 0.5)),
        2 => libm::sin(PI * (1.0 - y)),
        3 => -libm::cos(PI * (y - 1.5)),
        _ => libm::sin(PI * (y - 2.0)),
    };
    1f64.copysign(x) * r
}

pub fn gamma(x: f64) -> PyResult<f64> {
    if !x.is_finite() {
        return if x == f64::NEG_INFINITY { Err(domain_error()) } else { Ok(x) };
    }
    if x == x.floor() {
        if x <= 0.0 {
            return Err(domain_error());
        }
        if x <= 23.0 {
            // Exact factorials.
            return Ok((1..x as u64).map(|k| k as f64).product());
        }
    }
    let a = x.abs();
    let finite = |r: f64| if r.is_infinite() { Err(range_error()) } else { Ok(r) };
    if a < 1e-20 {
        return finite(1.0 / x);
    }
    if a > 200.0 {
        return if x < 0.0 { Ok(0.0 / sin_pi(x)) } else { Err(range_error()) };
    }
    // `z` makes up for what rounding took from `y`.
    let y = a + G_LESS_HALF;
    let z = if a > G_LESS_HALF { y - a - G_LESS_HALF } else { y - G_LESS_HALF - a };
    let z = z * G / y;
    let r = if x < 0.0 {
        let mut r = -PI / sin_pi(a) / a * libm::exp(y) / sum(a);
        r -= z * r;
        if a < 140.0 {
            r / libm::pow(y, a - 0.5)
        } else {
            let root = libm::pow(y, a / 2.0 - 0.25);
            r / root / root
        }
    } else {
        let mut r = sum(a) / libm::exp(y);
        r += z * r;
        if a < 140.0 {
            r * libm::pow(y, a - 0.5)
        } else {
            let root = libm::pow(y, a / 2.0 - 0.25);
            r * root * root
        }
    };
    finite(r)
}

pub fn log_gamma(x: f64) -> PyResult<f64> {
    if !x.is_finite() {
        return Ok(if x.is_nan() { x } else { f64::INFINITY });
    }
    if x == x.floor() && x <= 2.0 {
        return if x <= 0.0 { Err(domain_error()) } else { Ok(0.0) };
    }
    let a = x.abs();
    if a < 1e-20 {
        return Ok(-libm::log(a));
    }
    let mut r = libm::log(sum(a)) - G;
    r += (a - 0.5) * (libm::log(a + G - 0.5) - 1.0);
    if x < 0.0 {
        r = LOG_PI - libm::log(sin_pi(a).abs()) - libm::log(a) - r;
    }
    if r.is_infinite() { Err(range_error()) } else { Ok(r) }
}
