//! The module over the bare runtime, without an interpreter: classes, instances, calls, stubs, callbacks.

#![allow(
    clippy::explicit_auto_deref,
    reason = "without it, `ok` is taken to answer the target of the reference"
)]

use lh_runtime::hooks::{HOOKS, Hooks};
use lh_runtime::prelude::*;
use lh_runtime::thread;

thread_local! {
    static MODULE: std::cell::RefCell<Option<Owned<Module>>> = const { std::cell::RefCell::new(None) };
}

unsafe extern "C" fn no_functions(
    _: *mut lh_abi::PyObject,
    _: *const *mut lh_abi::PyObject,
    _: usize,
    _: *mut lh_abi::PyObject,
) -> *mut lh_abi::PyObject {
    unreachable!("there are no Python functions in this test")
}

fn import(name: &str) -> PyResult<Owned<Object>> {
    match name {
        "_ctypes" => Ok(MODULE.with(|m| m.borrow().clone()).expect("made").into_object()),
        // A plain dict serves as cache.
        "weakref" => {
            let m = Module::new("weakref");
            m.add("WeakValueDictionary", Dict::class())?;
            Ok(m.into_object())
        }
        _ => raise!(ImportError, "no module {}", name),
    }
}

fn start() -> Owned<Module> {
    thread::new_state();
    thread::gil_acquire();
    lh_runtime::init::init_types().expect("the types can be made");
    let _ = HOOKS.set(Hooks {
        function_vectorcall: no_functions,
        import_module: import,
        traceback_here: || (),
        current_globals: || None,
        current_builtins: Dict::new,
        current_frame: || None,
        run_pending: || Ok(()),
    });
    let m = ok(lh_ctypes::make());
    MODULE.with(|slot| *slot.borrow_mut() = Some(m.clone()));
    m
}

#[track_caller]
fn ok<T>(r: PyResult<T>) -> T {
    match r {
        Ok(v) => v,
        Err(e) => panic!("{}", e.take().as_object().repr_lossy()),
    }
}

#[track_caller]
fn error<T: Kind>(r: PyResult<Owned<T>>) -> String {
    match r {
        Ok(v) => panic!("no error but {}", v.as_object().repr_lossy()),
        Err(e) => e.take().as_object().repr_lossy(),
    }
}

fn dict(items: &[(&str, &Object)]) -> Owned<Dict> {
    let d = Dict::new();
    items.iter().for_each(|(k, v)| ok(d.set_str(k, v)));
    d
}

/// `class name(base): dict`
fn class(name: &str, base: &Object, items: &[(&str, &Object)]) -> Owned<Object> {
    ok(base.ty().as_object().call(&[&Str::new(name), &Tuple::from_refs(&[base]), &dict(items)]))
}

fn int(v: i64) -> Owned<Int> {
    Int::from_i64(v)
}

#[track_caller]
fn check<T: Kind>(o: PyResult<Owned<T>>, expected: &str) {
    assert_eq!(ok(o).as_object().repr_lossy(), expected);
}

