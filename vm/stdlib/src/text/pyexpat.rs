//! `pyexpat`: expat's parsers as Python objects.
//!
//! A parser calls back into Python through `HANDLERS`: one row for each handler attribute, with the C function that turns expat's arguments
//! into Python's. A handler that raises ends the callbacks: all handlers are taken out, expat runs through the rest of its input, and
//! `Parse` reports the exception.

use super::expat::{self, Content, Encoding, Expat, Parser, Text};
use lh_runtime::buffer::Buffer;
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

const MAX_CHUNK: usize = 1 << 20;
const READ_SIZE: i64 = 2048;
const DEFAULT_BUFFER: usize = 8192;

macro_rules! handlers {
    ($($id:ident $name:literal $f:ident;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[derive(Clone, Copy, PartialEq)]
        enum H { $($id),* }
        const HANDLERS: &[(&str, H)] = &[$(($name, H::$id)),*];
        const NAMES: &[&str] = &[$($name),*];
        fn function(h: H) -> *const c_void {
            match h { $(H::$id => $f as *const c_void),* }
        }
    };
}
handlers! {
    StartElement "StartElementHandler" start_element;
    EndElement "EndElementHandler" end_element;
    Instruction "ProcessingInstructionHandler" instruction;
    Characters "CharacterDataHandler" characters;
    UnparsedEntity "UnparsedEntityDeclHandler" unparsed_entity;
    Notation "NotationDeclHandler" notation;
    StartNamespace "StartNamespaceDeclHandler" start_namespace;
    EndNamespace "EndNamespaceDeclHandler" end_namespace;
    Comment "CommentHandler" comment;
    StartCdata "StartCdataSectionHandler" start_cdata;
    EndCdata "EndCdataSectionHandler" end_cdata;
    Default "DefaultHandler" default;
    DefaultExpand "DefaultHandlerExpand" default_expand;
    NotStandalone "NotStandaloneHandler" not_standalone;
    ExternalEntity "ExternalEntityRefHandler" external_entity;
    StartDoctype "StartDoctypeDeclHandler" start_doctype;
    EndDoctype "EndDoctypeDeclHandler" end_doctype;
    EntityDecl "EntityDeclHandler" entity_decl;
    XmlDecl "XmlDeclHandler" xml_decl;
    ElementDecl "ElementDeclHandler" element_decl;
    AttlistDecl "AttlistDeclHandler" attlist_decl;
    SkippedEntity "SkippedEntityHandler" skipped_entity;
}

/// The library; `ImportError` if it is not on the machine.
fn library() -> PyResult<&'static Expat> {
    match expat::expat(NAMES) {
        Ok(l) => Ok(l),
        Err(e) => raise!(ImportError, "{}", e),
    }
}
fn lib() -> &'static Expat {
    expat::expat(NAMES).expect("a parser exists")
}
static ERROR: OnceLock<usize> = OnceLock::new();
fn error_class() -> &'static Object {
    // SAFETY: the cell keeps one count for ever.
    unsafe { Object::from_ptr(*ERROR.get().expect("made with the module") as *mut lh_abi::PyObject) }
}

/// Frees the C parser with the object.
struct Handle(Parser);
impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: owned by this object alone.
        unsafe { (lib().ParserFree)(self.0) }
    }
}

/// XML parser
#[pyclass(name = "xmlparser", module = "pyexpat", no_new)]
pub struct XmlParser {
    #[notrace]
    handle: Handle,
    /// The parent, whose C parser must outlive an external entity's.
    parent: Option<Owned<Object>>,
    /// A Python list with a place for each handler.
    handlers: Owned<List>,
    intern: Owned<Dict>,
    #[notrace]
    buffered: RefCell<Vec<u8>>,
    #[notrace]
    buffer_size: Cell<usize>,
    #[notrace]
    buffer_text: Cell<bool>,
    #[notrace]
    ordered: Cell<bool>,
    #[notrace]
    specified: Cell<bool>,
    #[notrace]
    prefixes: Cell<bool>,
    #[notrace]
    failed: Cell<bool>,
}

// ---- Texts ----

