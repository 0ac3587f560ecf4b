//! `collections.OrderedDict`.
//!
//! A dict keeps insertion order already, so an ordered dict is a dict that can also move an entry to either end:
//!
//! - to the back: the entry is appended again, its old place stays empty until the table is rebuilt;
//! - to the front: the entry moves to the empty place before the first live one; if there is none, the table is rebuilt with a gap in front
//!   that doubles with its contents, so that moving is cheap on average.
//!
//! `od_first` remembers below which entry nothing lives (for the table with the number `od_serial`), so that taking entries from the front does not scan
//! the same gap again and again. `od_state` counts changes of order, for iterators.

use crate::dict_table::*;
use crate::dict_views::{new_view_of_type, view_dict};
use crate::dictobject::{hash_key, key_error};
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{StrBuilder, ready};
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::type_table::*;
use crate::{gc, intern, kind, pymethods, raise, reprguard};
use lh_abi::*;
use std::ptr::null_mut;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ODictObject {
    pub dict: PyDictObject,
    /// Serial number of the table that `od_first` is about.
    pub od_serial: u64,
    pub od_unused: usize,
    pub od_unused2: usize,
    pub od_state: usize,
    /// No live entry lies below this one.
    pub od_first: usize,
    pub od_unused3: usize,
    pub od_inst_dict: *mut PyObject,
    pub od_weakreflist: *mut PyObject,
}
kind!(/** `collections.OrderedDict` */ ODict: ODictObject, PyODict_Type);
const _: () = assert!(size_of::<ODictObject>() == 112);

