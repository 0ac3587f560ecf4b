//! `_datetime`: dates and times in CPython's layouts, with the C API's capsule.
//!
//! `calendar.rs` computes, `delta.rs`, `tz.rs`, `date.rs`, `time.rs` and `datetime.rs` have one type (or two) each, `capi.rs` what C extensions get.

use lh_abi::*;
use lh_runtime::prelude::*;

pub mod calendar;
mod capi;
pub mod date;
#[allow(clippy::module_inception)]
pub mod datetime;
pub mod delta;
pub mod time;
pub mod tz;

module! {
    "_datetime",
    doc: "Fast implementation of the datetime type.",
    types: [date::Date, delta::Delta, time::Time, tz::TzInfo, tz::TimeZone, datetime::DateTime],
    init: setup,
}

fn setup(m: &Module) -> PyResult<()> {
    m.add("MINYEAR", &Int::from_i64(calendar::MIN_YEAR))?;
    m.add("MAXYEAR", &Int::from_i64(calendar::MAX_YEAR))?;
    m.add("UTC", &tz::TimeZone::utc())?;
    m.add("datetime_CAPI", &*capi::capsule()?)
}

/// A static type object of this module.
const fn static_type(name: &'static core::ffi::CStr, size: usize, flags: u64) -> PyTypeObject {
    let mut t = PyTypeObject::ZERO;
    t.ob_base.ob_base.ob_refcnt = 1;
    t.ob_base.ob_base.ob_type = &raw mut lh_runtime::type_table::PyType_Type;
    t.tp_name = name.as_ptr();
    t.tp_basicsize = size as isize;
    t.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | flags;
    t.tp_base = &raw mut lh_runtime::type_table::PyBaseObject_Type;
    t
}

/// The type's name as `repr` shows it: `datetime.date`, or a subclass's short name.
fn full_name(o: &Object) -> String {
    let n = o.ty().name();
    // SAFETY: a live type's flags.
    if unsafe { (*o.ob_type()).tp_flags & Py_TPFLAGS_HEAPTYPE != 0 } {
        return n.rsplit('.').next().unwrap_or_default().to_string();
    }
    if n.contains('.') { n } else { format!("datetime.{n}") }
}

fn int(v: i64) -> Owned<Object> {
    Int::from_i64(v).into_object()
}

/// An integer argument as C's `int`.
fn small(o: &Object) -> PyResult<i64> {
    let i = lh_runtime::number::index(o)?;
    match i.to_i64() {
        Some(v) if i32::try_from(v).is_ok() => Ok(v),
        Some(v) if v > 0 => raise!(OverflowError, "signed integer is greater than maximum"),
        Some(_) => raise!(OverflowError, "signed integer is less than minimum"),
        None => raise!(OverflowError, "Python int too large to convert to C int"),
    }
}
fn small_or(o: Option<&Object>, default: i64) -> PyResult<i64> {
    o.map_or(Ok(default), small)
}

/// A `tzinfo` argument: `None` or an instance.
fn check_tz(tz: Option<&Object>) -> PyResult<Owned<Object>> {
    match tz {
        None => Ok(none()),
        Some(t) if t.is_none() || tz::TzInfo::check(t) => Ok(t.own()),
        Some(t) => raise!(
            TypeError,
            "tzinfo argument must be None or of a tzinfo subclass, not type '{}'",
            t.ty().name()
        ),
    }
}

