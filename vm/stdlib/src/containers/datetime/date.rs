//! `date`.

use super::calendar::*;
use super::datetime::DateTime;
use super::delta::Delta;
use super::{broken_down, full_name, int, small, split_timestamp, state_bytes, strftime, struct_time};
use lh_abi::*;
use lh_runtime::prelude::*;
use lh_runtime::{kind, structseq};
use std::sync::OnceLock;

pub static mut DATE_TYPE: PyTypeObject =
    super::static_type(c"datetime.date", size_of::<PyDateTime_Date>(), Py_TPFLAGS_BASETYPE);
kind!(/** `date` */ Date: PyDateTime_Date, DATE_TYPE);

pub const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
pub const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Date {
    pub fn new_in(cls: &Type, y: i64, m: i64, d: i64) -> PyResult<Owned<Date>> {
        check_date(y, m, d)?;
        Date::unchecked(cls, y, m, d)
    }
    /// Fields as a pickle has them: a state that was made up is not looked at.
    fn unchecked(cls: &Type, y: i64, m: i64, d: i64) -> PyResult<Owned<Date>> {
        // SAFETY: a new instance with this layout.
        unsafe {
            let p = lh_runtime::typeobject::alloc(cls.tp(), 0)?;
            let x = p.cast::<PyDateTime_Date>();
            (*x).hashcode = -1;
            (*x).data = [(y >> 8) as u8, y as u8, m as u8, d as u8];
            Ok(Owned::from_raw(p))
        }
    }
    /// Year, month, day.
    pub fn ymd(&self) -> (i64, i64, i64) {
        // SAFETY: the fields never change.
        let d = unsafe { (*self.as_struct()).data };
        ((d[0] as i64) << 8 | d[1] as i64, d[2] as i64, d[3] as i64)
    }
    pub fn ord(&self) -> i64 {
        let (y, m, d) = self.ymd();
        ordinal(y, m, d)
    }
    /// `cls(y, m, d)`, through the class's constructor if it is a subclass.
    fn make(cls: &Type, y: i64, m: i64, d: i64) -> PyResult {
        if cls.is(Date::class()) {
            return Ok(Date::new_in(cls, y, m, d)?.into_object());
        }
        cls.call(&[&int(y), &int(m), &int(d)])
    }
    fn plus_days(&self, days: i64) -> PyResult {
        let n = self.ord() + days;
        if !(1..=MAX_ORDINAL).contains(&n) {
            return raise!(OverflowError, "date value out of range");
        }
        let (y, m, d) = from_ordinal(n);
        Date::make(self.ty(), y, m, d)
    }
}

fn days_of(d: &Delta) -> i64 {
    d.us().div_euclid(US_PER_DAY) as i64
}

unsafe extern "C" fn iso_reduce(o: *mut PyObject, _: *mut PyObject) -> *mut PyObject {
    lh_runtime::border::object(|| {
        // SAFETY: a method is called with an instance of its type.
        let items = unsafe { Object::from_ptr(o) }.to_items()?;
        (Tuple::class().own(), (Tuple::from_vec(items),)).into_py()
    })
}

/// `datetime.IsoCalendarDate(year, week, weekday)`.
fn iso_tuple(v: (i64, i64, i64)) -> PyResult<Owned<Tuple>> {
    static T: OnceLock<usize> = OnceLock::new();
    let t = match T.get() {
        Some(t) => *t,
        None => {
            let t = structseq::new_type(
                "datetime.IsoCalendarDate",
                "The result of date.isocalendar() or datetime.isocalendar()\n\nThis object may be accessed either as a tuple of\n  ((year, week, weekday))\nor via the object attributes as named in the above tuple.",
                &[("year", ""), ("week", ""), ("weekday", "")],
                3,
            )?;
            // Pickled as the tuple that it is.
            let reduce = Box::new(lh_runtime::builder::method_def(
                c"__reduce__",
                iso_reduce as *const (),
                METH_NOARGS,
                c"",
            ));
            let method = lh_runtime::descrobject::new_method(&t, Box::leak(reduce));
            t.set_builtin_attr("__reduce__", &method)?;
            *T.get_or_init(|| t.into_raw() as usize)
        }
    };
    // SAFETY: the type lives for ever.
    let t = unsafe { Type::from_raw_ref(t as *mut PyTypeObject) };
    Ok(structseq::new(t, vec![int(v.0), int(v.1), int(v.2)]))
}

