//! Statements with frames: loops, `with`, `try`; and `return`, `break`, `continue`, which unwind them.

use super::*;

impl<'a> Compiler<'a> {
    fn push(&mut self, kind: FrameKind, block: BlockId, exit: BlockId, datum: Datum<'a>) -> Result<()> {
        if self.unit().frames.len() >= 20 {
            return self.error("too many statically nested blocks");
        }
        self.u().frames.push(Frame { kind, block, exit, datum });
        Ok(())
    }

    fn pop(&mut self) {
        self.u().frames.pop();
    }

    // ---- Leaving blocks ----

    /// Code that leaves one frame. With `keep` the value on top of the stack survives.
    fn unwind(&mut self, f: &Frame<'a>, keep: bool) -> Result<()> {
        let swap = |c: &mut Self| {
            if keep {
                c.emit_arg(op::SWAP, 2);
            }
        };
        match f.kind {
            FrameKind::While
            | FrameKind::ExceptionHandler
            | FrameKind::ExceptionGroupHandler
            | FrameKind::AsyncComprehension => {}
            FrameKind::For | FrameKind::PopValue => {
                swap(self);
                self.emit(op::POP_TOP);
            }
            FrameKind::TryExcept => self.emit_pop_block(),
            FrameKind::FinallyTry => {
                // This gets the line of the statement that leaves.
                self.emit_pop_block();
                if keep {
                    self.push(FrameKind::PopValue, flow::NO_BLOCK, flow::NO_BLOCK, Datum::None)?;
                }
                if let Datum::Body(body) = f.datum {
                    self.stmts(body)?;
                }
                if keep {
                    self.pop();
                }
                // What follows seems to belong to the leaving statement: give it no line of the finally body.
                self.unset_loc();
            }
            FrameKind::FinallyEnd => {
                swap(self);
                self.emit(op::POP_TOP);
                swap(self);
                self.emit_pop_block();
                self.emit(op::POP_EXCEPT);
            }
            FrameKind::With | FrameKind::AsyncWith => {
                if let Datum::At(loc) = f.datum {
                    self.set_loc(loc);
                }
                self.emit_pop_block();
                swap(self);
                self.call_exit();
                if f.kind == FrameKind::AsyncWith {
                    self.await_top(2);
                }
                self.emit(op::POP_TOP);
                self.unset_loc();
            }
            FrameKind::HandlerCleanup => {
                if matches!(f.datum, Datum::Name(_)) {
                    self.emit_pop_block();
                }
                swap(self);
                self.emit_pop_block();
                self.emit(op::POP_EXCEPT);
                if let Datum::Name(n) = f.datum {
                    self.clear_name(n)?;
                }
            }
        }
        Ok(())
    }

