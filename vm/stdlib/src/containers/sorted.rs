//! `_bisect` and `_heapq`: binary search and heaps in lists.
//!
//! Comparisons may change the list: sizes are checked after each.

use lh_runtime::prelude::*;

/// How two numbers of the same kind compare, without a call (`None`: that is not what they are, or one is no number).
#[inline]
fn order(a: &Object, b: &Object) -> Option<std::cmp::Ordering> {
    if let (Some(x), Some(y)) = (a.downcast_exact::<Int>(), b.downcast_exact::<Int>()) {
        return Some(x.compact()?.cmp(&y.compact()?));
    }
    let (x, y) = (a.downcast_exact::<Float>()?, b.downcast_exact::<Float>()?);
    x.value().partial_cmp(&y.value())
}
fn lt(a: &Object, b: &Object) -> PyResult<bool> {
    if let Some(o) = order(a, b) {
        return Ok(o.is_lt());
    }
    // Tuples whose first items differ, as the entries of heaps often are.
    if let (Some(x), Some(y)) = (a.downcast_exact::<Tuple>(), b.downcast_exact::<Tuple>())
        && x.len() > 0
        && y.len() > 0
        && let Some(o) = order(x.item_ref(0), y.item_ref(0))
        && o.is_ne()
    {
        return Ok(o.is_lt());
    }
    a.rich_compare(b, CompareOp::Lt)?.is_true()
}

pub mod bisect {
    use super::*;

    module! {
        "_bisect",
        doc: "Bisection algorithms.\n\nThis module provides support for maintaining a list in sorted order without\nhaving to sort the list after each insertion. For long lists of items with\nexpensive comparison operations, this can be an improvement over the more\ncommon approach.\n",
        functions: [bisect_right, bisect_left, insort_right, insort_left],
    }

    fn search(
        a: &Object,
        x: &Object,
        lo: isize,
        hi: Option<isize>,
        key: Option<&Object>,
        right: bool,
    ) -> PyResult<isize> {
        if lo < 0 {
            return raise!(ValueError, "lo must be non-negative");
        }
        let (mut lo, mut hi) = (
            lo,
            match hi {
                Some(h) => h,
                None => a.length()? as isize,
            },
        );
        while lo < hi {
            let mid = lo + (hi - lo) / 2;
            let item = match a.downcast_exact::<List>().and_then(|l| l.get(mid as usize)) {
                Some(i) => i,
                None => a.seq_item(mid)?,
            };
            let item = match key {
                Some(k) => k.call1(&item)?,
                None => item,
            };
            let left = if right { !lt(x, &item)? } else { lt(&item, x)? };
            if left { lo = mid + 1 } else { hi = mid }
        }
        Ok(lo)
    }
    fn insert(a: &Object, at: isize, x: &Object) -> PyResult<()> {
        if let Some(l) = a.downcast_exact::<List>() {
            l.insert(at.max(0) as usize, x.own());
            return Ok(());
        }
        a.call_method("insert", &[&Int::from_i64(at as i64), x]).map(|_| ())
    }
    fn some(key: Option<&Object>) -> Option<&Object> {
        key.filter(|k| !k.is_none())
    }

