//! `_struct`: values to packed bytes and back.
//!
//! A format is compiled once into `Layout`: codes with offsets. Recently used layouts are kept by their format text.

use lh_runtime::hashing::QuickHasher;
use lh_runtime::number;
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::hash::Hasher;
use std::sync::Arc;

/// How numbers are laid out: the first character of a format.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Native,
    Little,
    Big,
}

#[derive(Clone, Copy)]
struct Item {
    code: u8,
    size: usize,
    offset: usize,
    /// How many values; for `s` and `p` always one, of `size` bytes.
    count: usize,
}

pub struct Layout {
    mode: Mode,
    items: Vec<Item>,
    size: usize,
    values: usize,
}

/// Size and alignment of a code.
fn code_size(mode: Mode, code: u8) -> Option<(usize, usize)> {
    let native = mode == Mode::Native;
    let n = match code {
        b'x' | b'b' | b'B' | b'c' | b's' | b'p' | b'?' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' => {
            if native {
                8
            } else {
                4
            }
        }
        b'q' | b'Q' | b'd' => 8,
        b'n' | b'N' | b'P' if native => 8,
        _ => return None,
    };
    Some((n, if native { n } else { 1 }))
}

fn struct_error() -> PyResult<&'static Type> {
    static CELL: std::sync::atomic::AtomicPtr<lh_runtime::abi::PyTypeObject> =
        std::sync::atomic::AtomicPtr::new(std::ptr::null_mut());
    use std::sync::atomic::Ordering::Relaxed;
    let mut p = CELL.load(Relaxed);
    if p.is_null() {
        p = crate::os::util::new_exception("struct", "error", exc::Exception())?.into_raw().cast();
        CELL.store(p, Relaxed);
    }
    // SAFETY: the type is kept for ever.
    Ok(unsafe { Type::from_raw_ref(p) })
}
fn fail<T>(text: std::fmt::Arguments<'_>) -> PyResult<T> {
    Err(raise_fmt(struct_error()?, text))
}
macro_rules! fail {
    ($($a:tt)+) => { fail(format_args!($($a)+)) };
}

impl Layout {
    fn compile(fmt: &[u8]) -> PyResult<Layout> {
        let (mode, rest) = match fmt.first() {
            Some(b'@') => (Mode::Native, &fmt[1..]),
            Some(b'=') => (if cfg!(target_endian = "little") { Mode::Little } else { Mode::Big }, &fmt[1..]),
            Some(b'<') => (Mode::Little, &fmt[1..]),
            Some(b'>' | b'!') => (Mode::Big, &fmt[1..]),
            _ => (Mode::Native, fmt),
        };
        if fmt.contains(&0) {
            return fail!("embedded null character");
        }
        let mut l = Layout { mode, items: vec![], size: 0, values: 0 };
        let too_long = || fail!("total struct size too long");
        let mut at = 0;
        while at < rest.len() {
            let c = rest[at];
            at += 1;
            if c.is_ascii_whitespace() || c == 0x0b {
                continue;
            }
            let mut n = 1usize;
            let mut code = c;
            if c.is_ascii_digit() {
                n = (c - b'0') as usize;
                loop {
                    let Some(&d) = rest.get(at) else {
                        return fail!("repeat count given without format specifier");
                    };
                    at += 1;
                    if !d.is_ascii_digit() {
                        code = d;
                        break;
                    }
                    match n
                        .checked_mul(10)
                        .and_then(|n| n.checked_add((d - b'0') as usize))
                        .filter(|n| *n <= isize::MAX as usize)
                    {
                        Some(v) => n = v,
                        None => return too_long(),
                    }
                }
            }
            let Some((size, align)) = code_size(mode, code) else {
                return fail!("bad char in struct format");
            };
            let Some(offset) = l.size.checked_next_multiple_of(align) else { return too_long() };
            let total =
                n.checked_mul(size).and_then(|t| t.checked_add(offset)).filter(|t| *t <= isize::MAX as usize);
            let Some(total) = total else { return too_long() };
            l.size = total;
            match code {
                b'x' => {}
                b's' | b'p' => {
                    l.items.push(Item { code, size: n, offset, count: 1 });
                    l.values += 1;
                }
                _ if n > 0 => {
                    l.items.push(Item { code, size, offset, count: n });
                    l.values += n;
                }
                _ => {}
            }
        }
        Ok(l)
    }

