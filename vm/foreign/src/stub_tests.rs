//! Stubs against functions compiled by rustc, over hand-made objects with CPython's layouts.

use std::ffi::c_void;

use super::*;
use crate::sig::{Accept, Checks, Effects, MachineValue, Param, RangeRule, ResultKind, Target};

/// A made-up object: reference count, type, then three words of payload.
#[repr(C, align(16))]
struct Obj([u64; 6]);

macro_rules! fake {
    ($($name:ident)*) => { $( fn $name() -> RawObj { static O: Obj = Obj([1000, 0, 0, 0, 0, 0]); (&raw const O).cast_mut().cast() } )* };
}
fake!(int_type bool_type float_type bytes_type str_type bytearray_type class_type carg_type);

thread_local! {
    static LOG: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
    static NONE: RawObj = leak([0; 6]);
    static TRUE: RawObj = leak([0, bool_type() as u64, 1, 1, 0, 0]);
    static FALSE: RawObj = leak([0, bool_type() as u64, 0, 0, 0, 0]);
}

fn leak(words: [u64; 6]) -> RawObj {
    Box::into_raw(Box::new(Obj(words))).cast()
}

fn log(s: String) -> RawObj {
    LOG.with(|l| {
        let mut l = l.borrow_mut();
        if !l.is_empty() {
            l.push(' ');
        }
        l.push_str(&s);
    });
    leak([0; 6])
}

fn int(v: i128) -> RawObj {
    let m = v.unsigned_abs() as u64;
    let digits = [m & 0x3fff_ffff, m >> 30 & 0x3fff_ffff, (v.unsigned_abs() >> 60) as u64];
    let n = digits.iter().rposition(|d| *d != 0).map_or(0, |i| i as i64 + 1);
    // The unused digit of a zero is garbage on purpose.
    let first = if v == 0 { 0xdead } else { digits[0] };
    leak([1, int_type() as u64, (n * v.signum() as i64) as u64, first | digits[1] << 32, digits[2], 0])
}

fn float(v: f64) -> RawObj {
    leak([1, float_type() as u64, v.to_bits(), 0, 0, 0])
}

unsafe extern "C" fn box_i64(v: i64) -> RawObj {
    log(format!("i{v}"))
}
unsafe extern "C" fn box_u64(v: u64) -> RawObj {
    log(format!("u{v}"))
}
unsafe extern "C" fn box_f64(v: f64) -> RawObj {
    log(format!("f{v}"))
}
unsafe extern "C" fn box_char(v: u8) -> RawObj {
    log(format!("c{}", v as char))
}
unsafe extern "C" fn box_text(v: *const c_void) -> RawObj {
    // SAFETY: the tests pass C strings.
    log(format!("z{}", unsafe { std::ffi::CStr::from_ptr(v.cast()) }.to_str().unwrap()))
}
unsafe extern "C" fn box_wchar(v: i32) -> RawObj {
    log(format!("w{v}"))
}
unsafe extern "C" fn box_object(v: RawObj) -> RawObj {
    log("o".into());
    v
}
unsafe extern "C" fn wrap(callable: RawObj, bits: u64) -> RawObj {
    log(format!("wrap{}:{bits}", callable as usize))
}
unsafe extern "C" fn wrap_record(_: RawObj, p: *const c_void) -> RawObj {
    // SAFETY: the tests return records of at least eight bytes.
    log(format!("record:{}", unsafe { *p.cast::<i64>() }))
}
unsafe extern "C" fn release() -> *mut c_void {
    log("release".into());
    77 as *mut c_void
}
unsafe extern "C" fn reacquire(token: *mut c_void) {
    log(format!("reacquire{}", token as usize));
}
unsafe extern "C" fn swap() {
    log("swap".into());
}
unsafe extern "C" fn error_is_set() -> i32 {
    log("error?".into());
    0
}

fn helpers() -> BoxHelpers {
    BoxHelpers {
        int_type: int_type(),
        bool_type: bool_type(),
        float_type: float_type(),
        bytes_type: bytes_type(),
        str_type: str_type(),
        bytearray_type: bytearray_type(),
        none: NONE.with(|n| *n),
        true_: TRUE.with(|n| *n),
        false_: FALSE.with(|n| *n),
        small_ints: std::ptr::null_mut(),
        box_i64,
        box_u64,
        box_f64,
        box_char,
        box_char_p: box_text,
        box_wchar,
        box_wchar_p: box_text,
        box_object,
        wrap,
        wrap_record,
        hooks: CallHooks { release_gil: release, reacquire_gil: reacquire, swap_errno: swap, error_is_set },
    }
}

