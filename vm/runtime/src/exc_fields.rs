//! Methods and fields of the exception classes.

use crate::exceptions::*;
use crate::kind;
use crate::prelude::*;
use core::mem::offset_of;
use lh_abi::*;
use std::ptr::null_mut;

fn opt(p: *mut PyObject) -> Option<Owned<Object>> {
    // SAFETY: fields of a live exception are null or live.
    unsafe { Object::from_ptr_opt(p).map(|x| x.own()) }
}
/// # Safety
/// `p` is a field that owns a reference or is null.
unsafe fn put(p: *mut *mut PyObject, v: Option<&Object>) {
    // SAFETY: the caller's promise.
    unsafe { xdecref(std::mem::replace(&mut *p, v.map_or(null_mut(), |v| v.own().into_raw()))) }
}
fn no_keywords(o: &Object, kw: Option<&Dict>) -> PyResult<()> {
    if kw.is_some_and(|k| k.len() > 0) {
        return raise!(TypeError, "{}() takes no keyword arguments", o.ty().name());
    }
    Ok(())
}

/// Frees the reference fields between `BaseException`'s struct and `end`, then the rest.
unsafe fn dealloc_fields(o: *mut PyObject, fields: &[usize]) {
    // SAFETY: the deallocator of an exception; each offset is a reference field.
    unsafe {
        crate::gc::untrack(o);
        for off in fields {
            xdecref(*o.cast::<u8>().add(*off).cast::<*mut PyObject>());
        }
        let e = o.cast::<PyBaseExceptionObject>();
        for p in [(*e).dict, (*e).args, (*e).notes, (*e).traceback, (*e).context, (*e).cause] {
            xdecref(p);
        }
        crate::typeobject::free_instance(o);
    }
}
fn traverse_fields(o: *mut PyObject, fields: &[usize], v: &mut Visitor) {
    // SAFETY: a live exception; each offset is a reference field.
    unsafe {
        for off in fields {
            v.visit_ptr(*o.cast::<u8>().add(*off).cast::<*mut PyObject>());
        }
        let e = o.cast::<PyBaseExceptionObject>();
        for p in [(*e).dict, (*e).args, (*e).notes, (*e).traceback, (*e).context, (*e).cause] {
            v.visit_ptr(p);
        }
    }
}
fn clear_fields(o: *mut PyObject, fields: &[usize]) {
    // SAFETY: a live exception that is garbage; each offset is a reference field.
    unsafe {
        for off in fields {
            put(o.cast::<u8>().add(*off).cast(), None);
        }
        let e = o.cast::<PyBaseExceptionObject>();
        put(&raw mut (*e).dict, None);
        put(&raw mut (*e).notes, None);
        put(&raw mut (*e).traceback, None);
        put(&raw mut (*e).context, None);
        put(&raw mut (*e).cause, None);
        let old = std::mem::replace(&mut (*e).args, Tuple::empty().into_raw());
        xdecref(old);
    }
}

fn base_init(e: &Exception, args: &Tuple) {
    // SAFETY: a live exception.
    unsafe { put(&raw mut (*e.as_struct()).args, Some(args)) }
}

fn install_base(b: &mut TypeBuilder) {
    b.member(c"__suppress_context__", T_BOOL, offset_of!(PyBaseExceptionObject, suppress_context), 0);
}

