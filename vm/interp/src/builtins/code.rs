//! Built-in functions about code and name spaces.

use super::attrs::count;
use super::{Compile, Mode, Source, api};
use lh_runtime::prelude::*;
use lh_runtime::protocols::is_mapping;
use lh_runtime::sysobject::{audit, is_audited};

/// The `CO_FUTURE_*` bits of a code object's flags.
const FUTURE_MASK: i32 = 0x1fe_0000;
const NESTED: i32 = 0x10;
pub const ONLY_AST: i32 = 0x400;
pub const SOURCE_IS_UTF8: i32 = 0x100;
pub const IGNORE_COOKIE: i32 = 0x800;
/// Flags that `compile` takes besides future flags: dont-imply-dedent, only-AST, type comments, top-level await,
/// incomplete input.
const COMPILE_MASK: i32 = 0x200 | ONLY_AST | 0x1000 | 0x2000 | 0x4000;

/// Source text and the flags that say how to decode it.
pub struct SourceText {
    pub text: Vec<u8>,
    pub flags: i32,
}

/// The bytes of a source given as text or as a buffer; `None` for anything else.
pub fn source_text(o: &Object) -> PyResult<Option<SourceText>> {
    let r = if let Some(s) = o.downcast::<Str>() {
        SourceText { text: s.to_str()?.as_bytes().to_vec(), flags: IGNORE_COOKIE | SOURCE_IS_UTF8 }
    } else if let Some(b) = o.downcast::<Bytes>() {
        SourceText { text: b.as_bytes().to_vec(), flags: 0 }
    } else {
        match Buffer::simple(o) {
            Ok(b) => SourceText { text: b.to_vec(), flags: 0 },
            Err(e) => {
                e.clear();
                return Ok(None);
            }
        }
    };
    if r.text.contains(&0) {
        return raise!(ValueError, "source code string cannot contain null bytes");
    }
    Ok(Some(r))
}

fn is_tree(o: &Object) -> PyResult<bool> {
    match crate::compile::TREE_API.get() {
        Some(t) => (t.is_tree)(o),
        None => Ok(false),
    }
}

/// A path as `os.fsdecode` gives it.
pub fn filename_arg(o: &Object) -> PyResult<Owned<Str>> {
    let path = if Str::check(o) || Bytes::check(o) {
        o.own()
    } else {
        match o.lookup_special(intern!("__fspath__"))? {
            Some(f) => f.call0()?,
            None if lh_runtime::buffer::supports_buffer(o) => {
                let text = format!("path should be string, bytes, or os.PathLike, not {}", o.ty().name());
                lh_runtime::warnings::warn(exc::DeprecationWarning(), &text, 1)?;
                Bytes::new(Buffer::simple(o)?.as_bytes()).into_object()
            }
            None => {
                return raise!(TypeError, "expected str, bytes or os.PathLike object, not {}", o.ty().name());
            }
        }
    };
    if let Some(s) = path.downcast::<Str>() {
        return Ok(s.own());
    }
    match path.downcast::<Bytes>() {
        Some(b) => Ok(lh_runtime::codecs::fs_decode(b.as_bytes())),
        None => raise!(
            TypeError,
            "expected {}.__fspath__() to return str or bytes, not {}",
            o.ty().name(),
            path.ty().name()
        ),
    }
}

/// Turns source into a code object that `exec` and `eval` can run.
#[pyfunction(
    signature = "(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)"
)]
pub fn compile(
    source: &Object,
    filename: &Object,
    mode: &Str,
    flags: i32,
    dont_inherit: bool,
    optimize: i32,
    _feature_version: i32,
) -> PyResult {
    let filename = filename_arg(filename)?;
    if flags & !(FUTURE_MASK | NESTED | COMPILE_MASK) != 0 {
        return raise!(ValueError, "compile(): unrecognised flags");
    }
    if !(-1..=2).contains(&optimize) {
        return raise!(ValueError, "compile(): invalid optimize value");
    }
    let mut flags = flags;
    if !dont_inherit {
        flags |= (api()?.current_code_flags)() & FUTURE_MASK;
    }
    let mode = match &*mode.to_str_lossy() {
        "exec" => Mode::Exec,
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        "func_type" if flags & ONLY_AST == 0 => {
            return raise!(ValueError, "compile() mode 'func_type' requires flag PyCF_ONLY_AST");
        }
        "func_type" => Mode::FuncType,
        _ => {
            return if flags & ONLY_AST != 0 {
                raise!(ValueError, "compile() mode must be 'exec', 'eval', 'single' or 'func_type'")
            } else {
                raise!(ValueError, "compile() mode must be 'exec', 'eval' or 'single'")
            };
        }
    };
    let feature_version = if flags & ONLY_AST != 0 { _feature_version } else { -1 };
    if is_tree(source)? {
        if flags & ONLY_AST != 0 {
            return Ok(source.own());
        }
        let request = Compile {
            source: Source::Tree(source),
            filename: &filename,
            mode,
            flags,
            optimize,
            feature_version,
            from_file: false,
        };
        return (api()?.compile)(request);
    }
    let Some(s) = source_text(source)? else {
        return raise!(TypeError, "compile() arg 1 must be a string, bytes or AST object");
    };
    report_source(&s.text, &filename)?;
    let request = Compile {
        source: Source::Text(&s.text),
        filename: &filename,
        mode,
        flags: flags | s.flags,
        optimize,
        feature_version,
        from_file: false,
    };
    (api()?.compile)(request)
}

