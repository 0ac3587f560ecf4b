//! Built-in functions that iterate.

use super::attrs::count;
use lh_abi::*;
use lh_runtime::consume::{Loop, Request, Watch};
use lh_runtime::number;
use lh_runtime::prelude::*;

// ---- Iterators ----

/// iter(iterable) -> iterator
/// iter(callable, sentinel) -> iterator
///
/// An iterator over an object; or one that calls a function until that returns the sentinel.
#[pyfunction(raw)]
pub fn iter(a: Args<'_>) -> PyResult {
    count(&a, "iter", 1, 2)?;
    let v = a.get(0).expect("counted");
    match a.get(1) {
        None => v.iterator(),
        Some(_) if !v.is_callable() => raise!(TypeError, "iter(v, w): v must be callable"),
        Some(sentinel) => Ok(lh_runtime::iterobject::new_call_iterator(v, sentinel)),
    }
}

/// next(iterator[, default])
///
/// The iterator's next item; the default, if given, instead of `StopIteration`.
#[pyfunction(raw)]
pub fn next(a: Args<'_>) -> PyResult {
    count(&a, "next", 1, 2)?;
    let it = a.get(0).expect("counted");
    if !lh_runtime::protocols::is_iterator(it) {
        return raise!(TypeError, "'{}' object is not an iterator", it.ty().name());
    }
    // SAFETY: the slot was just checked; the iterator is live.
    let item = unsafe { Owned::from_raw_opt(((*it.ob_type()).tp_iternext.expect("checked"))(it.as_ptr())) };
    match (item, a.get(1)) {
        (Some(x), _) => Ok(x),
        (None, Some(default)) => {
            if occurred() {
                if !matches(exc::StopIteration()) {
                    return Err(Raised::already_set());
                }
                clear();
            }
            Ok(default.own())
        }
        (None, None) if occurred() => Err(Raised::already_set()),
        (None, None) => Err(set_object(exc::StopIteration(), None)),
    }
}

// ---- Tests ----

/// Are all items true? They are in an empty iterable.
#[pyfunction(signature = "(iterable, /)")]
pub fn all(iterable: &Object) -> PyResult<bool> {
    let it = iterable.iterator()?;
    let mut watch = Watch::new(&it, None);
    loop {
        if watch.is_due()
            && let Some(r) = Request::new(Loop::All, &it).run()
        {
            return Ok(r?.is_true_object());
        }
        match it.iter_next()? {
            Some(x) if !x.is_true()? => return Ok(false),
            Some(_) => {}
            None => return Ok(true),
        }
    }
}

/// Is any item true? None is in an empty iterable.
#[pyfunction(signature = "(iterable, /)")]
pub fn any(iterable: &Object) -> PyResult<bool> {
    let it = iterable.iterator()?;
    let mut watch = Watch::new(&it, None);
    loop {
        if watch.is_due()
            && let Some(r) = Request::new(Loop::Any, &it).run()
        {
            return Ok(r?.is_true_object());
        }
        match it.iter_next()? {
            Some(x) if x.is_true()? => return Ok(true),
            Some(_) => {}
            None => return Ok(false),
        }
    }
}

// ---- Folding ----

