//! Symbol tables: which scope each name of each block belongs to.
//!
//! Two passes. [`build`] walks the tree and notes how each block uses its names (`DEF_*`, `USE`). The analysis then goes through
//! the nested blocks and decides: local, cell, free, or global. Blocks are found again by the address of their tree node, so
//! the tree must not move between this and code generation.
//!
//! `_symtable` shows these tables to Python; so flags and scopes have CPython's numbers, and symbols keep the order of first use.

use crate::ast::*;
use crate::error::Located;
use rustc_hash::{FxHashMap, FxHashSet};

// ---- Flags of a symbol, as in CPython ----

pub const DEF_GLOBAL: u32 = 1;
pub const DEF_LOCAL: u32 = 2;
pub const DEF_PARAM: u32 = 4;
pub const DEF_NONLOCAL: u32 = 8;
pub const USE: u32 = 16;
pub const DEF_FREE: u32 = 32;
pub const DEF_FREE_CLASS: u32 = 64;
pub const DEF_IMPORT: u32 = 128;
pub const DEF_ANNOT: u32 = 256;
pub const DEF_COMP_ITER: u32 = 512;
pub const DEF_BOUND: u32 = DEF_LOCAL | DEF_PARAM | DEF_IMPORT;
/// A symbol's word as `_symtable` shows it: flags, and the scope from this bit on.
pub const SCOPE_OFFSET: u32 = 11;

/// Where a name lives.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ScopeKind {
    Unknown = 0,
    Local = 1,
    GlobalExplicit = 2,
    GlobalImplicit = 3,
    Free = 4,
    Cell = 5,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum BlockType {
    Function = 0,
    Class = 1,
    Module = 2,
    /// An annotation under `from __future__ import annotations`: its names are not used at all.
    Annotation = 3,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum CompKind {
    None,
    List,
    Dict,
    Set,
    Generator,
}

#[derive(Clone, Debug)]
pub struct Symbol {
    pub name: Name,
    pub flags: u32,
    pub scope: ScopeKind,
}

/// One block.
#[derive(Clone, Debug)]
pub struct Block {
    pub name: Name,
    pub kind: BlockType,
    pub symbols: Vec<Symbol>,
    index: FxHashMap<Name, usize>,
    /// Parameters in `co_varnames` order.
    pub varnames: Vec<Name>,
    pub children: Vec<usize>,
    directives: Vec<(Name, Location)>,
    pub nested: bool,
    pub has_free: bool,
    pub child_free: bool,
    pub generator: bool,
    pub coroutine: bool,
    pub comprehension: CompKind,
    pub varargs: bool,
    pub varkeywords: bool,
    pub returns_value: bool,
    pub needs_class_closure: bool,
    comp_iter_target: bool,
    comp_iter_expr: u32,
    pub loc: Location,
}

impl Block {
    fn new(name: Name, kind: BlockType, loc: Location) -> Block {
        Block {
            name,
            kind,
            symbols: vec![],
            index: FxHashMap::default(),
            varnames: vec![],
            children: vec![],
            directives: vec![],
            nested: false,
            has_free: false,
            child_free: false,
            generator: false,
            coroutine: false,
            comprehension: CompKind::None,
            varargs: false,
            varkeywords: false,
            returns_value: false,
            needs_class_closure: false,
            comp_iter_target: false,
            comp_iter_expr: 0,
            loc,
        }
    }

    pub fn get(&self, name: &str) -> Option<&Symbol> {
        self.index.get(name).map(|&i| &self.symbols[i])
    }

    fn flags(&self, name: &str) -> u32 {
        self.get(name).map_or(0, |s| s.flags)
    }

    pub fn scope(&self, name: &str) -> ScopeKind {
        self.get(name).map_or(ScopeKind::Unknown, |s| s.scope)
    }

    fn insert(&mut self, name: Name, flags: u32, scope: ScopeKind) {
        self.index.insert(name.clone(), self.symbols.len());
        self.symbols.push(Symbol { name, flags, scope });
    }

    /// Names of a scope, or with one of the flags, sorted.
    pub fn sorted(&self, scope: ScopeKind, flag: u32) -> Vec<Name> {
        let mut v: Vec<Name> = self
            .symbols
            .iter()
            .filter(|s| s.scope == scope || s.flags & flag != 0)
            .map(|s| s.name.clone())
            .collect();
        v.sort();
        v
    }
}

/// All blocks of a module; block 0 is the module itself.
#[derive(Debug)]
pub struct SymbolTable {
    pub blocks: Vec<Block>,
    by_node: FxHashMap<usize, usize>,
}

impl SymbolTable {
    /// The block that the tree node at this address opens.
    pub fn block_of<T>(&self, node: &T) -> Option<usize> {
        self.by_node.get(&address(node)).copied()
    }
}

fn address<T>(node: &T) -> usize {
    node as *const T as usize
}

/// `__name` inside class `C` becomes `_C__name`.
pub fn mangle(class: Option<&Name>, name: &Name) -> Name {
    let Some(class) = class else { return name.clone() };
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return name.clone();
    }
    let class = class.trim_start_matches('_');
    if class.is_empty() {
        return name.clone();
    }
    format!("_{class}{name}").into()
}