fn text(s: Text) -> PyResult {
    if s.is_null() {
        return Ok(none());
    }
    // SAFETY: expat passes C strings in UTF-8.
    lh_runtime::codecs::decode_utf8(unsafe { CStr::from_ptr(s) }.to_bytes()).map(Owned::into_object)
}
fn text_n(s: Text, n: c_int) -> PyResult {
    if s.is_null() {
        return Ok(none());
    }
    // SAFETY: expat passes n bytes of UTF-8.
    let b = unsafe { std::slice::from_raw_parts(s.cast::<u8>(), n.max(0) as usize) };
    lh_runtime::codecs::decode_utf8(b).map(Owned::into_object)
}
fn int(n: c_int) -> Owned<Object> {
    Int::from_i64(n as i64).into_object()
}
fn c_string(s: Option<&str>) -> PyResult<Option<CString>> {
    match s.map(CString::new).transpose() {
        Ok(c) => Ok(c),
        Err(_) => raise!(ValueError, "embedded null character"),
    }
}
fn ptr(s: &Option<CString>) -> Text {
    s.as_ref().map_or(null(), |s| s.as_ptr())
}

// ---- Calling Python ----

impl XmlParser {
    fn make(handle: Parser, parent: Option<&XmlParser>, intern: Owned<Dict>) -> PyResult<Owned<XmlParser>> {
        let p = XmlParser {
            handle: Handle(handle),
            parent: parent.map(|p| p.own().into_object()),
            handlers: List::from_vec(NAMES.iter().map(|_| none()).collect()),
            intern,
            buffered: RefCell::new(vec![]),
            buffer_size: Cell::new(parent.map_or(DEFAULT_BUFFER, |p| p.buffer_size.get())),
            buffer_text: Cell::new(parent.is_some_and(|p| p.buffer_text.get())),
            ordered: Cell::new(parent.is_some_and(|p| p.ordered.get())),
            specified: Cell::new(parent.is_some_and(|p| p.specified.get())),
            prefixes: Cell::new(parent.is_some_and(|p| p.prefixes.get())),
            failed: Cell::new(false),
        }
        .build();
        // SAFETY: the object outlives its C parser and does not move.
        unsafe {
            (lib().SetUserData)(handle, p.as_ptr().cast());
            (lib().SetUnknownEncodingHandler)(handle, unknown_encoding, null_mut());
        }
        if let Some(parent) = parent {
            for (i, (_, h)) in HANDLERS.iter().enumerate() {
                p.set_handler(i, *h, &parent.handler(*h))?;
            }
        }
        Ok(p)
    }
    /// # Safety
    /// `user` is what `make` gave to expat.
    unsafe fn of<'a>(user: *mut c_void) -> &'a XmlParser {
        // SAFETY: the caller's promise; the object lives while its parser runs.
        unsafe { Object::from_ptr(user.cast()) }.downcast::<XmlParser>().expect("the parser's object")
    }
    fn handler(&self, h: H) -> Owned<Object> {
        self.handlers.get(h as usize).unwrap_or_else(none)
    }
    fn set_handler(&self, i: usize, h: H, v: &Object) -> PyResult<()> {
        if h == H::Characters {
            self.flush()?;
        }
        self.handlers.set(i, v.own());
        let f = if v.is_none() { null() } else { function(h) };
        // SAFETY: the handler's own function.
        unsafe { lib().set_handler(i, self.handle.0, f) }
        Ok(())
    }
    /// After an exception: no more callbacks.
    fn fail(&self) {
        self.failed.set(true);
        for i in 0..NAMES.len() {
            self.handlers.set(i, none());
            // SAFETY: a live parser.
            unsafe { lib().set_handler(i, self.handle.0, null()) }
        }
    }
    /// Calls a handler with the arguments that `args` makes; `None` after an exception.
    fn call(&self, h: H, args: impl FnOnce() -> PyResult<Vec<Owned<Object>>>) -> Option<Owned<Object>> {
        if self.failed.get() {
            return None;
        }
        let r = (|| {
            if h != H::Characters {
                self.flush()?;
            }
            let f = self.handler(h);
            if f.is_none() {
                return Ok(none());
            }
            let args = args()?;
            f.call(&args.iter().map(|a| &**a).collect::<Vec<_>>())
        })();
        match r {
            Ok(v) => Some(v),
            Err(_) => {
                self.fail();
                None
            }
        }
    }
    /// As `call`, for handlers that answer a number; 0 after an exception.
    fn call_int(&self, h: H, args: impl FnOnce() -> PyResult<Vec<Owned<Object>>>) -> c_int {
        let Some(v) = self.call(h, args) else { return 0 };
        match lh_runtime::number::index(&v) {
            Ok(n) => n.to_i64().unwrap_or(-1) as c_int,
            Err(_) => {
                self.fail();
                0
            }
        }
    }
    fn interned(&self, s: Text) -> PyResult {
        let t = text(s)?;
        if t.is_none() {
            return Ok(t);
        }
        match self.intern.get_item(&t)? {
            Some(v) => Ok(v),
            None => {
                self.intern.set_item(&t, &t)?;
                Ok(t)
            }
        }
    }
    /// Hands buffered text to its handler.
    fn flush(&self) -> PyResult<()> {
        let b = std::mem::take(&mut *self.buffered.borrow_mut());
        if b.is_empty() {
            return Ok(());
        }
        let f = self.handler(H::Characters);
        if f.is_none() {
            return Ok(());
        }
        f.call1(&*lh_runtime::codecs::decode_utf8(&b)?).map(drop)
    }
    fn error(&self, code: c_int) -> Raised {
        // SAFETY: queries of a live parser; error strings are C strings.
        let (message, line, column) = unsafe {
            let s = (lib().ErrorString)(code);
            let s = if s.is_null() { "".into() } else { CStr::from_ptr(s).to_string_lossy() };
            (s, (lib().GetCurrentLineNumber)(self.handle.0), (lib().GetCurrentColumnNumber)(self.handle.0))
        };
        let text = Str::new(&format!("{message}: line {line}, column {column}"));
        let made = error_class().call1(&*text).and_then(|e| {
            e.set_attr_str("code", &int(code))?;
            e.set_attr_str("offset", &Int::from_i64(column as i64))?;
            e.set_attr_str("lineno", &Int::from_i64(line as i64))?;
            Ok(e)
        });
        match made.map(|e| e.downcast_owned::<Exception>()) {
            Ok(Ok(e)) => raise_exc_with_context(e),
            Ok(Err(_)) => raised!(SystemError, "ExpatError is no exception"),
            Err(r) => r,
        }
    }
    /// Feeds bytes; what expat answered.
    fn feed(&self, data: &[u8], is_final: bool) -> PyResult<c_int> {
        let mut chunks = data.chunks(MAX_CHUNK).peekable();
        let mut rc = 1;
        let empty: &[u8] = &[];
        let mut next = chunks.next().or(Some(empty));
        while let Some(c) = next {
            next = chunks.next();
            // SAFETY: a live parser; the data stays in place during the call.
            rc = unsafe {
                (lib().Parse)(
                    self.handle.0,
                    c.as_ptr(),
                    c.len() as c_int,
                    (is_final && next.is_none()) as c_int,
                )
            };
            if occurred() {
                return Err(Raised::already_set());
            }
            if rc == 0 {
                // SAFETY: a live parser.
                return Err(self.error(unsafe { (lib().GetErrorCode)(self.handle.0) }));
            }
        }
        self.flush()?;
        Ok(rc)
    }
}

