//! `sys` and `builtins` as the runtime itself needs them: their dictionaries, `sys.modules`, the start-up configuration,
//! audit hooks.
//!
//! The modules are made on first use and live as long as their interpreter; `stdlib/core/sys.rs` fills `sys`, the interpreter fills `builtins`.
//! `modules()` is the dictionary the import system works with: it stays the same object when a program assigns `sys.modules`.

use crate::errors::*;
use crate::intern;
use crate::interpreter::Own;
use crate::kinds::*;
use crate::object::*;
use crate::thread::Thread;
use lh_abi::*;
use std::ffi::{OsString, c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, OnceLock};

/// What the command line, the environment and the machine say about this run. Filled in by the launcher (or an embedder).
#[derive(Clone, Debug)]
pub struct Config {
    pub debug: i32,
    pub inspect: bool,
    pub interactive: bool,
    pub optimize: i32,
    pub dont_write_bytecode: bool,
    pub no_user_site: bool,
    pub no_site: bool,
    pub ignore_environment: bool,
    pub verbose: i32,
    pub bytes_warning: i32,
    pub quiet: bool,
    pub hash_randomization: bool,
    pub isolated: bool,
    pub dev_mode: bool,
    pub utf8_mode: bool,
    pub warn_default_encoding: bool,
    pub safe_path: bool,
    pub int_max_str_digits: i32,
    pub unbuffered: bool,
    pub check_hash_based_pycs: String,
    pub executable: OsString,
    pub base_executable: OsString,
    pub prefix: OsString,
    pub base_prefix: OsString,
    pub exec_prefix: OsString,
    pub base_exec_prefix: OsString,
    pub stdlib_dir: Option<OsString>,
    pub home: Option<OsString>,
    pub module_search_paths: Vec<OsString>,
    pub argv: Vec<OsString>,
    pub orig_argv: Vec<OsString>,
    pub warnoptions: Vec<OsString>,
    /// Each import's time goes to stderr.
    pub import_time: bool,
    pub xoptions: Vec<(String, Option<String>)>,
    pub pycache_prefix: Option<OsString>,
    /// How many frames of each allocation to keep from the start on; 0: nothing is traced.
    pub tracemalloc: u16,
    /// Code objects have no columns.
    pub no_debug_ranges: bool,
    pub stdio_encoding: Option<String>,
    pub stdio_errors: Option<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            debug: 0,
            inspect: false,
            interactive: false,
            optimize: 0,
            dont_write_bytecode: false,
            no_user_site: false,
            no_site: false,
            ignore_environment: false,
            verbose: 0,
            bytes_warning: 0,
            quiet: false,
            hash_randomization: true,
            isolated: false,
            dev_mode: false,
            utf8_mode: false,
            warn_default_encoding: false,
            safe_path: false,
            int_max_str_digits: -1,
            unbuffered: false,
            check_hash_based_pycs: "default".into(),
            executable: OsString::new(),
            base_executable: OsString::new(),
            prefix: OsString::new(),
            base_prefix: OsString::new(),
            exec_prefix: OsString::new(),
            base_exec_prefix: OsString::new(),
            stdlib_dir: None,
            home: None,
            module_search_paths: vec![],
            argv: vec![],
            orig_argv: vec![],
            warnoptions: vec![],
            import_time: false,
            xoptions: vec![],
            pycache_prefix: None,
            tracemalloc: 0,
            no_debug_ranges: false,
            stdio_encoding: None,
            stdio_errors: None,
        }
    }
}

static CONFIG: OnceLock<Config> = OnceLock::new();

/// Installs the configuration; before any type is made. The first one stays.
pub fn set_config(c: Config) {
    if c.int_max_str_digits >= 0 {
        crate::intobject::set_max_str_digits(c.int_max_str_digits);
    }
    let _ = CONFIG.set(c);
}
/// The configuration of this run (CPython's defaults if nobody set one).
pub fn config() -> &'static Config {
    CONFIG.get_or_init(Config::default)
}

/// `sys.getdlopenflags()`.
pub static DLOPEN_FLAGS: AtomicI32 = AtomicI32::new(libc::RTLD_NOW);

static SYS: Own<Owned<Module>> = Own::new();
static BUILTINS: Own<Owned<Module>> = Own::new();
static MODULES: Own<Owned<Dict>> = Own::new();

