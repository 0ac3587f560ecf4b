//! Descriptors of built-in types: methods, class methods, members, getters and setters, slot wrappers.
//!
//! `property` and `mappingproxy` are in `property.rs`.

use crate::kind;
use crate::methodobject::{call_def, check_result, split_doc};
use crate::prelude::*;
use crate::type_slots::Wrapper;
use crate::type_table::*;
use core::ffi::{CStr, c_char, c_void};
use core::mem::offset_of;
use lh_abi::*;
use std::ptr::null_mut;

kind!(/** `classmethod_descriptor` */ ClassMethodDescr: PyMethodDescrObject, PyClassMethodDescr_Type);

/// # Safety
/// `kind` is a descriptor type whose struct starts with a `PyDescrObject`; `name` is a C string.
unsafe fn new_descr(kind: *mut PyTypeObject, of: &Type, name: *const c_char) -> *mut PyDescrObject {
    // SAFETY: the caller's promise.
    unsafe {
        let o = crate::gc::new_object(kind, 0);
        assert!(!o.is_null(), "out of memory");
        let d = o.cast::<PyDescrObject>();
        (*d).d_type = of.own().into_raw().cast();
        (*d).d_name = Str::intern(Str::new(&CStr::from_ptr(name).to_string_lossy())).into_raw();
        crate::gc::track(o);
        d
    }
}

/// A method descriptor for a definition that outlives it.
pub fn new_method(of: &Type, def: *mut PyMethodDef) -> Owned<Object> {
    // SAFETY: a live definition.
    unsafe {
        let d = new_descr(&raw mut PyMethodDescr_Type, of, (*def).ml_name).cast::<PyMethodDescrObject>();
        (*d).d_method = def;
        (*d).vectorcall = Some(if crate::capidebug::on() { watched } else { method_vectorcall });
        Owned::from_raw(d.cast())
    }
}
/// A class method descriptor.
pub fn new_class_method(of: &Type, def: *mut PyMethodDef) -> Owned<Object> {
    // SAFETY: a live definition.
    unsafe {
        let d = new_descr(&raw mut PyClassMethodDescr_Type, of, (*def).ml_name).cast::<PyMethodDescrObject>();
        (*d).d_method = def;
        Owned::from_raw(d.cast())
    }
}
/// A member descriptor.
pub fn new_member(of: &Type, def: *mut PyMemberDef) -> Owned<Object> {
    // SAFETY: a live definition.
    unsafe {
        let d = new_descr(&raw mut PyMemberDescr_Type, of, (*def).name).cast::<PyMemberDescrObject>();
        (*d).d_member = def;
        Owned::from_raw(d.cast())
    }
}
/// A getset descriptor.
pub fn new_getset(of: &Type, def: *mut PyGetSetDef) -> Owned<Object> {
    // SAFETY: a live definition.
    unsafe {
        let d = new_descr(&raw mut PyGetSetDescr_Type, of, (*def).name).cast::<PyGetSetDescrObject>();
        (*d).d_getset = def;
        Owned::from_raw(d.cast())
    }
}
/// A slot wrapper.
pub fn new_wrapper(of: &Type, base: *mut wrapperbase, wrapped: *mut c_void) -> Owned<Object> {
    // SAFETY: rows of the slot table live for ever.
    unsafe {
        let d = new_descr(&raw mut PyWrapperDescr_Type, of, (*base).name).cast::<PyWrapperDescrObject>();
        (*d).d_base = base;
        (*d).d_wrapped = wrapped;
        Owned::from_raw(d.cast())
    }
}

/// `tp_methods` into the type's dictionary.
///
/// # Safety
/// `t` is being readied and has a dict.
pub unsafe fn add_methods(t: *mut PyTypeObject) -> PyResult<()> {
    // SAFETY: the table ends with a row without a name.
    unsafe {
        let ty = Type::from_raw_ref(t);
        let mut d = (*t).tp_methods;
        while !d.is_null() && !(*d).ml_name.is_null() {
            add_method(ty, d)?;
            d = d.add(1);
        }
        Ok(())
    }
}

