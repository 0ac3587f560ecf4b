//! Making classes: `type.__new__`, `__slots__`, choosing the base whose layout the class extends.

use crate::prelude::*;
use crate::type_table::*;
use crate::typeobject::*;

use lh_abi::*;
use std::ptr::null_mut;

/// Does `t` add anything to the layout of `base` besides a dict or weak references at the end?
unsafe fn extra_ivars(t: *mut PyTypeObject, base: *mut PyTypeObject) -> bool {
    // SAFETY: ready types.
    unsafe {
        let (mut t_size, b_size) = ((*t).tp_basicsize, (*base).tp_basicsize);
        if (*t).tp_itemsize != 0 || (*base).tp_itemsize != 0 {
            return t_size != b_size || (*t).tp_itemsize != (*base).tp_itemsize;
        }
        if (*t).tp_flags & Py_TPFLAGS_HEAPTYPE != 0 {
            if (*t).tp_weaklistoffset != 0
                && (*base).tp_weaklistoffset == 0
                && (*t).tp_weaklistoffset + 8 == t_size
            {
                t_size -= 8;
            }
            if (*t).tp_flags & Py_TPFLAGS_MANAGED_DICT == 0
                && (*t).tp_dictoffset > 0
                && (*base).tp_dictoffset == 0
                && (*t).tp_dictoffset + 8 == t_size
            {
                t_size -= 8;
            }
            if (*t).tp_weaklistoffset != 0
                && (*base).tp_weaklistoffset == 0
                && (*t).tp_weaklistoffset + 8 == t_size
            {
                t_size -= 8;
            }
        }
        t_size != b_size
    }
}

/// The nearest ancestor (or the type itself) that shapes the instance layout.
///
/// # Safety
/// `t` is a ready type.
pub unsafe fn solid_base(t: *mut PyTypeObject) -> *mut PyTypeObject {
    // SAFETY: the tp_base chain ends in null.
    unsafe {
        let base = if (*t).tp_base.is_null() { &raw mut PyBaseObject_Type } else { solid_base((*t).tp_base) };
        if extra_ivars(t, base) { t } else { base }
    }
}

/// The base whose layout a class with these bases extends.
pub fn best_base(bases: &Tuple) -> PyResult<&Type> {
    let mut winner: Option<(*mut PyTypeObject, &Type)> = None;
    for b in bases.iter() {
        let Some(c) = b.downcast::<Type>() else { return raise!(TypeError, "bases must be types") };
        // SAFETY: types of live objects.
        unsafe {
            crate::typeobject::ready(c.tp())?;
            if !c.has_flag(Py_TPFLAGS_BASETYPE) {
                return raise!(TypeError, "type '{}' is not an acceptable base type", c.name());
            }
            let s = solid_base(c.tp());
            match winner {
                None => winner = Some((s, c)),
                Some((w, _)) if is_subtype(w, s) => {}
                Some((w, _)) if is_subtype(s, w) => winner = Some((s, c)),
                _ => return raise!(TypeError, "multiple bases have instance lay-out conflict"),
            }
        }
    }
    match winner {
        Some((_, base)) => Ok(base),
        None => raise!(SystemError, "a type needs a base"),
    }
}

/// The metaclass for a class with these bases, most derived of `meta` and the bases' types.
pub fn calculate_metaclass<'a>(meta: &'a Type, bases: &'a Tuple) -> PyResult<&'a Type> {
    let mut winner = meta;
    for b in bases.iter() {
        let t = b.ty();
        if winner.is_subtype(t) {
            continue;
        }
        if t.is_subtype(winner) {
            winner = t;
            continue;
        }
        return raise!(
            TypeError,
            "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of all its bases"
        );
    }
    Ok(winner)
}

/// Private name mangling of `__slots__` entries.
fn mangle(class: &str, name: &str) -> String {
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return name.to_string();
    }
    let c = class.trim_start_matches('_');
    if c.is_empty() { name.to_string() } else { format!("_{c}{name}") }
}

