//! Text: `_codecs`, `unicodedata`, `_sre`, `_string`, …

use crate::Entry;

/// The modules of this group.
pub const MODULES: &[Entry] = &[];
