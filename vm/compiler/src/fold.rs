//! Folding of constant expressions in the tree, with CPython's rules (what is folded is visible in code objects).

use crate::ast::*;
use crate::values;
use lh_bytecode::{Const, Wtf8};

/// Folds a whole module. `optimize` decides `__debug__`; with `future_annotations` annotations stay as written.
pub fn fold_mod(m: &mut Mod, optimize: u8, future_annotations: bool) {
    let f = Folder { optimize, future_annotations };
    match m {
        Mod::Module { body, .. } => f.body(body),
        Mod::Interactive { body } => f.stmts(body),
        Mod::Expression { body } => f.expr(body),
    }
}

struct Folder {
    optimize: u8,
    future_annotations: bool,
}

/// The doc string of a body.
pub fn docstring(body: &[Stmt]) -> Option<&Wtf8> {
    match &body.first()?.kind {
        StmtKind::Expr { value } => match &value.kind {
            ExprKind::Constant { value: Const::Str(s), .. } => Some(s),
            _ => None,
        },
        _ => None,
    }
}

impl Folder {
    /// A body that can have a doc string: a text that only folding made must not become one.
    fn body(&self, body: &mut [Stmt]) {
        let had = docstring(body).is_some();
        self.stmts(body);
        if !had
            && docstring(body).is_some()
            && let StmtKind::Expr { value } = &mut body[0].kind
        {
            let loc = value.loc;
            let text =
                std::mem::replace(&mut **value, Expr { kind: ExprKind::JoinedStr { values: vec![] }, loc });
            value.kind = ExprKind::JoinedStr { values: vec![text] };
        }
    }

    fn stmts(&self, body: &mut [Stmt]) {
        body.iter_mut().for_each(|s| self.stmt(s));
    }

    fn exprs(&self, es: &mut [Expr]) {
        es.iter_mut().for_each(|e| self.expr(e));
    }

    fn opt(&self, e: &mut Option<Box<Expr>>) {
        if let Some(e) = e {
            self.expr(e);
        }
    }

    fn arguments(&self, a: &mut Arguments) {
        if !self.future_annotations {
            for x in a.posonlyargs.iter_mut().chain(&mut a.args).chain(&mut a.kwonlyargs) {
                self.opt(&mut x.annotation);
            }
            for x in [&mut a.vararg, &mut a.kwarg].into_iter().flatten() {
                self.opt(&mut x.annotation);
            }
        }
        self.exprs(&mut a.defaults);
        a.kw_defaults.iter_mut().flatten().for_each(|e| self.expr(e));
    }

    fn keywords(&self, ks: &mut [Keyword]) {
        ks.iter_mut().for_each(|k| self.expr(&mut k.value));
    }

