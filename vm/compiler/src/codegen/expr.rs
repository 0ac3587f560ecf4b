//! Expressions and calls.

use super::*;

/// Longer displays and argument lists are built piecewise, so that the stack stays small.
const STACK_USE_GUIDELINE: usize = 30;

pub(super) fn binary_arg(o: Operator) -> u32 {
    match o {
        Operator::Add => NB_ADD,
        Operator::Sub => NB_SUBTRACT,
        Operator::Mult => NB_MULTIPLY,
        Operator::MatMult => NB_MATRIX_MULTIPLY,
        Operator::Div => NB_TRUE_DIVIDE,
        Operator::Mod => NB_REMAINDER,
        Operator::Pow => NB_POWER,
        Operator::LShift => NB_LSHIFT,
        Operator::RShift => NB_RSHIFT,
        Operator::BitOr => NB_OR,
        Operator::BitXor => NB_XOR,
        Operator::BitAnd => NB_AND,
        Operator::FloorDiv => NB_FLOOR_DIVIDE,
    }
}

/// How a display is built: start with some items, add one, add many.
#[derive(Copy, Clone)]
struct Display {
    build: u8,
    add: u8,
    extend: u8,
    tuple: bool,
}

const LIST: Display =
    Display { build: op::BUILD_LIST, add: op::LIST_APPEND, extend: op::LIST_EXTEND, tuple: false };
const TUPLE: Display = Display { tuple: true, ..LIST };
const SET: Display = Display { build: op::BUILD_SET, add: op::SET_ADD, extend: op::SET_UPDATE, tuple: false };

impl<'a> Compiler<'a> {
    pub(super) fn exprs(&mut self, es: &'a [Expr]) -> Result<()> {
        es.iter().try_for_each(|e| self.expr(e))
    }

    /// Compiles an expression at its own position.
    pub(super) fn expr(&mut self, e: &'a Expr) -> Result<()> {
        let outer = self.unit().loc;
        self.set_loc(e.loc);
        self.expr_inner(e)?;
        self.set_loc(outer);
        Ok(())
    }

