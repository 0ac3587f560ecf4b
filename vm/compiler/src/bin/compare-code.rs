//! Compares our code objects with `python3.11`'s.
//!
//! ```text
//! compare-code [-O] [-OO] [-v] [-n EXAMPLES] [FILE or DIRECTORY]...
//! compare-code -e [FILE]
//! ```
//!
//! Without paths: the whole standard library of the `python3.11` on PATH, with its tests, without installed packages. Code objects are compared one by one
//! (nested ones on their own); the first differing field counts. Prints the share of equal code objects and the differences by kind.
//!
//! `-e` compares error messages and positions for the snippets of `tools/errors.txt` (or another file of that form).

use lh_bytecode::location::positions;
use lh_bytecode::opcode::{Opcode, instructions};
use lh_bytecode::{CodeUnit, Const, exctable, marshal};
use lh_compiler::{CompileFlags, Mode};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const HELPER: &str = include_str!("../../tools/dump_code.py");
const ERROR_HELPER: &str = include_str!("../../tools/dump_errors.py");
const ERRORS: &str = include_str!("../../tools/errors.txt");

#[derive(Default)]
struct Report {
    equal: usize,
    total: usize,
    files_equal: usize,
    files: usize,
    kinds: BTreeMap<String, (usize, Vec<String>)>,
}

impl Report {
    fn differ(&mut self, kind: String, example: String) {
        let k = self.kinds.entry(kind).or_default();
        k.0 += 1;
        k.1.push(example);
    }
}

fn main() -> std::io::Result<()> {
    // Deeply nested sources need a deep stack, here as in the VM.
    match std::thread::Builder::new().stack_size(256 << 20).spawn(run)?.join() {
        Ok(r) => r,
        Err(_) => std::process::exit(101),
    }
}

