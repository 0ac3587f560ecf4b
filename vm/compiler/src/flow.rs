//! The control-flow graph of a code object, and what is done to it before it becomes bytes.
//!
//! Blocks have numbers in the order they were made and are linked (`next`) in the order of the code. A block ends at the first jump
//! or exit: the next instruction starts a new block. Pseudo instructions (numbers from 256) stand for jumps without direction
//! and for the edges to exception handlers:
//!
//! ```text
//! SETUP_FINALLY h   until POP_BLOCK, exceptions go to h with (exc) on the stack
//! SETUP_CLEANUP h   ... with (lasti, exc)
//! SETUP_WITH h      ... with (lasti, exc), and without the result of __enter__
//! ```
//!
//! The passes and their order are CPython 3.11's, since each leaves traces in the result: which blocks are copied, which `NOP`s
//! stay for tracing, where artificial instructions get their line from.

use crate::ast::Location;
use lh_bytecode::{Const, opcode};

pub type BlockId = u32;
pub const NO_BLOCK: BlockId = u32::MAX;

/// Pseudo opcodes.
pub mod op {
    pub const SETUP_FINALLY: u16 = 256;
    pub const SETUP_CLEANUP: u16 = 257;
    pub const SETUP_WITH: u16 = 258;
    pub const POP_BLOCK: u16 = 259;
    pub const JUMP: u16 = 260;
    pub const JUMP_NO_INTERRUPT: u16 = 261;
    pub const POP_JUMP_IF_FALSE: u16 = 262;
    pub const POP_JUMP_IF_TRUE: u16 = 263;
    pub const POP_JUMP_IF_NONE: u16 = 264;
    pub const POP_JUMP_IF_NOT_NONE: u16 = 265;
}

const NOP: u16 = opcode::NOP as u16;
const LOAD_CONST: u16 = opcode::LOAD_CONST as u16;
const SWAP: u16 = opcode::SWAP as u16;
const RETURN_VALUE: u16 = opcode::RETURN_VALUE as u16;
const JUMP_IF_FALSE_OR_POP: u16 = opcode::JUMP_IF_FALSE_OR_POP as u16;
const JUMP_IF_TRUE_OR_POP: u16 = opcode::JUMP_IF_TRUE_OR_POP as u16;

#[derive(Copy, Clone, Debug)]
pub struct Instr {
    pub op: u16,
    pub arg: u32,
    pub target: BlockId,
    /// The handler that guards this instruction.
    pub except: BlockId,
    pub loc: Location,
}

impl Instr {
    pub fn is_block_push(&self) -> bool {
        matches!(self.op, op::SETUP_FINALLY | op::SETUP_CLEANUP | op::SETUP_WITH)
    }

    pub fn is_jump(&self) -> bool {
        match self.op {
            op::JUMP..=op::POP_JUMP_IF_NOT_NONE => true,
            o if o < 256 => opcode::is_jump(o as u8),
            _ => false,
        }
    }

    fn is_unconditional(&self) -> bool {
        matches!(self.op, op::JUMP | op::JUMP_NO_INTERRUPT)
    }

    fn is_exit(&self) -> bool {
        const RERAISE: u16 = opcode::RERAISE as u16;
        const RAISE: u16 = opcode::RAISE_VARARGS as u16;
        matches!(self.op, RETURN_VALUE | RERAISE | RAISE)
    }

    fn has_target(&self) -> bool {
        self.target != NO_BLOCK
    }

