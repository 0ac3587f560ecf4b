//! Sequence iterators and `callable_iterator`; `zip`, `map`, `filter`.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{exc, ready};
use crate::tupleobject::{SeqIterObject, dealloc_seq_iter, new_seq_iter};
use crate::{gc, kind, pymethods, raise, typeobject};
use lh_abi::*;
use std::ptr::null_mut;

/// `builtins.NAME`.
pub fn builtin(name: &str) -> PyResult {
    match crate::sysobject::builtins_dict().get_str(name)? {
        Some(f) => Ok(f),
        None => raise!(AttributeError, "{}", name),
    }
}

/// What `__reduce__` of an index iterator answers: `(name, (seq,), index)`, or an iterator over nothing once exhausted.
pub(crate) fn reduce_iter(name: &str, seq: Option<&Object>, index: isize, tuple: bool) -> PyResult {
    let f = builtin(name)?;
    Ok(match seq {
        Some(s) => {
            let args = Tuple::from_refs(&[s]).into_object();
            Tuple::from_vec(vec![f, args, Int::from_i64(index as i64).into_object()]).into_object()
        }
        None => {
            let empty = if tuple { Tuple::empty().into_object() } else { List::new().into_object() };
            Tuple::pair(f, Tuple::from_refs(&[&*empty]).into_object()).into_object()
        }
    })
}

// ---- iterator over anything with __getitem__ ----

kind!(/** `iterator` */ SeqIter: SeqIterObject, crate::type_table::PySeqIter_Type);

/// `PySeqIter_New`.
pub fn new_sequence_iterator(seq: &Object) -> Owned<Object> {
    // SAFETY: a new object of this type.
    unsafe { Owned::from_raw(new_seq_iter(SeqIter::type_ptr(), seq, 0)) }
}

