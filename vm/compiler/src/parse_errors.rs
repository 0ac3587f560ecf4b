//! Ruff's parse errors in CPython's words and places.
//!
//! CPython reports the first of: an error of its tokenizer anywhere in the file, a bracket that is never closed, a special message for a
//! common mistake, and else "invalid syntax" at the furthest token. [`crate::tokens`] finds the first two; ruff's errors with
//! the tree it has recovered serve for the third.

use crate::Mode;
use crate::error::{ErrorKind, SyntaxError};
use crate::source::Lines;
use crate::tokens::{Kind, Token, Tokens, tokenize};
use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{self as r, Expr};
use ruff_python_parser::{
    InterpolatedStringErrorType as FError, LexicalErrorType as Lex, ParseError, ParseErrorType as E, Parsed,
};
use ruff_text_size::Ranged;

type Error = Box<SyntaxError>;

struct Exprs<'a>(Vec<&'a Expr>);

impl<'a> Visitor<'a> for Exprs<'a> {
    fn visit_expr(&mut self, e: &'a Expr) {
        self.0.push(e);
        walk_expr(self, e);
    }
}

struct Context<'a> {
    lines: &'a Lines<'a>,
    tokens: Tokens,
    exprs: Vec<&'a Expr>,
}

pub fn translate(lines: &Lines<'_>, parsed: &Parsed<r::Mod>, mode: Mode) -> Error {
    let mut tokens = tokenize(lines);
    if let Some(e) = tokens.error.take() {
        // An unexpected indent before it is reported first.
        if let Some(ParseError { error: E::UnexpectedIndentation, location }) = parsed.errors().first()
            && let Some(i) =
                tokens.list.iter().position(|t| t.kind == Kind::Indent && t.end >= location.start().to_u32())
        {
            return Context { lines, tokens, exprs: vec![] }.indent_error(i);
        }
        if tokens.list.first().is_some_and(|t| t.kind == Kind::Indent) {
            return Context { lines, tokens, exprs: vec![] }.indent_error(0);
        }
        // Of these the tokenizer tells only the parser: who has failed before doesn't hear of them.
        let quiet = matches!(e.kind, ErrorKind::Indentation | ErrorKind::Tab)
            || e.msg.starts_with("unexpected character after line")
            || e.msg.starts_with("unexpected EOF");
        let text = |t: &&Token| !matches!(t.kind, Kind::Newline | Kind::Indent | Kind::Dedent);
        let last = tokens.list.iter().rfind(text).map_or(0, |t| t.start);
        if !quiet || parsed.errors().first().is_none_or(|f| f.location.start().to_u32() >= last) {
            return e;
        }
        tokens.end();
    }
    let mut exprs = Exprs(vec![]);
    match parsed.syntax() {
        r::Mod::Module(m) => m.body.iter().for_each(|s| exprs.visit_stmt(s)),
        r::Mod::Expression(e) => exprs.visit_expr(&e.body),
    }
    let c = Context { lines, tokens, exprs: exprs.0 };
    let place = match (parsed.errors().first(), parsed.unsupported_syntax_errors().first()) {
        (Some(e), _) => e.location.start().to_u32(),
        (None, Some(u)) => u.range.start().to_u32(),
        (None, None) => 0,
    };
    let strings =
        c.tokens.list.iter().enumerate().filter(|(_, t)| t.kind == Kind::String && t.start <= place);
    for (i, t) in strings {
        if let Some(msg) = crate::fstring_fields::problem(c.text(t)) {
            return c.behind(msg, i);
        }
        if t.end > place
            && let Some(e) = c.in_fstring(i)
        {
            return e;
        }
    }
    let Some(first) = parsed.errors().first() else {
        let Some(u) = parsed.unsupported_syntax_errors().first() else {
            return SyntaxError::plain(ErrorKind::Syntax, "invalid syntax");
        };
        return c.unsupported(u);
    };
    let e = c.error(first, mode);
    if let Some(open) = c.tokens.unclosed {
        let line = lines.find(open).0;
        let rest = lines.text.trim_end().len();
        let at_end = first.location.start().to_usize() >= rest
            || first.location.end().to_usize() >= rest && e.msg != "invalid syntax";
        // Special messages are found by reading on: the last token read counts.
        let list = &c.tokens.list;
        let read = list.iter().find(|t| {
            let (l, col) = lines.find(t.start);
            e.msg.len() > 14 && (l, col) >= (e.end_lineno, e.end_offset - 1)
        });
        let last = read.map_or(e.lineno, |t| lines.find(t.start).0).max(e.lineno);
        if last > line || at_end {
            let bracket = lines.text.as_bytes()[open as usize] as char;
            let mut e = lines.error(ErrorKind::Syntax, format!("'{bracket}' was never closed"), open, open);
            e.end_offset = 0;
            return e;
        }
    }
    e
}

impl<'a> Context<'a> {
    fn at(&self, msg: impl Into<String>, start: u32, end: u32) -> Error {
        let mut e = self.lines.error(ErrorKind::Syntax, msg, start, end);
        if e.end_lineno > e.lineno {
            // A line that has been read past is shown without its newline.
            e.text = e.text.map(|t| t.trim_end_matches('\n').to_owned());
            // The end's column is looked up in the first line.
            let n = e.text.as_ref().map_or(0, |t| t.chars().count()) as i32;
            e.end_offset = e.end_offset.min(n + 1);
        }
        e
    }

    /// Index of the token at or after an offset.
    fn index(&self, at: u32) -> usize {
        let list = &self.tokens.list;
        list.iter().position(|t| t.end > at || t.start >= at).unwrap_or(list.len().saturating_sub(1))
    }

