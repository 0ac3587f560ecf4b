//! Bridges that go back to a loop's label: meeting its contract.
//!
//! First everything that may fail: payloads are taken out of boxes, facts the loop relies on are looked up or guarded again
//! (the exit is the interpreter's state at the loop's head, so a failure costs nothing but the exit). Then what has effects:
//! slots the loop expects in memory are written, references handed over.

use crate::state::{Abort, HeapKey, Opt, Track};
use crate::{Builder, finish};
use lh_jit_ir::*;
use rustc_hash::FxHashMap as HashMap;

/// The contract cannot be met.
struct Unmet;
impl From<Abort> for Unmet {
    fn from(_: Abort) -> Unmet {
        Unmet
    }
}

/// What to do with a carried reference once nothing can fail any more.
enum After {
    /// The slot's reference goes to the phi.
    Give(i32),
    /// The payload was taken; the box goes.
    Drop(i32),
    /// Nothing: the payload was virtual.
    Leave(i32),
}

impl<'d> Builder<'d> {
    /// Takes over what the parent's contract says at its exits. `got`: parent's values in this trace.
    pub(crate) fn inherit(
        o: &mut Opt,
        parent: &Trace,
        got: &mut HashMap<Val, Val>,
        sp: u32,
    ) -> Option<Box<Label>> {
        let mut l = parent.label.clone()?;
        l.map_vals(&mut |v| {
            if v.is_none() || v.is_virt() {
                return v;
            }
            if v.is_const() {
                let c = parent.consts[v.index()];
                return o.tr.konst(c.ty, c.bits);
            }
            if let Some(x) = got.get(&v) {
                return *x;
            }
            // Pinned words; phis are nothing here.
            let i = parent.insts[v.index()];
            let x = match i.op {
                Op::Ts | Op::Jf | Op::JLoad => o.tr.push(Inst::new(i.op, i.ty, &[]).with_imm(i.imm)),
                _ => Val::NONE,
            };
            got.insert(v, x);
            x
        });
        for (v, ty) in &l.statics {
            let f = o.fact(*v);
            f.ty = Some(*ty);
            f.stat = true;
            f.nonnull = true;
        }
        if l.types_hold {
            for (v, ty) in &l.types {
                let f = o.fact(*v);
                if f.ty.is_none() {
                    f.ty = Some(*ty);
                    f.nonnull = true;
                }
            }
        }
        for x in l.facts.iter().filter(|x| x.holds) {
            o.heap.insert((x.base, key(x)), x.val);
        }
        for (k, s, holds) in &l.slots {
            if let (LabelSlot::Clean(v), true, true) = (*s, *holds, (*k as i64) < sp as i64) {
                o.frames[0].slots.entry(*k).or_insert(crate::state::Slot { val: v, dirty: false });
            }
        }
        o.track = Some(Box::new(Track { at: usize::MAX, ..Track::default() }));
        Some(l)
    }

    /// Goes on at the loop's label if this trace came from its body and can meet the contract, else at the root's entry.
    /// The last snapshot must be of the loop's head.
    pub fn finish_link_label(mut self, label: &LabelCode, entry_cell: u64) -> Result<Trace, Abort> {
        if let Some(l) = self.label.take() {
            let mut o = self.o.clone();
            if let Ok(list) = meet(&mut o, &l) {
                let list = o.tr.push_list(&list);
                let mut i = Inst::new(Op::LinkLabel, Ty::Void, &[]);
                i.list = list;
                o.tr.push(i);
                o.tr.link = Some(Box::new(label.clone()));
                o.tr.label = Some(Box::new(weaken(&o, *l)));
                return Ok(finish(o.tr, o.d));
            }
        }
        self.finish_link(entry_cell)
    }
}

fn key(x: &LabelFact) -> HeapKey {
    if x.idx.is_none() { HeapKey::Field(x.desc) } else { HeapKey::Item(x.desc, x.idx) }
}

