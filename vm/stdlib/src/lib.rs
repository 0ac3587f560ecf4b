//! Native modules that CPython builds in, in Rust, one file or folder each, in five groups.
//!
//! A module is an entry in its group's `MODULES`: its name and a function that makes it (see `lh_runtime::module!`).

use lh_runtime::errors::PyResult;
use lh_runtime::kinds::Module;
use lh_runtime::object::Owned;

pub mod containers;
pub mod core;
pub mod numbers;
pub mod os;
pub mod text;

/// A built-in module's name and its maker.
pub type Entry = (&'static str, fn() -> PyResult<Owned<Module>>);

/// Every native module of this crate.
pub fn modules() -> impl Iterator<Item = Entry> {
    [core::MODULES, numbers::MODULES, text::MODULES, containers::MODULES, os::MODULES]
        .into_iter()
        .flatten()
        .copied()
}
