//! The interpreter. See docs/architecture.md.

pub mod builtins;
pub mod superobject;
