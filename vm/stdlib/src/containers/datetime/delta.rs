//! `timedelta`: days, seconds and microseconds in CPython's layout; arithmetic on the whole as microseconds.

use super::calendar::US_PER_DAY;
use lh_abi::*;
use lh_runtime::prelude::*;
use lh_runtime::{kind, number};
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

pub static mut DELTA_TYPE: PyTypeObject =
    super::static_type(c"datetime.timedelta", size_of::<PyDateTime_Delta>(), Py_TPFLAGS_BASETYPE);
kind!(/** `timedelta` */ Delta: PyDateTime_Delta, DELTA_TYPE);

const MAX_DAYS: i128 = 999_999_999;

impl Delta {
    /// A timedelta of `us` microseconds.
    pub fn new(us: i128) -> PyResult<Owned<Delta>> {
        Delta::new_in(Delta::class(), us)
    }
    pub fn new_in(cls: &Type, us: i128) -> PyResult<Owned<Delta>> {
        // Divisions of 128 bits are slow, and most intervals are short.
        let (days, rest) = match i64::try_from(us) {
            Ok(us) => (us.div_euclid(US_PER_DAY as i64) as i128, us.rem_euclid(US_PER_DAY as i64)),
            Err(_) => (us.div_euclid(US_PER_DAY), us.rem_euclid(US_PER_DAY) as i64),
        };
        if i32::try_from(days).is_err() {
            return raise!(OverflowError, "Python int too large to convert to C int");
        }
        if !(-MAX_DAYS..=MAX_DAYS).contains(&days) {
            return raise!(OverflowError, "days={}; must have magnitude <= 999999999", days);
        }
        // SAFETY: a new instance with this layout.
        unsafe {
            let p = lh_runtime::typeobject::alloc(cls.tp(), 0)?;
            let d = p.cast::<PyDateTime_Delta>();
            (*d).hashcode = -1;
            (*d).days = days as i32;
            (*d).seconds = (rest / 1_000_000) as i32;
            (*d).microseconds = (rest % 1_000_000) as i32;
            Ok(Owned::from_raw(p))
        }
    }
    fn parts(&self) -> (i64, i64, i64) {
        // SAFETY: the fields never change.
        let d = unsafe { *self.as_struct() };
        (d.days as i64, d.seconds as i64, d.microseconds as i64)
    }
    pub fn us(&self) -> i128 {
        let (d, s, us) = self.parts();
        d as i128 * US_PER_DAY + s as i128 * 1_000_000 + us as i128
    }
    fn from_big(v: &BigInt) -> PyResult<Owned<Delta>> {
        match v.to_i128() {
            Some(us) if us.abs() < i128::MAX / 4 => Delta::new(us),
            _ => raise!(OverflowError, "Python int too large to convert to C int"),
        }
    }
}

fn obj(d: PyResult<Owned<Delta>>) -> PyResult {
    d.map(Owned::into_object)
}

/// `a / b` rounded to the nearest, ties to even.
fn div_round(a: &BigInt, b: &BigInt) -> BigInt {
    let (a, b) = if b.is_negative() { (-a, -b) } else { (a.clone(), b.clone()) };
    let (q, r) = a.div_mod_floor(&b);
    let twice = r * 2;
    if twice > b || (twice == b && q.is_odd()) { q + 1 } else { q }
}

fn big_of(o: &Object) -> BigInt {
    o.downcast::<Int>().map_or_else(BigInt::zero, |i| i.to_bigint())
}

/// A float as a fraction.
fn ratio(f: &Object) -> PyResult<(BigInt, BigInt)> {
    let r = f.call_method("as_integer_ratio", &[])?;
    match r.downcast::<Tuple>() {
        Some(t) if t.len() == 2 => Ok((big_of(t.item_ref(0)), big_of(t.item_ref(1)))),
        Some(_) => raise!(ValueError, "as_integer_ratio() must return a 2-tuple"),
        None => raise!(
            TypeError,
            "unexpected return type from as_integer_ratio(): expected tuple, got '{}'",
            r.ty().name()
        ),
    }
}

