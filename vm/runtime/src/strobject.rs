//! `str`: CPython's compact kinds (1, 2 or 4 bytes a character), interning, hashing, UTF-8 view.
//!
//! ```text
//!   ASCII            PyASCIIObject (48 bytes) | characters, NUL          compact=1 ascii=1
//!   other            PyCompactUnicodeObject (72) | characters, NUL       compact=1 ascii=0
//!   subclass of str  PyUnicodeObject (80) | subclass fields              compact=0, characters at `data.any` (own block)
//!   being filled in  PyUnicodeObject (80)                                compact=0, ready=0, `data.any` is `wstr`
//! ```
//!
//! The last kind is what C code gets from `PyUnicode_FromUnicode(NULL, n)` and fills in through `wstr` afterwards. It looks like any string of
//! four-byte characters, but need not be in the narrowest kind; `data` and a comparison that fails put that right at first sight.
//!
//! Invariants: a finished string is in the narrowest kind that holds its characters; it never changes, except by
//! `append_in_place` while the caller holds its only reference; an interned string is in the table, which holds no count of
//! a mortal one (its deallocator takes it out). Methods are in `str_methods.rs`, searching in `str_search.rs`, formatting
//! in `str_format.rs` and `percent.rs`.

use crate::alloc;
use crate::errors::*;
use crate::exceptions::exc;
use crate::hashing::hash_bytes;
use crate::kinds::*;
use crate::object::*;
use crate::raise;
use crate::type_table::PyUnicode_Type;
use core::cell::UnsafeCell;
use core::ptr::{null_mut, slice_from_raw_parts};
use hashbrown::HashTable;
use lh_abi::*;
use std::sync::atomic::{AtomicPtr, Ordering};

pub use crate::strbuilder::StrBuilder;

// ---- The state word ----

const INTERNED_MASK: u32 = 3;
const MORTAL: u32 = 1;
const IMMORTAL: u32 = 2;
const KIND_SHIFT: u32 = 2;
const COMPACT: u32 = 1 << 5;
const ASCII: u32 = 1 << 6;
const READY: u32 = 1 << 7;

pub(crate) const ASCII_HEAD: usize = size_of::<PyASCIIObject>();
const WIDE_HEAD: usize = size_of::<PyCompactUnicodeObject>();
/// `PyUnicodeObject`: the compact head and the pointer to the characters.
pub const LEGACY_SIZE: usize = WIDE_HEAD + 8;

pub const MAX_CHAR: u32 = 0x10ffff;

/// The characters of a string, by width.
#[derive(Clone, Copy)]
pub enum Text<'a> {
    U1(&'a [u8]),
    U2(&'a [u16]),
    U4(&'a [u32]),
}

/// Runs the same code for each width: `with_text!(s.text(), c => c.len())`.
#[macro_export]
macro_rules! with_text {
    ($t:expr, $c:ident => $body:expr) => {
        match $t {
            $crate::strobject::Text::U1($c) => $body,
            $crate::strobject::Text::U2($c) => $body,
            $crate::strobject::Text::U4($c) => $body,
        }
    };
}

/// One character of some width.
pub trait Unit: Copy + Eq + Ord + 'static + Into<u32> {
    const KIND: u8;
    /// Truncates: the caller knows that the character fits.
    fn from_u32(c: u32) -> Self;
    #[inline(always)]
    fn code(self) -> u32 {
        self.into()
    }
}
impl Unit for u8 {
    const KIND: u8 = 1;
    #[inline(always)]
    fn from_u32(c: u32) -> u8 {
        c as u8
    }
}
impl Unit for u16 {
    const KIND: u8 = 2;
    #[inline(always)]
    fn from_u32(c: u32) -> u16 {
        c as u16
    }
}
impl Unit for u32 {
    const KIND: u8 = 4;
    #[inline(always)]
    fn from_u32(c: u32) -> u32 {
        c
    }
}

impl<'a> Text<'a> {
    #[inline]
    pub fn len(self) -> usize {
        with_text!(self, c => c.len())
    }
    #[inline]
    pub fn at(self, i: usize) -> u32 {
        with_text!(self, c => c[i].code())
    }
    pub fn slice(self, start: usize, end: usize) -> Text<'a> {
        match self {
            Text::U1(c) => Text::U1(&c[start..end]),
            Text::U2(c) => Text::U2(&c[start..end]),
            Text::U4(c) => Text::U4(&c[start..end]),
        }
    }
    /// An upper bound of the characters, tight enough to choose the kind (and ASCII) by.
    pub fn max_char(self) -> u32 {
        match self {
            Text::U1(c) => {
                if c.is_ascii() {
                    0x7f
                } else {
                    0xff
                }
            }
            Text::U2(c) => c.iter().fold(0, |m, x| m | x) as u32,
            Text::U4(c) => c.iter().fold(0, |m, x| m.max(*x)),
        }
    }
    /// The bytes of the array.
    pub fn as_bytes(self) -> &'a [u8] {
        // SAFETY: integers of any width are readable as bytes.
        with_text!(self, c => unsafe { &*slice_from_raw_parts(c.as_ptr().cast(), size_of_val(c)) })
    }
    pub fn iter(self) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator + Clone + 'a {
        (0..self.len()).map(move |i| self.at(i))
    }
}

/// The kind that holds characters up to `max`.
#[inline]
pub fn kind_for(max: u32) -> u8 {
    match max {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        _ => 4,
    }
}