fn sig(params: &[(MachineValue, &[Accept])], result: ResultKind, effects: Effects) -> NativeSig {
    NativeSig {
        target: Target::Constant(std::ptr::null()),
        params: params
            .iter()
            .map(|(v, a)| Param { value: *v, record: None, accepts: a.to_vec(), default: None })
            .collect(),
        variadic: false,
        result,
        record: None,
        effects,
        checks: Checks::default(),
    }
}

/// Encodes directly: the fake objects are per thread, so stubs must not be shared between tests.
#[track_caller]
fn run(s: &NativeSig, f: *const c_void, args: &[RawObj], expected: &str) {
    let bytes = encode(s, &helpers()).unwrap();
    let code = Arena::get().unwrap().install(&bytes).unwrap();
    LOG.with(|l| l.borrow_mut().clear());
    // SAFETY: freshly encoded stub for this signature; the target matches it.
    let r = unsafe { std::mem::transmute::<_, Stub>(code.addr())(5 as RawObj, args.as_ptr(), args.len(), f) };
    let mut got = LOG.with(|l| l.borrow().clone());
    let names = [
        (SLOW, "slow"),
        (NONE.with(|n| *n), "None"),
        (TRUE.with(|n| *n), "True"),
        (FALSE.with(|n| *n), "False"),
    ];
    for (o, name) in names {
        if o == r {
            got = format!("{got} {name}").trim().to_string();
        }
    }
    assert_eq!(got, expected);
}

const TRUNC: &[Accept] = &[Accept::Int(RangeRule::Truncate)];
const CHECKED: &[Accept] = &[Accept::Int(RangeRule::Checked)];
const FLOAT: &[Accept] = &[Accept::Float, Accept::IntAsFloat];
const LEAF: Effects = Effects::LEAF;

extern "C" fn id_i64(x: i64) -> i64 {
    x
}
extern "C" fn id_u64(x: u64) -> u64 {
    x
}
extern "C" fn id_i8(x: i8) -> i8 {
    x
}
extern "C" fn id_f32(x: f32) -> f32 {
    x
}
extern "C" fn sum10(a: i32, b: f64, c: i64, d: u8, e: f32, f: i64, g: i64, h: i64, i: i16, j: f64) -> f64 {
    a as f64 + b * 10.0 + c as f64 + d as f64 + e as f64 + (f + g + h) as f64 + i as f64 + j
}
extern "C" fn nothing() {}
extern "C" fn is_null(p: *const c_void) -> bool {
    p.is_null()
}
extern "C" fn same(p: *const c_void) -> *const c_void {
    p
}

#[test]
fn integers_of_every_size() {
    use MachineValue::*;
    let f = id_i64 as *const c_void;
    let s = sig(&[(I64, TRUNC)], ResultKind::Int(I64), LEAF);
    for v in [0, 1, -1, 5, (1 << 30) - 1, 1 << 30, -(1 << 30), 1 << 59, -(1 << 60) + 1, i64::MIN, i64::MAX] {
        run(&s, f, &[int(v as i128)], &format!("i{v}"));
    }
    run(&s, f, &[int(1 << 64)], "i0");
    run(&s, f, &[int(-(1 << 64) - 3)], "i-3");
    run(&s, f, &[float(1.0)], "slow");
    run(&s, f, &[], "slow");
    let s = sig(&[(U64, CHECKED)], ResultKind::Int(U64), LEAF);
    run(&s, id_u64 as *const c_void, &[int(1 << 59)], &format!("u{}", 1u64 << 59));
    run(&s, id_u64 as *const c_void, &[int(-1)], "slow");
    let s = sig(&[(I8, TRUNC)], ResultKind::Int(I8), LEAF);
    run(&s, id_i8 as *const c_void, &[int(200)], "i-56");
    let s = sig(&[(I8, CHECKED)], ResultKind::Int(I8), LEAF);
    run(&s, id_i8 as *const c_void, &[int(-128)], "i-128");
    run(&s, id_i8 as *const c_void, &[int(128)], "slow");
}

