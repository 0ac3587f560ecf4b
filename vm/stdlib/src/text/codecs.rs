//! `_codecs`: the registry and the built-in codecs, one function each way.

use lh_runtime::buffer::BytesLike;
use lh_runtime::codecs::{self, errors as handlers, escape, single, utf};
use lh_runtime::prelude::*;

/// What a decode function reads: bytes-like objects, or (for some) strings as their UTF-8.
fn text_or_bytes<'a>(o: &'a Object) -> PyResult<std::borrow::Cow<'a, [u8]>> {
    match o.downcast::<Str>() {
        Some(s) => Ok(s.to_str()?.as_bytes().into()),
        None => bytes(o),
    }
}
fn bytes<'a>(o: &'a Object) -> PyResult<std::borrow::Cow<'a, [u8]>> {
    Ok(match BytesLike::get(o)? {
        BytesLike::Slice(s) => s.into(),
        // Handlers may run Python code: hold a copy.
        BytesLike::View(v) => v.as_bytes().to_vec().into(),
    })
}
fn strict(e: Option<&str>) -> &str {
    e.unwrap_or("strict")
}

// ---- Registry ----

/// Register a codec search function.
#[pyfunction]
fn register(search_function: &Object) -> PyResult<()> {
    codecs::register(search_function)
}
/// Unregister a codec search function and clear the registry's cache.
#[pyfunction]
fn unregister(search_function: &Object) -> PyResult<()> {
    codecs::unregister(search_function)
}
/// Look up a codec and return its CodecInfo.
#[pyfunction]
fn lookup(encoding: &str) -> PyResult<Owned<Object>> {
    codecs::lookup(encoding)
}
/// Forget a codec that was looked up.
#[pyfunction]
fn _forget_codec(encoding: &str) -> PyResult<()> {
    if codecs::forget(encoding)? {
        return Ok(());
    }
    raise!(KeyError, "{}", encoding)
}
/// Encode obj with the named codec.
#[pyfunction(signature = "(obj, encoding='utf-8', errors='strict')")]
fn encode(obj: &Object, encoding: &str, errors: Option<&str>) -> PyResult<Owned<Object>> {
    codecs::encode_object(obj, encoding, errors)
}
/// Decode obj with the named codec.
#[pyfunction(signature = "(obj, encoding='utf-8', errors='strict')")]
fn decode(obj: &Object, encoding: &str, errors: Option<&str>) -> PyResult<Owned<Object>> {
    codecs::decode_object(obj, encoding, errors)
}
/// Register an error handler under a name.
#[pyfunction]
fn register_error(errors: &str, handler: &Object) -> PyResult<()> {
    handlers::register_error(errors, handler)
}
/// Return the error handler of this name.
#[pyfunction]
fn lookup_error(errors: &str) -> PyResult<Owned<Object>> {
    handlers::lookup_error(errors)
}

// ---- Codecs ----

macro_rules! decoder {
    ($f:ident, $input:ident, |$b:ident, $e:ident, $fin:ident| $body:expr) => {
        #[pyfunction(signature = "(data, errors=None, final=False, /)")]
        fn $f(data: &Object, errors: Option<&str>, final_: bool) -> PyResult<(Owned<Str>, usize)> {
            let ($b, $e, $fin) = (&*$input(data)?, strict(errors), final_);
            let _ = $fin;
            $body
        }
    };
}
macro_rules! encoder {
    ($f:ident, |$s:ident, $e:ident| $body:expr) => {
        #[pyfunction(signature = "(str, errors=None, /)")]
        fn $f(str: &Str, errors: Option<&str>) -> PyResult<(Owned<Bytes>, usize)> {
            let ($s, $e) = (str, strict(errors));
            let _ = $e;
            Ok(($body, str.len()))
        }
    };
}

