//! Import as the runtime offers it: `import_module`, `__import__`'s rules, relative names, and the shortened tracebacks of
//! failed imports. The work of finding and loading is Python code: `importlib._bootstrap` of the installed standard library,
//! which `stdlib/core/bootstrap.rs` runs at start-up and registers here with `set_importlib`.

use crate::errors::*;
use crate::exceptions::exc;
use crate::interpreter::Own;
use crate::kinds::*;
use crate::object::*;
use crate::sysobject::modules_dict;
use crate::{intern, raise, raised};
use lh_abi::*;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

static IMPORTLIB: Own<Owned<Object>> = Own::new();
static IMPORT_FUNC: Own<Owned<Object>> = Own::new();

/// Registers the running `_frozen_importlib` module.
pub fn set_importlib(m: &Object) {
    IMPORTLIB.set(m.own());
}
/// The running `importlib._bootstrap`; `ImportError` before it exists.
pub fn importlib() -> PyResult<&'static Object> {
    match IMPORTLIB.get() {
        Some(m) => Ok(m),
        None => raise!(ImportError, "the import system is not initialised yet"),
    }
}
/// Remembers the original `builtins.__import__`, so that callers can skip it when nobody replaced it.
pub fn set_import_func(f: &Object) {
    IMPORT_FUNC.set(f.own());
}
/// Is `f` the original `__import__`?
pub fn is_builtin_import(f: &Object) -> bool {
    IMPORT_FUNC.get().is_some_and(|own| own.is(f))
}
fn import_func() -> PyResult<Owned<Object>> {
    match crate::sysobject::builtins_dict().get_str_key(intern!("__import__"))? {
        Some(f) => Ok(f),
        None => raise!(ImportError, "__import__ not found"),
    }
}

/// The IMPORT_NAME instruction: calls `__import__` of these builtins, directly if it is the original.
pub fn import_name(
    builtins: &Dict,
    name: &Str,
    globals: &Object,
    locals: &Object,
    fromlist: &Object,
    level: &Object,
) -> PyResult {
    let Some(f) = builtins.get_str_key(intern!("__import__"))? else {
        return raise!(ImportError, "__import__ not found");
    };
    if is_builtin_import(&f) {
        let n = level.downcast::<Int>().and_then(|i| i.to_i128()).unwrap_or(0);
        return import_module_level(name, Some(globals), Some(fromlist), n as i32);
    }
    f.call(&[name, globals, locals, fromlist, level])
}

/// `PyImport_ImportModuleLevelObject`.
pub fn import_module_level(
    name: &Str,
    globals: Option<&Object>,
    fromlist: Option<&Object>,
    level: i32,
) -> PyResult {
    if level < 0 {
        return raise!(ValueError, "level must be >= 0");
    }
    let abs_name = if level > 0 {
        resolve_name(name, globals, level)?
    } else if name.is_empty() {
        return raise!(ValueError, "Empty module name");
    } else {
        name.own()
    };
    let module = import_absolute(&abs_name)?;
    let has_from = match fromlist {
        Some(f) if !f.is_none() => f.is_true()?,
        _ => false,
    };
    if has_from {
        if module.get_attr_opt(intern!("__path__"))?.is_none() {
            return Ok(module);
        }
        let f = importlib()?.get_attr(intern!("_handle_fromlist"))?;
        let from = fromlist.expect("has_from");
        return strip(f.call(&[&module, from, &*import_func()?]));
    }
    if level > 0 && name.is_empty() {
        return Ok(module);
    }
    let Some(dot) = name.chars().position(|c| c == u32::from(b'.')) else { return Ok(module) };
    if level == 0 {
        return import_module_level(&name.slice(0, dot), None, None, 0);
    }
    let keep = abs_name.len() - (name.len() - dot);
    let top = abs_name.slice(0, keep);
    match modules_dict().get_item(&top)? {
        Some(m) => Ok(m),
        None => raise!(KeyError, "{} not in sys.modules as expected", top.repr()?.to_str_lossy()),
    }
}

/// The module of an absolute dotted name, imported if need be.
pub fn import_absolute(abs_name: &Str) -> PyResult {
    match modules_dict().get_item(abs_name)? {
        Some(m) if !m.is_none() => {
            ensure_initialized(&m, abs_name)?;
            Ok(m)
        }
        _ => find_and_load(abs_name),
    }
}

