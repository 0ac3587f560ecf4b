//! `_blake2`: BLAKE2b and BLAKE2s with keys, salts, personal strings and tree parameters (RFC 7693 and the BLAKE2 paper).
//!
//! One generic state serves both: they differ in the word (64 or 32 bits), the number of rounds and the rotations.

use super::hashes::{feed, hex};
use lh_runtime::number;
use lh_runtime::prelude::*;
use std::cell::RefCell;

const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

macro_rules! core {
    ($state:ident, $word:ty, $bytes:literal, $rounds:literal, $rot:expr, $iv:expr) => {
        #[derive(Clone)]
        pub struct $state {
            h: [$word; 8],
            count: u128,
            buf: Vec<u8>,
            last_node: bool,
            out: usize,
        }
        impl $state {
            const BLOCK: usize = 16 * $bytes;
            /// `params` is the parameter block; a key is hashed as a first block of its own.
            fn new(params: &[u8], key: &[u8], out: usize, last_node: bool) -> $state {
                let mut h: [$word; 8] = $iv;
                for (x, p) in h.iter_mut().zip(params.chunks_exact($bytes)) {
                    *x ^= <$word>::from_le_bytes(p.try_into().expect("a word"));
                }
                let mut s = $state { h, count: 0, buf: vec![], last_node, out };
                if !key.is_empty() {
                    let mut block = key.to_vec();
                    block.resize(Self::BLOCK, 0);
                    s.update(&block);
                }
                s
            }
            fn compress(&mut self, block: &[u8], last: bool) {
                const R: [u32; 4] = $rot;
                let iv: [$word; 8] = $iv;
                let mut m = [0 as $word; 16];
                for (x, b) in m.iter_mut().zip(block.chunks_exact($bytes)) {
                    *x = <$word>::from_le_bytes(b.try_into().expect("a word"));
                }
                let mut v = [0 as $word; 16];
                v[..8].copy_from_slice(&self.h);
                v[8..].copy_from_slice(&iv);
                v[12] ^= self.count as $word;
                v[13] ^= (self.count >> ($bytes * 8)) as $word;
                if last {
                    v[14] = !v[14];
                    if self.last_node {
                        v[15] = !v[15];
                    }
                }
                let mut g = |a: usize, b: usize, c: usize, d: usize, x: $word, y: $word| {
                    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
                    v[d] = (v[d] ^ v[a]).rotate_right(R[0]);
                    v[c] = v[c].wrapping_add(v[d]);
                    v[b] = (v[b] ^ v[c]).rotate_right(R[1]);
                    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
                    v[d] = (v[d] ^ v[a]).rotate_right(R[2]);
                    v[c] = v[c].wrapping_add(v[d]);
                    v[b] = (v[b] ^ v[c]).rotate_right(R[3]);
                };
                for r in 0..$rounds {
                    let s = &SIGMA[r % 10];
                    for (i, (a, b, c, d)) in [
                        (0, 4, 8, 12),
                        (1, 5, 9, 13),
                        (2, 6, 10, 14),
                        (3, 7, 11, 15),
                        (0, 5, 10, 15),
                        (1, 6, 11, 12),
                        (2, 7, 8, 13),
                        (3, 4, 9, 14),
                    ]
                    .into_iter()
                    .enumerate()
                    {
                        g(a, b, c, d, m[s[2 * i]], m[s[2 * i + 1]]);
                    }
                }
                for i in 0..8 {
                    self.h[i] ^= v[i] ^ v[i + 8];
                }
            }
            /// The last block is kept back: it is compressed differently.
            fn update(&mut self, mut data: &[u8]) {
                while !data.is_empty() {
                    if self.buf.len() == Self::BLOCK {
                        self.count += Self::BLOCK as u128;
                        let b = std::mem::take(&mut self.buf);
                        self.compress(&b, false);
                        self.buf = b;
                        self.buf.truncate(0);
                    }
                    let n = data.len().min(Self::BLOCK - self.buf.len());
                    self.buf.extend_from_slice(&data[..n]);
                    data = &data[n..];
                }
            }
            fn finish(mut self) -> Vec<u8> {
                self.count += self.buf.len() as u128;
                let mut b = std::mem::take(&mut self.buf);
                b.resize(Self::BLOCK, 0);
                self.compress(&b, true);
                let mut out: Vec<u8> = self.h.iter().flat_map(|w| w.to_le_bytes()).collect();
                out.truncate(self.out);
                out
            }
        }
    };
}
core!(
    CoreB,
    u64,
    8,
    12,
    [32, 24, 16, 63],
    [
        0x6a09e667f3bcc908,
        0xbb67ae8584caa73b,
        0x3c6ef372fe94f82b,
        0xa54ff53a5f1d36f1,
        0x510e527fade682d1,
        0x9b05688c2b3e6c1f,
        0x1f83d9abfb41bd6b,
        0x5be0cd19137e2179
    ]
);
core!(
    CoreS,
    u32,
    4,
    10,
    [16, 12, 8, 7],
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]
);

