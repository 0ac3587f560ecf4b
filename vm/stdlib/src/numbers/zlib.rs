//! `zlib`: compression and decompression by zlib-rs, a zlib written in Rust, through its C-shaped interface.

use crate::os::util::{add_ints, new_exception};
use lh_runtime::prelude::*;
use libz_rs_sys as z;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

const VERSION: &str = "1.2.13";
/// Where output buffers start.
const CHUNK: usize = 16384;

fn error_class() -> PyResult<&'static Type> {
    static CELL: AtomicPtr<lh_runtime::abi::PyTypeObject> = AtomicPtr::new(std::ptr::null_mut());
    let mut p = CELL.load(Relaxed);
    if p.is_null() {
        p = new_exception("zlib", "error", exc::Exception())?.into_raw().cast();
        CELL.store(p, Relaxed);
    }
    // SAFETY: the type is kept for ever.
    Ok(unsafe { Type::from_raw_ref(p) })
}

/// A (de)compression stream. Boxed: the state inside points back at the `z_stream`.
struct Stream {
    z: Box<z::z_stream>,
    compressing: bool,
    /// Ended streams answer every call with an error.
    live: bool,
}

// SAFETY: the stream is plain memory owned by this value; it is used by one thread at a time.
unsafe impl Send for Stream {}

impl Stream {
    fn deflate(level: i32, method: i32, wbits: i32, mem: i32, strategy: i32) -> Result<Stream, i32> {
        let mut s = Box::new(z::z_stream::default());
        // SAFETY: a fresh stream; version and size are the library's own.
        let r = unsafe {
            z::deflateInit2_(
                &mut *s,
                level,
                method,
                wbits,
                mem,
                strategy,
                z::zlibVersion(),
                size_of::<z::z_stream>() as i32,
            )
        };
        if r == z::Z_OK { Ok(Stream { z: s, compressing: true, live: true }) } else { Err(r) }
    }
    fn inflate(wbits: i32) -> Result<Stream, i32> {
        let mut s = Box::new(z::z_stream::default());
        // SAFETY: as above.
        let r =
            unsafe { z::inflateInit2_(&mut *s, wbits, z::zlibVersion(), size_of::<z::z_stream>() as i32) };
        if r == z::Z_OK { Ok(Stream { z: s, compressing: false, live: true }) } else { Err(r) }
    }
    fn copy(&mut self) -> Result<Stream, i32> {
        let mut s = Box::new(z::z_stream::default());
        // SAFETY: both streams are valid, the target is fresh.
        let r = unsafe {
            if self.compressing {
                z::deflateCopy(&mut *s, &mut *self.z)
            } else {
                z::inflateCopy(&mut *s, &*self.z)
            }
        };
        if r == z::Z_OK {
            Ok(Stream { z: s, compressing: self.compressing, live: self.live })
        } else {
            Err(r)
        }
    }
    fn set_dictionary(&mut self, d: &[u8]) -> i32 {
        // SAFETY: a valid stream and a live slice.
        unsafe {
            if self.compressing {
                z::deflateSetDictionary(&mut *self.z, d.as_ptr(), d.len() as u32)
            } else {
                z::inflateSetDictionary(&mut *self.z, d.as_ptr(), d.len() as u32)
            }
        }
    }
    fn step(&mut self, flush: i32) -> i32 {
        if !self.live {
            return z::Z_STREAM_ERROR;
        }
        // SAFETY: the caller set input and output to live buffers.
        unsafe {
            if self.compressing { z::deflate(&mut *self.z, flush) } else { z::inflate(&mut *self.z, flush) }
        }
    }
    fn end(&mut self) {
        if self.live {
            self.live = false;
            // SAFETY: a valid stream, ended once.
            unsafe {
                if self.compressing {
                    z::deflateEnd(&mut *self.z);
                } else {
                    z::inflateEnd(&mut *self.z);
                }
            }
        }
    }

