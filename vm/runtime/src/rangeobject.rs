//! `range`, `range_iterator` and `longrange_iterator`.
//!
//! A range holds four integer objects. Where all of them fit a machine word (nearly always) arithmetic is done on those; a big range falls
//! back to big integers. `RangeIterObject` is plain machine words, so that compiled code can step it.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::ready;
use crate::singletons::*;
use crate::sliceobject::is_index;
use crate::slots::CompareOp;
use crate::{alloc, kind, number, pymethods, raise, typeobject};
use lh_abi::*;
use num_bigint::BigInt;
use num_traits::{Signed, Zero};

/// `range`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RangeObject {
    pub ob_base: PyObject,
    pub start: *mut PyObject,
    pub stop: *mut PyObject,
    pub step: *mut PyObject,
    pub length: *mut PyObject,
}
kind!(/** `range` */ Range: RangeObject, crate::type_table::PyRange_Type);

/// `range_iterator`: the next value is `start + index * step` while `index < len`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RangeIterObject {
    pub ob_base: PyObject,
    pub index: i64,
    pub start: i64,
    pub step: i64,
    pub len: i64,
}
kind!(/** `range_iterator` */ RangeIter: RangeIterObject, crate::type_table::PyRangeIter_Type);

/// `longrange_iterator`: the same with integer objects.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LongRangeIterObject {
    pub ob_base: PyObject,
    pub index: *mut PyObject,
    pub start: *mut PyObject,
    pub step: *mut PyObject,
    pub len: *mut PyObject,
}
kind!(/** `longrange_iterator` */ LongRangeIter: LongRangeIterObject, crate::type_table::PyLongRangeIter_Type);

/// A new object without a GC head.
unsafe fn new_plain(tp: *mut PyTypeObject) -> *mut PyObject {
    // SAFETY: the type's basicsize bytes, zeroed, then the head.
    unsafe {
        let p = alloc::calloc(1, (*tp).tp_basicsize as usize).cast::<PyObject>();
        assert!(!p.is_null(), "out of memory");
        (*p).ob_refcnt = 1;
        (*p).ob_type = tp;
        p
    }
}

fn int(v: i64) -> Owned<Object> {
    Int::from_i64(v).into_object()
}
fn big(o: &Object) -> BigInt {
    o.downcast::<Int>().map_or_else(BigInt::zero, |i| i.to_bigint())
}
fn obj(v: &BigInt) -> Owned<Object> {
    Int::from_bigint(v).into_object()
}

/// `operator.index(o)` as an exact `int`.
pub(crate) fn plain(o: &Object) -> PyResult {
    let i = number::index(o)?;
    Ok(if i.is_exact::<Int>() { i.into_object() } else { Int::from_bigint(&i.to_bigint()).into_object() })
}

/// How many values lie from `start` to `stop` by `step`.
fn count(start: i128, stop: i128, step: i128) -> i128 {
    if step > 0 {
        if start < stop { (stop - start - 1) / step + 1 } else { 0 }
    } else if start > stop {
        (start - stop - 1) / -step + 1
    } else {
        0
    }
}

fn big_count(start: &BigInt, stop: &BigInt, step: &BigInt) -> BigInt {
    let (span, step) = if step.is_positive() { (stop - start, step.clone()) } else { (start - stop, -step) };
    if span.is_positive() { (span - 1) / step + 1 } else { BigInt::zero() }
}

