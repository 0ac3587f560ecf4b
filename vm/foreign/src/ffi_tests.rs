//! Calls and callbacks through libffi against functions compiled by rustc, whose C ABI is the oracle.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::callback::{Callback, CallbackTarget};
use crate::ctype::{CType, Prim, RecordBuilder};
use crate::ffi::Cif;

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
struct Mixed {
    d: f64,
    i: i32,
}

#[repr(C, packed)]
#[derive(Clone, Copy)]
struct Packed {
    c: u8,
    d: f64,
}

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
struct Big {
    a: [i64; 4],
}

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
struct Floats3 {
    f: [f32; 3],
}

#[repr(C)]
#[derive(Clone, Copy)]
union IntOrDouble {
    i: i64,
    d: f64,
}

extern "C" fn mixed(a: Mixed, k: i32, f: Floats3) -> Mixed {
    Mixed { d: a.d * 2.0 + f.f[2] as f64, i: a.i + k }
}

extern "C" fn packed(x: u8, p: Packed, y: i64) -> Packed {
    Packed { c: p.c + x, d: p.d + y as f64 }
}

extern "C" fn big(b: Big, k: i64) -> Big {
    Big { a: b.a.map(|v| v + k) }
}

extern "C" fn union_arg(u: IntOrDouble) -> i64 {
    // SAFETY: every bit pattern is an integer.
    unsafe { u.i }
}

fn p(code: u8) -> Arc<CType> {
    CType::prim(Prim::from_code(code).unwrap())
}

fn record(union: bool, pack: usize, fields: &[Arc<CType>]) -> CType {
    let mut b = RecordBuilder::new(union, pack, false, None);
    for f in fields {
        b.add("f", f, None, false);
    }
    b.finish()
}

fn ptr<T>(v: &mut T) -> *mut c_void {
    (v as *mut T).cast()
}

#[test]
fn structs_by_value() {
    let mixed_t = record(false, 0, &[p(b'd'), p(b'i')]);
    let floats_t = record(false, 0, &[CType::array(p(b'f'), 3).unwrap()]);
    let packed_t = record(false, 1, &[p(b'B'), p(b'd')]);
    let big_t = record(false, 0, &[CType::array(p(b'q'), 4).unwrap()]);
    let union_t = record(true, 0, &[p(b'q'), p(b'd')]);
    // SAFETY: types and values match the functions above.
    unsafe {
        let cif = Cif::new(&[&mixed_t, &p(b'i'), &floats_t], Some(&mixed_t), None).unwrap();
        let mut ret = Mixed { d: 0.0, i: 0 };
        let (mut a, mut k, mut f) = (Mixed { d: 1.5, i: 4 }, 5i32, Floats3 { f: [0.0, 0.0, 10.0] });
        cif.call(mixed as *const c_void, &[ptr(&mut a), ptr(&mut k), ptr(&mut f)], ptr(&mut ret));
        assert_eq!(ret, Mixed { d: 13.0, i: 9 });

        let cif = Cif::new(&[&p(b'B'), &packed_t, &p(b'q')], Some(&packed_t), None).unwrap();
        let mut room = [0u8; 16];
        let (mut x, mut a, mut y) = (1u8, Packed { c: 2, d: 0.5 }, 3i64);
        cif.call(packed as *const c_void, &[ptr(&mut x), ptr(&mut a), ptr(&mut y)], ptr(&mut room));
        assert_eq!((room[0], f64::from_ne_bytes(room[1..9].try_into().unwrap())), (3, 3.5));

        let cif = Cif::new(&[&big_t, &p(b'q')], Some(&big_t), None).unwrap();
        let (mut ret, mut a, mut k) = (Big { a: [0; 4] }, Big { a: [1, 2, 3, 4] }, 10i64);
        cif.call(big as *const c_void, &[ptr(&mut a), ptr(&mut k)], ptr(&mut ret));
        assert_eq!(ret.a, [11, 12, 13, 14]);

        let cif = Cif::new(&[&union_t], Some(&p(b'q')), None).unwrap();
        let (mut u, mut r) = (IntOrDouble { d: 1.0 }, 0i64);
        cif.call(union_arg as *const c_void, &[ptr(&mut u)], ptr(&mut r));
        assert_eq!(r, 1.0f64.to_bits() as i64);
    }
}

