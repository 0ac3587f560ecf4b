//! The hash table of `dict`: an index array over an append-only array of entries, so iteration order is insertion order.
//!
//! ```text
//!   Table header │ index[0 … size-1]  (1, 2 or 4 bytes each) │ entry[0 … capacity-1]  (hash, key, value)
//!                  EMPTY = -1, DUMMY = -2, else an entry number
//! ```
//! Probing is open addressing with the recurrence `i = 5 i + perturb + 1`, where `perturb` shifts in the higher hash bits. A removed
//! entry leaves a null key and a DUMMY index; a rebuild closes the gaps. A table with `all_str` has only exact strings as keys, so looking up
//! an exact string runs no Python code and cannot fail.
//!
//! `version` names the arrangement of keys: 0 means "not asked for since the last change of a key". Two tables never share a non-zero
//! version, so an inline cache that saw the version may use an entry number without looking at a key again.

use crate::alloc;
use crate::errors::*;
use crate::kinds::Str;
use crate::object::*;
use crate::raise;
use lh_abi::*;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

pub const EMPTY_IX: isize = -1;
pub const DUMMY_IX: isize = -2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Entry {
    pub hash: isize,
    pub key: *mut PyObject,
    pub value: *mut PyObject,
}

#[repr(C)]
pub struct Table {
    /// The keys' version, 0 if none is assigned.
    pub version: u32,
    pub log2_size: u8,
    /// log2 of the bytes of an index.
    pub log2_width: u8,
    /// Every key ever put in is an exact `str`.
    pub all_str: bool,
    pub _pad: u8,
    /// Entries that can still be appended.
    pub usable: usize,
    /// Entries appended so far, removed ones included.
    pub nentries: usize,
    pub entries: *mut Entry,
    /// Tells this table from an earlier one at the same address.
    pub serial: u64,
    /// The indices start here.
    pub indices: [u8; 8],
}

/// The table of all empty dicts: one EMPTY index, no room. Its version stands for "no keys at all".
static mut EMPTY_TABLE: Table = Table {
    version: 1,
    log2_size: 0,
    log2_width: 0,
    all_str: true,
    _pad: 0,
    usable: 0,
    nentries: 0,
    entries: std::ptr::null_mut(),
    serial: 0,
    indices: [0xff; 8],
};

#[inline]
pub fn empty_table() -> *mut Table {
    &raw mut EMPTY_TABLE
}

static NEXT_SERIAL: AtomicU64 = AtomicU64::new(1);
static NEXT_KEYS_VERSION: AtomicU32 = AtomicU32::new(2);

/// Entries that a table of `1 << log2` indices holds: two thirds.
#[inline]
pub fn capacity_of(log2: u8) -> usize {
    ((1usize << log2) << 1) / 3
}

/// The smallest table for `n` entries.
pub fn log2_for(n: usize) -> u8 {
    let mut log2 = 3;
    while capacity_of(log2) < n {
        log2 += 1;
    }
    log2
}

const HEAD: usize = core::mem::offset_of!(Table, indices);

/// The bytes of a table.
pub fn size_of_table(t: *const Table) -> usize {
    // SAFETY: a live table.
    unsafe {
        if t == empty_table() {
            return 0;
        }
        let ix = ((1usize << (*t).log2_size) << (*t).log2_width).next_multiple_of(8);
        HEAD + ix + capacity_of((*t).log2_size) * size_of::<Entry>()
    }
}

/// Tables of the smallest size that died, linked by their `entries`, for the next small dicts.
static mut SPARE: *mut Table = std::ptr::null_mut();
static mut SPARE_ROOM: u32 = SPARE_MOST;
const SPARE_MOST: u32 = 200;
pub const SMALLEST: u8 = 3;

/// As `alloc::keep_spare`.
pub fn keep_spare(on: bool) {
    // SAFETY: the GIL is held; spare tables are nobody's.
    unsafe {
        while !SPARE.is_null() {
            let t = SPARE;
            SPARE = (*t).entries.cast();
            alloc::free(t.cast());
        }
        SPARE_ROOM = if on { SPARE_MOST } else { 0 };
    }
}