impl ODict {
    pub fn new() -> Owned<ODict> {
        // SAFETY: a new instance of the type.
        unsafe { Dict::alloc_in(ODict::class()).expect("memory for a dict").cast_unchecked() }
    }
    #[inline]
    pub fn dict(&self) -> &Dict {
        // SAFETY: the layout starts with a dict's.
        unsafe { self.as_object().downcast_unchecked() }
    }
    fn state(&self) -> usize {
        // SAFETY: a plain field.
        unsafe { (*self.as_struct()).od_state }
    }
    fn changed(&self) {
        // SAFETY: a plain field.
        unsafe { (*self.as_struct()).od_state += 1 }
    }
    /// The first live entry.
    fn first(&self) -> Option<usize> {
        if self.dict().len() == 0 {
            return None;
        }
        // SAFETY: the dict's own table; it is not empty.
        unsafe {
            let (o, t) = (self.as_struct(), self.dict().table());
            let mut i = if (*o).od_serial == (*t).serial { (*o).od_first } else { 0 };
            while (*(*t).entries.add(i)).value.is_null() {
                i += 1;
            }
            (*o).od_serial = (*t).serial;
            (*o).od_first = i;
            Some(i)
        }
    }
    fn entry(&self, i: usize) -> Entry {
        // SAFETY: callers pass entries of the current table.
        unsafe { *(*self.dict().table()).entries.add(i) }
    }
    fn last(&self) -> Option<usize> {
        if self.dict().len() == 0 {
            return None;
        }
        // SAFETY: the dict's own table; it is not empty.
        unsafe {
            let t = self.dict().table();
            let mut i = (*t).nentries - 1;
            while (*(*t).entries.add(i)).value.is_null() {
                i -= 1;
            }
            Some(i)
        }
    }
    /// Moves entry `ix` to one end.
    fn move_entry(&self, ix: usize, to_end: bool) -> PyResult<()> {
        let d = self.dict();
        let e = self.entry(ix);
        // SAFETY: entries move inside the dict's own tables; no Python code runs.
        unsafe {
            if to_end {
                if self.last() == Some(ix) {
                    return Ok(());
                }
                d.will_change(Some(Object::from_ptr(e.key)));
                if (*d.table()).usable == 0 {
                    self.rebuild(0)?;
                }
                let t = d.table();
                let ix = lookup_entry(t, e.hash, e.key);
                let n = (*t).nentries;
                set_index(t, slot_of(t, e.hash, ix as isize), n as isize);
                (*t).entries.add(n).write(e);
                (*t).nentries = n + 1;
                (*t).usable -= 1;
                clear_entry(t, ix);
                (*t).version = 0;
            } else {
                let first = self.first().expect("not empty");
                if first == ix {
                    return Ok(());
                }
                d.will_change(Some(Object::from_ptr(e.key)));
                if first == 0 {
                    self.rebuild(d.len().max(4))?;
                }
                let first = self.first().expect("not empty");
                let t = d.table();
                let ix = lookup_entry(t, e.hash, e.key);
                set_index(t, slot_of(t, e.hash, ix as isize), first as isize - 1);
                (*t).entries.add(first - 1).write(e);
                clear_entry(t, ix);
                (*t).version = 0;
                (*self.as_struct()).od_first = first - 1;
            }
        }
        self.changed();
        Ok(())
    }
    /// A fresh table with `gap` empty entries in front and room behind.
    fn rebuild(&self, gap: usize) -> PyResult<()> {
        let d = self.dict();
        // SAFETY: the entries move to the new table.
        unsafe {
            let old = d.table();
            let used = d.len();
            let t = new_table(log2_for(gap + used * 2 + 2))?;
            (*t).all_str = (*old).all_str;
            for i in 0..gap {
                (*t).entries.add(i).write(Entry { hash: 0, key: null_mut(), value: null_mut() });
            }
            (*t).nentries = gap;
            (*t).usable -= gap;
            for i in 0..(*old).nentries {
                let e = *(*old).entries.add(i);
                if !e.value.is_null() {
                    append(t, e.hash, e.key, e.value);
                }
            }
            (*d.as_struct()).ma_keys = t.cast();
            free_table(old);
            (*self.as_struct()).od_serial = (*t).serial;
            (*self.as_struct()).od_first = gap;
        }
        Ok(())
    }
    pub fn set_item(&self, key: &Object, value: &Object) -> PyResult<()> {
        let n = self.dict().len();
        self.dict().set_item(key, value)?;
        if self.dict().len() != n {
            self.changed();
        }
        Ok(())
    }
    /// Whether the key was there.
    pub fn del_item(&self, key: &Object) -> PyResult<bool> {
        let there = self.dict().del_item(key)?;
        if there {
            self.changed();
        }
        Ok(there)
    }
    fn pop_end(&self, last: bool) -> Option<(Owned<Object>, Owned<Object>)> {
        let r = if last {
            self.dict().pop_last()
        } else {
            self.first().map(|i| {
                let e = self.entry(i);
                // SAFETY: a live entry's key; taken out by its own entry number.
                unsafe {
                    let k = Object::from_ptr(e.key).own();
                    let v = self.dict().take_entry(i, e.hash);
                    (k, v)
                }
            })
        };
        if r.is_some() {
            self.changed();
        }
        r
    }
    fn is_exact_odict(&self) -> bool {
        self.is_exact::<ODict>()
    }
    fn update_from(&self, args: &Tuple, kw: Option<&Dict>, who: &str) -> PyResult<()> {
        if args.len() > 1 {
            return raise!(TypeError, "{} expected at most 1 argument, got {}", who, args.len());
        }
        if args.len() == 1 {
            self.update_any(args.item_ref(0))?;
        }
        if let Some(kw) = kw {
            for (k, v) in kw.items_vec() {
                self.store(&k, &v)?;
            }
        }
        Ok(())
    }
    /// `self[key] = value`, through an override if there is one.
    fn store(&self, key: &Object, value: &Object) -> PyResult<()> {
        if self.is_exact_odict() { self.set_item(key, value) } else { self.set_item_of(key, value) }
    }
    fn update_any(&self, other: &Object) -> PyResult<()> {
        if let Some(d) = other.downcast_exact::<Dict>() {
            for (k, v) in d.items_vec() {
                self.store(&k, &v)?;
            }
            return Ok(());
        }
        if other.get_attr_opt(intern!("keys"))?.is_some() {
            let keys = other.call_method("keys", &[])?;
            let it = keys.iterator()?;
            while let Some(k) = it.iter_next()? {
                let v = other.get_item(&k)?;
                self.store(&k, &v)?;
            }
            return Ok(());
        }
        if let Some(items) = other.get_attr_opt(intern!("items"))? {
            return self.update_pairs(&*items.call0()?);
        }
        self.update_pairs(other)
    }
    fn update_pairs(&self, pairs: &Object) -> PyResult<()> {
        let it = pairs.iterator()?;
        while let Some(p) = it.iter_next()? {
            let v = p.to_items()?;
            match v.len() {
                2 => self.store(&v[0], &v[1])?,
                0 | 1 => {
                    return raise!(
                        ValueError,
                        "need more than {} value{} to unpack",
                        v.len(),
                        if v.len() == 1 { "" } else { "s" }
                    );
                }
                _ => return raise!(ValueError, "too many values to unpack (expected 2)"),
            }
        }
        Ok(())
    }
}