fn is_identifier(s: &Str) -> PyResult<bool> {
    s.call_method("isidentifier", &[])?.is_true()
}

/// `type.__new__(meta, name, bases, namespace, **kwargs)`.
pub fn type_new(meta: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if args.len() != 3 {
        return raise!(TypeError, "type.__new__() takes exactly 3 arguments ({} given)", args.len());
    }
    let Some(name) = args.item_ref(0).downcast::<Str>() else {
        return raise!(
            TypeError,
            "type.__new__() argument 1 must be str, not {}",
            args.item_ref(0).ty().name()
        );
    };
    let Some(bases) = args.item_ref(1).downcast::<Tuple>() else {
        return raise!(
            TypeError,
            "type.__new__() argument 2 must be tuple, not {}",
            args.item_ref(1).ty().name()
        );
    };
    let Some(orig) = args.item_ref(2).downcast::<Dict>() else {
        return raise!(
            TypeError,
            "type.__new__() argument 3 must be dict, not {}",
            args.item_ref(2).ty().name()
        );
    };
    let bases = if bases.len() == 0 {
        Tuple::from_refs(&[Object::class().as_object()])
    } else {
        for b in bases.iter() {
            if !Type::check(b) && b.get_attr_opt(intern!("__mro_entries__"))?.is_some() {
                return raise!(
                    TypeError,
                    "type() doesn't support MRO entry resolution; use types.new_class()"
                );
            }
            if !Type::check(b) {
                return raise!(TypeError, "bases must be types");
            }
        }
        let winner = calculate_metaclass(meta, bases)?;
        if !winner.is(meta) {
            // SAFETY: ready types.
            let new = unsafe { (*winner.tp()).tp_new };
            if new.map(|f| f as usize) != unsafe_type_new_slot() {
                // SAFETY: a type's slot, live arguments.
                return unsafe {
                    match new {
                        Some(f) => from_c(f(winner.tp(), args.raw(), kwargs.map_or(null_mut(), |k| k.raw()))),
                        None => raise!(TypeError, "cannot create '{}' instances", winner.name()),
                    }
                };
            }
            return make(winner, name, &bases.slice(0, bases.len()), orig, kwargs);
        }
        bases.own()
    };
    make(meta, name, &bases, orig, kwargs)
}

fn unsafe_type_new_slot() -> Option<usize> {
    // SAFETY: `type` is ready.
    unsafe { PyType_Type.tp_new.map(|f| f as usize) }
}

/// What a class's `__slots__` ask for.
struct Slots {
    names: Vec<Owned<Str>>,
    dict: bool,
    weak: bool,
    given: bool,
}

fn parse_slots(name: &Str, base: &Type, dict: &Dict) -> PyResult<Slots> {
    // SAFETY: a ready type.
    let (may_dict, may_weak, itemsize) = unsafe {
        let b = base.tp();
        ((*b).tp_dictoffset == 0, (*b).tp_weaklistoffset == 0 && (*b).tp_itemsize == 0, (*b).tp_itemsize)
    };
    let Some(s) = dict.get_item(intern!("__slots__"))? else {
        return Ok(Slots { names: vec![], dict: may_dict, weak: may_weak, given: false });
    };
    let items = if Str::check(&s) { vec![s] } else { s.to_items()? };
    if !items.is_empty() && itemsize != 0 {
        return raise!(TypeError, "nonempty __slots__ not supported for subtype of '{}'", base.name());
    }
    let mut out = Slots { names: vec![], dict: false, weak: false, given: true };
    let class = name.to_str_lossy().into_owned();
    for x in items {
        let Some(x) = x.downcast::<Str>() else {
            return raise!(TypeError, "__slots__ items must be strings, not '{}'", x.ty().name());
        };
        if !is_identifier(x)? {
            return raise!(TypeError, "__slots__ must be identifiers");
        }
        if x.equals_str("__dict__") {
            if !may_dict || out.dict {
                return raise!(TypeError, "__dict__ slot disallowed: we already got one");
            }
            out.dict = true;
        } else if x.equals_str("__weakref__") {
            if !may_weak || out.weak {
                return raise!(
                    TypeError,
                    "__weakref__ slot disallowed: either we already got one, or __itemsize__ != 0"
                );
            }
            out.weak = true;
        } else {
            let m = Str::intern(Str::new(&mangle(&class, &x.to_str_lossy())));
            if dict.contains(&m)? && !x.equals_str("__qualname__") && !x.equals_str("__classcell__") {
                return raise!(
                    ValueError,
                    "'{}' in __slots__ conflicts with class variable",
                    x.to_str_lossy()
                );
            }
            out.names.push(m);
        }
    }
    out.names.sort_by(|a, b| a.cmp(b));
    Ok(out)
}