#[pymethods(extra = install_base)]
impl Exception {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, args: &Tuple, _kw: Option<&Dict>) -> PyResult {
        // SAFETY: a fresh zeroed instance; args must never be null afterwards.
        unsafe {
            let p = crate::typeobject::alloc(cls.tp(), 0)?;
            (*p.cast::<PyBaseExceptionObject>()).args = args.own().into_raw();
            Ok(Owned::from_raw(p))
        }
    }
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        no_keywords(self, kw)?;
        base_init(self, args);
        Ok(())
    }
    #[slot(tp_str)]
    fn tp_str(&self) -> PyResult<Owned<Str>> {
        let a = self.args();
        match a.len() {
            0 => Ok(Str::empty().own()),
            1 => a.item_ref(0).str(),
            _ => a.str(),
        }
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> PyResult<Owned<Str>> {
        let a = self.args();
        let name = Str::new(&self.ty().short_name());
        if a.len() == 1 {
            return name.concat(&Str::new("("))?.concat(&*a.item_ref(0).repr()?)?.concat(&Str::new(")"));
        }
        name.concat(&*a.repr()?)
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: forwarded.
        unsafe { dealloc_fields(o, &[]) }
    }
    #[slot(tp_traverse)]
    fn tp_traverse(&self, v: &mut Visitor) {
        traverse_fields(self.raw(), &[], v)
    }
    #[slot(tp_clear)]
    fn tp_clear(&self) {
        clear_fields(self.raw(), &[])
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        // SAFETY: a live exception.
        let d = unsafe { opt((*self.as_struct()).dict) };
        match d {
            Some(d) => (self.ty(), self.args(), d).into_py(),
            None => (self.ty(), self.args()).into_py(),
        }
    }
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        if state.is_none() {
            return Ok(());
        }
        let Some(d) = state.downcast::<Dict>() else { return raise!(TypeError, "state is not a dictionary") };
        for (k, v) in d.items_vec() {
            let Some(k) = k.downcast::<Str>() else {
                return raise!(TypeError, "attribute name must be string, not '{}'", k.ty().name());
            };
            self.set_attr(k, &v)?;
        }
        Ok(())
    }
    /// Exception.with_traceback(tb) --
    ///     set self.__traceback__ to tb and return self.
    #[pymethod]
    fn with_traceback(&self, tb: &Object) -> PyResult<Owned<Exception>> {
        self.set_traceback_attr(Some(tb))?;
        Ok(self.own())
    }
    /// Exception.add_note(note) --
    ///     add a note to the exception
    #[pymethod]
    fn add_note(&self, note: &Object) -> PyResult<()> {
        if !Str::check(note) {
            return raise!(TypeError, "note must be a str, not '{}'", note.ty().name());
        }
        let notes = match self.get_attr_opt(intern!("__notes__"))? {
            Some(n) => n,
            None => {
                let l = List::new().into_object();
                self.set_attr(intern!("__notes__"), &l)?;
                l
            }
        };
        match notes.downcast::<List>() {
            Some(l) => {
                l.push(note.own());
                Ok(())
            }
            None => raise!(TypeError, "Cannot add note: __notes__ is not a list"),
        }
    }
    #[getter(args)]
    fn get_args(&self) -> Owned<Tuple> {
        self.args()
    }
    #[setter(args)]
    fn set_args(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else { return raise!(TypeError, "args may not be deleted") };
        base_init(self, &Tuple::from_vec(v.to_items()?));
        Ok(())
    }
    #[getter(__traceback__)]
    fn get_traceback(&self) -> Option<Owned<Object>> {
        self.traceback()
    }
    #[setter(__traceback__)]
    fn set_traceback_attr(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else { return raise!(TypeError, "__traceback__ may not be deleted") };
        if !v.is_none() && !Traceback::check(v) {
            return raise!(TypeError, "__traceback__ must be a traceback or None");
        }
        self.set_traceback(Some(v));
        Ok(())
    }
    #[getter(__context__)]
    fn get_context(&self) -> Option<Owned<Object>> {
        self.context()
    }
    #[setter(__context__)]
    fn set_context_attr(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else { return raise!(TypeError, "__context__ may not be deleted") };
        if !v.is_none() && !Exception::check(v) {
            return raise!(TypeError, "exception context must be None or derive from BaseException");
        }
        self.set_context(Some(v.own()));
        Ok(())
    }
    #[getter(__cause__)]
    fn get_cause(&self) -> Option<Owned<Object>> {
        self.cause()
    }
    #[setter(__cause__)]
    fn set_cause_attr(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else { return raise!(TypeError, "__cause__ may not be deleted") };
        if !v.is_none() && !Exception::check(v) {
            return raise!(TypeError, "exception cause must be None or derive from BaseException");
        }
        self.set_cause(Some(v.own()));
        Ok(())
    }
    #[getter]
    fn __dict__(&self) -> PyResult<Owned<Object>> {
        // SAFETY: a live exception owns the field.
        unsafe {
            let p = &raw mut (*self.as_struct()).dict;
            if (*p).is_null() {
                *p = Dict::new().into_raw();
            }
            Ok(Object::from_ptr(*p).own())
        }
    }
    #[setter(__dict__)]
    fn set_dict_attr(&self, v: Option<&Object>) -> PyResult<()> {
        match v {
            // SAFETY: a live exception owns the field.
            Some(d) if Dict::check(d) => unsafe { put(&raw mut (*self.as_struct()).dict, Some(d)) },
            Some(d) => {
                return raise!(TypeError, "__dict__ must be set to a dictionary, not a '{}'", d.ty().name());
            }
            // SAFETY: as above.
            None => unsafe { put(&raw mut (*self.as_struct()).dict, None) },
        }
        Ok(())
    }
}

/// Kinds with extra reference fields: dealloc, traverse and clear over their offsets.
macro_rules! fields {
    ($kind:ident, $st:ty: $($f:ident),*) => {
        fields!($kind, $st, true: $($f),*);
    };
    // `$shown`: are the fields members by their names?
    ($kind:ident, $st:ty, $shown:literal: $($f:ident),*) => {
        impl $kind {
            const FIELDS: &'static [usize] = &[$(offset_of!($st, $f)),*];
            #[allow(dead_code)]
            fn get(&self, off: usize) -> Option<Owned<Object>> {
                // SAFETY: a reference field of a live exception.
                unsafe { opt(*self.raw().cast::<u8>().add(off).cast::<*mut PyObject>()) }
            }
            #[allow(dead_code)]
            fn set(&self, off: usize, v: Option<&Object>) {
                // SAFETY: as above.
                unsafe { put(self.raw().cast::<u8>().add(off).cast(), v) }
            }
            #[allow(dead_code)]
            fn base(&self) -> &Exception {
                // SAFETY: all these kinds derive from BaseException.
                unsafe { self.as_object().downcast_unchecked() }
            }
            fn install_fields(b: &mut TypeBuilder) {
                unsafe extern "C" fn dealloc(o: *mut PyObject) {
                    // SAFETY: the deallocator of this kind.
                    crate::border::nothing(|| unsafe { dealloc_fields(o, $kind::FIELDS) })
                }
                unsafe extern "C" fn traverse(o: *mut PyObject, visit: visitproc, arg: *mut core::ffi::c_void) -> core::ffi::c_int {
                    let mut v = Visitor { visit, arg, result: 0 };
                    traverse_fields(o, $kind::FIELDS, &mut v);
                    v.result
                }
                unsafe extern "C" fn clear(o: *mut PyObject) -> core::ffi::c_int {
                    crate::border::nothing(|| clear_fields(o, $kind::FIELDS));
                    0
                }
                b.slot(Py_tp_dealloc, dealloc as *mut core::ffi::c_void);
                b.slot(Py_tp_traverse, traverse as *mut core::ffi::c_void);
                b.slot(Py_tp_clear, clear as *mut core::ffi::c_void);
                $( if $shown {
                    b.member(
                        match core::ffi::CStr::from_bytes_with_nul(concat!(stringify!($f), "\0").as_bytes()) { Ok(s) => s, Err(_) => c"" },
                        T_OBJECT, offset_of!($st, $f), 0);
                } )*
            }
        }
    };
}

