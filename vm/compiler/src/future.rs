//! `from __future__ import ...`: which features a module asks for.

use crate::ast::*;
use crate::error::Located;
use crate::fold::docstring;
use lh_bytecode::Const;
use lh_bytecode::flags::*;

/// Feature bits (with `inherited` ones) and the line of the last future import.
pub fn scan(m: &Mod, inherited: u32) -> Result<(u32, i32), Box<Located>> {
    let (mut flags, mut line) = (inherited & PYCF_MASK, -1);
    let (Mod::Module { body, .. } | Mod::Interactive { body }) = m else { return Ok((flags, line)) };
    let start = usize::from(docstring(body).is_some());
    let mut done = false;
    let mut prev_line = 0;
    for (i, s) in body.iter().enumerate() {
        if done && s.loc.line > prev_line {
            break;
        }
        prev_line = s.loc.line;
        match &s.kind {
            // The dots of a relative import don't matter.
            StmtKind::ImportFrom { module: Some(m), names, .. } if &**m == "__future__" => {
                if done {
                    let msg = "from __future__ imports must occur at the beginning of the file";
                    return Err(Located::new(msg, s.loc));
                }
                for a in names {
                    flags |= feature(&a.name, s.loc)?;
                }
                line = s.loc.line;
            }
            StmtKind::Expr { value } if i < start && matches!(value.as_constant(), Some(Const::Str(_))) => {}
            _ => done = true,
        }
    }
    Ok((flags, line))
}

fn feature(name: &str, loc: Location) -> Result<u32, Box<Located>> {
    Ok(match name {
        "nested_scopes" | "generators" | "division" | "absolute_import" | "with_statement"
        | "print_function" | "unicode_literals" | "generator_stop" => 0,
        "barry_as_FLUFL" => CO_FUTURE_BARRY_AS_BDFL,
        "annotations" => CO_FUTURE_ANNOTATIONS,
        "braces" => return Err(Located::new("not a chance", loc)),
        _ => return Err(Located::new(format!("future feature {name} is not defined"), loc)),
    })
}
