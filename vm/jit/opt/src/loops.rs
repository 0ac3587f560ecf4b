//! Closing a loop: peel by sending the recorded operations through the chain again.
//!
//! ```text
//!   recorded once      pre-roll (pass 1)            body (pass 2)
//!   s = sget #0        r1 = sload #0                loop
//!   f = unboxf s       f2 = unboxf r1               f4 = phi f3, f5
//!   g = fadd f, 1.0    f3 = fadd f2, 1.0            f5 = fadd f4, 1.0
//!   b = boxf g         (slot 0 = virtual box f3)    jump
//! ```
//!
//! What is carried around the loop are the *places* the trace owns at its end: dirty slots and delayed fields. A
//! place whose value is a virtual box carries the payload; else it carries the value. The first try assumes the
//! best; whatever the end of the body contradicts is weakened and the body is made again. Each retry weakens at
//! least one assumption, so it ends.

use crate::state::{Abort, Fact, HeapKey, Opt, Slot, Track};
use crate::{Builder, step};
use lh_jit_ir::*;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::collections::BTreeMap;

/// A place the trace owns between iterations.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Loc {
    Slot(i32),
    Lazy(Val, u32),
}

/// Assumptions given up so far.
#[derive(Default, Clone, Debug)]
struct Weak {
    /// Carry the object, not its payload.
    boxed: HashSet<Loc>,
    /// The same value all the time: no phi.
    fixed: HashSet<Loc>,
    /// Type facts of the entry value do not hold in the loop.
    untyped: HashSet<Loc>,
    /// Written to memory before the loop.
    flushed: HashSet<Loc>,
    /// What memory of a clean slot holds is not known in the loop.
    forget: HashSet<i32>,
    kill: Effects,
}

#[derive(Clone, Copy)]
struct Carried {
    loc: Loc,
    phi: Val,
    init: Val,
    payload: Option<VClass>,
}

pub(crate) fn close(b: &Builder) -> Result<Trace, Abort> {
    if b.o.frames.len() != 1 {
        return Err(Abort::OpenFrames);
    }
    let mut weak = Weak::default();
    for i in &b.o.tr.insts {
        weak.kill = weak.kill.union(b.o.tr.effects(b.o.d, i));
    }
    for _ in 0..40 {
        match attempt(b, &mut weak)? {
            Some(t) => return Ok(t),
            None => continue,
        }
    }
    Err(Abort::UnstableLoop)
}