    /// Writes the values into `out`, which is `size` bytes.
    fn pack(&self, out: &mut [u8], values: &[&Object]) -> PyResult<()> {
        out.fill(0);
        let mut v = values.iter();
        for it in &self.items {
            for k in 0..it.count {
                let o = v.next().expect("the number of values was checked");
                let at = it.offset + k * it.size;
                pack_one(self.mode, it.code, o, &mut out[at..at + it.size])?;
            }
        }
        Ok(())
    }

    fn unpack(&self, b: &[u8]) -> PyResult<Owned<Tuple>> {
        let mut items = self.items.iter();
        let (mut left, mut at, mut item) = (0, 0, None);
        Tuple::build(self.values, |_| {
            while left == 0 {
                let it: &Item = items.next().expect("as many values as the items have");
                (left, at, item) = (it.count, it.offset, Some(it));
            }
            let it = item.expect("just set");
            let v = unpack_one(self.mode, it.code, &b[at..at + it.size]);
            (left, at) = (left - 1, at + it.size);
            v.into_raw()
        })
    }
}

fn put(mode: Mode, out: &mut [u8], v: u64) {
    let n = out.len();
    if mode == Mode::Big {
        out.copy_from_slice(&v.to_be_bytes()[8 - n..]);
    } else {
        out.copy_from_slice(&v.to_le_bytes()[..n]);
    }
}

fn pack_int(mode: Mode, code: u8, o: &Object, out: &mut [u8]) -> PyResult<()> {
    let i = match o.downcast::<Int>() {
        Some(i) => i.own(),
        None if number::has_index(o) => number::index(o)?,
        None => return fail!("required argument is not an integer"),
    };
    let bits = out.len() as u32 * 8;
    let signed = code.is_ascii_lowercase();
    let too_large = mode == Mode::Big && matches!(code, b'q' | b'Q') || code == b'P';
    let out_of_range =
        || if too_large { fail!("int too large to convert") } else { fail!("argument out of range") };
    if let Some(v) = i.compact()
        && code != b'P'
    {
        // Machine integers that fit.
        let fits = match (signed, bits) {
            (true, 64) => true,
            (false, 64) => v >= 0,
            (true, _) => v >= -(1 << (bits - 1)) && v < 1 << (bits - 1),
            (false, _) => v >= 0 && v < 1 << bits,
        };
        if fits {
            put(mode, out, v as u64);
            return Ok(());
        }
    }
    let Some(v) = i.to_i128() else { return out_of_range() };
    if code == b'P' {
        if v < i64::MIN as i128 || v > u64::MAX as i128 {
            return out_of_range();
        }
        put(mode, out, v as u64);
        return Ok(());
    }
    let (lo, hi) =
        if signed { (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1) } else { (0, (1i128 << bits) - 1) };
    if v < lo || v > hi {
        let fits_long = i64::try_from(v).is_ok();
        if bits == 64 || !fits_long {
            return out_of_range();
        }
        let name = match code {
            b'b' => "byte",
            b'B' => "ubyte",
            b'h' if mode != Mode::Big => "short",
            b'H' if mode != Mode::Big => "ushort",
            _ if !signed && v < 0 => return out_of_range(),
            _ => return fail!("'{}' format requires {} <= number <= {}", code as char, lo, hi),
        };
        return fail!("{} format requires {} <= number <= {}", name, lo, hi);
    }
    put(mode, out, v as u64);
    Ok(())
}