fn run() -> std::io::Result<()> {
    let (mut paths, mut optimize, mut verbose, mut examples) = (vec![], 0u8, false, 3);
    let mut args = std::env::args().skip(1);
    while let Some(a) = args.next() {
        match a.as_str() {
            "-O" => optimize = 1,
            "-OO" => optimize = 2,
            "-v" => verbose = true,
            "-e" => return compare_errors(args.next().map(PathBuf::from)),
            "-n" => examples = args.next().and_then(|n| n.parse().ok()).unwrap_or(examples),
            _ => paths.push(PathBuf::from(a)),
        }
    }
    if paths.is_empty() {
        let out = Command::new("python3.11")
            .args(["-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"])
            .output()?;
        paths.push(PathBuf::from(String::from_utf8_lossy(&out.stdout).trim()));
    }
    let mut files = vec![];
    for p in &paths {
        collect(p, &mut files)?;
    }
    files.sort();
    let dir = std::env::temp_dir().join(format!("compare-code-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let mut child = Command::new("python3.11")
        .args(["-I", "-X", "utf8", "-c", HELPER, &optimize.to_string()])
        .arg(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        for f in &files {
            writeln!(stdin, "{}", f.display())?;
        }
    }
    let theirs = child.wait_with_output()?;
    let mut report = Report::default();
    let mut spent = 0.0;
    for (n, f) in files.iter().enumerate() {
        let source = std::fs::read(f)?;
        let name = f.display().to_string();
        let want = std::fs::read(dir.join(format!("{n}.code"))).ok();
        let start = Instant::now();
        let flags = CompileFlags { optimize, decode: Some(&decode), ..Default::default() };
        let ours = lh_compiler::compile(&source, &name, Mode::Exec, &flags);
        if want.is_some() {
            spent += start.elapsed().as_secs_f64();
        }
        report.files += 1;
        match (ours, want) {
            (Ok(ours), Some(want)) => {
                let before = (report.total, report.equal);
                match marshal::load_code(&want) {
                    Ok(theirs) => compare(&ours, &theirs, &name, &mut report, verbose),
                    Err(e) => report.differ(format!("unreadable: {e}"), name.clone()),
                }
                if report.total - before.0 == report.equal - before.1 {
                    report.files_equal += 1;
                }
            }
            (Err(e), Some(_)) => {
                report.total += 1;
                report.differ("does not compile".into(), format!("{name}: {e}"));
            }
            (Ok(_), None) => {
                let want = std::fs::read_to_string(dir.join(format!("{n}.error"))).unwrap_or_default();
                report.differ(
                    "compiles, but not in CPython".into(),
                    format!("{name}: {}", want.replace('\n', " | ")),
                );
            }
            (Err(e), None) => {
                report.files_equal += 1;
                let want = std::fs::read_to_string(dir.join(format!("{n}.error"))).unwrap_or_default();
                let mut w = want.lines().skip(1);
                let msg = w.next().unwrap_or("");
                if msg != e.msg {
                    report.differ("another error message".into(), format!("{name}: {msg} / {}", e.msg));
                }
            }
        }
    }
    std::fs::remove_dir_all(&dir)?;
    let mut kinds: Vec<_> = report.kinds.into_iter().collect();
    kinds.sort_by_key(|k| std::cmp::Reverse(k.1.0));
    for (kind, (count, all)) in kinds {
        println!("{count:6}  {kind}");
        for e in all.iter().take(examples) {
            println!("          {e}");
        }
    }
    println!(
        "{} of {} code objects equal ({:.2} %), {} of {} files",
        report.equal,
        report.total,
        100.0 * report.equal as f64 / report.total.max(1) as f64,
        report.files_equal,
        report.files
    );
    println!("time: ours {spent:.3} s, CPython {} s", String::from_utf8_lossy(&theirs.stdout).trim());
    Ok(())
}

/// Other encodings: what CPython's codec says.
fn decode(encoding: &str, bytes: &[u8]) -> Option<String> {
    const SCRIPT: &str =
        "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read().decode(sys.argv[1]).encode())";
    let mut child = Command::new("python3.11")
        .args(["-I", "-c", SCRIPT, encoding])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(bytes).ok()?;
    let out = child.wait_with_output().ok()?;
    if out.status.success() { String::from_utf8(out.stdout).ok() } else { None }
}

fn compare_errors(list: Option<PathBuf>) -> std::io::Result<()> {
    let snippets = match list {
        Some(p) => std::fs::read_to_string(p)?,
        None => ERRORS.to_owned(),
    };
    let dir = std::env::temp_dir().join(format!("compare-code-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let mut child = Command::new("python3.11")
        .args(["-I", "-X", "utf8", "-c", ERROR_HELPER])
        .arg(&dir)
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(snippets.as_bytes())?;
    }
    child.wait()?;
    let (mut total, mut messages, mut places) = (0, 0, 0);
    for (n, line) in snippets.lines().enumerate() {
        let source = std::fs::read(dir.join(format!("{n}.src")))?;
        let want = std::fs::read_to_string(dir.join(format!("{n}.txt")))?;
        let flags = CompileFlags { ignore_cookie: true, ..Default::default() };
        let got = match lh_compiler::compile(&source, "f", Mode::Exec, &flags) {
            Ok(_) => "ok".to_owned(),
            Err(e) => {
                let text = e.to_string();
                let class = text.split(':').next().unwrap_or("");
                format!("{class}\n{}\n{}\n{}\n{}\n{}", e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset)
            }
        };
        total += 1;
        let (a, b): (Vec<_>, Vec<_>) = (got.lines().collect(), want.lines().collect());
        let same = a.iter().take(2).eq(b.iter().take(2));
        messages += usize::from(same);
        places += usize::from(a == b);
        if a != b {
            println!("{} {line}\n     ours {a:?}\n   theirs {b:?}", if same { "place  " } else { "message" });
        }
    }
    std::fs::remove_dir_all(&dir)?;
    println!("{messages} of {total} messages equal, {places} with all positions");
    Ok(())
}

fn collect(p: &Path, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if p.is_dir() {
        for e in std::fs::read_dir(p)? {
            let path = e?.path();
            let installed = path.file_name().is_some_and(|n| n == "site-packages" || n == "dist-packages");
            if !installed && path.is_dir() || path.extension().is_some_and(|x| x == "py") {
                collect(&path, out)?;
            }
        }
    } else {
        out.push(p.to_owned());
    }
    Ok(())
}

fn compare(a: &CodeUnit, b: &CodeUnit, file: &str, report: &mut Report, verbose: bool) {
    report.total += 1;
    match difference(a, b) {
        None => report.equal += 1,
        Some((kind, detail)) => {
            let example = format!("{file}:{} {}: {detail}", b.firstlineno, b.qualname);
            if verbose {
                println!("{example}\n{}", side_by_side(a, b));
            }
            report.differ(kind, example);
        }
    }
    let inner = |c: &CodeUnit| -> Vec<CodeUnit> {
        c.consts
            .iter()
            .filter_map(|c| if let Const::Code(c) = c { Some((**c).clone()) } else { None })
            .collect()
    };
    let (x, y) = (inner(a), inner(b));
    if x.len() == y.len() {
        for (x, y) in x.iter().zip(&y) {
            compare(x, y, file, report, verbose);
        }
    } else {
        report.total += y.len();
    }
}

/// Constants with nested code objects hidden: those are compared on their own.
fn plain(consts: &[Const]) -> Vec<Const> {
    consts.iter().map(|c| if let Const::Code(c) = c { Const::str(&c.name) } else { c.clone() }).collect()
}

fn difference(a: &CodeUnit, b: &CodeUnit) -> Option<(String, String)> {
    macro_rules! field {
        ($($f:ident)*) => {
            $(if a.$f != b.$f {
                return Some((stringify!($f).to_owned(), format!("{:?}, not {:?}", a.$f, b.$f)));
            })*
        };
    }
    field!(name qualname firstlineno argcount posonlyargcount kwonlyargcount flags);
    let (x, y): (Vec<_>, Vec<_>) = (instructions(&a.code).collect(), instructions(&b.code).collect());
    let show =
        |c: &CodeUnit, at: usize| positions(&c.linetable, c.firstlineno).nth(at).map_or(-1, |l| l.line);
    for (i, j) in x.iter().zip(&y) {
        if i.op != j.op {
            return Some((
                format!("code: {:?} instead of {:?}", Opcode(i.op), Opcode(j.op)),
                format!("at {} (line {})", j.at * 2, show(b, j.at)),
            ));
        }
    }
    if x.len() != y.len() {
        return Some(("code: length".into(), format!("{} / {}", x.len(), y.len())));
    }
    field!(names localsplusnames localspluskinds);
    let (ca, cb) = (plain(&a.consts), plain(&b.consts));
    if ca != cb {
        let at = ca.iter().zip(&cb).position(|(x, y)| x != y).unwrap_or(ca.len().min(cb.len()));
        return Some(("consts".into(), format!("[{at}] {:?}, not {:?}", ca.get(at), cb.get(at))));
    }
    for (i, j) in x.iter().zip(&y) {
        if i.arg != j.arg {
            return Some((
                format!("argument of {:?}", Opcode(j.op)),
                format!("at {} (line {}): {} / {}", j.at * 2, show(b, j.at), i.arg, j.arg),
            ));
        }
    }
    if a.exceptiontable != b.exceptiontable {
        let (p, q): (Vec<_>, Vec<_>) =
            (exctable::decode(&a.exceptiontable).collect(), exctable::decode(&b.exceptiontable).collect());
        return Some(("exceptiontable".into(), format!("{p:?}, not {q:?}")));
    }
    field!(stacksize filename);
    let (p, q): (Vec<_>, Vec<_>) =
        (positions(&a.linetable, a.firstlineno).collect(), positions(&b.linetable, b.firstlineno).collect());
    for i in &x {
        if p.get(i.at) != q.get(i.at) {
            return Some((
                format!("position of {:?}", Opcode(i.op)),
                format!("at {}: {:?}, not {:?}", i.at * 2, p.get(i.at), q.get(i.at)),
            ));
        }
    }
    field!(linetable);
    (a.code != b.code).then(|| ("caches".into(), String::new()))
}

fn side_by_side(a: &CodeUnit, b: &CodeUnit) -> String {
    let list = |c: &CodeUnit| -> Vec<String> {
        let pos: Vec<_> = positions(&c.linetable, c.firstlineno).collect();
        instructions(&c.code)
            .map(|i| {
                let l = pos.get(i.at).copied().unwrap_or(lh_bytecode::location::Location::NONE);
                let to = i.target().map_or(String::new(), |t| format!(" ->{}", t * 2));
                let text = format!("{:?} {}{to}", Opcode(i.op), i.arg);
                format!("{:4} {text:34} {}-{} {}-{}", i.at * 2, l.line, l.end_line, l.col, l.end_col)
            })
            .collect()
    };
    let (x, y) = (list(a), list(b));
    let mut out = String::new();
    for i in 0..x.len().max(y.len()) {
        let (l, r) = (x.get(i).map_or("", |s| s), y.get(i).map_or("", |s| s));
        let mark = if l == r { ' ' } else { '*' };
        out.push_str(&format!("{mark} {l:62} | {r}\n"));
    }
    out
}