#[pyfunction]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[test]
fn the_module_works_without_an_interpreter() {
    let m = start();
    let simple =
        |name: &str, code: &str| class(name, &*ok(m.get("_SimpleCData")), &[("_type_", &Str::new(code))]);
    let (c_int, c_double, c_char) = (simple("c_int", "i"), simple("c_double", "d"), simple("c_char", "c"));
    let c_void_p = simple("c_void_p", "P");
    check(c_int.call1(&int(-5)), "c_int(-5)");
    check(c_int.call1(&int(1 << 32)), "c_int(0)");
    check(c_char.call1(&Bytes::new(b"x")), "c_char(b'x')");
    let c_long = simple("c_long", "l");
    check(c_int.get_attr_str("__ctype_be__").and_then(|t| t.call1(&int(1))), "c_int_be(1)");
    assert_eq!(
        error(c_int.call1(&Str::new("x"))),
        "TypeError(\"'str' object cannot be interpreted as an integer\")"
    );
    check(c_int.call_method("from_param", &[&int(7)]), "<cparam 'i' (7)>");

    // Structures.
    let field = |name: &str, t: &Object| Tuple::from_refs(&[&Str::new(name), t]).into_object();
    let text = ok(lh_runtime::number::multiply(&c_char, &int(4)));
    let fields = List::from_vec(vec![field("x", &c_int), field("y", &c_double), field("t", &text)]);
    let point = class("Point", &*ok(m.get("Structure")), &[("_fields_", &fields)]);
    let p = ok(point.call(&[&int(1), &Float::new(2.5), &Bytes::new(b"ab")]));
    check(p.get_attr_str("x"), "1");
    check(p.get_attr_str("y"), "2.5");
    check(p.get_attr_str("t"), "b'ab'");
    check(ok(m.get("sizeof")).call1(&p), "24");
    check(point.get_attr_str("y"), "<Field type=c_double, ofs=8, size=8>");
    ok(p.set_attr_str("x", &int(9)));
    check(p.get_attr_str("x"), "9");
    assert_eq!(
        error(point.call(&[&int(1), &int(2), &Bytes::new(b""), &int(4)])),
        "TypeError('too many initializers')"
    );
    assert_eq!(error(ok(m.get("Structure")).call0()), "TypeError('abstract class')");

    // Arrays and pointers.
    let ints = ok(lh_runtime::number::multiply(&c_int, &int(3)));
    let a = ok(ints.call(&[&int(3), &int(2), &int(1)]));
    check(a.get_item(&int(-1)), "1");
    check(a.get_item(&Slice::new(none_ref(), none_ref(), none_ref())), "[3, 2, 1]");
    assert_eq!(error(a.get_item(&int(3))), "IndexError('invalid index')");
    let ptr = ok(ok(m.get("pointer")).call1(&*ok(c_int.call1(&int(77)))));
    check(ptr.get_attr_str("contents"), "c_int(77)");
    check(ptr.get_item(&int(0)), "77");
    let buf = ok(text.call0());
    ok(buf.set_attr_str("value", &Bytes::new(b"hey")));
    check(buf.get_attr_str("raw"), "b'hey\\x00'");

    // Functions: the generic path first, then the stub.
    let proto = |restype: &Object, argtypes: &[&Object]| {
        let base = ok(m.get("CFuncPtr"));
        class(
            "Proto",
            &base,
            &[("_flags_", &int(1)), ("_restype_", restype), ("_argtypes_", &Tuple::from_refs(argtypes))],
        )
    };
    let address = |f: *const core::ffi::c_void| Int::from_u64(f as u64);
    let labs = ok(proto(&c_long, &[&c_long]).call1(&address(libc::labs as *const _)));
    for _ in 0..5 {
        check(labs.call1(&int(-(1 << 40))), "1099511627776");
        check(labs.call1(&*ok(c_long.call1(&int(-3)))), "3");
    }
    assert!(error(labs.call1(&Str::new("x"))).contains("argument 1: TypeError: wrong type"));
    assert_eq!(error(labs.call0()), "TypeError('this function takes at least 1 argument (0 given)')");
    let memchr =
        ok(proto(&c_void_p, &[&c_void_p, &c_int, &c_long]).call1(&address(libc::memchr as *const _)));
    for _ in 0..5 {
        check(memchr.call(&[&Bytes::new(b"abc"), &int(0x7a), &int(3)]), "None");
    }

    // A callback, called through a stub.
    let binary = proto(&c_int, &[&c_int, &c_int]);
    let def = Box::leak(Box::new(add::def()));
    let cb = ok(binary.call1(&CFunction::new(def, None, None)));
    for i in 0..5 {
        check(cb.call(&[&int(i), &int(10)]), &(i + 10).to_string());
    }
    let refs = cb.refcnt();
    drop(ok(cb.call(&[&int(1), &int(2)])));
    assert_eq!(cb.refcnt(), refs);
    records_in_depth(&m, &c_int, &c_double, &c_long);
    functions_in_depth(&m, &c_int, &c_double, &proto);
    drop((cb, labs, memchr, p, a, ptr, buf));
    lh_runtime::gc::collect(2);
}

fn field(name: &str, t: &Object) -> Owned<Object> {
    Tuple::from_refs(&[&Str::new(name), t]).into_object()
}

fn bits(name: &str, t: &Object, width: i64) -> Owned<Object> {
    Tuple::from_refs(&[&Str::new(name), t, &int(width)]).into_object()
}

fn structure(m: &Module, name: &str, base: &str, fields: Vec<Owned<Object>>) -> Owned<Object> {
    class(name, &*ok(m.get(base)), &[("_fields_", &List::from_vec(fields))])
}

