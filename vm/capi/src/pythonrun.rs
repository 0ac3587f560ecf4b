//! `pythonrun.h`, `ceval.h`, `import.h`: compiling and running source text, modules made from code objects.

use crate::prelude::*;
use lh_interp::builtins::{Compile, EvalApi, Mode, Source};
use lh_interp::framehook;
use lh_runtime::import::import_module;

fn running() -> PyResult<&'static EvalApi> {
    lh_interp::builtins::api()
}
/// `PyCompilerFlags`.
#[repr(C)]
pub struct CompilerFlags {
    flags: c_int,
    feature_version: c_int,
}
const SOURCE_IS_UTF8: i32 = 0x100;
const IGNORE_COOKIE: i32 = 0x800;

/// # Safety
/// `flags` is null or a flags struct.
unsafe fn compile(
    s: &[u8],
    file: &Str,
    start: c_int,
    flags: *const CompilerFlags,
    optimize: c_int,
) -> PyResult {
    let mode = match start {
        256 => Mode::Single,
        257 => Mode::Exec,
        258 => Mode::Eval,
        345 => Mode::FuncType,
        _ => return raise!(SystemError, "bad start symbol {}", start),
    };
    // SAFETY: the caller's promise.
    let (flags, feature_version) = match unsafe { flags.as_ref() } {
        Some(f) => (f.flags, f.feature_version),
        None => (0, -1),
    };
    let flags = if flags & IGNORE_COOKIE == 0 { flags } else { flags | SOURCE_IS_UTF8 };
    let feature_version = if flags & 0x400 != 0 { feature_version } else { -1 };
    (running()?.compile)(Compile {
        source: Source::Text(s),
        filename: file,
        mode,
        flags,
        optimize,
        feature_version,
        from_file: false,
    })
}
unsafe fn run(
    s: &[u8],
    file: &Str,
    start: c_int,
    g: &Dict,
    l: Option<&Object>,
    flags: *const CompilerFlags,
) -> PyResult {
    // SAFETY: the caller's promise.
    let code = unsafe { compile(s, file, start, flags, -1)? };
    match code.downcast::<Code>() {
        Some(c) => (running()?.eval_code)(c, g, l, None),
        None => Err(bad_internal_call()),
    }
}
/// Runs in `__main__`; an error is printed, as the shell would.
unsafe fn run_simple(s: &[u8], file: &Str, flags: *const CompilerFlags) -> c_int {
    let r = (|| {
        let m = import_module("__main__")?;
        let Some(m) = m.downcast::<Module>() else { return Err(bad_internal_call()) };
        // SAFETY: the caller's promise.
        unsafe { run(s, file, 257, m.dict(), None, flags) }
    })();
    match r {
        Ok(_) => 0,
        Err(_) => {
            // SAFETY: an exception is set.
            unsafe { crate::pyerrors::PyErr_Print() };
            -1
        }
    }
}
/// # Safety
/// `f` is an open stream.
unsafe fn contents(f: *mut libc::FILE, close: bool) -> Vec<u8> {
    let mut all = vec![];
    let mut b = [0u8; 8192];
    // SAFETY: the caller's promise; the buffer has room.
    unsafe {
        loop {
            let n = libc::fread(b.as_mut_ptr().cast(), 1, b.len(), f);
            if n == 0 {
                break;
            }
            all.extend(&b[..n]);
        }
        if close {
            libc::fclose(f);
        }
    }
    all
}
fn exec_module(name: &Str, code: &Object, path: Option<&Object>, cpath: Option<&Object>) -> PyResult {
    let modules = lh_runtime::sysobject::modules_dict();
    let m = match modules.get_item(name)? {
        Some(m) => m,
        None => {
            let m = Module::with_name(name).into_object();
            modules.set_item(name, &m)?;
            m
        }
    };
    let Some(module) = m.downcast::<Module>() else { return Err(bad_internal_call()) };
    let d = module.dict();
    if !d.contains(Str::interned("__builtins__"))? {
        d.set_str("__builtins__", lh_runtime::sysobject::builtins_module())?;
    }
    let file = match path {
        Some(p) => p.own(),
        None => code.get_attr_str("co_filename")?,
    };
    d.set_str("__file__", &file)?;
    if let Some(c) = cpath {
        d.set_str("__cached__", c)?;
    }
    let Some(c) = code.downcast::<Code>() else { return Err(bad_internal_call()) };
    if let Err(e) = (running()?.eval_code)(c, d, None, None) {
        let (t, v, tb) = lh_runtime::errors::fetch();
        if let Err(e) = modules.del_item(name) {
            e.clear();
        }
        lh_runtime::errors::restore(t, v, tb);
        return Err(e);
    }
    match modules.get_item(name)? {
        Some(m) => Ok(m),
        None => raise!(ImportError, "Loaded module {} not found in sys.modules", name.repr()?.to_str_lossy()),
    }
}