#[pymethods]
impl SeqIter {
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<SeqIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let it = self.as_struct();
        // SAFETY: the sequence is held while its code runs.
        unsafe {
            let Some(seq) = Object::from_ptr_opt((*it).it_seq).map(|s| s.own()) else { return Ok(None) };
            if (*it).it_index == isize::MAX {
                return raise!(OverflowError, "iter index too large");
            }
            match seq.seq_item((*it).it_index) {
                Ok(o) => {
                    (*it).it_index += 1;
                    Ok(Some(o))
                }
                Err(e) if e.matches(exc::IndexError()) || e.matches(exc::StopIteration()) => {
                    e.clear();
                    xdecref(std::mem::replace(&mut (*it).it_seq, null_mut()));
                    Ok(None)
                }
                Err(e) => Err(e),
            }
        }
    }
    /// Private method returning an estimate of len(list(it)).
    #[pymethod]
    fn __length_hint__(&self) -> PyResult {
        let it = self.as_struct();
        // SAFETY: the sequence is held while its code runs.
        unsafe {
            let Some(seq) = Object::from_ptr_opt((*it).it_seq).map(|s| s.own()) else {
                return Ok(Int::from_i64(0).into_object());
            };
            // SAFETY: a live type's tables.
            let t = seq.ob_type();
            let has_len = (!(*t).tp_as_sequence.is_null() && (*(*t).tp_as_sequence).sq_length.is_some())
                || (!(*t).tp_as_mapping.is_null() && (*(*t).tp_as_mapping).mp_length.is_some());
            if !has_len {
                return Ok(crate::singletons::not_implemented());
            }
            let n = seq.length()? as isize - (*it).it_index;
            Ok(Int::from_i64(n.max(0) as i64).into_object())
        }
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        let it = self.as_struct();
        // SAFETY: the field is live or null.
        unsafe { reduce_iter("iter", Object::from_ptr_opt((*it).it_seq), (*it).it_index, true) }
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: isize) {
        // SAFETY: plain fields.
        unsafe {
            let it = self.as_struct();
            if !(*it).it_seq.is_null() {
                (*it).it_index = state.max(0);
            }
        }
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

// ---- iter(callable, sentinel) ----

#[repr(C)]
#[derive(Clone, Copy)]
pub struct CallIterObject {
    pub ob_base: PyObject,
    pub it_callable: *mut PyObject,
    pub it_sentinel: *mut PyObject,
}
kind!(/** `callable_iterator` */ CallIter: CallIterObject, crate::type_table::PyCallIter_Type);

/// `iter(callable, sentinel)`.
pub fn new_call_iterator(callable: &Object, sentinel: &Object) -> Owned<Object> {
    // SAFETY: a new object of this type.
    unsafe {
        let p = gc::new_object(CallIter::type_ptr(), 0);
        assert!(!p.is_null(), "out of memory");
        let it = p.cast::<CallIterObject>();
        (*it).it_callable = callable.own().into_raw();
        (*it).it_sentinel = sentinel.own().into_raw();
        gc::track(p);
        Owned::from_raw(p)
    }
}

impl CallIter {
    fn finish(&self) {
        // SAFETY: the fields are emptied before the references are dropped.
        unsafe {
            let it = self.as_struct();
            xdecref(std::mem::replace(&mut (*it).it_callable, null_mut()));
            xdecref(std::mem::replace(&mut (*it).it_sentinel, null_mut()));
        }
    }
}

#[pymethods]
impl CallIter {
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<CallIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let it = self.as_struct();
        // SAFETY: the fields are held while their code runs.
        let (f, s) = unsafe {
            if (*it).it_callable.is_null() {
                return Ok(None);
            }
            (Object::from_ptr((*it).it_callable).own(), Object::from_ptr((*it).it_sentinel).own())
        };
        match f.call0() {
            Ok(r) => {
                // The call may have used the iterator up.
                // SAFETY: a plain look at the field.
                if unsafe { (*it).it_sentinel.is_null() } {
                    return Ok(None);
                }
                if s.equals_obj(&r)? {
                    self.finish();
                    return Ok(None);
                }
                Ok(Some(r))
            }
            Err(e) if e.matches(exc::StopIteration()) => {
                e.clear();
                self.finish();
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        let it = self.as_struct();
        // SAFETY: the fields are live or null.
        unsafe {
            match Object::from_ptr_opt((*it).it_callable) {
                Some(f) => {
                    let args = Tuple::from_refs(&[f, Object::from_ptr((*it).it_sentinel)]);
                    Ok(Tuple::pair(builtin("iter")?, args.into_object()).into_object())
                }
                None => reduce_iter("iter", None, 0, true),
            }
        }
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the fields.
        unsafe {
            v.visit_ptr((*self.as_struct()).it_callable);
            v.visit_ptr((*self.as_struct()).it_sentinel);
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let it = o.cast::<CallIterObject>();
            xdecref((*it).it_callable);
            xdecref((*it).it_sentinel);
            gc::free_object(o);
        }
    }
}

// ---- zip ----

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ZipObject {
    pub ob_base: PyObject,
    pub tuplesize: isize,
    /// A tuple of iterators.
    pub ittuple: *mut PyObject,
    /// A result to use again.
    pub result: *mut PyObject,
    pub strict: i32,
}
kind!(/** `zip` */ Zip: ZipObject, crate::type_table::PyZip_Type);

/// Keywords only `allowed`, and those only where the type's own constructor is in charge.
fn keyword(kw: Option<&Dict>, name: &str, allowed: &str) -> PyResult<Option<Owned<Object>>> {
    let Some(kw) = kw.filter(|k| k.len() > 0) else { return Ok(None) };
    let v = kw.get_str(allowed)?;
    if kw.len() > v.is_some() as usize {
        for k in kw.keys_vec() {
            let k = k.str()?;
            if !k.equals_str(allowed) {
                return raise!(
                    TypeError,
                    "'{}' is an invalid keyword argument for {}()",
                    k.to_str_lossy(),
                    name
                );
            }
        }
    }
    Ok(v)
}

impl Zip {
    fn iters(&self) -> &Tuple {
        // SAFETY: the field holds a tuple as long as the object lives.
        unsafe { Object::from_ptr((*self.as_struct()).ittuple).downcast_unchecked() }
    }
    /// One iterator ended at `i`: with `strict`, all others must end as well.
    #[cold]
    fn ended(&self, i: usize) -> PyResult<Option<Owned<Object>>> {
        // SAFETY: a plain field.
        if unsafe { (*self.as_struct()).strict } == 0 {
            return Ok(None);
        }
        if i > 0 {
            let who = if i == 1 { " 1".to_string() } else { format!("s 1-{i}") };
            return raise!(ValueError, "zip() argument {} is shorter than argument{}", i + 1, who);
        }
        for k in 1..self.iters().len() {
            if self.iters().item_ref(k).iter_next()?.is_some() {
                let who = if k == 1 { " 1".to_string() } else { format!("s 1-{k}") };
                return raise!(ValueError, "zip() argument {} is longer than argument{}", k + 1, who);
            }
        }
        Ok(None)
    }
}

#[pymethods(extra = zip_extra)]
impl Zip {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Zip>> {
        let strict = match keyword(kw, "zip", "strict")? {
            Some(s) => s.is_true()?,
            None => false,
        };
        let its = args.iter().map(|a| a.iterator()).collect::<PyResult<Vec<_>>>()?;
        let n = its.len();
        // SAFETY: a new object; its fields take over the references.
        unsafe {
            let p = typeobject::alloc(cls.tp(), 0)?;
            let z = p.cast::<ZipObject>();
            (*z).tuplesize = n as isize;
            (*z).ittuple = Tuple::from_vec(its).into_raw();
            (*z).result = Tuple::build(n, |_| crate::singletons::none().into_raw())?.into_raw();
            (*z).strict = strict as i32;
            Ok(Owned::from_raw(p))
        }
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<Zip> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let z = self.as_struct();
        // SAFETY: the iterators are held by the tuple; a result with count 1 is ours alone.
        unsafe {
            let n = (*z).tuplesize as usize;
            if n == 0 {
                return Ok(None);
            }
            let its = self.iters();
            let r = (*z).result;
            if (*r).ob_refcnt == 1 {
                incref(r);
                let held: Owned<Object> = Owned::from_raw(r);
                let items = Object::from_ptr(r).downcast_unchecked::<Tuple>().items_ptr();
                for i in 0..n {
                    match its.item_ref(i).iter_next()? {
                        Some(o) => decref(std::mem::replace(&mut *items.add(i), o.into_raw())),
                        None => {
                            drop(held);
                            return self.ended(i);
                        }
                    }
                }
                if !gc::is_tracked(r) {
                    gc::track(r);
                }
                return Ok(Some(held));
            }
            if n == 2 {
                let Some(a) = its.item_ref(0).iter_next()? else { return self.ended(0) };
                let Some(b) = its.item_ref(1).iter_next()? else {
                    drop(a);
                    return self.ended(1);
                };
                return Ok(Some(Tuple::pair(a, b).into_object()));
            }
            let mut v = Vec::with_capacity(n);
            for i in 0..n {
                match its.item_ref(i).iter_next()? {
                    Some(o) => v.push(o),
                    None => {
                        drop(v);
                        return self.ended(i);
                    }
                }
            }
            Ok(Some(Tuple::from_vec(v).into_object()))
        }
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> Owned<Tuple> {
        let ty = self.ty().own().into_object();
        // SAFETY: a plain field.
        if unsafe { (*self.as_struct()).strict } != 0 {
            return Tuple::from_vec(vec![
                ty,
                self.iters().own().into_object(),
                crate::singletons::bool_obj(true),
            ]);
        }
        Tuple::pair(ty, self.iters().own().into_object())
    }
    /// Set state information for unpickling.
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let strict = state.is_true()?;
        // SAFETY: a plain field.
        unsafe { (*self.as_struct()).strict = strict as i32 };
        Ok(())
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the fields.
        unsafe {
            v.visit_ptr((*self.as_struct()).ittuple);
            v.visit_ptr((*self.as_struct()).result);
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let z = o.cast::<ZipObject>();
            xdecref((*z).ittuple);
            xdecref((*z).result);
            typeobject::free_instance(o);
        }
    }
}

fn zip_extra(b: &mut crate::builder::TypeBuilder) {
    b.doc(
        c"zip(*iterables, strict=False) --> Yield tuples until an input is exhausted.\n\n   >>> list(zip('abcdefg', range(3), range(4)))\n   \
[('a', 0, 0), ('b', 1, 1), ('c', 2, 2)]\n\nThe zip object yields n-length tuples, where n is the number of iterables\n\
passed as positional arguments to zip().  The i-th element in every tuple\ncomes from the i-th iterable argument to zip().  This continues until the\n\
shortest argument is exhausted.\n\nIf strict is true and one of the arguments is exhausted before the others,\nraise a ValueError.",
    );
}

// ---- map ----

#[repr(C)]
#[derive(Clone, Copy)]
pub struct MapObject {
    pub ob_base: PyObject,
    pub iters: *mut PyObject,
    pub func: *mut PyObject,
}
kind!(/** `map` */ Map: MapObject, crate::type_table::PyMap_Type);

/// Keywords are refused where the type's own constructor is in charge.
fn no_keywords(cls: &Type, own: *mut PyTypeObject, kw: Option<&Dict>, name: &str) -> PyResult<()> {
    // SAFETY: comparing slot pointers of live types.
    let plain = unsafe {
        cls.tp() == own || (*cls.tp()).tp_init.map(|f| f as usize) == (*own).tp_init.map(|f| f as usize)
    };
    if plain && kw.is_some_and(|k| k.len() > 0) {
        return raise!(TypeError, "{}() takes no keyword arguments", name);
    }
    Ok(())
}

impl Map {
    fn of(cls: &Type, func: &Object, iters: Owned<Tuple>) -> PyResult<Owned<Map>> {
        // SAFETY: a new object; its fields take over the references.
        unsafe {
            let exact = cls.tp() == Map::type_ptr();
            let p = if exact {
                gc::new_builtin(Map::type_ptr(), size_of::<MapObject>())
            } else {
                typeobject::alloc(cls.tp(), 0)?
            };
            assert!(!p.is_null(), "out of memory");
            let m = p.cast::<MapObject>();
            (*m).iters = iters.into_raw();
            (*m).func = func.own().into_raw();
            if exact {
                gc::track(p);
            }
            Ok(Owned::from_raw(p))
        }
    }
    /// `map(func, iterable)`.
    pub fn over(func: &Object, iterable: &Object) -> PyResult<Owned<Map>> {
        let it = iterable.iterator()?;
        // SAFETY: a ready type.
        Map::of(unsafe { Type::from_raw_ref(Map::type_ptr()) }, func, Tuple::from_refs(&[&it]))
    }
    /// The only iterator, if there is one only.
    pub(crate) fn single(&self) -> Option<&Object> {
        let its = self.iters();
        (its.len() == 1).then(|| its.item_ref(0))
    }
    /// Function and iterator of a map over one iterator.
    pub fn parts(&self) -> Option<(&Object, &Object)> {
        self.single().map(|it| (self.func(), it))
    }
    fn iters(&self) -> &Tuple {
        // SAFETY: the field holds a tuple as long as the object lives.
        unsafe { Object::from_ptr((*self.as_struct()).iters).downcast_unchecked() }
    }
    pub(crate) fn func(&self) -> &Object {
        // SAFETY: the field is set once.
        unsafe { Object::from_ptr((*self.as_struct()).func) }
    }
}

#[pymethods(extra = map_extra)]
impl Map {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Map>> {
        no_keywords(cls, Map::type_ptr(), kw, "map")?;
        if args.len() < 2 {
            return raise!(TypeError, "map() must have at least two arguments.");
        }
        let its = args.iter().skip(1).map(|a| a.iterator()).collect::<PyResult<Vec<_>>>()?;
        Map::of(cls, args.item_ref(0), Tuple::from_vec(its))
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<Map> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let its = self.iters();
        if its.len() == 1 {
            return match its.item_ref(0).iter_next()? {
                Some(x) => self.func().call1(&x).map(Some),
                None => Ok(None),
            };
        }
        if its.len() == 2 {
            let Some(a) = its.item_ref(0).iter_next()? else { return Ok(None) };
            let Some(b) = its.item_ref(1).iter_next()? else { return Ok(None) };
            return self.func().call(&[&*a, &*b]).map(Some);
        }
        let mut v: Vec<Owned<Object>> = Vec::with_capacity(its.len());
        for it in its.iter() {
            match it.iter_next()? {
                Some(x) => v.push(x),
                None => return Ok(None),
            }
        }
        let refs: Vec<&Object> = v.iter().map(|o| &**o).collect();
        self.func().call(&refs).map(Some)
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, Owned<Tuple>) {
        let mut v = vec![self.func().own()];
        v.extend(self.iters().iter().map(|i| i.own()));
        (self.ty().own(), Tuple::from_vec(v))
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the fields.
        unsafe {
            v.visit_ptr((*self.as_struct()).iters);
            v.visit_ptr((*self.as_struct()).func);
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let m = o.cast::<MapObject>();
            xdecref((*m).iters);
            xdecref((*m).func);
            if (*o).ob_type == Map::type_ptr() {
                gc::free_untracked(o, size_of::<MapObject>());
            } else {
                typeobject::free_instance(o);
            }
        }
    }
}

fn map_extra(b: &mut crate::builder::TypeBuilder) {
    b.doc(
        c"map(func, *iterables) --> map object\n\nMake an iterator that computes the function using arguments from\n\
each of the iterables.  Stops when the shortest iterable is exhausted.",
    );
}

// ---- filter ----

#[repr(C)]
#[derive(Clone, Copy)]
pub struct FilterObject {
    pub ob_base: PyObject,
    pub func: *mut PyObject,
    pub it: *mut PyObject,
}
kind!(/** `filter` */ Filter: FilterObject, crate::type_table::PyFilter_Type);

impl Filter {
    fn of(cls: &Type, func: &Object, iterable: &Object) -> PyResult<Owned<Filter>> {
        let it = iterable.iterator()?;
        // SAFETY: a new object; its fields take over the references.
        unsafe {
            let p = typeobject::alloc(cls.tp(), 0)?;
            let m = p.cast::<FilterObject>();
            (*m).func = func.own().into_raw();
            (*m).it = it.into_raw();
            Ok(Owned::from_raw(p))
        }
    }
    /// `filter(func, iterable)`.
    pub fn over(func: &Object, iterable: &Object) -> PyResult<Owned<Filter>> {
        // SAFETY: a ready type.
        Filter::of(unsafe { Type::from_raw_ref(Filter::type_ptr()) }, func, iterable)
    }
    /// Function and iterator.
    pub fn parts(&self) -> (&Object, &Object) {
        // SAFETY: the fields are set once.
        unsafe { (Object::from_ptr((*self.as_struct()).func), Object::from_ptr((*self.as_struct()).it)) }
    }
}

#[pymethods(extra = filter_extra)]
impl Filter {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Filter>> {
        no_keywords(cls, Filter::type_ptr(), kw, "filter")?;
        if args.len() != 2 {
            return raise!(TypeError, "filter expected 2 arguments, got {}", args.len());
        }
        Filter::of(cls, args.item_ref(0), args.item_ref(1))
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<Filter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let (f, it) = self.parts();
        let truth = f.is_none() || f.as_ptr() == Bool::type_ptr().cast();
        while let Some(x) = it.iter_next()? {
            let ok = if truth { x.is_true()? } else { f.call1(&x)?.is_true()? };
            if ok {
                return Ok(Some(x));
            }
        }
        Ok(None)
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, Owned<Tuple>) {
        let (f, it) = self.parts();
        (self.ty().own(), Tuple::from_refs(&[f, it]))
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the fields.
        unsafe {
            v.visit_ptr((*self.as_struct()).func);
            v.visit_ptr((*self.as_struct()).it);
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let m = o.cast::<FilterObject>();
            xdecref((*m).func);
            xdecref((*m).it);
            typeobject::free_instance(o);
        }
    }
}

fn filter_extra(b: &mut crate::builder::TypeBuilder) {
    b.doc(
        c"filter(function or None, iterable) --> filter object\n\nReturn an iterator yielding those items of iterable for which function(item)\n\
is true. If function is None, return the items that are true.",
    );
}

pub fn init() -> PyResult<()> {
    ready::<SeqIter>()?;
    ready::<CallIter>()?;
    ready::<Zip>()?;
    ready::<Map>()?;
    ready::<Filter>()?;
    Ok(())
}