type Result<T> = std::result::Result<T, Box<Located>>;

/// Builds and analyses the symbol table of a module.
pub fn build(m: &Mod, future_annotations: bool) -> Result<SymbolTable> {
    let top =
        Block::new("top".into(), BlockType::Module, Location { line: 0, end_line: 0, col: 0, end_col: 0 });
    let mut b = Builder {
        table: SymbolTable { blocks: vec![top], by_node: FxHashMap::default() },
        stack: vec![0],
        private: None,
        future_annotations,
        depth: 0,
    };
    match m {
        Mod::Module { body, .. } | Mod::Interactive { body } => b.stmts(body)?,
        Mod::Expression { body } => b.expr(body)?,
    }
    let mut table = b.table;
    let (mut free, mut global) = (Names::default(), Names::default());
    analyze(&mut table, 0, None, &mut free, &mut global)?;
    Ok(table)
}

struct Builder {
    table: SymbolTable,
    stack: Vec<usize>,
    private: Option<Name>,
    future_annotations: bool,
    depth: u32,
}

/// Deeper trees than this end in `RecursionError`, before the native stack does.
pub const MAX_DEPTH: u32 = 3000;

impl Builder {
    fn cur(&mut self) -> &mut Block {
        let i = self.stack[self.stack.len() - 1];
        &mut self.table.blocks[i]
    }

    fn enter(&mut self, name: &str, kind: BlockType, key: usize, loc: Location) {
        let mut b = Block::new(name.into(), kind, loc);
        let cur = self.cur();
        b.nested = cur.nested || cur.kind == BlockType::Function;
        b.comp_iter_expr = cur.comp_iter_expr;
        let id = self.table.blocks.len();
        if kind != BlockType::Annotation {
            self.cur().children.push(id);
            self.table.by_node.insert(key, id);
        }
        self.table.blocks.push(b);
        self.stack.push(id);
    }

    fn exit(&mut self) {
        self.stack.pop();
    }

    fn mangled(&self, name: &Name) -> Name {
        mangle(self.private.as_ref(), name)
    }

    fn add(&mut self, name: &Name, flag: u32, loc: Location) -> Result<()> {
        let block = self.stack[self.stack.len() - 1];
        self.add_to(block, name, flag, loc)
    }

