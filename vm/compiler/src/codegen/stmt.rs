//! Simple statements, conditions, imports and assignments.

use super::*;
use crate::fold::docstring;

/// Whether a body annotates variables (not looking into functions and classes).
pub fn has_annotations(body: &[Stmt]) -> bool {
    body.iter().any(|s| match &s.kind {
        StmtKind::AnnAssign { .. } => true,
        StmtKind::For(f) | StmtKind::AsyncFor(f) => has_annotations(&f.body) || has_annotations(&f.orelse),
        StmtKind::While { body, orelse, .. } | StmtKind::If { body, orelse, .. } => {
            has_annotations(body) || has_annotations(orelse)
        }
        StmtKind::With { body, .. } | StmtKind::AsyncWith { body, .. } => has_annotations(body),
        StmtKind::Try(t) | StmtKind::TryStar(t) => {
            t.handlers.iter().any(|h| has_annotations(&h.body))
                || has_annotations(&t.body)
                || has_annotations(&t.finalbody)
                || has_annotations(&t.orelse)
        }
        StmtKind::Match { cases, .. } => cases.iter().any(|c| has_annotations(&c.body)),
        _ => false,
    })
}

impl<'a> Compiler<'a> {
    /// Body of a module or class.
    pub(super) fn body(&mut self, body: &'a [Stmt]) -> Result<()> {
        if let (ScopeType::Module, Some(first)) = (self.unit().scope, body.first()) {
            self.set_loc(first.loc);
        }
        if has_annotations(body) {
            self.emit(op::SETUP_ANNOTATIONS);
        }
        let mut rest = body;
        if self.opts.optimize < 2 && docstring(body).is_some() {
            if let StmtKind::Expr { value } = &body[0].kind {
                self.expr(value)?;
            }
            self.unset_loc();
            self.nameop(&"__doc__".into(), Context::Store)?;
            rest = &body[1..];
        }
        self.stmts(rest)
    }

    pub(super) fn stmts(&mut self, body: &'a [Stmt]) -> Result<()> {
        body.iter().try_for_each(|s| self.stmt(s))
    }

