//! The optimiser: recorder-level operations in, optimised IR out.
//!
//! The recorder talks to a [`Builder`]. Each operation is kept in a raw list and at once sent through the emit
//! chain (virtual -> fold -> cse -> heap -> append). Closing a loop sends the raw list through the same chain a
//! second time with the state of the first pass as its start: the first copy is the pre-roll, the second the body,
//! and everything the first has proved disappears from the second (jit-design §9).
//!
//! Interpreter frames are virtual: `sget`/`spop`/`sput` move values between slots without code. A slot is *clean*
//! (memory has it and owns its reference) or *dirty* (the trace has value and reference). Snapshots list the dirty
//! slots; calls that need the frame in memory flush them.
//!
//! After the chain: [`rc`] cancels reference traffic and settles who gives references at each exit, [`dce`] removes
//! what nobody needs.
//!
//! Invariant (checked by the verifier): for every reference, what the trace holds at a guard is what the exit
//! gives away.

mod bridge;
pub mod dce;
mod fold;
mod heap;
mod loops;
pub mod rc;
mod relink;
pub mod selftest;
mod state;
mod virt;

use lh_jit_ir::*;
pub use state::Abort;
use state::Opt;

/// A value as the recorder sees it: the number of the recorded operation, or a constant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct R(pub(crate) Val);

/// One recorded operation; its index is its result's number. Operands are recorder values.
#[derive(Clone, Debug)]
pub(crate) enum Raw {
    Op {
        inst: Inst,
        list: Vec<Val>,
    },
    /// The state at a bytecode boundary, for the guards that follow.
    Snap {
        kind: u32,
        pc: u32,
        sp: u32,
    },
    SGet {
        frame: usize,
        slot: i32,
    },
    SPop {
        frame: usize,
        slot: i32,
    },
    SPut {
        frame: usize,
        slot: i32,
        val: Val,
    },
    /// Slots lo..hi were changed in memory behind our back.
    Clobber {
        frame: usize,
        lo: i32,
        hi: i32,
    },
    PushFrame {
        base: Val,
        token: u64,
        pc: u32,
        nulls: i32,
    },
    PopFrame,
    Suspend,
    /// An item's silent value is replaced.
    Replace {
        array: u32,
        args: [Val; 4],
    },
    Flush,
    /// A bridge input (already emitted).
    Input,
}

/// Records one trace. See the crate comment and `docs/jit.md`.
pub struct Builder<'d> {
    pub(crate) raw: Vec<Raw>,
    pub(crate) map: Vec<Val>,
    pub(crate) o: Opt<'d>,
    /// First raw operation of the loop.
    pub(crate) start: usize,
    pub(crate) depth: usize,
    /// Bridges: the contract of the loop they came from.
    pub(crate) label: Option<Box<Label>>,
}

impl<'d> Builder<'d> {
    /// A root trace: the frame's address is `jf`'s FRAME word, everything is in frame memory.
    pub fn new(d: &'d Descs, token: u64, pc: u32, sp: u32) -> Builder<'d> {
        let mut o = Opt::new(d);
        let base = o.tr.push(Inst::new(Op::JLoad, Ty::Ptr, &[]).with_imm(jf::FRAME as u32));
        o.push_root(base, token, pc, sp);
        Builder { raw: vec![Raw::Input], map: vec![base], o, start: 1, depth: 1, label: None }
    }

    pub fn descs(&self) -> &'d Descs {
        self.o.d
    }

    // ---- Constants and questions ----

    pub fn int(&mut self, v: i64) -> R {
        R(self.o.tr.konst(Ty::I64, v as u64))
    }
    pub fn float(&mut self, v: f64) -> R {
        R(self.o.tr.konst(Ty::F64, v.to_bits()))
    }
    pub fn ptr(&mut self, v: u64) -> R {
        R(self.o.tr.konst(Ty::Ptr, v))
    }
    /// A constant object; whoever keeps the trace keeps it alive.
    pub fn object(&mut self, v: u64) -> R {
        R(self.o.tr.konst(Ty::Ref, v))
    }
    pub fn null(&mut self) -> R {
        self.object(0)
    }
    /// Known bits of a value.
    pub fn const_of(&self, r: R) -> Option<u64> {
        self.o.const_of(self.val(r))
    }
    /// Known exact type (address of the type object).
    pub fn type_of(&self, r: R) -> Option<u64> {
        self.o.type_of(self.val(r))
    }
    pub fn is_virtual(&self, r: R) -> bool {
        self.o.resolve(self.val(r)).is_virt()
    }
    /// Would the virtual object `holder` be part of itself if it held `v`?
    pub fn contains(&self, v: R, holder: R) -> bool {
        self.o.contains(self.val(v), self.val(holder))
    }
    pub fn ty(&self, r: R) -> Ty {
        let v = self.val(r);
        self.o.tr.ty(v)
    }
    /// Root frame address.
    pub fn frame(&self) -> R {
        R(Val::inst(0))
    }
    pub fn ops(&self) -> usize {
        self.o.tr.insts.len()
    }
    pub fn trace(&self) -> &Trace {
        &self.o.tr
    }

