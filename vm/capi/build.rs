//! Compiles the variadic functions (`shim/variadic.c`).
fn main() {
    println!("cargo:rerun-if-changed=shim/variadic.c");
    cc::Build::new().file("shim/variadic.c").flag("-fno-strict-aliasing").compile("lh_variadic");
}