// ---- The handlers as expat sees them ----

macro_rules! simple {
    ($($f:ident $h:ident |$p:ident $(, $a:ident: $t:ty)*| $args:expr;)*) => { $(
        unsafe extern "C" fn $f(user: *mut c_void $(, $a: $t)*) {
            // SAFETY: expat passes the user data back.
            let $p = unsafe { XmlParser::of(user) };
            $p.call(H::$h, || Ok($args));
        }
    )* };
}
simple! {
    end_element EndElement |p, name: Text| vec![p.interned(name)?];
    instruction Instruction |p, target: Text, data: Text| vec![p.interned(target)?, text(data)?];
    unparsed_entity UnparsedEntity |p, name: Text, base: Text, system: Text, public: Text, notation: Text|
        vec![p.interned(name)?, p.interned(base)?, p.interned(system)?, p.interned(public)?, p.interned(notation)?];
    notation Notation |p, name: Text, base: Text, system: Text, public: Text|
        vec![p.interned(name)?, p.interned(base)?, p.interned(system)?, p.interned(public)?];
    start_namespace StartNamespace |p, prefix: Text, uri: Text| vec![p.interned(prefix)?, p.interned(uri)?];
    end_namespace EndNamespace |p, prefix: Text| vec![p.interned(prefix)?];
    comment Comment |p, data: Text| vec![text(data)?];
    start_cdata StartCdata |p| vec![];
    end_cdata EndCdata |p| vec![];
    default Default |p, s: Text, n: c_int| vec![text_n(s, n)?];
    default_expand DefaultExpand |p, s: Text, n: c_int| vec![text_n(s, n)?];
    start_doctype StartDoctype |p, name: Text, system: Text, public: Text, subset: c_int|
        vec![p.interned(name)?, p.interned(system)?, p.interned(public)?, int(subset)];
    end_doctype EndDoctype |p| vec![];
    entity_decl EntityDecl |p, name: Text, parameter: c_int, value: Text, n: c_int, base: Text, system: Text, public: Text, notation: Text|
        vec![p.interned(name)?, int(parameter), text_n(value, n)?, p.interned(base)?, p.interned(system)?, p.interned(public)?, p.interned(notation)?];
    xml_decl XmlDecl |p, version: Text, encoding: Text, standalone: c_int| vec![text(version)?, text(encoding)?, int(standalone)];
    attlist_decl AttlistDecl |p, element: Text, name: Text, kind: Text, default: Text, required: c_int|
        vec![p.interned(element)?, p.interned(name)?, text(kind)?, text(default)?, int(required)];
    skipped_entity SkippedEntity |p, name: Text, parameter: c_int| vec![p.interned(name)?, int(parameter)];
}
unsafe extern "C" fn start_element(user: *mut c_void, name: Text, atts: *const Text) {
    // SAFETY: expat passes the user data back, and names and values that end with a null.
    let (p, all) = unsafe {
        let p = XmlParser::of(user);
        let mut n =
            if p.specified.get() { (lib().GetSpecifiedAttributeCount)(p.handle.0) as usize } else { 0 };
        if !p.specified.get() {
            while !(*atts.add(n)).is_null() {
                n += 2;
            }
        }
        (p, std::slice::from_raw_parts(atts, n))
    };
    p.call(H::StartElement, || {
        let name = p.interned(name)?;
        let attributes = if p.ordered.get() {
            let l = List::new();
            for pair in all.chunks(2) {
                l.push(p.interned(pair[0])?);
                l.push(text(pair[1])?);
            }
            l.into_object()
        } else {
            let d = Dict::new();
            for pair in all.chunks(2) {
                let (k, v) = (p.interned(pair[0])?, text(pair[1])?);
                d.set_item(&k, &v)?;
            }
            d.into_object()
        };
        Ok(vec![name, attributes])
    });
}
unsafe extern "C" fn characters(user: *mut c_void, s: Text, n: c_int) {
    // SAFETY: expat passes the user data back and n bytes.
    let (p, b) = unsafe { (XmlParser::of(user), std::slice::from_raw_parts(s.cast::<u8>(), n as usize)) };
    if !p.buffer_text.get() {
        p.call(H::Characters, || Ok(vec![text_n(s, n)?]));
        return;
    }
    if p.buffered.borrow().len() + b.len() > p.buffer_size.get() {
        if p.flush().is_err() {
            p.fail();
            return;
        }
        if b.len() > p.buffer_size.get() {
            p.call(H::Characters, || Ok(vec![text_n(s, n)?]));
            return;
        }
    }
    p.buffered.borrow_mut().extend(b);
}
unsafe extern "C" fn not_standalone(user: *mut c_void) -> c_int {
    // SAFETY: expat passes the user data back.
    unsafe { XmlParser::of(user) }.call_int(H::NotStandalone, || Ok(vec![]))
}
unsafe extern "C" fn external_entity(
    parser: Parser,
    context: Text,
    base: Text,
    system: Text,
    public: Text,
) -> c_int {
    // SAFETY: the first word of a parser is its user data, as expat's header reads it.
    let p = unsafe { XmlParser::of(*parser.cast::<*mut c_void>()) };
    p.call_int(H::ExternalEntity, || {
        Ok(vec![text(context)?, p.interned(base)?, p.interned(system)?, p.interned(public)?])
    })
}
unsafe extern "C" fn element_decl(user: *mut c_void, name: Text, model: *mut Content) {
    fn tree(c: &Content, p: &XmlParser) -> PyResult {
        // SAFETY: the node has n children.
        let children =
            if c.n == 0 { &[] } else { unsafe { std::slice::from_raw_parts(c.children, c.n as usize) } };
        let children = children.iter().map(|c| tree(c, p)).collect::<PyResult<Vec<_>>>()?;
        let parts =
            vec![int(c.kind), int(c.quant), p.interned(c.name)?, Tuple::from_vec(children).into_object()];
        Ok(Tuple::from_vec(parts).into_object())
    }
    // SAFETY: expat passes the user data back and a model that is ours to free.
    unsafe {
        let p = XmlParser::of(user);
        p.call(H::ElementDecl, || Ok(vec![p.interned(name)?, tree(&*model, p)?]));
        (lib().FreeContentModel)(p.handle.0, model);
    }
}
/// Encodings that expat does not know, if they have one byte for each character.
unsafe extern "C" fn unknown_encoding(_data: *mut c_void, name: Text, out: *mut Encoding) -> c_int {
    let all: Vec<u8> = (0..=255).collect();
    // SAFETY: expat passes a C string and a place to fill.
    unsafe {
        let name = CStr::from_ptr(name).to_string_lossy();
        let Ok(s) = lh_runtime::codecs::decode_to_str(&all, &name, "replace") else { return 0 };
        if s.len() != 256 {
            let _ = raised!(ValueError, "multi-byte encodings are not supported");
            return 0;
        }
        for (i, c) in s.chars().enumerate() {
            (*out).map[i] = if c == 0xfffd { -1 } else { c as c_int };
        }
        (*out).data = null_mut();
        (*out).convert = null_mut();
        (*out).release = null_mut();
        1
    }
}