    /// Return the index where to insert item x in list a, assuming a is sorted.
    ///
    /// The return value i is such that all e in a[:i] have e <= x, and all e in
    /// a[i:] have e > x.  So if x already appears in the list, a.insert(i, x) will
    /// insert just after the rightmost x already there.
    ///
    /// Optional args lo (default 0) and hi (default len(a)) bound the
    /// slice of a to be searched.
    #[pyfunction(signature = "(a, x, lo=0, hi=None, *, key=None)")]
    pub fn bisect_right(
        a: &Object,
        x: &Object,
        lo: isize,
        hi: Option<isize>,
        key: Option<&Object>,
    ) -> PyResult<isize> {
        search(a, x, lo, hi, some(key), true)
    }
    /// Return the index where to insert item x in list a, assuming a is sorted.
    ///
    /// The return value i is such that all e in a[:i] have e < x, and all e in
    /// a[i:] have e >= x.  So if x already appears in the list, a.insert(i, x) will
    /// insert just before the leftmost x already there.
    ///
    /// Optional args lo (default 0) and hi (default len(a)) bound the
    /// slice of a to be searched.
    #[pyfunction(signature = "(a, x, lo=0, hi=None, *, key=None)")]
    pub fn bisect_left(
        a: &Object,
        x: &Object,
        lo: isize,
        hi: Option<isize>,
        key: Option<&Object>,
    ) -> PyResult<isize> {
        search(a, x, lo, hi, some(key), false)
    }
    /// Insert item x in list a, and keep it sorted assuming a is sorted.
    ///
    /// If x is already in a, insert it to the right of the rightmost x.
    ///
    /// Optional args lo (default 0) and hi (default len(a)) bound the
    /// slice of a to be searched.
    #[pyfunction(signature = "(a, x, lo=0, hi=None, *, key=None)")]
    pub fn insort_right(
        a: &Object,
        x: &Object,
        lo: isize,
        hi: Option<isize>,
        key: Option<&Object>,
    ) -> PyResult<()> {
        let at = match some(key) {
            Some(k) => search(a, &*k.call1(x)?, lo, hi, Some(k), true)?,
            None => search(a, x, lo, hi, None, true)?,
        };
        insert(a, at, x)
    }
    /// Insert item x in list a, and keep it sorted assuming a is sorted.
    ///
    /// If x is already in a, insert it to the left of the leftmost x.
    ///
    /// Optional args lo (default 0) and hi (default len(a)) bound the
    /// slice of a to be searched.
    #[pyfunction(signature = "(a, x, lo=0, hi=None, *, key=None)")]
    pub fn insort_left(
        a: &Object,
        x: &Object,
        lo: isize,
        hi: Option<isize>,
        key: Option<&Object>,
    ) -> PyResult<()> {
        let at = match some(key) {
            Some(k) => search(a, &*k.call1(x)?, lo, hi, Some(k), false)?,
            None => search(a, x, lo, hi, None, false)?,
        };
        insert(a, at, x)
    }
}

pub mod heapq {
    use super::*;

    module! {
        "_heapq",
        doc: "Heap queue algorithm (a.k.a. priority queue).",
        functions: [heappush, heappushpop, heappop, heapreplace, heapify, _heappop_max, _heapify_max, _heapreplace_max],
        init: setup,
    }

    fn setup(m: &Module) -> PyResult<()> {
        m.add("__about__", &Str::new("Heap queues"))
    }

