//! `list.sort`: a stable merge sort that finds runs, merges with galloping, and survives comparisons that raise or lie.
//!
//! While sorting, the list is empty for everybody else; `allocated` is -1, so that any change shows.
//!
//! 1. Homogeneous keys (all exact `int`s of machine size, all `float`s without NaN, all `str`s) have a total order that needs no Python code:
//!    they are copied out beside their items and sorted by the standard library's stable sort.
//! 2. Everything else goes through `Merge`: runs are found from left to right (descending ones reversed, short ones extended by binary
//!    insertion), and neighbouring runs merged. Which ones, says the *power* of the boundary between them: the depth it would have in a
//!    perfectly balanced merge tree over the whole array ("powersort"). A merge copies the shorter run aside; when one side wins repeatedly
//!    it gallops, i.e. finds how far that side wins by exponential search. If a comparison raises, what is aside goes back into the gap,
//!    so the array stays a permutation of what it was.

use crate::consume::{Loop, Request, Watch};
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::slots::CompareOp;
use crate::{alloc, raise};
use lh_abi::*;
use std::cmp::Ordering;
use std::ptr::null_mut;

impl List {
    pub fn sort(&self, key: Option<&Object>, reverse: bool) -> PyResult<()> {
        let s = self.as_struct();
        // SAFETY: the array leaves the list and comes back below; what the list got meanwhile is dropped.
        unsafe {
            let items = std::mem::replace(&mut (*s).ob_item, null_mut());
            let n = std::mem::replace(&mut (*s).ob_base.ob_size, 0);
            let cap = std::mem::replace(&mut (*s).allocated, -1);
            let array: &mut [*mut PyObject] =
                if items.is_null() { &mut [] } else { std::slice::from_raw_parts_mut(items, n as usize) };
            let mut result = sort_array(array, key, reverse);
            let modified = (*s).allocated != -1;
            if modified && result.is_ok() {
                result = raise!(ValueError, "list modified during sort");
            }
            let others = std::mem::replace(&mut (*s).ob_item, items);
            let m = std::mem::replace(&mut (*s).ob_base.ob_size, n);
            (*s).allocated = cap;
            if !others.is_null() {
                for i in (0..m as usize).rev() {
                    decref(*others.add(i));
                }
                alloc::free(others.cast());
            }
            result
        }
    }
}

/// An item beside its key (both borrowed from the arrays that own them).
#[derive(Clone, Copy)]
struct Keyed<K: Copy> {
    key: K,
    item: *mut PyObject,
}

/// Sorts items; on failure they are some permutation.
fn sort_array(items: &mut [*mut PyObject], key: Option<&Object>, reverse: bool) -> PyResult<()> {
    if key.is_none() {
        if items.len() < 2 {
            return Ok(());
        }
        // Reversing before and after keeps equal items in order.
        if reverse {
            items.reverse();
        }
        let done = sort_plain(items);
        if reverse {
            items.reverse();
        }
        if done {
            return Ok(());
        }
    }
    let keys: Vec<Owned<Object>> = match key {
        None => vec![],
        Some(f) => {
            let mut v = Vec::with_capacity(items.len());
            let mut watch = Watch::new(crate::prelude::none_ref(), Some(f));
            for (i, p) in items.iter().enumerate() {
                if watch.is_due()
                    && let Some(r) = other_keys(&items[i..], f)
                {
                    v.extend(r?);
                    break;
                }
                // SAFETY: the array owns its items.
                v.push(f.call1(unsafe { Object::from_ptr(*p) })?);
            }
            v
        }
    };
    let mut pairs: Vec<Keyed<*mut PyObject>> = (0..items.len())
        .map(|i| Keyed { key: if keys.is_empty() { items[i] } else { keys[i].ptr() }, item: items[i] })
        .collect();
    if reverse {
        pairs.reverse();
    }
    let r = sort_pairs(&mut pairs);
    if reverse {
        pairs.reverse();
    }
    for (to, from) in items.iter_mut().zip(&pairs) {
        *to = from.item;
    }
    drop(keys);
    r
}

