//! `TextIOWrapper`: text over a buffered byte stream.
//!
//! UTF-8, ASCII and Latin-1 are decoded and encoded here; other encodings go through their incremental codec objects. Text
//! decoded but not read yet waits in `decoded`, from character `used` on.
//!
//! A position in the text is a *cookie*: where the byte stream was when the decoder was in a state that can be named, that
//! state, and how many bytes to feed and characters to skip from there (`Cookie`). To make one, `tell` replays the chunk that
//! `snapshot` remembers: the decoder's state before the chunk, and the chunk's bytes.

use super::base::TextIOBase;
use super::buffered::join_errors;
use super::newline::{LineEnd, Newlines, find_char, find_line_end};
use super::stringio::{check_newline, line_end_for};
use super::*;
use num_bigint::BigInt;
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq)]
enum Native {
    Utf8,
    Ascii,
    Latin1,
}

fn native_encoding(name: &str) -> Option<Native> {
    match name.to_ascii_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" => Some(Native::Utf8),
        "ascii" | "us-ascii" => Some(Native::Ascii),
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" => Some(Native::Latin1),
        _ => None,
    }
}

/// The decoding half: bytes to text with newlines handled.
enum Bytes2Text {
    Native { kind: Native, rest: RefCell<Vec<u8>> },
    Codec(Owned<Object>),
}

/// A decoder's state: bytes not decoded yet, and flags (with the held-back `\r` in bit 0 if newlines are translated).
#[derive(Clone, Default)]
struct DecoderState {
    rest: Vec<u8>,
    flags: i64,
}

struct Decoder {
    from: Bytes2Text,
    lines: Option<Newlines>,
}

impl Decoder {
    fn decode(&self, input: &[u8], errors: &str, last: bool) -> PyResult<Owned<Str>> {
        let s = match &self.from {
            Bytes2Text::Codec(d) => {
                let b = Bytes::new(input);
                let r = d.call_method("decode", &[&b, bool_ref(last)])?;
                match r.downcast_owned::<Str>() {
                    Ok(s) => s,
                    Err(r) => {
                        return raise!(
                            TypeError,
                            "decoder should return a string result, not '{}'",
                            r.ty().name()
                        );
                    }
                }
            }
            Bytes2Text::Native { kind, rest } => {
                let kept = rest.take();
                let joined;
                let data: &[u8] = if kept.is_empty() {
                    input
                } else {
                    joined = [&kept[..], input].concat();
                    &joined
                };
                native_decode(*kind, data, errors, last, rest)?
            }
        };
        match &self.lines {
            Some(l) => l.feed(&s, last),
            None => Ok(s),
        }
    }
    fn state(&self) -> PyResult<DecoderState> {
        let mut s = match &self.from {
            Bytes2Text::Native { rest, .. } => DecoderState { rest: rest.borrow().clone(), flags: 0 },
            Bytes2Text::Codec(d) => {
                let s = d.call_method("getstate", &[])?;
                let Some(t) = s.downcast::<Tuple>().filter(|t| t.len() == 2) else {
                    return raise!(TypeError, "illegal decoder state");
                };
                let Some(b) = t.item_ref(0).downcast::<Bytes>() else {
                    let got = t.item_ref(0).ty().name();
                    return raise!(
                        TypeError,
                        "illegal decoder state: the first item should be a bytes object, not '{}'",
                        got
                    );
                };
                DecoderState { rest: b.as_bytes().to_vec(), flags: offset_arg(t.item_ref(1))? }
            }
        };
        if let Some(l) = &self.lines {
            s.flags = s.flags << 1 | l.pending_cr.get() as i64;
        }
        Ok(s)
    }
    fn set_state(&self, s: &DecoderState) -> PyResult<()> {
        let mut flags = s.flags;
        if let Some(l) = &self.lines {
            l.pending_cr.set(flags & 1 != 0);
            flags >>= 1;
        }
        match &self.from {
            Bytes2Text::Native { rest, .. } => *rest.borrow_mut() = s.rest.clone(),
            Bytes2Text::Codec(d) => {
                let t = Tuple::from_vec(vec![Bytes::new(&s.rest).into_object(), int(flags)]);
                d.call_method("setstate", &[&t])?;
            }
        }
        Ok(())
    }
    fn reset(&self) -> PyResult<()> {
        if let Some(l) = &self.lines {
            l.pending_cr.set(false);
            l.seen.set(0);
        }
        match &self.from {
            Bytes2Text::Native { rest, .. } => rest.borrow_mut().clear(),
            Bytes2Text::Codec(d) => drop(d.call_method("reset", &[])?),
        }
        Ok(())
    }
}

/// How many bytes at the end begin a UTF-8 sequence that more input could complete.
fn incomplete_tail(b: &[u8]) -> usize {
    for back in 1..=b.len().min(3) {
        let c = b[b.len() - back];
        if c & 0xc0 == 0x80 {
            continue;
        }
        let need = match c {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return 0,
        };
        // Only a tail that is valid so far waits; std knows the rules for second bytes.
        let tail = &b[b.len() - back..];
        let waits = need > back && std::str::from_utf8(tail).is_err_and(|e| e.error_len().is_none());
        return if waits { back } else { 0 };
    }
    0
}

