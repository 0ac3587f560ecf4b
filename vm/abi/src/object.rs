//! object.h and cpython/object.h: the object head, type objects and their slot tables, the GC pre-header.
//!
//! Sizes and offsets (x86-64 Linux) are asserted at compile time at the foot of the file.

#[allow(unused_imports)]
use crate::*;
#[allow(unused_imports)]
use core::ffi::*;
use core::mem::{offset_of, size_of};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyAsyncMethods {
    pub am_await: Option<unaryfunc>,
    pub am_aiter: Option<unaryfunc>,
    pub am_anext: Option<unaryfunc>,
    pub am_send: Option<sendfunc>,
}
const _: () = assert!(size_of::<PyAsyncMethods>() == 32);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyBufferProcs {
    pub bf_getbuffer: Option<getbufferproc>,
    pub bf_releasebuffer: Option<releasebufferproc>,
}
const _: () = assert!(size_of::<PyBufferProcs>() == 16);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyGC_Head {
    pub _gc_next: usize,
    pub _gc_prev: usize,
}
const _: () = assert!(size_of::<PyGC_Head>() == 16);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyHeapTypeObject {
    pub ht_type: PyTypeObject,
    pub as_async: PyAsyncMethods,
    pub as_number: PyNumberMethods,
    pub as_mapping: PyMappingMethods,
    pub as_sequence: PySequenceMethods,
    pub as_buffer: PyBufferProcs,
    pub ht_name: *mut PyObject,
    pub ht_slots: *mut PyObject,
    pub ht_qualname: *mut PyObject,
    pub ht_cached_keys: *mut c_void,
    pub ht_module: *mut PyObject,
    pub _ht_tpname: *mut c_char,
    pub _spec_cache: *mut c_void,
}
const _: () = assert!(size_of::<PyHeapTypeObject>() == 904);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyMappingMethods {
    pub mp_length: Option<lenfunc>,
    pub mp_subscript: Option<binaryfunc>,
    pub mp_ass_subscript: Option<objobjargproc>,
}
const _: () = assert!(size_of::<PyMappingMethods>() == 24);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyNumberMethods {
    pub nb_add: Option<binaryfunc>,
    pub nb_subtract: Option<binaryfunc>,
    pub nb_multiply: Option<binaryfunc>,
    pub nb_remainder: Option<binaryfunc>,
    pub nb_divmod: Option<binaryfunc>,
    pub nb_power: Option<ternaryfunc>,
    pub nb_negative: Option<unaryfunc>,
    pub nb_positive: Option<unaryfunc>,
    pub nb_absolute: Option<unaryfunc>,
    pub nb_bool: Option<inquiry>,
    pub nb_invert: Option<unaryfunc>,
    pub nb_lshift: Option<binaryfunc>,
    pub nb_rshift: Option<binaryfunc>,
    pub nb_and: Option<binaryfunc>,
    pub nb_xor: Option<binaryfunc>,
    pub nb_or: Option<binaryfunc>,
    pub nb_int: Option<unaryfunc>,
    pub nb_reserved: *mut c_void,
    pub nb_float: Option<unaryfunc>,
    pub nb_inplace_add: Option<binaryfunc>,
    pub nb_inplace_subtract: Option<binaryfunc>,
    pub nb_inplace_multiply: Option<binaryfunc>,
    pub nb_inplace_remainder: Option<binaryfunc>,
    pub nb_inplace_power: Option<ternaryfunc>,
    pub nb_inplace_lshift: Option<binaryfunc>,
    pub nb_inplace_rshift: Option<binaryfunc>,
    pub nb_inplace_and: Option<binaryfunc>,
    pub nb_inplace_xor: Option<binaryfunc>,
    pub nb_inplace_or: Option<binaryfunc>,
    pub nb_floor_divide: Option<binaryfunc>,
    pub nb_true_divide: Option<binaryfunc>,
    pub nb_inplace_floor_divide: Option<binaryfunc>,
    pub nb_inplace_true_divide: Option<binaryfunc>,
    pub nb_index: Option<unaryfunc>,
    pub nb_matrix_multiply: Option<binaryfunc>,
    pub nb_inplace_matrix_multiply: Option<binaryfunc>,
}
const _: () = assert!(size_of::<PyNumberMethods>() == 288);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyObject {
    pub ob_refcnt: isize,
    pub ob_type: *mut PyTypeObject,
}
const _: () = assert!(size_of::<PyObject>() == 16);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PySequenceMethods {
    pub sq_length: Option<lenfunc>,
    pub sq_concat: Option<binaryfunc>,
    pub sq_repeat: Option<ssizeargfunc>,
    pub sq_item: Option<ssizeargfunc>,
    pub was_sq_slice: *mut c_void,
    pub sq_ass_item: Option<ssizeobjargproc>,
    pub was_sq_ass_slice: *mut c_void,
    pub sq_contains: Option<objobjproc>,
    pub sq_inplace_concat: Option<binaryfunc>,
    pub sq_inplace_repeat: Option<ssizeargfunc>,
}
const _: () = assert!(size_of::<PySequenceMethods>() == 80);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyTypeObject {
    pub ob_base: PyVarObject,
    pub tp_name: *const c_char,
    pub tp_basicsize: isize,
    pub tp_itemsize: isize,
    pub tp_dealloc: Option<destructor>,
    pub tp_vectorcall_offset: isize,
    pub tp_getattr: Option<getattrfunc>,
    pub tp_setattr: Option<setattrfunc>,
    pub tp_as_async: *mut PyAsyncMethods,
    pub tp_repr: Option<reprfunc>,
    pub tp_as_number: *mut PyNumberMethods,
    pub tp_as_sequence: *mut PySequenceMethods,
    pub tp_as_mapping: *mut PyMappingMethods,
    pub tp_hash: Option<hashfunc>,
    pub tp_call: Option<ternaryfunc>,
    pub tp_str: Option<reprfunc>,
    pub tp_getattro: Option<getattrofunc>,
    pub tp_setattro: Option<setattrofunc>,
    pub tp_as_buffer: *mut PyBufferProcs,
    pub tp_flags: c_ulong,
    pub tp_doc: *const c_char,
    pub tp_traverse: Option<traverseproc>,
    pub tp_clear: Option<inquiry>,
    pub tp_richcompare: Option<richcmpfunc>,
    pub tp_weaklistoffset: isize,
    pub tp_iter: Option<getiterfunc>,
    pub tp_iternext: Option<iternextfunc>,
    pub tp_methods: *mut PyMethodDef,
    pub tp_members: *mut PyMemberDef,
    pub tp_getset: *mut PyGetSetDef,
    pub tp_base: *mut PyTypeObject,
    pub tp_dict: *mut PyObject,
    pub tp_descr_get: Option<descrgetfunc>,
    pub tp_descr_set: Option<descrsetfunc>,
    pub tp_dictoffset: isize,
    pub tp_init: Option<initproc>,
    pub tp_alloc: Option<allocfunc>,
    pub tp_new: Option<newfunc>,
    pub tp_free: Option<freefunc>,
    pub tp_is_gc: Option<inquiry>,
    pub tp_bases: *mut PyObject,
    pub tp_mro: *mut PyObject,
    pub tp_cache: *mut PyObject,
    pub tp_subclasses: *mut PyObject,
    pub tp_weaklist: *mut PyObject,
    pub tp_del: Option<destructor>,
    pub tp_version_tag: c_uint,
    pub tp_finalize: Option<destructor>,
    pub tp_vectorcall: vectorcallfunc,
}
const _: () = assert!(size_of::<PyTypeObject>() == 408);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyType_Slot {
    pub slot: c_int,
    pub pfunc: *mut c_void,
}
const _: () = assert!(size_of::<PyType_Slot>() == 16);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyType_Spec {
    pub name: *const c_char,
    pub basicsize: c_int,
    pub itemsize: c_int,
    pub flags: c_uint,
    pub slots: *mut PyType_Slot,
}
const _: () = assert!(size_of::<PyType_Spec>() == 32);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyVarObject {
    pub ob_base: PyObject,
    pub ob_size: isize,
}
const _: () = assert!(size_of::<PyVarObject>() == 24);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct _Py_Identifier {
    pub string: *const c_char,
    pub index: isize,
}
const _: () = assert!(size_of::<_Py_Identifier>() == 16);