/// Copies characters between widths; the destination is wide enough for all of them.
///
/// # Safety
/// `dst` has room for `src.len()` characters of `kind` bytes.
#[inline]
pub unsafe fn copy_text(dst: *mut u8, kind: u8, src: Text<'_>) {
    /// # Safety
    /// As `copy_text`.
    unsafe fn widen<S: Unit, D: Unit>(dst: *mut u8, src: &[S]) {
        let dst = dst.cast::<D>();
        for (i, c) in src.iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { dst.add(i).write(D::from_u32(c.code())) }
        }
    }
    // SAFETY: the caller's promise.
    unsafe {
        match (src, kind) {
            (Text::U1(s), 1) => core::ptr::copy_nonoverlapping(s.as_ptr(), dst, s.len()),
            (Text::U2(s), 2) => core::ptr::copy_nonoverlapping(s.as_ptr(), dst.cast(), s.len()),
            (Text::U4(s), 4) => core::ptr::copy_nonoverlapping(s.as_ptr(), dst.cast(), s.len()),
            (Text::U1(s), 2) => widen::<u8, u16>(dst, s),
            (Text::U1(s), _) => widen::<u8, u32>(dst, s),
            (Text::U2(s), 1) => widen::<u16, u8>(dst, s),
            (Text::U2(s), _) => widen::<u16, u32>(dst, s),
            (Text::U4(s), 1) => widen::<u32, u8>(dst, s),
            (Text::U4(s), _) => widen::<u32, u16>(dst, s),
        }
    }
}

// ---- Allocation ----

#[inline(always)]
fn head_size(ascii: bool) -> usize {
    if ascii { ASCII_HEAD } else { WIDE_HEAD }
}

/// Writes what all strings have in front of their characters.
///
/// # Safety
/// `p` is memory for a string of that length and kind.
#[inline(always)]
pub(crate) unsafe fn write_head(p: *mut PyASCIIObject, len: usize, kind: usize, ascii: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        (*p).ob_base = PyObject { ob_refcnt: 1, ob_type: &raw mut PyUnicode_Type };
        (*p).length = len as isize;
        (*p).hash = -1;
        (*p).state = (kind as u32) << KIND_SHIFT | COMPACT | READY | if ascii { ASCII } else { 0 };
        (*p).wstr = null_mut();
    }
}

/// `PyUnicode_New`: a string of `len` characters, to be filled before anybody sees it. `max` chooses the kind.
///
/// The characters are not initialised, except the closing NUL.
pub fn alloc_raw(len: usize, max: u32) -> Option<*mut PyObject> {
    let (kind, ascii) = (kind_for(max) as usize, max < 0x80);
    let head = head_size(ascii);
    let size = len.checked_add(1)?.checked_mul(kind)?.checked_add(head)?;
    if size > isize::MAX as usize {
        return None;
    }
    // SAFETY: objects are made under the GIL.
    let p = unsafe { alloc::take(size) }.cast::<PyCompactUnicodeObject>();
    if p.is_null() {
        return None;
    }
    // SAFETY: the block has room for the head and the characters; each field is written before it is read.
    unsafe {
        write_head(p.cast(), len, kind, ascii);
        if !ascii {
            (*p).utf8 = null_mut();
            (*p).utf8_length = 0;
            (*p).wstr_length = 0;
        }
        // The closing NUL. (`write_bytes` of `kind` bytes would be a call of memset.)
        let end = p.cast::<u8>().add(head + len * kind);
        match kind {
            1 => end.write(0),
            2 => end.cast::<u16>().write(0),
            _ => end.cast::<u32>().write(0),
        }
    }
    Some(p.cast())
}

#[cold]
fn no_memory() -> Raised {
    set_object(exc::MemoryError(), None)
}

/// As `alloc_raw`, raising `MemoryError`.
pub fn try_alloc(len: usize, max: u32) -> PyResult<*mut PyObject> {
    alloc_raw(len, max).ok_or_else(no_memory)
}

pub(crate) fn must_alloc(len: usize, max: u32) -> *mut PyObject {
    alloc_raw(len, max).unwrap_or_else(|| {
        std::alloc::handle_alloc_error(
            std::alloc::Layout::from_size_align(len, 1).expect("a small alignment"),
        )
    })
}

/// The character array of a string being made by `alloc_raw`.
///
/// # Safety
/// `p` came from `alloc_raw`.
#[inline]
pub unsafe fn raw_data(p: *mut PyObject) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        let ascii = (*p.cast::<PyASCIIObject>()).state & ASCII != 0;
        p.cast::<u8>().add(head_size(ascii))
    }
}

/// Copies `n` bytes, a few of them without a call.
///
/// # Safety
/// As `copy_nonoverlapping`.
#[inline(always)]
pub(crate) unsafe fn copy_short(from: *const u8, to: *mut u8, n: usize) {
    // SAFETY: the caller's promise; the two halves overlap within the `n` bytes.
    unsafe {
        match n {
            0 => {}
            1 => *to = *from,
            2..=3 => {
                let (a, b) = (from.cast::<u16>().read_unaligned(), *from.add(n - 1));
                to.cast::<u16>().write_unaligned(a);
                *to.add(n - 1) = b;
            }
            4..=7 => {
                let (a, b) =
                    (from.cast::<u32>().read_unaligned(), from.add(n - 4).cast::<u32>().read_unaligned());
                to.cast::<u32>().write_unaligned(a);
                to.add(n - 4).cast::<u32>().write_unaligned(b);
            }
            8..=16 => {
                let (a, b) =
                    (from.cast::<u64>().read_unaligned(), from.add(n - 8).cast::<u64>().read_unaligned());
                to.cast::<u64>().write_unaligned(a);
                to.add(n - 8).cast::<u64>().write_unaligned(b);
            }
            _ => core::ptr::copy_nonoverlapping(from, to, n),
        }
    }
}

