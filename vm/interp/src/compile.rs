//! `compile()`'s way to the compiler crate: source text in, code object out; its errors as Python exceptions.

use crate::builtins::{Compile, Mode, Source};
use crate::prelude::*;
use lh_compiler::{CompileFlags, ErrorKind, SyntaxError};
use std::sync::OnceLock;

/// Compiling and making `_ast` trees; installed by the module that knows those classes.
pub static TREE_HOOK: OnceLock<fn(&Compile<'_>) -> PyResult> = OnceLock::new();

const ONLY_AST: i32 = 0x400;

/// The exception for a compiler error.
pub fn raise_error(e: &SyntaxError, filename: &Str) -> Raised {
    let class = match e.kind {
        ErrorKind::Syntax | ErrorKind::Incomplete => exc::SyntaxError(),
        ErrorKind::Indentation => exc::IndentationError(),
        ErrorKind::Tab => exc::TabError(),
        ErrorKind::NeedsCodec => return raised!(SyntaxError, "encoding problem: {}", e.msg),
        ErrorKind::Value => return raised!(ValueError, "{}", e.msg),
        ErrorKind::Recursion => return raised!(RecursionError, "{}", e.msg),
    };
    let make = || -> PyResult<Owned<Exception>> {
        let msg = Str::new(&e.msg).into_object();
        if e.lineno == 0 && e.text.is_none() && e.offset == 0 {
            return lh_runtime::exceptions::make(class, &[&msg]);
        }
        let place = (filename, e.lineno, e.offset, e.text.as_deref(), e.end_lineno);
        let place = place.into_py()?;
        let t = place.downcast::<Tuple>().expect("a tuple").concat(&Tuple::from_vec(vec![
            Int::from_i64(e.end_offset as i64).into_object(),
        ]))?;
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

/// `EvalApi::compile`.
pub fn compile(c: Compile<'_>) -> PyResult {
    let text = match c.source {
        Source::Text(t) if c.flags & ONLY_AST == 0 && c.mode != Mode::FuncType => t,
        _ => {
            return match TREE_HOOK.get() {
                Some(f) => f(&c),
                None => raise!(SystemError, "syntax trees need the _ast module"),
            };
        }
    };
    let optimize = match c.optimize {
        n if n < 0 => lh_runtime::sysobject::config().optimize.clamp(0, 2) as u8,
        n => n as u8,
    };
    let warnings: lh_compiler::warnings::Sink = std::cell::RefCell::new(vec![]);
    let flags = CompileFlags {
        future: c.flags as u32 & lh_bytecode::flags::PYCF_MASK,
        optimize,
        allow_top_level_await: c.flags as u32 & lh_bytecode::flags::PYCF_ALLOW_TOP_LEVEL_AWAIT != 0,
        ignore_cookie: c.flags as u32 & lh_bytecode::flags::PYCF_IGNORE_COOKIE != 0,
        allow_incomplete: c.flags as u32 & lh_bytecode::flags::PYCF_ALLOW_INCOMPLETE_INPUT != 0,
        dont_imply_dedent: c.flags as u32 & lh_bytecode::flags::PYCF_DONT_IMPLY_DEDENT != 0,
        warnings: Some(&warnings),
        decode: Some(&decode),
        ..CompileFlags::default()
    };
    let mode = match c.mode {
        Mode::Exec | Mode::FuncType => lh_compiler::Mode::Exec,
        Mode::Eval => lh_compiler::Mode::Eval,
        Mode::Single => lh_compiler::Mode::Single,
    };
    match lh_compiler::compile(text, &c.filename.to_str_lossy(), mode, &flags) {
        Ok(unit) => {
            for w in warnings.into_inner() {
                issue(&w, c.filename, text)?;
            }
            Ok(Code::from_unit(&unit)?.into_object())
        }
        Err(e) => Err(raise_error(&e, c.filename)),
    }
}

/// Issues a warning of the compiler. If a filter makes it an error, that is a syntax error at the same place.
fn issue(w: &lh_compiler::warnings::Warning, filename: &Str, source: &[u8]) -> PyResult<()> {
    let category = match w.category {
        lh_compiler::warnings::Category::Syntax => exc::SyntaxWarning(),
        lh_compiler::warnings::Category::Deprecation => exc::DeprecationWarning(),
    };
    match lh_runtime::warnings::warn_explicit(category, &w.msg, &filename.to_str_lossy(), w.loc.line as i64, None) {
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
            };
            Err(raise_error(&error, filename))
        }
        r => r,
    }
}
