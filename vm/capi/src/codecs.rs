//! `codecs.h`: the codec registry and the error handlers.

use crate::prelude::*;
use lh_runtime::codecs;

fn module() -> PyResult {
    lh_runtime::import::import_module("_codecs")
}
/// The error handler of a name (`strict` if there is none).
fn handler(name: &str) -> PyResult {
    module()?.call_method("lookup_error", &[&*Str::new(name)])
}
fn convert(f: &str, o: &Object, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult {
    let encoding = str_of(encoding.unwrap_or(c"utf-8"));
    match errors {
        Some(r) => module()?.call_method(f, &[o, &*encoding, &*str_of(r)]),
        None => module()?.call_method(f, &[o, &*encoding]),
    }
}
/// A part of a codec: 0 the encoder, 1 the decoder, 2 the stream reader, 3 the stream writer.
fn part(encoding: &CStr, i: usize) -> PyResult {
    let c = codecs::lookup(&text(encoding))?;
    match c.downcast::<Tuple>().and_then(|t| t.iter().nth(i)) {
        Some(v) => Ok(v.own()),
        None => raise!(TypeError, "codec search functions must return 4-tuples"),
    }
}
fn call_with_errors(f: &Object, first: Option<&Object>, errors: Option<&CStr>) -> PyResult {
    let errors = errors.map(|e| str_of(e).into_object());
    let args: Vec<&Object> = first.into_iter().chain(errors.as_deref()).collect();
    f.call(&args)
}

capi! {
    fn PyCodec_Register(f: &Object) -> status { codecs::register(f) }
    fn PyCodec_Unregister(f: &Object) -> status { codecs::unregister(f) }
    fn _PyCodec_Lookup(name: &CStr) -> obj { codecs::lookup(&text(name)) }
    fn PyCodec_KnownEncoding(name: &CStr) -> [c_int] {
        match codecs::lookup(&text(name)) { Ok(_) => 1, Err(e) => { e.clear(); 0 } }
    }
    fn PyCodec_Encode(o: &Object, encoding: Option<&CStr>, errors: Option<&CStr>) -> obj { convert("encode", o, encoding, errors) }
    fn PyCodec_Decode(o: &Object, encoding: Option<&CStr>, errors: Option<&CStr>) -> obj { convert("decode", o, encoding, errors) }
    fn PyCodec_Encoder(encoding: &CStr) -> obj { part(encoding, 0) }
    fn PyCodec_Decoder(encoding: &CStr) -> obj { part(encoding, 1) }
    fn PyCodec_StreamReader(encoding: &CStr, stream: &Object, errors: Option<&CStr>) -> obj {
        call_with_errors(&*part(encoding, 2)?, Some(stream), errors)
    }
    fn PyCodec_StreamWriter(encoding: &CStr, stream: &Object, errors: Option<&CStr>) -> obj {
        call_with_errors(&*part(encoding, 3)?, Some(stream), errors)
    }
    fn PyCodec_IncrementalEncoder(encoding: &CStr, errors: Option<&CStr>) -> obj {
        call_with_errors(&*codecs::lookup(&text(encoding))?.get_attr_str("incrementalencoder")?, None, errors)
    }
    fn PyCodec_IncrementalDecoder(encoding: &CStr, errors: Option<&CStr>) -> obj {
        call_with_errors(&*codecs::lookup(&text(encoding))?.get_attr_str("incrementaldecoder")?, None, errors)
    }
    fn PyCodec_RegisterError(name: &CStr, f: &Object) -> status { module()?.call_method("register_error", &[&*str_of(name), f]).map(drop) }
    fn PyCodec_LookupError(name: Option<&CStr>) -> obj { handler(&name.map_or("strict".into(), text)) }
    fn PyCodec_StrictErrors(e: &Object) -> borrowed {
        match e.downcast::<Exception>() {
            Some(x) => Err(lh_runtime::errors::raise_exc_with_context(x.own())),
            None => raise!(TypeError, "codec must pass exception instance"),
        }
    }
    fn PyCodec_IgnoreErrors(e: &Object) -> obj { handler("ignore")?.call1(e) }
    fn PyCodec_ReplaceErrors(e: &Object) -> obj { handler("replace")?.call1(e) }
    fn PyCodec_XMLCharRefReplaceErrors(e: &Object) -> obj { handler("xmlcharrefreplace")?.call1(e) }
    fn PyCodec_BackslashReplaceErrors(e: &Object) -> obj { handler("backslashreplace")?.call1(e) }
    fn PyCodec_NameReplaceErrors(e: &Object) -> obj { handler("namereplace")?.call1(e) }
}
