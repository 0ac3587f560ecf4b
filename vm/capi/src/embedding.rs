//! `pylifecycle.h`, `sysmodule.h`, `cpython/pythonrun.h`: what a program that embeds an interpreter calls, as far as an extension module of a
//! running one may: options and arguments of `sys`, files run as scripts or typed in, leaving the process.
//!
//! The VM starts itself, once; a function that would start a second runtime says so on standard error and answers failure.

use crate::prelude::*;
use crate::pythonrun::CompilerFlags;
use crate::unicodeobject::from_wide;
use lh_runtime::import::import_module;
use lh_runtime::sysobject::{config, flush_std_files, sys_get};

const E_EOF: c_int = 11;

/// A list of `sys`, made if it isn't there.
fn sys_list(name: &str) -> PyResult<Owned<List>> {
    if let Some(l) = sys_get(name).and_then(|o| o.downcast_owned::<List>().ok()) {
        return Ok(l);
    }
    let l = List::new();
    import_module("sys")?.set_attr_str(name, &l)?;
    Ok(l)
}
/// # Safety
/// `argv` holds `n` wide strings.
unsafe fn set_argv(n: c_int, argv: *const *const u32, update_path: bool) -> PyResult<()> {
    let all = List::new();
    for i in 0..n.max(0) as usize {
        // SAFETY: the caller's promise.
        all.push(from_argument(unsafe { *argv.add(i) })?.into_object());
    }
    if all.len() == 0 {
        all.push(Str::interned("").own().into_object());
    }
    import_module("sys")?.set_attr_str("argv", &all)?;
    if update_path {
        let first = all.get(0).expect("not empty");
        let os_path = import_module("os.path")?;
        let dir = os_path.call_method("dirname", &[&*os_path.call_method("realpath", &[&first])?])?;
        let dir = if first.str()?.is_empty() { Str::interned("").as_object().own() } else { dir };
        sys_list("path")?.as_object().call_method("insert", &[&*Int::from_i64(0), &dir])?;
    }
    Ok(())
}
fn from_argument(p: *const u32) -> PyResult<Owned<Str>> {
    if p.is_null() {
        return Err(null_argument());
    }
    // SAFETY: a wide string.
    unsafe { from_wide(p, -1) }
}
fn refused(what: &str) -> c_int {
    eprintln!("Fatal Python error: {what}: the runtime is running already, a second one cannot be started");
    1
}
/// One line with its end, or nothing at the end of the file.
///
/// # Safety
/// `f` is an open stream.
unsafe fn line_of(f: *mut libc::FILE) -> Option<Vec<u8>> {
    let (mut line, mut room) = (null_mut(), 0);
    // SAFETY: `getline` allocates; the buffer is freed once.
    unsafe {
        let n = libc::getline(&mut line, &mut room, f);
        let r = (n > 0).then(|| std::slice::from_raw_parts(line.cast::<u8>(), n as usize).to_vec());
        libc::free(line.cast());
        r
    }
}
fn prompt(name: &str, default: &str) {
    let text =
        sys_get(name).and_then(|p| p.str().ok()).map_or(default.into(), |p| p.to_str_lossy().into_owned());
    eprint!("{text}");
}
/// Reads one statement and runs it in `__main__`, as the prompt does: `E_EOF` at the end of the file, -1 after an error (which is shown).
///
/// # Safety
/// `f` is an open stream.
unsafe fn interactive_one(f: *mut libc::FILE, file: &Object) -> PyResult<c_int> {
    let main = import_module("__main__")?;
    let console =
        import_module("code")?.call_method("InteractiveInterpreter", &[&*main.get_attr_str("__dict__")?])?;
    let compile = import_module("codeop")?.get_attr_str("compile_command")?;
    let mut text = String::new();
    prompt("ps1", ">>> ");
    loop {
        // SAFETY: the caller's promise.
        let line = unsafe { line_of(f) };
        let ended = line.is_none();
        if ended && text.is_empty() {
            eprintln!();
            return Ok(E_EOF);
        }
        text.push_str(&String::from_utf8_lossy(&line.unwrap_or_else(|| b"\n".to_vec())));
        let code = match compile.call(&[
            &*Str::new(text.strip_suffix('\n').unwrap_or(&text)),
            file,
            Str::interned("single"),
        ]) {
            Ok(code) => code,
            Err(_) => {
                // SAFETY: an exception is set.
                unsafe { crate::pyerrors::PyErr_Print() };
                return Ok(-1);
            }
        };
        if !code.is_none() {
            console.call_method("runcode", &[&code])?;
            return Ok(0);
        }
        if ended {
            return Ok(E_EOF);
        }
        prompt("ps2", "... ");
    }
}
/// # Safety
/// As [`interactive_one`].
unsafe fn interactive_loop(f: *mut libc::FILE, file: &Object) -> PyResult<c_int> {
    // SAFETY: the caller's promise.
    while unsafe { interactive_one(f, file)? } != E_EOF {}
    Ok(0)
}
/// # Safety
/// As [`interactive_one`].
unsafe fn any_file(
    f: *mut libc::FILE,
    file: Option<&CStr>,
    close: c_int,
    flags: *const CompilerFlags,
) -> PyResult<c_int> {
    let name = file.unwrap_or(c"???");
    // SAFETY: the caller's promise.
    unsafe {
        if !is_interactive(f, name.to_bytes()) {
            return Ok(crate::pythonrun::PyRun_SimpleFileExFlags(f, name.as_ptr(), close, flags));
        }
        let r = interactive_loop(f, &str_of(name));
        if close != 0 {
            libc::fclose(f);
        }
        r
    }
}
/// A terminal, or standard input when the program was started with `-i`.
///
/// # Safety
/// `f` is an open stream.
unsafe fn is_interactive(f: *mut libc::FILE, name: &[u8]) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        libc::isatty(libc::fileno(f)) != 0 || config().interactive && matches!(name, b"<stdin>" | b"???")
    }
}
/// Functions run at exit and standard files written out, as before the interpreter goes.
fn wind_up() -> c_int {
    let done = import_module("atexit").and_then(|m| m.call_method("_run_exitfuncs", &[]));
    let ran = done.map_err(|e| e.clear()).is_ok();
    if flush_std_files() && ran { 0 } else { -1 }
}

