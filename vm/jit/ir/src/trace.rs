//! Traces: instructions, constants, snapshots.

use crate::desc::*;
use crate::label::{Label, LabelCode};
use crate::ops::{self, Op};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Ty {
    Void,
    I64,
    F64,
    Ptr,
    Ref,
}

impl Ty {
    pub fn letter(self) -> char {
        match self {
            Ty::Void => '-',
            Ty::I64 => 'i',
            Ty::F64 => 'f',
            Ty::Ptr => 'p',
            Ty::Ref => 'r',
        }
    }
}

/// An operand: an instruction's result, a constant, or (in snapshots and inside the optimiser) a virtual object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Val(pub u32);

const CONST_BIT: u32 = 1 << 31;
const VIRT_BIT: u32 = 1 << 30;

impl Val {
    pub const NONE: Val = Val(u32::MAX);
    pub fn inst(i: usize) -> Val {
        debug_assert!((i as u32) < VIRT_BIT);
        Val(i as u32)
    }
    pub fn cons(i: usize) -> Val {
        Val(i as u32 | CONST_BIT)
    }
    pub fn virt(i: usize) -> Val {
        Val(i as u32 | VIRT_BIT)
    }
    pub fn is_none(self) -> bool {
        self == Val::NONE
    }
    pub fn is_inst(self) -> bool {
        self.0 & (CONST_BIT | VIRT_BIT) == 0
    }
    pub fn is_const(self) -> bool {
        self.0 & CONST_BIT != 0 && !self.is_none()
    }
    pub fn is_virt(self) -> bool {
        self.0 & (CONST_BIT | VIRT_BIT) == VIRT_BIT
    }
    /// Index in the instruction array, constant pool or virtual list.
    pub fn index(self) -> usize {
        (self.0 & !(CONST_BIT | VIRT_BIT)) as usize
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Const {
    pub ty: Ty,
    pub bits: u64,
}

pub const NO_SNAP: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inst {
    pub op: Op,
    pub ty: Ty,
    pub args: [Val; 3],
    pub imm: u32,
    /// Start and length in [`Trace::lists`].
    pub list: (u32, u32),
    pub snap: u32,
}

impl Inst {
    pub fn new(op: Op, ty: Ty, args: &[Val]) -> Inst {
        let mut a = [Val::NONE; 3];
        a[..args.len()].copy_from_slice(args);
        Inst { op, ty, args: a, imm: 0, list: (0, 0), snap: NO_SNAP }
    }
    pub fn with_imm(mut self, imm: u32) -> Inst {
        self.imm = imm;
        self
    }
    pub fn with_snap(mut self, snap: u32) -> Inst {
        self.snap = snap;
        self
    }
}

/// Who gives the reference a restored slot needs: the trace hands over one it holds, or the restore makes one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Own {
    Give,
    Copy,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapSlot {
    /// Word index from slot 0 of the frame; negative numbers reach the header.
    pub slot: i32,
    pub src: Val,
    pub own: Own,
}

/// One interpreter frame, outermost first. Slots not listed are right in memory already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapFrame {
    /// The frame's address.
    pub base: Val,
    /// The embedder's word (what code runs in it).
    pub token: u64,
    pub pc: u32,
    pub sp: u32,
    pub slots: Vec<SnapSlot>,
}

/// A field store that was delayed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapStore {
    pub base: Val,
    pub field: u32,
    pub src: Val,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum VClass {
    BoxI,
    BoxF,
    Class(u32),
}

/// An object an exit builds. Fields may be virtuals with a smaller number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VirtObj {
    pub class: VClass,
    pub fields: Vec<(Val, Own)>,
    /// References the restored state needs to it (the object is born with that count).
    pub count: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// The embedder's kind of exit (resume, raise, ...); 0 is "run the instruction at pc".
    pub kind: u32,
    pub frames: Vec<SnapFrame>,
    pub stores: Vec<SnapStore>,
    pub virts: Vec<VirtObj>,
    /// References the trace holds and nobody needs: dropped last.
    pub drops: Vec<(Val, u32)>,
    /// Calls only: references the program has but the trace does not count. A force makes them, so that what the
    /// native code works on stays alive whatever the Python code does; they are the trace's from then on.
    pub holds: Vec<(Val, u32)>,
}

impl Snapshot {
    /// Every value (instruction or constant) the snapshot reads.
    pub fn for_each_val(&self, f: &mut dyn FnMut(Val)) {
        for fr in &self.frames {
            f(fr.base);
            for s in &fr.slots {
                f(s.src);
            }
        }
        for s in &self.stores {
            f(s.base);
            f(s.src);
        }
        for v in &self.virts {
            for (x, _) in &v.fields {
                f(*x);
            }
        }
        for (v, _) in self.drops.iter().chain(&self.holds) {
            f(*v);
        }
    }
    pub fn map_vals(&mut self, f: &mut dyn FnMut(Val) -> Val) {
        for fr in &mut self.frames {
            fr.base = f(fr.base);
            for s in &mut fr.slots {
                s.src = f(s.src);
            }
        }
        for s in &mut self.stores {
            s.base = f(s.base);
            s.src = f(s.src);
        }
        for v in &mut self.virts {
            for x in &mut v.fields {
                x.0 = f(x.0);
            }
        }
        for d in self.drops.iter_mut().chain(&mut self.holds) {
            d.0 = f(d.0);
        }
    }
    /// Visits every place that needs a reference to an instruction's or constant's value.
    pub fn for_each_need(&mut self, is_ref: &dyn Fn(Val) -> bool, f: &mut dyn FnMut(Val, &mut Own)) {
        for fr in &mut self.frames {
            for s in &mut fr.slots {
                if !s.src.is_virt() && is_ref(s.src) {
                    f(s.src, &mut s.own);
                }
            }
        }
        for v in &mut self.virts {
            for (x, own) in &mut v.fields {
                if !x.is_virt() && is_ref(*x) {
                    f(*x, own);
                }
            }
        }
    }
}