    fn expr_inner(&mut self, e: &'a Expr) -> Result<()> {
        match &e.kind {
            ExprKind::NamedExpr { target, value } => {
                self.expr(value)?;
                self.emit_arg(op::COPY, 1);
                self.expr(target)?;
            }
            ExprKind::BoolOp { op, values } => {
                let jump = match op {
                    BoolOp::And => op::JUMP_IF_FALSE_OR_POP,
                    BoolOp::Or => op::JUMP_IF_TRUE_OR_POP,
                };
                let end = self.new_block();
                let Some((last, first)) = values.split_last() else { return Ok(()) };
                for v in first {
                    self.expr(v)?;
                    self.emit_jump(jump as u16, end);
                }
                self.expr(last)?;
                self.use_block(end);
            }
            ExprKind::BinOp { left, op, right } => {
                self.expr(left)?;
                self.expr(right)?;
                self.emit_arg(op::BINARY_OP, binary_arg(*op));
            }
            ExprKind::UnaryOp { op, operand } => {
                self.expr(operand)?;
                self.emit(match op {
                    UnaryOp::Invert => op::UNARY_INVERT,
                    UnaryOp::Not => op::UNARY_NOT,
                    UnaryOp::UAdd => op::UNARY_POSITIVE,
                    UnaryOp::USub => op::UNARY_NEGATIVE,
                });
            }
            ExprKind::Lambda { args, body } => self.lambda(e, args, body)?,
            ExprKind::IfExp { test, body, orelse } => {
                let end = self.new_block();
                let next = self.new_block();
                self.jump_if(test, next, false)?;
                self.expr(body)?;
                self.emit_jump_noline(pseudo::JUMP, end);
                self.use_block(next);
                self.expr(orelse)?;
                self.use_block(end);
            }
            ExprKind::Dict { keys, values } => self.dict(keys, values)?,
            ExprKind::Set { elts } => self.display(elts, 0, SET)?,
            ExprKind::ListComp { elt, generators } => {
                self.comprehension(e, op::BUILD_LIST, "<listcomp>", generators, elt, None)?
            }
            ExprKind::SetComp { elt, generators } => {
                self.comprehension(e, op::BUILD_SET, "<setcomp>", generators, elt, None)?
            }
            ExprKind::DictComp { key, value, generators } => {
                self.comprehension(e, op::BUILD_MAP, "<dictcomp>", generators, key, Some(value))?
            }
            ExprKind::GeneratorExp { elt, generators } => {
                self.comprehension(e, op::YIELD_VALUE, "<genexpr>", generators, elt, None)?
            }
            ExprKind::Yield { value } => {
                if self.block_type() != BlockType::Function {
                    return self.error("'yield' outside function");
                }
                match value {
                    Some(v) => self.expr(v)?,
                    None => self.load_const(Const::None),
                }
                self.yield_value();
            }
            ExprKind::YieldFrom { value } => {
                if self.block_type() != BlockType::Function {
                    return self.error("'yield' outside function");
                }
                if self.unit().scope == ScopeType::AsyncFunction {
                    return self.error("'yield from' inside async function");
                }
                self.expr(value)?;
                self.emit(op::GET_YIELD_FROM_ITER);
                self.load_const(Const::None);
                self.yield_from(false);
            }
            ExprKind::Await { value } => {
                if !self.is_top_level_await() {
                    if self.block_type() != BlockType::Function {
                        return self.error("'await' outside function");
                    }
                    if !matches!(self.unit().scope, ScopeType::AsyncFunction | ScopeType::Comprehension) {
                        return self.error("'await' outside async function");
                    }
                }
                self.expr(value)?;
                self.await_top(0);
            }
            ExprKind::Compare { left, ops, comparators } => self.compare(left, ops, comparators)?,
            ExprKind::Call { func, args, keywords } => self.call(e, func, args, keywords)?,
            ExprKind::Constant { value, .. } => self.load_const(value.clone()),
            ExprKind::JoinedStr { values } => self.joined_str(values)?,
            ExprKind::FormattedValue { value, conversion, format_spec } => {
                self.expr(value)?;
                let mut arg = match u8::try_from(*conversion) {
                    Ok(b's') => FVC_STR,
                    Ok(b'r') => FVC_REPR,
                    Ok(b'a') => FVC_ASCII,
                    _ => FVC_NONE,
                };
                if let Some(spec) = format_spec {
                    self.expr(spec)?;
                    arg |= FVS_HAVE_SPEC;
                }
                self.emit_arg(op::FORMAT_VALUE, arg);
            }
            ExprKind::Attribute { value, attr, ctx } => {
                self.expr(value)?;
                self.set_loc(e.loc);
                self.start_at_attr(e, attr);
                if *ctx == Context::Store {
                    self.forbidden(attr, *ctx)?;
                }
                self.emit_name(pick(*ctx, [op::LOAD_ATTR, op::STORE_ATTR, op::DELETE_ATTR]), attr);
            }
            ExprKind::Subscript { value, slice, ctx } => {
                if *ctx == Context::Load {
                    self.warn(warnings::of_subscript(value, slice));
                }
                self.expr(value)?;
                self.expr(slice)?;
                self.emit(pick(*ctx, [op::BINARY_SUBSCR, op::STORE_SUBSCR, op::DELETE_SUBSCR]));
            }
            ExprKind::Starred { ctx, .. } => {
                return match ctx {
                    Context::Store => self.error("starred assignment target must be in a list or tuple"),
                    _ => self.error("can't use starred expression here"),
                };
            }
            ExprKind::Slice { lower, upper, step } => {
                for part in [lower, upper] {
                    match part {
                        Some(p) => self.expr(p)?,
                        None => self.load_const(Const::None),
                    }
                }
                let mut n = 2;
                if let Some(p) = step {
                    self.expr(p)?;
                    n = 3;
                }
                self.emit_arg(op::BUILD_SLICE, n);
            }
            ExprKind::Name { id, ctx } => self.nameop(id, *ctx)?,
            ExprKind::List { elts, ctx } => self.sequence(elts, *ctx, LIST)?,
            ExprKind::Tuple { elts, ctx } => self.sequence(elts, *ctx, TUPLE)?,
        }
        Ok(())
    }

