//! `slice`, and the arithmetic of indices that all sequences share. (`Ellipsis` itself is in `singletons.rs`.)

use crate::errors::*;
use crate::kinds::*;
use crate::number;
use crate::object::*;
use crate::prelude::{exc, ready};
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::{gc, pymethods, raise, raised};
use lh_abi::*;

/// Can it stand where an integer index is wanted (`__index__`)?
pub fn is_index(o: &Object) -> bool {
    if Int::check(o) {
        return true;
    }
    // SAFETY: a live type's number table, if any, is readable.
    unsafe {
        let nb = (*o.ob_type()).tp_as_number;
        !nb.is_null() && (*nb).nb_index.is_some()
    }
}

/// The `tp_hash` of mutable types.
pub fn unhashable(o: &Object) -> PyResult<isize> {
    raise!(TypeError, "unhashable type: '{}'", o.ty().name())
}

/// An index for a subscript: the value, `IndexError` when it fits no machine word.
#[inline]
pub fn subscript_index(o: &Object) -> PyResult<isize> {
    if let Some(i) = o.downcast_exact::<Int>()
        && let Some(v) = i.to_i64()
    {
        return Ok(v as isize);
    }
    subscript_by_slot(o)
}
#[inline(never)]
fn subscript_by_slot(o: &Object) -> PyResult<isize> {
    // SAFETY: the slot of the object's type; its answer is ours.
    unsafe {
        if let Some(m) = (*o.ob_type()).tp_as_number.as_ref()
            && let Some(f) = m.nb_index
            && !Int::check(o)
        {
            let r = from_c::<Object>(f(o.as_ptr()))?;
            if let Some(v) = r.downcast_exact::<Int>().and_then(|i| i.to_i64()) {
                return Ok(v as isize);
            }
            return number::isize_of_index(o, r, Some(exc::IndexError()));
        }
    }
    number::as_isize(o, Some(exc::IndexError()))
}

/// A slice bound: any integer, clipped to a machine word.
pub fn slice_bound(o: &Object) -> PyResult<isize> {
    if let Some(i) = o.downcast_exact::<Int>()
        && let Some(v) = i.to_i64()
    {
        return Ok(v as isize);
    }
    if !is_index(o) {
        return raise!(TypeError, "slice indices must be integers or None or have an __index__ method");
    }
    number::as_isize(o, None)
}

/// As `slice_bound`, for the `start` and `stop` arguments of `index` methods.
pub fn index_bound(o: &Object) -> PyResult<isize> {
    if !is_index(o) {
        return raise!(TypeError, "slice indices must be integers or have an __index__ method");
    }
    number::as_isize(o, None)
}

/// `start..stop` given as optional arguments of an `index` method, fitted to `len`.
pub fn index_range(start: Option<&Object>, stop: Option<&Object>, len: usize) -> PyResult<(usize, usize)> {
    let fit = |o: Option<&Object>, default: usize| -> PyResult<usize> {
        let Some(o) = o else { return Ok(default) };
        let i = index_bound(o)?;
        Ok(if i < 0 { (i + len as isize).max(0) as usize } else { i as usize })
    };
    Ok((fit(start, 0)?, fit(stop, usize::MAX)?))
}

/// Fits the bounds of a slice with a (non-zero) step to a sequence of `len` items: `(start, stop, count)`.
pub fn adjust_indices(len: usize, mut start: isize, mut stop: isize, step: isize) -> (isize, isize, usize) {
    let len = len as isize;
    let clip = |v: isize| -> isize {
        if v < 0 {
            let v = v.saturating_add(len);
            if v < 0 { if step < 0 { -1 } else { 0 } } else { v }
        } else if v >= len {
            if step < 0 { len - 1 } else { len }
        } else {
            v
        }
    };
    start = clip(start);
    stop = clip(stop);
    let count = if step < 0 {
        if stop < start { (start - stop - 1) / step.wrapping_neg() + 1 } else { 0 }
    } else if start < stop {
        (stop - start - 1) / step + 1
    } else {
        0
    };
    (start, stop, count as usize)
}

/// The last slice that died, whole but for its fields: subscripts make and drop one at a time. Guarded by the GIL.
static mut SPARE: *mut PyObject = std::ptr::null_mut();

