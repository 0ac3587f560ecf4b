//! The codec registry and the built-in codecs (UTF-8/16/32, Latin-1, ASCII, escapes, charmap), error handlers.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

/// `s.encode(encoding, errors)`.
pub fn encode(s: &Str, encoding: &str, errors: &str) -> PyResult<Owned<Object>> { todo!() }
/// `bytes.decode(encoding, errors)`.
pub fn decode(b: &[u8], encoding: &str, errors: &str) -> PyResult<Owned<Object>> { todo!() }
/// `os.fsencode`: UTF-8 with surrogateescape.
pub fn fs_encode(s: &Str) -> PyResult<Vec<u8>> { todo!() }
/// `os.fsdecode`.
pub fn fs_decode(b: &[u8]) -> Owned<Str> { todo!() }
pub fn decode_utf8(b: &[u8]) -> PyResult<Owned<Str>> { todo!() }
/// The `UnicodeEncodeError` for the first surrogate of `s`.
pub fn utf8_surrogate_error(s: &Str) -> Raised { todo!() }
pub fn encode_to_bytes(s: &Str, encoding: &str, errors: &str) -> PyResult<Owned<Object>> { todo!() }
pub fn decode_to_str(b: &[u8], encoding: &str, errors: &str) -> PyResult<Owned<Str>> { todo!() }
