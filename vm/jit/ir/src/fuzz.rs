//! Random traces for differential tests: reference executor against a backend.
//!
//! Traces read and write one buffer (the frame word of jf), call toy helpers and native functions with mixed
//! arguments, take random exits and loop a bounded number of times. Snapshots name random values; a test compares
//! exit number, those values and the buffer.

use crate::desc::*;
use crate::ops::*;
use crate::trace::*;

pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    pub fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 33) as usize) % n.max(1)
    }
}

/// Native functions with awkward signatures.
pub extern "C" fn wide(a: i64, b: f64, c: i32, d: f32, e: i64, f: u8, g: i64, h: i64, i: i64, j: f64) -> i64 {
    a.wrapping_add((b as i64).wrapping_mul(3))
        .wrapping_add(c as i64 * 5)
        .wrapping_add((d as i64).wrapping_mul(7))
        .wrapping_add(e ^ f as i64)
        .wrapping_add(g.wrapping_mul(11))
        .wrapping_add(h.wrapping_mul(13) ^ i)
        .wrapping_add(j as i64)
}
pub extern "C" fn half(a: f64, b: f32) -> f64 {
    a * 0.5 + b as f64
}
pub extern "C" fn small(a: i16, b: i64) -> i16 {
    a.wrapping_add(b as i16)
}
#[repr(C)]
pub struct Two(i64, f64);
pub extern "C" fn two(a: i64) -> Two {
    Two(a.wrapping_mul(3), a as f64)
}

pub fn natives() -> Vec<NativeDesc> {
    let arg = |kind, place| ArgPlace { kind, place };
    use MemKind::*;
    use Place::*;
    let n = |name: &str, addr: usize, args: Vec<ArgPlace>, ret| NativeDesc {
        name: name.into(),
        target: Target::Addr(addr as u64),
        args,
        ret,
        varargs: None,
        effects: Effects::NONE,
    };
    vec![
        n(
            "wide",
            wide as *const () as usize,
            vec![
                arg(I64, Int(0)),
                arg(F64, Float(0)),
                arg(I32, Int(1)),
                arg(F32, Float(1)),
                arg(I64, Int(2)),
                arg(U8, Int(3)),
                arg(I64, Int(4)),
                arg(I64, Int(5)),
                arg(I64, Stack(0)),
                arg(F64, Float(2)),
            ],
            RetPlace::One(I64),
        ),
        n(
            "half",
            half as *const () as usize,
            vec![arg(F64, Float(0)), arg(F32, Float(1))],
            RetPlace::One(F64),
        ),
        n("small", small as *const () as usize, vec![arg(I16, Int(0)), arg(I64, Int(1))], RetPlace::One(I16)),
        n(
            "two",
            two as *const () as usize,
            vec![arg(I64, Int(0))],
            RetPlace::Mem(vec![(false, 0, 0), (true, 0, 8)]),
        ),
    ]
}

const INTS: &[Op] = &[
    Op::Add,
    Op::Sub,
    Op::Mul,
    Op::AddOv,
    Op::SubOv,
    Op::MulOv,
    Op::FloorDiv,
    Op::FloorMod,
    Op::And,
    Op::Or,
    Op::Xor,
    Op::Shl,
    Op::Shr,
    Op::Sar,
    Op::Eq,
    Op::Ne,
    Op::Lt,
    Op::Le,
    Op::Gt,
    Op::Ge,
    Op::Ult,
    Op::Ule,
];
const UNARY: &[Op] =
    &[Op::Neg, Op::Not, Op::Sext8, Op::Sext16, Op::Sext32, Op::Zext8, Op::Zext16, Op::Zext32];
const FLOATS: &[Op] = &[Op::FAdd, Op::FSub, Op::FMul, Op::FDiv];
const FCMP: &[Op] = &[Op::FEq, Op::FNe, Op::FLt, Op::FLe, Op::FGt, Op::FGe];
const FUNARY: &[Op] = &[Op::FNeg, Op::FAbs, Op::FSqrt, Op::FRound32];

struct Gen<'a> {
    t: Trace,
    d: &'a Descs,
    r: Rng,
    ints: Vec<Val>,
    floats: Vec<Val>,
    base: Val,
}