/// The `sys` module, made on first use.
pub fn sys_module() -> &'static Module {
    SYS.get_or_init(|| Module::new("sys"))
}
/// The `builtins` module, made on first use.
pub fn builtins_module() -> &'static Module {
    BUILTINS.get_or_init(|| Module::new("builtins"))
}
/// The dictionary of `sys`, made on first use.
pub fn sys_dict() -> &'static Dict {
    sys_module().dict()
}
/// The dictionary of `builtins`.
pub fn builtins_dict() -> &'static Dict {
    builtins_module().dict()
}
/// The interpreter's dictionary of modules, which `sys.modules` starts as.
pub fn modules_dict() -> &'static Dict {
    MODULES.get_or_init(Dict::new)
}
/// `sys.modules` as an interpreter has it, active or not.
///
/// # Safety
/// A live interpreter; the GIL is held.
pub unsafe fn modules_of(i: *mut crate::interpreter::Interp) -> Option<&'static Dict> {
    // SAFETY: the caller's promise.
    unsafe { MODULES.of(i) }.map(|d| &**d)
}
/// `sys.modules`.
pub fn modules() -> Owned<Dict> {
    modules_dict().own()
}
/// `sys.NAME`, if set.
pub fn sys_get(name: &str) -> Option<Owned<Object>> {
    match sys_dict().get_str(name) {
        Ok(v) => v,
        Err(e) => {
            e.clear();
            None
        }
    }
}
pub fn sys_set(name: &str, value: &Object) -> PyResult<()> {
    sys_dict().set_str(name, value)
}

/// Flushes `sys.stdout` and `sys.stderr`, ignoring errors; whether `stdout` could be flushed.
///
/// A pending exception stays pending.
pub fn flush_std_files() -> bool {
    preserving(flush_both)
}
fn flush_both() -> bool {
    let mut ok = true;
    for name in ["stdout", "stderr"] {
        let Some(f) = sys_get(name).filter(|f| !f.is_none()) else { continue };
        let closed = f.get_attr_str_opt("closed").and_then(|c| match c {
            Some(c) => c.is_true(),
            None => Ok(false),
        });
        match closed {
            Ok(true) => continue,
            Ok(false) => {}
            Err(e) => e.clear(),
        }
        if let Err(e) = f.call_method("flush", &[]) {
            if name == "stdout" {
                drop(e);
                write_unraisable(Some(&f), None);
                ok = false;
            } else {
                e.clear();
            }
        }
    }
    ok
}

/// Writes text to `sys.stderr`, or to the process's if there is none; never raises, and keeps a pending exception.
pub fn write_stderr(text: &str) {
    preserving(|| write_text(text))
}
fn write_text(text: &str) {
    let written = sys_get("stderr").filter(|f| !f.is_none()).is_some_and(|f| {
        match f.call_method("write", &[Str::new(text).as_object()]) {
            Ok(_) => true,
            Err(e) => {
                e.clear();
                false
            }
        }
    });
    if !written {
        eprint!("{text}");
    }
}

// ---- Audit hooks ----

/// `Py_AuditHookFunction`.
pub type CAuditHook =
    unsafe extern "C" fn(event: *const c_char, args: *mut PyObject, data: *mut c_void) -> c_int;

static AUDITED: AtomicBool = AtomicBool::new(false);
static C_HOOKS: Mutex<Vec<(CAuditHook, usize)>> = Mutex::new(Vec::new());
static PY_HOOKS: Own<Owned<List>> = Own::new();

