//! `LANCEHEAD_CAPI=debug`: extension functions that release references they do not own are named.
//!
//! The caller of a C function holds one reference to each argument. In this mode some more are taken for each while the function runs.
//! If fewer than all these are left afterwards, the function gave away what was not its own: a line on stderr says which function of which
//! file, and the missing references are put back, so that the program goes on. Functions of the executable itself are not watched.
//! An argument that others refer to, too, may lose references rightly (a container lets go of it). Where one has fewer than before, the
//! references that the collector finds in all objects and those of running functions' variables are counted: there must be at least
//! those and the caller's. The elements of an argument that is a list or a tuple are watched in the same way, for functions that
//! release what they only borrowed.
//! Slots of C types are not watched either: they have no name to report.

use crate::object::*;
use crate::prelude::{List, Tuple};
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

/// How many variables of running functions hold an object; set by the interpreter.
pub static IN_VARIABLES: OnceLock<fn(*mut PyObject) -> isize> = OnceLock::new();

/// The references to `o` that objects known to the collector and the variables of running functions hold.
#[cold]
unsafe fn known(o: *mut PyObject) -> isize {
    let all = crate::gc::objects(None);
    all.iter().flat_map(|x| crate::gc::referents(x)).filter(|r| r.as_ptr() == o).count() as isize
        + IN_VARIABLES.get().map_or(0, |f| f(o))
}

/// An object whose count is looked at before and after a call.
struct Watched {
    o: *mut PyObject,
    /// References that are the caller's.
    own: isize,
    /// References taken.
    taken: isize,
    /// The argument it is or, as an element, is in.
    argument: usize,
    before: isize,
}

/// How many elements of an argument are watched.
const ELEMENTS: usize = 64;

unsafe fn watched(objects: &[*mut PyObject]) -> Vec<Watched> {
    let mut all: Vec<Watched> = vec![];
    let mut add = |o: *mut PyObject, own: isize, argument: usize| {
        // SAFETY: the caller's objects and what they refer to are live.
        unsafe {
            match all.iter_mut().find(|w| w.o == o) {
                Some(w) if own == 0 || w.own == 0 => return,
                Some(w) => {
                    w.own += own;
                    w.taken += GUARD
                }
                None => all.push(Watched { o, own, taken: GUARD, argument, before: (*o).ob_refcnt }),
            }
            (*o).ob_refcnt += GUARD;
        }
    };
    for (i, o) in objects.iter().copied().filter(|o| !o.is_null()).enumerate() {
        add(o, 1, i);
    }
    for (i, o) in objects.iter().copied().filter(|o| !o.is_null()).enumerate() {
        // SAFETY: as above.
        let o = unsafe { Object::from_ptr(o) };
        if o.is_exact::<List>() || o.is_exact::<Tuple>() {
            for e in crate::gc::referents(o).iter().take(ELEMENTS) {
                add(e.as_ptr(), 0, i);
            }
        }
    }
    all
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
        let all = watched(objects);
        let r = call();
        for Watched { o, own, taken, argument, before } in all {
            let left = (*o).ob_refcnt - taken;
            // A result that is the argument holds a reference of its own.
            let due = own + (r == o) as isize;
            let missing = if left >= before { 0 } else { due + known(o) - left };
            if missing > 0 {
                (*o).ob_refcnt += missing;
                eprintln!(
                    "LANCEHEAD_CAPI=debug: {}() in {} released {} reference{} to {}its argument {} (a '{}') that {} not its own",
                    CStr::from_ptr((*def).ml_name).to_string_lossy(),
                    file,
                    missing,
                    if missing == 1 { "" } else { "s" },
                    if own == 0 { "an element of " } else { "" },
                    argument,
                    Object::from_ptr(o).ty().name(),
                    if missing == 1 { "was" } else { "were" },
                );
            }
            // An element may have been let go of rightly.
            (*o).ob_refcnt -= taken - 1;
            decref(o);
        }
        r
    }
}