/// Adds one method definition to a type.
///
/// # Safety
/// `d` outlives the type.
pub unsafe fn add_method(ty: &Type, d: *mut PyMethodDef) -> PyResult<()> {
    // SAFETY: the caller's promise.
    unsafe {
        let name = Str::intern(Str::new(&CStr::from_ptr((*d).ml_name).to_string_lossy()));
        let flags = (*d).ml_flags;
        if flags & METH_CLASS != 0 && flags & METH_STATIC != 0 {
            return raise!(ValueError, "method cannot be both class and static");
        }
        let d = crate::methodobject::check_def(d)?;
        let dict = ty.dict();
        if flags & METH_COEXIST == 0 && dict.contains(&name)? {
            return Ok(());
        }
        let o = if flags & METH_CLASS != 0 {
            new_class_method(ty, d)
        } else if flags & METH_STATIC != 0 {
            let f = CFunction::new(d, Some(ty), None);
            crate::property::static_method(&f)?
        } else {
            new_method(ty, d)
        };
        dict.set_item(&name, &o)
    }
}

/// `tp_members` into the type's dictionary.
///
/// # Safety
/// As `add_methods`.
pub unsafe fn add_members(t: *mut PyTypeObject) -> PyResult<()> {
    // SAFETY: the table ends with a row without a name.
    unsafe {
        let ty = Type::from_raw_ref(t);
        let mut d = (*t).tp_members;
        while !d.is_null() && !(*d).name.is_null() {
            let name = Str::intern(Str::new(&CStr::from_ptr((*d).name).to_string_lossy()));
            if !ty.dict().contains(&name)? {
                ty.dict().set_item(&name, &new_member(ty, d))?;
            }
            d = d.add(1);
        }
        Ok(())
    }
}

/// `tp_getset` into the type's dictionary.
///
/// # Safety
/// As `add_methods`.
pub unsafe fn add_getset(t: *mut PyTypeObject) -> PyResult<()> {
    // SAFETY: the table ends with a row without a name.
    unsafe {
        let ty = Type::from_raw_ref(t);
        let mut d = (*t).tp_getset;
        while !d.is_null() && !(*d).name.is_null() {
            let name = Str::intern(Str::new(&CStr::from_ptr((*d).name).to_string_lossy()));
            if !ty.dict().contains(&name)? {
                ty.dict().set_item(&name, &new_getset(ty, d))?;
            }
            d = d.add(1);
        }
        Ok(())
    }
}

// ---- What all descriptors share ----

fn descr(o: &Object) -> *mut PyDescrObject {
    o.as_ptr().cast()
}
fn descr_type(o: &Object) -> &Type {
    // SAFETY: a descriptor keeps its type.
    unsafe { Type::from_raw_ref((*descr(o)).d_type) }
}
fn descr_name(o: &Object) -> String {
    // SAFETY: a descriptor's name is a string.
    unsafe { Object::from_ptr((*descr(o)).d_name).downcast_unchecked::<Str>().to_str_lossy().into_owned() }
}
fn descr_qualname(o: &Object) -> PyResult {
    // SAFETY: the cached qualified name is a string or null.
    unsafe {
        let d = descr(o);
        if (*d).d_qualname.is_null() {
            let q = descr_type(o).get_attr(intern!("__qualname__"))?;
            let Some(q) = q.downcast::<Str>() else {
                return raise!(TypeError, "<descriptor>.__objclass__.__qualname__ is not a unicode object");
            };
            let s = Str::new(&format!("{}.{}", q.to_str_lossy(), descr_name(o)));
            (*d).d_qualname = s.into_raw();
        }
        Ok(Object::from_ptr((*d).d_qualname).own())
    }
}
fn descr_repr(o: &Object, what: &str) -> String {
    format!("<{} '{}' of '{}' objects>", what, descr_name(o), descr_type(o).name())
}
unsafe fn descr_dealloc(o: *mut PyObject) {
    // SAFETY: the deallocator of a descriptor.
    unsafe {
        crate::gc::untrack(o);
        let d = o.cast::<PyDescrObject>();
        xdecref((*d).d_type.cast());
        xdecref((*d).d_name);
        xdecref((*d).d_qualname);
        crate::typeobject::free_instance(o);
    }
}
/// For attribute access: is `obj` an instance of the descriptor's class?
#[inline(always)]
fn check_get(d: &Object, obj: &Object) -> PyResult<()> {
    // SAFETY: live objects; a descriptor keeps its type.
    if unsafe { is_subtype(obj.ob_type(), (*descr(d)).d_type) } { Ok(()) } else { Err(not_of(d, obj)) }
}
#[cold]
fn not_of(d: &Object, obj: &Object) -> Raised {
    raised!(
        TypeError,
        "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
        descr_name(d),
        descr_type(d).name(),
        obj.ty().name()
    )
}
fn reduce(o: &Object) -> PyResult {
    let getattr = crate::sysobject::builtins_dict().get_str("getattr")?;
    (getattr, (descr_type(o), descr_name(o))).into_py()
}
fn cstr<'a>(p: *const c_char) -> Option<&'a CStr> {
    // SAFETY: doc strings of definitions are static C strings or null.
    if p.is_null() { None } else { Some(unsafe { CStr::from_ptr(p) }) }
}

