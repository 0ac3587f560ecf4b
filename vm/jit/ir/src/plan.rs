//! An exit's snapshot as a list of moves: what [`crate::exec::restore`] does, worked out once for exits that are taken often.

use crate::desc::*;
use crate::exec::{add_ref, call_helper, drop_ref, store};
use crate::trace::*;

/// Where a value is found.
#[derive(Clone, Copy, Debug)]
enum Src {
    Const(u64),
    /// Byte offset in the values the exit left behind.
    At(u32),
    /// The n-th object built by this plan.
    Built(u32),
}

#[derive(Clone, Copy, Debug)]
struct Move {
    src: Src,
    /// The reference is to be made.
    copy: bool,
    /// Byte offset from the base.
    to: i32,
}

#[derive(Debug)]
struct Build {
    class: VClass,
    helper: u32,
    args: Vec<Move>,
    /// References beyond the first.
    more: i64,
}

#[derive(Debug)]
pub struct Plan {
    builds: Vec<Build>,
    stores: Vec<(Src, MemKind, Move)>,
    frames: Vec<(Src, Vec<Move>)>,
    holds: Vec<(Src, i64)>,
    drops: Vec<(Src, u32)>,
}

/// Objects a plan builds without allocating room for their addresses.
const FEW: usize = 24;

impl Plan {
    /// `place` answers the byte offset of an instruction's value.
    pub fn new(t: &Trace, s: &Snapshot, d: &Descs, place: &dyn Fn(Val) -> u32) -> Plan {
        let src = |v: Val| {
            if v.is_virt() {
                Src::Built(v.index() as u32)
            } else if v.is_const() {
                Src::Const(t.consts[v.index()].bits)
            } else {
                Src::At(place(v))
            }
        };
        let counted = |v: Val, own: Own, to: i32| Move {
            src: src(v),
            copy: own == Own::Copy && !v.is_virt() && t.ty(v) == Ty::Ref,
            to,
        };
        let l = &d.layout;
        Plan {
            builds: s
                .virts
                .iter()
                .map(|v| Build {
                    class: v.class,
                    helper: match v.class {
                        VClass::BoxI => l.box_int,
                        VClass::BoxF => l.box_float,
                        VClass::Class(c) => d.classes[c as usize].alloc,
                    },
                    args: v.fields.iter().map(|(f, own)| counted(*f, *own, 0)).collect(),
                    more: v.count as i64 - 1,
                })
                .collect(),
            stores: s
                .stores
                .iter()
                .map(|x| {
                    let f = &d.fields[x.field as usize];
                    (src(x.base), f.kind, Move { src: src(x.src), copy: false, to: f.offset })
                })
                .collect(),
            frames: s
                .frames
                .iter()
                .map(|f| {
                    let slots = f.slots.iter().map(|x| counted(x.src, x.own, l.slots + 8 * x.slot)).collect();
                    (src(f.base), slots)
                })
                .collect(),
            holds: s.holds.iter().map(|(v, n)| (src(*v), *n as i64)).collect(),
            drops: s.drops.iter().map(|(v, n)| (src(*v), *n)).collect(),
        }
    }

    /// Writes the state to memory.
    ///
    /// # Safety
    /// `values` are those of an exit with the plan's snapshot.
    pub unsafe fn run(&self, d: &Descs, ts: u64, values: *const u8) {
        let mut few = [0u64; FEW];
        let mut many = vec![];
        let built: &mut [u64] = if self.builds.len() <= FEW {
            &mut few
        } else {
            many.resize(self.builds.len(), 0);
            &mut many
        };
        // SAFETY: the caller vouches for values and layout.
        unsafe {
            let value = |s: Src, built: &[u64]| match s {
                Src::Const(c) => c,
                Src::At(o) => values.add(o as usize).cast::<u64>().read(),
                Src::Built(n) => built[n as usize],
            };
            let taken = |m: &Move, built: &[u64]| {
                let x = value(m.src, built);
                if m.copy && x != 0 {
                    add_ref(d, x, 1);
                }
                x
            };
            for (n, b) in self.builds.iter().enumerate() {
                let h = &d.helpers[b.helper as usize];
                let x = match (b.class, &b.args[..]) {
                    (VClass::BoxI, [a]) if !h.pass_ts => {
                        std::mem::transmute::<u64, unsafe extern "C" fn(u64) -> u64>(h.addr)(taken(a, built))
                    }
                    (VClass::BoxF, [a]) if !h.pass_ts => {
                        let f = std::mem::transmute::<u64, unsafe extern "C" fn(f64) -> u64>(h.addr);
                        f(f64::from_bits(taken(a, built)))
                    }
                    (_, args) => {
                        let args: Vec<u64> = args.iter().map(|a| taken(a, built)).collect();
                        call_helper(h, ts, &args)
                    }
                };
                if b.more != 0 {
                    add_ref(d, x, b.more);
                }
                built[n] = x;
            }
            for (base, kind, m) in &self.stores {
                let at = value(*base, built).wrapping_add(m.to as i64 as u64);
                store(*kind, at, value(m.src, built));
            }
            for (base, slots) in &self.frames {
                let base = value(*base, built);
                for m in slots {
                    let x = taken(m, built);
                    (base.wrapping_add(m.to as i64 as u64) as *mut u64).write(x);
                }
            }
            for (s, n) in &self.holds {
                match value(*s, built) {
                    0 => {}
                    x => add_ref(d, x, *n),
                }
            }
            for (s, n) in &self.drops {
                let x = value(*s, built);
                for _ in 0..*n {
                    drop_ref(d, ts, x);
                }
            }
        }
    }
}