/// A double as a half float, ties to even; `None` if too large.
pub fn to_half(v: f64) -> Option<u16> {
    let sign = ((v.to_bits() >> 48) & 0x8000) as u16;
    let a = v.abs();
    if v.is_nan() {
        return Some(sign | 0x7e00);
    }
    if a.is_infinite() {
        return Some(sign | 0x7c00);
    }
    if a < 2f64.powi(-14) {
        // Subnormal: a multiple of 2**-24 (1024 of them is the smallest normal number).
        return Some(sign | (a * 2f64.powi(24)).round_ties_even() as u16);
    }
    let (m, e, _) = lh_runtime::floatobject::decompose(a);
    let mut e = e + 52;
    // 53 bits to 11.
    let mut f = (m as f64 / 2f64.powi(42)).round_ties_even() as u32;
    if f == 2048 {
        f = 1024;
        e += 1;
    }
    if e > 15 {
        return None;
    }
    Some(sign | ((e + 15) as u16) << 10 | (f as u16 & 0x3ff))
}
pub fn from_half(h: u16) -> f64 {
    let sign = if h & 0x8000 != 0 { -1.0 } else { 1.0 };
    let (e, f) = ((h >> 10) & 0x1f, (h & 0x3ff) as f64);
    sign * match e {
        0 => f * 2f64.powi(-24),
        31 if f == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        e => (1.0 + f / 1024.0) * 2f64.powi(e as i32 - 15),
    }
}

fn pack_one(mode: Mode, code: u8, o: &Object, out: &mut [u8]) -> PyResult<()> {
    match code {
        b'?' => out[0] = o.is_true()? as u8,
        b'c' => match o.downcast::<Bytes>().filter(|b| b.len() == 1) {
            Some(b) => out[0] = b.as_bytes()[0],
            None => return fail!("char format requires a bytes object of length 1"),
        },
        b's' | b'p' => {
            let data = if let Some(b) = o.downcast::<Bytes>() {
                b.as_bytes().to_vec()
            } else if let Some(b) = o.downcast::<ByteArray>() {
                b.to_vec()
            } else {
                return fail!("argument for '{}' must be a bytes object", code as char);
            };
            if code == b's' {
                let n = data.len().min(out.len());
                out[..n].copy_from_slice(&data[..n]);
            } else if !out.is_empty() {
                let n = data.len().min(out.len() - 1);
                out[0] = n.min(255) as u8;
                out[1..=n].copy_from_slice(&data[..n]);
            }
        }
        b'f' | b'd' | b'e' => {
            let v = match number::as_f64(o) {
                Ok(v) => v,
                Err(e) => {
                    e.clear();
                    return fail!("required argument is not a float");
                }
            };
            match code {
                b'd' => put(mode, out, v.to_bits()),
                b'f' => {
                    let f = v as f32;
                    if f.is_infinite() && v.is_finite() && mode != Mode::Native {
                        return raise!(OverflowError, "float too large to pack with f format");
                    }
                    put(mode, out, f.to_bits() as u64)
                }
                _ => match to_half(v) {
                    Some(h) => put(mode, out, h as u64),
                    None => return raise!(OverflowError, "float too large to pack with e format"),
                },
            }
        }
        _ => return pack_int(mode, code, o, out),
    }
    Ok(())
}

fn unpack_one(mode: Mode, code: u8, b: &[u8]) -> Owned<Object> {
    match code {
        b'c' | b's' => return Bytes::new(b).into_object(),
        b'p' => {
            let n = b.first().map_or(0, |n| (*n as usize).min(b.len() - 1));
            return Bytes::new(b.get(1..1 + n).unwrap_or(&[])).into_object();
        }
        b'?' => return bool_obj(b[0] != 0),
        _ => {}
    }
    let mut w = [0u8; 8];
    let n = b.len();
    let raw = if mode == Mode::Big {
        w[8 - n..].copy_from_slice(b);
        u64::from_be_bytes(w)
    } else {
        w[..n].copy_from_slice(b);
        u64::from_le_bytes(w)
    };
    match code {
        b'd' => Float::new(f64::from_bits(raw)).into_object(),
        b'f' => Float::new(f32::from_bits(raw as u32) as f64).into_object(),
        b'e' => Float::new(from_half(raw as u16)).into_object(),
        b'b' | b'h' | b'i' | b'l' | b'q' | b'n' => {
            let shift = 64 - 8 * n as u32;
            Int::from_i64(((raw << shift) as i64) >> shift).into_object()
        }
        _ => Int::from_u64(raw).into_object(),
    }
}