/// `import_module("a.b")`: the module itself.
pub fn import_module(name: &str) -> PyResult {
    import_absolute(&Str::new(name))
}

/// `sys.modules[name]`, if it is there.
pub fn loaded_module(name: &str) -> Option<Owned<Object>> {
    match modules_dict().get_str(name) {
        Ok(m) => m.filter(|m| !m.is_none()),
        Err(e) => {
            e.clear();
            None
        }
    }
}

/// Waits for another thread that is importing the module.
fn ensure_initialized(m: &Object, name: &Str) -> PyResult<()> {
    let Some(spec) = m.get_attr_opt(intern!("__spec__"))? else { return Ok(()) };
    if spec.is_none() {
        return Ok(());
    }
    let busy = match spec.get_attr_opt(intern!("_initializing"))? {
        Some(v) => v.is_true()?,
        None => false,
    };
    if busy {
        importlib()?.get_attr(intern!("_lock_unlock_module"))?.call(&[name])?;
    }
    Ok(())
}

fn find_and_load(abs_name: &Str) -> PyResult {
    if crate::sysobject::is_audited() {
        let get = |n: &str| crate::sysobject::sys_get(n).unwrap_or_else(crate::singletons::none);
        let (path, meta, hooks) = (get("path"), get("meta_path"), get("path_hooks"));
        let none = crate::singletons::none_ref();
        crate::sysobject::audit("import", &[abs_name, none, &path, &meta, &hooks])?;
    }
    let f = importlib()?.get_attr(intern!("_find_and_load"))?;
    let times = timing().then(Timer::start);
    let r = strip(f.call(&[abs_name, &*import_func()?]));
    if let Some(t) = times {
        t.report(&abs_name.to_str_lossy(), r.is_ok());
    }
    r
}

// ---- -X importtime ----

/// Were import times asked for (`-X importtime`, `PYTHONPROFILEIMPORTTIME`)?
fn timing() -> bool {
    crate::sysobject::config().import_time
}
/// What nested imports took since the innermost running one began, in microseconds, and how deep that one is.
static NESTED_US: AtomicUsize = AtomicUsize::new(0);
static DEPTH: AtomicUsize = AtomicUsize::new(0);

struct Timer {
    began: std::time::Instant,
    outer: usize,
}
impl Timer {
    fn start() -> Timer {
        if DEPTH.fetch_add(1, Ordering::Relaxed) == 0 && NESTED_US.swap(0, Ordering::Relaxed) == 0 {
            static HEADER: std::sync::Once = std::sync::Once::new();
            HEADER.call_once(|| eprintln!("import time: self [us] | cumulative | imported package"));
        }
        Timer { began: std::time::Instant::now(), outer: NESTED_US.swap(0, Ordering::Relaxed) }
    }
    fn report(self, name: &str, found: bool) {
        let all = self.began.elapsed().as_micros() as usize;
        let nested = NESTED_US.load(Ordering::Relaxed);
        let depth = DEPTH.fetch_sub(1, Ordering::Relaxed) - 1;
        NESTED_US.store(self.outer + all, Ordering::Relaxed);
        if found {
            let own = all.saturating_sub(nested);
            eprintln!("import time: {own:>9} | {all:>10} | {:w$}{name}", "", w = depth * 2);
        }
    }
}

fn strip(r: PyResult) -> PyResult {
    if r.is_err() {
        remove_importlib_frames();
    }
    r
}

fn rfind_dot(s: &Str, end: usize) -> Option<usize> {
    (0..end).rev().find(|i| s.char_at(*i) == u32::from(b'.'))
}

