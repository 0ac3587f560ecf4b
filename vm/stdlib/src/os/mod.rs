//! The operating system: `posix`, `time`, `_signal`, `select`, `_socket`, …

use crate::Entry;

#[macro_use]
pub mod util;
pub mod errno;
mod faulthandler;
pub mod fcntl;
pub mod grp;
pub mod locale;
pub mod posix;
pub mod posixsubprocess;
pub mod pwd;
pub mod select;
pub mod signal;
pub mod socket;
mod spwd;
pub mod stat;
pub mod syslog;
pub mod time;

/// The modules of this group.
pub const MODULES: &[Entry] = &[
    ("errno", errno::make),
    ("faulthandler", faulthandler::make),
    ("fcntl", fcntl::make),
    ("grp", grp::make),
    ("_locale", locale::make),
    ("posix", posix::make),
    ("_posixsubprocess", posixsubprocess::make),
    ("pwd", pwd::make),
    ("spwd", spwd::make),
    ("select", select::make),
    ("_signal", signal::make),
    ("_socket", socket::make),
    ("_stat", stat::make),
    ("syslog", syslog::make),
    ("time", time::make),
];
