//! From a finished control-flow graph to a code object.

use crate::ast::Location;
use crate::codegen::Unit;
use crate::flow::{Graph, Instr, NO_BLOCK};
use lh_bytecode::flags::*;
use lh_bytecode::location::Writer;
use lh_bytecode::{CodeUnit, Const, exctable, opcode};

/// Optimises and encodes a unit. `value_on_entry`: generators start with the sent value on the stack.
pub fn assemble(
    mut unit: Unit<'_>,
    flags: u32,
    value_on_entry: bool,
    filename: &str,
) -> Result<CodeUnit, String> {
    let mut graph = std::mem::replace(&mut unit.graph, Graph::new());
    graph.normalize();
    graph.extend_blocks();
    let (fixed, names, kinds) = locals_plus(&unit);
    prefix(&mut graph, &unit, &fixed, flags);
    fix_cells(&mut graph, &fixed);
    graph.optimize(&mut unit.consts);
    graph.duplicate_exits(unit.firstlineno);
    trim_consts(&graph, &mut unit.consts.list);
    graph.propagate_lines();
    graph.lines_for_exits(unit.firstlineno);
    let stacksize = graph.stack_depth(i32::from(value_on_entry));
    graph.label_handlers();
    graph.direct_jumps();
    let order = graph.order();
    resolve_jumps(&mut graph, &order);

    let mut code = Vec::new();
    let mut lines = Writer::new(unit.firstlineno);
    let mut table = Vec::new();
    let mut guarded: Option<(u32, u32)> = None;
    for &id in &order {
        for i in &graph.blocks[id as usize].instrs {
            let at = (code.len() / 2) as u32;
            if guarded.map_or(NO_BLOCK, |g| g.1) != i.except {
                end_range(&mut table, &graph, guarded, at);
                guarded = (i.except != NO_BLOCK).then_some((at, i.except));
            }
            encode(&mut code, i);
            lines.push(i.loc, size(i));
        }
    }
    end_range(&mut table, &graph, guarded, (code.len() / 2) as u32);

    Ok(CodeUnit {
        argcount: unit.argcount + unit.posonlyargcount,
        posonlyargcount: unit.posonlyargcount,
        kwonlyargcount: unit.kwonlyargcount,
        stacksize: u32::try_from(stacksize).map_err(|_| "internal compiler error: stack depth".to_owned())?,
        flags,
        code,
        consts: unit.consts.list,
        names: unit.names.list.iter().map(|n| n.to_string()).collect(),
        localsplusnames: names,
        localspluskinds: kinds,
        filename: filename.to_owned(),
        name: unit.name.to_string(),
        qualname: unit.qualname,
        firstlineno: unit.firstlineno,
        linetable: lines.finish(),
        exceptiontable: table,
    })
}

fn end_range(table: &mut Vec<u8>, graph: &Graph, range: Option<(u32, u32)>, end: u32) {
    let Some((start, handler)) = range else { return };
    if start == end {
        return;
    }
    let h = &graph.blocks[handler as usize];
    let depth = h.startdepth - 1 - i32::from(h.preserve_lasti);
    exctable::push(
        table,
        exctable::Entry { start, end, target: h.offset, depth: depth.max(0) as u32, lasti: h.preserve_lasti },
    );
}

/// The fast locals: names and kinds; and where each cell or free variable lies among them. A parameter that is also a cell keeps
/// its place and has no second one.
fn locals_plus(unit: &Unit<'_>) -> (Vec<u32>, Vec<String>, Vec<u8>) {
    let nlocals = unit.varnames.list.len();
    let mut names: Vec<String> = unit.varnames.list.iter().map(|n| n.to_string()).collect();
    let mut kinds = vec![CO_FAST_LOCAL; nlocals];
    let mut fixed = vec![];
    for c in &unit.cellvars.list {
        match unit.varnames.index(c) {
            Some(i) => {
                kinds[i as usize] |= CO_FAST_CELL;
                fixed.push(i);
            }
            None => {
                fixed.push(names.len() as u32);
                names.push(c.to_string());
                kinds.push(CO_FAST_CELL);
            }
        }
    }
    for f in &unit.freevars.list {
        fixed.push(names.len() as u32);
        names.push(f.to_string());
        kinds.push(CO_FAST_FREE);
    }
    (fixed, names, kinds)
}

