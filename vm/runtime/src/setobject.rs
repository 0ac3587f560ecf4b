//! `set` and `frozenset`: the table. Their methods are in `set_methods.rs`.
//!
//! Open addressing over `(key, hash)` entries; a probe looks at up to ten neighbours before it jumps. Up to eight entries live in the object
//! itself. A removed entry holds `DUMMY` and hash -1, and keeps counting in `fill` until the next rebuild. Table sizes, probing and growth
//! are those of CPython, so that iteration meets the items in the same order there and here.

use crate::dict_table::{str_eq, str_hash};
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::exc;
use crate::slots::CompareOp;
use crate::{alloc, gc, raise, trash, typeobject};
use lh_abi::*;
use std::ptr::{NonNull, null_mut};

const LINEAR_PROBES: usize = 9;
pub(crate) const DUMMY: *mut PyObject = std::ptr::without_provenance_mut(8);

/// A set or frozenset, borrowed.
#[derive(Clone, Copy)]
pub struct AnySet<'a>(&'a Object);

/// Is it a set or a frozenset (or a subtype)?
#[inline]
pub fn is_anyset(o: &Object) -> bool {
    o.is_exact::<Set>() || o.is_exact::<FrozenSet>() || Set::check(o) || FrozenSet::check(o)
}

/// The hash of an item; for exact strings from the cache.
#[inline]
pub(crate) fn hash_item(o: &Object) -> PyResult<isize> {
    if o.is_exact::<Str>() {
        // SAFETY: an exact string.
        return Ok(unsafe { str_hash(o.as_ptr()) });
    }
    if let Some(v) = o.downcast_exact::<Int>().and_then(|i| i.compact()) {
        // Below the modulus an int hashes to itself, -1 to -2.
        return Ok(if v == -1 { -2 } else { v as isize });
    }
    o.hash_obj()
}

#[inline(always)]
fn live(e: &setentry) -> bool {
    !e.key.is_null() && e.key != DUMMY
}

/// Puts an item that is not there into a table without dummies.
unsafe fn insert_clean(table: *mut setentry, mask: usize, key: *mut PyObject, hash: isize) {
    let mut perturb = hash as usize;
    let mut i = perturb & mask;
    // SAFETY: probing stays inside the table, which has free entries.
    unsafe {
        loop {
            let mut e = table.add(i);
            let probes = if i + LINEAR_PROBES <= mask { LINEAR_PROBES } else { 0 };
            for _ in 0..=probes {
                if (*e).key.is_null() {
                    (*e).key = key;
                    (*e).hash = hash;
                    return;
                }
                e = e.add(1);
            }
            perturb >>= 5;
            i = i.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb) & mask;
        }
    }
}

