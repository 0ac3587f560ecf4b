//! `array`: compact arrays of machine values.
//!
//! Objects are laid out as CPython's are, with a descriptor for the type code, because code made by Cython reads and makes them
//! directly: values lie as bytes in a block of the object allocator. While a buffer is exported the block neither moves nor changes
//! its size. Conversions from Python objects, which may run any code, come before the block is touched.

use lh_runtime::abi::*;
use lh_runtime::number;
use lh_runtime::prelude::*;
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};
use std::ptr::null_mut;

const CODES: &str = "bBuhHiIlLqQfd";

fn item_size(code: u8) -> Option<usize> {
    Some(match code {
        b'b' | b'B' => 1,
        b'h' | b'H' => 2,
        b'u' | b'i' | b'I' | b'f' => 4,
        b'l' | b'L' | b'q' | b'Q' | b'd' => 8,
        _ => return None,
    })
}

/// What a type code means, as C code reads it; `stride` is ours, for exported buffers.
#[repr(C)]
pub struct Descr {
    code: c_char,
    size: c_int,
    getitem: unsafe extern "C" fn(*mut PyObject, isize) -> *mut PyObject,
    setitem: unsafe extern "C" fn(*mut PyObject, isize, *mut PyObject) -> c_int,
    formats: *const c_char,
    is_integer: c_int,
    is_signed: c_int,
    stride: isize,
}
// SAFETY: constants.
unsafe impl Sync for Descr {}

/// One item of an array from C, without a check of the index.
unsafe extern "C" fn getitem(o: *mut PyObject, i: isize) -> *mut PyObject {
    lh_runtime::border::object(|| {
        // SAFETY: called with an array.
        unsafe { Object::from_ptr(o) }.downcast::<Array>().expect("an array").item(i as usize)
    })
}
/// Stores an item from C; an index below zero asks only for the conversion.
unsafe extern "C" fn setitem(o: *mut PyObject, i: isize, v: *mut PyObject) -> c_int {
    // SAFETY: called with an array and a live object.
    lh_runtime::border::status(|| unsafe {
        let a = Object::from_ptr(o).downcast::<Array>().expect("an array");
        let r = encode(a.code(), Object::from_ptr(v))?;
        let s = a.size();
        match usize::try_from(i) {
            Ok(i) => a.change(false, |d| d[i * s..(i + 1) * s].copy_from_slice(&r[..s])),
            Err(_) => Ok(()),
        }
    })
}

const fn descr(code: u8, size: c_int, formats: &'static CStr, is_integer: bool, is_signed: bool) -> Descr {
    Descr {
        code: code as c_char,
        size,
        getitem,
        setitem,
        formats: formats.as_ptr(),
        is_integer: is_integer as c_int,
        is_signed: is_signed as c_int,
        stride: size as isize,
    }
}
static DESCRS: [Descr; 13] = [
    descr(b'b', 1, c"b", true, true),
    descr(b'B', 1, c"B", true, false),
    descr(b'u', 4, c"w", false, false),
    descr(b'h', 2, c"h", true, true),
    descr(b'H', 2, c"H", true, false),
    descr(b'i', 4, c"i", true, true),
    descr(b'I', 4, c"I", true, false),
    descr(b'l', 8, c"l", true, true),
    descr(b'L', 8, c"L", true, false),
    descr(b'q', 8, c"q", true, true),
    descr(b'Q', 8, c"Q", true, false),
    descr(b'f', 4, c"f", false, false),
    descr(b'd', 8, c"d", false, false),
];

/// array(typecode [, initializer]) -> array
///
/// Return a new array whose items are restricted by typecode, and
/// initialized from the optional initializer value, which must be a list,
/// string or iterable over elements of the appropriate type.
///
/// Arrays represent basic values and behave very much like lists, except
/// the type of objects stored in them is constrained. The type is specified
/// at object creation time by using a type code, which is a single character:
/// b B (1 byte integers), u (Unicode character), h H (2 bytes), i I (4 bytes),
/// l L q Q (8 bytes), f d (floating point, 4 and 8 bytes).
#[pyclass(name = "array", module = "array", basetype, weakoffset = 48, nogc, sequence, mutabletype)]
#[repr(C)]
pub struct Array {
    /// The number of items (`ob_size`), where exported buffers find it as their shape.
    count: Cell<isize>,
    items: Cell<*mut u8>,
    /// The number of items the block has room for.
    allocated: Cell<isize>,
    descr: Cell<*const Descr>,
    weaklist: Cell<*mut PyObject>,
    exports: Cell<c_int>,
}

impl Drop for Array {
    fn drop(&mut self) {
        // SAFETY: the block is the array's own, from the allocator that C code uses for it, too.
        unsafe { lh_runtime::alloc::free(self.items.get().cast()) }
    }
}

/// An item as bytes.
type Raw = [u8; 8];