/// A string of these characters, whose bound `max` is known.
/// UTF-8 of characters that need at most `width` bytes each; or where a surrogate stands.
fn encode_wide<C: Copy + Into<u32>>(text: &[C], width: usize) -> Result<Vec<u8>, usize> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len() * width);
    let start = out.as_mut_ptr();
    let mut p = start;
    for (i, c) in text.iter().enumerate() {
        let c: u32 = (*c).into();
        let tail = |shift: u32| 0x80 | (c >> shift) as u8 & 0x3f;
        // SAFETY: there is room for `width` bytes for each character.
        unsafe {
            match c {
                0..=0x7f => {
                    *p = c as u8;
                    p = p.add(1);
                }
                0x80..=0x7ff => {
                    *p = 0xc0 | (c >> 6) as u8;
                    *p.add(1) = tail(0);
                    p = p.add(2);
                }
                0xd800..=0xdfff => return Err(i),
                0x800..=0xffff => {
                    *p = 0xe0 | (c >> 12) as u8;
                    *p.add(1) = tail(6);
                    *p.add(2) = tail(0);
                    p = p.add(3);
                }
                _ => {
                    *p = 0xf0 | (c >> 18) as u8;
                    *p.add(1) = tail(12);
                    *p.add(2) = tail(6);
                    *p.add(3) = tail(0);
                    p = p.add(4);
                }
            }
        }
    }
    // SAFETY: written up to `p`.
    unsafe { out.set_len(p.offset_from(start) as usize) };
    Ok(out)
}

fn from_text_max(t: Text<'_>, max: u32) -> Owned<Str> {
    match t.len() {
        0 => return Str::empty().own(),
        1 if max < 0x100 => return Str::from_char(t.at(0)),
        _ => {}
    }
    if let Text::U1(s) = t
        && max < 0x80
        && s.len() <= 1 << 20
    {
        return Str::short_ascii(s, &[]);
    }
    let p = must_alloc(t.len(), max);
    // SAFETY: just allocated with room for these characters.
    unsafe {
        if let Text::U1(s) = t
            && max < 0x100
        {
            copy_short(s.as_ptr(), raw_data(p), s.len());
        } else {
            copy_text(raw_data(p), kind_for(max), t);
        }
        Owned::from_raw(p)
    }
}

/// Single Latin-1 characters, made on first use and kept.
static CHARS: [AtomicPtr<PyObject>; 256] = [const { AtomicPtr::new(null_mut()) }; 256];
static EMPTY: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());

// ---- Interning ----

/// The intern table: addresses of strings, found by content. Only touched with the GIL held.
struct InternTable(UnsafeCell<HashTable<usize>>);
// SAFETY: the GIL protects it.
unsafe impl Sync for InternTable {}
static INTERNED: InternTable = InternTable(UnsafeCell::new(HashTable::new()));

/// # Safety
/// `p` is the address of a live string.
unsafe fn str_at<'a>(p: usize) -> &'a Str {
    // SAFETY: the caller's promise.
    unsafe { Str::from_object(Object::from_ptr(p as *mut PyObject)) }
}

/// Makes `p` the canonical string of its content, or finds that one. Runs no Python code.
fn intern_lookup(s: &Str) -> Result<*mut PyObject, ()> {
    let h = s.hash() as u64;
    // SAFETY: the GIL is held and nothing below re-enters; entries are live (the deallocator removes them).
    unsafe {
        let table = &mut *INTERNED.0.get();
        match table.find(h, |p| str_at(*p).equals(s)) {
            Some(p) => Ok(*p as *mut PyObject),
            None => Err(()),
        }
    }
}

fn intern_insert(s: &Str, state: u32) {
    let h = s.hash() as u64;
    // SAFETY: as in `intern_lookup`; the string stays in the table until its deallocator removes it.
    unsafe {
        (*s.as_struct()).state |= state;
        let table = &mut *INTERNED.0.get();
        table.insert_unique(h, s.raw() as usize, |p| str_at(*p).hash() as u64);
    }
}

fn intern_remove(s: &Str) {
    let h = s.hash() as u64;
    let at = s.raw() as usize;
    // SAFETY: as in `intern_lookup`.
    unsafe {
        if let Ok(e) = (*INTERNED.0.get()).find_entry(h, |p| *p == at) {
            e.remove();
        }
    }
}

impl Str {
    // ---- Making strings ----