fn make(meta: &Type, name: &Str, bases: &Owned<Tuple>, orig: &Dict, kwargs: Option<&Dict>) -> PyResult {
    let base = best_base(bases)?;
    let dict = {
        let d = Dict::new();
        d.update(orig)?;
        d
    };
    let slots = parse_slots(name, base, &dict)?;
    // Secondary bases may bring a dict or weak references even with `__slots__`.
    let mut add_dict = slots.dict;
    let mut add_weak = slots.weak;
    // SAFETY: ready types.
    unsafe {
        let b = base.tp();
        if slots.given {
            for x in bases.iter().filter(|x| !x.is(base)) {
                let t = x.as_ptr().cast::<PyTypeObject>();
                if !add_dict && (*b).tp_dictoffset == 0 && (*t).tp_dictoffset != 0 {
                    add_dict = true;
                }
                if !add_weak
                    && (*b).tp_weaklistoffset == 0
                    && (*b).tp_itemsize == 0
                    && (*t).tp_weaklistoffset != 0
                {
                    add_weak = true;
                }
            }
        }
    }
    let n_slots = slots.names.len();
    // SAFETY: the new type's fields are filled in before it is readied; it is tracked, but the collector only runs at the
    // evaluation loop's safe points, and traversal copes with null fields.
    unsafe {
        // The rows of members end with an empty one.
        let rows = if n_slots > 0 { n_slots as isize + 1 } else { 0 };
        let p = alloc(meta.tp(), rows)?;
        let holder: Owned<Object> = Owned::from_raw(p);
        let t = p.cast::<PyTypeObject>();
        let ht = p.cast::<PyHeapTypeObject>();
        let b = base.tp();
        // Instances hold a reference to their class: all heap classes' instances may be in cycles.
        (*t).tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;
        (*t).tp_as_async = &raw mut (*ht).as_async;
        (*t).tp_as_number = &raw mut (*ht).as_number;
        (*t).tp_as_sequence = &raw mut (*ht).as_sequence;
        (*t).tp_as_mapping = &raw mut (*ht).as_mapping;
        (*t).tp_as_buffer = &raw mut (*ht).as_buffer;
        (*t).tp_bases = bases.clone().into_raw();
        (*t).tp_base = base.own().into_raw().cast();
        (*t).tp_dict = dict.clone().into_raw();
        (*ht).ht_name =
            if name.is_exact::<Str>() { name.own() } else { name.slice(0, name.len()) }.into_raw();
        set_tp_name(t, name)?;
        // `__qualname__` moves from the namespace into the type.
        match dict.get_item(intern!("__qualname__"))? {
            Some(q) => {
                if !Str::check(&q) {
                    return raise!(TypeError, "type __qualname__ must be a str, not {}", q.ty().name());
                }
                dict.del_item(intern!("__qualname__"))?;
                (*ht).ht_qualname = q.into_raw();
            }
            None => (*ht).ht_qualname = Object::from_ptr((*ht).ht_name).own().into_raw(),
        }
        // Layout.
        let mut size = (*b).tp_basicsize;
        (*t).tp_itemsize = (*b).tp_itemsize;
        let members = p.cast::<u8>().add((*meta.tp()).tp_basicsize as usize).cast::<PyMemberDef>();
        for (i, s) in slots.names.iter().enumerate() {
            let cname =
                Box::leak(std::ffi::CString::new(&*s.to_str_lossy()).unwrap_or_default().into_boxed_c_str());
            members.add(i).write(PyMemberDef {
                name: cname.as_ptr(),
                r#type: T_OBJECT_EX,
                offset: size,
                flags: 0,
                doc: core::ptr::null(),
            });
            size += 8;
        }
        if n_slots > 0 {
            // ob_size keeps the number of member rows.
            (*t).ob_base.ob_size = n_slots as isize;
        }
        (*t).tp_dictoffset = (*b).tp_dictoffset;
        (*t).tp_weaklistoffset = (*b).tp_weaklistoffset;
        if add_dict && (*b).tp_dictoffset == 0 {
            (*t).tp_flags |= Py_TPFLAGS_MANAGED_DICT;
            (*t).tp_dictoffset = -1;
        }
        if add_weak && (*b).tp_weaklistoffset == 0 {
            (*t).tp_weaklistoffset = size;
            size += 8;
        }
        (*t).tp_basicsize = size;
        (*t).tp_flags |= (*b).tp_flags & Py_TPFLAGS_MANAGED_DICT;
        (*t).tp_free = Some(gc_del);
        (*t).tp_traverse = Some(subtype_traverse);
        (*t).tp_clear = Some(subtype_clear);
        (*t).tp_dealloc = Some(subtype_dealloc);
        (*t).tp_alloc = Some(generic_alloc);
        // `__module__`, `__doc__`.
        if !dict.contains(intern!("__module__"))?
            && let Some(g) = (crate::hooks::hooks().current_globals)()
            && let Some(m) = g.get_str_key(intern!("__name__"))?
        {
            dict.set_item(intern!("__module__"), &m)?;
        }
        // A doc string is kept as C text, too.
        if let Some(d) = dict.get_item(intern!("__doc__"))?
            && let Some(s) = d.downcast::<Str>()
        {
            s.to_str()?;
        }
        if let Some(d) = dict.get_item(intern!("__doc__"))?
            && let Some(s) = d.downcast::<Str>()
            && let text = s.to_str_lossy()
            && !text.contains('\0')
        {
            crate::typeobject::set_doc(t, text.as_bytes());
        }
        // Implicit static and class methods.
        if let Some(f) = dict.get_item(intern!("__new__"))?
            && f.is_exact::<Function>()
        {
            dict.set_item(intern!("__new__"), &*crate::property::static_method(&f)?)?;
        }
        for n in [intern!("__init_subclass__"), intern!("__class_getitem__")] {
            if let Some(f) = dict.get_item(n)?
                && f.is_exact::<Function>()
            {
                dict.set_item(n, &*crate::property::class_method(&f)?)?;
            }
        }
        if dict.contains(intern!("__eq__"))? && !dict.contains(intern!("__hash__"))? {
            dict.set_item(intern!("__hash__"), none_ref())?;
        }
        let cell = dict.get_item(intern!("__classcell__"))?;
        if let Some(c) = &cell {
            let Some(c) = c.downcast::<CellObject>() else {
                return raise!(
                    TypeError,
                    "type.__new__() __classcell__ must be a nonlocal cell, not <class '{}'>",
                    c.ty().name()
                );
            };
            c.set(Some(holder.clone()));
            dict.del_item(intern!("__classcell__"))?;
        }
        for i in 0..n_slots {
            let d = crate::descrobject::new_member(Type::from_raw_ref(t), members.add(i));
            dict.set_item(&slots.names[i], &d)?;
        }
        if add_dict && (*b).tp_dictoffset == 0 {
            crate::type_attrs::add_dict_descriptor(Type::from_raw_ref(t))?;
        }
        if add_weak && (*b).tp_weaklistoffset == 0 {
            crate::type_attrs::add_weakref_descriptor(Type::from_raw_ref(t))?;
        }
        crate::typeobject::ready(t)?;
        if n_slots > 0 {
            // Where extensions look for slots; their descriptors are there already.
            (*t).tp_members = members;
        }
        (*t).tp_flags &= !Py_TPFLAGS_IMMUTABLETYPE;
        crate::type_slots::update_slots(t, None);
        if (*t).tp_flags & Py_TPFLAGS_HAVE_VECTORCALL == 0
            && (*b).tp_flags & Py_TPFLAGS_HAVE_VECTORCALL != 0
            && !dict.contains(intern!("__call__"))?
            && (*b).tp_flags & Py_TPFLAGS_IMMUTABLETYPE != 0
            && (*b).tp_vectorcall_offset > 0
        {
            // A Python class may gain a `__call__` later, so it goes through tp_call.
            (*t).tp_vectorcall_offset = (*b).tp_vectorcall_offset;
        }
        set_names(Type::from_raw_ref(t), &dict)?;
        // `__init_subclass__` of the next class in line.
        let sup = crate::object_type::super_lookup(Type::from_raw_ref(t), intern!("__init_subclass__"))?;
        sup.call_tuple(&Tuple::empty(), kwargs)?;
        Ok(holder)
    }
}