    pub(super) fn yield_value(&mut self) {
        let b = &self.table.blocks[self.unit().table];
        if b.generator && b.coroutine {
            self.emit(op::ASYNC_GEN_WRAP);
        }
        self.emit(op::YIELD_VALUE);
        self.emit_arg(op::RESUME, RESUME_AFTER_YIELD);
    }

    /// For an attribute on a later line than the expression's start, positions start at the attribute's name.
    pub(super) fn start_at_attr(&mut self, e: &Expr, attr: &Name) {
        let end = (e.loc.end_line, e.loc.end_col);
        let loc = &mut self.u().loc;
        if loc.line != end.0 {
            loc.line = end.0;
            let len = attr.chars().count() as i32;
            if len <= end.1 {
                loc.col = end.1 - len;
            } else {
                loc.col = -1;
                loc.end_col = -1;
            }
            loc.end_line = loc.end_line.max(loc.line);
            if loc.end_line == loc.line {
                loc.end_col = loc.end_col.max(loc.col);
            }
        }
    }

    // ---- Comparisons ----

    pub(super) fn compare_op(&mut self, o: CmpOp) {
        let (op, arg) = match o {
            CmpOp::Eq => (op::COMPARE_OP, PY_EQ),
            CmpOp::NotEq => (op::COMPARE_OP, PY_NE),
            CmpOp::Lt => (op::COMPARE_OP, PY_LT),
            CmpOp::LtE => (op::COMPARE_OP, PY_LE),
            CmpOp::Gt => (op::COMPARE_OP, PY_GT),
            CmpOp::GtE => (op::COMPARE_OP, PY_GE),
            CmpOp::Is => (op::IS_OP, 0),
            CmpOp::IsNot => (op::IS_OP, 1),
            CmpOp::In => (op::CONTAINS_OP, 0),
            CmpOp::NotIn => (op::CONTAINS_OP, 1),
        };
        self.emit_arg(op, arg);
    }

    fn compare(&mut self, left: &'a Expr, ops: &[CmpOp], comparators: &'a [Expr]) -> Result<()> {
        self.warn(warnings::of_compare(left, ops, comparators));
        self.expr(left)?;
        let n = ops.len() - 1;
        if n == 0 {
            self.expr(&comparators[0])?;
            self.compare_op(ops[0]);
            return Ok(());
        }
        let cleanup = self.new_block();
        for i in 0..n {
            self.expr(&comparators[i])?;
            self.emit_arg(op::SWAP, 2);
            self.emit_arg(op::COPY, 2);
            self.compare_op(ops[i]);
            self.emit_jump(op::JUMP_IF_FALSE_OR_POP as u16, cleanup);
        }
        self.expr(&comparators[n])?;
        self.compare_op(ops[n]);
        let end = self.new_block();
        self.emit_jump_noline(pseudo::JUMP, end);
        self.use_block(cleanup);
        self.emit_arg(op::SWAP, 2);
        self.emit(op::POP_TOP);
        self.use_block(end);
        Ok(())
    }

    // ---- Displays ----

    fn sequence(&mut self, elts: &'a [Expr], ctx: Context, d: Display) -> Result<()> {
        match ctx {
            Context::Load => self.display(elts, 0, d),
            Context::Del => self.exprs(elts),
            Context::Store => {
                self.unpack(elts)?;
                for e in elts {
                    match &e.kind {
                        ExprKind::Starred { value, .. } => self.expr(value)?,
                        _ => self.expr(e)?,
                    }
                }
                Ok(())
            }
        }
    }

