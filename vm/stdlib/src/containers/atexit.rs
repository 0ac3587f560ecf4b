//! `atexit`: functions to run when the interpreter ends. The launcher calls `run_exit_functions`.

use lh_runtime::interpreter::Own;
use lh_runtime::prelude::*;
use std::cell::RefCell;

module! {
    "atexit",
    doc: "allow programmer to define multiple exit functions to be executed\nupon normal program termination.\n\nTwo public functions, register and unregister, are defined.\n",
    functions: [register, unregister, _clear, _run_exitfuncs, _ncallbacks],
}

type Callback = (Owned<Object>, Owned<Tuple>, Option<Owned<Dict>>);

type Callbacks = RefCell<Vec<Callback>>;
fn callbacks() -> &'static Callbacks {
    static CALLBACKS: Own<Callbacks> = Own::new();
    CALLBACKS.get_or_init(Callbacks::default)
}

/// Calls the registered functions, last one first; what they raise is reported.
pub fn run_exit_functions() {
    loop {
        let next = callbacks().borrow_mut().pop();
        let Some((f, args, kw)) = next else { return };
        if f.call_tuple(&args, kw.as_deref()).is_err() {
            lh_runtime::errors::write_unraisable(Some(&f), Some("Exception ignored in atexit callback"));
        }
    }
}

/// register(func, *args, **kwargs) -> func
///
/// Register a function to be executed upon normal program termination
///
///     func - function to be called at exit
///     args - optional arguments to pass to func
///     kwargs - optional keyword arguments to pass to func
///
///     func is returned to facilitate usage as a decorator.
#[pyfunction(raw)]
pub fn register(a: Args<'_>) -> PyResult {
    let Some(f) = a.get(0) else {
        return raise!(TypeError, "register() takes at least 1 argument (0 given)");
    };
    if !f.is_callable() {
        return raise!(TypeError, "the first argument must be callable");
    }
    let args = Tuple::from_vec(a.iter().skip(1).map(|o| o.own()).collect());
    let kw = if a.has_kwargs() {
        let d = Dict::new();
        for (k, v) in a.kwargs() {
            d.set_item(k, v)?;
        }
        Some(d)
    } else {
        None
    };
    callbacks().borrow_mut().push((f.own(), args, kw));
    Ok(f.own())
}
/// unregister(func) -> None
///
/// Unregister an exit function which was previously registered using
/// atexit.register
///
///     func - function to be unregistered
#[pyfunction]
pub fn unregister(func: &Object) -> PyResult<()> {
    let mut i = 0;
    loop {
        // The comparison may register or unregister functions.
        let f = callbacks().borrow().get(i).map(|c| c.0.clone());
        let Some(f) = f else { return Ok(()) };
        if f.equals_obj(func)? {
            let mut v = callbacks().borrow_mut();
            let old = if v.get(i).is_some_and(|c| c.0.is(&*f)) { Some(v.remove(i)) } else { None };
            drop(v);
            drop(old);
        } else {
            i += 1;
        }
    }
}
/// _clear() -> None
///
/// Clear the list of previously registered exit functions.
#[pyfunction]
pub fn _clear() {
    let old = std::mem::take(&mut *callbacks().borrow_mut());
    drop(old);
}
/// _run_exitfuncs() -> None
///
/// Run all registered exit functions.
///
/// If a callback raises an exception, it is logged with sys.unraisablehook.
#[pyfunction]
pub fn _run_exitfuncs() {
    run_exit_functions()
}
/// _ncallbacks() -> int
///
/// Return the number of registered exit functions.
#[pyfunction]
pub fn _ncallbacks() -> usize {
    callbacks().borrow().len()
}
