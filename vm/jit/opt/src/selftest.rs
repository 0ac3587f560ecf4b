//! Whole-optimiser property test: random loops of bytecode-like statements over toy objects.
//!
//! The oracle runs the statements one by one, counting references as an interpreter does. The optimised trace runs in
//! the reference executor and its exit is restored. Then every slot must hold an equal object with an equal
//! reference count, and no object may have leaked or died too early.
//!
//! Slots: 0..4 ints, 4..7 floats, 7..10 anything, 10 the range, 11 a pair, 12 floats.

use super::*;
use lh_jit_ir::fuzz::Rng;
use lh_jit_ir::testing as toy;

#[derive(Clone, Copy, Debug)]
enum S {
    /// slot = slot + slot on ints, wrapped to stay small.
    Int(i32, i32, i32),
    Float(i32, i32, i32),
    Copy(i32, i32),
    Pair(i32, i32),
    /// anything slot = first or second of the pair
    Unpair(i32, bool),
    /// any = add_any(int, int): arbitrary code
    Call(i32, i32, i32),
    /// int slot = count of any slot's object, seen with one more reference on the stack
    Peek(i32, i32),
    /// leave when the counter is k
    Leave(i64),
    /// A generic helper on frame memory: frame[2] = frame[0] + frame[1]
    Frame,
    /// x, y = y, x
    Swap(i32, i32),
    Truth(i32),
    /// Item of the floats = float slot / 2 + item.
    PutF(u32, i32),
    /// any = item of the floats
    GetF(i32, u32),
    /// Skips the next statement if this bit of int slot 0 is set.
    Skip(u32),
}

fn program(r: &mut Rng, branches: bool) -> Vec<S> {
    let n = 1 + r.below(9);
    (0..n)
        .map(|_| {
            let i = |r: &mut Rng| r.below(4) as i32;
            let f = |r: &mut Rng| 4 + r.below(3) as i32;
            let a = |r: &mut Rng| 7 + r.below(3) as i32;
            // A payload that is carried loses its object's other names; with branches there are none.
            let any = |r: &mut Rng| if branches { 7 + r.below(3) as i32 } else { r.below(10) as i32 };
            match r.below(if branches { 24 } else { 20 }) {
                16 | 17 => S::PutF(r.below(2) as u32, f(r)),
                18 => S::GetF(a(r), r.below(2) as u32),
                19 => S::PutF(1, f(r)),
                20.. => S::Skip(r.below(4) as u32),
                0..=2 => S::Int(i(r), i(r), i(r)),
                3..=4 => S::Float(f(r), f(r), f(r)),
                5 => S::Copy(a(r), any(r)),
                6 if !branches => S::Copy(i(r), i(r)),
                6 => S::Swap(i(r), i(r)),
                7 => S::Pair(any(r), any(r)),
                8 => S::Unpair(a(r), r.below(2) == 0),
                9 => S::Call(a(r), i(r), i(r)),
                10 => S::Peek(i(r), any(r)),
                11 => S::Leave(r.below(12) as i64),
                12 => S::Frame,
                13 => {
                    if r.below(2) == 0 {
                        S::Swap(i(r), i(r))
                    } else {
                        S::Swap(a(r), a(r))
                    }
                }
                14 => S::Swap(f(r), f(r)),
                _ => S::Truth(i(r)),
            }
        })
        .collect()
}

fn frame() -> Vec<u64> {
    let mut f: Vec<u64> = (0..4).map(|k| toy::box_int(k * 3 - 4)).collect();
    f.extend((0..3).map(|k| toy::box_float(k as f64 + 0.5)));
    f.extend((0..3).map(|k| toy::alloc(toy::OBJ, 0, 0, k)));
    f.push(toy::alloc(toy::RANGE, 0, 10, 0));
    incref(f[7]);
    incref(f[8]);
    f.push(toy::make_pair(f[7], f[8]));
    f.push(toy::alloc(toy::FLOATS, toy::box_float(0.25), toy::box_float(8.0), 0));
    f.extend([0; 3]);
    f
}

