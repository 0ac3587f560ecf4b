//! `enumerate` and `reversed`.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{exc, ready};
use crate::{gc, intern, kind, number, pymethods, raise, typeobject};
use lh_abi::*;
use std::ptr::null_mut;

/// `enumerate`: counts in a machine word until that is full, then in an integer object.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EnumObject {
    pub ob_base: PyObject,
    pub en_index: isize,
    pub en_sit: *mut PyObject,
    /// A pair to use again.
    pub en_result: *mut PyObject,
    pub en_longindex: *mut PyObject,
    pub one: *mut PyObject,
}
kind!(/** `enumerate` */ Enumerate: EnumObject, crate::type_table::PyEnum_Type);

impl Enumerate {
    /// `enumerate(iterable)`.
    pub fn over(iterable: &Object) -> PyResult<Owned<Enumerate>> {
        Enumerate::py_new(Enumerate::class(), iterable, None)
    }
}

#[pymethods(extra = enum_extra)]
impl Enumerate {
    #[new(name = "enumerate", signature = "(iterable, start=0)")]
    fn py_new(cls: &Type, iterable: &Object, start: Option<&Object>) -> PyResult<Owned<Enumerate>> {
        let (mut index, mut long) = (0, null_mut());
        if let Some(s) = start {
            let s = number::index(s)?;
            match s.to_i64() {
                Some(i) => index = i as isize,
                None => {
                    index = isize::MAX;
                    long = s.into_object().into_raw();
                }
            }
        }
        // SAFETY: a new object; its fields take over the references.
        unsafe {
            let held = Owned::<Object>::from_raw_opt(long);
            let it = iterable.iterator()?;
            let p = typeobject::alloc(cls.tp(), 0)?;
            let e = p.cast::<EnumObject>();
            (*e).en_index = index;
            (*e).en_longindex = held.map_or(null_mut(), Owned::into_raw);
            (*e).en_sit = it.into_raw();
            (*e).en_result = Tuple::pair(crate::singletons::none(), crate::singletons::none()).into_raw();
            Ok(Owned::from_raw(p))
        }
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<Enumerate> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: the fields hold references for as long as the object lives; the pair with count 1 is ours alone.
        unsafe {
            let e = self.as_struct();
            let it = Object::from_ptr((*e).en_sit);
            let Some(item) = it.iter_next()? else { return Ok(None) };
            let index = if (*e).en_index == isize::MAX {
                self.next_long()?
            } else {
                let i = Int::from_i64((*e).en_index as i64);
                (*e).en_index += 1;
                i.into_object()
            };
            let r = (*e).en_result;
            if (*r).ob_refcnt == 1 {
                let items = Object::from_ptr(r).downcast_unchecked::<Tuple>().items_ptr();
                let (a, b) = (*items, *items.add(1));
                *items = index.into_raw();
                *items.add(1) = item.into_raw();
                incref(r);
                decref(a);
                decref(b);
                if !gc::is_tracked(r) {
                    gc::track(r);
                }
                return Ok(Some(Owned::from_raw(r)));
            }
            Ok(Some(Tuple::pair(index, item).into_object()))
        }
    }
    fn next_long(&self) -> PyResult {
        // SAFETY: as above.
        unsafe {
            let e = self.as_struct();
            if (*e).en_longindex.is_null() {
                (*e).en_longindex = Int::from_i64(isize::MAX as i64).into_object().into_raw();
            }
            let now = Object::from_ptr((*e).en_longindex).own();
            let next = number::add(&now, &Int::from_i64(1))?;
            decref(std::mem::replace(&mut (*e).en_longindex, next.into_raw()));
            Ok(now)
        }
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, Owned<Tuple>) {
        // SAFETY: as above.
        unsafe {
            let e = self.as_struct();
            let it = Object::from_ptr((*e).en_sit);
            let index = match Object::from_ptr_opt((*e).en_longindex) {
                Some(i) => i.own(),
                None => Int::from_i64((*e).en_index as i64).into_object(),
            };
            (self.ty().own(), Tuple::from_refs(&[it, &*index]))
        }
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, object: &Object) -> PyResult {
        crate::genericalias::new(cls, object)
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the fields.
        unsafe {
            let e = self.as_struct();
            v.visit_ptr((*e).en_sit);
            v.visit_ptr((*e).en_result);
            v.visit_ptr((*e).en_longindex);
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let e = o.cast::<EnumObject>();
            xdecref((*e).en_sit);
            xdecref((*e).en_result);
            xdecref((*e).en_longindex);
            typeobject::free_instance(o);
        }
    }
}