kind!(/** `StopIteration` */ StopIterationExc: PyStopIterationObject, crate::exceptions::StopIteration_Type);
fields!(StopIterationExc, PyStopIterationObject: value);
#[pymethods(extra = StopIterationExc::install_fields)]
impl StopIterationExc {
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        no_keywords(self, kw)?;
        base_init(self.base(), args);
        let v = if args.len() > 0 { args.get(0) } else { none() };
        self.set(offset_of!(PyStopIterationObject, value), Some(&v));
        Ok(())
    }
}

kind!(/** `SystemExit` */ SystemExitExc: PySystemExitObject, crate::exceptions::SystemExit_Type);
fields!(SystemExitExc, PySystemExitObject: code);
#[pymethods(extra = SystemExitExc::install_fields)]
impl SystemExitExc {
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        no_keywords(self, kw)?;
        base_init(self.base(), args);
        let v = match args.len() {
            0 => return Ok(()),
            1 => args.get(0),
            _ => args.own().into_object(),
        };
        self.set(offset_of!(PySystemExitObject, code), Some(&v));
        Ok(())
    }
}

/// Takes keyword-only reference fields out of `kw`.
fn keyword_fields(o: &Object, kw: Option<&Dict>, names: &[&str]) -> PyResult<Vec<Option<Owned<Object>>>> {
    let mut out = vec![None; names.len()];
    if let Some(k) = kw.filter(|k| k.len() > names.len()) {
        return raise!(
            TypeError,
            "{}() takes at most {} keyword argument{} ({} given)",
            o.ty().short_name(),
            names.len(),
            if names.len() == 1 { "" } else { "s" },
            k.len()
        );
    }
    if let Some(k) = kw {
        for (key, v) in k.items_vec() {
            let Some(s) = key.downcast::<Str>() else { return raise!(TypeError, "keywords must be strings") };
            match names.iter().position(|n| s.equals_str(n)) {
                Some(i) => out[i] = Some(v),
                None => {
                    return raise!(
                        TypeError,
                        "'{}' is an invalid keyword argument for {}()",
                        s.to_str_lossy(),
                        o.ty().base().map_or_else(|| o.ty().name(), |_| static_name(o))
                    );
                }
            }
        }
    }
    Ok(out)
}
/// The name of the nearest built-in exception class.
fn static_name(o: &Object) -> String {
    let mut t = o.ty();
    while t.is_heap() {
        match t.base() {
            Some(b) => t = b,
            None => break,
        }
    }
    t.name()
}

kind!(/** `ImportError` */ ImportErrorExc: PyImportErrorObject, crate::exceptions::ImportError_Type);
fields!(ImportErrorExc, PyImportErrorObject: msg, name, path);
#[pymethods(extra = ImportErrorExc::install_fields)]
impl ImportErrorExc {
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        base_init(self.base(), args);
        let k = keyword_fields(self, kw, &["name", "path"])?;
        self.set(offset_of!(PyImportErrorObject, name), k[0].as_deref());
        self.set(offset_of!(PyImportErrorObject, path), k[1].as_deref());
        let m = if args.len() == 1 { Some(args.get(0)) } else { None };
        self.set(offset_of!(PyImportErrorObject, msg), m.as_deref());
        Ok(())
    }
    #[slot(tp_str)]
    fn tp_str(&self) -> PyResult<Owned<Str>> {
        match self.get(offset_of!(PyImportErrorObject, msg)) {
            Some(m) if m.is_exact::<Str>() => m.str(),
            _ => Exception::tp_str(self.base()),
        }
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        let (n, p) = (
            self.get(offset_of!(PyImportErrorObject, name)),
            self.get(offset_of!(PyImportErrorObject, path)),
        );
        // SAFETY: a live exception.
        let d = unsafe { opt((*self.base().as_struct()).dict) };
        let state = if n.is_some() || p.is_some() {
            let s = match d.as_deref().and_then(|d| d.downcast::<Dict>()) {
                Some(d) => d.copy(),
                None => Dict::new(),
            };
            if let Some(n) = n {
                s.set_str("name", &n)?;
            }
            if let Some(p) = p {
                s.set_str("path", &p)?;
            }
            Some(s.into_object())
        } else {
            d
        };
        match state {
            Some(s) => (self.ty(), self.base().args(), s).into_py(),
            None => (self.ty(), self.base().args()).into_py(),
        }
    }
}

kind!(/** `NameError` */ NameErrorExc: PyNameErrorObject, crate::exceptions::NameError_Type);
fields!(NameErrorExc, PyNameErrorObject: name);
#[pymethods(extra = NameErrorExc::install_fields)]
impl NameErrorExc {
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        base_init(self.base(), args);
        let k = keyword_fields(self, kw, &["name"])?;
        self.set(offset_of!(PyNameErrorObject, name), k[0].as_deref());
        Ok(())
    }
}

kind!(/** `AttributeError` */ AttributeErrorExc: PyAttributeErrorObject, crate::exceptions::AttributeError_Type);
fields!(AttributeErrorExc, PyAttributeErrorObject: name, obj);
#[pymethods(extra = AttributeErrorExc::install_fields)]
impl AttributeErrorExc {
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        base_init(self.base(), args);
        let k = keyword_fields(self, kw, &["name", "obj"])?;
        self.set(offset_of!(PyAttributeErrorObject, name), k[0].as_deref());
        self.set(offset_of!(PyAttributeErrorObject, obj), k[1].as_deref());
        Ok(())
    }
}

