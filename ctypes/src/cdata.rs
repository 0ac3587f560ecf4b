//! Instances of C types: a Python object that owns or refers to a piece of C memory.
//!
//! ```text
//!   CData   ptr -> the memory: inside the object (up to 16 bytes), its own allocation, part of `base`, or foreign
//!           base, index   the instance this one is a part of, and where
//!           objects       what must live as long as the memory refers to it; kept by the outermost instance in a dict
//!                         whose keys spell the path ("index:index:..." in hex, innermost first)
//! ```
//!
//! The six concrete bases add nothing to the layout except `CFuncPtr` (funcptr.rs).

use std::cell::{Cell, UnsafeCell};
use std::ffi::{c_char, c_int, c_void};

use lh_abi::*;
use lh_runtime::prelude::*;
use lh_runtime::sysobject::audit;

use crate::convert::{self, Keep};
use crate::info::{ClassKind, FINAL, HAS_POINTER, IS_POINTER, Info, info_of};

#[repr(C)]
#[pyclass(name = "_CData", module = "_ctypes", basetype)]
pub struct CData {
    /// Kept first: call stubs read it at a fixed offset.
    #[notrace]
    pub ptr: Cell<*mut u8>,
    #[notrace]
    pub size: Cell<usize>,
    #[notrace]
    pub length: Cell<usize>,
    #[notrace]
    pub index: Cell<usize>,
    /// The memory belongs to this object (inside it or allocated).
    #[notrace]
    pub owns: Cell<bool>,
    pub base: Slot<CData>,
    pub objects: Slot,
    #[notrace]
    small: UnsafeCell<[u64; 2]>,
}

/// Offset of the memory pointer from the object's head, for generated code.
pub const PTR_OFFSET: u32 = CData::OFFSET as u32;

impl Drop for CData {
    fn drop(&mut self) {
        self.free_memory();
    }
}

/// Structure base class
#[pyclass(name = "Structure", module = "_ctypes", base = CData, basetype)]
pub struct Structure {}
/// Union base class
#[pyclass(name = "Union", module = "_ctypes", base = CData, basetype)]
pub struct Union {}
/// XXX to be provided
#[pyclass(name = "Array", module = "_ctypes", base = CData, basetype)]
pub struct Array {}
/// XXX to be provided
#[pyclass(name = "_Pointer", module = "_ctypes", base = CData, basetype)]
pub struct Pointer {}
/// XXX to be provided
#[pyclass(name = "_SimpleCData", module = "_ctypes", base = CData, basetype)]
pub struct SimpleCData {}

impl CData {
    fn free_memory(&self) {
        let p = self.ptr.get();
        if self.owns.get() && !p.is_null() && p != self.small.get().cast() {
            // SAFETY: allocated with malloc by this object.
            unsafe { libc::free(p.cast()) }
        }
        self.ptr.set(std::ptr::null_mut());
    }

    /// The class's info; instances exist only of classes that have one.
    #[inline]
    pub fn info(&self) -> &Info {
        info_of(self.as_object().ty()).expect("an instance's class has its C type")
    }

    pub fn class(&self) -> &Type {
        self.as_object().ty()
    }

    /// Changes the size of the memory the object owns (`resize`).
    pub fn resize(&self, size: usize) -> PyResult<()> {
        let (old, old_size) = (self.ptr.get(), self.size.get());
        let inside = old == self.small.get().cast();
        if inside && size <= size_of_val(&self.small) {
            self.size.set(size);
            return Ok(());
        }
        // SAFETY: copies what fits of the old memory to a fresh block; a block of our own is resized in place.
        unsafe {
            let new = if inside {
                let new: *mut u8 = libc::calloc(size, 1).cast();
                if !new.is_null() {
                    std::ptr::copy_nonoverlapping(old, new, old_size.min(size));
                }
                new
            } else {
                libc::realloc(old.cast(), size).cast()
            };
            if new.is_null() {
                return raise!(MemoryError);
            }
            self.ptr.set(new);
        }
        self.size.set(size);
        Ok(())
    }

    // ---- Keeping objects alive ----

