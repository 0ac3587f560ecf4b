//! `_imp`: what importlib needs from the VM. Also the table of built-in modules.
//!
//! Frozen modules are listed in `frozen.rs` and made from the installed standard library (`bootstrap.rs`).

use crate::Entry;
use lh_runtime::prelude::*;
use lh_runtime::{extension, thread};
use std::sync::{Condvar, Mutex};

// ---- Built-in modules ----

static TABLE: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// Adds modules to the table; later ones win.
pub fn register(entries: impl IntoIterator<Item = Entry>) {
    let mut t = TABLE.lock().expect("never poisoned");
    for e in entries {
        t.retain(|x| x.0 != e.0);
        t.push(e);
    }
}
/// `sys.builtin_module_names`.
pub fn builtin_names() -> Vec<&'static str> {
    let mut v: Vec<&str> = TABLE.lock().expect("never poisoned").iter().map(|e| e.0).collect();
    v.extend(["sys", "builtins"]);
    v.sort_unstable();
    v.dedup();
    v
}
fn find(name: &str) -> Option<Entry> {
    TABLE.lock().expect("never poisoned").iter().find(|e| e.0 == name).copied()
}
/// Makes (or for `sys` and `builtins` finds) a built-in module.
pub fn make_builtin(name: &str) -> PyResult<Option<Owned<Object>>> {
    match name {
        "sys" => Ok(Some(lh_runtime::sysobject::sys_module().own().into_object())),
        "builtins" => Ok(Some(lh_runtime::sysobject::builtins_module().own().into_object())),
        _ => match find(name) {
            Some(entry) => Ok(Some(make_or_remake(entry)?.into_object())),
            None => Ok(None),
        },
    }
}

