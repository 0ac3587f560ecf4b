//! Interpreters: the main one and those that `Py_NewInterpreter` makes beside it.
//!
//! All share one GIL, one heap, the static types, interned strings and compiled code. What each has for itself (`sys`, `builtins`,
//! `sys.modules`, importlib, codecs, warning filters, exit functions, …) is in variables of the type [`Own`]. Such a variable always shows
//! the value of the interpreter whose thread holds the GIL: taking the GIL for a thread of another interpreter puts the values of the one
//! away and brings those of the other in ([`activate`]). So a program with one interpreter pays one comparison each time it takes the GIL.

use crate::errors::PyResult;
use crate::pyruntime::{_PyRuntime, PyRuntime};
use crate::thread;
use core::ffi::{c_int, c_void};
use lh_abi::PyThreadState;
use std::marker::PhantomData;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicIsize, AtomicPtr, Ordering};
use std::sync::{Mutex, OnceLock};

/// `PyInterpreterState`: the head as CPython's headers have it, then what is ours.
#[repr(C)]
pub struct Interp {
    pub next: *mut Interp,
    thread_ids: [usize; 2],
    /// `_thread._count()`.
    pub threads: AtomicIsize,
    stack_size: usize,
    runtime: *const PyRuntime,
    pub id: i64,
    /// How many `InterpreterID` objects name it; with the last one it ends, if that was asked for.
    pub id_refs: i64,
    pub requires_idref: c_int,
    id_mutex: *mut c_void,
    initialized: c_int,
    pub finalizing: c_int,
    is_static: u8,
    /// Made by `_xxsubinterpreters.create(isolated=True)`: no threads, no fork.
    pub isolated: bool,
    /// The values of the [`Own`] variables, while it is not the active one.
    saved: *mut Vec<*mut c_void>,
    /// Its settings, while it is not the active one.
    settings: Settings,
}
/// Numbers that each interpreter has for itself; in plain variables while it is the active one.
#[derive(Clone, Copy)]
struct Settings {
    recursion_limit: i32,
    int_max_str_digits: i32,
    dlopen_flags: c_int,
}
impl Settings {
    fn first() -> Settings {
        let digits = crate::sysobject::config().int_max_str_digits;
        Settings {
            recursion_limit: thread::DEFAULT_RECURSION_LIMIT,
            int_max_str_digits: if digits >= 0 { digits } else { crate::intobject::DEFAULT_MAX_STR_DIGITS },
            dlopen_flags: libc::RTLD_NOW,
        }
    }
    fn active() -> Settings {
        Settings {
            recursion_limit: thread::Thread::recursion_limit(),
            int_max_str_digits: crate::intobject::max_str_digits(),
            dlopen_flags: crate::sysobject::DLOPEN_FLAGS.load(Ordering::Relaxed),
        }
    }
    fn activate(self) {
        thread::set_default_recursion_limit(self.recursion_limit);
        crate::intobject::set_max_str_digits(self.int_max_str_digits);
        crate::sysobject::DLOPEN_FLAGS.store(self.dlopen_flags, Ordering::Relaxed);
    }
}
/// The recursion limit of new threads of an interpreter.
pub(crate) fn recursion_limit_of(i: *mut Interp) -> i32 {
    if i == current() {
        return thread::Thread::recursion_limit();
    }
    // SAFETY: a live interpreter.
    unsafe { (*i).settings.recursion_limit }
}
const _: () = {
    assert!(std::mem::offset_of!(Interp, runtime) == 40);
    assert!(std::mem::offset_of!(Interp, id) == 48);
    assert!(std::mem::offset_of!(Interp, requires_idref) == 64);
    assert!(std::mem::offset_of!(Interp, is_static) == 88);
};

/// The main interpreter.
#[inline(always)]
pub fn main() -> *mut Interp {
    crate::pyruntime::interpreter().cast()
}

/// The interpreter whose values the variables show; null until the first thread takes the GIL.
static ACTIVE: AtomicPtr<Interp> = AtomicPtr::new(null_mut());