    fn container(&self) -> Owned<CData> {
        let mut c = self.own();
        while let Some(b) = c.base.get() {
            c = b;
        }
        if !c.objects.is_some() {
            c.objects.set(Some(if c.length.get() > 0 { Dict::new().into_object() } else { none() }));
        }
        c
    }

    fn path(&self, index: usize) -> String {
        let mut s = format!("{:x}", index as u32);
        let mut at = self.own();
        while let Some(b) = at.base.get() {
            s.push_str(&format!(":{:x}", at.index.get() as u32));
            at = b;
        }
        s
    }

    /// Keeps `keep` alive as long as the memory; `index` says for which part.
    pub fn keep(&self, index: usize, keep: Keep) -> PyResult<()> {
        let Some(keep) = keep.filter(|k| !k.is_none()) else { return Ok(()) };
        let c = self.container();
        match c.objects.get().and_then(|o| o.downcast_owned::<Dict>().ok()) {
            Some(d) => d.set_str(&self.path(index), &keep),
            None => {
                c.objects.set(Some(keep));
                Ok(())
            }
        }
    }

    /// What the outermost instance keeps (`_objects`).
    pub fn kept(&self) -> Owned<Object> {
        self.container().objects.get().unwrap_or_else(none)
    }
}

// ---- Making instances ----

/// An instance of a ctypes class with nothing behind its pointer yet.
pub fn bare(cls: &Type, info: &Info) -> PyResult<Owned<CData>> {
    info.add(FINAL);
    let p = lh_runtime::typeobject::alloc(cls.tp(), 0)?;
    // SAFETY: `p` is a fresh instance of a subtype of CData, with room for the payload of its kind.
    unsafe {
        p.cast::<u8>().add(CData::OFFSET).cast::<CData>().write(CData {
            ptr: Cell::new(std::ptr::null_mut()),
            size: Cell::new(info.size()),
            length: Cell::new(info.length.get()),
            index: Cell::new(0),
            owns: Cell::new(false),
            base: Slot::empty(),
            objects: Slot::empty(),
            small: UnsafeCell::new([0; 2]),
        });
        if info.kind == ClassKind::Func {
            crate::funcptr::init_payload(p);
        }
        Ok(Owned::from_raw(p))
    }
}

/// An instance with zeroed memory of its own.
pub fn new_instance(cls: &Type) -> PyResult<Owned<CData>> {
    let Some(info) = info_of(cls) else { return raise!(TypeError, "abstract class") };
    let o = bare(cls, info)?;
    let size = info.size();
    o.owns.set(true);
    if size <= size_of_val(&o.small) {
        o.ptr.set(o.small.get().cast());
    } else {
        // SAFETY: plain allocation.
        let p = unsafe { libc::calloc(size, 1) };
        if p.is_null() {
            o.owns.set(false);
            return raise!(MemoryError);
        }
        o.ptr.set(p.cast());
    }
    Ok(o)
}

/// An instance over foreign memory.
pub fn at_address(cls: &Type, addr: *mut u8) -> PyResult<Owned<CData>> {
    let Some(info) = info_of(cls) else { return raise!(TypeError, "abstract class") };
    let o = bare(cls, info)?;
    o.ptr.set(addr);
    Ok(o)
}

/// A part of `base` (sharing its memory), or without base a copy of the memory at `addr`.
///
/// # Safety
/// `addr` has room for the type, inside `base`'s memory if there is one.
pub unsafe fn from_base(
    cls: &Type,
    base: Option<&CData>,
    index: usize,
    addr: *mut u8,
) -> PyResult<Owned<CData>> {
    let o = match base {
        Some(b) => {
            let o = at_address(cls, addr)?;
            o.base.set(Some(b.own()));
            o
        }
        None => {
            let o = new_instance(cls)?;
            // SAFETY: the caller's promise; the new memory has the type's size.
            unsafe { std::ptr::copy_nonoverlapping(addr, o.ptr.get(), o.size.get()) };
            o
        }
    };
    o.index.set(index);
    Ok(o)
}

/// The `CData` of a Python object.
#[inline]
pub fn as_cdata(o: &Object) -> Option<&CData> {
    // SAFETY: only classes that derive from CData carry the flag.
    o.ty().has_flag(crate::info::TPFLAGS_IS_CDATA).then(|| unsafe { o.downcast_unchecked() })
}

