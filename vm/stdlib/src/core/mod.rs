//! What the interpreter itself needs: `sys`, `_io`, `_ast`, `_symtable`, `_imp`, `marshal`, `_warnings`, `_typing`.

use crate::Entry;

pub mod ast;
pub mod bootstrap;
pub mod errdisplay;
pub mod frozen;
pub mod imp;
pub mod io;
pub mod marshal;
pub mod suggest;
pub mod symtable;
pub mod sys;
pub mod sys_info;
pub mod typing;
pub mod warnings;

/// The modules of this group.
pub const MODULES: &[Entry] = &[
    ("_ast", ast::make),
    ("_imp", imp::make),
    ("_io", io::make),
    ("_symtable", symtable::make),
    ("_typing", typing::make),
    ("_warnings", warnings::make),
    ("marshal", marshal::make),
];