fn enum_extra(b: &mut crate::builder::TypeBuilder) {
    b.doc(
        c"enumerate(iterable, start=0)\n--\n\nReturn an enumerate object.\n\n  iterable\n    an object supporting iteration\n\n\
The enumerate object yields pairs containing a count (from start, which\ndefaults to zero) and a value yielded by the iterable argument.\n\n\
enumerate is useful for obtaining an indexed list:\n    (0, seq[0]), (1, seq[1]), (2, seq[2]), ...",
    );
}

// ---- reversed ----

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ReversedObject {
    pub ob_base: PyObject,
    pub index: isize,
    pub seq: *mut PyObject,
}
kind!(/** `reversed` */ Reversed: ReversedObject, crate::type_table::PyReversed_Type);

/// Does the type support the sequence protocol?
pub(crate) fn is_sequence(o: &Object) -> bool {
    if Dict::check(o) {
        return false;
    }
    // SAFETY: a live type's tables.
    unsafe {
        let sq = (*o.ob_type()).tp_as_sequence;
        !sq.is_null() && (*sq).sq_item.is_some()
    }
}

impl Reversed {
    fn seq(&self) -> Option<Owned<Object>> {
        // SAFETY: the field is live or null.
        unsafe { Object::from_ptr_opt((*self.as_struct()).seq).map(|s| s.own()) }
    }
}

#[pymethods(extra = reversed_extra)]
impl Reversed {
    #[new(name = "reversed", signature = "(sequence, /)")]
    fn py_new(cls: &Type, sequence: &Object) -> PyResult {
        match sequence.lookup_special(intern!("__reversed__"))? {
            Some(m) if m.is_none() => {
                return raise!(TypeError, "'{}' object is not reversible", sequence.ty().name());
            }
            Some(m) => return m.call0(),
            None => {}
        }
        if !is_sequence(sequence) {
            return raise!(TypeError, "'{}' object is not reversible", sequence.ty().name());
        }
        let n = sequence.length()? as isize;
        // SAFETY: a new object; its field takes over the reference.
        unsafe {
            let p = typeobject::alloc(cls.tp(), 0)?;
            let r = p.cast::<ReversedObject>();
            (*r).index = n - 1;
            (*r).seq = sequence.own().into_raw();
            Ok(Owned::from_raw(p))
        }
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<Reversed> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let r = self.as_struct();
        // SAFETY: plain fields; the sequence is held while its code runs.
        unsafe {
            let i = (*r).index;
            let Some(seq) = self.seq() else { return Ok(None) };
            if i < 0 {
                xdecref(std::mem::replace(&mut (*r).seq, null_mut()));
                return Ok(None);
            }
            match seq.seq_item(i) {
                Ok(o) => {
                    (*r).index = i - 1;
                    Ok(Some(o))
                }
                Err(e) => {
                    if e.matches(exc::IndexError()) || e.matches(exc::StopIteration()) {
                        e.clear();
                        (*r).index = -1;
                        xdecref(std::mem::replace(&mut (*r).seq, null_mut()));
                        return Ok(None);
                    }
                    Err(e)
                }
            }
        }
    }
    /// Private method returning an estimate of len(list(it)).
    #[pymethod]
    fn __length_hint__(&self) -> PyResult<usize> {
        let Some(seq) = self.seq() else { return Ok(0) };
        let n = seq.length()? as isize;
        // SAFETY: a plain field.
        let at = unsafe { (*self.as_struct()).index } + 1;
        Ok(if n < at { 0 } else { at as usize })
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Tuple>> {
        let ty = self.ty().own().into_object();
        Ok(match self.seq() {
            Some(s) => {
                // SAFETY: a plain field.
                let at = unsafe { (*self.as_struct()).index };
                Tuple::from_vec(vec![
                    ty,
                    Tuple::from_refs(&[&*s]).into_object(),
                    Int::from_i64(at as i64).into_object(),
                ])
            }
            None => Tuple::pair(ty, Tuple::from_refs(&[&*Tuple::empty()]).into_object()),
        })
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: isize) -> PyResult<()> {
        if let Some(s) = self.seq() {
            let n = s.length()? as isize;
            // SAFETY: a plain field.
            unsafe { (*self.as_struct()).index = state.clamp(-1, n - 1) };
        }
        Ok(())
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the field.
        v.visit_ptr(unsafe { (*self.as_struct()).seq })
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            xdecref((*o.cast::<ReversedObject>()).seq);
            typeobject::free_instance(o);
        }
    }
}

fn reversed_extra(b: &mut crate::builder::TypeBuilder) {
    b.doc(c"reversed(sequence, /)\n--\n\nReturn a reverse iterator over the values of the given sequence.");
}

pub fn init() -> PyResult<()> {
    ready::<Enumerate>()?;
    ready::<Reversed>()?;
    Ok(())
}
