//! The `xmlparser` object: handlers, settings, feeding the library, errors.

use super::handlers::{self, COUNT};
use super::library::{Parser, expat, text};
use core::ffi::{CStr, c_char, c_int, c_void};
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::ffi::CString;

/// XML parser
#[pyclass(name = "xmlparser", module = "pyexpat", no_new)]
pub struct XmlParser {
    #[notrace]
    pub raw: Cell<Parser>,
    pub handlers: RefCell<Vec<Option<Owned<Object>>>>,
    pub intern: Slot<Dict>,
    /// A parser for an external entity shares its parent's memory.
    parent: Slot,
    pub ordered: Cell<bool>,
    pub specified: Cell<bool>,
    pub prefixes: Cell<bool>,
    /// Character data collected so far, if `buffer_text` is on.
    #[notrace]
    pub buffer: RefCell<Option<Vec<u8>>>,
    buffer_size: Cell<usize>,
    pub in_callback: Cell<bool>,
}

impl Drop for XmlParser {
    fn drop(&mut self) {
        let raw = self.raw.replace(std::ptr::null_mut());
        if !raw.is_null() {
            // SAFETY: the parser is this object's; a child is freed before its parent, which it keeps alive.
            unsafe { (expat().ParserFree)(raw) }
        }
    }
}

pub fn c_text(s: &Str) -> PyResult<CString> {
    match CString::new(s.to_str()?) {
        Ok(c) => Ok(c),
        Err(_) => raise!(ValueError, "embedded null character"),
    }
}
fn opt_ptr(s: &Option<CString>) -> *const c_char {
    s.as_ref().map_or(std::ptr::null(), |c| c.as_ptr())
}

/// The class `xml.parsers.expat.ExpatError`.
pub fn error_class() -> &'static Type {
    static CLASS: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    let p = *CLASS.get_or_init(|| {
        match crate::os::util::new_exception("xml.parsers.expat", "ExpatError", exc::Exception()) {
            Ok(c) => c.into_raw() as usize,
            Err(e) => {
                e.clear();
                exc::Exception().own().into_object().into_raw() as usize
            }
        }
    });
    // SAFETY: the class is kept for ever.
    unsafe { Object::from_ptr(p as *mut _).downcast_unchecked() }
}