// ---- Struct ----

/// Struct(fmt) --> compiled struct object
// The first two fields lie where C code expects them (CPython's own `_testbuffer` reads the second).
#[pyclass(name = "Struct", module = "_struct", basetype, weakref, nogc)]
#[repr(C)]
pub struct Struct {
    // C code reads these two from the object: they come first, in this order.
    size: Cell<isize>,
    values: Cell<isize>,
    #[notrace]
    layout: RefCell<Option<Arc<Layout>>>,
    #[notrace]
    text: RefCell<String>,
}

/// The bytes of a format given as str or bytes.
fn format_bytes(o: &Object) -> PyResult<Vec<u8>> {
    if let Some(s) = o.downcast::<Str>() {
        if s.is_ascii() {
            return Ok(s.to_str()?.as_bytes().to_vec());
        }
        let b = lh_runtime::codecs::encode(s, "ascii", "strict")?;
        return Ok(b.downcast::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default());
    }
    match o.downcast::<Bytes>() {
        Some(b) => Ok(b.as_bytes().to_vec()),
        None => raise!(TypeError, "Struct() argument 1 must be a str or bytes object, not {}", o.ty().name()),
    }
}

/// Layouts by format, for the module's functions: every format has one place. Guarded by the GIL.
struct Cache(UnsafeCell<[Option<(Vec<u8>, Arc<Layout>)>; PLACES]>);
// SAFETY: only touched with the GIL held.
unsafe impl Sync for Cache {}
const PLACES: usize = 64;
static CACHE: Cache = Cache(UnsafeCell::new([const { None }; PLACES]));

fn cached(fmt: &Object) -> PyResult<Arc<Layout>> {
    if let Some(s) = fmt.downcast::<Struct>() {
        return s.layout();
    }
    let copy;
    let b = match fmt.downcast::<Str>().and_then(|s| s.as_ascii()) {
        Some(s) => s.as_bytes(),
        None => {
            copy = format_bytes(fmt)?;
            &copy
        }
    };
    let mut h = QuickHasher::default();
    h.write(b);
    // SAFETY: the GIL is held, and nothing below runs code that could come back here.
    let place = unsafe { &mut (*CACHE.0.get())[h.finish() as usize % PLACES] };
    match place {
        Some((text, l)) if text == b => Ok(l.clone()),
        _ => {
            let l = Arc::new(Layout::compile(b)?);
            *place = Some((b.to_vec(), l.clone()));
            Ok(l)
        }
    }
}

impl Struct {
    fn layout(&self) -> PyResult<Arc<Layout>> {
        match &*self.layout.borrow() {
            Some(l) => Ok(l.clone()),
            None => raise!(RuntimeError, "Struct object is not initialized"),
        }
    }
}

fn do_pack(l: &Layout, values: &[&Object]) -> PyResult<Owned<Bytes>> {
    if values.len() != l.values {
        return fail!("pack expected {} items for packing (got {})", l.values, values.len());
    }
    let mut done = Ok(());
    let out = Bytes::with(l.size, |out| done = l.pack(out, values))?;
    done?;
    Ok(out)
}

