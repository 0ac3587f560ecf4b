//! Special methods and type slots: one table (`SLOTS`) ties each `__name__` to its slot, to the slot function that calls a Python
//! method, and to the wrapper that shows a C slot as a method.
//!
//! Three directions use it: `add_operators` gives a type with C slots its `wrapper_descriptor`s, `update_slot` sets slots when a
//! class defines or changes a special method, `inherit_slots` copies slots down the MRO.

use crate::prelude::*;
use crate::slot_calls::*;
pub use crate::slot_wrappers::Wrapper;
use crate::slot_wrappers::*;
use crate::typeobject::*;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use lh_abi::*;
use std::ptr::null_mut;

// ---- Where slots live ----

/// Sets a slot by its `Py_*` number, making the method tables it lies in if needed.
///
/// # Safety
/// `t` is a type being built and `f` has the slot's C signature.
pub unsafe fn set_slot(t: *mut PyTypeObject, id: c_int, f: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(p) = slot_place(t, id) {
            *p = f;
        }
    }
}

macro_rules! slot_ids {
    (type: $($tf:ident)*; number: $($nf:ident)*; sequence: $($sf:ident)*; mapping: $($mf:ident)*; async: $($af:ident)*; buffer: $($bf:ident)*;) => {
        paste_ids! { $($tf)* ; $($nf)* ; $($sf)* ; $($mf)* ; $($af)* ; $($bf)* }
    };
}
macro_rules! paste_ids {
    ($($tf:ident)* ; $($nf:ident)* ; $($sf:ident)* ; $($mf:ident)* ; $($af:ident)* ; $($bf:ident)*) => {
        /// Offset of a slot in `PyHeapTypeObject` by name.
        const fn offset_by_name(name: &str) -> Option<usize> {
            $( if str_eq(name, stringify!($tf)) { return Some(offset_of!(PyTypeObject, $tf)); } )*
            $( if str_eq(name, stringify!($nf)) { return Some(offset_of!(PyHeapTypeObject, as_number) + offset_of!(PyNumberMethods, $nf)); } )*
            $( if str_eq(name, stringify!($sf)) { return Some(offset_of!(PyHeapTypeObject, as_sequence) + offset_of!(PySequenceMethods, $sf)); } )*
            $( if str_eq(name, stringify!($mf)) { return Some(offset_of!(PyHeapTypeObject, as_mapping) + offset_of!(PyMappingMethods, $mf)); } )*
            $( if str_eq(name, stringify!($af)) { return Some(offset_of!(PyHeapTypeObject, as_async) + offset_of!(PyAsyncMethods, $af)); } )*
            $( if str_eq(name, stringify!($bf)) { return Some(offset_of!(PyHeapTypeObject, as_buffer) + offset_of!(PyBufferProcs, $bf)); } )*
            None
        }
        /// All slot names, for inheritance.
        const NUMBER: &[&str] = &[$(stringify!($nf)),*];
        const SEQUENCE: &[&str] = &[$(stringify!($sf)),*];
        const MAPPING: &[&str] = &[$(stringify!($mf)),*];
        const ASYNC: &[&str] = &[$(stringify!($af)),*];
        const BUFFER: &[&str] = &[$(stringify!($bf)),*];
    };
}
const fn str_eq(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
slot_ids! {
    type: tp_alloc tp_base tp_bases tp_call tp_clear tp_dealloc tp_del tp_descr_get tp_descr_set tp_doc tp_getattr tp_getattro
        tp_hash tp_init tp_is_gc tp_iter tp_iternext tp_methods tp_new tp_repr tp_richcompare tp_setattr tp_setattro tp_str
        tp_traverse tp_members tp_getset tp_free tp_finalize;
    number: nb_add nb_subtract nb_multiply nb_remainder nb_divmod nb_power nb_negative nb_positive nb_absolute nb_bool nb_invert
        nb_lshift nb_rshift nb_and nb_xor nb_or nb_int nb_float nb_inplace_add nb_inplace_subtract nb_inplace_multiply
        nb_inplace_remainder nb_inplace_power nb_inplace_lshift nb_inplace_rshift nb_inplace_and nb_inplace_xor nb_inplace_or
        nb_floor_divide nb_true_divide nb_inplace_floor_divide nb_inplace_true_divide nb_index nb_matrix_multiply
        nb_inplace_matrix_multiply;
    sequence: sq_length sq_concat sq_repeat sq_item sq_ass_item sq_contains sq_inplace_concat sq_inplace_repeat;
    mapping: mp_length mp_subscript mp_ass_subscript;
    async: am_await am_aiter am_anext am_send;
    buffer: bf_getbuffer bf_releasebuffer;
}

/// The slot names behind the `Py_*` numbers of `typeslots.h`.
const ID_NAMES: &[(c_int, &str)] = &[
    (Py_bf_getbuffer, "bf_getbuffer"),
    (Py_bf_releasebuffer, "bf_releasebuffer"),
    (Py_mp_ass_subscript, "mp_ass_subscript"),
    (Py_mp_length, "mp_length"),
    (Py_mp_subscript, "mp_subscript"),
    (Py_nb_absolute, "nb_absolute"),
    (Py_nb_add, "nb_add"),
    (Py_nb_and, "nb_and"),
    (Py_nb_bool, "nb_bool"),
    (Py_nb_divmod, "nb_divmod"),
    (Py_nb_float, "nb_float"),
    (Py_nb_floor_divide, "nb_floor_divide"),
    (Py_nb_index, "nb_index"),
    (Py_nb_inplace_add, "nb_inplace_add"),
    (Py_nb_inplace_and, "nb_inplace_and"),
    (Py_nb_inplace_floor_divide, "nb_inplace_floor_divide"),
    (Py_nb_inplace_lshift, "nb_inplace_lshift"),
    (Py_nb_inplace_multiply, "nb_inplace_multiply"),
    (Py_nb_inplace_or, "nb_inplace_or"),
    (Py_nb_inplace_power, "nb_inplace_power"),
    (Py_nb_inplace_remainder, "nb_inplace_remainder"),
    (Py_nb_inplace_rshift, "nb_inplace_rshift"),
    (Py_nb_inplace_subtract, "nb_inplace_subtract"),
    (Py_nb_inplace_true_divide, "nb_inplace_true_divide"),
    (Py_nb_inplace_xor, "nb_inplace_xor"),
    (Py_nb_int, "nb_int"),
    (Py_nb_invert, "nb_invert"),
    (Py_nb_lshift, "nb_lshift"),
    (Py_nb_multiply, "nb_multiply"),
    (Py_nb_negative, "nb_negative"),
    (Py_nb_or, "nb_or"),
    (Py_nb_positive, "nb_positive"),
    (Py_nb_power, "nb_power"),
    (Py_nb_remainder, "nb_remainder"),
    (Py_nb_rshift, "nb_rshift"),
    (Py_nb_subtract, "nb_subtract"),
    (Py_nb_true_divide, "nb_true_divide"),
    (Py_nb_xor, "nb_xor"),
    (Py_nb_matrix_multiply, "nb_matrix_multiply"),
    (Py_nb_inplace_matrix_multiply, "nb_inplace_matrix_multiply"),
    (Py_sq_ass_item, "sq_ass_item"),
    (Py_sq_concat, "sq_concat"),
    (Py_sq_contains, "sq_contains"),
    (Py_sq_inplace_concat, "sq_inplace_concat"),
    (Py_sq_inplace_repeat, "sq_inplace_repeat"),
    (Py_sq_item, "sq_item"),
    (Py_sq_length, "sq_length"),
    (Py_sq_repeat, "sq_repeat"),
    (Py_tp_alloc, "tp_alloc"),
    (Py_tp_base, "tp_base"),
    (Py_tp_bases, "tp_bases"),
    (Py_tp_call, "tp_call"),
    (Py_tp_clear, "tp_clear"),
    (Py_tp_dealloc, "tp_dealloc"),
    (Py_tp_del, "tp_del"),
    (Py_tp_descr_get, "tp_descr_get"),
    (Py_tp_descr_set, "tp_descr_set"),
    (Py_tp_doc, "tp_doc"),
    (Py_tp_getattr, "tp_getattr"),
    (Py_tp_getattro, "tp_getattro"),
    (Py_tp_hash, "tp_hash"),
    (Py_tp_init, "tp_init"),
    (Py_tp_is_gc, "tp_is_gc"),
    (Py_tp_iter, "tp_iter"),
    (Py_tp_iternext, "tp_iternext"),
    (Py_tp_methods, "tp_methods"),
    (Py_tp_new, "tp_new"),
    (Py_tp_repr, "tp_repr"),
    (Py_tp_richcompare, "tp_richcompare"),
    (Py_tp_setattr, "tp_setattr"),
    (Py_tp_setattro, "tp_setattro"),
    (Py_tp_str, "tp_str"),
    (Py_tp_traverse, "tp_traverse"),
    (Py_tp_members, "tp_members"),
    (Py_tp_getset, "tp_getset"),
    (Py_tp_free, "tp_free"),
    (Py_am_await, "am_await"),
    (Py_am_aiter, "am_aiter"),
    (Py_am_anext, "am_anext"),
    (Py_am_send, "am_send"),
    (Py_tp_finalize, "tp_finalize"),
];

/// Address of a numbered slot, whose method table is made if absent.
///
/// # Safety
/// `t` is a type being built.
pub unsafe fn slot_place(t: *mut PyTypeObject, id: c_int) -> Option<*mut *mut c_void> {
    let name = ID_NAMES.iter().find(|x| x.0 == id)?.1;
    let off = offset_by_name(name)?;
    // SAFETY: the tables are ours to add while the type is being built.
    unsafe {
        fn zeroed<T>() -> *mut T {
            // SAFETY: method tables are valid when zero.
            Box::into_raw(Box::new(unsafe { std::mem::zeroed() }))
        }
        match &name[..3] {
            "nb_" if (*t).tp_as_number.is_null() => (*t).tp_as_number = zeroed(),
            "sq_" if (*t).tp_as_sequence.is_null() => (*t).tp_as_sequence = zeroed(),
            "mp_" if (*t).tp_as_mapping.is_null() => (*t).tp_as_mapping = zeroed(),
            "am_" if (*t).tp_as_async.is_null() => (*t).tp_as_async = zeroed(),
            "bf_" if (*t).tp_as_buffer.is_null() => (*t).tp_as_buffer = zeroed(),
            _ => {}
        }
        Some(slot_ptr(t, off))
    }
}

/// Address of the slot at `off` (in `PyHeapTypeObject` terms) of any type; null if its table is absent.
pub(crate) unsafe fn slot_ptr(t: *mut PyTypeObject, off: usize) -> *mut *mut c_void {
    // SAFETY: a live type object.
    unsafe {
        let (table, base) = match off {
            o if o >= offset_of!(PyHeapTypeObject, as_buffer) => {
                ((*t).tp_as_buffer.cast::<u8>(), offset_of!(PyHeapTypeObject, as_buffer))
            }
            o if o >= offset_of!(PyHeapTypeObject, as_sequence) => {
                ((*t).tp_as_sequence.cast(), offset_of!(PyHeapTypeObject, as_sequence))
            }
            o if o >= offset_of!(PyHeapTypeObject, as_mapping) => {
                ((*t).tp_as_mapping.cast(), offset_of!(PyHeapTypeObject, as_mapping))
            }
            o if o >= offset_of!(PyHeapTypeObject, as_number) => {
                ((*t).tp_as_number.cast(), offset_of!(PyHeapTypeObject, as_number))
            }
            o if o >= offset_of!(PyHeapTypeObject, as_async) => {
                ((*t).tp_as_async.cast(), offset_of!(PyHeapTypeObject, as_async))
            }
            _ => (t.cast::<u8>(), 0),
        };
        if table.is_null() { null_mut() } else { table.add(off - base).cast() }
    }
}

// ---- The table ----

/// One row: a special method, its slot, the slot function that calls the method, the wrapper that calls the slot.
pub struct SlotDef {
    pub name: &'static str,
    pub offset: usize,
    pub function: *const c_void,
    pub wrapper: Option<Wrapper>,
    /// Signature and doc string behind the method's name.
    pub doc: &'static str,
}
// SAFETY: the rows are constant.
unsafe impl Sync for SlotDef {}

macro_rules! rows {
    ($($name:literal $slot:literal $f:expr, $w:expr, $doc:literal;)*) => {
        &[$(SlotDef {
            name: $name,
            offset: offset_by_name($slot).expect("a known slot"),
            function: $f,
            wrapper: $w,
            doc: concat!($name, $doc, "\0"),
        }),*]
    };
}
const NOTHING: *const c_void = core::ptr::null();

/// The table, sorted by offset group; rows that share a slot stand together.
pub static SLOTS: &[SlotDef] = rows! {
    "__getattribute__" "tp_getattr" NOTHING, None, "";
    "__getattr__" "tp_getattr" NOTHING, None, "";
    "__setattr__" "tp_setattr" NOTHING, None, "";
    "__delattr__" "tp_setattr" NOTHING, None, "";
    "__await__" "am_await" slot_am_await as *const c_void, Some(wrap_unary), "($self, /)\n--\n\nReturn an iterator to be used in await expression.";
    "__aiter__" "am_aiter" slot_am_aiter as *const c_void, Some(wrap_unary), "($self, /)\n--\n\nReturn an awaitable, that resolves in asynchronous iterator.";
    "__anext__" "am_anext" slot_am_anext as *const c_void, Some(wrap_unary), "($self, /)\n--\n\nReturn a value or raise StopAsyncIteration.";
    "__repr__" "tp_repr" slot_tp_repr as *const c_void, Some(wrap_unary), "($self, /)\n--\n\nReturn repr(self).";
    "__hash__" "tp_hash" slot_tp_hash as *const c_void, Some(wrap_hash), "($self, /)\n--\n\nReturn hash(self).";
    "__call__" "tp_call" slot_tp_call as *const c_void, Some(wrap_call), "($self, /, *args, **kwargs)\n--\n\nCall self as a function.";
    "__str__" "tp_str" slot_tp_str as *const c_void, Some(wrap_unary), "($self, /)\n--\n\nReturn str(self).";
    "__getattribute__" "tp_getattro" slot_tp_getattr_hook as *const c_void, Some(wrap_binary), "($self, name, /)\n--\n\nReturn getattr(self, name).";
    "__getattr__" "tp_getattro" slot_tp_getattr_hook as *const c_void, None, "";
    "__setattr__" "tp_setattro" slot_tp_setattro as *const c_void, Some(wrap_setattr), "($self, name, value, /)\n--\n\nImplement setattr(self, name, value).";
    "__delattr__" "tp_setattro" slot_tp_setattro as *const c_void, Some(wrap_delattr), "($self, name, /)\n--\n\nImplement delattr(self, name).";
    "__lt__" "tp_richcompare" slot_tp_richcompare as *const c_void, Some(wrap_lt), "($self, value, /)\n--\n\nReturn self<value.";
    "__le__" "tp_richcompare" slot_tp_richcompare as *const c_void, Some(wrap_le), "($self, value, /)\n--\n\nReturn self<=value.";
    "__eq__" "tp_richcompare" slot_tp_richcompare as *const c_void, Some(wrap_eq), "($self, value, /)\n--\n\nReturn self==value.";
    "__ne__" "tp_richcompare" slot_tp_richcompare as *const c_void, Some(wrap_ne), "($self, value, /)\n--\n\nReturn self!=value.";
    "__gt__" "tp_richcompare" slot_tp_richcompare as *const c_void, Some(wrap_gt), "($self, value, /)\n--\n\nReturn self>value.";
    "__ge__" "tp_richcompare" slot_tp_richcompare as *const c_void, Some(wrap_ge), "($self, value, /)\n--\n\nReturn self>=value.";
    "__iter__" "tp_iter" slot_tp_iter as *const c_void, Some(wrap_unary), "($self, /)\n--\n\nImplement iter(self).";
    "__next__" "tp_iternext" slot_tp_iternext as *const c_void, Some(wrap_next), "($self, /)\n--\n\nImplement next(self).";
    "__get__" "tp_descr_get" slot_tp_descr_get as *const c_void, Some(wrap_descr_get), "($self, instance, owner=None, /)\n--\n\nReturn an attribute of instance, which is of type owner.";
    "__set__" "tp_descr_set" slot_tp_descr_set as *const c_void, Some(wrap_descr_set), "($self, instance, value, /)\n--\n\nSet an attribute of instance to value.";
    "__delete__" "tp_descr_set" slot_tp_descr_set as *const c_void, Some(wrap_descr_delete), "($self, instance, /)\n--\n\nDelete an attribute of instance.";
    "__init__" "tp_init" slot_tp_init as *const c_void, Some(wrap_init), "($self, /, *args, **kwargs)\n--\n\nInitialize self.  See help(type(self)) for accurate signature.";
    "__new__" "tp_new" slot_tp_new as *const c_void, None, "";
    "__del__" "tp_finalize" slot_tp_finalize as *const c_void, Some(wrap_del), "";
    "__add__" "nb_add" slot_nb_add as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self+value.";
    "__radd__" "nb_add" slot_nb_add as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn value+self.";
    "__sub__" "nb_subtract" slot_nb_subtract as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self-value.";
    "__rsub__" "nb_subtract" slot_nb_subtract as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn value-self.";
    "__mul__" "nb_multiply" slot_nb_multiply as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self*value.";
    "__rmul__" "nb_multiply" slot_nb_multiply as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn value*self.";
    "__mod__" "nb_remainder" slot_nb_remainder as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self%value.";
    "__rmod__" "nb_remainder" slot_nb_remainder as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn value%self.";
    "__divmod__" "nb_divmod" slot_nb_divmod as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn divmod(self, value).";
    "__rdivmod__" "nb_divmod" slot_nb_divmod as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn divmod(value, self).";
    "__pow__" "nb_power" slot_nb_power as *const c_void, Some(wrap_ternary), "($self, value, mod=None, /)\n--\n\nReturn pow(self, value, mod).";
    "__rpow__" "nb_power" slot_nb_power as *const c_void, Some(wrap_ternary_r), "($self, value, mod=None, /)\n--\n\nReturn pow(value, self, mod).";
    "__neg__" "nb_negative" slot_nb_negative as *const c_void, Some(wrap_unary), "($self, /)\n--\n\n-self";
    "__pos__" "nb_positive" slot_nb_positive as *const c_void, Some(wrap_unary), "($self, /)\n--\n\n+self";
    "__abs__" "nb_absolute" slot_nb_absolute as *const c_void, Some(wrap_unary), "($self, /)\n--\n\nabs(self)";
    "__bool__" "nb_bool" slot_nb_bool as *const c_void, Some(wrap_inquiry), "($self, /)\n--\n\nTrue if self else False";
    "__invert__" "nb_invert" slot_nb_invert as *const c_void, Some(wrap_unary), "($self, /)\n--\n\n~self";
    "__lshift__" "nb_lshift" slot_nb_lshift as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self<<value.";
    "__rlshift__" "nb_lshift" slot_nb_lshift as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn value<<self.";
    "__rshift__" "nb_rshift" slot_nb_rshift as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self>>value.";
    "__rrshift__" "nb_rshift" slot_nb_rshift as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn value>>self.";
    "__and__" "nb_and" slot_nb_and as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self&value.";
    "__rand__" "nb_and" slot_nb_and as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn value&self.";
    "__xor__" "nb_xor" slot_nb_xor as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self^value.";
    "__rxor__" "nb_xor" slot_nb_xor as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn value^self.";
    "__or__" "nb_or" slot_nb_or as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self|value.";
    "__ror__" "nb_or" slot_nb_or as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn value|self.";
    "__int__" "nb_int" slot_nb_int as *const c_void, Some(wrap_unary), "($self, /)\n--\n\nint(self)";
    "__float__" "nb_float" slot_nb_float as *const c_void, Some(wrap_unary), "($self, /)\n--\n\nfloat(self)";
    "__iadd__" "nb_inplace_add" slot_nb_inplace_add as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self+=value.";
    "__isub__" "nb_inplace_subtract" slot_nb_inplace_subtract as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self-=value.";
    "__imul__" "nb_inplace_multiply" slot_nb_inplace_multiply as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self*=value.";
    "__imod__" "nb_inplace_remainder" slot_nb_inplace_remainder as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self%=value.";
    "__ipow__" "nb_inplace_power" slot_nb_inplace_power as *const c_void, Some(wrap_ternary), "($self, value, /)\n--\n\nReturn self**=value.";
    "__ilshift__" "nb_inplace_lshift" slot_nb_inplace_lshift as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self<<=value.";
    "__irshift__" "nb_inplace_rshift" slot_nb_inplace_rshift as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self>>=value.";
    "__iand__" "nb_inplace_and" slot_nb_inplace_and as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self&=value.";
    "__ixor__" "nb_inplace_xor" slot_nb_inplace_xor as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self^=value.";
    "__ior__" "nb_inplace_or" slot_nb_inplace_or as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self|=value.";
    "__floordiv__" "nb_floor_divide" slot_nb_floor_divide as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self//value.";
    "__rfloordiv__" "nb_floor_divide" slot_nb_floor_divide as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn value//self.";
    "__truediv__" "nb_true_divide" slot_nb_true_divide as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self/value.";
    "__rtruediv__" "nb_true_divide" slot_nb_true_divide as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn value/self.";
    "__ifloordiv__" "nb_inplace_floor_divide" slot_nb_inplace_floor_divide as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self//=value.";
    "__itruediv__" "nb_inplace_true_divide" slot_nb_inplace_true_divide as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self/=value.";
    "__index__" "nb_index" slot_nb_index as *const c_void, Some(wrap_unary), "($self, /)\n--\n\nReturn self converted to an integer, if self is suitable for use as an index into a list.";
    "__matmul__" "nb_matrix_multiply" slot_nb_matrix_multiply as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self@value.";
    "__rmatmul__" "nb_matrix_multiply" slot_nb_matrix_multiply as *const c_void, Some(wrap_binary_r), "($self, value, /)\n--\n\nReturn value@self.";
    "__imatmul__" "nb_inplace_matrix_multiply" slot_nb_inplace_matrix_multiply as *const c_void, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self@=value.";
    "__len__" "mp_length" slot_sq_length as *const c_void, Some(wrap_len), "($self, /)\n--\n\nReturn len(self).";
    "__getitem__" "mp_subscript" slot_mp_subscript as *const c_void, Some(wrap_binary), "($self, key, /)\n--\n\nReturn self[key].";
    "__setitem__" "mp_ass_subscript" slot_mp_ass_subscript as *const c_void, Some(wrap_setitem), "($self, key, value, /)\n--\n\nSet self[key] to value.";
    "__delitem__" "mp_ass_subscript" slot_mp_ass_subscript as *const c_void, Some(wrap_delitem), "($self, key, /)\n--\n\nDelete self[key].";
    "__len__" "sq_length" slot_sq_length as *const c_void, Some(wrap_len), "($self, /)\n--\n\nReturn len(self).";
    "__add__" "sq_concat" NOTHING, Some(wrap_binary), "($self, value, /)\n--\n\nReturn self+value.";
    "__mul__" "sq_repeat" NOTHING, Some(wrap_indexarg), "($self, value, /)\n--\n\nReturn self*value.";
    "__rmul__" "sq_repeat" NOTHING, Some(wrap_indexarg), "($self, value, /)\n--\n\nReturn value*self.";
    "__getitem__" "sq_item" slot_sq_item as *const c_void, Some(wrap_sq_item), "($self, key, /)\n--\n\nReturn self[key].";
    "__setitem__" "sq_ass_item" slot_sq_ass_item as *const c_void, Some(wrap_sq_setitem), "($self, key, value, /)\n--\n\nSet self[key] to value.";
    "__delitem__" "sq_ass_item" slot_sq_ass_item as *const c_void, Some(wrap_sq_delitem), "($self, key, /)\n--\n\nDelete self[key].";
    "__contains__" "sq_contains" slot_sq_contains as *const c_void, Some(wrap_contains), "($self, key, /)\n--\n\nReturn key in self.";
    "__iadd__" "sq_inplace_concat" NOTHING, Some(wrap_binary), "($self, value, /)\n--\n\nImplement self+=value.";
    "__imul__" "sq_inplace_repeat" NOTHING, Some(wrap_indexarg), "($self, value, /)\n--\n\nImplement self*=value.";
};

/// The rows with their interned names and the `wrapperbase` structs that descriptors point to.
struct Row {
    def: &'static SlotDef,
    name: *mut PyObject,
    base: *mut wrapperbase,
}
struct Rows(Vec<Row>);
// SAFETY: made once, read only; used under the GIL.
unsafe impl Send for Rows {}
// SAFETY: as above.
unsafe impl Sync for Rows {}

fn table() -> &'static [Row] {
    static ROWS: std::sync::OnceLock<Rows> = std::sync::OnceLock::new();
    &ROWS
        .get_or_init(|| {
            Rows(
                SLOTS
                    .iter()
                    .map(|def| {
                        let name = Str::interned(def.name);
                        let cname = std::ffi::CString::new(def.name).expect("no NUL").into_raw();
                        // SAFETY: a wrapperbase is valid when zero; its fields are set here.
                        let mut b: wrapperbase = unsafe { std::mem::zeroed() };
                        b.name = cname;
                        b.offset = def.offset as c_int;
                        b.function = def.function.cast_mut();
                        b.wrapper = def.wrapper.map_or(null_mut(), |w| w as *mut c_void);
                        b.doc = if def.doc.contains("--\n\n") {
                            def.doc.as_ptr().cast()
                        } else {
                            core::ptr::null()
                        };
                        b.name_strobj = name.raw();
                        Row { def, name: name.raw(), base: Box::into_raw(Box::new(b)) }
                    })
                    .collect(),
            )
        })
        .0
}