/// `tp_new` of the concrete bases: arguments are for `__init__`.
pub fn generic_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<Owned<CData>> {
    new_instance(cls)
}

// ---- Reading and writing parts as Python values ----

/// How a field or item of array type converts: `char` and `wchar_t` arrays stand for text when they are fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Plain,
    CharArray,
    WCharArray,
}

/// The Python value of the memory at `addr`, of type `cls`.
///
/// # Safety
/// `addr` has a value of the type.
pub unsafe fn get_value(
    cls: &Type,
    access: Access,
    base: &CData,
    index: usize,
    size: usize,
    addr: *mut u8,
    bits: Option<lh_foreign::ctype::Bits>,
) -> PyResult {
    // SAFETY: the caller's promise.
    unsafe {
        match access {
            Access::CharArray => return Ok(convert::get_char_array(addr, size).into_object()),
            Access::WCharArray => return Ok(convert::get_wchar_array(addr, size)?.into_object()),
            Access::Plain => {}
        }
        if let Some(s) = info_of(cls).and_then(|i| if bits.is_some() { i.scalar } else { i.value }) {
            return s.get(addr, bits);
        }
        Ok(from_base(cls, Some(base), index, addr)?.into_object())
    }
}

/// Stores a Python value in memory of type `cls` that is part `index` of `inst`, and keeps alive what that needs.
///
/// # Safety
/// `addr` is writable memory of the type, `size` bytes.
pub unsafe fn set_value(
    inst: &CData,
    cls: &Type,
    access: Access,
    value: &Object,
    index: usize,
    size: usize,
    addr: *mut u8,
    bits: Option<lh_foreign::ctype::Bits>,
) -> PyResult<()> {
    // SAFETY: the caller's promise.
    let keep = unsafe { store(cls, access, value, size, addr, bits)? };
    inst.keep(index, keep)
}

unsafe fn store(
    cls: &Type,
    access: Access,
    value: &Object,
    size: usize,
    addr: *mut u8,
    bits: Option<lh_foreign::ctype::Bits>,
) -> PyResult<Keep> {
    let info = info_of(cls);
    let is_pointer = info.is_some_and(|i| i.kind == ClassKind::Pointer);
    // SAFETY: the caller's promise, for every use of `addr`.
    unsafe {
        match access {
            Access::CharArray => return convert::set_char_array(addr, size, value),
            Access::WCharArray => return convert::set_wchar_array(addr, size, value),
            Access::Plain => {}
        }
        let Some(src) = as_cdata(value) else {
            if let Some(s) = info.and_then(|i| i.scalar) {
                return s.set(addr, value, bits);
            }
            if let Some(t) = value.downcast::<Tuple>() {
                let made = cls.as_object().call_tuple(t, None).map_err(|e| extend_error(e, &cls.name()))?;
                return store(cls, access, &made, size, addr, bits);
            }
            if is_pointer && value.is_none() {
                addr.cast::<usize>().write_unaligned(0);
                return Ok(None);
            }
            return raise!(TypeError, "expected {} instance, got {}", cls.name(), value.ty().name());
        };
        if value.is_instance(cls)? {
            match (bits, info.and_then(|i| i.scalar)) {
                (Some(_), Some(s)) => {
                    let v = s.get(src.ptr.get(), None)?;
                    s.set(addr, &v, bits)?;
                }
                _ => std::ptr::copy(src.ptr.get(), addr, size),
            }
            return Ok(Some(src.kept()));
        }
        if is_pointer && src.info().kind == ClassKind::Array {
            // An array assigned to a pointer decays; the array itself must live, not only what it keeps.
            let (p1, p2) = (src.info().proto.get(), info.and_then(|i| i.proto.get()));
            if p1.map(|o| o.ptr()) != p2.map(|o| o.ptr()) {
                return raise!(
                    TypeError,
                    "incompatible types, {} instance instead of {} instance",
                    value.ty().name(),
                    cls.name()
                );
            }
            addr.cast::<*mut u8>().write_unaligned(src.ptr.get());
            return Ok(Some(Tuple::from_refs(&[&src.kept(), value]).into_object()));
        }
        raise!(
            TypeError,
            "incompatible types, {} instance instead of {} instance",
            value.ty().name(),
            cls.name()
        )
    }
}