/// The interpreter of the thread that holds the GIL.
#[inline(always)]
pub fn current() -> *mut Interp {
    let i = ACTIVE.load(Ordering::Relaxed);
    if i.is_null() { main() } else { i }
}
#[inline]
pub fn is_main() -> bool {
    current() == main()
}

/// Called by whoever has just taken the GIL.
#[inline(always)]
pub(crate) fn entered(ts: *mut PyThreadState) {
    // SAFETY: the caller's own state.
    let interp = unsafe { (*ts).interp }.cast::<Interp>();
    // SAFETY: as above. Who saw the request meanwhile took it for its own, and forgot it.
    if unsafe { !(*ts).async_exc.is_null() } {
        thread::EVAL_BREAKER.fetch_or(thread::BREAK_ASYNC_EXC, Ordering::SeqCst);
    }
    if interp != ACTIVE.load(Ordering::Relaxed) {
        // SAFETY: the GIL is held; a thread's interpreter is live.
        unsafe { activate(interp) };
    }
}

/// Makes the variables show the values of `new`.
///
/// # Safety
/// The GIL is held; `new` is live.
#[cold]
pub unsafe fn activate(new: *mut Interp) {
    // SAFETY: the caller's promise; both lists of values belong to their interpreters.
    unsafe {
        let old = ACTIVE.swap(new, Ordering::Relaxed);
        if old.is_null() || old == new {
            return;
        }
        let vars = VARIABLES.lock().expect("never poisoned");
        let (away, back) = (saved_of(old), saved_of(new));
        (*away).clear();
        for (i, v) in vars.iter().enumerate() {
            let value = (&*back).get(i).copied().unwrap_or(null_mut());
            (*away).push(v.at.swap(value, Ordering::Relaxed));
        }
        (*back).clear();
        drop(vars);
        (*old).settings = Settings::active();
        (*new).settings.activate();
        if new == main() {
            thread::look_at_signals();
        }
    }
}
/// # Safety
/// A live interpreter; the GIL is held.
unsafe fn saved_of(i: *mut Interp) -> *mut Vec<*mut c_void> {
    // SAFETY: the caller's promise.
    unsafe {
        if (*i).saved.is_null() {
            (*i).saved = Box::into_raw(Box::default());
        }
        (*i).saved
    }
}

// ---- Variables ----

struct Variable {
    at: &'static AtomicPtr<c_void>,
    free: unsafe fn(*mut c_void),
}
/// Every variable that has had a value, in order of the first time.
static VARIABLES: Mutex<Vec<Variable>> = Mutex::new(Vec::new());

/// A variable that each interpreter has for itself; empty at first. Only the holder of the GIL uses it.
pub struct Own<T: 'static> {
    at: AtomicPtr<c_void>,
    listed: AtomicBool,
    of: PhantomData<T>,
}
// SAFETY: used only with the GIL held.
unsafe impl<T> Sync for Own<T> {}