fn install_descr(b: &mut TypeBuilder) {
    b.member(c"__objclass__", T_OBJECT, offset_of!(PyDescrObject, d_type), READONLY);
    b.member(c"__name__", T_OBJECT, offset_of!(PyDescrObject, d_name), READONLY);
}

// ---- Methods ----

unsafe extern "C" fn method_vectorcall(
    m: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: called by the vectorcall protocol on a method descriptor.
    unsafe {
        let n = nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET;
        let d = m.cast::<PyMethodDescrObject>();
        if n < 1 || !is_subtype((**args).ob_type, (*d).d_common.d_type) {
            return bad_self(Object::from_ptr(m), if n < 1 { None } else { Some(Object::from_ptr(*args)) });
        }
        let Ok(_depth) = crate::thread::enter_recursive(" while calling a Python object") else {
            return null_mut();
        };
        let r = call_def((*d).d_method, *args, (*d).d_common.d_type, args.add(1), n - 1, kwnames, || {
            method_label(Object::from_ptr(m))
        });
        check_result(r, || Object::from_ptr(m).repr_lossy())
    }
}
/// `method_vectorcall` in the debug mode of the C API.
unsafe extern "C" fn watched(
    m: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: called by the vectorcall protocol on a method descriptor.
    unsafe {
        let n = crate::methodobject::all_arguments(nargsf, kwnames);
        let objects: Vec<*mut PyObject> = (0..n).map(|i| *args.add(i)).collect();
        let def = (*m.cast::<PyMethodDescrObject>()).d_method;
        crate::capidebug::watch(def, &objects, || method_vectorcall(m, args, nargsf, kwnames))
    }
}
/// `list.append`, as call errors name it.
fn method_label(o: &Object) -> String {
    match descr_qualname(o) {
        Ok(q) => q.downcast::<Str>().map_or_else(String::new, |s| s.to_str_lossy().into_owned()),
        Err(e) => {
            e.clear();
            descr_name(o)
        }
    }
}
#[cold]
fn bad_self(m: &Object, arg: Option<&Object>) -> *mut PyObject {
    let _ = match arg {
        None => raised!(TypeError, "unbound method {}() needs an argument", method_label(m)),
        Some(a) => raised!(
            TypeError,
            "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
            descr_name(m),
            descr_type(m).name(),
            a.ty().name()
        ),
    };
    null_mut()
}

impl MethodDescr {
    pub fn def(&self) -> *mut PyMethodDef {
        // SAFETY: set at birth.
        unsafe { (*self.as_struct()).d_method }
    }
}

#[pymethods(extra = install_descr)]
impl MethodDescr {
    #[slot(tp_repr)]
    fn tp_repr(&self) -> String {
        descr_repr(self, "method")
    }
    #[slot(tp_call)]
    fn tp_call(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        self.as_object().vectorcall_tuple(method_vectorcall, args, kw)
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, obj: Option<&Object>, _t: Option<&Object>) -> PyResult {
        let Some(o) = obj else { return Ok(self.own().into_object()) };
        check_get(self, o)?;
        // SAFETY: set at birth.
        unsafe {
            let def = self.def();
            if (*def).ml_flags & METH_METHOD != 0 {
                return Ok(CFunction::new_method(def, Some(o), None, descr_type(self)).into_object());
            }
            Ok(CFunction::new(def, Some(o), None).into_object())
        }
    }
    #[getter]
    fn __doc__(&self) -> Option<String> {
        // SAFETY: set at birth.
        split_doc(&descr_name(self), cstr(unsafe { (*self.def()).ml_doc })).0.filter(|d| !d.is_empty())
    }
    #[getter]
    fn __text_signature__(&self) -> Option<String> {
        // SAFETY: set at birth.
        split_doc(&descr_name(self), cstr(unsafe { (*self.def()).ml_doc })).1
    }
    #[getter]
    fn __qualname__(&self) -> PyResult {
        descr_qualname(self)
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        reduce(self)
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: forwarded.
        unsafe { descr_dealloc(o) }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        v.visit(descr_type(self))
    }
}

