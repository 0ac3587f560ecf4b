//! Parser for the text form, also used by the optimiser's tests for recorder-level programs.
//!
//! Results keep the number they have in the text only as names: a parsed trace numbers by position. `;` starts a
//! comment outside of `snap` lines. Natives have no text form: they are passed in.

use crate::desc::{Descs, NativeDesc};
use crate::ops::{ImmKind, Op};
use crate::trace::*;
use std::collections::HashMap;

#[derive(Clone, PartialEq, Debug)]
pub enum Opnd {
    Name(String),
    Const(Ty, u64),
    Dot(String),
    Slot(i32),
    Flags(u32),
    Offset(u32),
    Native(u32),
    Snap(u32),
}

/// One parsed line, names unresolved.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    pub out: Option<String>,
    pub op: String,
    pub opnds: Vec<Opnd>,
}

fn num(s: &str) -> Option<u64> {
    if let Some(h) = s.strip_prefix("0x") {
        return u64::from_str_radix(h, 16).ok();
    }
    s.parse::<i64>().ok().map(|x| x as u64).or_else(|| s.parse::<u64>().ok())
}

pub fn operand(s: &str) -> Result<Opnd, String> {
    let bad = || format!("bad operand {s:?}");
    let first = s.chars().next().ok_or_else(bad)?;
    let rest = &s[first.len_utf8()..];
    Ok(match first {
        '.' => Opnd::Dot(rest.into()),
        '#' => Opnd::Slot(rest.parse().map_err(|_| bad())?),
        '!' => Opnd::Flags(rest.parse().map_err(|_| bad())?),
        '+' => Opnd::Offset(rest.parse().map_err(|_| bad())?),
        '$' => Opnd::Native(rest.parse().map_err(|_| bad())?),
        '@' => Opnd::Snap(rest.parse().map_err(|_| bad())?),
        '-' | '0'..='9' => {
            if !s.starts_with("0x") && s.contains(['.', 'e']) {
                Opnd::Const(Ty::F64, s.parse::<f64>().map_err(|_| bad())?.to_bits())
            } else {
                Opnd::Const(Ty::I64, num(s).ok_or_else(bad)?)
            }
        }
        'f' if rest.starts_with(':') => Opnd::Const(Ty::F64, num(&rest[1..]).ok_or_else(bad)?),
        'p' if rest.starts_with(':') => Opnd::Const(Ty::Ptr, num(&rest[1..]).ok_or_else(bad)?),
        'r' if rest.starts_with(':') => Opnd::Const(Ty::Ref, num(&rest[1..]).ok_or_else(bad)?),
        _ => Opnd::Name(s.into()),
    })
}

/// Splits one line; `None` for an empty one.
pub fn line(s: &str) -> Result<Option<Line>, String> {
    let s = s.split(';').next().unwrap_or("").trim();
    if s.is_empty() {
        return Ok(None);
    }
    let (out, rest) = match s.split_once(" = ") {
        Some((o, r)) if !o.trim().contains(' ') => (Some(o.trim().to_string()), r.trim()),
        _ => (None, s),
    };
    let mut words = rest.split([' ', ',']).filter(|w| !w.is_empty());
    let op = words.next().ok_or("no op")?.to_string();
    let opnds = words.map(operand).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(Line { out, op, opnds }))
}

/// The type a name's first letter says.
pub fn name_ty(n: &str) -> Ty {
    match n.chars().next() {
        Some('i') => Ty::I64,
        Some('f') => Ty::F64,
        Some('p') => Ty::Ptr,
        Some('r') => Ty::Ref,
        _ => Ty::Void,
    }
}

/// Resolves a `.name` for an op's `imm`.
pub fn resolve(d: &Descs, kind: ImmKind, name: &str) -> Result<u32, String> {
    match kind {
        ImmKind::Field => d.field(name),
        ImmKind::Array => d.array(name),
        ImmKind::Helper => d.helper(name),
        ImmKind::Class => d.class(name),
        _ => None,
    }
    .ok_or_else(|| format!("unknown descriptor .{name}"))
}

