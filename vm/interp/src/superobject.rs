//! `super`: attribute lookup that starts behind a class in the MRO of an object's type.
//!
//! ```text
//!   super(C, x).name:   type(x).__mro__ = (D, C, B, A, object)      first B, then A, object
//! ```
//! `obj_type` is the class whose MRO is searched: `type(x)` (or `x.__class__`) if x is an instance of C, `x` itself if it is a
//! subclass of C. An unbound `super(C)` becomes bound through `__get__`.

use crate::builtins::api;
use lh_abi::*;
use lh_runtime::prelude::*;
use lh_runtime::{gc, typeobject};
use std::mem::offset_of;
use std::ptr::null_mut;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct SuperObject {
    pub ob_base: PyObject,
    pub type_: *mut PyObject,
    pub obj: *mut PyObject,
    pub obj_type: *mut PyObject,
}
lh_runtime::kind!(/** `super` */ Super: SuperObject, lh_runtime::type_table::PySuper_Type);

/// The class whose MRO `super(class, obj)` searches.
fn check(class: &Type, obj: &Object) -> PyResult<Owned<Type>> {
    if let Some(t) = obj.downcast::<Type>()
        && t.is_subtype(class)
    {
        return Ok(t.own());
    }
    if obj.ty().is_subtype(class) {
        return Ok(obj.ty().own());
    }
    // A proxy may claim another class.
    if let Some(k) = obj.get_attr_opt(intern!("__class__"))?
        && let Some(k) = k.downcast::<Type>()
        && !k.is(obj.ty())
        && k.is_subtype(class)
    {
        return Ok(k.own());
    }
    raise!(TypeError, "super(type, obj): obj must be an instance or subtype of type")
}

/// `__class__` and the first argument of the running function.
fn implied() -> PyResult<(Owned<Type>, Owned<Object>)> {
    let Some(f) = (api()?.frame_locals)() else {
        return raise!(RuntimeError, "super(): no current frame");
    };
    // SAFETY: the places and kinds of the frame's locals, one for each name; the frame runs while we look.
    unsafe {
        let code = f.code.as_struct();
        if (*code).co_argcount == 0 {
            return raise!(RuntimeError, "super(): no arguments");
        }
        let kinds = f.code.localspluskinds();
        let mut first = Object::from_ptr_opt(*f.locals).map(|o| o.own());
        if kinds[0] & lh_runtime::codeobject::FAST_CELL != 0
            && let Some(c) = first.as_ref().and_then(|o| o.downcast_exact::<CellObject>())
        {
            first = c.get();
        }
        let Some(first) = first else {
            return raise!(RuntimeError, "super(): arg[0] deleted");
        };
        let names = f.code.localsplusnames();
        // Free variables come last.
        let free = names.len() - (*code).co_nfreevars as usize;
        for i in free..names.len() {
            if !names.item_ref(i).is(intern!("__class__")) {
                continue;
            }
            let Some(cell) =
                Object::from_ptr_opt(*f.locals.add(i)).and_then(|o| o.downcast_exact::<CellObject>())
            else {
                return raise!(RuntimeError, "super(): bad __class__ cell");
            };
            let Some(class) = cell.get() else {
                return raise!(RuntimeError, "super(): empty __class__ cell");
            };
            let Some(t) = class.downcast::<Type>() else {
                return raise!(RuntimeError, "super(): __class__ is not a type ({})", class.ty().name());
            };
            return Ok((t.own(), first));
        }
        raise!(RuntimeError, "super(): __class__ cell not found")
    }
}

