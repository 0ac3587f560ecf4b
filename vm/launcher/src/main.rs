//! The `lancehead` executable: reads its arguments, wires the crates together, runs Python.
fn main() {}
