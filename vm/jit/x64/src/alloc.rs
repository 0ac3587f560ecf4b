//! Register allocation state: who is where, who is used next.
//!
//! Registers are numbered 0..16 (general) and 16..32 (float). A value is in a register, in a spill slot of jf, or
//! both; SSA values never change, so a slot once written stays right. Eviction picks the value whose next use as an
//! operand is furthest; uses in snapshots don't count, a slot serves them as well.

use lh_jit_ir::*;

pub const RAX: u8 = 0;
pub const RCX: u8 = 1;
pub const RDX: u8 = 2;
pub const JF: u8 = 3;
pub const TS: u8 = 15;
pub const SCRATCH: u8 = 11;
pub const FSCRATCH: u8 = 15;
/// Integer argument registers in order.
pub const ARGS: [u8; 6] = [7, 6, 2, 1, 8, 9];

pub const CALLEE_SAVED: u32 = 1 << 5 | 1 << 12 | 1 << 13 | 1 << 14;
pub const CALLER_SAVED: u32 =
    1 | 1 << 1 | 1 << 2 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 0x7fff << 16;
const GPRS: u32 = (CALLEE_SAVED | CALLER_SAVED) & 0xffff;
const XMMS: u32 = 0x7fff << 16;
/// Preference when a value does not live across a call.
const ORDER: [u8; 12] = [8, 9, 10, 6, 7, 1, 2, 0, 12, 13, 14, 5];
const ORDER_SAVED: [u8; 12] = [12, 13, 14, 5, 8, 9, 10, 6, 7, 1, 2, 0];

pub struct Alloc {
    /// Positions where a value is an operand.
    pub uses: Vec<Vec<u32>>,
    /// Last position that needs the value at all.
    pub last: Vec<u32>,
    pub reg: Vec<Option<u8>>,
    /// Byte offset in jf.
    pub spill: Vec<Option<i32>>,
    pub regs: [Option<u32>; 32],
    pub locked: u32,
    pub free_slots: Vec<i32>,
    pub next_slot: i32,
    /// Register a value should end in (a phi's), by value.
    pub hint: Vec<Option<u32>>,
    /// Positions of instructions that clobber caller-saved registers.
    pub calls: Vec<u32>,
    pub loop_at: u32,
    /// Position behind the last phi.
    pub phi_end: u32,
    pub end: u32,
    /// Slots below are another trace's: read, never reused.
    pub first_slot: i32,
    rng: Option<u64>,
    /// Values by the position they end at.
    ends: Vec<Vec<u32>>,
}

impl Alloc {
    pub fn new(t: &Trace, d: &Descs, fused: &[bool], random: Option<u64>) -> Alloc {
        let n = t.insts.len();
        let loop_at = t.loop_at().unwrap_or(n) as u32;
        let end = n as u32;
        let mut phi_end = loop_at + 1;
        while (phi_end as usize) < n && t.insts[phi_end as usize].op == Op::Phi {
            phi_end += 1;
        }
        let mut a = Alloc {
            uses: vec![vec![]; n],
            last: (0..n as u32).collect(),
            reg: vec![None; n],
            spill: vec![None; n],
            regs: [None; 32],
            locked: 0,
            free_slots: vec![],
            next_slot: t.link.as_ref().map_or(jf::SPILL, |l| l.top),
            hint: vec![None; n],
            calls: vec![],
            loop_at,
            phi_end,
            end,
            first_slot: t.link.as_ref().map_or(jf::SPILL, |l| l.top),
            rng: random.map(|x| x | 1),
            ends: vec![vec![]; n + 2],
        };
        let mut snap_vals: Vec<Option<Vec<Val>>> = vec![None; t.snaps.len()];
        for (p, i) in t.insts.iter().enumerate() {
            // A fused compare's operands are read by the guard behind it.
            let at = p as u32 + fused[p] as u32;
            if i.op == Op::Phi {
                if i.args[0].is_inst() {
                    a.note_use(i.args[0], at);
                }
                continue;
            }
            for v in t.operands(i) {
                if v.is_inst() {
                    a.note_use(v, at);
                }
            }
            if i.snap != NO_SNAP {
                let vals =
                    snap_vals[i.snap as usize].get_or_insert_with(|| snap_values(&t.snaps[i.snap as usize]));
                for v in vals.iter() {
                    a.note_last(*v, at);
                }
            }
            if i.op == Op::Jump {
                for (k, q) in t.insts.iter().enumerate() {
                    if q.op == Op::Phi && q.args[1].is_inst() {
                        a.note_use(q.args[1], at);
                        if a.hint[q.args[1].index()].is_none() {
                            a.hint[q.args[1].index()] = Some(k as u32);
                        }
                    }
                }
            }
            let inline =
                i.op == Op::BoxF && d.layout.free_floats != 0 || i.op == Op::BoxI && d.layout.free_ints != 0;
            if is_call(i) && !inline {
                a.calls.push(p as u32);
            }
            if i.op == Op::JLoad && i.imm >= jf::GPR as u32 {
                a.next_slot = a.next_slot.max(i.imm as i32 + 8);
            }
        }
        if let (Some(l), true) = (&t.label, (loop_at as usize) < n) {
            // Every exit behind the label keeps them.
            for v in l.values.iter().filter(|v| v.is_inst()) {
                a.last[v.index()] = a.end;
            }
        }
        for v in 0..n {
            let l = a.last[v] as usize;
            a.ends[l].push(v as u32);
        }
        a
    }

