//! Python 3.11 source to code objects.
//!
//! ```text
//! bytes --source--> text --ruff--> ruff's tree --lower--> our tree (ast) --fold--> folded tree
//!       --symtable--> scopes --codegen--> control-flow graphs --flow, assemble--> CodeUnit
//! ```
//!
//! The result is CPython 3.11's, byte for byte where the tool `compare-code` can tell; see `docs/compiler.md`. This crate knows
//! no Python objects: the VM converts [`CodeUnit`]s, and `_ast` converts the tree of [`ast`].

mod assemble;
pub mod ast;
pub mod codegen;
pub mod error;
mod feature_version;
mod flow;
pub mod fold;
mod fstring_fields;
pub mod future;
mod literal;
mod lower;
mod parse;
mod parse_errors;
pub mod source;
pub mod symtable;
pub mod token_list;
mod tokens;
mod type_comments;
pub mod unparse;
mod validate;
pub mod values;
pub mod warnings;

use error::Located;
pub use error::{ErrorKind, Result, Stage, SyntaxError};
pub use lh_bytecode::CodeUnit;
use source::Lines;

/// How source is read.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A module.
    Exec,
    /// One expression; the code returns its value.
    Eval,
    /// One interactive statement; expression statements print their value.
    Single,
}

/// Flags of `compile()`.
#[derive(Clone, Default)]
pub struct CompileFlags<'a> {
    /// `CO_FUTURE_*` bits inherited from the caller.
    pub future: u32,
    /// 0, 1 (`-O`: no asserts) or 2 (`-OO`: no doc strings either).
    pub optimize: u8,
    pub allow_top_level_await: bool,
    /// The source is UTF-8 whatever its cookie says (it came as `str`).
    pub ignore_cookie: bool,
    /// The source is a program's file, read by the interpreter itself (it has other messages for bad encodings).
    pub from_file: bool,
    /// Interactive input may be unfinished: report [`ErrorKind::Incomplete`] instead of a syntax error at its end.
    pub allow_incomplete: bool,
    /// Interactive input: a block needs its closing newline (`PyCF_DONT_IMPLY_DEDENT`).
    pub dont_imply_dedent: bool,
    /// Keep `# type:` comments in the tree.
    pub type_comments: bool,
    /// The minor version whose syntax is to be accepted; `None`: this one's.
    pub feature_version: Option<u8>,
    /// How many digits a decimal literal may have; 0: any number.
    pub max_digits: usize,
    /// Collects warnings.
    pub warnings: Option<&'a warnings::Sink>,
    /// Decodes encodings that this crate doesn't know.
    pub decode: Option<&'a dyn Fn(&str, &[u8]) -> Option<String>>,
}

/// Compiles source bytes.
pub fn compile(source: &[u8], filename: &str, mode: Mode, flags: &CompileFlags) -> Result<CodeUnit> {
    let text = source::decode(source, filename, flags.ignore_cookie, flags.from_file, flags.decode)?;
    deep(text.len(), || {
        let lines = Lines::new(&text);
        let tree = parse::parse(&lines, mode, flags)?;
        compile_tree(tree, filename, flags).map_err(locate)
    })
}

/// Recursive descent over deeply nested programs needs more stack than a thread may have left; how deep `len` bytes of source can nest
/// says whether what is left will do. No Python code runs inside (decoding may: it comes before).
fn deep<T>(len: usize, f: impl FnOnce() -> T) -> T {
    /// More than any level of nesting takes, which is at least a byte of source.
    const LEVEL: usize = 16 << 10;
    let enough = len.saturating_mul(LEVEL).saturating_add(256 << 10);
    if stacker::remaining_stack().is_some_and(|left| left > enough) {
        return f();
    }
    stacker::grow(64 << 20, f)
}

/// Parses source bytes (`ast.parse`).
pub fn parse_ast(source: &[u8], filename: &str, mode: Mode, flags: &CompileFlags) -> Result<ast::Mod> {
    let text = source::decode(source, filename, flags.ignore_cookie, flags.from_file, flags.decode)?;
    deep(text.len(), || parse::parse(&Lines::new(&text), mode, flags))
}

/// Compiles a tree, e.g. one made from Python's `ast` objects, after checking it. Errors carry no source text.
pub fn compile_ast(tree: ast::Mod, filename: &str, flags: &CompileFlags) -> Result<CodeUnit> {
    deep(usize::MAX, || validate::validate(&tree).and_then(|()| compile_tree(tree, filename, flags)))
        .map_err(locate)
}

/// The symbol table of source bytes (`symtable.symtable`).
pub fn symbols(
    source: &[u8],
    filename: &str,
    mode: Mode,
    flags: &CompileFlags,
) -> Result<symtable::SymbolTable> {
    let text = source::decode(source, filename, flags.ignore_cookie, flags.from_file, flags.decode)?;
    deep(text.len(), || {
        let lines = Lines::new(&text);
        let tree = parse::parse(&lines, mode, flags)?;
        let table = future::scan(&tree, flags.future).and_then(|(future, _)| {
            symtable::build(&tree, future & lh_bytecode::flags::CO_FUTURE_ANNOTATIONS != 0)
        });
        table.map_err(|e| locate(in_symbols(e)))
    })
}

fn compile_tree(
    mut tree: ast::Mod,
    filename: &str,
    flags: &CompileFlags,
) -> std::result::Result<CodeUnit, Box<Located>> {
    let (future, future_line) = future::scan(&tree, flags.future).map_err(in_symbols)?;
    let future_annotations = future & lh_bytecode::flags::CO_FUTURE_ANNOTATIONS != 0;
    fold::fold_mod(&mut tree, flags.optimize, future_annotations);
    let table = symtable::build(&tree, future_annotations).map_err(in_symbols)?;
    let opts = codegen::Options {
        filename: filename.to_owned(),
        optimize: flags.optimize,
        future,
        future_line,
        interactive: matches!(tree, ast::Mod::Interactive { .. }),
        top_level_await: flags.allow_top_level_await,
        warnings: flags.warnings,
    };
    codegen::compile(&tree, &table, &opts)
}

fn in_symbols(mut e: Box<Located>) -> Box<Located> {
    e.stage = Stage::Symbols;
    e
}

/// An error of the later stages, which no longer have the text: columns count bytes.
#[expect(clippy::boxed_local, reason = "errors travel boxed")]
fn locate(e: Box<Located>) -> Box<SyntaxError> {
    let mut s = SyntaxError::plain(e.kind, e.msg);
    if e.loc.line > 0 {
        (s.lineno, s.offset) = (e.loc.line, e.loc.col + 1);
        (s.end_lineno, s.end_offset) = (e.loc.end_line, e.loc.end_col + 1);
    }
    s.stage = e.stage;
    s
}