pub fn trace(text: &str, d: &Descs, natives: Vec<NativeDesc>) -> Result<Trace, String> {
    let mut t = Trace { natives, ..Trace::default() };
    let mut names: HashMap<String, Val> = HashMap::new();
    let mut lines = vec![];
    for (n, l) in text.lines().enumerate() {
        if l.trim_start().starts_with("snap ") {
            continue;
        }
        if let Some(x) = line(l).map_err(|e| format!("line {}: {e}", n + 1))? {
            if let Some(o) = &x.out {
                names.insert(o.clone(), Val::inst(lines.len()));
            }
            lines.push(x);
        }
    }
    for l in &lines {
        let op = Op::from_text(&l.op).ok_or_else(|| format!("unknown op {}", l.op))?;
        let ty = match (&l.out, op.result()) {
            (_, Some(t)) => t,
            (Some(o), None) => name_ty(o),
            (None, None) => Ty::Void,
        };
        let mut i = Inst::new(op, ty, &[]);
        let mut vals = vec![];
        for o in &l.opnds {
            match o {
                Opnd::Name(n) => vals.push(*names.get(n).ok_or_else(|| format!("unknown name {n}"))?),
                Opnd::Const(ty, bits) => vals.push(t.konst(*ty, *bits)),
                Opnd::Dot(n) => i.imm = resolve(d, op.imm(), n)?,
                Opnd::Slot(s) => i.imm = *s as u32,
                Opnd::Flags(x) | Opnd::Offset(x) | Opnd::Native(x) => i.imm = *x,
                Opnd::Snap(x) => i.snap = *x,
            }
        }
        if op.has_list() {
            i.list = t.push_list(&vals);
        } else {
            if vals.len() > 3 {
                return Err(format!("too many operands for {}", l.op));
            }
            i.args[..vals.len()].copy_from_slice(&vals);
        }
        t.push(i);
    }
    for l in text.lines().filter(|l| l.trim_start().starts_with("snap ")) {
        let s = snapshot(l, d, &names, &mut t)?;
        t.snaps.push(s);
    }
    Ok(t)
}

fn snapshot(l: &str, d: &Descs, names: &HashMap<String, Val>, t: &mut Trace) -> Result<Snapshot, String> {
    let (head, body) = l.split_once('{').ok_or("snap without {")?;
    let body = body.trim_end().strip_suffix('}').ok_or("snap without }")?;
    let hw: Vec<&str> = head.split_whitespace().collect();
    let mut s = Snapshot { kind: hw.get(3).and_then(|x| x.parse().ok()).unwrap_or(0), ..Default::default() };
    let get = |w: &str, t: &mut Trace| -> Result<Val, String> {
        if let Some(n) = w.strip_prefix('v').and_then(|n| n.parse::<usize>().ok()) {
            return Ok(Val::virt(n));
        }
        match operand(w)? {
            Opnd::Name(n) => names.get(&n).copied().ok_or_else(|| format!("unknown name {n}")),
            Opnd::Const(ty, b) => Ok(t.konst(ty, b)),
            _ => Err(format!("bad snapshot value {w}")),
        }
    };
    let int = |w: Option<&&str>| -> Result<u64, String> {
        w.and_then(|x| num(x)).ok_or_else(|| format!("number expected in {l}"))
    };
    // `value [give|copy]` sequences; a slot sequence has `slot=` before each value.
    let owned = |words: &[&str], t: &mut Trace| -> Result<Vec<(i32, Val, Own)>, String> {
        let mut out: Vec<(i32, Val, Own)> = vec![];
        for w in words {
            match *w {
                "give" => out.last_mut().ok_or("give")?.2 = Own::Give,
                "copy" => out.last_mut().ok_or("copy")?.2 = Own::Copy,
                w => {
                    let (k, v) = match w.split_once('=') {
                        Some((k, v)) => (k.parse::<i32>().map_err(|_| "slot")?, v),
                        None => (0, w),
                    };
                    out.push((k, get(v, t)?, Own::Give));
                }
            }
        }
        Ok(out)
    };
    for part in body.split(';') {
        let w: Vec<&str> = part.split_whitespace().collect();
        match w.first() {
            None => {}
            Some(&"frame") => {
                let slots = owned(&w[9.min(w.len())..], t)?
                    .into_iter()
                    .map(|(slot, src, own)| SnapSlot { slot, src, own })
                    .collect();
                let base = get(w.get(1).ok_or("frame")?, t)?;
                s.frames.push(SnapFrame {
                    base,
                    token: int(w.get(3))?,
                    pc: int(w.get(5))? as u32,
                    sp: int(w.get(7))? as u32,
                    slots,
                });
            }
            Some(&"store") => {
                let base = get(w.get(1).ok_or("store")?, t)?;
                let name = w.get(2).and_then(|x| x.strip_prefix('.')).ok_or("store field")?;
                let src = get(w.get(4).ok_or("store")?, t)?;
                s.stores.push(SnapStore { base, field: resolve(d, ImmKind::Field, name)?, src });
            }
            Some(&"virt") => {
                let class = match *w.get(1).ok_or("virt")? {
                    "%boxi" => VClass::BoxI,
                    "%boxf" => VClass::BoxF,
                    n => VClass::Class(resolve(d, ImmKind::Class, n)?),
                };
                let fields = owned(&w[5.min(w.len())..], t)?.into_iter().map(|(_, v, o)| (v, o)).collect();
                s.virts.push(VirtObj { class, fields, count: int(w.get(3))? as u32 });
            }
            Some(x @ (&"drop" | &"hold")) => {
                let v = get(w.get(1).ok_or("drop")?, t)?;
                let list = if *x == "drop" { &mut s.drops } else { &mut s.holds };
                list.push((v, int(w.get(3))? as u32));
            }
            Some(x) => return Err(format!("unknown snapshot part {x}")),
        }
    }
    Ok(s)
}
