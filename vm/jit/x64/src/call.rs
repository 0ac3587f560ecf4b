//! Calls: helpers and native code, System V AMD64. Placement of native arguments comes as data.
//!
//! Order: note where arguments are; move what lives on out of caller-saved registers (to a free callee-saved one, or
//! to its slot); stack words; register arguments as one parallel move; for calls that may force, dump what the
//! snapshot names and store the call word; call.

use crate::alloc::*;
use crate::asm::OUT_BYTES;
use crate::lower::Lower;
use crate::mem::Loc;
use crate::{Error, Site};
use lh_jit_ir::*;

pub(crate) enum Callee {
    Addr(u64),
    Value(Val),
}

pub(crate) struct Arg {
    pub src: Loc,
    pub kind: MemKind,
    pub place: Place,
}

impl Lower<'_> {
    /// Places integer-like and float arguments one after the other.
    pub fn helper_args(&self, h: &HelperDesc, args: &[Val]) -> Vec<Arg> {
        let (mut ni, mut nf, mut ns) = (0u8, 0u8, 0u8);
        let mut out = vec![];
        let mut put = |src: Loc, float: bool| {
            let place = if float && nf < 8 {
                nf += 1;
                Place::Float(nf - 1)
            } else if !float && ni < 6 {
                ni += 1;
                Place::Int(ni - 1)
            } else {
                ns += 1;
                Place::Stack(ns - 1)
            };
            let kind = if float { MemKind::F64 } else { MemKind::I64 };
            out.push(Arg { src, kind, place });
        };
        if h.pass_ts {
            put(Loc::Reg(TS), false);
        }
        for (a, t) in args.iter().zip(&h.args) {
            put(self.loc(*a), *t == Ty::F64);
        }
        out
    }

    pub fn helper_call(&mut self, p: u32, id: u32, args: &[Val]) -> Result<(), Error> {
        let h = &self.d.helpers[id as usize];
        let args = self.helper_args(h, args);
        let out = Val::inst(p as usize);
        self.call(p, Callee::Addr(h.addr), &args, None)?;
        match h.ret {
            Ty::Void => {}
            Ty::F64 => self.result(out, 16, p),
            _ => {
                if h.ret == Ty::I64 {
                    self.asm.narrow(h.ret_kind, RAX, RAX);
                }
                self.result(out, RAX, p);
            }
        }
        Ok(())
    }

    fn result(&mut self, out: Val, r: u8, p: u32) {
        if self.a.last[out.index()] > p {
            self.a.set(out.index() as u32, r);
        }
    }

    pub fn native_call(&mut self, p: u32) -> Result<(), Error> {
        let i = self.t.insts[p as usize];
        let s = &self.t.natives[i.imm as usize];
        let mut vals = self.t.list(&i).iter().copied();
        let callee = match s.target {
            Target::Addr(a) => Callee::Addr(a),
            Target::FirstArg => Callee::Value(vals.next().expect("target operand")),
        };
        let args: Vec<Arg> = s
            .args
            .iter()
            .map(|a| Arg {
                src: self.loc(vals.next().expect("native operand")),
                kind: a.kind,
                place: a.place,
            })
            .collect();
        let buffer = match &s.ret {
            RetPlace::Mem(_) => {
                let from = self.loc(vals.next().expect("result address"));
                let tmp = self.a.slot();
                self.mov(Loc::Mem(tmp), from);
                Some(tmp)
            }
            _ => None,
        };
        self.call(p, callee, &args, s.varargs)?;
        let out = Val::inst(p as usize);
        match &s.ret {
            RetPlace::None => {}
            RetPlace::One(MemKind::F32) => {
                self.asm.from_f32(0, 0);
                self.result(out, 16, p);
            }
            RetPlace::One(MemKind::F64) => self.result(out, 16, p),
            RetPlace::One(k) => {
                self.asm.narrow(*k, RAX, RAX);
                self.result(out, RAX, p);
            }
            RetPlace::Mem(parts) => {
                let tmp = buffer.expect("made above");
                self.asm.ld(SCRATCH, JF, tmp);
                for (float, n, off) in parts {
                    if *float {
                        self.asm.fst(SCRATCH, *off as i32, *n);
                    } else {
                        self.asm.st(SCRATCH, *off as i32, if *n == 0 { RAX } else { RDX });
                    }
                }
                self.a.free_slots.push(tmp);
            }
        }
        Ok(())
    }

    /// Gets everything that lives on out of the caller-saved registers.
    pub fn save_live(&mut self, p: u32) {
        for r in 0..32u8 {
            if CALLER_SAVED >> r & 1 == 0 {
                continue;
            }
            let Some(v) = self.a.regs[r as usize] else { continue };
            if self.a.last[v as usize] <= p {
                continue;
            }
            if self.a.spill[v as usize].is_some() {
                continue;
            }
            let home = [12u8, 13, 14, 5].into_iter().find(|h| self.a.regs[*h as usize].is_none());
            match home {
                Some(h) if r < 16 && self.a.has_later_use(v, p) => {
                    self.asm.mov(h, r);
                    self.a.set(v, h);
                }
                _ => self.save(v),
            }
        }
    }

    pub fn call(&mut self, p: u32, callee: Callee, args: &[Arg], varargs: Option<u8>) -> Result<(), Error> {
        let i = self.t.insts[p as usize];
        let target = match callee {
            Callee::Value(v) => Some(self.loc(v)),
            Callee::Addr(_) => None,
        };
        // Sources stay where they were noted: saving only copies to free registers and slots.
        self.save_live(p);
        let mut moves = vec![];
        for a in args {
            match a.place {
                Place::Stack(n) => {
                    let off = 8 * n as i32;
                    if off + 8 > OUT_BYTES {
                        return Err(Error::StackArguments);
                    }
                    self.stack_word(off, a);
                }
                Place::Int(n) => moves.push((ARGS[n as usize], a.src)),
                Place::Float(n) => moves.push((16 + n, a.src)),
            }
        }
        if let Some(t) = target {
            moves.push((10, t));
        }
        if i.snap != NO_SNAP {
            // What a force needs must be in jf. Values in caller-saved registers are still there.
            let (places, dump) = self.places(i.snap);
            self.dump(dump);
            self.calls.push(Site { inst: p as usize, snap: i.snap, places, forced: None });
            self.asm.st_imm32(JF, jf::CALL, self.calls.len() as i32);
            self.in_memory.forget();
        } else {
            let e = self.t.effects(self.d, &i);
            if e.has(RUNS_PYTHON | MAY_FORCE) && !std::mem::replace(&mut self.in_memory.no_call, true) {
                // Frames are in memory: nothing to force.
                self.asm.st_imm32(JF, jf::CALL, 0);
            }
            if e.has(USES_FRAME) {
                self.in_memory.slots.clear();
            }
        }
        self.parallel(&moves);
        for a in args {
            match (a.place, a.kind) {
                (Place::Float(n), MemKind::F32) => self.asm.to_f32(n, n),
                (Place::Int(n), k) if k.size() < 4 => {
                    let r = ARGS[n as usize];
                    self.asm.narrow(k, r, r);
                }
                _ => {}
            }
        }
        match (callee, target) {
            (Callee::Addr(a), _) => {
                if let Some(n) = varargs {
                    self.asm.imm_keep_flags(RAX, n as u64);
                }
                self.asm.call_pooled(a);
            }
            _ => {
                if let Some(n) = varargs {
                    self.asm.imm_keep_flags(RAX, n as u64);
                }
                self.asm.call_r(10);
            }
        }
        for r in 0..32u8 {
            if CALLER_SAVED >> r & 1 != 0 {
                self.a.clear(r);
            }
        }
        Ok(())
    }

    fn stack_word(&mut self, off: i32, a: &Arg) {
        const RSP: u8 = 4;
        if a.kind == MemKind::F32 {
            let x = match a.src {
                Loc::Reg(r) => r - 16,
                s => {
                    self.mov(Loc::Reg(16 + FSCRATCH), s);
                    FSCRATCH
                }
            };
            self.asm.to_f32(FSCRATCH, x);
            self.asm.fst(RSP, off, FSCRATCH);
            return;
        }
        match a.src {
            Loc::Reg(r) if r >= 16 => self.asm.fst(RSP, off, r - 16),
            Loc::Reg(r) => {
                self.asm.narrow(a.kind, SCRATCH, r);
                self.asm.st(RSP, off, SCRATCH);
            }
            s => {
                self.mov(Loc::Reg(SCRATCH), s);
                self.asm.narrow(a.kind, SCRATCH, SCRATCH);
                self.asm.st(RSP, off, SCRATCH);
            }
        }
    }
}