// ---- The type ----

#[pymethods]
impl XmlParser {
    /// Parse XML data.
    ///
    /// `isfinal' should be true at end of input.
    #[pymethod(name = "Parse", signature = "(data, isfinal=False, /)")]
    fn parse(&self, data: &Object, isfinal: bool) -> PyResult<i64> {
        let rc = match data.downcast::<Str>() {
            Some(s) => {
                let t = s.to_str()?;
                // SAFETY: a live parser and a C string.
                unsafe { (lib().SetEncoding)(self.handle.0, c"utf-8".as_ptr()) };
                self.feed(t.as_bytes(), isfinal)?
            }
            None => self.feed(Buffer::simple(data)?.as_bytes(), isfinal)?,
        };
        Ok(rc as i64)
    }
    /// Parse XML data from file-like object.
    #[pymethod(name = "ParseFile", signature = "(file, /)")]
    fn parse_file(&self, file: &Object) -> PyResult<i64> {
        let Some(read) = file.get_attr_str_opt("read")? else {
            return raise!(TypeError, "argument must have 'read' attribute");
        };
        loop {
            let r = read.call1(&*Int::from_i64(READ_SIZE))?;
            let data = if let Some(b) = r.downcast::<Bytes>() {
                b.as_bytes().to_vec()
            } else if ByteArray::check(&r) {
                Buffer::simple(&r)?.to_vec()
            } else {
                return raise!(TypeError, "read() did not return a bytes object (type={})", r.ty().name());
            };
            if data.len() as i64 > READ_SIZE {
                return raise!(
                    ValueError,
                    "read() returned too much data: {} bytes requested, {} returned",
                    READ_SIZE,
                    data.len()
                );
            }
            let rc = self.feed(&data, data.is_empty())?;
            if data.is_empty() {
                return Ok(rc as i64);
            }
        }
    }
    /// Set the base URL for the parser.
    #[pymethod(name = "SetBase", signature = "(base, /)")]
    fn set_base(&self, base: &str) -> PyResult<()> {
        let base = c_string(Some(base))?;
        // SAFETY: a live parser and a C string, which expat copies.
        if unsafe { (lib().SetBase)(self.handle.0, ptr(&base)) } == 0 {
            return Err(set_object(exc::MemoryError(), None));
        }
        Ok(())
    }
    /// Return base URL string for the parser.
    #[pymethod(name = "GetBase")]
    fn get_base(&self) -> PyResult {
        // SAFETY: a live parser; a C string or null.
        text(unsafe { (lib().GetBase)(self.handle.0) })
    }
    /// Return the untranslated text of the input that caused the current event.
    ///
    /// If the event was generated by a large amount of text (such as a start tag
    /// for an element with many attributes), not all of the text may be available.
    #[pymethod(name = "GetInputContext")]
    fn get_input_context(&self) -> Owned<Object> {
        let (mut at, mut n) = (0, 0);
        // SAFETY: a live parser; the answer is `n` bytes, of which those from `at` on belong to the event.
        unsafe {
            let p = (lib().GetInputContext)(self.handle.0, &mut at, &mut n);
            if p.is_null() {
                return none();
            }
            Bytes::new(std::slice::from_raw_parts(p.add(at as usize).cast(), (n - at).max(0) as usize))
                .into_object()
        }
    }
    /// Create a parser for parsing an external entity based on the information passed to the ExternalEntityRefHandler.
    #[pymethod(name = "ExternalEntityParserCreate", signature = "(context, encoding=<unrepresentable>, /)")]
    fn external_entity_parser_create(
        &self,
        context: &Object,
        encoding: Option<&str>,
    ) -> PyResult<Owned<XmlParser>> {
        let context = match context.downcast::<Str>() {
            Some(s) => c_string(Some(s.to_str()?))?,
            None if context.is_none() => None,
            None => {
                return raise!(
                    TypeError,
                    "ExternalEntityParserCreate() argument 1 must be str or None, not {}",
                    context.ty().name()
                );
            }
        };
        let encoding = c_string(encoding)?;
        // SAFETY: a live parser and C strings or null.
        let p = unsafe { (lib().ExternalEntityParserCreate)(self.handle.0, ptr(&context), ptr(&encoding)) };
        if p.is_null() {
            return Err(set_object(exc::MemoryError(), None));
        }
        XmlParser::make(p, Some(self), self.intern.clone())
    }
    /// Controls parsing of parameter entities (including the external DTD subset).
    ///
    /// Possible flag values are XML_PARAM_ENTITY_PARSING_NEVER,
    /// XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE and
    /// XML_PARAM_ENTITY_PARSING_ALWAYS. Returns true if setting the flag
    /// was successful.
    #[pymethod(name = "SetParamEntityParsing", signature = "(flag, /)")]
    fn set_param_entity_parsing(&self, flag: i32) -> i64 {
        // SAFETY: a live parser.
        unsafe { (lib().SetParamEntityParsing)(self.handle.0, flag) as i64 }
    }
    /// Allows the application to provide an artificial external subset if one is not specified as part of the document instance.
    ///
    /// This readily allows the use of a 'default' document type controlled by the
    /// application, while still getting the advantage of providing document type
    /// information to the parser. 'flag' defaults to True if not provided.
    #[pymethod(name = "UseForeignDTD", signature = "(flag=True, /)")]
    fn use_foreign_dtd(&self, flag: bool) -> PyResult<()> {
        // SAFETY: a live parser.
        match unsafe { (lib().UseForeignDTD)(self.handle.0, flag as u8) } {
            0 => Ok(()),
            code => Err(self.error(code)),
        }
    }
    #[slot(tp_getattro)]
    fn getattro(&self, name: &Object) -> PyResult {
        let Some(n) = name.downcast::<Str>() else {
            return raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name());
        };
        let text = n.to_str_lossy();
        if let Some((_, h)) = HANDLERS.iter().find(|h| h.0 == text) {
            return Ok(self.handler(*h));
        }
        // SAFETY: queries of a live parser.
        let v = unsafe {
            match &*text {
                "ErrorCode" => (lib().GetErrorCode)(self.handle.0) as i64,
                "ErrorLineNumber" | "CurrentLineNumber" => (lib().GetCurrentLineNumber)(self.handle.0) as i64,
                "ErrorColumnNumber" | "CurrentColumnNumber" => {
                    (lib().GetCurrentColumnNumber)(self.handle.0) as i64
                }
                "ErrorByteIndex" | "CurrentByteIndex" => (lib().GetCurrentByteIndex)(self.handle.0) as i64,
                "buffer_size" => self.buffer_size.get() as i64,
                "buffer_used" => self.buffered.borrow().len() as i64,
                "buffer_text" => return Ok(bool_obj(self.buffer_text.get())),
                "namespace_prefixes" => return Ok(bool_obj(self.prefixes.get())),
                "ordered_attributes" => return Ok(bool_obj(self.ordered.get())),
                "specified_attributes" => return Ok(bool_obj(self.specified.get())),
                "intern" => return Ok(self.intern.clone().into_object()),
                _ => return self.generic_get_attr(n),
            }
        };
        Ok(Int::from_i64(v).into_object())
    }
    #[slot(tp_setattro)]
    fn setattro(&self, name: &Object, v: Option<&Object>) -> PyResult<()> {
        let Some(n) = name.downcast::<Str>() else {
            return raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name());
        };
        let text = n.to_str_lossy();
        let handler = HANDLERS.iter().position(|h| h.0 == text);
        let flag = match &*text {
            "buffer_text" => Some(&self.buffer_text),
            "namespace_prefixes" => Some(&self.prefixes),
            "ordered_attributes" => Some(&self.ordered),
            "specified_attributes" => Some(&self.specified),
            _ => None,
        };
        if handler.is_none() && flag.is_none() && text != "buffer_size" {
            return self.generic_set_attr(n, v);
        }
        let Some(v) = v else { return raise!(RuntimeError, "Cannot delete attribute") };
        if let Some(i) = handler {
            return self.set_handler(i, HANDLERS[i].1, v);
        }
        if let Some(flag) = flag {
            let on = v.is_true()?;
            if text == "buffer_text" && !on {
                self.flush()?;
            }
            if text == "namespace_prefixes" {
                // SAFETY: a live parser.
                unsafe { (lib().SetReturnNSTriplet)(self.handle.0, on as c_int) }
            }
            flag.set(on);
            return Ok(());
        }
        let Some(size) = v.downcast::<Int>() else {
            return raise!(TypeError, "buffer_size must be an integer");
        };
        match size.to_i64() {
            Some(n) if n <= 0 => raise!(ValueError, "buffer_size must be greater than zero"),
            Some(n) if n <= i32::MAX as i64 => {
                self.flush()?;
                self.buffer_size.set(n as usize);
                Ok(())
            }
            _ => raise!(ValueError, "buffer_size must not be greater than {}", i32::MAX),
        }
    }
}

