//! `datetime`: a date and a time of day, with or without a time zone.

use super::calendar::*;
use super::date::{DATE_TYPE, DAYS, Date, MONTHS};
use super::delta::Delta;
use super::time::{Clock, Time, delta_or_none};
use super::tz::{TimeZone, TzInfo, name_of, offset_of};
use super::{
    broken_down, check_tz, full_name, int, now, small, small_or, split_timestamp, state_bytes, strftime,
    struct_time,
};
use lh_abi::*;
use lh_runtime::kind;
use lh_runtime::prelude::*;

pub static mut DATETIME_TYPE: PyTypeObject = {
    let mut t =
        super::static_type(c"datetime.datetime", size_of::<PyDateTime_DateTime>(), Py_TPFLAGS_BASETYPE);
    t.tp_base = &raw mut DATE_TYPE;
    t
};
kind!(/** `datetime` */ DateTime: PyDateTime_DateTime, DATETIME_TYPE);

const MAX_US: i128 = (MAX_ORDINAL as i128 + 1) * US_PER_DAY;
/// Seconds from the first of January of year 1 (ordinal 1) to 1970.
const EPOCH: i64 = 719163 * 86400;

impl DateTime {
    pub fn new_in(cls: &Type, ymd: (i64, i64, i64), c: Clock, tz: &Object) -> PyResult<Owned<DateTime>> {
        check_date(ymd.0, ymd.1, ymd.2)?;
        check_time(c.0, c.1, c.2, c.3, c.4)?;
        DateTime::unchecked(cls, ymd, c, tz)
    }
    /// Fields as a pickle has them.
    fn unchecked(cls: &Type, ymd: (i64, i64, i64), c: Clock, tz: &Object) -> PyResult<Owned<DateTime>> {
        // SAFETY: a new instance with this layout.
        unsafe {
            let p = lh_runtime::typeobject::alloc(cls.tp(), 0)?;
            let x = p.cast::<PyDateTime_DateTime>();
            (*x).hashcode = -1;
            (*x).hastzinfo = !tz.is_none() as _;
            (*x).data = [
                (ymd.0 >> 8) as u8,
                ymd.0 as u8,
                ymd.1 as u8,
                ymd.2 as u8,
                c.0 as u8,
                c.1 as u8,
                c.2 as u8,
                (c.3 >> 16) as u8,
                (c.3 >> 8) as u8,
                c.3 as u8,
            ];
            (*x).fold = c.4 as u8;
            if !tz.is_none() {
                (*x).tzinfo = tz.own().into_raw();
            }
            Ok(Owned::from_raw(p))
        }
    }
    /// Through the class's constructor if it is a subclass.
    fn make(cls: &Type, ymd: (i64, i64, i64), c: Clock, tz: &Object) -> PyResult<Owned<DateTime>> {
        if cls.is(DateTime::class()) {
            return DateTime::new_in(cls, ymd, c, tz);
        }
        let args = [int(ymd.0), int(ymd.1), int(ymd.2), int(c.0), int(c.1), int(c.2), int(c.3), tz.own()];
        let refs: Vec<&Object> = args.iter().map(|a| &**a).collect();
        let r = if c.4 != 0 { cls.call_kw(&refs, &[("fold", &int(1))])? } else { cls.call(&refs)? };
        match r.downcast_owned::<DateTime>() {
            Ok(d) => Ok(d),
            Err(o) => raise!(TypeError, "{}() returned a non-datetime (type {})", cls.name(), o.ty().name()),
        }
    }
    fn state(&self) -> [u8; 10] {
        // SAFETY: the fields never change.
        unsafe { (*self.as_struct()).data }
    }
    pub fn ymd(&self) -> (i64, i64, i64) {
        let d = self.state().map(|b| b as i64);
        (d[0] << 8 | d[1], d[2], d[3])
    }
    pub fn clock(&self) -> Clock {
        let d = self.state().map(|b| b as i64);
        // SAFETY: a plain field.
        (d[4], d[5], d[6], d[7] << 16 | d[8] << 8 | d[9], unsafe { (*self.as_struct()).fold } as i64)
    }
    pub fn tz(&self) -> &Object {
        // SAFETY: the field is only valid with `hastzinfo`.
        unsafe {
            let x = self.as_struct();
            if (*x).hastzinfo != 0 { Object::from_ptr((*x).tzinfo) } else { none_ref() }
        }
    }
    /// `utcoffset` or `dst` in microseconds.
    pub fn offset(&self, name: &str) -> PyResult<Option<i128>> {
        offset_of(self.tz(), name, self)
    }
    /// Microseconds since the day before ordinal 1.
    fn total(&self) -> i128 {
        let (y, m, d) = self.ymd();
        let (hh, mm, ss, us, _) = self.clock();
        ordinal(y, m, d) as i128 * US_PER_DAY + ((hh * 3600 + mm * 60 + ss) as i128) * 1_000_000 + us as i128
    }
    fn fields_of(total: i128) -> PyResult<((i64, i64, i64), Clock)> {
        if !(US_PER_DAY..MAX_US).contains(&total) {
            return raise!(OverflowError, "date value out of range");
        }
        // In range, so 64 bits are enough.
        let (total, of_day) = (total as i64, US_PER_DAY as i64);
        let (day, us) = (total.div_euclid(of_day), total.rem_euclid(of_day));
        let s = us / 1_000_000;
        Ok((from_ordinal(day), (s / 3600, s / 60 % 60, s % 60, us % 1_000_000, 0)))
    }
    /// This moment moved by microseconds, same zone, fold 0.
    pub fn plus(&self, us: i128) -> PyResult<Owned<DateTime>> {
        let (ymd, c) = DateTime::fields_of(self.total() + us)?;
        DateTime::make(self.ty(), ymd, c, self.tz())
    }
    /// A local or UTC moment of a POSIX timestamp.
    fn from_timestamp(cls: &Type, secs: i64, us: i64, local: bool, tz: &Object) -> PyResult<Owned<DateTime>> {
        let t = broken_down(secs, local)?;
        let mut fold = 0;
        if tz.is_none() && local {
            // The second of two equal wall clock times?
            const DAY: i64 = 86400;
            let here = wall(&t);
            let before = broken_down(secs.saturating_sub(DAY), true)?;
            let gap = here - wall(&before) - DAY;
            if gap < 0 {
                let probe = broken_down(secs + gap, true)?;
                if wall(&probe) == here {
                    fold = 1;
                }
            }
        }
        DateTime::make(cls, (t[0], t[1], t[2]), (t[3], t[4], t[5], us, fold), tz)
    }
    fn now_in(cls: &Type, tz: &Object) -> PyResult {
        let (s, us) = now();
        DateTime::at(cls, s, us, tz)
    }
    fn at(cls: &Type, s: i64, us: i64, tz: &Object) -> PyResult {
        let d = DateTime::from_timestamp(cls, s, us, tz.is_none(), tz)?;
        if tz.is_none() { Ok(d.into_object()) } else { tz.call_method("fromutc", &[&d]) }
    }
    /// Local wall clock seconds as a timestamp, with the fold deciding between two.
    fn local_timestamp(&self) -> PyResult<i64> {
        let (y, m, d) = self.ymd();
        let (hh, mm, ss, _, fold) = self.clock();
        let t = ordinal(y, m, d) * 86400 + hh * 3600 + mm * 60 + ss;
        let local = |u: i64| -> PyResult<i64> { Ok(wall(&broken_down(u - EPOCH, true)?)) };
        let a = local(t)? - t;
        let u1 = t - a;
        let t1 = local(u1)?;
        let b;
        if t1 == t {
            // Another solution a day away?
            let u2 = if fold != 0 { u1 + 86400 } else { u1 - 86400 };
            b = local(u2)? - u2;
            if a == b {
                return Ok(u1 - EPOCH);
            }
        } else {
            b = t1 - u1;
        }
        let u2 = t - b;
        if local(u2)? == t {
            return Ok(u2 - EPOCH);
        }
        if t1 == t {
            return Ok(u1 - EPOCH);
        }
        // In a gap.
        Ok(if fold != 0 { u1.min(u2) } else { u1.max(u2) } - EPOCH)
    }
    /// The system's zone at a moment.
    fn local_zone(secs: i64) -> PyResult<Owned<Object>> {
        // SAFETY: plain C library calls that fill the struct; the zone's name is a C string or null.
        unsafe {
            let mut tm: libc::tm = std::mem::zeroed();
            let t = secs as libc::time_t;
            if libc::localtime_r(&t, &mut tm).is_null() {
                return raise!(OverflowError, "timestamp out of range for platform time_t");
            }
            let off = Delta::new(tm.tm_gmtoff as i128 * 1_000_000)?;
            let name = if tm.tm_zone.is_null() {
                None
            } else {
                Some(Str::new(&core::ffi::CStr::from_ptr(tm.tm_zone).to_string_lossy()))
            };
            Ok(TimeZone::fixed(&off, name.as_ref().map(|n| &***n))?.into_object())
        }
    }
    /// The zone to convert to when none is given.
    fn system_zone(&self) -> PyResult<Owned<Object>> {
        let secs = match self.offset("utcoffset")? {
            Some(off) => ((self.total() - off).div_euclid(1_000_000)) as i64 - EPOCH,
            None => self.local_timestamp()?,
        };
        DateTime::local_zone(secs)
    }
}