/// `RuntimeError: (T) TypeError: text`: the error of making a `T` from a tuple.
fn extend_error(e: Raised, what: &str) -> Raised {
    let exc = e.take();
    let text = exc.as_object().str().map(|s| s.to_str_lossy().into_owned());
    let text = text.unwrap_or_else(|e| {
        e.clear();
        "???".into()
    });
    raised!(RuntimeError, "({}) {}: {}", what, exc.as_object().ty().name(), text)
}

// ---- What every class offers: constructors over existing memory ----

fn need_info(t: &Type) -> PyResult<&Info> {
    match info_of(t) {
        Some(i) => Ok(i),
        None => raise!(TypeError, "abstract class"),
    }
}

pub fn class_from_address(cls: &Type, addr: &Object) -> PyResult<Owned<CData>> {
    let Some(a) = addr.downcast::<Int>() else { return raise!(TypeError, "integer expected") };
    audit("ctypes.cdata", &[addr])?;
    at_address(cls, a.to_u64_wrapping() as *mut u8)
}

fn offset_arg(name: &str, args: &[&Object]) -> PyResult<isize> {
    if args.is_empty() || args.len() > 2 {
        let (word, n) = if args.is_empty() { ("least", 1) } else { ("most", 2) };
        let plural = if n == 1 { "" } else { "s" };
        return raise!(
            TypeError,
            "{} expected at {} {} argument{}, got {}",
            name,
            word,
            n,
            plural,
            args.len()
        );
    }
    match args.get(1) {
        Some(o) => lh_runtime::number::as_isize(o, Some(exc::OverflowError())),
        None => Ok(0),
    }
}

fn check_room(have: usize, offset: isize, need: usize) -> PyResult<()> {
    if offset < 0 {
        return raise!(ValueError, "offset cannot be negative");
    }
    let need = need + offset as usize;
    if need > have {
        return raise!(ValueError, "Buffer size too small ({} instead of at least {} bytes)", have, need);
    }
    Ok(())
}

pub fn class_from_buffer(cls: &Type, args: &[&Object]) -> PyResult<Owned<CData>> {
    let offset = offset_arg("from_buffer", args)?;
    let info = need_info(cls)?;
    let view = MemoryView::class().as_object().call1(args[0])?;
    let Some(mv) = view.downcast::<MemoryView>() else {
        return raise!(TypeError, "memoryview() did not return a memoryview");
    };
    // SAFETY: the memoryview is live, its view is filled in.
    let (buf, len, readonly) = unsafe {
        let v = &raw const (*mv.as_struct()).view;
        ((*v).buf, (*v).len as usize, (*v).readonly != 0)
    };
    if readonly {
        return raise!(TypeError, "underlying buffer is not writable");
    }
    if !mv.as_object().get_attr(intern!("c_contiguous"))?.is_true()? {
        return raise!(TypeError, "underlying buffer is not C contiguous");
    }
    check_room(len, offset, info.size())?;
    let (p, n, at) = (Int::from_u64(buf as u64), Int::from_usize(len), Int::from_i64(offset as i64));
    audit("ctypes.cdata/buffer", &[&p, &n, &at])?;
    let o = at_address(cls, buf.cast::<u8>().wrapping_offset(offset))?;
    o.keep(usize::MAX, Some(view))?;
    Ok(o)
}

pub fn class_from_buffer_copy(cls: &Type, args: &[&Object]) -> PyResult<Owned<CData>> {
    let offset = offset_arg("from_buffer_copy", args)?;
    let info = need_info(cls)?;
    let buffer = Buffer::simple(args[0])?;
    check_room(buffer.len(), offset, info.size())?;
    let o = new_instance(cls)?;
    // SAFETY: the room was checked on both sides.
    unsafe {
        std::ptr::copy_nonoverlapping(buffer.as_bytes().as_ptr().offset(offset), o.ptr.get(), info.size());
    }
    Ok(o)
}

/// The handle of a loaded library object.
pub fn dll_handle(dll: &Object) -> PyResult<*mut c_void> {
    let h = dll.get_attr(intern!("_handle"))?;
    match h.downcast::<Int>() {
        Some(i) => Ok(i.to_u64_wrapping() as *mut c_void),
        None => raise!(TypeError, "the _handle attribute of the second argument must be an integer"),
    }
}