impl ClassMethodDescr {
    /// The definition, if nothing but the class has to be bound to it.
    pub fn plain_def(&self) -> Option<*mut PyMethodDef> {
        // SAFETY: set at birth.
        unsafe {
            let def = (*self.as_struct()).d_method;
            ((*def).ml_flags & METH_METHOD == 0).then_some(def)
        }
    }
}
#[pymethods(extra = install_descr)]
impl ClassMethodDescr {
    #[slot(tp_repr)]
    fn tp_repr(&self) -> String {
        descr_repr(self, "method")
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, obj: Option<&Object>, ty: Option<&Object>) -> PyResult {
        let cls = match (ty, obj) {
            (Some(t), _) if !t.is_none() => t,
            (_, Some(o)) => o.ty().as_object(),
            _ => {
                return raise!(
                    TypeError,
                    "descriptor '{}' for type '{}' needs either an object or a type",
                    descr_name(self),
                    descr_type(self).name()
                );
            }
        };
        let Some(t) = cls.downcast::<Type>() else {
            return raise!(
                TypeError,
                "descriptor '{}' for type '{}' needs a type, not a '{}' as arg 2",
                descr_name(self),
                descr_type(self).name(),
                cls.ty().name()
            );
        };
        if !t.is_subtype(descr_type(self)) {
            return raise!(
                TypeError,
                "descriptor '{}' requires a subtype of '{}' but received '{}'",
                descr_name(self),
                descr_type(self).name(),
                t.name()
            );
        }
        // SAFETY: set at birth.
        unsafe {
            let def = (*self.as_struct()).d_method;
            if (*def).ml_flags & METH_METHOD != 0 {
                return Ok(CFunction::new_method(def, Some(t), None, descr_type(self)).into_object());
            }
            Ok(CFunction::new(def, Some(t), None).into_object())
        }
    }
    #[slot(tp_call)]
    fn tp_call(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        if args.len() < 1 {
            return raise!(
                TypeError,
                "descriptor '{}' of '{}' object needs an argument",
                descr_name(self),
                descr_type(self).name()
            );
        }
        let f = self.descr_get(None, Some(args.item_ref(0)))?;
        f.call_tuple(&args.slice(1, args.len()), kw)
    }
    #[getter]
    fn __doc__(&self) -> Option<String> {
        // SAFETY: set at birth.
        split_doc(&descr_name(self), cstr(unsafe { (*(*self.as_struct()).d_method).ml_doc }))
            .0
            .filter(|d| !d.is_empty())
    }
    #[getter]
    fn __text_signature__(&self) -> Option<String> {
        // SAFETY: set at birth.
        split_doc(&descr_name(self), cstr(unsafe { (*(*self.as_struct()).d_method).ml_doc })).1
    }
    #[getter]
    fn __qualname__(&self) -> PyResult {
        descr_qualname(self)
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: forwarded.
        unsafe { descr_dealloc(o) }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        v.visit(descr_type(self))
    }
}

// ---- Members ----

