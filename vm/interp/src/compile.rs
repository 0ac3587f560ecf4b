//! `compile()`'s way to the compiler crate: source text in, code object out; its errors as Python exceptions.

use crate::builtins::{Compile, Mode, Source};
use crate::prelude::*;
use lh_compiler::ast::{Expr, ExprKind, Mod};
use lh_compiler::symtable::SymbolTable;
use lh_compiler::warnings::Sink;
use lh_compiler::{CompileFlags, ErrorKind, Stage, SyntaxError};
use std::sync::OnceLock;

/// What the module of the `ast` classes (above this crate) does for `compile()`.
pub struct TreeApi {
    pub to_python: fn(&Mod) -> PyResult,
    /// The tree of a node that must be the one for the mode.
    pub from_python: fn(&Object, Mode) -> PyResult<Mod>,
    /// Is it an instance of `ast.AST`?
    pub is_tree: fn(&Object) -> PyResult<bool>,
    /// `FunctionType(argtypes, returns)`
    pub function_type: fn(Vec<Expr>, Expr) -> PyResult,
}
/// Installed at start-up.
pub static TREE_API: OnceLock<TreeApi> = OnceLock::new();

fn trees() -> PyResult<&'static TreeApi> {
    match TREE_API.get() {
        Some(t) => Ok(t),
        None => raise!(SystemError, "syntax trees need the _ast module"),
    }
}

const ONLY_AST: i32 = 0x400;
const TYPE_COMMENTS: i32 = 0x1000;

/// The exception for a compiler error.
pub fn raise_error(e: &SyntaxError, filename: &Str) -> Raised {
    let class = match e.kind {
        ErrorKind::Syntax | ErrorKind::Incomplete => exc::SyntaxError(),
        ErrorKind::Indentation => exc::IndentationError(),
        ErrorKind::Tab => exc::TabError(),
        ErrorKind::NeedsCodec => return raised!(SyntaxError, "encoding problem: {}", e.msg),
        ErrorKind::Value => return raised!(ValueError, "{}", e.msg),
        ErrorKind::Recursion => return raised!(RecursionError, "{}", e.msg),
        ErrorKind::Memory => return lh_runtime::errors::set_object(exc::MemoryError(), None),
    };
    let make = || -> PyResult<Owned<Exception>> {
        let msg = Str::new(&e.msg).into_object();
        if e.lineno == 0 && e.text.is_none() && e.offset == 0 && e.stage == Stage::Parser {
            return lh_runtime::exceptions::make(class, &[&msg]);
        }
        let text = match e.stage {
            Stage::Parser => e.text.clone(),
            _ => lh_runtime::warnings::source_line(&filename.to_str_lossy(), e.lineno as i64),
        };
        if e.stage == Stage::Symbols {
            let x = lh_runtime::exceptions::make(class, &[&msg])?;
            x.set_attr_str("filename", filename)?;
            for (name, n) in [
                ("lineno", e.lineno),
                ("offset", e.offset),
                ("end_lineno", e.end_lineno),
                ("end_offset", e.end_offset),
            ] {
                x.set_attr_str(name, &Int::from_i64(n as i64))?;
            }
            x.set_attr_str("text", &*text.into_py()?)?;
            return Ok(x);
        }
        let place = (filename, e.lineno, e.offset, text, e.end_lineno);
        let place = place.into_py()?;
        let t = place
            .downcast::<Tuple>()
            .expect("a tuple")
            .concat(&Tuple::from_vec(vec![Int::from_i64(e.end_offset as i64).into_object()]))?;
        lh_runtime::exceptions::make(class, &[&msg, &t])
    };
    match make() {
        Ok(x) => lh_runtime::errors::raise_exc_with_context(x),
        Err(r) => r,
    }
}

/// Decodes source in an encoding that the compiler does not know, through the codec registry.
fn decode(encoding: &str, bytes: &[u8]) -> Option<String> {
    let b = Bytes::new(bytes);
    match b.call_method("decode", &[&*Str::new(encoding)]) {
        Ok(s) => s.downcast::<Str>().map(|s| s.to_str_lossy().into_owned()),
        Err(e) => {
            e.clear();
            None
        }
    }
}

/// The compiler's options for `PyCF_*` flags.
fn options<'a>(flags: i32, optimize: i32, warnings: &'a Sink) -> CompileFlags<'a> {
    use lh_bytecode::flags as f;
    let has = |bit: u32| flags as u32 & bit != 0;
    CompileFlags {
        future: flags as u32 & f::PYCF_MASK,
        optimize: match optimize {
            n if n < 0 => lh_runtime::sysobject::config().optimize.clamp(0, 2) as u8,
            n => n as u8,
        },
        allow_top_level_await: has(f::PYCF_ALLOW_TOP_LEVEL_AWAIT),
        ignore_cookie: has(f::PYCF_IGNORE_COOKIE),
        allow_incomplete: has(f::PYCF_ALLOW_INCOMPLETE_INPUT),
        dont_imply_dedent: has(f::PYCF_DONT_IMPLY_DEDENT),
        type_comments: flags & TYPE_COMMENTS != 0,
        max_digits: lh_runtime::intobject::text::max_str_digits().max(0) as usize,
        warnings: Some(warnings),
        decode: Some(&decode),
        ..CompileFlags::default()
    }
}

fn start(mode: Mode) -> lh_compiler::Mode {
    match mode {
        Mode::Exec | Mode::FuncType => lh_compiler::Mode::Exec,
        Mode::Eval => lh_compiler::Mode::Eval,
        Mode::Single => lh_compiler::Mode::Single,
    }
}

