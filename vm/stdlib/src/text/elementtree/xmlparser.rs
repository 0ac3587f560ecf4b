//! `XMLParser`: libexpat's events to the methods of a target, or straight into a `TreeBuilder`.

use super::builder::{EVENTS, Event, TreeBuilder};
use super::parse_error;
use crate::text::pyexpat::handlers::unknown_encoding;
use crate::text::pyexpat::library::{Chars, Parser, expat, text};
use core::ffi::{c_char, c_int, c_void};
use lh_runtime::codecs::utf::decode_utf8;
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ptr::null_mut;

/// `XML_ERROR_UNDEFINED_ENTITY`.
const UNDEFINED_ENTITY: c_int = 11;

/// The target's methods that are called, in the order of `HANDLERS`.
#[derive(Clone, Copy)]
enum Handler {
    Start,
    Data,
    End,
    StartNs,
    EndNs,
    Comment,
    Pi,
    Close,
    Doctype,
}
const HANDLERS: [&str; 9] =
    ["start", "data", "end", "start_ns", "end_ns", "comment", "pi", "close", "doctype"];

#[pyclass(name = "XMLParser", module = "xml.etree.ElementTree", basetype)]
pub struct XMLParser {
    #[notrace]
    raw: Cell<Parser>,
    target: Slot,
    entity: Slot<Dict>,
    handlers: [Slot; 9],
    /// Names as the library has them (`uri}local`) to the names of elements (`{uri}local`).
    #[notrace]
    names: RefCell<HashMap<Box<[u8]>, Owned<Str>>>,
}

impl Drop for XMLParser {
    fn drop(&mut self) {
        self.free();
    }
}

impl XMLParser {
    fn free(&self) {
        let raw = self.raw.replace(null_mut());
        if !raw.is_null() {
            // SAFETY: the parser is this object's.
            unsafe { (expat().ParserFree)(raw) }
        }
    }
    /// The target, if it is a plain builder.
    fn builder(&self) -> Option<Owned<TreeBuilder>> {
        // SAFETY: nothing runs while the field is looked at.
        unsafe { self.target.peek().and_then(|t| t.downcast_exact::<TreeBuilder>()).map(|b| b.own()) }
    }
    fn handler(&self, h: Handler) -> Option<Owned<Object>> {
        self.handlers[h as usize].get()
    }
    fn checked(&self) -> PyResult<Owned<Object>> {
        match self.target.get() {
            Some(t) if !self.raw.get().is_null() => Ok(t),
            _ => raise!(ValueError, "XMLParser.__init__() wasn't called"),
        }
    }
    fn name(&self, raw: Chars) -> PyResult<Owned<Object>> {
        // SAFETY: a C string of the library.
        let b = unsafe { text(raw) }.unwrap_or(b"");
        if let Some(s) = self.names.borrow().get(b) {
            return Ok(s.own().into_object());
        }
        let s = if b.contains(&b'}') {
            let full = [b"{", b].concat();
            decode_utf8(&full, "strict", true)?.0
        } else {
            decode_utf8(b, "strict", true)?.0
        };
        self.names.borrow_mut().insert(b.into(), s.own());
        Ok(s.into_object())
    }
    fn set_error(&self, code: c_int, message: Option<&str>) -> Raised {
        let (x, raw) = (expat(), self.raw.get());
        // SAFETY: a live parser; the message of a code is a constant string or null.
        let (line, column, name) = unsafe {
            (
                (x.GetCurrentLineNumber)(raw),
                (x.GetCurrentColumnNumber)(raw),
                text((x.ErrorString)(code)).map(String::from_utf8_lossy).unwrap_or_default(),
            )
        };
        let what = message.unwrap_or(&name);
        let make = || -> PyResult<Owned<Exception>> {
            let e = parse_error()
                .as_object()
                .call1(&Str::new(&format!("{what}: line {line}, column {column}")))?;
            e.set_attr_str("code", &Int::from_i64(code as i64))?;
            let at = [Int::from_u64(line).into_object(), Int::from_u64(column).into_object()];
            e.set_attr_str("position", &Tuple::from_vec(at.into()))?;
            e.downcast_owned::<Exception>().map_err(|_| bad_internal_call())
        };
        match make() {
            Ok(e) => raise_exc_with_context(e),
            Err(e) => e,
        }
    }
    fn parse(&self, data: &[u8], last: bool) -> PyResult<()> {
        let keep = self.own();
        // SAFETY: a live parser; its callbacks run Python code under the GIL, which stays held.
        let ok = unsafe {
            (expat().Parse)(self.raw.get(), data.as_ptr().cast(), data.len() as c_int, last as c_int)
        };
        drop(keep);
        if occurred() {
            return Err(Raised::already_set());
        }
        if ok == 0 {
            // SAFETY: as above.
            let code = unsafe { (expat().GetErrorCode)(self.raw.get()) };
            return Err(self.set_error(code, None));
        }
        Ok(())
    }
    fn on_namespaces(&self) {
        // SAFETY: a live parser and callbacks of the right signature.
        unsafe {
            (expat().SetStartNamespaceDeclHandler)(self.raw.get(), start_ns as *const c_void);
            (expat().SetEndNamespaceDeclHandler)(self.raw.get(), end_ns as *const c_void);
        }
    }
    fn on_comments(&self) {
        // SAFETY: as above.
        unsafe { (expat().SetCommentHandler)(self.raw.get(), comment as *const c_void) }
    }
    fn on_pis(&self) {
        // SAFETY: as above.
        unsafe { (expat().SetProcessingInstructionHandler)(self.raw.get(), pi as *const c_void) }
    }
}

