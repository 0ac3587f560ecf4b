//! Simple types (`c_int`, `c_char_p`, `py_object`, …): metaclass and instances.

use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, Ordering};

use lh_abi::*;
use lh_foreign::ctype::CType;
use lh_runtime::prelude::*;

use crate::call::{CArg, carg};
use crate::cdata::*;
use crate::convert::{Scalar, has_swapped};
use crate::info::*;

/// As the error message lists them.
const CODES: &str = "cbBhHiIlLdfuzZqQPXOv?g";

/// The PEP 3118 letter: standard sizes, so `long` is `q`.
fn pep3118(code: u8) -> u8 {
    match code {
        b'l' => b'q',
        b'L' => b'Q',
        c => c,
    }
}

pub fn install_meta(b: &mut TypeBuilder) {
    install_class_methods(b, true);
    b.slot(Py_tp_new, lh_runtime::slot_new!(Type, new_class));
    unsafe extern "C" fn m(cls: *mut PyObject, arg: *mut PyObject) -> *mut PyObject {
        // SAFETY: called by the call protocol with live objects; the receiver is a class of ours.
        lh_runtime::border::object(|| unsafe {
            from_param(Object::from_ptr(cls).downcast_unchecked(), Object::from_ptr(arg))
        })
    }
    b.method(lh_runtime::builder::method_def(
        c"from_param",
        m as *const (),
        METH_O,
        c"Convert a Python object into a function call parameter.",
    ));
}