/// The entry number of a key object that is in the table.
unsafe fn lookup_entry(t: *const Table, hash: isize, key: *mut PyObject) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        let mut p = Probe::new(t, hash);
        loop {
            let ix = index_at(t, p.i);
            if ix >= 0 && (*(*t).entries.add(ix as usize)).key == key {
                return ix as usize;
            }
            p.step();
        }
    }
}

unsafe fn clear_entry(t: *mut Table, ix: usize) {
    // SAFETY: the entry's references have moved elsewhere.
    unsafe {
        (*(*t).entries.add(ix)).key = null_mut();
        (*(*t).entries.add(ix)).value = null_mut();
    }
}

#[pymethods(extra = odict_extra)]
impl ODict {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Dict>> {
        Dict::alloc_in(cls)
    }
    #[slot(tp_init)]
    fn py_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        if args.len() > 1 {
            return raise!(TypeError, "expected at most 1 arguments, got {}", args.len());
        }
        self.update_from(args, kw, "update")
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        let name = self.ty().name();
        let name = name.rsplit('.').next().unwrap_or(&name).to_string();
        if self.dict().len() == 0 {
            return Ok(Str::new(&format!("{name}()")));
        }
        reprguard::guarded(self, || {
            let items = if self.is_exact_odict() {
                List::from_vec(
                    self.dict()
                        .items_vec()
                        .into_iter()
                        .map(|(k, v)| Tuple::pair(k, v).into_object())
                        .collect(),
                )
            } else {
                let l = List::new();
                l.extend(&*self.call_method("items", &[])?)?;
                l
            };
            let mut b = StrBuilder::new();
            b.push_str(&name);
            b.push_str("(");
            b.push_obj(&*items.repr()?);
            b.push_str(")");
            Ok(b.finish())
        })
        .unwrap_or_else(|| Ok(Str::new("...")))
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(d) = other.downcast::<Dict>() else { return Ok(not_implemented()) };
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented());
        }
        let mut same = self.dict().equals(d)?;
        if same && let Some(o) = other.downcast::<ODict>() {
            let (a, b) = (self.dict().keys_vec(), o.dict().keys_vec());
            for (x, y) in a.iter().zip(&b) {
                if !x.equals_obj(y)? {
                    same = false;
                    break;
                }
            }
        }
        Ok(bool_obj(same == (op == CompareOp::Eq)))
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        crate::sliceobject::unhashable(self)
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<Object> {
        new_iter(self, KEYS)
    }
    #[slot(mp_ass_subscript)]
    fn ass_subscript(&self, key: &Object, v: Option<&Object>) -> PyResult<()> {
        match v {
            Some(v) => self.set_item(key, v),
            None => {
                hash_key(key)?;
                if self.del_item(key)? { Ok(()) } else { Err(key_error(key)) }
            }
        }
    }
    #[slot(nb_or)]
    fn nb_or(a: &Object, b: &Object) -> PyResult {
        if !Dict::check(a) || !Dict::check(b) {
            return Ok(not_implemented());
        }
        let ty = if ODict::check(a) { a.ty() } else { b.ty() };
        let new = ty.call1(a)?;
        let Some(n) = new.downcast::<ODict>() else { return Ok(not_implemented()) };
        n.update_any(b)?;
        Ok(new)
    }
    #[slot(nb_inplace_or)]
    fn nb_inplace_or(&self, other: &Object) -> PyResult<Owned<ODict>> {
        self.update_any(other)?;
        Ok(self.own())
    }
    /// Create a new ordered dictionary with keys from iterable and values set to value.
    #[classmethod(signature = "(iterable, value=None)")]
    fn fromkeys(cls: &Type, iterable: &Object, value: Option<&Object>) -> PyResult {
        let d = cls.call0()?;
        let it = iterable.iterator()?;
        while let Some(k) = it.iter_next()? {
            d.set_item_of(&k, value.unwrap_or(none_ref()))?;
        }
        Ok(d)
    }
    /// Return the size of the object in memory, in bytes.
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        // SAFETY: a live type's size.
        unsafe { (*self.ob_type()).tp_basicsize as usize + size_of_table(self.dict().table()) }
    }
    /// Return state information for pickling
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Tuple>> {
        let state = self.call_method("__getstate__", &[])?;
        let items = self.call_method("items", &[])?.iterator()?;
        Ok(Tuple::from_vec(vec![
            self.ty().own().into_object(),
            Tuple::empty().into_object(),
            state,
            none(),
            items,
        ]))
    }
    /// Insert key with a value of default if key is not in the dictionary.
    ///
    /// Return the value for key if key is in the dictionary, else default.
    #[pymethod(signature = "(key, default=None)")]
    fn setdefault(&self, key: &Object, default: Option<&Object>) -> PyResult {
        let default = default.unwrap_or(none_ref());
        if self.is_exact_odict() {
            let n = self.dict().len();
            let v = self.dict().set_default(key, default)?;
            if self.dict().len() != n {
                self.changed();
            }
            return Ok(v);
        }
        if self.contains_item(key)? {
            return self.get_item(key);
        }
        self.set_item_of(key, default)?;
        Ok(default.own())
    }
    /// od.pop(key[,default]) -> v, remove specified key and return the corresponding value.
    ///
    /// If the key is not found, return the default if given; otherwise,
    /// raise a KeyError.
    #[pymethod(signature = "(key, default=<unrepresentable>)")]
    fn pop(&self, key: &Object, default: Option<&Object>) -> PyResult {
        let r = if self.is_exact_odict() {
            self.dict().pop(key)?
        } else if self.contains_item(key)? {
            let v = self.get_item(key)?;
            self.del_item_of(key)?;
            Some(v)
        } else {
            None
        };
        match r {
            Some(v) => {
                self.changed();
                Ok(v)
            }
            None => match default {
                Some(d) => Ok(d.own()),
                None => Err(key_error(key)),
            },
        }
    }
    /// Remove and return a (key, value) pair from the dictionary.
    ///
    /// Pairs are returned in LIFO order if last is true or FIFO order if false.
    #[pymethod(signature = "(last=True)")]
    fn popitem(&self, last: bool) -> PyResult<Owned<Tuple>> {
        match self.pop_end(last) {
            Some((k, v)) => Ok(Tuple::pair(k, v)),
            None => raise!(KeyError, "dictionary is empty"),
        }
    }
    /// Move an existing element to the end (or beginning if last is false).
    ///
    /// Raise KeyError if the element does not exist.
    #[pymethod(signature = "(key, last=True)")]
    fn move_to_end(&self, key: &Object, last: bool) -> PyResult<()> {
        let h = hash_key(key)?;
        let ix = self.dict().lookup(key, h)?;
        if ix < 0 {
            return Err(key_error(key));
        }
        self.move_entry(ix as usize, last)
    }
    /// D.keys() -> a set-like object providing a view on D's keys
    #[pymethod]
    fn keys(&self) -> Owned<Object> {
        new_view_of_type(self.dict(), ODictKeys::type_ptr())
    }
    #[pymethod]
    fn values(&self) -> Owned<Object> {
        new_view_of_type(self.dict(), ODictValues::type_ptr())
    }
    #[pymethod]
    fn items(&self) -> Owned<Object> {
        new_view_of_type(self.dict(), ODictItems::type_ptr())
    }
    #[pymethod(raw)]
    fn update(&self, a: crate::args::Args<'_>) -> PyResult<()> {
        if a.len() > 1 {
            return raise!(TypeError, "update() takes at most 1 positional argument ({} given)", a.len());
        }
        if let Some(o) = a.get(0) {
            self.update_any(o)?;
        }
        for (k, v) in a.kwargs() {
            self.store(k, v)?;
        }
        Ok(())
    }
    /// od.clear() -> None.  Remove all items from od.
    #[pymethod]
    fn clear(&self) {
        self.dict().clear();
        self.changed();
    }
    /// od.copy() -> a shallow copy of od
    #[pymethod]
    fn copy(&self) -> PyResult {
        if self.is_exact_odict() {
            let d = ODict::new();
            d.dict().merge_dict(self.dict(), true)?;
            return Ok(d.into_object());
        }
        let d = self.ty().call0()?;
        for k in self.dict().keys_vec() {
            let v = self.get_item(&k)?;
            d.set_item_of(&k, &v)?;
        }
        if let Some(attrs) = self.get_attr_opt(intern!("__dict__"))?
            && let Some(attrs) = attrs.downcast::<Dict>()
        {
            for (k, v) in attrs.items_vec() {
                if let Some(k) = k.downcast::<Str>() {
                    d.set_attr(k, &v)?;
                }
            }
        }
        Ok(d)
    }
    /// od.__reversed__() <==> reversed(od)
    #[pymethod]
    fn __reversed__(&self) -> Owned<Object> {
        new_iter(self, KEYS | REVERSED)
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the field.
        v.visit_ptr(unsafe { (*self.as_struct()).od_inst_dict });
        self.dict().trace_entries(v);
    }
    #[slot(tp_clear)]
    fn gc_clear(&self) {
        // SAFETY: the field is emptied before the reference is dropped.
        unsafe { xdecref(std::mem::replace(&mut (*self.as_struct()).od_inst_dict, null_mut())) };
        self.dict().clear();
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero; the dict part is freed by dict's deallocator.
        unsafe {
            gc::untrack(o);
            let d = o.cast::<ODictObject>();
            if !(*d).od_weakreflist.is_null() {
                crate::weakref::clear_weakrefs(o);
            }
            xdecref(std::mem::replace(&mut (*d).od_inst_dict, null_mut()));
            ((*Dict::type_ptr()).tp_dealloc.expect("dict is ready"))(o);
        }
    }
}

