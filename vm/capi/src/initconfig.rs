//! `cpython/initconfig.h`: `PyConfig`, read from and turned into dictionaries by one table of its fields.
//!
//! The VM starts itself; a `PyConfig` describes the running program to C code (`_PyInterpreterState_GetConfig`) and can be filled and
//! freed by embedders, but does not start anything.

use crate::prelude::*;
use lh_runtime::sysobject::{self, config};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// `PyStatus`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Status {
    /// 0 fine, 1 error, 2 exit.
    kind: c_int,
    func: *const c_char,
    message: *const c_char,
    exitcode: c_int,
}
const FINE: Status = Status { kind: 0, func: null(), message: null(), exitcode: 0 };
fn error(message: &'static CStr) -> Status {
    Status { kind: 1, message: message.as_ptr(), ..FINE }
}

/// `PyConfig`: its fields are reached through `FIELDS`.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct Config([u8; 424]);

#[derive(Clone, Copy, PartialEq)]
enum Field {
    Num,
    Long,
    /// A wide string that is never `None` in a dictionary.
    Wide,
    /// A wide string or null.
    MaybeWide,
    Items,
}
use Field::{Items, Long, MaybeWide, Num, Wide};

const FIELDS: &[(&str, usize, Field)] = &[
    ("_config_init", 0, Num),
    ("isolated", 4, Num),
    ("use_environment", 8, Num),
    ("dev_mode", 12, Num),
    ("install_signal_handlers", 16, Num),
    ("use_hash_seed", 20, Num),
    ("hash_seed", 24, Long),
    ("faulthandler", 32, Num),
    ("tracemalloc", 36, Num),
    ("import_time", 40, Num),
    ("code_debug_ranges", 44, Num),
    ("show_ref_count", 48, Num),
    ("dump_refs", 52, Num),
    ("dump_refs_file", 56, MaybeWide),
    ("malloc_stats", 64, Num),
    ("filesystem_encoding", 72, Wide),
    ("filesystem_errors", 80, Wide),
    ("pycache_prefix", 88, MaybeWide),
    ("parse_argv", 96, Num),
    ("orig_argv", 104, Items),
    ("argv", 120, Items),
    ("xoptions", 136, Items),
    ("warnoptions", 152, Items),
    ("site_import", 168, Num),
    ("bytes_warning", 172, Num),
    ("warn_default_encoding", 176, Num),
    ("inspect", 180, Num),
    ("interactive", 184, Num),
    ("optimization_level", 188, Num),
    ("parser_debug", 192, Num),
    ("write_bytecode", 196, Num),
    ("verbose", 200, Num),
    ("quiet", 204, Num),
    ("user_site_directory", 208, Num),
    ("configure_c_stdio", 212, Num),
    ("buffered_stdio", 216, Num),
    ("stdio_encoding", 224, Wide),
    ("stdio_errors", 232, Wide),
    ("check_hash_pycs_mode", 240, Wide),
    ("use_frozen_modules", 248, Num),
    ("safe_path", 252, Num),
    ("pathconfig_warnings", 256, Num),
    ("program_name", 264, Wide),
    ("pythonpath_env", 272, MaybeWide),
    ("home", 280, MaybeWide),
    ("platlibdir", 288, Wide),
    ("module_search_paths_set", 296, Num),
    ("module_search_paths", 304, Items),
    ("stdlib_dir", 320, MaybeWide),
    ("executable", 328, Wide),
    ("base_executable", 336, Wide),
    ("prefix", 344, Wide),
    ("base_prefix", 352, Wide),
    ("exec_prefix", 360, Wide),
    ("base_exec_prefix", 368, Wide),
    ("skip_source_first_line", 376, Num),
    ("run_command", 384, MaybeWide),
    ("run_module", 392, MaybeWide),
    ("run_filename", 400, MaybeWide),
    ("_install_importlib", 408, Num),
    ("_init_main", 412, Num),
    ("_isolated_interpreter", 416, Num),
    ("_is_python_build", 420, Num),
];

