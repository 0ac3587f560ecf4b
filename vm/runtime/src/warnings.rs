//! Warnings: filters, the "once" registry, and showing a warning. The `_warnings` module is a thin layer over this file;
//! other Rust code calls `warn`.
//!
//! As long as the `warnings` module is loaded, its `filters`, `defaultaction`, `onceregistry` and `_showwarnmsg` count;
//! before that, the state here.

use crate::errors::*;
use crate::exceptions::exc;
use crate::interpreter::Own;
use crate::kinds::*;
use crate::object::*;
use crate::singletons::*;
use crate::sysobject::{sys_dict, sys_get};
use crate::{intern, raise};
use std::cell::Cell;

/// State that only the holder of the GIL touches.
struct State {
    filters: Slot<Object>,
    once: Slot<Object>,
    default_action: Slot<Object>,
    version: Cell<i64>,
}
fn state() -> &'static State {
    static S: Own<State> = Own::new();
    S.get_or_init(|| State {
        filters: Slot::empty(),
        once: Slot::empty(),
        default_action: Slot::empty(),
        version: Cell::new(0),
    })
}

/// `_warnings.filters`, made with the default filters on first use.
pub fn filters() -> PyResult {
    if let Some(f) = state().filters.get() {
        return Ok(f);
    }
    let item = |action: &str, category: &Type, module: Option<&str>| -> Owned<Object> {
        let module = module.map_or_else(none, |m| Str::new(m).into_object());
        Tuple::from_vec(vec![
            Str::interned(action).own().into_object(),
            none(),
            category.own().into_object(),
            module,
            Int::from_i64(0).into_object(),
        ])
        .into_object()
    };
    let list = List::from_vec(vec![
        item("default", exc::DeprecationWarning(), Some("__main__")),
        item("ignore", exc::DeprecationWarning(), None),
        item("ignore", exc::PendingDeprecationWarning(), None),
        item("ignore", exc::ImportWarning(), None),
        item("ignore", exc::ResourceWarning(), None),
    ])
    .into_object();
    state().filters.set(Some(list.clone()));
    Ok(list)
}
/// `_warnings._onceregistry`.
pub fn once_registry() -> Owned<Object> {
    state().once.get().unwrap_or_else(|| {
        let d = Dict::new().into_object();
        state().once.set(Some(d.clone()));
        d
    })
}
/// `_warnings._defaultaction`.
pub fn default_action() -> Owned<Object> {
    state().default_action.get().unwrap_or_else(|| {
        let d = Str::interned("default").own().into_object();
        state().default_action.set(Some(d.clone()));
        d
    })
}
/// Registries made before are out of date from now on.
pub fn filters_mutated() {
    state().version.set(state().version.get() + 1)
}

/// `warnings.NAME`, if that module is loaded (or `import` is set and it can be).
fn warnings_attr(name: &str, import: bool) -> PyResult<Option<Owned<Object>>> {
    let module = if import && !crate::thread::is_finalizing() {
        match crate::import::import_module("warnings") {
            Ok(m) => m,
            Err(e) if e.matches(exc::ImportError()) => {
                e.clear();
                return Ok(None);
            }
            Err(e) => return Err(e),
        }
    } else {
        match crate::import::loaded_module("warnings") {
            Some(m) => m,
            None => return Ok(None),
        }
    };
    module.get_attr_str_opt(name)
}

fn check_matched(obj: &Object, arg: &Object) -> PyResult<bool> {
    if obj.is_none() {
        return Ok(true);
    }
    if obj.is_exact::<Str>() {
        return obj.equals_obj(arg);
    }
    obj.call_method("match", &[arg])?.is_true()
}