fn obj(x: u64) -> &'static mut toy::Obj {
    // SAFETY: tests only pass live toy objects.
    unsafe { &mut *(x as *mut toy::Obj) }
}
fn incref(x: u64) {
    obj(x).refcnt += 1;
}
fn put(f: &mut [u64], slot: i32, v: u64) {
    let old = std::mem::replace(&mut f[slot as usize], v);
    toy::decref(old);
}

const MASK: i64 = 0xffff;

/// The oracle; answers the pc it stopped at.
fn interpret(p: &[S], f: &mut [u64]) -> u32 {
    interpret_from(p, f, 0, true).expect("runs to an end")
}

/// From a pc on (0: the head); without `on`, to the end of the iteration only (then nothing is the answer).
fn interpret_from(p: &[S], f: &mut [u64], from: u32, on: bool) -> Option<u32> {
    let mut from = from as usize;
    loop {
        let first = std::mem::take(&mut from);
        if first > 0 {
            if let Some(pc) = statements(p, f, first - 1) {
                return Some(pc);
            }
            if !on {
                return None;
            }
        }
        let r = obj(f[10]);
        if r.a >= r.b {
            return Some(0);
        }
        let i = r.a as i64;
        r.a += 1;
        put(f, 0, toy::box_int(i));
        if let Some(pc) = statements(p, f, 0) {
            return Some(pc);
        }
        if !on {
            return None;
        }
    }
}

/// One iteration from a statement on; the pc of an early end.
fn statements(p: &[S], f: &mut [u64], first: usize) -> Option<u32> {
    let mut skip = false;
    for (k, s) in p.iter().enumerate().skip(first) {
        {
            if std::mem::take(&mut skip) {
                continue;
            }
            match *s {
                S::Skip(bit) => skip = toy::int_value(f[0]) >> bit & 1 != 0,
                S::Int(d, a, b) => {
                    let v = (toy::int_value(f[a as usize]) + toy::int_value(f[b as usize])) & MASK;
                    put(f, d, toy::box_int(v));
                }
                S::Float(d, a, b) => {
                    let v = toy::float_value(f[a as usize]) * 0.5 + toy::float_value(f[b as usize]);
                    put(f, d, toy::box_float(v));
                }
                S::Copy(d, a) => {
                    incref(f[a as usize]);
                    put(f, d, f[a as usize]);
                }
                S::Pair(a, b) => {
                    incref(f[a as usize]);
                    incref(f[b as usize]);
                    let v = toy::make_pair(f[a as usize], f[b as usize]);
                    put(f, 11, v);
                }
                S::Unpair(d, first) => {
                    let x = if first { obj(f[11]).a } else { obj(f[11]).b };
                    incref(x);
                    put(f, d, x);
                }
                S::Call(d, a, b) => {
                    let v = toy::add_any(f[a as usize], f[b as usize]);
                    put(f, d, v);
                }
                S::Peek(d, a) => {
                    incref(f[a as usize]);
                    let v = toy::peek(f[a as usize]);
                    toy::decref(f[a as usize]);
                    put(f, d, toy::box_int(v));
                }
                S::Leave(n) => {
                    if toy::int_value(f[0]) == n {
                        return Some(k as u32 + 1);
                    }
                }
                S::Frame => toy::frame_add(f.as_mut_ptr()),
                S::Swap(a, b) => f.swap(a as usize, b as usize),
                S::Truth(_) => {}
                S::PutF(k, x) => {
                    let o = obj(f[12]);
                    let at = if k == 0 { &mut o.a } else { &mut o.b };
                    let v = toy::float_value(f[x as usize]) * 0.5 + toy::float_value(*at);
                    let old = std::mem::replace(at, toy::box_float(v));
                    toy::decref(old);
                }
                S::GetF(d, k) => {
                    let x = if k == 0 { obj(f[12]).a } else { obj(f[12]).b };
                    incref(x);
                    put(f, d, x);
                }
            }
        }
    }
    None
}

fn record(d: &Descs, p: &[S], taken: &dyn Fn(usize) -> bool) -> Result<Trace, Abort> {
    let mut b = Builder::new(d, 0, 0, 13);
    record_from(d, &mut b, p, 0, taken)?;
    b.finish_loop()
}