#[test]
fn many_arguments_with_and_without_hooks() {
    use MachineValue::*;
    let params: &[(MachineValue, &[Accept])] = &[
        (I32, TRUNC),
        (F64, FLOAT),
        (I64, TRUNC),
        (U8, TRUNC),
        (F32, FLOAT),
        (I64, TRUNC),
        (I64, TRUNC),
        (I64, TRUNC),
        (I16, TRUNC),
        (F64, FLOAT),
    ];
    let args =
        [int(-1), float(2.5), int(1 << 40), int(257), int(3), int(1), int(2), int(3), int(-4), float(0.5)];
    let value = -1.0 + 25.0 + (1u64 << 40) as f64 + 1.0 + 3.0 + 6.0 - 4.0 + 0.5;
    let f = sum10 as *const c_void;
    run(&sig(params, ResultKind::F64, LEAF), f, &args, &format!("f{value}"));
    let hooks = Effects::RELEASES_GIL.with(Effects::ERRNO);
    run(&sig(params, ResultKind::F64, hooks), f, &args, &format!("release swap swap reacquire77 f{value}"));
    let id = sig(&[(I64, TRUNC)], ResultKind::Int(I64), Effects::MAY_RAISE);
    run(&id, id_i64 as *const c_void, &[int(9)], "error? i9");
}

#[test]
fn pointers_strings_and_instances() {
    use MachineValue::*;
    let words = |ty: RawObj, a: u64, b: u64, c: u64| leak([1, ty as u64, a, b, c, 0]);
    let text = u64::from_le_bytes(*b"hello\0\0\0");
    let bytes = words(bytes_type(), 5, 0, text);
    let s = sig(&[(Ptr, &[Accept::Bytes, Accept::NoneAsNull])], ResultKind::CharP, LEAF);
    run(&s, same as *const c_void, &[bytes], "zhello");
    run(&s, same as *const c_void, &[NONE.with(|n| *n)], "None");
    let s = sig(&[(Ptr, &[Accept::NoneAsNull, Accept::Bytes])], ResultKind::Bool, LEAF);
    run(&s, is_null as *const c_void, &[NONE.with(|n| *n)], "True");
    run(&s, is_null as *const c_void, &[bytes], "False");
    run(&s, is_null as *const c_void, &[int(1)], "slow");

    let value = Box::leak(Box::new(-5i64));
    let instance = words(class_type(), value as *const i64 as u64, 0, 0);
    let byref = words(carg_type(), 1234, instance as u64, 0);
    let accepts = &[
        Accept::WordAbout { ty: carg_type(), about: 24, of: class_type(), at: 16 },
        Accept::Pointee { ty: class_type(), at: 16 },
        Accept::Int(RangeRule::Truncate),
    ];
    let s = sig(&[(I64, accepts)], ResultKind::Int(I64), LEAF);
    run(&s, id_i64 as *const c_void, &[instance], "i-5");
    run(&s, id_i64 as *const c_void, &[byref], "i1234");
    run(&s, id_i64 as *const c_void, &[int(3)], "i3");
    let s = sig(&[(Object, &[Accept::Object])], ResultKind::Wrap, LEAF);
    run(&s, same as *const c_void, &[32 as RawObj], "wrap5:32");
}