fn do_pack_into(l: &Layout, args: &[&Object]) -> PyResult<()> {
    let Some(buffer) = args.first() else {
        return fail!("pack_into expected buffer argument");
    };
    let Some(offset) = args.get(1) else {
        return fail!("pack_into expected offset argument");
    };
    let values = &args[2..];
    if values.len() != l.values {
        return fail!("pack_into expected {} items for packing (got {})", l.values, values.len());
    }
    let mut buffer = match Buffer::writable(buffer) {
        Ok(b) => b,
        Err(e) => {
            e.clear();
            return raise!(
                TypeError,
                "argument must be read-write bytes-like object, not {}",
                buffer.ty().name()
            );
        }
    };
    let offset = number::as_isize(offset, Some(exc::IndexError()))?;
    let len = buffer.len();
    let mut at = offset;
    if offset < 0 {
        if offset + l.size as isize > 0 {
            return fail!("no space to pack {} bytes at offset {}", l.size, offset);
        }
        at = offset + len as isize;
        if at < 0 {
            return fail!("offset {} out of range for {}-byte buffer", offset, len);
        }
    }
    let at = at as usize;
    if at > len || len - at < l.size {
        return fail!(
            "pack_into requires a buffer of at least {} bytes for packing {} bytes at offset {} (actual buffer size is {})",
            l.size + at,
            l.size,
            at,
            len
        );
    }
    // Into a copy first: conversions may run Python code, which must not see or move the half-filled buffer.
    let mut few = [0; 64];
    let mut many = vec![];
    let out = match few.get_mut(..l.size) {
        Some(out) => out,
        None => {
            many.resize(l.size, 0);
            &mut many[..]
        }
    };
    l.pack(out, values)?;
    buffer.as_bytes_mut()[at..at + l.size].copy_from_slice(out);
    Ok(())
}

fn do_unpack(l: &Layout, buffer: &Object) -> PyResult<Owned<Tuple>> {
    let check = |n: usize| {
        if n == l.size { Ok(()) } else { fail!("unpack requires a buffer of {} bytes", l.size) }
    };
    if let Some(b) = buffer.downcast_exact::<Bytes>() {
        check(b.len())?;
        return l.unpack(b.as_bytes());
    }
    let b = Buffer::simple(buffer)?;
    check(b.len())?;
    l.unpack(b.as_bytes())
}

fn do_unpack_from(l: &Layout, buffer: &Object, offset: isize) -> PyResult<Owned<Tuple>> {
    let view;
    let b = match buffer.downcast_exact::<Bytes>() {
        Some(b) => b.as_bytes(),
        None => {
            view = Buffer::simple(buffer)?;
            view.as_bytes()
        }
    };
    let (len, mut at) = (b.len(), offset);
    if offset < 0 {
        if offset + l.size as isize > 0 {
            return fail!("not enough data to unpack {} bytes at offset {}", l.size, offset);
        }
        at = offset + len as isize;
        if at < 0 {
            return fail!("offset {} out of range for {}-byte buffer", offset, len);
        }
    }
    let at = at as usize;
    if at > len || len - at < l.size {
        return fail!(
            "unpack_from requires a buffer of at least {} bytes for unpacking {} bytes at offset {} (actual buffer size is {})",
            l.size.saturating_add(at),
            l.size,
            at,
            len
        );
    }
    l.unpack(&b[at..at + l.size])
}

fn do_iter_unpack(l: Arc<Layout>, buffer: &Object) -> PyResult<Owned<UnpackIterator>> {
    if l.size == 0 {
        return fail!("cannot iteratively unpack with a struct of length 0");
    }
    let b = Buffer::simple(buffer)?;
    if !b.len().is_multiple_of(l.size) {
        return fail!("iterative unpacking requires a buffer of a multiple of {} bytes", l.size);
    }
    Ok(UnpackIterator { layout: l, buffer: RefCell::new(Some(b)), at: Cell::new(0) }.build())
}