fn odict_extra(b: &mut crate::builder::TypeBuilder) {
    b.doc(c"Dictionary that remembers insertion order");
}

// ---- Views ----

kind!(/** `odict_keys` */ ODictKeys: _PyDictViewObject, PyODictKeys_Type);
kind!(/** `odict_values` */ ODictValues: _PyDictViewObject, PyODictValues_Type);
kind!(/** `odict_items` */ ODictItems: _PyDictViewObject, PyODictItems_Type);

macro_rules! odict_view {
    ($t:ident, $what:expr) => {
        #[pymethods]
        impl $t {
            fn odict(&self) -> &ODict {
                // SAFETY: these views are only made for ordered dicts.
                unsafe { view_dict(self).downcast_unchecked() }
            }
            #[slot(tp_iter)]
            fn py_iter(&self) -> Owned<Object> {
                new_iter(self.odict(), $what)
            }
            #[pymethod]
            fn __reversed__(&self) -> Owned<Object> {
                new_iter(self.odict(), $what | REVERSED)
            }
        }
    };
}
odict_view!(ODictKeys, KEYS);
odict_view!(ODictValues, VALUES);
odict_view!(ODictItems, KEYS | VALUES);

// ---- Iterator ----

const REVERSED: isize = 1;
const KEYS: isize = 2;
const VALUES: isize = 4;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ODictIterObject {
    pub ob_base: PyObject,
    pub kind: isize,
    pub di_odict: *mut PyObject,
    pub di_size: isize,
    pub di_state: usize,
    pub di_pos: isize,
    pub di_result: *mut PyObject,
}
const _: () = assert!(size_of::<ODictIterObject>() == 64);
kind!(/** `odict_iterator` */ ODictIter: ODictIterObject, PyODictIter_Type);

