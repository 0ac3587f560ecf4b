//! The layout kinds: one Rust name for every C struct of the object model, and the type object that marks it.
//!
//! `kind!` makes the transparent wrapper, its `Kind` and `Deref<Target = Object>`. `as_struct()` gives the raw struct for
//! the files that implement the type.

use crate::object::Object;
use crate::type_table::*;
use core::cell::UnsafeCell;
use core::ops::Deref;
use lh_abi::*;

/// `kind!(Name: CStruct, TypeSymbol)`; with `, flag FLAG` the instance check is a flag test.
#[macro_export]
macro_rules! kind {
    ($(#[$m:meta])* $name:ident: $st:ty, $sym:path $(, flag $flag:path)?) => {
        $(#[$m])*
        #[repr(transparent)]
        pub struct $name(core::cell::UnsafeCell<$st>);
        // SAFETY: instances of the type start with the struct (its own layout, checked in lh_abi).
        unsafe impl $crate::object::Kind for $name {
            const OFFSET: usize = 0;
            const BASICSIZE: usize = core::mem::size_of::<$st>();
            #[inline]
            fn type_ptr() -> *mut lh_abi::PyTypeObject {
                &raw mut $sym
            }
            $(
                #[inline]
                fn check(o: &$crate::object::Object) -> bool {
                    // SAFETY: a live object has a live type.
                    unsafe { (*o.ob_type()).tp_flags & $flag != 0 }
                }
            )?
            #[inline]
            fn as_object(&self) -> &$crate::object::Object {
                // SAFETY: the struct starts with the object head.
                unsafe { &*(self as *const Self).cast() }
            }
        }
        impl core::ops::Deref for $name {
            type Target = $crate::object::Object;
            #[inline]
            fn deref(&self) -> &$crate::object::Object {
                $crate::object::Kind::as_object(self)
            }
        }
        impl $name {
            /// The struct itself, for the code that implements the type.
            #[inline]
            pub fn as_struct(&self) -> *mut $st {
                self.0.get()
            }
        }
    };
}

kind!(/** `int` */ Int: PyLongObject, PyLong_Type, flag Py_TPFLAGS_LONG_SUBCLASS);
kind!(/** `bool` */ Bool: PyLongObject, PyBool_Type);
kind!(/** `float` */ Float: PyFloatObject, PyFloat_Type);
kind!(/** `complex` */ Complex: PyComplexObject, PyComplex_Type);
kind!(/** `str` */ Str: PyASCIIObject, PyUnicode_Type, flag Py_TPFLAGS_UNICODE_SUBCLASS);
kind!(/** `bytes` */ Bytes: PyBytesObject, PyBytes_Type, flag Py_TPFLAGS_BYTES_SUBCLASS);
kind!(/** `bytearray` */ ByteArray: PyByteArrayObject, PyByteArray_Type);
kind!(/** `memoryview` */ MemoryView: PyMemoryViewObject, PyMemoryView_Type);
kind!(/** `tuple` */ Tuple: PyTupleObject, PyTuple_Type, flag Py_TPFLAGS_TUPLE_SUBCLASS);
kind!(/** `list` */ List: PyListObject, PyList_Type, flag Py_TPFLAGS_LIST_SUBCLASS);
kind!(/** `dict` */ Dict: PyDictObject, PyDict_Type, flag Py_TPFLAGS_DICT_SUBCLASS);
kind!(/** `set` */ Set: PySetObject, PySet_Type);
kind!(/** `frozenset` */ FrozenSet: PySetObject, PyFrozenSet_Type);
kind!(/** `slice` */ Slice: PySliceObject, PySlice_Type);
kind!(/** `type` */ Type: PyHeapTypeObject, PyType_Type, flag Py_TPFLAGS_TYPE_SUBCLASS);
kind!(/** `BaseException` */ Exception: PyBaseExceptionObject, crate::exceptions::BaseException_Type,
      flag Py_TPFLAGS_BASE_EXC_SUBCLASS);
kind!(/** `function` */ Function: PyFunctionObject, PyFunction_Type);
kind!(/** bound `method` */ Method: PyMethodObject, PyMethod_Type);
kind!(/** `builtin_function_or_method` */ CFunction: PyCFunctionObject, PyCFunction_Type);
kind!(/** `code` */ Code: PyCodeObject, PyCode_Type);
kind!(/** `cell` */ CellObject: PyCellObject, PyCell_Type);
kind!(/** `traceback` */ Traceback: PyTracebackObject, PyTraceBack_Type);
kind!(/** `module` */ Module: PyModuleObject, PyModule_Type);
kind!(/** `mappingproxy` */ MappingProxy: crate::layouts::MappingProxyObject, PyDictProxy_Type);
kind!(/** `weakref.ref` */ WeakRef: PyWeakReference, _PyWeakref_RefType);
kind!(/** `property` */ Property: crate::layouts::PropertyObject, PyProperty_Type);
kind!(/** `method_descriptor` */ MethodDescr: PyMethodDescrObject, PyMethodDescr_Type);
kind!(/** `member_descriptor` */ MemberDescr: PyMemberDescrObject, PyMemberDescr_Type);
kind!(/** `getset_descriptor` */ GetSetDescr: PyGetSetDescrObject, PyGetSetDescr_Type);
kind!(/** `wrapper_descriptor` */ WrapperDescr: PyWrapperDescrObject, PyWrapperDescr_Type);
kind!(/** `classmethod` */ ClassMethod: crate::layouts::ClassMethodObject, PyClassMethod_Type);
kind!(/** `staticmethod` */ StaticMethod: crate::layouts::ClassMethodObject, PyStaticMethod_Type);

impl Type {
    /// # Safety
    /// `t` is a live type object that outlives `'a`. (A static type is shorter than a heap type: only its
    /// `PyTypeObject` part may be touched unless `Py_TPFLAGS_HEAPTYPE` is set.)
    #[inline]
    pub unsafe fn from_raw_ref<'a>(t: *mut PyTypeObject) -> &'a Type {
        // SAFETY: the caller's promise; `Type` never reads past the part that exists.
        unsafe { &*t.cast() }
    }
    /// The type object as C sees it.
    #[inline]
    pub fn tp(&self) -> *mut PyTypeObject {
        self.as_struct().cast()
    }
}

const _: () = assert!(size_of::<UnsafeCell<PyObject>>() == 16);
#[allow(dead_code)]
fn _kinds_deref(s: &Str) -> &Object {
    s.deref()
}
