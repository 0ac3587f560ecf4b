//! `dict`: the object, its versions and its methods. The table is in `dict_table.rs`, views and iterators in `dict_views.rs`.
//!
//! - `ma_used` and `ma_version_tag` are CPython's fields. The version advances in steps of 256 on every change; its low 8 bits are
//!   *watch bits*, which stay. Before a watched dict changes, `WATCH` is called with the key (or `None`: any key).
//! - A new dict is untracked by the cycle collector until it gets a key or value whose type has a GC head.
//! - Comparing keys may run Python code that changes the dict: a lookup starts again when table or entry are not what they were.

use crate::dict_table::*;
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{StrBuilder, exc, ready};
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::{gc, intern, pymethods, raise, reprguard, trash, typeobject};
use lh_abi::*;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Called before a watched dict changes: the key that will change, `None` for all of them (also when the dict dies).
pub static WATCH: OnceLock<fn(&Dict, Option<&Object>)> = OnceLock::new();

static NEXT_VERSION: AtomicU64 = AtomicU64::new(256);

#[inline(always)]
fn next_version() -> u64 {
    // Only the holder of the GIL comes here: load and store need not be one step.
    let v = NEXT_VERSION.load(Ordering::Relaxed) + 256;
    NEXT_VERSION.store(v, Ordering::Relaxed);
    v
}

/// The hash of a key; for exact strings from the cache.
#[inline(always)]
pub fn hash_key(key: &Object) -> PyResult<isize> {
    if key.is_exact::<Str>() {
        // SAFETY: an exact string.
        return Ok(unsafe { str_hash(key.as_ptr()) });
    }
    key.hash_obj()
}

/// Raises `KeyError(key)`.
#[cold]
pub fn key_error(key: &Object) -> Raised {
    // What normalising would take apart is wrapped.
    let v = if key.is_none() || Tuple::check(key) || Exception::check(key) {
        Tuple::from_refs(&[key]).into_object()
    } else {
        key.own()
    };
    set_object(exc::KeyError(), Some(v))
}

#[inline(always)]
fn may_be_tracked(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { gc::may_be_tracked(o) }
}

impl Dict {
    pub fn new() -> Owned<Dict> {
        // SAFETY: a new dict with the shared empty table.
        unsafe {
            let p = gc::new_builtin(Dict::type_ptr(), size_of::<PyDictObject>());
            assert!(!p.is_null(), "out of memory");
            let d = p.cast::<PyDictObject>();
            (*d).ma_used = 0;
            (*d).ma_version_tag = next_version();
            (*d).ma_keys = empty_table().cast();
            (*d).ma_values = null_mut();
            Owned::from_raw(p)
        }
    }
    /// An empty dict with room for `n` entries.
    pub fn with_capacity(n: usize) -> Owned<Dict> {
        let d = Dict::new();
        if n > 0 {
            let t = new_table(log2_for(n)).expect("memory for a dict");
            // SAFETY: the empty table holds no references.
            unsafe { (*d.as_struct()).ma_keys = t.cast() };
        }
        d
    }
    /// A new instance of `cls`, a subtype of `dict`.
    pub fn alloc_in(cls: &Type) -> PyResult<Owned<Dict>> {
        if cls.tp() == Dict::type_ptr() {
            return Ok(Dict::new());
        }
        // SAFETY: the allocated object is all zero but for its head.
        unsafe {
            let p = typeobject::alloc(cls.tp(), 0)?;
            let d = p.cast::<PyDictObject>();
            (*d).ma_keys = empty_table().cast();
            (*d).ma_version_tag = next_version();
            Ok(Owned::from_raw(p))
        }
    }
    /// The table; it changes with the dict.
    #[inline(always)]
    pub fn table(&self) -> *mut Table {
        // SAFETY: a live dict's fields are readable.
        unsafe { (*self.as_struct()).ma_keys.cast() }
    }
    #[inline(always)]
    pub fn len(&self) -> usize {
        // SAFETY: as above.
        unsafe { (*self.as_struct()).ma_used as usize }
    }
    fn set_used(&self, n: usize) {
        // SAFETY: as above.
        unsafe { (*self.as_struct()).ma_used = n as isize }
    }
    /// Sets a watch bit (0..8): `WATCH` is called before each change from now on.
    pub fn watch(&self, bit: u32) {
        // SAFETY: as above.
        unsafe { (*self.as_struct()).ma_version_tag |= 1 << (bit & 7) }
    }
    pub fn unwatch(&self, bit: u32) {
        // SAFETY: as above.
        unsafe { (*self.as_struct()).ma_version_tag &= !(1 << (bit & 7)) }
    }
    pub fn version_tag(&self) -> u64 {
        // SAFETY: as above.
        unsafe { (*self.as_struct()).ma_version_tag }
    }
    /// Tells the watchers and advances the version: to be called right before each change.
    #[inline(always)]
    pub fn will_change(&self, key: Option<&Object>) {
        // SAFETY: as above.
        unsafe {
            let s = self.as_struct();
            if (*s).ma_version_tag & 0xff != 0 {
                self.tell(key);
            }
            (*s).ma_version_tag = next_version() | ((*s).ma_version_tag & 0xff);
        }
    }
    #[cold]
    fn tell(&self, key: Option<&Object>) {
        if let Some(f) = WATCH.get() {
            f(self, key)
        }
    }
    #[inline(always)]
    fn keys_changed(&self) {
        // SAFETY: never the shared empty table, which has no keys to change.
        unsafe { (*self.table()).version = 0 }
    }
    #[inline(always)]
    fn track_for(&self, a: *mut PyObject, b: *mut PyObject) {
        if may_be_tracked(b) || may_be_tracked(a) {
            self.ensure_tracked()
        }
    }
    /// Can neither keys nor values be part of a cycle?
    pub(crate) fn is_atomic(&self) -> bool {
        let t = self.table();
        // SAFETY: the dict's own table; a live entry has key and value.
        unsafe {
            (0..(*t).nentries).all(|i| {
                let e = (*t).entries.add(i);
                (*e).value.is_null() || !may_be_tracked((*e).value) && !may_be_tracked((*e).key)
            })
        }
    }
    fn ensure_tracked(&self) {
        // SAFETY: a live collectable object.
        unsafe {
            if !gc::is_tracked(self.as_ptr()) {
                gc::track(self.as_ptr())
            }
        }
    }

