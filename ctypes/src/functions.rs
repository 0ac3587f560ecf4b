//! The functions of the `_ctypes` module, and its making.

use std::ffi::{c_int, c_void};

use lh_abi::*;
use lh_foreign::{errno, library};
use lh_runtime::prelude::*;
use lh_runtime::sysobject::audit;

use crate::call::*;
use crate::cdata::*;
use crate::convert::{wide_len, wide_str};
use crate::funcptr::CFuncPtr;
use crate::info::*;
use crate::pointer::{make_pointer, pointer_type};

/// Return the size in bytes of a C instance
#[pyfunction]
fn sizeof(obj: &Object) -> PyResult<usize> {
    if let Some(i) = info_of(obj) {
        return Ok(i.size());
    }
    match as_cdata(obj) {
        Some(d) => Ok(d.size.get()),
        None => raise!(TypeError, "this type has no size"),
    }
}

/// Return the alignment requirements of a C instance
#[pyfunction]
fn alignment(obj: &Object) -> PyResult<usize> {
    match info_of(obj).or_else(|| as_cdata(obj).map(|d| d.info())) {
        Some(i) => Ok(i.align()),
        None => raise!(TypeError, "no alignment info"),
    }
}

/// byref(C instance[, offset=0]) -> byref-object
///
/// Return a pointer lookalike to a C instance, only usable as function argument
#[pyfunction]
fn byref(obj: &Object, offset: Option<isize>) -> PyResult<Owned<Object>> {
    match as_cdata(obj) {
        Some(d) => Ok(byref_arg(d, offset.unwrap_or(0))),
        None => raise!(TypeError, "byref() argument must be a ctypes instance, not '{}'", obj.ty().name()),
    }
}

/// Return the address of the C instance internal buffer
#[pyfunction]
fn addressof(obj: &Object) -> PyResult<usize> {
    match as_cdata(obj) {
        Some(d) => {
            audit("ctypes.addressof", &[obj])?;
            Ok(d.ptr.get() as usize)
        }
        None => raise!(TypeError, "invalid type"),
    }
}

/// Resize the memory buffer of a ctypes instance
#[pyfunction]
fn resize(obj: &Object, size: isize) -> PyResult<()> {
    let Some(d) = as_cdata(obj) else { return raise!(TypeError, "excepted ctypes instance") };
    let least = d.info().size();
    if size < least as isize {
        return raise!(ValueError, "minimum size is {}", least);
    }
    if !d.owns.get() {
        return raise!(ValueError, "Memory cannot be resized because this object doesn't own it");
    }
    d.resize(size as usize)
}

#[pyfunction]
fn get_errno() -> PyResult<c_int> {
    audit("ctypes.get_errno", &[])?;
    Ok(errno::get())
}

#[pyfunction]
fn set_errno(value: i32) -> PyResult<c_int> {
    audit("ctypes.set_errno", &[&Int::from_i64(value as i64)])?;
    Ok(errno::set(value))
}

/// dlopen(name, flag) open a shared library
#[pyfunction]
fn dlopen(name: &Object, mode: Option<i32>) -> PyResult<usize> {
    audit("ctypes.dlopen", &[name])?;
    let name = if name.is_none() {
        None
    } else {
        let path = lh_runtime::hooks::import_module("os")?.get_attr(intern!("fsencode"))?.call1(name)?;
        let Some(b) = path.downcast::<Bytes>() else {
            return raise!(TypeError, "fsencode() did not return bytes");
        };
        Some(std::ffi::CString::new(b.as_bytes()).map_err(|_| raised!(ValueError, "embedded null byte"))?)
    };
    match library::open(name.as_deref(), mode.unwrap_or(library::RTLD_NOW)) {
        Ok(h) => Ok(h as usize),
        Err(text) => raise!(OSError, "{}", text),
    }
}

/// find symbol in shared library
#[pyfunction]
fn dlsym(handle: &Int, name: &Str) -> PyResult<usize> {
    audit("ctypes.dlsym/handle", &[handle, name])?;
    let name = c_string(name.to_str()?)?;
    // SAFETY: the handle is what dlopen returned.
    match unsafe { library::symbol(handle.to_u64_wrapping() as *mut c_void, &name) } {
        Ok(p) => Ok(p as usize),
        Err(text) => raise!(OSError, "{}", text),
    }
}

/// dlclose a library
#[pyfunction]
fn dlclose(handle: &Int) -> PyResult<()> {
    // SAFETY: the handle is what dlopen returned.
    match unsafe { library::close(handle.to_u64_wrapping() as *mut c_void) } {
        Ok(()) => Ok(()),
        Err(text) => raise!(OSError, "{}", text),
    }
}

