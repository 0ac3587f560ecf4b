//! Small modules about the machine itself: `_contextvars`, `_opcode`, `faulthandler`.
//!
//! `faulthandler` records that it is enabled; the Python-level dumps work,
//! those from fatal signals and watchdog timers are refused.

pub mod contextvars {
    use lh_runtime::contextobject::{Context, ContextVar, Token};
    use lh_runtime::prelude::*;

    module! {
        "_contextvars",
        doc: "Context Variables",
        functions: [copy_context],
        types: [Context, ContextVar, Token],
    }

    #[pyfunction]
    pub fn copy_context() -> Owned<Context> {
        Context::current().copy_of()
    }
}

pub mod opcode {
    use lh_runtime::prelude::*;

    module! {
        "_opcode",
        doc: "Opcode support module.",
        functions: [stack_effect, get_specialization_stats],
    }

    /// Compute the stack effect of the opcode.
    #[pyfunction(signature = "(opcode, oparg=None, /, *, jump=None)")]
    pub fn stack_effect(opcode: i32, oparg: Option<&Object>, jump: Option<&Object>) -> PyResult<i32> {
        const HAVE_ARGUMENT: i32 = 90;
        let oparg = oparg.filter(|o| !o.is_none());
        if opcode >= HAVE_ARGUMENT && oparg.is_none() {
            return raise!(ValueError, "stack_effect: opcode requires oparg but oparg was not specified");
        }
        if opcode < HAVE_ARGUMENT && oparg.is_some() {
            return raise!(ValueError, "stack_effect: opcode does not permit oparg but oparg was specified");
        }
        let arg = match oparg {
            Some(o) => lh_runtime::number::index(o)?.to_u64_wrapping() as u32,
            None => 0,
        };
        let effect = |jump: bool| {
            u8::try_from(opcode).ok().and_then(|op| lh_runtime::bytecode::opcode::stack_effect(op, arg, jump))
        };
        let r = match jump.filter(|j| !j.is_none()) {
            None => effect(true).zip(effect(false)).map(|(a, b)| a.max(b)),
            Some(j) if j.is_true_object() => effect(true),
            Some(j) if j.is_false_object() => effect(false),
            Some(_) => return raise!(ValueError, "stack_effect: jump must be False, True or None"),
        };
        match r {
            Some(n) => Ok(n),
            None => raise!(ValueError, "invalid opcode or oparg"),
        }
    }
    /// Return the specialization stats
    #[pyfunction]
    pub fn get_specialization_stats() {}
}

pub mod faulthandler {
    use lh_runtime::prelude::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    module! {
        "faulthandler",
        doc: "faulthandler module.",
        functions: [enable, disable, is_enabled, dump_traceback, dump_traceback_later, cancel_dump_traceback_later, register, unregister],
    }

    static ENABLED: AtomicBool = AtomicBool::new(false);

    /// enable(file=sys.stderr, all_threads=True): enable the fault handler
    #[pyfunction(signature = "(file=sys.stderr, all_threads=True)")]
    pub fn enable(_file: Option<&Object>, _all_threads: bool) {
        ENABLED.store(true, Ordering::Relaxed)
    }
    /// disable(): disable the fault handler
    #[pyfunction]
    pub fn disable() -> bool {
        ENABLED.swap(false, Ordering::Relaxed)
    }
    /// is_enabled()->bool: check if the handler is enabled
    #[pyfunction]
    pub fn is_enabled() -> bool {
        ENABLED.load(Ordering::Relaxed)
    }
    /// dump_traceback(file=sys.stderr, all_threads=True): dump the traceback of the current thread, or of all threads if all_threads is True, into file
    #[pyfunction(signature = "(file=sys.stderr, all_threads=True)")]
    pub fn dump_traceback(file: Option<&Object>, _all_threads: bool) -> PyResult<()> {
        let file = match file {
            Some(f) => f.own(),
            None => lh_runtime::sysobject::sys_get("stderr").unwrap_or_else(none),
        };
        if file.is_none() {
            return raise!(RuntimeError, "sys.stderr is None");
        }
        // SAFETY: this thread's own state.
        let id = unsafe { (*lh_runtime::thread::Thread::current_ptr()).thread_id };
        let mut text = format!("Current thread 0x{id:016x} (most recent call first):\n");
        let mut frame = (lh_runtime::hooks::hooks().current_frame)();
        while let Some(f) = frame.filter(|f| !f.is_none()) {
            let code = f.get_attr(intern!("f_code"))?;
            let s = |o: &Object| o.str().map(|s| s.to_str_lossy().into_owned());
            text.push_str(&format!(
                "  File \"{}\", line {} in {}\n",
                s(&*code.get_attr(intern!("co_filename"))?)?,
                s(&*f.get_attr(intern!("f_lineno"))?)?,
                s(&*code.get_attr(intern!("co_name"))?)?
            ));
            frame = Some(f.get_attr(intern!("f_back"))?);
        }
        let fd = if Int::check(&file) {
            lh_runtime::number::as_isize(&file, Some(exc::ValueError()))?
        } else {
            if let Err(e) = file.call_method("flush", &[]) {
                e.clear();
            }
            let fd = file.call_method("fileno", &[])?;
            lh_runtime::number::as_isize(&fd, Some(exc::ValueError()))?
        };
        // SAFETY: writing bytes to a descriptor.
        unsafe { libc::write(fd as i32, text.as_ptr().cast(), text.len()) };
        Ok(())
    }
    /// dump_traceback_later(timeout, repeat=False, file=sys.stderr, exit=False)
    #[pyfunction(signature = "(timeout, repeat=False, file=sys.stderr, exit=False)")]
    pub fn dump_traceback_later(
        _timeout: f64,
        _repeat: bool,
        _file: Option<&Object>,
        _exit: bool,
    ) -> PyResult<()> {
        raise!(RuntimeError, "dump_traceback_later() is not supported by Lancehead")
    }
    /// cancel_dump_traceback_later(): cancel the previous call to dump_traceback_later().
    #[pyfunction]
    pub fn cancel_dump_traceback_later() {}
    /// register(signum, file=sys.stderr, all_threads=True, chain=False)
    #[pyfunction(signature = "(signum, file=sys.stderr, all_threads=True, chain=False)")]
    pub fn register(_signum: i32, _file: Option<&Object>, _all_threads: bool, _chain: bool) -> PyResult<()> {
        raise!(RuntimeError, "faulthandler.register() is not supported by Lancehead")
    }
    /// unregister(signum): unregister the handler of the signal 'signum' registered by register()
    #[pyfunction]
    pub fn unregister(_signum: i32) -> bool {
        false
    }
}
