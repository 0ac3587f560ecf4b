//! Parsing: calls ruff, translates its errors into CPython's, and lowers the tree.

use crate::ast::*;
use crate::error::{ErrorKind, Result, SyntaxError};
use crate::lower::Lower;
use crate::source::Lines;
use crate::{CompileFlags, Mode};
use ruff_python_ast::{Mod as RuffMod, PythonVersion};
use ruff_python_parser::{Mode as RuffMode, ParseOptions};

pub fn parse(lines: &Lines<'_>, mode: Mode, _flags: &CompileFlags) -> Result<Mod> {
    let ruff_mode = if mode == Mode::Eval { RuffMode::Expression } else { RuffMode::Module };
    let options = ParseOptions::from(ruff_mode).with_target_version(PythonVersion::PY311);
    let text = if mode == Mode::Eval { lines.text.trim_start_matches([' ', '\t']) } else { lines.text };
    let skipped = lines.text.len() - text.len();
    let padded;
    let text = if skipped > 0 {
        // Keep offsets: leading blanks of an expression become nothing but must count.
        padded = format!("{}{}", "\u{c}".repeat(skipped), text);
        &padded[..]
    } else {
        text
    };
    let parsed = ruff_python_parser::parse_unchecked(text, options);
    if let Some(e) = parsed.errors().first() {
        return Err(crate::parse::error(lines, e));
    }
    if let Some(e) = parsed.unsupported_syntax_errors().first() {
        let (start, end) = (e.range.start().to_u32(), e.range.end().to_u32());
        return Err(lines.error(ErrorKind::Syntax, "invalid syntax", start, end));
    }
    let mut lower = Lower::new(lines);
    match parsed.into_syntax() {
        RuffMod::Expression(e) => Ok(Mod::Expression { body: Box::new(lower.expr(&e.body)?) }),
        RuffMod::Module(m) => {
            let body = lower.body(&m.body)?;
            Ok(if mode == Mode::Single { Mod::Interactive { body } } else { Mod::Module { body } })
        }
    }
}

fn error(lines: &Lines<'_>, e: &ruff_python_parser::ParseError) -> Box<SyntaxError> {
    let (start, end) = (e.location.start().to_u32(), e.location.end().to_u32());
    lines.error(ErrorKind::Syntax, e.error.to_string(), start, end)
}