    fn unpack(&mut self, elts: &[Expr]) -> Result<()> {
        let n = elts.len();
        let mut seen = false;
        for (i, e) in elts.iter().enumerate() {
            if matches!(e.kind, ExprKind::Starred { .. }) {
                if seen {
                    return self.error("multiple starred expressions in assignment");
                }
                if i >= 1 << 8 || n - i > (i32::MAX >> 8) as usize {
                    return self.error("too many expressions in star-unpacking assignment");
                }
                self.emit_arg(op::UNPACK_EX, (i + ((n - i - 1) << 8)) as u32);
                seen = true;
            }
        }
        if !seen {
            self.emit_arg(op::UNPACK_SEQUENCE, n as u32);
        }
        Ok(())
    }

    /// Builds a list, tuple or set; `pushed` items lie on the stack already.
    fn display(&mut self, elts: &'a [Expr], pushed: usize, d: Display) -> Result<()> {
        let n = elts.len();
        if n > 2 && elts.iter().all(|e| e.as_constant().is_some()) {
            let items: Vec<Const> = elts.iter().filter_map(|e| e.as_constant().cloned()).collect();
            if d.tuple && pushed == 0 {
                self.load_const(Const::Tuple(items));
                return Ok(());
            }
            let items = if d.add == op::SET_ADD {
                let mut unique: Vec<Const> = vec![];
                for i in items {
                    if !unique.iter().any(|u| crate::values::python_eq(u, &i)) {
                        unique.push(i);
                    }
                }
                Const::FrozenSet(unique)
            } else {
                Const::Tuple(items)
            };
            self.emit_arg(d.build, pushed as u32);
            self.load_const(items);
            self.emit_arg(d.extend, 1);
            if d.tuple {
                self.emit(op::LIST_TO_TUPLE);
            }
            return Ok(());
        }
        let big = n + pushed > STACK_USE_GUIDELINE;
        let starred = elts.iter().any(|e| matches!(e.kind, ExprKind::Starred { .. }));
        if !starred && !big {
            self.exprs(elts)?;
            let build = if d.tuple { op::BUILD_TUPLE } else { d.build };
            self.emit_arg(build, (n + pushed) as u32);
            return Ok(());
        }
        let mut built = false;
        if big {
            self.emit_arg(d.build, pushed as u32);
            built = true;
        }
        for (i, e) in elts.iter().enumerate() {
            if let ExprKind::Starred { value, .. } = &e.kind {
                if !built {
                    self.emit_arg(d.build, (i + pushed) as u32);
                    built = true;
                }
                self.expr(value)?;
                self.emit_arg(d.extend, 1);
            } else {
                self.expr(e)?;
                if built {
                    self.emit_arg(d.add, 1);
                }
            }
        }
        if d.tuple {
            self.emit(op::LIST_TO_TUPLE);
        }
        Ok(())
    }

    fn dict(&mut self, keys: &'a [Option<Expr>], values: &'a [Expr]) -> Result<()> {
        let n = values.len();
        let (mut have_dict, mut elements) = (false, 0);
        for i in 0..n {
            if keys[i].is_none() {
                if elements > 0 {
                    self.subdict(keys, values, i - elements, i)?;
                    if have_dict {
                        self.emit_arg(op::DICT_UPDATE, 1);
                    }
                    have_dict = true;
                    elements = 0;
                }
                if !have_dict {
                    self.emit_arg(op::BUILD_MAP, 0);
                    have_dict = true;
                }
                self.expr(&values[i])?;
                self.emit_arg(op::DICT_UPDATE, 1);
            } else if elements * 2 > STACK_USE_GUIDELINE {
                self.subdict(keys, values, i - elements, i + 1)?;
                if have_dict {
                    self.emit_arg(op::DICT_UPDATE, 1);
                }
                have_dict = true;
                elements = 0;
            } else {
                elements += 1;
            }
        }
        if elements > 0 {
            self.subdict(keys, values, n - elements, n)?;
            if have_dict {
                self.emit_arg(op::DICT_UPDATE, 1);
            }
            have_dict = true;
        }
        if !have_dict {
            self.emit_arg(op::BUILD_MAP, 0);
        }
        Ok(())
    }