fn encode(code: u8, o: &Object) -> PyResult<Raw> {
    let mut r = [0u8; 8];
    match code {
        b'f' => r[..4].copy_from_slice(&(number::as_f64(o)? as f32).to_le_bytes()),
        b'd' => r = number::as_f64(o)?.to_le_bytes(),
        b'u' => match o.downcast::<Str>().filter(|s| s.len() == 1) {
            Some(s) => r[..4].copy_from_slice(&s.char_at(0).to_le_bytes()),
            None => return raise!(TypeError, "array item must be unicode character"),
        },
        b'q' | b'Q' => {
            let i = number::index(o)?;
            if code == b'Q' && i.is_negative() {
                return raise!(OverflowError, "can't convert negative int to unsigned");
            }
            let v = if code == b'q' { i.to_i64().map(|v| v as u64) } else { i.to_u64() };
            match v {
                Some(v) => r = v.to_le_bytes(),
                None => return raise!(OverflowError, "int too big to convert"),
            }
        }
        b'I' | b'L' => {
            let i = number::index(o)?;
            if i.is_negative() {
                return raise!(OverflowError, "can't convert negative value to unsigned int");
            }
            let Some(v) = i.to_u64() else {
                return raise!(OverflowError, "Python int too large to convert to C unsigned long");
            };
            if code == b'I' && v > u32::MAX as u64 {
                return raise!(OverflowError, "unsigned int is greater than maximum");
            }
            r = v.to_le_bytes();
        }
        _ => {
            let Some(v) = number::index(o)?.to_i64() else {
                return raise!(OverflowError, "Python int too large to convert to C long");
            };
            // The C type an argument passes through first, then the item's own.
            let stages: &[(&str, i64, i64)] = match code {
                b'b' => {
                    &[("signed short integer", i16::MIN as i64, i16::MAX as i64), ("signed char", -128, 127)]
                }
                b'B' => &[("unsigned byte integer", 0, 255)],
                b'h' => &[("signed short integer", i16::MIN as i64, i16::MAX as i64)],
                b'H' => &[("signed integer", i32::MIN as i64, i32::MAX as i64), ("unsigned short", 0, 65535)],
                b'i' => &[("signed integer", i32::MIN as i64, i32::MAX as i64)],
                _ => &[],
            };
            for (what, lo, hi) in stages {
                if v > *hi {
                    return raise!(OverflowError, "{} is greater than maximum", what);
                }
                if v < *lo {
                    return raise!(OverflowError, "{} is less than minimum", what);
                }
            }
            r = v.to_le_bytes();
        }
    }
    Ok(r)
}

/// The number at `p`, for the codes whose numbers need no check.
///
/// # Safety
/// An item of this code lies there, at any address.
#[inline(always)]
unsafe fn word(code: u8, p: *const u8) -> Option<Owned<Object>> {
    // SAFETY: the caller's promise.
    unsafe {
        Some(match code {
            b'b' => Int::from_i64(*p as i8 as i64).into_object(),
            b'B' => Int::from_i64(*p as i64).into_object(),
            b'h' => Int::from_i64(p.cast::<i16>().read_unaligned() as i64).into_object(),
            b'H' => Int::from_i64(p.cast::<u16>().read_unaligned() as i64).into_object(),
            b'i' => Int::from_i64(p.cast::<i32>().read_unaligned() as i64).into_object(),
            b'I' => Int::from_i64(p.cast::<u32>().read_unaligned() as i64).into_object(),
            b'l' | b'q' => Int::from_i64(p.cast::<i64>().read_unaligned()).into_object(),
            b'd' => Float::new(p.cast::<f64>().read_unaligned()).into_object(),
            b'f' => Float::new(p.cast::<f32>().read_unaligned() as f64).into_object(),
            _ => return None,
        })
    }
}
fn decode(code: u8, b: &[u8]) -> PyResult<Owned<Object>> {
    let raw = match *b {
        [a] => a as u64,
        [a, b] => u16::from_le_bytes([a, b]) as u64,
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]) as u64,
        _ => {
            let mut w = [0u8; 8];
            w.iter_mut().zip(b).for_each(|(to, from)| *to = *from);
            u64::from_le_bytes(w)
        }
    };
    let shift = 64 - 8 * b.len() as u32;
    Ok(match code {
        b'f' => Float::new(f32::from_bits(raw as u32) as f64).into_object(),
        b'd' => Float::new(f64::from_bits(raw)).into_object(),
        b'u' if raw > 0x10ffff => {
            return raise!(
                ValueError,
                "character U+{:x} is not in range [U+0000; U+10ffff]",
                raw as u32 as i32
            );
        }
        b'u' => Str::from_char(raw as u32).into_object(),
        b'b' | b'h' | b'i' | b'l' | b'q' => Int::from_i64(((raw << shift) as i64) >> shift).into_object(),
        _ => Int::from_u64(raw).into_object(),
    })
}