/// A wide string that `PyMem_RawFree` frees.
fn wide(s: &OsStr) -> *mut u32 {
    wide_str(&lh_runtime::codecs::fs_decode(s.as_bytes()))
}
fn wide_str(s: &Str) -> *mut u32 {
    let p = lh_runtime::alloc::malloc(4 * (s.len() + 1)).cast::<u32>();
    // SAFETY: room for the characters and a zero.
    unsafe {
        for (i, c) in s.chars().enumerate() {
            p.add(i).write(c);
        }
        p.add(s.len()).write(0);
    }
    p
}
/// # Safety
/// `p` is a wide string or null.
unsafe fn text_of(p: *const u32) -> Owned<Object> {
    if p.is_null() {
        return none();
    }
    // SAFETY: the caller's promise.
    unsafe {
        let n = (0..).take_while(|i| *p.add(*i) != 0).count();
        Str::from_code_points(std::slice::from_raw_parts(p, n)).into_object()
    }
}

impl Config {
    const EMPTY: Config = Config([0; 424]);
    fn at<T>(&mut self, offset: usize) -> *mut T {
        self.0[offset..].as_mut_ptr().cast()
    }
    fn field(name: &str) -> (usize, Field) {
        FIELDS.iter().find(|f| f.0 == name).map(|f| (f.1, f.2)).expect("a field of the table")
    }
    fn int(&mut self, name: &str, v: impl Into<i32>) {
        let (o, _) = Config::field(name);
        // SAFETY: the table's offsets lie within the struct, aligned.
        unsafe { *self.at::<c_int>(o) = v.into() }
    }
    fn text(&mut self, name: &str, v: impl AsRef<OsStr>) {
        let (o, _) = Config::field(name);
        // SAFETY: as above.
        unsafe { *self.at::<*mut u32>(o) = wide(v.as_ref()) }
    }
    fn list<T: AsRef<OsStr>>(&mut self, name: &str, v: impl IntoIterator<Item = T>) {
        let items: Vec<*mut u32> = v.into_iter().map(|s| wide(s.as_ref())).collect();
        self.list_raw(Config::field(name).0, &items)
    }
    fn list_raw(&mut self, offset: usize, items: &[*mut u32]) {
        // SAFETY: as above; the array is as long as the items.
        unsafe {
            let p = lh_runtime::alloc::malloc(8 * items.len()).cast::<*mut u32>();
            p.copy_from_nonoverlapping(items.as_ptr(), items.len());
            *self.at::<isize>(offset) = items.len() as isize;
            *self.at::<*mut *mut u32>(offset + 8) = p;
        }
    }
    /// What an embedder starts from.
    fn defaults(isolated: bool) -> Config {
        let mut c = Config::EMPTY;
        c.int("_config_init", if isolated { 3 } else { 2 });
        c.int("isolated", isolated);
        c.int("use_environment", !isolated);
        c.int("dev_mode", if isolated { 0 } else { -1 });
        for name in ["install_signal_handlers", "parse_argv", "configure_c_stdio", "pathconfig_warnings"] {
            c.int(name, !isolated);
        }
        for name in ["faulthandler", "tracemalloc", "use_hash_seed"] {
            c.int(name, if isolated { 0 } else { -1 });
        }
        for name in [
            "code_debug_ranges",
            "site_import",
            "write_bytecode",
            "buffered_stdio",
            "_install_importlib",
            "_init_main",
        ] {
            c.int(name, 1);
        }
        c.int("user_site_directory", !isolated);
        c.int("safe_path", isolated);
        c.int("use_frozen_modules", 1);
        c
    }
    /// The running program.
    fn running() -> Config {
        let r = config();
        let mut c = Config::defaults(false);
        for (name, v) in [
            ("isolated", r.isolated),
            ("use_environment", !r.ignore_environment),
            ("dev_mode", r.dev_mode),
            ("site_import", !r.no_site),
            ("warn_default_encoding", r.warn_default_encoding),
            ("inspect", r.inspect),
            ("interactive", r.interactive),
            ("write_bytecode", !r.dont_write_bytecode),
            ("quiet", r.quiet),
            ("user_site_directory", !r.no_user_site),
            ("buffered_stdio", !r.unbuffered),
            ("safe_path", r.safe_path),
            ("use_hash_seed", !r.hash_randomization),
            ("module_search_paths_set", true),
            ("faulthandler", false),
            ("tracemalloc", false),
        ] {
            c.int(name, v);
        }
        c.int("bytes_warning", r.bytes_warning);
        c.int("optimization_level", r.optimize);
        c.int("verbose", r.verbose);
        c.int("parser_debug", r.debug);
        for (name, v) in [
            ("executable", &r.executable),
            ("base_executable", &r.base_executable),
            ("prefix", &r.prefix),
            ("base_prefix", &r.base_prefix),
            ("exec_prefix", &r.exec_prefix),
            ("base_exec_prefix", &r.base_exec_prefix),
        ] {
            c.text(name, v);
        }
        for (name, v) in
            [("home", &r.home), ("stdlib_dir", &r.stdlib_dir), ("pycache_prefix", &r.pycache_prefix)]
        {
            if let Some(v) = v {
                c.text(name, v);
            }
        }
        c.text("program_name", r.orig_argv.first().unwrap_or(&r.executable));
        c.text("filesystem_encoding", "utf-8");
        c.text("filesystem_errors", "surrogateescape");
        c.text("stdio_encoding", r.stdio_encoding.as_deref().unwrap_or("utf-8"));
        c.text("stdio_errors", r.stdio_errors.as_deref().unwrap_or("strict"));
        c.text("check_hash_pycs_mode", &r.check_hash_based_pycs);
        c.text("platlibdir", "lib");
        c.list("argv", &r.argv);
        c.list("orig_argv", &r.orig_argv);
        c.list("warnoptions", &r.warnoptions);
        c.list("module_search_paths", &r.module_search_paths);
        c.list(
            "xoptions",
            r.xoptions.iter().map(|(k, v)| match v {
                Some(v) => format!("{k}={v}"),
                None => k.clone(),
            }),
        );
        c
    }
    /// # Safety
    /// The struct is a filled one.
    unsafe fn as_dict(&mut self) -> PyResult<Owned<Dict>> {
        let d = Dict::new();
        for &(name, o, kind) in FIELDS {
            // SAFETY: the table's kinds are the struct's.
            let v = unsafe {
                match kind {
                    Num => Int::from_i64(*self.at::<c_int>(o) as i64).into_object(),
                    Long => Int::from_u64(*self.at::<u64>(o)).into_object(),
                    Wide | MaybeWide => text_of(*self.at::<*mut u32>(o)),
                    Items => {
                        let n = *self.at::<isize>(o);
                        let p = *self.at::<*mut *mut u32>(o + 8);
                        List::from_vec((0..n as usize).map(|i| text_of(*p.add(i))).collect()).into_object()
                    }
                }
            };
            d.set_str(name, &v)?;
        }
        Ok(d)
    }
    /// # Safety
    /// The struct is a filled one; its strings are freed when replaced.
    unsafe fn fill_from(&mut self, d: &Dict) -> PyResult<()> {
        for &(name, o, kind) in FIELDS {
            let Some(v) = d.get_str(name)? else { return raise!(ValueError, "missing config key: {}", name) };
            let text = |v: &Object| match v.downcast::<Str>() {
                Some(s) if s.chars().any(|c| c == 0) => raise!(ValueError, "embedded null character"),
                Some(s) => Ok(wide_str(s)),
                None if v.is_none() && kind == MaybeWide => Ok(null_mut()),
                None => raise!(TypeError, "invalid config type: {}", name),
            };
            // SAFETY: the table's kinds are the struct's.
            unsafe {
                match kind {
                    Num | Long => {
                        let Some(n) = v.downcast::<Int>() else {
                            return raise!(TypeError, "invalid config type: {}", name);
                        };
                        let Some(n) = n.to_i64().filter(|n| kind == Long || i32::try_from(*n).is_ok()) else {
                            return raise!(ValueError, "invalid config value: {}", name);
                        };
                        if kind == Num { *self.at::<c_int>(o) = n as c_int } else { *self.at::<i64>(o) = n }
                    }
                    Wide | MaybeWide => {
                        let new = text(&v)?;
                        let old = std::mem::replace(&mut *self.at::<*mut u32>(o), new);
                        lh_runtime::alloc::free(old.cast());
                    }
                    Items => {
                        if !List::check(&v) && !Tuple::check(&v) {
                            return raise!(TypeError, "invalid config type: {}", name);
                        }
                        let items = v.to_items()?.iter().map(|x| text(x)).collect::<PyResult<Vec<_>>>()?;
                        self.free_field(o, Items);
                        self.list_raw(o, &items);
                    }
                }
            }
        }
        Ok(())
    }
    /// # Safety
    /// `o` is the offset of a filled field of this kind.
    unsafe fn free_field(&mut self, o: usize, kind: Field) {
        // SAFETY: the caller's promise.
        unsafe {
            match kind {
                Num | Long => {}
                Wide | MaybeWide => {
                    lh_runtime::alloc::free(std::mem::replace(&mut *self.at::<*mut c_void>(o), null_mut()))
                }
                Items => {
                    let n = std::mem::replace(&mut *self.at::<isize>(o), 0);
                    let p = std::mem::replace(&mut *self.at::<*mut *mut c_void>(o + 8), null_mut());
                    for i in 0..n as usize {
                        lh_runtime::alloc::free(*p.add(i));
                    }
                    lh_runtime::alloc::free(p.cast());
                }
            }
        }
    }
}

