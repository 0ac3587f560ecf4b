//! `super`: attribute lookup that starts behind a class in the MRO.

use crate::frame;
use crate::prelude::*;
use std::mem::offset_of;
use std::ptr::null_mut;

#[repr(C)]
pub struct SuperObject {
    ob_base: PyObject,
    /// The class to start behind.
    class: *mut PyObject,
    /// The instance or class bound to; null while unbound.
    obj: *mut PyObject,
    obj_type: *mut PyObject,
}
lh_runtime::kind!(/** `super` */ Super: SuperObject, lh_runtime::type_table::PySuper_Type);

impl Super {
    fn class(&self) -> Option<Owned<Object>> {
        // SAFETY: the field is null or live.
        unsafe { Object::from_ptr_opt((*self.as_struct()).class).map(|o| o.own()) }
    }
    fn obj(&self) -> Option<Owned<Object>> {
        // SAFETY: the field is null or live.
        unsafe { Object::from_ptr_opt((*self.as_struct()).obj).map(|o| o.own()) }
    }
    fn obj_type(&self) -> Option<Owned<Object>> {
        // SAFETY: the field is null or live.
        unsafe { Object::from_ptr_opt((*self.as_struct()).obj_type).map(|o| o.own()) }
    }
    fn set(&self, class: &Object, obj: Option<(Owned<Object>, Owned<Object>)>) {
        // SAFETY: the fields own their references; the old ones go last.
        unsafe {
            let s = self.as_struct();
            let old = ((*s).class, (*s).obj, (*s).obj_type);
            (*s).class = class.own().into_raw();
            ((*s).obj, (*s).obj_type) = match obj {
                Some((o, t)) => (o.into_raw(), t.into_raw()),
                None => (null_mut(), null_mut()),
            };
            xdecref(old.0);
            xdecref(old.1);
            xdecref(old.2);
        }
    }
}

/// The type whose MRO is searched for an object bound to `super(class, obj)`.
fn check(class: &Type, obj: &Object) -> PyResult<Owned<Object>> {
    // `super(C, C2)` with a subclass: class methods.
    if let Some(t) = obj.downcast::<Type>()
        && t.is_subtype(class)
    {
        return Ok(obj.own());
    }
    if obj.ty().is_subtype(class) {
        return Ok(obj.ty().own().into_object());
    }
    // A proxy may say what it stands for.
    if let Some(c) = obj.get_attr_opt(intern!("__class__"))?
        && let Some(t) = c.downcast::<Type>()
        && !t.is(obj.ty())
        && t.is_subtype(class)
    {
        return Ok(c);
    }
    raise!(TypeError, "super(type, obj): obj must be an instance or subtype of type")
}

/// Class and first argument of the calling frame.
fn from_frame() -> PyResult<(Owned<Object>, Owned<Object>)> {
    // SAFETY: the running frame of the current thread.
    unsafe {
        let f = frame::current(Thread::current_ptr());
        if f.is_null() {
            return raise!(RuntimeError, "super(): no current frame");
        }
        let code = frame::code_ref(f);
        if (*(*f).code).co_argcount == 0 {
            return raise!(RuntimeError, "super(): no arguments");
        }
        let first = *frame::localsplus(f);
        let kinds = code.localspluskinds();
        let mut obj = Object::from_ptr_opt(first).map(|o| o.own());
        if kinds[0] & FAST_CELL != 0
            && let Some(c) = obj.as_deref().and_then(|o| o.downcast_exact::<CellObject>())
        {
            obj = c.get();
        }
        let Some(obj) = obj else { return raise!(RuntimeError, "super(): arg[0] deleted") };
        for (i, name) in code.localsplusnames().iter().enumerate() {
            if kinds[i] & FAST_FREE != 0 && name.downcast::<Str>().is_some_and(|n| n.equals_str("__class__")) {
                let cell = Object::from_ptr_opt(*frame::localsplus(f).add(i));
                let Some(cell) = cell.and_then(|c| c.downcast::<CellObject>()) else {
                    return raise!(RuntimeError, "super(): bad __class__ cell");
                };
                let Some(class) = cell.get() else {
                    return raise!(RuntimeError, "super(): empty __class__ cell");
                };
                if !class.is_instance_of::<Type>() {
                    return raise!(RuntimeError, "super(): __class__ is not a type ({})", class.ty().name());
                }
                return Ok((class, obj));
            }
        }
        raise!(RuntimeError, "super(): __class__ cell not found")
    }
}