/// The contract for bridges of this bridge: what still holds all over it.
fn weaken(o: &Opt, mut l: Label) -> Label {
    let mut eff = Effects::NONE;
    for i in &o.tr.insts {
        eff = eff.union(o.tr.effects(o.d, i));
    }
    l.types_hold &= !eff.has(RUNS_PYTHON | RELEASES_GIL);
    for x in &mut l.facts {
        let alias = if x.idx.is_none() {
            o.d.fields[x.desc as usize].alias
        } else {
            o.d.arrays[x.desc as usize].alias
        };
        x.holds &= eff.writes >> alias & 1 == 0;
    }
    if let Some(t) = &o.track {
        for (k, _, holds) in &mut l.slots {
            *holds &= !t.disturbed.contains(k);
        }
    }
    l
}

fn op(o: &mut Opt, op: Op, ty: Ty, args: &[Val], imm: u32) -> Result<Val, Unmet> {
    Ok(o.emit(Inst::new(op, ty, args).with_imm(imm), vec![])?)
}

/// Makes sure that a value is the one the loop knows. Another object may lie where that one was once it is gone, so for
/// references comparing addresses is enough only if something has kept it: `kept`, or it is a constant.
fn equal(o: &mut Opt, a: Val, b: Val, kept: bool) -> Result<(), Unmet> {
    let (a, b) = (o.resolve(a), o.resolve(b));
    if a == b {
        return Ok(());
    }
    let (ca, cb) = (o.const_of(a), o.const_of(b));
    if o.tr.ty(b) == Ty::Ref && !kept && cb.is_none() {
        return Err(Unmet);
    }
    if a.is_virt() || b.is_virt() || o.tr.ty(a) != o.tr.ty(b) || (ca.is_some() && cb.is_some() && ca != cb) {
        return Err(Unmet);
    }
    let (mut x, mut y) = (a, b);
    if o.tr.ty(a) == Ty::F64 {
        x = op(o, Op::FBits, Ty::I64, &[a], 0)?;
        y = op(o, Op::FBits, Ty::I64, &[b], 0)?;
    }
    let e = op(o, Op::Eq, Ty::I64, &[x, y], 0)?;
    op(o, Op::GTrue, Ty::Void, &[e], 0)?;
    Ok(())
}

fn guard_type(o: &mut Opt, v: Val, ty: u64, stat: bool) -> Result<(), Unmet> {
    let t = o.tr.konst(Ty::Ptr, ty);
    op(o, Op::GType, Ty::Void, &[v, t], stat as u32)?;
    Ok(())
}

