//! `tzinfo` and `timezone`.

use super::calendar::{US_PER_DAY, offset_text};
use super::datetime::DateTime;
use super::delta::Delta;
use lh_abi::*;
use lh_runtime::kind;
use lh_runtime::prelude::*;
use std::sync::OnceLock;

pub static mut TZINFO_TYPE: PyTypeObject =
    super::static_type(c"datetime.tzinfo", size_of::<PyDateTime_TZInfo>(), Py_TPFLAGS_BASETYPE);
kind!(/** `tzinfo` */ TzInfo: PyDateTime_TZInfo, TZINFO_TYPE);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct TimeZoneObject {
    pub ob_base: PyObject,
    pub offset: *mut PyObject,
    pub name: *mut PyObject,
}
pub static mut TIMEZONE_TYPE: PyTypeObject = {
    let mut t = super::static_type(c"datetime.timezone", size_of::<TimeZoneObject>(), 0);
    t.tp_base = &raw mut TZINFO_TYPE;
    t
};
kind!(/** `timezone` */ TimeZone: TimeZoneObject, TIMEZONE_TYPE);

/// Calls `tz.NAME(dt)` and checks that the answer is `None` or a small enough timedelta.
pub fn offset_of(tz: &Object, name: &str, dt: &Object) -> PyResult<Option<i128>> {
    if tz.is_none() {
        return Ok(None);
    }
    if let Some(t) = tz.downcast_exact::<TimeZone>() {
        if name == "utcoffset" {
            return Ok(Some(t.offset().us()));
        }
        if name == "dst" {
            return Ok(None);
        }
    }
    let r = tz.call_method(name, &[dt])?;
    if r.is_none() {
        return Ok(None);
    }
    let Some(d) = r.downcast::<Delta>() else {
        return raise!(
            TypeError,
            "tzinfo.{}() must return None or a timedelta, not '{}'",
            name,
            r.ty().name()
        );
    };
    let us = d.us();
    if us <= -US_PER_DAY || us >= US_PER_DAY {
        return raise!(
            ValueError,
            "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24)."
        );
    }
    Ok(Some(us))
}

/// `tz.tzname(dt)`: `None` or a string.
pub fn name_of(tz: &Object, dt: &Object) -> PyResult {
    if tz.is_none() {
        return Ok(none());
    }
    let r = tz.call_method("tzname", &[dt])?;
    if !r.is_none() && !Str::check(&r) {
        return raise!(TypeError, "tzinfo.tzname() must return None or a string, not '{}'", r.ty().name());
    }
    Ok(r)
}

fn must(name: &str) -> PyResult {
    raise!(NotImplementedError, "a tzinfo subclass must implement {}()", name)
}

