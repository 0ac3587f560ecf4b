//! Moving values between registers, spill slots and constants.

use crate::Error;
use crate::alloc::*;
use crate::lower::Lower;
use lh_jit_ir::*;

/// A source or destination of a move: where a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loc {
    Reg(u8),
    Mem(i32),
    Const(u64),
}

impl Lower<'_> {
    pub fn is_float(&self, v: Val) -> bool {
        self.t.ty(v) == Ty::F64
    }
    /// Register that always has this value, if it is a pinned one.
    fn pinned(&self, v: Val) -> Option<u8> {
        match self.t.insts[v.index()].op {
            Op::Ts => Some(TS),
            Op::Jf => Some(JF),
            _ => None,
        }
    }
    pub fn loc(&self, v: Val) -> Loc {
        if v.is_const() {
            return Loc::Const(self.t.consts[v.index()].bits);
        }
        if let Some(r) = self.pinned(v) {
            return Loc::Reg(r);
        }
        if let Some(r) = self.a.reg[v.index()] {
            return Loc::Reg(r);
        }
        Loc::Mem(self.a.spill[v.index()].expect("a live value is somewhere"))
    }
    /// One move; memory to memory goes through the scratch registers.
    pub fn mov(&mut self, to: Loc, from: Loc) {
        match (to, from) {
            (Loc::Reg(d), Loc::Reg(s)) if d >= 16 => self.asm.fmov(d - 16, s - 16),
            (Loc::Reg(d), Loc::Reg(s)) => self.asm.mov(d, s),
            (Loc::Reg(d), Loc::Mem(o)) if d >= 16 => self.asm.fld(d - 16, JF, o),
            (Loc::Reg(d), Loc::Mem(o)) => self.asm.ld(d, JF, o),
            (Loc::Reg(d), Loc::Const(c)) if d >= 16 => self.asm.fimm(d - 16, c),
            (Loc::Reg(d), Loc::Const(c)) => self.asm.imm_keep_flags(d, c),
            (Loc::Mem(o), Loc::Reg(s)) if s >= 16 => self.asm.fst(JF, o, s - 16),
            (Loc::Mem(o), Loc::Reg(s)) => self.asm.st(JF, o, s),
            (Loc::Mem(o), Loc::Const(c)) if c as i64 == c as i32 as i64 => self.asm.st_imm(JF, o, c as i32),
            (Loc::Mem(_), x) => {
                self.mov(Loc::Reg(SCRATCH), x);
                self.mov(to, Loc::Reg(SCRATCH));
            }
            (Loc::Const(_), _) => unreachable!("a constant is no destination"),
        }
    }
    /// Writes a value to its spill slot if it has none yet.
    pub fn save(&mut self, v: u32) {
        if self.a.spill[v as usize].is_none() {
            let s = self.a.slot();
            let r = self.a.reg[v as usize].expect("spilling from a register");
            self.a.spill[v as usize] = Some(s);
            self.mov(Loc::Mem(s), Loc::Reg(r));
        }
    }
    fn evict(&mut self, v: u32, p: u32) {
        if self.a.last[v as usize] >= p {
            self.save(v);
        }
        if let Some(r) = self.a.reg[v as usize] {
            self.a.clear(r);
        }
    }
    /// A register for `v`, locked for this instruction.
    pub fn alloc(&mut self, v: Val, p: u32, hint: Option<u8>) -> u8 {
        let n = v.index() as u32;
        let hint = hint.or_else(|| {
            // A value that goes into a phi likes the phi's register.
            let phi = self.a.hint[n as usize]?;
            match self.label.get(phi as usize).copied().flatten()? {
                Loc::Reg(r) => Some(r),
                _ => None,
            }
        });
        let (r, out) = self.a.choose(n, self.is_float(v), p, hint);
        if let Some(o) = out {
            self.evict(o, p);
        }
        self.a.set(n, r);
        self.a.lock(r);
        r
    }
    /// Frees one particular register, moving its value away.
    pub fn vacate(&mut self, r: u8, p: u32) {
        if let Some(v) = self.a.regs[r as usize] {
            if self.a.last[v as usize] >= p {
                self.save(v);
            }
            self.a.clear(r);
        }
    }
    /// A general register with `v`: its own, loaded, or the scratch register with a constant. Locked.
    pub fn gpr(&mut self, v: Val, p: u32) -> u8 {
        match self.loc(v) {
            Loc::Const(c) => {
                self.asm.imm_keep_flags(SCRATCH, c);
                SCRATCH
            }
            Loc::Reg(r) => {
                self.a.lock(r);
                r
            }
            m => {
                let r = self.alloc(v, p, None);
                self.mov(Loc::Reg(r), m);
                r
            }
        }
    }
    /// As [`Lower::gpr`] for floats; answers the xmm number.
    pub fn xmm(&mut self, v: Val, p: u32) -> u8 {
        match self.loc(v) {
            Loc::Const(c) => {
                self.asm.fimm(FSCRATCH, c);
                FSCRATCH
            }
            Loc::Reg(r) => {
                self.a.lock(r);
                r - 16
            }
            m => {
                let r = self.alloc(v, p, None);
                self.mov(Loc::Reg(r), m);
                r - 16
            }
        }
    }
    /// `v`'s register may be overwritten by the instruction at `p`.
    pub fn dies(&self, v: Val, p: u32) -> bool {
        v.is_inst()
            && self.a.last[v.index()] <= p
            && self.pinned(v).is_none()
            && !self.snap_has(p, v)
            && self.a.reg[v.index()].is_some()
    }
    fn snap_has(&self, p: u32, v: Val) -> bool {
        let s = self.t.insts[p as usize].snap;
        s != NO_SNAP && self.snap_vals[s as usize].binary_search(&v).is_ok()
    }
    /// Destination that starts with `a`'s value: `a`'s register if it ends here, else a new one with a copy.
    pub fn dst_from(&mut self, out: Val, a: Val, p: u32) -> u8 {
        let better = |r: u8, s: &Self| {
            // Living across a call, it should not start in a register that the call destroys.
            r < 16
                && CALLER_SAVED >> r & 1 != 0
                && s.a.crosses_call(out.index() as u32, p)
                && [12u8, 13, 14, 5].iter().any(|h| s.a.is_free(*h))
        };
        if self.dies(a, p) && !self.a.reg[a.index()].is_some_and(|r| better(r, self)) {
            let r = self.a.reg[a.index()].expect("dies() saw a register");
            self.a.set(out.index() as u32, r);
            self.a.lock(r);
            return r;
        }
        let from = self.loc(a);
        if let Loc::Reg(r) = from {
            self.a.lock(r);
        }
        let r = self.alloc(out, p, None);
        // Allocation may have moved the source to memory.
        let from = if let Loc::Reg(_) = from { from } else { self.loc(a) };
        self.mov(Loc::Reg(r), from);
        r
    }

    /// Moves that happen at once; destinations are registers.
    pub fn parallel(&mut self, moves: &[(u8, Loc)]) {
        let mut pending: Vec<(u8, u8)> = moves
            .iter()
            .filter_map(|(d, s)| match s {
                Loc::Reg(r) if r != d => Some((*d, *r)),
                _ => None,
            })
            .collect();
        while !pending.is_empty() {
            if let Some(k) = (0..pending.len()).find(|&k| !pending.iter().any(|(_, s)| *s == pending[k].0)) {
                let (d, s) = pending.swap_remove(k);
                self.mov(Loc::Reg(d), Loc::Reg(s));
            } else {
                // Only cycles are left: free one register.
                let (_, s) = pending[0];
                let scratch = if s >= 16 { 16 + FSCRATCH } else { SCRATCH };
                self.mov(Loc::Reg(scratch), Loc::Reg(s));
                for m in &mut pending {
                    if m.1 == s {
                        m.1 = scratch;
                    }
                }
            }
        }
        for (d, s) in moves {
            if !matches!(s, Loc::Reg(_)) {
                self.mov(Loc::Reg(*d), *s);
            }
        }
    }

    /// The places of a snapshot's values now, and which registers must be dumped for it.
    pub fn places(&self, snap: u32) -> (Vec<(Val, u32)>, u32) {
        let mut dump = 0u32;
        let mut out = vec![];
        for &v in &self.snap_vals[snap as usize] {
            let (at, regs) = self.place(v).expect("snapshot values are somewhere");
            dump |= regs;
            out.push((v, at));
        }
        (out, dump)
    }
    /// The offset in jf where an exit leaves a value, and the register to dump for it.
    pub fn place(&self, v: Val) -> Option<(u32, u32)> {
        // A slot is as good as a register and costs nothing.
        if let Some(o) = self.a.spill[v.index()] {
            return Some((o as u32, 0));
        }
        let r = self.pinned(v).or(self.a.reg[v.index()])?;
        Some((dump_offset(r) as u32, 1 << r))
    }
    pub fn dump(&mut self, mask: u32) {
        for r in 0..32u8 {
            if mask >> r & 1 != 0 {
                self.mov(Loc::Mem(dump_offset(r)), Loc::Reg(r));
            }
        }
    }

    // ---- Loop ----

    /// At the label: remembers where everything is.
    pub fn mark_label(&mut self) {
        self.label = (0..self.t.insts.len())
            .map(|v| {
                let phi = self.t.insts[v].op == Op::Phi;
                if let Some(r) = self.a.reg[v] {
                    return Some(Loc::Reg(r));
                }
                // A slot of a loop-invariant value stays right; a phi's slot must be written again.
                if phi { self.a.spill[v].map(Loc::Mem) } else { None }
            })
            .collect();
    }
    /// At the jump: brings everything to where the label expects it.
    pub fn back_to_label(&mut self) -> Result<(), Error> {
        let mut regs: Vec<(u8, Loc)> = vec![];
        let mut mems: Vec<(i32, Loc)> = vec![];
        for v in 0..self.label.len() {
            let Some(want) = self.label[v] else { continue };
            let i = &self.t.insts[v];
            let from = if i.op == Op::Phi {
                if self.a.last[v] == v as u32 {
                    continue;
                }
                self.loc(i.args[1])
            } else if self.a.last[v] >= self.a.end {
                self.loc(Val::inst(v))
            } else {
                continue;
            };
            if from == want {
                continue;
            }
            match want {
                Loc::Reg(r) => regs.push((r, from)),
                Loc::Mem(o) => mems.push((o, from)),
                Loc::Const(_) => unreachable!("labels name places"),
            }
        }
        self.move_all(&regs, &mems);
        Ok(())
    }

    /// Brings everything to where another trace's label expects it and goes there.
    pub fn link_label(&mut self, i: Inst) -> Result<(), Error> {
        let Some(l) = self.t.link.as_deref() else { return Err(Error::Encoding) };
        let (mut regs, mut mems) = (vec![], vec![]);
        let list = self.t.list(&i).to_vec();
        for (v, want) in list.into_iter().zip(&l.places) {
            let (reg, mem) = match *want {
                Where::Nowhere => (None, None),
                Where::Reg(r) => (Some(r), None),
                Where::Mem(o) => (None, Some(o)),
                Where::Both(r, o) => (Some(r), Some(o)),
            };
            let from = self.loc(v);
            if let Some(r) = reg
                && from != Loc::Reg(r)
            {
                regs.push((r, from));
            }
            if let Some(o) = mem
                && (!v.is_inst() || self.a.spill[v.index()] != Some(o))
            {
                mems.push((o, from));
            }
        }
        regs.extend(l.words.iter().map(|(r, o)| (*r, Loc::Mem(*o))));
        self.move_all(&regs, &mems);
        self.asm.st_imm32(JF, jf::CALL + 4, l.trace_id as i32);
        self.asm.imm(SCRATCH, l.cell);
        self.asm.jmp_m(SCRATCH);
        Ok(())
    }

    /// All these moves at once.
    fn move_all(&mut self, regs: &[(u8, Loc)], mems: &[(i32, Loc)]) {
        // A slot written here may be read by another move: go through temporary slots unless nobody reads it.
        let mut late = vec![];
        for (o, from) in mems {
            let read = mems.iter().any(|m| m.1 == Loc::Mem(*o)) || regs.iter().any(|m| m.1 == Loc::Mem(*o));
            if read {
                // A slot that is free now may be one of those written here.
                let tmp = std::iter::repeat_with(|| self.a.slot())
                    .find(|s| mems.iter().all(|m| m.0 != *s))
                    .expect("there is always another slot");
                self.mov(Loc::Mem(tmp), *from);
                late.push((*o, tmp));
            } else {
                late.push((*o, i32::MIN));
            }
        }
        for (k, (o, from)) in mems.iter().enumerate() {
            if late[k].1 == i32::MIN {
                self.mov(Loc::Mem(*o), *from);
            }
        }
        self.parallel(regs);
        for (o, tmp) in late {
            if tmp != i32::MIN {
                // Through a register the label does not name.
                self.mov(Loc::Reg(SCRATCH), Loc::Mem(tmp));
                self.mov(Loc::Mem(o), Loc::Reg(SCRATCH));
            }
        }
    }
}

/// Where an exit stub puts a register.
pub(crate) fn dump_offset(r: u8) -> i32 {
    if r >= 16 { jf::XMM + 8 * (r as i32 - 16) } else { jf::GPR + 8 * r as i32 }
}