impl<'a> AnySet<'a> {
    #[inline]
    pub fn of(o: &'a Object) -> Option<AnySet<'a>> {
        is_anyset(o).then_some(AnySet(o))
    }
    /// # Safety
    /// `o` is a set or frozenset.
    #[inline]
    pub unsafe fn of_unchecked(o: &'a Object) -> AnySet<'a> {
        AnySet(o)
    }
    pub fn object(self) -> &'a Object {
        self.0
    }
    #[inline(always)]
    pub(crate) fn raw(self) -> *mut PySetObject {
        self.0.as_ptr().cast()
    }
    #[inline]
    pub fn len(self) -> usize {
        // SAFETY: a live set's fields are readable.
        unsafe { (*self.raw()).used as usize }
    }
    /// The table, set up on first use (an all-zero object is an empty set).
    #[inline(always)]
    fn table(self) -> *mut setentry {
        // SAFETY: as above.
        unsafe {
            let s = self.raw();
            if (*s).table.is_null() {
                (*s).table = (&raw mut (*s).smalltable).cast();
                (*s).mask = 7;
            }
            (*s).table
        }
    }
    /// The entry of `key`, or null. May run `__eq__` of items.
    #[inline]
    fn find(self, key: &Object, hash: isize) -> PyResult<*mut setentry> {
        let e = self.find_place(key, hash)?.as_ptr();
        // SAFETY: an entry of the set's own table.
        Ok(if unsafe { (*e).key.is_null() } { null_mut() } else { e })
    }
    /// The entry of `key`, or the free one it would go to, whose key is null. May run `__eq__` of items.
    #[inline]
    fn find_place(self, key: &Object, hash: isize) -> PyResult<NonNull<setentry>> {
        // SAFETY: the table is the set's own, and has a first place for the hash.
        unsafe {
            let e = self.table().add(hash as usize & (*self.raw()).mask as usize);
            // Most sets are sparse, and most keys are the very objects that were put in.
            if (*e).key.is_null() || (*e).key == key.as_ptr() && (*e).hash == hash {
                return Ok(NonNull::new_unchecked(e));
            }
        }
        self.search(key, hash)
    }
    #[inline(never)]
    fn search(self, key: &Object, hash: isize) -> PyResult<NonNull<setentry>> {
        let k = key.as_ptr();
        let is_str = key.is_exact::<Str>();
        // SAFETY: the table is the set's own and is looked at again after each comparison.
        unsafe {
            'again: loop {
                let table = self.table();
                let mask = (*self.raw()).mask as usize;
                let mut perturb = hash as usize;
                let mut i = perturb & mask;
                loop {
                    let mut e = table.add(i);
                    let probes = if i + LINEAR_PROBES <= mask { LINEAR_PROBES } else { 0 };
                    for _ in 0..=probes {
                        let found = (*e).key;
                        if found.is_null() {
                            return Ok(NonNull::new_unchecked(e));
                        }
                        if (*e).hash == hash && found != DUMMY {
                            if found == k {
                                return Ok(NonNull::new_unchecked(e));
                            }
                            if is_str && (*found).ob_type == Str::type_ptr() {
                                if str_eq(found, k) {
                                    return Ok(NonNull::new_unchecked(e));
                                }
                            } else {
                                let held = Object::from_ptr(found).own();
                                let same = held.rich_compare_bool(key, CompareOp::Eq)?;
                                if self.table() != table
                                    || (*self.raw()).mask as usize != mask
                                    || (*e).key != found
                                {
                                    continue 'again;
                                }
                                if same {
                                    return Ok(NonNull::new_unchecked(e));
                                }
                            }
                        }
                        e = e.add(1);
                    }
                    perturb >>= 5;
                    i = i.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb) & mask;
                }
            }
        }
    }
    fn resize(self, min_used: usize) -> PyResult<()> {
        let mut size = 8usize;
        while size <= min_used {
            size <<= 1;
        }
        // SAFETY: entries move between the old and the new table; nothing runs meanwhile.
        unsafe {
            let s = self.raw();
            let old = self.table();
            let old_mask = (*s).mask as usize;
            let small: *mut setentry = (&raw mut (*s).smalltable).cast();
            let mut saved: [setentry; 8];
            let was_small = old == small;
            let mut src = old;
            let new;
            if size == 8 {
                if was_small {
                    if (*s).fill == (*s).used {
                        return Ok(());
                    }
                    saved = (*s).smalltable;
                    src = saved.as_mut_ptr();
                }
                small.write_bytes(0, 8);
                new = small;
            } else {
                new = alloc::calloc(size, size_of::<setentry>()).cast::<setentry>();
                if new.is_null() {
                    return raise!(MemoryError);
                }
            }
            for i in 0..=old_mask {
                let e = *src.add(i);
                if live(&e) {
                    insert_clean(new, size - 1, e.key, e.hash);
                }
            }
            (*s).table = new;
            (*s).mask = size as isize - 1;
            (*s).fill = (*s).used;
            if !was_small {
                alloc::free(old.cast());
            }
        }
        Ok(())
    }
    fn grown_size(self) -> usize {
        let used = self.len();
        if used > 50000 { used * 2 } else { used * 4 }
    }
    /// Adds; whether it is new.
    #[inline]
    pub fn add_hashed(self, key: &Object, hash: isize) -> PyResult<bool> {
        // No Python code runs after it. The free place is behind all dummies that were passed.
        let place = self.find_place(key, hash)?.as_ptr();
        // SAFETY: an entry of the set's own table.
        unsafe {
            if !(*place).key.is_null() {
                return Ok(false);
            }
            let s = self.raw();
            (*place).key = key.own().into_raw();
            (*place).hash = hash;
            (*s).fill += 1;
            (*s).used += 1;
            if ((*s).fill as usize) * 5 >= (*s).mask as usize * 3 {
                self.resize(self.grown_size())?;
            }
        }
        Ok(true)
    }
    #[inline]
    pub fn add(self, key: &Object) -> PyResult<bool> {
        let h = hash_item(key)?;
        self.add_hashed(key, h)
    }
    #[inline]
    pub fn contains_hashed(self, key: &Object, hash: isize) -> PyResult<bool> {
        Ok(!self.find(key, hash)?.is_null())
    }
    #[inline]
    pub fn contains(self, key: &Object) -> PyResult<bool> {
        let h = hash_item(key)?;
        self.contains_hashed(key, h)
    }
    /// Removes; whether it was there.
    pub fn discard_hashed(self, key: &Object, hash: isize) -> PyResult<bool> {
        let e = self.find(key, hash)?;
        if e.is_null() {
            return Ok(false);
        }
        // SAFETY: the entry was found after the last Python code ran.
        unsafe {
            let old = (*e).key;
            (*e).key = DUMMY;
            (*e).hash = -1;
            (*self.raw()).used -= 1;
            decref(old);
        }
        Ok(true)
    }
    pub fn discard(self, key: &Object) -> PyResult<bool> {
        let h = hash_item(key)?;
        self.discard_hashed(key, h)
    }
    /// Removes some item.
    pub fn pop(self) -> Option<Owned<Object>> {
        if self.len() == 0 {
            return None;
        }
        // SAFETY: a set with items has a live entry.
        unsafe {
            let s = self.raw();
            let (table, mask) = (self.table(), (*s).mask as usize);
            let mut i = (*s).finger as usize & mask;
            while !live(&*table.add(i)) {
                i = if i == mask { 0 } else { i + 1 };
            }
            let e = table.add(i);
            let key = (*e).key;
            (*e).key = DUMMY;
            (*e).hash = -1;
            (*s).used -= 1;
            (*s).finger = i as isize + 1;
            Some(Owned::from_raw(key))
        }
    }
    pub fn clear(self) {
        // SAFETY: the set is empty before the first destructor runs.
        unsafe {
            let s = self.raw();
            let table = self.table();
            let small: *mut setentry = (&raw mut (*s).smalltable).cast();
            let (fill, mask) = ((*s).fill, (*s).mask as usize);
            let mut saved: [setentry; 8];
            let mut src = table;
            if table == small {
                if fill == 0 {
                    return;
                }
                saved = (*s).smalltable;
                src = saved.as_mut_ptr();
            }
            small.write_bytes(0, 8);
            (*s).table = small;
            (*s).mask = 7;
            (*s).fill = 0;
            (*s).used = 0;
            (*s).hash = -1;
            for i in 0..=mask {
                let e = *src.add(i);
                if live(&e) {
                    decref(e.key);
                }
            }
            if table != small {
                alloc::free(table.cast());
            }
        }
    }
    /// The live entry at or behind `pos`, which moves past it: borrowed key and hash.
    #[inline]
    pub(crate) fn next_entry(self, pos: &mut usize) -> Option<(*mut PyObject, isize)> {
        // SAFETY: reading the set's own table.
        unsafe {
            let s = self.raw();
            if (*s).used == 0 {
                return None;
            }
            let mask = (*s).mask as usize;
            while *pos <= mask {
                let e = *(*s).table.add(*pos);
                *pos += 1;
                if live(&e) {
                    return Some((e.key, e.hash));
                }
            }
        }
        None
    }
    /// As `next_entry`, with a reference.
    pub fn next(self, pos: &mut usize) -> Option<(Owned<Object>, isize)> {
        // SAFETY: live entries hold live keys.
        self.next_entry(pos).map(|(k, h)| (unsafe { Object::from_ptr(k) }.own(), h))
    }
    pub fn items_vec(self) -> Vec<Owned<Object>> {
        let mut v = Vec::with_capacity(self.len());
        let mut pos = 0;
        while let Some((k, _)) = self.next(&mut pos) {
            v.push(k)
        }
        v
    }
    /// Adds the items of another set.
    pub fn merge(self, other: AnySet<'_>) -> PyResult<()> {
        if self.raw() == other.raw() || other.len() == 0 {
            return Ok(());
        }
        // SAFETY: both tables are live; where keys may be compared, entries are held.
        unsafe {
            let (s, o) = (self.raw(), other.raw());
            self.table();
            if ((*s).fill + (*o).used) as usize * 5 >= (*s).mask as usize * 3 {
                self.resize((self.len() + other.len()) * 2)?;
            }
            if (*s).fill == 0 {
                if (*s).mask == (*o).mask && (*o).fill == (*o).used {
                    for i in 0..=(*o).mask as usize {
                        let e = *(*o).table.add(i);
                        xincref(e.key);
                        *(*s).table.add(i) = e;
                    }
                } else {
                    let mut pos = 0;
                    while let Some((k, h)) = other.next_entry(&mut pos) {
                        incref(k);
                        insert_clean((*s).table, (*s).mask as usize, k, h);
                    }
                }
                (*s).fill = (*o).used;
                (*s).used = (*o).used;
                return Ok(());
            }
        }
        let mut pos = 0;
        while let Some((k, h)) = other.next(&mut pos) {
            self.add_hashed(&k, h)?;
        }
        Ok(())
    }
    /// Adds the items of any iterable.
    pub fn update(self, other: &Object) -> PyResult<()> {
        if let Some(o) = AnySet::of(other) {
            return self.merge(o);
        }
        if let Some(d) = other.downcast_exact::<Dict>() {
            // SAFETY: sizes of live tables.
            unsafe {
                self.table();
                let s = self.raw();
                if ((*s).fill as usize + d.len()) * 5 >= (*s).mask as usize * 3 {
                    self.resize((self.len() + d.len()) * 2)?;
                }
            }
            let mut pos = 0;
            while let Some(e) = d.next_entry(&mut pos) {
                // SAFETY: a live key, held while Python code may run.
                let k = unsafe { Object::from_ptr(e.key) }.own();
                self.add_hashed(&k, e.hash)?;
            }
            return Ok(());
        }
        other.iterator()?.drain(|k| self.add(&k).map(drop))
    }
    /// Rebuilds the table when more than a fifth of it is dummies.
    pub(crate) fn tidy(self) -> PyResult<()> {
        // SAFETY: a live set's fields are readable.
        unsafe {
            let s = self.raw();
            if ((*s).fill - (*s).used) as usize <= (*s).mask as usize / 5 {
                return Ok(());
            }
        }
        self.resize(self.grown_size())
    }
    /// Exchanges the contents of two sets.
    pub(crate) fn swap_bodies(self, other: AnySet<'_>) {
        self.table();
        other.table();
        // SAFETY: tables in the objects move with their contents; pointers to them are set anew.
        unsafe {
            let (a, b) = (self.raw(), other.raw());
            let small = |s: *mut PySetObject| -> *mut setentry { (&raw mut (*s).smalltable).cast() };
            let (a_small, b_small) = ((*a).table == small(a), (*b).table == small(b));
            std::mem::swap(&mut (*a).fill, &mut (*b).fill);
            std::mem::swap(&mut (*a).used, &mut (*b).used);
            std::mem::swap(&mut (*a).mask, &mut (*b).mask);
            std::mem::swap(&mut (*a).table, &mut (*b).table);
            std::mem::swap(&mut (*a).smalltable, &mut (*b).smalltable);
            if b_small {
                (*a).table = small(a);
            }
            if a_small {
                (*b).table = small(b);
            }
            (*a).hash = -1;
            (*b).hash = -1;
        }
    }
    pub(crate) fn traverse(self, v: &mut Visitor) {
        let mut pos = 0;
        while let Some((k, _)) = self.next_entry(&mut pos) {
            v.visit_ptr(k);
        }
    }
}