    // ---- Lookup ----

    /// The entry number of `key`, or EMPTY. May run `__eq__` of keys.
    #[inline]
    pub fn lookup(&self, key: &Object, hash: isize) -> PyResult<isize> {
        let t = self.table();
        // SAFETY: the dict's own table.
        unsafe {
            if (*t).all_str && key.is_exact::<Str>() {
                return Ok(lookup_str(t, key.as_ptr(), hash));
            }
        }
        self.lookup_any(key, hash)
    }
    /// What the place of the key's hash tells: its entry, null if there is none. `None`: that place alone doesn't tell, or the key is
    /// no exact string with a known hash. Nothing runs.
    ///
    /// # Safety
    /// `key` is null or a live object.
    #[inline(always)]
    pub unsafe fn first_look(&self, key: *mut PyObject) -> Option<*mut Entry> {
        // SAFETY: the caller's promise; the dict's own table.
        unsafe {
            if key.is_null() || (*key).ob_type != Str::type_ptr() {
                return None;
            }
            let hash = (*key.cast::<PyASCIIObject>()).hash;
            if hash == -1 {
                return None;
            }
            let t = self.table();
            let ix = index_at(t, Probe::new(t, hash).i);
            if ix >= 0 {
                let e = (*t).entries.add(ix as usize);
                return if (*e).key == key { Some(e) } else { None };
            }
            if ix == EMPTY_IX { Some(null_mut()) } else { None }
        }
    }
    /// As `first_look`: the value, which stays the dict's.
    ///
    /// # Safety
    /// As `first_look`.
    #[inline(always)]
    pub unsafe fn first_value(&self, key: *mut PyObject) -> Option<*mut PyObject> {
        // SAFETY: the caller's promise.
        unsafe {
            let e = self.first_look(key)?;
            Some(if e.is_null() { null_mut() } else { (*e).value })
        }
    }
    /// As `first_look`: replaces the value of a key that is there, and gives the old one to the caller (null: it was the same).
    ///
    /// # Safety
    /// As `first_look`; `value` is a live object.
    #[inline(always)]
    pub unsafe fn first_replace(&self, key: *mut PyObject, value: *mut PyObject) -> Option<*mut PyObject> {
        // SAFETY: the caller's promise.
        unsafe {
            let e = self.first_look(key)?;
            if e.is_null() {
                return None;
            }
            let old = (*e).value;
            if old == value {
                return Some(null_mut());
            }
            let s = self.as_struct();
            if (*s).ma_version_tag & 0xff != 0 || may_be_tracked(value) && !gc::is_tracked(s.cast()) {
                return None;
            }
            (*s).ma_version_tag = next_version();
            incref(value);
            (*e).value = value;
            Some(old)
        }
    }
    #[inline(never)]
    fn lookup_any(&self, key: &Object, hash: isize) -> PyResult<isize> {
        let k = key.as_ptr();
        // SAFETY: entries are read before any call and the table is checked after it; the compared key is held meanwhile.
        unsafe {
            'again: loop {
                let t = self.table();
                let mut p = Probe::new(t, hash);
                loop {
                    let ix = index_at(t, p.i);
                    if ix >= 0 {
                        let e = (*t).entries.add(ix as usize);
                        let found = (*e).key;
                        if found == k {
                            return Ok(ix);
                        }
                        if (*e).hash == hash {
                            let both_str =
                                (*found).ob_type == Str::type_ptr() && (*k).ob_type == Str::type_ptr();
                            if both_str {
                                if str_eq(found, k) {
                                    return Ok(ix);
                                }
                            } else {
                                let held = Object::from_ptr(found).own();
                                let same = held.rich_compare_bool(key, CompareOp::Eq)?;
                                if self.table() != t || (*e).key != found {
                                    continue 'again;
                                }
                                if same {
                                    return Ok(ix);
                                }
                            }
                        }
                    } else if ix == EMPTY_IX {
                        return Ok(EMPTY_IX);
                    }
                    p.step();
                }
            }
        }
    }
    fn value_of(&self, ix: isize) -> Option<Owned<Object>> {
        if ix < 0 {
            return None;
        }
        // SAFETY: `ix` comes from a lookup after which nothing ran.
        unsafe { Some(Object::from_ptr((*(*self.table()).entries.add(ix as usize)).value).own()) }
    }
    pub fn get_item(&self, key: &Object) -> PyResult<Option<Owned<Object>>> {
        let h = hash_key(key)?;
        Ok(self.value_of(self.lookup(key, h)?))
    }
    pub fn get_item_known_hash(&self, key: &Object, hash: isize) -> PyResult<Option<Owned<Object>>> {
        Ok(self.value_of(self.lookup(key, hash)?))
    }
    /// A list of what `f` makes of each entry. It must not run anything that could change the dict.
    #[inline(always)]
    pub fn list_of(&self, f: impl Fn(&Object, &Object) -> Owned<Object>) -> PyResult<Owned<List>> {
        let l = List::with_capacity(self.len());
        let mut pos = 0;
        while let Some((k, v)) = self.next_borrowed(&mut pos) {
            // SAFETY: live objects of this dict; there is room, but for a tuple a collection might have begun.
            unsafe {
                let o = f(Object::from_ptr(k), Object::from_ptr(v));
                if l.has_room() { l.push_unchecked(o.into_raw()) } else { l.try_push(o)? }
            }
        }
        Ok(l)
    }
    /// A borrowed value, as `PyDict_GetItemWithError` gives it.
    ///
    /// # Safety
    /// The value may go away with the next change of the dict.
    #[inline]
    pub unsafe fn get_item_borrowed(&self, key: &Object) -> PyResult<Option<*mut PyObject>> {
        let h = hash_key(key)?;
        // SAFETY: the caller's promise.
        unsafe { self.get_item_borrowed_known_hash(key, h) }
    }
    /// The same for a key whose hash is known.
    ///
    /// # Safety
    /// The value may go away with the next change of the dict.
    pub unsafe fn get_item_borrowed_known_hash(
        &self,
        key: &Object,
        hash: isize,
    ) -> PyResult<Option<*mut PyObject>> {
        let ix = self.lookup(key, hash)?;
        // SAFETY: `ix` comes from a lookup after which nothing ran.
        Ok((ix >= 0).then(|| unsafe { (*(*self.table()).entries.add(ix as usize)).value }))
    }
    /// Lookup by an exact string key: never runs Python code and never raises if all keys are strings.
    #[inline]
    pub fn get_str_key(&self, key: &Str) -> PyResult<Option<Owned<Object>>> {
        self.get_item(key)
    }
    pub fn get_str(&self, key: &str) -> PyResult<Option<Owned<Object>>> {
        if self.len() == 0 {
            return Ok(None);
        }
        self.get_item(&Str::new(key))
    }
    pub fn contains(&self, key: &Object) -> PyResult<bool> {
        let h = hash_key(key)?;
        Ok(self.lookup(key, h)? >= 0)
    }

    // ---- Changes ----

    /// Makes room for at least one more entry.
    #[cold]
    #[inline(never)]
    fn grow(&self) -> PyResult<()> {
        let used = self.len();
        // Room for three times what lives: a table full of removed entries shrinks here.
        let mut log2 = 3;
        while (1usize << log2) < used * 3 {
            log2 += 1;
        }
        self.rebuild(log2)
    }
    fn rebuild(&self, log2: u8) -> PyResult<()> {
        let old = self.table();
        // SAFETY: the references move to the new table.
        unsafe {
            let t = rebuilt(old, log2)?;
            (*self.as_struct()).ma_keys = t.cast();
            free_table(old);
        }
        Ok(())
    }
    #[inline]
    fn insert_new(&self, key: &Object, hash: isize, value: &Object) -> PyResult<()> {
        self.will_change(Some(key));
        // SAFETY: the dict's own table; no Python code runs until the entry is complete.
        unsafe {
            if (*self.table()).usable == 0 {
                if self.table() == empty_table() {
                    (*self.as_struct()).ma_keys = new_table(SMALLEST)?.cast();
                } else {
                    self.grow()?;
                }
            }
            let t = self.table();
            if !key.is_exact::<Str>() {
                (*t).all_str = false;
            }
            self.track_for(key.as_ptr(), value.as_ptr());
            append(t, hash, key.own().into_raw(), value.own().into_raw());
            (*t).version = 0;
        }
        self.set_used(self.len() + 1);
        Ok(())
    }
    #[inline]
    fn replace_at(&self, ix: usize, key: &Object, value: &Object) {
        // SAFETY: `ix` comes from a lookup after which nothing ran; the old value is dropped when the new one is in place.
        unsafe {
            let slot = &raw mut (*(*self.table()).entries.add(ix)).value;
            if *slot == value.as_ptr() {
                return;
            }
            self.will_change(Some(key));
            if may_be_tracked(value.as_ptr()) {
                self.ensure_tracked();
            }
            let old = std::mem::replace(&mut *slot, value.own().into_raw());
            decref(old);
        }
    }
    pub fn set_item_known_hash(&self, key: &Object, hash: isize, value: &Object) -> PyResult<()> {
        let ix = self.lookup(key, hash)?;
        if ix >= 0 {
            self.replace_at(ix as usize, key, value);
            return Ok(());
        }
        self.insert_new(key, hash, value)
    }
    /// Adds or replaces; does not take over the references.
    pub fn set_item(&self, key: &Object, value: &Object) -> PyResult<()> {
        let h = hash_key(key)?;
        self.set_item_known_hash(key, h, value)
    }
    pub fn set_str(&self, key: &str, value: &Object) -> PyResult<()> {
        let k = Str::intern(Str::new(key));
        self.set_item(&k, value)
    }
    /// Takes a live entry out; its key is dropped, its value returned.
    ///
    /// # Safety
    /// `ix` is a live entry of the current table whose key has this hash.
    pub(crate) unsafe fn take_entry(&self, ix: usize, hash: isize) -> Owned<Object> {
        self.take_at(ix, hash)
    }
    /// For the `tp_traverse` of subtypes with this table.
    pub(crate) fn trace_entries(&self, v: &mut Visitor) {
        self.traverse(v)
    }
    /// Takes entry `ix` out; its key is dropped, its value returned.
    fn take_at(&self, ix: usize, hash: isize) -> Owned<Object> {
        // SAFETY: `ix` comes from a lookup after which nothing ran.
        unsafe {
            let e = (*self.table()).entries.add(ix);
            let held = Object::from_ptr((*e).key).own();
            self.will_change(Some(&held));
            let t = self.table();
            let e = (*t).entries.add(ix);
            set_index(t, slot_of(t, hash, ix as isize), DUMMY_IX);
            let (k, v) = ((*e).key, (*e).value);
            (*e).key = null_mut();
            (*e).value = null_mut();
            self.set_used(self.len() - 1);
            self.keys_changed();
            let v = Owned::from_raw(v);
            decref(k);
            v
        }
    }
    /// Whether the key was there.
    pub fn del_item(&self, key: &Object) -> PyResult<bool> {
        Ok(self.pop(key)?.is_some())
    }
    pub fn pop(&self, key: &Object) -> PyResult<Option<Owned<Object>>> {
        if self.len() == 0 {
            return Ok(None);
        }
        let h = hash_key(key)?;
        self.pop_known_hash(key, h)
    }
    pub fn pop_known_hash(&self, key: &Object, hash: isize) -> PyResult<Option<Owned<Object>>> {
        let ix = self.lookup(key, hash)?;
        Ok(if ix < 0 { None } else { Some(self.take_at(ix as usize, hash)) })
    }
    pub fn set_default(&self, key: &Object, value: &Object) -> PyResult<Owned<Object>> {
        let h = hash_key(key)?;
        let ix = self.lookup(key, h)?;
        if let Some(v) = self.value_of(ix) {
            return Ok(v);
        }
        self.insert_new(key, h, value)?;
        Ok(value.own())
    }
    /// Removes and returns the last entry.
    pub fn pop_last(&self) -> Option<(Owned<Object>, Owned<Object>)> {
        if self.len() == 0 {
            return None;
        }
        // SAFETY: the dict's own table; a non-empty dict has a live entry.
        unsafe {
            let t = self.table();
            let mut i = (*t).nentries - 1;
            while (*(*t).entries.add(i)).value.is_null() {
                i -= 1;
            }
            let e = *(*t).entries.add(i);
            self.will_change(Some(Object::from_ptr(e.key)));
            let t = self.table();
            set_index(t, slot_of(t, e.hash, i as isize), DUMMY_IX);
            (*t).nentries = i;
            self.set_used(self.len() - 1);
            self.keys_changed();
            Some((Owned::from_raw(e.key), Owned::from_raw(e.value)))
        }
    }
    pub fn clear(&self) {
        let t = self.table();
        if t == empty_table() || t.is_null() {
            return;
        }
        self.will_change(None);
        // SAFETY: the dict is empty before the first destructor runs; the old table's references are dropped once.
        unsafe {
            let t = self.table();
            (*self.as_struct()).ma_keys = empty_table().cast();
            self.set_used(0);
            drop_table(t);
        }
    }
    pub fn copy(&self) -> Owned<Dict> {
        let d = Dict::new();
        d.clone_from_dict(self).expect("memory for a dict");
        d
    }
    /// Fills an empty dict with the entries of another.
    fn clone_from_dict(&self, other: &Dict) -> PyResult<()> {
        let (t, used) = (other.table(), other.len());
        if used == 0 {
            return Ok(());
        }
        // SAFETY: both tables are live; copying entries and counting runs no Python code.
        unsafe {
            let n = (*t).nentries;
            let new = if used == n {
                let c = new_table((*t).log2_size)?;
                let bytes = ((1usize << (*t).log2_size) << (*t).log2_width).next_multiple_of(8);
                std::ptr::copy_nonoverlapping(
                    (&raw const (*t).indices).cast::<u8>(),
                    (&raw mut (*c).indices).cast(),
                    bytes,
                );
                std::ptr::copy_nonoverlapping((*t).entries, (*c).entries, n);
                (*c).nentries = n;
                (*c).usable = (*t).usable;
                (*c).all_str = (*t).all_str;
                c
            } else {
                rebuilt(t, log2_for(used))?
            };
            for i in 0..(*new).nentries {
                let e = (*new).entries.add(i);
                incref((*e).key);
                incref((*e).value);
            }
            self.will_change(None);
            let old = self.table();
            (*self.as_struct()).ma_keys = new.cast();
            self.set_used(used);
            free_table(old);
            if gc::is_tracked(other.as_ptr()) {
                self.ensure_tracked();
            }
        }
        Ok(())
    }
    /// Adds the entries of another dict; existing keys are replaced if `replace`.
    pub fn merge_dict(&self, other: &Dict, replace: bool) -> PyResult<()> {
        if self.as_ptr() == other.as_ptr() || other.len() == 0 {
            return Ok(());
        }
        // SAFETY: the tables are the dicts' own; entries are held while Python code may run.
        unsafe {
            if self.len() == 0 && self.table() == empty_table() {
                return self.clone_from_dict(other);
            }
            if (*self.table()).usable < other.len() && (*self.table()).usable * 2 < other.len() * 3 {
                self.rebuild(log2_for(self.len() + other.len()))?;
            }
            let n = (*other.table()).nentries;
            let mut i = 0;
            while i < n {
                let t = other.table();
                let e = *(*t).entries.add(i);
                i += 1;
                if e.value.is_null() {
                    continue;
                }
                let (k, v) = (Object::from_ptr(e.key).own(), Object::from_ptr(e.value).own());
                let ix = self.lookup(&k, e.hash)?;
                if ix < 0 {
                    self.insert_new(&k, e.hash, &v)?;
                } else if replace {
                    self.replace_at(ix as usize, &k, &v);
                }
                if (*other.table()).nentries != n {
                    return raise!(RuntimeError, "dict mutated during update");
                }
            }
        }
        Ok(())
    }
    /// Adds the items of any mapping (something with `keys()`).
    pub fn merge(&self, other: &Object, replace: bool) -> PyResult<()> {
        if let Some(d) = other.downcast::<Dict>() {
            // SAFETY: comparing slot pointers of live types.
            let plain = unsafe { (*d.ob_type()).tp_iter == (*Dict::type_ptr()).tp_iter };
            if plain {
                return self.merge_dict(d, replace);
            }
        }
        let keys = other.call_method("keys", &[])?;
        let it = keys.iterator()?;
        while let Some(k) = it.iter_next()? {
            if !replace && self.contains(&k)? {
                continue;
            }
            let v = other.get_item(&k)?;
            self.set_item(&k, &v)?;
        }
        Ok(())
    }
    /// Adds the items of an iterable of pairs.
    pub fn merge_pairs(&self, pairs: &Object, replace: bool) -> PyResult<()> {
        let it = pairs.iterator()?;
        let mut i = 0usize;
        while let Some(item) = it.iter_next()? {
            let fast = match item.downcast_exact::<Tuple>() {
                Some(t) if t.len() == 2 => Some((t.get(0), t.get(1))),
                _ => None,
            };
            let (k, v) = match fast {
                Some(kv) => kv,
                None => {
                    let mut v = match item.to_items() {
                        Ok(v) => v,
                        Err(e) if e.matches(exc::TypeError()) => {
                            e.clear();
                            return raise!(
                                TypeError,
                                "cannot convert dictionary update sequence element #{} to a sequence",
                                i
                            );
                        }
                        Err(e) => return Err(e),
                    };
                    if v.len() != 2 {
                        return raise!(
                            ValueError,
                            "dictionary update sequence element #{} has length {}; 2 is required",
                            i,
                            v.len()
                        );
                    }
                    let b = v.pop().expect("two");
                    (v.pop().expect("two"), b)
                }
            };
            if replace {
                self.set_item(&k, &v)?;
            } else {
                self.set_default(&k, &v)?;
            }
            i += 1;
        }
        Ok(())
    }
    /// `self.update(other)` for a mapping or an iterable of pairs.
    pub fn update(&self, other: &Object) -> PyResult<()> {
        if other.is_exact::<Dict>() {
            return self.merge(other, true);
        }
        if other.get_attr_opt(intern!("keys"))?.is_some() {
            self.merge(other, true)
        } else {
            self.merge_pairs(other, true)
        }
    }
    pub(crate) fn update_common(&self, args: &Tuple, kw: Option<&Dict>, who: &str) -> PyResult<()> {
        if args.len() > 1 {
            return raise!(TypeError, "{} expected at most 1 argument, got {}", who, args.len());
        }
        if args.len() == 1 {
            self.update(args.item_ref(0))?;
        }
        if let Some(kw) = kw
            && kw.len() > 0
        {
            let mut pos = 0;
            while let Some((k, _)) = kw.next(&mut pos) {
                if !Str::check(&k) {
                    return raise!(TypeError, "keywords must be strings");
                }
            }
            self.merge(kw, true)?;
        }
        Ok(())
    }

    // ---- Iteration ----

    /// Iteration that tolerates changes: `pos` starts at 0.
    pub fn next(&self, pos: &mut usize) -> Option<(Owned<Object>, Owned<Object>)> {
        // SAFETY: entries below `nentries` are initialised; the references are counted before anything runs.
        unsafe {
            let t = self.table();
            while *pos < (*t).nentries {
                let e = *(*t).entries.add(*pos);
                *pos += 1;
                if !e.value.is_null() {
                    return Some((Object::from_ptr(e.key).own(), Object::from_ptr(e.value).own()));
                }
            }
        }
        None
    }
    /// As `next`, borrowed: the pointers are good as long as the dict isn't changed.
    #[inline]
    pub fn next_borrowed(&self, pos: &mut usize) -> Option<(*mut PyObject, *mut PyObject)> {
        self.next_entry(pos).map(|e| (e.key, e.value))
    }
    /// The live entry at or behind `pos`, which moves past it. Copies, without counts.
    #[inline]
    pub(crate) fn next_entry(&self, pos: &mut usize) -> Option<Entry> {
        // SAFETY: entries below `nentries` are initialised.
        unsafe {
            let t = self.table();
            while *pos < (*t).nentries {
                let e = *(*t).entries.add(*pos);
                *pos += 1;
                if !e.value.is_null() {
                    return Some(e);
                }
            }
        }
        None
    }
    pub fn items_vec(&self) -> Vec<(Owned<Object>, Owned<Object>)> {
        let mut v = Vec::with_capacity(self.len());
        let mut pos = 0;
        while let Some(kv) = self.next(&mut pos) {
            v.push(kv)
        }
        v
    }
    pub fn keys_vec(&self) -> Vec<Owned<Object>> {
        let mut v = Vec::with_capacity(self.len());
        let mut pos = 0;
        while let Some(e) = self.next_entry(&mut pos) {
            // SAFETY: a live key.
            v.push(unsafe { Object::from_ptr(e.key) }.own())
        }
        v
    }
    pub fn values_vec(&self) -> Vec<Owned<Object>> {
        let mut v = Vec::with_capacity(self.len());
        let mut pos = 0;
        while let Some(e) = self.next_entry(&mut pos) {
            // SAFETY: a live value.
            v.push(unsafe { Object::from_ptr(e.value) }.own())
        }
        v
    }

    // ---- For inline caches ----

    /// The table's entry index of a string key, for inline caches; valid while `keys_version()` is unchanged.
    pub fn index_of(&self, key: &Str) -> Option<usize> {
        if !key.is_exact::<Str>() {
            return None;
        }
        // SAFETY: the dict's own table; an exact string.
        let ix = unsafe {
            let t = self.table();
            if !(*t).all_str {
                return None;
            }
            lookup_str(t, key.as_ptr(), str_hash(key.as_ptr()))
        };
        usize::try_from(ix).ok()
    }
    /// A number that changes whenever a key is added, removed or moves (not when a value is replaced). Never 0.
    pub fn keys_version(&self) -> u32 {
        // SAFETY: the dict's own table.
        unsafe { version(self.table()) }
    }
    /// The value at an entry index got from `index_of` under the same `keys_version()`.
    pub fn value_at(&self, index: usize) -> Option<&Object> {
        // SAFETY: entries below `nentries` are initialised.
        unsafe {
            let t = self.table();
            if index >= (*t).nentries {
                return None;
            }
            Object::from_ptr_opt((*(*t).entries.add(index)).value)
        }
    }
    /// Where the value of an entry lies, for reading through an inline cache. Whoever writes through it calls `will_change` first.
    pub fn value_ptr_at(&self, index: usize) -> *mut *mut PyObject {
        // What is written through the pointer is not looked at here, so the dict is tracked from now on.
        self.ensure_tracked();
        // SAFETY: the index is inside the entries (see `index_of`).
        unsafe { &raw mut (*(*self.table()).entries.add(index)).value }
    }
    /// Replaces the value of an entry found by `index_of` under the same `keys_version()`.
    pub fn set_value_at(&self, index: usize, value: &Object) {
        // SAFETY: the index is inside the entries.
        let key = unsafe { Object::from_ptr((*(*self.table()).entries.add(index)).key) };
        self.replace_at(index, key, value)
    }
    /// Are all keys exact strings?
    pub fn keys_are_strings(&self) -> bool {
        // SAFETY: the dict's own table.
        unsafe { (*self.table()).all_str }
    }
}

