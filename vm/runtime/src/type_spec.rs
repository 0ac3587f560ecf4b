//! `PyType_FromSpec`: heap types from C's description of them (`PyType_Spec`).

use crate::prelude::*;
use crate::typeobject;
use core::ffi::{CStr, c_void};
use lh_abi::*;

const TP_BASE: i32 = 48;
const TP_BASES: i32 = 49;
const TP_DOC: i32 = 56;
const TP_MEMBERS: i32 = 72;

fn bases_of(slots: &[PyType_Slot], bases: Option<&Object>) -> PyResult<Owned<Tuple>> {
    if let Some(b) = bases {
        return Ok(match b.downcast::<Tuple>() {
            Some(t) => t.own(),
            None => Tuple::from_refs(&[b]),
        });
    }
    let find = |id: i32| slots.iter().find(|s| s.slot == id).map(|s| s.pfunc).filter(|p| !p.is_null());
    // SAFETY: the slots hold a tuple and a type.
    unsafe {
        if let Some(p) = find(TP_BASES) {
            return Ok(match Object::from_ptr(p.cast()).downcast::<Tuple>() {
                Some(t) => t.own(),
                None => Tuple::from_refs(&[Object::from_ptr(p.cast())]),
            });
        }
        match find(TP_BASE) {
            Some(p) => Ok(Tuple::from_refs(&[Object::from_ptr(p.cast())])),
            None => Ok(Tuple::from_refs(&[Object::class().as_object()])),
        }
    }
}

/// `PyType_FromModuleAndSpec`.
///
/// # Safety
/// `spec` is a type specification with valid slots.
pub unsafe fn from_spec(
    module: Option<&Object>,
    spec: *const PyType_Spec,
    bases: Option<&Object>,
) -> PyResult {
    // SAFETY: the caller's promise; the slot table ends with slot 0. The new type's fields are filled before it is readied.
    unsafe {
        let mut n = 0;
        while (*(*spec).slots.add(n)).slot != 0 {
            n += 1;
        }
        let slots = std::slice::from_raw_parts((*spec).slots, n);
        if (*spec).name.is_null() {
            return raise!(SystemError, "Type spec does not define the name field.");
        }
        let full = CStr::from_ptr((*spec).name);
        let full_text = full.to_string_lossy();
        let (module_name, short) = match full_text.rsplit_once('.') {
            Some((m, s)) => (Some(m), s),
            None => (None, &*full_text),
        };
        let bases = bases_of(slots, bases)?;
        let base = crate::type_new::best_base(&bases)?.own();
        let meta = crate::type_new::calculate_metaclass(Type::class(), &bases)?;
        let p = typeobject::alloc(meta.tp(), 0)?;
        let holder: Owned<Object> = Owned::from_raw(p);
        let t = p.cast::<PyTypeObject>();
        let ht = p.cast::<PyHeapTypeObject>();
        (*t).tp_flags = (*spec).flags as u64 | Py_TPFLAGS_HEAPTYPE;
        (*t).tp_as_async = &raw mut (*ht).as_async;
        (*t).tp_as_number = &raw mut (*ht).as_number;
        (*t).tp_as_sequence = &raw mut (*ht).as_sequence;
        (*t).tp_as_mapping = &raw mut (*ht).as_mapping;
        (*t).tp_as_buffer = &raw mut (*ht).as_buffer;
        (*ht).ht_name = Str::new(short).into_raw();
        (*ht).ht_qualname = Object::from_ptr((*ht).ht_name).own().into_raw();
        (*ht).ht_module = module.map_or(core::ptr::null_mut(), |m| m.own().into_raw());
        (*t).tp_name = full.to_owned().into_raw();
        (*t).tp_basicsize = (*spec).basicsize as isize;
        (*t).tp_itemsize = (*spec).itemsize as isize;
        (*t).tp_bases = bases.into_raw();
        (*t).tp_base = base.into_raw().cast();
        for s in slots {
            match s.slot {
                TP_BASE | TP_BASES => {}
                TP_DOC if s.pfunc.is_null() => {}
                // The text may not outlive the call: it is copied.
                TP_DOC => crate::typeobject::set_doc(t, CStr::from_ptr(s.pfunc.cast()).to_bytes()),
                TP_MEMBERS => set_members(t, s.pfunc.cast()),
                id => match crate::type_slots::slot_place(t, id) {
                    Some(p) => *p = s.pfunc,
                    None => return raise!(RuntimeError, "invalid slot offset"),
                },
            }
        }
        if (*t).tp_dealloc.is_none() {
            (*t).tp_dealloc = Some(typeobject::subtype_dealloc);
        }
        if (*t).tp_vectorcall_offset > 0 {
            (*t).tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
        }
        let own_new = (*t).tp_new.is_some();
        typeobject::ready(t)?;
        let ty = Type::from_raw_ref(t);
        if own_new && (*t).tp_new.is_some() {
            crate::type_slots::add_tp_new_wrapper(t)?;
        }
        if ty.dict().contains(intern!("__module__"))? {
            // A member or getter of that name stays.
        } else if let Some(m) = module_name {
            ty.dict().set_item(intern!("__module__"), &Str::new(m))?;
        } else {
            crate::warnings::warn(
                exc::DeprecationWarning(),
                &format!("builtin type {short} has no __module__ attribute"),
                1,
            )?;
        }
        Ok(holder)
    }
}

