//! `LANCEHEAD_CAPI=debug`: extension functions that release references they do not own are named.
//!
//! The caller of a C function holds one reference to each argument. In this mode some more are taken for each while the function runs.
//! If fewer than all these are left afterwards, the function gave away what was not its own: a line on stderr says which function of which
//! file, and the missing references are put back, so that the program goes on. Functions of the executable itself are not watched.
//! An argument that others refer to, too, may lose references rightly (a container lets go of it). Where one has fewer than before, the
//! references that the collector finds in all objects and those of running functions' variables are counted: there must be at least
//! those and the caller's. The elements of an argument that is a list or a tuple are watched in the same way, for functions that
//! release what they only borrowed. A result has to be the caller's, too: where it is an object that others hold, these are counted in the
//! same way; for `None` and its like, which everybody holds, it is how the call changes their counts.
//! Slots of C types are not watched: they have no name to report. What they release too often is found by `quarantine.rs`.

use crate::object::*;
use crate::prelude::{List, Tuple};
use lh_abi::*;
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::CStr;
use std::sync::{Mutex, OnceLock};

/// References taken for each argument: enough to survive what a wrong function gives away.
const GUARD: isize = 1000;

/// Is the mode on?
pub fn on() -> bool {
    static ON: OnceLock<bool> = OnceLock::new();
    *ON.get_or_init(|| std::env::var_os("LANCEHEAD_CAPI").is_some_and(|v| v == "debug"))
}

/// The file that an address lies in, unless it is the executable, and where the file begins.
pub(crate) fn foreign_file(f: *const core::ffi::c_void) -> Option<(String, usize)> {
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
    (base != own).then_some((name, base))
}
/// A function by its name and file.
///
/// # Safety
/// A live definition.
pub(crate) unsafe fn describe(def: *mut PyMethodDef) -> String {
    // SAFETY: the caller's promise.
    unsafe {
        let file = (*def).ml_meth.and_then(|f| foreign_file(f as *const core::ffi::c_void));
        format!(
            "{}() in {}",
            CStr::from_ptr((*def).ml_name).to_string_lossy(),
            file.map_or("?".into(), |f| f.0)
        )
    }
}

