//! Numbers, hashes, compression: `math`, `cmath`, `_random`, `_struct`, `zlib`, `_md5`, …

use crate::Entry;

pub mod math;
pub mod random;
pub mod structs;

/// The modules of this group.
pub const MODULES: &[Entry] = &[("math", math::make), ("_random", random::make), ("_struct", structs::make)];
