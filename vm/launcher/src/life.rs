//! Birth and death of the VM: types, `sys`, importlib, standard streams, `site`; and the same backwards.
//!
//! ```text
//!   start:  GIL - types - interpreter - sys - importlib - encodings - stdio - warnings - __main__ - site
//!   finish: threading._shutdown - atexit - flush - (finalizing) - clear modules - collect - flush
//! ```

use crate::args;
use lh_runtime::interpreter;
use lh_runtime::prelude::*;
use lh_runtime::sysobject::{self, config, modules_dict, sys_dict, sys_get, sys_set};
use lh_stdlib::core::{bootstrap, imp, sys};

/// Readies the runtime on the calling thread, which from now on holds the GIL.
pub fn start_runtime() -> PyResult<()> {
    lh_runtime::thread::set_main_thread();
    lh_runtime::thread::new_state();
    lh_runtime::thread::gil_acquire();
    crate::wiring::install_hooks();
    lh_runtime::init::init_types()?;
    crate::wiring::start_interpreter()?;
    imp::register(lh_stdlib::modules());
    imp::register(crate::wiring::extra_modules());
    sys::fill()
}

/// Everything a program may rely on before its first line.
pub fn start_python() -> PyResult<()> {
    let _ = interpreter::LIFE.set(interpreter::Life {
        start: start_another,
        wind_down,
        take_down: take_down_another,
        report: || {
            crate::run::report(Raised::already_set());
        },
    });
    FIRST_SYS.get_or_init(|| Kept(sys_dict().copy().into_raw()));
    BUILTINS.get_or_init(|| Kept(sysobject::builtins_dict().copy().into_raw()));
    begin()?;
    SYS_NAMES.get_or_init(|| Kept(sys_dict().copy().into_raw()));
    Ok(())
}

/// As [`start_python`], for an interpreter beside the main one.
fn start_another() -> PyResult<()> {
    let (Some(b), Some(s)) = (BUILTINS.get(), FIRST_SYS.get()) else {
        return raise!(RuntimeError, "the main interpreter is not ready");
    };
    sysobject::builtins_module().refill(b.dict())?;
    sys::fill_again(s.dict())?;
    begin()
}

/// A dictionary that is kept for the end.
struct Kept(*mut lh_runtime::abi::PyObject);
// SAFETY: only used with the GIL held.
unsafe impl Send for Kept {}
// SAFETY: as above.
unsafe impl Sync for Kept {}
impl Kept {
    fn dict(&self) -> &'static Dict {
        // SAFETY: the reference is never given back.
        unsafe { Object::from_ptr(self.0).downcast_unchecked() }
    }
}
/// `builtins` and `sys` as they were before the program's first line.
static BUILTINS: std::sync::OnceLock<Kept> = std::sync::OnceLock::new();
/// `sys` before anything was imported.
static FIRST_SYS: std::sync::OnceLock<Kept> = std::sync::OnceLock::new();
static SYS_NAMES: std::sync::OnceLock<Kept> = std::sync::OnceLock::new();

fn begin() -> PyResult<()> {
    bootstrap::set_services(crate::wiring::services());
    let main = interpreter::is_main();
    if main && config().tracemalloc > 0 {
        lh_runtime::tracemalloc::start(config().tracemalloc as usize);
    }
    bootstrap::install_importlib()?;
    bootstrap::install_external()?;
    // ^C raises KeyboardInterrupt whether or not the program knows of signals.
    if main {
        lh_runtime::import::import_module("_signal")?;
    }
    lh_runtime::import::import_module("encodings")?;
    open_std_streams()?;
    if !config().warnoptions.is_empty() {
        lh_runtime::import::import_module("warnings")?;
    }
    make_main()?;
    if main
        && (config().xoptions.iter().any(|(k, _)| k == "faulthandler")
            || config().dev_mode
            || (!config().ignore_environment
                && std::env::var_os("PYTHONFAULTHANDLER").is_some_and(|v| !v.is_empty())))
    {
        match lh_runtime::import::import_module("faulthandler") {
            Ok(m) => drop(m.call_method("enable", &[])?),
            Err(e) => e.clear(),
        }
    }
    if !config().no_site {
        lh_runtime::import::import_module("site")?;
    }
    Ok(())
}

/// `sys.modules["__main__"]`.
pub fn main_dict() -> PyResult<Owned<Dict>> {
    let m = lh_runtime::import::loaded_module("__main__");
    match m.as_deref().and_then(|m| m.downcast::<Module>()) {
        Some(m) => Ok(m.dict().own()),
        None => raise!(RuntimeError, "lost __main__"),
    }
}

fn make_main() -> PyResult<()> {
    let m = Module::new("__main__");
    let d = m.dict();
    d.set_str("__annotations__", &Dict::new())?;
    d.set_str("__builtins__", sysobject::builtins_module())?;
    if let Some(b) = lh_runtime::import::loaded_module("_frozen_importlib") {
        d.set_str("__loader__", &*b.get_attr_str("BuiltinImporter")?)?;
    }
    modules_dict().set_str("__main__", &m)
}