    /// Unwinds from the innermost frame outwards: all of them, or up to the nearest loop, which is returned.
    fn unwind_stack(&mut self, keep: bool, to_loop: bool) -> Result<Option<Frame<'a>>> {
        let Some(&top) = self.unit().frames.last() else { return Ok(None) };
        if top.kind == FrameKind::ExceptionGroupHandler {
            return self.error("'break', 'continue' and 'return' cannot appear in an except* block");
        }
        if to_loop && matches!(top.kind, FrameKind::While | FrameKind::For) {
            return Ok(Some(top));
        }
        self.pop();
        self.unwind(&top, keep)?;
        let found = self.unwind_stack(keep, to_loop)?;
        self.u().frames.push(top);
        Ok(found)
    }

    pub(super) fn return_stmt(&mut self, s: &'a Stmt, value: Option<&'a Expr>) -> Result<()> {
        let keep = value.is_some_and(|v| v.as_constant().is_none());
        let block = &self.table.blocks[self.unit().table];
        if block.kind != BlockType::Function {
            return self.error("'return' outside function");
        }
        if value.is_some() && block.coroutine && block.generator {
            return self.error("'return' with value in async generator");
        }
        if let Some(v) = value {
            if keep {
                self.expr(v)?;
            } else {
                self.set_loc(v.loc);
                self.emit(op::NOP);
            }
        }
        if value.is_none_or(|v| v.loc.line != s.loc.line) {
            self.set_loc(s.loc);
            self.emit(op::NOP);
        }
        self.unwind_stack(keep, false)?;
        match value {
            None => self.load_const(Const::None),
            Some(v) => {
                if let Some(c) = v.as_constant() {
                    self.load_const(c.clone());
                }
            }
        }
        self.emit(op::RETURN_VALUE);
        Ok(())
    }

    pub(super) fn break_stmt(&mut self) -> Result<()> {
        self.emit(op::NOP);
        let loc = self.unit().loc;
        let Some(frame) = self.unwind_stack(false, true)? else {
            self.set_loc(loc);
            return self.error("'break' outside loop");
        };
        self.unwind(&frame, false)?;
        self.emit_jump(pseudo::JUMP, frame.exit);
        Ok(())
    }

    pub(super) fn continue_stmt(&mut self) -> Result<()> {
        self.emit(op::NOP);
        let loc = self.unit().loc;
        let Some(frame) = self.unwind_stack(false, true)? else {
            self.set_loc(loc);
            return self.error("'continue' not properly in loop");
        };
        self.emit_jump(pseudo::JUMP, frame.block);
        Ok(())
    }

    // ---- Loops ----

    pub(super) fn for_stmt(&mut self, f: &'a For) -> Result<()> {
        let start = self.new_block();
        let body = self.new_block();
        let cleanup = self.new_block();
        let end = self.new_block();
        self.push(FrameKind::For, start, end, Datum::None)?;
        self.expr(&f.iter)?;
        self.emit(op::GET_ITER);
        self.use_block(start);
        self.emit_jump(op::FOR_ITER as u16, cleanup);
        self.use_block(body);
        self.expr(&f.target)?;
        self.stmts(&f.body)?;
        self.unset_loc();
        self.emit_jump(pseudo::JUMP, start);
        self.use_block(cleanup);
        self.pop();
        self.stmts(&f.orelse)?;
        self.use_block(end);
        Ok(())
    }

    pub(super) fn async_for(&mut self, f: &'a For) -> Result<()> {
        if !self.is_top_level_await() && self.unit().scope != ScopeType::AsyncFunction {
            return self.error("'async for' outside async function");
        }
        let start = self.new_block();
        let except = self.new_block();
        let end = self.new_block();
        self.expr(&f.iter)?;
        self.emit(op::GET_AITER);
        self.use_block(start);
        self.push(FrameKind::For, start, end, Datum::None)?;
        self.emit_jump(pseudo::SETUP_FINALLY, except);
        self.emit(op::GET_ANEXT);
        self.load_const(Const::None);
        self.yield_from(true);
        self.emit_pop_block();
        self.expr(&f.target)?;
        self.stmts(&f.body)?;
        self.unset_loc();
        self.emit_jump(pseudo::JUMP, start);
        self.pop();
        self.use_block(except);
        // The line of the iterator: the loop ends there, not in its body.
        self.set_loc(f.iter.loc);
        self.emit(op::END_ASYNC_FOR);
        self.stmts(&f.orelse)?;
        self.use_block(end);
        Ok(())
    }

    pub(super) fn while_stmt(
        &mut self,
        s: &'a Stmt,
        test: &'a Expr,
        body: &'a [Stmt],
        orelse: &'a [Stmt],
    ) -> Result<()> {
        let head = self.new_block();
        let inner = self.new_block();
        let anchor = self.new_block();
        let end = self.new_block();
        self.use_block(head);
        self.push(FrameKind::While, head, end, Datum::None)?;
        self.jump_if(test, anchor, false)?;
        self.use_block(inner);
        self.stmts(body)?;
        // The condition once more at the bottom saves a jump per round.
        self.set_loc(s.loc);
        self.jump_if(test, inner, true)?;
        self.pop();
        self.use_block(anchor);
        self.stmts(orelse)?;
        self.use_block(end);
        Ok(())
    }

    // ---- with ----

    /// Calls the `__exit__` on the stack with three `None`s.
    fn call_exit(&mut self) {
        for _ in 0..3 {
            self.load_const(Const::None);
        }
        self.emit_arg(op::PRECALL, 2);
        self.emit_arg(op::CALL, 2);
    }

    fn reraise_after_pop(&mut self) {
        self.emit_arg(op::COPY, 3);
        self.emit(op::POP_EXCEPT);
        self.emit_arg(op::RERAISE, 1);
    }

    pub(super) fn with(&mut self, s: &'a Stmt, items: &'a [WithItem], body: &'a [Stmt]) -> Result<()> {
        let Some((item, rest)) = items.split_first() else { return self.stmts(body) };
        let block = self.new_block();
        let last = self.new_block();
        let exit = self.new_block();
        let cleanup = self.new_block();
        self.expr(&item.context_expr)?;
        self.emit(op::BEFORE_WITH);
        self.emit_jump(pseudo::SETUP_WITH, last);
        self.use_block(block);
        self.push(FrameKind::With, block, last, Datum::At(s.loc))?;
        match &item.optional_vars {
            Some(v) => self.expr(v)?,
            None => self.emit(op::POP_TOP),
        }
        self.with(s, rest, body)?;
        self.unset_loc();
        self.emit_pop_block();
        self.pop();
        // Left without exception: __exit__(None, None, None).
        self.set_loc(s.loc);
        self.call_exit();
        self.emit(op::POP_TOP);
        self.emit_jump(pseudo::JUMP, exit);
        // Left with one.
        self.use_block(last);
        self.emit_jump(pseudo::SETUP_CLEANUP, cleanup);
        self.emit(op::PUSH_EXC_INFO);
        self.emit(op::WITH_EXCEPT_START);
        self.with_except_finish(cleanup);
        self.use_block(exit);
        Ok(())
    }

    fn with_except_finish(&mut self, cleanup: BlockId) {
        let suppress = self.new_block();
        self.emit_jump(pseudo::POP_JUMP_IF_TRUE, suppress);
        self.emit_arg(op::RERAISE, 2);
        self.use_block(cleanup);
        self.unset_loc();
        self.reraise_after_pop();
        self.use_block(suppress);
        self.emit(op::POP_TOP);
        self.emit_pop_block();
        self.emit(op::POP_EXCEPT);
        self.emit(op::POP_TOP);
        self.emit(op::POP_TOP);
    }

    pub(super) fn async_with(&mut self, s: &'a Stmt, items: &'a [WithItem], body: &'a [Stmt]) -> Result<()> {
        let Some((item, rest)) = items.split_first() else { return self.stmts(body) };
        if !self.is_top_level_await() && self.unit().scope != ScopeType::AsyncFunction {
            return self.error("'async with' outside async function");
        }
        let block = self.new_block();
        let last = self.new_block();
        let exit = self.new_block();
        let cleanup = self.new_block();
        self.expr(&item.context_expr)?;
        self.emit(op::BEFORE_ASYNC_WITH);
        self.await_top(1);
        self.emit_jump(pseudo::SETUP_WITH, last);
        self.use_block(block);
        self.push(FrameKind::AsyncWith, block, last, Datum::At(s.loc))?;
        match &item.optional_vars {
            Some(v) => self.expr(v)?,
            None => self.emit(op::POP_TOP),
        }
        self.async_with(s, rest, body)?;
        self.pop();
        self.emit_pop_block();
        self.set_loc(s.loc);
        self.call_exit();
        self.await_top(2);
        self.emit(op::POP_TOP);
        self.emit_jump(pseudo::JUMP, exit);
        self.use_block(last);
        self.emit_jump(pseudo::SETUP_CLEANUP, cleanup);
        self.emit(op::PUSH_EXC_INFO);
        self.emit(op::WITH_EXCEPT_START);
        self.await_top(2);
        self.with_except_finish(cleanup);
        self.use_block(exit);
        Ok(())
    }

    // ---- try ----

    pub(super) fn try_finally(&mut self, t: &'a Try, star: bool) -> Result<()> {
        let body = self.new_block();
        let end = self.new_block();
        let exit = self.new_block();
        let cleanup = self.new_block();
        self.emit_jump(pseudo::SETUP_FINALLY, end);
        self.use_block(body);
        self.push(FrameKind::FinallyTry, body, end, Datum::Body(&t.finalbody))?;
        if t.handlers.is_empty() {
            self.stmts(&t.body)?;
        } else if star {
            self.try_star(t)?;
        } else {
            self.try_except(t)?;
        }
        self.u().graph.emit(pseudo::POP_BLOCK, 0, Location::NONE);
        self.pop();
        self.stmts(&t.finalbody)?;
        self.emit_jump_noline(pseudo::JUMP, exit);
        // The same body for exceptions.
        self.use_block(end);
        self.push(FrameKind::FinallyEnd, end, flow::NO_BLOCK, Datum::None)?;
        self.unset_loc();
        self.emit_jump(pseudo::SETUP_CLEANUP, cleanup);
        self.emit(op::PUSH_EXC_INFO);
        self.stmts(&t.finalbody)?;
        self.emit_arg(op::RERAISE, 0);
        self.pop();
        self.use_block(cleanup);
        self.reraise_after_pop();
        self.use_block(exit);
        Ok(())
    }

    /// `name = None; del name`
    fn clear_name(&mut self, name: &Name) -> Result<()> {
        self.load_const(Const::None);
        self.nameop(name, Context::Store)?;
        self.nameop(name, Context::Del)
    }

    pub(super) fn try_except(&mut self, t: &'a Try) -> Result<()> {
        let body = self.new_block();
        let mut except = self.new_block();
        let end = self.new_block();
        let cleanup = self.new_block();
        self.emit_jump(pseudo::SETUP_FINALLY, except);
        self.use_block(body);
        self.push(FrameKind::TryExcept, body, flow::NO_BLOCK, Datum::None)?;
        self.stmts(&t.body)?;
        self.pop();
        self.u().graph.emit(pseudo::POP_BLOCK, 0, Location::NONE);
        self.stmts(&t.orelse)?;
        self.emit_jump_noline(pseudo::JUMP, end);
        self.use_block(except);
        self.unset_loc();
        self.emit_jump(pseudo::SETUP_CLEANUP, cleanup);
        self.emit(op::PUSH_EXC_INFO);
        self.push(FrameKind::ExceptionHandler, flow::NO_BLOCK, flow::NO_BLOCK, Datum::None)?;
        for (i, h) in t.handlers.iter().enumerate() {
            self.set_loc(h.loc);
            if h.typ.is_none() && i + 1 < t.handlers.len() {
                return self.error("default 'except:' must be last");
            }
            except = self.new_block();
            if let Some(typ) = &h.typ {
                self.expr(typ)?;
                self.emit(op::CHECK_EXC_MATCH);
                self.emit_jump(pseudo::POP_JUMP_IF_FALSE, except);
            }
            if let Some(name) = &h.name {
                let cleanup_end = self.new_block();
                let cleanup_body = self.new_block();
                self.nameop(name, Context::Store)?;
                self.emit_jump(pseudo::SETUP_CLEANUP, cleanup_end);
                self.use_block(cleanup_body);
                self.push(FrameKind::HandlerCleanup, cleanup_body, flow::NO_BLOCK, Datum::Name(name))?;
                self.stmts(&h.body)?;
                self.pop();
                self.unset_loc();
                self.emit_pop_block();
                self.emit_pop_block();
                self.emit(op::POP_EXCEPT);
                self.clear_name(name)?;
                self.emit_jump(pseudo::JUMP, end);
                self.use_block(cleanup_end);
                self.unset_loc();
                self.clear_name(name)?;
                self.emit_arg(op::RERAISE, 1);
            } else {
                let cleanup_body = self.new_block();
                self.emit(op::POP_TOP);
                self.use_block(cleanup_body);
                self.push(FrameKind::HandlerCleanup, cleanup_body, flow::NO_BLOCK, Datum::None)?;
                self.stmts(&h.body)?;
                self.pop();
                self.unset_loc();
                self.emit_pop_block();
                self.emit(op::POP_EXCEPT);
                self.emit_jump(pseudo::JUMP, end);
            }
            self.use_block(except);
        }
        self.pop();
        self.unset_loc();
        self.emit_arg(op::RERAISE, 0);
        self.use_block(cleanup);
        self.reraise_after_pop();
        self.use_block(end);
        Ok(())
    }

    /// `except*`: under the exception lie the original group and the list of what the handlers raised.
    pub(super) fn try_star(&mut self, t: &'a Try) -> Result<()> {
        let body = self.new_block();
        let mut except = self.new_block();
        let orelse = self.new_block();
        let end = self.new_block();
        let cleanup = self.new_block();
        let reraise_star = self.new_block();
        self.emit_jump(pseudo::SETUP_FINALLY, except);
        self.use_block(body);
        self.push(FrameKind::TryExcept, body, flow::NO_BLOCK, Datum::None)?;
        self.stmts(&t.body)?;
        self.pop();
        self.u().graph.emit(pseudo::POP_BLOCK, 0, Location::NONE);
        self.emit_jump_noline(pseudo::JUMP, orelse);
        self.use_block(except);
        self.unset_loc();
        self.emit_jump(pseudo::SETUP_CLEANUP, cleanup);
        self.emit(op::PUSH_EXC_INFO);
        self.push(FrameKind::ExceptionGroupHandler, flow::NO_BLOCK, flow::NO_BLOCK, Datum::None)?;
        for (i, h) in t.handlers.iter().enumerate() {
            self.set_loc(h.loc);
            except = self.new_block();
            let handle_match = self.new_block();
            if i == 0 {
                self.emit_arg(op::COPY, 1);
                self.emit_arg(op::BUILD_LIST, 0);
                self.emit_arg(op::SWAP, 2);
            }
            if let Some(typ) = &h.typ {
                self.expr(typ)?;
                self.emit(op::CHECK_EG_MATCH);
                self.emit_arg(op::COPY, 1);
                self.emit_jump(pseudo::POP_JUMP_IF_NOT_NONE, handle_match);
                self.emit(op::POP_TOP);
                self.emit_jump(pseudo::JUMP, except);
            }
            self.use_block(handle_match);
            let cleanup_end = self.new_block();
            let cleanup_body = self.new_block();
            let datum = match &h.name {
                Some(name) => {
                    self.nameop(name, Context::Store)?;
                    Datum::Name(name)
                }
                None => {
                    self.emit(op::POP_TOP);
                    Datum::None
                }
            };
            self.emit_jump(pseudo::SETUP_CLEANUP, cleanup_end);
            self.use_block(cleanup_body);
            self.push(FrameKind::HandlerCleanup, cleanup_body, flow::NO_BLOCK, datum)?;
            self.stmts(&h.body)?;
            self.pop();
            self.unset_loc();
            self.emit_pop_block();
            if let Some(name) = &h.name {
                self.clear_name(name)?;
            }
            self.emit_jump(pseudo::JUMP, except);
            self.use_block(cleanup_end);
            self.unset_loc();
            if let Some(name) = &h.name {
                self.clear_name(name)?;
            }
            self.emit_arg(op::LIST_APPEND, 3);
            self.emit(op::POP_TOP);
            self.emit_jump(pseudo::JUMP, except);
            self.use_block(except);
            if i + 1 == t.handlers.len() {
                self.emit_arg(op::LIST_APPEND, 1);
                self.emit_jump(pseudo::JUMP, reraise_star);
            }
        }
        self.pop();
        let reraise = self.new_block();
        self.use_block(reraise_star);
        self.emit(op::PREP_RERAISE_STAR);
        self.emit_arg(op::COPY, 1);
        self.emit_jump(pseudo::POP_JUMP_IF_NOT_NONE, reraise);
        self.emit(op::POP_TOP);
        self.emit_pop_block();
        self.emit(op::POP_EXCEPT);
        self.emit_jump(pseudo::JUMP, end);
        self.use_block(reraise);
        self.emit_pop_block();
        self.emit_arg(op::SWAP, 2);
        self.emit(op::POP_EXCEPT);
        self.emit_arg(op::RERAISE, 0);
        self.use_block(cleanup);
        self.reraise_after_pop();
        self.use_block(orelse);
        self.stmts(&t.orelse)?;
        self.use_block(end);
        Ok(())
    }
}
