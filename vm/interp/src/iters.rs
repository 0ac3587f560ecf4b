//! The iterators that FOR_ITER steps itself.

use crate::prelude::*;
use lh_runtime::rangeobject::RangeIterObject;
use lh_runtime::tupleobject::SeqIterObject;
use std::ptr::null_mut;

#[inline(always)]
pub fn range_iter_type() -> *mut PyTypeObject {
    &raw mut lh_runtime::type_table::PyRangeIter_Type
}
#[inline(always)]
pub fn list_iter_type() -> *mut PyTypeObject {
    &raw mut lh_runtime::type_table::PyListIter_Type
}
#[inline(always)]
pub fn tuple_iter_type() -> *mut PyTypeObject {
    &raw mut lh_runtime::type_table::PyTupleIter_Type
}

/// # Safety
/// `it` is an exact range iterator.
#[inline(always)]
pub unsafe fn range_next(it: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        let i = it.cast::<RangeIterObject>();
        let n = (*i).index;
        if n >= (*i).len {
            return null_mut();
        }
        (*i).index = n + 1;
        Int::from_i64((*i).start.wrapping_add(n.wrapping_mul((*i).step))).into_raw()
    }
}
/// # Safety
/// `it` is an exact list iterator.
#[inline(always)]
pub unsafe fn list_next(it: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's promise; an exhausted iterator has no list.
    unsafe {
        let i = it.cast::<SeqIterObject>();
        let l = (*i).it_seq.cast::<PyListObject>();
        if !l.is_null() && ((*i).it_index as usize) < (*l).ob_base.ob_size as usize {
            let v = *(*l).ob_item.add((*i).it_index as usize);
            (*i).it_index += 1;
            incref(v);
            return v;
        }
        ((*(*it).ob_type).tp_iternext.unwrap_unchecked())(it)
    }
}
