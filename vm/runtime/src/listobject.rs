//! `list` and its iterators; the sort is in `listsort.rs`.
//!
//! ```text
//!   ob_item ──► [item 0 | item 1 | … | item ob_size-1 | spare … allocated-1]      (alloc::malloc)
//! ```
//! C code reads and appends inline, so the three fields are always consistent before anything runs that could look. Any call
//! that may run Python (comparison, destructors) may change the list: sizes are read again after each.

use crate::consume::{Loop, Request, Watch};
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{StrBuilder, exc, ready};
use crate::singletons::*;
use crate::sliceobject::{adjust_indices, index_range, is_index, subscript_index};
use crate::slots::CompareOp;
use crate::tupleobject::{SeqIterObject, dealloc_seq_iter, new_seq_iter};
use crate::{alloc, gc, kind, pymethods, raise, reprguard, trash, typeobject};
use lh_abi::*;
use std::ptr::null_mut;

/// The item of the exact list `l` for `key`, whose `__index__` has answered `i`.
pub fn item_by_answer(l: &Object, key: &Object, i: Owned<Object>) -> PyResult {
    let i = crate::number::isize_of_index(key, i, Some(exc::IndexError()))?;
    // SAFETY: the caller's promise.
    let l = unsafe { l.downcast_unchecked::<List>() };
    l.sq_item(if i < 0 { i + l.len() as isize } else { i })
}