/// Seconds since ordinal 0 of a broken-down time.
fn wall(t: &[i64; 6]) -> i64 {
    ordinal(t[0], t[1], t[2]) * 86400 + t[3] * 3600 + t[4] * 60 + t[5]
}

/// Does the offset depend on the fold? (Such times equal nothing in other zones.)
fn problem_time(d: &DateTime, off: Option<i128>) -> PyResult<bool> {
    if d.tz().is_none() || d.tz().is_exact::<TimeZone>() {
        return Ok(false);
    }
    let (h, m, s, us, fold) = d.clock();
    let other = DateTime::new_in(DateTime::class(), d.ymd(), (h, m, s, us, 1 - fold), d.tz())?;
    Ok(other.offset("utcoffset")? != off)
}

const NAMES: [&str; 9] =
    ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"];

#[lh_runtime::pymethods(extra = datetime_doc)]
impl DateTime {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<DateTime>> {
        let n = args.len() + kw.map_or(0, |k| k.len());
        if (args.len() == 1 || args.len() == 2)
            && let Some(b) = state_bytes(args.item_ref(0), 10)
            && (1..=12).contains(&(b[2] & 0x7f))
        {
            let tz = if args.len() == 2 { args.get(1) } else { none() };
            if !tz.is_none() && !TzInfo::check(&tz) {
                return raise!(TypeError, "bad tzinfo state arg");
            }
            let d: Vec<i64> = b.iter().map(|x| *x as i64).collect();
            let clock = (d[4], d[5], d[6], d[7] << 16 | d[8] << 8 | d[9], d[2] >> 7);
            return DateTime::unchecked(cls, (d[0] << 8 | d[1], d[2] & 0x7f, d[3]), clock, &tz);
        }
        let mut v: [Option<Owned<Object>>; 9] = Default::default();
        if args.len() > 8 {
            return raise!(TypeError, "function takes at most 8 positional arguments ({} given)", n);
        }
        for (i, a) in args.iter().enumerate() {
            v[i] = Some(a.own());
        }
        if let Some(kw) = kw {
            for (k, x) in kw.items_vec() {
                let k = k.str()?;
                match NAMES.iter().position(|n| k.equals_str(n)) {
                    Some(i) if v[i].is_none() => v[i] = Some(x),
                    Some(i) => {
                        return raise!(
                            TypeError,
                            "argument for function given by name ('{}') and position ({})",
                            k.to_str_lossy(),
                            i + 1
                        );
                    }
                    None => {
                        return raise!(
                            TypeError,
                            "'{}' is an invalid keyword argument for this function",
                            k.to_str_lossy()
                        );
                    }
                }
            }
        }
        for i in 0..3 {
            if v[i].is_none() {
                return raise!(
                    TypeError,
                    "function missing required argument '{}' (pos {})",
                    NAMES[i],
                    i + 1
                );
            }
        }
        let f = |i: usize| small_or(v[i].as_deref(), 0);
        let (ymd, c) = ((f(0)?, f(1)?, f(2)?), (f(3)?, f(4)?, f(5)?, f(6)?, f(8)?));
        DateTime::new_in(cls, ymd, c, &*check_tz(v[7].as_deref())?)
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<String> {
        let (y, m, d) = self.ymd();
        let (hh, mm, ss, us, fold) = self.clock();
        let mut t = format!("{}({y}, {m}, {d}, {hh}, {mm}", full_name(self));
        if us != 0 {
            t.push_str(&format!(", {ss}, {us}"));
        } else if ss != 0 {
            t.push_str(&format!(", {ss}"));
        }
        if fold != 0 {
            t.push_str(", fold=1");
        }
        if !self.tz().is_none() {
            t.push_str(&format!(", tzinfo={}", self.tz().repr()?.to_str()?));
        }
        Ok(t + ")")
    }
    #[slot(tp_str)]
    fn str_(&self) -> PyResult {
        self.call_method("isoformat", &[&Str::new(" ")])
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
                    DateTime::new_in(DateTime::class(), self.ymd(), (h, m, s, us, 0), self.tz())?
                        .offset("utcoffset")?
                } else {
                    self.offset("utcoffset")?
                };
                (*x).hashcode = match off {
                    None => Bytes::new(&self.state()).hash(),
                    Some(off) => Delta::new(self.total() - off)?.hash_obj()?,
                };
            }
            Ok((*x).hashcode)
        }
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(o) = other.downcast::<DateTime>() else {
            if Date::check(other) {
                // A plain date is neither equal nor ordered.
                return match op {
                    CompareOp::Eq => Ok(bool_obj(false)),
                    CompareOp::Ne => Ok(bool_obj(true)),
                    _ => raise!(TypeError, "can't compare {} to {}", full_name(self), full_name(other)),
                };
            }
            return Ok(not_implemented());
        };
        if self.tz().is(o.tz()) {
            return Ok(bool_obj(op.holds(self.state().cmp(&o.state()))));
        }
        let (a, b) = (self.offset("utcoffset")?, o.offset("utcoffset")?);
        let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        match (a, b) {
            (Some(x), Some(y)) => {
                let order = (self.total() - x).cmp(&(o.total() - y));
                if equality && order.is_eq() && (problem_time(self, a)? || problem_time(o, b)?) {
                    return Ok(bool_obj(op == CompareOp::Ne));
                }
                Ok(bool_obj(op.holds(order)))
            }
            (None, None) => Ok(bool_obj(op.holds(self.state().cmp(&o.state())))),
            _ if equality => Ok(bool_obj(op == CompareOp::Ne)),
            _ => raise!(TypeError, "can't compare offset-naive and offset-aware datetimes"),
        }
    }
    #[slot(nb_add)]
    fn add(a: &Object, b: &Object) -> PyResult {
        match (
            a.downcast::<DateTime>(),
            b.downcast::<Delta>(),
            a.downcast::<Delta>(),
            b.downcast::<DateTime>(),
        ) {
            (Some(x), Some(d), _, _) | (_, _, Some(d), Some(x)) => Ok(x.plus(d.us())?.into_object()),
            _ => Ok(not_implemented()),
        }
    }
    #[slot(nb_subtract)]
    fn sub(a: &Object, b: &Object) -> PyResult {
        let Some(x) = a.downcast::<DateTime>() else { return Ok(not_implemented()) };
        if let Some(d) = b.downcast::<Delta>() {
            return Ok(x.plus(-d.us())?.into_object());
        }
        let Some(y) = b.downcast::<DateTime>() else { return Ok(not_implemented()) };
        let mut us = x.total() - y.total();
        if !x.tz().is(y.tz()) {
            match (x.offset("utcoffset")?, y.offset("utcoffset")?) {
                (Some(p), Some(q)) => us -= p - q,
                (None, None) => {}
                _ => return raise!(TypeError, "can't subtract offset-naive and offset-aware datetimes"),
            }
        }
        Ok(Delta::new(us)?.into_object())
    }
    /// Returns new datetime object representing current time local to tz.
    ///
    ///   tz
    ///     Timezone object.
    ///
    /// If no tz is specified, uses local timezone.
    #[classmethod(signature = "(tz=None)")]
    fn now(cls: &Type, tz: Option<&Object>) -> PyResult {
        DateTime::now_in(cls, &*check_tz(tz)?)
    }
    /// Return a new datetime representing UTC day and time.
    #[classmethod]
    fn utcnow(cls: &Type) -> PyResult<Owned<DateTime>> {
        let (s, us) = now();
        DateTime::from_timestamp(cls, s, us, false, none_ref())
    }
    /// timestamp[, tz] -> tz's local time from POSIX timestamp.
    #[classmethod(signature = "(timestamp, tz=None)")]
    fn fromtimestamp(cls: &Type, timestamp: &Object, tz: Option<&Object>) -> PyResult {
        let tz = check_tz(tz)?;
        let (s, us) = split_timestamp(timestamp)?;
        DateTime::at(cls, s, us, &tz)
    }
    /// Construct a naive UTC datetime from a POSIX timestamp.
    #[classmethod]
    fn utcfromtimestamp(cls: &Type, timestamp: &Object) -> PyResult<Owned<DateTime>> {
        let (s, us) = split_timestamp(timestamp)?;
        DateTime::from_timestamp(cls, s, us, false, none_ref())
    }
    /// string, format -> new datetime parsed from a string (like time.strptime()).
    #[classmethod]
    fn strptime(cls: &Type, date_string: &Str, format: &Str) -> PyResult {
        let m = lh_runtime::hooks::import_module("_strptime")?;
        m.call_method("_strptime_datetime", &[cls, date_string, format])
    }
    /// date, time -> datetime with same date and time fields
    #[classmethod(signature = "(date, time, tzinfo=<unrepresentable>)")]
    fn combine(cls: &Type, date: &Date, time: &Time, tzinfo: Option<&Object>) -> PyResult<Owned<DateTime>> {
        let tz = match tzinfo {
            Some(_) => check_tz(tzinfo)?,
            None => time.tz().own(),
        };
        DateTime::make(cls, date.ymd(), time.clock(), &tz)
    }
    /// string -> datetime from a string in most ISO 8601 formats
    #[classmethod]
    fn fromisoformat(cls: &Type, string: &Object) -> PyResult<Owned<DateTime>> {
        let Some(s) = string.downcast::<Str>() else {
            return raise!(TypeError, "fromisoformat: argument must be str");
        };
        let bad = || raise!(ValueError, "Invalid isoformat string: {}", string.repr()?.to_str_lossy());
        // The separator may be any character: it counts as one byte.
        let b: Vec<u8> =
            s.chars().map(|c| u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or(b'?')).collect();
        if b.len() < 7 {
            return bad();
        }
        let at = find_separator(&b);
        let ymd = match parse_date(&b[..at.min(b.len())]) {
            None => return bad(),
            Some(Ok(v)) => v,
            Some(Err((y, w, d))) => iso_to_date(y, w, d)?,
        };
        let mut c = (0, 0, 0, 0, 0);
        let mut tz = none();
        if at < b.len() {
            let Some((h, m, sec, us, off)) = b.get(at + 1..).and_then(parse_time) else { return bad() };
            c = (h, m, sec, us, 0);
            if let Some(o) = off {
                tz = TimeZone::of_us(o)?.into_object();
            }
        }
        DateTime::make(cls, ymd, c, &tz)
    }
    /// Return date object with same year, month and day.
    #[pymethod]
    fn date(&self) -> PyResult<Owned<Date>> {
        let (y, m, d) = self.ymd();
        Date::new_in(Date::class(), y, m, d)
    }
    /// Return time object with same time but with tzinfo=None.
    #[pymethod]
    fn time(&self) -> PyResult<Owned<Time>> {
        Time::new_in(Time::class(), self.clock(), none_ref())
    }
    /// Return time object with same time and tzinfo.
    #[pymethod]
    fn timetz(&self) -> PyResult<Owned<Time>> {
        Time::new_in(Time::class(), self.clock(), self.tz())
    }
    /// Return ctime() style string.
    #[pymethod]
    fn ctime(&self) -> String {
        let ((y, m, d), (hh, mm, ss, _, _)) = (self.ymd(), self.clock());
        let (day, month) = (DAYS[weekday(y, m, d) as usize], MONTHS[m as usize - 1]);
        format!("{day} {month} {d:2} {hh:02}:{mm:02}:{ss:02} {y:04}")
    }
    /// format -> strftime() style string.
    #[pymethod(name = "strftime", signature = "(format)")]
    fn py_strftime(&self, format: &Str) -> PyResult {
        let t = self.call_method("timetuple", &[])?;
        strftime(self, format, &t, self.tz(), self, self.clock().3)
    }
    /// [sep] -> string in ISO 8601 format, YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].
    /// sep is used to separate the year from the time, and defaults to 'T'.
    /// The optional argument timespec specifies the number of additional terms
    /// of the time to include. Valid options are 'auto', 'hours', 'minutes',
    /// 'seconds', 'milliseconds' and 'microseconds'.
    #[pymethod(signature = "(sep='T', timespec='auto')")]
    fn isoformat(&self, sep: Option<&Object>, timespec: &str) -> PyResult<Owned<Str>> {
        // Any code point may separate, also a surrogate.
        let sep = match sep {
            None => 'T' as u32,
            Some(s) => match s.downcast::<Str>() {
                Some(s) if s.len() == 1 => s.char_at(0),
                _ => {
                    return raise!(
                        TypeError,
                        "isoformat() argument 1 must be a unicode character, not {}",
                        s.ty().name()
                    );
                }
            },
        };
        let ((y, m, d), (hh, mm, ss, us, _)) = (self.ymd(), self.clock());
        let Some(t) = time_text(hh, mm, ss, us, timespec) else {
            return raise!(ValueError, "Unknown timespec value");
        };
        let mut b = StrBuilder::new();
        b.push_str(&format!("{y:04}-{m:02}-{d:02}"));
        b.push(sep);
        b.push_str(&t);
        if let Some(off) = self.offset("utcoffset")? {
            b.push_str(&offset_text(off, ":"));
        }
        Ok(b.finish())
    }
    /// Return self.tzinfo.utcoffset(self).
    #[pymethod]
    fn utcoffset(&self) -> PyResult {
        delta_or_none(self.offset("utcoffset")?)
    }
    /// Return self.tzinfo.tzname(self).
    #[pymethod]
    fn tzname(&self) -> PyResult {
        name_of(self.tz(), self)
    }
    /// Return self.tzinfo.dst(self).
    #[pymethod]
    fn dst(&self) -> PyResult {
        delta_or_none(self.offset("dst")?)
    }
    /// Return time tuple, compatible with time.localtime().
    #[pymethod]
    fn timetuple(&self) -> PyResult {
        let ((y, m, d), (hh, mm, ss, _, _)) = (self.ymd(), self.clock());
        let dst = match self.offset("dst")? {
            None => -1,
            Some(v) => (v != 0) as i64,
        };
        struct_time(y, m, d, hh, mm, ss, dst)
    }
    /// Return UTC time tuple, compatible with time.localtime().
    #[pymethod]
    fn utctimetuple(&self) -> PyResult {
        let (ymd, c) = match self.offset("utcoffset")? {
            Some(off) if off != 0 => DateTime::fields_of(self.total() - off)?,
            _ => (self.ymd(), self.clock()),
        };
        struct_time(ymd.0, ymd.1, ymd.2, c.0, c.1, c.2, 0)
    }
    /// Return POSIX timestamp as float.
    #[pymethod]
    fn timestamp(&self) -> PyResult {
        let us = match self.offset("utcoffset")? {
            Some(off) => self.total() - off - EPOCH as i128 * 1_000_000,
            None if !self.tz().is_none() => self.total() - EPOCH as i128 * 1_000_000,
            None => self.local_timestamp()? as i128 * 1_000_000 + self.clock().3 as i128,
        };
        lh_runtime::number::true_divide(&Int::from_i128(us), &Int::from_i64(1_000_000))
    }
    /// Return datetime with new specified fields.
    #[pymethod(raw)]
    fn replace(&self, a: Args<'_>) -> PyResult {
        let ((y, m, d), (hh, mm, ss, us, fold)) = (self.ymd(), self.clock());
        let mut v = [int(y), int(m), int(d), int(hh), int(mm), int(ss), int(us), self.tz().own(), int(fold)];
        if a.len() > 8 {
            return raise!(TypeError, "replace() takes at most 8 positional arguments ({} given)", a.len());
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
        if self.is_exact::<DateTime>() {
            let ymd = (small(&v[0])?, small(&v[1])?, small(&v[2])?);
            let c = (small(&v[3])?, small(&v[4])?, small(&v[5])?, small(&v[6])?, small(&v[8])?);
            return Ok(DateTime::new_in(DateTime::class(), ymd, c, &*check_tz(Some(&v[7]))?)?.into_object());
        }
        let refs: Vec<&Object> = v[..8].iter().map(|x| &**x).collect();
        self.ty().call_kw(&refs, &[("fold", &v[8])])
    }
    /// tz -> convert to local time in new timezone tz
    #[pymethod(signature = "(tz=None)")]
    fn astimezone(&self, tz: Option<&Object>) -> PyResult {
        let mut target = check_tz(tz)?;
        if !target.is_none() && self.tz().is(&*target) {
            return Ok(self.own().into_object());
        }
        let off = self.offset("utcoffset")?;
        let own_zone = match off {
            Some(_) => none(),
            None => DateTime::local_zone(self.local_timestamp()?)?,
        };
        if target.is_none() {
            target = self.system_zone()?;
        } else if off.is_none() && own_zone.is(&*target) {
            return Ok(self.own().into_object());
        }
        let off = match off {
            Some(o) => o,
            None => offset_of(&own_zone, "utcoffset", self)?.unwrap_or(0),
        };
        let (ymd, c) = DateTime::fields_of(self.total() - off)?;
        let utc = DateTime::make(self.ty(), ymd, c, &target)?;
        target.call_method("fromutc", &[&utc])
    }
    fn reduce_state(&self, proto: i64) -> Owned<Tuple> {
        let mut d = self.state();
        if self.clock().4 != 0 && proto > 3 {
            d[2] |= 0x80;
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
        Ok(DateTime::new_in(DateTime::class(), (1, 1, 1), (0, 0, 0, 0, 0), none_ref())?.into_object())
    }
    #[classattr(name = "max")]
    fn max() -> PyResult {
        let c = (23, 59, 59, 999999, 0);
        Ok(DateTime::new_in(DateTime::class(), (9999, 12, 31), c, none_ref())?.into_object())
    }
    #[classattr(name = "resolution")]
    fn resolution() -> PyResult {
        Ok(Delta::new(1)?.into_object())
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            let x = o.cast::<PyDateTime_DateTime>();
            if (*x).hastzinfo != 0 {
                xdecref((*x).tzinfo);
            }
            lh_runtime::typeobject::free_instance(o)
        }
    }
}

fn datetime_doc(b: &mut TypeBuilder) {
    b.doc(
        c"datetime(year, month, day[, hour[, minute[, second[, microsecond[,tzinfo]]]]])\n\n\
The year, month and day arguments are required. tzinfo may be None, or an\ninstance of a tzinfo subclass. The remaining arguments may be ints.",
    );
    let _ = ready::<Date>();
}
