//! `_warnings`: the Python face of `lh_runtime::warnings`.

use lh_runtime::prelude::*;
use lh_runtime::warnings as w;

/// Issue a warning, or maybe ignore it or raise an exception.
#[pyfunction(signature = "(message, category=None, stacklevel=1, source=None)")]
fn warn(
    message: &Object,
    category: Option<&Object>,
    stacklevel: isize,
    source: Option<&Object>,
) -> PyResult<()> {
    let category = if message.is_instance(exc::Warning())? {
        message.ty().own().into_object()
    } else {
        match category.filter(|c| !c.is_none()) {
            Some(c) => c.own(),
            None => exc::UserWarning().own().into_object(),
        }
    };
    let ok = category.is_instance_of::<Type>() && category.is_subclass(exc::Warning())?;
    if !ok {
        return raise!(TypeError, "category must be a Warning subclass, not '{}'", category.ty().name());
    }
    w::warn_object(&category, message, stacklevel, source.filter(|s| !s.is_none()))
}

/// Issue a warning for an explicitly given place, or maybe ignore it or raise an exception.
#[pyfunction(
    signature = "(message, category, filename, lineno, module=<unrepresentable>, registry=None, module_globals=None, source=None)"
)]
fn warn_explicit(
    message: &Object,
    category: &Object,
    filename: &Str,
    lineno: i32,
    module: Option<&Object>,
    registry: Option<&Object>,
    module_globals: Option<&Object>,
    source: Option<&Object>,
) -> PyResult<()> {
    let line = match module_globals.filter(|g| !g.is_none()) {
        Some(g) => match g.downcast::<Dict>() {
            Some(g) => source_from_loader(g, lineno)?,
            None => return raise!(TypeError, "module_globals must be a dict, not '{}'", g.ty().name()),
        },
        None => None,
    };
    w::warn_at(
        category,
        message,
        filename,
        lineno as i64,
        module,
        registry,
        line.as_deref(),
        source.filter(|s| !s.is_none()),
    )
}

/// The line of a module's source that its loader knows.
fn source_from_loader(globals: &Dict, lineno: i32) -> PyResult<Option<Owned<Str>>> {
    let (Some(loader), Some(name)) = (globals.get_str("__loader__")?, globals.get_str("__name__")?) else {
        return Ok(None);
    };
    let Some(get) = loader.get_attr_str_opt("get_source")? else { return Ok(None) };
    let text = get.call1(&name)?;
    let Some(text) = text.downcast::<Str>() else { return Ok(None) };
    let lines = text.call_method("splitlines", &[])?;
    match lines.downcast::<List>().and_then(|l| l.get((lineno as usize).wrapping_sub(1))) {
        Some(l) => Ok(l.downcast_owned::<Str>().ok()),
        None => Ok(None),
    }
}

/// The filters changed: registries are out of date.
#[pyfunction]
fn _filters_mutated() {
    w::filters_mutated()
}

/// What each interpreter has for itself.
pub fn own_lists(m: &Module) -> PyResult<()> {
    m.add("filters", &*w::filters()?)?;
    m.add("_onceregistry", &w::once_registry())?;
    m.add("_defaultaction", &w::default_action())
}

module! {
    "_warnings",
    doc: "Basic warning filtering support, a helper of the warnings module.",
    functions: [warn, warn_explicit, _filters_mutated],
    init: own_lists
}
