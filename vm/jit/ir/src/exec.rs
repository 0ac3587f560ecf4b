//! The reference executor: runs a trace slowly against real memory, through the descriptors. It is the oracle for
//! passes and backends. Also here: [`restore`], which turns a snapshot and its values into interpreter state; the
//! embedder uses the same code for exits of machine code.
//!
//! Native calls work on x86-64 System V only, where integer and float argument registers are independent: every
//! call passes six integers, eight floats and eight stack words, and the callee picks what it declares.

use crate::desc::*;
use crate::ops::*;
use crate::trace::*;

/// Where a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Exit number (n-th guard), the guard's instruction; values are in [`Run::vals`].
    Exit { no: usize, inst: usize },
    /// `link`: the address operand.
    Link(u64),
    /// `link_label`: the values for the label's phis, then its contract's.
    Label(Vec<u64>),
    /// The step budget ran out.
    Steps,
}

pub struct Run {
    pub vals: Vec<u64>,
    pub end: End,
    /// Instruction number and result of every call made, for differential tests.
    pub calls: Vec<(usize, u64)>,
}

/// Reads memory as a 64-bit register value.
///
/// # Safety
/// `addr` must be readable as `kind`.
pub unsafe fn load(kind: MemKind, addr: u64) -> u64 {
    // SAFETY: the caller says the address is readable as this kind.
    unsafe {
        match kind {
            MemKind::I8 => (addr as *const i8).read_unaligned() as i64 as u64,
            MemKind::U8 => (addr as *const u8).read_unaligned() as u64,
            MemKind::I16 => (addr as *const i16).read_unaligned() as i64 as u64,
            MemKind::U16 => (addr as *const u16).read_unaligned() as u64,
            MemKind::I32 => (addr as *const i32).read_unaligned() as i64 as u64,
            MemKind::U32 => (addr as *const u32).read_unaligned() as u64,
            MemKind::F32 => ((addr as *const f32).read_unaligned() as f64).to_bits(),
            _ => (addr as *const u64).read_unaligned(),
        }
    }
}

/// Stores a 64-bit register value.
///
/// # Safety
/// `addr` must be writable as `kind`.
pub unsafe fn store(kind: MemKind, addr: u64, v: u64) {
    // SAFETY: the caller says the address is writable as this kind.
    unsafe {
        match kind.size() {
            1 => (addr as *mut u8).write_unaligned(v as u8),
            2 => (addr as *mut u16).write_unaligned(v as u16),
            4 if kind == MemKind::F32 => (addr as *mut f32).write_unaligned(f64::from_bits(v) as f32),
            4 => (addr as *mut u32).write_unaligned(v as u32),
            _ => (addr as *mut u64).write_unaligned(v),
        }
    }
}

/// Brings a C result or argument to the 64-bit form of its kind.
pub fn narrow(kind: MemKind, v: u64) -> u64 {
    match kind {
        MemKind::I8 => v as i8 as i64 as u64,
        MemKind::U8 => v as u8 as u64,
        MemKind::I16 => v as i16 as i64 as u64,
        MemKind::U16 => v as u16 as u64,
        MemKind::I32 => v as i32 as i64 as u64,
        MemKind::U32 => v as u32 as u64,
        _ => v,
    }
}

#[derive(Default, Clone, Copy)]
pub struct CRegs {
    pub int: [u64; 6],
    pub float: [f64; 8],
    pub stack: [u64; 8],
}

#[repr(C)]
struct II(u64, u64);
#[repr(C)]
struct FF(f64, f64);

