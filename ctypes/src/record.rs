//! `Structure` and `Union`: metaclasses and instances.

use lh_abi::*;
use lh_foreign::ctype::{CType, Record, Shape};
use lh_runtime::prelude::*;

use crate::cdata::*;
use crate::field::set_fields;
use crate::info::*;

pub fn install_struct_meta(b: &mut TypeBuilder) {
    install_class_methods(b, false);
    b.slot(Py_tp_new, lh_runtime::slot_new!(Type, new_struct));
    b.slot(Py_tp_setattro, lh_runtime::slot_set!(Type, setattr));
}

pub fn install_union_meta(b: &mut TypeBuilder) {
    install_class_methods(b, false);
    b.slot(Py_tp_new, lh_runtime::slot_new!(Type, new_union));
    b.slot(Py_tp_setattro, lh_runtime::slot_set!(Type, setattr));
}

fn new_struct(meta: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Type>> {
    new_class(meta, args, kwargs, ClassKind::Struct)
}

fn new_union(meta: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Type>> {
    new_class(meta, args, kwargs, ClassKind::Union)
}

fn new_class(meta: &Type, args: &Tuple, kwargs: Option<&Dict>, kind: ClassKind) -> PyResult<Owned<Type>> {
    let cls = type_new(meta, args, kwargs)?;
    if cls.dict().get_str("_abstract_")?.is_some() {
        return Ok(cls);
    }
    // SAFETY: a ready type has a base.
    let base = unsafe { Type::from_raw_ref((*cls.tp()).tp_base) };
    let empty = CType {
        size: 0,
        align: 1,
        swapped: false,
        shape: Shape::Record(Record { fields: Vec::new(), is_union: kind == ClassKind::Union }),
    };
    let info = match info_of(base) {
        Some(b) => {
            let info = Info::new(kind, b.ctype());
            info.add(b.flags.get() & !FINAL);
            info.length.set(b.length.get());
            *info.format.borrow_mut() = b.format.borrow().clone();
            info
        }
        None => Info::new(kind, std::sync::Arc::new(empty)),
    };
    set_info(&cls, info);
    let fields = cls.dict().get_str("_fields_")?;
    match fields {
        Some(f) => cls.as_object().set_attr(intern!("_fields_"), &f)?,
        None => {
            if let Some(b) = info_of(base) {
                b.add(FINAL);
            }
        }
    }
    Ok(cls)
}

fn setattr(cls: &Type, name: &Object, value: Option<&Object>) -> PyResult<()> {
    type_setattr(cls, name, value)?;
    match (name.downcast::<Str>(), value) {
        (Some(n), Some(v)) if n.equals_str("_fields_") => set_fields(cls, v),
        _ => Ok(()),
    }
}

// ---- Instances ----

/// Sets fields from positional arguments, those of base classes first. Answers how many arguments were used.
fn positional(
    inst: &Object,
    cls: &Type,
    args: &Tuple,
    kwargs: Option<&Dict>,
    first: usize,
) -> PyResult<usize> {
    let mut at = first;
    // SAFETY: tp_base of a ready type is a type or null.
    let base = unsafe { (*cls.tp()).tp_base };
    if !base.is_null() {
        // SAFETY: as above.
        let base = unsafe { Type::from_raw_ref(base) };
        if info_of(base).is_some() {
            at = positional(inst, base, args, kwargs, at)?;
        }
    }
    let Some(info) = info_of(cls) else { return Ok(at) };
    let mut i = 0;
    while at < args.len() {
        let Some(name) = info.names.borrow().get(i).cloned() else { break };
        if let Some(k) = kwargs
            && k.contains(&name)?
        {
            return raise!(TypeError, "duplicate values for field {}", name.repr()?.to_str_lossy());
        }
        inst.set_attr(&name, args.item_ref(at))?;
        (at, i) = (at + 1, i + 1);
    }
    Ok(at)
}

fn init(inst: &Object, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    if args.len() > 0 {
        let used = positional(inst, inst.ty(), args, kwargs, 0)?;
        if used < args.len() {
            return raise!(TypeError, "too many initializers");
        }
    }
    for (k, v) in kwargs.map_or(Vec::new(), Dict::items_vec) {
        let Some(name) = k.downcast::<Str>() else { return raise!(TypeError, "keywords must be strings") };
        inst.set_attr(name, &v)?;
    }
    Ok(())
}

macro_rules! records {
    ($($t:ident),*) => { $(
        #[pymethods]
        impl $t {
            #[slot(tp_new)]
            fn py_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<CData>> {
                generic_new(cls, args, kwargs)
            }
            #[slot(tp_init)]
            fn init(&self, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
                init(self.as_object(), args, kwargs)
            }
        }
    )* };
}
records!(Structure, Union);
