//! Arrays: the metaclass, `type * n`, and instances.

use lh_abi::*;
use lh_foreign::ctype::CType;
use lh_runtime::prelude::*;

use crate::cdata::*;
use crate::convert::{self, Scalar};
use crate::info::*;

pub fn install_meta(b: &mut TypeBuilder) {
    install_class_methods(b, false);
    b.slot(Py_tp_new, lh_runtime::slot_new!(Type, new_class));
}

fn new_class(meta: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Type>> {
    let cls = type_new(meta, args, kwargs)?;
    let obj = cls.as_object();
    let length = match obj.get_attr_opt(intern!("_length_"))? {
        None => return raise!(AttributeError, "class must define a '_length_' attribute"),
        Some(l) => l,
    };
    let Some(length) = length.downcast::<Int>() else {
        return raise!(TypeError, "The '_length_' attribute must be an integer");
    };
    if length.sign() < 0 {
        return raise!(ValueError, "The '_length_' attribute must not be negative");
    }
    let Some(n) = length.to_i64() else {
        return raise!(OverflowError, "The '_length_' attribute is too large");
    };
    let Some(item) = obj.get_attr_opt(intern!("_type_"))? else {
        return raise!(AttributeError, "class must define a '_type_' attribute");
    };
    let Some(item_info) = info_of(&item) else { return raise!(TypeError, "_type_ must have storage info") };
    let Some(ctype) = CType::array(item_info.ctype(), n as usize) else {
        return raise!(OverflowError, "array too large");
    };
    let info = Info::new(ClassKind::Array, ctype);
    info.length.set(n as usize);
    info.proto.set(Some(item.own()));
    *info.format.borrow_mut() = item_info.format.borrow().clone();
    let mut shape = vec![n as isize];
    shape.extend(item_info.shape.borrow().iter());
    info.shape.replace(shape.into_boxed_slice());
    info.add(item_info.flags.get() & (HAS_UNION | HAS_BITFIELD));
    if item_info.has(IS_POINTER | HAS_POINTER) {
        info.add(HAS_POINTER);
    }
    set_info(&cls, info);
    match item_info.scalar.map(|s| s.code) {
        Some(b'c') => {
            add_property::<true>(&cls, "raw")?;
            add_property::<false>(&cls, "value")?;
        }
        Some(b'u') => add_property::<false>(&cls, "value")?,
        _ => {}
    }
    Ok(cls)
}

// ---- `raw` and `value` of character arrays ----

type Get = fn(&CData) -> PyResult;
type Set = fn(&CData, &Object) -> PyResult<()>;

/// A property of one class, its accessors built-in functions.
fn add_property<const RAW: bool>(cls: &Type, name: &str) -> PyResult<()> {
    const fn accessors<const RAW: bool>() -> (Get, Set) {
        if RAW { (raw_get, raw_set) } else { (text_get, text_set) }
    }
    fn receiver(o: &Object) -> PyResult<&CData> {
        match as_cdata(o).filter(|d| d.info().kind == ClassKind::Array) {
            Some(d) => Ok(d),
            None => raise!(
                TypeError,
                "descriptor for character arrays doesn't apply to a '{}' object",
                o.ty().name()
            ),
        }
    }
    unsafe extern "C" fn getter<const RAW: bool>(_: *mut PyObject, o: *mut PyObject) -> *mut PyObject {
        // SAFETY: called by the call protocol with a live object.
        lh_runtime::border::object(|| accessors::<RAW>().0(receiver(unsafe { Object::from_ptr(o) })?))
    }
    unsafe extern "C" fn setter<const RAW: bool>(
        _: *mut PyObject,
        args: *const *mut PyObject,
        n: isize,
    ) -> *mut PyObject {
        lh_runtime::border::object(|| {
            if n != 2 {
                return raise!(TypeError, "expected 2 arguments, got {}", n);
            }
            // SAFETY: called by the call protocol with two live objects.
            let (o, v) = unsafe { (Object::from_ptr(*args), Object::from_ptr(*args.add(1))) };
            accessors::<RAW>().1(receiver(o)?, v)?;
            Ok(none())
        })
    }
    unsafe extern "C" fn deleter<const RAW: bool>(_: *mut PyObject, _: *mut PyObject) -> *mut PyObject {
        lh_runtime::border::object::<Object>(|| {
            if RAW {
                return raise!(AttributeError, "cannot delete attribute");
            }
            raise!(TypeError, "can't delete attribute")
        })
    }
    let function = |f: *const (), flags| {
        let def = lh_runtime::builder::method_def(c"accessor", f, flags, c"");
        CFunction::new(Box::leak(Box::new(def)), None, None)
    };
    let get = function(getter::<RAW> as *const (), METH_O);
    let set = function(setter::<RAW> as *const (), METH_FASTCALL);
    let del = function(deleter::<RAW> as *const (), METH_O);
    let property = Property::class().as_object().call(&[&get, &set, &del])?;
    cls.as_object().set_attr_str(name, &property)
}

fn raw_get(d: &CData) -> PyResult {
    // SAFETY: the memory has `size` bytes.
    Ok(unsafe { Bytes::new(std::slice::from_raw_parts(d.ptr.get(), d.size.get())) }.into_object())
}

fn raw_set(d: &CData, v: &Object) -> PyResult<()> {
    let b = Buffer::simple(v)?;
    if b.len() > d.size.get() {
        return raise!(ValueError, "byte string too long");
    }
    // SAFETY: the length was checked.
    unsafe { std::ptr::copy(b.as_bytes().as_ptr(), d.ptr.get(), b.len()) };
    Ok(())
}

fn is_wide(d: &CData) -> bool {
    let item = d.info().proto_class();
    item.and_then(|p| info_of(&p).and_then(|i| i.scalar)).is_some_and(|s| s.code == b'u')
}

fn text_get(d: &CData) -> PyResult {
    // SAFETY: the memory has `size` bytes.
    unsafe {
        if is_wide(d) {
            Ok(convert::get_wchar_array(d.ptr.get(), d.size.get())?.into_object())
        } else {
            Ok(convert::get_char_array(d.ptr.get(), d.size.get()).into_object())
        }
    }
}

fn text_set(d: &CData, v: &Object) -> PyResult<()> {
    let size = d.size.get();
    if is_wide(d) {
        let Some(s) = v.downcast::<Str>() else {
            return raise!(TypeError, "unicode string expected instead of {} instance", v.ty().name());
        };
        if s.len() > size / 4 {
            return raise!(ValueError, "string too long");
        }
        // SAFETY: the length was checked.
        unsafe { convert::write_wide(d.ptr.get().cast(), s, size / 4) };
        return Ok(());
    }
    let Some(b) = v.downcast::<Bytes>() else {
        return raise!(TypeError, "bytes expected instead of {} instance", v.ty().name());
    };
    let b = b.as_bytes();
    if b.len() > size {
        return raise!(ValueError, "byte string too long");
    }
    // SAFETY: the length was checked.
    unsafe {
        std::ptr::copy_nonoverlapping(b.as_ptr(), d.ptr.get(), b.len());
        if b.len() < size {
            *d.ptr.get().add(b.len()) = 0;
        }
    }
    Ok(())
}

// ---- `type * n` ----

/// `item * n`, the same class for the same arguments.
pub fn repeat(item: &Type, n: isize) -> PyResult<Owned<Type>> {
    if n < 0 {
        return raise!(ValueError, "Array length must be >= 0, not {}", n);
    }
    array_class(item, n as usize)
}

pub fn array_class(item: &Type, n: usize) -> PyResult<Owned<Type>> {
    // Weak values: a class that nobody uses is made again when wanted.
    let cache = array_cache()?;
    let key = Tuple::from_refs(&[item, &Int::from_usize(n)]);
    let get = cache.call_method("get", &[&key])?;
    if let Ok(t) = get.downcast_owned::<Type>() {
        return Ok(t);
    }
    let dict = Dict::new();
    dict.set_str("_length_", &Int::from_usize(n))?;
    dict.set_str("_type_", item)?;
    let name = format!("{}_Array_{}", item.name(), n);
    let cls = make_class(ArrayMeta::class(), &name, Array::class(), &dict)?;
    cache.set_item_of(&key, &cls)?;
    Ok(cls)
}

/// `(item, n) -> class`: a `WeakValueDictionary` if that can be imported by now.
fn array_cache() -> PyResult<Owned<Object>> {
    use std::sync::atomic::{AtomicPtr, Ordering};
    static CACHE: AtomicPtr<PyObject> = AtomicPtr::new(std::ptr::null_mut());
    let p = CACHE.load(Ordering::Relaxed);
    // SAFETY: a reference owned by the static, never given back.
    if let Some(o) = unsafe { Object::from_ptr_opt(p) } {
        return Ok(o.own());
    }
    let class = lh_runtime::hooks::import_module("weakref")?.get_attr(intern!("WeakValueDictionary"))?;
    let d = class.call0()?;
    CACHE.store(d.clone().into_raw(), Ordering::Relaxed);
    Ok(d)
}

// ---- Instances ----

impl Array {
    pub fn data(&self) -> &CData {
        // SAFETY: Array derives from CData.
        unsafe { self.as_object().downcast_unchecked() }
    }

    fn item_class(&self) -> PyResult<Owned<Type>> {
        match self.data().info().proto_class() {
            Some(t) => Ok(t),
            None => raise!(TypeError, "_type_ must have storage info"),
        }
    }

    /// Address and scalar of item `i` for arrays of plain values: the common case, without reference counting.
    #[inline]
    fn plain_item(&self, i: isize) -> Option<(Scalar, *mut u8)> {
        let d = self.data();
        if i < 0 || i as usize >= d.length.get() {
            return None;
        }
        // SAFETY: nothing runs while the item class is looked at; the index is inside the array.
        unsafe {
            let item = info_of(d.info().proto.peek()?)?;
            Some((item.value?, d.ptr.get().add(i as usize * item.size())))
        }
    }

    fn get_at(&self, i: isize) -> PyResult {
        if let Some((s, addr)) = self.plain_item(i) {
            // SAFETY: an item of the array.
            return unsafe { s.get(addr, None) };
        }
        let d = self.data();
        if i < 0 || i as usize >= d.length.get() {
            return raise!(IndexError, "invalid index");
        }
        let item = self.item_class()?;
        let size = info_of(&item).map_or(0, Info::size);
        // SAFETY: the index is inside the array.
        unsafe {
            let addr = d.ptr.get().add(i as usize * size);
            get_value(&item, Access::Plain, d, i as usize, size, addr, None)
        }
    }

    fn set_at(&self, i: isize, value: &Object) -> PyResult<()> {
        let d = self.data();
        if let Some((s, addr)) = self.plain_item(i)
            && as_cdata(value).is_none()
        {
            // SAFETY: an item of the array.
            let keep = unsafe { s.set(addr, value, None)? };
            return d.keep(i as usize, keep);
        }
        if i < 0 || i as usize >= d.length.get() {
            return raise!(IndexError, "invalid index");
        }
        let item = self.item_class()?;
        let size = info_of(&item).map_or(0, Info::size);
        // SAFETY: the index is inside the array.
        unsafe {
            let addr = d.ptr.get().add(i as usize * size);
            set_value(d, &item, Access::Plain, value, i as usize, size, addr, None)
        }
    }

    fn index(&self, key: &Object) -> PyResult<isize> {
        let i = lh_runtime::number::as_isize(key, Some(exc::IndexError()))?;
        Ok(if i < 0 { i + self.data().length.get() as isize } else { i })
    }
}

/// Items `start, start+step, …` of memory as `bytes` or `str` for character types, else as a list made by `get`.
pub fn slice_value(
    item: &Type,
    base: *mut u8,
    start: isize,
    step: isize,
    n: usize,
    get: impl Fn(isize) -> PyResult,
) -> PyResult {
    let at = |k: usize| start + k as isize * step;
    match info_of(item).and_then(|i| i.scalar).map(|s| s.code) {
        Some(b'c') => {
            // SAFETY: the caller's range lies in the memory.
            let v: Vec<u8> = (0..n).map(|k| unsafe { *base.offset(at(k)) }).collect();
            Ok(Bytes::new(&v).into_object())
        }
        Some(b'u') => {
            // SAFETY: as above.
            let v: Vec<u32> =
                (0..n).map(|k| unsafe { base.cast::<u32>().offset(at(k)).read_unaligned() }).collect();
            Ok(Str::from_code_points(&v).into_object())
        }
        _ => Ok(List::from_vec((0..n).map(|k| get(at(k))).collect::<PyResult<Vec<_>>>()?).into_object()),
    }
}

#[pymethods]
impl Array {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<CData>> {
        generic_new(cls, args, kwargs)
    }

    #[slot(tp_init)]
    fn init(&self, args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<()> {
        args.iter().enumerate().try_for_each(|(i, v)| self.set_at(i as isize, v))
    }

    #[slot(sq_length)]
    fn len(&self) -> PyResult<usize> {
        Ok(self.data().length.get())
    }

    #[slot(mp_length)]
    fn mp_len(&self) -> PyResult<usize> {
        Ok(self.data().length.get())
    }

    #[slot(sq_item)]
    fn item(&self, i: isize) -> PyResult {
        self.get_at(i)
    }

    #[slot(sq_ass_item)]
    fn ass_item(&self, i: isize, v: Option<&Object>) -> PyResult<()> {
        match v {
            Some(v) => self.set_at(i, v),
            None => raise!(TypeError, "Array does not support item deletion"),
        }
    }

    #[slot(mp_subscript)]
    fn subscript(&self, key: &Object) -> PyResult {
        if let Some(s) = key.downcast::<Slice>() {
            let (start, _, step, n) = s.indices(self.data().length.get())?;
            let item = self.item_class()?;
            return slice_value(&item, self.data().ptr.get(), start, step, n, |i| self.get_at(i));
        }
        if !has_index(key) {
            return raise!(TypeError, "indices must be integers");
        }
        self.get_at(self.index(key)?)
    }

    #[slot(mp_ass_subscript)]
    fn ass_subscript(&self, key: &Object, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else { return raise!(TypeError, "Array does not support item deletion") };
        if let Some(s) = key.downcast::<Slice>() {
            let (start, _, step, n) = s.indices(self.data().length.get())?;
            if v.length()? != n {
                return raise!(ValueError, "Can only assign sequence of same size");
            }
            for k in 0..n as isize {
                self.set_at(start + k * step, &*v.seq_item(k)?)?;
            }
            return Ok(());
        }
        if !has_index(key) {
            return raise!(TypeError, "indices must be integer");
        }
        self.set_at(self.index(key)?, v)
    }

    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, item: &Object) -> PyResult {
        let alias = lh_runtime::hooks::import_module("types")?.get_attr(intern!("GenericAlias"))?;
        alias.call(&[cls, item])
    }
}

/// `PyIndex_Check`.
pub fn has_index(o: &Object) -> bool {
    // SAFETY: number methods of a ready type are null or a live table.
    unsafe {
        let nb = (*o.ty().tp()).tp_as_number;
        !nb.is_null() && (*nb).nb_index.is_some()
    }
}
