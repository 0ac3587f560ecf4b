//! The `sys` module. Its dictionary lives in `lh_runtime::sysobject`; `fill` puts everything into it that does not depend on
//! the import system, from the configuration the launcher made.

use super::{errdisplay, sys_info};
use lh_abi::*;
use lh_runtime::codecs;
use lh_runtime::hooks::hooks;
use lh_runtime::prelude::*;
use lh_runtime::structseq;
use lh_runtime::sysobject::{self, TRACE_HOOKS, config, sys_dict, sys_get};
use lh_runtime::thread::{self, Thread};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A file name or argument as `str`.
pub fn os_str(s: &OsStr) -> Owned<Object> {
    codecs::fs_decode(s.as_bytes()).into_object()
}
fn list_of<'a>(items: impl IntoIterator<Item = &'a std::ffi::OsString>) -> Owned<Object> {
    List::from_vec(items.into_iter().map(|s| os_str(s)).collect()).into_object()
}
fn opt_os(s: &Option<std::ffi::OsString>) -> Owned<Object> {
    s.as_deref().map_or_else(none, os_str)
}

// ---- Hooks and exit ----

/// Print an object to sys.stdout and also save it in builtins._
#[pyfunction(signature = "(object, /)")]
fn displayhook(object: &Object) -> PyResult<()> {
    if object.is_none() {
        return Ok(());
    }
    let builtins = sysobject::builtins_dict();
    builtins.set_item(intern!("_"), none_ref())?;
    let Some(out) = sys_get("stdout").filter(|o| !o.is_none()) else {
        return raise!(RuntimeError, "lost sys.stdout");
    };
    let text = object.repr()?;
    if let Err(e) = out.call_method("write", &[&text]) {
        if !e.matches(exc::UnicodeEncodeError()) {
            return Err(e);
        }
        e.clear();
        let encoding = out.get_attr_str("encoding")?.str()?;
        let encoded = codecs::encode(&text, encoding.to_str()?, "backslashreplace")?;
        match out.get_attr_str_opt("buffer")? {
            Some(b) => drop(b.call_method("write", &[&encoded])?),
            None => {
                let escaped = Buffer::simple(&encoded)?.to_vec();
                let s = codecs::decode(&escaped, encoding.to_str()?, "strict")?;
                out.call_method("write", &[&s])?;
            }
        }
    }
    out.call_method("write", &[intern!("\n")])?;
    builtins.set_item(intern!("_"), object)
}

/// Handle an exception by displaying it with a traceback on sys.stderr.
#[pyfunction(signature = "(exctype, value, traceback, /)")]
fn excepthook(_exctype: &Object, value: &Object, traceback: &Object) -> PyResult<()> {
    errdisplay::display(value, Some(traceback));
    Ok(())
}

/// The first `sys.stderr`, until `io` can be imported.
#[pyclass(name = "stderrprinter", no_new, nogc)]
struct StdPrinter {
    fd: std::cell::Cell<i32>,
}
#[pymethods]
impl StdPrinter {
    #[slot(tp_repr)]
    fn repr(&self) -> String {
        format!("<stdprinter(fd={}) object at {:p}>", self.fd.get(), self.as_ptr())
    }
    #[pymethod]
    fn write(&self, text: &Str) -> usize {
        let b = text.to_str_lossy().into_owned();
        // SAFETY: a plain write to an open or closed descriptor.
        let n = unsafe { libc::write(self.fd.get(), b.as_ptr().cast(), b.len()) };
        n.max(0) as usize
    }
    #[pymethod]
    fn fileno(&self) -> i32 {
        self.fd.get()
    }
    #[pymethod]
    fn isatty(&self) -> bool {
        // SAFETY: a query about a descriptor.
        unsafe { libc::isatty(self.fd.get()) != 0 }
    }
    #[pymethod]
    fn flush(&self) {}
    #[pymethod]
    fn close(&self) {}
    #[getter]
    fn closed(&self) -> bool {
        false
    }
    #[getter]
    fn encoding(&self) {}
    #[getter]
    fn mode(&self) -> &'static str {
        "w"
    }
}

