//! Code generation: a walk over the tree that fills basic blocks, one control-flow graph per code object.
//!
//! The output is meant to be CPython 3.11's, instruction for instruction and position for position; so the order in which blocks
//! are made and constants are added matters. `loc` of the current unit is the position that emitted instructions get; like in CPython,
//! statements set it, expressions set it and put it back, and [`Location::NONE`] marks artificial code.
//!
//! - here: units (code objects being made), emitting, names and scopes
//! - [`stmt`]: statements; [`block`]: loops, `with`, `try` and how jumps leave them; [`expr`]: expressions and calls;
//!   [`define`]: functions, classes, comprehensions; [`pattern`]: `match`
//! - [`crate::flow`] holds the graph and improves it; [`crate::assemble`] turns it into a [`CodeUnit`].

mod block;
mod define;
mod expr;
mod pattern;
mod stmt;

use crate::ast::*;
use crate::error::Located;
use crate::flow::{self, BlockId, Graph, op as pseudo};
use crate::symtable::{BlockType, ScopeKind, SymbolTable, mangle};
use crate::warnings::{self, Category, Sink};
use lh_bytecode::flags::*;
use lh_bytecode::opcode as op;
use lh_bytecode::{CodeUnit, Const};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

pub type Result<T> = std::result::Result<T, Box<Located>>;

/// What the driver decides.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    pub filename: String,
    pub optimize: u8,
    /// `CO_FUTURE_*` bits.
    pub future: u32,
    /// Line of the last `from __future__ import`.
    pub future_line: i32,
    pub interactive: bool,
    pub top_level_await: bool,
    pub warnings: Option<&'a Sink>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ScopeType {
    Module,
    Class,
    Function,
    AsyncFunction,
    Lambda,
    Comprehension,
}

/// Interns values in order of first use.
#[derive(Default, Debug)]
pub struct NameTable {
    pub list: Vec<Name>,
    map: FxHashMap<Name, u32>,
}

impl NameTable {
    fn from_list(list: Vec<Name>) -> NameTable {
        let map = list.iter().enumerate().map(|(i, n)| (n.clone(), i as u32)).collect();
        NameTable { list, map }
    }

    pub fn index(&self, name: &str) -> Option<u32> {
        self.map.get(name).copied()
    }

    fn add(&mut self, name: &Name) -> u32 {
        if let Some(&i) = self.map.get(name) {
            return i;
        }
        let i = self.list.len() as u32;
        self.map.insert(name.clone(), i);
        self.list.push(name.clone());
        i
    }
}

/// Constants in order of first use. Looked up by hash; a collision falls back to a search.
#[derive(Default, Debug)]
pub struct ConstTable {
    pub list: Vec<Const>,
    map: FxHashMap<u64, u32>,
}

impl ConstTable {
    pub fn add(&mut self, value: Const) -> u32 {
        let mut h = FxHasher::default();
        value.hash(&mut h);
        let h = h.finish();
        // No NaN equals another, so each is a constant of its own.
        let nan = matches!(value, Const::Float(f) if f.is_nan());
        if !nan && let Some(&i) = self.map.get(&h) {
            if self.list[i as usize] == value {
                return i;
            }
            if let Some(i) = self.list.iter().position(|c| *c == value) {
                return i as u32;
            }
        }
        let i = self.list.len() as u32;
        self.map.entry(h).or_insert(i);
        self.list.push(value);
        i
    }
}

/// A syntactic block that jumps out of it must unwind.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum FrameKind {
    While,
    For,
    TryExcept,
    FinallyTry,
    FinallyEnd,
    With,
    AsyncWith,
    HandlerCleanup,
    PopValue,
    ExceptionHandler,
    ExceptionGroupHandler,
    AsyncComprehension,
}

#[derive(Copy, Clone)]
enum Datum<'a> {
    None,
    /// The `finally` body.
    Body(&'a [Stmt]),
    /// Position of the `with` statement.
    At(Location),
    /// `as` name of a handler.
    Name(&'a Name),
}

#[derive(Copy, Clone)]
struct Frame<'a> {
    kind: FrameKind,
    /// Where `continue` goes.
    block: BlockId,
    /// Where `break` goes.
    exit: BlockId,
    datum: Datum<'a>,
}

