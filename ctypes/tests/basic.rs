//! The module over the bare runtime, without an interpreter: classes, instances, calls, stubs, callbacks.

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
    drop((cb, labs, memchr, p, a, ptr, buf));
    lh_runtime::gc::collect(2);
}