impl<T: 'static> Default for Own<T> {
    fn default() -> Self {
        Own::new()
    }
}
impl<T: 'static> Own<T> {
    pub const fn new() -> Own<T> {
        Own { at: AtomicPtr::new(null_mut()), listed: AtomicBool::new(false), of: PhantomData }
    }
    /// The value, which stays until it is replaced or its interpreter ends.
    #[inline(always)]
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: null or a box of this variable's.
        unsafe { self.at.load(Ordering::Relaxed).cast::<T>().as_ref() }
    }
    #[inline]
    pub fn get_or_init(&'static self, make: impl FnOnce() -> T) -> &'static T {
        match self.get() {
            Some(v) => v,
            None => {
                let v = make();
                if self.get().is_none() {
                    self.set(v);
                }
                self.get().expect("just set")
            }
        }
    }
    /// Puts a value in place of the old one, which is dropped.
    pub fn set(&'static self, v: T) {
        unsafe fn free<T>(p: *mut c_void) {
            // SAFETY: a box of this variable's, given up by it.
            drop(unsafe { Box::from_raw(p.cast::<T>()) });
        }
        let old = self.at.swap(Box::into_raw(Box::new(v)).cast(), Ordering::Relaxed);
        if !self.listed.swap(true, Ordering::Relaxed) {
            VARIABLES.lock().expect("never poisoned").push(Variable { at: &self.at, free: free::<T> });
        }
        if !old.is_null() {
            // SAFETY: the old value's box.
            unsafe { free::<T>(old) }
        }
    }
    pub fn take(&self) -> Option<T> {
        let old = self.at.swap(null_mut(), Ordering::Relaxed).cast::<T>();
        // SAFETY: null or a box that the variable has given up.
        (!old.is_null()).then(|| unsafe { *Box::from_raw(old) })
    }
    /// The value that an interpreter has, active or not.
    ///
    /// # Safety
    /// A live interpreter; the GIL is held.
    pub unsafe fn of(&self, i: *mut Interp) -> Option<&'static T> {
        if i == current() {
            return self.get();
        }
        let vars = VARIABLES.lock().expect("never poisoned");
        let at = vars.iter().position(|v| std::ptr::eq(v.at, &self.at))?;
        // SAFETY: the caller's promise; null or a box of this variable's.
        unsafe { (&*saved_of(i)).get(at)?.cast::<T>().as_ref() }
    }
}

// ---- All interpreters ----

/// What the launcher knows of an interpreter's life.
pub struct Life {
    /// Everything a program may rely on before its first line; the new interpreter is the active one.
    pub start: fn() -> PyResult<()>,
    /// Waits for threads and runs exit functions.
    pub wind_down: fn(),
    /// Empties the modules.
    pub take_down: fn(),
    /// Reports the pending exception.
    pub report: fn(),
}
pub static LIFE: OnceLock<Life> = OnceLock::new();
/// Tells the JIT that nothing of an interpreter's program will run any more.
pub static ON_END: OnceLock<fn(*mut Interp)> = OnceLock::new();

/// Addresses of all interpreters but the main one, newest first.
static OTHERS: Mutex<Vec<usize>> = Mutex::new(Vec::new());
static NEXT_ID: AtomicI64 = AtomicI64::new(1);

/// All interpreters, newest first.
pub fn all() -> Vec<*mut Interp> {
    let others = OTHERS.lock().expect("never poisoned");
    others.iter().map(|p| *p as *mut Interp).chain([main()]).collect()
}
pub fn head() -> *mut Interp {
    all()[0]
}
pub fn by_id(id: i64) -> Option<*mut Interp> {
    // SAFETY: listed interpreters are live.
    all().into_iter().find(|i| unsafe { (**i).id } == id)
}

/// A new interpreter without a thread. Does not need the GIL.
pub fn alloc(isolated: bool) -> *mut Interp {
    let i = Box::into_raw(Box::new(Interp {
        next: null_mut(),
        thread_ids: [0; 2],
        threads: AtomicIsize::new(0),
        stack_size: 0,
        runtime: &raw const _PyRuntime,
        id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        id_refs: 0,
        requires_idref: 0,
        id_mutex: null_mut(),
        initialized: 1,
        finalizing: 0,
        is_static: 0,
        isolated,
        saved: null_mut(),
        settings: Settings::first(),
    }));
    let mut all = OTHERS.lock().expect("never poisoned");
    // SAFETY: nobody else knows it yet.
    unsafe { (*i).next = all.first().map_or_else(main, |p| *p as *mut Interp) };
    all.insert(0, i as usize);
    i
}

/// Drops the values that the active interpreter has for itself. What goes last may want another look at what went first.
fn drop_values() {
    for _ in 0..3 {
        let vars: Vec<_> = VARIABLES.lock().expect("never poisoned").iter().map(|v| (v.at, v.free)).collect();
        for (at, free) in vars.into_iter().rev() {
            let old = at.swap(null_mut(), Ordering::Relaxed);
            if !old.is_null() {
                // SAFETY: the value's own function; the variable has given it up.
                unsafe { free(old) }
            }
        }
    }
}