    fn text(&self, t: &Token) -> &'a str {
        &self.lines.text[t.start as usize..t.end as usize]
    }

    fn token_error(&self, msg: impl Into<String>, i: usize) -> Error {
        let t = self.tokens.list[i];
        let implicit = t.kind == Kind::Newline;
        self.at(msg, t.start, if implicit { t.start } else { t.end })
    }

    fn invalid(&self, at: u32) -> Error {
        let i = self.index(at);
        let list = &self.tokens.list;
        match list[i].kind {
            Kind::Indent => self.indent_error(i),
            // A head without a body at the end of the file.
            Kind::Newline | Kind::End if i > 0 && self.ends_head(i) => {
                self.expected_block(self.lines.text.len() as u32)
            }
            // `a not b`: an `in` might have followed.
            Kind::Name if self.text(&list[i]) == "not" && i > 0 && self.ends_operand(i - 1) => {
                self.token_error("invalid syntax", (i + 1).min(list.len() - 1))
            }
            _ => self.token_error("invalid syntax", i),
        }
    }
    fn ends_operand(&self, i: usize) -> bool {
        let t = &self.tokens.list[i];
        match t.kind {
            Kind::Number | Kind::String => true,
            Kind::Name => !is_keyword(self.text(t)) || matches!(self.text(t), "None" | "True" | "False"),
            _ => matches!(self.text(t), ")" | "]" | "}"),
        }
    }

    /// Whether the last token before `i` is the colon of a statement's head, with nothing behind.
    fn ends_head(&self, i: usize) -> bool {
        let list = &self.tokens.list;
        let rest_blank = list[i..].iter().all(|t| matches!(t.kind, Kind::Newline | Kind::Dedent | Kind::End));
        let last = (0..i).rev().find(|&k| !matches!(list[k].kind, Kind::Newline | Kind::Dedent));
        rest_blank
            && last.is_some_and(|k| self.text(&list[k]) == ":" && list[k].level == 0 && self.is_head(k))
    }

    /// What is wrong with the expressions of an f-string: each is parsed on its own, in parentheses, and errors show that text.
    fn in_fstring(&self, i: usize) -> Option<Error> {
        let t = self.tokens.list[i];
        crate::fstring_fields::expressions(self.text(&t)).into_iter().find_map(|(from, field)| {
            let text = format!("({field})\n");
            let mut e = crate::parse::expression(&text).err()?;
            let line = self.lines.find(t.start + from as u32).0;
            e.lineno += line - 1;
            e.end_lineno += line - 1;
            let of_tokenizer = || tokenize(&Lines::new(&text)).error.is_some_and(|t| t.msg == e.msg);
            if !e.msg.starts_with("f-string") && !of_tokenizer() {
                e.msg.insert_str(0, "f-string: ");
            }
            Some(e)
        })
    }

    fn indent_error(&self, i: usize) -> Error {
        let t = self.tokens.list[i];
        let mut e = self.lines.error(ErrorKind::Indentation, "unexpected indent", t.end, t.end);
        e.offset -= 1;
        e.end_offset = -1;
        e
    }

    fn expr_at(&self, start: u32, end: u32) -> Option<&'a Expr> {
        self.exprs
            .iter()
            .copied()
            .find(|e| e.range().start().to_u32() == start && e.range().end().to_u32() == end)
    }

    /// The statement keyword that starts the logical line before token `i`, with its line.
    fn statement_before(&self, i: usize) -> Option<(String, i32)> {
        let list = &self.tokens.list;
        let newline = (0..i).rev().find(|&k| list[k].kind == Kind::Newline)?;
        // The head may start after a block's colon, but never on the same line as another head: take the line's first token.
        let mut k = (0..newline).rev().find(|&k| list[k].kind == Kind::Newline).map_or(0, |k| k + 1);
        while matches!(list[k].kind, Kind::Indent | Kind::Dedent) {
            k += 1;
        }
        let line = self.lines.find(list[k].start).0;
        let mut word = self.text(&list[k]);
        if word == "async" {
            word = self.text(&list[k + 1]);
        }
        let star = word == "except" && list.get(k + 1).is_some_and(|t| self.text(t) == "*");
        let what = match word {
            "def" => "function definition".to_owned(),
            "class" => "class definition".to_owned(),
            "except" if star => "'except*' statement".to_owned(),
            w => format!("'{w}' statement"),
        };
        Some((what, line))
    }

    fn expected_block(&self, at: u32) -> Error {
        let list = &self.tokens.list;
        let mut i = self.index(at);
        if let Some(k) = (0..list.len())
            .find(|&k| list[k].start >= at && !matches!(list[k].kind, Kind::Newline | Kind::Dedent))
        {
            i = k;
        }
        let Some((what, line)) = self.statement_before(i) else { return self.invalid(at) };
        let msg = format!("expected an indented block after {what} on line {line}");
        let t = list[i];
        if t.kind == Kind::End {
            // At the end CPython points behind the last line.
            let n = self.lines.count().max(1);
            let text = self.lines.line(n).trim_end_matches('\n');
            let end = self.lines.start_of(n) + text.len() as u32;
            let mut e = self.lines.error(ErrorKind::Indentation, msg, end, end);
            e.end_offset = -1;
            return e;
        }
        self.lines.error(ErrorKind::Indentation, msg, t.start, t.end)
    }

    fn error(&self, e: &ParseError, mode: Mode) -> Error {
        let (start, end) = (e.location.start().to_u32(), e.location.end().to_u32());
        let range = |msg: &str| self.at(msg, start, end);
        match &e.error {
            E::InvalidAssignmentTarget => self.assignment_target(start, end),
            E::InvalidNamedAssignmentTarget => match self.expr_at(start, end) {
                Some(x) => range(&format!("cannot use assignment expressions with {}", expr_name(x))),
                None => self.invalid(start),
            },
            E::InvalidAugmentedAssignmentTarget => match self.expr_at(start, end) {
                Some(x) => {
                    range(&format!("'{}' is an illegal expression for augmented assignment", expr_name(x)))
                }
                None => self.invalid(start),
            },
            E::InvalidAnnotatedAssignmentTarget => {
                let list = &self.tokens.list;
                let colon = (0..list.len()).find(|&k| list[k].start >= end && self.text(&list[k]) == ":");
                match colon {
                    // Nothing is annotated: the colon itself is wrong.
                    Some(k)
                        if list.get(k + 1).is_none_or(|t| matches!(t.kind, Kind::Newline | Kind::End)) =>
                    {
                        self.token_error("invalid syntax", k)
                    }
                    _ => range("illegal target for annotation"),
                }
            }
            E::InvalidDeleteTarget => match self.expr_at(start, end) {
                Some(x) => range(&format!("cannot delete {}", expr_name(x))),
                None => self.invalid(start),
            },
            E::PositionalAfterKeywordArgument if matches!(self.expr_at(start, end), Some(Expr::Generator(g)) if !g.parenthesized) => {
                range("Generator expression must be parenthesized")
            }
            E::PositionalAfterKeywordArgument => {
                self.token_error("positional argument follows keyword argument", self.closing(start))
            }
            E::PositionalAfterKeywordUnpacking => self
                .token_error("positional argument follows keyword argument unpacking", self.closing(start)),
            E::InvalidArgumentUnpackingOrder => {
                let msg = "iterable argument unpacking follows keyword argument unpacking";
                let i = self.index(start);
                let list = &self.tokens.list;
                let level = list[i].level;
                let found = (0..i).rev().find(|&k| list[k].level == level && self.text(&list[k]) == "**");
                let Some(k) = found else { return range(msg) };
                let comma =
                    (k..i).find(|&k| list[k].level == level && self.text(&list[k]) == ",").unwrap_or(i);
                self.at(msg, list[k].start, list[comma - 1].end)
            }
            E::InvalidStarredExpressionUsage => {
                let i = self.index(start);
                if i > 0 && self.text(&self.tokens.list[i - 1]) == ":" && self.bracket(i) == Some("{") {
                    return range("cannot use a starred expression in a dictionary value");
                }
                let list = &self.tokens.list;
                let next = self.index(end);
                match (i > 0 && self.text(&list[i - 1]) == "(", self.text(&list[next])) {
                    (true, ")") => range("cannot use starred expression here"),
                    (_, ":") => self.token_error("invalid syntax", next),
                    _ => self.invalid(start),
                }
            }
            E::InvalidMatchPatternTarget => {
                let i = self.index(start);
                if i > 0 && self.text(&self.tokens.list[i - 1]) == "as" {
                    range("cannot use '_' as a target")
                } else {
                    self.invalid(start)
                }
            }
            E::UnparenthesizedGeneratorExpression
                if self.head(start) == "class" && self.next_text(end) != "," =>
            {
                let list = &self.tokens.list;
                let i = self.index(start);
                self.token_error(
                    "invalid syntax",
                    (i..list.len()).find(|&k| self.text(&list[k]) == "for").unwrap_or(i),
                )
            }
            E::UnparenthesizedGeneratorExpression => range("Generator expression must be parenthesized"),
            E::IterableUnpackingInComprehension => {
                range("iterable unpacking cannot be used in comprehension")
            }
            E::NonDefaultParamAfterDefaultParam => {
                let i = self.index(start);
                self.token_error("non-default argument follows default argument", i)
            }
            E::ExpectedKeywordParam => {
                let i = self.index(start);
                let next = (i + 1).min(self.tokens.list.len() - 1);
                match self.text(&self.tokens.list[next]) {
                    "None" | "True" | "False" => self.token_error("invalid syntax", next),
                    ":" => self.token_error("named arguments must follow bare *", next),
                    _ if self.text(&self.tokens.list[i]) == "**" && self.start_of_list(i) == i => {
                        let list = &self.tokens.list;
                        let star = (0..i).rev().find(|&k| self.text(&list[k]) == "*").unwrap_or(i);
                        self.token_error("named arguments must follow bare *", star)
                    }
                    _ => self.token_error("named arguments must follow bare *", i),
                }
            }
            E::ParamAfterVarKeywordParam => {
                let i = self.index(start);
                self.token_error("arguments cannot follow var-keyword argument", i)
            }
            E::VarParameterWithDefault => {
                let i = self.index(start);
                let list = &self.tokens.list;
                let eq = (i..list.len()).find(|&k| self.text(&list[k]) == "=").unwrap_or(i);
                let back = (0..=eq).rev().map(|k| self.text(&list[k])).find(|t| *t == "*" || *t == "**");
                let what = if back == Some("**") { "var-keyword" } else { "var-positional" };
                self.token_error(format!("{what} argument cannot have default value"), eq)
            }
            E::UnexpectedIndentation => {
                let i = self.index(start);
                let list = &self.tokens.list;
                let i =
                    (i.saturating_sub(1)..list.len()).find(|&k| list[k].kind == Kind::Indent).unwrap_or(i);
                self.indent_error(i)
            }
            E::SimpleStatementsOnSameLine | E::SimpleAndCompoundStatementOnSameLine => {
                self.two_statements(start, mode)
            }
            E::ExpectedToken { expected, .. } => self.expected_token(&format!("{expected:?}"), start),
            E::FStringError(f) => self.fstring(f, start),
            E::Lexical(Lex::FStringError(f)) => self.fstring(f, start),
            E::Lexical(l) => self.lexical(l, start),
            E::OtherError(msg) => self.other(msg, start, end, mode),
            E::ExpectedExpression => self.expected_expression(start),
            E::UnexpectedExpressionToken => self.two_statements(start, mode),
            E::UnparenthesizedTupleExpression if self.head(start) == "raise" => {
                let list = &self.tokens.list;
                let i = self.index(start);
                let comma = (i..list.len()).find(|&k| list[k].level == 0 && self.text(&list[k]) == ",");
                self.token_error("invalid syntax", comma.unwrap_or(i))
            }
            _ => self.invalid(start),
        }
    }

    /// Index of the bracket that closes around an offset.
    fn closing(&self, at: u32) -> usize {
        let list = &self.tokens.list;
        let i = self.index(at);
        let level = list[i].level;
        (i..list.len())
            .find(|&k| list[k].level == level && matches!(self.text(&list[k]), ")" | "]" | "}"))
            .unwrap_or(i)
    }

    /// First word of the logical line around an offset.
    fn head(&self, at: u32) -> &'a str {
        let list = &self.tokens.list;
        let mut k = self.index(at);
        while k > 0 && !matches!(list[k - 1].kind, Kind::Newline | Kind::Indent | Kind::Dedent) {
            k -= 1;
        }
        self.text(&list[k])
    }

    fn assignment_target(&self, start: u32, end: u32) -> Error {
        let Some(x) = self.expr_at(start, end) else { return self.invalid(start) };
        let name = expr_name(x);
        let next = self.tokens.list.iter().find(|t| t.start >= end && self.text(t) != ")");
        let assigned = next.is_some_and(|t| self.text(t) == "=");
        if matches!(x, Expr::Yield(_) | Expr::YieldFrom(_)) {
            let before = self.lines.text[..start as usize].trim_end();
            if !before.ends_with('(') {
                return self.at("assignment to yield expression not possible", start, end);
            }
        }
        let maybe = assigned
            && !matches!(
                x,
                Expr::Compare(_) | Expr::BoolOp(_) | Expr::Lambda(_) | Expr::If(_) | Expr::Generator(_)
            )
            && (!matches!(x, Expr::NoneLiteral(_) | Expr::BooleanLiteral(_)) || self.is_parenthesised(start))
            && self.is_first_target(start)
            && !matches!(x, Expr::UnaryOp(u) if u.op == r::UnaryOp::Not);
        let msg = if maybe {
            format!("cannot assign to {name} here. Maybe you meant '==' instead of '='?")
        } else {
            format!("cannot assign to {name}")
        };
        self.at(msg, start, end)
    }

    /// Is the expression that starts here in parentheses of its own?
    fn is_parenthesised(&self, start: u32) -> bool {
        let i = self.index(start);
        i > 0 && self.text(&self.tokens.list[i - 1]) == "("
    }

    /// Is this the first of the targets of an assignment? (Only there CPython's rule for `==` applies.)
    fn is_first_target(&self, start: u32) -> bool {
        let list = &self.tokens.list;
        let i = self.index(start);
        let level = list[i].level;
        let mut k = i;
        while k > 0 && !matches!(list[k - 1].kind, Kind::Newline | Kind::Indent | Kind::Dedent) {
            k -= 1;
            if list[k].level == 0 && self.text(&list[k]) == "=" && level == 0 {
                return false;
            }
        }
        true
    }

    /// Something stands where the line should end.
    fn two_statements(&self, start: u32, mode: Mode) -> Error {
        let i = self.index(start);
        let list = &self.tokens.list;
        // `print x` of Python 2.
        let mut first = i;
        while first > 0 && !matches!(list[first - 1].kind, Kind::Newline | Kind::Indent | Kind::Dedent) {
            first -= 1;
            if matches!(self.text(&list[first]), ";" | ":") {
                first += 1;
                break;
            }
        }
        if first + 1 == i
            && let word @ ("print" | "exec") = self.text(&list[first])
        {
            // What follows must be an expression, as far as it is one.
            let gap = |e: &&Expr| match e {
                Expr::Name(n) => n.id.is_empty(),
                Expr::Attribute(a) => a.attr.id.is_empty(),
                _ => false,
            };
            let gaps: Vec<u32> =
                self.exprs.iter().filter(|e| gap(e)).map(|e| e.range().end().to_u32()).collect();
            let mut ends = vec![];
            for e in self.exprs.iter().filter(|e| e.range().start().to_u32() == list[i].start) {
                let end = e.range().end().to_u32();
                if !gaps.iter().any(|g| (list[i].start..=end).contains(g)) {
                    ends.push(end);
                }
            }
            if mode == Mode::Eval {
                // The tree ends before it.
                let stop = (i..list.len()).find(|&k| matches!(list[k].kind, Kind::Newline | Kind::End));
                let stop = stop.map_or(list[i].end, |k| list[k - 1].end);
                let rest = &self.lines.text[list[i].start as usize..stop as usize];
                let whole = ruff_python_parser::parse_expression(rest).is_ok();
                ends.push(if whole { stop } else { list[i].end });
            }
            let Some(end) = ends.into_iter().max() else { return self.token_error("invalid syntax", i) };
            let msg = format!("Missing parentheses in call to '{word}'. Did you mean {word}(...)?");
            return self.at(msg, list[first].start, end);
        }
        if self.text(&list[i]) == "not" {
            return self.invalid(list[i].start);
        }
        self.token_error("invalid syntax", i)
    }

    fn expected_token(&self, expected: &str, at: u32) -> Error {
        let mut i = self.index(at);
        let list = &self.tokens.list;
        // Ruff may point at the end of the token before.
        if list[i].start < at && list[i].end <= at && i + 1 < list.len() {
            i += 1;
        }
        match expected {
            "Colon" if list[i].level == 0 && self.is_head(i) => {
                if self.text(&list[i]) == "=" {
                    return self.maybe_walrus(i);
                }
                // Only some heads demand the colon whatever comes instead.
                let forced = matches!(self.head(at), "else" | "try" | "finally" | "def" | "async");
                if forced || list[i].kind == Kind::Newline {
                    return self.token_error("expected ':'", i);
                }
            }
            "Rpar" if self.text(&list[i]) == "(" && list[i].level == 1 && self.head(at) == "def" => {
                let msg = "Function parameters cannot be parenthesized";
                return self.at(msg, list[i].start, list[self.closing(list[i].end)].end);
            }
            "Colon" if self.text(&list[i]) == "(" && self.text(&list[self.start_of_list(i)]) == "lambda" => {
                let msg = "Lambda expression parameters cannot be parenthesized";
                return self.at(msg, list[i].start, list[self.closing(list[i].end)].end);
            }
            "Comma" if self.text(&list[i]) == "*" && i > 0 && self.text(&list[i - 1]) == "/" => {
                return self.token_error("expected comma between / and *", i);
            }
            "Comma" if i > 0 && list[i].level == 0 && is_augmented(self.text(&list[i])) => {
                let mut k = i;
                while k > 0 && !matches!(list[k - 1].kind, Kind::Newline | Kind::Indent | Kind::Dedent) {
                    k -= 1;
                }
                if !is_keyword(self.text(&list[k])) {
                    let msg = "'tuple' is an illegal expression for augmented assignment";
                    return self.at(msg, list[k].start, list[i - 1].end);
                }
            }
            "Lpar" if i >= 2 && self.text(&list[i - 2]) == "def" => {
                return self.token_error("expected '('", i);
            }
            "Else" => {
                let found = self.exprs.iter().find_map(|e| match e {
                    Expr::If(x)
                        if x.test.range().end().to_u32() <= at && x.orelse.range().start().to_u32() >= at =>
                    {
                        Some((x.body.range().start().to_u32(), x.test.range().end().to_u32()))
                    }
                    _ => None,
                });
                if let Some((s, e)) = found {
                    return self.at("expected 'else' after 'if' expression", s, e);
                }
            }
            "Colon" if list[i].level > 0 && self.bracket(i) == Some("{") && i > 0 => {
                let end = list[i - 1].end;
                let mut e = self.at("':' expected after dictionary key", end - 1, end - 1);
                e.end_offset = 0;
                return e;
            }
            _ => {}
        }
        self.in_brackets(i)
    }

    /// The `lambda` before token `i` on its level, else `i`.
    fn start_of_list(&self, i: usize) -> usize {
        let list = &self.tokens.list;
        let level = list[i].level;
        (0..i)
            .rev()
            .take_while(|&k| list[k].level >= level)
            .find(|&k| self.text(&list[k]) == "lambda")
            .unwrap_or(i)
    }

    /// The bracket around token `i`.
    fn bracket(&self, i: usize) -> Option<&'a str> {
        let list = &self.tokens.list;
        let level = list[i].level.checked_sub(1)?;
        let open =
            list[..i].iter().rev().find(|t| t.level == level && matches!(self.text(t), "(" | "[" | "{"))?;
        Some(self.text(open))
    }

    /// The special cases for a token that does not fit where it stands.
    fn in_brackets(&self, i: usize) -> Error {
        let list = &self.tokens.list;
        if list[i].level > 0 {
            if self.text(&list[i]) == "=" {
                return self.maybe_walrus(i);
            }
            if matches!(self.text(&list[i]), "for" | "async") && self.bracket(i) == Some("(") {
                // `f(a = b for b in c)`
                let level = list[i].level;
                let open = (0..i)
                    .rev()
                    .find(|&k| list[k].level < level || list[k].level == level && self.text(&list[k]) == ",");
                let k = open.map_or(0, |k| k + 1);
                if list[k].kind == Kind::Name && list.get(k + 1).is_some_and(|t| self.text(t) == "=") {
                    let msg = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
                    return self.at(msg, list[k].start, list[k + 1].end);
                }
            }
            if matches!(self.text(&list[i]), "for" | "async") && matches!(self.bracket(i), Some("[" | "{")) {
                let level = list[i].level;
                let open = (0..i).rev().find(|&k| list[k].level < level).unwrap_or(0);
                if list[open + 1..i].iter().any(|t| t.level == level && self.text(t) == ",") {
                    let msg = "did you forget parentheses around the comprehension target?";
                    return self.at(msg, list[open + 1].start, list[i - 1].end);
                }
            }
            if let Some(e) = self.forgotten_comma(i) {
                return e;
            }
        }
        self.token_error("invalid syntax", i)
    }

    /// `x = 1` where a condition or element should be.
    fn maybe_walrus(&self, i: usize) -> Error {
        let t = self.tokens.list[i];
        let left = self
            .exprs
            .iter()
            .filter(|e| e.range().end().to_u32() <= t.start)
            .max_by_key(|e| (e.range().end(), std::cmp::Reverse(e.range().start())));
        let left = left.filter(|l| i > 0 && l.range().end().to_u32() == self.tokens.list[i - 1].end);
        let Some(left) = left else { return self.token_error("invalid syntax", i) };
        let start = left.range().start().to_u32();
        if !matches!(left, Expr::Name(_)) {
            let msg = match left {
                Expr::List(_)
                | Expr::Tuple(_)
                | Expr::Generator(_)
                | Expr::BooleanLiteral(_)
                | Expr::NoneLiteral(_) => {
                    return self.token_error("invalid syntax", i);
                }
                _ => {
                    format!("cannot assign to {} here. Maybe you meant '==' instead of '='?", expr_name(left))
                }
            };
            return self.at(msg, start, left.range().end().to_u32());
        }
        // The right side: up to what ends the element.
        let list = &self.tokens.list;
        let mut k = i + 1;
        while k < list.len()
            && (list[k].level > t.level
                || !matches!(self.text(&list[k]), ")" | "]" | "}" | "," | ":" | "\n" | ""))
        {
            if list[k].level == t.level && self.text(&list[k]) == "=" {
                return self.token_error("invalid syntax", k);
            }
            k += 1;
        }
        let end = list[k - 1].end;
        self.at("invalid syntax. Maybe you meant '==' or ':=' instead of '='?", start, end)
    }

    /// Two expressions side by side inside brackets.
    fn forgotten_comma(&self, i: usize) -> Option<Error> {
        let list = &self.tokens.list;
        let (t, before) = (list[i], list[i.checked_sub(1)?]);
        let starts = matches!(t.kind, Kind::Name | Kind::Number | Kind::String) && !is_keyword(self.text(&t));
        if !starts || (before.kind == Kind::Name && t.kind == Kind::String) {
            return None;
        }
        let left = self
            .exprs
            .iter()
            .filter(|e| e.range().end().to_u32() == before.end && !matches!(e, Expr::Lambda(_) | Expr::If(_)))
            .filter(|e| !matches!(e, Expr::Tuple(t) if !t.parenthesized) && !matches!(e, Expr::Starred(_)))
            .min_by_key(|e| e.range().start())?;
        let right = self.exprs.iter().filter(|e| e.range().start().to_u32() == t.start);
        let end = right.map(|e| e.range().end().to_u32()).max().unwrap_or(t.end);
        let msg = "invalid syntax. Perhaps you forgot a comma?";
        Some(self.at(msg, left.range().start().to_u32(), end))
    }

    fn is_head(&self, i: usize) -> bool {
        let list = &self.tokens.list;
        let mut k = i.min(list.len() - 1);
        while k > 0 && !matches!(list[k - 1].kind, Kind::Newline | Kind::Indent | Kind::Dedent) {
            k -= 1;
        }
        const HEADS: [&str; 14] = [
            "if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class",
            "async", "match", "case",
        ];
        let word = self.text(&list[k]);
        HEADS.contains(&word)
            // A class head is not checked for its colon.
            && !(word == "class" && self.text(&list[i]) != "\n" && list[i].kind != Kind::Newline)
    }

    fn expected_expression(&self, at: u32) -> Error {
        let i = self.index(at);
        let list = &self.tokens.list;
        // `{key:}`
        if i > 0 && self.text(&list[i - 1]) == ":" && self.text(&list[i]) == "}" {
            return self.token_error("expression expected after dictionary key and ':'", i - 1);
        }
        if i > 0
            && self.text(&list[i - 1]) == "="
            && matches!(self.text(&list[i]), "," | ")" | ":")
            && (self.head(at) == "def" && list[i].level == 1
                || self.text(&list[self.start_of_list(i)]) == "lambda")
        {
            return self.token_error("expected default value expression", i - 1);
        }
        if self.text(&list[i]) == "*" && i > 0 && self.text(&list[i - 1]) == ":" {
            let end = self.exprs.iter().filter(|e| e.range().start().to_u32() == list[i].start);
            let end = end.map(|e| e.range().end().to_u32()).max().unwrap_or(list[i].end);
            return self.at("cannot use a starred expression in a dictionary value", list[i].start, end);
        }
        self.invalid(at)
    }

    fn other(&self, msg: &str, start: u32, end: u32, _mode: Mode) -> Error {
        let i = self.index(start);
        if msg.starts_with("Expected an indented block") {
            return self.expected_block(start);
        }
        match msg {
            "Expected `except` or `finally` after `try` block" => {
                // At the token after the block.
                let list = &self.tokens.list;
                let k = (0..list.len())
                    .find(|&k| {
                        list[k].start >= start
                            && !matches!(list[k].kind, Kind::Newline | Kind::Dedent | Kind::Indent)
                    })
                    .unwrap_or(i);
                // Ruff has gone on to a stray `else`.
                let k = match self.head(start) {
                    "else" => {
                        list.iter().rposition(|t| t.start < start && self.text(t) == "else").unwrap_or(k)
                    }
                    _ => k,
                };
                let mut e = self.token_error("expected 'except' or 'finally' block", k);
                if list[k].kind == Kind::End {
                    let n = self.lines.count().max(1);
                    let text = self.lines.line(n).trim_end_matches('\n');
                    let end = self.lines.start_of(n) + text.len() as u32;
                    e = self.at("expected 'except' or 'finally' block", end, end);
                    e.end_offset = -1;
                }
                e
            }
            "Cannot have both 'except' and 'except*' on the same 'try'" => {
                let msg = "cannot have both 'except' and 'except*' on the same 'try'";
                let star = self.tokens.list.get(i + 1).filter(|t| self.text(t) == "*");
                let t = self.tokens.list[i];
                self.at(msg, t.start, star.map_or(t.end, |s| s.end))
            }
            "Expected one or more exception types" => {
                self.token_error("expected one or more exception types", i)
            }
            "Multiple exception types must be parenthesized when using `as`" => {
                self.at("multiple exception types must be parenthesized", start, end)
            }
            "Only single target (not tuple) can be annotated" => {
                // Without parentheses CPython points at the first element.
                let end = match self.expr_at(start, end) {
                    Some(Expr::Tuple(t)) if !t.parenthesized => {
                        t.elts.first().map_or(end, |e| e.range().end().to_u32())
                    }
                    _ => end,
                };
                self.at("only single target (not tuple) can be annotated", start, end)
            }
            "Only single target (not list) can be annotated" => {
                self.at("only single target (not list) can be annotated", start, end)
            }
            "Only one '*' parameter allowed" | "Only one '*' separator allowed" => {
                self.token_error("* argument may appear only once", i)
            }
            "Only one '/' separator allowed" => self.token_error("/ may appear only once", i),
            "'/' parameter must appear before '*' parameter" => self.token_error("/ must be ahead of *", i),
            "Position-only parameter separator not allowed as first parameter" => {
                self.token_error("invalid syntax", i)
            }
            "Only one '**' parameter allowed" => {
                self.token_error("arguments cannot follow var-keyword argument", i)
            }
            "Trailing comma not allowed" if self.is_head(i) || self.head(start) == "import" => {
                self.invalid(end)
            }
            "Trailing comma not allowed" => {
                let list = &self.tokens.list;
                let k = if self.text(&list[i]) == "," { i + 1 } else { i };
                self.token_error("trailing comma not allowed without surrounding parentheses", k)
            }
            "Positional patterns cannot follow keyword patterns" => {
                self.at("positional patterns follow keyword patterns", start, end)
            }
            "Expected an identifier"
                if self.head(start) == "case" && i > 0 && self.text(&self.tokens.list[i - 1]) == "as" =>
            {
                let list = &self.tokens.list;
                let stop =
                    (i..list.len()).find(|&k| matches!(self.text(&list[k]), ":" | "if" | ")" | "," | "|"));
                self.at("invalid pattern target", list[i].start, list[stop.unwrap_or(i + 1) - 1].end)
            }
            "Cannot mix bytes and nonbytes literals" => {
                self.behind("cannot mix bytes and nonbytes literals", i)
            }
            _ if msg.contains("ytes literal") && msg.contains("mix") => {
                self.behind("cannot mix bytes and nonbytes literals", i)
            }
            _ => {
                let list = &self.tokens.list;
                if list[i].level > 0 {
                    if self.next_text(end) == "=" && end > start {
                        return self.keyword_name(start, end);
                    }
                    if list[i].kind != Kind::String || list[i].start == start {
                        return self.in_brackets(i);
                    }
                }
                self.invalid(start)
            }
        }
    }

    fn next_text(&self, end: u32) -> &'a str {
        self.tokens.list.iter().find(|t| t.start >= end).map_or("", |t| self.text(t))
    }

    /// `f(1=2)`
    fn keyword_name(&self, start: u32, end: u32) -> Error {
        let eq = self.tokens.list.iter().find(|t| t.start >= end).map_or(end, |t| t.end);
        match &self.lines.text[start as usize..end as usize] {
            word @ ("None" | "True" | "False") => self.at(format!("cannot assign to {word}"), start, eq),
            _ => self.at("expression cannot contain assignment, perhaps you meant \"==\"?", start, eq),
        }
    }

    fn fstring(&self, f: &FError, at: u32) -> Error {
        let i = self.index(at);
        let t = self.tokens.list[i];
        if matches!(f, FError::UnterminatedString | FError::UnterminatedTripleQuotedString)
            && self.text(&t).contains('#')
        {
            return self.behind("f-string expression part cannot include '#'", i);
        }
        let msg = match f {
            FError::UnclosedLbrace => "f-string: expecting '}'",
            FError::InvalidConversionFlag | FError::ConversionFlagNotImmediatelyAfterExclamation => {
                "f-string: invalid conversion character: expected 's', 'r', or 'a'"
            }
            FError::SingleRbrace => "f-string: single '}' is not allowed",
            FError::LambdaWithoutParentheses => "f-string: invalid syntax",
            _ => "f-string: expecting '}'",
        };
        self.behind(msg, i)
    }

    /// CPython reports errors inside string literals at the token after them.
    fn behind(&self, msg: impl Into<String>, i: usize) -> Error {
        let list = &self.tokens.list;
        let mut k = i;
        while k < list.len() && list[k].kind == Kind::String {
            k += 1;
        }
        let t = list[k.min(list.len() - 1)];
        self.at(msg, t.start, t.start)
    }

    fn lexical(&self, l: &Lex, at: u32) -> Error {
        let i = self.index(at);
        let t = self.tokens.list[i];
        match l {
            Lex::InvalidByteLiteral => self.behind("bytes can only contain ASCII literal characters", i),
            Lex::UnicodeError if t.kind == Kind::String && is_bytes(self.text(&t)) => {
                match bad_byte_escape(self.text(&t)) {
                    Some(at) => self.behind(format!("(value error) invalid \\x escape at position {at}"), i),
                    None => self.behind("invalid syntax", i),
                }
            }
            Lex::UnicodeError | Lex::MissingUnicodeLbrace | Lex::MissingUnicodeRbrace
                if t.kind == Kind::String =>
            {
                match bad_escape(self.text(&t)) {
                    Some(msg) => self.behind(
                        format!("(unicode error) 'unicodeescape' codec can't decode bytes in {msg}"),
                        i,
                    ),
                    None => self.behind("invalid syntax", i),
                }
            }
            Lex::OtherError(msg) if t.kind == Kind::String && msg.contains("ytes") => {
                match bad_byte_escape(self.text(&t)) {
                    Some(at) => self.behind(format!("(value error) invalid \\x escape at position {at}"), i),
                    None => self.behind("invalid syntax", i),
                }
            }
            Lex::IndentationError => {
                let mut e = self.at("unindent does not match any outer indentation level", t.start, t.start);
                e.kind = ErrorKind::Indentation;
                e
            }
            _ => self.invalid(at),
        }
    }

    fn unsupported(&self, u: &ruff_python_parser::UnsupportedSyntaxError) -> Error {
        use ruff_python_parser::UnsupportedSyntaxErrorKind as K;
        let (start, end) = (u.range.start().to_u32(), u.range.end().to_u32());
        let text = u.to_string();
        let i = self.index(start);
        match u.kind {
            K::Pep701FString(_) if text.contains("backslash") => {
                self.behind("f-string expression part cannot include a backslash", i)
            }
            K::Pep701FString(_)
                if text.contains("comments") || self.text(&self.tokens.list[i]).contains('#') =>
            {
                self.behind("f-string expression part cannot include '#'", i)
            }
            K::Pep701FString(_) => self.behind("f-string: expecting '}'", i),
            K::ParenthesizedKeywordArgumentName => {
                let eq = self
                    .tokens
                    .list
                    .iter()
                    .find(|t| t.start >= end && self.text(t) == "=")
                    .map_or(end, |t| t.end);
                self.at("expression cannot contain assignment, perhaps you meant \"==\"?", start + 1, eq)
            }
            K::UnparenthesizedExceptionTypes => {
                self.at("multiple exception types must be parenthesized", start, end)
            }
            K::TypeParameterList if i >= 2 && self.text(&self.tokens.list[i - 2]) == "def" => {
                self.token_error("expected '('", i)
            }
            K::TypeAliasStatement => {
                self.token_error("invalid syntax", (i + 1).min(self.tokens.list.len() - 1))
            }
            K::UnpackingInComprehension(_) => {
                let msg = if text.contains("dictionary") {
                    "dict unpacking cannot be used in dict comprehension"
                } else {
                    "iterable unpacking cannot be used in comprehension"
                };
                let stars = text.contains("dictionary");
                self.at(msg, start, if stars { start + 2 } else { end })
            }
            _ => self.token_error("invalid syntax", i),
        }
    }
}