impl List {
    pub fn new() -> Owned<List> {
        // SAFETY: every field of the new list is written.
        unsafe {
            let p = gc::new_builtin(List::type_ptr(), size_of::<PyListObject>());
            assert!(!p.is_null(), "out of memory");
            let l = p.cast::<PyListObject>();
            (*l).ob_base.ob_size = 0;
            (*l).ob_item = null_mut();
            (*l).allocated = 0;
            gc::track(p);
            Owned::from_raw(p)
        }
    }
    /// A list of `n` nulls, which the caller fills; for small `n`. `None`: no memory.
    #[inline(always)]
    pub fn with_nulls(n: usize) -> Option<Owned<List>> {
        // SAFETY: every field of the new list is written; the block is free memory for as many items.
        unsafe {
            let items = if n == 0 { null_mut() } else { alloc::take(n * 8).cast::<*mut PyObject>() };
            if n > 0 && items.is_null() {
                return None;
            }
            let p = gc::new_builtin(List::type_ptr(), size_of::<PyListObject>());
            if p.is_null() {
                return None;
            }
            for i in 0..n {
                // Volatile: it would become a call of memset, which takes longer.
                items.add(i).write_volatile(null_mut());
            }
            let l = p.cast::<PyListObject>();
            (*l).ob_base.ob_size = n as isize;
            (*l).ob_item = items.cast();
            (*l).allocated = n as isize;
            gc::track(p);
            Some(Owned::from_raw(p))
        }
    }
    /// Is there room for one more item?
    #[inline(always)]
    pub fn has_room(&self) -> bool {
        // SAFETY: a live list's fields are readable. (`allocated` is -1 while the list is being sorted.)
        unsafe { (*self.as_struct()).ob_base.ob_size < (*self.as_struct()).allocated }
    }
    /// Has it no memory for items?
    #[inline(always)]
    pub fn is_bare(&self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.as_struct()).ob_item.is_null() && (*self.as_struct()).allocated == 0 }
    }
    /// Gives a bare list the memory that the first append makes.
    #[inline(always)]
    pub fn first_room(&self) -> PyResult<()> {
        const FIRST: usize = 4;
        // SAFETY: a bare list, by contract of the name; the block is for that many items.
        unsafe {
            let p = alloc::take(FIRST * 8);
            if p.is_null() {
                return raise!(MemoryError);
            }
            (*self.as_struct()).ob_item = p.cast();
            (*self.as_struct()).allocated = FIRST as isize;
        }
        Ok(())
    }
    /// Appends, taking over the reference.
    ///
    /// # Safety
    /// There is room; `o` is a live object.
    #[inline(always)]
    pub unsafe fn push_unchecked(&self, o: *mut PyObject) {
        // SAFETY: the caller's promise.
        unsafe {
            let s = self.as_struct();
            *(*s).ob_item.add((*s).ob_base.ob_size as usize) = o;
            (*s).ob_base.ob_size += 1;
        }
    }
    /// An empty list with room for `n` items.
    pub fn with_capacity(n: usize) -> Owned<List> {
        let l = List::new();
        if n > 0 {
            l.reserve_exact(n).expect("memory for a list");
        }
        l
    }
    pub fn from_vec(v: Vec<Owned<Object>>) -> Owned<List> {
        let l = List::with_capacity(v.len());
        // SAFETY: room was made; the Vec's references move into the list.
        unsafe {
            let s = l.as_struct();
            let n = v.len();
            if n > 0 {
                std::ptr::copy_nonoverlapping(v.as_ptr().cast::<*mut PyObject>(), (*s).ob_item, n);
            }
            let mut v = v;
            v.set_len(0);
            (*s).ob_base.ob_size = n as isize;
        }
        l
    }
    /// A list of `n` objects whose counts move into it.
    ///
    /// # Safety
    /// `items` are `n` live objects and the caller gives up a count of each.
    pub unsafe fn from_moved(items: *const *mut PyObject, n: usize) -> Owned<List> {
        let l = List::with_capacity(n);
        // SAFETY: room was made.
        unsafe {
            let s = l.as_struct();
            let to = (*s).ob_item;
            for i in 0..n {
                *to.add(i) = *items.add(i);
            }
            (*s).ob_base.ob_size = n as isize;
        }
        l
    }
    /// # Safety
    /// `items` are `n` live objects.
    pub unsafe fn from_raw_items(items: *const *mut PyObject, n: usize) -> PyResult<Owned<List>> {
        let l = List::new();
        l.reserve_exact(n)?;
        // SAFETY: the caller's promise; room was made.
        unsafe {
            let s = l.as_struct();
            copy_refs(items, (*s).ob_item, n);
            (*s).ob_base.ob_size = n as isize;
        }
        Ok(l)
    }
    #[inline]
    pub fn len(&self) -> usize {
        // SAFETY: a live list's size is readable.
        unsafe { (*self.as_struct()).ob_base.ob_size as usize }
    }
    /// The item array; valid until the list changes.
    #[inline]
    pub fn items_ptr(&self) -> *mut *mut PyObject {
        // SAFETY: a live list's fields are readable.
        unsafe { (*self.as_struct()).ob_item }
    }
    #[inline]
    pub fn get(&self, i: usize) -> Option<Owned<Object>> {
        // SAFETY: in range, items are live.
        if i < self.len() { Some(unsafe { Object::from_ptr(*self.items_ptr().add(i)) }.own()) } else { None }
    }
    /// A borrowed item.
    ///
    /// # Safety
    /// `i < len()`, and nothing that could change the list runs while the borrow lives.
    #[inline]
    pub unsafe fn peek(&self, i: usize) -> &Object {
        debug_assert!(i < self.len());
        // SAFETY: the caller's promise.
        unsafe { Object::from_ptr(*self.items_ptr().add(i)) }
    }
    fn set_len(&self, n: usize) {
        // SAFETY: callers keep `n` items valid.
        unsafe { (*self.as_struct()).ob_base.ob_size = n as isize }
    }
    #[inline]
    fn capacity(&self) -> usize {
        // SAFETY: a live list's fields are readable.
        // (-1 while the list is being sorted.)
        unsafe { (*self.as_struct()).allocated.max(0) as usize }
    }
    fn reserve_exact(&self, n: usize) -> PyResult<()> {
        // SAFETY: the array is the allocator's (or null).
        unsafe {
            let s = self.as_struct();
            if n > isize::MAX as usize / 8 {
                return raise!(MemoryError);
            }
            if n == 0 {
                return Ok(());
            }
            let p = if (*s).ob_item.is_null() {
                alloc::take(n * 8)
            } else {
                alloc::realloc((*s).ob_item.cast(), n * 8)
            };
            if p.is_null() {
                return raise!(MemoryError);
            }
            (*s).ob_item = p.cast();
            (*s).allocated = n as isize;
        }
        Ok(())
    }
    /// Makes room for `n` items in all, with spare room that grows mildly (an eighth).
    #[cold]
    #[inline(never)]
    fn grow(&self, n: usize) -> PyResult<()> {
        let mut cap = (n + (n >> 3) + 6) & !3;
        if n > self.len() && n - self.len() > cap.saturating_sub(n) {
            cap = (n + 3) & !3;
        }
        self.reserve_exact(cap)
    }
    #[inline]
    fn reserve(&self, n: usize) -> PyResult<()> {
        if n > self.capacity() { self.grow(n) } else { Ok(()) }
    }
    /// Makes room for `n` more items; a new list gets no spare room but to the next even number.
    fn make_room(&self, n: usize) -> PyResult<()> {
        // SAFETY: a live list's field.
        let fresh = unsafe { (*self.as_struct()).ob_item.is_null() };
        if fresh { self.reserve_exact(n.saturating_add(1) & !1) } else { self.reserve(self.len() + n) }
    }
    /// Gives memory back after removals.
    fn shrink(&self) {
        let (n, cap) = (self.len(), self.capacity());
        // SAFETY: the array is the allocator's.
        unsafe {
            let s = self.as_struct();
            if n == 0 {
                let old = std::mem::replace(&mut (*s).ob_item, null_mut());
                (*s).allocated = 0;
                alloc::free(old.cast());
            } else if n < cap / 2 {
                let _ = self.reserve_exact((n + (n >> 3) + 6) & !3);
            }
        }
    }
    /// Appends; memory exhaustion is reported.
    #[inline]
    pub fn try_push(&self, o: Owned<Object>) -> PyResult<()> {
        let n = self.len();
        self.reserve(n + 1)?;
        // SAFETY: room was made.
        unsafe { *self.items_ptr().add(n) = o.into_raw() };
        self.set_len(n + 1);
        Ok(())
    }
    #[inline]
    pub fn push(&self, o: Owned<Object>) {
        self.try_push(o).expect("memory for a list")
    }
    /// Replaces item `i < len()`.
    #[inline]
    pub fn set(&self, i: usize, o: Owned<Object>) {
        assert!(i < self.len(), "list item out of range");
        // SAFETY: in range; the old item is dropped when the new one is in place.
        unsafe {
            drop(Owned::<Object>::from_raw(std::mem::replace(&mut *self.items_ptr().add(i), o.into_raw())))
        }
    }
    pub fn insert(&self, i: usize, o: Owned<Object>) {
        let n = self.len();
        let i = i.min(n);
        self.reserve(n + 1).expect("memory for a list");
        // SAFETY: room was made.
        unsafe {
            let p = self.items_ptr().add(i);
            std::ptr::copy(p, p.add(1), n - i);
            *p = o.into_raw();
        }
        self.set_len(n + 1);
    }
    /// Takes item `i < len()` out.
    pub fn remove_at(&self, i: usize) -> Owned<Object> {
        let n = self.len();
        assert!(i < n, "list item out of range");
        // SAFETY: in range.
        let o = unsafe {
            let p = self.items_ptr().add(i);
            let o = *p;
            std::ptr::copy(p.add(1), p, n - i - 1);
            Owned::from_raw(o)
        };
        self.set_len(n - 1);
        if n - 1 < self.capacity() / 2 {
            self.shrink();
        }
        o
    }
    pub fn pop(&self) -> Option<Owned<Object>> {
        let n = self.len();
        if n == 0 { None } else { Some(self.remove_at(n - 1)) }
    }
    pub fn to_vec(&self) -> Vec<Owned<Object>> {
        let n = self.len();
        let mut v: Vec<Owned<Object>> = Vec::with_capacity(n);
        // SAFETY: items are live and copying references runs nothing; there is room for `n`.
        unsafe {
            copy_refs(self.items_ptr(), v.as_mut_ptr().cast(), n);
            v.set_len(n);
        }
        v
    }
    /// Where from `start` on, and before `stop`, an item equals `x`.
    fn position(&self, x: &Object, start: usize, stop: usize) -> PyResult<Option<usize>> {
        let mut i = start;
        while i < stop.min(self.len()) {
            // SAFETY: inside the list, and nothing runs before the item is held.
            let o = unsafe { self.peek(i) };
            if match o.quick_equals(x) {
                Some(r) => r,
                None => o.own().rich_compare_bool(x, CompareOp::Eq)?,
            } {
                return Ok(Some(i));
            }
            i += 1;
        }
        Ok(None)
    }
    pub fn to_tuple(&self) -> Owned<Tuple> {
        // SAFETY: the list's live items.
        unsafe { Tuple::from_raw_items(self.items_ptr(), self.len()).expect("memory for a tuple") }
    }
    /// Items `start..end` as a new list.
    pub fn slice(&self, start: usize, end: usize) -> PyResult<Owned<List>> {
        let end = end.min(self.len());
        let start = start.min(end);
        // SAFETY: the range lies inside the list.
        unsafe { List::from_raw_items(self.items_ptr().add(start), end - start) }
    }
    pub fn clear(&self) {
        // SAFETY: the list is empty before the first destructor runs.
        unsafe {
            let s = self.as_struct();
            let items = std::mem::replace(&mut (*s).ob_item, null_mut());
            let n = std::mem::replace(&mut (*s).ob_base.ob_size, 0) as usize;
            if !items.is_null() {
                let room = std::mem::replace(&mut (*s).allocated, 0).max(0) as usize;
                for i in (0..n).rev() {
                    xdecref(*items.add(i));
                }
                alloc::put(items.cast(), room * 8);
            }
        }
    }
    /// `self.extend(iterable)`.
    pub fn extend(&self, iterable: &Object) -> PyResult<()> {
        let raw: Option<(*mut *mut PyObject, usize)> = if let Some(l) = iterable.downcast_exact::<List>() {
            Some((l.items_ptr(), l.len()))
        } else {
            iterable.downcast_exact::<Tuple>().map(|t| (t.items_ptr(), t.len()))
        };
        if let Some((_, n)) = raw {
            if n == 0 {
                return Ok(());
            }
            let m = self.len();
            self.make_room(n)?;
            // `iterable` may be this list, whose array may just have moved.
            let src = match iterable.downcast_exact::<List>() {
                Some(l) => l.items_ptr(),
                None => raw.expect("a tuple").0,
            };
            // SAFETY: room was made; source and destination ranges do not overlap.
            unsafe { copy_refs(src, self.items_ptr().add(m), n) }
            self.set_len(m + n);
            return Ok(());
        }
        if let Some((start, step, n)) =
            iterable.downcast_exact::<crate::rangeobject::Range>().and_then(|r| r.words())
        {
            let m = self.len();
            self.make_room(n as usize)?;
            // SAFETY: room was made.
            unsafe {
                let to = self.items_ptr().add(m);
                for i in 0..n {
                    *to.add(i as usize) = Int::from_i64(start + i * step).into_raw();
                }
            }
            self.set_len(m + n as usize);
            return Ok(());
        }
        if let Some(b) = iterable.downcast_exact::<Bytes>() {
            let (m, b) = (self.len(), b.as_bytes());
            self.make_room(b.len())?;
            // SAFETY: room was made; small ints are there for ever.
            unsafe {
                let to = self.items_ptr().add(m);
                b.iter().enumerate().for_each(|(i, c)| *to.add(i) = Int::from_i64(*c as i64).into_raw());
            }
            self.set_len(m + b.len());
            return Ok(());
        }
        if let Some(d) = iterable.downcast_exact::<Dict>() {
            let m = self.len();
            self.make_room(d.len())?;
            // SAFETY: room was made; neither counting nor reading the dict runs Python code.
            unsafe {
                let to = self.items_ptr().add(m);
                let (mut pos, mut n) = (0, 0);
                while let Some((k, _)) = d.next_borrowed(&mut pos) {
                    incref(k);
                    *to.add(n) = k;
                    n += 1;
                }
                self.set_len(m + n);
            }
            return Ok(());
        }
        if let Some(s) = iterable.downcast_exact::<Str>() {
            self.make_room(s.len())?;
            let m = self.len();
            // SAFETY: room was made; making one-character strings runs no Python code.
            unsafe {
                let to = self.items_ptr().add(m);
                s.chars().enumerate().for_each(|(i, c)| *to.add(i) = Str::from_char(c).into_raw());
            }
            self.set_len(m + s.len());
            return Ok(());
        }
        let it = iterable.iterator()?;
        let hint = iterable.length_hint(8)?;
        let m = self.len();
        if hint > 0
            && m.checked_add(hint).is_some_and(|t| t < isize::MAX as usize / 8)
            && self.make_room(hint).is_err()
        {
            clear();
        }
        let mut watch = Watch::new(&it, None);
        if !watch.is_on() || !self.is_exact::<List>() {
            it.drain(|o| self.try_push(o))?;
        } else {
            while let Some(x) = it.iter_next()? {
                self.try_push(x)?;
                if watch.is_due()
                    && let Some(r) = Request::with(Loop::Append, &it, self).run()
                {
                    r?;
                    break;
                }
            }
        }
        if self.len() < self.capacity() {
            self.trim();
        }
        Ok(())
    }
    /// The items, which leave the list empty.
    pub fn take_items(&self) -> Vec<Owned<Object>> {
        let n = self.len();
        // SAFETY: the counts move from the list's items into the vector's.
        let v = (0..n).map(|i| unsafe { Owned::from_raw(*self.items_ptr().add(i)) }).collect();
        self.set_len(0);
        self.shrink();
        v
    }
    /// Appends `n` objects whose counts move into the list; an error leaves both as they are.
    ///
    /// # Safety
    /// `items` are `n` live objects and the caller gives up a count of each if this succeeds.
    pub unsafe fn extend_moved(&self, items: *const *mut PyObject, n: usize) -> PyResult<()> {
        let m = self.len();
        self.reserve(m + n)?;
        // SAFETY: room was made.
        unsafe { std::ptr::copy_nonoverlapping(items, self.items_ptr().add(m), n) }
        self.set_len(m + n);
        Ok(())
    }
    /// Gives spare room back when it is more than append would keep.
    fn trim(&self) {
        let n = self.len();
        if n == 0 || self.capacity() > ((n + (n >> 3) + 6) & !3) {
            self.shrink_to_fit_some();
        }
    }
    fn shrink_to_fit_some(&self) {
        let n = self.len();
        if n == 0 {
            self.shrink()
        } else {
            let _ = self.reserve_exact((n + (n >> 3) + 6) & !3);
        }
    }
    pub fn reverse(&self) {
        let n = self.len();
        if n > 1 {
            // SAFETY: the list's own items; reversing runs nothing.
            unsafe { std::slice::from_raw_parts_mut(self.items_ptr(), n).reverse() }
        }
    }
    /// Replaces items `start..end` by copies of the references in `v` (`None`: removes them).
    pub fn set_slice(&self, start: usize, end: usize, v: Option<&Object>) -> PyResult<()> {
        if self.replace_few(start, end, v)? {
            return Ok(());
        }
        let new: Vec<Owned<Object>> = match v {
            None => vec![],
            Some(o) => match o.to_items() {
                Ok(x) => x,
                Err(e) => {
                    if e.matches(exc::TypeError()) {
                        e.clear();
                        return raise!(TypeError, "can only assign an iterable");
                    }
                    return Err(e);
                }
            },
        };
        let len = self.len();
        let start = start.min(len);
        let end = end.clamp(start, len);
        if start == 0 && end == len && new.is_empty() && self.capacity() > 0 {
            self.clear();
            return Ok(());
        }
        let (k, gone) = (new.len(), end - start);
        if k > gone {
            self.reserve(len + k - gone)?;
        }
        // A list that C code is still filling has items that are null.
        let mut old: Vec<*mut PyObject> = Vec::with_capacity(gone);
        // SAFETY: the range lies inside the list and there is room; dropped items are dropped at the very end.
        unsafe {
            let p = self.items_ptr().add(start);
            for i in 0..gone {
                old.push(*p.add(i));
            }
            if k != gone {
                std::ptr::copy(p.add(gone), p.add(k), len - end);
            }
            for (i, o) in new.into_iter().enumerate() {
                *p.add(i) = o.into_raw();
            }
        }
        self.set_len(len - gone + k);
        if k < gone {
            self.shrink();
        }
        while let Some(o) = old.pop() {
            // SAFETY: the reference that the list held.
            unsafe { xdecref(o) };
        }
        Ok(())
    }
    /// Replaces a short slice by few items of another list or a tuple, or by none; false: it isn't that simple.
    fn replace_few(&self, start: usize, end: usize, v: Option<&Object>) -> PyResult<bool> {
        const FEW: usize = 16;
        let (src, k) = match v {
            None => (null_mut(), 0),
            Some(o) => {
                if let Some(t) = o.downcast_exact::<Tuple>() {
                    (t.items_ptr(), t.len())
                } else if let Some(l) = o.downcast_exact::<List>()
                    && !self.is(o)
                {
                    (l.items_ptr(), l.len())
                } else {
                    return Ok(false);
                }
            }
        };
        let len = self.len();
        if k > FEW || end > len || start > end || end - start > FEW || (k == 0 && end - start == len) {
            return Ok(false);
        }
        let gone = end - start;
        if k > gone {
            self.reserve(len + k - gone)?;
        }
        let mut old = [null_mut::<PyObject>(); FEW];
        // SAFETY: both ranges are inside their arrays and there is room; the old items are dropped when the new ones are in place.
        unsafe {
            let p = self.items_ptr().add(start);
            for i in 0..gone {
                old[i] = *p.add(i);
            }
            if k != gone {
                std::ptr::copy(p.add(gone), p.add(k), len - end);
            }
            for i in 0..k {
                let x = *src.add(i);
                xincref(x);
                *p.add(i) = x;
            }
            if k != gone {
                self.set_len(len - gone + k);
                if k < gone {
                    self.shrink();
                }
            }
            for x in old[..gone].iter().rev() {
                xdecref(*x);
            }
        }
        Ok(true)
    }
    fn set_extended_slice(&self, s: &Slice, v: Option<&Object>) -> PyResult<()> {
        let (start, stop, step) = s.unpack()?;
        let (mut start, mut stop, n) = adjust_indices(self.len(), start, stop, step);
        let mut step = step;
        if step == 1 {
            return self.set_slice(start as usize, stop.max(start) as usize, v);
        }
        let Some(v) = v else {
            if n == 0 {
                return Ok(());
            }
            if step < 0 {
                stop = start + 1;
                start = stop + step * (n as isize - 1) - 1;
                step = -step;
            }
            let _ = stop;
            let (start, step, len) = (start as usize, step as usize, self.len());
            let mut old: Vec<Owned<Object>> = Vec::with_capacity(n);
            // SAFETY: the victims are inside the list; each gap is closed by moving the stretch behind it.
            unsafe {
                let p = self.items_ptr();
                for i in 0..n {
                    let at = start + i * step;
                    old.push(Owned::from_raw(*p.add(at)));
                    let next = if i + 1 < n { at + step } else { len };
                    std::ptr::copy(p.add(at + 1), p.add(at - i), next - at - 1);
                }
            }
            self.set_len(len - n);
            self.shrink();
            drop(old);
            return Ok(());
        };
        let new = match v.to_items() {
            Ok(x) => x,
            Err(e) if e.matches(exc::TypeError()) && v.lookup_iter().is_none() => {
                e.clear();
                return raise!(TypeError, "must assign iterable to extended slice");
            }
            Err(e) => return Err(e),
        };
        // Making the items may have changed the list.
        let (start, _, n) = {
            let (a, b, c) = s.unpack()?;
            adjust_indices(self.len(), a, b, c)
        };
        if new.len() != n {
            return raise!(
                ValueError,
                "attempt to assign sequence of size {} to extended slice of size {}",
                new.len(),
                n
            );
        }
        let mut old = Vec::with_capacity(n);
        // SAFETY: the positions are inside the list.
        unsafe {
            let p = self.items_ptr();
            for (i, o) in new.into_iter().enumerate() {
                let q = p.offset(start + i as isize * step);
                old.push(Owned::<Object>::from_raw(std::mem::replace(&mut *q, o.into_raw())));
            }
        }
        drop(old);
        Ok(())
    }
}

