//! Every static type object that CPython 3.11 exports, defined under its C symbol.
//!
//! One row a type: Python name, base, sizes, offsets and flags as CPython's own headers and binaries give them. Slots and
//! methods are filled in by each type's `#[pymethods]` block when the runtime starts (`init.rs`).

use lh_abi::*;

macro_rules! static_types {
    ($($sym:ident: $name:literal, base $base:ident, size $size:literal, item $item:literal, dict $dict:literal,
       weak $weak:literal, vcall $vcall:literal, flags $flags:literal;)*) => {
        $(
            #[unsafe(no_mangle)]
            pub static mut $sym: PyTypeObject = PyTypeObject {
                ob_base: PyVarObject {
                    ob_base: PyObject { ob_refcnt: 1, ob_type: &raw mut PyType_Type },
                    ob_size: 0,
                },
                tp_name: concat!($name, "\0").as_ptr().cast(),
                tp_basicsize: $size,
                tp_itemsize: $item,
                tp_dictoffset: $dict,
                tp_weaklistoffset: $weak,
                tp_vectorcall_offset: $vcall,
                tp_flags: $flags,
                tp_base: &raw mut $base,
                ..PyTypeObject::ZERO
            };
        )*
        /// Every type of the table.
        pub fn all() -> Vec<*mut PyTypeObject> {
            vec![$(&raw mut $sym),*]
        }
    };
}

