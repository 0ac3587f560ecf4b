//! The callbacks that the library calls, and what they hand to Python.

use super::library::{Chars, Content, Encoding, Parser, expat, text};
use super::parser::XmlParser;
use core::ffi::{c_char, c_int, c_void};
use lh_runtime::codecs::utf::decode_utf8;
use lh_runtime::prelude::*;

pub const COUNT: usize = 22;
pub const CHARACTER_DATA: usize = 3;
const NAMES: [&str; COUNT] = [
    "StartElement",
    "EndElement",
    "ProcessingInstruction",
    "CharacterData",
    "UnparsedEntityDecl",
    "NotationDecl",
    "StartNamespaceDecl",
    "EndNamespaceDecl",
    "Comment",
    "StartCdataSection",
    "EndCdataSection",
    "Default",
    "DefaultHandlerExpand",
    "NotStandalone",
    "ExternalEntityRef",
    "StartDoctypeDecl",
    "EndDoctypeDecl",
    "EntityDecl",
    "XmlDecl",
    "ElementDecl",
    "AttlistDecl",
    "SkippedEntity",
];

/// Tells the library which events are wanted.
pub fn install(raw: Parser, i: usize, on: bool, noop: bool) {
    let x = expat();
    macro_rules! rows {
        ($($n:literal $set:ident $f:expr;)+) => {
            match i { $($n => (x.$set, $f as *const c_void),)+ _ => return }
        };
    }
    let (set, f) = rows! {
        0 SetStartElementHandler start_element;
        1 SetEndElementHandler end_element;
        2 SetProcessingInstructionHandler processing_instruction;
        3 SetCharacterDataHandler character_data;
        4 SetUnparsedEntityDeclHandler unparsed_entity;
        5 SetNotationDeclHandler notation;
        6 SetStartNamespaceDeclHandler start_namespace;
        7 SetEndNamespaceDeclHandler end_namespace;
        8 SetCommentHandler comment;
        9 SetStartCdataSectionHandler start_cdata;
        10 SetEndCdataSectionHandler end_cdata;
        11 SetDefaultHandler default;
        12 SetDefaultHandlerExpand default_expand;
        13 SetNotStandaloneHandler not_standalone;
        14 SetExternalEntityRefHandler external_entity;
        15 SetStartDoctypeDeclHandler start_doctype;
        16 SetEndDoctypeDeclHandler end_doctype;
        17 SetEntityDeclHandler entity_decl;
        18 SetXmlDeclHandler xml_decl;
        19 SetElementDeclHandler element_decl;
        20 SetAttlistDeclHandler attlist_decl;
        21 SetSkippedEntityHandler skipped_entity;
    };
    // Taking the character handler away from inside of it: the library still calls the one it has read.
    let f = if noop {
        ignore_characters as *const c_void
    } else if on {
        f
    } else {
        core::ptr::null()
    };
    // SAFETY: a live parser and a callback with the signature of this event.
    unsafe { set(raw, f) }
}

/// # Safety
/// Null or a live C string.
pub unsafe fn opt_string(p: Chars) -> PyResult {
    // SAFETY: the caller's promise.
    match unsafe { text(p) } {
        None => Ok(none()),
        Some(b) => Ok(decode_utf8(b, "strict", true)?.0.into_object()),
    }
}
fn interned(p: &XmlParser, b: &[u8]) -> PyResult {
    let s = decode_utf8(b, "strict", true)?.0;
    match p.intern.get() {
        Some(d) => d.set_default(&s, &s),
        None => Ok(s.into_object()),
    }
}
unsafe fn opt_interned(p: &XmlParser, s: Chars) -> PyResult {
    // SAFETY: null or a live C string.
    match unsafe { text(s) } {
        None => Ok(none()),
        Some(b) => interned(p, b),
    }
}

/// Calls handler `i`; a failure leaves its exception set and stops all further events.
fn call(
    p: &XmlParser,
    i: usize,
    args: impl FnOnce() -> PyResult<Vec<Owned<Object>>>,
) -> Option<Owned<Object>> {
    if occurred() {
        return None;
    }
    let f = p.handler(i)?;
    let done = (|| {
        if i != CHARACTER_DATA {
            p.flush()?;
        }
        let args = args()?;
        let args: Vec<&Object> = args.iter().map(|a| &**a).collect();
        let before = p.in_callback.replace(true);
        let r = f.call(&args);
        p.in_callback.set(before);
        r.inspect_err(|_| lh_interp::traceback::add_named(NAMES[i], "../Modules/pyexpat.c", 0))
    })();
    match done {
        Ok(r) => Some(r),
        Err(Raised { .. }) => {
            lh_runtime::errors::preserving(|| p.clear_handlers());
            // The library stops at the next external entity at the latest.
            None
        }
    }
}
fn number(r: Option<Owned<Object>>, p: &XmlParser) -> c_int {
    let Some(r) = r else { return 0 };
    match lh_runtime::number::as_isize(&r, Some(exc::OverflowError())) {
        Ok(n) => n as c_int,
        Err(Raised { .. }) => {
            lh_runtime::errors::preserving(|| p.clear_handlers());
            0
        }
    }
}