/// One try; `None` after weakening an assumption.
fn attempt(b: &Builder, weak: &mut Weak) -> Result<Option<Trace>, Abort> {
    let mut o = b.o.clone();
    let mut map = b.map.clone();

    // ---- The head: bring every carried place into the shape the loop assumes. ----
    for loc in &weak.flushed.clone() {
        match loc {
            Loc::Slot(s) => {
                if o.frames[0].slots.contains_key(s) {
                    o.flush_slot(0, *s)?;
                }
            }
            Loc::Lazy(_, f) => o.flush_lazies(1 << o.d.fields[*f as usize].alias),
        }
    }
    let mut places: Vec<(Loc, Val)> = vec![];
    for (&k, s) in &o.frames[0].slots {
        if s.dirty && !s.val.is_none() {
            places.push((Loc::Slot(k), s.val));
        }
    }
    for &(base, f, v) in &o.lazies {
        places.push((Loc::Lazy(base, f), v));
    }
    let mut uses: HashMap<Val, u32> = HashMap::default();
    for (_, v) in &places {
        *uses.entry(o.resolve(*v)).or_default() += 1;
    }
    let mut carried: Vec<Carried> = vec![];
    for (loc, v) in &places {
        let v = o.resolve(*v);
        if weak.fixed.contains(loc) {
            // A fixed virtual exists once, before the loop.
            if v.is_virt() {
                o.force(v)?;
            }
            continue;
        }
        let mut payload = None;
        let mut init = v;
        if v.is_virt() {
            let x = &o.virts[v.index()];
            let boxy = matches!(x.class, VClass::BoxI | VClass::BoxF);
            if boxy && x.rc == 1 && uses[&v] == 1 && !weak.boxed.contains(loc) {
                payload = Some(x.class);
                init = o.resolve(x.fields[0]);
            } else {
                init = o.force(v)?;
            }
        }
        carried.push(Carried { loc: *loc, phi: Val::NONE, init, payload });
    }
    let loop_at = o.tr.insts.len();
    o.tr.push(Inst::new(Op::Loop, Ty::Void, &[]));
    for c in &mut carried {
        let ty = o.tr.ty(c.init);
        c.phi = o.tr.push(Inst::new(Op::Phi, ty, &[c.init, c.init]));
        let v = match c.payload {
            Some(class) => o.make_virt(class, vec![c.phi], 1),
            None => {
                let f = o.facts.get(&c.init).copied().unwrap_or_default();
                if !weak.untyped.contains(&c.loc) && ty == Ty::Ref {
                    let keep = o.fact(c.phi);
                    keep.nonnull = f.nonnull;
                    // Only facts that survive any code can be carried.
                    if f.stat {
                        *keep = f;
                    }
                }
                c.phi
            }
        };
        match c.loc {
            Loc::Slot(s) => {
                o.frames[0].slots.insert(s, Slot { val: v, dirty: true });
            }
            Loc::Lazy(base, f) => {
                for l in &mut o.lazies {
                    if l.0 == base && l.1 == f {
                        l.2 = v;
                    }
                }
                o.heap.insert((base, crate::state::HeapKey::Field(f)), v);
            }
        }
    }
    let lazies = o.lazies.clone();
    o.kill(weak.kill.writes);
    for (base, f, v) in lazies {
        o.heap.insert((base, crate::state::HeapKey::Field(f)), v);
    }
    if weak.kill.has(RUNS_PYTHON | RELEASES_GIL) {
        o.facts.retain(|_, f| {
            if !f.stat {
                f.ty = None;
            }
            true
        });
        o.cse.retain(|(op, _, _), _| *op != Op::GValid);
    }
    for s in &weak.forget {
        o.frames[0].slots.remove(s);
    }
    let head_slots = o.frames[0].slots.clone();
    let head_lazies = o.lazies.clone();
    let head_facts = o.facts.clone();
    o.track = Some(Box::new(Track { at: loop_at, heap: o.heap.clone(), ..Track::default() }));
    o.forget_snapshot();
    let (kind, pc, sp) = (0, o.frames[0].pc, o.frames[0].sp);
    o.capture(kind, pc, sp);

    // ---- The body. ----
    for (n, raw) in b.raw.iter().enumerate().skip(b.start) {
        match step(&mut o, &map, raw) {
            Ok(v) => map[n] = v,
            Err(Abort::GuardNeverHolds) => {
                // A fact of the first iteration that the second denies: give up carried payloads and types.
                let before = weak.boxed.len() + weak.untyped.len();
                for c in &carried {
                    weak.boxed.insert(c.loc);
                    weak.untyped.insert(c.loc);
                }
                if weak.boxed.len() + weak.untyped.len() == before {
                    return Err(Abort::GuardNeverHolds);
                }
                return Ok(None);
            }
            Err(e) => return Err(e),
        }
    }
    if o.frames.len() != 1 {
        return Err(Abort::OpenFrames);
    }
    o.frames[0].pc = pc;
    o.frames[0].sp = sp;
    o.capture(kind, pc, sp);

    // ---- The seam: does the end fit the head? ----
    let mut again = false;
    for c in &carried {
        let end = match c.loc {
            Loc::Slot(s) => match o.frames[0].slots.get(&s) {
                Some(x) if x.dirty && !x.val.is_none() => o.resolve(x.val),
                _ => {
                    again |= weak.flushed.insert(c.loc);
                    continue;
                }
            },
            Loc::Lazy(base, f) => match o.lazies.iter().find(|l| l.0 == base && l.1 == f) {
                Some(l) => o.resolve(l.2),
                None => {
                    again |= weak.flushed.insert(c.loc);
                    continue;
                }
            },
        };
        if let Some(class) = c.payload {
            let mut back = None;
            if end.is_virt() {
                let x = &o.virts[end.index()];
                if x.class == class && x.rc == 1 {
                    back = Some(o.resolve(x.fields[0]));
                }
            } else if o.type_of(end) == Some(o.class_type(class)) && !end.is_const() {
                // A real box: take its payload along and let the object go (its destructor is silent).
                let op = if class == VClass::BoxI { Op::UnboxI } else { Op::UnboxF };
                let ty = op.result().expect("unbox has a result");
                let v = o.emit(Inst::new(op, ty, &[end]), vec![])?;
                o.emit(Inst::new(Op::Drop, Ty::Void, &[end]).with_imm(ops::DROP_SILENT), vec![])?;
                back = Some(v);
            }
            match back {
                Some(v) => o.tr.insts[c.phi.index()].args[1] = v,
                None => again |= weak.boxed.insert(c.loc),
            }
            continue;
        }
        if end == c.phi || end == c.init && c.init.is_const() {
            again |= weak.fixed.insert(c.loc);
            continue;
        }
        let end = o.force(end)?;
        if o.tr.ty(end) != o.tr.ty(c.phi) {
            return Err(Abort::UnstableLoop);
        }
        if let Some(f) = o.facts.get(&c.phi).copied()
            && !weak.untyped.contains(&c.loc)
        {
            let g = o.facts.get(&end).copied().unwrap_or_default();
            let known_nonnull = g.nonnull || o.const_of(end).is_some_and(|x| x != 0);
            if f.stat && (f.ty != g.ty || !g.stat) || f.nonnull && !known_nonnull {
                again |= weak.untyped.insert(c.loc);
            }
        }
        o.tr.insts[c.phi.index()].args[1] = end;
    }
    let is_carried = |l: Loc| carried.iter().any(|c| c.loc == l);
    for (&k, h) in &head_slots {
        if is_carried(Loc::Slot(k)) {
            continue;
        }
        let e = o.frames[0].slots.get(&k).copied();
        if h.dirty && !h.val.is_none() {
            // Fixed: must still be that very value.
            match e {
                Some(e) if e.dirty && o.resolve(e.val) == o.resolve(h.val) => {}
                _ => {
                    again |= weak.fixed.remove(&Loc::Slot(k)) | weak.boxed.insert(Loc::Slot(k));
                }
            }
        } else if !h.val.is_none() {
            match e {
                Some(e) if !e.dirty && o.resolve(e.val) == o.resolve(h.val) => {}
                Some(e) if e.dirty && !e.val.is_none() => {
                    o.flush_slot(0, k)?;
                    if o.resolve(e.val) != o.resolve(h.val) {
                        again |= weak.forget.insert(k);
                    }
                }
                _ => again |= weak.forget.insert(k),
            }
        }
    }
    // Owned at the end only: memory takes it.
    let extra: Vec<i32> = o.frames[0]
        .slots
        .iter()
        .filter(|(k, s)| {
            s.dirty && !s.val.is_none() && !head_slots.get(k).is_some_and(|h| h.dirty && !h.val.is_none())
        })
        .map(|(k, _)| *k)
        .collect();
    for k in extra {
        o.flush_slot(0, k)?;
    }
    for (base, f, v) in o.lazies.clone() {
        match head_lazies.iter().find(|h| h.0 == base && h.1 == f) {
            Some(h) if is_carried(Loc::Lazy(base, f)) || o.resolve(h.2) == o.resolve(v) => {}
            Some(_) => again |= weak.fixed.remove(&Loc::Lazy(base, f)),
            None => {
                let v = o.resolve(v);
                o.tr.push(Inst::new(Op::FStore, Ty::Void, &[base, v]).with_imm(f));
            }
        }
    }
    for h in &head_lazies {
        if !is_carried(Loc::Lazy(h.0, h.1)) && !o.lazies.iter().any(|l| l.0 == h.0 && l.1 == h.1) {
            again |= weak.flushed.insert(Loc::Lazy(h.0, h.1));
        }
    }
    let mut eff = Effects::NONE;
    for i in &o.tr.insts[loop_at..] {
        eff = eff.union(o.tr.effects(o.d, i));
    }
    if eff.union(weak.kill) != weak.kill {
        weak.kill = weak.kill.union(eff);
        again = true;
    }
    if again {
        return Ok(None);
    }
    o.tr.push(Inst::new(Op::Jump, Ty::Void, &[]));
    let phis = carried.iter().map(|c| label_phi(&o, c, &head_facts)).collect();
    o.tr.label = Some(Box::new(label(&o, phis, &head_slots, &head_lazies, &head_facts, (pc, sp))));
    Ok(Some(o.tr))
}