fn new_iter(d: &ODict, kind: isize) -> Owned<Object> {
    // SAFETY: a new iterator object.
    unsafe {
        let p = gc::new_object(ODictIter::type_ptr(), 0);
        assert!(!p.is_null(), "out of memory");
        let it = p.cast::<ODictIterObject>();
        (*it).kind = kind;
        (*it).di_odict = d.own().into_raw();
        (*it).di_size = d.dict().len() as isize;
        (*it).di_state = d.state();
        (*it).di_pos = if kind & REVERSED != 0 { (*d.dict().table()).nentries as isize } else { 0 };
        gc::track(p);
        Owned::from_raw(p)
    }
}

impl ODictIter {
    fn step(&self) -> PyResult<Option<(Owned<Object>, Owned<Object>)>> {
        let it = self.as_struct();
        // SAFETY: the dict is live while the iterator refers to it.
        unsafe {
            if (*it).di_odict.is_null() {
                return Ok(None);
            }
            let d = Object::from_ptr((*it).di_odict).downcast_unchecked::<ODict>();
            if d.state() != (*it).di_state {
                return raise!(RuntimeError, "OrderedDict mutated during iteration");
            }
            if d.dict().len() as isize != (*it).di_size {
                (*it).di_size = -1;
                return raise!(RuntimeError, "OrderedDict changed size during iteration");
            }
            let t = d.dict().table();
            let found = if (*it).kind & REVERSED != 0 {
                let mut i = (*it).di_pos.min((*t).nentries as isize);
                let mut r = None;
                while i > 0 {
                    i -= 1;
                    let e = *(*t).entries.add(i as usize);
                    if !e.value.is_null() {
                        r = Some(e);
                        break;
                    }
                }
                (*it).di_pos = i;
                r
            } else {
                let mut pos = (*it).di_pos as usize;
                let r = d.dict().next_entry(&mut pos);
                (*it).di_pos = pos as isize;
                r
            };
            match found {
                Some(e) => Ok(Some((Object::from_ptr(e.key).own(), Object::from_ptr(e.value).own()))),
                None => {
                    decref(std::mem::replace(&mut (*it).di_odict, null_mut()));
                    Ok(None)
                }
            }
        }
    }
}