/// Records from a pc on to the loop's head. `taken`: is the statement skipped?
fn record_from(
    d: &Descs,
    b: &mut Builder,
    p: &[S],
    from: usize,
    taken: &dyn Fn(usize) -> bool,
) -> Result<(), Abort> {
    let (pos, len) = (d.field("pos").unwrap(), d.field("len").unwrap());
    let unbox = |b: &mut Builder, slot: i32| -> Result<R, Abort> {
        let x = b.sget(slot)?;
        b.guard_type(x, toy::INT, true)?;
        b.emit(Op::UnboxI, &[x])
    };
    let unboxf = |b: &mut Builder, slot: i32| -> Result<R, Abort> {
        let x = b.sget(slot)?;
        b.guard_type(x, toy::FLOAT, true)?;
        b.emit(Op::UnboxF, &[x])
    };
    // Replaces a slot; old values of unknown type may run destructors, as in an interpreter.
    let set = |b: &mut Builder, slot: i32, v: R| -> Result<(), Abort> {
        let old = b.spop(slot)?;
        b.sput(slot, v)?;
        b.drop_ref(old, 0)
    };
    if from == 0 {
        b.snapshot(0, 0, 13)?;
        let it = b.sget(10)?;
        b.guard_type(it, toy::RANGE, true)?;
        let i = b.fload(it, pos)?;
        let n = b.fload(it, len)?;
        let c = b.emit(Op::Lt, &[i, n])?;
        b.emit(Op::GTrue, &[c])?;
        let old = b.sget(0)?;
        b.guard_type(old, toy::INT, true)?;
        let one = b.int(1);
        let next = b.emit(Op::Add, &[i, one])?;
        b.fstore(it, pos, next)?;
        let v = b.emit(Op::BoxI, &[i])?;
        set(b, 0, v)?;
    }
    for (k, s) in p.iter().enumerate().skip(from.saturating_sub(1)) {
        if taken(k) && k + 1 != from {
            continue;
        }
        b.snapshot(0, k as u32 + 1, 13)?;
        match *s {
            S::Skip(bit) => {
                let x = unbox(b, 0)?;
                let m = b.int(1 << bit);
                let x = b.emit(Op::And, &[x, m])?;
                b.emit(if taken(k + 1) { Op::GTrue } else { Op::GFalse }, &[x])?;
            }
            S::Int(dst, x, y) => {
                let (x, y) = (unbox(b, x)?, unbox(b, y)?);
                let v = b.emit(Op::AddOv, &[x, y])?;
                let m = b.int(MASK);
                let v = b.emit(Op::And, &[v, m])?;
                let old = b.sget(dst)?;
                b.guard_type(old, toy::INT, true)?;
                let v = b.emit(Op::BoxI, &[v])?;
                set(b, dst, v)?;
            }
            S::Float(dst, x, y) => {
                let (x, y) = (unboxf(b, x)?, unboxf(b, y)?);
                let h = b.float(0.5);
                let v = b.emit(Op::FMul, &[x, h])?;
                let v = b.emit(Op::FAdd, &[v, y])?;
                let old = b.sget(dst)?;
                b.guard_type(old, toy::FLOAT, true)?;
                let v = b.emit(Op::BoxF, &[v])?;
                set(b, dst, v)?;
            }
            S::Copy(dst, x) => {
                let v = b.sget(x)?;
                b.own(v)?;
                set(b, dst, v)?;
            }
            S::Pair(x, y) => {
                let (x, y) = (b.sget(x)?, b.sget(y)?);
                b.own(x)?;
                b.own(y)?;
                let v = b.new_object(0, &[x, y])?;
                set(b, 11, v)?;
            }
            S::Unpair(dst, first) => {
                let v = b.sget(11)?;
                b.guard_type(v, toy::PAIR, true)?;
                let v = b.fload(v, d.field(if first { "first" } else { "second" }).unwrap())?;
                b.own(v)?;
                set(b, dst, v)?;
            }
            S::Call(dst, x, y) => {
                let (x, y) = (b.sget(x)?, b.sget(y)?);
                b.own(x)?;
                b.own(y)?;
                let v = b.call(d.helper("add_any").unwrap(), &[x, y], false)?;
                b.drop_ref(x, 0)?;
                b.drop_ref(y, 0)?;
                set(b, dst, v)?;
            }
            S::Peek(dst, x) => {
                let x = b.sget(x)?;
                b.own(x)?;
                let v = b.call(d.helper("peek").unwrap(), &[x], false)?;
                b.drop_ref(x, 0)?;
                let v = b.emit(Op::BoxI, &[v])?;
                set(b, dst, v)?;
            }
            S::Leave(n) => {
                let i = unbox(b, 0)?;
                let n = b.int(n);
                let c = b.emit(Op::Eq, &[i, n])?;
                b.emit(Op::GFalse, &[c])?;
            }
            S::Frame => {
                let f = b.frame();
                b.call(d.helper("frame_add").unwrap(), &[f], false)?;
                b.clobber(2, 3)?;
            }
            S::Swap(x, y) => {
                if x != y {
                    let (v, w) = (b.spop(x)?, b.spop(y)?);
                    b.sput(x, w)?;
                    b.sput(y, v)?;
                }
            }
            S::PutF(k, x) => {
                let o = b.sget(12)?;
                b.guard_type(o, toy::FLOATS, true)?;
                let x = unboxf(b, x)?;
                let (array, k) = (d.array("floats").unwrap(), b.int(k as i64));
                let old = b.aload(o, array, k)?;
                b.guard_type(old, toy::FLOAT, true)?;
                let h = b.float(0.5);
                let v = b.emit(Op::FMul, &[x, h])?;
                let w = b.emit(Op::UnboxF, &[old])?;
                let v = b.emit(Op::FAdd, &[v, w])?;
                let v = b.emit(Op::BoxF, &[v])?;
                b.replace(o, array, k, old, v)?;
            }
            S::GetF(dst, k) => {
                let o = b.sget(12)?;
                b.guard_type(o, toy::FLOATS, true)?;
                let (array, k) = (d.array("floats").unwrap(), b.int(k as i64));
                let v = b.aload(o, array, k)?;
                b.own(v)?;
                set(b, dst, v)?;
            }
            S::Truth(x) => {
                let x = b.sget(x)?;
                b.guard_type(x, toy::INT, true)?;
            }
        }
    }
    b.snapshot(0, 0, 13)
}