/// `PyMember_GetOne`.
///
/// # Safety
/// `o` is an instance of the type that `m` describes.
pub unsafe fn member_get(o: *mut PyObject, m: &PyMemberDef) -> PyResult {
    // SAFETY: the kind says what lies at the offset.
    unsafe {
        let p = o.cast::<u8>().offset(m.offset);
        macro_rules! num {
            ($t:ty) => {
                p.cast::<$t>().read_unaligned().into_py()
            };
        }
        match m.r#type {
            T_BOOL => Ok(bool_obj(*p != 0)),
            T_BYTE => num!(i8),
            T_UBYTE => num!(u8),
            T_SHORT => num!(i16),
            T_USHORT => num!(u16),
            T_INT => num!(i32),
            T_UINT => num!(u32),
            T_LONG | T_LONGLONG | T_PYSSIZET => {
                Ok(Int::from_i64(p.cast::<i64>().read_unaligned()).into_object())
            }
            T_ULONG | T_ULONGLONG => num!(u64),
            T_FLOAT => (p.cast::<f32>().read_unaligned() as f64).into_py(),
            T_DOUBLE => num!(f64),
            T_STRING => match cstr(*p.cast::<*const c_char>()) {
                None => Ok(none()),
                Some(s) => Ok(Str::new(&s.to_string_lossy()).into_object()),
            },
            T_STRING_INPLACE => Ok(Str::new(&CStr::from_ptr(p.cast()).to_string_lossy()).into_object()),
            T_CHAR => Ok(Str::from_char(*p as u32).into_object()),
            T_NONE => Ok(none()),
            T_OBJECT => Ok(Object::from_ptr_opt(*p.cast::<*mut PyObject>()).map_or_else(none, |x| x.own())),
            T_OBJECT_EX => match Object::from_ptr_opt(*p.cast::<*mut PyObject>()) {
                Some(x) => Ok(x.own()),
                None => raise!(
                    AttributeError,
                    "'{}' object has no attribute '{}'",
                    Object::from_ptr(o).ty().name(),
                    CStr::from_ptr(m.name).to_string_lossy()
                ),
            },
            _ => raise!(SystemError, "bad memberdescr type"),
        }
    }
}

/// An integer for a signed member, as `PyLong_AsLong` converts it.
fn member_long(v: &Object) -> PyResult<i64> {
    match crate::number::index(v)?.to_i64() {
        Some(n) => Ok(n),
        None => raise!(OverflowError, "Python int too large to convert to C long"),
    }
}
/// An integer for an unsigned member: what is no int from zero up is stored as a signed one, with a warning.
fn member_unsigned(v: &Object, store: impl Fn(u64)) -> PyResult<u64> {
    if let Some(n) = v.downcast::<Int>().and_then(|i| i.to_u64()) {
        store(n);
        return Ok(n);
    }
    let n = member_long(v)? as u64;
    store(n);
    crate::warnings::warn(exc::RuntimeWarning(), "Writing negative value into unsigned field", 1)?;
    Ok(n)
}
fn truncated(kind: &str) -> PyResult<()> {
    crate::warnings::warn(exc::RuntimeWarning(), &format!("Truncation of value to {kind}"), 1)
}

