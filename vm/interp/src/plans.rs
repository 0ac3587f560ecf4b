//! Lookup plans: what an attribute read, a method call, a global name or a call comes to, under which assumptions.
//!
//! Plans are pure: they change nothing a program can see and run no Python code. The inline caches store them
//! (`specialize.rs`), the JIT's recorder turns them into guards. This is the one place that knows Python's lookup rules twice
//! over: the runtime's slots are the other, and are always right; a plan may also be "none".

use crate::prelude::*;
use lh_runtime::descrobject::ClassMethodDescr;
use lh_runtime::instance;

/// How to read `o.name` (or, where it says so, to store it).
#[derive(Clone, Copy, Debug)]
pub enum AttrPlan {
    None,
    /// The instance's inline value `index`, if the type's version tag is `version` and no dict has been made.
    Value {
        version: u32,
        index: usize,
    },
    /// A `__slots__` member at a byte offset.
    Slot {
        version: u32,
        offset: usize,
    },
    /// A module's global: entry `index` of its dict under this keys version.
    Module {
        keys_version: u32,
        index: usize,
    },
    /// An attribute of the class `o` itself (o is a type), not a descriptor.
    ClassAttr {
        version: u32,
        value: *mut PyObject,
    },
    /// A property whose getter is a Python function.
    Property {
        version: u32,
        getter: *mut PyObject,
    },
}

/// How `o.name(...)` finds its function.
#[derive(Clone, Copy, Debug)]
pub enum MethodPlan {
    None,
    /// A method of the type; instances have no attributes at all.
    Plain {
        version: u32,
        func: *mut PyObject,
    },
    /// A method of the type; the instance has managed attributes, `name` not among the type's shared keys (`index` none) or
    /// at `index`, which then must be unset.
    Values {
        version: u32,
        func: *mut PyObject,
        index: Option<usize>,
    },
    /// A method of the type; the instance has a dict at `offset`, which must be null.
    NoDict {
        version: u32,
        func: *mut PyObject,
        offset: usize,
    },
    /// `o` is a class: the attribute found in it is called as it is.
    Class {
        version: u32,
        func: *mut PyObject,
    },
    /// A class method of a type from C, for an instance without attributes of its own (or for the class itself, if `of_class`).
    Bound {
        version: u32,
        def: *mut PyMethodDef,
        of_class: bool,
    },
    /// `o` is a module.
    Module {
        keys_version: u32,
        index: usize,
    },
}

#[derive(Clone, Copy, Debug)]
pub enum GlobalPlan {
    None,
    Module {
        keys_version: u32,
        index: usize,
    },
    /// Not in the module (as long as its keys stay), but in the builtins.
    Builtin {
        globals_version: u32,
        builtins_version: u32,
        index: usize,
    },
}

#[derive(Clone, Copy, Debug)]
pub enum CallPlan {
    None,
    /// A Python function taking these positional arguments, the rest from its defaults.
    Function {
        func: *mut PyFunctionObject,
        version: u32,
    },
    /// The same through a bound method.
    Bound {
        func: *mut PyFunctionObject,
        version: u32,
    },
    /// A built-in function or method descriptor: its METH_* flags without METH_CLASS and such.
    Builtin {
        def: *mut PyMethodDef,
        is_descr: bool,
    },
    /// `type(x)`.
    TypeOf,
    /// A built-in class, or another that C functions make instances of.
    Class,
    /// A Python class whose instances `object.__new__` makes; then comes this Python `__init__`, given one argument more.
    PyClass {
        init: *mut PyFunctionObject,
        init_version: u32,
        version: u32,
    },
}

/// Are attributes that exist found by the generic rules? Holds as long as the type's version.
pub fn generic(t: *mut PyTypeObject) -> bool {
    // SAFETY: a live type.
    lh_runtime::slot_calls::finds_generically(unsafe { Type::from_raw_ref(t) }).0
}
/// Does the type's metaclass look attributes up in the usual way?
fn generic_type(t: &Object) -> bool {
    // SAFETY: live types.
    unsafe { (*t.ob_type()).tp_getattro == (*Type::type_ptr()).tp_getattro }
}
/// May instances of `t` be reached through member `m`? (A class body can hold another class's member, which refuses them.)
fn owns(m: &MemberDescr, t: &Type) -> bool {
    // SAFETY: a descriptor keeps its class alive.
    t.is_subtype(unsafe { Type::from_raw_ref((*m.as_struct()).d_common.d_type) })
}
/// Can the object's class be given a `__set__` later, without a word to the class that holds it?
fn may_become_descr(d: &Object) -> bool {
    let t = d.ty();
    t.has_flag(Py_TPFLAGS_HEAPTYPE) && !t.has_flag(Py_TPFLAGS_IMMUTABLETYPE)
}
unsafe fn is_data_descr(d: &Object) -> bool {
    // SAFETY: a live object.
    unsafe { (*d.ob_type()).tp_descr_set.is_some() }
}