/// The keys of items, computed by a Python loop; `None` where that cannot be.
fn other_keys(items: &[*mut PyObject], f: &Object) -> Option<PyResult<Vec<Owned<Object>>>> {
    // SAFETY: the array owns its items.
    let rest = List::from_vec(items.iter().map(|p| unsafe { Object::from_ptr(*p) }.own()).collect());
    let keys = List::from_vec(vec![]);
    let it = match rest.iterator() {
        Ok(it) => it,
        Err(e) => return Some(Err(e)),
    };
    let r = Request { f: Some(f), ..Request::with(Loop::Keys, &it, &keys) }.run()?;
    Some(r.map(|_| keys.take_items()))
}

/// Sorts machine integers or floats that are their own keys; false: something else is among them.
fn sort_plain(items: &mut [*mut PyObject]) -> bool {
    /// Copies of the values beside the items, if all are of the type and have one; then nothing to do if they are in order.
    fn by_value<K: Copy + PartialOrd>(
        items: &mut [*mut PyObject],
        t: *mut PyTypeObject,
        get: impl Fn(&Object) -> Option<K>,
    ) -> bool {
        let mut v: Vec<Keyed<K>> = Vec::with_capacity(items.len());
        let mut ordered = true;
        for p in items.iter() {
            // SAFETY: the array owns its items.
            let o = unsafe { Object::from_ptr(*p) };
            let key = if o.ob_type() == t { get(o) } else { None };
            let Some(key) = key else { return false };
            ordered &= v.last().is_none_or(|last| last.key <= key);
            v.push(Keyed { key, item: *p });
        }
        if !ordered {
            v.sort_by(|a, b| a.key.partial_cmp(&b.key).unwrap_or(Ordering::Equal));
            for (p, s) in items.iter_mut().zip(&v) {
                *p = s.item;
            }
        }
        true
    }
    // SAFETY: as above.
    let t = unsafe { (*items[0]).ob_type };
    if t == Int::type_ptr() {
        by_value(items, t, int_key)
    } else if t == Float::type_ptr() {
        by_value(items, t, float_key)
    } else {
        false
    }
}

/// What the first items of tuples have in common that are to be sorted.
#[derive(Clone, Copy)]
enum First {
    Ints,
    Floats,
    Strings,
}

/// Are the first items of all these tuples machine integers, or all floats, or all strings?
fn first_items(pairs: &[Keyed<*mut PyObject>]) -> Option<First> {
    // SAFETY: the caller has checked that the keys are exact tuples.
    let first = |p: &Keyed<*mut PyObject>| unsafe {
        let t = Object::from_ptr(p.key).downcast_unchecked::<Tuple>();
        if t.len() == 0 { None } else { Some(Object::from_ptr(*t.items_ptr())) }
    };
    let o = first(pairs.first()?)?;
    let all = |f: fn(&Object) -> bool| pairs.iter().all(|p| first(p).is_some_and(f));
    if o.is_exact::<Int>() && all(|o| o.downcast_exact::<Int>().is_some_and(|i| i.compact().is_some())) {
        Some(First::Ints)
    } else if o.is_exact::<Str>() && all(|o| o.is_exact::<Str>()) {
        Some(First::Strings)
    } else if o.is_exact::<Float>() && all(|o| o.is_exact::<Float>()) {
        Some(First::Floats)
    } else {
        None
    }
}