/// The action for a warning and the filter it comes from.
fn find_action(
    category: &Object,
    text: &Object,
    lineno: i64,
    module: &Object,
) -> PyResult<(Owned<Str>, Owned<Object>)> {
    let list = match warnings_attr("filters", false)? {
        Some(f) => {
            state().filters.set(Some(f.clone()));
            f
        }
        None => filters()?,
    };
    let Some(list) = list.downcast::<List>() else {
        return raise!(ValueError, "_warnings.filters must be a list");
    };
    let mut i = 0;
    while let Some(item) = list.get(i) {
        let Some(t) = item.downcast::<Tuple>().filter(|t| t.len() == 5) else {
            return raise!(ValueError, "_warnings.filters item {} isn't a 5-tuple", i);
        };
        let Some(action) = t.item_ref(0).downcast::<Str>() else {
            return raise!(TypeError, "action must be a string, not '{}'", t.item_ref(0).ty().name());
        };
        if check_matched(t.item_ref(1), text)?
            && check_matched(t.item_ref(3), module)?
            && category.is_subclass(t.item_ref(2))?
        {
            let ln = crate::number::as_isize(t.item_ref(4), Some(exc::OverflowError()))? as i64;
            if ln == 0 || ln == lineno {
                return Ok((action.own(), item.clone()));
            }
        }
        i += 1;
    }
    let action = match warnings_attr("defaultaction", false)? {
        Some(a) => a,
        None => default_action(),
    };
    match action.downcast_owned::<Str>() {
        Ok(a) => Ok((a, none())),
        Err(a) => raise!(TypeError, "_warnings.defaultaction must be a string, not '{}'", a.ty().name()),
    }
}

fn already_warned(registry: &Object, key: &Object, should_set: bool) -> PyResult<bool> {
    let Some(d) = registry.downcast::<Dict>() else {
        return raise!(TypeError, "'registry' must be a dict or None");
    };
    let version = state().version.get();
    let same = match d.get_item(intern!("version"))? {
        Some(v) => v.downcast::<Int>().and_then(|i| i.to_i128()) == Some(version as i128),
        None => false,
    };
    if !same {
        d.clear();
        d.set_item(intern!("version"), &Int::from_i64(version))?;
    } else if let Some(v) = d.get_item(key)?
        && v.is_true()?
    {
        return Ok(true);
    }
    if should_set {
        d.set_item(key, bool_ref(true))?;
    }
    Ok(false)
}

/// Issues a warning for a place in the source. `source_line` is its text if the caller knows it.
pub fn warn_at(
    category: &Object,
    message: &Object,
    filename: &Object,
    lineno: i64,
    module: Option<&Object>,
    registry: Option<&Object>,
    source_line: Option<&Str>,
    source: Option<&Object>,
) -> PyResult<()> {
    if module.is_some_and(|m| m.is_none()) {
        return Ok(());
    }
    let registry = registry.filter(|r| !r.is_none());
    if let Some(r) = registry
        && !r.is_instance_of::<Dict>()
    {
        return raise!(TypeError, "'registry' must be a dict or None");
    }
    let module = match module {
        Some(m) => m.own(),
        None => normalize_module(filename)?,
    };
    let (text, message, category) = if message.is_instance(exc::Warning())? {
        (message.str()?.into_object(), message.own(), message.ty().own().into_object())
    } else {
        (message.own(), category.call1(message)?, category.own())
    };
    let line = Int::from_i64(lineno).into_object();
    let key = Tuple::from_refs(&[&text, &category, &line]);
    if let Some(r) = registry
        && already_warned(r, &key, false)?
    {
        return Ok(());
    }
    let (action, item) = find_action(&category, &text, lineno, &module)?;
    let action_text = action.to_str_lossy().into_owned();
    match action_text.as_str() {
        "error" => return Err(set_object(&category, Some(message))),
        "ignore" => return Ok(()),
        "always" => {}
        other => {
            if let Some(r) = registry {
                r.set_item_of(&key, bool_ref(true))?;
            }
            let alt = Tuple::from_refs(&[&text, &category]);
            let seen = match other {
                "once" => {
                    let r = match registry {
                        Some(r) => r.own(),
                        None => match warnings_attr("onceregistry", false)? {
                            Some(r) => r,
                            None => once_registry(),
                        },
                    };
                    already_warned(&r, &alt, true)?
                }
                "module" => match registry {
                    Some(r) => already_warned(r, &alt, true)?,
                    None => false,
                },
                "default" => false,
                _ => {
                    return raise!(
                        RuntimeError,
                        "Unrecognized action ({}) in warnings.filters:\n {}",
                        action.repr()?.to_str_lossy(),
                        item.repr()?.to_str_lossy()
                    );
                }
            };
            if seen {
                return Ok(());
            }
        }
    }
    show(&category, &text, &message, filename, lineno, &line, source_line, source)
}