impl XmlParser {
    pub fn create(
        encoding: Option<&Str>,
        separator: Option<&Str>,
        intern: Option<Owned<Dict>>,
    ) -> PyResult<Owned<XmlParser>> {
        let encoding = encoding.map(c_text).transpose()?;
        let separator = separator.map(c_text).transpose()?;
        let x = expat();
        // SAFETY: C strings or null; a null memory suite means malloc.
        let raw = unsafe { (x.ParserCreate_MM)(opt_ptr(&encoding), std::ptr::null(), opt_ptr(&separator)) };
        if raw.is_null() {
            return raise!(RuntimeError, "XML_ParserCreate failed");
        }
        let p = Self::around(raw, intern).build();
        // SAFETY: a new parser.
        unsafe {
            (x.SetHashSalt)(raw, lh_runtime::hashing::secret()[0] as _);
            (x.SetUserData)(raw, p.as_ptr().cast());
            (x.SetUnknownEncodingHandler)(
                raw,
                handlers::unknown_encoding as *const c_void,
                std::ptr::null_mut(),
            );
        }
        Ok(p)
    }
    fn around(raw: Parser, intern: Option<Owned<Dict>>) -> XmlParser {
        XmlParser {
            raw: Cell::new(raw),
            handlers: RefCell::new(vec![None; COUNT]),
            intern: Slot::new(intern),
            parent: Slot::empty(),
            ordered: Cell::new(false),
            specified: Cell::new(false),
            prefixes: Cell::new(false),
            buffer: RefCell::new(None),
            buffer_size: Cell::new(8192),
            in_callback: Cell::new(false),
        }
    }
    pub fn handler(&self, i: usize) -> Option<Owned<Object>> {
        self.handlers.borrow()[i].clone()
    }
    fn set_handler(&self, i: usize, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else {
            return raise!(RuntimeError, "Cannot delete attribute");
        };
        if i == handlers::CHARACTER_DATA {
            // What has been collected belongs to the old handler.
            self.flush()?;
        }
        let on = !v.is_none();
        let old = std::mem::replace(&mut self.handlers.borrow_mut()[i], on.then(|| v.own()));
        drop(old);
        let noop = i == handlers::CHARACTER_DATA && !on && self.in_callback.get();
        handlers::install(self.raw.get(), i, on, noop);
        Ok(())
    }
    /// After a failed handler nothing more is called.
    pub fn clear_handlers(&self) {
        for i in 0..COUNT {
            handlers::install(self.raw.get(), i, false, false);
        }
        let old = self.handlers.replace(vec![None; COUNT]);
        drop(old);
    }
    /// Hands collected character data over.
    pub fn flush(&self) -> PyResult<()> {
        let data = match &mut *self.buffer.borrow_mut() {
            Some(b) if !b.is_empty() => std::mem::take(b),
            _ => return Ok(()),
        };
        handlers::characters(self, &data)
    }
    /// Collects character data, if that is on.
    pub fn collect(&self, data: &[u8]) -> PyResult<bool> {
        let limit = self.buffer_size.get();
        let used = match &*self.buffer.borrow() {
            None => return Ok(false),
            Some(b) => b.len(),
        };
        if used + data.len() <= limit {
            if let Some(b) = self.buffer.borrow_mut().as_mut() {
                b.extend_from_slice(data);
            }
            return Ok(true);
        }
        self.flush()?;
        if self.handlers.borrow()[handlers::CHARACTER_DATA].is_none() {
            return Ok(true);
        }
        if data.len() > limit {
            handlers::characters(self, data)?;
        } else if let Some(b) = self.buffer.borrow_mut().as_mut() {
            b.extend_from_slice(data);
        }
        Ok(true)
    }
    fn error(&self, code: c_int) -> Raised {
        let raw = self.raw.get();
        let x = expat();
        // SAFETY: a live parser.
        let (line, column, name) = unsafe {
            (
                (x.GetCurrentLineNumber)(raw),
                (x.GetCurrentColumnNumber)(raw),
                text((x.ErrorString)(code)).unwrap_or(b""),
            )
        };
        let message = format!("{}: line {}, column {}", String::from_utf8_lossy(name), line, column);
        let make = || -> PyResult<Owned<Exception>> {
            let e = error_class().as_object().call1(&Str::new(&message))?;
            e.set_attr_str("code", &Int::from_i64(code as i64))?;
            e.set_attr_str("offset", &Int::from_u64(column))?;
            e.set_attr_str("lineno", &Int::from_u64(line))?;
            match e.downcast_owned::<Exception>() {
                Ok(e) => Ok(e),
                Err(_) => Err(bad_internal_call()),
            }
        };
        match make() {
            Ok(e) => raise_exc_with_context(e),
            Err(e) => e,
        }
    }
    fn feed(&self, data: &[u8], last: bool) -> PyResult<c_int> {
        // SAFETY: a live parser; its callbacks run Python code under the GIL, which stays held.
        let rc = unsafe {
            (expat().Parse)(self.raw.get(), data.as_ptr().cast(), data.len() as c_int, last as c_int)
        };
        if occurred() {
            return Err(Raised::already_set());
        }
        if rc == 0 {
            // SAFETY: as above.
            let code = unsafe { (expat().GetErrorCode)(self.raw.get()) };
            return Err(self.error(code));
        }
        self.flush()?;
        Ok(rc)
    }
    fn all(&self, data: &[u8], last: bool) -> PyResult<c_int> {
        const CHUNK: usize = 1 << 20;
        let mut rest = data;
        while rest.len() > CHUNK {
            self.feed(&rest[..CHUNK], false)?;
            rest = &rest[CHUNK..];
        }
        self.feed(rest, last)
    }
}