/// How two tuples compare by their first items; `None`: these don't decide.
///
/// # Safety
/// Both are tuples that `first_items` has seen.
unsafe fn by_first(kind: First, a: *mut PyObject, b: *mut PyObject) -> Option<bool> {
    // SAFETY: the caller's promise; tuples don't change.
    unsafe {
        let first = |p: *mut PyObject| {
            Object::from_ptr(*Object::from_ptr(p).downcast_unchecked::<Tuple>().items_ptr())
        };
        let (x, y) = (first(a), first(b));
        let order = match kind {
            First::Ints => {
                x.downcast_unchecked::<Int>().compact()?.cmp(&y.downcast_unchecked::<Int>().compact()?)
            }
            First::Floats => x
                .downcast_unchecked::<Float>()
                .value()
                .partial_cmp(&y.downcast_unchecked::<Float>().value())?,
            First::Strings => x.downcast_unchecked::<Str>().cmp(y.downcast_unchecked::<Str>()),
        };
        if order == Ordering::Equal { None } else { Some(order == Ordering::Less) }
    }
}

fn sort_pairs(pairs: &mut Vec<Keyed<*mut PyObject>>) -> PyResult<()> {
    let Some(first) = pairs.first() else { return Ok(()) };
    // SAFETY: keys are live.
    let t = unsafe { (*first.key).ob_type };
    // SAFETY: as above.
    let uniform = pairs.iter().all(|p| unsafe { (*p.key).ob_type == t });
    if uniform {
        if t == Int::type_ptr() && by_copied(pairs, int_key, |a: &i64, b| a.cmp(b)) {
            return Ok(());
        }
        if t == Float::type_ptr()
            && by_copied(pairs, float_key, |a: &f64, b| a.partial_cmp(b).unwrap_or(Ordering::Equal))
        {
            return Ok(());
        }
        if t == Str::type_ptr() {
            sort_strings(pairs);
            return Ok(());
        }
    }
    // Type-specific comparisons of uniform keys can skip the dispatch.
    // SAFETY: keys are live; a ready type's slots are readable.
    let direct = unsafe { if uniform { (*t).tp_richcompare } else { None } };
    let first = if uniform && t == Tuple::type_ptr() { first_items(pairs) } else { None };
    let mut less = |a: &Keyed<*mut PyObject>, b: &Keyed<*mut PyObject>| -> PyResult<bool> {
        // SAFETY: the owners of the keys (the detached array, the key vector) outlive the sort.
        unsafe {
            if let Some(kind) = first
                && let Some(r) = by_first(kind, a.key, b.key)
            {
                return Ok(r);
            }
            if let Some(f) = direct
                && (*a.key).ob_type == t
                && (*b.key).ob_type == t
                && (*t).tp_richcompare == direct
            {
                let r: Owned<Object> = from_c(f(a.key, b.key, CompareOp::Lt as i32))?;
                if r.is_true_object() {
                    return Ok(true);
                }
                if r.is_false_object() {
                    return Ok(false);
                }
                if !r.is_not_implemented() {
                    return r.is_true();
                }
            }
            let r = Object::from_ptr(a.key).rich_compare(Object::from_ptr(b.key), CompareOp::Lt)?;
            r.is_true()
        }
    };
    Merge { a: pairs, less: &mut less, min_gallop: MIN_GALLOP, runs: vec![], tmp: vec![] }.sort()
}

fn int_key(o: &Object) -> Option<i64> {
    // SAFETY: the caller has checked the type.
    unsafe { o.downcast_unchecked::<Int>() }.to_i64()
}
fn float_key(o: &Object) -> Option<f64> {
    // SAFETY: the caller has checked the type.
    Some(unsafe { o.downcast_unchecked::<Float>() }.value()).filter(|v| !v.is_nan())
}

/// Sorts by copies of the keys; false if some key has none.
fn by_copied<K: Copy>(
    pairs: &mut [Keyed<*mut PyObject>],
    get: impl Fn(&Object) -> Option<K>,
    cmp: impl Fn(&K, &K) -> Ordering,
) -> bool {
    let mut v: Vec<Keyed<K>> = Vec::with_capacity(pairs.len());
    for p in pairs.iter() {
        // SAFETY: keys are live.
        match get(unsafe { Object::from_ptr(p.key) }) {
            Some(key) => v.push(Keyed { key, item: p.item }),
            None => return false,
        }
    }
    v.sort_by(|a, b| cmp(&a.key, &b.key));
    for (p, s) in pairs.iter_mut().zip(&v) {
        p.item = s.item;
    }
    true
}

