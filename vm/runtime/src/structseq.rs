//! Struct sequences (`os.stat_result`, `time.struct_time`): tuples with named fields, some of which may be hidden from the sequence.
//!
//! An instance has room for all fields, but `ob_size` counts the visible ones only. A type is made once and lives for ever; how many fields
//! it really has is kept in a table beside it.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{StrBuilder, exc};
use crate::singletons::*;
use crate::{border, gc, raise, slots, typeobject};
use core::ffi::c_int;
use lh_abi::*;
use std::collections::HashMap;
use std::ffi::CString;
use std::sync::Mutex;

/// The name that marks a field as reachable by index only.
pub const UNNAMED: &str = "unnamed field";

#[derive(Clone, Copy)]
struct Info {
    fields: usize,
    visible: usize,
    /// Per member (named field): its name and index.
    members: &'static [(&'static str, usize)],
}

static TABLE: Mutex<Option<HashMap<usize, Info>>> = Mutex::new(None);

fn info(t: *mut PyTypeObject) -> Info {
    let table = TABLE.lock().expect("never poisoned");
    *table.as_ref().and_then(|m| m.get(&(t as usize))).expect("a struct sequence type")
}

unsafe fn item(o: *mut PyObject, i: usize) -> *mut *mut PyObject {
    // SAFETY: the caller's promise: `i` is below the type's number of fields.
    unsafe { (&raw mut (*o.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>().add(i) }
}

/// Makes a struct sequence type: `fields` beyond `visible` are reachable by name only.
pub fn new_type(
    name: &'static str,
    doc: &'static str,
    fields: &[(&'static str, &'static str)],
    visible: usize,
) -> PyResult<Owned<Type>> {
    let t = Box::into_raw(Box::new(PyTypeObject::ZERO));
    // SAFETY: a fresh type object that lives for ever.
    unsafe {
        init_type(t, name, doc, fields, visible)?;
        Ok(Type::from_raw_ref(t).own())
    }
}

/// Fills in and readies a zeroed type object (`PyStructSequence_InitType`).
///
/// # Safety
/// `t` is a zeroed type object that is never freed.
pub unsafe fn init_type(
    t: *mut PyTypeObject,
    name: &str,
    doc: &str,
    fields: &[(&'static str, &'static str)],
    visible: usize,
) -> PyResult<()> {
    let leak = |s: &str| CString::new(s).unwrap_or_default().into_raw();
    let mut members = vec![];
    let mut defs: Vec<PyMemberDef> = vec![];
    for (i, (n, d)) in fields.iter().enumerate() {
        if *n == UNNAMED || n.is_empty() {
            continue;
        }
        members.push((*n, i));
        defs.push(PyMemberDef {
            name: leak(n),
            r#type: T_OBJECT,
            offset: (core::mem::offset_of!(PyTupleObject, ob_item) + 8 * i) as isize,
            flags: READONLY,
            doc: if d.is_empty() { core::ptr::null() } else { leak(d) },
        });
    }
    // SAFETY: an all-zero row ends the table.
    defs.push(unsafe { core::mem::zeroed() });
    let methods = vec![
        crate::builder::method_def(c"__reduce__", reduce as *const (), METH_NOARGS, c""),
        // SAFETY: an all-zero row ends the table.
        unsafe { core::mem::zeroed() },
    ];
    let members: &'static [(&'static str, usize)] = Box::leak(members.into_boxed_slice());
    let inf = Info { fields: fields.len(), visible, members };
    TABLE.lock().expect("never poisoned").get_or_insert_default().insert(t as usize, inf);
    // SAFETY: the type is being made.
    unsafe {
        let base = Tuple::type_ptr();
        (*t).ob_base.ob_base = PyObject { ob_refcnt: 1, ob_type: Type::type_ptr() };
        (*t).tp_name = leak(name);
        (*t).tp_doc = if doc.is_empty() { core::ptr::null() } else { leak(doc) };
        (*t).tp_basicsize = (*base).tp_basicsize;
        (*t).tp_itemsize = (*base).tp_itemsize;
        (*t).tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE;
        (*t).tp_base = base;
        (*t).tp_members = Box::leak(defs.into_boxed_slice()).as_mut_ptr();
        (*t).tp_methods = Box::leak(methods.into_boxed_slice()).as_mut_ptr();
        (*t).tp_dealloc = Some(dealloc);
        (*t).tp_traverse = Some(traverse);
        (*t).tp_repr = Some(repr);
        (*t).tp_new = Some(py_new);
        typeobject::ready(t)?;
        let ty = Type::from_raw_ref(t);
        let n = |v: usize| Int::from_usize(v);
        ty.set_builtin_attr("n_sequence_fields", &n(visible))?;
        ty.set_builtin_attr("n_fields", &n(fields.len()))?;
        ty.set_builtin_attr("n_unnamed_fields", &n(fields.len() - members.len()))?;
        let names = members.iter().filter(|m| m.1 < visible).map(|m| Str::new(m.0).into_object()).collect();
        ty.set_builtin_attr("__match_args__", &Tuple::from_vec(names))?;
    }
    Ok(())
}

/// An instance with these values (all fields, hidden ones included; missing ones are `None`).
pub fn new(ty: &Type, values: Vec<Owned<Object>>) -> Owned<Tuple> {
    let inf = info(ty.tp());
    // SAFETY: room for all fields, each filled.
    unsafe {
        let p = gc::new_object(ty.tp(), inf.fields as isize);
        assert!(!p.is_null(), "out of memory");
        let mut v = values.into_iter();
        for i in 0..inf.fields {
            *item(p, i) = v.next().unwrap_or_else(none).into_raw();
        }
        (*p.cast::<PyVarObject>()).ob_size = inf.visible as isize;
        gc::track(p);
        Owned::from_raw(p)
    }
}