thread_local! {
    /// The extension's function that is running.
    static RUNNING: Cell<*mut PyMethodDef> = const { Cell::new(core::ptr::null_mut()) };
}
pub(crate) fn running() -> *mut PyMethodDef {
    RUNNING.try_with(Cell::get).unwrap_or(core::ptr::null_mut())
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
        if (*def).ml_meth.and_then(|f| foreign_file(f as *const core::ffi::c_void)).is_none() {
            return call();
        }
        let all = watched(objects);
        let before = Before::of(def);
        let outer = RUNNING.replace(def);
        let r = call();
        RUNNING.set(outer);
        let freed = !r.is_null() && crate::quarantine::is_freed(r);
        if !freed {
            before.check(def, r, &all);
        }
        for Watched { o, own, taken, argument, before } in all {
            let left = (*o).ob_refcnt - taken;
            // A result that is the argument holds a reference of its own.
            let result = (r == o) as isize;
            let missing = if left >= before + result { 0 } else { own + result + known(o) - left };
            if missing > 0 {
                (*o).ob_refcnt += missing;
                eprintln!(
                    "LANCEHEAD_CAPI=debug: {} released {} reference{} to {}its argument {} (a '{}') that {} not its own",
                    describe(def),
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
        if freed {
            let _ = crate::raised!(SystemError, "{} returned an object that has been freed", describe(def));
            return core::ptr::null_mut();
        }
        r
    }
}

/// What is known of a function from its earlier calls.
#[derive(Default, Clone, Copy)]
struct Record {
    calls: u64,
    /// The singleton that it seems to return without a reference.
    suspected: usize,
    /// Calls one after another in which it did, and how often it turned out that it didn't.
    strikes: u32,
    cleared: u32,
}
static RECORDS: Mutex<Option<HashMap<usize, Record>>> = Mutex::new(None);

fn record<R>(def: *mut PyMethodDef, f: impl FnOnce(&mut Record) -> R) -> R {
    let mut all = RECORDS.lock().unwrap_or_else(|e| e.into_inner());
    f(all.get_or_insert_default().entry(def as usize).or_default())
}
fn singletons() -> [*mut PyObject; 5] {
    use crate::singletons::*;
    [none_ref(), bool_ref(true), bool_ref(false), ellipsis_ref(), not_implemented_ref()].map(Object::as_ptr)
}
/// `None` and its like are held from everywhere: their counts say nothing by themselves, only how a call changes them.
struct Before {
    counts: [isize; 5],
    /// For the suspected one also the references that are known.
    known: isize,
}
/// Calls in a row after which a function is named: whose result it is; that releases one otherwise (what it holds may be in memory that the
/// collector can't look into, and rightly let go of).
const STRIKES: [u32; 2] = [2, 20];
/// Suspicions after which a function that did nothing wrong is left alone.
const CLEARED: u32 = 4;
/// Results of a function's first calls, and then of every so many, are looked for in all objects.
const FIRST: u64 = 16;

impl Before {
    fn of(def: *mut PyMethodDef) -> Before {
        let suspected = record(def, |r| {
            r.calls += 1;
            if r.strikes < STRIKES[1] { r.suspected as *mut PyObject } else { core::ptr::null_mut() }
        });
        // SAFETY: singletons are live.
        unsafe {
            Before {
                counts: singletons().map(|o| (*o).ob_refcnt),
                known: if suspected.is_null() { 0 } else { known(suspected) },
            }
        }
    }
    /// Is the result `r` the caller's, if it is no argument? And were singletons only released that were held?
    unsafe fn check(self, def: *mut PyMethodDef, r: *mut PyObject, arguments: &[Watched]) {
        // SAFETY: live objects and a live definition.
        unsafe {
            for (i, s) in singletons().into_iter().enumerate() {
                // The arguments' own accounts say more.
                if !arguments.iter().any(|w| w.o == s) {
                    self.check_singleton(def, s, self.counts[i], s == r);
                } else if s == r {
                    record(def, |k| k.suspected = 0);
                }
            }
            if r.is_null() || singletons().contains(&r) || arguments.iter().any(|w| w.o == r) {
                return;
            }
            let calls = record(def, |k| k.calls);
            if calls <= FIRST || calls.is_power_of_two() {
                let missing = 1 + known(r) - (*r).ob_refcnt;
                if missing > 0 {
                    (*r).ob_refcnt += missing;
                    eprintln!(
                        "LANCEHEAD_CAPI=debug: {} returned its result (a '{}') without a reference to it of its own",
                        describe(def),
                        Object::from_ptr(r).ty().name()
                    );
                }
            }
        }
    }
    unsafe fn check_singleton(&self, def: *mut PyMethodDef, s: *mut PyObject, before: isize, result: bool) {
        // SAFETY: singletons and definitions are live.
        unsafe {
            let change = (*s).ob_refcnt - before - result as isize;
            let old = record(def, |k| *k);
            if old.suspected != s as usize {
                // Something else may have let go of one meanwhile, so that this is no proof.
                if change < 0 && old.suspected == 0 && old.cleared < CLEARED {
                    record(def, |k| (k.suspected, k.strikes) = (s as usize, 0));
                }
            } else if old.strikes >= STRIKES[!result as usize] {
                (*s).ob_refcnt += result as isize;
            } else if change - (known(s) - self.known) >= 0 {
                record(def, |k| (k.suspected, k.cleared) = (0, k.cleared + 1));
            } else {
                (*s).ob_refcnt += result as isize;
                record(def, |k| k.strikes += 1);
                if old.strikes + 1 == STRIKES[!result as usize] {
                    let name = Object::from_ptr(s).repr_lossy();
                    let what = if result { "return" } else { "release" };
                    eprintln!(
                        "LANCEHEAD_CAPI=debug: {} seems to {what} {name} without a reference to it of its own",
                        describe(def)
                    );
                }
            }
        }
    }
}
/// References that the singletons get at the start, so that they outlive the functions that release them.
pub(crate) fn hold_singletons() {
    for o in singletons() {
        // SAFETY: singletons are live.
        unsafe { (*o).ob_refcnt += 1 << 30 }
    }
}