/// A new table; `MemoryError` if there is no room.
#[inline]
pub fn new_table(log2: u8) -> PyResult<*mut Table> {
    if log2 > 31 {
        return raise!(MemoryError);
    }
    let width = if log2 <= 7 {
        0
    } else if log2 <= 15 {
        1
    } else {
        2
    };
    let ix = ((1usize << log2) << width).next_multiple_of(8);
    let cap = capacity_of(log2);
    // SAFETY: the GIL is held; spare tables are nobody's, and of the smallest size.
    let t = unsafe {
        if log2 == SMALLEST && !SPARE.is_null() {
            let t = SPARE;
            SPARE = (*t).entries.cast();
            SPARE_ROOM += 1;
            t
        } else {
            alloc::malloc(HEAD + ix + cap * size_of::<Entry>()).cast::<Table>()
        }
    };
    if t.is_null() {
        return raise!(MemoryError);
    }
    // SAFETY: the block has room for header, indices and entries; entries below `nentries` only are ever read.
    unsafe {
        (&raw mut (*t).version).write(0);
        (*t).log2_size = log2;
        (*t).log2_width = width;
        (*t).all_str = true;
        (*t)._pad = 0;
        (*t).usable = cap;
        (*t).nentries = 0;
        (*t).serial = NEXT_SERIAL.load(Ordering::Relaxed);
        NEXT_SERIAL.store((*t).serial + 1, Ordering::Relaxed);
        let p = (&raw mut (*t).indices).cast::<u8>();
        if log2 == SMALLEST {
            p.cast::<u64>().write(u64::MAX);
        } else {
            p.write_bytes(0xff, ix);
        }
        (*t).entries = p.add(ix).cast();
    }
    Ok(t)
}

/// Frees the memory of a table whose references have gone elsewhere.
///
/// # Safety
/// `t` is not used again.
pub unsafe fn free_table(t: *mut Table) {
    if t != empty_table() {
        // SAFETY: the caller's promise.
        unsafe {
            if (*t).log2_size == SMALLEST && SPARE_ROOM > 0 {
                SPARE_ROOM -= 1;
                (*t).entries = SPARE.cast();
                SPARE = t;
            } else {
                alloc::free(t.cast())
            }
        }
    }
}

/// # Safety
/// `t` is live and `i` below its size.
#[inline(always)]
pub unsafe fn index_at(t: *const Table, i: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe {
        let p = (&raw const (*t).indices).cast::<u8>();
        match (*t).log2_width {
            0 => *p.cast::<i8>().add(i) as isize,
            1 => *p.cast::<i16>().add(i) as isize,
            _ => *p.cast::<i32>().add(i) as isize,
        }
    }
}

/// # Safety
/// As `index_at`; the table is not the shared empty one.
#[inline(always)]
pub unsafe fn set_index(t: *mut Table, i: usize, v: isize) {
    // SAFETY: the caller's promise.
    unsafe {
        let p = (&raw mut (*t).indices).cast::<u8>();
        match (*t).log2_width {
            0 => *p.cast::<i8>().add(i) = v as i8,
            1 => *p.cast::<i16>().add(i) = v as i16,
            _ => *p.cast::<i32>().add(i) = v as i32,
        }
    }
}

/// The probe sequence of a hash.
#[derive(Clone, Copy)]
pub struct Probe {
    pub i: usize,
    mask: usize,
    perturb: usize,
}
impl Probe {
    /// # Safety
    /// `t` is live.
    #[inline(always)]
    pub unsafe fn new(t: *const Table, hash: isize) -> Probe {
        // SAFETY: the caller's promise.
        let mask = (1usize << unsafe { (*t).log2_size }) - 1;
        Probe { i: hash as usize & mask, mask, perturb: hash as usize }
    }
    #[inline(always)]
    pub fn step(&mut self) {
        self.perturb >>= 5;
        self.i = (self.i.wrapping_mul(5).wrapping_add(self.perturb).wrapping_add(1)) & self.mask;
    }
}

/// The hash of an exact string, from its cache if it is there.
///
/// # Safety
/// `s` is a live exact `str`.
#[inline(always)]
pub unsafe fn str_hash(s: *mut PyObject) -> isize {
    // SAFETY: the caller's promise.
    unsafe {
        let h = (*s.cast::<PyASCIIObject>()).hash;
        if h != -1 { h } else { Object::from_ptr(s).downcast_unchecked::<Str>().hash() }
    }
}