    fn subdict(
        &mut self,
        keys: &'a [Option<Expr>],
        values: &'a [Expr],
        from: usize,
        to: usize,
    ) -> Result<()> {
        let n = to - from;
        let big = n * 2 > STACK_USE_GUIDELINE;
        let consts: Option<Vec<Const>> =
            keys[from..to].iter().map(|k| k.as_ref().and_then(|k| k.as_constant().cloned())).collect();
        if let (true, false, Some(consts)) = (n > 1, big, consts) {
            self.exprs(&values[from..to])?;
            self.load_const(Const::Tuple(consts));
            self.emit_arg(op::BUILD_CONST_KEY_MAP, n as u32);
            return Ok(());
        }
        if big {
            self.emit_arg(op::BUILD_MAP, 0);
        }
        for i in from..to {
            if let Some(k) = &keys[i] {
                self.expr(k)?;
            }
            self.expr(&values[i])?;
            if big {
                self.emit_arg(op::MAP_ADD, 1);
            }
        }
        if !big {
            self.emit_arg(op::BUILD_MAP, n as u32);
        }
        Ok(())
    }

    fn joined_str(&mut self, values: &'a [Expr]) -> Result<()> {
        if values.len() > STACK_USE_GUIDELINE {
            self.load_const(Const::str(""));
            self.emit_name(op::LOAD_METHOD, &"join".into());
            self.emit_arg(op::BUILD_LIST, 0);
            for v in values {
                self.expr(v)?;
                self.emit_arg(op::LIST_APPEND, 1);
            }
            self.emit_arg(op::PRECALL, 1);
            self.emit_arg(op::CALL, 1);
        } else {
            self.exprs(values)?;
            if values.len() != 1 {
                self.emit_arg(op::BUILD_STRING, values.len() as u32);
            }
        }
        Ok(())
    }

    // ---- Calls ----

    fn call(&mut self, e: &'a Expr, func: &'a Expr, args: &'a [Expr], keywords: &'a [Keyword]) -> Result<()> {
        if let ExprKind::Attribute { value, attr, ctx: Context::Load } = &func.kind
            && args.len() + keywords.len() + usize::from(!keywords.is_empty()) < STACK_USE_GUIDELINE
            && !args.iter().any(|a| matches!(a.kind, ExprKind::Starred { .. }))
            && keywords.iter().all(|k| k.arg.is_some())
            && !self.is_imported(value)
        {
            // A method call without stars: no bound method is made.
            self.validate_keywords(keywords)?;
            self.expr(value)?;
            self.set_loc(func.loc);
            self.start_at_attr(func, attr);
            self.emit_name(op::LOAD_METHOD, attr);
            self.exprs(args)?;
            if !keywords.is_empty() {
                keywords.iter().try_for_each(|k| self.expr(&k.value))?;
                self.kw_names(keywords);
            }
            self.set_loc(e.loc);
            self.start_at_attr(func, attr);
            let n = (args.len() + keywords.len()) as u32;
            self.emit_arg(op::PRECALL, n);
            self.emit_arg(op::CALL, n);
            return Ok(());
        }
        self.warn(warnings::of_call(func));
        self.set_loc(func.loc);
        self.emit(op::PUSH_NULL);
        self.set_loc(e.loc);
        self.expr(func)?;
        self.call_helper(0, args, keywords)
    }

    /// Whether this is a name that the module imports: its attributes are functions rather than methods.
    fn is_imported(&self, e: &Expr) -> bool {
        match &e.kind {
            ExprKind::Name { id, .. } => {
                self.table.blocks[0].get(id).is_some_and(|s| s.flags & crate::symtable::DEF_IMPORT != 0)
            }
            _ => false,
        }
    }

