//! `_typing`: helpers for the `typing` module.

use lh_runtime::prelude::*;

/// Return the argument.
#[pyfunction(signature = "(x, /)")]
fn _idfunc(x: &Object) -> Owned<Object> {
    x.own()
}

module! { "_typing", doc: "Primitives and accelerators for the typing module.", functions: [_idfunc] }
