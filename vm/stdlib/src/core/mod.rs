//! What the interpreter itself needs: `_io`, `_imp`, `marshal`, `_thread`, `_warnings`, `_abc`, …

use crate::Entry;

/// The modules of this group.
pub const MODULES: &[Entry] = &[];
