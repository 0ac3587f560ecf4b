//! `_functools`: `partial`, `reduce`, `cmp_to_key`, `_lru_cache_wrapper`.

use lh_runtime::consume::{Loop, Request, Watch};
use lh_runtime::prelude::*;
use lh_runtime::{number, reprguard};
use std::cell::Cell;

module! {
    "_functools",
    doc: "Tools that operate on functions.",
    functions: [reduce, cmp_to_key],
    types: [Partial, LruCache],
}

// ---- partial ----

/// partial(func, *args, **keywords) - new function with partial application
/// of the given arguments and keywords.
#[pyclass(name = "partial", module = "functools", basetype, weakref, dict)]
pub struct Partial {
    func: Slot,
    args: Slot<Tuple>,
    kw: Slot<Dict>,
    #[notrace]
    entry: lh_abi::vectorcallfunc,
}

/// How a partial is called by the vectorcall protocol.
unsafe extern "C" fn partial_entry(
    o: *mut lh_abi::PyObject,
    args: *const *mut lh_abi::PyObject,
    nargsf: usize,
    kwnames: *mut lh_abi::PyObject,
) -> *mut lh_abi::PyObject {
    // SAFETY: called by the vectorcall protocol on a partial; the parts are held while the call lasts.
    unsafe {
        let me = Partial::from_object(Object::from_ptr(o));
        // The commonest: few arguments, none by name.
        if let (Some(f), Some(first), Some(k)) = (me.func.peek(), me.args.peek(), me.kw.peek())
            && kwnames.is_null()
            && k.len() == 0
        {
            const FEW: usize = 6;
            let (own, n) = (first.len(), nargsf & !lh_abi::PY_VECTORCALL_ARGUMENTS_OFFSET);
            if own + n < FEW {
                let (f, first) = (f.own(), first.own());
                let mut all = [std::ptr::null_mut(); FEW];
                for i in 0..own {
                    all[1 + i] = *first.items_ptr().add(i);
                }
                for i in 0..n {
                    all[1 + own + i] = *args.add(i);
                }
                let flagged = (own + n) | lh_abi::PY_VECTORCALL_ARGUMENTS_OFFSET;
                return f.vectorcall(all.as_ptr().add(1), flagged, kwnames);
            }
        }
        lh_runtime::border::object(|| {
            let (f, first, k) = me.parts()?;
            let n = nargsf & !lh_abi::PY_VECTORCALL_ARGUMENTS_OFFSET;
            if k.len() > 0 {
                let (t, kw) = lh_runtime::protocols::as_tuple_and_dict(args, n, kwnames)?;
                return me.call_it(&t, kw.as_deref());
            }
            if first.len() == 0 {
                return from_c(f.vectorcall(args, nargsf, kwnames));
            }
            let named = if kwnames.is_null() {
                0
            } else {
                Object::from_ptr(kwnames).downcast_unchecked::<Tuple>().len()
            };
            // A spare place, the partial's own arguments, the call's.
            let (own, given) = (first.len(), n + named);
            let mut small = [std::ptr::null_mut(); 10];
            let mut large = vec![];
            let all: &mut [*mut lh_abi::PyObject] = if 1 + own + given <= small.len() {
                &mut small
            } else {
                large.resize(1 + own + given, std::ptr::null_mut());
                &mut large
            };
            for i in 0..own {
                all[1 + i] = *first.items_ptr().add(i);
            }
            for i in 0..given {
                all[1 + own + i] = *args.add(i);
            }
            let all = all.as_ptr().add(1);
            from_c(f.vectorcall(all, (own + n) | lh_abi::PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames))
        })
    }
}
fn called_by_vector(b: &mut lh_runtime::builder::TypeBuilder) {
    b.flags(lh_abi::Py_TPFLAGS_HAVE_VECTORCALL);
    let at = Partial::OFFSET + std::mem::offset_of!(Partial, entry);
    // SAFETY: the type is being made; the field lies there in every instance.
    unsafe { (*Partial::type_ptr()).tp_vectorcall_offset = at as isize }
}

impl Partial {
    fn parts(&self) -> PyResult<(Owned<Object>, Owned<Tuple>, Owned<Dict>)> {
        match (self.func.get(), self.args.get(), self.kw.get()) {
            (Some(f), Some(a), Some(k)) => Ok((f, a, k)),
            _ => raise!(RuntimeError, "partial object has not been initialised"),
        }
    }
}

