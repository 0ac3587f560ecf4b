//! From ruff's syntax tree to ours: the same program, node for node, with CPython's positions.
//!
//! Ruff's tree differs from CPython's in a few places, which are all handled here: decorated definitions start at the decorator,
//! `elif` is a list instead of nested `If`s, string pieces are kept apart, integers are unbounded text, bare generator arguments
//! do not include the call's parentheses. Text escapes that make lone surrogates are decoded again from the source, as Rust
//! strings can't hold them.

use crate::ast::*;
use crate::error::{ErrorKind, Result};
use crate::literal;
use crate::source::Lines;
use crate::tokens::MAX_INDENT;
use crate::type_comments::Comments;
use crate::warnings::{self, Category, Sink};
use lh_bytecode::{Const, PyInt, Wtf8};
use ruff_python_ast as r;
use ruff_text_size::{Ranged, TextRange, TextSize};
use rustc_hash::FxHashSet;
use std::rc::Rc;

pub struct Lower<'a> {
    lines: &'a Lines<'a>,
    names: FxHashSet<Name>,
    depth: u32,
    /// How many prefix operators in a row we are in.
    prefixes: u32,
    /// How many blocks we are in.
    blocks: usize,
    warnings: Option<&'a Sink>,
    /// How many digits a decimal literal may have; 0: any number.
    max_digits: usize,
    /// The type comments of the source, if they are wanted.
    comments: Option<Comments>,
    /// Where old source has `async` or `await` for a name, which the parser got to see under another one.
    old_names: FxHashSet<u32>,
}

/// Deeper expressions are refused, before some recursion over them runs out of stack.
const MAX_DEPTH: u32 = 10_000;
/// More prefix operators than this in a row are a `MemoryError`.
const MAX_PREFIXES: u32 = 5_900;

impl<'a> Lower<'a> {
    pub fn new(lines: &'a Lines<'a>, warnings: Option<&'a Sink>) -> Lower<'a> {
        Lower {
            lines,
            names: FxHashSet::default(),
            depth: 0,
            prefixes: 0,
            blocks: 0,
            warnings,
            max_digits: 0,
            comments: None,
            old_names: FxHashSet::default(),
        }
    }

    pub fn with_comments(self, comments: Option<Comments>) -> Lower<'a> {
        Lower { comments, ..self }
    }