/// `__set_name__` of the namespace's values.
fn set_names(t: &Type, dict: &Dict) -> PyResult<()> {
    for (k, v) in dict.items_vec() {
        if let Some(m) = v.lookup_special(intern!("__set_name__"))?
            && let Err(e) = m.call(&[t, &k])
        {
            let e = e.take();
            let n = raised!(
                RuntimeError,
                "Error calling __set_name__ on '{}' instance {} in '{}'",
                v.ty().name(),
                k.repr_lossy(),
                t.short_name()
            )
            .take();
            n.set_cause(Some(e.clone().into_object()));
            n.set_context(Some(e.into_object()));
            return Err(raise_exc(n));
        }
    }
    Ok(())
}

/// `tp_name` as a C string owned by the heap type (`_ht_tpname`).
///
/// # Safety
/// `t` is a heap type.
pub unsafe fn set_tp_name(t: *mut PyTypeObject, name: &Str) -> PyResult<()> {
    let text = name.to_str()?;
    let Ok(c) = std::ffi::CString::new(text) else {
        return raise!(ValueError, "type name must not contain null characters");
    };
    // SAFETY: the old name came from here (or is null).
    unsafe {
        let ht = t.cast::<PyHeapTypeObject>();
        let old = std::mem::replace(&mut (*ht)._ht_tpname, c.into_raw());
        (*t).tp_name = (*ht)._ht_tpname;
        if !old.is_null() {
            drop(std::ffi::CString::from_raw(old));
        }
    }
    Ok(())
}

