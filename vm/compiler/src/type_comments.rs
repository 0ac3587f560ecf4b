//! Type comments (`x = []  # type: List[int]`), where the caller asks for them.
//!
//! In CPython's grammar a type comment is a token that only some places take. Here the parser has skipped all comments, so they are looked at
//! afterwards: each statement or parameter that may have one asks for the comment at its place; one that nobody asked for is a syntax error.

use crate::ast::TypeIgnore;
use crate::error::{ErrorKind, Result};
use crate::source::Lines;
use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_text_size::{Ranged, TextSize};
use std::cell::Cell;
use std::rc::Rc;

struct Comment {
    start: TextSize,
    text: Rc<str>,
    /// Index into `Comments::tokens` of the token that follows.
    next: usize,
    used: Cell<bool>,
}

pub struct Comments {
    list: Vec<Comment>,
    ignores: Vec<TypeIgnore>,
    /// The tokens that the grammar sees.
    tokens: Vec<(TokenKind, TextSize, TextSize)>,
}

/// What stands behind `# type: `, if this is such a comment.
fn type_of(comment: &str) -> Option<&str> {
    let blanks = |s: &'_ str| s.len() - s.trim_start_matches([' ', '\t']).len();
    let rest = comment.strip_prefix('#')?;
    let rest = rest[blanks(rest)..].strip_prefix("type:")?;
    Some(&rest[blanks(rest)..])
}

impl Comments {
    pub fn find(lines: &Lines<'_>, tokens: &Tokens) -> Comments {
        let mut c = Comments { list: vec![], ignores: vec![], tokens: vec![] };
        for t in tokens.iter() {
            match t.kind() {
                TokenKind::Comment => {
                    let Some(text) = type_of(&lines.text[t.range()]) else { continue };
                    if let Some(tag) = text.strip_prefix("ignore")
                        && tag.bytes().next().is_none_or(|b| b < 128 && !b.is_ascii_alphanumeric())
                    {
                        let lineno = lines.find(t.start().to_u32()).0;
                        c.ignores.push(TypeIgnore { lineno, tag: tag.into() });
                        continue;
                    }
                    let next = c.tokens.len();
                    c.list.push(Comment {
                        start: t.start(),
                        text: text.into(),
                        next,
                        used: Cell::new(false),
                    });
                }
                TokenKind::NonLogicalNewline => {}
                kind => c.tokens.push((kind, t.start(), t.end())),
            }
        }
        c
    }

    fn between(&self, from: TextSize, to: TextSize) -> impl Iterator<Item = &Comment> {
        let first = self.list.partition_point(|c| c.start < from);
        self.list[first..].iter().take_while(move |c| c.start < to).filter(|c| !c.used.get())
    }

    fn previous(&self, c: &Comment, n: usize) -> Option<(TokenKind, TextSize, TextSize)> {
        c.next.checked_sub(n).map(|i| self.tokens[i])
    }

    fn take(c: &Comment) -> Rc<str> {
        c.used.set(true);
        c.text.clone()
    }

    /// The comment right behind a statement that ends here.
    pub fn after(&self, end: TextSize) -> Option<Rc<str>> {
        let c = self.between(end, TextSize::new(u32::MAX)).next()?;
        (self.previous(c, 1)?.2 == end).then(|| Self::take(c))
    }

    /// The comment behind the colon of a header, before its body.
    pub fn header(&self, head: TextSize, body: TextSize) -> Option<Rc<str>> {
        let c = self.between(head, body).find(|c| {
            self.previous(c, 1).is_some_and(|(kind, start, _)| kind == TokenKind::Colon && start >= head)
        })?;
        Some(Self::take(c))
    }

    /// The comment on the line after a header, before its body.
    pub fn own_line(&self, head: TextSize, body: TextSize) -> Option<Rc<str>> {
        let c = self.between(head, body).find(|c| {
            self.previous(c, 1).is_some_and(|(kind, start, _)| kind == TokenKind::Newline && start >= head)
        })?;
        Some(Self::take(c))
    }

    /// The comment of the parameter that starts here: behind its comma, or behind the last one.
    pub fn argument(&self, start: TextSize) -> Option<Rc<str>> {
        let mut i = self.tokens.partition_point(|t| t.1 < start);
        let mut depth = 0usize;
        // To the end of the parameter.
        loop {
            match self.tokens.get(i)?.0 {
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
                TokenKind::Comma if depth == 0 => {
                    i += 1;
                    break;
                }
                TokenKind::Rpar if depth == 0 => break,
                TokenKind::Colon if depth == 0 && self.in_lambda(i, start) => return None,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth = depth.checked_sub(1)?,
                _ => {}
            }
            i += 1;
        }
        let c = self.list.iter().find(|c| c.next == i && !c.used.get())?;
        Some(Self::take(c))
    }

    /// Is the colon at `i` the end of a lambda's parameters? (Else it introduces an annotation.)
    fn in_lambda(&self, i: usize, start: TextSize) -> bool {
        let mut depth = 0usize;
        for t in self.tokens[..i].iter().rev() {
            match t.0 {
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace if depth == 0 => return false,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth -= 1,
                TokenKind::Lambda if depth == 0 && t.1 < start => return true,
                _ => {}
            }
        }
        false
    }

    /// The lines to ignore; an error if there is a comment where none may be.
    pub fn finish(self, lines: &Lines<'_>) -> Result<Vec<TypeIgnore>> {
        match self.list.iter().find(|c| !c.used.get()) {
            Some(c) => {
                let start = c.start.to_u32();
                let end = lines.text[start as usize..]
                    .find('\n')
                    .map_or(lines.text.len() as u32, |n| start + n as u32);
                Err(lines.error(ErrorKind::Syntax, "invalid syntax", end - c.text.len() as u32, end))
            }
            None => Ok(self.ignores),
        }
    }
}