/// Strings: the first eight bytes, big-endian, decide most comparisons of one-byte strings.
fn sort_strings(pairs: &mut [Keyed<*mut PyObject>]) {
    #[derive(Clone, Copy)]
    struct S<'a>(u64, &'a Str);
    // SAFETY: keys are live exact strings.
    let strs: Vec<&Str> =
        pairs.iter().map(|p| unsafe { Object::from_ptr(p.key).downcast_unchecked::<Str>() }).collect();
    let narrow = strs.iter().all(|s| s.kind() == 1);
    let prefix = |s: &Str| -> u64 {
        if !narrow {
            return 0;
        }
        let mut b = [0u8; 8];
        let n = s.len().min(8);
        // SAFETY: `n` one-byte characters are there.
        unsafe { std::ptr::copy_nonoverlapping(s.data(), b.as_mut_ptr(), n) };
        u64::from_be_bytes(b)
    };
    let mut v: Vec<Keyed<S>> =
        pairs.iter().zip(&strs).map(|(p, s)| Keyed { key: S(prefix(s), s), item: p.item }).collect();
    v.sort_by(|a, b| {
        a.key.0.cmp(&b.key.0).then_with(|| {
            if narrow {
                // SAFETY: one byte a character.
                let bytes = |s: &Str| unsafe { std::slice::from_raw_parts(s.data(), s.len()) };
                bytes(a.key.1).cmp(bytes(b.key.1))
            } else {
                a.key.1.cmp(b.key.1)
            }
        })
    });
    let order: Vec<*mut PyObject> = v.iter().map(|x| x.item).collect();
    for (p, s) in pairs.iter_mut().zip(order) {
        p.item = s;
    }
}

// ---- The merge sort ----

const MIN_GALLOP: usize = 7;

struct Run {
    start: usize,
    len: usize,
    /// Power of the boundary with the next run.
    power: u32,
}

struct Merge<'a, E: Copy> {
    a: &'a mut [E],
    less: &'a mut dyn FnMut(&E, &E) -> PyResult<bool>,
    min_gallop: usize,
    runs: Vec<Run>,
    tmp: Vec<E>,
}