fn is_augmented(s: &str) -> bool {
    s.len() > 1 && s.ends_with('=') && !matches!(s, "==" | "!=" | "<=" | ">=" | ":=")
}

fn is_keyword(s: &str) -> bool {
    const KEYWORDS: [&str; 32] = [
        "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
        "except", "finally", "for", "from", "global", "if", "import", "in", "is", "nonlocal", "or", "pass",
        "raise", "return", "try", "while", "with", "yield", "lambda", "not",
    ];
    KEYWORDS.contains(&s)
}

/// Where the decoder of escapes sees a place of a literal's text: it gets other characters than ASCII as `\UXXXXXXXX`, and a backslash
/// before one of them as `\u005c`.
fn recoded(text: &str) -> usize {
    let wide = |c: char| if c.is_ascii() { 1 } else { 10 };
    let mut length = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        length += wide(c);
        if c == '\\'
            && let Some(next) = chars.next()
        {
            length += wide(next) + if next.is_ascii() { 0 } else { 5 };
        }
    }
    length
}

/// Position and reason of the first broken escape of a text literal.
fn bad_escape(literal: &str) -> Option<String> {
    let quote = literal.find(['"', '\''])?;
    let q = &literal[quote..];
    let n = if q.starts_with("\"\"\"") || q.starts_with("'''") { 3 } else { 1 };
    let body = &q[n..q.len().checked_sub(n)?];
    let b = body.as_bytes();
    let mut i = 0;
    while i < b.len() {
        if b[i] != b'\\' {
            i += 1;
            continue;
        }
        let (digits, name) = match b.get(i + 1) {
            Some(b'x') => (2, "\\xXX"),
            Some(b'u') => (4, "\\uXXXX"),
            Some(b'U') => (8, "\\UXXXXXXXX"),
            Some(b'N') => {
                let rest = &body[i + 2..];
                let at = recoded(&body[..i]);
                let close = match rest.find('}') {
                    Some(close) if close > 1 && rest.starts_with('{') => close,
                    close => {
                        // Read up to the brace that closes an empty name, or to the end.
                        let name = close.unwrap_or(rest.len());
                        let end =
                            if rest.starts_with('{') { at + 1 + recoded(&rest[..name]) } else { at + 1 };
                        return Some(format!("position {at}-{end}: malformed \\N character escape"));
                    }
                };
                if unicode_names2::character(&rest[1..close]).is_none() {
                    let end = at + 2 + recoded(&rest[..close]);
                    return Some(format!("position {at}-{end}: unknown Unicode character name"));
                }
                i += 2;
                continue;
            }
            _ => {
                i += 2;
                continue;
            }
        };
        let have = b[i + 2..].iter().take(digits).take_while(|c| c.is_ascii_hexdigit()).count();
        let at = recoded(&body[..i]);
        if have < digits {
            return Some(format!("position {at}-{}: truncated {name} escape", at + 1 + have));
        }
        if digits == 8 && u32::from_str_radix(&body[i + 2..i + 10], 16).is_ok_and(|v| v > 0x10ffff) {
            return Some(format!("position {at}-{}: illegal Unicode character", at + 9));
        }
        i += 2;
    }
    None
}

