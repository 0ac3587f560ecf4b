//! Structs of CPython 3.11's `code` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyCodeObject {
    pub ob_base: PyVarObject,
    pub co_consts: *mut PyObject,
    pub co_names: *mut PyObject,
    pub co_exceptiontable: *mut PyObject,
    pub co_flags: c_int,
    pub co_warmup: i16,
    pub _co_linearray_entry_size: i16,
    pub co_argcount: c_int,
    pub co_posonlyargcount: c_int,
    pub co_kwonlyargcount: c_int,
    pub co_stacksize: c_int,
    pub co_firstlineno: c_int,
    pub co_nlocalsplus: c_int,
    pub co_nlocals: c_int,
    pub co_nplaincellvars: c_int,
    pub co_ncellvars: c_int,
    pub co_nfreevars: c_int,
    pub co_localsplusnames: *mut PyObject,
    pub co_localspluskinds: *mut PyObject,
    pub co_filename: *mut PyObject,
    pub co_name: *mut PyObject,
    pub co_qualname: *mut PyObject,
    pub co_linetable: *mut PyObject,
    pub co_weakreflist: *mut PyObject,
    pub _co_code: *mut PyObject,
    pub _co_linearray: *mut c_char,
    pub _co_firsttraceable: c_int,
    pub co_extra: *mut c_void,
    pub co_code_adaptive: [c_char; 1],
}
const _: () = assert!(size_of::<PyCodeObject>() == 192);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyCodeObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyCodeObject, co_consts) == 24);
const _: () = assert!(offset_of!(PyCodeObject, co_names) == 32);
const _: () = assert!(offset_of!(PyCodeObject, co_exceptiontable) == 40);
const _: () = assert!(offset_of!(PyCodeObject, co_flags) == 48);
const _: () = assert!(offset_of!(PyCodeObject, co_warmup) == 52);
const _: () = assert!(offset_of!(PyCodeObject, _co_linearray_entry_size) == 54);
const _: () = assert!(offset_of!(PyCodeObject, co_argcount) == 56);
const _: () = assert!(offset_of!(PyCodeObject, co_posonlyargcount) == 60);
const _: () = assert!(offset_of!(PyCodeObject, co_kwonlyargcount) == 64);
const _: () = assert!(offset_of!(PyCodeObject, co_stacksize) == 68);
const _: () = assert!(offset_of!(PyCodeObject, co_firstlineno) == 72);
const _: () = assert!(offset_of!(PyCodeObject, co_nlocalsplus) == 76);
const _: () = assert!(offset_of!(PyCodeObject, co_nlocals) == 80);
const _: () = assert!(offset_of!(PyCodeObject, co_nplaincellvars) == 84);
const _: () = assert!(offset_of!(PyCodeObject, co_ncellvars) == 88);
const _: () = assert!(offset_of!(PyCodeObject, co_nfreevars) == 92);
const _: () = assert!(offset_of!(PyCodeObject, co_localsplusnames) == 96);
const _: () = assert!(offset_of!(PyCodeObject, co_localspluskinds) == 104);
const _: () = assert!(offset_of!(PyCodeObject, co_filename) == 112);
const _: () = assert!(offset_of!(PyCodeObject, co_name) == 120);
const _: () = assert!(offset_of!(PyCodeObject, co_qualname) == 128);
const _: () = assert!(offset_of!(PyCodeObject, co_linetable) == 136);
const _: () = assert!(offset_of!(PyCodeObject, co_weakreflist) == 144);
const _: () = assert!(offset_of!(PyCodeObject, _co_code) == 152);
const _: () = assert!(offset_of!(PyCodeObject, _co_linearray) == 160);
const _: () = assert!(offset_of!(PyCodeObject, _co_firsttraceable) == 168);
const _: () = assert!(offset_of!(PyCodeObject, co_extra) == 176);
const _: () = assert!(offset_of!(PyCodeObject, co_code_adaptive) == 184);