#[pymethods(extra = called_by_vector)]
impl Partial {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Partial>> {
        if args.len() < 1 {
            return raise!(TypeError, "type 'partial' takes at least one argument");
        }
        let mut func = args.get(0);
        let mut rest = args.slice(1, args.len());
        let new_kw = Dict::new();
        // A partial of a plain partial (without attributes) is flattened.
        if let Some(p) = func.clone().downcast::<Partial>()
            && func.ty().tp() == cls.tp()
            && cls.tp() == Partial::type_ptr()
            && !has_attributes(p)?
        {
            let (f, a, k) = p.parts()?;
            rest = a.concat(&rest)?;
            new_kw.merge_dict(&k, true)?;
            func = f;
        }
        if !func.is_callable() {
            return raise!(TypeError, "the first argument must be callable");
        }
        if let Some(kw) = kw {
            new_kw.merge_dict(kw, true)?;
        }
        Partial {
            func: Slot::of(func),
            args: Slot::of(rest),
            kw: Slot::of(new_kw),
            entry: Some(partial_entry),
        }
        .build_in(cls)
    }
    #[slot(tp_call)]
    fn call_it(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        let (f, a, k) = self.parts()?;
        let all = if a.len() == 0 { args.own() } else { a.concat(args)? };
        let kw = match (k.len(), kw.filter(|k| k.len() > 0)) {
            (0, kw) => return f.call_tuple(&all, kw),
            (_, None) => k.copy(),
            (_, Some(kw)) => {
                let d = k.copy();
                d.merge_dict(kw, true)?;
                d
            }
        };
        f.call_tuple(&all, Some(&kw))
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        let name =
            if self.is_exact::<Partial>() { "functools.partial".to_string() } else { self.ty().name() };
        reprguard::guarded(self, || {
            let (f, a, k) = self.parts()?;
            let mut b = StrBuilder::new();
            b.push_str(&name);
            b.push_str("(");
            b.push_obj(&*f.repr()?);
            for x in a.iter() {
                b.push_str(", ");
                b.push_obj(&*x.repr()?);
            }
            for (n, v) in k.items_vec() {
                b.push_str(", ");
                b.push_obj(&*n.str()?);
                b.push_str("=");
                b.push_obj(&*v.repr()?);
            }
            b.push_str(")");
            Ok(b.finish())
        })
        .unwrap_or_else(|| Ok(Str::new("...")))
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Tuple>> {
        let (f, a, k) = self.parts()?;
        let d = attributes(self)?;
        let state = Tuple::from_refs(&[&*f, &*a, &*k, &*d]);
        Ok(Tuple::from_vec(vec![
            self.ty().own().into_object(),
            Tuple::from_refs(&[&*f]).into_object(),
            state.into_object(),
        ]))
    }
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        let bad = || raise!(TypeError, "invalid partial state");
        let Some(t) = state.downcast::<Tuple>().filter(|t| t.len() == 4) else { return bad() };
        let (f, a, k, d) = (t.item_ref(0), t.item_ref(1), t.item_ref(2), t.item_ref(3));
        let Some(a) = a.downcast::<Tuple>().filter(|_| f.is_callable()) else { return bad() };
        if !k.is_none() && !Dict::check(k) {
            return bad();
        }
        let args = if a.is_exact::<Tuple>() {
            a.own()
        } else {
            Tuple::from_vec(a.iter().map(|x| x.own()).collect())
        };
        let kw = match k.downcast::<Dict>() {
            None => Dict::new(),
            Some(k) if k.is_exact::<Dict>() => k.own(),
            Some(k) => k.copy(),
        };
        self.func.set(Some(f.own()));
        self.args.set(Some(args));
        self.kw.set(Some(kw));
        if d.is_none() {
            // No attributes: the ones there go.
            if let Some(own) = self.get_attr_opt(intern!("__dict__"))?
                && let Some(own) = own.downcast::<Dict>()
            {
                own.clear();
            }
            return Ok(());
        }
        self.set_attr(intern!("__dict__"), d)
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, object: &Object) -> PyResult {
        lh_runtime::genericalias::new(cls, object)
    }
    /// function object to use in future partial calls
    #[getter]
    fn func(&self) -> Option<Owned<Object>> {
        self.func.get()
    }
    /// tuple of arguments to future partial calls
    #[getter]
    fn args(&self) -> Option<Owned<Tuple>> {
        self.args.get()
    }
    /// dictionary of keyword arguments to future partial calls
    #[getter]
    fn keywords(&self) -> Option<Owned<Dict>> {
        self.kw.get()
    }
}

/// The instance dict, or `None` if it is empty or absent.
fn attributes(o: &Object) -> PyResult<Owned<Object>> {
    match o.get_attr_opt(intern!("__dict__"))? {
        Some(d) if d.downcast::<Dict>().is_some_and(|d| d.len() > 0) => Ok(d),
        _ => Ok(none()),
    }
}
fn has_attributes(o: &Object) -> PyResult<bool> {
    Ok(!attributes(o)?.is_none())
}

// ---- reduce, cmp_to_key ----