/// `time.strftime(format, tuple)` after `%z`, `%Z` and `%f` were replaced.
fn strftime(o: &Object, format: &Str, timetuple: &Object, tz: &Object, tzarg: &Object, us: i64) -> PyResult {
    let mut b = StrBuilder::new();
    let n = format.len();
    let mut i = 0;
    while i < n {
        let c = format.char_at(i);
        if c != '%' as u32 || i + 1 >= n {
            b.push(c);
            i += 1;
            continue;
        }
        let d = format.char_at(i + 1);
        match char::from_u32(d) {
            Some('z') => {
                if let Some(off) = tz::offset_of(tz, "utcoffset", tzarg)? {
                    b.push_str(&calendar::offset_text(off, ""));
                }
            }
            Some('Z') => {
                let name = tz::name_of(tz, tzarg)?;
                if !name.is_none() {
                    // A percent sign in the name must not be taken for a directive.
                    let doubled = name.call_method("replace", &[&Str::new("%"), &Str::new("%%")])?;
                    if !Str::check(&doubled) {
                        return raise!(TypeError, "tzname.replace() did not return a string");
                    }
                    b.push_obj(&*doubled.str()?);
                }
            }
            Some('f') => b.push_str(&format!("{us:06}")),
            _ => {
                b.push(c);
                b.push(d);
            }
        }
        i += 2;
    }
    let _ = o;
    lh_runtime::hooks::import_module("time")?.call_method("strftime", &[&b.finish(), timetuple])
}

/// `time.struct_time` of these fields.
fn struct_time(y: i64, m: i64, d: i64, hh: i64, mm: i64, ss: i64, dst: i64) -> PyResult {
    let yday = calendar::days_before_month(y, m) + d;
    let t = [y, m, d, hh, mm, ss, calendar::weekday(y, m, d), yday, dst];
    let t = Tuple::from_vec(t.iter().map(|v| int(*v)).collect());
    lh_runtime::hooks::import_module("time")?.call_method("struct_time", &[&t])
}

/// `time.localtime(t)` or `time.gmtime(t)` as y, m, d, hh, mm, ss.
fn broken_down(secs: i64, local: bool) -> PyResult<[i64; 6]> {
    // SAFETY: plain C library calls that fill the struct.
    unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        let t = secs as libc::time_t;
        let r = if local { libc::localtime_r(&t, &mut tm) } else { libc::gmtime_r(&t, &mut tm) };
        if r.is_null() {
            return raise!(OverflowError, "timestamp out of range for platform time_t");
        }
        Ok([
            tm.tm_year as i64 + 1900,
            tm.tm_mon as i64 + 1,
            tm.tm_mday as i64,
            tm.tm_hour as i64,
            tm.tm_min as i64,
            (tm.tm_sec as i64).min(59),
        ])
    }
}

/// A timestamp as whole seconds and microseconds, rounded half to even.
fn split_timestamp(o: &Object) -> PyResult<(i64, i64)> {
    if let Some(f) = o.downcast::<Float>() {
        let f = f.value();
        if f.is_nan() {
            return raise!(ValueError, "Invalid value NaN (not a number)");
        }
        let whole = f.floor();
        let mut us = ((f - whole) * 1e6).round_ties_even();
        let mut secs = whole;
        if us >= 1e6 {
            us -= 1e6;
            secs += 1.0;
        }
        if !(-9.3e18..9.3e18).contains(&secs) {
            return raise!(OverflowError, "timestamp out of range for platform time_t");
        }
        return Ok((secs as i64, us as i64));
    }
    match lh_runtime::number::index(o)?.to_i64() {
        Some(v) => Ok((v, 0)),
        None => raise!(OverflowError, "timestamp out of range for platform time_t"),
    }
}

/// Now, as seconds and microseconds.
fn now() -> (i64, i64) {
    let d = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (d.as_secs() as i64, d.subsec_micros() as i64)
}

/// The bytes of a pickled state, if `o` is such.
fn state_bytes(o: &Object, len: usize) -> Option<Vec<u8>> {
    if let Some(b) = o.downcast::<Bytes>() {
        return (b.len() == len).then(|| b.as_bytes().to_vec());
    }
    // Python 2 pickles decoded as latin-1.
    let s = o.downcast::<Str>().filter(|s| s.len() == len)?;
    s.chars().map(|c| u8::try_from(c).ok()).collect()
}