#[lh_runtime::pymethods(extra = tzinfo_doc)]
impl TzInfo {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult {
        // SAFETY: an instance without fields.
        unsafe { Ok(Owned::from_raw(lh_runtime::typeobject::alloc(cls.tp(), 0)?)) }
    }
    /// datetime -> string name of time zone.
    #[pymethod]
    fn tzname(&self, _dt: &Object) -> PyResult {
        must("tzname")
    }
    /// datetime -> timedelta showing offset from UTC, negative values indicating West of UTC
    #[pymethod]
    fn utcoffset(&self, _dt: &Object) -> PyResult {
        must("utcoffset")
    }
    /// datetime -> DST offset as timedelta positive east of UTC.
    #[pymethod]
    fn dst(&self, _dt: &Object) -> PyResult {
        must("dst")
    }
    /// datetime in UTC -> datetime in local time.
    #[pymethod]
    fn fromutc(&self, dt: &Object) -> PyResult {
        let Some(d) = dt.downcast::<DateTime>() else {
            return raise!(TypeError, "fromutc: argument must be a datetime");
        };
        if !d.tz().is(&**self) {
            return raise!(ValueError, "fromutc: dt.tzinfo is not self");
        }
        let Some(off) = d.offset("utcoffset")? else {
            return raise!(ValueError, "fromutc: non-None utcoffset() result required");
        };
        let Some(dst) = d.offset("dst")? else {
            return raise!(ValueError, "fromutc: non-None dst() result required");
        };
        let mut r = d.own();
        if off != dst {
            r = r.plus(off - dst)?;
            match r.offset("dst")? {
                None => {
                    return raise!(ValueError, "fromutc: tz.dst() gave inconsistent results; cannot convert");
                }
                Some(dst) => {
                    if dst != 0 {
                        r = r.plus(dst)?;
                    }
                }
            }
        } else if dst != 0 {
            r = r.plus(dst)?;
        }
        Ok(r.into_object())
    }
    /// -> (cls, state)
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Tuple>> {
        let args = match self.get_attr_opt(intern!("__getinitargs__"))? {
            Some(f) => f.call0()?,
            None => Tuple::empty().into_object(),
        };
        let state = self.call_method("__getstate__", &[])?;
        Ok(Tuple::from_vec(vec![self.ty().own().into_object(), args, state]))
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero; no references inside.
        unsafe { lh_runtime::typeobject::free_instance(o) }
    }
}

fn tzinfo_doc(b: &mut TypeBuilder) {
    b.doc(c"Abstract base class for time zone info objects.");
}

// ---- timezone ----

static UTC: OnceLock<usize> = OnceLock::new();

impl TimeZone {
    fn offset(&self) -> &Delta {
        // SAFETY: the field is set once.
        unsafe { Object::from_ptr((*self.as_struct()).offset).downcast_unchecked() }
    }
    fn name(&self) -> Option<&Object> {
        // SAFETY: the field is set once.
        unsafe { Object::from_ptr_opt((*self.as_struct()).name) }
    }
    fn build(offset: &Delta, name: Option<&Object>) -> PyResult<Owned<TimeZone>> {
        // SAFETY: a new instance whose fields take over the references.
        unsafe {
            let p = lh_runtime::typeobject::alloc(TimeZone::type_ptr(), 0)?;
            let t = p.cast::<TimeZoneObject>();
            (*t).offset = offset.own().into_raw();
            (*t).name = name.map_or(std::ptr::null_mut(), |n| n.own().into_raw());
            Ok(Owned::from_raw(p))
        }
    }
    /// `timezone.utc`.
    pub fn utc() -> Owned<TimeZone> {
        let p = *UTC.get_or_init(|| {
            let z = Delta::new(0).expect("zero is in range");
            TimeZone::build(&z, None).expect("memory for timezone.utc").into_raw() as usize
        });
        // SAFETY: kept for ever.
        unsafe { Object::from_ptr(p as *mut PyObject).downcast_unchecked::<TimeZone>().own() }
    }
    /// A fixed offset; zero without a name is `utc`.
    pub fn fixed(offset: &Delta, name: Option<&Object>) -> PyResult<Owned<TimeZone>> {
        let us = offset.us();
        if us == 0 && name.is_none() {
            return Ok(TimeZone::utc());
        }
        if us <= -US_PER_DAY || us >= US_PER_DAY {
            return raise!(
                ValueError,
                "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not {}.",
                offset.repr()?.to_str_lossy()
            );
        }
        TimeZone::build(offset, name)
    }
    pub fn of_us(us: i128) -> PyResult<Owned<TimeZone>> {
        TimeZone::fixed(&*Delta::new(us)?, None)
    }
    fn text(&self) -> PyResult {
        if let Some(n) = self.name() {
            return Ok(n.own());
        }
        let us = self.offset().us();
        Ok(Str::new(&if us == 0 { "UTC".to_string() } else { format!("UTC{}", offset_text(us, ":")) })
            .into_object())
    }
}

