//! Small programs and the code they must become. The expected text is what `dis` shows for CPython 3.11 (without positions);
//! the whole standard library is compared by the `compare-code` tool.

use lh_bytecode::flags::{COMPARE_NAMES, NB_NAMES};
use lh_bytecode::opcode::{self, ArgKind, Opcode, instructions};
use lh_bytecode::{CodeUnit, Const, exctable};
use lh_compiler::{CompileFlags, ErrorKind, Mode, compile};

fn listing(code: &CodeUnit) -> String {
    let mut out = String::new();
    for i in instructions(&code.code) {
        let text = match opcode::arg_kind(i.op) {
            ArgKind::None => String::new(),
            ArgKind::Name if i.op == opcode::LOAD_GLOBAL => {
                let null = if i.arg & 1 != 0 { "NULL + " } else { "" };
                format!(" {null}{}", code.names[(i.arg >> 1) as usize])
            }
            ArgKind::Name => format!(" {}", code.names[i.arg as usize]),
            ArgKind::Const => format!(" {}", lh_compiler::unparse::constant(&code.consts[i.arg as usize])),
            ArgKind::Local | ArgKind::Free => format!(" {}", code.localsplusnames[i.arg as usize]),
            ArgKind::Compare => format!(" {}", COMPARE_NAMES[i.arg as usize]),
            ArgKind::JumpForward | ArgKind::JumpBackward => format!(" to {}", i.target().unwrap_or(0) * 2),
            ArgKind::Int if i.op == opcode::BINARY_OP => format!(" {}", NB_NAMES[i.arg as usize]),
            ArgKind::Int => format!(" {}", i.arg),
        };
        out.push_str(&format!("{} {:?}{text}\n", i.at * 2, Opcode(i.op)));
    }
    for e in exctable::decode(&code.exceptiontable) {
        let lasti = if e.lasti { " lasti" } else { "" };
        out.push_str(&format!("{}..{} -> {} [{}]{lasti}\n", e.start * 2, e.end * 2, e.target * 2, e.depth));
    }
    out
}

fn module(source: &str) -> CodeUnit {
    compile(source.as_bytes(), "t", Mode::Exec, &CompileFlags::default()).expect("compiles")
}

fn inner(code: &CodeUnit) -> &CodeUnit {
    let mut all = code.consts.iter().filter_map(|c| if let Const::Code(c) = c { Some(&**c) } else { None });
    all.next().expect("a nested code object")
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|l| !l.is_empty()).collect()
}

/// Compares the listing of the first function (or class, ...) of a program.
fn check(source: &str, expected: &str) {
    let code = module(source);
    let got = listing(inner(&code));
    assert_eq!(lines(&got), lines(expected), "\n{source}\nis:\n{got}");
}

fn check_error(source: &str, kind: ErrorKind, msg: &str, at: (i32, i32)) {
    let e = compile(source.as_bytes(), "t", Mode::Exec, &CompileFlags::default()).expect_err(source);
    assert_eq!((e.kind, e.msg.as_str(), (e.lineno, e.offset)), (kind, msg, at), "{source}");
}

#[test]
fn chained_comparison_and_conditional() {
    check(
        "def f(a, b, c):\n return 1 if a < b < c else 2",
        "0 RESUME 0
         2 LOAD_FAST a
         4 LOAD_FAST b
         6 SWAP 2
         8 COPY 2
         10 COMPARE_OP <
         16 POP_JUMP_FORWARD_IF_FALSE to 30
         18 LOAD_FAST c
         20 COMPARE_OP <
         26 POP_JUMP_FORWARD_IF_FALSE to 38
         28 JUMP_FORWARD to 34
         30 POP_TOP
         32 JUMP_FORWARD to 38
         34 LOAD_CONST 1
         36 JUMP_FORWARD to 40
         38 LOAD_CONST 2
         40 RETURN_VALUE",
    );
}

#[test]
fn tuple_swap_needs_no_tuple() {
    check(
        "def f(a, b):\n a, b = b, a",
        "0 RESUME 0
         2 LOAD_FAST b
         4 LOAD_FAST a
         6 STORE_FAST b
         8 STORE_FAST a
         10 LOAD_CONST None
         12 RETURN_VALUE",
    );
}

