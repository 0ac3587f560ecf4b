//! Reference counts (jit-design §5): cancels `own`/`drop` pairs, marks drops that can't be the last, and decides at
//! every exit who makes the references the restored slots need.
//!
//! A pair `own v ... drop v` goes when the object stays alive without it: the trace holds another reference all the
//! time, or `v` has support (a frame slot nobody stores, a constant, an item of a supported immutable container), and
//! nothing in between may look at counts. Snapshots between then say `copy` where they said `give`. So does a pair
//! `drop v ... own v`: the trace keeps its reference over what cannot look.
//!
//! ```text
//!   r1 = sload #0                     r1 = sload #0
//!   own r1                            guard ...        exit: [stack0 = r1 copy]
//!   guard ...   [stack0 = r1 give]
//!   drop r1
//! ```

use lh_jit_ir::desc::*;
use lh_jit_ir::ops::*;
use lh_jit_ir::*;
use rustc_hash::FxHashMap as HashMap;

struct Pass<'a> {
    t: &'a mut Trace,
    d: &'a Descs,
    /// Events per value: (instruction, change), in order.
    events: HashMap<Val, Vec<(usize, i32)>>,
    eff: Vec<Effects>,
    /// Positions where a slot of a frame base loses its value (stores, adoptions), or all (None).
    slot_ends: Vec<(usize, Option<(Val, u32)>)>,
    dead: Vec<bool>,
    loop_at: usize,
    /// References cancelled across a quiet call, by the call.
    holds: HashMap<usize, Vec<Val>>,
}

/// A force-ready call during which nothing but its native code runs, unless it is forced (and left right behind it).
/// Pairs cancelled across it are made good by the force.
fn quiet(t: &Trace, n: usize, e: Effects) -> bool {
    let i = &t.insts[n];
    i.op == Op::NCall && i.snap != NO_SNAP && !e.has(RUNS_PYTHON)
}

pub fn run(t: &mut Trace, d: &Descs) {
    let n = t.insts.len();
    let eff = (0..n).map(|i| t.effects(d, &t.insts[i])).collect();
    let loop_at = t.loop_at().unwrap_or(n);
    let mut p = Pass {
        dead: vec![false; n],
        events: HashMap::default(),
        eff,
        slot_ends: vec![],
        loop_at,
        holds: HashMap::default(),
        t,
        d,
    };
    p.collect();
    p.cancel();
    p.hold_on();
    p.mark_not_last();
    p.settle_exits();
    // The dead ones become nothing.
    let dead = p.dead;
    for (i, x) in dead.iter().enumerate() {
        if *x {
            t.insts[i] = Inst::new(Op::Ts, Ty::Ptr, &[]);
        }
    }
}