fn same(a: u64, b: u64) -> bool {
    if a == 0 || b == 0 {
        return a == b;
    }
    let (x, y) = (obj(a), obj(b));
    let deep = if x.ty == toy::PAIR || x.ty == toy::FLOATS {
        same(x.a, y.a) && same(x.b, y.b)
    } else {
        (x.a, x.b, x.c) == (y.a, y.b, y.c)
    };
    x.ty == y.ty && x.refcnt == y.refcnt && deep
}

/// Runs a trace from its start on a frame and restores its exit; answers the snapshot's number.
pub type Runner<'a> = &'a dyn Fn(&Trace, &Descs, &mut [u64]) -> u32;

/// The reference executor as a runner.
pub fn reference(t: &Trace, d: &Descs, frame: &mut [u64]) -> u32 {
    let mut j = vec![0u64; jf::SIZE / 8];
    j[jf::FRAME as usize / 8] = frame.as_mut_ptr() as u64;
    let ts = [0u64; 4];
    // SAFETY: the trace was made for these frames.
    let run = unsafe { exec::run(t, d, ts.as_ptr() as u64, j.as_mut_ptr() as u64, 100_000) };
    let exec::End::Exit { inst, .. } = run.end else { panic!("did not end: {}", print::trace(t, d)) };
    let snap = t.insts[inst].snap;
    // SAFETY: the exit's own values.
    unsafe { exec::restore(t, &t.snaps[snap as usize], d, ts.as_ptr() as u64, &|v| run.vals[v.index()]) };
    snap
}