impl Super {
    fn fields(&self) -> SuperObject {
        // SAFETY: plain reads of the object's own fields.
        unsafe { *self.as_struct() }
    }
    fn class_obj(&self) -> Option<Owned<Type>> {
        // SAFETY: the field holds a type or null.
        unsafe { Object::from_ptr_opt(self.fields().type_).map(|o| o.downcast_unchecked::<Type>().own()) }
    }
    /// Fills the fields, dropping what they held.
    fn bind(&self, class: &Type, obj: Option<&Object>) -> PyResult<()> {
        let obj_type = match obj {
            Some(o) => Some(check(class, o)?),
            None => None,
        };
        // SAFETY: the old values are dropped after the new ones are in place.
        unsafe {
            let old = self.fields();
            let s = self.as_struct();
            (*s).type_ = class.own().into_raw();
            (*s).obj = obj.map_or(null_mut(), |o| o.own().into_raw());
            (*s).obj_type = obj_type.map_or(null_mut(), Owned::into_raw);
            xdecref(old.type_);
            xdecref(old.obj);
            xdecref(old.obj_type);
        }
        Ok(())
    }
    /// The value found behind the class in the MRO; `None` if there is none.
    fn find_unbound(&self, name: &Str) -> PyResult<Option<Owned<Object>>> {
        let f = self.fields();
        // SAFETY: the fields hold references or null; those used are kept for the time of the call.
        unsafe {
            let Some(start) = Object::from_ptr_opt(f.obj_type).map(|o| o.downcast_unchecked::<Type>().own())
            else {
                return Ok(None);
            };
            // `super().__class__` is about the super object.
            let class = intern!("__class__");
            if name.is(class) || !lh_runtime::typeobject::is_interned(name) && name.equals_str("__class__") {
                return Ok(None);
            }
            if (*start.tp()).tp_mro.is_null() {
                return Ok(None);
            }
            let mro = start.mro();
            let mut behind = false;
            for t in mro.iter() {
                if !behind {
                    behind = t.as_ptr() == f.type_;
                    continue;
                }
                let Some(t) = t.downcast::<Type>() else { continue };
                if let Some(v) = t.dict().get_str_key(name)? {
                    return Ok(Some(v));
                }
            }
            Ok(None)
        }
    }
    /// The value found behind the class in the MRO, bound; `None` if there is none.
    fn find(&self, name: &Str) -> PyResult<Option<Owned<Object>>> {
        let Some(v) = self.find_unbound(name)? else { return Ok(None) };
        let f = self.fields();
        // SAFETY: an object was found by them, so the fields are set; they are kept for the time of the call.
        unsafe {
            let Some(get) = (*v.ob_type()).tp_descr_get else { return Ok(Some(v)) };
            let (obj, start) = (Object::from_ptr(f.obj).own(), Object::from_ptr(f.obj_type).own());
            // A class searched by itself binds class methods only.
            let instance = if f.obj == f.obj_type { null_mut() } else { obj.as_ptr() };
            from_c(get(v.as_ptr(), instance, start.raw())).map(Some)
        }
    }
}

/// What `s.name(...)` calls and the `self` in front of its arguments, for an exact super object `s`, if no bound method need be made for
/// it.
pub fn method(s: &Super, name: &Str) -> PyResult<Option<(Owned<Object>, Owned<Object>)>> {
    let f = s.fields();
    if f.obj.is_null() || f.obj == f.obj_type {
        return Ok(None);
    }
    let Some(v) = s.find_unbound(name)? else { return Ok(None) };
    // SAFETY: the object's own reference.
    unsafe {
        if (*v.ob_type()).tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR == 0 {
            return Ok(None);
        }
        // (A method descriptor refuses other objects when it is called, with other words than when it is bound.)
        if !v.is_exact::<Function>() {
            return Ok(None);
        }
        Ok(Some((v, Object::from_ptr(f.obj).own())))
    }
}

/// A `super` object of these parts (class, object, type of the object), whose references it takes over.
///
/// # Safety
/// Live objects, the object an instance of the class.
pub unsafe fn from_parts(class: *mut PyObject, obj: *mut PyObject, obj_type: *mut PyObject) -> *mut PyObject {
    // SAFETY: a new object whose fields are null.
    unsafe {
        let Ok(s) = typeobject::alloc(Super::class().tp(), 0) else { return null_mut() };
        let p = s.cast::<SuperObject>();
        (*p).type_ = class;
        (*p).obj = obj;
        (*p).obj_type = obj_type;
        s
    }
}
/// The Python function that `super(class, o).name` finds for an `o` of class `of` (borrowed); `None` if it finds anything else.
pub fn method_behind(class: *mut PyTypeObject, of: &Type, name: &Str) -> Option<*mut PyObject> {
    let mro = of.mro();
    let at = mro.iter().position(|t| t.as_ptr() == class.cast())?;
    for t in mro.iter().skip(at + 1) {
        let Some(t) = t.downcast::<Type>() else { continue };
        if let Some(v) = t.dict().get_str_key(name).ok()? {
            return v.is_exact::<Function>().then(|| v.as_ptr());
        }
    }
    None
}

/// `super().name` without making the super object: `class` and `obj` as in `super(class, obj)`.
pub fn super_attr(class: &Type, obj: &Object, name: &Str) -> PyResult {
    let s = make(Super::class(), class, Some(obj))?;
    s.as_object().get_attr(name)
}