    fn effect(&self, jump: bool) -> i32 {
        match self.op {
            op::SETUP_FINALLY | op::SETUP_WITH => i32::from(jump),
            op::SETUP_CLEANUP => 2 * i32::from(jump),
            op::POP_BLOCK | op::JUMP | op::JUMP_NO_INTERRUPT => 0,
            op::POP_JUMP_IF_FALSE..=op::POP_JUMP_IF_NOT_NONE => -1,
            o => opcode::stack_effect(o as u8, self.arg, jump).unwrap_or(0),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Block {
    pub instrs: Vec<Instr>,
    pub next: BlockId,
    preds: u32,
    pub startdepth: i32,
    pub preserve_lasti: bool,
    nofallthrough: bool,
    exit: bool,
    visited: bool,
    pub offset: u32,
}

impl Block {
    fn new() -> Block {
        Block {
            instrs: vec![],
            next: NO_BLOCK,
            preds: 0,
            startdepth: i32::MIN,
            preserve_lasti: false,
            nofallthrough: false,
            exit: false,
            visited: false,
            offset: 0,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Graph {
    pub blocks: Vec<Block>,
    cur: BlockId,
}

impl Graph {
    pub fn new() -> Graph {
        Graph { blocks: vec![Block::new()], cur: 0 }
    }

    // ---- Building ----

    pub fn new_block(&mut self) -> BlockId {
        self.blocks.push(Block::new());
        (self.blocks.len() - 1) as BlockId
    }

    /// Goes on in `b`, right after the current block.
    pub fn use_next(&mut self, b: BlockId) {
        self.blocks[self.cur as usize].next = b;
        self.cur = b;
    }

    fn push(&mut self, i: Instr) {
        let full = self.blocks[self.cur as usize].instrs.last().is_some_and(|l| l.is_jump() || l.is_exit());
        if full {
            let b = self.new_block();
            self.use_next(b);
        }
        self.blocks[self.cur as usize].instrs.push(i);
    }

    pub fn emit(&mut self, op: u16, arg: u32, loc: Location) {
        self.push(Instr { op, arg, target: NO_BLOCK, except: NO_BLOCK, loc });
    }

    pub fn emit_jump(&mut self, op: u16, target: BlockId, loc: Location) {
        self.push(Instr { op, arg: 0, target, except: NO_BLOCK, loc });
    }

    /// Whether the current block ends with `RETURN_VALUE`.
    pub fn returns(&self) -> bool {
        self.blocks[self.cur as usize].instrs.last().is_some_and(|l| l.op == RETURN_VALUE)
    }

    // ---- Walking ----

    /// Blocks in code order.
    pub fn order(&self) -> Vec<BlockId> {
        let mut v = Vec::with_capacity(self.blocks.len());
        let mut b = 0;
        while b != NO_BLOCK {
            v.push(b);
            b = self.blocks[b as usize].next;
        }
        v
    }

    fn b(&mut self, id: BlockId) -> &mut Block {
        &mut self.blocks[id as usize]
    }

    fn skip_empty(&self, mut b: BlockId) -> BlockId {
        while self.blocks[b as usize].instrs.is_empty() {
            let next = self.blocks[b as usize].next;
            if next == NO_BLOCK {
                break;
            }
            b = next;
        }
        b
    }

    // ---- Passes ----

    /// Notes how blocks end.
    pub fn normalize(&mut self) {
        for id in 0..self.blocks.len() {
            let Some(&last) = self.blocks[id].instrs.last() else { continue };
            if last.is_exit() {
                self.blocks[id].exit = true;
                self.blocks[id].nofallthrough = true;
            } else if last.is_jump() {
                if last.is_unconditional() {
                    self.blocks[id].nofallthrough = true;
                }
                let target = self.skip_empty(last.target);
                if let Some(l) = self.blocks[id].instrs.last_mut() {
                    l.target = target;
                }
            }
        }
    }

    /// A jump to a short exit block without a line (an implicit `return None`) becomes a copy of that block.
    pub fn extend_blocks(&mut self) {
        for id in (0..self.blocks.len()).rev() {
            let Some(&last) = self.blocks[id].instrs.last() else { continue };
            if last.op != op::JUMP {
                continue;
            }
            let target = &self.blocks[last.target as usize];
            if target.exit && target.instrs.len() <= 4 && target.instrs.iter().all(|i| i.loc.line < 0) {
                let copy = target.instrs.clone();
                let b = &mut self.blocks[id];
                if let Some(l) = b.instrs.last_mut() {
                    l.op = NOP;
                    l.target = NO_BLOCK;
                }
                b.instrs.extend(copy);
                b.exit = true;
            }
        }
    }

    /// Peephole optimisation, removal of what can't be reached and of empty blocks.
    pub fn optimize(&mut self, consts: &mut crate::codegen::ConstTable) {
        for id in self.order() {
            self.optimize_block(id, consts);
            self.clean(id);
        }
        self.extend_blocks();
        self.mark_reachable();
        for id in self.order() {
            let b = self.b(id);
            if b.preds == 0 {
                b.instrs.clear();
                b.nofallthrough = false;
            }
        }
        for id in self.order() {
            self.clean(id);
        }
        self.remove_empty();
        // Removing blocks can make a jump go to the very next one.
        let mut again = false;
        for id in self.order() {
            let next = self.blocks[id as usize].next;
            let b = self.b(id);
            if let Some(l) = b.instrs.last_mut()
                && l.is_unconditional()
                && l.target == next
            {
                l.op = NOP;
                l.target = NO_BLOCK;
                b.nofallthrough = false;
                self.clean(id);
                again = true;
            }
        }
        if again {
            self.remove_empty();
        }
    }

    fn mark_reachable(&mut self) {
        for b in &mut self.blocks {
            b.preds = 0;
        }
        let mut stack = vec![0];
        self.blocks[0].preds = 1;
        while let Some(id) = stack.pop() {
            let (next, falls) = {
                let b = &self.blocks[id as usize];
                (b.next, !b.nofallthrough)
            };
            let mut reach = |blocks: &mut Vec<Block>, t: BlockId| {
                let b = &mut blocks[t as usize];
                if b.preds == 0 {
                    stack.push(t);
                }
                b.preds += 1;
            };
            if next != NO_BLOCK && falls {
                reach(&mut self.blocks, next);
            }
            for i in 0..self.blocks[id as usize].instrs.len() {
                let t = self.blocks[id as usize].instrs[i].target;
                if t != NO_BLOCK {
                    reach(&mut self.blocks, t);
                }
            }
        }
    }

    fn remove_empty(&mut self) {
        let mut id = 0;
        while id != NO_BLOCK {
            let mut next = self.blocks[id as usize].next;
            if next != NO_BLOCK {
                next = self.skip_empty(next);
                self.b(id).next = next;
            }
            id = next;
        }
        for id in self.order() {
            for i in 0..self.blocks[id as usize].instrs.len() {
                let t = self.blocks[id as usize].instrs[i].target;
                if t != NO_BLOCK {
                    let t = self.skip_empty(t);
                    self.b(id).instrs[i].target = t;
                }
            }
        }
    }

    /// Removes `NOP`s that tracing can't miss.
    pub fn clean(&mut self, id: BlockId) {
        let mut follower = self.blocks[id as usize].next;
        while follower != NO_BLOCK && self.blocks[follower as usize].instrs.is_empty() {
            follower = self.blocks[follower as usize].next;
        }
        let next_line =
            if follower == NO_BLOCK { None } else { Some(self.blocks[follower as usize].instrs[0].loc.line) };
        let b = self.b(id);
        if !b.instrs.iter().any(|i| i.op == NOP) {
            return;
        }
        let mut dest = 0;
        let mut prev_line = -1;
        for src in 0..b.instrs.len() {
            let i = b.instrs[src];
            let line = i.loc.line;
            if i.op == NOP {
                if line < 0 || prev_line == line {
                    continue;
                }
                if src + 1 < b.instrs.len() {
                    let next = b.instrs[src + 1].loc.line;
                    if next < 0 {
                        b.instrs[src + 1].loc = i.loc;
                        continue;
                    }
                    if next == line {
                        continue;
                    }
                } else if next_line == Some(line) {
                    continue;
                }
            }
            b.instrs[dest] = i;
            dest += 1;
            prev_line = line;
        }
        b.instrs.truncate(dest);
    }

    fn optimize_block(&mut self, id: BlockId, consts: &mut crate::codegen::ConstTable) {
        let mut i = 0;
        // Each round looks at one instruction; threading a jump looks at it again.
        while i < self.blocks[id as usize].instrs.len() {
            let inst = self.blocks[id as usize].instrs[i];
            let mut target = Instr { op: NOP, ..inst };
            if inst.has_target() {
                let t = self.skip_empty(inst.target);
                self.b(id).instrs[i].target = t;
                if let Some(&first) = self.blocks[t as usize].instrs.first() {
                    target = first;
                }
            }
            let inst = self.blocks[id as usize].instrs[i];
            let b = &mut self.blocks[id as usize];
            let nextop = b.instrs.get(i + 1).map_or(0, |n| n.op);
            match inst.op {
                LOAD_CONST => peep_const(b, i, nextop, consts),
                o if o == opcode::BUILD_TUPLE as u16 => {
                    let n = inst.arg as usize;
                    if nextop == opcode::UNPACK_SEQUENCE as u16
                        && b.instrs[i + 1].arg == inst.arg
                        && (1..=3).contains(&n)
                    {
                        b.instrs[i].op = NOP;
                        b.instrs[i + 1].op = if n == 1 { NOP } else { SWAP };
                    } else if i >= n {
                        fold_tuple(b, i, n, consts);
                    }
                }
                JUMP_IF_FALSE_OR_POP | JUMP_IF_TRUE_OR_POP => {
                    let on_false = inst.op == JUMP_IF_FALSE_OR_POP;
                    let (same_pop, same, other_pop, other) = if on_false {
                        (
                            op::POP_JUMP_IF_FALSE,
                            JUMP_IF_FALSE_OR_POP,
                            op::POP_JUMP_IF_TRUE,
                            JUMP_IF_TRUE_OR_POP,
                        )
                    } else {
                        (
                            op::POP_JUMP_IF_TRUE,
                            JUMP_IF_TRUE_OR_POP,
                            op::POP_JUMP_IF_FALSE,
                            JUMP_IF_FALSE_OR_POP,
                        )
                    };
                    if target.op == same_pop {
                        if thread(&mut b.instrs[i], &target, same_pop) {
                            continue;
                        }
                    } else if target.op == op::JUMP || target.op == same {
                        if thread(&mut b.instrs[i], &target, same) {
                            continue;
                        }
                    } else if (target.op == other || target.op == other_pop)
                        && inst.loc.line == target.loc.line
                    {
                        // The other test fails there for sure: jump behind it.
                        let behind = self.blocks[inst.target as usize].next;
                        let inst = &mut self.b(id).instrs[i];
                        inst.op = same_pop;
                        inst.target = behind;
                        continue;
                    }
                }
                op::JUMP | op::POP_JUMP_IF_FALSE..=op::POP_JUMP_IF_NOT_NONE
                    if target.op == op::JUMP && thread(&mut b.instrs[i], &target, inst.op) =>
                {
                    continue;
                }
                SWAP => {
                    if inst.arg == 1 {
                        b.instrs[i].op = NOP;
                    } else {
                        optimize_swaps(b, &mut i);
                        apply_swaps(b, i);
                    }
                }
                o if o == opcode::PUSH_NULL as u16
                    && nextop == opcode::LOAD_GLOBAL as u16
                    && b.instrs[i + 1].arg & 1 == 0 =>
                {
                    b.instrs[i].op = NOP;
                    b.instrs[i + 1].arg |= 1;
                }
                _ => {}
            }
            i += 1;
        }
    }

    fn is_exit_without_line(&self, id: BlockId) -> bool {
        let b = &self.blocks[id as usize];
        b.exit && b.instrs.iter().all(|i| i.loc.line < 0)
    }

    /// Jumps to exits without a line get their own copies, which can then take the line of the jump.
    pub fn duplicate_exits(&mut self, firstlineno: i32) {
        for id in (0..self.blocks.len()).rev() {
            let Some(&last) = self.blocks[id].instrs.last() else { continue };
            if !last.is_jump() {
                continue;
            }
            let target = last.target;
            if self.is_exit_without_line(target) && self.blocks[target as usize].preds > 1 {
                let mut copy = self.blocks[target as usize].clone();
                if let Some(first) = copy.instrs.first_mut() {
                    first.loc = last.loc;
                }
                copy.preds = 1;
                let new = self.blocks.len() as BlockId;
                self.blocks.push(copy);
                self.b(target).preds -= 1;
                self.b(target).next = new;
                if let Some(l) = self.blocks[id].instrs.last_mut() {
                    l.target = new;
                }
            }
        }
        if self.is_exit_without_line(0)
            && let Some(first) = self.blocks[0].instrs.first_mut()
        {
            first.loc.line = firstlineno;
        }
    }

    /// Artificial instructions take the position of what is executed before them, where that is certain.
    pub fn propagate_lines(&mut self) {
        for id in self.order() {
            if self.blocks[id as usize].instrs.is_empty() {
                continue;
            }
            let mut prev = Location::NONE;
            for i in &mut self.b(id).instrs {
                if i.loc.line < 0 {
                    i.loc = prev;
                } else {
                    prev = i.loc;
                }
            }
            let b = &self.blocks[id as usize];
            let (next, falls, last) = (b.next, !b.nofallthrough, b.instrs[b.instrs.len() - 1]);
            let give = |g: &mut Graph, t: BlockId| {
                let b = g.b(t);
                if b.preds == 1
                    && let Some(first) = b.instrs.first_mut()
                    && first.loc.line < 0
                {
                    first.loc = prev;
                }
            };
            if falls && next != NO_BLOCK {
                give(self, next);
            }
            if last.is_jump() {
                give(self, last.target);
            }
        }
    }

    pub fn lines_for_exits(&mut self, firstlineno: i32) {
        let mut line = firstlineno;
        for id in self.order() {
            let b = self.b(id);
            let Some(&last) = b.instrs.last() else { continue };
            if last.loc.line >= 0 {
                line = last.loc.line;
            } else if last.op == RETURN_VALUE {
                for i in &mut b.instrs {
                    i.loc.line = line;
                }
            }
        }
    }

    /// Computes the stack depth at each block; returns the greatest depth anywhere.
    pub fn stack_depth(&mut self, start: i32) -> i32 {
        for b in &mut self.blocks {
            b.startdepth = i32::MIN;
        }
        let mut max = 0;
        let mut stack = vec![];
        let push = |g: &mut Graph, stack: &mut Vec<BlockId>, id: BlockId, depth: i32| {
            let b = g.b(id);
            if b.startdepth < depth {
                b.startdepth = depth;
                stack.push(id);
            }
        };
        push(self, &mut stack, 0, start);
        while let Some(id) = stack.pop() {
            let mut depth = self.blocks[id as usize].startdepth;
            let mut next = self.blocks[id as usize].next;
            for k in 0..self.blocks[id as usize].instrs.len() {
                let i = self.blocks[id as usize].instrs[k];
                let after = depth + i.effect(false);
                max = max.max(after);
                if i.has_target() {
                    let there = depth + i.effect(true);
                    max = max.max(there);
                    push(self, &mut stack, i.target, there);
                }
                depth = after;
                if i.is_unconditional() || i.is_exit() {
                    next = NO_BLOCK;
                    break;
                }
            }
            if next != NO_BLOCK {
                push(self, &mut stack, next, depth);
            }
        }
        max
    }

    /// Notes for each instruction which handler guards it, then removes the pseudo instructions that said so.
    pub fn label_handlers(&mut self) {
        for b in &mut self.blocks {
            b.visited = false;
        }
        let mut todo: Vec<(BlockId, Vec<BlockId>)> = vec![(0, vec![])];
        self.blocks[0].visited = true;
        while let Some((id, mut handlers)) = todo.pop() {
            let visit = |g: &mut Graph, todo: &mut Vec<_>, t: BlockId, handlers: &Vec<BlockId>| {
                let b = g.b(t);
                if !b.visited {
                    b.visited = true;
                    todo.push((t, handlers.clone()));
                }
            };
            for k in 0..self.blocks[id as usize].instrs.len() {
                let handler = handlers.last().copied().unwrap_or(NO_BLOCK);
                let i = &mut self.b(id).instrs[k];
                // What becomes a NOP here is not guarded, should it stay.
                let pseudo = i.is_block_push() || i.op == op::POP_BLOCK;
                i.except = if pseudo { NO_BLOCK } else { handler };
                let i = *i;
                if i.is_block_push() {
                    visit(self, &mut todo, i.target, &handlers);
                    if i.op != op::SETUP_FINALLY {
                        self.b(i.target).preserve_lasti = true;
                    }
                    handlers.push(i.target);
                } else if i.op == op::POP_BLOCK {
                    handlers.pop();
                } else if i.is_jump() {
                    visit(self, &mut todo, i.target, &handlers);
                }
            }
            let b = &self.blocks[id as usize];
            if !b.nofallthrough && b.next != NO_BLOCK {
                let next = b.next;
                visit(self, &mut todo, next, &handlers);
            }
        }
        for id in self.order() {
            for i in &mut self.b(id).instrs {
                if i.is_block_push() || i.op == op::POP_BLOCK {
                    i.op = NOP;
                    i.target = NO_BLOCK;
                }
            }
        }
        for id in self.order() {
            self.clean(id);
        }
    }

    /// Gives jumps their direction.
    pub fn direct_jumps(&mut self) {
        for b in &mut self.blocks {
            b.visited = false;
        }
        for id in self.order() {
            self.b(id).visited = true;
            let Some(&last) = self.blocks[id as usize].instrs.last() else { continue };
            if !last.is_jump() {
                continue;
            }
            let forward = !self.blocks[last.target as usize].visited;
            let pick = |f: u8, b: u8| if forward { f as u16 } else { b as u16 };
            let op = match last.op {
                op::JUMP => pick(opcode::JUMP_FORWARD, opcode::JUMP_BACKWARD),
                op::JUMP_NO_INTERRUPT => pick(opcode::JUMP_FORWARD, opcode::JUMP_BACKWARD_NO_INTERRUPT),
                op::POP_JUMP_IF_FALSE => {
                    pick(opcode::POP_JUMP_FORWARD_IF_FALSE, opcode::POP_JUMP_BACKWARD_IF_FALSE)
                }
                op::POP_JUMP_IF_TRUE => {
                    pick(opcode::POP_JUMP_FORWARD_IF_TRUE, opcode::POP_JUMP_BACKWARD_IF_TRUE)
                }
                op::POP_JUMP_IF_NONE => {
                    pick(opcode::POP_JUMP_FORWARD_IF_NONE, opcode::POP_JUMP_BACKWARD_IF_NONE)
                }
                op::POP_JUMP_IF_NOT_NONE => {
                    pick(opcode::POP_JUMP_FORWARD_IF_NOT_NONE, opcode::POP_JUMP_BACKWARD_IF_NOT_NONE)
                }
                o => o,
            };
            if let Some(l) = self.b(id).instrs.last_mut() {
                l.op = op;
            }
        }
    }
}

// ---- Peephole rules inside a block ----

/// Lets a jump to a jump go to the final target.
fn thread(inst: &mut Instr, target: &Instr, op: u16) -> bool {
    if inst.loc.line == target.loc.line && inst.target != target.target {
        inst.target = target.target;
        inst.op = op;
        return true;
    }
    false
}

/// `LOAD_CONST` followed by a test is decided now.
fn peep_const(b: &mut Block, i: usize, nextop: u16, consts: &crate::codegen::ConstTable) {
    let value = &consts.list[b.instrs[i].arg as usize];
    match nextop {
        op::POP_JUMP_IF_FALSE | op::POP_JUMP_IF_TRUE => {
            let truth = crate::values::truth(value);
            b.instrs[i].op = NOP;
            let next = &mut b.instrs[i + 1];
            if truth == (nextop == op::POP_JUMP_IF_TRUE) {
                next.op = op::JUMP;
                b.nofallthrough = true;
            } else {
                next.op = NOP;
                next.target = NO_BLOCK;
            }
        }
        JUMP_IF_FALSE_OR_POP | JUMP_IF_TRUE_OR_POP => {
            let truth = crate::values::truth(value);
            if truth == (nextop == JUMP_IF_TRUE_OR_POP) {
                b.instrs[i + 1].op = op::JUMP;
                b.nofallthrough = true;
            } else {
                b.instrs[i].op = NOP;
                b.instrs[i + 1].op = NOP;
                b.instrs[i + 1].target = NO_BLOCK;
            }
        }
        o if o == opcode::IS_OP as u16 && matches!(value, Const::None) => {
            let Some(jump) = b.instrs.get(i + 2).map(|j| j.op) else { return };
            if !matches!(jump, op::POP_JUMP_IF_FALSE | op::POP_JUMP_IF_TRUE) {
                return;
            }
            let negated = b.instrs[i + 1].arg == 1;
            b.instrs[i].op = NOP;
            b.instrs[i + 1].op = NOP;
            b.instrs[i + 2].op = if negated != (jump == op::POP_JUMP_IF_FALSE) {
                op::POP_JUMP_IF_NOT_NONE
            } else {
                op::POP_JUMP_IF_NONE
            };
        }
        _ => {}
    }
}

/// A tuple of constants becomes a constant.
fn fold_tuple(b: &mut Block, i: usize, n: usize, consts: &mut crate::codegen::ConstTable) {
    if !b.instrs[i - n..i].iter().all(|x| x.op == LOAD_CONST) {
        return;
    }
    let items = b.instrs[i - n..i].iter().map(|x| consts.list[x.arg as usize].clone()).collect();
    for x in &mut b.instrs[i - n..i] {
        x.op = NOP;
    }
    b.instrs[i].op = LOAD_CONST;
    b.instrs[i].arg = consts.add(Const::Tuple(items));
}

/// Replaces a run of `SWAP`s by the shortest one with the same effect; `i` moves to its last instruction.
fn optimize_swaps(b: &mut Block, i: &mut usize) {
    let run = &mut b.instrs[*i..];
    let mut depth = run[0].arg as usize;
    let mut len = 1;
    let mut more = false;
    while len < run.len() {
        if run[len].op == SWAP {
            depth = depth.max(run[len].arg as usize);
            more = true;
        } else if run[len].op != NOP {
            break;
        }
        len += 1;
    }
    if !more {
        return;
    }
    const VISITED: usize = usize::MAX;
    let mut stack: Vec<usize> = (0..depth).collect();
    for x in &run[..len] {
        if x.op == SWAP {
            stack.swap(0, x.arg as usize - 1);
        }
    }
    // Each cycle of the permutation is walked from the back of the run; the top (0) takes part in all of them.
    let mut current = len;
    for i in 0..depth {
        if stack[i] == VISITED || stack[i] == i {
            continue;
        }
        let mut j = i;
        loop {
            if j != 0 {
                current -= 1;
                run[current].op = SWAP;
                run[current].arg = j as u32 + 1;
            }
            if stack[j] == VISITED {
                break;
            }
            j = std::mem::replace(&mut stack[j], VISITED);
        }
    }
    for x in &mut run[..current] {
        x.op = NOP;
        x.arg = 0;
    }
    *i += len - 1;
}

fn swappable(o: u16) -> bool {
    o == opcode::STORE_FAST as u16 || o == opcode::POP_TOP as u16
}

fn next_swappable(b: &Block, mut i: usize, line: i32) -> Option<usize> {
    loop {
        i += 1;
        let x = b.instrs.get(i)?;
        if line >= 0 && x.loc.line != line {
            return None;
        }
        if x.op == NOP {
            continue;
        }
        return swappable(x.op).then_some(i);
    }
}

/// `SWAP; STORE_FAST a; STORE_FAST b` is `STORE_FAST b; STORE_FAST a`.
fn apply_swaps(b: &mut Block, from: usize) {
    for i in (0..=from).rev() {
        let x = b.instrs[i];
        if x.op != SWAP {
            if x.op == NOP || swappable(x.op) {
                continue;
            }
            return;
        }
        let Some(j) = next_swappable(b, i, -1) else { return };
        let line = b.instrs[j].loc.line;
        let mut k = j;
        for _ in 1..x.arg {
            match next_swappable(b, k, line) {
                Some(n) => k = n,
                None => return,
            }
        }
        b.instrs[i].op = NOP;
        b.instrs.swap(j, k);
    }
}