pub fn class_in_dll(cls: &Type, args: &[&Object]) -> PyResult<Owned<CData>> {
    let &[dll, name] = args else {
        return raise!(TypeError, "in_dll expected 2 arguments, got {}", args.len());
    };
    let Some(name) = name.downcast::<Str>() else {
        return raise!(TypeError, "in_dll() argument 2 must be str, not {}", name.ty().name());
    };
    let handle = dll_handle(dll)?;
    audit("ctypes.dlsym", args)?;
    let name = c_string(name.to_str()?)?;
    // SAFETY: the handle is the library object's.
    match unsafe { lh_foreign::library::symbol(handle, &name) } {
        Ok(p) => at_address(cls, p.cast()),
        Err(text) => raise!(ValueError, "{}", text),
    }
}

pub fn c_string(s: &str) -> PyResult<std::ffi::CString> {
    std::ffi::CString::new(s).map_err(|_| raised!(ValueError, "embedded null character"))
}

/// `from_param` of structures, unions, arrays and functions.
pub fn class_from_param(cls: &Type, value: &Object) -> PyResult {
    if value.is_instance(cls)? {
        return Ok(value.own());
    }
    if let Some(arg) = value.downcast::<crate::call::CArg>() {
        let obj = arg.obj.get();
        // A reference stands for a pointer to its object: pointer types look at what they point to.
        let target = crate::info::info_of(cls).and_then(|i| i.proto_class());
        if let Some(o) = &obj
            && o.is_instance(target.as_deref().unwrap_or(cls))?
        {
            return Ok(value.own());
        }
        let what = obj.map_or_else(|| "???".into(), |o| o.ty().name());
        return raise!(TypeError, "expected {} instance instead of pointer to {}", cls.name(), what);
    }
    if let Some(p) = value.get_attr_opt(intern!("_as_parameter_"))? {
        let _r = lh_runtime::thread::enter_recursive(" while processing _as_parameter_")?;
        return class_from_param(cls, &p);
    }
    raise!(TypeError, "expected {} instance instead of {}", cls.name(), value.ty().name())
}

/// Adds the methods that all metaclasses give their classes.
pub fn install_class_methods(b: &mut TypeBuilder, own_from_param: bool) {
    use lh_runtime::border::object;
    use lh_runtime::builder::method_def;
    /// The receiver and arguments of a METH_FASTCALL function.
    unsafe fn parts<'a>(
        cls: *mut PyObject,
        args: *const *mut PyObject,
        n: isize,
    ) -> (&'a Type, Vec<&'a Object>) {
        // SAFETY: the call protocol passes live objects; the receiver is a class of ours.
        unsafe {
            let v = (0..n as usize).map(|i| Object::from_ptr(*args.add(i))).collect();
            (Object::from_ptr(cls).downcast_unchecked(), v)
        }
    }
    macro_rules! fast {
        ($f:path) => {{
            unsafe extern "C" fn m(
                cls: *mut PyObject,
                args: *const *mut PyObject,
                n: isize,
            ) -> *mut PyObject {
                // SAFETY: called by the call protocol.
                let (cls, args) = unsafe { parts(cls, args, n) };
                object(|| $f(cls, &args))
            }
            m as *const ()
        }};
    }
    macro_rules! one {
        ($f:path) => {{
            unsafe extern "C" fn m(cls: *mut PyObject, arg: *mut PyObject) -> *mut PyObject {
                // SAFETY: called by the call protocol with live objects; the receiver is a class of ours.
                object(|| unsafe { $f(Object::from_ptr(cls).downcast_unchecked(), Object::from_ptr(arg)) })
            }
            m as *const ()
        }};
    }
    b.method(method_def(
        c"from_address",
        one!(class_from_address),
        METH_O,
        c"C.from_address(integer) -> C instance\naccess a C instance at the specified address",
    ));
    b.method(method_def(
        c"from_buffer",
        fast!(class_from_buffer),
        METH_FASTCALL,
        c"C.from_buffer(object, offset=0) -> C instance\ncreate a C instance from a writeable buffer",
    ));
    b.method(method_def(
        c"from_buffer_copy",
        fast!(class_from_buffer_copy),
        METH_FASTCALL,
        c"C.from_buffer_copy(object, offset=0) -> C instance\ncreate a C instance from a readable buffer",
    ));
    b.method(method_def(
        c"in_dll",
        fast!(class_in_dll),
        METH_FASTCALL,
        c"C.in_dll(dll, name) -> C instance\naccess a C instance in a dll",
    ));
    if !own_from_param {
        b.method(method_def(
            c"from_param",
            one!(class_from_param),
            METH_O,
            c"Convert a Python object into a function call parameter.",
        ));
    }
    b.slot(Py_sq_repeat, lh_runtime::slot_ssizearg!(Type, crate::array::repeat));
}