pub fn plan_module(m: &Module, name: &Str) -> Option<(u32, usize)> {
    let d = m.dict();
    let index = d.index_of(name)?;
    // SAFETY: an index just found.
    d.value_at(index)?;
    Some((d.keys_version(), index))
}

/// How to read attribute `name` (interned) of `o`.
pub fn plan_attr(o: &Object, name: &Str) -> AttrPlan {
    // SAFETY: live objects; the type lookup runs no Python code.
    unsafe {
        let t = o.ob_type();
        if let Some(m) = o.downcast_exact::<Module>() {
            return match plan_module(m, name) {
                Some((keys_version, index)) => AttrPlan::Module { keys_version, index },
                None => AttrPlan::None,
            };
        }
        if (*t).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS != 0 {
            return plan_class_attr(o.downcast_unchecked(), name);
        }
        if !generic(t) {
            return AttrPlan::None;
        }
        let ty = Type::from_raw_ref(t);
        let version = ty.version();
        if version == 0 {
            return AttrPlan::None;
        }
        if let Some(d) = ty.lookup(name) {
            if let Some(m) = d.downcast_exact::<MemberDescr>() {
                let def = m.member();
                if (*def).r#type == T_OBJECT_EX && (*def).flags == 0 && (*def).offset > 0 && owns(m, ty) {
                    return AttrPlan::Slot { version, offset: (*def).offset as usize };
                }
            }
            if let Some(p) = d.downcast_exact::<Property>() {
                let g = (*p.as_struct()).prop_get;
                // Where there is a `__getattr__`, it answers for a getter that raises AttributeError.
                let hooked = lh_runtime::slot_calls::finds_generically(ty).1;
                if !g.is_null() && r(g).is_exact::<Function>() && !hooked {
                    return AttrPlan::Property { version, getter: g };
                }
            }
            if is_data_descr(&d)
                || may_become_descr(&d)
                || (*d.ob_type()).tp_descr_get.is_some() && !instance::is_managed(o)
            {
                return AttrPlan::None;
            }
        }
        if instance::is_managed(o) && (*instance::dict_word(o.as_ptr())).is_null() {
            let keys = instance::shared_keys(t);
            if let Some(i) = (*keys).index_of(name.as_ptr())
                && i < instance::capacity(o.as_ptr())
                && !(*instance::value_at(o.as_ptr(), i)).is_null()
            {
                return AttrPlan::Value { version, index: i };
            }
        }
        AttrPlan::None
    }
}

/// An attribute of a class, found in its MRO, that is not a descriptor and that the metaclass does not override.
pub fn plan_class_attr(c: &Type, name: &Str) -> AttrPlan {
    // SAFETY: live types.
    unsafe {
        if !generic_type(c) {
            return AttrPlan::None;
        }
        if let Some(d) = c.ty().lookup(name)
            && is_data_descr(&d)
        {
            return AttrPlan::None;
        }
        let version = c.version();
        match c.lookup(name) {
            // The metaclass's version is not looked at: it must not be able to change.
            Some(v)
                if version != 0
                    && c.ob_type() == Type::type_ptr()
                    && (*v.ob_type()).tp_descr_get.is_none() =>
            {
                // The type keeps the value alive as long as its version stands.
                AttrPlan::ClassAttr { version, value: v.ptr() }
            }
            _ => AttrPlan::None,
        }
    }
}

/// The member or getset (borrowed) that decides `o.name`, or a store to it, under a version of the type; is it a member?
pub fn plan_described(o: &Object, name: &Str, store: bool) -> Option<(u32, *mut PyObject, bool)> {
    // SAFETY: live objects; the type lookup runs no Python code.
    unsafe {
        let t = o.ob_type();
        let ty = Type::from_raw_ref(t);
        let plain = if store {
            (*t).tp_setattro.map(|f| f as usize)
                == Some(lh_runtime::typeobject::generic_setattro as *const () as usize)
        } else {
            // Where there is a `__getattr__`, it answers for a getter that raises AttributeError.
            lh_runtime::slot_calls::finds_generically(ty) == (true, false)
        };
        let version = ty.version();
        if !plain || version == 0 {
            return None;
        }
        let d = ty.lookup(name)?;
        if let Some(m) = d.downcast_exact::<MemberDescr>() {
            return owns(m, ty).then_some((version, d.ptr(), true));
        }
        let g = (*d.downcast_exact::<GetSetDescr>()?.as_struct()).d_getset;
        let of = (*d.ptr().cast::<PyGetSetDescrObject>()).d_common.d_type;
        let can = if store { (*g).set.is_some() } else { (*g).get.is_some() };
        (can && ty.is_subtype(Type::from_raw_ref(of))).then_some((version, d.ptr(), false))
    }
}

