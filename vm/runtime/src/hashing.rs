//! Hashing of text and bytes: SipHash-1-3 with a process-wide secret, as CPython 3.11 hashes `str`, `bytes` and `memoryview`.
//!
//! The secret is set once at start-up (`init_secret`): zero for `PYTHONHASHSEED=0`, derived from the number for other seeds,
//! random otherwise. Equal byte sequences hash equally whatever type holds them.

use crate::object::Object;
use std::sync::atomic::{AtomicU64, Ordering};

/// Two words for SipHash, one (`expat`) for others. Exported: some C code hashes strings by itself (`pyexpat`, numba).
#[unsafe(export_name = "_Py_HashSecret")]
static SECRET: [AtomicU64; 3] = [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)];

/// How the secret is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seed {
    Random,
    /// `PYTHONHASHSEED=n`; 0 switches randomisation off.
    Fixed(u32),
}

impl Seed {
    /// What the value of `PYTHONHASHSEED` (if set and not ignored) asks for; `None` for a value that is neither.
    pub fn from_env(value: Option<&str>) -> Option<Seed> {
        match value {
            None | Some("") | Some("random") => Some(Seed::Random),
            Some(s) => s.parse().ok().map(Seed::Fixed),
        }
    }
}

/// Sets the secret. Must run before any string is hashed (the first interned string is).
pub fn init_secret(seed: Seed) {
    let mut bytes = [0u8; 24];
    match seed {
        Seed::Fixed(0) => {}
        Seed::Fixed(n) => {
            // The linear congruential generator that makes seeded runs reproducible across machines.
            let mut x = n;
            for b in &mut bytes {
                x = x.wrapping_mul(214013).wrapping_add(2531011);
                *b = (x >> 16) as u8;
            }
        }
        Seed::Random => {
            // SAFETY: the buffer is writable for its whole length.
            let n = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
            if n != bytes.len() as isize {
                let t = std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .map_or(1, |d| d.as_nanos());
                bytes[..16].copy_from_slice(&t.to_le_bytes());
            }
        }
    }
    for (i, w) in SECRET.iter().enumerate() {
        let word = bytes[i * 8..i * 8 + 8].try_into().expect("eight bytes");
        w.store(u64::from_le_bytes(word), Ordering::Relaxed);
    }
}

/// The secret's words.
pub fn secret() -> [u64; 3] {
    [0, 1, 2].map(|i: usize| SECRET[i].load(Ordering::Relaxed))
}

/// SipHash-1-3 of `data` with the given key.
pub fn siphash13(k0: u64, k1: u64, data: &[u8]) -> u64 {
    let mut v0 = k0 ^ 0x736f_6d65_7073_6575;
    let mut v1 = k1 ^ 0x646f_7261_6e64_6f6d;
    let mut v2 = k0 ^ 0x6c79_6765_6e65_7261;
    let mut v3 = k1 ^ 0x7465_6462_7974_6573;
    macro_rules! round {
        () => {
            v0 = v0.wrapping_add(v1);
            v2 = v2.wrapping_add(v3);
            v1 = v1.rotate_left(13) ^ v0;
            v3 = v3.rotate_left(16) ^ v2;
            v0 = v0.rotate_left(32);
            v2 = v2.wrapping_add(v1);
            v0 = v0.wrapping_add(v3);
            v1 = v1.rotate_left(17) ^ v2;
            v3 = v3.rotate_left(21) ^ v0;
            v2 = v2.rotate_left(32);
        };
    }
    let (words, tail) = data.as_chunks::<8>();
    for w in words {
        let m = u64::from_le_bytes(*w);
        v3 ^= m;
        round!();
        v0 ^= m;
    }
    let mut last = [0u8; 8];
    last[..tail.len()].copy_from_slice(tail);
    last[7] = data.len() as u8;
    let m = u64::from_le_bytes(last);
    v3 ^= m;
    round!();
    v0 ^= m;
    v2 ^= 0xff;
    round!();
    round!();
    round!();
    v0 ^ v1 ^ v2 ^ v3
}

/// The Python hash of a byte sequence: never -1, and 0 for the empty one.
#[inline]
pub fn hash_bytes(data: &[u8]) -> isize {
    if data.is_empty() {
        return 0;
    }
    let k0 = SECRET[0].load(Ordering::Relaxed);
    let k1 = SECRET[1].load(Ordering::Relaxed);
    match siphash13(k0, k1, data) as isize {
        -1 => -2,
        h => h,
    }
}

/// The hash of an address, as `object.__hash__` computes it.
#[inline]
pub fn hash_pointer(o: &Object) -> isize {
    match (o.as_ptr() as usize).rotate_right(4) as isize {
        -1 => -2,
        h => h,
    }
}

/// A hasher for tables of our own whose keys are addresses, numbers and short texts that no stranger chooses: a multiplication a word.
#[derive(Default, Clone, Copy)]
pub struct QuickHasher(u64);

impl QuickHasher {
    #[inline]
    fn mix(&mut self, w: u64) {
        self.0 = (self.0.rotate_left(5) ^ w).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
impl std::hash::Hasher for QuickHasher {
    #[inline]
    fn finish(&self) -> u64 {
        // Tables use the lowest bits for the place and the uppermost ones as a mark.
        self.0 ^ (self.0 >> 29)
    }
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|w| self.mix(u64::from_le_bytes(*w)));
        rest.iter().for_each(|b| self.mix(*b as u64));
    }
    #[inline]
    fn write_u32(&mut self, n: u32) {
        self.mix(n as u64)
    }
    #[inline]
    fn write_u64(&mut self, n: u64) {
        self.mix(n)
    }
    #[inline]
    fn write_usize(&mut self, n: usize) {
        self.mix(n as u64)
    }
}
/// A map with that hasher.
pub type QuickMap<K, V> = std::collections::HashMap<K, V, std::hash::BuildHasherDefault<QuickHasher>>;

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn hashes_as_cpython_does() {
        // python3.11 -c "print(hash(...))" with PYTHONHASHSEED=0 and =42.
        assert_eq!(hash_bytes(b"a"), 4644417185603328019);
        assert_eq!(hash_bytes(b"hello world, this is longer"), -3483295518001240135);
        assert_eq!(hash_bytes(b"12345678"), 3785724242978802311);
        init_secret(Seed::Fixed(42));
        assert_eq!(hash_bytes(b"12345678"), -8868897825882322955);
        init_secret(Seed::Fixed(0));
    }
}