impl Range {
    /// `range(start, stop, step)` of integers; `step` is not zero.
    pub fn from_ints(start: Owned<Object>, stop: Owned<Object>, step: Owned<Object>) -> Owned<Range> {
        let small = |o: &Object| o.downcast::<Int>().and_then(|i| i.to_i64());
        let length = match (small(&start), small(&stop), small(&step)) {
            (Some(a), Some(b), Some(c)) => {
                Int::from_i128(count(a as i128, b as i128, c as i128)).into_object()
            }
            _ => obj(&big_count(&big(&start), &big(&stop), &big(&step))),
        };
        // SAFETY: a new object that takes over the references.
        unsafe {
            let p = new_plain(Range::type_ptr());
            let r = p.cast::<RangeObject>();
            (*r).start = start.into_raw();
            (*r).stop = stop.into_raw();
            (*r).step = step.into_raw();
            (*r).length = length.into_raw();
            Owned::from_raw(p)
        }
    }
    pub fn start(&self) -> &Object {
        // SAFETY: the fields of a range never change.
        unsafe { Object::from_ptr((*self.as_struct()).start) }
    }
    pub fn stop(&self) -> &Object {
        // SAFETY: as above.
        unsafe { Object::from_ptr((*self.as_struct()).stop) }
    }
    pub fn step(&self) -> &Object {
        // SAFETY: as above.
        unsafe { Object::from_ptr((*self.as_struct()).step) }
    }
    pub fn length(&self) -> &Object {
        // SAFETY: as above.
        unsafe { Object::from_ptr((*self.as_struct()).length) }
    }
    /// `(start, stop, step, length)` in machine words, if they fit.
    pub fn small(&self) -> Option<(i64, i64, i64, i64)> {
        let f = |o: &Object| o.downcast::<Int>().and_then(|i| i.to_i64());
        Some((f(self.start())?, f(self.stop())?, f(self.step())?, f(self.length())?))
    }
    /// `(start, step, length)` where every value of the range and the step are machine words.
    pub fn words(&self) -> Option<(i64, i64, i64)> {
        let (start, _, step, n) = self.small()?;
        if n > 0 {
            start.checked_add(step.checked_mul(n)?)?;
        }
        Some((start, step, n))
    }
    /// Item `i` of the range, not checked.
    fn value(&self, i: &BigInt) -> Owned<Object> {
        obj(&(big(self.start()) + i * big(self.step())))
    }
    fn item(&self, i: &Object) -> PyResult {
        let i = number::index(i)?;
        if let (Some((start, _, step, len)), Some(i)) = (self.small(), i.to_i64()) {
            let i = if i < 0 { i as i128 + len as i128 } else { i as i128 };
            if i < 0 || i >= len as i128 {
                return raise!(IndexError, "range object index out of range");
            }
            return Ok(Int::from_i128(start as i128 + i * step as i128).into_object());
        }
        let len = big(self.length());
        let mut i = i.to_bigint();
        if i.is_negative() {
            i += &len;
        }
        if i.is_negative() || i >= len {
            return raise!(IndexError, "range object index out of range");
        }
        Ok(self.value(&i))
    }
    fn slice(&self, s: &Slice) -> PyResult {
        if let Some((start, _, step, len)) = self.small()
            && s.bounds().iter().all(|o| o.is_none() || o.is_exact::<Int>())
            && len < 1 << 60
        {
            let (a, b, by, _) = s.indices(len as usize)?;
            let int = |v: i128| Int::from_i128(v).into_object();
            let value = |i: isize| int(start as i128 + i as i128 * step as i128);
            return Ok(Range::from_ints(value(a), value(b), int(by as i128 * step as i128)).into_object());
        }
        let (a, b, step) = s.indices_of(self.length())?;
        let new_step = obj(&(big(&step) * big(self.step())));
        Ok(Range::from_ints(self.value(&big(&a)), self.value(&big(&b)), new_step).into_object())
    }
    /// Where the integer `v` stands in the range.
    fn find_int(&self, v: &Int) -> Option<BigInt> {
        if let (Some((start, _, step, len)), Some(v)) = (self.small(), v.to_i64()) {
            let d = v as i128 - start as i128;
            let (q, r) = (d / step as i128, d % step as i128);
            return (r == 0 && q >= 0 && q < len as i128).then(|| BigInt::from(q));
        }
        let (d, step) = (v.to_bigint() - big(self.start()), big(self.step()));
        let (q, r) = (&d / &step, &d % &step);
        (r.is_zero() && !q.is_negative() && q < big(self.length())).then_some(q)
    }
    /// An integer that `in`, `index` and `count` can answer by arithmetic.
    fn plain_int(o: &Object) -> Option<&Int> {
        if o.is_exact::<Int>() || o.is_exact::<Bool>() { o.downcast() } else { None }
    }
    fn iter_from(start: &Object, step: &Object, len: &Object) -> Owned<Object> {
        let f = |o: &Object| o.downcast::<Int>().and_then(|i| i.to_i64());
        // SAFETY: a new iterator object of either layout.
        unsafe {
            if let (Some(a), Some(s), Some(n)) = (f(start), f(step), f(len)) {
                // The value one past the end must fit as well.
                if i64::try_from(a as i128 + n as i128 * s as i128).is_ok() {
                    let p = alloc::take(size_of::<RangeIterObject>()).cast::<PyObject>();
                    assert!(!p.is_null(), "out of memory");
                    *p = PyObject { ob_refcnt: 1, ob_type: RangeIter::type_ptr() };
                    let it = p.cast::<RangeIterObject>();
                    (*it).index = 0;
                    (*it).start = a;
                    (*it).step = s;
                    (*it).len = n;
                    return Owned::from_raw(p);
                }
            }
            let p = new_plain(LongRangeIter::type_ptr());
            let it = p.cast::<LongRangeIterObject>();
            (*it).index = int(0).into_raw();
            (*it).start = start.own().into_raw();
            (*it).step = step.own().into_raw();
            (*it).len = len.own().into_raw();
            Owned::from_raw(p)
        }
    }
    /// What equality and hash look at.
    fn key(&self) -> Owned<Tuple> {
        let n = none_ref();
        let len = self.length().downcast::<Int>().and_then(|i| i.to_i64());
        match len {
            Some(0) => Tuple::from_refs(&[self.length(), n, n]),
            Some(1) => Tuple::from_refs(&[self.length(), self.start(), n]),
            _ => Tuple::from_refs(&[self.length(), self.start(), self.step()]),
        }
    }
}

