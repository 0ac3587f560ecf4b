//! `time`: a time of day, with or without a time zone.

use super::calendar::*;
use super::delta::Delta;
use super::tz::{TimeZone, name_of, offset_of};
use super::{check_tz, full_name, int, small, small_or, state_bytes, strftime};
use lh_abi::*;
use lh_runtime::kind;
use lh_runtime::prelude::*;

pub static mut TIME_TYPE: PyTypeObject =
    super::static_type(c"datetime.time", size_of::<PyDateTime_Time>(), Py_TPFLAGS_BASETYPE);
kind!(/** `time` */ Time: PyDateTime_Time, TIME_TYPE);

/// Hour, minute, second, microsecond, fold.
pub type Clock = (i64, i64, i64, i64, i64);

impl Time {
    pub fn new_in(cls: &Type, c: Clock, tz: &Object) -> PyResult<Owned<Time>> {
        check_time(c.0, c.1, c.2, c.3, c.4)?;
        Time::unchecked(cls, c, tz)
    }
    /// Fields as a pickle has them.
    fn unchecked(cls: &Type, c: Clock, tz: &Object) -> PyResult<Owned<Time>> {
        // SAFETY: a new instance with this layout.
        unsafe {
            let p = lh_runtime::typeobject::alloc(cls.tp(), 0)?;
            let x = p.cast::<PyDateTime_Time>();
            (*x).hashcode = -1;
            (*x).hastzinfo = !tz.is_none() as _;
            (*x).data = [c.0 as u8, c.1 as u8, c.2 as u8, (c.3 >> 16) as u8, (c.3 >> 8) as u8, c.3 as u8];
            (*x).fold = c.4 as u8;
            if !tz.is_none() {
                (*x).tzinfo = tz.own().into_raw();
            }
            Ok(Owned::from_raw(p))
        }
    }
    pub fn clock(&self) -> Clock {
        // SAFETY: the fields never change.
        let x = unsafe { *self.as_struct() };
        let d = x.data.map(|b| b as i64);
        (d[0], d[1], d[2], d[3] << 16 | d[4] << 8 | d[5], x.fold as i64)
    }
    pub fn tz(&self) -> &Object {
        // SAFETY: the field is only valid with `hastzinfo`.
        unsafe {
            let x = self.as_struct();
            if (*x).hastzinfo != 0 { Object::from_ptr((*x).tzinfo) } else { none_ref() }
        }
    }
    fn offset(&self, name: &str) -> PyResult<Option<i128>> {
        offset_of(self.tz(), name, none_ref())
    }
    fn us_of_day(&self) -> i128 {
        let (h, m, s, us, _) = self.clock();
        ((h * 3600 + m * 60 + s) as i128) * 1_000_000 + us as i128
    }
    fn state(&self) -> Vec<u8> {
        // SAFETY: the fields never change.
        unsafe { (*self.as_struct()).data.to_vec() }
    }
}

pub(super) fn delta_or_none(us: Option<i128>) -> PyResult {
    match us {
        None => Ok(none()),
        Some(us) => Ok(Delta::new(us)?.into_object()),
    }
}

/// The arguments of a pickled time: bytes with the fold in the hour's high bit.
fn from_state(cls: &Type, b: &[u8], tz: &Object) -> PyResult<Owned<Time>> {
    let d: Vec<i64> = b.iter().map(|x| *x as i64).collect();
    Time::unchecked(cls, (d[0] & 0x7f, d[1], d[2], d[3] << 16 | d[4] << 8 | d[5], d[0] >> 7), tz)
}