// ---- Offsets ----

const _: () = assert!(offset_of!(PyAsyncMethods, am_await) == 0);
const _: () = assert!(offset_of!(PyAsyncMethods, am_aiter) == 8);
const _: () = assert!(offset_of!(PyAsyncMethods, am_anext) == 16);
const _: () = assert!(offset_of!(PyAsyncMethods, am_send) == 24);
const _: () = assert!(offset_of!(PyBufferProcs, bf_getbuffer) == 0);
const _: () = assert!(offset_of!(PyBufferProcs, bf_releasebuffer) == 8);
const _: () = assert!(offset_of!(PyGC_Head, _gc_next) == 0);
const _: () = assert!(offset_of!(PyGC_Head, _gc_prev) == 8);
const _: () = assert!(offset_of!(PyHeapTypeObject, ht_type) == 0);
const _: () = assert!(offset_of!(PyHeapTypeObject, as_async) == 408);
const _: () = assert!(offset_of!(PyHeapTypeObject, as_number) == 440);
const _: () = assert!(offset_of!(PyHeapTypeObject, as_mapping) == 728);
const _: () = assert!(offset_of!(PyHeapTypeObject, as_sequence) == 752);
const _: () = assert!(offset_of!(PyHeapTypeObject, as_buffer) == 832);
const _: () = assert!(offset_of!(PyHeapTypeObject, ht_name) == 848);
const _: () = assert!(offset_of!(PyHeapTypeObject, ht_slots) == 856);
const _: () = assert!(offset_of!(PyHeapTypeObject, ht_qualname) == 864);
const _: () = assert!(offset_of!(PyHeapTypeObject, ht_cached_keys) == 872);
const _: () = assert!(offset_of!(PyHeapTypeObject, ht_module) == 880);
const _: () = assert!(offset_of!(PyHeapTypeObject, _ht_tpname) == 888);
const _: () = assert!(offset_of!(PyHeapTypeObject, _spec_cache) == 896);
const _: () = assert!(offset_of!(PyMappingMethods, mp_length) == 0);
const _: () = assert!(offset_of!(PyMappingMethods, mp_subscript) == 8);
const _: () = assert!(offset_of!(PyMappingMethods, mp_ass_subscript) == 16);
const _: () = assert!(offset_of!(PyNumberMethods, nb_add) == 0);
const _: () = assert!(offset_of!(PyNumberMethods, nb_subtract) == 8);
const _: () = assert!(offset_of!(PyNumberMethods, nb_multiply) == 16);
const _: () = assert!(offset_of!(PyNumberMethods, nb_remainder) == 24);
const _: () = assert!(offset_of!(PyNumberMethods, nb_divmod) == 32);
const _: () = assert!(offset_of!(PyNumberMethods, nb_power) == 40);
const _: () = assert!(offset_of!(PyNumberMethods, nb_negative) == 48);
const _: () = assert!(offset_of!(PyNumberMethods, nb_positive) == 56);
const _: () = assert!(offset_of!(PyNumberMethods, nb_absolute) == 64);
const _: () = assert!(offset_of!(PyNumberMethods, nb_bool) == 72);
const _: () = assert!(offset_of!(PyNumberMethods, nb_invert) == 80);
const _: () = assert!(offset_of!(PyNumberMethods, nb_lshift) == 88);
const _: () = assert!(offset_of!(PyNumberMethods, nb_rshift) == 96);
const _: () = assert!(offset_of!(PyNumberMethods, nb_and) == 104);
const _: () = assert!(offset_of!(PyNumberMethods, nb_xor) == 112);
const _: () = assert!(offset_of!(PyNumberMethods, nb_or) == 120);
const _: () = assert!(offset_of!(PyNumberMethods, nb_int) == 128);
const _: () = assert!(offset_of!(PyNumberMethods, nb_reserved) == 136);
const _: () = assert!(offset_of!(PyNumberMethods, nb_float) == 144);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_add) == 152);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_subtract) == 160);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_multiply) == 168);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_remainder) == 176);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_power) == 184);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_lshift) == 192);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_rshift) == 200);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_and) == 208);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_xor) == 216);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_or) == 224);
const _: () = assert!(offset_of!(PyNumberMethods, nb_floor_divide) == 232);
const _: () = assert!(offset_of!(PyNumberMethods, nb_true_divide) == 240);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_floor_divide) == 248);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_true_divide) == 256);
const _: () = assert!(offset_of!(PyNumberMethods, nb_index) == 264);
const _: () = assert!(offset_of!(PyNumberMethods, nb_matrix_multiply) == 272);
const _: () = assert!(offset_of!(PyNumberMethods, nb_inplace_matrix_multiply) == 280);
const _: () = assert!(offset_of!(PyObject, ob_refcnt) == 0);
const _: () = assert!(offset_of!(PyObject, ob_type) == 8);
const _: () = assert!(offset_of!(PySequenceMethods, sq_length) == 0);
const _: () = assert!(offset_of!(PySequenceMethods, sq_concat) == 8);
const _: () = assert!(offset_of!(PySequenceMethods, sq_repeat) == 16);
const _: () = assert!(offset_of!(PySequenceMethods, sq_item) == 24);
const _: () = assert!(offset_of!(PySequenceMethods, was_sq_slice) == 32);
const _: () = assert!(offset_of!(PySequenceMethods, sq_ass_item) == 40);
const _: () = assert!(offset_of!(PySequenceMethods, was_sq_ass_slice) == 48);
const _: () = assert!(offset_of!(PySequenceMethods, sq_contains) == 56);
const _: () = assert!(offset_of!(PySequenceMethods, sq_inplace_concat) == 64);
const _: () = assert!(offset_of!(PySequenceMethods, sq_inplace_repeat) == 72);
const _: () = assert!(offset_of!(PyTypeObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyTypeObject, tp_name) == 24);
const _: () = assert!(offset_of!(PyTypeObject, tp_basicsize) == 32);
const _: () = assert!(offset_of!(PyTypeObject, tp_itemsize) == 40);
const _: () = assert!(offset_of!(PyTypeObject, tp_dealloc) == 48);
const _: () = assert!(offset_of!(PyTypeObject, tp_vectorcall_offset) == 56);
const _: () = assert!(offset_of!(PyTypeObject, tp_getattr) == 64);
const _: () = assert!(offset_of!(PyTypeObject, tp_setattr) == 72);
const _: () = assert!(offset_of!(PyTypeObject, tp_as_async) == 80);
const _: () = assert!(offset_of!(PyTypeObject, tp_repr) == 88);
const _: () = assert!(offset_of!(PyTypeObject, tp_as_number) == 96);
const _: () = assert!(offset_of!(PyTypeObject, tp_as_sequence) == 104);
const _: () = assert!(offset_of!(PyTypeObject, tp_as_mapping) == 112);
const _: () = assert!(offset_of!(PyTypeObject, tp_hash) == 120);
const _: () = assert!(offset_of!(PyTypeObject, tp_call) == 128);
const _: () = assert!(offset_of!(PyTypeObject, tp_str) == 136);
const _: () = assert!(offset_of!(PyTypeObject, tp_getattro) == 144);
const _: () = assert!(offset_of!(PyTypeObject, tp_setattro) == 152);
const _: () = assert!(offset_of!(PyTypeObject, tp_as_buffer) == 160);
const _: () = assert!(offset_of!(PyTypeObject, tp_flags) == 168);
const _: () = assert!(offset_of!(PyTypeObject, tp_doc) == 176);
const _: () = assert!(offset_of!(PyTypeObject, tp_traverse) == 184);
const _: () = assert!(offset_of!(PyTypeObject, tp_clear) == 192);
const _: () = assert!(offset_of!(PyTypeObject, tp_richcompare) == 200);
const _: () = assert!(offset_of!(PyTypeObject, tp_weaklistoffset) == 208);
const _: () = assert!(offset_of!(PyTypeObject, tp_iter) == 216);
const _: () = assert!(offset_of!(PyTypeObject, tp_iternext) == 224);
const _: () = assert!(offset_of!(PyTypeObject, tp_methods) == 232);
const _: () = assert!(offset_of!(PyTypeObject, tp_members) == 240);
const _: () = assert!(offset_of!(PyTypeObject, tp_getset) == 248);
const _: () = assert!(offset_of!(PyTypeObject, tp_base) == 256);
const _: () = assert!(offset_of!(PyTypeObject, tp_dict) == 264);
const _: () = assert!(offset_of!(PyTypeObject, tp_descr_get) == 272);
const _: () = assert!(offset_of!(PyTypeObject, tp_descr_set) == 280);
const _: () = assert!(offset_of!(PyTypeObject, tp_dictoffset) == 288);
const _: () = assert!(offset_of!(PyTypeObject, tp_init) == 296);
const _: () = assert!(offset_of!(PyTypeObject, tp_alloc) == 304);
const _: () = assert!(offset_of!(PyTypeObject, tp_new) == 312);
const _: () = assert!(offset_of!(PyTypeObject, tp_free) == 320);
const _: () = assert!(offset_of!(PyTypeObject, tp_is_gc) == 328);
const _: () = assert!(offset_of!(PyTypeObject, tp_bases) == 336);
const _: () = assert!(offset_of!(PyTypeObject, tp_mro) == 344);
const _: () = assert!(offset_of!(PyTypeObject, tp_cache) == 352);
const _: () = assert!(offset_of!(PyTypeObject, tp_subclasses) == 360);
const _: () = assert!(offset_of!(PyTypeObject, tp_weaklist) == 368);
const _: () = assert!(offset_of!(PyTypeObject, tp_del) == 376);
const _: () = assert!(offset_of!(PyTypeObject, tp_version_tag) == 384);
const _: () = assert!(offset_of!(PyTypeObject, tp_finalize) == 392);
const _: () = assert!(offset_of!(PyTypeObject, tp_vectorcall) == 400);
const _: () = assert!(offset_of!(PyType_Slot, slot) == 0);
const _: () = assert!(offset_of!(PyType_Slot, pfunc) == 8);
const _: () = assert!(offset_of!(PyType_Spec, name) == 0);
const _: () = assert!(offset_of!(PyType_Spec, basicsize) == 8);
const _: () = assert!(offset_of!(PyType_Spec, itemsize) == 12);
const _: () = assert!(offset_of!(PyType_Spec, flags) == 16);
const _: () = assert!(offset_of!(PyType_Spec, slots) == 24);
const _: () = assert!(offset_of!(PyVarObject, ob_base) == 0);
const _: () = assert!(offset_of!(PyVarObject, ob_size) == 16);
const _: () = assert!(offset_of!(_Py_Identifier, string) == 0);
const _: () = assert!(offset_of!(_Py_Identifier, index) == 8);
