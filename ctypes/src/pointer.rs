//! Pointers: the metaclass, instances, `POINTER` and `pointer`.

use lh_abi::*;
use lh_foreign::ctype::CType;
use lh_runtime::prelude::*;

use crate::array::{has_index, slice_value};
use crate::call::{CArg, byref_arg};
use crate::cdata::*;
use crate::info::*;

pub fn install_meta(b: &mut TypeBuilder) {
    install_class_methods(b, true);
    b.slot(Py_tp_new, lh_runtime::slot_new!(Type, new_class));
    unsafe extern "C" fn from(cls: *mut PyObject, arg: *mut PyObject) -> *mut PyObject {
        // SAFETY: called by the call protocol with live objects; the receiver is a class of ours.
        lh_runtime::border::object(|| unsafe {
            from_param(Object::from_ptr(cls).downcast_unchecked(), Object::from_ptr(arg))
        })
    }
    unsafe extern "C" fn set(cls: *mut PyObject, arg: *mut PyObject) -> *mut PyObject {
        // SAFETY: as above.
        lh_runtime::border::object(|| unsafe {
            set_type(Object::from_ptr(cls).downcast_unchecked(), Object::from_ptr(arg)).map(|()| none())
        })
    }
    let doc = c"Convert a Python object into a function call parameter.";
    b.method(lh_runtime::builder::method_def(c"from_param", from as *const (), METH_O, doc));
    b.method(lh_runtime::builder::method_def(c"set_type", set as *const (), METH_O, c""));
}

fn set_proto(info: &Info, target: &Object) -> PyResult<()> {
    if target.downcast::<Type>().is_none() {
        return raise!(TypeError, "_type_ must be a type");
    }
    let Some(t) = info_of(target) else { return raise!(TypeError, "_type_ must have storage info") };
    info.proto.set(Some(target.own()));
    let mut f = b"&".to_vec();
    f.extend(crate::field::shape_text(&t.shape.borrow()).bytes());
    f.extend(t.format.borrow().to_bytes());
    info.set_format(f);
    Ok(())
}