// ---- `_CData` itself ----

#[pymethods]
impl CData {
    #[slot(tp_hash)]
    fn hash(&self) -> PyResult<isize> {
        raise!(TypeError, "unhashable type")
    }

    #[getter]
    fn _b_base_(&self) -> Option<Owned<CData>> {
        self.base.get()
    }

    #[getter]
    fn _b_needsfree_(&self) -> i64 {
        self.owns.get() as i64
    }

    #[getter]
    fn _objects(&self) -> Option<Owned<Object>> {
        self.objects.get()
    }

    #[pymethod]
    fn __ctypes_from_outparam__(&self) -> Owned<Object> {
        self.as_object().own()
    }

    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        if self.info().flags.get() & (IS_POINTER | HAS_POINTER) != 0 {
            return raise!(ValueError, "ctypes objects containing pointers cannot be pickled");
        }
        let dict = self.as_object().get_attr(intern!("__dict__"))?;
        // SAFETY: the memory has `size` bytes.
        let data = unsafe { Bytes::new(std::slice::from_raw_parts(self.ptr.get(), self.size.get())) };
        let unpickle = lh_runtime::hooks::import_module("_ctypes")?.get_attr(intern!("_unpickle"))?;
        let state = Tuple::from_refs(&[&dict, &data]);
        let args = Tuple::from_refs(&[self.class(), &state]);
        Ok(Tuple::from_refs(&[&unpickle, &args]).into_object())
    }

    #[pymethod]
    fn __setstate__(&self, dict: &Object, data: &Object) -> PyResult<()> {
        let data = Buffer::simple(data)?;
        let n = data.len().min(self.size.get());
        // SAFETY: both sides have n bytes.
        unsafe { std::ptr::copy_nonoverlapping(data.as_bytes().as_ptr(), self.ptr.get(), n) };
        let own = self.as_object().get_attr(intern!("__dict__"))?;
        let Some(own) = own.downcast::<Dict>() else {
            let (t, got) = (self.class().name(), own.ty().name());
            return raise!(TypeError, "{}.__dict__ must be a dictionary, not {}", t, got);
        };
        own.update(dict)?;
        Ok(())
    }

    #[slot(bf_getbuffer)]
    fn getbuffer(&self, view: *mut Py_buffer, _flags: c_int) -> PyResult<()> {
        let info = self.info();
        // Walk down the item types: their size is the item size of the buffer.
        let mut item = self.class().own();
        while let Some(p) =
            info_of(&item).filter(|i| i.kind == ClassKind::Array).and_then(|i| i.proto_class())
        {
            item = p;
        }
        let shape = info.shape.borrow();
        // SAFETY: the view is writable; format and shape live as long as the type, which the view's object keeps alive.
        unsafe {
            (*view).buf = self.ptr.get().cast();
            (*view).obj = self.as_object().own().into_raw();
            (*view).len = self.size.get() as isize;
            (*view).readonly = 0;
            (*view).format = info.format.borrow().as_ptr().cast::<c_char>().cast_mut();
            (*view).ndim = shape.len() as c_int;
            (*view).shape =
                if shape.is_empty() { std::ptr::null_mut() } else { shape.as_ptr().cast_mut().cast() };
            (*view).itemsize = info_of(&item).map_or(1, |i| i.size()) as isize;
            (*view).strides = std::ptr::null_mut();
            (*view).suboffsets = std::ptr::null_mut();
            (*view).internal = std::ptr::null_mut();
        }
        Ok(())
    }
}
