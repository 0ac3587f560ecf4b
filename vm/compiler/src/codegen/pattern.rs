//! `match`: patterns test the subject on top of the stack and consume it.
//!
//! While a pattern is tested, captured values wait on the stack below what is still needed; they are stored only when all
//! has matched. If a test fails, the captures and helpers are popped: `fail_pop[n]` is the block that pops `n` things and
//! then goes on with the next case.

use super::*;

/// What is known while one case is compiled.
#[derive(Default)]
struct Match {
    /// Names captured so far; their values lie on the stack, in this order from below.
    stores: Vec<Name>,
    /// Whether an irrefutable pattern may stand here.
    allow_irrefutable: bool,
    fail_pop: Vec<BlockId>,
    /// Things on the stack above the captures that must be popped on failure.
    on_top: usize,
}

fn is_wildcard(p: &Pattern) -> bool {
    matches!(p.kind, PatternKind::MatchAs { name: None, pattern: None })
}

impl<'a> Compiler<'a> {
    pub(super) fn match_stmt(&mut self, subject: &'a Expr, cases: &'a [MatchCase]) -> Result<()> {
        self.expr(subject)?;
        let end = self.new_block();
        let Some(last) = cases.last() else { return Ok(()) };
        let has_default = is_wildcard(&last.pattern) && cases.len() > 1;
        let tested = cases.len() - usize::from(has_default);
        for (i, case) in cases[..tested].iter().enumerate() {
            self.set_loc(case.pattern.loc);
            // The last test may consume the subject itself.
            let copy = i + 1 < tested;
            if copy {
                self.emit_arg(op::COPY, 1);
            }
            let mut pc =
                Match { allow_irrefutable: case.guard.is_some() || i + 1 == cases.len(), ..Match::default() };
            self.pattern(&case.pattern, &mut pc)?;
            for name in std::mem::take(&mut pc.stores) {
                self.nameop(&name, Context::Store)?;
            }
            if let Some(guard) = &case.guard {
                self.need_fail_pop(&mut pc, 0);
                self.jump_if(guard, pc.fail_pop[0], false)?;
            }
            if copy {
                self.emit(op::POP_TOP);
            }
            self.stmts(&case.body)?;
            self.emit_jump(pseudo::JUMP, end);
            // Cleaning up after a failure belongs to the pattern's line, not to the body's.
            self.set_loc(case.pattern.loc);
            self.emit_fail_pop(&mut pc);
        }
        if has_default {
            self.set_loc(last.pattern.loc);
            if cases.len() == 1 {
                self.emit(op::POP_TOP);
            } else {
                self.emit(op::NOP);
            }
            if let Some(guard) = &last.guard {
                self.jump_if(guard, end, false)?;
            }
            self.stmts(&last.body)?;
        }
        self.use_block(end);
        Ok(())
    }

    fn need_fail_pop(&mut self, pc: &mut Match, n: usize) {
        while pc.fail_pop.len() <= n {
            let b = self.new_block();
            pc.fail_pop.push(b);
        }
    }

    fn jump_to_fail(&mut self, pc: &mut Match, op: u16) {
        let pops = pc.on_top + pc.stores.len();
        self.need_fail_pop(pc, pops);
        self.emit_jump(op, pc.fail_pop[pops]);
    }

    fn emit_fail_pop(&mut self, pc: &mut Match) {
        while pc.fail_pop.len() > 1 {
            if let Some(b) = pc.fail_pop.pop() {
                self.use_block(b);
                self.emit(op::POP_TOP);
            }
        }
        match pc.fail_pop.pop() {
            Some(b) => self.use_block(b),
            None => {
                let b = self.new_block();
                self.use_block(b);
            }
        }
    }

    /// Moves the top of the stack `count - 1` places down.
    fn rotate(&mut self, count: usize) {
        for n in (2..=count).rev() {
            self.emit_arg(op::SWAP, n as u32);
        }
    }

    fn duplicate<T>(&self, name: &Name) -> Result<T> {
        self.error(format!("multiple assignments to name '{name}' in pattern"))
    }

