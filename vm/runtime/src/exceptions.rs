//! The exception classes, their fields, normalising, chaining, `OSError` from errno.
//!
//! The classes are static type objects made by one table; C code reaches them through `PyExc_*` pointer variables. Struct
//! layouts are CPython's, so that C code may read the fields.

use crate::exc_fields::*;
use crate::prelude::*;
use crate::thread::Thread;
use lh_abi::*;
use std::ptr::null_mut;

/// Initialises one exception type object.
const fn exc_type(
    name: &'static core::ffi::CStr,
    doc: &'static core::ffi::CStr,
    base: *mut PyTypeObject,
    size: usize,
) -> PyTypeObject {
    PyTypeObject {
        ob_base: PyVarObject {
            ob_base: PyObject { ob_refcnt: 1, ob_type: &raw mut crate::type_table::PyType_Type },
            ob_size: 0,
        },
        tp_name: name.as_ptr(),
        tp_doc: doc.as_ptr(),
        tp_basicsize: size as isize,
        tp_base: base,
        tp_dictoffset: core::mem::offset_of!(PyBaseExceptionObject, dict) as isize,
        tp_flags: Py_TPFLAGS_DEFAULT
            | Py_TPFLAGS_BASETYPE
            | Py_TPFLAGS_HAVE_GC
            | Py_TPFLAGS_BASE_EXC_SUBCLASS,
        ..PyTypeObject::ZERO
    }
}

macro_rules! exceptions {
    ($($name:ident $sym:ident $st:ty, $base:ident, $doc:literal;)*) => {
        $(
            #[doc = $doc]
            pub static mut $sym: PyTypeObject = exc_type(
                match core::ffi::CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) { Ok(s) => s, Err(_) => c"" },
                match core::ffi::CStr::from_bytes_with_nul(concat!($doc, "\0").as_bytes()) { Ok(s) => s, Err(_) => c"" },
                &raw mut $base,
                size_of::<$st>(),
            );
        )*
        /// The exception classes: `exc::TypeError()`.
        #[allow(non_snake_case)]
        pub mod exc {
            use crate::kinds::Type;
            /// `BaseException`.
            pub fn BaseException() -> &'static Type {
                // SAFETY: a static type object.
                unsafe { Type::from_raw_ref(&raw mut super::BaseException_Type) }
            }
            $(
                #[doc = $doc]
                #[inline]
                pub fn $name() -> &'static Type {
                    // SAFETY: a static type object.
                    unsafe { Type::from_raw_ref(&raw mut super::$sym) }
                }
            )*
        }
        /// All exception types but `BaseException`, bases first, by name.
        pub fn all() -> Vec<(&'static str, *mut PyTypeObject)> {
            vec![$((stringify!($name), &raw mut $sym)),*]
        }
    };
}

pub static mut BaseException_Type: PyTypeObject = exc_type(
    c"BaseException",
    c"Common base class for all exceptions",
    &raw mut crate::type_table::PyBaseObject_Type,
    size_of::<PyBaseExceptionObject>(),
);