    pub(crate) fn val(&self, r: R) -> Val {
        if r.0.is_inst() { self.map[r.0.index()] } else { r.0 }
    }

    fn record(&mut self, raw: Raw) -> Result<R, Abort> {
        let v = step(&mut self.o, &self.map, &raw)?;
        self.raw.push(raw);
        self.map.push(v);
        Ok(R(Val::inst(self.raw.len() - 1)))
    }

    // ---- Operations ----

    /// Any op with plain operands whose result type the table gives.
    pub fn emit(&mut self, op: Op, args: &[R]) -> Result<R, Abort> {
        let ty = op.result().expect("use emit_ty");
        self.emit_ty(op, ty, args, 0)
    }
    /// Any op with plain operands; `imm` as the table says.
    pub fn emit_ty(&mut self, op: Op, ty: Ty, args: &[R], imm: u32) -> Result<R, Abort> {
        let a: Vec<Val> = args.iter().map(|r| r.0).collect();
        self.record(Raw::Op { inst: Inst::new(op, ty, &a).with_imm(imm), list: vec![] })
    }
    pub fn fload(&mut self, base: R, field: u32) -> Result<R, Abort> {
        let ty = self.o.d.fields[field as usize].kind.ty();
        self.emit_ty(Op::FLoad, ty, &[base], field)
    }
    pub fn fstore(&mut self, base: R, field: u32, v: R) -> Result<(), Abort> {
        self.emit_ty(Op::FStore, Ty::Void, &[base, v], field).map(drop)
    }
    pub fn aload(&mut self, base: R, array: u32, idx: R) -> Result<R, Abort> {
        let ty = self.o.d.arrays[array as usize].kind.ty();
        self.emit_ty(Op::ALoad, ty, &[base, idx], array)
    }
    pub fn astore(&mut self, base: R, array: u32, idx: R, v: R) -> Result<(), Abort> {
        self.emit_ty(Op::AStore, Ty::Void, &[base, idx, v], array).map(drop)
    }
    /// Stores `x` over an array item whose value `old` (loaded from there, of a known silent type) goes. Takes `x`'s
    /// reference over, and the item's to `old`.
    pub fn replace(&mut self, base: R, array: u32, idx: R, old: R, x: R) -> Result<(), Abort> {
        self.record(Raw::Replace { array, args: [base.0, idx.0, old.0, x.0] }).map(drop)
    }
    pub fn cast(&mut self, ty: Ty, v: R) -> Result<R, Abort> {
        self.emit_ty(Op::Cast, ty, &[v], 0)
    }
    /// `stat`: the fact survives arbitrary code.
    pub fn guard_type(&mut self, v: R, type_addr: u64, stat: bool) -> Result<(), Abort> {
        let t = self.ptr(type_addr);
        self.emit_ty(Op::GType, Ty::Void, &[v, t], stat as u32).map(drop)
    }
    /// Guards that `v` has the bits of the constant `c`; later uses see the constant.
    pub fn guard_value(&mut self, v: R, c: R) -> Result<(), Abort> {
        self.emit(Op::GValue, &[v, c]).map(drop)
    }
    pub fn own(&mut self, v: R) -> Result<(), Abort> {
        self.emit(Op::Own, &[v]).map(drop)
    }
    /// The trace takes over the reference to `v` that a place in memory had, which has been overwritten.
    pub fn adopt(&mut self, v: R) -> Result<(), Abort> {
        self.emit_ty(Op::Adopt, Ty::Void, &[v], bridge::NO_SLOT).map(drop)
    }
    /// `flags`: `ops::DROP_*`. A drop that may be the last of a non-silent type flushes frames and is a barrier.
    pub fn drop_ref(&mut self, v: R, flags: u32) -> Result<(), Abort> {
        self.emit_ty(Op::Drop, Ty::Void, &[v], flags).map(drop)
    }
    /// A call. `force_ready`: frames stay virtual over code that may look at them; the current snapshot describes
    /// them (take one for the state *during* the call first) and a `guard_not_forced` must follow.
    pub fn call(&mut self, helper: u32, args: &[R], force_ready: bool) -> Result<R, Abort> {
        let mut inst = Inst::new(Op::Call, self.o.d.helpers[helper as usize].ret, &[]).with_imm(helper);
        if force_ready {
            inst.snap = 0;
        }
        self.record(Raw::Op { inst, list: args.iter().map(|r| r.0).collect() })
    }
    /// A native call: operands as [`NativeDesc`] says.
    pub fn native(&mut self, desc: NativeDesc, args: &[R], force_ready: bool) -> Result<R, Abort> {
        let ty = match &desc.ret {
            RetPlace::One(k) => k.ty(),
            _ => Ty::Void,
        };
        let n = match self.o.tr.natives.iter().position(|x| *x == desc) {
            Some(n) => n,
            None => {
                self.o.tr.natives.push(desc);
                self.o.tr.natives.len() - 1
            }
        };
        let mut inst = Inst::new(Op::NCall, ty, &[]).with_imm(n as u32);
        if force_ready {
            inst.snap = 0;
        }
        self.record(Raw::Op { inst, list: args.iter().map(|r| r.0).collect() })
    }
    /// A new object of a described class; takes over one reference of each reference field.
    pub fn new_object(&mut self, class: u32, fields: &[R]) -> Result<R, Abort> {
        let inst = Inst::new(Op::New, Ty::Ref, &[]).with_imm(class);
        self.record(Raw::Op { inst, list: fields.iter().map(|r| r.0).collect() })
    }