#[pymethods(extra = range_extra)]
impl Range {
    #[slot(tp_new)]
    fn py_new(_cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Range>> {
        if kw.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "range() takes no keyword arguments");
        }
        let index = |i: usize| plain(args.item_ref(i));
        match args.len() {
            0 => raise!(TypeError, "range expected at least 1 argument, got 0"),
            1 => Ok(Range::from_ints(int(0), index(0)?, int(1))),
            2 => Ok(Range::from_ints(index(0)?, index(1)?, int(1))),
            3 => {
                let (a, b, c) = (index(0)?, index(1)?, index(2)?);
                if c.downcast::<Int>().is_some_and(|c| c.sign() == 0) {
                    return raise!(ValueError, "range() arg 3 must not be zero");
                }
                Ok(Range::from_ints(a, b, c))
            }
            n => raise!(TypeError, "range expected at most 3 arguments, got {}", n),
        }
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<String> {
        let (a, b) = (self.start().repr()?, self.stop().repr()?);
        if self.step().downcast::<Int>().is_some_and(|s| s.to_i64() == Some(1)) {
            return Ok(format!("range({}, {})", a.to_str()?, b.to_str()?));
        }
        Ok(format!("range({}, {}, {})", a.to_str()?, b.to_str()?, self.step().repr()?.to_str()?))
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        self.key().hash_obj()
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        match other.downcast::<Range>() {
            Some(r) if matches!(op, CompareOp::Eq | CompareOp::Ne) => {
                let same = self.as_ptr() == r.as_ptr() || self.key().equals_obj(&r.key())?;
                Ok(bool_obj(same == (op == CompareOp::Eq)))
            }
            _ => Ok(not_implemented()),
        }
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<Object> {
        Range::iter_from(self.start(), self.step(), self.length())
    }
    #[slot(sq_length)]
    fn sq_length(&self) -> PyResult<usize> {
        match self.length().downcast::<Int>().and_then(|n| n.to_i64()) {
            Some(n) => Ok(n as usize),
            None => raise!(OverflowError, "Python int too large to convert to C ssize_t"),
        }
    }
    #[slot(nb_bool)]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(self.length().downcast::<Int>().is_some_and(|n| n.sign() != 0))
    }
    #[slot(sq_item)]
    fn sq_item(&self, i: isize) -> PyResult {
        self.item(&int(i as i64))
    }
    #[slot(sq_contains)]
    fn sq_contains(&self, x: &Object) -> PyResult<bool> {
        if let Some(i) = Range::plain_int(x) {
            return Ok(self.find_int(i).is_some());
        }
        let it = self.py_iter();
        while let Some(y) = it.iter_next()? {
            if y.equals_obj(x)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
    #[slot(mp_subscript)]
    fn subscript(&self, key: &Object) -> PyResult {
        if is_index(key) {
            return self.item(key);
        }
        match key.downcast::<Slice>() {
            Some(s) => self.slice(s),
            None => raise!(TypeError, "range indices must be integers or slices, not {}", key.ty().name()),
        }
    }
    /// Return a reverse iterator.
    #[pymethod]
    fn __reversed__(&self) -> Owned<Object> {
        let last = self.value(&(big(self.length()) - 1));
        let back = obj(&-big(self.step()));
        Range::iter_from(&last, &back, self.length())
    }
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, Owned<Tuple>) {
        (self.ty().own(), Tuple::from_refs(&[self.start(), self.stop(), self.step()]))
    }
    /// rangeobject.count(value) -> integer -- return number of occurrences of value
    #[pymethod]
    fn count(&self, value: &Object) -> PyResult<usize> {
        if let Some(i) = Range::plain_int(value) {
            return Ok(self.find_int(i).is_some() as usize);
        }
        let (mut n, it) = (0, self.py_iter());
        while let Some(y) = it.iter_next()? {
            n += y.equals_obj(value)? as usize;
        }
        Ok(n)
    }
    /// rangeobject.index(value) -> integer -- return index of value.
    /// Raise ValueError if the value is not present.
    #[pymethod]
    fn index(&self, value: &Object) -> PyResult {
        if let Some(i) = Range::plain_int(value) {
            return match self.find_int(i) {
                Some(q) => Ok(obj(&q)),
                None => raise!(ValueError, "{} is not in range", value.repr()?.to_str_lossy()),
            };
        }
        let (mut n, it) = (0i64, self.py_iter());
        while let Some(y) = it.iter_next()? {
            if y.equals_obj(value)? {
                return Ok(int(n));
            }
            n += 1;
        }
        raise!(ValueError, "sequence.index(x): x not in sequence")
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            let r = o.cast::<RangeObject>();
            xdecref((*r).start);
            xdecref((*r).stop);
            xdecref((*r).step);
            xdecref((*r).length);
            typeobject::free_instance(o);
        }
    }
}