/// What must happen before `RESUME`: free variables are copied in, cells are made, generators return themselves.
fn prefix(graph: &mut Graph, unit: &Unit<'_>, fixed: &[u32], flags: u32) {
    let none = |op: u8, arg: u32| Instr {
        op: op as u16,
        arg,
        target: NO_BLOCK,
        except: NO_BLOCK,
        loc: Location::NONE,
    };
    let mut pre = vec![];
    if !unit.freevars.list.is_empty() {
        pre.push(none(opcode::COPY_FREE_VARS, unit.freevars.list.len() as u32));
    }
    let mut cells: Vec<usize> = (0..unit.cellvars.list.len()).collect();
    cells.sort_by_key(|&i| fixed[i]);
    pre.extend(cells.iter().map(|&i| none(opcode::MAKE_CELL, i as u32)));
    if flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) != 0 {
        let line = unit.firstlineno;
        let mut make = none(opcode::RETURN_GENERATOR, 0);
        make.loc = Location { line, end_line: line, col: -1, end_col: -1 };
        pre.push(make);
        pre.push(none(opcode::POP_TOP, 0));
    }
    graph.blocks[0].instrs.splice(0..0, pre);
}

fn fix_cells(graph: &mut Graph, fixed: &[u32]) {
    for b in &mut graph.blocks {
        for i in &mut b.instrs {
            if i.op < 256 && opcode::arg_kind(i.op as u8) == opcode::ArgKind::Free {
                i.arg = fixed[i.arg as usize];
            }
        }
    }
}

/// Drops constants at the end that optimisation has made useless. The first one may be a doc string and stays.
fn trim_consts(graph: &Graph, consts: &mut Vec<Const>) {
    let mut max = 0;
    for id in graph.order() {
        for i in &graph.blocks[id as usize].instrs {
            if i.op == opcode::LOAD_CONST as u16 || i.op == opcode::KW_NAMES as u16 {
                max = max.max(i.arg as usize);
            }
        }
    }
    consts.truncate(max + 1);
}

// ---- Encoding ----

fn prefixes(arg: u32) -> usize {
    usize::from(arg > 0xff) + usize::from(arg > 0xffff) + usize::from(arg > 0xff_ffff)
}

/// Code units of an instruction with its prefixes and caches.
fn size(i: &Instr) -> usize {
    if i.op == opcode::NOP as u16 {
        return 1;
    }
    prefixes(i.arg) + 1 + opcode::cache_entries(i.op as u8)
}

/// Sets block offsets and jump distances; distances can make instructions longer, so this repeats until nothing moves.
fn resolve_jumps(graph: &mut Graph, order: &[u32]) {
    loop {
        let mut at = 0;
        for &id in order {
            let b = &mut graph.blocks[id as usize];
            b.offset = at;
            at += b.instrs.iter().map(|i| size(i) as u32).sum::<u32>();
        }
        let mut moved = false;
        for &id in order {
            let mut at = graph.blocks[id as usize].offset;
            for k in 0..graph.blocks[id as usize].instrs.len() {
                let i = graph.blocks[id as usize].instrs[k];
                at += size(&i) as u32;
                if !i.is_jump() {
                    continue;
                }
                let target = graph.blocks[i.target as usize].offset;
                let arg = if opcode::is_backward_jump(i.op as u8) {
                    at.wrapping_sub(target)
                } else {
                    target.wrapping_sub(at)
                };
                moved |= prefixes(arg) != prefixes(i.arg);
                graph.blocks[id as usize].instrs[k].arg = arg;
            }
        }
        if !moved {
            return;
        }
    }
}

fn encode(code: &mut Vec<u8>, i: &Instr) {
    if i.op == opcode::NOP as u16 {
        return code.extend([opcode::NOP, 0]);
    }
    let arg = i.arg.to_be_bytes();
    for &b in &arg[3 - prefixes(i.arg)..3] {
        code.extend([opcode::EXTENDED_ARG, b]);
    }
    code.extend([i.op as u8, arg[3]]);
    code.resize(code.len() + 2 * opcode::cache_entries(i.op as u8), 0);
}
