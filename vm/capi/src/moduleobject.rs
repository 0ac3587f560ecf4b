//! `moduleobject.h`, `import.h`, `sysmodule.h`, `pycapsule.h`, type objects, functions, methods and descriptors, `code.h`,
//! `frameobject.h`, `fileobject.h`.

use crate::object::{Identifier, id_str};
use crate::prelude::*;
use crate::va::VaList;
use lh_interp::frameobject::FrameObj;
use lh_runtime::capsule::{self, Capsule};
use lh_runtime::methodobject::check_def;
use lh_runtime::{extension, import, sysobject, type_spec, typeobject};

fn module(o: &Object) -> PyResult<&Module> {
    o.downcast::<Module>().ok_or_else(bad_internal_call)
}
fn module_arg(o: &Object) -> PyResult<&Module> {
    match o.downcast::<Module>() {
        Some(m) => Ok(m),
        None => raise!(TypeError, "bad argument type for built-in operation"),
    }
}
fn add(m: &Object, name: &CStr, v: &Object) -> PyResult<()> {
    match m.downcast::<Module>() {
        Some(m) => m.add(&text(name), v),
        None => raise!(TypeError, "PyModule_AddObjectRef() first argument must be a module"),
    }
}
fn find(d: &Dict, k: &Object) -> PyResult<*mut PyObject> {
    Ok(d.get_item(k)?.map_or(null_mut(), |o| o.ptr()))
}
/// A function made by C code, which may have got the flags wrong.
///
/// # Safety
/// `def` is a live definition.
unsafe fn c_function(
    def: *mut PyMethodDef,
    this: Option<&Object>,
    m: Option<&Object>,
    class: Option<&Type>,
) -> PyResult<Owned<CFunction>> {
    // SAFETY: the caller's promise.
    unsafe {
        let def = check_def(def)?;
        match (class, (*def).ml_flags & METH_METHOD != 0) {
            (Some(c), true) => Ok(CFunction::new_method(def, this, m, c)),
            (Some(_), false) => {
                raise!(SystemError, "attempting to create PyCFunction with class but no METH_METHOD flag")
            }
            (None, true) => {
                raise!(SystemError, "attempting to create PyCMethod with a METH_METHOD flag but no class")
            }
            (None, false) => Ok(CFunction::new(def, this, m)),
        }
    }
}
fn imported(name: &str) -> PyResult {
    import::import_module(name)
}
fn a_capsule(o: &Object, what: &str) -> PyResult<&'static Capsule> {
    match o.downcast_exact::<Capsule>().filter(|c| !c.fields().pointer.is_null()) {
        // SAFETY: the caller keeps the capsule for the time of the call.
        Some(c) => Ok(unsafe { &*(c as *const Capsule) }),
        None => raise!(ValueError, "{} called with invalid PyCapsule object", what),
    }
}

/// # Safety
/// `def` is a live definition.
unsafe fn add_state_module(m: Option<&Object>, def: *mut PyModuleDef) -> PyResult<()> {
    // SAFETY: the caller's promise.
    if unsafe { !(*def).m_slots.is_null() } {
        return raise!(SystemError, "PyState_AddModule called on module with slots");
    }
    let Some(m) = m else { return Err(null_argument()) };
    extension::register_state_module(def, m);
    Ok(())
}

