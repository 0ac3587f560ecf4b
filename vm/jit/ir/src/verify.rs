//! The verifier: SSA order, operand types, snapshot validity and the reference balance on every path.
//!
//! Balance: for each reference value, what the trace holds at a guard (references made, taken over and not yet
//! given away) must equal what the guard's snapshot gives away. `copy` entries need nothing; what is left over must
//! stand in the drop list. At the back edge the counts of the loop head must hold again.

use crate::desc::*;
use crate::ops::{ArgKind, ImmKind, Op};
use crate::trace::*;
use rustc_hash::FxHashMap as HashMap;

fn fits(a: ArgKind, t: Ty) -> bool {
    match a {
        ArgKind::I64 => t == Ty::I64,
        ArgKind::F64 => t == Ty::F64,
        ArgKind::Ptr => t == Ty::Ptr,
        ArgKind::Ref => t == Ty::Ref,
        ArgKind::Addr => t == Ty::Ptr || t == Ty::Ref,
        ArgKind::Any => t != Ty::Void,
    }
}

/// How one instruction changes the number of references held per value.
pub fn ref_changes(t: &Trace, d: &Descs, n: usize, f: &mut dyn FnMut(Val, i32)) {
    // Null has no references.
    let f = &mut |v: Val, c: i32| {
        if t.const_bits(v) != Some(0) {
            f(v, c)
        }
    };
    let i = &t.insts[n];
    let me = Val::inst(n);
    match i.op {
        Op::Own | Op::Adopt => f(i.args[0], 1),
        Op::Drop | Op::Yield => f(i.args[0], -1),
        Op::SStore => f(i.args[1], -1),
        Op::BoxI | Op::BoxF => f(me, 1),
        Op::New => {
            for &a in t.list(i) {
                if t.ty(a) == Ty::Ref {
                    f(a, -1);
                }
            }
            f(me, 1);
        }
        Op::Call => {
            let h = &d.helpers[i.imm as usize];
            for (k, &a) in t.list(i).iter().enumerate() {
                if h.steals >> k & 1 != 0 {
                    f(a, -1);
                }
            }
            if h.ret == Ty::Ref && h.ret_new {
                f(me, 1);
            }
        }
        Op::NCall if i.ty == Ty::Ref => f(me, 1),
        // A phi owns one reference: taken from the entry value at the head, from the back value at the jump.
        Op::Phi if i.ty == Ty::Ref => {
            f(i.args[0], -1);
            f(me, 1);
        }
        Op::Jump => {
            for p in &t.insts[..n] {
                if p.op == Op::Phi && p.ty == Ty::Ref {
                    f(p.args[1], -1);
                }
            }
        }
        _ => {}
    }
}

/// What a snapshot takes from the trace, per value.
pub fn snapshot_gives(t: &Trace, s: &Snapshot) -> HashMap<Val, i32> {
    let mut m: HashMap<Val, i32> = HashMap::default();
    let mut s2 = s.clone();
    s2.for_each_need(&|v| t.ty(v) == Ty::Ref, &mut |v, own| {
        if *own == Own::Give {
            *m.entry(v).or_default() += 1;
        }
    });
    for (v, n) in &s.drops {
        *m.entry(*v).or_default() += *n as i32;
    }
    m
}