fn make(cls: &Type, class: &Type, obj: Option<&Object>) -> PyResult<Owned<Super>> {
    if cls.tp() != Super::type_ptr() {
        // SAFETY: a new object whose fields are null.
        let s: Owned<Super> = unsafe { Owned::from_raw(typeobject::alloc(cls.tp(), 0)?) };
        s.bind(class, obj)?;
        return Ok(s);
    }
    let obj_type = match obj {
        Some(o) => Some(check(class, o)?),
        None => None,
    };
    // SAFETY: all fields are written before anybody sees the object.
    unsafe {
        let o = gc::new_builtin(Super::type_ptr(), size_of::<SuperObject>());
        if o.is_null() {
            return raise!(MemoryError);
        }
        let s = o.cast::<SuperObject>();
        (*s).type_ = class.own().into_raw();
        (*s).obj = obj.map_or(null_mut(), |o| o.own().into_raw());
        (*s).obj_type = obj_type.map_or(null_mut(), Owned::into_raw);
        gc::track(o);
        Ok(Owned::from_raw(o))
    }
}
/// The class and the object that `super(...)` is about.
fn given(args: &[&Object]) -> PyResult<(Owned<Type>, Option<Owned<Object>>)> {
    match args {
        [] => implied().map(|(class, obj)| (class, Some(obj))),
        [first, ..] if args.len() < 3 => {
            let Some(class) = first.downcast::<Type>() else {
                return raise!(TypeError, "super() argument 1 must be a type, not {}", first.ty().name());
            };
            Ok((class.own(), args.get(1).filter(|o| !o.is_none()).map(|o| o.own())))
        }
        _ => raise!(TypeError, "super() expected at most 2 arguments, got {}", args.len()),
    }
}
/// `tp_vectorcall`.
unsafe extern "C" fn call(
    cls: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the vectorcall protocol.
    lh_runtime::border::object(|| unsafe {
        if crate::bind::kw_count(kwnames) > 0 {
            return raise!(TypeError, "super() takes no keyword arguments");
        }
        let n = nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET;
        let mut few = [none_ref(); 3];
        for (i, o) in few.iter_mut().enumerate().take(n) {
            *o = Object::from_ptr(*args.add(i));
        }
        if n > 2 {
            return raise!(TypeError, "super() expected at most 2 arguments, got {}", n);
        }
        let (class, obj) = given(&few[..n])?;
        make(Type::from_raw_ref(cls.cast()), &class, obj.as_deref()).map(Owned::into_object)
    })
}

#[pymethods(extra = extra)]
impl Super {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Super>> {
        // SAFETY: a new object whose fields are null.
        unsafe { Ok(Owned::from_raw(typeobject::alloc(cls.tp(), 0)?)) }
    }
    #[slot(tp_init)]
    fn py_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        if kw.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "super() takes no keyword arguments");
        }
        let args: Vec<&Object> = args.iter().collect();
        let (class, obj) = given(&args)?;
        self.bind(&class, obj.as_deref())
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<String> {
        let f = self.fields();
        let class = self.class_obj().map_or("NULL".to_string(), |t| t.name());
        // SAFETY: the field holds a type or null.
        Ok(match unsafe { Object::from_ptr_opt(f.obj_type) } {
            // SAFETY: as above.
            Some(t) => format!("<super: <class '{}'>, <{} object>>", class, unsafe {
                t.downcast_unchecked::<Type>().name()
            }),
            None => format!("<super: <class '{class}'>, NULL>"),
        })
    }
    #[slot(tp_getattro)]
    fn py_getattro(&self, name: &Object) -> PyResult {
        let Some(name) = name.downcast::<Str>() else {
            return raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name());
        };
        match self.find(name)? {
            Some(v) => Ok(v),
            None => self.generic_get_attr(name),
        }
    }
    #[slot(tp_descr_get)]
    fn py_get(&self, obj: Option<&Object>, _class: Option<&Object>) -> PyResult {
        let f = self.fields();
        let Some(obj) = obj.filter(|o| !o.is_none()) else { return Ok(self.as_object().own()) };
        let (false, Some(class)) = (!f.obj.is_null(), self.class_obj()) else {
            return Ok(self.as_object().own());
        };
        if !self.is_exact::<Super>() {
            return self.ty().as_object().call(&[&class, obj]);
        }
        Ok(make(Super::class(), &class, Some(obj))?.into_object())
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        let f = self.fields();
        v.visit_ptr(f.type_);
        v.visit_ptr(f.obj);
        v.visit_ptr(f.obj_type);
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let s = o.cast::<SuperObject>();
            xdecref((*s).type_);
            xdecref((*s).obj);
            xdecref((*s).obj_type);
            if (*o).ob_type == Super::type_ptr() {
                gc::free_untracked(o, size_of::<SuperObject>());
            } else {
                typeobject::free_instance(o);
            }
        }
    }
}

fn extra(b: &mut TypeBuilder) {
    // SAFETY: types are set up by one thread.
    unsafe { (*Super::type_ptr()).tp_vectorcall = Some(call) };
    b.member(c"__thisclass__", T_OBJECT, offset_of!(SuperObject, type_), READONLY);
    b.member(c"__self__", T_OBJECT, offset_of!(SuperObject, obj), READONLY);
    b.member(c"__self_class__", T_OBJECT, offset_of!(SuperObject, obj_type), READONLY);
    b.doc(
        c"super() -> super(__class__, <first argument>)\nsuper(type) -> unbound super object\n\
          super(type, obj) -> bound super object; obj is an instance of type\n\
          super(type, type2) -> bound super object; type2 is a subclass of type\n\n\
          Looks attributes up in the classes that come after `type` in the method resolution order.",
    );
}