/// An empty set of a type with this layout.
pub(crate) fn alloc_set<T: Kind>(tp: *mut PyTypeObject) -> PyResult<Owned<T>> {
    // SAFETY: an all-zero set is empty; `hash` is set to "not computed".
    unsafe {
        let p = if tp == T::type_ptr() {
            let p = gc::new_builtin(tp, size_of::<PySetObject>());
            if p.is_null() {
                return raise!(MemoryError);
            }
            // Behind the object's head, which is 16 bytes long as the collector's in front of it.
            alloc::zero(p.add(1).cast(), size_of::<PySetObject>() - size_of::<PyObject>());
            gc::track(p);
            p
        } else {
            typeobject::alloc(tp, 0)?
        };
        let s = p.cast::<PySetObject>();
        (*s).hash = -1;
        (*s).mask = 7;
        (*s).table = (&raw mut (*s).smalltable).cast();
        Ok(Owned::from_raw(p))
    }
}

pub(crate) fn dealloc_set(o: *mut PyObject, exact: *mut PyTypeObject) {
    // SAFETY: called once, when the count has reached zero.
    unsafe {
        gc::untrack(o);
        if !trash::begin(o) {
            return;
        }
        let s = o.cast::<PySetObject>();
        if !(*s).weakreflist.is_null() {
            crate::weakref::clear_weakrefs(o);
        }
        if !(*s).table.is_null() {
            let (mut seen, used) = (0, (*s).used);
            let mut e = (*s).table;
            while seen < used {
                if live(&*e) {
                    seen += 1;
                    decref((*e).key);
                }
                e = e.add(1);
            }
            let small: *mut setentry = (&raw mut (*s).smalltable).cast();
            if (*s).table != small {
                alloc::free((*s).table.cast());
            }
        }
        if (*o).ob_type == exact {
            gc::free_untracked(o, size_of::<PySetObject>());
        } else {
            typeobject::free_instance(o);
        }
        trash::end();
    }
}