    fn kw_names(&mut self, keywords: &[Keyword]) {
        let names = keywords.iter().filter_map(|k| k.arg.as_ref()).map(|n| Const::str(n)).collect();
        let i = self.add_const(Const::Tuple(names));
        self.emit_arg(op::KW_NAMES, i);
    }

    fn validate_keywords(&mut self, keywords: &[Keyword]) -> Result<()> {
        for (i, k) in keywords.iter().enumerate() {
            let Some(name) = &k.arg else { continue };
            self.forbidden(name, Context::Store)?;
            for other in &keywords[i + 1..] {
                if other.arg.as_ref() == Some(name) {
                    self.set_loc(other.loc);
                    return self.error(format!("keyword argument repeated: {name}"));
                }
            }
        }
        Ok(())
    }

    /// A call whose function and first `n` arguments lie on the stack.
    pub(super) fn call_helper(&mut self, n: usize, args: &'a [Expr], keywords: &'a [Keyword]) -> Result<()> {
        self.validate_keywords(keywords)?;
        let simple = args.len() + keywords.len() * 2 <= STACK_USE_GUIDELINE
            && !args.iter().any(|a| matches!(a.kind, ExprKind::Starred { .. }))
            && keywords.iter().all(|k| k.arg.is_some());
        if simple {
            self.exprs(args)?;
            if !keywords.is_empty() {
                keywords.iter().try_for_each(|k| self.expr(&k.value))?;
                self.kw_names(keywords);
            }
            let total = (n + args.len() + keywords.len()) as u32;
            self.emit_arg(op::PRECALL, total);
            self.emit_arg(op::CALL, total);
            return Ok(());
        }
        match args {
            [Expr { kind: ExprKind::Starred { value, .. }, .. }] if n == 0 => self.expr(value)?,
            _ => self.display(args, n, TUPLE)?,
        }
        if !keywords.is_empty() {
            let (mut have_dict, mut seen) = (false, 0);
            for (i, k) in keywords.iter().enumerate() {
                if k.arg.is_some() {
                    seen += 1;
                    continue;
                }
                if seen > 0 {
                    self.subkwargs(&keywords[i - seen..i])?;
                    if have_dict {
                        self.emit_arg(op::DICT_MERGE, 1);
                    }
                    have_dict = true;
                    seen = 0;
                }
                if !have_dict {
                    self.emit_arg(op::BUILD_MAP, 0);
                    have_dict = true;
                }
                self.expr(&k.value)?;
                self.emit_arg(op::DICT_MERGE, 1);
            }
            if seen > 0 {
                self.subkwargs(&keywords[keywords.len() - seen..])?;
                if have_dict {
                    self.emit_arg(op::DICT_MERGE, 1);
                }
            }
        }
        self.emit_arg(op::CALL_FUNCTION_EX, u32::from(!keywords.is_empty()));
        Ok(())
    }

    fn subkwargs(&mut self, ks: &'a [Keyword]) -> Result<()> {
        let n = ks.len();
        let big = n * 2 > STACK_USE_GUIDELINE;
        if n > 1 && !big {
            ks.iter().try_for_each(|k| self.expr(&k.value))?;
            let names = ks.iter().filter_map(|k| k.arg.as_ref()).map(|n| Const::str(n)).collect();
            self.load_const(Const::Tuple(names));
            self.emit_arg(op::BUILD_CONST_KEY_MAP, n as u32);
            return Ok(());
        }
        if big {
            self.u().graph.emit(op::BUILD_MAP as u16, 0, Location::NONE);
        }
        for k in ks {
            if let Some(name) = &k.arg {
                self.load_name_const(name);
            }
            self.expr(&k.value)?;
            if big {
                self.u().graph.emit(op::MAP_ADD as u16, 1, Location::NONE);
            }
        }
        if !big {
            self.emit_arg(op::BUILD_MAP, n as u32);
        }
        Ok(())
    }
}

fn pick(ctx: Context, ops: [u8; 3]) -> u8 {
    match ctx {
        Context::Load => ops[0],
        Context::Store => ops[1],
        Context::Del => ops[2],
    }
}
