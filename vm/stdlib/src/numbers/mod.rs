//! Numbers, hashes, compression: `math`, `cmath`, `_random`, `_struct`, `zlib`, `_md5`, …

use crate::Entry;

/// The modules of this group.
pub const MODULES: &[Entry] = &[];