/// Handle an unraisable exception.
///
/// The unraisable argument has the attributes exc_type, exc_value, exc_traceback, err_msg and object.
#[pyfunction(signature = "(unraisable, /)")]
fn unraisablehook(unraisable: &Object) -> PyResult<()> {
    let right = sysobject::sys_get("UnraisableHookArgs").is_none_or(|t| unraisable.ty().is(&*t));
    if !right {
        return raise!(TypeError, "sys.unraisablehook argument type must be UnraisableHookArgs");
    }
    errdisplay::display_unraisable(unraisable)
}

/// breakpointhook(*args, **kws)
///
/// This hook function is called by built-in breakpoint().
#[pyfunction(raw)]
fn breakpointhook(args: lh_runtime::args::Args<'_>) -> PyResult {
    let name = if config().ignore_environment { None } else { std::env::var("PYTHONBREAKPOINT").ok() };
    let name = name.filter(|n| !n.is_empty()).unwrap_or_else(|| "pdb.set_trace".into());
    if name == "0" {
        return Ok(none());
    }
    let (module, attr) = match name.rsplit_once('.') {
        Some(x) => x,
        None => ("builtins", name.as_str()),
    };
    let found = if module.is_empty() {
        raise!(ModuleNotFoundError, "No module named ''")
    } else {
        lh_runtime::import::import_module(module).and_then(|m| m.get_attr_str(attr))
    };
    let f = match found {
        Ok(f) => f,
        Err(e) if e.matches(exc::ImportError()) || e.matches(exc::AttributeError()) => {
            e.clear();
            let text = format!("Ignoring unimportable $PYTHONBREAKPOINT: \"{name}\"");
            lh_runtime::warnings::warn(exc::RuntimeWarning(), &text, 0)?;
            return Ok(none());
        }
        Err(e) => return Err(e),
    };
    let pos = Tuple::from_vec(args.iter().map(|a| a.own()).collect());
    let kw = Dict::new();
    for (k, v) in args.kwargs() {
        kw.set_item(k, v)?;
    }
    f.call_tuple(&pos, Some(&kw))
}

/// Exit the interpreter by raising SystemExit(status).
///
/// An omitted or None status means success; an int is the exit status; any other object is printed and the status is one.
#[pyfunction(signature = "(status=None, /)")]
fn exit(status: Option<&Object>) -> PyResult<()> {
    Err(set_object(exc::SystemExit(), Some(status.map_or_else(none, |s| s.own()))))
}

/// Return current exception information: (type, value, traceback).
#[pyfunction]
fn exc_info() -> PyResult<Owned<Tuple>> {
    Ok(match sysobject::handled_exception() {
        Some(e) => {
            let tb = e.get_attr_str("__traceback__")?;
            Tuple::from_vec(vec![e.ty().own().into_object(), e.clone(), tb])
        }
        None => Tuple::from_vec(vec![none(), none(), none()]),
    })
}
/// Return the current exception.
#[pyfunction]
fn exception() -> Option<Owned<Object>> {
    sysobject::handled_exception()
}

// ---- Audit ----

/// audit(event, *args)
///
/// Passes the event to any hooks that are attached.
#[pyfunction(raw)]
fn audit(args: lh_runtime::args::Args<'_>) -> PyResult<()> {
    args.no_kwargs("audit")?;
    let Some(event) = args.get(0) else {
        return raise!(TypeError, "audit() missing 1 required positional argument: 'event'");
    };
    let Some(name) = event.downcast::<Str>() else {
        let got = event.ty().name();
        return raise!(TypeError, "expected str for argument 'event', not {}", got);
    };
    if !sysobject::is_audited() {
        return Ok(());
    }
    let rest = Tuple::from_vec(args.iter().skip(1).map(|a| a.own()).collect());
    sysobject::audit_tuple(name.to_str()?, &rest)
}
/// Adds a new audit hook callback.
#[pyfunction(signature = "(hook)")]
fn addaudithook(hook: &Object) -> PyResult<()> {
    sysobject::add_audit_hook(hook)
}

// ---- Frames, tracing ----