// ---- Callbacks ----

/// Runs an event handler; once an exception is set no more are called.
///
/// # Safety
/// `data` is the user data of a parser that is being fed, so its object is alive.
unsafe fn event(data: *mut c_void, f: impl FnOnce(&XMLParser) -> PyResult<()>) {
    if occurred() {
        return;
    }
    // SAFETY: the caller's promise.
    let p = unsafe { Object::from_ptr(data.cast()).downcast_unchecked::<XMLParser>() };
    // A failure leaves its exception set, which `parse` finds.
    let _ = f(p);
}
/// # Safety
/// Null or a C string of the library.
unsafe fn string(p: Chars) -> PyResult<Option<Owned<Object>>> {
    // SAFETY: the caller's promise.
    match unsafe { text(p) } {
        None => Ok(None),
        Some(b) => Ok(Some(decode_utf8(b, "strict", true)?.0.into_object())),
    }
}
/// # Safety
/// `s` points at `n` bytes.
unsafe fn slice<'a>(s: *const c_char, n: c_int) -> &'a [u8] {
    // SAFETY: the caller's promise.
    if n <= 0 { &[] } else { unsafe { core::slice::from_raw_parts(s.cast(), n as usize) } }
}

// SAFETY of all callbacks: the library calls them while `parse` runs, with the user data of the parser that is being fed and strings that live
// during the call; the GIL is held.

