//! Asynchronous generators' protocol: `__anext__`, `asend`, `athrow`, `aclose` and the awaitables they answer.
//!
//! A value that an asynchronous generator yields to its user is wrapped (ASYNC_GEN_WRAP), to tell it from what it passes up to
//! the event loop while awaiting; the awaitables here unwrap it into a `StopIteration`.

use crate::generator::{AsyncGenerator, Sent, async_init_hooks, send_ex, throw, throw_args, yield_from};
use crate::prelude::*;
use std::ptr::null_mut;

const INIT: i32 = 0;
const ITER: i32 = 1;
const CLOSED: i32 = 2;

#[repr(C)]
pub struct WrappedObject {
    ob_base: PyObject,
    value: *mut PyObject,
}
/// `asend()`/`athrow()`/`aclose()`: the generator, the value to send (or the arguments to throw; null for `aclose`), the state.
#[repr(C)]
pub struct AwaitObject {
    ob_base: PyObject,
    gen_: *mut PyObject,
    arg: *mut PyObject,
    state: i32,
}
use lh_runtime::type_table::*;
lh_runtime::kind!(/** A wrapped value */ Wrapped: WrappedObject, _PyAsyncGenWrappedValue_Type);
lh_runtime::kind!(/** `asend()` and `__anext__()` */ ASend: AwaitObject, _PyAsyncGenASend_Type);
lh_runtime::kind!(/** `athrow()` and `aclose()` */ AThrow: AwaitObject, _PyAsyncGenAThrow_Type);

unsafe fn alloc(tp: *mut PyTypeObject, fill: impl FnOnce(*mut PyObject)) -> *mut PyObject {
    // SAFETY: the fields are written before the object is tracked.
    unsafe {
        let o = lh_runtime::gc::new_object(tp, 0);
        assert!(!o.is_null(), "out of memory");
        fill(o);
        lh_runtime::gc::track(o);
        o
    }
}

/// ASYNC_GEN_WRAP. Takes over the reference.
pub unsafe fn wrap(v: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's reference moves into the wrapper.
    unsafe { alloc(Wrapped::type_ptr(), |o| (*o.cast::<WrappedObject>()).value = v) }
}

fn make<T: Kind>(g: &AsyncGenerator, arg: Option<&Object>) -> PyResult<Owned<T>> {
    async_init_hooks(g)?;
    // SAFETY: both awaitables have this layout.
    unsafe {
        Ok(Owned::from_raw(alloc(T::type_ptr(), |o| {
            let a = o.cast::<AwaitObject>();
            (*a).gen_ = g.own().into_raw();
            (*a).arg = arg.map_or(null_mut(), |v| v.own().into_raw());
            (*a).state = INIT;
        })))
    }
}

/// `anext` of an exact asynchronous generator.
pub fn anext(g: &AsyncGenerator) -> PyResult<Owned<ASend>> {
    make(g, Some(none_ref()))
}

/// What a step of the generator means to the awaiting code: a value that is the generator's own (`Returned`), or one that
/// it hands on from what it awaits (`Yielded`).
fn unwrap(g: &AsyncGenerator, s: PyResult<Sent>) -> PyResult<Sent> {
    // SAFETY: plain fields of a live generator.
    unsafe {
        let p = g.as_struct();
        let res = match s {
            Ok(Sent::Yielded(v)) => Ok(v),
            Ok(Sent::Returned(_)) => raise!(StopAsyncIteration),
            Err(e) => Err(e),
        };
        match res {
            Err(e) => {
                if e.matches(exc::StopAsyncIteration()) || e.matches(exc::GeneratorExit()) {
                    (*p).ag_closed = 1;
                }
                (*p).ag_running_async = 0;
                Err(e)
            }
            Ok(v) => match v.downcast_exact::<Wrapped>() {
                Some(w) => {
                    (*p).ag_running_async = 0;
                    let v = r((*w.as_struct()).value).own();
                    Ok(Sent::Returned(v))
                }
                None => Ok(Sent::Yielded(v)),
            },
        }
    }
}
/// The same for who called a method: the generator's own value comes as a StopIteration.
fn as_method(s: PyResult<Sent>) -> PyResult {
    match s? {
        Sent::Yielded(v) => Ok(v),
        Sent::Returned(v) => Err(lh_runtime::exceptions::raise_stop_iteration(v)),
    }
}