impl Array {
    fn make(cls: &Type, code: u8, mut data: Vec<u8>) -> PyResult<Owned<Array>> {
        // A new array has no room to spare.
        data.shrink_to_fit();
        let descr = DESCRS.iter().find(|d| d.code as u8 == code).expect("a known code");
        let a = Array {
            count: Cell::new(0),
            items: Cell::new(null_mut()),
            allocated: Cell::new(0),
            descr: Cell::new(descr),
            weaklist: Cell::new(null_mut()),
            exports: Cell::new(0),
        };
        a.set_bytes(data);
        a.build_in(cls)
    }
    fn like(&self, data: Vec<u8>) -> PyResult<Owned<Array>> {
        Array::make(Array::class(), self.code(), data)
    }
    fn len(&self) -> usize {
        self.count.get() as usize
    }
    fn descr(&self) -> &'static Descr {
        // SAFETY: set when the object was made, by us or by C code, to a descriptor that stays.
        unsafe { &*self.descr.get() }
    }
    fn code(&self) -> u8 {
        self.descr().code as u8
    }
    fn size(&self) -> usize {
        self.descr().size as usize
    }
    /// The contents. No Python code may run while they are looked at.
    fn bytes(&self) -> &[u8] {
        if self.items.get().is_null() {
            return &[];
        }
        // SAFETY: the block holds `count` items.
        unsafe { std::slice::from_raw_parts(self.items.get(), self.len() * self.size()) }
    }
    /// Takes the contents out, as a vector: both use the same allocator.
    fn take_bytes(&self) -> Vec<u8> {
        let p = self.items.replace(null_mut());
        if p.is_null() {
            return Vec::new();
        }
        let s = self.size();
        // SAFETY: the block is of the global allocator and has the room that `allocated` says.
        unsafe {
            Vec::from_raw_parts(p, self.len() * s, (self.allocated.get().max(self.count.get()) as usize) * s)
        }
    }
    fn set_bytes(&self, mut v: Vec<u8>) {
        let s = self.size();
        self.count.set((v.len() / s) as isize);
        self.allocated.set((v.capacity() / s) as isize);
        self.items.set(if v.capacity() == 0 { null_mut() } else { v.as_mut_ptr() });
        std::mem::forget(v);
    }
    fn item(&self, i: usize) -> PyResult<Owned<Object>> {
        let n = self.size();
        let d = self.bytes();
        // An index from C may be any number.
        match i.checked_mul(n).and_then(|at| d.get(at..at.checked_add(n)?)) {
            // Making a number runs no code that could change the array.
            // SAFETY: the slice is one item.
            Some(b) => match unsafe { word(self.code(), b.as_ptr()) } {
                Some(o) => Ok(o),
                None => decode(self.code(), b),
            },
            None => raise!(IndexError, "array index out of range"),
        }
    }
    /// Changes the contents; `resizes` demands that no buffer is exported.
    fn change<R>(&self, resizes: bool, f: impl FnOnce(&mut Vec<u8>) -> R) -> PyResult<R> {
        if resizes && self.exports.get() > 0 {
            return raise!(BufferError, "cannot resize an array that is exporting buffers");
        }
        let mut d = self.take_bytes();
        let r = f(&mut d);
        self.set_bytes(d);
        Ok(r)
    }
    fn push(&self, o: &Object) -> PyResult<()> {
        let r = encode(self.code(), o)?;
        self.change(true, |d| d.extend(&r[..self.size()]))
    }
    fn extend_from(&self, o: &Object) -> PyResult<()> {
        if let Some(a) = o.downcast::<Array>() {
            if a.code() != self.code() {
                return raise!(TypeError, "can only extend with array of same kind");
            }
            let other = a.bytes().to_vec();
            return self.change(true, |d| d.extend(other));
        }
        o.for_each(|x| self.push(&x))
    }
    fn add_bytes(&self, b: &[u8]) -> PyResult<()> {
        if !b.len().is_multiple_of(self.size()) {
            return raise!(ValueError, "bytes length not a multiple of item size");
        }
        self.change(true, |d| d.extend(b))
    }
    fn add_text(&self, s: &Str) -> PyResult<()> {
        let b: Vec<u8> = s.chars().flat_map(|c| c.to_le_bytes()).collect();
        self.change(true, |d| d.extend(b))
    }
    fn index_of(&self, i: isize) -> Option<usize> {
        let n = self.count.get();
        let i = if i < 0 { i + n } else { i };
        (0..n).contains(&i).then_some(i as usize)
    }
    fn find(&self, v: &Object, start: usize, stop: usize) -> PyResult<Option<usize>> {
        let mut i = start;
        while i < stop.min(self.len()) {
            if self.item(i)?.equals_obj(v)? {
                return Ok(Some(i));
            }
            i += 1;
        }
        Ok(None)
    }
    fn text(&self) -> PyResult<Owned<Str>> {
        let d = self.bytes();
        let points: Vec<u32> = d.as_chunks::<4>().0.iter().map(|c| u32::from_le_bytes(*c)).collect();
        if let Some(bad) = points.iter().find(|c| **c > 0x10ffff) {
            return raise!(ValueError, "character U+{:x} is not in range [U+0000; U+10ffff]", *bad as i32);
        }
        Ok(Str::from_code_points(&points))
    }
    fn delete_range(&self, start: usize, stop: usize) -> PyResult<()> {
        let s = self.size();
        self.change(stop > start, |d| {
            d.drain(start * s..stop.max(start) * s);
        })
    }
    fn state_dict(&self) -> PyResult<Owned<Object>> {
        Ok(self.get_attr_opt(intern!("__dict__"))?.unwrap_or_else(none))
    }
}

