//! The maps of the JIT: hashed by a few instructions, as all keys are small numbers nobody outside chooses.

pub use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