unsafe extern "C" fn default_expand(data: *mut c_void, s: Chars, n: c_int) {
    // SAFETY: see above.
    unsafe {
        let all = slice(s, n);
        if all.len() < 2 || all[0] != b'&' {
            return;
        }
        event(data, |p| {
            let key = decode_utf8(&all[1..all.len() - 1], "strict", true)?.0;
            let value = match p.entity.get() {
                Some(d) => d.get_item(&key)?,
                None => None,
            };
            match value {
                Some(v) => match p.builder() {
                    Some(b) => b.handle_data(&v),
                    None => match p.handler(Handler::Data) {
                        Some(f) => f.call1(&v).map(drop),
                        None => Ok(()),
                    },
                },
                None => {
                    let shown = String::from_utf8_lossy(&all[..all.len().min(100)]);
                    Err(p.set_error(UNDEFINED_ENTITY, Some(&format!("undefined entity {shown}"))))
                }
            }
        })
    }
}
unsafe extern "C" fn start(data: *mut c_void, tag: Chars, attributes: *const Chars) {
    // SAFETY: see above; the attribute array ends in null.
    unsafe {
        event(data, |p| {
            let tag = p.name(tag)?;
            let mut at = attributes;
            let mut attrib = None;
            while !(*at).is_null() && !(*at.add(1)).is_null() {
                let d = attrib.get_or_insert_with(Dict::new);
                let key = p.name(*at)?;
                if let Some(v) = string(*at.add(1))? {
                    d.set_item(&key, &v)?;
                }
                at = at.add(2);
            }
            if let Some(b) = p.builder() {
                return b.handle_start(tag, attrib).map(drop);
            }
            match p.handler(Handler::Start) {
                Some(f) => f.call(&[&tag, &attrib.unwrap_or_else(Dict::new)]).map(drop),
                None => Ok(()),
            }
        })
    }
}
unsafe extern "C" fn characters(data: *mut c_void, s: Chars, n: c_int) {
    // SAFETY: see above.
    unsafe {
        event(data, |p| {
            if let Some(b) = p.builder() {
                return b.handle_utf8(slice(s, n));
            }
            match p.handler(Handler::Data) {
                Some(f) => f.call1(&decode_utf8(slice(s, n), "strict", true)?.0).map(drop),
                None => Ok(()),
            }
        })
    }
}
unsafe extern "C" fn end(data: *mut c_void, tag: Chars) {
    // SAFETY: see above.
    unsafe {
        event(data, |p| {
            if let Some(b) = p.builder() {
                return b.handle_end().map(drop);
            }
            match p.handler(Handler::End) {
                Some(f) => f.call1(&*p.name(tag)?).map(drop),
                None => Ok(()),
            }
        })
    }
}
unsafe extern "C" fn start_ns(data: *mut c_void, prefix: Chars, uri: Chars) {
    // SAFETY: see above.
    unsafe {
        event(data, |p| {
            let empty = || Str::new("").into_object();
            let prefix = string(prefix)?.unwrap_or_else(empty);
            let uri = string(uri)?.unwrap_or_else(empty);
            if let Some(b) = p.builder() {
                return b.handle_start_ns(&prefix, &uri);
            }
            match p.handler(Handler::StartNs) {
                Some(f) => f.call(&[&prefix, &uri]).map(drop),
                None => Ok(()),
            }
        })
    }
}
unsafe extern "C" fn end_ns(data: *mut c_void, prefix: Chars) {
    // SAFETY: see above.
    unsafe {
        event(data, |p| {
            if let Some(b) = p.builder() {
                return b.handle_end_ns();
            }
            match p.handler(Handler::EndNs) {
                Some(f) => {
                    let prefix = string(prefix)?.unwrap_or_else(|| Str::new("").into_object());
                    f.call1(&prefix).map(drop)
                }
                None => Ok(()),
            }
        })
    }
}
unsafe extern "C" fn comment(data: *mut c_void, s: Chars) {
    // SAFETY: see above.
    unsafe {
        event(data, |p| {
            let s = string(s)?.unwrap_or_else(none);
            if let Some(b) = p.builder() {
                return b.handle_comment(&s).map(drop);
            }
            match p.handler(Handler::Comment) {
                Some(f) => f.call1(&s).map(drop),
                None => Ok(()),
            }
        })
    }
}
unsafe extern "C" fn pi(data: *mut c_void, target: Chars, s: Chars) {
    // SAFETY: see above.
    unsafe {
        event(data, |p| {
            let args =
                || PyResult::Ok((string(target)?.unwrap_or_else(none), string(s)?.unwrap_or_else(none)));
            if let Some(b) = p.builder() {
                if b.wants_pi() {
                    let (target, s) = args()?;
                    b.handle_pi(&target, &s)?;
                }
                return Ok(());
            }
            match p.handler(Handler::Pi) {
                Some(f) => {
                    let (target, s) = args()?;
                    f.call(&[&target, &s]).map(drop)
                }
                None => Ok(()),
            }
        })
    }
}
unsafe extern "C" fn start_doctype(
    data: *mut c_void,
    name: Chars,
    system: Chars,
    public: Chars,
    _internal: c_int,
) {
    // SAFETY: see above.
    unsafe {
        event(data, |p| {
            let name = p.name(name)?;
            let system = string(system)?.unwrap_or_else(none);
            let public = string(public)?.unwrap_or_else(none);
            if let Some(f) = p.handler(Handler::Doctype) {
                return f.call(&[&name, &public, &system]).map(drop);
            }
            if p.get_attr_opt(intern!("doctype"))?.is_some() {
                lh_runtime::warnings::warn(
                    exc::RuntimeWarning(),
                    "The doctype() method of XMLParser is ignored.  Define doctype() method on the TreeBuilder target.",
                    1,
                )?;
            }
            Ok(())
        })
    }
}