fn new_class(meta: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Type>> {
    let cls = type_new(meta, args, kwargs)?;
    let code = match cls.as_object().get_attr_opt(intern!("_type_"))? {
        None => return raise!(AttributeError, "class must define a '_type_' attribute"),
        Some(o) => o,
    };
    let Some(text) = code.downcast::<Str>() else {
        return raise!(TypeError, "class must define a '_type_' string attribute");
    };
    if text.len() != 1 {
        return raise!(
            ValueError,
            "class must define a '_type_' attribute which must be a string of length 1"
        );
    }
    let c = text.char_at(0);
    if c > 127 || !CODES.contains(c as u8 as char) {
        return raise!(
            AttributeError,
            "class must define a '_type_' attribute which must be\na single character string containing one of '{}'.",
            CODES
        );
    }
    let c = c as u8;
    if c == b'X' {
        return raise!(ValueError, "_type_ 'X' not supported");
    }
    set_info(&cls, simple_info(&cls, c, false, &code));
    // The three pointer-like base types convert more than their own instances; what derives from them inherits that.
    if let b'z' | b'Z' | b'P' = c
        && !keeps_instances(&cls)
    {
        let f = special_from_param(c)?;
        cls.as_object().set_attr(intern!("from_param"), &f)?;
    }
    // Types made directly with our metaclass (not with one derived from it) get a swapped twin.
    if meta.tp() == SimpleMeta::type_ptr() && has_swapped(c) {
        let twin = swapped_twin(meta, args, c, &code)?;
        let (le, be) = (intern!("__ctype_le__"), intern!("__ctype_be__"));
        cls.as_object().set_attr(be, &twin)?;
        cls.as_object().set_attr(le, &cls)?;
        twin.as_object().set_attr(le, &cls)?;
        twin.as_object().set_attr(be, &twin)?;
    }
    Ok(cls)
}

fn simple_info(cls: &Type, code: u8, swapped: bool, type_attr: &Object) -> Info {
    let scalar = Scalar { code, swapped };
    let ctype = if swapped { CType::prim_swapped(scalar.prim()) } else { prim_type(code) };
    let mut info = Info::new(ClassKind::Simple, ctype);
    info.scalar = Some(scalar);
    info.value = info.scalar.filter(|_| !keeps_instances(cls));
    info.proto.set(Some(type_attr.own()));
    info.set_format([if swapped { b'>' } else { b'<' }, pep3118(code)]);
    if b"zZPO".contains(&code) {
        info.add(IS_POINTER);
    }
    info
}

fn swapped_twin(meta: &Type, args: &Tuple, code: u8, type_attr: &Object) -> PyResult<Owned<Type>> {
    let name = args.item_ref(0).str()?.to_str()?.to_string() + "_be";
    let args = Tuple::from_refs(&[&Str::new(&name), args.item_ref(1), args.item_ref(2)]);
    let twin = type_new(meta, &args, None)?;
    set_info(&twin, simple_info(&twin, code, true, type_attr));
    Ok(twin)
}

/// The `from_param` of `c_char_p`, `c_wchar_p` and `c_void_p`: a class method, since it depends on the class it is
/// found on.
fn special_from_param(code: u8) -> PyResult<Owned<Object>> {
    macro_rules! maker {
        ($f:path) => {{
            unsafe extern "C" fn m(_: *mut PyObject, args: *const *mut PyObject, n: isize) -> *mut PyObject {
                lh_runtime::border::object(|| {
                    if n != 2 {
                        return raise!(
                            TypeError,
                            "from_param() takes exactly one argument ({} given)",
                            n - 1
                        );
                    }
                    // SAFETY: called by the call protocol with two live objects.
                    let (cls, arg) = unsafe { (Object::from_ptr(*args), Object::from_ptr(*args.add(1))) };
                    match cls.downcast::<Type>() {
                        Some(t) => $f(t, arg),
                        None => raise!(TypeError, "a ctypes class is needed, not {}", cls.ty().name()),
                    }
                })
            }
            m as *const ()
        }};
    }
    let f = match code {
        b'z' => maker!(char_p_from_param),
        b'Z' => maker!(wchar_p_from_param),
        _ => maker!(void_p_from_param),
    };
    let doc = c"Convert a Python object into a function call parameter.";
    SPECIAL.store(doc.as_ptr().cast_mut(), Ordering::Relaxed);
    let def = lh_runtime::builder::method_def(c"from_param", f, METH_FASTCALL, doc);
    let function = CFunction::new(Box::leak(Box::new(def)), None, None);
    ClassMethod::class().as_object().call1(&function)
}

/// Whether a class method is one that `special_from_param` made.
pub fn is_special(f: &ClassMethod) -> bool {
    // SAFETY: a class method holds its function; a built-in function's definition is static.
    unsafe {
        let callable = Object::from_ptr((*f.as_struct()).callable);
        callable.downcast_exact::<CFunction>().is_some_and(|c| {
            let def = (*c.as_struct()).m_ml;
            SPECIAL.load(Ordering::Relaxed) == (*def).ml_doc.cast_mut()
        })
    }
}

/// The doc string that the special converters share, by whose address they are known.
static SPECIAL: AtomicPtr<core::ffi::c_char> = AtomicPtr::new(std::ptr::null_mut());

fn is_instance_or_arg(cls: &Type, value: &Object) -> PyResult<bool> {
    if value.is_instance(cls)? {
        return Ok(true);
    }
    if let Some(o) = value.downcast::<CArg>().and_then(|a| a.obj.get()) {
        return o.is_instance(cls);
    }
    Ok(false)
}

fn as_parameter(cls: &Type, value: &Object, again: fn(&Type, &Object) -> PyResult) -> PyResult {
    match value.get_attr_opt(intern!("_as_parameter_"))? {
        Some(p) => {
            let _r = lh_runtime::thread::enter_recursive(" while processing _as_parameter_")?;
            again(cls, &p)
        }
        None => raise!(TypeError, "wrong type"),
    }
}

fn from_param(cls: &Type, value: &Object) -> PyResult {
    if is_instance_or_arg(cls, value)? {
        return Ok(value.own());
    }
    let Some(s) = info_of(cls).and_then(|i| i.scalar) else { return raise!(TypeError, "abstract class") };
    let arg = carg(s.code);
    // SAFETY: the argument object has 16 bytes of room for a value.
    match unsafe { s.set(arg.bytes(), value, None) } {
        Ok(keep) => {
            arg.obj.set(keep);
            Ok(arg.into_object())
        }
        Err(e) => {
            e.clear();
            as_parameter(cls, value, from_param)
        }
    }
}

/// Address of an instance's memory as a pointer argument that keeps the instance alive.
fn pointer_arg(code: u8, addr: u64, keep: &Object) -> Owned<Object> {
    let arg = carg(code);
    arg.set_word(addr);
    arg.obj.set(Some(keep.own()));
    arg.into_object()
}

fn item_code(o: &Object) -> Option<u8> {
    let i = as_cdata(o)?.info();
    if !matches!(i.kind, ClassKind::Array | ClassKind::Pointer) {
        return None;
    }
    info_of(i.proto_class()?.as_object()).and_then(|p| p.scalar).map(|s| s.code)
}

fn char_p_from_param(cls: &Type, value: &Object) -> PyResult {
    if value.is_none() {
        return Ok(none());
    }
    if value.downcast::<Bytes>().is_some() {
        let arg = carg(b'z');
        // SAFETY: room for a word.
        let keep = unsafe { Scalar { code: b'z', swapped: false }.set(arg.bytes(), value, None)? };
        arg.obj.set(keep);
        return Ok(arg.into_object());
    }
    if value.is_instance(cls)? || item_code(value) == Some(b'c') {
        return Ok(value.own());
    }
    if let Some(o) = value.downcast::<CArg>().and_then(|a| a.obj.get())
        && as_cdata(&o).and_then(|d| d.info().scalar).is_some_and(|s| s.code == b'c')
    {
        return Ok(value.own());
    }
    as_parameter(cls, value, char_p_from_param)
}

fn wchar_p_from_param(cls: &Type, value: &Object) -> PyResult {
    if value.is_none() {
        return Ok(none());
    }
    if value.downcast::<Str>().is_some() {
        let arg = carg(b'Z');
        // SAFETY: room for a word.
        let keep = unsafe { Scalar { code: b'Z', swapped: false }.set(arg.bytes(), value, None)? };
        arg.obj.set(keep);
        return Ok(arg.into_object());
    }
    if value.is_instance(cls)? || item_code(value) == Some(b'u') {
        return Ok(value.own());
    }
    if let Some(o) = value.downcast::<CArg>().and_then(|a| a.obj.get())
        && as_cdata(&o).and_then(|d| d.info().scalar).is_some_and(|s| s.code == b'u')
    {
        return Ok(value.own());
    }
    as_parameter(cls, value, wchar_p_from_param)
}

fn void_p_from_param(cls: &Type, value: &Object) -> PyResult {
    if value.is_none() {
        return Ok(none());
    }
    let convert = |code: u8| -> PyResult {
        let arg = carg(code);
        // SAFETY: room for a word.
        let keep = unsafe { Scalar { code, swapped: false }.set(arg.bytes(), value, None)? };
        arg.obj.set(keep);
        Ok(arg.into_object())
    };
    if value.downcast::<Int>().is_some() {
        return convert(b'P');
    }
    if value.downcast::<Bytes>().is_some() {
        return convert(b'z');
    }
    if value.downcast::<Str>().is_some() {
        return convert(b'Z');
    }
    if value.is_instance(cls)? {
        return Ok(value.own());
    }
    if let Some(d) = as_cdata(value) {
        match d.info().kind {
            ClassKind::Array | ClassKind::Pointer => return Ok(value.own()),
            // SAFETY: function pointers and pointer-like simple instances hold an address.
            ClassKind::Func => unsafe {
                return Ok(pointer_arg(b'P', d.ptr.get().cast::<u64>().read_unaligned(), value));
            },
            ClassKind::Simple if d.info().scalar.is_some_and(|s| matches!(s.code, b'z' | b'Z')) => unsafe {
                // SAFETY: as above.
                return Ok(pointer_arg(b'Z', d.ptr.get().cast::<u64>().read_unaligned(), value));
            },
            _ => {}
        }
    }
    if value.downcast::<CArg>().is_some_and(|a| a.tag.get() == b'P') {
        return Ok(value.own());
    }
    as_parameter(cls, value, void_p_from_param)
}

// ---- Instances ----

impl SimpleCData {
    fn data(&self) -> &CData {
        // SAFETY: SimpleCData derives from CData.
        unsafe { self.as_object().downcast_unchecked() }
    }

    fn scalar(&self) -> Scalar {
        self.data().info().scalar.expect("a simple class has its code")
    }

    pub fn value_of(&self) -> PyResult {
        // SAFETY: the instance's memory has the type's size.
        unsafe { self.scalar().get(self.data().ptr.get(), None) }
    }

    fn store(&self, v: &Object) -> PyResult<()> {
        let d = self.data();
        // SAFETY: as above.
        let keep = unsafe { self.scalar().set(d.ptr.get(), v, None)? };
        d.keep(0, keep)
    }
}

#[pymethods]
impl SimpleCData {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<CData>> {
        generic_new(cls, args, kwargs)
    }

    #[slot(tp_init)]
    fn init(&self, args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<()> {
        match args.len() {
            0 => Ok(()),
            1 => self.store(args.item_ref(0)),
            n => raise!(TypeError, "__init__ expected at most 1 argument, got {}", n),
        }
    }

    /// current value
    #[getter]
    fn value(&self) -> PyResult {
        self.value_of()
    }

    #[setter(value)]
    fn set_value(&self, v: Option<&Object>) -> PyResult<()> {
        match v {
            Some(v) => self.store(v),
            None => raise!(TypeError, "can't delete attribute"),
        }
    }

    #[pymethod]
    fn __ctypes_from_outparam__(&self) -> PyResult {
        if keeps_instances(self.as_object().ty()) {
            return Ok(self.as_object().own());
        }
        self.value_of()
    }

    #[slot(nb_bool)]
    fn bool(&self) -> PyResult<bool> {
        let d = self.data();
        // SAFETY: the memory has `size` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(d.ptr.get(), d.size.get()) };
        Ok(bytes.iter().any(|b| *b != 0))
    }

    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<String> {
        let t = self.as_object().ty();
        if keeps_instances(t) {
            return Ok(format!("<{} object at {:p}>", t.name(), self.as_object().as_ptr() as *const c_void));
        }
        Ok(format!("{}({})", t.name(), self.value_of()?.repr()?.to_str_lossy()))
    }
}