/// The name spaces of the caller, where `eval` and `exec` were given none.
fn scopes(
    fname: &str,
    globals: Option<&Object>,
    locals: Option<&Object>,
) -> PyResult<(Owned<Dict>, Owned<Object>)> {
    let api = api()?;
    let r = match globals {
        None => {
            let Some(g) = (api.current_globals)() else {
                return raise!(
                    TypeError,
                    "{} must be given globals and locals when called without a frame",
                    fname
                );
            };
            let l = match locals {
                Some(l) => l.own(),
                None => (api.current_locals)()?,
            };
            (g, l)
        }
        Some(g) => {
            // SAFETY: the callers checked that it is a dict.
            let g = unsafe { g.downcast_unchecked::<Dict>() }.own();
            let l = locals.map_or_else(|| g.clone().into_object(), |l| l.own());
            (g, l)
        }
    };
    if !r.0.contains(intern!("__builtins__"))? {
        r.0.set_item(intern!("__builtins__"), &(api.current_builtins)())?;
    }
    Ok(r)
}

fn not_none(o: Option<&Object>) -> Option<&Object> {
    o.filter(|o| !o.is_none())
}

/// The audit event of text that is compiled.
fn report_source(text: &[u8], filename: &Object) -> PyResult<()> {
    if !is_audited() {
        return Ok(());
    }
    audit("compile", &[&Bytes::new(text), filename])
}

fn compile_for(source: SourceText, skip: usize, mode: Mode) -> PyResult<Owned<Code>> {
    report_source(&source.text[skip..], &Str::new("<string>"))?;
    let api = api()?;
    let flags = source.flags | (api.current_code_flags)() & FUTURE_MASK;
    let request = Compile {
        source: Source::Text(&source.text[skip..]),
        filename: intern!("<string>"),
        mode,
        flags,
        optimize: -1,
        feature_version: -1,
        from_file: false,
    };
    match (api.compile)(request)?.downcast_owned::<Code>() {
        Ok(c) => Ok(c),
        Err(_) => raise!(SystemError, "the compiler did not produce a code object"),
    }
}

/// The value of an expression (text or code object) in the given name spaces, by default the caller's.
#[pyfunction(signature = "(source, globals=None, locals=None, /)")]
pub fn eval(source: &Object, globals: Option<&Object>, locals: Option<&Object>) -> PyResult {
    let (globals, locals) = (not_none(globals), not_none(locals));
    if locals.is_some_and(|l| !is_mapping(l)) {
        return raise!(TypeError, "locals must be a mapping");
    }
    if let Some(g) = globals
        && !Dict::check(g)
    {
        return if is_mapping(g) {
            raise!(TypeError, "globals must be a real dict; try eval(code, {{}}, mapping)")
        } else {
            raise!(TypeError, "globals must be a dict")
        };
    }
    let (g, l) = scopes("eval", globals, locals)?;
    if let Some(c) = source.downcast::<Code>() {
        audit("exec", &[source])?;
        if c.freevars().len() > 0 {
            return raise!(TypeError, "code object passed to eval() may not contain free variables");
        }
        return (api()?.eval_code)(c, &g, Some(&l), None);
    }
    let Some(s) = source_text(source)? else {
        return raise!(TypeError, "eval() arg 1 must be a string, bytes or code object");
    };
    let skip = s.text.iter().take_while(|b| **b == b' ' || **b == b'\t').count();
    let code = compile_for(s, skip, Mode::Eval)?;
    audit("exec", &[&code])?;
    (api()?.eval_code)(&code, &g, Some(&l), None)
}

