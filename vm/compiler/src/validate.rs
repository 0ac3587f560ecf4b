//! Checks of trees that were not made by the parser: what code generation takes for granted. Errors are `ValueError`s in CPython's
//! words.

use crate::ast::*;
use crate::error::{ErrorKind, Located};
use lh_bytecode::Const;

type Result = std::result::Result<(), Box<Located>>;

pub fn validate(m: &Mod) -> Result {
    match m {
        Mod::Module { body, .. } | Mod::Interactive { body } => stmts(body),
        Mod::Expression { body } => expr(body, Context::Load),
    }
}

fn fail(msg: impl Into<String>) -> Result {
    let mut e = Located::new(msg, Location::NONE);
    e.kind = ErrorKind::Value;
    Err(e)
}

fn check(ok: bool, msg: &str) -> Result {
    if ok { Ok(()) } else { fail(msg) }
}

/// Lines and columns in order.
fn place(l: Location) -> Result {
    check(l.line <= l.end_line, &format!("AST node line range ({}, {}) is not valid", l.line, l.end_line))?;
    check(
        (l.line >= 0 || l.end_line == l.line) && (l.col >= 0 || l.end_col == l.col),
        &format!(
            "AST node column range ({}, {}) for line range ({}, {}) is not valid",
            l.col, l.end_col, l.line, l.end_line
        ),
    )?;
    check(
        l.line != l.end_line || l.col <= l.end_col,
        &format!("line {}, column {}-{} is not a valid range", l.line, l.col, l.end_col),
    )
}

fn body(b: &[Stmt], owner: &str) -> Result {
    check(!b.is_empty(), &format!("empty body on {owner}"))?;
    stmts(b)
}

fn stmts(b: &[Stmt]) -> Result {
    b.iter().try_for_each(stmt)
}

fn exprs(es: &[Expr], ctx: Context) -> Result {
    es.iter().try_for_each(|e| expr(e, ctx))
}

fn opt(e: &Option<Box<Expr>>) -> Result {
    e.as_ref().map_or(Ok(()), |e| expr(e, Context::Load))
}

fn targets(es: &[Expr], ctx: Context, owner: &str) -> Result {
    check(!es.is_empty(), &format!("empty targets on {owner}"))?;
    exprs(es, ctx)
}

fn arguments(a: &Arguments) -> Result {
    let all = a.posonlyargs.iter().chain(&a.args).chain(a.vararg.as_deref());
    for x in all.chain(&a.kwonlyargs).chain(a.kwarg.as_deref()) {
        place(x.loc)?;
        opt(&x.annotation)?;
    }
    check(
        a.defaults.len() <= a.posonlyargs.len() + a.args.len(),
        "more positional defaults than args on arguments",
    )?;
    check(
        a.kw_defaults.len() == a.kwonlyargs.len(),
        "length of kwonlyargs is not the same as kw_defaults on arguments",
    )?;
    exprs(&a.defaults, Context::Load)?;
    a.kw_defaults.iter().flatten().try_for_each(|e| expr(e, Context::Load))
}

fn keywords(ks: &[Keyword]) -> Result {
    ks.iter().try_for_each(|k| expr(&k.value, Context::Load))
}

fn with(items: &[WithItem], b: &[Stmt], owner: &str) -> Result {
    check(!items.is_empty(), &format!("empty items on {owner}"))?;
    for i in items {
        expr(&i.context_expr, Context::Load)?;
        if let Some(v) = &i.optional_vars {
            expr(v, Context::Store)?;
        }
    }
    body(b, owner)
}

fn try_stmt(t: &Try, owner: &str) -> Result {
    body(&t.body, owner)?;
    check(
        !t.handlers.is_empty() || !t.finalbody.is_empty(),
        &format!("{owner} has neither except handlers nor finalbody"),
    )?;
    check(
        !t.handlers.is_empty() || t.orelse.is_empty(),
        &format!("{owner} has orelse but no except handlers"),
    )?;
    for h in &t.handlers {
        place(h.loc)?;
        opt(&h.typ)?;
        body(&h.body, "ExceptHandler")?;
    }
    stmts(&t.orelse)?;
    stmts(&t.finalbody)
}