    pub fn new(s: &str) -> Owned<Str> {
        if s.is_ascii() {
            return from_text_max(Text::U1(s.as_bytes()), 0x7f);
        }
        // The largest first byte says how wide the widest character is.
        let (mut n, mut largest) = (0, 0);
        for b in s.bytes() {
            n += (b & 0xc0 != 0x80) as usize;
            largest = largest.max(b);
        }
        let max = match largest {
            0..=0xc3 => 0xff,
            0xc4..=0xef => 0xffff,
            _ => MAX_CHAR,
        };
        if n == 1 && max < 0x100 {
            return Str::from_char(s.chars().next().map_or(0, u32::from));
        }
        let p = must_alloc(n, max);
        // SAFETY: just allocated for `n` characters up to `max`.
        unsafe {
            let d = raw_data(p);
            match kind_for(max) {
                1 => s.chars().enumerate().for_each(|(i, c)| d.add(i).write(c as u8)),
                2 => s.chars().enumerate().for_each(|(i, c)| d.cast::<u16>().add(i).write(c as u16)),
                _ => s.chars().enumerate().for_each(|(i, c)| d.cast::<u32>().add(i).write(c as u32)),
            }
            Owned::from_raw(p)
        }
    }
    /// A string of these code points (surrogates allowed).
    pub fn from_code_points(s: &[u32]) -> Owned<Str> {
        Str::from_text(Text::U4(s))
    }
    pub fn from_latin1(s: &[u8]) -> Owned<Str> {
        Str::from_text(Text::U1(s))
    }
    pub fn from_ascii(s: &[u8]) -> Owned<Str> {
        debug_assert!(s.is_ascii());
        if s.len() < 2 || s.len() > 1 << 20 {
            return from_text_max(Text::U1(s), 0x7f);
        }
        Str::short_ascii(s, &[])
    }
    /// The ASCII text `s`, then `more`; both together have two to a million characters.
    #[inline(always)]
    fn short_ascii(s: &[u8], more: &[u8]) -> Owned<Str> {
        let n = s.len() + more.len();
        // SAFETY: objects are made under the GIL.
        let p = unsafe { alloc::take(head_size(true) + n + 1) }.cast::<PyASCIIObject>();
        assert!(!p.is_null(), "out of memory");
        // SAFETY: the block has room for the head, the characters and a NUL.
        unsafe {
            (*p).ob_base = PyObject { ob_refcnt: 1, ob_type: &raw mut PyUnicode_Type };
            (*p).length = n as isize;
            (*p).hash = -1;
            (*p).state = 1 << KIND_SHIFT | COMPACT | READY | ASCII;
            (*p).wstr = null_mut();
            let to = p.cast::<u8>().add(head_size(true));
            copy_short(s.as_ptr(), to, s.len());
            if !more.is_empty() {
                copy_short(more.as_ptr(), to.add(s.len()), more.len());
            }
            to.add(n).write(0);
            Owned::from_raw(p.cast())
        }
    }
    /// An ASCII string of `n` characters, which `fill` writes (they start as NULs).
    pub fn fill_ascii(n: usize, fill: impl FnOnce(&mut [u8])) -> Owned<Str> {
        if n == 0 {
            return Str::empty().own();
        }
        let p = must_alloc(n, 0x7f);
        // SAFETY: just allocated with room for `n` characters; nobody else sees them yet.
        unsafe {
            let out = std::slice::from_raw_parts_mut(raw_data(p), n);
            out.fill(0);
            fill(out);
            debug_assert!(out.is_ascii());
            if let [c] = out {
                let c = *c;
                decref(p);
                return Str::from_char(c as u32);
            }
            Owned::from_raw(p)
        }
    }
    /// A string of these characters, in the narrowest kind.
    pub fn from_text(t: Text<'_>) -> Owned<Str> {
        from_text_max(t, t.max_char())
    }
    /// One character.
    #[inline]
    pub fn from_char(c: u32) -> Owned<Str> {
        if c < 0x100 {
            let p = CHARS[c as usize].load(Ordering::Relaxed);
            if !p.is_null() {
                // SAFETY: cached strings are never freed.
                return unsafe { Object::from_ptr(p).downcast_unchecked::<Str>() }.own();
            }
        }
        Str::make_char(c)
    }
    #[cold]
    fn make_char(c: u32) -> Owned<Str> {
        let p = must_alloc(1, c);
        // SAFETY: just allocated for one character of this kind.
        let s: Owned<Str> = unsafe {
            copy_text(raw_data(p), kind_for(c), Text::U4(&[c]));
            Owned::from_raw(p)
        };
        if c < 0x100 {
            CHARS[c as usize].store(s.clone().into_raw(), Ordering::Relaxed);
        }
        s
    }
    pub fn empty() -> &'static Str {
        let mut p = EMPTY.load(Ordering::Relaxed);
        if p.is_null() {
            p = must_alloc(0, 0);
            EMPTY.store(p, Ordering::Relaxed);
        }
        // SAFETY: the cached string is never freed.
        unsafe { Object::from_ptr(p).downcast_unchecked() }
    }
    /// The interned string of this text, kept for ever.
    pub fn interned(s: &str) -> &'static Str {
        let s = Str::intern(Str::new(s));
        // SAFETY: the string stays alive: its count is given up here.
        unsafe {
            let a = s.as_struct();
            (*a).state = (*a).state & !INTERNED_MASK | IMMORTAL;
            Object::from_ptr(s.into_raw()).downcast_unchecked()
        }
    }
    /// The interned string of a name that Rust code asks for again and again: the last ones are found without hashing their characters.
    pub fn name(s: &str) -> Owned<Str> {
        /// A name's place follows from its length and ends. Guarded by the GIL.
        struct Names(UnsafeCell<[Option<Owned<Str>>; PLACES]>);
        // SAFETY: only touched with the GIL held.
        unsafe impl Sync for Names {}
        const PLACES: usize = 256;
        static NAMES: Names = Names(UnsafeCell::new([const { None }; PLACES]));
        let b = s.as_bytes();
        let n = b.len();
        if n == 0 {
            return Str::intern(Str::new(s));
        }
        let mix = n.wrapping_mul(31) ^ (b[0] as usize) << 4 ^ (b[n - 1] as usize) << 2 ^ b[n / 2] as usize;
        // SAFETY: the GIL is held; the reference is gone before anything else runs.
        let place = unsafe { &mut (*NAMES.0.get())[mix % PLACES] };
        if let Some(known) = place
            && known.as_ascii() == Some(s)
        {
            return known.clone();
        }
        let name = Str::intern(Str::new(s));
        let old = place.replace(name.clone());
        drop(old);
        name
    }
    /// The canonical equal string (for exact `str`).
    pub fn intern(s: Owned<Str>) -> Owned<Str> {
        if s.is_interned() || !s.is_exact::<Str>() {
            return s;
        }
        match intern_lookup(&s) {
            // SAFETY: entries of the table are live strings.
            Ok(p) => unsafe { str_at(p as usize) }.own(),
            Err(()) => {
                intern_insert(&s, MORTAL);
                s
            }
        }
    }
    #[inline]
    pub fn is_interned(&self) -> bool {
        self.state() & INTERNED_MASK != 0
    }

    // ---- Looking at strings ----

    #[inline]
    fn state(&self) -> u32 {
        // SAFETY: a live string's head is readable.
        unsafe { (*self.as_struct()).state }
    }
    /// Length in code points.
    #[inline]
    pub fn len(&self) -> usize {
        // SAFETY: a live string's head is readable.
        unsafe { (*self.as_struct()).length as usize }
    }
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Code point `i`; `i < len()`.
    #[inline]
    pub fn char_at(&self, i: usize) -> u32 {
        debug_assert!(i < self.len());
        let d = self.data();
        // SAFETY: `i` is within the character array.
        unsafe {
            match self.kind() {
                1 => *d.add(i) as u32,
                2 => *d.cast::<u16>().add(i) as u32,
                _ => *d.cast::<u32>().add(i),
            }
        }
    }
    /// 1, 2 or 4.
    #[inline]
    pub fn kind(&self) -> u8 {
        (self.state() >> KIND_SHIFT & 7) as u8
    }
    #[inline]
    pub fn is_ascii(&self) -> bool {
        self.state() & ASCII != 0
    }
    /// Start of the character array, `kind()` bytes each.
    #[inline]
    pub fn data(&self) -> *const u8 {
        let st = self.state();
        let p = self.as_struct().cast::<u8>();
        // SAFETY: where the characters lie follows from the state word (see the drawing at the top).
        unsafe {
            if st & COMPACT != 0 {
                p.add(head_size(st & ASCII != 0))
            } else {
                if st & READY == 0 {
                    self.settle();
                }
                *p.add(WIDE_HEAD).cast::<*mut u8>()
            }
        }
    }
    /// Has C code filled the string in, without anybody having looked at it since?
    #[inline]
    pub fn is_unsettled(&self) -> bool {
        self.state() & READY == 0
    }
    /// Puts a string that C code has filled in into the narrowest kind.
    #[cold]
    #[inline(never)]
    fn settle(&self) {
        // SAFETY: an unsettled string has `length` four-byte characters at `wstr`, which it owns and which nobody borrows: whoever looks at the
        // characters comes here first.
        unsafe {
            let c = self.as_struct().cast::<PyCompactUnicodeObject>();
            let (n, wide) = ((*c)._base.length as usize, (*c)._base.wstr.cast::<u32>());
            let chars = std::slice::from_raw_parts_mut(wide, n);
            chars.iter_mut().filter(|c| **c > MAX_CHAR).for_each(|c| *c = 0xfffd);
            let max = Text::U4(chars).max_char();
            let kind = kind_for(max);
            let place = c.cast::<u8>().add(WIDE_HEAD).cast::<*mut u8>();
            if kind < 4 {
                let data = alloc::malloc((n + 1) * kind as usize).cast::<u8>();
                assert!(!data.is_null(), "out of memory");
                copy_text(data, kind, Text::U4(chars));
                core::ptr::write_bytes(data.add(n * kind as usize), 0, kind as usize);
                place.write(data);
                alloc::free(wide.cast());
                (*c)._base.wstr = null_mut();
                if max < 0x80 {
                    (*c).utf8 = data.cast();
                    (*c).utf8_length = n as isize;
                }
            }
            let kept = (*c)._base.state & INTERNED_MASK;
            (*c)._base.state =
                kept | (kind as u32) << KIND_SHIFT | READY | if max < 0x80 { ASCII } else { 0 };
        }
    }
    /// A string of `n` characters that C code fills in, through its `wstr`.
    pub fn unsettled(n: usize) -> PyResult<Owned<Str>> {
        let Some(size) = n.checked_add(1).and_then(|n| n.checked_mul(4)).filter(|s| *s < isize::MAX as usize)
        else {
            return Err(no_memory());
        };
        let data = alloc::calloc(1, size).cast::<u8>();
        if data.is_null() {
            return Err(no_memory());
        }
        // SAFETY: a new object of the size of `PyUnicodeObject`; it owns the block of characters.
        unsafe {
            let p = match crate::typeobject::alloc(&raw mut PyUnicode_Type, 0) {
                Ok(p) => p,
                Err(e) => {
                    alloc::free(data.cast());
                    return Err(e);
                }
            };
            let c = p.cast::<PyCompactUnicodeObject>();
            (*c)._base.length = n as isize;
            (*c)._base.hash = -1;
            (*c)._base.state = 4 << KIND_SHIFT;
            (*c)._base.wstr = data.cast();
            (*c).wstr_length = n as isize;
            (*c).utf8 = null_mut();
            (*c).utf8_length = 0;
            p.cast::<u8>().add(WIDE_HEAD).cast::<*mut u8>().write(data);
            Ok(Owned::from_raw(p))
        }
    }
    /// `_PyUnicode_Ready`: `ValueError` if what was filled in is no text.
    pub fn make_ready(&self) -> PyResult<()> {
        if self.is_unsettled() {
            // SAFETY: as in `settle`.
            let bad = unsafe {
                let a = self.as_struct();
                let all = &*slice_from_raw_parts((*a).wstr.cast::<u32>(), (*a).length as usize);
                all.iter().copied().filter(|c| *c > MAX_CHAR).max()
            };
            if let Some(c) = bad {
                return raise!(ValueError, "character U+{:x} is not in range [U+0000; U+10ffff]", c);
            }
            self.settle();
        }
        Ok(())
    }
    /// The characters.
    #[inline]
    pub fn text(&self) -> Text<'_> {
        let (d, n) = (self.data(), self.len());
        // SAFETY: the array holds `n` characters of this kind and never changes while others can see the string.
        unsafe {
            match self.kind() {
                1 => Text::U1(&*slice_from_raw_parts(d, n)),
                2 => Text::U2(&*slice_from_raw_parts(d.cast(), n)),
                _ => Text::U4(&*slice_from_raw_parts(d.cast(), n)),
            }
        }
    }
    /// The characters of an ASCII string.
    #[inline]
    pub fn as_ascii(&self) -> Option<&str> {
        if !self.is_ascii() {
            return None;
        }
        // SAFETY: ASCII is UTF-8, one byte a character.
        Some(unsafe { std::str::from_utf8_unchecked(&*slice_from_raw_parts(self.data(), self.len())) })
    }
    /// UTF-8 (cached in the object, NUL-terminated); raises `UnicodeEncodeError` for surrogates.
    pub fn to_str(&self) -> PyResult<&str> {
        if let Some(s) = self.as_ascii() {
            return Ok(s);
        }
        match self.utf8_cache() {
            Some(s) => Ok(s),
            None => {
                let text = match self.make_utf8() {
                    Ok(t) => t,
                    Err(_) => return Err(crate::codecs::utf8_surrogate_error(self)),
                };
                let p = alloc::malloc(text.len() + 1).cast::<u8>();
                if p.is_null() {
                    return Err(no_memory());
                }
                // SAFETY: the block has room for the text and its NUL; a non-ASCII string has the compact head.
                unsafe {
                    core::ptr::copy_nonoverlapping(text.as_ptr(), p, text.len());
                    p.add(text.len()).write(0);
                    let c = self.as_struct().cast::<PyCompactUnicodeObject>();
                    (*c).utf8_length = text.len() as isize;
                    (*c).utf8 = p.cast();
                }
                Ok(self.utf8_cache().expect("just made"))
            }
        }
    }
    fn utf8_cache(&self) -> Option<&str> {
        // SAFETY: only a non-ASCII string comes here: it has the compact head, whose UTF-8 never changes once set.
        unsafe {
            let c = self.as_struct().cast::<PyCompactUnicodeObject>();
            if (*c).utf8.is_null() {
                return None;
            }
            let b = &*slice_from_raw_parts((*c).utf8.cast::<u8>(), (*c).utf8_length as usize);
            Some(std::str::from_utf8_unchecked(b))
        }
    }
    /// The text as a Rust string; the error is the index of a surrogate.
    pub fn make_utf8(&self) -> Result<String, usize> {
        let t = self.text();
        if let Text::U1(b) = t {
            let mut out = Vec::with_capacity(b.len() + b.len() / 2);
            for &c in b {
                if c < 0x80 {
                    out.push(c);
                } else {
                    out.extend_from_slice(&[0xc0 | c >> 6, 0x80 | c & 0x3f]);
                }
            }
            // SAFETY: each character was encoded as UTF-8.
            return Ok(unsafe { String::from_utf8_unchecked(out) });
        }
        let out = match t {
            Text::U1(_) => unreachable!("handled above"),
            Text::U2(c) => encode_wide(c, 3)?,
            Text::U4(c) => encode_wide(c, 4)?,
        };
        // SAFETY: each character was encoded as UTF-8.
        Ok(unsafe { String::from_utf8_unchecked(out) })
    }
    /// Surrogates become U+FFFD.
    pub fn to_str_lossy(&self) -> std::borrow::Cow<'_, str> {
        if let Some(s) = self.as_ascii() {
            return s.into();
        }
        match self.utf8_cache() {
            Some(s) => s.into(),
            None => self.chars().map(|c| char::from_u32(c).unwrap_or('\u{fffd}')).collect::<String>().into(),
        }
    }
    pub fn chars(&self) -> impl Iterator<Item = u32> + '_ {
        self.text().iter()
    }
    /// The cached hash (never -1).
    #[inline]
    pub fn hash(&self) -> isize {
        // SAFETY: a live string's head is readable and the hash is only ever filled in.
        unsafe {
            let a = self.as_struct();
            if (*a).hash == -1 {
                (*a).hash = hash_bytes(self.text().as_bytes());
            }
            (*a).hash
        }
    }
    #[inline]
    pub fn equals(&self, other: &Str) -> bool {
        self.raw() == other.raw()
            || self.len() == other.len()
                && (self.kind() == other.kind() || self.same_kind(other))
                && self.text().as_bytes() == other.text().as_bytes()
    }
    /// Are two strings of different kinds only so because one was not looked at yet?
    #[cold]
    fn same_kind(&self, other: &Str) -> bool {
        if !self.is_unsettled() && !other.is_unsettled() {
            return false;
        }
        self.data();
        other.data();
        self.kind() == other.kind()
    }
    pub fn equals_str(&self, other: &str) -> bool {
        match self.as_ascii() {
            Some(s) => s == other,
            None => self.len() <= other.len() && self.chars().eq(other.chars().map(|c| c as u32)),
        }
    }
    pub fn cmp(&self, other: &Str) -> std::cmp::Ordering {
        match (self.text(), other.text()) {
            (Text::U1(a), Text::U1(b)) => a.cmp(b),
            (a, b) => a.iter().cmp(b.iter()),
        }
    }

    // ---- Making strings from strings ----

    pub fn concat(&self, other: &Str) -> PyResult<Owned<Str>> {
        let (a, b) = (self, other);
        if b.is_empty() && a.is_exact::<Str>() {
            return Ok(a.own());
        }
        if a.is_empty() && b.is_exact::<Str>() {
            return Ok(b.own());
        }
        if a.is_ascii()
            && b.is_ascii()
            && a.len() + b.len() <= 1 << 20
            && let (Text::U1(x), Text::U1(y)) = (a.text(), b.text())
        {
            return Ok(Str::short_ascii(x, y));
        }
        let max = a.bound().max(b.bound());
        let n = a.len().checked_add(b.len()).filter(|n| *n <= isize::MAX as usize);
        let Some(n) = n else { return raise!(OverflowError, "strings are too large to concat") };
        let p = try_alloc(n, max)?;
        let kind = kind_for(max);
        // SAFETY: just allocated for both strings' characters in the wider kind.
        unsafe {
            let d = raw_data(p);
            copy_text(d, kind, a.text());
            copy_text(d.add(a.len() * kind as usize), kind, b.text());
            Ok(Owned::from_raw(p))
        }
    }
    /// `*left += right`, in place where nobody else can see the left string.
    pub fn append_in_place(left: &mut Owned<Str>, right: &Str) -> PyResult<()> {
        let (n, m) = (left.len(), right.len());
        if m == 0 && left.is_exact::<Str>() {
            return Ok(());
        }
        let fits = left.refcnt() == 1
            && n > 0
            && left.is_exact::<Str>()
            && left.state() & (INTERNED_MASK | COMPACT) == COMPACT
            && right.kind() <= left.kind()
            && (right.is_ascii() || !left.is_ascii());
        if !fits || left.raw() == right.raw() {
            *left = left.concat(right)?;
            return Ok(());
        }
        let kind = left.kind();
        let head = head_size(left.is_ascii());
        let size =
            (n + m + 1).checked_mul(kind as usize).and_then(|s| s.checked_add(head)).ok_or_else(no_memory)?;
        // SAFETY: we hold the only reference, so the block may move; the characters and the NUL fit the new size.
        unsafe {
            let mut p = left.raw();
            if !left.is_ascii() {
                let c = p.cast::<PyCompactUnicodeObject>();
                alloc::free(std::mem::replace(&mut (*c).utf8, null_mut()).cast());
                (*c).utf8_length = 0;
                (*c).wstr_length = 0;
            }
            let wide = &raw mut (*p.cast::<PyASCIIObject>()).wstr;
            alloc::free(std::mem::replace(&mut *wide, null_mut()).cast());
            if size > libmimalloc_sys::mi_usable_size(p.cast()) {
                // Room for further appends, so that building a string piece by piece is linear.
                p = alloc::realloc(p.cast(), size + size / 8).cast();
                if p.is_null() {
                    return Err(no_memory());
                }
                let old = std::mem::replace(left, Owned::from_raw(p));
                std::mem::forget(old);
            }
            let a = p.cast::<PyASCIIObject>();
            (*a).length = (n + m) as isize;
            (*a).hash = -1;
            let d = p.cast::<u8>().add(head + n * kind as usize);
            copy_text(d, kind, right.text());
            core::ptr::write_bytes(d.add(m * kind as usize), 0, kind as usize);
        }
        Ok(())
    }
    /// A bound of the characters that chooses the kind.
    #[inline]
    pub fn bound(&self) -> u32 {
        match (self.is_ascii(), self.kind()) {
            (true, _) => 0x7f,
            (_, 1) => 0xff,
            (_, 2) => 0xffff,
            // (Such a string's kind is 4.)
            _ if self.is_unsettled() => {
                self.settle();
                self.bound()
            }
            _ => MAX_CHAR,
        }
    }
    /// Code points `start..end`, clipped.
    pub fn slice(&self, start: usize, end: usize) -> Owned<Str> {
        let end = end.min(self.len());
        let start = start.min(end);
        if start == 0 && end == self.len() && self.is_exact::<Str>() {
            return self.own();
        }
        let t = self.text().slice(start, end);
        match t {
            Text::U1(b) if self.is_ascii() => Str::from_ascii(b),
            _ => Str::from_text(t),
        }
    }
    /// `self[start], self[start + step], …`: `count` characters.
    pub fn slice_step(&self, start: isize, step: isize, count: usize) -> Owned<Str> {
        if step == 1 || count == 0 {
            return self.slice(start.max(0) as usize, start.max(0) as usize + count);
        }
        let at = |i: usize| (start + step * i as isize) as usize;
        if let Text::U1(c) = self.text()
            && step == -1
        {
            let first = start as usize + 1 - count;
            let reversed: Vec<u8> = c[first..first + count].iter().rev().copied().collect();
            return if self.is_ascii() { Str::from_ascii(&reversed) } else { Str::from_latin1(&reversed) };
        }
        match self.text() {
            Text::U1(c) => Str::from_latin1(&(0..count).map(|i| c[at(i)]).collect::<Vec<_>>()),
            Text::U2(c) => Str::from_text(Text::U2(&(0..count).map(|i| c[at(i)]).collect::<Vec<_>>())),
            Text::U4(c) => Str::from_text(Text::U4(&(0..count).map(|i| c[at(i)]).collect::<Vec<_>>())),
        }
    }
    /// `self * n`.
    pub fn repeat(&self, n: isize) -> PyResult<Owned<Str>> {
        let len = self.len();
        if n <= 0 || len == 0 {
            return Ok(Str::empty().own());
        }
        if n == 1 && self.is_exact::<Str>() {
            return Ok(self.own());
        }
        let Some(total) = len.checked_mul(n as usize).filter(|t| *t <= isize::MAX as usize) else {
            return raise!(OverflowError, "repeated string is too long");
        };
        if total > isize::MAX as usize / 4 {
            return Err(set_object(exc::MemoryError(), None));
        }
        let p = try_alloc(total, self.bound())?;
        let bytes = self.text().as_bytes();
        // SAFETY: just allocated for `n` copies; the copied part doubles until it is complete.
        unsafe {
            let d = raw_data(p);
            let all = bytes.len() * n as usize;
            if bytes.len() == 1 {
                core::ptr::write_bytes(d, bytes[0], all);
            } else {
                core::ptr::copy_nonoverlapping(bytes.as_ptr(), d, bytes.len());
                let mut done = bytes.len();
                while done < all {
                    let k = done.min(all - done);
                    core::ptr::copy_nonoverlapping(d, d.add(done), k);
                    done += k;
                }
            }
            Ok(Owned::from_raw(p))
        }
    }
    /// `sep.join(items)`.
    pub fn join(&self, items: &Object) -> PyResult<Owned<Str>> {
        // SAFETY: references to objects are pointers to them; joining runs no Python code, so that list and tuple stay as they are.
        let slice = |p: *mut *mut PyObject, n: usize| unsafe {
            if n == 0 { &[][..] } else { std::slice::from_raw_parts(p.cast::<&Object>(), n) }
        };
        if let Some(t) = items.downcast_exact::<Tuple>() {
            return self.join_refs(slice(t.items_ptr(), t.len()));
        }
        if let Some(l) = items.downcast_exact::<List>() {
            return self.join_refs(slice(l.items_ptr(), l.len()));
        }
        let it = match items.iterator() {
            Ok(it) => it,
            Err(e) if e.matches(exc::TypeError()) => {
                e.clear();
                return raise!(TypeError, "can only join an iterable");
            }
            Err(e) => return Err(e),
        };
        let owned = it.to_items()?;
        let refs: Vec<&Object> = owned.iter().map(|o| &**o).collect();
        self.join_refs(&refs)
    }
    /// `sep.join` of items that must be strings.
    pub fn join_refs(&self, items: &[&Object]) -> PyResult<Owned<Str>> {
        if let [one] = items
            && let Some(s) = one.downcast_exact::<Str>()
        {
            return Ok(s.own());
        }
        let mut total = 0usize;
        let mut max = 0;
        for (i, o) in items.iter().enumerate() {
            let Some(s) = o.downcast::<Str>() else {
                return raise!(
                    TypeError,
                    "sequence item {}: expected str instance, {} found",
                    i,
                    crate::strobject::clip(&o.ty().name(), 80)
                );
            };
            if i > 0 {
                total = total.saturating_add(self.len());
                max = max.max(self.bound());
            }
            total = total.saturating_add(s.len());
            max = max.max(s.bound());
        }
        if total == 0 {
            return Ok(Str::empty().own());
        }
        if total > isize::MAX as usize {
            return raise!(OverflowError, "join() result is too long for a Python string");
        }
        let p = try_alloc(total, max)?;
        let kind = kind_for(max);
        // SAFETY: the pieces add up to the allocated length, and none is wider than `kind`; the items are live.
        unsafe {
            let mut d = raw_data(p);
            if kind == 1 {
                // All are one byte wide.
                let (sep, n) = (self.data(), self.len());
                for (i, o) in items.iter().enumerate() {
                    if i > 0 {
                        copy_short(sep, d, n);
                        d = d.add(n);
                    }
                    let s = Str::from_object(o);
                    copy_short(s.data(), d, s.len());
                    d = d.add(s.len());
                }
                return Ok(Owned::from_raw(p));
            }
            for (i, o) in items.iter().enumerate() {
                if i > 0 {
                    copy_text(d, kind, self.text());
                    d = d.add(self.len() * kind as usize);
                }
                let s = Str::from_object(o);
                copy_text(d, kind, s.text());
                d = d.add(s.len() * kind as usize);
            }
            Ok(Owned::from_raw(p))
        }
    }

    /// An instance of `cls`, a proper subclass of `str`, with the same characters.
    pub fn in_subclass(&self, cls: &Type) -> PyResult<Owned<Str>> {
        let (n, kind) = (self.len(), self.kind() as usize);
        let data = alloc::malloc((n + 1) * kind).cast::<u8>();
        if data.is_null() {
            return Err(no_memory());
        }
        // SAFETY: the new object has at least `LEGACY_SIZE` bytes; the data block has room for the characters and a NUL.
        unsafe {
            core::ptr::copy_nonoverlapping(self.data(), data, n * kind);
            core::ptr::write_bytes(data.add(n * kind), 0, kind);
            let p = match crate::typeobject::alloc(cls.tp(), 0) {
                Ok(p) => p,
                Err(e) => {
                    alloc::free(data.cast());
                    return Err(e);
                }
            };
            let c = p.cast::<PyCompactUnicodeObject>();
            (*c)._base.length = n as isize;
            (*c)._base.hash = self.hash();
            (*c)._base.state = (kind as u32) << KIND_SHIFT | READY | if self.is_ascii() { ASCII } else { 0 };
            (*c)._base.wstr = null_mut();
            (*c).wstr_length = 0;
            if self.is_ascii() {
                // The characters are their own UTF-8.
                (*c).utf8 = data.cast();
                (*c).utf8_length = n as isize;
            } else {
                (*c).utf8 = null_mut();
                (*c).utf8_length = 0;
            }
            p.cast::<u8>().add(WIDE_HEAD).cast::<*mut u8>().write(data);
            Ok(Owned::from_raw(p))
        }
    }
    /// This string as an exact `str`.
    pub fn to_exact(&self) -> Owned<Str> {
        if self.is_exact::<Str>() { self.own() } else { Str::from_text(self.text()) }
    }
}