    pub fn with_max_digits(self, max_digits: usize) -> Lower<'a> {
        Lower { max_digits, ..self }
    }

    pub fn with_old_names(self, old_names: FxHashSet<u32>) -> Lower<'a> {
        Lower { old_names, ..self }
    }

    /// What the walk has not used.
    pub fn into_comments(self) -> Option<Comments> {
        self.comments
    }

    fn loc(&self, range: TextRange) -> Location {
        self.lines.location(range.start().to_u32(), range.end().to_u32())
    }

    fn name(&mut self, s: &str) -> Name {
        if let Some(n) = self.names.get(s) {
            return n.clone();
        }
        let n: Name = Rc::from(s);
        self.names.insert(n.clone());
        n
    }

    fn ident(&mut self, i: &r::Identifier) -> Name {
        if self.old_names.contains(&i.range.start().to_u32()) {
            let lines = self.lines;
            return self.name(&lines.text[i.range]);
        }
        self.name(i.id.as_str())
    }

    fn opt_ident(&mut self, i: &Option<r::Identifier>) -> Option<Name> {
        i.as_ref().map(|i| self.ident(i))
    }

    // ---- Statements ----

    pub fn body(&mut self, body: &[r::Stmt]) -> Result<Vec<Stmt>> {
        let mut out = Vec::with_capacity(body.len());
        self.blocks += 1;
        if self.blocks > MAX_INDENT
            && let Some(s) = body.first()
        {
            let at = s.range().start().to_u32();
            return Err(self.lines.error(ErrorKind::Indentation, "too many levels of indentation", at, at));
        }
        for s in body {
            out.push(self.stmt(s)?);
        }
        self.blocks -= 1;
        Ok(out)
    }

    /// Where `def`, `async` or `class` stands: after decorators, blanks and comments.
    fn after_decorators(&self, decorators: &[r::Decorator], range: TextRange) -> TextRange {
        let Some(last) = decorators.last() else { return range };
        let bytes = self.lines.text.as_bytes();
        let mut at = last.range.end().to_usize();
        // A parenthesised decorator expression may end before its closing parenthesis.
        loop {
            match bytes[at] {
                b'#' => at = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |i| at + i),
                b'a' | b'd' | b'c' => break,
                _ => at += 1,
            }
        }
        TextRange::new((at as u32).into(), range.end())
    }

    /// A compound statement whose last line ends with a semicolon includes it.
    fn with_semicolon(&self, range: TextRange) -> TextRange {
        let end = range.end().to_usize();
        let rest = &self.lines.text.as_bytes()[end..];
        let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if rest.get(blanks) == Some(&b';') {
            TextRange::new(range.start(), ((end + blanks + 1) as u32).into())
        } else {
            range
        }
    }

    fn stmt(&mut self, s: &r::Stmt) -> Result<Stmt> {
        let mut range = s.range();
        if matches!(
            s,
            r::Stmt::FunctionDef(_)
                | r::Stmt::ClassDef(_)
                | r::Stmt::For(_)
                | r::Stmt::While(_)
                | r::Stmt::If(_)
                | r::Stmt::With(_)
                | r::Stmt::Match(_)
                | r::Stmt::Try(_)
        ) {
            range = self.with_semicolon(range);
        }
        let mut loc = self.loc(range);
        let kind = match s {
            r::Stmt::FunctionDef(f) => {
                loc = self.loc(self.after_decorators(&f.decorator_list, range));
                let def = FunctionDef {
                    name: self.ident(&f.name),
                    decorator_list: self.decorators(&f.decorator_list)?,
                    args: self.parameters(&f.parameters)?,
                    returns: f.returns.as_deref().map(|e| self.expr(e)).transpose()?,
                    type_comment: self.def_comment(f)?,
                    body: self.body(&f.body)?,
                };
                if f.is_async {
                    StmtKind::AsyncFunctionDef(Box::new(def))
                } else {
                    StmtKind::FunctionDef(Box::new(def))
                }
            }
            r::Stmt::ClassDef(c) => {
                loc = self.loc(self.after_decorators(&c.decorator_list, range));
                let (bases, keywords) = match &c.arguments {
                    Some(a) => (self.exprs(&a.args)?, self.keywords(&a.keywords)?),
                    None => (vec![], vec![]),
                };
                StmtKind::ClassDef(Box::new(ClassDef {
                    name: self.ident(&c.name),
                    bases,
                    keywords,
                    decorator_list: self.decorators(&c.decorator_list)?,
                    body: self.body(&c.body)?,
                }))
            }
            r::Stmt::Return(x) => StmtKind::Return { value: self.opt_expr(&x.value)? },
            r::Stmt::Delete(x) => StmtKind::Delete { targets: self.exprs(&x.targets)? },
            r::Stmt::Assign(x) => StmtKind::Assign {
                targets: self.exprs(&x.targets)?,
                value: self.boxed(&x.value)?,
                type_comment: self.comment(|c| c.after(x.range.end())),
            },
            r::Stmt::AugAssign(x) => StmtKind::AugAssign {
                target: self.boxed(&x.target)?,
                op: operator(x.op),
                value: self.boxed(&x.value)?,
            },
            r::Stmt::AnnAssign(x) => StmtKind::AnnAssign {
                target: self.boxed(&x.target)?,
                annotation: self.boxed(&x.annotation)?,
                value: self.opt_expr(&x.value)?,
                simple: x.simple,
            },
            r::Stmt::For(x) => {
                let f = Box::new(For {
                    target: self.expr(&x.target)?,
                    iter: self.expr(&x.iter)?,
                    type_comment: self.comment(|c| c.header(x.iter.range().end(), start_of(&x.body))),
                    body: self.body(&x.body)?,
                    orelse: self.body(&x.orelse)?,
                });
                if x.is_async { StmtKind::AsyncFor(f) } else { StmtKind::For(f) }
            }
            r::Stmt::While(x) => StmtKind::While {
                test: self.boxed(&x.test)?,
                body: self.body(&x.body)?,
                orelse: self.body(&x.orelse)?,
            },
            r::Stmt::If(x) => StmtKind::If {
                test: self.boxed(&x.test)?,
                body: self.body(&x.body)?,
                orelse: self.elif(&x.elif_else_clauses, loc)?,
            },
            r::Stmt::With(x) => {
                let mut items = Vec::with_capacity(x.items.len());
                for i in &x.items {
                    items.push(WithItem {
                        context_expr: self.expr(&i.context_expr)?,
                        optional_vars: self.opt_expr(&i.optional_vars)?,
                    });
                }
                let head = x.items.last().map_or(x.range.start(), |i| i.range.end());
                let type_comment = self.comment(|c| c.header(head, start_of(&x.body)));
                let body = self.body(&x.body)?;
                if x.is_async {
                    StmtKind::AsyncWith { items, body, type_comment }
                } else {
                    StmtKind::With { items, body, type_comment }
                }
            }
            r::Stmt::Match(x) => {
                let subject = self.boxed(&x.subject)?;
                let mut cases = Vec::with_capacity(x.cases.len());
                for c in &x.cases {
                    cases.push(MatchCase {
                        pattern: self.pattern(&c.pattern)?,
                        guard: self.opt_expr(&c.guard)?,
                        body: self.body(&c.body)?,
                    });
                }
                StmtKind::Match { subject, cases }
            }
            r::Stmt::Raise(x) => {
                StmtKind::Raise { exc: self.opt_expr(&x.exc)?, cause: self.opt_expr(&x.cause)? }
            }
            r::Stmt::Try(x) => {
                let body = self.body(&x.body)?;
                let mut handlers = Vec::with_capacity(x.handlers.len());
                for h in &x.handlers {
                    let r::ExceptHandler::ExceptHandler(h) = h;
                    handlers.push(ExceptHandler {
                        typ: self.opt_expr(&h.type_)?,
                        name: self.opt_ident(&h.name),
                        body: self.body(&h.body)?,
                        loc: self.loc(self.with_semicolon(h.range)),
                    });
                }
                let t = Box::new(Try {
                    body,
                    handlers,
                    orelse: self.body(&x.orelse)?,
                    finalbody: self.body(&x.finalbody)?,
                });
                if x.is_star { StmtKind::TryStar(t) } else { StmtKind::Try(t) }
            }
            r::Stmt::Assert(x) => {
                StmtKind::Assert { test: self.boxed(&x.test)?, msg: self.opt_expr(&x.msg)? }
            }
            r::Stmt::Import(x) => StmtKind::Import { names: self.aliases(&x.names) },
            r::Stmt::ImportFrom(x) => StmtKind::ImportFrom {
                module: self.opt_ident(&x.module),
                names: self.aliases(&x.names),
                level: x.level,
            },
            r::Stmt::Global(x) => StmtKind::Global { names: x.names.iter().map(|n| self.ident(n)).collect() },
            r::Stmt::Nonlocal(x) => {
                StmtKind::Nonlocal { names: x.names.iter().map(|n| self.ident(n)).collect() }
            }
            r::Stmt::Expr(x) => StmtKind::Expr { value: self.boxed(&x.value)? },
            r::Stmt::Pass(_) => StmtKind::Pass,
            r::Stmt::Break(_) => StmtKind::Break,
            r::Stmt::Continue(_) => StmtKind::Continue,
            r::Stmt::TypeAlias(_) | r::Stmt::IpyEscapeCommand(_) => return Err(self.invalid(s.range())),
        };
        Ok(Stmt { kind, loc })
    }

    fn invalid(&self, range: TextRange) -> Box<crate::error::SyntaxError> {
        self.lines.error(ErrorKind::Syntax, "invalid syntax", range.start().to_u32(), range.end().to_u32())
    }

    fn elif(&mut self, clauses: &[r::ElifElseClause], whole: Location) -> Result<Vec<Stmt>> {
        let Some((first, rest)) = clauses.split_first() else { return Ok(vec![]) };
        let body = self.body(&first.body)?;
        let Some(test) = &first.test else { return Ok(body) };
        let start = self.loc(first.range);
        let loc = Location { end_line: whole.end_line, end_col: whole.end_col, ..start };
        let test = self.boxed(test)?;
        let orelse = self.elif(rest, whole)?;
        Ok(vec![Stmt { kind: StmtKind::If { test, body, orelse }, loc }])
    }

    fn decorators(&mut self, list: &[r::Decorator]) -> Result<Vec<Expr>> {
        list.iter().map(|d| self.expr(&d.expression)).collect()
    }

    fn aliases(&mut self, names: &[r::Alias]) -> Vec<Alias> {
        names
            .iter()
            .map(|a| Alias {
                name: self.ident(&a.name),
                asname: self.opt_ident(&a.asname),
                loc: self.loc(a.range),
            })
            .collect()
    }

    fn parameters(&mut self, p: &r::Parameters) -> Result<Arguments> {
        let mut out = Arguments::default();
        for x in &p.posonlyargs {
            out.posonlyargs.push(self.parameter(&x.parameter)?);
        }
        for x in &p.args {
            out.args.push(self.parameter(&x.parameter)?);
        }
        for x in p.posonlyargs.iter().chain(p.args.iter()) {
            if let Some(d) = &x.default {
                out.defaults.push(self.expr(d)?);
            }
        }
        for x in &p.kwonlyargs {
            out.kwonlyargs.push(self.parameter(&x.parameter)?);
            out.kw_defaults.push(x.default.as_deref().map(|d| self.expr(d)).transpose()?);
        }
        if let Some(v) = &p.vararg {
            out.vararg = Some(Box::new(self.parameter(v)?));
        }
        if let Some(v) = &p.kwarg {
            out.kwarg = Some(Box::new(self.parameter(v)?));
        }
        Ok(out)
    }

    fn parameter(&mut self, p: &r::Parameter) -> Result<Arg> {
        // Ruff's range of `*args` includes the star; CPython's starts at the name.
        let range = TextRange::new(p.name.range.start(), p.range.end());
        Ok(Arg {
            arg: self.ident(&p.name),
            annotation: self.opt_expr(&p.annotation)?,
            type_comment: self.comment(|c| c.argument(p.range.start())),
            loc: self.loc(range),
        })
    }

    fn comment(&self, find: impl FnOnce(&Comments) -> Option<Rc<str>>) -> TypeComment {
        TypeComment(self.comments.as_ref().and_then(find))
    }

    fn def_comment(&self, f: &r::StmtFunctionDef) -> Result<TypeComment> {
        let Some(c) = &self.comments else { return Ok(TypeComment(None)) };
        let head = f.returns.as_ref().map_or(f.parameters.range.end(), |e| e.range().end());
        let (same_line, own_line) = (c.header(head, start_of(&f.body)), c.own_line(head, start_of(&f.body)));
        if same_line.is_some() && own_line.is_some() {
            let at = start_of(&f.body).to_u32();
            let at = self.lines.location(at, at);
            return Err(self.lines.error_at(ErrorKind::Syntax, "Cannot have two type comments on def", at));
        }
        Ok(TypeComment(same_line.or(own_line)))
    }

    // ---- Patterns ----

    fn pattern(&mut self, p: &r::Pattern) -> Result<Pattern> {
        let loc = self.loc(p.range());
        let kind = match p {
            r::Pattern::MatchValue(x) => PatternKind::MatchValue { value: self.boxed(&x.value)? },
            r::Pattern::MatchSingleton(x) => PatternKind::MatchSingleton {
                value: match x.value {
                    r::Singleton::None => Const::None,
                    r::Singleton::True => Const::True,
                    r::Singleton::False => Const::False,
                },
            },
            r::Pattern::MatchSequence(x) => {
                PatternKind::MatchSequence { patterns: self.patterns(&x.patterns)? }
            }
            r::Pattern::MatchMapping(x) => PatternKind::MatchMapping {
                keys: self.exprs(&x.keys)?,
                patterns: self.patterns(&x.patterns)?,
                rest: self.opt_ident(&x.rest),
            },
            r::Pattern::MatchClass(x) => {
                let mut kwd_attrs = vec![];
                let mut kwd_patterns = vec![];
                for k in &x.arguments.keywords {
                    kwd_attrs.push(self.ident(&k.attr));
                    kwd_patterns.push(self.pattern(&k.pattern)?);
                }
                PatternKind::MatchClass {
                    cls: self.boxed(&x.cls)?,
                    patterns: self.patterns(&x.arguments.patterns)?,
                    kwd_attrs,
                    kwd_patterns,
                }
            }
            r::Pattern::MatchStar(x) => {
                let name = self.opt_ident(&x.name).filter(|n| &**n != "_");
                PatternKind::MatchStar { name }
            }
            r::Pattern::MatchAs(x) => PatternKind::MatchAs {
                pattern: x.pattern.as_deref().map(|p| self.pattern(p)).transpose()?.map(Box::new),
                name: self.opt_ident(&x.name),
            },
            r::Pattern::MatchOr(x) => PatternKind::MatchOr { patterns: self.patterns(&x.patterns)? },
        };
        Ok(Pattern { kind, loc })
    }

    fn patterns(&mut self, ps: &[r::Pattern]) -> Result<Vec<Pattern>> {
        ps.iter().map(|p| self.pattern(p)).collect()
    }

    // ---- Expressions ----

    fn exprs(&mut self, es: &[r::Expr]) -> Result<Vec<Expr>> {
        let mut out = Vec::with_capacity(es.len());
        for e in es {
            out.push(self.expr(e)?);
        }
        Ok(out)
    }

    fn boxed(&mut self, e: &r::Expr) -> Result<Box<Expr>> {
        Ok(Box::new(self.expr(e)?))
    }

    fn opt_expr(&mut self, e: &Option<Box<r::Expr>>) -> Result<Option<Box<Expr>>> {
        e.as_deref().map(|e| self.boxed(e)).transpose()
    }

    fn keywords(&mut self, ks: &[r::Keyword]) -> Result<Vec<Keyword>> {
        ks.iter()
            .map(|k| {
                Ok(Keyword {
                    arg: self.opt_ident(&k.arg),
                    value: self.expr(&k.value)?,
                    loc: self.loc(k.range),
                })
            })
            .collect()
    }

    fn generators(&mut self, gs: &[r::Comprehension]) -> Result<Vec<Comprehension>> {
        gs.iter()
            .map(|g| {
                Ok(Comprehension {
                    target: self.expr(&g.target)?,
                    iter: self.expr(&g.iter)?,
                    ifs: self.exprs(&g.ifs)?,
                    is_async: g.is_async,
                })
            })
            .collect()
    }

    pub fn expr(&mut self, e: &r::Expr) -> Result<Expr> {
        self.depth += 1;
        // CPython's parser recurses for each operator that stands before its operand.
        self.prefixes = if e.is_unary_op_expr() { self.prefixes + 1 } else { 0 };
        if self.prefixes > MAX_PREFIXES {
            return Err(crate::error::SyntaxError::plain(ErrorKind::Memory, ""));
        }
        if self.depth > MAX_DEPTH {
            let msg = "maximum recursion depth exceeded during compilation";
            return Err(crate::error::SyntaxError::plain(ErrorKind::Recursion, msg));
        }
        let lowered = self.expr_inner(e);
        self.depth -= 1;
        lowered
    }

    fn expr_inner(&mut self, e: &r::Expr) -> Result<Expr> {
        let loc = self.loc(e.range());
        let kind = match e {
            r::Expr::BoolOp(x) => ExprKind::BoolOp {
                op: match x.op {
                    r::BoolOp::And => BoolOp::And,
                    r::BoolOp::Or => BoolOp::Or,
                },
                values: self.exprs(&x.values)?,
            },
            r::Expr::Named(x) => {
                ExprKind::NamedExpr { target: self.boxed(&x.target)?, value: self.boxed(&x.value)? }
            }
            r::Expr::BinOp(x) => ExprKind::BinOp {
                left: self.boxed(&x.left)?,
                op: operator(x.op),
                right: self.boxed(&x.right)?,
            },
            r::Expr::UnaryOp(x) => ExprKind::UnaryOp {
                op: match x.op {
                    r::UnaryOp::Invert => UnaryOp::Invert,
                    r::UnaryOp::Not => UnaryOp::Not,
                    r::UnaryOp::UAdd => UnaryOp::UAdd,
                    r::UnaryOp::USub => UnaryOp::USub,
                },
                operand: self.boxed(&x.operand)?,
            },
            r::Expr::Lambda(x) => ExprKind::Lambda {
                args: Box::new(match &x.parameters {
                    Some(p) => self.parameters(p)?,
                    None => Arguments::default(),
                }),
                body: self.boxed(&x.body)?,
            },
            r::Expr::If(x) => ExprKind::IfExp {
                test: self.boxed(&x.test)?,
                body: self.boxed(&x.body)?,
                orelse: self.boxed(&x.orelse)?,
            },
            r::Expr::Dict(x) => {
                let mut keys = Vec::with_capacity(x.items.len());
                let mut values = Vec::with_capacity(x.items.len());
                for i in &x.items {
                    keys.push(i.key.as_ref().map(|k| self.expr(k)).transpose()?);
                    values.push(self.expr(&i.value)?);
                }
                ExprKind::Dict { keys, values }
            }
            r::Expr::Set(x) => ExprKind::Set { elts: self.exprs(&x.elts)? },
            r::Expr::ListComp(x) => {
                ExprKind::ListComp { elt: self.boxed(&x.elt)?, generators: self.generators(&x.generators)? }
            }
            r::Expr::SetComp(x) => {
                ExprKind::SetComp { elt: self.boxed(&x.elt)?, generators: self.generators(&x.generators)? }
            }
            r::Expr::DictComp(x) => {
                let Some(key) = &x.key else { return Err(self.invalid(x.range)) };
                ExprKind::DictComp {
                    key: self.boxed(key)?,
                    value: self.boxed(&x.value)?,
                    generators: self.generators(&x.generators)?,
                }
            }
            r::Expr::Generator(x) => ExprKind::GeneratorExp {
                elt: self.boxed(&x.elt)?,
                generators: self.generators(&x.generators)?,
            },
            r::Expr::Await(x) => ExprKind::Await { value: self.boxed(&x.value)? },
            r::Expr::Yield(x) => ExprKind::Yield { value: self.opt_expr(&x.value)? },
            r::Expr::YieldFrom(x) => ExprKind::YieldFrom { value: self.boxed(&x.value)? },
            r::Expr::Compare(x) => ExprKind::Compare {
                left: self.boxed(&x.left)?,
                ops: x.ops.iter().map(|&o| cmp_op(o)).collect(),
                comparators: self.exprs(&x.comparators)?,
            },
            r::Expr::Call(x) => {
                let func = self.boxed(&x.func)?;
                let mut args = self.exprs(&x.arguments.args)?;
                if let ([r::Expr::Generator(g)], [a]) = (&x.arguments.args[..], &mut args[..])
                    && !g.parenthesized
                {
                    a.loc = self.loc(x.arguments.range);
                }
                ExprKind::Call { func, args, keywords: self.keywords(&x.arguments.keywords)? }
            }
            r::Expr::FString(x) => return self.fstring(x, loc),
            r::Expr::StringLiteral(x) => {
                let mut text = Wtf8::new();
                for part in x.value.iter() {
                    self.string_part(part, &mut text);
                }
                let kind_u = x.value.iter().next().is_some_and(|p| p.flags.prefix().is_unicode());
                ExprKind::Constant { value: Const::Str(text), kind_u }
            }
            r::Expr::BytesLiteral(x) => {
                for p in x.value.iter().filter(|p| !p.flags.prefix().is_raw()) {
                    self.check_escapes(p.content_range(), p.range, true);
                }
                let value = Const::Bytes(x.value.iter().flat_map(|p| p.value.iter().copied()).collect());
                ExprKind::Constant { value, kind_u: false }
            }
            r::Expr::NumberLiteral(x) => {
                self.check_number_end(x.range);
                let value = match &x.value {
                    r::Number::Int(i) => match i.as_i64() {
                        Some(v) => Const::int(v),
                        None => Const::Int(self.big_int(x.range)?),
                    },
                    r::Number::Float(f) => Const::Float(*f),
                    r::Number::Complex { real, imag } => Const::Complex(*real, *imag),
                };
                ExprKind::Constant { value, kind_u: false }
            }
            r::Expr::BooleanLiteral(x) => {
                let value = if x.value { Const::True } else { Const::False };
                ExprKind::Constant { value, kind_u: false }
            }
            r::Expr::NoneLiteral(_) => ExprKind::Constant { value: Const::None, kind_u: false },
            r::Expr::EllipsisLiteral(_) => ExprKind::Constant { value: Const::Ellipsis, kind_u: false },
            r::Expr::Attribute(x) => ExprKind::Attribute {
                value: self.boxed(&x.value)?,
                attr: self.ident(&x.attr),
                ctx: ctx(x.ctx),
            },
            r::Expr::Subscript(x) => ExprKind::Subscript {
                value: self.boxed(&x.value)?,
                slice: self.boxed(&x.slice)?,
                ctx: ctx(x.ctx),
            },
            r::Expr::Starred(x) => ExprKind::Starred { value: self.boxed(&x.value)?, ctx: ctx(x.ctx) },
            r::Expr::Name(x) => {
                let id = if self.old_names.contains(&x.range.start().to_u32()) {
                    let lines = self.lines;
                    self.name(&lines.text[x.range])
                } else {
                    self.name(x.id.as_str())
                };
                ExprKind::Name { id, ctx: ctx(x.ctx) }
            }
            r::Expr::List(x) => ExprKind::List { elts: self.exprs(&x.elts)?, ctx: ctx(x.ctx) },
            r::Expr::Tuple(x) => ExprKind::Tuple { elts: self.exprs(&x.elts)?, ctx: ctx(x.ctx) },
            r::Expr::Slice(x) => ExprKind::Slice {
                lower: self.opt_expr(&x.lower)?,
                upper: self.opt_expr(&x.upper)?,
                step: self.opt_expr(&x.step)?,
            },
            r::Expr::TString(_) | r::Expr::IpyEscapeCommand(_) => return Err(self.invalid(e.range())),
        };
        Ok(Expr { kind, loc })
    }

    fn big_int(&self, range: TextRange) -> Result<PyInt> {
        let text: String = self.lines.text[range].chars().filter(|&c| c != '_').collect();
        let lower = text.to_ascii_lowercase();
        let (digits, radix) = match lower.get(..2) {
            Some("0x") => (&lower[2..], 16),
            Some("0o") => (&lower[2..], 8),
            Some("0b") => (&lower[2..], 2),
            _ => (&lower[..], 10),
        };
        if radix == 10 && self.max_digits > 0 && digits.len() > self.max_digits {
            let msg = format!(
                "Exceeds the limit ({} digits) for integer string conversion: value has {} digits; use \
                 sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer \
                 literals to avoid decimal conversion limits.",
                self.max_digits,
                digits.len()
            );
            let at = range.start().to_u32();
            let mut e = self.lines.error(ErrorKind::Syntax, msg, at, at);
            (e.offset, e.end_offset) = (0, 0);
            return Err(e);
        }
        match num_bigint::BigUint::parse_bytes(digits.as_bytes(), radix) {
            Some(n) => Ok(PyInt::from_bytes_le(false, &n.to_bytes_le())),
            None => Err(self.invalid(range)),
        }
    }

    // ---- Strings ----

    /// `1if x else y` is understood, with a warning.
    fn check_number_end(&self, range: TextRange) {
        let end = range.end().to_usize();
        if self.warnings.is_none()
            || !self.lines.text.as_bytes().get(end).is_some_and(u8::is_ascii_alphabetic)
        {
            return;
        }
        let text = &self.lines.text[range];
        let kind = match text.as_bytes() {
            [b'0', b'x' | b'X', ..] => "hexadecimal",
            [b'0', b'o' | b'O', ..] => "octal",
            [b'0', b'b' | b'B', ..] => "binary",
            [.., b'j' | b'J'] => "imaginary",
            _ => "decimal",
        };
        warnings::warn(self.warnings, Category::Syntax, format!("invalid {kind} literal"), self.loc(range));
    }

    /// An error that CPython reports at the token behind the literal.
    fn behind(&self, msg: String, literal: TextRange) -> Box<crate::error::SyntaxError> {
        let end = literal.end().to_usize();
        let rest = &self.lines.text.as_bytes()[end..];
        let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let at = (end + blanks) as u32;
        self.lines.error(ErrorKind::Syntax, msg, at, at)
    }

    /// Unknown escapes are kept as they are, with a warning at the literal's first line.
    fn check_escapes(&self, source: TextRange, literal: TextRange, bytes: bool) {
        if self.warnings.is_some()
            && let Some(msg) = warnings::bad_escape(&self.lines.text[source], bytes)
        {
            warnings::warn(self.warnings, Category::Deprecation, msg, self.loc(literal));
        }
    }

    fn string_part(&self, part: &r::StringLiteral, out: &mut Wtf8) {
        if !part.flags.prefix().is_raw() {
            self.check_escapes(part.content_range(), part.range, false);
        }
        if part.value.contains(char::REPLACEMENT_CHARACTER) && !part.flags.prefix().is_raw() {
            let range = part.content_range();
            if self.lines.text[range].contains('\\') {
                return literal::unescape(&self.lines.text[range], false, out);
            }
        }
        out.push_str(&part.value);
    }

    fn fstring(&mut self, x: &r::ExprFString, loc: Location) -> Result<Expr> {
        let mut b = Pieces { values: vec![], text: Wtf8::new(), loc };
        // As in CPython, the kind is that of the first literal token.
        for part in x.value.iter() {
            match part {
                r::FStringPart::Literal(s) => self.string_part(s, &mut b.text),
                r::FStringPart::FString(f) => {
                    let raw = matches!(f.flags.prefix(), r::str_prefix::FStringPrefix::Raw { .. });
                    if let Some(msg) = crate::fstring_fields::problem(&self.lines.text[f.range]) {
                        return Err(match msg.strip_prefix("f-string: cannot use starred") {
                            Some(_) => self.starred_field(f),
                            None => self.behind(msg, f.range),
                        });
                    }
                    let token = self.loc(f.range);
                    self.fstring_elements(&f.elements, raw, token, &mut b)?;
                }
            }
        }
        b.flush(loc);
        let kind_u = matches!(x.value.iter().next(), Some(r::FStringPart::Literal(s)) if s.flags.prefix().is_unicode());
        if kind_u {
            for v in &mut b.values {
                if let ExprKind::Constant { kind_u, .. } = &mut v.kind {
                    *kind_u = true;
                }
            }
        }
        Ok(Expr { kind: ExprKind::JoinedStr { values: b.values }, loc })
    }

    /// `f'{*x}'`: CPython parses the field's text by itself, in parentheses.
    fn starred_field(&self, f: &r::FString) -> Box<crate::error::SyntaxError> {
        let msg = "f-string: cannot use starred expression here";
        let found = f.elements.iter().find_map(|e| match e {
            r::InterpolatedStringElement::Interpolation(i) if i.expression.is_starred_expr() => Some(i),
            _ => None,
        });
        let Some(i) = found else { return self.behind(msg.into(), f.range) };
        let start = i.range.start().to_usize() + 1;
        let end = i.expression.range().end().to_usize();
        let text = format!("({})\n", &self.lines.text[start..end]);
        let line = self.lines.find(i.range.start().to_u32()).0;
        let mut e = self.lines.error(ErrorKind::Syntax, msg, 0, 0);
        (e.lineno, e.end_lineno) = (line, line);
        (e.offset, e.end_offset) = (2, text.trim_end().chars().count() as i32);
        e.text = Some(text);
        e
    }

    /// `token`: the location of the string token we are in (format specifications take it).
    fn fstring_elements(
        &mut self,
        elements: &r::InterpolatedStringElements,
        raw: bool,
        token: Location,
        b: &mut Pieces,
    ) -> Result<()> {
        for e in elements.iter() {
            match e {
                r::InterpolatedStringElement::Literal(l) => {
                    let source = &self.lines.text[l.range];
                    if !raw {
                        let trailing = source.bytes().rev().take_while(|b| *b == b'\\').count();
                        if trailing % 2 == 1 && warnings::bad_escape(source, false).is_none() {
                            let msg = "invalid escape sequence '\\{'";
                            warnings::warn(self.warnings, Category::Deprecation, msg, self.loc(l.range));
                        } else {
                            self.check_escapes(l.range, l.range, false);
                        }
                    }
                    if l.value.contains(char::REPLACEMENT_CHARACTER) && !raw && source.contains('\\') {
                        literal::unescape(source, true, &mut b.text);
                    } else {
                        b.text.push_str(&l.value);
                    }
                }
                r::InterpolatedStringElement::Interpolation(i) => {
                    let mut conversion = match i.conversion {
                        r::ConversionFlag::None => -1,
                        r::ConversionFlag::Str => 's' as i32,
                        r::ConversionFlag::Ascii => 'a' as i32,
                        r::ConversionFlag::Repr => 'r' as i32,
                    };
                    if let Some(d) = &i.debug_text {
                        b.text.push_str(d.as_str());
                        if conversion == -1 && i.format_spec.is_none() {
                            conversion = 'r' as i32;
                        }
                    }
                    b.flush(b.loc);
                    let mut value = self.boxed(&i.expression)?;
                    if let r::Expr::Tuple(t) = &*i.expression
                        && !t.parenthesized
                    {
                        // CPython 3.11 parses the field's text in parentheses, and a tuple takes them for its own.
                        let rest = &self.lines.text.as_bytes()[t.range.end().to_usize()..];
                        let blanks = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
                        let end = t.range.end().to_u32() + blanks as u32 + 1;
                        value.loc = self.lines.location(i.range.start().to_u32(), end);
                    }
                    let format_spec = match &i.format_spec {
                        Some(spec) => {
                            let mut inner = Pieces { values: vec![], text: Wtf8::new(), loc: b.loc };
                            self.fstring_elements(&spec.elements, raw, token, &mut inner)?;
                            inner.flush(token);
                            let kind = ExprKind::JoinedStr { values: inner.values };
                            Some(Box::new(Expr { kind, loc: token }))
                        }
                        None => None,
                    };
                    b.values.push(Expr {
                        kind: ExprKind::FormattedValue { value, conversion, format_spec },
                        loc: b.loc,
                    });
                }
            }
        }
        Ok(())
    }
}