/// reduce(function, iterable[, initial]) -> value
///
/// Apply a function of two arguments cumulatively to the items of a sequence
/// or iterable, from left to right, so as to reduce the iterable to a single
/// value.  For example, reduce(lambda x, y: x+y, [1, 2, 3, 4, 5]) calculates
/// ((((1+2)+3)+4)+5).  If initial is present, it is placed before the items
/// of the iterable in the calculation, and serves as a default when the
/// iterable is empty.
#[pyfunction]
pub fn reduce(function: &Object, iterable: &Object, initial: Option<&Object>) -> PyResult {
    let it = match iterable.iterator() {
        Ok(it) => it,
        Err(e) if e.matches(exc::TypeError()) => {
            e.clear();
            return raise!(TypeError, "reduce() arg 2 must support iteration");
        }
        Err(e) => return Err(e),
    };
    let mut acc = initial.map(|i| i.own());
    let mut watch = Watch::new(&it, Some(function));
    loop {
        if watch.is_due()
            && let Some(a) = &acc
            && let Some(r) = (Request { f: Some(function), ..Request::with(Loop::Fold, &it, a) }).run()
        {
            return r;
        }
        let Some(x) = it.iter_next()? else { break };
        acc = Some(match acc {
            None => x,
            Some(a) => function.call(&[&a, &x])?,
        });
    }
    match acc {
        Some(a) => Ok(a),
        None => raise!(TypeError, "reduce() of empty iterable with no initial value"),
    }
}

/// Convert a cmp= function into a key= function.
#[pyfunction(signature = "(mycmp)")]
pub fn cmp_to_key(mycmp: &Object) -> PyResult<Owned<Key>> {
    ready::<Key>()?;
    Ok(Key { cmp: mycmp.own(), object: Slot::empty() }.build())
}

#[pyclass(name = "KeyWrapper", module = "functools", no_new)]
pub struct Key {
    cmp: Owned<Object>,
    object: Slot,
}