// ---- The module ----

/// Return a new XML parser object.
#[pyfunction(
    name = "ParserCreate",
    signature = "(encoding=None, namespace_separator=None, intern=<unrepresentable>)"
)]
fn parser_create(
    encoding: Option<&Str>,
    namespace_separator: Option<&Object>,
    intern: Option<&Object>,
) -> PyResult<Owned<XmlParser>> {
    let separator = match namespace_separator {
        None => None,
        Some(o) => match o.downcast::<Str>() {
            Some(s) => Some(s.to_str()?),
            None if o.is_none() => None,
            None => {
                return raise!(
                    TypeError,
                    "ParserCreate() argument 'namespace_separator' must be str or None, not {}",
                    o.ty().name()
                );
            }
        },
    };
    if separator.is_some_and(|s| s.len() > 1) {
        return raise!(ValueError, "namespace_separator must be at most one character, omitted, or None");
    }
    let intern = match intern {
        None => Dict::new(),
        Some(o) if o.is_none() => Dict::new(),
        Some(o) => match o.downcast::<Dict>() {
            Some(d) => d.own(),
            None => return raise!(TypeError, "intern must be a dictionary"),
        },
    };
    let encoding = c_string(encoding.map(|e| e.to_str()).transpose()?)?;
    let separator = c_string(separator)?;
    // SAFETY: C strings or null; without a suite of allocators expat takes the C library's.
    let p = unsafe { (library()?.ParserCreate_MM)(ptr(&encoding), null(), ptr(&separator)) };
    if p.is_null() {
        return raise!(RuntimeError, "XML_ParserCreate failed");
    }
    XmlParser::make(p, None, intern)
}
/// Returns string error for given number.
#[pyfunction(name = "ErrorString", signature = "(code, /)")]
fn error_string(code: i64) -> PyResult {
    // SAFETY: a query; a C string or null.
    text(unsafe { (library()?.ErrorString)(code as c_int) })
}

