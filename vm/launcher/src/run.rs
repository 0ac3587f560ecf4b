//! Running the program the command line names, and turning how it ends into an exit status.

use crate::args::Program;
use crate::{life, repl};
use lh_runtime::prelude::*;
use lh_runtime::sysobject::{self, config, sys_get, sys_set};
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

fn os_str(s: &OsStr) -> Owned<Object> {
    lh_stdlib::core::sys::os_str(s)
}

/// `builtins.compile(source, filename, mode)` without inherited compiler flags.
pub fn compile(source: &Object, filename: &Object, mode: &str) -> PyResult {
    let Some(f) = sysobject::builtins_dict().get_str("compile")? else {
        return raise!(SystemError, "there is no compiler in this build");
    };
    f.call_kw(
        &[source, filename, &Str::new(mode)],
        &[("dont_inherit", bool_ref(true)), ("flags", &Int::from_i64(0))],
    )
}
/// Compiles the program's own file.
fn compile_file(text: &[u8], name: &Object) -> PyResult {
    use lh_interp::builtins::{Compile, Mode, Source};
    let Some(filename) = name.downcast::<Str>() else {
        return raise!(TypeError, "the program's name is not a string");
    };
    (lh_interp::builtins::api()?.compile)(Compile {
        source: Source::Text(text),
        filename,
        mode: Mode::Exec,
        flags: 0,
        optimize: -1,
        feature_version: -1,
        from_file: true,
    })
}
/// `builtins.exec(code, globals)`.
pub fn exec(code: &Object, globals: &Dict) -> PyResult {
    let Some(f) = sysobject::builtins_dict().get_str("exec")? else {
        return raise!(SystemError, "builtins.exec is missing");
    };
    f.call(&[code, globals])
}

/// Runs the program; the exit status.
pub fn run(program: &Program, skip_first_line: bool) -> i32 {
    let r = match program {
        Program::Command(c) => run_command(c),
        Program::Module(m) => run_module(m, true),
        Program::File(f) => run_path(f, skip_first_line),
        Program::Stdin => run_stdin(),
    };
    let mut status = match r {
        Ok(s) => s,
        Err(e) => report(e),
    };
    let inspect_env =
        !config().ignore_environment && std::env::var_os("PYTHONINSPECT").is_some_and(|v| !v.is_empty());
    if (config().inspect || inspect_env) && *program != Program::Stdin {
        status = match interact() {
            Ok(s) => s,
            Err(e) => report(e),
        };
    }
    status
}

fn interact() -> PyResult<i32> {
    if !std::io::stdin().is_terminal() && !config().interactive {
        return Ok(0);
    }
    run_interactive_hook()?;
    repl::run(&*life::main_dict()?)
}

fn run_interactive_hook() -> PyResult<()> {
    if let Some(h) = sys_get("__interactivehook__")
        && let Err(e) = h.call0()
    {
        eprintln!("Failed calling sys.__interactivehook__");
        report(e);
    }
    Ok(())
}

fn insert_path0(p: &Object) -> PyResult<()> {
    if let Some(path) = sys_get("path")
        && let Some(l) = path.downcast::<List>()
    {
        l.insert(0, p.own());
    }
    Ok(())
}

fn run_command(c: &OsStr) -> PyResult<i32> {
    sysobject::audit("cpython.run_command", &[&*os_str(c)])?;
    if !config().safe_path {
        insert_path0(Str::empty())?;
    }
    // The command is text already: an encoding that its first lines name does not count.
    let Ok(source) = std::str::from_utf8(c.as_bytes()) else {
        sysobject::write_stderr("Unable to decode the command from the command line:\n");
        return os_str(c).call_method("encode", &[]).map(|_| 1);
    };
    let source = Str::new(&format!("{source}\n"));
    let code = compile(&source, &Str::new("<string>"), "exec")?;
    exec(&code, &*life::main_dict()?)?;
    Ok(0)
}

fn run_module(name: &OsStr, alter_argv: bool) -> PyResult<i32> {
    sysobject::audit("cpython.run_module", &[&*os_str(name)])?;
    if alter_argv && !config().safe_path {
        match std::env::current_dir() {
            Ok(d) => insert_path0(&os_str(d.as_os_str()))?,
            Err(_) => insert_path0(Str::empty())?,
        }
    }
    let runpy = lh_runtime::import::import_module("runpy")?;
    runpy.call_method("_run_module_as_main", &[&*os_str(name), bool_ref(alter_argv)])?;
    Ok(0)
}

