//! What makes code objects of its own: functions, lambdas, classes, comprehensions.

use super::*;
use crate::fold::docstring;

impl<'a> Compiler<'a> {
    /// Loads a function made from `code`; its defaults and annotations (`flags`) lie on the stack.
    fn make_closure(&mut self, code: CodeUnit, mut flags: u32) -> Result<()> {
        let free: Vec<Name> = code
            .localsplusnames
            .iter()
            .zip(&code.localspluskinds)
            .filter(|(_, k)| **k & CO_FAST_FREE != 0)
            .map(|(n, _)| Name::from(n.as_str()))
            .collect();
        if !free.is_empty() {
            for name in &free {
                // In a class a name can be free for its methods and yet a name of the class.
                let block = &self.table.blocks[self.unit().table];
                let cell = (self.unit().scope == ScopeType::Class && &**name == "__class__")
                    || block.scope(name) == ScopeKind::Cell;
                let i = self.deref_index(name, cell)?;
                self.emit_arg(op::LOAD_CLOSURE, i);
            }
            flags |= MAKE_FUNCTION_CLOSURE;
            self.emit_arg(op::BUILD_TUPLE, free.len() as u32);
        }
        self.load_const(Const::Code(Box::new(code)));
        self.emit_arg(op::MAKE_FUNCTION, flags);
        Ok(())
    }

    fn apply_decorators(&mut self, decorators: &'a [Expr]) {
        let outer = self.unit().loc;
        for d in decorators.iter().rev() {
            self.set_loc(d.loc);
            self.emit_arg(op::PRECALL, 0);
            self.emit_arg(op::CALL, 0);
        }
        self.set_loc(outer);
    }

    fn check_arguments(&self, a: &Arguments) -> Result<()> {
        let all = a.posonlyargs.iter().chain(&a.args).chain(a.vararg.as_deref());
        for x in all.chain(&a.kwonlyargs).chain(a.kwarg.as_deref()) {
            self.forbidden(&x.arg, Context::Store)?;
        }
        Ok(())
    }

    fn defaults(&mut self, a: &'a Arguments) -> Result<u32> {
        let mut flags = 0;
        if !a.defaults.is_empty() {
            flags |= MAKE_FUNCTION_DEFAULTS;
            self.exprs(&a.defaults)?;
            self.emit_arg(op::BUILD_TUPLE, a.defaults.len() as u32);
        }
        let mut keys = vec![];
        for (arg, default) in a.kwonlyargs.iter().zip(&a.kw_defaults) {
            if let Some(d) = default {
                keys.push(Const::str(&self.mangled(&arg.arg)));
                self.expr(d)?;
            }
        }
        if !keys.is_empty() {
            flags |= MAKE_FUNCTION_KWDEFAULTS;
            let n = keys.len() as u32;
            self.load_const(Const::Tuple(keys));
            self.emit_arg(op::BUILD_CONST_KEY_MAP, n);
        }
        Ok(flags)
    }

    /// Leaves a tuple name, value, name, value... on the stack, if there is any annotation.
    fn annotations(&mut self, a: &'a Arguments, returns: Option<&'a Expr>) -> Result<u32> {
        let mut n = 0;
        let positional = a.args.iter().chain(&a.posonlyargs).chain(a.vararg.as_deref());
        for x in positional.chain(&a.kwonlyargs).chain(a.kwarg.as_deref()) {
            if let Some(ann) = &x.annotation {
                self.annotation(&x.arg, ann)?;
                n += 2;
            }
        }
        if let Some(r) = returns {
            self.annotation(&"return".into(), r)?;
            n += 2;
        }
        if n == 0 {
            return Ok(0);
        }
        self.emit_arg(op::BUILD_TUPLE, n);
        Ok(MAKE_FUNCTION_ANNOTATIONS)
    }

    fn annotation(&mut self, name: &Name, e: &'a Expr) -> Result<()> {
        let mangled = self.mangled(name);
        self.load_name_const(&mangled);
        match &e.kind {
            // `*args: *Ts`
            ExprKind::Starred { value, .. } if !self.future_annotations() => {
                self.expr(value)?;
                self.emit_arg(op::UNPACK_SEQUENCE, 1);
                Ok(())
            }
            _ => self.annotation_value(e),
        }
    }

    fn set_argument_counts(&mut self, a: &Arguments) {
        let u = self.u();
        u.argcount = a.args.len() as u32;
        u.posonlyargcount = a.posonlyargs.len() as u32;
        u.kwonlyargcount = a.kwonlyargs.len() as u32;
    }