fn call_at(addr: &Int, args: &Tuple, flags: i32) -> PyResult {
    audit("ctypes.call_function", &[addr, args])?;
    let refs: Vec<&Object> = args.iter().collect();
    let mut raw = convert_args(&refs, None)?;
    let int = prim_type(b'i');
    let room = call_native(addr.to_u64_wrapping() as *const c_void, flags, &mut raw, None, Some(&int))?;
    result_value(None, &room, None)
}

#[pyfunction]
fn call_function(addr: &Int, args: &Tuple) -> PyResult {
    call_at(addr, args, FUNC_STDCALL)
}

#[pyfunction]
fn call_cdeclfunction(addr: &Int, args: &Tuple) -> PyResult {
    call_at(addr, args, FUNC_CDECL)
}

#[pyfunction(name = "PyObj_FromPtr")]
fn obj_from_ptr(addr: &Int) -> PyResult<Owned<Object>> {
    audit("ctypes.PyObj_FromPtr", &[addr])?;
    // SAFETY: the caller vouches that the address is that of a live object.
    Ok(unsafe { Object::from_ptr(addr.to_u64_wrapping() as *mut PyObject) }.own())
}

#[pyfunction(name = "Py_INCREF")]
fn py_incref(obj: &Object) -> Owned<Object> {
    // SAFETY: a live object.
    unsafe { incref(obj.as_ptr()) };
    obj.own()
}

#[pyfunction(name = "Py_DECREF")]
fn py_decref(obj: &Object) -> Owned<Object> {
    let o = obj.own();
    // SAFETY: the caller gives back a count taken before.
    unsafe { decref(obj.as_ptr()) };
    o
}

#[pyfunction]
fn _unpickle(cls: &Object, state: &Tuple) -> PyResult {
    let new = cls.get_attr(intern!("__new__"))?;
    let obj = new.call1(cls)?;
    let args: Vec<&Object> = state.iter().collect();
    obj.call_method("__setstate__", &args)?;
    Ok(obj)
}

/// Return buffer interface information
#[pyfunction]
fn buffer_info(obj: &Object) -> PyResult {
    let Some(i) = info_of(obj).or_else(|| as_cdata(obj).map(|d| d.info())) else {
        return raise!(TypeError, "not a ctypes type or object");
    };
    let shape = i.shape.borrow();
    let dims = Tuple::from_vec(shape.iter().map(|n| Int::from_i64(*n as i64).into_object()).collect());
    let format = i.format.borrow().to_string_lossy().into_owned();
    (Str::new(&format), Int::from_usize(shape.len()), dims).into_py()
}

// ---- Functions that Python reaches by address ----

unsafe extern "C" fn string_at(p: *const u8, size: c_int) -> *mut PyObject {
    // SAFETY: as with the C function, the caller vouches for the memory.
    lh_runtime::border::object(|| unsafe {
        audit("ctypes.string_at", &[&Int::from_u64(p as u64), &Int::from_i64(size as i64)])?;
        let n = if size < 0 { std::ffi::CStr::from_ptr(p.cast()).to_bytes().len() } else { size as usize };
        Ok(if n == 0 { Bytes::new(b"") } else { Bytes::new(std::slice::from_raw_parts(p, n)) })
    })
}

unsafe extern "C" fn wstring_at(p: *const u32, size: c_int) -> *mut PyObject {
    // SAFETY: as above.
    lh_runtime::border::object(|| unsafe {
        audit("ctypes.wstring_at", &[&Int::from_u64(p as u64), &Int::from_i64(size as i64)])?;
        let n = if size < 0 { wide_len(p) } else { size as usize };
        wide_str(p, n)
    })
}

unsafe extern "C" fn cast(ptr: *mut c_void, src: *mut PyObject, ctype: *mut PyObject) -> *mut PyObject {
    // SAFETY: called through a prototype with two py_object parameters.
    lh_runtime::border::object(|| unsafe { cast_to(ptr, Object::from_ptr(src), Object::from_ptr(ctype)) })
}