macro_rules! call_as {
    ($ret:ty, $addr:expr, $r:expr) => {{
        type F = unsafe extern "C" fn(
            u64,
            u64,
            u64,
            u64,
            u64,
            u64,
            f64,
            f64,
            f64,
            f64,
            f64,
            f64,
            f64,
            f64,
            u64,
            u64,
            u64,
            u64,
            u64,
            u64,
            u64,
            u64,
        ) -> $ret;
        // SAFETY: the descriptor says this address is a function of the C ABI.
        let f: F = unsafe { std::mem::transmute($addr as usize) };
        let (i, x, s) = ($r.int, $r.float, $r.stack);
        // SAFETY: as above; superfluous registers and stack words are ignored by the callee.
        unsafe {
            f(
                i[0], i[1], i[2], i[3], i[4], i[5], x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], s[0],
                s[1], s[2], s[3], s[4], s[5], s[6], s[7],
            )
        }
    }};
}

/// Calls a C function; returns integer and float result registers. Only the classes asked for are meaningful.
///
/// # Safety
/// `addr` is a C function that takes these arguments.
pub unsafe fn call_c(addr: u64, r: &CRegs, float_ret: bool) -> ([u64; 2], [f64; 2]) {
    if float_ret {
        let x = call_as!(FF, addr, r);
        ([0; 2], [x.0, x.1])
    } else {
        let x = call_as!(II, addr, r);
        ([x.0, x.1], [0.0; 2])
    }
}

/// # Safety
/// The helper's address and signature must be right, and the arguments what it expects.
pub unsafe fn call_helper(h: &HelperDesc, ts: u64, args: &[u64]) -> u64 {
    let mut r = CRegs::default();
    let (mut ni, mut nf, mut ns) = (0, 0, 0);
    if h.pass_ts {
        r.int[0] = ts;
        ni = 1;
    }
    for (a, t) in args.iter().zip(&h.args) {
        if *t == Ty::F64 && nf < 8 {
            r.float[nf] = f64::from_bits(*a);
            nf += 1;
        } else if *t != Ty::F64 && ni < 6 {
            r.int[ni] = *a;
            ni += 1;
        } else {
            r.stack[ns] = *a;
            ns += 1;
        }
    }
    // SAFETY: the caller's contract.
    let (i, f) = unsafe { call_c(h.addr, &r, h.ret == Ty::F64) };
    match h.ret {
        Ty::F64 => f[0].to_bits(),
        Ty::I64 => narrow(h.ret_kind, i[0]),
        _ => i[0],
    }
}

#[allow(unused_unsafe)]
unsafe fn call_native(s: &NativeDesc, args: &[u64]) -> u64 {
    let mut args = args.iter().copied();
    let addr = match s.target {
        Target::Addr(a) => a,
        Target::FirstArg => args.next().expect("target operand"),
    };
    let mut r = CRegs::default();
    for p in &s.args {
        let v = args.next().expect("native operand");
        // A float argument of kind F32 travels as the f32's bits in the low half.
        let bits = match p.kind {
            MemKind::F32 => (f64::from_bits(v) as f32).to_bits() as u64,
            k => narrow(k, v),
        };
        match p.place {
            Place::Int(n) => r.int[n as usize] = bits,
            Place::Float(n) => r.float[n as usize] = f64::from_bits(bits),
            Place::Stack(n) => r.stack[n as usize] = bits,
        }
    }
    // SAFETY: the descriptor describes this function.
    unsafe {
        match &s.ret {
            RetPlace::None => {
                call_c(addr, &r, false);
                0
            }
            RetPlace::One(MemKind::F64) => call_c(addr, &r, true).1[0].to_bits(),
            RetPlace::One(MemKind::F32) => {
                let f = call_c(addr, &r, true).1[0].to_bits() as u32;
                (f32::from_bits(f) as f64).to_bits()
            }
            RetPlace::One(k) => narrow(*k, call_c(addr, &r, false).0[0]),
            RetPlace::Mem(parts) => {
                let out = args.next().expect("result address");
                let all_f = parts.iter().all(|p| p.0);
                let all_i = parts.iter().all(|p| !p.0);
                let (i, f) = if all_f || all_i {
                    call_c(addr, &r, all_f)
                } else if parts[0].0 {
                    let x = call_as!(FI, addr, r);
                    ([x.1, 0], [x.0, 0.0])
                } else {
                    let x = call_as!(IF, addr, r);
                    ([x.0, 0], [x.1, 0.0])
                };
                for (fl, n, off) in parts {
                    let v = if *fl { f[*n as usize].to_bits() } else { i[*n as usize] };
                    store(MemKind::I64, out + *off as u64, v);
                }
                0
            }
        }
    }
}