/// An instance with null items for C code to fill (`PyStructSequence_New`).
///
/// # Safety
/// The caller fills all items.
pub unsafe fn new_raw(t: *mut PyTypeObject) -> *mut PyObject {
    let inf = info(t);
    // SAFETY: the caller's promise.
    unsafe {
        let p = gc::new_object(t, inf.fields as isize);
        if !p.is_null() {
            (*p.cast::<PyVarObject>()).ob_size = inf.visible as isize;
            gc::track(p);
        }
        p
    }
}

unsafe extern "C" fn dealloc(o: *mut PyObject) {
    // SAFETY: called once, when the count has reached zero.
    unsafe {
        gc::untrack(o);
        for i in 0..info((*o).ob_type).fields {
            xdecref(*item(o, i));
        }
        typeobject::free_instance(o);
    }
}

unsafe extern "C" fn traverse(o: *mut PyObject, visit: visitproc, arg: *mut core::ffi::c_void) -> c_int {
    let mut v = Visitor { visit, arg, result: 0 };
    // SAFETY: a live instance.
    unsafe {
        for i in 0..info((*o).ob_type).fields {
            v.visit_ptr(*item(o, i));
        }
    }
    v.result
}

unsafe extern "C" fn repr(o: *mut PyObject) -> *mut PyObject {
    border::object(|| {
        // SAFETY: a live instance.
        let (o, t) = unsafe { (Object::from_ptr(o), slots::this::<Tuple>(o)) };
        let inf = info(o.ob_type());
        let mut b = StrBuilder::new();
        // SAFETY: a live type's name.
        b.push_str(&unsafe { core::ffi::CStr::from_ptr((*o.ob_type()).tp_name) }.to_string_lossy());
        b.push_str("(");
        for i in 0..inf.visible {
            if i > 0 {
                b.push_str(", ");
            }
            if let Some((n, _)) = inf.members.get(i) {
                b.push_str(n);
                b.push_str("=");
            }
            b.push_obj(&*t.item_ref(i).repr()?);
        }
        b.push_str(")");
        Ok(b.finish())
    })
}

unsafe extern "C" fn reduce(o: *mut PyObject, _: *mut PyObject) -> *mut PyObject {
    border::object(|| {
        // SAFETY: a live instance; hidden items lie behind the visible ones.
        unsafe {
            let obj = Object::from_ptr(o);
            let inf = info(obj.ob_type());
            let seq = Tuple::from_raw_items(item(o, 0), inf.visible)?;
            let d = Dict::new();
            for (n, i) in inf.members.iter().filter(|m| m.1 >= inf.visible) {
                if let Some(v) = Object::from_ptr_opt(*item(o, *i)) {
                    d.set_str(n, v)?;
                }
            }
            let args = Tuple::pair(seq.into_object(), d.into_object());
            Ok(Tuple::pair(obj.ty().own().into_object(), args.into_object()))
        }
    })
}

unsafe extern "C" fn py_new(t: *mut PyTypeObject, args: *mut PyObject, kw: *mut PyObject) -> *mut PyObject {
    border::object(|| {
        // SAFETY: tp_new is called with a type, a tuple and a dict or null.
        unsafe {
            let ty = Type::from_raw_ref(t);
            let args = slots::this::<Tuple>(args);
            let kw = slots::opt_dict(kw);
            let pick = |i: usize, name: &str| -> PyResult<Option<Owned<Object>>> {
                if i < args.len() {
                    return Ok(Some(args.get(i)));
                }
                kw.map_or(Ok(None), |k| k.get_str(name))
            };
            let short = ty.name();
            let Some(seq) = pick(0, "sequence")? else {
                let short = short.rsplit('.').next().unwrap_or_default();
                return raise!(TypeError, "{}() missing required argument 'sequence' (pos 1)", short);
            };
            let dict = pick(1, "dict")?;
            let items = match seq.to_items() {
                Ok(v) => v,
                Err(e) if e.matches(exc::TypeError()) => {
                    e.clear();
                    return raise!(TypeError, "constructor requires a sequence");
                }
                Err(e) => return Err(e),
            };
            let dict = match &dict {
                None => None,
                Some(d) => match d.downcast::<Dict>() {
                    Some(d) => Some(d),
                    None => return raise!(TypeError, "{}() takes a dict as second arg, if any", short),
                },
            };
            let inf = info(t);
            let (n, min, max) = (items.len(), inf.visible, inf.fields);
            if min != max {
                if n < min {
                    return raise!(
                        TypeError,
                        "{}() takes an at least {}-sequence ({}-sequence given)",
                        short,
                        min,
                        n
                    );
                }
                if n > max {
                    return raise!(
                        TypeError,
                        "{}() takes an at most {}-sequence ({}-sequence given)",
                        short,
                        max,
                        n
                    );
                }
            } else if n != min {
                return raise!(TypeError, "{}() takes a {}-sequence ({}-sequence given)", short, min, n);
            }
            let mut values = items;
            for i in n..max {
                let name = inf.members.iter().find(|m| m.1 == i).map(|m| m.0);
                let v = match (dict, name) {
                    (Some(d), Some(n)) => d.get_str(n)?,
                    _ => None,
                };
                values.push(v.unwrap_or_else(none));
            }
            Ok(new(ty, values))
        }
    })
}