const ERRORS: &[&str] = &[
    "NO_MEMORY",
    "SYNTAX",
    "NO_ELEMENTS",
    "INVALID_TOKEN",
    "UNCLOSED_TOKEN",
    "PARTIAL_CHAR",
    "TAG_MISMATCH",
    "DUPLICATE_ATTRIBUTE",
    "JUNK_AFTER_DOC_ELEMENT",
    "PARAM_ENTITY_REF",
    "UNDEFINED_ENTITY",
    "RECURSIVE_ENTITY_REF",
    "ASYNC_ENTITY",
    "BAD_CHAR_REF",
    "BINARY_ENTITY_REF",
    "ATTRIBUTE_EXTERNAL_ENTITY_REF",
    "MISPLACED_XML_PI",
    "UNKNOWN_ENCODING",
    "INCORRECT_ENCODING",
    "UNCLOSED_CDATA_SECTION",
    "EXTERNAL_ENTITY_HANDLING",
    "NOT_STANDALONE",
    "UNEXPECTED_STATE",
    "ENTITY_DECLARED_IN_PE",
    "FEATURE_REQUIRES_XML_DTD",
    "CANT_CHANGE_FEATURE_ONCE_PARSING",
    "UNBOUND_PREFIX",
    "UNDECLARING_PREFIX",
    "INCOMPLETE_PE",
    "XML_DECL",
    "TEXT_DECL",
    "PUBLICID",
    "SUSPENDED",
    "NOT_SUSPENDED",
    "ABORTED",
    "FINISHED",
    "SUSPEND_PE",
    "RESERVED_PREFIX_XML",
    "RESERVED_PREFIX_XMLNS",
    "RESERVED_NAMESPACE_URI",
    "INVALID_ARGUMENT",
    "NO_BUFFER",
    "AMPLIFICATION_LIMIT_BREACH",
];
const MODEL: &[(&str, i64)] = &[
    ("XML_CTYPE_EMPTY", 1),
    ("XML_CTYPE_ANY", 2),
    ("XML_CTYPE_MIXED", 3),
    ("XML_CTYPE_NAME", 4),
    ("XML_CTYPE_CHOICE", 5),
    ("XML_CTYPE_SEQ", 6),
    ("XML_CQUANT_NONE", 0),
    ("XML_CQUANT_OPT", 1),
    ("XML_CQUANT_REP", 2),
    ("XML_CQUANT_PLUS", 3),
];