    fn add_to(&mut self, block: usize, name: &Name, flag: u32, loc: Location) -> Result<()> {
        let name = self.mangled(name);
        let b = &mut self.table.blocks[block];
        let old = b.index.get(&name).copied();
        let mut flags = flag;
        if let Some(i) = old {
            let was = b.symbols[i].flags;
            if flag & DEF_PARAM != 0 && was & DEF_PARAM != 0 {
                return Err(Located::new(format!("duplicate argument '{name}' in function definition"), loc));
            }
            flags |= was;
        }
        if b.comp_iter_target {
            if flags & (DEF_GLOBAL | DEF_NONLOCAL) != 0 {
                let msg =
                    format!("comprehension inner loop cannot rebind assignment expression target '{name}'");
                return Err(Located::new(msg, loc));
            }
            flags |= DEF_COMP_ITER;
        }
        match old {
            Some(i) => b.symbols[i].flags = flags,
            None => b.insert(name.clone(), flags, ScopeKind::Unknown),
        }
        if flag & DEF_PARAM != 0 {
            b.varnames.push(name);
        } else if flag & DEF_GLOBAL != 0 {
            // A global declaration also makes the name known to the module.
            let top = &mut self.table.blocks[0];
            match top.index.get(&name).copied() {
                Some(i) => top.symbols[i].flags |= flag,
                None => top.insert(name, flag, ScopeKind::Unknown),
            }
        }
        Ok(())
    }

    fn lookup(&mut self, name: &Name) -> u32 {
        let name = self.mangled(name);
        self.cur().flags(&name)
    }

    fn directive(&mut self, name: &Name, loc: Location) {
        let name = self.mangled(name);
        self.cur().directives.push((name, loc));
    }

    // ---- Statements ----

    fn stmts(&mut self, body: &[Stmt]) -> Result<()> {
        body.iter().try_for_each(|s| self.stmt(s))
    }

    fn function(&mut self, s: &Stmt, f: &FunctionDef, coroutine: bool) -> Result<()> {
        self.add(&f.name, DEF_LOCAL, s.loc)?;
        self.exprs(&f.args.defaults)?;
        f.args.kw_defaults.iter().flatten().try_for_each(|e| self.expr(e))?;
        self.annotations(&f.args, f.returns.as_ref())?;
        self.exprs(&f.decorator_list)?;
        self.enter(&f.name, BlockType::Function, address(s), s.loc);
        self.cur().coroutine = coroutine;
        self.arguments(&f.args)?;
        self.stmts(&f.body)?;
        self.exit();
        Ok(())
    }

    fn annotations(&mut self, a: &Arguments, returns: Option<&Expr>) -> Result<()> {
        if self.future_annotations {
            self.enter("_annotation", BlockType::Annotation, 0, Location::NONE);
        }
        let ordinary = a.posonlyargs.iter().chain(&a.args);
        let all = ordinary.chain(a.vararg.as_deref()).chain(a.kwarg.as_deref()).chain(&a.kwonlyargs);
        for x in all {
            if let Some(e) = &x.annotation {
                self.expr(e)?;
            }
        }
        if self.future_annotations {
            self.exit();
        }
        returns.map_or(Ok(()), |r| self.annotation(r))
    }

    fn annotation(&mut self, e: &Expr) -> Result<()> {
        if !self.future_annotations {
            return self.expr(e);
        }
        self.enter("_annotation", BlockType::Annotation, 0, e.loc);
        self.expr(e)?;
        self.exit();
        Ok(())
    }

    fn arguments(&mut self, a: &Arguments) -> Result<()> {
        for x in a.posonlyargs.iter().chain(&a.args).chain(&a.kwonlyargs) {
            self.add(&x.arg, DEF_PARAM, x.loc)?;
        }
        if let Some(x) = &a.vararg {
            self.add(&x.arg, DEF_PARAM, x.loc)?;
            self.cur().varargs = true;
        }
        if let Some(x) = &a.kwarg {
            self.add(&x.arg, DEF_PARAM, x.loc)?;
            self.cur().varkeywords = true;
        }
        Ok(())
    }