/// What built-in modules held when they were new, by name: a reference to a dictionary.
static FIRST: Mutex<Vec<(&'static str, usize)>> = Mutex::new(Vec::new());

/// Modules of other interpreters than the main one are made from what the first of their name held: their types are shared, their functions
/// are their own.
fn make_or_remake((name, make): Entry) -> PyResult<Owned<Module>> {
    let first = FIRST.lock().expect("never poisoned").iter().find(|f| f.0 == name).map(|f| f.1);
    if let Some(first) = first
        && !lh_runtime::interpreter::is_main()
    {
        let m = Module::new(name);
        // SAFETY: a dictionary that is kept for ever.
        m.refill(unsafe { Object::from_ptr(first as *mut lh_runtime::abi::PyObject).downcast_unchecked() })?;
        match name {
            "gc" => crate::containers::gcmod::own_lists(&m)?,
            "_warnings" => super::warnings::own_lists(&m)?,
            _ => {}
        }
        return Ok(m);
    }
    let m = make()?;
    if first.is_none() {
        let copy = m.dict().copy().into_raw() as usize;
        FIRST.lock().expect("never poisoned").push((name, copy));
    }
    Ok(m)
}

/// Returns True if the module name corresponds to a built-in module.
#[pyfunction(signature = "(name, /)")]
fn is_builtin(name: &Str) -> i32 {
    match &*name.to_str_lossy() {
        "sys" | "builtins" => -1,
        n => find(n).is_some() as i32,
    }
}
/// Create an extension module.
#[pyfunction(signature = "(spec, /)")]
fn create_builtin(spec: &Object) -> PyResult<Option<Owned<Object>>> {
    let name = spec.get_attr_str("name")?;
    let Some(s) = name.downcast::<Str>() else {
        return raise!(TypeError, "name must be string, not {}", name.ty().name());
    };
    make_builtin(s.to_str()?)
}
/// Initialize a built-in module.
#[pyfunction(name = "exec_builtin", signature = "(mod, /)")]
fn exec_builtin(module_: &Object) -> PyResult<i32> {
    extension::exec_dynamic(module_).map(|()| 0)
}

// ---- Extension modules ----

/// Returns the list of file suffixes used to identify extension modules.
#[pyfunction]
fn extension_suffixes() -> Owned<List> {
    let tagged = format!(".cpython-311-{}-linux-gnu.so", std::env::consts::ARCH);
    List::from_vec([&tagged, ".abi3.so", ".so"].iter().map(|s| Str::new(s).into_object()).collect())
}
/// Create an extension module.
#[pyfunction(signature = "(spec, file=<unrepresentable>, /)")]
fn create_dynamic(spec: &Object, _file: Option<&Object>) -> PyResult {
    extension::create_dynamic(spec)
}
/// Initialize an extension module.
#[pyfunction(signature = "(mod, /)")]
fn exec_dynamic(module_: &Object) -> PyResult<i32> {
    extension::exec_dynamic(module_).map(|()| 0)
}

// ---- Frozen modules ----

use super::frozen;

fn not_frozen<T>(name: &Str) -> PyResult<T> {
    let text = format!("No such frozen object named {}", name.repr_lossy());
    Err(extension::import_error(&text, name, none_ref()))
}
fn known(name: &Str) -> PyResult<&'static frozen::Frozen> {
    match frozen::find(&name.to_str_lossy()) {
        Some(f) => Ok(f),
        None => not_frozen(name),
    }
}
/// Returns True if the module name corresponds to a frozen module.
#[pyfunction(signature = "(name, /)")]
fn is_frozen(name: &Str) -> bool {
    frozen::find(&name.to_str_lossy()).is_some()
}
/// Returns True if the module name is of a frozen package.
#[pyfunction(signature = "(name, /)")]
fn is_frozen_package(name: &Str) -> PyResult<bool> {
    known(name).map(|f| f.package)
}
/// Return info about the corresponding frozen module (if there is one) or None.
///
/// The returned info (a 2-tuple):
///
///  * data         the raw marshalled bytes
///  * is_package   whether or not it is a package
///  * origname     the originally frozen module's name, or None if not
///                 a stdlib module (this will usually be the same as
///                 the module's current name)
#[pyfunction(signature = "(name, /, *, withdata=False)")]
fn find_frozen(name: &Str, withdata: bool) -> PyResult<Option<Owned<Tuple>>> {
    let Some(f) = frozen::find(&name.to_str_lossy()) else { return Ok(None) };
    // As CPython's, whose frozen modules are ready-made objects: there are no bytes to show.
    let data = if withdata {
        lh_runtime::kinds::MemoryView::from_object_new(&Bytes::new(b""))?.into_object()
    } else {
        none()
    };
    let origin = f.origin.map_or_else(none, |o| Str::new(o).into_object());
    Ok(Some(Tuple::from_vec(vec![data, bool_obj(f.package), origin])))
}
/// Create a code object for a frozen module.
#[pyfunction(signature = "(name, data=None, /)")]
fn get_frozen_object(name: &Str, data: Option<&Object>) -> PyResult {
    let Some(data) = data.filter(|d| !d.is_none()) else {
        return super::bootstrap::frozen_code(known(name)?).map(Owned::into_object);
    };
    let b = Buffer::simple(data)?;
    let invalid = || {
        let text = format!("Frozen object named {} is invalid", name.repr_lossy());
        Err(extension::import_error(&text, name, none_ref()))
    };
    if b.as_bytes().is_empty() {
        return invalid();
    }
    let o = match lh_runtime::marshal::loads(b.as_bytes()) {
        Ok(o) => o,
        Err(e) => {
            e.clear();
            return invalid();
        }
    };
    if !o.is_instance_of::<Code>() {
        return raise!(TypeError, "frozen object {} is not a code object", name.repr_lossy());
    }
    Ok(o)
}
/// Initializes a frozen module.
#[pyfunction(signature = "(name, /)")]
fn init_frozen(name: &str) -> Option<Owned<Object>> {
    frozen::find(name).and_then(|_| lh_runtime::import::loaded_module(name))
}
/// Returns the list of available frozen modules.
#[pyfunction]
fn _frozen_module_names() -> Owned<List> {
    List::from_vec(frozen::names().map(|n| Str::new(n).into_object()).collect())
}
/// (internal-only) Override PyConfig.use_frozen_modules.
///
/// (-1: "off", 1: "on", 0: no override)
/// See frozen_modules() in Lib/test/support/import_helper.py.
#[pyfunction(signature = "(override, /)")]
fn _override_frozen_modules_for_tests(override_: i32) {
    frozen::set_override(override_)
}

// ---- The import lock ----

