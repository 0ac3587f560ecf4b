//! `time`: clocks, sleeping, broken-down time.

use super::util::*;
use lh_runtime::codecs;
use lh_runtime::prelude::*;
use lh_runtime::structseq;
use std::ffi::CString;

const SEC: i64 = 1_000_000_000;

struct_seq!(
    struct_time,
    "time.struct_time",
    "The time value as returned by gmtime(), localtime(), and strptime(), and
accepted by asctime(), mktime() and strftime().  May be considered as a
sequence of 9 integers.

Note that several fields' values are not the same as those defined by
the C language standard for struct tm.  For example, the value of the
field tm_year is the actual year, not year - 1900.  See individual
fields' descriptions for details.",
    9,
    [
        "tm_year",
        "tm_mon",
        "tm_mday",
        "tm_hour",
        "tm_min",
        "tm_sec",
        "tm_wday",
        "tm_yday",
        "tm_isdst",
        "tm_zone",
        "tm_gmtoff"
    ]
);

// ---- Clocks ----

fn clock(id: libc::clockid_t) -> PyResult<i64> {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    quick(c!(libc::clock_gettime(id, &mut t)))?;
    Ok(t.tv_sec * SEC + t.tv_nsec)
}
fn seconds(ns: i64) -> f64 {
    if ns % SEC == 0 { (ns / SEC) as f64 } else { ns as f64 / 1e9 }
}

macro_rules! clocks {
    ($($name:ident $ns:ident $id:ident $doc:literal $ns_doc:literal;)*) => { $(
        #[doc = $doc]
        #[pyfunction]
        pub fn $name() -> PyResult<f64> {
            Ok(seconds(clock(libc::$id)?))
        }
        #[doc = $ns_doc]
        #[pyfunction]
        pub fn $ns() -> PyResult<i64> {
            clock(libc::$id)
        }
    )* };
}
clocks! {
    time time_ns CLOCK_REALTIME
        "Return the current time in seconds since the Epoch.\n\nFractions of a second may be present if the system clock provides them."
        "Return the current time in nanoseconds since the Epoch.";
    monotonic monotonic_ns CLOCK_MONOTONIC
        "Monotonic clock, cannot go backward." "Monotonic clock, cannot go backward, as nanoseconds.";
    perf_counter perf_counter_ns CLOCK_MONOTONIC
        "Performance counter for benchmarking." "Performance counter for benchmarking as nanoseconds.";
    process_time process_time_ns CLOCK_PROCESS_CPUTIME_ID
        "Process time for profiling: sum of the kernel and user-space CPU time."
        "Process time for profiling as nanoseconds:\nsum of the kernel and user-space CPU time.";
    thread_time thread_time_ns CLOCK_THREAD_CPUTIME_ID
        "Thread time for profiling: sum of the kernel and user-space CPU time."
        "Thread time for profiling as nanoseconds:\nsum of the kernel and user-space CPU time.";
}
/// Return the time of the specified clock clk_id.
#[pyfunction(varargs, parse_stack)]
pub fn clock_gettime(clk_id: CInt) -> PyResult<f64> {
    Ok(seconds(clock(clk_id.0)?))
}
/// Return the time of the specified clock clk_id as nanoseconds.
#[pyfunction(varargs, parse_stack)]
pub fn clock_gettime_ns(clk_id: CInt) -> PyResult<i64> {
    clock(clk_id.0)
}
fn set_clock(id: i32, ns: i64) -> PyResult<()> {
    let t = libc::timespec { tv_sec: ns.div_euclid(SEC), tv_nsec: ns.rem_euclid(SEC) };
    quick(c!(libc::clock_settime(id, &t))).map(|_| ())
}
/// Set the time of the specified clock clk_id.
#[pyfunction(varargs, parse_stack)]
pub fn clock_settime(clk_id: CInt, time: &Object) -> PyResult<()> {
    set_clock(clk_id.0, seconds_to_ns(time, false)?)
}
/// Set the time of the specified clock clk_id with nanoseconds.
#[pyfunction(varargs, parse_stack)]
pub fn clock_settime_ns(clk_id: CInt, time: i64) -> PyResult<()> {
    set_clock(clk_id.0, time)
}
/// Return the resolution (precision) of the specified clock clk_id.
#[pyfunction(varargs, parse_stack)]
pub fn clock_getres(clk_id: CInt) -> PyResult<f64> {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    quick(c!(libc::clock_getres(clk_id.0, &mut t)))?;
    Ok(t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9)
}
/// Return the clk_id of a thread's CPU time clock.
#[pyfunction(varargs, parse_stack)]
pub fn pthread_getcpuclockid(thread_id: u64) -> PyResult<i32> {
    let mut id = 0;
    let e = c!(libc::pthread_getcpuclockid(thread_id as libc::pthread_t, &mut id));
    if e != 0 { Err(raise_errno(e, None)) } else { Ok(id) }
}
/// Return information of the specified clock as a namespace.
#[pyfunction(varargs, parse_stack)]
pub fn get_clock_info(name: &str) -> PyResult<Owned<Object>> {
    let (id, text, monotonic) = match name {
        "time" => (libc::CLOCK_REALTIME, "clock_gettime(CLOCK_REALTIME)", false),
        "monotonic" | "perf_counter" => (libc::CLOCK_MONOTONIC, "clock_gettime(CLOCK_MONOTONIC)", true),
        "process_time" => (libc::CLOCK_PROCESS_CPUTIME_ID, "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", true),
        "thread_time" => (libc::CLOCK_THREAD_CPUTIME_ID, "clock_gettime(CLOCK_THREAD_CPUTIME_ID)", true),
        _ => return raise!(ValueError, "unknown clock"),
    };
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    quick(c!(libc::clock_getres(id, &mut t)))?;
    let ns = lh_runtime::hooks::import_module("types")?.get_attr(intern!("SimpleNamespace"))?;
    ns.call_kw(
        &[],
        &[
            ("implementation", &Str::new(text)),
            ("monotonic", bool_ref(monotonic)),
            ("adjustable", bool_ref(!monotonic)),
            ("resolution", &Float::new(t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9)),
        ],
    )
}

