//! Procedural macros that turn plain Rust functions and `impl` blocks into Python functions, types and slots.
//!
//! - `#[pyfunction]` beside a function `f` makes a module `f` with `f::DEF`, its `PyMethodDef`.
//! - `#[pyclass]` on a struct makes it a payload kind: a Python type whose instances embed the struct.
//! - `#[pymethods]` on an `impl` block makes the type's methods, getters, slots.
//!
//! The wrappers parse arguments with CPython's wording, convert (`FromPy` / `IntoPy`), stop panics at the border and carry a
//! doc string that starts with the signature, so that `inspect.signature` works. See docs/runtime.md for examples.

use proc_macro::TokenStream;

mod class;
mod function;
mod methods;
mod signature;
mod util;

#[proc_macro_attribute]
pub fn pyfunction(attr: TokenStream, item: TokenStream) -> TokenStream {
    function::expand(attr.into(), item.into()).unwrap_or_else(|e| e.to_compile_error()).into()
}

#[proc_macro_attribute]
pub fn pyclass(attr: TokenStream, item: TokenStream) -> TokenStream {
    class::expand(attr.into(), item.into()).unwrap_or_else(|e| e.to_compile_error()).into()
}

#[proc_macro_attribute]
pub fn pymethods(attr: TokenStream, item: TokenStream) -> TokenStream {
    methods::expand(attr.into(), item.into()).unwrap_or_else(|e| e.to_compile_error()).into()
}