struct Lock {
    state: Mutex<(usize, usize)>,
    freed: Condvar,
}
/// (owner's thread state, depth).
static LOCK: Lock = Lock { state: Mutex::new((0, 0)), freed: Condvar::new() };

/// Acquires the interpreter's import lock for the current thread.
#[pyfunction]
fn acquire_lock() {
    let me = thread::Thread::current_ptr() as usize;
    {
        let mut s = LOCK.state.lock().expect("never poisoned");
        if s.1 == 0 || s.0 == me {
            *s = (me, s.1 + 1);
            return;
        }
    }
    thread::allow_threads(|| {
        let mut s = LOCK.state.lock().expect("never poisoned");
        while s.1 != 0 {
            s = LOCK.freed.wait(s).expect("never poisoned");
        }
        *s = (me, 1);
    });
}
/// Release the interpreter's import lock.
#[pyfunction]
fn release_lock() -> PyResult<()> {
    let me = thread::Thread::current_ptr() as usize;
    let mut s = LOCK.state.lock().expect("never poisoned");
    if s.1 == 0 || s.0 != me {
        drop(s);
        return raise!(RuntimeError, "not holding the import lock");
    }
    s.1 -= 1;
    if s.1 == 0 {
        LOCK.freed.notify_one();
    }
    Ok(())
}
/// A fork waits for whoever imports; its child gets the lock in a known state.
pub fn lock_before_fork() {
    acquire_lock();
}
pub fn lock_after_fork() {
    // The mutex could only be taken by a thread that isn't there any more.
    if let Ok(mut s) = LOCK.state.try_lock()
        && s.0 == thread::Thread::current_ptr() as usize
    {
        s.1 = s.1.saturating_sub(1);
        if s.1 == 0 {
            LOCK.freed.notify_one();
        }
    }
}
/// Return True if the import lock is currently held, else False.
#[pyfunction]
fn lock_held() -> bool {
    LOCK.state.lock().expect("never poisoned").1 != 0
}

// ---- pyc files ----

/// SipHash-1-3 of `data` with the key (`key`, 0), as hash-based pycs use it.
pub fn siphash13(key: u64, data: &[u8]) -> u64 {
    fn round(v: &mut [u64; 4]) {
        v[0] = v[0].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[2] = v[2].rotate_left(32);
    }
    let mut v = [key ^ 0x736f6d6570736575, 0x646f72616e646f6d, key ^ 0x6c7967656e657261, 0x7465646279746573];
    let absorb = |m: u64, v: &mut [u64; 4]| {
        v[3] ^= m;
        round(v);
        v[0] ^= m;
    };
    let chunks = data.chunks_exact(8);
    let rest = chunks.remainder();
    for c in chunks {
        absorb(u64::from_le_bytes(c.try_into().expect("eight bytes")), &mut v);
    }
    let mut last = [0u8; 8];
    last[..rest.len()].copy_from_slice(rest);
    absorb(u64::from_le_bytes(last) | (data.len() as u64) << 56, &mut v);
    v[2] ^= 0xff;
    for _ in 0..3 {
        round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}
/// The hash of a source file's bytes.
#[pyfunction(signature = "(key, source)")]
fn source_hash(key: i64, source: Buffer) -> Vec<u8> {
    siphash13(key as u64, source.as_bytes()).to_le_bytes().to_vec()
}
/// Changes code.co_filename to specify the passed-in file path, also in nested code objects.
#[pyfunction(signature = "(code, path, /)")]
fn _fix_co_filename(code: &Code, path: &Str) {
    code.set_filename(path)
}
fn setup(m: &Module) -> PyResult<()> {
    m.add("check_hash_based_pycs", &Str::new(&lh_runtime::sysobject::config().check_hash_based_pycs))
}

module! {
    "_imp",
    doc: "(Extremely) low-level import machinery bits as used by importlib and imp.",
    functions: [
        is_builtin, create_builtin, exec_builtin, extension_suffixes, create_dynamic, exec_dynamic, is_frozen,
        is_frozen_package, find_frozen, get_frozen_object, init_frozen, _frozen_module_names,
        _override_frozen_modules_for_tests, acquire_lock, release_lock, lock_held, source_hash, _fix_co_filename,
    ],
    init: setup
}