fn normalize_module(filename: &Object) -> PyResult {
    let Some(s) = filename.downcast::<Str>() else { return Ok(filename.own()) };
    let n = s.len();
    if n == 0 {
        return Ok(Str::new("<unknown>").into_object());
    }
    if n >= 3 && s.slice(n - 3, n).equals_str(".py") {
        return Ok(s.slice(0, n - 3).into_object());
    }
    Ok(s.own().into_object())
}

fn show(
    category: &Object,
    text: &Object,
    message: &Object,
    filename: &Object,
    lineno: i64,
    line_obj: &Object,
    source_line: Option<&Str>,
    source: Option<&Object>,
) -> PyResult<()> {
    let Some(f) = warnings_attr("_showwarnmsg", source.is_some())? else {
        return show_plain(category, text, filename, lineno, source_line);
    };
    if !f.is_callable() {
        return raise!(TypeError, "warnings._showwarnmsg() must be set to a callable");
    }
    let Some(cls) = warnings_attr("WarningMessage", false)? else {
        return raise!(RuntimeError, "unable to get warnings.WarningMessage");
    };
    let n = none_ref();
    let m = cls.call(&[message, category, filename, line_obj, n, n, source.unwrap_or(n)])?;
    f.call1(&m)?;
    Ok(())
}

/// Writes the warning to `sys.stderr` while the `warnings` module is not loaded.
fn show_plain(
    category: &Object,
    text: &Object,
    filename: &Object,
    lineno: i64,
    line: Option<&Str>,
) -> PyResult<()> {
    let name = category.get_attr_str("__name__")?.str()?;
    let file = filename.str()?;
    let mut out = format!(
        "{}:{}: {}: {}\n",
        file.to_str_lossy(),
        lineno,
        name.to_str_lossy(),
        text.str()?.to_str_lossy()
    );
    let found = match line {
        Some(l) => Some(l.to_str_lossy().into_owned()),
        None => source_line(&file.to_str_lossy(), lineno),
    };
    if let Some(l) = found.as_deref().map(str::trim).filter(|l| !l.is_empty()) {
        out.push_str(&format!("  {l}\n"));
    }
    crate::sysobject::write_stderr(&out);
    Ok(())
}

/// A line of a source file, read as UTF-8.
pub fn source_line(file: &str, lineno: i64) -> Option<String> {
    let text = std::fs::read(file).ok()?;
    let line = text.split(|b| *b == b'\n').nth(usize::try_from(lineno).ok()?.checked_sub(1)?)?;
    let line = match declared_encoding(&text) {
        Some(name) => crate::codecs::decode_to_str(line, &name, "replace")
            .map_err(Raised::clear)
            .ok()?
            .to_str_lossy()
            .into_owned(),
        None => String::from_utf8_lossy(line).into_owned(),
    };
    Some(line.trim_end_matches('\r').to_string())
}

/// The encoding that a comment in the first two lines names, unless it is the usual one.
fn declared_encoding(text: &[u8]) -> Option<String> {
    for line in text.split(|b| *b == b'\n').take(2) {
        let line = String::from_utf8_lossy(line);
        let comment = line.trim_start_matches([' ', '\t', '\x0c']);
        if !comment.is_empty() && !comment.starts_with('#') {
            return None;
        }
        for (at, word) in comment.match_indices("coding") {
            let Some(rest) = comment[at + word.len()..].strip_prefix([':', '=']) else { continue };
            let name = rest.trim_start_matches([' ', '\t']);
            let end = name.find(|c: char| !(c.is_alphanumeric() || "-_.".contains(c))).unwrap_or(name.len());
            let plain = name[..end].to_ascii_lowercase().replace('_', "-");
            if end > 0 {
                return (plain != "utf-8" && !plain.starts_with("utf-8-")).then_some(plain);
            }
        }
    }
    None
}