/// The first `n` characters of a name in an error message (`%.80s`).
pub fn clip(s: &str, n: usize) -> &str {
    match s.char_indices().nth(n) {
        Some((i, _)) => &s[..i],
        None => s,
    }
}

/// `tp_dealloc`.
///
/// # Safety
/// The count of the string has just reached zero.
#[inline(always)]
pub unsafe fn dealloc(p: *mut PyObject) {
    // SAFETY: nobody else sees the string any more; every block freed here is its own.
    unsafe {
        let s = Str::from_object(Object::from_ptr(p));
        let st = s.state();
        if st & INTERNED_MASK == MORTAL {
            intern_remove(s);
        }
        if st & COMPACT != 0 {
            if st & ASCII == 0 {
                let c = p.cast::<PyCompactUnicodeObject>();
                if !(*c).utf8.is_null() {
                    alloc::free((*c).utf8.cast());
                }
            }
            if (*p).ob_type == &raw mut PyUnicode_Type {
                let size = head_size(st & ASCII != 0) + (s.len() + 1) * ((st >> KIND_SHIFT & 7) as usize);
                alloc::put(p.cast(), size);
                return;
            }
        } else {
            let c = p.cast::<PyCompactUnicodeObject>();
            let data = *p.cast::<u8>().add(WIDE_HEAD).cast::<*mut u8>();
            if !(*c).utf8.is_null() && (*c).utf8.cast::<u8>() != data {
                alloc::free((*c).utf8.cast());
            }
            if !data.is_null() {
                alloc::free(data.cast());
            }
        }
        crate::typeobject::free_instance(p);
    }
}