fn code_of(o: &Object) -> PyResult<u32> {
    match o.downcast::<Str>() {
        Some(s) if s.len() == 1 => Ok(s.char_at(0)),
        _ => raise!(TypeError, "array() argument 1 must be a unicode character, not {}", o.ty().name()),
    }
}
fn known_code(c: u32) -> PyResult<u8> {
    match u8::try_from(c).ok().filter(|c| item_size(*c).is_some()) {
        Some(c) => Ok(c),
        None => raise!(ValueError, "bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)"),
    }
}

#[pymethods]
impl Array {
    #[slot(tp_new)]
    fn new_slot(cls: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Array>> {
        if cls.tp() == Array::type_ptr() && kwargs.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "array.array() takes no keyword arguments");
        }
        if args.len() == 0 || args.len() > 2 {
            let (bound, n) = if args.len() == 0 {
                ("at least 1 argument", 0)
            } else {
                ("at most 2 arguments", args.len())
            };
            return raise!(TypeError, "array() takes {} ({} given)", bound, n);
        }
        let c = code_of(args.item_ref(0))?;
        let init = (args.len() == 2).then(|| args.item_ref(1));
        let shown = char::from_u32(c).unwrap_or('?');
        if let Some(i) = init
            && c != 'u' as u32
        {
            if Str::check(i) {
                return raise!(
                    TypeError,
                    "cannot use a str to initialize an array with typecode '{}'",
                    shown
                );
            }
            if i.downcast::<Array>().is_some_and(|a| a.code() == b'u') {
                return raise!(
                    TypeError,
                    "cannot use a unicode array to initialize an array with typecode '{}'",
                    shown
                );
            }
        }
        let a = Array::make(cls, known_code(c)?, vec![])?;
        let Some(i) = init else { return Ok(a) };
        if let Some(b) = i.downcast::<Bytes>() {
            a.add_bytes(b.as_bytes())?;
        } else if let Some(b) = i.downcast::<ByteArray>() {
            a.add_bytes(&b.to_vec())?;
        } else if let (Some(s), b'u') = (i.downcast::<Str>(), a.code()) {
            a.add_text(s)?;
        } else if let Some(b) = i.downcast::<Array>().filter(|b| b.code() == a.code()) {
            let other = b.bytes().to_vec();
            a.change(true, |d| d.extend(other))?;
        } else {
            i.for_each(|x| a.push(&x))?;
            // Room is spared for what is appended later only.
            if a.exports.get() == 0 {
                a.change(true, Vec::shrink_to_fit)?;
            }
        }
        Ok(a)
    }
    /// the typecode character used to create the array
    #[getter]
    fn typecode(&self) -> String {
        (self.code() as char).to_string()
    }
    /// the size, in bytes, of one array item
    #[getter]
    fn itemsize(&self) -> usize {
        self.size()
    }

    // ---- Slots ----

    #[slot(tp_repr)]
    fn repr_slot(&self) -> PyResult<Owned<Str>> {
        let name = self.ty().name();
        let name = name.rsplit('.').next().unwrap_or("array");
        if self.len() == 0 {
            return Ok(Str::new(&format!("{}('{}')", name, self.code() as char)));
        }
        let items =
            if self.code() == b'u' { self.text()?.into_object() } else { self.tolist()?.into_object() };
        let mut b = StrBuilder::new();
        b.push_str(&format!("{}('{}', ", name, self.code() as char));
        b.push_obj(&*items.repr()?);
        b.push_str(")");
        Ok(b.finish())
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult<Owned<Object>> {
        let Some(o) = other.downcast::<Array>() else { return Ok(not_implemented()) };
        if self.len() != o.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(bool_obj(op == CompareOp::Ne));
        }
        if self.code() == o.code()
            && !matches!(self.code(), b'f' | b'd')
            && matches!(op, CompareOp::Eq | CompareOp::Ne)
        {
            let same = *self.bytes() == *o.bytes();
            return Ok(bool_obj(same == (op == CompareOp::Eq)));
        }
        let mut i = 0;
        while i < self.len() && i < o.len() {
            let (a, b) = (self.item(i)?, o.item(i)?);
            if !a.equals_obj(&b)? {
                return match op {
                    CompareOp::Eq => Ok(bool_obj(false)),
                    CompareOp::Ne => Ok(bool_obj(true)),
                    _ => a.rich_compare(&b, op),
                };
            }
            i += 1;
        }
        Ok(bool_obj(op.holds(self.len().cmp(&o.len()))))
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<ArrayIter> {
        ArrayIter { array: Slot::of(self.own()), at: Cell::new(0) }.build()
    }
    #[slot(sq_length)]
    fn length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot(mp_length)]
    fn map_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot(sq_item)]
    fn seq_item_slot(&self, i: isize) -> PyResult<Owned<Object>> {
        if i < 0 {
            return raise!(IndexError, "array index out of range");
        }
        self.item(i as usize)
    }
    #[slot(sq_ass_item)]
    fn seq_set(&self, i: isize, v: Option<&Object>) -> PyResult<()> {
        let Some(i) = self.index_of(i) else {
            return raise!(IndexError, "array assignment index out of range");
        };
        let Some(v) = v else { return self.delete_range(i, i + 1) };
        let r = encode(self.code(), v)?;
        let s = self.size();
        self.change(false, |d| {
            if let Some(b) = d.get_mut(i * s..(i + 1) * s) {
                b.copy_from_slice(&r[..s]);
            }
        })
    }
    #[slot(sq_contains)]
    fn contains_slot(&self, v: &Object) -> PyResult<bool> {
        Ok(self.find(v, 0, usize::MAX)?.is_some())
    }
    #[slot(sq_concat)]
    fn concat(&self, other: &Object) -> PyResult<Owned<Array>> {
        let Some(o) = other.downcast::<Array>() else {
            return raise!(TypeError, "can only append array (not \"{}\") to array", other.ty().name());
        };
        if o.code() != self.code() {
            return raise!(TypeError, "bad argument type for built-in operation");
        }
        let mut d = self.bytes().to_vec();
        d.extend(o.bytes().iter());
        self.like(d)
    }
    #[slot(sq_repeat)]
    fn repeat_slot(&self, n: isize) -> PyResult<Owned<Array>> {
        let n = n.max(0) as usize;
        let d = self.bytes();
        if d.len().checked_mul(n).is_none_or(|t| t > isize::MAX as usize / 2) {
            return raise!(MemoryError);
        }
        let v = d.repeat(n);
        self.like(v)
    }
    #[slot(sq_inplace_concat)]
    fn iconcat(&self, other: &Object) -> PyResult<Owned<Array>> {
        if !Array::check(other) {
            return raise!(TypeError, "can only extend array with array (not \"{}\")", other.ty().name());
        }
        self.extend_from(other)?;
        Ok(self.own())
    }
    #[slot(sq_inplace_repeat)]
    fn irepeat(&self, n: isize) -> PyResult<Owned<Array>> {
        let n = n.max(0) as usize;
        if self.len() > 0 && n != 1 {
            if self.bytes().len().checked_mul(n).is_none_or(|t| t > isize::MAX as usize / 2) {
                return raise!(MemoryError);
            }
            self.change(true, |d| *d = d.repeat(n))?;
        }
        Ok(self.own())
    }
    #[slot(mp_subscript)]
    fn subscript(&self, key: &Object) -> PyResult<Owned<Object>> {
        if let Some(s) = key.downcast::<Slice>() {
            let (start, _, step, n) = s.indices(self.len())?;
            let d = self.bytes();
            let mut v = Vec::with_capacity(n * self.size());
            for k in 0..n as isize {
                let at = (start + k * step) as usize * self.size();
                v.extend(&d[at..at + self.size()]);
            }
            return Ok(self.like(v)?.into_object());
        }
        if !number::has_index(key) {
            return raise!(TypeError, "array indices must be integers");
        }
        match self.index_of(number::as_isize(key, Some(exc::IndexError()))?) {
            Some(i) => self.item(i),
            None => raise!(IndexError, "array index out of range"),
        }
    }
    #[slot(mp_ass_subscript)]
    fn ass_subscript(&self, key: &Object, v: Option<&Object>) -> PyResult<()> {
        let Some(sl) = key.downcast::<Slice>() else {
            if !number::has_index(key) {
                return raise!(TypeError, "array indices must be integers");
            }
            return self.seq_set(number::as_isize(key, Some(exc::IndexError()))?, v);
        };
        let (start, stop, step, n) = sl.indices(self.len())?;
        let s = self.size();
        let new = match v {
            None => vec![],
            Some(v) => match v.downcast::<Array>() {
                None => {
                    return raise!(
                        TypeError,
                        "can only assign array (not \"{}\") to array slice",
                        v.ty().name()
                    );
                }
                Some(a) if a.code() != self.code() => {
                    return raise!(TypeError, "bad argument type for built-in operation");
                }
                Some(a) => a.bytes().to_vec(),
            },
        };
        let count = new.len() / s;
        if step == 1 {
            let (a, b) = (start as usize, stop.max(start) as usize);
            return self.change(b - a != count, |d| {
                d.splice(a * s..b * s, new);
            });
        }
        if v.is_none() {
            let mut gone: Vec<usize> = (0..n as isize).map(|k| (start + k * step) as usize).collect();
            gone.sort_unstable();
            return self.change(n > 0, |d| {
                for i in gone.into_iter().rev() {
                    d.drain(i * s..(i + 1) * s);
                }
            });
        }
        if count != n {
            return raise!(
                ValueError,
                "attempt to assign array of size {} to extended slice of size {}",
                count,
                n
            );
        }
        self.change(false, |d| {
            for (k, c) in new.chunks(s).enumerate() {
                let at = (start + k as isize * step) as usize * s;
                d[at..at + s].copy_from_slice(c);
            }
        })
    }
    #[slot(bf_getbuffer)]
    fn getbuffer(&self, view: *mut Py_buffer, flags: i32) -> PyResult<()> {
        let d = self.descr();
        let items = self.items.get();
        let start = if items.is_null() { std::ptr::NonNull::dangling().as_ptr() } else { items };
        // SAFETY: the block stays while the view is held: the export count forbids changes of size.
        unsafe {
            lh_runtime::buffer::fill_info(view, Some(self), start, self.len() * self.size(), false, flags)?;
            (*view).itemsize = d.size as isize;
            if flags & PyBUF_ND != 0 {
                (*view).shape = self.count.as_ptr().cast();
            }
            if flags & PyBUF_STRIDES == PyBUF_STRIDES {
                (*view).strides = (&raw const d.stride).cast_mut().cast();
            }
            if flags & PyBUF_FORMAT == PyBUF_FORMAT {
                (*view).format = d.formats.cast_mut();
            }
        }
        self.exports.set(self.exports.get() + 1);
        Ok(())
    }
    #[slot(bf_releasebuffer)]
    fn releasebuffer(&self, _view: *mut Py_buffer) {
        self.exports.set(self.exports.get() - 1);
    }

    // ---- Methods ----

    /// Append new value v to the end of the array.
    #[pymethod]
    fn append(&self, v: &Object) -> PyResult<()> {
        self.push(v)
    }
    /// Append items to the end of the array.
    #[pymethod]
    fn extend(&self, bb: &Object) -> PyResult<()> {
        self.extend_from(bb)
    }
    /// Insert a new item v into the array before position i.
    #[pymethod]
    fn insert(&self, i: isize, v: &Object) -> PyResult<()> {
        let r = encode(self.code(), v)?;
        let n = self.count.get();
        let at = if i < 0 { (i + n).max(0) } else { i.min(n) } as usize * self.size();
        self.change(true, |d| {
            d.splice(at..at, r[..self.size()].iter().copied());
        })
    }
    /// Return the i-th element and delete it from the array.
    ///
    /// i defaults to -1.
    #[pymethod(signature = "(i=-1, /)")]
    fn pop(&self, i: isize) -> PyResult<Owned<Object>> {
        if self.len() == 0 {
            return raise!(IndexError, "pop from empty array");
        }
        let Some(i) = self.index_of(i) else {
            return raise!(IndexError, "pop index out of range");
        };
        let v = self.item(i)?;
        self.delete_range(i, i + 1)?;
        Ok(v)
    }
    /// Remove the first occurrence of v in the array.
    #[pymethod]
    fn remove(&self, v: &Object) -> PyResult<()> {
        match self.find(v, 0, usize::MAX)? {
            Some(i) => self.delete_range(i, i + 1),
            None => raise!(ValueError, "array.remove(x): x not in array"),
        }
    }
    /// Return index of first occurrence of v in the array.
    ///
    /// Raise ValueError if the value is not present.
    #[pymethod(signature = "(v, start=0, stop=sys.maxsize, /)")]
    fn index(&self, v: &Object, start: Option<&Object>, stop: Option<&Object>) -> PyResult<usize> {
        let clip = |o: Option<&Object>, default: isize| -> PyResult<usize> {
            let i = o.map_or(Ok(default), |o| number::as_isize(o, None))?;
            Ok(if i < 0 { (i.saturating_add(self.count.get())).max(0) } else { i } as usize)
        };
        match self.find(v, clip(start, 0)?, clip(stop, isize::MAX)?)? {
            Some(i) => Ok(i),
            None => raise!(ValueError, "array.index(x): x not in array"),
        }
    }
    /// Return number of occurrences of v in the array.
    #[pymethod]
    fn count(&self, v: &Object) -> PyResult<usize> {
        let (mut n, mut i) = (0, 0);
        while i < self.len() {
            n += self.item(i)?.equals_obj(v)? as usize;
            i += 1;
        }
        Ok(n)
    }
    /// Reverse the order of the items in the array.
    #[pymethod(signature = "()")]
    fn reverse(&self) -> PyResult<()> {
        let s = self.size();
        self.change(false, |d| {
            let v: Vec<u8> = d.chunks(s).rev().flatten().copied().collect();
            d.copy_from_slice(&v);
        })
    }
    /// Byteswap all items of the array.
    ///
    /// If the items in the array are not 1, 2, 4, or 8 bytes in size, RuntimeError is
    /// raised.
    #[pymethod(signature = "()")]
    fn byteswap(&self) -> PyResult<()> {
        let s = self.size();
        self.change(false, |d| d.chunks_mut(s).for_each(|c| c.reverse()))
    }
    /// Return a tuple (address, length) giving the current memory address and the length in items of the buffer used to hold array's contents.
    ///
    /// The length should be multiplied by the itemsize attribute to calculate
    /// the buffer length in bytes.
    #[pymethod(signature = "()")]
    fn buffer_info(&self) -> (usize, usize) {
        (self.items.get() as usize, self.len())
    }
    /// Convert array to an ordinary list with the same items.
    #[pymethod(signature = "()")]
    fn tolist(&self) -> PyResult<Owned<List>> {
        let l = List::with_capacity(self.len());
        for i in 0..self.len() {
            l.try_push(self.item(i)?)?;
        }
        Ok(l)
    }
    /// Append items to array from list.
    #[pymethod(name = "fromlist")]
    fn fromlist(&self, list: &Object) -> PyResult<()> {
        let Some(l) = list.downcast::<List>() else {
            return raise!(TypeError, "arg must be list");
        };
        let before = self.len();
        let items = l.to_vec();
        for x in &items {
            if let Err(e) = self.push(x) {
                self.change(false, |d| d.truncate(before * self.size()))?;
                return Err(e);
            }
            if l.len() != items.len() {
                self.change(false, |d| d.truncate(before * self.size()))?;
                return raise!(RuntimeError, "list changed size during iteration");
            }
        }
        Ok(())
    }
    /// Convert the array to an array of machine values and return the bytes representation.
    #[pymethod(signature = "()")]
    fn tobytes(&self) -> Vec<u8> {
        self.bytes().to_vec()
    }
    /// Appends items from the string, interpreting it as an array of machine values, as if it had been read from a file using the fromfile() method.
    #[pymethod]
    fn frombytes(&self, buffer: &Object) -> PyResult<()> {
        let b = Buffer::simple(buffer)?.to_vec();
        self.add_bytes(&b)
    }
    /// Extends this array with data from the unicode string ustr.
    ///
    /// The array must be a unicode type array; otherwise a ValueError is raised.
    /// Use array.frombytes(ustr.encode(...)) to append Unicode data to an array of
    /// some other type.
    #[pymethod]
    fn fromunicode(&self, ustr: &Str) -> PyResult<()> {
        if self.code() != b'u' {
            return raise!(ValueError, "fromunicode() may only be called on unicode type arrays");
        }
        self.add_text(ustr)
    }
    /// Extends this array with data from the unicode string ustr.
    ///
    /// Convert the array to a unicode string.  The array must be a unicode type array;
    /// otherwise a ValueError is raised.  Use array.tobytes().decode() to obtain a
    /// unicode string from an array of some other type.
    #[pymethod(signature = "()")]
    fn tounicode(&self) -> PyResult<Owned<Str>> {
        if self.code() != b'u' {
            return raise!(ValueError, "tounicode() may only be called on unicode type arrays");
        }
        self.text()
    }
    /// Write all items (as machine values) to the file object f.
    #[pymethod]
    fn tofile(&self, f: &Object) -> PyResult<()> {
        let d = self.bytes().to_vec();
        for c in d.chunks(64 * 1024) {
            f.call_method("write", &[&Bytes::new(c)])?;
        }
        Ok(())
    }
    /// Read n objects from the file object f and append them to the end of the array.
    #[pymethod]
    fn fromfile(&self, f: &Object, n: isize) -> PyResult<()> {
        if n < 0 {
            return raise!(ValueError, "negative count");
        }
        let Some(want) = (n as usize).checked_mul(self.size()) else { return raise!(MemoryError) };
        let b = f.call_method("read", &[&Int::from_usize(want)])?;
        let Some(b) = b.downcast::<Bytes>() else {
            return raise!(TypeError, "read() didn't return bytes");
        };
        self.add_bytes(b.as_bytes())?;
        if b.len() != want {
            return raise!(EOFError, "read() didn't return enough bytes");
        }
        Ok(())
    }
    /// Return a copy of the array.
    #[pymethod(signature = "()")]
    fn __copy__(&self) -> PyResult<Owned<Array>> {
        self.like(self.tobytes())
    }
    /// Return a copy of the array.
    #[pymethod(signature = "(unused, /)")]
    fn __deepcopy__(&self, _unused: &Object) -> PyResult<Owned<Array>> {
        self.like(self.tobytes())
    }
    /// Return state information for pickling.
    #[pymethod(signature = "(value, /)")]
    fn __reduce_ex__(&self, value: i64) -> PyResult<Owned<Object>> {
        let code = Str::new(&(self.code() as char).to_string()).into_object();
        let (f, args) = if value < 3 {
            (self.ty().own().into_object(), vec![code, self.tolist()?.into_object()])
        } else {
            let f = lh_runtime::hooks::import_module("array")?.get_attr(intern!("_array_reconstructor"))?;
            let bytes = Bytes::new(&self.tobytes()).into_object();
            (
                f,
                vec![
                    self.ty().own().into_object(),
                    code,
                    Int::from_i64(machine_format(self.code())).into_object(),
                    bytes,
                ],
            )
        };
        Ok(Tuple::from_vec(vec![f, Tuple::from_vec(args).into_object(), self.state_dict()?]).into_object())
    }
    /// Size of the array in memory, in bytes.
    #[pymethod(signature = "()")]
    fn __sizeof__(&self) -> usize {
        Array::BASICSIZE + self.allocated.get() as usize * self.size()
    }
}