fn current_frame() -> Option<Owned<Object>> {
    (hooks().current_frame)()
}
/// Return a frame object from the call stack, `depth` calls below the top.
#[pyfunction(signature = "(depth=0, /)")]
fn _getframe(depth: i32) -> PyResult {
    let mut f = current_frame();
    let mut left = depth;
    while left > 0
        && let Some(x) = f
    {
        f = Some(x.get_attr_str("f_back")?).filter(|b| !b.is_none());
        left -= 1;
    }
    let Some(f) = f else { return raise!(ValueError, "call stack is not deep enough") };
    sysobject::audit("sys._getframe", &[&f])?;
    Ok(f)
}
/// Return a dict mapping each thread's id to its current stack frame.
#[pyfunction]
fn _current_frames() -> PyResult<Owned<Dict>> {
    sysobject::audit("sys._current_frames", &[])?;
    let d = Dict::new();
    let mut states = vec![];
    thread::for_each(|ts| states.push(ts));
    for ts in states {
        let frame = match TRACE_HOOKS.get() {
            Some(h) => (h.frame_of)(ts),
            None if ts == Thread::current_ptr() => current_frame(),
            None => None,
        };
        if let Some(f) = frame {
            // SAFETY: thread states are freed only under the GIL.
            d.set_item(&Int::from_u64(unsafe { (*ts).thread_id }), &f)?;
        }
    }
    Ok(d)
}
/// Return a dict mapping each thread's id to the exception it is handling.
#[pyfunction]
fn _current_exceptions() -> PyResult<Owned<Dict>> {
    sysobject::audit("sys._current_exceptions", &[])?;
    let d = Dict::new();
    let mut states = vec![];
    thread::for_each(|ts| states.push(ts));
    for ts in states {
        let e = match sysobject::handled_exception_of(ts) {
            None => Tuple::from_vec(vec![none(), none(), none()]),
            Some(e) => {
                let tb = e.get_attr(intern!("__traceback__"))?;
                Tuple::from_vec(vec![e.ty().own().into_object(), e.into_object(), tb])
            }
        };
        // SAFETY: thread states are freed only under the GIL.
        d.set_item(&Int::from_u64(unsafe { (*ts).thread_id }), &e)?;
    }
    Ok(d)
}
fn trace_hooks() -> PyResult<&'static sysobject::TraceHooks> {
    match TRACE_HOOKS.get() {
        Some(h) => Ok(h),
        None => raise!(SystemError, "the interpreter offers no tracing"),
    }
}
/// settrace(function)
///
/// Set the global debug tracing function. It is called on each function call.
#[pyfunction(name = "settrace")]
fn settrace(function: &Object) -> PyResult<()> {
    sysobject::audit("sys.settrace", &[])?;
    (trace_hooks()?.set_trace)(if function.is_none() { None } else { Some(function) })
}
/// Return the global debug tracing function set with sys.settrace.
#[pyfunction]
fn gettrace() -> Option<Owned<Object>> {
    // SAFETY: the current thread state's field is null or a live object.
    unsafe { Object::from_ptr_opt((*Thread::current_ptr()).c_traceobj).map(|o| o.own()) }
}
/// setprofile(function)
///
/// Set the profiling function. It is called on each function call and return.
#[pyfunction]
fn setprofile(function: &Object) -> PyResult<()> {
    sysobject::audit("sys.setprofile", &[])?;
    (trace_hooks()?.set_profile)(if function.is_none() { None } else { Some(function) })
}
/// Return the profiling function set with sys.setprofile.
#[pyfunction]
fn getprofile() -> Option<Owned<Object>> {
    // SAFETY: the current thread state's field is null or a live object.
    unsafe { Object::from_ptr_opt((*Thread::current_ptr()).c_profileobj).map(|o| o.own()) }
}
/// Call func(*args), while tracing is enabled.
#[pyfunction(signature = "(func, args, /)")]
fn call_tracing(func: &Object, args: &Tuple) -> PyResult {
    let ts = Thread::current_ptr();
    // SAFETY: the current thread state and its innermost cframe are ours while the GIL is held.
    unsafe {
        let (tracing, using) = ((*ts).tracing, (*(*ts).cframe).use_tracing);
        (*ts).tracing = 0;
        (*(*ts).cframe).use_tracing = lh_runtime::thread::tracing_mask(ts);
        let r = func.call_tuple(args, None);
        (*ts).tracing = tracing;
        (*(*ts).cframe).use_tracing = using;
        r
    }
}