/// `PyMember_SetOne`; `None` deletes.
///
/// # Safety
/// As `member_get`.
pub unsafe fn member_set(o: *mut PyObject, m: &PyMemberDef, v: Option<&Object>) -> PyResult<()> {
    // SAFETY: the kind says what lies at the offset.
    unsafe {
        if m.flags & READONLY != 0 {
            return raise!(AttributeError, "readonly attribute");
        }
        let p = o.cast::<u8>().offset(m.offset);
        let Some(v) = v else {
            return match m.r#type {
                T_OBJECT_EX => {
                    let q = p.cast::<*mut PyObject>();
                    if (*q).is_null() {
                        return raise!(AttributeError, "{}", CStr::from_ptr(m.name).to_string_lossy());
                    }
                    xdecref(std::mem::replace(&mut *q, null_mut()));
                    Ok(())
                }
                T_OBJECT => {
                    xdecref(std::mem::replace(&mut *p.cast::<*mut PyObject>(), null_mut()));
                    Ok(())
                }
                _ => raise!(TypeError, "can't delete numeric/char attribute"),
            };
        };
        // Narrow fields take what fits into a C long, and warn if they lose some of it.
        macro_rules! narrow {
            ($t:ty, $name:literal) => {{
                let n = member_long(v)?;
                p.cast::<$t>().write_unaligned(n as $t);
                if n as $t as i64 != n {
                    truncated($name)?;
                }
            }};
        }
        match m.r#type {
            T_BOOL => {
                if !Bool::check(v) {
                    return raise!(TypeError, "attribute value type must be bool");
                }
                *p = v.is_true_object() as u8;
            }
            T_BYTE => narrow!(i8, "char"),
            T_UBYTE => narrow!(u8, "unsigned char"),
            T_SHORT => narrow!(i16, "short"),
            T_USHORT => narrow!(u16, "unsigned short"),
            T_INT => narrow!(i32, "int"),
            T_UINT => {
                let n = member_unsigned(v, |n| p.cast::<u32>().write_unaligned(n as u32))?;
                if n > u32::MAX as u64 {
                    truncated("unsigned int")?;
                }
            }
            T_LONG => p.cast::<i64>().write_unaligned(member_long(v)?),
            T_ULONG => {
                member_unsigned(v, |n| p.cast::<u64>().write_unaligned(n))?;
            }
            T_LONGLONG => match crate::number::index(v)?.to_i64() {
                Some(n) => p.cast::<i64>().write_unaligned(n),
                None => return raise!(OverflowError, "int too big to convert"),
            },
            T_ULONGLONG => match v.downcast::<Int>() {
                Some(i) if i.is_negative() => {
                    return raise!(OverflowError, "can't convert negative int to unsigned");
                }
                Some(i) => match i.to_u64() {
                    Some(n) => p.cast::<u64>().write_unaligned(n),
                    None => return raise!(OverflowError, "int too big to convert"),
                },
                None => p.cast::<i64>().write_unaligned(member_long(v)?),
            },
            T_PYSSIZET => match v.downcast::<Int>().map(|i| i.to_i64()) {
                None => return raise!(TypeError, "an integer is required"),
                Some(Some(n)) => p.cast::<i64>().write_unaligned(n),
                Some(None) => {
                    return raise!(OverflowError, "Python int too large to convert to C ssize_t");
                }
            },
            T_FLOAT => p.cast::<f32>().write_unaligned(crate::number::as_f64(v)? as f32),
            T_DOUBLE => p.cast::<f64>().write_unaligned(crate::number::as_f64(v)?),
            T_CHAR => match v.downcast::<Str>() {
                Some(s) if s.len() == 1 && s.is_ascii() => *p = s.char_at(0) as u8,
                _ => return Err(set_object(exc::TypeError(), None)),
            },
            T_OBJECT | T_OBJECT_EX => {
                let old = std::mem::replace(&mut *p.cast::<*mut PyObject>(), v.own().into_raw());
                xdecref(old);
            }
            T_STRING | T_STRING_INPLACE => return raise!(TypeError, "readonly attribute"),
            _ => {
                return raise!(
                    SystemError,
                    "bad memberdescr type for {}",
                    CStr::from_ptr(m.name).to_string_lossy()
                );
            }
        }
        Ok(())
    }
}

impl MemberDescr {
    pub fn member(&self) -> *mut PyMemberDef {
        // SAFETY: set at birth.
        unsafe { (*self.as_struct()).d_member }
    }
}

#[pymethods(extra = install_descr)]
impl MemberDescr {
    #[slot(tp_repr)]
    fn tp_repr(&self) -> String {
        descr_repr(self, "member")
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, obj: Option<&Object>, _t: Option<&Object>) -> PyResult {
        let Some(o) = obj else { return Ok(self.own().into_object()) };
        check_get(self, o)?;
        // SAFETY: just checked.
        unsafe { member_get(o.as_ptr(), &*self.member()) }
    }
    #[slot(tp_descr_set)]
    fn descr_set(&self, obj: &Object, v: Option<&Object>) -> PyResult<()> {
        check_get(self, obj)?;
        // SAFETY: just checked.
        unsafe { member_set(obj.as_ptr(), &*self.member(), v) }
    }
    #[getter]
    fn __doc__(&self) -> Option<String> {
        // SAFETY: set at birth.
        cstr(unsafe { (*self.member()).doc }).map(|d| d.to_string_lossy().into_owned())
    }
    #[getter]
    fn __qualname__(&self) -> PyResult {
        descr_qualname(self)
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        reduce(self)
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: forwarded.
        unsafe { descr_dealloc(o) }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        v.visit(descr_type(self))
    }
}

// ---- Getters and setters ----

