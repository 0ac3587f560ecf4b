//! The op table in the docs, the text form, and what the verifier refuses.

use crate::*;
use std::fmt::Write;

fn table() -> String {
    let mut s =
        String::from("| op | result | operands | imm | class | meaning |\n|---|---|---|---|---|---|\n");
    for op in ops::ALL {
        let names = [
            (ops::PURE, "pure"),
            (ops::GUARD, "guard"),
            (ops::READ, "read"),
            (ops::WRITE, "write"),
            (ops::CALL, "call"),
            (ops::RC, "rc"),
            (ops::ALLOC, "alloc"),
            (ops::CTRL, "control"),
            (ops::LIST, "list"),
        ];
        let class: Vec<&str> = names.iter().filter(|(b, _)| op.bits() & b != 0).map(|(_, n)| *n).collect();
        let args: Vec<String> = op.args().iter().map(|a| format!("{a:?}").to_lowercase()).collect();
        let res = op.result().map_or("any".to_string(), |t| format!("{t:?}").to_lowercase());
        let imm = format!("{:?}", op.imm()).to_lowercase();
        let _ = writeln!(
            s,
            "| `{}` | {} | {} | {} | {} | {} |",
            op.text(),
            if res == "void" { "-" } else { &res },
            args.join(", "),
            if imm == "none" { "" } else { &imm },
            class.join(" "),
            op.doc()
        );
    }
    s
}

#[test]
fn docs_show_the_op_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/jit.md");
    let text = std::fs::read_to_string(path).expect("docs/jit.md");
    let (head, rest) = text.split_once("<!-- ops -->\n").expect("start mark");
    let (_, tail) = rest.split_once("<!-- /ops -->").expect("end mark");
    let want = format!("{head}<!-- ops -->\n{}<!-- /ops -->{tail}", table());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, want).expect("write docs");
    } else {
        assert!(text == want, "docs/jit.md is behind the op table: run with UPDATE=1");
    }
}

#[test]
fn random_traces_survive_printing_and_parsing() {
    let d = testing::descs();
    for seed in 0..200 {
        let t = fuzz::trace(&d, seed, 60);
        let text = print::trace(&t, &d);
        let again = parse::trace(&text, &d, t.natives.clone()).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(print::trace(&again, &d), text);
    }
}

#[track_caller]
fn refused(text: &str, why: &str) {
    let d = testing::descs();
    let t = parse::trace(text, &d, vec![]).expect("parses");
    let e = verify::verify(&t, &d, true).expect_err("must be refused");
    assert!(e.contains(why), "{e}");
}

#[test]
fn the_verifier_refuses() {
    refused("i0 = add i1, 1\ni1 = add 2, 1", "before its definition");
    refused("f0 = fadd 1, 2.0", "operand type");
    refused("guard_true 1", "guard without snapshot");
    // A reference made and not given away at the exit.
    refused(
        "p0 = jload +24\nr1 = sload #0 p0\nown r1\nexit @0\nsnap 0 kind 0 { frame p0 tok 0 pc 0 sp 0 : ; }",
        "holds 1",
    );
    // Given away and not held.
    refused(
        "p0 = jload +24\nr1 = sload #0 p0\nexit @0\nsnap 0 kind 0 { frame p0 tok 0 pc 0 sp 0 : 1=r1 give ; }",
        "takes 1",
    );
}
