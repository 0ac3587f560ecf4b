//! Backend tests: random traces against the reference executor, whole loops with objects, speed notes.

use super::*;
use lh_jit_ir::testing as toy;
use std::collections::HashMap;

/// One mapping per trace, writable then executable.
struct Mmap;

impl CodeSink for Mmap {
    fn install(&mut self, size: usize, fill: &mut dyn FnMut(u64) -> Vec<u8>) -> Option<*const u8> {
        // SAFETY: a fresh private mapping of ours, filled before it becomes executable.
        unsafe {
            let p = libc::mmap(
                std::ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if p == libc::MAP_FAILED {
                return None;
            }
            let code = fill(p as u64);
            std::ptr::copy_nonoverlapping(code.as_ptr(), p as *mut u8, code.len());
            libc::mprotect(p, size, libc::PROT_READ | libc::PROT_EXEC);
            Some(p as *const u8)
        }
    }
}

fn install(code: &[u8]) -> u64 {
    Mmap.install(code.len() + 64, &mut |_| code.to_vec()).expect("mmap") as u64
}

type Enter = unsafe extern "C" fn(u64, u64, u64) -> u64;

thread_local! {
    static ENTRY: (u64, u64) = {
        let (code, exit) = asm::trampoline();
        let at = install(&code);
        (at, at + exit as u64)
    };
}

struct Native {
    c: Compiled,
    entry: u64,
    _cells: Vec<u64>,
}

fn prepare(t: &Trace, d: &Descs, random: Option<u64>) -> Native {
    let exit = ENTRY.with(|e| e.1);
    let cells = vec![exit; t.guards().len() + 1];
    let o = Options { trace_id: 3, exit_cells: cells.as_ptr() as u64, random, countdown: None };
    let c = compile(t, d, &o).expect("compiles");
    if let Ok(f) = std::env::var("LH_JIT_TEST_CODE") {
        std::fs::write(f, &c.code).expect("dump");
    }
    let entry = install(&c.code);
    Native { c, entry, _cells: cells }
}

impl Native {
    /// Runs; answers the exit number.
    fn run(&self, ts: u64, jfp: u64) -> usize {
        let f: Enter = ENTRY.with(|e| {
            // SAFETY: the trampoline was made for this signature.
            unsafe { std::mem::transmute(e.0 as usize) }
        });
        // SAFETY: code of a verified trace and a jf of full size.
        let w = unsafe { f(ts, jfp, self.entry) };
        assert_eq!(w >> 32, 3, "exit word names the trace");
        w as u32 as usize
    }
}

fn new_jf(frame: u64) -> Vec<u64> {
    let mut j = vec![0u64; jf::SIZE / 8];
    j[jf::FRAME as usize / 8] = frame;
    j
}

fn same(t: &Trace, v: Val, a: u64, b: u64) -> bool {
    a == b || t.ty(v) == Ty::F64 && f64::from_bits(a).is_nan() && f64::from_bits(b).is_nan()
}

/// Same trace, both ways, fresh memory each; compares exit, snapshot values and memory.
fn differential(seed: u64, ops: usize, random: Option<u64>) -> Option<bool> {
    let d = toy::descs();
    let t = fuzz::trace(&d, seed, ops);
    verify::verify(&t, &d, false).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    let init: Vec<u64> = (0..40).map(|k: u64| k.wrapping_mul(0x1234_5678_9abc) ^ seed).collect();
    let (mut m1, mut m2) = (init.clone(), init);
    let j1 = new_jf(m1.as_mut_ptr() as u64);
    let ts = [0u64; 8];
    // SAFETY: random traces stay inside the buffer.
    let r = unsafe { exec::run(&t, &d, ts.as_ptr() as u64, j1.as_ptr() as u64, 20_000) };
    let exec::End::Exit { no, inst } = r.end else { return None };
    let j2 = new_jf(m2.as_mut_ptr() as u64);
    let n = prepare(&t, &d, random);
    let got = n.run(ts.as_ptr() as u64, j2.as_ptr() as u64);
    let show = || format!("seed {seed} ops {ops}\n{}", print::trace(&t, &d));
    assert_eq!(got, no, "exit number; {}", show());
    let site = &n.c.exits[no];
    assert_eq!(site.inst, inst, "{}", show());
    for (v, at) in &site.places {
        let got = j2[*at as usize / 8];
        let mut want = r.vals[v.index()];
        if v.index() == 0 {
            want = m2.as_ptr() as u64;
        }
        assert!(
            same(&t, *v, got, want),
            "{}: {got:#x} wanted {want:#x}; exit {no} {}",
            print::val(&t, *v),
            show()
        );
    }
    let float_ok = |a: u64, b: u64| f64::from_bits(a).is_nan() && f64::from_bits(b).is_nan();
    for (k, (a, b)) in m1.iter().zip(&m2).enumerate() {
        assert!(a == b || float_ok(*a, *b), "memory word {k}: {a:#x} {b:#x}; {}", show());
    }
    // Did the loop go round?
    Some(t.loop_at().is_some_and(|l| r.vals[l + 1] != 0))
}

#[test]
fn random_traces_agree_with_the_reference() {
    let from: u64 = std::env::var("LH_FUZZ_FROM").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let n: u64 = std::env::var("LH_FUZZ_N").ok().and_then(|s| s.parse().ok()).unwrap_or(400);
    let (mut ran, mut looped) = (0, 0);
    for seed in from..from + n {
        let r = differential(seed, 10 + (seed as usize % 7) * 25, None);
        ran += r.is_some() as u64;
        looped += (r == Some(true)) as u64;
    }
    println!("{ran} of {n} ended, {looped} after going round");
    assert!(ran > n / 2 && looped > n / 20, "{ran} {looped}");
}

#[test]
fn random_registers_agree_with_the_reference() {
    for seed in 1..200u64 {
        differential(seed + 10_000, 60, Some(seed * 77));
    }
}

#[test]
fn random_loops_keep_values_counts_and_lives() {
    for seed in 1..400 {
        lh_jit_opt::selftest::check(seed, &|t, d, frame| {
            let no = run_restored(t, d, frame);
            let guard = t.guards()[no];
            t.insts[guard].snap
        });
    }
}

/// Runs text on toy objects natively and restores the exit; answers the exit number.
fn run_restored(t: &Trace, d: &Descs, frame: &mut [u64]) -> usize {
    let n = prepare(t, d, None);
    let j = new_jf(frame.as_mut_ptr() as u64);
    let ts = [0u64; 8];
    let no = n.run(ts.as_ptr() as u64, j.as_ptr() as u64);
    let site = &n.c.exits[no];
    let places: HashMap<Val, u32> = site.places.iter().copied().collect();
    // SAFETY: the exit's own places.
    unsafe {
        exec::restore(t, &t.snaps[site.snap as usize], d, ts.as_ptr() as u64, &|v| {
            j[places[&v] as usize / 8]
        });
    }
    no
}

/// `for i in range(len): s = add(s, i)` with a native add; slots: 0 range, 1 s, 2 i.
fn add_loop(d: &Descs, add: u64) -> Trace {
    use lh_jit_opt::Builder;
    let mut b = Builder::new(d, 0, 10, 1);
    let (pos, len) = (d.field("pos").unwrap(), d.field("len").unwrap());
    let mut go = || -> Result<(), lh_jit_opt::Abort> {
        b.snapshot(0, 10, 1)?;
        let it = b.sget(0)?;
        b.guard_type(it, toy::RANGE, true)?;
        let i = b.fload(it, pos)?;
        let n = b.fload(it, len)?;
        let c = b.emit(Op::Lt, &[i, n])?;
        b.emit(Op::GTrue, &[c])?;
        let one = b.int(1);
        let next = b.emit(Op::Add, &[i, one])?;
        b.fstore(it, pos, next)?;
        let old = b.sget(2)?;
        b.guard_type(old, toy::INT, true)?;
        let old = b.spop(2)?;
        let bi = b.emit(Op::BoxI, &[i])?;
        b.sput(2, bi)?;
        b.drop_ref(old, 0)?;
        b.snapshot(0, 12, 1)?;
        let s = b.sget(1)?;
        b.guard_type(s, toy::INT, true)?;
        let s = b.emit(Op::UnboxI, &[s])?;
        let desc = NativeDesc {
            name: "add".into(),
            target: Target::Addr(add),
            args: vec![
                ArgPlace { kind: MemKind::I64, place: Place::Int(0) },
                ArgPlace { kind: MemKind::I64, place: Place::Int(1) },
            ],
            ret: RetPlace::One(MemKind::I64),
            varargs: None,
            effects: Effects::NONE,
        };
        let r = b.native(desc, &[s, i], false)?;
        let old = b.spop(1)?;
        let br = b.emit(Op::BoxI, &[r])?;
        b.sput(1, br)?;
        b.drop_ref(old, 0)?;
        b.snapshot(0, 10, 1)?;
        let poll = b.emit_ty(Op::JLoad, Ty::I64, &[], 32)?;
        b.emit(Op::GFalse, &[poll])?;
        Ok(())
    };
    go().expect("records");
    b.finish_loop().expect("closes")
}

#[inline(never)]
extern "C" fn c_add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

#[test]
fn native_add_loop_is_right_and_leaks_nothing() {
    let d = toy::descs();
    let t = add_loop(&d, c_add as *const () as u64);
    let before = toy::LIVE.get();
    let mut frame = vec![toy::alloc(toy::RANGE, 0, 1000, 0), toy::box_int(5), toy::box_int(0), 0];
    run_restored(&t, &d, &mut frame);
    assert_eq!(toy::int_value(frame[1]), 5 + 999 * 1000 / 2, "{}", print::trace(&t, &d));
    assert_eq!(toy::int_value(frame[2]), 999);
    for x in &frame {
        toy::decref(*x);
    }
    assert_eq!(toy::LIVE.get(), before, "{}", print::trace(&t, &d));
}

/// Prints nanoseconds per iteration; run with `--ignored --nocapture` in a quick build.
#[test]
#[ignore = "a measurement"]
fn speed_of_the_native_add_loop() {
    let d = toy::descs();
    // The callee lies where libraries do: calls over more than 4 GiB cost a cycle or three on some machines.
    let near = install(&[0x48, 0x8d, 0x04, 0x37, 0xc3]);
    let t = add_loop(&d, near);
    let n = 200_000_000u64;
    let mut frame = vec![toy::alloc(toy::RANGE, 0, n, 0), toy::box_int(5), toy::box_int(0), 0];
    let start = std::time::Instant::now();
    run_restored(&t, &d, &mut frame);
    let jit = start.elapsed().as_secs_f64() * 1e9 / n as f64;
    let f: extern "C" fn(i64, i64) -> i64 = std::hint::black_box(
        // SAFETY: `lea rax, [rdi + rsi]; ret`.
        unsafe { std::mem::transmute::<usize, extern "C" fn(i64, i64) -> i64>(near as usize) },
    );
    let start = std::time::Instant::now();
    let mut s = 5;
    for i in 0..n as i64 {
        s = f(s, i);
    }
    let native = start.elapsed().as_secs_f64() * 1e9 / n as f64;
    println!("jit {jit:.2} ns, pointer call loop {native:.2} ns, ratio {:.2} ({s})", jit / native);
}

/// Exit target cells and entry for traces that are linked by hand.
struct Linked {
    t: Trace,
    c: Compiled,
    cells: Vec<u64>,
    entry: Box<u64>,
}

fn link(t: Trace, d: &Descs, id: u32) -> Linked {
    let cells = vec![ENTRY.with(|e| e.1); t.guards().len() + 1];
    let o = Options { trace_id: id, exit_cells: cells.as_ptr() as u64, random: None, countdown: None };
    let c = compile(&t, d, &o).expect("compiles");
    let entry = Box::new(install(&c.code));
    Linked { t, c, cells, entry }
}

fn enter(entry: u64, jfp: u64) -> u64 {
    let f: Enter = ENTRY.with(|e| {
        // SAFETY: the trampoline was made for this signature.
        unsafe { std::mem::transmute(e.0 as usize) }
    });
    let ts = [0u64; 4];
    // SAFETY: code of a verified trace and a jf of full size.
    unsafe { f(ts.as_ptr() as u64, jfp, entry) }
}

/// Even counters add 1 to slot 1 in the root, odd ones 100 in a bridge that goes back to the root's entry.
#[test]
fn a_bridge_takes_over_at_an_exit() {
    use lh_jit_opt::{Abort, Builder, R};
    let d = toy::descs();
    let (pos, len) = (d.field("pos").unwrap(), d.field("len").unwrap());
    let head = |b: &mut Builder| -> Result<R, Abort> {
        let it = b.sget(0)?;
        b.guard_type(it, toy::RANGE, true)?;
        let i = b.fload(it, pos)?;
        let n = b.fload(it, len)?;
        let c = b.emit(Op::Lt, &[i, n])?;
        b.emit(Op::GTrue, &[c])?;
        let one = b.int(1);
        let next = b.emit(Op::Add, &[i, one])?;
        b.fstore(it, pos, next)?;
        let old = b.sget(2)?;
        b.guard_type(old, toy::INT, true)?;
        let old = b.spop(2)?;
        let v = b.emit(Op::BoxI, &[i])?;
        b.sput(2, v)?;
        b.drop_ref(old, 0)?;
        b.snapshot(0, 5, 0)?;
        let i = b.sget(2)?;
        let i = b.emit(Op::UnboxI, &[i])?;
        b.emit(Op::And, &[i, one])
    };
    let add = |b: &mut Builder, k: i64| -> Result<(), Abort> {
        let s = b.sget(1)?;
        b.guard_type(s, toy::INT, true)?;
        let s = b.emit(Op::UnboxI, &[s])?;
        let k = b.int(k);
        let s = b.emit(Op::AddOv, &[s, k])?;
        let v = b.emit(Op::BoxI, &[s])?;
        let old = b.spop(1)?;
        b.sput(1, v)?;
        b.drop_ref(old, 0)?;
        b.snapshot(0, 0, 0)
    };
    let mut b = Builder::new(&d, 0, 0, 0);
    b.snapshot(0, 0, 0).unwrap();
    let odd = head(&mut b).unwrap();
    b.emit(Op::GFalse, &[odd]).unwrap();
    add(&mut b, 1).unwrap();
    let mut root = link(b.finish_loop().unwrap(), &d, 1);
    // The exit of the body's parity guard, found by running.
    let live = toy::LIVE.get();
    let mut frame = vec![toy::alloc(toy::RANGE, 0, 9, 0), toy::box_int(0), toy::box_int(0)];
    let mut bridges: Vec<Linked> = vec![];
    let mut finished = false;
    for _ in 0..12 {
        let mut j = new_jf(frame.as_mut_ptr() as u64);
        let w = enter(*root.entry, j.as_mut_ptr() as u64);
        let (id, no) = ((w >> 32) as usize, w as u32 as usize);
        let from = if id == 1 { &root } else { &bridges[id - 2] };
        let site = &from.c.exits[no];
        let snap = from.t.snaps[site.snap as usize].clone();
        let ts = [0u64; 4];
        // SAFETY: the exit's own places.
        unsafe {
            exec::restore(&from.t, &snap, &d, ts.as_ptr() as u64, &|v| j[site.place(v) as usize / 8]);
        }
        if snap.frames[0].pc == 0 {
            finished = true;
            break;
        }
        let mut b = Builder::bridge(&d, &from.t, &snap, &|v| site.find(v));
        add(&mut b, 100).unwrap();
        let t = b.finish_link(&*root.entry as *const u64 as u64).unwrap();
        let l = link(t, &d, bridges.len() as u32 + 2);
        // Finish this iteration as the interpreter would, then link for the next time.
        let s = toy::int_value(frame[1]);
        toy::decref(frame[1]);
        frame[1] = toy::box_int(s + 100);
        let target = *l.entry;
        if id == 1 {
            root.cells[no] = target
        } else {
            bridges[id - 2].cells[no] = target
        }
        bridges.push(l);
    }
    assert!(finished);
    assert_eq!(toy::int_value(frame[1]), 5 + 400);
    assert!(!bridges.is_empty() && bridges.len() < 4, "bridges: {}", bridges.len());
    for x in frame {
        toy::decref(x);
    }
    assert_eq!(toy::LIVE.get(), live);
}

thread_local! {
    static FORCE: std::cell::RefCell<Option<Box<dyn Fn()>>> = const { std::cell::RefCell::new(None) };
}

extern "C" fn maybe_force(x: i64) -> i64 {
    if x == 3 {
        FORCE.with(|f| f.borrow().as_ref().expect("set by the test")());
    }
    x * 2
}

/// A native call that may call back: frames stay virtual, a force restores them in the middle, the trace leaves
/// behind the call.
#[test]
fn a_force_during_a_call_restores_the_frame() {
    use lh_jit_opt::{Abort, Builder};
    let d = toy::descs();
    let mut b = Builder::new(&d, 0, 0, 0);
    let mut go = || -> Result<(), Abort> {
        b.snapshot(0, 0, 0)?;
        let x = b.sget(0)?;
        b.guard_type(x, toy::INT, true)?;
        let x = b.emit(Op::UnboxI, &[x])?;
        let one = b.int(1);
        let x = b.emit(Op::AddOv, &[x, one])?;
        let v = b.emit(Op::BoxI, &[x])?;
        let old = b.spop(0)?;
        b.sput(0, v)?;
        b.drop_ref(old, 0)?;
        // An object held in a local as well.
        let o = b.sget(2)?;
        b.own(o)?;
        let old = b.sget(1)?;
        b.guard_type(old, toy::OBJ, true)?;
        let old = b.spop(1)?;
        b.sput(1, o)?;
        b.drop_ref(old, ops::DROP_SILENT)?;
        b.snapshot(9, 2, 0)?;
        let desc = NativeDesc {
            name: "maybe_force".into(),
            target: Target::Addr(maybe_force as *const () as u64),
            args: vec![ArgPlace { kind: MemKind::I64, place: Place::Int(0) }],
            ret: RetPlace::One(MemKind::I64),
            varargs: None,
            effects: Effects::ARBITRARY,
        };
        let r = b.native(desc, &[x], true)?;
        let v = b.emit(Op::BoxI, &[r])?;
        b.sput(5, v)?;
        b.snapshot(0, 3, 1)?;
        b.emit(Op::GNotForced, &[])?;
        let r = b.spop(5)?;
        b.drop_ref(r, 0)?;
        b.snapshot(0, 0, 0)?;
        Ok(())
    };
    go().unwrap();
    let t = b.finish_loop().unwrap();
    let live = toy::LIVE.get();
    let l = link(t, &d, 1);
    let mut frame =
        vec![toy::box_int(0), toy::alloc(toy::OBJ, 0, 0, 1), toy::alloc(toy::OBJ, 0, 0, 2), 0, 0, 0];
    let mut j = new_jf(frame.as_mut_ptr() as u64);
    let jp = j.as_mut_ptr();
    let (lt, calls, d2) = (l.t.clone(), l.c.calls.clone(), d.clone());
    FORCE.with(|f| {
        *f.borrow_mut() = Some(Box::new(move || {
            // SAFETY: the activation is suspended in its call; the call word names the site.
            unsafe {
                let site = &calls[*jp.add(jf::CALL as usize / 8) as u32 as usize - 1];
                let snap = &lt.snaps[site.snap as usize];
                assert_eq!(snap.kind, 9);
                exec::restore(&lt, snap, &d2, 0, &|v| *jp.add(site.place(v) as usize / 8));
                *jp.add(jf::FORCED as usize / 8) = 1;
            }
        }))
    });
    let w = enter(*l.entry, jp as u64);
    let site = &l.c.exits[w as u32 as usize];
    let snap = &l.t.snaps[site.snap as usize];
    // SAFETY: the exit's own places.
    unsafe { exec::restore(&l.t, snap, &d, 0, &|v| j[site.place(v) as usize / 8]) };
    let show = print::trace(&l.t, &d);
    assert_eq!(snap.frames[0].pc, 3, "{show}");
    assert_eq!(toy::int_value(frame[0]), 3, "{show}");
    assert_eq!(frame[1], frame[2]);
    assert_eq!(toy::peek(frame[2]), 2, "{show}");
    assert_eq!(toy::int_value(frame[5]), 6, "{show}");
    for x in frame {
        toy::decref(x);
    }
    assert_eq!(toy::LIVE.get(), live, "{show}");
}

/// The inner loop of a mandelbrot program: slots 0 zr, 1 zi, 2 cr, 3 ci, 4 count.
fn mandelbrot_loop(d: &Descs, limit: i64) -> Trace {
    use lh_jit_opt::{Abort, Builder, R};
    let mut b = Builder::new(d, 0, 0, 0);
    let mut go = || -> Result<(), Abort> {
        let get = |b: &mut Builder, k: i32| -> Result<R, Abort> {
            let x = b.sget(k)?;
            b.guard_type(x, toy::FLOAT, true)?;
            b.emit(Op::UnboxF, &[x])
        };
        let set = |b: &mut Builder, k: i32, v: R| -> Result<(), Abort> {
            let v = b.emit(Op::BoxF, &[v])?;
            let old = b.spop(k)?;
            b.sput(k, v)?;
            b.drop_ref(old, 0)
        };
        b.snapshot(0, 0, 0)?;
        let (zr, zi, cr, ci) = (get(&mut b, 0)?, get(&mut b, 1)?, get(&mut b, 2)?, get(&mut b, 3)?);
        let n = b.sget(4)?;
        b.guard_type(n, toy::INT, true)?;
        let n = b.emit(Op::UnboxI, &[n])?;
        let lim = b.int(limit);
        let c = b.emit(Op::Lt, &[n, lim])?;
        b.emit(Op::GTrue, &[c])?;
        let (rr, ii) = (b.emit(Op::FMul, &[zr, zr])?, b.emit(Op::FMul, &[zi, zi])?);
        let m = b.emit(Op::FAdd, &[rr, ii])?;
        let four = b.float(4.0);
        let c = b.emit(Op::FLe, &[m, four])?;
        b.emit(Op::GTrue, &[c])?;
        let two = b.float(2.0);
        let t = b.emit(Op::FSub, &[rr, ii])?;
        let nr = b.emit(Op::FAdd, &[t, cr])?;
        let t = b.emit(Op::FMul, &[two, zr])?;
        let t = b.emit(Op::FMul, &[t, zi])?;
        let ni = b.emit(Op::FAdd, &[t, ci])?;
        set(&mut b, 0, nr)?;
        set(&mut b, 1, ni)?;
        b.snapshot(0, 8, 0)?;
        let one = b.int(1);
        let n1 = b.emit(Op::AddOv, &[n, one])?;
        let v = b.emit(Op::BoxI, &[n1])?;
        let old = b.spop(4)?;
        b.sput(4, v)?;
        b.drop_ref(old, 0)?;
        b.snapshot(0, 0, 0)
    };
    go().expect("records");
    b.finish_loop().expect("closes")
}

fn mandelbrot_c(mut zr: f64, mut zi: f64, cr: f64, ci: f64, limit: i64) -> (f64, f64, i64) {
    let mut n = 0;
    while n < limit && zr * zr + zi * zi <= 4.0 {
        (zr, zi) = (zr * zr - zi * zi + cr, 2.0 * zr * zi + ci);
        n += 1;
    }
    (zr, zi, n)
}

fn mandelbrot_frame() -> Vec<u64> {
    let mut f: Vec<u64> = [0.0, 0.0, -0.1, 0.1].iter().map(|x| toy::box_float(*x)).collect();
    f.push(toy::box_int(0));
    f
}

#[test]
fn float_loop_agrees_with_rust() {
    let d = toy::descs();
    let t = mandelbrot_loop(&d, 1000);
    let live = toy::LIVE.get();
    let mut f = mandelbrot_frame();
    run_restored(&t, &d, &mut f);
    let (zr, zi, n) = mandelbrot_c(0.0, 0.0, -0.1, 0.1, 1000);
    assert_eq!((toy::float_value(f[0]), toy::float_value(f[1])), (zr, zi), "{}", print::trace(&t, &d));
    assert_eq!(toy::int_value(f[4]), n);
    for x in f {
        toy::decref(x);
    }
    assert_eq!(toy::LIVE.get(), live);
}

#[test]
#[ignore = "a measurement"]
fn speed_of_the_float_loop() {
    let d = toy::descs();
    let n = 100_000_000;
    let t = mandelbrot_loop(&d, n);
    let mut f = mandelbrot_frame();
    let start = std::time::Instant::now();
    run_restored(&t, &d, &mut f);
    let jit = start.elapsed().as_secs_f64() * 1e9 / n as f64;
    let start = std::time::Instant::now();
    let r = mandelbrot_c(0.0, 0.0, std::hint::black_box(-0.1), 0.1, n);
    let native = start.elapsed().as_secs_f64() * 1e9 / n as f64;
    println!("jit {jit:.2} ns, rust {native:.2} ns, ratio {:.2} ({r:?})", jit / native);
}

#[test]
#[ignore = "a measurement"]
fn speed_of_compiling() {
    use lh_jit_opt::Builder;
    let d = toy::descs();
    let start = std::time::Instant::now();
    let mut b = Builder::new(&d, 0, 0, 0);
    for k in 0..1000u32 {
        b.snapshot(0, k, 0).unwrap();
        let slot = (k % 20) as i32;
        let x = b.sget(slot).unwrap();
        b.guard_type(x, toy::INT, true).unwrap();
        let x = b.emit(Op::UnboxI, &[x]).unwrap();
        let one = b.int(k as i64);
        let x = b.emit(Op::AddOv, &[x, one]).unwrap();
        let v = b.emit(Op::BoxI, &[x]).unwrap();
        let old = b.spop(slot).unwrap();
        b.sput(slot, v).unwrap();
        b.drop_ref(old, 0).unwrap();
    }
    b.snapshot(0, 0, 0).unwrap();
    let recorded = start.elapsed();
    let t = b.finish_loop().unwrap();
    let optimised = start.elapsed();
    let c = compile(&t, &d, &Options { trace_id: 1, exit_cells: 0, random: None, countdown: None }).unwrap();
    println!(
        "time: 1000 bytecodes, {} instructions, {} bytes: record {recorded:?}, close {:?}, compile {:?}",
        t.insts.len(),
        c.code.len(),
        optimised - recorded,
        start.elapsed() - optimised
    );
}

/// A root and its bridges, linked.
#[derive(Default)]
struct Machine {
    traces: Vec<Linked>,
    jf: Vec<u64>,
    label: Option<LabelCode>,
    label_cell: Box<u64>,
}

impl lh_jit_opt::selftest::Machine for Machine {
    fn add(&mut self, t: Trace, at: Option<(usize, usize)>) {
        let l = link(t, &toy::descs(), self.traces.len() as u32);
        if std::env::var("LH_JIT_TEST_SHOW").is_ok() {
            let d = toy::descs();
            println!(
                "---- {} at {at:?}\n{}\n{:?} {:?}",
                self.traces.len(),
                print::trace(&l.t, &d),
                l.t.label,
                l.c.label
            );
            println!(
                "link {:?}\nexits {:?}",
                l.t.link,
                l.c.exits.iter().map(|x| (x.inst, &x.places)).collect::<Vec<_>>()
            );
        }
        match at {
            Some((p, no)) => self.traces[p].cells[no] = *l.entry,
            None => {
                self.label = l.c.label.clone().map(|x| {
                    *self.label_cell = *l.entry + x.offset as u64;
                    LabelCode { cell: &raw const *self.label_cell as u64, ..x }
                })
            }
        }
        self.traces.push(l);
    }
    fn run(&mut self, frame: &mut [u64]) -> (usize, usize) {
        self.jf = new_jf(frame.as_mut_ptr() as u64);
        let w = enter(*self.traces[0].entry, self.jf.as_mut_ptr() as u64);
        ((w >> 32) as usize, w as u32 as usize)
    }
    fn trace(&self, t: usize) -> &Trace {
        &self.traces[t].t
    }
    fn exit(&self, t: usize, no: usize) -> (u32, Box<dyn Fn(Val) -> Option<u32>>) {
        let site = self.traces[t].c.exits[no].clone();
        (site.snap, Box::new(move |v| site.find(v)))
    }
    fn word(&self, offset: u32) -> u64 {
        self.jf[offset as usize / 8]
    }
    fn label(&self) -> Option<LabelCode> {
        self.label.clone()
    }
    fn entry_cell(&self) -> u64 {
        &raw const *self.traces[0].entry as u64
    }
}

#[test]
fn random_bridges_go_back_to_their_loops() {
    let from: u64 = std::env::var("LH_FUZZ_FROM").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let n: u64 = std::env::var("LH_FUZZ_N").ok().and_then(|s| s.parse().ok()).unwrap_or(300);
    let (mut label, mut entry) = (0, 0);
    for seed in from..from + n {
        let (a, b) = lh_jit_opt::selftest::check_bridges(seed, &mut Machine::default());
        label += a;
        entry += b;
    }
    println!("{label} bridges to labels, {entry} to entries");
    assert!(label as u64 > n / 4, "{label} {entry}");
}
