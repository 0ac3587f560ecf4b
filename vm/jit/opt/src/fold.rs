//! Constant folding, algebraic identities and common subexpressions.
//!
//! Not here: float identities that change signed zeros or NaN payloads (`x + 0.0`).

use crate::state::{Abort, Opt};
use lh_jit_ir::*;

fn commutes(op: Op) -> bool {
    matches!(
        op,
        Op::Add
            | Op::Mul
            | Op::AddOv
            | Op::MulOv
            | Op::And
            | Op::Or
            | Op::Xor
            | Op::Eq
            | Op::Ne
            | Op::FEq
            | Op::FNe
            | Op::FAdd
            | Op::FMul
    )
}

impl Opt<'_> {
    /// The value an op reduces to. `Val::NONE` in `Some` means "needs no code" (a guard that holds).
    pub fn fold(&mut self, i: &mut Inst) -> Result<Option<Val>, Abort> {
        let op = i.op;
        if commutes(op) && i.args[0].is_const() && !i.args[1].is_const() {
            i.args.swap(0, 1);
        }
        let [a, b, _] = i.args;
        let ca = if a.is_none() { None } else { self.const_of(a) };
        let cb = if b.is_none() { None } else { self.const_of(b) };
        let one = |o: &mut Self, x: i64| Some(o.tr.konst(Ty::I64, x as u64));
        // Constant numbers.
        if let (Op::GType | Op::UnboxI | Op::UnboxF, Some(x)) = (op, ca)
            && let Some((ty, bits)) = self.d.literal.and_then(|f| f(x))
        {
            match op {
                Op::GType if cb == Some(ty) => return Ok(Some(Val::NONE)),
                Op::UnboxI if ty == self.d.layout.int_type => return Ok(Some(self.tr.konst(Ty::I64, bits))),
                Op::UnboxF if ty == self.d.layout.float_type => {
                    return Ok(Some(self.tr.konst(Ty::F64, bits)));
                }
                _ => {}
            }
        }
        // Guards on known values.
        let holds = match op {
            Op::GTrue => ca.map(|x| x != 0),
            Op::GFalse => ca.map(|x| x == 0),
            Op::GNull => ca.map(|x| x == 0).or(self.facts.get(&a).filter(|f| f.nonnull).map(|_| false)),
            Op::GNonNull => ca.map(|x| x != 0).or(self.facts.get(&a).filter(|f| f.nonnull).map(|_| true)),
            Op::GValue => match (ca, cb) {
                (Some(x), Some(y)) => Some(x == y),
                _ => None,
            },
            Op::GType
                if self.track.is_some() && self.facts.get(&a).is_some_and(|f| f.ty.is_some() && !f.stat) =>
            {
                if let Some(t) = &mut self.track
                    && a.is_inst()
                    && a.index() < t.at
                {
                    t.types.insert(a);
                }
                match (self.facts.get(&a).and_then(|f| f.ty), cb) {
                    (Some(t), Some(want)) => Some(t == want),
                    _ => None,
                }
            }
            Op::GType => match (self.facts.get(&a).and_then(|f| f.ty), cb) {
                (Some(t), Some(want)) => Some(t == want),
                _ => None,
            },
            _ => None,
        };
        match holds {
            Some(true) => return Ok(Some(Val::NONE)),
            Some(false) => return Err(Abort::GuardNeverHolds),
            None => {}
        }
        if op.is_pure()
            && let Some(x) = ca
            && (cb.is_some() || b.is_none())
            && let Some(x) = exec::eval(op, x, cb.unwrap_or(0))
        {
            return Ok(Some(self.tr.konst(i.ty, x)));
        }
        // Booleans: testing `x != 0` is testing x.
        if matches!(op, Op::GTrue | Op::GFalse) && a.is_inst() {
            let x = self.tr.insts[a.index()];
            if matches!(x.op, Op::Ne | Op::Eq)
                && self.tr.const_bits(x.args[1]) == Some(0)
                && self.tr.ty(x.args[0]) == Ty::I64
            {
                let flip = x.op == Op::Eq;
                i.op = if (op == Op::GTrue) != flip { Op::GTrue } else { Op::GFalse };
                i.args[0] = x.args[0];
                return self.fold(i);
            }
        }
        let y = cb.map(|x| x as i64);
        // Division by a power of two rounds down like a shift.
        if let (Op::FloorDiv | Op::FloorMod, Some(k)) = (op, y)
            && k > 1
            && k.count_ones() == 1
        {
            let div = op == Op::FloorDiv;
            i.op = if div { Op::Sar } else { Op::And };
            let c = if div { k.trailing_zeros() as u64 } else { k as u64 - 1 };
            i.args[1] = self.tr.konst(Ty::I64, c);
            return Ok(None);
        }
        Ok(match op {
            Op::Add | Op::Sub | Op::AddOv | Op::SubOv | Op::Or | Op::Xor | Op::Shl | Op::Shr | Op::Sar
                if y == Some(0) =>
            {
                Some(a)
            }
            Op::PAdd if y == Some(0) && self.tr.ty(a) == Ty::Ptr => Some(a),
            Op::Mul | Op::MulOv | Op::FloorDiv if y == Some(1) => Some(a),
            Op::Mul | Op::MulOv | Op::And if y == Some(0) => one(self, 0),
            Op::And if y == Some(-1) => Some(a),
            Op::Sub | Op::SubOv | Op::Xor if a == b => one(self, 0),
            Op::And | Op::Or if a == b => Some(a),
            Op::Eq | Op::Le | Op::Ge | Op::Ule if a == b => one(self, 1),
            Op::Ne | Op::Lt | Op::Gt | Op::Ult if a == b => one(self, 0),
            Op::FMul | Op::FDiv if cb == Some(1.0f64.to_bits()) => Some(a),
            Op::Eq | Op::Ne
                if cb == Some(0)
                    && self.tr.ty(a) != Ty::I64
                    && self.facts.get(&a).is_some_and(|f| f.nonnull) =>
            {
                one(self, (op == Op::Ne) as i64)
            }
            Op::Cast if self.tr.ty(a) == i.ty => Some(a),
            Op::Cast if a.is_inst() && self.tr.insts[a.index()].op == Op::Cast => {
                let x = self.tr.insts[a.index()].args[0];
                if self.tr.ty(x) == i.ty {
                    Some(x)
                } else {
                    i.args[0] = x;
                    None
                }
            }
            Op::Sext8 | Op::Sext16 | Op::Sext32 | Op::Zext8 | Op::Zext16 | Op::Zext32
                if a.is_inst() && self.tr.insts[a.index()].op == op =>
            {
                Some(a)
            }
            Op::Add | Op::Sub if y.is_some() && a.is_inst() => {
                // (x + c) + d -> x + (c + d)
                let x = self.tr.insts[a.index()];
                let inner = self.tr.const_bits(x.args[1]).map(|v| v as i64);
                let d = if op == Op::Sub { y.unwrap_or(0).wrapping_neg() } else { y.unwrap_or(0) };
                let sum = match (x.op, inner) {
                    (Op::Add, Some(c)) => Some(c.wrapping_add(d)),
                    (Op::Sub, Some(c)) => Some(d.wrapping_sub(c)),
                    _ => None,
                };
                if let Some(s) = sum {
                    i.op = Op::Add;
                    i.args[0] = x.args[0];
                    i.args[1] = self.tr.konst(Ty::I64, s as u64);
                    if s == 0 {
                        return Ok(Some(x.args[0]));
                    }
                }
                None
            }
            _ => None,
        })
    }

    /// An earlier equal computation or an earlier equal guard.
    pub fn cse_op(&mut self, i: &Inst) -> Option<Val> {
        let k = Self::cse_key(i)?;
        self.cse.get(&k).copied()
    }
    pub fn cse_key(i: &Inst) -> Option<(Op, u32, [Val; 2])> {
        let ok = i.op.is_pure()
            || matches!(i.op, Op::GTrue | Op::GFalse | Op::GValue | Op::GNonNull | Op::GNull | Op::GValid);
        let extra = if i.op == Op::Cast { i.ty as u32 } else { i.imm };
        ok.then_some((i.op, extra, [i.args[0], i.args[1]]))
    }
}