fn native_decode(
    kind: Native,
    data: &[u8],
    errors: &str,
    last: bool,
    rest: &RefCell<Vec<u8>>,
) -> PyResult<Owned<Str>> {
    let as_str = |o: Owned<Object>| {
        o.downcast_owned::<Str>().map_err(|_| raised!(TypeError, "decoder should return a string result"))
    };
    match kind {
        Native::Latin1 => Ok(Str::from_latin1(data)),
        Native::Ascii if data.is_ascii() => Ok(Str::from_latin1(data)),
        Native::Ascii => as_str(codecs::decode(data, "ascii", errors)?),
        Native::Utf8 => {
            let tail = if last { 0 } else { incomplete_tail(data) };
            let (now, later) = data.split_at(data.len() - tail);
            *rest.borrow_mut() = later.to_vec();
            match std::str::from_utf8(now) {
                Ok(s) => Ok(Str::new(s)),
                Err(_) => as_str(codecs::decode(now, "utf-8", errors)?),
            }
        }
    }
}

enum Encoder {
    Native(Native),
    Codec(Owned<Object>),
}

#[derive(Default)]
struct Cookie {
    start: i128,
    flags: i32,
    feed: i32,
    skip: i32,
    eof: bool,
}

impl Cookie {
    /// One integer: 64 bits of position, 32 each of flags, bytes to feed, characters to skip, 8 for "at the end".
    fn pack(&self) -> Owned<Object> {
        let part = |v: i32, at: u32| BigInt::from(v as u32) << at;
        let n = BigInt::from(self.start)
            + part(self.flags, 64)
            + part(self.feed, 96)
            + part(self.skip, 128)
            + (BigInt::from(self.eof as u8) << 160u32);
        Int::from_bigint(&n).into_object()
    }
    fn unpack(i: &Int) -> Cookie {
        let n = i.to_bigint();
        let (_, bytes) = n.to_bytes_le();
        let get = |from: usize, len: usize| -> u64 {
            (0..len).map(|k| (bytes.get(from + k).copied().unwrap_or(0) as u64) << (8 * k)).sum()
        };
        Cookie {
            start: get(0, 8) as i128,
            flags: get(8, 4) as i32,
            feed: get(12, 4) as i32,
            skip: get(16, 4) as i32,
            eof: get(20, 1) != 0,
        }
    }
}

/// Character and line based layer over a BufferedIOBase object, buffer.
#[pyclass(name = "TextIOWrapper", module = "_io", base = TextIOBase, basetype)]
pub struct TextIOWrapper {
    buffer: Slot,
    encoding: Slot<Str>,
    errors: Slot<Str>,
    #[notrace]
    decoder: RefCell<Option<std::rc::Rc<Decoder>>>,
    #[notrace]
    encoder: RefCell<Option<std::rc::Rc<Encoder>>>,
    #[notrace]
    pending: RefCell<Vec<u8>>,
    decoded: Slot<Str>,
    used: Cell<usize>,
    #[notrace]
    snapshot: RefCell<Option<(i64, Vec<u8>)>>,
    #[notrace]
    newline: Cell<Option<&'static str>>,
    ok: Cell<bool>,
    detached: Cell<bool>,
    line_buffering: Cell<bool>,
    write_through: Cell<bool>,
    seekable: Cell<bool>,
    telling: Cell<bool>,
    has_read1: Cell<bool>,
    finalizing: Cell<bool>,
    b2c: Cell<f64>,
    chunk: Cell<usize>,
}

fn str_of(s: &Slot<Str>, default: &str) -> String {
    s.get().map_or_else(|| default.to_string(), |s| s.to_str_lossy().into_owned())
}

impl TextIOWrapper {
    fn buffer(&self) -> PyResult<Owned<Object>> {
        if self.ok.get()
            && let Some(b) = self.buffer.get()
        {
            return Ok(b);
        }
        if self.detached.get() {
            return raise!(ValueError, "underlying buffer has been detached");
        }
        raise!(ValueError, "I/O operation on uninitialized object")
    }
    fn open_buffer(&self) -> PyResult<Owned<Object>> {
        let b = self.buffer()?;
        let closed = if self.is_exact::<TextIOWrapper>() { is_closed(&b)? } else { is_closed(self)? };
        if closed { closed_error() } else { Ok(b) }
    }
    fn decoder(&self) -> PyResult<std::rc::Rc<Decoder>> {
        match &*self.decoder.borrow() {
            Some(d) => Ok(d.clone()),
            None => Err(unsupported("not readable")),
        }
    }
    fn errors_text(&self) -> String {
        str_of(&self.errors, "strict")
    }

