//! Shims from safe Rust functions to the C signatures of type slots. Used by `#[pymethods]`'s `#[slot(...)]`.
//!
//! | shim | Rust function | slots |
//! |---|---|---|
//! | `slot_unary` | `fn(&self) -> impl IntoPy` | `tp_repr`, `tp_iter`, `nb_negative`, … |
//! | `slot_iternext` | `fn(&self) -> PyResult<Option<Owned<_>>>` | `tp_iternext` |
//! | `slot_binary_op` | `fn(&Object, &Object) -> PyResult<Owned<_>>` | `nb_add`, … (either operand may be ours) |
//! | `slot_ternary_op` | `fn(&Object, &Object, &Object) -> ...` | `nb_power` |
//! | `slot_binary` | `fn(&self, &Object) -> impl IntoPy` | `mp_subscript`, `sq_concat`, `nb_inplace_*`, `tp_getattro` |
//! | `slot_ssizearg` | `fn(&self, isize) -> impl IntoPy` | `sq_item`, `sq_repeat` |
//! | `slot_set` | `fn(&self, &Object, Option<&Object>) -> PyResult<()>` | `mp_ass_subscript`, `tp_setattro` (None: delete) |
//! | `slot_call` | `fn(&self, &Tuple, Option<&Dict>) -> impl IntoPy` | `tp_call` |
//! | `slot_richcompare` | `fn(&self, &Object, CompareOp) -> impl IntoPy` | `tp_richcompare` |
//! | `slot_new` | `fn(&Type, &Tuple, Option<&Dict>) -> impl IntoPy` | `tp_new` (or `#[new(signature = …)]`) |
//! | `slot_init` | `fn(&self, &Tuple, Option<&Dict>) -> PyResult<()>` | `tp_init` (or `#[init(signature = …)]`) |

use crate::object::{Kind, Object};
use lh_abi::*;

/// The six rich comparisons, numbered as in C.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum CompareOp {
    Lt = 0,
    Le = 1,
    Eq = 2,
    Ne = 3,
    Gt = 4,
    Ge = 5,
}

impl CompareOp {
    #[inline(always)]
    pub fn from_c(op: i32) -> CompareOp {
        match op {
            0 => CompareOp::Lt,
            1 => CompareOp::Le,
            2 => CompareOp::Eq,
            3 => CompareOp::Ne,
            4 => CompareOp::Gt,
            _ => CompareOp::Ge,
        }
    }
    /// The operator with its operands exchanged.
    pub fn swapped(self) -> CompareOp {
        match self {
            CompareOp::Lt => CompareOp::Gt,
            CompareOp::Le => CompareOp::Ge,
            CompareOp::Gt => CompareOp::Lt,
            CompareOp::Ge => CompareOp::Le,
            same => same,
        }
    }
    /// The answer for operands ordered as `o`.
    #[inline]
    pub fn holds(self, o: std::cmp::Ordering) -> bool {
        // For each operator: does it hold for less (bit 0), equal, greater?
        const HOLDS: [u8; 6] = [0b001, 0b011, 0b010, 0b101, 0b100, 0b110];
        HOLDS[self as usize] >> (o as i8 + 1) & 1 != 0
    }
    pub fn symbol(self) -> &'static str {
        ["<", "<=", "==", "!=", ">", ">="][self as usize]
    }
}

/// # Safety
/// `p` is a live instance of `T`.
#[inline]
pub unsafe fn this<'a, T: Kind>(p: *mut PyObject) -> &'a T {
    // SAFETY: the caller's promise.
    unsafe { T::from_object(Object::from_ptr(p)) }
}