#[pymethods(extra = install_descr)]
impl GetSetDescr {
    #[slot(tp_repr)]
    fn tp_repr(&self) -> String {
        descr_repr(self, "attribute")
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, obj: Option<&Object>, _t: Option<&Object>) -> PyResult {
        let Some(o) = obj else { return Ok(self.own().into_object()) };
        check_get(self, o)?;
        // SAFETY: set at birth; just checked.
        unsafe {
            let g = (*self.as_struct()).d_getset;
            match (*g).get {
                Some(f) => from_c(f(o.as_ptr(), (*g).closure)),
                None => raise!(
                    AttributeError,
                    "attribute '{}' of '{}' objects is not readable",
                    descr_name(self),
                    descr_type(self).name()
                ),
            }
        }
    }
    #[slot(tp_descr_set)]
    fn descr_set(&self, obj: &Object, v: Option<&Object>) -> PyResult<()> {
        check_get(self, obj)?;
        // SAFETY: set at birth; just checked.
        unsafe {
            let g = (*self.as_struct()).d_getset;
            match (*g).set {
                Some(f) => {
                    if f(obj.as_ptr(), v.map_or(null_mut(), |v| v.as_ptr()), (*g).closure) < 0 {
                        Err(Raised::already_set())
                    } else {
                        Ok(())
                    }
                }
                None => raise!(
                    AttributeError,
                    "attribute '{}' of '{}' objects is not writable",
                    descr_name(self),
                    descr_type(self).name()
                ),
            }
        }
    }
    #[getter]
    fn __doc__(&self) -> Option<String> {
        // SAFETY: set at birth.
        cstr(unsafe { (*(*self.as_struct()).d_getset).doc }).map(|d| d.to_string_lossy().into_owned())
    }
    #[getter]
    fn __qualname__(&self) -> PyResult {
        descr_qualname(self)
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        reduce(self)
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: forwarded.
        unsafe { descr_dealloc(o) }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        v.visit(descr_type(self))
    }
}

// ---- Slot wrappers ----

fn wrapper_doc(d: *mut PyDescrObject) -> (Option<String>, Option<String>) {
    // SAFETY: rows of the slot table live for ever.
    unsafe {
        let b = (*d.cast::<PyWrapperDescrObject>()).d_base;
        split_doc(&CStr::from_ptr((*b).name).to_string_lossy(), cstr((*b).doc))
    }
}

/// Calls the wrapped slot of `d` on `self_`.
fn call_wrapper(d: &WrapperDescr, self_: &Object, args: &Tuple, kw: Option<&Dict>) -> PyResult {
    // SAFETY: rows of the slot table live for ever, and hold `Wrapper` functions.
    unsafe {
        let b = (*d.as_struct()).d_base;
        let f = core::mem::transmute::<*mut c_void, Wrapper>((*b).wrapper);
        if kw.is_some_and(|k| k.len() > 0)
            && !matches!(CStr::from_ptr((*b).name).to_bytes(), b"__call__" | b"__init__")
        {
            return raise!(TypeError, "wrapper {}() takes no keyword arguments", descr_name(d));
        }
        f(self_, args, kw, (*d.as_struct()).d_wrapped)
    }
}

#[pymethods(extra = install_descr)]
impl WrapperDescr {
    #[slot(tp_repr)]
    fn tp_repr(&self) -> String {
        descr_repr(self, "slot wrapper")
    }
    #[slot(tp_descr_get)]
    fn descr_get(&self, obj: Option<&Object>, _t: Option<&Object>) -> PyResult {
        let Some(o) = obj else { return Ok(self.own().into_object()) };
        check_get(self, o)?;
        Ok(MethodWrapper::new(self, o))
    }
    #[slot(tp_call)]
    fn tp_call(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        if args.len() < 1 {
            return raise!(
                TypeError,
                "descriptor '{}' of '{}' object needs an argument",
                descr_name(self),
                descr_type(self).name()
            );
        }
        let o = args.item_ref(0);
        if !o.ty().is_subtype(descr_type(self)) {
            return raise!(
                TypeError,
                "descriptor '{}' requires a '{}' object but received a '{}'",
                descr_name(self),
                descr_type(self).name(),
                o.ty().name()
            );
        }
        call_wrapper(self, o, &args.slice(1, args.len()), kw)
    }
    #[getter]
    fn __doc__(&self) -> Option<String> {
        wrapper_doc(descr(self)).0
    }
    #[getter]
    fn __text_signature__(&self) -> Option<String> {
        wrapper_doc(descr(self)).1
    }
    #[getter]
    fn __qualname__(&self) -> PyResult {
        descr_qualname(self)
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        reduce(self)
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: forwarded.
        unsafe { descr_dealloc(o) }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        v.visit(descr_type(self))
    }
}

