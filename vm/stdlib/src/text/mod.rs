//! Text: `_codecs`, `unicodedata`, `_sre`, `_string`, …

use crate::Entry;

pub mod codecs;
pub mod csv;
pub mod elementtree;
pub mod json;
pub mod pickle;
pub mod pyexpat;
pub mod sre;
pub mod string;
pub mod tokenize;
pub mod unicodedata;

/// The modules of this group.
pub const MODULES: &[Entry] = &[
    ("_codecs", codecs::make),
    ("_string", string::make),
    ("_sre", sre::make),
    ("unicodedata", unicodedata::make),
    ("_json", json::make),
    ("_pickle", pickle::make),
    ("pyexpat", pyexpat::make),
    ("_elementtree", elementtree::make),
    ("_csv", csv::make),
    ("_tokenize", tokenize::make),
];