/// One random loop; panics on any difference, answers whether it ran to the expected end.
pub fn check(seed: u64, runner: Runner) -> bool {
    let d = toy::descs();
    let p = program(&mut Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1), false);
    let t = match record(&d, &p, &|_| false) {
        Ok(t) => t,
        Err(e) => {
            assert!(matches!(e, Abort::UnstableLoop | Abort::GuardNeverHolds), "seed {seed}: {e:?}");
            return false;
        }
    };
    let show = || format!("seed {seed} {p:?}\n{}", print::trace(&t, &d));
    let start = toy::LIVE.get();
    let (mut f1, mut f2) = (frame(), frame());
    let each = (toy::LIVE.get() - start) / 2;
    let pc = interpret(&p, &mut f1);
    let live1 = toy::LIVE.get() - start - each;
    let snap = &t.snaps[runner(&t, &d, &mut f2) as usize];
    // A type guard may leave early: finish with the oracle from that statement on.
    let at = snap.frames[0].pc;
    let leaves = matches!(p.get((at as usize).wrapping_sub(1)), Some(S::Leave(_)));
    assert!(at == pc || !leaves, "left at {at}, wanted {pc}: {}", show());
    if at == pc {
        for k in 0..13 {
            assert!(same(f1[k], f2[k]), "slot {k}: {:?} {:?}; {}", dump(f1[k]), dump(f2[k]), show());
        }
        assert_eq!(toy::LIVE.get() - start, live1 + live1, "live objects: {}", show());
    }
    for x in f1.iter().chain(&f2) {
        toy::decref(*x);
    }
    assert_eq!(toy::LIVE.get(), start, "leak: {}", show());
    at == pc
}

/// Traces linked to each other in machine code, for [`check_bridges`].
pub trait Machine {
    /// Adds a trace; `at`: the trace and exit it takes over from.
    fn add(&mut self, t: Trace, at: Option<(usize, usize)>);
    /// Runs from trace 0 on; trace and number of the exit.
    fn run(&mut self, frame: &mut [u64]) -> (usize, usize);
    fn trace(&self, t: usize) -> &Trace;
    /// Snapshot number and value places of the exit, as offsets in jf.
    fn exit(&self, t: usize, no: usize) -> (u32, Box<dyn Fn(Val) -> Option<u32>>);
    fn word(&self, offset: u32) -> u64;
    fn label(&self) -> Option<LabelCode>;
    /// Address of the word with the entry of trace 0.
    fn entry_cell(&self) -> u64;
}

