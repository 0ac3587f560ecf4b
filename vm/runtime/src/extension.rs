//! Extension modules: `dlopen`, `PyInit_*`, and modules made from a C `PyModuleDef` in one phase or several.
//!
//! ```text
//!   single phase:  PyInit_x() ── PyModule_Create(def) ──> module        remembered by (path, name)
//!   multi phase:   PyInit_x() ──> def;  from_def_and_spec(def, spec) ──> module;  exec_def(module, def)
//! ```
//! Loaded libraries stay loaded: their types and functions may be reachable for ever.

use crate::errors::*;
use crate::exceptions::exc;
use crate::interpreter::Own;
use crate::kinds::*;
use crate::object::*;
use crate::sysobject::{DLOPEN_FLAGS, modules_dict};
use crate::{intern, raise, raised};
use lh_abi::*;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicIsize, AtomicPtr, Ordering};

/// The full name of the module whose `PyInit_*` runs: `PyModule_Create` gives it to a module that knows only its last part.
pub static PACKAGE_CONTEXT: AtomicPtr<c_char> = AtomicPtr::new(null_mut());
static NEXT_INDEX: AtomicIsize = AtomicIsize::new(1);

const MOD_CREATE: c_int = 1;
const MOD_EXEC: c_int = 2;

type InitFn = unsafe extern "C" fn() -> *mut PyObject;