#[pyclass(name = "arrayiterator", module = "array", no_new)]
pub struct ArrayIter {
    array: Slot<Array>,
    at: Cell<usize>,
}

#[pymethods]
impl ArrayIter {
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<ArrayIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: nothing runs before the borrow ends.
        let Some(a) = (unsafe { self.array.peek() }) else { return Ok(None) };
        let i = self.at.get();
        if i >= a.len() {
            self.array.set(None);
            return Ok(None);
        }
        self.at.set(i + 1);
        a.item(i).map(Some)
    }
    /// Return state information for pickling.
    #[pymethod(signature = "()")]
    fn __reduce__(&self) -> PyResult<Owned<Object>> {
        let builtins = lh_runtime::hooks::import_module("builtins")?;
        let iter = builtins.get_attr(intern!("iter"))?;
        let v = match self.array.get() {
            Some(a) => vec![
                iter,
                Tuple::from_vec(vec![a.into_object()]).into_object(),
                Int::from_usize(self.at.get()).into_object(),
            ],
            None => vec![iter, Tuple::from_vec(vec![List::new().into_object()]).into_object()],
        };
        Ok(Tuple::from_vec(v).into_object())
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: isize) {
        if let Some(a) = self.array.get() {
            self.at.set((state.max(0) as usize).min(a.len()));
        }
    }
}

