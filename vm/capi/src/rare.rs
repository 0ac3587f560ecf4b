//! Functions of several headers that few modules use: mypyc's, old Cython's, embedding-style ones that an extension may call.

use crate::prelude::*;
use lh_runtime::unicode::{self, Case};
use lh_runtime::{codecs, exceptions};

/// Writes the full case mapping of a character (up to three) and answers how many there are.
///
/// # Safety
/// `out` has room for three characters.
unsafe fn full(c: u32, case: Case, out: *mut u32) -> c_int {
    let mut n = 0;
    unicode::map_case(c, case, |m| {
        if n < 3 {
            // SAFETY: the caller's promise.
            unsafe { *out.add(n) = m };
            n += 1;
        }
    });
    n as c_int
}

/// A decoder of `_codecs` called with data and error handler; stores how much it used. `order` is for the codecs with a byte order (-1
/// little, 0 by the mark, 1 big), which is read and stored.
///
/// # Safety
/// `p` has `n` bytes, `used` and `order` are writable or null.
unsafe fn decode_part(
    name: &str,
    p: *const u8,
    n: isize,
    errors: Option<&CStr>,
    used: *mut isize,
    order: Option<*mut c_int>,
) -> PyResult {
    // SAFETY: the caller's promise.
    unsafe {
        let p = if p.is_null() { std::ptr::dangling() } else { p };
        let data = Bytes::new(std::slice::from_raw_parts(p, n.max(0) as usize));
        let (errors, whole) = (str_of(errors.unwrap_or(c"strict")), bool_obj(used.is_null()));
        let before = order.map(|o| Int::from_i64(o.as_ref().map_or(0, |o| *o as i64)));
        let mut arguments: Vec<&Object> = vec![&data, &errors];
        arguments.extend(before.iter().map(|b| b.as_object()));
        arguments.push(&whole);
        let r = lh_runtime::import::import_module("_codecs")?.call_method(name, &arguments)?;
        let Some(t) = r.downcast::<Tuple>().filter(|t| t.len() >= 2 + order.is_some() as usize) else {
            return raise!(TypeError, "decoder must return a tuple");
        };
        if !used.is_null() {
            *used = number::as_isize(t.item_ref(1), None)?;
        }
        if let Some(o) = order.filter(|o| !o.is_null()) {
            *o = number::as_isize(t.item_ref(2), None)? as c_int;
        }
        Ok(t.get(0))
    }
}

/// Puts a file, a line and perhaps columns (from 1; below zero: unknown) and an end into the pending `SyntaxError`.
fn locate(
    file: Option<Owned<Object>>,
    line: c_int,
    column: c_int,
    end: Option<(c_int, c_int)>,
) -> PyResult<()> {
    let e = lh_runtime::errors::take_raised();
    let o = e.as_object();
    let done = (|| -> PyResult<()> {
        o.set_attr_str("lineno", &Int::from_i64(line as i64))?;
        if column >= 0 {
            o.set_attr_str("offset", &Int::from_i64(column as i64))?;
        }
        if let Some((line, column)) = end {
            o.set_attr_str("end_lineno", &Int::from_i64(line as i64))?;
            if column >= 0 {
                o.set_attr_str("end_offset", &Int::from_i64(column as i64))?;
            }
        }
        if let Some(f) = &file {
            o.set_attr_str("filename", f)?;
            if let Some(text) = source_line(f, line)? {
                o.set_attr_str("text", &text)?;
            }
        }
        Ok(())
    })();
    if let Err(x) = done {
        x.clear();
    }
    let _ = lh_runtime::errors::raise_exc(e);
    Ok(())
}

/// A line of a source file; `None` if it can't be read.
fn source_line(file: &Object, line: c_int) -> PyResult<Option<Owned<Object>>> {
    let m = lh_runtime::import::import_module("linecache")?;
    let text = m.call_method("getline", &[file, &*Int::from_i64(line as i64)])?;
    Ok(if text.is_true()? { Some(text) } else { None })
}

fn mistake() -> Owned<Object> {
    panic!("asked for")
}

