//! Lowering: one walk over the trace, one small function per family of ops.
//!
//! Conventions: `p` is the instruction's position; operand registers are locked until the instruction ends; exit
//! labels are taken after all allocation of the instruction, because a stub stores what is in registers then. Code
//! that is rarely run goes behind the trace (`cold`).

use crate::alloc::*;
use crate::asm::{Alu, Asm, Cc, Fop, Label, Sh};
use crate::mem::{Loc, dump_offset};
use crate::{Compiled, Error, Options, Site};
use lh_jit_ir::ops::*;
use lh_jit_ir::*;
use std::collections::HashMap;

/// Code behind the trace.
enum Cold {
    Stub {
        at: Label,
        no: usize,
        dump: u32,
        /// The call before has been forced.
        forced: bool,
    },
    /// The last reference of the object in `obj` is gone: dealloc, keeping `live` registers.
    Dealloc { at: Label, back: Label, obj: u8, live: u32, dump: u32, call: Option<i32> },
    /// Makes a float by the helper, keeping `live` registers. It goes to `dst`, or to the item at `to` (base, index, offset)
    /// whose old value gives a reference back.
    BoxF { at: Label, back: Label, src: Loc, live: u32, dst: Option<u8>, to: Option<(u8, Loc, i32, u8)> },
    /// An int that is a cached object.
    Small { at: Label, back: Label, src: u8, dst: u8 },
    /// Makes an int by the helper, keeping `live` registers.
    BoxI { at: Label, back: Label, src: u8, dst: u8, live: u32 },
    /// Unboxes integers of 0, -1, 2, -2 digits.
    Unbox { at: Label, back: Label, obj: u8, dst: u8, exit: Label },
}

/// What is known to lie in memory already, so that it need not be stored again.
pub(crate) struct InMemory {
    /// The call word is 0.
    pub no_call: bool,
    /// The frame last stored to, and what its slots hold since: nobody but the trace (and what is told of its frames) writes there.
    pub base: Val,
    pub slots: HashMap<u32, Val>,
}
impl InMemory {
    fn new() -> InMemory {
        InMemory { no_call: false, base: Val::NONE, slots: HashMap::new() }
    }
    pub fn forget(&mut self) {
        self.no_call = false;
        self.slots.clear();
    }
    /// Is the value in the slot already? It is from now on.
    fn has(&mut self, base: Val, slot: u32, v: Val) -> bool {
        self.at(base);
        self.slots.insert(slot, v) == Some(v)
    }
    /// Memory of the frame at `base` is written: other frames may lie where that one does.
    fn at(&mut self, base: Val) {
        if self.base != base {
            self.base = base;
            self.slots.clear();
        }
    }
}

pub(crate) struct Lower<'a> {
    pub t: &'a Trace,
    pub d: &'a Descs,
    pub o: Options,
    pub asm: Asm,
    pub a: Alloc,
    pub snap_vals: Vec<Vec<Val>>,
    /// Where the loop label expects each value.
    pub label: Vec<Option<Loc>>,
    loop_label: Option<Label>,
    fused: Vec<bool>,
    exits: Vec<Site>,
    pub calls: Vec<Site>,
    cold: Vec<Cold>,
    /// Behind the loop label, or in a bridge: values every exit keeps.
    kept: Vec<Val>,
    label_code: Option<LabelCode>,
    /// Exit number and registers to dump of the `guard_not_forced` just passed.
    not_forced: Option<(u32, u32)>,
    pub in_memory: InMemory,
    /// Changes of counts that an earlier instruction has made together with its own.
    counted: Vec<bool>,
}

/// A compare or an integer field load whose only use is the guard right behind it is made by the guard.
fn find_fused(t: &Trace, d: &Descs) -> Vec<bool> {
    let n = t.insts.len();
    let mut uses = vec![0u32; n];
    for i in &t.insts {
        for v in t.operands(i) {
            if v.is_inst() {
                uses[v.index()] += 1;
            }
        }
    }
    for s in &t.snaps {
        s.for_each_val(&mut |v| {
            if v.is_inst() {
                uses[v.index()] += 2;
            }
        });
    }
    (0..n)
        .map(|p| {
            let i = &t.insts[p];
            let load = i.op == Op::FLoad && d.fields[i.imm as usize].kind.ty() == Ty::I64;
            (is_compare(i.op) || load)
                && uses[p] == 1
                && t.insts
                    .get(p + 1)
                    .is_some_and(|g| matches!(g.op, Op::GTrue | Op::GFalse) && g.args[0] == Val::inst(p))
        })
        .collect()
}

fn is_compare(op: Op) -> bool {
    (op as u8) >= (Op::Eq as u8) && (op as u8) <= (Op::FGe as u8)
}

fn cc_of(op: Op) -> Cc {
    match op {
        Op::Eq => Cc::E,
        Op::Ne => Cc::Ne,
        Op::Lt => Cc::L,
        Op::Le => Cc::Le,
        Op::Gt => Cc::G,
        Op::Ge => Cc::Ge,
        Op::Ult => Cc::B,
        Op::Ule => Cc::Be,
        _ => unreachable!("integer compares only"),
    }
}

/// A constant as a sign-extended 32-bit immediate.
fn small(l: Loc) -> Option<i32> {
    match l {
        Loc::Const(c) if c as i64 == c as i32 as i64 => Some(c as i32),
        _ => None,
    }
}

