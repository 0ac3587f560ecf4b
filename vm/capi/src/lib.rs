//! The exported C API: one file per CPython header, each function a translation of a call into the runtime.
//!
//! Data symbols (types, singletons, exceptions) are defined where they live, in `lh_runtime`. Variadic functions are a few lines
//! of C in `shim/`, which hand a `va_list` to Rust. Code inside the VM never calls through this crate.

#![allow(non_snake_case, non_upper_case_globals, private_interfaces)]

mod getargs;
mod glue;
mod names;
mod prelude;
mod va;

pub mod abstract_;
pub mod buildvalue;
pub mod bytesobject;
pub mod code;
pub mod codecs;
pub mod containers;
pub mod context;
pub mod embedding;
pub mod extras;
pub mod fileutils;
pub mod format;
pub mod initconfig;
pub mod interpreters;
pub mod longobject;
pub mod marshal;
pub mod modsupport;
pub mod moduleobject;
pub mod object;
pub mod pyerrors;
pub mod pymem;
pub mod pystate;
pub mod pythonrun;
pub mod pythread;
pub mod rare;
pub mod unicodeobject;
