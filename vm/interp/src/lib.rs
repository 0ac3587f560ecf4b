//! Lancehead's interpreter: frames, the evaluation loop, generators, inline caches, tracing, `builtins`. See docs/interpreter.md.

#![allow(clippy::missing_safety_doc)]

pub mod asyncgen;
pub mod bind;
pub mod builtins;
pub mod compile;
pub mod consume;
pub mod eval;
pub mod fast;
pub mod frame;
pub mod framehook;
pub mod frameobject;
pub mod generator;
pub mod iters;
pub mod jit;
mod linejump;
pub mod operators;
pub mod ops;
pub mod plans;
pub mod prelude;
pub mod specialize;
pub mod superobject;
pub mod trace;
pub mod traceback;

use prelude::*;
use std::ptr::null_mut;

/// Installs the interpreter's hooks in the runtime. Must come before `lh_runtime::init::init_types`.
pub fn install_hooks() {
    let _ = lh_runtime::hooks::HOOKS.set(lh_runtime::hooks::Hooks {
        function_vectorcall: bind::function_vectorcall,
        import_module: lh_runtime::import::import_module,
        traceback_here,
        current_globals,
        current_builtins,
        current_frame,
        run_pending: ops::eval_breaker,
    });
    let _ = builtins::EVAL_API.set(builtins::EvalApi {
        eval_code: eval_code_closure,
        call_with_locals,
        current_locals,
        current_globals,
        current_builtins: || current_builtins().into_object(),
        current_code_flags,
        frame_locals,
        compile: compile::compile,
    });
    let _ = lh_runtime::consume::RUN.set(consume::run);
    let _ = lh_runtime::capidebug::IN_VARIABLES.set(frame::in_variables);
    let _ = lh_runtime::faultdump::FRAMES.set(|ts, f| {
        // SAFETY: the caller's thread state; its frames are looked at as they are.
        unsafe {
            let cframe = (*ts).cframe;
            if cframe.is_null() {
                return;
            }
            let mut frame = frame::complete((*cframe).current_frame.cast());
            while !frame.is_null() && f((*frame).code, frame::line(frame)) {
                frame = frame::complete((*frame).previous);
            }
        }
    });
    let _ = lh_runtime::tracemalloc::FRAMES.set(|f| {
        // SAFETY: the thread's own frames, innermost first; a frame owns its code, whose file name lives as long.
        unsafe {
            // A trace that was running when tracing began still does.
            let mut frame = jit::whole_frame(lh_runtime::thread::Thread::current_ptr());
            while !frame.is_null() {
                f((*(*frame).code).co_filename, frame::line(frame).unwrap_or(0).max(0) as u32);
                frame = frame::complete((*frame).previous);
            }
        }
    });
    // Compiled code does not keep the lines of its frames up to date.
    let _ = lh_runtime::tracemalloc::SWITCH.set(|on| {
        use std::sync::atomic::{AtomicBool, Ordering};
        static BEFORE: AtomicBool = AtomicBool::new(false);
        if on {
            BEFORE.store(jit::is_enabled(), Ordering::Relaxed);
        }
        jit::set_enabled(!on && BEFORE.load(Ordering::Relaxed));
    });
    let _ = lh_runtime::sysobject::TRACE_HOOKS.set(lh_runtime::sysobject::TraceHooks {
        set_trace: trace::set_trace,
        set_profile: trace::set_profile,
        frame_of,
    });
}

/// Readies the interpreter's own types and fills `builtins`. The runtime's types are ready.
pub fn init() -> PyResult<()> {
    frameobject::init()?;
    traceback::init()?;
    generator::init()?;
    asyncgen::init()?;
    builtins::make()?;
    Ok(())
}