impl Slice {
    pub fn new(start: &Object, stop: &Object, step: &Object) -> Owned<Slice> {
        // SAFETY: live objects; a new slice object if no dead one is there.
        unsafe {
            let (a, b, c) = (start.as_ptr(), stop.as_ptr(), step.as_ptr());
            match Slice::of_spare(a, b, c) {
                Some(s) => s,
                None => {
                    let p = gc::new_builtin(Slice::type_ptr(), size_of::<PySliceObject>());
                    assert!(!p.is_null(), "out of memory");
                    Slice::filled(p, a, b, c)
                }
            }
        }
    }
    /// As `new`; `None`: there is no dead slice to be had.
    ///
    /// # Safety
    /// Live objects.
    #[inline(always)]
    pub unsafe fn of_spare(
        start: *mut PyObject,
        stop: *mut PyObject,
        step: *mut PyObject,
    ) -> Option<Owned<Slice>> {
        // SAFETY: the last dead slice is nobody's.
        unsafe {
            let p = SPARE;
            if p.is_null() {
                return None;
            }
            SPARE = std::ptr::null_mut();
            (*p).ob_refcnt = 1;
            Some(Slice::filled(p, start, stop, step))
        }
    }
    #[inline(always)]
    unsafe fn filled(
        p: *mut PyObject,
        start: *mut PyObject,
        stop: *mut PyObject,
        step: *mut PyObject,
    ) -> Owned<Slice> {
        // SAFETY: an untracked slice object; its three fields take over the counts.
        unsafe {
            let s = p.cast::<PySliceObject>();
            incref(start);
            incref(stop);
            incref(step);
            (*s).start = start;
            (*s).stop = stop;
            (*s).step = step;
            gc::track(p);
            Owned::from_raw(p)
        }
    }
    #[inline]
    pub fn start(&self) -> &Object {
        // SAFETY: the fields of a slice never change.
        unsafe { Object::from_ptr((*self.as_struct()).start) }
    }
    #[inline]
    pub fn stop(&self) -> &Object {
        // SAFETY: as above.
        unsafe { Object::from_ptr((*self.as_struct()).stop) }
    }
    #[inline]
    pub fn step(&self) -> &Object {
        // SAFETY: as above.
        unsafe { Object::from_ptr((*self.as_struct()).step) }
    }
    #[inline]
    pub fn bounds(&self) -> [&Object; 3] {
        [self.start(), self.stop(), self.step()]
    }
    /// `(start, stop, step)` as machine words with defaults filled in (`PySlice_Unpack`).
    pub fn unpack(&self) -> PyResult<(isize, isize, isize)> {
        let step = if self.step().is_none() {
            1
        } else {
            match slice_bound(self.step())? {
                0 => return raise!(ValueError, "slice step cannot be zero"),
                s => s.max(-isize::MAX),
            }
        };
        let start = if self.start().is_none() {
            if step < 0 { isize::MAX } else { 0 }
        } else {
            slice_bound(self.start())?
        };
        let stop = if self.stop().is_none() {
            if step < 0 { isize::MIN } else { isize::MAX }
        } else {
            slice_bound(self.stop())?
        };
        Ok((start, stop, step))
    }
    /// `unpack` where the step is `None` and the bounds are that or small ints: what most slices are.
    #[inline(always)]
    pub fn unpack_plain(&self) -> Option<(isize, isize, isize)> {
        let bound = |o: &Object, default: isize| {
            if o.is_none() { Some(default) } else { Some(o.downcast_exact::<Int>()?.compact()? as isize) }
        };
        if !self.step().is_none() {
            return None;
        }
        Some((bound(self.start(), 0)?, bound(self.stop(), isize::MAX)?, 1))
    }
    /// `(start, stop, step, count)` for a sequence of `len` items.
    pub fn indices(&self, len: usize) -> PyResult<(isize, isize, isize, usize)> {
        let (start, stop, step) = self.unpack()?;
        let (start, stop, n) = adjust_indices(len, start, stop, step);
        Ok((start, stop, step, n))
    }