fn stmt(s: &Stmt) -> Result {
    use Context::*;
    place(s.loc)?;
    match &s.kind {
        StmtKind::FunctionDef(f) | StmtKind::AsyncFunctionDef(f) => {
            let is_async = matches!(s.kind, StmtKind::AsyncFunctionDef(_));
            arguments(&f.args)?;
            body(&f.body, if is_async { "AsyncFunctionDef" } else { "FunctionDef" })?;
            exprs(&f.decorator_list, Load)?;
            f.returns.as_ref().map_or(Ok(()), |r| expr(r, Load))
        }
        StmtKind::ClassDef(c) => {
            body(&c.body, "ClassDef")?;
            exprs(&c.bases, Load)?;
            keywords(&c.keywords)?;
            exprs(&c.decorator_list, Load)
        }
        StmtKind::Return { value } => opt(value),
        StmtKind::Delete { targets: t } => targets(t, Del, "Delete"),
        StmtKind::Assign { targets: t, value, .. } => {
            targets(t, Store, "Assign")?;
            expr(value, Load)
        }
        StmtKind::AugAssign { target, value, .. } => {
            expr(target, Store)?;
            expr(value, Load)
        }
        StmtKind::AnnAssign { target, annotation, value, simple } => {
            check(
                !simple || matches!(target.kind, ExprKind::Name { .. }),
                "AnnAssign with simple non-Name target",
            )?;
            expr(target, Store)?;
            opt(value)?;
            expr(annotation, Load)
        }
        StmtKind::For(f) | StmtKind::AsyncFor(f) => {
            expr(&f.target, Store)?;
            expr(&f.iter, Load)?;
            body(&f.body, if matches!(s.kind, StmtKind::For(_)) { "For" } else { "AsyncFor" })?;
            stmts(&f.orelse)
        }
        StmtKind::While { test, body: b, orelse } => {
            expr(test, Load)?;
            body(b, "While")?;
            stmts(orelse)
        }
        StmtKind::If { test, body: b, orelse } => {
            expr(test, Load)?;
            body(b, "If")?;
            stmts(orelse)
        }
        StmtKind::With { items, body: b, .. } => with(items, b, "With"),
        StmtKind::AsyncWith { items, body: b, .. } => with(items, b, "AsyncWith"),
        StmtKind::Match { subject, cases } => {
            expr(subject, Load)?;
            check(!cases.is_empty(), "empty cases on Match")?;
            for c in cases {
                pattern(&c.pattern, false)?;
                opt(&c.guard)?;
                body(&c.body, "match_case")?;
            }
            Ok(())
        }
        StmtKind::Raise { exc, cause } => {
            check(exc.is_some() || cause.is_none(), "Raise with cause but no exception")?;
            opt(exc)?;
            opt(cause)
        }
        StmtKind::Try(t) => try_stmt(t, "Try"),
        StmtKind::TryStar(t) => try_stmt(t, "TryStar"),
        StmtKind::Assert { test, msg } => {
            expr(test, Load)?;
            opt(msg)
        }
        StmtKind::Import { names } => check(!names.is_empty(), "empty names on Import"),
        StmtKind::ImportFrom { names, .. } => check(!names.is_empty(), "empty names on ImportFrom"),
        StmtKind::Global { names } => check(!names.is_empty(), "empty names on Global"),
        StmtKind::Nonlocal { names } => check(!names.is_empty(), "empty names on Nonlocal"),
        StmtKind::Expr { value } => expr(value, Load),
        StmtKind::Pass | StmtKind::Break | StmtKind::Continue => Ok(()),
    }
}

fn ctx_name(c: Context) -> &'static str {
    match c {
        Context::Load => "Load",
        Context::Store => "Store",
        Context::Del => "Del",
    }
}