static_types! {
    PyAsyncGen_Type: "async_generator", base PyBaseObject_Type, size 152, item 8, dict 0, weak 24, vcall 0, flags 0x4180;
    PyBaseObject_Type: "object", base PyBaseObject_Type, size 16, item 0, dict 0, weak 0, vcall 0, flags 0x500;
    PyBool_Type: "bool", base PyLong_Type, size 32, item 4, dict 0, weak 0, vcall 0, flags 0x1400100;
    PyByteArrayIter_Type: "bytearray_iterator", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyByteArray_Type: "bytearray", base PyBaseObject_Type, size 56, item 0, dict 0, weak 0, vcall 0, flags 0x400500;
    PyBytesIter_Type: "bytes_iterator", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyBytes_Type: "bytes", base PyBaseObject_Type, size 33, item 1, dict 0, weak 0, vcall 0, flags 0x8400500;
    PyCFunction_Type: "builtin_function_or_method", base PyBaseObject_Type, size 56, item 0, dict 0, weak 40, vcall 48, flags 0x4980;
    PyCMethod_Type: "builtin_method", base PyCFunction_Type, size 64, item 0, dict 0, weak 40, vcall 48, flags 0x4900;
    PyCallIter_Type: "callable_iterator", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyCapsule_Type: "PyCapsule", base PyBaseObject_Type, size 48, item 0, dict 0, weak 0, vcall 0, flags 0x180;
    PyCell_Type: "cell", base PyBaseObject_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x4100;
    PyClassMethodDescr_Type: "classmethod_descriptor", base PyBaseObject_Type, size 56, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyClassMethod_Type: "classmethod", base PyBaseObject_Type, size 32, item 0, dict 24, weak 0, vcall 0, flags 0x4500;
    PyCode_Type: "code", base PyBaseObject_Type, size 184, item 2, dict 0, weak 144, vcall 0, flags 0x100;
    PyComplex_Type: "complex", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x500;
    PyContextToken_Type: "_contextvars.Token", base PyBaseObject_Type, size 48, item 0, dict 0, weak 0, vcall 0, flags 0x4100;
    PyContextVar_Type: "_contextvars.ContextVar", base PyBaseObject_Type, size 64, item 0, dict 0, weak 0, vcall 0, flags 0x4100;
    PyContext_Type: "_contextvars.Context", base PyBaseObject_Type, size 48, item 0, dict 0, weak 32, vcall 0, flags 0x4100;
    PyCoro_Type: "coroutine", base PyBaseObject_Type, size 152, item 8, dict 0, weak 24, vcall 0, flags 0x4180;
    PyDictItems_Type: "dict_items", base PyBaseObject_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyDictIterItem_Type: "dict_itemiterator", base PyBaseObject_Type, size 56, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyDictIterKey_Type: "dict_keyiterator", base PyBaseObject_Type, size 56, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyDictIterValue_Type: "dict_valueiterator", base PyBaseObject_Type, size 56, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyDictKeys_Type: "dict_keys", base PyBaseObject_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyDictProxy_Type: "mappingproxy", base PyBaseObject_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x4140;
    PyDictRevIterItem_Type: "dict_reverseitemiterator", base PyBaseObject_Type, size 56, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyDictRevIterKey_Type: "dict_reversekeyiterator", base PyBaseObject_Type, size 56, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyDictRevIterValue_Type: "dict_reversevalueiterator", base PyBaseObject_Type, size 56, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyDictValues_Type: "dict_values", base PyBaseObject_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyDict_Type: "dict", base PyBaseObject_Type, size 48, item 0, dict 0, weak 0, vcall 0, flags 0x20404540;
    PyEllipsis_Type: "ellipsis", base PyBaseObject_Type, size 16, item 0, dict 0, weak 0, vcall 0, flags 0x100;
    PyEnum_Type: "enumerate", base PyBaseObject_Type, size 56, item 0, dict 0, weak 0, vcall 0, flags 0x4500;
    PyFilter_Type: "filter", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x4500;
    PyFloat_Type: "float", base PyBaseObject_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x400500;
    PyFrame_Type: "frame", base PyBaseObject_Type, size 120, item 8, dict 0, weak 0, vcall 0, flags 0x4180;
    PyFrozenSet_Type: "frozenset", base PyBaseObject_Type, size 200, item 0, dict 0, weak 192, vcall 0, flags 0x404500;
    PyFunction_Type: "function", base PyBaseObject_Type, size 136, item 0, dict 88, weak 96, vcall 120, flags 0x24900;
    PyGen_Type: "generator", base PyBaseObject_Type, size 152, item 8, dict 0, weak 24, vcall 0, flags 0x4180;
    PyGetSetDescr_Type: "getset_descriptor", base PyBaseObject_Type, size 48, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyInstanceMethod_Type: "instancemethod", base PyBaseObject_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x4100;
    PyListIter_Type: "list_iterator", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyListRevIter_Type: "list_reverseiterator", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyList_Type: "list", base PyBaseObject_Type, size 40, item 0, dict 0, weak 0, vcall 0, flags 0x2404520;
    PyLongRangeIter_Type: "longrange_iterator", base PyBaseObject_Type, size 48, item 0, dict 0, weak 0, vcall 0, flags 0x180;
    PyLong_Type: "int", base PyBaseObject_Type, size 24, item 4, dict 0, weak 0, vcall 0, flags 0x1400500;
    PyMap_Type: "map", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x4500;
    PyMemberDescr_Type: "member_descriptor", base PyBaseObject_Type, size 48, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyMemoryView_Type: "memoryview", base PyBaseObject_Type, size 144, item 8, dict 0, weak 136, vcall 0, flags 0x4120;
    PyMethodDescr_Type: "method_descriptor", base PyBaseObject_Type, size 56, item 0, dict 0, weak 0, vcall 48, flags 0x24980;
    PyMethod_Type: "method", base PyBaseObject_Type, size 48, item 0, dict 0, weak 32, vcall 40, flags 0x4900;
    PyModuleDef_Type: "moduledef", base PyBaseObject_Type, size 104, item 0, dict 0, weak 0, vcall 0, flags 0x180;
    PyModule_Type: "module", base PyBaseObject_Type, size 56, item 0, dict 16, weak 40, vcall 0, flags 0x4500;
    PyODictItems_Type: "odict_items", base PyDictItems_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x4100;
    PyODictIter_Type: "odict_iterator", base PyBaseObject_Type, size 64, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyODictKeys_Type: "odict_keys", base PyDictKeys_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x4100;
    PyODictValues_Type: "odict_values", base PyDictValues_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x4100;
    PyODict_Type: "collections.OrderedDict", base PyDict_Type, size 112, item 0, dict 96, weak 104, vcall 0, flags 0x20404540;
    PyPickleBuffer_Type: "pickle.PickleBuffer", base PyBaseObject_Type, size 104, item 0, dict 0, weak 96, vcall 0, flags 0x4100;
    PyProperty_Type: "property", base PyBaseObject_Type, size 64, item 0, dict 0, weak 0, vcall 0, flags 0x4500;
    PyRangeIter_Type: "range_iterator", base PyBaseObject_Type, size 48, item 0, dict 0, weak 0, vcall 0, flags 0x180;
    PyRange_Type: "range", base PyBaseObject_Type, size 48, item 0, dict 0, weak 0, vcall 0, flags 0x120;
    PyReversed_Type: "reversed", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x4500;
    PySeqIter_Type: "iterator", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PySetIter_Type: "set_iterator", base PyBaseObject_Type, size 48, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PySet_Type: "set", base PyBaseObject_Type, size 200, item 0, dict 0, weak 192, vcall 0, flags 0x404500;
    PySlice_Type: "slice", base PyBaseObject_Type, size 40, item 0, dict 0, weak 0, vcall 0, flags 0x4100;
    PyStaticMethod_Type: "staticmethod", base PyBaseObject_Type, size 32, item 0, dict 24, weak 0, vcall 0, flags 0x4500;
    PyStdPrinter_Type: "stderrprinter", base PyBaseObject_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x180;
    PySuper_Type: "super", base PyBaseObject_Type, size 40, item 0, dict 0, weak 0, vcall 0, flags 0x4500;
    PyTraceBack_Type: "traceback", base PyBaseObject_Type, size 40, item 0, dict 0, weak 0, vcall 0, flags 0x4100;
    PyTupleIter_Type: "tuple_iterator", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyTuple_Type: "tuple", base PyBaseObject_Type, size 24, item 8, dict 0, weak 0, vcall 0, flags 0x4404520;
    PyType_Type: "type", base PyBaseObject_Type, size 904, item 40, dict 264, weak 368, vcall 400, flags 0x80004d00;
    PyUnicodeIter_Type: "str_iterator", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    PyUnicode_Type: "str", base PyBaseObject_Type, size 80, item 0, dict 0, weak 0, vcall 0, flags 0x10400500;
    PyWrapperDescr_Type: "wrapper_descriptor", base PyBaseObject_Type, size 56, item 0, dict 0, weak 0, vcall 0, flags 0x24180;
    PyZip_Type: "zip", base PyBaseObject_Type, size 48, item 0, dict 0, weak 0, vcall 0, flags 0x4500;
    Py_GenericAliasType: "types.GenericAlias", base PyBaseObject_Type, size 64, item 0, dict 0, weak 40, vcall 56, flags 0x4d00;
    _PyAsyncGenASend_Type: "async_generator_asend", base PyBaseObject_Type, size 40, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    _PyAsyncGenAThrow_Type: "async_generator_athrow", base PyBaseObject_Type, size 40, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    _PyAsyncGenWrappedValue_Type: "async_generator_wrapped_value", base PyBaseObject_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    _PyBytesIOBuffer_Type: "_io._BytesIOBuffer", base PyBaseObject_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    _PyCoroWrapper_Type: "coroutine_wrapper", base PyBaseObject_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    _PyInterpreterID_Type: "InterpreterID", base PyBaseObject_Type, size 24, item 0, dict 0, weak 0, vcall 0, flags 0x500;
    _PyManagedBuffer_Type: "managedbuffer", base PyBaseObject_Type, size 112, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    _PyMethodWrapper_Type: "method-wrapper", base PyBaseObject_Type, size 32, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    _PyNamespace_Type: "types.SimpleNamespace", base PyBaseObject_Type, size 24, item 0, dict 16, weak 0, vcall 0, flags 0x4500;
    _PyNone_Type: "NoneType", base PyBaseObject_Type, size 16, item 0, dict 0, weak 0, vcall 0, flags 0x100;
    _PyNotImplemented_Type: "NotImplementedType", base PyBaseObject_Type, size 16, item 0, dict 0, weak 0, vcall 0, flags 0x100;
    _PyWeakref_CallableProxyType: "weakref.CallableProxyType", base PyBaseObject_Type, size 64, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    _PyWeakref_ProxyType: "weakref.ProxyType", base PyBaseObject_Type, size 64, item 0, dict 0, weak 0, vcall 0, flags 0x4180;
    _PyWeakref_RefType: "weakref.ReferenceType", base PyBaseObject_Type, size 64, item 0, dict 0, weak 0, vcall 56, flags 0x4d00;
}