fn records_in_depth(m: &Module, c_int: &Object, c_double: &Object, c_long: &Object) {
    // Bit-fields keep their signs and neighbours.
    let b = structure(
        m,
        "Bits",
        "Structure",
        vec![bits("a", c_int, 3), bits("b", c_int, 5), bits("c", c_int, 24)],
    );
    let x = ok(b.call(&[&int(-1), &int(7), &int(-1000)]));
    check(x.get_attr_str("a"), "-1");
    check(x.get_attr_str("b"), "7");
    check(x.get_attr_str("c"), "-1000");
    check(b.get_attr_str("b"), "<Field type=c_int, ofs=0:3, bits=5>");
    check(ok(m.get("sizeof")).call1(&b), "4");

    // Unions share their memory; anonymous members lift their fields.
    let u = structure(m, "U", "Union", vec![field("i", c_long), field("d", c_double)]);
    let fields = List::from_vec(vec![field("tag", c_int), field("u", &u)]);
    let anonymous = Tuple::from_refs(&[&Str::new("u")]);
    let v = class("V", &*ok(m.get("Structure")), &[("_anonymous_", &anonymous), ("_fields_", &fields)]);
    let x = ok(v.call0());
    ok(x.set_attr_str("d", &Float::new(1.0)));
    check(x.get_attr_str("i"), &(1.0f64.to_bits() as i64).to_string());
    check(v.get_attr_str("i"), "<Field type=c_long, ofs=8, size=8>");

    // Nested records are views into their outer one, and inheritance appends.
    let inner = structure(m, "Inner", "Structure", vec![field("x", c_int), field("y", c_int)]);
    let outer = structure(m, "Outer", "Structure", vec![field("p", &inner), field("q", &inner)]);
    let o = ok(outer.call0());
    let q = ok(o.get_attr_str("q"));
    ok(q.set_attr_str("y", &int(5)));
    check(o.get_attr_str("q").and_then(|q| q.get_attr_str("y")), "5");
    ok(o.set_attr_str("p", &q));
    check(o.get_attr_str("p").and_then(|q| q.get_attr_str("y")), "5");
    ok(o.set_attr_str("p", &Tuple::from_refs(&[&int(8), &int(9)])));
    check(o.get_attr_str("p").and_then(|q| q.get_attr_str("y")), "9");
    check(o.get_attr_str("_objects"), "{'0': {}}");
    let sub = class("Sub", &inner, &[("_fields_", &List::from_vec(vec![field("z", c_int)]))]);
    let s = ok(sub.call(&[&int(1), &int(2), &int(3)]));
    check(s.get_attr_str("z"), "3");
    assert_eq!(
        error(ok(m.get("Structure")).get_attr_str("nothing")),
        "AttributeError(\"type object '_ctypes.Structure' has no attribute 'nothing'\")"
    );

    // Strings are kept alive by whoever holds the pointer.
    let c_char_p = class("c_char_p", &*ok(m.get("_SimpleCData")), &[("_type_", &Str::new("z"))]);
    let t = structure(m, "T", "Structure", vec![field("s", &c_char_p)]);
    let x = ok(t.call0());
    ok(x.set_attr_str("s", &Bytes::new(b"kept")));
    check(x.get_attr_str("_objects"), "{'0': b'kept'}");
    check(x.get_attr_str("s"), "b'kept'");

    // The buffer protocol, both ways.
    let three = ok(lh_runtime::number::multiply(c_int, &int(3)));
    let a = ok(three.call(&[&int(1), &int(2), &int(3)]));
    check(
        Bytes::class().as_object().call1(&a),
        "b'\\x01\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x03\\x00\\x00\\x00'",
    );
    let copy = ok(three.call_method("from_buffer_copy", &[&a]));
    check(copy.get_item(&int(2)), "3");
    let short = three.call_method("from_buffer_copy", &[&Bytes::new(b"abc")]);
    assert_eq!(error(short), "ValueError('Buffer size too small (3 instead of at least 12 bytes)')");
}

fn functions_in_depth(
    m: &Module,
    c_int: &Object,
    c_double: &Object,
    proto: &dyn Fn(&Object, &[&Object]) -> Owned<Object>,
) {
    extern "C" fn frexp_like(x: f64, e: *mut i32) -> f64 {
        // SAFETY: the test passes a pointer to an int.
        unsafe { *e = x as i32 };
        x / 2.0
    }
    #[repr(C)]
    struct Pair {
        a: i32,
        b: f64,
    }
    extern "C" fn swap(p: Pair) -> Pair {
        Pair { a: p.b as i32, b: p.a as f64 }
    }
    let address = |f: *const core::ffi::c_void| Int::from_u64(f as u64);
    let p_int = ok(ok(m.get("POINTER")).call1(c_int));
    let f = ok(proto(c_double, &[c_double, &p_int]).call1(&address(frexp_like as *const _)));
    let e = ok(c_int.call0());
    let byref = ok(ok(m.get("byref")).call1(&e));
    for i in 0..5 {
        check(f.call(&[&Float::new(i as f64 + 0.5), &byref]), &format!("{:?}", (i as f64 + 0.5) / 2.0));
        check(e.get_attr_str("value"), &i.to_string());
        check(f.call(&[&int(i + 10), &e]), &format!("{:?}", (i as f64 + 10.0) / 2.0));
        check(e.get_attr_str("value"), &(i + 10).to_string());
    }
    let one = ok(lh_runtime::number::multiply(c_int, &int(2)));
    let arr = ok(one.call0());
    check(f.call(&[&Float::new(7.0), &arr]), "3.5");
    check(arr.get_item(&int(0)), "7");

    // Records by value, by the generic path and by the stub.
    let pair = structure(m, "Pair", "Structure", vec![field("a", c_int), field("b", c_double)]);
    let f = ok(proto(&pair, &[&pair]).call1(&address(swap as *const _)));
    let p = ok(pair.call(&[&int(3), &Float::new(4.0)]));
    for _ in 0..5 {
        let r = ok(f.call1(&p));
        check(r.get_attr_str("a"), "4");
        check(r.get_attr_str("b"), "3.0");
    }

    // errcheck sees result, function and arguments.
    let f = ok(proto(c_int, &[c_int]).call1(&address(libc::abs as *const _)));
    for _ in 0..4 {
        check(f.call1(&int(-1)), "1");
    }
    let def = Box::leak(Box::new(show::def()));
    ok(f.set_attr_str("errcheck", &CFunction::new(def, None, None)));
    check(f.call1(&int(-1)), "(1, (-1,))");
    ok(f.set_attr_str("argtypes", none_ref()));
    check(f.call1(&int(-2)), "(2, (-2,))");
    assert_eq!(
        error(proto(&pair, &[]).call1(&CFunction::new(def, None, None))),
        "TypeError('invalid result type for callback function')"
    );
}