fn setup(m: &Module) -> PyResult<()> {
    let lib = library()?;
    let t = lh_runtime::builder::ready::<XmlParser>()?;
    m.add("XMLParserType", t)?;
    let error = Type::class().as_object().call(&[
        &*Str::new("ExpatError"),
        &*Tuple::from_refs(&[exc::Exception().as_object()]),
        &*{
            let d = Dict::new();
            d.set_str("__module__", &Str::new("xml.parsers.expat"))?;
            d
        },
    ])?;
    ERROR.get_or_init(|| error.own().into_raw() as usize);
    m.add("error", &*error)?;
    m.add("ExpatError", &*error)?;
    // SAFETY: C strings and a table that ends with id 0, all static.
    unsafe {
        let version = CStr::from_ptr((lib.ExpatVersion)()).to_string_lossy();
        m.add("EXPAT_VERSION", &Str::new(&version))?;
        let numbers = version.trim_start_matches("expat_").split('.').map(|n| int(n.parse().unwrap_or(0)));
        m.add("version_info", &Tuple::from_vec(numbers.collect()))?;
        let list = List::new();
        let mut f = (lib.GetFeatureList)();
        while (*f).id != 0 {
            let name = Str::new(&CStr::from_ptr((*f).name).to_string_lossy()).into_object();
            list.push(Tuple::from_vec(vec![name, Int::from_i64((*f).value).into_object()]).into_object());
            f = f.add(1);
        }
        m.add("features", &list)?;
    }
    m.add("native_encoding", &Str::new("UTF-8"))?;
    for (name, v) in [("NEVER", 0), ("UNLESS_STANDALONE", 1), ("ALWAYS", 2)] {
        m.add(&format!("XML_PARAM_ENTITY_PARSING_{name}"), &Int::from_i64(v))?;
    }
    let errors = Module::new("pyexpat.errors");
    errors.set_doc("Constants used to describe error conditions.")?;
    let (codes, messages) = (Dict::new(), Dict::new());
    for (i, name) in ERRORS.iter().enumerate() {
        // SAFETY: a query; null for a code that this library does not have.
        let s = unsafe { (lib.ErrorString)(i as c_int + 1) };
        if s.is_null() {
            continue;
        }
        let (s, code) = (text(s)?, int(i as c_int + 1));
        errors.add(&format!("XML_ERROR_{name}"), &*s)?;
        codes.set_item(&s, &code)?;
        messages.set_item(&code, &s)?;
    }
    errors.add("codes", &codes)?;
    errors.add("messages", &messages)?;
    let model = Module::new("pyexpat.model");
    model.set_doc("Constants used to interpret content model information.")?;
    for (name, v) in MODEL {
        model.add(name, &Int::from_i64(*v))?;
    }
    m.add("errors", &errors)?;
    m.add("model", &model)?;
    let modules = lh_runtime::sysobject::modules_dict();
    modules.set_str("pyexpat.errors", &errors)?;
    modules.set_str("pyexpat.model", &model)
}

module! {
    "pyexpat",
    doc: "Python wrapper for Expat parser.",
    functions: [parser_create, error_string],
    init: setup,
}