/// Is anybody listening? Lets callers skip making arguments.
#[inline]
pub fn is_audited() -> bool {
    AUDITED.load(Ordering::Relaxed)
}
/// `PySys_AddAuditHook`.
pub fn add_c_audit_hook(f: CAuditHook, data: *mut c_void) {
    C_HOOKS.lock().expect("never poisoned").push((f, data as usize));
    AUDITED.store(true, Ordering::Relaxed);
}
/// `sys.addaudithook(hook)`; the present hooks may forbid it by raising a `RuntimeError` subclass.
pub fn add_audit_hook(hook: &Object) -> PyResult<()> {
    if is_audited()
        && let Err(e) = audit("sys.addaudithook", &[])
    {
        if e.matches(crate::exceptions::exc::RuntimeError()) {
            e.clear();
            return Ok(());
        }
        return Err(e);
    }
    let hooks = PY_HOOKS.get_or_init(|| {
        let l = List::new();
        // SAFETY: a live list. `gc.get_objects()` is not to show it: who has it can take hooks away.
        unsafe { crate::gc::untrack(l.raw()) };
        l
    });
    hooks.push(hook.own());
    AUDITED.store(true, Ordering::Relaxed);
    Ok(())
}
/// Reports an event to every audit hook.
pub fn audit(event: &str, args: &[&Object]) -> PyResult<()> {
    if !is_audited() {
        return Ok(());
    }
    audit_tuple(event, &Tuple::from_refs(args))
}
pub fn audit_tuple(event: &str, args: &Tuple) -> PyResult<()> {
    if !is_audited() {
        return Ok(());
    }
    let hooks = C_HOOKS.lock().expect("never poisoned").clone();
    if !hooks.is_empty() {
        let name = std::ffi::CString::new(event).unwrap_or_default();
        for (f, data) in hooks {
            // SAFETY: the hook's registrant promised this signature; the arguments are live.
            if unsafe { f(name.as_ptr(), args.raw(), data as *mut c_void) } < 0 {
                return Err(if occurred() {
                    Raised::already_set()
                } else {
                    crate::raised!(RuntimeError, "audit hook failed")
                });
            }
        }
    }
    if let Some(list) = PY_HOOKS.get() {
        let name = Str::new(event);
        let mut i = 0;
        let mut untraced = Untraced::begin();
        while let Some(h) = list.get(i) {
            if untraced.0 && h.get_attr_opt(intern!("__cantrace__"))?.map_or(Ok(false), |o| o.is_true())? {
                drop(std::mem::replace(&mut untraced, Untraced(false)));
                h.call(&[&name, args])?;
                untraced = Untraced::begin();
            } else {
                h.call(&[&name, args])?;
            }
            i += 1;
        }
    }
    Ok(())
}

/// While it lives nothing is traced, if it holds true.
struct Untraced(bool);
impl Untraced {
    fn begin() -> Untraced {
        let ts = Thread::current_ptr();
        // SAFETY: the current thread's state.
        unsafe {
            if (*ts).c_tracefunc.is_none() && (*ts).c_profilefunc.is_none() {
                return Untraced(false);
            }
            (*ts).tracing += 1;
            (*(*ts).cframe).use_tracing = 0;
        }
        Untraced(true)
    }
}
impl Drop for Untraced {
    fn drop(&mut self) {
        if self.0 {
            let ts = Thread::current_ptr();
            // SAFETY: the current thread's state.
            unsafe {
                (*ts).tracing -= 1;
                (*(*ts).cframe).use_tracing = crate::thread::tracing_mask(ts);
            }
        }
    }
}
/// Reports that an attribute is about to be read, set (to `value`) or deleted, where that is more than data.
pub fn audit_attribute(event: &str, o: &Object, name: &str, value: Option<&Object>) -> PyResult<()> {
    if !is_audited() {
        return Ok(());
    }
    let name = Str::new(name);
    match value {
        Some(v) => audit(event, &[o, &name, v]),
        None => audit(event, &[o, &name]),
    }
}

// ---- What sys asks of the interpreter ----

/// Installed by the interpreter: tracing.
pub struct TraceHooks {
    /// `sys.settrace(f)`: stores it in the thread state and makes frames call it.
    pub set_trace: fn(Option<&Object>) -> PyResult<()>,
    pub set_profile: fn(Option<&Object>) -> PyResult<()>,
    /// The current frame object of a thread.
    pub frame_of: fn(*mut PyThreadState) -> Option<Owned<Object>>,
}
pub static TRACE_HOOKS: OnceLock<TraceHooks> = OnceLock::new();

/// The exception being handled in a thread (`sys.exception()`): the innermost entry of the handler stack that has one.
pub fn handled_exception_of(ts: *mut PyThreadState) -> Option<Owned<Object>> {
    // SAFETY: thread states and their stack items change only under the GIL.
    unsafe {
        let mut item = (*ts).exc_info;
        while !item.is_null() {
            let v = (*item).exc_value;
            if !v.is_null() && !Object::from_ptr(v).is_none() {
                return Some(Object::from_ptr(v).own());
            }
            item = (*item).previous_item;
        }
        None
    }
}
pub fn handled_exception() -> Option<Owned<Object>> {
    handled_exception_of(crate::thread::Thread::current_ptr())
}

/// An estimate of the memory blocks in use: the allocator reports bytes, a typical object takes 64 of them.
pub fn allocated_blocks() -> usize {
    let mut v = [0usize; 8];
    let [a, b, c, d, e, commit, g, h] = &mut v;
    // SAFETY: eight places to write to.
    unsafe { libmimalloc_sys::mi_process_info(a, b, c, d, e, commit, g, h) }
    v[5] / 64
}