    /// The three values for a length that may be any integer, as integer objects.
    pub fn indices_of(&self, length: &Object) -> PyResult<(Owned, Owned, Owned)> {
        let zero = || Int::from_i64(0).into_object();
        let minus_one = || Int::from_i64(-1).into_object();
        let lt = |a: &Object, b: &Object| a.rich_compare_bool(b, CompareOp::Lt);
        let eval = |o: &Object| -> PyResult<Owned> {
            if is_index(o) {
                number::index(o).map(Owned::into_object)
            } else {
                raise!(TypeError, "slice indices must be integers or None or have an __index__ method")
            }
        };
        let step = if self.step().is_none() { Int::from_i64(1).into_object() } else { eval(self.step())? };
        let negative = {
            let i = number::index(&step)?;
            if i.sign() == 0 {
                return raise!(ValueError, "slice step cannot be zero");
            }
            i.sign() < 0
        };
        let (lower, upper) =
            if negative { (minus_one(), number::add(length, &minus_one())?) } else { (zero(), length.own()) };
        let fit = |o: &Object| -> PyResult<Owned> {
            let v = eval(o)?;
            if lt(&v, &zero())? {
                let v = number::add(&v, length)?;
                Ok(if lt(&v, &lower)? { lower.clone() } else { v })
            } else {
                Ok(if lt(&upper, &v)? { upper.clone() } else { v })
            }
        };
        let start = if self.start().is_none() {
            if negative { upper.clone() } else { lower.clone() }
        } else {
            fit(self.start())?
        };
        let stop = if self.stop().is_none() {
            if negative { lower.clone() } else { upper.clone() }
        } else {
            fit(self.stop())?
        };
        Ok((start, stop, step))
    }
}

#[pymethods(extra = members)]
impl Slice {
    #[slot(tp_new)]
    fn py_new(_cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Slice>> {
        if kw.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "slice() takes no keyword arguments");
        }
        let n = none_ref();
        match args.len() {
            0 => raise!(TypeError, "slice expected at least 1 argument, got 0"),
            1 => Ok(Slice::new(n, args.item_ref(0), n)),
            2 => Ok(Slice::new(args.item_ref(0), args.item_ref(1), n)),
            3 => Ok(Slice::new(args.item_ref(0), args.item_ref(1), args.item_ref(2))),
            k => raise!(TypeError, "slice expected at most 3 arguments, got {}", k),
        }
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        let mut b = crate::strobject::StrBuilder::new();
        b.push_str("slice(");
        b.push_obj(&*self.start().repr()?);
        b.push_str(", ");
        b.push_obj(&*self.stop().repr()?);
        b.push_str(", ");
        b.push_obj(&*self.step().repr()?);
        b.push_str(")");
        Ok(b.finish())
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(o) = other.downcast_exact::<Slice>() else { return Ok(not_implemented()) };
        if self.as_ptr() == o.as_ptr() {
            return Ok(bool_obj(matches!(op, CompareOp::Eq | CompareOp::Le | CompareOp::Ge)));
        }
        let a = Tuple::from_refs(&[self.start(), self.stop(), self.step()]);
        let b = Tuple::from_refs(&[o.start(), o.stop(), o.step()]);
        a.rich_compare(&b, op)
    }
    #[slot(tp_hash)]
    fn hash(&self) -> PyResult<isize> {
        unhashable(self)
    }
    /// S.indices(len) -> (start, stop, stride)
    ///
    /// Assuming a sequence of length len, calculate the start and stop
    /// indices, and the stride length of the extended slice described by
    /// S. Out of bounds indices are clipped in a manner consistent with the
    /// handling of normal slices.
    #[pymethod(name = "indices")]
    fn py_indices(&self, len: &Object) -> PyResult<(Owned, Owned, Owned)> {
        let length = number::index(len)?;
        if length.sign() < 0 {
            return Err(raised!(ValueError, "length should not be negative"));
        }
        self.indices_of(&length)
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult<(Owned<Type>, Owned<Tuple>)> {
        Ok((self.ty().own(), Tuple::from_refs(&[self.start(), self.stop(), self.step()])))
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the fields.
        unsafe {
            let s = self.as_struct();
            v.visit_ptr((*s).start);
            v.visit_ptr((*s).stop);
            v.visit_ptr((*s).step);
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let s = o.cast::<PySliceObject>();
            xdecref((*s).start);
            xdecref((*s).stop);
            xdecref((*s).step);
            if SPARE.is_null() {
                SPARE = o;
                return;
            }
            gc::free_untracked(o, size_of::<PySliceObject>());
        }
    }
}

fn members(b: &mut crate::builder::TypeBuilder) {
    b.member(c"start", T_OBJECT, core::mem::offset_of!(PySliceObject, start), READONLY);
    b.member(c"stop", T_OBJECT, core::mem::offset_of!(PySliceObject, stop), READONLY);
    b.member(c"step", T_OBJECT, core::mem::offset_of!(PySliceObject, step), READONLY);
    b.doc(
        c"slice(stop)\nslice(start, stop[, step])\n\nCreate a slice object.  This is used for extended slicing (e.g. a[0:10:2]).",
    );
    // Unhashable types say so by attribute as well.
    b.class_attr("__hash__", || Ok(none()));
}

pub fn init() -> PyResult<()> {
    ready::<Slice>()?;
    Ok(())
}