impl Pass<'_> {
    fn collect(&mut self) {
        for n in 0..self.t.insts.len() {
            let ev = &mut self.events;
            verify::ref_changes(self.t, self.d, n, &mut |v, c| ev.entry(v).or_default().push((n, c)));
            let i = &self.t.insts[n];
            match i.op {
                Op::SStore | Op::Adopt => {
                    // An adoption names the value; its slot belongs to the frame the value came from.
                    let base = if i.op == Op::SStore { i.args[0] } else { Val::NONE };
                    self.slot_ends.push((n, Some((base, i.imm))));
                }
                Op::Call if self.eff[n].has(USES_FRAME) => self.slot_ends.push((n, None)),
                _ => {}
            }
        }
    }

    /// Least number held by the trace over [a, b), counted just after each event.
    fn least(&self, v: Val, a: usize, b: usize) -> i32 {
        let (mut h, mut min) = (0, i32::MAX);
        for &(n, c) in self.events.get(&v).map_or(&[][..], |e| &e[..]) {
            if n >= b {
                break;
            }
            if n > a && h < min {
                min = h;
            }
            h += c;
            if n >= a && h < min {
                min = h;
            }
        }
        if min == i32::MAX { h } else { min.min(h) }
    }

    /// Is this the address of the frame the trace was entered for?
    fn is_root(&self, base: Val) -> bool {
        base.is_inst() && {
            let i = &self.t.insts[base.index()];
            i.op == Op::JLoad && i.imm == jf::FRAME as u32
        }
    }
    /// `v` stays alive over [a, b) by somebody else's reference.
    fn supported(&self, v: Val, a: usize, b: usize, depth: u32) -> bool {
        if v.is_const() {
            return true;
        }
        let def = v.index();
        let i = &self.t.insts[def];
        match i.op {
            Op::SLoad => {
                // From the load on; over the whole loop if the value entered it from outside.
                let to = if def < self.loop_at && b > self.loop_at { self.t.insts.len() } else { b };
                // A generator's frame may be known under several addresses, and anybody may resume it.
                let root = self.is_root(i.args[0]);
                !self.slot_ends.iter().any(|(n, s)| {
                    *n >= def
                        && *n < to
                        && s.is_none_or(|(base, slot)| {
                            let same = base == i.args[0] || base.is_none() || !root && !self.is_root(base);
                            slot == i.imm && same
                        })
                }) && (root || !(def..to).any(|n| self.eff[n].has(RUNS_PYTHON)))
            }
            Op::FLoad if depth < 4 && self.d.fields[i.imm as usize].immutable => {
                let base = i.args[0];
                self.t.ty(base) == Ty::Ref
                    && (self.supported(base, a, b, depth + 1) || self.least(base, a, b) >= 1)
            }
            Op::ALoad if depth < 4 && self.d.arrays[i.imm as usize].immutable => {
                let base = i.args[0];
                self.t.ty(base) == Ty::Ref
                    && (self.supported(base, a, b, depth + 1) || self.least(base, a, b) >= 1)
            }
            // A mutable place: as long as nothing could have changed it or freed its container.
            Op::FLoad | Op::ALoad => {
                let alias = if i.op == Op::FLoad {
                    self.d.fields[i.imm as usize].alias
                } else {
                    self.d.arrays[i.imm as usize].alias
                };
                let crosses = def < self.loop_at && b > self.loop_at;
                !crosses
                    && (def..b).all(|n| {
                        let e = self.eff[n];
                        e.writes >> alias & 1 == 0 && !e.has(MAY_DEALLOC | RUNS_PYTHON | RELEASES_GIL)
                    })
            }
            // Whatever is picked by its address is an object that lives for ever.
            Op::Cast => self.t.ty(i.args[0]) == Ty::I64,
            _ => false,
        }
    }

    fn cancel(&mut self) {
        let drops: Vec<usize> = (0..self.t.insts.len()).filter(|&n| self.t.insts[n].op == Op::Drop).collect();
        for b in drops {
            let v = self.t.insts[b].args[0];
            // Try the nearest `own` first, then older ones.
            let owns: Vec<usize> = self
                .events
                .get(&v)
                .map(|e| {
                    e.iter()
                        .filter(|(n, c)| *n < b && *c > 0 && self.t.insts[*n].op == Op::Own)
                        .map(|e| e.0)
                        .collect()
                })
                .unwrap_or_default();
            for a in owns.into_iter().rev().take(4) {
                if (a < self.loop_at) != (b < self.loop_at) {
                    break;
                }
                let least = self.least(v, a, b) - 1;
                let looks = |n: usize| {
                    let i = &self.t.insts[n];
                    self.eff[n].has(OBSERVES_REFCOUNT)
                        || i.op == Op::GShared && i.args[0] == v
                        || i.op == Op::FReplace && self.t.list(i)[2] == v
                };
                let seen = !v.is_const() && (a..b).any(looks);
                if least >= 1 && !seen || least >= 0 && !seen && self.supported(v, a, b, 0) {
                    self.dead[a] = true;
                    self.dead[b] = true;
                    for c in a..b {
                        if quiet(self.t, c, self.eff[c]) {
                            self.holds.entry(c).or_default().push(v);
                        }
                    }
                    let e = self.events.get_mut(&v).expect("value has events");
                    let ia = e.iter().position(|x| x.0 == a && x.1 == 1).expect("own event");
                    e.remove(ia);
                    let ib = e.iter().position(|x| x.0 == b && x.1 == -1).expect("drop event");
                    e.remove(ib);
                    break;
                }
            }
        }
    }

    /// Cancels `drop v ... own v` where nothing in between may look at counts: the trace holds on to its reference.
    fn hold_on(&mut self) {
        // So far is looked for the `own`.
        const NEAR: usize = 200;
        // The last of several drops goes with the first `own` behind them, then the one before it with the next.
        for a in (0..self.t.insts.len()).rev() {
            let i = self.t.insts[a];
            if i.op != Op::Drop || self.dead[a] || i.imm & DROP_MAYBE_NULL != 0 {
                continue;
            }
            let v = i.args[0];
            let Some(b) = self.events.get(&v).and_then(|e| {
                let k = e.partition_point(|x| x.0 <= a);
                e.get(k).filter(|x| x.1 == 1 && self.t.insts[x.0].op == Op::Own).map(|x| x.0)
            }) else {
                continue;
            };
            if b - a > NEAR || (a < self.loop_at) != (b < self.loop_at) {
                continue;
            }
            let looks = |n: usize| {
                let i = &self.t.insts[n];
                let e = self.eff[n];
                !self.dead[n]
                    && (e.has(OBSERVES_REFCOUNT | RUNS_PYTHON | MAY_FORCE | RELEASES_GIL)
                        || !i.op.is_guard() && i.snap != NO_SNAP
                        || i.op == Op::GShared && i.args[0] == v
                        || i.op == Op::FReplace && self.t.list(i)[2] == v)
            };
            if (a + 1..b).any(looks) {
                continue;
            }
            self.dead[a] = true;
            self.dead[b] = true;
            let e = self.events.get_mut(&v).expect("value has events");
            let ia = e.iter().position(|x| x.0 == a && x.1 == -1).expect("drop event");
            e.remove(ia);
            let ib = e.iter().position(|x| x.0 == b && x.1 == 1).expect("own event");
            e.remove(ib);
        }
    }

    fn mark_not_last(&mut self) {
        for n in 0..self.t.insts.len() {
            let i = self.t.insts[n];
            if i.op == Op::Drop && !self.dead[n] && i.imm & DROP_NOT_LAST == 0 {
                let v = i.args[0];
                if self.least(v, n, n + 1) >= 1 || self.supported(v, n, n + 1, 0) {
                    self.t.insts[n].imm |= DROP_NOT_LAST;
                }
            }
        }
    }

    /// Gives every guard a snapshot whose give, copy and drop entries fit what the trace holds there.
    fn settle_exits(&mut self) {
        let mut held: HashMap<Val, i32> = HashMap::default();
        let mut forced: HashMap<Val, i32> = HashMap::default();
        let mut last: Option<(u32, u32)> = None;
        for n in 0..self.t.insts.len() {
            let i = self.t.insts[n];
            if i.snap != NO_SNAP {
                let orig = i.snap;
                let mut s = self.t.snaps[orig as usize].clone();
                let mut have = held.clone();
                if i.op == Op::GNotForced {
                    // A force has already given away what the call's snapshot names.
                    for (v, c) in &forced {
                        *have.entry(*v).or_default() -= c;
                    }
                }
                let t = &*self.t;
                s.drops.clear();
                s.for_each_need(&|v| t.ty(v) == Ty::Ref, &mut |v, own| {
                    let h = have.entry(v).or_default();
                    if *h > 0 {
                        *h -= 1;
                        *own = Own::Give;
                    } else {
                        *own = Own::Copy;
                    }
                });
                if let Some(cancelled) = self.holds.get(&n) {
                    // What slots hold is made as their copies; what is in flight is held.
                    let mut count: Vec<(Val, i32)> = vec![];
                    for v in cancelled {
                        match count.iter_mut().find(|x| x.0 == *v) {
                            Some(x) => x.1 += 1,
                            None => count.push((*v, 1)),
                        }
                    }
                    s.for_each_need(&|v| t.ty(v) == Ty::Ref, &mut |v, own| {
                        if *own == Own::Copy
                            && let Some(x) = count.iter_mut().find(|x| x.0 == v)
                        {
                            x.1 -= 1;
                        }
                    });
                    s.holds = count.into_iter().filter(|x| x.1 > 0).map(|(v, n)| (v, n as u32)).collect();
                }
                let is_call = !i.op.is_guard();
                if is_call {
                    // In-flight references go on being the trace's after a force.
                    forced = verify::snapshot_gives(self.t, &s);
                    for (v, n) in &s.holds {
                        *forced.entry(*v).or_default() -= *n as i32;
                    }
                } else {
                    let mut rest: Vec<(Val, u32)> =
                        have.into_iter().filter(|(_, h)| *h > 0).map(|(v, h)| (v, h as u32)).collect();
                    rest.sort();
                    s.drops = rest;
                }
                let reuse = last.filter(|(o, k)| *o == orig && self.t.snaps[*k as usize] == s);
                let k = match reuse {
                    Some((_, k)) => k,
                    None => {
                        self.t.snaps.push(s);
                        self.t.snaps.len() as u32 - 1
                    }
                };
                last = Some((orig, k));
                self.t.insts[n].snap = k;
            }
            if !self.dead[n] {
                verify::ref_changes(self.t, self.d, n, &mut |v, c| {
                    let h = held.entry(v).or_default();
                    *h += c;
                    // Only what is held stays in the map: it is copied at every guard.
                    if *h == 0 {
                        held.remove(&v);
                    }
                });
            }
        }
    }
}