#[lh_runtime::pymethods(extra = date_doc)]
impl Date {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Date>> {
        if args.len() == 1
            && let Some(b) = state_bytes(args.item_ref(0), 4)
            && (1..=12).contains(&b[2])
        {
            return Date::unchecked(cls, (b[0] as i64) << 8 | b[1] as i64, b[2] as i64, b[3] as i64);
        }
        let mut v = [None, None, None];
        let n = args.len() + kw.map_or(0, |k| k.len());
        if args.len() > 3 || n > 3 {
            return raise!(TypeError, "function takes at most 3 arguments ({} given)", n);
        }
        for (i, a) in args.iter().enumerate() {
            v[i] = Some(a.own());
        }
        if let Some(kw) = kw {
            for (k, x) in kw.items_vec() {
                let k = k.str()?;
                match ["year", "month", "day"].iter().position(|n| k.equals_str(n)) {
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
        let mut out = [0; 3];
        for (i, name) in ["year", "month", "day"].iter().enumerate() {
            match &v[i] {
                Some(x) => out[i] = small(x)?,
                None => {
                    return raise!(
                        TypeError,
                        "function missing required argument '{}' (pos {})",
                        name,
                        i + 1
                    );
                }
            }
        }
        Date::new_in(cls, out[0], out[1], out[2])
    }
    #[slot(tp_repr)]
    fn repr(&self) -> String {
        let (y, m, d) = self.ymd();
        format!("{}({y}, {m}, {d})", full_name(self))
    }
    #[slot(tp_str)]
    fn str_(&self) -> PyResult {
        self.call_method("isoformat", &[])
    }
    #[slot(tp_hash)]
    fn hash(&self) -> PyResult<isize> {
        // SAFETY: the cached hash.
        unsafe {
            let x = self.as_struct();
            if (*x).hashcode == -1 {
                (*x).hashcode = Bytes::new(&(*x).data).hash();
            }
            Ok((*x).hashcode)
        }
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        match other.downcast::<Date>() {
            Some(o) => Ok(bool_obj(op.holds(self.ymd().cmp(&o.ymd())))),
            None => Ok(not_implemented()),
        }
    }
    #[slot(nb_add)]
    fn add(a: &Object, b: &Object) -> PyResult {
        if DateTime::check(a) || DateTime::check(b) {
            return Ok(not_implemented());
        }
        match (a.downcast::<Date>(), b.downcast::<Delta>(), a.downcast::<Delta>(), b.downcast::<Date>()) {
            (Some(x), Some(d), _, _) => x.plus_days(days_of(d)),
            (_, _, Some(d), Some(x)) => x.plus_days(days_of(d)),
            _ => Ok(not_implemented()),
        }
    }
    #[slot(nb_subtract)]
    fn sub(a: &Object, b: &Object) -> PyResult {
        if DateTime::check(a) || DateTime::check(b) {
            return Ok(not_implemented());
        }
        let Some(x) = a.downcast::<Date>() else { return Ok(not_implemented()) };
        if let Some(y) = b.downcast::<Date>() {
            return Ok(Delta::new((x.ord() - y.ord()) as i128 * US_PER_DAY)?.into_object());
        }
        match b.downcast::<Delta>() {
            Some(d) => x.plus_days(-days_of(d)),
            None => Ok(not_implemented()),
        }
    }
    /// timestamp -> local date from a POSIX timestamp (like time.time()).
    #[classmethod]
    fn fromtimestamp(cls: &Type, timestamp: &Object) -> PyResult {
        let secs = match timestamp.downcast::<Float>() {
            Some(f) if f.value().is_nan() => return raise!(ValueError, "Invalid value NaN (not a number)"),
            Some(f) if f.value().abs() < 9e18 => f.value().floor() as i64,
            _ => split_timestamp(timestamp)?.0,
        };
        let t = broken_down(secs, true)?;
        Date::make(cls, t[0], t[1], t[2])
    }
    /// int -> date corresponding to a proleptic Gregorian ordinal.
    #[classmethod]
    fn fromordinal(cls: &Type, ordinal: &Object) -> PyResult {
        let n = small(ordinal)?;
        if n < 1 {
            return raise!(ValueError, "ordinal must be >= 1");
        }
        if n > MAX_ORDINAL {
            let (y, _, _) = from_ordinal(n);
            return raise!(ValueError, "year {} is out of range", y);
        }
        let (y, m, d) = from_ordinal(n);
        Date::make(cls, y, m, d)
    }
    /// str -> Construct a date from a string in ISO 8601 format.
    #[classmethod]
    fn fromisoformat(cls: &Type, date_string: &Object) -> PyResult {
        let Some(s) = date_string.downcast::<Str>() else {
            return raise!(TypeError, "fromisoformat: argument must be str");
        };
        let bad = || raise!(ValueError, "Invalid isoformat string: {}", date_string.repr()?.to_str_lossy());
        if !s.is_ascii() {
            return bad();
        }
        let b = s.to_str()?.as_bytes();
        let (y, m, d) = match if matches!(b.len(), 7 | 8 | 10) { parse_date(b) } else { None } {
            None => return bad(),
            Some(Ok(v)) => v,
            Some(Err((y, w, d))) => iso_to_date(y, w, d)?,
        };
        Date::make(cls, y, m, d)
    }
    /// int, int, int -> Construct a date from the ISO year, week number and weekday.
    ///
    /// This is the inverse of the function date.isocalendar()
    #[classmethod(signature = "(year, week, day)")]
    fn fromisocalendar(cls: &Type, year: &Object, week: &Object, day: &Object) -> PyResult {
        let v = |o: &Object| match small(o) {
            Err(e) if e.matches(exc::OverflowError()) => {
                e.clear();
                raise!(ValueError, "ISO calendar component out of range")
            }
            r => r,
        };
        let (y, m, d) = iso_to_date(v(year)?, v(week)?, v(day)?)?;
        Date::make(cls, y, m, d)
    }
    /// Current date or datetime:  same as self.__class__.fromtimestamp(time.time()).
    #[classmethod]
    fn today(cls: &Type) -> PyResult {
        let t = lh_runtime::hooks::import_module("time")?.call_method("time", &[])?;
        cls.call_method("fromtimestamp", &[&t])
    }
    /// Return ctime() style string.
    #[pymethod]
    fn ctime(&self) -> String {
        let (y, m, d) = self.ymd();
        format!("{} {} {:2} 00:00:00 {:04}", DAYS[weekday(y, m, d) as usize], MONTHS[m as usize - 1], d, y)
    }
    /// format -> strftime() style string.
    #[pymethod(name = "strftime", signature = "(format)")]
    fn py_strftime(&self, format: &Str) -> PyResult {
        let t = self.call_method("timetuple", &[])?;
        strftime(self, format, &t, none_ref(), none_ref(), 0)
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
    /// Return string in ISO 8601 format, YYYY-MM-DD.
    #[pymethod]
    fn isoformat(&self) -> String {
        let (y, m, d) = self.ymd();
        format!("{y:04}-{m:02}-{d:02}")
    }
    /// Return the day of the week represented by the date.
    /// Monday == 1 ... Sunday == 7
    #[pymethod]
    fn isoweekday(&self) -> i64 {
        let (y, m, d) = self.ymd();
        weekday(y, m, d) + 1
    }
    /// Return a named tuple containing ISO year, week number, and weekday.
    #[pymethod]
    fn isocalendar(&self) -> PyResult<Owned<Tuple>> {
        let (y, m, d) = self.ymd();
        iso_tuple(iso_calendar(y, m, d))
    }
    /// Return time tuple, compatible with time.localtime().
    #[pymethod]
    fn timetuple(&self) -> PyResult {
        let (y, m, d) = self.ymd();
        struct_time(y, m, d, 0, 0, 0, -1)
    }
    /// Return proleptic Gregorian ordinal.  January 1 of year 1 is day 1.
    #[pymethod]
    fn toordinal(&self) -> i64 {
        self.ord()
    }
    /// Return the day of the week represented by the date.
    /// Monday == 0 ... Sunday == 6
    #[pymethod(name = "weekday")]
    fn py_weekday(&self) -> i64 {
        let (y, m, d) = self.ymd();
        weekday(y, m, d)
    }
    /// Return date with new specified fields.
    #[pymethod(signature = "(year=<unrepresentable>, month=<unrepresentable>, day=<unrepresentable>)")]
    fn replace(&self, year: Option<&Object>, month: Option<&Object>, day: Option<&Object>) -> PyResult {
        let (y, m, d) = self.ymd();
        let v = |o: Option<&Object>, old| o.map_or(Ok(old), small);
        Date::make(self.ty(), v(year, y)?, v(month, m)?, v(day, d)?)
    }
    /// __reduce__() -> (cls, state)
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, (Owned<Bytes>,)) {
        // SAFETY: the fields never change.
        let data = unsafe { (*self.as_struct()).data };
        (self.ty().own(), (Bytes::new(&data),))
    }
    #[getter]
    fn year(&self) -> i64 {
        self.ymd().0
    }
    #[getter]
    fn month(&self) -> i64 {
        self.ymd().1
    }
    #[getter]
    fn day(&self) -> i64 {
        self.ymd().2
    }
    #[classattr(name = "min")]
    fn min() -> PyResult {
        Ok(Date::new_in(Date::class(), 1, 1, 1)?.into_object())
    }
    #[classattr(name = "max")]
    fn max() -> PyResult {
        Ok(Date::new_in(Date::class(), 9999, 12, 31)?.into_object())
    }
    #[classattr(name = "resolution")]
    fn resolution() -> PyResult {
        Ok(Delta::new(US_PER_DAY)?.into_object())
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero; no references inside.
        unsafe { lh_runtime::typeobject::free_instance(o) }
    }
}

fn date_doc(b: &mut TypeBuilder) {
    b.doc(c"date(year, month, day) --> date object");
    // The class attributes are made from timedeltas.
    let _ = ready::<Delta>();
}