    fn item(h: &List, i: usize) -> PyResult {
        match h.get(i) {
            Some(o) => Ok(o),
            None => raise!(IndexError, "list index out of range"),
        }
    }
    /// Is `a` to come out before `b`?
    fn before(a: &Object, b: &Object, max: bool) -> PyResult<bool> {
        if max { lt(b, a) } else { lt(a, b) }
    }
    fn unchanged(h: &List, n: usize) -> PyResult<()> {
        if h.len() == n { Ok(()) } else { raise!(RuntimeError, "list changed size during iteration") }
    }
    /// Moves the item at `pos` towards the root.
    fn sift_down(h: &List, start: usize, mut pos: usize, max: bool) -> PyResult<()> {
        let n = h.len();
        let new = item(h, pos)?;
        while pos > start {
            let parent_pos = (pos - 1) >> 1;
            let parent = item(h, parent_pos)?;
            let less = before(&new, &parent, max)?;
            unchanged(h, n)?;
            if !less {
                break;
            }
            let (a, b) = (item(h, pos)?, item(h, parent_pos)?);
            h.set(parent_pos, a);
            h.set(pos, b);
            pos = parent_pos;
        }
        Ok(())
    }
    /// Moves the item at `pos` to a leaf along the better children, then back to its place.
    fn sift_up(h: &List, mut pos: usize, max: bool) -> PyResult<()> {
        let (n, start) = (h.len(), pos);
        if pos >= n {
            return raise!(IndexError, "index out of range");
        }
        while pos < n / 2 {
            let mut child = 2 * pos + 1;
            if child + 1 < n {
                let (a, b) = (item(h, child)?, item(h, child + 1)?);
                let less = before(&a, &b, max)?;
                unchanged(h, n)?;
                if !less {
                    child += 1;
                }
            }
            let (a, b) = (item(h, child)?, item(h, pos)?);
            h.set(child, b);
            h.set(pos, a);
            pos = child;
        }
        sift_down(h, start, pos, max)
    }
    fn pop(h: &List, max: bool) -> PyResult {
        let Some(last) = h.pop() else { return raise!(IndexError, "index out of range") };
        if h.len() == 0 {
            return Ok(last);
        }
        let top = item(h, 0)?;
        h.set(0, last);
        sift_up(h, 0, max)?;
        Ok(top)
    }
    fn replace(h: &List, x: &Object, max: bool) -> PyResult {
        let Some(top) = h.get(0) else { return raise!(IndexError, "index out of range") };
        h.set(0, x.own());
        sift_up(h, 0, max)?;
        Ok(top)
    }
    fn build(h: &List, max: bool) -> PyResult<()> {
        let n = h.len();
        for i in (0..n / 2).rev() {
            sift_up(h, i, max)?;
        }
        Ok(())
    }

    /// Push item onto heap, maintaining the heap invariant.
    #[pyfunction]
    pub fn heappush(heap: &List, item: &Object) -> PyResult<()> {
        heap.try_push(item.own())?;
        sift_down(heap, 0, heap.len() - 1, false)
    }
    /// Pop the smallest item off the heap, maintaining the heap invariant.
    #[pyfunction]
    pub fn heappop(heap: &List) -> PyResult {
        pop(heap, false)
    }
    /// Pop and return the current smallest value, and add the new item.
    ///
    /// This is more efficient than heappop() followed by heappush(), and can be
    /// more appropriate when using a fixed-size heap.  Note that the value
    /// returned may be larger than item!  That constrains reasonable uses of
    /// this routine unless written as part of a conditional replacement:
    ///
    ///     if item > heap[0]:
    ///         item = heapreplace(heap, item)
    #[pyfunction]
    pub fn heapreplace(heap: &List, item: &Object) -> PyResult {
        replace(heap, item, false)
    }
    /// Push item on the heap, then pop and return the smallest item from the heap.
    ///
    /// The combined action runs more efficiently than heappush() followed by
    /// a separate call to heappop().
    #[pyfunction]
    pub fn heappushpop(heap: &List, item: &Object) -> PyResult {
        let Some(top) = heap.get(0) else { return Ok(item.own()) };
        if !lt(&top, item)? {
            return Ok(item.own());
        }
        if heap.len() == 0 {
            return raise!(IndexError, "index out of range");
        }
        replace(heap, item, false)
    }
    /// Transform list into a heap, in-place, in O(len(heap)) time.
    #[pyfunction]
    pub fn heapify(heap: &List) -> PyResult<()> {
        build(heap, false)
    }
    /// Maxheap variant of heappop.
    #[pyfunction]
    pub fn _heappop_max(heap: &List) -> PyResult {
        pop(heap, true)
    }
    /// Maxheap variant of heapreplace.
    #[pyfunction]
    pub fn _heapreplace_max(heap: &List, item: &Object) -> PyResult {
        replace(heap, item, true)
    }
    /// Maxheap variant of heapify.
    #[pyfunction]
    pub fn _heapify_max(heap: &List) -> PyResult<()> {
        build(heap, true)
    }
}