// ---- Standard streams ----

/// The encoding of the locale, in Python's spelling.
fn locale_encoding() -> String {
    if config().utf8_mode {
        return "utf-8".into();
    }
    // SAFETY: nl_langinfo answers a C string that lives until the locale changes.
    let s = unsafe { std::ffi::CStr::from_ptr(libc::nl_langinfo(libc::CODESET)) }
        .to_string_lossy()
        .to_lowercase();
    match s.as_str() {
        "" | "utf8" => "utf-8".into(),
        "ansi_x3.4-1968" => "ascii".into(),
        _ => s,
    }
}

fn std_errors() -> String {
    if config().utf8_mode {
        return "surrogateescape".into();
    }
    // SAFETY: a query; the answer is a C string.
    let name = unsafe {
        let p = libc::setlocale(libc::LC_CTYPE, std::ptr::null());
        if p.is_null() { String::new() } else { std::ffi::CStr::from_ptr(p).to_string_lossy().into_owned() }
    };
    match name.as_str() {
        "C" | "POSIX" | "C.UTF-8" | "C.utf8" | "UTF-8" => "surrogateescape".into(),
        _ => "strict".into(),
    }
}

/// Takes the environment's locale for characters; the C locale is replaced by a UTF-8 one.
pub fn set_locale() {
    // SAFETY: start-up, one thread.
    unsafe {
        libc::setlocale(libc::LC_CTYPE, c"".as_ptr());
        let coerce = std::env::var_os("PYTHONCOERCECLOCALE").is_none_or(|v| v != "0");
        if coerce
            && matches!(args::ctype_locale().as_str(), "C" | "POSIX")
            && std::env::var_os("LC_ALL").is_none()
        {
            for name in [c"C.UTF-8", c"C.utf8", c"UTF-8"] {
                if !libc::setlocale(libc::LC_CTYPE, name.as_ptr()).is_null() {
                    std::env::set_var("LC_CTYPE", name.to_str().expect("ASCII"));
                    break;
                }
            }
        }
    }
}

fn open_std_streams() -> PyResult<()> {
    let io = lh_runtime::import::import_module("io")?;
    sysobject::builtins_dict().set_str("open", &*io.get_attr_str("open")?)?;
    let encoding = config().stdio_encoding.clone().unwrap_or_else(locale_encoding);
    let errors = config().stdio_errors.clone().unwrap_or_else(std_errors);
    for (fd, name, write) in [(0, "stdin", false), (1, "stdout", true), (2, "stderr", true)] {
        let errors = if fd == 2 { "backslashreplace" } else { &errors };
        let f = open_stream(&io, fd, name, write, &encoding, errors)?;
        sys_set(&format!("__{name}__"), &f)?;
        sys_set(name, &f)?;
    }
    Ok(())
}

fn open_stream(io: &Object, fd: i32, name: &str, write: bool, encoding: &str, errors: &str) -> PyResult {
    // SAFETY: a query about a descriptor.
    if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Ok(none());
    }
    let unbuffered = config().unbuffered;
    let text = |s: &str| Str::new(s).into_object();
    let buffering = Int::from_i64(if unbuffered && write { 0 } else { -1 });
    let fd_obj = Int::from_i64(fd as i64);
    let mode = text(if write { "wb" } else { "rb" });
    let buf = io
        .get_attr_str("open")?
        .call_kw(&[&fd_obj, &mode], &[("buffering", &buffering), ("closefd", bool_ref(false))])?;
    let raw = if unbuffered && write { buf.clone() } else { buf.get_attr_str("raw")? };
    raw.set_attr_str("name", &text(&format!("<{name}>")))?;
    let tty = raw.call_method("isatty", &[])?.is_true()?;
    let line_buffering = !unbuffered && (tty || fd == 2);
    let f = io.get_attr_str("TextIOWrapper")?.call_kw(
        &[&buf],
        &[
            ("encoding", &text(encoding)),
            ("errors", &text(errors)),
            ("newline", &text("\n")),
            ("line_buffering", bool_ref(line_buffering)),
            ("write_through", bool_ref(unbuffered && write)),
        ],
    )?;
    f.set_attr_str("mode", &text(if write { "w" } else { "r" }))?;
    Ok(f)
}

// ---- The end ----

