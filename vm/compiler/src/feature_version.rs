//! `ast.parse(feature_version=...)`: refuses what an older Python did not have, with CPython's words.

use crate::error::{ErrorKind, Result, SyntaxError};
use crate::source::Lines;
use crate::tokens::{self, Kind};
use ruff_python_ast as r;
use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_python_ast::visitor::{self, Visitor};
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::FxHashSet;
use std::borrow::Cow;

struct Check<'a> {
    lines: &'a Lines<'a>,
    tokens: &'a Tokens,
    minor: u8,
    error: Option<Box<SyntaxError>>,
}

impl Check<'_> {
    fn need(&mut self, minor: u8, what: &str, at: TextRange) {
        if self.minor < minor && self.error.is_none() {
            let msg = format!("{what} only supported in Python 3.{minor} and greater");
            let (start, end) = (at.start().to_u32(), at.end().to_u32());
            self.error = Some(self.lines.error(ErrorKind::Syntax, msg, start, end));
        }
    }
    /// Are a `with` statement's items in parentheses of their own?
    fn is_parenthesised(&self, w: &r::StmtWith) -> bool {
        let mut depth = 0usize;
        let mut it = self.tokens.in_range(w.range).iter().filter(|t| !t.kind().is_trivia());
        if w.is_async {
            it.next();
        }
        it.next();
        while let Some(t) = it.next() {
            match t.kind() {
                TokenKind::Lpar => depth += 1,
                TokenKind::Rpar => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return it.next().is_some_and(|t| t.kind() == TokenKind::Colon);
                    }
                }
                _ if depth == 0 => return false,
                _ => {}
            }
        }
        false
    }
}

impl<'a> Visitor<'a> for Check<'_> {
    // What is inside is complete first, and so refused first.
    fn visit_stmt(&mut self, s: &'a r::Stmt) {
        visitor::walk_stmt(self, s);
        let at = s.range();
        match s {
            r::Stmt::FunctionDef(f) if f.is_async => self.need(5, "Async functions are", at),
            r::Stmt::For(f) if f.is_async => self.need(5, "Async for loops are", at),
            r::Stmt::With(w) => {
                if w.is_async {
                    self.need(5, "Async with statements are", at);
                }
                if self.is_parenthesised(w) {
                    self.need(9, "Parenthesized context managers are", at);
                }
            }
            r::Stmt::AnnAssign(_) => self.need(6, "Variable annotation syntax is", at),
            r::Stmt::AugAssign(x) if x.op == r::Operator::MatMult => self.need(5, "The '@' operator is", at),
            r::Stmt::Try(t) if t.is_star => self.need(11, "Exception groups are", at),
            r::Stmt::Match(_) => self.need(10, "Pattern matching is", at),
            _ => {}
        }
    }
    fn visit_expr(&mut self, e: &'a r::Expr) {
        let at = e.range();
        if e.is_f_string_expr() {
            self.need(6, "Format strings are", at);
        }
        visitor::walk_expr(self, e);
        match e {
            r::Expr::Await(_) => self.need(5, "Await expressions are", at),
            r::Expr::Named(_) => self.need(8, "Assignment expressions are", at),
            r::Expr::BinOp(x) if x.op == r::Operator::MatMult => self.need(5, "The '@' operator is", at),
            r::Expr::NumberLiteral(_) if self.lines.text[at].contains('_') => {
                self.need(6, "Underscores in numeric literals are", at);
            }
            _ => {}
        }
    }
    fn visit_comprehension(&mut self, c: &'a r::Comprehension) {
        if c.is_async {
            self.need(6, "Async comprehensions are", c.range);
        }
        visitor::walk_comprehension(self, c);
    }
    fn visit_parameters(&mut self, p: &'a r::Parameters) {
        if !p.posonlyargs.is_empty() {
            self.need(8, "Positional-only parameters are", p.range);
        }
        visitor::walk_parameters(self, p);
    }
    fn visit_interpolated_string_element(&mut self, e: &'a r::InterpolatedStringElement) {
        if let r::InterpolatedStringElement::Interpolation(i) = e
            && i.debug_text.is_some()
        {
            self.need(8, "f-string: self documenting expressions are", i.range);
        }
        visitor::walk_interpolated_string_element(self, e);
    }
}

pub fn check(lines: &Lines<'_>, tokens: &Tokens, tree: &r::Mod, minor: u8) -> Result<()> {
    let mut c = Check { lines, tokens, minor, error: None };
    match tree {
        r::Mod::Module(m) => m.body.iter().for_each(|s| c.visit_stmt(s)),
        r::Mod::Expression(e) => c.visit_expr(&e.body),
    }
    c.error.map_or(Ok(()), Err)
}

/// Before 3.7 `async` and `await` were names outside of `async def`: the text with others in their place, as long as they, and where they stood.
pub fn old_names<'a>(lines: &Lines<'a>) -> (Cow<'a, str>, FxHashSet<u32>) {
    let found = tokens::tokenize(lines).list;
    let word = |i: usize| -> &str {
        found
            .get(i)
            .filter(|t| t.kind == Kind::Name)
            .map_or("", |t| &lines.text[t.start as usize..t.end as usize])
    };
    let mut places = FxHashSet::default();
    let mut depth = 0i32;
    // The indentation of the `async def` we are in, and whether its header's line has ended.
    let mut inside: Option<(i32, bool)> = None;
    for (i, t) in found.iter().enumerate() {
        match t.kind {
            Kind::Indent => depth += 1,
            Kind::Dedent => depth -= 1,
            Kind::Newline => {
                if let Some((_, ended)) = &mut inside {
                    *ended = true;
                }
            }
            _ => {
                if inside.is_some_and(|(level, ended)| ended && depth <= level) {
                    inside = None;
                }
                match word(i) {
                    "async" if inside.is_none() && word(i + 1) == "def" => inside = Some((depth, false)),
                    "async" | "await" if inside.is_none() => {
                        places.insert(t.start);
                    }
                    _ => {}
                }
            }
        }
    }
    if places.is_empty() {
        return (Cow::Borrowed(lines.text), places);
    }
    let mut text = lines.text.to_owned();
    for p in &places {
        text.replace_range(*p as usize..*p as usize + 5, "name_");
    }
    (Cow::Owned(text), places)
}