macro_rules! shared {
    ($t:ident) => {
        impl $t {
            fn a(&self) -> *mut AwaitObject {
                self.as_struct()
            }
            fn generator(&self) -> Owned<AsyncGenerator> {
                // SAFETY: an awaitable owns its generator.
                unsafe { r((*self.a()).gen_).downcast_unchecked::<AsyncGenerator>().own() }
            }
            fn state(&self) -> i32 {
                // SAFETY: a plain field.
                unsafe { (*self.a()).state }
            }
            fn set_state(&self, s: i32) {
                // SAFETY: a plain field.
                unsafe { (*self.a()).state = s }
            }
            fn arg(&self) -> Option<Owned<Object>> {
                // SAFETY: the field is null or a live object.
                unsafe { Object::from_ptr_opt((*self.a()).arg).map(|o| o.own()) }
            }
        }
        #[pymethods(part = "common")]
        impl $t {
            #[pymethod]
            fn close(&self) {
                self.set_state(CLOSED)
            }
            #[slot(am_await)]
            fn am_await(&self) -> Owned<$t> {
                self.own()
            }
            #[slot(tp_iter)]
            fn tp_iter(&self) -> Owned<$t> {
                self.own()
            }
            #[slot(tp_iternext)]
            fn tp_iternext(&self) -> PyResult<Option<Owned<Object>>> {
                self.send(none_ref()).map(Some)
            }
            #[slot(tp_traverse)]
            fn tp_traverse(&self, v: &mut Visitor) {
                // SAFETY: fields of a live object.
                unsafe {
                    v.visit_ptr((*self.a()).gen_);
                    v.visit_ptr((*self.a()).arg);
                }
            }
            #[slot(tp_dealloc)]
            unsafe fn tp_dealloc(o: *mut PyObject) {
                // SAFETY: the deallocator.
                unsafe {
                    lh_runtime::gc::untrack(o);
                    decref((*o.cast::<AwaitObject>()).gen_);
                    xdecref((*o.cast::<AwaitObject>()).arg);
                    lh_runtime::typeobject::free_instance(o);
                }
            }
        }
    };
}
shared!(ASend);
shared!(AThrow);

fn running(g: &AsyncGenerator) -> bool {
    // SAFETY: a plain field.
    unsafe { (*g.as_struct()).ag_running_async != 0 }
}
fn set_running(g: &AsyncGenerator, on: bool) {
    // SAFETY: a plain field.
    unsafe { (*g.as_struct()).ag_running_async = on as _ }
}

impl ASend {
    /// `send`, without an exception for the end.
    pub fn step(&self, arg: &Object) -> PyResult<Sent> {
        if self.state() == CLOSED {
            return raise!(RuntimeError, "cannot reuse already awaited __anext__()/asend()");
        }
        let g = self.generator();
        let mut value = arg.own();
        if self.state() == INIT {
            if running(&g) {
                self.set_state(CLOSED);
                return raise!(RuntimeError, "anext(): asynchronous generator is already running");
            }
            if arg.is_none() {
                value = self.arg().unwrap_or_else(none);
            }
            self.set_state(ITER);
        }
        set_running(&g, true);
        // SAFETY: a live generator.
        let res = unwrap(&g, unsafe { send_ex(g.gen_(), Some(&value), false, false) });
        if !matches!(res, Ok(Sent::Yielded(_))) {
            self.set_state(CLOSED);
        }
        res
    }
}

#[pymethods(parts(common))]
impl ASend {
    #[pymethod]
    fn send(&self, arg: &Object) -> PyResult {
        as_method(self.step(arg))
    }
    #[pymethod(raw)]
    fn throw(&self, a: Args<'_>) -> PyResult {
        if self.state() == CLOSED {
            return raise!(RuntimeError, "cannot reuse already awaited __anext__()/asend()");
        }
        let (t, v, tb) = throw_args(a, "async_generator_asend.throw")?;
        let g = self.generator();
        // SAFETY: a live generator.
        let res = as_method(unwrap(&g, unsafe { throw(g.gen_(), true, t, v, tb) }));
        if res.is_err() {
            self.set_state(CLOSED);
        }
        res
    }
}

impl AThrow {
    fn ignored(&self, g: &AsyncGenerator) -> PyResult {
        set_running(g, false);
        self.set_state(CLOSED);
        raise!(RuntimeError, "async generator ignored GeneratorExit")
    }
    fn check_error(&self, g: &AsyncGenerator, e: Raised) -> PyResult {
        set_running(g, false);
        self.set_state(CLOSED);
        if self.arg().is_none() && (e.matches(exc::StopAsyncIteration()) || e.matches(exc::GeneratorExit())) {
            e.clear();
            return raise!(StopIteration);
        }
        Err(e)
    }
    /// The end of a step of `aclose()`.
    fn close_step(&self, g: &AsyncGenerator, s: PyResult<Sent>) -> PyResult {
        match s {
            Ok(Sent::Yielded(v)) if v.is_exact::<Wrapped>() => self.ignored(g),
            Ok(Sent::Yielded(v)) => Ok(v),
            Ok(Sent::Returned(_)) => {
                let e = lh_runtime::errors::set_object(exc::StopAsyncIteration(), None);
                self.check_error(g, e)
            }
            Err(e) => self.check_error(g, e),
        }
    }
}