fn label_phi(o: &Opt, c: &Carried, facts: &HashMap<Val, Fact>) -> LabelPhi {
    let f = facts.get(&c.phi).copied().unwrap_or_default();
    LabelPhi {
        val: c.phi,
        at: match c.loc {
            Loc::Slot(s) => Carrier::Slot(s),
            Loc::Lazy(b, f) => Carrier::Field(b, f),
        },
        payload: c.payload,
        ty: o.tr.ty(c.phi),
        exact: f.ty,
        nonnull: f.nonnull,
    }
}

/// States what the body has relied on.
fn label(
    o: &Opt,
    phis: Vec<LabelPhi>,
    slots: &BTreeMap<i32, Slot>,
    lazies: &[(Val, u32, Val)],
    facts: &HashMap<Val, Fact>,
    (pc, sp): (u32, u32),
) -> Label {
    let t = o.track.as_ref().expect("set at the label");
    let slot_of = |at: Carrier| matches!(at, Carrier::Slot(_)).then_some(at);
    let carried: Vec<Carrier> = phis.iter().filter_map(|p| slot_of(p.at)).collect();
    let mut l = Label { pc, sp, phis, types_hold: true, ..Label::default() };
    for (&k, s) in slots {
        if carried.contains(&Carrier::Slot(k)) {
            continue;
        }
        let v = o.resolve(s.val);
        let what = match (s.dirty, s.val.is_none()) {
            (_, true) => LabelSlot::Empty,
            (true, _) => LabelSlot::Held(v),
            (false, _) if t.slots.contains(&k) => LabelSlot::Clean(v),
            (false, _) => continue,
        };
        l.slots.push((k, what, !t.disturbed.contains(&k)));
    }
    for &(b, f, v) in lazies {
        if !l.phis.iter().any(|p| p.at == Carrier::Field(b, f)) {
            l.fields.push((b, f, o.resolve(v)));
        }
    }
    let lazy = |b: Val, f: u32| lazies.iter().any(|x| x.0 == b && x.1 == f);
    for &(base, key) in &t.used {
        let val = o.resolve(t.heap[&(base, key)]);
        let (desc, idx, immutable) = match key {
            HeapKey::Field(f) => (f, Val::NONE, o.d.fields[f as usize].immutable || lazy(base, f)),
            HeapKey::Item(a, i) => (a, i, o.d.arrays[a as usize].immutable),
        };
        if !immutable {
            l.facts.push(LabelFact { base, desc, idx, val, holds: true });
        }
    }
    l.facts.sort_by_key(|x| (x.base, x.desc, x.idx));
    for v in &t.types {
        if let Some(ty) = facts.get(v).and_then(|f| f.ty) {
            l.types.push((*v, ty));
        }
    }
    l.types.sort();
    for (v, f) in facts {
        if let (true, Some(ty), true) = (f.stat, f.ty, v.is_inst() && v.index() < t.at) {
            l.statics.push((*v, ty));
        }
    }
    l.statics.sort();
    l.valid = t.valid.iter().copied().collect();
    l.valid.sort();
    l
}
