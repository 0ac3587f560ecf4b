//! A toy object model for the tests of the JIT crates: counted objects in real memory, a frame, helpers.
//!
//! Types are small fake addresses that are never read. `LIVE` counts objects, so tests see leaks and double frees.

use crate::desc::*;
use crate::trace::Ty;
use std::cell::Cell;

pub const INT: u64 = 0x100;
pub const FLOAT: u64 = 0x200;
pub const OBJ: u64 = 0x300;
pub const PAIR: u64 = 0x400;
pub const RANGE: u64 = 0x500;
/// Two floats that can be replaced.
pub const FLOATS: u64 = 0x600;

thread_local! {
    pub static LIVE: Cell<i64> = const { Cell::new(0) };
}

/// count, type, then size or float, digits.
#[repr(C)]
pub struct Obj {
    pub refcnt: i64,
    pub ty: u64,
    pub a: u64,
    pub b: u64,
    pub c: u64,
}

pub fn alloc(ty: u64, a: u64, b: u64, c: u64) -> u64 {
    LIVE.with(|l| l.set(l.get() + 1));
    Box::into_raw(Box::new(Obj { refcnt: 1, ty, a, b, c })) as u64
}

pub extern "C" fn box_int(v: i64) -> u64 {
    let (neg, m) = (v < 0, v.unsigned_abs());
    let mut digits = [0u32; 3];
    let mut n = 0;
    let mut x = m;
    while x != 0 {
        digits[n] = (x & 0x3fff_ffff) as u32;
        x >>= 30;
        n += 1;
    }
    let size = if neg { -(n as i64) } else { n as i64 };
    alloc(INT, size as u64, digits[0] as u64 | (digits[1] as u64) << 32, digits[2] as u64)
}

pub extern "C" fn box_float(v: f64) -> u64 {
    alloc(FLOAT, v.to_bits(), 0, 0)
}

pub extern "C" fn dealloc(o: u64) {
    LIVE.with(|l| l.set(l.get() - 1));
    // SAFETY: the last reference to an object made by `alloc` is gone.
    let o = unsafe { Box::from_raw(o as *mut Obj) };
    if o.ty == PAIR || o.ty == FLOATS {
        for x in [o.a, o.b] {
            decref(x);
        }
    }
}

pub fn decref(x: u64) {
    if x == 0 {
        return;
    }
    let o = x as *mut Obj;
    // SAFETY: the caller held a reference to a live object.
    let gone = unsafe {
        (*o).refcnt -= 1;
        (*o).refcnt == 0
    };
    if gone {
        dealloc(x);
    }
}

pub extern "C" fn make_pair(a: u64, b: u64) -> u64 {
    alloc(PAIR, a, b, 0)
}

/// New reference to the sum of two ints or floats.
pub extern "C" fn add_any(a: u64, b: u64) -> u64 {
    // SAFETY: both are live toy objects.
    let (x, y) = unsafe { (&*(a as *const Obj), &*(b as *const Obj)) };
    if x.ty == FLOAT {
        box_float(f64::from_bits(x.a) + f64::from_bits(y.a))
    } else {
        box_int(int_value(a) + int_value(b))
    }
}

pub fn int_value(o: u64) -> i64 {
    let d = descs();
    // SAFETY: a live toy int.
    unsafe { crate::exec::unbox_int(&d.layout, o) }.expect("small int")
}

pub fn float_value(o: u64) -> f64 {
    // SAFETY: a live toy float.
    f64::from_bits(unsafe { (*(o as *const Obj)).a })
}

/// `frame[2] = frame[0] + frame[1]` on frame memory, consuming nothing but replacing slot 2.
pub extern "C" fn frame_add(frame: *mut u64) {
    // SAFETY: a toy frame of at least three slots with live objects in 0 and 1.
    unsafe {
        let r = add_any(*frame, *frame.add(1));
        decref(*frame.add(2));
        *frame.add(2) = r;
    }
}

pub extern "C" fn mix(a: i64, f: f64) -> i64 {
    a.wrapping_mul(31).wrapping_add(f as i64)
}

pub extern "C" fn peek(o: u64) -> i64 {
    // SAFETY: a live object.
    unsafe { (*(o as *const Obj)).refcnt }
}