/// Is it a bytes literal?
fn is_bytes(literal: &str) -> bool {
    literal.split(['"', '\'']).next().is_some_and(|prefix| prefix.contains(['b', 'B']))
}

/// Where the first `\x` without two digits is.
fn bad_byte_escape(literal: &str) -> Option<usize> {
    let quote = literal.find(['"', '\''])?;
    let body = literal.as_bytes()[quote..]
        .strip_prefix(b"'''")
        .or(literal.as_bytes()[quote..].strip_prefix(b"\"\"\""));
    let body = body.unwrap_or(&literal.as_bytes()[quote + 1..]);
    let mut i = 0;
    while i + 1 < body.len() {
        if body[i] != b'\\' {
            i += 1;
            continue;
        }
        let digits = body[i + 2..].iter().take(2).take_while(|c| c.is_ascii_hexdigit()).count();
        if body[i + 1] == b'x' && digits < 2 {
            return Some(i);
        }
        i += 2;
    }
    None
}

/// How CPython's messages call an expression.
fn expr_name(e: &Expr) -> &'static str {
    match e {
        Expr::Attribute(_) => "attribute",
        Expr::Subscript(_) => "subscript",
        Expr::Starred(_) => "starred",
        Expr::Name(_) => "name",
        Expr::List(_) => "list",
        Expr::Tuple(_) => "tuple",
        Expr::Lambda(_) => "lambda",
        Expr::Call(_) => "function call",
        Expr::BoolOp(_) | Expr::BinOp(_) | Expr::UnaryOp(_) => "expression",
        Expr::Generator(_) => "generator expression",
        Expr::Yield(_) | Expr::YieldFrom(_) => "yield expression",
        Expr::Await(_) => "await expression",
        Expr::ListComp(_) => "list comprehension",
        Expr::SetComp(_) => "set comprehension",
        Expr::DictComp(_) => "dict comprehension",
        Expr::Dict(_) => "dict literal",
        Expr::Set(_) => "set display",
        Expr::FString(_) | Expr::TString(_) => "f-string expression",
        Expr::NoneLiteral(_) => "None",
        Expr::BooleanLiteral(b) => {
            if b.value {
                "True"
            } else {
                "False"
            }
        }
        Expr::EllipsisLiteral(_) => "ellipsis",
        Expr::Compare(_) => "comparison",
        Expr::If(_) => "conditional expression",
        Expr::Named(_) => "named expression",
        _ => "literal",
    }
}