/// For a lookup with a `set` as key, which is not hashable: a frozenset with its items.
pub(crate) fn with_hashable<R>(key: &Object, f: impl Fn(&Object) -> PyResult<R>) -> PyResult<R> {
    match f(key) {
        Err(e) if Set::check(key) && e.matches(exc::TypeError()) => {
            e.clear();
            f(&*FrozenSet::from_iterable(key)?)
        }
        r => r,
    }
}

macro_rules! set_api {
    ($t:ident) => {
        impl $t {
            pub fn new() -> Owned<$t> {
                alloc_set($t::type_ptr()).expect("memory for a set")
            }
            pub fn from_iterable(o: &Object) -> PyResult<Owned<$t>> {
                let s = $t::new();
                s.any().update(o)?;
                Ok(s)
            }
            #[inline]
            pub fn any(&self) -> AnySet<'_> {
                AnySet(self.as_object())
            }
            pub fn len(&self) -> usize {
                self.any().len()
            }
            /// Whether it is new.
            pub fn add(&self, key: &Object) -> PyResult<bool> {
                self.any().add(key)
            }
            pub fn contains(&self, key: &Object) -> PyResult<bool> {
                self.any().contains(key)
            }
            pub fn discard(&self, key: &Object) -> PyResult<bool> {
                self.any().discard(key)
            }
            pub fn items_vec(&self) -> Vec<Owned<Object>> {
                self.any().items_vec()
            }
        }
    };
}
set_api!(Set);
set_api!(FrozenSet);
