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
    lh_interp::init()
}

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