    /// Feeds `input` (behind `*used`) until it is used up, the output is `max` long or the stream ends or fails. The last piece goes with
    /// `flush`, others without. `zdict` is what to answer a wish for a dictionary with.
    fn run(
        &mut self,
        input: &[u8],
        used: &mut usize,
        out: &mut Vec<u8>,
        max: usize,
        flush: i32,
        zdict: Option<&[u8]>,
    ) -> Result<i32, (i32, bool)> {
        let mut size = CHUNK.min(max.max(1));
        loop {
            let piece = (input.len() - *used).min(u32::MAX as usize);
            let last = *used + piece == input.len();
            let room = size.min(max - out.len());
            out.reserve(room);
            let at = out.len();
            self.z.next_in = input[*used..].as_ptr();
            self.z.avail_in = piece as u32;
            self.z.next_out = out.spare_capacity_mut().as_mut_ptr().cast();
            self.z.avail_out = room as u32;
            let mut r = self.step(if last { flush } else { z::Z_NO_FLUSH });
            *used += piece - self.z.avail_in as usize;
            let made = room - self.z.avail_out as usize;
            // SAFETY: the stream wrote that many bytes into the reserved room.
            unsafe { out.set_len(at + made) };
            if r == z::Z_NEED_DICT {
                match zdict {
                    Some(d) => {
                        r = self.set_dictionary(d);
                        if r != z::Z_OK {
                            return Err((r, true));
                        }
                        continue;
                    }
                    None => return Ok(r),
                }
            }
            let full = self.z.avail_out == 0;
            if r == z::Z_STREAM_END || !matches!(r, z::Z_OK | z::Z_BUF_ERROR) {
                return Ok(r);
            }
            if out.len() == max {
                return Ok(r);
            }
            if !full && last {
                return Ok(r);
            }
            size = (size * 2).min(1 << 24);
        }
    }
    fn fail(&self, code: i32, what: &str) -> Raised {
        let detail = if self.z.msg.is_null() {
            match code {
                z::Z_BUF_ERROR => "incomplete or truncated stream".to_string(),
                z::Z_STREAM_ERROR => "inconsistent stream state".to_string(),
                z::Z_DATA_ERROR => "invalid input data".to_string(),
                _ => String::new(),
            }
        } else {
            // SAFETY: the library's message is a C string.
            unsafe { std::ffi::CStr::from_ptr(self.z.msg) }.to_string_lossy().into_owned()
        };
        fail(code, what, &detail)
    }
}
impl Drop for Stream {
    fn drop(&mut self) {
        self.end()
    }
}

fn fail(code: i32, what: &str, detail: &str) -> Raised {
    let t = match error_class() {
        Ok(t) => t,
        Err(e) => return e,
    };
    if detail.is_empty() {
        raise_fmt(t, format_args!("Error {code} {what}"))
    } else {
        raise_fmt(t, format_args!("Error {code} {what}: {detail}"))
    }
}

// ---- Checksums ----

fn start(o: Option<&Object>, default: u32) -> PyResult<u32> {
    o.map_or(Ok(default), |o| Ok(lh_runtime::number::index(o)?.to_u64_wrapping() as u32))
}
fn sum(data: &Buffer, f: impl FnOnce(&[u8]) -> u32) -> u32 {
    let b = data.as_bytes();
    if b.len() > 5 * 1024 { lh_runtime::thread::allow_threads(|| f(b)) } else { f(b) }
}
/// CRC-32, continued from `value`.
pub fn crc_of(data: &Buffer, value: Option<&Object>) -> PyResult<u32> {
    let v = start(value, 0)?;
    // SAFETY: a live slice.
    Ok(sum(data, |b| unsafe { z::crc32_z(v as u64, b.as_ptr(), b.len()) as u32 }))
}
/// Compute a CRC-32 checksum of data.
///
///   value
///     Starting value of the checksum.
///
/// The returned checksum is an integer.
#[pyfunction(signature = "(data, value=0, /)")]
pub fn crc32(data: Buffer, value: Option<&Object>) -> PyResult<u32> {
    crc_of(&data, value)
}
/// Compute an Adler-32 checksum of data.
///
///   value
///     Starting value of the checksum.
///
/// The returned checksum is an integer.
#[pyfunction(signature = "(data, value=1, /)")]
pub fn adler32(data: Buffer, value: Option<&Object>) -> PyResult<u32> {
    let v = start(value, 1)?;
    // SAFETY: a live slice.
    Ok(sum(&data, |b| unsafe { z::adler32_z(v as u64, b.as_ptr(), b.len()) as u32 }))
}

// ---- In one go ----