fn check_dt(dt: &Object, method: &str) -> PyResult<()> {
    if dt.is_none() || DateTime::check(dt) {
        return Ok(());
    }
    raise!(TypeError, "{}(dt) argument must be a datetime instance or None, not {}", method, dt.ty().name())
}

#[lh_runtime::pymethods(extra = timezone_doc)]
impl TimeZone {
    #[new(name = "timezone", signature = "(offset, name=<unrepresentable>)")]
    fn py_new(_cls: &Type, offset: &Delta, name: Option<&Str>) -> PyResult<Owned<TimeZone>> {
        TimeZone::fixed(offset, name.map(|n| &**n))
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<Owned<Str>> {
        let name = super::full_name(self);
        if self.is(&*TimeZone::utc()) {
            return Ok(Str::new(&format!("{name}.utc")));
        }
        let mut b = StrBuilder::new();
        b.push_str(&name);
        b.push_str("(");
        b.push_obj(&*self.offset().repr()?);
        if let Some(n) = self.name() {
            b.push_str(", ");
            b.push_obj(&*n.repr()?);
        }
        b.push_str(")");
        Ok(b.finish())
    }
    #[slot(tp_str)]
    fn str_(&self) -> PyResult {
        self.text()
    }
    #[slot(tp_hash)]
    fn hash(&self) -> PyResult<isize> {
        self.offset().hash_obj()
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        match other.downcast::<TimeZone>() {
            Some(o) if matches!(op, CompareOp::Eq | CompareOp::Ne) => {
                Ok(bool_obj(op.holds(self.offset().us().cmp(&o.offset().us()))))
            }
            _ => Ok(not_implemented()),
        }
    }
    /// If name is specified when timezone is created, returns the name.  Otherwise returns offset as 'UTC(+|-)HH:MM'.
    #[pymethod]
    fn tzname(&self, dt: &Object) -> PyResult {
        check_dt(dt, "tzname")?;
        self.text()
    }
    /// Return fixed offset.
    #[pymethod]
    fn utcoffset(&self, dt: &Object) -> PyResult<Owned<Delta>> {
        check_dt(dt, "utcoffset")?;
        Ok(self.offset().own())
    }
    /// Return None.
    #[pymethod]
    fn dst(&self, dt: &Object) -> PyResult<()> {
        check_dt(dt, "dst")
    }
    /// datetime in UTC -> datetime in local time.
    #[pymethod]
    fn fromutc(&self, dt: &Object) -> PyResult {
        let Some(d) = dt.downcast::<DateTime>() else {
            return raise!(
                TypeError,
                "fromutc() argument must be a datetime instance, not {}",
                dt.ty().name()
            );
        };
        if !d.tz().is(&**self) {
            return raise!(ValueError, "fromutc: dt.tzinfo is not self");
        }
        Ok(d.plus(self.offset().us())?.into_object())
    }
    /// pickle support
    #[pymethod]
    fn __getinitargs__(&self) -> Owned<Tuple> {
        match self.name() {
            None => Tuple::from_refs(&[self.offset()]),
            Some(n) => Tuple::from_refs(&[self.offset(), n]),
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            let t = o.cast::<TimeZoneObject>();
            xdecref((*t).offset);
            xdecref((*t).name);
            lh_runtime::typeobject::free_instance(o)
        }
    }
    #[classattr(name = "utc")]
    fn utc_attr() -> Owned<Object> {
        TimeZone::utc().into_object()
    }
    #[classattr(name = "min")]
    fn min() -> PyResult {
        Ok(TimeZone::of_us(-(23 * 60 + 59) * 60_000_000)?.into_object())
    }
    #[classattr(name = "max")]
    fn max() -> PyResult {
        Ok(TimeZone::of_us((23 * 60 + 59) * 60_000_000)?.into_object())
    }
}

fn timezone_doc(b: &mut TypeBuilder) {
    b.doc(c"Fixed offset from UTC implementation of tzinfo.");
}
