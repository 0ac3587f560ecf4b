//! The capsule `datetime.datetime_CAPI`: types and constructors for C extensions.

use super::calendar::US_PER_DAY;
use super::date::Date;
use super::datetime::DateTime;
use super::delta::Delta;
use super::time::Time;
use super::tz::{TimeZone, TzInfo};
use core::ffi::{c_int, c_void};
use lh_abi::*;
use lh_runtime::border;
use lh_runtime::prelude::*;

type Obj = *mut PyObject;

/// # Safety
/// Pointers from C: live objects; a class for `cls`.
unsafe fn class<'a>(cls: *mut PyTypeObject) -> &'a Type {
    // SAFETY: the caller's promise.
    unsafe { Type::from_raw_ref(cls) }
}

unsafe extern "C" fn date_from_date(y: c_int, m: c_int, d: c_int, cls: *mut PyTypeObject) -> Obj {
    // SAFETY: called from C with live objects.
    border::object(|| unsafe { Date::new_in(class(cls), y as i64, m as i64, d as i64) })
}
unsafe extern "C" fn datetime_fold(
    y: c_int,
    m: c_int,
    d: c_int,
    hh: c_int,
    mm: c_int,
    ss: c_int,
    us: c_int,
    tz: Obj,
    fold: c_int,
    cls: *mut PyTypeObject,
) -> Obj {
    // SAFETY: called from C with live objects.
    border::object(|| unsafe {
        let c = (hh as i64, mm as i64, ss as i64, us as i64, fold as i64);
        DateTime::new_in(class(cls), (y as i64, m as i64, d as i64), c, Object::from_ptr(tz))
    })
}
unsafe extern "C" fn datetime(
    y: c_int,
    m: c_int,
    d: c_int,
    hh: c_int,
    mm: c_int,
    ss: c_int,
    us: c_int,
    tz: Obj,
    cls: *mut PyTypeObject,
) -> Obj {
    // SAFETY: as above.
    unsafe { datetime_fold(y, m, d, hh, mm, ss, us, tz, 0, cls) }
}
unsafe extern "C" fn time_fold(
    hh: c_int,
    mm: c_int,
    ss: c_int,
    us: c_int,
    tz: Obj,
    fold: c_int,
    cls: *mut PyTypeObject,
) -> Obj {
    // SAFETY: called from C with live objects.
    border::object(|| unsafe {
        let c = (hh as i64, mm as i64, ss as i64, us as i64, fold as i64);
        Time::new_in(class(cls), c, Object::from_ptr(tz))
    })
}
unsafe extern "C" fn time(
    hh: c_int,
    mm: c_int,
    ss: c_int,
    us: c_int,
    tz: Obj,
    cls: *mut PyTypeObject,
) -> Obj {
    // SAFETY: as above.
    unsafe { time_fold(hh, mm, ss, us, tz, 0, cls) }
}
unsafe extern "C" fn delta(d: c_int, s: c_int, us: c_int, _normalize: c_int, cls: *mut PyTypeObject) -> Obj {
    // SAFETY: called from C with live objects.
    border::object(|| unsafe {
        Delta::new_in(class(cls), d as i128 * US_PER_DAY + s as i128 * 1_000_000 + us as i128)
    })
}
unsafe extern "C" fn timezone(offset: Obj, name: Obj) -> Obj {
    border::object(|| {
        // SAFETY: called from C with live objects; the name may be null.
        let (o, n) = unsafe { (Object::from_ptr(offset), Object::from_ptr_opt(name)) };
        match o.downcast::<Delta>() {
            Some(d) => TimeZone::fixed(d, n),
            None => raise!(
                TypeError,
                "PyTimeZone_FromOffset() argument must be a timedelta, not {}",
                o.ty().name()
            ),
        }
    })
}
unsafe extern "C" fn datetime_from_timestamp(cls: Obj, args: Obj, kw: Obj) -> Obj {
    border::object(|| {
        // SAFETY: called from C with a class, a tuple and a dict or null.
        unsafe {
            let f = Object::from_ptr(cls).get_attr(intern!("fromtimestamp"))?;
            let kw = Object::from_ptr_opt(kw).and_then(|k| k.downcast::<Dict>());
            f.call_tuple(Object::from_ptr(args).downcast_unchecked(), kw)
        }
    })
}
unsafe extern "C" fn date_from_timestamp(cls: Obj, args: Obj) -> Obj {
    // SAFETY: as above.
    unsafe { datetime_from_timestamp(cls, args, core::ptr::null_mut()) }
}

/// The capsule itself, a new one.
pub fn capsule() -> PyResult<Owned<Object>> {
    let api = Box::leak(Box::new(PyDateTime_CAPI {
        DateType: Date::type_ptr(),
        DateTimeType: DateTime::type_ptr(),
        TimeType: Time::type_ptr(),
        DeltaType: Delta::type_ptr(),
        TZInfoType: TzInfo::type_ptr(),
        TimeZone_UTC: TimeZone::utc().into_raw(),
        Date_FromDate: date_from_date as *mut c_void,
        DateTime_FromDateAndTime: datetime as *mut c_void,
        Time_FromTime: time as *mut c_void,
        Delta_FromDelta: delta as *mut c_void,
        TimeZone_FromTimeZone: timezone as *mut c_void,
        DateTime_FromTimestamp: datetime_from_timestamp as *mut c_void,
        Date_FromTimestamp: date_from_timestamp as *mut c_void,
        DateTime_FromDateAndTimeAndFold: datetime_fold as *mut c_void,
        Time_FromTimeAndFold: time_fold as *mut c_void,
    }));
    lh_runtime::capsule::new((api as *mut PyDateTime_CAPI).cast(), c"datetime.datetime_CAPI")
}
