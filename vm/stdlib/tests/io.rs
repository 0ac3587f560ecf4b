//! `_io` without an interpreter: files, buffers, text, positions.

use lh_runtime::prelude::*;
use lh_stdlib::core::io;

fn start() {
    lh_runtime::thread::new_state();
    lh_runtime::thread::gil_acquire();
    lh_runtime::init::init_types().expect("types");
    let _ = lh_runtime::hooks::HOOKS.set(lh_runtime::hooks::Hooks {
        function_vectorcall: no_functions,
        import_module: |_| raise!(ImportError, "no imports here"),
        traceback_here: || (),
        current_globals: || None,
        current_builtins: || Dict::new(),
        current_frame: || None,
        run_pending: || Ok(()),
    });
}
unsafe extern "C" fn no_functions(
    _: *mut lh_abi::PyObject,
    _: *const *mut lh_abi::PyObject,
    _: usize,
    _: *mut lh_abi::PyObject,
) -> *mut lh_abi::PyObject {
    std::ptr::null_mut()
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
fn int(v: i64) -> Owned<Object> {
    Int::from_i64(v).into_object()
}
fn text(s: &str) -> Owned<Object> {
    Str::new(s).into_object()
}
fn bytes(s: &[u8]) -> Owned<Object> {
    Bytes::new(s).into_object()
}

#[test]
fn streams() {
    start();
    let m = match io::make() {
        Ok(m) => m,
        Err(e) => panic!("{}", show(Err(e))),
    };
    let new = |name: &str, args: &[&Object]| -> Owned<Object> {
        match m.get(name).and_then(|c| c.call(args)) {
            Ok(o) => o,
            Err(e) => panic!("{name}: {}", show(Err(e))),
        }
    };
    let check = |o: &Object, method: &str, args: &[&Object], expected: &str| {
        assert_eq!(show(o.call_method(method, args)), expected, "{method}");
    };

    let b = new("BytesIO", &[&bytes(b"one\ntwo\nthree")]);
    check(&b, "readline", &[], "b'one\\n'");
    check(&b, "read", &[&int(2)], "b'tw'");
    check(&b, "seek", &[&int(0), &int(2)], "13");
    check(&b, "write", &[&bytes(b"!")], "1");
    check(&b, "getvalue", &[], "b'one\\ntwo\\nthree!'");
    check(&b, "seek", &[&int(-1)], "ValueError: negative seek value -1");
    check(&b, "close", &[], "None");
    check(&b, "read", &[], "ValueError: I/O operation on closed file.");

    let s = new("StringIO", &[&text("a\r\nb\rc\n"), none_ref()]);
    check(&s, "getvalue", &[], "'a\\nb\\nc\\n'");
    check(&s, "readlines", &[], "['a\\n', 'b\\n', 'c\\n']");
    assert_eq!(show(s.get_attr_str("newlines")), "('\\r', '\\n', '\\r\\n')");

    let dir = std::env::temp_dir().join(format!("lancehead-io-{}", std::process::id()));
    let name = text(dir.to_str().expect("utf-8"));
    let open = |mode: &str, kw: &[(&str, &Object)]| -> Owned<Object> {
        match m.get("open").and_then(|f| f.call_kw(&[&name, &text(mode)], kw)) {
            Ok(o) => o,
            Err(e) => panic!("open {mode}: {}", show(Err(e))),
        }
    };
    let utf8 = text("utf-8");
    let f = open("w", &[("encoding", &utf8)]);
    check(&f, "write", &[&text("héllo\nwörld\r\nx")], "14");
    check(&f, "read", &[], "UnsupportedOperation: not readable");
    check(&f, "close", &[], "None");
    let f = open("r", &[("encoding", &utf8)]);
    check(&f, "readline", &[], "'héllo\\n'");
    let cookie = f.call_method("tell", &[]).expect("tell");
    assert_eq!(show(Ok(cookie.clone())), "7");
    check(&f, "readline", &[], "'wörld\\n'");
    check(&f, "seek", &[&cookie], "7");
    check(&f, "read", &[&int(3)], "'wör'");
    check(&f, "tell", &[], "11");
    check(&f, "read", &[], "'ld\\nx'");
    check(&f, "readline", &[], "''");
    check(&f, "close", &[], "None");
    check(&f, "read", &[], "ValueError: I/O operation on closed file.");
    let f = open("rb", &[]);
    check(&f, "readline", &[], "b'h\\xc3\\xa9llo\\n'");
    check(&f, "peek", &[], "b'w\\xc3\\xb6rld\\r\\nx'");
    check(&f, "tell", &[], "7");
    check(&f, "seek", &[&int(1)], "1");
    check(&f, "read", &[&int(4)], "b'\\xc3\\xa9ll'");
    check(&f, "read1", &[], "b'o\\nw\\xc3\\xb6rld\\r\\nx'");
    check(&f, "read", &[], "b''");
    drop(f);
    let f = open("r+b", &[]);
    check(&f, "read", &[&int(3)], "b'h\\xc3\\xa9'");
    check(&f, "write", &[&bytes(b"LL")], "2");
    check(&f, "read", &[], "b'o\\nw\\xc3\\xb6rld\\r\\nx'");
    check(&f, "seek", &[&int(0)], "0");
    check(&f, "read", &[], "b'h\\xc3\\xa9LLo\\nw\\xc3\\xb6rld\\r\\nx'");
    drop(f);
    let f = open("a", &[("encoding", &utf8), ("buffering", &int(1))]);
    let big = "0123456789".repeat(3000);
    check(&f, "write", &[&text(&big)], "30000");
    drop(f);
    let f = open("r", &[("newline", &text("")), ("encoding", &utf8)]);
    let lines = f.call_method("readlines", &[]).expect("lines");
    assert_eq!(lines.length().expect("len"), 3);
    assert_eq!(show(lines.get_item(&int(1))), "'wörld\\r\\n'");
    check(&f, "seek", &[&int(0)], "0");
    let all = f.call_method("read", &[]).expect("read");
    assert_eq!(all.length().expect("len"), 30014);
    assert_eq!(
        show(m.get("open").and_then(|o| o.call1(&text("/nonexistent/x")))).split(':').next(),
        Some("FileNotFoundError")
    );
    assert_eq!(
        show(m.get("open").and_then(|o| o.call(&[&name, &text("rz")]))),
        "ValueError: invalid mode: 'rz'"
    );
    let _ = std::fs::remove_file(dir);
}
