//! Who may use whom: the workspace's manifests against the table of the architecture page.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const ALLOWED: &[(&str, &str, &str)] = &[
    ("vm/abi", "lh-abi", ""),
    ("vm/bytecode", "lh-bytecode", ""),
    ("vm/macros", "lh-macros", ""),
    ("vm/jit/ir", "lh-jit-ir", ""),
    ("vm/runtime", "lh-runtime", "lh-abi lh-bytecode lh-macros"),
    ("vm/compiler", "lh-compiler", "lh-bytecode lh-runtime lh-abi"),
    ("vm/interp", "lh-interp", "lh-runtime lh-compiler lh-bytecode lh-abi lh-macros"),
    ("vm/foreign", "lh-foreign", "lh-runtime lh-abi"),
    ("vm/jit/opt", "lh-jit-opt", "lh-jit-ir"),
    ("vm/jit/x64", "lh-jit-x64", "lh-jit-ir"),
    ("vm/jit/a64", "lh-jit-a64", "lh-jit-ir"),
    (
        "vm/jit",
        "lh-jit",
        "lh-jit-ir lh-jit-opt lh-jit-x64 lh-jit-a64 lh-interp lh-foreign lh-runtime lh-bytecode lh-abi",
    ),
    ("vm/capi", "lh-capi", "lh-interp lh-runtime lh-abi"),
    ("vm/stdlib", "lh-stdlib", "lh-interp lh-runtime lh-macros lh-abi lh-compiler lh-bytecode"),
    ("ctypes", "lh-ctypes", "lh-foreign lh-interp lh-runtime lh-macros lh-abi"),
    ("cppyy", "lh-cppyy", "lh-foreign lh-interp lh-runtime lh-macros lh-abi"),
    ("swig-bridge", "lh-swig-bridge", "lh-foreign lh-interp lh-runtime lh-macros lh-abi"),
    ("cython-bridge", "lh-cython-bridge", "lh-foreign lh-interp lh-runtime lh-macros lh-abi"),
];

/// Our crates in `[dependencies]` (development dependencies of tests may look down further).
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut out = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim() == "[dependencies]";
        } else if inside && line.starts_with("lh-") {
            let name = line.split(['.', '=', ' ']).next().unwrap_or("");
            out.insert(name.to_string());
        }
    }
    out
}

#[test]
fn arrows_never_go_up() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let allowed: BTreeMap<&str, (&str, BTreeSet<&str>)> =
        ALLOWED.iter().map(|(dir, name, deps)| (*name, (*dir, deps.split_whitespace().collect()))).collect();
    let mut seen = 0;
    for (name, (dir, deps)) in &allowed {
        let text =
            std::fs::read_to_string(root.join(dir).join("Cargo.toml")).expect("a manifest in each crate");
        assert!(text.contains(&format!("name = \"{name}\"")), "{dir} is not {name}");
        for d in dependencies(&text) {
            assert!(deps.contains(d.as_str()), "{name} must not depend on {d}: see docs/architecture.md");
            seen += 1;
        }
    }
    assert!(seen > 20, "the manifests were read");
}
