//! Making type objects: collecting a type's methods, accessors and slots, and readying it.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use core::ffi::{CStr, c_int, c_void};
use lh_abi::*;

/// A type whose methods come from a `#[pymethods]` block.
pub trait ClassDef: Kind {
    fn install(b: &mut TypeBuilder);
}

/// A Rust struct embedded in Python objects (`#[pyclass]`).
pub trait Payload: Kind {
    fn trace_fields(&self, v: &mut Visitor);
    fn clear_fields(&self);

    /// A new instance of the kind's own type.
    fn build(self) -> Owned<Self> {
        self.build_in(Self::class()).expect("allocating an instance of a built-in type")
    }
    /// A new instance of `cls`, which is the kind's type or derives from it.
    fn build_in(self, cls: &Type) -> PyResult<Owned<Self>> {
        // SAFETY: the allocated object has room for a Self at OFFSET, not initialised yet.
        unsafe {
            let base = (*Self::type_ptr()).tp_base;
            let p = if base.is_null() || base == <Object as Kind>::type_ptr() {
                crate::typeobject::alloc(cls.tp(), 0)?
            } else {
                let new = (*base).tp_new.expect("the base can be instantiated");
                let args = Tuple::empty();
                from_c::<Object>(new(cls.tp(), args.ptr(), core::ptr::null_mut()))?.into_raw()
            };
            p.cast::<u8>().add(Self::OFFSET).cast::<Self>().write(self);
            Ok(Owned::from_raw(p))
        }
    }
}

/// Collects what a type is made of.
pub struct TypeBuilder {
    pub ty: *mut PyTypeObject,
    methods: Vec<PyMethodDef>,
    getset: Vec<PyGetSetDef>,
    members: Vec<PyMemberDef>,
    attrs: Vec<(&'static str, fn() -> PyResult<Owned<Object>>)>,
    signature: Option<(&'static str, &'static str)>,
}

/// A `PyMethodDef` from its parts.
pub fn method_def(name: &'static CStr, f: *const (), flags: c_int, doc: &'static CStr) -> PyMethodDef {
    PyMethodDef {
        ml_name: name.as_ptr(),
        // SAFETY: METH_* flags say which signature the pointer really has; it is cast back before each call.
        ml_meth: Some(unsafe { core::mem::transmute::<*const (), PyCFunction>(f) }),
        ml_flags: flags,
        ml_doc: if doc.is_empty() { core::ptr::null() } else { doc.as_ptr() },
    }
}

impl TypeBuilder {
    pub fn new(ty: *mut PyTypeObject) -> TypeBuilder {
        TypeBuilder { ty, methods: vec![], getset: vec![], members: vec![], attrs: vec![], signature: None }
    }
    pub fn method(&mut self, m: PyMethodDef) {
        self.methods.push(m)
    }
    fn getset_at(&mut self, name: &'static CStr) -> &mut PyGetSetDef {
        // SAFETY: names are static C strings.
        let same = |g: &PyGetSetDef| unsafe { CStr::from_ptr(g.name) } == name;
        let at = self.getset.iter().position(same).unwrap_or_else(|| {
            self.getset.push(PyGetSetDef {
                name: name.as_ptr(),
                get: None,
                set: None,
                doc: core::ptr::null(),
                closure: core::ptr::null_mut(),
            });
            self.getset.len() - 1
        });
        &mut self.getset[at]
    }
    pub fn getter(&mut self, name: &'static CStr, f: getter, doc: Option<&'static CStr>) {
        let g = self.getset_at(name);
        g.get = Some(f);
        if let Some(d) = doc {
            g.doc = d.as_ptr();
        }
    }
    pub fn setter(&mut self, name: &'static CStr, f: setter) {
        self.getset_at(name).set = Some(f);
    }
    /// A `PyMemberDef` row: `kind` is a `T_*` constant, `flags` 0 or `READONLY`.
    pub fn member(&mut self, name: &'static CStr, kind: c_int, offset: usize, flags: c_int) {
        self.members.push(PyMemberDef {
            name: name.as_ptr(),
            r#type: kind,
            offset: offset as isize,
            flags,
            doc: core::ptr::null(),
        })
    }
    /// A member with a docstring.
    pub fn member_doc(
        &mut self,
        name: &'static CStr,
        kind: c_int,
        offset: usize,
        flags: c_int,
        doc: &'static CStr,
    ) {
        self.member(name, kind, offset, flags);
        self.members.last_mut().expect("just pushed").doc = doc.as_ptr();
    }
    /// Sets a slot by its `Py_tp_*` / `Py_nb_*` number.
    pub fn slot(&mut self, id: c_int, f: *mut c_void) {
        // SAFETY: the type is being built; the shim has the slot's signature.
        unsafe { crate::typeobject::set_slot(self.ty, id, f) }
    }
    pub fn doc(&mut self, doc: &'static CStr) {
        // SAFETY: the type is being built.
        unsafe { (*self.ty).tp_doc = doc.as_ptr() }
    }
    pub fn flags(&mut self, set: u64) {
        // SAFETY: the type is being built.
        unsafe { (*self.ty).tp_flags |= set }
    }
    pub fn text_signature(&mut self, name: &'static str, sig: &'static str) {
        self.signature = Some((name, sig));
    }
    /// A class attribute, computed once the type is ready.
    pub fn class_attr(&mut self, name: &'static str, f: fn() -> PyResult<Owned<Object>>) {
        self.attrs.push((name, f))
    }