// ---- Limits and intervals ----

/// Return the current value of the recursion limit.
#[pyfunction]
fn getrecursionlimit() -> i32 {
    Thread::recursion_limit()
}
/// Set the maximum depth of the Python interpreter stack.
#[pyfunction(signature = "(limit, /)")]
fn setrecursionlimit(limit: i32) -> PyResult<()> {
    if limit < 1 {
        return raise!(ValueError, "recursion limit must be greater or equal than 1");
    }
    let ts = Thread::current_ptr();
    // SAFETY: the current thread state is ours while the GIL is held.
    let depth = unsafe { (*ts).recursion_limit - (*ts).recursion_remaining };
    if depth >= limit {
        return raise!(
            RecursionError,
            "cannot set the recursion limit to {} at the recursion depth {}: the limit is too low",
            limit,
            depth
        );
    }
    Thread::set_recursion_limit(limit);
    Ok(())
}
/// Return the current thread switch interval in seconds.
#[pyfunction]
fn getswitchinterval() -> f64 {
    thread::SWITCH_INTERVAL_US.load(Ordering::Relaxed) as f64 * 1e-6
}
/// Set the ideal thread switching delay, in seconds.
#[pyfunction(signature = "(interval, /)")]
fn setswitchinterval(interval: f64) -> PyResult<()> {
    if interval <= 0.0 {
        return raise!(ValueError, "switch interval must be strictly positive");
    }
    thread::SWITCH_INTERVAL_US.store(((interval * 1e6) as u64).max(1), Ordering::Relaxed);
    Ok(())
}
/// Return the maximum string digits limit for non-binary int<->str conversions.
#[pyfunction]
fn get_int_max_str_digits() -> i32 {
    lh_runtime::intobject::max_str_digits()
}
/// Set the maximum string digits limit for non-binary int<->str conversions.
#[pyfunction(signature = "(maxdigits)")]
fn set_int_max_str_digits(maxdigits: i32) -> PyResult<()> {
    if maxdigits != 0 && maxdigits < 640 {
        return raise!(ValueError, "maxdigits must be 0 or larger than 640");
    }
    lh_runtime::intobject::set_max_str_digits(maxdigits);
    Ok(())
}
/// Return the current value of the flags that are used for dlopen calls.
#[pyfunction]
fn getdlopenflags() -> i32 {
    sysobject::DLOPEN_FLAGS.load(Ordering::Relaxed)
}
/// Set the flags used by the interpreter for dlopen calls.
#[pyfunction(signature = "(flags, /)")]
fn setdlopenflags(flags: i32) {
    sysobject::DLOPEN_FLAGS.store(flags, Ordering::Relaxed)
}

// ---- Objects and memory ----

/// Return the reference count of object, the argument's own reference included.
#[pyfunction(signature = "(object, /)")]
fn getrefcount(object: &Object) -> isize {
    object.refcnt()
}
/// getsizeof(object [, default]) -> int
///
/// Return the size of object in bytes.
#[pyfunction(signature = "(object, default=<unrepresentable>)")]
fn getsizeof(object: &Object, default: Option<&Object>) -> PyResult {
    let size = || -> PyResult {
        let Some(f) = object.lookup_special(intern!("__sizeof__"))? else {
            return raise!(TypeError, "Type {} doesn't define __sizeof__", object.ty().name());
        };
        let n = f.call0()?;
        let Some(n) = n.downcast::<Int>() else {
            return raise!(TypeError, "'{}' object cannot be interpreted as an integer", n.ty().name());
        };
        let Some(n) = n.to_i128().and_then(|v| isize::try_from(v).ok()) else {
            return raise!(OverflowError, "Python int too large to convert to C ssize_t");
        };
        if n < 0 {
            return raise!(ValueError, "__sizeof__() should return >= 0");
        }
        // SAFETY: a live object.
        let gc = if unsafe { lh_runtime::gc::is_gc_object(object.as_ptr()) } { 16 } else { 0 };
        let managed = if object.ty().has_flag(Py_TPFLAGS_MANAGED_DICT) { 16 } else { 0 };
        Ok(Int::from_u64(n as u64 + gc + managed).into_object())
    };
    match (size(), default) {
        (Err(e), Some(d)) if e.matches(exc::TypeError()) => {
            e.clear();
            Ok(d.own())
        }
        (r, _) => r,
    }
}
/// Intern the given string: one object for all equal interned strings.
#[pyfunction(signature = "(string, /)")]
fn intern(string: &Str) -> PyResult<Owned<Str>> {
    if !string.is_exact::<Str>() {
        return raise!(TypeError, "can't intern {}", string.ty().name());
    }
    Ok(Str::intern(string.own()))
}
/// Return the number of memory blocks currently allocated by this thread's heap.
#[pyfunction]
fn getallocatedblocks() -> usize {
    lh_runtime::sysobject::allocated_blocks()
}
/// Print memory statistics to stderr.
#[pyfunction]
fn _debugmallocstats() {
    eprintln!("{} blocks allocated", lh_runtime::sysobject::allocated_blocks());
}
/// Clear the internal type lookup cache.
#[pyfunction]
fn _clear_type_cache() {}
/// Return True if the interpreter is being shut down.
#[pyfunction]
fn is_finalizing() -> bool {
    thread::is_finalizing()
}