/// Calls the character data handler with collected text.
pub fn characters(p: &XmlParser, data: &[u8]) -> PyResult<()> {
    call(p, CHARACTER_DATA, || Ok(vec![decode_utf8(data, "strict", true)?.0.into_object()]));
    if occurred() { Err(Raised::already_set()) } else { Ok(()) }
}

/// The parser that a callback's user data is.
///
/// # Safety
/// `data` is the user data of a parser that is being fed, so its object is alive.
unsafe fn of<'a>(data: *mut c_void) -> &'a XmlParser {
    // SAFETY: the caller's promise.
    unsafe { Object::from_ptr(data.cast()).downcast_unchecked() }
}

// SAFETY of all callbacks: the library calls them while `Parse` runs, with the user data of the parser that is being fed and strings that live
// during the call; the GIL is held.

macro_rules! callbacks {
    ($($(#[$m:meta])* fn $name:ident [$i:literal] ($p:ident $(, $arg:ident: $t:ty)*) { $($e:expr),* })+) => {
        $($(#[$m])* unsafe extern "C" fn $name(data: *mut c_void $(, $arg: $t)*) {
            // SAFETY: see above.
            unsafe {
                let $p = of(data);
                call($p, $i, || Ok(vec![$($e),*]));
            }
        })+
    };
}
callbacks! {
    fn end_element[1](p, name: Chars) { opt_interned(p, name)? }
    fn processing_instruction[2](p, target: Chars, data_: Chars) { opt_interned(p, target)?, opt_string(data_)? }
    fn unparsed_entity[4](p, name: Chars, base: Chars, system: Chars, public: Chars, notation: Chars) {
        opt_interned(p, name)?, opt_interned(p, base)?, opt_interned(p, system)?, opt_interned(p, public)?, opt_interned(p, notation)?
    }
    fn notation[5](p, name: Chars, base: Chars, system: Chars, public: Chars) {
        opt_interned(p, name)?, opt_interned(p, base)?, opt_interned(p, system)?, opt_interned(p, public)?
    }
    fn start_namespace[6](p, prefix: Chars, uri: Chars) { opt_interned(p, prefix)?, opt_interned(p, uri)? }
    fn end_namespace[7](p, prefix: Chars) { opt_interned(p, prefix)? }
    fn comment[8](p, data_: Chars) { opt_string(data_)? }
    fn start_cdata[9](p) { }
    fn end_cdata[10](p) { }
    fn start_doctype[15](p, name: Chars, system: Chars, public: Chars, internal: c_int) {
        opt_interned(p, name)?, opt_interned(p, system)?, opt_interned(p, public)?, Int::from_i64(internal as i64).into_object()
    }
    fn end_doctype[16](p) { }
    fn xml_decl[18](p, version: Chars, encoding: Chars, standalone: c_int) {
        opt_string(version)?, opt_string(encoding)?, Int::from_i64(standalone as i64).into_object()
    }
    fn attlist_decl[20](p, element: Chars, name: Chars, kind: Chars, default_: Chars, required: c_int) {
        opt_interned(p, element)?, opt_interned(p, name)?, opt_string(kind)?, opt_string(default_)?, Int::from_i64(required as i64).into_object()
    }
    fn skipped_entity[21](p, name: Chars, parameter: c_int) {
        opt_interned(p, name)?, Int::from_i64(parameter as i64).into_object()
    }
}

/// The bytes of a callback's text argument.
///
/// # Safety
/// `s` points at `n` bytes.
unsafe fn slice<'a>(s: *const c_char, n: c_int) -> &'a [u8] {
    if s.is_null() || n <= 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts(s.cast(), n as usize) }
}
unsafe extern "C" fn ignore_characters(_data: *mut c_void, _s: Chars, _n: c_int) {}
unsafe extern "C" fn character_data(data: *mut c_void, s: Chars, n: c_int) {
    // SAFETY: see above.
    unsafe {
        let p = of(data);
        if occurred() {
            return;
        }
        let bytes = slice(s, n);
        match p.collect(bytes) {
            Ok(true) | Err(Raised { .. }) => {}
            Ok(false) => drop(characters(p, bytes)),
        }
    }
}
unsafe extern "C" fn default(data: *mut c_void, s: Chars, n: c_int) {
    // SAFETY: see above.
    unsafe { call(of(data), 11, || Ok(vec![decode_utf8(slice(s, n), "strict", true)?.0.into_object()])) };
}
unsafe extern "C" fn default_expand(data: *mut c_void, s: Chars, n: c_int) {
    // SAFETY: see above.
    unsafe { call(of(data), 12, || Ok(vec![decode_utf8(slice(s, n), "strict", true)?.0.into_object()])) };
}
unsafe extern "C" fn not_standalone(data: *mut c_void) -> c_int {
    // SAFETY: see above.
    unsafe {
        let p = of(data);
        number(call(p, 13, || Ok(vec![])), p)
    }
}
unsafe extern "C" fn external_entity(
    raw: Parser,
    context: Chars,
    base: Chars,
    system: Chars,
    public: Chars,
) -> c_int {
    // SAFETY: see above. This one gets the parser, whose first field is the user data.
    unsafe {
        let p = of(*raw.cast::<*mut c_void>());
        let args = || {
            Ok(vec![
                opt_string(context)?,
                opt_interned(p, base)?,
                opt_interned(p, system)?,
                opt_interned(p, public)?,
            ])
        };
        number(call(p, 14, args), p)
    }
}
unsafe extern "C" fn entity_decl(
    data: *mut c_void,
    name: Chars,
    parameter: c_int,
    value: Chars,
    length: c_int,
    base: Chars,
    system: Chars,
    public: Chars,
    notation: Chars,
) {
    // SAFETY: see above.
    unsafe {
        let p = of(data);
        call(p, 17, || {
            let value = if value.is_null() {
                none()
            } else {
                decode_utf8(slice(value, length), "strict", true)?.0.into_object()
            };
            Ok(vec![
                opt_interned(p, name)?,
                Int::from_i64(parameter as i64).into_object(),
                value,
                opt_interned(p, base)?,
                opt_interned(p, system)?,
                opt_interned(p, public)?,
                opt_interned(p, notation)?,
            ])
        });
    }
}
unsafe extern "C" fn start_element(data: *mut c_void, name: Chars, attributes: *const Chars) {
    // SAFETY: see above; the attribute array ends in null.
    unsafe {
        let p = of(data);
        call(p, 0, || {
            let mut n = 0;
            if p.specified.get() {
                n = (expat().GetSpecifiedAttributeCount)(p.raw.get()).max(0) as usize;
            } else {
                while !(*attributes.add(n)).is_null() {
                    n += 2;
                }
            }
            let name = opt_interned(p, name)?;
            let at = |i: usize| *attributes.add(i);
            let all = if p.ordered.get() {
                let mut v = Vec::with_capacity(n);
                for i in (0..n).step_by(2) {
                    v.push(opt_interned(p, at(i))?);
                    v.push(opt_string(at(i + 1))?);
                }
                List::from_vec(v).into_object()
            } else {
                let d = Dict::new();
                for i in (0..n).step_by(2) {
                    d.set_item(&*opt_interned(p, at(i))?, &*opt_string(at(i + 1))?)?;
                }
                d.into_object()
            };
            Ok(vec![name, all])
        });
    }
}

/// A content model as nested tuples.
unsafe fn model(p: &XmlParser, m: *const Content) -> PyResult {
    let _depth = lh_runtime::thread::enter_recursive(" in conv_content_model")?;
    // SAFETY: a live model of the library.
    unsafe {
        let children = (0..(*m).numchildren as usize)
            .map(|i| model(p, (*m).children.add(i)))
            .collect::<PyResult<Vec<_>>>()?;
        Ok(Tuple::from_vec(vec![
            Int::from_i64((*m).kind as i64).into_object(),
            Int::from_i64((*m).quant as i64).into_object(),
            opt_interned(p, (*m).name)?,
            Tuple::from_vec(children).into_object(),
        ])
        .into_object())
    }
}
unsafe extern "C" fn element_decl(data: *mut c_void, name: Chars, content: *mut Content) {
    // SAFETY: see above; the model is ours to free.
    unsafe {
        let p = of(data);
        call(p, 19, || Ok(vec![opt_interned(p, name)?, model(p, content)?]));
        (expat().FreeContentModel)(p.raw.get(), content);
    }
}

/// An encoding that the library does not know: single-byte ones are tables made with Python's codec.
pub unsafe extern "C" fn unknown_encoding(_data: *mut c_void, name: Chars, info: *mut Encoding) -> c_int {
    if occurred() {
        return 0;
    }
    let all: Vec<u8> = (0..=255).collect();
    let decode = || -> PyResult<Owned<Object>> {
        // SAFETY: the name is a live C string.
        let name = unsafe { opt_string(name)? };
        Bytes::new(&all).call_method("decode", &[&name, &Str::new("replace")])
    };
    let Ok(text) = decode() else { return 0 };
    let Some(s) = text.downcast::<Str>().filter(|s| s.len() == 256) else {
        let _ = raised!(ValueError, "multi-byte encodings are not supported");
        return 0;
    };
    // SAFETY: the struct is the library's, for this call.
    unsafe {
        for i in 0..256 {
            let c = s.char_at(i);
            (*info).map[i] = if c == 0xfffd { -1 } else { c as c_int };
        }
        (*info).data = core::ptr::null_mut();
        (*info).convert = core::ptr::null_mut();
        (*info).release = core::ptr::null_mut();
    }
    1
}
