//! The operating system: `posix`, `time`, `_signal`, `select`, `_socket`, …

use crate::Entry;

#[macro_use]
pub mod util;
pub mod errno;
pub mod posix;
pub mod signal;
pub mod stat;
pub mod time;

/// The modules of this group.
pub const MODULES: &[Entry] = &[
    ("errno", errno::make),
    ("posix", posix::make),
    ("_signal", signal::make),
    ("_stat", stat::make),
    ("time", time::make),
];