macro_rules! number_getters {
    ($($name:ident $f:ident;)+) => {
        #[allow(non_snake_case)]
        #[pymethods(part = "numbers")]
        impl XmlParser {
            $(#[getter] fn $name(&self) -> i64 {
                // SAFETY: a live parser.
                unsafe { (expat().$f)(self.raw.get()) as i64 }
            })+
        }
    };
}
number_getters! {
    ErrorCode GetErrorCode;
    ErrorLineNumber GetCurrentLineNumber;
    ErrorColumnNumber GetCurrentColumnNumber;
    ErrorByteIndex GetCurrentByteIndex;
    CurrentLineNumber GetCurrentLineNumber;
    CurrentColumnNumber GetCurrentColumnNumber;
    CurrentByteIndex GetCurrentByteIndex;
}

macro_rules! handler_attrs {
    ($($name:ident $set:ident $i:literal;)+) => {
        #[allow(non_snake_case)]
        #[pymethods(part = "handlers")]
        impl XmlParser {
            $(
                #[getter] fn $name(&self) -> Owned<Object> { self.handler($i).unwrap_or_else(none) }
                #[setter($name)] fn $set(&self, v: Option<&Object>) -> PyResult<()> { self.set_handler($i, v) }
            )+
        }
    };
}
handler_attrs! {
    StartElementHandler set_h0 0;
    EndElementHandler set_h1 1;
    ProcessingInstructionHandler set_h2 2;
    CharacterDataHandler set_h3 3;
    UnparsedEntityDeclHandler set_h4 4;
    NotationDeclHandler set_h5 5;
    StartNamespaceDeclHandler set_h6 6;
    EndNamespaceDeclHandler set_h7 7;
    CommentHandler set_h8 8;
    StartCdataSectionHandler set_h9 9;
    EndCdataSectionHandler set_h10 10;
    DefaultHandler set_h11 11;
    DefaultHandlerExpand set_h12 12;
    NotStandaloneHandler set_h13 13;
    ExternalEntityRefHandler set_h14 14;
    StartDoctypeDeclHandler set_h15 15;
    EndDoctypeDeclHandler set_h16 16;
    EntityDeclHandler set_h17 17;
    XmlDeclHandler set_h18 18;
    ElementDeclHandler set_h19 19;
    AttlistDeclHandler set_h20 20;
    SkippedEntityHandler set_h21 21;
}

fn flag(v: Option<&Object>) -> PyResult<bool> {
    match v {
        Some(v) => v.is_true(),
        None => raise!(RuntimeError, "Cannot delete attribute"),
    }
}