/// Returns a bytes object containing compressed data.
///
///   data
///     Binary data to be compressed.
///   level
///     Compression level, in 0-9 or -1.
///   wbits
///     The window buffer size and container format.
#[pyfunction(signature = "(data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)")]
pub fn compress(data: Buffer, level: Option<i32>, wbits: Option<i32>) -> PyResult<Vec<u8>> {
    let mut s = match Stream::deflate(level.unwrap_or(-1), z::Z_DEFLATED, wbits.unwrap_or(15), 8, 0) {
        Ok(s) => s,
        Err(z::Z_MEM_ERROR) => return raise!(MemoryError, "Out of memory while compressing data"),
        Err(z::Z_STREAM_ERROR) => {
            return Err(raise_fmt(error_class()?, format_args!("Bad compression level")));
        }
        Err(e) => return Err(fail(e, "while compressing data", "")),
    };
    let (b, mut out) = (data.as_bytes(), vec![]);
    let r = lh_runtime::thread::allow_threads(|| s.run(b, &mut 0, &mut out, usize::MAX, z::Z_FINISH, None));
    match r {
        Ok(z::Z_STREAM_END) => Ok(out),
        Ok(e) | Err((e, _)) => Err(s.fail(e, "while compressing data")),
    }
}
/// Returns a bytes object containing the uncompressed data.
///
///   data
///     Compressed data.
///   wbits
///     The window buffer size and container format.
///   bufsize
///     The initial output buffer size.
#[pyfunction(signature = "(data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)")]
pub fn decompress(data: Buffer, wbits: Option<i32>, bufsize: Option<isize>) -> PyResult<Vec<u8>> {
    if bufsize.is_some_and(|b| b < 0) {
        return raise!(ValueError, "bufsize must be non-negative");
    }
    let mut s = match Stream::inflate(wbits.unwrap_or(15)) {
        Ok(s) => s,
        Err(z::Z_MEM_ERROR) => return raise!(MemoryError, "Out of memory while decompressing data"),
        Err(z::Z_STREAM_ERROR) => {
            return Err(fail(
                z::Z_STREAM_ERROR,
                "while preparing to decompress data",
                "inconsistent stream state",
            ));
        }
        Err(e) => return Err(fail(e, "while preparing to decompress data", "")),
    };
    let (b, mut out) = (data.as_bytes(), vec![]);
    let r =
        lh_runtime::thread::allow_threads(|| s.run(b, &mut 0, &mut out, usize::MAX, z::Z_SYNC_FLUSH, None));
    match r {
        Ok(z::Z_STREAM_END) => Ok(out),
        // The input is used up, the stream has not ended.
        Ok(z::Z_OK) => Err(s.fail(z::Z_BUF_ERROR, "while decompressing data")),
        Ok(e) | Err((e, _)) => Err(s.fail(e, "while decompressing data")),
    }
}

// ---- Compress ----

#[pyclass(name = "Compress", module = "zlib", no_new, nogc)]
pub struct Compress {
    #[notrace]
    stream: RefCell<Stream>,
}

impl Compress {
    fn feed(&self, data: &[u8], flush: i32, what: &str) -> PyResult<(Vec<u8>, i32)> {
        let Ok(mut s) = self.stream.try_borrow_mut() else {
            return raise!(RuntimeError, "compression object is in use by another thread");
        };
        let mut out = vec![];
        let r = lh_runtime::thread::allow_threads(|| s.run(data, &mut 0, &mut out, usize::MAX, flush, None));
        match r {
            Ok(r @ (z::Z_OK | z::Z_STREAM_END | z::Z_BUF_ERROR)) => Ok((out, r)),
            Ok(e) | Err((e, _)) => Err(s.fail(e, what)),
        }
    }
    fn copied(&self) -> PyResult<Owned<Compress>> {
        let mut s = self.stream.borrow_mut();
        if !s.live {
            return raise!(ValueError, "Inconsistent stream state");
        }
        match s.copy() {
            Ok(c) => Ok(Compress { stream: RefCell::new(c) }.build()),
            Err(z::Z_STREAM_ERROR) => raise!(ValueError, "Inconsistent stream state"),
            Err(z::Z_MEM_ERROR) => raise!(MemoryError, "Can't allocate memory for compression object"),
            Err(e) => Err(s.fail(e, "while copying compression object")),
        }
    }
}