/// The struct of `method-wrapper`: a slot wrapper bound to an object.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MethodWrapperObject {
    pub ob_base: PyObject,
    pub descr: *mut PyObject,
    pub self_: *mut PyObject,
}
kind!(/** `method-wrapper` */ MethodWrapper: MethodWrapperObject, _PyMethodWrapper_Type);

impl MethodWrapper {
    fn new(d: &WrapperDescr, o: &Object) -> Owned<Object> {
        // SAFETY: the fields are written before the object is tracked.
        unsafe {
            let p = crate::gc::new_object(MethodWrapper::type_ptr(), 0);
            assert!(!p.is_null(), "out of memory");
            (*p.cast::<MethodWrapperObject>()).descr = d.own().into_raw();
            (*p.cast::<MethodWrapperObject>()).self_ = o.own().into_raw();
            crate::gc::track(p);
            Owned::from_raw(p)
        }
    }
    fn descr(&self) -> &WrapperDescr {
        // SAFETY: owned by the object.
        unsafe { Object::from_ptr((*self.as_struct()).descr).downcast_unchecked() }
    }
    fn self_(&self) -> &Object {
        // SAFETY: owned by the object.
        unsafe { Object::from_ptr((*self.as_struct()).self_) }
    }
}

#[pymethods]
impl MethodWrapper {
    #[slot(tp_repr)]
    fn tp_repr(&self) -> String {
        format!(
            "<method-wrapper '{}' of {} object at {:p}>",
            descr_name(self.descr()),
            self.self_().ty().name(),
            self.self_().as_ptr()
        )
    }
    #[slot(tp_call)]
    fn tp_call(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        call_wrapper(self.descr(), self.self_(), args, kw)
    }
    #[slot(tp_hash)]
    fn tp_hash(&self) -> PyResult<isize> {
        let p = |o: &Object| (o.as_ptr() as usize).rotate_right(4) as isize;
        Ok(p(self.self_()) ^ p(self.descr()))
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> Owned<Object> {
        let Some(o) = other.downcast::<MethodWrapper>() else { return not_implemented() };
        let eq = self.descr().is(o.descr()) && self.self_().is(o.self_());
        match op {
            CompareOp::Eq => bool_obj(eq),
            CompareOp::Ne => bool_obj(!eq),
            _ => not_implemented(),
        }
    }
    #[getter]
    fn __objclass__(&self) -> Owned<Type> {
        descr_type(self.descr()).own()
    }
    #[getter]
    fn __name__(&self) -> String {
        descr_name(self.descr())
    }
    #[getter]
    fn __qualname__(&self) -> PyResult {
        descr_qualname(self.descr())
    }
    #[getter]
    fn __doc__(&self) -> Option<String> {
        wrapper_doc(descr(self.descr())).0
    }
    #[getter]
    fn __text_signature__(&self) -> Option<String> {
        wrapper_doc(descr(self.descr())).1
    }
    #[getter]
    fn __self__(&self) -> Owned<Object> {
        self.self_().own()
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        let getattr = crate::sysobject::builtins_dict().get_str("getattr")?;
        (getattr, (self.self_(), descr_name(self.descr()))).into_py()
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator of a method-wrapper.
        unsafe {
            crate::gc::untrack(o);
            let m = o.cast::<MethodWrapperObject>();
            xdecref((*m).descr);
            xdecref((*m).self_);
            crate::typeobject::free_instance(o);
        }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        v.visit(self.descr());
        v.visit(self.self_());
    }
}

pub fn init() -> PyResult<()> {
    ready::<MethodDescr>()?;
    ready::<ClassMethodDescr>()?;
    ready::<MemberDescr>()?;
    ready::<GetSetDescr>()?;
    ready::<WrapperDescr>()?;
    ready::<MethodWrapper>()?;
    Ok(())
}