#[test]
fn try_except_as() {
    check(
        "def f():\n try:\n  g()\n except E as e:\n  h\n",
        "0 RESUME 0
         2 NOP
         4 LOAD_GLOBAL NULL + g
         16 PRECALL 0
         20 CALL 0
         30 POP_TOP
         32 LOAD_CONST None
         34 RETURN_VALUE
         36 PUSH_EXC_INFO
         38 LOAD_GLOBAL E
         50 CHECK_EXC_MATCH
         52 POP_JUMP_FORWARD_IF_FALSE to 90
         54 STORE_FAST e
         56 LOAD_GLOBAL h
         68 POP_TOP
         70 POP_EXCEPT
         72 LOAD_CONST None
         74 STORE_FAST e
         76 DELETE_FAST e
         78 LOAD_CONST None
         80 RETURN_VALUE
         82 LOAD_CONST None
         84 STORE_FAST e
         86 DELETE_FAST e
         88 RERAISE 1
         90 RERAISE 0
         92 COPY 3
         94 POP_EXCEPT
         96 RERAISE 1
         4..32 -> 36 [0]
         36..56 -> 92 [1] lasti
         56..70 -> 82 [1] lasti
         82..92 -> 92 [1] lasti",
    );
}

#[test]
fn percent_format_becomes_fstring() {
    check(
        "def f(x):\n return '<%s %5r>' % (x, x)",
        "0 RESUME 0
         2 LOAD_CONST '<'
         4 LOAD_FAST x
         6 FORMAT_VALUE 1
         8 LOAD_CONST ' '
         10 LOAD_FAST x
         12 LOAD_CONST '>5'
         14 FORMAT_VALUE 6
         16 LOAD_CONST '>'
         18 BUILD_STRING 5
         20 RETURN_VALUE",
    );
}

#[test]
fn closures_make_cells_first() {
    check(
        "def f(x):\n def g(): return x, y\n y = 1\n return g",
        "0 MAKE_CELL x
         2 MAKE_CELL y
         4 RESUME 0
         6 LOAD_CLOSURE x
         8 LOAD_CLOSURE y
         10 BUILD_TUPLE 2
         12 LOAD_CONST <code object g>
         14 MAKE_FUNCTION 8
         16 STORE_FAST g
         18 LOAD_CONST 1
         20 STORE_DEREF y
         22 LOAD_FAST g
         24 RETURN_VALUE",
    );
}

#[test]
fn generators_and_method_calls() {
    check(
        "def f(x):\n yield x.y(1, k=2)",
        "0 RETURN_GENERATOR
         2 POP_TOP
         4 RESUME 0
         6 LOAD_FAST x
         8 LOAD_METHOD y
         30 LOAD_CONST 1
         32 LOAD_CONST 2
         34 KW_NAMES ('k',)
         36 PRECALL 2
         40 CALL 2
         50 YIELD_VALUE
         52 RESUME 1
         54 POP_TOP
         56 LOAD_CONST None
         58 RETURN_VALUE",
    );
}

#[test]
fn errors() {
    use ErrorKind::*;
    check_error("return", Syntax, "'return' outside function", (1, 1));
    check_error("def f(a, a): pass", Syntax, "duplicate argument 'a' in function definition", (1, 10));
    check_error("def f():\n nonlocal x", Syntax, "no binding for nonlocal 'x' found", (2, 2));
    check_error("def f(x): global x", Syntax, "name 'x' is parameter and global", (1, 11));
    check_error(
        "f() = 1",
        Syntax,
        "cannot assign to function call here. Maybe you meant '==' instead of '='?",
        (1, 1),
    );
    check_error("if x:\ny", Indentation, "expected an indented block after 'if' statement on line 1", (2, 1));
    check_error("if x:\n\ty\n        z", Tab, "inconsistent use of tabs and spaces in indentation", (3, 1));
    check_error(
        "print 'x'",
        Syntax,
        "Missing parentheses in call to 'print'. Did you mean print(...)?",
        (1, 1),
    );
    check_error("x = (1,\ny = 2", Syntax, "'(' was never closed", (1, 5));
    check_error(
        "f'{a[4)}'",
        Syntax,
        "f-string: closing parenthesis ')' does not match opening parenthesis '['",
        (1, 10),
    );
    check_error("f'{!r}'", Syntax, "f-string: expression required before '!'", (1, 8));
    check_error("f'{lambda x:1}'", Syntax, "f-string: invalid syntax", (1, 10));
    check_error("f'{a#}'", Syntax, "f-string expression part cannot include '#'", (1, 8));
    check_error("type X = int", Syntax, "invalid syntax", (1, 6));
    check_error("def f[T](): pass", Syntax, "expected '('", (1, 6));
}

#[test]
fn interactive_input() {
    let flags = CompileFlags { allow_incomplete: true, dont_imply_dedent: true, ..Default::default() };
    let kind = |s: &str| compile(s.as_bytes(), "t", Mode::Single, &flags).map(|_| ()).map_err(|e| e.kind);
    assert_eq!(kind("x = 1"), Ok(()));
    assert_eq!(kind("if x:"), Err(ErrorKind::Incomplete));
    assert_eq!(kind("if x:\n  y"), Err(ErrorKind::Incomplete));
    assert_eq!(kind("if x:\n  y\n"), Ok(()));
    assert_eq!(kind("f("), Err(ErrorKind::Incomplete));
    assert_eq!(kind("x\ny"), Err(ErrorKind::Syntax));
    assert_eq!(kind("x = = 1\n"), Err(ErrorKind::Syntax));
}