/// An instance of a pointer class with the given address. It shares what the source keeps alive.
fn cast_to(ptr: *mut c_void, src: &Object, cls: &Object) -> PyResult<Owned<Object>> {
    let fine = info_of(cls).is_some_and(|i| {
        matches!(i.kind, ClassKind::Pointer | ClassKind::Func)
            || i.scalar.is_some_and(|s| b"sPzUZXO".contains(&s.code))
    });
    if !fine {
        return match cls.downcast::<Type>() {
            Some(t) => raise!(TypeError, "cast() argument 2 must be a pointer type, not {}", t.name()),
            None => raise!(TypeError, "cast() argument 2 must be a pointer type, not {}", cls.ty().name()),
        };
    }
    let made = cls.call0()?;
    let Some(result) = as_cdata(&made) else { return raise!(TypeError, "cast() made no ctypes instance") };
    if let Some(s) = as_cdata(src) {
        // Both share what the source keeps, and that includes the source.
        s.kept();
        let kept = match s.objects.get() {
            Some(o) if !o.is_none() => o,
            _ => {
                let d = Dict::new().into_object();
                s.objects.set(Some(d.clone()));
                d
            }
        };
        if let Some(d) = kept.downcast::<Dict>() {
            d.set_item(&Int::from_u64(src.as_ptr() as u64), src)?;
        }
        result.objects.set(Some(kept));
    }
    // SAFETY: the class is a pointer type: its memory holds an address.
    unsafe { result.ptr.get().cast::<*mut c_void>().write_unaligned(ptr) };
    Ok(made)
}

// ---- The module ----

/// Readies a static type whose metaclass is one of ours.
fn ready_with<T: ClassDef, M: ClassDef>() -> PyResult<&'static Type> {
    // SAFETY: static types, not yet visible to Python.
    unsafe { (*T::type_ptr()).ob_base.ob_base.ob_type = M::type_ptr() };
    ready::<T>()
}

fn setup(m: &Module) -> PyResult<()> {
    ready::<CTypeMeta>()?;
    ready::<StructMeta>()?;
    ready::<UnionMeta>()?;
    ready::<PointerMeta>()?;
    ready::<ArrayMeta>()?;
    ready::<SimpleMeta>()?;
    ready::<FuncPtrMeta>()?;
    ready::<CData>()?;
    ready::<CArg>()?;
    ready::<crate::callback::Thunk>()?;
    ready::<crate::field::CField>()?;
    m.add("Structure", ready_with::<Structure, StructMeta>()?)?;
    m.add("Union", ready_with::<Union, UnionMeta>()?)?;
    m.add("_Pointer", ready_with::<Pointer, PointerMeta>()?)?;
    m.add("Array", ready_with::<Array, ArrayMeta>()?)?;
    m.add("_SimpleCData", ready_with::<SimpleCData, SimpleMeta>()?)?;
    m.add("CFuncPtr", ready_with::<CFuncPtr, FuncPtrMeta>()?)?;
    crate::funcptr::register_provider();
    crate::place::register();
    let dict = Dict::new();
    dict.set_str("__module__", &Str::new("ctypes"))?;
    let error = make_class(Type::class(), "ArgumentError", exc::Exception(), &dict)?;
    m.add("ArgumentError", &error)?;
    m.add("_pointer_type_cache", &Dict::new())?;
    m.add("__version__", &Str::new("1.1.0"))?;
    let numbers = [
        ("FUNCFLAG_CDECL", FUNC_CDECL as u64),
        ("FUNCFLAG_PYTHONAPI", FUNC_PYTHONAPI as u64),
        ("FUNCFLAG_USE_ERRNO", FUNC_USE_ERRNO as u64),
        ("FUNCFLAG_USE_LASTERROR", FUNC_USE_LASTERROR as u64),
        ("CTYPES_MAX_ARGCOUNT", MAX_ARGS as u64),
        ("RTLD_LOCAL", library::RTLD_LOCAL as u64),
        ("RTLD_GLOBAL", library::RTLD_GLOBAL as u64),
        ("_memmove_addr", libc::memmove as *const c_void as u64),
        ("_memset_addr", libc::memset as *const c_void as u64),
        ("_string_at_addr", string_at as *const c_void as u64),
        ("_wstring_at_addr", wstring_at as *const c_void as u64),
        ("_cast_addr", cast as *const c_void as u64),
    ];
    numbers.iter().try_for_each(|(name, v)| m.add(name, &Int::from_u64(*v)))
}

module! {
    "_ctypes",
    doc: "Create and manipulate C compatible data types in Python.",
    functions: [
        sizeof, alignment, byref, addressof, resize, get_errno, set_errno, dlopen, dlsym, dlclose, call_function,
        call_cdeclfunction, obj_from_ptr, py_incref, py_decref, _unpickle, buffer_info, pointer_type, make_pointer
    ],
    init: setup
}