#[pymethods]
impl Compress {
    /// Returns a bytes object containing compressed data.
    ///
    ///   data
    ///     Binary data to be compressed.
    ///
    /// After calling this function, some of the input data may still
    /// be stored in internal buffers for later processing.
    /// Call the flush() method to clear these buffers.
    #[pymethod(signature = "(data, /)")]
    fn compress(&self, data: Buffer) -> PyResult<Vec<u8>> {
        Ok(self.feed(data.as_bytes(), z::Z_NO_FLUSH, "while compressing data")?.0)
    }
    /// Return a bytes object containing any remaining compressed data.
    ///
    ///   mode
    ///     One of the constants Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH.
    ///     If mode == Z_FINISH, the compressor object can no longer be
    ///     used after calling the flush() method.  Otherwise, more data
    ///     can still be compressed.
    #[pymethod(signature = "(mode=zlib.Z_FINISH, /)")]
    fn flush(&self, mode: Option<i32>) -> PyResult<Vec<u8>> {
        let mode = mode.unwrap_or(z::Z_FINISH);
        if mode == z::Z_NO_FLUSH {
            return Ok(vec![]);
        }
        let (out, r) = self.feed(&[], mode, "while flushing")?;
        if r == z::Z_STREAM_END && mode == z::Z_FINISH {
            self.stream.borrow_mut().end();
        }
        Ok(out)
    }
    /// Return a copy of the compression object.
    #[pymethod(signature = "()")]
    fn copy(&self) -> PyResult<Owned<Compress>> {
        self.copied()
    }
    #[pymethod(signature = "()")]
    fn __copy__(&self) -> PyResult<Owned<Compress>> {
        self.copied()
    }
    #[pymethod(signature = "(memo, /)")]
    fn __deepcopy__(&self, _memo: &Object) -> PyResult<Owned<Compress>> {
        self.copied()
    }
}

/// Return a compressor object.
///
///   level
///     The compression level (an integer in the range 0-9 or -1; default is
///     currently equivalent to 6).  Higher compression levels are slower,
///     but produce smaller results.
///   method
///     The compression algorithm.  If given, this must be DEFLATED.
///   wbits
///     +9 to +15: The base-two logarithm of the window size.  Include a zlib
///         container.
///     -9 to -15: Generate a raw stream.
///     +25 to +31: Include a gzip container.
///   memLevel
///     Controls the amount of memory used for internal compression state.
///     Valid values range from 1 to 9.  Higher values result in higher memory
///     usage, faster compression, and smaller output.
///   strategy
///     Used to tune the compression algorithm.  Possible values are
///     Z_DEFAULT_STRATEGY, Z_FILTERED, and Z_HUFFMAN_ONLY.
///   zdict
///     The predefined compression dictionary - a sequence of bytes
///     containing subsequences that are likely to occur in the input data.
#[pyfunction(
    signature = "(level=Z_DEFAULT_COMPRESSION, method=DEFLATED, wbits=MAX_WBITS, memLevel=DEF_MEM_LEVEL, strategy=Z_DEFAULT_STRATEGY, zdict=None)"
)]
#[allow(non_snake_case)]
pub fn compressobj(
    level: Option<i32>,
    method: Option<i32>,
    wbits: Option<i32>,
    memLevel: Option<i32>,
    strategy: Option<i32>,
    zdict: Option<&Object>,
) -> PyResult<Owned<Compress>> {
    let zdict = zdict.map(Buffer::simple).transpose()?;
    let s = Stream::deflate(
        level.unwrap_or(-1),
        method.unwrap_or(z::Z_DEFLATED),
        wbits.unwrap_or(15),
        memLevel.unwrap_or(8),
        strategy.unwrap_or(0),
    );
    let mut s = match s {
        Ok(s) => s,
        Err(z::Z_MEM_ERROR) => return raise!(MemoryError, "Can't allocate memory for compression object"),
        Err(z::Z_STREAM_ERROR) => return raise!(ValueError, "Invalid initialization option"),
        Err(e) => return Err(fail(e, "while creating compression object", "")),
    };
    if let Some(d) = zdict {
        match s.set_dictionary(d.as_bytes()) {
            z::Z_OK => {}
            z::Z_STREAM_ERROR => return raise!(ValueError, "Invalid dictionary"),
            _ => return raise!(ValueError, "deflateSetDictionary()"),
        }
    }
    Ok(Compress { stream: RefCell::new(s) }.build())
}