    /// Stores the tables in the type object and readies it.
    pub fn finish(mut self) -> PyResult<&'static Type> {
        fn table<T: Copy>(mut v: Vec<T>, end: T) -> *mut T {
            v.push(end);
            Box::leak(v.into_boxed_slice()).as_mut_ptr()
        }
        // SAFETY: the type is static and not visible to Python yet; an all-zero row ends each table.
        unsafe {
            let t = self.ty;
            if !self.methods.is_empty() {
                (*t).tp_methods = table(std::mem::take(&mut self.methods), core::mem::zeroed());
            }
            if !self.getset.is_empty() {
                (*t).tp_getset = table(std::mem::take(&mut self.getset), core::mem::zeroed());
            }
            if !self.members.is_empty() {
                (*t).tp_members = table(std::mem::take(&mut self.members), core::mem::zeroed());
            }
            if let Some((name, sig)) = self.signature {
                let doc = if (*t).tp_doc.is_null() { c"" } else { CStr::from_ptr((*t).tp_doc) };
                if !doc.to_bytes().windows(4).any(|w| w == b"--\n\n") {
                    let text = format!("{}{}\n--\n\n{}", name, sig, doc.to_string_lossy());
                    (*t).tp_doc = std::ffi::CString::new(text).expect("no NUL in a doc string").into_raw();
                }
            }
            crate::typeobject::ready(t)?;
            let ty = Type::from_raw_ref(t);
            for (name, f) in self.attrs {
                let v = f()?;
                ty.set_builtin_attr(name, &v)?;
            }
            Ok(ty)
        }
    }
}

/// Readies the type of kind `T` (once; later calls answer the same type).
pub fn ready<T: ClassDef>() -> PyResult<&'static Type> {
    // SAFETY: the static type object of a kind.
    unsafe {
        let t = T::type_ptr();
        if (*t).tp_flags & Py_TPFLAGS_READY != 0 {
            return Ok(Type::from_raw_ref(t));
        }
        let mut b = TypeBuilder::new(t);
        T::prepare(&mut b);
        T::install(&mut b);
        b.finish()
    }
}