impl Gen<'_> {
    fn int(&mut self) -> Val {
        if self.r.below(6) == 0 {
            let v = match self.r.below(6) {
                0 => 0,
                1 => -1i64 as u64,
                2 => self.r.below(200) as u64,
                3 => (1 << 40) + self.r.below(1000) as u64,
                4 => i64::MIN as u64,
                _ => 7,
            };
            return self.t.konst(Ty::I64, v);
        }
        let n = self.r.below(self.ints.len());
        // Prefer young values, keep some old ones alive.
        let n =
            if self.r.below(3) != 0 { self.ints.len() - 1 - self.r.below(4.min(self.ints.len())) } else { n };
        self.ints[n]
    }
    fn float(&mut self) -> Val {
        if self.r.below(6) == 0 {
            let v = [0.0, 1.5, -3.25, 1e300, f64::NAN][self.r.below(5)];
            return self.t.konst(Ty::F64, f64::to_bits(v));
        }
        let n = self.r.below(self.floats.len());
        self.floats[n]
    }
    fn snap(&mut self) -> u32 {
        if !self.t.snaps.is_empty() && self.r.below(3) != 0 {
            return self.t.snaps.len() as u32 - 1;
        }
        let mut slots = vec![];
        for k in 0..self.r.below(9) {
            let src = if self.r.below(3) == 0 { self.float() } else { self.int() };
            slots.push(SnapSlot { slot: k as i32, src, own: Own::Give });
        }
        let frame = SnapFrame { base: self.base, token: 0, pc: 0, sp: 0, slots };
        self.t.snaps.push(Snapshot { frames: vec![frame], ..Snapshot::default() });
        self.t.snaps.len() as u32 - 1
    }
    fn emit(&mut self, op: Op, ty: Ty, args: &[Val], imm: u32) -> Val {
        let mut i = Inst::new(op, ty, args).with_imm(imm);
        if op.is_guard() {
            i.snap = self.snap();
        }
        let v = self.t.push(i);
        match ty {
            Ty::I64 => self.ints.push(v),
            Ty::F64 => self.floats.push(v),
            _ => {}
        }
        v
    }
    fn listed(&mut self, op: Op, ty: Ty, args: &[Val], imm: u32) {
        let list = self.t.push_list(args);
        let mut i = Inst::new(op, ty, &[]).with_imm(imm);
        i.list = list;
        let v = self.t.push(i);
        match ty {
            Ty::I64 => self.ints.push(v),
            Ty::F64 => self.floats.push(v),
            _ => {}
        }
    }
    fn random_op(&mut self) {
        match self.r.below(24) {
            0..=7 => {
                let op = INTS[self.r.below(INTS.len())];
                let guard = op.is_guard() && self.r.below(3) != 0;
                let op = if guard { Op::Add } else { op };
                let (a, b) = (self.int(), self.int());
                self.emit(op, Ty::I64, &[a, b], 0);
            }
            8 => {
                let op = UNARY[self.r.below(UNARY.len())];
                let a = self.int();
                self.emit(op, Ty::I64, &[a], 0);
            }
            9..=11 => {
                let op = FLOATS[self.r.below(FLOATS.len())];
                let (a, b) = (self.float(), self.float());
                self.emit(op, Ty::F64, &[a, b], 0);
            }
            12 => {
                let op = FUNARY[self.r.below(FUNARY.len())];
                let a = self.float();
                self.emit(op, Ty::F64, &[a], 0);
            }
            13 => {
                let op = FCMP[self.r.below(FCMP.len())];
                let (a, b) = (self.float(), self.float());
                let c = self.emit(op, Ty::I64, &[a, b], 0);
                if self.r.below(2) == 0 {
                    let op = if self.r.below(4) == 0 { Op::GTrue } else { Op::GFalse };
                    self.ints.pop();
                    self.emit(op, Ty::Void, &[c], 0);
                }
            }
            14 => {
                // Mostly guards that hold, so that loops go round.
                let rare = self.r.below(8) == 0;
                let op = if rare { [Op::Eq, Op::Lt, Op::Ult, Op::Ge][self.r.below(4)] } else { Op::Ne };
                let (a, b) = (self.int(), self.int());
                let c = self.emit(op, Ty::I64, &[a, b], 0);
                self.ints.pop();
                let op = if !rare || self.r.below(2) == 0 { Op::GTrue } else { Op::GFalse };
                self.emit(op, Ty::Void, &[c], 0);
            }
            15 => {
                let a = self.int();
                self.emit(Op::I2F, Ty::F64, &[a], 0);
            }
            16 => {
                let a = self.float();
                let op = if self.r.below(4) == 0 { Op::F2I } else { Op::FBits };
                self.emit(op, Ty::I64, &[a], 0);
            }
            17 => {
                let (f, ty) = [("a", Ty::I64), ("b8", Ty::I64), ("f32", Ty::F64)][self.r.below(3)];
                let f = self.d.field(f).expect("toy field");
                let b = self.base;
                if self.r.below(2) == 0 {
                    self.emit(Op::FLoad, ty, &[b], f);
                } else {
                    let v = if ty == Ty::I64 { self.int() } else { self.float() };
                    self.emit(Op::FStore, Ty::Void, &[b, v], f);
                }
            }
            18 | 19 => {
                let (n, ty) = [("i64s", Ty::I64), ("u8s", Ty::I64), ("i16s", Ty::I64), ("f64s", Ty::F64)]
                    [self.r.below(4)];
                let n = self.d.array(n).expect("toy array");
                let i = self.int();
                let k = self.t.konst(Ty::I64, 15);
                let i = self.emit(Op::And, Ty::I64, &[i, k], 0);
                let b = self.base;
                if self.r.below(2) == 0 {
                    self.emit(Op::ALoad, ty, &[b, i], n);
                } else {
                    let v = if ty == Ty::I64 { self.int() } else { self.float() };
                    self.emit(Op::AStore, Ty::Void, &[b, i, v], n);
                }
            }
            20 => {
                let h = self.d.helper("mix").expect("toy helper");
                let args = [self.int(), self.float()];
                self.listed(Op::Call, Ty::I64, &args, h);
            }
            21 => {
                let n = self.r.below(self.t.natives.len());
                let s = self.t.natives[n].clone();
                let mut args: Vec<Val> = s
                    .args
                    .iter()
                    .map(|a| if a.kind.ty() == Ty::F64 { self.float() } else { self.int() })
                    .collect();
                let ty = match &s.ret {
                    RetPlace::One(k) => k.ty(),
                    RetPlace::Mem(_) => {
                        args.push(self.base);
                        Ty::Void
                    }
                    RetPlace::None => Ty::Void,
                };
                self.listed(Op::NCall, ty, &args, n as u32);
            }
            22 => {
                let a = self.int();
                self.emit(Op::BitsF, Ty::F64, &[a], 0);
            }
            _ => {
                let a = self.int();
                let op = if self.r.below(5) == 0 { Op::GTrue } else { Op::Cast };
                if op == Op::Cast {
                    self.emit(op, Ty::I64, &[a], 0);
                }
            }
        }
    }
}