/// Adds a `wrapper_descriptor` for each C slot of the type that its dictionary has no entry for.
///
/// # Safety
/// `t` is a type being readied, with a dict.
pub unsafe fn add_operators(t: *mut PyTypeObject) -> PyResult<()> {
    // SAFETY: the caller's promise.
    unsafe {
        let dict = Type::from_raw_ref(t).dict();
        for r in table() {
            if r.def.wrapper.is_none() {
                continue;
            }
            let p = slot_ptr(t, r.def.offset);
            if p.is_null() || (*p).is_null() {
                continue;
            }
            let name = Object::from_ptr(r.name).downcast_unchecked::<Str>();
            if dict.contains(name)? {
                continue;
            }
            if *p == hash_not_implemented as *mut c_void {
                dict.set_item(name, none_ref())?;
            } else {
                let d = crate::descrobject::new_wrapper(Type::from_raw_ref(t), r.base, *p);
                dict.set_item(name, &d)?;
            }
        }
        Ok(())
    }
}

/// Adds `__new__` for a type with its own `tp_new`.
///
/// # Safety
/// `t` is a type being readied.
pub unsafe fn add_tp_new_wrapper(t: *mut PyTypeObject) -> PyResult<()> {
    // SAFETY: the caller's promise.
    unsafe {
        let ty = Type::from_raw_ref(t);
        if ty.dict().contains(intern!("__new__"))? {
            return Ok(());
        }
        let f = CFunction::new(&raw mut TP_NEW_DEF, Some(ty), None);
        ty.dict().set_item(intern!("__new__"), &f)
    }
}
static mut TP_NEW_DEF: PyMethodDef = PyMethodDef {
    ml_name: c"__new__".as_ptr(),
    // SAFETY: METH_VARARGS | METH_KEYWORDS says the real signature.
    ml_meth: Some(unsafe { core::mem::transmute::<PyCFunctionWithKeywords, PyCFunction>(tp_new_wrapper) }),
    ml_flags: METH_VARARGS | METH_KEYWORDS,
    ml_doc: c"__new__($type, *args, **kwargs)\n--\n\nCreate and return a new object.  See help(type) for accurate signature.".as_ptr(),
};