    // ---- Frames ----

    /// The state here is an interpreter state: guards that follow exit to it.
    pub fn snapshot(&mut self, kind: u32, pc: u32, sp: u32) -> Result<(), Abort> {
        self.record(Raw::Snap { kind, pc, sp }).map(drop)
    }
    fn top(&self) -> usize {
        self.depth - 1
    }
    /// Value of a slot of the innermost frame, borrowed from it.
    pub fn sget(&mut self, slot: i32) -> Result<R, Abort> {
        let frame = self.top();
        self.record(Raw::SGet { frame, slot })
    }
    /// Takes value and reference out of a slot.
    pub fn spop(&mut self, slot: i32) -> Result<R, Abort> {
        let frame = self.top();
        self.record(Raw::SPop { frame, slot })
    }
    /// Puts a value and a reference into an empty slot.
    pub fn sput(&mut self, slot: i32, v: R) -> Result<(), Abort> {
        let frame = self.top();
        self.record(Raw::SPut { frame, slot, val: v.0 }).map(drop)
    }
    /// As [`Builder::sput`], `up` frames further out (a return value goes to the caller).
    pub fn sput_at(&mut self, up: usize, slot: i32, v: R) -> Result<(), Abort> {
        let frame = self.top() - up;
        self.record(Raw::SPut { frame, slot, val: v.0 }).map(drop)
    }
    /// Memory of slots `lo..hi` of the innermost frame was changed by a call; forget them.
    pub fn clobber(&mut self, lo: i32, hi: i32) -> Result<(), Abort> {
        let frame = self.top();
        self.record(Raw::Clobber { frame, lo, hi }).map(drop)
    }
    /// Enters an inlined function whose frame memory is at `base`; its first `nulls` slots are null. `pc` is where
    /// the caller will go on.
    pub fn push_frame(&mut self, base: R, token: u64, pc: u32, nulls: i32) -> Result<(), Abort> {
        self.record(Raw::PushFrame { base: base.0, token, pc, nulls })?;
        self.depth += 1;
        Ok(())
    }
    /// Leaves an inlined function; its slots must have been emptied with `spop`.
    pub fn pop_frame(&mut self) -> Result<(), Abort> {
        self.record(Raw::PopFrame)?;
        self.depth -= 1;
        Ok(())
    }
    /// Leaves a frame that goes on living in its memory: everything there is written.
    pub fn suspend_frame(&mut self) -> Result<(), Abort> {
        self.record(Raw::Suspend)?;
        self.depth -= 1;
        Ok(())
    }
    pub fn depth(&self) -> usize {
        self.depth
    }
    /// Writes all frames and delayed stores to memory.
    pub fn flush(&mut self) -> Result<(), Abort> {
        self.record(Raw::Flush).map(drop)
    }
    /// The loop starts here instead of at the trace's beginning (operations before are a prologue).
    pub fn loop_starts_here(&mut self) {
        self.start = self.raw.len();
    }

    // ---- Endings ----

