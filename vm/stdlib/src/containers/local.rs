//! `_thread._local`: attributes that each thread has for itself.
//!
//! The object owns the attribute dicts, one for each thread, so that the collector sees what they hold. Each thread's state has a dict
//! (`PyThreadState.dict`); there, under a key that is the local object's own, lies a presence: its end, with the thread's, takes the attributes
//! away. A thread that meets the object for the first time runs its `__init__` again with the arguments of the first call.

use lh_runtime::prelude::*;
use lh_runtime::thread::{self, Thread};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Thread-local data
#[pyclass(name = "_local", module = "_thread", basetype, weakref)]
pub struct Local {
    key: Owned<Str>,
    /// Attributes by thread (the presence in its dict).
    dicts: RefCell<Vec<(usize, Owned<Dict>)>>,
    args: Owned<Tuple>,
    kw: Option<Owned<Dict>>,
}

/// Stands in a thread's dict for the attributes that the thread has in one object.
#[pyclass(name = "_localdummy", module = "_thread", no_new)]
pub struct Presence {
    local: Owned<Object>,
    thread: usize,
}

#[pymethods]
impl Presence {}

impl Drop for Presence {
    fn drop(&mut self) {
        let local = self.local.downcast::<WeakRef>().and_then(|w| w.target());
        if let Some(l) = local.as_ref().and_then(|l| l.downcast::<Local>()) {
            let mut dicts = l.dicts.borrow_mut();
            let gone = dicts.iter().position(|(t, _)| *t == self.thread).map(|i| dicts.swap_remove(i));
            drop(dicts);
            drop(gone);
        }
    }
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Drop for Local {
    fn drop(&mut self) {
        let mut gone = vec![];
        thread::for_each(|ts| {
            // SAFETY: thread states' dicts are only changed under the GIL.
            unsafe {
                if let Some(d) = Object::from_ptr_opt((*ts).dict)
                    && let Ok(Some(v)) = d.downcast_unchecked::<Dict>().pop(&self.key)
                {
                    gone.push(v);
                }
            }
        });
        drop(gone);
    }
}

/// The current thread's dict, made on first use.
fn thread_dict() -> Owned<Dict> {
    // SAFETY: this thread's own state.
    unsafe {
        let ts = Thread::current_ptr();
        if (*ts).dict.is_null() {
            (*ts).dict = Dict::new().into_raw();
        }
        Object::from_ptr((*ts).dict).downcast_unchecked::<Dict>().own()
    }
}

fn this_thread() -> usize {
    Thread::current_ptr() as usize
}

impl Local {
    /// Gives the current thread its attributes.
    fn enter(&self, thread: usize) -> PyResult<Owned<Dict>> {
        let d = Dict::new();
        let presence = Presence { local: WeakRef::new(self, None)?, thread }.build();
        thread_dict().set_item(&self.key, &presence)?;
        self.dicts.borrow_mut().push((thread, d.clone()));
        Ok(d)
    }
    /// This thread's attributes.
    fn attrs(&self) -> PyResult<Owned<Dict>> {
        let thread = this_thread();
        if let Some((_, d)) = self.dicts.borrow().iter().find(|(t, _)| *t == thread) {
            return Ok(d.clone());
        }
        let (td, d) = (thread_dict(), self.enter(thread)?);
        // SAFETY: slots of live types; the arguments are a tuple and a dict or null.
        unsafe {
            let init = (*self.ob_type()).tp_init;
            let plain = (*<Object as Kind>::type_ptr()).tp_init;
            if let Some(f) = init
                && plain.map(|p| p as usize) != Some(f as usize)
            {
                let kw = self.kw.as_ref().map_or(std::ptr::null_mut(), |k| k.ptr());
                if f(self.as_ptr(), self.args.ptr(), kw) < 0 {
                    lh_runtime::errors::preserving(|| {
                        let _ = td.pop(&self.key);
                    });
                    return Err(Raised::already_set());
                }
            }
        }
        Ok(d)
    }
}

fn name_of(name: &Object) -> PyResult<&Str> {
    match name.downcast::<Str>() {
        Some(s) => Ok(s),
        None => raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name()),
    }
}

#[pymethods]
impl Local {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Local>> {
        if args.len() > 0 || kw.is_some_and(|k| k.len() > 0) {
            // SAFETY: comparing slots of live types.
            let plain = unsafe {
                (*cls.tp()).tp_init.map(|f| f as usize)
                    == (*<Object as Kind>::type_ptr()).tp_init.map(|f| f as usize)
            };
            if plain {
                return raise!(TypeError, "Initialization arguments are not supported");
            }
        }
        let key = Str::new(&format!("_thread._local.{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        let dicts = RefCell::new(vec![]);
        let l = Local { key, dicts, args: args.own(), kw: kw.map(|k| k.own()) }.build_in(cls)?;
        // The first thread's __init__ is run by the call of the type.
        l.enter(this_thread())?;
        Ok(l)
    }
    #[slot(tp_getattro)]
    fn getattro(&self, name: &Object) -> PyResult {
        let name = name_of(name)?;
        let attrs = self.attrs()?;
        if name.equals_str("__dict__") {
            return Ok(attrs.into_object());
        }
        let descr = self.ty().lookup(name);
        // SAFETY: slots of a live type.
        unsafe {
            if let Some(d) = &descr {
                let t = d.ob_type();
                if let (Some(get), Some(_)) = ((*t).tp_descr_get, (*t).tp_descr_set) {
                    return from_c(get(d.ptr(), self.as_ptr(), self.ob_type().cast()));
                }
            }
            if let Some(v) = attrs.get_item(name)? {
                return Ok(v);
            }
            if let Some(d) = descr {
                return match (*d.ob_type()).tp_descr_get {
                    Some(get) => from_c(get(d.ptr(), self.as_ptr(), self.ob_type().cast())),
                    None => Ok(d),
                };
            }
        }
        raise!(AttributeError, "'{}' object has no attribute '{}'", self.ty().name(), name.to_str_lossy())
    }
    #[slot(tp_setattro)]
    fn setattro(&self, name: &Object, value: Option<&Object>) -> PyResult<()> {
        let name = name_of(name)?;
        let attrs = self.attrs()?;
        if name.equals_str("__dict__") {
            return raise!(
                AttributeError,
                "'{}' object attribute '{}' is read-only",
                self.ty().name(),
                name.to_str_lossy()
            );
        }
        if let Some(d) = self.ty().lookup(name) {
            // SAFETY: a slot of a live type.
            unsafe {
                if let Some(set) = (*d.ob_type()).tp_descr_set {
                    let v = value.map_or(std::ptr::null_mut(), |v| v.as_ptr());
                    return if set(d.ptr(), self.as_ptr(), v) < 0 {
                        Err(Raised::already_set())
                    } else {
                        Ok(())
                    };
                }
            }
        }
        match value {
            Some(v) => attrs.set_item(name, v),
            None => {
                if attrs.del_item(name)? {
                    return Ok(());
                }
                raise!(
                    AttributeError,
                    "'{}' object has no attribute '{}'",
                    self.ty().name(),
                    name.to_str_lossy()
                )
            }
        }
    }
}