decoder!(utf_8_decode, bytes, |b, e, fin| utf::decode_utf8(b, e, fin));
decoder!(utf_7_decode, bytes, |b, e, fin| utf::decode_utf7(b, e, fin));
decoder!(utf_16_decode, bytes, |b, e, fin| utf::decode_utf16(b, e, &mut 0, fin));
decoder!(utf_16_le_decode, bytes, |b, e, fin| utf::decode_utf16(b, e, &mut -1, fin));
decoder!(utf_16_be_decode, bytes, |b, e, fin| utf::decode_utf16(b, e, &mut 1, fin));
decoder!(utf_32_decode, bytes, |b, e, fin| utf::decode_utf32(b, e, &mut 0, fin));
decoder!(utf_32_le_decode, bytes, |b, e, fin| utf::decode_utf32(b, e, &mut -1, fin));
decoder!(utf_32_be_decode, bytes, |b, e, fin| utf::decode_utf32(b, e, &mut 1, fin));
decoder!(latin_1_decode, bytes, |b, e, _fin| {
    let _ = e;
    Ok((Str::from_latin1(b), b.len()))
});
decoder!(ascii_decode, bytes, |b, e, _fin| Ok((single::decode_ascii(b, e)?, b.len())));

encoder!(utf_8_encode, |s, e| utf::encode_utf8(s, e)?);
encoder!(utf_7_encode, |s, e| Bytes::new(&utf::encode_utf7(s)));
encoder!(utf_16_le_encode, |s, e| Bytes::new(&utf::encode_utf16(s, e, -1)?));
encoder!(utf_16_be_encode, |s, e| Bytes::new(&utf::encode_utf16(s, e, 1)?));
encoder!(utf_32_le_encode, |s, e| Bytes::new(&utf::encode_utf32(s, e, -1)?));
encoder!(utf_32_be_encode, |s, e| Bytes::new(&utf::encode_utf32(s, e, 1)?));
encoder!(latin_1_encode, |s, e| Bytes::new(&single::encode_latin1(s, e)?));
encoder!(ascii_encode, |s, e| Bytes::new(&single::encode_ascii(s, e)?));
encoder!(unicode_escape_encode, |s, e| Bytes::new(&escape::encode_unicode_escape(s)));
encoder!(raw_unicode_escape_encode, |s, e| Bytes::new(&escape::encode_raw_unicode_escape(s)));

#[pyfunction(signature = "(str, errors=None, byteorder=0, /)")]
fn utf_16_encode(str: &Str, errors: Option<&str>, byteorder: i32) -> PyResult<(Owned<Bytes>, usize)> {
    Ok((Bytes::new(&utf::encode_utf16(str, strict(errors), byteorder.signum())?), str.len()))
}
#[pyfunction(signature = "(str, errors=None, byteorder=0, /)")]
fn utf_32_encode(str: &Str, errors: Option<&str>, byteorder: i32) -> PyResult<(Owned<Bytes>, usize)> {
    Ok((Bytes::new(&utf::encode_utf32(str, strict(errors), byteorder.signum())?), str.len()))
}

/// Text, bytes used and the byte order found.
type Ex = (Owned<Str>, usize, i32);
#[pyfunction(signature = "(data, errors=None, byteorder=0, final=False, /)")]
fn utf_16_ex_decode(data: &Object, errors: Option<&str>, byteorder: i32, final_: bool) -> PyResult<Ex> {
    let mut order = byteorder;
    let (s, n) = utf::decode_utf16(&bytes(data)?, strict(errors), &mut order, final_)?;
    Ok((s, n, order))
}
#[pyfunction(signature = "(data, errors=None, byteorder=0, final=False, /)")]
fn utf_32_ex_decode(data: &Object, errors: Option<&str>, byteorder: i32, final_: bool) -> PyResult<Ex> {
    let mut order = byteorder;
    let (s, n) = utf::decode_utf32(&bytes(data)?, strict(errors), &mut order, final_)?;
    Ok((s, n, order))
}