#[repr(C)]
struct IF(u64, f64);
#[repr(C)]
struct FI(f64, u64);

/// Result of a pure integer or float op on constants; `None` if it would leave through its exit or isn't pure.
pub fn eval(op: Op, a: u64, b: u64) -> Option<u64> {
    let (x, y) = (a as i64, b as i64);
    let (f, g) = (f64::from_bits(a), f64::from_bits(b));
    let bool_ = |c: bool| Some(c as u64);
    let fl = |v: f64| Some(v.to_bits());
    match op {
        Op::Add => Some(x.wrapping_add(y) as u64),
        Op::Sub => Some(x.wrapping_sub(y) as u64),
        Op::Mul => Some(x.wrapping_mul(y) as u64),
        Op::AddOv => x.checked_add(y).map(|v| v as u64),
        Op::SubOv => x.checked_sub(y).map(|v| v as u64),
        Op::MulOv => x.checked_mul(y).map(|v| v as u64),
        Op::FloorDiv => {
            let q = x.checked_div(y)?;
            Some((if x % y != 0 && (x % y < 0) != (y < 0) { q - 1 } else { q }) as u64)
        }
        Op::FloorMod => {
            if y == 0 {
                return None;
            }
            let r = x.checked_rem(y).unwrap_or(0);
            Some((if r != 0 && (r < 0) != (y < 0) { r + y } else { r }) as u64)
        }
        Op::Neg => Some(x.wrapping_neg() as u64),
        Op::Not => Some(!a),
        Op::And => Some(a & b),
        Op::Or => Some(a | b),
        Op::Xor => Some(a ^ b),
        Op::Shl => Some(a << (b & 63)),
        Op::Shr => Some(a >> (b & 63)),
        Op::Sar => Some((x >> (b & 63)) as u64),
        Op::Sext8 => Some(narrow(MemKind::I8, a)),
        Op::Sext16 => Some(narrow(MemKind::I16, a)),
        Op::Sext32 => Some(narrow(MemKind::I32, a)),
        Op::Zext8 => Some(narrow(MemKind::U8, a)),
        Op::Zext16 => Some(narrow(MemKind::U16, a)),
        Op::Zext32 => Some(narrow(MemKind::U32, a)),
        Op::Eq => bool_(a == b),
        Op::Ne => bool_(a != b),
        Op::Lt => bool_(x < y),
        Op::Le => bool_(x <= y),
        Op::Gt => bool_(x > y),
        Op::Ge => bool_(x >= y),
        Op::Ult => bool_(a < b),
        Op::Ule => bool_(a <= b),
        Op::FEq => bool_(f == g),
        Op::FNe => bool_(f != g),
        Op::FLt => bool_(f < g),
        Op::FLe => bool_(f <= g),
        Op::FGt => bool_(f > g),
        Op::FGe => bool_(f >= g),
        Op::FAdd => fl(f + g),
        Op::FSub => fl(f - g),
        Op::FMul => fl(f * g),
        Op::FDiv => fl(f / g),
        Op::FNeg => fl(-f),
        Op::FAbs => fl(f.abs()),
        Op::FSqrt => fl(f.sqrt()),
        Op::FRound32 => fl(f as f32 as f64),
        Op::I2F => fl(x as f64),
        // The machine's conversion answers i64::MIN when it can't: that is the exit, whatever the cause.
        Op::F2I if f > -9223372036854775808.0 && f < 9223372036854775808.0 => Some(f as i64 as u64),
        Op::FBits | Op::BitsF | Op::Cast => Some(a),
        Op::PAdd => Some(a.wrapping_add(b)),
        _ => None,
    }
}

