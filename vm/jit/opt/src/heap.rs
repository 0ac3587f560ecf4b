//! Loads, stores and effects: forwards stores to loads by alias class, delays stores of lazy fields, and forgets what
//! an op may have changed.
//!
//! Two different base values may be the same object, so a store to a field forgets that field of every other base
//! (unless it is immutable, when it was an initialising store).

use crate::state::{Abort, Fact, HeapKey, Opt};
use lh_jit_ir::desc::*;
use lh_jit_ir::ops::*;
use lh_jit_ir::*;

impl Opt<'_> {
    fn alias_of(&self, k: &HeapKey) -> (u8, bool) {
        match k {
            HeapKey::Field(f) => {
                let f = &self.d.fields[*f as usize];
                (f.alias, f.immutable)
            }
            HeapKey::Item(a, _) => {
                let a = &self.d.arrays[*a as usize];
                (a.alias, a.immutable)
            }
        }
    }

    fn key(i: &Inst) -> Option<HeapKey> {
        match i.op {
            Op::FLoad | Op::FStore => Some(HeapKey::Field(i.imm)),
            Op::ALoad | Op::AStore => Some(HeapKey::Item(i.imm, i.args[1])),
            _ => None,
        }
    }

    /// Answers loads from knowledge and delays lazy stores.
    pub fn heap_op(&mut self, i: &mut Inst) -> Result<Option<Val>, Abort> {
        let Some(k) = Self::key(i) else { return Ok(None) };
        let base = i.args[0];
        if let HeapKey::Field(f) = k {
            // Another base may be the same object: its delayed store must be in memory first.
            let mut n = 0;
            while n < self.lazies.len() {
                let (b, lf, v) = self.lazies[n];
                if lf == f && b != base {
                    self.lazies.remove(n);
                    self.write_lazy(b, lf, v);
                } else {
                    n += 1;
                }
            }
        }
        match i.op {
            Op::FLoad if self.d.fields[i.imm as usize].volatile => Ok(None),
            Op::FLoad | Op::ALoad => {
                let known = self.heap.get(&(base, k)).copied();
                if let (Some(v), Some(t)) = (known, &mut self.track)
                    && t.heap.get(&(base, k)) == Some(&v)
                {
                    t.used.insert((base, k));
                }
                Ok(known)
            }
            _ => {
                let val = if i.op == Op::FStore { i.args[1] } else { i.args[2] };
                let (alias, immutable) = self.alias_of(&k);
                if let HeapKey::Field(f) = k {
                    let desc = &self.d.fields[f as usize];
                    if desc.lazy && base.is_inst() && desc.kind == MemKind::I64 {
                        self.kill(1 << alias);
                        self.lazies.retain(|(b, lf, _)| !(*b == base && *lf == f));
                        self.lazies.push((base, f, val));
                        self.heap.insert((base, k), val);
                        return Ok(Some(Val::NONE));
                    }
                }
                if !immutable {
                    self.kill(1 << alias);
                }
                Ok(None)
            }
        }
    }

    fn write_lazy(&mut self, b: Val, f: u32, v: Val) {
        let v = self.resolve(v);
        self.tr.push(Inst::new(Op::FStore, Ty::Void, &[b, v]).with_imm(f));
    }

    /// Writes delayed stores of the alias classes in `mask`.
    pub fn flush_lazies(&mut self, mask: u64) {
        let all = std::mem::take(&mut self.lazies);
        for (b, f, v) in all {
            if mask >> self.d.fields[f as usize].alias & 1 != 0 {
                self.write_lazy(b, f, v);
            } else {
                self.lazies.push((b, f, v));
            }
        }
    }

    /// `gone` may be freed: what is to be stored in it must be there before. Another name may be the same object; only a
    /// type that has no such field tells that it isn't.
    pub fn flush_dying(&mut self, gone: Val) {
        let ty = self.facts.get(&gone).and_then(|f| f.ty);
        let all = std::mem::take(&mut self.lazies);
        for (b, f, v) in all {
            let owners = &self.d.fields[f as usize].owners;
            if b != gone && ty.is_some_and(|t| !owners.is_empty() && !owners.contains(&t)) {
                self.lazies.push((b, f, v));
            } else {
                self.write_lazy(b, f, v);
            }
        }
    }

    /// Forgets mutable memory of the alias classes, but not what is still to be stored there: memory doesn't know it yet.
    pub fn kill(&mut self, mask: u64) {
        let d = self.d;
        let lazies = &self.lazies;
        self.heap.retain(|(b, k), _| {
            let (alias, imm) = match k {
                HeapKey::Field(f) => (d.fields[*f as usize].alias, d.fields[*f as usize].immutable),
                HeapKey::Item(a, _) => (d.arrays[*a as usize].alias, d.arrays[*a as usize].immutable),
            };
            imm || mask >> alias & 1 == 0
                || lazies.iter().any(|(lb, lf, _)| lb == b && HeapKey::Field(*lf) == *k)
        });
    }

    /// What must happen before an op with these effects.
    pub fn before(&mut self, i: &Inst, eff: Effects) -> Result<(), Abort> {
        if i.op == Op::Drop && i.imm & DROP_NOT_LAST == 0 {
            self.flush_dying(i.args[0]);
        }
        let heap_op = matches!(i.op, Op::FLoad | Op::FStore | Op::ALoad | Op::AStore);
        if !heap_op {
            self.flush_lazies(eff.reads | eff.writes);
        }
        let runs = eff.has(RUNS_PYTHON | USES_FRAME | MAY_FORCE);
        if runs && (i.snap == NO_SNAP || eff.has(USES_FRAME)) {
            self.flush_frames()?;
        }
        Ok(())
    }

    /// What is known after an op.
    pub fn after(&mut self, i: &Inst, v: Val, eff: Effects) {
        if let Some(k) = Self::key(i) {
            let val = match i.op {
                Op::FStore => i.args[1],
                Op::AStore => i.args[2],
                _ => v,
            };
            // A narrow store truncates: its value is not what a load gives.
            let kind = match k {
                HeapKey::Field(f) => self.d.fields[f as usize].kind,
                HeapKey::Item(a, _) => self.d.arrays[a as usize].kind,
            };
            let volatile = matches!(k, HeapKey::Field(f) if self.d.fields[f as usize].volatile);
            if (kind.size() == 8 || v == val) && !volatile {
                self.heap.insert((i.args[0], k), val);
            }
        } else if eff.writes != 0 {
            self.kill(eff.writes);
        }
        if eff.has(RUNS_PYTHON | RELEASES_GIL) {
            self.facts.retain(|_, f| {
                if !f.stat {
                    f.ty = None;
                }
                *f != Fact::default()
            });
            self.cse.retain(|(op, _, _), _| *op != Op::GValid);
        }
        if let Some(k) = Self::cse_key(i) {
            self.cse.insert(k, if i.ty == Ty::Void { Val::NONE } else { v });
        }
        let a = i.args[0];
        match i.op {
            Op::GType => {
                let ty = self.tr.const_bits(i.args[1]);
                let f = self.fact(a);
                f.nonnull = true;
                f.ty = ty;
                f.stat = i.imm & TYPE_STATIC != 0;
            }
            Op::GNonNull => self.fact(a).nonnull = true,
            Op::GNull => {
                let z = self.tr.konst(self.tr.ty(a), 0);
                self.known.insert(a, z);
            }
            Op::GValue if a.is_inst() && i.args[1].is_const() => {
                self.known.insert(a, i.args[1]);
            }
            Op::GFalse if a.is_inst() => {
                let z = self.tr.konst(Ty::I64, 0);
                self.known.insert(a, z);
            }
            Op::GTrue if a.is_inst() => {
                let is_bool = matches!(
                    self.tr.insts[a.index()].op,
                    Op::Eq
                        | Op::Ne
                        | Op::Lt
                        | Op::Le
                        | Op::Gt
                        | Op::Ge
                        | Op::Ult
                        | Op::Ule
                        | Op::FEq
                        | Op::FNe
                        | Op::FLt
                        | Op::FLe
                        | Op::FGt
                        | Op::FGe
                );
                if is_bool {
                    let one = self.tr.konst(Ty::I64, 1);
                    self.known.insert(a, one);
                }
            }
            Op::Call if i.ty == Ty::Ref && self.d.helpers[i.imm as usize].ret_nonnull => {
                self.fact(v).nonnull = true;
            }
            _ => {}
        }
    }
}