/// Copies `n` references.
///
/// # Safety
/// `from` holds `n` live objects, `to` has room for as many and doesn't overlap.
#[inline]
pub(crate) unsafe fn copy_refs(from: *const *mut PyObject, to: *mut *mut PyObject, n: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        for i in 0..n {
            let o = *from.add(i);
            incref(o);
            *to.add(i) = o;
        }
    }
}

impl Object {
    /// Does the type say how to iterate (`tp_iter`, or the sequence protocol)?
    pub(crate) fn lookup_iter(&self) -> Option<()> {
        // SAFETY: a live type's tables are readable.
        unsafe {
            let t = self.ob_type();
            let sq = (*t).tp_as_sequence;
            if (*t).tp_iter.is_some() || (!sq.is_null() && (*sq).sq_item.is_some()) { Some(()) } else { None }
        }
    }
}

#[pymethods(extra = more_slots)]
impl List {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<List>> {
        if cls.tp() == List::type_ptr() {
            return Ok(List::new());
        }
        // SAFETY: an all-zero list is empty.
        unsafe { Ok(Owned::from_raw(typeobject::alloc(cls.tp(), 0)?)) }
    }
    #[slot(tp_init)]
    fn py_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        if kw.is_some_and(|k| k.len() > 0) {
            // SAFETY: comparing slot pointers.
            let own_new = unsafe {
                let new = |t: *mut PyTypeObject| (*t).tp_new.map(|f| f as *const () as usize);
                new(self.ob_type()) == new(List::type_ptr())
            };
            if own_new {
                return raise!(TypeError, "list() takes no keyword arguments");
            }
        }
        if args.len() > 1 {
            return raise!(TypeError, "list expected at most 1 argument, got {}", args.len());
        }
        if !self.items_ptr().is_null() {
            self.clear();
        }
        if args.len() == 1 {
            self.extend(args.item_ref(0))?;
        }
        Ok(())
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        if self.len() == 0 {
            return Ok(Str::new("[]"));
        }
        reprguard::guarded(self, || {
            let mut b = StrBuilder::new();
            b.push_str("[");
            let mut i = 0;
            while let Some(o) = self.get(i) {
                if i > 0 {
                    b.push_str(", ");
                }
                b.push_obj(&*o.repr()?);
                i += 1;
            }
            b.push_str("]");
            Ok(b.finish())
        })
        .unwrap_or_else(|| Ok(Str::new("[...]")))
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(w) = other.downcast::<List>() else { return Ok(not_implemented()) };
        if self.len() != w.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(bool_obj(op == CompareOp::Ne));
        }
        let mut i = 0;
        while i < self.len() && i < w.len() {
            // SAFETY: inside both lists, and nothing runs before the items are held.
            let (a, b) = unsafe { (self.peek(i), w.peek(i)) };
            i += 1;
            if a.is(b) {
                continue;
            }
            let known = a.quick_equals(b);
            if known == Some(true) {
                continue;
            }
            let (a, b) = (a.own(), b.own());
            if known.is_none() && a.rich_compare_bool(&b, CompareOp::Eq)? {
                continue;
            }
            if i > self.len() || i > w.len() {
                // The comparison took the items away: only the lengths are left to compare.
                break;
            }
            return match op {
                CompareOp::Eq => Ok(bool_obj(false)),
                CompareOp::Ne => Ok(bool_obj(true)),
                _ => a.rich_compare(&b, op),
            };
        }
        Ok(bool_obj(op.holds(self.len().cmp(&w.len()))))
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<ListIter> {
        // SAFETY: a new object of this type.
        unsafe { Owned::from_raw(new_seq_iter(ListIter::type_ptr(), self, 0)) }
    }
    #[slot(sq_length)]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot(sq_concat)]
    fn sq_concat(&self, other: &Object) -> PyResult<Owned<List>> {
        let Some(w) = other.downcast::<List>() else {
            return raise!(TypeError, "can only concatenate list (not \"{}\") to list", other.ty().name());
        };
        let l = List::with_capacity(self.len() + w.len());
        // SAFETY: room was made for both; copying references runs nothing.
        unsafe {
            let to = l.items_ptr();
            copy_refs(self.items_ptr(), to, self.len());
            copy_refs(w.items_ptr(), to.add(self.len()), w.len());
        }
        l.set_len(self.len() + w.len());
        Ok(l)
    }
    #[slot(sq_inplace_concat)]
    fn inplace_concat(&self, other: &Object) -> PyResult<Owned<List>> {
        self.extend(other)?;
        Ok(self.own())
    }
    #[slot(sq_repeat)]
    fn sq_repeat(&self, n: isize) -> PyResult<Owned<List>> {
        let len = self.len();
        if len == 0 || n <= 0 {
            return Ok(List::new());
        }
        let Some(total) = len.checked_mul(n as usize).filter(|t| *t <= isize::MAX as usize / 8) else {
            return raise!(MemoryError);
        };
        let l = List::new();
        l.reserve_exact(total)?;
        // SAFETY: room was made; each item gains `n` counts.
        unsafe {
            let (src, dst) = (self.items_ptr(), l.items_ptr());
            for i in 0..len {
                (**src.add(i)).ob_refcnt += n;
            }
            if len == 1 {
                std::slice::from_raw_parts_mut(dst, total).fill(*src);
            } else {
                for k in 0..n as usize {
                    std::ptr::copy_nonoverlapping(src, dst.add(k * len), len);
                }
            }
        }
        l.set_len(total);
        Ok(l)
    }
    #[slot(sq_inplace_repeat)]
    fn inplace_repeat(&self, n: isize) -> PyResult<Owned<List>> {
        let len = self.len();
        if n <= 0 {
            self.clear();
        } else if len > 0 && n > 1 {
            let Some(total) = len.checked_mul(n as usize).filter(|t| *t <= isize::MAX as usize / 8) else {
                return raise!(MemoryError);
            };
            self.reserve(total)?;
            // SAFETY: room was made; each item gains `n - 1` counts.
            unsafe {
                let p = self.items_ptr();
                for i in 0..len {
                    (**p.add(i)).ob_refcnt += n - 1;
                }
                for k in 1..n as usize {
                    std::ptr::copy_nonoverlapping(p, p.add(k * len), len);
                }
            }
            self.set_len(total);
        }
        Ok(self.own())
    }
    #[slot(sq_item)]
    fn sq_item(&self, i: isize) -> PyResult {
        match self.get(i as usize) {
            Some(o) => Ok(o),
            None => raise!(IndexError, "list index out of range"),
        }
    }
    #[slot(sq_ass_item)]
    fn sq_ass_item(&self, i: isize, v: Option<&Object>) -> PyResult<()> {
        if i < 0 || i as usize >= self.len() {
            return raise!(IndexError, "list assignment index out of range");
        }
        match v {
            Some(v) => self.set(i as usize, v.own()),
            None => drop(self.remove_at(i as usize)),
        }
        Ok(())
    }
    #[slot(sq_contains)]
    fn sq_contains(&self, x: &Object) -> PyResult<bool> {
        Ok(self.position(x, 0, usize::MAX)?.is_some())
    }
    #[slot(mp_subscript)]
    #[inline]
    fn subscript(&self, key: &Object) -> PyResult {
        if let Some(i) = key.downcast_exact::<Int>().and_then(|i| i.compact()) {
            let n = self.len() as i64;
            let i = if i < 0 { i + n } else { i };
            if (0..n).contains(&i) {
                // SAFETY: inside the list; C code that is still filling it asks for no item that is null.
                return Ok(unsafe { Object::from_ptr(*self.items_ptr().add(i as usize)) }.own());
            }
        }
        if is_index(key) {
            let i = subscript_index(key)?;
            return self.sq_item(if i < 0 { i + self.len() as isize } else { i });
        }
        let Some(s) = key.downcast::<Slice>() else {
            return raise!(TypeError, "list indices must be integers or slices, not {}", key.ty().name());
        };
        let (start, stop, step) = s.unpack()?;
        let (start, _, n) = adjust_indices(self.len(), start, stop, step);
        if step == 1 {
            return self.slice(start as usize, start as usize + n).map(Owned::into_object);
        }
        let l = List::with_capacity(n);
        // SAFETY: the places are inside the list; room was made, and nothing runs meanwhile.
        unsafe {
            let (from, to) = (self.items_ptr(), l.items_ptr());
            for i in 0..n {
                let o = *from.offset(start + i as isize * step);
                incref(o);
                *to.add(i) = o;
            }
        }
        l.set_len(n);
        Ok(l.into_object())
    }
    #[slot(mp_ass_subscript)]
    fn ass_subscript(&self, key: &Object, v: Option<&Object>) -> PyResult<()> {
        if let (Some(i), Some(v)) = (key.downcast_exact::<Int>().and_then(|i| i.compact()), v) {
            let n = self.len() as i64;
            let i = if i < 0 { i + n } else { i };
            if (0..n).contains(&i) {
                self.set(i as usize, v.own());
                return Ok(());
            }
        }
        if is_index(key) {
            let i = subscript_index(key)?;
            return self.sq_ass_item(if i < 0 { i + self.len() as isize } else { i }, v);
        }
        match key.downcast::<Slice>() {
            Some(s) => self.set_extended_slice(s, v),
            None => raise!(TypeError, "list indices must be integers or slices, not {}", key.ty().name()),
        }
    }
    /// x.__getitem__(y) <==> x[y]
    #[pymethod(coexist)]
    fn __getitem__(&self, key: &Object) -> PyResult {
        self.subscript(key)
    }
    /// Append object to the end of the list.
    #[pymethod]
    fn append(&self, object: &Object) -> PyResult<()> {
        self.try_push(object.own())
    }
    /// Remove all items from list.
    #[pymethod(name = "clear")]
    fn py_clear(&self) {
        self.clear()
    }
    /// Return a shallow copy of the list.
    #[pymethod]
    fn copy(&self) -> PyResult<Owned<List>> {
        self.slice(0, self.len())
    }
    /// Return number of occurrences of value.
    #[pymethod]
    fn count(&self, value: &Object) -> PyResult<usize> {
        let (mut n, mut i) = (0, 0);
        while let Some(at) = self.position(value, i, usize::MAX)? {
            n += 1;
            i = at + 1;
        }
        Ok(n)
    }
    /// Extend list by appending elements from the iterable.
    #[pymethod(name = "extend")]
    fn py_extend(&self, iterable: &Object) -> PyResult<()> {
        self.extend(iterable)
    }
    /// Return first index of value.
    ///
    /// Raises ValueError if the value is not present.
    #[pymethod(signature = "(value, start=0, stop=sys.maxsize, /)")]
    fn index(&self, value: &Object, start: Option<&Object>, stop: Option<&Object>) -> PyResult<usize> {
        let (start, stop) = index_range(start, stop, self.len())?;
        if let Some(i) = self.position(value, start, stop)? {
            return Ok(i);
        }
        raise!(ValueError, "{} is not in list", value.repr()?.to_str_lossy())
    }
    /// Insert object before index.
    #[pymethod(name = "insert")]
    fn py_insert(&self, index: isize, object: &Object) -> PyResult<()> {
        let n = self.len();
        let i = if index < 0 { (index + n as isize).max(0) as usize } else { index as usize };
        self.reserve(n + 1)?;
        self.insert(i, object.own());
        Ok(())
    }
    /// Remove and return item at index (default last).
    ///
    /// Raises IndexError if list is empty or index is out of range.
    #[pymethod(name = "pop", signature = "(index=-1, /)")]
    fn py_pop(&self, index: isize) -> PyResult {
        let n = self.len() as isize;
        if n == 0 {
            return raise!(IndexError, "pop from empty list");
        }
        let i = if index < 0 { index + n } else { index };
        if i < 0 || i >= n {
            return raise!(IndexError, "pop index out of range");
        }
        Ok(self.remove_at(i as usize))
    }
    /// Remove first occurrence of value.
    ///
    /// Raises ValueError if the value is not present.
    #[pymethod]
    fn remove(&self, value: &Object) -> PyResult<()> {
        let Some(i) = self.position(value, 0, usize::MAX)? else {
            return raise!(ValueError, "list.remove(x): x not in list");
        };
        if i < self.len() {
            drop(self.remove_at(i));
        }
        Ok(())
    }
    /// Reverse *IN PLACE*.
    #[pymethod(name = "reverse")]
    fn py_reverse(&self) {
        self.reverse()
    }
    /// Sort the list in ascending order and return None.
    ///
    /// The sort is in-place (i.e. the list itself is modified) and stable (i.e. the
    /// order of two equal elements is maintained).
    ///
    /// If a key function is given, apply it once to each list item and sort them,
    /// ascending or descending, according to their function values.
    ///
    /// The reverse flag can be set to sort in descending order.
    #[pymethod(name = "sort", signature = "(*, key=None, reverse=False)")]
    fn py_sort(&self, key: Option<&Object>, reverse: Option<&Object>) -> PyResult<()> {
        let reverse = match reverse {
            None => false,
            Some(r) => crate::number::index(r)?.sign() != 0,
        };
        self.sort(key.filter(|k| !k.is_none()), reverse)
    }
    /// Return a reverse iterator over the list.
    #[pymethod]
    fn __reversed__(&self) -> Owned<ListRevIter> {
        // SAFETY: a new object of this type.
        unsafe { Owned::from_raw(new_seq_iter(ListRevIter::type_ptr(), self, self.len() as isize - 1)) }
    }
    /// Return the size of the list in memory, in bytes.
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        // SAFETY: a live type's size.
        unsafe { (*self.ob_type()).tp_basicsize as usize + 8 * self.capacity() }
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, object: &Object) -> PyResult {
        crate::genericalias::new(cls, object)
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        crate::sliceobject::unhashable(self)
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        for i in 0..self.len() {
            // SAFETY: the list's own items; visiting changes nothing.
            v.visit_ptr(unsafe { *self.items_ptr().add(i) });
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
            let s = o.cast::<PyListObject>();
            let (items, n) = ((*s).ob_item, (*s).ob_base.ob_size as usize);
            if items.is_null() {
                return free_list(o);
            }
            // Mostly the items live on, and nothing can nest.
            for left in (0..n).rev() {
                let x = *items.add(left);
                if x.is_null() || (*x).ob_refcnt == 1 && !crate::tupleobject::dies_simply(x) {
                    return dealloc_nested(o, left + 1);
                }
                decref(x);
            }
            alloc::put(items.cast(), (*s).allocated.max(0) as usize * 8);
            free_list(o)
        }
    }
}
#[inline(always)]
unsafe fn free_list(o: *mut PyObject) {
    // SAFETY: a dying list whose items are gone.
    unsafe {
        if (*o).ob_type == List::type_ptr() {
            gc::free_untracked(o, size_of::<PyListObject>());
        } else {
            typeobject::free_instance(o);
        }
    }
}
/// The rest of a list's end: only the first `left` items are still its own.
#[inline(never)]
unsafe fn dealloc_nested(o: *mut PyObject, left: usize) {
    // SAFETY: called from the deallocator.
    unsafe {
        let s = o.cast::<PyListObject>();
        // If the list has to wait, all this is done again.
        (*s).ob_base.ob_size = left as isize;
        if !trash::begin(o) {
            return;
        }
        for i in (0..left).rev() {
            xdecref(*(*s).ob_item.add(i));
        }
        alloc::put((*s).ob_item.cast(), (*s).allocated.max(0) as usize * 8);
        free_list(o);
        trash::end();
    }
}