kind!(/** `KeyError` */ KeyErrorExc: PyBaseExceptionObject, crate::exceptions::KeyError_Type);
#[pymethods]
impl KeyErrorExc {
    #[slot(tp_str)]
    fn tp_str(&self) -> PyResult<Owned<Str>> {
        // SAFETY: a KeyError is a BaseException.
        let e = unsafe { self.as_object().downcast_unchecked::<Exception>() };
        let a = e.args();
        // One argument is shown by its repr, so that KeyError('') says something.
        if a.len() == 1 { a.item_ref(0).repr() } else { Exception::tp_str(e) }
    }
}

// ---- SyntaxError ----

kind!(/** `SyntaxError` */ SyntaxErrorExc: PySyntaxErrorObject, crate::exceptions::SyntaxError_Type);
fields!(SyntaxErrorExc, PySyntaxErrorObject: msg, filename, lineno, offset, text, end_lineno, end_offset, print_file_and_line);
#[pymethods(extra = SyntaxErrorExc::install_fields)]
impl SyntaxErrorExc {
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        no_keywords(self, kw)?;
        base_init(self.base(), args);
        if args.len() >= 1 {
            self.set(offset_of!(PySyntaxErrorObject, msg), Some(args.item_ref(0)));
        }
        if args.len() == 2 {
            let info = Tuple::from_vec(args.item_ref(1).to_items()?);
            let n = info.len();
            if n < 4 {
                return raise!(
                    TypeError,
                    "function missing required argument '{}' (pos {})",
                    ["filename", "lineno", "offset", "text"][n],
                    n + 1
                );
            }
            if n > 6 {
                return raise!(TypeError, "function takes at most 6 arguments ({} given)", n);
            }
            let offs = [
                offset_of!(PySyntaxErrorObject, filename),
                offset_of!(PySyntaxErrorObject, lineno),
                offset_of!(PySyntaxErrorObject, offset),
                offset_of!(PySyntaxErrorObject, text),
                offset_of!(PySyntaxErrorObject, end_lineno),
                offset_of!(PySyntaxErrorObject, end_offset),
            ];
            for (i, off) in offs.iter().enumerate() {
                self.set(*off, (i < n).then(|| info.item_ref(i)));
            }
            if n == 5 {
                return raise!(TypeError, "end_offset must be provided when end_lineno is provided");
            }
        }
        Ok(())
    }
    #[slot(tp_str)]
    fn tp_str(&self) -> PyResult<Owned<Str>> {
        let msg = match self.get(offset_of!(PySyntaxErrorObject, msg)) {
            Some(m) => m.str()?,
            None => Str::new("None"),
        };
        let file = self.get(offset_of!(PySyntaxErrorObject, filename)).filter(|f| Str::check(f)).map(|f| {
            let s = f.downcast::<Str>().expect("checked").to_str_lossy().into_owned();
            s.rsplit('/').next().unwrap_or(&s).to_string()
        });
        let line = self.get(offset_of!(PySyntaxErrorObject, lineno)).filter(|l| l.is_exact::<Int>());
        let text = msg.to_str_lossy().into_owned();
        Ok(match (file, line) {
            (Some(f), Some(l)) => Str::new(&format!("{} ({}, line {})", text, f, l.str()?.to_str_lossy())),
            (Some(f), None) => Str::new(&format!("{text} ({f})")),
            (None, Some(l)) => Str::new(&format!("{} (line {})", text, l.str()?.to_str_lossy())),
            (None, None) => msg,
        })
    }
}

// ---- Unicode errors ----

fn unicode_init(e: &Object, args: &Tuple, kw: Option<&Dict>, want: &str) -> PyResult<()> {
    no_keywords(e, kw)?;
    // SAFETY: all Unicode errors are exceptions with a PyUnicodeErrorObject.
    unsafe {
        base_init(e.downcast_unchecked(), args);
        let p = e.as_ptr().cast::<PyUnicodeErrorObject>();
        let with_encoding = want != "translate";
        let n = if with_encoding { 5 } else { 4 };
        if args.len() != n {
            return raise!(TypeError, "function takes exactly {} arguments ({} given)", n, args.len());
        }
        let k = with_encoding as usize;
        let need = |i: usize, ok: bool, what: &str| {
            if ok {
                Ok(())
            } else {
                raise!(TypeError, "argument {} must be {}, not {}", i + 1, what, args.item_ref(i).ty().name())
            }
        };
        if with_encoding {
            need(0, Str::check(args.item_ref(0)), "str")?;
        }
        let object = if want == "decode" {
            let o = args.item_ref(1);
            if Bytes::check(o) { o.own() } else { Bytes::new(&Buffer::simple(o)?.to_vec()).into_object() }
        } else {
            need(k, Str::check(args.item_ref(k)), "str")?;
            args.get(k)
        };
        let start = crate::number::as_isize(args.item_ref(k + 1), Some(exc::OverflowError()))?;
        let end = crate::number::as_isize(args.item_ref(k + 2), Some(exc::OverflowError()))?;
        need(k + 3, Str::check(args.item_ref(k + 3)), "str")?;
        if with_encoding {
            put(&raw mut (*p).encoding, Some(args.item_ref(0)));
        }
        put(&raw mut (*p).object, Some(&object));
        (*p).start = start;
        (*p).end = end;
        put(&raw mut (*p).reason, Some(args.item_ref(k + 3)));
    }
    Ok(())
}