capi! {
    // ---- Modules ----
    fn PyModuleDef_Init(def: *mut PyModuleDef) -> [*mut PyObject] { extension::def_init(def); def.cast() }
    fn PyModule_Create2(def: *mut PyModuleDef, _api: c_int) -> obj { extension::module_create(def) }
    fn PyModule_FromDefAndSpec2(def: *mut PyModuleDef, spec: &Object, _api: c_int) -> obj { extension::from_def_and_spec(def, spec) }
    fn PyModule_ExecDef(m: &Object, def: *mut PyModuleDef) -> status { extension::exec_def(module(m)?, def) }
    fn PyModule_New(name: &CStr) -> obj { Ok(Module::with_name(&str_of(name))) }
    fn PyModule_NewObject(name: &Str) -> obj { Ok(Module::with_name(name)) }
    fn PyModule_GetDict(m: &Object) -> borrowed short { Some(quick_exact::<Module>(m)?.dict().raw()) } { Ok(module(m)?.dict().raw()) }
    fn PyModule_GetDef(m: &Object) -> (*mut PyModuleDef, null_mut()) { Ok(module(m)?.def()) }
    fn PyModule_GetState(m: &Object) -> (*mut c_void, null_mut()) short { Some(quick_exact::<Module>(m)?.state()) } {
        Ok(module_arg(m)?.state())
    }
    fn PyModule_GetNameObject(m: &Object) -> obj {
        match module_arg(m)?.dict().get_str("__name__")?.filter(|n| Str::check(n)) {
            Some(n) => Ok(n),
            None => raise!(SystemError, "nameless module"),
        }
    }
    fn PyModule_GetName(m: &Object) -> (*const c_char, null()) {
        match module_arg(m)?.dict().get_str("__name__")? {
            Some(n) if Str::check(&n) => Ok(n.downcast_unchecked::<Str>().to_str()?.as_ptr().cast()),
            _ => raise!(SystemError, "nameless module"),
        }
    }
    fn PyModule_GetFilenameObject(m: &Object) -> obj {
        match module_arg(m)?.dict().get_str("__file__")?.filter(|n| Str::check(n)) {
            Some(n) => Ok(n),
            None => raise!(SystemError, "module filename missing"),
        }
    }
    fn PyModule_AddObjectRef(m: &Object, name: &CStr, v: &Object) -> status { add(m, name, v) }
    /// Takes over the value only if it succeeds.
    fn PyModule_AddObject(m: &Object, name: &CStr, v: *mut PyObject) -> status {
        add(m, name, <&Object>::take(v)?)?;
        decref(v);
        Ok(())
    }
    fn _PyModule_Add(m: &Object, name: &CStr, v: Owned) -> status { add(m, name, &v) }
    fn PyModule_AddIntConstant(m: &Object, name: &CStr, v: c_long) -> status { add(m, name, &Int::from_i64(v)) }
    fn PyModule_AddStringConstant(m: &Object, name: &CStr, v: &CStr) -> status {
        add(m, name, &*lh_runtime::codecs::decode_to_str(v.to_bytes(), "utf-8", "strict")?)
    }
    fn PyModule_AddType(m: &Object, t: *mut PyTypeObject) -> status {
        // A static type of an extension has no type of its own before it is readied.
        typeobject::ready(t)?;
        let t = Type::from_raw_ref(t);
        let name = CStr::from_ptr((*t.tp()).tp_name).to_string_lossy().into_owned();
        module(m)?.add(name.rsplit('.').next().unwrap_or(&name), t)
    }
    fn PyModule_AddFunctions(m: &Object, defs: *mut PyMethodDef) -> status {
        let m = module(m)?;
        let name = Str::new(&m.name());
        let mut d = defs;
        while !(*d).ml_name.is_null() {
            m.add(&text(CStr::from_ptr((*d).ml_name)), &CFunction::new(check_def(d)?, Some(m), Some(&name)))?;
            d = d.add(1);
        }
        Ok(())
    }
    fn PyModule_SetDocString(m: &Object, doc: &CStr) -> status { module(m)?.set_doc(&text(doc)) }
    fn PyState_FindModule(def: *mut PyModuleDef) -> [*mut PyObject] { extension::find_state_module(def) }
    fn PyState_AddModule(m: Option<&Object>, def: *mut PyModuleDef) -> status { add_state_module(m, def) }
    fn _PyState_AddModule(_ts: *mut c_void, m: Option<&Object>, def: *mut PyModuleDef) -> status { add_state_module(m, def) }
    fn PyState_RemoveModule(def: *mut PyModuleDef) -> status {
        if !(*def).m_slots.is_null() {
            return raise!(SystemError, "PyState_RemoveModule called on module with slots");
        }
        extension::remove_state_module(def);
        Ok(())
    }

    // ---- Import ----
    fn PyImport_ImportModule(name: &CStr) -> obj { imported(&text(name)) }
    fn PyImport_ImportModuleNoBlock(name: &CStr) -> obj { imported(&text(name)) }
    fn PyImport_Import(name: &Object) -> obj {
        match name.downcast::<Str>() {
            Some(s) => imported(&s.to_str_lossy()),
            None => raise!(TypeError, "module name must be a string"),
        }
    }
    fn PyImport_ImportModuleLevel(name: &CStr, g: Option<&Object>, _l: Option<&Object>, from: Option<&Object>, level: c_int) -> obj {
        import::import_module_level(&str_of(name), g, from, level)
    }
    fn PyImport_ImportModuleLevelObject(name: &Str, g: Option<&Object>, _l: Option<&Object>, from: Option<&Object>, level: c_int) -> obj {
        import::import_module_level(name, g, from, level)
    }
    fn PyImport_GetModuleDict() -> [*mut PyObject] { sysobject::modules_dict().raw() }
    fn PyImport_GetModule(name: &Object) -> borrowed {
        Ok(sysobject::modules_dict().get_item(name)?.map_or(null_mut(), Owned::into_raw))
    }
    fn _PyImport_GetModuleId(name: *const Identifier) -> borrowed {
        Ok(sysobject::modules_dict().get_item(id_str(name))?.map_or(null_mut(), Owned::into_raw))
    }
    fn _PyImport_SetModule(name: &Object, m: &Object) -> status { sysobject::modules_dict().set_item(name, m) }
    fn PyImport_AddModule(name: &CStr) -> borrowed { add_module(&str_of(name)) }
    fn PyImport_AddModuleObject(name: &Str) -> borrowed { add_module(name) }
    fn PyImport_ReloadModule(m: &Object) -> obj { imported("importlib")?.call_method("reload", &[m]) }

    // ---- sys ----
    fn PySys_GetObject(name: &CStr) -> [*mut PyObject] { sysobject::sys_get(&text(name)).map_or(null_mut(), |o| o.ptr()) }
    fn _PySys_GetAttr(_ts: *mut c_void, name: &Str) -> [*mut PyObject] { sysobject::sys_get(&name.to_str_lossy()).map_or(null_mut(), |o| o.ptr()) }
    fn PySys_SetObject(name: &CStr, v: Option<&Object>) -> status {
        match v {
            Some(v) => sysobject::sys_set(&text(name), v),
            None => sysobject::sys_dict().del_item(&str_of(name)).map(drop),
        }
    }
    fn PySys_AddAuditHook(f: sysobject::CAuditHook, data: *mut c_void) -> status { sysobject::add_c_audit_hook(f, data); Ok(()) }
    fn _PySys_GetSizeOf(o: &Object) -> (usize, usize::MAX) {
        let n = o.call_method("__sizeof__", &[])?;
        Ok(number::index(&n)?.to_usize().unwrap_or(0))
    }
    fn lh_sys_write(err: c_int, f: &CStr, va: *mut VaList) -> void {
        let mut buf = [0u8; 1001];
        vsnprintf(buf.as_mut_ptr().cast(), buf.len(), f.as_ptr(), va.cast());
        write_std(err, &String::from_utf8_lossy(CStr::from_ptr(buf.as_ptr().cast()).to_bytes()))
    }
    fn lh_sys_format(err: c_int, f: &CStr, va: *mut VaList) -> void {
        let t = crate::format::format_v(f.to_bytes(), &mut *va)?;
        write_std(err, &t.to_str_lossy())
    }

    // ---- Files ----
    fn PyFile_WriteString(s: &CStr, f: &Object) -> status { f.call_method("write", &[&*str_of(s)]).map(drop) }
    fn PyFile_WriteObject(o: &Object, f: &Object, flags: c_int) -> status {
        let s = if flags & 1 != 0 { o.str()? } else { o.repr()? };
        f.call_method("write", &[&*s]).map(drop)
    }
    fn PyFile_GetLine(f: &Object, n: c_int) -> obj {
        let r = if n <= 0 { f.call_method("readline", &[])? } else { f.call_method("readline", &[&*Int::from_i64(n as i64)])? };
        let empty = r.downcast::<Str>().map_or_else(|| r.downcast::<Bytes>().is_some_and(|b| b.is_empty()), |s| s.is_empty());
        if n < 0 && empty {
            return raise!(EOFError, "EOF when reading a line");
        }
        match r.downcast::<Str>() {
            Some(s) if n < 0 && s.char_at(s.len() - 1) == 10 => Ok(s.slice(0, s.len() - 1).into_object()),
            _ => Ok(r),
        }
    }
    fn PyFile_FromFd(fd: c_int, _name: Option<&CStr>, mode: Option<&CStr>, buffering: c_int, encoding: Option<&CStr>, errors: Option<&CStr>, newline: Option<&CStr>, closefd: c_int) -> obj {
        let opt = |s: Option<&CStr>| s.map_or_else(none, |s| str_of(s).into_object());
        imported("_io")?.call_method("open", &[
            &*Int::from_i64(fd as i64), &*opt(mode), &*Int::from_i64(buffering as i64), &*opt(encoding), &*opt(errors), &*opt(newline),
            bool_ref(closefd != 0),
        ])
    }
    fn PyObject_AsFileDescriptor(o: &Object) -> (c_int, -1) { file_descriptor(o) }
    fn _PyLong_FileDescriptor_Converter(o: &Object, p: *mut c_int) -> (c_int, 0) { *p = file_descriptor(o)?; Ok(1) }
    fn PyObject_Print(o: Option<&Object>, f: *mut libc::FILE, flags: c_int) -> status {
        let s = match o { None => Str::new("<nil>"), Some(o) if flags & 1 != 0 => o.str()?, Some(o) => o.repr()? };
        let t = s.to_str_lossy();
        libc::fwrite(t.as_ptr().cast(), 1, t.len(), f);
        Ok(())
    }

    // ---- Capsules ----
    fn PyCapsule_New(p: *mut c_void, name: *const c_char, destructor: *mut c_void) -> obj {
        let d: Option<capsule::Destructor> = std::mem::transmute(destructor);
        Capsule::new(p, name, d)
    }
    fn PyCapsule_GetPointer(o: &Object, name: *const c_char) -> (*mut c_void, null_mut()) {
        if let Some(c) = o.downcast_exact::<Capsule>() {
            let p = c.fields().pointer;
            if !p.is_null() && c.is_named(name) {
                return Ok(p);
            }
        }
        capsule::pointer_of(o, if name.is_null() { None } else { Some(CStr::from_ptr(name)) })
    }
    fn PyCapsule_GetName(o: &Object) -> (*const c_char, null()) { Ok(a_capsule(o, "PyCapsule_GetName")?.fields().name) }
    fn PyCapsule_GetContext(o: &Object) -> (*mut c_void, null_mut()) { Ok(a_capsule(o, "PyCapsule_GetContext")?.context()) }
    fn PyCapsule_GetDestructor(o: &Object) -> (*mut c_void, null_mut()) {
        Ok(a_capsule(o, "PyCapsule_GetDestructor")?.destructor().map_or(null_mut(), |f| f as *mut c_void))
    }
    fn PyCapsule_SetPointer(o: &Object, p: *mut c_void) -> status {
        if p.is_null() {
            return raise!(ValueError, "PyCapsule_SetPointer called with null pointer");
        }
        (*a_capsule(o, "PyCapsule_SetPointer")?.as_struct()).pointer = p;
        Ok(())
    }
    fn PyCapsule_SetName(o: &Object, n: *const c_char) -> status { (*a_capsule(o, "PyCapsule_SetName")?.as_struct()).name = n; Ok(()) }
    fn PyCapsule_SetContext(o: &Object, c: *mut c_void) -> status { (*a_capsule(o, "PyCapsule_SetContext")?.as_struct()).context = c; Ok(()) }
    fn PyCapsule_SetDestructor(o: &Object, d: *mut c_void) -> status {
        (*a_capsule(o, "PyCapsule_SetDestructor")?.as_struct()).destructor = std::mem::transmute(d);
        Ok(())
    }
    fn PyCapsule_IsValid(o: Option<&Object>, name: *const c_char) -> [c_int] {
        o.and_then(|o| o.downcast_exact::<Capsule>()).is_some_and(|c| !c.fields().pointer.is_null() && c.is_named(name)) as c_int
    }
    fn PyCapsule_Import(name: &CStr, _no_block: c_int) -> (*mut c_void, null_mut()) { capsule::import(name) }

    // ---- Types ----
    fn PyType_Ready(t: *mut PyTypeObject) -> status { typeobject::ready(t) }
    fn PyType_Modified(t: *mut PyTypeObject) -> void { typeobject::type_modified(t) }
    fn PyType_IsSubtype(a: *mut PyTypeObject, b: *mut PyTypeObject) -> [c_int] short {
        if a == b { Some(1) } else { by_mro(a, b).map(|r| r as c_int) }
    } { is_subtype(a, b) as c_int }
    fn PyType_GenericNew(t: *mut PyTypeObject, _args: *mut PyObject, _kw: *mut PyObject) -> borrowed {
        match (*t).tp_alloc {
            Some(f) => { let p = f(t, 0); if p.is_null() { Err(Raised::already_set()) } else { Ok(p) } }
            None => typeobject::alloc(t, 0),
        }
    }
    fn PyType_GetFlags(t: *mut PyTypeObject) -> [c_ulong] { (*t).tp_flags }
    fn PyType_GetSlot(t: *mut PyTypeObject, id: c_int) -> (*mut c_void, null_mut()) { type_spec::get_slot(t, id) }
    fn PyType_FromSpec(s: *const PyType_Spec) -> obj { type_spec::from_spec(None, s, None) }
    fn PyType_FromSpecWithBases(s: *const PyType_Spec, bases: Option<&Object>) -> obj { type_spec::from_spec(None, s, bases) }
    fn PyType_FromModuleAndSpec(m: Option<&Object>, s: *const PyType_Spec, bases: Option<&Object>) -> obj { type_spec::from_spec(m, s, bases) }
    fn PyType_GetModule(t: &Type) -> borrowed { type_module(t) }
    fn PyType_GetModuleState(t: &Type) -> (*mut c_void, null_mut()) { Ok(module(Object::from_ptr(type_module(t)?))?.state()) }
    fn PyType_GetModuleByDef(t: &Type, def: *mut PyModuleDef) -> borrowed { type_spec::module_by_def(t, def) }
    fn _PyType_GetModuleByDef(t: &Type, def: *mut PyModuleDef) -> borrowed { type_spec::module_by_def(t, def) }
    fn PyType_GetName(t: &Type) -> obj { Ok(Str::new(&t.short_name())) }
    fn PyType_GetQualName(t: &Type) -> obj { Ok(t.qualname()) }
    fn PyType_ClearCache() -> [c_uint] { 0 }
    fn _PyType_Lookup(t: &Type, name: &Str) -> [*mut PyObject] short {
        if name.is_null() { None } else { typeobject::quick_lookup(quick::<Type>(t)?.tp(), name) }
    } { t.lookup(name).map_or(null_mut(), |o| o.ptr()) }
    fn _PyType_LookupId(t: &Type, name: *const Identifier) -> [*mut PyObject] { t.lookup(id_str(name)).map_or(null_mut(), |o| o.ptr()) }
    fn _PyType_Name(t: &Type) -> [*const c_char] {
        let n = CStr::from_ptr((*t.tp()).tp_name).to_bytes();
        (*t.tp()).tp_name.add(n.iter().rposition(|c| *c == b'.').map_or(0, |i| i + 1))
    }
    fn Py_GenericAlias(origin: &Object, args: &Object) -> obj { lh_runtime::genericalias::new(origin, args) }

    // ---- Functions, methods, descriptors ----
    fn PyCMethod_New(def: *mut PyMethodDef, this: Option<&Object>, m: Option<&Object>, class: Option<&Type>) -> obj {
        c_function(def, this, m, class)
    }
    fn PyCFunction_New(def: *mut PyMethodDef, this: Option<&Object>) -> obj { c_function(def, this, None, None) }
    fn PyCFunction_NewEx(def: *mut PyMethodDef, this: Option<&Object>, m: Option<&Object>) -> obj { c_function(def, this, m, None) }
    fn PyCFunction_GetFunction(f: &CFunction) -> (*mut c_void, null_mut()) { Ok((*f.def()).ml_meth.map_or(null_mut(), |f| f as *mut c_void)) }
    fn PyCFunction_GetSelf(f: &CFunction) -> borrowed { Ok(f.self_obj().map_or(null_mut(), |o| o.as_ptr())) }
    fn PyCFunction_GetFlags(f: &CFunction) -> (c_int, -1) { Ok((*f.def()).ml_flags) }
    fn PyMethod_New(f: &Object, this: &Object) -> obj { Ok(Method::new(f, this)) }
    fn PyMethod_Function(m: &Method) -> borrowed { Ok(m.func().as_ptr()) }
    fn PyMethod_Self(m: &Method) -> borrowed { Ok(m.self_().as_ptr()) }
    fn PyInstanceMethod_New(f: &Object) -> obj { lh_runtime::classobject::InstanceMethod::new(f) }
    fn PyClassMethod_New(f: &Object) -> obj { ClassMethod::class().as_object().call1(f) }
    fn PyStaticMethod_New(f: &Object) -> obj { StaticMethod::class().as_object().call1(f) }
    fn PyFunction_New(code: &Code, globals: &Dict) -> obj { Function::new(code, globals, None) }
    fn PyFunction_NewWithQualName(code: &Code, globals: &Dict, q: Option<&Str>) -> obj { Function::new(code, globals, q) }
    fn PyFunction_GetCode(f: &Function) -> borrowed { Ok(f.code().raw()) }
    fn PyFunction_GetGlobals(f: &Function) -> borrowed { Ok(f.globals().as_ptr()) }
    fn PyCell_New(v: Option<&Object>) -> obj { Ok(CellObject::new(v.map(|v| v.own()))) }
    fn PyCell_Get(c: &CellObject) -> borrowed { Ok(c.get().map_or(null_mut(), Owned::into_raw)) }
    fn PyCell_Set(c: &CellObject, v: Option<&Object>) -> status { c.set(v.map(|v| v.own())); Ok(()) }
    fn PyDescr_NewMethod(t: &Type, d: *mut PyMethodDef) -> obj { Ok(lh_runtime::descrobject::new_method(t, d)) }
    fn PyDescr_NewClassMethod(t: &Type, d: *mut PyMethodDef) -> obj { Ok(lh_runtime::descrobject::new_class_method(t, d)) }
    fn PyDescr_NewMember(t: &Type, d: *mut PyMemberDef) -> obj { Ok(lh_runtime::descrobject::new_member(t, d)) }
    fn PyDescr_NewGetSet(t: &Type, d: *mut PyGetSetDef) -> obj { Ok(lh_runtime::descrobject::new_getset(t, d)) }
    fn PyDescr_IsData(o: &Object) -> [c_int] { (*o.ob_type()).tp_descr_set.is_some() as c_int }
    fn PyMember_GetOne(o: *const c_char, d: *const PyMemberDef) -> obj { lh_runtime::descrobject::member_get(o.cast_mut().cast(), &*d) }
    fn PyMember_SetOne(o: *mut c_char, d: *const PyMemberDef, v: Option<&Object>) -> status { lh_runtime::descrobject::member_set(o.cast(), &*d, v) }

    // ---- Code and frames ----
    fn PyCode_NewEmpty(file: &CStr, name: &CStr, line: c_int) -> obj { Code::empty(&text(file), &text(name), line) }
    fn PyFrame_New(_ts: *mut PyThreadState, code: &Code, globals: &Dict, locals: Option<&Object>) -> obj { lh_interp::frameobject::detached(code, globals, locals).map(Owned::into_object) }
    fn _PyTraceback_Add(func: &CStr, file: &CStr, line: c_int) -> void {
        lh_interp::traceback::add_named(&text(func), &text(file), line)
    }
    fn PyFrame_GetCode(f: &FrameObj) -> obj { Ok(lh_interp::frame::code_ref(f.frame()).own()) }
    fn PyFrame_GetLineNumber(f: &FrameObj) -> [c_int] { f.line().unwrap_or(0) }
    fn PyFrame_GetBack(f: &FrameObj) -> borrowed { Ok(f.back().map_or(null_mut(), Owned::into_raw)) }
    fn PyFrame_GetLocals(f: &FrameObj) -> obj { f.locals() }
    fn PyFrame_GetGlobals(f: &FrameObj) -> obj { Ok(f.globals()) }
    fn PyFrame_GetBuiltins(f: &FrameObj) -> obj { Ok(f.builtins()) }
    fn PyFrame_GetLasti(f: &FrameObj) -> [c_int] { f.lasti() as c_int }
    /// Adds an entry for the frame to the pending exception's traceback.
    fn PyTraceBack_Here(f: &Object) -> status {
        let (t, v, tb) = lh_runtime::errors::fetch();
        let next = tb.clone().unwrap_or_else(none);
        let r = (|| {
            let line = f.get_attr_str("f_lineno")?;
            let lasti = f.get_attr_str("f_lasti")?;
            let line = if line.is_none() { Int::from_i64(0).into_object() } else { line };
            Traceback::class().as_object().call(&[&next, f, &lasti, &line])
        })();
        match r {
            Ok(new) => { lh_runtime::errors::restore(t, v, Some(new)); Ok(()) }
            Err(e) => Err(e),
        }
    }
}