fn warn_invalid(e: escape::InvalidEscape) -> PyResult<()> {
    let Some(e) = e else { return Ok(()) };
    let octal = e.as_bytes().get(1).is_some_and(|b| matches!(b, b'0'..=b'7'));
    let what = if octal { "invalid octal escape sequence" } else { "invalid escape sequence" };
    lh_runtime::warnings::warn(exc::DeprecationWarning(), &format!("{what} '{e}'"), 1)?;
    Ok(())
}
#[pyfunction(signature = "(data, errors=None, final=True, /)")]
fn unicode_escape_decode(data: &Object, errors: Option<&str>, final_: bool) -> PyResult<(Owned<Str>, usize)> {
    let (s, n, invalid) = escape::decode_unicode_escape(&text_or_bytes(data)?, strict(errors), final_)?;
    warn_invalid(invalid)?;
    Ok((s, n))
}
#[pyfunction(signature = "(data, errors=None, final=True, /)")]
fn raw_unicode_escape_decode(
    data: &Object,
    errors: Option<&str>,
    final_: bool,
) -> PyResult<(Owned<Str>, usize)> {
    escape::decode_raw_unicode_escape(&text_or_bytes(data)?, strict(errors), final_)
}
#[pyfunction(signature = "(data, errors=None, /)")]
fn escape_decode(data: &Object, errors: Option<&str>) -> PyResult<(Owned<Bytes>, usize)> {
    let b = text_or_bytes(data)?;
    let (v, invalid) = escape::decode_escape(&b, strict(errors))?;
    warn_invalid(invalid)?;
    Ok((Bytes::new(&v), b.len()))
}
#[pyfunction(signature = "(data, errors=None, /)")]
fn escape_encode(data: &Bytes, errors: Option<&str>) -> (Owned<Bytes>, usize) {
    let _ = errors;
    (Bytes::new(&escape::encode_escape(data.as_bytes())), data.len())
}
#[pyfunction(signature = "(data, errors=None, /)")]
fn readbuffer_encode(data: &Object, errors: Option<&str>) -> PyResult<(Owned<Bytes>, usize)> {
    let _ = errors;
    let b = text_or_bytes(data)?;
    Ok((Bytes::new(&b), b.len()))
}
#[pyfunction(signature = "(data, errors=None, mapping=None, /)")]
fn charmap_decode(
    data: &Object,
    errors: Option<&str>,
    mapping: Option<&Object>,
) -> PyResult<(Owned<Str>, usize)> {
    let b = bytes(data)?;
    let m = mapping.filter(|m| !m.is_none());
    Ok((single::decode_charmap(&b, strict(errors), m)?, b.len()))
}
#[pyfunction(signature = "(str, errors=None, mapping=None, /)")]
fn charmap_encode(
    str: &Str,
    errors: Option<&str>,
    mapping: Option<&Object>,
) -> PyResult<(Owned<Bytes>, usize)> {
    let m = mapping.filter(|m| !m.is_none());
    Ok((Bytes::new(&single::encode_charmap(str, strict(errors), m)?), str.len()))
}
#[pyfunction]
fn charmap_build(map: &Str) -> PyResult<Owned<Dict>> {
    single::build_charmap(map)
}

module! { "_codecs", functions: [
    register, unregister, lookup, _forget_codec, encode, decode, register_error, lookup_error, utf_8_decode,
    utf_7_decode, utf_16_decode, utf_16_le_decode, utf_16_be_decode, utf_32_decode, utf_32_le_decode,
    utf_32_be_decode, latin_1_decode, ascii_decode, utf_8_encode, utf_7_encode, utf_16_le_encode, utf_16_be_encode,
    utf_32_le_encode, utf_32_be_encode, latin_1_encode, ascii_encode, unicode_escape_encode,
    raw_unicode_escape_encode, utf_16_encode, utf_32_encode, utf_16_ex_decode, utf_32_ex_decode,
    unicode_escape_decode, raw_unicode_escape_decode, escape_decode, escape_encode, readbuffer_encode, charmap_decode,
    charmap_encode, charmap_build,
]}