    fn stmt(&self, s: &mut Stmt) {
        match &mut s.kind {
            StmtKind::FunctionDef(f) | StmtKind::AsyncFunctionDef(f) => {
                self.arguments(&mut f.args);
                self.body(&mut f.body);
                self.exprs(&mut f.decorator_list);
                if !self.future_annotations
                    && let Some(r) = &mut f.returns
                {
                    self.expr(r);
                }
            }
            StmtKind::ClassDef(c) => {
                self.exprs(&mut c.bases);
                self.keywords(&mut c.keywords);
                self.body(&mut c.body);
                self.exprs(&mut c.decorator_list);
            }
            StmtKind::Return { value } => self.opt(value),
            StmtKind::Delete { targets } => self.exprs(targets),
            StmtKind::Assign { targets, value, .. } => {
                self.exprs(targets);
                self.expr(value);
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.expr(target);
                self.expr(value);
            }
            StmtKind::AnnAssign { target, annotation, value, .. } => {
                self.expr(target);
                if !self.future_annotations {
                    self.expr(annotation);
                }
                self.opt(value);
            }
            StmtKind::For(f) | StmtKind::AsyncFor(f) => {
                self.expr(&mut f.target);
                self.expr(&mut f.iter);
                self.stmts(&mut f.body);
                self.stmts(&mut f.orelse);
                self.iter(&mut f.iter);
            }
            StmtKind::While { test, body, orelse } | StmtKind::If { test, body, orelse } => {
                self.expr(test);
                self.stmts(body);
                self.stmts(orelse);
            }
            StmtKind::With { items, body, .. } | StmtKind::AsyncWith { items, body, .. } => {
                for i in items {
                    self.expr(&mut i.context_expr);
                    self.opt(&mut i.optional_vars);
                }
                self.stmts(body);
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject);
                for c in cases {
                    self.pattern(&mut c.pattern);
                    self.opt(&mut c.guard);
                    self.stmts(&mut c.body);
                }
            }
            StmtKind::Raise { exc, cause } => {
                self.opt(exc);
                self.opt(cause);
            }
            StmtKind::Try(t) | StmtKind::TryStar(t) => {
                self.stmts(&mut t.body);
                for h in &mut t.handlers {
                    self.opt(&mut h.typ);
                    self.stmts(&mut h.body);
                }
                self.stmts(&mut t.orelse);
                self.stmts(&mut t.finalbody);
            }
            StmtKind::Assert { test, msg } => {
                self.expr(test);
                self.opt(msg);
            }
            StmtKind::Expr { value } => self.expr(value),
            StmtKind::Import { .. }
            | StmtKind::ImportFrom { .. }
            | StmtKind::Global { .. }
            | StmtKind::Nonlocal { .. }
            | StmtKind::Pass
            | StmtKind::Break
            | StmtKind::Continue => {}
        }
    }

    fn pattern(&self, p: &mut Pattern) {
        match &mut p.kind {
            PatternKind::MatchValue { value } => self.expr(value),
            PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => {
                patterns.iter_mut().for_each(|p| self.pattern(p));
            }
            PatternKind::MatchMapping { keys, patterns, .. } => {
                self.exprs(keys);
                patterns.iter_mut().for_each(|p| self.pattern(p));
            }
            PatternKind::MatchClass { cls, patterns, kwd_patterns, .. } => {
                self.expr(cls);
                patterns.iter_mut().chain(kwd_patterns).for_each(|p| self.pattern(p));
            }
            PatternKind::MatchAs { pattern: Some(p), .. } => self.pattern(p),
            PatternKind::MatchSingleton { .. }
            | PatternKind::MatchStar { .. }
            | PatternKind::MatchAs { .. } => {}
        }
    }

    fn generators(&self, gs: &mut [Comprehension]) {
        for g in gs {
            self.expr(&mut g.target);
            self.expr(&mut g.iter);
            self.exprs(&mut g.ifs);
            self.iter(&mut g.iter);
        }
    }

    fn expr(&self, e: &mut Expr) {
        let folded: Option<Const> = match &mut e.kind {
            ExprKind::BoolOp { values, .. } => {
                self.exprs(values);
                None
            }
            ExprKind::NamedExpr { value, .. } => {
                self.expr(value);
                None
            }
            ExprKind::BinOp { left, op, right } => {
                self.expr(left);
                self.expr(right);
                match (&left.kind, &mut right.kind) {
                    (ExprKind::Constant { value: Const::Str(fmt), .. }, ExprKind::Tuple { elts, .. })
                        if *op == Operator::Mod && !has_starred(elts) =>
                    {
                        if let Some(values) = format_percent(fmt, elts) {
                            e.kind = ExprKind::JoinedStr { values };
                        }
                        return;
                    }
                    (ExprKind::Constant { value: a, .. }, ExprKind::Constant { value: b, .. }) => {
                        values::binary(*op, a, b)
                    }
                    _ => None,
                }
            }
            ExprKind::UnaryOp { op, operand } => {
                self.expr(operand);
                match &mut operand.kind {
                    ExprKind::Constant { value, .. } => values::unary(*op, value),
                    ExprKind::Compare { ops, .. } if *op == UnaryOp::Not && ops.len() == 1 => {
                        ops[0] = match ops[0] {
                            CmpOp::Is => CmpOp::IsNot,
                            CmpOp::IsNot => CmpOp::Is,
                            CmpOp::In => CmpOp::NotIn,
                            CmpOp::NotIn => CmpOp::In,
                            // The others can be overridden: `not a < b` is not `a >= b`.
                            _ => return,
                        };
                        // The comparison takes the place of the whole, with its own position.
                        let inner =
                            std::mem::replace(&mut **operand, Expr::constant(Const::None, Location::NONE));
                        *e = inner;
                        None
                    }
                    _ => None,
                }
            }
            ExprKind::Lambda { args, body } => {
                self.arguments(args);
                self.expr(body);
                None
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.expr(test);
                self.expr(body);
                self.expr(orelse);
                None
            }
            ExprKind::Dict { keys, values } => {
                keys.iter_mut().flatten().for_each(|k| self.expr(k));
                self.exprs(values);
                None
            }
            ExprKind::Set { elts } | ExprKind::List { elts, .. } => {
                self.exprs(elts);
                None
            }
            ExprKind::Tuple { elts, ctx } => {
                self.exprs(elts);
                if *ctx == Context::Load { constants(elts).map(Const::Tuple) } else { None }
            }
            ExprKind::ListComp { elt, generators }
            | ExprKind::SetComp { elt, generators }
            | ExprKind::GeneratorExp { elt, generators } => {
                self.expr(elt);
                self.generators(generators);
                None
            }
            ExprKind::DictComp { key, value, generators } => {
                self.expr(key);
                self.expr(value);
                self.generators(generators);
                None
            }
            ExprKind::Await { value }
            | ExprKind::YieldFrom { value }
            | ExprKind::Attribute { value, .. }
            | ExprKind::Starred { value, .. } => {
                self.expr(value);
                None
            }
            ExprKind::Yield { value } => {
                self.opt(value);
                None
            }
            ExprKind::Compare { left, ops, comparators } => {
                self.expr(left);
                self.exprs(comparators);
                if let (Some(CmpOp::In | CmpOp::NotIn), Some(last)) = (ops.last(), comparators.last_mut()) {
                    self.iter(last);
                }
                None
            }
            ExprKind::Call { func, args, keywords } => {
                self.expr(func);
                self.exprs(args);
                self.keywords(keywords);
                None
            }
            ExprKind::FormattedValue { value, format_spec, .. } => {
                self.expr(value);
                self.opt(format_spec);
                None
            }
            ExprKind::JoinedStr { values } => {
                self.exprs(values);
                None
            }
            ExprKind::Subscript { value, slice, ctx } => {
                self.expr(value);
                self.expr(slice);
                match (&value.kind, &slice.kind) {
                    (ExprKind::Constant { value: v, .. }, ExprKind::Constant { value: i, .. })
                        if *ctx == Context::Load =>
                    {
                        values::subscript(v, i)
                    }
                    _ => None,
                }
            }
            ExprKind::Slice { lower, upper, step } => {
                self.opt(lower);
                self.opt(upper);
                self.opt(step);
                None
            }
            ExprKind::Name { id, ctx } => {
                let debug = *ctx == Context::Load && &**id == "__debug__";
                debug.then_some(if self.optimize == 0 { Const::True } else { Const::False })
            }
            ExprKind::Constant { .. } => None,
        };
        if let Some(value) = folded {
            e.kind = ExprKind::Constant { value, kind_u: false };
        }
    }

    /// What is only iterated over or searched needs no list or set of its own.
    fn iter(&self, e: &mut Expr) {
        match &mut e.kind {
            ExprKind::List { elts, ctx } => {
                if has_starred(elts) {
                    return;
                }
                e.kind = match constants(elts) {
                    Some(items) => ExprKind::Constant { value: Const::Tuple(items), kind_u: false },
                    None => ExprKind::Tuple { elts: std::mem::take(elts), ctx: *ctx },
                };
            }
            ExprKind::Set { elts } => {
                if let Some(items) = constants(elts) {
                    let mut unique: Vec<Const> = Vec::with_capacity(items.len());
                    for i in items {
                        if !unique.iter().any(|u| values::python_eq(u, &i)) {
                            unique.push(i);
                        }
                    }
                    e.kind = ExprKind::Constant { value: Const::FrozenSet(unique), kind_u: false };
                }
            }
            _ => {}
        }
    }
}

