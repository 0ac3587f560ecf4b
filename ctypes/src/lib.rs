//! `_ctypes`: C types, foreign functions and callbacks for the standard library's `ctypes` package.
//!
//! | file | what |
//! |---|---|
//! | `info.rs` | what a class knows of its C type; the metaclasses |
//! | `cdata.rs` | instances: memory, ownership, reading and writing parts |
//! | `convert.rs` | simple values to and from memory |
//! | `simple.rs` `record.rs` `field.rs` `array.rs` `pointer.rs` `funcptr.rs` | one family of types each |
//! | `call.rs` | the generic call path; `callback.rs` the way back |
//! | `sig.rs` | prototypes as `NativeSig`, and their call stubs |
//! | `functions.rs` | module functions |
//!
//! See docs/native-calls.md.

pub mod array;
pub mod call;
pub mod callback;
pub mod cdata;
pub mod convert;
pub mod field;
pub mod funcptr;
pub mod functions;
pub mod info;
pub mod place;
pub mod pointer;
pub mod record;
pub mod sig;
pub mod simple;

pub use functions::make;

use lh_runtime::errors::PyResult;
use lh_runtime::kinds::Module;
use lh_runtime::object::Owned;

/// The native modules of this crate, for the launcher.
pub const MODULES: &[(&str, fn() -> PyResult<Owned<Module>>)] = &[("_ctypes", make)];