/// Is this a `__new__` that `add_tp_new_wrapper` made?
fn is_tp_new_wrapper(o: &Object) -> bool {
    o.downcast_exact::<CFunction>().is_some_and(|f| f.def() == &raw mut TP_NEW_DEF)
}

unsafe extern "C" fn tp_new_wrapper(
    self_: *mut PyObject,
    args: *mut PyObject,
    kw: *mut PyObject,
) -> *mut PyObject {
    crate::border::object(|| {
        // SAFETY: bound to its type when made; called with a tuple and a dict or null.
        unsafe {
            let t = Type::from_raw_ref(self_.cast());
            let args = crate::slots::this::<Tuple>(args);
            if args.len() < 1 {
                return raise!(TypeError, "{}.__new__(): not enough arguments", t.name());
            }
            let Some(sub) = args.item_ref(0).downcast::<Type>() else {
                return raise!(
                    TypeError,
                    "{}.__new__(X): X is not a type object ({})",
                    t.name(),
                    args.item_ref(0).ty().name()
                );
            };
            if !sub.is_subtype(t) {
                return raise!(
                    TypeError,
                    "{}.__new__({}): {} is not a subtype of {}",
                    t.name(),
                    sub.name(),
                    sub.name(),
                    t.name()
                );
            }
            // The most derived built-in `tp_new` must be this one.
            let mut s = sub.tp();
            while !s.is_null() && (*s).tp_new == Some(slot_tp_new) {
                s = (*s).tp_base;
            }
            if !s.is_null() && (*s).tp_new.map(|f| f as usize) != (*t.tp()).tp_new.map(|f| f as usize) {
                return raise!(
                    TypeError,
                    "{}.__new__({}) is not safe, use {}.__new__()",
                    t.name(),
                    sub.name(),
                    Type::from_raw_ref(s).name()
                );
            }
            let rest = args.slice(1, args.len());
            let Some(f) = (*t.tp()).tp_new else {
                return raise!(TypeError, "cannot create '{}' instances", t.name());
            };
            from_c::<Object>(f(sub.tp(), rest.ptr(), kw))
        }
    })
}