fn unicode_str(e: &Object, want: &str) -> PyResult<String> {
    // SAFETY: all Unicode errors have a PyUnicodeErrorObject.
    unsafe {
        let p = e.as_ptr().cast::<PyUnicodeErrorObject>();
        let Some(object) = opt((*p).object) else { return Ok(String::new()) };
        let text = |o: *mut PyObject| -> PyResult<String> {
            match opt(o) {
                Some(o) => Ok(o.str()?.to_str_lossy().into_owned()),
                None => Ok("None".into()),
            }
        };
        let reason = text((*p).reason)?;
        let (start, end) = ((*p).start, (*p).end);
        let verb = match want {
            "decode" => "decode",
            "encode" => "encode",
            _ => "translate",
        };
        let lead =
            if want == "translate" { String::new() } else { format!("'{}' codec ", text((*p).encoding)?) };
        if want == "decode" {
            let b = object.downcast::<Bytes>().map_or(&[][..], |b| b.as_bytes());
            if start >= 0 && (start as usize) < b.len() && end == start + 1 {
                return Ok(format!(
                    "{lead}can't decode byte 0x{:02x} in position {start}: {reason}",
                    b[start as usize]
                ));
            }
            return Ok(format!("{lead}can't decode bytes in position {start}-{}: {reason}", end - 1));
        }
        let s = object.downcast::<Str>();
        if let Some(s) = s
            && start >= 0
            && (start as usize) < s.len()
            && end == start + 1
        {
            let c = s.char_at(start as usize);
            let shown = match c {
                0..=0xff => format!("\\x{c:02x}"),
                0x100..=0xffff => format!("\\u{c:04x}"),
                _ => format!("\\U{c:08x}"),
            };
            return Ok(format!("{lead}can't {verb} character '{shown}' in position {start}: {reason}"));
        }
        Ok(format!("{lead}can't {verb} characters in position {start}-{}: {reason}", end - 1))
    }
}

macro_rules! unicode_error {
    ($kind:ident, $sym:ident, $want:literal) => {
        kind!($kind: PyUnicodeErrorObject, crate::exceptions::$sym);
        fields!($kind, PyUnicodeErrorObject: encoding, object, reason);
        impl $kind {
            fn install_all(b: &mut TypeBuilder) {
                Self::install_fields(b);
                b.member(c"start", T_PYSSIZET, offset_of!(PyUnicodeErrorObject, start), 0);
                b.member(c"end", T_PYSSIZET, offset_of!(PyUnicodeErrorObject, end), 0);
            }
        }
        #[pymethods(extra = $kind::install_all)]
        impl $kind {
            #[slot(tp_init)]
            fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
                unicode_init(self, args, kw, $want)
            }
            #[slot(tp_str)]
            fn tp_str(&self) -> PyResult<String> {
                unicode_str(self, $want)
            }
        }
    };
}
unicode_error!(UnicodeEncodeErrorExc, UnicodeEncodeError_Type, "encode");
unicode_error!(UnicodeDecodeErrorExc, UnicodeDecodeError_Type, "decode");
unicode_error!(UnicodeTranslateErrorExc, UnicodeTranslateError_Type, "translate");

// ---- OSError ----

kind!(/** `OSError` */ OSErrorExc: PyOSErrorObject, crate::exceptions::OSError_Type);
impl OSErrorExc {
    fn base(&self) -> &Exception {
        // SAFETY: an OSError is a BaseException.
        unsafe { self.as_object().downcast_unchecked() }
    }
    const FIELDS: &'static [usize] = &[
        offset_of!(PyOSErrorObject, myerrno),
        offset_of!(PyOSErrorObject, strerror),
        offset_of!(PyOSErrorObject, filename),
        offset_of!(PyOSErrorObject, filename2),
    ];
    fn install(b: &mut TypeBuilder) {
        unsafe extern "C" fn dealloc(o: *mut PyObject) {
            // SAFETY: the deallocator of this kind.
            crate::border::nothing(|| unsafe { dealloc_fields(o, OSErrorExc::FIELDS) })
        }
        unsafe extern "C" fn traverse(
            o: *mut PyObject,
            visit: visitproc,
            arg: *mut core::ffi::c_void,
        ) -> core::ffi::c_int {
            let mut v = Visitor { visit, arg, result: 0 };
            traverse_fields(o, OSErrorExc::FIELDS, &mut v);
            v.result
        }
        unsafe extern "C" fn clear(o: *mut PyObject) -> core::ffi::c_int {
            crate::border::nothing(|| clear_fields(o, OSErrorExc::FIELDS));
            0
        }
        b.slot(Py_tp_dealloc, dealloc as *mut core::ffi::c_void);
        b.slot(Py_tp_traverse, traverse as *mut core::ffi::c_void);
        b.slot(Py_tp_clear, clear as *mut core::ffi::c_void);
        b.member_doc(c"errno", T_OBJECT, offset_of!(PyOSErrorObject, myerrno), 0, c"POSIX exception code");
        b.member_doc(c"strerror", T_OBJECT, offset_of!(PyOSErrorObject, strerror), 0, c"exception strerror");
        b.member_doc(c"filename", T_OBJECT, offset_of!(PyOSErrorObject, filename), 0, c"exception filename");
        b.member_doc(
            c"filename2",
            T_OBJECT,
            offset_of!(PyOSErrorObject, filename2),
            0,
            c"second exception filename",
        );
    }
}

