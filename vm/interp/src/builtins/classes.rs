//! `__build_class__`: what a `class` statement calls.
//!
//! ```text
//!   bases ── __mro_entries__ ──> real bases ── most derived metaclass ──> meta
//!   namespace = meta.__prepare__(name, bases, **kw);  run the body in it;  meta(name, bases, namespace, **kw)
//! ```
//! The body answers the `__class__` cell that its methods share (or None), which `type.__new__` must have filled.

use super::api;
use lh_runtime::prelude::*;
use lh_runtime::protocols::is_mapping;

/// Replaces bases that are no classes by what their `__mro_entries__` answer; `None` if nothing changes.
pub fn real_bases(bases: &Tuple) -> PyResult<Option<Owned<Tuple>>> {
    let mut new: Option<Vec<Owned<Object>>> = None;
    for (i, b) in bases.iter().enumerate() {
        let entries = if Type::check(b) { None } else { b.get_attr_opt(intern!("__mro_entries__"))? };
        let Some(f) = entries else {
            if let Some(v) = &mut new {
                v.push(b.own());
            }
            continue;
        };
        let r = f.call1(bases)?;
        let Some(t) = r.downcast::<Tuple>() else {
            return raise!(TypeError, "__mro_entries__ must return a tuple");
        };
        new.get_or_insert_with(|| bases.iter().take(i).map(|o| o.own()).collect())
            .extend(t.iter().map(|o| o.own()));
    }
    Ok(new.map(Tuple::from_vec))
}

/// __build_class__(func, name, /, *bases, [metaclass], **kwds) -> class
///
/// What the class statement calls.
#[pyfunction(raw)]
pub fn __build_class__(a: Args<'_>) -> PyResult {
    if a.len() < 2 {
        return raise!(TypeError, "__build_class__: not enough arguments");
    }
    let Some(body) = a.get(0).and_then(|f| f.downcast_exact::<Function>()) else {
        return raise!(TypeError, "__build_class__: func must be a function");
    };
    let name = a.get(1).expect("counted");
    if !Str::check(name) {
        return raise!(TypeError, "__build_class__: name is not a string");
    }
    let given: Vec<&Object> = a.iter().skip(2).collect();
    let given = Tuple::from_refs(&given);
    let changed = real_bases(&given)?;
    let bases = changed.as_ref().unwrap_or(&given);

    let mut meta: Option<Owned<Object>> = None;
    let mut kw: Option<Owned<Dict>> = None;
    for (k, v) in a.kwargs() {
        if k.equals_str("metaclass") {
            meta = Some(v.own());
        } else {
            kw.get_or_insert_with(Dict::new).set_item(k, v)?;
        }
    }
    let meta = match meta {
        Some(m) => m,
        None if bases.len() == 0 => Type::class().own().into_object(),
        None => bases.item_ref(0).ty().own().into_object(),
    };
    // A metaclass that is no class (any callable) is taken as it is.
    let meta = match meta.downcast::<Type>() {
        Some(m) => lh_runtime::type_new::calculate_metaclass(m, bases)?.own().into_object(),
        None => meta,
    };

    let prepare = if meta.is(Type::class()) { None } else { meta.get_attr_opt(intern!("__prepare__"))? };
    let namespace = match prepare {
        None => Dict::new().into_object(),
        Some(f) => f.call_tuple(&Tuple::from_refs(&[name, bases]), kw.as_deref())?,
    };
    if !is_mapping(&namespace) {
        let who = match meta.downcast::<Type>() {
            Some(t) => t.name(),
            None => "<metaclass>".into(),
        };
        return raise!(
            TypeError,
            "{}.__prepare__() must return a mapping, not {}",
            who,
            namespace.ty().name()
        );
    }
    let cell = (api()?.call_with_locals)(body, &namespace)?;
    if changed.is_some() {
        namespace.set_item_of(intern!("__orig_bases__"), &given)?;
    }
    let class = meta.call_tuple(&Tuple::from_refs(&[name, bases, &namespace]), kw.as_deref())?;
    if Type::check(&class)
        && let Some(cell) = cell.downcast_exact::<CellObject>()
    {
        match cell.get() {
            Some(c) if c.is(&*class) => {}
            Some(c) => {
                return raise!(
                    TypeError,
                    "__class__ set to {} defining {} as {}",
                    c.repr()?.to_str_lossy(),
                    name.repr()?.to_str_lossy(),
                    class.repr()?.to_str_lossy()
                );
            }
            None => {
                return raise!(
                    RuntimeError,
                    "__class__ not set defining {} as {}. Was __classcell__ propagated to type.__new__?",
                    name.repr()?.to_str_lossy(),
                    class.repr()?.to_str_lossy()
                );
            }
        }
    }
    Ok(class)
}
