//! The codec registry and the built-in codecs.
//!
//! `errors` has the error handlers and their protocol, `utf` UTF-8/16/32/7, `single` ASCII, Latin-1 and charmap, `escape` the
//! escape codecs. `encode` and `decode` take a shortcut past the registry for the encodings everybody uses; all others
//! are Python codecs found through search functions.

use crate::errors::*;
use crate::exceptions::exc;
use crate::interpreter::Own;
use crate::kinds::*;
use crate::object::*;
use crate::strobject::clip;
use crate::{intern, raise};

pub mod errors;
pub mod escape;
pub mod single;
pub mod utf;

pub use errors::{Decoding, Encoding};

// ---- Registry ----

struct Registry {
    search: Owned<List>,
    cache: Owned<Dict>,
}

fn registry() -> &'static Registry {
    static R: Own<Registry> = Own::new();
    R.get_or_init(|| Registry { search: List::new(), cache: Dict::new() })
}

/// `codecs.register(search_function)`.
pub fn register(search: &Object) -> PyResult<()> {
    if !search.is_callable() {
        return raise!(TypeError, "argument must be callable");
    }
    registry().search.push(search.own());
    Ok(())
}

/// `codecs.unregister(search_function)`.
pub fn unregister(search: &Object) -> PyResult<()> {
    let r = registry();
    let rest: Vec<_> = r.search.to_vec().into_iter().filter(|f| !f.is(search)).collect();
    if rest.len() < r.search.len() {
        r.cache.clear();
        while r.search.pop().is_some() {}
        rest.into_iter().for_each(|f| r.search.push(f));
    }
    Ok(())
}

/// Lower case; runs of other characters than letters, digits and dots become one underscore.
pub fn normalize_name(name: &str) -> String {
    let mut out = String::new();
    let mut gap = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            if gap && !out.is_empty() {
                out.push('_');
            }
            gap = false;
            out.push(c.to_ascii_lowercase());
        } else {
            gap = true;
        }
    }
    out
}

/// The codec's `CodecInfo` (a tuple).
pub fn lookup(name: &str) -> PyResult<Owned<Object>> {
    let r = registry();
    let key = Str::new(&normalize_name(name));
    if let Some(c) = r.cache.get_item(&key)? {
        return Ok(c);
    }
    if r.search.len() == 0 {
        crate::hooks::import_module("encodings")?;
        if r.search.len() == 0 {
            return raise!(LookupError, "no codec search functions registered: can't find encoding");
        }
    }
    for f in r.search.to_vec() {
        let c = f.call1(&key)?;
        if c.is_none() {
            continue;
        }
        if c.downcast::<Tuple>().is_none_or(|t| t.len() != 4) {
            return raise!(TypeError, "codec search functions must return 4-tuples");
        }
        r.cache.set_item(&key, &c)?;
        return Ok(c);
    }
    raise!(LookupError, "unknown encoding: {}", name)
}

/// Forgets a cached codec.
pub fn forget(name: &str) -> PyResult<bool> {
    registry().cache.del_item(&Str::new(&normalize_name(name)))
}

/// The coder (0) or decoder (1) of a codec, which must be a text encoding if `text` names the alternative.
fn coder(name: &str, which: usize, text: Option<&str>) -> PyResult<Owned<Object>> {
    let c = lookup(name)?;
    if let Some(alternative) = text
        && !c.is_exact::<Tuple>()
        && let Some(flag) = c.get_attr_opt(intern!("_is_text_encoding"))?
        && !flag.is_true()?
    {
        return raise!(
            LookupError,
            "'{}' is not a text encoding; use {} to handle arbitrary codecs",
            clip(name, 400),
            alternative
        );
    }
    Ok(c.downcast::<Tuple>().expect("checked by lookup").get(which))
}

fn call_coder(
    f: &Object,
    input: &Object,
    errors: Option<&str>,
    which: &str,
    encoding: &str,
) -> PyResult<Owned<Object>> {
    let r = match errors {
        Some(e) => f.call(&[input, &Str::new(e)]),
        None => f.call(&[input]),
    };
    let r = match r {
        Ok(r) => r,
        Err(e) => return Err(wrap_failure(e, which, encoding)),
    };
    match r.downcast::<Tuple>() {
        Some(t) if t.len() == 2 => Ok(t.get(0)),
        _ if which == "encoding" => raise!(TypeError, "encoder must return a tuple (object, integer)"),
        _ => raise!(TypeError, "decoder must return a tuple (object,integer)"),
    }
}