#[lh_runtime::pymethods(extra = delta_members)]
impl Delta {
    #[new(
        name = "timedelta",
        signature = "(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)"
    )]
    fn py_new(
        cls: &Type,
        days: Option<&Object>,
        seconds: Option<&Object>,
        microseconds: Option<&Object>,
        milliseconds: Option<&Object>,
        minutes: Option<&Object>,
        hours: Option<&Object>,
        weeks: Option<&Object>,
    ) -> PyResult<Owned<Delta>> {
        let mut total = BigInt::zero();
        let mut left = 0.0f64;
        for (name, v, factor) in [
            ("microseconds", microseconds, 1i64),
            ("milliseconds", milliseconds, 1000),
            ("seconds", seconds, 1_000_000),
            ("minutes", minutes, 60_000_000),
            ("hours", hours, 3_600_000_000),
            ("days", days, 86_400_000_000),
            ("weeks", weeks, 604_800_000_000),
        ] {
            let Some(v) = v else { continue };
            if let Some(i) = v.downcast::<Int>() {
                total += i.to_bigint() * factor;
            } else if let Some(f) = v.downcast::<Float>() {
                let f = f.value();
                let whole = f.trunc();
                let frac = f - whole;
                total += Int::from_f64(whole)?.to_bigint() * factor;
                if frac != 0.0 {
                    let d = frac * factor as f64;
                    let w = d.trunc();
                    total += BigInt::from(w as i64);
                    left += d - w;
                }
            } else {
                return raise!(
                    TypeError,
                    "unsupported type for timedelta {} component: {}",
                    name,
                    v.ty().name()
                );
            }
        }
        if left != 0.0 {
            let mut whole = left.round();
            if (whole - left).abs() == 0.5 {
                // Half way: the total is to be even.
                let odd = total.is_odd() as i64 as f64;
                whole = 2.0 * ((left + odd) * 0.5).round() - odd;
            }
            total += BigInt::from(whole as i64);
        }
        match total.to_i128() {
            Some(us) => Delta::new_in(cls, us),
            None => raise!(OverflowError, "Python int too large to convert to C int"),
        }
    }
    #[slot(tp_repr)]
    fn repr(&self) -> String {
        let (d, s, us) = self.parts();
        let mut v = vec![];
        if d != 0 {
            v.push(format!("days={d}"));
        }
        if s != 0 {
            v.push(format!("seconds={s}"));
        }
        if us != 0 {
            v.push(format!("microseconds={us}"));
        }
        if v.is_empty() {
            v.push("0".into());
        }
        format!("{}({})", self.ty_name(), v.join(", "))
    }
    fn ty_name(&self) -> String {
        super::full_name(self)
    }
    #[slot(tp_str)]
    fn str_(&self) -> String {
        let (d, s, us) = self.parts();
        let mut t = String::new();
        if d != 0 {
            t.push_str(&format!("{} day{}, ", d, if d.abs() == 1 { "" } else { "s" }));
        }
        t.push_str(&format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60));
        if us != 0 {
            t.push_str(&format!(".{us:06}"));
        }
        t
    }
    #[slot(tp_hash)]
    fn hash(&self) -> PyResult<isize> {
        // SAFETY: the cached hash.
        unsafe {
            let d = self.as_struct();
            if (*d).hashcode == -1 {
                (*d).hashcode = self.state().hash_obj()?;
            }
            Ok((*d).hashcode)
        }
    }
    fn state(&self) -> Owned<Tuple> {
        let (d, s, us) = self.parts();
        Tuple::from_vec([d, s, us].iter().map(|v| Int::from_i64(*v).into_object()).collect())
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        match other.downcast::<Delta>() {
            Some(o) => Ok(bool_obj(op.holds(self.us().cmp(&o.us())))),
            None => Ok(not_implemented()),
        }
    }
    #[slot(nb_add)]
    fn add(a: &Object, b: &Object) -> PyResult {
        match (a.downcast::<Delta>(), b.downcast::<Delta>()) {
            (Some(a), Some(b)) => obj(Delta::new(a.us() + b.us())),
            _ => Ok(not_implemented()),
        }
    }
    #[slot(nb_subtract)]
    fn sub(a: &Object, b: &Object) -> PyResult {
        match (a.downcast::<Delta>(), b.downcast::<Delta>()) {
            (Some(a), Some(b)) => obj(Delta::new(a.us() - b.us())),
            _ => Ok(not_implemented()),
        }
    }
    #[slot(nb_negative)]
    fn neg(&self) -> PyResult<Owned<Delta>> {
        Delta::new(-self.us())
    }
    #[slot(nb_positive)]
    fn pos(&self) -> PyResult<Owned<Delta>> {
        Delta::new(self.us())
    }
    #[slot(nb_absolute)]
    fn abs(&self) -> PyResult<Owned<Delta>> {
        Delta::new(self.us().abs())
    }
    #[slot(nb_bool)]
    fn truth(&self) -> PyResult<bool> {
        Ok(self.us() != 0)
    }
    #[slot(nb_multiply)]
    fn mul(a: &Object, b: &Object) -> PyResult {
        let (d, n) = match (a.downcast::<Delta>(), b.downcast::<Delta>()) {
            (Some(d), None) => (d, b),
            (None, Some(d)) => (d, a),
            _ => return Ok(not_implemented()),
        };
        let us = BigInt::from(d.us());
        if let Some(i) = n.downcast::<Int>() {
            return obj(Delta::from_big(&(us * i.to_bigint())));
        }
        if Float::check(n) {
            let (p, q) = ratio(n)?;
            return obj(Delta::from_big(&div_round(&(us * p), &q)));
        }
        Ok(not_implemented())
    }
    #[slot(nb_true_divide)]
    fn truediv(a: &Object, b: &Object) -> PyResult {
        let Some(d) = a.downcast::<Delta>() else { return Ok(not_implemented()) };
        let us = BigInt::from(d.us());
        if let Some(o) = b.downcast::<Delta>() {
            return number::true_divide(&Int::from_bigint(&us), &Int::from_i128(o.us()));
        }
        if let Some(i) = b.downcast::<Int>() {
            let i = i.to_bigint();
            if i.is_zero() {
                return raise!(ZeroDivisionError, "division by zero");
            }
            return obj(Delta::from_big(&div_round(&us, &i)));
        }
        if Float::check(b) {
            let (p, q) = ratio(b)?;
            if p.is_zero() {
                return raise!(ZeroDivisionError, "division by zero");
            }
            return obj(Delta::from_big(&div_round(&(us * q), &p)));
        }
        Ok(not_implemented())
    }
    #[slot(nb_floor_divide)]
    fn floordiv(a: &Object, b: &Object) -> PyResult {
        let Some(d) = a.downcast::<Delta>() else { return Ok(not_implemented()) };
        let us = BigInt::from(d.us());
        if let Some(o) = b.downcast::<Delta>() {
            return number::floor_divide(&Int::from_bigint(&us), &Int::from_i128(o.us()));
        }
        if Int::check(b) {
            let q = number::floor_divide(&Int::from_bigint(&us), b)?;
            return obj(Delta::from_big(&big_of(&q)));
        }
        Ok(not_implemented())
    }
    #[slot(nb_remainder)]
    fn rem(a: &Object, b: &Object) -> PyResult {
        match (a.downcast::<Delta>(), b.downcast::<Delta>()) {
            (Some(a), Some(b)) => {
                let r = number::remainder(&Int::from_i128(a.us()), &Int::from_i128(b.us()))?;
                obj(Delta::from_big(&big_of(&r)))
            }
            _ => Ok(not_implemented()),
        }
    }
    #[slot(nb_divmod)]
    fn divmod(a: &Object, b: &Object) -> PyResult {
        match (a.downcast::<Delta>(), b.downcast::<Delta>()) {
            (Some(x), Some(y)) => {
                let q = number::floor_divide(&Int::from_i128(x.us()), &Int::from_i128(y.us()))?;
                Ok(Tuple::pair(q, Delta::rem(a, b)?).into_object())
            }
            _ => Ok(not_implemented()),
        }
    }
    /// Total seconds in the duration.
    #[pymethod]
    fn total_seconds(&self) -> PyResult {
        number::true_divide(&Int::from_i128(self.us()), &Int::from_i64(1_000_000))
    }
    /// __reduce__() -> (cls, state)
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, Owned<Tuple>) {
        (self.ty().own(), self.state())
    }
    #[classattr(name = "resolution")]
    fn resolution() -> PyResult {
        obj(Delta::new(1))
    }
    #[classattr(name = "min")]
    fn min() -> PyResult {
        obj(Delta::new(-MAX_DAYS * US_PER_DAY))
    }
    #[classattr(name = "max")]
    fn max() -> PyResult {
        obj(Delta::new((MAX_DAYS + 1) * US_PER_DAY - 1))
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero; no references inside.
        unsafe { lh_runtime::typeobject::free_instance(o) }
    }
}

fn delta_members(b: &mut TypeBuilder) {
    use core::mem::offset_of;
    b.member(c"days", T_INT, offset_of!(PyDateTime_Delta, days), READONLY);
    b.member(c"seconds", T_INT, offset_of!(PyDateTime_Delta, seconds), READONLY);
    b.member(c"microseconds", T_INT, offset_of!(PyDateTime_Delta, microseconds), READONLY);
    b.doc(
        c"Difference between two datetime values.\n\ntimedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)\n\n\
All arguments are optional and default to 0.\nArguments may be integers or floats, and may be positive or negative.",
    );
}