/// The subclass of `OSError` for an errno.
fn os_error_class(errno: i32) -> Option<&'static Type> {
    Some(match errno {
        libc::EAGAIN | libc::EALREADY | libc::EINPROGRESS => exc::BlockingIOError(),
        libc::EPIPE | libc::ESHUTDOWN => exc::BrokenPipeError(),
        libc::ECHILD => exc::ChildProcessError(),
        libc::ECONNABORTED => exc::ConnectionAbortedError(),
        libc::ECONNREFUSED => exc::ConnectionRefusedError(),
        libc::ECONNRESET => exc::ConnectionResetError(),
        libc::EEXIST => exc::FileExistsError(),
        libc::ENOENT => exc::FileNotFoundError(),
        libc::EISDIR => exc::IsADirectoryError(),
        libc::ENOTDIR => exc::NotADirectoryError(),
        libc::EINTR => exc::InterruptedError(),
        libc::EACCES | libc::EPERM => exc::PermissionError(),
        libc::ESRCH => exc::ProcessLookupError(),
        libc::ETIMEDOUT => exc::TimeoutError(),
        _ => return None,
    })
}

/// Does the class have its own `__init__` but not its own `__new__` (then the work is left to `__init__`)?
fn uses_init(t: &Type) -> bool {
    // SAFETY: ready types.
    unsafe {
        let own = &raw mut OSError_Type;
        (*t.tp()).tp_init.map(|f| f as usize) != (*own).tp_init.map(|f| f as usize)
            && (*t.tp()).tp_new.map(|f| f as usize) == (*own).tp_new.map(|f| f as usize)
    }
}

fn os_fill(e: &OSErrorExc, args: &Tuple) -> PyResult<()> {
    let n = args.len();
    // SAFETY: fields of a live OSError.
    unsafe {
        let p = e.as_struct();
        if (2..=5).contains(&n) {
            put(&raw mut (*p).myerrno, Some(args.item_ref(0)));
            put(&raw mut (*p).strerror, Some(args.item_ref(1)));
            let filename = (n > 2).then(|| args.get(2)).filter(|f| !f.is_none());
            if let Some(f) = &filename {
                if e.ty().is_subtype(exc::BlockingIOError()) && crate::protocols::has_index(f) {
                    (*p).written = crate::number::as_isize(f, Some(exc::ValueError()))?;
                } else {
                    put(&raw mut (*p).filename, Some(f));
                    if n == 5 && !args.item_ref(4).is_none() {
                        put(&raw mut (*p).filename2, Some(args.item_ref(4)));
                    }
                    // args keeps errno and text only.
                    base_init(e.base(), &args.slice(0, 2));
                    return Ok(());
                }
            }
        }
        base_init(e.base(), args);
    }
    Ok(())
}

#[pymethods(extra = OSErrorExc::install)]
impl OSErrorExc {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        // SAFETY: a fresh zeroed instance.
        unsafe {
            let mut class = cls;
            if !uses_init(cls) {
                if kw.is_some_and(|k| k.len() > 0) {
                    return raise!(TypeError, "{}() takes no keyword arguments", cls.name());
                }
                if (2..=5).contains(&args.len())
                    && cls.tp() == &raw mut OSError_Type
                    && let Some(i) = args.item_ref(0).downcast::<Int>()
                    && let Some(c) = i.to_i64().and_then(|v| os_error_class(v as i32))
                {
                    class = c;
                }
            }
            let p = crate::typeobject::alloc(class.tp(), 0)?;
            let o: Owned<Object> = Owned::from_raw(p);
            (*p.cast::<PyOSErrorObject>()).written = -1;
            (*p.cast::<PyBaseExceptionObject>()).args = Tuple::empty().into_raw();
            if !uses_init(cls) {
                os_fill(o.downcast_unchecked(), args)?;
            }
            Ok(o)
        }
    }
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        if !uses_init(self.ty()) {
            return Ok(());
        }
        no_keywords(self, kw)?;
        os_fill(self, args)
    }
    #[slot(tp_str)]
    fn tp_str(&self) -> PyResult<Owned<Str>> {
        // SAFETY: fields of a live OSError.
        unsafe {
            let p = self.as_struct();
            let (no, text) = (opt((*p).myerrno), opt((*p).strerror));
            let show = |o: Option<Owned<Object>>| -> PyResult<Owned<Str>> { o.unwrap_or_else(none).str() };
            if let Some(f) = opt((*p).filename) {
                let head = format!("[Errno {}] {}: ", show(no)?.to_str_lossy(), show(text)?.to_str_lossy());
                let mut b = StrBuilder::new();
                b.push_str(&head);
                b.push_obj(&*f.repr()?);
                if let Some(g) = opt((*p).filename2) {
                    b.push_str(" -> ");
                    b.push_obj(&*g.repr()?);
                }
                return Ok(b.finish());
            }
            if no.is_some() && text.is_some() {
                let s = show(text)?;
                return Str::new(&format!("[Errno {}] ", show(no)?.to_str_lossy())).concat(&s);
            }
            Exception::tp_str(self.base())
        }
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult {
        // SAFETY: fields of a live OSError.
        unsafe {
            let p = self.as_struct();
            let mut args = self.base().args();
            if args.len() == 2
                && let Some(f) = opt((*p).filename)
            {
                let mut v = vec![args.get(0), args.get(1), f];
                if let Some(g) = opt((*p).filename2) {
                    v.push(none());
                    v.push(g);
                }
                args = Tuple::from_vec(v);
            }
            match opt((*p).dict) {
                Some(d) => (self.ty(), args, d).into_py(),
                None => (self.ty(), args).into_py(),
            }
        }
    }
    #[getter]
    fn characters_written(&self) -> PyResult<isize> {
        // SAFETY: fields of a live OSError.
        match unsafe { (*self.as_struct()).written } {
            -1 => raise!(AttributeError, "characters_written"),
            n => Ok(n),
        }
    }
    #[setter(characters_written)]
    fn set_characters_written(&self, v: Option<&Object>) -> PyResult<()> {
        let n = match v {
            Some(v) => crate::number::as_isize(v, Some(exc::ValueError()))?,
            // SAFETY: fields of a live OSError.
            None if unsafe { (*self.as_struct()).written } == -1 => {
                return raise!(AttributeError, "characters_written");
            }
            None => -1,
        };
        // SAFETY: fields of a live OSError.
        unsafe { (*self.as_struct()).written = n };
        Ok(())
    }
}