/// Drops all references of a table that no dict refers to any more, and frees it.
unsafe fn drop_table(t: *mut Table) {
    // SAFETY: the caller's promise.
    unsafe {
        for i in 0..(*t).nentries {
            let e = *(*t).entries.add(i);
            if !e.value.is_null() {
                decref(e.key);
                decref(e.value);
            }
        }
        free_table(t);
    }
}

#[pymethods(extra = more_slots)]
impl Dict {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Dict>> {
        Dict::alloc_in(cls)
    }
    #[slot(tp_init)]
    fn py_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        self.update_common(args, kw, "dict")
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        if self.len() == 0 {
            return Ok(Str::new("{}"));
        }
        reprguard::guarded(self, || {
            let mut b = StrBuilder::new();
            b.push_str("{");
            let (mut pos, mut first) = (0, true);
            while let Some((k, v)) = self.next(&mut pos) {
                if !first {
                    b.push_str(", ");
                }
                first = false;
                b.push_obj(&*k.repr()?);
                b.push_str(": ");
                b.push_obj(&*v.repr()?);
            }
            b.push_str("}");
            Ok(b.finish())
        })
        .unwrap_or_else(|| Ok(Str::new("{...}")))
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(w) = other.downcast::<Dict>() else { return Ok(not_implemented()) };
        match op {
            CompareOp::Eq => Ok(bool_obj(self.equals(w)?)),
            CompareOp::Ne => Ok(bool_obj(!self.equals(w)?)),
            _ => Ok(not_implemented()),
        }
    }
    /// Same keys with equal values?
    pub fn equals(&self, w: &Dict) -> PyResult<bool> {
        if self.len() != w.len() {
            return Ok(false);
        }
        let mut pos = 0;
        while let Some(e) = self.next_entry(&mut pos) {
            // SAFETY: live references, held while Python code may run.
            let (k, v) = unsafe { (Object::from_ptr(e.key).own(), Object::from_ptr(e.value).own()) };
            match w.get_item_known_hash(&k, e.hash)? {
                None => return Ok(false),
                Some(x) => {
                    if !v.rich_compare_bool(&x, CompareOp::Eq)? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> PyResult {
        Ok(crate::dict_views::new_iter(self, crate::dict_views::What::Keys, false))
    }
    #[slot(mp_length)]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot(mp_subscript)]
    fn subscript(&self, key: &Object) -> PyResult {
        match self.get_item(key)? {
            Some(v) => Ok(v),
            None => self.missing(key),
        }
    }
    #[cold]
    fn missing(&self, key: &Object) -> PyResult {
        if !self.is_exact::<Dict>()
            && let Some(f) = self.lookup_special(intern!("__missing__"))?
        {
            return f.call1(key);
        }
        Err(key_error(key))
    }
    #[slot(mp_ass_subscript)]
    fn ass_subscript(&self, key: &Object, v: Option<&Object>) -> PyResult<()> {
        match v {
            Some(v) => self.set_item(key, v),
            None => {
                // The hash comes first: an unhashable key is a TypeError even in an empty dict.
                let h = hash_key(key)?;
                match self.pop_known_hash(key, h)? {
                    Some(_) => Ok(()),
                    None => Err(key_error(key)),
                }
            }
        }
    }
    #[slot(sq_contains)]
    fn sq_contains(&self, key: &Object) -> PyResult<bool> {
        self.contains(key)
    }
    #[slot(nb_or)]
    fn nb_or(a: &Object, b: &Object) -> PyResult {
        let (Some(x), Some(_)) = (a.downcast::<Dict>(), b.downcast::<Dict>()) else {
            return Ok(not_implemented());
        };
        let new = x.copy_object()?;
        new.update_arg(b)?;
        Ok(new.into_object())
    }
    #[slot(nb_inplace_or)]
    fn nb_inplace_or(&self, other: &Object) -> PyResult<Owned<Dict>> {
        self.update_arg(other)?;
        Ok(self.own())
    }
    fn update_arg(&self, other: &Object) -> PyResult<()> {
        self.update(other)
    }
    /// A plain dict with the same entries, read through the overridden methods a subclass may have.
    fn copy_object(&self) -> PyResult<Owned<Dict>> {
        let d = Dict::new();
        d.merge(self, true)?;
        Ok(d)
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        crate::sliceobject::unhashable(self)
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
    /// True if the dictionary has the specified key, else False.
    #[pymethod(coexist)]
    fn __contains__(&self, key: &Object) -> PyResult<bool> {
        self.contains(key)
    }
    /// x.__getitem__(y) <==> x[y]
    #[pymethod(coexist)]
    fn __getitem__(&self, key: &Object) -> PyResult {
        self.subscript(key)
    }
    /// D.__sizeof__() -> size of D in memory, in bytes
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        // SAFETY: a live type's size.
        unsafe { (*self.ob_type()).tp_basicsize as usize + size_of_table(self.table()) }
    }
    /// Return the value for key if key is in the dictionary, else default.
    #[pymethod(signature = "(key, default=None, /)")]
    fn get(&self, key: &Object, default: Option<&Object>) -> PyResult {
        Ok(match self.get_item(key)? {
            Some(v) => v,
            None => default.unwrap_or(none_ref()).own(),
        })
    }
    /// Insert key with a value of default if key is not in the dictionary.
    ///
    /// Return the value for key if key is in the dictionary, else default.
    #[pymethod(signature = "(key, default=None, /)")]
    fn setdefault(&self, key: &Object, default: Option<&Object>) -> PyResult {
        self.set_default(key, default.unwrap_or(none_ref()))
    }
    /// D.pop(k[,d]) -> v, remove specified key and return the corresponding value.
    ///
    /// If the key is not found, return the default if given; otherwise,
    /// raise a KeyError.
    #[pymethod(name = "pop")]
    fn py_pop(&self, key: &Object, default: Option<&Object>) -> PyResult {
        match self.pop(key)? {
            Some(v) => Ok(v),
            None => match default {
                Some(d) => Ok(d.own()),
                None => Err(key_error(key)),
            },
        }
    }
    /// Remove and return a (key, value) pair as a 2-tuple.
    ///
    /// Pairs are returned in LIFO (last-in, first-out) order.
    /// Raises KeyError if the dict is empty.
    #[pymethod]
    fn popitem(&self) -> PyResult<Owned<Tuple>> {
        match self.pop_last() {
            Some((k, v)) => Ok(Tuple::pair(k, v)),
            None => raise!(KeyError, "popitem(): dictionary is empty"),
        }
    }
    /// D.keys() -> a set-like object providing a view on D's keys
    #[pymethod]
    fn keys(&self) -> Owned<Object> {
        crate::dict_views::new_view(self, crate::dict_views::What::Keys)
    }
    /// D.items() -> a set-like object providing a view on D's items
    #[pymethod]
    fn items(&self) -> Owned<Object> {
        crate::dict_views::new_view(self, crate::dict_views::What::Items)
    }
    /// D.values() -> an object providing a view on D's values
    #[pymethod]
    fn values(&self) -> Owned<Object> {
        crate::dict_views::new_view(self, crate::dict_views::What::Values)
    }
    /// D.update([E, ]**F) -> None.  Update D from dict/iterable E and F.
    /// If E is present and has a .keys() method, then does:  for k in E: D[k] = E[k]
    /// If E is present and lacks a .keys() method, then does:  for k, v in E: D[k] = v
    /// In either case, this is followed by: for k in F:  D[k] = F[k]
    #[pymethod(raw, name = "update")]
    fn py_update(&self, a: crate::args::Args<'_>) -> PyResult<()> {
        if a.len() > 1 {
            return raise!(TypeError, "update expected at most 1 argument, got {}", a.len());
        }
        if let Some(o) = a.get(0) {
            self.update(o)?;
        }
        for (k, v) in a.kwargs() {
            self.set_item(k, v)?;
        }
        Ok(())
    }
    /// Create a new dictionary with keys from iterable and values set to value.
    #[classmethod(signature = "(iterable, value=None, /)")]
    fn fromkeys(cls: &Type, iterable: &Object, value: Option<&Object>) -> PyResult {
        let value = value.unwrap_or(none_ref());
        let d = cls.call0()?;
        if cls.tp() == Dict::type_ptr()
            && let Some(d) = d.downcast_exact::<Dict>()
        {
            if let Some(src) = iterable.downcast_exact::<Dict>() {
                let mut pos = 0;
                while let Some(e) = src.next_entry(&mut pos) {
                    // SAFETY: a live key, held while Python code may run.
                    let k = unsafe { Object::from_ptr(e.key) }.own();
                    d.set_item_known_hash(&k, e.hash, value)?;
                }
                return Ok(d.own().into_object());
            }
            if (iterable.is_exact::<Set>() || iterable.is_exact::<FrozenSet>())
                && let Some(src) = crate::setobject::AnySet::of(iterable)
            {
                let mut pos = 0;
                while let Some((k, h)) = src.next(&mut pos) {
                    d.set_item_known_hash(&k, h, value)?;
                }
                return Ok(d.own().into_object());
            }
            iterable.for_each(|k| d.set_item(&k, value))?;
            return Ok(d.own().into_object());
        }
        let it = iterable.iterator()?;
        while let Some(k) = it.iter_next()? {
            d.set_item_of(&k, value)?;
        }
        Ok(d)
    }
    /// D.clear() -> None.  Remove all items from D.
    #[pymethod(name = "clear")]
    fn py_clear(&self) {
        self.clear()
    }
    /// D.copy() -> a shallow copy of D
    #[pymethod(name = "copy")]
    fn py_copy(&self) -> PyResult<Owned<Dict>> {
        self.copy_object()
    }
    /// Return a reverse iterator over the dict keys.
    #[pymethod]
    fn __reversed__(&self) -> Owned<Object> {
        crate::dict_views::new_iter(self, crate::dict_views::What::Keys, true)
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, object: &Object) -> PyResult {
        crate::genericalias::new(cls, object)
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        let t = self.table();
        if t.is_null() {
            return;
        }
        // SAFETY: the dict's own entries; visiting changes nothing.
        unsafe {
            for i in 0..(*t).nentries {
                let e = *(*t).entries.add(i);
                if !e.value.is_null() {
                    v.visit_ptr(e.value);
                    if !(*t).all_str {
                        v.visit_ptr(e.key);
                    }
                }
            }
        }
    }
    #[slot(tp_clear)]
    fn gc_clear(&self) {
        self.clear()
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let d = o.cast::<PyDictObject>();
            if (*d).ma_keys.cast::<Table>() == empty_table()
                && (*o).ob_type == Dict::type_ptr()
                && (*d).ma_version_tag & 0xff == 0
            {
                return gc::free_untracked(o, size_of::<PyDictObject>());
            }
            if !trash::begin(o) {
                return;
            }
            if (*d).ma_version_tag & 0xff != 0 {
                (*o).ob_refcnt += 1;
                Object::from_ptr(o).downcast_unchecked::<Dict>().tell(None);
                (*o).ob_refcnt -= 1;
            }
            let t = (*d).ma_keys.cast::<Table>();
            if !t.is_null() && t != empty_table() {
                drop_table(t);
            }
            if (*o).ob_type == Dict::type_ptr() {
                gc::free_untracked(o, size_of::<PyDictObject>());
            } else {
                typeobject::free_instance(o);
            }
            trash::end();
        }
    }
}

fn more_slots(b: &mut crate::builder::TypeBuilder) {
    b.doc(
        c"dict() -> new empty dictionary\ndict(mapping) -> new dictionary initialized from a mapping object's\n    (key, value) pairs\n\
dict(iterable) -> new dictionary initialized as if via:\n    d = {}\n    for k, v in iterable:\n        d[k] = v\n\
dict(**kwargs) -> new dictionary initialized with the name=value pairs\n    in the keyword argument list.  For example:  dict(one=1, two=2)",
    );
}

pub fn init() -> PyResult<()> {
    ready::<Dict>()?;
    crate::dict_views::init()
}
