//! Which crates plug into which: the only place that knows all of them.

use lh_runtime::prelude::*;
use lh_stdlib::Entry;
use lh_stdlib::core::bootstrap::Services;

/// Before the types are readied.
pub fn install_hooks() {
    lh_interp::install_hooks();
    lh_stdlib::core::ast::install();
}
/// Makes the interpreter (functions, frames, `builtins`) work; the runtime's types are ready.
pub fn start_interpreter() -> PyResult<()> {
    lh_interp::init()?;
    if lh_runtime::capidebug::on() {
        lh_runtime::quarantine::start()?;
    }
    lh_jit::install(jit_mode()?);
    Ok(())
}

/// `-X jit=off|on|stress`, else `LANCEHEAD_JIT`.
fn jit_mode() -> PyResult<lh_jit::Mode> {
    // Traces call C functions directly, past the checks of the C API's debug mode.
    if lh_runtime::capidebug::on() {
        return Ok(lh_jit::Mode::Off);
    }
    let option = lh_runtime::sysobject::config()
        .xoptions
        .iter()
        .rev()
        .find(|(k, _)| k == "jit")
        .map(|(_, v)| v.clone());
    let text = match option {
        Some(v) => v.unwrap_or_else(|| "on".into()),
        None => std::env::var("LANCEHEAD_JIT").unwrap_or_default(),
    };
    match text.as_str() {
        "off" | "0" => Ok(lh_jit::Mode::Off),
        "stress" => Ok(lh_jit::Mode::Stress),
        "on" | "1" => Ok(lh_jit::Mode::On),
        "" => Ok(DEFAULT_JIT),
        other => raise!(ValueError, "-X jit: expected off, on or stress, not '{}'", other),
    }
}
const DEFAULT_JIT: lh_jit::Mode = lh_jit::Mode::On;

/// Built-in modules of crates other than `stdlib`.
pub fn extra_modules() -> Vec<Entry> {
    lh_ctypes::MODULES.to_vec()
}

/// What the import bootstrap needs.
pub fn services() -> Services {
    Services {
        eval: |code, globals| lh_interp::eval_code(code, globals, None),
        compile: Some(|source, filename| {
            let code = crate::run::compile(&Bytes::new(source), &Str::new(filename), "exec")?;
            code.downcast_owned::<Code>().map_err(|_| raised!(SystemError, "compile() returned no code"))
        }),
    }
}