// ---- Encodings ----

/// Return the current default encoding used by the Unicode implementation.
#[pyfunction]
fn getdefaultencoding() -> &'static str {
    "utf-8"
}
/// Return the encoding used to convert Unicode filenames to OS filenames.
#[pyfunction]
fn getfilesystemencoding() -> &'static str {
    "utf-8"
}
/// Return the error mode used for Unicode to OS filename conversion.
#[pyfunction]
fn getfilesystemencodeerrors() -> &'static str {
    "surrogateescape"
}

// ---- Coroutines ----

/// Enable or disable origin tracking for coroutine objects in this thread.
#[pyfunction(signature = "(depth)")]
fn set_coroutine_origin_tracking_depth(depth: i32) -> PyResult<()> {
    if depth < 0 {
        return raise!(ValueError, "depth must be >= 0");
    }
    // SAFETY: the current thread state is ours while the GIL is held.
    unsafe { (*Thread::current_ptr()).coroutine_origin_tracking_depth = depth }
    Ok(())
}
/// Check status of origin tracking for coroutine objects in this thread.
#[pyfunction]
fn get_coroutine_origin_tracking_depth() -> i32 {
    // SAFETY: as above.
    unsafe { (*Thread::current_ptr()).coroutine_origin_tracking_depth }
}
static ASYNCGEN_HOOKS_TYPE: AtomicPtr<PyObject> = AtomicPtr::new(std::ptr::null_mut());
/// Return the installed asynchronous generators hooks.
#[pyfunction]
fn get_asyncgen_hooks() -> PyResult<Owned<Tuple>> {
    let mut t = ASYNCGEN_HOOKS_TYPE.load(Ordering::Relaxed);
    if t.is_null() {
        t = structseq::new_type(
            "asyncgen_hooks",
            "The hooks of asynchronous generators.",
            &[
                ("firstiter", "called before the first iteration"),
                ("finalizer", "called when one is about to be freed"),
            ],
            2,
        )?
        .into_raw();
        ASYNCGEN_HOOKS_TYPE.store(t, Ordering::Relaxed);
    }
    // SAFETY: the type is kept for ever; thread state fields are null or live objects.
    unsafe {
        let ts = Thread::current_ptr();
        let get = |p: *mut PyObject| Object::from_ptr_opt(p).map_or_else(none, |o| o.own());
        let v = vec![get((*ts).async_gen_firstiter), get((*ts).async_gen_finalizer)];
        Ok(structseq::new(Object::from_ptr(t).downcast_unchecked::<Type>(), v))
    }
}
/// set_asyncgen_hooks(* [, firstiter] [, finalizer])
///
/// Set a finalizer for async generators objects.
#[pyfunction(signature = "(firstiter=<unrepresentable>, finalizer=<unrepresentable>)")]
fn set_asyncgen_hooks(firstiter: Option<&Object>, finalizer: Option<&Object>) -> PyResult<()> {
    for (f, what) in [(finalizer, "finalizer"), (firstiter, "firstiter")] {
        if let Some(f) = f
            && !f.is_none()
            && !f.is_callable()
        {
            return raise!(TypeError, "callable {} expected, got {}", what, f.ty().name());
        }
    }
    let put = |place: *mut *mut PyObject, f: Option<&Object>| {
        if let Some(f) = f {
            let new = if f.is_none() { std::ptr::null_mut() } else { f.own().into_raw() };
            // SAFETY: the field owns its reference; the old one is dropped after the new one is in place.
            unsafe { xdecref(std::mem::replace(&mut *place, new)) }
        }
    };
    let ts = Thread::current_ptr();
    if finalizer.is_some() {
        sysobject::audit("sys.set_asyncgen_hooks_finalizer", &[])?;
    }
    if firstiter.is_some() {
        sysobject::audit("sys.set_asyncgen_hooks_firstiter", &[])?;
    }
    // SAFETY: the current thread state is ours while the GIL is held.
    unsafe {
        put(&raw mut (*ts).async_gen_finalizer, finalizer);
        put(&raw mut (*ts).async_gen_firstiter, firstiter);
    }
    Ok(())
}