/// A code object being made.
pub struct Unit<'a> {
    pub scope: ScopeType,
    /// Index of the symbol table block.
    pub table: usize,
    pub name: Name,
    pub qualname: String,
    private: Option<Name>,
    pub argcount: u32,
    pub posonlyargcount: u32,
    pub kwonlyargcount: u32,
    pub firstlineno: i32,
    loc: Location,
    pub consts: ConstTable,
    pub names: NameTable,
    pub varnames: NameTable,
    pub cellvars: NameTable,
    pub freevars: NameTable,
    frames: Vec<Frame<'a>>,
    pub graph: Graph,
}

pub struct Compiler<'a> {
    table: &'a SymbolTable,
    opts: &'a Options<'a>,
    units: Vec<Unit<'a>>,
    /// Depth of code objects: `single` mode prints only at the top.
    nest: u32,
}

/// Compiles a folded tree.
pub fn compile<'a>(m: &'a Mod, table: &'a SymbolTable, opts: &'a Options<'a>) -> Result<CodeUnit> {
    let mut c = Compiler { table, opts, units: vec![], nest: 0 };
    c.enter_block("<module>".into(), ScopeType::Module, 0, 1);
    let mut add_none = true;
    match m {
        Mod::Module { body, .. } => c.body(body)?,
        Mod::Interactive { body } => {
            if stmt::has_annotations(body) {
                c.emit(op::SETUP_ANNOTATIONS);
            }
            c.stmts(body)?;
        }
        Mod::Expression { body } => {
            c.expr(body)?;
            add_none = false;
        }
    }
    c.assemble(add_none)
}

