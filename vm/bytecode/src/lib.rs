//! CPython 3.11's bytecode as data: opcodes, inline-cache layouts, flags, the location and exception tables, a
//! model of code objects that needs no VM, and its marshal form.
//!
//! Everything here is pure: compiler, interpreter, JIT and tools share it, so it depends on nothing.
//!
//! - [`opcode`]: the one opcode table, and what follows from it (names, caches, stack effects).
//! - [`cache`]: where the fields of each inline cache lie, in code units after the instruction.
//! - [`flags`]: `CO_*` flags, kinds of fast locals, small argument encodings (`BINARY_OP`, `FORMAT_VALUE`, ...).
//! - [`location`]: `co_linetable`; [`exctable`]: `co_exceptiontable`.
//! - [`code`]: [`CodeUnit`] and [`Const`]; [`marshal`]: both as bytes, and `.pyc` headers.

pub mod cache;
pub mod code;
pub mod exctable;
pub mod flags;
pub mod location;
pub mod marshal;
pub mod opcode;

pub use code::{CodeUnit, Const, PyInt, Wtf8};
pub use opcode::Opcode;

/// The `.pyc` magic number of CPython 3.11 (the low 16 bits of [`MAGIC`]).
pub const MAGIC_NUMBER: u16 = 3495;

/// The first four bytes of a `.pyc` file of CPython 3.11.
pub const MAGIC: [u8; 4] = [0xa7, 0x0d, 0x0d, 0x0a];