/// `tp_dealloc` of `type`: a heap type dies.
///
/// # Safety
/// The count has reached zero.
pub unsafe fn type_dealloc(o: *mut PyObject) {
    // SAFETY: only heap types can die; all their fields are their own.
    unsafe {
        let t = o.cast::<PyTypeObject>();
        let ht = o.cast::<PyHeapTypeObject>();
        crate::gc::untrack(o);
        type_modified(t);
        if !(*t).tp_bases.is_null() {
            let b = Object::from_ptr((*t).tp_bases).downcast_unchecked::<Tuple>().own();
            for x in b.iter() {
                remove_subclass(x.as_ptr().cast(), t);
            }
        }
        crate::weakref::clear_weakrefs(o);
        for f in [(*t).tp_dict, (*t).tp_bases, (*t).tp_mro, (*t).tp_cache, (*t).tp_base.cast()] {
            xdecref(f);
        }
        if !(*t).tp_subclasses.is_null() {
            drop(Box::from_raw((*t).tp_subclasses.cast::<Vec<*mut PyTypeObject>>()));
        }
        // C code, too, gives its classes doc strings made by `PyObject_Malloc`.
        crate::alloc::free((*t).tp_doc.cast_mut().cast());
        if !(*ht)._ht_tpname.is_null() {
            drop(std::ffi::CString::from_raw((*ht)._ht_tpname));
        }
        xdecref((*ht).ht_name);
        xdecref((*ht).ht_qualname);
        xdecref((*ht).ht_slots);
        xdecref((*ht).ht_module);
        crate::instance::free_shared_keys(t);
        free_instance(o);
    }
}