/// The deallocator of a payload type; `prepare_payload` installs it. Types with a finaliser wrap it.
///
/// # Safety
/// Called once, when the count of an instance has reached zero.
pub unsafe extern "C" fn payload_dealloc<T: Payload>(o: *mut PyObject) {
    // SAFETY: called once, when the count has reached zero; the payload is dropped before its memory goes.
    unsafe {
        let t = T::type_ptr();
        let base = (*t).tp_base;
        if crate::gc::is_gc_object(o) {
            crate::gc::untrack(o);
        }
        if (*t).tp_weaklistoffset > 0 {
            crate::weakref::clear_weakrefs(o);
        }
        core::ptr::drop_in_place(o.cast::<u8>().add(T::OFFSET).cast::<T>());
        if (*t).tp_dictoffset > 0 {
            let d = o.cast::<u8>().add((*t).tp_dictoffset as usize).cast::<*mut PyObject>();
            xdecref(core::mem::replace(&mut *d, core::ptr::null_mut()));
        }
        if base.is_null() || base == <Object as Kind>::type_ptr() {
            crate::typeobject::free_instance(o);
        } else {
            if crate::gc::is_gc_object(o) {
                crate::gc::track(o);
            }
            ((*base).tp_dealloc.expect("a ready base has one"))(o)
        }
    }
}

/// Sets base, deallocation and tracing of a payload type.
pub fn prepare_payload<T: Payload>(b: &mut TypeBuilder, base: *mut PyTypeObject) {
    unsafe extern "C" fn traverse<T: Payload>(o: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
        // SAFETY: slots are called with a live instance of the type.
        unsafe {
            let mut v = Visitor { visit, arg, result: 0 };
            crate::slots::this::<T>(o).trace_fields(&mut v);
            let t = T::type_ptr();
            if v.result == 0
                && (*t).tp_dictoffset > 0
                && T::OFFSET + core::mem::size_of::<T>() <= (*t).tp_dictoffset as usize
            {
                v.visit_ptr(*o.cast::<u8>().add((*t).tp_dictoffset as usize).cast::<*mut PyObject>());
            }
            if v.result == 0
                && let Some(f) = (*(*t).tp_base).tp_traverse
            {
                v.result = f(o, visit, arg);
            }
            v.result
        }
    }
    unsafe extern "C" fn clear<T: Payload>(o: *mut PyObject) -> c_int {
        // SAFETY: slots are called with a live instance of the type.
        unsafe {
            crate::slots::this::<T>(o).clear_fields();
            match (*(*T::type_ptr()).tp_base).tp_clear {
                Some(f) => f(o),
                None => 0,
            }
        }
    }
    unsafe extern "C" fn get_dict(o: *mut PyObject, _: *mut c_void) -> *mut PyObject {
        // SAFETY: the descriptor checked the type; its instances have a dictionary word.
        unsafe {
            let p = crate::typeobject::dict_ptr(o);
            if (*p).is_null() {
                *p = Dict::new().into_raw();
            }
            incref(*p);
            *p
        }
    }
    unsafe extern "C" fn set_dict(o: *mut PyObject, v: *mut PyObject, _: *mut c_void) -> c_int {
        // SAFETY: as above; the old dictionary is dropped after the new one is in place.
        crate::border::status(|| unsafe {
            let Some(v) = Object::from_ptr_opt(v) else {
                return crate::raise!(TypeError, "cannot delete __dict__");
            };
            if !v.is_instance_of::<Dict>() {
                let t = v.ty().name();
                return crate::raise!(TypeError, "__dict__ must be set to a dictionary, not a '{}'", t);
            }
            let p = crate::typeobject::dict_ptr(o);
            xdecref(std::mem::replace(&mut *p, v.own().into_raw()));
            Ok(())
        })
    }
    // SAFETY: the type is being built. (An inherited dictionary offset is not filled in yet.)
    if unsafe { (*b.ty).tp_dictoffset } > 0 {
        b.getter(c"__dict__", get_dict, None);
        b.setter(c"__dict__", set_dict);
    }
    // SAFETY: the type is being built.
    unsafe {
        // `#[pyclass(dict)]`: instances show their dictionary.
        if (*b.ty).tp_dictoffset > 0 {
            b.getter(c"__dict__", crate::funcobject::generic_dict_get, None);
            b.setter(c"__dict__", crate::funcobject::generic_dict_set);
        }
        (*b.ty).tp_base = base;
        (*b.ty).tp_dealloc = Some(payload_dealloc::<T>);
        if (*b.ty).tp_flags & Py_TPFLAGS_HAVE_GC != 0 {
            (*b.ty).tp_traverse = Some(traverse::<T>);
            (*b.ty).tp_clear = Some(clear::<T>);
        }
    }
}
