//! Containers and functional tools: `itertools`, `_collections`, `_functools`, `_operator`, …

use crate::Entry;

/// The modules of this group.
pub const MODULES: &[Entry] = &[];