/// Delay execution for a given number of seconds.  The argument may be
/// a floating point number for subsecond precision.
#[pyfunction(name = "sleep")]
pub fn sleep(secs: &Object) -> PyResult<()> {
    let ns = seconds_to_ns(secs, true)?;
    if ns < 0 {
        return raise!(ValueError, "sleep length must be non-negative");
    }
    let end = super::util::monotonic_ns().saturating_add(ns);
    let t = libc::timespec { tv_sec: end / SEC, tv_nsec: end % SEC };
    loop {
        let e = lh_runtime::thread::allow_threads(|| {
            c!(libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &t, std::ptr::null_mut()))
        });
        match e {
            0 => return Ok(()),
            libc::EINTR => super::signal::check_signals()?,
            e => return Err(raise_errno(e, None)),
        }
    }
}

// ---- Broken-down time ----

fn zeroed_tm() -> libc::tm {
    // SAFETY: numbers and a null pointer.
    unsafe { std::mem::zeroed() }
}

fn tm_obj(t: &libc::tm) -> PyResult<Owned<Tuple>> {
    let mut v: Vec<Owned<Object>> = [
        t.tm_year as i64 + 1900,
        t.tm_mon as i64 + 1,
        t.tm_mday as i64,
        t.tm_hour as i64,
        t.tm_min as i64,
        t.tm_sec as i64,
        (t.tm_wday as i64 + 6) % 7,
        t.tm_yday as i64 + 1,
        t.tm_isdst as i64,
    ]
    .map(int)
    .into();
    // SAFETY: the C library names the zone.
    v.push(if t.tm_zone.is_null() { none() } else { unsafe { fs_str(t.tm_zone) } });
    v.push(int(t.tm_gmtoff));
    Ok(structseq::new(struct_time()?, v))
}