#[derive(Clone, Default, Debug, PartialEq)]
pub struct Trace {
    pub insts: Vec<Inst>,
    pub consts: Vec<Const>,
    pub lists: Vec<Val>,
    pub snaps: Vec<Snapshot>,
    pub natives: Vec<NativeDesc>,
    /// The loop label's contract.
    pub label: Option<Box<Label>>,
    /// `link_label`: the label's machine places.
    pub link: Option<Box<LabelCode>>,
}

impl Trace {
    pub fn new() -> Trace {
        Trace::default()
    }
    pub fn konst(&mut self, ty: Ty, bits: u64) -> Val {
        // Pools are small; new constants tend to equal recent ones.
        let c = Const { ty, bits };
        if let Some(i) = self.consts.iter().rposition(|x| *x == c) {
            return Val::cons(i);
        }
        self.consts.push(c);
        Val::cons(self.consts.len() - 1)
    }
    pub fn ty(&self, v: Val) -> Ty {
        if v.is_const() {
            self.consts[v.index()].ty
        } else if v.is_virt() {
            Ty::Ref
        } else {
            self.insts[v.index()].ty
        }
    }
    pub fn const_bits(&self, v: Val) -> Option<u64> {
        v.is_const().then(|| self.consts[v.index()].bits)
    }
    pub fn push(&mut self, i: Inst) -> Val {
        self.insts.push(i);
        Val::inst(self.insts.len() - 1)
    }
    pub fn push_list(&mut self, args: &[Val]) -> (u32, u32) {
        let s = self.lists.len() as u32;
        self.lists.extend_from_slice(args);
        (s, args.len() as u32)
    }
    pub fn list(&self, i: &Inst) -> &[Val] {
        &self.lists[i.list.0 as usize..(i.list.0 + i.list.1) as usize]
    }
    /// Plain operands then listed ones; not those of the snapshot.
    pub fn operands(&self, i: &Inst) -> impl Iterator<Item = Val> + '_ {
        let a = i.args;
        let l = i.list;
        a.into_iter()
            .filter(|v| !v.is_none())
            .chain(self.lists[l.0 as usize..(l.0 + l.1) as usize].iter().copied())
    }
    pub fn loop_at(&self) -> Option<usize> {
        self.insts.iter().position(|i| i.op == Op::Loop)
    }
    /// Instructions that have an exit, in order; the n-th is exit number n.
    pub fn guards(&self) -> Vec<usize> {
        (0..self.insts.len()).filter(|&i| self.insts[i].op.is_guard()).collect()
    }
    pub fn effects(&self, d: &Descs, i: &Inst) -> Effects {
        inst_effects(d, &self.natives, i)
    }
}

/// What an instruction may do, from the table and the descriptors.
pub fn inst_effects(d: &Descs, natives: &[NativeDesc], i: &Inst) -> Effects {
    let bit = |a: u8| 1u64 << a;
    match i.op {
        Op::FLoad => Effects { reads: bit(d.fields[i.imm as usize].alias), ..Effects::NONE },
        Op::ALoad => Effects { reads: bit(d.arrays[i.imm as usize].alias), ..Effects::NONE },
        Op::FStore => Effects { writes: bit(d.fields[i.imm as usize].alias), ..Effects::NONE },
        Op::AStore => Effects { writes: bit(d.arrays[i.imm as usize].alias), ..Effects::NONE },
        Op::FReplace => {
            Effects { writes: bit(d.arrays[i.imm as usize].alias), flags: ALLOCATES, ..Effects::NONE }
        }
        Op::SLoad => Effects { reads: bit(ALIAS_FRAME), ..Effects::NONE },
        Op::SStore => Effects { writes: bit(ALIAS_FRAME), ..Effects::NONE },
        Op::Call => d.helpers[i.imm as usize].effects.normalised(),
        Op::NCall => natives[i.imm as usize].effects.normalised(),
        Op::New => d.helpers[d.classes[i.imm as usize].alloc as usize].effects.normalised(),
        Op::BoxI | Op::BoxF => Effects { flags: ALLOCATES, ..Effects::NONE },
        Op::Drop if i.imm & ops::DROP_NOT_LAST != 0 => Effects::NONE,
        Op::Drop if i.imm & ops::DROP_SILENT != 0 => Effects { flags: MAY_DEALLOC, ..Effects::NONE },
        Op::Drop => Effects::ARBITRARY,
        _ => Effects::NONE,
    }
}