/// Are two exact strings with equal hashes equal?
///
/// # Safety
/// Both are live exact `str`s.
#[inline]
pub unsafe fn str_eq(a: *mut PyObject, b: *mut PyObject) -> bool {
    // SAFETY: the caller's promise; a compact string's characters follow its head (48 bytes for ASCII, 72 otherwise).
    unsafe {
        let (x, y) = (a.cast::<PyASCIIObject>(), b.cast::<PyASCIIObject>());
        if (*x).length != (*y).length {
            return false;
        }
        // state bits: interned 0-1, kind 2-4, compact 5, ascii 6
        let (s, t) = ((*x).state, (*y).state);
        if s & t & (1 << 5) == 0 {
            return Object::from_ptr(a)
                .downcast_unchecked::<Str>()
                .equals(Object::from_ptr(b).downcast_unchecked());
        }
        if (s ^ t) & (0b101_1100) != 0 {
            return false;
        }
        let head = if s & (1 << 6) != 0 { 48 } else { 72 };
        let n = (*x).length as usize * ((s >> 2) & 7) as usize;
        let p = std::slice::from_raw_parts(a.cast::<u8>().add(head), n);
        p == std::slice::from_raw_parts(b.cast::<u8>().add(head), n)
    }
}

/// Finds an exact string in a table of exact strings: its entry number or EMPTY. Runs no Python code.
///
/// # Safety
/// `t` is a live table with `all_str`, `key` an exact string with this hash.
#[inline]
pub unsafe fn lookup_str(t: *const Table, key: *mut PyObject, hash: isize) -> isize {
    // SAFETY: the caller's promise.
    unsafe {
        let entries = (*t).entries;
        let mut p = Probe::new(t, hash);
        loop {
            let ix = index_at(t, p.i);
            if ix >= 0 {
                let e = entries.add(ix as usize);
                if (*e).key == key || ((*e).hash == hash && str_eq((*e).key, key)) {
                    return ix;
                }
            } else if ix == EMPTY_IX {
                return EMPTY_IX;
            }
            p.step();
        }
    }
}

/// The index position that holds entry `ix` whose key has `hash`.
///
/// # Safety
/// `t` is live and the entry is in it.
pub unsafe fn slot_of(t: *const Table, hash: isize, ix: isize) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        let mut p = Probe::new(t, hash);
        while index_at(t, p.i) != ix {
            p.step();
        }
        p.i
    }
}

/// Appends an entry whose key is not in the table; there is room. The references move into the table.
///
/// # Safety
/// `t` is live, not shared, with `usable > 0`.
#[inline]
pub unsafe fn append(t: *mut Table, hash: isize, key: *mut PyObject, value: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut p = Probe::new(t, hash);
        while index_at(t, p.i) >= 0 {
            p.step();
        }
        let n = (*t).nentries;
        set_index(t, p.i, n as isize);
        (*t).entries.add(n).write(Entry { hash, key, value });
        (*t).nentries = n + 1;
        (*t).usable -= 1;
    }
}

/// A new table of `1 << log2` indices with the live entries of `old`, whose references move.
///
/// # Safety
/// `old` is live and holds at most `capacity_of(log2)` live entries; it is freed without dropping references by the caller.
pub unsafe fn rebuilt(old: *const Table, log2: u8) -> PyResult<*mut Table> {
    let t = new_table(log2)?;
    // SAFETY: the caller's promise.
    unsafe {
        (*t).all_str = (*old).all_str;
        let mut n = 0;
        for i in 0..(*old).nentries {
            let e = *(*old).entries.add(i);
            if e.value.is_null() {
                continue;
            }
            (*t).entries.add(n).write(e);
            let mut p = Probe::new(t, e.hash);
            while index_at(t, p.i) != EMPTY_IX {
                p.step();
            }
            set_index(t, p.i, n as isize);
            n += 1;
        }
        (*t).nentries = n;
        (*t).usable -= n;
    }
    Ok(t)
}

/// The table's version, assigned now if need be.
///
/// # Safety
/// `t` is live.
pub unsafe fn version(t: *mut Table) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        if (*t).version == 0 {
            let v = NEXT_KEYS_VERSION.fetch_add(1, Ordering::Relaxed);
            // After wrapping round, an old cache could meet a reused number: stop the program's caches instead of lying.
            assert!(v != 0, "more than 2^32 versions of dict keys");
            (*t).version = v;
        }
        (*t).version
    }
}