struct Params {
    digest_size: i32,
    key: Vec<u8>,
    salt: Vec<u8>,
    person: Vec<u8>,
    fanout: i32,
    depth: i32,
    leaf_size: u64,
    node_offset: u64,
    node_depth: i32,
    inner_size: i32,
}

/// An unsigned argument.
fn unsigned(o: Option<&Object>, what: &str, max: u64) -> PyResult<u64> {
    let Some(o) = o else { return Ok(0) };
    let i = number::index(o)?;
    if i.is_negative() {
        return raise!(ValueError, "value must be positive");
    }
    match i.to_u64() {
        Some(v) if v <= max => Ok(v),
        _ => raise!(OverflowError, "{} is too large", what),
    }
}

impl Params {
    /// Checks the ranges and lays out the parameter block for words of `w` bytes.
    fn block(&self, w: usize) -> PyResult<Vec<u8>> {
        let (max, part) = (8 * w, 2 * w);
        if self.digest_size <= 0 || self.digest_size as usize > max {
            return raise!(ValueError, "digest_size must be between 1 and {} bytes", max);
        }
        for (v, what) in [(&self.salt, "salt"), (&self.person, "person")] {
            if v.len() > part {
                return raise!(ValueError, "maximum {} length is {} bytes", what, part);
            }
        }
        if !(0..=255).contains(&self.fanout) {
            return raise!(ValueError, "fanout must be between 0 and 255");
        }
        if !(1..=255).contains(&self.depth) {
            return raise!(ValueError, "depth must be between 1 and 255");
        }
        if !(0..=255).contains(&self.node_depth) {
            return raise!(ValueError, "node_depth must be between 0 and 255");
        }
        if self.inner_size < 0 || self.inner_size as usize > max {
            return raise!(ValueError, "inner_size must be between 0 and is {}", max);
        }
        if self.key.len() > max {
            return raise!(ValueError, "maximum key length is {} bytes", max);
        }
        let mut b = vec![self.digest_size as u8, self.key.len() as u8, self.fanout as u8, self.depth as u8];
        b.extend((self.leaf_size as u32).to_le_bytes());
        b.extend(&self.node_offset.to_le_bytes()[..if w == 8 { 8 } else { 6 }]);
        b.extend([self.node_depth as u8, self.inner_size as u8]);
        b.resize(if w == 8 { 32 } else { 16 }, 0);
        for v in [&self.salt, &self.person] {
            b.extend(v);
            b.resize(b.len() + part - v.len(), 0);
        }
        Ok(b)
    }
}