#[lh_runtime::pymethods(extra = time_doc)]
impl Time {
    #[new(name = "time", signature = "(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *, fold=0)")]
    fn py_new(
        cls: &Type,
        hour: Option<&Object>,
        minute: Option<&Object>,
        second: Option<&Object>,
        microsecond: Option<&Object>,
        tzinfo: Option<&Object>,
        fold: Option<&Object>,
    ) -> PyResult<Owned<Time>> {
        if let Some(h) = hour
            && let Some(b) = state_bytes(h, 6)
            && b[0] & 0x7f < 24
        {
            let tz = minute.map_or_else(none, |m| m.own());
            if !tz.is_none() && !super::tz::TzInfo::check(&tz) {
                return raise!(TypeError, "bad tzinfo state arg");
            }
            return from_state(cls, &b, &tz);
        }
        let c = (
            small_or(hour, 0)?,
            small_or(minute, 0)?,
            small_or(second, 0)?,
            small_or(microsecond, 0)?,
            small_or(fold, 0)?,
        );
        Time::new_in(cls, c, &*check_tz(tzinfo)?)
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<String> {
        let (h, m, s, us, fold) = self.clock();
        let mut t = format!("{}({h}, {m}", full_name(self));
        if us != 0 {
            t.push_str(&format!(", {s}, {us}"));
        } else if s != 0 {
            t.push_str(&format!(", {s}"));
        }
        if !self.tz().is_none() {
            t.push_str(&format!(", tzinfo={}", self.tz().repr()?.to_str()?));
        }
        if fold != 0 {
            t.push_str(", fold=1");
        }
        Ok(t + ")")
    }
    #[slot(tp_str)]
    fn str_(&self) -> PyResult {
        self.call_method("isoformat", &[])
    }
    #[slot(tp_hash)]
    fn hash(&self) -> PyResult<isize> {
        let x = self.as_struct();
        // SAFETY: the cached hash.
        unsafe {
            if (*x).hashcode == -1 {
                let off = if self.clock().4 != 0 {
                    // Both folds of an ambiguous time hash alike.
                    let (h, m, s, us, _) = self.clock();
                    Time::new_in(Time::class(), (h, m, s, us, 0), self.tz())?.offset("utcoffset")?
                } else {
                    self.offset("utcoffset")?
                };
                (*x).hashcode = match off {
                    None => Bytes::new(&self.state()).hash(),
                    // As the naive time in UTC, which may lie on another day.
                    Some(off) => {
                        let total = self.us_of_day() - off;
                        let us = total.rem_euclid(1_000_000) as i64;
                        let seconds = total.div_euclid(1_000_000) as i64;
                        let (h, m, s) =
                            (seconds.div_euclid(3600), seconds.rem_euclid(3600) / 60, seconds.rem_euclid(60));
                        if (0..24).contains(&h) {
                            let naive = Time::new_in(Time::class(), (h, m, s, us, 0), &none())?;
                            Bytes::new(&naive.state()).hash()
                        } else {
                            Tuple::from_vec(vec![int(h), int(m), int(s), int(us)]).hash_obj()?
                        }
                    }
                };
            }
            Ok((*x).hashcode)
        }
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(o) = other.downcast::<Time>() else { return Ok(not_implemented()) };
        if self.tz().is(o.tz()) {
            return Ok(bool_obj(op.holds(self.state().cmp(&o.state()))));
        }
        let (a, b) = (self.offset("utcoffset")?, o.offset("utcoffset")?);
        match (a, b) {
            (None, None) => Ok(bool_obj(op.holds(self.state().cmp(&o.state())))),
            (Some(x), Some(y)) => Ok(bool_obj(op.holds((self.us_of_day() - x).cmp(&(o.us_of_day() - y))))),
            _ => match op {
                CompareOp::Eq => Ok(bool_obj(false)),
                CompareOp::Ne => Ok(bool_obj(true)),
                _ => raise!(TypeError, "can't compare offset-naive and offset-aware times"),
            },
        }
    }
    /// Return string in ISO 8601 format, [HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].
    ///
    /// The optional argument timespec specifies the number of additional terms
    /// of the time to include. Valid options are 'auto', 'hours', 'minutes',
    /// 'seconds', 'milliseconds' and 'microseconds'.
    #[pymethod(signature = "(timespec='auto')")]
    fn isoformat(&self, timespec: &str) -> PyResult<String> {
        let (h, m, s, us, _) = self.clock();
        let Some(mut t) = time_text(h, m, s, us, timespec) else {
            return raise!(ValueError, "Unknown timespec value");
        };
        if let Some(off) = self.offset("utcoffset")? {
            t.push_str(&offset_text(off, ":"));
        }
        Ok(t)
    }
    /// format -> strftime() style string.
    #[pymethod(name = "strftime", signature = "(format)")]
    fn py_strftime(&self, format: &Str) -> PyResult {
        let (h, m, s, us, _) = self.clock();
        let t = [1900, 1, 1, h, m, s, 0, 1, -1];
        let t = Tuple::from_vec(t.iter().map(|v| int(*v)).collect());
        strftime(self, format, &t, self.tz(), none_ref(), us)
    }
    /// Formats self with strftime.
    #[pymethod]
    fn __format__(&self, format: &Object) -> PyResult {
        match format.downcast::<Str>() {
            None => raise!(TypeError, "__format__() argument 1 must be str, not {}", format.ty().name()),
            Some(s) if s.is_empty() => Ok(self.str()?.into_object()),
            Some(s) => self.call_method("strftime", &[s]),
        }
    }
    /// Return self.tzinfo.utcoffset(self).
    #[pymethod]
    fn utcoffset(&self) -> PyResult {
        delta_or_none(self.offset("utcoffset")?)
    }
    /// Return self.tzinfo.tzname(self).
    #[pymethod]
    fn tzname(&self) -> PyResult {
        name_of(self.tz(), none_ref())
    }
    /// Return self.tzinfo.dst(self).
    #[pymethod]
    fn dst(&self) -> PyResult {
        delta_or_none(self.offset("dst")?)
    }
    /// Return time with new specified fields.
    #[pymethod(raw)]
    fn replace(&self, a: Args<'_>) -> PyResult {
        const NAMES: [&str; 6] = ["hour", "minute", "second", "microsecond", "tzinfo", "fold"];
        let (h, m, s, us, fold) = self.clock();
        let mut v = [int(h), int(m), int(s), int(us), self.tz().own(), int(fold)];
        if a.len() > 5 {
            return raise!(TypeError, "replace() takes at most 5 positional arguments ({} given)", a.len());
        }
        for (i, x) in a.iter().enumerate() {
            v[i] = x.own();
        }
        for (k, x) in a.kwargs() {
            match NAMES.iter().position(|n| k.equals_str(n)) {
                Some(i) => v[i] = x.own(),
                None => {
                    return raise!(
                        TypeError,
                        "'{}' is an invalid keyword argument for replace()",
                        k.to_str_lossy()
                    );
                }
            }
        }
        if self.is_exact::<Time>() {
            let c = (small(&v[0])?, small(&v[1])?, small(&v[2])?, small(&v[3])?, small(&v[5])?);
            return Ok(Time::new_in(Time::class(), c, &*check_tz(Some(&v[4]))?)?.into_object());
        }
        self.ty().call_kw(&[&v[0], &v[1], &v[2], &v[3], &v[4]], &[("fold", &v[5])])
    }
    /// string -> time from a string in ISO 8601 format
    #[classmethod]
    fn fromisoformat(cls: &Type, string: &Object) -> PyResult {
        let Some(s) = string.downcast::<Str>() else {
            return raise!(TypeError, "fromisoformat: argument must be str");
        };
        let bad = || raise!(ValueError, "Invalid isoformat string: {}", string.repr()?.to_str_lossy());
        if !s.is_ascii() {
            return bad();
        }
        let b = s.to_str()?.as_bytes();
        let b = b.strip_prefix(b"T").unwrap_or(b);
        let Some((h, m, sec, us, off)) = parse_time(b) else { return bad() };
        let tz = match off {
            None => none(),
            Some(o) => TimeZone::of_us(o)?.into_object(),
        };
        if cls.is(Time::class()) {
            return Ok(Time::new_in(cls, (h, m, sec, us, 0), &tz)?.into_object());
        }
        cls.call(&[&int(h), &int(m), &int(sec), &int(us), &tz])
    }
    fn reduce_state(&self, proto: i64) -> Owned<Tuple> {
        let mut d = self.state();
        if self.clock().4 != 0 && proto > 3 {
            d[0] |= 0x80;
        }
        let b = Bytes::new(&d);
        if self.tz().is_none() { Tuple::from_refs(&[&*b]) } else { Tuple::from_refs(&[&*b, self.tz()]) }
    }
    /// __reduce_ex__(proto) -> (cls, state)
    #[pymethod]
    fn __reduce_ex__(&self, proto: i64) -> (Owned<Type>, Owned<Tuple>) {
        (self.ty().own(), self.reduce_state(proto))
    }
    /// __reduce__() -> (cls, state)
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, Owned<Tuple>) {
        (self.ty().own(), self.reduce_state(2))
    }
    #[getter]
    fn hour(&self) -> i64 {
        self.clock().0
    }
    #[getter]
    fn minute(&self) -> i64 {
        self.clock().1
    }
    #[getter]
    fn second(&self) -> i64 {
        self.clock().2
    }
    #[getter]
    fn microsecond(&self) -> i64 {
        self.clock().3
    }
    #[getter]
    fn fold(&self) -> i64 {
        self.clock().4
    }
    #[getter]
    fn tzinfo(&self) -> Owned<Object> {
        self.tz().own()
    }
    #[classattr(name = "min")]
    fn min() -> PyResult {
        Ok(Time::new_in(Time::class(), (0, 0, 0, 0, 0), none_ref())?.into_object())
    }
    #[classattr(name = "max")]
    fn max() -> PyResult {
        Ok(Time::new_in(Time::class(), (23, 59, 59, 999999, 0), none_ref())?.into_object())
    }
    #[classattr(name = "resolution")]
    fn resolution() -> PyResult {
        Ok(Delta::new(1)?.into_object())
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            let x = o.cast::<PyDateTime_Time>();
            if (*x).hastzinfo != 0 {
                xdecref((*x).tzinfo);
            }
            lh_runtime::typeobject::free_instance(o)
        }
    }
}

fn time_doc(b: &mut TypeBuilder) {
    b.doc(
        c"time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) --> a time object\n\n\
All arguments are optional. tzinfo may be None, or an instance of\na tzinfo subclass. The remaining arguments may be ints.",
    );
    let _ = ready::<Delta>();
}
