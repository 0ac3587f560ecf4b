//! The operating system: `posix`, `time`, `_signal`, `select`, `_socket`, …

use crate::Entry;

#[macro_use]
pub mod util;
pub mod errno;
pub mod fcntl;
pub mod grp;
pub mod posix;
pub mod posixsubprocess;
pub mod pwd;
pub mod select;
pub mod signal;
pub mod stat;
pub mod time;

/// The modules of this group.
pub const MODULES: &[Entry] = &[
    ("errno", errno::make),
    ("fcntl", fcntl::make),
    ("grp", grp::make),
    ("posix", posix::make),
    ("_posixsubprocess", posixsubprocess::make),
    ("pwd", pwd::make),
    ("select", select::make),
    ("_signal", signal::make),
    ("_stat", stat::make),
    ("time", time::make),
];
