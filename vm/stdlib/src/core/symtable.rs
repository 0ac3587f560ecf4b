//! `_symtable`: the compiler's symbol tables.

use lh_compiler::symtable::{BlockType, SCOPE_OFFSET, SymbolTable};
use lh_interp::builtins::Mode;
use lh_runtime::prelude::*;
use std::cell::Cell;

/// One block of a program.
#[pyclass(name = "symtable entry", no_new)]
pub struct Entry {
    name: Slot,
    symbols: Slot,
    varnames: Slot,
    children: Slot,
    #[notrace]
    kind: Cell<i32>,
    #[notrace]
    nested: Cell<bool>,
    #[notrace]
    lineno: Cell<i32>,
}

#[pymethods]
impl Entry {
    #[getter]
    fn id(&self) -> usize {
        self.as_ptr() as usize
    }
    #[getter]
    fn name(&self) -> Option<Owned<Object>> {
        self.name.get()
    }
    #[getter]
    fn symbols(&self) -> Option<Owned<Object>> {
        self.symbols.get()
    }
    #[getter]
    fn varnames(&self) -> Option<Owned<Object>> {
        self.varnames.get()
    }
    #[getter]
    fn children(&self) -> Option<Owned<Object>> {
        self.children.get()
    }
    #[getter]
    fn nested(&self) -> i32 {
        self.nested.get() as i32
    }
    #[getter]
    fn r#type(&self) -> i32 {
        self.kind.get()
    }
    #[getter]
    fn lineno(&self) -> i32 {
        self.lineno.get()
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<String> {
        let name = self.name.get().map_or(Ok(Str::new("")), |n| n.str())?;
        Ok(format!("<symtable entry {}({}), line {}>", name.to_str_lossy(), self.id(), self.lineno.get()))
    }
}

fn entry(t: &SymbolTable, block: usize) -> PyResult<Owned<Entry>> {
    let b = &t.blocks[block];
    let symbols = Dict::new();
    for s in &b.symbols {
        let word = s.flags | (s.scope as u32) << SCOPE_OFFSET;
        symbols.set_str(&s.name, &Int::from_i64(word as i64))?;
    }
    let varnames = b.varnames.iter().map(|n| Str::new(n).into_object()).collect();
    let mut children = vec![];
    for c in &b.children {
        children.push(entry(t, *c)?.into_object());
    }
    Ok(Entry {
        name: Slot::of(Str::new(&b.name).into_object()),
        symbols: Slot::of(symbols.into_object()),
        varnames: Slot::of(List::from_vec(varnames).into_object()),
        children: Slot::of(List::from_vec(children).into_object()),
        kind: Cell::new(b.kind as i32),
        nested: Cell::new(b.nested),
        lineno: Cell::new(b.loc.line),
    }
    .build())
}

/// Return symbol and scope dictionaries used internally by compiler.
#[pyfunction(signature = "(source, filename, startstr, /)")]
fn symtable(source: &Object, filename: &Object, startstr: &str) -> PyResult<Owned<Entry>> {
    let mode = match startstr {
        "exec" => Mode::Exec,
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        _ => return raise!(ValueError, "symtable() arg 3 must be 'exec' or 'eval' or 'single'"),
    };
    let filename = lh_interp::builtins::code::filename_arg(filename)?;
    let Some(s) = lh_interp::builtins::code::source_text(source)? else {
        return raise!(TypeError, "symtable() arg 1 must be a string or bytes");
    };
    let table = lh_interp::compile::symbols(&s.text, &filename, mode, s.flags)?;
    entry(&table, 0)
}

fn setup(m: &Module) -> PyResult<()> {
    use lh_compiler::symtable as t;
    let flags: [(&str, u32); 20] = [
        ("USE", t::USE),
        ("DEF_GLOBAL", t::DEF_GLOBAL),
        ("DEF_NONLOCAL", t::DEF_NONLOCAL),
        ("DEF_LOCAL", t::DEF_LOCAL),
        ("DEF_PARAM", t::DEF_PARAM),
        ("DEF_FREE", t::DEF_FREE),
        ("DEF_FREE_CLASS", t::DEF_FREE_CLASS),
        ("DEF_IMPORT", t::DEF_IMPORT),
        ("DEF_BOUND", t::DEF_BOUND),
        ("DEF_ANNOT", t::DEF_ANNOT),
        ("TYPE_FUNCTION", BlockType::Function as u32),
        ("TYPE_CLASS", BlockType::Class as u32),
        ("TYPE_MODULE", BlockType::Module as u32),
        ("LOCAL", t::ScopeKind::Local as u32),
        ("GLOBAL_EXPLICIT", t::ScopeKind::GlobalExplicit as u32),
        ("GLOBAL_IMPLICIT", t::ScopeKind::GlobalImplicit as u32),
        ("FREE", t::ScopeKind::Free as u32),
        ("CELL", t::ScopeKind::Cell as u32),
        ("SCOPE_OFF", SCOPE_OFFSET),
        ("SCOPE_MASK", 15),
    ];
    ready::<Entry>()?;
    for (name, v) in flags {
        m.add(name, &Int::from_i64(v as i64))?;
    }
    Ok(())
}

module! { "_symtable", functions: [symtable], init: setup }