#[pymethods]
impl Key {
    #[slot(tp_call)]
    fn call_it(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Key>> {
        let mut obj = (args.len() > 0).then(|| args.get(0));
        let nkw = kw.map_or(0, |k| k.len());
        if obj.is_none()
            && let Some(kw) = kw
        {
            obj = kw.get_str("obj")?;
        }
        match obj {
            Some(o) if args.len() + nkw == 1 => {
                Ok(Key { cmp: self.cmp.clone(), object: Slot::of(o) }.build())
            }
            None => raise!(TypeError, "K() missing required argument 'obj' (pos 1)"),
            Some(_) => raise!(TypeError, "K() takes at most 1 argument ({} given)", args.len() + nkw),
        }
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(o) = other.downcast::<Key>() else {
            return raise!(TypeError, "other argument must be K instance");
        };
        let (Some(a), Some(b)) = (self.object.get(), o.object.get()) else {
            return raise!(AttributeError, "object");
        };
        let r = self.cmp.call(&[&a, &b])?;
        r.rich_compare(&Int::from_i64(0), op)
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        lh_runtime::sliceobject::unhashable(self)
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
    /// Value wrapped by a key function.
    #[getter]
    fn obj(&self) -> PyResult {
        match self.object.get() {
            Some(o) => Ok(o),
            None => raise!(AttributeError, "object"),
        }
    }
    #[setter(obj)]
    fn set_obj(&self, v: Option<&Object>) -> PyResult<()> {
        self.object.set(v.map(|v| v.own()));
        Ok(())
    }
}

// ---- lru_cache ----

/// Create a cached callable that wraps another function.
///
/// user_function:      the function being cached
///
/// maxsize:  0         for no caching
///           None      for unlimited cache size
///           n         for a bounded cache
///
/// typed:    False     cache f(3) and f(3.0) as identical calls
///           True      cache f(3) and f(3.0) as distinct calls
///
/// cache_info_type:    namedtuple class with the fields:
///                         hits misses currsize maxsize
#[pyclass(name = "_lru_cache_wrapper", module = "functools", basetype, weakref, dict)]
pub struct LruCache {
    func: Owned<Object>,
    /// The least recently used entry comes first. (An ordered dict moves entries cheaply.)
    cache: Owned<lh_runtime::odictobject::ODict>,
    /// -1: unbounded.
    maxsize: isize,
    typed: bool,
    info: Owned<Object>,
    hits: Cell<i64>,
    misses: Cell<i64>,
}

/// Marks where keywords begin in a key.
fn kwd_mark() -> PyResult<Owned<Object>> {
    static MARK: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    let p = match MARK.get() {
        Some(p) => *p,
        None => {
            let o = <Object as Kind>::class().call0()?;
            *MARK.get_or_init(|| o.into_raw() as usize)
        }
    };
    // SAFETY: the mark is kept for ever.
    Ok(unsafe { Object::from_ptr(p as *mut lh_abi::PyObject) }.own())
}

impl LruCache {
    /// What stands for the arguments in the cache.
    fn key(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Object>> {
        let kw = kw.filter(|k| k.len() > 0);
        if kw.is_none() && !self.typed {
            if args.len() == 1 {
                let a = args.item_ref(0);
                if a.is_exact::<Str>() || a.is_exact::<Int>() {
                    return Ok(a.own());
                }
            }
            return Ok(args.own().into_object());
        }
        let mut v: Vec<Owned<Object>> = args.iter().map(|a| a.own()).collect();
        if let Some(kw) = kw {
            v.push(kwd_mark()?);
            for (k, x) in kw.items_vec() {
                v.push(k);
                v.push(x);
            }
        }
        if self.typed {
            v.extend(args.iter().map(|a| a.ty().own().into_object()));
            if let Some(kw) = kw {
                v.extend(kw.values_vec().iter().map(|a| a.ty().own().into_object()));
            }
        }
        Ok(Tuple::from_vec(v).into_object())
    }
}

/// A cached function in a class is a method.
fn method_descriptor(b: &mut TypeBuilder) {
    b.flags(lh_abi::Py_TPFLAGS_METHOD_DESCRIPTOR)
}

#[pymethods(extra = method_descriptor)]
impl LruCache {
    #[new(name = "_lru_cache_wrapper", signature = "(user_function, maxsize, typed, cache_info_type)")]
    fn py_new(
        cls: &Type,
        user_function: &Object,
        maxsize: &Object,
        typed: bool,
        cache_info_type: &Object,
    ) -> PyResult<Owned<LruCache>> {
        if !user_function.is_callable() {
            return raise!(TypeError, "the first argument must be callable");
        }
        let maxsize = if maxsize.is_none() {
            -1
        } else if lh_runtime::sliceobject::is_index(maxsize) {
            number::as_isize(maxsize, Some(exc::OverflowError()))?.max(0)
        } else {
            return raise!(TypeError, "maxsize should be integer or None");
        };
        LruCache {
            func: user_function.own(),
            cache: lh_runtime::odictobject::ODict::new(),
            maxsize,
            typed,
            info: cache_info_type.own(),
            hits: Cell::new(0),
            misses: Cell::new(0),
        }
        .build_in(cls)
    }
    #[slot(tp_call)]
    fn call_it(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        if self.maxsize == 0 {
            self.misses.set(self.misses.get() + 1);
            return self.func.call_tuple(args, kw);
        }
        let key = self.key(args, kw)?;
        let hash = lh_runtime::dictobject::hash_key(&key)?;
        if let Some(v) = self.cache.dict().get_item_known_hash(&key, hash)? {
            self.hits.set(self.hits.get() + 1);
            if self.maxsize > 0 {
                self.cache.touch(&key, hash)?;
            }
            return Ok(v);
        }
        self.misses.set(self.misses.get() + 1);
        let v = self.func.call_tuple(args, kw)?;
        if self.maxsize > 0 {
            // The call may have filled the entry itself.
            if self.cache.dict().get_item_known_hash(&key, hash)?.is_some() {
                return Ok(v);
            }
            if self.cache.dict().len() >= self.maxsize as usize {
                let old = self.cache.pop_first();
                self.cache.dict().set_item_known_hash(&key, hash, &v)?;
                drop(old);
                return Ok(v);
            }
        }
        self.cache.dict().set_item_known_hash(&key, hash, &v)?;
        Ok(v)
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, obj: Option<&Object>, _ty: Option<&Object>) -> PyResult {
        match obj.filter(|o| !o.is_none()) {
            None => Ok(self.own().into_object()),
            Some(o) => Ok(Method::new(self, o).into_object()),
        }
    }
    /// Report cache statistics
    #[pymethod]
    fn cache_info(&self) -> PyResult {
        let n = |v: i64| Int::from_i64(v).into_object();
        let max = if self.maxsize < 0 { none() } else { n(self.maxsize as i64) };
        self.info.call(&[
            &n(self.hits.get()),
            &n(self.misses.get()),
            &max,
            &n(self.cache.dict().len() as i64),
        ])
    }
    /// Clear the cache and cache statistics
    #[pymethod]
    fn cache_clear(&self) {
        self.hits.set(0);
        self.misses.set(0);
        self.cache.dict().clear();
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        self.get_attr(intern!("__qualname__"))
    }
    #[pymethod]
    fn __copy__(&self) -> Owned<LruCache> {
        self.own()
    }
    #[pymethod]
    fn __deepcopy__(&self, _memo: &Object) -> Owned<LruCache> {
        self.own()
    }
}