fn more_slots(b: &mut crate::builder::TypeBuilder) {
    b.slot(Py_mp_length, crate::slot_len!(List, |l: &List| Ok(l.len())));
    b.doc(
        c"list(iterable=(), /)\n--\n\nBuilt-in mutable sequence.\n\nIf no argument is given, the constructor creates a new empty list.\n\
The argument must be an iterable if specified.",
    );
}

// ---- Iterators ----

kind!(/** `list_iterator` */ ListIter: SeqIterObject, crate::type_table::PyListIter_Type);
kind!(/** `list_reverseiterator` */ ListRevIter: SeqIterObject, crate::type_table::PyListRevIter_Type);

impl ListIter {
    /// The next item; `None` at the end, which stays to be marked.
    #[inline]
    pub fn step(&self) -> Option<Owned<Object>> {
        // SAFETY: the sequence is a list or null.
        unsafe {
            let it = self.as_struct();
            let (l, i) = ((*it).it_seq.cast::<PyListObject>(), (*it).it_index);
            if l.is_null() || i >= (*l).ob_base.ob_size {
                return None;
            }
            let o = *(*l).ob_item.add(i as usize);
            (*it).it_index = i + 1;
            incref(o);
            Some(Owned::from_raw(o))
        }
    }
}

#[pymethods]
impl ListIter {
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<ListIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        if let Some(o) = self.step() {
            return Ok(Some(o));
        }
        // SAFETY: the sequence is a list or null; its count moves out when exhausted.
        unsafe {
            xdecref(std::mem::replace(&mut (*self.as_struct()).it_seq, null_mut()));
        }
        Ok(None)
    }
    /// Private method returning an estimate of len(list(it)).
    #[pymethod]
    fn __length_hint__(&self) -> usize {
        // SAFETY: the sequence is a list or null.
        unsafe {
            let it = self.as_struct();
            if (*it).it_seq.is_null() {
                return 0;
            }
            ((*(*it).it_seq.cast::<PyVarObject>()).ob_size - (*it).it_index).max(0) as usize
        }
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Object>> {
        // SAFETY: the sequence is a list or null.
        unsafe {
            let it = self.as_struct();
            crate::iterobject::reduce_iter("iter", Object::from_ptr_opt((*it).it_seq), (*it).it_index, false)
        }
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let i = crate::number::as_isize(state, Some(exc::OverflowError()))?;
        // SAFETY: the sequence is a list or null.
        unsafe {
            let it = self.as_struct();
            if !(*it).it_seq.is_null() {
                (*it).it_index = i.clamp(0, (*(*it).it_seq.cast::<PyVarObject>()).ob_size);
            }
        }
        Ok(())
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the field.
        v.visit_ptr(unsafe { (*self.as_struct()).it_seq })
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        dealloc_seq_iter(o)
    }
}