/// `PyWideStringList`; its strings and their table are `PyMem_RawMalloc`'s.
#[repr(C)]
pub struct WideList {
    length: isize,
    items: *mut *mut u32,
}
impl WideList {
    /// # Safety
    /// The list is a filled one.
    unsafe fn clear(&mut self) {
        // SAFETY: its strings are its own.
        unsafe {
            for i in 0..self.length as usize {
                lh_runtime::alloc::free((*self.items.add(i)).cast());
            }
            lh_runtime::alloc::free(self.items.cast());
        }
        (self.length, self.items) = (0, null_mut());
    }
    /// Puts in a copy; behind the end means at the end.
    ///
    /// # Safety
    /// The list is a filled one, `item` a wide string.
    unsafe fn insert(&mut self, at: usize, item: *const u32) {
        // SAFETY: the new table has room for one string more.
        unsafe {
            let n = self.length as usize;
            let at = at.min(n);
            let text = text_of(item);
            let new = lh_runtime::alloc::malloc(8 * (n + 1)).cast::<*mut u32>();
            new.copy_from_nonoverlapping(if n == 0 { new } else { self.items }, at);
            new.add(at).write(text.downcast::<Str>().map_or(null_mut(), wide_str));
            new.add(at + 1).copy_from_nonoverlapping(if n == 0 { new } else { self.items.add(at) }, n - at);
            lh_runtime::alloc::free(self.items.cast());
            (self.length, self.items) = (n as isize + 1, new);
        }
    }
}