// ---- Decompress ----

#[pyclass(name = "Decompress", module = "zlib", no_new, nogc)]
pub struct Decompress {
    #[notrace]
    stream: RefCell<Stream>,
    #[notrace]
    zdict: Option<Vec<u8>>,
    unused: Slot<Bytes>,
    tail: Slot<Bytes>,
    eof: Cell<bool>,
}

impl Decompress {
    fn bytes_of(s: &Slot<Bytes>) -> Owned<Bytes> {
        s.get().unwrap_or_else(|| Bytes::new(b""))
    }
    /// Keeps what was not used: behind the end of the stream, or for later.
    fn keep(&self, rest: &[u8], ended: bool) {
        if ended {
            let mut v = Self::bytes_of(&self.unused).as_bytes().to_vec();
            v.extend(rest);
            self.unused.set(Some(Bytes::new(&v)));
            self.tail.set(None);
        } else {
            self.tail.set(if rest.is_empty() { None } else { Some(Bytes::new(rest)) });
        }
    }
    fn feed(&self, data: &[u8], max: usize, flush: i32) -> PyResult<(Vec<u8>, i32)> {
        let Ok(mut s) = self.stream.try_borrow_mut() else {
            return raise!(RuntimeError, "decompression object is in use by another thread");
        };
        let (mut used, mut out) = (0, vec![]);
        let zdict = self.zdict.as_deref();
        let r = lh_runtime::thread::allow_threads(|| s.run(data, &mut used, &mut out, max, flush, zdict));
        match r {
            Ok(r) => {
                self.keep(&data[used..], r == z::Z_STREAM_END);
                if r == z::Z_STREAM_END {
                    self.eof.set(true);
                } else if !matches!(r, z::Z_OK | z::Z_BUF_ERROR) {
                    return Err(s.fail(r, "while decompressing data"));
                }
                Ok((out, r))
            }
            Err((e, _)) => {
                s.z.msg = std::ptr::null_mut();
                Err(s.fail(e, "while setting zdict"))
            }
        }
    }
    fn copied(&self) -> PyResult<Owned<Decompress>> {
        let mut s = self.stream.borrow_mut();
        if !s.live {
            return raise!(ValueError, "Inconsistent stream state");
        }
        match s.copy() {
            Ok(c) => Ok(Decompress {
                stream: RefCell::new(c),
                zdict: self.zdict.clone(),
                unused: Slot::new(self.unused.get()),
                tail: Slot::new(self.tail.get()),
                eof: self.eof.clone(),
            }
            .build()),
            Err(z::Z_STREAM_ERROR) => raise!(ValueError, "Inconsistent stream state"),
            Err(z::Z_MEM_ERROR) => raise!(MemoryError, "Can't allocate memory for decompression object"),
            Err(e) => Err(s.fail(e, "while copying decompression object")),
        }
    }
}

#[pymethods]
impl Decompress {
    #[getter]
    fn unused_data(&self) -> Owned<Bytes> {
        Self::bytes_of(&self.unused)
    }
    #[getter]
    fn unconsumed_tail(&self) -> Owned<Bytes> {
        Self::bytes_of(&self.tail)
    }
    #[getter]
    fn eof(&self) -> bool {
        self.eof.get()
    }
    /// Return a bytes object containing the decompressed version of the data.
    ///
    ///   data
    ///     The binary data to decompress.
    ///   max_length
    ///     The maximum allowable length of the decompressed data.
    ///     Unconsumed input data will be stored in
    ///     the unconsumed_tail attribute.
    ///
    /// After calling this function, some of the input data may still be stored in
    /// internal buffers for later processing.
    /// Call the flush() method to clear these buffers.
    #[pymethod(signature = "(data, /, max_length=0)")]
    fn decompress(&self, data: Buffer, max_length: isize) -> PyResult<Vec<u8>> {
        if max_length < 0 {
            return raise!(ValueError, "max_length must be non-negative");
        }
        let max = if max_length == 0 { usize::MAX } else { max_length as usize };
        Ok(self.feed(data.as_bytes(), max, z::Z_SYNC_FLUSH)?.0)
    }
    /// Return a bytes object containing any remaining decompressed data.
    ///
    ///   length
    ///     the initial size of the output buffer.
    #[pymethod(signature = "(length=zlib.DEF_BUF_SIZE, /)")]
    fn flush(&self, length: Option<&Object>) -> PyResult<Vec<u8>> {
        if let Some(l) = length
            && isize::from_py(l, ArgCtx { func: "flush", pos: 1, name: None })? <= 0
        {
            return raise!(ValueError, "length must be greater than zero");
        }
        if !self.stream.borrow().live {
            return Ok(vec![]);
        }
        let tail = Self::bytes_of(&self.tail);
        let (out, r) = self.feed(tail.as_bytes(), usize::MAX, z::Z_FINISH)?;
        if r == z::Z_STREAM_END {
            self.stream.borrow_mut().end();
        }
        Ok(out)
    }
    /// Return a copy of the decompression object.
    #[pymethod(signature = "()")]
    fn copy(&self) -> PyResult<Owned<Decompress>> {
        self.copied()
    }
    #[pymethod(signature = "()")]
    fn __copy__(&self) -> PyResult<Owned<Decompress>> {
        self.copied()
    }
    #[pymethod(signature = "(memo, /)")]
    fn __deepcopy__(&self, _memo: &Object) -> PyResult<Owned<Decompress>> {
        self.copied()
    }
}