fn comprehension(gs: &[Comprehension]) -> Result {
    check(!gs.is_empty(), "comprehension with no generators")?;
    for g in gs {
        expr(&g.target, Context::Store)?;
        expr(&g.iter, Context::Load)?;
        exprs(&g.ifs, Context::Load)?;
    }
    Ok(())
}

fn identifier(name: &str) -> Result {
    check(
        !matches!(name, "None" | "True" | "False"),
        &format!("identifier field can't represent '{name}' constant"),
    )
}

fn expr(e: &Expr, want: Context) -> Result {
    use Context::Load;
    place(e.loc)?;
    let own = match &e.kind {
        ExprKind::Attribute { ctx, .. }
        | ExprKind::Subscript { ctx, .. }
        | ExprKind::Starred { ctx, .. }
        | ExprKind::Name { ctx, .. }
        | ExprKind::List { ctx, .. }
        | ExprKind::Tuple { ctx, .. } => Some(*ctx),
        _ => None,
    };
    match own {
        Some(c) => check(
            c == want,
            &format!("expression must have {} context but has {} instead", ctx_name(want), ctx_name(c)),
        )?,
        None => check(
            want == Load,
            &format!("expression which can't be assigned to in {} context", ctx_name(want)),
        )?,
    }
    match &e.kind {
        ExprKind::BoolOp { values, .. } => {
            check(values.len() >= 2, "BoolOp with less than 2 values")?;
            exprs(values, Load)
        }
        ExprKind::NamedExpr { target, value } => {
            check(matches!(target.kind, ExprKind::Name { .. }), "NamedExpr target must be a Name")?;
            expr(target, Context::Store)?;
            expr(value, Load)
        }
        ExprKind::BinOp { left, right, .. } => {
            expr(left, Load)?;
            expr(right, Load)
        }
        ExprKind::UnaryOp { operand, .. } => expr(operand, Load),
        ExprKind::Lambda { args, body } => {
            arguments(args)?;
            expr(body, Load)
        }
        ExprKind::IfExp { test, body, orelse } => {
            expr(test, Load)?;
            expr(body, Load)?;
            expr(orelse, Load)
        }
        ExprKind::Dict { keys, values } => {
            check(keys.len() == values.len(), "Dict doesn't have the same number of keys as values")?;
            keys.iter().flatten().try_for_each(|k| expr(k, Load))?;
            exprs(values, Load)
        }
        ExprKind::Set { elts } => exprs(elts, Load),
        ExprKind::ListComp { elt, generators }
        | ExprKind::SetComp { elt, generators }
        | ExprKind::GeneratorExp { elt, generators } => {
            comprehension(generators)?;
            expr(elt, Load)
        }
        ExprKind::DictComp { key, value, generators } => {
            comprehension(generators)?;
            expr(key, Load)?;
            expr(value, Load)
        }
        ExprKind::Await { value } | ExprKind::YieldFrom { value } => expr(value, Load),
        ExprKind::Yield { value } => opt(value),
        ExprKind::Compare { left, ops, comparators } => {
            check(!comparators.is_empty(), "Compare with no comparators")?;
            check(
                comparators.len() == ops.len(),
                "Compare has a different number of comparators and operands",
            )?;
            exprs(comparators, Load)?;
            expr(left, Load)
        }
        ExprKind::Call { func, args, keywords: ks } => {
            expr(func, Load)?;
            exprs(args, Load)?;
            keywords(ks)
        }
        ExprKind::FormattedValue { value, format_spec, .. } => {
            expr(value, Load)?;
            opt(format_spec)
        }
        ExprKind::JoinedStr { values } => exprs(values, Load),
        ExprKind::Constant { .. } => Ok(()),
        ExprKind::Attribute { value, .. } => expr(value, Load),
        ExprKind::Subscript { value, slice, .. } => {
            expr(slice, Load)?;
            expr(value, Load)
        }
        ExprKind::Starred { value, .. } => expr(value, want),
        ExprKind::Name { id, .. } => identifier(id),
        ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } => exprs(elts, want),
        ExprKind::Slice { lower, upper, step } => {
            opt(lower)?;
            opt(upper)?;
            opt(step)
        }
    }
}