#[pymethods]
impl Struct {
    #[slot(tp_new)]
    fn new_slot(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<Owned<Struct>> {
        let (size, values) = (Cell::new(-1), Cell::new(-1));
        Struct { size, values, layout: RefCell::new(None), text: RefCell::default() }.build_in(cls)
    }
    #[init(name = "Struct", signature = "(format)")]
    fn init(&self, format: &Object) -> PyResult<()> {
        let b = format_bytes(format)?;
        let l = Layout::compile(&b)?;
        self.size.set(l.size as isize);
        self.values.set(l.values as isize);
        *self.text.borrow_mut() = String::from_utf8_lossy(&b).into_owned();
        *self.layout.borrow_mut() = Some(Arc::new(l));
        Ok(())
    }
    /// struct format string
    #[getter]
    fn format(&self) -> String {
        self.text.borrow().clone()
    }
    /// struct size in bytes
    #[getter]
    fn size(&self) -> isize {
        self.size.get()
    }
    /// S.pack(v1, v2, ...) -> bytes
    ///
    /// Return a bytes object containing values v1, v2, ... packed according
    /// to the format string S.format.  See help(struct) for more on format
    /// strings.
    #[pymethod(raw, positional)]
    fn pack(&self, a: Args<'_>) -> PyResult<Owned<Bytes>> {
        a.no_kwargs("pack")?;
        do_pack(&*self.layout()?, refs(&a))
    }
    /// S.pack_into(buffer, offset, v1, v2, ...)
    ///
    /// Pack the values v1, v2, ... according to the format string S.format
    /// and write the packed bytes into the writable buffer buf starting at
    /// offset.  Note that the offset is a required argument.  See
    /// help(struct) for more on format strings.
    #[pymethod(raw, positional)]
    fn pack_into(&self, a: Args<'_>) -> PyResult<()> {
        a.no_kwargs("pack_into")?;
        do_pack_into(&*self.layout()?, refs(&a))
    }
    /// Return a tuple containing unpacked values.
    ///
    /// Unpack according to the format string Struct.format. The buffer's size
    /// in bytes must be Struct.size.
    ///
    /// See help(struct) for more on format strings.
    #[pymethod(signature = "(buffer, /)")]
    fn unpack(&self, buffer: &Object) -> PyResult<Owned<Tuple>> {
        do_unpack(&*self.layout()?, buffer)
    }
    /// Return a tuple containing unpacked values.
    ///
    /// Values are unpacked according to the format string Struct.format.
    ///
    /// The buffer's size in bytes, starting at position offset, must be
    /// at least Struct.size.
    ///
    /// See help(struct) for more on format strings.
    #[pymethod(signature = "(buffer, offset=0)")]
    fn unpack_from(&self, buffer: &Object, offset: isize) -> PyResult<Owned<Tuple>> {
        do_unpack_from(&*self.layout()?, buffer, offset)
    }
    /// Return an iterator yielding tuples.
    ///
    /// Tuples are unpacked from the given bytes source, like a repeated
    /// invocation of unpack_from().
    ///
    /// Requires that the bytes length be a multiple of the struct size.
    #[pymethod(signature = "(buffer, /)")]
    fn iter_unpack(&self, buffer: &Object) -> PyResult<Owned<UnpackIterator>> {
        do_iter_unpack(self.layout()?, buffer)
    }
    /// S.__sizeof__() -> size of S in memory, in bytes
    #[pymethod(signature = "()")]
    fn __sizeof__(&self) -> PyResult<usize> {
        Ok(56 + 32 * (self.layout()?.items.len() + 1))
    }
}

/// What iter_unpack answers.
#[pyclass(name = "unpack_iterator", module = "_struct", no_new, nogc)]
pub struct UnpackIterator {
    #[notrace]
    layout: Arc<Layout>,
    #[notrace]
    buffer: RefCell<Option<Buffer>>,
    at: Cell<usize>,
}

#[pymethods]
impl UnpackIterator {
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<UnpackIterator> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Tuple>>> {
        let r = {
            let b = self.buffer.borrow();
            let at = self.at.get();
            match &*b {
                Some(b) if at < b.len() => {
                    self.at.set(at + self.layout.size);
                    Some(self.layout.unpack(&b.as_bytes()[at..at + self.layout.size])?)
                }
                _ => None,
            }
        };
        if r.is_none() {
            let old = self.buffer.borrow_mut().take();
            drop(old);
        }
        Ok(r)
    }
    #[pymethod(signature = "()")]
    fn __length_hint__(&self) -> usize {
        let b = self.buffer.borrow();
        b.as_ref().map_or(0, |b| (b.len() - self.at.get()) / self.layout.size)
    }
}

// ---- Functions ----

/// The positional arguments.
fn refs<'a>(a: &Args<'a>) -> &'a [&'a Object] {
    let s = a.as_slice();
    // SAFETY: references to objects are pointers to them; the arguments live during the call.
    unsafe { std::slice::from_raw_parts(s.as_ptr().cast(), s.len()) }
}
/// The format in front of the other arguments.
fn with_format<'a>(a: Args<'a>) -> PyResult<(Arc<Layout>, &'a [&'a Object])> {
    match refs(&a) {
        [f, rest @ ..] => Ok((cached(f)?, rest)),
        [] => raise!(TypeError, "missing format argument"),
    }
}