/// Runs statements (text or code object) in the given name spaces, by default the caller's.
///
/// `closure` is a tuple of cells, for a code object with that many free variables.
#[pyfunction(signature = "(source, globals=None, locals=None, /, *, closure=None)")]
pub fn exec(
    source: &Object,
    globals: Option<&Object>,
    locals: Option<&Object>,
    closure: Option<&Object>,
) -> PyResult<()> {
    let (globals, locals, closure) = (not_none(globals), not_none(locals), not_none(closure));
    if let Some(g) = globals
        && !Dict::check(g)
    {
        return raise!(TypeError, "exec() globals must be a dict, not {}", g.ty().name());
    }
    if let Some(l) = locals
        && !is_mapping(l)
    {
        return raise!(TypeError, "locals must be a mapping or None, not {}", l.ty().name());
    }
    let (g, l) = scopes("exec", globals, locals)?;
    if let Some(c) = source.downcast::<Code>() {
        let n = c.freevars().len();
        let mut cells = None;
        if n == 0 {
            if closure.is_some() {
                return raise!(TypeError, "cannot use a closure with this code object");
            }
        } else {
            cells = closure
                .and_then(|o| o.downcast_exact::<Tuple>())
                .filter(|t| t.len() == n && t.iter().all(|x| x.is_exact::<CellObject>()));
            if cells.is_none() {
                return raise!(TypeError, "code object requires a closure of exactly length {}", n);
            }
        }
        audit("exec", &[source])?;
        return (api()?.eval_code)(c, &g, Some(&l), cells).map(drop);
    }
    if closure.is_some() {
        return raise!(TypeError, "closure can only be used when source is a code object");
    }
    let Some(s) = source_text(source)? else {
        return raise!(TypeError, "exec() arg 1 must be a string, bytes or code object");
    };
    let code = compile_for(s, 0, Mode::Exec)?;
    audit("exec", &[&code])?;
    (api()?.eval_code)(&code, &g, Some(&l), None).map(drop)
}

/// The dictionary of the current scope's global variables.
#[pyfunction(signature = "()")]
pub fn globals() -> PyResult<Option<Owned<Dict>>> {
    Ok((api()?.current_globals)())
}

/// A dictionary of the current scope's local variables. Changing it need not change the variables.
#[pyfunction(signature = "()")]
pub fn locals() -> PyResult {
    (api()?.current_locals)()
}

/// vars([object]) -> dictionary
///
/// The object's `__dict__`; without an argument, `locals()`.
#[pyfunction(raw)]
pub fn vars(a: Args<'_>) -> PyResult {
    count(&a, "vars", 0, 1)?;
    match a.get(0) {
        None => (api()?.current_locals)(),
        Some(o) => match o.get_attr_opt(intern!("__dict__"))? {
            Some(d) => Ok(d),
            None => raise!(TypeError, "vars() argument must have __dict__ attribute"),
        },
    }
}

/// dir([object]) -> list of strings
///
/// The names of the object's attributes, sorted: what its `__dir__` says. Without an argument, the names of the current scope.
#[pyfunction(raw)]
pub fn dir(a: Args<'_>) -> PyResult<Owned<List>> {
    count(&a, "dir", 0, 1)?;
    if let Some(o) = a.get(0) {
        return o.dir();
    }
    let names = (api()?.current_locals)()?.call_method("keys", &[])?;
    let names = List::from_vec(names.to_items()?);
    names.sort(None, false)?;
    Ok(names)
}

/// Imports a module: the function behind the `import` statement.
///
/// Programs use `importlib.import_module` instead. Without a `fromlist` the answer is the top package of a dotted name, else the module
/// itself. `level` counts the packages to go up; 0 is an absolute import.
#[pyfunction(signature = "(name, globals=None, locals=None, fromlist=(), level=0)")]
pub fn __import__(
    name: &Object,
    globals: Option<&Object>,
    locals: Option<&Object>,
    fromlist: Option<&Object>,
    level: i32,
) -> PyResult {
    let _ = locals;
    let Some(name) = name.downcast::<Str>() else {
        return raise!(TypeError, "module name must be a string");
    };
    lh_runtime::import::import_module_level(name, globals, fromlist, level)
}