/// Sets the slot(s) that the special method `name` feeds, after the class (or a base) gained, lost or changed it.
/// With `None` all of them.
///
/// # Safety
/// `t` is a ready heap type (or one being made, with its MRO).
pub unsafe fn update_slots(t: *mut PyTypeObject, name: Option<&Str>) {
    // SAFETY: the caller's promise; rows of one slot stand together.
    unsafe {
        let rows = table();
        let mut i = 0;
        while i < rows.len() {
            let off = rows[i].def.offset;
            let mut j = i;
            while j < rows.len() && rows[j].def.offset == off {
                j += 1;
            }
            let concerns =
                name.is_none_or(|n| rows[i..j].iter().any(|r| r.name == n.raw() || n.equals_str(r.def.name)));
            if concerns {
                update_one(t, &rows[i..j], off);
            }
            i = j;
        }
    }
}

/// Of the slots that share a method's name, is exactly one filled, and another than `place`?
///
/// # Safety
/// As `update_slots`.
unsafe fn alone_elsewhere(t: *mut PyTypeObject, name: *mut PyObject, place: *mut *mut c_void) -> bool {
    let mut filled = null_mut();
    for r in table().iter().filter(|r| r.name == name) {
        // SAFETY: places of a live type's slots.
        unsafe {
            let p = slot_ptr(t, r.def.offset);
            if p.is_null() || (*p).is_null() || p == filled {
                continue;
            }
            if !filled.is_null() {
                return false;
            }
            filled = p;
        }
    }
    !filled.is_null() && filled != place
}