/// `EvalApi::compile`.
pub fn compile(c: Compile<'_>) -> PyResult {
    let warnings = Sink::default();
    let mut options = options(c.flags, c.optimize, &warnings);
    options.from_file = c.from_file;
    options.feature_version = u8::try_from(c.feature_version).ok();
    let filename = c.filename.to_str_lossy();
    let text = match c.source {
        Source::Text(t) => t,
        Source::Tree(tree) => {
            let tree = (trees()?.from_python)(tree, c.mode)?;
            let unit = lh_compiler::compile_ast(tree, &filename, &options);
            return code(unit, &warnings, c.filename, b"");
        }
    };
    if c.mode == Mode::FuncType {
        return signature(text, &filename, &options).map_err(|e| raise_error(&e, c.filename))?;
    }
    if c.flags & ONLY_AST != 0 {
        return match lh_compiler::parse_ast(text, &filename, start(c.mode), &options) {
            Ok(tree) => {
                issue_all(&warnings, c.filename, text)?;
                (trees()?.to_python)(&tree)
            }
            Err(e) => Err(raise_error(&e, c.filename)),
        };
    }
    code(lh_compiler::compile(text, &filename, start(c.mode), &options), &warnings, c.filename, text)
}

fn code(
    unit: lh_compiler::Result<lh_compiler::CodeUnit>,
    warnings: &Sink,
    filename: &Str,
    source: &[u8],
) -> PyResult {
    match unit {
        Ok(unit) => {
            issue_all(warnings, filename, source)?;
            let made = Code::from_unit(&unit)?;
            if filename.as_ascii().is_none() && filename.make_utf8().is_err() {
                // Surrogates, which the compiler's text cannot have.
                made.set_filename(filename);
            }
            Ok(made.into_object())
        }
        Err(e) => Err(raise_error(&e, filename)),
    }
}

fn issue_all(warnings: &Sink, filename: &Str, source: &[u8]) -> PyResult<()> {
    warnings.take().iter().try_for_each(|w| issue(w, filename, source))
}

/// `(int, *str, **Any) -> bool`: the tree of a signature type comment. The compiler parses its two halves.
fn signature(text: &[u8], filename: &str, options: &CompileFlags<'_>) -> lh_compiler::Result<PyResult> {
    let invalid = || {
        let mut e = SyntaxError::plain(ErrorKind::Syntax, "invalid syntax");
        (e.lineno, e.offset) = (1, 1);
        e.text = Some(String::from_utf8_lossy(text).into_owned());
        e
    };
    let text_str = std::str::from_utf8(text).map_err(|_| invalid())?;
    let (head, result) = text_str.rsplit_once("->").ok_or_else(invalid)?;
    let parse =
        |s: String| match lh_compiler::parse_ast(s.as_bytes(), filename, lh_compiler::Mode::Eval, options)? {
            Mod::Expression { body } => Ok(*body),
            _ => Err(invalid()),
        };
    let head = head.trim();
    if !head.starts_with('(') || !head.ends_with(')') {
        return Err(invalid());
    }
    let ExprKind::Call { args, keywords, .. } = parse(format!("f{head}"))?.kind else {
        return Err(invalid());
    };
    let plain = |e: Expr| match e.kind {
        ExprKind::Starred { value, .. } => *value,
        _ => e,
    };
    // One starred type at most, and one doubly starred one behind all others.
    let stars = args.iter().filter(|a| matches!(a.kind, ExprKind::Starred { .. })).count();
    let last_starred = args.last().is_some_and(|a| matches!(a.kind, ExprKind::Starred { .. }));
    let behind = |k: &lh_compiler::ast::Keyword| {
        args.last().is_some_and(|a| (a.loc.line, a.loc.col) > (k.loc.line, k.loc.col))
    };
    if stars > 1 || stars == 1 && !last_starred || keywords.len() > 1 || keywords.iter().any(behind) {
        return Err(invalid());
    }
    let mut types: Vec<Expr> = args.into_iter().map(plain).collect();
    for k in keywords {
        if k.arg.is_some() {
            return Err(invalid());
        }
        types.push(k.value);
    }
    let result = parse(result.trim().to_string())?;
    Ok(trees().and_then(|t| (t.function_type)(types, result)))
}

/// The symbol table of source text (`symtable.symtable`).
pub fn symbols(source: &[u8], filename: &Str, mode: Mode, flags: i32) -> PyResult<SymbolTable> {
    let warnings = Sink::default();
    let table =
        lh_compiler::symbols(source, &filename.to_str_lossy(), start(mode), &options(flags, -1, &warnings));
    let table = table.map_err(|e| raise_error(&e, filename))?;
    issue_all(&warnings, filename, source)?;
    Ok(table)
}

/// Issues a warning of the compiler. If a filter makes it an error, that is a syntax error at the same place.
fn issue(w: &lh_compiler::warnings::Warning, filename: &Str, source: &[u8]) -> PyResult<()> {
    let category = match w.category {
        lh_compiler::warnings::Category::Syntax => exc::SyntaxWarning(),
        lh_compiler::warnings::Category::Deprecation => exc::DeprecationWarning(),
    };
    match lh_runtime::warnings::warn_explicit(
        category,
        &w.msg,
        &filename.to_str_lossy(),
        w.loc.line as i64,
        None,
    ) {
        Err(e) if e.matches(category) => {
            e.clear();
            let line = source.split(|b| *b == b'\n').nth((w.loc.line as usize).saturating_sub(1));
            let error = SyntaxError {
                kind: ErrorKind::Syntax,
                msg: w.msg.clone(),
                lineno: w.loc.line,
                offset: w.loc.col + 1,
                end_lineno: w.loc.end_line,
                end_offset: w.loc.end_col + 1,
                text: line.map(|l| String::from_utf8_lossy(l).into_owned()),
                stage: Stage::Parser,
            };
            Err(raise_error(&error, filename))
        }
        r => r,
    }
}