fn has_starred(elts: &[Expr]) -> bool {
    elts.iter().any(|e| matches!(e.kind, ExprKind::Starred { .. }))
}

fn constants(elts: &[Expr]) -> Option<Vec<Const>> {
    if !elts.iter().all(|e| matches!(e.kind, ExprKind::Constant { .. })) {
        return None;
    }
    elts.iter().map(|e| e.as_constant().cloned()).collect()
}

// ---- `'...' % (a, b)` ----

/// The values of the f-string that says the same as `fmt % (elts)`; only for `%s`, `%r`, `%a` with plain widths. `elts` is taken
/// apart only on success.
fn format_percent(fmt: &Wtf8, elts: &mut Vec<Expr>) -> Option<Vec<Expr>> {
    let text: Vec<u32> = fmt.code_points().collect();
    let mut pos = 0;
    enum Piece {
        Text(Wtf8),
        Value(i32, Option<String>),
    }
    let mut pieces = Vec::new();
    let mut count = 0;
    loop {
        let mut lit = Wtf8::new();
        while pos < text.len() {
            if text[pos] != b'%' as u32 {
                lit.push_code_point(text[pos]);
                pos += 1;
            } else if text.get(pos + 1) == Some(&(b'%' as u32)) {
                lit.push_str("%");
                pos += 2;
            } else {
                break;
            }
        }
        if !lit.is_empty() {
            pieces.push(Piece::Text(lit));
        }
        if pos >= text.len() {
            break;
        }
        if count >= elts.len() {
            return None;
        }
        pos += 1;
        let (conversion, spec) = percent_spec(&text, &mut pos)?;
        count += 1;
        pieces.push(Piece::Value(conversion, spec));
    }
    if count < elts.len() {
        return None;
    }
    let mut rest = std::mem::take(elts).into_iter();
    let values = pieces.into_iter().filter_map(|p| match p {
        Piece::Text(t) => Some(Expr::constant(Const::Str(t), Location::NONE)),
        Piece::Value(conversion, spec) => rest.next().map(|arg| {
            let loc = arg.loc;
            let format_spec = spec.map(|s| Box::new(Expr::constant(Const::str(&s), Location::NONE)));
            Expr { kind: ExprKind::FormattedValue { value: Box::new(arg), conversion, format_spec }, loc }
        }),
    });
    Some(values.collect())
}