capi! {
    fn Py_CompileString(s: &CStr, file: &CStr, start: c_int) -> obj { compile(s.to_bytes(), &str_of(file), start, null(), -1) }
    fn Py_CompileStringFlags(s: &CStr, file: &CStr, start: c_int, f: *const CompilerFlags) -> obj { compile(s.to_bytes(), &str_of(file), start, f, -1) }
    fn Py_CompileStringExFlags(s: &CStr, file: &CStr, start: c_int, f: *const CompilerFlags, optimize: c_int) -> obj {
        compile(s.to_bytes(), &str_of(file), start, f, optimize)
    }
    fn Py_CompileStringObject(s: &CStr, file: &Str, start: c_int, f: *const CompilerFlags, optimize: c_int) -> obj {
        compile(s.to_bytes(), file, start, f, optimize)
    }
    fn PyRun_StringFlags(s: &CStr, start: c_int, g: &Dict, l: Option<&Object>, f: *const CompilerFlags) -> obj {
        run(s.to_bytes(), &Str::new("<string>"), start, g, l, f)
    }
    fn PyRun_String(s: &CStr, start: c_int, g: &Dict, l: Option<&Object>) -> obj { run(s.to_bytes(), &Str::new("<string>"), start, g, l, null()) }
    fn PyRun_SimpleStringFlags(s: &CStr, f: *const CompilerFlags) -> [c_int] { run_simple(s.to_bytes(), &Str::new("<string>"), f) }
    fn PyRun_SimpleString(s: &CStr) -> [c_int] { run_simple(s.to_bytes(), &Str::new("<string>"), null()) }
    fn PyRun_FileExFlags(f: *mut libc::FILE, file: &CStr, start: c_int, g: &Dict, l: Option<&Object>, close: c_int, flags: *const CompilerFlags) -> obj {
        run(&contents(f, close != 0), &str_of(file), start, g, l, flags)
    }
    fn PyRun_FileFlags(f: *mut libc::FILE, file: &CStr, start: c_int, g: &Dict, l: Option<&Object>, flags: *const CompilerFlags) -> obj {
        run(&contents(f, false), &str_of(file), start, g, l, flags)
    }
    fn PyRun_FileEx(f: *mut libc::FILE, file: &CStr, start: c_int, g: &Dict, l: Option<&Object>, close: c_int) -> obj {
        run(&contents(f, close != 0), &str_of(file), start, g, l, null())
    }
    fn PyRun_File(f: *mut libc::FILE, file: &CStr, start: c_int, g: &Dict, l: Option<&Object>) -> obj {
        run(&contents(f, false), &str_of(file), start, g, l, null())
    }
    fn PyRun_SimpleFileExFlags(f: *mut libc::FILE, file: &CStr, close: c_int, flags: *const CompilerFlags) -> [c_int] {
        run_simple(&contents(f, close != 0), &str_of(file), flags)
    }
    fn PyRun_SimpleFileEx(f: *mut libc::FILE, file: &CStr, close: c_int) -> [c_int] { run_simple(&contents(f, close != 0), &str_of(file), null()) }
    fn PyRun_SimpleFile(f: *mut libc::FILE, file: &CStr) -> [c_int] { run_simple(&contents(f, false), &str_of(file), null()) }

    /// Runs a code object as the body of a function with these arguments.
    fn PyEval_EvalCodeEx(
        code: &Code, g: &Dict, locals: Option<&Object>, args: *const *mut PyObject, n: c_int, kwargs: *const *mut PyObject, n_kw: c_int,
        defaults: *const *mut PyObject, n_defaults: c_int, kwdefaults: Option<&Object>, closure: Option<&Tuple>,
    ) -> obj {
        // A class body or module code runs with its own locals; anything else is a function call.
        if let Some(l) = locals && code.flags() & 2 == 0 {
            return (running()?.eval_code)(code, g, Some(l), closure);
        }
        let item = |p: *const *mut PyObject, i: usize| Object::from_ptr(*p.add(i));
        let f = Function::new(code, g, None)?;
        if n_defaults > 0 {
            f.set_defaults(Some(&Tuple::from_vec((0..n_defaults as usize).map(|i| item(defaults, i).own()).collect())));
        }
        f.set_kwdefaults(kwdefaults);
        f.set_closure(closure);
        let args = Tuple::from_vec((0..n as usize).map(|i| item(args, i).own()).collect());
        let kw = Dict::new();
        for i in 0..n_kw as usize {
            kw.set_item(item(kwargs, 2 * i), item(kwargs, 2 * i + 1))?;
        }
        f.as_object().call_tuple(&args, Some(&kw))
    }
    fn _PyEval_EvalFrameDefault(ts: *mut PyThreadState, f: *mut c_void, throwing: c_int) -> [*mut PyObject] {
        framehook::evaluate_default(ts, f.cast(), throwing != 0)
    }
    fn _PyInterpreterState_GetEvalFrameFunc(_i: *mut c_void) -> [*mut c_void] {
        framehook::installed().map_or(_PyEval_EvalFrameDefault as *mut c_void, |f| f as *mut c_void)
    }
    fn _PyInterpreterState_SetEvalFrameFunc(_i: *mut c_void, f: *mut c_void) -> void {
        let own = f == _PyEval_EvalFrameDefault as *mut c_void || f.is_null();
        framehook::install(if own { None } else { Some(std::mem::transmute::<*mut c_void, framehook::EvalFrame>(f)) })
    }

    fn PyImport_ExecCodeModule(name: &CStr, code: &Object) -> obj { exec_module(&str_of(name), code, None, None) }
    fn PyImport_ExecCodeModuleEx(name: &CStr, code: &Object, path: Option<&CStr>) -> obj {
        exec_module(&str_of(name), code, path.map(str_of).as_deref().map(|p| p.as_object()), None)
    }
    fn PyImport_ExecCodeModuleWithPathnames(name: &CStr, code: &Object, path: Option<&CStr>, cpath: Option<&CStr>) -> obj {
        exec_module(&str_of(name), code, path.map(str_of).as_deref().map(|p| p.as_object()), cpath.map(str_of).as_deref().map(|p| p.as_object()))
    }
    fn PyImport_ExecCodeModuleObject(name: &Str, code: &Object, path: Option<&Object>, cpath: Option<&Object>) -> obj { exec_module(name, code, path, cpath) }
    fn PyImport_GetImporter(path: &Object) -> obj { import_module("pkgutil")?.call_method("get_importer", &[path]) }
    fn PyImport_GetMagicNumber() -> [c_long] { 0x0a0d_0da7 }
    fn PyImport_GetMagicTag() -> [*const c_char] { c"cpython-311".as_ptr() }
    fn PyImport_ImportFrozenModule(_name: &CStr) -> [c_int] { 0 }
    fn PyImport_ImportFrozenModuleObject(_name: &Object) -> [c_int] { 0 }
    /// Too late: built-in modules are known before the first import.
    fn PyImport_AppendInittab(_name: &CStr, _init: *mut c_void) -> [c_int] { -1 }
}