/// How to store attribute `name` of `o`: `Value` and `Slot` plans only.
pub fn plan_store(o: &Object, name: &Str) -> AttrPlan {
    // SAFETY: live objects.
    unsafe {
        let t = o.ob_type();
        if (*t).tp_setattro.map(|f| f as usize)
            != Some(lh_runtime::typeobject::generic_setattro as *const () as usize)
        {
            return AttrPlan::None;
        }
        let ty = Type::from_raw_ref(t);
        let version = ty.version();
        if version == 0 {
            return AttrPlan::None;
        }
        if let Some(d) = ty.lookup(name) {
            if let Some(m) = d.downcast_exact::<MemberDescr>() {
                let def = m.member();
                if (*def).r#type == T_OBJECT_EX && (*def).flags == 0 && (*def).offset > 0 && owns(m, ty) {
                    return AttrPlan::Slot { version, offset: (*def).offset as usize };
                }
            }
            if is_data_descr(&d) || may_become_descr(&d) {
                return AttrPlan::None;
            }
        }
        if instance::is_managed(o) && (*instance::dict_word(o.as_ptr())).is_null() {
            let keys = instance::shared_keys(t);
            if let Some(i) = (*keys).index_of(name.as_ptr())
                && i < instance::capacity(o.as_ptr())
            {
                return AttrPlan::Value { version, index: i };
            }
        }
        AttrPlan::None
    }
}

/// The plan for a class method of a type from C.
fn bound(d: &Object, version: u32, of_class: bool) -> MethodPlan {
    match d.downcast_exact::<ClassMethodDescr>().and_then(|d| d.plain_def()) {
        Some(def) if version != 0 => MethodPlan::Bound { version, def, of_class },
        _ => MethodPlan::None,
    }
}
/// How `o.name(...)` finds its function.
pub fn plan_method(o: &Object, name: &Str) -> MethodPlan {
    // SAFETY: live objects.
    unsafe {
        let t = o.ob_type();
        if let Some(m) = o.downcast_exact::<Module>() {
            return match plan_module(m, name) {
                Some((keys_version, index)) => MethodPlan::Module { keys_version, index },
                None => MethodPlan::None,
            };
        }
        if (*t).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS != 0 {
            let c = o.downcast_unchecked::<Type>();
            if !generic_type(c) || c.ob_type() != Type::type_ptr() || Type::class().lookup(name).is_some() {
                return MethodPlan::None;
            }
            let version = c.version();
            return match c.lookup(name) {
                Some(f) if version != 0 && f.is_exact::<Function>() => {
                    MethodPlan::Class { version, func: f.ptr() }
                }
                Some(f) if version != 0 && f.is_exact::<StaticMethod>() => {
                    match f.downcast_unchecked::<StaticMethod>().callable() {
                        Some(g) => MethodPlan::Class { version, func: g.as_ptr() },
                        None => MethodPlan::None,
                    }
                }
                Some(d) => bound(&d, version, true),
                None => MethodPlan::None,
            };
        }
        if !generic(t) {
            return MethodPlan::None;
        }
        let ty = Type::from_raw_ref(t);
        let version = ty.version();
        let Some(d) = ty.lookup(name) else { return MethodPlan::None };
        if (*t).tp_dictoffset == 0 && d.is_exact::<ClassMethodDescr>() {
            return bound(&d, version, false);
        }
        if version == 0 || (*d.ob_type()).tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR == 0 {
            return MethodPlan::None;
        }
        let func = d.ptr();
        if instance::is_managed(o) {
            if !(*instance::dict_word(o.as_ptr())).is_null() {
                return MethodPlan::None;
            }
            let index = (*instance::shared_keys(t)).index_of(name.as_ptr());
            return MethodPlan::Values { version, func, index };
        }
        if (*t).tp_dictoffset == 0 {
            return MethodPlan::Plain { version, func };
        }
        if (*t).tp_dictoffset > 0 {
            let p = o.as_ptr().cast::<u8>().add((*t).tp_dictoffset as usize).cast::<*mut PyObject>();
            if (*p).is_null() {
                return MethodPlan::NoDict { version, func, offset: (*t).tp_dictoffset as usize };
            }
        }
        MethodPlan::None
    }
}

