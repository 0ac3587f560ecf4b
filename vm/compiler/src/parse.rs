//! Parsing: calls ruff and lowers its tree. What ruff accepts but Python 3.11 doesn't is rejected here; errors go to
//! [`crate::parse_errors`] to get CPython's wording.

use crate::ast::*;
use crate::error::{ErrorKind, Result, SyntaxError};
use crate::feature_version;
use crate::lower::Lower;
use crate::parse_errors;
use crate::source::Lines;
use crate::type_comments::Comments;
use crate::{CompileFlags, Mode};
use ruff_python_ast::{Mod as RuffMod, PythonVersion};
use ruff_python_parser::{Mode as RuffMode, ParseOptions};
use rustc_hash::FxHashSet;
use std::borrow::Cow;

pub fn parse(lines: &Lines<'_>, mode: Mode, flags: &CompileFlags) -> Result<Mod> {
    let tree = parse_any(lines, mode, flags);
    if mode == Mode::Exec || lines.text.ends_with('\n') {
        tree
    } else {
        tree.map_err(|e| at_bare_end(lines, e))
    }
}

/// An expression on its own: whether it is one.
pub fn expression(text: &str) -> Result<Mod> {
    parse_any(&Lines::new(text), Mode::Eval, &CompileFlags::default())
}

/// Outside modules CPython's tokenizer adds no newline to source that doesn't end in one: the last line is shown without it, and errors at
/// its end have no place of their own.
fn at_bare_end(lines: &Lines<'_>, mut e: Box<SyntaxError>) -> Box<SyntaxError> {
    let last = lines.last();
    let line = lines.line(last);
    if e.lineno != last || e.kind == ErrorKind::Incomplete {
        return e;
    }
    if let Some(t) = &mut e.text
        && t.strip_suffix('\n') == Some(line)
    {
        t.pop();
    }
    let skipped = line.chars().skip((e.offset - 1).max(0) as usize);
    let behind: String = skipped.collect();
    let at_end = matches!(behind.trim_start().as_bytes(), [] | [b'#', ..]) && e.offset > 0;
    let point = e.end_lineno == e.lineno && e.end_offset == e.offset || e.kind == ErrorKind::Indentation;
    if !at_end || !point {
        return e;
    }
    let word =
        line.split(|c: char| !c.is_alphanumeric()).find(|w| !w.is_empty() && *w != "async").unwrap_or("");
    // Tokens that are demanded, and plain errors, have the place of the missing newline; the others are where reading stopped.
    let demanded = e.msg == "expected ':'" && matches!(word, "def" | "else" | "try" | "finally");
    if demanded || e.msg == "invalid syntax" || e.msg == "expected '('" {
        (e.offset, e.end_offset) = (0, 0);
    } else {
        (e.offset, e.end_offset) = (line.chars().count() as i32, -1);
    }
    e
}

fn parse_any(lines: &Lines<'_>, mode: Mode, flags: &CompileFlags) -> Result<Mod> {
    let ruff_mode = if mode == Mode::Eval { RuffMode::Expression } else { RuffMode::Module };
    let options = ParseOptions::from(ruff_mode).with_target_version(PythonVersion::PY311);
    let (text, old_names) = match flags.feature_version {
        Some(v) if v < 7 => feature_version::old_names(lines),
        _ => (Cow::Borrowed(lines.text), FxHashSet::default()),
    };
    let parsed = ruff_python_parser::parse_unchecked(&text, options);
    if !parsed.has_no_syntax_errors() {
        let e = parse_errors::translate(lines, &parsed, mode);
        return Err(if flags.allow_incomplete { incomplete(lines, e) } else { e });
    }
    if let Some(v) = flags.feature_version {
        feature_version::check(lines, parsed.tokens(), parsed.syntax(), v)?;
    }
    let comments = flags.type_comments.then(|| Comments::find(lines, parsed.tokens()));
    let mut lower = Lower::new(lines, flags.warnings)
        .with_comments(comments)
        .with_old_names(old_names)
        .with_max_digits(flags.max_digits);
    match parsed.into_syntax() {
        RuffMod::Expression(e) => Ok(Mod::Expression { body: Box::new(lower.expr(&e.body)?) }),
        RuffMod::Module(m) => {
            let body = lower.body(&m.body)?;
            let type_ignores = match lower.into_comments() {
                Some(c) => c.finish(lines)?,
                None => vec![],
            };
            if mode != Mode::Single {
                return Ok(Mod::Module { body, type_ignores });
            }
            single(lines, &body, flags)?;
            Ok(Mod::Interactive { body })
        }
    }
}