exceptions! {
    Exception Exception_Type PyBaseExceptionObject, BaseException_Type, "Common base class for all non-exit exceptions.";
    TypeError TypeError_Type PyBaseExceptionObject, Exception_Type, "Inappropriate argument type.";
    StopAsyncIteration StopAsyncIteration_Type PyBaseExceptionObject, Exception_Type, "Signal the end from iterator.__anext__().";
    StopIteration StopIteration_Type PyStopIterationObject, Exception_Type, "Signal the end from iterator.__next__().";
    GeneratorExit GeneratorExit_Type PyBaseExceptionObject, BaseException_Type, "Request that a generator exit.";
    SystemExit SystemExit_Type PySystemExitObject, BaseException_Type, "Request to exit from the interpreter.";
    KeyboardInterrupt KeyboardInterrupt_Type PyBaseExceptionObject, BaseException_Type, "Program interrupted by user.";
    BaseExceptionGroup BaseExceptionGroup_Type PyBaseExceptionGroupObject, BaseException_Type, "A combination of multiple unrelated exceptions.";
    ImportError ImportError_Type PyImportErrorObject, Exception_Type, "Import can't find module, or can't find name in module.";
    ModuleNotFoundError ModuleNotFoundError_Type PyImportErrorObject, ImportError_Type, "Module not found.";
    OSError OSError_Type PyOSErrorObject, Exception_Type, "Base class for I/O related errors.";
    EOFError EOFError_Type PyBaseExceptionObject, Exception_Type, "Read beyond end of file.";
    RuntimeError RuntimeError_Type PyBaseExceptionObject, Exception_Type, "Unspecified run-time error.";
    RecursionError RecursionError_Type PyBaseExceptionObject, RuntimeError_Type, "Recursion limit exceeded.";
    NotImplementedError NotImplementedError_Type PyBaseExceptionObject, RuntimeError_Type, "Method or function hasn't been implemented yet.";
    NameError NameError_Type PyNameErrorObject, Exception_Type, "Name not found globally.";
    UnboundLocalError UnboundLocalError_Type PyNameErrorObject, NameError_Type, "Local name referenced but not bound to a value.";
    AttributeError AttributeError_Type PyAttributeErrorObject, Exception_Type, "Attribute not found.";
    SyntaxError SyntaxError_Type PySyntaxErrorObject, Exception_Type, "Invalid syntax.";
    IndentationError IndentationError_Type PySyntaxErrorObject, SyntaxError_Type, "Improper indentation.";
    TabError TabError_Type PySyntaxErrorObject, IndentationError_Type, "Improper mixture of spaces and tabs.";
    LookupError LookupError_Type PyBaseExceptionObject, Exception_Type, "Base class for lookup errors.";
    IndexError IndexError_Type PyBaseExceptionObject, LookupError_Type, "Sequence index out of range.";
    KeyError KeyError_Type PyBaseExceptionObject, LookupError_Type, "Mapping key not found.";
    ValueError ValueError_Type PyBaseExceptionObject, Exception_Type, "Inappropriate argument value (of correct type).";
    UnicodeError UnicodeError_Type PyBaseExceptionObject, ValueError_Type, "Unicode related error.";
    UnicodeEncodeError UnicodeEncodeError_Type PyUnicodeErrorObject, UnicodeError_Type, "Unicode encoding error.";
    UnicodeDecodeError UnicodeDecodeError_Type PyUnicodeErrorObject, UnicodeError_Type, "Unicode decoding error.";
    UnicodeTranslateError UnicodeTranslateError_Type PyUnicodeErrorObject, UnicodeError_Type, "Unicode translation error.";
    AssertionError AssertionError_Type PyBaseExceptionObject, Exception_Type, "Assertion failed.";
    ArithmeticError ArithmeticError_Type PyBaseExceptionObject, Exception_Type, "Base class for arithmetic errors.";
    FloatingPointError FloatingPointError_Type PyBaseExceptionObject, ArithmeticError_Type, "Floating point operation failed.";
    OverflowError OverflowError_Type PyBaseExceptionObject, ArithmeticError_Type, "Result too large to be represented.";
    ZeroDivisionError ZeroDivisionError_Type PyBaseExceptionObject, ArithmeticError_Type, "Second argument to a division or modulo operation was zero.";
    SystemError SystemError_Type PyBaseExceptionObject, Exception_Type, "Internal error in the Python interpreter.\n\nPlease report this to the Python maintainer, along with the traceback,\nthe Python version, and the hardware/OS platform and version.";
    ReferenceError ReferenceError_Type PyBaseExceptionObject, Exception_Type, "Weak ref proxy used after referent went away.";
    MemoryError MemoryError_Type PyBaseExceptionObject, Exception_Type, "Out of memory.";
    BufferError BufferError_Type PyBaseExceptionObject, Exception_Type, "Buffer error.";
    Warning Warning_Type PyBaseExceptionObject, Exception_Type, "Base class for warning categories.";
    UserWarning UserWarning_Type PyBaseExceptionObject, Warning_Type, "Base class for warnings generated by user code.";
    EncodingWarning EncodingWarning_Type PyBaseExceptionObject, Warning_Type, "Base class for warnings about encodings.";
    DeprecationWarning DeprecationWarning_Type PyBaseExceptionObject, Warning_Type, "Base class for warnings about deprecated features.";
    PendingDeprecationWarning PendingDeprecationWarning_Type PyBaseExceptionObject, Warning_Type, "Base class for warnings about features which will be deprecated\nin the future.";
    SyntaxWarning SyntaxWarning_Type PyBaseExceptionObject, Warning_Type, "Base class for warnings about dubious syntax.";
    RuntimeWarning RuntimeWarning_Type PyBaseExceptionObject, Warning_Type, "Base class for warnings about dubious runtime behavior.";
    FutureWarning FutureWarning_Type PyBaseExceptionObject, Warning_Type, "Base class for warnings about constructs that will change semantically\nin the future.";
    ImportWarning ImportWarning_Type PyBaseExceptionObject, Warning_Type, "Base class for warnings about probable mistakes in module imports";
    UnicodeWarning UnicodeWarning_Type PyBaseExceptionObject, Warning_Type, "Base class for warnings about Unicode related problems, mostly\nrelated to conversion problems.";
    BytesWarning BytesWarning_Type PyBaseExceptionObject, Warning_Type, "Base class for warnings about bytes and buffer related problems, mostly\nrelated to conversion from str or comparing to str.";
    ResourceWarning ResourceWarning_Type PyBaseExceptionObject, Warning_Type, "Base class for warnings about resource usage.";
    ConnectionError ConnectionError_Type PyOSErrorObject, OSError_Type, "Connection error.";
    BlockingIOError BlockingIOError_Type PyOSErrorObject, OSError_Type, "I/O operation would block.";
    BrokenPipeError BrokenPipeError_Type PyOSErrorObject, ConnectionError_Type, "Broken pipe.";
    ChildProcessError ChildProcessError_Type PyOSErrorObject, OSError_Type, "Child process error.";
    ConnectionAbortedError ConnectionAbortedError_Type PyOSErrorObject, ConnectionError_Type, "Connection aborted.";
    ConnectionRefusedError ConnectionRefusedError_Type PyOSErrorObject, ConnectionError_Type, "Connection refused.";
    ConnectionResetError ConnectionResetError_Type PyOSErrorObject, ConnectionError_Type, "Connection reset.";
    FileExistsError FileExistsError_Type PyOSErrorObject, OSError_Type, "File already exists.";
    FileNotFoundError FileNotFoundError_Type PyOSErrorObject, OSError_Type, "File not found.";
    IsADirectoryError IsADirectoryError_Type PyOSErrorObject, OSError_Type, "Operation doesn't work on directories.";
    NotADirectoryError NotADirectoryError_Type PyOSErrorObject, OSError_Type, "Operation only works on directories.";
    InterruptedError InterruptedError_Type PyOSErrorObject, OSError_Type, "Interrupted by signal.";
    PermissionError PermissionError_Type PyOSErrorObject, OSError_Type, "Not enough permissions.";
    ProcessLookupError ProcessLookupError_Type PyOSErrorObject, OSError_Type, "Process not found.";
    TimeoutError TimeoutError_Type PyOSErrorObject, OSError_Type, "Timeout expired.";
}