/// A finder for `path` if a path hook takes it: a directory or an archive with a `__main__`.
fn has_importer(path: &Object) -> PyResult<bool> {
    let Some(hooks) = sys_get("path_hooks") else { return Ok(false) };
    for h in hooks.to_items()? {
        match h.call1(path) {
            Ok(_) => return Ok(true),
            Err(e) if e.matches(exc::ImportError()) => e.clear(),
            Err(e) => return Err(e),
        }
    }
    Ok(false)
}

fn run_path(f: &OsString, skip_first_line: bool) -> PyResult<i32> {
    let path = Path::new(f);
    let name = os_str(absolute(path).as_os_str());
    if has_importer(&name)? {
        insert_path0(&name)?;
        return run_module(OsStr::new("__main__"), false);
    }
    sysobject::audit("cpython.run_file", &[&name])?;
    let data = match std::fs::read(path) {
        Ok(d) => d,
        Err(e) => {
            let no = e.raw_os_error().unwrap_or(0);
            let what = if path.is_dir() {
                format!("'{}' is a directory, cannot continue", f.to_string_lossy())
            } else {
                format!("can't open file '{}': [Errno {}] {}", absolute(path).display(), no, strerror(no))
            };
            eprintln!("{}: {what}", config().executable.to_string_lossy());
            return Ok(if path.is_dir() { 1 } else { 2 });
        }
    };
    if !config().safe_path {
        let real = resolve_links(path);
        let dir = real.parent().map(Path::to_path_buf).unwrap_or_default();
        let dir = if dir.as_os_str().is_empty() {
            std::env::current_dir().unwrap_or_default()
        } else {
            absolute(&dir)
        };
        insert_path0(&os_str(dir.as_os_str()))?;
    }
    let d = life::main_dict()?;
    d.set_str("__file__", &name)?;
    d.set_str("__cached__", none_ref())?;
    let is_pyc = f.as_bytes().ends_with(b".pyc");
    set_loader(&d, &name, if is_pyc { "SourcelessFileLoader" } else { "SourceFileLoader" })?;
    let code = if is_pyc {
        let magic = lh_stdlib::core::bootstrap::PYC_MAGIC.to_le_bytes();
        if data.len() < 16 || data[..2] != magic {
            return raise!(RuntimeError, "Bad magic number in .pyc file");
        }
        match lh_runtime::marshal::loads(&data[16..]) {
            Ok(c) if c.is_exact::<Code>() => c,
            Ok(_) => return raise!(RuntimeError, "Bad code object in .pyc file"),
            Err(e) => {
                e.clear();
                return raise!(RuntimeError, "Bad code object in .pyc file");
            }
        }
    } else {
        let text = if skip_first_line {
            let at = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
            Bytes::new(&data[at..])
        } else {
            Bytes::new(&data)
        };
        compile_file(text.as_bytes(), &name)?
    };
    let r = exec(&code, &d);
    sysobject::flush_std_files();
    r?;
    Ok(0)
}

fn set_loader(d: &Dict, file: &Object, class: &str) -> PyResult<()> {
    let external = lh_runtime::import::import_module("_frozen_importlib_external")?;
    let loader = external.get_attr_str(class)?.call(&[&Str::new("__main__"), file])?;
    d.set_str("__loader__", &loader)
}

fn strerror(no: i32) -> String {
    // SAFETY: strerror answers a C string.
    unsafe { std::ffi::CStr::from_ptr(libc::strerror(no)) }.to_string_lossy().into_owned()
}
fn absolute(p: &Path) -> PathBuf {
    if p.is_absolute() { p.to_path_buf() } else { std::env::current_dir().unwrap_or_default().join(p) }
}
/// The file a chain of links ends at (the directory part stays as it is written).
fn resolve_links(p: &Path) -> PathBuf {
    let mut p = p.to_path_buf();
    for _ in 0..40 {
        match std::fs::read_link(&p) {
            Ok(t) => p = p.parent().map(|d| d.join(&t)).unwrap_or(t),
            Err(_) => break,
        }
    }
    p
}