fn range_extra(b: &mut crate::builder::TypeBuilder) {
    use core::mem::offset_of;
    b.slot(Py_mp_length, crate::slot_len!(Range, Range::sq_length));
    b.member(c"start", T_OBJECT_EX, offset_of!(RangeObject, start), READONLY);
    b.member(c"stop", T_OBJECT_EX, offset_of!(RangeObject, stop), READONLY);
    b.member(c"step", T_OBJECT_EX, offset_of!(RangeObject, step), READONLY);
    b.doc(
        c"range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\n\
Return an object that produces a sequence of integers from start (inclusive)\nto stop (exclusive) by step.  range(i, j) produces i, i+1, i+2, ..., j-1.\n\
start defaults to 0, and stop is omitted!  range(4) produces 0, 1, 2, 3.\nThese are exactly the valid indices for a list of 4 elements.\n\
When step is given, it specifies the increment (or decrement).",
    );
}

#[pymethods]
impl RangeIter {
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<RangeIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: plain fields; the values fit by construction.
        unsafe {
            let it = self.as_struct();
            let i = (*it).index;
            if i >= (*it).len {
                return Ok(None);
            }
            (*it).index = i + 1;
            Ok(Some(int((*it).start.wrapping_add(i.wrapping_mul((*it).step)))))
        }
    }
    /// Private method returning an estimate of len(list(it)).
    #[pymethod]
    fn __length_hint__(&self) -> i64 {
        // SAFETY: plain fields.
        unsafe { (*self.as_struct()).len - (*self.as_struct()).index }
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        // SAFETY: plain fields.
        let it = unsafe { *self.as_struct() };
        let stop = it.start as i128 + it.len as i128 * it.step as i128;
        let r = Range::from_ints(int(it.start), Int::from_i128(stop).into_object(), int(it.step));
        crate::iterobject::reduce_iter("iter", Some(&r), it.index as isize, false)
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: i64) {
        // SAFETY: plain fields.
        unsafe { (*self.as_struct()).index = state.clamp(0, (*self.as_struct()).len) }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero; no references inside, and the type has no subclasses.
        unsafe { alloc::put(o.cast(), size_of::<RangeIterObject>()) }
    }
}

impl LongRangeIter {
    fn field(&self, p: *mut PyObject) -> &Object {
        // SAFETY: the fields hold live integers.
        unsafe { Object::from_ptr(p) }
    }
    fn fields(&self) -> (&Object, &Object, &Object, &Object) {
        // SAFETY: a live iterator.
        let it = unsafe { *self.as_struct() };
        (self.field(it.index), self.field(it.start), self.field(it.step), self.field(it.len))
    }
    fn set_index(&self, i: Owned<Object>) {
        // SAFETY: the old index is dropped when the new one is in place.
        unsafe { decref(std::mem::replace(&mut (*self.as_struct()).index, i.into_raw())) }
    }
}

#[pymethods]
impl LongRangeIter {
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<LongRangeIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let (index, start, step, len) = self.fields();
        let i = big(index);
        if i >= big(len) {
            return Ok(None);
        }
        let v = obj(&(big(start) + &i * big(step)));
        self.set_index(obj(&(i + 1)));
        Ok(Some(v))
    }
    /// Private method returning an estimate of len(list(it)).
    #[pymethod]
    fn __length_hint__(&self) -> Owned<Object> {
        let (index, _, _, len) = self.fields();
        obj(&(big(len) - big(index)))
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        let (index, start, step, len) = self.fields();
        let stop = obj(&(big(start) + big(len) * big(step)));
        let r = Range::from_ints(start.own(), stop, step.own());
        let args = Tuple::from_refs(&[&*r]).into_object();
        Ok(Tuple::from_vec(vec![crate::iterobject::builtin("iter")?, args, index.own()]).into_object())
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let i = number::index(state)?.to_bigint();
        let len = big(self.fields().3);
        self.set_index(obj(&i.clamp(BigInt::zero(), len)));
        Ok(())
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            let it = o.cast::<LongRangeIterObject>();
            xdecref((*it).index);
            xdecref((*it).start);
            xdecref((*it).step);
            xdecref((*it).len);
            typeobject::free_instance(o);
        }
    }
}

pub fn init() -> PyResult<()> {
    ready::<Range>()?;
    ready::<RangeIter>()?;
    ready::<LongRangeIter>()?;
    Ok(())
}