impl<E: Copy> Merge<'_, E> {
    fn sort(&mut self) -> PyResult<()> {
        let n = self.a.len();
        if n < 2 {
            return Ok(());
        }
        let min_run = {
            let (mut m, mut odd) = (n, 0);
            while m >= 64 {
                odd |= m & 1;
                m >>= 1;
            }
            m + odd
        };
        let mut start = 0;
        while start < n {
            let mut len = self.count_run(start)?;
            if len < min_run {
                let want = min_run.min(n - start);
                self.insertion(start, len, want)?;
                len = want;
            }
            self.push(start, len)?;
            start += len;
        }
        while self.runs.len() > 1 {
            // Keep the middle run with its smaller neighbour.
            let k = self.runs.len();
            let mut i = k - 2;
            if i > 0 && self.runs[i - 1].len < self.runs[i + 1].len {
                i -= 1;
            }
            self.merge_at(i)?;
        }
        Ok(())
    }

    /// The length of the run at `start`; a strictly descending one is reversed.
    fn count_run(&mut self, start: usize) -> PyResult<usize> {
        let n = self.a.len();
        let mut i = start + 1;
        if i == n {
            return Ok(1);
        }
        if (self.less)(&self.a[i], &self.a[i - 1])? {
            i += 1;
            while i < n && (self.less)(&self.a[i], &self.a[i - 1])? {
                i += 1;
            }
            self.a[start..i].reverse();
        } else {
            i += 1;
            while i < n && !(self.less)(&self.a[i], &self.a[i - 1])? {
                i += 1;
            }
        }
        Ok(i - start)
    }

    /// Extends the sorted stretch of `len` items at `start` to `want` items.
    fn insertion(&mut self, start: usize, len: usize, want: usize) -> PyResult<()> {
        for i in start + len..start + want {
            let x = self.a[i];
            let (mut lo, mut hi) = (start, i);
            while lo < hi {
                let mid = lo + (hi - lo) / 2;
                if (self.less)(&x, &self.a[mid])? { hi = mid } else { lo = mid + 1 }
            }
            self.a.copy_within(lo..i, lo + 1);
            self.a[lo] = x;
        }
        Ok(())
    }

    fn push(&mut self, start: usize, len: usize) -> PyResult<()> {
        if let Some(last) = self.runs.last() {
            let p = power(last.start, last.len, len, self.a.len());
            while self.runs.len() > 1 && self.runs[self.runs.len() - 2].power > p {
                let i = self.runs.len() - 2;
                self.merge_at(i)?;
            }
            self.runs.last_mut().expect("there is one").power = p;
        }
        self.runs.push(Run { start, len, power: 0 });
        Ok(())
    }

    /// Merges runs `i` and `i + 1`.
    fn merge_at(&mut self, i: usize) -> PyResult<()> {
        let (mut a, mut na) = (self.runs[i].start, self.runs[i].len);
        let (b, mut nb) = (self.runs[i + 1].start, self.runs[i + 1].len);
        self.runs[i].len = na + nb;
        self.runs.remove(i + 1);
        if i + 1 < self.runs.len() {
            // The boundary behind the merged run is the one that was behind the second.
            self.runs[i].power =
                power(self.runs[i].start, self.runs[i].len, self.runs[i + 1].len, self.a.len());
        }
        // Items of the first run that are in place already, and of the second.
        let first = self.a[b];
        let k = self.gallop_right(&first, a, na, 0, false)?;
        a += k;
        na -= k;
        if na == 0 {
            return Ok(());
        }
        let last = self.a[a + na - 1];
        nb = self.gallop_left(&last, b, nb, nb - 1, false)?;
        if nb == 0 {
            return Ok(());
        }
        if na <= nb { self.merge_low(a, na, b, nb) } else { self.merge_high(a, na, b, nb) }
    }

    fn at(&self, in_tmp: bool, i: usize) -> E {
        if in_tmp { self.tmp[i] } else { self.a[i] }
    }
    fn at_less(&mut self, in_tmp: bool, i: usize, key: &E) -> PyResult<bool> {
        let x = self.at(in_tmp, i);
        (self.less)(&x, key)
    }
    fn less_at(&mut self, key: &E, in_tmp: bool, i: usize) -> PyResult<bool> {
        let x = self.at(in_tmp, i);
        (self.less)(key, &x)
    }

    /// How many of the `n` items at `start` are less than `key` (it goes left of equal ones); the search begins at `hint`.
    fn gallop_left(&mut self, key: &E, start: usize, n: usize, hint: usize, tmp: bool) -> PyResult<usize> {
        let (mut lo, mut hi);
        if self.at_less(tmp, start + hint, key)? {
            // a[hint] < key: go right.
            let (mut last, mut ofs) = (0, 1);
            while hint + ofs < n && self.at_less(tmp, start + hint + ofs, key)? {
                last = ofs;
                ofs = ofs * 2 + 1;
            }
            lo = hint + last + 1;
            hi = (hint + ofs).min(n);
        } else {
            let (mut last, mut ofs) = (0, 1);
            while ofs <= hint && !self.at_less(tmp, start + hint - ofs, key)? {
                last = ofs;
                ofs = ofs * 2 + 1;
            }
            lo = if ofs > hint { 0 } else { hint - ofs + 1 };
            hi = hint - last;
        }
        while lo < hi {
            let mid = lo + (hi - lo) / 2;
            if self.at_less(tmp, start + mid, key)? { lo = mid + 1 } else { hi = mid }
        }
        Ok(hi)
    }

    /// How many of the `n` items at `start` are not greater than `key` (it goes right of equal ones).
    fn gallop_right(&mut self, key: &E, start: usize, n: usize, hint: usize, tmp: bool) -> PyResult<usize> {
        let (mut lo, mut hi);
        if self.less_at(key, tmp, start + hint)? {
            let (mut last, mut ofs) = (0, 1);
            while ofs <= hint && self.less_at(key, tmp, start + hint - ofs)? {
                last = ofs;
                ofs = ofs * 2 + 1;
            }
            lo = if ofs > hint { 0 } else { hint - ofs + 1 };
            hi = hint - last;
        } else {
            let (mut last, mut ofs) = (0, 1);
            while hint + ofs < n && !self.less_at(key, tmp, start + hint + ofs)? {
                last = ofs;
                ofs = ofs * 2 + 1;
            }
            lo = hint + last + 1;
            hi = (hint + ofs).min(n);
        }
        while lo < hi {
            let mid = lo + (hi - lo) / 2;
            if self.less_at(key, tmp, start + mid)? { hi = mid } else { lo = mid + 1 }
        }
        Ok(hi)
    }

    /// Merges forwards, the first run aside in `tmp`.
    fn merge_low(&mut self, a: usize, na: usize, b: usize, nb: usize) -> PyResult<()> {
        self.tmp.clear();
        self.tmp.extend_from_slice(&self.a[a..a + na]);
        let end = b + nb;
        // i: next of tmp; j: next of the second run; d: where the next item goes. d + (na - i) == j always.
        let (mut i, mut j, mut d) = (0, b, a);
        let r = self.merge_low_loop(&mut i, na, &mut j, end, &mut d);
        // What is left aside fills the gap exactly.
        let left = &self.tmp[i..na];
        self.a[d..d + left.len()].copy_from_slice(left);
        r
    }

    fn merge_low_loop(
        &mut self,
        i: &mut usize,
        na: usize,
        j: &mut usize,
        end: usize,
        d: &mut usize,
    ) -> PyResult<()> {
        loop {
            let (mut wins_a, mut wins_b) = (0, 0);
            // One by one until one side wins often.
            loop {
                if *i == na || *j == end {
                    return Ok(());
                }
                if (self.less)(&self.a[*j], &self.tmp[*i])? {
                    self.a[*d] = self.a[*j];
                    *j += 1;
                    wins_b += 1;
                    wins_a = 0;
                } else {
                    self.a[*d] = self.tmp[*i];
                    *i += 1;
                    wins_a += 1;
                    wins_b = 0;
                }
                *d += 1;
                if wins_a >= self.min_gallop || wins_b >= self.min_gallop {
                    break;
                }
            }
            self.min_gallop += 1;
            loop {
                if *i == na || *j == end {
                    return Ok(());
                }
                self.min_gallop -= (self.min_gallop > 1) as usize;
                let key = self.a[*j];
                let k = self.gallop_right(&key, *i, na - *i, 0, true)?;
                self.a[*d..*d + k].copy_from_slice(&self.tmp[*i..*i + k]);
                *d += k;
                *i += k;
                if *i == na {
                    return Ok(());
                }
                self.a[*d] = self.a[*j];
                *d += 1;
                *j += 1;
                if *j == end {
                    return Ok(());
                }
                let key = self.tmp[*i];
                let m = self.gallop_left(&key, *j, end - *j, 0, false)?;
                self.a.copy_within(*j..*j + m, *d);
                *d += m;
                *j += m;
                if *j == end {
                    return Ok(());
                }
                self.a[*d] = self.tmp[*i];
                *d += 1;
                *i += 1;
                if k < MIN_GALLOP && m < MIN_GALLOP {
                    break;
                }
            }
            self.min_gallop += 1;
        }
    }

    /// Merges backwards, the second run aside in `tmp`.
    fn merge_high(&mut self, a: usize, na: usize, b: usize, nb: usize) -> PyResult<()> {
        self.tmp.clear();
        self.tmp.extend_from_slice(&self.a[b..b + nb]);
        // i: items of the first run left; j: items of tmp left; the next item goes to a + i + j - 1.
        let (mut i, mut j) = (na, nb);
        let r = self.merge_high_loop(a, &mut i, &mut j);
        let at = a + i;
        self.a[at..at + j].copy_from_slice(&self.tmp[..j]);
        r
    }

    fn merge_high_loop(&mut self, a: usize, i: &mut usize, j: &mut usize) -> PyResult<()> {
        loop {
            let (mut wins_a, mut wins_b) = (0, 0);
            loop {
                if *i == 0 || *j == 0 {
                    return Ok(());
                }
                let d = a + *i + *j - 1;
                if (self.less)(&self.tmp[*j - 1], &self.a[a + *i - 1])? {
                    self.a[d] = self.a[a + *i - 1];
                    *i -= 1;
                    wins_a += 1;
                    wins_b = 0;
                } else {
                    self.a[d] = self.tmp[*j - 1];
                    *j -= 1;
                    wins_b += 1;
                    wins_a = 0;
                }
                if wins_a >= self.min_gallop || wins_b >= self.min_gallop {
                    break;
                }
            }
            self.min_gallop += 1;
            loop {
                if *i == 0 || *j == 0 {
                    return Ok(());
                }
                self.min_gallop -= (self.min_gallop > 1) as usize;
                let key = self.tmp[*j - 1];
                let k = *i - self.gallop_right(&key, a, *i, *i - 1, false)?;
                let from = a + *i - k;
                self.a.copy_within(from..from + k, from + *j);
                *i -= k;
                if *i == 0 {
                    return Ok(());
                }
                self.a[a + *i + *j - 1] = self.tmp[*j - 1];
                *j -= 1;
                if *j == 0 {
                    return Ok(());
                }
                let key = self.a[a + *i - 1];
                let m = *j - self.gallop_left(&key, 0, *j, *j - 1, true)?;
                let to = a + *i + *j - m;
                self.a[to..to + m].copy_from_slice(&self.tmp[*j - m..*j]);
                *j -= m;
                if *j == 0 {
                    return Ok(());
                }
                self.a[a + *i + *j - 1] = self.a[a + *i - 1];
                *i -= 1;
                if k < MIN_GALLOP && m < MIN_GALLOP {
                    break;
                }
            }
            self.min_gallop += 1;
        }
    }
}

