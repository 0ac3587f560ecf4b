//! Containers and functional tools: `itertools`, `_collections`, `_functools`, `_operator`, …

use crate::Entry;

mod collections;
mod itertools;

/// The modules of this group.
pub const MODULES: &[Entry] = &[("itertools", itertools::make), ("_collections", collections::make)];