/// A time_t argument; now if it is missing or `None`.
fn time_t(o: Option<&Object>) -> PyResult<i64> {
    let Some(o) = o.filter(|o| !o.is_none()) else {
        return Ok(clock(libc::CLOCK_REALTIME)?.div_euclid(SEC));
    };
    let bad = || raise!(OverflowError, "timestamp out of range for platform time_t");
    if let Some(f) = o.downcast::<Float>() {
        let v = f.value().floor();
        if v.is_nan() {
            return raise!(ValueError, "Invalid value NaN (not a number)");
        }
        return if (-9.223372036854775e18..9.223372036854775e18).contains(&v) { Ok(v as i64) } else { bad() };
    }
    lh_runtime::number::index(o)?.to_i64().map_or_else(bad, Ok)
}

fn broken_down(
    f: unsafe extern "C" fn(*const i64, *mut libc::tm) -> *mut libc::tm,
    t: i64,
) -> PyResult<libc::tm> {
    let mut tm = zeroed_tm();
    set_errno(0);
    if c!(f(&t, &mut tm)).is_null() {
        let e = if errno() == 0 { libc::EINVAL } else { errno() };
        return Err(raise_errno(e, None));
    }
    Ok(tm)
}

/// gmtime([seconds]) -> (tm_year, tm_mon, tm_mday, tm_hour, tm_min,
///                        tm_sec, tm_wday, tm_yday, tm_isdst)
///
/// Convert seconds since the Epoch to a time tuple expressing UTC (a.k.a.
/// GMT).  When 'seconds' is not passed in, convert the current time instead.
#[pyfunction(varargs, parse_stack)]
pub fn gmtime(seconds: Option<&Object>) -> PyResult<Owned<Tuple>> {
    let mut tm = broken_down(libc::gmtime_r, time_t(seconds)?)?;
    tm.tm_zone = c"UTC".as_ptr();
    tm_obj(&tm)
}
/// localtime([seconds]) -> (tm_year,tm_mon,tm_mday,tm_hour,tm_min,
///                           tm_sec,tm_wday,tm_yday,tm_isdst)
///
/// Convert seconds since the Epoch to a time tuple expressing local time.
/// When 'seconds' is not passed in, convert the current time instead.
#[pyfunction(varargs, parse_stack)]
pub fn localtime(seconds: Option<&Object>) -> PyResult<Owned<Tuple>> {
    tm_obj(&broken_down(libc::localtime_r, time_t(seconds)?)?)
}

/// A `struct tm` from a time tuple; keeps the zone's name alive.
fn tm_of(o: &Object, func: &str) -> PyResult<(libc::tm, Option<CString>)> {
    let Some(t) = o.downcast::<Tuple>() else {
        return raise!(TypeError, "Tuple or struct_time argument required");
    };
    if t.len() != 9 {
        return raise!(TypeError, "{}(): illegal time tuple argument", func);
    }
    let mut v = [0i32; 9];
    for (i, x) in v.iter_mut().enumerate() {
        *x = i32::from_py(t.item_ref(i), ArgCtx { func, pos: 0, name: None })?;
    }
    let mut tm = zeroed_tm();
    let Some(year) = v[0].checked_sub(1900) else {
        return raise!(OverflowError, "year out of range");
    };
    tm.tm_year = year;
    tm.tm_mon = v[1].wrapping_sub(1);
    [tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec] = [v[2], v[3], v[4], v[5]];
    tm.tm_wday = v[6].wrapping_add(1) % 7;
    tm.tm_yday = v[7].wrapping_sub(1);
    tm.tm_isdst = v[8];
    let mut zone = None;
    if o.ob_type() == struct_time()?.tp() {
        let off = o.get_attr(intern!("tm_gmtoff"))?;
        if !off.is_none() {
            tm.tm_gmtoff = i64::from_py(&off, ArgCtx { func, pos: 0, name: None })?;
        }
        let z = o.get_attr(intern!("tm_zone"))?;
        if let Some(z) = z.downcast::<Str>() {
            zone = CString::new(codecs::fs_encode(z)?).ok();
            tm.tm_zone = zone.as_ref().map_or(std::ptr::null(), |z| z.as_ptr());
        }
    }
    Ok((tm, zone))
}