fn members(b: &mut TypeBuilder) {
    b.member(c"__thisclass__", T_OBJECT, offset_of!(SuperObject, class), READONLY);
    b.member(c"__self__", T_OBJECT, offset_of!(SuperObject, obj), READONLY);
    b.member(c"__self_class__", T_OBJECT, offset_of!(SuperObject, obj_type), READONLY);
}

#[pymethods(extra = members)]
impl Super {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _a: &Tuple, _k: Option<&Dict>) -> PyResult<Owned<Object>> {
        // SAFETY: a zeroed instance is an unbound super.
        lh_runtime::typeobject::alloc(cls.tp(), 0).map(|o| unsafe { Owned::from_raw(o) })
    }
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        if kw.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "super() takes no keyword arguments");
        }
        if args.len() > 2 {
            return raise!(TypeError, "super() takes at most 2 arguments ({} given)", args.len());
        }
        if args.len() == 0 {
            let (class, obj) = from_frame()?;
            // SAFETY: `from_frame` answers a class.
            let t = check(unsafe { class.downcast_unchecked::<Type>() }, &obj)?;
            self.set(&class, Some((obj, t)));
            return Ok(());
        }
        let class = args.item_ref(0);
        let Some(c) = class.downcast::<Type>() else {
            return raise!(TypeError, "super() argument 1 must be a type, not {}", class.ty().name());
        };
        let obj = (args.len() == 2).then(|| args.item_ref(1)).filter(|o| !o.is_none());
        match obj {
            None => self.set(class, None),
            Some(o) => {
                let t = check(c, o)?;
                self.set(class, Some((o.own(), t)));
            }
        }
        Ok(())
    }
    #[slot(tp_getattro)]
    fn getattro(&self, name: &Object) -> PyResult {
        let Some(n) = name.downcast::<Str>() else {
            return raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name());
        };
        let (Some(class), Some(start)) = (self.class(), self.obj_type()) else {
            return self.generic_get_attr(n);
        };
        // `__class__` is that of the super object itself.
        if !n.equals_str("__class__")
            && let Some(t) = start.downcast::<Type>()
        {
            let mro = t.mro();
            let mut behind = mro.iter().skip_while(|c| !c.is(&*class)).skip(1);
            let found = behind.find_map(|c| {
                let d = c.downcast::<Type>()?.dict().own();
                d.get_str_key(n).ok().flatten()
            });
            if let Some(v) = found {
                let obj = self.obj();
                // SAFETY: slots of live objects; a class bound to itself passes no instance.
                unsafe {
                    if let Some(g) = (*v.ob_type()).tp_descr_get {
                        let o = obj.as_ref().map_or(null_mut(), |o| o.ptr());
                        let o = if o == start.ptr() { null_mut() } else { o };
                        return from_c(g(v.ptr(), o, start.ptr()));
                    }
                }
                return Ok(v);
            }
        }
        self.generic_get_attr(n)
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, o: Option<&Object>, _t: Option<&Object>) -> PyResult {
        let Some(o) = o.filter(|o| !o.is_none()) else { return Ok(self.as_object().own()) };
        if self.obj().is_some() {
            return Ok(self.as_object().own());
        }
        let Some(class) = self.class() else { return Ok(self.as_object().own()) };
        if !self.is_exact::<Super>() {
            return self.ty().call(&[&class, o]);
        }
        // SAFETY: an initialised super has a class; the new object is zeroed.
        unsafe {
            let t = check(class.downcast_unchecked::<Type>(), o)?;
            let new = Owned::<Super>::from_raw(lh_runtime::typeobject::alloc(Super::type_ptr(), 0)?);
            new.set(&class, Some((o.own(), t)));
            Ok(new.into_object())
        }
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> String {
        let name = |o: Option<Owned<Object>>| match o.as_deref().and_then(|c| c.downcast::<Type>()) {
            Some(t) => t.name(),
            None => "NULL".into(),
        };
        match self.obj_type() {
            Some(t) => format!("<super: <class '{}'>, <{} object>>", name(self.class()), name(Some(t))),
            None => format!("<super: <class '{}'>, NULL>", name(self.class())),
        }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        // SAFETY: fields of a live object.
        unsafe {
            let s = self.as_struct();
            v.visit_ptr((*s).class);
            v.visit_ptr((*s).obj);
            v.visit_ptr((*s).obj_type);
        }
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator.
        unsafe {
            lh_runtime::gc::untrack(o);
            let s = o.cast::<SuperObject>();
            xdecref((*s).class);
            xdecref((*s).obj);
            xdecref((*s).obj_type);
            lh_runtime::typeobject::free_instance(o);
        }
    }
}

pub fn init() -> PyResult<()> {
    ready::<Super>()?;
    Ok(())
}