macro_rules! blake {
    ($ty:ident, $core:ident, $name:tt, $w:literal, $offset_max:expr) => {
        /// Return a new BLAKE2 hash object.
        #[pyclass(name = $name, module = "_blake2", basetype, nogc)]
        pub struct $ty {
            #[notrace]
            state: RefCell<$core>,
        }
        #[pymethods]
        impl $ty {
            #[new(name = $name, signature = "(data=b'', /, *, digest_size=64, key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0, node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True)")]
            fn new(cls: &Type, data: Option<&Object>, digest_size: Option<i32>, key: Option<Buffer>, salt: Option<Buffer>,
                person: Option<Buffer>, fanout: i32, depth: i32, leaf_size: Option<&Object>, node_offset: Option<&Object>,
                node_depth: i32, inner_size: i32, last_node: bool, usedforsecurity: bool) -> PyResult<Owned<$ty>> {
                let _ = usedforsecurity;
                let bytes = |b: Option<Buffer>| b.map_or(vec![], |b| b.to_vec());
                let p = Params {
                    digest_size: digest_size.unwrap_or(8 * $w),
                    key: bytes(key),
                    salt: bytes(salt),
                    person: bytes(person),
                    fanout,
                    depth,
                    leaf_size: unsigned(leaf_size, "leaf_size", u32::MAX as u64)?,
                    node_offset: unsigned(node_offset, "node_offset", $offset_max)?,
                    node_depth,
                    inner_size,
                };
                let block = p.block($w)?;
                let core = $core::new(&block, &p.key, p.digest_size as usize, last_node);
                let h = $ty { state: RefCell::new(core) }.build_in(cls)?;
                if let Some(d) = data {
                    h.update(d)?;
                }
                Ok(h)
            }
            /// Update this hash object's state with the provided bytes-like object.
            #[pymethod(signature = "(data, /)")]
            fn update(&self, data: &Object) -> PyResult<()> {
                feed(&self.state, data, |s, d| s.update(d))
            }
            /// Return the digest value as a bytes object.
            #[pymethod(signature = "()")]
            fn digest(&self) -> Vec<u8> {
                self.state.borrow().clone().finish()
            }
            /// Return the digest value as a string of hexadecimal digits.
            #[pymethod(signature = "()")]
            fn hexdigest(&self) -> String {
                hex(&self.digest())
            }
            /// Return a copy of the hash object.
            #[pymethod(signature = "()")]
            fn copy(&self) -> Owned<$ty> {
                $ty { state: self.state.clone() }.build()
            }
            #[getter]
            fn name(&self) -> &'static str {
                $name
            }
            #[getter]
            fn block_size(&self) -> usize {
                16 * $w
            }
            #[getter]
            fn digest_size(&self) -> usize {
                self.state.borrow().out
            }
            #[classattr]
            fn SALT_SIZE() -> i64 {
                2 * $w
            }
            #[classattr]
            fn PERSON_SIZE() -> i64 {
                2 * $w
            }
            #[classattr]
            fn MAX_KEY_SIZE() -> i64 {
                8 * $w
            }
            #[classattr]
            fn MAX_DIGEST_SIZE() -> i64 {
                8 * $w
            }
        }
    };
}
#[allow(non_snake_case)]
mod types {
    use super::*;
    blake!(Blake2b, CoreB, "blake2b", 8, u64::MAX);
    blake!(Blake2s, CoreS, "blake2s", 4, (1 << 48) - 1);
}
use types::{Blake2b, Blake2s};

module! { "_blake2", doc: "_blake2b provides BLAKE2b for hashlib", types: [Blake2b, Blake2s], init: |m| {
    crate::os::util::add_ints(m, &[
        ("BLAKE2B_SALT_SIZE", 16), ("BLAKE2B_PERSON_SIZE", 16), ("BLAKE2B_MAX_KEY_SIZE", 64), ("BLAKE2B_MAX_DIGEST_SIZE", 64),
        ("BLAKE2S_SALT_SIZE", 8), ("BLAKE2S_PERSON_SIZE", 8), ("BLAKE2S_MAX_KEY_SIZE", 32), ("BLAKE2S_MAX_DIGEST_SIZE", 32),
    ])
} }