fn capture(name: &Option<Name>) -> Result {
    match name.as_deref() {
        Some("_") => fail("can't capture name '_' in patterns"),
        Some(n) => identifier(n),
        None => Ok(()),
    }
}

/// Literals and dotted names.
fn match_value(e: &Expr) -> Result {
    expr(e, Context::Load)?;
    let ok = match &e.kind {
        ExprKind::Constant { value, .. } => {
            return check(
                matches!(
                    value,
                    Const::Int(_) | Const::Float(_) | Const::Complex(..) | Const::Str(_) | Const::Bytes(_)
                ),
                "unexpected constant inside of a literal pattern",
            );
        }
        ExprKind::Attribute { .. } | ExprKind::JoinedStr { .. } => true,
        ExprKind::UnaryOp { op: UnaryOp::USub, operand } => is_number(operand, false),
        ExprKind::BinOp { left, op: Operator::Add | Operator::Sub, right } => {
            let real = match &left.kind {
                ExprKind::UnaryOp { op: UnaryOp::USub, operand } => operand,
                _ => left,
            };
            is_number(real, false) && is_number(right, true)
        }
        _ => false,
    };
    check(ok, "patterns may only match literals and attribute lookups")
}

fn is_number(e: &Expr, imaginary: bool) -> bool {
    match e.as_constant() {
        Some(Const::Complex(..)) => true,
        Some(Const::Int(_) | Const::Float(_)) => !imaginary,
        _ => false,
    }
}

/// `star_ok`: directly inside a sequence pattern.
fn pattern(p: &Pattern, star_ok: bool) -> Result {
    place(p.loc)?;
    match &p.kind {
        PatternKind::MatchValue { value } => match_value(value),
        PatternKind::MatchSingleton { value } => check(
            matches!(value, Const::None | Const::True | Const::False),
            "MatchSingleton can only contain True, False and None",
        ),
        PatternKind::MatchSequence { patterns } => patterns.iter().try_for_each(|p| pattern(p, true)),
        PatternKind::MatchMapping { keys, patterns, rest } => {
            check(
                keys.len() == patterns.len(),
                "MatchMapping doesn't have the same number of keys as patterns",
            )?;
            capture(rest)?;
            keys.iter().try_for_each(|k| match k.as_constant() {
                Some(Const::None | Const::True | Const::False) => Ok(()),
                _ => match_value(k),
            })?;
            patterns.iter().try_for_each(|p| pattern(p, false))
        }
        PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => {
            check(
                kwd_attrs.len() == kwd_patterns.len(),
                "MatchClass doesn't have the same number of keyword attributes as patterns",
            )?;
            expr(cls, Context::Load)?;
            let mut base = cls;
            while let ExprKind::Attribute { value, .. } = &base.kind {
                base = value;
            }
            check(
                matches!(base.kind, ExprKind::Name { .. }),
                "MatchClass cls field can only contain Name or Attribute nodes.",
            )?;
            kwd_attrs.iter().try_for_each(|n| identifier(n))?;
            patterns.iter().chain(kwd_patterns).try_for_each(|p| pattern(p, false))
        }
        PatternKind::MatchStar { name } => {
            check(star_ok, "can't use MatchStar here")?;
            capture(name)
        }
        PatternKind::MatchAs { pattern: inner, name } => {
            capture(name)?;
            match inner {
                None => Ok(()),
                Some(_) if name.is_none() => fail("MatchAs must specify a target name if a pattern is given"),
                Some(p) => pattern(p, false),
            }
        }
        PatternKind::MatchOr { patterns } => {
            check(patterns.len() >= 2, "MatchOr requires at least 2 patterns")?;
            patterns.iter().try_for_each(|p| pattern(p, false))
        }
    }
}
