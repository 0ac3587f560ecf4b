//! Containers without an interpreter: the runtime's types are readied and used from Rust.

use lh_runtime::prelude::*;
use lh_runtime::thread;

fn int(v: i64) -> Owned<Object> {
    Int::from_i64(v).into_object()
}
fn s(t: &str) -> Owned<Object> {
    Str::new(t).into_object()
}
fn show(o: &Object) -> String {
    match o.repr() {
        Ok(r) => r.to_str_lossy().into_owned(),
        Err(e) => {
            let x = e.take();
            format!(
                "<error {}: {}>",
                x.ty().name(),
                x.str().map(|s| s.to_str_lossy().into_owned()).unwrap_or_default()
            )
        }
    }
}
fn show_r(r: PyResult) -> String {
    match r {
        Ok(o) => show(&o),
        Err(e) => {
            let x = e.take();
            format!(
                "{}: {}",
                x.ty().name(),
                x.str().map(|s| s.to_str_lossy().into_owned()).unwrap_or_default()
            )
        }
    }
}
fn list(v: &[i64]) -> Owned<List> {
    List::from_vec(v.iter().map(|i| int(*i)).collect())
}

#[test]
fn containers() {
    thread::new_state();
    thread::gil_acquire();
    lh_runtime::init::init_types().expect("types");

    // lists
    let l = list(&[3, 1, 2]);
    l.sort(None, false).unwrap();
    assert_eq!(show(&l), "[1, 2, 3]");
    l.call_method("append", &[&l]).unwrap();
    assert_eq!(show(&l), "[1, 2, 3, [...]]");
    l.call_method("pop", &[]).unwrap();
    assert_eq!(show_r(l.call_method("pop", &[&int(7)])), "IndexError: pop index out of range");
    assert_eq!(show_r(l.call_method("index", &[&int(9)])), "ValueError: 9 is not in list");
    let step = Slice::new(none_ref(), none_ref(), &int(-1));
    assert_eq!(show_r(l.get_item(&step)), "[3, 2, 1]");
    let big = list(&(0..20).collect::<Vec<_>>());
    let every = Slice::new(&int(1), none_ref(), &int(3));
    big.del_item_of(&every).unwrap();
    assert_eq!(show(&big), "[0, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]");
    let back = Slice::new(none_ref(), none_ref(), &int(-2));
    big.del_item_of(&back).unwrap();
    assert_eq!(show(&big), "[2, 5, 8, 11, 14, 17]");
    big.set_item_of(&Slice::new(&int(1), &int(3), none_ref()), &list(&[7, 7, 7, 7])).unwrap();
    assert_eq!(show(&big), "[2, 7, 7, 7, 7, 11, 14, 17]");
    assert_eq!(show_r(l.get_item(&s("x"))), "TypeError: list indices must be integers or slices, not str");
    let words = List::from_vec(["pear", "fig", "apple", "banana", "applf"].iter().map(|x| s(x)).collect());
    words.sort(None, true).unwrap();
    assert_eq!(show(&words), "['pear', 'fig', 'banana', 'applf', 'apple']");
    let mixed = List::from_vec(vec![int(3), Float::new(2.5).into_object(), int(-1), bool_obj(true)]);
    mixed.sort(None, false).unwrap();
    assert_eq!(show(&mixed), "[-1, True, 2.5, 3]");
    let bad = List::from_vec(vec![int(3), s("a")]);
    assert_eq!(
        show_r(bad.call_method("sort", &[])),
        "TypeError: '<' not supported between instances of 'str' and 'int'"
    );
    assert_eq!(show(&bad), "[3, 'a']");

    // dicts
    let d = Dict::new();
    for i in 0..1000 {
        d.set_item(&int(i), &int(i * i)).unwrap();
        d.set_str(&format!("k{i}"), &int(i)).unwrap();
    }
    assert_eq!(d.len(), 2000);
    for i in 0..1000 {
        assert_eq!(show(&d.get_item(&int(i)).unwrap().unwrap()), (i * i).to_string());
        assert!(d.get_str(&format!("k{i}")).unwrap().is_some());
        assert!(d.get_item(&int(i + 1000)).unwrap().is_none());
    }
    for i in 0..990 {
        assert!(d.del_item(&int(i)).unwrap());
        assert!(d.del_item(&s(&format!("k{i}"))).unwrap());
    }
    assert_eq!(d.len(), 20);
    assert_eq!(show(&d.keys_vec()[0]), "990");
    assert_eq!(show_r(d.get_item(&list(&[])).map(|_| none())), "TypeError: unhashable type: 'list'");
    assert_eq!(show_r(Object::get_item(&d, &s("zz"))), "KeyError: 'zz'");
    let e = Dict::new();
    e.set_str("a", &int(1)).unwrap();
    e.set_str("b", &e).unwrap();
    assert_eq!(show(&e), "{'a': 1, 'b': {...}}");
    let v0 = e.keys_version();
    e.set_str("a", &int(5)).unwrap();
    assert_eq!(v0, e.keys_version());
    e.set_str("c", &int(5)).unwrap();
    assert_ne!(v0, e.keys_version());
    assert_eq!(show_r(e.call_method("keys", &[])), "dict_keys(['a', 'b', 'c'])");
    e.del_item(&s("b")).unwrap();
    assert_eq!(show_r(e.call_method("items", &[])), "dict_items([('a', 5), ('c', 5)])");
    assert_eq!(show_r(e.call_method("popitem", &[])), "('c', 5)");
    let it = e.iterator().unwrap();
    e.set_str("d", &int(0)).unwrap();
    assert_eq!(
        show_r(it.iter_next().map(|_| none())),
        "RuntimeError: dictionary changed size during iteration"
    );

    // sets
    let a = Set::from_iterable(&list(&(0..100).collect::<Vec<_>>())).unwrap();
    let b = Set::from_iterable(&list(&(50..150).collect::<Vec<_>>())).unwrap();
    assert_eq!(a.call_method("intersection", &[&b]).unwrap().length().unwrap(), 50);
    assert_eq!(a.call_method("union", &[&b]).unwrap().length().unwrap(), 150);
    assert_eq!(a.call_method("symmetric_difference", &[&b]).unwrap().length().unwrap(), 100);
    assert_eq!(show(&Set::from_iterable(&list(&[3, 1, 2])).unwrap()), "{1, 2, 3}");
    assert_eq!(show(&Set::new()), "set()");
    assert_eq!(show_r(Set::new().call_method("pop", &[])), "KeyError: 'pop from an empty set'");
    for i in 0..100 {
        assert!(a.discard(&int(i)).unwrap());
    }
    assert_eq!(a.len(), 0);

    // tuples and ranges
    let t = Tuple::from_vec(vec![int(1), int(2), int(3)]);
    assert_eq!(t.hash_obj().unwrap(), 529344067295497451);
    assert_eq!(show(&Tuple::from_vec(vec![int(1)])), "(1,)");
    let range = lh_runtime::rangeobject::Range::class();
    let r = range.call(&[&int(10), &int(0), &int(-3)]).unwrap();
    assert_eq!(show(&r), "range(10, 0, -3)");
    assert_eq!(show(&List::from_vec(r.to_items().unwrap())), "[10, 7, 4, 1]");
    assert_eq!(show_r(r.get_item(&int(-1))), "1");
    assert_eq!(show_r(r.get_item(&step)), "range(1, 13, 3)");

    // deep nesting is freed without deep recursion
    let mut deep = List::new();
    for _ in 0..200_000 {
        let outer = List::new();
        outer.push(deep.into_object());
        deep = outer;
    }
    drop(deep);

    // ordered dicts
    let od = lh_runtime::odictobject::ODict::new();
    for i in 0..10 {
        od.set_item(&int(i), &int(i)).unwrap();
    }
    for i in [5, 7, 9] {
        od.call_method("move_to_end", &[&int(i), bool_ref(false)]).unwrap();
    }
    od.call_method("move_to_end", &[&int(0)]).unwrap();
    assert_eq!(show(&List::from_vec(od.dict().keys_vec())), "[9, 7, 5, 1, 2, 3, 4, 6, 8, 0]");
    for _ in 0..3 {
        od.call_method("popitem", &[bool_ref(false)]).unwrap();
    }
    assert_eq!(show(&List::from_vec(od.dict().keys_vec())), "[1, 2, 3, 4, 6, 8, 0]");
    for i in 0..2000 {
        od.set_item(&int(i + 100), &int(i)).unwrap();
        od.call_method("move_to_end", &[&int(i + 100), bool_ref(i % 2 == 0)]).unwrap();
        if i % 3 == 0 {
            od.call_method("popitem", &[bool_ref(i % 2 == 0)]).unwrap();
        }
    }
    assert_eq!(od.dict().len(), 7 + 2000 - 667);
}