capi! {
    // ---- Types and objects ----
    // What a mistake in the VM itself looks like to its callers: an exception. For the tests.
    fn _PyLancehead_Panic() -> obj { Ok(mistake()) }
    fn _PyType_CalculateMetaclass(meta: &Type, bases: &Tuple) -> borrowed {
        Ok(lh_runtime::type_new::calculate_metaclass(meta, bases)?.as_ptr())
    }
    fn _PyObject_LookupSpecial(o: &Object, name: &Str) -> (*mut PyObject, null_mut()) {
        Ok(o.lookup_special(name)?.map_or(null_mut(), Owned::into_raw))
    }
    /// 1 and an unbound function, or 0 and the attribute (null with an exception if there is none).
    fn _PyObject_GetMethod(o: &Object, name: &Str, out: *mut *mut PyObject) -> [c_int] {
        let (m, unbound) = lh_interp::ops::get_method(o.as_ptr(), name.as_object().as_ptr());
        *out = m;
        unbound as c_int
    }
    fn _PyObject_FunctionStr(o: &Object) -> obj {
        let Some(q) = o.get_attr_opt(lh_runtime::intern!("__qualname__"))? else { return Ok(o.str()?.into_object()) };
        let m = o.get_attr_opt(lh_runtime::intern!("__module__"))?.filter(|m| !m.is_none());
        let q = q.str()?.to_str_lossy().into_owned();
        Ok(match m {
            Some(m) if m.str()?.to_str_lossy() != "builtins" => Str::new(&format!("{}.{}()", m.str()?.to_str_lossy(), q)).into_object(),
            _ => Str::new(&format!("{q}()")).into_object(),
        })
    }
    fn _PyObject_IsAbstract(o: Option<&Object>) -> boolean {
        match o {
            None => Ok(false),
            Some(o) => match o.get_attr_opt(lh_runtime::intern!("__isabstractmethod__"))? {
                Some(v) => v.is_true(),
                None => Ok(false),
            },
        }
    }
    fn PyObject_GET_WEAKREFS_LISTPTR(o: &Object) -> [*mut *mut PyObject] {
        let at = (*o.ob_type()).tp_weaklistoffset;
        o.as_ptr().cast::<u8>().offset(at).cast()
    }
    fn PyType_SUPPORTS_WEAKREFS(t: &Type) -> [c_int] { ((*t.tp()).tp_weaklistoffset > 0) as c_int }
    fn PyCFunction_Call(f: &Object, args: &Tuple, kw: Option<&Dict>) -> obj { f.call_tuple(args, kw) }
    fn _PyObject_Call(_ts: *mut PyThreadState, f: &Object, args: &Tuple, kw: Option<&Dict>) -> obj { f.call_tuple(args, kw) }
    fn PyModule_GetFilename(m: &Object) -> (*const c_char, null()) {
        match m.downcast::<Module>() {
            Some(m) => match m.dict().get_str("__file__")? {
                Some(n) if Str::check(&n) => Ok(n.downcast_unchecked::<Str>().to_str()?.as_ptr().cast()),
                _ => raise!(SystemError, "module filename missing"),
            },
            None => { raise!(SystemError, "bad argument to internal function") }
        }
    }

    // ---- Text ----
    fn _PyUnicode_ToLowerFull(c: u32, out: *mut u32) -> [c_int] { full(c, Case::Lower, out) }
    fn _PyUnicode_ToUpperFull(c: u32, out: *mut u32) -> [c_int] { full(c, Case::Upper, out) }
    fn _PyUnicode_ToTitleFull(c: u32, out: *mut u32) -> [c_int] { full(c, Case::Title, out) }
    fn _PyUnicode_ToFoldedFull(c: u32, out: *mut u32) -> [c_int] { full(c, Case::Fold, out) }
    fn _PyUnicode_JoinArray(sep: &Str, items: *const *mut PyObject, n: isize) -> obj {
        let v: Vec<&Object> = (0..n.max(0) as usize).map(|i| Object::from_ptr(*items.add(i))).collect();
        sep.join_refs(&v)
    }
    fn PyUnicode_AsCharmapString(s: &Str, map: Option<&Object>) -> obj { Ok(Bytes::new(&codecs::single::encode_charmap(s, "strict", map)?)) }
    fn PyUnicode_DecodeCharmap(p: *const u8, n: isize, map: Option<&Object>, errors: Option<&CStr>) -> obj {
        let data = if n <= 0 { &[][..] } else { std::slice::from_raw_parts(p, n as usize) };
        codecs::single::decode_charmap(data, &text(errors.unwrap_or(c"strict")), map)
    }
    fn PyUnicode_BuildEncodingMap(map: &Str) -> obj { codecs::single::build_charmap(map) }
    fn PyUnicode_DecodeUTF7(p: *const u8, n: isize, errors: Option<&CStr>) -> obj {
        decode_part("utf_7_decode", p, n, errors, null_mut(), None)
    }
    fn PyUnicode_DecodeUTF7Stateful(p: *const u8, n: isize, errors: Option<&CStr>, used: *mut isize) -> obj {
        decode_part("utf_7_decode", p, n, errors, used, None)
    }
    fn PyUnicode_DecodeUTF16(p: *const u8, n: isize, errors: Option<&CStr>, order: *mut c_int) -> obj {
        decode_part("utf_16_ex_decode", p, n, errors, null_mut(), Some(order))
    }
    fn PyUnicode_DecodeUTF16Stateful(p: *const u8, n: isize, errors: Option<&CStr>, order: *mut c_int, used: *mut isize) -> obj {
        decode_part("utf_16_ex_decode", p, n, errors, used, Some(order))
    }
    fn PyUnicode_DecodeUTF32(p: *const u8, n: isize, errors: Option<&CStr>, order: *mut c_int) -> obj {
        decode_part("utf_32_ex_decode", p, n, errors, null_mut(), Some(order))
    }
    fn PyUnicode_DecodeUTF32Stateful(p: *const u8, n: isize, errors: Option<&CStr>, order: *mut c_int, used: *mut isize) -> obj {
        decode_part("utf_32_ex_decode", p, n, errors, used, Some(order))
    }
    fn PyUnicode_InternImmortal(p: *mut *mut PyObject) -> void {
        if let Some(s) = Object::from_ptr_opt(*p).and_then(|o| o.downcast_exact::<Str>()) {
            let new = Str::intern(s.own());
            // For ever: one reference more is never given back.
            std::mem::forget(new.own());
            let old = std::mem::replace(&mut *p, new.into_raw());
            decref(old);
        }
    }
    fn PyUnicode_AsDecodedObject(s: &Str, encoding: Option<&CStr>, errors: Option<&CStr>) -> obj { recode("decode", s, encoding, errors) }
    fn PyUnicode_AsDecodedUnicode(s: &Str, encoding: Option<&CStr>, errors: Option<&CStr>) -> obj { recode("decode", s, encoding, errors) }
    fn PyUnicode_AsEncodedObject(s: &Str, encoding: Option<&CStr>, errors: Option<&CStr>) -> obj { recode("encode", s, encoding, errors) }
    fn PyUnicode_AsEncodedUnicode(s: &Str, encoding: Option<&CStr>, errors: Option<&CStr>) -> obj { recode("encode", s, encoding, errors) }

    // ---- Errors ----
    fn PyErr_SetImportErrorSubclass(t: &Type, m: Option<&Object>, name: Option<&Object>, path: Option<&Object>) -> borrowed {
        if !t.is_subtype(exc::ImportError()) {
            return raise!(TypeError, "expected a subclass of ImportError");
        }
        let m = match m { Some(m) => m.str()?.to_str_lossy().into_owned(), None => { return raise!(TypeError, "expected a message argument") } };
        Err(exceptions::raise_import_error(t, &m, name, path))
    }
    fn PyErr_SyntaxLocation(file: Option<&CStr>, line: c_int) -> void { locate(file.map(|f| codecs::fs_decode(f.to_bytes()).into_object()), line, -1, None)? }
    fn PyErr_SyntaxLocationEx(file: Option<&CStr>, line: c_int, column: c_int) -> void {
        locate(file.map(|f| codecs::fs_decode(f.to_bytes()).into_object()), line, column, None)?
    }
    fn PyErr_SyntaxLocationObject(file: Option<&Object>, line: c_int, column: c_int) -> void { locate(file.map(|f| f.own()), line, column, None)? }
    fn PyErr_RangedSyntaxLocationObject(file: Option<&Object>, line: c_int, column: c_int, end_line: c_int, end_column: c_int) -> void {
        locate(file.map(|f| f.own()), line, column, Some((end_line, end_column)))?
    }
    fn PyErr_ProgramText(file: &CStr, line: c_int) -> (*mut PyObject, null_mut()) {
        Ok(source_line(&codecs::fs_decode(file.to_bytes()), line)?.map_or(null_mut(), Owned::into_raw))
    }
    fn PyErr_ProgramTextObject(file: &Object, line: c_int) -> (*mut PyObject, null_mut()) {
        Ok(source_line(file, line)?.map_or(null_mut(), Owned::into_raw))
    }
    fn PyErr_SetInterrupt() -> void { lh_runtime::import::import_module("_thread")?.call_method("interrupt_main", &[])? }
    fn PyErr_SetInterruptEx(signal: c_int) -> [c_int] {
        let r = lh_runtime::import::import_module("_thread")
            .and_then(|m| m.call_method("interrupt_main", &[&*Int::from_i64(signal as i64)]));
        match r { Ok(_) => 0, Err(e) => { e.clear(); -1 } }
    }
    fn _PyErr_CheckSignals() -> status { lh_runtime::thread::check_signals() }
    fn _PyErr_Clear(_ts: *mut PyThreadState) -> void { lh_runtime::errors::clear() }
    fn _PyErr_NoMemory(_ts: *mut PyThreadState) -> borrowed { raise!(MemoryError) }
    fn _PyErr_SetObject(_ts: *mut PyThreadState, t: &Object, v: Option<&Object>) -> void {
        let _ = lh_runtime::errors::set_object(t, v.map(|v| v.own()));
    }
    fn _PyErr_SetNone(_ts: *mut PyThreadState, t: &Object) -> void { let _ = lh_runtime::errors::set_object(t, None); }

    // ---- Descriptors ----
    fn PyDescr_NewWrapper(t: &Type, base: *mut wrapperbase, wrapped: *mut c_void) -> obj { Ok(lh_runtime::descrobject::new_wrapper(t, base, wrapped)) }
    fn PyWrapper_New(d: &Object, o: &Object) -> obj { d.call_method("__get__", &[o, o.ty().as_object()]) }

    // ---- Files ----
    fn PyFile_OpenCode(path: &CStr) -> obj { open_code(&codecs::fs_decode(path.to_bytes())) }
    fn PyFile_OpenCodeObject(path: &Object) -> obj { open_code(path) }
    /// The hook is for the start of the runtime only, as CPython's is once it runs.
    fn PyFile_SetOpenCodeHook(_hook: *mut c_void, _data: *mut c_void) -> status {
        lh_runtime::import::import_module("sys")?;
        raise!(SystemError, "failed to change existing open_code hook")
    }
    /// A text file that writes to a descriptor and leaves it open.
    fn PyFile_NewStdPrinter(fd: c_int) -> obj {
        let args = Tuple::from_vec(vec![Int::from_i64(fd as i64).into_object(), Str::new("w").into_object(), Int::from_i64(1).into_object()]);
        let kw = Dict::new();
        kw.set_str("errors", &Str::new("backslashreplace"))?;
        kw.set_str("closefd", &bool_obj(false))?;
        lh_runtime::import::import_module("io")?.get_attr_str("open")?.call_tuple(&args, Some(&kw))
    }
    /// A line in which every kind of line end is `\n`, at most `n - 1` bytes and a zero; null at the end of the file.
    fn Py_UniversalNewlineFgets(buffer: *mut c_char, n: c_int, f: *mut libc::FILE, object: Option<&Object>) -> [*mut c_char] {
        if object.is_some() || n <= 0 {
            *libc::__errno_location() = libc::ENXIO;
            return Ok(null_mut());
        }
        let mut len = 0;
        while len < n as usize - 1 {
            let mut c = libc::fgetc(f);
            if c == libc::EOF {
                break;
            }
            if c == b'\r' as c_int {
                c = b'\n' as c_int;
                let next = libc::fgetc(f);
                if next != b'\n' as c_int && next != libc::EOF {
                    libc::ungetc(next, f);
                }
            }
            buffer.add(len).write(c as c_char);
            len += 1;
            if c == b'\n' as c_int {
                break;
            }
        }
        buffer.add(len).write(0);
        if len == 0 { null_mut() } else { buffer }
    }

    // ---- Tokens and hashes ----
    fn PyToken_OneChar(c: c_int) -> [c_int] { token(&[c])? }
    fn PyToken_TwoChars(a: c_int, b: c_int) -> [c_int] { token(&[a, b])? }
    fn PyToken_ThreeChars(a: c_int, b: c_int, c: c_int) -> [c_int] { token(&[a, b, c])? }
    fn PyHash_GetFuncDef() -> [*const HashFunction] { &raw const HASH_FUNCTION }

    // ---- Interpreter ----
    fn PyEval_AcquireLock() -> void { lh_runtime::thread::gil_acquire() }
    fn PyEval_ReleaseLock() -> void { lh_runtime::thread::gil_release() }
    fn Py_Initialize() -> void {}
    fn Py_InitializeEx(_signals: c_int) -> void {}
    fn _Py_IsCoreInitialized() -> [c_int] { 1 }
    fn _PyOS_IsMainThread() -> [c_int] { lh_runtime::thread::can_handle_signals() as c_int }
    fn Py_GetBuildInfo() -> [*const c_char] { c"main".as_ptr() }
    fn Py_GetCompiler() -> [*const c_char] { c"[rustc]".as_ptr() }
    fn Py_GetCopyright() -> [*const c_char] { c"".as_ptr() }
    fn PySys_SetPath(path: *const u32) -> void {
        let s = crate::unicodeobject::from_wide(path, -1)?;
        let parts = s.as_object().call_method("split", &[&*Str::new(":")])?;
        lh_runtime::import::import_module("sys")?.set_attr_str("path", &parts)?
    }
    fn PyFrame_LocalsToFast(f: &Object, clear: c_int) -> void {
        if f.ob_type() == &raw mut lh_runtime::type_table::PyFrame_Type {
            let frame = (*f.as_ptr().cast::<PyFrameObject>()).f_frame;
            if !frame.is_null() {
                lh_interp::frame::locals_to_fast(frame.cast(), clear != 0);
            }
        }
    }
    fn PyGen_New(_f: Owned) -> borrowed { no_frames() }
    fn PyGen_NewWithQualName(_f: Owned, _name: &Object, _qualname: &Object) -> borrowed { no_frames() }
    fn PyCoro_New(_f: Owned, _name: &Object, _qualname: &Object) -> borrowed { no_frames() }
    fn PyAsyncGen_New(_f: Owned, _name: &Object, _qualname: &Object) -> borrowed { no_frames() }
    fn PyEval_EvalFrame(_f: &Object) -> borrowed { no_frames() }
    fn PyEval_EvalFrameEx(_f: &Object, _throw: c_int) -> borrowed { no_frames() }
}