    /// The recorder is back where it began: peel and close the loop. The last snapshot must be of this point.
    pub fn finish_loop(self) -> Result<Trace, Abort> {
        let t = loops::close(&self)?;
        Ok(finish(t, self.o.d))
    }
    /// Everything to memory, then continue at the trace entry whose address is stored at `entry_cell`.
    pub fn finish_link(mut self, entry_cell: u64) -> Result<Trace, Abort> {
        self.flush()?;
        let c = self.o.tr.konst(Ty::Ptr, entry_cell);
        self.o.tr.push(Inst::new(Op::Link, Ty::Void, &[c]));
        let d = self.o.d;
        Ok(finish(self.o.tr, d))
    }
    /// Back to the interpreter at the last snapshot.
    pub fn finish_exit(mut self) -> Result<Trace, Abort> {
        let s = self.o.guard_snap()?;
        self.o.tr.push(Inst::new(Op::Exit, Ty::Void, &[]).with_snap(s));
        let d = self.o.d;
        Ok(finish(self.o.tr, d))
    }
}

/// The passes behind the chain.
fn finish(mut t: Trace, d: &Descs) -> Trace {
    dce::run(&mut t, d);
    rc::run(&mut t, d);
    dce::run(&mut t, d);
    settle_label(&mut t);
    if cfg!(debug_assertions)
        && let Err(e) = verify::verify(&t, d, true)
    {
        panic!("optimised trace is wrong: {e}\n{}", print::trace(&t, d));
    }
    t
}

/// Finds the values from before the loop that the body or the contract needs.
fn settle_label(t: &mut Trace) {
    let Some(at) = t.loop_at() else { return };
    let Some(mut l) = t.label.take() else { return };
    let mut needed = vec![false; at];
    let mut need = |v: Val| {
        if v.is_inst() && v.index() < at {
            needed[v.index()] = true;
        }
    };
    for i in &t.insts[at..] {
        if i.op == Op::Phi {
            need(i.args[1]);
            continue;
        }
        t.operands(i).for_each(&mut need);
        if i.snap != NO_SNAP {
            t.snaps[i.snap as usize].for_each_val(&mut need);
        }
    }
    l.needs(&mut need);
    l.statics.retain(|(v, _)| needed[v.index()]);
    // Words that every trace of the activation has at hand are nobody's burden.
    let pinned = |i: &Inst| matches!(i.op, Op::Ts | Op::Jf) || i.op == Op::JLoad && i.imm < jf::GPR as u32;
    l.values = (0..at).filter(|k| needed[*k] && !pinned(&t.insts[*k])).map(Val::inst).collect();
    t.label = Some(l);
}

/// Sends one recorded operation through the chain.
pub(crate) fn step(o: &mut Opt, map: &[Val], raw: &Raw) -> Result<Val, Abort> {
    let m = |v: Val| -> Val { if v.is_inst() { map[v.index()] } else { v } };
    match raw {
        Raw::Op { inst, list } => {
            let mut i = *inst;
            for a in &mut i.args {
                if !a.is_none() {
                    *a = m(*a);
                }
            }
            let list: Vec<Val> = list.iter().map(|v| m(*v)).collect();
            o.emit(i, list)
        }
        Raw::Snap { kind, pc, sp } => {
            o.capture(*kind, *pc, *sp);
            Ok(Val::NONE)
        }
        Raw::SGet { frame, slot } => o.sget(*frame, *slot),
        Raw::SPop { frame, slot } => o.spop(*frame, *slot),
        Raw::SPut { frame, slot, val } => {
            let v = m(*val);
            o.sput(*frame, *slot, v);
            Ok(Val::NONE)
        }
        Raw::Clobber { frame, lo, hi } => {
            o.clobber(*frame, *lo, *hi);
            Ok(Val::NONE)
        }
        Raw::PushFrame { base, token, pc, nulls } => {
            let base = m(*base);
            o.push_frame(base, *token, *pc, *nulls);
            Ok(Val::NONE)
        }
        Raw::Suspend => {
            let n = o.frames.len() - 1;
            let slots: Vec<i32> = o.frames[n].slots.keys().copied().collect();
            for s in slots {
                o.flush_slot(n, s)?;
            }
            o.frames.pop();
            Ok(Val::NONE)
        }
        Raw::PopFrame => {
            o.frames.pop();
            Ok(Val::NONE)
        }
        Raw::Replace { array, args } => {
            o.replace(*array, args.map(m))?;
            Ok(Val::NONE)
        }
        Raw::Flush => {
            o.flush_all()?;
            Ok(Val::NONE)
        }
        Raw::Input => Ok(Val::NONE),
    }
}

#[cfg(test)]
mod tests;