unsafe extern "C" {
    fn vsnprintf(s: *mut c_char, n: usize, f: *const c_char, va: *mut c_void) -> c_int;
}

fn write_std(err: c_int, t: &str) {
    if err != 0 {
        return sysobject::write_stderr(t);
    }
    let ok = sysobject::sys_get("stdout")
        .filter(|f| !f.is_none())
        .is_some_and(|f| f.call_method("write", &[Str::new(t).as_object()]).map_err(Raised::clear).is_ok());
    if !ok {
        print!("{t}");
    }
}
fn add_module(name: &Str) -> PyResult<*mut PyObject> {
    let d = sysobject::modules_dict();
    let p = find(d, name)?;
    if !p.is_null() {
        return Ok(p);
    }
    let m = Module::with_name(name);
    d.set_item(name, &m)?;
    Ok(m.raw())
}
fn type_module(t: &Type) -> PyResult<*mut PyObject> {
    if !t.is_heap() {
        return raise!(TypeError, "PyType_GetModule: Type '{}' is not a heap type", t.name());
    }
    // SAFETY: a heap type has the long layout.
    let m = unsafe { (*t.as_struct()).ht_module };
    if m.is_null() {
        return raise!(TypeError, "PyType_GetModule: Type '{}' has no associated module", t.name());
    }
    Ok(m)
}
fn file_descriptor(o: &Object) -> PyResult<c_int> {
    let v = if let Some(i) = o.downcast::<Int>() {
        i.to_i64()
    } else if let Some(f) = o.get_attr_str_opt("fileno")? {
        let r = f.call0()?;
        match r.downcast::<Int>() {
            Some(i) => i.to_i64(),
            None => return raise!(TypeError, "fileno() returned a non-integer"),
        }
    } else {
        return raise!(TypeError, "argument must be an int, or have a fileno() method.");
    };
    match v.and_then(|v| c_int::try_from(v).ok()) {
        Some(v) if v < 0 => raise!(ValueError, "file descriptor cannot be a negative integer ({})", v),
        Some(v) => Ok(v),
        None => raise!(OverflowError, "Python int too large to convert to C int"),
    }
}
impl Arg for sysobject::CAuditHook {
    type C = sysobject::CAuditHook;
    unsafe fn take(c: Self::C) -> PyResult<Self> {
        Ok(c)
    }
}