/// Value of a boxed integer with at most two digits.
///
/// # Safety
/// `obj` is a boxed integer as the layout describes.
pub unsafe fn unbox_int(l: &Layout, obj: u64) -> Option<i64> {
    // SAFETY: the caller's contract.
    unsafe {
        let size = load(MemKind::I64, obj.wrapping_add(l.int_size as u64)) as i64;
        let digit = |n: u64| load(MemKind::U32, obj.wrapping_add(l.int_digits as u64) + 4 * n) as i64;
        Some(match size {
            0 => 0,
            1 => digit(0),
            -1 => -digit(0),
            2 => digit(0) | digit(1) << 30,
            -2 => -(digit(0) | digit(1) << 30),
            _ => return None,
        })
    }
}

pub(crate) unsafe fn add_ref(d: &Descs, v: u64, n: i64) {
    let a = v.wrapping_add(d.layout.refcnt as i64 as u64);
    // SAFETY: `v` is a live object.
    unsafe { store(MemKind::I64, a, load(MemKind::I64, a).wrapping_add(n as u64)) }
}

/// Drops one reference, as `drop` does.
///
/// # Safety
/// `v` is a live object or null.
pub unsafe fn drop_ref(d: &Descs, ts: u64, v: u64) {
    if v == 0 {
        return;
    }
    // SAFETY: `v` is live; the helper is the embedder's.
    unsafe {
        add_ref(d, v, -1);
        if load(MemKind::I64, v.wrapping_add(d.layout.refcnt as i64 as u64)) == 0 {
            call_helper(&d.helpers[d.layout.dealloc as usize], ts, &[v]);
        }
    }
}

