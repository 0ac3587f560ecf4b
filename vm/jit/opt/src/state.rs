//! The optimiser's knowledge at one point of the trace: frames, virtual objects, facts, available values.
//!
//! Cheap to clone: closing a loop starts again from the end of the pre-roll as often as it must.

use lh_jit_ir::*;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::collections::BTreeMap;

/// Why no trace came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Abort {
    /// A guard can never hold (the recording contradicts what is known).
    GuardNeverHolds,
    /// A guard before the first snapshot.
    NoSnapshot,
    /// The loop's state kept changing shape.
    UnstableLoop,
    /// A slot was read after it was emptied.
    DeadSlot,
    /// Inlined frames are open where a loop should close.
    OpenFrames,
    /// A delayed object met an op that can't see it.
    BadOperand,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Slot {
    /// NONE: emptied.
    pub val: Val,
    pub dirty: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub base: Val,
    pub token: u64,
    pub pc: u32,
    pub sp: u32,
    pub slots: BTreeMap<i32, Slot>,
}

/// An object not yet allocated.
#[derive(Clone, Debug)]
pub(crate) struct Virt {
    pub class: VClass,
    pub fields: Vec<Val>,
    /// References the program has to it.
    pub rc: i32,
    /// Set once it exists.
    pub real: Option<Val>,
}

#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub(crate) struct Fact {
    pub ty: Option<u64>,
    /// The type fact survives arbitrary code.
    pub stat: bool,
    pub nonnull: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum HeapKey {
    Field(u32),
    Item(u32, Val),
}

#[derive(Clone)]
pub(crate) struct Opt<'d> {
    pub d: &'d Descs,
    pub tr: Trace,
    pub frames: Vec<Frame>,
    pub virts: Vec<Virt>,
    /// Delayed field stores: object, field, value.
    pub lazies: Vec<(Val, u32, Val)>,
    pub facts: HashMap<Val, Fact>,
    /// Values known to equal a constant since a guard.
    pub known: HashMap<Val, Val>,
    pub cse: HashMap<(Op, u32, [Val; 2]), Val>,
    pub heap: HashMap<(Val, HeapKey), Val>,
    snap: Option<Snapshot>,
    snap_id: Option<u32>,
    /// Dirty slots at the last force-ready call.
    at_call: HashMap<(usize, i32), Val>,
    /// Behind a label: what was known there and has been relied on since.
    pub track: Option<Box<Track>>,
}

/// Reliance on knowledge from before a loop label.
#[derive(Clone, Default)]
pub(crate) struct Track {
    /// Values below this come from before the label.
    pub at: usize,
    pub heap: HashMap<(Val, HeapKey), Val>,
    pub used: HashSet<(Val, HeapKey)>,
    pub types: HashSet<Val>,
    pub valid: HashSet<Val>,
    /// Root frame slots that were read as they were.
    pub slots: HashSet<i32>,
    /// Root frame slots whose memory has been written.
    pub disturbed: HashSet<i32>,
}