/// The variables through which C code names the classes.
pub mod c_symbols {
    use lh_abi::PyObject;
    #[unsafe(no_mangle)]
    pub static mut PyExc_BaseException: *mut PyObject = (&raw mut super::BaseException_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_Exception: *mut PyObject = (&raw mut super::Exception_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_TypeError: *mut PyObject = (&raw mut super::TypeError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_StopAsyncIteration: *mut PyObject = (&raw mut super::StopAsyncIteration_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_StopIteration: *mut PyObject = (&raw mut super::StopIteration_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_GeneratorExit: *mut PyObject = (&raw mut super::GeneratorExit_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_SystemExit: *mut PyObject = (&raw mut super::SystemExit_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_KeyboardInterrupt: *mut PyObject = (&raw mut super::KeyboardInterrupt_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_BaseExceptionGroup: *mut PyObject = (&raw mut super::BaseExceptionGroup_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ImportError: *mut PyObject = (&raw mut super::ImportError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ModuleNotFoundError: *mut PyObject =
        (&raw mut super::ModuleNotFoundError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_OSError: *mut PyObject = (&raw mut super::OSError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_EOFError: *mut PyObject = (&raw mut super::EOFError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_RuntimeError: *mut PyObject = (&raw mut super::RuntimeError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_RecursionError: *mut PyObject = (&raw mut super::RecursionError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_NotImplementedError: *mut PyObject =
        (&raw mut super::NotImplementedError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_NameError: *mut PyObject = (&raw mut super::NameError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_UnboundLocalError: *mut PyObject = (&raw mut super::UnboundLocalError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_AttributeError: *mut PyObject = (&raw mut super::AttributeError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_SyntaxError: *mut PyObject = (&raw mut super::SyntaxError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_IndentationError: *mut PyObject = (&raw mut super::IndentationError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_TabError: *mut PyObject = (&raw mut super::TabError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_LookupError: *mut PyObject = (&raw mut super::LookupError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_IndexError: *mut PyObject = (&raw mut super::IndexError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_KeyError: *mut PyObject = (&raw mut super::KeyError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ValueError: *mut PyObject = (&raw mut super::ValueError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_UnicodeError: *mut PyObject = (&raw mut super::UnicodeError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_UnicodeEncodeError: *mut PyObject = (&raw mut super::UnicodeEncodeError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_UnicodeDecodeError: *mut PyObject = (&raw mut super::UnicodeDecodeError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_UnicodeTranslateError: *mut PyObject =
        (&raw mut super::UnicodeTranslateError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_AssertionError: *mut PyObject = (&raw mut super::AssertionError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ArithmeticError: *mut PyObject = (&raw mut super::ArithmeticError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_FloatingPointError: *mut PyObject = (&raw mut super::FloatingPointError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_OverflowError: *mut PyObject = (&raw mut super::OverflowError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ZeroDivisionError: *mut PyObject = (&raw mut super::ZeroDivisionError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_SystemError: *mut PyObject = (&raw mut super::SystemError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ReferenceError: *mut PyObject = (&raw mut super::ReferenceError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_MemoryError: *mut PyObject = (&raw mut super::MemoryError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_BufferError: *mut PyObject = (&raw mut super::BufferError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_Warning: *mut PyObject = (&raw mut super::Warning_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_UserWarning: *mut PyObject = (&raw mut super::UserWarning_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_EncodingWarning: *mut PyObject = (&raw mut super::EncodingWarning_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_DeprecationWarning: *mut PyObject = (&raw mut super::DeprecationWarning_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_PendingDeprecationWarning: *mut PyObject =
        (&raw mut super::PendingDeprecationWarning_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_SyntaxWarning: *mut PyObject = (&raw mut super::SyntaxWarning_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_RuntimeWarning: *mut PyObject = (&raw mut super::RuntimeWarning_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_FutureWarning: *mut PyObject = (&raw mut super::FutureWarning_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ImportWarning: *mut PyObject = (&raw mut super::ImportWarning_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_UnicodeWarning: *mut PyObject = (&raw mut super::UnicodeWarning_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_BytesWarning: *mut PyObject = (&raw mut super::BytesWarning_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ResourceWarning: *mut PyObject = (&raw mut super::ResourceWarning_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ConnectionError: *mut PyObject = (&raw mut super::ConnectionError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_BlockingIOError: *mut PyObject = (&raw mut super::BlockingIOError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_BrokenPipeError: *mut PyObject = (&raw mut super::BrokenPipeError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ChildProcessError: *mut PyObject = (&raw mut super::ChildProcessError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ConnectionAbortedError: *mut PyObject =
        (&raw mut super::ConnectionAbortedError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ConnectionRefusedError: *mut PyObject =
        (&raw mut super::ConnectionRefusedError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ConnectionResetError: *mut PyObject =
        (&raw mut super::ConnectionResetError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_FileExistsError: *mut PyObject = (&raw mut super::FileExistsError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_FileNotFoundError: *mut PyObject = (&raw mut super::FileNotFoundError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_IsADirectoryError: *mut PyObject = (&raw mut super::IsADirectoryError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_NotADirectoryError: *mut PyObject = (&raw mut super::NotADirectoryError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_InterruptedError: *mut PyObject = (&raw mut super::InterruptedError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_PermissionError: *mut PyObject = (&raw mut super::PermissionError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_ProcessLookupError: *mut PyObject = (&raw mut super::ProcessLookupError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_TimeoutError: *mut PyObject = (&raw mut super::TimeoutError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_EnvironmentError: *mut PyObject = (&raw mut super::OSError_Type).cast();
    #[unsafe(no_mangle)]
    pub static mut PyExc_IOError: *mut PyObject = (&raw mut super::OSError_Type).cast();
}

// ---- Setting and normalising ----

/// `PyErr_SetObject`: chains the exception being handled as the context of the new one.
pub fn set_with_context(t: &Object, v: Option<Owned>) {
    let Some(handled) = handled_exception() else {
        // An instance brings its traceback along.
        let tb = v.as_ref().and_then(|v| v.downcast::<Exception>()).and_then(|e| e.traceback());
        restore(Some(t.own()), v, tb);
        return;
    };
    // Chaining needs an instance.
    let value = match v {
        Some(v) if Exception::check(&v) => v,
        v => {
            clear();
            match instantiate(t, v) {
                Ok(e) => e,
                Err(Raised { .. }) => return,
            }
        }
    };
    let tb = value.downcast::<Exception>().and_then(|e| e.traceback());
    if let Some(e) = value.downcast::<Exception>()
        && !e.is(&*handled)
    {
        // The handled exception may already have the new one in its chain: break that.
        // That chain may have a cycle of its own: the slow walker notices.
        let mut o = handled.clone();
        let mut slow = handled.clone();
        let mut step = false;
        while let Some(c) = o.context() {
            if c.is(e) {
                o.set_context(None);
                break;
            }
            let Ok(c) = c.downcast_owned::<Exception>() else { break };
            o = c;
            if o.is(&*slow) {
                break;
            }
            if step && let Some(Ok(next)) = slow.context().map(|c| c.downcast_owned::<Exception>()) {
                slow = next;
            }
            step = !step;
        }
    }
    if let Some(e) = value.downcast::<Exception>()
        && !e.is(&*handled)
    {
        e.set_context(Some(handled.into_object()));
    }
    let t = value.ty().own().into_object();
    restore(Some(t), Some(value), tb);
}

/// The exception that is being handled (`sys.exception()`).
pub fn handled_exception() -> Option<Owned<Exception>> {
    // SAFETY: the chain of exception states belongs to the current thread.
    unsafe {
        let mut s = (*Thread::current_ptr()).exc_info;
        while !s.is_null() {
            let v = (*s).exc_value;
            if !v.is_null() && v != &raw mut crate::singletons::_Py_NoneStruct {
                return Object::from_ptr(v).downcast::<Exception>().map(|e| e.own());
            }
            s = (*s).previous_item;
        }
        None
    }
}

fn instantiate(t: &Object, v: Option<Owned>) -> PyResult<Owned<Object>> {
    let r = match v {
        None => t.call0()?,
        Some(v) if v.is_none() => t.call0()?,
        Some(v) => match v.downcast::<Tuple>() {
            Some(a) => t.call_tuple(a, None)?,
            None => t.call1(&v)?,
        },
    };
    if !Exception::check(&r) {
        return raise!(
            TypeError,
            "calling {} should have returned an instance of BaseException, not {}",
            t.repr_lossy(),
            r.ty().name()
        );
    }
    Ok(r)
}

/// `PyErr_NormalizeException`: always an instance, its traceback set.
pub fn normalize(t: Owned, v: Option<Owned>, tb: Option<Owned>) -> Owned<Exception> {
    let (mut t, mut v, mut tb) = (t, v, tb);
    let _headroom = crate::thread::Headroom::grant();
    for round in 0..34 {
        if round == 32 {
            let text = "maximum recursion depth exceeded while normalizing an exception";
            t = exc::RecursionError().own().into_object();
            v = Some(Str::new(text).into_object());
        }
        let fits = v.as_deref().is_some_and(|x| {
            Exception::check(x) && t.downcast::<Type>().is_some_and(|t| x.ty().is_subtype(t))
        });
        let made = if fits { Ok(v.take().expect("checked")) } else { instantiate(&t, v.take()) };
        match made {
            Ok(e) => {
                // SAFETY: instances of BaseException, as checked.
                let e: Owned<Exception> = unsafe { e.cast_unchecked() };
                if let Some(tb) = &tb
                    && !tb.is_none()
                {
                    e.set_traceback(Some(tb));
                }
                return e;
            }
            Err(Raised { .. }) => {
                let (t2, v2, tb2) = fetch();
                t = t2.expect("an exception is set");
                v = v2;
                tb = tb2.or(tb);
            }
        }
    }
    eprintln!("Fatal Python error: Cannot recover from the recursive normalization of an exception.");
    std::process::abort()
}

/// `exc_type(*args)`.
pub fn make(exc_type: &Type, args: &[&Object]) -> PyResult<Owned<Exception>> {
    let e = exc_type.call(args)?;
    e.downcast_owned::<Exception>()
        .map_err(|_| raised!(TypeError, "exceptions must derive from BaseException"))
}

/// Fills `name` and `obj` of the `AttributeError` being raised, for suggestions, if nobody has yet.
pub fn annotate_attribute_error(e: Raised, o: &Object, name: &Str) -> Raised {
    // SAFETY: the pending triple belongs to the current thread.
    unsafe {
        let ts = Thread::current_ptr();
        let t = (*ts).curexc_type;
        if t != (&raw mut AttributeError_Type).cast() {
            return e;
        }
    }
    let (t, v, tb) = fetch();
    let x = normalize(t.expect("set"), v, tb);
    if x.is_exact_type(&raw mut AttributeError_Type) {
        // SAFETY: an AttributeError's struct.
        unsafe {
            let p = x.raw().cast::<PyAttributeErrorObject>();
            if (*p).name.is_null() && (*p).obj.is_null() {
                (*p).name = name.own().into_raw();
                (*p).obj = o.own().into_raw();
            }
        }
    }
    raise_exc(x)
}

/// Raises `NameError` with its `name` set.
pub fn raise_name_error(t: &Type, name: &Str, message: &str) -> Raised {
    match make(t, &[&Str::new(message)]) {
        Ok(e) => {
            // SAFETY: a NameError's struct.
            unsafe {
                let p = e.raw().cast::<PyNameErrorObject>();
                let old = std::mem::replace(&mut (*p).name, name.own().into_raw());
                xdecref(old);
            }
            raise_exc_with_context(e)
        }
        Err(r) => r,
    }
}

/// Raises `ImportError` (or a subclass) with `name` and `path`.
pub fn raise_import_error(t: &Type, message: &str, name: Option<&Object>, path: Option<&Object>) -> Raised {
    match make(t, &[&Str::new(message)]) {
        Ok(e) => {
            // SAFETY: an ImportError's struct.
            unsafe {
                let p = e.raw().cast::<PyImportErrorObject>();
                if let Some(n) = name {
                    xdecref(std::mem::replace(&mut (*p).name, n.own().into_raw()));
                }
                if let Some(n) = path {
                    xdecref(std::mem::replace(&mut (*p).path, n.own().into_raw()));
                }
            }
            raise_exc_with_context(e)
        }
        Err(r) => r,
    }
}

/// Raises `OSError(errno, strerror, filename, None, filename2)`.
pub fn raise_os_error(errno: i32, filename: Option<&Object>, filename2: Option<&Object>) -> Raised {
    // A signal handler's exception replaces the interrupted call's error.
    // SAFETY: strerror gives a C string for any number.
    let text = unsafe { core::ffi::CStr::from_ptr(libc::strerror(errno)) }.to_string_lossy().into_owned();
    let (n, s) = (Int::from_i64(errno as i64), Str::new(&text));
    let mut args: Vec<&Object> = vec![&n, &s];
    let zero = Int::from_i64(0);
    if let Some(f) = filename {
        args.push(f);
        if let Some(g) = filename2 {
            args.push(&zero);
            args.push(g);
        }
    }
    match make(exc::OSError(), &args) {
        Ok(e) => raise_exc_with_context(e),
        Err(r) => r,
    }
}

/// Raises `StopIteration(value)`.
pub fn raise_stop_iteration(value: Owned<Object>) -> Raised {
    if Tuple::check(&value) || Exception::check(&value) {
        return match make(exc::StopIteration(), &[&value]) {
            Ok(e) => set_object(exc::StopIteration(), Some(e.into_object())),
            Err(r) => r,
        };
    }
    if value.is_none() {
        set_object(exc::StopIteration(), None)
    } else {
        set_object(exc::StopIteration(), Some(value))
    }
}

/// The value of a `StopIteration` being raised, which is taken out of the thread state. `None` if another exception is set; with
/// no exception set the value is Python's `None`.
pub fn take_stop_iteration_value() -> Option<Owned<Object>> {
    if !occurred() {
        return Some(none());
    }
    if !matches(exc::StopIteration()) {
        return None;
    }
    let (t, v, tb) = fetch();
    match &v {
        None => return Some(none()),
        Some(x) if !Tuple::check(x) && !Exception::check(x) => return v,
        _ => {}
    }
    let e = normalize(t.expect("set"), v, tb);
    // SAFETY: a StopIteration's struct.
    unsafe {
        let p = e.raw().cast::<PyStopIterationObject>();
        Some(Object::from_ptr_opt((*p).value).map_or_else(none, |v| v.own()))
    }
}

/// `PyErr_WriteUnraisable` through `sys.unraisablehook`.
pub fn write_unraisable(context: Option<&Object>, message: Option<&str>) {
    if !occurred() {
        return;
    }
    // A report says at least where the program was.
    let (t, v, tb) = fetch();
    let bare = tb.is_none();
    restore(t, v, tb);
    if bare {
        (crate::hooks::hooks().traceback_here)();
    }
    let (t, v, tb) = fetch();
    let Some(t) = t else { return };
    let e = normalize(t, v, tb);
    let hook = crate::sysobject::sys_get("unraisablehook");
    let msg = message.map(Str::new);
    let none_obj = none();
    let args = [
        e.ty().as_object().own(),
        e.clone().into_object(),
        e.traceback().unwrap_or_else(none),
        msg.map_or_else(none, |m| m.into_object()),
        context.map_or_else(none, |c| c.own()),
    ];
    let _ = &none_obj;
    let called = hook.filter(|h| !h.is_none()).map(|h| {
        let ty = match crate::sysobject::sys_get("UnraisableHookArgs") {
            Some(t) => t.call1(&Tuple::from_vec(args.to_vec())),
            None => crate::hooks::import_module("types").and_then(|m| {
                let ns = m.get_attr_str("SimpleNamespace")?;
                ns.call_kw(
                    &[],
                    &[
                        ("exc_type", &args[0]),
                        ("exc_value", &args[1]),
                        ("exc_traceback", &args[2]),
                        ("err_msg", &args[3]),
                        ("object", &args[4]),
                    ],
                )
            }),
        };
        ty.and_then(|a| {
            crate::sysobject::audit("sys.unraisablehook", &[&h, &a])?;
            h.call1(&a)
        })
    });
    match called {
        Some(Ok(_)) => {}
        Some(Err(x)) => {
            // The hook's own failure is what is reported then, by the standard hook.
            let x = x.take();
            let hook = crate::sysobject::sys_get("unraisablehook").unwrap_or_else(none);
            let text = Str::new("Exception ignored in sys.unraisablehook");
            let args = [
                x.ty().as_object().own(),
                x.clone().into_object(),
                x.traceback().unwrap_or_else(none),
                text.into_object(),
                hook,
            ];
            let made = crate::sysobject::sys_get("UnraisableHookArgs")
                .map(|t| t.call1(&Tuple::from_vec(args.to_vec())));
            let shown = match (made, crate::sysobject::sys_get("__unraisablehook__")) {
                (Some(Ok(a)), Some(h)) => h.call1(&a).map(drop),
                (Some(Err(e)), _) => Err(e),
                _ => {
                    fallback_report(&e, context, message);
                    Ok(())
                }
            };
            if let Err(e) = shown {
                e.clear();
            }
        }
        None => fallback_report(&e, context, message),
    }
}

fn fallback_report(e: &Exception, context: Option<&Object>, message: Option<&str>) {
    let what = context.map_or_else(String::new, |c| c.repr_lossy());
    let text = preserving(|| match e.str() {
        Ok(s) => s.to_str_lossy().into_owned(),
        Err(x) => {
            x.clear();
            "<exception str() failed>".into()
        }
    });
    eprintln!("{}: {}\n{}: {}", message.unwrap_or("Exception ignored in"), what, e.ty().name(), text);
}

impl Object {
    pub fn is_exact_type(&self, t: *mut PyTypeObject) -> bool {
        self.ob_type() == t
    }
}

// ---- Fields ----

fn opt(p: *mut PyObject) -> Option<Owned<Object>> {
    // SAFETY: fields of a live exception are null or live.
    unsafe { Object::from_ptr_opt(p).map(|x| x.own()) }
}

impl Exception {
    fn e(&self) -> *mut PyBaseExceptionObject {
        self.as_struct()
    }
    pub fn traceback(&self) -> Option<Owned> {
        // SAFETY: a live exception.
        unsafe { opt((*self.e()).traceback) }
    }
    pub fn set_traceback(&self, tb: Option<&Object>) {
        let p = tb.filter(|t| !t.is_none()).map_or(null_mut(), |t| t.own().into_raw());
        // SAFETY: a live exception owns the field.
        unsafe { xdecref(std::mem::replace(&mut (*self.e()).traceback, p)) }
    }
    pub fn context(&self) -> Option<Owned> {
        // SAFETY: a live exception.
        unsafe { opt((*self.e()).context) }
    }
    pub fn set_context(&self, c: Option<Owned>) {
        let p = c.filter(|t| !t.is_none()).map_or(null_mut(), Owned::into_raw);
        // SAFETY: a live exception owns the field.
        unsafe { xdecref(std::mem::replace(&mut (*self.e()).context, p)) }
    }
    pub fn cause(&self) -> Option<Owned> {
        // SAFETY: a live exception.
        unsafe { opt((*self.e()).cause) }
    }
    /// Sets the cause; as for `raise … from`, the context is no longer shown.
    pub fn set_cause(&self, c: Option<Owned>) {
        let p = c.filter(|t| !t.is_none()).map_or(null_mut(), Owned::into_raw);
        // SAFETY: a live exception owns the field.
        unsafe {
            (*self.e()).suppress_context = 1;
            xdecref(std::mem::replace(&mut (*self.e()).cause, p))
        }
    }
    pub fn args(&self) -> Owned<Tuple> {
        // SAFETY: args is null (before `__new__` is done) or a tuple.
        unsafe {
            match Object::from_ptr_opt((*self.e()).args) {
                Some(a) => a.downcast_unchecked::<Tuple>().own(),
                None => Tuple::empty(),
            }
        }
    }
    pub fn suppress_context(&self) -> bool {
        // SAFETY: a live exception.
        unsafe { (*self.e()).suppress_context != 0 }
    }
}

/// Readies all exception types.
pub fn init() -> PyResult<()> {
    init_types()
}