#[test]
fn optimisation_levels() {
    let source = "'doc'\ndef f():\n 'text'\n assert x\n return __debug__";
    let at = |optimize| {
        let flags = CompileFlags { optimize, ..Default::default() };
        let c = compile(source.as_bytes(), "t", Mode::Exec, &flags).expect("compiles");
        (c.consts[0].clone(), inner(&c).consts.clone())
    };
    assert_eq!(at(0), (Const::str("doc"), vec![Const::str("text"), Const::True]));
    assert_eq!(at(1), (Const::str("doc"), vec![Const::str("text"), Const::False]));
    assert_eq!(at(2).1, vec![Const::None, Const::False]);
}

#[test]
fn annotations_as_text() {
    let code = module("from __future__ import annotations\nx: a[1:2, (b,)] | (lambda: -y ** 2) = 1");
    assert!(code.consts.contains(&Const::str("a[1:2, (b,)] | (lambda: -y ** 2)")), "{:?}", code.consts);
}

#[test]
fn lone_surrogates_survive() {
    let code = module("x = '\\ud800a'");
    let Const::Str(s) = &code.consts[0] else { panic!("no text") };
    assert_eq!(s.code_points().collect::<Vec<_>>(), [0xd800, 0x61]);
}

#[test]
fn deep_nesting_does_not_overflow() {
    let deep = format!("x = {}1", "-".repeat(2000));
    module(&deep);
    let chain = format!("x = a{}", ".b".repeat(2000));
    module(&chain);
    assert!(
        compile(format!("x = {}1", "-".repeat(50000)).as_bytes(), "t", Mode::Exec, &CompileFlags::default())
            .is_err()
    );
}

#[test]
fn warnings_are_collected() {
    let sink = lh_compiler::warnings::Sink::default();
    let flags = CompileFlags { warnings: Some(&sink), ..Default::default() };
    let source = "x is 1\nassert (x, 'y')\n'a' (b)\n[1] ['x']\n'\\d'";
    compile(source.as_bytes(), "t", Mode::Exec, &flags).expect("compiles");
    let got: Vec<_> = sink.borrow().iter().map(|w| format!("{}: {}", w.loc.line, w.msg)).collect();
    let want = [
        "5: invalid escape sequence '\\d'",
        "1: \"is\" with a literal. Did you mean \"==\"?",
        "2: assertion is always true, perhaps remove parentheses?",
        "3: 'str' object is not callable; perhaps you missed a comma?",
        "4: list indices must be integers or slices, not str; perhaps you missed a comma?",
    ];
    assert_eq!(got, want);
}

#[test]
fn eval_and_single_modes() {
    let code = |s: &str, mode| {
        listing(&compile(s.as_bytes(), "t", mode, &CompileFlags::default()).expect("compiles"))
    };
    let eval = "0 RESUME 0\n2 LOAD_NAME a\n4 LOAD_NAME b\n6 BINARY_OP +\n10 RETURN_VALUE\n";
    assert_eq!(code("a + b\n", Mode::Eval), eval);
    let single = "0 RESUME 0\n2 LOAD_NAME x\n4 PRINT_EXPR\n6 LOAD_CONST None\n8 RETURN_VALUE\n";
    assert_eq!(code("x\n", Mode::Single), single);
}

#[test]
fn trees_compile_like_sources_and_are_checked() {
    let flags = CompileFlags::default();
    let source = b"def f(a, *b, c=1):\n return [x async for x in a] if b else {**c}";
    let tree = lh_compiler::parse_ast(b"class C:\n x: int = 1", "t", Mode::Exec, &flags).expect("parses");
    assert_eq!(
        lh_compiler::compile_ast(tree, "t", &flags),
        compile(b"class C:\n x: int = 1", "t", Mode::Exec, &flags)
    );
    assert_eq!(
        compile(source, "t", Mode::Exec, &flags).expect_err("async").msg,
        "asynchronous comprehension outside of an asynchronous function"
    );
    let empty = lh_compiler::ast::Stmt {
        kind: lh_compiler::ast::StmtKind::Delete { targets: vec![] },
        loc: lh_compiler::ast::Location { line: 1, end_line: 1, col: 0, end_col: 1 },
    };
    let e = lh_compiler::compile_ast(
        lh_compiler::ast::Mod::Module { body: vec![empty], type_ignores: vec![] },
        "t",
        &flags,
    )
    .expect_err("empty");
    assert_eq!((e.kind, e.msg.as_str()), (ErrorKind::Value, "empty targets on Delete"));
}