/// Clear the internal cache.
#[pyfunction]
pub fn _clearcache() {
    // SAFETY: the GIL is held.
    unsafe { *CACHE.0.get() = [const { None }; PLACES] }
}
/// Return size in bytes of the struct described by the format string.
#[pyfunction]
pub fn calcsize(format: &Object) -> PyResult<usize> {
    Ok(cached(format)?.size)
}
/// pack(format, v1, v2, ...) -> bytes
///
/// Return a bytes object containing the values v1, v2, ... packed according
/// to the format string.  See help(struct) for more on format strings.
#[pyfunction(raw, positional)]
pub fn pack(args: Args<'_>) -> PyResult<Owned<Bytes>> {
    args.no_kwargs("_struct.pack")?;
    let (l, v) = with_format(args)?;
    do_pack(&l, v)
}
/// pack_into(format, buffer, offset, v1, v2, ...)
///
/// Pack the values v1, v2, ... according to the format string and write
/// the packed bytes into the writable buffer buf starting at offset.  Note
/// that the offset is a required argument.  See help(struct) for more
/// on format strings.
#[pyfunction(raw, positional)]
pub fn pack_into(args: Args<'_>) -> PyResult<()> {
    args.no_kwargs("_struct.pack_into")?;
    let (l, v) = with_format(args)?;
    do_pack_into(&l, v)
}
/// Return a tuple containing values unpacked according to the format string.
///
/// The buffer's size in bytes must be calcsize(format).
///
/// See help(struct) for more on format strings.
#[pyfunction(signature = "(format, buffer, /)")]
pub fn unpack(format: &Object, buffer: &Object) -> PyResult<Owned<Tuple>> {
    do_unpack(&*cached(format)?, buffer)
}
/// Return a tuple containing values unpacked according to the format string.
///
/// The buffer's size, minus offset, must be at least calcsize(format).
///
/// See help(struct) for more on format strings.
#[pyfunction(signature = "(format, /, buffer, offset=0)")]
pub fn unpack_from(format: &Object, buffer: &Object, offset: isize) -> PyResult<Owned<Tuple>> {
    do_unpack_from(&*cached(format)?, buffer, offset)
}
/// Return an iterator yielding tuples unpacked from the given bytes.
///
/// The bytes are unpacked according to the format string, like
/// a repeated invocation of unpack_from().
///
/// Requires that the bytes length be a multiple of the format struct size.
#[pyfunction(signature = "(format, buffer, /)")]
pub fn iter_unpack(format: &Object, buffer: &Object) -> PyResult<Owned<UnpackIterator>> {
    do_iter_unpack(cached(format)?, buffer)
}

fn setup(m: &Module) -> PyResult<()> {
    ready::<UnpackIterator>()?;
    m.add("error", struct_error()?)
}

module! { "_struct", doc: "Functions to convert between Python values and C structs.",
functions: [_clearcache, calcsize, iter_unpack, pack, pack_into, unpack, unpack_from],
types: [Struct], init: setup }