    fn stmt(&mut self, s: &Stmt) -> Result<()> {
        self.deeper(s.loc)?;
        match &s.kind {
            StmtKind::FunctionDef(f) => self.function(s, f, false)?,
            StmtKind::AsyncFunctionDef(f) => self.function(s, f, true)?,
            StmtKind::ClassDef(c) => {
                self.add(&c.name, DEF_LOCAL, s.loc)?;
                self.exprs(&c.bases)?;
                self.keywords(&c.keywords)?;
                self.exprs(&c.decorator_list)?;
                self.enter(&c.name, BlockType::Class, address(s), s.loc);
                let outer = self.private.replace(c.name.clone());
                self.stmts(&c.body)?;
                self.private = outer;
                self.exit();
            }
            StmtKind::Return { value } => {
                if let Some(v) = value {
                    self.expr(v)?;
                    self.cur().returns_value = true;
                }
            }
            StmtKind::Delete { targets } => self.exprs(targets)?,
            StmtKind::Assign { targets, value, .. } => {
                self.exprs(targets)?;
                self.expr(value)?;
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.expr(target)?;
                self.expr(value)?;
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                if let ExprKind::Name { id, .. } = &target.kind {
                    let was = self.lookup(id);
                    if was & (DEF_GLOBAL | DEF_NONLOCAL) != 0 && self.stack.len() > 1 && *simple {
                        let what = if was & DEF_GLOBAL != 0 { "global" } else { "nonlocal" };
                        return Err(Located::new(format!("annotated name '{id}' can't be {what}"), s.loc));
                    }
                    if *simple {
                        self.add(id, DEF_ANNOT | DEF_LOCAL, target.loc)?;
                    }
                    if value.is_some() {
                        self.add(id, DEF_LOCAL, target.loc)?;
                    }
                } else {
                    self.expr(target)?;
                }
                self.annotation(annotation)?;
                self.opt(value)?;
            }
            StmtKind::For(f) | StmtKind::AsyncFor(f) => {
                self.cur().coroutine |= matches!(s.kind, StmtKind::AsyncFor(_));
                self.expr(&f.target)?;
                self.expr(&f.iter)?;
                self.stmts(&f.body)?;
                self.stmts(&f.orelse)?;
            }
            StmtKind::While { test, body, orelse } | StmtKind::If { test, body, orelse } => {
                self.expr(test)?;
                self.stmts(body)?;
                self.stmts(orelse)?;
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject)?;
                for c in cases {
                    self.pattern(&c.pattern)?;
                    self.opt(&c.guard)?;
                    self.stmts(&c.body)?;
                }
            }
            StmtKind::Raise { exc, cause } => {
                self.opt(exc)?;
                self.opt(cause)?;
            }
            StmtKind::Try(t) | StmtKind::TryStar(t) => {
                self.stmts(&t.body)?;
                self.stmts(&t.orelse)?;
                for h in &t.handlers {
                    self.opt(&h.typ)?;
                    if let Some(n) = &h.name {
                        self.add(n, DEF_LOCAL, h.loc)?;
                    }
                    self.stmts(&h.body)?;
                }
                self.stmts(&t.finalbody)?;
            }
            StmtKind::Assert { test, msg } => {
                self.expr(test)?;
                self.opt(msg)?;
            }
            StmtKind::Import { names } | StmtKind::ImportFrom { names, .. } => {
                for a in names {
                    self.alias(a)?;
                }
            }
            StmtKind::Global { names } => {
                for n in names {
                    self.declare(n, DEF_GLOBAL, "global", s.loc)?;
                }
            }
            StmtKind::Nonlocal { names } => {
                for n in names {
                    self.declare(n, DEF_NONLOCAL, "nonlocal", s.loc)?;
                }
            }
            StmtKind::Expr { value } => self.expr(value)?,
            StmtKind::With { items, body, .. } | StmtKind::AsyncWith { items, body, .. } => {
                self.cur().coroutine |= matches!(s.kind, StmtKind::AsyncWith { .. });
                for i in items {
                    self.expr(&i.context_expr)?;
                    self.opt(&i.optional_vars)?;
                }
                self.stmts(body)?;
            }
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => {}
        }
        self.depth -= 1;
        Ok(())
    }

    fn deeper(&mut self, loc: Location) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let mut e = Located::new("maximum recursion depth exceeded during compilation", loc);
            e.kind = crate::error::ErrorKind::Recursion;
            return Err(e);
        }
        Ok(())
    }

    fn declare(&mut self, name: &Name, flag: u32, what: &str, loc: Location) -> Result<()> {
        let was = self.lookup(name);
        if was & (DEF_PARAM | DEF_LOCAL | USE | DEF_ANNOT) != 0 {
            let msg = if was & DEF_PARAM != 0 {
                format!("name '{name}' is parameter and {what}")
            } else if was & USE != 0 {
                format!("name '{name}' is used prior to {what} declaration")
            } else if was & DEF_ANNOT != 0 {
                format!("annotated name '{name}' can't be {what}")
            } else {
                format!("name '{name}' is assigned to before {what} declaration")
            };
            return Err(Located::new(msg, loc));
        }
        self.add(name, flag, loc)?;
        self.directive(name, loc);
        Ok(())
    }

    fn alias(&mut self, a: &Alias) -> Result<()> {
        if &*a.name == "*" {
            if self.cur().kind != BlockType::Module {
                return Err(Located::new("import * only allowed at module level", a.loc));
            }
            return Ok(());
        }
        let name = match &a.asname {
            Some(n) => n.clone(),
            None => match a.name.split_once('.') {
                Some((first, _)) => first.into(),
                None => a.name.clone(),
            },
        };
        self.add(&name, DEF_IMPORT, a.loc)
    }

    fn pattern(&mut self, p: &Pattern) -> Result<()> {
        match &p.kind {
            PatternKind::MatchValue { value } => self.expr(value),
            PatternKind::MatchSingleton { .. } => Ok(()),
            PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => {
                patterns.iter().try_for_each(|p| self.pattern(p))
            }
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.exprs(keys)?;
                patterns.iter().try_for_each(|p| self.pattern(p))?;
                self.capture(rest, p.loc)
            }
            PatternKind::MatchClass { cls, patterns, kwd_patterns, .. } => {
                self.expr(cls)?;
                patterns.iter().chain(kwd_patterns).try_for_each(|p| self.pattern(p))
            }
            PatternKind::MatchStar { name } => self.capture(name, p.loc),
            PatternKind::MatchAs { pattern, name } => {
                if let Some(p) = pattern {
                    self.pattern(p)?;
                }
                self.capture(name, p.loc)
            }
        }
    }

    fn capture(&mut self, name: &Option<Name>, loc: Location) -> Result<()> {
        name.as_ref().map_or(Ok(()), |n| self.add(n, DEF_LOCAL, loc))
    }

    // ---- Expressions ----

    fn exprs(&mut self, es: &[Expr]) -> Result<()> {
        es.iter().try_for_each(|e| self.expr(e))
    }

    fn opt(&mut self, e: &Option<Box<Expr>>) -> Result<()> {
        e.as_ref().map_or(Ok(()), |e| self.expr(e))
    }

    fn keywords(&mut self, ks: &[Keyword]) -> Result<()> {
        ks.iter().try_for_each(|k| self.expr(&k.value))
    }

    fn not_in_annotation(&mut self, what: &str, loc: Location) -> Result<()> {
        if self.cur().kind == BlockType::Annotation {
            return Err(Located::new(format!("{what} cannot be used within an annotation"), loc));
        }
        Ok(())
    }

    fn expr(&mut self, e: &Expr) -> Result<()> {
        self.deeper(e.loc)?;
        match &e.kind {
            ExprKind::NamedExpr { target, value } => {
                self.not_in_annotation("named expression", e.loc)?;
                if self.cur().comp_iter_expr > 0 {
                    let msg = "assignment expression cannot be used in a comprehension iterable expression";
                    return Err(Located::new(msg, e.loc));
                }
                if self.cur().comprehension != CompKind::None {
                    self.extend_named(target)?;
                }
                self.expr(value)?;
                self.expr(target)?;
            }
            ExprKind::BoolOp { values, .. } | ExprKind::JoinedStr { values } => self.exprs(values)?,
            ExprKind::BinOp { left, right, .. } => {
                self.expr(left)?;
                self.expr(right)?;
            }
            ExprKind::UnaryOp { operand, .. } => self.expr(operand)?,
            ExprKind::Lambda { args, body } => {
                self.exprs(&args.defaults)?;
                args.kw_defaults.iter().flatten().try_for_each(|e| self.expr(e))?;
                self.enter("lambda", BlockType::Function, address(e), e.loc);
                self.arguments(args)?;
                self.expr(body)?;
                self.exit();
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.expr(test)?;
                self.expr(body)?;
                self.expr(orelse)?;
            }
            ExprKind::Dict { keys, values } => {
                keys.iter().flatten().try_for_each(|k| self.expr(k))?;
                self.exprs(values)?;
            }
            ExprKind::Set { elts } | ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } => {
                self.exprs(elts)?
            }
            ExprKind::ListComp { elt, generators } => {
                self.comprehension(e, "listcomp", CompKind::List, generators, elt, None)?
            }
            ExprKind::SetComp { elt, generators } => {
                self.comprehension(e, "setcomp", CompKind::Set, generators, elt, None)?
            }
            ExprKind::GeneratorExp { elt, generators } => {
                self.comprehension(e, "genexpr", CompKind::Generator, generators, elt, None)?
            }
            ExprKind::DictComp { key, value, generators } => {
                self.comprehension(e, "dictcomp", CompKind::Dict, generators, key, Some(value))?
            }
            ExprKind::Yield { value } => {
                self.not_in_annotation("yield expression", e.loc)?;
                self.opt(value)?;
                self.yields(e.loc)?;
            }
            ExprKind::YieldFrom { value } => {
                self.not_in_annotation("yield expression", e.loc)?;
                self.expr(value)?;
                self.yields(e.loc)?;
            }
            ExprKind::Await { value } => {
                self.not_in_annotation("await expression", e.loc)?;
                self.expr(value)?;
                self.cur().coroutine = true;
            }
            ExprKind::Compare { left, comparators, .. } => {
                self.expr(left)?;
                self.exprs(comparators)?;
            }
            ExprKind::Call { func, args, keywords } => {
                self.expr(func)?;
                self.exprs(args)?;
                self.keywords(keywords)?;
            }
            ExprKind::FormattedValue { value, format_spec, .. } => {
                self.expr(value)?;
                self.opt(format_spec)?;
            }
            ExprKind::Constant { .. } => {}
            ExprKind::Attribute { value, .. } | ExprKind::Starred { value, .. } => self.expr(value)?,
            ExprKind::Subscript { value, slice, .. } => {
                self.expr(value)?;
                self.expr(slice)?;
            }
            ExprKind::Slice { lower, upper, step } => {
                self.opt(lower)?;
                self.opt(upper)?;
                self.opt(step)?;
            }
            ExprKind::Name { id, ctx } => {
                let flag = if *ctx == Context::Load { USE } else { DEF_LOCAL };
                self.add(id, flag, e.loc)?;
                // `super()` looks for the class in the cell `__class__`.
                if *ctx == Context::Load && &**id == "super" && self.cur().kind == BlockType::Function {
                    self.add(&"__class__".into(), USE, e.loc)?;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn yields(&mut self, loc: Location) -> Result<()> {
        let cur = self.cur();
        cur.generator = true;
        let what = match cur.comprehension {
            CompKind::None => return Ok(()),
            CompKind::List => "list comprehension",
            CompKind::Set => "set comprehension",
            CompKind::Dict => "dict comprehension",
            CompKind::Generator => "generator expression",
        };
        Err(Located::new(format!("'yield' inside {what}"), loc))
    }

    /// `(x := ...)` inside comprehensions binds in the nearest function or module around them.
    fn extend_named(&mut self, target: &Expr) -> Result<()> {
        let ExprKind::Name { id, .. } = &target.kind else { return Ok(()) };
        let mangled = self.mangled(id);
        for i in (0..self.stack.len()).rev() {
            let block = &self.table.blocks[self.stack[i]];
            let flags = block.flags(&mangled);
            if block.comprehension != CompKind::None {
                if flags & DEF_COMP_ITER != 0 && flags & DEF_LOCAL != 0 {
                    let msg = format!(
                        "assignment expression cannot rebind comprehension iteration variable '{id}'"
                    );
                    return Err(Located::new(msg, target.loc));
                }
                continue;
            }
            match block.kind {
                BlockType::Function => {
                    let flag = if flags & DEF_GLOBAL != 0 { DEF_GLOBAL } else { DEF_NONLOCAL };
                    self.add(id, flag, target.loc)?;
                    self.directive(id, target.loc);
                    return self.add_to(self.stack[i], id, DEF_LOCAL, target.loc);
                }
                BlockType::Module => {
                    self.add(id, DEF_GLOBAL, target.loc)?;
                    self.directive(id, target.loc);
                    return self.add_to(self.stack[i], id, DEF_GLOBAL, target.loc);
                }
                BlockType::Class => {
                    let msg = "assignment expression within a comprehension cannot be used in a class body";
                    return Err(Located::new(msg, target.loc));
                }
                BlockType::Annotation => return Ok(()),
            }
        }
        Ok(())
    }

    fn comprehension(
        &mut self,
        e: &Expr,
        name: &str,
        kind: CompKind,
        generators: &[Comprehension],
        elt: &Expr,
        value: Option<&Expr>,
    ) -> Result<()> {
        let Some((first, rest)) = generators.split_first() else { return Ok(()) };
        // The outermost iterable is evaluated outside.
        self.cur().comp_iter_expr += 1;
        self.expr(&first.iter)?;
        self.cur().comp_iter_expr -= 1;
        self.enter(name, BlockType::Function, address(e), e.loc);
        self.cur().comprehension = kind;
        if first.is_async {
            self.cur().coroutine = true;
        }
        self.add(&".0".into(), DEF_PARAM, e.loc)?;
        self.cur().comp_iter_target = true;
        self.expr(&first.target)?;
        self.cur().comp_iter_target = false;
        self.exprs(&first.ifs)?;
        for g in rest {
            self.cur().comp_iter_target = true;
            self.expr(&g.target)?;
            self.cur().comp_iter_target = false;
            self.cur().comp_iter_expr += 1;
            self.expr(&g.iter)?;
            self.cur().comp_iter_expr -= 1;
            self.exprs(&g.ifs)?;
            if g.is_async {
                self.cur().coroutine = true;
            }
        }
        if let Some(v) = value {
            self.expr(v)?;
        }
        self.expr(elt)?;
        let cur = self.cur();
        cur.generator = kind == CompKind::Generator;
        let is_async = cur.coroutine && kind != CompKind::Generator;
        self.exit();
        if is_async {
            self.cur().coroutine = true;
        }
        Ok(())
    }
}

// ---- Analysis ----

type Names = FxHashSet<Name>;

/// Decides the scope of each name of a block and its children. `bound`: names of enclosing functions; `global`: names declared
/// global around; `free`: gets the names that the block needs from outside.
fn analyze(
    t: &mut SymbolTable,
    id: usize,
    mut bound: Option<&mut Names>,
    free: &mut Names,
    global: &mut Names,
) -> Result<()> {
    let kind = t.blocks[id].kind;
    let (mut local, mut newfree) = (Names::default(), Names::default());
    let (mut newglobal, mut newbound) = (Names::default(), Names::default());
    // A class's names are not visible in its functions, so what they see is fixed before the class's own names are analysed.
    if kind == BlockType::Class {
        newglobal.extend(global.iter().cloned());
        if let Some(b) = &bound {
            newbound.extend(b.iter().cloned());
        }
    }
    for i in 0..t.blocks[id].symbols.len() {
        analyze_name(&mut t.blocks[id], i, bound.as_deref_mut(), &mut local, free, global)?;
    }
    let children = std::mem::take(&mut t.blocks[id].children);
    if !children.is_empty() {
        if kind == BlockType::Class {
            newbound.insert("__class__".into());
        } else {
            if kind == BlockType::Function {
                newbound.extend(local.iter().cloned());
            }
            if let Some(b) = &bound {
                newbound.extend(b.iter().cloned());
            }
            newglobal.extend(global.iter().cloned());
        }
        for &c in &children {
            let (mut b, mut f, mut g) = (newbound.clone(), Names::default(), newglobal.clone());
            analyze(t, c, Some(&mut b), &mut f, &mut g)?;
            newfree.extend(f);
            if t.blocks[c].has_free || t.blocks[c].child_free {
                t.blocks[id].child_free = true;
            }
        }
    }
    let block = &mut t.blocks[id];
    block.children = children;
    if !newfree.is_empty() {
        match kind {
            BlockType::Function => {
                for s in &mut block.symbols {
                    if s.scope == ScopeKind::Local && newfree.remove(&s.name) {
                        s.scope = ScopeKind::Cell;
                    }
                }
            }
            BlockType::Class => block.needs_class_closure = newfree.remove("__class__"),
            _ => {}
        }
        for name in &newfree {
            match block.index.get(name) {
                Some(&i) => {
                    let s = &mut block.symbols[i];
                    if kind == BlockType::Class && s.flags & (DEF_BOUND | DEF_GLOBAL) != 0 {
                        s.flags |= DEF_FREE_CLASS;
                    }
                }
                None => {
                    if bound.as_ref().is_some_and(|b| b.contains(name)) {
                        block.insert(name.clone(), 0, ScopeKind::Free);
                    }
                }
            }
        }
        free.extend(newfree);
    }
    Ok(())
}

fn analyze_name(
    block: &mut Block,
    i: usize,
    bound: Option<&mut Names>,
    local: &mut Names,
    free: &mut Names,
    global: &mut Names,
) -> Result<()> {
    let name = block.symbols[i].name.clone();
    let flags = block.symbols[i].flags;
    let at_directive = |block: &Block, msg: String| {
        let loc = block.directives.iter().find(|d| d.0 == name).map_or(Location::NONE, |d| d.1);
        Err(Located::new(msg, loc))
    };
    let scope = if flags & DEF_GLOBAL != 0 {
        if flags & DEF_NONLOCAL != 0 {
            return at_directive(block, format!("name '{name}' is nonlocal and global"));
        }
        if let Some(b) = bound {
            b.remove(&name);
        }
        global.insert(name);
        ScopeKind::GlobalExplicit
    } else if flags & DEF_NONLOCAL != 0 {
        let Some(b) = bound else {
            return at_directive(block, "nonlocal declaration not allowed at module level".into());
        };
        if !b.contains(&name) {
            return at_directive(block, format!("no binding for nonlocal '{name}' found"));
        }
        block.has_free = true;
        free.insert(name);
        ScopeKind::Free
    } else if flags & DEF_BOUND != 0 {
        global.remove(&name);
        local.insert(name);
        ScopeKind::Local
    } else if bound.is_some_and(|b| b.contains(&name)) {
        block.has_free = true;
        free.insert(name);
        ScopeKind::Free
    } else {
        if block.nested && !global.contains(&name) {
            block.has_free = true;
        }
        ScopeKind::GlobalImplicit
    };
    block.symbols[i].scope = scope;
    Ok(())
}