#[pymethods]
impl XMLParser {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<XMLParser>> {
        XMLParser {
            raw: Cell::new(null_mut()),
            target: Slot::empty(),
            entity: Slot::empty(),
            handlers: [const { Slot::empty() }; 9],
            names: RefCell::new(HashMap::new()),
        }
        .build_in(cls)
    }
    #[init(name = "XMLParser", signature = "(*, target=None, encoding=None)")]
    fn py_init(&self, target: Option<&Object>, encoding: Option<&str>) -> PyResult<()> {
        let encoding = match encoding.map(std::ffi::CString::new).transpose() {
            Ok(e) => e,
            Err(_) => return raise!(ValueError, "embedded null character"),
        };
        let x = expat();
        let name = encoding.as_ref().map_or(std::ptr::null(), |e| e.as_ptr());
        // SAFETY: C strings or null; a null memory suite means malloc.
        let raw = unsafe { (x.ParserCreate_MM)(name, std::ptr::null(), c"}".as_ptr()) };
        if raw.is_null() {
            return raise!(MemoryError);
        }
        self.free();
        self.raw.set(raw);
        self.names.borrow_mut().clear();
        self.entity.set(Some(Dict::new()));
        let target = match target.filter(|t| !t.is_none()) {
            Some(t) => t.own(),
            None => TreeBuilder::plain().into_object(),
        };
        self.target.set(Some(target.clone()));
        for (slot, name) in self.handlers.iter().zip(HANDLERS) {
            slot.set(target.get_attr_str_opt(name)?);
        }
        // SAFETY: a new parser and callbacks of the right signatures.
        unsafe {
            (x.SetHashSalt)(raw, lh_runtime::hashing::secret()[0] as _);
            (x.SetUserData)(raw, self.as_ptr().cast());
            (x.SetStartElementHandler)(raw, start as *const c_void);
            (x.SetEndElementHandler)(raw, end as *const c_void);
            (x.SetDefaultHandlerExpand)(raw, default_expand as *const c_void);
            (x.SetCharacterDataHandler)(raw, characters as *const c_void);
            (x.SetStartDoctypeDeclHandler)(raw, start_doctype as *const c_void);
            (x.SetUnknownEncodingHandler)(raw, unknown_encoding as *const c_void, null_mut());
        }
        let has = |h: Handler| self.handlers[h as usize].is_some();
        if has(Handler::StartNs) || has(Handler::EndNs) {
            self.on_namespaces();
        }
        if has(Handler::Comment) {
            self.on_comments();
        }
        if has(Handler::Pi) {
            self.on_pis();
        }
        Ok(())
    }
    #[pymethod]
    fn feed(&self, data: &Object) -> PyResult<()> {
        self.checked()?;
        const CHUNK: usize = 1 << 30;
        let feed = |b: &[u8]| {
            if b.len() > c_int::MAX as usize {
                return raise!(OverflowError, "size does not fit in an int");
            }
            let mut rest = b;
            while rest.len() > CHUNK {
                self.parse(&rest[..CHUNK], false)?;
                rest = &rest[CHUNK..];
            }
            self.parse(rest, false)
        };
        if let Some(s) = data.downcast::<Str>() {
            let keep = s.own();
            let b = keep.to_str()?.as_bytes();
            // SAFETY: a live parser. The text is handed over as UTF-8, whatever the document says.
            unsafe { (expat().SetEncoding)(self.raw.get(), c"utf-8".as_ptr()) };
            return feed(b);
        }
        let b = Buffer::simple(data)?;
        feed(b.as_bytes())
    }
    #[pymethod]
    fn close(&self) -> PyResult {
        self.checked()?;
        self.parse(b"", true)?;
        if let Some(b) = self.builder() {
            return Ok(b.done());
        }
        match self.handler(Handler::Close) {
            Some(f) => f.call0(),
            None => Ok(none()),
        }
    }
    #[pymethod]
    fn _parse_whole(&self, file: &Object) -> PyResult {
        self.checked()?;
        let read = file.get_attr_str("read")?;
        let size = Int::from_i64(64 * 1024);
        loop {
            let chunk = read.call1(&size)?;
            if let Some(s) = chunk.downcast::<Str>() {
                if s.is_empty() {
                    break;
                }
                let b = s.call_method("encode", &[&Str::new("utf-8"), &Str::new("surrogatepass")])?;
                // SAFETY: a live parser.
                unsafe { (expat().SetEncoding)(self.raw.get(), c"utf-8".as_ptr()) };
                self.parse(Buffer::simple(&b)?.as_bytes(), false)?;
            } else {
                match chunk.downcast_exact::<Bytes>() {
                    Some(b) if !b.as_bytes().is_empty() => self.parse(b.as_bytes(), false)?,
                    _ => break,
                }
            }
        }
        self.parse(b"", true)?;
        Ok(self.builder().map_or_else(none, |b| b.done()))
    }
    #[pymethod(signature = "(events_queue, events_to_report=None, /)")]
    fn _setevents(&self, events_queue: &Object, events_to_report: Option<&Object>) -> PyResult<()> {
        self.checked()?;
        let Some(b) = self.builder() else {
            return raise!(TypeError, "event handling only supported for ElementTree.TreeBuilder targets");
        };
        b.events_append.set(Some(events_queue.get_attr_str("append")?));
        b.events.iter().for_each(|e| e.set(None));
        let Some(wanted) = events_to_report.filter(|e| !e.is_none()) else {
            b.events[Event::End as usize].set(Some(Str::new("end").into_object()));
            return Ok(());
        };
        let wanted = match wanted.to_items() {
            Ok(w) => w,
            Err(e) if e.matches(exc::TypeError()) => {
                e.clear();
                return raise!(TypeError, "events must be a sequence");
            }
            Err(e) => return Err(e),
        };
        for w in wanted {
            let name = if let Some(s) = w.downcast::<Str>() {
                s.to_str()?.to_string()
            } else if let Some(b) = w.downcast::<Bytes>() {
                String::from_utf8_lossy(b.as_bytes()).into_owned()
            } else {
                return raise!(ValueError, "invalid events sequence");
            };
            let Some((_, e)) = EVENTS.iter().find(|e| e.0 == name) else {
                return raise!(ValueError, "unknown event '{}'", name);
            };
            b.events[*e as usize].set(Some(w));
            match e {
                Event::StartNs | Event::EndNs => self.on_namespaces(),
                Event::Comment => self.on_comments(),
                Event::Pi => self.on_pis(),
                Event::Start | Event::End => {}
            }
        }
        Ok(())
    }
    #[getter]
    fn entity(&self) -> Owned<Object> {
        self.entity.get().map_or_else(none, Owned::into_object)
    }
    #[getter]
    fn target(&self) -> Owned<Object> {
        self.target.get().unwrap_or_else(none)
    }
    #[getter]
    fn version(&self) -> String {
        // SAFETY: the library is loaded.
        let v = unsafe { (expat().ExpatVersionInfo)() };
        format!("Expat {}.{}.{}", v.major, v.minor, v.micro)
    }
}
