//! `LANCEHEAD_CAPI=debug`: extension functions that release references they do not own are named.
//!
//! The caller of a C function holds one reference to each argument. In this mode some more are taken for each while the function runs.
//! If fewer than all these are left afterwards, the function gave away what was not its own: a line on stderr says which function of which
//! file, and the missing references are put back, so that the program goes on. Functions of the executable itself are not watched.
//! An argument that others refer to, too, may lose references rightly (a container lets go of it). Where one has fewer than before, the
//! references that the collector finds in all objects are counted: there must be at least those and the caller's.
//! Slots of C types are not watched either: they have no name to report.

use crate::object::*;
use lh_abi::*;
use std::ffi::CStr;
use std::sync::OnceLock;

/// References taken for each argument: enough to survive what a wrong function gives away.
const GUARD: isize = 1000;

/// Is the mode on?
pub fn on() -> bool {
    static ON: OnceLock<bool> = OnceLock::new();
    *ON.get_or_init(|| std::env::var_os("LANCEHEAD_CAPI").is_some_and(|v| v == "debug"))
}

/// The file that a C function lies in, unless it is the executable's.
fn file_of(f: *const core::ffi::c_void) -> Option<String> {
    let place = |p: *const core::ffi::c_void| {
        // SAFETY: a place to write to; the answer's strings live as long as the library.
        unsafe {
            let mut info: libc::Dl_info = std::mem::zeroed();
            (libc::dladdr(p, &mut info) != 0 && !info.dli_fname.is_null()).then(|| {
                (info.dli_fbase as usize, CStr::from_ptr(info.dli_fname).to_string_lossy().into_owned())
            })
        }
    };
    let (base, name) = place(f)?;
    let (own, _) = place(on as *const core::ffi::c_void)?;
    (base != own).then_some(name)
}

/// The references to `o` that objects known to the collector hold.
#[cold]
unsafe fn known(o: *mut PyObject) -> isize {
    let all = crate::gc::objects(None);
    all.iter().flat_map(|x| crate::gc::referents(x)).filter(|r| r.as_ptr() == o).count() as isize
}

/// Calls `call`, which runs `def`'s C function on these objects, and checks their counts.
///
/// # Safety
/// The objects are live and each is held by the caller; `def` is a live definition.
#[cold]
pub unsafe fn watch(
    def: *mut PyMethodDef,
    objects: &[*mut PyObject],
    call: impl FnOnce() -> *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's promise; the definition's function is one.
    unsafe {
        let Some(file) = (*def).ml_meth.and_then(|f| file_of(f as *const core::ffi::c_void)) else {
            return call();
        };
        let before = |o: *mut PyObject| (*o).ob_refcnt;
        let mut each: Vec<(*mut PyObject, isize, usize, isize)> = vec![];
        for (i, o) in objects.iter().copied().filter(|o| !o.is_null()).enumerate() {
            match each.iter_mut().find(|e| e.0 == o) {
                Some(e) => e.1 += 1,
                None => each.push((o, 1, i, before(o))),
            }
            (*o).ob_refcnt += GUARD;
        }
        let r = call();
        for (o, n, i, count) in each {
            let left = (*o).ob_refcnt - n * GUARD;
            // A result that is the argument holds a reference of its own.
            let due = n + (r == o) as isize;
            let missing = if left >= count { 0 } else { due + known(o) - left };
            if missing > 0 {
                (*o).ob_refcnt += missing;
                eprintln!(
                    "LANCEHEAD_CAPI=debug: {}() in {} released {} reference{} to its argument {} (a '{}') that {} not its own",
                    CStr::from_ptr((*def).ml_name).to_string_lossy(),
                    file,
                    missing,
                    if missing == 1 { "" } else { "s" },
                    i,
                    Object::from_ptr(o).ty().name(),
                    if missing == 1 { "was" } else { "were" },
                );
            }
            (*o).ob_refcnt -= n * GUARD;
        }
        r
    }
}