#[test]
fn variadic_and_long_double() {
    let mut buf = [0u8; 64];
    let (mut b, mut n) = (buf.as_mut_ptr(), buf.len());
    let (mut fmt, mut d, mut i) = (c"%.2f %d".as_ptr(), 2.5f64, -7i32);
    // SAFETY: snprintf's real prototype; sqrtl takes and returns a long double of 16 bytes.
    unsafe {
        let vp = CType::prim(Prim::VoidP);
        let cif = Cif::new(&[&vp, &p(b'L'), &vp, &p(b'd'), &p(b'i')], Some(&p(b'i')), Some(3)).unwrap();
        let mut ret = 0u64;
        let args = [ptr(&mut b), ptr(&mut n), ptr(&mut fmt), ptr(&mut d), ptr(&mut i)];
        cif.call(libc::snprintf as *const c_void, &args, ptr(&mut ret));
        assert_eq!((&buf[..7], ret as i32), (b"2.50 -7".as_slice(), 7));

        let libm = crate::library::open(Some(c"libm.so.6"), 0).unwrap();
        let sqrtl = crate::library::symbol(libm, c"sqrtl").unwrap();
        let cif = Cif::new(&[&p(b'g')], Some(&p(b'g')), None).unwrap();
        // 4.0 and 2.0 as x87 extended.
        let mut four = 0x4001_8000_0000_0000_0000u128;
        let mut ret = 0u128;
        cif.call(sqrtl, &[ptr(&mut four)], ptr(&mut ret));
        assert_eq!(ret & ((1 << 80) - 1), 0x4000_8000_0000_0000_0000);
    }
}

static COMPARISONS: AtomicI64 = AtomicI64::new(0);

struct Compare;

impl CallbackTarget for Compare {
    unsafe fn invoke(&self, args: *const *const c_void, ret: *mut c_void) {
        // SAFETY: made with two pointer arguments to i32 and an int result.
        unsafe {
            let (a, b) = (**(*args).cast::<*const i32>(), **(*args.add(1)).cast::<*const i32>());
            COMPARISONS.fetch_add(1, Ordering::Relaxed);
            ret.cast::<i32>().write(a.cmp(&b) as i32);
        }
    }
}

#[test]
fn callbacks_run_from_c() {
    let vp = CType::prim(Prim::VoidP);
    let cb = Callback::new(&[&vp, &vp], Some(&p(b'i')), Box::new(Compare)).unwrap();
    let mut v = [5i32, -1, 9, 0];
    // SAFETY: the thunk has qsort's comparison type.
    unsafe {
        let f: unsafe extern "C" fn(*const c_void, *const c_void) -> i32 = std::mem::transmute(cb.address());
        libc::qsort(v.as_mut_ptr().cast(), 4, 4, Some(f));
    }
    assert_eq!(v, [-1, 0, 5, 9]);
    assert!(COMPARISONS.load(Ordering::Relaxed) >= 3);
}

struct Doubler;

impl CallbackTarget for Doubler {
    unsafe fn invoke(&self, args: *const *const c_void, ret: *mut c_void) {
        // SAFETY: made with one packed struct argument and the same result.
        unsafe {
            let v = *(*args).cast::<Packed>();
            ret.cast::<Packed>().write(Packed { c: v.c * 2, d: v.d * 2.0 });
        }
    }
}

#[test]
fn callbacks_take_and_return_structs() {
    let t = record(false, 1, &[p(b'B'), p(b'd')]);
    let cb = Callback::new(&[&t], Some(&t), Box::new(Doubler)).unwrap();
    // SAFETY: the thunk has this type.
    let f: extern "C" fn(Packed) -> Packed = unsafe { std::mem::transmute(cb.address()) };
    let r = f(Packed { c: 4, d: 1.25 });
    assert_eq!((r.c, { r.d }), (8, 2.5));
}