    fn capture(&mut self, name: Option<&Name>, pc: &mut Match) -> Result<()> {
        let Some(name) = name else {
            self.emit(op::POP_TOP);
            return Ok(());
        };
        self.forbidden(name, Context::Store)?;
        if pc.stores.contains(name) {
            return self.duplicate(name);
        }
        self.rotate(pc.on_top + pc.stores.len() + 1);
        pc.stores.push(name.clone());
        Ok(())
    }

    fn pattern(&mut self, p: &'a Pattern, pc: &mut Match) -> Result<()> {
        // Not set back: what follows a pattern seems to belong to its last part.
        self.set_loc(p.loc);
        match &p.kind {
            PatternKind::MatchValue { value } => {
                if !is_value(value) {
                    return self.error("patterns may only match literals and attribute lookups");
                }
                self.expr(value)?;
                self.compare_op(CmpOp::Eq);
                self.jump_to_fail(pc, pseudo::POP_JUMP_IF_FALSE);
            }
            PatternKind::MatchSingleton { value } => {
                self.load_const(value.clone());
                self.compare_op(CmpOp::Is);
                self.jump_to_fail(pc, pseudo::POP_JUMP_IF_FALSE);
            }
            PatternKind::MatchSequence { patterns } => self.sequence_pattern(patterns, pc)?,
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.mapping_pattern(keys, patterns, rest.as_ref(), pc)?
            }
            PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => {
                self.class_pattern(cls, patterns, kwd_attrs, kwd_patterns, pc)?
            }
            PatternKind::MatchStar { name } => self.capture(name.as_ref(), pc)?,
            PatternKind::MatchAs { pattern, name } => {
                self.as_pattern(pattern.as_deref(), name.as_ref(), pc)?
            }
            PatternKind::MatchOr { patterns } => self.or_pattern(patterns, pc)?,
        }
        Ok(())
    }

    fn subpattern(&mut self, p: &'a Pattern, pc: &mut Match) -> Result<()> {
        let outer = std::mem::replace(&mut pc.allow_irrefutable, true);
        self.pattern(p, pc)?;
        pc.allow_irrefutable = outer;
        Ok(())
    }

    fn as_pattern(
        &mut self,
        inner: Option<&'a Pattern>,
        name: Option<&'a Name>,
        pc: &mut Match,
    ) -> Result<()> {
        let Some(inner) = inner else {
            if !pc.allow_irrefutable {
                return match name {
                    Some(n) => self.error(format!("name capture '{n}' makes remaining patterns unreachable")),
                    None => self.error("wildcard makes remaining patterns unreachable"),
                };
            }
            return self.capture(name, pc);
        };
        pc.on_top += 1;
        self.emit_arg(op::COPY, 1);
        self.pattern(inner, pc)?;
        pc.on_top -= 1;
        self.capture(name, pc)
    }

    fn length_check(&mut self, n: usize, cmp: CmpOp, pc: &mut Match) {
        self.emit(op::GET_LEN);
        self.load_const(Const::int(n as i64));
        self.compare_op(cmp);
        self.jump_to_fail(pc, pseudo::POP_JUMP_IF_FALSE);
    }

    fn sequence_pattern(&mut self, patterns: &'a [Pattern], pc: &mut Match) -> Result<()> {
        let size = patterns.len();
        let (mut star, mut only_wildcard, mut star_wildcard) = (None, true, false);
        for (i, p) in patterns.iter().enumerate() {
            if let PatternKind::MatchStar { name } = &p.kind {
                if star.is_some() {
                    return self.error("multiple starred names in sequence pattern");
                }
                star_wildcard = name.is_none();
                only_wildcard &= star_wildcard;
                star = Some(i);
            } else {
                only_wildcard &= is_wildcard(p);
            }
        }
        pc.on_top += 1;
        self.emit(op::MATCH_SEQUENCE);
        self.jump_to_fail(pc, pseudo::POP_JUMP_IF_FALSE);
        if star.is_none() {
            self.length_check(size, CmpOp::Eq, pc);
        } else if size > 1 {
            self.length_check(size - 1, CmpOp::GtE, pc);
        }
        pc.on_top -= 1;
        if only_wildcard {
            self.emit(op::POP_TOP);
            return Ok(());
        }
        match star {
            Some(star) if star_wildcard => self.sequence_by_index(patterns, star, pc),
            _ => self.sequence_unpack(patterns, star, pc),
        }
    }

    fn sequence_unpack(
        &mut self,
        patterns: &'a [Pattern],
        star: Option<usize>,
        pc: &mut Match,
    ) -> Result<()> {
        let n = patterns.len();
        match star {
            Some(i) => {
                if i >= 1 << 8 || n - i > (i32::MAX >> 8) as usize {
                    return self.error("too many expressions in star-unpacking sequence pattern");
                }
                self.emit_arg(op::UNPACK_EX, (i + ((n - i - 1) << 8)) as u32);
            }
            None => self.emit_arg(op::UNPACK_SEQUENCE, n as u32),
        }
        pc.on_top += n;
        for p in patterns {
            pc.on_top -= 1;
            self.subpattern(p, pc)?;
        }
        Ok(())
    }

    /// With a nameless star only the items around it are fetched.
    fn sequence_by_index(&mut self, patterns: &'a [Pattern], star: usize, pc: &mut Match) -> Result<()> {
        let size = patterns.len();
        pc.on_top += 1;
        for (i, p) in patterns.iter().enumerate() {
            if is_wildcard(p) || i == star {
                continue;
            }
            self.emit_arg(op::COPY, 1);
            if i < star {
                self.load_const(Const::int(i as i64));
            } else {
                self.emit(op::GET_LEN);
                self.load_const(Const::int((size - i) as i64));
                self.emit_arg(op::BINARY_OP, NB_SUBTRACT);
            }
            self.emit(op::BINARY_SUBSCR);
            self.subpattern(p, pc)?;
        }
        pc.on_top -= 1;
        self.emit(op::POP_TOP);
        Ok(())
    }

    /// Fails if `None` lies on top (and leaves it for the failure path).
    fn check_not_none(&mut self, pc: &mut Match) {
        self.emit_arg(op::COPY, 1);
        self.load_const(Const::None);
        self.emit_arg(op::IS_OP, 1);
        self.jump_to_fail(pc, pseudo::POP_JUMP_IF_FALSE);
    }

    fn class_pattern(
        &mut self,
        cls: &'a Expr,
        patterns: &'a [Pattern],
        attrs: &'a [Name],
        kwd_patterns: &'a [Pattern],
        pc: &mut Match,
    ) -> Result<()> {
        for (i, a) in attrs.iter().enumerate() {
            self.forbidden(a, Context::Store)?;
            if attrs[i + 1..].contains(a) {
                if let Some(p) = kwd_patterns.get(i + 1) {
                    self.set_loc(p.loc);
                }
                return self.error(format!("attribute name repeated in class pattern: {a}"));
            }
        }
        self.expr(cls)?;
        self.load_const(Const::Tuple(attrs.iter().map(|a| Const::str(a)).collect()));
        self.emit_arg(op::MATCH_CLASS, patterns.len() as u32);
        pc.on_top += 1;
        self.check_not_none(pc);
        let total = patterns.len() + attrs.len();
        self.emit_arg(op::UNPACK_SEQUENCE, total as u32);
        pc.on_top = pc.on_top + total - 1;
        for p in patterns.iter().chain(kwd_patterns) {
            pc.on_top -= 1;
            if is_wildcard(p) {
                self.emit(op::POP_TOP);
            } else {
                self.subpattern(p, pc)?;
            }
        }
        Ok(())
    }

    fn mapping_pattern(
        &mut self,
        keys: &'a [Expr],
        patterns: &'a [Pattern],
        rest: Option<&'a Name>,
        pc: &mut Match,
    ) -> Result<()> {
        let size = keys.len();
        pc.on_top += 1;
        self.emit(op::MATCH_MAPPING);
        self.jump_to_fail(pc, pseudo::POP_JUMP_IF_FALSE);
        if size == 0 && rest.is_none() {
            pc.on_top -= 1;
            self.emit(op::POP_TOP);
            return Ok(());
        }
        if size > 0 {
            self.length_check(size, CmpOp::GtE, pc);
        }
        let mut seen: Vec<&Const> = vec![];
        for k in keys {
            match k.as_constant() {
                Some(c) => {
                    if seen.iter().any(|s| crate::values::python_eq(s, c)) {
                        let text = crate::unparse::constant(c);
                        return self.error(format!("mapping pattern checks duplicate key ({text})"));
                    }
                    seen.push(c);
                }
                None if !matches!(k.kind, ExprKind::Attribute { .. }) => {
                    return self.error("mapping pattern keys may only match literals and attribute lookups");
                }
                None => {}
            }
            self.expr(k)?;
        }
        self.emit_arg(op::BUILD_TUPLE, size as u32);
        self.emit(op::MATCH_KEYS);
        // Now: subject, tuple of keys, tuple of values or None.
        pc.on_top += 2;
        self.check_not_none(pc);
        self.emit_arg(op::UNPACK_SEQUENCE, size as u32);
        pc.on_top = pc.on_top + size - 1;
        for p in patterns {
            pc.on_top -= 1;
            self.subpattern(p, pc)?;
        }
        pc.on_top -= 2;
        match rest {
            Some(name) => {
                // rest = dict(subject) without the keys
                self.emit_arg(op::BUILD_MAP, 0);
                self.emit_arg(op::SWAP, 3);
                self.emit_arg(op::DICT_UPDATE, 2);
                self.emit_arg(op::UNPACK_SEQUENCE, size as u32);
                for n in (1..=size).rev() {
                    self.emit_arg(op::COPY, 1 + n as u32);
                    self.emit_arg(op::SWAP, 2);
                    self.emit(op::DELETE_SUBSCR);
                }
                self.capture(Some(name), pc)
            }
            None => {
                self.emit(op::POP_TOP);
                self.emit(op::POP_TOP);
                Ok(())
            }
        }
    }

    fn or_pattern(&mut self, patterns: &'a [Pattern], pc: &mut Match) -> Result<()> {
        let end = self.new_block();
        let size = patterns.len();
        // Names bound by the first alternative: the others must bind the same, and put them in the same order.
        let mut control: Vec<Name> = vec![];
        for (i, alt) in patterns.iter().enumerate() {
            self.set_loc(alt.loc);
            let mut inner =
                Match { allow_irrefutable: i + 1 == size && pc.allow_irrefutable, ..Match::default() };
            self.emit_arg(op::COPY, 1);
            self.pattern(alt, &mut inner)?;
            if i == 0 {
                control = inner.stores.clone();
            } else {
                if inner.stores.len() != control.len() {
                    return self.error("alternative patterns bind different names");
                }
                for want in (0..control.len()).rev() {
                    let Some(have) = inner.stores.iter().position(|n| *n == control[want]) else {
                        return self.error("alternative patterns bind different names");
                    };
                    if want != have {
                        let rotations = have + 1;
                        let rotated: Vec<Name> = inner.stores.drain(..rotations).collect();
                        let at = want - have;
                        inner.stores.splice(at..at, rotated);
                        for _ in 0..rotations {
                            self.rotate(want + 1);
                        }
                    }
                }
            }
            self.emit_jump(pseudo::JUMP, end);
            self.emit_fail_pop(&mut inner);
        }
        // None matched: drop the subject and fail.
        self.emit(op::POP_TOP);
        self.jump_to_fail(pc, pseudo::JUMP);
        self.use_block(end);
        let rotations = control.len() + 1 + pc.on_top + pc.stores.len();
        for name in control {
            self.rotate(rotations);
            if pc.stores.contains(&name) {
                return self.duplicate(&name);
            }
            pc.stores.push(name);
        }
        self.emit(op::POP_TOP);
        Ok(())
    }
}

fn is_value(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::Constant { .. } | ExprKind::Attribute { .. })
}