pub fn plan_global(globals: &Object, builtins: &Object, name: &Str) -> GlobalPlan {
    let (Some(g), Some(b)) = (globals.downcast_exact::<Dict>(), builtins.downcast_exact::<Dict>()) else {
        return GlobalPlan::None;
    };
    if !g.keys_are_strings() {
        return GlobalPlan::None;
    }
    if let Some(index) = g.index_of(name) {
        return GlobalPlan::Module { keys_version: g.keys_version(), index };
    }
    match b.index_of(name) {
        Some(index) => GlobalPlan::Builtin {
            globals_version: g.keys_version(),
            builtins_version: b.keys_version(),
            index,
        },
        None => GlobalPlan::None,
    }
}

/// How `callee(*args)` with `n` positional arguments (a method's `self` included) runs.
pub fn plan_call(callee: &Object, n: usize) -> CallPlan {
    // SAFETY: live objects.
    unsafe {
        if callee.is_exact::<Function>() {
            return match plan_function(callee, n) {
                Some((func, version)) => CallPlan::Function { func, version },
                None => CallPlan::None,
            };
        }
        if let Some(m) = callee.downcast_exact::<Method>() {
            if m.func().is_exact::<Function>()
                && let Some((func, version)) = plan_function(m.func(), n + 1)
            {
                return CallPlan::Bound { func, version };
            }
            return CallPlan::None;
        }
        // Watched functions are called through their vectorcall only.
        if lh_runtime::capidebug::on() {
            return CallPlan::None;
        }
        if callee.is_exact::<CFunction>() {
            return CallPlan::Builtin {
                def: (*callee.as_ptr().cast::<PyCFunctionObject>()).m_ml,
                is_descr: false,
            };
        }
        if let Some(d) = callee.downcast_exact::<MethodDescr>() {
            return CallPlan::Builtin { def: d.def(), is_descr: true };
        }
        if callee.as_ptr() == Type::type_ptr().cast() && n == 1 {
            return CallPlan::TypeOf;
        }
        if callee.ob_type() == Type::type_ptr()
            && (*callee.as_ptr().cast::<PyTypeObject>()).tp_flags & Py_TPFLAGS_IMMUTABLETYPE != 0
        {
            return CallPlan::Class;
        }
        if callee.ob_type() == Type::type_ptr() {
            let t = callee.as_ptr().cast::<PyTypeObject>();
            if (*t).tp_flags & Py_TPFLAGS_HEAPTYPE != 0
                && (*t).tp_flags & Py_TPFLAGS_IS_ABSTRACT == 0
                && lh_runtime::slot_calls::has_plain_new_and_own_init(t)
                && let Some(init) = callee.downcast_unchecked::<Type>().lookup(intern!("__init__"))
                && init.is_exact::<Function>()
                && let Some((init, init_version)) = plan_function(&init, n + 1)
                && (*(*init).func_code.cast::<PyCodeObject>()).co_flags
                    & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)
                    == 0
                && (*t).tp_version_tag != 0
            {
                return CallPlan::PyClass { init, init_version, version: (*t).tp_version_tag };
            }
            if lh_runtime::type_attrs::made_in_python(t).is_none() {
                return CallPlan::Class;
            }
        }
        CallPlan::None
    }
}

/// The Python `__getitem__` of an instance of a Python class, borrowed, and the version of the class under which it is that.
pub fn plan_getitem(o: &Object) -> Option<(*mut PyObject, u32)> {
    // SAFETY: live objects; the type lookup runs no Python code.
    unsafe {
        let t = o.ty();
        if (*o.ob_type()).tp_flags & Py_TPFLAGS_HEAPTYPE == 0 {
            return None;
        }
        let f = t.lookup(intern!("__getitem__"))?;
        if !f.is_exact::<Function>() {
            return None;
        }
        plan_function(&f, 2)?;
        let version = (*o.ob_type()).tp_version_tag;
        (version != 0).then_some((f.as_ptr(), version))
    }
}

unsafe fn plan_function(f: &Object, n: usize) -> Option<(*mut PyFunctionObject, u32)> {
    // SAFETY: an exact function.
    unsafe {
        let func = f.as_ptr().cast::<PyFunctionObject>();
        if (*func).vectorcall.map(|v| v as usize)
            != Some(crate::bind::function_vectorcall as *const () as usize)
        {
            return None;
        }
        let code = (*func).func_code.cast::<PyCodeObject>();
        let argcount = (*code).co_argcount as usize;
        let ndef = if (*func).func_defaults.is_null() {
            0
        } else {
            (*(*func).func_defaults.cast::<PyVarObject>()).ob_size as usize
        };
        if !crate::bind::is_simple(code, argcount) || n > argcount || n + ndef < argcount {
            return None;
        }
        let version = f.downcast_unchecked::<Function>().version();
        (version != 0).then_some((func, version))
    }
}