fn run_stdin() -> PyResult<i32> {
    sysobject::audit("cpython.run_stdin", &[])?;
    if !config().safe_path {
        insert_path0(Str::empty())?;
    }
    let d = life::main_dict()?;
    if std::io::stdin().is_terminal() || config().interactive {
        if !config().quiet {
            eprintln!("{} on linux", crate::args::version_line(true));
            eprintln!("Type \"help\", \"copyright\", \"credits\" or \"license\" for more information.");
        }
        run_startup_file(&d)?;
        run_interactive_hook()?;
        return repl::run(&d);
    }
    let mut data = vec![];
    let read =
        lh_runtime::thread::allow_threads(|| std::io::Read::read_to_end(&mut std::io::stdin(), &mut data));
    if let Err(e) = read {
        return Err(raise_errno(e.raw_os_error().unwrap_or(0), None));
    }
    let code = compile(&Bytes::new(&data), &Str::new("<stdin>"), "exec")?;
    exec(&code, &d)?;
    Ok(0)
}

fn run_startup_file(d: &Dict) -> PyResult<()> {
    let Some(p) = std::env::var_os("PYTHONSTARTUP").filter(|p| !p.is_empty() && !config().ignore_environment)
    else {
        return Ok(());
    };
    match std::fs::read(&p) {
        Ok(data) => {
            let r = compile(&Bytes::new(&data), &os_str(&p), "exec").and_then(|c| exec(&c, d));
            if let Err(e) = r {
                report(e);
            }
        }
        Err(_) => eprintln!("Could not open PYTHONSTARTUP\nFileNotFoundError: {}", p.to_string_lossy()),
    }
    Ok(())
}

/// The status a `SystemExit` asks for; its message is printed.
fn system_exit_status(e: &Object) -> i32 {
    let code = match e.get_attr_str("code") {
        Ok(c) => c,
        Err(x) => {
            x.clear();
            return 1;
        }
    };
    if code.is_none() {
        return 0;
    }
    if let Some(i) = code.downcast::<Int>() {
        return i.to_i128().map_or(-1, |v| v as i32);
    }
    match code.str() {
        Ok(s) => {
            // The stream has its own way with what it cannot encode.
            let out = sys_get("stderr").filter(|f| !f.is_none());
            match out.map(|f| f.call_method("write", &[&*s])) {
                Some(Ok(_)) => sysobject::write_stderr("\n"),
                Some(Err(x)) => x.clear(),
                None => eprintln!("{}", s.to_str_lossy()),
            }
        }
        Err(x) => x.clear(),
    }
    1
}

/// Whether a `SystemExit` ends the program (it does not under -i).
fn exits(e: &Exception) -> bool {
    e.is_instance(exc::SystemExit()).unwrap_or(false) && !config().inspect
}

/// Marks that the program died of ^C, so that the process can die of the signal.
pub const BY_SIGINT: i32 = i32::MIN;

/// Reports an exception that nothing caught through `sys.excepthook`; the exit status it means.
pub fn report(r: Raised) -> i32 {
    let e = r.take();
    if exits(&e) {
        sysobject::flush_std_files();
        return system_exit_status(&e);
    }
    let interrupted = e.is_instance(exc::KeyboardInterrupt()).unwrap_or(false);
    print_exception(&e);
    if interrupted { BY_SIGINT } else { 1 }
}

/// `PyErr_PrintEx`: `sys.last_*`, then the hook, or our own display if the hook fails.
pub fn print_exception(e: &Owned<Exception>) {
    let t = e.ty().own();
    let tb = e.traceback().unwrap_or_else(none);
    for (k, v) in [("last_type", t.as_object()), ("last_value", (**e).as_object()), ("last_traceback", &*tb)]
    {
        if let Err(x) = sys_set(k, v) {
            x.clear();
        }
    }
    if let Some(h) = sys_get("excepthook") {
        let audited = sysobject::audit("sys.excepthook", &[&h, &t, &**e, &tb]);
        if let Err(x) = audited {
            x.clear();
        }
        if let Err(x) = h.call(&[&t, &**e, &tb]) {
            let second = x.take();
            if exits(&second) {
                let s = system_exit_status(&second);
                std::process::exit(life::finish(s));
            }
            sysobject::flush_std_files();
            sysobject::write_stderr("Error in sys.excepthook:\n");
            lh_stdlib::core::errdisplay::display(&second, None);
            sysobject::write_stderr("\nOriginal exception was:\n");
            lh_stdlib::core::errdisplay::display(e, Some(&tb));
        }
    } else {
        sysobject::write_stderr("sys.excepthook is missing\n");
        lh_stdlib::core::errdisplay::display(e, Some(&tb));
    }
    if let Some(out) = sys_get("stdout").filter(|o| !o.is_none())
        && let Err(x) = out.call_method("flush", &[])
    {
        x.clear();
    }
}