/// Runs `t` for at most `steps` instructions.
///
/// # Safety
/// Everything the trace touches must be valid: memory, helpers, natives; `jf` points to a JIT frame.
pub unsafe fn run(t: &Trace, d: &Descs, ts: u64, jfp: u64, steps: usize) -> Run {
    let mut vals = vec![0u64; t.insts.len()];
    let mut calls = vec![];
    let guard_no: Vec<usize> = {
        let mut n = 0;
        t.insts
            .iter()
            .map(|i| {
                n += i.op.is_guard() as usize;
                n - i.op.is_guard() as usize
            })
            .collect()
    };
    let loop_at = t.loop_at();
    let l = &d.layout;
    let mut pc = 0;
    for _ in 0..steps {
        if pc >= t.insts.len() {
            return Run { vals, end: End::Steps, calls };
        }
        let i = &t.insts[pc];
        let get = |v: Val| -> u64 { if v.is_const() { t.consts[v.index()].bits } else { vals[v.index()] } };
        let (a, b, c) = (
            if i.args[0].is_none() { 0 } else { get(i.args[0]) },
            if i.args[1].is_none() || i.op == Op::Phi { 0 } else { get(i.args[1]) },
            if i.args[2].is_none() { 0 } else { get(i.args[2]) },
        );
        let at = |off: i32| a.wrapping_add(off as i64 as u64);
        let exit = |vals: Vec<u64>, calls| Run { vals, end: End::Exit { no: guard_no[pc], inst: pc }, calls };
        let mut out = None;
        // SAFETY: the caller vouches for everything the trace touches.
        unsafe {
            match i.op {
                Op::Ts => out = Some(ts),
                Op::Jf => out = Some(jfp),
                Op::JLoad => out = Some(load(MemKind::I64, jfp + i.imm as u64)),
                Op::FLoad => {
                    let f = &d.fields[i.imm as usize];
                    out = Some(load(f.kind, at(f.offset)));
                }
                Op::FStore => {
                    let f = &d.fields[i.imm as usize];
                    store(f.kind, at(f.offset), b);
                }
                Op::ALoad | Op::AStore => {
                    let f = &d.arrays[i.imm as usize];
                    let addr = at(f.offset).wrapping_add(b.wrapping_mul(f.kind.size() as u64));
                    if i.op == Op::ALoad { out = Some(load(f.kind, addr)) } else { store(f.kind, addr, c) }
                }
                Op::FReplace => {
                    let v: Vec<u64> = t.list(i).iter().map(|v| get(*v)).collect();
                    let f = &d.arrays[i.imm as usize];
                    let addr = v[0].wrapping_add(f.offset as i64 as u64).wrapping_add(v[1].wrapping_mul(8));
                    let count = v[2].wrapping_add(l.refcnt as i64 as u64);
                    if load(MemKind::I64, count) == 1 {
                        store(MemKind::F64, v[2].wrapping_add(l.float_value as i64 as u64), v[3]);
                    } else {
                        add_ref(d, v[2], -1);
                        store(MemKind::Ref, addr, call_helper(&d.helpers[l.box_float as usize], ts, &[v[3]]));
                    }
                }
                Op::SLoad => out = Some(load(MemKind::Ref, at(l.slots + 8 * i.imm as i32))),
                Op::SStore => store(MemKind::Ref, at(l.slots + 8 * i.imm as i32), b),
                Op::GTrue if a == 0 => return exit(vals, calls),
                Op::GFalse if a != 0 => return exit(vals, calls),
                Op::GType if load(MemKind::Ptr, at(l.type_of)) != b => return exit(vals, calls),
                Op::GValue if a != b => return exit(vals, calls),
                Op::GNonNull if a == 0 => return exit(vals, calls),
                Op::GNull if a != 0 => return exit(vals, calls),
                Op::GShared if (load(MemKind::I64, at(l.refcnt)) as i64) <= 1 => return exit(vals, calls),
                Op::GValid if load(MemKind::U8, a) == 0 => return exit(vals, calls),
                Op::GNotForced if load(MemKind::I64, jfp + jf::FORCED as u64) != 0 => {
                    return exit(vals, calls);
                }
                Op::GQuiet if load(MemKind::U32, ts.wrapping_add(l.attention as i64 as u64)) != 0 => {
                    return exit(vals, calls);
                }
                Op::GNoExc if load(MemKind::Ptr, ts.wrapping_add(l.exc as i64 as u64)) != 0 => {
                    return exit(vals, calls);
                }
                Op::GTrue
                | Op::GFalse
                | Op::GType
                | Op::GValue
                | Op::GNonNull
                | Op::GNull
                | Op::GShared
                | Op::GValid
                | Op::GNotForced
                | Op::GQuiet
                | Op::GNoExc => {}
                Op::Exit => return exit(vals, calls),
                Op::BoxI => out = Some(call_helper(&d.helpers[l.box_int as usize], ts, &[a])),
                Op::BoxF => out = Some(call_helper(&d.helpers[l.box_float as usize], ts, &[a])),
                Op::UnboxI => match unbox_int(l, a) {
                    Some(v) => out = Some(v as u64),
                    None => return exit(vals, calls),
                },
                Op::UnboxF => out = Some(load(MemKind::F64, at(l.float_value))),
                Op::New => {
                    let h = &d.helpers[d.classes[i.imm as usize].alloc as usize];
                    let args: Vec<u64> = t.list(i).iter().map(|v| get(*v)).collect();
                    out = Some(call_helper(h, ts, &args));
                }
                Op::Own => add_ref(d, a, 1),
                Op::Drop if i.imm & DROP_NOT_LAST != 0 => add_ref(d, a, -1),
                Op::Drop => drop_ref(d, ts, a),
                Op::Adopt | Op::Yield => {}
                Op::Call => {
                    let args: Vec<u64> = t.list(i).iter().map(|v| get(*v)).collect();
                    store(MemKind::I64, jfp + jf::FORCED as u64, 0);
                    let r = call_helper(&d.helpers[i.imm as usize], ts, &args);
                    calls.push((pc, r));
                    out = Some(r);
                }
                Op::NCall => {
                    let args: Vec<u64> = t.list(i).iter().map(|v| get(*v)).collect();
                    store(MemKind::I64, jfp + jf::FORCED as u64, 0);
                    let r = call_native(&t.natives[i.imm as usize], &args);
                    calls.push((pc, r));
                    out = Some(r);
                }
                Op::Loop => {}
                Op::Phi => out = Some(a),
                Op::Jump => {
                    let at = loop_at.expect("a jump has a loop");
                    let mut next = vec![];
                    let mut k = at + 1;
                    while t.insts[k].op == Op::Phi {
                        next.push(get(t.insts[k].args[1]));
                        k += 1;
                    }
                    for (n, v) in next.into_iter().enumerate() {
                        vals[at + 1 + n] = v;
                    }
                    pc = k;
                    continue;
                }
                Op::LinkLabel => {
                    let vals_at_label = t.list(i).iter().map(|v| get(*v)).collect();
                    return Run { end: End::Label(vals_at_label), vals, calls };
                }
                Op::Link => return Run { end: End::Link(a), vals, calls },
                _ => match eval(i.op, a, b) {
                    Some(v) => out = Some(v),
                    None => return exit(vals, calls),
                },
            }
        }
        if let Some(v) = out {
            vals[pc] = v;
        }
        pc += 1;
    }
    Run { vals, end: End::Steps, calls }
}