// ---- Exception groups ----

kind!(/** `BaseExceptionGroup` */ ExceptionGroup: PyBaseExceptionGroupObject, crate::exceptions::BaseExceptionGroup_Type);
fields!(ExceptionGroup, PyBaseExceptionGroupObject, false: msg, excs);

/// How `split` and `subgroup` choose.
enum Matcher {
    ByType(Owned<Object>),
    ByPredicate(Owned<Object>),
}
impl Matcher {
    fn new(v: &Object) -> PyResult<Matcher> {
        let is_exc = |t: &Object| t.downcast::<Type>().is_some_and(|t| t.is_subtype(exc::BaseException()));
        if is_exc(v) || v.downcast::<Tuple>().is_some_and(|t| t.iter().all(is_exc)) {
            return Ok(Matcher::ByType(v.own()));
        }
        if v.ob_type() == Function::type_ptr() {
            return Ok(Matcher::ByPredicate(v.own()));
        }
        raise!(TypeError, "expected a function, exception type or tuple of exception types")
    }
    fn matches(&self, e: &Object) -> PyResult<bool> {
        match self {
            Matcher::ByType(t) => Ok(given_matches(e, t)),
            Matcher::ByPredicate(f) => f.call1(e)?.is_true(),
        }
    }
}

impl ExceptionGroup {
    /// `exc_group.derive(excs)` with the group's metadata copied.
    pub fn subset(&self, excs: Vec<Owned<Object>>) -> PyResult<Option<Owned<Object>>> {
        if excs.is_empty() {
            return Ok(None);
        }
        let g = self.call_method("derive", &[&List::from_vec(excs)])?;
        let Some(e) = g.downcast::<ExceptionGroup>() else {
            return raise!(TypeError, "derive must return an instance of BaseExceptionGroup");
        };
        e.base().set_traceback(self.base().traceback().as_deref());
        e.base().set_context(self.base().context());
        // SAFETY: a live exception; a plain copy of the cause leaves the suppress flag alone.
        unsafe {
            let c = self.base().cause();
            put(&raw mut (*e.base().as_struct()).cause, c.as_deref());
        }
        if let Some(n) = self.get_attr_opt(intern!("__notes__"))?
            && crate::protocols::is_sequence(&n)
        {
            e.set_attr(intern!("__notes__"), &List::from_vec(n.to_items()?))?;
        }
        Ok(Some(g))
    }
    fn install_members(b: &mut TypeBuilder) {
        ExceptionGroup::install_fields(b);
        b.member(c"message", T_OBJECT, offset_of!(PyBaseExceptionGroupObject, msg), READONLY);
        b.member(c"exceptions", T_OBJECT, offset_of!(PyBaseExceptionGroupObject, excs), READONLY);
    }
    fn message(&self) -> Option<Owned<Object>> {
        self.get(offset_of!(PyBaseExceptionGroupObject, msg))
    }
    fn excs(&self) -> Owned<Tuple> {
        match self
            .get(offset_of!(PyBaseExceptionGroupObject, excs))
            .and_then(|t| t.downcast_owned::<Tuple>().ok())
        {
            Some(t) => t,
            None => Tuple::empty(),
        }
    }
    fn split_by(
        &self,
        m: &Matcher,
        want_rest: bool,
    ) -> PyResult<(Option<Owned<Object>>, Option<Owned<Object>>)> {
        if m.matches(self)? {
            return Ok((Some(self.own().into_object()), None));
        }
        let _depth = crate::thread::enter_recursive(" in exceptiongroup_split_recursive")?;
        let (mut yes, mut no) = (vec![], vec![]);
        for e in self.excs().iter() {
            if let Some(g) = e.downcast::<ExceptionGroup>() {
                let (a, b) = g.split_by(m, want_rest)?;
                yes.extend(a);
                no.extend(b);
            } else if m.matches(e)? {
                yes.push(e.own());
            } else if want_rest {
                no.push(e.own());
            }
        }
        let y = self.subset(yes)?;
        let n = if want_rest { self.subset(no)? } else { None };
        Ok((y, n))
    }
    /// `split(matcher)` by exception type(s), for `except*`.
    pub fn split_type(&self, t: &Object) -> PyResult<(Option<Owned<Object>>, Option<Owned<Object>>)> {
        self.split_by(&Matcher::ByType(t.own()), true)
    }
}