/// `PyPreConfig`.
#[repr(C)]
pub struct PreConfig {
    config_init: c_int,
    parse_argv: c_int,
    isolated: c_int,
    use_environment: c_int,
    configure_locale: c_int,
    coerce_c_locale: c_int,
    coerce_c_locale_warn: c_int,
    utf8_mode: c_int,
    dev_mode: c_int,
    allocator: c_int,
}
impl PreConfig {
    /// As CPython's defaults of the two kinds: -1 is for the environment to say.
    fn new(isolated: bool) -> PreConfig {
        let open = if isolated { 0 } else { -1 };
        PreConfig {
            config_init: if isolated { 3 } else { 2 },
            parse_argv: !isolated as c_int,
            isolated: isolated as c_int,
            use_environment: !isolated as c_int,
            configure_locale: !isolated as c_int,
            coerce_c_locale: open,
            coerce_c_locale_warn: open,
            utf8_mode: open,
            dev_mode: open,
            allocator: 0,
        }
    }
}

/// The description of the running program, made on first use.
fn current() -> *mut Config {
    static C: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *C.get_or_init(|| Box::into_raw(Box::new(Config::running())) as usize) as *mut Config
}
/// A wide string that lives for ever.
fn kept(field: &str) -> *mut u32 {
    // SAFETY: the table's offsets lie within the struct.
    unsafe { *(*current()).at::<*mut u32>(Config::field(field).0) }
}