pub fn descs() -> Descs {
    let h = |name: &str, addr: usize, args: &[Ty], ret: Ty, effects: Effects| HelperDesc {
        name: name.into(),
        addr: addr as u64,
        args: args.to_vec(),
        steals: 0,
        ret,
        ret_kind: MemKind::I64,
        ret_new: ret == Ty::Ref,
        ret_nonnull: ret == Ty::Ref,
        pass_ts: false,
        effects,
    };
    let alloc_eff = Effects { flags: ALLOCATES, ..Effects::NONE };
    let f = |name: &str, offset, kind, alias, immutable, lazy| FieldDesc {
        name: name.into(),
        offset,
        kind,
        alias,
        immutable,
        lazy,
        owners: if lazy { vec![RANGE] } else { vec![] },
        volatile: name == "flag",
        through: None,
    };
    let mut pair = h("pair", make_pair as *const () as usize, &[Ty::Ref, Ty::Ref], Ty::Ref, alloc_eff);
    pair.steals = 3;
    Descs {
        alias: vec!["frame".into(), "a".into(), "b".into(), "range".into()],
        fields: vec![
            f("count", 0, MemKind::I64, 4, false, false),
            f("a", 16, MemKind::I64, 1, false, false),
            f("b", 24, MemKind::I64, 2, false, false),
            f("pos", 16, MemKind::I64, 3, false, true),
            f("len", 24, MemKind::I64, 3, true, false),
            f("first", 16, MemKind::Ref, 1, true, false),
            f("second", 24, MemKind::Ref, 1, true, false),
            f("b8", 24, MemKind::I8, 2, false, false),
            f("f32", 32, MemKind::F32, 2, false, false),
            f("ref", 16, MemKind::Ref, 1, false, false),
            f("flag", 0, MemKind::I64, 6, false, false),
        ],
        arrays: vec![
            ArrayDesc { name: "i64s".into(), offset: 0, kind: MemKind::I64, alias: 5, immutable: false },
            ArrayDesc { name: "f64s".into(), offset: 0, kind: MemKind::F64, alias: 5, immutable: false },
            ArrayDesc { name: "u8s".into(), offset: 0, kind: MemKind::U8, alias: 5, immutable: false },
            ArrayDesc { name: "i16s".into(), offset: 0, kind: MemKind::I16, alias: 5, immutable: false },
            ArrayDesc { name: "floats".into(), offset: 16, kind: MemKind::Ref, alias: 7, immutable: false },
        ],
        helpers: vec![
            h("box_int", box_int as *const () as usize, &[Ty::I64], Ty::Ref, alloc_eff),
            h("box_float", box_float as *const () as usize, &[Ty::F64], Ty::Ref, alloc_eff),
            h("dealloc", dealloc as *const () as usize, &[Ty::Ref], Ty::Void, Effects::ARBITRARY),
            pair,
            h("add_any", add_any as *const () as usize, &[Ty::Ref, Ty::Ref], Ty::Ref, Effects::ARBITRARY),
            h("mix", mix as *const () as usize, &[Ty::I64, Ty::F64], Ty::I64, Effects::NONE),
            h(
                "peek",
                peek as *const () as usize,
                &[Ty::Ref],
                Ty::I64,
                Effects { flags: OBSERVES_REFCOUNT, ..Effects::NONE },
            ),
            h(
                "frame_add",
                frame_add as *const () as usize,
                &[Ty::Ptr],
                Ty::Void,
                Effects { flags: USES_FRAME | RUNS_PYTHON, ..Effects::NONE },
            ),
        ],
        classes: vec![ClassDesc {
            name: "pair".into(),
            type_addr: PAIR,
            type_field: None,
            fields: vec![5, 6],
            alloc: 3,
            silent: true,
            fresh: true,
            consts: vec![],
            block: None,
        }],
        silent_types: vec![INT, FLOAT],
        literal: None,
        layout: Layout {
            refcnt: 0,
            type_of: 8,
            int_size: 16,
            int_digits: 24,
            float_value: 16,
            slots: 0,
            exc: 0,
            attention: 8,
            int_type: INT,
            float_type: FLOAT,
            free_floats: 0,
            free_ints: 0,
            small_ints: 0,
            box_int: 0,
            box_float: 1,
            dealloc: 2,
        },
    }
}