impl<'a> Compiler<'a> {
    #[inline]
    fn u(&mut self) -> &mut Unit<'a> {
        let last = self.units.len() - 1;
        &mut self.units[last]
    }

    #[inline]
    fn unit(&self) -> &Unit<'a> {
        &self.units[self.units.len() - 1]
    }

    fn error<T>(&self, msg: impl Into<String>) -> Result<T> {
        Err(Located::new(msg, self.unit().loc))
    }

    fn warn(&self, msg: Option<impl Into<String>>) {
        if let Some(m) = msg {
            warnings::warn(self.opts.warnings, Category::Syntax, m, self.unit().loc);
        }
    }

    // ---- Units ----

    /// Enters the scope that `node` opens.
    fn enter<T>(&mut self, name: Name, scope: ScopeType, node: &T, firstlineno: i32) -> Result<()> {
        match self.table.block_of(node) {
            Some(table) => {
                self.enter_block(name, scope, table, firstlineno);
                Ok(())
            }
            None => self.error("internal compiler error: scope without symbol table"),
        }
    }

    fn enter_block(&mut self, name: Name, scope: ScopeType, table: usize, firstlineno: i32) {
        let block = &self.table.blocks[table];
        let cellvars = if block.needs_class_closure {
            vec!["__class__".into()]
        } else {
            block.sorted(ScopeKind::Cell, 0)
        };
        let freevars = block.sorted(ScopeKind::Free, crate::symtable::DEF_FREE_CLASS);
        let mut unit = Unit {
            scope,
            table,
            qualname: name.to_string(),
            name,
            private: self.units.last().and_then(|u| u.private.clone()),
            argcount: 0,
            posonlyargcount: 0,
            kwonlyargcount: 0,
            firstlineno,
            loc: Location { line: firstlineno, end_line: firstlineno, col: 0, end_col: 0 },
            consts: ConstTable::default(),
            names: NameTable::default(),
            varnames: NameTable::from_list(block.varnames.clone()),
            cellvars: NameTable::from_list(cellvars),
            freevars: NameTable::from_list(freevars),
            frames: vec![],
            graph: Graph::new(),
        };
        if scope == ScopeType::Module {
            // The module starts "before line 1".
            unit.loc.line = 0;
        } else {
            unit.qualname = self.qualname(&unit);
        }
        self.nest += 1;
        self.units.push(unit);
        self.emit_arg(op::RESUME, RESUME_FUNC_START);
        if scope == ScopeType::Module {
            self.u().loc.line = -1;
        }
    }

    fn qualname(&self, unit: &Unit) -> String {
        let name = &unit.name;
        if self.units.len() <= 1 {
            return name.to_string();
        }
        let parent = self.unit();
        if matches!(unit.scope, ScopeType::Function | ScopeType::AsyncFunction | ScopeType::Class) {
            let mangled = mangle(parent.private.as_ref(), name);
            if self.table.blocks[parent.table].scope(&mangled) == ScopeKind::GlobalExplicit {
                return name.to_string();
            }
        }
        match parent.scope {
            ScopeType::Function | ScopeType::AsyncFunction | ScopeType::Lambda => {
                format!("{}.<locals>.{name}", parent.qualname)
            }
            _ => format!("{}.{name}", parent.qualname),
        }
    }

    /// Finishes the current unit and leaves it.
    fn assemble(&mut self, add_none: bool) -> Result<CodeUnit> {
        let u = self.u();
        if !u.graph.returns() {
            u.loc = Location::NONE;
            if add_none {
                self.load_const(Const::None);
            }
            self.emit(op::RETURN_VALUE);
        }
        let Some(unit) = self.units.pop() else { return self.error("internal compiler error: no unit") };
        self.nest -= 1;
        let flags = self.code_flags(&unit);
        let block = &self.table.blocks[unit.table];
        let starts_with_value = block.generator || block.coroutine;
        crate::assemble::assemble(unit, flags, starts_with_value, &self.opts.filename)
            .map_err(|msg| Located::new(msg, Location::NONE))
    }

    fn code_flags(&self, unit: &Unit) -> u32 {
        let b = &self.table.blocks[unit.table];
        let mut flags = self.opts.future & PYCF_MASK;
        if b.kind == BlockType::Function {
            flags |= CO_NEWLOCALS | CO_OPTIMIZED;
            if b.nested {
                flags |= CO_NESTED;
            }
            flags |= match (b.generator, b.coroutine) {
                (true, true) => CO_ASYNC_GENERATOR,
                (true, false) => CO_GENERATOR,
                (false, true) => CO_COROUTINE,
                (false, false) => 0,
            };
            if b.varargs {
                flags |= CO_VARARGS;
            }
            if b.varkeywords {
                flags |= CO_VARKEYWORDS;
            }
        }
        if self.opts.top_level_await && b.coroutine && !b.generator {
            flags |= CO_COROUTINE;
        }
        flags
    }

    fn future_annotations(&self) -> bool {
        self.opts.future & CO_FUTURE_ANNOTATIONS != 0
    }

    fn block_type(&self) -> BlockType {
        self.table.blocks[self.unit().table].kind
    }

    /// Whether a top-level `await` is allowed here.
    fn is_top_level_await(&self) -> bool {
        self.opts.top_level_await && self.block_type() == BlockType::Module
    }

    // ---- Emitting ----

    #[inline]
    fn emit(&mut self, op: u8) {
        self.emit_arg(op, 0);
    }

    #[inline]
    fn emit_arg(&mut self, op: u8, arg: u32) {
        let u = self.u();
        let loc = u.loc;
        u.graph.emit(op as u16, arg, loc);
    }

    fn emit_pop_block(&mut self) {
        let u = self.u();
        let loc = u.loc;
        u.graph.emit(pseudo::POP_BLOCK, 0, loc);
    }

    fn emit_jump(&mut self, op: u16, target: BlockId) {
        let u = self.u();
        let loc = u.loc;
        u.graph.emit_jump(op, target, loc);
    }

    /// A jump that belongs to no line.
    fn emit_jump_noline(&mut self, op: u16, target: BlockId) {
        self.u().graph.emit_jump(op, target, Location::NONE);
    }

    fn new_block(&mut self) -> BlockId {
        self.u().graph.new_block()
    }

    fn use_block(&mut self, b: BlockId) {
        self.u().graph.use_next(b);
    }

    fn set_loc(&mut self, loc: Location) {
        self.u().loc = loc;
    }

    fn unset_loc(&mut self) {
        self.u().loc.line = -1;
        self.u().loc = Location::NONE;
    }

    fn add_const(&mut self, value: Const) -> u32 {
        self.u().consts.add(value)
    }

    fn load_const(&mut self, value: Const) {
        let i = self.add_const(value);
        self.emit_arg(op::LOAD_CONST, i);
    }

    fn load_name_const(&mut self, name: &str) {
        self.load_const(Const::str(name));
    }

    fn mangled(&self, name: &Name) -> Name {
        mangle(self.unit().private.as_ref(), name)
    }

    /// An instruction whose argument is a (mangled) entry of `co_names`.
    fn emit_name(&mut self, op: u8, name: &Name) {
        let mangled = self.mangled(name);
        let i = self.u().names.add(&mangled);
        self.emit_arg(op, i);
    }

    fn forbidden(&self, name: &str, ctx: Context) -> Result<()> {
        if name == "__debug__" {
            match ctx {
                Context::Store => return self.error("cannot assign to __debug__"),
                Context::Del => return self.error("cannot delete __debug__"),
                Context::Load => {}
            }
        }
        Ok(())
    }

    /// Loads, stores or deletes a variable.
    fn nameop(&mut self, name: &Name, ctx: Context) -> Result<()> {
        self.forbidden(name, ctx)?;
        let name = self.mangled(name);
        let kind = self.block_type();
        let scope = self.table.blocks[self.unit().table].scope(&name);
        let pick = |ops: [u8; 3]| match ctx {
            Context::Load => ops[0],
            Context::Store => ops[1],
            Context::Del => ops[2],
        };
        match scope {
            ScopeKind::Free | ScopeKind::Cell => {
                let load = if kind == BlockType::Class { op::LOAD_CLASSDEREF } else { op::LOAD_DEREF };
                let i = self.deref_index(&name, scope == ScopeKind::Cell)?;
                self.emit_arg(pick([load, op::STORE_DEREF, op::DELETE_DEREF]), i);
            }
            ScopeKind::Local if kind == BlockType::Function => {
                let i = self.u().varnames.add(&name);
                self.emit_arg(pick([op::LOAD_FAST, op::STORE_FAST, op::DELETE_FAST]), i);
            }
            ScopeKind::GlobalImplicit if kind == BlockType::Function => self.global(&name, ctx),
            ScopeKind::GlobalExplicit => self.global(&name, ctx),
            _ => {
                let i = self.u().names.add(&name);
                self.emit_arg(pick([op::LOAD_NAME, op::STORE_NAME, op::DELETE_NAME]), i);
            }
        }
        Ok(())
    }

    fn global(&mut self, name: &Name, ctx: Context) {
        let i = self.u().names.add(name);
        match ctx {
            // The low bit asks for a NULL below the value (set by the flow graph's PUSH_NULL rule).
            Context::Load => self.emit_arg(op::LOAD_GLOBAL, i << 1),
            Context::Store => self.emit_arg(op::STORE_GLOBAL, i),
            Context::Del => self.emit_arg(op::DELETE_GLOBAL, i),
        }
    }

    /// Number of a cell or free variable: cells first, then free variables.
    fn deref_index(&self, name: &str, cell: bool) -> Result<u32> {
        let u = self.unit();
        let found = if cell {
            u.cellvars.index(name)
        } else {
            u.freevars.index(name).map(|i| i + u.cellvars.list.len() as u32)
        };
        match found {
            Some(i) => Ok(i),
            None => self.error(format!("internal compiler error: no cell for '{name}'")),
        }
    }

    /// `yield from`, `await`: the value to send to lies on the stack, with `None` on top.
    fn yield_from(&mut self, is_await: bool) {
        let start = self.new_block();
        let resume = self.new_block();
        let exit = self.new_block();
        self.use_block(start);
        self.emit_jump(op::SEND as u16, exit);
        self.use_block(resume);
        self.emit(op::YIELD_VALUE);
        self.emit_arg(op::RESUME, if is_await { RESUME_AFTER_AWAIT } else { RESUME_AFTER_YIELD_FROM });
        self.emit_jump(flow::op::JUMP_NO_INTERRUPT, start);
        self.use_block(exit);
    }

    /// Awaits what lies on the stack.
    fn await_top(&mut self, why: u32) {
        self.emit_arg(op::GET_AWAITABLE, why);
        self.load_const(Const::None);
        self.yield_from(true);
    }
}