capi! {
    fn _PyInterpreterState_GetConfig(_i: *mut c_void) -> [*mut Config] { current() }
    fn _Py_GetConfig() -> [*mut Config] { current() }
    fn _PyInterpreterState_GetConfigCopy(c: *mut Config) -> status {
        let d = (*current()).as_dict()?;
        (*c).fill_from(&d)
    }
    fn _PyInterpreterState_SetConfig(c: *mut Config) -> status {
        let d = (*c).as_dict()?;
        (*current()).fill_from(&d)
    }
    fn _PyConfig_AsDict(c: *mut Config) -> obj { (*c).as_dict() }
    fn _PyConfig_FromDict(c: *mut Config, d: &Dict) -> status { (*c).fill_from(d) }
    fn _Py_GetConfigsAsDict() -> obj {
        let d = Dict::new();
        let pre = Dict::new();
        for (name, v) in [
            ("_config_init", 2), ("parse_argv", 1), ("isolated", config().isolated as i64),
            ("use_environment", !config().ignore_environment as i64), ("configure_locale", 1), ("coerce_c_locale", 0),
            ("coerce_c_locale_warn", 0), ("utf8_mode", config().utf8_mode as i64), ("dev_mode", config().dev_mode as i64), ("allocator", 0),
        ] {
            pre.set_str(name, &Int::from_i64(v))?;
        }
        d.set_str("global_config", &Dict::new())?;
        d.set_str("pre_config", &pre)?;
        d.set_str("config", &*(*current()).as_dict()?)?;
        Ok(d)
    }
    fn PyConfig_InitPythonConfig(c: *mut Config) -> void { *c = Config::defaults(false) }
    fn PyConfig_InitIsolatedConfig(c: *mut Config) -> void { *c = Config::defaults(true) }
    fn _PyConfig_InitCompatConfig(c: *mut Config) -> void { *c = Config::defaults(false); (*c).int("_config_init", 1) }
    fn PyConfig_Clear(c: *mut Config) -> void {
        for &(_, o, kind) in FIELDS {
            (*c).free_field(o, kind);
        }
    }
    fn Py_GetProgramName() -> [*mut u32] { kept("program_name") }
    fn Py_GetProgramFullPath() -> [*mut u32] { kept("executable") }
    fn Py_GetPrefix() -> [*mut u32] { kept("prefix") }
    fn Py_GetExecPrefix() -> [*mut u32] { kept("exec_prefix") }
    fn Py_GetPythonHome() -> [*mut u32] { kept("home") }
    fn Py_GetPath() -> [*mut u32] {
        static P: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
        *P.get_or_init(|| wide(&config().module_search_paths.join(OsStr::new(":"))) as usize) as *mut u32
    }
    fn Py_GetArgcArgv(n: *mut c_int, argv: *mut *mut *mut u32) -> void {
        let (o, _) = Config::field("orig_argv");
        if !n.is_null() { *n = *(*current()).at::<isize>(o) as c_int; }
        if !argv.is_null() { *argv = *(*current()).at(o + 8); }
    }
    fn PyPreConfig_InitPythonConfig(c: *mut PreConfig) -> void { *c = PreConfig::new(false) }
    fn PyPreConfig_InitIsolatedConfig(c: *mut PreConfig) -> void { *c = PreConfig::new(true) }
    fn _PyPathConfig_ClearGlobal() -> void {}
    fn PySys_GetXOptions() -> borrowed { Ok(sysobject::sys_get("_xoptions").map_or(null_mut(), |d| d.ptr())) }
    fn PySys_HasWarnOptions() -> [c_int] { !config().warnoptions.is_empty() as c_int }
}

