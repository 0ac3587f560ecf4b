//! `str`: CPython's compact kinds (1, 2 or 4 bytes a character), interning, hashing, UTF-8 view.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl Str {
    pub fn new(s: &str) -> Owned<Str> { todo!() }
    /// A string of these code points (surrogates allowed).
    pub fn from_code_points(s: &[u32]) -> Owned<Str> { todo!() }
    pub fn from_latin1(s: &[u8]) -> Owned<Str> { todo!() }
    /// One character.
    pub fn from_char(c: u32) -> Owned<Str> { todo!() }
    pub fn empty() -> &'static Str { todo!() }
    /// The interned string of this text, kept for ever.
    pub fn interned(s: &str) -> &'static Str { todo!() }
    /// The canonical equal string (for exact `str`).
    pub fn intern(s: Owned<Str>) -> Owned<Str> { todo!() }
    /// Length in code points.
    pub fn len(&self) -> usize { todo!() }
    /// Code point `i`; `i < len()`.
    pub fn char_at(&self, i: usize) -> u32 { todo!() }
    /// 1, 2 or 4.
    pub fn kind(&self) -> u8 { todo!() }
    pub fn is_ascii(&self) -> bool { todo!() }
    /// Start of the character array, `kind()` bytes each.
    pub fn data(&self) -> *const u8 { todo!() }
    /// UTF-8 (cached in the object); raises `UnicodeEncodeError` for surrogates.
    pub fn to_str(&self) -> PyResult<&str> { todo!() }
    /// Surrogates become U+FFFD.
    pub fn to_str_lossy(&self) -> std::borrow::Cow<'_, str> { todo!() }
    /// The cached hash (never -1).
    pub fn hash(&self) -> isize { todo!() }
    pub fn equals(&self, other: &Str) -> bool { todo!() }
    pub fn equals_str(&self, other: &str) -> bool { todo!() }
    pub fn cmp(&self, other: &Str) -> std::cmp::Ordering { todo!() }
    pub fn concat(&self, other: &Str) -> PyResult<Owned<Str>> { todo!() }
    /// Code points `start..end`, clipped.
    pub fn slice(&self, start: usize, end: usize) -> Owned<Str> { todo!() }
    /// `sep.join(items)`.
    pub fn join(&self, items: &Object) -> PyResult<Owned<Str>> { todo!() }
    pub fn chars(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.len()).map(|i| self.char_at(i))
    }
}

/// Builds a string piece by piece, widening as needed.
#[derive(Default)]
pub struct StrBuilder { points: Vec<u32> }
impl StrBuilder {
    pub fn new() -> StrBuilder { todo!() }
    pub fn push(&mut self, c: u32) { todo!() }
    pub fn push_str(&mut self, s: &str) { todo!() }
    pub fn push_obj(&mut self, s: &Str) { todo!() }
    pub fn push_slice(&mut self, s: &Str, start: usize, end: usize) { todo!() }
    pub fn len(&self) -> usize { todo!() }
    pub fn finish(self) -> Owned<Str> { todo!() }
}