    fn set_codecs(&self, buffer: &Object, encoding: &str) -> PyResult<()> {
        let newline = self.newline.get();
        let errors = self.errors_text();
        let native = native_encoding(encoding);
        let info = if native.is_none() { Some(text_codec(encoding)?) } else { None };
        *self.decoder.borrow_mut() = None;
        *self.encoder.borrow_mut() = None;
        let from = |what: &str| -> PyResult {
            info.as_ref().expect("looked up").get_attr_str(what)?.call1(&Str::new(&errors))
        };
        if ask(buffer, "readable")? {
            let lines = match newline {
                None => Some(Newlines::new(true)),
                Some("") => Some(Newlines::new(false)),
                _ => None,
            };
            let source = match native {
                Some(kind) => Bytes2Text::Native { kind, rest: RefCell::new(vec![]) },
                None => Bytes2Text::Codec(from("incrementaldecoder")?),
            };
            *self.decoder.borrow_mut() = Some(std::rc::Rc::new(Decoder { from: source, lines }));
        }
        if ask(buffer, "writable")? {
            let e = match native {
                Some(kind) => Encoder::Native(kind),
                None => Encoder::Codec(from("incrementalencoder")?),
            };
            *self.encoder.borrow_mut() = Some(std::rc::Rc::new(e));
        }
        Ok(())
    }
    /// A codec that writes a signature must not write it again in the middle of a file.
    fn fix_encoder_start(&self, buffer: &Object) -> PyResult<()> {
        let e = self.encoder.borrow().clone();
        if let Some(e) = e
            && let Encoder::Codec(c) = &*e
            && self.seekable.get()
        {
            let pos = buffer.call_method("tell", &[])?;
            if !pos.equals_obj(&int(0))? {
                c.call_method("setstate", &[&*int(0)])?;
            }
        }
        Ok(())
    }

    // ---- Writing ----

    fn encode_into(&self, s: &Str, out: &mut Vec<u8>) -> PyResult<()> {
        let Some(e) = self.encoder.borrow().clone() else { return Err(unsupported("not writable")) };
        let bytes = match &*e {
            Encoder::Native(kind) => {
                if s.is_ascii() {
                    // SAFETY: an ASCII string has one byte per character.
                    out.extend_from_slice(unsafe { std::slice::from_raw_parts(s.data(), s.len()) });
                    return Ok(());
                }
                let name = match kind {
                    Native::Utf8 => "utf-8",
                    Native::Ascii => "ascii",
                    Native::Latin1 => "latin-1",
                };
                codecs::encode(s, name, &self.errors_text())?
            }
            Encoder::Codec(c) => c.call_method("encode", &[s])?,
        };
        match bytes.downcast::<Bytes>() {
            Some(b) => {
                out.extend_from_slice(b.as_bytes());
                Ok(())
            }
            None => raise!(TypeError, "encoder should return a bytes object, not '{}'", bytes.ty().name()),
        }
    }
    fn write_pending(&self) -> PyResult<()> {
        if self.pending.borrow().is_empty() {
            return Ok(());
        }
        let data = self.pending.take();
        if data.is_empty() {
            return Ok(());
        }
        let b = Bytes::new(&data);
        let buffer = self.buffer()?;
        loop {
            match buffer.call_method("write", &[&b]) {
                Err(e) if e.matches(exc::InterruptedError()) => e.clear(),
                r => return r.map(drop),
            }
        }
    }

    // ---- Reading ----