/// Writes a snapshot's state to memory: builds virtual objects, writes delayed field stores and frame slots, makes
/// the references that `copy` entries need, then drops what is left over. `get` answers instruction values.
/// The embedder then links frames from `frames` (base, token, pc, sp) itself.
///
/// # Safety
/// The values must be those of an exit with this snapshot.
pub unsafe fn restore(t: &Trace, s: &Snapshot, d: &Descs, ts: u64, get: &dyn Fn(Val) -> u64) {
    let mut built: Vec<u64> = vec![];
    let value = |v: Val, built: &[u64]| -> u64 {
        if v.is_virt() {
            built[v.index()]
        } else if v.is_const() {
            t.consts[v.index()].bits
        } else {
            get(v)
        }
    };
    let l = &d.layout;
    // SAFETY: the caller vouches for values and layout.
    unsafe {
        let counted = |v: Val, own: Own, built: &[u64]| -> u64 {
            let x = value(v, built);
            if own == Own::Copy && !v.is_virt() && t.ty(v) == Ty::Ref && x != 0 {
                add_ref(d, x, 1);
            }
            x
        };
        for v in &s.virts {
            let args: Vec<u64> = v.fields.iter().map(|(f, o)| counted(*f, *o, &built)).collect();
            let h = match v.class {
                VClass::BoxI => l.box_int,
                VClass::BoxF => l.box_float,
                VClass::Class(c) => d.classes[c as usize].alloc,
            };
            let x = call_helper(&d.helpers[h as usize], ts, &args);
            add_ref(d, x, v.count as i64 - 1);
            built.push(x);
        }
        for st in &s.stores {
            let f = &d.fields[st.field as usize];
            let base = value(st.base, &built);
            store(f.kind, base.wrapping_add(f.offset as i64 as u64), value(st.src, &built));
        }
        for f in &s.frames {
            let base = value(f.base, &built);
            for x in &f.slots {
                let v = counted(x.src, x.own, &built);
                store(MemKind::Ref, base.wrapping_add((l.slots + 8 * x.slot) as i64 as u64), v);
            }
        }
        for (v, n) in &s.holds {
            match value(*v, &built) {
                0 => {}
                x => add_ref(d, x, *n as i64),
            }
        }
        for (v, n) in &s.drops {
            for _ in 0..*n {
                drop_ref(d, ts, value(*v, &built));
            }
        }
    }
}