/// Copies a member table; three reserved names give the type's own offsets.
unsafe fn set_members(t: *mut PyTypeObject, table: *mut PyMemberDef) {
    // SAFETY: the table ends with a null name; it is copied because the specification may be temporary.
    unsafe {
        let mut rows = vec![];
        let mut m = table;
        while !(*m).name.is_null() {
            match CStr::from_ptr((*m).name).to_bytes() {
                b"__weaklistoffset__" => (*t).tp_weaklistoffset = (*m).offset,
                b"__dictoffset__" => (*t).tp_dictoffset = (*m).offset,
                b"__vectorcalloffset__" => (*t).tp_vectorcall_offset = (*m).offset,
                _ => {}
            }
            rows.push(*m);
            m = m.add(1);
        }
        rows.push(core::mem::zeroed());
        (*t).tp_members = Box::leak(rows.into_boxed_slice()).as_mut_ptr();
    }
}

/// `PyType_GetSlot`.
///
/// # Safety
/// `t` is a ready type.
pub unsafe fn get_slot(t: *mut PyTypeObject, id: i32) -> PyResult<*mut c_void> {
    // SAFETY: the caller's promise. Only tables that exist are looked into.
    unsafe {
        let absent = match id {
            1 | 2 => (*t).tp_as_buffer.is_null(),
            3..=5 => (*t).tp_as_mapping.is_null(),
            6..=38 | 75 | 76 => (*t).tp_as_number.is_null(),
            39..=46 => (*t).tp_as_sequence.is_null(),
            77..=79 | 81 => (*t).tp_as_async.is_null(),
            TP_BASE => return Ok((*t).tp_base.cast()),
            TP_BASES => return Ok((*t).tp_bases.cast()),
            TP_DOC => return Ok((*t).tp_doc.cast_mut().cast()),
            TP_MEMBERS => return Ok((*t).tp_members.cast()),
            _ => false,
        };
        if absent {
            return Ok(core::ptr::null_mut());
        }
        match crate::type_slots::slot_place(t, id) {
            Some(p) => Ok(*p),
            None => Err(bad_internal_call()),
        }
    }
}

/// `PyType_GetModuleByDef`: the module of the first class in the MRO that was made from this definition.
///
/// # Safety
/// `t` is a ready type.
pub unsafe fn module_by_def(t: &Type, def: *mut PyModuleDef) -> PyResult<*mut PyObject> {
    for c in t.mro().iter() {
        let Some(c) = c.downcast::<Type>().filter(|c| c.is_heap()) else { continue };
        // SAFETY: a heap type has the long layout.
        let m = unsafe { (*c.as_struct()).ht_module };
        // SAFETY: null or a live module.
        if let Some(o) = unsafe { Object::from_ptr_opt(m) }
            && let Some(x) = o.downcast::<Module>()
            && x.def() == def
        {
            return Ok(m);
        }
    }
    raise!(TypeError, "PyType_GetModuleByDef: No superclass of '{}' has the given module", t.name())
}