/// Changes `__bases__`.
pub fn set_bases(t: &Type, new: &Tuple) -> PyResult<()> {
    if !t.is_heap() || t.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
        return raise!(TypeError, "cannot set '__bases__' attribute of immutable type '{}'", t.name());
    }
    if new.len() == 0 {
        return raise!(TypeError, "can only assign non-empty tuple to {}.__bases__, not ()", t.short_name());
    }
    for b in new.iter() {
        let Some(b) = b.downcast::<Type>() else {
            return raise!(
                TypeError,
                "{}.__bases__ must be tuple of classes, not '{}'",
                t.short_name(),
                b.ty().name()
            );
        };
        // An `mro()` that runs right now may have left the base chain ahead of the MRO.
        if b.is_subtype(t) || base_chain_has(b, t) {
            return raise!(TypeError, "a __bases__ item causes an inheritance cycle");
        }
    }
    let nb = best_base(new)?;
    // SAFETY: ready heap types; on failure the old values go back.
    unsafe {
        let tp = t.tp();
        let old = (*tp).tp_base;
        if !same_layout(nb.tp(), old) {
            let gc = |t: *mut PyTypeObject| (*t).tp_flags & Py_TPFLAGS_HAVE_GC;
            return raise!(
                TypeError,
                "__bases__ assignment: '{}' {} differs from '{}'",
                nb.name(),
                if gc(nb.tp()) == gc(old) { "object layout" } else { "deallocator" },
                Type::from_raw_ref(old).name()
            );
        }
        let old_bases = Owned::<Object>::from_raw((*tp).tp_bases);
        let old_base = (*tp).tp_base;
        (*tp).tp_bases = new.own().into_raw();
        (*tp).tp_base = nb.own().into_raw().cast();
        let mut changed = vec![];
        let done = update_mro_recursive(tp, &mut changed);
        // `mro()` methods are Python code: they may have set other bases meanwhile, which then stay.
        let ours = (*tp).tp_bases == new.as_ptr();
        if let Err(e) = done {
            let saved = fetch();
            for (t, made, before) in changed.into_iter().rev() {
                let at = t.tp();
                if (*at).tp_mro == made.as_ptr() {
                    let old = std::mem::replace(&mut (*at).tp_mro, before.into_raw());
                    type_modified(at);
                    xdecref(old);
                }
            }
            if ours {
                let failed = Owned::<Object>::from_raw((*tp).tp_bases);
                decref((*tp).tp_base.cast());
                (*tp).tp_bases = old_bases.into_raw();
                (*tp).tp_base = old_base;
                drop(failed);
            } else {
                decref(old_base.cast());
            }
            restore(saved.0, saved.1, saved.2);
            return Err(e);
        }
        decref(old_base.cast());
        if !ours {
            return Ok(());
        }
        if let Some(b) = old_bases.downcast::<Tuple>() {
            for x in b.iter() {
                remove_subclass(x.as_ptr().cast(), tp);
            }
        }
        for x in new.iter() {
            add_subclass(x.as_ptr().cast(), tp);
        }
        update_all_slots(tp);
        Ok(())
    }
}

/// Is `t` among the `tp_base` ancestors of `b`?
fn base_chain_has(b: &Type, t: &Type) -> bool {
    let mut at = Some(b);
    while let Some(x) = at {
        if x.is(t) {
            return true;
        }
        at = x.base();
    }
    false
}