#[pymethods(parts(common))]
impl AThrow {
    #[pymethod]
    fn send(&self, arg: &Object) -> PyResult {
        if self.state() == CLOSED {
            return raise!(RuntimeError, "cannot reuse already awaited aclose()/athrow()");
        }
        let g = self.generator();
        // SAFETY: plain fields of a live generator.
        unsafe {
            let p = g.as_struct();
            if (*p).ag_frame_state >= crate::generator::COMPLETED {
                self.set_state(CLOSED);
                return raise!(StopIteration);
            }
            let args = self.arg();
            if self.state() == INIT {
                if running(&g) {
                    self.set_state(CLOSED);
                    let name = if args.is_none() { "aclose" } else { "athrow" };
                    return raise!(RuntimeError, "{}(): asynchronous generator is already running", name);
                }
                if (*p).ag_closed != 0 {
                    self.set_state(CLOSED);
                    return raise!(StopAsyncIteration);
                }
                if !arg.is_none() {
                    return raise!(RuntimeError, "can't send non-None value to a just-started coroutine");
                }
                self.set_state(ITER);
                set_running(&g, true);
                let Some(args) = args else {
                    (*p).ag_closed = 1;
                    let s = throw(g.gen_(), false, exc::GeneratorExit(), None, None);
                    return self.close_step(&g, s);
                };
                let t = args.downcast_unchecked::<Tuple>();
                let item = |i: usize| (i < t.len()).then(|| t.item_ref(i));
                let s = throw(g.gen_(), false, t.item_ref(0), item(1), item(2));
                return match as_method(unwrap(&g, s)) {
                    Ok(v) => Ok(v),
                    Err(e) => self.check_error(&g, e),
                };
            }
            let s = send_ex(g.gen_(), Some(arg), false, false);
            if args.is_some() { as_method(unwrap(&g, s)) } else { self.close_step(&g, s) }
        }
    }
    #[pymethod(raw)]
    fn throw(&self, a: Args<'_>) -> PyResult {
        if self.state() == CLOSED {
            return raise!(RuntimeError, "cannot reuse already awaited aclose()/athrow()");
        }
        let (t, v, tb) = throw_args(a, "async_generator_athrow.throw")?;
        let g = self.generator();
        // SAFETY: a live generator.
        let s = unsafe { throw(g.gen_(), true, t, v, tb) };
        if self.arg().is_some() { as_method(unwrap(&g, s)) } else { self.close_step(&g, s) }
    }
}

#[pymethods]
impl Wrapped {
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        // SAFETY: a field of a live object.
        v.visit_ptr(unsafe { (*self.as_struct()).value });
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator.
        unsafe {
            lh_runtime::gc::untrack(o);
            xdecref((*o.cast::<WrappedObject>()).value);
            lh_runtime::typeobject::free_instance(o);
        }
    }
}

#[pymethods(parts(common))]
impl AsyncGenerator {
    /// asend(v) -> send 'v' in generator.
    #[pymethod]
    fn asend(&self, value: &Object) -> PyResult<Owned<ASend>> {
        make(self, Some(value))
    }
    /// athrow(value)
    /// athrow(type[,value[,tb]])
    ///
    /// raise exception in generator.
    #[pymethod(raw)]
    fn athrow(&self, a: Args<'_>) -> PyResult<Owned<AThrow>> {
        let t = Tuple::from_vec(a.iter().map(|x| x.own()).collect());
        make(self, Some(&t))
    }
    /// aclose() -> raise GeneratorExit inside generator.
    #[pymethod]
    fn aclose(&self) -> PyResult<Owned<AThrow>> {
        make(self, None)
    }
    #[classmethod]
    fn __class_getitem__(cls: &Type, item: &Object) -> PyResult {
        lh_runtime::genericalias::new(cls, item)
    }
    #[getter]
    fn ag_running(&self) -> bool {
        running(self)
    }
    #[getter]
    fn ag_await(&self) -> Option<Owned<Object>> {
        // SAFETY: a live generator.
        unsafe { yield_from(self.gen_()) }
    }
    #[slot(am_aiter)]
    fn am_aiter(&self) -> Owned<AsyncGenerator> {
        self.own()
    }
    #[slot(am_anext)]
    fn am_anext(&self) -> PyResult<Owned<ASend>> {
        anext(self)
    }
}

pub fn init() -> PyResult<()> {
    ready::<ASend>()?;
    ready::<AThrow>()?;
    ready::<Wrapped>()?;
    Ok(())
}