fn check_tm(t: &mut libc::tm) -> PyResult<()> {
    if t.tm_mon == -1 {
        t.tm_mon = 0;
    }
    if t.tm_mday == 0 {
        t.tm_mday = 1;
    }
    if t.tm_yday == -1 {
        t.tm_yday = 0;
    }
    let checks = [
        ((0..=11).contains(&t.tm_mon), "month"),
        ((1..=31).contains(&t.tm_mday), "day of month"),
        ((0..=23).contains(&t.tm_hour), "hour"),
        ((0..=59).contains(&t.tm_min), "minute"),
        ((0..=61).contains(&t.tm_sec), "seconds"),
        (t.tm_wday >= 0, "day of week"),
        ((0..=365).contains(&t.tm_yday), "day of year"),
    ];
    match checks.iter().find(|c| !c.0) {
        Some((_, what)) => raise!(ValueError, "{} out of range", what),
        None => Ok(()),
    }
}

fn ascii_time(t: &libc::tm) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    format!(
        "{} {}{:3} {:02}:{:02}:{:02} {}",
        DAYS[t.tm_wday as usize % 7],
        MONTHS[t.tm_mon as usize % 12],
        t.tm_mday,
        t.tm_hour,
        t.tm_min,
        t.tm_sec,
        t.tm_year as i64 + 1900
    )
}
/// asctime([tuple]) -> string
///
/// Convert a time tuple to a string, e.g. 'Sat Jun 06 16:26:11 1998'.
/// When the time tuple is not present, current time as returned by localtime()
/// is used.
#[pyfunction(varargs)]
pub fn asctime(tuple: Option<&Object>) -> PyResult<String> {
    let tm = match tuple {
        None => broken_down(libc::localtime_r, time_t(None)?)?,
        Some(o) => {
            let (mut tm, _) = tm_of(o, "asctime")?;
            check_tm(&mut tm)?;
            tm
        }
    };
    Ok(ascii_time(&tm))
}
/// ctime(seconds) -> string
///
/// Convert a time in seconds since the Epoch to a string in local time.
/// This is equivalent to asctime(localtime(seconds)). When the time tuple is
/// not present, current time as returned by localtime() is used.
#[pyfunction(varargs, parse_stack)]
pub fn ctime(seconds: Option<&Object>) -> PyResult<String> {
    Ok(ascii_time(&broken_down(libc::localtime_r, time_t(seconds)?)?))
}
/// mktime(tuple) -> floating point number
///
/// Convert a time tuple in local time to seconds since the Epoch.
/// Note that mktime(gmtime(0)) will not generally return zero for most
/// time zones; instead the returned value will either be equal to that
/// of the timezone or altzone attributes on the time module.
#[pyfunction]
pub fn mktime(tuple: &Object) -> PyResult<f64> {
    let (mut tm, _zone) = tm_of(tuple, "mktime")?;
    tm.tm_wday = -1;
    let t = c!(libc::mktime(&mut tm));
    if t == -1 && tm.tm_wday == -1 {
        return raise!(OverflowError, "mktime argument out of range");
    }
    Ok(t as f64)
}
/// strftime(format[, tuple]) -> string
///
/// Convert a time tuple to a string according to a format specification.
/// See the library reference manual for formatting codes. When the time tuple
/// is not present, current time as returned by localtime() is used.
#[pyfunction(varargs, parse_stack)]
pub fn strftime(format: &Str, tuple: Option<&Object>) -> PyResult<Owned<Str>> {
    let (mut tm, _zone) = match tuple {
        None => (broken_down(libc::localtime_r, time_t(None)?)?, None),
        Some(o) => {
            let (mut tm, zone) = tm_of(o, "strftime")?;
            check_tm(&mut tm)?;
            (tm, zone)
        }
    };
    tm.tm_isdst = tm.tm_isdst.signum();
    let Ok(fmt) = CString::new(codecs::fs_encode(format)?) else {
        return raise!(ValueError, "embedded null character");
    };
    if fmt.is_empty() {
        return Ok(Str::new(""));
    }
    // An empty result and a full buffer look alike: the buffer grows up to a size that no result needs.
    let mut n = 1024;
    loop {
        let mut b = vec![0u8; n];
        let got = c!(libc::strftime(b.as_mut_ptr().cast(), n, fmt.as_ptr(), &tm));
        if got > 0 || n >= 256 * fmt.as_bytes().len() {
            return Ok(codecs::fs_decode(&b[..got]));
        }
        n *= 2;
    }
}
/// strptime(string, format) -> struct_time
///
/// Parse a string to a time tuple according to a format specification.
/// See the library reference manual for formatting codes (same as
/// strftime()).
#[pyfunction(raw, positional, varargs)]
pub fn strptime(args: Args<'_>) -> PyResult<Owned<Object>> {
    let f = lh_runtime::hooks::import_module("_strptime")?.get_attr(intern!("_strptime_time"))?;
    let v: Vec<&Object> = args.iter().collect();
    f.call(&v)
}

