//! What the layers above install into the runtime: running functions, importing, tracebacks.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

use std::sync::OnceLock;
/// Installed by `interp` (and the import code) at start-up.
pub struct Hooks {
    /// The vectorcall of Python functions.
    pub function_vectorcall:
        unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject,
    /// `import name` (absolute); the module itself, not its top package.
    pub import_module: fn(&str) -> PyResult<Owned<Object>>,
    /// Adds the running frame, if there is one, to the traceback of the pending exception.
    pub traceback_here: fn(),
    /// The running frame's globals.
    pub current_globals: fn() -> Option<Owned<Dict>>,
    /// The running frame's builtins.
    pub current_builtins: fn() -> Owned<Dict>,
    /// Makes a frame for `f_lineno`-style reports: unused parts may be empty.
    pub current_frame: fn() -> Option<Owned<Object>>,
    /// Clears and frees what a dying generator's frame holds, etc.
    pub run_pending: fn() -> PyResult<()>,
}
pub static HOOKS: OnceLock<Hooks> = OnceLock::new();
pub fn hooks() -> &'static Hooks {
    HOOKS.get().expect("the interpreter installs its hooks before any Python code runs")
}
/// `importlib.import_module(name)`.
pub fn import_module(name: &str) -> PyResult<Owned<Object>> {
    (hooks().import_module)(name)
}

/// What signals and pending calls ask for: the signal module's and the C API's parts, each installed by its owner. They clear
/// their bit of the eval breaker themselves.
pub static SIGNAL_HOOK: OnceLock<fn() -> PyResult<()>> = OnceLock::new();
pub static PENDING_HOOK: OnceLock<fn() -> PyResult<()>> = OnceLock::new();

/// Runs signal handlers (in the main thread) and pending calls.
pub fn run_signals_and_pending() -> PyResult<()> {
    use crate::thread::{BREAK_PENDING, BREAK_SIGNAL, EVAL_BREAKER};
    use std::sync::atomic::Ordering;
    for (bit, hook) in [(BREAK_SIGNAL, &SIGNAL_HOOK), (BREAK_PENDING, &PENDING_HOOK)] {
        if EVAL_BREAKER.load(Ordering::SeqCst) & bit != 0 {
            match hook.get() {
                Some(f) => f()?,
                None => {
                    EVAL_BREAKER.fetch_and(!bit, Ordering::SeqCst);
                }
            }
        }
    }
    Ok(())
}