// ---- The module ----

const DOC: &str =
    "Objects used or maintained by the interpreter, and functions that interact strongly with it.";

/// Makes a `types.SimpleNamespace`.
pub fn namespace(items: &[(&str, &Object)]) -> PyResult {
    // SAFETY: a static type object.
    let t = unsafe { Type::from_raw_ref(&raw mut lh_runtime::type_table::_PyNamespace_Type) };
    t.call_kw(&[], items)
}

/// Fills the `sys` dictionary. Called once, when the built-in types are ready.
pub fn fill() -> PyResult<()> {
    let m = sysobject::sys_module();
    let d = sys_dict();
    m.set_doc(DOC)?;
    m.add_functions(vec![
        displayhook::def(),
        excepthook::def(),
        unraisablehook::def(),
        breakpointhook::def(),
        exit::def(),
        exc_info::def(),
        exception::def(),
        audit::def(),
        addaudithook::def(),
        _getframe::def(),
        _current_frames::def(),
        _current_exceptions::def(),
        settrace::def(),
        gettrace::def(),
        setprofile::def(),
        getprofile::def(),
        call_tracing::def(),
        getrecursionlimit::def(),
        setrecursionlimit::def(),
        getswitchinterval::def(),
        setswitchinterval::def(),
        get_int_max_str_digits::def(),
        set_int_max_str_digits::def(),
        getdlopenflags::def(),
        setdlopenflags::def(),
        getrefcount::def(),
        getsizeof::def(),
        intern::def(),
        getallocatedblocks::def(),
        _debugmallocstats::def(),
        _clear_type_cache::def(),
        is_finalizing::def(),
        getdefaultencoding::def(),
        getfilesystemencoding::def(),
        getfilesystemencodeerrors::def(),
        set_coroutine_origin_tracking_depth::def(),
        get_coroutine_origin_tracking_depth::def(),
        get_asyncgen_hooks::def(),
        set_asyncgen_hooks::def(),
    ])?;
    for n in ["displayhook", "excepthook", "unraisablehook", "breakpointhook"] {
        let f = m.get(n)?;
        d.set_str(&format!("__{n}__"), &f)?;
    }
    let hook_args = lh_runtime::structseq::new_type(
        "UnraisableHookArgs",
        "UnraisableHookArgs\n\nType used to pass arguments to sys.unraisablehook.",
        &[
            ("exc_type", "Exception type"),
            ("exc_value", "Exception value"),
            ("exc_traceback", "Exception traceback"),
            ("err_msg", "Error message"),
            ("object", "Object causing the exception"),
        ],
        5,
    )?;
    d.set_str("UnraisableHookArgs", &hook_args)?;
    ready::<StdPrinter>()?;
    let printer = StdPrinter { fd: std::cell::Cell::new(2) }.build();
    d.set_str("stderr", &printer)?;
    d.set_str("__stderr__", &printer)?;
    let c = config();
    let text = |s: &str| Str::new(s).into_object();
    let int = |v: i64| Int::from_i64(v).into_object();
    let version_info = sys_info::version_info()?.into_object();
    let mut rows: Vec<(&str, Owned<Object>)> = vec![
        ("flags", sys_info::flags()?.into_object()),
        ("float_info", sys_info::float_info()?.into_object()),
        ("int_info", sys_info::int_info()?.into_object()),
        ("hash_info", sys_info::hash_info()?.into_object()),
        ("thread_info", sys_info::thread_info()?.into_object()),
        ("version", text(&sys_info::version_text())),
        ("version_info", version_info.clone()),
        ("hexversion", int(sys_info::HEXVERSION)),
        ("api_version", int(1013)),
        (
            "copyright",
            text(
                "Copyright (c) the Lancehead authors.\nPython is a trademark of the Python Software Foundation.",
            ),
        ),
        ("platform", text("linux")),
        ("byteorder", text(if cfg!(target_endian = "little") { "little" } else { "big" })),
        ("maxsize", int(i64::MAX)),
        ("maxunicode", int(0x10ffff)),
        ("float_repr_style", text("short")),
        ("executable", os_str(&c.executable)),
        ("_base_executable", os_str(&c.base_executable)),
        ("prefix", os_str(&c.prefix)),
        ("base_prefix", os_str(&c.base_prefix)),
        ("exec_prefix", os_str(&c.exec_prefix)),
        ("base_exec_prefix", os_str(&c.base_exec_prefix)),
        ("platlibdir", text("lib")),
        ("abiflags", text("")),
        ("_framework", text("")),
        ("_home", opt_os(&c.home)),
        ("_stdlib_dir", opt_os(&c.stdlib_dir)),
        ("pycache_prefix", opt_os(&c.pycache_prefix)),
        ("dont_write_bytecode", bool_obj(c.dont_write_bytecode)),
        ("_git", Tuple::from_vec(vec![text("Lancehead"), text(""), text("")]).into_object()),
    ];
    let names = List::from_vec(sys_info::STDLIB_NAMES.split_whitespace().map(text).collect());
    rows.push(("stdlib_module_names", FrozenSet::from_iterable(&names)?.into_object()));
    let builtin: Vec<Owned<Object>> = super::imp::builtin_names().iter().map(|n| text(n)).collect();
    rows.push(("builtin_module_names", Tuple::from_vec(builtin).into_object()));
    let hex = int(sys_info::HEXVERSION);
    let multiarch = format!("{}-linux-gnu", std::env::consts::ARCH);
    rows.push((
        "implementation",
        namespace(&[
            ("name", &text("cpython")),
            ("cache_tag", &text("cpython-311")),
            ("version", &version_info),
            ("hexversion", &hex),
            ("_multiarch", &text(&multiarch)),
            ("lancehead", &text(sys_info::LANCEHEAD)),
        ])?,
    ));
    for (k, v) in rows.into_iter().chain(own_rows()?) {
        d.set_str(k, &v)?;
    }
    Ok(())
}
/// What every interpreter begins with for itself.
fn own_rows() -> PyResult<Vec<(&'static str, Owned<Object>)>> {
    let c = config();
    let x = Dict::new();
    for (k, v) in &c.xoptions {
        let v = v.as_ref().map_or_else(|| bool_obj(true), |v| Str::new(v).into_object());
        x.set_str(k, &v)?;
    }
    Ok(vec![
        ("modules", sysobject::modules().into_object()),
        ("path", list_of(&c.module_search_paths)),
        ("argv", list_of(&c.argv)),
        ("orig_argv", list_of(&c.orig_argv)),
        ("meta_path", List::new().into_object()),
        ("path_hooks", List::new().into_object()),
        ("path_importer_cache", Dict::new().into_object()),
        ("warnoptions", list_of(&c.warnoptions)),
        ("_xoptions", x.into_object()),
    ])
}
/// Fills the `sys` of another interpreter than the main one, whose own was like `first` when it was new.
pub fn fill_again(first: &Dict) -> PyResult<()> {
    sysobject::sys_module().refill(first)?;
    for (k, v) in own_rows()? {
        sys_dict().set_str(k, &v)?;
    }
    Ok(())
}

/// `sys` for the table of built-in modules: there is one.
pub fn make() -> PyResult<Owned<Module>> {
    Ok(sysobject::sys_module().own())
}