    fn set_decoded(&self, s: Option<Owned<Str>>) {
        self.used.set(0);
        self.decoded.set(s)
    }
    /// Takes up to `n` of the decoded characters (all if `None`).
    fn take_decoded(&self, n: Option<usize>) -> Owned<Str> {
        let Some(d) = self.decoded.get() else { return Str::empty().own() };
        let from = self.used.get();
        let to = n.map_or(d.len(), |n| d.len().min(from + n));
        self.used.set(to);
        if from == 0 && to == d.len() { d } else { d.slice(from, to) }
    }
    /// Decodes the next chunk; false at the end of the stream.
    fn read_chunk(&self, hint: usize) -> PyResult<bool> {
        let d = self.decoder()?;
        let before = if self.telling.get() { Some(d.state()?) } else { None };
        let hint = (self.b2c.get().max(1.0) * hint as f64) as usize;
        let n = self.chunk.get().max(hint);
        let method = if self.has_read1.get() { "read1" } else { "read" };
        let input = self.buffer()?.call_method(method, &[&*int(n as i64)])?;
        let bytes: Vec<u8>;
        let data: &[u8] = match input.downcast::<Bytes>() {
            Some(b) => b.as_bytes(),
            None if lh_runtime::buffer::supports_buffer(&input) => {
                bytes = Buffer::simple(&input)?.to_vec();
                &bytes
            }
            None => {
                return raise!(
                    TypeError,
                    "underlying {}() should have returned a bytes-like object, not '{}'",
                    method,
                    input.ty().name()
                );
            }
        };
        let mut eof = data.is_empty();
        let s = d.decode(data, &self.errors_text(), eof)?;
        let chars = s.len();
        self.set_decoded(Some(s));
        if chars > 0 {
            self.b2c.set(data.len() as f64 / chars as f64);
            eof = false;
        } else {
            self.b2c.set(0.0);
        }
        if let Some(st) = before {
            let mut next = st.rest;
            next.extend_from_slice(data);
            *self.snapshot.borrow_mut() = Some((st.flags, next));
        }
        Ok(!eof)
    }
    fn read_line(&self, limit: isize) -> PyResult<Owned<Str>> {
        self.open_buffer()?;
        self.write_pending()?;
        let how: LineEnd = line_end_for(self.newline.get());
        // Nearly always a whole line is there already.
        if limit < 0
            // SAFETY: nothing runs that could change the slot while the text is looked at.
            && let Some(d) = unsafe { self.decoded.peek() }
            && self.used.get() < d.len()
            && let Some(end) = find_line_end(d, self.used.get(), d.len(), how)
        {
            let from = self.used.replace(end);
            return Ok(d.slice(from, end));
        }
        let mut parts: Vec<Owned<Str>> = vec![];
        let mut have = 0usize;
        // The last part ends in a '\r' that may be the first half of "\r\n".
        let mut half = false;
        let mut at_end = false;
        loop {
            let d = match self.decoded.get().filter(|d| self.used.get() < d.len()) {
                Some(d) => d,
                None => {
                    let mut more = true;
                    while more {
                        more = self.read_chunk(0)?;
                        if self.decoded.get().is_some_and(|d| !d.is_empty()) {
                            break;
                        }
                    }
                    match self.decoded.get().filter(|d| !d.is_empty()) {
                        Some(d) => d,
                        None => {
                            self.set_decoded(None);
                            *self.snapshot.borrow_mut() = None;
                            at_end = true;
                            break;
                        }
                    }
                }
            };
            let from = self.used.get();
            let mut to = d.len();
            if limit >= 0 {
                to = to.min(from + limit as usize - have);
            }
            let end = if half && from < to && d.char_at(from) == 10 {
                Some(from + 1)
            } else {
                find_line_end(&d, from, to, how)
            };
            let stop = end.unwrap_or(to);
            if stop > from {
                let part = d.slice(from, stop);
                have += part.len();
                half = how == LineEnd::CrLf && part.char_at(part.len() - 1) == 13;
                parts.push(part);
            }
            self.used.set(stop);
            if end.is_some() || (limit >= 0 && have >= limit as usize) {
                break;
            }
        }
        let _ = at_end;
        match parts.len() {
            0 => Ok(Str::empty().own()),
            1 => Ok(parts.pop().expect("one")),
            _ => {
                let mut b = StrBuilder::new();
                parts.iter().for_each(|p| b.push_obj(p));
                Ok(b.finish())
            }
        }
    }

    fn drop_readahead(&self) {
        self.set_decoded(None);
        *self.snapshot.borrow_mut() = None;
    }

    // ---- Positions ----

    /// The cookie for the present position, given where the buffer stands.
    fn make_cookie(&self, position: i128, flags: i64, input: &[u8]) -> PyResult {
        let d = self.decoder()?;
        let errors = self.errors_text();
        let mut skip = self.used.get();
        let mut c =
            Cookie { start: position - input.len() as i128, flags: flags as i32, ..Cookie::default() };
        if skip == 0 {
            return Ok(c.pack());
        }
        let saved = d.state()?;
        let start = DecoderState { rest: vec![], flags };
        let r = (|| -> PyResult<()> {
            // A guess from the average bytes per character, corrected until it is not too far.
            let mut skip_bytes = (self.b2c.get() * skip as f64) as usize;
            let mut back = 1usize;
            skip_bytes = skip_bytes.min(input.len());
            loop {
                d.set_state(&start)?;
                if skip_bytes == 0 {
                    break;
                }
                let n = d.decode(&input[..skip_bytes], &errors, false)?.len();
                if n <= skip {
                    let st = d.state()?;
                    if st.rest.is_empty() {
                        c.flags = st.flags as i32;
                        skip -= n;
                        break;
                    }
                    skip_bytes -= st.rest.len().min(skip_bytes);
                    back = 1;
                } else {
                    skip_bytes -= back.min(skip_bytes);
                    back *= 2;
                }
            }
            c.start += skip_bytes as i128;
            if skip == 0 {
                return Ok(());
            }
            let mut chars = 0usize;
            for i in skip_bytes..input.len() {
                chars += d.decode(&input[i..i + 1], &errors, false)?.len();
                c.feed += 1;
                let st = d.state()?;
                if st.rest.is_empty() && chars <= skip {
                    c.start += c.feed as i128;
                    skip -= chars;
                    c.flags = st.flags as i32;
                    c.feed = 0;
                    chars = 0;
                }
                if chars >= skip {
                    c.skip = skip as i32;
                    return Ok(());
                }
            }
            chars += d.decode(b"", &errors, true)?.len();
            c.eof = true;
            if chars < skip {
                return raise!(OSError, "can't reconstruct logical file position");
            }
            c.skip = skip as i32;
            Ok(())
        })();
        match r {
            Ok(()) => {
                d.set_state(&saved)?;
                Ok(c.pack())
            }
            Err(e) => {
                preserving(|| {
                    if let Err(x) = d.set_state(&saved) {
                        x.clear()
                    }
                });
                Err(e)
            }
        }
    }
    fn reset_encoder(&self, at_start: bool) -> PyResult<()> {
        let e = self.encoder.borrow().clone();
        if let Some(e) = e
            && let Encoder::Codec(c) = &*e
        {
            if at_start {
                c.call_method("reset", &[])?;
            } else {
                c.call_method("setstate", &[&*int(0)])?;
            }
        }
        Ok(())
    }
}