    pub(super) fn function(&mut self, s: &'a Stmt, f: &'a FunctionDef, is_async: bool) -> Result<()> {
        self.check_arguments(&f.args)?;
        self.exprs(&f.decorator_list)?;
        let firstlineno = f.decorator_list.first().map_or(s.loc.line, |d| d.loc.line);
        let mut flags = self.defaults(&f.args)?;
        flags |= self.annotations(&f.args, f.returns.as_ref())?;
        let scope = if is_async { ScopeType::AsyncFunction } else { ScopeType::Function };
        self.enter(f.name.clone(), scope, s, firstlineno)?;
        let doc = if self.opts.optimize < 2 { docstring(&f.body) } else { None };
        self.add_const(doc.map_or(Const::None, |d| Const::Str(d.clone())));
        self.set_argument_counts(&f.args);
        self.stmts(if doc.is_some() { &f.body[1..] } else { &f.body })?;
        let code = self.assemble(true)?;
        self.make_closure(code, flags)?;
        self.apply_decorators(&f.decorator_list);
        self.nameop(&f.name, Context::Store)
    }

    pub(super) fn lambda(&mut self, e: &'a Expr, args: &'a Arguments, body: &'a Expr) -> Result<()> {
        self.check_arguments(args)?;
        let flags = self.defaults(args)?;
        self.enter("<lambda>".into(), ScopeType::Lambda, e, e.loc.line)?;
        // A text as first constant would be a doc string.
        self.add_const(Const::None);
        self.set_argument_counts(args);
        self.expr(body)?;
        let generator = self.table.blocks[self.unit().table].generator;
        if !generator {
            self.emit(op::RETURN_VALUE);
        }
        let code = self.assemble(!generator)?;
        self.make_closure(code, flags)
    }

    pub(super) fn class(&mut self, s: &'a Stmt, c: &'a ClassDef) -> Result<()> {
        self.exprs(&c.decorator_list)?;
        let firstlineno = c.decorator_list.first().map_or(s.loc.line, |d| d.loc.line);
        self.enter(c.name.clone(), ScopeType::Class, s, firstlineno)?;
        self.u().private = Some(c.name.clone());
        self.nameop(&"__name__".into(), Context::Load)?;
        self.nameop(&"__module__".into(), Context::Store)?;
        let qualname = self.unit().qualname.clone();
        self.load_name_const(&qualname);
        self.nameop(&"__qualname__".into(), Context::Store)?;
        self.body(&c.body)?;
        self.unset_loc();
        if self.table.blocks[self.unit().table].needs_class_closure {
            // type.__new__ fills the cell that `super()` reads.
            let i = self.deref_index("__class__", true)?;
            self.emit_arg(op::LOAD_CLOSURE, i);
            self.emit_arg(op::COPY, 1);
            self.nameop(&"__classcell__".into(), Context::Store)?;
        } else {
            self.load_const(Const::None);
        }
        self.emit(op::RETURN_VALUE);
        let code = self.assemble(true)?;
        self.emit(op::PUSH_NULL);
        self.emit(op::LOAD_BUILD_CLASS);
        self.make_closure(code, 0)?;
        self.load_name_const(&c.name);
        self.call_helper(2, &c.bases, &c.keywords)?;
        self.apply_decorators(&c.decorator_list);
        self.nameop(&c.name, Context::Store)
    }

    // ---- Comprehensions ----

    /// `build`: `BUILD_LIST`, `BUILD_SET`, `BUILD_MAP`, or `YIELD_VALUE` for a generator.
    pub(super) fn comprehension(
        &mut self,
        e: &'a Expr,
        build: u8,
        name: &str,
        generators: &'a [Comprehension],
        elt: &'a Expr,
        value: Option<&'a Expr>,
    ) -> Result<()> {
        let Some(outermost) = generators.first() else { return Ok(()) };
        let outer_scope = self.unit().scope;
        let top_level_await = self.is_top_level_await();
        self.enter(name.into(), ScopeType::Comprehension, e, e.loc.line)?;
        self.set_loc(e.loc);
        let is_async = self.table.blocks[self.unit().table].coroutine && build != op::YIELD_VALUE;
        if is_async
            && !matches!(outer_scope, ScopeType::AsyncFunction | ScopeType::Comprehension)
            && !top_level_await
        {
            return self.error("asynchronous comprehension outside of an asynchronous function");
        }
        if build != op::YIELD_VALUE {
            self.emit_arg(build, 0);
        }
        self.generator(generators, 0, 0, elt, value, build)?;
        if build != op::YIELD_VALUE {
            self.emit(op::RETURN_VALUE);
        }
        let code = self.assemble(true)?;
        self.make_closure(code, 0)?;
        self.expr(&outermost.iter)?;
        self.emit(if outermost.is_async { op::GET_AITER } else { op::GET_ITER });
        self.emit_arg(op::PRECALL, 0);
        self.emit_arg(op::CALL, 0);
        if is_async {
            self.await_top(0);
        }
        Ok(())
    }