unsafe fn update_one(t: *mut PyTypeObject, rows: &[Row], off: usize) {
    // SAFETY: see `update_slots`.
    unsafe {
        let place = slot_ptr(t, off);
        if place.is_null() {
            return;
        }
        let mut generic: *mut c_void = null_mut();
        let mut specific: *mut c_void = null_mut();
        let mut use_generic = false;
        let ty = Type::from_raw_ref(t);
        for r in rows {
            let name = Object::from_ptr(r.name).downcast_unchecked::<Str>();
            let Some(d) = ty.lookup(name) else {
                if off == offset_of!(PyTypeObject, tp_iternext) {
                    specific = next_not_implemented as *mut c_void;
                }
                continue;
            };
            let wrapped = d
                .downcast_exact::<WrapperDescr>()
                .filter(|w| (*(*w.as_struct()).d_base).name_strobj == r.name);
            if let Some(w) = wrapped {
                let base = (*w.as_struct()).d_base;
                // Equal wrappers may be one function after linking: a number slot and a sequence slot are told apart by their place.
                let numbers =
                    offset_of!(PyHeapTypeObject, as_number)..offset_of!(PyHeapTypeObject, as_mapping);
                let same_wrapper = r.base == base
                    || (r.def.wrapper.map(|x| x as usize) == Some((*base).wrapper as usize)
                        && numbers.contains(&r.def.offset) == numbers.contains(&((*base).offset as usize)));
                let of = (*w.as_struct()).d_common.d_type;
                if same_wrapper
                    && is_subtype(t, of)
                    && (specific.is_null() || specific == (*w.as_struct()).d_wrapped)
                {
                    specific = (*w.as_struct()).d_wrapped;
                    if !r.def.function.is_null() {
                        generic = r.def.function.cast_mut();
                    }
                    continue;
                }
                // A wrapper of another slot (nb_add against sq_concat): the method is called generically.
                if !same_wrapper && r.def.function.is_null() {
                    continue;
                }
                // If the method's other slot is there alone, this one stays empty: a list is repeated as a sequence only.
                use_generic = true;
                if !alone_elsewhere(t, r.name, place) {
                    generic = r.def.function.cast_mut();
                }
                continue;
            }
            if off == offset_of!(PyTypeObject, tp_new) && is_tp_new_wrapper(&d) {
                // Objects are made as the solid base makes them, whichever base's `__new__` the name finds.
                specific = (*t).tp_new.map_or(null_mut(), |f| f as *mut c_void);
                continue;
            }
            if d.is_none() && off == offset_of!(PyTypeObject, tp_hash) {
                specific = hash_not_implemented as *mut c_void;
                continue;
            }
            if r.def.function.is_null() {
                continue;
            }
            use_generic = true;
            generic = r.def.function.cast_mut();
        }
        *place = if !specific.is_null() && !use_generic {
            specific
        } else if use_generic {
            generic
        } else {
            null_mut()
        };
        if off == offset_of!(PyTypeObject, tp_getattro) && *place == slot_tp_getattr_hook as *mut c_void {
            // Without `__getattr__` the plain hook does.
            if ty.lookup(intern!("__getattr__")).is_none() {
                *place = slot_tp_getattro as *mut c_void;
            }
        }
        if off == offset_of!(PyTypeObject, tp_call) {
            // A class with its own `__call__` can't keep an inherited vectorcall.
            if *place == slot_tp_call as *mut c_void {
                (*t).tp_flags &= !Py_TPFLAGS_HAVE_VECTORCALL;
            }
        }
    }
}

