//! `None`, `NotImplemented`, `Ellipsis`, `True` and `False`, under their C symbols.

use crate::object::*;
use crate::type_table::*;
use lh_abi::*;

macro_rules! singleton {
    ($sym:ident, $ty:ident, $get:ident, $new:ident, $doc:literal) => {
        #[unsafe(no_mangle)]
        pub static mut $sym: PyObject = PyObject { ob_refcnt: 1, ob_type: &raw mut $ty };
        #[doc = $doc]
        #[inline]
        pub fn $get() -> &'static Object {
            // SAFETY: a static object, never freed.
            unsafe { Object::from_ptr(&raw mut $sym) }
        }
        #[doc = $doc]
        #[inline]
        pub fn $new() -> Owned<Object> {
            $get().own()
        }
    };
}
singleton!(_Py_NoneStruct, _PyNone_Type, none_ref, none, "`None`");
singleton!(
    _Py_NotImplementedStruct,
    _PyNotImplemented_Type,
    not_implemented_ref,
    not_implemented,
    "`NotImplemented`"
);
singleton!(_Py_EllipsisObject, PyEllipsis_Type, ellipsis_ref, ellipsis, "`Ellipsis`");

macro_rules! boolean {
    ($sym:ident, $size:literal, $digit:literal) => {
        #[unsafe(no_mangle)]
        pub static mut $sym: PyLongObject = PyLongObject {
            ob_base: PyVarObject {
                ob_base: PyObject { ob_refcnt: 1, ob_type: &raw mut PyBool_Type },
                ob_size: $size,
            },
            ob_digit: [$digit],
        };
    };
}
boolean!(_Py_TrueStruct, 1, 1);
boolean!(_Py_FalseStruct, 0, 0);

/// `True` or `False`.
#[inline]
pub fn bool_ref(b: bool) -> &'static Object {
    // SAFETY: static objects, never freed.
    unsafe {
        Object::from_ptr(if b { (&raw mut _Py_TrueStruct).cast() } else { (&raw mut _Py_FalseStruct).cast() })
    }
}
#[inline]
pub fn bool_obj(b: bool) -> Owned<Object> {
    bool_ref(b).own()
}