/// Checks structure and types; with `balance` also references.
pub fn verify(t: &Trace, d: &Descs, balance: bool) -> Result<(), String> {
    let mut looped = false;
    for (n, i) in t.insts.iter().enumerate() {
        let err = |m: &str| Err(format!("{n}: {}: {m}", crate::print::inst(t, d, n)));
        let limit = match i.op.imm() {
            ImmKind::Field => d.fields.len(),
            ImmKind::Array => d.arrays.len(),
            ImmKind::Helper => d.helpers.len(),
            ImmKind::Class => d.classes.len(),
            ImmKind::Native => t.natives.len(),
            _ => usize::MAX,
        };
        if (i.imm as usize) >= limit {
            return Err(format!("{n}: {}: no such descriptor", i.op.text()));
        }
        if let Some(r) = i.op.result()
            && r != i.ty
        {
            return err("wrong result type");
        }
        let kinds = i.op.args();
        for (k, v) in i.args.iter().enumerate() {
            if v.is_none() {
                if k < kinds.len() {
                    return err("operand missing");
                }
                continue;
            }
            if k >= kinds.len() {
                return err("too many operands");
            }
            let forward = i.op == Op::Phi && k == 1;
            check_val(t, *v, if forward { t.insts.len() } else { n }).or_else(|m| err(&m))?;
            if !fits(kinds[k], t.ty(*v)) {
                return err("operand type");
            }
        }
        for v in t.list(i) {
            check_val(t, *v, n).or_else(|m| err(&m))?;
        }
        match i.op {
            Op::Call => {
                let h = &d.helpers[i.imm as usize];
                if h.args.len() != t.list(i).len() || h.ret != i.ty {
                    return err("helper signature");
                }
                for (a, ty) in t.list(i).iter().zip(&h.args) {
                    if t.ty(*a) != *ty {
                        return err("helper argument type");
                    }
                }
            }
            Op::NCall => {
                let s = &t.natives[i.imm as usize];
                let want = s.args.len()
                    + (s.target == Target::FirstArg) as usize
                    + matches!(s.ret, RetPlace::Mem(_)) as usize;
                if want != t.list(i).len() {
                    return err("native argument count");
                }
            }
            Op::New if d.classes[i.imm as usize].fields.len() != t.list(i).len() => {
                return err("class field count");
            }
            Op::Phi => {
                if t.ty(i.args[0]) != i.ty || t.ty(i.args[1]) != i.ty {
                    return err("phi types differ");
                }
                if !matches!(t.insts[n - 1].op, Op::Phi | Op::Loop) {
                    return err("phi not behind the loop label");
                }
            }
            Op::Loop => {
                if looped {
                    return err("second loop");
                }
                looped = true;
            }
            Op::Jump if !looped || n + 1 != t.insts.len() => {
                return err("jump must be last, with a loop");
            }
            _ => {}
        }
        if i.op.is_guard() {
            let Some(s) = t.snaps.get(i.snap as usize) else { return err("guard without snapshot") };
            let mut bad = None;
            s.for_each_val(&mut |v| {
                if v.is_virt() {
                    if v.index() >= s.virts.len() {
                        bad = Some("no such virtual".to_string());
                    }
                } else if let Err(m) = check_val(t, v, n) {
                    bad = Some(m);
                }
            });
            if let Some(m) = bad {
                return err(&format!("snapshot: {m}"));
            }
        }
    }
    if balance { check_balance(t, d) } else { Ok(()) }
}

fn check_val(t: &Trace, v: Val, before: usize) -> Result<(), String> {
    if v.is_virt() {
        return Err("virtual as an operand".into());
    }
    if v.is_const() {
        return if v.index() < t.consts.len() { Ok(()) } else { Err("no such constant".into()) };
    }
    if v.index() >= before {
        return Err(format!("used before its definition: {}", v.index()));
    }
    if t.insts[v.index()].ty == Ty::Void { Err("operand has no value".into()) } else { Ok(()) }
}

fn check_balance(t: &Trace, d: &Descs) -> Result<(), String> {
    let mut held: HashMap<Val, i32> = HashMap::default();
    let mut at_loop: Option<HashMap<Val, i32>> = None;
    let mut forced: Option<HashMap<Val, i32>> = None;
    for n in 0..t.insts.len() {
        let i = &t.insts[n];
        if i.op != Op::Phi && at_loop.is_none() && n > 0 && matches!(t.insts[n - 1].op, Op::Phi | Op::Loop) {
            at_loop = Some(held.clone());
        }
        if i.op.is_guard() {
            let gives = snapshot_gives(t, &t.snaps[i.snap as usize]);
            let taken =
                if i.op == Op::GNotForced { forced.clone().unwrap_or_default() } else { HashMap::default() };
            let keys: Vec<Val> = held.keys().chain(gives.keys()).chain(taken.keys()).copied().collect();
            for v in keys {
                if t.const_bits(v) == Some(0) {
                    continue;
                }
                let h = held.get(&v).copied().unwrap_or(0) - taken.get(&v).copied().unwrap_or(0);
                let g = gives.get(&v).copied().unwrap_or(0);
                if h != g {
                    return Err(format!(
                        "{}: holds {h} of {} but the exit takes {g}",
                        crate::print::inst(t, d, n),
                        crate::print::val(t, v)
                    ));
                }
            }
        } else if i.snap != NO_SNAP && matches!(i.op, Op::Call | Op::NCall | Op::Drop) {
            let s = &t.snaps[i.snap as usize];
            let mut gives = snapshot_gives(t, s);
            for (v, n) in &s.holds {
                *gives.entry(*v).or_default() -= *n as i32;
            }
            forced = Some(gives);
        }
        ref_changes(t, d, n, &mut |v, c| *held.entry(v).or_default() += c);
        if i.op == Op::Jump {
            let head = at_loop.clone().unwrap_or_default();
            for v in held.keys().chain(head.keys()) {
                let (a, mut b) = (held.get(v).copied().unwrap_or(0), head.get(v).copied().unwrap_or(0));
                // A phi's own reference is replaced by the back value's.
                if v.is_inst() && t.insts[v.index()].op == Op::Phi {
                    b -= 1;
                }
                if a != b {
                    return Err(format!("jump: {} held {a}, at the label {b}", crate::print::val(t, *v)));
                }
            }
        }
        if matches!(i.op, Op::Link | Op::LinkLabel)
            && let Some((v, h)) = held.iter().find(|(_, h)| **h != 0)
        {
            return Err(format!("link: still holds {h} of {}", crate::print::val(t, *v)));
        }
    }
    Ok(())
}