fn open_code(path: &Object) -> PyResult {
    lh_runtime::import::import_module("io")?.call_method("open_code", &[path])
}
/// The number of an operator of these characters; that of `OP` if there is none.
fn token(chars: &[c_int]) -> PyResult<c_int> {
    let m = lh_runtime::import::import_module("token")?;
    let name: String = chars.iter().map(|c| char::from(*c as u8)).collect();
    let types = m.get_attr_str("EXACT_TOKEN_TYPES")?;
    let n = types.call_method("get", &[&*Str::new(&name), &*m.get_attr_str("OP")?])?;
    Ok(number::as_isize(&n, None)? as c_int)
}
/// `PyHash_FuncDef`.
#[repr(C)]
pub struct HashFunction {
    hash: unsafe extern "C" fn(*const u8, isize) -> isize,
    name: *const c_char,
    hash_bits: c_int,
    seed_bits: c_int,
}
// SAFETY: constants.
unsafe impl Sync for HashFunction {}
static HASH_FUNCTION: HashFunction = HashFunction {
    hash: crate::bytesobject::_Py_HashBytes,
    name: c"siphash13".as_ptr(),
    hash_bits: 64,
    seed_bits: 128,
};
#[unsafe(no_mangle)]
pub static mut PyStructSequence_UnnamedField: &Name = &Name(*b"unnamed field\0");
/// The bytes of a C string.
#[repr(transparent)]
pub struct Name([u8; 14]);

fn no_frames() -> PyResult<*mut PyObject> {
    raise!(NotImplementedError, "frame objects cannot be evaluated: they describe frames that run elsewhere")
}

fn recode(f: &str, s: &Str, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult<Owned<Object>> {
    let m = lh_runtime::import::import_module("_codecs")?;
    let encoding = str_of(encoding.unwrap_or(c"utf-8"));
    m.call_method(f, &[s, &*encoding, &*str_of(errors.unwrap_or(c"strict"))])
}