/// The values of a `JoinedStr` being collected; neighbouring texts are joined.
struct Pieces {
    values: Vec<Expr>,
    text: Wtf8,
    loc: Location,
}

impl Pieces {
    fn flush(&mut self, loc: Location) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.values.push(Expr::constant(Const::Str(text), loc));
        }
    }
}

fn start_of(body: &[r::Stmt]) -> TextSize {
    body.first().map_or(TextSize::new(0), |s| s.range().start())
}

fn ctx(c: r::ExprContext) -> Context {
    match c {
        r::ExprContext::Store => Context::Store,
        r::ExprContext::Del => Context::Del,
        r::ExprContext::Load | r::ExprContext::Invalid => Context::Load,
    }
}

fn operator(o: r::Operator) -> Operator {
    match o {
        r::Operator::Add => Operator::Add,
        r::Operator::Sub => Operator::Sub,
        r::Operator::Mult => Operator::Mult,
        r::Operator::MatMult => Operator::MatMult,
        r::Operator::Div => Operator::Div,
        r::Operator::Mod => Operator::Mod,
        r::Operator::Pow => Operator::Pow,
        r::Operator::LShift => Operator::LShift,
        r::Operator::RShift => Operator::RShift,
        r::Operator::BitOr => Operator::BitOr,
        r::Operator::BitXor => Operator::BitXor,
        r::Operator::BitAnd => Operator::BitAnd,
        r::Operator::FloorDiv => Operator::FloorDiv,
    }
}

fn cmp_op(o: r::CmpOp) -> CmpOp {
    match o {
        r::CmpOp::Eq => CmpOp::Eq,
        r::CmpOp::NotEq => CmpOp::NotEq,
        r::CmpOp::Lt => CmpOp::Lt,
        r::CmpOp::LtE => CmpOp::LtE,
        r::CmpOp::Gt => CmpOp::Gt,
        r::CmpOp::GtE => CmpOp::GtE,
        r::CmpOp::Is => CmpOp::Is,
        r::CmpOp::IsNot => CmpOp::IsNot,
        r::CmpOp::In => CmpOp::In,
        r::CmpOp::NotIn => CmpOp::NotIn,
    }
}