/// One random loop with branches, run in machine code with a bridge for every exit; panics on any difference. Answers
/// (bridges that went to the label, bridges that went to the entry).
pub fn check_bridges(seed: u64, m: &mut dyn Machine) -> (u32, u32) {
    let d = toy::descs();
    let p = program(&mut Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1), true);
    let start = toy::LIVE.get();
    let (mut f1, mut f2) = (frame(), frame());
    for f in [&mut f1, &mut f2] {
        obj(f[10]).b = 40;
    }
    let each = (toy::LIVE.get() - start) / 2;
    // What is skipped in an iteration that begins (or goes on) with this frame.
    let path = |f: &[u64], from: usize, new: bool| -> Vec<bool> {
        let mut copy: Vec<u64> = f.to_vec();
        copy.iter().for_each(|x| {
            if *x != 0 {
                incref(*x)
            }
        });
        let range = toy::alloc(toy::RANGE, obj(f[10]).a, obj(f[10]).b, 0);
        put(&mut copy, 10, range);
        let item = |x: u64| toy::box_float(toy::float_value(x));
        let floats = toy::alloc(toy::FLOATS, item(obj(f[12]).a), item(obj(f[12]).b), 0);
        put(&mut copy, 12, floats);
        let mut skipped = vec![false; p.len() + 1];
        if new {
            put(&mut copy, 0, toy::box_int(obj(range).a as i64));
        }
        let mut skip = false;
        for k in from.saturating_sub(1)..p.len() {
            if std::mem::take(&mut skip) {
                skipped[k] = true;
                continue;
            }
            match p[k] {
                S::Skip(bit) => skip = toy::int_value(copy[0]) >> bit & 1 != 0,
                _ if statements(&p[..k + 1], &mut copy, k).is_some() => break,
                _ => {}
            }
        }
        copy.iter().for_each(|x| toy::decref(*x));
        skipped
    };
    let free = |f1: &[u64], f2: &[u64]| f1.iter().chain(f2).for_each(|x| toy::decref(*x));
    let skips = path(&f2, 0, true);
    match record(&d, &p, &|k| skips[k]) {
        Ok(t) => m.add(t, None),
        Err(_) => {
            free(&f1, &f2);
            return (0, 0);
        }
    }
    let (mut to_label, mut to_entry) = (0, 0);
    let mut tries = std::collections::HashMap::new();
    let show = |m: &dyn Machine, n: usize| -> String {
        (0..n).map(|k| format!("---- {k}\n{}", print::trace(m.trace(k), &d))).collect()
    };
    let mut count = 1;
    for _ in 0..400 {
        let (t, no) = m.run(&mut f2);
        let (sn, place) = m.exit(t, no);
        let tr = m.trace(t).clone();
        let snap = tr.snaps[sn as usize].clone();
        // The bridge reads what the exit left before the restore changes memory: it is only recorded here.
        let b = Builder::bridge(&d, &tr, &snap, &*place);
        let ts = [0u64; 4];
        // SAFETY: the exit's own values.
        unsafe {
            exec::restore(&tr, &snap, &d, ts.as_ptr() as u64, &|v| m.word(place(v).expect("kept")));
        }
        let at = snap.frames[0].pc;
        let n: &mut u32 = tries.entry((t, no)).or_insert(0);
        *n += 1;
        let skips = path(&f2, at as usize, at == 0);
        let mut b = b;
        if at > 0 && *n == 1 && count < 40 && record_from(&d, &mut b, &p, at as usize, &|k| skips[k]).is_ok()
        {
            let cell = m.entry_cell();
            let done = match m.label() {
                Some(l) => b.finish_link_label(&l, cell),
                None => b.finish_link(cell),
            };
            if let Ok(x) = done {
                let label = x.insts.last().is_some_and(|i| i.op == Op::LinkLabel);
                to_label += label as u32;
                to_entry += !label as u32;
                m.add(x, Some((t, no)));
                count += 1;
            }
        }
        // The interpreter goes on; to the next head only, so that the code runs again.
        if let Some(pc) = interpret_from(&p, &mut f2, at, false) {
            let want = interpret(&p, &mut f1);
            assert_eq!(pc, want, "seed {seed} {p:?}\n{}", show(m, count));
            break;
        }
    }
    let what = |m: &dyn Machine| format!("seed {seed} {p:?}\n{}", show(m, count));
    for k in 0..13 {
        assert!(same(f1[k], f2[k]), "slot {k}: {:?} {:?}; {}", dump(f1[k]), dump(f2[k]), what(m));
    }
    let live = toy::LIVE.get() - start;
    f1.iter().for_each(|x| toy::decref(*x));
    let live1 = live - (toy::LIVE.get() - start);
    assert_eq!(live, 2 * live1, "live objects; {}", what(m));
    f2.iter().for_each(|x| toy::decref(*x));
    assert_eq!(toy::LIVE.get(), start, "leak; {}", what(m));
    let _ = each;
    (to_label, to_entry)
}

fn dump(x: u64) -> (i64, u64, u64, u64) {
    if x == 0 {
        return (0, 0, 0, 0);
    }
    let o = obj(x);
    (o.refcnt, o.ty, o.a, o.b)
}

#[test]
fn random_loops_keep_values_counts_and_lives() {
    let from: u64 = std::env::var("LH_FUZZ_FROM").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let n: u64 = std::env::var("LH_FUZZ_N").ok().and_then(|s| s.parse().ok()).unwrap_or(300);
    let ok: u64 = (from..from + n).map(|s| check(s, &reference) as u64).sum();
    println!("{ok} of {n} ran to the end");
    assert!(ok > n / 3, "{ok} of {n}");
}