/// The sum of a start value and an iterable of numbers.
#[pyfunction(signature = "(iterable, /, start=0)")]
pub fn sum(iterable: &Object, start: Option<&Object>) -> PyResult {
    let it = iterable.iterator()?;
    let mut total = match start {
        None => Int::from_i64(0).into_object(),
        Some(s) => {
            if Str::check(s) {
                return raise!(TypeError, "sum() can't sum strings [use ''.join(seq) instead]");
            }
            if Bytes::check(s) {
                return raise!(TypeError, "sum() can't sum bytes [use b''.join(seq) instead]");
            }
            if ByteArray::check(s) {
                return raise!(TypeError, "sum() can't sum bytearray [use b''.join(seq) instead]");
            }
            s.own()
        }
    };
    let mut watch = Watch::new(&it, None);
    let mut rest = |so_far: &dyn Fn() -> Owned<Object>| -> Option<PyResult> {
        if watch.is_due() { Request::with(Loop::Sum, &it, &so_far()).run() } else { None }
    };
    // Machine integers first, then floats; objects from the first item on that is neither.
    if let Some(mut n) = total.downcast_exact::<Int>().and_then(|i| i.to_i64()) {
        loop {
            if let Some(r) = rest(&|| Int::from_i64(n).into_object()) {
                return r;
            }
            let Some(x) = it.iter_next()? else { return Ok(Int::from_i64(n).into_object()) };
            let v = if x.is_exact::<Int>() || x.is_exact::<Bool>() {
                x.downcast::<Int>().and_then(|i| i.to_i64())
            } else {
                None
            };
            match v.and_then(|v| n.checked_add(v)) {
                Some(s) => n = s,
                None => {
                    total = number::add(&Int::from_i64(n), &x)?;
                    break;
                }
            }
        }
    }
    if let Some(f) = total.downcast_exact::<Float>() {
        let mut f = f.value();
        loop {
            if let Some(r) = rest(&|| Float::new(f).into_object()) {
                return r;
            }
            let Some(x) = it.iter_next()? else { return Ok(Float::new(f).into_object()) };
            if let Some(v) = x.downcast_exact::<Float>() {
                f += v.value();
            } else if let Some(v) = x.downcast_exact::<Int>().and_then(|i| i.to_i64()) {
                f += v as f64;
            } else {
                total = number::add(&Float::new(f), &x)?;
                break;
            }
        }
    }
    loop {
        if let Some(r) = rest(&|| total.clone()) {
            return r;
        }
        let Some(x) = it.iter_next()? else { return Ok(total) };
        total = number::add(&total, &x)?;
    }
}

fn extreme(a: Args<'_>, name: &str, op: CompareOp) -> PyResult {
    let (mut key, mut default) = (None, None);
    let n = a.kwargs().count();
    if n > 2 {
        return raise!(TypeError, "{}() takes at most 2 keyword arguments ({} given)", name, n);
    }
    for (k, v) in a.kwargs() {
        match &*k.to_str_lossy() {
            "key" => key = Some(v).filter(|v| !v.is_none()),
            "default" => default = Some(v),
            other => return raise!(TypeError, "'{}' is an invalid keyword argument for {}()", other, name),
        }
    }
    // Item and key.
    type Best = Option<(Owned<Object>, Owned<Object>)>;
    let mut best: Best = None;
    let better = |best: Best, x: Owned<Object>| -> PyResult<Best> {
        let k = match key {
            Some(f) => f.call1(&x)?,
            None => x.clone(),
        };
        let wins = match &best {
            None => true,
            Some((_, b)) => k.rich_compare_bool_strict(b, op)?,
        };
        Ok(if wins { Some((x, k)) } else { best })
    };
    match a.len() {
        0 => return raise!(TypeError, "{} expected at least 1 argument, got 0", name),
        1 => {
            let it = a.get(0).expect("counted").iterator()?;
            let mut watch = Watch::new(&it, key);
            while let Some(x) = it.iter_next()? {
                best = better(best, x)?;
                if watch.is_due()
                    && let Some((x, k)) = &best
                {
                    let what = match (op, key) {
                        (CompareOp::Lt, None) => Loop::Least,
                        (CompareOp::Lt, Some(_)) => Loop::LeastBy,
                        (_, None) => Loop::Greatest,
                        (_, Some(_)) => Loop::GreatestBy,
                    };
                    if let Some(r) = (Request { what, it: &it, f: key, a: Some(x), b: Some(k) }).run() {
                        return r;
                    }
                }
            }
        }
        _ => {
            if default.is_some() {
                return raise!(
                    TypeError,
                    "Cannot specify a default for {}() with multiple positional arguments",
                    name
                );
            }
            for x in a.iter() {
                best = better(best, x.own())?;
            }
        }
    }
    match (best, default) {
        (Some((x, _)), _) => Ok(x),
        (None, Some(d)) => Ok(d.own()),
        (None, None) => raise!(ValueError, "{}() arg is an empty sequence", name),
    }
}