#[pymethods]
impl ListRevIter {
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<ListRevIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: the sequence is a list or null; its count moves out when exhausted.
        unsafe {
            let it = self.as_struct();
            let seq = (*it).it_seq;
            if seq.is_null() {
                return Ok(None);
            }
            let (l, i) = (seq.cast::<PyListObject>(), (*it).it_index);
            if i >= 0 && i < (*l).ob_base.ob_size {
                let o = *(*l).ob_item.add(i as usize);
                (*it).it_index = i - 1;
                incref(o);
                return Ok(Some(Owned::from_raw(o)));
            }
            (*it).it_index = -1;
            (*it).it_seq = null_mut();
            decref(seq);
            Ok(None)
        }
    }
    /// Private method returning an estimate of len(list(it)).
    #[pymethod]
    fn __length_hint__(&self) -> usize {
        // SAFETY: the sequence is a list or null.
        unsafe {
            let it = self.as_struct();
            let n = (*it).it_index + 1;
            if (*it).it_seq.is_null() || (*(*it).it_seq.cast::<PyVarObject>()).ob_size < n {
                return 0;
            }
            n as usize
        }
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Object>> {
        // SAFETY: the sequence is a list or null.
        unsafe {
            let it = self.as_struct();
            match Object::from_ptr_opt((*it).it_seq) {
                Some(s) => crate::iterobject::reduce_iter("reversed", Some(s), (*it).it_index, false),
                None => crate::iterobject::reduce_iter("iter", None, 0, false),
            }
        }
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let i = crate::number::as_isize(state, Some(exc::OverflowError()))?;
        // SAFETY: the sequence is a list or null.
        unsafe {
            let it = self.as_struct();
            if !(*it).it_seq.is_null() {
                (*it).it_index = i.clamp(-1, (*(*it).it_seq.cast::<PyVarObject>()).ob_size - 1);
            }
        }
        Ok(())
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the field.
        v.visit_ptr(unsafe { (*self.as_struct()).it_seq })
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        dealloc_seq_iter(o)
    }
}

pub fn init() -> PyResult<()> {
    ready::<List>()?;
    ready::<ListIter>()?;
    ready::<ListRevIter>()?;
    Ok(())
}
