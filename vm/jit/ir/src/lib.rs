//! The JIT's intermediate representation: op table, traces, text form, verifier and reference executor.
//!
//! This crate knows no Python type. Memory layouts, helpers, native signatures and object classes come from the
//! embedder as numbered descriptors ([`desc::Descs`]). A trace is straight-line SSA code with at most one loop:
//! a pre-roll, the `loop` label, its phis, the body and a `jump` back.
//!
//! Invariants: an operand is defined before its user (only a phi's second operand looks forward); a guard names
//! a snapshot that describes the interpreter's state at a bytecode boundary; see [`verify`].
//!
//! Read next: [`ops`] (the table), [`trace`] (the data), `docs/jit.md`.

pub mod desc;
pub mod exec;
pub mod fuzz;
pub mod label;
pub mod ops;
pub mod parse;
pub mod plan;
pub mod print;
pub mod testing;
pub mod trace;
pub mod verify;

pub use desc::*;
pub use label::*;
pub use ops::{ArgKind, ImmKind, Op};
pub use trace::*;

#[cfg(test)]
mod tests;
