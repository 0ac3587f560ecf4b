//! Containers and functional tools: `itertools`, `_collections`, `_functools`, `_operator`, …

use crate::Entry;

mod abc;
pub mod atexit;
mod collections;
mod datetime;
mod functools;
pub mod gcmod;
mod itertools;
mod local;
mod misc;
mod operator;
mod queue;
mod sorted;
mod thread;
pub mod tracemalloc;
mod weakref;
mod xxsubtype;

/// The modules of this group.
pub const MODULES: &[Entry] = &[
    ("_abc", abc::make),
    ("_bisect", sorted::bisect::make),
    ("_contextvars", misc::contextvars::make),
    ("_opcode", misc::opcode::make),
    ("_queue", queue::make),
    ("_tracemalloc", tracemalloc::make),
    ("atexit", atexit::make),
    ("gc", gcmod::make),
    ("_collections", collections::make),
    ("_datetime", datetime::make),
    ("_functools", functools::make),
    ("_heapq", sorted::heapq::make),
    ("_operator", operator::make),
    ("_thread", thread::make),
    ("_weakref", weakref::make),
    ("itertools", itertools::make),
    ("xxsubtype", xxsubtype::make),
];
