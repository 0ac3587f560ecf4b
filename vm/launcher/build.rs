//! How the executable is linked: extension modules find the C API in it, and nothing else.
fn main() {
    // Only CPython's names are exported. What Rust calls its functions is nobody's business, and an
    // exported function could not be left out when nothing calls it.
    // `backtrace`: see src/backtrace.rs.
    for names in ["Py*", "_Py*", "backtrace"] {
        println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic-symbol={names}");
    }
    // C++ exceptions pass through (src/unwind.rs).
    println!("cargo:rustc-link-arg-bins=-Wl,--wrap=rust_eh_personality");
    // A fixed address: no relocations to read and to write at every start (1 MiB of memory that
    // could not be shared).
    println!("cargo:rustc-link-arg-bins=-no-pie");
    // What runs at every start lies together (bench/startup_order.py writes the list).
    println!("cargo:rustc-link-arg-bins=-Wl,-T,{}/startup.ld", env!("CARGO_MANIFEST_DIR"));
    println!("cargo:rerun-if-changed=startup.ld");
    println!("cargo:rerun-if-changed=build.rs");
}