/// A class with the MRO just made for it and the one it had before.
type MroChange = (Owned<Type>, Owned<Object>, Owned<Object>);

unsafe fn update_mro_recursive(t: *mut PyTypeObject, changed: &mut Vec<MroChange>) -> PyResult<()> {
    // SAFETY: a ready type.
    unsafe {
        let class = Type::from_raw_ref(t);
        let before = class.mro().into_object();
        set_mro(t)?;
        changed.push((class.own(), class.mro().into_object(), before));
        for s in subclasses(t) {
            update_mro_recursive(s.tp(), changed)?;
        }
        Ok(())
    }
}
unsafe fn update_all_slots(t: *mut PyTypeObject) {
    // SAFETY: a ready heap type.
    unsafe {
        type_modified(t);
        crate::type_slots::update_slots(t, None);
        for s in subclasses(t) {
            if s.is_heap() {
                update_all_slots(s.tp());
            }
        }
    }
}

/// May an instance of one class become one of the other (`__class__` assignment)?
///
/// # Safety
/// Ready types.
pub unsafe fn same_layout(a: *mut PyTypeObject, b: *mut PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let (a, b) = (layout_class(a), layout_class(b));
        a == b || (*a).tp_base == (*b).tp_base && same_slots(a, b)
    }
}
/// The ancestor that gave the class's instances their last part.
unsafe fn layout_class(mut t: *mut PyTypeObject) -> *mut PyTypeObject {
    let bits = Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_HAVE_GC;
    // SAFETY: a ready type.
    unsafe {
        loop {
            let p = (*t).tp_base;
            let same = !p.is_null()
                && (*t).tp_basicsize == (*p).tp_basicsize
                && (*t).tp_itemsize == (*p).tp_itemsize
                && (*t).tp_dictoffset == (*p).tp_dictoffset
                && (*t).tp_weaklistoffset == (*p).tp_weaklistoffset
                && (*t).tp_flags & bits == (*p).tp_flags & bits;
            if !same {
                return t;
            }
            t = p;
        }
    }
}
/// Did both classes add the same to their common base: a dictionary, weak references, slots of the same names, and nothing else?
unsafe fn same_slots(a: *mut PyTypeObject, b: *mut PyTypeObject) -> bool {
    // SAFETY: ready types.
    unsafe {
        let bits = Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_HAVE_GC;
        let mut size = (*(*a).tp_base).tp_basicsize;
        for offset in
            [|t: *mut PyTypeObject| (*t).tp_dictoffset, |t: *mut PyTypeObject| (*t).tp_weaklistoffset]
        {
            if offset(a) == size && offset(b) == size {
                size += 8;
            }
        }
        let (names, others) = (slot_names(a), slot_names(b));
        size += 8 * names.len() as isize;
        (*a).tp_flags & bits == (*b).tp_flags & bits
            && names == others
            && size == (*a).tp_basicsize
            && size == (*b).tp_basicsize
    }
}
/// The slots of a Python class itself.
unsafe fn slot_names(t: *mut PyTypeObject) -> Vec<(isize, String)> {
    // SAFETY: member rows follow the struct of a heap type that a class statement made.
    unsafe {
        if (*t).tp_flags & Py_TPFLAGS_HEAPTYPE == 0 || (*t).tp_dealloc != Some(subtype_dealloc) {
            return vec![];
        }
        let n = (*t).ob_base.ob_size as usize;
        let rows =
            t.cast::<u8>().add((*(*t).ob_base.ob_base.ob_type).tp_basicsize as usize).cast::<PyMemberDef>();
        let row = |i| {
            let m: &PyMemberDef = &*rows.add(i);
            (m.offset, core::ffi::CStr::from_ptr(m.name).to_string_lossy().into_owned())
        };
        (0..n).map(row).collect()
    }
}