    /// One `for` of a comprehension with all that is inside. `depth`: loops around the element.
    fn generator(
        &mut self,
        gens: &'a [Comprehension],
        index: usize,
        depth: u32,
        elt: &'a Expr,
        value: Option<&'a Expr>,
        build: u8,
    ) -> Result<()> {
        let g = &gens[index];
        if g.is_async {
            return self.async_generator(gens, index, depth, elt, value, build);
        }
        let start = self.new_block();
        let if_cleanup = self.new_block();
        let anchor = self.new_block();
        let mut looping = true;
        if index == 0 {
            self.u().argcount = 1;
            self.emit_arg(op::LOAD_FAST, 0);
        } else {
            // `for y in [f(x)]` is an assignment.
            if let ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } = &g.iter.kind
                && let [only] = &elts[..]
                && !matches!(only.kind, ExprKind::Starred { .. })
            {
                self.expr(only)?;
                looping = false;
            }
            if looping {
                self.expr(&g.iter)?;
                self.emit(op::GET_ITER);
            }
        }
        let mut depth = depth;
        if looping {
            depth += 1;
            self.use_block(start);
            self.emit_jump(op::FOR_ITER as u16, anchor);
        }
        self.expr(&g.target)?;
        for cond in &g.ifs {
            self.jump_if(cond, if_cleanup, false)?;
        }
        if index + 1 < gens.len() {
            self.generator(gens, index + 1, depth, elt, value, build)?;
        } else {
            self.element(depth, elt, value, build)?;
        }
        self.use_block(if_cleanup);
        if looping {
            self.emit_jump(pseudo::JUMP, start);
            self.use_block(anchor);
        }
        Ok(())
    }

    fn element(&mut self, depth: u32, elt: &'a Expr, value: Option<&'a Expr>, build: u8) -> Result<()> {
        self.expr(elt)?;
        match build {
            op::BUILD_LIST => self.emit_arg(op::LIST_APPEND, depth + 1),
            op::BUILD_SET => self.emit_arg(op::SET_ADD, depth + 1),
            op::BUILD_MAP => {
                if let Some(v) = value {
                    self.expr(v)?;
                }
                self.emit_arg(op::MAP_ADD, depth + 1);
            }
            _ => {
                self.yield_value();
                self.emit(op::POP_TOP);
            }
        }
        Ok(())
    }

    fn async_generator(
        &mut self,
        gens: &'a [Comprehension],
        index: usize,
        depth: u32,
        elt: &'a Expr,
        value: Option<&'a Expr>,
        build: u8,
    ) -> Result<()> {
        let g = &gens[index];
        let start = self.new_block();
        let except = self.new_block();
        let if_cleanup = self.new_block();
        if index == 0 {
            self.u().argcount = 1;
            self.emit_arg(op::LOAD_FAST, 0);
        } else {
            self.expr(&g.iter)?;
            self.emit(op::GET_AITER);
        }
        self.use_block(start);
        self.u().frames.push(Frame {
            kind: FrameKind::AsyncComprehension,
            block: start,
            exit: flow::NO_BLOCK,
            datum: Datum::None,
        });
        self.emit_jump(pseudo::SETUP_FINALLY, except);
        self.emit(op::GET_ANEXT);
        self.load_const(Const::None);
        self.yield_from(true);
        self.emit_pop_block();
        self.expr(&g.target)?;
        for cond in &g.ifs {
            self.jump_if(cond, if_cleanup, false)?;
        }
        if index + 1 < gens.len() {
            self.generator(gens, index + 1, depth + 1, elt, value, build)?;
        } else {
            self.element(depth + 1, elt, value, build)?;
        }
        self.use_block(if_cleanup);
        self.emit_jump(pseudo::JUMP, start);
        self.u().frames.pop();
        self.use_block(except);
        self.emit(op::END_ASYNC_FOR);
        Ok(())
    }
}