/// The codec of a text encoding.
fn text_codec(encoding: &str) -> PyResult {
    let m = lh_runtime::import::import_module("_codecs")?;
    let info = m.call_method("lookup", &[&*text(encoding)])?;
    if let Some(t) = info.get_attr_str_opt("_is_text_encoding")?
        && !t.is_true()?
    {
        return raise!(
            LookupError,
            "'{}' is not a text encoding; use codecs.open() to handle arbitrary codecs",
            encoding
        );
    }
    Ok(info)
}

/// The encoding of the locale.
fn locale_encoding() -> String {
    if lh_runtime::sysobject::config().utf8_mode {
        return "utf-8".into();
    }
    // SAFETY: nl_langinfo answers a C string.
    let s =
        unsafe { std::ffi::CStr::from_ptr(libc::nl_langinfo(libc::CODESET)) }.to_string_lossy().into_owned();
    if s.is_empty() { "utf-8".into() } else { s }
}

fn opt_str<'a>(o: Option<&'a Object>, func: &str, name: &str) -> PyResult<Option<&'a Str>> {
    match o.filter(|o| !o.is_none()) {
        None => Ok(None),
        Some(o) => match o.downcast::<Str>() {
            Some(s) => Ok(Some(s)),
            None => {
                raise!(TypeError, "{}() argument '{}' must be str or None, not {}", func, name, o.ty().name())
            }
        },
    }
}