/// Says in the exception which codec failed, where the exception's shape allows to say it.
fn wrap_failure(e: Raised, which: &str, encoding: &str) -> Raised {
    let x = e.take();
    let ty = x.ty();
    // Only plain exceptions made from one string (or nothing) can be made again with another message.
    let args = x.args();
    let plain = !x.is_instance_of_type(exc::UnicodeError())
        && !x.is_instance_of_type(exc::OSError())
        && !x.is_instance_of_type(exc::SyntaxError())
        && !x.is_instance_of_type(exc::ImportError())
        && !x.is_instance_of_type(exc::StopIteration())
        && !x.is_instance_of_type(exc::SystemExit())
        && (args.len() == 0 || args.len() == 1 && args.get(0).is_exact::<Str>())
        && ty.has_exception_layout()
        && x.get_attr_str_opt("__dict__").ok().flatten().is_none_or(|d| d.length().is_ok_and(|n| n == 0));
    if !plain {
        return raise_exc(x);
    }
    let text = x.as_object().str().map(|s| s.to_str_lossy().into_owned()).unwrap_or_default();
    let message = format!("{which} with '{encoding}' codec failed ({}: {text})", ty.name());
    match crate::exceptions::make(ty, &[&Str::new(&message)]) {
        Ok(new) => {
            new.set_cause(Some(x.own().into_object()));
            new.set_context(Some(x.into_object()));
            raise_exc(new)
        }
        Err(e) => {
            e.clear();
            raise_exc(x)
        }
    }
}

trait ExceptionShape {
    fn is_instance_of_type(&self, t: &Type) -> bool;
}
impl ExceptionShape for Object {
    fn is_instance_of_type(&self, t: &Type) -> bool {
        self.ty().is_subtype(t)
    }
}
trait TypeShape {
    fn has_exception_layout(&self) -> bool;
}
impl TypeShape for Type {
    /// No constructor and no fields of its own beyond `BaseException`'s.
    fn has_exception_layout(&self) -> bool {
        let base = exc::BaseException();
        // SAFETY: live type objects.
        unsafe {
            let (t, b) = (self.tp(), base.tp());
            // (A list of weak references is no state.)
            ((*t).tp_basicsize == (*b).tp_basicsize
                || (*t).tp_weaklistoffset != 0 && (*t).tp_basicsize <= (*b).tp_basicsize + 8)
                && (*t).tp_init.map(|f| f as usize) == (*b).tp_init.map(|f| f as usize)
        }
    }
}

/// `codecs.encode(obj, encoding, errors)`: any object, any result.
pub fn encode_object(o: &Object, encoding: &str, errors: Option<&str>) -> PyResult<Owned<Object>> {
    let f = coder(encoding, 0, None)?;
    call_coder(&f, o, errors, "encoding", encoding)
}
pub fn decode_object(o: &Object, encoding: &str, errors: Option<&str>) -> PyResult<Owned<Object>> {
    let f = coder(encoding, 1, None)?;
    call_coder(&f, o, errors, "decoding", encoding)
}

// ---- str.encode and bytes.decode ----

/// Encodings that need no registry.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    Utf8,
    Latin1,
    Ascii,
    Utf16(i32),
    Utf32(i32),
}
fn known(name: &str) -> Option<Known> {
    Some(match name {
        // What nearly everybody writes.
        "utf-8" | "utf8" => Known::Utf8,
        _ => match normalize_name(name).as_str() {
            "utf_8" | "utf8" => Known::Utf8,
            "latin_1" | "latin1" | "iso_8859_1" | "iso8859_1" => Known::Latin1,
            "ascii" | "us_ascii" => Known::Ascii,
            "utf_16" | "utf16" => Known::Utf16(0),
            "utf_32" | "utf32" => Known::Utf32(0),
            _ => return None,
        },
    })
}

fn no_nul(what: &str) -> PyResult<()> {
    if what.contains('\0') { raise!(ValueError, "embedded null character") } else { Ok(()) }
}

/// In development mode wrong names are found even where nothing has to be coded.
pub fn check_names(encoding: &str, errors: &str) -> PyResult<()> {
    // The names that start-up itself uses, before the registry is there.
    const KNOWN: [&str; 4] = ["strict", "surrogateescape", "backslashreplace", "surrogatepass"];
    if !crate::sysobject::config().dev_mode {
        return Ok(());
    }
    if known(encoding).is_none() {
        coder(encoding, 0, None)?;
    }
    if !KNOWN.contains(&errors) {
        errors::lookup_error(errors)?;
    }
    Ok(())
}