/// Where `warn` points: file, line, module name and registry of the frame `stacklevel` levels up.
fn context(stacklevel: isize) -> PyResult<(Owned<Object>, i64, Owned<Object>, Owned<Object>)> {
    let mut frame = (crate::hooks::hooks().current_frame)();
    let back = |f: &Object| -> PyResult<Option<Owned<Object>>> {
        Ok(Some(f.get_attr_str("f_back")?).filter(|b| !b.is_none()))
    };
    let internal = |f: &Object| -> PyResult<bool> {
        let name = f.get_attr_str("f_code")?.get_attr_str("co_filename")?.str()?;
        let name = name.to_str_lossy();
        Ok(name.contains("importlib") && name.contains("_bootstrap"))
    };
    let skip_internal = match &frame {
        Some(f) => stacklevel > 0 && !internal(f)?,
        None => false,
    };
    let mut left = stacklevel - 1;
    while left > 0
        && let Some(f) = frame
    {
        frame = back(&f)?;
        while skip_internal
            && let Some(f) = &frame
            && internal(f)?
        {
            frame = back(f)?;
        }
        left -= 1;
    }
    let (globals, file, line) = match &frame {
        Some(f) => {
            let line = f.get_attr_str("f_lineno")?;
            let line = line.downcast::<Int>().and_then(|i| i.to_i128()).unwrap_or(0) as i64;
            (f.get_attr_str("f_globals")?, f.get_attr_str("f_code")?.get_attr_str("co_filename")?, line)
        }
        None => (sys_dict().own().into_object(), Str::new("sys").into_object(), 1),
    };
    let Some(g) = globals.downcast::<Dict>() else {
        return raise!(TypeError, "frame globals must be a dict");
    };
    let registry = match g.get_item(intern!("__warningregistry__"))? {
        Some(r) => r,
        None => {
            let d = Dict::new().into_object();
            g.set_item(intern!("__warningregistry__"), &d)?;
            d
        }
    };
    let module = match g.get_item(intern!("__name__"))? {
        Some(n) if n.is_none() || n.is_instance_of::<Str>() => n,
        _ => Str::new("<string>").into_object(),
    };
    Ok((file, line, module, registry))
}

/// `warnings.warn(message, category, stacklevel, source)` with a checked category.
pub fn warn_object(
    category: &Object,
    message: &Object,
    stacklevel: isize,
    source: Option<&Object>,
) -> PyResult<()> {
    let (file, line, module, registry) = context(stacklevel)?;
    warn_at(category, message, &file, line, Some(&module), Some(&registry), None, source)
}

/// Issues a warning from Rust code: `stacklevel` 1 is the running Python function.
pub fn warn(category: &Type, text: &str, stacklevel: isize) -> PyResult<()> {
    if sys_get("modules").is_none() {
        return Ok(());
    }
    warn_object(category, &Str::new(text), stacklevel, None)
}

/// Issues a warning for a place in a source file (`PyErr_WarnExplicit`), e.g. from the compiler.
pub fn warn_explicit(
    category: &Type,
    text: &str,
    filename: &str,
    lineno: i64,
    module: Option<&str>,
) -> PyResult<()> {
    let module = module.map(Str::new);
    let m = module.as_ref().map(|m| (**m).as_object());
    warn_at(category, &Str::new(text), &Str::new(filename), lineno, m, None, None, None)
}

/// A `ResourceWarning` about an object that was not closed.
pub fn warn_resource(source: &Object, text: &str) -> PyResult<()> {
    warn_object(exc::ResourceWarning(), &Str::new(text), 1, Some(source))
}