/// Emits what it takes; answers the values of the label's phis and then of its contract.
fn meet(o: &mut Opt, l: &Label) -> Result<Vec<Val>, Unmet> {
    if o.frames.len() != 1 || (o.frames[0].pc, o.frames[0].sp) != (l.pc, l.sp) {
        return Err(Unmet);
    }
    // ---- Nothing here changes what an exit would have to write. ----
    let mut values = vec![];
    let mut after = vec![];
    let mut kept_fields = vec![];
    for p in &l.phis {
        let v = match p.at {
            Carrier::Field(b, f) => {
                kept_fields.push((b, f));
                match o.lazies.iter().find(|x| x.0 == b && x.1 == f) {
                    Some(x) => o.resolve(x.2),
                    None => op(o, Op::FLoad, o.d.fields[f as usize].kind.ty(), &[b], f)?,
                }
            }
            Carrier::Slot(k) => {
                let v = o.sget(0, k)?;
                let v = o.resolve(v);
                match p.payload {
                    Some(class) if v.is_virt() => {
                        let x = &o.virts[v.index()];
                        if x.class != class || x.rc != 1 {
                            return Err(Unmet);
                        }
                        after.push(After::Leave(k));
                        o.resolve(x.fields[0])
                    }
                    Some(class) => {
                        // Two names of one object must stay that.
                        let elsewhere = |s: &crate::state::Slot| !s.val.is_none() && o.resolve(s.val) == v;
                        if o.frames[0].slots.iter().any(|(n, s)| *n != k && elsewhere(s)) {
                            return Err(Unmet);
                        }
                        op(o, Op::GNonNull, Ty::Void, &[v], 0)?;
                        guard_type(o, v, o.class_type(class), true)?;
                        after.push(After::Drop(k));
                        if class == VClass::BoxI {
                            op(o, Op::UnboxI, Ty::I64, &[v], 0)?
                        } else {
                            op(o, Op::UnboxF, Ty::F64, &[v], 0)?
                        }
                    }
                    None => {
                        // Allocating changes no state; the snapshot still builds its own.
                        if !v.is_virt() {
                            if p.nonnull {
                                op(o, Op::GNonNull, Ty::Void, &[v], 0)?;
                            }
                            if let Some(t) = p.exact {
                                guard_type(o, v, t, true)?;
                            }
                        } else if p.exact.is_some_and(|t| o.type_of(v) != Some(t)) {
                            return Err(Unmet);
                        }
                        after.push(After::Give(k));
                        v
                    }
                }
            }
        };
        if !v.is_virt() && o.tr.ty(v) != p.ty {
            return Err(Unmet);
        }
        values.push(v);
    }
    for (b, f, v) in &l.fields {
        kept_fields.push((*b, *f));
        let now = match o.lazies.iter().find(|x| x.0 == *b && x.1 == *f) {
            Some(x) => x.2,
            None => op(o, Op::FLoad, o.d.fields[*f as usize].kind.ty(), &[*b], *f)?,
        };
        equal(o, now, *v, false)?;
    }
    for (k, s, holds) in &l.slots {
        let now = o.frames[0].slots.get(k).copied();
        match s {
            LabelSlot::Empty => {
                if now.is_some_and(|s| s.dirty && !s.val.is_none()) {
                    return Err(Unmet);
                }
            }
            LabelSlot::Clean(v) | LabelSlot::Held(v) => {
                let untouched = *holds && o.track.as_ref().is_some_and(|t| !t.disturbed.contains(k));
                let now = o.sget(0, *k)?;
                equal(o, now, *v, untouched && matches!(s, LabelSlot::Clean(_)))?;
            }
        }
    }
    for x in &l.facts {
        let now = if x.idx.is_none() {
            op(o, Op::FLoad, o.d.fields[x.desc as usize].kind.ty(), &[x.base], x.desc)?
        } else {
            op(o, Op::ALoad, o.d.arrays[x.desc as usize].kind.ty(), &[x.base, x.idx], x.desc)?
        };
        equal(o, now, x.val, false)?;
    }
    for (v, t) in &l.types {
        guard_type(o, *v, *t, false)?;
    }
    for v in &l.valid {
        op(o, Op::GValid, Ty::Void, &[*v], 0)?;
    }
    // ---- From here on nothing fails. ----
    for (b, f, v) in std::mem::take(&mut o.lazies) {
        if !kept_fields.contains(&(b, f)) {
            let v = o.resolve(v);
            o.tr.push(Inst::new(Op::FStore, Ty::Void, &[b, v]).with_imm(f));
        }
    }
    let carried = |k: i32| {
        l.phis.iter().any(|p| p.at == Carrier::Slot(k))
            || l.slots.iter().any(|(s, w, _)| *s == k && matches!(w, LabelSlot::Held(_)))
    };
    let slots: Vec<i32> = o.frames[0].slots.keys().copied().filter(|k| !carried(*k)).collect();
    for k in slots {
        o.flush_slot(0, k)?;
    }
    for (k, s, _) in &l.slots {
        if let LabelSlot::Held(_) = s {
            // Counts belong to names: it is this one's reference, of the same object.
            let v = o.spop(0, *k)?;
            let v = o.resolve(v);
            o.tr.push(Inst::new(Op::Yield, Ty::Void, &[v]));
        }
    }
    for a in after {
        match a {
            After::Leave(k) => {
                o.spop(0, k)?;
            }
            After::Drop(k) => {
                let v = o.spop(0, k)?;
                op(o, Op::Drop, Ty::Void, &[v], ops::DROP_SILENT)?;
            }
            After::Give(k) => {
                let v = o.spop(0, k)?;
                let v = o.force(v)?;
                o.tr.push(Inst::new(Op::Yield, Ty::Void, &[v]));
            }
        }
    }
    let mut list: Vec<Val> = values.into_iter().map(|v| o.resolve(v)).collect();
    list.extend(l.values.iter().map(|v| o.resolve(*v)));
    Ok(list)
}