/// `s.encode(encoding, errors)`.
pub fn encode(s: &Str, encoding: &str, errors: &str) -> PyResult<Owned<Object>> {
    no_nul(encoding)?;
    no_nul(errors)?;
    check_names(encoding, errors)?;
    let v = match known(encoding) {
        Some(Known::Utf8) => return Ok(utf::encode_utf8(s, errors)?.into_object()),
        Some(Known::Latin1) => single::encode_latin1(s, errors)?,
        Some(Known::Ascii) => single::encode_ascii(s, errors)?,
        Some(Known::Utf16(o)) => utf::encode_utf16(s, errors, o)?,
        Some(Known::Utf32(o)) => utf::encode_utf32(s, errors, o)?,
        None => {
            let f = coder(encoding, 0, Some("codecs.encode()"))?;
            return call_coder(&f, s, Some(errors), "encoding", encoding);
        }
    };
    Ok(Bytes::new(&v).into_object())
}

/// As `encode`; anything but bytes is an error.
pub fn encode_to_bytes(s: &Str, encoding: &str, errors: &str) -> PyResult<Owned<Object>> {
    let r = encode(s, encoding, errors)?;
    if r.is_instance_of::<Bytes>() {
        return Ok(r);
    }
    if let Some(b) = r.downcast::<ByteArray>() {
        return Ok(Bytes::new(&b.to_vec()).into_object());
    }
    raise!(
        TypeError,
        "'{}' encoder returned '{}' instead of 'bytes'; use codecs.encode() to encode to arbitrary types",
        clip(encoding, 400),
        clip(&r.ty().name(), 400)
    )
}

/// `bytes.decode(encoding, errors)`.
pub fn decode(b: &[u8], encoding: &str, errors: &str) -> PyResult<Owned<Object>> {
    no_nul(encoding)?;
    no_nul(errors)?;
    check_names(encoding, errors)?;
    if b.is_empty() {
        return Ok(Str::empty().own().into_object());
    }
    let s = match known(encoding) {
        Some(Known::Utf8) => utf::decode_utf8(b, errors, true)?.0,
        Some(Known::Latin1) => Str::from_latin1(b),
        Some(Known::Ascii) => single::decode_ascii(b, errors)?,
        Some(Known::Utf16(_)) => utf::decode_utf16(b, errors, &mut 0, true)?.0,
        Some(Known::Utf32(_)) => utf::decode_utf32(b, errors, &mut 0, true)?.0,
        None => {
            let f = coder(encoding, 1, Some("codecs.decode()"))?;
            return call_coder(&f, &Bytes::new(b), Some(errors), "decoding", encoding);
        }
    };
    Ok(s.into_object())
}

/// As `decode`; anything but a string is an error.
pub fn decode_to_str(b: &[u8], encoding: &str, errors: &str) -> PyResult<Owned<Str>> {
    match decode(b, encoding, errors)?.downcast_owned::<Str>() {
        Ok(s) => Ok(s),
        Err(o) => raise!(
            TypeError,
            "'{}' decoder returned '{}' instead of 'str'; use codecs.decode() to decode to arbitrary types",
            clip(encoding, 400),
            clip(&o.ty().name(), 400)
        ),
    }
}

/// `os.fsencode`: UTF-8 with surrogateescape.
pub fn fs_encode(s: &Str) -> PyResult<Vec<u8>> {
    Ok(utf::encode_utf8(s, "surrogateescape")?.as_bytes().to_vec())
}
/// `os.fsdecode`.
pub fn fs_decode(b: &[u8]) -> Owned<Str> {
    match std::str::from_utf8(b) {
        Ok(s) => Str::new(s),
        Err(_) => utf::decode_utf8(b, "surrogateescape", true).expect("every byte can be escaped").0,
    }
}
pub fn decode_utf8(b: &[u8]) -> PyResult<Owned<Str>> {
    if b.is_ascii() {
        return Ok(Str::from_ascii(b));
    }
    Ok(utf::decode_utf8(b, "strict", true)?.0)
}

/// The `UnicodeEncodeError` for the first surrogate of `s`.
pub fn utf8_surrogate_error(s: &Str) -> Raised {
    match utf::encode_utf8(s, "strict") {
        Err(e) => e,
        Ok(_) => bad_internal_call(),
    }
}
