//! Structs of CPython 3.11's `pystate` family of headers, field for field.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyFrameObject {
    pub ob_base: PyObject,
    pub f_back: *mut PyFrameObject,
    pub f_frame: *mut c_void,
    pub f_trace: *mut PyObject,
    pub f_lineno: c_int,
    pub f_trace_lines: c_char,
    pub f_trace_opcodes: c_char,
    pub f_fast_as_locals: c_char,
    pub _f_frame_data: [*mut PyObject; 1],
}
const _: () = assert!(size_of::<PyFrameObject>() == 56);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyThreadState {
    pub prev: *mut PyThreadState,
    pub next: *mut PyThreadState,
    pub interp: *mut c_void,
    pub _initialized: c_int,
    pub _static: c_int,
    pub recursion_remaining: c_int,
    pub recursion_limit: c_int,
    pub recursion_headroom: c_int,
    pub tracing: c_int,
    pub tracing_what: c_int,
    pub cframe: *mut _PyCFrame,
    pub c_profilefunc: Option<Py_tracefunc>,
    pub c_tracefunc: Option<Py_tracefunc>,
    pub c_profileobj: *mut PyObject,
    pub c_traceobj: *mut PyObject,
    pub curexc_type: *mut PyObject,
    pub curexc_value: *mut PyObject,
    pub curexc_traceback: *mut PyObject,
    pub exc_info: *mut _PyErr_StackItem,
    pub dict: *mut PyObject,
    pub gilstate_counter: c_int,
    pub async_exc: *mut PyObject,
    pub thread_id: c_ulong,
    pub native_thread_id: c_ulong,
    pub trash_delete_nesting: c_int,
    pub trash_delete_later: *mut PyObject,
    pub on_delete: Option<unsafe extern "C" fn(*mut c_void)>,
    pub on_delete_data: *mut c_void,
    pub coroutine_origin_tracking_depth: c_int,
    pub async_gen_firstiter: *mut PyObject,
    pub async_gen_finalizer: *mut PyObject,
    pub context: *mut PyObject,
    pub context_ver: u64,
    pub id: u64,
    pub trace_info: PyTraceInfo,
    pub datastack_chunk: *mut _PyStackChunk,
    pub datastack_top: *mut *mut PyObject,
    pub datastack_limit: *mut *mut PyObject,
    pub exc_state: _PyErr_StackItem,
    pub root_cframe: _PyCFrame,
}
const _: () = assert!(size_of::<PyThreadState>() == 360);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyTraceInfo {
    pub code: *mut PyCodeObject,
    pub bounds: [usize; 5],
}
const _: () = assert!(size_of::<PyTraceInfo>() == 48);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyTracebackObject {
    pub ob_base: PyObject,
    pub tb_next: *mut PyTracebackObject,
    pub tb_frame: *mut PyFrameObject,
    pub tb_lasti: c_int,
    pub tb_lineno: c_int,
}
const _: () = assert!(size_of::<PyTracebackObject>() == 40);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Py_tss_t {
    pub _is_initialized: c_int,
    pub _key: c_uint,
}
const _: () = assert!(size_of::<Py_tss_t>() == 8);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _PyCFrame {
    pub use_tracing: u8,
    pub current_frame: *mut c_void,
    pub previous: *mut _PyCFrame,
}
const _: () = assert!(size_of::<_PyCFrame>() == 24);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _PyErr_StackItem {
    pub exc_value: *mut PyObject,
    pub previous_item: *mut _PyErr_StackItem,
}
const _: () = assert!(size_of::<_PyErr_StackItem>() == 16);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _PyStackChunk {
    pub previous: *mut _PyStackChunk,
    pub size: usize,
    pub top: usize,
    pub data: [*mut PyObject; 1],
}
const _: () = assert!(size_of::<_PyStackChunk>() == 32);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyFrameObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyFrameObject, f_back) == 16);
const _: () = assert!(offset_of!(PyFrameObject, f_frame) == 24);
const _: () = assert!(offset_of!(PyFrameObject, f_trace) == 32);
const _: () = assert!(offset_of!(PyFrameObject, f_lineno) == 40);
const _: () = assert!(offset_of!(PyFrameObject, f_trace_lines) == 44);
const _: () = assert!(offset_of!(PyFrameObject, f_trace_opcodes) == 45);
const _: () = assert!(offset_of!(PyFrameObject, f_fast_as_locals) == 46);
const _: () = assert!(offset_of!(PyFrameObject, _f_frame_data) == 48);
const _: () = assert!(offset_of!(PyThreadState, prev) == 0);
const _: () = assert!(offset_of!(PyThreadState, next) == 8);
const _: () = assert!(offset_of!(PyThreadState, interp) == 16);
const _: () = assert!(offset_of!(PyThreadState, _initialized) == 24);
const _: () = assert!(offset_of!(PyThreadState, _static) == 28);
const _: () = assert!(offset_of!(PyThreadState, recursion_remaining) == 32);
const _: () = assert!(offset_of!(PyThreadState, recursion_limit) == 36);
const _: () = assert!(offset_of!(PyThreadState, recursion_headroom) == 40);
const _: () = assert!(offset_of!(PyThreadState, tracing) == 44);
const _: () = assert!(offset_of!(PyThreadState, tracing_what) == 48);
const _: () = assert!(offset_of!(PyThreadState, cframe) == 56);
const _: () = assert!(offset_of!(PyThreadState, c_profilefunc) == 64);
const _: () = assert!(offset_of!(PyThreadState, c_tracefunc) == 72);
const _: () = assert!(offset_of!(PyThreadState, c_profileobj) == 80);
const _: () = assert!(offset_of!(PyThreadState, c_traceobj) == 88);
const _: () = assert!(offset_of!(PyThreadState, curexc_type) == 96);
const _: () = assert!(offset_of!(PyThreadState, curexc_value) == 104);
const _: () = assert!(offset_of!(PyThreadState, curexc_traceback) == 112);
const _: () = assert!(offset_of!(PyThreadState, exc_info) == 120);
const _: () = assert!(offset_of!(PyThreadState, dict) == 128);
const _: () = assert!(offset_of!(PyThreadState, gilstate_counter) == 136);
const _: () = assert!(offset_of!(PyThreadState, async_exc) == 144);
const _: () = assert!(offset_of!(PyThreadState, thread_id) == 152);
const _: () = assert!(offset_of!(PyThreadState, native_thread_id) == 160);
const _: () = assert!(offset_of!(PyThreadState, trash_delete_nesting) == 168);
const _: () = assert!(offset_of!(PyThreadState, trash_delete_later) == 176);
const _: () = assert!(offset_of!(PyThreadState, on_delete) == 184);
const _: () = assert!(offset_of!(PyThreadState, on_delete_data) == 192);
const _: () = assert!(offset_of!(PyThreadState, coroutine_origin_tracking_depth) == 200);
const _: () = assert!(offset_of!(PyThreadState, async_gen_firstiter) == 208);
const _: () = assert!(offset_of!(PyThreadState, async_gen_finalizer) == 216);
const _: () = assert!(offset_of!(PyThreadState, context) == 224);
const _: () = assert!(offset_of!(PyThreadState, context_ver) == 232);
const _: () = assert!(offset_of!(PyThreadState, id) == 240);
const _: () = assert!(offset_of!(PyThreadState, trace_info) == 248);
const _: () = assert!(offset_of!(PyThreadState, datastack_chunk) == 296);
const _: () = assert!(offset_of!(PyThreadState, datastack_top) == 304);
const _: () = assert!(offset_of!(PyThreadState, datastack_limit) == 312);
const _: () = assert!(offset_of!(PyThreadState, exc_state) == 320);
const _: () = assert!(offset_of!(PyThreadState, root_cframe) == 336);
const _: () = assert!(offset_of!(PyTraceInfo, code) == 0);
const _: () = assert!(offset_of!(PyTraceInfo, bounds) == 8);
const _: () = assert!(offset_of!(PyTracebackObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyTracebackObject, tb_next) == 16);
const _: () = assert!(offset_of!(PyTracebackObject, tb_frame) == 24);
const _: () = assert!(offset_of!(PyTracebackObject, tb_lasti) == 32);
const _: () = assert!(offset_of!(PyTracebackObject, tb_lineno) == 36);
const _: () = assert!(offset_of!(Py_tss_t, _is_initialized) == 0);
const _: () = assert!(offset_of!(Py_tss_t, _key) == 4);
const _: () = assert!(offset_of!(_PyCFrame, use_tracing) == 0);
const _: () = assert!(offset_of!(_PyCFrame, current_frame) == 8);
const _: () = assert!(offset_of!(_PyCFrame, previous) == 16);
const _: () = assert!(offset_of!(_PyErr_StackItem, exc_value) == 0);
const _: () = assert!(offset_of!(_PyErr_StackItem, previous_item) == 8);
const _: () = assert!(offset_of!(_PyStackChunk, previous) == 0);
const _: () = assert!(offset_of!(_PyStackChunk, size) == 8);
const _: () = assert!(offset_of!(_PyStackChunk, top) == 16);
const _: () = assert!(offset_of!(_PyStackChunk, data) == 24);