#[pymethods(extra = ExceptionGroup::install_members)]
impl ExceptionGroup {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, args: &Tuple, _kw: Option<&Dict>) -> PyResult {
        if args.len() != 2 {
            return raise!(
                TypeError,
                "BaseExceptionGroup.__new__() takes exactly 2 arguments ({} given)",
                args.len()
            );
        }
        let (msg, excs) = (args.item_ref(0), args.item_ref(1));
        if !Str::check(msg) {
            return raise!(TypeError, "argument 1 must be str, not {}", msg.ty().name());
        }
        if !crate::protocols::is_sequence(excs) {
            return raise!(TypeError, "second argument (exceptions) must be a sequence");
        }
        let items = excs.to_items()?;
        if items.is_empty() {
            return raise!(ValueError, "second argument (exceptions) must be a non-empty sequence");
        }
        let mut nested_base = false;
        for (i, e) in items.iter().enumerate() {
            if !Exception::check(e) {
                return raise!(ValueError, "Item {} of second argument (exceptions) is not an exception", i);
            }
            nested_base |= !e.ty().is_subtype(exc::Exception());
        }
        let group = exception_group_type();
        let mut class = cls;
        if cls.is(group) {
            if nested_base {
                return raise!(TypeError, "Cannot nest BaseExceptions in an ExceptionGroup");
            }
        } else if cls.is(exc::BaseExceptionGroup()) {
            if !nested_base {
                class = group;
            }
        } else if nested_base && cls.is_subtype(exc::Exception()) {
            return raise!(TypeError, "Cannot nest BaseExceptions in '{}'", cls.name());
        }
        // SAFETY: a fresh zeroed instance.
        unsafe {
            let p = crate::typeobject::alloc(class.tp(), 0)?;
            let e = p.cast::<PyBaseExceptionGroupObject>();
            (*p.cast::<PyBaseExceptionObject>()).args = args.own().into_raw();
            (*e).msg = msg.own().into_raw();
            (*e).excs = Tuple::from_vec(items).into_raw();
            Ok(Owned::from_raw(p))
        }
    }
    #[slot(tp_init)]
    fn tp_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        no_keywords(self, kw)?;
        base_init(self.base(), args);
        Ok(())
    }
    #[slot(tp_str)]
    fn tp_str(&self) -> PyResult<Owned<Str>> {
        let n = self.excs().len();
        let m = self.get(offset_of!(PyBaseExceptionGroupObject, msg)).unwrap_or_else(none).str()?;
        m.concat(&Str::new(&format!(" ({} sub-exception{})", n, if n > 1 { "s" } else { "" })))
    }
    #[pymethod]
    fn derive(&self, excs: &Object) -> PyResult {
        let m = self.message().unwrap_or_else(none);
        exc::BaseExceptionGroup().call(&[&m, excs])
    }
    #[pymethod]
    fn split(&self, matcher: &Object) -> PyResult {
        let (a, b) = self.split_by(&Matcher::new(matcher)?, true)?;
        (a, b).into_py()
    }
    #[pymethod]
    fn subgroup(&self, matcher: &Object) -> PyResult<Option<Owned<Object>>> {
        Ok(self.split_by(&Matcher::new(matcher)?, false)?.0)
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, item: &Object) -> PyResult {
        crate::genericalias::new(cls, item)
    }
}

/// `ExceptionGroup`, a heap type with two bases, made at start-up.
pub fn exception_group_type() -> &'static Type {
    static T: std::sync::atomic::AtomicPtr<PyTypeObject> = std::sync::atomic::AtomicPtr::new(null_mut());
    let p = T.load(std::sync::atomic::Ordering::Relaxed);
    // SAFETY: the type is kept for ever.
    unsafe {
        if !p.is_null() {
            return Type::from_raw_ref(p);
        }
        let ns = Dict::new();
        let made = ns.set_str("__module__", &Str::new("builtins")).and_then(|()| {
            let bases =
                Tuple::from_refs(&[exc::BaseExceptionGroup().as_object(), exc::Exception().as_object()]);
            Type::class().call(&[&Str::new("ExceptionGroup"), &bases, &ns])
        });
        let t = made.expect("a plain class").into_raw().cast();
        T.store(t, std::sync::atomic::Ordering::Relaxed);
        Type::from_raw_ref(t)
    }
}

/// Readies all exception types. `__init__` slots stay; dealloc and traverse are inherited.
pub fn init_types() -> PyResult<()> {
    ready::<Exception>()?;
    // SAFETY: static type objects, bases before derived ones.
    unsafe {
        // `Exception` must exist before the kinds below.
        crate::typeobject::ready(&raw mut Exception_Type)?;
        ready::<StopIterationExc>()?;
        ready::<SystemExitExc>()?;
        ready::<ExceptionGroup>()?;
        ready::<ImportErrorExc>()?;
        ready::<NameErrorExc>()?;
        ready::<AttributeErrorExc>()?;
        ready::<SyntaxErrorExc>()?;
        ready::<OSErrorExc>()?;
        crate::typeobject::ready(&raw mut LookupError_Type)?;
        ready::<KeyErrorExc>()?;
        crate::typeobject::ready(&raw mut ValueError_Type)?;
        crate::typeobject::ready(&raw mut UnicodeError_Type)?;
        ready::<UnicodeEncodeErrorExc>()?;
        ready::<UnicodeDecodeErrorExc>()?;
        ready::<UnicodeTranslateErrorExc>()?;
        for (_, t) in all() {
            // Each class is created by the same `__new__`, shown on each as CPython does.
            if (*t).tp_flags & Py_TPFLAGS_READY == 0 {
                (*t).tp_new = if is_subtype((*t).tp_base, &raw mut OSError_Type) {
                    OSError_Type.tp_new
                } else {
                    (*(*t).tp_base).tp_new
                };
                (*t).tp_init = (*(*t).tp_base).tp_init;
                crate::typeobject::ready(t)?;
            }
        }
    }
    Ok(())
}