/// timezone, altzone, daylight, tzname: from the offsets of a January and a July.
fn add_zone(m: &Module) -> PyResult<()> {
    const YEAR: i64 = (365 * 24 + 6) * 3600;
    let at = |t: i64| -> PyResult<(i64, Owned<Object>)> {
        let tm = broken_down(libc::localtime_r, t)?;
        // SAFETY: null or a C string.
        let name = if tm.tm_zone.is_null() {
            Str::new("   ").into_object()
        } else {
            // SAFETY: as above.
            unsafe { fs_str(tm.tm_zone) }
        };
        Ok((-tm.tm_gmtoff, name))
    };
    let t = clock(libc::CLOCK_REALTIME)? / SEC / YEAR * YEAR;
    let (jan, jan_name) = at(t)?;
    let (jul, jul_name) = at(t + YEAR / 2)?;
    let (std, alt, names) =
        if jan < jul { (jul, jan, vec![jul_name, jan_name]) } else { (jan, jul, vec![jan_name, jul_name]) };
    m.add("timezone", &Int::from_i64(std))?;
    m.add("altzone", &Int::from_i64(alt))?;
    m.add("daylight", &Int::from_i64((jan != jul) as i64))?;
    m.add("tzname", &Tuple::from_vec(names))
}
/// Initialize, or reinitialize, the local timezone to the value stored in
/// os.environ['TZ'].
#[pyfunction]
pub fn tzset(module: &Module) -> PyResult<()> {
    c_tzset();
    add_zone(module)
}
fn c_tzset() {
    unsafe extern "C" {
        #[link_name = "tzset"]
        fn libc_tzset();
    }
    c!(libc_tzset())
}

fn setup(m: &Module) -> PyResult<()> {
    c_tzset();
    add_zone(m)?;
    m.add("struct_time", struct_time()?)?;
    add_ints(
        m,
        &[
            ("CLOCK_REALTIME", libc::CLOCK_REALTIME as i64),
            ("CLOCK_MONOTONIC", libc::CLOCK_MONOTONIC as i64),
            ("CLOCK_MONOTONIC_RAW", libc::CLOCK_MONOTONIC_RAW as i64),
            ("CLOCK_PROCESS_CPUTIME_ID", libc::CLOCK_PROCESS_CPUTIME_ID as i64),
            ("CLOCK_THREAD_CPUTIME_ID", libc::CLOCK_THREAD_CPUTIME_ID as i64),
            ("CLOCK_BOOTTIME", libc::CLOCK_BOOTTIME as i64),
            ("CLOCK_TAI", libc::CLOCK_TAI as i64),
            ("_STRUCT_TM_ITEMS", 11),
        ],
    )
}

module! { "time",
doc: "This module provides various functions to manipulate time values.\n\nThere are two standard representations of time.  One is the number\nof seconds since the Epoch, in UTC (a.k.a. GMT).  The other is a tuple of 9 integers\ngiving local time.",
functions: [time, time_ns, clock_gettime, clock_gettime_ns, clock_settime, clock_settime_ns, clock_getres,
    pthread_getcpuclockid, sleep, gmtime, localtime, asctime, ctime, mktime, strftime, strptime, tzset, monotonic,
    monotonic_ns, process_time, process_time_ns, thread_time, thread_time_ns, perf_counter, perf_counter_ns,
    get_clock_info],
init: setup }
