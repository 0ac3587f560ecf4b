//! Text form of traces. What is printed can be parsed back ([`crate::parse`]).
//!
//! `i5 = addov i1, 3 @2`: result (type letter and number), op, operands, `@snapshot`. Constants: `42`, `1.5`,
//! `f:0xbits`, `p:0x10`, `r:0x10`. The `imm` word: `.field`, `#slot`, `!flags`, `+offset`, `$native`.

use crate::desc::Descs;
use crate::ops::ImmKind;
use crate::trace::*;
use std::fmt::Write;

pub fn val(t: &Trace, v: Val) -> String {
    if v.is_none() {
        return "_".into();
    }
    if v.is_virt() {
        return format!("v{}", v.index());
    }
    if v.is_const() {
        let c = t.consts[v.index()];
        return match c.ty {
            Ty::F64 => {
                let f = f64::from_bits(c.bits);
                if f.is_finite() { format!("{f:?}") } else { format!("f:{:#x}", c.bits) }
            }
            Ty::Ptr => format!("p:{:#x}", c.bits),
            Ty::Ref => format!("r:{:#x}", c.bits),
            _ => format!("{}", c.bits as i64),
        };
    }
    format!("{}{}", t.ty(v).letter(), v.index())
}

pub fn inst(t: &Trace, d: &Descs, n: usize) -> String {
    let i = &t.insts[n];
    let mut s = String::new();
    if i.ty != Ty::Void {
        let _ = write!(s, "{}{} = ", i.ty.letter(), n);
    }
    s.push_str(i.op.text());
    match i.op.imm() {
        ImmKind::None => {}
        ImmKind::Field => {
            let _ = write!(s, " .{}", d.fields[i.imm as usize].name);
        }
        ImmKind::Array => {
            let _ = write!(s, " .{}", d.arrays[i.imm as usize].name);
        }
        ImmKind::Helper => {
            let _ = write!(s, " .{}", d.helpers[i.imm as usize].name);
        }
        ImmKind::Class => {
            let _ = write!(s, " .{}", d.classes[i.imm as usize].name);
        }
        ImmKind::Native => {
            let _ = write!(s, " ${}", i.imm);
        }
        ImmKind::Slot => {
            let _ = write!(s, " #{}", i.imm as i32);
        }
        ImmKind::Offset => {
            let _ = write!(s, " +{}", i.imm);
        }
        ImmKind::Flags => {
            if i.imm != 0 {
                let _ = write!(s, " !{}", i.imm);
            }
        }
    }
    for (k, v) in t.operands(i).enumerate() {
        let _ = write!(s, "{}{}", if k == 0 { " " } else { ", " }, val(t, v));
    }
    if i.snap != NO_SNAP {
        let _ = write!(s, " @{}", i.snap);
    }
    s
}

pub fn snapshot(t: &Trace, d: &Descs, n: usize) -> String {
    let sn = &t.snaps[n];
    let own = |v: Val, o: Own| {
        if t.ty(v) != Ty::Ref || v.is_virt() {
            String::new()
        } else {
            (if o == Own::Give { " give" } else { " copy" }).into()
        }
    };
    let mut s = format!("snap {n} kind {} {{", sn.kind);
    for f in &sn.frames {
        let _ = write!(s, " frame {} tok {} pc {} sp {} :", val(t, f.base), f.token, f.pc, f.sp);
        for x in &f.slots {
            let _ = write!(s, " {}={}{}", x.slot, val(t, x.src), own(x.src, x.own));
        }
        s.push_str(" ;");
    }
    for x in &sn.stores {
        let _ =
            write!(s, " store {} .{} = {} ;", val(t, x.base), d.fields[x.field as usize].name, val(t, x.src));
    }
    for v in &sn.virts {
        let name = match v.class {
            VClass::BoxI => "%boxi".to_string(),
            VClass::BoxF => "%boxf".to_string(),
            VClass::Class(c) => d.classes[c as usize].name.clone(),
        };
        let _ = write!(s, " virt {name} x {} :", v.count);
        for (f, o) in &v.fields {
            let _ = write!(s, " {}{}", val(t, *f), own(*f, *o));
        }
        s.push_str(" ;");
    }
    for (v, n) in &sn.drops {
        let _ = write!(s, " drop {} x {n} ;", val(t, *v));
    }
    for (v, n) in &sn.holds {
        let _ = write!(s, " hold {} x {n} ;", val(t, *v));
    }
    s.push_str(" }");
    s
}

/// The whole trace.
pub fn trace(t: &Trace, d: &Descs) -> String {
    let mut s = String::new();
    for (n, x) in t.natives.iter().enumerate() {
        let _ = writeln!(s, "; native ${n} {} {:?} {:?} -> {:?}", x.name, x.target, x.args, x.ret);
    }
    for n in 0..t.insts.len() {
        s.push_str(&inst(t, d, n));
        s.push('\n');
    }
    for n in 0..t.snaps.len() {
        s.push_str(&snapshot(t, d, n));
        s.push('\n');
    }
    s
}