/// A random verified trace over the toy descriptors.
pub fn trace(d: &Descs, seed: u64, ops: usize) -> Trace {
    let mut t = Trace::new();
    t.natives = natives();
    let base = t.push(Inst::new(Op::JLoad, Ty::Ptr, &[]).with_imm(jf::FRAME as u32));
    let mut r = Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    for _ in 0..4 {
        r.next();
    }
    let mut g = Gen { t, d, r, ints: vec![], floats: vec![], base };
    let (i64s, f64s) = (d.array("i64s").expect("toy"), d.array("f64s").expect("toy"));
    for k in 0..3 {
        let k = g.t.konst(Ty::I64, k);
        g.emit(Op::ALoad, Ty::I64, &[base, k], i64s);
        g.emit(Op::ALoad, Ty::F64, &[base, k], f64s);
    }
    for _ in 0..ops / 2 {
        g.random_op();
    }
    if g.r.below(4) != 0 {
        let zero = g.t.konst(Ty::I64, 0);
        g.t.push(Inst::new(Op::Loop, Ty::Void, &[]));
        let mut phis = vec![];
        let mut inits = vec![zero];
        for _ in 0..g.r.below(14) {
            inits.push(if g.r.below(2) == 0 { g.int() } else { g.float() });
        }
        for i in inits {
            let ty = g.t.ty(i);
            phis.push(g.t.push(Inst::new(Op::Phi, ty, &[i, i])));
        }
        for &p in &phis {
            if g.t.ty(p) == Ty::I64 { g.ints.push(p) } else { g.floats.push(p) }
        }
        // The snapshot before the loop must not be shared: it may lack nothing, but keeps its own values.
        let n = g.t.konst(Ty::I64, 1 + g.r.below(6) as u64);
        let c = g.emit(Op::Lt, Ty::I64, &[phis[0], n], 0);
        g.ints.pop();
        g.emit(Op::GTrue, Ty::Void, &[c], 0);
        for _ in 0..ops / 2 {
            g.random_op();
        }
        let one = g.t.konst(Ty::I64, 1);
        let next = g.emit(Op::Add, Ty::I64, &[phis[0], one], 0);
        for (k, p) in phis.iter().enumerate() {
            let back = if k == 0 {
                next
            } else if g.t.ty(*p) == Ty::I64 {
                g.int()
            } else {
                g.float()
            };
            g.t.insts[p.index()].args[1] = back;
        }
        g.t.push(Inst::new(Op::Jump, Ty::Void, &[]));
    } else {
        let s = g.snap();
        g.t.push(Inst::new(Op::Exit, Ty::Void, &[]).with_snap(s));
    }
    g.t
}
