//! Everything about native code that needs no Python object: C types, calling conventions, libraries, executable
//! memory, call stubs, libffi calls and callbacks, the private errno; and [`sig::NativeSig`], the one description of
//! something callable natively. See docs/native-calls.md.
//!
//! Users: ctypes, cppyy and the bridges describe and call; the JIT reads signatures and placements and shares the arena.

pub mod abi;
pub mod abi_a64;
pub mod arena;
pub mod callback;
pub mod ctype;
pub mod errno;
pub mod ffi;
pub mod library;
pub mod place;
pub mod publish;
pub mod sig;
pub mod stub;
mod unwind;

#[cfg(test)]
mod ffi_tests;