/// `update_slots` for a type and all subclasses that don't override the name themselves.
///
/// # Safety
/// As `update_slots`.
pub unsafe fn update_slots_recursive(t: *mut PyTypeObject, name: &Str) {
    // SAFETY: the caller's promise.
    unsafe {
        update_slots(t, Some(name));
        for s in subclasses(t) {
            if s.dict().contains(name).unwrap_or(false) {
                continue;
            }
            if (*s.tp()).tp_flags & Py_TPFLAGS_HEAPTYPE != 0 {
                update_slots_recursive(s.tp(), name);
            }
        }
    }
}

// ---- Inheritance ----

/// Flags, sizes and the slots that go together with them, from the best base.
///
/// # Safety
/// `t` is being readied, `base` is ready.
pub unsafe fn inherit_special(t: *mut PyTypeObject, base: *mut PyTypeObject) {
    // SAFETY: the caller's promise.
    unsafe {
        if (*t).tp_flags & Py_TPFLAGS_HAVE_GC == 0
            && (*base).tp_flags & Py_TPFLAGS_HAVE_GC != 0
            && (*t).tp_traverse.is_none()
            && (*t).tp_clear.is_none()
        {
            (*t).tp_flags |= Py_TPFLAGS_HAVE_GC;
            (*t).tp_traverse = (*base).tp_traverse;
            (*t).tp_clear = (*base).tp_clear;
        }
        (*t).tp_flags |= (*base).tp_flags & Py_TPFLAGS_MANAGED_DICT;
        if (*t).tp_basicsize == 0 {
            (*t).tp_basicsize = (*base).tp_basicsize;
        }
        if (*t).tp_itemsize == 0 {
            (*t).tp_itemsize = (*base).tp_itemsize;
        }
        if (*t).tp_weaklistoffset == 0 {
            (*t).tp_weaklistoffset = (*base).tp_weaklistoffset;
        }
        if (*t).tp_dictoffset == 0 {
            (*t).tp_dictoffset = (*base).tp_dictoffset;
        }
        const SUBCLASS_FLAGS: u64 = Py_TPFLAGS_LONG_SUBCLASS
            | Py_TPFLAGS_LIST_SUBCLASS
            | Py_TPFLAGS_TUPLE_SUBCLASS
            | Py_TPFLAGS_BYTES_SUBCLASS
            | Py_TPFLAGS_UNICODE_SUBCLASS
            | Py_TPFLAGS_DICT_SUBCLASS
            | Py_TPFLAGS_BASE_EXC_SUBCLASS
            | Py_TPFLAGS_TYPE_SUBCLASS;
        (*t).tp_flags |= (*base).tp_flags & (SUBCLASS_FLAGS | _Py_TPFLAGS_MATCH_SELF);
    }
}