/// The frame object of a thread's running Python code.
pub fn frame_of(ts: *mut PyThreadState) -> Option<Owned<Object>> {
    // SAFETY: a live thread state.
    unsafe {
        let f = frame::current(ts);
        if f.is_null() { None } else { Some(r(frame::object(f).cast()).own()) }
    }
}
pub fn current_frame() -> Option<Owned<Object>> {
    frame_of(Thread::current_ptr())
}
/// Adds the running frame, if there is one, to the traceback of the pending exception.
pub fn traceback_here() {
    let ts = Thread::current_ptr();
    // SAFETY: the current thread's frame.
    unsafe {
        let f = frame::current(ts);
        if !f.is_null() {
            traceback::here(ts, f);
        }
    }
}
/// The running frame's globals.
pub fn current_globals() -> Option<Owned<Dict>> {
    // SAFETY: the current thread's frame.
    unsafe {
        let f = frame::current(Thread::current_ptr());
        if f.is_null() { None } else { r((*f).globals).downcast::<Dict>().map(|d| d.own()) }
    }
}
/// The running frame's builtins; the interpreter's own where no frame runs.
/// As `current_builtins`, borrowed, if the running frame has them; null if not.
#[inline]
pub fn frame_builtins() -> *mut lh_abi::PyObject {
    // SAFETY: the current thread's frame.
    unsafe {
        let f = frame::current(Thread::current_ptr());
        if f.is_null() || !Dict::check(r((*f).builtins)) { std::ptr::null_mut() } else { (*f).builtins }
    }
}
pub fn current_builtins() -> Owned<Dict> {
    // SAFETY: the current thread's frame.
    unsafe {
        let f = frame::current(Thread::current_ptr());
        if !f.is_null()
            && let Some(d) = r((*f).builtins).downcast::<Dict>()
        {
            return d.own();
        }
        lh_runtime::sysobject::builtins_dict().own()
    }
}
/// The running frame's local variables as a mapping (`locals()`).
pub fn current_locals() -> PyResult {
    // SAFETY: the current thread's frame.
    unsafe {
        let f = frame::current(Thread::current_ptr());
        if f.is_null() {
            return raise!(SystemError, "frame does not exist");
        }
        frame::fast_to_locals(f)?;
        Ok(r((*f).locals).own())
    }
}

/// Runs a code object (of a module, class or `exec`) with these namespaces. `globals` gets `__builtins__` if it lacks that.
pub fn eval_code(code: &Code, globals: &Dict, locals: Option<&Object>) -> PyResult {
    eval_code_closure(code, globals, locals, None)
}

/// As `eval_code`, with the cells of the code's free variables.
pub fn eval_code_closure(
    code: &Code,
    globals: &Dict,
    locals: Option<&Object>,
    closure: Option<&Tuple>,
) -> PyResult {
    if globals.get_str_key(intern!("__builtins__"))?.is_none() {
        globals.set_item(intern!("__builtins__"), &current_builtins())?;
    }
    let f = Function::new(code, globals, None)?;
    f.set_closure(closure);
    // SAFETY: the references to function and locals go to the frame, which `run` takes over.
    unsafe {
        let ts = Thread::current_ptr();
        let l = locals.unwrap_or(globals).own().into_raw();
        let frame = bind::frame_for_call(ts, f.into_raw().cast(), l, null_mut(), 0, null_mut());
        if frame.is_null() {
            return Err(Raised::already_set());
        }
        from_c(eval::run(ts, frame, false))
    }
}

/// Runs a function without arguments whose locals are `namespace` (a class body).
pub fn call_with_locals(function: &Function, namespace: &Object) -> PyResult {
    // SAFETY: the references to function and locals go to the frame, which `run` takes over.
    unsafe {
        let ts = Thread::current_ptr();
        let l = namespace.own().into_raw();
        let f = function.own().into_raw().cast();
        let frame = bind::frame_for_call(ts, f, l, null_mut(), 0, null_mut());
        if frame.is_null() {
            return Err(Raised::already_set());
        }
        from_c(eval::run(ts, frame, false))
    }
}

/// `co_flags` of the running code, 0 if none runs.
pub fn current_code_flags() -> i32 {
    // SAFETY: the current thread's frame.
    unsafe {
        let f = frame::current(Thread::current_ptr());
        if f.is_null() { 0 } else { (*(*f).code).co_flags }
    }
}

fn frame_locals() -> Option<builtins::FrameLocals> {
    // SAFETY: the current thread's frame.
    unsafe {
        let f = frame::current(Thread::current_ptr());
        if f.is_null() {
            return None;
        }
        Some(builtins::FrameLocals { code: frame::code_ref(f).own(), locals: frame::localsplus(f) })
    }
}

/// Calls a Python function.
pub fn run_function(f: &Function, args: &[&Object]) -> PyResult {
    f.call(args)
}