trait StrictCompare {
    fn rich_compare_bool_strict(&self, other: &Object, op: CompareOp) -> PyResult<bool>;
}
impl StrictCompare for Object {
    /// `self op other` for an ordering; machine integers and floats without a call.
    fn rich_compare_bool_strict(&self, other: &Object, op: CompareOp) -> PyResult<bool> {
        if let (Some(a), Some(b)) = (self.downcast_exact::<Int>(), other.downcast_exact::<Int>()) {
            return Ok(op.holds(a.compare(b)));
        }
        self.rich_compare_bool(other, op)
    }
}

/// max(iterable, *[, default=obj, key=func]) -> value
/// max(arg1, arg2, *args, *[, key=func]) -> value
///
/// The largest item of an iterable (the default if it is empty), or the largest argument.
#[pyfunction(raw)]
pub fn max(a: Args<'_>) -> PyResult {
    extreme(a, "max", CompareOp::Gt)
}

/// min(iterable, *[, default=obj, key=func]) -> value
/// min(arg1, arg2, *args, *[, key=func]) -> value
///
/// The smallest item of an iterable (the default if it is empty), or the smallest argument.
#[pyfunction(raw)]
pub fn min(a: Args<'_>) -> PyResult {
    extreme(a, "min", CompareOp::Lt)
}

/// A new list with the items in ascending order of themselves or of what the key function makes of them.
#[pyfunction(raw, signature = "(iterable, /, *, key=None, reverse=False)")]
pub fn sorted(a: Args<'_>) -> PyResult<Owned<List>> {
    if a.len() != 1 {
        return raise!(TypeError, "sorted expected 1 argument, got {}", a.len());
    }
    let (mut key, mut reverse) = (None, false);
    for (k, v) in a.kwargs() {
        match &*k.to_str_lossy() {
            "key" => key = Some(v).filter(|v| !v.is_none()),
            "reverse" => {
                reverse = match number::index(v)?.to_i64().and_then(|n| i32::try_from(n).ok()) {
                    Some(n) => n != 0,
                    None => return raise!(OverflowError, "Python int too large to convert to C int"),
                }
            }
            other => return raise!(TypeError, "'{}' is an invalid keyword argument for sort()", other),
        }
    }
    let l = List::from_vec(a.get(0).expect("counted").to_items()?);
    l.sort(key, reverse)?;
    Ok(l)
}

// ---- Asynchronous iteration ----

/// The type's asynchronous methods.
fn async_methods(o: &Object) -> Option<&PyAsyncMethods> {
    // SAFETY: a live type's tp_as_async is null or its table.
    unsafe { (*o.ob_type()).tp_as_async.as_ref() }
}

/// The asynchronous iterator of an asynchronous iterable.
#[pyfunction(signature = "(async_iterable, /)")]
pub fn aiter(async_iterable: &Object) -> PyResult {
    let Some(f) = async_methods(async_iterable).and_then(|m| m.am_aiter) else {
        return raise!(TypeError, "'{}' object is not an async iterable", async_iterable.ty().name());
    };
    // SAFETY: a slot called with an instance of its type.
    let it: Owned = unsafe { from_c(f(async_iterable.as_ptr())) }?;
    if async_methods(&it).and_then(|m| m.am_anext).is_none() {
        return raise!(TypeError, "aiter() returned not an async iterator of type '{}'", it.ty().name());
    }
    Ok(it)
}

/// async anext(aiterator[, default])
///
/// An awaitable of the next item; the default, if given, instead of `StopAsyncIteration`.
#[pyfunction(raw, signature = "(aiterator, default=<unrepresentable>, /)")]
pub fn anext(a: Args<'_>) -> PyResult {
    count(&a, "anext", 1, 2)?;
    let it = a.get(0).expect("counted");
    let Some(f) = async_methods(it).and_then(|m| m.am_anext) else {
        return raise!(TypeError, "'{}' object is not an async iterator", it.ty().name());
    };
    // SAFETY: a slot called with an instance of its type.
    let awaitable: Owned = unsafe { from_c(f(it.as_ptr())) }?;
    match a.get(1) {
        None => Ok(awaitable),
        Some(d) => Ok(AnextAwaitable { wrapped: awaitable, default: d.own() }.build().into_object()),
    }
}