/// The absolute name of a relative import.
pub fn resolve_name(name: &Str, globals: Option<&Object>, level: i32) -> PyResult<Owned<Str>> {
    let Some(globals) = globals.filter(|g| !g.is_none()) else {
        return raise!(KeyError, "'__name__' not in globals");
    };
    let Some(globals) = globals.downcast::<Dict>() else {
        return raise!(TypeError, "globals must be a dict");
    };
    let get = |k: &'static Str| -> PyResult<Option<Owned<Object>>> {
        Ok(globals.get_item(k)?.filter(|o| !o.is_none()))
    };
    let package = get(intern!("__package__"))?;
    let spec = get(intern!("__spec__"))?;
    let as_str = |o: Owned<Object>, what: &str| -> PyResult<Owned<Str>> {
        o.downcast_owned::<Str>().map_err(|_| raised!(TypeError, "{} must be a string", what))
    };
    let package = match (package, spec) {
        (Some(p), spec) => {
            let p = as_str(p, "package")?;
            if let Some(s) = spec {
                let parent = s.get_attr(intern!("parent"))?;
                if !(*p).equals_obj(&parent)? {
                    crate::warnings::warn(exc::ImportWarning(), "__package__ != __spec__.parent", 1)?;
                }
            }
            p
        }
        (None, Some(s)) => as_str(s.get_attr(intern!("parent"))?, "__spec__.parent")?,
        (None, None) => {
            crate::warnings::warn(
                exc::ImportWarning(),
                "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__",
                1,
            )?;
            let Some(n) = get(intern!("__name__"))? else {
                return raise!(KeyError, "'__name__' not in globals");
            };
            let n = as_str(n, "__name__")?;
            if globals.contains(intern!("__path__"))? {
                n
            } else {
                match rfind_dot(&n, n.len()) {
                    Some(d) => n.slice(0, d),
                    None => Str::empty().own(),
                }
            }
        }
    };
    if package.is_empty() {
        return raise!(ImportError, "attempted relative import with no known parent package");
    }
    let mut end = package.len();
    for _ in 1..level {
        match rfind_dot(&package, end) {
            Some(d) => end = d,
            None => return raise!(ImportError, "attempted relative import beyond top-level package"),
        }
    }
    let base = package.slice(0, end);
    if base.is_empty() || name.is_empty() {
        return Ok(base);
    }
    base.concat(&Str::new("."))?.concat(name)
}

/// Cuts the import system's own frames out of the traceback of the pending exception: all of them for `ImportError`s,
/// otherwise the stretches that end in `_call_with_frames_removed`.
pub fn remove_importlib_frames() {
    if crate::sysobject::config().verbose > 0 {
        return;
    }
    let (t, v, tb) = fetch();
    let always = t.as_ref().is_some_and(|t| given_matches(t, exc::ImportError()));
    let mut nodes: Vec<Owned<Object>> = vec![];
    let mut next = tb.clone().filter(|o| !o.is_none());
    while let Some(n) = next {
        next = match n.get_attr_str("tb_next") {
            Ok(x) => Some(x).filter(|x| !x.is_none()),
            Err(e) => {
                e.clear();
                None
            }
        };
        nodes.push(n);
    }
    let mut keep: Vec<usize> = vec![];
    let mut chunk_start = 0;
    let mut inside = false;
    for (i, n) in nodes.iter().enumerate() {
        let (file, name) = code_names(n).unwrap_or_default();
        let now = file == "<frozen importlib._bootstrap>" || file == "<frozen importlib._bootstrap_external>";
        if now && !inside {
            chunk_start = keep.len();
        }
        inside = now;
        if now && (always || name == "_call_with_frames_removed") {
            keep.truncate(chunk_start);
        } else {
            keep.push(i);
        }
    }
    if keep.len() == nodes.len() {
        return restore(t, v, tb);
    }
    for w in 0..keep.len() {
        let after = keep.get(w + 1).map(|k| nodes[*k].ptr()).unwrap_or(null_mut());
        // SAFETY: traceback objects; the link owns one count of what it points to.
        unsafe {
            let link = &raw mut (*nodes[keep[w]].ptr().cast::<PyTracebackObject>()).tb_next;
            xincref(after);
            let old = std::mem::replace(&mut *link, after.cast());
            xdecref(old.cast());
        }
    }
    restore(t, v, keep.first().map(|k| nodes[*k].clone()));
}

/// File and function name of a traceback entry.
fn code_names(tb: &Object) -> Option<(String, String)> {
    let get = || -> PyResult<(String, String)> {
        let code = tb.get_attr_str("tb_frame")?.get_attr_str("f_code")?;
        let text = |n: &str| code.get_attr_str(n)?.str().map(|s| s.to_str_lossy().into_owned());
        Ok((text("co_filename")?, text("co_name")?))
    };
    get().map_err(Raised::clear).ok()
}