capi! {
    // ---- sys ----
    fn PySys_SetArgvEx(n: c_int, argv: *const *const u32, update_path: c_int) -> void { set_argv(n, argv, update_path != 0)? }
    fn PySys_SetArgv(n: c_int, argv: *const *const u32) -> void { set_argv(n, argv, !config().isolated && !config().safe_path)? }
    fn PySys_AddWarnOption(s: *const u32) -> void { sys_list("warnoptions")?.push(from_argument(s)?.into_object()) }
    fn PySys_AddWarnOptionUnicode(s: &Str) -> void { sys_list("warnoptions")?.push(s.own().into_object()) }
    fn PySys_ResetWarnOptions() -> void { sys_list("warnoptions")?.as_object().call_method("clear", &[])? }
    fn PySys_AddXOption(s: *const u32) -> void {
        let s = from_argument(s)?;
        let s = s.to_str_lossy();
        let Some(d) = sys_get("_xoptions").and_then(|d| d.downcast_owned::<Dict>().ok()) else { return Ok(()) };
        match s.split_once('=') {
            Some((k, v)) => d.set_str(k, &Str::new(v))?,
            None => d.set_str(&s, &bool_obj(true))?,
        }
    }

    // ---- Scripts and the prompt ----
    fn PyRun_AnyFile(f: *mut libc::FILE, file: Option<&CStr>) -> (c_int, -1) { any_file(f, file, 0, null()) }
    fn PyRun_AnyFileEx(f: *mut libc::FILE, file: Option<&CStr>, close: c_int) -> (c_int, -1) { any_file(f, file, close, null()) }
    fn PyRun_AnyFileFlags(f: *mut libc::FILE, file: Option<&CStr>, flags: *const CompilerFlags) -> (c_int, -1) { any_file(f, file, 0, flags) }
    fn PyRun_AnyFileExFlags(f: *mut libc::FILE, file: Option<&CStr>, close: c_int, flags: *const CompilerFlags) -> (c_int, -1) {
        any_file(f, file, close, flags)
    }
    fn PyRun_InteractiveOne(f: *mut libc::FILE, file: &CStr) -> (c_int, -1) { interactive_one(f, &str_of(file)) }
    fn PyRun_InteractiveOneFlags(f: *mut libc::FILE, file: &CStr, _flags: *const CompilerFlags) -> (c_int, -1) { interactive_one(f, &str_of(file)) }
    fn PyRun_InteractiveOneObject(f: *mut libc::FILE, file: &Object, _flags: *const CompilerFlags) -> (c_int, -1) { interactive_one(f, file) }
    fn PyRun_InteractiveLoop(f: *mut libc::FILE, file: &CStr) -> (c_int, -1) { interactive_loop(f, &str_of(file)) }
    fn PyRun_InteractiveLoopFlags(f: *mut libc::FILE, file: &CStr, _flags: *const CompilerFlags) -> (c_int, -1) { interactive_loop(f, &str_of(file)) }
    /// A line of a file, asked for with a prompt if it is a terminal; `PyMem_Free` frees it. Empty at the end of the file.
    fn PyOS_Readline(input: *mut libc::FILE, _output: *mut libc::FILE, prompt: Option<&CStr>) -> (*mut c_char, null_mut()) {
        if let Some(p) = prompt {
            eprint!("{}", text(p));
        }
        let line = line_of(input).unwrap_or_default();
        let p = lh_runtime::alloc::malloc(line.len() + 1).cast::<u8>();
        if p.is_null() {
            return raise!(MemoryError);
        }
        p.copy_from_nonoverlapping(line.as_ptr(), line.len());
        p.add(line.len()).write(0);
        Ok(p.cast())
    }
    fn Py_FdIsInteractive(f: *mut libc::FILE, name: Option<&CStr>) -> [c_int] {
        is_interactive(f, name.map_or(b"???", |n| n.to_bytes())) as c_int
    }
    fn _Py_FdIsInteractive(f: *mut libc::FILE, name: Option<&Str>) -> [c_int] {
        is_interactive(f, name.map_or("???".into(), |n| n.to_str_lossy()).as_bytes()) as c_int
    }

    // ---- The process ----
    fn Py_GETENV(name: &CStr) -> [*const c_char] { if config().ignore_environment { null() } else { libc::getenv(name.as_ptr()) } }
    fn Py_Exit(status: c_int) -> void { wind_up(); libc::exit(status) }
    /// What waits to be written is; the runtime itself stays, for the program that holds it is running on it.
    fn Py_FinalizeEx() -> [c_int] { wind_up() }
    fn Py_Finalize() -> void { wind_up() }
    fn Py_Main(_n: c_int, _argv: *const *const u32) -> [c_int] { refused("Py_Main") }
    fn Py_BytesMain(_n: c_int, _argv: *const *const c_char) -> [c_int] { refused("Py_BytesMain") }
    fn Py_FrozenMain(_n: c_int, _argv: *const *const c_char) -> [c_int] { refused("Py_FrozenMain") }
    fn Py_RunMain() -> [c_int] { refused("Py_RunMain") }
    /// Before the start only: the answer is failure, as CPython's is by then.
    fn Py_SetStandardStreamEncoding(_encoding: Option<&CStr>, _errors: Option<&CStr>) -> [c_int] { -1 }
    /// For the next start, which does not come.
    fn Py_SetPath(_path: *const u32) -> void {}
    fn Py_SetProgramName(_name: *const u32) -> void {}
    fn Py_SetPythonHome(_home: *const u32) -> void {}
}

/// A row of a table of built-in or frozen modules; this one ends the table.
#[repr(C)]
pub struct NoModule([usize; 5]);
// SAFETY: nothing but zeros.
unsafe impl Sync for Table {}
#[repr(transparent)]
pub struct Table(*const NoModule);
static NO_MODULES: NoModule = NoModule([0; 5]);
/// The built-in modules are Rust's: C code finds an empty table, and what it adds would come too late.
#[unsafe(no_mangle)]
pub static mut PyImport_Inittab: Table = Table(&raw const NO_MODULES);
#[unsafe(no_mangle)]
pub static mut PyImport_FrozenModules: Table = Table(&raw const NO_MODULES);