/// A single-phase module that has been imported once.
struct Known {
    path: Vec<u8>,
    name: String,
    def: usize,
    /// The contents of a module that cannot be initialised twice (`m_size` -1); 0 if `init` is called again instead.
    copy: usize,
    init: usize,
}
static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// `PyModuleDef_Init`.
///
/// # Safety
/// `def` is a module definition that lives for ever.
pub unsafe fn def_init(def: *mut PyModuleDef) {
    // SAFETY: the caller's promise.
    unsafe {
        if (*def).m_base.m_index == 0 {
            let head = (&raw mut (*def).m_base).cast::<PyObject>();
            (*head).ob_refcnt += 1;
            (*head).ob_type = &raw mut crate::type_table::PyModuleDef_Type;
            (*def).m_base.m_index = NEXT_INDEX.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// # Safety
/// `def` is a live module definition.
unsafe fn add_methods_and_doc(m: &Object, def: *mut PyModuleDef, name: &str) -> PyResult<()> {
    // SAFETY: the definition's tables end with a null name and live as long as the library.
    unsafe {
        let mut p = (*def).m_methods;
        if !p.is_null() {
            let module_name = Str::new(name);
            while !(*p).ml_name.is_null() {
                if (*p).ml_flags & (METH_CLASS | METH_STATIC) != 0 {
                    return raise!(ValueError, "module functions cannot set METH_CLASS or METH_STATIC");
                }
                let f = CFunction::new(crate::methodobject::check_def(p)?, Some(m), Some(&module_name));
                m.set_attr_str(&CStr::from_ptr((*p).ml_name).to_string_lossy(), &f)?;
                p = p.add(1);
            }
        }
        if !(*def).m_doc.is_null() {
            let doc = Str::new(&CStr::from_ptr((*def).m_doc).to_string_lossy());
            m.set_attr(intern!("__doc__"), &doc)?;
        }
        Ok(())
    }
}

/// `PyModule_Create2`.
///
/// # Safety
/// `def` is a module definition that lives for ever.
pub unsafe fn module_create(def: *mut PyModuleDef) -> PyResult<Owned<Module>> {
    // SAFETY: the caller's promise; the new module is ours.
    unsafe {
        def_init(def);
        let mut name = CStr::from_ptr((*def).m_name).to_string_lossy().into_owned();
        if !(*def).m_slots.is_null() {
            return raise!(SystemError, "module {}: PyModule_Create is incompatible with m_slots", name);
        }
        let context = PACKAGE_CONTEXT.load(Ordering::Relaxed);
        if !context.is_null() {
            let full = CStr::from_ptr(context).to_string_lossy();
            if full.rsplit('.').next() == Some(name.as_str()) {
                PACKAGE_CONTEXT.store(null_mut(), Ordering::Relaxed);
                name = full.into_owned();
            }
        }
        let m = Module::new(&name);
        let p = m.as_struct();
        if (*def).m_size > 0 {
            (*p).md_state = crate::alloc::calloc(1, (*def).m_size as usize);
        }
        (*p).md_def = def;
        add_methods_and_doc(&m, def, &name)?;
        Ok(m)
    }
}

/// `PyModule_FromDefAndSpec`: the first half of multi-phase initialisation.
///
/// # Safety
/// `def` is a module definition that lives for ever.
pub unsafe fn from_def_and_spec(def: *mut PyModuleDef, spec: &Object) -> PyResult {
    // SAFETY: the caller's promise; slot tables end with slot 0.
    unsafe {
        def_init(def);
        let name_obj = spec.get_attr_str("name")?;
        let name = name_obj.str()?.to_str_lossy().into_owned();
        if (*def).m_size < 0 {
            return raise!(
                SystemError,
                "module {}: m_size may not be negative for multi-phase initialization",
                name
            );
        }
        let (mut create, mut has_exec) = (None, false);
        let mut s = (*def).m_slots;
        while !s.is_null() && (*s).slot != 0 {
            match (*s).slot {
                MOD_CREATE if create.is_some() => {
                    return raise!(SystemError, "module {} has multiple create slots", name);
                }
                MOD_CREATE => create = Some((*s).value),
                MOD_EXEC => has_exec = true,
                other => return raise!(SystemError, "module {} uses unknown slot ID {}", name, other),
            }
            s = s.add(1);
        }
        let m: Owned<Object> = match create {
            Some(f) => {
                let f: unsafe extern "C" fn(*mut PyObject, *mut PyModuleDef) -> *mut PyObject =
                    std::mem::transmute::<*mut c_void, _>(f);
                match Owned::from_raw_opt(f(spec.as_ptr(), def)) {
                    None if occurred() => return Err(Raised::already_set()),
                    None => {
                        return raise!(
                            SystemError,
                            "creation of module {} failed without setting an exception",
                            name
                        );
                    }
                    Some(_) if occurred() => {
                        return raise!(
                            SystemError,
                            "creation of module {} raised unreported exception",
                            name
                        );
                    }
                    Some(m) => m,
                }
            }
            None => Module::new(&name).into_object(),
        };
        match m.downcast::<Module>() {
            Some(module) => {
                (*module.as_struct()).md_state = null_mut();
                (*module.as_struct()).md_def = def;
            }
            None => {
                let d = &*def;
                if d.m_size > 0 || d.m_traverse.is_some() || d.m_clear.is_some() || d.m_free.is_some() {
                    return raise!(
                        SystemError,
                        "module {} is not a module object, but requests module state",
                        name
                    );
                }
                if has_exec {
                    return raise!(
                        SystemError,
                        "module {} specifies execution slots, but did not create a ModuleType instance",
                        name
                    );
                }
            }
        }
        add_methods_and_doc(&m, def, &name)?;
        Ok(m)
    }
}

/// `PyModule_ExecDef`: allocates the module's state and runs its exec slots.
///
/// # Safety
/// `def` is a module definition that lives for ever.
pub unsafe fn exec_def(module: &Module, def: *mut PyModuleDef) -> PyResult<()> {
    // SAFETY: the caller's promise; slot tables end with slot 0.
    unsafe {
        let name = module.name();
        let p = module.as_struct();
        if (*def).m_size >= 0 && (*p).md_state.is_null() {
            (*p).md_state = crate::alloc::calloc(1, (*def).m_size as usize);
        }
        let mut s = (*def).m_slots;
        while !s.is_null() && (*s).slot != 0 {
            match (*s).slot {
                MOD_EXEC => {
                    let f: unsafe extern "C" fn(*mut PyObject) -> c_int = std::mem::transmute((*s).value);
                    let failed = f(module.raw()) != 0;
                    match (failed, occurred()) {
                        (false, false) => {}
                        (true, true) => return Err(Raised::already_set()),
                        (true, false) => {
                            return raise!(
                                SystemError,
                                "execution of module {} failed without setting an exception",
                                name
                            );
                        }
                        (false, true) => {
                            return raise!(
                                SystemError,
                                "execution of module {} raised unreported exception",
                                name
                            );
                        }
                    }
                }
                MOD_CREATE => {}
                other => {
                    return raise!(SystemError, "module {} initialized with unknown slot {}", name, other);
                }
            }
            s = s.add(1);
        }
        Ok(())
    }
}

/// `_imp.exec_dynamic(mod)` / `exec_builtin`.
pub fn exec_dynamic(m: &Object) -> PyResult<()> {
    let Some(module) = m.downcast::<Module>() else { return Ok(()) };
    // SAFETY: a module's definition lives for ever.
    unsafe {
        let p = module.as_struct();
        if (*p).md_def.is_null() || !(*p).md_state.is_null() || (*(*p).md_def).m_slots.is_null() {
            return Ok(());
        }
        exec_def(module, (*p).md_def)
    }
}

/// Raises `ImportError(message, name=…, path=…)`.
pub fn import_error(message: &str, name: &Object, path: &Object) -> Raised {
    let e = exc::ImportError().call_kw(&[&Str::new(message)], &[("name", name), ("path", path)]);
    match e {
        Ok(e) => match e.downcast_owned::<Exception>() {
            Ok(e) => raise_exc_with_context(e),
            Err(_) => raised!(SystemError, "ImportError() is no exception"),
        },
        Err(r) => r,
    }
}

/// The name of a module's init function.
fn init_symbol(last: &Str) -> PyResult<String> {
    if last.is_ascii() {
        return Ok(format!("PyInit_{}", last.to_str_lossy()));
    }
    let b = crate::codecs::encode(last, "punycode", "strict")?;
    let b = b.downcast::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default();
    Ok(format!("PyInitU_{}", String::from_utf8_lossy(&b).replace('-', "_")))
}

fn dl_error() -> String {
    // SAFETY: dlerror returns null or a C string that lives until the next call.
    unsafe {
        let e = libc::dlerror();
        if e.is_null() {
            "unknown dlopen() error".into()
        } else {
            CStr::from_ptr(e).to_string_lossy().into_owned()
        }
    }
}

/// Does an ELF file end before its segments do? Loaded, it would end the process by a signal at the first look at what is missing.
fn is_cut_off(path: &CStr) -> bool {
    use std::io::Read;
    use std::os::unix::ffi::OsStrExt;
    let read = || -> std::io::Result<bool> {
        let mut f = std::fs::File::open(std::ffi::OsStr::from_bytes(path.to_bytes()))?;
        let length = f.metadata()?.len();
        let mut head = vec![];
        f.by_ref().take(4096).read_to_end(&mut head)?;
        let number = |at: u64, size: usize| -> Option<u64> {
            let at = usize::try_from(at).ok()?;
            let mut b = [0; 8];
            b[..size].copy_from_slice(head.get(at..at.checked_add(size)?)?);
            Some(u64::from_le_bytes(b))
        };
        // A 64-bit file's table of segments; whatever else is odd, the loader says.
        if !head.starts_with(b"\x7fELF\x02\x01") {
            return Ok(false);
        }
        let (Some(table), Some(entry), Some(n)) = (number(32, 8), number(54, 2), number(56, 2)) else {
            return Ok(false);
        };
        Ok((0..n).any(|i| {
            let at = table.saturating_add(i * entry);
            const LOADED: u64 = 1;
            number(at, 4) == Some(LOADED)
                && matches!((number(at.saturating_add(8), 8), number(at.saturating_add(32), 8)),
                    (Some(start), Some(size)) if start.saturating_add(size) > length)
        }))
    };
    read().unwrap_or(false)
}

/// `_imp.create_dynamic(spec)`: loads the library and makes the module (its exec slots run later).
pub fn create_dynamic(spec: &Object) -> PyResult {
    let name_obj = spec.get_attr_str("name")?;
    let path_obj = spec.get_attr_str("origin")?;
    let (Some(name), Some(path)) = (name_obj.downcast::<Str>(), path_obj.downcast::<Str>()) else {
        return raise!(TypeError, "spec.name and spec.origin must be strings");
    };
    let full = name.to_str()?.to_string();
    let bytes = crate::codecs::fs_encode(path)?;
    if let Some(m) = reimport(&full, &bytes, &name_obj, &path_obj)? {
        return Ok(m);
    }
    let none = crate::singletons::none_ref();
    crate::sysobject::audit("import", &[name, path, none, none, none])?;
    let c_path = match CString::new(if bytes.contains(&b'/') {
        bytes.clone()
    } else {
        [b"./", &bytes[..]].concat()
    }) {
        Ok(p) => p,
        Err(_) => return raise!(ValueError, "embedded null byte"),
    };
    if is_cut_off(&c_path) {
        return Err(import_error(&format!("{}: file too short", path.to_str_lossy()), &name_obj, &path_obj));
    }
    // SAFETY: a C string; initialisers of the library run here, as on CPython with the GIL held.
    let handle = unsafe { libc::dlopen(c_path.as_ptr(), DLOPEN_FLAGS.load(Ordering::Relaxed)) };
    if handle.is_null() {
        let mut text = dl_error();
        if text.contains("undefined symbol: Py") || text.contains("undefined symbol: _Py") {
            text.push_str(" (this part of CPython's C API is not available in Lancehead)");
        }
        return Err(import_error(&text, &name_obj, &path_obj));
    }
    let last = name.slice(
        name.chars().collect::<Vec<_>>().iter().rposition(|c| *c == 46).map_or(0, |i| i + 1),
        name.len(),
    );
    let symbol = init_symbol(&last)?;
    let c_symbol = CString::new(symbol.clone()).expect("no NUL in a module name");
    // SAFETY: a live handle and a C string.
    let f = unsafe { libc::dlsym(handle, c_symbol.as_ptr()) };
    if f.is_null() {
        let text = format!("dynamic module does not define module export function ({symbol})");
        return Err(import_error(&text, &name_obj, &path_obj));
    }
    // SAFETY: PyInit_* functions have this signature.
    let init: InitFn = unsafe { std::mem::transmute(f) };
    let m = run_init(init, &full)?;
    // SAFETY: a definition object returned by an init function lives for ever.
    unsafe {
        if (*m.ptr()).ob_type == &raw mut crate::type_table::PyModuleDef_Type {
            return from_def_and_spec(m.into_raw().cast(), spec);
        }
    }
    finish_single_phase(m, init, &full, bytes, &name_obj, &path_obj)
}

fn run_init(init: InitFn, full: &str) -> PyResult {
    // Errors mention the last part of the name.
    let last = full.rsplit('.').next().unwrap_or(full);
    let context = CString::new(full).unwrap_or_default();
    let old = PACKAGE_CONTEXT.swap(context.as_ptr().cast_mut(), Ordering::Relaxed);
    // SAFETY: calling the module's init function with the GIL held.
    let m = unsafe { Owned::<Object>::from_raw_opt(init()) };
    PACKAGE_CONTEXT.store(old, Ordering::Relaxed);
    match m {
        None if occurred() => Err(Raised::already_set()),
        None => raise!(SystemError, "initialization of {} failed without raising an exception", last),
        Some(m) if occurred() => {
            // What it answered may be its static definition, or nothing that can be freed.
            std::mem::forget(m);
            drop(take_raised());
            raise!(SystemError, "initialization of {} raised unreported exception", last)
        }
        // SAFETY: a live object.
        Some(m) if unsafe { (*m.ptr()).ob_type.is_null() } => {
            // Without a type it cannot be freed either.
            std::mem::forget(m);
            raise!(SystemError, "init function of {} returned uninitialized object", last)
        }
        Some(m) => Ok(m),
    }
}

fn finish_single_phase(
    m: Owned<Object>,
    init: InitFn,
    full: &str,
    path: Vec<u8>,
    name_obj: &Object,
    path_obj: &Object,
) -> PyResult {
    let def = match m.downcast::<Module>() {
        // SAFETY: a live module.
        Some(x) => unsafe { (*x.as_struct()).md_def },
        None => null_mut(),
    };
    if def.is_null() {
        let last = full.rsplit('.').next().unwrap_or(full);
        return raise!(SystemError, "initialization of {} did not return an extension module", last);
    }
    m.set_attr(intern!("__file__"), path_obj)?;
    modules_dict().set_item(name_obj, &m)?;
    let module = m.downcast::<Module>().expect("has a definition");
    // SAFETY: the definition lives for ever.
    let copy = unsafe { if (*def).m_size == -1 { module.dict().copy().into_raw() as usize } else { 0 } };
    register_state_module(def, &m);
    KNOWN.lock().expect("never poisoned").push(Known {
        path,
        name: full.to_string(),
        def: def as usize,
        copy,
        init: init as usize,
    });
    Ok(m)
}

/// A single-phase module that was imported before.
fn reimport(
    full: &str,
    path: &[u8],
    name_obj: &Object,
    path_obj: &Object,
) -> PyResult<Option<Owned<Object>>> {
    let (def, copy, init) = {
        let known = KNOWN.lock().expect("never poisoned");
        match known.iter().find(|k| k.name == full && k.path == path) {
            Some(k) => (k.def as *mut PyModuleDef, k.copy, k.init),
            None => return Ok(None),
        }
    };
    let m = if copy != 0 {
        let m = Module::new(full);
        // SAFETY: the kept copy is a dict that is never freed; the definition lives for ever.
        unsafe {
            m.dict().update(Object::from_ptr(copy as *mut PyObject))?;
            (*m.as_struct()).md_def = def;
        }
        m.into_object()
    } else {
        // SAFETY: recorded from a function of this type.
        run_init(unsafe { std::mem::transmute::<usize, InitFn>(init) }, full)?
    };
    m.set_attr(intern!("__file__"), path_obj)?;
    modules_dict().set_item(name_obj, &m)?;
    register_state_module(def, &m);
    Ok(Some(m))
}

// ---- PyState_FindModule ----

type Modules = RefCell<Vec<Option<Owned<Object>>>>;
static BY_INDEX: Own<Modules> = Own::new();

/// Puts a module (or nothing) into the table, and drops what was there.
fn set_state_module(def: *mut PyModuleDef, m: Option<Owned<Object>>) {
    // SAFETY: the definition lives for ever.
    let i = unsafe { (*def).m_base.m_index } as usize;
    let old = {
        let mut v = BY_INDEX.get_or_init(Modules::default).borrow_mut();
        if v.len() <= i {
            v.resize_with(i + 1, || None);
        }
        std::mem::replace(&mut v[i], m)
    };
    drop(old);
}
/// `PyState_AddModule`.
pub fn register_state_module(def: *mut PyModuleDef, m: &Object) {
    set_state_module(def, Some(m.own()))
}
/// `PyState_FindModule`: borrowed, null if there is none.
pub fn find_state_module(def: *mut PyModuleDef) -> *mut PyObject {
    // SAFETY: the definition lives for ever.
    let i = unsafe { (*def).m_base.m_index } as usize;
    let found = BY_INDEX.get().and_then(|v| v.borrow().get(i)?.as_ref().map(|m| m.ptr()));
    found.unwrap_or(null_mut())
}
/// `PyState_RemoveModule`.
pub fn remove_state_module(def: *mut PyModuleDef) {
    set_state_module(def, None)
}