fn is_compound(s: &Stmt) -> bool {
    matches!(
        s.kind,
        StmtKind::FunctionDef(_)
            | StmtKind::AsyncFunctionDef(_)
            | StmtKind::ClassDef(_)
            | StmtKind::For(_)
            | StmtKind::AsyncFor(_)
            | StmtKind::While { .. }
            | StmtKind::If { .. }
            | StmtKind::With { .. }
            | StmtKind::AsyncWith { .. }
            | StmtKind::Match { .. }
            | StmtKind::Try(_)
            | StmtKind::TryStar(_)
    )
}

/// Interactive input is one compound statement or one line of simple ones.
fn single(lines: &Lines<'_>, body: &[Stmt], flags: &CompileFlags) -> Result<()> {
    // An error where the input ends too early, as CPython places it.
    let unfinished = || {
        let n = lines.count();
        let mut e = lines.error(ErrorKind::Syntax, "invalid syntax", 0, 0);
        (e.lineno, e.end_lineno, e.offset, e.end_offset) = (n, n, 0, 0);
        e.text = Some(lines.line(n).to_owned());
        e
    };
    let Some(first) = body.first() else {
        let e = unfinished();
        return Err(if flags.allow_incomplete { incomplete(lines, e) } else { e });
    };
    if let Some(stray) = body[1..].iter().find(|s| is_compound(first) || s.loc.line > last_line(body, s)) {
        if is_compound(first) {
            let start = lines.start_of(stray.loc.line) + stray.loc.col as u32;
            let rest = &lines.text[start as usize..];
            let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len()).max(1);
            let mut e = lines.error(ErrorKind::Syntax, "invalid syntax", start, start + word as u32);
            e.text = Some(lines.line(stray.loc.line).to_owned());
            return Err(e);
        }
        // At the end of the line that should have been all.
        let before = body.iter().take_while(|s| !std::ptr::eq(*s, stray)).last().unwrap_or(first);
        let start = lines.start_of(before.loc.end_line) + before.loc.end_col as u32;
        let rest = lines.text[start as usize..].split('\n').next().unwrap_or("");
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t', ';']).len();
        let (from, to) = (start + blanks as u32, start + rest.len() as u32);
        let msg = "multiple statements found while compiling a single statement";
        return Err(lines.error(ErrorKind::Syntax, msg, from, to));
    }
    let open = is_compound(&body[body.len() - 1]) && !lines.text.ends_with('\n');
    if open && flags.dont_imply_dedent {
        return Err(lines.error_at(ErrorKind::Incomplete, "incomplete input", first.loc));
    }
    // What stands on one line with its head, or a comment, needs the newline that ends it.
    let last = &body[body.len() - 1];
    let inline = last.loc.line == last.loc.end_line || last.loc.end_line < lines.count();
    if open && inline && !flags.allow_incomplete {
        return Err(unfinished());
    }
    Ok(())
}

/// Where the statement before `s` ends.
fn last_line(body: &[Stmt], s: &Stmt) -> i32 {
    body.iter().take_while(|x| !std::ptr::eq(*x, s)).last().map_or(0, |x| x.loc.end_line)
}

/// An error at the end of interactive input means that more is to come. The end of a line is not yet the end of the input: only a block's head,
/// a decorator, a `try` without its handlers and open brackets or strings wait for more lines.
fn incomplete(lines: &Lines<'_>, mut e: Box<SyntaxError>) -> Box<SyntaxError> {
    let text = lines.text.trim_end_matches([' ', '\t', '\n']);
    let last = text.rsplit('\n').next().unwrap_or("");
    let (end_line, end_col) = (text.matches('\n').count() as i32 + 1, last.chars().count() as i32);
    let at_end = e.lineno <= 0 || (e.lineno, e.offset) > (end_line, end_col);
    let waits = (e.msg.starts_with("expected an indented block") || e.msg == "invalid syntax")
        && last.ends_with(':')
        || e.msg.starts_with("expected 'except' or 'finally'")
        || e.msg == "invalid syntax" && last.trim_start().starts_with('@');
    let open = e.msg.ends_with("was never closed")
        || e.msg.starts_with("unterminated triple-quoted")
        || e.msg.starts_with("unexpected EOF");
    if open || at_end && (waits || text.is_empty()) {
        e.kind = ErrorKind::Incomplete;
        e.msg = "incomplete input".into();
    }
    e
}