/// `PyInterpreterState_Clear`: the interpreter is not used any more.
///
/// # Safety
/// The GIL is held; the interpreter is live, and not the main one.
pub unsafe fn clear(i: *mut Interp) {
    // SAFETY: the caller's promise.
    unsafe {
        let before = current();
        activate(i);
        drop_values();
        activate(if before == i { main() } else { before });
    }
}
/// `PyInterpreterState_Delete`.
///
/// # Safety
/// The interpreter was cleared, and has no threads.
pub unsafe fn delete(i: *mut Interp) {
    {
        let mut all = OTHERS.lock().expect("never poisoned");
        all.retain(|p| *p != i as usize);
        let mut after = main();
        for p in all.iter().rev() {
            // SAFETY: listed interpreters are live.
            unsafe { (*(*p as *mut Interp)).next = after };
            after = *p as *mut Interp;
        }
    }
    // SAFETY: it was made by `alloc`; nobody knows it any more.
    unsafe {
        if !(*i).saved.is_null() {
            drop(Box::from_raw((*i).saved));
        }
        drop(Box::from_raw(i));
    }
}

/// `Py_NewInterpreter`: the state of its first thread, which is now the calling thread's; null if it could not be started (that was reported).
pub fn create(isolated: bool) -> *mut PyThreadState {
    let Some(life) = LIFE.get() else { return null_mut() };
    let i = alloc(isolated);
    let ts = thread::alloc_state(i);
    // SAFETY: a new state.
    let before = unsafe { thread::swap(ts) };
    if (life.start)().is_ok() {
        return ts;
    }
    (life.report)();
    // SAFETY: the half-made interpreter is the active one, with this one thread.
    unsafe {
        (life.take_down)();
        remove(ts);
        thread::swap(before);
    }
    null_mut()
}

/// The last steps of an interpreter with its only thread, the current one.
///
/// # Safety
/// The GIL is held by `ts`, whose interpreter is not the main one.
unsafe fn remove(ts: *mut PyThreadState) {
    // SAFETY: the caller's promise.
    unsafe {
        let i = (*ts).interp.cast::<Interp>();
        if let Some(f) = ON_END.get() {
            f(i);
        }
        thread::clear_state(ts);
        drop_values();
        activate(main());
        thread::unlist(ts);
        thread::gil_release();
        thread::free_state(ts);
        delete(i);
    }
}

/// `Py_EndInterpreter`. Afterwards the calling thread has no state.
///
/// # Safety
/// `ts` is a thread state.
pub unsafe fn end(ts: *mut PyThreadState) {
    let fatal = |m: &[u8]| -> ! { crate::faultdump::fatal(Some(c"Py_EndInterpreter"), m) };
    // SAFETY: the caller's promise.
    unsafe {
        if ts != thread::Thread::current_ptr() {
            fatal(b"thread is not current");
        }
        if !(*(*ts).cframe).current_frame.is_null() {
            fatal(b"thread still has a frame");
        }
        let i = (*ts).interp.cast::<Interp>();
        (*i).finalizing = 1;
        let life = LIFE.get().expect("an interpreter was made");
        (life.wind_down)();
        if thread::states_of(i) != [ts] {
            fatal(b"not the last thread");
        }
        if let Some(f) = ON_END.get() {
            f(i);
        }
        (life.take_down)();
        remove(ts);
    }
}

/// One `InterpreterID` less: with the last one the interpreter ends, if that was asked for.
///
/// # Safety
/// The GIL is held; a live interpreter.
pub unsafe fn id_decref(i: *mut Interp) {
    // SAFETY: the caller's promise.
    unsafe {
        (*i).id_refs -= 1;
        if (*i).id_refs > 0 || (*i).requires_idref == 0 || (*i).finalizing != 0 || i == main() {
            return;
        }
        let Some(&ts) = thread::states_of(i).first() else { return };
        let before = thread::swap(ts);
        end(ts);
        thread::swap(before);
    }
}
