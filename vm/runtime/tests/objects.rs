//! The object model without an interpreter: types, attributes, containers, classes made at run time.

use lh_runtime::prelude::*;
use std::sync::Once;

fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        lh_runtime::thread::new_state();
        lh_runtime::thread::gil_acquire();
        if lh_runtime::init::init_types().is_err() {
            let e = take_raised();
            panic!("init: {} {:?}", e.ty().name(), e.str().map(|s| s.to_str_lossy().into_owned()));
        }
    });
}

fn show(r: PyResult) -> String {
    match r {
        Ok(o) => o.repr_lossy(),
        Err(e) => {
            let e = e.take();
            format!(
                "{}: {}",
                e.ty().name(),
                e.str().map_or_else(|_| "?".into(), |s| s.to_str_lossy().into_owned())
            )
        }
    }
}

#[test]
fn everything_in_one_thread() {
    start();
    let l = List::from_vec(vec![Int::from_i64(3).into_object(), Str::new("a'b").into_object(), none()]);
    assert_eq!(show(Ok(l.clone().into_object())), "[3, \"a'b\", None]");
    assert_eq!(show(l.get_attr_str("nope")), "AttributeError: 'list' object has no attribute 'nope'");
    assert_eq!(show(l.call_method("append", &[&Int::from_i64(7)])), "None");
    assert_eq!(
        show(l.call_method("append", &[])),
        "TypeError: list.append() takes exactly one argument (0 given)"
    );
    assert_eq!(l.length().expect("len"), 4);
    let d = Dict::new();
    d.set_str("x", &Float::new(1.5)).expect("set");
    assert_eq!(show(Ok(d.clone().into_object())), "{'x': 1.5}");
    assert_eq!(show((*d).as_object().get_item(&Str::new("y"))), "KeyError: 'y'");
    assert_eq!(
        show(lh_runtime::number::add(&Int::from_i64(1), &Str::new("a"))),
        "TypeError: unsupported operand type(s) for +: 'int' and 'str'"
    );
    assert_eq!(
        show(lh_runtime::number::power(&Int::from_i64(2), &Int::from_i64(100), none_ref())),
        "1267650600228229401496703205376"
    );
    assert_eq!(show(Type::class().as_object().call1(&l)), "<class 'list'>");
    assert_eq!(show(Ok(Type::class().own().into_object())), "<class 'type'>");
    // A class with an instance dictionary.
    let ns = Dict::new();
    ns.set_str("__module__", &Str::new("m")).expect("set");
    ns.set_str("k", &Int::from_i64(5)).expect("set");
    let c = Type::class().as_object().call(&[&Str::new("C"), &Tuple::empty(), &ns]);
    let Ok(c) = c else { panic!("{}", show(c)) };
    assert_eq!(show(Ok(c.clone())), "<class 'm.C'>");
    let o = c.call0().expect("instance");
    o.set_attr_str("a", &Int::from_i64(1)).expect("set");
    o.set_attr_str("b", &Int::from_i64(2)).expect("set");
    assert_eq!(show(o.get_attr_str("a")), "1");
    assert_eq!(show(o.get_attr_str("k")), "5");
    assert_eq!(show(o.get_attr_str("__dict__")), "{'a': 1, 'b': 2}");
    assert_eq!(show(o.get_attr_str("zz")), "AttributeError: 'C' object has no attribute 'zz'");
    let w = lh_runtime::object::Kind::own(o.downcast::<Object>().expect("object"));
    let r = WeakRef::new(&w, None).expect("weakref");
    drop(w);
    drop(o);
    assert_eq!(show(r.call0()), "None");
    // A cycle is collected.
    let o = c.call0().expect("instance");
    o.set_attr_str("me", &o).expect("set");
    let r = WeakRef::new(&o, None).expect("weakref");
    drop(o);
    assert_ne!(show(r.call0()), "None");
    assert!(lh_runtime::gc::collect(2) >= 1);
    assert_eq!(show(r.call0()), "None");
    assert_eq!(show(exc::ValueError().as_object().call1(&Str::new("boo"))), "ValueError('boo')");
    assert_eq!(
        show(Int::class().as_object().call1(&Str::new("12x"))),
        "ValueError: invalid literal for int() with base 10: '12x'"
    );
    assert_eq!(show(Str::new("a,b").call_method("split", &[&Str::new(",")])), "['a', 'b']");
}