macro_rules! statuses {
    ($(fn $name:ident($($a:ident: $t:ty),*) $body:block)*) => { $(
        /// # Safety
        /// The pointers are what the header says.
        #[unsafe(no_mangle)]
        #[allow(unused_unsafe)]
        pub unsafe extern "C" fn $name($($a: $t),*) -> Status {
            // SAFETY: the caller's promise.
            unsafe { $body }
        }
    )* };
}
statuses! {
    fn PyStatus_Ok() { FINE }
    fn PyStatus_NoMemory() { error(c"memory allocation failed") }
    fn PyStatus_Error(message: *const c_char) { Status { kind: 1, message, ..FINE } }
    fn PyStatus_Exit(code: c_int) { Status { kind: 2, exitcode: code, ..FINE } }
    fn PyConfig_SetBytesString(_c: *mut Config, place: *mut *mut u32, s: *const c_char) {
        let new = if s.is_null() { null_mut() } else { wide(OsStr::from_bytes(CStr::from_ptr(s).to_bytes())) };
        lh_runtime::alloc::free(std::mem::replace(&mut *place, new).cast());
        FINE
    }
    fn PyConfig_SetString(_c: *mut Config, place: *mut *mut u32, s: *const u32) {
        let new = match text_of(s).downcast::<Str>() { Some(s) => wide_str(s), None => null_mut() };
        lh_runtime::alloc::free(std::mem::replace(&mut *place, new).cast());
        FINE
    }
    fn PyConfig_SetWideStringList(_c: *mut Config, place: *mut WideList, n: isize, items: *const *const u32) {
        (*place).clear();
        for i in 0..n.max(0) as usize {
            (*place).insert(i, *items.add(i));
        }
        FINE
    }
    fn PyConfig_SetArgv(c: *mut Config, n: isize, argv: *const *const u32) {
        let place = (*c).at::<WideList>(Config::field("argv").0);
        PyConfig_SetWideStringList(c, place, n, argv)
    }
    fn PyConfig_SetBytesArgv(c: *mut Config, n: isize, argv: *const *const c_char) {
        let place = (*c).at::<WideList>(Config::field("argv").0);
        (*place).clear();
        for i in 0..n.max(0) as usize {
            let w = wide(OsStr::from_bytes(CStr::from_ptr(*argv.add(i)).to_bytes()));
            (*place).insert(i, w);
            lh_runtime::alloc::free(w.cast());
        }
        FINE
    }
    fn PyWideStringList_Append(list: *mut WideList, item: *const u32) {
        (*list).insert((*list).length as usize, item);
        FINE
    }
    fn PyWideStringList_Insert(list: *mut WideList, at: isize, item: *const u32) {
        if at < 0 {
            return error(c"PyWideStringList_Insert index must be >= 0");
        }
        (*list).insert(at as usize, item);
        FINE
    }
    fn Py_PreInitialize(_c: *const PreConfig) { FINE }
    fn Py_PreInitializeFromArgs(_c: *const PreConfig, _n: isize, _argv: *const *const u32) { FINE }
    fn Py_PreInitializeFromBytesArgs(_c: *const PreConfig, _n: isize, _argv: *const *const c_char) { FINE }
    fn PyConfig_Read(_c: *mut Config) { FINE }
    fn Py_InitializeFromConfig(_c: *mut Config) { error(c"the interpreter is running already") }
}
macro_rules! questions {
    ($(fn $name:ident($s:ident) { $e:expr })*) => { $(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($s: Status) -> c_int { ($e) as c_int }
    )* };
}
questions! {
    fn PyStatus_IsError(s) { s.kind == 1 }
    fn PyStatus_IsExit(s) { s.kind == 2 }
    fn PyStatus_Exception(s) { s.kind != 0 }
}
#[unsafe(no_mangle)]
pub extern "C" fn Py_ExitStatusException(s: Status) {
    if s.kind == 2 {
        std::process::exit(s.exitcode);
    }
    if s.kind == 1 {
        // SAFETY: an error's message is a C string.
        let m = unsafe { CStr::from_ptr(s.message) };
        eprintln!("Fatal Python error: {}", m.to_string_lossy());
        std::process::exit(1);
    }
}