impl<'a> Lower<'a> {
    pub fn new(t: &'a Trace, d: &'a Descs, o: Options) -> Lower<'a> {
        let fused = find_fused(t, d);
        let a = Alloc::new(t, d, &fused, o.random);
        let snap_vals = t.snaps.iter().map(snap_values).collect();
        Lower {
            t,
            d,
            o,
            asm: Asm::new(),
            a,
            snap_vals,
            label: vec![],
            loop_label: None,
            fused,
            exits: vec![],
            calls: vec![],
            cold: vec![],
            kept: vec![],
            label_code: None,
            not_forced: None,
            in_memory: InMemory::new(),
            counted: vec![false; t.insts.len()],
        }
    }

    pub fn run(mut self) -> Result<Compiled, Error> {
        if self.t.insts.iter().any(|i| i.snap != NO_SNAP && !i.op.is_guard()) {
            self.asm.st_imm32(JF, jf::CALL + 4, self.o.trace_id as i32);
        }
        if self.t.link.is_some()
            && let Some(l) = &self.t.label
        {
            self.kept = l.values.iter().copied().filter(|v| v.is_inst()).collect();
        }
        self.countdown();
        for p in 0..self.t.insts.len() {
            if !self.fused[p] {
                self.inst(p as u32)?;
            }
            self.a.expire(p as u32);
        }
        for c in std::mem::take(&mut self.cold) {
            self.cold_code(c);
        }
        if self.a.next_slot as usize > jf::SIZE {
            return Err(Error::TooManySpills);
        }
        let jf_size = self.a.next_slot as u32;
        let code = self.asm.finish().map_err(|_| Error::Encoding)?;
        if let Some(l) = &mut self.label_code {
            l.top = jf_size as i32;
        }
        Ok(Compiled { code, exits: self.exits, calls: self.calls, jf_size, label: self.label_code })
    }

    /// An iteration begins: at the entry, which has one in front of the label, and at the label.
    fn countdown(&mut self) {
        if let Some(c) = self.o.countdown {
            let go_on = self.asm.label();
            self.asm.imm(SCRATCH, c.word);
            self.asm.sub_m1(SCRATCH, 0);
            self.asm.jcc(Cc::Ne, go_on);
            self.asm.imm(SCRATCH, c.flags);
            self.asm.lock_or(SCRATCH, c.bits as i32);
            self.asm.bind(go_on);
        }
    }

    // ---- Exits ----

    /// The exit of the guard at `p`; state is taken now. One per guard.
    fn exit(&mut self, p: u32) -> Label {
        let at = self.asm.label();
        let snap = self.t.insts[p as usize].snap;
        let (mut places, mut dump) = self.places(snap);
        self.keep(&mut places, &mut dump);
        let no = self.exits.len();
        let forced = self.t.insts[p as usize].op == Op::GNotForced;
        self.exits.push(Site { inst: p as usize, snap, places, forced: None });
        self.cold.push(Cold::Stub { at, no, dump, forced });
        at
    }

    /// Adds what a way back to the label needs.
    fn keep(&self, places: &mut Vec<(Val, u32)>, dump: &mut u32) {
        for &v in &self.kept {
            if places.iter().all(|p| p.0 != v)
                && let Some((at, regs)) = self.place(v)
            {
                places.push((v, at));
                *dump |= regs;
            }
        }
    }

    /// Whether the frames were forced is known for certain only when the trace has been left and holds the GIL again,
    /// so the two exits behind a quiet call share one test and one stub.
    fn guard_quiet(&mut self, p: u32) {
        let at = self.asm.label();
        let snap = self.t.insts[p as usize].snap;
        let (places, mut dump) = self.places(snap);
        let no = self.exits.len();
        let forced = self.not_forced.take();
        if let Some((_, more)) = forced {
            dump |= more;
        }
        self.exits.push(Site { inst: p as usize, snap, places, forced: forced.map(|f| f.0) });
        self.cold.push(Cold::Stub { at, no, dump, forced: false });
        self.asm.cmp32_mi(TS, self.d.layout.attention, 0);
        self.asm.jcc(Cc::Ne, at);
    }

    fn cold_code(&mut self, c: Cold) {
        match c {
            Cold::Stub { at, no, dump, forced } => {
                self.asm.bind(at);
                self.dump(dump);
                if forced {
                    self.asm.st_imm(JF, jf::FORCED, 0);
                }
                let word = (self.o.trace_id as u64) << 32 | no as u64;
                self.mov(Loc::Mem(jf::EXIT), Loc::Const(word));
                self.asm.imm(RAX, self.o.exit_cells + 8 * no as u64);
                self.asm.jmp_m(RAX);
            }
            Cold::Dealloc { at, back, obj, live, dump, call } => {
                self.asm.bind(at);
                self.dump(live | dump);
                let h = &self.d.helpers[self.d.layout.dealloc as usize];
                let first = h.pass_ts as usize;
                self.asm.mov(ARGS[first], obj);
                if h.pass_ts {
                    self.asm.mov(ARGS[0], TS);
                }
                let addr = h.addr;
                // After the argument: this may use the scratch register, where a constant object is.
                if let Some(word) = call {
                    self.asm.st_imm32(JF, jf::CALL, word);
                }
                self.asm.call_pooled(addr);
                for r in 0..32u8 {
                    if live >> r & 1 != 0 {
                        self.mov(Loc::Reg(r), Loc::Mem(dump_offset(r)));
                    }
                }
                self.asm.jmp(back);
            }
            Cold::Small { at, back, src, dst } => {
                self.asm.bind(at);
                let l = &self.d.layout;
                let (first, refcnt) = (l.small_ints + 5 * 32, l.refcnt);
                self.asm.mov(dst, src);
                self.asm.shift_i(Sh::Shl, dst, 5);
                self.asm.imm(SCRATCH, first);
                self.asm.alu(Alu::Add, dst, SCRATCH);
                self.asm.add_m(dst, refcnt, 1);
                self.asm.jmp(back);
            }
            Cold::BoxI { at, back, src, dst, live } => {
                self.asm.bind(at);
                self.dump(live);
                self.asm.mov(ARGS[0], src);
                let addr = self.d.helpers[self.d.layout.box_int as usize].addr;
                self.asm.call_pooled(addr);
                self.asm.mov(dst, RAX);
                for r in 0..32u8 {
                    if live >> r & 1 != 0 {
                        self.mov(Loc::Reg(r), Loc::Mem(dump_offset(r)));
                    }
                }
                self.asm.jmp(back);
            }
            Cold::BoxF { at, back, src, live, dst, to } => {
                self.asm.bind(at);
                self.dump(live);
                // Nobody's dump place: the scratch register is never dumped.
                let place = dump_offset(SCRATCH);
                if let Some((base, idx, off, old)) = to {
                    match idx {
                        Loc::Reg(r) => self.asm.index(base, r, 8, off),
                        Loc::Const(n) => self.asm.lea(SCRATCH, base, n as i32 * 8 + off),
                        Loc::Mem(_) => unreachable!("an index is in a register"),
                    }
                    self.mov(Loc::Mem(place), Loc::Reg(SCRATCH));
                    self.asm.sub_m1(old, self.d.layout.refcnt);
                }
                self.mov(Loc::Reg(16), src);
                let addr = self.d.helpers[self.d.layout.box_float as usize].addr;
                self.asm.call_pooled(addr);
                if let Some(d) = dst {
                    self.asm.mov(d, RAX);
                }
                if to.is_some() {
                    self.mov(Loc::Reg(SCRATCH), Loc::Mem(place));
                    self.asm.st(SCRATCH, 0, RAX);
                }
                for r in 0..32u8 {
                    if live >> r & 1 != 0 {
                        self.mov(Loc::Reg(r), Loc::Mem(dump_offset(r)));
                    }
                }
                self.asm.jmp(back);
            }
            Cold::Unbox { at, back, obj, dst, exit } => {
                let l = &self.d.layout;
                let (size, digits) = (l.int_size, l.int_digits);
                let neg = self.asm.label();
                let one = self.asm.label();
                let two = self.asm.label();
                self.asm.bind(at);
                self.asm.ld(SCRATCH, obj, size);
                self.asm.alu_i(Alu::Cmp, SCRATCH, 2);
                self.asm.jcc(Cc::E, two);
                self.asm.alu_i(Alu::Cmp, SCRATCH, 0);
                self.asm.imm_keep_flags(dst, 0);
                self.asm.jcc(Cc::E, back);
                self.asm.alu_i(Alu::Cmp, SCRATCH, -1);
                self.asm.jcc(Cc::E, one);
                self.asm.alu_i(Alu::Cmp, SCRATCH, -2);
                self.asm.jcc(Cc::Ne, exit);
                self.asm.bind(two);
                // r11 keeps the sign; the high digit is added below it.
                self.asm.ld32(dst, obj, digits + 4);
                self.asm.shift_i(Sh::Shl, dst, 30);
                self.asm.test_self(SCRATCH);
                self.asm.ld32(SCRATCH, obj, digits);
                let neg2 = self.asm.label();
                self.asm.jcc(Cc::L, neg2);
                self.asm.alu(Alu::Or, dst, SCRATCH);
                self.asm.jmp(back);
                self.asm.bind(neg2);
                self.asm.alu(Alu::Or, dst, SCRATCH);
                self.asm.jmp(neg);
                self.asm.bind(one);
                self.asm.ld32(dst, obj, digits);
                self.asm.bind(neg);
                self.asm.neg(dst);
                self.asm.jmp(back);
            }
        }
    }

    // ---- Dispatch ----

    fn inst(&mut self, p: u32) -> Result<(), Error> {
        let i = self.t.insts[p as usize];
        let out = Val::inst(p as usize);
        let [a, b, c] = i.args;
        match i.op {
            Op::Ts | Op::Jf | Op::Adopt | Op::Yield => {}
            // Words of the header, and slots of the trace this one came from and will go back to: they stay right.
            Op::JLoad
                if i.imm < jf::GPR as u32
                    || i.imm >= jf::SPILL as u32 && (i.imm as i32) < self.a.first_slot =>
            {
                self.a.spill[p as usize] = Some(i.imm as i32)
            }
            Op::JLoad => {
                let r = self.alloc(out, p, None);
                self.mov(Loc::Reg(r), Loc::Mem(i.imm as i32));
            }
            Op::Add | Op::Sub | Op::AddOv | Op::SubOv | Op::And | Op::Or | Op::Xor | Op::Mul | Op::MulOv => {
                self.int_bin(p, i.op, a, b)
            }
            Op::PAdd => self.int_bin(p, Op::Add, a, b),
            Op::FloorDiv | Op::FloorMod => self.division(p, i.op, a, b),
            Op::Neg | Op::Not => {
                let r = self.dst_from(out, a, p);
                if i.op == Op::Neg { self.asm.neg(r) } else { self.asm.not(r) }
            }
            Op::Shl | Op::Shr | Op::Sar => self.shift(p, i.op, a, b),
            Op::Sext8 => self.extend(p, MemKind::I8, a),
            Op::Sext16 => self.extend(p, MemKind::I16, a),
            Op::Sext32 => self.extend(p, MemKind::I32, a),
            Op::Zext8 => self.extend(p, MemKind::U8, a),
            Op::Zext16 => self.extend(p, MemKind::U16, a),
            Op::Zext32 => self.extend(p, MemKind::U32, a),
            op if is_compare(op) => self.compare_value(p, op, a, b),
            Op::FAdd => self.float_bin(p, Fop::Add, a, b),
            Op::FSub => self.float_bin(p, Fop::Sub, a, b),
            Op::FMul => self.float_bin(p, Fop::Mul, a, b),
            Op::FDiv => self.float_bin(p, Fop::Div, a, b),
            Op::FNeg | Op::FAbs => {
                let r = self.dst_from(out, a, p) - 16;
                if i.op == Op::FNeg {
                    self.asm.fimm(FSCRATCH, 1 << 63);
                    self.asm.fxor(r, FSCRATCH);
                } else {
                    self.asm.fimm(FSCRATCH, !(1 << 63));
                    self.asm.fand(r, FSCRATCH);
                }
            }
            Op::FSqrt => {
                let x = self.xmm(a, p);
                let r = self.alloc(out, p, None) - 16;
                self.asm.fop(Fop::Sqrt, r, x);
            }
            Op::FRound32 => {
                let x = self.xmm(a, p);
                let r = self.alloc(out, p, None) - 16;
                self.asm.to_f32(r, x);
                self.asm.from_f32(r, r);
            }
            Op::I2F => {
                let x = self.gpr(a, p);
                let r = self.alloc(out, p, None) - 16;
                self.asm.i2f(r, x);
            }
            Op::F2I => {
                let x = self.xmm(a, p);
                let r = self.alloc(out, p, None);
                self.asm.f2i(r, x);
                let e = self.exit(p);
                self.asm.alu_i(Alu::Cmp, r, 1);
                self.asm.jcc(Cc::O, e);
            }
            Op::FBits => {
                let x = self.xmm(a, p);
                let r = self.alloc(out, p, None);
                self.asm.movq_from_f(r, x);
            }
            Op::BitsF => {
                let x = self.gpr(a, p);
                let r = self.alloc(out, p, None) - 16;
                self.asm.movq_to_f(r, x);
            }
            Op::Cast => {
                self.dst_from(out, a, p);
            }
            Op::FLoad => {
                let f = &self.d.fields[i.imm as usize];
                let base = self.gpr(a, p);
                let r = self.alloc(out, p, None);
                self.asm.load(f.kind, r & 15, base, f.offset);
            }
            Op::FStore => {
                let f = &self.d.fields[i.imm as usize];
                if self.t.ty(a) == Ty::Ptr {
                    self.in_memory.at(a);
                }
                self.store_field(p, f.kind, a, f.offset, b);
            }
            Op::SLoad => {
                let base = self.gpr(a, p);
                let r = self.alloc(out, p, None);
                self.asm.ld(r, base, self.d.layout.slots + 8 * i.imm as i32);
            }
            Op::SStore if self.in_memory.has(a, i.imm, b) && self.is_ours(a) => {}
            Op::SStore => {
                let off = self.d.layout.slots + 8 * i.imm as i32;
                self.store_field(p, MemKind::Ref, a, off, b);
            }
            Op::ALoad | Op::AStore => self.array(p, i, a, b, c),
            Op::FReplace => self.replace_float(p, i),
            Op::GTrue | Op::GFalse => self.guard_bool(p, i.op == Op::GTrue, a),
            Op::GType => {
                let r = self.gpr(a, p);
                self.cmp_mem_const(p, r, self.d.layout.type_of, b, Cc::Ne);
            }
            Op::GValue => {
                let cc = self.int_compare(p, a, b, Cc::E);
                let e = self.exit(p);
                self.asm.jcc(cc.not(), e);
            }
            Op::GNonNull | Op::GNull => {
                let r = self.gpr(a, p);
                let e = self.exit(p);
                self.asm.test_self(r);
                self.asm.jcc(if i.op == Op::GNull { Cc::Ne } else { Cc::E }, e);
            }
            Op::GShared => {
                let r = self.gpr(a, p);
                let e = self.exit(p);
                self.asm.cmp_mi(r, self.d.layout.refcnt, 1);
                self.asm.jcc(Cc::Le, e);
            }
            Op::GValid => {
                let r = self.gpr(a, p);
                let e = self.exit(p);
                self.asm.cmp_b0(r);
                self.asm.jcc(Cc::E, e);
            }
            Op::GNotForced if self.t.insts.get(p as usize + 1).is_some_and(|i| i.op == Op::GQuiet) => {
                let snap = i.snap;
                let (places, dump) = self.places(snap);
                self.not_forced = Some((self.exits.len() as u32, dump));
                self.exits.push(Site { inst: p as usize, snap, places, forced: None });
            }
            Op::GQuiet => self.guard_quiet(p),
            Op::GNotForced => {
                let e = self.exit(p);
                self.asm.cmp_mi(JF, jf::FORCED, 0);
                self.asm.jcc(Cc::Ne, e);
            }
            Op::GNoExc => {
                let e = self.exit(p);
                self.asm.cmp_mi(TS, self.d.layout.exc, 0);
                self.asm.jcc(Cc::Ne, e);
            }
            Op::Exit => {
                let e = self.exit(p);
                self.asm.jmp(e);
            }
            Op::BoxI if self.d.layout.free_ints != 0 => self.box_int(p, a)?,
            Op::BoxI => self.helper_call(p, self.d.layout.box_int, &[a])?,
            Op::BoxF if self.d.layout.free_floats != 0 => self.box_float(p, a),
            Op::BoxF => self.helper_call(p, self.d.layout.box_float, &[a])?,
            Op::New => {
                let alloc = self.d.classes[i.imm as usize].alloc;
                let args = self.t.list(&i).to_vec();
                self.helper_call(p, alloc, &args)?;
            }
            Op::UnboxI => {
                let mut r = self.gpr(a, p);
                if r == SCRATCH {
                    // The cold path needs the scratch register and the object.
                    self.vacate(RAX, p);
                    self.a.lock(RAX);
                    self.asm.mov(RAX, r);
                    r = RAX;
                }
                let dst = self.alloc(out, p, None);
                let exit = self.exit(p);
                let (at, back) = (self.asm.label(), self.asm.label());
                let l = &self.d.layout;
                self.asm.cmp_mi(r, l.int_size, 1);
                self.asm.jcc(Cc::Ne, at);
                self.asm.ld32(dst, r, l.int_digits);
                self.asm.bind(back);
                self.cold.push(Cold::Unbox { at, back, obj: r, dst, exit });
            }
            Op::UnboxF => {
                let r = self.gpr(a, p);
                let x = self.alloc(out, p, None) - 16;
                self.asm.fld(x, r, self.d.layout.float_value);
            }
            Op::Own | Op::Drop if self.counted[p as usize] => {}
            Op::Own => {
                let n = self.together(p, i);
                let r = self.gpr(a, p);
                self.asm.add_m(r, self.d.layout.refcnt, n);
            }
            Op::Drop if i.imm & (DROP_NOT_LAST | DROP_MAYBE_NULL) == DROP_NOT_LAST => {
                let n = self.together(p, i);
                let r = self.gpr(a, p);
                self.asm.add_m(r, self.d.layout.refcnt, -n);
            }
            Op::Drop => self.drop_op(p, i),
            Op::Call => {
                let args = self.t.list(&i).to_vec();
                self.helper_call(p, i.imm, &args)?;
            }
            Op::NCall => self.native_call(p)?,
            Op::Loop => {
                if self.t.insts[p as usize + 1].op != Op::Phi {
                    self.bind_loop();
                }
            }
            Op::Phi => {
                if self.a.last[p as usize] > p {
                    self.dst_from(out, a, p);
                }
                if self.t.insts[p as usize + 1].op != Op::Phi {
                    self.a.expire(p);
                    self.bind_loop();
                }
            }
            Op::Jump => {
                self.back_to_label()?;
                let l = self.loop_label.expect("verified: a jump has a loop");
                self.asm.jmp(l);
            }
            Op::LinkLabel => self.link_label(i)?,
            Op::Link => {
                let r = self.gpr(a, p);
                self.asm.jmp_m(r);
            }
            _ => unreachable!("{} has no lowering", i.op.text()),
        }
        Ok(())
    }

    /// Does nobody else write the slots of the frame at `base` while the trace runs? So it is with the frame the trace was entered for and
    /// the places kept for inlined ones; a generator's frame may be resumed by what the trace calls.
    fn is_ours(&self, base: Val) -> bool {
        let mut at = base;
        while at.is_inst() {
            let i = &self.t.insts[at.index()];
            match i.op {
                Op::PAdd => at = i.args[0],
                op => return op == Op::JLoad && i.imm < jf::GPR as u32,
            }
        }
        false
    }

    /// How often the count at `p` changes as it does there, up to the next instruction that is anything but a change of counts that
    /// can't be the last; those are made here.
    fn together(&mut self, p: u32, i: Inst) -> i32 {
        let mut n = 1;
        for q in p as usize + 1..self.t.insts.len() {
            let j = &self.t.insts[q];
            match j.op {
                Op::Own | Op::Drop if *j == i => {
                    self.counted[q] = true;
                    n += 1;
                }
                Op::Own | Op::Adopt | Op::Ts | Op::Jf => {}
                Op::Drop if j.imm & DROP_NOT_LAST != 0 => {}
                _ => break,
            }
        }
        n
    }

    fn bind_loop(&mut self) {
        self.in_memory.forget();
        let l = self.asm.label();
        // Values the loop needs only in snapshots don't deserve a register.
        for r in 0..32u8 {
            if let Some(v) = self.a.regs[r as usize]
                && self.a.last[v as usize] >= self.a.end
                && !self.a.has_later_use(v, self.a.phi_end - 1)
            {
                self.save(v);
                self.a.clear(r);
            }
        }
        // What calls in the loop may be asked for and what stays the same goes to jf once.
        let body = &self.t.insts[self.a.loop_at as usize..];
        let mut asked: Vec<Val> = body
            .iter()
            .filter(|i| i.snap != NO_SNAP && !i.op.is_guard())
            .flat_map(|i| self.snap_vals[i.snap as usize].iter().copied())
            .filter(|v| (v.index() as u32) < self.a.loop_at && self.a.reg[v.index()].is_some())
            .collect();
        asked.sort();
        asked.dedup();
        for v in asked {
            self.save(v.index() as u32);
        }
        self.mark_label();
        self.asm.align16();
        self.asm.bind(l);
        if let Some(l) = &self.t.label {
            self.kept = l.values.iter().copied().filter(|v| v.is_inst()).collect();
            let place = |v: Val| {
                // Nobody has read a phi that is gone.
                if !v.is_inst() {
                    return Where::Nowhere;
                }
                match (self.a.reg[v.index()], self.a.spill[v.index()]) {
                    (Some(r), Some(o)) => Where::Both(r, o),
                    (Some(r), _) => Where::Reg(r),
                    (_, Some(o)) => Where::Mem(o),
                    _ => Where::Nowhere,
                }
            };
            let places = l.phis.iter().map(|p| p.val).chain(self.kept.iter().copied()).map(place).collect();
            let offset = self.asm.offset();
            let words = (0..32u8)
                .filter_map(|r| {
                    let i = &self.t.insts[self.a.regs[r as usize]? as usize];
                    (i.op == Op::JLoad && i.imm < jf::GPR as u32).then_some((r, i.imm as i32))
                })
                .collect();
            self.label_code =
                Some(LabelCode { offset, places, words, cell: 0, top: 0, trace_id: self.o.trace_id });
        }
        self.countdown();
        self.loop_label = Some(l);
    }

    // ---- Integers ----

    fn int_bin(&mut self, p: u32, op: Op, mut a: Val, mut b: Val) {
        let out = Val::inst(p as usize);
        let commutes = !matches!(op, Op::Sub | Op::SubOv);
        // The operand that ends here should be the destination.
        if commutes && !b.is_const() && (a.is_const() || (self.dies(b, p) && !self.dies(a, p))) {
            std::mem::swap(&mut a, &mut b);
        }
        let imm = small(self.loc(b)).filter(|_| b.is_const() && a != b);
        if let (Op::Add | Op::Sub, Some(k)) = (op, imm)
            && k != i32::MIN
            && !self.dies(a, p)
            && !a.is_const()
        {
            let r = self.gpr(a, p);
            let d = self.alloc(out, p, None);
            self.asm.lea(d, r, if op == Op::Add { k } else { -k });
            return;
        }
        if let (Op::Mul | Op::MulOv, Some(k)) = (op, imm) {
            let r = self.gpr(a, p);
            let d = self.alloc(out, p, None);
            self.asm.imul_i(d, r, k);
        } else {
            let rb = if imm.is_none() { Some(self.gpr(b, p)) } else { None };
            let d = if a == b {
                let d = self.alloc(out, p, None);
                self.asm.mov(d, rb.expect("not a constant"));
                d
            } else {
                self.dst_from(out, a, p)
            };
            let alu = match op {
                Op::Add | Op::AddOv => Alu::Add,
                Op::Sub | Op::SubOv => Alu::Sub,
                Op::And => Alu::And,
                Op::Or => Alu::Or,
                _ => Alu::Xor,
            };
            match (op, rb) {
                (Op::Mul | Op::MulOv, Some(r)) => self.asm.imul(d, r),
                (_, Some(r)) => self.asm.alu(alu, d, r),
                (_, None) => self.asm.alu_i(alu, d, imm.expect("immediate")),
            }
        }
        if matches!(op, Op::AddOv | Op::SubOv | Op::MulOv) {
            let e = self.exit(p);
            self.asm.jcc(Cc::O, e);
        }
    }

    fn extend(&mut self, p: u32, k: MemKind, a: Val) {
        let r = self.gpr(a, p);
        let d = self.alloc(Val::inst(p as usize), p, None);
        self.asm.narrow(k, d, r);
    }

    fn shift(&mut self, p: u32, op: Op, a: Val, b: Val) {
        let out = Val::inst(p as usize);
        let sh = match op {
            Op::Shl => Sh::Shl,
            Op::Shr => Sh::Shr,
            _ => Sh::Sar,
        };
        if let Loc::Const(n) = self.loc(b) {
            let d = self.dst_from(out, a, p);
            self.asm.shift_i(sh, d, (n & 63) as i8);
            return;
        }
        // The count goes to cl through the scratch register, the value is shifted elsewhere.
        let rb = self.loc(b);
        self.mov(Loc::Reg(SCRATCH), rb);
        self.vacate(RCX, p);
        self.a.lock(RCX);
        let d = self.dst_from(out, a, p);
        self.asm.mov(RCX, SCRATCH);
        self.asm.shift_cl(sh, d);
    }

    fn division(&mut self, p: u32, op: Op, a: Val, b: Val) {
        let out = Val::inst(p as usize);
        let div = op == Op::FloorDiv;
        let (la, lb) = (self.loc(a), self.loc(b));
        // Divisor in r11, dividend in rax; rax and rdx are taken from their values.
        if la == Loc::Reg(RAX) {
            self.a.lock(RAX);
        }
        self.mov(Loc::Reg(SCRATCH), lb);
        self.vacate(RDX, p);
        self.vacate(RAX, p);
        self.a.lock(RAX);
        self.a.lock(RDX);
        // Vacated registers still hold their bits.
        self.mov(Loc::Reg(RAX), la);
        let e = self.exit(p);
        let (special, done) = (self.asm.label(), self.asm.label());
        self.asm.test_self(SCRATCH);
        self.asm.jcc(Cc::E, e);
        self.asm.alu_i(Alu::Cmp, SCRATCH, -1);
        self.asm.jcc(Cc::E, special);
        self.asm.cqo_idiv(SCRATCH);
        // Round towards minus infinity if the remainder's sign differs from the divisor's.
        let res = if div { RAX } else { RDX };
        self.asm.test_self(RDX);
        self.asm.jcc(Cc::E, done);
        if div {
            self.asm.alu(Alu::Xor, RDX, SCRATCH);
            self.asm.jcc(Cc::Ge, done);
            self.asm.alu_i(Alu::Sub, RAX, 1);
        } else {
            // rax is free: the sign of rdx ^ r11 decides.
            self.asm.mov(RAX, RDX);
            self.asm.alu(Alu::Xor, RAX, SCRATCH);
            self.asm.jcc(Cc::Ge, done);
            self.asm.alu(Alu::Add, RDX, SCRATCH);
        }
        self.asm.jmp(done);
        self.asm.bind(special);
        if div {
            self.asm.neg(RAX);
            self.asm.jcc(Cc::O, e);
        } else {
            self.asm.imm(RDX, 0);
        }
        self.asm.bind(done);
        self.a.set(out.index() as u32, res);
    }

    // ---- Compares and guards ----

    /// Emits a compare and answers the condition that is true when `cc` holds for (a, b).
    fn int_compare(&mut self, p: u32, a: Val, b: Val, cc: Cc) -> Cc {
        if a.is_const() && !b.is_const() {
            return self.int_compare(p, b, a, cc.swap());
        }
        let rb = self.loc(b);
        let ra = self.gpr(a, p);
        if let Some(k) = small(rb) {
            if ra == SCRATCH {
                // Both constant.
                self.asm.alu_i(Alu::Cmp, SCRATCH, k);
            } else {
                self.asm.alu_i(Alu::Cmp, ra, k);
            }
            return cc;
        }
        match self.loc(b) {
            Loc::Mem(o) if !self.a.has_later_use(b.index() as u32, p) => self.asm.alu_m(Alu::Cmp, ra, JF, o),
            Loc::Const(k) if ra == SCRATCH => {
                // Two wide constants: compare through a slot.
                let s = self.a.slot();
                self.mov(Loc::Mem(s), Loc::Reg(SCRATCH));
                self.asm.imm_keep_flags(SCRATCH, k);
                self.asm.cmp_mr(JF, s, SCRATCH);
                self.a.free_slots.push(s);
            }
            _ => {
                let rb = self.gpr(b, p);
                self.asm.alu(Alu::Cmp, ra, rb);
            }
        }
        cc
    }

    /// Emits a float compare. Answers (condition, also needs "not unordered").
    fn float_compare(&mut self, p: u32, op: Op, a: Val, b: Val) -> (Cc, bool) {
        // `a < b` as `b > a`: above is false for nan.
        let (x, y, cc, np) = match op {
            Op::FLt => (b, a, Cc::A, false),
            Op::FLe => (b, a, Cc::Ae, false),
            Op::FGt => (a, b, Cc::A, false),
            Op::FGe => (a, b, Cc::Ae, false),
            Op::FEq => (a, b, Cc::E, true),
            _ => (a, b, Cc::Ne, true),
        };
        let rx = self.xmm(x, p);
        match self.loc(y) {
            Loc::Const(c) => self.asm.fop_c(Fop::Ucom, rx, c),
            Loc::Mem(o) if !self.a.has_later_use(y.index() as u32, p) => self.asm.fop_m(Fop::Ucom, rx, JF, o),
            _ => {
                let ry = self.xmm(y, p);
                self.asm.fop(Fop::Ucom, rx, ry);
            }
        }
        (cc, np)
    }

    fn compare_value(&mut self, p: u32, op: Op, a: Val, b: Val) {
        let out = Val::inst(p as usize);
        let float = (op as u8) >= (Op::FEq as u8);
        let (cc, np) = if float {
            self.float_compare(p, op, a, b)
        } else {
            (self.int_compare(p, a, b, cc_of(op)), false)
        };
        // Allocation may store and load but leaves the flags alone.
        let d = self.alloc(out, p, None);
        self.asm.setcc(cc, d);
        if np {
            let eq = op == Op::FEq;
            self.asm.setcc(if eq { Cc::Np } else { Cc::P }, SCRATCH);
            self.asm.alu(if eq { Alu::And } else { Alu::Or }, d, SCRATCH);
        }
        self.asm.narrow(MemKind::U8, d, d);
    }

    fn guard_bool(&mut self, p: u32, want: bool, a: Val) {
        if a.is_inst() && self.fused[a.index()] {
            let i = self.t.insts[a.index()];
            if i.op == Op::FLoad {
                let f = &self.d.fields[i.imm as usize];
                let base = self.gpr(i.args[0], p);
                let e = self.exit(p);
                self.asm.cmp_m0(f.kind, base, f.offset);
                self.asm.jcc(if want { Cc::E } else { Cc::Ne }, e);
                return;
            }
            let float = (i.op as u8) >= (Op::FEq as u8);
            if float {
                let (cc, np) = self.float_compare(p, i.op, i.args[0], i.args[1]);
                let e = self.exit(p);
                if !np {
                    self.asm.jcc(if want { cc.not() } else { cc }, e);
                } else if (i.op == Op::FEq) == want {
                    // Must be equal: leave on unequal or unordered.
                    self.asm.jcc(Cc::Ne, e);
                    self.asm.jcc(Cc::P, e);
                } else {
                    // Must not be equal: leave only on ordered and equal.
                    let ok = self.asm.label();
                    self.asm.jcc(Cc::P, ok);
                    self.asm.jcc(Cc::E, e);
                    self.asm.bind(ok);
                }
                return;
            }
            let cc = self.int_compare(p, i.args[0], i.args[1], cc_of(i.op));
            let e = self.exit(p);
            self.asm.jcc(if want { cc.not() } else { cc }, e);
            return;
        }
        if let Loc::Mem(o) = self.loc(a)
            && !self.a.has_later_use(a.index() as u32, p)
        {
            let e = self.exit(p);
            self.asm.cmp_mi(JF, o, 0);
            self.asm.jcc(if want { Cc::E } else { Cc::Ne }, e);
            return;
        }
        let r = self.gpr(a, p);
        let e = self.exit(p);
        self.asm.test_self(r);
        self.asm.jcc(if want { Cc::E } else { Cc::Ne }, e);
    }

    fn cmp_mem_const(&mut self, p: u32, base: u8, off: i32, c: Val, leave: Cc) {
        match (self.loc(c), small(self.loc(c))) {
            (_, Some(k)) => {
                let e = self.exit(p);
                self.asm.cmp_mi(base, off, k);
                self.asm.jcc(leave, e);
            }
            (Loc::Const(k), _) if base != SCRATCH => {
                let e = self.exit(p);
                self.asm.imm_keep_flags(SCRATCH, k);
                self.asm.cmp_mr(base, off, SCRATCH);
                self.asm.jcc(leave, e);
            }
            (Loc::Const(k), _) => {
                // The object itself is a constant.
                self.asm.ld(SCRATCH, base, off);
                let s = self.a.slot();
                self.mov(Loc::Mem(s), Loc::Reg(SCRATCH));
                let e = self.exit(p);
                self.asm.imm_keep_flags(SCRATCH, k);
                self.asm.cmp_mr(JF, s, SCRATCH);
                self.asm.jcc(leave, e);
                self.a.free_slots.push(s);
            }
            _ => {
                let r = self.gpr(c, p);
                let e = self.exit(p);
                self.asm.cmp_mr(base, off, r);
                self.asm.jcc(leave, e);
            }
        }
    }

    // ---- Floats ----

    fn float_bin(&mut self, p: u32, op: Fop, mut a: Val, mut b: Val) {
        let out = Val::inst(p as usize);
        let commutes = matches!(op, Fop::Add | Fop::Mul);
        if commutes && !b.is_const() && (a.is_const() || (self.dies(b, p) && !self.dies(a, p))) {
            std::mem::swap(&mut a, &mut b);
        }
        match self.loc(b) {
            Loc::Const(c) => {
                let d = self.dst_from(out, a, p) - 16;
                self.asm.fop_c(op, d, c);
            }
            Loc::Mem(o) if a != b && !self.a.has_later_use(b.index() as u32, p) => {
                let d = self.dst_from(out, a, p) - 16;
                self.asm.fop_m(op, d, JF, o);
            }
            _ => {
                let rb = self.xmm(b, p);
                let d = if a == b {
                    let d = self.alloc(out, p, None) - 16;
                    self.asm.fmov(d, rb);
                    d
                } else {
                    self.dst_from(out, a, p) - 16
                };
                self.asm.fop(op, d, rb);
            }
        }
    }

    // ---- Memory ----

    fn store_field(&mut self, p: u32, kind: MemKind, base: Val, off: i32, v: Val) {
        let rb = self.gpr(base, p);
        if kind.ty() == Ty::F64 {
            let x = self.xmm(v, p);
            self.asm.store(kind, rb, off, x);
            return;
        }
        match self.loc(v) {
            l @ Loc::Const(_) if kind.size() == 8 && small(l).is_some() => {
                self.asm.st_imm(rb, off, small(l).expect("checked"));
            }
            Loc::Const(c) if kind.size() == 4 => self.asm.st_imm32(rb, off, c as i32),
            Loc::Const(c) if rb == SCRATCH => {
                // Constant base and wide constant value: borrow a register.
                let r = [RAX, RCX].into_iter().find(|r| self.a.locked >> *r & 1 == 0).expect("one is free");
                self.mov(Loc::Mem(dump_offset(r)), Loc::Reg(r));
                self.asm.imm_keep_flags(r, c);
                self.asm.store(kind, SCRATCH, off, r);
                self.mov(Loc::Reg(r), Loc::Mem(dump_offset(r)));
            }
            _ => {
                let r = self.gpr(v, p);
                self.asm.store(kind, rb, off, r);
            }
        }
    }

    fn array(&mut self, p: u32, i: Inst, base: Val, idx: Val, v: Val) {
        let desc = &self.d.arrays[i.imm as usize];
        let (kind, size, off) = (desc.kind, desc.kind.size(), desc.offset);
        let out = Val::inst(p as usize);
        let load = i.op == Op::ALoad;
        // A constant index is a field.
        if let Loc::Const(n) = self.loc(idx)
            && let Ok(at) = i32::try_from(n as i64 as i128 * size as i128 + off as i128)
        {
            if load {
                let rb = self.gpr(base, p);
                let r = self.alloc(out, p, None);
                self.asm.load(kind, r & 15, rb, at);
            } else {
                self.store_field(p, kind, base, at, v);
            }
            return;
        }
        let float = kind.ty() == Ty::F64;
        // The address is made in r11; so a constant value to store must not need r11.
        let val = if load {
            None
        } else if float {
            Some(self.xmm(v, p))
        } else {
            match self.loc(v) {
                Loc::Const(_) => None,
                _ => Some(self.gpr(v, p)),
            }
        };
        let ri = match self.loc(idx) {
            Loc::Const(c) => {
                // Far constant index: fold everything into r11 by hand.
                let rb = self.gpr(base, p);
                let s = self.a.slot();
                self.mov(Loc::Mem(s), Loc::Reg(rb));
                self.asm.imm_keep_flags(SCRATCH, c.wrapping_mul(size as u64).wrapping_add(off as u64));
                self.asm.alu_m(Alu::Add, SCRATCH, JF, s);
                self.a.free_slots.push(s);
                None
            }
            _ => {
                let ri = self.gpr(idx, p);
                let rb = self.gpr(base, p);
                if size == 8 && rb != SCRATCH {
                    match (load, val) {
                        (true, _) => {
                            let r = self.alloc(out, p, None);
                            if float {
                                self.asm.fld_idx8(r - 16, rb, ri, off);
                            } else {
                                self.asm.ld_idx8(r, rb, ri, off);
                            }
                            return;
                        }
                        (false, Some(r)) if float => return self.asm.fst_idx8(rb, ri, off, r),
                        (false, Some(r)) => return self.asm.st_idx8(rb, ri, off, r),
                        _ => {}
                    }
                }
                Some((rb, ri))
            }
        };
        if let Some((rb, ri)) = ri {
            self.asm.index(rb, ri, size, off);
        }
        if load {
            let r = self.alloc(out, p, None);
            self.asm.load(kind, r & 15, SCRATCH, 0);
        } else if let Some(r) = val {
            self.asm.store(kind, SCRATCH, 0, r);
        } else {
            let Loc::Const(c) = self.loc(v) else { unreachable!("other values have registers") };
            if kind.size() == 8 && c as i64 == c as i32 as i64 {
                self.asm.st_imm(SCRATCH, 0, c as i32);
            } else {
                let r =
                    [RAX, RCX, RDX].into_iter().find(|r| self.a.locked >> *r & 1 == 0).expect("one is free");
                self.mov(Loc::Mem(dump_offset(r)), Loc::Reg(r));
                self.asm.imm_keep_flags(r, c);
                self.asm.store(kind, SCRATCH, 0, r);
                self.mov(Loc::Reg(r), Loc::Mem(dump_offset(r)));
            }
        }
    }

    // ---- Floats on the heap ----

    /// Caller-saved registers whose values are wanted after `p`, but for `except`.
    fn live_after(&self, p: u32, except: Option<u8>) -> u32 {
        (0..32u8)
            .filter(|q| {
                CALLER_SAVED >> q & 1 != 0
                    && Some(*q) != except
                    && self.a.regs[*q as usize].is_some_and(|v| self.a.last[v as usize] > p)
            })
            .fold(0, |m, q| m | 1 << q)
    }

    /// A float from the free list, by the helper if that is empty.
    fn box_float(&mut self, p: u32, a: Val) {
        let src = match self.loc(a) {
            c @ Loc::Const(_) => c,
            _ => Loc::Reg(16 + self.xmm(a, p)),
        };
        let d = self.alloc(Val::inst(p as usize), p, None);
        let (at, back) = (self.asm.label(), self.asm.label());
        let l = self.d.layout.clone();
        self.asm.imm(SCRATCH, l.free_floats);
        self.asm.ld(d, SCRATCH, 0);
        self.asm.test_self(d);
        self.asm.jcc(Cc::E, at);
        self.asm.fld(FSCRATCH, d, l.type_of);
        self.asm.fst(SCRATCH, 0, FSCRATCH);
        self.asm.add_m(SCRATCH, 8, 1);
        self.asm.st_imm(d, l.refcnt, 1);
        self.asm.imm(SCRATCH, l.float_type);
        self.asm.st(d, l.type_of, SCRATCH);
        self.mov(Loc::Reg(16 + FSCRATCH), src);
        self.asm.fst(d, l.float_value, FSCRATCH);
        self.asm.bind(back);
        let live = self.live_after(p, Some(d));
        self.cold.push(Cold::BoxF { at, back, src, live, dst: Some(d), to: None });
    }

    /// An int of one digit from the free list; small ones are cached objects, all others come from the helper.
    fn box_int(&mut self, p: u32, a: Val) -> Result<(), Error> {
        if a.is_const() {
            // Rare; not worth a form of its own.
            self.save_live(p);
            return self.helper_call(p, self.d.layout.box_int, &[a]);
        }
        let v = self.gpr(a, p);
        let d = self.alloc(Val::inst(p as usize), p, None);
        let (small, slow, back) = (self.asm.label(), self.asm.label(), self.asm.label());
        let l = self.d.layout.clone();
        self.asm.lea(SCRATCH, v, 5);
        self.asm.alu_i(Alu::Cmp, SCRATCH, 262);
        self.asm.jcc(Cc::B, small);
        self.asm.lea(SCRATCH, v, 0x3fff_ffff);
        self.asm.alu_i(Alu::Cmp, SCRATCH, 0x7fff_fffe);
        self.asm.jcc(Cc::A, slow);
        self.asm.imm(SCRATCH, l.free_ints);
        self.asm.ld(d, SCRATCH, 0);
        self.asm.test_self(d);
        self.asm.jcc(Cc::E, slow);
        self.asm.fld(FSCRATCH, d, l.type_of);
        self.asm.fst(SCRATCH, 0, FSCRATCH);
        self.asm.add_m(SCRATCH, 8, 1);
        self.asm.st_imm(d, l.refcnt, 1);
        self.asm.imm(SCRATCH, l.int_type);
        self.asm.st(d, l.type_of, SCRATCH);
        // Its sign, then its size.
        self.asm.mov(SCRATCH, v);
        self.asm.shift_i(Sh::Sar, SCRATCH, 63);
        self.asm.alu_i(Alu::Or, SCRATCH, 1);
        self.asm.st(d, l.int_size, SCRATCH);
        self.asm.imul(SCRATCH, v);
        self.asm.store(MemKind::U32, d, l.int_digits, SCRATCH);
        self.asm.bind(back);
        let live = self.live_after(p, Some(d));
        self.cold.push(Cold::Small { at: small, back, src: v, dst: d });
        self.cold.push(Cold::BoxI { at: slow, back, src: v, dst: d, live });
        Ok(())
    }

    fn replace_float(&mut self, p: u32, i: Inst) {
        let list = self.t.list(&i).to_vec();
        let [base, idx, old, val] = list[..] else { unreachable!("four operands") };
        let off = self.d.arrays[i.imm as usize].offset;
        let rb = self.gpr(base, p);
        let ix = match self.loc(idx) {
            Loc::Const(n) if (0..1 << 20).contains(&n) => Loc::Const(n),
            Loc::Const(_) => {
                self.vacate(RAX, p);
                self.a.lock(RAX);
                self.mov(Loc::Reg(RAX), self.loc(idx));
                Loc::Reg(RAX)
            }
            _ => Loc::Reg(self.gpr(idx, p)),
        };
        let ro = self.gpr(old, p);
        let src = match self.loc(val) {
            c @ Loc::Const(_) => c,
            _ => Loc::Reg(16 + self.xmm(val, p)),
        };
        let (at, back) = (self.asm.label(), self.asm.label());
        self.asm.cmp_mi(ro, self.d.layout.refcnt, 1);
        self.asm.jcc(Cc::Ne, at);
        let x = match src {
            Loc::Reg(r) => r - 16,
            c => {
                self.mov(Loc::Reg(16 + FSCRATCH), c);
                FSCRATCH
            }
        };
        self.asm.fst(ro, self.d.layout.float_value, x);
        self.asm.bind(back);
        let live = self.live_after(p, None);
        self.cold.push(Cold::BoxF { at, back, src, live, dst: None, to: Some((rb, ix, off, ro)) });
    }

    // ---- References ----

    fn drop_op(&mut self, p: u32, i: Inst) {
        let r = self.gpr(i.args[0], p);
        let refcnt = self.d.layout.refcnt;
        let back = self.asm.label();
        if i.imm & DROP_MAYBE_NULL != 0 {
            self.asm.test_self(r);
            self.asm.jcc(Cc::E, back);
        }
        self.asm.sub_m1(r, refcnt);
        if i.imm & DROP_NOT_LAST == 0 {
            let at = self.asm.label();
            self.asm.jcc(Cc::E, at);
            let mut live = 0u32;
            for q in 0..32u8 {
                if CALLER_SAVED >> q & 1 != 0
                    && let Some(v) = self.a.regs[q as usize]
                    && self.a.last[v as usize] > p
                {
                    live |= 1 << q;
                }
            }
            let mut dump = 0;
            let call = if i.snap != NO_SNAP {
                let (places, m) = self.places(i.snap);
                dump = m;
                self.calls.push(Site { inst: p as usize, snap: i.snap, places, forced: None });
                self.in_memory.forget();
                Some(self.calls.len() as i32)
            } else if i.imm & DROP_SILENT == 0 {
                Some(0)
            } else {
                None
            };
            self.cold.push(Cold::Dealloc { at, back, obj: r, live, dump, call });
        }
        self.asm.bind(back);
    }
}