#[pymethods(extra = finalize_before_dealloc::<TextIOWrapper>)]
impl TextIOWrapper {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<TextIOWrapper>> {
        TextIOWrapper {
            buffer: Slot::empty(),
            encoding: Slot::empty(),
            errors: Slot::empty(),
            decoder: RefCell::new(None),
            encoder: RefCell::new(None),
            pending: RefCell::new(vec![]),
            decoded: Slot::empty(),
            used: Cell::new(0),
            snapshot: RefCell::new(None),
            newline: Cell::new(None),
            ok: Cell::new(false),
            detached: Cell::new(false),
            line_buffering: Cell::new(false),
            write_through: Cell::new(false),
            seekable: Cell::new(false),
            telling: Cell::new(false),
            has_read1: Cell::new(false),
            finalizing: Cell::new(false),
            b2c: Cell::new(0.0),
            chunk: Cell::new(DEFAULT_BUFFER_SIZE),
        }
        .build_in(cls)
    }
    #[init(
        name = "TextIOWrapper",
        signature = "(buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)"
    )]
    fn init(
        &self,
        buffer: &Object,
        encoding: Option<&Object>,
        errors: Option<&Object>,
        newline: Option<&Object>,
        line_buffering: bool,
        write_through: bool,
    ) -> PyResult<()> {
        self.ok.set(false);
        self.detached.set(false);
        let encoding = opt_str(encoding, "TextIOWrapper", "encoding")?;
        let newline = match opt_str(newline, "TextIOWrapper", "newline")? {
            Some(s) => check_newline(Some(s.to_str()?))?,
            None => None,
        };
        let errors = match opt_str(errors, "TextIOWrapper", "errors")? {
            Some(e) => e.own(),
            None => Str::new("strict"),
        };
        if encoding.is_none() && lh_runtime::sysobject::config().warn_default_encoding {
            lh_runtime::warnings::warn(exc::EncodingWarning(), "'encoding' argument not specified", 1)?;
        }
        let encoding = match encoding {
            Some(e) if !e.equals_str("locale") => e.own(),
            _ => Str::new(&locale_encoding()),
        };
        let name = encoding.to_str()?.to_string();
        if name.contains('\0') {
            return raise!(ValueError, "embedded null character");
        }
        lh_runtime::codecs::check_names(&name, &errors.to_str_lossy())?;
        self.errors.set(Some(errors));
        self.newline.set(newline);
        self.line_buffering.set(line_buffering);
        self.write_through.set(write_through);
        self.pending.borrow_mut().clear();
        self.drop_readahead();
        self.b2c.set(0.0);
        self.chunk.set(DEFAULT_BUFFER_SIZE);
        self.set_codecs(buffer, &name)?;
        self.encoding.set(Some(encoding));
        self.buffer.set(Some(buffer.own()));
        let seekable = ask(buffer, "seekable")?;
        self.seekable.set(seekable);
        self.telling.set(seekable);
        self.has_read1.set(buffer.get_attr_opt(intern!("read1"))?.is_some());
        self.fix_encoder_start(buffer)?;
        self.ok.set(true);
        Ok(())
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<String> {
        // What needs no buffer works after `detach`, too.
        if !self.detached.get() {
            self.buffer()?;
        }
        let _deep = lh_runtime::thread::enter_recursive(" in __repr__")?;
        let t = self.ty().name();
        let mut out = format!("<_io.{}", t.rsplit('.').next().unwrap_or(&t));
        for attr in ["name", "mode"] {
            match self.get_attr_str_opt(attr) {
                Ok(Some(v)) => out.push_str(&format!(" {attr}={}", v.repr()?.to_str_lossy())),
                Ok(None) => {}
                Err(e) if e.matches(exc::ValueError()) => e.clear(),
                Err(e) => return Err(e),
            }
        }
        let enc = self.encoding.get().map_or_else(|| text("None"), Owned::into_object).repr()?;
        Ok(format!("{out} encoding={}>", enc.to_str_lossy()))
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        self.buffer()?;
        self.telling.set(false);
        let line = if self.is_exact::<TextIOWrapper>() {
            self.read_line(-1)?.into_object()
        } else {
            let l = self.call_method("readline", &[])?;
            if !l.is_instance_of::<Str>() {
                return raise!(
                    OSError,
                    "readline() should have returned a str object, not '{}'",
                    l.ty().name()
                );
            }
            l
        };
        if line.length()? == 0 {
            *self.snapshot.borrow_mut() = None;
            self.telling.set(self.seekable.get());
            return Ok(None);
        }
        Ok(Some(line))
    }
    #[pymethod]
    fn detach(&self) -> PyResult {
        self.buffer()?;
        self.call_method("flush", &[])?;
        let b = self.buffer()?;
        self.buffer.set(None);
        self.detached.set(true);
        self.ok.set(false);
        Ok(b)
    }
    /// Reconfigure the text stream with new parameters.
    #[pymethod(
        signature = "(*, encoding=None, errors=None, newline=<unrepresentable>, line_buffering=None, write_through=None)"
    )]
    fn reconfigure(
        &self,
        encoding: Option<&Object>,
        errors: Option<&Object>,
        newline: Option<&Object>,
        line_buffering: Option<bool>,
        write_through: Option<bool>,
    ) -> PyResult<()> {
        let encoding = opt_str(encoding, "reconfigure", "encoding")?;
        let errors = opt_str(errors, "reconfigure", "errors")?;
        let ahead = self.decoder.borrow().is_some() && self.decoded.is_some();
        if ahead && (encoding.is_some() || errors.is_some() || newline.is_some()) {
            return Err(unsupported(
                "It is not possible to set the encoding or newline of stream after the first read",
            ));
        }
        let newline = match newline {
            None => self.newline.get(),
            Some(n) => match opt_str(Some(n), "reconfigure", "newline")? {
                Some(s) => check_newline(Some(s.to_str()?))?,
                None => None,
            },
        };
        let b = self.buffer()?;
        self.call_method("flush", &[])?;
        self.b2c.set(0.0);
        if encoding.is_some() || errors.is_some() || newline != self.newline.get() {
            let new_encoding = match encoding {
                Some(e) if e.equals_str("locale") => Str::new(&locale_encoding()),
                Some(e) => e.own(),
                None => match self.encoding.get() {
                    Some(e) => e,
                    None => Str::new(&locale_encoding()),
                },
            };
            let new_errors = match errors {
                Some(e) => e.own(),
                None if encoding.is_some() => Str::new("strict"),
                None => Str::new(&self.errors_text()),
            };
            let (old_newline, old_errors) = (self.newline.get(), self.errors.get());
            self.newline.set(newline);
            self.errors.set(Some(new_errors));
            if let Err(e) = self.set_codecs(&b, &new_encoding.to_str_lossy()) {
                self.newline.set(old_newline);
                self.errors.set(old_errors);
                return Err(e);
            }
            self.encoding.set(Some(new_encoding));
            self.fix_encoder_start(&b)?;
        }
        if let Some(l) = line_buffering {
            self.line_buffering.set(l);
        }
        if let Some(w) = write_through {
            self.write_through.set(w);
        }
        Ok(())
    }
    #[pymethod(signature = "(text, /)")]
    fn write(&self, text: &Object) -> PyResult<usize> {
        let Some(s) = text.downcast::<Str>() else {
            return raise!(TypeError, "write() argument must be str, not {}", text.ty().name());
        };
        let b = self.open_buffer()?;
        if self.encoder.borrow().is_none() {
            return Err(unsupported("not writable"));
        }
        let n = s.len();
        let ending = match self.newline.get() {
            Some(e @ ("\r" | "\r\n")) => Some(e),
            _ => None,
        };
        let lf = (ending.is_some() || self.line_buffering.get()) && find_char(s, 0, n, b'\n').is_some();
        let translated;
        let out = match ending {
            Some(e) if lf => {
                let mut sb = StrBuilder::new();
                for c in s.chars() {
                    if c == 10 { sb.push_str(e) } else { sb.push(c) }
                }
                translated = sb.finish();
                &*translated
            }
            _ => s,
        };
        let flush = self.line_buffering.get() && (lf || find_char(s, 0, n, b'\r').is_some());
        let mut pending = self.pending.take();
        let waiting = pending.len();
        let r = self.encode_into(out, &mut pending);
        if waiting > 0 && pending.len() > self.chunk.get() && r.is_ok() {
            // What goes out in one piece is no larger than a chunk, unless it came so.
            let new = pending.split_off(waiting);
            let between = self.pending.replace(pending);
            self.write_pending()?;
            pending = new;
            self.pending.borrow_mut().extend_from_slice(&between);
        }
        // Text written meanwhile by the encoder's own code keeps its place.
        let between = self.pending.replace(pending);
        if !between.is_empty() {
            self.pending.borrow_mut().extend_from_slice(&between);
        }
        r?;
        if flush || self.write_through.get() || self.pending.borrow().len() >= self.chunk.get() {
            self.write_pending()?;
        }
        if flush {
            b.call_method("flush", &[])?;
        }
        if self.snapshot.borrow().is_some() || self.decoded.is_some() {
            self.drop_readahead();
        }
        let d = self.decoder.borrow().clone();
        if let Some(d) = d {
            d.reset()?;
        }
        Ok(n)
    }
    #[pymethod(signature = "(size=-1, /)")]
    fn read(&self, size: Option<&Object>) -> PyResult<Owned<Str>> {
        let n = size_arg(size)?;
        let b = self.open_buffer()?;
        let d = self.decoder()?;
        self.write_pending()?;
        if n < 0 {
            let input = b.call_method("read", &[])?;
            let s = match input.downcast::<Bytes>() {
                Some(x) => d.decode(x.as_bytes(), &self.errors_text(), true)?,
                None if input.is_none() => {
                    return raise!(
                        TypeError,
                        "underlying read() should have returned a bytes-like object, not 'NoneType'"
                    );
                }
                None => d.decode(&Buffer::simple(&input)?.to_vec(), &self.errors_text(), true)?,
            };
            let first = self.take_decoded(None);
            self.drop_readahead();
            return if first.is_empty() { Ok(s) } else { first.concat(&s) };
        }
        let mut left = n as usize;
        let mut out = self.take_decoded(Some(left));
        left -= out.len();
        let mut builder: Option<StrBuilder> = None;
        while left > 0 {
            if !self.read_chunk(left)? {
                break;
            }
            let part = self.take_decoded(Some(left));
            left -= part.len();
            if builder.is_none() && out.is_empty() {
                out = part;
                continue;
            }
            let sb = builder.get_or_insert_with(|| {
                let mut sb = StrBuilder::new();
                sb.push_obj(&out);
                sb
            });
            sb.push_obj(&part);
        }
        Ok(builder.map_or(out, StrBuilder::finish))
    }
    #[pymethod(signature = "(size=-1, /)")]
    fn readline(&self, size: Option<&Object>) -> PyResult<Owned<Str>> {
        self.buffer()?;
        self.read_line(size_arg(size)?)
    }
    #[pymethod]
    fn flush(&self) -> PyResult {
        let b = self.open_buffer()?;
        self.telling.set(self.seekable.get());
        self.write_pending()?;
        b.call_method("flush", &[])
    }
    #[pymethod]
    fn close(&self) -> PyResult {
        let b = self.buffer()?;
        if is_closed(self)? {
            return Ok(none());
        }
        if self.finalizing.get()
            && let Err(e) = b.call_method("_dealloc_warn", &[self])
        {
            e.clear();
        }
        let flushed = self.call_method("flush", &[]);
        let kept = if flushed.is_err() { Some(fetch()) } else { None };
        join_errors(kept, b.call_method("close", &[]))
    }
    #[pymethod]
    fn fileno(&self) -> PyResult {
        self.buffer()?.call_method("fileno", &[])
    }
    #[pymethod]
    fn seekable(&self) -> PyResult {
        self.buffer()?.call_method("seekable", &[])
    }
    #[pymethod]
    fn readable(&self) -> PyResult {
        self.buffer()?.call_method("readable", &[])
    }
    #[pymethod]
    fn writable(&self) -> PyResult {
        self.buffer()?.call_method("writable", &[])
    }
    #[pymethod]
    fn isatty(&self) -> PyResult {
        self.buffer()?.call_method("isatty", &[])
    }
    #[pymethod(signature = "(cookie, whence=0, /)")]
    fn seek(&self, cookie: &Object, whence: i32) -> PyResult {
        let b = self.open_buffer()?;
        if !self.seekable.get() {
            return Err(unsupported("underlying stream is not seekable"));
        }
        let mut cookie = cookie.own();
        match whence {
            1 => {
                if !cookie.equals_obj(&int(0))? {
                    return Err(unsupported("can't do nonzero cur-relative seeks"));
                }
                self.call_method("flush", &[])?;
                cookie = self.call_method("tell", &[])?;
            }
            2 => {
                if !cookie.equals_obj(&int(0))? {
                    return Err(unsupported("can't do nonzero end-relative seeks"));
                }
                self.call_method("flush", &[])?;
                self.drop_readahead();
                let d = self.decoder.borrow().clone();
                if let Some(d) = d {
                    d.reset()?;
                }
                let r = b.call_method("seek", &[&*int(0), &*int(2)])?;
                self.reset_encoder(r.equals_obj(&int(0))?)?;
                return Ok(r);
            }
            0 => {}
            w => return raise!(ValueError, "invalid whence ({}, should be 0, 1 or 2)", w),
        }
        let Some(i) = cookie.downcast::<Int>() else {
            return raise!(TypeError, "'{}' object cannot be interpreted as an integer", cookie.ty().name());
        };
        if i.rich_compare_bool(&int(0), lh_runtime::slots::CompareOp::Lt)? {
            return raise!(ValueError, "negative seek position {}", cookie.repr()?.to_str_lossy());
        }
        self.call_method("flush", &[])?;
        let c = Cookie::unpack(i);
        b.call_method("seek", &[&*Int::from_i128(c.start)])?;
        self.drop_readahead();
        let d = self.decoder.borrow().clone();
        if let Some(d) = &d {
            if c.start == 0 && c.flags == 0 {
                d.reset()?;
            } else {
                d.set_state(&DecoderState { rest: vec![], flags: c.flags as i64 })?;
            }
        }
        if let Some(d) = d
            && c.skip > 0
        {
            let input = b.call_method("read", &[&*int(c.feed as i64)])?;
            let Some(x) = input.downcast::<Bytes>() else {
                return raise!(
                    TypeError,
                    "underlying read() should have returned a bytes object, not '{}'",
                    input.ty().name()
                );
            };
            *self.snapshot.borrow_mut() = Some((c.flags as i64, x.as_bytes().to_vec()));
            let s = d.decode(x.as_bytes(), &self.errors_text(), c.eof)?;
            let n = s.len();
            self.set_decoded(Some(s));
            if n < c.skip as usize {
                return raise!(OSError, "can't restore logical file position");
            }
            self.used.set(c.skip as usize);
        } else {
            *self.snapshot.borrow_mut() = Some((c.flags as i64, vec![]));
        }
        self.reset_encoder(c.start == 0 && c.flags == 0)?;
        Ok(cookie)
    }
    #[pymethod]
    fn tell(&self) -> PyResult {
        let b = self.open_buffer()?;
        if !self.seekable.get() {
            return Err(unsupported("underlying stream is not seekable"));
        }
        if !self.telling.get() {
            return raise!(OSError, "telling position disabled by next() call");
        }
        self.write_pending()?;
        self.call_method("flush", &[])?;
        let r = b.call_method("tell", &[])?;
        let snapshot = self.snapshot.borrow().clone();
        let has_decoder = self.decoder.borrow().is_some();
        let Some((flags, input)) = snapshot.filter(|_| has_decoder) else { return Ok(r) };
        let pos = match r.downcast::<Int>().and_then(|i| i.to_i128()) {
            Some(p) => p,
            None => {
                return raise!(TypeError, "'{}' object cannot be interpreted as an integer", r.ty().name());
            }
        };
        self.make_cookie(pos, flags, &input)
    }
    #[pymethod(signature = "(pos=None, /)")]
    fn truncate(&self, pos: Option<&Object>) -> PyResult {
        let b = self.buffer()?;
        self.call_method("flush", &[])?;
        b.call_method("truncate", &[pos.unwrap_or(none_ref())])
    }
    #[getter(encoding)]
    fn get_encoding(&self) -> Option<Owned<Str>> {
        self.encoding.get()
    }
    #[getter(buffer)]
    fn get_buffer(&self) -> PyResult {
        match self.buffer.get() {
            Some(b) => Ok(b),
            None => raise!(AttributeError, "buffer"),
        }
    }
    #[getter(line_buffering)]
    fn get_line_buffering(&self) -> bool {
        self.line_buffering.get()
    }
    #[getter(write_through)]
    fn get_write_through(&self) -> bool {
        self.write_through.get()
    }
    #[getter(_finalizing)]
    fn get_finalizing(&self) -> bool {
        self.finalizing.get()
    }
    #[setter(_finalizing)]
    fn set_finalizing(&self, v: Option<&Object>) -> PyResult<()> {
        self.finalizing.set(v.is_some_and(|v| v.is_true_object()));
        Ok(())
    }
    #[getter]
    fn name(&self) -> PyResult {
        self.buffer()?.get_attr(intern!("name"))
    }
    #[getter]
    fn closed(&self) -> PyResult {
        self.buffer()?.get_attr(intern!("closed"))
    }
    #[getter]
    fn newlines(&self) -> PyResult {
        self.buffer()?;
        let d = self.decoder.borrow().clone();
        Ok(d.and_then(|d| d.lines.as_ref().map(Newlines::describe)).unwrap_or_else(none))
    }
    #[getter(errors)]
    fn get_errors(&self) -> PyResult<Option<Owned<Str>>> {
        if !self.detached.get() {
            self.buffer()?;
        }
        Ok(self.errors.get())
    }
    #[getter(_CHUNK_SIZE)]
    fn get_chunk_size(&self) -> PyResult<usize> {
        self.buffer()?;
        Ok(self.chunk.get())
    }
    #[setter(_CHUNK_SIZE)]
    fn set_chunk_size(&self, v: Option<&Object>) -> PyResult<()> {
        self.buffer()?;
        let Some(v) = v else { return raise!(AttributeError, "cannot delete attribute") };
        let n = lh_runtime::number::as_isize(v, Some(exc::ValueError()))?;
        if n <= 0 {
            return raise!(ValueError, "a strictly positive integer is required");
        }
        self.chunk.set(n as usize);
        Ok(())
    }
}