#[pymethods]
impl ODictIter {
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<ODictIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: a plain field.
        let kind = unsafe { (*self.as_struct()).kind };
        let Some((k, v)) = self.step()? else { return Ok(None) };
        if kind & (KEYS | VALUES) == KEYS | VALUES {
            return Ok(Some(Tuple::pair(k, v).into_object()));
        }
        Ok(Some(if kind & VALUES != 0 { v } else { k }))
    }
    /// Return state information for pickling
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Tuple>> {
        // SAFETY: a copy walks on in this one's place.
        unsafe {
            let it = *self.as_struct();
            let p = gc::new_object(ODictIter::type_ptr(), 0);
            assert!(!p.is_null(), "out of memory");
            let c = p.cast::<ODictIterObject>();
            (*c).kind = it.kind;
            (*c).di_odict = it.di_odict;
            xincref(it.di_odict);
            (*c).di_size = it.di_size;
            (*c).di_state = it.di_state;
            (*c).di_pos = it.di_pos;
            gc::track(p);
            let copy: Owned<Object> = Owned::from_raw(p);
            let items = List::new();
            items.extend(&copy)?;
            let iter = crate::iterobject::builtin("iter")?;
            Ok(Tuple::pair(iter, Tuple::from_refs(&[&*items]).into_object()))
        }
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the fields.
        v.visit_ptr(unsafe { (*self.as_struct()).di_odict })
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            xdecref((*o.cast::<ODictIterObject>()).di_odict);
            gc::free_object(o);
        }
    }
}

pub fn init() -> PyResult<()> {
    let t = ready::<ODict>()?;
    crate::type_attrs::add_dict_descriptor(t)?;
    ready::<ODictKeys>()?;
    ready::<ODictValues>()?;
    ready::<ODictItems>()?;
    ready::<ODictIter>()?;
    Ok(())
}

impl ODict {
    /// Moves a key that is there to the end; no Python-visible iterator notices.
    pub fn touch(&self, key: &Object, hash: isize) -> PyResult<()> {
        let ix = self.dict().lookup(key, hash)?;
        if ix >= 0 { self.move_entry(ix as usize, true) } else { Ok(()) }
    }
    /// Takes the first entry out.
    pub fn pop_first(&self) -> Option<(Owned<Object>, Owned<Object>)> {
        self.pop_end(false)
    }
}