/// `Py_TPFLAGS_SEQUENCE`/`MAPPING` of the first base that has one.
///
/// # Safety
/// As `inherit_special`.
pub unsafe fn inherit_patma_flags(t: *mut PyTypeObject, base: *mut PyTypeObject) {
    const COLLECTION: u64 = Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING;
    // SAFETY: the caller's promise.
    unsafe {
        if (*t).tp_flags & COLLECTION == 0 {
            (*t).tp_flags |= (*base).tp_flags & COLLECTION;
        }
    }
}

/// Copies the slots that `t` lacks from one member of its MRO. What that base merely inherited is left to its owner further up. Tables that
/// `t` has not are left alone (`inherit_tables`): to fill a shared one would change the base.
///
/// # Safety
/// As `inherit_special`.
pub unsafe fn inherit_slots(t: *mut PyTypeObject, base: *mut PyTypeObject) {
    // SAFETY: the caller's promise.
    unsafe {
        let above = (*base).tp_base;
        macro_rules! sub {
            ($field:ident, $names:expr) => {
                if !(*t).$field.is_null() && !(*base).$field.is_null() && (*t).$field != (*base).$field {
                    let known = !above.is_null() && !(*above).$field.is_null();
                    for n in $names {
                        let off = offset_by_name(n).expect("a known slot");
                        let (d, s) = (slot_ptr(t, off), slot_ptr(base, off));
                        if (*d).is_null() && !(*s).is_null() && !(known && *slot_ptr(above, off) == *s) {
                            *d = *s;
                        }
                    }
                }
            };
        }
        sub!(tp_as_number, NUMBER);
        sub!(tp_as_sequence, SEQUENCE);
        sub!(tp_as_mapping, MAPPING);
        sub!(tp_as_async, ASYNC);
        sub!(tp_as_buffer, BUFFER);
        macro_rules! copy {
            ($($f:ident)*) => { $(
                let own = above.is_null() || (*base).$f.map(|f| f as usize) != (*above).$f.map(|f| f as usize);
                if (*t).$f.is_none() && own {
                    (*t).$f = (*base).$f;
                }
            )* };
        }
        if (*t).tp_getattr.is_none() && (*t).tp_getattro.is_none() {
            (*t).tp_getattr = (*base).tp_getattr;
            (*t).tp_getattro = (*base).tp_getattro;
        }
        if (*t).tp_setattr.is_none() && (*t).tp_setattro.is_none() {
            (*t).tp_setattr = (*base).tp_setattr;
            (*t).tp_setattro = (*base).tp_setattro;
        }
        copy!(tp_dealloc tp_repr tp_str tp_iter tp_iternext tp_descr_get tp_descr_set tp_init tp_finalize tp_del);
        if (*t).tp_descr_get.is_some()
            && (*base).tp_descr_get.map(|f| f as usize) == (*t).tp_descr_get.map(|f| f as usize)
            && (*base).tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR != 0
            && (*t).tp_flags & Py_TPFLAGS_IMMUTABLETYPE != 0
        {
            (*t).tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR;
        }
        if (*t).tp_vectorcall_offset == 0 {
            (*t).tp_vectorcall_offset = (*base).tp_vectorcall_offset;
        }
        if (*t).tp_call.is_none()
            && (*base).tp_flags & Py_TPFLAGS_HAVE_VECTORCALL != 0
            && (*t).tp_flags & Py_TPFLAGS_IMMUTABLETYPE != 0
        {
            (*t).tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
        }
        copy!(tp_call);
        if (*t).tp_richcompare.is_none() && (*t).tp_hash.is_none() {
            let dict = Type::from_raw_ref(t).dict();
            let own = dict.contains(intern!("__eq__")).unwrap_or(false)
                || dict.contains(intern!("__hash__")).unwrap_or(false);
            if !own {
                (*t).tp_richcompare = (*base).tp_richcompare;
                (*t).tp_hash = (*base).tp_hash;
            }
        }
        if (*t).tp_richcompare.is_none() && (*t).tp_flags & Py_TPFLAGS_HEAPTYPE != 0 {
            (*t).tp_richcompare = (*base).tp_richcompare;
        }
        copy!(tp_alloc);
        let gc = (*t).tp_flags & Py_TPFLAGS_HAVE_GC;
        if (*t).tp_free.is_none() {
            if gc == (*base).tp_flags & Py_TPFLAGS_HAVE_GC {
                copy!(tp_free);
            } else if gc != 0 && (*base).tp_free == Some(object_free) {
                (*t).tp_free = Some(gc_del);
            }
        }
        if gc != 0 {
            if (*t).tp_is_gc.is_none() {
                (*t).tp_is_gc = (*base).tp_is_gc;
            }
            if (*t).tp_traverse.is_none() && (*base).tp_flags & Py_TPFLAGS_HAVE_GC != 0 {
                (*t).tp_traverse = (*base).tp_traverse;
                (*t).tp_clear = (*base).tp_clear;
            }
        }
    }
}

/// Shares the base's tables of slots where `t` has none of its own; after `inherit_slots`.
///
/// # Safety
/// As `inherit_special`.
pub unsafe fn inherit_tables(t: *mut PyTypeObject, base: *mut PyTypeObject) {
    // SAFETY: the caller's promise.
    unsafe {
        macro_rules! share {
            ($($f:ident)*) => { $( if (*t).$f.is_null() { (*t).$f = (*base).$f; } )* };
        }
        share!(tp_as_async tp_as_number tp_as_sequence tp_as_mapping tp_as_buffer);
    }
}