/// What `anext` with a default answers: forwards to the awaitable and turns `StopAsyncIteration` into the default.
#[pyclass(name = "anext_awaitable", no_new)]
pub struct AnextAwaitable {
    wrapped: Owned,
    default: Owned,
}

fn is_coroutine(o: &Object) -> bool {
    o.ob_type() == &raw mut lh_runtime::type_table::PyCoro_Type
}
/// Coroutines, and generators marked by `types.coroutine`.
fn is_awaitable_generator(o: &Object) -> bool {
    if o.ob_type() != &raw mut lh_runtime::type_table::PyGen_Type {
        return false;
    }
    // SAFETY: an exact generator; it holds its code object.
    unsafe {
        let code = (*o.as_ptr().cast::<PyGenObject>()).gi_code;
        !code.is_null() && (*code.cast::<PyCodeObject>()).co_flags & CO_ITERABLE_COROUTINE != 0
    }
}

/// The iterator behind `await o`.
pub fn awaitable_iterator(o: &Object) -> PyResult {
    if is_coroutine(o) || is_awaitable_generator(o) {
        return Ok(o.own());
    }
    let Some(f) = async_methods(o).and_then(|m| m.am_await) else {
        return raise!(TypeError, "object {} can't be used in 'await' expression", o.ty().name());
    };
    // SAFETY: a slot called with an instance of its type.
    let it: Owned = unsafe { from_c(f(o.as_ptr())) }?;
    if is_coroutine(&it) || is_awaitable_generator(&it) {
        return raise!(TypeError, "__await__() returned a coroutine");
    }
    if !lh_runtime::protocols::is_iterator(&it) {
        return raise!(TypeError, "__await__() returned non-iterator of type '{}'", it.ty().name());
    }
    Ok(it)
}

impl AnextAwaitable {
    /// The iterator to drive: never a bare coroutine.
    fn inner(&self) -> PyResult {
        let it = awaitable_iterator(&self.wrapped)?;
        if lh_runtime::protocols::is_iterator(&it) {
            return Ok(it);
        }
        let Some(f) = async_methods(&it).and_then(|m| m.am_await) else {
            return raise!(TypeError, "object {} can't be used in 'await' expression", it.ty().name());
        };
        // SAFETY: a slot called with an instance of its type.
        unsafe { from_c(f(it.as_ptr())) }
    }
    fn forward(&self, name: &str, a: Args<'_>) -> PyResult {
        let it = self.inner()?;
        let args: Vec<&Object> = a.iter().collect();
        let r = it.call_method(name, &args);
        self.or_default(r)
    }
    fn or_default<R>(&self, r: PyResult<R>) -> PyResult<R> {
        match r {
            Err(e) if e.matches(exc::StopAsyncIteration()) => {
                e.clear();
                Err(lh_runtime::exceptions::raise_stop_iteration(self.default.clone()))
            }
            r => r,
        }
    }
}

#[pymethods]
impl AnextAwaitable {
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<AnextAwaitable> {
        self.own()
    }
    #[slot(am_await)]
    fn py_await(&self) -> Owned<AnextAwaitable> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn py_next(&self) -> PyResult<Option<Owned<Object>>> {
        let it = self.inner()?;
        // SAFETY: `inner` answers an iterator. A StopIteration that carries the item stays set.
        let x =
            unsafe { Owned::from_raw_opt(((*it.ob_type()).tp_iternext.expect("an iterator"))(it.as_ptr())) };
        match x {
            Some(x) => Ok(Some(x)),
            None if occurred() => self.or_default(Err(Raised::already_set())),
            None => Ok(None),
        }
    }
    /// Sends a value to the awaited iterator.
    #[pymethod(raw)]
    fn send(&self, a: Args<'_>) -> PyResult {
        self.forward("send", a)
    }
    /// Throws an exception into the awaited iterator.
    #[pymethod(raw)]
    fn throw(&self, a: Args<'_>) -> PyResult {
        self.forward("throw", a)
    }
    /// Closes the awaited iterator.
    #[pymethod(raw)]
    fn close(&self, a: Args<'_>) -> PyResult {
        self.forward("close", a)
    }
}
