//! Text: `_codecs`, `unicodedata`, `_sre`, `_string`, …

use crate::Entry;

pub mod codecs;
pub mod sre;
pub mod string;

/// The modules of this group.
pub const MODULES: &[Entry] = &[("_codecs", codecs::make), ("_string", string::make), ("_sre", sre::make)];