#[pyfunction]
fn show(result: &Object, _function: &Object, args: &Object) -> Owned<Tuple> {
    Tuple::from_refs(&[result, args])
}

/// Nanoseconds per call, for working on stubs: `cargo test -p lh-ctypes --test basic -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn time_calls() {
    let m = start();
    let simple =
        |name: &str, code: &str| class(name, &*ok(m.get("_SimpleCData")), &[("_type_", &Str::new(code))]);
    let (c_double, c_long) = (simple("c_double", "d"), simple("c_long", "l"));
    extern "C" fn half(x: f64) -> f64 {
        x / 2.0
    }
    let proto = |t: &Object, flags: i64| {
        let base = ok(m.get("CFuncPtr"));
        class(
            "Proto",
            &base,
            &[("_flags_", &int(flags)), ("_restype_", t), ("_argtypes_", &Tuple::from_refs(&[t]))],
        )
    };
    let address = |f: *const core::ffi::c_void| Int::from_u64(f as u64);
    let cases: [(&str, Owned<Object>, Owned<Object>); 4] = [
        (
            "double, GIL released",
            ok(proto(&c_double, 1).call1(&address(half as *const _))),
            Float::new(3.0).into_object(),
        ),
        (
            "double, GIL kept",
            ok(proto(&c_double, 5).call1(&address(half as *const _))),
            Float::new(3.0).into_object(),
        ),
        (
            "long, small result",
            ok(proto(&c_long, 1).call1(&address(libc::labs as *const _))),
            int(-3).into_object(),
        ),
        (
            "long, errno",
            ok(proto(&c_long, 9).call1(&address(libc::labs as *const _))),
            int(-3000).into_object(),
        ),
    ];
    for (name, f, arg) in &cases {
        let args = [arg.ptr()];
        for round in 0..2 {
            let n = 2_000_000;
            let t = std::time::Instant::now();
            for _ in 0..n {
                // SAFETY: one live argument.
                let r = unsafe { f.vectorcall(args.as_ptr(), 1, std::ptr::null_mut()) };
                // SAFETY: a new reference.
                drop(unsafe { from_c::<Object>(r) });
            }
            if round == 1 {
                println!("{name}: {:.1} ns", t.elapsed().as_nanos() as f64 / n as f64);
            }
        }
    }
    let base = ok(m.get("CFuncPtr"));
    let c_int = simple("c_int", "i");
    let types = Tuple::from_refs(&[&*c_int, &*c_int]);
    let binary =
        class("Proto", &base, &[("_flags_", &int(1)), ("_restype_", &c_int), ("_argtypes_", &types)]);
    let cb = ok(binary.call1(&CFunction::new(Box::leak(Box::new(add::def())), None, None)));
    let at = ok(ok(m.get("addressof")).call1(&cb));
    let at = at.downcast::<Int>().and_then(Int::to_u64).expect("an address");
    // SAFETY: the instance's memory holds the address of a thunk of this type.
    let f = unsafe { *(at as *const extern "C" fn(i32, i32) -> i32) };
    let n = 1_000_000;
    let t = std::time::Instant::now();
    let sum: i64 = (0..n).map(|i| f(i, 1) as i64).sum();
    println!("callback: {:.1} ns ({sum})", t.elapsed().as_nanos() as f64 / n as f64);
}