#[allow(non_snake_case)]
#[pymethods(parts(numbers, handlers))]
impl XmlParser {
    /// Parse XML data.
    ///
    /// `isfinal' should be true at end of input.
    #[pymethod(signature = "(data, isfinal=False, /)")]
    fn Parse(&self, data: &Object, isfinal: bool) -> PyResult<i64> {
        if let Some(s) = data.downcast::<Str>() {
            // SAFETY: a live parser. The text is handed over as UTF-8, whatever the document says.
            unsafe { (expat().SetEncoding)(self.raw.get(), c"utf-8".as_ptr()) };
            let text = s.to_str()?.as_bytes().to_vec();
            return Ok(self.all(&text, isfinal)? as i64);
        }
        let data = Buffer::simple(data)?.to_vec();
        Ok(self.all(&data, isfinal)? as i64)
    }
    /// Parse XML data from file-like object.
    #[pymethod]
    fn ParseFile(&self, file: &Object) -> PyResult<i64> {
        const SIZE: usize = 2048;
        let Some(read) = file.get_attr_opt(intern!("read"))? else {
            return raise!(TypeError, "argument must have 'read' attribute");
        };
        loop {
            let chunk = read.call1(&Int::from_usize(SIZE))?;
            let bytes = if let Some(b) = chunk.downcast::<Bytes>() {
                b.as_bytes().to_vec()
            } else if let Some(b) = chunk.downcast::<ByteArray>() {
                b.to_vec()
            } else {
                return raise!(
                    TypeError,
                    "read() did not return a bytes object (type={})",
                    chunk.ty().name()
                );
            };
            if bytes.len() > SIZE {
                return raise!(
                    ValueError,
                    "read() returned too much data: {} bytes requested, {} returned",
                    SIZE,
                    bytes.len()
                );
            }
            let rc = self.feed(&bytes, bytes.is_empty())?;
            if bytes.is_empty() {
                return Ok(rc as i64);
            }
        }
    }
    /// Set the base URL for the parser.
    #[pymethod]
    fn SetBase(&self, base: &Str) -> PyResult<()> {
        let base = c_text(base)?;
        // SAFETY: a live parser copies the string.
        if unsafe { (expat().SetBase)(self.raw.get(), base.as_ptr()) } == 0 {
            return raise!(MemoryError);
        }
        Ok(())
    }
    /// Return base URL string for the parser.
    #[pymethod]
    fn GetBase(&self) -> PyResult {
        // SAFETY: a live parser's string.
        unsafe { handlers::opt_string((expat().GetBase)(self.raw.get())) }
    }
    /// Return the untranslated text of the input that caused the current event.
    ///
    /// If the event was generated by a large amount of text (such as a start tag
    /// for an element with many attributes), not all of the text may be available.
    #[pymethod]
    fn GetInputContext(&self) -> Owned<Object> {
        if !self.in_callback.get() {
            return none();
        }
        let (mut offset, mut size) = (0, 0);
        // SAFETY: a live parser; what it answers stays valid for now.
        unsafe {
            let p = (expat().GetInputContext)(self.raw.get(), &mut offset, &mut size);
            if p.is_null() {
                return none();
            }
            let all = core::slice::from_raw_parts(p.cast::<u8>(), size.max(0) as usize);
            Bytes::new(&all[(offset.max(0) as usize).min(all.len())..]).into_object()
        }
    }
    /// Create a parser for parsing an external entity based on the information passed to the ExternalEntityRefHandler.
    #[pymethod(signature = "(context, encoding=None, /)")]
    fn ExternalEntityParserCreate(
        &self,
        context: &Object,
        encoding: Option<&Str>,
    ) -> PyResult<Owned<XmlParser>> {
        let context = match context.downcast::<Str>() {
            Some(s) => Some(c_text(s)?),
            None if context.is_none() => None,
            None => {
                return raise!(
                    TypeError,
                    "ExternalEntityParserCreate() argument 1 must be str or None, not {}",
                    context.ty().name()
                );
            }
        };
        let encoding = encoding.map(c_text).transpose()?;
        let x = expat();
        // SAFETY: a live parser.
        let raw =
            unsafe { (x.ExternalEntityParserCreate)(self.raw.get(), opt_ptr(&context), opt_ptr(&encoding)) };
        if raw.is_null() {
            return raise!(MemoryError);
        }
        let mut p = Self::around(raw, self.intern.get());
        p.handlers = RefCell::new(self.handlers.borrow().clone());
        p.parent = Slot::of(self.own().into_object());
        p.ordered.set(self.ordered.get());
        p.specified.set(self.specified.get());
        p.prefixes.set(self.prefixes.get());
        p.buffer = RefCell::new(self.buffer.borrow().as_ref().map(|_| vec![]));
        p.buffer_size.set(self.buffer_size.get());
        let p = p.build();
        // SAFETY: the new parser.
        unsafe { (x.SetUserData)(raw, p.as_ptr().cast()) };
        for i in 0..COUNT {
            if p.handlers.borrow()[i].is_some() {
                handlers::install(raw, i, true, false);
            }
        }
        Ok(p)
    }
    /// Controls parsing of parameter entities (including the external DTD subset).
    ///
    /// Possible flag values are XML_PARAM_ENTITY_PARSING_NEVER,
    /// XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE and
    /// XML_PARAM_ENTITY_PARSING_ALWAYS. Returns true if setting the flag
    /// was successful.
    #[pymethod]
    fn SetParamEntityParsing(&self, flag: i32) -> i64 {
        // SAFETY: a live parser.
        unsafe { (expat().SetParamEntityParsing)(self.raw.get(), flag) as i64 }
    }
    /// Allows the application to provide an artificial external subset if one is not specified as part of the document instance.
    ///
    /// This readily allows the use of a 'default' document type controlled by the
    /// application, while still getting the advantage of providing document type
    /// information to the parser. 'flag' defaults to True if not provided.
    #[pymethod(signature = "(flag=True, /)")]
    fn UseForeignDTD(&self, flag: bool) -> PyResult<()> {
        // SAFETY: a live parser.
        let code = unsafe { (expat().UseForeignDTD)(self.raw.get(), flag as _) };
        if code != 0 { Err(self.error(code)) } else { Ok(()) }
    }
    #[getter]
    fn intern(&self) -> Owned<Object> {
        self.intern.get().map_or_else(none, |d| d.into_object())
    }
    #[getter]
    fn buffer_size(&self) -> usize {
        self.buffer_size.get()
    }
    #[setter(buffer_size)]
    fn set_buffer_size(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else { return raise!(RuntimeError, "Cannot delete attribute") };
        let Some(i) = v.downcast::<Int>() else {
            return raise!(TypeError, "buffer_size must be an integer");
        };
        let n = match i.to_i64() {
            Some(n) => n,
            None => return raise!(OverflowError, "Python int too large to convert to C long"),
        };
        if n as usize == self.buffer_size.get() {
            return Ok(());
        }
        if n <= 0 {
            return raise!(ValueError, "buffer_size must be greater than zero");
        }
        if n > i32::MAX as i64 {
            return raise!(ValueError, "buffer_size must not be greater than {}", i32::MAX);
        }
        self.flush()?;
        self.buffer_size.set(n as usize);
        Ok(())
    }
    #[getter]
    fn buffer_text(&self) -> bool {
        self.buffer.borrow().is_some()
    }
    #[setter(buffer_text)]
    fn set_buffer_text(&self, v: Option<&Object>) -> PyResult<()> {
        let on = flag(v)?;
        if on == self.buffer.borrow().is_some() {
            return Ok(());
        }
        self.flush()?;
        *self.buffer.borrow_mut() = on.then(Vec::new);
        Ok(())
    }
    #[getter]
    fn buffer_used(&self) -> usize {
        self.buffer.borrow().as_ref().map_or(0, |b| b.len())
    }
    #[getter]
    fn namespace_prefixes(&self) -> bool {
        self.prefixes.get()
    }
    #[setter(namespace_prefixes)]
    fn set_namespace_prefixes(&self, v: Option<&Object>) -> PyResult<()> {
        self.prefixes.set(flag(v)?);
        // SAFETY: a live parser.
        unsafe { (expat().SetReturnNSTriplet)(self.raw.get(), self.prefixes.get() as c_int) };
        Ok(())
    }
    #[getter]
    fn ordered_attributes(&self) -> bool {
        self.ordered.get()
    }
    #[setter(ordered_attributes)]
    fn set_ordered_attributes(&self, v: Option<&Object>) -> PyResult<()> {
        self.ordered.set(flag(v)?);
        Ok(())
    }
    #[getter]
    fn specified_attributes(&self) -> bool {
        self.specified.get()
    }
    #[setter(specified_attributes)]
    fn set_specified_attributes(&self, v: Option<&Object>) -> PyResult<()> {
        self.specified.set(flag(v)?);
        Ok(())
    }
}

/// The message of an error code.
pub fn message(code: c_int) -> Option<String> {
    // SAFETY: the library answers a constant string or null.
    unsafe {
        let p = (expat().ErrorString)(code);
        if p.is_null() { None } else { Some(CStr::from_ptr(p).to_string_lossy().into_owned()) }
    }
}
