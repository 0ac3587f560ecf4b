//! Bridges: traces that begin at an exit of another trace. Inputs are read from the JIT frame, where the exit left
//! them (register dump and spill slots), so nothing goes through interpreter memory first.

use crate::state::{HeapKey, Opt, Slot};
use crate::{Builder, R, Raw};
use lh_jit_ir::*;
use rustc_hash::FxHashMap as HashMap;

/// Slot number in an `adopt` that names no slot.
pub(crate) const NO_SLOT: u32 = i32::MIN as u32;

impl<'d> Builder<'d> {
    /// `place` answers where the exit left a value, if it did: its offset in the JIT frame. Constants are taken as they are.
    pub fn bridge(
        d: &'d Descs,
        parent: &Trace,
        snap: &Snapshot,
        place: &dyn Fn(Val) -> Option<u32>,
    ) -> Builder<'d> {
        let mut o = Opt::new(d);
        let root = o.tr.push(Inst::new(Op::JLoad, Ty::Ptr, &[]).with_imm(jf::FRAME as u32));
        let mut got: HashMap<Val, Val> = HashMap::default();
        let mut order = vec![];
        snap.for_each_val(&mut |v| {
            if v.is_inst() {
                order.push(v);
            }
        });
        // What the label's contract keeps at all exits behind the label.
        let keeps = parent
            .label
            .as_ref()
            .is_some_and(|l| l.values.iter().all(|v| !v.is_inst() || place(*v).is_some()));
        if let (true, Some(l)) = (keeps, &parent.label) {
            order.extend(l.values.iter().filter(|v| v.is_inst()));
        }
        for v in order {
            if let std::collections::hash_map::Entry::Vacant(e) = got.entry(v) {
                // The root frame's address is the bridge's own first value.
                let x = parent.insts[v.index()];
                let n = if x.op == Op::JLoad && x.imm == jf::FRAME as u32 {
                    root
                } else {
                    o.tr.push(
                        Inst::new(Op::JLoad, x.ty, &[])
                            .with_imm(place(v).expect("a snapshot value has a place")),
                    )
                };
                e.insert(n);
            }
        }
        let val = |v: Val, o: &mut Opt| -> Val {
            if v.is_const() {
                let c = parent.consts[v.index()];
                o.tr.konst(c.ty, c.bits)
            } else {
                got[&v]
            }
        };
        let owned = |v: Val, own: Own, o: &mut Opt| -> Val {
            let x = val(v, o);
            if parent.ty(v) == Ty::Ref {
                let op = if own == Own::Give { Op::Adopt } else { Op::Own };
                let mut i = Inst::new(op, Ty::Void, &[x]);
                if own == Own::Give {
                    i.imm = NO_SLOT;
                }
                if o.tr.const_bits(x) != Some(0) {
                    o.tr.push(i);
                }
            }
            x
        };
        let mut virts = vec![];
        for v in &snap.virts {
            let fields = v
                .fields
                .iter()
                .map(|(f, own)| if f.is_virt() { virts[f.index()] } else { owned(*f, *own, &mut o) })
                .collect();
            virts.push(o.make_virt(v.class, fields, v.count as i32));
        }
        for f in &snap.frames {
            let slots: Vec<(i32, Slot)> = f
                .slots
                .iter()
                .map(|s| {
                    let v = if s.src.is_virt() { virts[s.src.index()] } else { owned(s.src, s.own, &mut o) };
                    (s.slot, Slot { val: v, dirty: true })
                })
                .collect();
            let base = if f.base.is_inst() {
                got[&f.base]
            } else {
                let c = parent.consts[f.base.index()];
                o.tr.konst(c.ty, c.bits)
            };
            o.push_root(base, f.token, f.pc, f.sp);
            o.frames.last_mut().expect("just pushed").slots.extend(slots);
        }
        let lift = |v: Val, o: &mut Opt| if v.is_virt() { virts[v.index()] } else { val(v, o) };
        for s in &snap.stores {
            let (b, x) = (lift(s.base, &mut o), lift(s.src, &mut o));
            o.lazies.push((b, s.field, x));
            o.heap.insert((b, HeapKey::Field(s.field)), x);
        }
        let outer = snap.frames.first().map_or(0, |f| f.sp);
        let label = if keeps { Self::inherit(&mut o, parent, &mut got.clone(), outer) } else { None };
        let (kind, pc, sp) =
            (snap.kind, snap.frames.last().map_or(0, |f| f.pc), snap.frames.last().map_or(0, |f| f.sp));
        o.capture(kind, pc, sp);
        for (v, n) in &snap.drops {
            let x = lift(*v, &mut o);
            o.flush_dying(x);
            for _ in 0..*n {
                o.tr.push(Inst::new(Op::Adopt, Ty::Void, &[x]).with_imm(NO_SLOT));
                let mut i = Inst::new(Op::Drop, Ty::Void, &[x]);
                i.imm = ops::DROP_MAYBE_NULL;
                o.tr.push(i);
            }
        }
        let depth = o.frames.len();
        Builder { raw: vec![Raw::Input], map: vec![root], o, start: 1, depth, label }
    }

    /// What the innermost frame's slot holds now, if known without a load.
    pub fn known_slot(&self, slot: i32) -> bool {
        self.o.frames[self.depth - 1].slots.contains_key(&slot)
    }

    /// Frame base of the innermost frame (root: [`Builder::frame`]).
    pub fn top_base_is_root(&self) -> bool {
        self.depth == 1
    }

    /// Address of frame `k` (0: the root) as a recorder value.
    pub fn frame_base(&mut self, k: usize) -> R {
        let v = self.o.frames[k].base;
        self.raw.push(Raw::Input);
        self.map.push(v);
        R(Val::inst(self.raw.len() - 1))
    }

    /// Address of the innermost frame as a recorder value.
    pub fn top_frame(&mut self) -> R {
        let v = self.o.frames[self.depth - 1].base;
        self.raw.push(Raw::Input);
        self.map.push(v);
        R(Val::inst(self.raw.len() - 1))
    }
}