fn new_class(meta: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Type>> {
    // The target is looked at first: a wrong one makes no class.
    let info = Info::new(ClassKind::Pointer, CType::pointer(None));
    info.length.set(1);
    info.add(IS_POINTER);
    if let Some(t) = args.item_ref(2).downcast::<Dict>().map(|d| d.get_str("_type_")).transpose()?.flatten() {
        set_proto(&info, &t)?;
    }
    let cls = type_new(meta, args, kwargs)?;
    set_info(&cls, info);
    Ok(cls)
}

fn set_type(cls: &Type, target: &Object) -> PyResult<()> {
    let Some(info) = info_of(cls) else { return raise!(TypeError, "abstract class") };
    set_proto(info, target)?;
    cls.as_object().set_attr(intern!("_type_"), target)
}

fn from_param(cls: &Type, value: &Object) -> PyResult {
    if value.is_none() {
        return Ok(none());
    }
    let Some(target) = info_of(cls).and_then(Info::proto_class) else {
        return raise!(TypeError, "abstract class");
    };
    if value.is_instance(&target)? {
        // An instance of the target goes by reference.
        return match as_cdata(value) {
            Some(d) => Ok(byref_arg(d, 0)),
            None => raise!(TypeError, "expected CData instance"),
        };
    }
    if let Some(d) = as_cdata(value)
        && matches!(d.info().kind, ClassKind::Pointer | ClassKind::Array)
        && let Some(p) = d.info().proto_class()
        && p.as_object().is_subclass(&target)?
    {
        return Ok(value.own());
    }
    if let Some(o) = value.downcast::<CArg>().and_then(|a| a.obj.get())
        && o.is_instance(&target)?
    {
        return Ok(value.own());
    }
    class_from_param(cls, value)
}

// ---- Instances ----

impl Pointer {
    pub fn data(&self) -> &CData {
        // SAFETY: Pointer derives from CData.
        unsafe { self.as_object().downcast_unchecked() }
    }

    /// The address pointed to; an error for NULL.
    fn target(&self) -> PyResult<*mut u8> {
        // SAFETY: a pointer instance's memory holds an address.
        let p = unsafe { self.data().ptr.get().cast::<*mut u8>().read_unaligned() };
        if p.is_null() { raise!(ValueError, "NULL pointer access") } else { Ok(p) }
    }

    fn target_class(&self) -> PyResult<Owned<Type>> {
        match self.data().info().proto_class() {
            Some(t) => Ok(t),
            None => raise!(TypeError, "Cannot create instance: has no _type_"),
        }
    }

    fn get_at(&self, i: isize) -> PyResult {
        let p = self.target()?;
        let cls = self.target_class()?;
        let size = info_of(&cls).map_or(0, Info::size);
        // SAFETY: as in C, the user vouches for the memory behind the pointer.
        unsafe {
            let addr = p.offset(i.wrapping_mul(size as isize));
            get_value(&cls, Access::Plain, self.data(), i as usize, size, addr, None)
        }
    }

    fn set_at(&self, i: isize, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else { return raise!(TypeError, "Pointer does not support item deletion") };
        let p = self.target()?;
        let cls = self.target_class()?;
        let size = info_of(&cls).map_or(0, Info::size);
        // SAFETY: as above.
        unsafe {
            let addr = p.offset(i.wrapping_mul(size as isize));
            set_value(self.data(), &cls, Access::Plain, v, i as usize, size, addr, None)
        }
    }

    fn point_to(&self, v: &Object) -> PyResult<()> {
        let cls = self.target_class()?;
        let target = match as_cdata(v) {
            Some(d) if v.is_instance(&cls)? => d,
            _ => return raise!(TypeError, "expected {} instead of {}", cls.name(), v.ty().name()),
        };
        let d = self.data();
        // SAFETY: a pointer instance's memory holds an address.
        unsafe { d.ptr.get().cast::<*mut u8>().write_unaligned(target.ptr.get()) };
        // Keep the instance pointed to, and what it keeps itself.
        d.keep(1, Some(v.own()))?;
        d.keep(0, Some(target.kept()))
    }
}

#[pymethods]
impl Pointer {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<Owned<CData>> {
        if !info_of(cls).is_some_and(|i| i.proto.is_some()) {
            return raise!(TypeError, "Cannot create instance: has no _type_");
        }
        new_instance(cls)
    }

    #[slot(tp_init)]
    fn init(&self, args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<()> {
        match args.len() {
            0 => Ok(()),
            1 => self.point_to(args.item_ref(0)),
            n => raise!(TypeError, "POINTER expected at most 1 argument, got {}", n),
        }
    }

    /// the object this pointer points to (read-write)
    #[getter]
    fn contents(&self) -> PyResult<Owned<CData>> {
        let p = self.target()?;
        let cls = self.target_class()?;
        // SAFETY: as in C, the user vouches for the memory behind the pointer.
        unsafe { from_base(&cls, Some(self.data()), 0, p) }
    }

    #[setter(contents)]
    fn set_contents(&self, v: Option<&Object>) -> PyResult<()> {
        match v {
            Some(v) => self.point_to(v),
            None => raise!(TypeError, "Pointer does not support item deletion"),
        }
    }

    #[slot(nb_bool)]
    fn bool(&self) -> PyResult<bool> {
        // SAFETY: a pointer instance's memory holds an address.
        Ok(unsafe { self.data().ptr.get().cast::<usize>().read_unaligned() } != 0)
    }

    #[slot(sq_item)]
    fn item(&self, i: isize) -> PyResult {
        self.get_at(i)
    }

    #[slot(sq_ass_item)]
    fn ass_item(&self, i: isize, v: Option<&Object>) -> PyResult<()> {
        self.set_at(i, v)
    }

    #[slot(mp_subscript)]
    fn subscript(&self, key: &Object) -> PyResult {
        if let Some(s) = key.downcast::<Slice>() {
            return self.slice(s);
        }
        if !has_index(key) {
            return raise!(TypeError, "Pointer indices must be integer");
        }
        self.get_at(lh_runtime::number::as_isize(key, Some(exc::IndexError()))?)
    }

    #[slot(mp_ass_subscript)]
    fn ass_subscript(&self, key: &Object, v: Option<&Object>) -> PyResult<()> {
        if !has_index(key) {
            return raise!(TypeError, "Pointer indices must be integer");
        }
        self.set_at(lh_runtime::number::as_isize(key, Some(exc::IndexError()))?, v)
    }
}

impl Pointer {
    /// A pointer does not know its length: the stop must be given, the start too when walking backwards.
    fn slice(&self, s: &Slice) -> PyResult {
        let number = |o: &Object| lh_runtime::number::as_isize(o, Some(exc::ValueError()));
        let step = if s.step().is_none() { 1 } else { number(s.step())? };
        if step == 0 {
            return raise!(ValueError, "slice step cannot be zero");
        }
        let start = if !s.start().is_none() {
            number(s.start())?
        } else if step < 0 {
            return raise!(ValueError, "slice start is required for step < 0");
        } else {
            0
        };
        if s.stop().is_none() {
            return raise!(ValueError, "slice stop is required");
        }
        let stop = number(s.stop())?;
        let n = if step > 0 && stop > start {
            ((stop - start - 1) / step + 1) as usize
        } else if step < 0 && stop < start {
            ((stop - start + 1) / step + 1) as usize
        } else {
            0
        };
        let cls = self.target_class()?;
        let base = if n == 0 { std::ptr::null_mut() } else { self.target()? };
        slice_value(&cls, base, start, step, n, |i| self.get_at(i))
    }
}

// ---- POINTER and pointer ----

fn cache(module: &Module) -> PyResult<Owned<Dict>> {
    let c = module.get("_pointer_type_cache")?;
    c.downcast_owned::<Dict>().map_err(|_| raised!(TypeError, "_pointer_type_cache is not a dict"))
}

fn pointer_class(module: &Module, target: &Object) -> PyResult<Owned<Object>> {
    let cache = cache(module)?;
    if let Some(t) = cache.get_item(target)? {
        return Ok(t);
    }
    let dict = Dict::new();
    let (name, key);
    if let Some(s) = target.downcast::<Str>() {
        name = format!("LP_{}", s.to_str()?);
        key = None;
    } else if let Some(t) = target.downcast::<Type>() {
        name = format!("LP_{}", t.name());
        dict.set_str("_type_", target)?;
        key = Some(target.own());
    } else {
        return raise!(TypeError, "must be a ctypes type");
    }
    let cls = make_class(PointerMeta::class(), &name, Pointer::class(), &dict)?;
    // An incomplete pointer type is filed under its own address until it gets its target.
    let key = key.unwrap_or_else(|| Int::from_u64(cls.ptr() as u64).into_object());
    cache.set_item(&key, &cls)?;
    Ok(cls.into_object())
}

#[pyfunction(name = "POINTER")]
pub fn pointer_type(module: &Module, cls: &Object) -> PyResult<Owned<Object>> {
    pointer_class(module, cls)
}

#[pyfunction(name = "pointer")]
pub fn make_pointer(module: &Module, obj: &Object) -> PyResult<Owned<Object>> {
    let cls = cache(module)?.get_item(obj.ty())?;
    let cls = match cls {
        Some(c) => c,
        None => pointer_class(module, obj.ty())?,
    };
    cls.call1(obj)
}