    fn note_use(&mut self, v: Val, at: u32) {
        self.uses[v.index()].push(at);
        self.note_last(v, at);
    }
    fn note_last(&mut self, v: Val, at: u32) {
        let mut at = at;
        // Live into the loop from outside means live through all of it.
        if (v.index() as u32) < self.loop_at && at > self.loop_at && !self.is_phi_pos(at) {
            at = self.end;
        }
        let l = &mut self.last[v.index()];
        *l = (*l).max(at);
    }
    fn is_phi_pos(&self, at: u32) -> bool {
        at < self.phi_end
    }

    /// Distance to the next use as an operand after `p`.
    pub fn next_use(&self, v: u32, p: u32) -> u32 {
        let u = &self.uses[v as usize];
        let k = u.partition_point(|x| *x <= p);
        if let Some(x) = u.get(k) {
            return x - p;
        }
        if v < self.loop_at && p > self.loop_at {
            // Around the loop once more.
            let k = u.partition_point(|x| *x <= self.loop_at);
            if let Some(x) = u.get(k) {
                return (self.end - p) + (x - self.loop_at);
            }
        }
        u32::MAX
    }
    pub fn has_later_use(&self, v: u32, p: u32) -> bool {
        self.next_use(v, p) != u32::MAX
    }
    pub fn crosses_call(&self, v: u32, p: u32) -> bool {
        let k = self.calls.partition_point(|c| *c <= p);
        let next = self.calls.get(k).copied().or_else(|| {
            let k = self.calls.partition_point(|c| *c <= self.loop_at);
            if self.last[v as usize] >= self.end { self.calls.get(k).map(|c| c + self.end) } else { None }
        });
        let u = &self.uses[v as usize];
        let last_use =
            if self.last[v as usize] >= self.end { self.end * 2 } else { u.last().copied().unwrap_or(0) };
        next.is_some_and(|c| c < last_use)
    }

    pub fn slot(&mut self) -> i32 {
        if let Some(s) = self.free_slots.pop() {
            return s;
        }
        self.next_slot += 8;
        self.next_slot - 8
    }
    pub fn lock(&mut self, r: u8) {
        self.locked |= 1 << r;
    }
    pub fn set(&mut self, v: u32, r: u8) {
        if let Some(old) = self.regs[r as usize] {
            self.reg[old as usize] = None;
        }
        if let Some(o) = self.reg[v as usize] {
            self.regs[o as usize] = None;
        }
        self.regs[r as usize] = Some(v);
        self.reg[v as usize] = Some(r);
    }
    pub fn clear(&mut self, r: u8) {
        if let Some(old) = self.regs[r as usize].take() {
            self.reg[old as usize] = None;
        }
    }
    pub fn is_free(&self, r: u8) -> bool {
        self.regs[r as usize].is_none() && self.locked >> r & 1 == 0
    }

    /// Chooses a register: (register, value to evict first).
    pub fn choose(&mut self, v: u32, float: bool, p: u32, hint: Option<u8>) -> (u8, Option<u32>) {
        if let Some(h) = hint
            && (h >= 16) == float
            && self.is_free(h)
            && self.rng.is_none()
        {
            return (h, None);
        }
        let order: Vec<u8> = if float {
            (16..31).collect()
        } else if self.crosses_call(v, p) {
            ORDER_SAVED.to_vec()
        } else {
            ORDER.to_vec()
        };
        if let Some(x) = &mut self.rng {
            *x ^= *x << 13;
            *x ^= *x >> 7;
            *x ^= *x << 17;
            let start = (*x >> 20) as usize % order.len();
            for k in 0..order.len() {
                let r = order[(start + k) % order.len()];
                if self.locked >> r & 1 == 0 && (self.regs[r as usize].is_none() || *x & 7 == 0) {
                    return (r, self.regs[r as usize]);
                }
            }
        }
        if let Some(&r) = order.iter().find(|r| self.is_free(**r)) {
            return (r, None);
        }
        let mask = if float { XMMS } else { GPRS } & !self.locked;
        let r = (0..32u8)
            .filter(|r| mask >> r & 1 != 0)
            .max_by_key(|r| {
                let v = self.regs[*r as usize].expect("no free register");
                // A value that already has a slot costs nothing to evict.
                (self.next_use(v, p), self.spill[v as usize].is_some())
            })
            .expect("fewer operands than registers");
        (r, self.regs[r as usize])
    }

    /// Frees registers and slots of values that end at `p`.
    pub fn expire(&mut self, p: u32) {
        for r in 0..32u8 {
            if let Some(v) = self.regs[r as usize]
                && self.last[v as usize] <= p
            {
                self.clear(r);
            }
        }
        for v in std::mem::take(&mut self.ends[p as usize]) {
            // Words of jf's header are nobody's slot.
            if let Some(s) = self.spill[v as usize]
                && s >= self.first_slot
            {
                self.free_slots.push(s);
            }
        }
        self.locked = 0;
    }
}

/// Instructions whose lowering is a call.
pub fn is_call(i: &Inst) -> bool {
    matches!(i.op, Op::Call | Op::NCall | Op::BoxI | Op::BoxF | Op::New)
}

/// Instruction values a snapshot reads, each once.
pub fn snap_values(s: &Snapshot) -> Vec<Val> {
    let mut v = vec![];
    s.for_each_val(&mut |x| {
        if x.is_inst() {
            v.push(x);
        }
    });
    v.sort();
    v.dedup();
    v
}