impl<'d> Opt<'d> {
    pub fn new(d: &'d Descs) -> Opt<'d> {
        Opt {
            d,
            tr: Trace::new(),
            frames: vec![],
            virts: vec![],
            lazies: vec![],
            facts: HashMap::default(),
            known: HashMap::default(),
            cse: HashMap::default(),
            heap: HashMap::default(),
            snap: None,
            snap_id: None,
            at_call: HashMap::default(),
            track: None,
        }
    }

    // ---- Values ----

    /// Follows forced virtuals and non-reference values known to be constant. References keep their name, because
    /// counts belong to names.
    pub fn resolve(&self, v: Val) -> Val {
        if v.is_none() || v.is_const() {
            return v;
        }
        if v.is_virt() {
            return match self.virts[v.index()].real {
                Some(r) => self.resolve(r),
                None => v,
            };
        }
        if self.tr.ty(v) == Ty::Ref { v } else { self.known.get(&v).copied().unwrap_or(v) }
    }
    pub fn const_of(&self, v: Val) -> Option<u64> {
        let v = self.resolve(v);
        self.tr.const_bits(self.known.get(&v).copied().unwrap_or(v))
    }
    pub fn type_of(&self, v: Val) -> Option<u64> {
        let v = self.resolve(v);
        if v.is_virt() {
            return Some(self.virt_type(v.index())).filter(|t| *t != 0);
        }
        self.facts.get(&v).and_then(|f| f.ty)
    }
    /// Type of a virtual; 0 if unknown.
    pub fn virt_type(&self, n: usize) -> u64 {
        let x = &self.virts[n];
        if let VClass::Class(c) = x.class
            && let Some(k) = self.d.classes[c as usize].type_field
        {
            return self.const_of(x.fields[k]).unwrap_or(0);
        }
        self.class_type(x.class)
    }
    pub fn class_type(&self, c: VClass) -> u64 {
        match c {
            VClass::BoxI => self.d.layout.int_type,
            VClass::BoxF => self.d.layout.float_type,
            VClass::Class(c) => self.d.classes[c as usize].type_addr,
        }
    }
    pub fn fact(&mut self, v: Val) -> &mut Fact {
        self.facts.entry(v).or_default()
    }

    // ---- Snapshots ----

    /// Records the present state for guards to come.
    pub fn capture(&mut self, kind: u32, pc: u32, sp: u32) {
        if let Some(f) = self.frames.last_mut() {
            f.pc = pc;
            f.sp = sp;
        }
        let s = self.describe(kind, None);
        if self.snap.as_ref() == Some(&s) {
            return;
        }
        self.snap = Some(s);
        self.snap_id = None;
    }

    /// The present state as a snapshot, without dirty slots that still hold what `written` says.
    fn describe(&self, kind: u32, written: Option<&HashMap<(usize, i32), Val>>) -> Snapshot {
        let mut s = Snapshot { kind, ..Snapshot::default() };
        let mut built: HashMap<Val, Val> = HashMap::default();
        for (n, f) in self.frames.iter().enumerate() {
            let mut slots = vec![];
            for (&slot, x) in &f.slots {
                let done = written.is_some_and(|w| w.get(&(n, slot)) == Some(&x.val));
                if x.dirty && !x.val.is_none() && !done {
                    let src = self.snap_source(x.val, &mut s, &mut built);
                    slots.push(SnapSlot { slot, src, own: Own::Give });
                }
            }
            s.frames.push(SnapFrame { base: f.base, token: f.token, pc: f.pc, sp: f.sp, slots });
        }
        if written.is_none() {
            for &(base, field, v) in &self.lazies {
                let src = self.resolve(v);
                s.stores.push(SnapStore { base, field, src });
            }
        }
        s
    }

    /// The snapshot of a `guard_not_forced`: the force has written (and owns) what was dirty at the call, so only
    /// what changed since is left to write.
    fn forced_snap(&mut self) -> Result<u32, Abort> {
        let kind = self.snap.as_ref().ok_or(Abort::NoSnapshot)?.kind;
        let s = self.describe(kind, Some(&self.at_call));
        self.tr.snaps.push(s);
        Ok(self.tr.snaps.len() as u32 - 1)
    }

    fn snap_source(&self, v: Val, s: &mut Snapshot, built: &mut HashMap<Val, Val>) -> Val {
        let v = self.resolve(v);
        if !v.is_virt() {
            return v;
        }
        if let Some(&b) = built.get(&v) {
            s.virts[b.index()].count += 1;
            return b;
        }
        let x = &self.virts[v.index()];
        let fields = x.fields.iter().map(|f| (self.snap_source(*f, s, built), Own::Give)).collect();
        s.virts.push(VirtObj { class: x.class, fields, count: 1 });
        let b = Val::virt(s.virts.len() - 1);
        built.insert(v, b);
        b
    }

    /// Number of the current snapshot.
    pub fn guard_snap(&mut self) -> Result<u32, Abort> {
        if let Some(n) = self.snap_id {
            return Ok(n);
        }
        let s = self.snap.clone().ok_or(Abort::NoSnapshot)?;
        self.tr.snaps.push(s);
        let n = self.tr.snaps.len() as u32 - 1;
        self.snap_id = Some(n);
        Ok(n)
    }
    /// Same state as the last snapshot but numbers of instructions changed: must not be used again.
    pub fn forget_snapshot(&mut self) {
        self.snap = None;
        self.snap_id = None;
    }

    // ---- Frames ----

    pub fn push_root(&mut self, base: Val, token: u64, pc: u32, sp: u32) {
        self.frames.push(Frame { base, token, pc, sp, slots: BTreeMap::new() });
    }
    pub fn push_frame(&mut self, base: Val, token: u64, pc: u32, nulls: i32) {
        if let Some(f) = self.frames.last_mut() {
            f.pc = pc;
        }
        let null = self.tr.konst(Ty::Ref, 0);
        let slots = (0..nulls).map(|k| (k, Slot { val: null, dirty: true })).collect();
        let base = self.resolve(base);
        self.frames.push(Frame { base, token, pc: 0, sp: 0, slots });
    }
    pub fn sget(&mut self, frame: usize, slot: i32) -> Result<Val, Abort> {
        let f = &self.frames[frame];
        match f.slots.get(&slot) {
            Some(s) if s.val.is_none() => Err(Abort::DeadSlot),
            Some(s) => {
                let (v, clean) = (s.val, !s.dirty);
                if let Some(t) = &mut self.track
                    && frame == 0
                    && clean
                {
                    t.slots.insert(slot);
                }
                Ok(v)
            }
            None => {
                let base = f.base;
                let v = self.tr.push(Inst::new(Op::SLoad, Ty::Ref, &[base]).with_imm(slot as u32));
                self.frames[frame].slots.insert(slot, Slot { val: v, dirty: false });
                Ok(v)
            }
        }
    }
    pub fn spop(&mut self, frame: usize, slot: i32) -> Result<Val, Abort> {
        let v = self.sget(frame, slot)?;
        let s = self.frames[frame].slots[&slot];
        if !s.dirty {
            let r = self.resolve(v);
            self.tr.push(Inst::new(Op::Adopt, Ty::Void, &[r]).with_imm(slot as u32));
            self.put_back(frame, slot, r);
        }
        self.frames[frame].slots.insert(slot, Slot { val: Val::NONE, dirty: true });
        self.disturb(frame, slot);
        Ok(v)
    }
    /// A guard that still uses a snapshot from before the slot was emptied gives the reference back to it.
    fn put_back(&mut self, frame: usize, slot: i32, v: Val) {
        let Some(f) = self.snap.as_mut().and_then(|s| s.frames.get_mut(frame)) else { return };
        let at = f.slots.partition_point(|x| x.slot < slot);
        if f.slots.get(at).is_none_or(|x| x.slot != slot) {
            f.slots.insert(at, SnapSlot { slot, src: v, own: Own::Give });
            self.snap_id = None;
        }
    }
    pub fn sput(&mut self, frame: usize, slot: i32, v: Val) {
        self.frames[frame].slots.insert(slot, Slot { val: v, dirty: true });
    }
    fn disturb(&mut self, frame: usize, slot: i32) {
        if let Some(t) = &mut self.track
            && frame == 0
        {
            t.disturbed.insert(slot);
        }
    }
    pub fn clobber(&mut self, frame: usize, lo: i32, hi: i32) {
        for k in lo..hi {
            self.disturb(frame, k);
        }
        self.frames[frame].slots.retain(|k, s| !(lo..hi).contains(k) || (s.dirty && !s.val.is_none()));
    }
    /// Writes one slot to memory if the trace has it.
    pub fn flush_slot(&mut self, frame: usize, slot: i32) -> Result<(), Abort> {
        let s = self.frames[frame].slots[&slot];
        if !s.dirty || s.val.is_none() {
            return Ok(());
        }
        let v = self.force(s.val)?;
        let base = self.frames[frame].base;
        self.tr.push(Inst::new(Op::SStore, Ty::Void, &[base, v]).with_imm(slot as u32));
        self.frames[frame].slots.insert(slot, Slot { val: v, dirty: false });
        self.disturb(frame, slot);
        Ok(())
    }
    pub fn flush_frames(&mut self) -> Result<(), Abort> {
        for f in 0..self.frames.len() {
            let slots: Vec<i32> = self.frames[f].slots.keys().copied().collect();
            for s in slots {
                self.flush_slot(f, s)?;
            }
        }
        Ok(())
    }
    pub fn flush_all(&mut self) -> Result<(), Abort> {
        self.flush_lazies(!0);
        self.flush_frames()
    }

    // ---- Emission ----

    /// The chain. Operands are optimiser values; `list` those of list ops.
    pub fn emit(&mut self, mut i: Inst, mut list: Vec<Val>) -> Result<Val, Abort> {
        for a in i.args.iter_mut().chain(list.iter_mut()) {
            *a = self.resolve(*a);
        }
        if let Some(v) = self.virtual_op(&mut i, &mut list)? {
            return Ok(v);
        }
        if let Some(v) = self.fold(&mut i)? {
            return Ok(v);
        }
        if let Some(v) = self.cse_op(&i) {
            if i.op == Op::GValid
                && let Some(t) = &mut self.track
            {
                t.valid.insert(i.args[0]);
            }
            return Ok(v);
        }
        if let Some(v) = self.heap_op(&mut i)? {
            return Ok(v);
        }
        self.append(i, &list)
    }

    /// Appends to the trace and learns from the op.
    pub fn append(&mut self, mut i: Inst, list: &[Val]) -> Result<Val, Abort> {
        i.list = self.tr.push_list(list);
        if i.op == Op::GNotForced {
            i.snap = self.forced_snap()?;
        } else if i.op.is_guard() || i.snap != NO_SNAP {
            i.snap = self.guard_snap()?;
        }
        if i.snap != NO_SNAP && !i.op.is_guard() {
            self.at_call.clear();
            for (n, f) in self.frames.iter().enumerate() {
                for (k, x) in f.slots.iter().filter(|(_, x)| x.dirty && !x.val.is_none()) {
                    self.at_call.insert((n, *k), x.val);
                }
            }
        }
        let eff = self.tr.effects(self.d, &i);
        self.before(&i, eff)?;
        let v = self.tr.push(i);
        self.after(&i, v, eff);
        Ok(if i.ty == Ty::Void { Val::NONE } else { v })
    }
}