fn next_char(text: &[u32], pos: &mut usize) -> Option<char> {
    let c = char::from_u32(*text.get(*pos)?)?;
    *pos += 1;
    Some(c)
}

/// A decimal number of at most two digits; `c` is its first character and becomes the one after it.
fn number(text: &[u32], pos: &mut usize, c: &mut char) -> Option<u32> {
    let (mut v, mut digits) = (0, 0);
    while let Some(d) = c.to_digit(10).filter(|_| c.is_ascii()) {
        v = v * 10 + d;
        digits += 1;
        if digits > 2 {
            return None;
        }
        *c = next_char(text, pos)?;
    }
    Some(v)
}

/// Reads flags, width, precision and letter after `%`.
fn percent_spec(text: &[u32], pos: &mut usize) -> Option<(i32, Option<String>)> {
    let mut left = false;
    let mut c = next_char(text, pos)?;
    loop {
        match c {
            '-' => left = true,
            '+' | ' ' | '#' | '0' => {}
            _ => break,
        }
        c = next_char(text, pos)?;
    }
    let mut spec = String::new();
    if c.is_ascii_digit() {
        let width = number(text, pos, &mut c)?;
        if !left && width > 0 {
            spec.push('>');
        }
        spec.push_str(&width.to_string());
    }
    if c == '.' {
        c = next_char(text, pos)?;
        let prec = number(text, pos, &mut c)?;
        spec.push_str(&format!(".{prec}"));
    }
    matches!(c, 's' | 'r' | 'a').then(|| (c as i32, (!spec.is_empty()).then_some(spec)))
}