// ---- Pickling: how another machine laid its items out ----

/// The number of this machine's format of a code in pickles.
fn machine_format(code: u8) -> i64 {
    match code {
        b'B' => 0,
        b'b' => 1,
        b'H' => 2,
        b'h' => 4,
        b'I' => 6,
        b'i' => 8,
        b'L' | b'Q' => 10,
        b'l' | b'q' => 12,
        b'f' => 14,
        b'd' => 16,
        _ => 20,
    }
}

/// Internal. Used for pickling support.
#[pyfunction]
pub fn _array_reconstructor(
    arraytype: &Object,
    typecode: &Object,
    mformat_code: i32,
    items: &Object,
) -> PyResult<Owned<Object>> {
    let Some(ty) = arraytype.downcast::<Type>() else {
        return raise!(TypeError, "first argument must be a type object, not {}", arraytype.ty().name());
    };
    if !ty.is_subtype(Array::class()) {
        return raise!(TypeError, "{} is not a subtype of {}", ty.name(), Array::class().name());
    }
    let c = code_of(typecode)?;
    let Some(code) = u8::try_from(c).ok().filter(|c| item_size(*c).is_some()) else {
        return raise!(ValueError, "second argument must be a valid type code");
    };
    if !(0..=21).contains(&mformat_code) {
        return raise!(ValueError, "third argument must be a valid machine format code.");
    }
    let Some(b) = items.downcast::<Bytes>() else {
        return raise!(TypeError, "fourth argument should be bytes, not {}", items.ty().name());
    };
    let b = b.as_bytes();
    let m = mformat_code as i64;
    if m == machine_format(code) {
        return ty.call(&[typecode, items]);
    }
    // Size, signedness and order of the foreign items.
    let big = matches!(m, 3 | 5 | 7 | 9 | 11 | 13 | 15 | 17 | 19 | 21);
    let size = match m {
        0 | 1 => 1,
        2..=5 | 18 | 19 => 2,
        6..=9 | 14 | 15 | 20 | 21 => 4,
        _ => 8,
    };
    if !b.len().is_multiple_of(size) {
        return raise!(ValueError, "bytes length not a multiple of item size");
    }
    if m >= 18 {
        let enc = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"][m as usize - 18];
        let s = lh_runtime::codecs::decode(b, enc, "strict")?;
        return ty.call(&[typecode, &s]);
    }
    let mut values = vec![];
    for c in b.chunks(size) {
        let mut c = c.to_vec();
        if big {
            c.reverse();
        }
        values.push(match m {
            14 | 15 => Float::new(f32::from_le_bytes([c[0], c[1], c[2], c[3]]) as f64).into_object(),
            16 | 17 => decode(b'd', &c)?,
            _ => Int::from_le_bytes(&c, matches!(m, 1 | 4 | 5 | 8 | 9 | 12 | 13)).into_object(),
        });
    }
    // A code of the right size, if the given one does not fit the foreign items.
    let fitting = match m {
        0..=13 if item_size(code) != Some(size) => {
            let signed = matches!(m, 1 | 4 | 5 | 8 | 9 | 12 | 13);
            let c = match (size, signed) {
                (1, true) => 'b',
                (1, false) => 'B',
                (2, true) => 'h',
                (2, false) => 'H',
                (4, true) => 'i',
                (4, false) => 'I',
                (_, true) => 'l',
                (_, false) => 'L',
            };
            Str::new(&c.to_string())
        }
        _ => Str::new(&(code as char).to_string()),
    };
    ty.call(&[&fitting, &List::from_vec(values)])
}

fn setup(m: &Module) -> PyResult<()> {
    ready::<ArrayIter>()?;
    m.add("ArrayType", Array::class())?;
    m.add("typecodes", &Str::new(CODES))?;
    // An array is a mutable sequence for isinstance checks.
    let abc = lh_runtime::hooks::import_module("collections.abc")?.get_attr(intern!("MutableSequence"))?;
    abc.call_method("register", &[Array::class()])?;
    Ok(())
}

module! { "array", doc: "This module defines an object type which can efficiently represent an array of basic values: characters, integers, floating point numbers.",
functions: [_array_reconstructor], types: [Array], init: setup }