#[test]
fn results_defaults_and_none() {
    use MachineValue::*;
    run(&sig(&[], ResultKind::Void, LEAF), nothing as *const c_void, &[], "None");
    let mut s = sig(&[(F32, FLOAT)], ResultKind::F32, LEAF);
    run(&s, id_f32 as *const c_void, &[float(1.5)], "f1.5");
    s.params[0].default = Some(2.5f32.to_bits() as u64);
    run(&s, id_f32 as *const c_void, &[], "f2.5");
    run(&s, id_f32 as *const c_void, &[float(0.5)], "f0.5");
    run(&s, id_f32 as *const c_void, &[float(0.5), int(1)], "slow");
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Odd {
    b: [u8; 7],
}
#[repr(C)]
#[derive(Clone, Copy)]
struct Mixed {
    i: i64,
    d: f64,
}
#[repr(C)]
#[derive(Clone, Copy)]
struct Big {
    v: [i64; 5],
}
extern "C" fn weigh(a: Odd, m: Mixed, b: Big, x: i32) -> Mixed {
    let odd: i64 = a.b.iter().enumerate().map(|(i, v)| *v as i64 * (i as i64 + 1)).sum();
    Mixed { i: odd + m.i + m.d as i64 + b.v.iter().sum::<i64>() + x as i64, d: 0.0 }
}
extern "C" fn grow(b: Big, k: i64) -> Big {
    Big { v: b.v.map(|x| x * k) }
}

#[test]
fn records_by_value() {
    use crate::ctype::{CType, Prim, RecordBuilder};
    use MachineValue::*;
    let record = |fields: &[(u8, usize)]| {
        let mut b = RecordBuilder::new(false, 0, false, None);
        for (code, n) in fields {
            let item = CType::prim(Prim::from_code(*code).unwrap());
            b.add("f", &CType::array(item, *n).unwrap(), None, false);
        }
        std::sync::Arc::new(b.finish())
    };
    let (odd, mixed, big) = (record(&[(b'B', 7)]), record(&[(b'q', 1), (b'd', 1)]), record(&[(b'q', 5)]));
    fn instance<T>(v: T) -> RawObj {
        leak([1, class_type() as u64, Box::into_raw(Box::new(v)) as u64, 0, 0, 0])
    }
    let by_value: &[Accept] = &[Accept::Pointee { ty: class_type(), at: 16 }];
    for (effects, around) in [(LEAF, ("", "")), (Effects::RELEASES_GIL, ("release reacquire77 ", ""))] {
        let mut s = sig(
            &[(Record, by_value), (Record, by_value), (Record, by_value), (I32, TRUNC)],
            ResultKind::Record,
            effects,
        );
        for (p, r) in s.params.iter_mut().zip([&odd, &mixed, &big]) {
            p.record = Some(r.clone());
        }
        s.record = Some(mixed.clone());
        let args = [
            instance(Odd { b: [1, 2, 3, 4, 5, 6, 255] }),
            instance(Mixed { i: 1000, d: 50000.5 }),
            instance(Big { v: [1, 2, 3, 4, 5] }),
            int(7),
        ];
        let odd_sum = 1 + 4 + 9 + 16 + 25 + 36 + 255 * 7;
        let expected = format!("{}record:{}", around.0, odd_sum + 1000 + 50000 + 15 + 7);
        run(&s, weigh as *const c_void, &args, &expected);
        let mut s = sig(&[(Record, by_value), (I64, TRUNC)], ResultKind::Record, effects);
        s.params[0].record = Some(big.clone());
        s.record = Some(big.clone());
        run(&s, grow as *const c_void, &[args[2], int(3)], &format!("{}record:3", around.0));
        run(&s, grow as *const c_void, &[int(1), int(3)], "slow");
    }
}

#[test]
fn classes_by_metaclass_and_tagged_words() {
    use MachineValue::*;
    let key = 0x1234u64;
    let info = leak([0, key, 0, 0, 0, 0]);
    let class = leak([1, int_type() as u64, 0, info as u64, 0, 0]);
    let bare_class = leak([1, int_type() as u64, 0, 0, 0, 0]);
    let text = c"hi".as_ptr() as u64;
    let cell = Box::leak(Box::new(text));
    let array = leak([1, class as u64, text, 0, 0, 0]);
    let pointer = leak([1, class as u64, cell as *const u64 as u64, 0, 0, 0]);
    let by = |key: u64, deref| Accept::ByMeta {
        meta: int_type(),
        info_at: 24,
        key_at: 8,
        key: key as RawObj,
        at: 16,
        deref,
    };
    let f = same as *const c_void;
    run(&sig(&[(Ptr, &[by(key, false)])], ResultKind::CharP, LEAF), f, &[array], "zhi");
    run(&sig(&[(Ptr, &[by(0, true)])], ResultKind::CharP, LEAF), f, &[pointer], "zhi");
    run(&sig(&[(Ptr, &[by(key + 1, true)])], ResultKind::CharP, LEAF), f, &[pointer], "slow");
    let strange = leak([1, bare_class as u64, text, 0, 0, 0]);
    run(&sig(&[(Ptr, &[by(key, false)])], ResultKind::CharP, LEAF), f, &[strange], "slow");
    run(&sig(&[(Ptr, &[by(key, false)])], ResultKind::CharP, LEAF), f, &[float(1.0)], "slow");
    let tagged = leak([1, carg_type() as u64, text, b'P' as u64, 0, 0]);
    let word = |tag| Accept::WordTagged { ty: carg_type(), tag_at: 24, tag, at: 16 };
    run(&sig(&[(Ptr, &[word(b'P')])], ResultKind::CharP, LEAF), f, &[tagged], "zhi");
    run(&sig(&[(Ptr, &[word(b'i')])], ResultKind::CharP, LEAF), f, &[tagged], "slow");
}
