//! Containers and functional tools: `itertools`, `_collections`, `_functools`, `_operator`, …

use crate::Entry;

mod abc;
mod collections;
mod functools;
mod itertools;
mod local;
mod operator;
mod sorted;
mod thread;
mod weakref;

/// The modules of this group.
pub const MODULES: &[Entry] = &[
    ("_abc", abc::make),
    ("_bisect", sorted::bisect::make),
    ("_collections", collections::make),
    ("_functools", functools::make),
    ("_heapq", sorted::heapq::make),
    ("_operator", operator::make),
    ("_thread", thread::make),
    ("_weakref", weakref::make),
    ("itertools", itertools::make),
];