#[macro_export]
macro_rules! slot_unary {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(a: *mut $crate::abi::PyObject) -> *mut $crate::abi::PyObject {
            // SAFETY: slots are called with a live instance of the type.
            $crate::border::object(|| {
                // SAFETY: the slot's contract, as above.
                $crate::convert::IntoPy::into_py(unsafe { $f($crate::slots::this::<$t>(a)) })
            })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_iternext {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(a: *mut $crate::abi::PyObject) -> *mut $crate::abi::PyObject {
            // SAFETY: slots are called with a live instance of the type.
            $crate::border::optional(|| unsafe { $f($crate::slots::this::<$t>(a)) })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_hash {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(a: *mut $crate::abi::PyObject) -> isize {
            // SAFETY: slots are called with a live instance of the type.
            $crate::border::int(
                // SAFETY: the slot's contract, as above.
                || unsafe { $f($crate::slots::this::<$t>(a)) }.map(|h: isize| if h == -1 { -2 } else { h }),
                -1,
            )
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_inquiry {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(a: *mut $crate::abi::PyObject) -> ::core::ffi::c_int {
            // SAFETY: slots are called with a live instance of the type.
            $crate::border::int(|| unsafe { $f($crate::slots::this::<$t>(a)) }.map(|b: bool| b as i32), -1)
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_len {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(a: *mut $crate::abi::PyObject) -> isize {
            // SAFETY: slots are called with a live instance of the type.
            $crate::border::int(|| unsafe { $f($crate::slots::this::<$t>(a)) }.map(|n: usize| n as isize), -1)
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_binary_op {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyObject,
            b: *mut $crate::abi::PyObject,
        ) -> *mut $crate::abi::PyObject {
            // SAFETY: slots are called with live objects.
            $crate::border::object(|| unsafe {
                $f($crate::object::Object::from_ptr(a), $crate::object::Object::from_ptr(b))
            })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_ternary_op {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyObject,
            b: *mut $crate::abi::PyObject,
            c: *mut $crate::abi::PyObject,
        ) -> *mut $crate::abi::PyObject {
            // SAFETY: slots are called with live objects.
            $crate::border::object(|| unsafe {
                $f(
                    $crate::object::Object::from_ptr(a),
                    $crate::object::Object::from_ptr(b),
                    $crate::object::Object::from_ptr(c),
                )
            })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_binary {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyObject,
            b: *mut $crate::abi::PyObject,
        ) -> *mut $crate::abi::PyObject {
            // SAFETY: slots are called with a live instance of the type and a live object.
            $crate::border::object(|| {
                // SAFETY: the slot's contract, as above.
                $crate::convert::IntoPy::into_py(unsafe {
                    $f($crate::slots::this::<$t>(a), $crate::object::Object::from_ptr(b))
                })
            })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_ssizearg {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(a: *mut $crate::abi::PyObject, i: isize) -> *mut $crate::abi::PyObject {
            // SAFETY: slots are called with a live instance of the type.
            $crate::border::object(|| {
                // SAFETY: the slot's contract, as above.
                $crate::convert::IntoPy::into_py(unsafe { $f($crate::slots::this::<$t>(a), i) })
            })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_ass_item {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyObject,
            i: isize,
            v: *mut $crate::abi::PyObject,
        ) -> ::core::ffi::c_int {
            // SAFETY: slots are called with a live instance of the type; the value is live or null.
            $crate::border::status(|| unsafe {
                $f($crate::slots::this::<$t>(a), i, $crate::object::Object::from_ptr_opt(v))
            })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_contains {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyObject,
            b: *mut $crate::abi::PyObject,
        ) -> ::core::ffi::c_int {
            // SAFETY: slots are called with a live instance of the type and a live object.
            $crate::border::int(
                || {
                    // SAFETY: the slot's contract, as above.
                    unsafe { $f($crate::slots::this::<$t>(a), $crate::object::Object::from_ptr(b)) }
                        .map(|b: bool| b as i32)
                },
                -1,
            )
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_set {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyObject,
            b: *mut $crate::abi::PyObject,
            v: *mut $crate::abi::PyObject,
        ) -> ::core::ffi::c_int {
            // SAFETY: slots are called with a live instance of the type; the value is live or null.
            $crate::border::status(|| unsafe {
                $f(
                    $crate::slots::this::<$t>(a),
                    $crate::object::Object::from_ptr(b),
                    $crate::object::Object::from_ptr_opt(v),
                )
            })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_descr_set {
    ($t:ty, $f:expr) => {
        $crate::slot_set!($t, $f)
    };
}
#[macro_export]
macro_rules! slot_call {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyObject,
            args: *mut $crate::abi::PyObject,
            kw: *mut $crate::abi::PyObject,
        ) -> *mut $crate::abi::PyObject {
            // SAFETY: slots are called with a live instance of the type, a tuple and a dict or null.
            $crate::border::object(|| {
                // SAFETY: the slot's contract, as above.
                $crate::convert::IntoPy::into_py(unsafe {
                    $f(
                        $crate::slots::this::<$t>(a),
                        $crate::slots::this::<$crate::kinds::Tuple>(args),
                        $crate::slots::opt_dict(kw),
                    )
                })
            })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_init {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyObject,
            args: *mut $crate::abi::PyObject,
            kw: *mut $crate::abi::PyObject,
        ) -> ::core::ffi::c_int {
            // SAFETY: slots are called with a live instance of the type, a tuple and a dict or null.
            $crate::border::status(|| unsafe {
                $f(
                    $crate::slots::this::<$t>(a),
                    $crate::slots::this::<$crate::kinds::Tuple>(args),
                    $crate::slots::opt_dict(kw),
                )
            })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_new {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyTypeObject,
            args: *mut $crate::abi::PyObject,
            kw: *mut $crate::abi::PyObject,
        ) -> *mut $crate::abi::PyObject {
            // SAFETY: tp_new is called with a live type, a tuple and a dict or null.
            $crate::border::object(|| {
                // SAFETY: the slot's contract, as above.
                $crate::convert::IntoPy::into_py(unsafe {
                    $f(
                        $crate::kinds::Type::from_raw_ref(a),
                        $crate::slots::this::<$crate::kinds::Tuple>(args),
                        $crate::slots::opt_dict(kw),
                    )
                })
            })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_richcompare {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyObject,
            b: *mut $crate::abi::PyObject,
            op: ::core::ffi::c_int,
        ) -> *mut $crate::abi::PyObject {
            // SAFETY: slots are called with a live instance of the type and a live object.
            $crate::border::object(|| {
                // SAFETY: the slot's contract, as above.
                $crate::convert::IntoPy::into_py(unsafe {
                    $f(
                        $crate::slots::this::<$t>(a),
                        $crate::object::Object::from_ptr(b),
                        $crate::slots::CompareOp::from_c(op),
                    )
                })
            })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
#[macro_export]
macro_rules! slot_descr_get {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyObject,
            o: *mut $crate::abi::PyObject,
            ty: *mut $crate::abi::PyObject,
        ) -> *mut $crate::abi::PyObject {
            // SAFETY: slots are called with a live instance of the type; object and type are live or null.
            $crate::border::object(|| {
                // SAFETY: the slot's contract, as above.
                $crate::convert::IntoPy::into_py(unsafe {
                    $f(
                        $crate::slots::this::<$t>(a),
                        $crate::object::Object::from_ptr_opt(o),
                        $crate::object::Object::from_ptr_opt(ty),
                    )
                })
            })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
/// `fn(&self, &mut Visitor)`.
#[macro_export]
macro_rules! slot_traverse {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyObject,
            visit: $crate::abi::visitproc,
            arg: *mut ::core::ffi::c_void,
        ) -> ::core::ffi::c_int {
            let mut v = $crate::object::Visitor { visit, arg, result: 0 };
            // SAFETY: slots are called with a live instance of the type.
            unsafe { $f($crate::slots::this::<$t>(a), &mut v) };
            v.result
        }
        shim as *mut ::core::ffi::c_void
    }};
}
/// `fn(&self)`.
#[macro_export]
macro_rules! slot_clear {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(a: *mut $crate::abi::PyObject) -> ::core::ffi::c_int {
            // SAFETY: slots are called with a live instance of the type.
            $crate::border::nothing(|| unsafe { $f($crate::slots::this::<$t>(a)) });
            0
        }
        shim as *mut ::core::ffi::c_void
    }};
}
/// `fn(*mut PyObject)`: the raw pointer, because the object dies.
#[macro_export]
macro_rules! slot_destructor {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(a: *mut $crate::abi::PyObject) {
            $crate::border::nothing(|| {
                #[allow(unused_unsafe)]
                // SAFETY: called once, when the count has reached zero.
                unsafe {
                    $f(a)
                }
            });
        }
        shim as *mut ::core::ffi::c_void
    }};
}
/// `fn(&self, *mut Py_buffer, i32) -> PyResult<()>`.
#[macro_export]
macro_rules! slot_getbuffer {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(
            a: *mut $crate::abi::PyObject,
            view: *mut $crate::abi::Py_buffer,
            flags: ::core::ffi::c_int,
        ) -> ::core::ffi::c_int {
            // SAFETY: slots are called with a live instance of the type and a writable Py_buffer.
            $crate::border::status(|| unsafe { $f($crate::slots::this::<$t>(a), view, flags) })
        }
        shim as *mut ::core::ffi::c_void
    }};
}
/// `fn(&self, *mut Py_buffer)`.
#[macro_export]
macro_rules! slot_releasebuffer {
    ($t:ty, $f:expr) => {{
        unsafe extern "C" fn shim(a: *mut $crate::abi::PyObject, view: *mut $crate::abi::Py_buffer) {
            // SAFETY: slots are called with a live instance of the type and the view it filled.
            $crate::border::nothing(|| unsafe { $f($crate::slots::this::<$t>(a), view) });
        }
        shim as *mut ::core::ffi::c_void
    }};
}

/// # Safety
/// `kw` is null or a live dict.
#[inline]
pub unsafe fn opt_dict<'a>(kw: *mut PyObject) -> Option<&'a crate::kinds::Dict> {
    // SAFETY: the caller's promise.
    unsafe { Object::from_ptr_opt(kw).map(|o| crate::kinds::Dict::from_object(o)) }
}
