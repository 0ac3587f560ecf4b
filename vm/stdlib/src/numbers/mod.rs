//! Numbers, hashes, compression: `math`, `cmath`, `_random`, `_struct`, `zlib`, `_md5`, …

use crate::Entry;

pub mod array;
pub mod binascii;
pub mod blake2;
pub mod cmath;
mod gamma;
pub mod hashes;
pub mod math;
pub mod random;
pub mod statistics;
pub mod structs;
pub mod zlib;

/// The modules of this group.
pub const MODULES: &[Entry] = &[
    ("array", array::make),
    ("binascii", binascii::make),
    ("_blake2", blake2::make),
    ("cmath", cmath::make),
    ("math", math::make),
    ("_md5", hashes::md5::make),
    ("_random", random::make),
    ("_sha1", hashes::sha1::make),
    ("_sha256", hashes::sha256::make),
    ("_sha3", hashes::sha3::make),
    ("_sha512", hashes::sha512::make),
    ("_statistics", statistics::make),
    ("_struct", structs::make),
    ("zlib", zlib::make),
];
