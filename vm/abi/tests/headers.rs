//! The layouts of this crate against the installed headers of CPython 3.11.
//!
//! `layout.c` holds the same numbers that the Rust files assert, as `_Static_assert`s. Skipped (with a line that says so) where
//! the headers are not installed.

use std::path::Path;
use std::process::Command;

#[test]
fn layouts_are_those_of_the_headers() {
    let include = ["/usr/include/python3.11", "/usr/local/include/python3.11"];
    let Some(dir) = include.iter().find(|d| Path::new(d).join("Python.h").exists()) else {
        eprintln!("skipped: CPython 3.11's headers are not installed (Debian: python3.11-dev)");
        return;
    };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layout.c");
    let out = Command::new("cc")
        .args(["-fsyntax-only", "-w", "-I", dir])
        .arg(source)
        .output()
        .expect("a C compiler (the linker Rust uses)");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}
