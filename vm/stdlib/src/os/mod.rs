//! The operating system: `posix`, `time`, `_signal`, `select`, `_socket`, …

use crate::Entry;

/// The modules of this group.
pub const MODULES: &[Entry] = &[];
