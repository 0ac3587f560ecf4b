//! Structs of CPython 3.11's `datetime` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyDateTime_CAPI {
    pub DateType: *mut PyTypeObject,
    pub DateTimeType: *mut PyTypeObject,
    pub TimeType: *mut PyTypeObject,
    pub DeltaType: *mut PyTypeObject,
    pub TZInfoType: *mut PyTypeObject,
    pub TimeZone_UTC: *mut PyObject,
    pub Date_FromDate: *mut c_void,
    pub DateTime_FromDateAndTime: *mut c_void,
    pub Time_FromTime: *mut c_void,
    pub Delta_FromDelta: *mut c_void,
    pub TimeZone_FromTimeZone: *mut c_void,
    pub DateTime_FromTimestamp: *mut c_void,
    pub Date_FromTimestamp: *mut c_void,
    pub DateTime_FromDateAndTimeAndFold: *mut c_void,
    pub Time_FromTimeAndFold: *mut c_void,
}
const _: () = assert!(size_of::<PyDateTime_CAPI>() == 120);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyDateTime_Date {
    pub ob_base: PyObject,
    pub hashcode: isize,
    pub hastzinfo: c_char,
    pub data: [u8; 4],
}
const _: () = assert!(size_of::<PyDateTime_Date>() == 32);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyDateTime_DateTime {
    pub ob_base: PyObject,
    pub hashcode: isize,
    pub hastzinfo: c_char,
    pub data: [u8; 10],
    pub fold: u8,
    pub tzinfo: *mut PyObject,
}
const _: () = assert!(size_of::<PyDateTime_DateTime>() == 48);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyDateTime_Delta {
    pub ob_base: PyObject,
    pub hashcode: isize,
    pub days: c_int,
    pub seconds: c_int,
    pub microseconds: c_int,
}
const _: () = assert!(size_of::<PyDateTime_Delta>() == 40);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyDateTime_TZInfo {
    pub ob_base: PyObject,
}
const _: () = assert!(size_of::<PyDateTime_TZInfo>() == 16);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyDateTime_Time {
    pub ob_base: PyObject,
    pub hashcode: isize,
    pub hastzinfo: c_char,
    pub data: [u8; 6],
    pub fold: u8,
    pub tzinfo: *mut PyObject,
}
const _: () = assert!(size_of::<PyDateTime_Time>() == 40);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _PyDateTime_BaseDateTime {
    pub ob_base: PyObject,
    pub hashcode: isize,
    pub hastzinfo: c_char,
    pub data: [u8; 10],
}
const _: () = assert!(size_of::<_PyDateTime_BaseDateTime>() == 40);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _PyDateTime_BaseTZInfo {
    pub ob_base: PyObject,
    pub hashcode: isize,
    pub hastzinfo: c_char,
}
const _: () = assert!(size_of::<_PyDateTime_BaseTZInfo>() == 32);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _PyDateTime_BaseTime {
    pub ob_base: PyObject,
    pub hashcode: isize,
    pub hastzinfo: c_char,
    pub data: [u8; 6],
}
const _: () = assert!(size_of::<_PyDateTime_BaseTime>() == 32);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyDateTime_CAPI, DateType) == 0);
const _: () = assert!(offset_of!(PyDateTime_CAPI, DateTimeType) == 8);
const _: () = assert!(offset_of!(PyDateTime_CAPI, TimeType) == 16);
const _: () = assert!(offset_of!(PyDateTime_CAPI, DeltaType) == 24);
const _: () = assert!(offset_of!(PyDateTime_CAPI, TZInfoType) == 32);
const _: () = assert!(offset_of!(PyDateTime_CAPI, TimeZone_UTC) == 40);
const _: () = assert!(offset_of!(PyDateTime_CAPI, Date_FromDate) == 48);
const _: () = assert!(offset_of!(PyDateTime_CAPI, DateTime_FromDateAndTime) == 56);
const _: () = assert!(offset_of!(PyDateTime_CAPI, Time_FromTime) == 64);
const _: () = assert!(offset_of!(PyDateTime_CAPI, Delta_FromDelta) == 72);
const _: () = assert!(offset_of!(PyDateTime_CAPI, TimeZone_FromTimeZone) == 80);
const _: () = assert!(offset_of!(PyDateTime_CAPI, DateTime_FromTimestamp) == 88);
const _: () = assert!(offset_of!(PyDateTime_CAPI, Date_FromTimestamp) == 96);
const _: () = assert!(offset_of!(PyDateTime_CAPI, DateTime_FromDateAndTimeAndFold) == 104);
const _: () = assert!(offset_of!(PyDateTime_CAPI, Time_FromTimeAndFold) == 112);
const _: () = assert!(offset_of!(PyDateTime_Date, ob_base) == 0);
const _: () = assert!(offset_of!(PyDateTime_Date, hashcode) == 16);
const _: () = assert!(offset_of!(PyDateTime_Date, hastzinfo) == 24);
const _: () = assert!(offset_of!(PyDateTime_Date, data) == 25);
const _: () = assert!(offset_of!(PyDateTime_DateTime, ob_base) == 0);
const _: () = assert!(offset_of!(PyDateTime_DateTime, hashcode) == 16);
const _: () = assert!(offset_of!(PyDateTime_DateTime, hastzinfo) == 24);
const _: () = assert!(offset_of!(PyDateTime_DateTime, data) == 25);
const _: () = assert!(offset_of!(PyDateTime_DateTime, fold) == 35);
const _: () = assert!(offset_of!(PyDateTime_DateTime, tzinfo) == 40);
const _: () = assert!(offset_of!(PyDateTime_Delta, ob_base) == 0);
const _: () = assert!(offset_of!(PyDateTime_Delta, hashcode) == 16);
const _: () = assert!(offset_of!(PyDateTime_Delta, days) == 24);
const _: () = assert!(offset_of!(PyDateTime_Delta, seconds) == 28);
const _: () = assert!(offset_of!(PyDateTime_Delta, microseconds) == 32);
const _: () = assert!(offset_of!(PyDateTime_TZInfo, ob_base) == 0);
const _: () = assert!(offset_of!(PyDateTime_Time, ob_base) == 0);
const _: () = assert!(offset_of!(PyDateTime_Time, hashcode) == 16);
const _: () = assert!(offset_of!(PyDateTime_Time, hastzinfo) == 24);
const _: () = assert!(offset_of!(PyDateTime_Time, data) == 25);
const _: () = assert!(offset_of!(PyDateTime_Time, fold) == 31);
const _: () = assert!(offset_of!(PyDateTime_Time, tzinfo) == 32);
const _: () = assert!(offset_of!(_PyDateTime_BaseDateTime, ob_base) == 0);
const _: () = assert!(offset_of!(_PyDateTime_BaseDateTime, hashcode) == 16);
const _: () = assert!(offset_of!(_PyDateTime_BaseDateTime, hastzinfo) == 24);
const _: () = assert!(offset_of!(_PyDateTime_BaseDateTime, data) == 25);
const _: () = assert!(offset_of!(_PyDateTime_BaseTZInfo, ob_base) == 0);
const _: () = assert!(offset_of!(_PyDateTime_BaseTZInfo, hashcode) == 16);
const _: () = assert!(offset_of!(_PyDateTime_BaseTZInfo, hastzinfo) == 24);
const _: () = assert!(offset_of!(_PyDateTime_BaseTime, ob_base) == 0);
const _: () = assert!(offset_of!(_PyDateTime_BaseTime, hashcode) == 16);
const _: () = assert!(offset_of!(_PyDateTime_BaseTime, hastzinfo) == 24);
const _: () = assert!(offset_of!(_PyDateTime_BaseTime, data) == 25);
