//! Structs of CPython 3.11's `pymem` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyMemAllocatorEx {
    pub ctx: *mut c_void,
    pub malloc: *mut c_void,
    pub calloc: *mut c_void,
    pub realloc: *mut c_void,
    pub free: *mut c_void,
}
const _: () = assert!(size_of::<PyMemAllocatorEx>() == 40);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyObjectArenaAllocator {
    pub ctx: *mut c_void,
    pub alloc: *mut c_void,
    pub free: *mut c_void,
}
const _: () = assert!(size_of::<PyObjectArenaAllocator>() == 24);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _Py_clock_info_t {
    pub implementation: *const c_char,
    pub monotonic: c_int,
    pub adjustable: c_int,
    pub resolution: f64,
}
const _: () = assert!(size_of::<_Py_clock_info_t>() == 24);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyMemAllocatorEx, ctx) == 0);
const _: () = assert!(offset_of!(PyMemAllocatorEx, malloc) == 8);
const _: () = assert!(offset_of!(PyMemAllocatorEx, calloc) == 16);
const _: () = assert!(offset_of!(PyMemAllocatorEx, realloc) == 24);
const _: () = assert!(offset_of!(PyMemAllocatorEx, free) == 32);
const _: () = assert!(offset_of!(PyObjectArenaAllocator, ctx) == 0);
const _: () = assert!(offset_of!(PyObjectArenaAllocator, alloc) == 8);
const _: () = assert!(offset_of!(PyObjectArenaAllocator, free) == 16);
const _: () = assert!(offset_of!(_Py_clock_info_t, implementation) == 0);
const _: () = assert!(offset_of!(_Py_clock_info_t, monotonic) == 8);
const _: () = assert!(offset_of!(_Py_clock_info_t, adjustable) == 12);
const _: () = assert!(offset_of!(_Py_clock_info_t, resolution) == 16);