    fn stmt(&mut self, s: &'a Stmt) -> Result<()> {
        self.set_loc(s.loc);
        match &s.kind {
            StmtKind::FunctionDef(f) => self.function(s, f, false),
            StmtKind::AsyncFunctionDef(f) => self.function(s, f, true),
            StmtKind::ClassDef(c) => self.class(s, c),
            StmtKind::Return { value } => self.return_stmt(s, value.as_deref()),
            StmtKind::Delete { targets } => self.exprs(targets),
            StmtKind::Assign { targets, value, .. } => {
                self.expr(value)?;
                for (i, t) in targets.iter().enumerate() {
                    if i + 1 < targets.len() {
                        self.emit_arg(op::COPY, 1);
                    }
                    self.expr(t)?;
                }
                Ok(())
            }
            StmtKind::AugAssign { target, op, value } => self.augassign(s, target, *op, value),
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                self.annassign(target, annotation, value.as_deref(), *simple)
            }
            StmtKind::For(f) => self.for_stmt(f),
            StmtKind::AsyncFor(f) => self.async_for(f),
            StmtKind::While { test, body, orelse } => self.while_stmt(s, test, body, orelse),
            StmtKind::If { test, body, orelse } => self.if_stmt(test, body, orelse),
            StmtKind::With { items, body, .. } => self.with(s, items, body),
            StmtKind::AsyncWith { items, body, .. } => self.async_with(s, items, body),
            StmtKind::Match { subject, cases } => self.match_stmt(subject, cases),
            StmtKind::Raise { exc, cause } => {
                let mut n = 0;
                for e in exc.iter().chain(cause) {
                    self.expr(e)?;
                    n += 1;
                }
                self.emit_arg(op::RAISE_VARARGS, n);
                Ok(())
            }
            StmtKind::Try(t) if !t.finalbody.is_empty() => self.try_finally(t, false),
            StmtKind::Try(t) => self.try_except(t),
            StmtKind::TryStar(t) if !t.finalbody.is_empty() => self.try_finally(t, true),
            StmtKind::TryStar(t) => self.try_star(t),
            StmtKind::Assert { test, msg } => self.assert_stmt(test, msg.as_deref()),
            StmtKind::Import { names } => self.import(names),
            StmtKind::ImportFrom { module, names, level } => {
                self.import_from(s, module.as_ref(), names, *level)
            }
            StmtKind::Global { .. } | StmtKind::Nonlocal { .. } => Ok(()),
            StmtKind::Expr { value } => {
                if self.opts.interactive && self.nest <= 1 {
                    self.expr(value)?;
                    self.emit(op::PRINT_EXPR);
                } else if value.as_constant().is_some() {
                    // Nothing to do, but the line must stay visible to tracing.
                    self.emit(op::NOP);
                } else {
                    self.expr(value)?;
                    self.unset_loc();
                    self.emit(op::POP_TOP);
                }
                Ok(())
            }
            StmtKind::Pass => {
                self.emit(op::NOP);
                Ok(())
            }
            StmtKind::Break => self.break_stmt(),
            StmtKind::Continue => self.continue_stmt(),
        }
    }

    fn if_stmt(&mut self, test: &'a Expr, body: &'a [Stmt], orelse: &'a [Stmt]) -> Result<()> {
        let end = self.new_block();
        let next = if orelse.is_empty() { end } else { self.new_block() };
        self.jump_if(test, next, false)?;
        self.stmts(body)?;
        if !orelse.is_empty() {
            self.emit_jump_noline(pseudo::JUMP, end);
            self.use_block(next);
            self.stmts(orelse)?;
        }
        self.use_block(end);
        Ok(())
    }

    fn assert_stmt(&mut self, test: &'a Expr, msg: Option<&'a Expr>) -> Result<()> {
        self.warn(warnings::of_assert(test));
        if self.opts.optimize > 0 {
            return Ok(());
        }
        let end = self.new_block();
        self.jump_if(test, end, true)?;
        self.emit(op::LOAD_ASSERTION_ERROR);
        if let Some(m) = msg {
            self.expr(m)?;
            self.emit_arg(op::PRECALL, 0);
            self.emit_arg(op::CALL, 0);
        }
        self.emit_arg(op::RAISE_VARARGS, 1);
        self.use_block(end);
        Ok(())
    }

    /// Jumps to `next` if the truth of `e` is `cond`; else falls through.
    pub(super) fn jump_if(&mut self, e: &'a Expr, next: BlockId, cond: bool) -> Result<()> {
        match &e.kind {
            ExprKind::UnaryOp { op: UnaryOp::Not, operand } => return self.jump_if(operand, next, !cond),
            ExprKind::BoolOp { op, values } => {
                let cond2 = *op == BoolOp::Or;
                let next2 = if cond2 != cond { self.new_block() } else { next };
                let Some((last, first)) = values.split_last() else { return Ok(()) };
                for v in first {
                    self.jump_if(v, next2, cond2)?;
                }
                self.jump_if(last, next, cond)?;
                if next2 != next {
                    self.use_block(next2);
                }
                return Ok(());
            }
            ExprKind::IfExp { test, body, orelse } => {
                let end = self.new_block();
                let next2 = self.new_block();
                self.jump_if(test, next2, false)?;
                self.jump_if(body, next, cond)?;
                self.emit_jump_noline(pseudo::JUMP, end);
                self.use_block(next2);
                self.jump_if(orelse, next, cond)?;
                self.use_block(end);
                return Ok(());
            }
            ExprKind::Compare { left, ops, comparators } => {
                self.set_loc(e.loc);
                let n = ops.len() - 1;
                if n > 0 {
                    self.warn(warnings::of_compare(left, ops, comparators));
                    let cleanup = self.new_block();
                    self.expr(left)?;
                    for i in 0..n {
                        self.expr(&comparators[i])?;
                        self.emit_arg(op::SWAP, 2);
                        self.emit_arg(op::COPY, 2);
                        self.compare_op(ops[i]);
                        self.emit_jump(pseudo::POP_JUMP_IF_FALSE, cleanup);
                    }
                    self.expr(&comparators[n])?;
                    self.compare_op(ops[n]);
                    self.emit_jump(
                        if cond { pseudo::POP_JUMP_IF_TRUE } else { pseudo::POP_JUMP_IF_FALSE },
                        next,
                    );
                    let end = self.new_block();
                    self.emit_jump_noline(pseudo::JUMP, end);
                    self.use_block(cleanup);
                    self.emit(op::POP_TOP);
                    if !cond {
                        self.emit_jump_noline(pseudo::JUMP, next);
                    }
                    self.use_block(end);
                    return Ok(());
                }
            }
            _ => {}
        }
        self.expr(e)?;
        self.emit_jump(if cond { pseudo::POP_JUMP_IF_TRUE } else { pseudo::POP_JUMP_IF_FALSE }, next);
        Ok(())
    }

    fn import(&mut self, names: &'a [Alias]) -> Result<()> {
        for a in names {
            self.load_const(Const::int(0));
            self.load_const(Const::None);
            self.emit_name(op::IMPORT_NAME, &a.name);
            match &a.asname {
                Some(asname) => self.import_as(&a.name, asname)?,
                None => {
                    let first: Name = a.name.split('.').next().unwrap_or("").into();
                    self.nameop(&first, Context::Store)?;
                }
            }
        }
        Ok(())
    }

    /// `import a.b.c as x` digs for `c` through attributes.
    fn import_as(&mut self, name: &Name, asname: &Name) -> Result<()> {
        let mut parts = name.split('.').skip(1).peekable();
        if parts.peek().is_none() {
            return self.nameop(asname, Context::Store);
        }
        while let Some(p) = parts.next() {
            let i = self.u().names.add(&p.into());
            self.emit_arg(op::IMPORT_FROM, i);
            if parts.peek().is_some() {
                self.emit_arg(op::SWAP, 2);
                self.emit(op::POP_TOP);
            }
        }
        self.nameop(asname, Context::Store)?;
        self.emit(op::POP_TOP);
        Ok(())
    }

    fn import_from(&mut self, s: &Stmt, module: Option<&Name>, names: &'a [Alias], level: u32) -> Result<()> {
        self.load_const(Const::int(level as i64));
        if s.loc.line > self.opts.future_line && module.is_some_and(|m| &**m == "__future__") {
            return self.error("from __future__ imports must occur at the beginning of the file");
        }
        self.load_const(Const::Tuple(names.iter().map(|a| Const::str(&a.name)).collect()));
        match module {
            Some(m) => self.emit_name(op::IMPORT_NAME, m),
            None => self.emit_name(op::IMPORT_NAME, &"".into()),
        }
        for (i, a) in names.iter().enumerate() {
            if i == 0 && &*a.name == "*" {
                self.emit(op::IMPORT_STAR);
                return Ok(());
            }
            self.emit_name(op::IMPORT_FROM, &a.name);
            self.nameop(a.asname.as_ref().unwrap_or(&a.name), Context::Store)?;
        }
        self.emit(op::POP_TOP);
        Ok(())
    }

    fn augassign(&mut self, s: &'a Stmt, e: &'a Expr, operator: Operator, value: &'a Expr) -> Result<()> {
        self.set_loc(e.loc);
        match &e.kind {
            ExprKind::Attribute { value, attr, .. } => {
                self.expr(value)?;
                self.emit_arg(op::COPY, 1);
                self.start_at_attr(e, attr);
                self.emit_name(op::LOAD_ATTR, attr);
            }
            ExprKind::Subscript { value, slice, .. } => {
                self.expr(value)?;
                self.expr(slice)?;
                self.emit_arg(op::COPY, 2);
                self.emit_arg(op::COPY, 2);
                self.emit(op::BINARY_SUBSCR);
            }
            ExprKind::Name { id, .. } => self.nameop(id, Context::Load)?,
            _ => return self.error("invalid node type for augmented assignment"),
        }
        self.set_loc(s.loc);
        self.expr(value)?;
        self.emit_arg(op::BINARY_OP, expr::binary_arg(operator) + NB_INPLACE);
        self.set_loc(e.loc);
        match &e.kind {
            ExprKind::Attribute { attr, .. } => {
                self.start_at_attr(e, attr);
                self.emit_arg(op::SWAP, 2);
                self.emit_name(op::STORE_ATTR, attr);
            }
            ExprKind::Subscript { .. } => {
                self.emit_arg(op::SWAP, 3);
                self.emit_arg(op::SWAP, 2);
                self.emit(op::STORE_SUBSCR);
            }
            ExprKind::Name { id, .. } => self.nameop(id, Context::Store)?,
            _ => {}
        }
        Ok(())
    }

    fn annassign(
        &mut self,
        target: &'a Expr,
        ann: &'a Expr,
        value: Option<&'a Expr>,
        simple: bool,
    ) -> Result<()> {
        // The assignment comes first.
        if let Some(v) = value {
            self.expr(v)?;
            self.expr(target)?;
        }
        let outside = matches!(self.unit().scope, ScopeType::Module | ScopeType::Class);
        match &target.kind {
            ExprKind::Name { id, .. } => {
                self.forbidden(id, Context::Store)?;
                if simple && outside {
                    self.annotation_value(ann)?;
                    self.emit_name(op::LOAD_NAME, &"__annotations__".into());
                    let mangled = self.mangled(id);
                    self.load_name_const(&mangled);
                    self.emit(op::STORE_SUBSCR);
                }
            }
            ExprKind::Attribute { value: base, attr, .. } => {
                self.forbidden(attr, Context::Store)?;
                if value.is_none() {
                    self.evaluate(base)?;
                }
            }
            ExprKind::Subscript { value: base, slice, .. } => {
                if value.is_none() {
                    self.evaluate(base)?;
                    self.evaluate_slice(slice)?;
                }
            }
            _ => return self.error("invalid node type for annotated assignment"),
        }
        if !simple && !self.future_annotations() && outside {
            self.evaluate(ann)?;
        }
        Ok(())
    }

    pub(super) fn annotation_value(&mut self, e: &'a Expr) -> Result<()> {
        if self.future_annotations() {
            let text = crate::unparse::expression(e);
            self.load_const(Const::Str(text));
            Ok(())
        } else {
            self.expr(e)
        }
    }

    /// Evaluates for effects only.
    fn evaluate(&mut self, e: &'a Expr) -> Result<()> {
        self.expr(e)?;
        self.emit(op::POP_TOP);
        Ok(())
    }

    fn evaluate_slice(&mut self, e: &'a Expr) -> Result<()> {
        match &e.kind {
            ExprKind::Slice { lower, upper, step } => {
                [lower, upper, step].into_iter().flatten().try_for_each(|p| self.evaluate(p))
            }
            ExprKind::Tuple { elts, .. } => elts.iter().try_for_each(|x| self.evaluate_slice(x)),
            _ => self.evaluate(e),
        }
    }
}