/// Depth, in a balanced binary tree over `n` items, of the node that parts the run `(start, len)` from the next one of `next` items:
/// the number of leading binary digits that the midpoints of the two, as fractions of `n`, have in common, plus one.
fn power(start: usize, len: usize, next: usize, n: usize) -> u32 {
    let (mut a, mut b) = (2 * start + len, 2 * start + 2 * len + next);
    let mut p = 0;
    loop {
        p += 1;
        if a >= n {
            a -= n;
            b -= n;
        } else if b >= n {
            return p;
        }
        a <<= 1;
        b <<= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(v: &mut [(u32, u32)]) {
        let mut less = |a: &(u32, u32), b: &(u32, u32)| Ok(a.0 < b.0);
        Merge { a: v, less: &mut less, min_gallop: MIN_GALLOP, runs: vec![], tmp: vec![] }.sort().unwrap();
    }

    #[test]
    fn sorts_stably() {
        let mut seed = 12345u32;
        for n in 0..400usize {
            for range in [2, 10, 1000, 100000] {
                for pattern in 0..3 {
                    let mut v: Vec<(u32, u32)> = (0..n as u32)
                        .map(|i| {
                            seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
                            let r = (seed >> 8) % range;
                            (
                                if pattern == 0 {
                                    r
                                } else if pattern == 1 {
                                    i / 7 + r % 3
                                } else {
                                    (n as u32 - i) % (range / 2 + 1)
                                },
                                i,
                            )
                        })
                        .collect();
                    let mut want = v.clone();
                    want.sort_by_key(|x| x.0);
                    sorted(&mut v);
                    assert_eq!(v, want, "n={n} range={range} pattern={pattern}");
                }
            }
        }
    }
}