/// Return a decompressor object.
///
///   wbits
///     The window buffer size and container format.
///   zdict
///     The predefined compression dictionary.  This must be the same
///     dictionary as used by the compressor that produced the input data.
#[pyfunction(signature = "(wbits=MAX_WBITS, zdict=b'')")]
pub fn decompressobj(wbits: Option<i32>, zdict: Option<&Object>) -> PyResult<Owned<Decompress>> {
    let zdict = match zdict {
        None => None,
        Some(d) if !lh_runtime::buffer::supports_buffer(d) => {
            return raise!(TypeError, "zdict argument must support the buffer protocol");
        }
        Some(d) => Some(Buffer::simple(d)?.to_vec()),
    };
    let wbits = wbits.unwrap_or(15);
    let mut s = match Stream::inflate(wbits) {
        Ok(s) => s,
        Err(z::Z_MEM_ERROR) => return raise!(MemoryError, "Can't allocate memory for decompression object"),
        Err(z::Z_STREAM_ERROR) => return raise!(ValueError, "Invalid initialization option"),
        Err(e) => return Err(fail(e, "while creating decompression object", "")),
    };
    if let Some(d) = zdict.as_ref().filter(|_| wbits < 0) {
        let r = s.set_dictionary(d);
        if r != z::Z_OK {
            return Err(s.fail(r, "while setting zdict"));
        }
    }
    Ok(Decompress {
        stream: RefCell::new(s),
        zdict,
        unused: Slot::empty(),
        tail: Slot::empty(),
        eof: Cell::new(false),
    }
    .build())
}

fn setup(m: &Module) -> PyResult<()> {
    ready::<Compress>()?;
    ready::<Decompress>()?;
    add_ints(
        m,
        &[
            ("MAX_WBITS", 15),
            ("DEFLATED", 8),
            ("DEF_MEM_LEVEL", 8),
            ("DEF_BUF_SIZE", 16384),
            ("Z_NO_COMPRESSION", 0),
            ("Z_BEST_SPEED", 1),
            ("Z_BEST_COMPRESSION", 9),
            ("Z_DEFAULT_COMPRESSION", -1),
            ("Z_FILTERED", 1),
            ("Z_HUFFMAN_ONLY", 2),
            ("Z_RLE", 3),
            ("Z_FIXED", 4),
            ("Z_DEFAULT_STRATEGY", 0),
            ("Z_NO_FLUSH", 0),
            ("Z_PARTIAL_FLUSH", 1),
            ("Z_SYNC_FLUSH", 2),
            ("Z_FULL_FLUSH", 3),
            ("Z_FINISH", 4),
            ("Z_BLOCK", 5),
            ("Z_TREES", 6),
        ],
    )?;
    m.add("error", error_class()?)?;
    m.add("__version__", &Str::new("1.0"))?;
    m.add("ZLIB_VERSION", &Str::new(VERSION))?;
    m.add("ZLIB_RUNTIME_VERSION", &Str::new(VERSION))
}

module! { "zlib",
doc: "The functions in this module allow compression and decompression using the\nzlib format, which is based on GNU zip.",
functions: [adler32, compress, compressobj, crc32, decompress, decompressobj], init: setup }