/// Runs what a program registered for its end and takes the modules down. The process's status: `status`, or 120 if the last
/// output could not be written.
pub fn finish(status: i32) -> i32 {
    wind_down();
    let mut ok = sysobject::flush_std_files();
    lh_runtime::thread::set_finalizing();
    // Extension modules look at what is left of theirs at the end: traces are not to hold it.
    lh_jit::uninstall();
    // The last collection `gc.callbacks` are told of: they need their modules.
    if lh_runtime::gc::is_enabled() && lh_runtime::gc::callbacks().len() != 0 {
        lh_runtime::gc::collect(2);
    }
    ok &= take_down_modules();
    lh_runtime::exitfuncs::run();
    lh_runtime::quarantine::finish();
    if ok { status } else { 120 }
}
/// Waits for the threads of the interpreter and runs its exit functions.
fn wind_down() {
    if let Some(t) = lh_runtime::import::loaded_module("threading")
        && let Err(e) = t.call_method("_shutdown", &[])
    {
        drop(e);
        write_unraisable(Some(&t), None);
    }
    lh_stdlib::containers::atexit::run_exit_functions();
}
/// Empties the modules of an interpreter beside the main one; `sys` and `builtins` too, for nothing runs there any more.
fn take_down_another() {
    sysobject::flush_std_files();
    take_down_modules();
    // Within a collection (of an `InterpreterID`) there is no other: destructors that run when that goes on still want their names.
    if lh_runtime::gc::is_collecting() {
        return;
    }
    // Destructors may have been compiled meanwhile.
    if let Some(f) = interpreter::ON_END.get() {
        f(interpreter::current());
    }
    sys_dict().clear();
    sysobject::builtins_dict().clear();
    lh_runtime::gc::collect_last();
}

/// CPython's order: `sys`'s references to user objects, `sys.modules`, a collection, then whatever modules are still alive,
/// emptied one by one, `sys` and `builtins` last.
/// Is all output written?
fn take_down_modules() -> bool {
    let forget = |r: PyResult<()>| {
        if let Err(e) = r {
            e.clear()
        }
    };
    for n in [
        "path",
        "argv",
        "ps1",
        "ps2",
        "last_type",
        "last_value",
        "last_traceback",
        "path_hooks",
        "path_importer_cache",
        "meta_path",
    ] {
        if sys_get(n).is_some() {
            forget(sys_set(n, none_ref()));
        }
    }
    forget(sysobject::builtins_dict().set_str("_", none_ref()));
    for n in ["stdin", "stdout", "stderr"] {
        let v = sys_get(&format!("__{n}__")).unwrap_or_else(none);
        forget(sys_set(n, &v));
    }
    let sys_m = sysobject::sys_module();
    let builtins_m = sysobject::builtins_module();
    let mut weak: Vec<Owned<Object>> = vec![];
    for (k, m) in modules_dict().items_vec() {
        if let Some(x) = m.downcast::<Module>()
            && !x.is(sys_m)
            && !x.is(builtins_m)
        {
            match WeakRef::new(&m, None) {
                Ok(w) => weak.push(w),
                Err(e) => e.clear(),
            }
        }
        forget(modules_dict().set_item(&k, none_ref()));
    }
    modules_dict().clear();
    // What the program put into `builtins` is its own, and ends with its modules.
    if let Some(b) = BUILTINS.get() {
        remove_additions(sysobject::builtins_dict(), b.dict());
        forget(sysobject::builtins_dict().merge(b.dict(), true));
    }
    lh_runtime::gc::collect_last();
    lh_runtime::gc::tell_of_garbage();
    for w in weak.iter().rev() {
        let Some(m) = w.downcast::<WeakRef>().and_then(|w| w.target()) else { continue };
        if let Some(m) = m.downcast::<Module>() {
            clear_module(m.dict());
        }
    }
    drop(weak);
    let ok = sysobject::flush_std_files();
    // Of `sys`, only what the program added: destructors that run now still need the rest, and the streams flush as they go.
    if let Some(s) = SYS_NAMES.get() {
        for n in ["stdin", "stdout", "stderr"] {
            forget(sys_set(n, none_ref()));
        }
        remove_additions(sys_dict(), s.dict());
    }
    lh_runtime::gc::collect_last();
    ok
}

/// Takes out of `d` the names that `first` has not.
fn remove_additions(d: &Dict, first: &Dict) {
    for (k, _) in d.items_vec() {
        let r = match first.contains(&k) {
            Ok(false) => d.del_item(&k).map(drop),
            r => r.map(drop),
        };
        if let Err(e) = r {
            e.clear();
        }
    }
}

/// Sets a module's names to `None`: those with one leading underscore first, so that the rest can still be used by destructors.
fn clear_module(d: &Dict) {
    let pass = |underscored: bool| {
        for (k, v) in d.items_vec() {
            let Some(name) = k.downcast::<Str>() else { continue };
            let s = name.to_str_lossy();
            let single = s.starts_with('_') && !s.starts_with("__");
            let wanted = if underscored { single } else { s != "__builtins__" };
            if !v.is_none()
                && wanted
                && let Err(e) = d.set_item(&k, none_ref())
            {
                e.clear();
            }
        }
    };
    pass(true);
    pass(false);
}
